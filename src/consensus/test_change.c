// Members come and go, leadership is handed on, the log is compacted, and reads are answered, while nothing goes wrong.
#include "consensus/test_world.h"

static struct world *elected(uint32_t voters, uint64_t leader) {
  struct world *w = world_new(voters, 0);
  world_start_all(w);
  world_elect(w, leader);
  world_pass(w, 300);
  return w;
}

static void propose_some(struct world *w, uint64_t leader, uintptr_t from, uintptr_t count) {
  for (uintptr_t v = from; v < from + count; v++) {
    assert_ok(world_propose(w, leader, v));
    world_deliver(w);
  }
}

static enum consensus_catch_up_state catch_up_of(struct world *w, uint64_t leader, uint64_t id) {
  struct consensus_status s = world_status(w, leader);
  for (uint32_t i = 0; i < s.progress_count; i++) {
    if (s.progress[i].member_id == id) return s.progress[i].catch_up;
  }
  return CONSENSUS_CATCH_UP_NONE;
}

static void change(struct world *w, uint64_t leader, uint64_t id, uint8_t role) {
  struct consensus_membership to = world_membership(w, leader, id, role);
  assert_ok(world_change(w, leader, &to));
  assert_true(world_status(w, leader).change_under_way);
  world_pass(w, 500);
  assert_false(world_status(w, leader).change_under_way);
}

TEST(three_become_five_and_three_again) {
  struct world *w = elected(3, 1);
  for (uint64_t id = 4; id <= 5; id++) {
    world_add_learner(w, 1, id);
    assert_int_equal(catch_up_of(w, 1, id), CONSENSUS_CATCH_UP_FINISHED);
    change(w, 1, id, CONSENSUS_VOTER);
    propose_some(w, 1, 100 * id, 5);
  }
  assert_int_equal(world_status(w, 5).role, CONSENSUS_VOTER);
  for (uint64_t id = 2; id <= 3; id++) {
    change(w, 1, id, CONSENSUS_LEARNER);
    change(w, 1, id, 0);
    world_crash(w, id);
  }
  propose_some(w, 1, 900, 5);
  world_crash(w, 1); // 4 and 5 are two of {1, 4, 5}
  world_pass(w, 10000);
  uint64_t leader = world_leader(w);
  assert_true(leader == 4 || leader == 5);
  struct consensus_membership m;
  consensus_membership(world_group(w, leader), &m);
  assert_int_equal(m.count, 3);
  world_free(w);
}

TEST(an_idle_learner_catches_up_too) {
  struct world *w = elected(3, 1);
  struct consensus_membership to = world_membership(w, 1, 4, CONSENSUS_LEARNER);
  assert_ok(world_change(w, 1, &to));
  world_start_empty(w, 4);
  world_pass(w, 1000); // it has everything, and nothing is going on
  assert_ok(world_catch_up(w, 1, 4));
  assert_int_equal(catch_up_of(w, 1, 4), CONSENSUS_CATCH_UP_RUNNING);
  assert_int_equal(world_catch_up(w, 1, 4), ERR_BUSY);
  world_deliver(w);
  assert_int_equal(catch_up_of(w, 1, 4), CONSENSUS_CATCH_UP_FINISHED);
  world_free(w);
}

TEST(a_learner_that_is_away_does_not_catch_up) {
  struct world *w = elected(3, 1);
  struct consensus_membership to = world_membership(w, 1, 4, CONSENSUS_LEARNER);
  assert_ok(world_change(w, 1, &to));
  world_pass(w, 1000);
  assert_ok(world_catch_up(w, 1, 4));
  to = world_membership(w, 1, 5, CONSENSUS_LEARNER);
  assert_int_equal(world_change(w, 1, &to), ERR_BUSY);
  world_pass(w, 10000);
  assert_int_equal(catch_up_of(w, 1, 4), CONSENSUS_CATCH_UP_ABORTED);
  to = world_membership(w, 1, 4, CONSENSUS_VOTER);
  assert_int_equal(world_change(w, 1, &to), ERR_INVALID);
  change(w, 1, 4, 0);
  assert_int_equal(world_catch_up(w, 1, 4), ERR_INVALID);
  assert_int_equal(world_catch_up(w, 1, 2), ERR_INVALID);
  world_free(w);
}

