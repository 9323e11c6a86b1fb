#include "cli/packed.h"

#include <string.h>

#include "base/bytes.h"

enum { DEPTH_MAX = 1000 };

struct reader {
  struct arena *arena;
  const uint8_t *at, *end;
  unsigned depth;
  struct error *error;
};

static enum err malformed(struct reader *r, const char *what) {
  return error_set(r->error, ERR_PROTOCOL, "The server sent something that is no PackStream: %s", what);
}

static enum err take(struct reader *r, size_t n, const uint8_t **ret) {
  if ((size_t) (r->end - r->at) < n) return malformed(r, "it ends too early");
  *ret = r->at;
  r->at += n;
  return ERR_OK;
}

/// A size in 1, 2 or 4 bytes.
static enum err take_size(struct reader *r, unsigned power, uint32_t *ret) {
  const uint8_t *p;
  TRY(take(r, (size_t) 1 << power, &p));
  *ret = power == 0 ? p[0] : power == 1 ? get_u16_be(p) : get_u32_be(p);
  return ERR_OK;
}

static enum err read_value(struct reader *r, struct packed *ret);

static enum err read_text(struct reader *r, enum packed_kind kind, uint32_t len, struct packed *ret) {
  const uint8_t *p;
  TRY(take(r, len, &p));
  ret->kind = kind;
  ret->s = (struct str){(const char *) p, len};
  return ERR_OK;
}

static enum err read_items(struct reader *r, enum packed_kind kind, uint32_t len, struct packed *ret) {
  uint64_t count = kind == PACKED_MAP ? (uint64_t) len * 2 : len;
  if (count > (uint64_t) (r->end - r->at)) return malformed(r, "a size is larger than the message");
  struct packed *items = ARENA_ARRAY(r->arena, struct packed, count);
  if (items == NULL) return arena_err(r->arena, r->error);
  if (++r->depth > DEPTH_MAX) return malformed(r, "it is nested too deeply");
  for (uint64_t i = 0; i < count; i++) {
    TRY(read_value(r, &items[i]));
    if (kind == PACKED_MAP && i % 2 == 0 && items[i].kind != PACKED_STRING) return malformed(r, "a key is not a string");
  }
  r->depth--;
  ret->kind = kind;
  ret->len = len;
  ret->items = items;
  return ERR_OK;
}

static enum err read_struct(struct reader *r, uint32_t len, struct packed *ret) {
  const uint8_t *tag;
  TRY(take(r, 1, &tag));
  TRY(read_items(r, PACKED_STRUCT, len, ret));
  ret->tag = *tag;
  return ERR_OK;
}

static enum err read_number(struct reader *r, uint8_t marker, struct packed *ret) {
  const uint8_t *p;
  TRY(take(r, marker == 0xC1 ? 8 : (size_t) 1 << (marker - 0xC8), &p));
  ret->kind = marker == 0xC1 ? PACKED_FLOAT : PACKED_INT;
  if (marker == 0xC1) {
    uint64_t bits = get_u64_be(p);
    memcpy(&ret->f, &bits, sizeof ret->f);
  } else {
    ret->i = marker == 0xC8 ? (int8_t) p[0] : marker == 0xC9 ? (int16_t) get_u16_be(p) : marker == 0xCA ? (int32_t) get_u32_be(p) : (int64_t) get_u64_be(p);
  }
  return ERR_OK;
}

/// Markers whose size follows in 1, 2 or 4 bytes.
static enum err read_sized(struct reader *r, uint8_t marker, struct packed *ret) {
  uint32_t len;
  if (marker >= 0xCC && marker <= 0xCE) {
    TRY(take_size(r, marker - 0xCCu, &len));
    return read_text(r, PACKED_BYTES, len, ret);
  }
  if (marker < 0xD0 || marker > 0xDA || (marker & 3) == 3) return malformed(r, "an unknown marker");
  TRY(take_size(r, marker & 3u, &len));
  if (marker < 0xD4) return read_text(r, PACKED_STRING, len, ret);
  return read_items(r, marker < 0xD8 ? PACKED_LIST : PACKED_MAP, len, ret);
}

static enum err read_marked(struct reader *r, uint8_t m, struct packed *ret) {
  if (m < 0x80 || m >= 0xF0) {
    ret->kind = PACKED_INT;
    ret->i = (int8_t) m;
    return ERR_OK;
  }
  switch (m & 0xF0) {
    case 0x80: return read_text(r, PACKED_STRING, m & 0x0Fu, ret);
    case 0x90: return read_items(r, PACKED_LIST, m & 0x0Fu, ret);
    case 0xA0: return read_items(r, PACKED_MAP, m & 0x0Fu, ret);
    case 0xB0: return read_struct(r, m & 0x0Fu, ret);
  }
  if (m == 0xC0) return ret->kind = PACKED_NULL, ERR_OK;
  if (m == 0xC2 || m == 0xC3) {
    ret->kind = PACKED_BOOL;
    ret->b = m == 0xC3;
    return ERR_OK;
  }
  return m == 0xC1 || (m >= 0xC8 && m <= 0xCB) ? read_number(r, m, ret) : read_sized(r, m, ret);
}

static enum err read_value(struct reader *r, struct packed *ret) {
  const uint8_t *begin = r->at, *marker;
  TRY(take(r, 1, &marker));
  *ret = (struct packed){0};
  TRY(read_marked(r, *marker, ret));
  ret->bytes = (struct str){(const char *) begin, (size_t) (r->at - begin)};
  return ERR_OK;
}

enum err packed_read(struct arena *a, struct str *rest, struct packed *ret, struct error *e) {
  struct reader r = {.arena = a, .at = (const uint8_t *) rest->ptr, .end = (const uint8_t *) rest->ptr + rest->len, .error = e};
  struct packed value;
  TRY(read_value(&r, &value));
  *rest = (struct str){(const char *) r.at, (size_t) (r.end - r.at)};
  *ret = value;
  return ERR_OK;
}

const struct packed *packed_get(const struct packed *map, const char *key) {
  if (map == NULL || map->kind != PACKED_MAP) return NULL;
  for (uint32_t i = 0; i < map->len; i++)
    if (str_eqz(map->items[2 * i].s, key)) return &map->items[2 * i + 1];
  return NULL;
}

struct str packed_get_str(const struct packed *map, const char *key) {
  const struct packed *p = packed_get(map, key);
  return p != NULL && p->kind == PACKED_STRING ? p->s : STR("");
}

int64_t packed_get_int(const struct packed *map, const char *key, int64_t otherwise) {
  const struct packed *p = packed_get(map, key);
  return p != NULL && p->kind == PACKED_INT ? p->i : otherwise;
}
