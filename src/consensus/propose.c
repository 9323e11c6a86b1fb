// Proposals: only in the term in which the caller began, only by a leader that has applied its own no-op (contract 14).
#include "consensus/consensus_int.h"

static enum err refuse(const struct consensus *c, uint64_t term, const struct consensus_entry *entries, size_t count,
                       struct error *e) {
  if (!(is_open(c) || (is_leader(c) && MUTANT(raft_propose_early))) || engine_transferee(c->engine) != 0)
    return error_set(e, ERR_NOT_LEADER, "this member is not the leader");
  if (term != engine_term(c->engine) && !MUTANT(raft_propose_term)) {
    return error_set(e, ERR_NOT_LEADER, "the leadership of term %llu is over; it is term %llu now", (unsigned long long) term,
                     (unsigned long long) engine_term(c->engine));
  }
  if (count == 0 || count > UINT32_MAX / 2) return error_set(e, ERR_INVALID, "%zu entries cannot be proposed at once", count);
  for (size_t i = 0; i < count; i++) {
    if (entries[i].kind != CONSENSUS_DATA) return error_set(e, ERR_INVALID, "only data is proposed");
  }
  return ERR_OK;
}

enum err consensus_propose(struct consensus *c, uint64_t now_ms, uint64_t term, struct consensus_entry *entries, size_t count,
                           struct error *e) {
  TRY(usable(c, e));
  TRY(refuse(c, term, entries, count, e));
  for (size_t i = 0; i < count; i++) {
    entries[i].index = c->terms.last_index + 1 + i;
    entries[i].term = engine_term(c->engine);
    entries[i].membership = NULL;
  }
  update_begin(c, now_ms);
  struct engine_output out;
  enum err err = engine_submit(c->engine, c->now_ms, entries, count, &out, &c->failure);
  if (err == ERR_OK) err = update_absorb(c, &out, NULL, &c->failure);
  return update_finish(c, err, e);
}
