// Starts of a server and what others know of them, over a disk that loses power.
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/test.h"
#include "cluster/known_starts.h"
#include "store/sim_disk.h"

#define OWN_PATH "/data/" STARTS_FILE
#define KNOWN_PATH "/data/" KNOWN_STARTS_FILE
#define MOVES_PATH "/data/" MOVES_FILE

static const struct uuid SELF = {{1}}, OTHER = {{2}}, CLUSTER = {{3}}, OTHER_CLUSTER = {{4}};
static const struct starts SOME_START = {.count = 1, .last = {{1, 11}}};
enum { SELF_NUMBER = 5 };

struct place {
  struct sim_disk *sim;
  struct disk *disk;
  struct random_seeded random;
};

static void place_init(struct place *p) {
  p->sim = sim_disk_new(1);
  p->disk = sim_disk_table(p->sim);
  random_seeded_init(&p->random, 1);
  assert_ok(disk_make_directories(p->disk, "/data", NULL));
}

static void cut(struct place *p) {
  sim_disk_cut(p->sim);
  sim_disk_power_on(p->sim);
}

static struct starts start(struct place *p, uint64_t number) {
  struct starts s;
  struct start older;
  struct error e = ERROR_INIT;
  if (starts_begin(p->disk, "/data", SELF, number, &p->random.source, &s, &older, &e) != ERR_OK) fail_msg("%s", e.message);
  assert_int_equal(older.number, 0);
  cut(p);
  return s;
}

static enum err try_known(struct place *p, struct uuid cluster, const struct starts *own, struct known_starts **ret,
                          struct error *e) {
  return known_starts_open(p->disk, "/data", cluster, SELF_NUMBER, own, ret, e);
}

static struct known_starts *open_with(struct place *p, struct uuid cluster, const struct starts *own) {
  struct known_starts *k;
  struct error e = ERROR_INIT;
  if (try_known(p, cluster, own, &k, &e) != ERR_OK) fail_msg("%s", e.message);
  return k;
}

static struct known_starts *open_known(struct place *p, struct uuid cluster) {
  return open_with(p, cluster, &SOME_START);
}

/// What it has promised is noted; the others hear of it.
static struct start move(struct place *p, struct known_starts *k) {
  bool moved = false;
  known_starts_promised(k);
  assert_ok(known_starts_move(k, &moved, NULL));
  assert_true(moved);
  cut(p);
  return known_starts_now(k);
}

// ---- of this server ----

TEST(each_start_is_remembered_with_a_mark_of_its_own) {
  struct place p;
  place_init(&p);
  struct starts first = start(&p, 3), second = start(&p, 4);
  assert_int_equal(first.count, 1);
  assert_int_equal(second.count, 2);
  assert_int_equal(second.last[0].mark, first.last[0].mark);
  assert_int_equal(starts_now(&second).number, 4);
  assert_true(starts_now(&second).mark != 0 && starts_now(&second).mark != starts_now(&first).mark);
  sim_disk_free(p.sim);
}

TEST(who_has_had_the_start_that_others_know_is_the_latest) {
  struct place p;
  place_init(&p);
  struct starts first = start(&p, 3);
  (void) start(&p, 4);
  struct starts now = start(&p, 9); // versions that count no starts have run between
  assert_false(starts_are_older(&now, starts_now(&now)));
  assert_false(starts_are_older(&now, starts_now(&first)));
  assert_false(starts_are_older(&now, (struct start){0}));
  assert_false(starts_are_older(&now, (struct start){2, 77})); // too long ago
  sim_disk_free(p.sim);
}

TEST(a_start_that_these_data_have_not_had_makes_them_an_older_copy) {
  struct place p;
  place_init(&p);
  (void) start(&p, 3);
  struct starts now = start(&p, 9);
  assert_true(starts_are_older(&now, (struct start){10, 77}));
  assert_true(starts_are_older(&now, (struct start){5, 77})); // it was passed by alone
  sim_disk_free(p.sim);
}

TEST(a_start_with_the_same_number_is_known_by_its_mark) {
  struct place p;
  place_init(&p);
  struct starts now = start(&p, 3);
  assert_true(starts_are_older(&now, (struct start){3, starts_now(&now).mark + 1}));
  sim_disk_free(p.sim);
}

