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

static void near_submit(struct dbms_remote_session *s, struct dbms_op *op) {
  if (dbms_session_submit(s->session, op)) op->done(op);
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
