// Skip and Limit. In a right side each number of the outer batch is counted by itself.
#include "exec/op.h"

struct limit {
  struct op op;
  uint64_t *taken; // by number, in `held` memory of its own
  uint32_t numbers;
  uint64_t count;
  uint32_t full; // numbers that have all they may
  bool evaluated;
  struct arena counts;
};

static enum err limit_open(struct op *op, struct error *e UNUSED) {
  arena_init(&((struct limit *) op)->counts, &op->x->budget);
  return ERR_OK;
}

/// SKIP and LIMIT read no row.
static enum err evaluate_count(struct op *op, struct error *e) {
  struct limit *s = (struct limit *) op;
  struct eval c = op_eval(op, &s->counts, e);
  struct batch *nothing;
  struct value v;
  arena_reset(&s->counts);
  TRY(batch_new(&s->counts, 0, &nothing, e));
  nothing->n = 1;
  TRY(eval_value(&c, op->plan->limit.count, nothing, 0, &v));
  if (v.type != VALUE_INT || v.i < 0) return op_bad_count(&s->counts, v, e);
  s->count = (uint64_t) v.i;
  s->numbers = op_outer_rows(op);
  s->taken = arena_zalloc(&s->counts, s->numbers * sizeof *s->taken);
  if (s->taken == NULL) return arena_err(&s->counts, e);
  s->full = s->count == 0 ? s->numbers : 0;
  s->evaluated = true;
  return ERR_OK;
}

/// Rows of `in` to keep: those before the count (limit) or behind it (skip).
static uint32_t choose(struct limit *s, const struct batch *in, bool before, uint32_t *rows) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < in->n; i++) {
    uint64_t *taken = &s->taken[batch_arg(in, i)];
    bool within = *taken < s->count;
    if (within && ++*taken == s->count) s->full++;
    if (within == before) rows[n++] = i;
  }
  return n;
}

static enum err pass(struct op *op, const struct batch *in, bool before, const struct batch **ret, struct error *e) {
  struct limit *s = (struct limit *) op;
  arena_reset(&op->out);
  uint32_t *rows = ARENA_ARRAY(&op->out, uint32_t, in->n);
  if (rows == NULL) return arena_err(&op->out, e);
  // Room for the selection is taken first: counting must not happen twice.
  struct batch *out = NULL;
  TRY(batch_select(&op->out, in, NULL, 0, &out, e));
  uint32_t *arg = in->arg != NULL ? ARENA_ARRAY(&op->out, uint32_t, in->n) : NULL;
  if (in->arg != NULL && arg == NULL) return arena_err(&op->out, e);
  uint32_t n = choose(s, in, before, rows);
  for (uint32_t i = 0; i < n; i++) {
    if (arg != NULL) arg[i] = in->arg[rows[i]];
    rows[i] = batch_index(in, rows[i]);
  }
  out->n = n;
  out->sel = rows;
  out->arg = arg;
  *ret = out;
  return ERR_OK;
}

static enum err limit_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct limit *s = (struct limit *) op;
  if (!s->evaluated) TRY(evaluate_count(op, e));
  for (;;) {
    const struct batch *in;
    if (s->full == s->numbers && !op->plan->limit.exhaustive) return ERR_OK;
    uint64_t left = s->numbers == 1 && !op->plan->limit.exhaustive ? s->count - s->taken[0] : want;
    TRY(op_next(op->children[0], (uint32_t) MAX(1, MIN(want, left)), &in, e));
    if (in == NULL) return ERR_OK;
    TRY(pass(op, in, true, ret, e));
    if ((*ret)->n > 0) return ERR_OK;
    *ret = NULL;
  }
}

static enum err skip_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct limit *s = (struct limit *) op;
  if (!s->evaluated) TRY(evaluate_count(op, e));
  for (;;) {
    const struct batch *in;
    TRY(op_next(op->children[0], want, &in, e));
    if (in == NULL) return ERR_OK;
    if (s->full == s->numbers) {
      *ret = in;
      return ERR_OK;
    }
    TRY(pass(op, in, false, ret, e));
    if ((*ret)->n > 0) return ERR_OK;
    *ret = NULL;
  }
}

static void limit_reset(struct op *op) {
  ((struct limit *) op)->evaluated = false;
}

static void limit_close(struct op *op) {
  arena_done(&((struct limit *) op)->counts);
}

const struct op_class op_limit_class = {
    .bytes = sizeof(struct limit), .open = limit_open, .next = limit_next, .reset = limit_reset, .close = limit_close};
const struct op_class op_skip_class = {
    .bytes = sizeof(struct limit), .open = limit_open, .next = skip_next, .reset = limit_reset, .close = limit_close};