TEST(many_starts_later_the_first_ones_are_forgotten) {
  struct place p;
  place_init(&p);
  struct starts first = start(&p, 1), s = first;
  for (uint64_t number = 2; number <= STARTS_KEPT + 5; number++) s = start(&p, number);
  assert_int_equal(s.count, STARTS_KEPT);
  assert_int_equal(s.last[0].number, 6);
  assert_int_equal(starts_now(&s).number, STARTS_KEPT + 5);
  assert_false(starts_are_older(&s, starts_now(&first)));
  sim_disk_free(p.sim);
}

TEST(who_begins_anew_is_above_all_that_is_known_and_is_not_told_again) {
  struct place p;
  place_init(&p);
  struct starts s = start(&p, 3);
  struct start known = {8, 77};
  assert_true(starts_are_older(&s, known));
  assert_ok(starts_renew(p.disk, "/data", SELF, 9, &s, NULL));
  cut(&p);
  s = start(&p, 10);
  assert_int_equal(s.renewal, 9);
  assert_true(s.renewing);
  assert_false(starts_are_older(&s, known));
  assert_ok(starts_settle(p.disk, "/data", SELF, &s, NULL));
  cut(&p);
  s = start(&p, 11);
  assert_int_equal(s.renewal, 9);
  assert_false(s.renewing);
  sim_disk_free(p.sim);
}

TEST(an_identity_that_is_older_than_its_starts_is_noticed) {
  struct place p;
  struct starts s;
  struct start older;
  place_init(&p);
  (void) start(&p, 3);
  (void) start(&p, 8);
  for (int i = 0; i < 2; i++) { // until it begins anew
    assert_ok(starts_begin(p.disk, "/data", SELF, 5, &p.random.source, &s, &older, NULL));
    assert_int_equal(older.number, 8);
  }
  assert_ok(starts_renew(p.disk, "/data", SELF, 9, &s, NULL));
  assert_int_equal(start(&p, 9).renewal, 9);
  sim_disk_free(p.sim);
}

TEST(starts_of_another_server_are_none) {
  struct place p;
  struct starts s;
  struct start older;
  place_init(&p);
  (void) start(&p, 8);
  assert_ok(starts_begin(p.disk, "/data", OTHER, 1, &p.random.source, &s, &older, NULL));
  assert_int_equal(s.count, 1);
  assert_int_equal(older.number, 0);
  sim_disk_free(p.sim);
}

TEST(damaged_starts_are_refused_with_the_file_and_the_way_out) {
  struct place p;
  struct starts s;
  struct start older;
  place_init(&p);
  (void) start(&p, 8);
  for (uint64_t at = 0; at < 1072; at += at < 80 ? 1 : 37) {
    struct error e = ERROR_INIT;
    sim_disk_flip(p.sim, OWN_PATH, at, 0x10);
    assert_int_equal(starts_begin(p.disk, "/data", SELF, 9, &p.random.source, &s, &older, &e), ERR_CORRUPT);
    assert_true(strstr(e.message, OWN_PATH) != NULL && strstr(e.message, "remove the file") != NULL);
    sim_disk_flip(p.sim, OWN_PATH, at, 0x10);
  }
  (void) start(&p, 9);
  sim_disk_free(p.sim);
}

// ---- of the others ----

TEST(the_last_start_of_each_server_that_was_met_is_kept) {
  struct place p;
  place_init(&p);
  struct known_starts *k = open_known(&p, CLUSTER);
  assert_true(known_starts_note(k, 7, (struct start){3, 30}));
  assert_false(known_starts_note(k, 7, (struct start){3, 30}));
  assert_true(known_starts_note(k, 8, (struct start){1, 10}));
  assert_true(known_starts_note(k, 7, (struct start){4, 40}));
  assert_ok(known_starts_save(k, NULL));
  known_starts_close(k);
  cut(&p);
  k = open_known(&p, CLUSTER);
  assert_int_equal(known_starts_find(k, 7).number, 4);
  assert_int_equal(known_starts_find(k, 7).mark, 40);
  assert_int_equal(known_starts_find(k, 8).number, 1);
  assert_int_equal(known_starts_find(k, 9).number, 0);
  known_starts_close(k);
  k = open_known(&p, OTHER_CLUSTER);
  assert_int_equal(known_starts_find(k, 7).number, 0);
  known_starts_close(k);
  sim_disk_free(p.sim);
}

