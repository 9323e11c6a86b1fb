// Who a server is, over a disk that loses power.
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/test.h"
#include "cluster/identity.h"
#include "store/sim_disk.h"

#define PATH "/data/" IDENTITY_FILE

struct place {
  struct sim_disk *sim;
  struct disk *disk;
  struct random_seeded random;
};

static void place_init(struct place *p, uint64_t seed) {
  p->sim = sim_disk_new(seed);
  p->disk = sim_disk_table(p->sim);
  random_seeded_init(&p->random, seed);
  assert_ok(disk_make_directories(p->disk, "/data", NULL));
}

static struct identity open_again(struct place *p) {
  struct identity i;
  struct error e = ERROR_INIT;
  if (identity_open(p->disk, "/data", &p->random.source, &i, &e) != ERR_OK) fail_msg("%s", e.message);
  return i;
}

static void refused(struct place *p, enum err expected, const char *text) {
  struct identity i;
  struct error e = ERROR_INIT;
  assert_int_equal(identity_open(p->disk, "/data", &p->random.source, &i, &e), expected);
  if (strstr(e.message, text) == NULL || strstr(e.message, PATH) == NULL) fail_msg("%s", e.message);
}

static struct founding some_founding(const struct identity *self) {
  struct founding f = {.cluster = {{1}}, .system = {{2}}, .first_term = 3, .sequence = self->sequence + 1, .count = 2};
  f.founders[0] = (struct founder){.server = self->server, .number = self->number, .raft = "core1:7000"};
  f.founders[1] = (struct founder){.number = self->number ^ 1, .raft = "core2:7000"};
  memset(f.founders[1].server.bytes, 0xFF, UUID_BYTES);
  return f;
}

static void prepare(struct identity *i) {
  i->state = IDENTITY_PREPARED;
  i->founding = some_founding(i);
}

TEST(a_server_is_the_same_one_after_each_restart_and_counts_them) {
  struct place p;
  place_init(&p, 1);
  struct identity first = open_again(&p);
  assert_int_not_equal(first.number, 0);
  assert_int_equal(first.state, IDENTITY_UNBOUND);
  for (int i = 0; i < 3; i++) {
    if (i == 1) sim_disk_cut(p.sim);
    if (i == 1) sim_disk_power_on(p.sim);
    struct identity again = open_again(&p);
    assert_true(uuid_eq(again.server, first.server));
    assert_int_equal(again.number, first.number);
    assert_true(again.epoch > first.epoch);
    first.epoch = again.epoch;
  }
  sim_disk_free(p.sim);
}

TEST(two_servers_are_two) {
  struct place p, q;
  place_init(&p, 1);
  place_init(&q, 2);
  assert_false(uuid_eq(open_again(&p).server, open_again(&q).server));
  sim_disk_free(p.sim);
  sim_disk_free(q.sim);
}

TEST(what_a_server_is_prepared_for_and_bound_to_survives) {
  struct place p;
  place_init(&p, 3);
  struct identity i = open_again(&p);
  prepare(&i);
  assert_ok(identity_save(p.disk, "/data", &i, NULL));
  struct identity again = open_again(&p);
  assert_int_equal(again.state, IDENTITY_PREPARED);
  assert_memory_equal(&again.founding, &i.founding, sizeof i.founding);
  again.state = IDENTITY_BOUND;
  assert_ok(identity_save(p.disk, "/data", &again, NULL));
  i = open_again(&p);
  assert_int_equal(i.state, IDENTITY_BOUND);
  assert_true(uuid_eq(identity_cluster(&i), (struct uuid){{1}}));
  assert_string_equal(founding_find(&i.founding, i.server)->raft, "core1:7000");
  sim_disk_free(p.sim);
}

/// One life that opens, prepares and is interrupted at change number `at`; true if it got through.
static bool live_until(struct place *p, int64_t at, bool *ret_promised) {
  struct identity i;
  sim_disk_cut_after(p->sim, at);
  enum err err = identity_open(p->disk, "/data", &p->random.source, &i, NULL);
  if (err == ERR_OK && i.state == IDENTITY_UNBOUND) {
    prepare(&i);
    err = identity_save(p->disk, "/data", &i, NULL);
  }
  if (err == ERR_OK) *ret_promised = true;
  bool off = sim_disk_is_off(p->sim);
  if (!off) sim_disk_cut(p->sim);
  sim_disk_power_on(p->sim);
  sim_disk_cut_after(p->sim, -1);
  return !off;
}

TEST(a_promise_that_was_given_is_kept_wherever_power_goes) {
  for (uint64_t seed = 1; seed <= 40; seed++) {
    for (int64_t at = 0, through = 0; !through; at++) {
      struct place p;
      bool promised = false;
      place_init(&p, seed);
      struct uuid server = open_again(&p).server;
      through = live_until(&p, at, &promised);
      struct identity i = open_again(&p);
      assert_true(uuid_eq(i.server, server));
      assert_true(!promised || i.state == IDENTITY_PREPARED);
      sim_disk_free(p.sim);
    }
  }
}

