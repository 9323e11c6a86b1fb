// What every part of consensus asks of a membership, and the memberships that a log holds.
#pragma once

#include "consensus/consensus.h"

/// ERR_OK if it can be one: ascending ids, known roles, addresses that end and differ, at least one voter. Else ERR_INVALID, says
/// what is wrong. Does not look at `index`.
enum err membership_check(const struct consensus_membership *m, struct error *e) NODISCARD;
bool membership_is_voter(const struct consensus_membership *m, uint64_t id);
/// `id` has the only vote.
bool membership_is_sole_voter(const struct consensus_membership *m, uint64_t id);

enum membership_change {
  MEMBERSHIP_SAME,
  MEMBERSHIP_ADD,
  MEMBERSHIP_PROMOTE,
  MEMBERSHIP_DEMOTE,
  MEMBERSHIP_REMOVE,
  MEMBERSHIP_OTHER
};
/// How `to` differs from `from` in one member (dissertation 4.1), and which; MEMBERSHIP_OTHER: in more than one, or otherwise.
enum membership_change membership_difference(const struct consensus_membership *from, const struct consensus_membership *to,
                                             uint64_t *ret_id);

/// Ascending by index: the one in force at the start of the retained log, then those of its entries. One owner.
struct memberships {
  struct consensus_membership **items;
  size_t count, capacity;
};
void memberships_done(struct memberships *l);
/// A copy, behind those that are there. ERR_NOMEM.
enum err memberships_add(struct memberships *l, const struct consensus_membership *m) NODISCARD;
/// Drops those of entries from `from` on.
void memberships_truncate(struct memberships *l, uint64_t from);
/// Keeps the one in force at `index` and those behind it.
void memberships_forget(struct memberships *l, uint64_t index);
/// In force at `index`, or NULL.
const struct consensus_membership *memberships_at(const struct memberships *l, uint64_t index);
/// The index of the last but one: committed, because the last one was only proposed after that (4.1). 0: there is none.
uint64_t memberships_last_but_one(const struct memberships *l);
/// In force: the last, committed or not (dissertation 4.1). Never NULL: an empty one where there is none.
const struct consensus_membership *memberships_last(const struct memberships *l);
