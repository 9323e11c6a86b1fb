#include "dbms/gateway.h"

#include "dbms/gateway_doors.h"

#include "base/checksum.h"
#include "base/mem.h"
#include "dbms/linearizable.h"
#include "dbms/relay_int.h"
#include "dbms/routing.h"


// ---- life ----

enum err gateway_new(struct dbms *d, struct gateway **ret, struct error *e) {
  struct gateway *g = mem_zalloc(sizeof *g);
  if (g == NULL) return error_ensure(e, ERR_NOMEM);
  mutex_init(&g->mutex);
  *ret = g;
  TRY(random_fill(d->options.random, &g->number, sizeof g->number));
  g->number |= UINT64_C(1) << 63;
  return ERR_OK;
}

void gateway_free(struct gateway *g) {
  if (g == NULL) return;
  mutex_done(&g->mutex);
  mem_free(g);
}

enum err gateway_introduce(struct dbms_session *s, struct error *e) {
  s->client.gateway = routing_advertised(s->dbms->options.config, STR_NONE, &s->texts);
  return s->client.gateway.ptr != NULL ? ERR_OK : arena_err(&s->texts, e);
}

// ---- what is learned on the way ----

/// It has begun a transaction that it alone begins.
static void note_leader(struct relay *r) {
  struct gateway *g = r->session->dbms->gateway;
  uint64_t name = hash64(r->name.ptr, r->name.len, 0);
  mutex_lock(&g->mutex);
  g->leaders[name % GATEWAY_LEADERS].name = name;
  g->leaders[name % GATEWAY_LEADERS].server = r->peer.server;
  mutex_unlock(&g->mutex);
}

enum err gateway_note_begun(struct relay *r, struct str name, struct error *e) {
  if (relay_wants_leader(r)) note_leader(r);
  if (str_eq(name, r->name)) return ERR_OK;
  struct str copy = arena_str(&r->kept.arena, name);
  if (copy.ptr == NULL) return arena_err(&r->kept.arena, e);
  r->name = copy;
  if (relay_wants_leader(r)) note_leader(r);
  return ERR_OK;
}

// ---- logging in ----

static enum err take_login(struct dbms_session *s, struct dbms_op *op) {
  struct relay *r = s->relay;
  s->logged_in = s->linearizable = false;
  TRY(relay_login(r, op, &op->error));
  r->kept.op = (struct dbms_op){0};
  r->reads = true;
  relay_start(r, NULL, STR(""), RELAY_KNOCK, RELAY_GREETED);
  return ERR_AGAIN;
}

enum err relay_state_greeted(struct relay *r, struct dbms_op *op, struct error *e UNUSED) {
  op->logged_in.credentials_expired = r->peer.expired;
  r->session->logged_in = true;
  relay_end(r);
  return relay_go(r, RELAY_REST);
}

// ---- the way ----

static enum err take_route(struct dbms_session *s, const struct dbms_op *op) {
  struct relay *r = s->relay;
  s->linearizable = false;
  r->kept.op = (struct dbms_op){0};
  r->reads = true;
  r->named_behind = false;
  relay_start(r, NULL, op->route.database, RELAY_KNOCK, RELAY_NAME);
  return ERR_AGAIN;
}

/// A member knows whether there is such a database, and what the user's home is. One that has none may be behind what the client
/// has seen: it waits for that, then, and for nothing otherwise.
enum err relay_state_name(struct relay *r, struct dbms_op *op, struct error *e) {
  if (!r->asked) {
    r->op.begin = (struct dbms_tx_options){.database = r->name,
                                           .impersonated_user = op->route.impersonated_user,
                                           .bookmarks = op->route.bookmarks,
                                           .bookmark_count = r->named_behind ? op->route.bookmark_count : 0,
                                           .timeout_ms = -1,
                                           .read_only = true,
                                           .metadata = V_NULL};
    return relay_ask(r, DBMS_BEGIN);
  }
  r->asked = false;
  enum err err = r->op.err;
  if (err == ERR_OK) {
    TRY(gateway_note_begun(r, r->op.begun.database, e));
    return relay_go(r, RELAY_NAMED);
  }
  r->peer.failed = true;
  if (relay_is_lost(err)) relay_hang_up(r);
  if (relay_is_lost(err) || relay_is_refused(err) || relay_is_late(r)) return relay_find(r, RELAY_NAME);
  if (err == ERR_DATABASE_NOT_FOUND && op->route.bookmark_count > 0 && !r->named_behind) {
    r->named_behind = true;
    return relay_find(r, RELAY_NAME);
  }
  op->error = r->op.error;
  return err;
}

