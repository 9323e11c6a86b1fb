// VarLengthExpand(Pruning,BFS): each node that can be reached, once, level by level with a bitmap. Shortest walks to other nodes are
// trails by themselves; back to the start they are only where they do not return by the relationship they left by, so for undirected
// walks each node remembers its first relationship from the start.
#include "base/map.h"
#include "exec/idset.h"
#include "exec/op.h"
#include "exec/walk.h"

struct pruning {
  struct op op;
  struct walk walk;
  const struct batch *in;
  uint32_t row;
  bool started;
  uint64_t start;
  struct idset seen;
  struct arena queue_arena;
  uint64_t *queue;       // nodes in the order in which they were reached, the start first
  uint64_t *branches;    // first relationship on the way there
  uint32_t *depths;
  uint32_t n, capacity, at, given; // at: next to be expanded; given: rows handed out
  bool returns;          // the start has been reached again
  struct map places;     // undirected: node to number in the queue
  struct neighbours neighbours;
};

static enum err pruning_open(struct op *op, struct error *e UNUSED) {
  struct pruning *s = (struct pruning *) op;
  const struct plan_var_expand *p = &op->plan->var_expand;
  s->walk = (struct walk){.op = op, .direction = p->direction, .types = p->types, .differ = p->differ, .step_rel = p->step_rel,
                          .step_node = p->step_node, .rel_predicates = p->rel_predicates, .node_predicates = p->node_predicates};
  idset_init(&s->seen, &op->x->budget);
  arena_init(&s->queue_arena, &op->x->budget);
  neighbours_init(&s->neighbours, &op->x->budget);
  return ERR_OK;
}

static bool watches_return(const struct op *op) {
  return op->plan->var_expand.min > 0;
}
static bool undirected(const struct op *op) {
  return op->plan->var_expand.direction == GRAPH_BOTH;
}

static enum err reserve(struct pruning *s, uint32_t extra, struct error *e) {
  if (s->n + extra <= s->capacity) return ERR_OK;
  uint32_t capacity = MAX(64, s->capacity);
  while (capacity < s->n + extra) capacity *= 2;
  struct arena *a = &s->queue_arena;
  uint64_t *queue = arena_grow(a, s->queue, s->n * sizeof *queue, capacity * sizeof *queue);
  uint64_t *branches = arena_grow(a, s->branches, s->n * sizeof *branches, capacity * sizeof *branches);
  uint32_t *depths = arena_grow(a, s->depths, s->n * sizeof *depths, capacity * sizeof *depths);
  if (queue == NULL || branches == NULL || depths == NULL) return arena_err(a, e);
  s->queue = queue;
  s->branches = branches;
  s->depths = depths;
  s->capacity = capacity;
  return ERR_OK;
}

static enum err reach(struct op *op, uint64_t node, uint64_t branch, uint32_t depth, struct error *e) {
  struct pruning *s = (struct pruning *) op;
  bool is_new;
  TRY(idset_add(&s->seen, node, &is_new, e));
  if (!is_new) return ERR_OK;
  if (watches_return(op) && undirected(op) && map_put(&s->places, node, s->n) != ERR_OK) return error_set(e, ERR_NOMEM, "no memory for a walk");
  s->queue[s->n] = node;
  s->branches[s->n] = branch;
  s->depths[s->n++] = depth;
  return ERR_OK;
}

/// Walks of an undirected pattern come back to the start where two branches meet.
static void meet(struct op *op, uint32_t from, uint64_t node, uint64_t rel) {
  struct pruning *s = (struct pruning *) op;
  if (s->returns || !watches_return(op)) return;
  if (!undirected(op)) {
    s->returns |= node == s->start;
    return;
  }
  if (node == s->start) {
    s->returns |= from == 0 || s->branches[from] != rel;
    return;
  }
  const uint64_t *place = map_get(&s->places, node);
  if (place == NULL || from == 0) {
    // A second relationship from the start to a neighbour: out by one, back by the other.
    s->returns |= from == 0 && place != NULL && s->branches[*place] != rel && op->plan->var_expand.max >= 2;
    return;
  }
  uint64_t length = (uint64_t) s->depths[from] + s->depths[*place] + 1;
  s->returns |= s->branches[*place] != s->branches[from] && length <= op->plan->var_expand.max;
}