TEST(an_earlier_start_and_another_one_of_the_same_number_contradict_what_is_known) {
  struct place p;
  place_init(&p);
  struct known_starts *k = open_known(&p, CLUSTER);
  assert_false(known_starts_contradict(k, 7, (struct start){3, 30}));
  known_starts_note(k, 7, (struct start){3, 30});
  assert_false(known_starts_contradict(k, 7, (struct start){3, 30}));
  assert_false(known_starts_contradict(k, 7, (struct start){4, 40}));
  assert_true(known_starts_contradict(k, 7, (struct start){2, 20}));
  assert_true(known_starts_contradict(k, 7, (struct start){3, 31}));
  assert_false(known_starts_note(k, 7, (struct start){2, 20}));
  assert_int_equal(known_starts_find(k, 7).number, 3);
  known_starts_close(k);
  sim_disk_free(p.sim);
}

TEST(of_too_many_servers_the_one_met_longest_ago_is_forgotten) {
  struct place p;
  place_init(&p);
  struct known_starts *k = open_known(&p, CLUSTER);
  for (uint64_t server = 1; server <= KNOWN_STARTS_MAX; server++) known_starts_note(k, server, (struct start){1, 1});
  known_starts_note(k, 1, (struct start){2, 2});
  known_starts_note(k, KNOWN_STARTS_MAX + 1, (struct start){1, 1});
  assert_int_equal(known_starts_find(k, 1).number, 2);
  assert_int_equal(known_starts_find(k, 2).number, 0);
  assert_ok(known_starts_save(k, NULL));
  known_starts_close(k);
  k = open_known(&p, CLUSTER);
  assert_int_equal(known_starts_find(k, KNOWN_STARTS_MAX + 1).number, 1);
  known_starts_close(k);
  sim_disk_free(p.sim);
}

TEST(what_could_not_be_saved_is_saved_later) {
  struct place p;
  place_init(&p);
  struct known_starts *k = open_known(&p, CLUSTER);
  known_starts_note(k, 7, (struct start){3, 30});
  sim_disk_fail(p.sim, SIM_WRITE, 0, ERR_NOSPC);
  assert_int_equal(known_starts_save(k, NULL), ERR_NOSPC);
  assert_ok(known_starts_save(k, NULL));
  known_starts_close(k);
  k = open_known(&p, CLUSTER);
  assert_int_equal(known_starts_find(k, 7).number, 3);
  known_starts_close(k);
  sim_disk_free(p.sim);
}

TEST(damaged_known_starts_are_refused_with_the_file_and_the_way_out) {
  struct place p;
  place_init(&p);
  struct known_starts *k = open_known(&p, CLUSTER);
  known_starts_note(k, 7, (struct start){3, 30});
  assert_ok(known_starts_save(k, NULL));
  known_starts_close(k);
  for (uint64_t at = 0; at < 64; at++) {
    struct error e = ERROR_INIT;
    sim_disk_flip(p.sim, KNOWN_PATH, at, 0x10);
    assert_int_equal(try_known(&p, CLUSTER, &SOME_START, &k, &e), ERR_CORRUPT);
    assert_true(strstr(e.message, KNOWN_PATH) != NULL && strstr(e.message, "remove the file") != NULL);
    sim_disk_flip(p.sim, KNOWN_PATH, at, 0x10);
  }
  sim_disk_free(p.sim);
}

