// Statements and their results: RUN opens one, PULL takes its rows, and what is still open makes way for the next statement and
// for the commit.
#include "dbms/command.h"
#include "dbms/pipeline.h"
#include "dbms/relay.h"
#include "dbms/session_int.h"
#include "dbms/transaction.h"
#include "graph/tx.h"

enum {
  INLINE_TEXT_BYTES = 2048, // a statement up to this length is compiled on the caller's thread
};

static bool may_run_here(const struct dbms_session *s, const struct result *r) {
  return s->on_worker || r->finished || r->cheap;
}

/// The same for all results that are still open.
static bool may_run_out_here(const struct dbms_session *s, const struct transaction *t) {
  const struct result *r = t->results;
  while (r != NULL && may_run_here(s, r)) r = r->older;
  return r == NULL;
}

/// Results that are still open must be run out before another statement may change what they see.
static enum err set_aside_open_results(struct transaction *t, bool keep_rows, struct error *e) {
  for (struct result *r = t->results; r != NULL; r = r->older)
    if (!r->finished) TRY(result_run_out(r, keep_rows && !r->delivered, e));
  return ERR_OK;
}

enum err session_run_out_open_results(struct dbms_session *s, bool keep_rows, bool *ret_to_worker, struct error *e) {
  enum err err = may_run_out_here(s, s->tx) ? set_aside_open_results(s->tx, keep_rows, e) : ERR_WAIT;
  if (err == ERR_WAIT) *ret_to_worker = !may_run_out_here(s, s->tx);
  return err;
}

enum err session_op_run(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) {
  struct error *e = &op->error;
  if (!s->on_worker && op->run.query.len > INLINE_TEXT_BYTES) return *ret_to_worker = true, ERR_WAIT;
  if (s->tx == NULL) {
    if (!op->run.auto_commit) return error_set(e, ERR_PROTOCOL, "There is no open transaction.");
    struct database *db;
    TRY(session_choose_database(s, &op->run.tx, &db, e));
    if (s->phase == PHASE_START && relay_takes(s->relay, db, op)) return ERR_AGAIN;
    TRY(session_begin_transaction(s, db, &op->run.tx, true, e));
    s->phase = PHASE_SET_ASIDE;
  }
  struct transaction *t = s->tx;
  graph_tx_set_blocking(t->graph_tx, s->on_worker);
  TRY(transaction_check(t, e));
  TRY(session_run_out_open_results(s, true, ret_to_worker, e));
  struct plan *p;
  struct result *r;
  if (s->phase != PHASE_COMMAND) {
    TRY(pipeline_compile(t->database, s->client.neo4j_major, op->run.query, &p, e));
    if (command_is_slow(p) && !s->on_worker) {
      plan_unref(p);
      return *ret_to_worker = true, ERR_WAIT;
    }
    if (s->must_change_password && !command_changes_own_password(p)) {
      plan_unref(p);
      return error_set(e, ERR_CREDENTIALS_EXPIRED,
                       "Permission denied. The password must be changed first: ALTER CURRENT USER SET PASSWORD FROM 'current "
                       "password' TO 'new password'");
    }
    struct notification_filter filter = {op->run.min_severity, op->run.disabled_categories, op->run.disabled_category_count};
    enum err err = pipeline_open(t, p, op->run.parameters, &filter, &r, e);
    if (err != ERR_OK) {
      plan_unref(p);
      return err;
    }
    transaction_note_query(t);
    if (t->auto_commit) relay_keep(s->relay, t->database, op, r->plan);
    s->phase = PHASE_COMMAND;
  }
  r = t->results;
  if (r->plan->kind == PLAN_COMMAND && r->plan->statement->explain != AST_EXPLAIN)
    TRY(command_run(s, t, r, op->run.parameters, e));
  op->ran.result = r->number;
  op->ran.columns = r->columns;
  op->ran.column_count = r->column_count;
  op->ran.database = t->database->name;
  op->ran.place = s->place;
  op->ran.first_after_ms = (clock_monotonic_ns(s->dbms->options.clock) - r->started_ns) / NS_PER_MS;
  return ERR_OK;
}

/// op->pulled is only written at the end, as its inputs share its place.
enum err session_op_pull(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) {
  struct error *e = &op->error;
  struct transaction *t = s->tx;
  if (t == NULL) return error_set(e, ERR_PROTOCOL, "There is no open result.");
  struct result *r = transaction_result(t, op->pull.result);
  if (r == NULL || (r->delivered && s->phase != PHASE_COMMIT)) {
    return error_set(e, ERR_PROTOCOL, "There is no open result with the number %lld.", (long long) op->pull.result);
  }
  if (!may_run_here(s, r)) return *ret_to_worker = true, ERR_WAIT;
  graph_tx_set_blocking(t->graph_tx, s->on_worker);
  if (r->await.wanted && t->auto_commit) {
    TRY(session_pull_command(s, r, op));
    if (!op->pulled.has_more) session_end_transaction(s);
    return ERR_OK;
  }
  if (s->phase != PHASE_COMMIT) {
    TRY(transaction_check(t, e));
    int64_t rows = 0;
    bool more = false, paused = false;
    int64_t want = op->pull.rows < 0 ? -1 : op->pull.rows - op->pulled.rows;
    enum err err = result_pull(r, want, op->pull.discard ? NULL : op->pull.sink, op->pull.discard ? NULL : op->pull.sink_full,
                               &rows, &more, &paused, e);
    op->pulled.rows += rows;
    if (err == ERR_WAIT) *ret_to_worker = !may_run_here(s, r);
    TRY(err);
    op->pulled.has_more = more;
    op->pulled.paused = paused;
    if (more) return ERR_OK;
    TRY(result_summary(r, &s->outputs, &op->pulled.summary, e));
    r->delivered = true;
    s->phase = PHASE_COMMIT;
  }
  if (!t->auto_commit) return ERR_OK;
  TRY(session_commit_open(s, &op->pulled.summary.bookmark, e));
  session_end_transaction(s);
  return ERR_OK;
}
