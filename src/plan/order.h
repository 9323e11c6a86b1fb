// Orders that need no sorting: what ORDER BY, min() and max() would like of the MATCH before them, and what an index gives.
//
// Only sources that are index seeks have an order. It lasts through operators that hand on their rows one after another, so the
// sort of ORDER BY n.key falls away where the chain below leads down to a seek by (key), or by (other, key) with `other` fixed.
// Entities without the property are in no index: the order is of those that a predicate on the property lets through, or of a
// min() or max(), to which nulls are nothing.
#pragma once

#include "plan/plan_int.h"

/// `slot.name`; `name` PLAN_NONE: the value of the slot itself.
struct order_key {
  uint32_t slot;
  plan_name_id name;
  bool descending;
};

/// What follows a MATCH wants its rows ordered by.
struct order_wish {
  struct order_key *keys; // properties of one variable, the first keys of ORDER BY
  uint32_t count;         // 0: nothing
  bool all;               // ORDER BY has no keys but these
  bool skips_nulls;       // min() and max(): rows where the property is null do not matter
  double rows;            // how many of the first rows are wanted; infinite: all
};

/// The wish of the first WITH or RETURN from `clause` on (may be NULL); `ret->count` of 0: none.
enum err order_wished(struct planner *p, const struct ast *clause, struct order_wish *ret) NODISCARD;

/// How many of the wished keys the index gives where its first `equal_count` keys are fixed. `*ret_decided`: if not all of these
/// are fixed; then `*ret_descending` is the direction to read it in.
uint32_t order_given(const struct planner *p, const graph_token *keys, uint32_t key_count, uint32_t equal_count,
                     const struct order_key *wished, uint32_t count, bool *ret_decided, bool *ret_descending);

/// How many of the keys the rows of `top` are in order of already; the seek below is told to keep it.
enum err order_use(struct planner *p, struct plan_op *top, const struct order_key *keys, uint32_t count, uint32_t *ret) NODISCARD;

/// The property or variable that an expression is; false for any other.
enum err order_key_of(struct planner *p, const struct ast *expression, struct order_key *ret, bool *ret_is) NODISCARD;
