#include "graph/property_int.h"

#include <string.h>

#include "graph/extent_int.h"

static enum err bad_block(struct error *e) {
  return error_set(e, ERR_CORRUPT, "a property block makes no sense");
}

static enum err block_bytes(const struct page_view *v, struct property_place place, struct arena *a, struct property_block *ret,
                            struct error *e) {
  if (place.in_record != NULL) {
    ret->at = place.in_record;
    ret->room = PROPERTY_INLINE_BYTES;
    return ERR_OK;
  }
  if (block_kind(place.pointer) == BLOCK_EXTENT) {
    struct str all;
    uint64_t bytes;
    TRY(extent_length(v, place.pointer, &bytes, e));
    TRY(extent_read(v, place.pointer, bytes, a, &all, e));
    ret->at = (const uint8_t *) all.ptr;
    ret->room = all.len;
    return ERR_OK;
  }
  unsigned room;
  TRY(block_read(v, place.pointer, &ret->at, &room, e));
  ret->room = room;
  return ERR_OK;
}

enum err property_open(const struct shapes *s, const struct page_view *v, struct property_place place, struct arena *a,
                       struct property_block *ret, struct error *e) {
  struct property_block b = {0};
  if (place.in_record != NULL || place.pointer != BLOCK_NONE) {
    TRY(block_bytes(v, place, a, &b, e));
    if (b.room < SHAPE_ID_BYTES) return bad_block(e);
    uint32_t id = get_u32_le(b.at);
    if (id == 0)
      TRY(shape_described(b.at, b.room, a, &b.shape, e));
    else
      b.shape = shapes_get(s, id);
    if (b.shape == NULL || b.shape->runs_at > b.room) return bad_block(e);
  }
  *ret = b;
  return ERR_OK;
}

enum err property_run(const struct property_block *b, const struct shape_property *p, struct str *ret, struct error *e) {
  uint64_t from = p->previous != 0 ? get_u32_le(b->at + p->previous) : 0, to = get_u32_le(b->at + p->offset);
  if (from > to || to > b->room - b->shape->runs_at) return bad_block(e);
  *ret = (struct str){(const char *) b->at + b->shape->runs_at + from, to - from};
  return ERR_OK;
}

/// A big run: its extent and how long it is.
static enum err big_run(const struct page_view *v, const uint8_t *fixed, struct arena *a, struct str *ret, struct error *e) {
  uint64_t bytes = get_u64_le(fixed + 8);
  if (bytes > UINT32_MAX) return bad_block(e);
  return extent_read(v, get_u64_le(fixed), bytes, a, ret, e);
}

enum err property_value(const struct page_view *v, const struct property_block *b, const struct shape_property *p,
                        struct arena *a, struct value *ret, struct error *e) {
  enum stored_tag tag = (enum stored_tag) p->tag;
  struct str run = STR_NONE;
  if (stored_is_run(tag)) {
    TRY(property_run(b, p, &run, e));
  } else if (stored_is_big(tag)) {
    TRY(big_run(v, b->at + p->offset, a, &run, e));
    tag = (enum stored_tag)(tag - STORED_STRING_BIG + STORED_STRING);
  }
  return stored_value(tag, b->at + p->offset, run, a, ret, e);
}

enum err property_list(const struct property_block *b, struct arena *a, struct stored **ret, uint32_t *ret_n, struct error *e) {
  uint32_t n = b->shape != NULL ? b->shape->count : 0;
  struct stored *list = ARENA_ARRAY(a, struct stored, n);
  if (list == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < n; i++) {
    const struct shape_property *p = &b->shape->properties[i];
    list[i].key = p->key;
    list[i].tag = p->tag;
    list[i].run = STR_NONE;
    if (stored_is_run((enum stored_tag) p->tag))
      TRY(property_run(b, p, &list[i].run, e));
    else
      memcpy(list[i].fixed, b->at + p->offset, stored_width((enum stored_tag) p->tag));
  }
  *ret = list;
  *ret_n = n;
  return ERR_OK;
}

// ---- writing ----

