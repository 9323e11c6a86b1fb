// Markers and structure tags of PackStream, for the files of the codec.
#pragma once

#include <math.h>

#include "base/bytes.h"
#include "wire/packstream.h"

enum packstream_marker {
  MARKER_TINY_STRING = 0x80,
  MARKER_TINY_LIST = 0x90,
  MARKER_TINY_MAP = 0xA0,
  MARKER_STRUCT = 0xB0,
  MARKER_NULL = 0xC0,
  MARKER_FLOAT = 0xC1,
  MARKER_FALSE = 0xC2,
  MARKER_TRUE = 0xC3,
  MARKER_INT8 = 0xC8,
  MARKER_INT16 = 0xC9,
  MARKER_INT32 = 0xCA,
  MARKER_INT64 = 0xCB,
  MARKER_BYTES8 = 0xCC,
  MARKER_BYTES16 = 0xCD,
  MARKER_BYTES32 = 0xCE,
  MARKER_STRING8 = 0xD0,
  MARKER_STRING16 = 0xD1,
  MARKER_STRING32 = 0xD2,
  MARKER_LIST8 = 0xD4,
  MARKER_LIST16 = 0xD5,
  MARKER_LIST32 = 0xD6,
  MARKER_MAP8 = 0xD8,
  MARKER_MAP16 = 0xD9,
  MARKER_MAP32 = 0xDA,
  MARKER_UUID = 0xE0,
};

/// Tags of structures that are values. The same bytes mean other things at the head of a message.
enum packstream_tag {
  TAG_NODE = 0x4E,
  TAG_REL = 0x52,
  TAG_UNBOUND_REL = 0x72,
  TAG_PATH = 0x50,
  TAG_DATE = 0x44,
  TAG_TIME = 0x54,
  TAG_LOCAL_TIME = 0x74,
  TAG_LOCAL_DATETIME = 0x64,
  TAG_DURATION = 0x45,
  TAG_DATETIME_UTC = 0x49,
  TAG_DATETIME_ZONE_UTC = 0x69,
  TAG_DATETIME_LEGACY = 0x46,
  TAG_DATETIME_ZONE_LEGACY = 0x66,
  TAG_POINT_2D = 0x58,
  TAG_POINT_3D = 0x59,
  TAG_VECTOR = 0x56,
  TAG_UNSUPPORTED = 0x3F,
};

static inline double get_f64_be(const void *p) {
  uint64_t bits = get_u64_be(p);
  double f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

/// Reads the fields of a structure whose head has been read (packstream_read_struct.c); `depth` is that of the fields.
enum err packstream_read_structure(struct packstream_reader *r, uint8_t tag, uint32_t fields, struct value *ret, struct error *e);

/// The same for entities (packstream_read_entity.c).
enum err packstream_read_node(struct packstream_reader *r, struct value *ret, struct error *e);
enum err packstream_read_rel(struct packstream_reader *r, struct value *ret, struct error *e);
enum err packstream_read_unbound_rel(struct packstream_reader *r, struct value *ret, struct error *e);
enum err packstream_read_path(struct packstream_reader *r, struct value *ret, struct error *e);

/// Scalars for its fields: ERR_PROTOCOL where another type comes.
enum err packstream_expect_int(struct packstream_reader *r, int64_t *ret, struct error *e);
enum err packstream_expect_float(struct packstream_reader *r, double *ret, struct error *e);
enum err packstream_expect_str(struct packstream_reader *r, struct str *ret, struct error *e);
enum err packstream_expect_bytes(struct packstream_reader *r, struct str *ret, struct error *e);

/// Writes an integer at `p`, which has room for 9 bytes; returns what is behind it.
static inline uint8_t *packstream_put_int(uint8_t *p, int64_t i) {
  if (i >= -16 && i <= 127) {
    *p = (uint8_t) i;
    return p + 1;
  }
  if (i == (int8_t) i) {
    p[0] = MARKER_INT8;
    p[1] = (uint8_t) i;
    return p + 2;
  }
  if (i == (int16_t) i) {
    p[0] = MARKER_INT16;
    put_u16_be(p + 1, (uint16_t) i);
    return p + 3;
  }
  if (i == (int32_t) i) {
    p[0] = MARKER_INT32;
    put_u32_be(p + 1, (uint32_t) i);
    return p + 5;
  }
  p[0] = MARKER_INT64;
  put_u64_be(p + 1, (uint64_t) i);
  return p + 9;
}

static inline uint8_t *packstream_put_float(uint8_t *p, double f) {
  uint64_t bits;
  memcpy(&bits, &f, sizeof bits);
  p[0] = MARKER_FLOAT;
  put_u64_be(p + 1, bits);
  return p + 9;
}

/// ERR_LIMIT: more than PACKSTREAM_VALUE_BYTES_MAX.
enum err packstream_too_long(struct error *e);

/// A head with a size: `tiny` holds 0 to 15 (0: there is no tiny form), `marker8` is followed by its 16 and 32-bit kin. Room for
/// 5 bytes.
static inline uint8_t *packstream_put_size(uint8_t *p, uint8_t tiny, uint8_t marker8, uint32_t size) {
  if (size < 16 && tiny != 0) {
    *p = (uint8_t) (tiny | size);
    return p + 1;
  }
  if (size <= UINT8_MAX) {
    p[0] = marker8;
    p[1] = (uint8_t) size;
    return p + 2;
  }
  if (size <= UINT16_MAX) {
    p[0] = marker8 + 1;
    put_u16_be(p + 1, (uint16_t) size);
    return p + 3;
  }
  p[0] = marker8 + 2;
  put_u32_be(p + 1, size);
  return p + 5;
}
