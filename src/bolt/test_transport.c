#include <string.h>

#include "bolt/test_player.h"
#include "bolt/websocket.h"

// ---- what is on the other side ----

static const char upgrade[] =
    "GET / HTTP/1.1\r\nHost: localhost:7687\r\nconnection: keep-alive, Upgrade\r\nUPGRADE: websocket\r\n"
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n"
    "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\nOrigin: http://page.example\r\n\r\n";

#define ACCEPTED                                                                                            \
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " \
  "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

/// Sends bytes in steps to a fresh connection; what was answered, and whether it is to be closed.
static struct str say(struct player *p, const void *bytes, size_t len, size_t step) {
  p->step = step;
  player_send(p, bytes, len);
  return player_hear_bytes(p);
}

TEST(bolt_is_found_out_one_byte_at_a_time) {
  struct player p;
  player_open(&p);
  CLEANUP(buf_done) struct buf opening = test_hex("60 60 b0 17 00000404 00000000 00000000 00000000");
  struct str answer = say(&p, opening.data, opening.len, 1);
  assert_int_equal(answer.len, 4);
  assert_false(p.conn.finish);
  player_close(&p);
}

TEST(what_is_not_ours_is_closed_without_a_word) {
  static const char *const foreign[] = {"POST / HTTP/1.1\r\n", "SSH-2.0-x\r\n", "\x60\x60\xb0\x18", "\x16\x04", "GETX", "\x01"};
  for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
    struct player p;
    player_open(&p);
    assert_int_equal(say(&p, foreign[i], strlen(foreign[i]), 1).len, 0);
    assert_true(p.conn.finish);
    player_close(&p);
  }
}

TEST(tls_is_started_only_where_it_is_welcome) {
  static const uint8_t hello[] = {0x16, 0x03, 0x01, 0x02, 0x00, 0x01};
  for (enum bolt_tls_level level = BOLT_TLS_DISABLED; level <= BOLT_TLS_REQUIRED; level++) {
    struct player p;
    player_open(&p);
    p.settings.tls_level = level;
    assert_int_equal(say(&p, hello, sizeof hello - 1, 1).len, 0);
    assert_int_equal(p.conn.start_tls, level != BOLT_TLS_DISABLED);
    assert_int_equal(p.conn.finish, level == BOLT_TLS_DISABLED);
    if (p.conn.start_tls) {
      assert_int_equal(p.conn.tls_hello.len, 5);
      p.conn.start_tls = false;
      say(&p, hello, sizeof hello - 1, 1); // TLS inside TLS
      assert_false(p.conn.start_tls);
      assert_true(p.conn.finish);
    }
    player_close(&p);
  }
}

TEST(plaintext_is_closed_where_tls_is_required) {
  struct player p;
  player_open(&p);
  p.settings.tls_level = BOLT_TLS_REQUIRED;
  assert_int_equal(say(&p, "\x60\x60\xb0\x17", 4, 4).len, 0);
  assert_true(p.conn.finish);
  player_close(&p);
}

TEST(a_plain_get_is_told_where_bolt_is) {
  for (size_t step = 1; step < 200; step += 60) {
    struct player p;
    player_open(&p);
    static const char get[] = "GET / HTTP/1.1\r\nHost: db.example:7687\r\n\r\n";
    struct str answer = say(&p, get, sizeof get - 1, step);
    assert_true(str_starts(answer, STR("HTTP/1.1 200 OK\r\n")));
    assert_true(str_find(answer, STR("bolt_direct\":\"bolt://db.example:7687\"")) > 0);
    assert_true(p.conn.finish);
    player_close(&p);
  }
}

// ---- WebSocket ----

/// A masked client's frame.
static void add_frame(struct buf *out, uint8_t first, const void *payload, size_t len) {
  static const uint8_t mask[4] = {0x11, 0x22, 0x33, 0x44};
  assert_ok(buf_append_byte(out, first));
  if (len < 126) {
    assert_ok(buf_append_byte(out, (uint8_t) (0x80 | len)));
  } else {
    assert_ok(buf_append_byte(out, 0x80 | 126));
    assert_ok(buf_append_byte(out, (uint8_t) (len >> 8)));
    assert_ok(buf_append_byte(out, (uint8_t) len));
  }
  assert_ok(buf_append(out, mask, 4));
  for (size_t i = 0; i < len; i++) assert_ok(buf_append_byte(out, ((const uint8_t *) payload)[i] ^ mask[i % 4]));
}