static enum err expand_next_node(struct op *op, struct error *e) {
  struct pruning *s = (struct pruning *) op;
  uint32_t from = s->at;
  TRY(walk_neighbours(&s->walk, s->in, s->row, s->queue[from], &s->neighbours, e));
  TRY(reserve(s, s->neighbours.n, e));
  for (uint32_t i = 0; i < s->neighbours.n; i++) {
    uint64_t node = s->neighbours.nodes[i], rel = s->neighbours.rels[i];
    meet(op, from, node, rel);
    TRY(reach(op, node, from == 0 ? rel : s->branches[from], s->depths[from] + 1, e));
  }
  s->at++;
  return ERR_OK;
}

static enum err walk_row(struct op *op, struct error *e) {
  struct pruning *s = (struct pruning *) op;
  struct value from = batch_get(s->in, op->plan->var_expand.from, s->row);
  if (!s->started) {
    idset_clear(&s->seen);
    arena_reset(&s->queue_arena);
    map_clear(&s->places);
    s->queue = s->branches = NULL;
    s->depths = NULL;
    s->n = s->capacity = s->at = 0;
    s->returns = false;
    s->given = op->plan->var_expand.min > 0; // the start itself is a result only where it is reached again
    if (from.type == VALUE_NODE) {
      s->start = v_id(from);
      TRY(reserve(s, 1, e));
      TRY(reach(op, s->start, 0, 0, e));
    }
    s->started = true;
  }
  while (s->at < s->n && s->depths[s->at] < op->plan->var_expand.max) {
    if (s->at % EXEC_CANCEL_STEPS == 0) TRY(exec_check(op->x, e));
    TRY(expand_next_node(op, e));
  }
  return ERR_OK;
}

/// The start comes last where it was reached again.
static uint32_t take(struct pruning *s, uint32_t cap, uint32_t *rows, uint64_t *nodes) {
  uint32_t n = 0;
  for (; s->given < s->n && n < cap; s->given++) {
    rows[n] = s->row;
    nodes[n++] = s->queue[s->given];
  }
  if (s->returns && n < cap) {
    rows[n] = s->row;
    nodes[n++] = s->start;
    s->returns = false;
  }
  return n;
}

static enum err pruning_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct pruning *s = (struct pruning *) op;
  uint32_t cap = MIN(want, EXEC_BATCH_ROWS), n = 0;
  arena_reset(&op->out);
  uint32_t *rows = ARENA_ARRAY(&op->out, uint32_t, cap);
  uint64_t *nodes = ARENA_ARRAY(&op->out, uint64_t, cap);
  if (rows == NULL || nodes == NULL) return arena_err(&op->out, e);
  while (n == 0) {
    if (s->in == NULL || s->row >= s->in->n) {
      TRY(op_pull(op, 0, want, &s->in, e));
      if (s->in == NULL) return ERR_OK;
      s->row = 0;
      s->started = false;
    }
    for (; s->row < s->in->n && n < cap; s->row++, s->started = false) {
      enum err err = walk_row(op, e);
      if (err == ERR_WAIT && n > 0) break;
      TRY(err);
      n += take(s, cap - n, rows + n, nodes + n);
      if (s->given < s->n || s->returns) break;
    }
  }
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, rows, n, &out, e));
  out->columns[op->plan->var_expand.to] = vec_of_ids(VEC_NODE, nodes);
  *ret = out;
  return ERR_OK;
}

static void pruning_reset(struct op *op) {
  struct pruning *s = (struct pruning *) op;
  s->in = NULL;
  s->started = false;
}

static void pruning_close(struct op *op) {
  struct pruning *s = (struct pruning *) op;
  idset_done(&s->seen);
  map_done(&s->places);
  arena_done(&s->queue_arena);
  neighbours_done(&s->neighbours);
}

const struct op_class op_pruning_expand_class = {
    .bytes = sizeof(struct pruning), .open = pruning_open, .next = pruning_next, .reset = pruning_reset, .close = pruning_close};
