// VarLengthExpand: all trails (no relationship twice) of min to max relationships, depth first with a stack of its own.
//
// A level of the stack holds a copy of the neighbours of one node, so nothing points into pages between calls.
#include <string.h>

#include "exec/idset.h"
#include "exec/op.h"
#include "exec/walk.h"

struct level {
  struct neighbours neighbours;
  uint32_t at;   // next of them to try
};

struct var_expand {
  struct op op;
  struct walk walk;
  const struct batch *in;
  uint32_t row;
  bool started;       // the current row is being walked
  uint64_t start, into;
  struct level *levels; // of mem_alloc, charged by their arenas
  uint32_t depth, capacity; // depth: relationships of the current trail; levels[depth] is being tried
  bool expanded;      // levels[depth] is filled
  uint64_t *rels, *nodes; // of the trail: rels[i] leads to nodes[i]
};

static enum err var_expand_open(struct op *op, struct error *e) {
  struct var_expand *s = (struct var_expand *) op;
  const struct plan_var_expand *p = &op->plan->var_expand;
  s->walk = (struct walk){.op = op, .direction = p->direction, .types = p->types, .differ = p->differ, .step_rel = p->step_rel,
                          .step_node = p->step_node, .rel_predicates = p->rel_predicates, .node_predicates = p->node_predicates};
  (void) e;
  return ERR_OK;
}

static enum err grow_levels(struct var_expand *s, struct error *e) {
  uint32_t capacity = MAX(8, s->capacity * 2);
  size_t bytes = capacity * (sizeof *s->levels + 2 * sizeof(uint64_t)), old = s->capacity * (sizeof *s->levels + 2 * sizeof(uint64_t));
  struct mem_budget *budget = &s->op.x->budget;
  TRY(mem_budget_charge(budget, bytes, e));
  struct level *levels = mem_zalloc(capacity * sizeof *levels);
  uint64_t *rels = mem_alloc(capacity * sizeof *rels), *nodes = mem_alloc(capacity * sizeof *nodes);
  if (levels == NULL || rels == NULL || nodes == NULL) {
    mem_free(levels);
    mem_free(rels);
    mem_free(nodes);
    mem_budget_release(budget, bytes);
    return error_set(e, ERR_NOMEM, "no memory for a path");
  }
  if (s->capacity > 0) {
    memcpy(levels, s->levels, s->capacity * sizeof *levels);
    memcpy(rels, s->rels, s->capacity * sizeof *rels);
    memcpy(nodes, s->nodes, s->capacity * sizeof *nodes);
  }
  for (uint32_t i = s->capacity; i < capacity; i++) neighbours_init(&levels[i].neighbours, budget);
  mem_free(s->levels);
  mem_free(s->rels);
  mem_free(s->nodes);
  mem_budget_release(budget, old);
  s->levels = levels;
  s->rels = rels;
  s->nodes = nodes;
  s->capacity = capacity;
  return ERR_OK;
}

static bool in_trail(const struct var_expand *s, uint64_t rel) {
  for (uint32_t i = s->depth; i-- > 0;)
    if (s->rels[i] == rel) return true;
  return false;
}

/// A trail that is to become a row.
struct trails {
  uint32_t *rows;
  uint64_t *nodes;
  struct value *lists;
  uint32_t n, cap;
};

static enum err emit(struct op *op, struct trails *t, uint64_t node, struct error *e) {
  struct var_expand *s = (struct var_expand *) op;
  const struct plan_var_expand *p = &op->plan->var_expand;
  if (op->plan->kind == PLAN_VAR_EXPAND_INTO && node != s->into) return ERR_OK;
  if (p->rels != PLAN_NONE) {
    struct value *items = ARENA_ARRAY(&op->out, struct value, s->depth);
    if (items == NULL) return arena_err(&op->out, e);
    for (uint32_t i = 0; i < s->depth; i++) items[p->reverse ? s->depth - 1 - i : i] = v_rel(s->rels[i]);
    t->lists[t->n] = v_list(items, s->depth);
  }
  t->rows[t->n] = s->row;
  t->nodes[t->n++] = node;
  return ERR_OK;
}

/// Starts the walk from the current row's node; the node itself is a trail where min is 0.
static enum err start_row(struct op *op, struct trails *t, bool *ret_walk, struct error *e) {
  struct var_expand *s = (struct var_expand *) op;
  const struct plan_var_expand *p = &op->plan->var_expand;
  struct value from = batch_get(s->in, p->from, s->row), to = V_NULL;
  *ret_walk = from.type == VALUE_NODE;
  if (op->plan->kind == PLAN_VAR_EXPAND_INTO) {
    to = batch_get(s->in, p->to, s->row);
    *ret_walk &= to.type == VALUE_NODE;
  }
  if (!*ret_walk) return ERR_OK;
  s->start = v_id(from);
  s->into = to.type == VALUE_NODE ? v_id(to) : 0;
  s->depth = 0;
  s->expanded = false;
  s->started = true;
  if (s->capacity == 0) TRY(grow_levels(s, e));
  return p->min == 0 ? emit(op, t, s->start, e) : ERR_OK;
}

