// A store on the disk that loses power, for this module's unit tests.
#pragma once

#include "base/mem.h"
#include "base/test.h"
#include "os/clock.h"
#include "os/random.h"
#include "store/checkpoint.h"
#include "store/sim_disk.h"
#include "store/store.h"

struct place {
  struct sim_disk *disk;
  struct clock_manual clock;
  struct random_seeded random;
  struct page_pool *pool;
  struct page_access *access;
  struct store_options options;
  struct store *store;
  uint64_t index; // of the last publication
};

static inline void place_init(struct place *p, size_t frames, bool poison) {
  *p = (struct place){.disk = sim_disk_new(1)};
  clock_manual_init(&p->clock, 1000);
  random_seeded_init(&p->random, 7);
  struct page_pool_options pool = {.limit_bytes = frames * PAGE_BYTES, .accesses_max = 16, .poison = poison};
  assert_ok(page_pool_open(&pool, &p->pool, NULL));
  assert_ok(page_access_open(p->pool, &p->access, NULL));
  p->options = (struct store_options){.disk = sim_disk_table(p->disk),
                                      .clock = &p->clock.clock,
                                      .random = &p->random.source,
                                      .pool = p->pool,
                                      .log = {.segment_bytes = 1 << 16},
                                      .create = true};
}

static inline enum err place_open(struct place *p, struct error *e) {
  TRY(store_open("db", &p->options, &p->store, e));
  p->index = store_applied_index(p->store);
  return ERR_OK;
}

/// Both, on a new disk.
static inline void place_make(struct place *p, size_t frames, bool poison) {
  place_init(p, frames, poison);
  assert_ok(place_open(p, NULL));
}

static inline void place_close(struct place *p) {
  store_close(p->store);
  p->store = NULL;
}

static inline void place_done(struct place *p) {
  place_close(p);
  page_access_close(p->access);
  page_pool_close(p->pool);
  sim_disk_free(p->disk);
}

static inline struct page_batch *place_begin(struct place *p) {
  struct page_batch *b = NULL;
  assert_ok(page_batch_begin(store_space(p->store), p->access, &b, NULL));
  return b;
}

// Publishes as the effect of a log entry, which is made durable first as the applier's would be.
static inline void place_publish(struct place *p, struct page_batch *b) {
  struct log_entry entry = {.kind = LOG_NOOP, .parts = LOG_END};
  bool worked = false;
  assert_ok(log_append(store_log(p->store), &entry, 1, NULL));
  assert_ok(log_writer_step(store_log(p->store), &worked, NULL));
  p->index++;
  store_publish(p->store, b, store_applied_of(&entry));
}

static inline void place_checkpoint(struct place *p) {
  struct error e = ERROR_INIT;
  enum err err = checkpoint_run(p->store, &e);
  if (err != ERR_OK) print_message("%s\n", e.message);
  assert_ok(err);
}

static inline void place_check(struct place *p) {
  struct error e = ERROR_INIT;
  enum err err = store_check(p->store, true, &e);
  if (err != ERR_OK) print_message("%s\n", e.message);
  assert_ok(err);
}

static inline void place_power_cut(struct place *p) {
  sim_disk_cut(p->disk);
  place_close(p);
  sim_disk_power_on(p->disk);
}
