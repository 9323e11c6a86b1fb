#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "store/test_log_place.h"

static const char segment_1[] = "db/store.log.00000001";
static const struct log_options options = {.segment_bytes = 16384};

static enum err append(struct place *p, const char *text, struct error *e) {
  struct log_entry entry = {.kind = LOG_TRANSACTION, .parts = LOG_END, .payload = str_of(text), .origin_sequence = 7};
  return log_append(p->log, &entry, 1, e);
}

static enum err append_at(struct place *p, uint64_t index, uint64_t term, const char *text, struct error *e) {
  struct log_entry entry = {.index = index, .term = term, .kind = LOG_TRANSACTION, .parts = LOG_END, .payload = str_of(text)};
  return log_append(p->log, &entry, 1, e);
}

static enum err write_all(struct place *p, struct error *e) {
  for (bool worked = true; worked;) TRY(log_writer_step(p->log, &worked, e));
  return ERR_OK;
}

static void put(struct place *p, const char *text) {
  struct error e = ERROR_INIT;
  assert_ok(append(p, text, &e));
  assert_ok(write_all(p, &e));
}

static void assert_holds(struct place *p, uint64_t index, const char *text) {
  struct error e = ERROR_INIT;
  struct log_cursor *c = NULL;
  const struct log_entry *entry = NULL;
  assert_ok(log_cursor_open(p->log, index, &c, &e));
  assert_ok(log_cursor_next(c, &entry, &e));
  assert_non_null(entry);
  assert_int_equal(entry->index, index);
  assert_str(entry->payload, text);
  log_cursor_close(c);
}

TEST(entries_are_numbered_durable_after_a_round_and_there_after_a_crash) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  assert_ok(append(&p, "one", &e));
  assert_ok(append(&p, "two", &e));
  assert_int_equal(log_durable_index(p.log), 0);
  assert_int_equal(log_last_index(p.log), 2);
  assert_ok(write_all(&p, &e));
  assert_int_equal(log_durable_index(p.log), 2);
  assert_ok(place_cut_and_open(&p, &e));
  assert_int_equal(log_durable_index(p.log), 2);
  assert_int_equal(log_commit_index(p.log), 2);
  assert_holds(&p, 2, "two");
  assert_ok(log_check(p.log, &e));
  place_done(&p);
}

TEST(an_entry_keeps_all_that_was_said_about_it) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  struct log_entry in = {.kind = LOG_TOKEN,
                         .parts = LOG_PART,
                         .origin_member = 3,
                         .origin_sequence = 9,
                         .metadata = STR("meta"),
                         .sections = STR("before"),
                         .payload = STR("payload")};
  assert_ok(log_append(p.log, &in, 1, &e));
  assert_ok(write_all(&p, &e));
  struct log_cursor *c = NULL;
  const struct log_entry *out = NULL;
  assert_ok(log_cursor_open(p.log, 1, &c, &e));
  assert_ok(log_cursor_next(c, &out, &e));
  assert_int_equal(out->kind, LOG_TOKEN);
  assert_int_equal(out->parts, LOG_PART);
  assert_int_equal(out->term, 1);
  assert_int_equal(out->commit_time_ns, 1000);
  assert_int_equal(out->origin_member, 3);
  assert_int_equal(out->origin_sequence, 9);
  assert_str(out->metadata, "meta");
  assert_str(out->sections, "before");
  assert_str(out->payload, "payload");
  assert_ok(log_cursor_next(c, &out, &e));
  assert_null(out);
  log_cursor_close(c);
  place_done(&p);
}

TEST(commit_time_never_goes_back_though_the_clock_does) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  put(&p, "late");
  p.clock.wall_offset_ns = -5000;
  put(&p, "early");
  assert_ok(log_check(p.log, &e));
  place_done(&p);
}

TEST(a_torn_end_is_cut_and_the_log_goes_on) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  put(&p, "whole");
  uint64_t end = 512 + 512;
  put(&p, "torn");
  place_close(&p);
  assert_true(sim_disk_flip(p.disk, segment_1, end + 90, 1));
  assert_ok(place_open(&p, false, &e));
  struct log_recovery r;
  log_recovery(p.log, &r);
  assert_int_equal(r.last_index, 1);
  assert_int_equal(r.cut_segment, 1);
  assert_int_equal(r.cut_offset, end);
  put(&p, "new");
  place_close(&p);
  assert_ok(place_open(&p, false, &e));
  assert_holds(&p, 1, "whole");
  assert_holds(&p, 2, "new");
  place_done(&p);
}

