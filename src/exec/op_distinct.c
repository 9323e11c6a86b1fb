// Distinct: the first row of each combination of values. One column of nodes or relationships goes through a bitmap.
#include "exec/idset.h"
#include "exec/op.h"
#include "exec/rowbuf.h"

struct distinct {
  struct op op;
  const struct batch *in;
  struct rowbuf rows;
  struct rowset table;
  struct value *cells;
  struct idset ids[2]; // nodes, relationships
};

static enum err distinct_open(struct op *op, struct error *e) {
  struct distinct *s = (struct distinct *) op;
  uint32_t width = op->plan->distinct.slots.count;
  rowbuf_init(&s->rows, &op->x->budget, width);
  rowset_init(&s->table, &s->rows, width, false, &op->x->budget);
  idset_init(&s->ids[0], &op->x->budget);
  idset_init(&s->ids[1], &op->x->budget);
  s->cells = ARENA_ARRAY(&op->x->arena, struct value, width);
  return s->cells != NULL ? ERR_OK : arena_err(&op->x->arena, e);
}

/// The row is the first of its kind; it is remembered.
static enum err is_fresh(struct op *op, uint32_t row, bool *ret, struct error *e) {
  struct distinct *s = (struct distinct *) op;
  struct plan_list slots = op->plan->distinct.slots;
  uint32_t arg = batch_arg(s->in, row);
  for (uint32_t k = 0; k < slots.count; k++) s->cells[k] = batch_get(s->in, slots.items[k], row);
  if (slots.count == 1 && op->outer->batch == NULL && (s->cells[0].type == VALUE_NODE || s->cells[0].type == VALUE_REL))
    return idset_add(&s->ids[s->cells[0].type == VALUE_REL], v_id(s->cells[0]), ret, e);
  uint64_t hash = rowset_hash(arg, s->cells, slots.count);
  *ret = rowset_find(&s->table, hash, arg, s->cells) == UINT32_MAX;
  if (!*ret) return ERR_OK;
  TRY(rowbuf_add(&s->rows, arg, s->cells, e));
  return rowset_put(&s->table, hash, s->rows.n - 1, e);
}

static enum err distinct_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct distinct *s = (struct distinct *) op;
  for (;;) {
    TRY(op_pull(op, 0, MAX(want, EXEC_BATCH_FIRST), &s->in, e));
    if (s->in == NULL) return ERR_OK;
    arena_reset(&op->out);
    uint32_t *fresh = ARENA_ARRAY(&op->out, uint32_t, s->in->n), n = 0;
    if (fresh == NULL) return arena_err(&op->out, e);
    for (uint32_t row = 0; row < s->in->n; row++) {
      bool is_new;
      TRY(is_fresh(op, row, &is_new, e));
      if (is_new) fresh[n++] = row;
    }
    if (n == 0) continue;
    struct batch *out = NULL;
    TRY(batch_select(&op->out, s->in, fresh, n, &out, e));
    *ret = out;
    return ERR_OK;
  }
}

static void distinct_reset(struct op *op) {
  struct distinct *s = (struct distinct *) op;
  rowbuf_clear(&s->rows);
  rowset_clear(&s->table);
  idset_clear(&s->ids[0]);
  idset_clear(&s->ids[1]);
  s->in = NULL;
}

static void distinct_close(struct op *op) {
  struct distinct *s = (struct distinct *) op;
  rowbuf_done(&s->rows);
  rowset_done(&s->table);
  idset_done(&s->ids[0]);
  idset_done(&s->ids[1]);
}

const struct op_class op_distinct_class = {
    .bytes = sizeof(struct distinct), .open = distinct_open, .next = distinct_next, .reset = distinct_reset, .close = distinct_close};
