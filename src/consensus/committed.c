// The engine must be told that a membership entry is committed; it keeps at most one that is not, to roll back to the one before.
#include "consensus/consensus_int.h"

/// The engine and we must mean the same entry.
static enum err tell(struct consensus *c, uint64_t index, struct error *e) {
  const struct consensus_membership *m = memberships_at(&c->memberships, index);
  if (m == NULL || m->index != index) {
    return error_set(e, ERR_INTERNAL, "the Raft engine knows a membership at %llu that the log has not",
                     (unsigned long long) index);
  }
  struct engine_output out;
  TRY(engine_committed(c->engine, c->now_ms, m, &out, e));
  return update_absorb(c, &out, NULL, e);
}

enum err committed_settle(struct consensus *c, struct error *e) {
  if (c->installing) return ERR_OK; // the engine forgets what it knew when the snapshot is there
  uint64_t index = engine_uncommitted_change(c->engine);
  return index != 0 && index <= c->commit_index ? tell(c, index, e) : ERR_OK;
}

/// Part of G2. A follower may be sent two membership entries before it hears that the first is committed (a new leader's commit
/// index is behind at first); the engine would then roll the second back to what was before the first. That a second one is in a
/// leader's log says that the first is committed (4.1: one at a time), for us as for the engine.
enum err committed_before(struct consensus *c, uint64_t index, struct error *e) {
  uint64_t pending = engine_uncommitted_change(c->engine);
  if (pending == 0 || pending >= index || MUTANT(raft_change_before)) return ERR_OK;
  c->commit_index = MAX(c->commit_index, pending);
  return tell(c, pending, e);
}
