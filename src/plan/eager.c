// Barriers, everywhere: after each write everything is drained and sealed before the next operator runs. The plain truth that cleverer
// placement (plan/eager_place.c) is compared with.
#include "plan/eager.h"

static bool is_write(const struct plan_op *op) {
  switch (op->kind) {
  case PLAN_CREATE:
  case PLAN_MERGE:
  case PLAN_SET:
  case PLAN_DELETE:
  case PLAN_FOREACH:
  case PLAN_SUBQUERY_FOREACH: return true;
  case PLAN_PROCEDURE_CALL: return op->writes;
  case PLAN_APPLY:
  case PLAN_TRANSACTION_APPLY:
  case PLAN_TRANSACTION_FOREACH: return op->children[1]->writes;
  default: return false;
  }
}

enum err eager_insert(struct planner *p, struct plan_op **place, const char *reason) {
  struct plan_op *eager;
  TRY(planner_op(p, PLAN_EAGER, (*place)->depth, 1, &eager));
  eager->children[0] = *place;
  eager->rows = (*place)->rows;
  eager->writes = (*place)->writes;
  eager->current = (*place)->current;
  eager->height = (*place)->height + 1;
  eager->eager.reason = reason;
  *place = eager;
  return ERR_OK;
}

enum err eager_everywhere(struct planner *p, struct plan_op **place, bool last) {
  struct plan_op *op = *place;
  if (op->kind == PLAN_APPLY || op->kind == PLAN_SUBQUERY_FOREACH) op->apply.serial = op->children[1]->writes;
  if (op->kind == PLAN_FOREACH) op->foreach.serial = true;
  for (uint32_t i = 0; i < op->child_count; i++)
    TRY(eager_everywhere(p, &op->children[i], op->kind == PLAN_EMPTY_RESULT || op->kind == PLAN_EAGER || (i == 1 && op->kind != PLAN_APPLY)));
  return is_write(op) && !last ? eager_insert(p, place, "everywhere") : ERR_OK;
}
