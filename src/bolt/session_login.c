// HELLO, INIT, LOGON, LOGOFF.
#include <stdio.h>

#include "bolt/relayed.h"
#include "bolt/session_int.h"

/// Authentication is over: from here on the wider limits apply.
static void log_in(struct bolt_session *s, bool logged_in) {
  s->logged_in = logged_in;
}

static enum err open_dbms_session(struct bolt_session *s, struct error *e) {
  struct dbms_client client = {
      .connector = STR("bolt"),
      .address = s->setup.peer,
      .local_address = s->setup.local,
      .connection_id = s->setup.connection_id,
      .user_agent = s->message.hello.user_agent,
      .legacy_bookmarks = s->version->legacy_bookmarks,
      .neo4j_major = s->version->neo4j_major,
      .relayed = s->setup.settings->for_servers,
      .routed = s->message.hello.routed,
  };
  if (client.relayed) TRY(bolt_relayed_read_client(s->message.extra, &client, e));
  enum err err = dbms_session_new(s->setup.dbms, &client, &s->dbms, e);
  // The internal status for "no room for another" is one that a client may see by its public name.
  if (err == ERR_LIMIT) return error_set(e, ERR_NO_THREADS, "There is no room for another session; try again later.");
  return err;
}

/// A driver that is told of server-side routing (ssr) remembers the home database. In a cluster it has that database's routers
/// then when the server it was configured with is gone; otherwise it asks that one alone who has the home database, for each
/// session. Those for JavaScript (5.28 to 6.3 were tried) then forget a writer that cannot be connected with under no name of a
/// database, and go on trying it until it is back: in a cluster they had better ask.
static bool may_remember_home(const struct bolt_session *s) {
  return dbms_takes_all(s->setup.dbms) || !str_starts(s->message.hello.product, STR("neo4j-javascript/"));
}

static void write_hints(struct bolt_session *s, struct dict *meta) {
  struct dict hints;
  int64_t receive_timeout_s = s->setup.settings->keep_alive_ms * 2 / 1000;
  dict_inner(meta, STR("hints"), &hints);
  if (receive_timeout_s > 0) dict_int(&hints, STR("connection.recv_timeout_seconds"), receive_timeout_s);
  if (s->version->telemetry) dict_bool(&hints, STR("telemetry.enabled"), s->setup.settings->telemetry_hint);
  if (s->version->home_database) dict_bool(&hints, STR("ssr.enabled"), may_remember_home(s));
  dict_inner_end(meta, &hints);
}

static void write_protocol_version(struct bolt_session *s, struct dict *meta) {
  char text[16];
  snprintf(text, sizeof text, "%u.%u", s->version->major, s->version->minor);
  dict_str(meta, STR("protocol_version"), str_of(text));
}

static void answer_hello(struct bolt_session *s, bool credentials_expired) {
  static const struct str utc = {"utc", 3};
  struct bolt_success success;
  bolt_success_begin(&success, &s->out);
  dict_str(&success.meta, STR("server"), dbms_server_name(s->setup.dbms));
  dict_str(&success.meta, STR("connection_id"), s->setup.connection_id);
  if (s->version->hints) write_hints(s, &success.meta);
  if (s->version->utc_patch && s->message.hello.utc_patch) {
    dict_strs(&success.meta, STR("patch_bolt"), &utc, 1);
    s->values.utc_datetimes = true; // from the next message on, both ways
  }
  if (s->setup.by_manifest && s->version->gql_failures) write_protocol_version(s, &success.meta);
  if (credentials_expired) dict_bool(&success.meta, STR("credentials_expired"), true);
  session_succeed(s, BOLT_DONE, bolt_success_end(&success));
}

static void submit_login(struct bolt_session *s, const struct bolt_auth *auth, void (*finish)(struct bolt_session *)) {
  session_prepare(s, DBMS_LOGIN);
  s->op.login.scheme = auth->scheme;
  s->op.login.principal = auth->principal;
  s->op.login.credentials = auth->credentials;
  s->op.login.realm = auth->realm;
  session_submit(s, finish);
}

static void hello_logged_in(struct bolt_session *s) {
  if (s->op.err != ERR_OK) {
    session_fail_operation(s);
    return;
  }
  log_in(s, true);
  answer_hello(s, s->op.logged_in.credentials_expired);
}

void session_hello(struct bolt_session *s) {
  struct error error = ERROR_INIT;
  enum err err = open_dbms_session(s, &error);
  if (err == ERR_OK && session_keep_filter(&s->hello_filter, &s->message.hello.filter) != ERR_OK)
    err = error_set(&error, ERR_NOMEM, "no memory for the session");
  if (err != ERR_OK)
    session_fail(s, &error);
  else if (s->version->logon)
    answer_hello(s, false);
  else
    submit_login(s, &s->message.hello.auth, hello_logged_in);
}

static void logged_on(struct bolt_session *s) {
  if (s->op.err != ERR_OK) {
    session_fail_operation(s);
    return;
  }
  log_in(s, true);
  struct bolt_success success;
  bolt_success_begin(&success, &s->out);
  struct str advertised = s->setup.settings->advertised_address;
  if (s->version->home_database && advertised.len > 0) dict_str(&success.meta, STR("advertised_address"), advertised);
  if (s->op.logged_in.credentials_expired) dict_bool(&success.meta, STR("credentials_expired"), true);
  session_succeed(s, BOLT_DONE, bolt_success_end(&success));
}

void session_logon(struct bolt_session *s) {
  submit_login(s, &s->message.logon, logged_on);
}

static void logged_off(struct bolt_session *s) {
  if (s->op.err != ERR_OK) {
    session_fail_operation(s);
    return;
  }
  log_in(s, false);
  session_succeed(s, BOLT_DONE, bolt_reply_success(&s->out));
}

void session_logoff(struct bolt_session *s) {
  session_prepare(s, DBMS_LOGOFF);
  session_submit(s, logged_off);
}
