// The log under the threads that it has in a server: its writer, a checkpointer that removes what nobody needs any more, and who
// saves terms and votes.
#include <stdatomic.h>

#include "os/thread.h"
#include "store/test_log_place.h"

enum { ENTRIES = 10000, SEGMENT_BYTES = 1024, ENTRIES_KEPT = 2 }; // two or three entries a segment

struct pruner {
  struct log *log;
  _Atomic bool over;
  enum err err;
};

static void *prune_on_and_on(void *argument) {
  struct pruner *p = argument;
  while (!atomic_load(&p->over) && p->err == ERR_OK) {
    uint64_t durable = log_durable_index(p->log);
    if (durable > ENTRIES_KEPT) p->err = log_prune(p->log, durable - ENTRIES_KEPT, 1, NULL, NULL);
  }
  return NULL;
}

static void write_entry(struct log *l) {
  bool worked = false;
  struct log_entry entry = {.kind = LOG_TRANSACTION, .parts = LOG_END, .payload = STR("somebody's commit")};
  assert_ok(log_append(l, &entry, 1, NULL));
  assert_ok(log_writer_step(l, &worked, NULL));
  assert_true(worked);
}

TEST(what_is_written_while_segments_are_removed_is_there_after_a_crash) {
  struct place p;
  struct error e = ERROR_INIT;
  struct thread thread;
  place_init(&p, (struct log_options){.segment_bytes = SEGMENT_BYTES});
  assert_ok(place_open(&p, true, &e));
  struct pruner pruner = {.log = p.log};
  assert_ok(thread_start(&thread, "pruner", prune_on_and_on, &pruner, &e));
  for (int i = 0; i < ENTRIES; i++) write_entry(p.log);
  atomic_store(&pruner.over, true);
  thread_join(&thread);
  assert_ok(pruner.err);
  assert_true(log_first_index(p.log) > 1);
  assert_ok(log_check(p.log, &e));
  place_power_cut(&p);
  assert_ok(place_open(&p, false, &e));
  assert_int_equal(log_durable_index(p.log), ENTRIES);
  place_done(&p);
}

enum { CHANGES = 2000 };

static bool vote_in_the_next_term(struct log_group_state *state, const void *context UNUSED) {
  state->term++;
  state->vote = state->term % 3 + 1;
  return true;
}

static bool begin_one_later(struct log_group_state *state, const void *context UNUSED) {
  state->snapshot_index++;
  return true;
}

struct voter {
  struct log *log;
  enum err err;
};

static void *vote_on_and_on(void *argument) {
  struct voter *v = argument;
  for (int i = 0; i < CHANGES && v->err == ERR_OK; i++) v->err = log_group_change(v->log, vote_in_the_next_term, NULL, NULL);
  return NULL;
}

TEST(a_vote_and_the_place_where_the_log_begins_are_saved_at_the_same_time) {
  struct place p;
  struct error e = ERROR_INIT;
  struct thread thread;
  struct log_group_state before, after;
  place_make(&p, (struct log_options){.segment_bytes = SEGMENT_BYTES, .clustered = true});
  log_group_state(p.log, &before);
  struct voter voter = {.log = p.log};
  assert_ok(thread_start(&thread, "voter", vote_on_and_on, &voter, &e));
  for (int i = 0; i < CHANGES; i++) assert_ok(log_group_change(p.log, begin_one_later, NULL, &e));
  thread_join(&thread);
  assert_ok(voter.err);
  place_power_cut(&p);
  assert_ok(place_open(&p, false, &e));
  log_group_state(p.log, &after);
  assert_int_equal(after.term, before.term + CHANGES); // neither has undone what the other did
  assert_int_equal(after.vote, after.term % 3 + 1);
  assert_int_equal(after.snapshot_index, before.snapshot_index + CHANGES);
  place_done(&p);
}

TESTS(T(what_is_written_while_segments_are_removed_is_there_after_a_crash),
      T(a_vote_and_the_place_where_the_log_begins_are_saved_at_the_same_time))
