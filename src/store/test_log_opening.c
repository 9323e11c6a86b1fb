// What opening does with a log that is too long for one look, when a look fails or finds less than was said; with names that are
// none of the log's; and that the check finds each way in which the index in memory can be wrong.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/log_int.h"
#include "store/test_log_place.h"

enum { LARGE_BYTES = 700 << 10, LARGE_ENTRIES = 7, SEGMENT_BYTES = 3 << 20 }; // several looks of a megabyte each, two segments

static void put(struct place *p, uint64_t from, uint64_t to, size_t bytes) {
  static char payload[LARGE_BYTES];
  bool worked = false;
  memset(payload, 'p', sizeof payload);
  for (uint64_t i = from; i <= to; i++) {
    struct log_entry entry = {.index = i, .term = 1 + i / 4, .kind = LOG_NOOP, .parts = LOG_END, .payload = {payload, bytes}};
    assert_ok(log_append(p->log, &entry, 1, NULL));
    assert_ok(log_writer_step(p->log, &worked, NULL));
  }
}

static struct disk_file *open_file(struct place *p, const char *path) {
  struct disk_file *f = NULL;
  assert_ok(disk_open(sim_disk_table(p->disk), path, DISK_WRITE | DISK_CREATE, &f, NULL));
  return f;
}

// ---- a long log whose end is torn, or whose last segment is ----

static void leave_whole(struct place *p) {
  (void) p;
}

static void tear_last_batch(struct place *p) {
  uint64_t end = log_segment_last(p->log)->end;
  assert_true(sim_disk_flip(p->disk, "db/store.log.00000002", end - 600, 1));
}

static void put_garbage_far_behind(struct place *p) {
  struct disk_file *f = open_file(p, "db/store.log.00000002");
  assert_ok(disk_write(f, log_segment_last(p->log)->end + (1500 << 10), "garbage", 7, NULL));
  assert_ok(disk_sync(f, NULL));
  disk_close(f);
}

static void leave_half_a_segment(struct place *p) {
  struct disk_file *f = open_file(p, "db/store.log.00000003");
  assert_ok(disk_allocate(f, 0, 2500 << 10, NULL));
  assert_ok(disk_write(f, 2100 << 10, "garbage", 7, NULL));
  assert_ok(disk_sync(f, NULL));
  disk_close(f);
}

static void leave_an_empty_segment(struct place *p) {
  disk_close(open_file(p, "db/store.log.00000003"));
}

static const struct end {
  const char *about;
  void (*make)(struct place *p);
  uint64_t last_index;
} ends[] = {
    {"whole", leave_whole, LARGE_ENTRIES},
    {"a torn batch", tear_last_batch, LARGE_ENTRIES - 1},
    {"garbage behind zeros", put_garbage_far_behind, LARGE_ENTRIES},
    {"half a segment", leave_half_a_segment, LARGE_ENTRIES},
    {"an empty segment", leave_an_empty_segment, LARGE_ENTRIES},
};

static void make_long_log(struct place *p, const struct end *end) {
  place_make(p, (struct log_options){.segment_bytes = SEGMENT_BYTES, .clustered = true});
  put(p, 1, LARGE_ENTRIES, LARGE_BYTES - 100);
  end->make(p);
  place_close(p);
}

static void assert_opens(struct place *p, const struct end *end) {
  struct error e = ERROR_INIT;
  if (place_open(p, false, &e) != ERR_OK) fail_msg("%s: %s", end->about, e.message);
  assert_int_equal(log_last_index(p->log), end->last_index);
  assert_ok(log_check(p->log, &e));
}

TEST(a_fault_wherever_it_strikes_while_a_long_log_is_opened_costs_nothing) {
  static const enum sim_op ops[] = {SIM_READ, SIM_WRITE, SIM_SYNC, SIM_OTHER};
  for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
    for (size_t k = 0; k < ARRAY_SIZE(ops); k++) {
      bool struck = true;
      for (int64_t n = 0; struck; n++) {
        struct place p;
        struct error e = ERROR_INIT;
        make_long_log(&p, &ends[i]);
        sim_disk_fail(p.disk, ops[k], n, ERR_IO);
        enum err err = place_open(&p, false, &e);
        struck = sim_disk_failed(p.disk);
        sim_disk_fail(p.disk, ops[k], -1, ERR_IO);
        assert_int_equal(err, struck ? ERR_IO : ERR_OK);
        place_close(&p);
        assert_opens(&p, &ends[i]);
        place_done(&p);
      }
    }
}

TEST(no_memory_while_a_long_log_is_opened_costs_nothing) {
  for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
    struct place p;
    bool fired = true;
    make_long_log(&p, &ends[i]);
    for (int64_t n = 0; fired; n++) {
      struct error e = ERROR_INIT;
      fault_arm(&fault_alloc, n, 1);
      enum err err = place_open(&p, false, &e);
      fired = fault_fired(&fault_alloc);
      fault_disarm(&fault_alloc);
      assert_int_equal(err, fired ? ERR_NOMEM : ERR_OK);
      place_close(&p);
    }
    assert_opens(&p, &ends[i]);
    place_done(&p);
  }
}

// ---- a file that is shorter than was said ----

static enum err (*true_size)(struct disk_file *f, uint64_t *ret, struct error *e);

static enum err larger_size(struct disk_file *f, uint64_t *ret, struct error *e) {
  TRY(true_size(f, ret, e));
  *ret += 5000;
  return ERR_OK;
}

