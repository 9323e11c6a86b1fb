#include "graph/key_int.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "graph/layout_int.h"

enum { LIST_END = 0x00, NUMBER_CLASS = 0x50, DEPTH_MAX = 4 };

uint8_t key_class(struct value v) {
  static const uint8_t classes[VALUE_TYPE_MAX] = {
      [VALUE_LIST] = 0x10,           [VALUE_BYTES] = 0x14,  [VALUE_POINT] = 0x18, [VALUE_DATETIME] = 0x20,
      [VALUE_LOCAL_DATETIME] = 0x24, [VALUE_DATE] = 0x28,   [VALUE_TIME] = 0x2C,  [VALUE_LOCAL_TIME] = 0x30,
      [VALUE_DURATION] = 0x34,       [VALUE_STRING] = 0x40, [VALUE_BOOL] = 0x48,  [VALUE_INT] = NUMBER_CLASS,
      [VALUE_FLOAT] = NUMBER_CLASS,
  };
  return v.type < VALUE_TYPE_MAX ? classes[v.type] : 0;
}

static enum err put_u64(struct buf *b, uint64_t v) {
  uint8_t bytes[8];
  put_u64_be(bytes, v);
  return buf_append(b, bytes, sizeof bytes);
}

static enum err put_u32(struct buf *b, uint32_t v) {
  uint8_t bytes[4];
  put_u32_be(bytes, v);
  return buf_append(b, bytes, sizeof bytes);
}

static enum err put_i64(struct buf *b, int64_t v) {
  return put_u64(b, (uint64_t) v ^ UINT64_C(1) << 63);
}

static enum err put_i32(struct buf *b, int32_t v) {
  return put_u32(b, (uint32_t) v ^ UINT32_C(1) << 31);
}

