// What the log refuses of those who use it, and that a refusal, a lack of room or a failure on the way changes nothing that a
// later opening would stumble over.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/log_int.h"
#include "store/test_log_place.h"

static const struct log_options options = {.segment_bytes = 2048, .clustered = true};

static enum err append(struct place *p, uint64_t index, uint64_t term, struct error *e) {
  struct log_entry entry = {.index = index, .term = term, .kind = LOG_NOOP, .parts = LOG_END};
  return log_append(p->log, &entry, 1, e);
}

static enum err step(struct place *p, struct error *e) {
  bool worked = false;
  return log_writer_step(p->log, &worked, e);
}

static void put(struct place *p, uint64_t from, uint64_t to, uint64_t term) {
  for (uint64_t i = from; i <= to; i++) {
    assert_ok(append(p, i, term, NULL));
    assert_ok(step(p, NULL));
  }
}

static bool segment_is_there(struct place *p, unsigned number) {
  char path[64];
  struct disk_file *f = NULL;
  snprintf(path, sizeof path, "db/store.log.%08u", number);
  if (disk_open(sim_disk_table(p->disk), path, DISK_READ_ONLY, &f, NULL) != ERR_OK) return false;
  disk_close(f);
  return true;
}

// ---- appending ----

TEST(entries_that_do_not_follow_are_refused_and_leave_nothing_queued) {
  static const struct {
    const char *about;
    struct log_entry entries[2];
    size_t count;
  } cases[] = {
      {"behind a gap", {{.index = 5, .term = 3}}, 1},
      {"committed already", {{.index = 2, .term = 3}}, 1},
      {"entry 0", {{.index = 0, .term = 3}}, 1},
      {"a gap between", {{.index = 4, .term = 3}, {.index = 6, .term = 3}}, 2},
      {"twice the same", {{.index = 4, .term = 3}, {.index = 4, .term = 3}}, 2},
      {"a lower term", {{.index = 4, .term = 1}}, 1},
      {"a lower term in place of another", {{.index = 3, .term = 1}}, 1},
      {"a lower term between", {{.index = 4, .term = 3}, {.index = 5, .term = 2}}, 2},
  };
  struct place p;
  place_make(&p, options);
  put(&p, 1, 3, 2);
  log_commit_mark(p.log, 2);
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct error e = ERROR_INIT;
    struct log_entry entries[2];
    memcpy(entries, cases[i].entries, sizeof entries);
    for (size_t k = 0; k < 2; k++) entries[k].kind = LOG_NOOP, entries[k].parts = LOG_END;
    if (log_append(p.log, entries, cases[i].count, &e) != ERR_INVALID) fail_msg("%s was not refused", cases[i].about);
    assert_int_equal(log_last_index(p.log), 3);
  }
  for (unsigned kind = 0; kind <= LOG_KIND_MAX; kind += LOG_KIND_MAX) {
    struct log_entry odd = {.index = 4, .term = 3, .kind = (enum log_kind) kind, .parts = LOG_END};
    assert_int_equal(log_append(p.log, &odd, 1, NULL), ERR_INVALID);
  }
  struct log_stats stats;
  log_stats(p.log, &stats);
  assert_int_equal(stats.queued_entries, 0);
  assert_ok(log_append(p.log, NULL, 0, NULL)); // none at all is fine
  place_done(&p);
}

TEST(a_term_is_measured_against_what_is_queued_too) {
  struct place p;
  place_make(&p, options);
  put(&p, 1, 3, 2);
  assert_ok(append(&p, 4, 7, NULL));
  assert_int_equal(append(&p, 5, 6, NULL), ERR_INVALID);
  assert_ok(log_truncate(p.log, 3, NULL));
  assert_int_equal(log_last_term(p.log), 2);
  assert_ok(append(&p, 4, 6, NULL)); // the one of term 7 will be void
  assert_ok(log_truncate(p.log, 3, NULL));
  assert_ok(log_truncate(p.log, 3, NULL)); // nothing is above
  for (int i = 0; i < 4; i++) assert_ok(step(&p, NULL));
  assert_int_equal(log_durable_index(p.log), 3);
  assert_ok(place_cut_and_open(&p, NULL));
  assert_int_equal(log_last_term(p.log), 2);
  place_done(&p);
}

