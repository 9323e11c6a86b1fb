#include <assert.h>

#include "base/map.h"
#include "value/spatial.h"
#include "value/temporal.h"
#include "wire/packstream_int.h"

enum { HEAD_BYTES_MAX = 5, NUMBER_BYTES_MAX = 9 };

static uint8_t *tail(struct buf *out) {
  return (uint8_t *) out->data + out->len;
}

static void advance(struct buf *out, const uint8_t *to) {
  out->len = (size_t) (to - (uint8_t *) out->data);
}

enum err packstream_write_null(struct buf *out) {
  return buf_append_byte(out, MARKER_NULL);
}

enum err packstream_write_bool(struct buf *out, bool b) {
  return buf_append_byte(out, b ? MARKER_TRUE : MARKER_FALSE);
}

enum err packstream_write_int(struct buf *out, int64_t i) {
  TRY(buf_reserve(out, NUMBER_BYTES_MAX));
  advance(out, packstream_put_int(tail(out), i));
  return ERR_OK;
}

enum err packstream_write_float(struct buf *out, double f) {
  TRY(buf_reserve(out, NUMBER_BYTES_MAX));
  advance(out, packstream_put_float(tail(out), f));
  return ERR_OK;
}

static enum err write_sized(struct buf *out, uint8_t tiny, uint8_t marker8, const void *bytes, uint32_t len) {
  TRY(buf_reserve(out, HEAD_BYTES_MAX + (size_t) len));
  uint8_t *p = packstream_put_size(tail(out), tiny, marker8, len);
  if (len > 0) memcpy(p, bytes, len);
  advance(out, p + len);
  return ERR_OK;
}

enum err packstream_write_str(struct buf *out, struct str s) {
  return write_sized(out, MARKER_TINY_STRING, MARKER_STRING8, s.ptr, (uint32_t) s.len);
}

enum err packstream_write_bytes(struct buf *out, const void *bytes, uint32_t len) {
  return write_sized(out, 0, MARKER_BYTES8, bytes, len);
}

static enum err write_head(struct buf *out, uint8_t tiny, uint8_t marker8, uint32_t size) {
  TRY(buf_reserve(out, HEAD_BYTES_MAX));
  advance(out, packstream_put_size(tail(out), tiny, marker8, size));
  return ERR_OK;
}

enum err packstream_write_list(struct buf *out, uint32_t items) {
  return write_head(out, MARKER_TINY_LIST, MARKER_LIST8, items);
}

enum err packstream_write_map(struct buf *out, uint32_t entries) {
  return write_head(out, MARKER_TINY_MAP, MARKER_MAP8, entries);
}

enum err packstream_write_struct(struct buf *out, uint8_t tag, uint32_t fields) {
  assert(fields < 16);
  TRY(buf_append_byte(out, (uint8_t) (MARKER_STRUCT | fields)));
  return buf_append_byte(out, tag);
}

/// Where a value goes and what may be used.
struct writer {
  struct buf *out;
  const struct packstream_profile *profile;
  size_t end; // the output must not grow beyond
  int depth;
  struct error *e;
};

enum err packstream_too_long(struct error *e) {
  return error_set(e, ERR_LIMIT, "A value of more than %d MiB cannot be sent. Return it in parts.",
                   PACKSTREAM_VALUE_BYTES_MAX >> 20);
}

static enum err write_value(struct writer *w, struct value v);

static enum err write_entries(struct writer *w, const struct value_entry *entries, uint32_t len) {
  TRY(packstream_write_map(w->out, len));
  for (uint32_t i = 0; i < len; i++) {
    TRY(packstream_write_str(w->out, entries[i].key));
    TRY(write_value(w, entries[i].value));
  }
  return ERR_OK;
}

static enum err write_items(struct writer *w, const struct value *items, uint32_t len) {
  TRY(packstream_write_list(w->out, len));
  for (uint32_t i = 0; i < len; i++) TRY(write_value(w, items[i]));
  return ERR_OK;
}

static enum err write_ints(struct buf *out, const int64_t *ints, size_t len) {
  for (size_t i = 0; i < len; i++) TRY(packstream_write_int(out, ints[i]));
  return ERR_OK;
}

