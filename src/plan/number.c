// Ids of operators: parents first, left before right.
#include "plan/plan_int.h"

static void number(struct plan_op *op, uint32_t *next) {
  for (;; op = op->children[0]) {
    op->id = (*next)++;
    if (op->child_count == 0) return;
    if (op->child_count > 1) break;
  }
  for (uint32_t i = 0; i < op->child_count; i++) number(op->children[i], next);
}

static void enter(const struct plan_op *op, const struct plan_op **ops) {
  for (;; op = op->children[0]) {
    ops[op->id] = op;
    if (op->child_count == 0) return;
    if (op->child_count > 1) break;
  }
  for (uint32_t i = 0; i < op->child_count; i++) enter(op->children[i], ops);
}

enum err pass_number(struct planner *p, struct plan_op *root) {
  uint32_t count = 0;
  number(root, &count);
  const struct plan_op **ops = ARENA_ARRAY(p->arena, const struct plan_op *, count);
  PLAN_ALLOC(p, ops);
  enter(root, ops);
  p->plan->ops = ops;
  p->plan->op_count = count;
  return ERR_OK;
}
