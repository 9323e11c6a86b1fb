// Index seeks and scans: for each input row the entities that the index holds for its keys.
#include <math.h>

#include "exec/index_order.h"
#include "value/compare.h"

struct index_seek {
  struct op op;
  const struct batch *in;
  bool evaluated;
  struct vec *equal; // columns of the equal keys, held
  struct vec low, high;
  uint32_t row, item; // item: of the list of an IN
  bool seeking;       // `seek` is filled for that row and item
  struct graph_seek seek;
  struct graph_scan scan;
  struct index_order order; // where the plan wants it
  struct value *keys; // held: what `seek.equal` points to
};

static enum err evaluate_keys(struct op *op, struct error *e) {
  struct index_seek *s = (struct index_seek *) op;
  const struct plan_index_seek *plan = &op->plan->index_seek;
  struct eval c = op_eval(op, &op->held, e);
  struct frame root = frame_of(&c, s->in);
  s->equal = ARENA_ARRAY(&op->held, struct vec, plan->equal.count);
  s->keys = ARENA_ARRAY(&op->held, struct value, plan->equal.count);
  if (s->equal == NULL || s->keys == NULL) return arena_err(&op->held, e);
  for (uint32_t i = 0; i < plan->equal.count; i++) TRY(eval_expression(&c, plan->equal.items[i], &root, &s->equal[i]));
  TRY(eval_nulls(&c, &s->low));
  s->high = s->low;
  if (plan->low != NULL) TRY(eval_expression(&c, plan->low, &root, &s->low));
  if (plan->high != NULL) TRY(eval_expression(&c, plan->high, &root, &s->high));
  s->row = s->item = 0;
  s->seeking = false;
  s->evaluated = true;
  return ERR_OK;
}

static bool equals_nothing(struct value v) {
  return v_is_null(v) || (v.type == VALUE_FLOAT && isnan(v.f));
}

/// A bound that the plan has and that is null or NaN finds nothing.
static bool bounds_find(const struct plan_index_seek *plan, struct value low, struct value high) {
  if (plan->bound == PLAN_BOUND_RANGE) return !(plan->low != NULL && equals_nothing(low)) && !(plan->high != NULL && equals_nothing(high));
  return plan->bound != PLAN_BOUND_PREFIX || low.type == VALUE_STRING;
}

/// An earlier element of the list of an IN is the same: it has been looked for.
static bool is_repeated(struct value list, uint32_t item) {
  for (uint32_t i = 0; i < item; i++)
    if (value_equivalent(list.items[i], list.items[item])) return true;
  return false;
}

/// Fills `seek` for the current row and item. False where they find nothing.
static bool prepare(struct op *op) {
  struct index_seek *s = (struct index_seek *) op;
  const struct plan_index_seek *plan = &op->plan->index_seek;
  static const uint8_t bounds[] = {[PLAN_BOUND_NONE] = GRAPH_SEEK_EQUAL, [PLAN_BOUND_RANGE] = GRAPH_SEEK_RANGE,
                                   [PLAN_BOUND_PREFIX] = GRAPH_SEEK_PREFIX, [PLAN_BOUND_EXISTS] = GRAPH_SEEK_EXISTS};
  for (uint32_t i = 0; i < plan->equal.count; i++) {
    struct value v = vec_get(&s->equal[i], s->row);
    if (plan->in && i + 1 == plan->equal.count) {
      if (v.type != VALUE_LIST || s->item >= v.len || is_repeated(v, s->item)) return false;
      v = v.items[s->item];
    }
    if (equals_nothing(v)) return false;
    s->keys[i] = v;
  }
  struct value low = vec_get(&s->low, s->row), high = vec_get(&s->high, s->row);
  if (!bounds_find(plan, low, high)) return false;
  s->seek = (struct graph_seek){.equal = s->keys, .equal_count = plan->equal.count, .last = bounds[plan->bound], .low = low, .high = high,
                                .low_inclusive = plan->low_inclusive, .high_inclusive = plan->high_inclusive,
                                .descending = plan->descending};
  s->scan = (struct graph_scan){0};
  s->order = (struct index_order){0};
  return true;
}

static uint32_t items_of_row(struct op *op) {
  struct index_seek *s = (struct index_seek *) op;
  const struct plan_index_seek *plan = &op->plan->index_seek;
  if (!plan->in || plan->equal.count == 0) return 1;
  struct value list = vec_get(&s->equal[plan->equal.count - 1], s->row);
  return list.type == VALUE_LIST ? list.len : 0;
}

static void advance(struct op *op) {
  struct index_seek *s = (struct index_seek *) op;
  s->seeking = false;
  s->item++;
  if (s->item < items_of_row(op)) return;
  s->item = 0;
  s->row++;
}

