// PartialSort and PartialTop: the input is in order of the first keys already, so rows need to be sorted only among those that
// agree in them. Whole runs of such rows are sorted and handed out while the rest has not been read; PartialTop reads no further
// than it must.
#include "exec/row_sort.h"

struct partial_sort {
  struct op op;
  struct rowbuf rows; // whole runs, then the beginning of the next one
  struct row_sort by;
  struct arena orders;
  uint32_t *order;    // of the whole runs, sorted
  uint32_t whole, at; // how many rows these are, how many of them have gone out
  bool ended;         // the input has
  uint64_t limit;     // PartialTop: rows of each number
  uint64_t taken;     // of `number`
  uint32_t number;
  bool limited;
};

static struct plan_list row_slots(const struct op *op) {
  return op->children[0]->plan->out;
}

static enum err partial_sort_open(struct op *op, struct error *e) {
  struct partial_sort *s = (struct partial_sort *) op;
  struct plan_list slots = row_slots(op);
  rowbuf_init(&s->rows, &op->x->budget, slots.count);
  arena_init(&s->orders, &op->x->budget);
  return row_sort_init(op->x, &op->plan->sort, slots, &s->by, e);
}

static enum err evaluate_limit(struct op *op, struct error *e) {
  struct partial_sort *s = (struct partial_sort *) op;
  s->limit = UINT64_MAX;
  if (op->plan->kind == PLAN_PARTIAL_TOP) TRY(op_top_limit(op, &s->limit, e));
  s->limited = true;
  return ERR_OK;
}

/// Where the last run begins that may go on: all rows before it are whole runs. The first `known` rows are one run.
static uint32_t last_run(const struct op *op, uint32_t known) {
  const struct partial_sort *s = (const struct partial_sort *) op;
  uint32_t ordered = op->plan->sort.ordered, last = s->rows.n - 1, least = known > 0 ? known - 1 : 0;
  while (last > least && row_sort_compare(&s->by, &s->rows, ordered, last - 1, last) == 0) last--;
  return last == least ? 0 : last;
}

/// Forgets the rows that have gone out.
static enum err drop_whole(struct op *op, struct error *e) {
  struct partial_sort *s = (struct partial_sort *) op;
  struct rowbuf kept;
  rowbuf_init(&kept, &op->x->budget, s->rows.width);
  for (uint32_t i = s->whole; i < s->rows.n; i++) {
    enum err err = rowbuf_add(&kept, s->rows.arg[i], rowbuf_row(&s->rows, i), e);
    if (err == ERR_OK) continue;
    rowbuf_done(&kept);
    return err;
  }
  rowbuf_done(&s->rows);
  s->rows = kept;
  s->whole = s->at = 0;
  return ERR_OK;
}

/// Reads until at least one run is whole, and sorts what is.
static enum err read_runs(struct op *op, uint32_t want, struct error *e) {
  struct partial_sort *s = (struct partial_sort *) op;
  if (s->whole > 0) TRY(drop_whole(op, e));
  while (s->whole == 0 && !s->ended) {
    const struct batch *in;
    uint32_t known = s->rows.n;
    TRY(op_next(op->children[0], MAX(want, EXEC_BATCH_FIRST), &in, e));
    s->ended = in == NULL;
    if (in != NULL) TRY(rowbuf_add_batch(&s->rows, in, row_slots(op), e));
    s->whole = s->ended ? s->rows.n : s->rows.n > 0 ? last_run(op, known) : 0;
  }
  arena_reset(&s->orders);
  return row_sort(op->x, &s->by, &s->rows, s->whole, &s->orders, &s->order, e);
}

/// Up to `cap` rows that the limit lets through.
static uint32_t take(struct partial_sort *s, uint32_t *rows, uint32_t cap) {
  uint32_t n = 0;
  for (; s->at < s->whole && n < cap; s->at++) {
    uint32_t row = s->order[s->at];
    if (s->rows.arg[row] != s->number) s->taken = 0;
    s->number = s->rows.arg[row];
    if (s->taken >= s->limit) continue;
    s->taken++;
    rows[n++] = row;
  }
  return n;
}

static enum err partial_sort_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct partial_sort *s = (struct partial_sort *) op;
  arena_reset(&op->out);
  if (!s->limited) TRY(evaluate_limit(op, e));
  uint32_t cap = MIN(want, EXEC_BATCH_ROWS), n = 0;
  uint32_t *rows = ARENA_ARRAY(&op->out, uint32_t, cap);
  if (rows == NULL) return arena_err(&op->out, e);
  while (n == 0) {
    bool full = op->outer->batch == NULL && s->taken >= s->limit;
    if (full || (s->at == s->whole && s->ended)) return ERR_OK;
    if (s->at == s->whole) TRY(read_runs(op, want, e));
    n = take(s, rows, cap);
  }
  struct batch *out = NULL;
  TRY(rowbuf_batch(&s->rows, rows, 0, n, row_slots(op), op->x->plan->slot_count, op->outer->batch != NULL, &op->out, &out, e));
  *ret = out;
  return ERR_OK;
}

static void partial_sort_reset(struct op *op) {
  struct partial_sort *s = (struct partial_sort *) op;
  rowbuf_clear(&s->rows);
  arena_reset(&s->orders);
  s->limited = s->ended = false;
  s->whole = s->at = s->number = 0;
  s->taken = 0;
}

static void partial_sort_close(struct op *op) {
  struct partial_sort *s = (struct partial_sort *) op;
  rowbuf_done(&s->rows);
  arena_done(&s->orders);
}

const struct op_class op_partial_sort_class = {.bytes = sizeof(struct partial_sort),
                                               .open = partial_sort_open,
                                               .next = partial_sort_next,
                                               .reset = partial_sort_reset,
                                               .close = partial_sort_close};
