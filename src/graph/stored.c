#include "graph/stored_int.h"

#include <string.h>

enum { LIST_ITEMS_MAX = 1 << 28 };

unsigned stored_width(enum stored_tag tag) {
  static const uint8_t widths[STORED_TAG_MAX] = {
      [STORED_BOOL] = 1,
      [STORED_INT] = 8,
      [STORED_FLOAT] = 8,
      [STORED_DATE] = 8,
      [STORED_LOCAL_TIME] = 8,
      [STORED_TIME] = 12,
      [STORED_LOCAL_DATETIME] = 12,
      [STORED_DATETIME] = 16,
      [STORED_DURATION] = 28,
      [STORED_POINT_2D] = 20,
      [STORED_POINT_3D] = 28,
      [STORED_STRING_BIG] = STORED_BIG_BYTES,
      [STORED_BYTES_BIG] = STORED_BIG_BYTES,
      [STORED_LIST_BIG] = STORED_BIG_BYTES,
  };
  return tag < STORED_TAG_MAX ? widths[tag] : 0;
}

static bool point_is_3d(uint32_t srid) {
  return srid == 4979 || srid == 9157;
}

/// The tag of a value that may be an item of a list, or STORED_NONE.
static enum stored_tag scalar_tag(struct value v) {
  static const uint8_t tags[VALUE_TYPE_MAX] = {
      [VALUE_BOOL] = STORED_BOOL,         [VALUE_INT] = STORED_INT,
      [VALUE_FLOAT] = STORED_FLOAT,       [VALUE_STRING] = STORED_STRING,
      [VALUE_DATE] = STORED_DATE,         [VALUE_LOCAL_TIME] = STORED_LOCAL_TIME,
      [VALUE_TIME] = STORED_TIME,         [VALUE_LOCAL_DATETIME] = STORED_LOCAL_DATETIME,
      [VALUE_DATETIME] = STORED_DATETIME, [VALUE_DURATION] = STORED_DURATION,
  };
  if (v.type == VALUE_POINT) return point_is_3d(v.point->srid) ? STORED_POINT_3D : STORED_POINT_2D;
  return v.type < VALUE_TYPE_MAX ? (enum stored_tag) tags[v.type] : STORED_NONE;
}

static bool is_number(enum stored_tag tag) {
  return tag == STORED_INT || tag == STORED_FLOAT;
}

/// Integers among floats become floats, as in Neo4j's arrays.
static enum err list_item_tag(struct value list, enum stored_tag *ret, struct error *e) {
  enum stored_tag all = STORED_NONE;
  for (uint32_t i = 0; i < list.len; i++) {
    struct value item = list.items[i];
    if (item.type == VALUE_NULL)
      return error_set(e, ERR_TYPE, "Collections containing null values can not be stored in properties.");
    if (item.type == VALUE_LIST || item.type == VALUE_BYTES)
      return error_set(e, ERR_TYPE, "Collections containing collections can not be stored in properties.");
    enum stored_tag tag = scalar_tag(item);
    if (tag == STORED_NONE)
      return error_set(e, ERR_TYPE, "Property values can only be of primitive types or arrays thereof. Encountered: %s.",
                       value_type_name(item.type));
    if (all == STORED_NONE) all = tag;
    if (all != tag && is_number(all) && is_number(tag))
      all = STORED_FLOAT;
    else if (all != tag)
      return error_set(e, ERR_TYPE,
                       "Neo4j only supports a subset of Cypher types for storage as singleton or array properties. "
                       "Please refer to section cypher/syntax/values of the manual for more details.");
  }
  *ret = all;
  return ERR_OK;
}

enum err stored_check(struct value v, struct error *e) {
  enum stored_tag ignored;
  if (v.type == VALUE_LIST) return list_item_tag(v, &ignored, e);
  if (v.type == VALUE_BYTES || v.type == VALUE_NULL || scalar_tag(v) != STORED_NONE) return ERR_OK;
  return error_set(e, ERR_TYPE, "Property values can only be of primitive types or arrays thereof. Encountered: %s.",
                   value_type_name(v.type));
}

static void put_double(uint8_t *to, double d) {
  memcpy(to, &d, sizeof d);
}

static double get_double(const uint8_t *from) {
  double d;
  memcpy(&d, from, sizeof d);
  return d;
}

