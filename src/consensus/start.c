// What a member may begin from. A state that contradicts itself is refused: it comes from a damaged or mixed-up disk.
#include <inttypes.h>

#include "base/mem.h"
#include "consensus/consensus_int.h"

#define REFUSE(...) return error_set(e, ERR_INVALID, __VA_ARGS__)

/// A snapshot and its membership belong together, and are not of a later term than the member's.
static enum err check_snapshot(const struct consensus_persisted *s, struct error *e) {
  if ((s->snapshot_index == 0) != (s->snapshot_term == 0) || (s->snapshot_index == 0) != (s->snapshot_membership == NULL)) {
    REFUSE("a snapshot has an index, a term and a membership, or none of them");
  }
  if (s->snapshot_index == 0) return ERR_OK;
  if (s->snapshot_index > CONSENSUS_INDEX_MAX || s->snapshot_term > s->term) {
    REFUSE("the snapshot (%" PRIu64 ", term %" PRIu64 ") is beyond the term %" PRIu64, s->snapshot_index, s->snapshot_term,
           s->term);
  }
  TRY(membership_check(s->snapshot_membership, e));
  if (s->snapshot_membership->index == 0 || s->snapshot_membership->index > s->snapshot_index) {
    REFUSE("the snapshot at %" PRIu64 " has a membership of entry %" PRIu64, s->snapshot_index, s->snapshot_membership->index);
  }
  return ERR_OK;
}

/// The log goes on from the snapshot without a gap, and what is applied is in it.
static enum err check_log(const struct consensus_persisted *s, struct error *e) {
  uint64_t first = s->first_index, last = s->last_index;
  if (first == 0 || last > CONSENSUS_INDEX_MAX || first > last + 1) REFUSE("a log cannot be %" PRIu64 "..%" PRIu64, first, last);
  if (first > s->snapshot_index + 1 || last < s->snapshot_index) {
    REFUSE("the log %" PRIu64 "..%" PRIu64 " does not go on from the snapshot at %" PRIu64, first, last, s->snapshot_index);
  }
  if (last - first + 1 > UINT32_MAX) REFUSE("the log %" PRIu64 "..%" PRIu64 " is too long", first, last);
  if (s->applied_index < s->snapshot_index || s->applied_index > last) {
    REFUSE("%" PRIu64 " is applied, of a log that ends at %" PRIu64 " behind a snapshot at %" PRIu64, s->applied_index, last,
           s->snapshot_index);
  }
  return ERR_OK;
}

/// Runs cover the log, ascending in index and term, and agree with the snapshot.
static enum err check_runs(const struct consensus_persisted *s, struct error *e) {
  bool empty = s->first_index > s->last_index;
  if (empty != (s->run_count == 0)) REFUSE("the terms do not cover the log");
  uint64_t index = 0, term = s->first_index == s->snapshot_index + 1 ? s->snapshot_term : 1;
  for (size_t i = 0; i < s->run_count; i++) {
    const struct consensus_term_run *run = &s->runs[i];
    bool place = i == 0 ? run->first_index == s->first_index : run->first_index > index;
    bool order = i == 0 ? run->term >= MAX(term, 1u) : run->term > term;
    if (!place || !order || run->first_index > s->last_index || run->term > s->term) {
      REFUSE("the run of term %" PRIu64 " from %" PRIu64 " does not fit the log", run->term, run->first_index);
    }
    index = run->first_index;
    term = run->term;
    bool holds_snapshot = index <= s->snapshot_index && (i + 1 == s->run_count || s->runs[i + 1].first_index > s->snapshot_index);
    if (holds_snapshot && term != s->snapshot_term) {
      REFUSE("the log has term %" PRIu64 " at the snapshot's index %" PRIu64 ", not %" PRIu64, term, s->snapshot_index,
             s->snapshot_term);
    }
  }
  return ERR_OK;
}

/// Those of the log ascend, and the snapshot has the last one up to it. A log from the beginning begins with one.
static enum err check_memberships(const struct consensus_persisted *s, struct error *e) {
  uint64_t index = 0, at_snapshot = 0;
  for (size_t i = 0; i < s->membership_count; i++) {
    const struct consensus_membership *m = &s->memberships[i];
    TRY(membership_check(m, e));
    if (m->index <= index || m->index < s->first_index || m->index > s->last_index) {
      REFUSE("the membership of entry %" PRIu64 " is not in its place in the log", m->index);
    }
    index = m->index;
    if (index <= s->snapshot_index) at_snapshot = index;
  }
  if (at_snapshot != 0 && at_snapshot != s->snapshot_membership->index) {
    REFUSE("the snapshot has the membership of entry %" PRIu64 ", the log one at %" PRIu64, s->snapshot_membership->index,
           at_snapshot);
  }
  bool empty = s->first_index > s->last_index;
  if (s->snapshot_index == 0 && !empty && (s->membership_count == 0 || s->memberships[0].index != 1)) {
    REFUSE("a log begins with a membership");
  }
  return ERR_OK;
}

enum err start_check(const struct consensus_persisted *s, struct error *e) {
  if (s->member_id == 0) REFUSE("a member's id is not 0");
  if (s->term > CONSENSUS_INDEX_MAX || (s->vote != 0 && s->term == 0)) REFUSE("a vote in term %" PRIu64 " cannot be", s->term);
  TRY(check_snapshot(s, e));
  TRY(check_log(s, e));
  TRY(check_runs(s, e));
  return check_memberships(s, e);
}
