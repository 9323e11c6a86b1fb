// Each guard and each rule of Raft's own by a script that goes wrong without it. The build runs every script twice: with all
// rules on, and with the one that it is about switched off (base/mutant.h), where it must fail.
#include <string.h>

#include "consensus/test_world.h"

#define LINKS(...) ((const uint64_t[]){__VA_ARGS__, 0})

/// What the engine forgets to set has what was on the stack before.
static __attribute__((noinline)) void dirty_stack(void) {
  volatile uint64_t junk[700];
  for (size_t i = 0; i < ARRAY_SIZE(junk); i++) junk[i] = 0xdeadbeef;
}

static struct world *elected(uint32_t voters, uint64_t leader) {
  struct world *w = world_new(voters, 0);
  world_start_all(w);
  world_elect(w, leader);
  world_pass(w, 300);
  return w;
}

// ---- G1 ----

TEST(an_older_leader_gets_no_acknowledgement) { // raft_stale_append
  struct world *w = elected(3, 1);
  assert_ok(world_propose(w, 1, 1));
  world_deliver(w);
  world_elect(w, 2);
  struct consensus_status s = world_status(w, 3);
  struct consensus_membership m = world_membership(w, 3, 3, CONSENSUS_VOTER);
  struct consensus_message stale = {.type = CONSENSUS_INSTALL, .peer = 1, .term = s.term - 1};
  stale.install.last_index = 50;
  stale.install.last_term = s.term - 1;
  stale.install.membership = &m;
  dirty_stack();
  world_receive(w, 3, &stale);
  struct consensus_message answer;
  assert_true(world_take(w, 3, 1, CONSENSUS_APPEND_RESULT, &answer));
  assert_int_equal(answer.term, s.term);
  assert_int_equal(answer.append_result.rejected, 0);
  assert_int_equal(answer.append_result.last_index, 0);
  world_free(w);
}

// ---- G2 ----

TEST(a_membership_behind_other_entries_is_noted_where_it_stands) { // raft_split_change
  struct world *w = elected(3, 1);
  world_isolate(w, 3, true);
  assert_ok(world_propose(w, 1, 1));
  world_deliver(w);
  struct consensus_membership m = world_membership(w, 1, 4, CONSENSUS_LEARNER);
  m.members[3].id = 5;
  world_isolate(w, 3, false);
  // Member 3 will get both entries in one message. It has acknowledged all so far, so the change may go.
  enum err err = world_change(w, 1, &m);
  assert_ok(err);
  world_pass(w, 1000);
  assert_false(world_status(w, 3).change_under_way);
  assert_int_equal(world_status(w, 3).commit_index, world_status(w, 1).commit_index);
  world_free(w);
}

/// Member 3 gets two memberships at once from a leader that has forgotten that the first is committed, and must give the second
/// up.
TEST(an_earlier_membership_is_committed_by_the_next) { // raft_change_before
  struct world *w = elected(5, 2);
  world_pass(w, 300);
  world_isolate(w, 3, true);
  struct consensus_membership first = world_membership(w, 2, 6, CONSENSUS_LEARNER);
  assert_ok(world_change(w, 2, &first));
  world_deliver(w);
  uint64_t index = world_status(w, 2).last_index;
  assert_int_equal(world_status(w, 2).commit_index, index);
  world_pass(w, 300); // all but 3 know it
  // The second one stays with member 2; so it is not asked whether 3 has the first.
  world_isolate(w, 2, true);
  w->members[2].durable_applied = 1;
  uint64_t term = w->members[2].term;
  struct consensus_membership second = world_membership(w, 2, 7, CONSENSUS_LEARNER);
  second.index = index + 1;
  world_crash(w, 2);
  struct world_log *disk = &w->members[2].disk;
  disk->at[++disk->last] = (struct world_entry){.term = term, .kind = CONSENSUS_MEMBERSHIP, .membership = &second};
  world_start(w, 2);
  // Elected by 3, 4, 5 again; only 3 hears of the second one.
  world_link_only(w, LINKS(2, 3, 2, 4, 2, 5));
  world_elect_quietly(w, 2);
  world_link_only(w, LINKS(2, 3));
  w->members[3].slow_disk = true;
  while (world_status(w, 3).last_index < index + 1) {
    while (world_deliver_one(w, 2, 3, CONSENSUS_APPEND) || world_deliver_one(w, 3, 2, CONSENSUS_APPEND_RESULT)) {
    }
    if (world_status(w, 3).last_index < index + 1) world_timeout(w, 2);
  }
  world_crash(w, 2);
  world_lose_all(w);
  w->members[3].slow_disk = false;
  world_persist(w, 3, w->members[3].write_count);
  // 1 leads with the votes of 4 and 5, and the second one gives way.
  world_link_only(w, LINKS(1, 4, 1, 5));
  for (uint64_t id = 4; id <= 5; id++) world_timeout(w, id);
  world_lose_all(w);
  world_elect(w, 1);
  world_link_all(w);
  world_pass(w, 1000);
  struct consensus_membership m;
  consensus_membership(world_group(w, 3), &m);
  assert_int_equal(m.index, index);
  // Now 3 leads, and must know of member 6.
  world_start_empty(w, 6);
  assert_ok(world_transfer(w, 1, 3));
  world_pass(w, 1000);
  assert_int_equal(world_leader(w), 3);
  assert_ok(world_propose(w, 3, 99));
  world_pass(w, 1000);
  assert_int_equal(world_value(w, 6, world_status(w, 3).last_index), 99);
  world_free(w);
}

TEST(a_membership_that_does_not_match_says_nothing) { // raft_change_unmatched
  struct world *w = elected(3, 1);
  world_isolate(w, 1, true);
  struct consensus_membership m = world_membership(w, 1, 4, CONSENSUS_LEARNER);
  assert_ok(world_change(w, 1, &m)); // 3^2, of nobody else
  assert_ok(world_propose(w, 1, 1));
  assert_true(world_status(w, 1).change_under_way);
  m.index = 5;
  struct consensus_entry other = {.index = 5, .term = 3, .kind = CONSENSUS_MEMBERSHIP, .membership = &m};
  struct consensus_message append = {.type = CONSENSUS_APPEND, .peer = 2, .term = 3};
  append.append.previous_index = 4;
  append.append.previous_term = 3;
  append.append.count = 1;
  append.append.entries = &other;
  world_receive(w, 1, &append);
  assert_true(world_status(w, 1).change_under_way);
  world_lose_all(w);
  world_elect(w, 2);
  world_isolate(w, 1, false);
  world_pass(w, 1000);
  consensus_membership(world_group(w, 1), &m);
  assert_int_equal(m.index, 1);
  world_free(w);
}

// ---- G3: Ongaro, "bug in single-server membership changes", raft-dev, 10 July 2015 ----