static void put_duration(uint8_t *to, const struct value_duration *d) {
  put_u64_le(to, (uint64_t) d->months), put_u64_le(to + 8, (uint64_t) d->days), put_u64_le(to + 16, (uint64_t) d->seconds);
  put_u32_le(to + 24, (uint32_t) d->nanos);
}

static void put_point(uint8_t *to, const struct value_point *p) {
  put_u32_le(to, p->srid), put_double(to + 4, p->x), put_double(to + 12, p->y);
  if (point_is_3d(p->srid)) put_double(to + 20, p->z);
}

/// The fixed bytes of a scalar that is no text.
static void put_fixed(uint8_t *to, struct value v, enum stored_tag tag) {
  switch (tag) {
  case STORED_BOOL: to[0] = v.b; break;
  case STORED_FLOAT: put_double(to, v.type == VALUE_INT ? (double) v.i : v.f); break;
  case STORED_INT:
  case STORED_DATE:
  case STORED_LOCAL_TIME: put_u64_le(to, (uint64_t) v.i); break;
  case STORED_TIME: put_u64_le(to, (uint64_t) v.i), put_u32_le(to + 8, (uint32_t) v.aux); break;
  case STORED_LOCAL_DATETIME: put_u64_le(to, (uint64_t) v.i), put_u32_le(to + 8, v.len); break;
  case STORED_DATETIME: put_u64_le(to, (uint64_t) v.i), put_u32_le(to + 8, v.len), put_u32_le(to + 12, (uint32_t) v.aux); break;
  case STORED_DURATION: put_duration(to, v.duration); break;
  case STORED_POINT_2D:
  case STORED_POINT_3D: put_point(to, v.point); break;
  default: break;
  }
}

/// A list: item tag, count, then the items, each fixed bytes or length and text.
static enum err list_bytes(struct value v, struct buf *b, struct error *e) {
  enum stored_tag tag = STORED_NONE;
  TRY(list_item_tag(v, &tag, e));
  TRY(buf_append_byte(b, (uint8_t) tag));
  TRY(put_varint(b, v.len));
  for (uint32_t i = 0; i < v.len; i++) {
    if (tag == STORED_STRING) {
      TRY(put_str(b, v_text(v.items[i])));
    } else {
      uint8_t fixed[STORED_FIXED_MAX];
      put_fixed(fixed, v.items[i], tag);
      TRY(buf_append(b, fixed, stored_width(tag)));
    }
  }
  return ERR_OK;
}

static enum err stored_of_list(struct value v, struct arena *a, struct stored *ret, struct error *e) {
  CLEANUP(buf_done) struct buf b = BUF_INIT;
  enum err err = list_bytes(v, &b, e);
  if (err != ERR_OK) return error_ensure(e, err);
  struct str run = arena_str(a, buf_str(&b));
  if (run.ptr == NULL) return arena_err(a, e);
  ret->tag = STORED_LIST;
  ret->run = run;
  return ERR_OK;
}

enum err stored_of(struct value v, struct arena *a, struct stored *ret, struct error *e) {
  TRY(stored_check(v, e));
  if (v.type == VALUE_LIST) return stored_of_list(v, a, ret, e);
  if (v.type == VALUE_BYTES) {
    ret->tag = STORED_BYTES;
    ret->run = (struct str){(const char *) v.bytes, v.len};
    return ERR_OK;
  }
  ret->tag = (uint8_t) scalar_tag(v);
  ret->run = v.type == VALUE_STRING ? v_text(v) : STR_NONE;
  put_fixed(ret->fixed, v, (enum stored_tag) ret->tag);
  return ERR_OK;
}

static enum err corrupt_value(struct error *e) {
  return error_set(e, ERR_CORRUPT, "a stored value has bytes that make no sense");
}

static enum err take_duration(const uint8_t *from, struct arena *a, struct value *ret, struct error *e) {
  struct value_duration *d = ARENA_NEW(a, struct value_duration);
  if (d == NULL) return arena_err(a, e);
  *d = (struct value_duration){(int64_t) get_u64_le(from), (int64_t) get_u64_le(from + 8), (int64_t) get_u64_le(from + 16),
                               (int32_t) get_u32_le(from + 24)};
  *ret = (struct value){.type = VALUE_DURATION, .duration = d};
  return ERR_OK;
}