TEST(what_is_read_is_on_the_disk_before_it_counts) {
  for (uint64_t seed = 1; seed <= 40; seed++) {
    struct place p;
    place_init(&p, seed);
    struct identity i = open_again(&p), seen;
    sim_disk_fail(p.sim, SIM_SYNC, 1, ERR_IO); // the folder's: the name is there, and may be lost again
    prepare(&i);
    if (identity_save(p.disk, "/data", &i, NULL) == ERR_OK) fail_msg("a failed sync passed for a success");
    seen = open_again(&p); // the process starts again, the machine did not
    sim_disk_cut(p.sim);
    sim_disk_power_on(p.sim);
    assert_int_equal(open_again(&p).state, seen.state);
    sim_disk_free(p.sim);
  }
}

TEST(a_damaged_file_is_refused_at_each_byte) {
  struct place p;
  place_init(&p, 5);
  (void) open_again(&p);
  for (uint64_t at = 0; at < 4096; at += at < 300 ? 1 : 97) {
    sim_disk_flip(p.sim, PATH, at, 0x10);
    refused(&p, ERR_CORRUPT, "bring the file back from a backup");
    sim_disk_flip(p.sim, PATH, at, 0x10);
  }
  (void) open_again(&p);
  sim_disk_free(p.sim);
}

static void rewrite(struct place *p, size_t bytes, void (*change)(uint8_t *file)) {
  static uint8_t file[8192];
  struct disk_file *f;
  size_t got;
  assert_ok(disk_open(p->disk, PATH, DISK_WRITE, &f, NULL));
  assert_ok(disk_read_some(f, 0, file, 4096, &got, NULL));
  if (change != NULL) change(file);
  put_u64_le(file + 4088, hash64(file, 4088, 0));
  assert_ok(disk_truncate(f, 0, NULL));
  assert_ok(disk_write(f, 0, file, bytes, NULL));
  disk_close(f);
}

static void newer(uint8_t *file) {
  put_u16_le(file + 4, 2);
}
static void no_number(uint8_t *file) {
  put_u32_le(file + 24, 0);
}
static void other_state(uint8_t *file) {
  file[6] = IDENTITY_BOUND; // to nothing
}
static void worn(uint8_t *file) {
  put_u64_le(file + 32, UINT64_MAX);
}
static void text(uint8_t *file) {
  memset(file, 'x', 4096);
}

TEST(a_file_that_says_what_cannot_be_is_refused) {
  struct place p;
  place_init(&p, 6);
  (void) open_again(&p);
  void (*const lies[])(uint8_t *) = {no_number, other_state, worn};
  for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
    rewrite(&p, 4096, lies[i]);
    refused(&p, ERR_CORRUPT, "cannot be");
    assert_ok(disk_unlink(p.disk, PATH, NULL));
    (void) open_again(&p);
  }
  rewrite(&p, 4096, newer);
  refused(&p, ERR_UNSUPPORTED, "start the newer server");
  struct identity i; // and the reason is the same where nobody wants to read it
  assert_int_equal(identity_open(p.disk, "/data", &p.random.source, &i, NULL), ERR_UNSUPPORTED);
  rewrite(&p, 512, NULL);
  refused(&p, ERR_CORRUPT, "512 bytes instead of 4096");
  rewrite(&p, 4096, text);
  refused(&p, ERR_CORRUPT, "it is not the identity of a server");
  sim_disk_free(p.sim);
}

TEST(foundings_that_cannot_be_are_refused) {
  struct identity i = {.server = {{9}}, .number = 7, .sequence = 1};
  uint8_t bytes[FOUNDING_BYTES_MAX];
  struct founding good = some_founding(&i), got;
  size_t len;
  founding_put(bytes, &good);
  assert_ok(founding_get(bytes, sizeof bytes, &got, &len, NULL));
  assert_memory_equal(&got, &good, sizeof good);
  assert_int_equal(len, 56 + 2 * 136);
  assert_int_equal(founding_get(bytes, len - 1, &got, &len, NULL), ERR_CORRUPT);
  struct founding bad[6];
  for (size_t b = 0; b < ARRAY_SIZE(bad); b++) bad[b] = good;
  bad[0].founders[1].number = 7;
  bad[1].founders[1].server = good.founders[0].server;
  bad[2].founders[1].raft[0] = '\0';
  bad[3].first_term = 0;
  bad[4].cluster = (struct uuid){{0}};
  bad[5].founders[0].number = 0;
  for (size_t b = 0; b < ARRAY_SIZE(bad); b++) {
    founding_put(bytes, &bad[b]);
    if (founding_get(bytes, sizeof bytes, &got, &len, NULL) != ERR_CORRUPT) fail_msg("founding %zu passed", b);
  }
}

TEST(a_full_or_failing_disk_is_told_with_the_file) {
  struct place p;
  place_init(&p, 7);
  sim_disk_fail(p.sim, SIM_WRITE, 0, ERR_NOSPC);
  refused(&p, ERR_NOSPC, "the server's identity");
  (void) open_again(&p);
  sim_disk_free(p.sim);
}

TESTS(T(a_server_is_the_same_one_after_each_restart_and_counts_them), T(two_servers_are_two),
      T(what_a_server_is_prepared_for_and_bound_to_survives), T(a_promise_that_was_given_is_kept_wherever_power_goes),
      T(what_is_read_is_on_the_disk_before_it_counts), T(a_damaged_file_is_refused_at_each_byte),
      T(a_file_that_says_what_cannot_be_is_refused), T(foundings_that_cannot_be_are_refused),
      T(a_full_or_failing_disk_is_told_with_the_file))
