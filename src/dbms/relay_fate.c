// What became of a commit whose answer did not come. Nobody needs to remember it: it is in the log, or is not.
//
// The transaction's entry, if there is one, says who asked for it (struct dbms_origin) and lies behind the place that was told
// when it began. Whoever leads now is asked to begin another transaction under the same origin: it does so when the first one is
// over there, or at once if it was another leader's, of whose term nothing is committed any more. What it has applied by then
// settles the matter: this server waits until it has applied as much, and looks.
#include "dbms/relay_int.h"

#include "base/mutant.h"
#include "graph/replica.h"
#include "graph/tx.h"

static enum err not_known(struct relay *r, struct error *e) {
  return error_set(e, ERR_COMMIT_UNKNOWN,
                   "It is not known whether the transaction on database '%.*s' was committed: the server that carried it out was "
                   "lost, and the log here does not tell. Look before you do it again.",
                   STR_ARG(r->database->name));
}

enum err relay_fate_unknown(struct relay *r, enum err err, struct error *e) {
  return err == ERR_COMMIT_UNKNOWN || err == ERR_TX_TERMINATED ? err : not_known(r, e);
}

enum err relay_ask_fate(struct relay *r, struct error *e) {
  if (r->in_transactions) return not_known(r, e); // of those inside nobody asked in particular
  r->asks_fate = true;
  r->look_from = r->place.last + 1;
  r->fence = (struct dbms_place){0};
  return relay_find(r, RELAY_FENCE);
}

enum err relay_state_fence(struct relay *r, struct dbms_op *op UNUSED, struct error *e UNUSED) {
  if (!r->asked) {
    r->op.begin = (struct dbms_tx_options){
        .database = r->database->name, .timeout_ms = 0, .read_only = true, .metadata = V_NULL, .origin = r->origin};
    return relay_ask(r, DBMS_BEGIN);
  }
  r->asked = false;
  if (r->op.err != ERR_OK) {
    if (r->op.err == ERR_CLOSED || r->op.err == ERR_UNREACHABLE) relay_hang_up(r);
    r->peer.failed = true;
    return relay_find(r, RELAY_FENCE);
  }
  r->fence = r->op.begun.place;
  return relay_go(r, RELAY_UNFENCE);
}

enum err relay_state_unfence(struct relay *r, struct dbms_op *op UNUSED, struct error *e UNUSED) {
  if (!r->asked) return relay_ask(r, DBMS_ROLLBACK);
  r->asked = false;
  if (r->op.err != ERR_OK) relay_hang_up(r);
  return relay_go(r, r->kind == RELAY_QUESTION ? RELAY_REST : RELAY_REACH);
}

enum err relay_state_reach(struct relay *r, struct dbms_op *op UNUSED, struct error *e) {
  TRY(database_enter(r->database, e));
  uint64_t applied = graph_tx_last_committed(r->database->graph);
  enum err failed = graph_failure(r->database->graph, NULL);
  database_leave(r->database);
  bool reached = applied >= r->fence.last || MUTANT(relay_reach);
  if (reached) return relay_go(r, RELAY_LOOK);
  if (failed != ERR_OK || clock_monotonic_ns(r->session->dbms->options.clock) >= r->until_ns) {
    r->fence = (struct dbms_place){0};
    return relay_go(r, RELAY_LOOK);
  }
  r->wait = RELAY_WAIT_APPLIED;
  r->session->bookmark_deadline_ns = r->until_ns;
  return ERR_WAIT;
}

/// The rows of what is carried out as one auto-commit went with its server.
static enum err committed(struct relay *r, uint64_t index, struct error *e) {
  r->asks_fate = false;
  if (!r->has_summary && r->rows.width > 0) {
    return error_set(e, ERR_COMMIT_UNKNOWN,
                     "The statement was committed in transaction %llu, but its result was lost with the server that had it.",
                     (unsigned long long) index);
  }
  if (!r->has_summary)
    r->summary =
        (struct dbms_summary){.type = r->schema ? "s" : "w", .database = r->database->name, .plan = V_NULL, .profile = V_NULL};
  r->has_summary = true;
  r->generation = 0; // that of the store here
  return relay_note_commit_at(r, index);
}

enum err relay_state_look(struct relay *r, struct dbms_op *op UNUSED, struct error *e) {
  if (!r->session->on_worker) return ERR_AGAIN; // the log is read from the disk
  uint64_t index = 0;
  bool settled = r->fence.term != 0;
  TRY(database_enter(r->database, e));
  uint64_t last = settled ? r->fence.last : graph_tx_last_committed(r->database->graph);
  struct graph_origin origin = {r->origin.member, r->origin.sequence};
  enum err err = graph_find_origin(r->database->graph, origin, &r->look_from, last, &index, NULL);
  database_leave(r->database);
  if (err == ERR_WAIT) return ERR_AGAIN;
  if (err == ERR_OK && index != 0) return committed(r, index, e);
  return err == ERR_OK && settled ? relay_again(r, e) : not_known(r, e);
}
