// Which physical pages are free. Two bitmaps in memory: `used` is what may not be handed out now, `reach` what the superblock to
// come names; the second is what goes to disk (docs/formats/map.md). The space's mutex is held.
#include <assert.h>
#include <string.h>

#include "base/checksum.h"
#include "base/mem.h"
#include "store/pages_int.h"

#define GROW_PAGES_MIN 64u
#define GROW_PAGES_MAX 16384u

uint32_t page_checksum(const void *page) {
  return checksum32(page, PAGE_BYTES, 0);
}

static enum err bitmaps_reserve(struct physical *f, uint64_t pages) {
  if (pages <= f->capacity) return ERR_OK;
  uint64_t larger = (MAX(pages, f->capacity * 2) + CHUNK_PAGES - 1) / CHUNK_PAGES * CHUNK_PAGES;
  uint64_t *used = mem_realloc(f->used, larger / 8);
  if (used == NULL) return ERR_NOMEM;
  f->used = used;
  uint64_t *reach = mem_realloc(f->reach, larger / 8);
  if (reach == NULL) return ERR_NOMEM;
  f->reach = reach;
  memset(f->used + f->capacity / 64, 0, (larger - f->capacity) / 8);
  memset(f->reach + f->capacity / 64, 0, (larger - f->capacity) / 8);
  f->capacity = larger;
  return ERR_OK;
}

static uint64_t grow_pages(const struct physical *f) {
  return MIN(MAX(f->pages / 8, (uint64_t) GROW_PAGES_MIN), (uint64_t) GROW_PAGES_MAX);
}

