#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/rng.h"
#include "os/thread.h"
#include "store/pages_int.h"
#include "store/test_place.h"

static void fill(void *page, uint64_t seed) {
  for (size_t i = 0; i < PAGE_BYTES / 8; i++) put_u64_le((uint8_t *) page + 8 * i, seed * 1000003 + i);
}

static bool is_filled(const void *page, uint64_t seed) {
  for (size_t i = 0; i < PAGE_BYTES / 8; i++)
    if (get_u64_le((const uint8_t *) page + 8 * i) != seed * 1000003 + i) return false;
  return true;
}

static page_id new_page(struct page_batch *b, uint64_t seed) {
  page_id id = 0;
  void *page = NULL;
  assert_ok(page_batch_allocate(b, &id, &page, NULL));
  fill(page, seed);
  return id;
}

/// Page i is filled with i; each is a batch of its own.
static void new_pages(struct place *p, page_id *ids, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct page_batch *b = place_begin(p);
    ids[i] = new_page(b, i);
    place_publish(p, b);
  }
}

/// The same in one batch, whatever the memory.
static void new_pages_in(struct page_batch *b, page_id *ids, size_t count) {
  for (size_t i = 0; i < count; i++) {
    ids[i] = new_page(b, i);
    assert_ok(page_batch_rest(b, NULL));
  }
}

static void rewrite(struct page_batch *b, page_id id, uint64_t seed) {
  void *page = NULL;
  assert_ok(page_batch_write(b, id, &page, NULL));
  fill(page, seed);
}

static bool reads(struct place *p, const struct page_snapshot *snap, page_id id, uint64_t seed) {
  struct page_view v = page_view_of(snap, p->access);
  const void *page = NULL;
  page_access_enter(p->access);
  enum err err = pages_read(&v, id, &page, NULL);
  bool good = err == ERR_OK && is_filled(page, seed);
  page_access_leave(p->access);
  return good;
}

static enum err read_error(struct place *p, const struct page_snapshot *snap, page_id id, struct error *e) {
  struct page_view v = page_view_of(snap, p->access);
  const void *page = NULL;
  page_access_enter(p->access);
  enum err err = pages_read(&v, id, &page, e);
  page_access_leave(p->access);
  return err;
}

static struct page_snapshot snapshot(struct place *p) {
  struct page_snapshot snap;
  assert_ok(page_snapshot_open(store_space(p->store), &snap, NULL));
  return snap;
}

TEST(a_snapshot_sees_what_was_published_before_it_and_nothing_after) {
  struct place p;
  place_make(&p, 64, true);
  struct page_batch *b = place_begin(&p);
  page_id id = new_page(b, 1);
  struct page_snapshot before = snapshot(&p);
  place_publish(&p, b);
  struct page_snapshot first = snapshot(&p);
  b = place_begin(&p);
  rewrite(b, id, 2);
  place_publish(&p, b);
  struct page_snapshot second = snapshot(&p), copy;
  assert_ok(page_snapshot_copy(&first, &copy, NULL));
  b = place_begin(&p);
  assert_ok(page_batch_free(b, id, NULL));
  place_publish(&p, b);
  struct page_snapshot after = snapshot(&p);
  assert_int_equal(read_error(&p, &before, id, NULL), ERR_NOTFOUND);
  assert_true(reads(&p, &first, id, 1));
  page_snapshot_close(&first);
  assert_true(reads(&p, &copy, id, 1));
  assert_true(reads(&p, &second, id, 2));
  assert_int_equal(read_error(&p, &after, id, NULL), ERR_NOTFOUND);
  place_check(&p);
  page_snapshot_close(&before);
  page_snapshot_close(&copy);
  page_snapshot_close(&second);
  page_snapshot_close(&after);
  page_snapshot_close(&after);
  pages_prune_step(store_space(p.store), 100);
  place_checkpoint(&p);
  place_check(&p);
  place_done(&p);
}

