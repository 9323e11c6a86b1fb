// Unwind: one row for each element of a list.
#include "exec/op.h"

struct unwind {
  struct op op;
  const struct batch *in;
  struct vec lists; // held
  bool evaluated;
  uint32_t row, item; // next element
};

static uint32_t items_in(struct value list) {
  if (list.type == VALUE_LIST || list.type == VALUE_BYTES) return list.len;
  return v_is_null(list) ? 0 : 1; // a value that is no list is its own only element
}

static struct value item_of(struct value list, uint32_t i) {
  if (list.type == VALUE_BYTES) return v_int((int8_t) list.bytes[i]);
  return list.type == VALUE_LIST ? list.items[i] : list;
}

static enum err evaluate_lists(struct op *op, struct error *e) {
  struct unwind *s = (struct unwind *) op;
  struct eval c = op_eval(op, &op->held, e);
  struct frame root = frame_of(&c, s->in);
  TRY(eval_expression(&c, op->plan->unwind.list, &root, &s->lists));
  s->row = s->item = 0;
  s->evaluated = true;
  return ERR_OK;
}

/// Fills up to `cap` rows from where it is.
static uint32_t take(struct unwind *s, uint32_t cap, uint32_t *rows, struct value *items) {
  uint32_t n = 0;
  for (; s->row < s->in->n; s->row++, s->item = 0) {
    struct value list = vec_get(&s->lists, s->row);
    for (uint32_t count = items_in(list); s->item < count; s->item++) {
      if (n == cap) return n;
      rows[n] = s->row;
      items[n++] = item_of(list, s->item);
    }
  }
  return n;
}

static enum err unwind_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct unwind *s = (struct unwind *) op;
  uint32_t cap = MIN(want, EXEC_BATCH_ROWS), n = 0;
  arena_reset(&op->out);
  uint32_t *rows = ARENA_ARRAY(&op->out, uint32_t, cap);
  struct value *items = ARENA_ARRAY(&op->out, struct value, cap);
  if (rows == NULL || items == NULL) return arena_err(&op->out, e);
  while (n == 0) {
    if (s->in == NULL) TRY(op_pull(op, 0, want, &s->in, e));
    if (s->in == NULL) return ERR_OK;
    if (!s->evaluated) TRY(evaluate_lists(op, e));
    n = take(s, cap, rows, items);
    if (n > 0) break;
    s->in = NULL;
    s->evaluated = false;
  }
  struct batch *out = NULL;
  TRY(op_spread(op, &op->out, s->in, rows, n, &out, e));
  TRY(vec_from_values(&op->out, items, n, &out->columns[op->plan->unwind.out], e));
  *ret = out;
  return ERR_OK;
}

static void unwind_reset(struct op *op) {
  struct unwind *s = (struct unwind *) op;
  s->in = NULL;
  s->evaluated = false;
}

const struct op_class op_unwind_class = {.bytes = sizeof(struct unwind), .next = unwind_next, .reset = unwind_reset};
