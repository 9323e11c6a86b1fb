// Structures that clients may send: times, places, vectors; and the table of all.
#include "value/spatial.h"
#include "value/temporal.h"
#include "wire/packstream_int.h"

typedef enum err (*read_function)(struct packstream_reader *r, struct value *ret, struct error *e);

static enum err out_of_range(const char *what, struct error *e) {
  return error_set(e, ERR_ARGUMENT, "The parameter holds a %s that is out of range.", what);
}

/// Hands on a temporal value whose fields came from outside.
static enum err checked(struct value v, struct value *ret, struct error *e) {
  if (!temporal_in_range(v)) return out_of_range(value_type_name((enum value_type) v.type), e);
  *ret = v;
  return ERR_OK;
}

/// An integer that must fit `aux` or `len` of a value before it is cut.
static enum err expect_int_within(struct packstream_reader *r, int64_t min, int64_t max, const char *what, int64_t *ret,
                                  struct error *e) {
  int64_t i;
  TRY(packstream_expect_int(r, &i, e));
  if (i < min || i > max) return out_of_range(what, e);
  *ret = i;
  return ERR_OK;
}

static enum err expect_offset(struct packstream_reader *r, int32_t *ret, struct error *e) {
  int64_t offset;
  TRY(expect_int_within(r, -ZONE_OFFSET_MAX_SECONDS, ZONE_OFFSET_MAX_SECONDS, "time zone offset", &offset, e));
  *ret = (int32_t) offset;
  return ERR_OK;
}

static enum err expect_nanos(struct packstream_reader *r, uint32_t *ret, struct error *e) {
  int64_t nanos;
  TRY(expect_int_within(r, 0, 999999999, "number of nanoseconds", &nanos, e));
  *ret = (uint32_t) nanos;
  return ERR_OK;
}

static enum err read_date(struct packstream_reader *r, struct value *ret, struct error *e) {
  int64_t days;
  TRY(packstream_expect_int(r, &days, e));
  return checked(v_date(days), ret, e);
}

static enum err read_local_time(struct packstream_reader *r, struct value *ret, struct error *e) {
  int64_t nanos;
  TRY(packstream_expect_int(r, &nanos, e));
  return checked(v_local_time(nanos), ret, e);
}

static enum err read_time(struct packstream_reader *r, struct value *ret, struct error *e) {
  int64_t nanos;
  int32_t offset;
  TRY(packstream_expect_int(r, &nanos, e));
  TRY(expect_offset(r, &offset, e));
  return checked(v_time(nanos, offset), ret, e);
}

static enum err read_local_datetime(struct packstream_reader *r, struct value *ret, struct error *e) {
  int64_t seconds;
  uint32_t nanos;
  TRY(packstream_expect_int(r, &seconds, e));
  TRY(expect_nanos(r, &nanos, e));
  return checked(v_local_datetime(seconds, nanos), ret, e);
}

enum zone_form { ZONE_FORM_OFFSET, ZONE_FORM_NAME };

/// Seconds, nanoseconds and a zone. `utc`: the seconds count from UTC; else from local time (legacy).
static enum err read_zoned(struct packstream_reader *r, enum zone_form form, bool utc, struct value *ret, struct error *e) {
  int64_t seconds;
  uint32_t nanos;
  int32_t zone;
  struct str name;
  TRY(packstream_expect_int(r, &seconds, e));
  TRY(expect_nanos(r, &nanos, e));
  if (form == ZONE_FORM_OFFSET) {
    TRY(expect_offset(r, &zone, e));
  } else {
    TRY(packstream_expect_str(r, &name, e));
    TRY(zone_parse(name, &zone, e));
  }
  if (!utc) {
    if (!temporal_in_range(v_local_datetime(seconds, nanos))) return out_of_range("ZONED DATETIME", e);
    seconds -= zone_offset_at_local(zone, seconds);
  }
  return checked(v_datetime(seconds, nanos, zone), ret, e);
}

static enum err read_datetime_utc(struct packstream_reader *r, struct value *ret, struct error *e) {
  return read_zoned(r, ZONE_FORM_OFFSET, true, ret, e);
}