TEST(a_batch_sees_itself_and_an_aborted_one_never_was) {
  struct place p;
  place_make(&p, 64, false);
  struct page_batch *b = place_begin(&p);
  page_id id = new_page(b, 1);
  store_meta(p.store)[7] = 1;
  assert_ok(store_root_set(p.store, "first", id, NULL));
  place_publish(&p, b);
  b = place_begin(&p);
  rewrite(b, id, 2);
  page_id other = new_page(b, 3);
  struct page_view v = page_batch_view(b);
  const void *page = NULL;
  assert_ok(pages_read(&v, id, &page, NULL));
  assert_true(is_filled(page, 2));
  store_meta(p.store)[7] = 2;
  assert_ok(store_root_set(p.store, "second", other, NULL));
  store_abort(p.store, b);
  struct page_snapshot snap = snapshot(&p);
  assert_true(reads(&p, &snap, id, 1));
  assert_int_equal(read_error(&p, &snap, other, NULL), ERR_NOTFOUND);
  assert_int_equal(store_meta(p.store)[7], 1);
  assert_int_equal(store_root_get(p.store, "first", false), id);
  assert_int_equal(store_root_get(p.store, "second", true), PAGE_NONE);
  page_snapshot_close(&snap);
  place_check(&p);
  place_done(&p);
}

TEST(ten_times_the_memory_is_written_in_one_batch_and_read_again) {
  enum { PAGES = 1280 };
  struct place p;
  static page_id ids[PAGES];
  place_make(&p, 128, false);
  struct page_batch *b = place_begin(&p);
  new_pages_in(b, ids, PAGES);
  for (uint64_t i = 0; i < PAGES; i += 3) {
    rewrite(b, ids[i], i + PAGES);
    assert_ok(page_batch_rest(b, NULL));
  }
  place_publish(&p, b);
  struct page_pool_stats stats;
  page_pool_stats(p.pool, &stats);
  assert_true(stats.spills > 1000);
  for (int round = 0; round < 2; round++) {
    struct page_snapshot snap = snapshot(&p);
    for (uint64_t i = 0; i < PAGES; i++) assert_true(reads(&p, &snap, ids[i], i % 3 == 0 ? i + PAGES : i));
    page_snapshot_close(&snap);
    place_check(&p);
    if (round == 0) place_checkpoint(&p);
  }
  place_power_cut(&p);
  assert_ok(place_open(&p, NULL));
  struct page_snapshot snap = snapshot(&p);
  for (uint64_t i = 0; i < PAGES; i += 7) assert_true(reads(&p, &snap, ids[i], i % 3 == 0 ? i + PAGES : i));
  page_snapshot_close(&snap);
  place_check(&p);
  place_done(&p);
}

TEST(a_cold_page_is_again_for_a_cheap_thread_and_prefetch_brings_it) {
  struct place p;
  page_id ids[40];
  place_make(&p, 128, false);
  struct page_batch *b = place_begin(&p);
  for (uint64_t i = 0; i < ARRAY_SIZE(ids); i++) ids[i] = new_page(b, i);
  place_publish(&p, b);
  place_checkpoint(&p);
  place_close(&p);
  assert_ok(place_open(&p, NULL));
  struct page_snapshot snap = snapshot(&p);
  struct page_view v = page_view_of(&snap, p.access);
  const void *page = NULL;
  v.nonblocking = true;
  page_access_enter(p.access);
  assert_int_equal(pages_read(&v, ids[3], &page, NULL), ERR_AGAIN);
  assert_false(pages_resident(store_space(p.store), ids[3]));
  assert_ok(pages_prefetch(store_space(p.store), ids, ARRAY_SIZE(ids), NULL));
  assert_ok(pages_read(&v, ids[3], &page, NULL));
  assert_true(is_filled(page, 3));
  page_access_leave(p.access);
  page_snapshot_close(&snap);
  place_check(&p);
  place_done(&p);
}

