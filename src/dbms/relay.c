// The way of a transaction that another server carries out: states, and one handler each. An answer from there is looked at by
// the same handler that sent the question.
#include "dbms/relay_int.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/mutant.h"
#include "dbms/command.h"
#include "dbms/pipeline.h"
#include "graph/replica.h"
#include "graph/tx.h"

// ---- life ----

static bool may_hand_on(const struct dbms *d, const struct dbms_client *client) {
  const struct config_values *v = d->options.config;
  if (d->gateway != NULL) return true;
  return v->routing_enabled && (client->routed || v->routing_direct_enabled);
}

enum err relay_new(struct dbms_session *s, struct relay **ret, struct error *e) {
  *ret = NULL;
  if (s->dbms->gateway == NULL && (s->dbms->near == NULL || s->client.relayed)) return ERR_OK;
  if (s->dbms->gateway != NULL) TRY(gateway_introduce(s, e));
  struct relay *r = mem_zalloc(sizeof *r);
  if (r == NULL) return error_ensure(e, ERR_NOMEM);
  r->session = s;
  r->hands_on = may_hand_on(s->dbms, &s->client);
  arena_init(&r->texts, NULL);
  arena_init(&r->kept.arena, &s->dbms->budget);
  arena_init(&r->answers, &s->dbms->budget);
  row_store_init(&r->rows, 0, &s->dbms->budget);
  *ret = r;
  return ERR_OK;
}

void relay_hang_up(struct relay *r) {
  struct relay_peer peer = r->peer;
  mutex_lock(&r->session->mutex);
  r->peer = (struct relay_peer){0};
  mutex_unlock(&r->session->mutex);
  if (peer.session != NULL) peer.by->free(peer.session);
}

static void forget_password(struct relay *r) {
  struct str *credentials = &r->login.login.credentials;
  if (credentials->len > 0) explicit_bzero((char *) credentials->ptr, credentials->len); // `texts` has it
  r->login = (struct dbms_op){0};
}

void relay_free(struct relay *r) {
  if (r == NULL) return;
  relay_hang_up(r);
  forget_password(r);
  row_store_done(&r->rows);
  arena_done(&r->answers);
  arena_done(&r->kept.arena);
  arena_done(&r->texts);
  mem_free(r);
}

static struct str keep(struct arena *a, struct str text, enum err *err) {
  struct str copy = text.len > 0 ? arena_str(a, text) : STR("");
  if (copy.ptr == NULL) *err = ERR_NOMEM;
  return copy;
}

enum err relay_login(struct relay *r, const struct dbms_op *op, struct error *e) {
  enum err err = ERR_OK;
  if (r == NULL) return ERR_OK;
  relay_logoff(r);
  r->login = (struct dbms_op){.kind = DBMS_LOGIN,
                              .login = {.scheme = keep(&r->texts, op->login.scheme, &err),
                                        .principal = keep(&r->texts, op->login.principal, &err),
                                        .credentials = keep(&r->texts, op->login.credentials, &err),
                                        .realm = keep(&r->texts, op->login.realm, &err)}};
  return err == ERR_OK ? ERR_OK : error_ensure(e, err);
}

void relay_logoff(struct relay *r) {
  if (r == NULL) return;
  relay_end(r);
  relay_hang_up(r);
  forget_password(r);
  arena_reset(&r->texts);
}

bool relay_hands_on(const struct relay *r) {
  return r != NULL && r->hands_on;
}

bool relay_has(const struct relay *r) {
  return r != NULL && r->kind != RELAY_NONE;
}

void relay_end(struct relay *r) {
  r->kind = RELAY_NONE;
  relay_kept_drop(&r->kept);
}

// ---- what is taken ----

/// This server's number, and one that never comes again. A gateway's is of this life alone.
static struct dbms_origin next_origin(struct dbms *d) {
  if (d->gateway != NULL) return (struct dbms_origin){d->gateway->number, 1 + atomic_fetch_add(&d->next_origin, 1)};
  const struct dbms_cluster_options *o = d->options.cluster;
  return (struct dbms_origin){o->server, o->epoch << 40 | (1 + atomic_fetch_add(&d->next_origin, 1))};
}

static enum relay_state first_of(enum relay_kind kind) {
  return kind == RELAY_PLAIN ? RELAY_RUN : kind == RELAY_QUESTION ? RELAY_INDEX : RELAY_BEGIN;
}

