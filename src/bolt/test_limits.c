// What a hostile or a slow client meets.
#include <string.h>

#include "bolt/test_player.h"

// ---- before login ----

TEST(trap_14_before_login_a_message_has_at_most_8_kib) {
  struct player p;
  player_open(&p);
  player_shake_hands(&p, 5, 4);
  uint8_t head[] = {0x20, 0x01}; // a chunk of 8193 bytes
  player_send(&p, head, 2);
  uint8_t rest[8193] = {0xb1, 0x01};
  player_send(&p, rest, sizeof rest);
  assert_non_null(strstr(player_hear_z(&p), "longer than 8192 bytes"));
  assert_true(p.conn.finish);
  assert_true(p.conn.chunks.message.capacity <= 16384);
  player_close(&p);
}

TEST(trap_14_before_login_nesting_and_elements_are_limited) {
  static const char *const bad[] = {
      "HELLO {a: {b: {c: {d: 1}}}}",
      "HELLO {a: "
      "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
      "1,1,1,1]}",
  };
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    struct player p;
    player_open(&p);
    player_shake_hands(&p, 5, 0);
    player_say(&p, bad[i]);
    assert_non_null(strstr(player_hear_z(&p), "FAILURE"));
    assert_true(p.conn.finish);
    player_close(&p);
  }
}

TEST(trap_14_a_declared_size_allocates_nothing) {
  static const char *const bad[] = {"00 06 b1 01 da 7f ff ff ff 00 00", "00 06 b1 01 d6 7f ff ff ff 00 00",
                                    "00 06 b1 01 d2 ff ff ff ff 00 00", "00 06 b1 01 ce 7f ff ff ff 00 00",
                                    "00 04 b1 01 d5 ff ff 00 00"};
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    struct player p;
    player_open(&p);
    player_shake_hands(&p, 4, 4);
    CLEANUP(buf_done) struct buf bytes = test_hex(bad[i]);
    // the first hex above counts 6 or 4 bytes of message, without the last of a longer size
    bytes.data[1] = (char) (bytes.len - 4);
    player_send(&p, bytes.data, bytes.len);
    assert_non_null(strstr(player_hear_z(&p), "FAILURE"));
    assert_true(p.conn.finish);
    player_close(&p);
  }
}

TEST(trap_14_who_does_not_log_in_within_30_seconds_is_closed) {
  static const char *const so_far[] = {"", "60", "60 60 b0 17 00000405 00000000 00000000 00000000", "'GET / HT'"};
  for (size_t i = 0; i < ARRAY_SIZE(so_far); i++) {
    struct player p;
    player_open(&p);
    player_send_hex(&p, so_far[i]);
    player_pass_time(&p, 29999);
    assert_false(p.conn.abort);
    player_pass_time(&p, 1);
    assert_true(p.conn.abort);
    assert_int_equal(p.tally.unauthenticated_timeouts, 1);
    player_close(&p);
  }
}

TEST(trap_14_after_logoff_the_limits_are_back) {
  struct player p;
  player_log_in(&p, 5, 4);
  player_pass_time(&p, 100000);
  assert_false(p.conn.abort);
  player_say(&p, "LOGOFF");
  player_pass_time(&p, 29999);
  assert_false(p.conn.abort);
  player_pass_time(&p, 1);
  assert_true(p.conn.abort);
  player_close(&p);
}

TEST(a_query_longer_than_8_kib_may_follow_a_logon_that_is_still_under_way) {
  struct player p;
  player_open(&p);
  player_shake_hands(&p, 5, 4);
  player_say(&p, "HELLO {user_agent: 'x', bolt_agent: {product: 'x'}}");
  player_hear(&p);
  p.dbms.hold = true;
  CLEANUP(buf_done) struct buf text = BUF_INIT, both = test_message("LOGON {}");
  assert_ok(buf_printf(&text, "RUN 'RETURN $p AS x' {p: '"));
  for (int i = 0; i < 20000; i++) assert_ok(buf_append_byte(&text, 'z'));
  assert_ok(buf_append(&text, "'} {}", 6));
  CLEANUP(buf_done) struct buf run = test_message(text.data);
  assert_ok(buf_append_str(&both, buf_str(&run)));
  player_send(&p, both.data, both.len);
  assert_true(p.conn.pause_reading);
  p.dbms.hold = false;
  player_finish_operation(&p);
  assert_hears(&p, "SUCCESS {}\nSUCCESS {fields: ['x'], t_first: 1}\n");
  assert_false(p.conn.pause_reading);
  player_close(&p);
}

// ---- queues ----