TEST(two_leaders_of_different_memberships_do_not_both_commit) { // raft_own_noop
  struct world *w = elected(4, 1);
  world_add_learner(w, 1, 5);
  world_pass(w, 500);
  // 1 makes 5 a voter, and nobody but 5 hears of it.
  world_link_only(w, LINKS(1, 5));
  struct consensus_membership with = world_membership(w, 1, 5, CONSENSUS_VOTER);
  assert_ok(world_change(w, 1, &with));
  world_deliver(w);
  // 2 is elected by 3 and 4 and removes 1, which only 3 hears of: two of {2, 3, 4}.
  world_link_only(w, LINKS(2, 3, 2, 4));
  for (uint64_t id = 3; id <= 4; id++) world_timeout(w, id);
  world_lose_all(w);
  world_elect(w, 2);
  world_deliver(w);
  world_link_only(w, LINKS(2, 3));
  struct consensus_membership without = world_membership(w, 2, 1, 0);
  if (world_change(w, 2, &without) == ERR_OK) world_deliver(w);
  // 1 is elected by 4 and 5: three of {1, 2, 3, 4, 5}.
  world_link_only(w, LINKS(1, 5, 1, 4));
  for (int i = 0; i < 40; i++) {
    world_timeout(w, 4);
    world_timeout(w, 5);
    world_lose_all(w);
    world_timeout(w, 1);
    world_deliver(w);
  }
  world_link_all(w);
  world_pass(w, 10000);
  world_free(w);
}

// ---- G4 ----

TEST(a_sole_voter_leads_each_time_in_a_new_term) { // raft_sole_voter_term
  struct world *w = world_new(1, 1);
  for (uint64_t life = 1; life <= 3; life++) {
    world_start(w, 1);
    if (life == 1) world_start_empty(w, 2);
    world_elect(w, 1);
    assert_ok(world_propose(w, 1, life));
    world_pass(w, 300);
    world_crash(w, 1);
    world_lose_all(w);
  }
  assert_int_equal(w->members[1].term, 4);
  assert_int_equal(w->members[1].vote, 1);
  world_free(w);
}

TEST(a_sole_voter_that_was_deposed_votes_for_itself_again) { // raft_sole_voter_term
  struct world *w = world_new(1, 1);
  world_start(w, 1);
  world_elect(w, 1);
  struct consensus_message m = {.type = CONSENSUS_VOTE, .peer = 2, .term = 9}; // from who thinks it can win
  m.vote.disrupt_leader = true;
  world_receive(w, 1, &m);
  assert_int_equal(world_status(w, 1).state, CONSENSUS_FOLLOWER);
  assert_int_equal(w->members[1].term, 9);
  world_elect(w, 1);
  assert_int_equal(w->members[1].term, 10);
  assert_int_equal(w->members[1].vote, 1);
  world_free(w);
}

// ---- G5 ----

TEST(an_append_that_comes_late_is_anchored_at_the_snapshot) { // raft_anchor
  struct world *w = elected(3, 1);
  struct consensus_membership with = world_membership(w, 1, 4, CONSENSUS_LEARNER);
  assert_ok(world_change(w, 1, &with));
  world_deliver(w);
  world_start_empty(w, 4);
  struct consensus_message late = {0};
  world_timeout(w, 1);
  for (struct consensus_message m; late.type == 0;) { // the one that begins at the beginning
    if (world_take(w, 1, 4, CONSENSUS_APPEND, &m)) {
      if (m.append.previous_index == 0 && m.append.count > 0) late = m;
      world_receive(w, 4, &m);
    } else if (!world_deliver_one(w, 4, 1, CONSENSUS_APPEND_RESULT)) {
      world_timeout(w, 1);
    }
  }
  assert_int_equal(late.type, CONSENSUS_APPEND);
  for (uintptr_t v = 1; v <= 40; v++) {
    assert_ok(world_propose(w, 1, v));
    world_deliver(w);
  }
  world_pass(w, 500);
  uint64_t last = world_status(w, 4).last_index;
  assert_ok(world_compact(w, 4, last, 0));
  assert_true(world_status(w, 4).first_index > 1);
  world_receive(w, 4, &late);
  struct consensus_message answer;
  assert_true(world_take(w, 4, 1, CONSENSUS_APPEND_RESULT, &answer));
  assert_int_equal(answer.append_result.rejected, 0);
  assert_int_equal(answer.append_result.last_index, last);
  world_free(w);
}

TEST(entries_that_may_be_under_way_are_kept) { // raft_trailing
  struct world *w = elected(3, 1);
  for (uintptr_t v = 1; v <= 40; v++) {
    assert_ok(world_propose(w, 1, v));
    world_deliver(w);
  }
  world_pass(w, 300);
  assert_ok(world_compact(w, 1, 40, 0));
  assert_int_equal(world_status(w, 1).first_index, 40 - 2 * w->options.inflight_entries_max + 1);
  world_free(w);
}

// ---- G6 ----

TEST(a_learner_that_has_nothing_yet_is_not_promoted) { // raft_change_procedure
  struct world *w = elected(3, 1);
  struct consensus_membership m = world_membership(w, 1, 4, CONSENSUS_LEARNER);
  assert_ok(world_change(w, 1, &m));
  world_deliver(w);
  world_start_empty(w, 4);
  world_isolate(w, 4, true);
  m = world_membership(w, 1, 4, CONSENSUS_VOTER);
  enum err err = world_change(w, 1, &m);
  world_deliver(w);
  world_crash(w, 1);
  world_isolate(w, 4, false);
  world_pass(w, 30000); // 2, 3 and 4 are well, and connected
  assert_int_not_equal(world_leader(w), 0);
  assert_int_equal(err, ERR_INVALID);
  world_free(w);
}

TEST(one_change_at_a_time) { // raft_two_changes
  struct world *w = elected(3, 1);
  world_add_learner(w, 1, 4);
  world_add_learner(w, 1, 5);
  world_pass(w, 500);
  world_link_only(w, LINKS(1, 4, 1, 5, 4, 5, 2, 3));
  struct consensus_membership m = world_membership(w, 1, 4, CONSENSUS_VOTER);
  assert_ok(world_change(w, 1, &m));
  m = world_membership(w, 1, 5, CONSENSUS_VOTER);
  enum err err = world_change(w, 1, &m); // two steps: {1, 4, 5} and {2, 3} would each be a majority
  world_deliver(w);
  world_pass(w, 20000);
  assert_int_equal(err, ERR_BUSY);
  world_link_all(w);
  world_pass(w, 5000);
  world_free(w);
}

// ---- G7 ----

