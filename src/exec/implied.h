// Label predicates that hold of themselves: in `(:Person)-[:KNOWS]->(f:Person)` nobody needs to look at f where the graph's exact
// counts say that every KNOWS leads to a Person.
#pragma once

#include "exec/op.h"

/// The traversal below `op` that fills the node which `predicate` tests for labels, with nothing in between that could put null
/// or another node in its place; NULL where the predicate is of another kind or no such traversal is found.
const struct plan_expand *implied_by(const struct plan_op *op, const struct ast *predicate);

/// Whether `predicate` is true for all that the traversal `by` finds in the snapshot of `op`, until the transaction seals
/// something.
enum err implied_holds(struct op *op, const struct plan_expand *by, const struct ast *predicate, bool *ret,
                       struct error *e) NODISCARD;
