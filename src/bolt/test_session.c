// Conversations: what a client says, what it hears. The database is the script of test_dbms.h.
#include <stdio.h>
#include <string.h>

#include "bolt/test_player.h"

#define SERVER "server: 'Neo4j/5.26.0-quiver.test'"
#define PULLED_4 "t_last: 2, type: 'r'}\n"

// ---- logging in ----

TEST(hello_tells_what_the_version_knows) {
  static const struct {
    uint8_t major, minor;
    const char *answer;
  } cases[] = {
      {3, 0, "SUCCESS {connection_id: 'bolt-1', " SERVER "}\n"},
      {4, 0, "SUCCESS {connection_id: 'bolt-1', " SERVER "}\n"},
      {4, 2, "SUCCESS {connection_id: 'bolt-1', " SERVER "}\n"},
      {4, 3,
       "SUCCESS {connection_id: 'bolt-1', hints: {connection.recv_timeout_seconds: 120}, patch_bolt: ['utc'], " SERVER "}\n"},
      {4, 4,
       "SUCCESS {connection_id: 'bolt-1', hints: {connection.recv_timeout_seconds: 120}, patch_bolt: ['utc'], " SERVER "}\n"},
      {5, 0, "SUCCESS {connection_id: 'bolt-1', hints: {connection.recv_timeout_seconds: 120}, " SERVER "}\n"},
      {5, 4,
       "SUCCESS {connection_id: 'bolt-1', hints: {connection.recv_timeout_seconds: 120, telemetry.enabled: false}, " SERVER
       "}\n"},
      {5, 8,
       "SUCCESS {connection_id: 'bolt-1', hints: {connection.recv_timeout_seconds: 120, ssr.enabled: true, telemetry.enabled: "
       "false}, " SERVER "}\n"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct player p;
    player_open(&p);
    player_shake_hands(&p, cases[i].major, cases[i].minor);
    player_say(&p, "HELLO {user_agent: 'x', patch_bolt: ['utc'], bolt_agent: {product: 'x'}, routing: null, scheme: 'none'}");
    assert_hears(&p, cases[i].answer);
    assert_int_equal(bolt_session_state(p.conn.session),
                     bolt_version_find(cases[i].major, cases[i].minor)->logon ? BOLT_AUTHENTICATION : BOLT_READY);
    player_close(&p);
  }
}

TEST(a_manifest_client_is_told_its_protocol_version) {
  struct player p;
  player_open(&p);
  player_send_hex(&p, "60 60 B0 17 000001ff 00080805 00020404 00000003");
  assert_int_equal(player_hear_bytes(&p).len, 26);
  player_send_hex(&p, "00 00 00 06 00");
  player_say(&p, "HELLO {user_agent: 'x', bolt_agent: {product: 'x'}}");
  assert_non_null(strstr(player_hear_z(&p), "protocol_version: '6.0'"));
  player_close(&p);
}

TEST(a_wrong_password_fails_and_closes) {
  struct player p;
  player_open(&p);
  p.dbms.auth_enabled = true;
  player_shake_hands(&p, 5, 4);
  player_say(&p, "HELLO {user_agent: 'x', bolt_agent: {product: 'x'}}");
  player_hear(&p);
  player_say(&p, "LOGON {scheme: 'basic', principal: 'neo4j', credentials: 'wrong'}");
  assert_hears(&p, "FAILURE {code: 'Neo.ClientError.Security.Unauthorized', message: 'The client is unauthorized due to "
                   "authentication failure.'}\n");
  assert_true(p.conn.finish);
  player_say(&p, "LOGON {scheme: 'basic', principal: 'neo4j', credentials: 'secret'}");
  assert_hears(&p, "");
  player_close(&p);
}

TEST(an_expired_password_is_told_by_hello_or_logon) {
  struct player p;
  player_open(&p);
  p.dbms.credentials_expired = true;
  player_shake_hands(&p, 4, 4);
  player_say(&p, "HELLO {user_agent: 'x', scheme: 'none'}");
  assert_non_null(strstr(player_hear_z(&p), "credentials_expired: true"));
  player_close(&p);
  player_open(&p);
  p.dbms.credentials_expired = true;
  p.settings.advertised_address = STR("db.example:7687");
  player_shake_hands(&p, 5, 8);
  player_say(&p, "HELLO {user_agent: 'x', bolt_agent: {product: 'x'}}");
  player_hear(&p);
  player_say(&p, "LOGON {scheme: 'none'}");
  assert_hears(&p, "SUCCESS {advertised_address: 'db.example:7687', credentials_expired: true}\n");
  player_close(&p);
}

TEST(trap_5_hello_and_logon_without_a_scheme_are_taken) {
  struct player p;
  player_open(&p);
  player_shake_hands(&p, 5, 4);
  player_say(&p, "HELLO {user_agent: 'x', bolt_agent: {product: 'x'}}");
  player_say(&p, "LOGON {}");
  player_hear(&p);
  assert_int_equal(bolt_session_state(p.conn.session), BOLT_READY);
  player_close(&p);
  player_open(&p);
  player_shake_hands(&p, 4, 4);
  player_say(&p, "HELLO {user_agent: 'x'}");
  player_hear(&p);
  assert_int_equal(bolt_session_state(p.conn.session), BOLT_READY);
  player_close(&p);
}

TEST(a_bolt_agent_with_a_product_is_mandatory_from_5_3_on) {
  static const char *const bad[] = {"HELLO {user_agent: 'x'}", "HELLO {user_agent: 'x', bolt_agent: {}}",
                                    "HELLO {user_agent: 'x', bolt_agent: 'x'}"};
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    struct player p;
    player_open(&p);
    player_shake_hands(&p, 5, 3);
    player_say(&p, bad[i]);
    assert_non_null(strstr(player_hear_z(&p), "FAILURE {code: 'Neo.ClientError.Request.Invalid'"));
    assert_true(p.conn.finish);
    player_close(&p);
  }
}