TEST(a_rejection_that_was_overtaken_changes_nothing) { // raft_stale_rejection
  struct world *w = world_new(3, 0);
  world_write_disk(w, 1, 2, (const uint64_t[]){2, 2, 2, 2, 0});
  world_write_disk(w, 2, 2, (const uint64_t[]){2, 2, 2, 2, 0});
  world_write_disk(w, 3, 2, (const uint64_t[]){2, 0});
  world_start_all(w);
  world_isolate(w, 3, true);
  world_elect(w, 1);
  world_isolate(w, 3, false);
  // A rejection of exactly what 3 has acknowledged by now; late, from this very term.
  world_pass(w, 500);
  uint64_t match = world_status(w, 3).last_index;
  struct consensus_message rejection = {.type = CONSENSUS_APPEND_RESULT, .peer = 3, .term = world_status(w, 1).term};
  rejection.append_result.rejected = match;
  rejection.append_result.last_index = match - 1;
  world_isolate(w, 3, true);
  for (int i = 0; i < 3; i++) { // not heard of: the leader probes
    world_timeout(w, 1);
    world_deliver(w);
  }
  world_receive(w, 1, &rejection);
  world_isolate(w, 3, false);
  assert_ok(world_propose(w, 1, 7));
  world_pass(w, 1000);
  assert_int_equal(world_value(w, 3, match + 1), 7);
  world_free(w);
}

// ---- G8 ----

TEST(a_higher_term_and_a_longer_log_come_together) { // raft_pre_vote_term
  struct world *w = world_new(3, 0);
  world_write_disk(w, 2, 2, (const uint64_t[]){2, 0});
  world_write_disk(w, 3, 7, (const uint64_t[]){0});
  world_start(w, 2);
  world_start(w, 3); // 1 is down for good
  world_pass(w, 30000);
  assert_int_equal(world_leader(w), 2);
  world_free(w);
}

// ---- G9 ----

TEST(a_whole_term_is_skipped_at_once) { // raft_rejection_hint
  struct world *w = world_new(3, 0);
  world_write_disk(w, 1, 4, (const uint64_t[]){4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 0});
  world_write_disk(w, 2, 4, (const uint64_t[]){4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 0});
  world_write_disk(w, 3, 3, (const uint64_t[]){2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 0});
  world_start_all(w);
  world_isolate(w, 3, true);
  world_elect(w, 1);
  world_isolate(w, 3, false);
  int rejections = 0;
  for (int i = 0; i < 40 && world_status(w, 3).last_index < world_status(w, 1).last_index; i++) {
    world_timeout(w, 1);
    while (world_deliver_one(w, 1, 2, CONSENSUS_APPEND) || world_deliver_one(w, 2, 1, CONSENSUS_APPEND_RESULT)) {
    }
    while (world_deliver_one(w, 1, 3, CONSENSUS_APPEND)) {
      struct consensus_message m;
      while (world_take(w, 3, 1, CONSENSUS_APPEND_RESULT, &m)) {
        rejections += m.append_result.rejected != 0;
        world_receive(w, 1, &m);
      }
    }
  }
  assert_int_equal(world_status(w, 3).last_index, world_status(w, 1).last_index);
  assert_in_range(rejections, 1, 3); // one for the end, one for each of its two terms
  world_free(w);
}

// ---- G10 ----

TEST(the_commit_index_never_falls) { // raft_commit_falls
  struct world *w = elected(3, 1);
  for (uintptr_t v = 1; v <= 5; v++) assert_ok(world_propose(w, 1, v));
  world_deliver(w);
  world_pass(w, 300);
  // A probe of this leader's, far back, that says how far it is: more than is here.
  struct consensus_message m = {.type = CONSENSUS_APPEND, .peer = 1, .term = world_status(w, 1).term};
  m.append.previous_index = m.append.previous_term = 1;
  m.append.commit_index = 100;
  world_receive(w, 3, &m);
  assert_int_equal(world_status(w, 3).commit_index, 7);
  world_free(w);
}

TEST(what_is_committed_is_applied_when_it_is_durable_here) { // raft_apply_undurable
  struct world *w = elected(3, 1);
  w->members[1].slow_disk = true;
  assert_ok(world_propose(w, 1, 5));
  world_deliver(w);
  assert_int_equal(w->members[1].commit, 3);
  assert_int_equal(w->members[1].applied, 2);
  world_persist(w, 1, 1);
  assert_int_equal(w->members[1].applied, 3);
  world_free(w);
}

/// Leader 1 with a log that is gone at the front, and follower 3 that was away with a tail of its own, and is back.
static struct world *left_behind(void) {
  struct world *w = world_new(3, 0);
  world_write_disk(w, 1, 3, (const uint64_t[]){3, 0});
  world_write_disk(w, 2, 3, (const uint64_t[]){3, 0});
  world_write_disk(w, 3, 2, (const uint64_t[]){2, 2, 2, 0});
  world_start_all(w);
  world_isolate(w, 3, true);
  world_elect(w, 1);
  for (uintptr_t v = 1; v <= 40; v++) {
    assert_ok(world_propose(w, 1, v));
    world_deliver(w);
  }
  world_pass(w, 300);
  assert_ok(world_compact(w, 1, 40, 0));
  w->members[3].slow_disk = true;
  world_isolate(w, 3, false);
  return w;
}

/// It has a copy of the store, and its log gives way to it.
static struct world *installing(void) {
  struct world *w = left_behind();
  for (int i = 0; i < 100 && w->members[3].write_count == 0; i++) {
    world_timeout(w, 1);
    world_deliver(w);
  }
  assert_int_equal(w->members[3].write_count, 1);
  assert_int_equal(w->members[3].writes[0].kind, CONSENSUS_WRITE_INSTALL);
  return w;
}

TEST(nothing_is_applied_while_the_store_is_replaced) { // raft_apply_installing
  struct world *w = installing();
  uint64_t before = w->members[3].apply_index;
  world_pass(w, 500);
  assert_int_equal(w->members[3].apply_index, before);
  w->members[3].slow_disk = false;
  world_persist(w, 3, 1);
  world_pass(w, 1000);
  assert_int_equal(w->members[3].applied, w->members[1].applied);
  world_free(w);
}

// ---- G11 ----

/// The same index is written, cut, and written again; the disk is behind.
TEST(a_write_that_is_to_be_overwritten_does_not_count) { // raft_persisted_aba
  struct world *w = world_new(3, 0);
  world_start_all(w);
  world_elect(w, 1);
  world_pass(w, 300);
  w->members[3].slow_disk = true;
  world_link_only(w, LINKS(1, 3));
  assert_ok(world_propose(w, 1, 11)); // 3^2, only at 1 and, not written, at 3
  while (world_deliver_one(w, 1, 3, CONSENSUS_APPEND)) {
  }
  assert_int_equal(world_value(w, 3, 3), 11);
  // 2 is elected by 1, which has lost that entry with its disk's queue... by a restart, and 3 gets another one there.
  world_lose_all(w);
  w->members[1].disk.last = 2;
  world_crash(w, 1);
  world_start(w, 1);
  world_link_only(w, LINKS(1, 2));
  world_elect(w, 2);
  world_link_only(w, LINKS(2, 3));
  for (int i = 0; i < 10 && w->members[3].write_count < 2; i++) {
    world_timeout(w, 2);
    while (world_deliver_one(w, 2, 3, CONSENSUS_APPEND) || world_deliver_one(w, 3, 2, CONSENSUS_APPEND_RESULT)) {
    }
  }
  assert_int_equal(w->members[3].write_count, 2);
  world_persist(w, 3, 1); // the old one
  assert_int_equal(world_status(w, 3).durable_index, 2);
  world_persist(w, 3, 1);
  assert_int_equal(world_status(w, 3).durable_index, 3);
  world_free(w);
}

