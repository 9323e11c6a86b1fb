// Union: the rows of one branch after another. Branches fill the same slots.
#include "exec/op.h"

struct union_ {
  struct op op;
  uint32_t branch;
};

static enum err union_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct union_ *s = (struct union_ *) op;
  for (; s->branch < op->plan->child_count; s->branch++) {
    TRY(op_next(op->children[s->branch], want, ret, e));
    if (*ret != NULL) return ERR_OK;
  }
  return ERR_OK;
}

static void union_reset(struct op *op) {
  ((struct union_ *) op)->branch = 0;
}

const struct op_class op_union_class = {.bytes = sizeof(struct union_), .next = union_next, .reset = union_reset};

/// EmptyResult runs its input to the end and gives nothing; ProduceResults hands on (exec.c pushes its rows to the sink).
static enum err drain_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  if (op->plan->kind == PLAN_PRODUCE_RESULTS) return op_next(op->children[0], want, ret, e);
  const struct batch *in;
  do {
    TRY(op_next(op->children[0], EXEC_BATCH_ROWS, &in, e));
  } while (in != NULL);
  return ERR_OK;
}

const struct op_class op_drain_class = {.bytes = sizeof(struct op), .next = drain_next};
