// Projection and CacheProperties: new columns beside those of the input.
#include "exec/op.h"

struct projection {
  struct op op;
  const struct batch *in;
};

static enum err projection_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct projection *s = (struct projection *) op;
  if (s->in == NULL) TRY(op_pull(op, 0, want, &s->in, e));
  if (s->in == NULL) return ERR_OK;
  arena_reset(&op->out);
  struct eval c = op_eval(op, &op->out, e);
  struct frame root = frame_of(&c, s->in);
  struct batch *out = NULL;
  TRY(op_extend(op, &op->out, s->in, &out, e));
  struct plan_items items = op->plan->projection.items;
  for (uint32_t i = 0; i < items.count; i++) {
    struct vec column;
    TRY(eval_expression(&c, items.items[i].expression, &root, &column));
    TRY(op_put(&op->out, out, items.items[i].slot, column, e));
  }
  s->in = NULL;
  *ret = out;
  return ERR_OK;
}

static void projection_reset(struct op *op) {
  ((struct projection *) op)->in = NULL;
}

const struct op_class op_projection_class = {.bytes = sizeof(struct projection), .next = projection_next, .reset = projection_reset};

/// Ids of an entity column by row, UINT64_MAX for null.
static enum err ids_of(struct op *op, const struct batch *in, uint32_t slot, const uint64_t **ret, struct error *e) {
  const struct vec *column = &in->columns[slot];
  bool typed = vec_is_set(column) && (column->kind == VEC_NODE || column->kind == VEC_REL) && !column->constant && !column->has_nulls;
  if (typed && in->sel == NULL) {
    *ret = column->id;
    return ERR_OK;
  }
  uint64_t *ids = ARENA_ARRAY(&op->out, uint64_t, in->n);
  if (ids == NULL) return arena_err(&op->out, e);
  if (typed) {
    for (uint32_t i = 0; i < in->n; i++) ids[i] = column->id[in->sel[i]];
    *ret = ids;
    return ERR_OK;
  }
  for (uint32_t i = 0; i < in->n; i++) {
    struct value v = batch_get(in, slot, i);
    ids[i] = v.type == VALUE_NODE || v.type == VALUE_REL ? v_id(v) : UINT64_MAX;
  }
  *ret = ids;
  return ERR_OK;
}

static enum err cache_one(struct op *op, const struct plan_cache_item *item, const struct batch *in, struct batch *out, struct error *e) {
  const uint64_t *ids = NULL;
  graph_token *tokens = ARENA_ARRAY(&op->out, graph_token, item->keys.count);
  uint32_t *slots = ARENA_ARRAY(&op->out, uint32_t, item->keys.count), n = 0;
  struct vec *columns = ARENA_ARRAY(&op->out, struct vec, item->keys.count);
  if (tokens == NULL || slots == NULL || columns == NULL) return arena_err(&op->out, e);
  for (uint32_t k = 0; k < item->keys.count; k++) {
    slots[n] = item->outs.items[k];
    if (op_token(op, item->keys.items[k], &tokens[n])) {
      n++;
    } else {
      TRY(vec_const(&op->out, V_NULL, &out->columns[slots[n]], e));
    }
  }
  if (n == 0) return ERR_OK;
  TRY(ids_of(op, in, item->entity, &ids, e));
  TRY(graph_get_properties(op_view(op), item->kind, ids, in->n, tokens, n, &op->out, columns, e));
  op->db_hits += (uint64_t) in->n * n;
  for (uint32_t k = 0; k < n; k++) TRY(op_put(&op->out, out, slots[k], columns[k], e));
  return ERR_OK;
}

static enum err cache_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct projection *s = (struct projection *) op;
  if (s->in == NULL) TRY(op_pull(op, 0, want, &s->in, e));
  if (s->in == NULL) return ERR_OK;
  arena_reset(&op->out);
  struct batch *out = NULL;
  TRY(op_extend(op, &op->out, s->in, &out, e));
  for (uint32_t i = 0; i < op->plan->cache.count; i++) TRY(cache_one(op, &op->plan->cache.items[i], s->in, out, e));
  s->in = NULL;
  *ret = out;
  return ERR_OK;
}

const struct op_class op_cache_class = {.bytes = sizeof(struct projection), .next = cache_next, .reset = projection_reset};