static enum err read_datetime_zone_utc(struct packstream_reader *r, struct value *ret, struct error *e) {
  return read_zoned(r, ZONE_FORM_NAME, true, ret, e);
}

static enum err read_datetime_legacy(struct packstream_reader *r, struct value *ret, struct error *e) {
  return read_zoned(r, ZONE_FORM_OFFSET, false, ret, e);
}

static enum err read_datetime_zone_legacy(struct packstream_reader *r, struct value *ret, struct error *e) {
  return read_zoned(r, ZONE_FORM_NAME, false, ret, e);
}

static enum err read_duration(struct packstream_reader *r, struct value *ret, struct error *e) {
  struct value_duration d;
  uint32_t nanos;
  TRY(packstream_expect_int(r, &d.months, e));
  TRY(packstream_expect_int(r, &d.days, e));
  TRY(packstream_expect_int(r, &d.seconds, e));
  TRY(expect_nanos(r, &nanos, e));
  d.nanos = (int32_t) nanos;
  return v_duration(r->arena, d, ret, e);
}

static enum err read_point(struct packstream_reader *r, bool is_3d, struct value *ret, struct error *e) {
  int64_t srid;
  struct value_point p = {0};
  TRY(expect_int_within(r, 0, UINT32_MAX, "coordinate reference system", &srid, e));
  p.srid = (uint32_t) srid;
  TRY(packstream_expect_float(r, &p.x, e));
  TRY(packstream_expect_float(r, &p.y, e));
  if (is_3d) TRY(packstream_expect_float(r, &p.z, e));
  if (spatial_is_3d(p.srid) != is_3d || !spatial_in_range(&p)) return out_of_range("POINT", e);
  struct value_point *copy = arena_copy(r->arena, &p, sizeof p);
  if (copy == NULL) return arena_err(r->arena, e);
  *ret = (struct value){.type = VALUE_POINT, .point = copy};
  return ERR_OK;
}

static enum err read_point_2d(struct packstream_reader *r, struct value *ret, struct error *e) {
  return read_point(r, false, ret, e);
}

static enum err read_point_3d(struct packstream_reader *r, struct value *ret, struct error *e) {
  return read_point(r, true, ret, e);
}

/// Bytes of one element of a vector, by the marker that its type has as a value; 0 for no such type. 0xC6 is the 32-bit float.
static size_t vector_element_bytes(uint8_t type) {
  switch (type) {
  case MARKER_INT8: return 1;
  case MARKER_INT16: return 2;
  case MARKER_INT32:
  case 0xC6: return 4;
  case MARKER_INT64:
  case MARKER_FLOAT: return 8;
  default: return 0;
  }
}

static double get_f32_be(const void *p) {
  uint32_t bits = get_u32_be(p);
  float f;
  memcpy(&f, &bits, sizeof f);
  return (double) f;
}

static struct value vector_element(uint8_t type, const void *p) {
  switch (type) {
  case MARKER_INT8: return v_int(*(const int8_t *) p);
  case MARKER_INT16: return v_int((int16_t) get_u16_be(p));
  case MARKER_INT32: return v_int((int32_t) get_u32_be(p));
  case MARKER_INT64: return v_int((int64_t) get_u64_be(p));
  case MARKER_FLOAT: return v_float(get_f64_be(p));
  default: return v_float(get_f32_be(p));
  }
}

/// A vector is a list of its numbers to Cypher here.
static enum err read_vector(struct packstream_reader *r, struct value *ret, struct error *e) {
  struct str type, data;
  TRY(packstream_expect_bytes(r, &type, e));
  TRY(packstream_expect_bytes(r, &data, e));
  size_t bytes = type.len == 1 ? vector_element_bytes((uint8_t) type.ptr[0]) : 0;
  if (bytes == 0 || data.len % bytes != 0)
    return error_set(e, ERR_PROTOCOL, "A vector's data of %zu bytes does not fit its type.", data.len);
  size_t len = data.len / bytes;
  struct value *items = ARENA_ARRAY(r->arena, struct value, len);
  if (items == NULL) return arena_err(r->arena, e);
  for (size_t i = 0; i < len; i++) items[i] = vector_element((uint8_t) type.ptr[0], data.ptr + i * bytes);
  *ret = v_list(items, (uint32_t) len);
  return ERR_OK;
}