enum err relay_state_named(struct relay *r, struct dbms_op *op, struct error *e) {
  struct dbms_session *s = r->session;
  if (!r->asked) return relay_ask(r, DBMS_ROLLBACK);
  r->asked = false;
  if (r->op.err != ERR_OK) relay_hang_up(r);
  struct str name = arena_str(&s->outputs, r->name);
  if (name.ptr == NULL) return arena_err(&s->outputs, e);
  const struct config_values *config = s->dbms->options.config;
  struct str self = routing_advertised(config, op->route.address, &s->outputs);
  TRY(routing_table_of_one(config, name, self, &s->outputs, &op->routed, e));
  relay_end(r);
  return relay_go(r, RELAY_REST);
}

// ---- transactions ----

static enum err take_begin(struct dbms_session *s, const struct dbms_op *op, struct error *e) {
  struct relay *r = s->relay;
  TRY(linearizable_wanted(s, &op->begin, &s->linearizable, e));
  relay_kept_drop(&r->kept);
  TRY(relay_kept_begin(&r->kept, &op->begin, e));
  r->plain = r->in_transactions = r->schema = r->changes_password = false;
  r->reads = op->begin.read_only;
  relay_start(r, NULL, r->kept.op.run.tx.database, RELAY_EXPLICIT, RELAY_BEGIN);
  return ERR_AGAIN;
}

static enum err take_run(struct dbms_session *s, const struct dbms_op *op, bool *ret_to_worker, struct error *e) {
  struct relay *r = s->relay;
  if (!op->run.auto_commit) return error_set(e, ERR_PROTOCOL, "There is no open transaction.");
  if (!s->on_worker && op->run.query.len > RELAY_INLINE_TEXT_BYTES) return *ret_to_worker = true, ERR_WAIT;
  TRY(linearizable_wanted(s, &op->run.tx, &s->linearizable, e));
  TRY(relay_kept_put(&r->kept, op, e));
  struct relay_statement statement;
  relay_look_at(s, op->run.query, &statement);
  r->in_transactions = statement.in_transactions;
  r->schema = statement.schema;
  r->plain = statement.in_transactions || statement.admin;
  r->changes_password = false;
  r->reads = op->run.tx.read_only;
  relay_start(r, NULL, r->kept.op.run.tx.database, r->plain ? RELAY_PLAIN : RELAY_AUTO, r->plain ? RELAY_RUN : RELAY_BEGIN);
  return ERR_AGAIN;
}

enum err gateway_take(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) {
  struct error *e = &op->error;
  bool wants_login = op->kind == DBMS_BEGIN || op->kind == DBMS_RUN || op->kind == DBMS_ROUTE;
  if (wants_login && !s->logged_in)
    return error_set(e, ERR_UNAUTHORIZED, "The client is unauthorized due to authentication failure.");
  switch (op->kind) {
  case DBMS_LOGIN: return take_login(s, op);
  case DBMS_LOGOFF:
    relay_logoff(s->relay);
    s->logged_in = false;
    return ERR_OK;
  case DBMS_BEGIN: return take_begin(s, op, e);
  case DBMS_RUN: return take_run(s, op, ret_to_worker, e);
  case DBMS_ROUTE: return take_route(s, op);
  case DBMS_PULL: return error_set(e, ERR_PROTOCOL, "There is no open result.");
  case DBMS_COMMIT:
  case DBMS_ROLLBACK: return error_set(e, ERR_PROTOCOL, "There is no open transaction.");
  case DBMS_RESET: return ERR_OK;
  }
  return ERR_INTERNAL;
}

bool dbms_is_gateway(const struct dbms *d) {
  return d->gateway != NULL;
}