// ---- G12 ----

TEST(what_contradicts_a_committed_entry_is_dropped_and_shown) { // raft_conflict
  struct world *w = elected(3, 1);
  assert_ok(world_propose(w, 1, 1));
  world_pass(w, 300);
  struct consensus_entry other = {.index = 3, .term = 9, .kind = CONSENSUS_DATA};
  struct consensus_message m = {.type = CONSENSUS_APPEND, .peer = 2, .term = 9};
  m.append.previous_index = m.append.previous_term = 2;
  m.append.count = 1;
  m.append.entries = &other;
  world_receive(w, 3, &m);
  assert_int_equal(world_status(w, 3).conflict_index, 3);
  assert_int_equal(world_value(w, 3, 3), 1);
  assert_int_equal(w->message_count, 0);
  world_free(w);
}

// ---- G13 ----

TEST(what_is_not_applied_is_not_forgotten) { // raft_compact_unapplied
  struct world *w = elected(3, 1);
  for (uintptr_t v = 1; v <= 30; v++) {
    assert_ok(world_propose(w, 1, v));
    world_deliver(w);
  }
  w->members[3].slow_apply = true;
  world_pass(w, 300);
  uint64_t applied = world_status(w, 3).applied_index, first;
  assert_true(applied < 32);
  assert_int_equal(consensus_compact(world_group(w, 3), w->now_ms, applied + 1, 0, &first, NULL), ERR_INVALID);
  world_free(w);
}

TEST(an_install_is_acknowledged_when_the_copy_is_there) { // raft_install_early
  struct world *w = installing();
  struct consensus_message m;
  while (world_take(w, 3, 1, CONSENSUS_APPEND_RESULT, &m)) assert_true(m.append_result.last_index < 40);
  world_persist(w, 3, 1);
  assert_true(world_take(w, 3, 1, CONSENSUS_APPEND_RESULT, &m));
  assert_int_equal(m.append_result.last_index, 40);
  world_free(w);
}

// ---- G14 ----

static uint64_t wake_ms(struct world *w, uint64_t id) {
  return consensus_update(world_group(w, id))->wake_ms;
}

TEST(the_first_to_miss_its_leader_is_elected) { // raft_silent_leader
  struct world *w = elected(3, 1);
  world_pass(w, 500);
  world_isolate(w, 1, true);
  uint64_t first = wake_ms(w, 2) <= wake_ms(w, 3) ? 2 : 3;
  world_timeout(w, first);
  assert_true(w->now_ms < wake_ms(w, 5 - first)); // the other one has still a leader
  world_deliver(w);
  assert_int_equal(world_status(w, first).state, CONSENSUS_LEADER);
  world_free(w);
}

TEST(who_hears_a_leader_denies_votes) { // raft_leader_heard
  struct world *w = elected(3, 1);
  world_pass(w, 500);
  struct consensus_message m = {.type = CONSENSUS_VOTE, .peer = 3, .term = world_status(w, 2).term + 1};
  m.vote.last_index = 100;
  m.vote.last_term = m.term - 1;
  w->now_ms += 890; // since a heartbeat that is at most 100 ms old
  world_receive(w, 2, &m);
  assert_int_equal(w->members[2].term, m.term - 1);
  w->now_ms += 110;
  world_receive(w, 2, &m);
  assert_int_equal(w->members[2].term, m.term);
  assert_int_equal(w->members[2].vote, 3);
  world_free(w);
}

// ---- G15 ----

/// The leader's process ends, and its connections with it.
static void kill_leader(struct world *w, uint64_t leader) {
  world_crash(w, leader);
  for (uint64_t id = 1; id < WORLD_MEMBERS; id++) {
    if (w->members[id].group != NULL) world_lose_connection(w, id, leader);
  }
}

/// Who stands next.
static uint64_t first_to_wake(struct world *w) {
  uint64_t first = 0;
  for (uint64_t id = 1; id < WORLD_MEMBERS; id++) {
    if (w->members[id].group != NULL && (first == 0 || wake_ms(w, id) < wake_ms(w, first))) first = id;
  }
  return first;
}

TEST(a_lost_leader_is_succeeded_at_once) { // raft_lost_leader, raft_lost_turn
  for (uint32_t voters = 3; voters <= 5; voters += 2) {
    struct world *w = elected(voters, 1);
    world_pass(w, 500);
    kill_leader(w, 1);
    world_pass(w, 60); // half a heartbeat; the election timeout is a second
    assert_int_not_equal(world_leader(w), 0);
    assert_int_equal(world_status(w, world_leader(w)).term, 3);
    world_free(w);
  }
}

TEST(each_group_has_an_order_of_its_own) {
  uint32_t first[WORLD_MEMBERS] = {0};
  for (uint64_t group = 0; group < 32; group++) {
    struct world *w = world_new(3, 0);
    w->quiet = true;
    w->options.group = group;
    world_start_all(w);
    world_elect(w, 1);
    world_pass(w, 300);
    kill_leader(w, 1);
    first[first_to_wake(w)]++;
    world_free(w);
  }
  assert_true(first[2] >= 8 && first[3] >= 8);
}

TEST(one_broken_connection_disturbs_nobody) { // raft_leader_heard
  struct world *w = elected(3, 1);
  world_pass(w, 500);
  uint64_t term = world_status(w, 1).term;
  world_link_only(w, LINKS(1, 3, 2, 3));
  world_lose_connection(w, 1, 2);
  world_lose_connection(w, 2, 1);
  world_pass(w, 300);
  assert_int_equal(world_leader(w), 1);
  world_link_all(w); // connected again
  world_pass(w, 300);
  assert_int_equal(world_status(w, 2).leader, 1);
  for (uint64_t id = 1; id <= 3; id++) assert_int_equal(world_status(w, id).term, term);
  world_free(w);
}

TEST(a_leader_that_is_heard_again_leads_on) { // raft_lost_heard
  struct world *w = elected(3, 1);
  world_pass(w, 500);
  uint64_t term = world_status(w, 1).term;
  for (uint64_t id = 2; id <= 3; id++) world_lose_connection(w, id, 1);
  world_timeout(w, 1);
  assert_true(wake_ms(w, first_to_wake(w)) <= w->now_ms + 50); // nobody has stood yet
  world_deliver(w);
  world_pass(w, 300);
  assert_int_equal(world_leader(w), 1);
  assert_int_equal(world_status(w, 1).term, term);
  world_free(w);
}

