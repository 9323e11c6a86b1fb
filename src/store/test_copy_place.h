// A store on one disk, and the place on another one where its copy goes.
#pragma once

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "store/copy.h"
#include "store/test_place.h"

enum { PAGES = 600 }; // two pieces of the page map

struct world {
  struct place from;
  struct sim_disk *disk; // of the copy
  struct store_options options;
  struct random_seeded random;
  struct checkpoint_pin pin;
  uint8_t head[CHECKPOINT_HEAD_BYTES];
  uint8_t *buffer, *piece;
  bool is_lazy; // pieces are not made durable one by one
};

static inline void write_page(struct page_batch *b, page_id id, uint64_t seed) {
  void *page = NULL;
  assert_ok(page_batch_write(b, id, &page, NULL));
  put_u64_le(page, seed);
  put_u64_le((uint8_t *) page + PAGE_BYTES - 8, seed * 3);
}

static inline void write_all(struct place *p, uint64_t seed) {
  for (uint64_t id = 1; id <= PAGES; id += 200) {
    struct page_batch *b = place_begin(p);
    for (uint64_t i = 0; i < 200; i++) write_page(b, id + i, seed + i);
    put_u64_le(store_meta(p->store), seed);
    place_publish(p, b);
  }
}

static inline void make_pages(struct place *p) {
  struct page_batch *b = place_begin(p);
  page_id first = 0;
  assert_ok(page_batch_allocate_run(b, PAGES, &first, NULL));
  assert_int_equal(first, 1);
  place_publish(p, b);
}

static inline void pin(struct world *w) {
  assert_ok(checkpoint_pin(w->from.store, INT64_MAX, &w->pin, NULL));
  checkpoint_head(&w->pin, w->head);
}

static inline void world_init(struct world *w) {
  *w = (struct world){.disk = sim_disk_new(5)};
  place_init(&w->from, 2000, false);
  assert_ok(place_open(&w->from, NULL));
  make_pages(&w->from);
  write_all(&w->from, 1000);
  place_checkpoint(&w->from);
  random_seeded_init(&w->random, 7); // the same as the source's: so is the uuid of the store there
  w->options = w->from.options;
  w->options.disk = sim_disk_table(w->disk);
  w->options.random = &w->random.source;
  w->options.log.clustered = true;
  w->buffer = mem_alloc(CHECKPOINT_PIECE_BYTES_MAX + PAGE_BYTES);
  w->piece = page_align(w->buffer);
  pin(w);
}

static inline void world_done(struct world *w) {
  checkpoint_unpin(&w->pin);
  mem_free(w->buffer);
  sim_disk_free(w->disk);
  place_done(&w->from);
}

// ---- copying ----

static inline enum err copy_piece(struct world *w, struct store_copy *c, struct error *e) {
  uint64_t position = store_copy_position(c);
  size_t bytes = 0;
  assert_ok(checkpoint_read(&w->pin, &position, w->piece, &bytes, NULL));
  TRY(store_copy_add(c, w->piece, bytes, e));
  assert_int_equal(store_copy_position(c), position);
  return w->is_lazy ? ERR_OK : store_copy_sync(c, e);
}

static inline enum err copy_rest(struct world *w, struct store_copy *c, struct error *e) {
  while (store_copy_position(c) != CHECKPOINT_END) TRY(copy_piece(w, c, e));
  TRY(store_copy_finish(c, e));
  return store_copy_install(c, w->options.clock, e);
}

static inline enum err copy_all(struct world *w, struct error *e) {
  struct store_copy *c = NULL;
  TRY(store_copy_open(w->options.disk, "to", w->head, &c, e));
  enum err err = copy_rest(w, c, e);
  store_copy_close(c);
  return err;
}

static inline enum err open_copy(struct world *w, struct store **ret, struct error *e) {
  w->options.create = false;
  return store_open("to", &w->options, ret, e);
}

// ---- comparing ----

static inline enum err add_digest(void *argument, page_id id, const void *page) {
  uint64_t *digest = argument;
  *digest = hash64(page, PAGE_BYTES, *digest + id);
  return ERR_OK;
}

static inline uint64_t digest_of(const struct checkpoint_pin *p) {
  uint64_t digest = 0;
  assert_ok(checkpoint_pin_each(p, add_digest, &digest, NULL));
  return digest;
}

static inline uint64_t digest_of_store(struct store *s) {
  struct checkpoint_pin p;
  assert_ok(checkpoint_pin(s, INT64_MAX, &p, NULL));
  uint64_t digest = digest_of(&p);
  checkpoint_unpin(&p);
  return digest;
}

static inline void assert_is_the_copy(struct world *w, struct store *s) {
  struct error e = ERROR_INIT;
  struct store_applied a = store_applied(s), b = w->pin.identity.applied;
  assert_true(a.index == b.index && a.term == b.term && a.commit_time_ns == b.commit_time_ns);
  assert_memory_equal(store_uuid(s), w->pin.identity.uuid, 16);
  assert_true(digest_of_store(s) == digest_of(&w->pin));
  if (store_check(s, true, &e) != ERR_OK) fail_msg("%s", e.message);
}

static inline void assert_copied(struct world *w) {
  struct error e = ERROR_INIT;
  struct store *s = NULL;
  if (open_copy(w, &s, &e) != ERR_OK) fail_msg("%s", e.message);
  assert_is_the_copy(w, s);
  store_close(s);
}

static inline void join_group(struct store *s) {
  struct log_group_state g;
  log_group_state(store_log(s), &g);
  g.member_id = 3;
  assert_ok(log_group_save(store_log(s), &g, NULL));
}

// An older store of the same database where the copy is to go: three entries, the last two in its log only.
static inline uint64_t make_old(struct world *w, bool is_members) {
  struct place old = {.options = w->options, .access = w->from.access};
  old.options.log.clustered = false;
  old.options.create = true;
  random_seeded_init(&w->random, 7);
  assert_ok(store_open("to", &old.options, &old.store, NULL));
  make_pages(&old);
  place_checkpoint(&old);
  for (uint64_t i = 0; i < 2; i++) {
    struct page_batch *b = place_begin(&old);
    write_page(b, 1 + i, 77);
    place_publish(&old, b);
  }
  uint64_t digest = digest_of_store(old.store);
  if (is_members) join_group(old.store);
  place_close(&old);
  return digest;
}
