// G4 (D4): the engine makes a sole voter leader without a new term and without a vote. After a crash it would lead the same term
// again and could write other entries where learners have the first ones. So it begins each leadership by voting for itself in a
// new term, which becomes durable like any vote: at the start by what the engine is started with (start.c), later by asking the
// engine for its own vote. That sets the election timer again, and the next timeout makes the leader.
#include "consensus/consensus_int.h"

bool is_sole_voter(const struct consensus *c) {
  return membership_is_sole_voter(memberships_last(&c->memberships), c->member_id);
}

/// The engine grants a vote to who asks for it with a log as good as its own: itself, in the next term.
static enum err vote_for_self(struct consensus *c, struct error *e) {
  uint64_t term = engine_term(c->engine) + 1;
  struct consensus_message m = {.type = CONSENSUS_VOTE, .peer = c->member_id, .term = term};
  m.vote.last_index = c->terms.last_index;
  m.vote.last_term = terms_last(&c->terms);
  m.vote.disrupt_leader = true;
  struct engine_output out;
  TRY(engine_receive(c->engine, c->now_ms, &m, &out, e));
  if (engine_vote(c->engine) == c->member_id) c->own_vote_term = term;
  return update_absorb(c, &out, &m, e);
}

enum err single_voter_prepare(struct consensus *c, bool *ret_ready, struct error *e) {
  *ret_ready = true;
  if (MUTANT(raft_sole_voter_term) || engine_state(c->engine) != CONSENSUS_FOLLOWER || !is_sole_voter(c)) return ERR_OK;
  if (c->own_vote_term == engine_term(c->engine)) return ERR_OK;
  if (c->installing || c->durable_index < c->terms.last_index) return ERR_OK; // the engine waits for the disk
  *ret_ready = false;
  return vote_for_self(c, e);
}
