// Sort, and Top in right sides (elsewhere: op_top.c). Stable; in a right side each number of the outer batch by itself.
#include "exec/row_sort.h"

enum { TOP_SLACK_ROWS = 4096 };

struct sort {
  struct op op;
  struct rowbuf rows;
  struct row_sort by;
  uint32_t *order;     // sorted row numbers, in `orders`
  struct arena orders;
  uint32_t n, at;
  uint64_t limit; // Top: rows of each number; UINT64_MAX for Sort
  bool limited, sorted;
};

static struct plan_list row_slots(const struct op *op) {
  return op->children[0]->plan->out;
}

static enum err sort_open(struct op *op, struct error *e) {
  struct sort *s = (struct sort *) op;
  struct plan_list slots = row_slots(op);
  rowbuf_init(&s->rows, &op->x->budget, slots.count);
  arena_init(&s->orders, &op->x->budget);
  return row_sort_init(op->x, &op->plan->sort, slots, &s->by, e);
}

static enum err sort_rows(struct op *op, struct error *e) {
  struct sort *s = (struct sort *) op;
  arena_reset(&s->orders);
  return row_sort(op->x, &s->by, &s->rows, s->rows.n, &s->orders, &s->order, e);
}

static enum err number_of(struct op *op, const struct ast *expression, uint64_t *ret, struct error *e) {
  *ret = 0;
  if (expression == NULL) return ERR_OK;
  struct eval c = op_eval(op, &op->out, e);
  struct batch *nothing;
  struct value v;
  TRY(batch_new(&op->out, 0, &nothing, e));
  nothing->n = 1;
  TRY(eval_value(&c, expression, nothing, 0, &v));
  if (v.type != VALUE_INT || v.i < 0) return op_bad_count(&op->out, v, e);
  *ret = (uint64_t) v.i;
  return ERR_OK;
}

enum err op_top_limit(struct op *op, uint64_t *ret, struct error *e) {
  uint64_t limit, skip;
  TRY(number_of(op, op->plan->sort.limit, &limit, e));
  TRY(number_of(op, op->plan->sort.skip, &skip, e));
  *ret = limit + skip; // both below 2^63
  return ERR_OK;
}

static enum err evaluate_limit(struct op *op, struct error *e) {
  struct sort *s = (struct sort *) op;
  s->limit = UINT64_MAX;
  if (op->plan->kind == PLAN_TOP) TRY(op_top_limit(op, &s->limit, e));
  s->limited = true;
  return ERR_OK;
}

/// Cuts the order to the first `limit` rows of each number.
static void cut(struct sort *s) {
  uint32_t kept = 0;
  uint64_t taken = 0;
  for (uint32_t i = 0; i < s->rows.n; i++) {
    if (i > 0 && s->rows.arg[s->order[i]] != s->rows.arg[s->order[i - 1]]) taken = 0;
    if (taken++ < s->limit) s->order[kept++] = s->order[i];
  }
  s->n = kept;
}

/// Top holds few rows: when many have gathered, only the best go on.
static enum err compact(struct op *op, struct error *e) {
  struct sort *s = (struct sort *) op;
  TRY(sort_rows(op, e));
  cut(s);
  struct rowbuf kept;
  rowbuf_init(&kept, &op->x->budget, s->rows.width);
  for (uint32_t i = 0; i < s->n; i++) {
    enum err err = rowbuf_add(&kept, s->rows.arg[s->order[i]], rowbuf_row(&s->rows, s->order[i]), e);
    if (err == ERR_OK) continue;
    rowbuf_done(&kept);
    return err;
  }
  rowbuf_done(&s->rows);
  s->rows = kept;
  return ERR_OK;
}

static enum err read_all(struct op *op, struct error *e) {
  struct sort *s = (struct sort *) op;
  if (!s->limited) TRY(evaluate_limit(op, e));
  for (;;) {
    const struct batch *in;
    TRY(op_next(op->children[0], EXEC_BATCH_ROWS, &in, e));
    if (in == NULL) break;
    TRY(rowbuf_add_batch(&s->rows, in, row_slots(op), e));
    uint64_t most = s->limit > UINT32_MAX ? UINT64_MAX : 2 * s->limit * op_outer_rows(op) + TOP_SLACK_ROWS;
    if (s->rows.n > most) TRY(compact(op, e));
  }
  TRY(sort_rows(op, e));
  cut(s);
  s->at = 0;
  s->sorted = true;
  return ERR_OK;
}

static enum err sort_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct sort *s = (struct sort *) op;
  arena_reset(&op->out);
  if (!s->sorted) TRY(read_all(op, e));
  uint32_t n = MIN(s->n - s->at, MIN(want, EXEC_BATCH_ROWS));
  if (n == 0) return ERR_OK;
  struct batch *out = NULL;
  TRY(rowbuf_batch(&s->rows, s->order + s->at, 0, n, row_slots(op), op->x->plan->slot_count, op->outer->batch != NULL, &op->out, &out, e));
  s->at += n;
  *ret = out;
  return ERR_OK;
}

static void sort_reset(struct op *op) {
  struct sort *s = (struct sort *) op;
  rowbuf_clear(&s->rows);
  arena_reset(&s->orders);
  s->sorted = s->limited = false;
  s->n = s->at = 0;
}

static void sort_close(struct op *op) {
  struct sort *s = (struct sort *) op;
  rowbuf_done(&s->rows);
  arena_done(&s->orders);
}

const struct op_class op_sort_class = {
    .bytes = sizeof(struct sort), .open = sort_open, .next = sort_next, .reset = sort_reset, .close = sort_close};
