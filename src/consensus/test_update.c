// G12: an engine that contradicts itself closes the group before anything of it is carried out. The engine under us does not, so
// what it would say is made here.
#include <string.h>

#include "consensus/consensus_int.h"
#include "consensus/test_world.h"

static struct world *w; // member 2 follows; entries 1 to 7, all committed; then 8 and 9, which are not

static int follower(void **state UNUSED) {
  w = world_new(3, 0);
  w->quiet = true;
  world_start_all(w);
  world_elect(w, 1);
  for (uintptr_t v = 1; v <= 5; v++) assert_ok(world_propose(w, 1, v));
  world_deliver(w);
  world_pass(w, 300);
  world_isolate(w, 3, true);
  w->members[1].slow_disk = true;
  for (uintptr_t v = 6; v <= 7; v++) assert_ok(world_propose(w, 1, v));
  world_deliver(w);
  assert_int_equal(world_status(w, 2).last_index, 9);
  assert_int_equal(world_status(w, 2).commit_index, 7);
  return 0;
}

static int done(void **state UNUSED) {
  world_free(w);
  return 0;
}

static void closes(const struct engine_output *out) {
  struct consensus *c = w->members[2].group;
  update_begin(c, w->now_ms);
  enum err err = update_absorb(c, out, NULL, &c->failure);
  struct error e = ERROR_INIT;
  assert_int_equal(update_finish(c, err, &e), ERR_INTERNAL);
  assert_true(strlen(e.message) > 0);
  const struct consensus_update *u = consensus_update(c);
  assert_int_equal(u->write_count + u->message_count, 0);
  assert_int_equal(consensus_tick(c, w->now_ms, NULL), ERR_INTERNAL);
}

static struct engine_output writes(uint64_t first_index, const struct consensus_entry *entries, size_t count) {
  return (struct engine_output){.first_index = first_index, .entries = entries, .entry_count = count};
}

static const struct consensus_entry entry = {.term = 2, .kind = CONSENSUS_DATA};

TEST(a_gap) { // raft_engine_check
  struct engine_output out = writes(11, &entry, 1);
  closes(&out);
}

TEST(a_cut_of_what_is_committed) { // raft_engine_check
  struct engine_output out = writes(7, &entry, 1);
  closes(&out);
}

TEST(an_entry_of_an_earlier_term) { // raft_engine_check
  struct consensus_entry older = {.term = 1, .kind = CONSENSUS_DATA};
  struct engine_output out = writes(10, &older, 1);
  closes(&out);
}

TEST(an_entry_of_a_later_term_than_the_members_own) { // raft_engine_check
  struct consensus_entry newer = {.term = 3, .kind = CONSENSUS_DATA};
  struct engine_output out = writes(10, &newer, 1);
  closes(&out);
}

TEST(an_entry_below_the_log) { // raft_engine_check
  w->members[2].group->terms.first_index = 6;
  w->members[2].group->commit_index = 3;
  struct engine_output out = writes(4, &entry, 1);
  closes(&out);
}

TEST(an_entry_while_the_log_is_replaced) { // raft_engine_check
  w->members[2].group->installing = true;
  struct engine_output out = writes(10, &entry, 1);
  closes(&out);
}

TEST(places_that_contradict_each_other) { // raft_engine_check
  w->members[2].group->commit_index = 10;
  closes(&(struct engine_output){0});
}

TEST(more_durable_than_there_is) { // raft_engine_check
  w->members[2].group->durable_index = 10;
  closes(&(struct engine_output){0});
}

TEST(more_applied_than_may_be) { // raft_engine_check
  w->members[2].group->applied_index = 8;
  closes(&(struct engine_output){0});
}

#define F(name) cmocka_unit_test_setup_teardown(name, follower, done)
int main(int count, char **arguments) {
  const struct CMUnitTest tests[] = {F(a_gap),
                                     F(a_cut_of_what_is_committed),
                                     F(an_entry_of_an_earlier_term),
                                     F(an_entry_of_a_later_term_than_the_members_own),
                                     F(an_entry_below_the_log),
                                     F(an_entry_while_the_log_is_replaced),
                                     F(places_that_contradict_each_other),
                                     F(more_durable_than_there_is),
                                     F(more_applied_than_may_be)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  if (count > 1) cmocka_set_test_filter(arguments[1]);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
