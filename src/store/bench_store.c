// What the store costs on this machine: `bench_store [DIRECTORY]` (default /tmp). Log and checkpoint by the clock, the rest by
// processor time. Prints figures and their ratio to the prototype's,
// measured on a quiet machine of another day: treat a third more or less as noise.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/rng.h"
#include "os/clock.h"
#include "store/btree.h"
#include "store/checkpoint.h"
#include "store/store.h"

#define PAGES 32768u
#define KEYS 1000000u

static struct page_pool *pool;
static struct page_access *access_handle;
static struct store *store;
static struct rng rng;

static void must(enum err err, const struct error *e) {
  if (err == ERR_OK) return;
  fprintf(stderr, "%s: %s\n", err_name(err), e->message);
  exit(1);
}

static double seconds_since(int64_t begin_ns) {
  return (double) (clock_monotonic_ns(clock_system()) - begin_ns) / NS_PER_S;
}

// Processor time of this process, so that whatever else runs on the machine matters less.
static double processor_seconds(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double) (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void say(const char *what, double figure, const char *unit, double prototype) {
  printf("%-52s %12.1f %-6s prototype %10.1f  ratio %.2f\n", what, figure, unit, prototype, figure / prototype);
}

// The prototype's mix copies 2.74 pages for a transaction.
static void bench_raw_apply(page_id first, unsigned group, double prototype) {
  struct error e = ERROR_INIT;
  unsigned count = 600000;
  double begin = processor_seconds();
  for (unsigned i = 0; i < count; i += group) {
    struct page_batch *b = NULL;
    must(page_batch_begin(store_space(store), access_handle, &b, &e), &e);
    for (unsigned n = 0; n < group * 3; n++) {
      void *page = NULL;
      must(page_batch_write(b, first + rng_below(&rng, n % 3 == 0 ? PAGES : 256), &page, &e), &e);
      ((uint8_t *) page)[i % PAGE_BYTES]++;
    }
    store_publish(store, b, (struct store_applied){0});
  }
  char what[80];
  snprintf(what, sizeof what, "apply, 3 pages each, groups of %u", group);
  say(what, count / (processor_seconds() - begin) / 1000, "k/s", prototype);
}

static void bench_pages(void) {
  static page_id ids[PAGES];
  struct error e = ERROR_INIT;
  struct page_batch *b = NULL;
  void *page = NULL;
  must(page_batch_begin(store_space(store), access_handle, &b, &e), &e);
  for (unsigned i = 0; i < PAGES; i++) {
    must(page_batch_allocate(b, &ids[i], &page, &e), &e);
    put_u64_le((uint8_t *) page + 64 * (i % 64), i);
  }
  store_publish(store, b, (struct store_applied){0});
  struct page_snapshot snap;
  must(page_snapshot_open(store_space(store), &snap, &e), &e);
  struct page_view v = page_view_of(&snap, access_handle);
  uint64_t sum = 0;
  const void *read = NULL;
  page_access_enter(access_handle);
  for (int few = 1; few >= 0; few--) {
    unsigned range = few ? 512 : PAGES, count = 20000000;
    double begin = processor_seconds();
    uint64_t x = 88172645463325252u;
    for (unsigned i = 0; i < count; i++) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      unsigned at = (unsigned) (x % range);
      must(pages_read(&v, ids[at], &read, &e), &e);
      sum += get_u64_le((const uint8_t *) read + 64 * (at % 64));
    }
    say(few ? "page read, hot, 2 MB of pages" : "page read, hot, 128 MB of pages, random", (processor_seconds() - begin) * 1e9 / count, "ns", few ? 5 : 20);
  }
  page_access_leave(access_handle);
  page_snapshot_close(&snap);
  if (sum == 42) printf("\n");
  bench_raw_apply(ids[0], 1, 884);
  bench_raw_apply(ids[0], 32, 1198);
}

static size_t key_of(uint64_t i, uint8_t *to) {
  put_u64_be(to, hash_u64(i + 1));
  return 8;
}

static page_id bench_tree(void) {
  struct error e = ERROR_INIT;
  struct page_batch *b = NULL;
  page_id root = 0;
  uint8_t key[8];
  must(page_batch_begin(store_space(store), access_handle, &b, &e), &e);
  must(btree_create(b, &root, &e), &e);
  double begin = processor_seconds();
  for (uint64_t i = 0; i < KEYS; i++) must(btree_put(b, root, (struct bytes){key, key_of(i, key)}, (struct bytes){&i, 8}, NULL, &e), &e);
  say("B+tree insert, random order, one batch", KEYS / (processor_seconds() - begin) / 1000, "k/s", 1000);
  store_publish(store, b, (struct store_applied){0});
  struct page_snapshot snap;
  must(page_snapshot_open(store_space(store), &snap, &e), &e);
  struct page_view v = page_view_of(&snap, access_handle);
  struct bytes got;
  page_access_enter(access_handle);
  begin = processor_seconds();
  for (unsigned i = 0; i < 2000000; i++) must(btree_get(&v, root, (struct bytes){key, key_of(rng_below(&rng, KEYS), key)}, &got, &e), &e);
  say("B+tree point get, 1M keys (prototype: LMDB)", (processor_seconds() - begin) * 1e9 / 2000000, "ns", 650);
  struct btree_cursor c;
  btree_cursor_init(&c, root);
  uint64_t sum = 0, count = 0;
  begin = processor_seconds();
  for (must(btree_cursor_first(&v, &c, &e), &e); c.valid; count++) {
    must(btree_cursor_get(&v, &c, NULL, &got, &e), &e);
    sum += get_u64_le(got.ptr);
    must(btree_cursor_next(&v, &c, &e), &e);
  }
  say("B+tree cursor step", (processor_seconds() - begin) * 1e9 / (double) count, "ns", 17);
  page_access_leave(access_handle);
  page_snapshot_close(&snap);
  return sum == 42 ? 0 : root;
}