TEST(damage_in_front_of_a_whole_batch_is_refused_with_its_place) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  put(&p, "one");
  put(&p, "two");
  put(&p, "three");
  place_close(&p);
  assert_true(sim_disk_flip(p.disk, segment_1, 1024 + 100, 0x80));
  assert_int_equal(place_open(&p, false, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "segment 00000001 at offset 1024"));
  place_done(&p);
}

TEST(damage_in_an_older_segment_is_refused) {
  struct place p;
  struct error e = ERROR_INIT;
  char text[3000];
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  place_make(&p, options);
  for (int i = 0; i < 12; i++) put(&p, text);
  struct log_stats stats;
  log_stats(p.log, &stats);
  assert_true(stats.segments >= 3);
  assert_ok(log_check(p.log, &e));
  place_close(&p);
  assert_true(sim_disk_flip(p.disk, segment_1, 600, 1));
  assert_int_equal(place_open(&p, false, &e), ERR_CORRUPT);
  assert_true(sim_disk_flip(p.disk, segment_1, 600, 1));
  assert_ok(place_open(&p, false, &e));
  place_close(&p);
  assert_ok(disk_unlink(sim_disk_table(p.disk), "db/store.log.00000002", &e));
  assert_int_equal(place_open(&p, false, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "00000002 is missing"));
  place_done(&p);
}

TEST(a_failed_sync_stops_the_log_for_good) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  put(&p, "safe");
  sim_disk_fail(p.disk, SIM_SYNC, 0, ERR_IO);
  assert_ok(append(&p, "lost", &e));
  assert_int_equal(write_all(&p, &e), ERR_IO);
  assert_int_equal(log_durable_index(p.log), 1);
  assert_int_equal(append(&p, "refused", &e), ERR_IO);
  assert_int_equal(write_all(&p, &e), ERR_IO);
  assert_int_equal(log_failure(p.log, &e), ERR_IO);
  assert_ok(place_cut_and_open(&p, &e));
  assert_true(log_durable_index(p.log) >= 1);
  assert_holds(&p, 1, "safe");
  place_done(&p);
}

TEST(no_space_for_a_round_leaves_its_entries_queued) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, (struct log_options){.segment_bytes = 2048});
  char text[1500];
  memset(text, 'y', sizeof text);
  text[sizeof text - 1] = '\0';
  put(&p, text);
  assert_ok(append(&p, text, &e));
  sim_disk_set_room(p.disk, 0);
  assert_int_equal(write_all(&p, &e), ERR_NOSPC);
  assert_int_equal(log_writer_make_room(p.log, &e), ERR_NOSPC);
  assert_ok(log_failure(p.log, &e));
  sim_disk_set_room(p.disk, UINT64_MAX);
  assert_ok(log_writer_make_room(p.log, &e));
  assert_ok(write_all(&p, &e));
  assert_int_equal(log_durable_index(p.log), 2);
  assert_ok(place_cut_and_open(&p, &e));
  assert_int_equal(log_durable_index(p.log), 2);
  place_done(&p);
}

struct told {
  struct event_sink sink;
  unsigned times;
  bool starts_with_no;
};

static void note_room(struct event_sink *sink, enum event_level level UNUSED, const char *name, struct str text) {
  struct told *t = CONTAINER_OF(sink, struct told, sink);
  assert_string_equal(name, "store.log.room");
  t->times++;
  t->starts_with_no = str_starts(text, STR("no room"));
}

TEST(an_operator_is_told_once_that_room_ends_and_once_that_it_is_back) {
  struct place p;
  struct error e = ERROR_INIT;
  struct told t = {.sink.raise = note_room};
  place_make(&p, (struct log_options){.segment_bytes = 2048});
  p.events = &t.sink;
  char text[1500];
  memset(text, 'y', sizeof text);
  text[sizeof text - 1] = '\0';
  put(&p, text);
  assert_ok(place_cut_and_open(&p, &e));
  assert_ok(append(&p, text, &e));
  sim_disk_set_room(p.disk, 0);
  for (int i = 0; i < 3; i++) assert_int_equal(write_all(&p, &e), ERR_NOSPC);
  assert_int_equal(t.times, 1);
  assert_true(t.starts_with_no);
  sim_disk_set_room(p.disk, UINT64_MAX);
  for (int i = 0; i < 3; i++) assert_ok(write_all(&p, &e));
  assert_int_equal(t.times, 2);
  assert_false(t.starts_with_no);
  place_done(&p);
}

