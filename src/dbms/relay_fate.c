// What became of a commit whose answer did not come. Nobody needs to remember it: it is in the log, or is not.
//
// The transaction's entry, if there is one, says who asked for it (struct dbms_origin) and lies behind the place that was told
// when it began. Whoever leads now is asked to begin another transaction under the same origin: it does so when the first one is
// over there, or at once if it was another leader's, of whose term nothing is committed any more. What it has applied by then
// settles the matter: this server waits until it has applied as much, and looks.
#include <stdio.h>

#include "dbms/relay_int.h"

#include "base/mutant.h"
#include "graph/replica.h"
#include "graph/tx.h"

static enum err not_known(struct relay *r, struct error *e) {
  if (r->schema)
    return error_set(
        e, ERR_COMMIT_UNKNOWN,
        "It is not known whether the schema of database '%.*s' was changed: the server that carried it out was lost. "
        "SHOW INDEXES and SHOW CONSTRAINTS tell.",
        STR_ARG(r->name));
  return error_set(e, ERR_COMMIT_UNKNOWN,
                   "It is not known whether the transaction on database '%.*s' was committed: the server that carried it out was "
                   "lost, and the log here does not tell. Look before you do it again.",
                   STR_ARG(r->name));
}

enum err relay_fate_unknown(struct relay *r, enum err err, struct error *e) {
  return err == ERR_COMMIT_UNKNOWN || err == ERR_TX_TERMINATED ? err : not_known(r, e);
}

/// Then what the leader has then never comes here.
static bool log_has_failed(struct relay *r) {
  if (database_enter(r->database, NULL) != ERR_OK) return true;
  bool failed = graph_failure(r->database->graph, NULL) != ERR_OK;
  database_leave(r->database);
  return failed;
}

enum err relay_ask_fate(struct relay *r, struct error *e) {
  if (r->in_transactions) return not_known(r, e); // of those inside nobody asked in particular
  r->asks_fate = true;
  r->asks_leader = r->database == NULL || log_has_failed(r);
  r->look_from = r->place.last + 1;
  r->fence = (struct dbms_place){0};
  r->found_here = (struct graph_found){0};
  r->fate = DBMS_FATE_UNASKED;
  return relay_find(r, RELAY_FENCE);
}

/// Who led before whoever has carried the transaction out, and does not know that it is over, knows nothing of it.
static bool is_earlier(const struct dbms_place *told, const struct dbms_place *begun) {
  return (told->term < begun->term || told->last < begun->last) && !MUTANT(relay_earlier);
}

enum err relay_state_fence(struct relay *r, struct dbms_op *op UNUSED, struct error *e UNUSED) {
  if (!r->asked) {
    r->op.begin = (struct dbms_tx_options){.database = r->name,
                                           .database_id = relay_database_id(r),
                                           .timeout_ms = 0,
                                           .read_only = true,
                                           .metadata = V_NULL,
                                           .origin = r->origin,
                                           .asks_fate = r->asks_leader,
                                           .wants_verdict = r->asks_leader,
                                           .behind = r->place.last};
    return relay_ask(r, DBMS_BEGIN);
  }
  r->asked = false;
  if (relay_is_gone(r->op.err)) relay_hang_up(r);
  if (r->op.err != ERR_OK || is_earlier(&r->op.begun.place, &r->place)) {
    r->peer.failed = true;
    return relay_find(r, RELAY_FENCE);
  }
  r->fence = r->op.begun.place;
  r->fate = r->op.begun.fate.outcome;
  snprintf(r->fate_bookmark, sizeof r->fate_bookmark, "%.*s", STR_ARG(r->op.begun.fate.bookmark));
  return relay_go(r, RELAY_UNFENCE);
}

