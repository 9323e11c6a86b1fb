// A store copied to a member that was away too long, and what a crash may leave of it.
#include "cluster/test_group_place.h"

// Proposes, checkpoints and forgets until the log begins above `index`.
static void forget_up_to(struct place *p, struct member *m, uint64_t index) {
  struct error e = ERROR_INIT;
  for (int i = 0; i < 200 && log_first_index(m->log) <= index; i++) {
    assert_ok(propose(m, 200, &e));
    place_run(p, 5);
    m->durable = m->applied;
    enum err err = group_checkpointed(m->group, p->now_ms, m->durable.index, 0, &e);
    assert_true(err == ERR_OK || err == ERR_BUSY);
  }
  assert_true(log_first_index(m->log) > index);
}

/// Until the member's application is asked for a copy of the store.
static void run_until_asked(struct place *p, struct member *m) {
  for (int i = 0; i < 50 && m->install_index == 0; i++) place_run(p, 10);
  assert_true(m->install_index > 0);
}

/// A follower that was away while the leader forgot what it lacks, and is asked for a copy.
static struct member *leave_one_behind(struct place *p, struct member *leader) {
  struct error e = ERROR_INIT;
  struct member *behind = follower_of(p, leader);
  member_power_cut(behind);
  forget_up_to(p, leader, log_last_index(leader->log));
  assert_ok(member_open(behind, &e));
  run_until_asked(p, behind);
  return behind;
}

TEST(a_member_that_was_away_too_long_gets_a_copy_of_the_store) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct group_stats s;
  place_open(p);
  struct member *leader = elect(p);
  struct member *behind = leave_one_behind(p, leader);
  uint64_t first = log_first_index(behind->log), last = log_last_index(behind->log);
  place_run(p, 1000);
  group_stats(behind->group, &s);
  assert_true(s.installing);
  assert_int_equal(s.leader, leader->id); // it is told of heartbeats
  assert_int_equal(log_first_index(behind->log), first);
  assert_int_equal(log_last_index(behind->log), last);
  behind->applied = behind->durable = leader->applied; // copied; newer than asked
  place_run(p, 200);
  assert_int_equal(log_first_index(behind->log), behind->install_index + 1);
  assert_ok(propose(leader, 10, &e));
  place_run(p, 300);
  assert_int_equal(behind->applied.index, leader->applied.index);
  group_stats(behind->group, &s);
  assert_false(s.installing);
  assert_int_equal(behind->memberships, 1);
  member_power_cut(behind);
  assert_ok(member_open(behind, &e));
  place_run(p, 100);
  place_free(p);
}

// Found by the simulator (3 voters, fifo, seed 44128): the leader goes for good before the copy has come, and the other one
// cannot give it before it leads, for which it needs the vote of the member that waits.
TEST(a_member_that_waits_for_a_copy_helps_to_elect_a_leader) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct log_group_state on_disk;
  struct group_stats s;
  place_open(p);
  struct member *gone = elect(p), *behind = leave_one_behind(p, gone);
  member_close(gone);
  struct member *leader = elect(p);
  assert_ptr_not_equal(leader, behind);
  assert_ok(propose(leader, 10, &e));
  place_run(p, 1000);
  assert_int_equal(behind->applied.index, leader->applied.index); // its log had what was lacking
  group_stats(behind->group, &s);
  assert_false(s.installing);
  log_group_state(behind->log, &on_disk);
  assert_false(on_disk.installing);
  place_free(p);
}

TEST(a_crash_between_the_copy_and_its_report_loses_nothing) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  place_open(p);
  struct member *leader = elect(p);
  struct member *behind = leave_one_behind(p, leader);
  place_run(p, 100);
  behind->applied = behind->durable = leader->applied;
  member_power_cut(behind);
  assert_ok(member_open(behind, &e)); // a store ahead of its log
  assert_ok(propose(leader, 10, &e));
  place_run(p, 300);
  assert_int_equal(behind->applied.index, leader->applied.index);
  place_free(p);
}

// A former leader whose log goes beyond the copy that it got, with entries that were never committed; the power went before it
// could say that it has the copy, and is back.
static struct member *copied_beside_an_older_log(struct place *p) {
  struct error e = ERROR_INIT;
  place_open(p);
  struct member *old = elect(p);
  assert_ok(propose(old, 10, &e));
  place_run(p, 50);
  for (uint64_t id = 1; id <= MEMBERS; id++) p->members[id].deaf = id == old->id;
  for (int i = 0; i < 60; i++) assert_ok(propose(old, 10, &e));
  while (p->queue_count > 0) drop_first(p); // nobody hears it
  bool worked = true;
  while (worked) assert_ok(log_writer_step(old->log, &worked, &e));
  uint64_t tail = log_durable_index(old->log);
  member_close(old);
  struct member *leader = elect(p);
  forget_up_to(p, leader, old->applied.index + 1);
  assert_true(leader->applied.index < tail);
  old->deaf = false;
  assert_ok(member_open(old, &e));
  run_until_asked(p, old);
  assert_in_range(old->install_index, 2, tail - 1);
  old->applied = old->durable = leader->applied;
  member_power_cut(old);
  assert_ok(member_open(old, &e));
  return old;
}