TEST(a_server_without_room_says_so_and_closes) {
  struct player p;
  player_open(&p);
  p.dbms.full = true;
  player_shake_hands(&p, 5, 4);
  player_say(&p, "HELLO {user_agent: 'x', bolt_agent: {product: 'x'}}");
  assert_non_null(strstr(player_hear_z(&p), "Neo.TransientError.Request.NoThreadsAvailable"));
  assert_true(p.conn.finish);
  player_close(&p);
}

TEST(a_user_may_be_changed_by_logoff_and_logon) {
  struct player p;
  player_log_in(&p, 5, 4);
  player_say(&p, "LOGOFF");
  player_say(&p, "LOGON {scheme: 'basic', principal: 'alice', credentials: 'x'}");
  player_say(&p, "RUN 'RETURN 1' {} {}");
  assert_hears(&p, "SUCCESS {}\nSUCCESS {}\nSUCCESS {fields: ['x'], t_first: 1}\n");
  assert_non_null(strstr(p.dbms.log.data, "LOGIN basic alice"));
  player_close(&p);
}

TEST(trap_10_logoff_with_something_open_closes_and_rolls_back) {
  static const char *const open[] = {"BEGIN {}", "RUN 'RETURN 1' {} {}"};
  for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
    struct player p;
    player_log_in(&p, 5, 4);
    player_say(&p, open[i]);
    player_hear(&p);
    player_say(&p, "LOGOFF");
    assert_non_null(strstr(player_hear_z(&p), "FAILURE {code: 'Neo.ClientError.Request.Invalid'"));
    assert_true(p.conn.finish);
    assert_true(str_ends(buf_str(&p.dbms.log), STR("RESET\n")));
    player_close(&p);
  }
}

// ---- queries ----

TEST(a_query_streams_its_records_and_ends_with_a_summary) {
  struct player p;
  player_log_in(&p, 5, 4);
  player_say(&p, "RUN 'UNWIND range(1, 3) AS x RETURN x' {} {}");
  player_say(&p, "PULL {n: -1}");
  assert_hears(&p, "SUCCESS {fields: ['x'], t_first: 1}\nRECORD [1]\nRECORD [2]\nRECORD [3]\n"
                   "SUCCESS {bookmark: 'Q1:test:42', db: 'neo4j', t_last: 2, type: 'r'}\n");
  player_close(&p);
}

TEST(each_version_names_the_times_and_the_database_in_its_own_way) {
  struct player p;
  player_log_in(&p, 2, 0);
  player_say(&p, "RUN 'RETURN 1' {}");
  player_say(&p, "PULL_ALL");
  assert_hears(&p, "SUCCESS {fields: ['x'], result_available_after: 1}\nRECORD [1]\n"
                   "SUCCESS {bookmark: 'neo4j:bookmark:v1:tx42', result_consumed_after: 2, type: 'r'}\n");
  player_close(&p);
  player_log_in(&p, 3, 0);
  player_say(&p, "RUN 'RETURN 1' {} {}");
  player_say(&p, "PULL_ALL");
  assert_hears(
      &p,
      "SUCCESS {fields: ['x'], t_first: 1}\nRECORD [1]\nSUCCESS {bookmark: 'neo4j:bookmark:v1:tx42', t_last: 2, type: 'r'}\n");
  player_close(&p);
  player_log_in(&p, 5, 8);
  player_say(&p, "RUN 'RETURN 1' {} {}");
  player_say(&p, "PULL {n: -1}");
  assert_hears(&p,
               "SUCCESS {db: 'neo4j', fields: ['x'], t_first: 1}\nRECORD [1]\nSUCCESS {bookmark: 'Q1:test:42', db: 'neo4j', "
               "statuses: [{gql_status: '00000', status_description: 'note: successful completion'}], t_last: 2, type: 'r'}\n");
  player_say(&p, "RUN 'RETURN 1' {} {db: 'neo4j'}");
  assert_hears(&p, "SUCCESS {fields: ['x'], t_first: 1}\n");
  player_close(&p);
}

TEST(trap_6_pull_and_discard_take_n_records_and_tell_if_more_follow) {
  struct player p;
  player_log_in(&p, 4, 4);
  player_say(&p, "RUN 'UNWIND range(1, 7) AS x RETURN x' {} {}");
  player_say(&p, "PULL {n: 2}");
  player_say(&p, "DISCARD {n: 3}");
  player_say(&p, "PULL {n: 2, qid: -1}");
  assert_hears(&p,
               "SUCCESS {fields: ['x'], t_first: 1}\nRECORD [1]\nRECORD [2]\nSUCCESS {has_more: true}\nSUCCESS {has_more: true}\n"
               "RECORD [6]\nRECORD [7]\nSUCCESS {bookmark: 'Q1:test:42', db: 'neo4j', " PULLED_4);
  assert_int_equal(bolt_session_state(p.conn.session), BOLT_READY);
  player_close(&p);
}

TEST(trap_6_several_results_are_open_in_one_transaction) {
  struct player p;
  player_log_in(&p, 4, 0);
  player_say(&p, "BEGIN {}");
  player_say(&p, "RUN 'UNWIND range(1, 2) AS x RETURN x' {} {}");
  player_say(&p, "RUN 'RETURN 7 AS y' {} {}");
  player_say(&p, "PULL {n: 1, qid: 0}");
  player_say(&p, "PULL {n: -1}");
  player_say(&p, "PULL {n: -1, qid: 0}");
  assert_hears(&p, "SUCCESS {}\nSUCCESS {fields: ['x'], qid: 0, t_first: 1}\nSUCCESS {fields: ['y'], qid: 1, t_first: 1}\n"
                   "RECORD [1]\nSUCCESS {has_more: true}\nRECORD [7]\nSUCCESS {db: 'neo4j', " PULLED_4
                   "RECORD [2]\nSUCCESS {db: 'neo4j', " PULLED_4);
  assert_int_equal(bolt_session_state(p.conn.session), BOLT_TX_READY);
  player_say(&p, "COMMIT");
  assert_hears(&p, "SUCCESS {bookmark: 'Q1:test:42'}\n");
  player_close(&p);
}

