// Argument: the outer batch of a right side, each row with its number; at depth 0 one row without columns.
#include "exec/op.h"

struct argument {
  struct op op;
  bool done;
};

static enum err argument_next(struct op *op, uint32_t want UNUSED, const struct batch **ret, struct error *e) {
  struct argument *s = (struct argument *) op;
  if (s->done) return ERR_OK;
  arena_reset(&op->out);
  const struct batch *outer = op->outer->batch;
  struct batch *b;
  TRY(batch_new(&op->out, op->x->plan->slot_count, &b, e));
  b->n = 1;
  if (outer != NULL) {
    uint32_t *arg = ARENA_ARRAY(&op->out, uint32_t, outer->n);
    if (arg == NULL) return arena_err(&op->out, e);
    for (uint32_t i = 0; i < outer->n; i++) arg[i] = i;
    b->n = outer->n;
    b->sel = outer->sel;
    b->arg = arg;
    struct plan_list slots = op->plan->argument.slots;
    for (uint32_t i = 0; i < slots.count; i++) b->columns[slots.items[i]] = outer->columns[slots.items[i]];
  }
  s->done = true;
  *ret = b;
  return ERR_OK;
}

static void argument_reset(struct op *op) {
  ((struct argument *) op)->done = false;
}

const struct op_class op_argument_class = {.bytes = sizeof(struct argument), .next = argument_next, .reset = argument_reset};