/// A double's bits, so turned that they compare as unsigned integers. NaN becomes the greatest; -0.0 is 0.0.
static uint64_t ordered_double(double d) {
  if (isnan(d)) return UINT64_MAX;
  if (d == 0) d = 0;
  uint64_t bits;
  memcpy(&bits, &d, sizeof bits);
  return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

/// The greatest double that is not above `i`, then how far `i` is above it: 0 for every float.
static enum err put_int(struct buf *b, int64_t i) {
  double below = (double) i;
  if ((__int128) below > i) below = nextafter(below, -INFINITY);
  TRY(put_u64(b, ordered_double(below)));
  uint8_t rest[2];
  put_u16_be(rest, (uint16_t) (i - (int64_t) below));
  return buf_append(b, rest, sizeof rest);
}

static enum err put_float(struct buf *b, double d) {
  TRY(put_u64(b, ordered_double(d)));
  return buf_append(b, "\0\0", 2);
}

enum err key_put_nan(struct buf *b) {
  TRY(buf_append_byte(b, NUMBER_CLASS));
  return put_u64(b, UINT64_MAX);
}

static enum err put_escaped(struct buf *b, struct str s) {
  while (s.len > 0) {
    const char *zero = memchr(s.ptr, 0, s.len);
    size_t n = zero != NULL ? (size_t) (zero - s.ptr) : s.len;
    TRY(buf_append(b, s.ptr, n));
    if (zero != NULL) {
      TRY(buf_append(b, "\0\xFF", 2));
      n++;
    }
    s = (struct str){s.ptr + n, s.len - n};
  }
  return ERR_OK;
}

static enum err put_text(struct buf *b, struct str s) {
  TRY(put_escaped(b, s));
  return buf_append(b, "\0\0", 2);
}

enum err key_put_prefix(struct buf *b, struct str prefix) {
  TRY(buf_append_byte(b, key_class(v_str(prefix))));
  return put_escaped(b, prefix);
}

static enum err put_point(struct buf *b, const struct value_point *p) {
  TRY(put_u32(b, p->srid));
  TRY(put_u64(b, ordered_double(p->x)));
  TRY(put_u64(b, ordered_double(p->y)));
  return put_u64(b, ordered_double(p->z));
}

/// By mean length first, as value_order.
static enum err put_duration(struct buf *b, const struct value_duration *d) {
  __int128 length = (__int128) d->months * 2629746 + (__int128) d->days * 86400 + d->seconds;
  unsigned __int128 flipped = (unsigned __int128) length ^ (unsigned __int128) 1 << 127;
  TRY(put_u64(b, (uint64_t) (flipped >> 64)));
  TRY(put_u64(b, (uint64_t) flipped));
  TRY(put_i32(b, d->nanos));
  TRY(put_i64(b, d->months));
  return put_i64(b, d->days);
}

static enum err put_value(struct buf *b, struct value v, int depth);

static enum err put_list(struct buf *b, struct value v, int depth) {
  if (depth >= DEPTH_MAX) return ERR_INVALID;
  for (uint32_t i = 0; i < v.len; i++) TRY(put_value(b, v.items[i], depth + 1));
  return buf_append_byte(b, LIST_END);
}

static enum err put_value(struct buf *b, struct value v, int depth) {
  uint8_t class = key_class(v);
  if (class == 0) return ERR_INVALID;
  TRY(buf_append_byte(b, class));
  switch ((enum value_type) v.type) {
  case VALUE_BOOL: return buf_append_byte(b, v.b);
  case VALUE_INT: return put_int(b, v.i);
  case VALUE_FLOAT: return put_float(b, v.f);
  case VALUE_STRING: return put_text(b, v_text(v));
  case VALUE_BYTES: return put_text(b, (struct str){(const char *) v.bytes, v.len});
  case VALUE_LIST: return put_list(b, v, depth);
  case VALUE_DATE:
  case VALUE_LOCAL_TIME: return put_i64(b, v.i);
  case VALUE_TIME: TRY(put_i64(b, v.i - v.aux * INT64_C(1000000000))); return put_i32(b, v.aux);
  case VALUE_LOCAL_DATETIME: TRY(put_i64(b, v.i)); return put_u32(b, v.len);
  case VALUE_DATETIME:
    TRY(put_i64(b, v.i));
    TRY(put_u32(b, v.len));
    return put_i32(b, v.aux);
  case VALUE_DURATION: return put_duration(b, v.duration);
  case VALUE_POINT: return put_point(b, v.point);
  default: return ERR_INVALID;
  }
}

enum err key_put_value(struct buf *b, struct value v) {
  return put_value(b, v, 0);
}

bool key_cut(struct buf *b) {
  if (b->len < KEY_VALUES_MAX) return false;
  uint64_t one = hash64(b->data, b->len, 0), two = hash64(b->data, b->len, 0x9E3779B97F4A7C15u);
  put_u64_be(b->data + KEY_CUT_BYTES, one);
  put_u64_be(b->data + KEY_CUT_BYTES + 8, two);
  b->len = KEY_VALUES_MAX;
  return true;
}

enum err key_make(struct buf *b, const struct value *values, uint32_t n, graph_id id, bool *ret_cut) {
  buf_clear(b);
  for (uint32_t i = 0; i < n; i++) TRY(key_put_value(b, values[i]));
  bool cut = key_cut(b);
  if (ret_cut != NULL) *ret_cut = cut;
  uint8_t tail[KEY_ID_BYTES];
  put_u40_be(tail, id);
  return buf_append(b, tail, sizeof tail);
}

graph_id key_id(struct str key) {
  return key.len >= KEY_ID_BYTES ? get_u40_be((const uint8_t *) key.ptr + key.len - KEY_ID_BYTES) : UINT64_MAX;
}

/// Bytes of a value of that class behind its first one; 0 for what has no fixed length.
static size_t fixed_bytes(uint8_t class) {
  static const struct {
    uint8_t type, bytes;
  } sizes[] = {
      {VALUE_POINT, 4 + 3 * 8}, {VALUE_LOCAL_DATETIME, 8 + 4},       {VALUE_DATE, 8}, {VALUE_TIME, 8 + 4},
      {VALUE_LOCAL_TIME, 8},    {VALUE_DURATION, 8 + 8 + 4 + 8 + 8}, {VALUE_BOOL, 1}, {VALUE_INT, 8 + 2},
  };
  for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
    if (key_class((struct value){.type = sizes[i].type}) == class) return sizes[i].bytes;
  return 0;
}

/// Where the text that starts at `at` ends, behind its 00 00.
static size_t text_end(struct str values, size_t at) {
  while (at + 1 < values.len && !(values.ptr[at] == 0 && values.ptr[at + 1] == 0)) at += values.ptr[at] == 0 ? 2 : 1;
  return at + 2;
}

size_t key_ordered_bytes(struct str values) {
  enum { INSTANT_BYTES = 8 + 4 };
  size_t end = values.len == KEY_VALUES_MAX ? KEY_CUT_BYTES : values.len;
  for (size_t at = 0; at < end;) {
    uint8_t class = (uint8_t) values.ptr[at];
    if (class == key_class((struct value){.type = VALUE_DATETIME})) return MIN(end, at + 1 + INSTANT_BYTES);
    if (class == key_class((struct value){.type = VALUE_STRING})) {
      at = text_end(values, at + 1);
      continue;
    }
    size_t fixed = fixed_bytes(class);
    if (fixed == 0) return at;
    at += 1 + fixed;
  }
  return end;
}
