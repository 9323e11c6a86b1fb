// Eager: takes its whole input, then seals what was written below it.
#include "exec/op.h"
#include "exec/rowbuf.h"
#include "graph/tx.h"

struct eager {
  struct op op;
  struct rowbuf rows;
  uint32_t at;
  bool read, sealed;
};

static enum err eager_open(struct op *op, struct error *e UNUSED) {
  rowbuf_init(&((struct eager *) op)->rows, &op->x->budget, op->children[0]->plan->out.count);
  return ERR_OK;
}

static enum err eager_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct eager *s = (struct eager *) op;
  struct plan_list slots = op->children[0]->plan->out;
  while (!s->read) {
    const struct batch *in;
    TRY(op_next(op->children[0], EXEC_BATCH_ROWS, &in, e));
    if (in != NULL) TRY(rowbuf_add_batch(&s->rows, in, slots, e));
    s->read = in == NULL;
  }
  if (!s->sealed && op->x->tx != NULL) TRY(graph_tx_seal(op->x->tx, false, e));
  s->sealed = true;
  uint32_t n = MIN(s->rows.n - s->at, MIN(want, EXEC_BATCH_ROWS));
  if (n == 0) return ERR_OK;
  arena_reset(&op->out);
  struct batch *out = NULL;
  TRY(rowbuf_batch(&s->rows, NULL, s->at, n, slots, op->x->plan->slot_count, op->outer->batch != NULL, &op->out, &out, e));
  s->at += n;
  *ret = out;
  return ERR_OK;
}

static void eager_reset(struct op *op) {
  struct eager *s = (struct eager *) op;
  rowbuf_clear(&s->rows);
  s->at = 0;
  s->read = s->sealed = false;
}

static void eager_close(struct op *op) {
  rowbuf_done(&((struct eager *) op)->rows);
}

const struct op_class op_eager_class = {
    .bytes = sizeof(struct eager), .open = eager_open, .next = eager_next, .reset = eager_reset, .close = eager_close};
