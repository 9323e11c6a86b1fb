// What an answer that is an error means: whether the thing was refused, or may have been done, and so whether it is done again
// somewhere else, looked for, or told to the client.
#include "dbms/relay_int.h"

#include "base/mutant.h"

bool relay_is_refused(enum err err) {
  return err == ERR_NOT_LEADER || err == ERR_DATABASE_UNAVAILABLE || err == ERR_UNREACHABLE;
}

bool relay_is_lost(enum err err) {
  return err == ERR_CLOSED || err == ERR_TX_LOG || err == ERR_IO || err == ERR_INTERNAL;
}

bool relay_is_late(const struct relay *r) {
  return r->interrupted == ERR_OK && clock_monotonic_ns(r->session->dbms->options.clock) >= r->until_ns;
}

bool relay_is_gone(enum err err) {
  return err == ERR_CLOSED || err == ERR_UNREACHABLE;
}

/// A driver that retries does so: none of its servers is at fault. Unless something stands, which would be there already.
static enum err try_again_yourself(struct relay *r, struct error *e) {
  bool stands = r->offset != 0;
  relay_end(r);
  if (stands)
    return error_set(e, ERR_COMMIT_UNKNOWN,
                     "The transaction was lost with the leader of the database, but the change of the schema that it began with "
                     "stands. Nothing else of it was done.");
  return error_set(e, ERR_OUTDATED,
                   "The transaction was not committed: the leader of the database has changed, or was lost. Retry it.");
}

/// Of an explicit transaction the client has seen that it was begun, and no more: a COMMIT was sent for none of its statements.
enum err relay_again(struct relay *r, struct error *e) {
  bool unseen = (r->kind == RELAY_EXPLICIT ? r->untouched : !r->delivered) || MUTANT(relay_again);
  r->asks_fate = false;
  if (!r->kept.whole || !unseen) return try_again_yourself(r, e);
  r->at_risk = r->schema_sent = false;
  return relay_find(r, r->kind == RELAY_PLAIN ? RELAY_RUN : RELAY_BEGIN);
}

/// However long it was at work until its server was lost, the next one is waited for as long as the first.
static void wait_anew(struct relay *r) {
  if (r->losses++ < RELAY_LOSSES_MAX) r->until_ns = 0;
}

enum err relay_failed(struct relay *r, struct dbms_op *op, struct error *e) {
  enum err err = r->op.err;
  bool refused = relay_is_refused(err), lost = relay_is_lost(err);
  bool earlier = r->schema || r->in_transactions || r->schema_sent; // a part of it may have been done
  bool uncertain = lost || (refused && earlier);
  if (relay_is_gone(err))
    relay_hang_up(r);
  else
    r->peer.failed = true;
  if (uncertain || refused) wait_anew(r);
  if (uncertain && r->at_risk) return relay_ask_fate(r, e);
  if (refused || err == ERR_CLOSED) return relay_again(r, e);
  relay_end(r);
  op->error = r->op.error;
  return err;
}