TEST(reading_pauses_at_300_requests_and_goes_on_at_100_but_a_reset_is_seen) {
  struct player p;
  player_log_in(&p, 5, 4);
  p.dbms.hold = true;
  player_say(&p, "BEGIN {}");
  for (int i = 0; i < 300; i++) player_say(&p, "TELEMETRY 1");
  assert_true(p.conn.queue_full);
  assert_false(p.conn.pause_reading); // 64 KiB more are read
  player_say(&p, "RESET");
  assert_true(test_dbms_was_interrupted(&p.dbms));
  CLEANUP(buf_done) struct buf more = test_message("TELEMETRY 1");
  int sent = 0;
  for (; !p.conn.pause_reading && sent < 100000; sent++) player_send(&p, more.data, more.len);
  assert_int_equal(sent, (65536 - 6) / 7 + 1);
  p.dbms.hold = false;
  player_finish_operation(&p);
  assert_false(p.conn.pause_reading);
  struct str heard = player_hear_bytes(&p);
  assert_true(heard.len > 300 * 6);
  player_close(&p);
}

TEST(reading_pauses_when_the_requests_that_wait_hold_many_bytes) {
  struct player p;
  player_log_in(&p, 5, 4);
  p.settings.message_bytes = 100000;
  p.dbms.hold = true;
  player_say(&p, "BEGIN {}");
  CLEANUP(buf_done) struct buf text = BUF_INIT;
  assert_ok(buf_printf(&text, "RUN '"));
  for (int i = 0; i < 50000; i++) assert_ok(buf_append_byte(&text, 'q'));
  assert_ok(buf_append(&text, "' {} {}", 8));
  CLEANUP(buf_done) struct buf run = test_message(text.data);
  player_send(&p, run.data, run.len);
  assert_false(p.conn.queue_full);
  player_send(&p, run.data, run.len);
  assert_true(p.conn.queue_full);
  player_send(&p, run.data, run.len);
  player_send(&p, run.data, run.len);
  assert_true(p.conn.pause_reading);
  p.dbms.hold = false;
  player_finish_operation(&p);
  assert_false(p.conn.pause_reading);
  player_close(&p);
}

TEST(a_client_that_does_not_read_holds_the_stream_back_and_nothing_else) {
  struct player p;
  player_log_in(&p, 5, 4);
  // The transport says that all is still unsent.
  player_say(&p, "RUN 'UNWIND range(1, 1000000) AS x RETURN x' {} {}");
  size_t unsent = 0;
  CLEANUP(buf_done) struct buf pull = test_message("PULL {n: -1}");
  bolt_conn_receive(&p.conn, (const uint8_t *) pull.data, pull.len, 0, 0);
  for (int i = 0; i < 100 && (p.conn.wire.len > 0 || p.conn.run_again); i++) {
    unsent += p.conn.wire.len;
    buf_clear(&p.conn.wire);
    bolt_conn_set_sent(&p.conn, unsent, 100, p.now_ms);
    bolt_conn_run(&p.conn, p.now_ms);
  }
  assert_true(unsent > p.settings.out_high_bytes && unsent < 2 * p.settings.out_high_bytes);
  assert_true(bolt_conn_is_busy(&p.conn));
  assert_true(bolt_conn_could_go_on(&p.conn));
  // A little less is not enough; at the low mark it goes on.
  bolt_conn_set_sent(&p.conn, p.settings.out_low_bytes + 1, 200, p.now_ms);
  bolt_conn_run(&p.conn, p.now_ms);
  assert_int_equal(p.conn.wire.len, 0);
  bolt_conn_set_sent(&p.conn, p.settings.out_low_bytes, 300, p.now_ms);
  bolt_conn_run(&p.conn, p.now_ms);
  assert_true(p.conn.wire.len > 0);
  player_close(&p);
}

static void stall(struct player *p) {
  player_log_in(p, 5, 4);
  player_say(p, "RUN 'UNWIND range(1, 1000000) AS x RETURN x' {} {}");
  player_hear(p);
  bolt_conn_set_sent(&p->conn, p->settings.out_high_bytes + 1, 100, p->now_ms);
  CLEANUP(buf_done) struct buf pull = test_message("PULL {n: -1}");
  bolt_conn_receive(&p->conn, (const uint8_t *) pull.data, pull.len, p->now_ms, 0);
}

TEST(trap_8_a_reset_breaks_the_stall) {
  struct player p;
  stall(&p);
  player_say(&p, "RESET");
  const char *heard = player_hear_z(&p);
  assert_non_null(strstr(heard, "SUCCESS {}"));
  assert_int_equal(bolt_session_state(p.conn.session), BOLT_READY);
  player_close(&p);
}

TEST(a_client_that_reads_nothing_for_15_minutes_is_closed) {
  struct player p;
  stall(&p);
  player_pass_time(&p, 15 * 60 * 1000 - 1);
  assert_false(p.conn.abort);
  player_pass_time(&p, 1);
  assert_true(p.conn.abort);
  assert_int_equal(p.tally.stalled, 1);
  player_close(&p);
}