static enum err grow_file(struct page_space *s, struct error *e) {
  struct physical *f = &s->physical;
  uint64_t more = grow_pages(f);
  if (bitmaps_reserve(f, f->pages + more) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  TRY(disk_allocate(s->file, f->pages * PAGE_BYTES, more * PAGE_BYTES, e));
  f->pages += more;
  f->free += more;
  return ERR_OK;
}

// The next free page behind the last one given, so that what is written together lies together.
static uint64_t find_free(struct physical *f) {
  for (uint64_t looked = 0; looked < f->pages + 64;) {
    if (f->cursor >= f->pages) f->cursor = 0;
    uint64_t word = ~f->used[f->cursor / 64] >> (f->cursor % 64);
    if (word != 0) {
      uint64_t found = f->cursor + (uint64_t) __builtin_ctzll(word);
      if (found < f->pages) return found;
      looked += f->pages - f->cursor;
      f->cursor = f->pages;
      continue;
    }
    uint64_t skip = 64 - f->cursor % 64;
    f->cursor += skip;
    looked += skip;
  }
  return 0;
}

enum err physical_allocate(struct page_space *s, uint64_t *ret, struct error *e) {
  struct physical *f = &s->physical;
  if (f->free == 0) physical_sweep(s);
  if (f->free == 0) TRY(grow_file(s, e));
  uint64_t found = find_free(f);
  assert(found >= SUPERBLOCKS);
  bit_set(f->used, found, true);
  f->free--;
  f->cursor = found + 1;
  *ret = found;
  return ERR_OK;
}

void physical_free_now(struct page_space *s, uint64_t physical) {
  if (!bit_get(s->physical.used, physical)) return; // only a damaged map frees a page twice
  bit_set(s->physical.used, physical, false);
  s->physical.free++;
}

enum err physical_reserve_limbo(struct page_space *s, size_t extra) {
  struct physical *f = &s->physical;
  if (f->limbo_count + extra <= f->limbo_capacity) return ERR_OK;
  size_t larger = MAX(f->limbo_count + extra, f->limbo_capacity * 2 + 64);
  struct limbo_page *grown = mem_realloc(f->limbo, larger * sizeof *grown);
  if (grown == NULL) return ERR_NOMEM;
  f->limbo = grown;
  f->limbo_capacity = larger;
  return ERR_OK;
}

// Without memory to remember it in, the page stays taken until the database is opened again: safe, and rare.
void physical_release(struct page_space *s, uint64_t physical, uint64_t sequence) {
  struct physical *f = &s->physical;
  if (MUTANT(page_reuse_flip)) sequence = 0;
  if (physical_reserve_limbo(s, 1) != ERR_OK) return;
  f->limbo[f->limbo_count++] = (struct limbo_page){physical, sequence, pool_retire(s->pool)};
}

static bool is_pinned(const struct physical *f, uint64_t sequence) {
  for (size_t i = 0; i < ARRAY_SIZE(f->pins); i++)
    if (f->pins[i].sequence != 0 && f->pins[i].sequence < sequence && !MUTANT(page_reuse_pin)) return true;
  return false;
}

void physical_sweep(struct page_space *s) {
  struct physical *f = &s->physical;
  size_t kept = 0;
  for (size_t i = 0; i < f->limbo_count; i++) {
    struct limbo_page *l = &f->limbo[i];
    if (l->sequence > s->sequence || is_pinned(f, l->sequence) || !pool_is_safe(s->pool, l->after))
      f->limbo[kept++] = *l;
    else
      physical_free_now(s, l->physical);
  }
  f->limbo_count = kept;
}

// ---- shrinking ----

// The page behind the last one that may not be handed out. What is free is named by no durable superblock, no pin, no reader.
static uint64_t used_end(const struct physical *f) {
  const uint64_t *taken = MUTANT(shrink_used) ? f->reach : f->used;
  uint64_t word = (f->pages + 63) / 64;
  while (word > 0 && taken[word - 1] == 0) word--;
  return word > 0 ? MIN(word * 64 - (uint64_t) __builtin_clzll(taken[word - 1]), f->pages) : SUPERBLOCKS;
}

// Half a growth stays, so that a store that breathes does not cut and grow all the time; and no more is cut in one step than the
// disk does quickly, because the mutex keeps the file from growing meanwhile.
bool physical_shrink(struct page_space *s) {
  struct physical *f = &s->physical;
  physical_sweep(s);
  uint64_t end = used_end(f), grow = grow_pages(f), pages = f->pages;
  if (pages - end <= grow) return false;
  uint64_t kept = MAX(end + grow / 2, pages > GROW_PAGES_MAX ? pages - GROW_PAGES_MAX : 0);
  if (disk_truncate(s->file, kept * PAGE_BYTES, NULL) != ERR_OK) return false; // cut or not, what is written there later is there
  f->pages = kept;
  f->free -= pages - kept;
  f->cuts++;
  return true;
}

// With much free space the next pages come from the front: what is written again moves there, and the end comes free.
void physical_prefer_front(struct page_space *s) {
  struct physical *f = &s->physical;
  if (f->free > f->pages / 2) f->cursor = SUPERBLOCKS;
}

static enum err note_chunk(struct physical *f, uint64_t physical) {
  uint64_t chunk = physical / CHUNK_PAGES;
  if (physical == 0 || map_get(&f->dirty_chunks, chunk) != NULL) return ERR_OK;
  return map_put(&f->dirty_chunks, chunk, CHUNK_DIRTY);
}

// All that can fail comes first. That map and space map disagree can only be damage.
enum err physical_move_reach(struct page_space *s, uint64_t from, uint64_t to) {
  struct physical *f = &s->physical;
  if (to >= f->pages || from >= f->pages || (to != 0 && bit_get(f->reach, to)) || (from != 0 && !bit_get(f->reach, from))) return ERR_CORRUPT;
  TRY(note_chunk(f, to));
  TRY(note_chunk(f, from));
  if (to != 0) bit_set(f->reach, to, true);
  if (from != 0) bit_set(f->reach, from, false);
  return ERR_OK;
}

static enum err load_chunk(struct page_space *s, uint64_t chunk, uint8_t *page, struct error *e) {
  struct physical *f = &s->physical;
  struct map_node *n = NULL;
  TRY(map_tree_node(&f->tree, 0, chunk / MAP_FANOUT, &n, e));
  uint64_t physical = n->physical[chunk % MAP_FANOUT];
  if (physical == 0) return ERR_OK;
  TRY(page_read_physical(s, chunk, physical, n->checksum[chunk % MAP_FANOUT], page, e));
  memcpy((uint8_t *) f->reach + chunk * PAGE_BYTES, page, PAGE_BYTES);
  return ERR_OK;
}

static enum err load_chunks(struct page_space *s, struct error *e) {
  uint8_t *buffer = mem_alloc(2 * PAGE_BYTES);
  if (buffer == NULL) return error_ensure(e, ERR_NOMEM);
  uint8_t *page = page_align(buffer);
  enum err err = ERR_OK;
  for (uint64_t chunk = 0; chunk * CHUNK_PAGES < s->physical.pages && err == ERR_OK; chunk++) err = load_chunk(s, chunk, page, e);
  mem_free(buffer);
  return err;
}

// A file whose free end was cut after the superblock was written is shorter than that says.
static enum err limit_to_file(struct page_space *s, uint64_t *pages, struct error *e) {
  uint64_t bytes = 0;
  TRY(disk_size(s->file, &bytes, e));
  *pages = MAX(MIN(*pages, bytes / PAGE_BYTES), (uint64_t) SUPERBLOCKS);
  return ERR_OK;
}

static bool any_from(const uint64_t *bits, uint64_t from, uint64_t capacity) {
  for (uint64_t i = from; i < capacity; i = (i / 64 + 1) * 64)
    if (bits[i / 64] >> i % 64 != 0) return true;
  return false;
}

enum err physical_open(struct page_space *s, uint64_t pages, struct error *e) {
  struct physical *f = &s->physical;
  TRY(limit_to_file(s, &pages, e));
  if (bitmaps_reserve(f, pages) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  f->pages = pages;
  f->cursor = SUPERBLOCKS;
  TRY(load_chunks(s, e));
  for (uint64_t i = 0; i < SUPERBLOCKS; i++) bit_set(f->reach, i, true);
  memcpy(f->used, f->reach, f->capacity / 8);
  f->free = pages;
  for (uint64_t i = 0; i < f->capacity / 64; i++) f->free -= (uint64_t) __builtin_popcountll(f->used[i]);
  if (f->free > pages || any_from(f->reach, pages, f->capacity))
    return error_set(e, ERR_CORRUPT, "The space map tells of more pages than the file has.");
  return ERR_OK;
}

void physical_done(struct page_space *s) {
  struct physical *f = &s->physical;
  map_tree_done(&f->tree);
  map_done(&f->dirty_chunks);
  mem_free(f->used);
  mem_free(f->reach);
  mem_free(f->limbo);
}