TEST(a_flipped_bit_on_disk_is_an_error_that_names_the_page) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, 128, false);
  struct page_batch *b = place_begin(&p);
  page_id bad = new_page(b, 5), good = new_page(b, 6);
  place_publish(&p, b);
  place_checkpoint(&p);
  place_close(&p);
  for (uint64_t at = 2; at < 64; at++) { // wherever it lies: the page begins with its seed's first word
    uint8_t word[8];
    struct disk_file *f = NULL;
    assert_ok(disk_open(sim_disk_table(p.disk), "db/store.pages", DISK_READ_ONLY, &f, NULL));
    enum err err = disk_read_all(f, at * PAGE_BYTES, word, 8, NULL);
    disk_close(f);
    if (err == ERR_OK && get_u64_le(word) == UINT64_C(5) * 1000003) sim_disk_flip(p.disk, "db/store.pages", at * PAGE_BYTES + 99, 4);
  }
  assert_ok(place_open(&p, NULL));
  struct page_snapshot snap = snapshot(&p);
  char name[32];
  snprintf(name, sizeof name, "Page %llu ", (unsigned long long) bad);
  assert_int_equal(read_error(&p, &snap, bad, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, name));
  assert_true(reads(&p, &snap, good, 6));
  page_snapshot_close(&snap);
  assert_int_equal(store_check(p.store, true, &e), ERR_CORRUPT);
  place_done(&p);
}

TEST(ids_are_reused_and_runs_are_in_a_row) {
  struct place p;
  place_make(&p, 256, false);
  struct page_batch *b = place_begin(&p);
  page_id first = 0, id = new_page(b, 1), other = new_page(b, 2);
  assert_ok(page_batch_free(b, id, NULL));
  assert_int_equal(new_page(b, 3), id);
  assert_ok(page_batch_allocate_run(b, 20, &first, NULL));
  for (page_id i = first; i < first + 20; i++) rewrite(b, i, i);
  place_publish(&p, b);
  b = place_begin(&p);
  assert_int_equal(page_batch_free(b, 999, NULL), ERR_NOTFOUND);
  assert_ok(page_batch_free(b, other, NULL));
  assert_int_equal(page_batch_free(b, other, NULL), ERR_NOTFOUND);
  void *page = NULL;
  assert_int_equal(page_batch_write(b, other, &page, NULL), ERR_NOTFOUND);
  place_publish(&p, b);
  struct page_space_stats stats;
  page_space_stats(store_space(p.store), &stats);
  assert_int_equal(stats.pages_logical, 22);
  place_check(&p);
  place_done(&p);
}

TEST(a_full_pool_is_an_error_and_ends_with_the_access) {
  struct place p;
  struct error e = ERROR_INIT;
  page_id ids[200];
  place_make(&p, 64, false);
  new_pages(&p, ids, ARRAY_SIZE(ids));
  struct page_snapshot snap = snapshot(&p);
  struct page_view v = page_view_of(&snap, p.access);
  const void *page = NULL;
  enum err err = ERR_OK;
  page_access_enter(p.access);
  for (uint64_t i = 0; i < ARRAY_SIZE(ids) && err == ERR_OK; i++) err = pages_read(&v, ids[i], &page, &e);
  page_access_leave(p.access);
  assert_int_equal(err, ERR_MEMORY_POOL);
  assert_non_null(strstr(e.message, "pagecache"));
  for (uint64_t i = 0; i < ARRAY_SIZE(ids); i++) assert_true(reads(&p, &snap, ids[i], i));
  page_snapshot_close(&snap);
  place_check(&p);
  place_done(&p);
}

