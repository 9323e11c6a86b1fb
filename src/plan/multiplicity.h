// Grouping before the last hop; private to the module.
#pragma once

#include "plan/plan_int.h"

/// After pass_live, which has to run again then.
enum err pass_multiplicity(struct planner *p, struct plan_op *root) NODISCARD;
