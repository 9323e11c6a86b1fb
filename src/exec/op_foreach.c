// Foreach: for each input row and each element of its list, in order, the right side run to its end; hands on the input rows.
#include "exec/op.h"

struct foreach {
  struct op op;
  const struct batch *in;
  bool evaluated, running;
  struct vec lists; // held
  uint32_t row, item;
  struct arena outer; // the outer batch of the element under way
};

static enum err foreach_open(struct op *op, struct error *e UNUSED) {
  arena_init(&((struct foreach *) op)->outer, &op->x->budget);
  return ERR_OK;
}

/// Lists are evaluated before anything is written for this batch; each sees what earlier clauses have done.
static enum err evaluate_lists(struct op *op, struct error *e) {
  struct foreach *s = (struct foreach *) op;
  struct eval c = op_eval_current(op, &op->held, e);
  struct frame root = frame_of(&c, s->in);
  TRY(eval_expression(&c, op->plan->foreach.list, &root, &s->lists));
  s->row = s->item = 0;
  s->evaluated = true;
  return ERR_OK;
}

static enum err start_element(struct op *op, struct value list, struct error *e) {
  struct foreach *s = (struct foreach *) op;
  struct batch *b;
  arena_reset(&s->outer);
  uint32_t *rows = ARENA_ARRAY(&s->outer, uint32_t, 1);
  if (rows == NULL) return arena_err(&s->outer, e);
  rows[0] = s->row;
  TRY(batch_gather(&s->outer, s->in, rows, 1, &b, e));
  struct value item = list.type == VALUE_BYTES ? v_int((int8_t) list.bytes[s->item]) : list.items[s->item];
  TRY(vec_from_values(&s->outer, &item, 1, &b->columns[op->plan->foreach.variable], e));
  b->arg = NULL;
  op->children[1]->outer->batch = b;
  op_reset(op->children[1]);
  s->running = true;
  return ERR_OK;
}

static enum err run_row(struct op *op, struct error *e) {
  struct foreach *s = (struct foreach *) op;
  struct value list = vec_get(&s->lists, s->row);
  if (v_is_null(list)) return ERR_OK;
  if (list.type != VALUE_LIST && list.type != VALUE_BYTES)
    return error_set(e, ERR_TYPE, "Type mismatch: expected List<Any> but was %s", value_class_name(list));
  for (; s->item < list.len; s->item++) {
    if (!s->running) TRY(start_element(op, list, e));
    const struct batch *right;
    do {
      TRY(op_next(op->children[1], EXEC_BATCH_ROWS, &right, e));
    } while (right != NULL);
    s->running = false;
  }
  return ERR_OK;
}

static enum err foreach_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct foreach *s = (struct foreach *) op;
  if (s->in == NULL) {
    TRY(op_pull(op, 0, want, &s->in, e));
    if (s->in == NULL) return ERR_OK;
    s->evaluated = s->running = false;
  }
  if (!s->evaluated) TRY(evaluate_lists(op, e));
  for (; s->row < s->in->n; s->row++, s->item = 0) TRY(run_row(op, e));
  *ret = s->in;
  s->in = NULL;
  return ERR_OK;
}

static void foreach_reset(struct op *op) {
  ((struct foreach *) op)->in = NULL;
}

static void foreach_close(struct op *op) {
  arena_done(&((struct foreach *) op)->outer);
}

const struct op_class op_foreach_class = {
    .bytes = sizeof(struct foreach), .open = foreach_open, .next = foreach_next, .reset = foreach_reset, .close = foreach_close};
