// Counts that the store keeps: numbers of nodes and relationships, degrees.
#include "exec/op.h"

struct count {
  struct op op;
  const struct batch *in;
};

static enum err put_constant(struct op *op, const struct batch *in, uint32_t slot, uint64_t n, const struct batch **ret, struct error *e) {
  struct batch *out = NULL;
  TRY(op_extend(op, &op->out, in, &out, e));
  TRY(vec_const(&op->out, v_int((int64_t) n), &out->columns[slot], e));
  op->db_hits++;
  *ret = out;
  return ERR_OK;
}

static enum err count_nodes(struct op *op, uint64_t *ret, struct error *e) {
  struct plan_list labels = op->plan->node_count.labels;
  uint64_t product = 1;
  for (uint32_t i = 0; i < labels.count; i++) {
    graph_token label = GRAPH_ANY;
    uint64_t n = 0;
    if (labels.items[i] == PLAN_NONE || op_token(op, labels.items[i], &label))
      TRY(graph_count_nodes(op_view(op), label, &n, e));
    if (__builtin_mul_overflow(product, n, &product) || product > INT64_MAX)
      return error_set(e, ERR_ARITHMETIC, "The number of rows cannot be represented as an integer.");
  }
  *ret = product;
  return ERR_OK;
}

static enum err node_count_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct count *s = (struct count *) op;
  if (s->in == NULL) TRY(op_pull(op, 0, want, &s->in, e));
  if (s->in == NULL) return ERR_OK;
  uint64_t n;
  arena_reset(&op->out);
  TRY(count_nodes(op, &n, e));
  TRY(put_constant(op, s->in, op->plan->node_count.out, n, ret, e));
  s->in = NULL;
  return ERR_OK;
}

static void count_reset(struct op *op) {
  ((struct count *) op)->in = NULL;
}

const struct op_class op_node_count_class = {.bytes = sizeof(struct count), .next = node_count_next, .reset = count_reset};

static enum err rel_count_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct count *s = (struct count *) op;
  struct plan_list types = op->plan->rel_count.types;
  if (s->in == NULL) TRY(op_pull(op, 0, want, &s->in, e));
  if (s->in == NULL) return ERR_OK;
  uint64_t total = 0;
  arena_reset(&op->out);
  if (types.count == 0) TRY(graph_count_rels(op_view(op), GRAPH_ANY, &total, e));
  for (uint32_t i = 0; i < types.count; i++) {
    graph_token type;
    uint64_t n = 0;
    if (op_token(op, types.items[i], &type)) TRY(graph_count_rels(op_view(op), type, &n, e));
    total += n;
  }
  TRY(put_constant(op, s->in, op->plan->rel_count.out, total, ret, e));
  s->in = NULL;
  return ERR_OK;
}

const struct op_class op_rel_count_class = {.bytes = sizeof(struct count), .next = rel_count_next, .reset = count_reset};

/// Sum over the types, for the rows whose node is not null.
static enum err degrees(struct op *op, const struct batch *in, uint64_t *totals, struct error *e) {
  const struct plan_degree *plan = &op->plan->degree;
  uint64_t *ids = ARENA_ARRAY(&op->out, uint64_t, in->n), *some = ARENA_ARRAY(&op->out, uint64_t, in->n);
  uint32_t *rows = ARENA_ARRAY(&op->out, uint32_t, in->n), n = 0, type_count;
  graph_token *types, any = GRAPH_ANY;
  if (ids == NULL || some == NULL || rows == NULL) return arena_err(&op->out, e);
  for (uint32_t i = 0; i < in->n; i++) {
    struct value v = batch_get(in, plan->node, i);
    totals[i] = 0;
    if (v.type != VALUE_NODE) continue;
    ids[n] = v_id(v);
    rows[n++] = i;
  }
  TRY(op_tokens(op, &op->out, plan->types, &types, &type_count, e));
  if (plan->types.count == 0) {
    types = &any;
    type_count = 1;
  }
  for (uint32_t t = 0; t < type_count && n > 0; t++) {
    TRY(graph_degrees(op_view(op), ids, n, plan->direction, types[t], some, e));
    for (uint32_t i = 0; i < n; i++) totals[rows[i]] += some[i];
  }
  op->db_hits += n;
  return ERR_OK;
}

static enum err degree_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct count *s = (struct count *) op;
  if (s->in == NULL) TRY(op_pull(op, 0, want, &s->in, e));
  if (s->in == NULL) return ERR_OK;
  arena_reset(&op->out);
  struct batch *out = NULL;
  struct vec column;
  TRY(op_extend(op, &op->out, s->in, &out, e));
  TRY(vec_alloc(&op->out, VEC_I64, s->in->n, &column, e));
  TRY(degrees(op, s->in, (uint64_t *) column.i, e));
  if (op->plan->degree.exists) {
    for (uint32_t i = 0; i < s->in->n; i++) column.b[i] = column.i[i] > 0; // in place: byte i is at or before number i
    column.kind = VEC_BOOL;
  }
  TRY(op_put(&op->out, out, op->plan->degree.out, column, e));
  s->in = NULL;
  *ret = out;
  return ERR_OK;
}

const struct op_class op_degree_class = {.bytes = sizeof(struct count), .next = degree_next, .reset = count_reset};
