// A session runs one operation at a time as a small machine: session_step carries it on until it is done or must wait, on the
// caller's thread or on a worker. Whatever is waited for (a lock, a commit, a bookmark) gives the thread back and queues the
// session again.
#include "dbms/session.h"

#include "base/mutant.h"
#include "dbms/command.h"
#include "dbms/gateway.h"
#include "dbms/linearizable.h"
#include "dbms/origin.h"
#include "dbms/pipeline.h"
#include "dbms/relay.h"
#include "dbms/routing.h"
#include "dbms/session_int.h"
#include "dbms/transaction.h"
#include "graph/tx.h"

enum {
  INLINE_TEXT_BYTES = 2048, // a statement up to this length is compiled on the caller's thread
};

// ---- life ----

static void session_run(struct work *w);

static struct str keep(struct dbms_session *s, struct str text) {
  struct str copy = arena_str(&s->texts, text);
  return copy.ptr != NULL ? copy : STR_NONE;
}

/// The last hand takes it down.
static void let_go(struct dbms_session *s) {
  if (atomic_fetch_sub(&s->hands, 1) > 1) return;
  transaction_end(s->tx);
  relay_free(s->relay);
  arena_done(&s->outputs);
  arena_done(&s->texts);
  mutex_done(&s->mutex);
  mem_free(s);
}

enum err dbms_session_new(struct dbms *d, const struct dbms_client *client, struct dbms_session **ret, struct error *e) {
  struct dbms_session *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_set(e, ERR_NOMEM, "no memory for a session");
  s->dbms = d;
  s->work.run = session_run;
  s->hands = 1;
  arena_init(&s->texts, NULL);
  arena_init(&s->outputs, NULL);
  mutex_init(&s->mutex);
  s->client = (struct dbms_client){
      .connector = keep(s, client->connector),
      .address = keep(s, client->address),
      .local_address = keep(s, client->local_address),
      .connection_id = keep(s, client->connection_id),
      .user_agent = keep(s, client->user_agent),
      .gateway = client->gateway.len > 0 ? keep(s, client->gateway) : STR_NONE,
      .legacy_bookmarks = client->legacy_bookmarks,
      .relayed = client->relayed,
      .neo4j_major = client->neo4j_major,
      .routed = client->routed,
  };
  enum err err = relay_new(s, &s->relay, e);
  if (err != ERR_OK) {
    let_go(s);
    return err;
  }
  mutex_lock(&d->mutex);
  s->id = ++d->next_session;
  mutex_unlock(&d->mutex);
  *ret = s;
  return ERR_OK;
}

void dbms_session_interrupt(struct dbms_session *s, enum err reason) {
  mutex_lock(&s->mutex);
  if (s->op != NULL) {
    if (s->interrupted == ERR_OK) s->interrupted = reason;
    if (s->tx != NULL && s->tx->gone == ERR_OK) graph_tx_kill(s->tx->graph_tx, reason);
    if (s->parked_on != NULL) graph_tx_kill(s->parked_on, reason);
    relay_interrupt(s->relay, reason);
  }
  mutex_unlock(&s->mutex);
}

void dbms_session_free(struct dbms_session *s) {
  if (s == NULL) return;
  dbms_session_interrupt(s, ERR_TX_TERMINATED);
  let_go(s);
}

// ---- transactions ----

/// The transaction is seen by other threads through `interrupt`: it is put in place and taken away under the mutex.
static void set_transaction(struct dbms_session *s, struct transaction *t) {
  mutex_lock(&s->mutex);
  s->tx = t;
  if (t != NULL && s->interrupted != ERR_OK) graph_tx_kill(t->graph_tx, s->interrupted);
  mutex_unlock(&s->mutex);
}