TEST(trap_6_a_qid_that_is_negative_unknown_or_consumed_fails) {
  static const char *const bad[] = {"PULL {n: -1, qid: -2}", "PULL {n: -1, qid: 5}", "PULL {n: -1, qid: 0}",
                                    "PULL {n: 0, qid: 1}",   "PULL {n: -2}",         "PULL {}",
                                    "DISCARD {n: 0}",        "PULL {n: '1'}",        "PULL {n: 1, qid: 'x'}"};
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    struct player p;
    player_log_in(&p, 5, 4);
    player_say(&p, "BEGIN {}");
    player_say(&p, "RUN 'RETURN 1' {} {}");
    player_say(&p, "PULL {n: -1}");
    player_say(&p, "RUN 'RETURN 2' {} {}");
    player_hear(&p);
    player_say(&p, bad[i]);
    assert_non_null(strstr(player_hear_z(&p), "FAILURE {code: 'Neo.ClientError.Request.Invalid'"));
    assert_int_equal(bolt_session_state(p.conn.session), BOLT_FAILED);
    assert_true(str_ends(buf_str(&p.dbms.log), STR("RESET\n"))); // locks and snapshot go at once
    player_say(&p, "RESET");
    assert_hears(&p, "SUCCESS {}\n");
    player_close(&p);
  }
}

TEST(trap_21_a_query_without_columns_has_an_empty_list_of_fields) {
  struct player p;
  player_log_in(&p, 5, 6);
  player_say(&p, "RUN 'CREATE (:Test)' {} {}");
  player_say(&p, "PULL {n: -1}");
  assert_hears(
      &p, "SUCCESS {fields: [], t_first: 1}\nSUCCESS {bookmark: 'Q1:test:42', db: 'neo4j', "
          "stats: {contains-updates: true, labels-added: 1, nodes-created: 1, properties-set: 1}, "
          "statuses: [{gql_status: '00001', status_description: 'note: successful completion - omitted result'}], t_last: 2, "
          "type: 'w'}\n");
  player_close(&p);
}

TEST(notifications_take_the_shape_of_the_version) {
  struct player p;
  player_log_in(&p, 4, 4);
  p.dbms.notify = true;
  player_say(&p, "RUN 'RETURN 1' {} {}");
  player_say(&p, "PULL {n: -1}");
  const char *heard = player_hear_z(&p);
  assert_non_null(
      strstr(heard, "notifications: [{code: 'Neo.ClientNotification.Statement.CartesianProduct', description: 'description', "
                    "position: {column: 4, line: 1, offset: 3}, severity: 'INFORMATION', title: 'title'}, {"));
  assert_null(strstr(heard, "category"));
  player_close(&p);
  player_log_in(&p, 5, 2);
  p.dbms.notify = true;
  player_say(&p, "RUN 'RETURN 1' {} {}");
  player_say(&p, "PULL {n: -1}");
  assert_non_null(strstr(player_hear_z(&p), "notifications: [{category: 'PERFORMANCE', code:"));
  player_close(&p);
  player_log_in(&p, 5, 6);
  p.dbms.notify = true;
  player_say(&p, "RUN 'RETURN 1' {} {}");
  player_say(&p, "PULL {n: -1}");
  heard = player_hear_z(&p);
  assert_null(strstr(heard, "notifications"));
  const char *warning = strstr(heard, "gql_status: '01N50'"), *outcome = strstr(heard, "gql_status: '00000'"),
             *information = strstr(heard, "gql_status: '03N90'");
  assert_true(warning != NULL && warning < outcome && outcome < information);
  assert_non_null(
      strstr(heard, "_classification: 'PERFORMANCE', _position: {column: 4, line: 1, offset: 3}, _severity: 'INFORMATION'"));
  player_close(&p);
}

TEST(notification_filters_of_a_message_win_over_those_of_begin_and_hello) {
  struct player p;
  player_open(&p);
  player_shake_hands(&p, 5, 4);
  player_say(&p, "HELLO {user_agent: 'x', bolt_agent: {product: 'x'}, notifications_minimum_severity: 'WARNING', "
                 "notifications_disabled_categories: ['HINT', 'GENERIC']}");
  player_say(&p, "LOGON {}");
  player_say(&p, "RUN 'RETURN 1' {} {}");
  player_say(&p, "PULL {n: -1}");
  player_say(&p, "RUN 'RETURN 2' {} {notifications_minimum_severity: 'OFF', notifications_disabled_classifications: []}");
  player_say(&p, "PULL {n: -1}");
  player_say(&p, "BEGIN {notifications_minimum_severity: 'INFORMATION', notifications_disabled_categories: ['HINT']}");
  player_say(&p, "RUN 'RETURN 3' {} {}");
  assert_non_null(strstr(p.dbms.log.data, "RUN RETURN 1 severity=2 disabled=2"));
  assert_non_null(strstr(p.dbms.log.data, "RUN RETURN 2 severity=1 disabled=0"));
  assert_non_null(strstr(p.dbms.log.data, "RUN RETURN 3 in tx severity=3 disabled=1"));
  player_close(&p);
}

TEST(a_plan_is_part_of_the_summary) {
  struct player p;
  player_log_in(&p, 5, 4);
  p.dbms.with_plan = true;
  player_say(&p, "RUN 'RETURN 1' {} {}");
  player_say(&p, "PULL {n: -1}");
  assert_non_null(strstr(player_hear_z(&p), "plan: {operatorType: 'ProduceResults'}"));
  player_close(&p);
}

