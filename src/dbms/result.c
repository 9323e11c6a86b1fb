#include "dbms/result.h"

#include "dbms/session_int.h"
#include "dbms/transaction.h"
#include "plan/explain.h"

// Between two looks at whether the sink is full. Rows may be long: a turn grows while they turn out not to be, and what would fill the
// sink many times over never comes in one.
enum {
  ROWS_A_TURN = 1024,
  ROWS_IN_FIRST_TURN = 16,
  INLINE_BATCHES = 128, // after so many a run that looked cheap moves to a worker: about a millisecond
};

static void adapt_turn(struct result *r, bool is_full) {
  r->turn = is_full ? MAX(1u, r->turn / 8) : MIN(r->turn * 8, (uint32_t) ROWS_A_TURN);
}

void result_close(struct result *r) {
  exec_close(TAKE_PTR(r->exec));
}

void result_free(struct result *r) {
  if (r == NULL) return;
  result_close(r);
  plan_unref(r->plan);
  row_store_done(&r->rows);
  mem_free(r);
}

/// Lets the run push up to `want` rows.
static enum err run(struct result *r, uint64_t want, struct row_sink *sink, uint64_t *ret_rows, struct error *e) {
  uint64_t before = exec_rows(r->exec);
  exec_set_patience(r->exec, r->tx->session->on_worker ? EXEC_ENDLESS : INLINE_BATCHES);
  enum exec_result outcome = exec_next(r->exec, want, sink, e);
  *ret_rows = exec_rows(r->exec) - before;
  r->had_rows |= *ret_rows > 0;
  if (outcome == EXEC_DONE) r->finished = true;
  if (outcome == EXEC_WAIT) {
    r->tx->waiting = exec_waiting(r->exec);
    r->cheap = r->cheap && r->tx->waiting != NULL;
    return ERR_WAIT;
  }
  return outcome == EXEC_ERROR ? (e != NULL && e->code != ERR_OK ? e->code : ERR_INTERNAL) : ERR_OK;
}

/// The same for rows that were set aside.
static enum err give(struct result *r, uint64_t want, struct row_sink *sink, const bool *full, uint64_t *ret_rows, struct error *e) {
  *ret_rows = 0;
  TRY(row_store_give(&r->rows, want, sink, full, ret_rows, e));
  r->had_rows |= *ret_rows > 0;
  return ERR_OK;
}

enum err result_pull(struct result *r, int64_t want, struct row_sink *sink, const bool *full, int64_t *ret_rows, bool *ret_more, bool *ret_paused,
                     struct error *e) {
  uint64_t left = want < 0 ? UINT64_MAX : (uint64_t) want, got = 0;
  enum err err = ERR_OK;
  *ret_rows = 0;
  if (r->turn == 0) r->turn = ROWS_IN_FIRST_TURN;
  bool is_full = full != NULL && *full;
  while (err == ERR_OK && (r->rows.rows > 0 || !r->finished) && left > 0 && !is_full) {
    uint64_t turn = sink != NULL ? MIN(left, (uint64_t) r->turn) : MIN(left, (uint64_t) ROWS_A_TURN);
    err = r->rows.rows > 0 ? give(r, turn, sink, full, &got, e) : run(r, turn, sink, &got, e);
    *ret_rows += (int64_t) got;
    left -= got;
    is_full = full != NULL && *full;
    adapt_turn(r, is_full);
  }
  *ret_more = r->rows.rows > 0 || !r->finished;
  *ret_paused = *ret_more && left > 0 && is_full;
  return err;
}

enum err result_run_out(struct result *r, bool keep, struct error *e) {
  uint64_t rows;
  while (!r->finished) TRY(run(r, ROWS_A_TURN, keep ? &r->rows.sink : NULL, &rows, e));
  return ERR_OK;
}

void result_drop_rows(struct result *r) {
  r->rows.first = r->rows.last = NULL; // their memory goes with the result, as that of the columns' names does
  r->rows.given = 0;
  r->rows.rows = 0;
}

static struct dbms_counters public_counters(const struct exec_counters *c) {
  return (struct dbms_counters){
      .nodes_created = c->nodes_created,
      .nodes_deleted = c->nodes_deleted,
      .relationships_created = c->relationships_created,
      .relationships_deleted = c->relationships_deleted,
      .properties_set = c->properties_set,
      .labels_added = c->labels_added,
      .labels_removed = c->labels_removed,
      .indexes_added = c->indexes_added,
      .indexes_removed = c->indexes_removed,
      .constraints_added = c->constraints_added,
      .constraints_removed = c->constraints_removed,
      .system_updates = c->system_updates,
  };
}

static const char *query_type(const struct ast_statement *s) {
  static const char *const names[] = {[AST_READ] = "r", [AST_WRITE] = "w", [AST_READ_WRITE] = "rw", [AST_SCHEMA] = "s"};
  return s->kind == AST_STATEMENT_SCHEMA ? "s" : names[s->query_type];
}

static struct plan_measured measure(void *context, uint32_t op_id) {
  struct exec_profile p = exec_profile(context, op_id);
  return (struct plan_measured){.rows = p.rows, .db_hits = p.db_hits, .time_ns = p.time_ns, .memory_bytes = p.memory_bytes};
}

/// The plan of EXPLAIN, or the profile of PROFILE.
static enum err explain(struct result *r, struct arena *a, struct dbms_summary *ret, struct error *e) {
  struct plan_measures measures = {measure, r->exec};
  struct plan_explain_options options = {.database = r->tx->database->name, .version = STR("5.26.0")};
  if (r->plan->statement->explain == AST_EXPLAIN && r->plan->kind == PLAN_QUERY) return plan_explain(r->plan, &options, a, &ret->plan, e);
  if (r->plan->statement->explain != AST_PROFILE || r->exec == NULL) return ERR_OK;
  options.measures = &measures;
  return plan_explain(r->plan, &options, a, &ret->profile, e);
}

enum err result_summary(struct result *r, struct arena *a, struct dbms_summary *ret, struct error *e) {
  struct clock *clock = r->tx->session->dbms->options.clock;
  *ret = (struct dbms_summary){
      .type = query_type(r->plan->statement),
      .counters = public_counters(r->exec != NULL ? exec_counters(r->exec) : &r->counters),
      .database = r->tx->database->name,
      .consumed_after_ms = (clock_monotonic_ns(clock) - r->started_ns) / NS_PER_MS,
      .has_columns = r->column_count > 0,
      .had_rows = r->had_rows,
  };
  TRY(notifications_make(r->plan, &r->filter, r->tx->database->name, r->missing, a, &ret->notifications, &ret->notification_count, e));
  return explain(r, a, ret, e);
}
