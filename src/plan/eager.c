#include "plan/plan_int.h"
enum err pass_eager(struct planner *p, struct plan_op **root) {
  (void) p; (void) root;
  return ERR_OK;
}