TEST(trap_9_options_of_begin_and_run_arrive_and_are_checked) {
  struct player p;
  player_log_in(&p, 5, 4);
  player_say(&p, "BEGIN {bookmarks: ['a', null, '', 'b'], tx_timeout: 1500, tx_metadata: {app: 'x'}, db: 'movies', mode: 'r', "
                 "unknown: [1]}");
  assert_hears(&p, "SUCCESS {}\n");
  assert_non_null(strstr(p.dbms.log.data, "BEGIN db=movies r bookmarks=2 timeout=1500"));
  player_close(&p);
  static const char *const bad[] = {"BEGIN {mode: 'x'}",
                                    "BEGIN {tx_timeout: -1}",
                                    "BEGIN {tx_timeout: 'x'}",
                                    "BEGIN {bookmarks: 'a'}",
                                    "BEGIN {bookmarks: [1]}",
                                    "BEGIN {db: 1}",
                                    "BEGIN {tx_metadata: []}",
                                    "BEGIN",
                                    "BEGIN {} {}",
                                    "BEGIN []",
                                    "RUN 'RETURN 1' {} {mode: 'rw'}",
                                    "RUN 'RETURN 1' {}",
                                    "RUN 1 {} {}",
                                    "RUN 'RETURN 1' null {}"};
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    player_log_in(&p, 5, 4);
    player_say(&p, bad[i]);
    assert_non_null(strstr(player_hear_z(&p), "FAILURE {code: 'Neo.ClientError.Request.Invalid'"));
    assert_int_equal(bolt_session_state(p.conn.session), BOLT_FAILED);
    player_close(&p);
  }
}

// ---- failures ----

TEST(trap_7_after_a_failure_all_is_ignored_until_reset) {
  struct player p;
  player_log_in(&p, 5, 4);
  player_say(&p, "RUN 'NONSENSE' {} {}");
  player_say(&p, "PULL {n: -1}");
  static const char *const ignored[] = {"COMMIT",   "ROLLBACK", "BEGIN {}",        "ROUTE {} [] {}", "TELEMETRY 1",  "LOGOFF",
                                        "LOGON {}", "HELLO {}", "DISCARD {n: -1}", "ACK_FAILURE",    "RUN 'x' {} {}"};
  assert_hears(&p, "FAILURE {code: 'Neo.ClientError.Statement.SyntaxError', message: 'Invalid input ''NONSENSE'''}\nIGNORED\n");
  for (size_t i = 0; i < ARRAY_SIZE(ignored); i++) {
    player_say(&p, ignored[i]);
    struct str bytes = player_hear_bytes(&p);
    assert_int_equal(bytes.len, 6);
    assert_memory_equal(bytes.ptr, "\0\x02\xb0\x7e\0\0", 6);
  }
  player_say(&p, "RESET");
  player_say(&p, "RUN 'RETURN 1' {} {}");
  assert_hears(&p, "SUCCESS {}\nSUCCESS {fields: ['x'], t_first: 1}\n");
  player_close(&p);
}

TEST(trap_12_a_failure_has_the_shape_of_its_version) {
  struct player p;
  player_log_in(&p, 5, 7);
  player_say(&p, "RUN 'NONSENSE' {} {}");
  assert_hears(&p, "FAILURE {description: 'error: invalid syntax', diagnostic_record: {CURRENT_SCHEMA: '/', OPERATION: '', "
                   "OPERATION_CODE: '0', "
                   "_classification: 'CLIENT_ERROR', _position: {column: 1, line: 1, offset: 0}}, gql_status: '42001', "
                   "message: 'Invalid input ''NONSENSE''', neo4j_code: 'Neo.ClientError.Statement.SyntaxError'}\n");
  player_say(&p, "RESET");
  player_hear(&p);
  player_say(&p, "COMMIT");
  const char *heard = player_hear_z(&p);
  assert_non_null(strstr(heard, "cause: {description: "));
  assert_non_null(strstr(heard, "gql_status: '08N10'"));
  assert_non_null(strstr(heard, "gql_status: '08N06'"));
  player_close(&p);
}

TEST(an_error_while_records_stream_comes_behind_them) {
  struct player p;
  player_log_in(&p, 5, 4);
  player_say(&p, "RUN 'RETURN 1/0' {} {}");
  player_say(&p, "PULL {n: -1}");
  assert_hears(
      &p,
      "SUCCESS {fields: ['x'], t_first: 1}\nFAILURE {code: 'Neo.ClientError.Statement.ArithmeticError', message: '/ by zero'}\n");
  player_close(&p);
}

TEST(trap_9_a_conflict_at_commit_is_transient_and_keeps_the_connection) {
  struct player p;
  player_log_in(&p, 5, 4);
  player_say(&p, "BEGIN {}");
  player_hear(&p);
  p.dbms.next_error = ERR_DEADLOCK;
  player_say(&p, "COMMIT");
  assert_non_null(strstr(player_hear_z(&p), "FAILURE {code: 'Neo.TransientError.Transaction.DeadlockDetected'"));
  assert_false(p.conn.finish);
  player_say(&p, "RESET");
  player_say(&p, "BEGIN {}");
  assert_hears(&p, "SUCCESS {}\nSUCCESS {}\n");
  player_close(&p);
}

TEST(trap_12_an_unknown_database_is_named_as_such) {
  struct player p;
  player_log_in(&p, 5, 4);
  player_say(&p, "BEGIN {db: 'missing'}");
  assert_non_null(strstr(player_hear_z(&p), "Neo.ClientError.Database.DatabaseNotFound"));
  player_close(&p);
}

TEST(trap_10_a_failed_transaction_leaks_nothing_into_the_next) {
  struct player p;
  player_log_in(&p, 5, 4);
  player_say(&p, "BEGIN {}");
  player_say(&p, "RUN 'CREATE (:Test)' {} {}");
  player_say(&p, "ROLLBACK");
  player_say(&p, "RUN 'RETURN 1' {} {}");
  player_hear(&p);
  assert_non_null(strstr(p.dbms.log.data, "ROLLBACK\nRUN RETURN 1 severity"));
  player_close(&p);
}

