#include "wire/packstream_int.h"

void packstream_reader_init(struct packstream_reader *r, struct packstream_profile profile, struct packstream_limits limits,
                            const void *bytes, size_t len, struct arena *arena) {
  uint32_t deepest = profile.from_server ? PACKSTREAM_DEPTH_SENT_MAX : PACKSTREAM_DEPTH_MAX;
  if (limits.depth_max == 0 || limits.depth_max > deepest) limits.depth_max = deepest;
  if (limits.elements_max == 0) limits.elements_max = UINT32_MAX;
  *r = (struct packstream_reader){
      .at = bytes, .end = (const uint8_t *) bytes + len, .profile = profile, .limits = limits, .arena = arena};
}

static size_t bytes_left(const struct packstream_reader *r) {
  return (size_t) (r->end - r->at);
}

/// The next `bytes` bytes, or ERR_PROTOCOL.
static enum err take(struct packstream_reader *r, size_t bytes, const uint8_t **ret, struct error *e) {
  if (UNLIKELY(bytes > bytes_left(r)))
    return error_set(e, ERR_PROTOCOL, "The message ends inside a value: %zu bytes are missing.", bytes - bytes_left(r));
  *ret = r->at;
  r->at += bytes;
  return ERR_OK;
}

static enum err unknown_marker(uint8_t marker, struct error *e) {
  return error_set(e, ERR_PROTOCOL, "The byte 0x%02X begins no value.", marker);
}

static enum err unexpected(const char *wanted, uint8_t marker, struct error *e) {
  return error_set(e, ERR_PROTOCOL, "Expected %s, but the value begins with the byte 0x%02X.", wanted, marker);
}

/// A size of 1, 2 or 4 bytes; at most 2^31 - 1.
static enum err take_size(struct packstream_reader *r, unsigned width, uint32_t *ret, struct error *e) {
  const uint8_t *p;
  TRY(take(r, width, &p, e));
  uint32_t size = width == 1 ? *p : width == 2 ? get_u16_be(p) : get_u32_be(p);
  if (size > INT32_MAX) return error_set(e, ERR_PROTOCOL, "A size of %u is more than 2147483647.", size);
  *ret = size;
  return ERR_OK;
}

static enum err take_int(struct packstream_reader *r, uint8_t marker, int64_t *ret, struct error *e) {
  const uint8_t *p;
  switch (marker) {
  case MARKER_INT8:
    TRY(take(r, 1, &p, e));
    *ret = (int8_t) *p;
    return ERR_OK;
  case MARKER_INT16:
    TRY(take(r, 2, &p, e));
    *ret = (int16_t) get_u16_be(p);
    return ERR_OK;
  case MARKER_INT32:
    TRY(take(r, 4, &p, e));
    *ret = (int32_t) get_u32_be(p);
    return ERR_OK;
  case MARKER_INT64:
    TRY(take(r, 8, &p, e));
    *ret = (int64_t) get_u64_be(p);
    return ERR_OK;
  default:
    if (marker > 0x7F && marker < 0xF0) return unexpected("an integer", marker, e);
    *ret = (int8_t) marker;
    return ERR_OK;
  }
}

static bool begins_string(uint8_t marker) {
  return (marker & 0xF0) == MARKER_TINY_STRING || (marker >= MARKER_STRING8 && marker <= MARKER_STRING32);
}

static enum err take_str(struct packstream_reader *r, uint8_t marker, struct str *ret, struct error *e) {
  uint32_t len = marker & 0x0F;
  if (!begins_string(marker)) return unexpected("a string", marker, e);
  if (marker >= MARKER_STRING8) TRY(take_size(r, 1u << (marker - MARKER_STRING8), &len, e));
  const uint8_t *p;
  TRY(take(r, len, &p, e));
  struct str s = {(const char *) p, len};
  if (!str_is_utf8(s)) return error_set(e, ERR_PROTOCOL, "A string of %u bytes is not UTF-8.", len);
  *ret = s;
  return ERR_OK;
}

