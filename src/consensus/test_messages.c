// Messages that make no sense: ignored or answered, never fatal, and nothing of them is taken.
#include <string.h>

#include "consensus/test_world.h"

#define HUGE (UINT64_MAX - 1)

static struct world *group; // 1 leads term 2, 2 and 3 follow; entries 1 to 7

static int group_make(void **state UNUSED) {
  group = world_new(3, 0);
  group->quiet = true;
  world_start_all(group);
  world_elect(group, 1);
  for (uintptr_t v = 1; v <= 5; v++) assert_ok(world_propose(group, 1, v));
  world_deliver(group);
  world_pass(group, 300);
  return 0;
}

static int group_free(void **state UNUSED) {
  world_free(group);
  return 0;
}

/// The member is as it was, says nothing, and works on.
static void ignores(uint64_t id, const struct consensus_message *m) {
  struct consensus_status before = world_status(group, id), after;
  world_receive(group, id, m);
  after = world_status(group, id);
  after.conflict_index = before.conflict_index;
  assert_memory_equal(&before, &after, sizeof before);
  assert_int_equal(group->message_count, 0);
}

/// Like that, but may be answered.
static void takes_nothing(uint64_t id, const struct consensus_message *m) {
  struct consensus_status before = world_status(group, id), after;
  world_receive(group, id, m);
  after = world_status(group, id);
  assert_int_equal(after.last_index, before.last_index);
  assert_int_equal(after.commit_index, before.commit_index);
  assert_int_equal(after.term, before.term);
  world_lose_all(group);
}

static struct consensus_message message(enum consensus_message_type type, uint64_t peer, uint64_t term) {
  return (struct consensus_message){.type = type, .peer = peer, .term = term};
}

TEST(nobody_in_particular) {
  for (int type = 0; type < CONSENSUS_MESSAGE_TYPE_MAX + 3; type++) {
    struct consensus_message m = message(type, 0, 2);
    ignores(1, &m);
    ignores(2, &m);
    m.peer = 2; // itself
    ignores(2, &m);
    m.peer = 1;
    ignores(1, &m);
    m.peer = 3;
    m.term = 0;
    ignores(1, &m);
    ignores(2, &m);
    m.term = HUGE;
    ignores(1, &m);
    ignores(2, &m);
  }
  struct consensus_message m = message(CONSENSUS_MESSAGE_TYPE_MAX, 3, 2);
  ignores(1, &m);
}

TEST(appends_that_contradict_themselves) {
  struct consensus_membership membership = world_membership(group, 2, 4, CONSENSUS_LEARNER);
  membership.index = 9;
  struct consensus_entry entries[2] = {{.index = 8, .term = 2, .kind = CONSENSUS_DATA},
                                       {.index = 9, .term = 2, .kind = CONSENSUS_MEMBERSHIP, .membership = &membership}};
  struct consensus_entry good[2];
  memcpy(good, entries, sizeof good);
  struct consensus_message m = message(CONSENSUS_APPEND, 1, 2);
  m.append.previous_index = 7;
  m.append.previous_term = 2;
  m.append.count = 2;
  m.append.entries = entries;
  const struct consensus_message right = m;
#define SPOILED(change)                 \
  do {                                  \
    m = right;                          \
    memcpy(entries, good, sizeof good); \
    change;                             \
    ignores(2, &m);                     \
    membership.index = 9;               \
    membership.count = 4;               \
  } while (0)
  SPOILED(m.append.previous_index = HUGE);
  SPOILED(m.append.previous_term = 3);
  SPOILED(m.append.previous_term = 0);
  SPOILED(m.append.previous_index = 0);
  SPOILED(m.append.entries = NULL);
  SPOILED(m.append.count = UINT32_MAX);
  SPOILED(entries[0].index = 9);
  SPOILED(entries[1].index = 8);
  SPOILED(entries[0].term = 1);
  SPOILED(entries[1].term = 1);
  SPOILED(entries[1].term = 3);
  SPOILED(entries[0].kind = 0);
  SPOILED(entries[0].kind = 4);
  SPOILED(entries[0].membership = &membership);
  SPOILED(entries[1].membership = NULL);
  SPOILED(membership.index = 8);
  SPOILED(membership.count = 0);
  SPOILED((m.append.previous_index = m.append.previous_term = 0, entries[0].index = 1, entries[0].term = 0, m.append.count = 1));
#undef SPOILED
  memcpy(entries, good, sizeof good);
  group->members[2].slow_disk = true; // it is not to acknowledge what its leader never sent
  world_receive(group, 2, &right);
  assert_int_equal(world_status(group, 2).last_index, 9);
}

TEST(a_second_leader_of_a_term) {
  struct consensus_entry entry = {.index = 8, .term = 2, .kind = CONSENSUS_DATA};
  struct consensus_message m = message(CONSENSUS_APPEND, 3, 2);
  m.append.previous_index = 7;
  m.append.previous_term = 2;
  m.append.count = 1;
  m.append.entries = &entry;
  ignores(1, &m);
  struct consensus_membership membership = world_membership(group, 1, 4, CONSENSUS_LEARNER);
  membership.index = 5;
  m = message(CONSENSUS_INSTALL, 3, 2);
  m.install.last_index = 90;
  m.install.last_term = 2;
  m.install.membership = &membership;
  ignores(1, &m);
}