TEST(too_many_open_results_fail_the_transaction) {
  struct player p;
  player_log_in(&p, 5, 4);
  p.settings.max_open_results = 3;
  player_say(&p, "BEGIN {}");
  for (int i = 0; i < 3; i++) player_say(&p, "RUN 'RETURN 1' {} {}");
  player_hear(&p);
  player_say(&p, "RUN 'RETURN 1' {} {}");
  assert_non_null(strstr(player_hear_z(&p), "may have 3 open results"));
  player_close(&p);
}

TEST(a_message_whose_values_take_much_more_memory_than_its_bytes_is_refused_and_the_session_goes_on) {
  struct player p;
  player_log_in(&p, 5, 4);
  CLEANUP(buf_done) struct buf message = BUF_INIT;
  size_t start;
  assert_ok(bolt_chunk_begin(&message, &start));
  assert_ok(packstream_write_struct(&message, 0x10, 3));
  assert_ok(packstream_write_str(&message, STR("RETURN $l")));
  assert_ok(packstream_write_map(&message, 1));
  assert_ok(packstream_write_str(&message, STR("l")));
  assert_ok(packstream_write_list(&message, 17 << 20)); // sixteen bytes each: above four times the 64 MiB that a message may have
  for (int i = 0; i < 17 << 20; i++) assert_ok(packstream_write_int(&message, 1));
  assert_ok(packstream_write_map(&message, 0));
  assert_ok(bolt_chunk_end(&message, start));
  player_send(&p, message.data, message.len);
  assert_non_null(strstr(player_hear_z(&p), "TransactionOutOfMemoryError"));
  player_say(&p, "RESET");
  assert_non_null(strstr(player_hear_z(&p), "SUCCESS"));
  player_close(&p);
}

// ---- keep-alive ----

TEST(trap_19_keep_alives_go_out_only_from_4_1_on_while_a_request_runs) {
  static const struct {
    uint8_t major, minor;
    bool sends;
  } cases[] = {{3, 0, false}, {4, 0, false}, {4, 1, true}, {5, 4, true}, {6, 0, true}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct player p;
    player_log_in(&p, cases[i].major, cases[i].minor);
    player_pass_time(&p, 60000);
    assert_hears(&p, ""); // nothing runs
    p.dbms.hold = true;
    player_say(&p, "RUN 'RETURN 1' {} {}");
    player_pass_time(&p, 59999);
    assert_hears(&p, cases[i].sends ? "NOOP\n" : "");
    player_pass_time(&p, 59999);
    assert_hears(&p, "");
    player_pass_time(&p, 1);
    assert_hears(&p, cases[i].sends ? "NOOP\n" : "");
    p.dbms.hold = false;
    player_finish_operation(&p);
    assert_non_null(strstr(player_hear_z(&p), "fields: ['x'], t_first: 1}\n"));
    player_close(&p);
  }
}

TEST(trap_19_a_noop_from_the_client_is_taken_anywhere) {
  struct player p;
  player_open(&p);
  player_shake_hands(&p, 4, 0);
  player_send_hex(&p, "00 00 00 00");
  player_say(&p, "HELLO {user_agent: 'x', scheme: 'none'}");
  player_send_hex(&p, "00 00");
  player_say(&p, "RUN 'RETURN 1' {} {}");
  player_hear(&p);
  assert_int_equal(bolt_session_state(p.conn.session), BOLT_STREAMING);
  player_close(&p);
}

// ---- records, memory ----

TEST(a_record_longer_than_a_chunk_is_cut_into_chunks) {
  struct player p;
  player_log_in(&p, 5, 4);
  CLEANUP(buf_done) struct buf text = BUF_INIT;
  assert_ok(buf_printf(&text, "RUN 'UNWIND $list AS x RETURN x' {list: [1, '"));
  for (int i = 0; i < 200000; i++) assert_ok(buf_append_byte(&text, (uint8_t) ('a' + i % 26)));
  assert_ok(buf_append(&text, "', 2]} {}", 10));
  CLEANUP(buf_done) struct buf run = test_message(text.data);
  player_send(&p, run.data, run.len);
  player_hear(&p);
  player_say(&p, "PULL {n: -1}");
  const char *heard = player_hear_z(&p);
  assert_memory_equal(heard, "RECORD [1]\nRECORD ['abcdef", 26);
  assert_non_null(strstr(heard, "]\nRECORD [2]\nSUCCESS"));
  player_close(&p);
}