TEST(a_stopped_log_refuses_all_that_writes_to_it) {
  struct place p;
  struct error e = ERROR_INIT;
  unsigned removed = 0;
  place_make(&p, options);
  put(&p, 1, 9, 2);
  assert_ok(append(&p, 10, 2, &e));
  sim_disk_fail(p.disk, SIM_SYNC, 0, ERR_IO);
  assert_int_equal(step(&p, &e), ERR_IO);
  assert_int_equal(append(&p, 11, 2, &e), ERR_IO);
  assert_int_equal(log_truncate(p.log, 8, &e), ERR_IO);
  assert_int_equal(log_reset(p.log, 20, 2, &e), ERR_IO);
  assert_int_equal(log_writer_make_room(p.log, &e), ERR_IO);
  assert_int_equal(log_failure(p.log, &e), ERR_IO);
  assert_ok(log_prune(p.log, 8, 100, &removed, &e)); // what is below was durable long ago
  assert_int_equal(removed, 2);
  assert_int_equal(log_first_index(p.log), 7);
  assert_ok(place_cut_and_open(&p, &e));
  assert_int_equal(log_first_index(p.log), 7);
  place_done(&p);
}

// ---- cutting ----

TEST(what_is_committed_cannot_be_cut) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  put(&p, 1, 5, 2);
  log_commit_mark(p.log, 3);
  assert_int_equal(log_truncate(p.log, 2, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "up to 3 are committed"));
  assert_ok(log_truncate(p.log, 5, &e)); // nothing is above
  assert_ok(log_truncate(p.log, 3, &e));
  log_commit_mark(p.log, 5); // no more than there will be
  assert_int_equal(log_commit_index(p.log), 3);
  log_commit_mark(p.log, 1);
  assert_int_equal(log_commit_index(p.log), 3);
  assert_ok(step(&p, &e));
  assert_int_equal(log_durable_index(p.log), 3);
  place_done(&p);
}

TEST(a_reader_above_a_cut_is_told_and_a_reader_below_reads_on) {
  struct place p;
  struct error e = ERROR_INIT;
  struct log_cursor *above = NULL, *below = NULL;
  const struct log_entry *entry = NULL;
  place_make(&p, options);
  put(&p, 1, 8, 2);
  assert_ok(log_cursor_open(p.log, 7, &above, &e));
  assert_ok(log_cursor_next(above, &entry, &e));
  assert_ok(log_cursor_open(p.log, 2, &below, &e));
  assert_ok(log_truncate(p.log, 4, &e));
  assert_ok(step(&p, &e));
  assert_int_equal(log_cursor_next(above, &entry, &e), ERR_NOTFOUND);
  assert_non_null(strstr(e.message, "was cut"));
  for (uint64_t i = 2; i <= 4; i++) {
    assert_ok(log_cursor_next(below, &entry, &e));
    assert_int_equal(entry->index, i);
  }
  assert_ok(log_cursor_next(below, &entry, &e));
  assert_null(entry);
  log_cursor_close(above);
  log_cursor_close(below);
  place_done(&p);
}

TEST(a_reader_whose_next_entry_is_pruned_is_told) {
  struct place p;
  struct error e = ERROR_INIT;
  struct log_cursor *c = NULL;
  const struct log_entry *entry = NULL;
  place_make(&p, options);
  put(&p, 1, 9, 2);
  assert_ok(log_cursor_open(p.log, 1, &c, &e));
  assert_ok(log_cursor_next(c, &entry, &e));
  assert_ok(log_prune(p.log, 7, 100, NULL, &e));
  assert_int_equal(log_cursor_next(c, &entry, &e), ERR_NOTFOUND);
  assert_non_null(strstr(e.message, "begins at 7"));
  assert_int_equal(log_cursor_next(c, &entry, &e), ERR_NOTFOUND); // and remains so
  log_cursor_close(c);
  place_done(&p);
}