static void assert_catches_up(struct place *p, struct member *m) {
  struct error e = ERROR_INIT;
  struct member *leader = leader_of(p);
  for (int i = 0; i < 100 && m->applied.index < leader->applied.index + 1; i++) {
    assert_ok(group_failure(m->group, &e));
    if (i == 50) assert_ok(propose(leader_of(p), 10, &e));
    place_run(p, 10);
  }
  assert_int_equal(m->applied.index, leader->applied.index);
}

// Which of the old log's entries the copy stands for, nobody knows.
TEST(a_copied_store_says_nothing_of_an_older_log) {
  struct place *p = place_new();
  assert_catches_up(p, copied_beside_an_older_log(p));
  place_free(p);
}

// Found by the simulator (3 voters, wild, seed 3605): the old log is as long as the copy, which must not pass for having caught
// up.
TEST(a_second_crash_beside_an_older_log_loses_nothing) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  struct member *old = copied_beside_an_older_log(p);
  old->deaf = true;
  place_run(p, 20);
  member_power_cut(old);
  old->deaf = false;
  assert_ok(member_open(old, &e));
  assert_catches_up(p, old);
  place_free(p);
}

// The leader's word that the log is to begin where the copy was asked for.
static enum err tell_to_install(struct place *p, struct member *leader, struct member *to, struct error *e) {
  struct consensus_membership members;
  struct message m = {.from = leader->id, .to = to->id, .body = {.type = CONSENSUS_INSTALL, .peer = leader->id}};
  memcpy(m.group, uuid, sizeof uuid);
  group_membership(leader->group, &members);
  m.body.term = term_of(leader);
  m.body.install.last_index = to->install_index;
  m.body.install.membership = &members;
  assert_ok(group_term_at(leader->group, to->install_index, &m.body.install.last_term, e));
  return group_receive(to->group, p->now_ms, &m, e);
}

TEST(a_crash_while_the_log_is_begun_anew_loses_nothing) {
  for (int64_t cut = 0, more = 1; more; cut++) {
    struct place *p = place_new();
    struct error e = ERROR_INIT;
    place_open(p);
    struct member *leader = elect(p);
    struct member *behind = leave_one_behind(p, leader);
    behind->applied = behind->durable = leader->applied;
    sim_disk_cut_after(behind->disk, cut);
    more = tell_to_install(p, leader, behind, &e) != ERR_OK;
    sim_disk_cut_after(behind->disk, -1);
    member_power_cut(behind);
    assert_ok(member_open(behind, &e));
    place_run(p, 500);
    assert_int_equal(behind->applied.index, leader->applied.index);
    place_free(p);
  }
}

// Nothing was being copied: a store that is ahead of its log, or beside it, or older than its beginning, means that something
// durable is missing. A member that went on would have forgotten what it acknowledged.
TEST(a_log_that_lost_its_end_is_refused) {
  struct place *p = place_new();
  struct error e = ERROR_INIT;
  place_open(p);
  struct member *leader = elect(p);
  struct member *m = follower_of(p, leader);
  for (int i = 0; i < 5; i++) assert_ok(propose(leader, 10, &e));
  place_run(p, 100);
  m->durable = m->applied;
  m->durable.index += 3;
  member_power_cut(m);
  assert_int_equal(member_open(m, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "which the store has applied"));
  member_close(m);
  m->durable.index -= 3;
  m->durable.term++; // another entry of that index
  assert_int_equal(member_open(m, &e), ERR_CORRUPT);
  member_close(m);
  m->durable.term--;
  assert_ok(member_open(m, &e));
  leader = elect(p);
  forget_up_to(p, leader, log_last_index(leader->log));
  leader->durable = (struct group_applied){0};
  member_power_cut(leader);
  assert_int_equal(member_open(leader, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "has forgotten"));
  place_free(p);
}

GROUP_TESTS(T(a_member_that_was_away_too_long_gets_a_copy_of_the_store),
            T(a_member_that_waits_for_a_copy_helps_to_elect_a_leader), T(a_crash_between_the_copy_and_its_report_loses_nothing),
            T(a_copied_store_says_nothing_of_an_older_log), T(a_second_crash_beside_an_older_log_loses_nothing),
            T(a_crash_while_the_log_is_begun_anew_loses_nothing), T(a_log_that_lost_its_end_is_refused))
