// Changing who belongs to the group: one member at a time (dissertation 4.1), by the procedure that the engine needs (G6).
#include "consensus/consensus_int.h"

#include <inttypes.h>

#define REFUSE(code, ...) return error_set(e, code, __VA_ARGS__)

/// G6: each voter of the new membership has the last change and this leader's no-op. A voter that lacks them may hold, not yet
/// overwritten, a change that was never committed and that takes its own or the others' vote away; if the leader dies now, it
/// neither votes nor is asked, and a healthy group may elect nobody for ever (D10).
///
/// When a vote is taken away, those that do not answer need not have it, as long as a majority does: else a group that has lost
/// two of five could never part with either.
static bool has_the_last_change(const struct consensus *c, const struct consensus_membership *to, bool but_the_silent) {
  uint64_t last = MAX(memberships_last(&c->memberships)->index, c->noop_index);
  uint32_t count = 0;
  for (uint32_t i = 0; i < to->count; i++) {
    uint64_t id = to->members[i].id;
    if (to->members[i].role != CONSENSUS_VOTER) continue;
    bool has = engine_match_index(c->engine, id) >= last;
    if (!has && (!but_the_silent || leader_has_heard(c, id))) return false;
    count += has;
  }
  return count > consensus_membership_voters(to) / 2;
}

/// A learner that has caught up in rounds (4.2.1) and has not fallen behind since.
static bool has_caught_up(const struct consensus *c, uint64_t id) {
  uint64_t match = engine_match_index(c->engine, id);
  return engine_catch_up_state(c->engine, id) == CONSENSUS_CATCH_UP_FINISHED &&
         c->terms.last_index - match <= c->options.inflight_entries_max;
}

static enum err check_member(const struct consensus *c, enum membership_change change, uint64_t id,
                             const struct consensus_membership *to, struct error *e) {
  uint32_t voters = consensus_membership_voters(memberships_last(&c->memberships));
  if (change != MEMBERSHIP_ADD && id == c->member_id)
    REFUSE(ERR_INVALID, "a leader does not take its own vote: hand leadership on first");
  if (change == MEMBERSHIP_PROMOTE && voters == 1)
    REFUSE(ERR_INVALID, "a group with one voter does not grow: form it with three");
  if (change == MEMBERSHIP_PROMOTE && !has_caught_up(c, id)) REFUSE(ERR_INVALID, "member %" PRIu64 " has not caught up", id);
  if (consensus_membership_voters(to) < 2 && voters >= 2) REFUSE(ERR_INVALID, "the last but one voter stays");
  return ERR_OK;
}

/// All that may speak against a change, in the order in which the caller can do something about it.
static enum err check_change(const struct consensus *c, const struct consensus_membership *to, struct error *e) {
  if (!is_open(c) || engine_transferee(c->engine) != 0) REFUSE(ERR_NOT_LEADER, "this member is not the leader, or not yet open");
  TRY(membership_check(to, e));
  if (MUTANT(raft_change_procedure)) return ERR_OK;
  uint64_t id = 0;
  enum membership_change change = membership_difference(memberships_last(&c->memberships), to, &id);
  if (change == MEMBERSHIP_SAME || change == MEMBERSHIP_OTHER) {
    REFUSE(ERR_INVALID, "a change adds one learner, or promotes, demotes or removes one member");
  }
  if (MUTANT(raft_two_changes)) return ERR_OK;
  if (engine_uncommitted_change(c->engine) != 0 || engine_catching_up(c->engine) != 0) {
    REFUSE(ERR_BUSY, "a membership change or a catch-up is under way");
  }
  TRY(check_member(c, change, id, to, e));
  if (!has_the_last_change(c, to, change == MEMBERSHIP_DEMOTE || change == MEMBERSHIP_REMOVE))
    REFUSE(ERR_BUSY, "not every voter has the last change yet");
  return ERR_OK;
}

/// The entry is in force as soon as it is in the log (4.1). It goes alone: the engine would keep what stood before a refused one
/// (D7).
static enum err submit_change(struct consensus *c, const struct consensus_membership *to, struct error *e) {
  struct consensus_membership membership = *to;
  membership.index = c->terms.last_index + 1;
  struct consensus_entry entry = {
      .index = membership.index, .term = engine_term(c->engine), .kind = CONSENSUS_MEMBERSHIP, .membership = &membership};
  struct engine_output out;
  TRY(engine_submit(c->engine, c->now_ms, &entry, 1, &out, e));
  TRY(update_absorb(c, &out, NULL, e));
  return MUTANT(raft_two_changes) ? committed_before(c, membership.index + 1, e) : ERR_OK;
}

enum err consensus_change(struct consensus *c, uint64_t now_ms, const struct consensus_membership *to, struct error *e) {
  TRY(usable(c, e));
  TRY(check_change(c, to, e));
  update_begin(c, now_ms);
  return update_finish(c, submit_change(c, to, &c->failure), e);
}

// ---- catching up ----

/// The engine looks at a round only when the learner acknowledges something new. One that has all already gets a no-op to
/// acknowledge.
static enum err catch_up(struct consensus *c, uint64_t id, struct error *e) {
  struct engine_output out;
  bool has_all = engine_match_index(c->engine, id) == c->terms.last_index;
  TRY(engine_catch_up(c->engine, c->now_ms, id, &out, e));
  TRY(update_absorb(c, &out, NULL, e));
  if (!has_all) return ERR_OK;
  struct consensus_entry noop = {.term = engine_term(c->engine), .kind = CONSENSUS_NOOP};
  TRY(engine_submit(c->engine, c->now_ms, &noop, 1, &out, e));
  return update_absorb(c, &out, NULL, e);
}

enum err consensus_catch_up(struct consensus *c, uint64_t now_ms, uint64_t member_id, struct error *e) {
  TRY(usable(c, e));
  if (!is_open(c) || engine_transferee(c->engine) != 0) REFUSE(ERR_NOT_LEADER, "this member is not the leader, or not yet open");
  const struct consensus_member *member = consensus_membership_find(memberships_last(&c->memberships), member_id);
  if (member == NULL || member->role != CONSENSUS_LEARNER)
    REFUSE(ERR_INVALID, "member %" PRIu64 " is no learner here", member_id);
  if (engine_catching_up(c->engine) != 0) REFUSE(ERR_BUSY, "a learner is being caught up already");
  update_begin(c, now_ms);
  return update_finish(c, catch_up(c, member_id, &c->failure), e);
}