TEST(trap_15_an_upgrade_takes_up_no_extension_and_a_session_runs_over_frames) {
  CLEANUP(buf_done) struct buf handshake = test_hex("60 60 b0 17 00000405 00000000 00000000 00000000");
  CLEANUP(buf_done)
  struct buf hello = test_message("HELLO {user_agent: 'x', bolt_agent: {product: 'x'}}"), logon = test_message("LOGON {}");
  CLEANUP(buf_done)
  struct buf run = test_message("RUN 'RETURN 1' {} {}"), pull = test_message("PULL {n: -1}"), bye = test_message("GOODBYE");
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  assert_ok(buf_append(&bytes, upgrade, sizeof upgrade - 1));
  add_frame(&bytes, 0x82, handshake.data, handshake.len);
  assert_ok(buf_append_str(&hello, buf_str(&logon))); // two messages in one frame
  add_frame(&bytes, 0x82, hello.data, hello.len);
  add_frame(&bytes, 0x02, run.data, 5); // one message in fragments, a ping between them
  add_frame(&bytes, 0x89, "ping", 4);
  add_frame(&bytes, 0x00, run.data + 5, 6);
  add_frame(&bytes, 0x80, run.data + 11, run.len - 11);
  add_frame(&bytes, 0x82, pull.data, pull.len);
  add_frame(&bytes, 0x82, bye.data, bye.len);
  add_frame(&bytes, 0x88, NULL, 0);
  for (size_t step = bytes.len; step > 0; step = step > 3 ? step / 3 : step - 1) {
    struct player p;
    player_open(&p);
    struct str got = say(&p, bytes.data, bytes.len, step);
    assert_true(str_starts(got, STR(ACCEPTED)));
    assert_true(str_find(got, STR("\x82\x04\x00\x00\x04\x05")) > 0); // the version, in one frame
    // All at once, the close frame comes before the pong could be sent, and takes its place.
    if (step < bytes.len / 2) assert_true(str_find(got, STR("\x8a\x04ping")) > 0);
    assert_true(str_find(got, STR("\xb1\x71\x91\x01")) > 0);
    assert_true(p.conn.finish);
    player_close(&p);
  }
}

static struct str after_upgrade(struct player *p, const char *hex) {
  player_open(p);
  CLEANUP(buf_done) struct buf frame = test_hex(hex), bytes = BUF_INIT;
  assert_ok(buf_append(&bytes, upgrade, sizeof upgrade - 1));
  assert_ok(buf_append_str(&bytes, buf_str(&frame)));
  struct str got = say(p, bytes.data, bytes.len, 1);
  assert_true(str_starts(got, STR(ACCEPTED)));
  return (struct str){got.ptr + sizeof ACCEPTED - 1, got.len - sizeof ACCEPTED + 1};
}

TEST(trap_13_frames_against_the_rules_close_with_the_right_status) {
  static const struct {
    const char *frame, *close;
  } cases[] = {
      {"82 04 60 60 b0 17", "88 02 03 ea"},                            // not masked: 1002
      {"81 82 00 00 00 00 68 69", "88 02 03 eb"},                      // text: 1003
      {"c2 82 00 00 00 00 60 60", "88 02 03 ea"},                      // RSV1: permessage-deflate was not agreed
      {"89 fe 00 7e 00 00 00 00", "88 02 03 ea"},                      // a long ping
      {"09 80 00 00 00 00", "88 02 03 ea"},                            // a fragmented ping
      {"82 ff 00 00 00 00 00 01 00 01 00 00 00 00 00", "88 02 03 f1"}, // 65537 bytes before login: 1009
      {"82 ff 7f ff ff ff ff ff ff ff 00 00 00 00 00", "88 02 03 f1"}, // a length without end: nothing is allocated
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct player p;
    struct str got = after_upgrade(&p, cases[i].frame);
    CLEANUP(buf_done) struct buf expected = test_hex(cases[i].close);
    if (got.len != expected.len) print_message("case %zu\n", i);
    assert_int_equal(got.len, expected.len);
    assert_memory_equal(got.ptr, expected.data, expected.len);
    assert_true(p.conn.finish);
    player_close(&p);
  }
}

