// Variable length without trails; private to the module.
#pragma once

#include "plan/plan_int.h"

/// After pass_live, which has found out whose list nobody reads.
void pass_pruning(struct plan_op *root);