TEST(a_log_pruned_down_to_a_cut_is_empty_and_goes_on) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  put(&p, 1, 4, 2); // three in the first segment
  assert_ok(log_truncate(p.log, 3, &e));
  assert_ok(step(&p, &e));
  assert_ok(log_prune(p.log, 4, 100, NULL, &e));
  for (int life = 0; life < 2; life++) {
    uint64_t term = 0;
    assert_int_equal(log_first_index(p.log), 4);
    assert_int_equal(log_last_index(p.log), 3);
    assert_ok(log_term_at(p.log, 3, &term, &e));
    assert_int_equal(term, 2);
    assert_ok(log_check(p.log, &e));
    assert_ok(place_cut_and_open(&p, &e));
  }
  put(&p, 4, 6, 3);
  assert_ok(log_check(p.log, &e));
  place_done(&p);
}

// Entry 5 of term 3 is what is committed. Entry 6 of term 2, queued before it, is written with entry 5 of term 2 in front of it.
TEST(a_mark_about_an_entry_that_is_still_queued_says_nothing_about_the_one_it_replaces) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  put(&p, 1, 5, 2);
  log_commit_mark(p.log, 3);
  assert_ok(append(&p, 6, 2, &e));
  assert_ok(append(&p, 5, 3, &e));
  log_commit_mark(p.log, 5);
  assert_ok(step(&p, &e)); // entry 6, and then the power goes
  assert_ok(place_cut_and_open(&p, &e));
  uint64_t term = 0;
  assert_int_equal(log_last_index(p.log), 6);
  assert_ok(log_term_at(p.log, 5, &term, &e));
  assert_int_equal(term, 2);
  assert_int_equal(log_commit_index(p.log), 4);
  place_done(&p);
}

// ---- pins ----

TEST(pins_have_a_limit_and_a_number_is_given_again_only_when_it_is_free) {
  struct place p;
  struct error e = ERROR_INIT;
  uint32_t pins[LOG_PINS_MAX], one_more = 0;
  place_make(&p, options);
  put(&p, 1, 9, 2);
  p.log->pin_ids = UINT32_MAX - 2; // as after four billion pins
  for (uint32_t i = 0; i < LOG_PINS_MAX; i++) {
    assert_ok(log_pin(p.log, 1 + i % 9, 1000 + i, &pins[i], &e));
    assert_int_not_equal(pins[i], 0);
    for (uint32_t k = 0; k < i; k++) assert_int_not_equal(pins[i], pins[k]);
  }
  assert_int_equal(log_pin(p.log, 1, 5000, &one_more, &e), ERR_LIMIT);
  p.log->pin_ids = pins[10] - 1; // the next numbers are taken
  log_unpin(p.log, pins[5]);
  log_unpin(p.log, pins[5]); // gone already
  log_unpin(p.log, 0);
  assert_ok(log_pin(p.log, 1, 5000, &one_more, &e));
  for (uint32_t i = 0; i < LOG_PINS_MAX; i++)
    if (i != 5) assert_int_not_equal(one_more, pins[i]);
  p.clock.now_ns = 1000 + LOG_PINS_MAX; // all but the last one expire
  for (uint32_t i = 1; i < LOG_PINS_MAX; i++) assert_ok(log_pin(p.log, 9, 9000, &pins[i], &e));
  assert_int_equal(log_pin(p.log, 9, 9000, &pins[0], &e), ERR_LIMIT);
  place_done(&p);
}

