#include <math.h>
#include <string.h>

#include "base/checksum.h"
#include "value/compare.h"
#include "value/sequence_int.h"

// Finaliser of SplitMix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit.
static uint64_t mix(uint64_t x) {
  x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
  return x ^ x >> 31;
}

static uint64_t join(uint64_t hash, uint64_t next) {
  return mix(hash * UINT64_C(0x9e3779b97f4a7c15) + next);
}

/// Types that can be equivalent share a salt: integers and floats, lists and bytes.
static uint64_t salted(enum value_type type, uint64_t x) {
  return mix(x + UINT64_C(0x9e3779b97f4a7c15) * ((uint64_t) type + 1));
}

static uint64_t double_bits(double f) {
  uint64_t bits;
  f = f == 0 ? 0.0 : f;
  memcpy(&bits, &f, sizeof bits);
  return bits;
}

static uint64_t hash_float(double f) {
  if (isnan(f)) return salted(VALUE_FLOAT, 1);
  if (f >= -0x1p63 && f < 0x1p63 && f == (double) (int64_t) f) return salted(VALUE_INT, (uint64_t) (int64_t) f);
  return salted(VALUE_FLOAT, double_bits(f));
}

static uint64_t hash_value(struct value v, int depth);

static uint64_t hash_sequence(struct value v, int depth) {
  uint64_t h = salted(VALUE_LIST, v.len);
  for (uint32_t i = 0; i < v.len; i++) h = join(h, hash_value(sequence_item(v, i), depth));
  return h;
}

static uint64_t hash_map(struct value v, int depth) {
  uint64_t h = salted(VALUE_MAP, v.len);
  for (uint32_t i = 0; i < v.len; i++) {
    h = join(h, hash64(v.entries[i].key.ptr, v.entries[i].key.len, 0));
    h = join(h, hash_value(v.entries[i].value, depth));
  }
  return h;
}

static uint64_t hash_path(const struct value_path *p) {
  uint64_t h = salted(VALUE_PATH, v_id(p->nodes[0]));
  for (uint32_t i = 0; i < p->len; i++) h = join(h, v_id(p->rels[i]));
  return h;
}

static uint64_t hash_duration(const struct value_duration *d) {
  uint64_t h = salted(VALUE_DURATION, (uint64_t) d->months);
  h = join(h, (uint64_t) d->days);
  h = join(h, (uint64_t) d->seconds);
  return join(h, (uint64_t) d->nanos);
}

static uint64_t hash_coordinate(double f) {
  return isnan(f) ? 1 : double_bits(f);
}

static uint64_t hash_point(const struct value_point *p) {
  uint64_t h = salted(VALUE_POINT, p->srid);
  h = join(h, hash_coordinate(p->x));
  h = join(h, hash_coordinate(p->y));
  return join(h, hash_coordinate(p->z));
}

static uint64_t hash_value(struct value v, int depth) {
  if (depth > VALUE_DEPTH_MAX) return 0;
  switch ((enum value_type) v.type) {
  case VALUE_NULL: return salted(VALUE_NULL, 0);
  case VALUE_BOOL: return salted(VALUE_BOOL, v.b);
  case VALUE_FLOAT: return hash_float(v.f);
  case VALUE_STRING: return hash64(v.s, v.len, 0);
  case VALUE_BYTES:
  case VALUE_LIST: return hash_sequence(v, depth + 1);
  case VALUE_MAP: return hash_map(v, depth + 1);
  case VALUE_NODE:
  case VALUE_REL: return salted(v.type, v_id(v));
  case VALUE_PATH: return hash_path(v.path);
  case VALUE_DURATION: return hash_duration(v.duration);
  case VALUE_POINT: return hash_point(v.point);
  case VALUE_INT:
  case VALUE_DATE:
  case VALUE_LOCAL_TIME: return salted(v.type, (uint64_t) v.i);
  case VALUE_TIME:
  case VALUE_LOCAL_DATETIME:
  case VALUE_DATETIME: return join(join(salted(v.type, (uint64_t) v.i), v.len), (uint64_t) (int64_t) v.aux);
  case VALUE_TYPE_MAX: break;
  }
  return 0;
}

uint64_t value_hash(struct value v) {
  return hash_value(v, 0);
}