TEST(what_finds_no_room_can_be_taken_back_and_its_indexes_are_given_again) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, (struct log_options){.segment_bytes = 2048});
  char text[1500];
  memset(text, 'y', sizeof text);
  text[sizeof text - 1] = '\0';
  put(&p, text);
  sim_disk_set_room(p.disk, 0);
  assert_ok(append(&p, text, &e));
  assert_ok(append(&p, "kept", &e));
  assert_ok(append(&p, "taken back", &e));
  assert_int_equal(write_all(&p, &e), ERR_NOSPC);
  log_writer_withdraw(p.log, 3);
  assert_int_equal(log_last_index(p.log), 3);
  log_writer_withdraw(p.log, 1);
  assert_int_equal(log_last_index(p.log), 1);
  assert_int_equal(log_last_term(p.log), 1);
  sim_disk_set_room(p.disk, UINT64_MAX);
  put(&p, "in its place");
  assert_int_equal(log_durable_index(p.log), 2);
  assert_ok(place_cut_and_open(&p, &e));
  assert_holds(&p, 1, text);
  assert_holds(&p, 2, "in its place");
  place_done(&p);
}

TEST(where_there_is_no_room_for_a_step_what_is_needed_is_taken) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, (struct log_options){.segment_bytes = 16 << 20});
  sim_disk_set_room(p.disk, 10 << 10);
  static char text[1000];
  memset(text, 'z', sizeof text - 1);
  uint64_t n = 0; // the first step is a MiB, the next one has no room
  for (;; n++) {
    assert_ok(append(&p, text, &e));
    enum err err = write_all(&p, &e);
    if (err == ERR_NOSPC) break;
    assert_ok(err);
  }
  assert_int_equal(log_durable_index(p.log), n);
  assert_int_equal(n, ((1 << 20) + (10 << 10) - 512) / 1536);
  log_writer_withdraw(p.log, n);
  place_done(&p);
}

TEST(what_a_new_leader_overwrites_is_gone_after_a_crash_too) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, (struct log_options){.segment_bytes = 16384, .clustered = true});
  for (uint64_t i = 1; i <= 5; i++) assert_ok(append_at(&p, i, 1, "old", &e));
  assert_ok(write_all(&p, &e));
  log_commit_mark(p.log, 2);
  assert_int_equal(append_at(&p, 2, 2, "no", &e), ERR_INVALID);
  assert_ok(append_at(&p, 4, 2, "new", &e));
  assert_ok(write_all(&p, &e));
  assert_int_equal(log_durable_index(p.log), 4);
  for (int round = 0; round < 2; round++) {
    assert_holds(&p, 3, "old");
    assert_holds(&p, 4, "new");
    uint64_t term = 0;
    assert_ok(log_term_at(p.log, 3, &term, &e));
    assert_int_equal(term, 1);
    assert_ok(log_term_at(p.log, 4, &term, &e));
    assert_int_equal(term, 2);
    assert_int_equal(log_term_at(p.log, 5, &term, &e), ERR_NOTFOUND);
    assert_ok(log_check(p.log, &e));
    assert_ok(place_cut_and_open(&p, &e));
    assert_int_equal(log_commit_index(p.log), 2);
  }
  assert_ok(log_truncate(p.log, 3, &e));
  assert_ok(write_all(&p, &e));
  assert_int_equal(log_durable_index(p.log), 3);
  assert_int_equal(log_last_term(p.log), 1);
  assert_ok(place_cut_and_open(&p, &e));
  assert_int_equal(log_durable_index(p.log), 3);
  place_done(&p);
}

