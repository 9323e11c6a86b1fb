// What drivers really sent, captured, and what is answered; each stream cut at every byte gives the same.
#include <stdio.h>
#include <string.h>

#include "bolt/test_player.h"

/// Sends what stands between bars, one after the other; the first `cut` bytes of all are cut off from the rest.
static void send_segments(struct player *p, char *hex, size_t cut) {
  struct str rest = str_of(hex);
  while (rest.ptr != NULL) {
    struct str segment = str_cut(&rest, '|');
    CLEANUP(buf_done) struct buf bytes = test_hex_of(segment);
    size_t here = MIN(cut, bytes.len);
    player_send(p, bytes.data, here);
    player_send(p, bytes.data + here, bytes.len - here);
    cut -= here;
  }
}

/// Sends all at once (but for bars, where a client waits), then cut in two at every place; returns what was answered.
static struct buf play(const char *hex) {
  char text[4000];
  struct buf first = BUF_INIT;
  size_t bytes = strlen(hex); // more than enough
  for (size_t cut = 0; cut < bytes; cut++) {
    struct player p;
    player_open(&p);
    p.dbms.auth_enabled = true;
    snprintf(text, sizeof text, "%s", hex);
    send_segments(&p, text, cut);
    struct str heard = player_hear_bytes(&p);
    if (cut == 0) assert_ok(buf_append_str(&first, heard));
    assert_int_equal(heard.len, first.len);
    assert_memory_equal(heard.ptr, first.data, first.len);
    player_close(&p);
  }
  return first;
}

static void assert_play(const char *hex, const char *answers) {
  CLEANUP(buf_done) struct buf got = play(hex), expected = test_hex(answers);
  for (size_t i = 0; i < MIN(got.len, expected.len); i++)
    if (got.data[i] != expected.data[i]) {
      print_message("differs at %zu: %02x, not %02x\n", i, (uint8_t) got.data[i], (uint8_t) expected.data[i]);
      break;
    }
  assert_int_equal(got.len, expected.len);
  assert_memory_equal(got.data, expected.data, expected.len);
}

#define AUTH " 86 'scheme' 85 'basic' 89 'principal' 85 'neo4j' 8b 'credentials' 86 'secret' "
#define SERVER_ID " 86 'server' d0 18 'Neo4j/5.26.0-quiver.test' 8d 'connection_id' 86 'bolt-1' "

TEST(js_1_7_speaks_bolt_1_or_2) {
  assert_play("60 60 b0 17 00 00 00 02 00 00 00 01 00 00 00 00 00 00 00 00"
              "(b2 01 d0 16 'neo4j-javascript/1.7.8' a3" AUTH ")"
              "(b2 10 88 'RETURN 1' a0 )  (b0 3f ) | (b0 0f ) |"
              "(b2 10 85 'BEGIN' a0 )  (b0 2f )  (b2 10 86 'COMMIT' a0 ) (b0 3f )",
              "00 00 00 02"
              "(b1 70 a2" SERVER_ID ")"
              "(b1 70 a2 86 'fields' 91 81 'x' d0 16 'result_available_after' 01 )"
              "(b1 71 91 01 )"
              "(b1 70 a3 88 'bookmark' d0 16 'neo4j:bookmark:v1:tx42' 84 'type' 81 'r' d0 15 'result_consumed_after' 02 )"
              "(b1 70 a0 )"
              "(b1 70 a2 86 'fields' 90 d0 16 'result_available_after' 00 )  (b1 70 a0 )"
              "(b1 70 a2 86 'fields' 90 d0 16 'result_available_after' 00 )"
              "(b1 70 a1 88 'bookmark' d0 16 'neo4j:bookmark:v1:tx42' )");
}

TEST(js_1_7_speaks_bolt_3) {
  assert_play("60 60 b0 17 00 00 00 03 00 00 00 02 00 00 00 01 00 00 00 00"
              "(b1 01 a4 8a 'user_agent' d0 16 'neo4j-javascript/1.7.8'" AUTH ")"
              "(b3 10 8e 'RETURN $p AS x' a3 81 'p' 07 81 'f' c1 3f f8 00 00 00 00 00 00 81 's' 82 c3 a9 a1 84 'mode' 81 'r' )"
              "(b0 3f )",
              "00 00 00 03"
              "(b1 70 a2" SERVER_ID ")"
              "(b1 70 a2 86 'fields' 91 81 'x' 87 't_first' 01 )"
              "(b1 71 91 07 )"
              "(b1 70 a3 88 'bookmark' d0 16 'neo4j:bookmark:v1:tx42' 84 'type' 81 'r' 86 't_last' 02 )");
}

