// Whom a read replica asks, by what the servers say of themselves.
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "cluster/upstream.h"

static const struct uuid cluster = {{0xc1}}, neo4j = {{0xdb}};
static struct founding founding = {.cluster = {{0xc1}}, .count = 1};

enum { SERVERS = 8 };

/// Server 0 is the replica that asks; cores are 1 to 3, replicas 4 to 6. Uuids are the numbers.
struct scene {
  struct directory_server servers[SERVERS];
  struct announced_database said[SERVERS];
  struct directory_copy view;
  struct upstream_wish wish;
  struct catchup_upstream chosen[UPSTREAMS_MAX];
  size_t count;
};

static const char *addresses[SERVERS] = {"me:6000",   "one:6000",  "two:6000", "three:6000",
                                         "four:6000", "five:6000", "six:6000", "seven:6000"};

static void set_scene(struct scene *s) {
  *s = (struct scene){.view.count = 7};
  for (uint32_t i = 0; i < SERVERS; i++) {
    s->said[i] = (struct announced_database){.uuid = neo4j,
                                             .term = 5,
                                             .status = DATABASE_ONLINE,
                                             .role = i == 2  ? ROLE_LEADER
                                                     : i < 4 ? ROLE_FOLLOWER
                                                             : ROLE_LEARNER};
    s->servers[i].said = (struct announcement){.server = {{(uint8_t) i}},
                                               .number = 100 + i,
                                               .mode = i > 0 && i < 4 ? SERVER_CORE : SERVER_READ_REPLICA,
                                               .state = IDENTITY_BOUND,
                                               .founding = &founding,
                                               .addresses = {[ADDRESS_TRANSACTION] = str_of(addresses[i])},
                                               .database_count = 1,
                                               .databases = &s->said[i]};
  }
  s->servers[0].said.server = (struct uuid){{9}};
  s->view.servers = s->servers;
  s->wish = (struct upstream_wish){.view = &s->view, .cluster = cluster, .database = neo4j, .lot = 3};
}

static void choose(struct scene *s, const char *strategies) {
  s->wish.strategies = str_of(strategies);
  s->count = upstream_choose(&s->wish, s->chosen);
}

static bool is_chosen(const struct scene *s, uint64_t server) {
  for (size_t i = 0; i < s->count; i++)
    if (s->chosen[i].server == server) return true;
  return false;
}

static void put_in_group(struct scene *s, uint32_t i, const char *group) {
  s->servers[i].said.tags[s->servers[i].said.tag_count++] = str_of(group);
}

TEST(without_a_wish_all_cores_are_asked_in_an_order_by_lot) {
  struct scene s;
  bool first[4] = {false};
  set_scene(&s);
  for (s.wish.lot = 1; s.wish.lot < 50; s.wish.lot++) {
    choose(&s, "");
    assert_int_equal(s.count, 3);
    for (uint64_t core = 101; core <= 103; core++) assert_true(is_chosen(&s, core));
    first[s.chosen[0].server - 100] = true;
  }
  assert_true(first[1] && first[2] && first[3]);
  assert_string_equal(s.chosen[0].address, addresses[s.chosen[0].server - 100]);
}

TEST(the_leader_alone_goes_first_and_the_other_cores_stay_for_when_it_is_gone) {
  struct scene s;
  set_scene(&s);
  choose(&s, "leader-only");
  assert_int_equal(s.count, 3);
  assert_int_equal(s.chosen[0].server, 102);
  s.said[3].role = ROLE_LEADER; // and in a later term
  s.said[3].term = 6;
  choose(&s, "leader-only");
  assert_int_equal(s.chosen[0].server, 103);
}

TEST(replicas_are_typically_asked_first_and_now_and_then_a_core) {
  struct scene s;
  set_scene(&s);
  choose(&s, "typically-connect-to-random-read-replica");
  assert_int_equal(s.count, 6);
  for (size_t i = 0; i < 3; i++) assert_true(s.chosen[i].server >= 104);
  s.wish.lot = 10;
  choose(&s, "typically-connect-to-random-read-replica");
  assert_int_equal(s.count, 3);
}

TEST(replicas_never_ask_each_other_in_a_circle) {
  struct scene s;
  set_scene(&s);
  s.servers[0].said.server = (struct uuid){{5}}; // between the others
  choose(&s, "typically-connect-to-random-read-replica");
  assert_true(is_chosen(&s, 104));
  assert_false(is_chosen(&s, 105) || is_chosen(&s, 106));
}

TEST(groups_are_the_own_ones_or_those_that_are_named) {
  struct scene s;
  set_scene(&s);
  put_in_group(&s, 0, "east");
  put_in_group(&s, 3, "east");
  put_in_group(&s, 1, "west");
  put_in_group(&s, 5, "west");
  choose(&s, "connect-randomly-within-server-group");
  assert_int_equal(s.chosen[0].server, 103);
  s.wish.groups = STR("south, west");
  choose(&s, "connect-randomly-to-server-group,leader-only");
  assert_int_equal(s.count, 4);
  assert_true(s.chosen[0].server + s.chosen[1].server == 101 + 105);
  assert_int_equal(s.chosen[2].server, 102);
}

TEST(where_nobody_but_the_leader_is_believed_nobody_else_is_asked) {
  struct scene s;
  set_scene(&s);
  s.wish.leader_only = true;
  choose(&s, "typically-connect-to-random-read-replica");
  assert_int_equal(s.count, 1);
  assert_int_equal(s.chosen[0].server, 102);
  s.said[2].role = ROLE_FOLLOWER;
  choose(&s, "");
  assert_int_equal(s.count, 0);
}

TEST(who_stands_still_behind_another_replica_asks_cores) {
  struct scene s;
  set_scene(&s);
  s.wish.cores_only = true;
  choose(&s, "typically-connect-to-random-read-replica");
  assert_int_equal(s.count, 3);
}

TEST(nobody_is_asked_who_has_nothing_to_give) {
  struct scene s;
  struct founding other = {.cluster = {{0xf0}}, .count = 1};
  set_scene(&s);
  s.said[1].status = DATABASE_COPYING;
  s.servers[2].said.addresses[ADDRESS_TRANSACTION] = STR_NONE;
  s.servers[3].said.founding = &other;
  choose(&s, "leader-only");
  assert_int_equal(s.count, 0);
}

TEST(names_that_nobody_knows_are_told_and_pick_nobody) {
  struct scene s;
  set_scene(&s);
  assert_str(upstream_unknown(STR("leader-only, connect-to-the-moon")), "connect-to-the-moon");
  assert_str(upstream_unknown(STR("leader-only,connect-to-random-core-server")), "");
  choose(&s, "connect-to-the-moon,leader-only");
  assert_int_equal(s.chosen[0].server, 102);
}

TESTS(T(without_a_wish_all_cores_are_asked_in_an_order_by_lot),
      T(the_leader_alone_goes_first_and_the_other_cores_stay_for_when_it_is_gone),
      T(replicas_are_typically_asked_first_and_now_and_then_a_core), T(replicas_never_ask_each_other_in_a_circle),
      T(groups_are_the_own_ones_or_those_that_are_named), T(where_nobody_but_the_leader_is_believed_nobody_else_is_asked),
      T(who_stands_still_behind_another_replica_asks_cores), T(nobody_is_asked_who_has_nothing_to_give),
      T(names_that_nobody_knows_are_told_and_pick_nobody))
