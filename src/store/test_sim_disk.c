// The disk that loses power: what it keeps, what it may lose.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "store/sim_disk.h"

static struct disk_file *make(struct sim_disk *s, const char *path) {
  struct disk_file *f = NULL;
  assert_ok(disk_open(sim_disk_table(s), path, DISK_WRITE | DISK_CREATE, &f, NULL));
  return f;
}

/// A file with four bytes, its contents synced.
static void put(struct sim_disk *s, const char *path, const char *text) {
  struct disk_file *f = make(s, path);
  assert_ok(disk_write(f, 0, text, 4, NULL));
  assert_ok(disk_sync(f, NULL));
  disk_close(f);
}

static bool holds(struct sim_disk *s, const char *path, const char *text) {
  struct disk_file *f = NULL;
  char found[4];
  if (disk_open(sim_disk_table(s), path, DISK_READ_ONLY, &f, NULL) != ERR_OK) return false;
  assert_ok(disk_read_all(f, 0, found, sizeof found, NULL));
  disk_close(f);
  return memcmp(found, text, 4) == 0;
}

static void cut_and_restore(struct sim_disk *s) {
  sim_disk_cut(s);
  sim_disk_power_on(s);
}

/// In how many of a hundred disks `prepare` leaves the file.
static int survivals(void (*prepare)(struct sim_disk *s), const char *path) {
  int n = 0;
  for (uint64_t seed = 0; seed < 100; seed++) {
    struct sim_disk *s = sim_disk_new(seed);
    prepare(s);
    cut_and_restore(s);
    n += holds(s, path, "data");
    sim_disk_free(s);
  }
  return n;
}

static void file_in_synced_directory(struct sim_disk *s) {
  assert_ok(disk_make_directory(sim_disk_table(s), "home/a", NULL));
  assert_ok(disk_sync_directory(sim_disk_table(s), "home", NULL));
  put(s, "home/a/f", "data");
  assert_ok(disk_sync_directory(sim_disk_table(s), "home/a", NULL));
}

static void file_in_unsynced_directory(struct sim_disk *s) {
  assert_ok(disk_make_directory(sim_disk_table(s), "home/a", NULL));
  put(s, "home/a/f", "data");
  assert_ok(disk_sync_directory(sim_disk_table(s), "home/a", NULL));
}

static void unsynced_name(struct sim_disk *s) {
  put(s, "home/a/f", "data");
  assert_ok(disk_sync_directory(sim_disk_table(s), "home", NULL)); // another directory
}

TEST(a_name_is_durable_after_a_sync_of_its_directory_and_of_those_above) {
  assert_int_equal(survivals(file_in_synced_directory, "home/a/f"), 100);
  assert_in_range(survivals(file_in_unsynced_directory, "home/a/f"), 20, 80);
  assert_in_range(survivals(unsynced_name, "home/a/f"), 20, 80);
}

static void unsynced_contents(struct sim_disk *s) {
  struct disk_file *f = make(s, "home/f");
  assert_ok(disk_truncate(f, 4, NULL));
  assert_ok(disk_sync(f, NULL));
  assert_ok(disk_sync_directory(sim_disk_table(s), "home", NULL));
  assert_ok(disk_write(f, 0, "data", 4, NULL));
  disk_close(f);
}

static void make_again(struct sim_disk *s) {
  struct disk *d = sim_disk_table(s);
  assert_ok(disk_make_directories(d, "/home/a", NULL));
  put(s, "/home/a/f", "data");
  assert_ok(disk_sync_directory(d, "/home/a", NULL));
  assert_ok(disk_remove_tree(d, "/home/a", NULL));
  assert_ok(disk_make_directories(d, "/home/a", NULL));
}

TEST(a_directory_that_was_removed_does_not_come_back_within_another_of_its_name) {
  assert_int_equal(survivals(make_again, "/home/a/f"), 0);
}

TEST(a_directory_is_not_taken_for_durable_because_somebody_else_has_made_it) {
  struct sim_disk *s = sim_disk_new(1);
  struct disk *d = sim_disk_table(s);
  assert_ok(disk_make_directory(d, "/home", NULL)); // and was killed before it could make the name durable
  sim_disk_fail(s, SIM_SYNC, 0, ERR_IO);
  assert_int_equal(disk_make_directories(d, "/home/data", NULL), ERR_IO);
  assert_ok(disk_make_directories(d, "/home/data", NULL));
  sim_disk_cut(s);
  sim_disk_power_on(s);
  assert_int_equal(disk_make_directory(d, "/home/data", NULL), ERR_EXISTS);
  sim_disk_free(s);
}

