#include "base/map.h"

#include <string.h>

#include "base/checksum.h"
#include "base/mem.h"

enum { FREE, USED, DELETED };

void map_done(struct map *m) {
  mem_free(m->entries);
  mem_free(m->used);
  *m = MAP_INIT;
}

void map_clear(struct map *m) {
  if (m->capacity > 0) memset(m->used, FREE, m->capacity);
  m->len = m->filled = 0;
}

uint64_t *map_get(const struct map *m, uint64_t key) {
  if (m->len == 0) return NULL;
  size_t mask = m->capacity - 1;
  for (size_t i = hash_u64(key) & mask;; i = (i + 1) & mask) {
    if (m->used[i] == FREE) return NULL;
    if (m->used[i] == USED && m->entries[i].key == key) return &m->entries[i].value;
  }
}

static void map_place(struct map *m, uint64_t key, uint64_t value) {
  size_t mask = m->capacity - 1;
  size_t i = hash_u64(key) & mask;
  while (m->used[i] == USED) i = (i + 1) & mask;
  if (m->used[i] == FREE) m->filled++;
  m->used[i] = USED;
  m->entries[i] = (struct map_entry){key, value};
  m->len++;
}

static enum err map_rehash(struct map *m) {
  size_t capacity = 16;
  while (capacity < m->len * 3) capacity *= 2;
  struct map fresh = {mem_alloc(capacity * sizeof *fresh.entries), mem_zalloc(capacity), capacity, 0, 0};
  if (fresh.entries == NULL || fresh.used == NULL) {
    map_done(&fresh);
    return ERR_NOMEM;
  }
  size_t at = 0;
  for (struct map_entry *e; (e = map_next(m, &at)) != NULL;) map_place(&fresh, e->key, e->value);
  map_done(m);
  *m = fresh;
  return ERR_OK;
}

enum err map_put(struct map *m, uint64_t key, uint64_t value) {
  uint64_t *place = map_get(m, key);
  if (place != NULL) {
    *place = value;
    return ERR_OK;
  }
  if ((m->filled + 1) * 4 > m->capacity * 3) TRY(map_rehash(m));
  map_place(m, key, value);
  return ERR_OK;
}

/// A deleted entry is needed only to carry a search on: where the next one is free, it is free too, and so are those before it.
bool map_remove(struct map *m, uint64_t key) {
  uint64_t *place = map_get(m, key);
  if (place == NULL) return false;
  size_t mask = m->capacity - 1, i = (size_t) (CONTAINER_OF(place, struct map_entry, value) - m->entries);
  m->used[i] = DELETED;
  m->len--;
  if (m->used[(i + 1) & mask] != FREE) return true;
  for (; m->used[i] == DELETED; i = (i - 1) & mask) {
    m->used[i] = FREE;
    m->filled--;
  }
  return true;
}

struct map_entry *map_next(const struct map *m, size_t *at) {
  while (*at < m->capacity) {
    size_t i = (*at)++;
    if (m->used[i] == USED) return &m->entries[i];
  }
  return NULL;
}

void strmap_done(struct strmap *m) {
  mem_free(m->entries);
  *m = STRMAP_INIT;
}

static struct strmap_entry *strmap_slot(const struct strmap *m, struct str key, uint64_t hash) {
  size_t mask = m->capacity - 1;
  size_t i = hash & mask;
  while (m->entries[i].key.ptr != NULL && !(m->entries[i].hash == hash && str_eq(m->entries[i].key, key))) i = (i + 1) & mask;
  return &m->entries[i];
}

static uint64_t strmap_hash(struct str key) {
  return hash64(key.ptr, key.len, 0);
}

uint64_t *strmap_get(const struct strmap *m, struct str key) {
  if (m->len == 0) return NULL;
  struct strmap_entry *slot = strmap_slot(m, key, strmap_hash(key));
  return slot->key.ptr != NULL ? &slot->value : NULL;
}

static enum err strmap_grow(struct strmap *m) {
  size_t capacity = MAX(m->capacity * 2, 16);
  struct strmap fresh = {mem_zalloc(capacity * sizeof *fresh.entries), capacity, m->len};
  if (fresh.entries == NULL) return ERR_NOMEM;
  size_t at = 0;
  for (struct strmap_entry *e; (e = strmap_next(m, &at)) != NULL;) *strmap_slot(&fresh, e->key, e->hash) = *e;
  strmap_done(m);
  *m = fresh;
  return ERR_OK;
}

enum err strmap_put(struct strmap *m, struct str key, uint64_t value) {
  if ((m->len + 1) * 2 > m->capacity) TRY(strmap_grow(m));
  if (key.ptr == NULL) key = STR("");
  uint64_t hash = strmap_hash(key);
  struct strmap_entry *slot = strmap_slot(m, key, hash);
  if (slot->key.ptr == NULL) {
    *slot = (struct strmap_entry){key, hash, value};
    m->len++;
  } else {
    slot->value = value;
  }
  return ERR_OK;
}

/// Deletes by shifting back what probed past the hole (Knuth, 6.4 algorithm R), so that no tombstones gather.
bool strmap_remove(struct strmap *m, struct str key) {
  if (m->len == 0) return false;
  struct strmap_entry *slot = strmap_slot(m, key, strmap_hash(key));
  if (slot->key.ptr == NULL) return false;
  size_t mask = m->capacity - 1;
  size_t hole = (size_t) (slot - m->entries);
  for (size_t i = (hole + 1) & mask; m->entries[i].key.ptr != NULL; i = (i + 1) & mask) {
    size_t home = m->entries[i].hash & mask;
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      m->entries[hole] = m->entries[i];
      hole = i;
    }
  }
  m->entries[hole].key = STR_NONE;
  m->len--;
  return true;
}

struct strmap_entry *strmap_next(const struct strmap *m, size_t *at) {
  while (*at < m->capacity) {
    size_t i = (*at)++;
    if (m->entries[i].key.ptr != NULL) return &m->entries[i];
  }
  return NULL;
}
