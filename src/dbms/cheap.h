// Which plans may run on a connection's thread. Private to dbms.
#pragma once

#include <stdbool.h>

#include "plan/plan.h"

/// True if the plan is sure to take no longer than a handful of index seeks: its estimated cost is small, and nothing in the statement does
/// an amount of work that only its values tell (lists, ranges, paths of any length, procedures). Others would hold up every
/// connection of that thread, the one that could stop them included.
bool plan_is_cheap(const struct plan *p);