#define WRITE_INTS(out, ...) \
  write_ints((out), (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static enum err write_node(struct writer *w, const struct value_node *n) {
  bool ids = w->profile->has_element_ids;
  TRY(packstream_write_struct(w->out, TAG_NODE, ids ? 4 : 3));
  TRY(packstream_write_int(w->out, (int64_t) n->id));
  TRY(packstream_write_list(w->out, n->label_count));
  for (uint32_t i = 0; i < n->label_count; i++) TRY(packstream_write_str(w->out, n->labels[i]));
  TRY(write_entries(w, n->properties, n->property_count));
  return ids ? packstream_write_str(w->out, n->element_id) : ERR_OK;
}

static enum err write_rel(struct writer *w, const struct value_rel *r) {
  bool ids = w->profile->has_element_ids;
  TRY(packstream_write_struct(w->out, TAG_REL, ids ? 8 : 5));
  TRY(WRITE_INTS(w->out, (int64_t) r->id, (int64_t) r->start, (int64_t) r->end));
  TRY(packstream_write_str(w->out, r->type));
  TRY(write_entries(w, r->properties, r->property_count));
  if (!ids) return ERR_OK;
  TRY(packstream_write_str(w->out, r->element_id));
  TRY(packstream_write_str(w->out, r->start_element_id));
  return packstream_write_str(w->out, r->end_element_id);
}

static enum err write_unbound_rel(struct writer *w, const struct value_rel *r) {
  bool ids = w->profile->has_element_ids;
  TRY(packstream_write_struct(w->out, TAG_UNBOUND_REL, ids ? 4 : 3));
  TRY(packstream_write_int(w->out, (int64_t) r->id));
  TRY(packstream_write_str(w->out, r->type));
  TRY(write_entries(w, r->properties, r->property_count));
  return ids ? packstream_write_str(w->out, r->element_id) : ERR_OK;
}

static enum err not_hydrated(struct writer *w) {
  return error_set(w->e, ERR_INTERNAL, "An entity reached the encoder as a bare id.");
}

/// A path's nodes or relationships without doubles, in order of first appearance.
struct distinct {
  struct map places; // entity id to place in `firsts`
  struct buf firsts; // struct value each
};

static void distinct_done(struct distinct *d) {
  map_done(&d->places);
  buf_done(&d->firsts);
}

static enum err distinct_add(struct distinct *d, const struct value *items, uint32_t len, struct writer *w) {
  for (uint32_t i = 0; i < len; i++) {
    if (!(items[i].aux & VALUE_HYDRATED)) return not_hydrated(w);
    if (map_get(&d->places, v_id(items[i])) != NULL) continue;
    TRY(map_put(&d->places, v_id(items[i]), d->firsts.len / sizeof(struct value)));
    TRY(buf_append(&d->firsts, &items[i], sizeof items[i]));
  }
  return ERR_OK;
}

static int64_t distinct_place(const struct distinct *d, struct value item) {
  return (int64_t) *map_get(&d->places, v_id(item));
}

static uint32_t distinct_count(const struct distinct *d) {
  return (uint32_t) (d->firsts.len / sizeof(struct value));
}

/// "indices = pairs (rel, node); rel is 1-based, negative = traversed against its direction; node is 0-based" (Bolt, Path).
static enum err write_steps(struct writer *w, const struct value_path *p, const struct distinct *nodes,
                            const struct distinct *rels) {
  TRY(packstream_write_list(w->out, p->len * 2));
  for (uint32_t i = 0; i < p->len; i++) {
    int64_t rel = distinct_place(rels, p->rels[i]) + 1;
    TRY(WRITE_INTS(w->out, p->reversed[i] ? -rel : rel, distinct_place(nodes, p->nodes[i + 1])));
  }
  return ERR_OK;
}

static enum err write_path(struct writer *w, const struct value_path *p) {
  CLEANUP(distinct_done) struct distinct nodes = {MAP_INIT, BUF_INIT};
  CLEANUP(distinct_done) struct distinct rels = {MAP_INIT, BUF_INIT};
  TRY(distinct_add(&nodes, p->nodes, p->len + 1, w));
  TRY(distinct_add(&rels, p->rels, p->len, w));
  TRY(packstream_write_struct(w->out, TAG_PATH, 3));
  TRY(packstream_write_list(w->out, distinct_count(&nodes)));
  for (uint32_t i = 0; i < distinct_count(&nodes); i++) TRY(write_node(w, ((struct value *) nodes.firsts.data)[i].node));
  TRY(packstream_write_list(w->out, distinct_count(&rels)));
  for (uint32_t i = 0; i < distinct_count(&rels); i++) TRY(write_unbound_rel(w, ((struct value *) rels.firsts.data)[i].rel));
  return write_steps(w, p, &nodes, &rels);
}

static enum err write_datetime(struct writer *w, struct value v) {
  bool utc = w->profile->utc_datetimes;
  int32_t offset = zone_offset_at(v.aux, v.i);
  struct str name = zone_name(v.aux);
  uint8_t tag = name.ptr != NULL ? (utc ? TAG_DATETIME_ZONE_UTC : TAG_DATETIME_ZONE_LEGACY)
                                 : (utc ? TAG_DATETIME_UTC : TAG_DATETIME_LEGACY);
  TRY(packstream_write_struct(w->out, tag, 3));
  TRY(WRITE_INTS(w->out, utc ? v.i : v.i + offset, v.len));
  return name.ptr != NULL ? packstream_write_str(w->out, name) : packstream_write_int(w->out, offset);
}

static enum err write_point(struct writer *w, const struct value_point *p) {
  bool is_3d = spatial_is_3d(p->srid);
  TRY(packstream_write_struct(w->out, is_3d ? TAG_POINT_3D : TAG_POINT_2D, is_3d ? 4 : 3));
  TRY(packstream_write_int(w->out, p->srid));
  TRY(packstream_write_float(w->out, p->x));
  TRY(packstream_write_float(w->out, p->y));
  return is_3d ? packstream_write_float(w->out, p->z) : ERR_OK;
}

static enum err write_duration(struct buf *out, const struct value_duration *d) {
  TRY(packstream_write_struct(out, TAG_DURATION, 4));
  return WRITE_INTS(out, d->months, d->days, d->seconds, d->nanos);
}

static enum err write_integer_structure(struct buf *out, uint8_t tag, const int64_t *fields, uint32_t len) {
  TRY(packstream_write_struct(out, tag, len));
  return write_ints(out, fields, len);
}

static enum err write_temporal(struct writer *w, struct value v) {
  if (!w->profile->has_temporal)
    return error_set(w->e, ERR_TYPE, "Bolt 1 cannot carry a %s. Return its text with toString(), or use a newer driver.",
                     value_type_name((enum value_type) v.type));
  switch ((enum value_type) v.type) {
  case VALUE_DATE: return write_integer_structure(w->out, TAG_DATE, (const int64_t[]){v.i}, 1);
  case VALUE_LOCAL_TIME: return write_integer_structure(w->out, TAG_LOCAL_TIME, (const int64_t[]){v.i}, 1);
  case VALUE_TIME: return write_integer_structure(w->out, TAG_TIME, (const int64_t[]){v.i, v.aux}, 2);
  case VALUE_LOCAL_DATETIME: return write_integer_structure(w->out, TAG_LOCAL_DATETIME, (const int64_t[]){v.i, v.len}, 2);
  case VALUE_DATETIME: return write_datetime(w, v);
  case VALUE_DURATION: return write_duration(w->out, v.duration);
  default: return write_point(w, v.point);
  }
}

static enum err write_nested(struct writer *w, struct value v) {
  if (w->depth >= VALUE_DEPTH_MAX)
    return error_set(w->e, ERR_LIMIT, "The value is nested more than %d levels deep.", VALUE_DEPTH_MAX);
  if ((v.type == VALUE_NODE || v.type == VALUE_REL) && !(v.aux & VALUE_HYDRATED)) return not_hydrated(w);
  w->depth++;
  enum err err = ERR_OK;
  switch ((enum value_type) v.type) {
  case VALUE_LIST: err = write_items(w, v.items, v.len); break;
  case VALUE_MAP: err = write_entries(w, v.entries, v.len); break;
  case VALUE_NODE: err = write_node(w, v.node); break;
  case VALUE_REL: err = write_rel(w, v.rel); break;
  default: err = write_path(w, v.path); break;
  }
  w->depth--;
  return err;
}

/// Lists and maps share their parts, so that what is small in memory may be without end when it is written out.
static enum err write_value(struct writer *w, struct value v) {
  size_t text = v.type == VALUE_STRING || v.type == VALUE_BYTES ? v.len : 0;
  if (w->out->len + text > w->end) return packstream_too_long(w->e);
  switch ((enum value_type) v.type) {
  case VALUE_NULL: return packstream_write_null(w->out);
  case VALUE_BOOL: return packstream_write_bool(w->out, v.b);
  case VALUE_INT: return packstream_write_int(w->out, v.i);
  case VALUE_FLOAT: return packstream_write_float(w->out, v.f);
  case VALUE_STRING: return packstream_write_str(w->out, v_text(v));
  case VALUE_BYTES: return packstream_write_bytes(w->out, v.bytes, v.len);
  case VALUE_LIST:
  case VALUE_MAP:
  case VALUE_NODE:
  case VALUE_REL:
  case VALUE_PATH: return write_nested(w, v);
  default: return write_temporal(w, v);
  }
}

/// Running out of memory fills no detail on its own.
static enum err told(enum err err, struct error *e) {
  return err == ERR_NOMEM ? error_ensure(e, ERR_NOMEM) : err;
}

enum err packstream_write_value(struct buf *out, const struct packstream_profile *profile, struct value v, struct error *e) {
  struct writer w = {.out = out, .profile = profile, .end = out->len + PACKSTREAM_VALUE_BYTES_MAX, .e = e};
  return told(write_value(&w, v), e);
}