static enum err take_bytes(struct packstream_reader *r, uint8_t marker, struct str *ret, struct error *e) {
  if (marker < MARKER_BYTES8 || marker > MARKER_BYTES32) return unexpected("bytes", marker, e);
  uint32_t len;
  const uint8_t *p;
  TRY(take_size(r, 1u << (marker - MARKER_BYTES8), &len, e));
  TRY(take(r, len, &p, e));
  *ret = (struct str){(const char *) p, len};
  return ERR_OK;
}

/// Counts one value against the limits.
static enum err next_marker(struct packstream_reader *r, uint8_t *ret, struct error *e) {
  const uint8_t *p;
  TRY(take(r, 1, &p, e));
  if (r->elements++ >= r->limits.elements_max)
    return error_set(e, ERR_PROTOCOL, "The message holds more than %u values.", r->limits.elements_max);
  *ret = *p;
  return ERR_OK;
}

enum err packstream_expect_int(struct packstream_reader *r, int64_t *ret, struct error *e) {
  uint8_t marker;
  TRY(next_marker(r, &marker, e));
  return take_int(r, marker, ret, e);
}

enum err packstream_expect_float(struct packstream_reader *r, double *ret, struct error *e) {
  uint8_t marker;
  const uint8_t *p;
  TRY(next_marker(r, &marker, e));
  if (marker != MARKER_FLOAT) return unexpected("a float", marker, e);
  TRY(take(r, 8, &p, e));
  *ret = get_f64_be(p);
  return ERR_OK;
}

enum err packstream_expect_str(struct packstream_reader *r, struct str *ret, struct error *e) {
  uint8_t marker;
  TRY(next_marker(r, &marker, e));
  return take_str(r, marker, ret, e);
}

enum err packstream_expect_bytes(struct packstream_reader *r, struct str *ret, struct error *e) {
  uint8_t marker;
  TRY(next_marker(r, &marker, e));
  return take_bytes(r, marker, ret, e);
}

/// Opens a container of `values` values. Each takes at least a byte, and so does every value that an open container around this
/// one still waits for: memory for what is announced stays in proportion to the bytes that are there, however deep the nesting.
static enum err open_container(struct packstream_reader *r, uint64_t values, struct error *e) {
  if (values + r->owed > bytes_left(r))
    return error_set(e, ERR_PROTOCOL, "A list or dictionary announces more values than the message has bytes left.");
  if (r->depth >= r->limits.depth_max)
    return error_set(e, ERR_PROTOCOL, "The value is nested more than %u levels deep.", r->limits.depth_max);
  r->depth++;
  r->owed += values;
  return ERR_OK;
}

static enum err read_list(struct packstream_reader *r, uint32_t len, struct value *ret, struct error *e) {
  TRY(open_container(r, len, e));
  struct value *items = ARENA_ARRAY(r->arena, struct value, len);
  if (items == NULL) return arena_err(r->arena, e);
  for (uint32_t i = 0; i < len; i++) {
    r->owed--;
    TRY(packstream_read_value(r, &items[i], e));
  }
  r->depth--;
  *ret = v_list(items, len);
  return ERR_OK;
}

static enum err read_map(struct packstream_reader *r, uint32_t len, struct value *ret, struct error *e) {
  TRY(open_container(r, (uint64_t) len * 2, e));
  struct value_entry *entries = ARENA_ARRAY(r->arena, struct value_entry, len);
  if (entries == NULL) return arena_err(r->arena, e);
  for (uint32_t i = 0; i < len; i++) {
    r->owed -= 2;
    TRY(packstream_expect_str(r, &entries[i].key, e));
    TRY(packstream_read_value(r, &entries[i].value, e));
  }
  if (value_map_sort(entries, len) != len)
    return error_set(e, ERR_PROTOCOL, "A dictionary of %u entries holds a key twice.", len);
  r->depth--;
  *ret = v_map(entries, len);
  return ERR_OK;
}

static enum err read_structure(struct packstream_reader *r, uint32_t fields, struct value *ret, struct error *e) {
  const uint8_t *tag;
  TRY(take(r, 1, &tag, e));
  TRY(open_container(r, fields, e));
  r->owed -= fields; // few, and their memory is that of the structure
  TRY(packstream_read_structure(r, *tag, fields, ret, e));
  r->depth--;
  return ERR_OK;
}

