// How a transaction at the other server ends: it is committed there and then applied here, or rolled back.
#include "dbms/relay_int.h"

#include <stdio.h>

#include "graph/tx.h"

enum err relay_note_commit_at(struct relay *r, uint64_t id) {
  const struct dbms *d = r->session->dbms;
  r->id = id;
  r->committed = true;
  r->wait_until_ns = clock_monotonic_ns(d->options.clock) + d->options.config->bookmark_timeout_ms * NS_PER_MS;
  return relay_go(r, RELAY_APPLY);
}

enum err relay_note_commit(struct relay *r, struct str bookmark) {
  struct bookmark b = {0};
  bool told = bookmark_read(bookmark, &b, NULL) == ERR_OK; // committed it is all the same
  if (r->database == NULL) snprintf(r->session->bookmark_text, BOOKMARK_BYTES_MAX, "%.*s", STR_ARG(bookmark));
  r->generation = told ? b.generation : 0;
  return relay_note_commit_at(r, told ? b.id : 0);
}

enum err relay_state_commit(struct relay *r, struct dbms_op *op, struct error *e) {
  if (!r->asked) {
    r->at_risk = !r->reads;
    return relay_ask(r, DBMS_COMMIT);
  }
  r->asked = false;
  if (r->op.err != ERR_OK) return relay_failed(r, op, e);
  return relay_note_commit(r, r->op.committed.bookmark);
}

static void write_bookmark(struct relay *r) {
  struct dbms_session *s = r->session;
  uint64_t generation = r->generation != 0 ? r->generation : r->database->generation;
  (void) bookmark_write(s->bookmark_text, r->database->uuid, generation, r->id, s->client.legacy_bookmarks);
}

/// Whoever wrote here reads it here. It is committed: nothing may fail any more.
enum err relay_state_apply(struct relay *r, struct dbms_op *op, struct error *e UNUSED) {
  struct dbms_session *s = r->session;
  bool waits = false;
  if (r->database != NULL && database_enter(r->database, NULL) == ERR_OK) {
    waits = graph_tx_last_committed(r->database->graph) < r->id && graph_failure(r->database->graph, NULL) == ERR_OK;
    database_leave(r->database);
  }
  if (waits && r->interrupted == ERR_OK && clock_monotonic_ns(s->dbms->options.clock) < r->wait_until_ns) {
    r->wait = RELAY_WAIT_APPLIED;
    s->bookmark_deadline_ns = r->wait_until_ns;
    return ERR_WAIT;
  }
  if (r->database != NULL) write_bookmark(r);
  if (r->changes_password) s->must_change_password = false;
  if (op->kind == DBMS_RUN && r->kind == RELAY_EXPLICIT) {
    r->committed = false; // no more than that
    r->stands = true;
    return relay_find(r, RELAY_BEGIN);
  }
  if (op->kind == DBMS_RUN) { // what was found in the log; it has no rows
    op->ran = (typeof(op->ran)){.database = r->name};
    return relay_go(r, RELAY_REST);
  }
  if (r->kind != RELAY_EXPLICIT) return relay_go(r, RELAY_DELIVER);
  op->committed.bookmark = str_of(s->bookmark_text);
  relay_end(r);
  return relay_go(r, RELAY_REST);
}

/// Whatever the answer is, the transaction is over there.
enum err relay_state_rollback(struct relay *r, struct dbms_op *op, struct error *e UNUSED) {
  if (!r->asked && r->peer.session != NULL) return relay_ask(r, op->kind);
  r->asked = false;
  if (r->peer.session != NULL && relay_is_gone(r->op.err)) relay_hang_up(r);
  relay_end(r);
  return relay_go(r, RELAY_REST);
}
