// Counting without visiting; private to the module.
#pragma once

#include "plan/plan_int.h"

enum err pass_count_store(struct planner *p, struct plan_op *root) NODISCARD;
