// The way of a transaction that another server carries out: states, and one handler each. An answer from there is looked at by
// the same handler that sent the question.
#include "dbms/relay_int.h"

#include <string.h>

#include "base/mem.h"

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

// ---- operations ----

typedef enum err handler(struct relay *r, struct dbms_op *op, struct error *e);

static handler *const handlers[RELAY_STATE_MAX] = {
    [RELAY_FIND] = relay_state_find,       [RELAY_LOGIN] = relay_state_login,       [RELAY_RESET] = relay_state_reset,
    [RELAY_BEGIN] = relay_state_begin,     [RELAY_RUN] = relay_state_run,           [RELAY_PULL] = relay_state_pull,
    [RELAY_COMMIT] = relay_state_commit,   [RELAY_APPLY] = relay_state_apply,       [RELAY_DELIVER] = relay_state_deliver,
    [RELAY_SPILL] = relay_state_spill,     [RELAY_ROLLBACK] = relay_state_rollback, [RELAY_FENCE] = relay_state_fence,
    [RELAY_UNFENCE] = relay_state_unfence, [RELAY_REACH] = relay_state_reach,       [RELAY_LOOK] = relay_state_look,
    [RELAY_INDEX] = relay_state_index,     [RELAY_GREETED] = relay_state_greeted,   [RELAY_NAME] = relay_state_name,
    [RELAY_NAMED] = relay_state_named,
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
