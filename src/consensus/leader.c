// What a leadership begins with, and handing it on.
#include <string.h>

#include "consensus/consensus_int.h"

bool is_leader(const struct consensus *c) {
  return engine_state(c->engine) == CONSENSUS_LEADER;
}

bool is_open(const struct consensus *c) {
  return is_leader(c) && c->led_term == engine_term(c->engine) && c->applied_index >= c->noop_index;
}

/// G3 (D2): every leader begins with an entry of its own term, which commits all before it (3.6.2) and without which it may
/// neither change the membership (the single-server bug of 2015) nor answer a linearizable read (6.4). The engine makes one by
/// itself only when its log goes beyond what it knows to be committed.
static enum err noop_submit(struct consensus *c, struct error *e) {
  struct consensus_entry noop = {.term = engine_term(c->engine), .kind = CONSENSUS_NOOP};
  struct engine_output out;
  TRY(engine_submit(c->engine, c->now_ms, &noop, 1, &out, e));
  return update_absorb(c, &out, NULL, e);
}

/// The last entry is of that term. A snapshot's is not: it may be another's.
static bool ends_in(const struct terms *t, uint64_t term) {
  return t->last_index >= t->first_index && terms_last(t) == term;
}

void leader_forget(struct consensus *c) {
  if (c->led_term == 0) return;
  c->led_term = 0;
  c->noop_index = 0;
  memset(c->heard, 0, sizeof c->heard);
}

/// Its place: one that is free if it has none, or the one that was heard longest ago.
void leader_hears(struct consensus *c, uint64_t member_id) {
  size_t place = 0;
  for (size_t i = 0; i < ARRAY_SIZE(c->heard); i++) {
    if (c->heard[i].id == member_id) {
      place = i;
      break;
    }
    if (c->heard[i].ms < c->heard[place].ms) place = i;
  }
  c->heard[place].id = member_id;
  c->heard[place].ms = c->now_ms;
}

bool leader_has_heard(const struct consensus *c, uint64_t member_id) {
  if (member_id == c->member_id || c->now_ms - c->led_since_ms < c->options.election_timeout_ms) return true;
  for (size_t i = 0; i < ARRAY_SIZE(c->heard); i++) {
    if (c->heard[i].id == member_id) return c->now_ms - c->heard[i].ms < c->options.election_timeout_ms;
  }
  return false;
}

enum err leader_settle(struct consensus *c, struct error *e) {
  if (!is_leader(c)) {
    leader_forget(c);
    return ERR_OK;
  }
  uint64_t term = engine_term(c->engine);
  if (c->led_term == term) return ERR_OK;
  c->led_term = term;
  c->led_since_ms = c->now_ms;
  c->own_vote_term = 0;
  if (!ends_in(&c->terms, term) && !MUTANT(raft_own_noop)) TRY(noop_submit(c, e));
  c->noop_index = ends_in(&c->terms, term) ? terms_run_start(&c->terms, c->terms.last_index) : 0;
  return ERR_OK;
}

/// The other voter that has most of the log, of those that answer; 0 if none does. The engine would take any.
static uint64_t best_successor(const struct consensus *c, const struct consensus_membership *m) {
  uint64_t best = 0, best_match = 0;
  for (uint32_t i = 0; i < m->count; i++) {
    uint64_t id = m->members[i].id, match = engine_match_index(c->engine, id);
    if (id == c->member_id || m->members[i].role != CONSENSUS_VOTER || !leader_has_heard(c, id) || match <= best_match) continue;
    best = id;
    best_match = match;
  }
  return best;
}

enum err consensus_transfer(struct consensus *c, uint64_t now_ms, uint64_t member_id, struct error *e) {
  TRY(usable(c, e));
  if (!is_leader(c)) return error_set(e, ERR_NOT_LEADER, "this member is not the leader");
  if (engine_transferee(c->engine) != 0) return error_set(e, ERR_BUSY, "leadership is being handed on already");
  const struct consensus_membership *m = memberships_last(&c->memberships);
  if (member_id == c->member_id || (member_id != 0 && !membership_is_voter(m, member_id))) {
    return error_set(e, ERR_INVALID, "leadership goes to another voter, which %llu is not", (unsigned long long) member_id);
  }
  if (member_id == 0) member_id = best_successor(c, m);
  if (member_id == 0) return error_set(e, ERR_INVALID, "there is no other voter that answers");
  update_begin(c, now_ms);
  struct engine_output out;
  enum err err = engine_transfer(c->engine, c->now_ms, member_id, &out, &c->failure);
  if (err == ERR_OK) err = update_absorb(c, &out, NULL, &c->failure);
  return update_finish(c, err, e);
}