TEST(what_was_written_and_not_synced_may_be_lost) {
  assert_in_range(survivals(unsynced_contents, "home/f"), 20, 80);
}

TEST(power_goes_within_the_operation_that_was_aimed_at) {
  struct sim_disk *s = sim_disk_new(1);
  struct disk_file *log = make(s, "db/log"), *pages = make(s, "db/pages");
  sim_disk_cut_at(s, (struct sim_aim){.op = SIM_SYNC, .name = "pages", .countdown = 1});
  for (int i = 0; i < 5; i++) assert_ok(disk_sync(log, NULL));
  assert_ok(disk_write(pages, 0, "data", 4, NULL));
  assert_ok(disk_sync(pages, NULL));
  assert_false(sim_disk_is_off(s));
  assert_int_equal(disk_sync(pages, NULL), ERR_IO);
  assert_true(sim_disk_is_off(s));
  assert_int_equal(disk_write(log, 0, "data", 4, NULL), ERR_IO);
  disk_close(log);
  disk_close(pages);
  sim_disk_free(s);
}

TEST(a_fault_strikes_the_file_that_it_was_aimed_at) {
  struct sim_disk *s = sim_disk_new(1);
  struct disk_file *log = make(s, "db/log"), *pages = make(s, "db/pages");
  sim_disk_fail_at(s, (struct sim_aim){.op = SIM_WRITE, .name = "log"}, ERR_IO);
  assert_ok(disk_write(pages, 0, "data", 4, NULL));
  assert_false(sim_disk_failed(s));
  assert_int_equal(disk_write(log, 0, "data", 4, NULL), ERR_IO);
  assert_true(sim_disk_failed(s));
  assert_ok(disk_write(log, 0, "data", 4, NULL));
  disk_close(log);
  disk_close(pages);
  sim_disk_free(s);
}

TEST(a_full_disk_takes_what_needs_no_room) {
  struct sim_disk *s = sim_disk_new(1);
  struct disk_file *f = make(s, "f");
  sim_disk_set_room(s, 1000);
  assert_ok(disk_allocate(f, 0, 600, NULL));
  assert_int_equal(disk_allocate(f, 600, 600, NULL), ERR_NOSPC);
  assert_int_equal(disk_write(f, 998, "data", 4, NULL), ERR_NOSPC);
  assert_ok(disk_write(f, 596, "data", 4, NULL));
  uint64_t bytes;
  assert_ok(disk_size(f, &bytes, NULL));
  assert_int_equal(bytes, 600);
  assert_ok(disk_truncate(f, 0, NULL));
  assert_ok(disk_allocate(f, 0, 1000, NULL));
  disk_close(f);
  sim_disk_free(s);
}

struct saving {
  char path[64];
  int cuts;
};

static void save(struct sim_disk *s, void *context) {
  struct saving *saving = context;
  saving->cuts++;
  assert_true(sim_disk_save(s, saving->path));
}

TEST(what_survived_can_be_kept_in_a_file_for_the_next_process) {
  struct saving saving = {.path = "/tmp/quiver-sim-disk-XXXXXX"};
  close(mkstemp(saving.path));
  struct sim_disk *s = sim_disk_new(1), *next = sim_disk_new(2);
  sim_disk_on_cut(s, save, &saving);
  file_in_synced_directory(s);
  sim_disk_cut_after(s, 0);
  struct disk_file *f = make(s, "home/a/f");
  assert_int_equal(disk_write(f, 0, "lost", 4, NULL), ERR_IO);
  disk_close(f);
  assert_int_equal(saving.cuts, 1);
  assert_true(sim_disk_load(next, saving.path));
  assert_true(holds(next, "home/a/f", "data") || holds(next, "home/a/f", "lost"));
  assert_int_equal(disk_make_directory(sim_disk_table(next), "home/a", NULL), ERR_EXISTS);
  cut_and_restore(next);
  assert_int_equal(sim_disk_file_size(next, "home/a/f"), 4);
  assert_false(sim_disk_load(next, "/nowhere"));
  sim_disk_free(s);
  sim_disk_free(next);
  unlink(saving.path);
}

TESTS(T(a_name_is_durable_after_a_sync_of_its_directory_and_of_those_above),
      T(a_directory_that_was_removed_does_not_come_back_within_another_of_its_name),
      T(a_directory_is_not_taken_for_durable_because_somebody_else_has_made_it), T(what_was_written_and_not_synced_may_be_lost),
      T(power_goes_within_the_operation_that_was_aimed_at), T(a_fault_strikes_the_file_that_it_was_aimed_at),
      T(a_full_disk_takes_what_needs_no_room), T(what_survived_can_be_kept_in_a_file_for_the_next_process))