TEST(known_starts_that_name_a_server_twice_or_without_a_mark_are_refused) {
  enum { BYTES = 32 + 2 * 24 + 8, SECOND = 32 + 24 };
  struct place p;
  uint8_t bytes[BYTES];
  size_t size;
  place_init(&p);
  struct known_starts *k = open_known(&p, CLUSTER);
  known_starts_note(k, 7, (struct start){3, 30});
  known_starts_note(k, 8, (struct start){4, 40});
  assert_ok(known_starts_save(k, NULL));
  known_starts_close(k);
  assert_ok(disk_read_file(p.disk, KNOWN_PATH, bytes, sizeof bytes, &size, NULL));
  assert_int_equal(size, sizeof bytes);
  const struct {
    size_t at;
    uint64_t value;
  } forged[] = {{SECOND, 7}, {SECOND, 0}, {SECOND + 16, 0}};
  for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
    uint8_t other[BYTES];
    struct error e = ERROR_INIT;
    memcpy(other, bytes, sizeof other);
    put_u64_le(other + forged[i].at, forged[i].value);
    put_u64_le(other + BYTES - 8, hash64(other, BYTES - 8, 0));
    assert_ok(disk_replace_file(p.disk, "/data", KNOWN_STARTS_FILE, other, sizeof other, NULL));
    assert_int_equal(try_known(&p, CLUSTER, &SOME_START, &k, &e), ERR_CORRUPT);
    assert_non_null(strstr(e.message, "what it says cannot be"));
  }
  sim_disk_free(p.sim);
}

// ---- moves ----

TEST(a_copy_that_was_made_during_a_start_has_not_moved_as_far) {
  struct place p;
  place_init(&p);
  struct starts first = start(&p, 3);
  struct known_starts *k = open_with(&p, CLUSTER, &first);
  struct start before = move(&p, k), after = move(&p, k); // the copy is made between
  assert_int_equal(after.moves, 2);
  known_starts_close(k);
  struct starts copy = start(&p, 4);
  copy.last[0].moves = before.moves;
  assert_false(starts_are_older(&copy, before));
  assert_true(starts_are_older(&copy, after));
  sim_disk_free(p.sim);
}

TEST(a_server_remembers_the_moves_of_its_own_starts) {
  struct place p;
  place_init(&p);
  struct starts s = start(&p, 3);
  struct known_starts *k = open_with(&p, CLUSTER, &s);
  struct start first = move(&p, k);
  known_starts_close(k);
  s = start(&p, 4);
  k = open_with(&p, CLUSTER, &s);
  assert_int_equal(known_starts_now(k).moves, 0);
  struct start second = move(&p, k);
  assert_true(second.number == 4 && second.moves == 1);
  assert_false(known_starts_are_older(k, first) || known_starts_are_older(k, second));
  assert_true(known_starts_are_older(k, (struct start){first.number, first.mark, first.moves + 1}));
  assert_true(known_starts_are_older(
      k, (struct start){second.number, second.mark, second.moves + 1})); // a machine that was put back as it ran
  known_starts_close(k);
  sim_disk_free(p.sim);
}

TEST(a_server_that_promises_nothing_does_not_move) {
  struct place p;
  bool moved = true;
  place_init(&p);
  struct known_starts *k = open_known(&p, CLUSTER);
  assert_ok(known_starts_move(k, &moved, NULL));
  assert_false(moved);
  (void) move(&p, k);
  sim_disk_fail(p.sim, SIM_WRITE, 0, ERR_IO); // nothing is written either
  assert_ok(known_starts_move(k, &moved, NULL));
  assert_false(moved);
  assert_int_equal(known_starts_now(k).moves, 1);
  known_starts_close(k);
  sim_disk_free(p.sim);
}

TEST(a_move_that_is_not_on_the_disk_is_told_to_nobody) {
  struct place p;
  bool moved = true;
  place_init(&p);
  struct known_starts *k = open_known(&p, CLUSTER);
  known_starts_promised(k);
  sim_disk_fail(p.sim, SIM_WRITE, 0, ERR_NOSPC);
  assert_int_equal(known_starts_move(k, &moved, NULL), ERR_NOSPC);
  assert_false(moved);
  assert_int_equal(known_starts_now(k).moves, 0);
  assert_ok(known_starts_move(k, &moved, NULL)); // what was promised still is
  assert_true(moved);
  known_starts_close(k);
  cut(&p);
  k = open_known(&p, CLUSTER);
  assert_int_equal(known_starts_now(k).moves, 1);
  known_starts_close(k);
  sim_disk_free(p.sim);
}

