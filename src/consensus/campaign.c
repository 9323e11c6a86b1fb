// When a member stands for election before its timeout is over, and whom it still takes for its leader. Times alone are moved:
// who gets a vote, and that nobody's term rises before a majority has agreed (pre-vote, 9.6), stays the engine's.
#include "base/checksum.h"
#include "consensus/consensus_int.h"

// ---- the leader ----

void campaign_leader_heard(struct consensus *c, uint64_t leader) {
  c->leader_id = leader;
  c->leader_ms = c->now_ms;
  if (MUTANT(raft_lost_heard)) return;
  c->leader_lost = false;
  c->campaign_ms = 0;
}

/// G14: the engine denies votes as long as it has a leader, and it has one until its own timeout, which is drawn at random above
/// the shortest. So a group without its leader would wait for its last member to find out, not for its first. Votes are denied
/// "within the minimum election timeout of hearing from a current leader" (4.2.3), no longer.
static bool leader_is_silent(const struct consensus *c) {
  return c->now_ms - c->leader_ms >= c->options.election_timeout_ms && !MUTANT(raft_silent_leader);
}

bool campaign_leader_gone(const struct consensus *c) {
  if (engine_state(c->engine) != CONSENSUS_FOLLOWER) return false;
  return engine_leader(c->engine) == 0 || c->leader_lost || leader_is_silent(c) || MUTANT(raft_leader_heard);
}

// ---- standing ----

/// In what order members stand: the same for all members of a group, another in each group, so that the groups of a server that
/// is gone are not all led by the same one afterwards.
static uint64_t order(const struct consensus *c, uint64_t member_id) {
  return hash_u64(c->options.group ^ hash_u64(member_id));
}

/// How many voters stand before this one, without the leader that is gone and `asker`.
static uint32_t turn(const struct consensus *c, uint64_t asker) {
  const struct consensus_membership *m = memberships_last(&c->memberships);
  uint32_t before = 0;
  for (uint32_t i = 0; i < m->count; i++) {
    uint64_t id = m->members[i].id;
    if (m->members[i].role != CONSENSUS_VOTER || id == c->leader_id || id == asker) continue;
    before += order(c, id) < order(c, c->member_id);
  }
  return MUTANT(raft_lost_turn) ? 0 : before;
}

/// Half a heartbeat, in which a vote can be asked for and given (a heartbeat exceeds a round trip with a sync): two that stand
/// together take each other's votes away (3.4).
static uint64_t turns_ms(const struct consensus *c, uint32_t turns) {
  return turns * ((c->options.heartbeat_ms + 1u) / 2);
}

static void stand_after(struct consensus *c, uint32_t turns) {
  if (!membership_is_voter(memberships_last(&c->memberships), c->member_id)) return;
  uint64_t at_ms = c->now_ms + turns_ms(c, turns);
  c->campaign_ms = c->campaign_ms == 0 ? at_ms : MIN(c->campaign_ms, at_ms);
}

/// The engine asks for votes with what is durable of its log, and does not before all of it is: it would begin its timeout anew.
static bool is_ready(const struct consensus *c) {
  return (!c->installing && c->durable_index == c->terms.last_index) || MUTANT(raft_lost_durable);
}

uint64_t campaign_wake_ms(const struct consensus *c) {
  return c->campaign_ms != 0 && !is_leader(c) ? c->campaign_ms : UINT64_MAX;
}

bool campaign_is_due(struct consensus *c) {
  if (c->now_ms < campaign_wake_ms(c)) return false;
  if (is_ready(c)) return true;
  c->campaign_ms = c->now_ms + turns_ms(c, consensus_membership_voters(memberships_last(&c->memberships)));
  return false;
}

// ---- what leads to it ----

/// The candidate's log is older than ours (3.6.1), so that it would vote for us.
static bool is_older(const struct consensus *c, const struct consensus_message *m) {
  uint64_t term = terms_last(&c->terms);
  return m->vote.last_term < term || (m->vote.last_term == term && m->vote.last_index < c->terms.last_index);
}

/// Who has given its vote away does not stand against it.
void campaign_vote_given(struct consensus *c) {
  if (!MUTANT(raft_lost_granted)) c->campaign_ms = 0;
}

/// G16: a candidate that lacks an entry which was on its way when the leader went would be refused, and the group wait for
/// another timeout. Who refuses it can win, and stands at once.
void campaign_vote_refused(struct consensus *c, const struct consensus_message *m) {
  bool without_leader = engine_in_pre_vote(c->engine) || campaign_leader_gone(c);
  bool may_vote = membership_is_voter(memberships_last(&c->memberships), m->peer);
  if (!m->vote.pre_vote || !may_vote || !without_leader || !is_older(c, m) || MUTANT(raft_shorter_log)) return;
  stand_after(c, turn(c, m->peer));
}

/// G17: where two stood together neither can win any more, and the engine would draw both a whole timeout.
void campaign_answered(struct consensus *c, const struct consensus_message *m, bool was_pre_vote) {
  if (engine_state(c->engine) != CONSENSUS_CANDIDATE || engine_in_pre_vote(c->engine)) return;
  if (was_pre_vote) {
    c->campaign_ms = 0; // the election proper has begun
  } else if (!m->vote_result.granted && !m->vote_result.pre_vote && m->term == engine_term(c->engine) &&
             !MUTANT(raft_split_vote)) {
    stand_after(c, 1 + turn(c, 0));
  }
}

/// G15: the engine knows of silence alone.
enum err consensus_lost(struct consensus *c, uint64_t now_ms, uint64_t member_id, struct error *e) {
  TRY(usable(c, e));
  update_begin(c, now_ms);
  bool led = engine_state(c->engine) == CONSENSUS_FOLLOWER && engine_leader(c->engine) == member_id;
  if (led && !MUTANT(raft_lost_leader)) {
    c->leader_lost = true;
    stand_after(c, 1 + turn(c, 0));
  }
  return update_finish(c, ERR_OK, e);
}