// ---- protocol errors ----

TEST(trap_17_a_message_in_the_wrong_state_is_explained_and_closes) {
  static const struct {
    const char *before, *message;
  } cases[] = {
      {NULL, "COMMIT"},
      {NULL, "ROLLBACK"},
      {NULL, "PULL {n: -1}"},
      {NULL, "LOGON {}"},
      {NULL, "HELLO {}"},
      {"BEGIN {}", "BEGIN {}"},
      {"BEGIN {}", "PULL {n: -1}"},
      {"BEGIN {}", "ROUTE {} [] {}"},
      {"BEGIN {}", "TELEMETRY 1"},
      {"RUN 'RETURN 1' {} {}", "RUN 'RETURN 1' {} {}"},
      {"RUN 'RETURN 1' {} {}", "BEGIN {}"},
      {"RUN 'RETURN 1' {} {}", "COMMIT"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct player p;
    player_log_in(&p, 5, 4);
    if (cases[i].before != NULL) player_say(&p, cases[i].before);
    player_hear(&p);
    player_say(&p, cases[i].message);
    const char *heard = player_hear_z(&p);
    assert_non_null(strstr(heard, "FAILURE {code: 'Neo.ClientError.Request.Invalid', message: 'Message '"));
    assert_non_null(strstr(heard, "cannot be handled by a session in the "));
    assert_true(p.conn.finish);
    player_close(&p);
  }
}

TEST(a_message_of_another_version_is_a_protocol_error) {
  static const struct {
    uint8_t major, minor;
    const char *message;
  } cases[] = {
      {3, 0, "ROUTE {} [] {}"},      {4, 2, "ROUTE {} [] null"}, {5, 0, "LOGOFF"},        {5, 3, "TELEMETRY 1"},
      {3, 0, "ACK_FAILURE"},         {2, 0, "BEGIN {}"},         {2, 0, "COMMIT"},        {2, 0, "RUN 'x' {} {}"},
      {3, 0, "RUN 'x' {}"},          {5, 4, "TELEMETRY 4"},      {5, 4, "TELEMETRY 'x'"}, {4, 3, "ROUTE {} [] {}"},
      {4, 4, "ROUTE {} [] 'neo4j'"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct player p;
    player_log_in(&p, cases[i].major, cases[i].minor);
    player_say(&p, cases[i].message);
    assert_non_null(strstr(player_hear_z(&p), "FAILURE {code: 'Neo.ClientError.Request.Invalid'"));
    assert_false(p.conn.finish);
    player_say(&p, "RESET");
    assert_hears(&p, "SUCCESS {}\n");
    player_close(&p);
  }
}

TEST(trap_8_reset_before_hello_closes) {
  struct player p;
  player_open(&p);
  player_shake_hands(&p, 5, 4);
  player_say(&p, "RESET");
  assert_non_null(strstr(player_hear_z(&p), "FAILURE"));
  assert_true(p.conn.finish);
  player_close(&p);
}

TEST(a_failed_hello_leaves_a_pipelined_logon_unanswered) {
  struct player p;
  player_open(&p);
  player_shake_hands(&p, 5, 4);
  CLEANUP(buf_done) struct buf both = test_message("HELLO {user_agent: 'x'}"), logon = test_message("LOGON {}");
  assert_ok(buf_append_str(&both, buf_str(&logon)));
  player_send(&p, both.data, both.len);
  const char *heard = player_hear_z(&p);
  assert_non_null(strstr(heard, "FAILURE"));
  assert_null(strchr(strchr(heard, '\n') + 1, '\n'));
  player_close(&p);
}

// ---- reset ----

TEST(trap_8_each_of_several_resets_is_answered_with_success) {
  struct player p;
  player_log_in(&p, 4, 4);
  player_say(&p, "RUN 'NONSENSE' {} {}");
  player_hear(&p);
  player_send_hex(&p, "00 02 b0 0f 00 00 00 02 b0 0f 00 00");
  assert_hears(&p, "SUCCESS {}\nSUCCESS {}\n");
  player_send_hex(&p, "00 02 b0 0f 00 00");
  assert_hears(&p, "SUCCESS {}\n");
  player_close(&p);
}

TEST(trap_8_reset_interrupts_what_runs_and_what_waits_is_ignored) {
  struct player p;
  player_log_in(&p, 5, 4);
  player_say(&p, "BEGIN {}");
  player_hear(&p);
  p.dbms.hold = true;
  player_say(&p, "RUN 'RETURN 1' {} {}");
  player_say(&p, "PULL {n: -1}");
  player_say(&p, "RESET");
  player_say(&p, "RUN 'RETURN 2' {} {}");
  player_say(&p, "RESET");
  assert_hears(&p, "");
  assert_true(test_dbms_was_interrupted(&p.dbms));
  p.dbms.hold = false;
  player_finish_operation(&p);
  assert_hears(&p,
               "FAILURE {code: 'Neo.TransientError.Transaction.Terminated', message: 'as the script says'}\nIGNORED\nSUCCESS {}\n"
               "IGNORED\nSUCCESS {}\n");
  assert_int_equal(bolt_session_state(p.conn.session), BOLT_READY);
  player_say(&p, "RUN 'RETURN 1' {} {}");
  assert_hears(&p, "SUCCESS {fields: ['x'], t_first: 1}\n");
  player_close(&p);
}

TEST(reset_in_ready_costs_no_operation) {
  struct player p;
  player_log_in(&p, 4, 4);
  size_t before = p.dbms.log.len;
  player_say(&p, "RESET");
  assert_hears(&p, "SUCCESS {}\n");
  assert_int_equal(p.dbms.log.len, before);
  player_close(&p);
}

TEST(reset_drops_open_results) {
  struct player p;
  player_log_in(&p, 4, 4);
  player_say(&p, "RUN 'UNWIND range(1, 9) AS x RETURN x' {} {}");
  player_say(&p, "PULL {n: 1}");
  player_say(&p, "RESET");
  player_hear(&p);
  assert_true(str_ends(buf_str(&p.dbms.log), STR("RESET\n")));
  assert_int_equal(bolt_session_state(p.conn.session), BOLT_READY);
  player_close(&p);
}

TEST(goodbye_and_a_lost_connection_interrupt_what_runs) {
  for (int polite = 0; polite < 2; polite++) {
    struct player p;
    player_log_in(&p, 5, 4);
    p.dbms.hold = true;
    player_say(&p, "RUN 'RETURN 1' {} {}");
    if (polite)
      player_say(&p, "GOODBYE");
    else
      assert_false(bolt_conn_disconnect(&p.conn));
    assert_true(test_dbms_was_interrupted(&p.dbms));
    p.dbms.hold = false;
    player_finish_operation(&p);
    if (polite) assert_true(p.conn.finish);
    player_close(&p);
  }
}

TEST(what_runs_when_the_peer_hangs_up_is_interrupted_once) {
  struct player p;
  player_log_in(&p, 5, 4);
  p.dbms.hold = true;
  player_say(&p, "RUN 'RETURN 1' {} {}");
  buf_clear(&p.dbms.log);
  for (int looks = 0; looks < 3; looks++) assert_false(bolt_conn_disconnect(&p.conn));
  assert_str(buf_str(&p.dbms.log), "INTERRUPT\n");
  p.dbms.hold = false;
  player_finish_operation(&p);
  player_close(&p);
}

// ---- Bolt 1 and 2 ----

TEST(trap_16_bolt_1_sends_transactions_as_queries) {
  struct player p;
  player_log_in(&p, 1, 0);
  player_say(&p,
             "RUN 'BEGIN' {bookmark: 'neo4j:bookmark:v1:tx42', bookmarks: ['neo4j:bookmark:v1:tx41', 'neo4j:bookmark:v1:tx42']}");
  player_say(&p, "DISCARD_ALL");
  player_say(&p, "RUN 'RETURN 1' {}");
  player_say(&p, "PULL_ALL");
  player_say(&p, "RUN ' commit ; ' {}");
  player_say(&p, "PULL_ALL");
  assert_hears(&p, "SUCCESS {fields: [], result_available_after: 0}\nSUCCESS {}\nSUCCESS {fields: ['x'], result_available_after: "
                   "1}\nRECORD [1]\n"
                   "SUCCESS {result_consumed_after: 2, type: 'r'}\nSUCCESS {fields: [], result_available_after: 0}\n"
                   "SUCCESS {bookmark: 'neo4j:bookmark:v1:tx42'}\n");
  assert_non_null(strstr(p.dbms.log.data, "BEGIN db= w bookmarks=2 timeout=-1\nRUN RETURN 1 in tx"));
  assert_int_equal(bolt_session_state(p.conn.session), BOLT_READY);
  player_say(&p, "RUN 'ROLLBACK' {}");
  assert_non_null(strstr(player_hear_z(&p), "FAILURE"));
  player_close(&p);
}

TEST(bolt_1_may_run_a_query_before_it_has_pulled_begins_answer) {
  struct player p;
  player_log_in(&p, 1, 0);
  player_say(&p, "RUN 'BEGIN' {}");
  player_say(&p, "RUN 'RETURN 1' {}");
  player_hear(&p);
  player_say(&p, "PULL_ALL");
  assert_hears(&p, "RECORD [1]\nSUCCESS {result_consumed_after: 2, type: 'r'}\n");
  assert_int_equal(bolt_session_state(p.conn.session), BOLT_TX_READY);
  player_close(&p);
}

TEST(bolt_1_acknowledges_failures) {
  struct player p;
  player_log_in(&p, 1, 0);
  player_say(&p, "RUN 'NONSENSE' {}");
  player_say(&p, "PULL_ALL");
  player_say(&p, "ACK_FAILURE");
  player_say(&p, "RUN 'RETURN 1' {}");
  assert_hears(
      &p, "FAILURE {code: 'Neo.ClientError.Statement.SyntaxError', message: 'Invalid input ''NONSENSE'''}\nIGNORED\nSUCCESS {}\n"
          "SUCCESS {fields: ['x'], result_available_after: 1}\n");
  player_close(&p);
}

// ---- routing, telemetry ----

TEST(who_comes_with_a_routing_context_looks_for_leaders_itself) {
  static const struct {
    const char *routing;
    bool routed;
  } cases[] = {{"", false}, {", routing: null", false}, {", routing: {}", true}, {", routing: {address: 'core:7687'}", true}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct player p;
    char hello[120];
    player_open(&p);
    player_shake_hands(&p, 5, 4);
    snprintf(hello, sizeof hello, "HELLO {user_agent: 'x', bolt_agent: {product: 'x'}%s}", cases[i].routing);
    player_say(&p, hello);
    assert_int_equal(p.dbms.routed, cases[i].routed);
    player_close(&p);
  }
}

TEST(in_a_cluster_drivers_remember_the_home_database_but_for_those_that_would_stick_to_a_dead_leader) {
  static const struct {
    const char *product;
    bool is_member;
    const char *hint;
  } cases[] = {{"neo4j-javascript/6.3.0", false, "ssr.enabled: true"},
               {"neo4j-javascript/6.3.0", true, "ssr.enabled: false"},
               {"neo4j-python/6.4.1", true, "ssr.enabled: true"}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct player p;
    char hello[100];
    player_open(&p);
    p.dbms.is_member = cases[i].is_member;
    player_shake_hands(&p, 5, 8);
    snprintf(hello, sizeof hello, "HELLO {user_agent: 'x', bolt_agent: {product: '%s'}}", cases[i].product);
    player_say(&p, hello);
    assert_non_null(strstr(player_hear_z(&p), cases[i].hint));
    player_close(&p);
  }
}

TEST(trap_4_route_takes_its_versions_third_field) {
  struct player p;
  player_log_in(&p, 4, 3);
  player_say(&p, "ROUTE {address: 'db:1'} ['b'] null");
  player_say(&p, "ROUTE {} [] 'neo4j'");
  assert_hears(
      &p,
      "SUCCESS {rt: {servers: [{addresses: ['db:1'], role: 'WRITE'}, {addresses: ['db:1'], role: 'READ'}, "
      "{addresses: ['db:1'], role: 'ROUTE'}], ttl: 300}}\n"
      "SUCCESS {rt: {servers: [{addresses: ['localhost:7687'], role: 'WRITE'}, {addresses: ['localhost:7687'], role: 'READ'}, "
      "{addresses: ['localhost:7687'], role: 'ROUTE'}], ttl: 300}}\n");
  player_close(&p);
  player_log_in(&p, 4, 4);
  player_say(&p, "ROUTE {address: 'db:1'} null {db: null, imp_user: 'bob'}");
  assert_non_null(strstr(player_hear_z(&p), "SUCCESS {rt: {db: 'neo4j', servers: ["));
  assert_non_null(strstr(p.dbms.log.data, "ROUTE db= user=bob bookmarks=0"));
  player_say(&p, "ROUTE {} [] {db: 'missing'}");
  assert_non_null(strstr(player_hear_z(&p), "DatabaseNotFound"));
  player_close(&p);
}

TEST(trap_23_each_role_has_an_address) {
  struct player p;
  player_log_in(&p, 3, 0);
  player_say(&p, "RUN 'CALL dbms.cluster.routing.getRoutingTable($context)' {context: {}} {}");
  player_say(&p, "PULL_ALL");
  const char *heard = player_hear_z(&p);
  assert_non_null(strstr(
      heard, "RECORD [300, [{addresses: ['localhost:7687'], role: 'WRITE'}, {addresses: ['localhost:7687'], role: 'READ'}"));
  player_close(&p);
}

TEST(telemetry_is_counted_and_answered_in_order) {
  struct player p;
  player_log_in(&p, 5, 4);
  player_say(&p, "TELEMETRY 2");
  player_say(&p, "RUN 'RETURN 1' {} {}");
  assert_hears(&p, "SUCCESS {}\nSUCCESS {fields: ['x'], t_first: 1}\n");
  assert_int_equal(p.tally.telemetry[2], 1);
  player_close(&p);
}

// ---- values of versions ----

TEST(trap_2_nodes_relationships_and_paths_have_the_fields_of_the_version) {
  static const struct {
    uint8_t major, minor;
    const char *query, *record;
  } cases[] = {
      {4, 4, "RUN 'MATCH (n) RETURN n' {} {}", "b1 71 91 b3 4e 01 91 84 'Test' a1 84 'name' 81 'x'"},
      {5, 0, "RUN 'MATCH (n) RETURN n' {} {}", "b1 71 91 b4 4e 01 91 84 'Test' a1 84 'name' 81 'x' 88 '4:test:1'"},
      {4, 4, "RUN 'MATCH ()-[r]->() RETURN r' {} {}", "b1 71 91 b5 52 07 01 02 85 'KNOWS' a0"},
      {5, 0, "RUN 'MATCH ()-[r]->() RETURN r' {} {}",
       "b1 71 91 b8 52 07 01 02 85 'KNOWS' a0 88 '5:test:7' 88 '4:test:1' 88 '4:test:2'"},
      {4, 4, "RUN 'MATCH p = ()-->() RETURN p' {} {}",
       "b1 71 91 b3 50 92 b3 4e 01 91 84 'Test' a1 84 'name' 81 'x' b3 4e 02 91 84 'Test' a1 84 'name' 81 'x' 91 b3 72 07 85 "
       "'KNOWS' a0 92 01 01"},
      {5, 0, "RUN 'MATCH p = ()-->() RETURN p' {} {}",
       "b1 71 91 b3 50 92 b4 4e 01 91 84 'Test' a1 84 'name' 81 'x' 88 '4:test:1' b4 4e 02 91 84 'Test' a1 84 'name' 81 'x' 88 "
       "'4:test:2' "
       "91 b4 72 07 85 'KNOWS' a0 88 '5:test:7' 92 01 01"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct player p;
    player_log_in(&p, cases[i].major, cases[i].minor);
    player_say(&p, cases[i].query);
    player_hear(&p);
    player_say(&p, "PULL {n: -1}");
    CLEANUP(buf_done) struct buf expected = test_hex(cases[i].record);
    struct str got = player_hear_bytes(&p);
    assert_true(got.len > expected.len + 4);
    assert_int_equal((uint8_t) got.ptr[1], expected.len);
    assert_memory_equal(got.ptr + 2, expected.data, expected.len);
    player_close(&p);
  }
}

TEST(trap_11_the_utc_patch_changes_datetimes_from_the_next_message_on) {
  for (int patch = 0; patch < 2; patch++) {
    struct player p;
    player_open(&p);
    player_shake_hands(&p, 4, 4);
    player_say(&p, patch ? "HELLO {user_agent: 'x', patch_bolt: ['utc']}" : "HELLO {user_agent: 'x'}");
    player_hear(&p);
    const char *value = patch ? "b3 49 c9 11 94 2a c9 0e 10" : "b3 46 c9 1f a4 2a c9 0e 10";
    CLEANUP(buf_done) struct buf parameter = test_hex(value), run = test_hex("b3 10 8e 'RETURN $p AS x' a1 81 'p'");
    assert_ok(buf_append_str(&run, buf_str(&parameter)));
    assert_ok(buf_append_byte(&run, 0xa0));
    char head[2] = {0, (char) run.len};
    player_send(&p, head, 2);
    player_send(&p, run.data, run.len);
    player_send(&p, "\0\0", 2);
    player_hear(&p);
    player_say(&p, "PULL {n: -1}");
    struct str got = player_hear_bytes(&p);
    assert_memory_equal(got.ptr + 5, parameter.data, parameter.len);
    player_close(&p);
  }
}

TEST(trap_18_bolt_1_cannot_carry_what_it_does_not_know) {
  struct player p;
  player_log_in(&p, 1, 0);
  player_send_hex(&p, "00 19 b2 10 8e 'RETURN $p AS x' a1 81 'p' b1 44 c9 4d 46 00 00");
  assert_non_null(strstr(player_hear_z(&p), "FAILURE"));
  player_say(&p, "RESET");
  player_say(&p, "RUN 'RETURN 1' {}");
  assert_non_null(strstr(player_hear_z(&p), "SUCCESS {}\nSUCCESS {fields"));
  player_close(&p);
}

TEST(an_entity_as_a_parameter_fails_the_request_and_keeps_the_connection) {
  struct player p;
  player_log_in(&p, 5, 4);
  player_send_hex(&p, "00 1c b3 10 8e 'RETURN $p AS x' a1 81 'p' b4 4e 01 90 a0 81 'e' a0 00 00");
  assert_non_null(strstr(player_hear_z(&p), "FAILURE {code: 'Neo.ClientError.Statement.TypeError'"));
  assert_false(p.conn.finish);
  player_close(&p);
}

/// RUN and PULL arrive together; the first is answered at once, the second waits for a commit.
static void ask_and_wait_for_commit(struct player *p) {
  player_log_in(p, 5, 4);
  p->dbms.pull_commits = true;
  CLEANUP(buf_done) struct buf both = test_message("RUN 'RETURN 1' {} {}"), pull = test_message("PULL {n: -1}");
  assert_ok(buf_append(&both, pull.data, pull.len));
  player_send(p, both.data, both.len);
}

TEST(what_was_answered_before_a_commit_goes_out_with_its_answer) {
  struct player p;
  ask_and_wait_for_commit(&p);
  assert_hears(&p, "");
  player_finish_operation(&p);
  assert_non_null(strstr(player_hear_z(&p), "SUCCESS {fields: ['x'], t_first: 1}\nRECORD [1]\nSUCCESS {"));
  player_close(&p);
}

TEST(what_was_answered_before_a_commit_does_not_wait_for_a_slow_one) {
  struct player p;
  ask_and_wait_for_commit(&p);
  player_pass_time(&p, 1000);
  assert_hears(&p, "SUCCESS {fields: ['x'], t_first: 1}\n");
  player_finish_operation(&p);
  assert_non_null(strstr(player_hear_z(&p), "RECORD [1]\nSUCCESS {"));
  player_close(&p);
}

TESTS(T(what_was_answered_before_a_commit_goes_out_with_its_answer),
      T(what_was_answered_before_a_commit_does_not_wait_for_a_slow_one), T(hello_tells_what_the_version_knows),
      T(a_manifest_client_is_told_its_protocol_version), T(a_wrong_password_fails_and_closes),
      T(an_expired_password_is_told_by_hello_or_logon), T(trap_5_hello_and_logon_without_a_scheme_are_taken),
      T(a_bolt_agent_with_a_product_is_mandatory_from_5_3_on), T(a_server_without_room_says_so_and_closes),
      T(a_user_may_be_changed_by_logoff_and_logon), T(trap_10_logoff_with_something_open_closes_and_rolls_back),
      T(a_query_streams_its_records_and_ends_with_a_summary), T(each_version_names_the_times_and_the_database_in_its_own_way),
      T(trap_6_pull_and_discard_take_n_records_and_tell_if_more_follow), T(trap_6_several_results_are_open_in_one_transaction),
      T(trap_6_a_qid_that_is_negative_unknown_or_consumed_fails), T(trap_21_a_query_without_columns_has_an_empty_list_of_fields),
      T(notifications_take_the_shape_of_the_version), T(notification_filters_of_a_message_win_over_those_of_begin_and_hello),
      T(a_plan_is_part_of_the_summary), T(trap_9_options_of_begin_and_run_arrive_and_are_checked),
      T(trap_7_after_a_failure_all_is_ignored_until_reset), T(trap_12_a_failure_has_the_shape_of_its_version),
      T(an_error_while_records_stream_comes_behind_them), T(trap_9_a_conflict_at_commit_is_transient_and_keeps_the_connection),
      T(trap_12_an_unknown_database_is_named_as_such), T(trap_10_a_failed_transaction_leaks_nothing_into_the_next),
      T(trap_17_a_message_in_the_wrong_state_is_explained_and_closes), T(a_message_of_another_version_is_a_protocol_error),
      T(trap_8_reset_before_hello_closes), T(a_failed_hello_leaves_a_pipelined_logon_unanswered),
      T(trap_8_each_of_several_resets_is_answered_with_success), T(trap_8_reset_interrupts_what_runs_and_what_waits_is_ignored),
      T(reset_in_ready_costs_no_operation), T(reset_drops_open_results), T(goodbye_and_a_lost_connection_interrupt_what_runs),
      T(what_runs_when_the_peer_hangs_up_is_interrupted_once), T(trap_16_bolt_1_sends_transactions_as_queries),
      T(bolt_1_may_run_a_query_before_it_has_pulled_begins_answer), T(bolt_1_acknowledges_failures),
      T(in_a_cluster_drivers_remember_the_home_database_but_for_those_that_would_stick_to_a_dead_leader),
      T(who_comes_with_a_routing_context_looks_for_leaders_itself), T(trap_4_route_takes_its_versions_third_field), T(trap_23_each_role_has_an_address),
      T(telemetry_is_counted_and_answered_in_order), T(trap_2_nodes_relationships_and_paths_have_the_fields_of_the_version),
      T(trap_11_the_utc_patch_changes_datetimes_from_the_next_message_on), T(trap_18_bolt_1_cannot_carry_what_it_does_not_know),
      T(an_entity_as_a_parameter_fails_the_request_and_keeps_the_connection))