TEST(trap_13_long_answers_go_out_in_frames_with_long_lengths) {
  uint8_t head[10];
  assert_int_equal(websocket_frame_head(head, 125), 2);
  assert_int_equal(websocket_frame_head(head, 126), 4);
  assert_memory_equal(head, "\x82\x7e\x00\x7e", 4);
  assert_int_equal(websocket_frame_head(head, 65535), 4);
  assert_int_equal(websocket_frame_head(head, 65536), 10);
  assert_memory_equal(head, "\x82\x7f\0\0\0\0\0\x01\0\0", 10);
}

static struct str ask_to_upgrade(struct player *p, const char *headers) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  assert_ok(buf_printf(&bytes, "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n%s\r\n", headers));
  return say(p, bytes.data, bytes.len, 7);
}

TEST(bad_upgrades_are_answered_with_400) {
  static const char *const bad[] = {"", "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                                    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n", "Sec-WebSocket-Version: 13\r\n"};
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    struct player p;
    player_open(&p);
    assert_true(str_starts(ask_to_upgrade(&p, bad[i]), STR("HTTP/1.1 400")));
    assert_true(p.conn.finish);
    player_close(&p);
  }
}

TEST(origins_may_be_limited) {
  static const struct str allowed[] = {{"https://good.example", 20}};
  for (int good = 0; good < 2; good++) {
    struct player p;
    player_open(&p);
    p.settings.allowed_origins = allowed;
    p.settings.allowed_origin_count = 1;
    struct str answer = ask_to_upgrade(
        &p, good ? "Origin: https://good.example\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 : "Origin: https://bad.example\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    assert_true(str_starts(answer, good ? STR("HTTP/1.1 101") : STR("HTTP/1.1 403")));
    player_close(&p);
  }
}

TEST(an_endless_request_is_refused) {
  struct player p;
  player_open(&p);
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  assert_ok(buf_append(&bytes, "GET /", 5));
  while (bytes.len < 70000) assert_ok(buf_append_byte(&bytes, 'a'));
  assert_true(str_starts(say(&p, bytes.data, bytes.len, 1000), STR("HTTP/1.1 431")));
  player_close(&p);
}

/// So many rounds of a thousand pings, after each of which the socket still holds `unsent` bytes. True if the connection was
/// given up.
static bool ping(struct player *p, int rounds, size_t unsent) {
  static const uint8_t one[] = {0x89, 0x84, 0, 0, 0, 0, 'p', 'i', 'n', 'g'};
  CLEANUP(buf_done) struct buf pings = BUF_INIT;
  for (int i = 0; i < 1000; i++) assert_ok(buf_append(&pings, one, sizeof one));
  for (int i = 0; i < rounds && !p->conn.abort; i++) {
    bolt_conn_receive(&p->conn, (const uint8_t *) pings.data, pings.len, p->now_ms, 0);
    assert_true(p->conn.wire.len <= 6000 || p->conn.abort);
    buf_clear(&p->conn.wire);
    bolt_conn_set_sent(&p->conn, unsent, 0, p->now_ms);
  }
  return p->conn.abort;
}

TEST(who_pings_on_and_on_and_reads_no_pong_is_closed_before_the_memory_is_full) {
  struct player p;
  after_upgrade(&p, "");
  assert_false(ping(&p, 1000, 0)); // one that reads may ping as it likes
  assert_false(ping(&p, 80, p.settings.out_low_bytes + 1));
  assert_true(ping(&p, 20, p.settings.out_low_bytes + 1));
  assert_int_equal(p.tally.stalled, 1);
  player_close(&p);
}

TESTS(T(bolt_is_found_out_one_byte_at_a_time), T(what_is_not_ours_is_closed_without_a_word),
      T(tls_is_started_only_where_it_is_welcome), T(plaintext_is_closed_where_tls_is_required),
      T(a_plain_get_is_told_where_bolt_is), T(trap_15_an_upgrade_takes_up_no_extension_and_a_session_runs_over_frames),
      T(trap_13_frames_against_the_rules_close_with_the_right_status), T(trap_13_long_answers_go_out_in_frames_with_long_lengths),
      T(bad_upgrades_are_answered_with_400), T(origins_may_be_limited), T(an_endless_request_is_refused),
      T(who_pings_on_and_on_and_reads_no_pong_is_closed_before_the_memory_is_full))