TEST(a_file_whose_pages_are_gone_gets_shorter_and_power_may_fail_meanwhile) {
  enum { PAGES = 4000, KEPT = 40 };
  for (uint64_t cut_after = 0; cut_after < 30; cut_after += 3) {
    struct place p;
    static page_id ids[PAGES];
    place_make(&p, 512, false);
    struct page_batch *b = place_begin(&p);
    new_pages_in(b, ids, PAGES);
    place_publish(&p, b);
    place_checkpoint(&p);
    uint64_t longest = sim_disk_file_size(p.disk, "db/store.pages");
    b = place_begin(&p);
    for (uint64_t i = KEPT; i < PAGES; i++) {
      assert_ok(page_batch_free(b, ids[i], NULL));
      assert_ok(page_batch_rest(b, NULL));
    }
    place_publish(&p, b);
    sim_disk_cut_after(p.disk, cut_after > 0 ? (int64_t) cut_after : -1);
    enum err err = ERR_OK;
    for (uint64_t round = 0; round < 4 && err == ERR_OK; round++) { // what stays moves to the front, a checkpoint at a time
      err = checkpoint_run(p.store, NULL);
      b = place_begin(&p);
      for (uint64_t i = 0; i < KEPT && err == ERR_OK; i++) {
        void *page = NULL;
        err = page_batch_write(b, ids[i], &page, NULL);
        if (err == ERR_OK) fill(page, i);
      }
      if (err == ERR_OK)
        store_publish(p.store, b, store_applied(p.store));
      else
        store_abort(p.store, b);
    }
    if (cut_after == 0) assert_true(sim_disk_file_size(p.disk, "db/store.pages") < longest / 4);
    place_power_cut(&p);
    struct error e = ERROR_INIT;
    err = place_open(&p, &e);
    if (err != ERR_OK) print_message("%s\n", e.message);
    assert_ok(err);
    struct page_snapshot snap = snapshot(&p);
    for (uint64_t i = 0; i < KEPT; i++) assert_true(reads(&p, &snap, ids[i], i));
    page_snapshot_close(&snap);
    place_check(&p);
    b = place_begin(&p); // and it grows again
    for (uint64_t i = 0; i < PAGES / 2; i++) {
      new_page(b, i);
      assert_ok(page_batch_rest(b, NULL));
    }
    place_publish(&p, b);
    place_checkpoint(&p);
    place_check(&p);
    place_done(&p);
  }
}

TEST(who_rests_reads_more_than_the_memory_in_one_stay) {
  struct place p;
  page_id ids[400];
  place_make(&p, 64, false);
  new_pages(&p, ids, ARRAY_SIZE(ids));
  struct page_snapshot snap = snapshot(&p);
  struct page_view v = page_view_of(&snap, p.access);
  const void *page = NULL;
  unsigned rests = 0;
  page_access_enter(p.access);
  page_access_enter(p.access);
  for (uint64_t i = 0; i < ARRAY_SIZE(ids); i++) {
    assert_ok(pages_read(&v, ids[i], &page, NULL));
    assert_true(is_filled(page, i));
    if (!page_access_should_rest(p.access)) continue;
    page_access_rest(p.access);
    rests++;
  }
  assert_true(rests > 5);
  page_access_leave(p.access);
  page_access_leave(p.access);
  page_snapshot_close(&snap);
  place_check(&p);
  place_done(&p);
}

// Stays inside, with everything that was read in its sight, until somebody waits.
struct stayer {
  struct page_access *access;
  _Atomic bool inside, end;
};

static void *stay(void *argument) {
  struct stayer *s = argument;
  page_access_enter(s->access);
  atomic_store(&s->inside, true);
  while (!atomic_load(&s->end)) {
    if (page_access_should_rest(s->access)) page_access_rest(s->access);
    thread_sleep_ns(NS_PER_MS);
  }
  page_access_leave(s->access);
  return NULL;
}

TEST(a_read_waits_for_others_to_rest) {
  struct place p;
  struct stayer s = {0};
  struct thread thread;
  page_id ids[400];
  place_init(&p, 64, false);
  p.pool->wait_ms = 5000;
  assert_ok(place_open(&p, NULL));
  new_pages(&p, ids, ARRAY_SIZE(ids));
  struct page_snapshot snap = snapshot(&p);
  assert_ok(page_access_open(p.pool, &s.access, NULL));
  assert_ok(thread_start(&thread, "stayer", stay, &s, NULL));
  while (!atomic_load(&s.inside)) thread_sleep_ns(NS_PER_MS);
  for (uint64_t i = 0; i < ARRAY_SIZE(ids); i++) assert_true(reads(&p, &snap, ids[i], i));
  struct page_pool_stats stats;
  page_pool_stats(p.pool, &stats);
  assert_true(stats.waits > 0);
  atomic_store(&s.end, true);
  thread_join(&thread);
  page_access_close(s.access);
  page_snapshot_close(&snap);
  place_check(&p);
  place_done(&p);
}

