#include "http/test_dbms.h"

#include "base/mem.h"
#include "dbms/gateway_doors.h"

static const struct str voters[] = {{"11111111-0000-4000-8000-000000000000", 36}, {"22222222-0000-4000-8000-000000000000", 36}};

enum err dbms_standing_at(struct dbms *d, uint32_t index, struct arena *a UNUSED, struct dbms_standing *ret, struct error *e) {
  static const struct str names[] = {{"system", 6}, {"neo4j", 5}};
  if (!d->is_member) return error_set(e, ERR_UNSUPPORTED, "standalone");
  if (index >= ARRAY_SIZE(names)) return error_set(e, ERR_NOTFOUND, "none");
  *ret = (struct dbms_standing){.database = names[index],
                                .database_uuid = STR("dddddddd-0000-4000-8000-000000000000"),
                                .part = d->part,
                                .is_replica = d->is_replica,
                                .server = voters[0],
                                .voters = voters,
                                .voter_count = 2,
                                .applied = 7,
                                .leader_silent_ms = 5,
                                .entries_per_second = 3};
  return ERR_OK;
}

enum err dbms_standing(struct dbms *d, struct str database, struct arena *a, struct dbms_standing *ret, struct error *e) {
  bool is_home = database.len == 0 || str_eqz(database, "neo4j");
  return dbms_standing_at(d, is_home ? 1 : 9, a, ret, e);
}

bool dbms_auth_enabled(const struct dbms *d) {
  return d->auth;
}

struct dbms_session {
  struct dbms *dbms;
};

enum err dbms_session_new(struct dbms *d, const struct dbms_client *client UNUSED, struct dbms_session **ret, struct error *e) {
  struct dbms_session *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_ensure(e, ERR_NOMEM);
  s->dbms = d;
  *ret = s;
  return ERR_OK;
}

void dbms_session_free(struct dbms_session *s) {
  mem_free(s);
}

bool dbms_session_submit(struct dbms_session *s, struct dbms_op *op) {
  bool right = str_eqz(op->login.principal, "ann") && str_eqz(op->login.credentials, "secret");
  op->err = right ? ERR_OK : ERR_UNAUTHORIZED;
  op->logged_in.credentials_expired = false;
  if (!s->dbms->slow) return true;
  s->dbms->waiting = op;
  return false;
}

void test_dbms_finish(struct dbms *d) {
  struct dbms_op *op = d->waiting;
  d->waiting = NULL;
  op->done(op);
}

bool dbms_is_gateway(const struct dbms *d UNUSED) {
  return false;
}

enum err gateway_http_doors(struct dbms *d UNUSED, struct arena *a UNUSED, const struct str **ret UNUSED, uint32_t *ret_n UNUSED,
                            struct error *e UNUSED) {
  return ERR_UNSUPPORTED;
}