void session_follow_kill(struct dbms_session *s, enum err reason) {
  mutex_lock(&s->mutex); // no operation starts or goes on meanwhile
  if (s->parked_on != NULL) graph_tx_kill(s->parked_on, reason);
  if (s->op == NULL && s->tx != NULL && s->tx->gone == ERR_OK) graph_tx_rollback(s->tx->graph_tx);
  mutex_unlock(&s->mutex);
}

bool session_is_at_work(struct dbms_session *s) {
  mutex_lock(&s->mutex);
  bool works = s->op != NULL;
  mutex_unlock(&s->mutex);
  return works;
}

void session_part(struct dbms_session *s, enum err reason) {
  mutex_lock(&s->mutex);
  if (s->op == NULL && s->tx != NULL && s->tx->gone == ERR_OK) transaction_part(s->tx, reason);
  mutex_unlock(&s->mutex);
}

static void end_transaction(struct dbms_session *s) {
  struct transaction *t = s->tx;
  set_transaction(s, NULL);
  transaction_end(t);
}

struct str session_home(const struct dbms_session *s) {
  return s->home.len > 0 ? s->home : s->dbms->options.config->default_database;
}

enum err session_find_database(struct dbms_session *s, struct str name, struct database **ret, struct error *e) {
  if (name.len == 0) name = session_home(s);
  struct database *db = dbms_database(s->dbms, name);
  if (db == NULL && !reconcile_is_current(s->dbms))
    return error_set(
        e, ERR_DATABASE_UNAVAILABLE,
        "The database '%.*s' is not known here: this member has just started and is being brought up to date. Try again soon.",
        (int) MIN(name.len, 200), name.ptr);
  if (db == NULL) {
    return error_set(e, ERR_DATABASE_NOT_FOUND, "Database does not exist. Database name: '%.*s'.", (int) MIN(name.len, 200),
                     name.ptr);
  }
  *ret = db;
  return ERR_OK;
}

/// An expired password allows nothing but changing it, on `system`; the command itself is checked in command.c.
static enum err check_identity(const struct dbms_session *s, const struct dbms_tx_options *options, const struct database *db,
                               struct error *e) {
  if (!s->logged_in) return error_set(e, ERR_UNAUTHORIZED, "The client is unauthorized due to authentication failure.");
  if (options->impersonated_user.len > 0 && !str_eq(options->impersonated_user, s->user)) {
    return error_set(e, ERR_FORBIDDEN, "Cannot impersonate user '%.*s'.", (int) MIN(options->impersonated_user.len, 200),
                     options->impersonated_user.ptr);
  }
  if (s->must_change_password && !db->is_system) {
    return error_set(
        e, ERR_CREDENTIALS_EXPIRED,
        "The credentials you provided were valid, but must be changed before you can use this instance. If this is the "
        "first time you are using Neo4j, this is to ensure you are not using the default credentials in production. If you are "
        "not using "
        "default credentials, you are getting this message because an administrator requires a password change.\n"
        "Changing your password is easy to do via the Neo4j Browser.\n"
        "If you are connecting via a shell or programmatically via a driver, just issue a "
        "`ALTER CURRENT USER SET PASSWORD FROM 'current password' TO 'new password'` statement against the system "
        "database in the current session, and then restart your driver with the new password configured.");
  }
  return ERR_OK;
}

/// The database that a transaction is to be on, if whoever is logged in may have one there, and what it is to see of it.
static enum err choose_database(struct dbms_session *s, const struct dbms_tx_options *options, struct database **ret,
                                struct error *e) {
  TRY(session_await_catalogue(s, options->bookmarks, options->bookmark_count, e));
  TRY(session_find_database(s, options->database, ret, e));
  TRY(check_identity(s, options, *ret, e));
  return linearizable_wanted(s, options, &s->linearizable, e);
}