TEST(how_far_the_others_have_moved_is_kept) {
  struct place p;
  bool moved = true;
  place_init(&p);
  struct known_starts *k = open_known(&p, CLUSTER);
  assert_int_equal(known_starts_note(k, 7, (struct start){3, 30, 1}), KNOWN_START);
  assert_int_equal(known_starts_note(k, 7, (struct start){3, 30, 4}), KNOWN_MOVE);
  assert_int_equal(known_starts_note(k, 7, (struct start){3, 30, 2}), KNOWN_BEFORE);
  assert_int_equal(known_starts_note(k, 7, (struct start){3, 31, 9}), KNOWN_BEFORE);
  assert_ok(known_starts_save(k, NULL));
  assert_ok(known_starts_move(k, &moved, NULL));
  assert_false(moved); // this server has promised nothing
  known_starts_close(k);
  cut(&p);
  k = open_known(&p, CLUSTER);
  assert_int_equal(known_starts_find(k, 7).moves, 4);
  assert_false(known_starts_contradict(k, 7, (struct start){3, 30, 3}) ||
               known_starts_contradict(k, 7, (struct start){4, 40, 0}));
  assert_int_equal(known_starts_note(k, 7, (struct start){4, 40}), KNOWN_START);
  assert_int_equal(known_starts_find(k, 7).moves, 0);
  assert_ok(known_starts_save(k, NULL)); // by a version that knows no moves: those of start 3 stay in the file
  known_starts_close(k);
  k = open_known(&p, CLUSTER);
  assert_int_equal(known_starts_find(k, 7).moves, 0);
  known_starts_close(k);
  sim_disk_free(p.sim);
}

TEST(who_begins_anew_is_not_told_again_of_moves) {
  struct place p;
  place_init(&p);
  struct starts s = start(&p, 3);
  struct known_starts *k = open_with(&p, CLUSTER, &s);
  struct start known = move(&p, k);
  known_starts_close(k);
  known.moves = 7;
  assert_ok(starts_renew(p.disk, "/data", SELF, 5, &s, NULL));
  s = start(&p, 6);
  k = open_with(&p, CLUSTER, &s);
  assert_false(known_starts_are_older(k, known));
  known_starts_close(k);
  sim_disk_free(p.sim);
}

TEST(damaged_moves_are_refused_with_the_file_and_the_way_out) {
  struct place p;
  place_init(&p);
  struct known_starts *k = open_known(&p, CLUSTER);
  (void) move(&p, k);
  known_starts_close(k);
  for (uint64_t at = 0; at < 64; at++) {
    struct error e = ERROR_INIT;
    sim_disk_flip(p.sim, MOVES_PATH, at, 0x10);
    assert_int_equal(try_known(&p, CLUSTER, &SOME_START, &k, &e), ERR_CORRUPT);
    assert_true(strstr(e.message, MOVES_PATH) != NULL && strstr(e.message, "remove the file") != NULL);
    sim_disk_flip(p.sim, MOVES_PATH, at, 0x10);
  }
  sim_disk_free(p.sim);
}

TESTS(T(a_copy_that_was_made_during_a_start_has_not_moved_as_far), T(a_server_remembers_the_moves_of_its_own_starts),
      T(a_server_that_promises_nothing_does_not_move), T(a_move_that_is_not_on_the_disk_is_told_to_nobody),
      T(how_far_the_others_have_moved_is_kept), T(who_begins_anew_is_not_told_again_of_moves),
      T(damaged_moves_are_refused_with_the_file_and_the_way_out), T(each_start_is_remembered_with_a_mark_of_its_own),
      T(who_has_had_the_start_that_others_know_is_the_latest), T(a_start_that_these_data_have_not_had_makes_them_an_older_copy),
      T(a_start_with_the_same_number_is_known_by_its_mark), T(many_starts_later_the_first_ones_are_forgotten),
      T(who_begins_anew_is_above_all_that_is_known_and_is_not_told_again),
      T(an_identity_that_is_older_than_its_starts_is_noticed), T(starts_of_another_server_are_none),
      T(damaged_starts_are_refused_with_the_file_and_the_way_out), T(the_last_start_of_each_server_that_was_met_is_kept),
      T(an_earlier_start_and_another_one_of_the_same_number_contradict_what_is_known),
      T(of_too_many_servers_the_one_met_longest_ago_is_forgotten), T(what_could_not_be_saved_is_saved_later),
      T(damaged_known_starts_are_refused_with_the_file_and_the_way_out),
      T(known_starts_that_name_a_server_twice_or_without_a_mark_are_refused))