TEST(a_checkpoint_without_space_is_given_up_and_the_next_one_finishes_it) {
  struct place p;
  struct error e = ERROR_INIT;
  page_id ids[300];
  place_make(&p, 1024, false);
  struct page_batch *b = place_begin(&p);
  for (uint64_t i = 0; i < ARRAY_SIZE(ids); i++) ids[i] = new_page(b, i);
  place_publish(&p, b);
  for (int64_t n = 0; n < 4; n++) {
    sim_disk_fail(p.disk, SIM_ALLOCATE, n, ERR_NOSPC);
    enum err err = checkpoint_run(p.store, &e);
    assert_true(err == (sim_disk_failed(p.disk) ? ERR_NOSPC : ERR_OK));
    assert_ok(store_failure(p.store, NULL));
    b = place_begin(&p);
    rewrite(b, ids[n], 1000);
    place_publish(&p, b);
  }
  place_checkpoint(&p);
  place_check(&p);
  place_power_cut(&p);
  assert_ok(place_open(&p, NULL));
  struct page_snapshot snap = snapshot(&p);
  for (uint64_t i = 0; i < ARRAY_SIZE(ids); i++) assert_true(reads(&p, &snap, ids[i], i < 4 ? 1000 : i));
  page_snapshot_close(&snap);
  place_done(&p);
}

TEST(a_failed_sync_of_a_checkpoint_stops_the_store) {
  struct place p;
  struct error e = ERROR_INIT;
  place_make(&p, 256, false);
  struct page_batch *b = place_begin(&p);
  new_page(b, 1);
  place_publish(&p, b);
  sim_disk_fail(p.disk, SIM_SYNC, 0, ERR_IO);
  assert_int_equal(checkpoint_run(p.store, &e), ERR_IO);
  assert_int_equal(store_failure(p.store, &e), ERR_IO);
  assert_int_equal(checkpoint_begin(p.store, &e), ERR_IO);
  assert_non_null(strstr(e.message, "Restart the database"));
  place_power_cut(&p);
  assert_ok(place_open(&p, NULL));
  place_done(&p);
}

static enum err add_digest(void *argument, page_id id, const void *page) {
  *(uint64_t *) argument += id * get_u64_le((const uint8_t *) page + 8);
  return ERR_OK;
}

TEST(a_pinned_checkpoint_stays_as_it_is) {
  struct place p;
  struct checkpoint_pin pin;
  page_id ids[50];
  uint64_t before = 0, after = 0;
  place_make(&p, 256, false);
  struct page_batch *b = place_begin(&p);
  for (uint64_t i = 0; i < ARRAY_SIZE(ids); i++) ids[i] = new_page(b, i);
  place_publish(&p, b);
  place_checkpoint(&p);
  assert_ok(checkpoint_pin(p.store, INT64_MAX, &pin, NULL));
  assert_int_equal(pin.identity.applied.index, 1);
  assert_ok(checkpoint_pin_each(&pin, add_digest, &before, NULL));
  for (uint64_t round = 0; round < 5; round++) {
    b = place_begin(&p);
    for (uint64_t i = 0; i < ARRAY_SIZE(ids); i++) rewrite(b, ids[i], 100 + round);
    place_publish(&p, b);
    place_checkpoint(&p);
  }
  assert_ok(checkpoint_pin_each(&pin, add_digest, &after, NULL));
  assert_int_equal(before, after);
  checkpoint_unpin(&pin);
  place_check(&p);
  place_done(&p);
}

TEST(a_second_server_on_the_store_is_refused) {
  struct place p;
  struct error e = ERROR_INIT;
  struct store *second = NULL;
  place_make(&p, 64, false);
  assert_int_equal(store_open("db", &p.options, &second, &e), ERR_BUSY);
  assert_null(second);
  assert_non_null(strstr(e.message, "pid"));
  place_done(&p);
}

TEST(no_store_is_made_unless_asked_for) {
  struct place p;
  place_init(&p, 64, false);
  p.options.create = false;
  assert_int_equal(place_open(&p, NULL), ERR_NOTFOUND);
  place_done(&p);
}

TEST(roots_have_limits) {
  struct place p;
  char name[20];
  place_make(&p, 64, false);
  for (unsigned i = 0; i < STORE_ROOTS_MAX; i++) {
    snprintf(name, sizeof name, "root%u", i);
    assert_ok(store_root_set(p.store, name, i + 1, NULL));
  }
  assert_int_equal(store_root_set(p.store, "one more", 1, NULL), ERR_LIMIT);
  assert_int_equal(store_root_set(p.store, "", 1, NULL), ERR_INVALID);
  assert_int_equal(store_root_set(p.store, "a name that is too long", 1, NULL), ERR_INVALID);
  assert_ok(store_root_set(p.store, "root5", PAGE_NONE, NULL));
  assert_int_equal(store_root_get(p.store, "root5", true), PAGE_NONE);
  assert_int_equal(store_root_get(p.store, "root31", true), 32);
  place_done(&p);
}