TEST(a_learner_that_fell_behind_again_is_not_promoted) {
  struct world *w = elected(3, 1);
  world_add_learner(w, 1, 4);
  world_isolate(w, 4, true);
  propose_some(w, 1, 1, w->options.inflight_entries_max + 1);
  struct consensus_membership to = world_membership(w, 1, 4, CONSENSUS_VOTER);
  assert_int_equal(world_change(w, 1, &to), ERR_INVALID);
  world_isolate(w, 4, false);
  world_pass(w, 1000);
  assert_ok(world_change(w, 1, &to));
  world_free(w);
}

TEST(changes_that_are_refused) {
  struct world *w = elected(3, 1);
  struct consensus_membership to = world_membership(w, 1, 1, 0);
  assert_int_equal(world_change(w, 1, &to), ERR_INVALID); // the leader itself
  to = world_membership(w, 1, 1, CONSENSUS_LEARNER);
  assert_int_equal(world_change(w, 1, &to), ERR_INVALID);
  to = world_membership(w, 1, 2, CONSENSUS_VOTER);
  assert_int_equal(world_change(w, 1, &to), ERR_INVALID); // no change
  to = world_membership(w, 1, 4, CONSENSUS_VOTER);
  assert_int_equal(world_change(w, 1, &to), ERR_INVALID); // a voter at once
  to.count = 0;
  assert_int_equal(world_change(w, 1, &to), ERR_INVALID);
  to = world_membership(w, 2, 3, 0);
  assert_int_equal(world_change(w, 2, &to), ERR_NOT_LEADER);
  assert_int_equal(world_catch_up(w, 2, 3), ERR_NOT_LEADER);
  change(w, 1, 3, 0);
  to = world_membership(w, 1, 2, 0);
  assert_int_equal(world_change(w, 1, &to), ERR_INVALID); // the last but one voter
  world_free(w);
}

TEST(a_change_waits_for_the_one_before_and_for_its_voters) {
  struct world *w = elected(3, 1);
  world_isolate(w, 3, true);
  struct consensus_membership to = world_membership(w, 1, 4, CONSENSUS_LEARNER);
  assert_ok(world_change(w, 1, &to));
  to = world_membership(w, 1, 5, CONSENSUS_LEARNER);
  assert_int_equal(world_change(w, 1, &to), ERR_BUSY); // not committed
  world_deliver(w);
  assert_false(world_status(w, 1).change_under_way);
  assert_int_equal(world_change(w, 1, &to), ERR_BUSY); // 3 does not have it
  world_isolate(w, 3, false);
  world_pass(w, 500);
  assert_ok(world_change(w, 1, &to));
  world_free(w);
}

TEST(a_group_that_lost_two_of_five_parts_with_them) {
  struct world *w = elected(5, 1);
  world_crash(w, 4);
  world_crash(w, 5);
  assert_ok(world_transfer(w, 1, 2)); // a leader that has never heard of them
  world_pass(w, 500);
  struct consensus_membership early = world_membership(w, 2, 4, 0);
  assert_int_equal(world_change(w, 2, &early), ERR_BUSY); // they may only be slow
  world_pass(w, 2000);
  assert_int_equal(world_leader(w), 2);
  struct consensus_membership to = world_membership(w, 2, 6, CONSENSUS_LEARNER);
  assert_int_equal(world_change(w, 2, &to), ERR_BUSY);
  change(w, 2, 4, 0);
  change(w, 2, 5, CONSENSUS_LEARNER);
  change(w, 2, 5, 0);
  change(w, 2, 6, CONSENSUS_LEARNER);
  world_free(w);
}

