// How fast a store is copied from server to server on this machine, against reading and writing its file plainly, and what that
// costs those who commit meanwhile. Not a test:
//
//   ninja -C build src/cluster/bench_catchup && build/src/cluster/bench_catchup DIRECTORY [MEGABYTES]
//
// The store is opened past the page cache, as the server does. Commits are of one entry with 20 pages, each synced on its own,
// with a checkpoint after every 40.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "cluster/test_catchup.h"

enum { MEGABYTE = 1 << 20 };

static double seconds(void) {
  return (double) clock_monotonic_ns(clock_system()) / 1e9;
}

// Of the processor, so far.
static double cpu_seconds(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double) (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

// Reads the whole file and writes it elsewhere, a megabyte at a time, and syncs. MB/s.
static double copy_plainly(const char *from, const char *to) {
  struct disk_file *a = NULL, *b = NULL;
  uint8_t *memory = mem_alloc(MEGABYTE + PAGE_BYTES), *buffer = page_align(memory);
  uint64_t size = 0;
  assert_ok(disk_open(disk_system(), from, DISK_DIRECT, &a, NULL));
  assert_ok(disk_open(disk_system(), to, DISK_WRITE | DISK_CREATE, &b, NULL));
  assert_ok(disk_size(a, &size, NULL));
  double start = seconds();
  for (uint64_t at = 0; at < size; at += MEGABYTE) {
    size_t got = 0;
    assert_ok(disk_read_some(a, at, buffer, MEGABYTE, &got, NULL));
    assert_ok(disk_write(b, at, buffer, got, NULL));
  }
  assert_ok(disk_sync(b, NULL));
  double rate = (double) size / MEGABYTE / (seconds() - start);
  disk_close(a);
  disk_close(b);
  mem_free(memory);
  assert_ok(disk_unlink(disk_system(), to, NULL));
  return rate;
}

// MB/s of pages that matter.
static double copy_over_loopback(struct upstream *u) {
  struct learner l = {.disk = disk_system()};
  learner_open(&l, store_uuid(u->place.store));
  const char *address = u->address;
  learner_knows(&l, &address, 1);
  double start = seconds();
  learner_asks_copy(&l, 0);
  assert_true(learner_is_answered(&l) && l.copy != NULL);
  double rate = (double) store_copy_pages(l.copy) * PAGE_BYTES / MEGABYTE / (seconds() - start);
  learner_close(&l);
  assert_ok(store_copy_discard(disk_system(), "to", NULL));
  return rate;
}

static double commits_in(struct upstream *u, double length) {
  uint64_t before = store_applied_index(u->place.store);
  double start = seconds();
  while (seconds() - start < length) thread_sleep_ns(NS_PER_MS);
  return (double) (store_applied_index(u->place.store) - before) / (seconds() - start);
}

int main(int argc, char **argv) {
  struct upstream u;
  uint64_t megabytes = argc > 2 ? strtoull(argv[2], NULL, 10) : 512;
  if (argc < 2 || chdir(argv[1]) != 0) {
    fprintf(stderr, "bench_catchup DIRECTORY [MEGABYTES]\n");
    return 2;
  }
  assert_ok(disk_make_directories(disk_system(), "db", NULL));
  assert_ok(disk_make_directories(disk_system(), "to", NULL));
  upstream_open_at(&u, disk_system(), 1, megabytes * MEGABYTE / PAGE_BYTES);
  for (int round = 0; round < 3; round++) {
    double began = cpu_seconds(), plain = copy_plainly("db/store.pages", "plain"), between = cpu_seconds();
    double copied = copy_over_loopback(&u), ended = cpu_seconds();
    printf("%" PRIu64 " MB: read and written plainly %.0f MB/s (CPU %.2f s), copied %.0f MB/s (CPU %.2f s)\n", megabytes, plain,
           between - began, copied, ended - between);
  }
  upstream_start_writing(&u);
  for (int round = 0; round < 3; round++) {
    u.slowest_ns = 0;
    double alone = commits_in(&u, 2), alone_ms = (double) u.slowest_ns / 1e6;
    u.slowest_ns = 0;
    uint64_t before = store_applied_index(u.place.store);
    double start = seconds(), copied = copy_over_loopback(&u);
    double beside = (double) (store_applied_index(u.place.store) - before) / (seconds() - start);
    printf("commits/s (slowest): alone %.0f (%.1f ms), beside a copy at %.0f MB/s %.0f (%.1f ms)\n", alone, alone_ms, copied,
           beside, (double) u.slowest_ns / 1e6);
  }
  upstream_stop_writing(&u);
  upstream_close(&u);
  return 0;
}