void relay_start(struct relay *r, struct database *db, struct str name, enum relay_kind kind, enum relay_state first) {
  r->kind = kind;
  r->database = r->session->bookmark_database = db;
  r->name = name;
  r->at_risk = r->asks_fate = r->committed = r->delivered = r->has_summary = r->asked = false;
  r->ahead = r->rows_end_within = r->stands = r->schema_sent = false;
  r->untouched = true;
  r->offset = 0;
  r->id = 0;
  r->fence = (struct dbms_place){0};
  arena_reset(&r->answers);
  r->until_ns = 0;
  r->op.err = ERR_OK;
  r->tried.count = 0;
  relay_find(r, first);
}

static void start(struct relay *r, struct database *db, enum relay_kind kind) {
  relay_start(r, db, db->name, kind, first_of(kind));
}

static bool is_followed(struct database *db) {
  if (!db->replicated || database_enter(db, NULL) != ERR_OK) return false;
  bool leads = graph_leading_term(db->graph) != 0;
  database_leave(db);
  return !leads;
}

static bool writes(const struct plan *p) {
  const struct ast_statement *s = p->statement;
  return s->explain != AST_EXPLAIN && (s->writes || s->kind == AST_STATEMENT_SCHEMA || s->kind == AST_STATEMENT_ADMIN);
}

/// What reads nothing of the graph is about this server, and is answered here.
static bool is_for_leader(const struct relay *r, const struct plan *p) {
  return writes(p) || (r->session->client.routed && p->statement->explain != AST_EXPLAIN && pipeline_reads_graph(p));
}

static void note_statement(struct relay *r, const struct plan *p) {
  r->plain = p->statement->in_transactions || p->statement->kind == AST_STATEMENT_ADMIN;
  r->in_transactions = p->statement->in_transactions;
  r->schema = p->statement->kind == AST_STATEMENT_SCHEMA;
  r->changes_password = command_changes_own_password(p);
}

static bool takes_statement(struct relay *r, struct database *db, struct dbms_op *op) {
  struct plan *p;
  if (database_enter(db, NULL) != ERR_OK) return false;
  enum err err = pipeline_compile(db, r->session->client.neo4j_major, op->run.query, &p, NULL);
  database_leave(db);
  if (err != ERR_OK) return false;
  bool takes = is_for_leader(r, p) && relay_kept_put(&r->kept, op, NULL) == ERR_OK;
  note_statement(r, p);
  plan_unref(p);
  if (takes) start(r, db, r->plain ? RELAY_PLAIN : RELAY_AUTO);
  return takes;
}

bool relay_takes(struct relay *r, struct database *db, struct dbms_op *op) {
  const struct dbms_tx_options *o = op->kind == DBMS_BEGIN ? &op->begin : &op->run.tx;
  if (!relay_hands_on(r)) return false;
  relay_kept_drop(&r->kept); // of an earlier statement
  if (o->read_only || !is_followed(db)) return false;
  if (op->kind == DBMS_RUN) return takes_statement(r, db, op);
  r->plain = r->in_transactions = r->schema = r->changes_password = false;
  if (relay_kept_begin(&r->kept, o, NULL) != ERR_OK) relay_kept_drop(&r->kept); // then it is not begun again
  start(r, db, RELAY_EXPLICIT);
  return true;
}

void relay_keep(struct relay *r, struct database *db, const struct dbms_op *op, const struct plan *p) {
  if (!relay_hands_on(r) || !db->replicated || op->run.tx.read_only || !writes(p) || p->statement->in_transactions) return;
  note_statement(r, p);
  r->database = db;
  r->reads = false;
  if (relay_kept_put(&r->kept, op, NULL) != ERR_OK) relay_kept_drop(&r->kept); // then it is refused as ever
}

void relay_forget(struct relay *r) {
  if (r != NULL && !relay_has(r)) relay_kept_drop(&r->kept);
}

bool relay_takes_over(struct relay *r) {
  if (r == NULL || !r->kept.whole) return false;
  start(r, r->database, r->plain ? RELAY_PLAIN : RELAY_AUTO);
  return true;
}

void relay_ask_index(struct relay *r, struct database *db, int64_t until_ns) {
  start(r, db, RELAY_QUESTION);
  r->until_ns = until_ns;
}

// ---- asking the other server ----

static void on_answer(struct dbms_op *op) {
  struct relay *r = op->context;
  struct dbms_session *s = r->session;
  mutex_lock(&s->mutex);
  r->under_way = false;
  mutex_unlock(&s->mutex);
  session_woken(s);
}

/// Of one that has others behind it.
static void on_begun(struct dbms_op *op) {
  struct relay *r = op->context;
  r->begun = true;
}