TEST(a_vote_is_not_taken_away_from_behind_one_that_answers) {
  struct world *w = elected(5, 1);
  w->members[5].slow_disk = true; // answers, and has nothing new
  struct consensus_membership to = world_membership(w, 1, 6, CONSENSUS_LEARNER);
  assert_ok(world_change(w, 1, &to));
  world_pass(w, 300);
  to = world_membership(w, 1, 4, 0);
  assert_int_equal(world_change(w, 1, &to), ERR_BUSY);
  world_free(w);
}

TEST(a_sole_voter_does_not_grow) {
  struct world *w = world_new(1, 1);
  world_start(w, 1);
  world_start_empty(w, 2);
  world_elect(w, 1);
  world_pass(w, 500);
  assert_ok(world_catch_up(w, 1, 2));
  world_pass(w, 500);
  struct consensus_membership to = world_membership(w, 1, 2, CONSENSUS_VOTER);
  assert_int_equal(world_change(w, 1, &to), ERR_INVALID);
  assert_int_equal(world_transfer(w, 1, 0), ERR_INVALID);
  assert_ok(world_read(w, 1, 9)); // is its own majority
  assert_int_equal(w->members[1].reads_answered, 1);
  world_free(w);
}

// ---- handing leadership on ----

TEST(leadership_is_handed_on) {
  struct world *w = elected(3, 1);
  propose_some(w, 1, 1, 5);
  assert_ok(world_transfer(w, 1, 3));
  assert_int_equal(world_status(w, 1).transferee, 3);
  assert_int_equal(world_propose(w, 1, 9), ERR_NOT_LEADER);
  assert_int_equal(world_transfer(w, 1, 2), ERR_BUSY);
  struct consensus_membership to = world_membership(w, 1, 4, CONSENSUS_LEARNER);
  assert_int_equal(world_change(w, 1, &to), ERR_NOT_LEADER);
  assert_int_equal(world_catch_up(w, 1, 4), ERR_NOT_LEADER);
  world_pass(w, 100);
  assert_int_equal(world_leader(w), 3);
  assert_int_equal(world_status(w, 1).state, CONSENSUS_FOLLOWER);
  assert_ok(world_transfer(w, 3, 0)); // whoever is the furthest
  world_pass(w, 100);
  assert_int_not_equal(world_leader(w), 3);
  world_free(w);
}

TEST(a_transfer_that_fails_is_over_after_an_election_timeout) {
  struct world *w = elected(3, 1);
  world_isolate(w, 3, true);
  assert_ok(world_transfer(w, 1, 3));
  world_pass(w, 2000);
  assert_int_equal(world_leader(w), 1);
  assert_int_equal(world_status(w, 1).transferee, 0);
  assert_ok(world_propose(w, 1, 1));
  assert_int_equal(world_transfer(w, 1, 1), ERR_INVALID);
  assert_int_equal(world_transfer(w, 1, 6), ERR_INVALID);
  assert_int_equal(world_transfer(w, 2, 1), ERR_NOT_LEADER);
  world_free(w);
}

TEST(leadership_goes_to_one_that_answers) {
  struct world *w = elected(3, 1);
  world_crash(w, 3);
  world_pass(w, 2000);
  assert_ok(world_propose(w, 1, 1)); // nobody has it yet
  assert_ok(world_transfer(w, 1, 0));
  world_pass(w, 100);
  assert_int_equal(world_leader(w), 2);
  world_start(w, 3);
  world_pass(w, 500);
  world_isolate(w, 2, true);
  world_elect_quietly(w, 3);
  assert_int_equal(world_transfer(w, 3, 0), ERR_INVALID); // none has answered it yet
  world_free(w);
}

// ---- the log's front ----

