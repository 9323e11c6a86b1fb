#include "store/checkpoint.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "store/store_int.h"

#define MOVED_PAGES_MAX 256u // from the back of the file to its front, a checkpoint
#define CHECKPOINT_BUFFER_BYTES (CHECKPOINT_PAGES_AT_ONCE * PAGE_BYTES)

// A page on its way to disk: its bytes are in the buffer at its place in the list.
struct placed {
  uint64_t id; // logical page, or number of the map page
  uint64_t physical;
  uint32_t checksum;
  uint64_t moved_from; // 0: it was only in memory
  bool cold;           // its bytes have yet to be read from there
  bool stays;          // they could not be read: whoever needs the page will be told
};

static enum err buffer_ready(struct checkpoint *c) {
  if (c->buffer != NULL) return ERR_OK;
  c->allocation = mem_alloc(CHECKPOINT_BUFFER_BYTES + PAGE_BYTES);
  if (c->allocation == NULL) return ERR_NOMEM;
  c->buffer = page_align(c->allocation);
  return ERR_OK;
}

bool checkpoint_active(const struct store *s) {
  return s->checkpoint.phase != CHECKPOINT_IDLE;
}

static void note_state(struct store *s, struct superblock *next) {
  next->generation = log_generation(s->log);
  mutex_lock(&s->mutex);
  next->applied = s->applied;
  next->root_count = s->root_count;
  memcpy(next->roots, s->roots, sizeof next->roots);
  memcpy(next->meta, s->meta, sizeof next->meta);
  mutex_unlock(&s->mutex);
  memcpy(next->uuid, s->durable.uuid, sizeof next->uuid);
}

// Map pages that lie in the back half of a file that is more than half free are written again, to its front: they would keep it
// from getting shorter. Without memory to note one it stays where it is.
static void move_map_forward(struct page_space *p) {
  size_t at = 0;
  for (struct map_entry *entry; (entry = map_next(&p->map.nodes, &at)) != NULL;) {
    struct map_node *n = (struct map_node *) (uintptr_t) entry->value;
    uint64_t physical = 0;
    uint32_t checksum = 0;
    if (map_tree_place(&p->map, n->level, n->number, &physical, &checksum, NULL) != ERR_OK || physical < p->physical.pages / 2)
      continue;
    if (map_tree_touch(&p->map, n) != ERR_OK) return;
  }
}

// So do pages, some in each checkpoint.
static void move_pages_forward(struct page_space *p, struct checkpoint *c) {
  size_t at = 0, moved = 0;
  if (id_list_reserve(&c->pages, MOVED_PAGES_MAX) != ERR_OK) return;
  c->move_from = p->physical.pages / 2;
  for (struct map_entry *entry; moved < MOVED_PAGES_MAX && (entry = map_next(&p->map.nodes, &at)) != NULL;) {
    const struct map_node *n = (const struct map_node *) (uintptr_t) entry->value;
    for (uint64_t i = 0; n->level == 0 && i < MAP_FANOUT && moved < MOVED_PAGES_MAX; i++) {
      if (n->physical[i] < c->move_from) continue;
      id_list_push(&c->pages, n->number * MAP_FANOUT + i);
      moved++;
    }
  }
}

// Everything changed up to now goes into this checkpoint, with what one that was given up left over.
static enum err take_dirty(struct page_space *p, struct checkpoint *c) {
  if (id_list_reserve(&c->pages, p->dirty.count) != ERR_OK) return ERR_NOMEM;
  for (size_t i = 0; i < p->dirty.count; i++) id_list_push(&c->pages, p->dirty.ids[i]);
  p->dirty.count = 0;
  p->pinned_epoch = c->pin.epoch;
  c->next.epoch = c->pin.epoch;
  c->next.pages_logical = p->pages_logical;
  c->move_from = UINT64_MAX;
  if (p->physical.free > p->physical.pages / 2) {
    physical_prefer_front(p);
    move_map_forward(p);
    move_pages_forward(p, c);
  }
  id_list_tidy(&c->pages);
  return ERR_OK;
}

