// What a store knows of the last entry that it has applied, across restarts and servers of other ages.
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "store/superblock_int.h"
#include "store/test_place.h"

#define CHECKSUM_OFFSET 4088u

static void publish_one(struct place *p, int64_t wall_ns) {
  p->clock.wall_offset_ns = wall_ns - p->clock.now_ns;
  struct page_batch *b = place_begin(p);
  page_id id = 0;
  void *page = NULL;
  assert_ok(page_batch_allocate(b, &id, &page, NULL));
  place_publish(p, b);
}

// Takes the features out of both slots, as a server that knows none writes them; or sets others.
static void rewrite_slots(struct place *p, uint32_t features) {
  struct disk_file *f = NULL;
  uint8_t slot[PAGE_BYTES];
  assert_ok(disk_open(p->options.disk, "db/store.pages", DISK_WRITE, &f, NULL));
  for (uint64_t i = 0; i < 2; i++) {
    assert_ok(disk_read_all(f, i * PAGE_BYTES, slot, PAGE_BYTES, NULL));
    put_u32_le(slot + 116, features);
    if (features == 0) memset(slot + 120, 0, 8);
    if (features == 0) memset(slot + 896, 0, 8);
    put_u64_le(slot + CHECKSUM_OFFSET, hash64(slot, CHECKSUM_OFFSET, 0));
    assert_ok(disk_write(f, i * PAGE_BYTES, slot, PAGE_BYTES, NULL));
  }
  assert_ok(disk_sync(f, NULL));
  disk_close(f);
}

static void assert_applied(struct place *p, uint64_t index, int64_t commit_time_ns) {
  struct store_applied applied = store_applied(p->store);
  assert_int_equal(applied.index, index);
  assert_int_equal(applied.term, index > 0 ? 1 : 0);
  assert_int_equal(applied.commit_time_ns, commit_time_ns);
}

TEST(the_last_applied_entry_is_known_after_a_restart_with_term_and_commit_time) {
  struct place p;
  place_init(&p, 64, false);
  assert_ok(place_open(&p, NULL));
  assert_applied(&p, 0, 0);
  publish_one(&p, 5000);
  publish_one(&p, 7000);
  place_checkpoint(&p);
  place_close(&p);
  assert_ok(place_open(&p, NULL));
  assert_applied(&p, 2, 7000);
  place_done(&p);
}

TEST(a_store_of_a_server_that_kept_no_commit_time_asks_its_log) {
  struct place p;
  place_init(&p, 64, false);
  assert_ok(place_open(&p, NULL));
  publish_one(&p, 5000);
  publish_one(&p, 7000);
  place_checkpoint(&p);
  publish_one(&p, 9000); // in the log only
  place_close(&p);
  rewrite_slots(&p, 0);
  assert_ok(place_open(&p, NULL));
  assert_applied(&p, 2, 7000);
  place_done(&p);
}

TEST(a_feature_that_is_not_known_is_passed_by_and_not_written_again) {
  struct place p;
  uint8_t slot[PAGE_BYTES];
  struct disk_file *f = NULL;
  place_init(&p, 64, false);
  assert_ok(place_open(&p, NULL));
  publish_one(&p, 5000);
  place_checkpoint(&p);
  place_close(&p);
  rewrite_slots(&p, UINT32_MAX);
  assert_ok(place_open(&p, NULL));
  assert_applied(&p, 1, 5000);
  place_checkpoint(&p);
  place_close(&p);
  assert_ok(disk_open(p.options.disk, "db/store.pages", DISK_READ_ONLY, &f, NULL));
  for (uint64_t i = 0; i < 2; i++) {
    assert_ok(disk_read_all(f, i * PAGE_BYTES, slot, PAGE_BYTES, NULL));
    assert_int_equal(get_u32_le(slot + 116), 1);
  }
  disk_close(f);
  place_done(&p);
}

TEST(commit_times_do_not_go_back_when_the_log_is_empty_and_the_clock_was_set_back) {
  struct place p;
  place_init(&p, 64, false);
  assert_ok(place_open(&p, NULL));
  publish_one(&p, 9000);
  place_checkpoint(&p);
  assert_ok(log_reset(store_log(p.store), 1, 1, NULL));
  place_close(&p);
  assert_ok(place_open(&p, NULL));
  publish_one(&p, 2000);
  assert_int_equal(store_applied(p.store).commit_time_ns, 9000);
  place_done(&p);
}

TEST(the_generation_of_the_group_state_stands_in_the_superblock) {
  struct place p;
  struct superblock sb;
  struct log_group_state g;
  uint8_t slot[PAGE_BYTES];
  struct disk_file *f = NULL;
  place_init(&p, 64, false);
  assert_ok(place_open(&p, NULL));
  log_group_state(store_log(p.store), &g);
  g.generation = 4;
  assert_ok(log_group_save(store_log(p.store), &g, NULL));
  place_checkpoint(&p);
  struct checkpoint_status status;
  checkpoint_status(p.store, &status);
  assert_ok(disk_open(p.options.disk, "db/store.pages", DISK_READ_ONLY, &f, NULL));
  assert_ok(disk_read_all(f, status.sequence % 2 * PAGE_BYTES, slot, PAGE_BYTES, NULL));
  assert_ok(superblock_decode(slot, &sb, NULL));
  assert_int_equal(sb.generation, 4);
  disk_close(f);
  place_done(&p);
}

TESTS(T(the_last_applied_entry_is_known_after_a_restart_with_term_and_commit_time),
      T(a_store_of_a_server_that_kept_no_commit_time_asks_its_log),
      T(a_feature_that_is_not_known_is_passed_by_and_not_written_again),
      T(commit_times_do_not_go_back_when_the_log_is_empty_and_the_clock_was_set_back),
      T(the_generation_of_the_group_state_stands_in_the_superblock))