TEST(a_member_stands_when_its_log_is_durable) { // raft_lost_durable
  struct world *w = elected(3, 1);
  world_pass(w, 500);
  for (uint64_t id = 2; id <= 3; id++) w->members[id].slow_disk = true;
  assert_ok(world_propose(w, 1, 1));
  world_deliver(w);
  kill_leader(w, 1);
  world_pass(w, 200);
  for (uint64_t id = 2; id <= 3; id++) {
    assert_int_equal(world_status(w, id).state, CONSENSUS_FOLLOWER);
    w->members[id].slow_disk = false;
    world_persist(w, id, 1);
  }
  world_pass(w, 60);
  assert_int_not_equal(world_leader(w), 0);
  world_free(w);
}

TEST(who_gave_its_vote_does_not_stand_against_it) { // raft_lost_granted
  struct world *w = elected(3, 1);
  world_pass(w, 500);
  kill_leader(w, 1);
  uint64_t first = first_to_wake(w), other = 5 - first;
  assert_true(wake_ms(w, other) <= w->now_ms + 100);
  world_timeout(w, first);
  assert_true(world_deliver_one(w, first, other, CONSENSUS_VOTE));
  assert_true(wake_ms(w, other) > w->now_ms + 200); // the answer takes its time
  world_free(w);
}

// ---- G16 ----

TEST(who_refuses_a_shorter_log_stands_itself) { // raft_shorter_log
  struct world *w = elected(3, 1);
  world_pass(w, 500);
  world_timeout(w, 1);
  world_deliver(w);
  uint64_t first = wake_ms(w, 2) <= wake_ms(w, 3) ? 2 : 3, other = 5 - first;
  world_isolate(w, first, true);
  assert_ok(world_propose(w, 1, 1));
  world_deliver(w);
  world_crash(w, 1); // power goes: nobody sees a connection closed
  world_link_all(w);
  world_timeout(w, first);
  world_deliver(w);
  assert_int_equal(world_status(w, first).state, CONSENSUS_CANDIDATE);
  assert_int_equal(wake_ms(w, other), w->now_ms + 1);
  world_pass(w, 10);
  assert_int_equal(world_leader(w), other);
  world_free(w);
}

// ---- G17 ----

TEST(a_split_vote_is_repeated_by_turns) { // raft_split_vote
  struct world *w = elected(3, 1);
  world_pass(w, 500);
  world_crash(w, 1);
  for (uint64_t id = 2; id <= 3; id++) world_timeout(w, id);
  world_deliver(w);
  assert_int_equal(world_leader(w), 0);
  for (uint64_t id = 2; id <= 3; id++) assert_int_equal(w->members[id].vote, id);
  world_pass(w, 60);
  assert_int_not_equal(world_leader(w), 0);
  world_free(w);
}

// ---- G18 ----

/// Whoever could give the copy is down for good, and 2 cannot lead without a vote.
TEST(a_member_that_waits_for_a_copy_votes) { // raft_install_uncopied
  struct world *w = left_behind();
  w->members[3].no_copy = true;
  for (int i = 0; i < 100 && w->members[3].wanted_index == 0; i++) {
    world_timeout(w, 1);
    world_deliver(w);
  }
  assert_int_equal(w->members[3].wanted_index, 40);
  world_crash(w, 1);
  world_pass(w, 10000);
  assert_int_equal(world_leader(w), 2);
  w->members[3].slow_disk = false;
  world_persist(w, 3, w->members[3].write_count);
  world_pass(w, 1000);
  assert_int_equal(w->members[3].applied, w->members[2].applied); // by the log of 2, which has forgotten nothing
  world_free(w);
}

/// Its log is as it was, and it answers its leader as anybody who hears one.
TEST(a_log_stays_until_the_copy_is_there) {
  struct world *w = left_behind();
  w->members[3].no_copy = true;
  struct consensus_status before = world_status(w, 3);
  world_pass(w, 3000);
  assert_int_equal(w->members[3].wanted_index, 40);
  assert_int_equal(w->members[3].write_count, 0);
  assert_int_equal(world_status(w, 3).durable_index, before.durable_index);
  assert_int_equal(world_status(w, 3).leader, 1);
  assert_int_equal(world_leader(w), 1);
  w->members[3].no_copy = w->members[3].slow_disk = false;
  world_pass(w, 3000);
  assert_int_equal(w->members[3].applied, w->members[1].applied);
  assert_int_equal(w->members[3].disk.snapshot_index, 40);
  world_free(w);
}

/// It ends at 30. Its leader has forgotten more since, but still has what follows.
TEST(a_copy_that_was_overtaken_is_good_enough) { // raft_install_overtaken
  struct world *w = left_behind();
  struct world_member *x = &w->members[3];
  x->slow_disk = false;
  x->no_copy = true;
  x->copied_index = 30;
  x->copied_term = w->members[1].memory.at[30].term;
  world_pass(w, 5000);
  assert_int_equal(x->disk.snapshot_index, 30);
  assert_int_equal(x->applied, w->members[1].applied);
  world_free(w);
}

static void propose_up_to(struct world *w, uint64_t last) {
  while (w->members[1].memory.last < last) {
    assert_ok(world_propose(w, 1, w->members[1].memory.last + 1));
    world_deliver(w);
  }
}

/// Found by the simulator (5 voters, wild, seed 60675). The copy ends at 30, the log at 32, and of all that came since the log
/// was begun 3 never heard that it is committed. Meanwhile its leader has forgotten what follows both.
TEST(a_log_that_went_past_its_copy_asks_for_a_newer_one) { // raft_install_again
  struct world *w = elected(3, 1);
  struct world_member *x = &w->members[3];
  struct consensus_message m;
  propose_up_to(w, 28);
  world_pass(w, 300);
  for (uintptr_t v = 29; v <= 32; v++) assert_ok(world_propose(w, 1, v));
  while (world_take(w, 1, 3, CONSENSUS_APPEND, &m)) {
    m.append.commit_index = 28;
    world_receive(w, 3, &m);
  }
  world_isolate(w, 3, true);
  propose_up_to(w, 70);
  assert_ok(world_compact(w, 1, 70, 0));
  assert_int_equal(x->memory.last, 32);
  assert_int_equal(x->commit, 28);
  x->no_copy = true;
  x->copied_index = 30;
  x->copied_term = x->memory.at[30].term;
  world_isolate(w, 3, false);
  world_pass(w, 5000);
  assert_int_equal(x->wanted_index, 70);
  x->no_copy = false;
  world_pass(w, 5000);
  assert_int_equal(x->applied, w->members[1].applied);
  world_free(w);
}

// ---- G19 ----

