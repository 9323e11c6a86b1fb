// Who speaks: logging in and off, and whether whoever has logged in may have a transaction.
#include "dbms/relay.h"
#include "dbms/session_int.h"

enum err session_op_login(struct dbms_session *s, struct dbms_op *op) {
  TRY(relay_login(s->relay, op, &op->error));
  if (!s->dbms->options.config->auth_enabled) {
    s->user = session_keep(s, op->login.principal);
    s->logged_in = true;
    op->logged_in.credentials_expired = false;
    return ERR_OK;
  }
  bool expired = false;
  TRY(users_login(s->dbms->users, op->login.scheme, op->login.principal, op->login.credentials, &s->texts, &expired, &s->home,
                  &op->error));
  s->user = session_keep(s, op->login.principal);
  s->logged_in = true;
  s->must_change_password = expired;
  op->logged_in.credentials_expired = expired;
  return ERR_OK;
}

enum err session_op_logoff(struct dbms_session *s) {
  relay_logoff(s->relay);
  session_end_transaction(s);
  s->logged_in = s->must_change_password = false;
  s->user = s->home = STR_NONE;
  return ERR_OK;
}

enum err session_check_identity(const struct dbms_session *s, const struct dbms_tx_options *options, const struct database *db,
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