static enum err take_point(enum stored_tag tag, const uint8_t *from, struct arena *a, struct value *ret, struct error *e) {
  struct value_point *p = ARENA_NEW(a, struct value_point);
  if (p == NULL) return arena_err(a, e);
  *p = (struct value_point){get_u32_le(from), get_double(from + 4), get_double(from + 12),
                            tag == STORED_POINT_3D ? get_double(from + 20) : 0};
  *ret = (struct value){.type = VALUE_POINT, .point = p};
  return ERR_OK;
}

static enum err take_scalar(enum stored_tag tag, const uint8_t *from, struct arena *a, struct value *ret, struct error *e) {
  struct value v = {0};
  switch (tag) {
  case STORED_BOOL: v.type = VALUE_BOOL, v.b = from[0] != 0; break;
  case STORED_INT: v.type = VALUE_INT, v.i = (int64_t) get_u64_le(from); break;
  case STORED_FLOAT: v.type = VALUE_FLOAT, v.f = get_double(from); break;
  case STORED_DATE: v.type = VALUE_DATE, v.i = (int64_t) get_u64_le(from); break;
  case STORED_LOCAL_TIME: v.type = VALUE_LOCAL_TIME, v.i = (int64_t) get_u64_le(from); break;
  case STORED_TIME: v.type = VALUE_TIME, v.i = (int64_t) get_u64_le(from), v.aux = (int32_t) get_u32_le(from + 8); break;
  case STORED_LOCAL_DATETIME:
    v.type = VALUE_LOCAL_DATETIME, v.i = (int64_t) get_u64_le(from), v.len = get_u32_le(from + 8);
    break;
  case STORED_DATETIME:
    v.type = VALUE_DATETIME, v.i = (int64_t) get_u64_le(from), v.len = get_u32_le(from + 8),
    v.aux = (int32_t) get_u32_le(from + 12);
    break;
  case STORED_DURATION: return take_duration(from, a, ret, e);
  case STORED_POINT_2D:
  case STORED_POINT_3D: return take_point(tag, from, a, ret, e);
  default: return corrupt_value(e);
  }
  *ret = v;
  return ERR_OK;
}

static enum err take_list(struct str run, struct arena *a, struct value *ret, struct error *e) {
  struct bytes_in in = bytes_in_of(run);
  enum stored_tag tag = (enum stored_tag) take_byte(&in);
  uint64_t n = take_varint(&in, LIST_ITEMS_MAX);
  unsigned width = stored_width(tag);
  if (in.bad || stored_is_big(tag) || (n > 0 && width == 0 && tag != STORED_STRING) || n > (uint64_t) (in.end - in.at))
    return corrupt_value(e);
  struct value *items = ARENA_ARRAY(a, struct value, n);
  if (items == NULL) return arena_err(a, e);
  for (uint64_t i = 0; i < n && !in.bad; i++) {
    if (tag == STORED_STRING) {
      items[i] = v_str(take_str(&in, UINT32_MAX));
    } else {
      const uint8_t *from = take_bytes(&in, width);
      if (from != NULL) TRY(take_scalar(tag, from, a, &items[i], e));
    }
  }
  if (in.bad) return corrupt_value(e);
  *ret = v_list(items, (uint32_t) n);
  return ERR_OK;
}

enum err stored_value(enum stored_tag tag, const uint8_t *fixed, struct str run, struct arena *a, struct value *ret,
                      struct error *e) {
  if (run.len > UINT32_MAX) return corrupt_value(e);
  switch (tag) {
  case STORED_STRING: *ret = v_str(run); return ERR_OK;
  case STORED_BYTES: *ret = v_bytes(run.ptr, (uint32_t) run.len); return ERR_OK;
  case STORED_LIST: return take_list(run, a, ret, e);
  default: return take_scalar(tag, fixed, a, ret, e);
  }
}

enum err stored_put(struct buf *b, const struct stored *s) {
  TRY(buf_append_byte(b, s->tag));
  if (stored_is_run((enum stored_tag) s->tag)) return put_str(b, s->run);
  return buf_append(b, s->fixed, stored_width((enum stored_tag) s->tag));
}

void stored_take(struct bytes_in *in, struct stored *ret) {
  ret->tag = take_byte(in);
  ret->run = STR_NONE;
  if (ret->tag >= STORED_STRING_BIG) in->bad = true;
  if (stored_is_run((enum stored_tag) ret->tag)) {
    ret->run = take_str(in, UINT32_MAX);
  } else {
    unsigned width = stored_width((enum stored_tag) ret->tag);
    const uint8_t *from = take_bytes(in, width);
    if (from != NULL) memcpy(ret->fixed, from, width);
  }
}
