// Linearizable reads without a log entry (dissertation 6.4). A leader notes its commit index when a round begins, asks all voters
// whether it still leads, and once a majority has said so after the round began, no later leader can have committed anything
// before that. A leader must have committed its own no-op first: until then its commit index may be behind (G3).
//
// Reads that come while a round is under way wait for the next: they may not rest on answers to a question asked before them.
#include <string.h>

#include "base/mem.h"
#include "consensus/consensus_int.h"

// What may wait at once: the host's queue of requests is shorter.
#define READS_MAX 65536u

void reads_done(struct consensus *c) {
  mem_free(c->reads.items);
}

/// Before its own no-op is committed a leader may not know what is (6.4).
static bool may_ask(const struct consensus *c) {
  return is_leader(c) && (c->commit_index >= c->noop_index || MUTANT(raft_read_own_noop));
}

/// Voters that say so, itself among them. Who has lost its vote since does not count.
static uint32_t confirmations(const struct consensus *c, const struct consensus_membership *m) {
  uint32_t count = membership_is_voter(m, c->member_id);
  for (uint32_t i = 0; i < c->reads.confirmed_count; i++) count += membership_is_voter(m, c->reads.confirmed[i]);
  return count;
}

/// In this round.
static bool is_confirmed_by(const struct consensus *c, uint64_t id) {
  for (uint32_t i = 0; i < c->reads.confirmed_count; i++) {
    if (c->reads.confirmed[i] == id) return true;
  }
  return false;
}

/// Of the membership in force, as for commits.
static bool has_majority(const struct consensus *c) {
  const struct consensus_membership *m = memberships_last(&c->memberships);
  return confirmations(c, m) > consensus_membership_voters(m) / 2 || MUTANT(raft_read_majority);
}

/// Asks all voters that have not confirmed the round yet.
static enum err probe(struct consensus *c, struct error *e) {
  const struct consensus_membership *m = memberships_last(&c->memberships);
  for (uint32_t i = 0; i < m->count; i++) {
    const struct consensus_member *member = &m->members[i];
    if (member->role != CONSENSUS_VOTER || member->id == c->member_id || is_confirmed_by(c, member->id)) continue;
    struct consensus_message ask = {.type = CONSENSUS_READ_PROBE, .peer = member->id, .term = engine_term(c->engine)};
    ask.read_probe.nonce = c->reads.nonce;
    TRY(update_send(c, &ask, e));
  }
  c->reads.probe_again_ms = c->now_ms + c->options.heartbeat_ms;
  return ERR_OK;
}

/// The round that all who wait now share.
static enum err round_begin(struct consensus *c, struct error *e) {
  c->reads.in_round = c->reads.count;
  c->reads.nonce++;
  c->reads.index = c->commit_index;
  c->reads.confirmed_count = 0;
  return probe(c, e);
}

/// Answers the first `count` and forgets them.
static enum err answer(struct consensus *c, size_t count, bool failed, struct error *e) {
  struct reads *r = &c->reads;
  for (size_t i = 0; i < count; i++) TRY(update_read_result(c, r->items[i].id, failed ? 0 : r->index, failed, e));
  r->count -= count;
  r->in_round -= MIN(r->in_round, count);
  if (r->count > 0) memmove(r->items, r->items + count, r->count * sizeof *r->items);
  return ERR_OK;
}

/// Deadlines ascend: those who are late stand in front.
static size_t late(const struct consensus *c) {
  size_t count = 0;
  while (count < c->reads.count && c->reads.items[count].deadline_ms <= c->now_ms) count++;
  return count;
}

enum err reads_settle(struct consensus *c, struct error *e) {
  struct reads *r = &c->reads;
  if (!is_leader(c)) return answer(c, r->count, true, e);
  if (r->in_round > 0 && MUTANT(raft_read_round)) r->in_round = r->count;
  if (r->in_round > 0 && has_majority(c)) TRY(answer(c, r->in_round, false, e));
  TRY(answer(c, late(c), true, e));
  if (r->in_round == 0 && r->count > 0 && may_ask(c)) {
    TRY(round_begin(c, e));
    return has_majority(c) ? answer(c, r->in_round, false, e) : ERR_OK; // a sole voter is its own majority
  }
  return r->in_round > 0 && c->now_ms >= r->probe_again_ms ? probe(c, e) : ERR_OK;
}

uint64_t reads_wake_ms(const struct consensus *c) {
  const struct reads *r = &c->reads;
  if (r->count == 0) return UINT64_MAX;
  return r->in_round > 0 ? MIN(r->items[0].deadline_ms, r->probe_again_ms) : r->items[0].deadline_ms;
}

/// Yes, if the asker leads the very term that is durable here.
enum err reads_receive_probe(struct consensus *c, const struct consensus_message *m, struct error *e) {
  struct consensus_message reply = {.type = CONSENSUS_READ_PROBE_RESULT, .peer = m->peer, .term = engine_term(c->engine)};
  reply.read_probe_result.nonce = m->read_probe.nonce;
  reply.read_probe_result.confirmed =
      (m->term == engine_term(c->engine) && engine_leader(c->engine) == m->peer) || MUTANT(raft_read_term);
  return update_send(c, &reply, e);
}

enum err reads_receive_result(struct consensus *c, const struct consensus_message *m, struct error *e) {
  struct reads *r = &c->reads;
  bool counts = is_leader(c) && r->in_round > 0 && m->read_probe_result.confirmed && m->read_probe_result.nonce == r->nonce &&
                (m->term == engine_term(c->engine) || MUTANT(raft_read_term)) && !is_confirmed_by(c, m->peer) &&
                membership_is_voter(memberships_last(&c->memberships), m->peer);
  if (counts && r->confirmed_count < CONSENSUS_MEMBERS_MAX) r->confirmed[r->confirmed_count++] = m->peer;
  return ERR_OK;
}

enum err consensus_read(struct consensus *c, uint64_t now_ms, uint64_t read_id, struct error *e) {
  TRY(usable(c, e));
  struct reads *r = &c->reads;
  if (!is_leader(c)) return error_set(e, ERR_NOT_LEADER, "this member is not the leader");
  if (r->count >= READS_MAX) return error_set(e, ERR_BUSY, "%u reads are waiting already", READS_MAX);
  update_begin(c, now_ms);
  enum err err = array_grow(&r->items, &r->capacity, r->count, sizeof *r->items, &c->failure);
  if (err == ERR_OK) {
    r->items[r->count++] = (struct waiting_read){.id = read_id, .deadline_ms = c->now_ms + c->options.election_timeout_ms};
  }
  return update_finish(c, err, e);
}
