// Three servers in one process, with their threads, disks and connections: what is written on one is there on all, and goes on
// being there whoever leaves.
#include "server/test_trio.h"

static int64_t count_on(struct trio *t, int i, char bookmark[80]) {
  int64_t n = -1;
  assert_ok(ask(t, i, "MATCH (n:Thing) RETURN count(n)", bookmark, &n));
  return n;
}

TEST(what_is_written_on_the_leader_is_read_on_every_member_after_its_bookmark) {
  struct trio t;
  char bookmark[80] = "";
  trio_start(&t);
  int leader = write_somewhere(&t, "CREATE (:Thing {name: 'one'})", bookmark);
  for (int i = 0; i < SERVERS; i++) {
    char seen[80];
    snprintf(seen, sizeof seen, "%s", bookmark);
    assert_int_equal(count_on(&t, i, seen), 1);
    assert_string_equal(seen, bookmark); // the databases of all members are one
    if (i != leader) assert_int_equal(ask(&t, i, "CREATE (:Thing)", NULL, NULL), ERR_NOT_LEADER);
  }
  trio_stop(&t);
}

TEST(when_the_leader_stops_another_one_takes_writes_and_the_first_comes_back_with_all_of_it) {
  struct trio t;
  char bookmark[80] = "";
  trio_start(&t);
  int first = write_somewhere(&t, "CREATE (:Thing {name: 'one'})", bookmark);
  stop(&t, first);
  int second = write_somewhere(&t, "CREATE (:Thing {name: 'two'})", bookmark);
  assert_int_not_equal(first, second);
  assert_int_equal(count_on(&t, second, NULL), 2);
  start(&t, first);
  assert_int_equal(count_on(&t, first, bookmark), 2);
  for (int i = 0; i < SERVERS; i++) stop(&t, i);
  for (int i = 0; i < SERVERS; i++) start(&t, i);
  write_somewhere(&t, "CREATE (:Thing {name: 'three'})", bookmark);
  for (int i = 0; i < SERVERS; i++) assert_int_equal(count_on(&t, i, bookmark), 3);
  trio_stop(&t);
}

TEST(an_index_and_a_constraint_hold_on_every_member) {
  struct trio t;
  char bookmark[80] = "";
  trio_start(&t);
  write_somewhere(&t, "UNWIND range(1, 500) AS i CREATE (:Thing {number: i})", bookmark);
  int leader = write_somewhere(&t, "CREATE CONSTRAINT FOR (t:Thing) REQUIRE t.number IS UNIQUE", bookmark);
  assert_int_equal(ask(&t, leader, "CREATE (:Thing {number: 7})", NULL, NULL), ERR_CONSTRAINT);
  for (int i = 0; i < SERVERS; i++) {
    int64_t n;
    assert_ok(ask(&t, i, "MATCH (t:Thing {number: 77}) RETURN count(t)", bookmark, &n));
    assert_int_equal(n, 1);
  }
  trio_stop(&t);
}

TESTS(T(what_is_written_on_the_leader_is_read_on_every_member_after_its_bookmark),
      T(when_the_leader_stops_another_one_takes_writes_and_the_first_comes_back_with_all_of_it),
      T(an_index_and_a_constraint_hold_on_every_member))
