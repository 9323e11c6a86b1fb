// What the engine says, corrected where its words would do harm.
#include "consensus/mutate.h"

/// G8 (D9): a denied pre-vote is answered by the engine with the candidate's own term. Then a candidate of a lower term with the
/// longer log never learns the higher term, and a pair of {higher term, shorter log} and {lower term, longer log} elects nobody
/// for ever. So it gets our term.
static void correct_vote_result(const struct consensus *c, struct consensus_message *m) {
  if (MUTANT(raft_pre_vote_term)) return;
  if (m->vote_result.pre_vote && !m->vote_result.granted) m->term = MAX(m->term, engine_term(c->engine));
}

/// G9 (D11): the engine goes back one index a round trip. The hint skips the whole term that does not match (paper, section 5.3),
/// not below what is committed, which always matches.
static void correct_rejection(const struct consensus *c, struct consensus_message *m) {
  uint64_t rejected = m->append_result.rejected;
  if (rejected == 0 || MUTANT(raft_rejection_hint)) return;
  if (rejected < c->terms.first_index || rejected > c->terms.last_index) return;
  uint64_t hint = MAX(terms_run_start(&c->terms, rejected) - 1, c->commit_index);
  m->append_result.last_index = MIN(m->append_result.last_index, hint);
}

bool outgoing_correct(const struct consensus *c, struct consensus_message *m) {
  if (m->peer == c->member_id || m->peer == 0) return false;
  switch (m->type) {
  case CONSENSUS_VOTE_RESULT: correct_vote_result(c, m); break;
  case CONSENSUS_APPEND_RESULT: correct_rejection(c, m); break;
  case CONSENSUS_INSTALL:
    m->install.membership = memberships_at(&c->memberships, m->install.last_index);
    if (m->install.membership == NULL) return false;
    break;
  default: break;
  }
  mutate_outgoing(c, m);
  return true;
}
