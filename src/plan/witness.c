// When can a relationship that must differ be among those that an expand finds? One that was found from a to b along its arrow
// can be found again along the arrow only where the new expand starts at a: types and directions leave one node to compare for
// each row, where otherwise each relationship found would have to be compared.
#include "plan/plan_int.h"

/// The expand below `op`, in the same stream of rows, that fills `rel`.
static const struct plan_expand *finder_of(const struct plan_op *op, uint32_t rel) {
  while (op->child_count == 1) {
    op = op->children[0];
    bool expands = op->kind == PLAN_EXPAND || op->kind == PLAN_EXPAND_INTO;
    if (expands && op->expand.rel == rel) return &op->expand;
    if (!expands && op->kind != PLAN_FILTER) return NULL;
  }
  return NULL;
}

/// The end of the earlier relationship at which the later expand must start to find it again; PLAN_NONE if both ends will do.
static uint32_t witness_of(const struct plan_expand *later, const struct plan_expand *earlier) {
  if (earlier == NULL || earlier->direction == GRAPH_BOTH || later->direction == GRAPH_BOTH) return PLAN_NONE;
  return later->direction == earlier->direction ? earlier->from : earlier->to;
}

static enum err name_witnesses(struct planner *p, struct plan_op *op) {
  struct plan_list differ = op->expand.differ;
  uint32_t *witnesses = ARENA_ARRAY(p->arena, uint32_t, differ.count);
  PLAN_ALLOC(p, witnesses);
  for (uint32_t i = 0; i < differ.count; i++) {
    witnesses[i] = witness_of(&op->expand, finder_of(op, differ.items[i]));
    if (witnesses[i] == op->expand.from) witnesses[i] = PLAN_NONE; // it always starts there
  }
  op->expand.witnesses = (struct plan_list){witnesses, differ.count};
  return ERR_OK;
}

enum err pass_witness(struct planner *p, struct plan_op *root) {
  for (struct plan_op *op = root;; op = op->children[0]) {
    if (op->kind == PLAN_EXPAND && op->expand.differ.count > 0) TRY(name_witnesses(p, op));
    for (uint32_t i = 1; i < op->child_count; i++) TRY(pass_witness(p, op->children[i]));
    if (op->child_count == 0) return ERR_OK;
  }
}
