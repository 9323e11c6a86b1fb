#include "http/login.h"

#include <stdatomic.h>

#include "base/buf.h"
#include "base/mem.h"
#include "dbms/session.h"

struct http_login {
  struct http_caller *caller; // NULL: gone
  struct dbms_session *session;
  struct dbms_op op;
  struct buf credentials;
  struct loop *loop;
  struct loop_task task;
  bool finished;
};

static _Atomic unsigned under_way;

unsigned http_logins_under_way(void) {
  return atomic_load(&under_way);
}

// ---- the header ----

static int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/// RFC 4648, section 4; padding may be missing.
static bool base64_read(struct str text, struct buf *to) {
  uint32_t bits = 0, count = 0;
  while (text.len > 0 && text.ptr[text.len - 1] == '=') text.len--;
  for (size_t i = 0; i < text.len; i++) {
    int digit = digit_of(text.ptr[i]);
    if (digit < 0) return false;
    bits = bits << 6 | (uint32_t) digit;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    if (buf_append_byte(to, (uint8_t) (bits >> count)) != ERR_OK) return false;
  }
  return true;
}

bool http_basic_read(struct str authorization, struct buf *to, struct str *ret_user, struct str *ret_password) {
  struct str scheme = str_cut(&authorization, ' ');
  if (!str_eq_nocase(scheme, STR("Basic")) || authorization.ptr == NULL) return false;
  if (!base64_read(str_trim(authorization), to)) return false;
  struct str user = buf_str(to), password = user;
  user = str_cut(&password, ':');
  if (password.ptr == NULL) return false;
  *ret_user = user;
  *ret_password = password;
  return true;
}

// ---- a login ----

static void login_free(struct http_login *l) {
  if (l == NULL) return;
  dbms_session_free(l->session);
  buf_done(&l->credentials);
  mem_free(l);
}

static enum err outcome(const struct http_login *l) {
  if (l->op.err != ERR_OK) return l->op.err;
  return l->op.logged_in.credentials_expired ? ERR_CREDENTIALS_EXPIRED : ERR_OK;
}

static void on_task(struct loop_task *task) {
  struct http_login *l = CONTAINER_OF(task, struct http_login, task);
  l->finished = true;
  if (l->caller != NULL)
    l->caller->ready(l->caller);
  else
    login_free(l);
  atomic_fetch_sub(&under_way, 1);
}

/// From any thread.
static void on_done(struct dbms_op *op) {
  struct http_login *l = op->context;
  loop_post(l->loop, &l->task);
}

static enum err begin(struct http_login *l, struct dbms *dbms, struct str authorization) {
  static const struct dbms_client client = {.connector = {"http", 4}};
  struct str user, password;
  if (!http_basic_read(authorization, &l->credentials, &user, &password)) return ERR_UNAUTHORIZED;
  TRY(dbms_session_new(dbms, &client, &l->session, NULL));
  l->op = (struct dbms_op){.kind = DBMS_LOGIN, .done = on_done, .context = l};
  l->op.login.scheme = STR("basic");
  l->op.login.principal = user;
  l->op.login.credentials = password;
  atomic_fetch_add(&under_way, 1);
  if (!dbms_session_submit(l->session, &l->op)) return ERR_WAIT;
  atomic_fetch_sub(&under_way, 1);
  return outcome(l);
}

enum err http_login_check(struct http_caller *c, struct dbms *dbms, struct str authorization) {
  enum err err;
  if (c->login != NULL) {
    if (!c->login->finished) return ERR_WAIT;
    err = outcome(c->login);
  } else {
    c->login = mem_zalloc(sizeof *c->login);
    if (c->login == NULL) return ERR_NOMEM;
    *c->login = (struct http_login){.caller = c, .loop = c->loop, .task.run = on_task};
    err = begin(c->login, dbms, authorization);
    if (err == ERR_WAIT) return ERR_WAIT;
  }
  login_free(c->login);
  c->login = NULL;
  return err;
}

void http_login_forget(struct http_caller *c) {
  struct http_login *l = c->login;
  c->login = NULL;
  if (l == NULL) return;
  l->caller = NULL;
  if (l->finished) login_free(l);
}