enum err relay_state_unfence(struct relay *r, struct dbms_op *op UNUSED, struct error *e UNUSED) {
  if (!r->asked) return relay_ask(r, DBMS_ROLLBACK);
  r->asked = false;
  if (r->op.err != ERR_OK) relay_hang_up(r);
  if (r->kind == RELAY_QUESTION) return relay_go(r, RELAY_REST);
  return relay_go(r, r->asks_leader ? RELAY_LOOK : RELAY_REACH);
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

/// The rows of what is carried out as one auto-commit went with its server. All that stands of an explicit transaction before its
/// COMMIT is a change of the schema.
static enum err committed(struct relay *r, const struct dbms_op *op, struct error *e) {
  r->asks_fate = false;
  if (r->kind == RELAY_EXPLICIT && op->kind == DBMS_COMMIT) return ERR_OK;
  if (r->kind == RELAY_EXPLICIT && !(r->untouched && r->kept.whole))
    return error_set(e, ERR_COMMIT_UNKNOWN,
                     "The transaction was lost with the server that carried it out, but a change of the schema that it has made "
                     "stands. Whether the last one does, SHOW INDEXES and SHOW CONSTRAINTS tell.");
  if (r->kind == RELAY_PLAIN && !r->has_summary && r->rows.width > 0)
    return error_set(e, ERR_COMMIT_UNKNOWN, "The statement was committed, but its result was lost with the server that had it.");
  if (!r->has_summary)
    r->summary = (struct dbms_summary){.type = r->schema ? "s" : "w", .database = r->name, .plan = V_NULL, .profile = V_NULL};
  r->has_summary = true;
  return ERR_OK;
}

enum err relay_tell_what_stands(struct relay *r, struct dbms_op *op) {
  r->stands = r->untouched = false;
  r->offset = 1;
  r->newest = r->ahead_of = 0;
  r->ahead = true;
  op->ran = (typeof(op->ran)){.database = r->name};
  return relay_go(r, RELAY_REST);
}

static enum err not_made(struct relay *r, struct error *e) {
  r->asks_fate = false; // it is known
  return error_set(e, ERR_CONSTRAINT_CREATION,
                   "Unable to create the constraint: the server that carried it out was lost, and database '%.*s' has no such "
                   "constraint. Its data break it, or it was dropped since.",
                   STR_ARG(r->name));
}

/// What was found is of the statement whose answer was lost: in an explicit transaction, of the first one.
static bool is_of_first(const struct relay *r) {
  return r->kind != RELAY_EXPLICIT || r->untouched;
}

/// Whoever leads has looked into its own log, as far as it goes. A constraint that was made and is not there any more, a later
/// statement may have dropped.
static enum err look_elsewhere(struct relay *r, const struct dbms_op *op, struct error *e) {
  if (r->fate == DBMS_FATE_NOT_MADE && is_of_first(r)) return not_made(r, e);
  if (r->fate == DBMS_FATE_NOT_COMMITTED) return relay_again(r, e);
  if (r->fate != DBMS_FATE_COMMITTED) return not_known(r, e);
  TRY(committed(r, op, e));
  return relay_note_commit(r, str_of(r->fate_bookmark));
}

/// The log here does not go back so far, or does not go on: there is that of whoever leads.
static enum err ask_leader(struct relay *r, struct error *e) {
  if (r->asks_leader) return not_known(r, e);
  r->asks_leader = true;
  return relay_find(r, RELAY_FENCE);
}

/// All that there is of it is applied here.
static bool is_settled(const struct relay *r) {
  return r->fence.term != 0 && !r->asks_leader;
}

/// A constraint is made when whoever leads then has looked at the data and said so, in an entry that comes later and is waited
/// for. The bookmark covers that, and whatever else the transaction has changed in the schema: all of it is applied.
static enum err found(struct relay *r, struct dbms_op *op, struct error *e) {
  enum graph_index_state state = GRAPH_INDEX_ONLINE;
  TRY(database_enter(r->database, e));
  if (r->found_here.constraint != 0 && is_of_first(r)) state = graph_constraint_state(r->database->graph, r->found_here.constraint);
  uint64_t applied = graph_tx_last_committed(r->database->graph);
  enum err failed = graph_failure(r->database->graph, NULL);
  database_leave(r->database);
  bool more = r->found_here.schema && op->kind == DBMS_COMMIT; // changes than this one, maybe
  if (more && !is_settled(r)) return ask_leader(r, e);
  if (state == GRAPH_INDEX_FAILED) return not_made(r, e);
  if (state == GRAPH_INDEX_POPULATING) {
    if (failed != ERR_OK || clock_monotonic_ns(r->session->dbms->options.clock) >= r->until_ns) return not_known(r, e);
    r->fence.last = applied + 1;
    return relay_go(r, RELAY_REACH);
  }
  TRY(committed(r, op, e));
  r->generation = 0; // that of the store here
  return relay_note_commit_at(r, r->found_here.schema ? applied : r->found_here.index);
}

/// What is in it is committed, whether all is there or not.
static enum err look_here(struct relay *r, struct dbms_op *op, struct error *e) {
  if (r->found_here.index != 0) return found(r, op, e);
  bool settled = is_settled(r);
  TRY(database_enter(r->database, e));
  uint64_t last = settled ? r->fence.last : graph_tx_last_committed(r->database->graph);
  struct graph_origin origin = {r->origin.member, r->origin.sequence};
  enum err err = graph_find_origin(r->database->graph, origin, &r->look_from, last, &r->found_here, NULL);
  database_leave(r->database);
  if (err == ERR_WAIT) return ERR_AGAIN;
  if (err == ERR_OK && r->found_here.index != 0) return found(r, op, e);
  return err == ERR_OK && settled ? relay_again(r, e) : ask_leader(r, e);
}

enum err relay_state_look(struct relay *r, struct dbms_op *op, struct error *e) {
  bool told = r->fate != DBMS_FATE_UNASKED && r->fate != DBMS_FATE_UNKNOWN;
  if (r->database == NULL || (r->asks_leader && told)) return look_elsewhere(r, op, e);
  return r->session->on_worker ? look_here(r, op, e) : ERR_AGAIN; // the log is read from the disk
}
