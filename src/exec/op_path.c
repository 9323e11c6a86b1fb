// Named paths out of their parts, and the ends of relationships that are bound already.
#include "exec/op.h"

struct path_op {
  struct op op;
  const struct batch *in;
};

/// The relationships of a path for one row, in walking order. Null parts: `*ret_null`.
static enum err rels_of(struct op *op, const struct batch *in, uint32_t row, struct value **ret, uint32_t *ret_n, bool *ret_null, struct error *e) {
  const struct plan_project_path *p = &op->plan->project_path;
  uint64_t total = 0;
  *ret_null = false;
  for (uint32_t i = 0; i < p->step_count; i++)
    for (uint32_t k = 0; k < p->steps[i].rels.count; k++) {
      struct value v = batch_get(in, p->steps[i].rels.items[k], row);
      *ret_null |= v_is_null(v);
      total += v.type == VALUE_LIST ? v.len : 1;
    }
  if (*ret_null) return ERR_OK;
  struct value *rels = arena_array(&op->out, total, sizeof *rels);
  if (rels == NULL) return arena_err(&op->out, e);
  uint32_t n = 0;
  for (uint32_t i = 0; i < p->step_count; i++) {
    const struct plan_path_step *step = &p->steps[i];
    struct value first = batch_get(in, step->rels.items[0], row);
    uint32_t rounds = first.type == VALUE_LIST ? first.len : 1;
    for (uint32_t round = 0; round < rounds; round++)
      for (uint32_t k = 0; k < step->rels.count; k++) {
        struct value v = batch_get(in, step->rels.items[k], row);
        if (v.type == VALUE_LIST && step->rels.count > 1 && round < v.len && v.items[round].type == VALUE_LIST) {
          for (uint32_t j = 0; j < v.items[round].len; j++) rels[n++] = v.items[round].items[j]; // a list in each round
        } else {
          rels[n++] = v.type == VALUE_LIST ? v.items[round] : v;
        }
      }
  }
  *ret = rels;
  *ret_n = n;
  return ERR_OK;
}

static enum err path_of(struct op *op, uint64_t start, struct value *rels, uint32_t n, struct value *ret, struct error *e) {
  uint64_t *ids = ARENA_ARRAY(&op->out, uint64_t, n), *from = ARENA_ARRAY(&op->out, uint64_t, n), *to = ARENA_ARRAY(&op->out, uint64_t, n);
  struct value *nodes = ARENA_ARRAY(&op->out, struct value, (size_t) n + 1);
  bool *reversed = ARENA_ARRAY(&op->out, bool, n);
  struct value_path *path = ARENA_NEW(&op->out, struct value_path);
  if (ids == NULL || from == NULL || to == NULL || nodes == NULL || reversed == NULL || path == NULL) return arena_err(&op->out, e);
  for (uint32_t i = 0; i < n; i++) ids[i] = v_id(rels[i]);
  if (n > 0) TRY(graph_rel_ends(op_view(op), ids, n, from, to, NULL, e));
  uint64_t at = start;
  nodes[0] = v_node(at);
  for (uint32_t i = 0; i < n; i++) {
    reversed[i] = from[i] != at;
    at = reversed[i] ? from[i] : to[i];
    nodes[i + 1] = v_node(at);
  }
  *path = (struct value_path){n, nodes, rels, reversed};
  *ret = (struct value){.type = VALUE_PATH, .path = path};
  return ERR_OK;
}

static enum err project_path_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct path_op *s = (struct path_op *) op;
  const struct plan_project_path *p = &op->plan->project_path;
  if (s->in == NULL) TRY(op_pull(op, 0, want, &s->in, e));
  if (s->in == NULL) return ERR_OK;
  arena_reset(&op->out);
  struct batch *out = NULL;
  struct vec column;
  TRY(op_extend(op, &op->out, s->in, &out, e));
  TRY(vec_alloc(&op->out, VEC_ANY, s->in->n, &column, e));
  for (uint32_t row = 0; row < s->in->n; row++) {
    struct value start = batch_get(s->in, p->start, row), *rels = NULL;
    uint32_t n = 0;
    bool null = true;
    column.any[row] = V_NULL;
    TRY(rels_of(op, s->in, row, &rels, &n, &null, e));
    if (!null && start.type == VALUE_NODE) TRY(path_of(op, v_id(start), rels, n, &column.any[row], e));
  }
  TRY(op_put(&op->out, out, p->out, column, e));
  s->in = NULL;
  *ret = out;
  return ERR_OK;
}

static void path_reset(struct op *op) {
  ((struct path_op *) op)->in = NULL;
}

const struct op_class op_project_path_class = {.bytes = sizeof(struct path_op), .next = project_path_next, .reset = path_reset};

/// A bound relationship or list of them, with ends and types.
struct bound {
  uint64_t *rels, *from, *to;
  graph_token *types;
  uint32_t n;
};