TEST(js_4_4_routes_and_resets_twice_after_a_failure) {
  assert_play(
      "60 60 b0 17 00 02 04 04 00 00 01 04 00 00 00 04 00 00 00 03"
      "(b1 01 a6 8a 'user_agent' d0 17 'neo4j-javascript/4.4.11'" AUTH
      "87 'routing' a1 87 'address' 8f '127.0.0.1:46015' 8a 'patch_bolt' 91 83 'utc' )"
      "(b3 66 a1 87 'address' 8f '127.0.0.1:46015' 90 a0 )"
      "(b3 10 88 'NONSENSE' a0 a0 ) (b1 3f a1 81 'n' ff ) |"
      "(b0 0f ) (b0 0f )",
      "00 00 04 04"
      "(b1 70 a4" SERVER_ID "85 'hints' a1 d0 1f 'connection.recv_timeout_seconds' 78 8a 'patch_bolt' 91 83 'utc' )"
      "(b1 70 a1 82 'rt' a3 83 'ttl' c9 01 2c 82 'db' 85 'neo4j' 87 'servers' 93"
      "a2 89 'addresses' 91 8f '127.0.0.1:46015' 84 'role' 85 'WRITE'"
      "a2 89 'addresses' 91 8f '127.0.0.1:46015' 84 'role' 84 'READ'"
      "a2 89 'addresses' 91 8f '127.0.0.1:46015' 84 'role' 85 'ROUTE' )"
      "(b1 7f a2 84 'code' d0 25 'Neo.ClientError.Statement.SyntaxError' 87 'message' d0 18 'Invalid input ' 27 'NONSENSE' 27 )"
      "(b0 7e )  (b1 70 a0 ) (b1 70 a0 )");
}

TEST(js_4_2_asks_a_procedure_for_routes) {
  CLEANUP(buf_done)
  struct buf got = play("60 60 b0 17 00 00 02 04 00 00 01 04 00 00 00 04 00 00 00 03"
                        "(b1 01 a5 8a 'user_agent' d0 16 'neo4j-javascript/4.2.3'" AUTH "87 'routing' a0 )"
                        "(b3 10 d0 36 'CALL dbms.routing.getRoutingTable($context, $database)' a2 87 'context' a1 87 'address' "
                        "8f '127.0.0.1:46029' 88 'database' c0 a2 82 'db' 86 'system' 84 'mode' 81 'r' ) (b1 3f a1 81 'n' ff )");
  assert_true(str_find(buf_str(&got), STR("\x86"
                                          "fields\x92\x83ttl\x87servers")) > 0);
  assert_true(str_find(buf_str(&got), STR("\xb1\x71\x92\xc9\x01\x2c\x93")) > 0);
}

TEST(js_5_and_6_choose_from_the_manifest_and_log_on_in_one_segment) {
  assert_play("60 60 b0 17 00 00 01 ff 00 08 08 05 00 02 04 04 00 00 00 03  00 00 00 06 00"
              "(b1 01 a2 8a 'user_agent' d0 16 'neo4j-javascript/6.3.0' 8a 'bolt_agent' a1 87 'product' 8e 'neo4j-js/6.3.0' )"
              "(b1 6a a3" AUTH ")"
              "(b1 54 02 )"
              "(b3 10 88 'RETURN 1' a0 a0 ) (b1 3f a1 81 'n' c9 03 e8 )"
              "(b1 11 a0 )  (b0 12 )"
              "(b0 6b )  (b0 02 )",
              "00 00 01 ff 05 00 00 00 06 00 02 08 05 00 04 04 05 00 04 04 04 00 00 00 03 00"
              "(b1 70 a4" SERVER_ID
              "85 'hints' a3 d0 1f 'connection.recv_timeout_seconds' 78 d0 11 'telemetry.enabled' c2 8b 'ssr.enabled' c3"
              "d0 10 'protocol_version' 83 '6.0' )"
              "(b1 70 a0 )  (b1 70 a0 )"
              "(b1 70 a3 86 'fields' 91 81 'x' 87 't_first' 01 82 'db' 85 'neo4j' )"
              "(b1 71 91 01 )"
              "(b1 70 a5 88 'bookmark' 8a 'Q1:test:42' 84 'type' 81 'r' 86 't_last' 02 82 'db' 85 'neo4j'"
              "88 'statuses' 91 a2 8a 'gql_status' 85 '00000' d0 12 'status_description' d0 1b 'note: successful completion' )"
              "(b1 70 a1 82 'db' 85 'neo4j' )"
              "(b1 70 a1 88 'bookmark' 8a 'Q1:test:42' )"
              "(b1 70 a0 )");
}

TEST(begin_takes_what_drivers_put_into_it) {
  CLEANUP(buf_done)
  struct buf got =
      play("60 60 b0 17 00 00 04 05 00 00 00 00 00 00 00 00 00 00 00 00"
           "(b1 01 a2 8a 'user_agent' d0 16 'neo4j-javascript/5.28.' 8a 'bolt_agent' a1 87 'product' 8d 'neo4j-js/5.28' )"
           "(b1 6a a3" AUTH ")"
           "(b1 11 a4 89 'bookmarks' 92 84 'FB:a' 84 'FB:b' 8a 'tx_timeout' c9 05 dc 8b 'tx_metadata' a1 83 'app' 81 'x' 82 'db' "
           "86 'movies' )"
           "(b0 13 )");
  assert_true(str_ends(buf_str(&got), STR("\x00\x03\xb1\x70\xa0\x00\x00\x00\x03\xb1\x70\xa0\x00\x00")));
}

TESTS(T(js_1_7_speaks_bolt_1_or_2), T(js_1_7_speaks_bolt_3), T(js_4_4_routes_and_resets_twice_after_a_failure),
      T(js_4_2_asks_a_procedure_for_routes), T(js_5_and_6_choose_from_the_manifest_and_log_on_in_one_segment),
      T(begin_takes_what_drivers_put_into_it))