TEST(a_file_that_ends_before_its_size_holds_what_it_holds) {
  for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
    struct place p;
    make_long_log(&p, &ends[i]);
    struct disk *d = sim_disk_table(p.disk);
    const struct disk_ops *ops = d->ops;
    struct disk_ops lying = *ops;
    true_size = ops->size;
    lying.size = larger_size;
    d->ops = &lying;
    assert_opens(&p, &ends[i]);
    place_close(&p);
    d->ops = ops;
    assert_opens(&p, &ends[i]);
    place_done(&p);
  }
}

// ---- names ----

TEST(names_that_are_none_of_the_logs_are_left_alone) {
  static const char *const others[] = {"db/store.log.0000002",
                                       "db/store.log.000000002",
                                       "db/store.log.00000000",
                                       "db/store.log.0000000x",
                                       "db/store.log.-0000002",
                                       "db/store.logs.00000002",
                                       "db/store.lo"};
  struct place p;
  place_make(&p, (struct log_options){.segment_bytes = 4096, .clustered = true});
  put(&p, 1, 3, 10);
  place_close(&p);
  for (size_t i = 0; i < ARRAY_SIZE(others); i++) disk_close(open_file(&p, others[i]));
  assert_ok(disk_make_directory(sim_disk_table(p.disk), "db/store.log.00000002", NULL));
  assert_ok(place_open(&p, false, NULL));
  assert_int_equal(log_last_index(p.log), 3);
  place_done(&p);
}

TEST(a_log_without_segments_is_missing_and_a_first_segment_without_a_header_is_damage) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, (struct log_options){.segment_bytes = 4096, .clustered = true});
  place_close(&p);
  assert_true(sim_disk_flip(p.disk, "db/store.log.00000001", 3, 1));
  assert_int_equal(place_open(&p, false, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "segment 00000001 at offset 0: the header"));
  assert_ok(disk_unlink(sim_disk_table(p.disk), "db/store.log.00000001", NULL));
  assert_int_equal(place_open(&p, false, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "is missing"));
  place_done(&p);
}

TEST(segments_that_outlived_a_log_begun_anew_are_removed_when_it_is_opened) {
  for (int fails = 1; fails >= 0; fails--) {
    struct place p;
    struct error e = ERROR_INIT;
    place_make(&p, (struct log_options){.segment_bytes = 2048, .clustered = true});
    put(&p, 1, 7, 10);
    sim_disk_fail_at(p.disk, (struct sim_aim){SIM_OTHER, "store.log.00000001", 0}, ERR_IO);
    assert_int_equal(log_reset(p.log, 100, 5, &e), ERR_IO);
    place_close(&p);
    if (fails) {
      sim_disk_fail_at(p.disk, (struct sim_aim){SIM_OTHER, "store.log.00000002", 1}, ERR_IO); // opened, then not removed
      assert_int_equal(place_open(&p, false, &e), ERR_IO);
    }
    assert_ok(place_open(&p, false, &e));
    struct log_stats stats;
    log_stats(p.log, &stats);
    assert_int_equal(stats.segments, 1);
    assert_int_equal(log_last_index(p.log), 100);
    place_done(&p);
  }
}

// ---- the check ----

static void move_batch(struct log *l) {
  l->batches[1].first_index++;
}
static void empty_batch(struct log *l) {
  l->batches[1].count = 0;
}
static void shift_behind_the_end(struct log *l) {
  l->batches[1].offset += 1 << 20;
}
static void lose_the_last_batch(struct log *l) {
  l->batch_count--;
}
static void repeat_a_run(struct log *l) {
  l->runs[1].first_index = l->runs[0].first_index;
}
static void lower_a_term(struct log *l) {
  l->runs[1].term = l->runs[0].term;
}
static void raise_a_term(struct log *l) {
  l->runs[l->run_count - 1].term++;
}
static void point_elsewhere(struct log *l) {
  l->batches[1].offset -= LOG_SECTOR;
}

TEST(the_check_finds_an_index_in_memory_that_is_wrong) {
  static const struct {
    void (*spoil)(struct log *l);
    const char *why;
  } cases[] = {
      {move_batch, "batches have a gap"},
      {empty_batch, "a batch is empty"},
      {shift_behind_the_end, "behind the end of its segment"},
      {lose_the_last_batch, "ends elsewhere"},
      {repeat_a_run, "terms are out of order"},
      {lower_a_term, "terms are out of order"},
      {raise_a_term, "the term differs"},
      {point_elsewhere, "damaged in segment 00000002"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct place p;
    struct error e = ERROR_INIT;
    place_make(&p, (struct log_options){.segment_bytes = 2048, .clustered = true});
    put(&p, 1, 8, 10);
    assert_ok(log_check(p.log, &e));
    cases[i].spoil(p.log);
    assert_int_equal(log_check(p.log, &e), ERR_CORRUPT);
    if (strstr(e.message, cases[i].why) == NULL) fail_msg("expected '%s': %s", cases[i].why, e.message);
    place_done(&p);
  }
}

TESTS(T(a_fault_wherever_it_strikes_while_a_long_log_is_opened_costs_nothing),
      T(no_memory_while_a_long_log_is_opened_costs_nothing), T(a_file_that_ends_before_its_size_holds_what_it_holds),
      T(names_that_are_none_of_the_logs_are_left_alone),
      T(a_log_without_segments_is_missing_and_a_first_segment_without_a_header_is_damage),
      T(segments_that_outlived_a_log_begun_anew_are_removed_when_it_is_opened),
      T(the_check_finds_an_index_in_memory_that_is_wrong))