TEST(a_pin_below_the_log_is_refused_and_one_that_moves_only_moves_up) {
  struct place p;
  struct error e = ERROR_INIT;
  unsigned removed = 0;
  uint32_t pin = 0;
  place_make(&p, options);
  put(&p, 1, 12, 2);
  assert_ok(log_pin(p.log, 8, 1000, &pin, &e));
  assert_ok(log_pin_move(p.log, pin, 4, 2000, &e)); // renewed, and where it was
  assert_ok(log_prune(p.log, 12, 100, NULL, &e));
  assert_int_equal(log_first_index(p.log), 7);
  assert_int_equal(log_pin(p.log, 3, 1000, &pin, &e), ERR_NOTFOUND);
  assert_ok(log_pin_move(p.log, pin, 11, 2000, &e));
  assert_ok(log_prune(p.log, 12, 0, &removed, &e)); // none is asked for
  assert_int_equal(removed, 0);
  assert_ok(log_prune(p.log, 12, 1, &removed, &e));
  assert_int_equal(removed, 1);
  assert_int_equal(log_first_index(p.log), 10);
  assert_int_equal(log_pin_move(p.log, 77, 11, 2000, &e), ERR_NOTFOUND);
  place_done(&p);
}

// ---- pruning and beginning anew ----

TEST(a_segment_that_could_not_be_removed_goes_before_the_next_one) {
  struct place p;
  struct error e = ERROR_INIT;
  unsigned removed = 9;
  place_make(&p, options);
  put(&p, 1, 12, 2);
  sim_disk_fail_at(p.disk, (struct sim_aim){SIM_OTHER, "store.log.00000001", 0}, ERR_IO);
  assert_int_equal(log_prune(p.log, 8, 1, &removed, &e), ERR_IO);
  assert_true(segment_is_there(&p, 1));
  sim_disk_fail_at(p.disk, (struct sim_aim){SIM_OTHER, "store.log.00000001", 0}, ERR_IO);
  assert_int_equal(log_prune(p.log, 8, 1, &removed, &e), ERR_IO);
  sim_disk_fail_at(p.disk, (struct sim_aim){SIM_OTHER, "store.log.00000001", 0}, ERR_IO);
  assert_int_equal(log_reset(p.log, 100, 5, &e), ERR_IO);
  assert_true(segment_is_there(&p, 2));
  assert_ok(log_prune(p.log, 8, 1, &removed, &e));
  assert_int_equal(removed, 1);
  assert_false(segment_is_there(&p, 1));
  assert_false(segment_is_there(&p, 2));
  assert_ok(place_cut_and_open(&p, &e));
  assert_int_equal(log_first_index(p.log), 7);
  assert_int_equal(log_last_index(p.log), 12);
  place_done(&p);
}

TEST(a_log_begun_anew_removes_later_what_it_could_not_remove_at_once) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  put(&p, 1, 9, 2);
  sim_disk_fail_at(p.disk, (struct sim_aim){SIM_OTHER, "store.log.00000001", 0}, ERR_IO);
  assert_int_equal(log_reset(p.log, 100, 5, &e), ERR_IO);
  assert_int_equal(log_first_index(p.log), 101);
  put(&p, 101, 104, 5);
  assert_ok(log_prune(p.log, 101, 2, NULL, &e));
  assert_false(segment_is_there(&p, 1));
  assert_ok(place_cut_and_open(&p, &e));
  assert_int_equal(log_first_index(p.log), 101);
  assert_int_equal(log_last_index(p.log), 104);
  assert_ok(log_reset(p.log, 200, 5, &e));
  assert_int_equal(log_last_index(p.log), 200);
  place_done(&p);
}

TEST(a_log_with_something_queued_is_not_begun_anew) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  put(&p, 1, 3, 2);
  assert_ok(append(&p, 4, 2, &e));
  assert_int_equal(log_reset(p.log, 100, 5, &e), ERR_BUSY);
  assert_ok(step(&p, &e));
  assert_int_equal(log_durable_index(p.log), 4);
  assert_ok(log_reset(p.log, 100, 5, &e));
  place_done(&p);
}