static enum err find(struct op *op, uint64_t *ids, uint32_t cap, uint32_t *ret_n, struct error *e) {
  struct index_seek *s = (struct index_seek *) op;
  if (op->plan->index_seek.ordered) return index_order_take(op, &s->seek, &s->scan, &s->order, ids, cap, ret_n, e);
  return graph_index_seek(op_view(op), op->plan->index_seek.index, &s->seek, &s->scan, &op->held, ids, cap, ret_n, e);
}

static enum err fill(struct op *op, uint32_t cap, uint32_t *rows, uint64_t *ids, uint32_t *ret_n, struct error *e) {
  struct index_seek *s = (struct index_seek *) op;
  uint32_t n = 0;
  while (n < cap && s->row < s->in->n) {
    if (!s->seeking && !prepare(op)) {
      advance(op);
      continue;
    }
    s->seeking = true;
    uint32_t got = 0;
    enum err err = find(op, ids + n, cap - n, &got, e);
    if (err == ERR_WAIT && n > 0) break;
    TRY(err);
    for (uint32_t i = 0; i < got; i++) rows[n + i] = s->row;
    n += got;
    if (s->scan.done && index_order_is_empty(&s->order)) advance(op);
  }
  op->db_hits += n + 1;
  *ret_n = n;
  return ERR_OK;
}

static enum err put_rels(struct op *op, uint32_t n, uint32_t *rows, uint64_t *ids, const struct batch **ret, struct error *e) {
  struct index_seek *s = (struct index_seek *) op;
  const struct plan_index_seek *plan = &op->plan->index_seek;
  uint64_t *start = ARENA_ARRAY(&op->out, uint64_t, 2 * (size_t) n), *end = ARENA_ARRAY(&op->out, uint64_t, 2 * (size_t) n);
  uint64_t *both = ARENA_ARRAY(&op->out, uint64_t, 2 * (size_t) n);
  uint32_t *both_rows = ARENA_ARRAY(&op->out, uint32_t, 2 * (size_t) n), total = 0;
  uint64_t *from = ARENA_ARRAY(&op->out, uint64_t, n), *to = ARENA_ARRAY(&op->out, uint64_t, n);
  if (start == NULL || end == NULL || both == NULL || both_rows == NULL || from == NULL || to == NULL) return arena_err(&op->out, e);
  TRY(graph_rel_ends(op_view(op), ids, n, from, to, NULL, e));
  for (uint32_t i = 0; i < n; i++)
    for (int back = 0; back <= (plan->undirected && from[i] != to[i]); back++) {
      both_rows[total] = rows[i];
      both[total] = ids[i];
      start[total] = back ? to[i] : from[i];
      end[total++] = back ? from[i] : to[i];
    }
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, both_rows, total, &out, e));
  out->columns[plan->entity] = vec_of_ids(VEC_REL, both);
  out->columns[plan->start] = vec_of_ids(VEC_NODE, start);
  out->columns[plan->end] = vec_of_ids(VEC_NODE, end);
  *ret = out;
  return ERR_OK;
}

/// Of one batch. A unique index gives one for each input row, so that a point query touches little memory.
static uint32_t most_rows(const struct op *op) {
  const struct index_seek *s = (const struct index_seek *) op;
  const struct plan_index_seek *plan = &op->plan->index_seek;
  return plan->unique && !plan->in ? MIN(s->in->n - s->row, EXEC_BATCH_ROWS) : EXEC_BATCH_ROWS;
}

static enum err index_seek_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct index_seek *s = (struct index_seek *) op;
  uint32_t n = 0, *rows = NULL;
  uint64_t *ids = NULL;
  while (n == 0) {
    if (s->in == NULL) {
      TRY(op_pull(op, 0, want, &s->in, e));
      s->evaluated = false;
    }
    if (s->in == NULL) return ERR_OK;
    if (!s->evaluated) TRY(evaluate_keys(op, e));
    uint32_t cap = MIN(want, most_rows(op));
    arena_reset(&op->out);
    rows = ARENA_ARRAY(&op->out, uint32_t, cap);
    ids = ARENA_ARRAY(&op->out, uint64_t, cap);
    if (rows == NULL || ids == NULL) return arena_err(&op->out, e);
    TRY(fill(op, cap, rows, ids, &n, e));
    if (n == 0) s->in = NULL;
  }
  if (op->plan->kind == PLAN_REL_INDEX_SEEK) return put_rels(op, n, rows, ids, ret, e);
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, rows, n, &out, e));
  out->columns[op->plan->index_seek.entity] = vec_of_ids(VEC_NODE, ids);
  *ret = out;
  return ERR_OK;
}

static void index_seek_reset(struct op *op) {
  ((struct index_seek *) op)->in = NULL;
}

const struct op_class op_index_seek_class = {.bytes = sizeof(struct index_seek), .next = index_seek_next, .reset = index_seek_reset};