/// One step: tries the next neighbour of the deepest level, or goes back. `*ret_end`: all has been tried.
static enum err step(struct op *op, struct trails *t, bool *ret_end, struct error *e) {
  struct var_expand *s = (struct var_expand *) op;
  const struct plan_var_expand *p = &op->plan->var_expand;
  struct level *level = &s->levels[s->depth];
  *ret_end = false;
  if (!s->expanded) {
    if (s->depth < p->max) {
      TRY(walk_neighbours(&s->walk, s->in, s->row, s->depth == 0 ? s->start : s->nodes[s->depth - 1], &level->neighbours, e));
    } else {
      level->neighbours.n = 0;
    }
    level->at = 0;
    s->expanded = true;
  }
  while (level->at < level->neighbours.n && in_trail(s, level->neighbours.rels[level->at])) level->at++;
  if (level->at == level->neighbours.n) {
    *ret_end = s->depth == 0;
    if (s->depth > 0) s->depth--;
    return ERR_OK;
  }
  if (s->depth + 1 >= s->capacity) {
    TRY(grow_levels(s, e));
    level = &s->levels[s->depth];
  }
  s->rels[s->depth] = level->neighbours.rels[level->at];
  s->nodes[s->depth] = level->neighbours.nodes[level->at];
  level->at++;
  s->depth++;
  s->expanded = false;
  return s->depth >= p->min ? emit(op, t, s->nodes[s->depth - 1], e) : ERR_OK;
}

static enum err fill(struct op *op, struct trails *t, struct error *e) {
  struct var_expand *s = (struct var_expand *) op;
  for (uint64_t steps = 1; s->row < s->in->n && t->n < t->cap; steps++) {
    bool walk = true, end = false;
    if (steps % EXEC_CANCEL_STEPS == 0) TRY(exec_check(op->x, e));
    if (!s->started) TRY(start_row(op, t, &walk, e));
    if (walk && t->n < t->cap) {
      enum err err = step(op, t, &end, e);
      if (err == ERR_WAIT && t->n > 0) return ERR_OK;
      TRY(err);
    }
    if (walk && !end) continue;
    s->row++;
    s->started = false;
  }
  return ERR_OK;
}

static enum err var_expand_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct var_expand *s = (struct var_expand *) op;
  const struct plan_var_expand *p = &op->plan->var_expand;
  uint32_t cap = MIN(want, EXEC_BATCH_ROWS);
  arena_reset(&op->out);
  struct trails t = {ARENA_ARRAY(&op->out, uint32_t, cap), ARENA_ARRAY(&op->out, uint64_t, cap), ARENA_ARRAY(&op->out, struct value, cap), 0, cap};
  if (t.rows == NULL || t.nodes == NULL || t.lists == NULL) return arena_err(&op->out, e);
  while (t.n == 0) {
    if (s->in == NULL || s->row >= s->in->n) {
      TRY(op_pull(op, 0, want, &s->in, e));
      if (s->in == NULL) return ERR_OK;
      s->row = 0;
      s->started = false;
    }
    TRY(fill(op, &t, e));
  }
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, t.rows, t.n, &out, e));
  if (p->rels != PLAN_NONE) out->columns[p->rels] = (struct vec){.kind = VEC_ANY, .any = t.lists};
  if (op->plan->kind != PLAN_VAR_EXPAND_INTO) out->columns[p->to] = vec_of_ids(VEC_NODE, t.nodes);
  *ret = out;
  return ERR_OK;
}

static void var_expand_reset(struct op *op) {
  struct var_expand *s = (struct var_expand *) op;
  s->in = NULL;
  s->started = false;
}

static void var_expand_close(struct op *op) {
  struct var_expand *s = (struct var_expand *) op;
  for (uint32_t i = 0; i < s->capacity; i++) neighbours_done(&s->levels[i].neighbours);
  mem_free(s->levels);
  mem_free(s->rels);
  mem_free(s->nodes);
  mem_budget_release(&op->x->budget, s->capacity * (sizeof *s->levels + 2 * sizeof(uint64_t)));
}

const struct op_class op_var_expand_class = {
    .bytes = sizeof(struct var_expand), .open = var_expand_open, .next = var_expand_next, .reset = var_expand_reset, .close = var_expand_close};
