// Repeat(Trail): a quantified path pattern. The right side is one iteration; it is run for a batch of partial walks at a time, the
// latest ones first, so that memory follows the depth of the search and not its breadth.
#include <string.h>

#include "exec/op.h"

enum { REPEAT_ROWS = 256 };

/// A walk of some iterations: the last iteration, and before it the walk that it continues.
struct walked {
  const struct walked *before; // NULL: no iteration yet
  uint64_t node;
  uint32_t row;        // of the input batch
  uint32_t iterations;
  uint32_t rel_count;
  uint64_t *rels;      // of the last iteration
  struct value *groups; // inner values of the last iteration, by group
};

struct repeat {
  struct op op;
  const struct batch *in;
  uint32_t row;            // next input row to start from
  const struct walked **stack; // walks to be continued; held
  uint32_t depth, capacity;
  const struct walked *running[REPEAT_ROWS]; // what the right side works on, by row of its outer batch
  struct batch *outer;     // that batch, in `outer_arena`
  struct arena outer_arena;
  const struct walked **done; // walks to be given; held
  uint32_t done_n, done_capacity, done_at;
};

static enum err repeat_open(struct op *op, struct error *e UNUSED) {
  arena_init(&((struct repeat *) op)->outer_arena, &op->x->budget);
  return ERR_OK;
}

static enum err push(struct op *op, const struct walked ***list, uint32_t *n, uint32_t *capacity, const struct walked *w, struct error *e) {
  if (*n == *capacity) {
    uint32_t grown = MAX(64, *capacity * 2);
    const struct walked **more = arena_grow(&op->held, *list, *capacity * sizeof *more, grown * sizeof *more);
    if (more == NULL) return arena_err(&op->held, e);
    *list = more;
    *capacity = grown;
  }
  (*list)[(*n)++] = w;
  return ERR_OK;
}

/// A walk that is long enough is given; one that may go on is kept.
static enum err settle(struct op *op, const struct walked *w, struct error *e) {
  struct repeat *s = (struct repeat *) op;
  const struct plan_repeat *p = &op->plan->repeat;
  if (w->iterations < p->max) TRY(push(op, &s->stack, &s->depth, &s->capacity, w, e));
  if (w->iterations < p->min) return ERR_OK;
  if (p->into) {
    struct value to = batch_get(s->in, p->to, w->row);
    if (to.type != VALUE_NODE || v_id(to) != w->node) return ERR_OK;
  }
  return push(op, &s->done, &s->done_n, &s->done_capacity, w, e);
}

/// The relationships of a right row: single ones and lists. A negative answer where one comes twice, or is one to differ from.
static enum err read_rels(struct op *op, const struct batch *right, uint32_t i, const struct walked *before, struct walked *ret, bool *ret_ok,
                          struct error *e) {
  struct repeat *s = (struct repeat *) op;
  const struct plan_repeat *p = &op->plan->repeat;
  uint32_t room = 0;
  for (uint32_t k = 0; k < p->inner_rels.count; k++) {
    struct value v = batch_get(right, p->inner_rels.items[k], i);
    room += v.type == VALUE_LIST ? v.len : 1;
  }
  ret->rels = ARENA_ARRAY(&op->held, uint64_t, room);
  if (ret->rels == NULL) return arena_err(&op->held, e);
  for (uint32_t k = 0; k < p->inner_rels.count; k++) {
    struct value v = batch_get(right, p->inner_rels.items[k], i), one = v;
    if (v.type == VALUE_REL) v = v_list(&one, 1);
    for (uint32_t j = 0; v.type == VALUE_LIST && j < v.len; j++) ret->rels[ret->rel_count++] = v_id(v.items[j]);
  }
  *ret_ok = true;
  for (uint32_t k = 0; k < ret->rel_count && *ret_ok; k++) {
    uint64_t rel = ret->rels[k];
    for (uint32_t j = 0; j < k; j++) *ret_ok &= ret->rels[j] != rel;
    for (const struct walked *w = before; w != NULL && *ret_ok; w = w->before)
      for (uint32_t j = 0; j < w->rel_count; j++) *ret_ok &= w->rels[j] != rel;
    *ret_ok &= op_differs(s->in, before->row, p->differ, rel);
  }
  return ERR_OK;
}

static enum err continue_walk(struct op *op, const struct batch *right, uint32_t i, struct error *e) {
  struct repeat *s = (struct repeat *) op;
  const struct plan_repeat *p = &op->plan->repeat;
  const struct walked *before = s->running[batch_arg(right, i)];
  struct value end = batch_get(right, p->inner_end, i);
  if (end.type != VALUE_NODE) return ERR_OK;
  struct walked *w = ARENA_NEW(&op->held, struct walked);
  if (w == NULL) return arena_err(&op->held, e);
  *w = (struct walked){.before = before, .node = v_id(end), .row = before->row, .iterations = before->iterations + 1};
  bool ok = false;
  TRY(read_rels(op, right, i, before, w, &ok, e));
  if (!ok) return ERR_OK;
  w->groups = ARENA_ARRAY(&op->held, struct value, p->group_count);
  if (w->groups == NULL) return arena_err(&op->held, e);
  for (uint32_t k = 0; k < p->group_count; k++) TRY(value_copy(&op->held, batch_get(right, p->groups[k].inner, i), &w->groups[k], e));
  return settle(op, w, e);
}