TEST(thousands_of_small_rounds_take_little_memory_and_each_entry_is_found) {
  enum { ROUNDS = 3000 };
  struct place p;
  struct error e = ERROR_INIT;
  struct log_stats stats;
  char text[32];
  place_make(&p, (struct log_options){.segment_bytes = 1 << 20});
  for (int life = 0; life < 2; life++) {
    for (int i = 0; i < ROUNDS; i++) {
      snprintf(text, sizeof text, "entry %d", life * ROUNDS + i + 1);
      put(&p, text);
    }
    log_stats(p.log, &stats);
    assert_true(stats.index_bytes < stats.bytes / 500);
    for (int i = 1; i <= (life + 1) * ROUNDS; i += 1 + i % 37) {
      snprintf(text, sizeof text, "entry %d", i);
      assert_holds(&p, (uint64_t) i, text);
    }
    assert_ok(log_check(p.log, &e)); // reads all in order
    assert_ok(place_cut_and_open(&p, &e));
    log_stats(p.log, &stats);
    assert_true(stats.index_bytes < stats.bytes / 500);
  }
  place_done(&p);
}

TEST(a_cursor_notices_that_its_entries_were_voided) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, (struct log_options){.segment_bytes = 16384, .clustered = true});
  for (uint64_t i = 1; i <= 4; i++) assert_ok(append_at(&p, i, 1, "old", &e));
  assert_ok(write_all(&p, &e));
  struct log_cursor *c = NULL;
  const struct log_entry *entry = NULL;
  assert_ok(log_cursor_open(p.log, 2, &c, &e));
  assert_ok(log_cursor_next(c, &entry, &e));
  assert_ok(append_at(&p, 3, 2, "new", &e));
  assert_ok(write_all(&p, &e));
  assert_ok(log_cursor_next(c, &entry, &e));
  assert_str(entry->payload, "new");
  assert_ok(log_cursor_next(c, &entry, &e));
  assert_null(entry);
  log_cursor_close(c);
  place_done(&p);
}

TEST(pruning_keeps_what_is_pinned_until_the_pin_expires) {
  struct place p;
  struct error e = ERROR_INIT;
  char text[3000];
  memset(text, 'z', sizeof text);
  text[sizeof text - 1] = '\0';
  place_make(&p, options);
  for (int i = 0; i < 20; i++) put(&p, text);
  uint32_t pin = 0;
  unsigned removed = 9;
  assert_ok(log_pin(p.log, 1, 500, &pin, &e));
  assert_ok(log_prune(p.log, 20, 100, &removed, &e));
  assert_int_equal(removed, 0);
  p.clock.now_ns = 501;
  assert_int_equal(log_pin_move(p.log, pin, 2, 900, &e), ERR_NOTFOUND);
  assert_ok(log_prune(p.log, 12, 100, &removed, &e));
  assert_true(removed > 0);
  uint64_t first = log_first_index(p.log);
  assert_true(first > 1 && first <= 12);
  struct log_cursor *c = NULL;
  assert_int_equal(log_cursor_open(p.log, first - 1, &c, &e), ERR_NOTFOUND);
  assert_holds(&p, first, text);
  assert_ok(place_cut_and_open(&p, &e));
  assert_int_equal(log_first_index(p.log), first);
  assert_ok(log_check(p.log, &e));
  place_done(&p);
}

TEST(a_reset_log_begins_above_the_copied_store) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, (struct log_options){.segment_bytes = 16384, .clustered = true});
  assert_ok(append_at(&p, 1, 1, "old", &e));
  assert_ok(write_all(&p, &e));
  assert_ok(log_reset(p.log, 100, 7, &e));
  assert_int_equal(log_first_index(p.log), 101);
  uint64_t term = 0;
  assert_ok(log_term_at(p.log, 100, &term, &e));
  assert_int_equal(term, 7);
  assert_ok(append_at(&p, 101, 8, "new", &e));
  assert_ok(write_all(&p, &e));
  assert_ok(place_cut_and_open(&p, &e));
  assert_holds(&p, 101, "new");
  assert_int_equal(log_first_index(p.log), 101);
  place_done(&p);
}