static enum err move_big_runs(struct page_batch *b, struct stored *list, uint32_t n, struct error *e) {
  for (uint32_t i = 0; i < n; i++) {
    struct stored *p = &list[i];
    if (!stored_is_run((enum stored_tag) p->tag) || p->run.len <= PROPERTY_BIG_BYTES) continue;
    block_ptr at;
    TRY(extent_write(b, p->run, &at, e));
    p->tag = (uint8_t) (p->tag - STORED_STRING + STORED_STRING_BIG);
    put_u64_le(p->fixed, at);
    put_u64_le(p->fixed + 8, p->run.len);
    p->run = STR_NONE;
  }
  return ERR_OK;
}

static enum err put_head(struct buf *out, const struct shape *shape, const struct stored *list, uint32_t n) {
  uint8_t word[4];
  put_u32_le(word, shape != NULL ? shape->id : 0);
  TRY(buf_append(out, word, sizeof word));
  if (shape != NULL) return ERR_OK;
  put_u32_le(word, n);
  TRY(buf_append(out, word, sizeof word));
  for (uint32_t i = 0; i < n; i++) {
    put_u24(word, list[i].key);
    word[3] = list[i].tag;
    TRY(buf_append(out, word, sizeof word));
  }
  return ERR_OK;
}

static enum err put_body(struct buf *out, const struct stored *list, uint32_t n) {
  uint32_t end = 0;
  for (uint32_t i = 0; i < n; i++) {
    uint8_t word[4];
    bool run = stored_is_run((enum stored_tag) list[i].tag);
    if (run) put_u32_le(word, end += (uint32_t) list[i].run.len);
    TRY(buf_append(out, run ? word : list[i].fixed, run ? sizeof word : stored_width((enum stored_tag) list[i].tag)));
  }
  for (uint32_t i = 0; i < n; i++)
    if (stored_is_run((enum stored_tag) list[i].tag)) TRY(buf_append_str(out, list[i].run));
  return ERR_OK;
}

enum err property_encode(const struct property_store *s, struct page_batch *b, struct stored *list, uint32_t n, struct buf *out,
                         struct error *e) {
  const struct shape *shape;
  if (n > DESCRIBED_PROPERTIES_MAX)
    return error_set(e, ERR_LIMIT, "an entity has %u properties; %d is the limit", n, DESCRIBED_PROPERTIES_MAX);
  TRY(move_big_runs(b, list, n, e));
  TRY(shapes_find(s->shapes, b, list, n, &shape, e));
  buf_clear(out);
  enum err err = put_head(out, shape, list, n);
  if (err == ERR_OK) err = put_body(out, list, n);
  return err == ERR_OK ? err : error_ensure(e, err);
}

enum err property_place_block(const struct property_store *s, struct page_batch *b, struct str block, block_ptr *ret,
                              struct error *e) {
  if (block.len > BLOCK_BYTES_MAX) return extent_write(b, block, ret, e);
  void *at;
  TRY(blocks_alloc(s->blocks, b, (unsigned) block.len, BLOCK_PROPERTIES, ret, &at, e));
  memcpy(at, block.ptr, block.len);
  return ERR_OK;
}

enum err property_replace_block(const struct property_store *s, struct page_batch *b, struct str block, block_ptr *pointer,
                                struct error *e) {
  void *at = NULL;
  bool in_slot = *pointer != BLOCK_NONE && block_kind(*pointer) != BLOCK_EXTENT && block.len <= BLOCK_BYTES_MAX;
  if (in_slot) TRY(blocks_reuse(b, *pointer, (unsigned) block.len, &at, e));
  if (at != NULL) {
    memcpy(at, block.ptr, block.len);
    return ERR_OK;
  }
  TRY(property_free_block(s, b, *pointer, e));
  return property_place_block(s, b, block, pointer, e);
}

enum err property_free_block(const struct property_store *s, struct page_batch *b, block_ptr p, struct error *e) {
  if (p == BLOCK_NONE) return ERR_OK;
  return block_kind(p) == BLOCK_EXTENT ? extent_free(b, p, e) : blocks_free(s->blocks, b, p, e);
}

enum err property_free_big(struct page_batch *b, const struct stored *p, struct error *e) {
  return stored_is_big((enum stored_tag) p->tag) ? extent_free(b, get_u64_le(p->fixed), e) : ERR_OK;
}