/// 1 has gone since, and neither 2 nor 3 can lead without a third vote of four.
TEST(a_learner_that_does_not_know_of_its_promotion_votes) { // raft_learner_vote
  struct world *w = world_new(3, 0);
  world_start_all(w);
  world_elect(w, 1);
  world_pass(w, 300);
  world_add_learner(w, 1, 4);
  world_isolate(w, 4, true);
  struct consensus_membership to = world_membership(w, 1, 4, CONSENSUS_VOTER);
  assert_ok(world_change(w, 1, &to));
  world_pass(w, 100);
  assert_int_equal(world_status(w, 2).role, CONSENSUS_VOTER);
  world_crash(w, 1);
  world_isolate(w, 4, false);
  assert_int_equal(world_status(w, 4).role, CONSENSUS_LEARNER);
  world_pass(w, 10000);
  assert_int_not_equal(world_leader(w), 0);
  assert_int_equal(world_status(w, 4).role, CONSENSUS_VOTER);
  world_free(w);
}

// ---- G20 ----

/// Leader 1 has been told by 3 that it has all, and hears now that it has not got `rejected`.
static struct consensus_message reminder_of(struct world *w, uint64_t rejected) {
  struct consensus_message rejection = {.type = CONSENSUS_APPEND_RESULT, .peer = 3, .term = world_status(w, 1).term}, reminder;
  rejection.append_result.rejected = rejected;
  rejection.append_result.last_index = rejected - 1;
  world_receive(w, 1, &rejection);
  assert_true(world_take(w, 1, 3, CONSENSUS_ACKNOWLEDGED, &reminder));
  return reminder;
}

TEST(who_has_what_it_has_acknowledged_goes_on_whatever_came_late) {
  struct world *w = elected(3, 1);
  for (uintptr_t v = 1; v <= 5; v++) assert_ok(world_propose(w, 1, v));
  world_pass(w, 300);
  struct consensus_status s = world_status(w, 3);
  for (uint64_t rejected = 1; rejected <= s.last_index; rejected++) {
    struct consensus_message reminder = reminder_of(w, rejected);
    assert_int_equal(reminder.acknowledged.last_index, s.last_index);
    assert_int_equal(reminder.acknowledged.last_term, s.term);
    world_receive(w, 3, &reminder);
  }
  struct consensus_message reminder = reminder_of(w, 1);
  world_crash(w, 3);
  world_start(w, 3);
  world_receive(w, 3, &reminder); // before it has heard the leader
  world_pass(w, 300);
  world_receive(w, 3, &reminder);
  assert_ok(world_compact(w, 3, s.last_index, 0));
  world_receive(w, 3, &reminder);
  assert_ok(world_propose(w, 1, 7));
  world_pass(w, 300);
  assert_int_equal(world_value(w, 3, s.last_index + 1), 7);
  assert_int_equal(world_status(w, 3).lost_index, 0);
  world_free(w);
}

/// Its log ends `count` entries earlier, as if it had been put back from a copy.
static void put_back(struct world *w, uint64_t id, uint64_t count) {
  struct world_member *x = &w->members[id];
  world_crash(w, id);
  x->disk.last -= count;
  x->durable_applied = MIN(x->durable_applied, x->disk.last);
  world_start(w, id);
}

TEST(a_member_that_does_not_have_what_it_has_acknowledged_takes_no_part) { // raft_lost
  struct world *w = elected(3, 1);
  struct error e = ERROR_INIT;
  for (uintptr_t v = 1; v <= 5; v++) assert_ok(world_propose(w, 1, v));
  world_pass(w, 300);
  uint64_t last = world_status(w, 3).last_index;
  put_back(w, 3, 2);
  struct consensus_message reminder;
  world_timeout(w, 1);
  assert_true(world_deliver_one(w, 1, 3, CONSENSUS_APPEND));
  assert_true(world_deliver_one(w, 3, 1, CONSENSUS_APPEND_RESULT));
  assert_true(world_take(w, 1, 3, CONSENSUS_ACKNOWLEDGED, &reminder));
  assert_int_equal(consensus_receive(world_group(w, 3), w->now_ms, &reminder, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "has acknowledged entry 7 to the leader of term 2"));
  assert_int_equal(world_status(w, 3).lost_index, last);
  assert_int_equal(consensus_tick(world_group(w, 3), w->now_ms + 100000, &e), ERR_CORRUPT); // and stands for nothing
  world_crash(w, 3);
  assert_ok(world_propose(w, 1, 9)); // the others go on
  world_pass(w, 300);
  assert_int_equal(world_value(w, 2, last + 1), 9);
  world_free(w);
}

/// Member 3 alone, as the others would have it.
static void append_from_1(struct world *w, uint64_t leader_term, uint64_t previous, uint64_t previous_term, uint32_t count, uint64_t term) {
  struct consensus_entry entries[8];
  struct consensus_message m = {.type = CONSENSUS_APPEND, .peer = 1, .term = leader_term};
  for (uint32_t i = 0; i < count; i++)
    entries[i] = (struct consensus_entry){.index = previous + 1 + i, .term = term, .kind = CONSENSUS_DATA, .user = (void *) (uintptr_t) (100 * term + i)};
  m.append.previous_index = previous;
  m.append.previous_term = previous_term;
  m.append.count = count;
  m.append.entries = entries;
  world_receive(w, 3, &m);
}

/// All that it has heard of term 3 is acknowledged, up to entry 5.
static struct world *has_acknowledged(struct consensus_message *ret_reminder) {
  struct world *w = world_new(3, 0);
  struct consensus_message answer;
  world_start(w, 3);
  append_from_1(w, 3, 1, 1, 4, 3);
  assert_true(world_take(w, 3, 1, CONSENSUS_APPEND_RESULT, &answer));
  assert_int_equal(answer.append_result.last_index, 5);
  *ret_reminder = (struct consensus_message){.type = CONSENSUS_ACKNOWLEDGED, .peer = 1, .term = 3};
  ret_reminder->acknowledged.last_index = 5;
  ret_reminder->acknowledged.last_term = 3;
  world_receive(w, 3, ret_reminder);
  return w;
}

TEST(what_was_acknowledged_in_an_earlier_term_may_be_gone) { // raft_lost_term
  struct consensus_message reminder;
  struct world *w = has_acknowledged(&reminder);
  append_from_1(w, 5, 1, 1, 1, 2); // it leads again, with what another one has kept; the rest of that is on its way
  assert_int_equal(world_status(w, 3).last_index, 2);
  world_receive(w, 3, &reminder);
  assert_int_equal(world_status(w, 3).lost_index, 0);
  world_free(w);
}

TEST(what_was_acknowledged_may_have_given_way_to_a_copy_of_a_later_leader) { // raft_lost_later
  struct consensus_message reminder;
  struct world *w = has_acknowledged(&reminder);
  struct consensus_membership first = world_membership(w, 3, 3, CONSENSUS_VOTER);
  struct consensus_message install = {.type = CONSENSUS_INSTALL, .peer = 1, .term = 3};
  install.install.last_index = 10; // from an earlier leader, who does not know that it is one
  install.install.last_term = 3;
  install.install.membership = &first;
  install.install.copied_index = 4; // what its store has meanwhile, from somebody who has followed the later one
  install.install.copied_term = 4;
  first.index = 1;
  world_receive(w, 3, &install);
  assert_int_equal(world_status(w, 3).last_index, 4);
  world_receive(w, 3, &reminder);
  assert_int_equal(world_status(w, 3).lost_index, 0);
  world_free(w);
}