// Like the prototype's mix: each transaction changes two or three pages by key.
static void bench_apply(page_id root, unsigned group, double prototype) {
  struct error e = ERROR_INIT;
  uint8_t key[8];
  unsigned count = 200000;
  double begin = processor_seconds();
  for (unsigned i = 0; i < count; i += group) {
    struct page_batch *b = NULL;
    must(page_batch_begin(store_space(store), access_handle, &b, &e), &e);
    for (unsigned n = 0; n < group * 3; n++) {
      uint64_t value = i + n;
      size_t len = key_of(n % 3 == 0 ? rng_below(&rng, KEYS) : i + n, key);
      must(btree_put(b, root, (struct bytes){key, len}, (struct bytes){&value, 8}, NULL, &e), &e);
    }
    store_publish(store, b, (struct store_applied){0});
  }
  char what[80];
  snprintf(what, sizeof what, "apply, 3 tree updates each, groups of %u", group);
  say(what, count / (processor_seconds() - begin) / 1000, "k/s", prototype);
}

// What the device gives: as many bytes written to a preallocated file and synced, by the same table of functions.
static double raw_syncs(const char *directory, size_t bytes) {
  static uint8_t data[8192];
  struct error e = ERROR_INIT;
  struct disk_file *f = NULL;
  char path[300];
  uint64_t rounds = 0;
  snprintf(path, sizeof path, "%s/raw", directory);
  must(disk_open(disk_system(), path, DISK_WRITE | DISK_CREATE, &f, &e), &e);
  must(disk_allocate(f, 0, UINT64_C(512) << 20, &e), &e);
  int64_t begin_ns = clock_monotonic_ns(clock_system());
  for (; seconds_since(begin_ns) < 2; rounds++) {
    must(disk_write(f, rounds * bytes % (UINT64_C(500) << 20), data, bytes, &e), &e);
    must(disk_sync(f, &e), &e);
  }
  disk_close(f);
  return (double) rounds / seconds_since(begin_ns);
}

static void bench_log(const char *directory, unsigned group, double prototype) {
  struct error e = ERROR_INIT;
  struct log *l = store_log(store);
  struct log_entry entries[32];
  char payload[100] = {0};
  unsigned rounds = 0;
  double raw = raw_syncs(directory, group == 1 ? 512 : 6144);
  int64_t begin_ns = clock_monotonic_ns(clock_system());
  for (; seconds_since(begin_ns) < 2; rounds++) {
    for (unsigned i = 0; i < group; i++)
      entries[i] = (struct log_entry){.kind = LOG_TRANSACTION, .parts = LOG_END, .payload = {payload, sizeof payload}};
    bool worked = false;
    must(log_append(l, entries, group, &e), &e);
    must(log_writer_step(l, &worked, &e), &e);
  }
  char what[80];
  snprintf(what, sizeof what, "log entries of 100 bytes, synced, groups of %u", group);
  say(what, rounds * group / seconds_since(begin_ns) / 1000, "k/s", prototype);
  say("  its rounds, against the device's bare syncs", rounds / seconds_since(begin_ns), "/s", raw);
}

static void bench_checkpoint(void) {
  struct error e = ERROR_INIT;
  struct checkpoint_status before;
  checkpoint_status(store, &before);
  int64_t begin_ns = clock_monotonic_ns(clock_system());
  must(checkpoint_run(store, &e), &e);
  say("checkpoint", (double) before.dirty_bytes / 1e6 / seconds_since(begin_ns), "MB/s", 1300);
}

int main(int argc, char **argv) {
  char directory[200];
  struct error e = ERROR_INIT;
  snprintf(directory, sizeof directory, "%s/quiver-bench-XXXXXX", argc > 1 ? argv[1] : "/tmp");
  if (mkdtemp(directory) == NULL) return 1;
  rng_seed(&rng, 1);
  struct page_pool_options options = {.limit_bytes = (size_t) 1 << 30};
  must(page_pool_open(&options, &pool, &e), &e);
  must(page_access_open(pool, &access_handle, &e), &e);
  struct store_options so = {.disk = disk_system(), .clock = clock_system(), .random = random_system(), .pool = pool, .create = true, .direct = true};
  must(store_open(directory, &so, &store, &e), &e);
  bench_pages();
  page_id root = bench_tree();
  bench_apply(root, 1, 884);
  bench_apply(root, 32, 1198);
  bench_checkpoint();
  bench_log(directory, 1, 16.7);
  bench_log(directory, 32, 323);
  store_close(store);
  page_access_close(access_handle);
  page_pool_close(pool);
  printf("remove %s\n", directory);
  return 0;
}
