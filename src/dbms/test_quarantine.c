// What a server notes of a database that differs from the others', over a disk that loses power.
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "dbms/quarantine.h"
#include "store/sim_disk.h"

#define FOLDER "/data"
#define PATH FOLDER "/quarantine"

static const struct quarantine SOME = {.on = true, .index = 70, .sound_count = 2, .sound = {3, UINT64_C(1) << 40}};

static struct disk *a_disk(struct sim_disk **ret) {
  *ret = sim_disk_new(1);
  struct disk *d = sim_disk_table(*ret);
  assert_ok(disk_make_directories(d, FOLDER, NULL));
  return d;
}

static void cut(struct sim_disk *sim) {
  sim_disk_cut(sim);
  sim_disk_power_on(sim);
}

static void flip(struct disk *d, uint64_t at) {
  struct disk_file *f;
  uint8_t byte;
  assert_ok(disk_open(d, PATH, DISK_WRITE, &f, NULL));
  assert_ok(disk_read_all(f, at, &byte, 1, NULL));
  byte ^= 0x10;
  assert_ok(disk_write(f, at, &byte, 1, NULL));
  disk_close(f);
}

TEST(it_is_there_after_a_power_cut_until_it_ends) {
  struct sim_disk *sim;
  struct disk *d = a_disk(&sim);
  struct quarantine q;
  assert_ok(quarantine_find(d, FOLDER, 5, &q, NULL));
  assert_false(q.on);
  assert_ok(quarantine_keep(d, FOLDER, 5, &SOME, NULL));
  cut(sim);
  assert_ok(quarantine_find(d, FOLDER, 5, &q, NULL));
  assert_true(q.on && q.kept);
  assert_int_equal(q.index, SOME.index);
  assert_int_equal(q.sound_count, SOME.sound_count);
  assert_memory_equal(q.sound, SOME.sound, sizeof q.sound);
  assert_ok(quarantine_end(d, FOLDER, NULL));
  assert_ok(quarantine_end(d, FOLDER, NULL));
  cut(sim);
  assert_ok(quarantine_find(d, FOLDER, 5, &q, NULL));
  assert_false(q.on);
  sim_disk_free(sim);
}

TEST(it_is_of_one_generation_of_the_database) {
  struct sim_disk *sim;
  struct disk *d = a_disk(&sim);
  struct quarantine q;
  assert_ok(quarantine_keep(d, FOLDER, 5, &SOME, NULL));
  assert_ok(quarantine_find(d, FOLDER, 6, &q, NULL));
  assert_false(q.on);
  sim_disk_free(sim);
}

TEST(a_file_with_any_bit_wrong_is_refused_and_named) {
  struct sim_disk *sim;
  struct disk *d = a_disk(&sim);
  struct quarantine q;
  struct disk_file *f;
  uint64_t size;
  assert_ok(quarantine_keep(d, FOLDER, 5, &SOME, NULL));
  assert_ok(disk_open(d, PATH, DISK_READ_ONLY, &f, NULL));
  assert_ok(disk_size(f, &size, NULL));
  disk_close(f);
  for (uint64_t at = 0; at < size; at++) {
    struct error e = ERROR_INIT;
    flip(d, at);
    assert_int_equal(quarantine_find(d, FOLDER, 5, &q, &e), ERR_CORRUPT);
    assert_non_null(strstr(e.message, PATH));
    flip(d, at);
  }
  assert_ok(quarantine_find(d, FOLDER, 5, &q, NULL));
  sim_disk_free(sim);
}

TESTS(T(it_is_there_after_a_power_cut_until_it_ends), T(it_is_of_one_generation_of_the_database),
      T(a_file_with_any_bit_wrong_is_refused_and_named))
