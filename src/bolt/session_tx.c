// BEGIN, COMMIT, ROLLBACK, as messages and as the texts of Bolt 1 and 2; RESET, ACK_FAILURE; ROUTE, TELEMETRY.
#include <stdio.h>

#include "base/planted.h"
#include "bolt/relayed.h"
#include "bolt/session_int.h"
#include "bolt/summary.h"

/// For a text that stands for a message, the answer is that of a query without columns, whose "result" the client then pulls.
static void answer_text(struct bolt_session *s) {
  s->text = s->message.run.text;
  struct bolt_success success;
  bolt_success_begin(&success, &s->out);
  dict_strs(&success.meta, STR("fields"), NULL, 0);
  dict_int(&success.meta, STR("result_available_after"), 0);
  session_succeed(s, BOLT_DONE, bolt_success_end(&success));
  if (s->state != BOLT_DEFUNCT) s->state = s->text == BOLT_BEGIN ? BOLT_TX_STREAMING : BOLT_STREAMING;
}

static bool is_text(const struct bolt_session *s) {
  return s->message.kind == BOLT_RUN;
}

enum err session_read_relayed(struct bolt_session *s, struct dbms_tx_options *ret, struct error *e) {
  if (!s->setup.settings->for_servers || v_is_null(s->message.extra)) return ERR_OK;
  TRY(bolt_relayed_read_origin(s->message.extra, &ret->origin, e));
  TRY(bolt_relayed_read_database(s->message.extra, ret, e));
  return bolt_relayed_read_linearizable(s->message.extra, ret, e);
}

static enum err read_relayed_and_question(struct bolt_session *s, struct dbms_tx_options *ret, struct error *e) {
  TRY(session_read_relayed(s, ret, e));
  if (!s->setup.settings->for_servers || v_is_null(s->message.extra)) return ERR_OK;
  return bolt_relayed_read_question(s->message.extra, ret, e);
}

static void begun(struct bolt_session *s) {
  if (s->op.err != ERR_OK) {
    session_fail_operation(s);
    return;
  }
  s->explicit_tx = true;
  if (is_text(s)) {
    answer_text(s);
    return;
  }
  struct bolt_success success;
  bolt_success_begin(&success, &s->out);
  bool for_servers = s->setup.settings->for_servers;
  if (s->version->home_database && (for_servers || s->message.begin.tx.database.len == 0))
    dict_str(&success.meta, STR("db"), s->op.begun.database);
  if (for_servers) bolt_relayed_write_place(&success.meta, s->op.begun.place);
  if (for_servers) bolt_relayed_write_fate(&success.meta, &s->op.begun.fate);
  session_succeed(s, BOLT_DONE, bolt_success_end(&success));
}

void session_begin(struct bolt_session *s) {
  struct error error = ERROR_INIT;
  session_forget_results(s);
  if (!is_text(s) && session_keep_filter(&s->tx_filter, &s->message.begin.filter) != ERR_OK) {
    error_set(&error, ERR_NOMEM, "no memory for the transaction");
    session_fail(s, &error);
    return;
  }
  session_prepare(s, DBMS_BEGIN);
  s->op.begin = is_text(s) ? s->message.run.tx : s->message.begin.tx;
  if (read_relayed_and_question(s, &s->op.begin, &error) != ERR_OK) {
    session_fail(s, &error);
    return;
  }
  session_submit(s, begun);
}

static void committed(struct bolt_session *s) {
  if (session_lost(s, session_take_output(s))) {
    session_move(s, BOLT_FAILURE);
    return;
  }
  if (s->op.err != ERR_OK) {
    session_fail_operation(s);
    return;
  }
  struct str bookmark = s->op.committed.bookmark;
  session_forget_results(s);
  if (is_text(s)) {
    snprintf(s->text_bookmark, sizeof s->text_bookmark, "%.*s", STR_ARG(bookmark));
    answer_text(s);
    return;
  }
  struct bolt_success success;
  bolt_success_begin(&success, &s->out);
  if (bookmark.len > 0) dict_str(&success.meta, STR("bookmark"), bookmark);
  session_succeed(s, BOLT_DONE, bolt_success_end(&success));
}

void session_commit(struct bolt_session *s) {
  if (PLANTED(session) && s->tx_filter.filter.min_severity != DBMS_SEVERITY_DEFAULT && s->result_count >= 2)
    planted_memory_error();
  struct error error = ERROR_INIT;
  if (session_reserve_answer(s, &error) != ERR_OK) {
    session_fail(s, &error);
    return;
  }
  session_prepare(s, DBMS_COMMIT);
  session_submit(s, committed);
}

static void was_rolled_back(struct bolt_session *s) {
  if (s->op.err != ERR_OK) {
    session_fail_operation(s);
    return;
  }
  session_forget_results(s);
  if (is_text(s))
    answer_text(s);
  else
    session_succeed(s, BOLT_DONE, bolt_reply_success(&s->out));
}

void session_rollback(struct bolt_session *s) {
  session_prepare(s, DBMS_ROLLBACK);
  session_submit(s, was_rolled_back);
}

// ---- RESET ----

static void was_reset(struct bolt_session *s) {
  session_forget_results(s);
  s->interrupted_operation = false;
  if (s->message.kind == BOLT_RESET && s->interrupts > 0) s->interrupts--;
  session_succeed(s, BOLT_DONE, bolt_reply_success(&s->out));
}

/// Cheap where nothing is open: old drivers send one at each session's end. Each of several RESETs is answered with SUCCESS:
/// drivers send two in a row, and one of them drops the connection, another loops for ever, when a RESET is ignored.
void session_reset(struct bolt_session *s) {
  bool nothing_open = s->state == BOLT_READY || s->state == BOLT_AUTHENTICATION;
  if (s->dbms == NULL || (nothing_open && !s->interrupted_operation)) {
    was_reset(s);
    return;
  }
  session_prepare(s, DBMS_RESET);
  session_submit(s, was_reset);
}

// ---- ROUTE, TELEMETRY ----

static void routed(struct bolt_session *s) {
  if (s->op.err != ERR_OK) {
    session_fail_operation(s);
    return;
  }
  struct bolt_success success;
  bolt_success_begin(&success, &s->out);
  bolt_routing_table_write(&success.meta, s->version, &s->op.routed);
  session_succeed(s, BOLT_DONE, bolt_success_end(&success));
}

void session_route(struct bolt_session *s) {
  const struct bolt_route *route = &s->message.route;
  session_prepare(s, DBMS_ROUTE);
  s->op.route.address = route->address;
  s->op.route.database = route->database;
  s->op.route.impersonated_user = route->impersonated_user;
  s->op.route.bookmarks = route->bookmarks;
  s->op.route.bookmark_count = route->bookmark_count;
  session_submit(s, routed);
}

void session_telemetry(struct bolt_session *s) {
  bolt_tally_add(&s->setup.tally->telemetry[s->message.telemetry], 1);
  session_succeed(s, BOLT_DONE, bolt_reply_success(&s->out));
}
