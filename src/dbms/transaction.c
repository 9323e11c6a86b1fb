#include "dbms/transaction.h"

#include "base/mutant.h"
#include "dbms/session_int.h"
#include "graph/tx.h"

static void link_transaction(struct dbms *d, struct transaction *t) {
  t->following = d->transactions;
  if (t->following != NULL) t->following->previous = t;
  d->transactions = t;
  d->transaction_count++;
  struct transaction_counts *c = &t->database->counts;
  c->started++;
  c->active++;
  c->active_writing += !t->read_only;
  c->peak = MAX(c->peak, c->active);
}

static void count_end(const struct transaction *t) {
  struct transaction_counts *c = &t->database->counts;
  bool killed = t->gone != ERR_OK || graph_tx_killed(t->graph_tx) != ERR_OK;
  c->active--;
  c->active_writing -= !t->read_only;
  if (t->committed)
    (*(t->read_only ? &c->committed_reading : &c->committed_writing))++;
  else
    (*(t->read_only ? &c->rolled_back_reading : &c->rolled_back_writing))++;
  if (killed && !t->committed) (*(t->read_only ? &c->terminated_reading : &c->terminated_writing))++;
}

static void unlink_transaction(struct dbms *d, struct transaction *t) {
  *(t->previous != NULL ? &t->previous->following : &d->transactions) = t->following;
  if (t->following != NULL) t->following->previous = t->previous;
  d->transaction_count--;
  count_end(t);
}

static enum err admit(struct dbms *d, struct transaction *t, struct error *e) {
  int64_t limit = d->options.config->tx_concurrent_max;
  mutex_lock(&d->mutex);
  bool room = limit == 0 || d->transaction_count < limit;
  if (room) {
    t->id = ++d->next_transaction;
    link_transaction(d, t);
  }
  mutex_unlock(&d->mutex);
  if (room) return ERR_OK;
  return error_set(e, ERR_TX_LIMIT, "The limit of %lld open transactions (db.transaction.concurrent.maximum) was reached. Try again later.",
                   (long long) limit);
}

static void set_deadline(struct transaction *t, const struct config_values *config, int64_t timeout_ms) {
  t->timeout_error = timeout_ms < 0 ? ERR_TX_TIMEOUT : ERR_TX_TIMEOUT_CLIENT;
  if (timeout_ms < 0) timeout_ms = config->tx_timeout_ms;
  int64_t ns;
  bool never = timeout_ms == 0 || __builtin_mul_overflow(timeout_ms, NS_PER_MS, &ns) || __builtin_add_overflow(t->started_ns, ns, &t->deadline_ns);
  if (never) t->deadline_ns = INT64_MAX;
}

static struct exec_instant instant_now(void *context) {
  int64_t ns = clock_wall_ns(context);
  int64_t seconds = ns / NS_PER_S - (ns % NS_PER_S < 0);
  return (struct exec_instant){seconds, (int32_t) (ns - seconds * NS_PER_S)};
}

enum err transaction_begin(struct dbms_session *s, struct database *db, const struct dbms_tx_options *options, bool auto_commit, struct transaction **ret,
                           struct error *e) {
  struct dbms *d = s->dbms;
  struct transaction *t = mem_zalloc(sizeof *t);
  if (t == NULL) return error_set(e, ERR_NOMEM, "no memory for a transaction");
  t->session = s;
  t->database = db;
  t->read_only = options->read_only;
  t->origin = options->origin;
  t->auto_commit = auto_commit;
  t->started_ns = clock_monotonic_ns(d->options.clock);
  set_deadline(t, d->options.config, options->timeout_ms);
  struct exec_instant now = instant_now(d->options.clock);
  t->clock = (struct exec_clock){.transaction = now, .statement = now, .now = instant_now, .context = d->options.clock};
  mem_budget_init(&t->budget, &db->budget, d->options.config->memory_tx_max_bytes, ERR_TX_MEMORY, "db.memory.transaction.max");
  struct graph_tx_options graph_options = {
      .read_only = options->read_only,
      .budget = &t->budget,
      .lock_timeout_ns = d->options.config->lock_timeout_ms * NS_PER_MS,
      .origin = {options->origin.member, options->origin.sequence},
      .term = s->place.term,
  };
  enum err err = database_enter(db, e);
  if (err != ERR_OK) {
    mem_free(t);
    return err;
  }
  err = graph_tx_begin(db->graph, &graph_options, &t->graph_tx, e);
  if (err == ERR_OK) err = admit(d, t, e);
  if (err != ERR_OK) {
    graph_tx_free(t->graph_tx);
    database_leave(db);
    mem_free(t);
    return err;
  }
  *ret = t;
  return ERR_OK;
}

static void leave_graph(struct transaction *t) {
  for (struct result *r = t->results; r != NULL; r = r->older) result_close(r);
  graph_tx_free(TAKE_PTR(t->graph_tx));
}

static void free_results(struct transaction *t) {
  while (t->results != NULL) {
    struct result *r = t->results;
    t->results = r->older;
    result_free(r);
  }
}

void transaction_end(struct transaction *t) {
  if (t == NULL) return;
  struct dbms *d = t->session->dbms;
  mutex_lock(&d->mutex);
  unlink_transaction(d, t);
  mutex_unlock(&d->mutex);
  if (t->gone == ERR_OK) {
    leave_graph(t);
    database_leave(t->database);
  }
  free_results(t);
  mem_free(t);
}