/// Hands the latest walks to the right side.
static enum err start_right(struct op *op, struct error *e) {
  struct repeat *s = (struct repeat *) op;
  struct op *right = op->children[1];
  uint32_t n = MIN(s->depth, REPEAT_ROWS), *rows;
  arena_reset(&s->outer_arena);
  uint64_t *nodes = ARENA_ARRAY(&s->outer_arena, uint64_t, n);
  rows = ARENA_ARRAY(&s->outer_arena, uint32_t, n);
  if (nodes == NULL || rows == NULL) return arena_err(&s->outer_arena, e);
  for (uint32_t i = 0; i < n; i++) {
    s->running[i] = s->stack[s->depth - n + i];
    rows[i] = s->running[i]->row;
    nodes[i] = s->running[i]->node;
  }
  TRY(batch_gather(&s->outer_arena, s->in, rows, n, &s->outer, e));
  s->outer->columns[op->plan->repeat.inner_start] = vec_of_ids(VEC_NODE, nodes);
  s->outer->arg = NULL;
  s->depth -= n;
  right->outer->batch = s->outer;
  op_reset(right);
  return ERR_OK;
}

/// The walk of no iteration from an input row.
static enum err start_row(struct op *op, struct error *e) {
  struct repeat *s = (struct repeat *) op;
  struct value from = batch_get(s->in, op->plan->repeat.from, s->row);
  if (from.type == VALUE_NODE) {
    struct walked *w = ARENA_NEW(&op->held, struct walked);
    if (w == NULL) return arena_err(&op->held, e);
    *w = (struct walked){.node = v_id(from), .row = s->row};
    TRY(settle(op, w, e));
  }
  s->row++;
  return ERR_OK;
}

/// One batch of the right side, or a new start; until there is something to give or the input batch is through.
static enum err work(struct op *op, struct error *e) {
  struct repeat *s = (struct repeat *) op;
  while (s->done_at == s->done_n) {
    s->done_at = s->done_n = 0;
    if (s->outer == NULL && s->depth > 0) TRY(start_right(op, e));
    if (s->outer == NULL) {
      if (s->row >= s->in->n) return ERR_OK;
      TRY(start_row(op, e));
      continue;
    }
    const struct batch *right;
    TRY(op_next(op->children[1], EXEC_BATCH_ROWS, &right, e));
    if (right == NULL) s->outer = NULL;
    for (uint32_t i = 0; right != NULL && i < right->n; i++) TRY(continue_walk(op, right, i, e));
  }
  return ERR_OK;
}

static enum err group_list(struct op *op, const struct walked *w, uint32_t group, struct value *ret, struct error *e) {
  uint32_t n = w->iterations, at = 0;
  struct value *items = ARENA_ARRAY(&op->out, struct value, n);
  if (items == NULL) return arena_err(&op->out, e);
  for (; w->before != NULL; w = w->before, at++) items[op->plan->repeat.reverse ? at : n - 1 - at] = w->groups[group];
  *ret = v_list(items, n);
  return ERR_OK;
}

static enum err give(struct op *op, uint32_t n, const struct batch **ret, struct error *e) {
  struct repeat *s = (struct repeat *) op;
  const struct plan_repeat *p = &op->plan->repeat;
  const struct walked **walks = s->done + s->done_at;
  uint32_t *rows = ARENA_ARRAY(&op->out, uint32_t, n);
  uint64_t *nodes = ARENA_ARRAY(&op->out, uint64_t, n);
  struct batch *out = NULL;
  if (rows == NULL || nodes == NULL) return arena_err(&op->out, e);
  for (uint32_t i = 0; i < n; i++) {
    rows[i] = walks[i]->row;
    nodes[i] = walks[i]->node;
  }
  TRY(op_spread(op, &op->out, s->in, rows, n, &out, e));
  if (!p->into) out->columns[p->to] = vec_of_ids(VEC_NODE, nodes);
  for (uint32_t k = 0; k < p->group_count; k++) {
    struct value *lists = ARENA_ARRAY(&op->out, struct value, n);
    if (lists == NULL) return arena_err(&op->out, e);
    for (uint32_t i = 0; i < n; i++) TRY(group_list(op, walks[i], k, &lists[i], e));
    out->columns[p->groups[k].outer] = (struct vec){.kind = VEC_ANY, .any = lists};
  }
  s->done_at += n;
  *ret = out;
  return ERR_OK;
}

static enum err repeat_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct repeat *s = (struct repeat *) op;
  arena_reset(&op->out);
  for (;;) {
    if (s->in != NULL) TRY(work(op, e));
    if (s->in != NULL && s->done_at < s->done_n) return give(op, MIN(s->done_n - s->done_at, MIN(want, EXEC_BATCH_ROWS)), ret, e);
    TRY(op_pull(op, 0, want, &s->in, e));
    if (s->in == NULL) return ERR_OK;
    s->stack = s->done = NULL;
    s->row = s->depth = s->capacity = s->done_n = s->done_at = s->done_capacity = 0;
    s->outer = NULL;
  }
}

static void repeat_reset(struct op *op) {
  struct repeat *s = (struct repeat *) op;
  s->in = NULL;
  s->outer = NULL;
  s->done_n = s->done_at = s->depth = 0;
}

static void repeat_close(struct op *op) {
  arena_done(&((struct repeat *) op)->outer_arena);
}

const struct op_class op_repeat_class = {
    .bytes = sizeof(struct repeat), .open = repeat_open, .next = repeat_next, .reset = repeat_reset, .close = repeat_close};