/// Fails the n-th operation of a kind that has to do with the log's files while `run` is done; false if there is none.
static bool fails_at(struct place *p, enum sim_op op, int64_t n, enum err err, enum err (*run)(struct place *p, struct error *e),
                     enum err *ret) {
  struct error e = ERROR_INIT;
  sim_disk_fail(p->disk, op, n, err);
  *ret = run(p, &e);
  bool struck = sim_disk_failed(p->disk);
  sim_disk_fail(p->disk, op, -1, err);
  return struck;
}

static enum err do_reset(struct place *p, struct error *e) {
  return log_reset(p->log, 100, 5, e);
}

// Wherever it fails: either the log is begun anew, or it goes on as it was, or it stops. What becomes durable afterwards is
// there.
TEST(what_is_written_after_beginning_anew_failed_is_not_thrown_away) {
  static const struct {
    enum sim_op op;
    enum err err;
  } faults[] = {{SIM_OTHER, ERR_IO},   {SIM_WRITE, ERR_IO},    {SIM_WRITE, ERR_NOSPC},   {SIM_SYNC, ERR_IO},
                {SIM_SYNC, ERR_NOSPC}, {SIM_OTHER, ERR_NOSPC}, {SIM_ALLOCATE, ERR_NOSPC}};
  for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
    bool struck = true;
    for (int64_t n = 0; struck; n++) {
      struct place p;
      struct error e = ERROR_INIT;
      enum err err = ERR_OK;
      place_make(&p, options);
      put(&p, 1, 7, 2);
      struck = fails_at(&p, faults[i].op, n, faults[i].err, do_reset, &err);
      uint64_t next = log_last_index(p.log) + 1;
      enum err after = append(&p, next, 6, &e);
      if (after == ERR_OK) assert_ok(step(&p, &e));
      assert_int_equal(after, log_failure(p.log, NULL));
      if (place_cut_and_open(&p, &e) != ERR_OK) fail_msg("fault %zu at %d: %s", i, (int) n, e.message);
      if (after == ERR_OK && log_last_index(p.log) != next)
        fail_msg("fault %zu at %d: entry %llu was durable", i, (int) n, (unsigned long long) next);
      place_done(&p);
    }
  }
}

static enum err do_step(struct place *p, struct error *e) {
  return step(p, e);
}

// The round finds no room for the next segment and is taken back; a smaller one still fits into the segment before.
TEST(what_is_written_after_a_segment_could_not_be_made_can_be_opened) {
  static const struct {
    enum sim_op op;
    enum err err;
  } faults[] = {{SIM_WRITE, ERR_NOSPC}, {SIM_SYNC, ERR_NOSPC}, {SIM_OTHER, ERR_NOSPC}, {SIM_ALLOCATE, ERR_NOSPC}};
  static char large[1200];
  for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
    bool struck = true;
    for (int64_t n = 0; struck; n++) {
      struct place p;
      struct error e = ERROR_INIT;
      enum err err = ERR_OK;
      struct log_entry entry = {.kind = LOG_NOOP, .parts = LOG_END, .payload = {large, sizeof large}};
      place_make(&p, options);
      place_close(&p);
      p.options.clustered = false;
      assert_ok(place_open(&p, false, &e));
      put(&p, 0, 1, 0);
      assert_ok(log_append(p.log, &entry, 1, &e));
      struck = fails_at(&p, faults[i].op, n, faults[i].err, do_step, &err);
      if (log_failure(p.log, NULL) == ERR_OK) {
        if (err != ERR_OK) log_writer_withdraw(p.log, log_durable_index(p.log));
        put(&p, 0, 0, 0);
      }
      uint64_t last = log_durable_index(p.log);
      if (place_cut_and_open(&p, &e) != ERR_OK) fail_msg("fault %zu at %d: %s", i, (int) n, e.message);
      assert_true(log_last_index(p.log) >= last);
      place_done(&p);
    }
  }
}

