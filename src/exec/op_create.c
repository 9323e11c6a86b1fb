// Create and Set: write for the whole input batch, then hand it on.
#include "exec/op.h"
#include "exec/write.h"

struct writer {
  struct op op;
  const struct batch *in;
  struct batch *made; // of a Create: the input with the new columns; held
  uint64_t **ids;
  struct write_place place;
};

static enum err prepare_create(struct op *op, struct error *e) {
  struct writer *s = (struct writer *) op;
  const struct batch *dense;
  TRY(batch_dense(&op->held, s->in, &dense, e));
  TRY(op_extend(op, &op->held, dense, &s->made, e));
  TRY(write_create_prepare(&op->held, &op->plan->create, s->made, &s->ids, e));
  return ERR_OK;
}

static enum err create_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct writer *s = (struct writer *) op;
  if (s->in == NULL) {
    TRY(op_pull(op, 0, want, &s->in, e));
    if (s->in == NULL) return ERR_OK;
    s->made = NULL;
    s->place = (struct write_place){.arena = &op->held};
  }
  if (s->made == NULL) {
    enum err err = prepare_create(op, e);
    if (err != ERR_OK) s->made = NULL;
    TRY(err);
  }
  TRY(write_create(op, &op->plan->create, s->made, s->ids, &s->place, false, e));
  s->in = NULL;
  *ret = s->made;
  return ERR_OK;
}

static void writer_reset(struct op *op) {
  ((struct writer *) op)->in = NULL;
}

const struct op_class op_create_class = {.bytes = sizeof(struct writer), .next = create_next, .reset = writer_reset};

static enum err set_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct writer *s = (struct writer *) op;
  if (s->in == NULL) {
    TRY(op_pull(op, 0, want, &s->in, e));
    if (s->in == NULL) return ERR_OK;
    s->place = (struct write_place){.arena = &op->held};
  }
  TRY(write_set(op, &op->plan->set, s->in, &s->place, e));
  *ret = s->in;
  s->in = NULL;
  return ERR_OK;
}

const struct op_class op_set_class = {.bytes = sizeof(struct writer), .next = set_next, .reset = writer_reset};