enum err checkpoint_begin(struct store *s, struct error *e) {
  struct checkpoint *c = &s->checkpoint;
  if (checkpoint_active(s)) return error_set(e, ERR_BUSY, "A checkpoint is under way.");
  TRY(store_failure(s, e));
  assert(!s->space->batch.open);
  if (buffer_ready(c) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  TRY(page_snapshot_open(s->space, &c->pin, e));
  note_state(s, &c->next);
  mutex_lock(&s->space->mutex);
  enum err err = take_dirty(s->space, c);
  mutex_unlock(&s->space->mutex);
  if (err != ERR_OK) {
    page_snapshot_close(&c->pin);
    return error_ensure(e, err);
  }
  c->at = c->level = 0;
  c->written = 0;
  event_raise(s->options.events, EVENT_DEBUG, "store.checkpoint.begin", "epoch %llu, log index %llu, %zu pages",
              (unsigned long long) c->pin.epoch, (unsigned long long) c->next.applied.index, c->pages.count);
  c->phase = CHECKPOINT_PAGES;
  return ERR_OK;
}

// ---- writing what has its place ----

// Neighbours on disk go out in one write.
static enum err write_placed(struct store *s, const struct placed *placed, size_t count, struct error *e) {
  const uint8_t *bytes = s->checkpoint.buffer;
  for (size_t from = 0, to; from < count; from = to) {
    for (to = from + 1; to < count && placed[to].physical == placed[to - 1].physical + 1;) to++;
    TRY(disk_write(s->file, placed[from].physical * PAGE_BYTES, bytes + from * PAGE_BYTES, (to - from) * PAGE_BYTES, e));
  }
  s->checkpoint.written += count;
  return ERR_OK;
}

static void give_places_back(struct page_space *p, const struct placed *placed, size_t count) {
  for (size_t i = 0; i < count; i++) physical_free_now(p, placed[i].physical);
}

// ---- data pages ----

static uint64_t checkpoint_epoch(const struct checkpoint *c) {
  return MUTANT(checkpoint_epoch) ? UINT64_MAX - 1 : c->pin.epoch;
}

// What the map names already and what lies too far back. A version that was written early lies where it does until it is named.
static bool should_move(const struct checkpoint *c, const struct page_found *found) {
  return found->physical >= c->move_from && found->leaf->node.physical[found->slot] == found->physical;
}

static enum err place_page(struct store *s, page_id id, const struct page_found *found, struct placed *ret, uint8_t *copy,
                           struct error *e) {
  *ret = (struct placed){.id = id, .checksum = found->checksum, .moved_from = found->physical, .cold = found->frame == 0};
  TRY(physical_allocate(s->space, &ret->physical, e));
  if (!ret->cold) memcpy(copy, pool_bytes(s->space->pool, found->frame), PAGE_BYTES);
  return ERR_OK;
}

// Takes the next pages of the list: those that are dirty, or lie too far back, into the buffer; the rest need only be named by
// the map.
static enum err gather_pages(struct store *s, size_t budget, struct placed *placed, size_t *count, size_t *ret_at,
                             struct error *e) {
  struct checkpoint *c = &s->checkpoint;
  size_t at = c->at;
  for (; at < c->pages.count && *count < budget && at - c->at < 4 * CHECKPOINT_PAGES_AT_ONCE; at++) {
    page_id id = c->pages.ids[at];
    struct page_found found;
    TRY(page_find(s->space, id, checkpoint_epoch(c), &found, e));
    if (!found.exists) {
      TRY(page_map_to(s->space, id, checkpoint_epoch(c), 0, 0, e));
    } else if (found.physical != 0 && !should_move(c, &found)) {
      TRY(page_map_to(s->space, id, checkpoint_epoch(c), found.physical, found.checksum, e));
    } else {
      TRY(place_page(s, id, &found, &placed[*count], c->buffer + *count * PAGE_BYTES, e));
      ++*count;
    }
  }
  *ret_at = at;
  return ERR_OK;
}

// Bytes of pages that are moved and not in memory; nobody can free their old places before the flip.
static void read_moved(struct store *s, struct placed *placed, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct placed *p = &placed[i];
    if (!p->cold) continue;
    p->stays =
        page_read_physical(s->space, p->id, p->moved_from, p->checksum, s->checkpoint.buffer + i * PAGE_BYTES, NULL) != ERR_OK;
  }
}