// Opening and cutting it are the first two calls, removing it is the third.
TEST(a_segment_that_can_neither_be_made_nor_removed_stops_the_log_with_both_causes) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  put(&p, 1, 3, 2);
  assert_false(segment_is_there(&p, 2));
  assert_ok(append(&p, 4, 2, &e));
  sim_disk_fail_at(p.disk, (struct sim_aim){SIM_WRITE, "store.log.00000002", 0}, ERR_NOSPC);
  sim_disk_fail_at(p.disk, (struct sim_aim){SIM_OTHER, "store.log.00000002", 2}, ERR_IO);
  assert_int_equal(step(&p, &e), ERR_IO);
  assert_int_equal(log_failure(p.log, &e), ERR_IO);
  const char *first = strstr(e.message, "half made: A simulated fault.");
  assert_non_null(first);
  assert_non_null(strstr(first, "which it must not: A simulated fault."));
  place_done(&p);
}

TEST(the_first_cause_that_stops_a_log_is_the_one_that_is_told) {
  struct place p;
  struct error e = ERROR_INIT;
  struct log_group_state g;
  struct disk_file *file = NULL;
  place_make(&p, options);
  assert_ok(append(&p, 1, 2, &e));
  assert_ok(log_writer_write(p.log, &file, &e));
  log_group_state(p.log, &g);
  sim_disk_fail(p.disk, SIM_WRITE, 0, ERR_IO);
  assert_int_equal(log_group_save(p.log, &g, &e), ERR_IO);
  assert_int_equal(log_writer_finish(p.log, ERR_NOSPC, NULL), ERR_IO);
  assert_int_equal(log_failure(p.log, &e), ERR_IO);
  assert_int_equal(log_durable_index(p.log), 0);
  place_done(&p);
}

static enum err long_life(struct place *p, struct error *e) {
  size_t worked = 0;
  for (uint64_t i = 1; i <= 16; i++) TRY(append(p, i, 1 + i, e)); // so many as there is room for
  TRY(log_truncate(p->log, 10, e));
  for (int i = 0; i < 4; i++) TRY(log_round_all(&p->log, 1, &worked, e));
  for (uint64_t i = 11; i <= 20; i++) {
    TRY(log_writer_make_room(p->log, e));
    TRY(append(p, i, 20 + i, e));
    TRY(step(p, e));
  }
  TRY(log_reset(p->log, 50, 60, e));
  place_close(p);
  return place_open(p, false, e);
}

TEST(no_memory_is_an_error_that_changes_nothing_wherever_it_strikes) {
  bool fired = true;
  for (int64_t n = 0; fired; n++) {
    struct place p;
    struct error e = ERROR_INIT;
    place_make(&p, options);
    fault_arm(&fault_alloc, n, 1);
    enum err err = long_life(&p, &e);
    fired = fault_fired(&fault_alloc);
    fault_disarm(&fault_alloc);
    assert_true(err == ERR_OK || (fired && err == ERR_NOMEM));
    place_close(&p);
    assert_ok(place_open(&p, false, &e));
    assert_ok(log_check(p.log, &e));
    place_done(&p);
  }
}

// ---- sizes ----