// ---- Raft's own rules ----

/// Figure 3.7. One entry at a time, so that the old one is on a majority before the leader's own is.
TEST(an_entry_of_an_older_term_is_committed_by_a_later_one_only) { // raft_commit_old_term
  struct world *w = world_new(5, 0);
  w->options.inflight_entries_max = 1;
  world_write_disk(w, 1, 2, (const uint64_t[]){2, 0});
  world_write_disk(w, 2, 2, (const uint64_t[]){2, 0});
  world_write_disk(w, 3, 2, (const uint64_t[]){0});
  world_write_disk(w, 4, 2, (const uint64_t[]){0});
  world_write_disk(w, 5, 3, (const uint64_t[]){3, 0});
  world_start_all(w);
  world_link_only(w, LINKS(1, 2, 1, 3)); // (c): 1 leads again and brings 2^2 to 3, and not yet its own entry to anybody
  world_elect_quietly(w, 1);
  for (int i = 0; i < 10; i++) {
    world_timeout(w, 1);
    for (struct consensus_message m; w->message_count > 0;) {
      for (uint64_t id = 2; id <= 3; id++) {
        while (world_take(w, 1, id, CONSENSUS_APPEND, &m)) {
          if (m.append.previous_index + m.append.count <= 2) world_receive(w, id, &m);
        }
        while (world_deliver_one(w, id, 1, CONSENSUS_APPEND_RESULT)) {
        }
      }
    }
  }
  assert_int_equal(world_value(w, 3, 2), 2002);
  world_crash(w, 1); // (d): 5 is elected by 2, 3 and 4 and overwrites it
  world_lose_all(w);
  world_link_only(w, LINKS(5, 2, 5, 3, 5, 4));
  world_elect(w, 5);
  world_link_all(w);
  world_pass(w, 3000);
  assert_int_equal(world_value(w, 2, 2), 2003);
  world_free(w);
}

/// A follower with a tail of its own hears how far the leader is before it hears what the leader has there.
TEST(a_follower_commits_what_matched) { // raft_commit_uncapped, raft_ack_own_last
  struct world *w = world_new(3, 0);
  world_write_disk(w, 1, 3, (const uint64_t[]){3, 3, 3, 0});
  world_write_disk(w, 2, 3, (const uint64_t[]){3, 3, 3, 0});
  world_write_disk(w, 3, 2, (const uint64_t[]){2, 2, 2, 2, 2, 2, 0});
  world_start_all(w);
  world_link_only(w, LINKS(1, 2));
  world_elect(w, 1);
  world_pass(w, 300);
  world_link_all(w);
  struct consensus_message m = {.type = CONSENSUS_APPEND, .peer = 1, .term = world_status(w, 1).term}; // a probe
  m.append.previous_index = m.append.previous_term = 1;
  m.append.commit_index = world_status(w, 1).commit_index;
  world_receive(w, 3, &m);
  assert_int_equal(world_status(w, 3).commit_index, 1);
  world_pass(w, 2000);
  assert_int_equal(world_value(w, 3, 2), 2003);
  world_free(w);
}

TEST(term_and_vote_are_durable_before_they_are_told) { // raft_hard_state
  struct world *w = elected(3, 1);
  assert_int_equal(w->members[2].term, 2);
  assert_int_equal(w->members[2].vote, 1);
  world_free(w);
}

TEST(one_vote_in_a_term) { // raft_vote_twice
  struct world *w = world_new(3, 0);
  world_start_all(w);
  struct consensus_message m = {.type = CONSENSUS_VOTE, .peer = 1, .term = 2}, answer;
  m.vote.last_index = m.vote.last_term = 1;
  world_receive(w, 3, &m);
  assert_true(world_take(w, 3, 1, CONSENSUS_VOTE_RESULT, &answer));
  assert_true(answer.vote_result.granted);
  m.peer = 2;
  world_receive(w, 3, &m);
  assert_true(world_take(w, 3, 2, CONSENSUS_VOTE_RESULT, &answer));
  assert_false(answer.vote_result.granted);
  world_free(w);
}

TEST(a_leader_has_what_was_committed) { // raft_vote_up_to_date
  struct world *w = elected(3, 1);
  world_isolate(w, 3, true);
  assert_ok(world_propose(w, 1, 1));
  world_deliver(w);
  world_pass(w, 300);
  world_crash(w, 1);
  world_isolate(w, 3, false);
  world_timeout(w, 2);
  world_lose_all(w);
  for (int i = 0; i < 6; i++) { // 3 tries first
    world_timeout(w, 3);
    world_deliver(w);
  }
  world_pass(w, 10000);
  assert_int_equal(world_leader(w), 2);
  world_free(w);
}

TEST(what_is_acknowledged_is_durable) { // raft_ack_undurable
  struct world *w = elected(3, 1);
  for (uint64_t id = 1; id <= 3; id++) w->members[id].slow_disk = true;
  assert_ok(world_propose(w, 1, 1));
  world_deliver(w);
  assert_int_equal(w->members[1].commit, 2);
  world_persist(w, 3, 1);
  world_deliver(w);
  assert_int_equal(w->members[1].commit, 2); // its own copy does not count yet
  world_persist(w, 1, 1);
  assert_int_equal(w->members[1].commit, 3);
  world_free(w);
}

TEST(a_membership_that_is_cut_is_out_of_force) { // raft_rollback
  struct world *w = elected(3, 1);
  world_isolate(w, 1, true);
  struct consensus_membership m = world_membership(w, 1, 4, CONSENSUS_LEARNER);
  assert_ok(world_change(w, 1, &m));
  world_pass(w, 6000);
  world_isolate(w, 1, false);
  world_pass(w, 3000);
  consensus_membership(world_group(w, 1), &m);
  assert_int_equal(m.count, 3);
  assert_int_equal(m.index, 1);
  world_free(w);
}

TEST(a_proposal_belongs_to_its_term) { // raft_propose_term
  struct world *w = elected(3, 1);
  world_elect(w, 2);
  world_elect(w, 1);
  world_pass(w, 300);
  struct consensus_entry entry = {.kind = CONSENSUS_DATA};
  assert_true(world_status(w, 1).open);
  assert_int_equal(consensus_propose(world_group(w, 1), w->now_ms, 2, &entry, 1, NULL), ERR_NOT_LEADER);
  world_free(w);
}