// The page may have been spilled meanwhile: then it is on disk already.
static enum err map_pages(struct store *s, const struct placed *placed, size_t count, struct error *e) {
  struct checkpoint *c = &s->checkpoint;
  for (size_t i = 0; i < count; i++) {
    struct page_found found;
    enum err err = page_find(s->space, placed[i].id, checkpoint_epoch(c), &found, e);
    bool elsewhere = err == ERR_OK && (placed[i].stays || found.physical != placed[i].moved_from);
    uint64_t physical = elsewhere ? found.physical : placed[i].physical;
    if (elsewhere) physical_free_now(s->space, placed[i].physical);
    if (err == ERR_OK)
      err =
          page_map_to(s->space, placed[i].id, checkpoint_epoch(c), physical, elsewhere ? found.checksum : placed[i].checksum, e);
    if (err != ERR_OK) {
      give_places_back(s->space, placed + i, count - i);
      return err;
    }
  }
  snapshots_collect(s->space);
  for (size_t i = 0; i < count; i++) versions_prune(s->space, placed[i].id, false);
  return ERR_OK;
}

static enum err step_pages(struct store *s, size_t budget, struct error *e) {
  struct checkpoint *c = &s->checkpoint;
  struct placed placed[CHECKPOINT_PAGES_AT_ONCE];
  size_t count = 0, at = 0;
  mutex_lock(&s->space->mutex);
  enum err err = gather_pages(s, MIN(budget, CHECKPOINT_PAGES_AT_ONCE), placed, &count, &at, e);
  mutex_unlock(&s->space->mutex);
  read_moved(s, placed, count);
  for (size_t i = 0; i < count; i++) placed[i].checksum = page_checksum(c->buffer + i * PAGE_BYTES);
  if (err == ERR_OK) err = write_placed(s, placed, count, e);
  mutex_lock(&s->space->mutex);
  if (err == ERR_OK)
    err = map_pages(s, placed, count, e);
  else
    give_places_back(s->space, placed, count);
  mutex_unlock(&s->space->mutex);
  if (err != ERR_OK) return err;
  c->at = at;
  if (c->at == c->pages.count) c->phase = CHECKPOINT_MAP;
  return ERR_OK;
}

// ---- the page map ----

static enum err gather_nodes(struct store *s, struct id_list *dirty, size_t budget, struct placed *placed, size_t *count, struct error *e) {
  struct checkpoint *c = &s->checkpoint;
  for (; *count < budget && *count < dirty->count; ++*count) {
    struct placed *p = &placed[*count];
    p->id = dirty->ids[dirty->count - 1 - *count];
    TRY(physical_allocate(s->space, &p->physical, e));
    uint8_t *page = c->buffer + *count * PAGE_BYTES;
    map_node_encode(&s->space->map, map_tree_loaded(&s->space->map, c->level, p->id), page);
    p->checksum = page_checksum(page);
  }
  return ERR_OK;
}

static enum err move_nodes(struct store *s, struct id_list *dirty, const struct placed *placed, size_t count, struct error *e) {
  for (size_t i = 0; i < count; i++) {
    enum err err = map_tree_move(&s->space->map, s->checkpoint.level, placed[i].id, placed[i].physical, placed[i].checksum, e);
    if (err != ERR_OK) {
      give_places_back(s->space, placed + i, count - i);
      return err;
    }
    map_tree_loaded(&s->space->map, s->checkpoint.level, placed[i].id)->dirty = false;
    dirty->count--; // they were taken from the end, last first
  }
  return ERR_OK;
}

static enum err step_map(struct store *s, size_t budget, struct error *e) {
  struct checkpoint *c = &s->checkpoint;
  struct id_list *dirty = &s->space->map.dirty[c->level];
  struct placed placed[CHECKPOINT_PAGES_AT_ONCE];
  size_t count = 0;
  mutex_lock(&s->space->mutex);
  enum err err = gather_nodes(s, dirty, MIN(budget, CHECKPOINT_PAGES_AT_ONCE), placed, &count, e);
  mutex_unlock(&s->space->mutex);
  if (err == ERR_OK) err = write_placed(s, placed, count, e);
  mutex_lock(&s->space->mutex);
  if (err == ERR_OK)
    err = move_nodes(s, dirty, placed, count, e);
  else
    give_places_back(s->space, placed, count);
  bool level_done = dirty->count == 0;
  mutex_unlock(&s->space->mutex);
  if (err != ERR_OK) return err;
  if (level_done && ++c->level == MAP_LEVELS) c->phase = CHECKPOINT_PLAN;
  return ERR_OK;
}

