// Properties that are read once and used again; private to the module.
#pragma once

#include "plan/plan_int.h"

/// After pass_live, so that what nobody reads counts for nothing; which has to find out again what is read above each operator
/// then.
enum err pass_cache(struct planner *p, struct plan_op **root) NODISCARD;