/// RFC 9562 text form of 16 bytes in network order.
static enum err read_uuid(struct packstream_reader *r, struct value *ret, struct error *e) {
  const uint8_t *p;
  if (!r->profile.has_uuids) return unknown_marker(MARKER_UUID, e);
  TRY(take(r, 16, &p, e));
  struct str s = arena_printf(r->arena, "%08x-%04x-%04x-%04x-%04x%08x", get_u32_be(p), get_u16_be(p + 4), get_u16_be(p + 6),
                              get_u16_be(p + 8), get_u16_be(p + 10), get_u32_be(p + 12));
  if (s.ptr == NULL) return arena_err(r->arena, e);
  *ret = v_str(s);
  return ERR_OK;
}

static enum err read_sized(struct packstream_reader *r, uint8_t marker, struct value *ret, struct error *e) {
  struct str s;
  uint32_t len;
  switch (marker) {
  case MARKER_BYTES8 ... MARKER_BYTES32:
    TRY(take_bytes(r, marker, &s, e));
    *ret = v_bytes(s.ptr, (uint32_t) s.len);
    return ERR_OK;
  case MARKER_STRING8 ... MARKER_STRING32:
    TRY(take_str(r, marker, &s, e));
    *ret = v_str(s);
    return ERR_OK;
  case MARKER_LIST8 ... MARKER_LIST32:
    TRY(take_size(r, 1u << (marker - MARKER_LIST8), &len, e));
    return read_list(r, len, ret, e);
  case MARKER_MAP8 ... MARKER_MAP32: TRY(take_size(r, 1u << (marker - MARKER_MAP8), &len, e)); return read_map(r, len, ret, e);
  case MARKER_UUID: return read_uuid(r, ret, e);
  default: return unknown_marker(marker, e);
  }
}

static enum err read_scalar(struct packstream_reader *r, uint8_t marker, struct value *ret, struct error *e) {
  const uint8_t *p;
  int64_t i;
  switch (marker) {
  case MARKER_NULL: *ret = V_NULL; return ERR_OK;
  case MARKER_FALSE: *ret = v_bool(false); return ERR_OK;
  case MARKER_TRUE: *ret = v_bool(true); return ERR_OK;
  case MARKER_FLOAT:
    TRY(take(r, 8, &p, e));
    *ret = v_float(get_f64_be(p));
    return ERR_OK;
  case MARKER_INT8 ... MARKER_INT64:
    TRY(take_int(r, marker, &i, e));
    *ret = v_int(i);
    return ERR_OK;
  default: return read_sized(r, marker, ret, e);
  }
}

enum err packstream_read_value(struct packstream_reader *r, struct value *ret, struct error *e) {
  uint8_t marker;
  struct str s;
  TRY(next_marker(r, &marker, e));
  switch (marker >> 4) {
  case 0x0 ... 0x7:
  case 0xF: *ret = v_int((int8_t) marker); return ERR_OK;
  case 0x8:
    TRY(take_str(r, marker, &s, e));
    *ret = v_str(s);
    return ERR_OK;
  case 0x9: return read_list(r, marker & 0x0F, ret, e);
  case 0xA: return read_map(r, marker & 0x0F, ret, e);
  case 0xB: return read_structure(r, marker & 0x0F, ret, e);
  default: return read_scalar(r, marker, ret, e);
  }
}

enum err packstream_read_message(struct packstream_reader *r, uint8_t *ret_tag, uint32_t *ret_fields, struct error *e) {
  const uint8_t *p;
  TRY(take(r, 2, &p, e));
  if ((p[0] & 0xF0) != MARKER_STRUCT) return unexpected("a message", p[0], e);
  *ret_tag = p[1];
  *ret_fields = p[0] & 0x0F;
  return ERR_OK;
}

enum err packstream_read_end(const struct packstream_reader *r, struct error *e) {
  if (r->at == r->end) return ERR_OK;
  return error_set(e, ERR_PROTOCOL, "%zu bytes are left behind the last field of the message.", bytes_left(r));
}
