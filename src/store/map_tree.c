// Trees of map pages: docs/formats/map.md. The space's mutex is held throughout; a missing node is read under it, which
// happens once for 408 pages.
#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "store/pages_int.h"

#define MAP_MAGIC 0x504D5651u // QVMP
#define MAP_HEADER_BYTES 16u
#define MAP_ENTRY_BYTES 10u

_Static_assert(MAP_HEADER_BYTES + MAP_FANOUT * MAP_ENTRY_BYTES == PAGE_BYTES, "a map page is full");

static uint64_t node_key(unsigned level, uint64_t number) {
  return (uint64_t) level << 56 | number;
}

void map_tree_init(struct map_tree *t, struct page_space *s, enum map_kind kind, unsigned levels, size_t node_bytes0) {
  *t = (struct map_tree){.space = s, .kind = (uint8_t) kind, .levels = (uint8_t) levels, .node_bytes0 = node_bytes0};
}

void map_tree_done(struct map_tree *t) {
  size_t at = 0;
  for (struct map_entry *entry; (entry = map_next(&t->nodes, &at)) != NULL;) mem_free((void *) (uintptr_t) entry->value);
  map_done(&t->nodes);
  for (unsigned i = 0; i < MAP_LEVELS_MAX; i++) id_list_done(&t->dirty[i]);
}

struct map_node *map_tree_loaded(const struct map_tree *t, unsigned level, uint64_t number) {
  uint64_t *found = map_get(&t->nodes, node_key(level, number));
  return found != NULL ? (struct map_node *) (uintptr_t) *found : NULL;
}

void map_node_encode(const struct map_tree *t, const struct map_node *n, uint8_t to[PAGE_BYTES]) {
  uint16_t set = 0;
  memset(to, 0, MAP_HEADER_BYTES);
  put_u32_le(to, MAP_MAGIC);
  to[4] = t->kind;
  to[5] = n->level;
  put_u64_le(to + 8, n->number);
  for (size_t i = 0; i < MAP_FANOUT; i++) {
    uint8_t *entry = to + MAP_HEADER_BYTES + i * MAP_ENTRY_BYTES;
    put_u32_le(entry, (uint32_t) n->physical[i]);
    put_u16_le(entry + 4, (uint16_t) (n->physical[i] >> 32));
    put_u32_le(entry + 6, n->checksum[i]);
    set += n->physical[i] != 0;
  }
  put_u16_le(to + 6, set);
}

uint64_t map_page_number(const uint8_t *page) {
  return get_u64_le(page + 8);
}

bool map_page_is(const uint8_t *page, unsigned kind, unsigned level, uint64_t number) {
  return get_u32_le(page) == MAP_MAGIC && page[4] == kind && page[5] == level && map_page_number(page) == number;
}

struct map_place map_page_entry(const uint8_t *page, uint64_t slot) {
  const uint8_t *entry = page + MAP_HEADER_BYTES + slot * MAP_ENTRY_BYTES;
  return (struct map_place){get_u32_le(entry) | (uint64_t) get_u16_le(entry + 4) << 32, get_u32_le(entry + 6)};
}

static bool decode(const struct map_tree *t, const uint8_t *from, struct map_node *n) {
  if (!map_page_is(from, t->kind, n->level, n->number)) return false;
  for (size_t i = 0; i < MAP_FANOUT; i++) {
    struct map_place at = map_page_entry(from, i);
    n->physical[i] = at.physical;
    n->checksum[i] = at.checksum;
    if (n->physical[i] >= t->space->physical.pages || (n->physical[i] != 0 && n->physical[i] < SUPERBLOCKS)) return false;
  }
  return true;
}

static enum err read_node(struct map_tree *t, struct map_node *n, uint64_t physical, uint32_t checksum, struct error *e) {
  uint8_t *page = mem_alloc(2 * PAGE_BYTES);
  if (page == NULL) return error_ensure(e, ERR_NOMEM);
  uint8_t *aligned = page_align(page);
  enum err err = page_read_physical(t->space, n->number, physical, checksum, aligned, e);
  if (err == ERR_OK && !decode(t, aligned, n))
    err = error_set(e, ERR_CORRUPT, "Physical page %llu is not map page %llu of level %u.", (unsigned long long) physical,
                    (unsigned long long) n->number, n->level);
  mem_free(page);
  return err;
}

enum err map_tree_place(struct map_tree *t, unsigned level, uint64_t number, uint64_t *ret_physical, uint32_t *ret_checksum, struct error *e) {
  if (level + 1 == t->levels) {
    *ret_physical = number == 0 ? t->root_physical : 0;
    *ret_checksum = t->root_checksum;
    return ERR_OK;
  }
  struct map_node *parent = NULL;
  TRY(map_tree_node(t, level + 1, number / MAP_FANOUT, &parent, e));
  *ret_physical = parent->physical[number % MAP_FANOUT];
  *ret_checksum = parent->checksum[number % MAP_FANOUT];
  return ERR_OK;
}

// Recursion is bounded by the number of levels.
enum err map_tree_node(struct map_tree *t, unsigned level, uint64_t number, struct map_node **ret, struct error *e) {
  assert(level < t->levels);
  struct map_node *n = map_tree_loaded(t, level, number);
  if (n != NULL) {
    *ret = n;
    return ERR_OK;
  }
  uint64_t physical = 0;
  uint32_t checksum = 0;
  TRY(map_tree_place(t, level, number, &physical, &checksum, e));
  n = mem_zalloc(level == 0 ? t->node_bytes0 : sizeof *n);
  if (n == NULL) return error_ensure(e, ERR_NOMEM);
  n->number = number;
  n->level = (uint8_t) level;
  enum err err = physical != 0 ? read_node(t, n, physical, checksum, e) : ERR_OK;
  if (err == ERR_OK && map_put(&t->nodes, node_key(level, number), (uintptr_t) n) != ERR_OK) err = error_ensure(e, ERR_NOMEM);
  if (err != ERR_OK) {
    mem_free(n);
    return err;
  }
  *ret = n;
  return ERR_OK;
}

enum err map_tree_touch(struct map_tree *t, struct map_node *n) {
  if (n->dirty) return ERR_OK;
  if (id_list_reserve(&t->dirty[n->level], 1) != ERR_OK) return ERR_NOMEM;
  id_list_push(&t->dirty[n->level], n->number);
  n->dirty = true;
  return ERR_OK;
}

enum err map_tree_move(struct map_tree *t, unsigned level, uint64_t number, uint64_t physical, uint32_t checksum, struct error *e) {
  struct page_space *s = t->space;
  uint64_t old = 0;
  uint32_t old_checksum = 0;
  TRY(map_tree_place(t, level, number, &old, &old_checksum, e));
  struct map_node *parent = NULL;
  if (level + 1 < t->levels) TRY(map_tree_node(t, level + 1, number / MAP_FANOUT, &parent, e));
  enum err err = parent != NULL ? map_tree_touch(t, parent) : ERR_OK;
  if (err == ERR_OK && old != physical) err = physical_reserve_limbo(s, 1);
  if (err == ERR_OK && old != physical) err = physical_move_reach(s, old, physical);
  if (err != ERR_OK) return error_ensure(e, err);
  if (old != 0 && old != physical) physical_release(s, old, s->sequence + 1);
  if (parent != NULL) {
    parent->physical[number % MAP_FANOUT] = physical;
    parent->checksum[number % MAP_FANOUT] = checksum;
  } else {
    t->root_physical = physical;
    t->root_checksum = checksum;
  }
  return ERR_OK;
}