static enum err read_bound(struct op *op, struct value v, struct bound *ret, bool *ret_null, struct error *e) {
  struct value one = v;
  if (v.type == VALUE_REL) v = v_list(&one, 1);
  *ret_null = v.type != VALUE_LIST;
  if (*ret_null) return ERR_OK;
  struct arena *a = &op->out;
  *ret = (struct bound){ARENA_ARRAY(a, uint64_t, v.len), ARENA_ARRAY(a, uint64_t, v.len), ARENA_ARRAY(a, uint64_t, v.len),
                        ARENA_ARRAY(a, graph_token, v.len), v.len};
  if (ret->rels == NULL || ret->from == NULL || ret->to == NULL || ret->types == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < v.len; i++) {
    *ret_null |= v.items[i].type != VALUE_REL;
    if (!*ret_null) ret->rels[i] = v_id(v.items[i]);
  }
  if (*ret_null || v.len == 0) return ERR_OK;
  return graph_rel_ends(op_view(op), ret->rels, v.len, ret->from, ret->to, ret->types, e);
}

static bool has_type(const graph_token *types, uint32_t n, graph_token type) {
  for (uint32_t i = 0; i < n; i++)
    if (types[i] == type) return true;
  return false;
}

/// The walk along all of `b` from `start`; false where a relationship does not continue it. Relationships of one walk differ.
static bool walk_along(const struct bound *b, enum graph_direction direction, uint64_t start, uint64_t *ret_end) {
  uint64_t at = start;
  for (uint32_t i = 0; i < b->n; i++) {
    for (uint32_t k = 0; k < i; k++)
      if (b->rels[k] == b->rels[i]) return false;
    if ((direction & GRAPH_OUT) != 0 && b->from[i] == at) {
      at = b->to[i];
    } else if ((direction & GRAPH_IN) != 0 && b->to[i] == at) {
      at = b->from[i];
    } else {
      return false;
    }
  }
  *ret_end = at;
  return true;
}

struct ends {
  uint32_t *rows;
  uint64_t *start, *end;
  uint32_t n;
};

/// The walks of one row, at most two.
static void walks_of(struct op *op, const struct batch *in, uint32_t row, const struct bound *b, struct ends *ret) {
  const struct plan_project_ends *p = &op->plan->project_ends;
  struct value start = batch_get(in, p->start, row), end = batch_get(in, p->end, row);
  uint64_t starts[2];
  uint32_t count = 0;
  if (p->start_bound) {
    if (start.type == VALUE_NODE) starts[count++] = v_id(start);
  } else if (b->n > 0) {
    if (p->direction != GRAPH_IN) starts[count++] = b->from[0];
    if (p->direction != GRAPH_OUT && (count == 0 || b->to[0] != starts[0])) starts[count++] = b->to[0];
  }
  for (uint32_t i = 0; i < count; i++) {
    uint64_t at;
    if (!walk_along(b, p->direction, starts[i], &at)) continue;
    if (p->end_bound && (end.type != VALUE_NODE || v_id(end) != at)) continue;
    ret->rows[ret->n] = row;
    ret->start[ret->n] = starts[i];
    ret->end[ret->n++] = at;
  }
}

static enum err ends_of_row(struct op *op, const struct batch *in, uint32_t row, const graph_token *types, uint32_t type_count, struct ends *ret,
                            struct error *e) {
  const struct plan_project_ends *p = &op->plan->project_ends;
  struct bound b;
  bool null = true;
  TRY(read_bound(op, batch_get(in, p->rel, row), &b, &null, e));
  if (null || (p->list && (b.n < p->min || b.n > p->max))) return ERR_OK;
  for (uint32_t i = 0; i < b.n; i++) {
    if (p->types.count > 0 && !has_type(types, type_count, b.types[i])) return ERR_OK;
    if (!op_differs(in, row, p->differ, b.rels[i])) return ERR_OK;
  }
  walks_of(op, in, row, &b, ret);
  return ERR_OK;
}

static enum err project_ends_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct path_op *s = (struct path_op *) op;
  const struct plan_project_ends *p = &op->plan->project_ends;
  for (;;) {
    if (s->in == NULL) TRY(op_pull(op, 0, MAX(1, want / 2), &s->in, e));
    if (s->in == NULL) return ERR_OK;
    arena_reset(&op->out);
    graph_token *types;
    uint32_t type_count, room = 2 * s->in->n;
    struct ends ends = {ARENA_ARRAY(&op->out, uint32_t, room), ARENA_ARRAY(&op->out, uint64_t, room), ARENA_ARRAY(&op->out, uint64_t, room), 0};
    if (ends.rows == NULL || ends.start == NULL || ends.end == NULL) return arena_err(&op->out, e);
    TRY(op_tokens(op, &op->out, p->types, &types, &type_count, e));
    for (uint32_t row = 0; row < s->in->n; row++) TRY(ends_of_row(op, s->in, row, types, type_count, &ends, e));
    struct batch *out = NULL;
    TRY(op_spread(op, &op->out, s->in, ends.rows, ends.n, &out, e));
    if (!p->start_bound) out->columns[p->start] = vec_of_ids(VEC_NODE, ends.start);
    if (!p->end_bound) out->columns[p->end] = vec_of_ids(VEC_NODE, ends.end);
    s->in = NULL;
    if (ends.n == 0) continue;
    *ret = out;
    return ERR_OK;
  }
}

const struct op_class op_project_ends_class = {.bytes = sizeof(struct path_op), .next = project_ends_next, .reset = path_reset};
