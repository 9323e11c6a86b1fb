// The ordinary life of a group: it elects, replicates, fails over, comes back from its disk.
#include "consensus/test_world.h"

TEST(three_members_elect_a_leader_and_commit_what_it_proposes) {
  struct world *w = world_new(3, 0);
  world_start_all(w);
  world_elect(w, 1);
  struct consensus_status s = world_status(w, 1);
  assert_int_equal(s.term, 2);
  assert_true(s.open);
  assert_int_equal(s.noop_index, 2);
  assert_ok(world_propose(w, 1, 42));
  world_deliver(w);
  world_pass(w, 200); // the next heartbeat tells that it is committed
  for (uint64_t id = 1; id <= 3; id++) {
    assert_int_equal(world_value(w, id, 3), 42);
    assert_int_equal(w->members[id].applied, 3);
    assert_int_equal(world_status(w, id).leader, 1);
  }
  world_free(w);
}

TEST(a_leader_that_dies_is_followed_by_one_that_has_everything) {
  struct world *w = world_new(3, 0);
  world_start_all(w);
  world_elect(w, 1);
  for (uintptr_t v = 100; v < 110; v++) assert_ok(world_propose(w, 1, v));
  world_deliver(w);
  world_crash(w, 1);
  world_pass(w, 5000);
  uint64_t leader = world_leader(w);
  assert_true(leader == 2 || leader == 3);
  assert_ok(world_propose(w, leader, 200));
  world_deliver(w);
  world_start(w, 1);
  world_pass(w, 5000);
  assert_int_equal(world_status(w, 1).leader, world_leader(w));
  assert_int_equal(world_value(w, 1, 12), 109);
  assert_int_equal(w->members[1].applied, w->members[leader].applied);
  world_free(w);
}

TEST(what_only_a_lost_leader_had_gives_way) {
  struct world *w = world_new(3, 0);
  world_start_all(w);
  world_elect(w, 1);
  world_isolate(w, 1, true);
  assert_ok(world_propose(w, 1, 66));
  assert_ok(world_propose(w, 1, 67));
  world_pass(w, 6000);
  uint64_t leader = world_leader(w);
  assert_true(leader == 2 || leader == 3);
  assert_ok(world_propose(w, leader, 77));
  world_deliver(w);
  world_isolate(w, 1, false);
  world_pass(w, 3000);
  uint64_t last = world_status(w, 1).last_index;
  assert_int_equal(last, world_status(w, leader).last_index);
  for (uint64_t i = 1; i <= last; i++) assert_int_equal(world_value(w, 1, i), world_value(w, leader, i));
  world_free(w);
}

TEST(all_crash_and_come_back) {
  struct world *w = world_new(3, 0);
  world_start_all(w);
  world_elect(w, 2);
  for (uintptr_t v = 1; v <= 20; v++) {
    assert_ok(world_propose(w, 2, v));
    world_deliver(w);
  }
  for (uint64_t id = 1; id <= 3; id++) world_crash(w, id);
  world_lose_all(w);
  for (uint64_t id = 1; id <= 3; id++) world_start(w, id);
  world_pass(w, 5000);
  assert_int_not_equal(world_leader(w), 0);
  for (uint64_t id = 1; id <= 3; id++) {
    for (uint64_t v = 1; v <= 20; v++) assert_int_equal(world_value(w, id, 2 + v), v);
  }
  world_free(w);
}

TEST(only_data_is_proposed) {
  struct world *w = world_new(3, 0);
  world_start_all(w);
  world_elect(w, 1);
  struct consensus_entry entries[2] = {{.kind = CONSENSUS_DATA}, {.kind = CONSENSUS_NOOP}};
  assert_int_equal(consensus_propose(world_group(w, 1), w->now_ms, 2, entries, 2, NULL), ERR_INVALID);
  assert_int_equal(consensus_propose(world_group(w, 1), w->now_ms, 2, entries, 0, NULL), ERR_INVALID);
  assert_int_equal(consensus_propose(world_group(w, 1), w->now_ms, 2, entries, (size_t) UINT32_MAX + 1, NULL), ERR_INVALID);
  assert_int_equal(consensus_propose(world_group(w, 2), w->now_ms, 2, entries, 1, NULL), ERR_NOT_LEADER);
  assert_int_equal(world_status(w, 1).last_index, 2);
  world_free(w);
}

TEST(a_leader_acknowledges_with_its_followers_before_its_own_disk_and_applies_after) {
  struct world *w = world_new(3, 0);
  world_start_all(w);
  world_elect(w, 1);
  w->members[1].slow_disk = true;
  assert_ok(world_propose(w, 1, 5));
  world_deliver(w);
  assert_int_equal(w->members[1].commit, 3);
  assert_int_equal(w->members[1].applied, 2);
  world_persist(w, 1, 1);
  assert_int_equal(w->members[1].applied, 3);
  world_free(w);
}

TESTS(T(three_members_elect_a_leader_and_commit_what_it_proposes), T(a_leader_that_dies_is_followed_by_one_that_has_everything),
      T(what_only_a_lost_leader_had_gives_way), T(all_crash_and_come_back), T(only_data_is_proposed),
      T(a_leader_acknowledges_with_its_followers_before_its_own_disk_and_applies_after))
