// A session of this server, by the same table as those of others.
#include "base/mem.h"
#include "dbms/dbms_int.h"
#include "dbms/relay_int.h"

struct near {
  struct dbms_remote remote;
  struct dbms *dbms;
};

struct dbms_remote_session {
  struct dbms_session *session;
  struct dbms_op *op, here; // as it was given; the one that the session here has
};

static enum err near_open(struct dbms_remote *remote, struct str address UNUSED, const struct dbms_client *client,
                          struct dbms_remote_session **ret, struct error *e) {
  struct dbms_client relayed = *client;
  relayed.relayed = true;
  struct dbms_remote_session *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_ensure(e, ERR_NOMEM);
  enum err err = dbms_session_new(CONTAINER_OF(remote, struct near, remote)->dbms, &relayed, &s->session, e);
  if (err != ERR_OK)
    mem_free(s);
  else
    *ret = s;
  return err;
}

/// What a failure leaves undone fails with it. The last one's `done` may free the session.
static void tell(struct dbms_op *op) {
  for (struct dbms_op *then; op != NULL; op = then) {
    then = op->err != ERR_OK ? op->then : NULL;
    if (then != NULL) {
      then->err = op->err;
      then->error = op->error;
    }
    op->done(op);
  }
}

/// True: the one behind it, if there is one, is next.
static bool take_answer(struct dbms_remote_session *s) {
  struct dbms_op *op = s->op, answer = s->here;
  answer.done = op->done;
  answer.ready = op->ready;
  answer.context = op->context;
  *op = answer;
  if (op->err == ERR_OK && op->then != NULL) {
    s->op = op->then;
    op->done(op);
    return true;
  }
  tell(op);
  return false;
}

static void near_go_on(struct dbms_remote_session *s);

static void near_done(struct dbms_op *here) {
  struct dbms_remote_session *s = here->context;
  if (take_answer(s)) near_go_on(s);
}

static void near_go_on(struct dbms_remote_session *s) {
  bool more = true;
  while (more) {
    s->here = *s->op;
    s->here.done = near_done;
    s->here.context = s;
    more = dbms_session_submit(s->session, &s->here) && take_answer(s);
  }
}

static void near_submit(struct dbms_remote_session *s, struct dbms_op *op) {
  s->op = op;
  near_go_on(s);
}

static void near_interrupt(struct dbms_remote_session *s, enum err reason) {
  dbms_session_interrupt(s->session, reason);
}

static void near_free(struct dbms_remote_session *s) {
  if (s == NULL) return;
  dbms_session_free(s->session);
  mem_free(s);
}

struct dbms_remote *relay_near_new(struct dbms *d) {
  struct near *n = mem_zalloc(sizeof *n);
  if (n == NULL) return NULL;
  *n = (struct near){{near_open, near_submit, near_interrupt, near_free}, d};
  return &n->remote;
}

void relay_near_free(struct dbms_remote *near) {
  if (near != NULL) mem_free(CONTAINER_OF(near, struct near, remote));
}
