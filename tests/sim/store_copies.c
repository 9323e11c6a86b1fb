// The world of a store, continued: a pinned checkpoint is copied piece by piece into another directory of the same disk, beside
// all that happens, over crashes and faults. Whenever the copy is opened it is one of those that were put in place, whole.
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "store_world.h"

static void forget_copy(struct world *w) {
  store_copy_close(w->copy.open);
  checkpoint_unpin(&w->copy.pin);
  w->copy.open = NULL;
}

void world_close_copy(struct world *w) {
  forget_copy(w);
}

static enum err begin(struct world *w, struct error *e) {
  uint8_t head[CHECKPOINT_HEAD_BYTES];
  if (w->copy.pin.store == NULL) TRY(checkpoint_pin(w->store, INT64_MAX, &w->copy.pin, e));
  checkpoint_head(&w->copy.pin, head);
  return store_copy_open(w->options.disk, "copy", head, &w->copy.open, e);
}

static enum err add_piece(struct world *w, struct error *e) {
  uint8_t *memory = mem_alloc(CHECKPOINT_PIECE_BYTES_MAX + PAGE_BYTES);
  uint8_t *piece = page_align(memory);
  uint64_t position = store_copy_position(w->copy.open);
  size_t bytes = 0;
  enum err err = memory != NULL ? checkpoint_read(&w->copy.pin, &position, piece, &bytes, e) : error_ensure(e, ERR_NOMEM);
  if (err == ERR_OK) err = store_copy_add(w->copy.open, piece, bytes, e);
  if (err == ERR_OK && rng_chance(&w->rng, 1, 2)) err = store_copy_sync(w->copy.open, e);
  mem_free(memory);
  return err;
}

static enum err put_in_place(struct world *w, struct error *e) {
  TRY(store_copy_finish(w->copy.open, e));
  uint64_t index = w->copy.pin.identity.applied.index;
  if (w->copy.tries == ARRAY_SIZE(w->copy.tried))
    return error_set(e, ERR_IO, "Nobody knows which one is there: the next crash tells.");
  w->copy.tried[w->copy.tries++] = index;
  TRY(store_copy_install(w->copy.open, w->options.clock, e));
  w->copy.there = true;
  w->copy.there_index = index;
  w->copy.tries = 0;
  w->copies++;
  return ERR_OK;
}

static enum err go_on(struct world *w, struct error *e) {
  if (w->copy.open == NULL) TRY(begin(w, e));
  if (store_copy_position(w->copy.open) != CHECKPOINT_END) TRY(add_piece(w, e));
  return store_copy_position(w->copy.open) == CHECKPOINT_END ? put_in_place(w, e) : ERR_OK;
}

bool world_copy(struct world *w) {
  struct error e = ERROR_INIT;
  bool was_there = w->copy.there;
  uint64_t before = w->copies;
  enum err err = go_on(w, &e);
  if (err != ERR_OK || w->copies > before) forget_copy(w);
  if (!world_expects(w, err, &e, "copy")) return false;
  return w->copies == before || (!was_there && rng_chance(&w->rng, 1, 2)) || world_check_copy(w);
}

// The one that was put in place last, or one for which that was tried since.
static bool is_known(struct world *w, uint64_t index) {
  bool known = w->copy.there && index == w->copy.there_index;
  for (unsigned i = 0; i < w->copy.tries; i++) known |= index == w->copy.tried[i];
  w->copy.there = true;
  w->copy.there_index = index;
  w->copy.tries = 0;
  return known;
}

bool world_check_copy(struct world *w) {
  struct store_options options = w->options;
  struct store *s = NULL;
  struct error e = ERROR_INIT;
  options.create = false;
  options.log.clustered = true;
  enum err err = store_open("copy", &options, &s, &e);
  if (err == ERR_NOTFOUND) return !w->copy.there || world_fails(w, "the copied store is gone");
  if (err != ERR_OK) return world_expects(w, err, &e, "open the copied store");
  uint64_t index = store_applied_index(s);
  bool good = is_known(w, index) || world_fails(w, "the copied store is none of those that were put in place");
  good = good && world_holds(w, s, index, "in the copied store");
  if (good) good = world_expects(w, store_check(s, true, &e), &e, "check the copied store");
  store_close(s);
  return good;
}