TEST(each_failing_allocation_ends_in_an_answer_or_in_a_closed_connection) {
  CLEANUP(buf_done)
  struct buf run = test_message("RUN 'UNWIND range(1, 3) AS x RETURN x' {a: [1, {b: 'c'}]} {}"),
             pull = test_message("PULL {n: -1}");
  EACH_ALLOC_FAILS(n) {
    fault_disarm(&fault_alloc);
    struct player p;
    player_log_in(&p, 5, 7);
    fault_arm(&fault_alloc, n, 1);
    bolt_conn_receive(&p.conn, (const uint8_t *) run.data, run.len, 0, 0);
    bolt_conn_receive(&p.conn, (const uint8_t *) pull.data, pull.len, 0, 0);
    bool fired = fault_fired(&fault_alloc);
    fault_disarm(&fault_alloc);
    assert_true(p.conn.abort || p.conn.finish || p.conn.wire.len > 0 || fired);
    player_close(&p);
    fault_alloc.fired = fired;
  }
}

/// The database server has done it, and then there is no memory at all.
static void assert_answered_without_memory(const char *first, const char *second) {
  struct player p;
  player_log_in(&p, 5, 7);
  player_say(&p, first);
  player_hear(&p);
  p.dbms.hold = true;
  player_say(&p, second);
  assert_hears(&p, "");
  assert_true(test_dbms_finish(&p.dbms));
  fault_arm(&fault_alloc, 0, -1);
  bolt_conn_operation_done(&p.conn, 0);
  fault_disarm(&fault_alloc);
  assert_false(p.conn.abort);
  assert_non_null(memmem(p.conn.wire.data, p.conn.wire.len, "\xb1\x70", 2)); // SUCCESS
  assert_non_null(memmem(p.conn.wire.data, p.conn.wire.len, "bookmark", 8));
  player_close(&p);
}

/// The same where the answers to RUN and PULL go out together.
static void assert_both_answered_without_memory(const char *run) {
  struct player p;
  player_log_in(&p, 5, 7);
  p.dbms.pull_commits = true;
  CLEANUP(buf_done) struct buf both = test_message(run), pull = test_message("PULL {n: -1}");
  assert_ok(buf_append(&both, pull.data, pull.len));
  player_send(&p, both.data, both.len);
  assert_hears(&p, "");
  assert_true(test_dbms_finish(&p.dbms));
  fault_arm(&fault_alloc, 0, -1);
  bolt_conn_operation_done(&p.conn, 0);
  fault_disarm(&fault_alloc);
  assert_false(p.conn.abort);
  assert_non_null(memmem(p.conn.wire.data, p.conn.wire.len, "fields", 6));
  assert_non_null(memmem(p.conn.wire.data, p.conn.wire.len, "bookmark", 8));
  player_close(&p);
}

TEST(a_commit_is_answered_though_there_is_no_memory_any_more) {
  assert_both_answered_without_memory("RUN 'CREATE (n:Test {name: 1})' {} {}");
  assert_both_answered_without_memory("RUN 'CREATE (n:Test {name: 1}) RETURN n' {} {}");
  assert_answered_without_memory("BEGIN {}", "COMMIT");
  assert_answered_without_memory("RUN 'CREATE (n:Test {name: 1})' {} {}", "PULL {n: -1}");
  assert_answered_without_memory("RUN 'CREATE (n:Test {name: 1}) RETURN n' {} {}", "PULL {n: -1}");
}

TESTS(T(a_commit_is_answered_though_there_is_no_memory_any_more), T(trap_14_before_login_a_message_has_at_most_8_kib),
      T(trap_14_before_login_nesting_and_elements_are_limited), T(trap_14_a_declared_size_allocates_nothing),
      T(trap_14_who_does_not_log_in_within_30_seconds_is_closed), T(trap_14_after_logoff_the_limits_are_back),
      T(a_query_longer_than_8_kib_may_follow_a_logon_that_is_still_under_way),
      T(reading_pauses_at_300_requests_and_goes_on_at_100_but_a_reset_is_seen),
      T(reading_pauses_when_the_requests_that_wait_hold_many_bytes),
      T(a_client_that_does_not_read_holds_the_stream_back_and_nothing_else), T(trap_8_a_reset_breaks_the_stall),
      T(a_client_that_reads_nothing_for_15_minutes_is_closed), T(too_many_open_results_fail_the_transaction),
      T(a_message_whose_values_take_much_more_memory_than_its_bytes_is_refused_and_the_session_goes_on),
      T(trap_19_keep_alives_go_out_only_from_4_1_on_while_a_request_runs), T(trap_19_a_noop_from_the_client_is_taken_anywhere),
      T(a_record_longer_than_a_chunk_is_cut_into_chunks), T(each_failing_allocation_ends_in_an_answer_or_in_a_closed_connection))