static void prepare(struct relay *r, struct dbms_op *op, enum dbms_op_kind kind, struct dbms_op *then) {
  op->kind = kind;
  op->done = then != NULL ? on_begun : on_answer;
  op->ready = NULL;
  op->context = r;
  op->then = then;
  op->err = ERR_OK;
  op->error = ERROR_INIT;
}

enum err relay_ask(struct relay *r, enum dbms_op_kind kind) {
  prepare(r, &r->op, kind, NULL);
  r->begun = false;
  r->asked = true;
  r->wait = RELAY_WAIT_ANSWER;
  return ERR_WAIT;
}

void relay_interrupt(struct relay *r, enum err reason) {
  if (r != NULL && r->under_way) r->peer.by->interrupt(r->peer.session, reason);
}

/// An interruption that came before the operation was there found nothing to interrupt.
static void send(struct relay *r) {
  struct dbms_session *s = r->session;
  struct relay_peer peer = r->peer;
  mutex_lock(&s->mutex);
  r->under_way = true;
  mutex_unlock(&s->mutex);
  peer.by->submit(peer.session, &r->op);
  mutex_lock(&s->mutex);
  if (s->interrupted != ERR_OK) relay_interrupt(r, s->interrupted);
  mutex_unlock(&s->mutex);
}

bool relay_awaits_answer(const struct relay *r) {
  return relay_has(r) && r->wait == RELAY_WAIT_ANSWER;
}

void relay_hurry(struct relay *r, int64_t now_ns) {
  bool begins = r->state == RELAY_LOGIN || (r->state == RELAY_BEGIN && !r->begun) || r->state == RELAY_FENCE ||
                r->state == RELAY_INDEX || r->state == RELAY_NAME;
  if (!begins || now_ns < r->until_ns) return;
  mutex_lock(&r->session->mutex);
  relay_interrupt(r, ERR_TX_TERMINATED);
  mutex_unlock(&r->session->mutex);
}

static enum err await_applied(struct relay *r) {
  uint64_t index = r->state == RELAY_REACH ? r->fence.last : r->id;
  TRY(database_enter(r->database, NULL));
  enum err err = graph_await(r->database->graph, index, session_woken, r->session, NULL);
  database_leave(r->database);
  return err;
}

enum err relay_await(struct relay *r) {
  switch (r->wait) {
  case RELAY_WAIT_ANSWER: send(r); return ERR_WAIT;
  case RELAY_WAIT_TICK: return ERR_NOMEM;
  case RELAY_WAIT_APPLIED: return await_applied(r);
  }
  return ERR_OK;
}

// ---- answers ----

bool relay_is_refused(enum err err) {
  return err == ERR_NOT_LEADER || err == ERR_DATABASE_UNAVAILABLE || err == ERR_UNREACHABLE;
}

bool relay_is_lost(enum err err) {
  return err == ERR_CLOSED || err == ERR_TX_LOG || err == ERR_IO || err == ERR_INTERNAL;
}

bool relay_is_late(const struct relay *r) {
  return r->interrupted == ERR_OK && clock_monotonic_ns(r->session->dbms->options.clock) >= r->until_ns;
}

static bool is_gone(enum err err) {
  return err == ERR_CLOSED || err == ERR_UNREACHABLE;
}