static enum err read_entity(struct packstream_reader *r UNUSED, struct value *ret UNUSED, struct error *e) {
  return error_set(e, ERR_TYPE, "A node, relationship or path cannot be a parameter. Pass its element id and match it.");
}

/// What a structure needs of the profile.
enum need { NEED_NOTHING, NEED_TEMPORAL, NEED_UTC, NEED_LEGACY, NEED_VECTORS, NEED_SERVER };

static bool has(const struct packstream_profile *p, enum need need) {
  switch (need) {
  case NEED_NOTHING: return true;
  case NEED_TEMPORAL: return p->has_temporal;
  case NEED_UTC: return p->has_temporal && p->utc_datetimes;
  case NEED_LEGACY: return p->has_temporal && !p->utc_datetimes;
  case NEED_VECTORS: return p->has_vectors;
  case NEED_SERVER: return p->from_server && p->has_element_ids;
  }
  return false;
}

enum { ANY_FIELDS = UINT8_MAX };

static const struct structure {
  uint8_t tag, fields, need;
  read_function read;
} structures[] = {
    {TAG_NODE, 4, NEED_SERVER, packstream_read_node},
    {TAG_REL, 8, NEED_SERVER, packstream_read_rel},
    {TAG_UNBOUND_REL, 4, NEED_SERVER, packstream_read_unbound_rel},
    {TAG_PATH, 3, NEED_SERVER, packstream_read_path},
    {TAG_NODE, ANY_FIELDS, NEED_NOTHING, read_entity},
    {TAG_REL, ANY_FIELDS, NEED_NOTHING, read_entity},
    {TAG_UNBOUND_REL, ANY_FIELDS, NEED_NOTHING, read_entity},
    {TAG_PATH, ANY_FIELDS, NEED_NOTHING, read_entity},
    {TAG_UNSUPPORTED, ANY_FIELDS, NEED_VECTORS, read_entity},
    {TAG_DATE, 1, NEED_TEMPORAL, read_date},
    {TAG_TIME, 2, NEED_TEMPORAL, read_time},
    {TAG_LOCAL_TIME, 1, NEED_TEMPORAL, read_local_time},
    {TAG_LOCAL_DATETIME, 2, NEED_TEMPORAL, read_local_datetime},
    {TAG_DURATION, 4, NEED_TEMPORAL, read_duration},
    {TAG_DATETIME_UTC, 3, NEED_UTC, read_datetime_utc},
    {TAG_DATETIME_ZONE_UTC, 3, NEED_UTC, read_datetime_zone_utc},
    {TAG_DATETIME_LEGACY, 3, NEED_LEGACY, read_datetime_legacy},
    {TAG_DATETIME_ZONE_LEGACY, 3, NEED_LEGACY, read_datetime_zone_legacy},
    {TAG_POINT_2D, 3, NEED_TEMPORAL, read_point_2d},
    {TAG_POINT_3D, 4, NEED_TEMPORAL, read_point_3d},
    {TAG_VECTOR, 2, NEED_VECTORS, read_vector},
};

enum err packstream_read_structure(struct packstream_reader *r, uint8_t tag, uint32_t fields, struct value *ret,
                                   struct error *e) {
  for (size_t i = 0; i < ARRAY_SIZE(structures); i++) {
    const struct structure *s = &structures[i];
    if (s->tag != tag || !has(&r->profile, (enum need) s->need)) continue;
    if (s->fields != ANY_FIELDS && s->fields != fields)
      return error_set(e, ERR_PROTOCOL, "A structure 0x%02X has %u fields, not %u.", tag, s->fields, fields);
    return s->read(r, ret, e);
  }
  return error_set(e, ERR_PROTOCOL, "This version of Bolt has no structure 0x%02X.", tag);
}