TEST(who_was_away_too_long_gets_a_copy) {
  struct world *w = elected(3, 1);
  world_isolate(w, 3, true);
  propose_some(w, 1, 1, 60);
  world_pass(w, 300);
  assert_ok(world_compact(w, 1, 60, 0));
  assert_true(world_status(w, 1).first_index > 40);
  world_isolate(w, 3, false);
  world_pass(w, 3000);
  struct consensus_status s = world_status(w, 3);
  assert_int_equal(s.snapshot_index, 60);
  assert_int_equal(s.applied_index, world_status(w, 1).applied_index);
  propose_some(w, 1, 100, 3);
  world_crash(w, 3);
  world_start(w, 3);
  world_pass(w, 3000);
  assert_int_equal(world_status(w, 3).applied_index, world_status(w, 1).applied_index);
  world_free(w);
}

TEST(compaction_waits_for_the_disk) {
  struct world *w = elected(3, 1);
  propose_some(w, 1, 1, 30);
  world_pass(w, 300);
  assert_ok(world_compact(w, 2, 1, 0));
  assert_ok(world_compact(w, 2, 30, 0));
  assert_ok(world_compact(w, 2, 20, 0)); // done already
  assert_int_equal(world_status(w, 2).snapshot_index, 30);
  // 3 has a tail of its own that is being cut.
  w->members[3].slow_disk = true;
  struct consensus_entry tail = {.index = 33, .term = 2, .kind = CONSENSUS_DATA},
                         other = {.index = 33, .term = 3, .kind = CONSENSUS_DATA};
  struct consensus_message m = {.type = CONSENSUS_APPEND, .peer = 1, .term = 2};
  m.append.previous_index = 32;
  m.append.previous_term = 2;
  m.append.count = 1;
  m.append.entries = &tail;
  world_receive(w, 3, &m);
  m.term = 3;
  m.peer = 2;
  m.append.entries = &other;
  world_receive(w, 3, &m);
  uint64_t first;
  assert_int_equal(consensus_compact(world_group(w, 3), w->now_ms, 20, 0, &first, NULL), ERR_BUSY);
  world_persist(w, 3, 2);
  assert_ok(world_compact(w, 3, 20, 0));
  // Or replaced.
  struct consensus_membership members = world_membership(w, 3, 3, CONSENSUS_VOTER);
  m = (struct consensus_message){.type = CONSENSUS_INSTALL, .peer = 2, .term = 3};
  m.install.last_index = 90;
  m.install.last_term = 3;
  m.install.membership = &members;
  m.install.copied_index = 90;
  world_receive(w, 3, &m);
  assert_int_equal(consensus_compact(world_group(w, 3), w->now_ms, 25, 0, &first, NULL), ERR_BUSY);
  world_free(w);
}

// ---- reads ----

TEST(reads_share_a_round) {
  struct world *w = elected(3, 1);
  for (uint64_t read = 1; read <= 50; read++) assert_ok(world_read(w, 1, read));
  int probes = 0;
  for (size_t i = 0; i < w->message_count; i++) probes += w->messages[i].m.type == CONSENSUS_READ_PROBE;
  assert_int_equal(probes, 2); // of the first; the others wait for the second round
  world_deliver(w);
  assert_int_equal(w->members[1].reads_answered, 50);
  assert_int_equal(w->members[1].last_read_index, world_status(w, 1).commit_index);
  assert_int_equal(world_read(w, 2, 1), ERR_NOT_LEADER);
  world_free(w);
}

TEST(a_probe_that_is_lost_is_sent_again) {
  struct world *w = elected(3, 1);
  assert_ok(world_read(w, 1, 1));
  world_lose_all(w);
  world_pass(w, 300);
  assert_int_equal(w->members[1].reads_answered, 1);
  world_free(w);
}

TEST(reads_of_a_leader_that_is_deposed_fail) {
  struct world *w = elected(3, 1);
  assert_ok(world_read(w, 1, 1));
  world_lose_all(w);
  struct consensus_message m = {.type = CONSENSUS_APPEND_RESULT, .peer = 2, .term = 9};
  world_receive(w, 1, &m);
  assert_int_equal(w->members[1].reads_failed, 1);
  world_free(w);
}

