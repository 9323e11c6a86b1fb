// The routing port: what a server is told there by another one, and what every other listener ignores.
#include <stdio.h>
#include <string.h>

#include "bolt/test_player.h"

static void open_for(struct player *p, bool for_servers) {
  player_open(p);
  p->settings.for_servers = for_servers;
  player_shake_hands(p, 5, 8);
  player_say(p, "HELLO {user_agent: 'x', bolt_agent: {product: 'x'}, client: {neo4j_major: 4, legacy_bookmarks: true}}");
  player_say(p, "LOGON {scheme: 'none'}");
  player_hear(p);
}

static bool logged(struct player *p, const char *line) {
  return str_find(buf_str(&p->dbms.log), str_of(line)) >= 0;
}

TEST(a_session_on_the_routing_port_is_the_one_of_a_client_elsewhere) {
  struct player p;
  open_for(&p, true);
  assert_true(logged(&p, "RELAYED neo4j=4 legacy\n"));
  player_say(&p, "RUN 'RETURN 1 AS n' {} {}");
  player_say(&p, "PULL {n: -1}");
  assert_non_null(strstr(player_hear_z(&p), "bookmark: 'neo4j:bookmark:v1:tx42'"));
  player_close(&p);
}

TEST(the_origin_goes_with_a_transaction_and_its_place_comes_back) {
  struct player p;
  open_for(&p, true);
  player_say(&p, "BEGIN {db: 'neo4j', origin: {member: 3, sequence: 7}}");
  assert_hears(&p, "SUCCESS {db: 'neo4j', place: {last: 107, term: 5}}\n");
  player_say(&p, "RUN 'RETURN 1 AS n' {} {}");
  player_say(&p, "ROLLBACK");
  assert_null(strstr(player_hear_z(&p), "place"));
  player_say(&p, "RUN 'RETURN 1 AS n' {} {db: 'neo4j', origin: {member: -1, sequence: 8}}");
  assert_hears(&p, "SUCCESS {db: 'neo4j', fields: ['n'], place: {last: 108, term: 5}, t_first: 1}\n");
  assert_true(logged(&p, "ORIGIN 3 7\n"));
  assert_true(logged(&p, "ORIGIN -1 8\n"));
  player_close(&p);
}

TEST(what_became_of_an_earlier_transaction_is_told_with_the_later_one) {
  static const char *const fates[] = {"bookmark: 'Q1:test:2', outcome: 'committed'", "outcome: 'not committed'",
                                      "outcome: 'unknown'", "outcome: 'not made'"};
  for (unsigned behind = 1; behind <= ARRAY_SIZE(fates); behind++) {
    struct player p;
    char say[100], hears[160];
    open_for(&p, true);
    snprintf(say, sizeof say, "BEGIN {db: 'neo4j', origin: {member: 3, sequence: 7}, behind: %u, verdict: true}", behind);
    snprintf(hears, sizeof hears, "SUCCESS {db: 'neo4j', fate: {%s}, place: {last: 107, term: 5}}\n", fates[behind - 1]);
    player_say(&p, say);
    assert_hears(&p, hears);
    player_close(&p);
  }
}

TEST(another_server_may_ask_for_all_that_was_acknowledged) {
  for (int for_servers = 0; for_servers < 2; for_servers++) {
    struct player p;
    open_for(&p, for_servers);
    player_say(&p, "BEGIN {db: 'neo4j', mode: 'r', linearizable: true}");
    player_hear(&p);
    assert_int_equal(logged(&p, "LINEARIZABLE\n"), for_servers);
    player_close(&p);
  }
}

TEST(another_server_says_which_database_it_means) {
  for (int for_servers = 0; for_servers < 2; for_servers++) {
    struct player p;
    open_for(&p, for_servers);
    player_say(&p, "BEGIN {db: 'neo4j', database: '6f1c2a34-0d5e-4b7a-8c9d-0123456789ab'}");
    player_hear(&p);
    assert_int_equal(logged(&p, "DATABASE 6f1c2a34-0d5e-4b7a-8c9d-0123456789ab\n"), for_servers);
    player_close(&p);
  }
}

TEST(another_listener_takes_no_notice) {
  struct player p;
  open_for(&p, false);
  player_say(&p, "BEGIN {db: 'neo4j', origin: {member: 3, sequence: 7}, behind: 1}");
  player_say(&p, "ROLLBACK");
  player_say(&p, "RUN 'RETURN 1 AS n' {} {db: 'neo4j', origin: 'nonsense'}");
  assert_hears(&p, "SUCCESS {}\nSUCCESS {}\nSUCCESS {fields: ['n'], t_first: 1}\n");
  assert_false(logged(&p, "ORIGIN"));
  assert_false(logged(&p, "RELAYED"));
  player_close(&p);
}

TEST(an_origin_that_is_none_fails_the_request) {
  static const char *const messages[] = {"BEGIN {origin: 1}",
                                         "BEGIN {origin: {member: 'x'}}",
                                         "BEGIN {origin: {member: 3}, behind: 'x'}",
                                         "RUN 'RETURN 1' {} {origin: []}",
                                         "BEGIN {linearizable: 1}",
                                         "BEGIN {database: 1}",
                                         "RUN 'RETURN 1' {} {database: 'neo4j'}",
                                         "BEGIN {origin: {member: 3}, behind: 1, verdict: 1}"};
  for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
    struct player p;
    open_for(&p, true);
    player_say(&p, messages[i]);
    assert_non_null(strstr(player_hear_z(&p), "Neo.ClientError.Request.Invalid"));
    assert_false(logged(&p, "BEGIN"));
    assert_false(logged(&p, "RUN"));
    player_close(&p);
  }
}

TESTS(T(a_session_on_the_routing_port_is_the_one_of_a_client_elsewhere),
      T(the_origin_goes_with_a_transaction_and_its_place_comes_back),
      T(what_became_of_an_earlier_transaction_is_told_with_the_later_one),
      T(another_server_may_ask_for_all_that_was_acknowledged), T(another_server_says_which_database_it_means), T(another_listener_takes_no_notice),
      T(an_origin_that_is_none_fails_the_request))