TEST(term_and_vote_outlive_a_crash_and_the_loss_of_a_slot) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, (struct log_options){.segment_bytes = 16384, .clustered = true});
  struct log_group_state *g = mem_zalloc(sizeof *g);
  log_group_state(p.log, g);
  g->term = 5;
  g->vote = 3;
  g->installing = true;
  g->member_count = 2;
  g->members[1] = (struct log_member){.id = 3, .role = 2, .address = "core3:7000"};
  assert_ok(log_group_save(p.log, g, &e));
  g->term = 4;
  assert_int_equal(log_group_save(p.log, g, &e), ERR_INVALID);
  for (uint64_t slot = 0; slot < 2; slot++) {
    place_power_cut(&p);
    assert_true(sim_disk_flip(p.disk, "db/store.group", slot * 16384 + 50, 1));
    assert_ok(place_open(&p, false, &e));
    log_group_state(p.log, g);
    assert_int_equal(g->term, 5);
    assert_int_equal(g->vote, 3);
    assert_true(g->installing);
    assert_string_equal(g->members[1].address, "core3:7000");
  }
  place_close(&p);
  sim_disk_flip(p.disk, "db/store.group", 50, 1);
  sim_disk_flip(p.disk, "db/store.group", 16384 + 50, 1);
  assert_int_equal(place_open(&p, false, &e), ERR_CORRUPT);
  mem_free(g);
  place_done(&p);
}

TEST(standalone_the_term_rises_at_each_start) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  put(&p, "first life");
  place_close(&p);
  assert_ok(place_open(&p, false, &e));
  put(&p, "second life");
  assert_int_equal(log_last_term(p.log), 2);
  place_done(&p);
}

TEST(another_databases_log_is_refused) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, options);
  place_close(&p);
  static const uint8_t other[16] = "somebody else's";
  assert_int_equal(log_open(sim_disk_table(p.disk), "db", other, false, &p.options, &p.clock.clock, NULL, &p.log, &e),
                   ERR_INVALID);
  place_done(&p);
}

TEST(limits_hold) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, (struct log_options){.segment_bytes = 16384, .queue_bytes_max = 4096});
  char *large = mem_zalloc(LOG_ENTRY_BYTES_MAX + 1);
  struct log_entry entry = {.kind = LOG_TRANSACTION, .parts = LOG_END, .payload = {large, LOG_ENTRY_BYTES_MAX + 1}};
  assert_int_equal(log_append(p.log, &entry, 1, &e), ERR_LIMIT);
  entry.payload.len--;
  assert_ok(log_append(p.log, &entry, 1, &e));
  assert_int_equal(append(&p, "more", &e), ERR_LIMIT);
  assert_ok(write_all(&p, &e));
  assert_ok(append(&p, "more", &e));
  assert_ok(write_all(&p, &e));
  assert_ok(log_check(p.log, &e));
  entry.parts = LOG_PART | LOG_END;
  assert_int_equal(log_append(p.log, &entry, 1, &e), ERR_INVALID);
  mem_free(large);
  place_done(&p);
}

static enum err short_life(struct place *p, struct error *e) {
  TRY(place_open(p, true, e));
  TRY(append(p, "one", e));
  TRY(write_all(p, e));
  place_close(p);
  TRY(place_open(p, false, e));
  struct log_cursor *c = NULL;
  const struct log_entry *entry = NULL;
  TRY(log_cursor_open(p->log, 1, &c, e));
  enum err err = log_cursor_next(c, &entry, e);
  log_cursor_close(c);
  return err;
}

TEST(no_memory_is_an_error_at_every_step) {
  EACH_ALLOC_FAILS(n) {
    struct place p;
    struct error e = ERROR_INIT;
    place_init(&p, options);
    enum err err = short_life(&p, &e);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    place_done(&p);
  }
}

TEST(many_logs_become_durable_in_one_round_and_one_that_fails_stops_alone) {
  enum { LOGS = 5 };
  static const char *const paths[LOGS] = {"a", "b", "c", "d", "e"};
  struct error e = ERROR_INIT;
  struct log *logs[LOGS];
  struct place p;
  place_init(&p, options);
  for (int i = 0; i < LOGS; i++)
    assert_ok(log_open(sim_disk_table(p.disk), paths[i], place_uuid, true, &p.options, &p.clock.clock, NULL, &logs[i], &e));
  for (int i = 0; i < LOGS; i++) {
    p.log = logs[i];
    if (i != 2) assert_ok(append(&p, "one", &e)); // nothing to do for one of them
  }
  size_t worked = 0;
  sim_disk_fail(p.disk, SIM_SYNC, 1, ERR_IO); // the second one that is synced
  assert_ok(log_round_all(logs, LOGS, &worked, &e));
  assert_int_equal(worked, 4);
  for (int i = 0; i < LOGS; i++) {
    bool failed = log_failure(logs[i], &e) != ERR_OK;
    assert_int_equal(failed, i == 1);
    assert_int_equal(log_durable_index(logs[i]), i == 1 || i == 2 ? 0 : 1);
  }
  assert_ok(log_round_all(logs, LOGS, &worked, &e));
  assert_int_equal(worked, 0);
  for (int i = 0; i < LOGS; i++) log_close(logs[i]);
  p.log = NULL;
  place_done(&p);
}

