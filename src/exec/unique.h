// Relationship uniqueness for one row of an expand: which of the relationships that it must differ from could be found at all.
#pragma once

#include "exec/op.h"

enum { UNIQUE_MAX = 8 };

struct unique {
  uint64_t rels[UNIQUE_MAX];
  uint32_t n;
  bool by_element; // lists, or too many: ask op_differs about each relationship
};

/// For row `row` of `in`, which is expanded from `from`. Mostly nothing is left, and then no relationship needs to be looked at.
void unique_of_row(struct unique *u, const struct plan_expand *plan, const struct batch *in, uint32_t row, uint64_t from);

/// None of the rows has anything to leave out, as far as that is seen at a glance: rows[i] is expanded from from[i].
bool unique_of_all(const struct plan_expand *plan, const struct batch *in, const uint32_t *rows, const uint64_t *from, uint32_t n);

/// `rel` may be found in that row.
static inline bool unique_allows(const struct unique *u, const struct plan_expand *plan, const struct batch *in, uint32_t row,
                                 uint64_t rel) {
  if (UNLIKELY(u->by_element)) return op_differs(in, row, plan->differ, rel);
  for (uint32_t i = 0; i < u->n; i++)
    if (u->rels[i] == rel) return false;
  return true;
}