/// The front door may be about to read what it was told. The dbms mutex is held: database_leave would take it again.
void transaction_part(struct transaction *t, enum err reason) {
  t->schema_sent = graph_tx_changes_schema(t->graph_tx);
  leave_graph(t);
  t->gone = reason;
  t->database->users--;
}

void transactions_part(struct dbms *d, struct database *db) {
  mutex_lock(&d->mutex);
  enum err reason = db->gate == GATE_DROPPED ? ERR_DATABASE_NOT_FOUND : ERR_DATABASE_UNAVAILABLE;
  for (struct transaction *t = d->transactions; t != NULL; t = t->following) {
    if (t->database != db || t->gone != ERR_OK) continue;
    transaction_kill(t, reason);
    session_part(t->session, reason);
  }
  mutex_unlock(&d->mutex);
}

static enum err tell_end(const struct transaction *t, enum err killed, struct error *e) {
  switch (killed) {
    case ERR_DATABASE_UNAVAILABLE:
    case ERR_DATABASE_NOT_FOUND:
      (void) database_refuse(t->database, t->database->gate, e);
      return error_prefix(e, "The transaction has been terminated");
    case ERR_TX_TIMEOUT:
    case ERR_TX_TIMEOUT_CLIENT:
      return error_set(e, killed, "The transaction has been terminated. Retry your operation in a new transaction, and you should see a successful "
                                  "result. The transaction has not completed within the specified timeout (%s).",
                       killed == ERR_TX_TIMEOUT ? "db.transaction.timeout" : "set by the client");
    case ERR_NOT_LEADER:
      return error_set(e, killed, "The transaction has been terminated, because this server has ceased to be the leader of the database. Retry it.");
    default:
      return error_set(e, killed, "The transaction has been terminated. Retry your operation in a new transaction, and you should see a successful "
                                  "result. Explicitly terminated by the user.");
  }
}

/// Nothing calls a change of the schema back that was sent. Drivers wait for a database that is not available and do all of it
/// again, unless they are told otherwise; another server that has handed it on looks for it.
static enum err tell_end_of_schema(const struct transaction *t, enum err killed, struct error *e) {
  bool again = killed == ERR_DATABASE_UNAVAILABLE && t->origin.member == 0;
  return error_set(e, again ? ERR_COMMIT_UNKNOWN : killed,
                   "The transaction has been terminated: %s. A change of the schema that it has sent may be made all the same: SHOW INDEXES and "
                   "SHOW CONSTRAINTS tell.",
                   err_text(killed));
}

enum err transaction_check(struct transaction *t, struct error *e) {
  enum err killed = t->gone != ERR_OK ? t->gone : graph_tx_killed(t->graph_tx);
  if (LIKELY(killed == ERR_OK)) return ERR_OK;
  bool sent = t->gone != ERR_OK ? t->schema_sent : graph_tx_changes_schema(t->graph_tx);
  return sent && killed != ERR_DATABASE_NOT_FOUND ? tell_end_of_schema(t, killed, e) : tell_end(t, killed, e);
}

void transaction_note_query(struct transaction *t) {
  struct dbms *d = t->session->dbms;
  const struct ast_statement *s = t->results->plan->statement;
  mutex_lock(&d->mutex);
  t->query = s->kind == AST_STATEMENT_ADMIN ? STR("******") : s->original;
  mutex_unlock(&d->mutex);
}

struct result *transaction_result(struct transaction *t, int64_t number) {
  struct result *r = t->results;
  while (r != NULL && number >= 0 && r->number != number) r = r->older;
  return r;
}

void transaction_kill(struct transaction *t, enum err reason) {
  if (t->gone != ERR_OK) return;
  graph_tx_kill(t->graph_tx, reason);
  session_follow_kill(t->session, reason);
}

void transactions_expire(struct dbms *d) {
  int64_t now = clock_monotonic_ns(d->options.clock);
  mutex_lock(&d->mutex);
  for (struct transaction *t = d->transactions; t != NULL; t = t->following)
    if (now >= t->deadline_ns) transaction_kill(t, t->timeout_error);
  mutex_unlock(&d->mutex);
}

/// What a change of the schema waits for comes from whoever leads, and says what became of it. One that was handed on ends: who has
/// asked for it looks for it elsewhere.
static bool outlasts_lead(const struct transaction *t) {
  return t->origin.member == 0 && graph_tx_changes_schema(t->graph_tx) && !MUTANT(schema_outlasts);
}

void transactions_kill_writers(struct dbms *d, const struct database *db, enum err reason) {
  mutex_lock(&d->mutex);
  for (struct transaction *t = d->transactions; t != NULL; t = t->following)
    if (t->database == db && t->gone == ERR_OK && graph_tx_is_writing(t->graph_tx) && !outlasts_lead(t)) transaction_kill(t, reason);
  mutex_unlock(&d->mutex);
}

bool transactions_are_writing(struct dbms *d, const struct database *db) {
  bool writing = false;
  mutex_lock(&d->mutex);
  for (struct transaction *t = d->transactions; t != NULL && !writing; t = t->following)
    writing = t->database == db && t->gone == ERR_OK && graph_tx_is_writing(t->graph_tx);
  mutex_unlock(&d->mutex);
  return writing;
}

void transactions_kill_all(struct dbms *d, enum err reason) {
  mutex_lock(&d->mutex);
  for (struct transaction *t = d->transactions; t != NULL; t = t->following) transaction_kill(t, reason);
  mutex_unlock(&d->mutex);
}
