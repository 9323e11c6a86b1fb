// Which data took part in a group last, over a disk that loses power.
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/test.h"
#include "dbms/data_mark.h"
#include "store/sim_disk.h"

#define FOLDER "/data/groups"
#define UUID "0a000000-0000-4000-8000-000000000001"
#define PATH FOLDER "/" UUID ".data"

enum { SERVER = 7, OTHER_SERVER = 8 };

static const struct data_mark SOME = {.life = 3, .now = 100, .next = 200, .renewal = 9};

static struct data_mark read_it(struct disk *d, uint32_t server) {
  struct data_mark m;
  struct error e = ERROR_INIT;
  if (data_mark_read(d, FOLDER, UUID, server, &m, &e) != ERR_OK) fail_msg("%s", e.message);
  return m;
}

TEST(it_is_kept_over_power_cuts_until_it_is_forgotten) {
  struct sim_disk *sim = sim_disk_new(1);
  struct disk *d = sim_disk_table(sim);
  assert_int_equal(read_it(d, SERVER).life, 0);
  assert_ok(data_mark_save(d, FOLDER, UUID, SERVER, &SOME, NULL));
  sim_disk_cut(sim);
  sim_disk_power_on(sim);
  struct data_mark m = read_it(d, SERVER);
  assert_memory_equal(&m, &SOME, sizeof m);
  data_mark_forget(d, FOLDER, UUID);
  data_mark_forget(d, FOLDER, UUID);
  assert_int_equal(read_it(d, SERVER).life, 0);
  sim_disk_free(sim);
}

TEST(what_another_server_has_left_is_as_nothing) {
  struct sim_disk *sim = sim_disk_new(1);
  struct disk *d = sim_disk_table(sim);
  assert_ok(data_mark_save(d, FOLDER, UUID, OTHER_SERVER, &SOME, NULL));
  assert_int_equal(read_it(d, SERVER).life, 0);
  sim_disk_free(sim);
}

TEST(a_damaged_one_is_refused_with_the_way_out) {
  struct sim_disk *sim = sim_disk_new(1);
  struct disk *d = sim_disk_table(sim);
  struct data_mark m;
  assert_ok(data_mark_save(d, FOLDER, UUID, SERVER, &SOME, NULL));
  for (uint64_t at = 0; at < 48; at++) {
    struct error e = ERROR_INIT;
    sim_disk_flip(sim, PATH, at, 0x10);
    assert_int_equal(data_mark_read(d, FOLDER, UUID, SERVER, &m, &e), ERR_CORRUPT);
    assert_non_null(strstr(e.message, "remove the folder of that database and this file"));
    sim_disk_flip(sim, PATH, at, 0x10);
  }
  assert_ok(disk_replace_file(d, FOLDER, UUID ".data", "QVDM", 4, NULL));
  assert_int_equal(data_mark_read(d, FOLDER, UUID, SERVER, &m, NULL), ERR_CORRUPT);
  sim_disk_free(sim);
}

TEST(one_without_a_mark_is_refused_as_damaged) {
  const struct data_mark without[] = {{.life = 3, .next = 200}, {.life = 3, .now = 100}};
  struct sim_disk *sim = sim_disk_new(1);
  struct disk *d = sim_disk_table(sim);
  struct data_mark m;
  for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
    assert_ok(data_mark_save(d, FOLDER, UUID, SERVER, &without[i], NULL));
    assert_int_equal(data_mark_read(d, FOLDER, UUID, SERVER, &m, NULL), ERR_CORRUPT);
  }
  sim_disk_free(sim);
}

TEST(one_of_a_newer_server_is_not_taken_for_damaged) {
  struct sim_disk *sim = sim_disk_new(1);
  struct disk *d = sim_disk_table(sim);
  struct data_mark m;
  struct error e = ERROR_INIT;
  uint8_t bytes[48];
  size_t size;
  assert_ok(data_mark_save(d, FOLDER, UUID, SERVER, &SOME, NULL));
  assert_ok(disk_read_file(d, PATH, bytes, sizeof bytes, &size, NULL));
  put_u16_le(bytes + 4, 2);
  put_u64_le(bytes + 40, hash64(bytes, 40, 0));
  assert_ok(disk_replace_file(d, FOLDER, UUID ".data", bytes, sizeof bytes, NULL));
  assert_int_equal(data_mark_read(d, FOLDER, UUID, SERVER, &m, &e), ERR_UNSUPPORTED);
  assert_non_null(strstr(e.message, "start the newer server"));
  sim_disk_free(sim);
}

TEST(data_with_any_other_mark_are_older) {
  assert_false(data_mark_is_older(&SOME, SOME.life, SOME.now));
  assert_true(data_mark_is_older(&SOME, SOME.life, 99));
  assert_true(data_mark_is_older(&SOME, SOME.life, 0));
  assert_true(data_mark_is_older(&SOME, SOME.life - 1, SOME.now));
}

TEST(data_that_were_marked_when_power_went_are_the_latest) {
  assert_false(data_mark_is_older(&SOME, SOME.life, SOME.next));
}

TEST(data_of_which_nothing_is_known_are_taken_as_they_are) {
  struct data_mark none = {.life = 0};
  assert_false(data_mark_is_older(&none, 1, 1));
  assert_false(data_mark_is_older(&SOME, SOME.life + 1, 1)); // begun since, by a version that knows no marks
}

TESTS(T(it_is_kept_over_power_cuts_until_it_is_forgotten), T(what_another_server_has_left_is_as_nothing),
      T(a_damaged_one_is_refused_with_the_way_out), T(one_without_a_mark_is_refused_as_damaged),
      T(one_of_a_newer_server_is_not_taken_for_damaged), T(data_with_any_other_mark_are_older),
      T(data_that_were_marked_when_power_went_are_the_latest), T(data_of_which_nothing_is_known_are_taken_as_they_are))
