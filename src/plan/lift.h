// What lifting subqueries out of expressions needs from its neighbours; private to the module.
#pragma once

#include "plan/plan_int.h"

/// Counting or asking for the relationships of one node without visiting them (plan/degree.c). Exactly one of `query` and `path` is set.
/// If the question has that form, a DEGREE into `out` is put on `c` and `*ret_done` is true.
enum err plan_degree(struct planner *p, struct chain *c, const struct ast *query, const struct ast *path, const struct ast *where, bool exists,
                     uint32_t out, bool *ret_done) NODISCARD;