TEST(snapshots_that_cannot_be) {
  struct consensus_membership membership = world_membership(group, 2, 4, CONSENSUS_LEARNER);
  membership.index = 5;
  struct consensus_message m = message(CONSENSUS_INSTALL, 1, 2);
  m.install.last_index = 90;
  m.install.last_term = 2;
  m.install.membership = &membership;
  m.install.copied_index = 90;
  const struct consensus_message right = m;
  m.install.membership = NULL;
  ignores(2, &m);
  m = right;
  m.install.last_index = m.install.last_term = 0;
  ignores(2, &m);
  m = right;
  m.install.last_term = 3;
  ignores(2, &m);
  m = right;
  m.install.last_index = HUGE;
  ignores(2, &m);
  m = right;
  membership.index = 91;
  ignores(2, &m);
  membership.index = 0;
  ignores(2, &m);
  membership.index = 5;
  membership.members[0].role = 9;
  ignores(2, &m);
  membership.members[0].role = CONSENSUS_VOTER;
  m.install.last_index = 6; // committed, and here it is of term 2
  m.install.last_term = 1;
  ignores(2, &m);
  assert_int_equal(world_status(group, 2).conflict_index, 6);
  m = right;
  m.install.last_index = 6; // has it all
  takes_nothing(2, &m);
  group->members[2].slow_disk = true;
  world_receive(group, 2, &right);
  assert_int_equal(group->members[2].write_count, 1);
  world_receive(group, 2, &right); // the same again, while it is under way
  assert_int_equal(group->members[2].write_count, 1);
}

TEST(votes_and_timeouts_that_cannot_be) {
  struct consensus_message m = message(CONSENSUS_VOTE, 3, 3);
  m.vote.last_term = 4;
  m.vote.last_index = 9;
  m.vote.disrupt_leader = true;
  ignores(2, &m);
  m.vote.last_term = 0;
  ignores(2, &m);
  m.vote.last_index = HUGE;
  m.vote.last_term = 3;
  ignores(2, &m);
  m = message(CONSENSUS_VOTE, 7, 2); // of an unknown member, in this term
  m.vote.last_term = 2;
  m.vote.last_index = 900;
  takes_nothing(2, &m);
  m = message(CONSENSUS_TIMEOUT_NOW, 3, 2); // not its leader
  m.timeout_now.last_term = 2;
  m.timeout_now.last_index = 7;
  takes_nothing(2, &m);
  m.peer = 1;
  m.timeout_now.last_index = HUGE;
  ignores(2, &m);
}

TEST(results_that_cannot_be) {
  struct consensus_message m = message(CONSENSUS_APPEND_RESULT, 2, 2);
  m.append_result.last_index = 8; // the leader has 7
  ignores(1, &m);
  m.append_result.last_index = HUGE;
  ignores(1, &m);
  m.append_result.last_index = 0;
  m.append_result.rejected = HUGE;
  ignores(1, &m);
  m.append_result.rejected = 7; // acknowledged long ago
  m.append_result.last_index = 3;
  takes_nothing(1, &m);
  m.peer = 6; // a stranger
  m.append_result.rejected = 0;
  m.append_result.last_index = 7;
  takes_nothing(1, &m);
  m = message(CONSENSUS_VOTE_RESULT, 2, 3); // nobody asked
  m.vote_result.granted = true;
  ignores(1, &m);
  ignores(2, &m);
  m = message(CONSENSUS_READ_PROBE_RESULT, 2, 2);
  m.read_probe_result.confirmed = true;
  ignores(1, &m);
}

TEST(reminders_that_cannot_be) {
  struct consensus_message m = message(CONSENSUS_ACKNOWLEDGED, 1, 2);
  m.acknowledged.last_term = 2;
  ignores(2, &m); // of no entry
  m.acknowledged.last_index = 7;
  ignores(2, &m); // which is so
  m.acknowledged.last_term = 0;
  ignores(2, &m);
  m.acknowledged.last_index = HUGE;
  ignores(2, &m);
  m.acknowledged.last_index = 8;
  m.acknowledged.last_term = 3; // an entry of a term above its own
  ignores(2, &m);
  m.acknowledged.last_term = 2;
  m.term = 1; // an earlier leader's
  ignores(2, &m);
  m.term = 3;
  ignores(2, &m);
  m.term = 2;
  m.peer = 3; // from somebody who does not lead
  ignores(1, &m);
  ignores(2, &m);
  m.peer = 6;
  ignores(2, &m);
}

TEST(a_candidate_counts_what_can_be) {
  world_lose_all(group);
  world_timeout(group, 3);
  world_lose_all(group);
  assert_int_equal(world_status(group, 3).state, CONSENSUS_CANDIDATE);
  struct consensus_message m = message(CONSENSUS_VOTE_RESULT, 2, 9);
  m.vote_result.granted = m.vote_result.pre_vote = true; // a pre-vote is granted for the term that was asked for
  ignores(3, &m);
  m.term = 3;
  m.peer = 6;
  ignores(3, &m);
  m.peer = 2;
  m.vote_result.pre_vote = false; // of a vote that it has not asked for
  ignores(3, &m);
}

#define G(name) cmocka_unit_test_setup_teardown(name, group_make, group_free)
int main(void) {
  const struct CMUnitTest tests[] = {
      G(nobody_in_particular),          G(appends_that_contradict_themselves), G(a_second_leader_of_a_term),
      G(snapshots_that_cannot_be),      G(votes_and_timeouts_that_cannot_be),  G(results_that_cannot_be),
      G(reminders_that_cannot_be), G(a_candidate_counts_what_can_be)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
