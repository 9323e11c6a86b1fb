// Apply and its kin: the right side gets the whole batch of the left, each row with its number, and gives rows with these numbers back.
#include <string.h>

#include "exec/op.h"
#include "graph/tx.h"
#include "value/weight.h"

struct apply {
  struct op op;
  const struct batch *left;  // from the left side
  const struct batch *outer; // what the right side is running for: `left`, or one row of it (serial)
  uint32_t row;              // serial: next row of `left`
  bool sealing;              // serial: the right side is done, its writes are not sealed yet
  uint8_t *hits;             // semi: held, by row of `outer`
  uint32_t hit_count;
  struct list_cell **firsts, **lasts; // roll-up: held
  uint32_t *lengths;
};

static struct op *right_of(struct op *op) {
  return op->children[1];
}

/// Gives the right side its next outer batch. `outer` is NULL at the end.
static enum err start_right(struct op *op, uint32_t want, bool serial, struct error *e) {
  struct apply *s = (struct apply *) op;
  if (s->left != NULL && (!serial || s->row >= s->left->n)) s->left = NULL;
  while (s->left == NULL) {
    TRY(op_pull(op, 0, want, &s->left, e));
    if (s->left == NULL) return ERR_OK;
    s->row = 0;
    if (s->left->n == 0) s->left = NULL;
  }
  s->outer = s->left;
  if (serial) {
    struct batch *one;
    uint32_t *rows = ARENA_ARRAY(&op->held, uint32_t, 1);
    if (rows == NULL) return arena_err(&op->held, e);
    rows[0] = s->row;
    TRY(batch_select(&op->held, s->left, rows, 1, &one, e));
    s->row++;
    s->outer = one;
  }
  right_of(op)->outer->batch = s->outer;
  op_reset(right_of(op));
  return ERR_OK;
}

/// Right rows with the left columns that they do not have themselves.
static enum err combine(struct op *op, const struct batch *outer, const struct batch *right, const struct batch **ret, struct error *e) {
  struct batch *b;
  uint32_t *rows = ARENA_ARRAY(&op->out, uint32_t, right->n), *elements = ARENA_ARRAY(&op->out, uint32_t, right->n);
  if (rows == NULL || elements == NULL) return arena_err(&op->out, e);
  TRY(batch_new(&op->out, right->column_count, &b, e));
  for (uint32_t i = 0; i < right->n; i++) {
    rows[i] = batch_arg(right, i);
    elements[i] = batch_index(outer, rows[i]);
  }
  for (uint32_t i = 0; i < op->plan->out.count; i++) {
    uint32_t slot = op->plan->out.items[i];
    if (vec_is_set(&right->columns[slot])) {
      b->columns[slot] = right->columns[slot];
      if (right->sel != NULL) TRY(vec_gather(&op->out, &right->columns[slot], right->sel, right->n, &b->columns[slot], e));
    } else {
      TRY(vec_gather(&op->out, &outer->columns[slot], elements, right->n, &b->columns[slot], e));
    }
  }
  if (outer->arg != NULL) {
    for (uint32_t i = 0; i < right->n; i++) rows[i] = outer->arg[rows[i]];
    b->arg = rows;
  }
  b->n = right->n;
  *ret = b;
  return ERR_OK;
}

static enum err seal_serial(struct op *op, struct error *e) {
  struct apply *s = (struct apply *) op;
  if (!s->sealing) return ERR_OK;
  TRY(graph_tx_seal(op->x->tx, false, e));
  s->sealing = false;
  return ERR_OK;
}

static enum err apply_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct apply *s = (struct apply *) op;
  bool serial = op->plan->apply.serial;
  for (;;) {
    TRY(seal_serial(op, e));
    if (s->outer == NULL) TRY(start_right(op, want, serial, e));
    if (s->outer == NULL) return ERR_OK;
    const struct batch *right;
    TRY(op_next(right_of(op), want, &right, e));
    if (right == NULL) {
      s->outer = NULL;
      s->sealing = serial;
      continue;
    }
    if (right->n == 0) continue;
    arena_reset(&op->out);
    return combine(op, s->outer, right, ret, e);
  }
}

static void apply_reset(struct op *op) {
  struct apply *s = (struct apply *) op;
  s->left = s->outer = NULL;
  s->sealing = false;
}

const struct op_class op_apply_class = {.bytes = sizeof(struct apply), .next = apply_next, .reset = apply_reset};

/// Runs the right side and marks the rows of `outer` that have a right row; stops when all have.
static enum err mark_hits(struct op *op, uint32_t want, bool *ret_end, struct error *e) {
  struct apply *s = (struct apply *) op;
  *ret_end = false;
  if (s->outer == NULL) {
    TRY(start_right(op, want, false, e));
    *ret_end = s->outer == NULL;
    if (s->outer == NULL) return ERR_OK;
    s->hits = NULL;
  }
  if (s->hits == NULL) {
    s->hits = arena_zalloc(&op->held, s->outer->n);
    if (s->hits == NULL) return arena_err(&op->held, e);
    s->hit_count = 0;
  }
  while (s->hit_count < s->outer->n) {
    const struct batch *right;
    TRY(op_next(right_of(op), EXEC_BATCH_ROWS, &right, e));
    if (right == NULL) break;
    for (uint32_t i = 0; i < right->n; i++) {
      uint8_t *hit = &s->hits[batch_arg(right, i)];
      s->hit_count += !*hit;
      *hit = 1;
    }
  }
  return ERR_OK;
}

