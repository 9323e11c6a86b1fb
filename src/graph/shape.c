#include "graph/shape_int.h"

#include <string.h>

#include "base/checksum.h"
#include "base/mem.h"
#include "graph/chunked_int.h"
#include "graph/layout_int.h"

enum { RUN_END_BYTES = 4 };

void shapes_init(struct shapes *s) {
  *s = (struct shapes){0};
}

static void shapes_drop_all(struct shapes *s) {
  for (uint64_t i = 0; (i = stable_next(&s->table, i)) != UINT64_MAX; i++)
    mem_free((void *) (uintptr_t) stable_get(&s->table, i));
}

void shapes_done(struct shapes *s) {
  shapes_drop_all(s);
  stable_done(&s->table);
  map_done(&s->by_hash);
}

/// Places fixed bytes and ends of runs one behind the other from `base` on. Keys and tags are set.
static void lay_out(struct shape *s, uint32_t base) {
  uint32_t at = base, previous = 0;
  for (uint32_t i = 0; i < s->count; i++) {
    struct shape_property *p = &s->properties[i];
    bool run = stored_is_run((enum stored_tag) p->tag);
    p->offset = at;
    p->previous = run ? previous : 0;
    if (run) previous = at;
    at += run ? RUN_END_BYTES : stored_width((enum stored_tag) p->tag);
  }
  s->runs_at = at;
}

static uint64_t hash_of(const uint8_t *words, size_t bytes) {
  return hash64(words, bytes, 0);
}

/// Keys and tags in their stored form, 4 bytes each.
static void pack(uint8_t *to, const struct stored *list, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    put_u24(to + 4 * i, list[i].key);
    to[4 * i + 3] = list[i].tag;
  }
}

static bool packed_is_valid(const uint8_t *words, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    if (words[4 * i + 3] == STORED_NONE || words[4 * i + 3] >= STORED_TAG_MAX) return false;
    if (i > 0 && get_u24(words + 4 * i) <= get_u24(words + 4 * i - 4)) return false;
  }
  return true;
}

static void unpack(struct shape *s, const uint8_t *words) {
  for (uint32_t i = 0; i < s->count; i++)
    s->properties[i] = (struct shape_property){get_u24(words + 4 * i), words[4 * i + 3], 0, 0};
}

static size_t shape_bytes(uint32_t n) {
  return sizeof(struct shape) + n * sizeof(struct shape_property);
}

/// Puts a shape into the tables under `id`.
static enum err shapes_add(struct shapes *s, uint32_t id, const uint8_t *words, uint32_t n) {
  struct shape *shape = mem_alloc(shape_bytes(n));
  if (shape == NULL) return ERR_NOMEM;
  shape->id = id;
  shape->count = n;
  unpack(shape, words);
  lay_out(shape, SHAPE_ID_BYTES);
  enum err err = map_put(&s->by_hash, hash_of(words, 4 * n), id);
  if (err == ERR_OK) err = stable_set(&s->table, id, (uintptr_t) shape);
  if (err != ERR_OK) mem_free(shape);
  return err;
}

static enum err load_one(void *context, const uint8_t *key, struct str value, struct error *e) {
  struct shapes *s = context;
  uint32_t id = get_u32_be(key), n = (uint32_t) (value.len / 4);
  const uint8_t *words = (const uint8_t *) value.ptr;
  if (id != s->count + 1 || value.len % 4 != 0 || n > SHAPE_PROPERTIES_MAX || !packed_is_valid(words, n))
    return error_set(e, ERR_CORRUPT, "shape %u makes no sense", id);
  s->count = id;
  if (shapes_get(s, id) != NULL) return ERR_OK; // readers hold it; shapes never change
  enum err err = shapes_add(s, id, words, n);
  return err == ERR_OK ? err : error_ensure(e, err);
}

/// A shape that an aborted batch had made stays in the table until its number is given out again (shapes_find replaces it: no
/// published page names it, so no reader looks).
enum err shapes_load(struct shapes *s, const struct page_view *v, struct error *e) {
  uint32_t had = s->count;
  s->count = 0;
  TRY(chunked_each(v, s->root, 4, load_one, s, e));
  for (uint32_t id = s->count + 1; id <= had; id++) {
    mem_free((void *) (uintptr_t) stable_get(&s->table, id));
    TRY(stable_set(&s->table, id, 0));
  }
  return ERR_OK;
}

static bool shape_is(const struct shape *s, const struct stored *list, uint32_t n) {
  if (s == NULL || s->count != n) return false;
  for (uint32_t i = 0; i < n; i++)
    if (s->properties[i].key != list[i].key || s->properties[i].tag != list[i].tag) return false;
  return true;
}

static enum err shapes_make(struct shapes *s, struct page_batch *b, const uint8_t *words, uint32_t n, struct error *e) {
  uint32_t id = s->count + 1;
  uint8_t key[4];
  put_u32_be(key, id);
  TRY(chunked_put(b, s->root, (struct bytes){key, sizeof key}, (struct str){(const char *) words, 4 * n}, e));
  enum err err = shapes_add(s, id, words, n);
  if (err != ERR_OK) return error_ensure(e, err);
  s->count = id;
  return ERR_OK;
}

enum err shapes_find(struct shapes *s, struct page_batch *b, const struct stored *list, uint32_t n, const struct shape **ret,
                     struct error *e) {
  *ret = NULL;
  if (n > SHAPE_PROPERTIES_MAX) return ERR_OK;
  uint8_t words[4 * SHAPE_PROPERTIES_MAX];
  pack(words, list, n);
  uint64_t *known = map_get(&s->by_hash, hash_of(words, 4 * n));
  const struct shape *found = known != NULL ? shapes_get(s, (uint32_t) *known) : NULL;
  if (shape_is(found, list, n)) {
    *ret = found;
    return ERR_OK;
  }
  if (s->count >= SHAPES_MAX) return ERR_OK;
  TRY(shapes_make(s, b, words, n, e));
  *ret = shapes_get(s, s->count);
  return ERR_OK;
}

enum err shape_described(const uint8_t *block, uint64_t room, struct arena *a, const struct shape **ret, struct error *e) {
  uint32_t n = room >= 8 ? get_u32_le(block + 4) : UINT32_MAX;
  if (n > DESCRIBED_PROPERTIES_MAX || shape_described_bytes(n) > room || !packed_is_valid(block + 8, n))
    return error_set(e, ERR_CORRUPT, "a property block describes itself wrongly");
  struct shape *s = arena_alloc(a, shape_bytes(n));
  if (s == NULL) return arena_err(a, e);
  s->id = 0;
  s->count = n;
  unpack(s, block + 8);
  lay_out(s, shape_described_bytes(n));
  *ret = s;
  return ERR_OK;
}

const struct shape_property *shape_find(const struct shape *s, uint32_t key) {
  if (s->count <= 8) {
    for (uint32_t i = 0; i < s->count; i++)
      if (s->properties[i].key == key) return &s->properties[i];
    return NULL;
  }
  uint32_t low = 0, high = s->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (s->properties[middle].key < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low < s->count && s->properties[low].key == key ? &s->properties[low] : NULL;
}