// ---- the space map: placing a bitmap page changes the bitmap, so places are given until nothing new becomes dirty ----

static enum err place_chunk(struct store *s, uint64_t chunk, struct error *e) {
  struct page_space *p = s->space;
  struct map_tree *t = &p->physical.tree;
  struct map_node *n = NULL;
  uint64_t physical = 0, *old;
  TRY(map_tree_node(t, 0, chunk / MAP_FANOUT, &n, e));
  enum err err = id_list_reserve(&s->checkpoint.chunks, 1);
  if (err == ERR_OK) err = map_tree_touch(t, n);
  if (err != ERR_OK) return error_ensure(e, err);
  TRY(physical_allocate(p, &physical, e));
  old = &n->physical[chunk % MAP_FANOUT];
  err = physical_move_reach(p, *old, physical);
  if (err != ERR_OK) {
    physical_free_now(p, physical);
    return error_ensure(e, err);
  }
  if (*old != 0) physical_release(p, *old, p->sequence + 1);
  *old = physical;
  *map_get(&p->physical.dirty_chunks, chunk) = CHUNK_PLACED;
  id_list_push(&s->checkpoint.chunks, chunk);
  return ERR_OK;
}

static bool next_unplaced(const struct map *chunks, uint64_t *ret) {
  size_t at = 0;
  for (struct map_entry *entry; (entry = map_next(chunks, &at)) != NULL;)
    if (entry->value == CHUNK_DIRTY) {
      *ret = entry->key;
      return true;
    }
  return false;
}

static enum err plan(struct store *s, struct error *e) {
  struct map_tree *t = &s->space->physical.tree;
  size_t placed[SPACE_LEVELS] = {0};
  for (uint64_t chunk; next_unplaced(&s->space->physical.dirty_chunks, &chunk);) {
    TRY(place_chunk(s, chunk, e));
    for (unsigned level = 0; level < SPACE_LEVELS; level++)
      for (; placed[level] < t->dirty[level].count; placed[level]++) {
        uint64_t physical = 0;
        TRY(physical_allocate(s->space, &physical, e));
        enum err err = map_tree_move(t, level, t->dirty[level].ids[placed[level]], physical, 0, e);
        if (err != ERR_OK) physical_free_now(s->space, physical);
        if (err != ERR_OK) return err;
      }
  }
  return ERR_OK;
}

static enum err step_plan(struct store *s, struct error *e) {
  struct checkpoint *c = &s->checkpoint;
  c->chunks.count = 0;
  mutex_lock(&s->space->mutex);
  enum err err = plan(s, e);
  // Given up half-way, every place is given anew next time.
  size_t at = 0;
  for (struct map_entry *entry; err != ERR_OK && (entry = map_next(&s->space->physical.dirty_chunks, &at)) != NULL;)
    entry->value = CHUNK_DIRTY;
  mutex_unlock(&s->space->mutex);
  if (err != ERR_OK) return err;
  c->at = 0;
  c->phase = CHECKPOINT_CHUNKS;
  return ERR_OK;
}

static enum err step_chunks(struct store *s, size_t budget, struct error *e) {
  struct checkpoint *c = &s->checkpoint;
  struct physical *f = &s->space->physical;
  struct placed placed[CHECKPOINT_PAGES_AT_ONCE];
  size_t count = 0;
  enum err err = ERR_OK;
  mutex_lock(&s->space->mutex);
  for (; count < MIN(budget, CHECKPOINT_PAGES_AT_ONCE) && c->at < c->chunks.count && err == ERR_OK; c->at++) {
    uint64_t chunk = c->chunks.ids[c->at];
    struct map_node *n = NULL;
    err = map_tree_node(&f->tree, 0, chunk / MAP_FANOUT, &n, e);
    if (err != ERR_OK) break;
    uint8_t *page = c->buffer + count * PAGE_BYTES;
    memcpy(page, (const uint8_t *) f->reach + chunk * PAGE_BYTES, PAGE_BYTES);
    n->checksum[chunk % MAP_FANOUT] = page_checksum(page);
    placed[count++].physical = n->physical[chunk % MAP_FANOUT];
  }
  mutex_unlock(&s->space->mutex);
  if (err == ERR_OK) err = write_placed(s, placed, count, e);
  if (err != ERR_OK || c->at < c->chunks.count) return err;
  c->level = 0;
  c->at = 0;
  c->phase = CHECKPOINT_SPACE;
  return ERR_OK;
}

