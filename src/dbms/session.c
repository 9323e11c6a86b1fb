// A session runs one operation at a time as a small machine: session_step carries it on until it is done or must wait, on the
// caller's thread or on a worker. Whatever is waited for (a lock, a commit, a bookmark) gives the thread back and queues the
// session again.
#include "dbms/session.h"

#include "dbms/gateway.h"
#include "dbms/linearizable.h"
#include "dbms/relay.h"
#include "dbms/routing.h"
#include "dbms/session_int.h"
#include "dbms/transaction.h"
#include "graph/tx.h"

// ---- life ----

static void session_run(struct work *w);

struct str session_keep(struct dbms_session *s, struct str text) {
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
      .connector = session_keep(s, client->connector),
      .address = session_keep(s, client->address),
      .local_address = session_keep(s, client->local_address),
      .connection_id = session_keep(s, client->connection_id),
      .user_agent = session_keep(s, client->user_agent),
      .gateway = client->gateway.len > 0 ? session_keep(s, client->gateway) : STR_NONE,
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

void session_set_transaction(struct dbms_session *s, struct transaction *t) {
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

void session_end_transaction(struct dbms_session *s) {
  struct transaction *t = s->tx;
  session_set_transaction(s, NULL);
  transaction_end(t);
}

// ---- an operation ----

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
  case DBMS_LOGIN: return session_op_login(s, op);
  case DBMS_LOGOFF: return session_op_logoff(s);
  case DBMS_BEGIN: return session_op_begin(s, op, ret_to_worker);
  case DBMS_RUN: return session_op_run(s, op, ret_to_worker);
  case DBMS_PULL: return session_op_pull(s, op, ret_to_worker);
  case DBMS_COMMIT: return session_op_commit(s, op, ret_to_worker);
  case DBMS_ROUTE: return op_route(s, op);
  case DBMS_ROLLBACK:
    if (s->tx == NULL) return error_set(&op->error, ERR_PROTOCOL, "There is no open transaction.");
    session_end_transaction(s);
    return ERR_OK;
  case DBMS_RESET: session_end_transaction(s); return ERR_OK;
  }
  return ERR_INTERNAL;
}

/// What its transactions have done so far stands.
static bool has_transactions_of_its_own(const struct transaction *t) {
  return t != NULL && t->results != NULL && t->results->plan->statement->in_transactions;
}

/// Another server leads now. An auto-commit of which the client has seen nothing is done there; of what else was begun here
/// drivers are told that they may do it again, as those that do not look for leaders themselves would not take it from
/// NotALeader.
static enum err ceased_to_lead(struct dbms_session *s, struct dbms_op *op, enum err err) {
  if (has_transactions_of_its_own(s->tx))
    return error_set(&op->error, ERR_COMMIT_UNKNOWN,
                     "This server has ceased to be the leader of database '%.*s'. Some of the transactions of the statement may have "
                     "been committed: look before you do it again.",
                     STR_ARG(s->tx->database->name));
  bool statement = op->kind == DBMS_RUN || (op->kind == DBMS_PULL && op->pulled.rows == 0);
  bool unseen = statement && (s->tx == NULL || (s->tx->auto_commit && !(s->tx->results != NULL && s->tx->results->had_rows)));
  if (unseen && relay_takes_over(s->relay)) {
    session_end_transaction(s);
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
    session_end_transaction(s); // an explicit transaction that failed is dead: its locks and snapshot go at once
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
