// Commits of a session's transactions, and what a client is told behind one: nothing may fail there any more, as the commit is
// durable and seen by others.
#include "dbms/bookmark.h"
#include "dbms/command.h"
#include "dbms/session_int.h"
#include "dbms/transaction.h"
#include "graph/tx.h"

enum { COMMIT_HERE_CHANGES = 256 }; // a transaction up to this size may be committed by the caller's thread

/// A lone client's small commit is made durable and published on the spot: no other thread needs to wake for it.
static enum err commit_graph(struct dbms_session *s, uint64_t *ret_id, struct error *e) {
  struct transaction *t = s->tx;
  bool here = s->op->alone && !s->on_worker && graph_tx_has_writes(t->graph_tx) && !graph_tx_is_committing(t->graph_tx) &&
              graph_tx_changes(t->graph_tx) <= COMMIT_HERE_CHANGES && database_claim_commit(t->database);
  enum err err = graph_tx_commit(t->graph_tx, ret_id, e);
  if (!here) return err;
  if (err == ERR_WAIT && graph_tx_is_committing(t->graph_tx)) {
    database_run_commit(t->database);
    err = graph_tx_commit(t->graph_tx, ret_id, e);
  }
  database_give_commit(t->database);
  return err;
}

enum err session_commit_open(struct dbms_session *s, struct str *ret_bookmark, struct error *e) {
  uint64_t id;
  TRY(commit_graph(s, &id, e));
  s->tx->committed = true;
  const struct database *db = s->tx->database;
  if (s->tx->changes_password) s->must_change_password = false;
  *ret_bookmark = bookmark_write(s->bookmark_text, db->uuid, db->generation, id, s->client.legacy_bookmarks);
  return ERR_OK;
}

enum err session_op_commit(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) {
  struct error *e = &op->error;
  if (s->tx == NULL) return error_set(e, ERR_PROTOCOL, "There is no open transaction.");
  graph_tx_set_blocking(s->tx->graph_tx, s->on_worker);
  if (s->phase != PHASE_COMMIT) {
    TRY(transaction_check(s->tx, e));
    TRY(session_run_out_open_results(s, false, ret_to_worker, e));
    s->phase = PHASE_COMMIT;
  }
  TRY(session_commit_open(s, &op->committed.bookmark, e));
  session_end_transaction(s);
  return ERR_OK;
}

// ---- commands with an effect outside of their transaction ----

static enum err commit_first(struct dbms_session *s, struct result *r, struct error *e) {
  if (s->phase < PHASE_COMMIT_FIRST) TRY(transaction_check(s->tx, e));
  s->phase = PHASE_COMMIT_FIRST;
  TRY(commit_graph(s, &r->await.committed, e));
  const struct database *db = s->tx->database;
  r->await.bookmark =
      bookmark_write(s->bookmark_text, db->uuid, db->generation, r->await.committed, s->client.legacy_bookmarks);
  s->phase = PHASE_SETTLE;
  return ERR_OK;
}

/// Its rows tell what came of it; where there is no memory for them it is told without.
static enum err settle(struct dbms_session *s, struct result *r, struct error *e) {
  if (r->await.settled) return ERR_OK;
  if (s->phase != PHASE_SETTLE) TRY(commit_first(s, r, e));
  enum err err = command_settle(s->tx, r, e);
  if (err == ERR_WAIT) return err;
  if (err != ERR_OK) result_drop_rows(r);
  *e = ERROR_INIT;
  r->await.settled = true;
  s->phase = PHASE_PULL;
  return ERR_OK;
}

/// The same for notifications.
static void summarize(struct dbms_session *s, struct result *r, struct dbms_summary *ret) {
  if (result_summary(r, &s->outputs, ret, NULL) != ERR_OK) {
    ret->notifications = NULL;
    ret->notification_count = 0;
    ret->plan = ret->profile = V_NULL;
  }
  ret->bookmark = r->await.bookmark;
}

enum err session_pull_command(struct dbms_session *s, struct result *r, struct dbms_op *op) {
  int64_t rows = 0, want = op->pull.rows < 0 ? -1 : op->pull.rows - op->pulled.rows;
  bool more = false, paused = false, keeps = !op->pull.discard;
  TRY(settle(s, r, &op->error));
  enum err err = result_pull(r, want, keeps ? op->pull.sink : NULL, keeps ? op->pull.sink_full : NULL, &rows, &more, &paused,
                             &op->error);
  if (err != ERR_OK) result_drop_rows(r);
  op->error = ERROR_INIT;
  op->pulled.rows += rows;
  op->pulled.has_more = more && err == ERR_OK;
  op->pulled.paused = paused && err == ERR_OK;
  if (!op->pulled.has_more) summarize(s, r, &op->pulled.summary);
  return ERR_OK;
}