TEST(nothing_survives_the_access_when_reads_are_poisoned) {
  struct place p;
  place_make(&p, 64, true);
  struct page_batch *b = place_begin(&p);
  page_id id = new_page(b, 1);
  place_publish(&p, b);
  struct page_snapshot snap = snapshot(&p);
  struct page_view v = page_view_of(&snap, p.access);
  const void *one = NULL, *two = NULL;
  page_access_enter(p.access);
  assert_ok(pages_read(&v, id, &one, NULL));
  assert_ok(pages_read(&v, id, &two, NULL));
  assert_ptr_not_equal(one, two);
  page_access_leave(p.access);
  page_snapshot_close(&snap);
  place_done(&p);
}

static enum err short_life(struct place *p, struct error *e) {
  struct page_batch *b = NULL;
  page_id id = 0;
  void *page = NULL;
  TRY(place_open(p, e));
  TRY(page_batch_begin(store_space(p->store), p->access, &b, e));
  enum err err = page_batch_allocate(b, &id, &page, e);
  if (err == ERR_OK) err = page_batch_free(b, id, e);
  if (err == ERR_OK) err = page_batch_allocate_run(b, 3, &id, e);
  if (err != ERR_OK) {
    store_abort(p->store, b);
    return err;
  }
  page_batch_publish(b);
  TRY(checkpoint_run(p->store, e));
  struct page_snapshot snap = {0};
  TRY(page_snapshot_open(store_space(p->store), &snap, e));
  err = read_error(p, &snap, id, e);
  if (err == ERR_OK) err = pages_prefetch(store_space(p->store), &id, 1, e);
  page_snapshot_close(&snap);
  return err;
}

TEST(no_memory_is_an_error_at_every_step) {
  EACH_ALLOC_FAILS(n) {
    struct place p;
    struct error e = ERROR_INIT;
    int64_t armed = atomic_exchange(&fault_alloc.countdown, -1);
    place_init(&p, 64, false);
    atomic_store(&fault_alloc.countdown, armed);
    enum err err = short_life(&p, &e);
    armed = atomic_exchange(&fault_alloc.countdown, -1);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    if (p.store != NULL && !checkpoint_active(p.store)) place_check(&p);
    place_done(&p);
    atomic_store(&fault_alloc.countdown, armed);
  }
}

// ---- threads ----

#define SHARED_PAGES 64u

struct shared {
  struct place *place;
  page_id ids[SHARED_PAGES];
  _Atomic bool stop;
  _Atomic uint64_t wrong, seen;
};

// All pages are always of one round: the writer changes all of them in each batch.
static void *read_rounds(void *argument) {
  struct shared *s = argument;
  struct page_access *access = NULL;
  struct rng rng;
  rng_seed(&rng, (uint64_t) (uintptr_t) &rng);
  if (page_access_open(s->place->pool, &access, NULL) != ERR_OK) return NULL;
  while (!atomic_load(&s->stop)) {
    struct page_snapshot snap;
    if (page_snapshot_open(store_space(s->place->store), &snap, NULL) != ERR_OK) continue;
    struct page_view v = page_view_of(&snap, access);
    uint64_t round = 0;
    for (int n = 0; n < 30; n++) {
      const void *page = NULL;
      page_access_enter(access);
      if (pages_read(&v, s->ids[rng_below(&rng, SHARED_PAGES)], &page, NULL) == ERR_OK) {
        uint64_t here = get_u64_le(page);
        if (round == 0) round = here;
        if (here != round || get_u64_le((const uint8_t *) page + PAGE_BYTES - 8) != round) atomic_fetch_add(&s->wrong, 1);
        atomic_fetch_add(&s->seen, 1);
      }
      page_access_leave(access);
    }
    page_snapshot_close(&snap);
  }
  page_access_close(access);
  return NULL;
}