/// Begins, unless it must wait for a bookmark or an earlier transaction first: then ERR_WAIT; or ask another server: ERR_AGAIN.
static enum err begin(struct dbms_session *s, struct database *db, const struct dbms_tx_options *options, bool auto_commit,
                      struct error *e) {
  if (s->phase == PHASE_START) {
    TRY(origin_check(db, &options->origin, e));
    TRY(session_read_bookmarks(s, db, options->bookmarks, options->bookmark_count, &s->bookmark, e));
    s->bookmark_database = db;
    s->bookmark_deadline_ns =
        clock_monotonic_ns(s->dbms->options.clock) + s->dbms->options.config->bookmark_timeout_ms * NS_PER_MS;
    s->read = (struct cluster_read){0};
    s->phase = s->linearizable ? PHASE_READ_INDEX : PHASE_BOOKMARKS;
  }
  if (s->phase == PHASE_READ_INDEX) {
    TRY(linearizable_index(s, db, e));
    s->phase = PHASE_BOOKMARKS;
  }
  TRY(database_enter(db, e));
  uint64_t last = graph_tx_last_committed(db->graph);
  enum err failed = last < s->bookmark ? session_check_soundness(db, e) : ERR_OK;
  database_leave(db);
  TRY(failed);
  if (last < s->bookmark && !MUTANT(product_bookmark)) {
    if (clock_monotonic_ns(s->dbms->options.clock) < s->bookmark_deadline_ns) return ERR_WAIT;
    return error_set(e, ERR_BOOKMARK_TIMEOUT,
                     "Database '%.*s' not up to the requested version: %llu. Latest database version is %llu", STR_ARG(db->name),
                     (unsigned long long) s->bookmark, (unsigned long long) last);
  }
  s->phase = PHASE_ORIGIN;
  TRY(origin_place(s, db, options, &s->place, e));
  struct transaction *t;
  TRY(transaction_begin(s, db, options, auto_commit, &t, e));
  set_transaction(s, t);
  return ERR_OK;
}

// ---- operations ----

static enum err op_login(struct dbms_session *s, struct dbms_op *op) {
  TRY(relay_login(s->relay, op, &op->error));
  if (!s->dbms->options.config->auth_enabled) {
    s->user = keep(s, op->login.principal);
    s->logged_in = true;
    op->logged_in.credentials_expired = false;
    return ERR_OK;
  }
  bool expired = false;
  TRY(users_login(s->dbms->users, op->login.scheme, op->login.principal, op->login.credentials, &s->texts, &expired, &s->home,
                  &op->error));
  s->user = keep(s, op->login.principal);
  s->logged_in = true;
  s->must_change_password = expired;
  op->logged_in.credentials_expired = expired;
  return ERR_OK;
}

static enum err op_logoff(struct dbms_session *s) {
  relay_logoff(s->relay);
  end_transaction(s);
  s->logged_in = s->must_change_password = false;
  s->user = s->home = STR_NONE;
  return ERR_OK;
}

/// What another server asks of an earlier transaction with the same origin; the later one is open. The log is read from the disk.
static enum err find_fate(struct dbms_session *s, const struct dbms_tx_options *o, bool *ret_to_worker, struct dbms_fate *ret,
                          struct error *e) {
  struct transaction *t = s->tx;
  uint64_t id = 0;
  if (s->phase != PHASE_FATE) {
    if (o->origin.member == 0 || o->behind > s->place.last)
      return error_set(e, ERR_PROTOCOL, "What lies behind entry %llu is asked for, and there is no such entry, or no origin.",
                       (unsigned long long) o->behind);
    s->fate = (struct origin_search){.from = o->behind + 1};
    s->phase = PHASE_FATE;
  }
  TRY(transaction_check(t, e));
  enum err err = s->on_worker ? origin_fate(t->database, o, &s->fate, s->place.last, &ret->outcome, &id, e) : ERR_WAIT;
  t->polls = err == ERR_AGAIN;
  if (err == ERR_WAIT) *ret_to_worker = true;
  if (t->polls) return ERR_WAIT;
  TRY(err);
  if (id != 0)
    ret->bookmark = bookmark_write(s->bookmark_text, t->database->uuid, t->database->generation, id, s->client.legacy_bookmarks);
  return ERR_OK;
}

