#include "consensus/mutate.h"

/// Dissertation 3.6.1 without its last condition.
static bool vote_is_up_to_date(const struct consensus_message *m) {
  return m->type == CONSENSUS_VOTE && MUTANT(raft_vote_up_to_date);
}

void mutate_incoming(const struct consensus *c, struct consensus_message *m) {
  if (vote_is_up_to_date(m)) {
    m->vote.last_term = terms_last(&c->terms);
    m->vote.last_index = c->terms.last_index;
  }
}

void mutate_outgoing(const struct consensus *c, struct consensus_message *m) {
  if (m->type == CONSENSUS_VOTE_RESULT && MUTANT(raft_vote_twice)) m->vote_result.granted = true;
  if (m->type == CONSENSUS_APPEND_RESULT && m->append_result.rejected == 0 && MUTANT(raft_ack_own_last)) {
    m->append_result.last_index = c->durable_index;
  }
  if (m->type == CONSENSUS_APPEND && MUTANT(raft_commit_old_term)) m->append.commit_index = c->commit_index;
}

static bool a_majority_has(const struct consensus *c, uint64_t index) {
  const struct consensus_membership *m = memberships_last(&c->memberships);
  uint32_t count = 0;
  for (uint32_t i = 0; i < m->count; i++) {
    count += m->members[i].role == CONSENSUS_VOTER && engine_match_index(c->engine, m->members[i].id) >= index;
  }
  return count > consensus_membership_voters(m) / 2;
}

void mutate_commit(struct consensus *c, const struct consensus_message *received) {
  if (MUTANT(raft_commit_old_term) && is_leader(c)) { // figure 3.7: by counting alone
    while (c->commit_index < c->terms.last_index && a_majority_has(c, c->commit_index + 1)) c->commit_index++;
  }
  if (MUTANT(raft_commit_uncapped) && received != NULL && received->type == CONSENSUS_APPEND) { // figure 3.1, AppendEntries 5
    c->commit_index = MAX(c->commit_index, MIN(received->append.commit_index, c->terms.last_index));
  }
}

enum err mutate_written(struct consensus *c, struct error *e) {
  if (MUTANT(raft_ack_undurable)) return entries_durable(c, c->terms.last_index, e);
  if (MUTANT(raft_install_early) && c->installing) return install_durable(c, e);
  return ERR_OK;
}
