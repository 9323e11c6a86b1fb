// Barriers; private to the module.
#pragma once

#include "plan/plan_int.h"

/// Puts an EAGER on `*place`. `reason` is static.
enum err eager_insert(struct planner *p, struct plan_op **place, const char *reason) NODISCARD;
/// One after each write; `last`: nothing runs after `*place`.
enum err eager_everywhere(struct planner *p, struct plan_op **place, bool last) NODISCARD;
/// Only where a write and something before or after it touch the same (plan/eager_place.c).
enum err eager_where_needed(struct planner *p, struct plan_op **root) NODISCARD;