static enum err op_begin(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) {
  struct dbms_tx_options options =
      op->begin; // `op->begin` and `op->begun` are different members; inputs stay valid while we wait
  if (s->phase != PHASE_FATE) {
    struct database *db;
    if (s->tx != NULL) return error_set(&op->error, ERR_PROTOCOL, "A transaction is open already.");
    TRY(choose_database(s, &options, &db, &op->error));
    if (s->phase == PHASE_START && relay_takes(s->relay, db, op)) return ERR_AGAIN;
    TRY(begin(s, db, &options, false, &op->error));
  }
  struct dbms_fate fate = {0};
  if (options.asks_fate) TRY(find_fate(s, &options, ret_to_worker, &fate, &op->error));
  op->begun.database = s->tx->database->name;
  op->begun.place = s->place;
  op->begun.fate = fate;
  return ERR_OK;
}

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

/// The same where it may be done: what is not cheap, or proves not to be, is done by a worker.
static enum err run_out_open_results(struct dbms_session *s, bool keep_rows, bool *ret_to_worker, struct error *e) {
  enum err err = may_run_out_here(s, s->tx) ? set_aside_open_results(s->tx, keep_rows, e) : ERR_WAIT;
  if (err == ERR_WAIT) *ret_to_worker = !may_run_out_here(s, s->tx);
  return err;
}