TEST(a_batch_is_never_longer_than_what_is_read_as_one) {
  enum { ENTRIES = 17 };
  struct place p;
  struct error e = ERROR_INIT;
  char *payload = mem_zalloc(LOG_ENTRY_BYTES_MAX);
  struct log_entry entries[ENTRIES];
  assert_non_null(payload);
  for (uint64_t i = 0; i < ENTRIES; i++)
    entries[i] = (struct log_entry){
        .index = i + 1, .term = 1, .kind = LOG_NOOP, .parts = LOG_END, .payload = {payload, LOG_ENTRY_BYTES_MAX}};
  place_make(&p, options);
  place_close(&p);
  p.options =
      (struct log_options){.clustered = true, .batch_bytes_max = 1 << 30, .queue_bytes_max = 1 << 30, .segment_bytes = 1 << 30};
  assert_ok(place_open(&p, false, &e));
  assert_ok(log_append(p.log, entries, ENTRIES, &e));
  for (bool worked = true; worked;) assert_ok(log_writer_step(p.log, &worked, &e));
  place_close(&p);
  assert_ok(place_open(&p, false, &e));
  assert_int_equal(log_last_index(p.log), ENTRIES);
  mem_free(payload);
  place_done(&p);
}

TEST(a_path_that_leaves_no_room_for_the_names_of_segments_is_refused) {
  char path[DISK_PATH_MAX];
  struct place p;
  struct error e = ERROR_INIT;
  struct log *l = NULL;
  memset(path, 'd', sizeof path);
  path[DISK_PATH_MAX - LOG_NAME_MAX] = '\0';
  place_make(&p, options);
  assert_int_equal(log_open(sim_disk_table(p.disk), path, place_uuid, true, &p.options, &p.clock.clock, NULL, &l, &e),
                   ERR_INVALID);
  place_done(&p);
}

TEST(nobody_and_nothing_can_be_closed_and_asked_about) {
  struct place p;
  uint64_t term = 0;
  bool worked = true;
  place_make(&p, options);
  log_close(NULL);
  log_cursor_close(NULL);
  put(&p, 1, 3, 2);
  assert_int_equal(log_term_at(p.log, 4, &term, NULL), ERR_NOTFOUND);
  assert_ok(log_term_at(p.log, 0, &term, NULL));
  assert_ok(log_prune(p.log, 2, 1, NULL, NULL)); // the only segment stays
  assert_int_equal(log_first_index(p.log), 1);
  assert_ok(log_writer_step(p.log, &worked, NULL));
  assert_false(worked);
  assert_ok(log_writer_finish(p.log, ERR_IO, NULL)); // no round is open
  assert_ok(log_reset(p.log, 50, 3, NULL));
  assert_int_equal(log_term_at(p.log, 49, &term, NULL), ERR_NOTFOUND);
  place_done(&p);
}

TESTS(T(entries_that_do_not_follow_are_refused_and_leave_nothing_queued), T(a_term_is_measured_against_what_is_queued_too),
      T(a_stopped_log_refuses_all_that_writes_to_it), T(what_is_committed_cannot_be_cut),
      T(a_reader_above_a_cut_is_told_and_a_reader_below_reads_on),
      T(a_mark_about_an_entry_that_is_still_queued_says_nothing_about_the_one_it_replaces),
      T(pins_have_a_limit_and_a_number_is_given_again_only_when_it_is_free),
      T(a_pin_below_the_log_is_refused_and_one_that_moves_only_moves_up),
      T(a_segment_that_could_not_be_removed_goes_before_the_next_one),
      T(a_log_begun_anew_removes_later_what_it_could_not_remove_at_once), T(a_log_with_something_queued_is_not_begun_anew),
      T(what_is_written_after_beginning_anew_failed_is_not_thrown_away),
      T(what_is_written_after_a_segment_could_not_be_made_can_be_opened), T(a_reader_whose_next_entry_is_pruned_is_told),
      T(a_log_pruned_down_to_a_cut_is_empty_and_goes_on),
      T(a_segment_that_can_neither_be_made_nor_removed_stops_the_log_with_both_causes),
      T(the_first_cause_that_stops_a_log_is_the_one_that_is_told),
      T(no_memory_is_an_error_that_changes_nothing_wherever_it_strikes), T(a_batch_is_never_longer_than_what_is_read_as_one),
      T(a_path_that_leaves_no_room_for_the_names_of_segments_is_refused), T(nobody_and_nothing_can_be_closed_and_asked_about))