TEST(a_leader_opens_when_its_own_entry_is_applied) { // raft_propose_early
  struct world *w = world_new(3, 0);
  w->members[1].slow_apply = true;
  world_start_all(w);
  world_elect(w, 1);
  world_deliver(w);
  assert_false(world_status(w, 1).open);
  assert_int_equal(world_propose(w, 1, 1), ERR_NOT_LEADER);
  world_apply(w, 1);
  assert_ok(world_propose(w, 1, 1));
  world_free(w);
}

// ---- reads ----

TEST(a_new_leader_reads_behind_its_own_entry) { // raft_read_own_noop
  struct world *w = elected(3, 1);
  assert_ok(world_propose(w, 1, 1));
  world_deliver(w); // 2 has it and does not know that it is committed
  world_crash(w, 1);
  world_elect_quietly(w, 2);
  assert_ok(world_read(w, 2, 77));
  world_timeout(w, 2);
  while (world_deliver_one(w, 2, 3, CONSENSUS_APPEND)) { // 3 knows its leader; what it acknowledges is late
  }
  while (world_deliver_one(w, 2, 3, CONSENSUS_READ_PROBE) || world_deliver_one(w, 3, 2, CONSENSUS_READ_PROBE_RESULT)) {
  }
  world_deliver(w);
  world_pass(w, 500);
  assert_int_equal(w->members[2].last_read, 77);
  assert_int_equal(w->members[2].reads_failed, 0);
  assert_true(w->members[2].last_read_index >= 3);
  world_free(w);
}

TEST(a_leader_that_is_cut_off_answers_no_read) { // raft_read_majority
  struct world *w = elected(3, 1);
  world_isolate(w, 1, true);
  assert_ok(world_read(w, 1, 5));
  world_pass(w, 5000);
  assert_int_equal(w->members[1].reads_answered, 0);
  assert_int_equal(w->members[1].reads_failed, 1);
  world_free(w);
}

TEST(a_read_is_asked_for_after_it_came) { // raft_read_round
  struct world *w = elected(3, 1);
  assert_ok(world_read(w, 1, 1));
  assert_true(world_deliver_one(w, 1, 2, CONSENSUS_READ_PROBE));
  assert_ok(world_read(w, 1, 2)); // the answer that is on its way was given before
  assert_true(world_deliver_one(w, 2, 1, CONSENSUS_READ_PROBE_RESULT));
  assert_int_equal(w->members[1].reads_answered, 1);
  world_deliver(w);
  assert_int_equal(w->members[1].reads_answered, 2);
  world_free(w);
}

TEST(a_probe_of_another_term_is_not_confirmed) { // raft_read_term
  struct world *w = elected(3, 1);
  world_link_only(w, LINKS(2, 3));
  world_timeout(w, 3);
  world_lose_all(w);
  world_elect(w, 2); // 1 does not know
  world_link_all(w);
  assert_int_equal(world_status(w, 1).state, CONSENSUS_LEADER);
  assert_ok(world_read(w, 1, 3));
  while (world_deliver_one(w, 1, 3, CONSENSUS_READ_PROBE) || world_deliver_one(w, 3, 1, CONSENSUS_READ_PROBE_RESULT)) {
  }
  assert_int_equal(w->members[1].reads_answered, 0);
  world_pass(w, 1000);
  assert_int_equal(w->members[1].reads_failed, 1);
  world_free(w);
}

/// With an argument, only that script: how the build runs one with its rule off.
int main(int count, char **arguments) {
  const struct CMUnitTest tests[] = {T(an_older_leader_gets_no_acknowledgement),
                                     T(a_membership_behind_other_entries_is_noted_where_it_stands),
                                     T(an_earlier_membership_is_committed_by_the_next),
                                     T(a_membership_that_does_not_match_says_nothing),
                                     T(two_leaders_of_different_memberships_do_not_both_commit),
                                     T(a_sole_voter_leads_each_time_in_a_new_term),
                                     T(a_sole_voter_that_was_deposed_votes_for_itself_again),
                                     T(an_append_that_comes_late_is_anchored_at_the_snapshot),
                                     T(entries_that_may_be_under_way_are_kept),
                                     T(a_learner_that_has_nothing_yet_is_not_promoted),
                                     T(one_change_at_a_time),
                                     T(a_rejection_that_was_overtaken_changes_nothing),
                                     T(a_higher_term_and_a_longer_log_come_together),
                                     T(a_whole_term_is_skipped_at_once),
                                     T(the_commit_index_never_falls),
                                     T(what_is_committed_is_applied_when_it_is_durable_here),
                                     T(nothing_is_applied_while_the_store_is_replaced),
                                     T(a_write_that_is_to_be_overwritten_does_not_count),
                                     T(what_contradicts_a_committed_entry_is_dropped_and_shown),
                                     T(what_is_not_applied_is_not_forgotten),
                                     T(an_install_is_acknowledged_when_the_copy_is_there),
                                     T(the_first_to_miss_its_leader_is_elected),
                                     T(who_hears_a_leader_denies_votes),
                                     T(a_lost_leader_is_succeeded_at_once),
                                     T(each_group_has_an_order_of_its_own),
                                     T(one_broken_connection_disturbs_nobody),
                                     T(a_leader_that_is_heard_again_leads_on),
                                     T(a_member_stands_when_its_log_is_durable),
                                     T(who_gave_its_vote_does_not_stand_against_it),
                                     T(who_refuses_a_shorter_log_stands_itself),
                                     T(a_split_vote_is_repeated_by_turns),
                                     T(a_member_that_waits_for_a_copy_votes),
                                     T(a_log_stays_until_the_copy_is_there),
                                     T(a_copy_that_was_overtaken_is_good_enough),
                                     T(a_log_that_went_past_its_copy_asks_for_a_newer_one), T(a_learner_that_does_not_know_of_its_promotion_votes),
                                     T(who_has_what_it_has_acknowledged_goes_on_whatever_came_late),
                                     T(a_member_that_does_not_have_what_it_has_acknowledged_takes_no_part),
                                     T(what_was_acknowledged_in_an_earlier_term_may_be_gone),
                                     T(what_was_acknowledged_may_have_given_way_to_a_copy_of_a_later_leader),
                                     T(an_entry_of_an_older_term_is_committed_by_a_later_one_only),
                                     T(a_follower_commits_what_matched),
                                     T(term_and_vote_are_durable_before_they_are_told),
                                     T(one_vote_in_a_term),
                                     T(a_leader_has_what_was_committed),
                                     T(what_is_acknowledged_is_durable),
                                     T(a_membership_that_is_cut_is_out_of_force),
                                     T(a_proposal_belongs_to_its_term),
                                     T(a_leader_opens_when_its_own_entry_is_applied),
                                     T(a_new_leader_reads_behind_its_own_entry),
                                     T(a_leader_that_is_cut_off_answers_no_read),
                                     T(a_read_is_asked_for_after_it_came),
                                     T(a_probe_of_another_term_is_not_confirmed)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  if (count > 1) cmocka_set_test_filter(arguments[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