// The places are known; what is new in a node of level k + 1 are the checksums of level k.
static enum err encode_space_node(struct store *s, uint64_t number, struct placed *p, uint8_t *page, struct error *e) {
  struct map_tree *t = &s->space->physical.tree;
  unsigned level = s->checkpoint.level;
  uint32_t none = 0;
  map_node_encode(t, map_tree_loaded(t, level, number), page);
  p->checksum = page_checksum(page);
  TRY(map_tree_place(t, level, number, &p->physical, &none, e));
  return map_tree_move(t, level, number, p->physical, p->checksum, e);
}

static enum err step_space(struct store *s, size_t budget, struct error *e) {
  struct checkpoint *c = &s->checkpoint;
  struct map_tree *t = &s->space->physical.tree;
  struct id_list *dirty = &t->dirty[c->level];
  struct placed placed[CHECKPOINT_PAGES_AT_ONCE];
  size_t count = 0;
  enum err err = ERR_OK;
  mutex_lock(&s->space->mutex);
  for (; count < MIN(budget, CHECKPOINT_PAGES_AT_ONCE) && c->at < dirty->count && err == ERR_OK; c->at++, count++)
    err = encode_space_node(s, dirty->ids[c->at], &placed[count], c->buffer + count * PAGE_BYTES, e);
  mutex_unlock(&s->space->mutex);
  if (err == ERR_OK) err = write_placed(s, placed, count, e);
  if (err != ERR_OK || c->at < dirty->count) return err;
  c->at = 0;
  if (++c->level == SPACE_LEVELS) c->phase = CHECKPOINT_SYNC;
  return ERR_OK;
}

// The chunks and nodes are clean only when all of them are on their way: giving up before starts the plan again.
static void space_is_written(struct store *s) {
  struct map_tree *t = &s->space->physical.tree;
  mutex_lock(&s->space->mutex);
  for (unsigned level = 0; level < SPACE_LEVELS; level++) {
    for (size_t i = 0; i < t->dirty[level].count; i++) map_tree_loaded(t, level, t->dirty[level].ids[i])->dirty = false;
    t->dirty[level].count = 0;
  }
  map_clear(&s->space->physical.dirty_chunks);
  mutex_unlock(&s->space->mutex);
}

// ---- the flip ----

static enum err step_sync(struct store *s, struct error *e) {
  struct error cause = ERROR_INIT;
  enum err err = MUTANT(page_sync) ? ERR_OK : disk_sync(s->file, &cause);
  if (err != ERR_OK) return store_poison(s, err, &cause, e);
  s->checkpoint.phase = CHECKPOINT_SUPERBLOCK;
  return ERR_OK;
}

static enum err step_superblock(struct store *s, struct error *e) {
  struct superblock *next = &s->checkpoint.next;
  struct page_space *p = s->space;
  mutex_lock(&p->mutex);
  next->sequence = p->sequence + 1;
  next->map_physical = p->map.root_physical;
  next->map_checksum = p->map.root_checksum;
  next->space_physical = p->physical.tree.root_physical;
  next->space_checksum = p->physical.tree.root_checksum;
  next->physical_pages = p->physical.pages;
  next->id_high = p->id_high;
  mutex_unlock(&p->mutex);
  superblock_encode(next, s->checkpoint.buffer);
  struct error cause = ERROR_INIT;
  uint64_t slot = MUTANT(superblock_slot) ? 0 : next->sequence % SUPERBLOCKS;
  enum err err = disk_write(s->file, slot * PAGE_BYTES, s->checkpoint.buffer, PAGE_BYTES, &cause);
  if (err != ERR_OK) return store_poison(s, err, &cause, e);
  s->checkpoint.phase = CHECKPOINT_SYNC_SUPERBLOCK;
  return ERR_OK;
}