static void *checkpoint_steps(void *argument) {
  struct shared *s = argument;
  while (!atomic_load(&s->stop)) {
    bool done = false;
    if (checkpoint_active(s->place->store) && checkpoint_step(s->place->store, 8, &done, NULL) != ERR_OK) atomic_fetch_add(&s->wrong, 1);
    pages_prune_step(store_space(s->place->store), 10);
  }
  return NULL;
}

static void write_round(struct shared *s, uint64_t round) {
  struct page_batch *b = place_begin(s->place);
  for (size_t i = 0; i < SHARED_PAGES; i++) {
    void *page = NULL;
    enum err err;
    while ((err = page_batch_write(b, s->ids[i], &page, NULL)) == ERR_MEMORY_POOL) assert_ok(page_batch_rest(b, NULL));
    assert_ok(err);
    put_u64_le(page, round);
    put_u64_le((uint8_t *) page + PAGE_BYTES - 8, round);
  }
  page_batch_publish(b);
}

TEST(readers_on_threads_see_whole_rounds_while_pages_change_move_and_are_written) {
  struct place p;
  struct shared s = {.place = &p};
  struct thread readers[2], checkpointer;
  place_init(&p, 400, false);
  p.options.disk = disk_system();
  char directory[] = "/tmp/quiver-pages-XXXXXX";
  assert_non_null(mkdtemp(directory));
  assert_ok(store_open(directory, &p.options, &p.store, NULL));
  struct page_batch *b = place_begin(&p);
  for (size_t i = 0; i < SHARED_PAGES; i++) {
    void *page = NULL;
    assert_ok(page_batch_allocate(b, &s.ids[i], &page, NULL));
    put_u64_le(page, 1);
    put_u64_le((uint8_t *) page + PAGE_BYTES - 8, 1);
  }
  page_batch_publish(b);
  for (size_t i = 0; i < 2; i++) assert_ok(thread_start(&readers[i], "reader", read_rounds, &s, NULL));
  assert_ok(thread_start(&checkpointer, "checkpointer", checkpoint_steps, &s, NULL));
  for (uint64_t round = 2; round < 400 || atomic_load(&s.seen) == 0; round++) { // readers may wait for a processor
    write_round(&s, round);
    if (round % 40 == 0) (void) (checkpoint_begin(p.store, NULL) == ERR_OK);
  }
  atomic_store(&s.stop, true);
  thread_join(&checkpointer);
  for (size_t i = 0; i < 2; i++) thread_join(&readers[i]);
  assert_int_equal(atomic_load(&s.wrong), 0);
  place_done(&p);
  static const char *const names[] = {"pages", "group", "lock", "log.00000001"};
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    char path[80];
    snprintf(path, sizeof path, "%s/store.%s", directory, names[i]);
    assert_ok(disk_unlink(disk_system(), path, NULL));
  }
  assert_ok(disk_remove_directory(disk_system(), directory, NULL));
}

TESTS(T(a_snapshot_sees_what_was_published_before_it_and_nothing_after), T(a_batch_sees_itself_and_an_aborted_one_never_was),
      T(ten_times_the_memory_is_written_in_one_batch_and_read_again),
      T(a_cold_page_is_again_for_a_cheap_thread_and_prefetch_brings_it), T(a_flipped_bit_on_disk_is_an_error_that_names_the_page),
      T(ids_are_reused_and_runs_are_in_a_row), T(a_full_pool_is_an_error_and_ends_with_the_access),
      T(a_file_whose_pages_are_gone_gets_shorter_and_power_may_fail_meanwhile),
      T(who_rests_reads_more_than_the_memory_in_one_stay), T(a_read_waits_for_others_to_rest),
      T(a_checkpoint_without_space_is_given_up_and_the_next_one_finishes_it), T(a_failed_sync_of_a_checkpoint_stops_the_store),
      T(a_pinned_checkpoint_stays_as_it_is), T(a_second_server_on_the_store_is_refused), T(no_store_is_made_unless_asked_for),
      T(roots_have_limits), T(nothing_survives_the_access_when_reads_are_poisoned), T(no_memory_is_an_error_at_every_step),
      T(readers_on_threads_see_whole_rounds_while_pages_change_move_and_are_written))
