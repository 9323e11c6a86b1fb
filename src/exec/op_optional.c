// Optional: its input; where there is none (in a right side: none of a number) one row of nulls.
#include <string.h>

#include "exec/op.h"

struct optional {
  struct op op;
  bool ordered;   // numbers come in ascending order, so a gap is known when a greater number comes
  bool ended;
  uint8_t *seen;  // by number
  uint32_t next;  // ordered: smallest number that may still have no row; else where the search at the end is
  uint32_t numbers;
  struct arena marks;
};

/// Operators that may mix the numbers of their input.
static bool mixes(const struct plan_op *plan) {
  if (plan->kind == PLAN_UNION || plan->kind == PLAN_NODE_HASH_JOIN || plan->kind == PLAN_VALUE_HASH_JOIN) return true;
  for (uint32_t i = 0; i < plan->child_count; i++)
    if (mixes(plan->children[i])) return true;
  return false;
}

static enum err optional_open(struct op *op, struct error *e UNUSED) {
  struct optional *s = (struct optional *) op;
  s->ordered = !mixes(op->plan);
  arena_init(&s->marks, &op->x->budget);
  return ERR_OK;
}

/// A row to come: of the input, or a row of nulls of a number.
struct pick {
  uint32_t number;
  uint32_t row; // UINT32_MAX: nulls
};

static struct value picked(struct op *op, const struct batch *in, struct pick p, uint32_t slot) {
  if (p.row != UINT32_MAX) return batch_get(in, slot, p.row);
  const struct batch *outer = op->outer->batch;
  bool argument = outer != NULL && vec_is_set(&outer->columns[slot]) && !plan_list_has(op->plan->optional.slots, slot);
  return argument ? batch_get(outer, slot, p.number) : V_NULL;
}

static enum err put_picks(struct op *op, const struct batch *in, const struct pick *picks, uint32_t n, const struct batch **ret, struct error *e) {
  struct batch *b;
  uint32_t *arg = ARENA_ARRAY(&op->out, uint32_t, n);
  struct value *values = ARENA_ARRAY(&op->out, struct value, n);
  if (arg == NULL || values == NULL) return arena_err(&op->out, e);
  TRY(batch_new(&op->out, op->x->plan->slot_count, &b, e));
  for (uint32_t k = 0; k < op->plan->out.count; k++) {
    uint32_t slot = op->plan->out.items[k];
    for (uint32_t i = 0; i < n; i++) values[i] = picked(op, in, picks[i], slot);
    TRY(vec_from_values(&op->out, values, n, &b->columns[slot], e));
  }
  for (uint32_t i = 0; i < n; i++) arg[i] = picks[i].number;
  if (op->outer->batch != NULL) b->arg = arg;
  b->n = n;
  *ret = b;
  return ERR_OK;
}

/// The input's rows, with rows of nulls before them for numbers that have been passed over.
static enum err pass(struct op *op, const struct batch *in, const struct batch **ret, struct error *e) {
  struct optional *s = (struct optional *) op;
  uint32_t gaps = 0, n = 0;
  for (uint32_t i = 0; i < in->n; i++) s->seen[batch_arg(in, i)] = 1;
  uint32_t last = in->n > 0 ? batch_arg(in, in->n - 1) : 0;
  for (uint32_t k = s->next; s->ordered && k < last; k++) gaps += !s->seen[k];
  if (gaps == 0) {
    if (s->ordered) s->next = MAX(s->next, last);
    *ret = in;
    return ERR_OK;
  }
  struct pick *picks = ARENA_ARRAY(&op->out, struct pick, in->n + gaps);
  if (picks == NULL) return arena_err(&op->out, e);
  uint32_t next = s->next;
  for (uint32_t i = 0; i < in->n; i++) {
    uint32_t number = batch_arg(in, i);
    for (; next < number; next++)
      if (!s->seen[next]) picks[n++] = (struct pick){next, UINT32_MAX};
    picks[n++] = (struct pick){number, i};
  }
  TRY(put_picks(op, in, picks, n, ret, e));
  s->next = next;
  return ERR_OK;
}

static enum err put_rest(struct op *op, const struct batch **ret, struct error *e) {
  struct optional *s = (struct optional *) op;
  struct pick *picks = ARENA_ARRAY(&op->out, struct pick, s->numbers);
  if (picks == NULL) return arena_err(&op->out, e);
  uint32_t n = 0;
  for (uint32_t k = s->ordered ? s->next : 0; k < s->numbers; k++)
    if (!s->seen[k]) picks[n++] = (struct pick){k, UINT32_MAX};
  if (n > 0) TRY(put_picks(op, NULL, picks, n, ret, e));
  s->next = s->numbers;
  memset(s->seen, 1, s->numbers);
  return ERR_OK;
}

static enum err optional_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct optional *s = (struct optional *) op;
  if (s->seen == NULL) {
    s->numbers = op_outer_rows(op);
    s->seen = arena_zalloc(&s->marks, s->numbers);
    if (s->seen == NULL) return arena_err(&s->marks, e);
  }
  while (!s->ended) {
    const struct batch *in;
    TRY(op_next(op->children[0], want, &in, e));
    arena_reset(&op->out);
    if (in == NULL) {
      s->ended = true;
    } else if (in->n > 0) {
      return pass(op, in, ret, e);
    }
  }
  arena_reset(&op->out);
  return put_rest(op, ret, e);
}

static void optional_reset(struct op *op) {
  struct optional *s = (struct optional *) op;
  arena_reset(&s->marks);
  s->seen = NULL;
  s->next = 0;
  s->ended = false;
}

static void optional_close(struct op *op) {
  arena_done(&((struct optional *) op)->marks);
}

const struct op_class op_optional_class = {
    .bytes = sizeof(struct optional), .open = optional_open, .next = optional_next, .reset = optional_reset, .close = optional_close};