static enum err op_run(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) {
  struct error *e = &op->error;
  if (!s->on_worker && op->run.query.len > INLINE_TEXT_BYTES) return *ret_to_worker = true, ERR_WAIT;
  if (s->tx == NULL) {
    if (!op->run.auto_commit) return error_set(e, ERR_PROTOCOL, "There is no open transaction.");
    struct database *db;
    TRY(choose_database(s, &op->run.tx, &db, e));
    if (s->phase == PHASE_START && relay_takes(s->relay, db, op)) return ERR_AGAIN;
    TRY(begin(s, db, &op->run.tx, true, e));
    s->phase = PHASE_SET_ASIDE;
  }
  struct transaction *t = s->tx;
  graph_tx_set_blocking(t->graph_tx, s->on_worker);
  TRY(transaction_check(t, e));
  TRY(run_out_open_results(s, true, ret_to_worker, e));
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

/// `progress` counts rows across waits: op->pulled is only written at the end, as its inputs share its place.
static enum err op_pull(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) {
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
    if (!op->pulled.has_more) end_transaction(s);
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
  end_transaction(s);
  return ERR_OK;
}

static enum err op_commit(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) {
  struct error *e = &op->error;
  if (s->tx == NULL) return error_set(e, ERR_PROTOCOL, "There is no open transaction.");
  graph_tx_set_blocking(s->tx->graph_tx, s->on_worker);
  if (s->phase != PHASE_COMMIT) {
    TRY(transaction_check(s->tx, e));
    TRY(run_out_open_results(s, false, ret_to_worker, e));
    s->phase = PHASE_COMMIT;
  }
  TRY(session_commit_open(s, &op->committed.bookmark, e));
  end_transaction(s);
  return ERR_OK;
}

static enum err op_route(struct dbms_session *s, struct dbms_op *op) {
  struct database *db;
  TRY(session_await_catalogue(s, op->route.bookmarks, op->route.bookmark_count, &op->error));
  TRY(session_find_database(s, op->route.database, &db, &op->error));
  return routing_table(db, op->route.address, &s->outputs, &op->routed, &op->error);
}

/// ERR_AGAIN: it is for the relay.
static enum err run_here_or(struct dbms_session *s, struct dbms_op *op, enum err interrupted, bool *ret_to_worker) {
  bool stops = interrupted != ERR_OK && s->phase != PHASE_COMMIT && op->kind != DBMS_RESET && op->kind != DBMS_ROLLBACK &&
               op->kind != DBMS_LOGOFF;
  if (stops && s->tx == NULL) return error_set(&op->error, interrupted, "The operation was interrupted.");
  bool works = op->kind == DBMS_RUN || op->kind == DBMS_PULL || op->kind == DBMS_COMMIT;
  if (works && s->tx != NULL && s->tx->gone != ERR_OK) return transaction_check(s->tx, &op->error);
  switch (op->kind) {
  case DBMS_LOGIN: return op_login(s, op);
  case DBMS_LOGOFF: return op_logoff(s);
  case DBMS_BEGIN: return op_begin(s, op, ret_to_worker);
  case DBMS_RUN: return op_run(s, op, ret_to_worker);
  case DBMS_PULL: return op_pull(s, op, ret_to_worker);
  case DBMS_COMMIT: return op_commit(s, op, ret_to_worker);
  case DBMS_ROUTE: return op_route(s, op);
  case DBMS_ROLLBACK:
    if (s->tx == NULL) return error_set(&op->error, ERR_PROTOCOL, "There is no open transaction.");
    end_transaction(s);
    return ERR_OK;
  case DBMS_RESET: end_transaction(s); return ERR_OK;
  }
  return ERR_INTERNAL;
}

/// Another server leads now. An auto-commit of which the client has seen nothing is done there; of what else was begun here
/// drivers are told that they may do it again, as those that do not look for leaders themselves would not take it from
/// NotALeader.
static enum err ceased_to_lead(struct dbms_session *s, struct dbms_op *op, enum err err) {
  bool statement = op->kind == DBMS_RUN || (op->kind == DBMS_PULL && op->pulled.rows == 0);
  bool unseen = statement && (s->tx == NULL || (s->tx->auto_commit && !(s->tx->results != NULL && s->tx->results->had_rows)));
  if (unseen && relay_takes_over(s->relay)) {
    end_transaction(s);
    op->error = ERROR_INIT;
    return ERR_AGAIN;
  }
  if (!s->client.routed) op->error.code = err = ERR_OUTDATED;
  return err;
}

/// Of a gateway.
static enum err run_elsewhere(struct dbms_session *s, struct dbms_op *op, enum err interrupted, bool *ret_to_worker) {
  bool goes_on = relay_has(s->relay) && op->kind != DBMS_LOGOFF;
  enum err err = goes_on ? ERR_AGAIN : gateway_take(s, op, ret_to_worker);
  return err == ERR_AGAIN ? relay_step(s->relay, op, interrupted, ret_to_worker) : err;
}

static enum err run_op(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) {
  mutex_lock(&s->mutex);
  enum err interrupted = s->interrupted;
  s->parked_on = NULL; // from here on it may go away
  mutex_unlock(&s->mutex);
  if (s->dbms->gateway != NULL) return run_elsewhere(s, op, interrupted, ret_to_worker);
  if (!relay_has(s->relay) || op->kind == DBMS_LOGOFF || op->kind == DBMS_ROUTE) {
    enum err err = run_here_or(s, op, interrupted, ret_to_worker);
    if (err == ERR_NOT_LEADER && relay_hands_on(s->relay)) err = ceased_to_lead(s, op, err);
    if (err != ERR_AGAIN) return err;
  }
  bool asks = relay_asks_index(s->relay);
  enum err err = relay_step(s->relay, op, interrupted, ret_to_worker);
  if (!asks || err != ERR_OK) return err;
  linearizable_told(s, relay_take_index(s->relay));
  return run_here_or(s, op, interrupted, ret_to_worker);
}

// ---- the machine ----

static enum session_step session_step(struct dbms_session *s) {
  struct dbms_op *op = s->op;
  bool to_worker = false;
  if (s->tx != NULL) s->tx->waiting = NULL;
  op->err = run_op(s, op, &to_worker);
  bool sleeps = s->tx == NULL || s->phase == PHASE_SETTLE || s->tx->polls;
  if (op->err == ERR_WAIT) return to_worker ? SESSION_TO_WORKER : sleeps ? SESSION_SLEEP : SESSION_WAIT_TX;
  if (op->err != ERR_OK) {
    error_ensure(&op->error, op->err);
    end_transaction(s); // an explicit transaction that failed is dead: its locks and snapshot go at once
  }
  return SESSION_DONE;
}

static void queue(struct dbms_session *s) {
  enum work_kind kind = s->op->kind == DBMS_LOGIN ? WORK_PASSWORD : WORK_STATEMENT;
  s->on_worker = true;
  s->dbms->options.host->submit(s->dbms->options.host, kind, &s->work);
}

void session_go_on(struct dbms_session *s) {
  if (s->resumes)
    s->op->ready(s->op);
  else
    queue(s);
}

static void on_ready(void *context) {
  session_go_on(context);
}

bool session_may_resume(const struct dbms_session *s) {
  return s->op->ready != NULL && !s->on_worker;
}

/// A kill finds the session parked, or is found here.
static void park(struct dbms_session *s) {
  struct transaction *t = s->tx;
  struct graph_tx *on = t->waiting != NULL ? t->waiting : t->graph_tx;
  bool commits = on == t->graph_tx && graph_tx_is_committing(on);
  s->resumes = commits && session_may_resume(s);
  if (!s->on_worker) s->op->commits = commits; // the thread that submitted: nobody else looks
  mutex_lock(&s->mutex);
  s->parked_on = on;
  enum err killed = graph_tx_killed(t->graph_tx);
  if (killed != ERR_OK && graph_tx_killed(on) == ERR_OK) graph_tx_kill(on, killed);
  mutex_unlock(&s->mutex);
  graph_tx_on_ready(on, on_ready, s);
}

/// Steps until the operation is done (true) or something else will carry it on; then nothing of `s` may be touched.
static bool carry_on(struct dbms_session *s) {
  switch (session_step(s)) {
  case SESSION_DONE: return true;
  case SESSION_TO_WORKER: queue(s); return false;
  case SESSION_SLEEP: session_fall_asleep(s); return false;
  case SESSION_WAIT_TX: park(s); return false;
  }
  return true;
}

/// Takes the finished operation off the session, which an interruption meets no more.
static struct dbms_op *finish(struct dbms_session *s) {
  if (s->tx == NULL) relay_forget(s->relay);
  mutex_lock(&s->mutex);
  struct dbms_op *op = TAKE_PTR(s->op);
  s->interrupted = ERR_OK;
  mutex_unlock(&s->mutex);
  return op;
}

static void session_run(struct work *w) {
  struct dbms_session *s = CONTAINER_OF(w, struct dbms_session, work);
  if (!carry_on(s)) return;
  struct dbms_op *op = finish(s);
  op->done(op); // reads what the session holds, and may submit the next one or free the session
  let_go(s);
}

/// On the front door's thread.
static bool run_here(struct dbms_session *s) {
  if (!carry_on(s)) return false;
  finish(s);
  let_go(s);
  return true;
}

bool dbms_session_resume(struct dbms_session *s) {
  return run_here(s);
}

bool dbms_session_submit(struct dbms_session *s, struct dbms_op *op) {
  arena_reset(&s->outputs);
  op->err = ERR_OK;
  op->error = ERROR_INIT;
  if (op->kind == DBMS_PULL) op->pulled = (typeof(op->pulled)){0};
  s->phase = PHASE_START;
  s->on_worker = false;
  atomic_fetch_add(&s->hands, 1);
  mutex_lock(&s->mutex);
  s->op = op;
  mutex_unlock(&s->mutex);
  if (op->kind == DBMS_LOGIN && s->dbms->options.config->auth_enabled && s->dbms->gateway == NULL) {
    queue(s);
    return false;
  }
  return run_here(s);
}