static enum err step_sync_superblock(struct store *s, struct error *e) {
  struct checkpoint *c = &s->checkpoint;
  struct error cause = ERROR_INIT;
  enum err err = MUTANT(superblock_sync) ? ERR_OK : disk_sync(s->file, &cause);
  if (err != ERR_OK) return store_poison(s, err, &cause, e);
  mutex_lock(&s->mutex);
  s->durable = c->next;
  mutex_unlock(&s->mutex);
  space_is_written(s);
  page_snapshot_close(&c->pin);
  mutex_lock(&s->space->mutex);
  s->space->sequence = c->next.sequence;
  checkpoint_pins_expire(s);
  physical_sweep(s->space);
  physical_prefer_front(s->space);
  mutex_unlock(&s->space->mutex);
  c->pages.count = 0;
  event_raise(s->options.events, EVENT_INFO, "store.checkpoint.done", "log index %llu, %llu pages written",
              (unsigned long long) c->next.applied.index, (unsigned long long) c->written);
  c->phase = CHECKPOINT_SHRINK;
  return ERR_OK;
}

static enum err step_shrink(struct store *s) {
  mutex_lock(&s->space->mutex);
  bool more = physical_shrink(s->space);
  mutex_unlock(&s->space->mutex);
  if (!more) s->checkpoint.phase = CHECKPOINT_IDLE;
  return ERR_OK;
}

static enum err step(struct store *s, unsigned pages, struct error *e) {
  enum checkpoint_phase phase = s->checkpoint.phase; // clang 14 does not switch on an atomic
  switch (phase) {
  case CHECKPOINT_IDLE: return ERR_OK;
  case CHECKPOINT_PAGES: return step_pages(s, pages, e);
  case CHECKPOINT_MAP: return step_map(s, pages, e);
  case CHECKPOINT_PLAN: return step_plan(s, e);
  case CHECKPOINT_CHUNKS: return step_chunks(s, pages, e);
  case CHECKPOINT_SPACE: return step_space(s, pages, e);
  case CHECKPOINT_SYNC: return step_sync(s, e);
  case CHECKPOINT_SUPERBLOCK: return step_superblock(s, e);
  case CHECKPOINT_SYNC_SUPERBLOCK: return step_sync_superblock(s, e);
  case CHECKPOINT_SHRINK: return step_shrink(s);
  }
  return ERR_INTERNAL;
}

// What was not written stays in the list for the next one; places given to bitmap pages are given anew.
static void give_up(struct store *s, const struct error *why) {
  struct checkpoint *c = &s->checkpoint;
  if (c->phase == CHECKPOINT_IDLE) return;
  size_t at = 0;
  mutex_lock(&s->space->mutex);
  for (struct map_entry *entry; (entry = map_next(&s->space->physical.dirty_chunks, &at)) != NULL;) entry->value = CHUNK_DIRTY;
  if (c->phase > CHECKPOINT_PAGES) c->at = c->pages.count;
  c->pages.count -= c->at;
  if (c->pages.count > 0) memmove(c->pages.ids, c->pages.ids + c->at, c->pages.count * sizeof *c->pages.ids);
  mutex_unlock(&s->space->mutex);
  page_snapshot_close(&c->pin);
  c->phase = CHECKPOINT_IDLE;
  event_raise(s->options.events, EVENT_WARN, "store.checkpoint.failed", "%s", why != NULL ? why->message : "");
}

enum err checkpoint_step(struct store *s, unsigned pages, bool *ret_done, struct error *e) {
  enum err err = store_failure(s, e);
  if (err == ERR_OK) err = step(s, MAX(pages, 1u), e);
  if (err != ERR_OK) {
    give_up(s, e);
    return err;
  }
  *ret_done = s->checkpoint.phase == CHECKPOINT_IDLE;
  return ERR_OK;
}

enum err checkpoint_run(struct store *s, struct error *e) {
  TRY(checkpoint_begin(s, e));
  for (bool done = false; !done;) TRY(checkpoint_step(s, CHECKPOINT_PAGES_AT_ONCE, &done, e));
  return ERR_OK;
}

void checkpoint_status(struct store *s, struct checkpoint_status *ret) {
  mutex_lock(&s->mutex);
  *ret = (struct checkpoint_status){s->durable.applied.index, s->durable.applied.term, s->durable.sequence, 0,
                                    s->checkpoint.written};
  mutex_unlock(&s->mutex);
  mutex_lock(&s->space->mutex);
  ret->dirty_bytes = s->space->dirty.count * (uint64_t) PAGE_BYTES;
  mutex_unlock(&s->space->mutex);
}

void checkpoint_done(struct store *s) {
  page_snapshot_close(&s->checkpoint.pin);
  id_list_done(&s->checkpoint.pages);
  id_list_done(&s->checkpoint.chunks);
  mem_free(s->checkpoint.allocation);
}