TEST(a_ticket_says_which_of_two_entries_of_one_index_is_durable) {
  struct place p;
  struct error e = ERROR_INIT;
  bool worked = false;
  place_make(&p, (struct log_options){.segment_bytes = 16384, .clustered = true});
  assert_ok(append_at(&p, 1, 1, "first", &e));
  uint64_t first = log_last_ticket(p.log);
  assert_ok(append_at(&p, 1, 2, "in its place", &e));
  uint64_t second = log_last_ticket(p.log);
  assert_true(first > log_durable_ticket(p.log) && second > first);
  assert_ok(log_writer_step(p.log, &worked, &e));
  assert_int_equal(log_durable_index(p.log), 1);
  assert_int_equal(log_durable_ticket(p.log), first);
  assert_ok(log_writer_step(p.log, &worked, &e));
  assert_int_equal(log_durable_index(p.log), 1);
  assert_int_equal(log_durable_ticket(p.log), second);
  assert_ok(log_truncate(p.log, 0, &e));
  assert_ok(log_writer_step(p.log, &worked, &e));
  assert_int_equal(log_durable_ticket(p.log), second + 1);
  place_done(&p);
}

TEST(clustered_an_entry_keeps_the_commit_time_that_its_leader_gave) {
  struct place p;
  struct error e = ERROR_INIT;
  struct log_recovery r;
  struct log_entry entry = {.index = 1, .term = 1, .kind = LOG_TRANSACTION, .parts = LOG_END, .commit_time_ns = 900};
  place_make(&p, (struct log_options){.segment_bytes = 16384, .clustered = true});
  assert_ok(log_append(p.log, &entry, 1, &e));
  entry.term = 2; // another leader's, whose clock is behind what was voided
  entry.commit_time_ns = 700;
  assert_ok(log_append(p.log, &entry, 1, &e));
  assert_ok(write_all(&p, &e));
  struct log_cursor *c = NULL;
  const struct log_entry *got = NULL;
  assert_ok(log_cursor_open(p.log, 1, &c, &e));
  assert_ok(log_cursor_next(c, &got, &e));
  assert_int_equal(got->commit_time_ns, 700);
  log_cursor_close(c);
  place_close(&p);
  assert_ok(place_open(&p, false, &e));
  log_recovery(p.log, &r);
  assert_int_equal(r.last_time_ns, 900);
  place_done(&p);
}

TESTS(T(thousands_of_small_rounds_take_little_memory_and_each_entry_is_found),
      T(many_logs_become_durable_in_one_round_and_one_that_fails_stops_alone),
      T(entries_are_numbered_durable_after_a_round_and_there_after_a_crash), T(an_entry_keeps_all_that_was_said_about_it),
      T(commit_time_never_goes_back_though_the_clock_does), T(a_torn_end_is_cut_and_the_log_goes_on),
      T(damage_in_front_of_a_whole_batch_is_refused_with_its_place), T(damage_in_an_older_segment_is_refused),
      T(a_failed_sync_stops_the_log_for_good), T(no_space_for_a_round_leaves_its_entries_queued), T(an_operator_is_told_once_that_room_ends_and_once_that_it_is_back),
      T(what_finds_no_room_can_be_taken_back_and_its_indexes_are_given_again),
      T(where_there_is_no_room_for_a_step_what_is_needed_is_taken), T(what_a_new_leader_overwrites_is_gone_after_a_crash_too),
      T(a_cursor_notices_that_its_entries_were_voided), T(pruning_keeps_what_is_pinned_until_the_pin_expires),
      T(a_reset_log_begins_above_the_copied_store), T(term_and_vote_outlive_a_crash_and_the_loss_of_a_slot),
      T(standalone_the_term_rises_at_each_start), T(another_databases_log_is_refused), T(limits_hold),
      T(no_memory_is_an_error_at_every_step), T(a_ticket_says_which_of_two_entries_of_one_index_is_durable),
      T(clustered_an_entry_keeps_the_commit_time_that_its_leader_gave))