/// A driver that retries does so: none of its servers is at fault.
static enum err try_again_yourself(struct relay *r, struct error *e) {
  relay_end(r);
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
  if (is_gone(err))
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

static void fill_options(struct relay *r, struct dbms_tx_options *to, const struct dbms_tx_options *from) {
  *to = *from;
  to->database = r->name;
  to->origin = r->origin;
  to->linearizable = r->session->linearizable;
}

// ---- handlers ----

/// What an operation of the client begins with, where the transaction is begun there.
static enum relay_state first_step(const struct dbms_op *op) {
  return op->kind == DBMS_RUN ? RELAY_RUN : op->kind == DBMS_COMMIT ? RELAY_COMMIT : RELAY_PULL;
}

/// A change of the schema is committed by itself: where it lies is known before it is sent.
static enum err ask_to_begin(struct relay *r, const struct dbms_op *op) {
  bool alone = op->kind == DBMS_BEGIN || op->kind == DBMS_COMMIT || r->schema;
  return alone ? relay_ask(r, DBMS_BEGIN) : relay_ask_together(r, op, DBMS_BEGIN);
}

static enum err state_begin(struct relay *r, struct dbms_op *op, struct error *e) {
  if (!r->asked) {
    r->origin = r->reads ? (struct dbms_origin){0} : next_origin(r->session->dbms);
    fill_options(r, &r->op.begin, op->kind == DBMS_BEGIN ? &op->begin : &r->kept.op.run.tx);
    return ask_to_begin(r, op);
  }
  r->asked = false;
  bool late = r->op.err != ERR_OK && relay_is_late(r);
  if (relay_is_refused(r->op.err) || r->op.err == ERR_CLOSED || late) {
    if (is_gone(r->op.err)) relay_hang_up(r);
    r->peer.failed = true;
    return relay_find(r, RELAY_BEGIN); // nothing was done in it yet
  }
  if (r->op.err != ERR_OK) return relay_failed(r, op, e);
  r->place = r->op.begun.place;
  if (r->database == NULL) TRY(gateway_note_begun(r, r->op.begun.database, e));
  if (relay_next_answer(r)) return relay_go(r, RELAY_RUN);
  if (r->kind != RELAY_EXPLICIT) return relay_go(r, RELAY_RUN);
  if (r->stands) return relay_tell_what_stands(r, op);
  if (op->kind != DBMS_BEGIN) return relay_go(r, first_step(op));
  op->begun = (typeof(op->begun)){.database = r->name};
  return relay_go(r, RELAY_REST);
}

static void fill_run(struct relay *r, const struct dbms_op *op, struct dbms_op *to) {
  to->run = r->kind == RELAY_EXPLICIT ? op->run : r->kept.op.run;
  to->run.auto_commit = r->kind == RELAY_PLAIN;
  if (r->kind != RELAY_PLAIN) return;
  r->origin = r->reads ? (struct dbms_origin){0} : next_origin(r->session->dbms);
  fill_options(r, &to->run.tx, &r->kept.op.run.tx);
}

enum err relay_ask_together(struct relay *r, const struct dbms_op *op, enum dbms_op_kind kind) {
  enum err err = relay_ask(r, kind);
  struct dbms_op *pull = &r->behind[1];
  if (kind == DBMS_BEGIN) {
    prepare(r, &r->op, kind, &r->behind[0]);
    fill_run(r, op, &r->behind[0]);
    prepare(r, &r->behind[0], DBMS_RUN, pull);
  } else {
    prepare(r, &r->op, kind, pull);
  }
  relay_fill_ahead(r, pull);
  prepare(r, pull, DBMS_PULL, NULL);
  return err;
}

bool relay_next_answer(struct relay *r) {
  if (r->op.then == NULL) return false;
  r->op = *r->op.then;
  r->asked = true;
  return true;
}

/// The columns are the other session's until it is asked something else, which this session's client is before.
static void tell_ran(struct relay *r, struct dbms_op *op) {
  op->ran = r->op.ran;
  op->ran.result += r->offset;
  op->ran.database = r->name;
  op->ran.place = (struct dbms_place){0};
}

/// Its rows, as far as they are few, come with the answer to RUN. One result at a time.
static enum err ask_to_run(struct relay *r, const struct dbms_op *op) {
  r->at_risk |= r->schema; // an entry of its own
  r->schema_sent |= r->schema;
  return r->kind != RELAY_PLAIN && !r->ahead ? relay_ask_together(r, op, DBMS_RUN) : relay_ask(r, DBMS_RUN);
}

/// ERR_AGAIN: a worker parses it.
static enum err note_schema(struct relay *r, struct str text) {
  struct relay_statement statement = {0};
  bool may = relay_may_change_schema(text);
  if (may && !r->session->on_worker && text.len > RELAY_INLINE_TEXT_BYTES) return ERR_AGAIN;
  if (may) relay_look_at(r->session, text, &statement);
  r->schema = statement.schema;
  return ERR_OK;
}

static enum err state_run(struct relay *r, struct dbms_op *op, struct error *e) {
  if (!r->asked) {
    if (r->kind == RELAY_EXPLICIT) TRY(note_schema(r, op->run.query));
    if (r->rows_end_within) return relay_go(r, RELAY_SPILL);
    fill_run(r, op, &r->op);
    return ask_to_run(r, op);
  }
  r->asked = false;
  if (r->op.err != ERR_OK) return relay_failed(r, op, e);
  if (r->kind == RELAY_PLAIN) r->place = r->op.ran.place;
  if (r->kind == RELAY_PLAIN && r->database == NULL) TRY(gateway_note_begun(r, r->op.ran.database, e));
  if (r->kind == RELAY_PLAIN) relay_empty_rows(r, r->op.ran.column_count);
  if (op->kind == DBMS_RUN) tell_ran(r, op);
  r->newest = r->op.ran.result + r->offset;
  if (relay_next_answer(r)) {
    r->rows.width = op->kind == DBMS_RUN ? op->ran.column_count : r->rows.width;
    return relay_go(r, RELAY_PULL);
  }
  r->untouched = false;
  return relay_go(r, op->kind == DBMS_RUN ? RELAY_REST : RELAY_PULL);
}

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

static enum err state_commit(struct relay *r, struct dbms_op *op, struct error *e) {
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
static enum err state_apply(struct relay *r, struct dbms_op *op, struct error *e UNUSED) {
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
static enum err state_rollback(struct relay *r, struct dbms_op *op, struct error *e UNUSED) {
  if (!r->asked && r->peer.session != NULL) return relay_ask(r, op->kind);
  r->asked = false;
  if (r->peer.session != NULL && is_gone(r->op.err)) relay_hang_up(r);
  relay_end(r);
  return relay_go(r, RELAY_REST);
}

// ---- operations ----

typedef enum err handler(struct relay *r, struct dbms_op *op, struct error *e);

static handler *const handlers[RELAY_STATE_MAX] = {
    [RELAY_FIND] = relay_state_find,       [RELAY_LOGIN] = relay_state_login, [RELAY_RESET] = relay_state_reset,
    [RELAY_BEGIN] = state_begin,           [RELAY_RUN] = state_run,           [RELAY_PULL] = relay_state_pull,
    [RELAY_COMMIT] = state_commit,         [RELAY_APPLY] = state_apply,       [RELAY_DELIVER] = relay_state_deliver,
    [RELAY_SPILL] = relay_state_spill,
    [RELAY_ROLLBACK] = state_rollback,     [RELAY_FENCE] = relay_state_fence, [RELAY_UNFENCE] = relay_state_unfence,
    [RELAY_REACH] = relay_state_reach,     [RELAY_LOOK] = relay_state_look,   [RELAY_INDEX] = relay_state_index,
    [RELAY_GREETED] = relay_state_greeted, [RELAY_NAME] = relay_state_name,   [RELAY_NAMED] = relay_state_named,
};

/// A transaction that is with the other server already: what the client's next operation begins with.
static enum err begin_op(struct relay *r, const struct dbms_op *op, struct error *e) {
  if (r->kind == RELAY_EXPLICIT && !r->ahead) arena_reset(&r->answers);
  switch (op->kind) {
  case DBMS_RUN:
    return r->kind == RELAY_EXPLICIT ? relay_go(r, RELAY_RUN) : error_set(e, ERR_PROTOCOL, "A result is open already.");
  case DBMS_PULL: return relay_go(r, RELAY_PULL);
  case DBMS_COMMIT: return relay_go(r, RELAY_COMMIT);
  case DBMS_ROLLBACK:
  case DBMS_RESET: return relay_go(r, RELAY_ROLLBACK);
  default: return error_set(e, ERR_PROTOCOL, "A transaction is open already.");
  }
}

/// An interruption ends what only waits here; what another server does is told there, and a commit goes on.
static bool stops(const struct relay *r) {
  return r->interrupted != ERR_OK && !r->asked && !r->committed && r->state != RELAY_ROLLBACK && r->state != RELAY_COMMIT;
}

static enum err step(struct relay *r, struct dbms_op *op, struct error *e) {
  while (r->state != RELAY_REST) {
    if (stops(r)) return error_set(e, r->interrupted, "The operation was interrupted.");
    TRY(handlers[r->state](r, op, e));
  }
  return ERR_OK;
}

/// What failed here is open there still: without its client it is rolled back.
static void give_up(struct relay *r) {
  if (relay_has(r) && !r->peer.failed) relay_hang_up(r);
  relay_end(r);
}

enum err relay_step(struct relay *r, struct dbms_op *op, enum err interrupted, bool *ret_to_worker) {
  r->interrupted = interrupted;
  if (r->state == RELAY_REST) r->until_ns = r->losses = 0;
  enum err err = r->state == RELAY_REST ? begin_op(r, op, &op->error) : ERR_OK;
  if (err == ERR_OK) err = step(r, op, &op->error);
  if (err == ERR_AGAIN) {
    *ret_to_worker = true;
    return ERR_WAIT;
  }
  relay_unpark(r, err);
  if (err == ERR_WAIT) return err;
  if (err != ERR_OK && r->asks_fate) err = relay_fate_unknown(r, err, &op->error);
  r->state = RELAY_REST;
  r->asked = false;
  if (err != ERR_OK) give_up(r);
  return err;
}
