#include "plan/eager.h"

enum err pass_eager(struct planner *p, struct plan_op **root) {
  return eager_everywhere(p, root, true);
}
