// Asking the other server, and waiting: one operation at a time, or those together that need no answer between them.
#include "dbms/relay_int.h"

#include "graph/tx.h"

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

enum err relay_ask_together(struct relay *r, const struct dbms_op *op, enum dbms_op_kind kind) {
  enum err err = relay_ask(r, kind);
  struct dbms_op *pull = &r->behind[1];
  if (kind == DBMS_BEGIN) {
    prepare(r, &r->op, kind, &r->behind[0]);
    relay_fill_run(r, op, &r->behind[0]);
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

// ---- waiting ----

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