static enum err semi_apply_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct apply *s = (struct apply *) op;
  bool wanted = op->plan->kind == PLAN_SEMI_APPLY;
  for (;;) {
    bool end;
    TRY(mark_hits(op, MAX(want, EXEC_BATCH_FIRST), &end, e));
    if (end) return ERR_OK;
    arena_reset(&op->out);
    uint32_t *rows = ARENA_ARRAY(&op->out, uint32_t, s->outer->n), n = 0;
    struct batch *out = NULL;
    if (rows == NULL) return arena_err(&op->out, e);
    for (uint32_t i = 0; i < s->outer->n; i++)
      if (s->hits[i] == wanted) rows[n++] = i;
    TRY(batch_select(&op->out, s->outer, rows, n, &out, e));
    s->outer = NULL;
    if (n == 0) continue;
    *ret = out;
    return ERR_OK;
  }
}

const struct op_class op_semi_apply_class = {.bytes = sizeof(struct apply), .next = semi_apply_next, .reset = apply_reset};

static enum err let_semi_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct apply *s = (struct apply *) op;
  bool end;
  TRY(mark_hits(op, want, &end, e));
  if (end) return ERR_OK;
  arena_reset(&op->out);
  struct batch *out = NULL;
  struct vec column;
  TRY(op_extend(op, &op->out, s->outer, &out, e));
  TRY(vec_alloc(&op->out, VEC_BOOL, s->outer->n, &column, e));
  memcpy(column.b, s->hits, s->outer->n);
  TRY(op_put(&op->out, out, op->plan->let.out, column, e));
  s->outer = NULL;
  *ret = out;
  return ERR_OK;
}

const struct op_class op_let_semi_class = {.bytes = sizeof(struct apply), .next = let_semi_next, .reset = apply_reset};

struct list_cell {
  struct value value;
  struct list_cell *next;
};

static enum err collect_one(struct op *op, uint32_t row, struct value v, struct error *e) {
  struct apply *s = (struct apply *) op;
  struct list_cell *cell = ARENA_NEW(&op->held, struct list_cell);
  if (cell == NULL) return arena_err(&op->held, e);
  TRY(value_copy(&op->held, v, &cell->value, e));
  if (s->lasts[row] != NULL) {
    s->lasts[row]->next = cell;
  } else {
    s->firsts[row] = cell;
  }
  s->lasts[row] = cell;
  s->lengths[row]++;
  return ERR_OK;
}

static enum err start_lists(struct op *op, struct error *e) {
  struct apply *s = (struct apply *) op;
  s->firsts = arena_zalloc(&op->held, s->outer->n * sizeof *s->firsts);
  s->lasts = arena_zalloc(&op->held, s->outer->n * sizeof *s->lasts);
  s->lengths = arena_zalloc(&op->held, s->outer->n * sizeof *s->lengths);
  return s->firsts != NULL && s->lasts != NULL && s->lengths != NULL ? ERR_OK : arena_err(&op->held, e);
}

static enum err put_lists(struct op *op, const struct batch **ret, struct error *e) {
  struct apply *s = (struct apply *) op;
  struct batch *out = NULL;
  struct vec column;
  TRY(op_extend(op, &op->out, s->outer, &out, e));
  TRY(vec_alloc(&op->out, VEC_ANY, s->outer->n, &column, e));
  for (uint32_t i = 0; i < s->outer->n; i++) {
    struct value *items = ARENA_ARRAY(&op->out, struct value, s->lengths[i]);
    if (items == NULL) return arena_err(&op->out, e);
    uint32_t n = 0;
    for (const struct list_cell *cell = s->firsts[i]; cell != NULL; cell = cell->next) items[n++] = cell->value;
    column.any[i] = v_list(items, n);
    TRY(value_weigh(&column.any[i], e));
  }
  TRY(op_put(&op->out, out, op->plan->let.out, column, e));
  *ret = out;
  return ERR_OK;
}

static enum err roll_up_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct apply *s = (struct apply *) op;
  if (s->outer == NULL) {
    TRY(start_right(op, want, false, e));
    if (s->outer == NULL) return ERR_OK;
    s->firsts = NULL;
  }
  if (s->firsts == NULL) TRY(start_lists(op, e));
  for (;;) {
    const struct batch *right;
    TRY(op_next(right_of(op), EXEC_BATCH_ROWS, &right, e));
    if (right == NULL) break;
    for (uint32_t i = 0; i < right->n; i++)
      TRY(collect_one(op, batch_arg(right, i), batch_get(right, op->plan->let.collect, i), e));
  }
  arena_reset(&op->out);
  TRY(put_lists(op, ret, e));
  s->outer = NULL;
  return ERR_OK;
}

const struct op_class op_roll_up_class = {.bytes = sizeof(struct apply), .next = roll_up_next, .reset = apply_reset};

/// Left rows, after the right side has been run to its end for them. Serial: one row at a time, the rows of a batch go on together.
static enum err subquery_foreach_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct apply *s = (struct apply *) op;
  bool serial = op->plan->apply.serial;
  for (;;) {
    if (s->outer == NULL) TRY(start_right(op, want, serial, e));
    if (s->outer == NULL) return ERR_OK;
    const struct batch *right;
    do {
      TRY(op_next(right_of(op), EXEC_BATCH_ROWS, &right, e));
    } while (right != NULL);
    if (serial) TRY(graph_tx_seal(op->x->tx, false, e)); // having run to its end again does no harm: it gives nothing more
    s->outer = NULL;
    if (serial && s->row < s->left->n) continue;
    *ret = s->left;
    return ERR_OK;
  }
}

const struct op_class op_subquery_foreach_class = {.bytes = sizeof(struct apply), .next = subquery_foreach_next, .reset = apply_reset};
