// Constant folding; private to the module.
#pragma once

#include "plan/plan_int.h"
#include "value/value.h"

/// In place, in the statement's tree, before anything is planned: nobody else has it yet.
enum err pass_fold(struct planner *p) NODISCARD;