TEST(five_voters_confirm_one_after_another) {
  struct world *w = elected(5, 1);
  assert_ok(world_read(w, 1, 1));
  assert_true(world_deliver_one(w, 1, 3, CONSENSUS_READ_PROBE));
  assert_true(world_deliver_one(w, 3, 1, CONSENSUS_READ_PROBE_RESULT));
  assert_int_equal(w->members[1].reads_answered, 0);
  world_lose_all(w);
  world_timeout(w, 1); // asks again whom it has not heard of
  assert_false(world_deliver_one(w, 1, 3, CONSENSUS_READ_PROBE));
  assert_true(world_deliver_one(w, 1, 5, CONSENSUS_READ_PROBE));
  struct consensus_message m;
  assert_true(world_take(w, 5, 1, CONSENSUS_READ_PROBE_RESULT, &m));
  m.read_probe_result.confirmed = false;
  world_receive(w, 1, &m);
  assert_int_equal(w->members[1].reads_answered, 0);
  m.read_probe_result.confirmed = true;
  world_receive(w, 1, &m);
  assert_int_equal(w->members[1].reads_answered, 1);
  world_free(w);
}

TEST(more_reads_than_may_wait_are_refused) {
  struct world *w = elected(3, 1);
  world_isolate(w, 1, true);
  for (uint64_t read = 1; read <= 65536; read++) assert_ok(world_read(w, 1, read));
  assert_int_equal(world_read(w, 1, 65537), ERR_BUSY);
  world_pass(w, 3000);
  assert_int_equal(w->members[1].reads_failed, 65536);
  world_free(w);
}

TEST(what_a_learner_or_a_stranger_confirms_does_not_count) {
  struct world *w = elected(3, 1);
  world_add_learner(w, 1, 4);
  assert_ok(world_read(w, 1, 1));
  struct consensus_message asked, m = {.type = CONSENSUS_READ_PROBE_RESULT, .term = 2};
  assert_true(world_take(w, 1, 2, CONSENSUS_READ_PROBE, &asked));
  m.read_probe_result.nonce = asked.read_probe.nonce;
  m.read_probe_result.confirmed = true;
  for (m.peer = 4; m.peer <= 6; m.peer++) world_receive(w, 1, &m);
  assert_int_equal(w->members[1].reads_answered, 0);
  m.peer = 2;
  m.read_probe_result.nonce--; // of an earlier round
  world_receive(w, 1, &m);
  assert_int_equal(w->members[1].reads_answered, 0);
  m.read_probe_result.nonce++;
  world_receive(w, 1, &m);
  world_receive(w, 1, &m);
  assert_int_equal(w->members[1].reads_answered, 1);
  world_free(w);
}

TESTS(T(three_become_five_and_three_again), T(an_idle_learner_catches_up_too), T(a_learner_that_is_away_does_not_catch_up),
      T(a_learner_that_fell_behind_again_is_not_promoted), T(changes_that_are_refused),
      T(a_change_waits_for_the_one_before_and_for_its_voters), T(a_group_that_lost_two_of_five_parts_with_them),
      T(a_vote_is_not_taken_away_from_behind_one_that_answers), T(a_sole_voter_does_not_grow), T(leadership_is_handed_on),
      T(leadership_goes_to_one_that_answers), T(a_transfer_that_fails_is_over_after_an_election_timeout),
      T(who_was_away_too_long_gets_a_copy), T(compaction_waits_for_the_disk), T(reads_share_a_round),
      T(a_probe_that_is_lost_is_sent_again), T(reads_of_a_leader_that_is_deposed_fail), T(five_voters_confirm_one_after_another),
      T(more_reads_than_may_wait_are_refused), T(what_a_learner_or_a_stranger_confirms_does_not_count))
