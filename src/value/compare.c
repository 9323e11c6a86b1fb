#include "value/compare.h"

#include <math.h>
#include <string.h>

#include "value/sequence_int.h"
#include "value/zone.h"

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

int value_order_int_float(int64_t i, double f) {
  if (f >= 0x1p63) return -1;
  if (f < -0x1p63) return 1;
  int64_t whole = (int64_t) f;
  if (i != whole) return i < whole ? -1 : 1;
  double fraction = f - (double) whole;
  return COMPARE(0, fraction);
}

static bool is_number(struct value v) {
  return v.type == VALUE_INT || v.type == VALUE_FLOAT;
}

static bool is_nan(struct value v) {
  return v.type == VALUE_FLOAT && isnan(v.f);
}

/// Neither is NaN.
static int order_numbers(struct value a, struct value b) {
  if (a.type == VALUE_INT && b.type == VALUE_INT) return COMPARE(a.i, b.i);
  if (a.type == VALUE_INT) return value_order_int_float(a.i, b.f);
  if (b.type == VALUE_INT) return -value_order_int_float(b.i, a.f);
  return COMPARE(a.f, b.f);
}

/// The place of a value's type in the total order; BYTES are a list of integers, NaN is above the numbers.
static int type_rank(struct value v) {
  static const uint8_t ranks[VALUE_TYPE_MAX] = {
      [VALUE_MAP] = 0,  [VALUE_NODE] = 1,        [VALUE_REL] = 2,       [VALUE_LIST] = 3,           [VALUE_BYTES] = 3,
      [VALUE_PATH] = 4, [VALUE_POINT] = 5,       [VALUE_DATETIME] = 6,  [VALUE_LOCAL_DATETIME] = 7, [VALUE_DATE] = 8,
      [VALUE_TIME] = 9, [VALUE_LOCAL_TIME] = 10, [VALUE_DURATION] = 11, [VALUE_STRING] = 12,        [VALUE_BOOL] = 13,
      [VALUE_INT] = 14, [VALUE_FLOAT] = 14,      [VALUE_NULL] = 16,
  };
  return is_nan(v) ? 15 : ranks[v.type];
}

static int order_values(struct value a, struct value b, int depth);

static int order_sequences(struct value a, struct value b, int depth) {
  uint32_t shorter = MIN(a.len, b.len);
  for (uint32_t i = 0; i < shorter; i++) {
    int c = order_values(sequence_item(a, i), sequence_item(b, i), depth);
    if (c != 0) return c;
  }
  return COMPARE(a.len, b.len);
}

/// As Neo4j: by size, then by the sorted keys, then by their values.
static int order_maps(struct value a, struct value b, int depth) {
  if (a.len != b.len) return COMPARE(a.len, b.len);
  for (uint32_t i = 0; i < a.len; i++) {
    int c = str_cmp(a.entries[i].key, b.entries[i].key);
    if (c != 0) return c;
  }
  for (uint32_t i = 0; i < a.len; i++) {
    int c = order_values(a.entries[i].value, b.entries[i].value, depth);
    if (c != 0) return c;
  }
  return 0;
}

/// By the start node, then relationship by relationship, then by length. Relationships fix the nodes between them.
static int order_paths(const struct value_path *a, const struct value_path *b) {
  uint64_t start_a = v_id(a->nodes[0]), start_b = v_id(b->nodes[0]);
  if (start_a != start_b) return COMPARE(start_a, start_b);
  uint32_t shorter = MIN(a->len, b->len);
  for (uint32_t i = 0; i < shorter; i++) {
    uint64_t rel_a = v_id(a->rels[i]), rel_b = v_id(b->rels[i]);
    if (rel_a != rel_b) return COMPARE(rel_a, rel_b);
  }
  return COMPARE(a->len, b->len);
}

static int order_doubles(double a, double b) {
  if (isnan(a) || isnan(b)) return COMPARE(isnan(a), isnan(b));
  return COMPARE(a, b);
}

static int order_points(const struct value_point *a, const struct value_point *b) {
  if (a->srid != b->srid) return COMPARE(a->srid, b->srid);
  int c = order_doubles(a->x, b->x);
  if (c == 0) c = order_doubles(a->y, b->y);
  return c != 0 ? c : order_doubles(a->z, b->z);
}

/// By mean length (a month of the Gregorian calendar has 2 629 746 seconds on average), then by months, then by days: Neo4j's
/// order, which is total.
static int order_durations(const struct value_duration *a, const struct value_duration *b) {
  __int128 length_a = (__int128) a->months * 2629746 + (__int128) a->days * 86400 + a->seconds;
  __int128 length_b = (__int128) b->months * 2629746 + (__int128) b->days * 86400 + b->seconds;
  if (length_a != length_b) return COMPARE(length_a, length_b);
  if (a->nanos != b->nanos) return COMPARE(a->nanos, b->nanos);
  if (a->months != b->months) return COMPARE(a->months, b->months);
  return COMPARE(a->days, b->days);
}

/// By the instant, then by the wall clock: 12:00+02:00 is after 11:00+01:00.
static int order_times(struct value a, struct value b) {
  int64_t instant_a = a.i - a.aux * INT64_C(1000000000), instant_b = b.i - b.aux * INT64_C(1000000000);
  return instant_a != instant_b ? COMPARE(instant_a, instant_b) : COMPARE(a.aux, b.aux);
}

/// By the instant, then by the wall clock, then fixed offsets before named zones.
static int order_datetimes(struct value a, struct value b) {
  if (a.i != b.i) return COMPARE(a.i, b.i);
  if (a.len != b.len) return COMPARE(a.len, b.len);
  if (a.aux == b.aux) return 0;
  int32_t offset_a = zone_offset_at(a.aux, a.i), offset_b = zone_offset_at(b.aux, b.i);
  if (offset_a != offset_b) return COMPARE(offset_a, offset_b);
  if (!zone_is_id(a.aux) || !zone_is_id(b.aux)) return COMPARE(a.aux, b.aux);
  int c = str_cmp(zone_name(a.aux), zone_name(b.aux));
  return c != 0 ? c : COMPARE(a.aux, b.aux);
}

static int order_one_type(struct value a, struct value b, int depth) {
  switch ((enum value_type) a.type) {
  case VALUE_BOOL: return COMPARE(a.b, b.b);
  case VALUE_INT:
  case VALUE_FLOAT: return is_nan(a) ? 0 : order_numbers(a, b);
  case VALUE_STRING: return str_cmp(v_text(a), v_text(b));
  case VALUE_BYTES:
  case VALUE_LIST: return order_sequences(a, b, depth + 1);
  case VALUE_MAP: return order_maps(a, b, depth + 1);
  case VALUE_NODE:
  case VALUE_REL: return COMPARE(v_id(a), v_id(b));
  case VALUE_PATH: return order_paths(a.path, b.path);
  case VALUE_DATE:
  case VALUE_LOCAL_TIME: return COMPARE(a.i, b.i);
  case VALUE_TIME: return order_times(a, b);
  case VALUE_LOCAL_DATETIME: return a.i != b.i ? COMPARE(a.i, b.i) : COMPARE(a.len, b.len);
  case VALUE_DATETIME: return order_datetimes(a, b);
  case VALUE_DURATION: return order_durations(a.duration, b.duration);
  case VALUE_POINT: return order_points(a.point, b.point);
  case VALUE_NULL:
  case VALUE_TYPE_MAX: break;
  }
  return 0;
}

static int order_values(struct value a, struct value b, int depth) {
  if (a.type == VALUE_INT && b.type == VALUE_INT) return COMPARE(a.i, b.i); // most sorts are of these
  if (depth > VALUE_DEPTH_MAX) return 0;
  int rank_a = type_rank(a), rank_b = type_rank(b);
  return rank_a != rank_b ? COMPARE(rank_a, rank_b) : order_one_type(a, b, depth);
}

int value_order(struct value a, struct value b) {
  return order_values(a, b, 0);
}

bool value_equivalent(struct value a, struct value b) {
  if (a.type == VALUE_STRING && b.type == VALUE_STRING) return str_eq(v_text(a), v_text(b));
  if (a.type == VALUE_INT && b.type == VALUE_INT) return a.i == b.i;
  return order_values(a, b, 0) == 0;
}

static enum ternary equals_values(struct value a, struct value b, int depth);

static enum ternary equals_sequences(struct value a, struct value b, int depth) {
  if (a.len != b.len) return TERNARY_FALSE;
  enum ternary all = TERNARY_TRUE;
  for (uint32_t i = 0; i < a.len && all != TERNARY_FALSE; i++)
    all = ternary_and(all, equals_values(sequence_item(a, i), sequence_item(b, i), depth));
  return all;
}

static enum ternary equals_maps(struct value a, struct value b, int depth) {
  if (a.len != b.len) return TERNARY_FALSE;
  for (uint32_t i = 0; i < a.len; i++)
    if (!str_eq(a.entries[i].key, b.entries[i].key)) return TERNARY_FALSE;
  enum ternary all = TERNARY_TRUE;
  for (uint32_t i = 0; i < a.len && all != TERNARY_FALSE; i++)
    all = ternary_and(all, equals_values(a.entries[i].value, b.entries[i].value, depth));
  return all;
}

static enum ternary equals_values(struct value a, struct value b, int depth) {
  if (a.type == VALUE_NULL || b.type == VALUE_NULL || depth > VALUE_DEPTH_MAX) return TERNARY_NULL;
  if (is_nan(a) || is_nan(b)) return TERNARY_FALSE;
  if (type_rank(a) != type_rank(b)) return TERNARY_FALSE;
  if (a.type == VALUE_LIST || a.type == VALUE_BYTES) return equals_sequences(a, b, depth + 1);
  if (a.type == VALUE_MAP) return equals_maps(a, b, depth + 1);
  return ternary_of(order_one_type(a, b, depth) == 0);
}

enum ternary value_equals(struct value a, struct value b) {
  return equals_values(a, b, 0);
}

enum ternary value_in_list(struct value item, struct value list) {
  enum ternary found = TERNARY_FALSE;
  for (uint32_t i = 0; i < list.len && found != TERNARY_TRUE; i++)
    found = ternary_or(found, equals_values(item, sequence_item(list, i), 0));
  return found;
}

/// What a comparison of two values can say. NOT_A_NUMBER makes every comparison false, INCOMPARABLE makes it null.
enum relation { RELATION_LESS = -1, RELATION_EQUAL = 0, RELATION_GREATER = 1, RELATION_NOT_A_NUMBER, RELATION_INCOMPARABLE };

static enum relation relate(struct value a, struct value b, int depth);

/// The first pair that is not equal decides; a shorter list that is a prefix is less.
static enum relation relate_sequences(struct value a, struct value b, int depth) {
  uint32_t shorter = MIN(a.len, b.len);
  for (uint32_t i = 0; i < shorter; i++) {
    enum relation r = relate(sequence_item(a, i), sequence_item(b, i), depth);
    if (r != RELATION_EQUAL) return r;
  }
  return (enum relation) COMPARE(a.len, b.len);
}

static enum relation relate(struct value a, struct value b, int depth) {
  if (depth > VALUE_DEPTH_MAX || v_is_null(a) || v_is_null(b)) return RELATION_INCOMPARABLE;
  if (is_number(a) && is_number(b) && (is_nan(a) || is_nan(b))) return RELATION_NOT_A_NUMBER;
  if (type_rank(a) != type_rank(b)) return RELATION_INCOMPARABLE;
  switch ((enum value_type) a.type) {
  case VALUE_LIST:
  case VALUE_BYTES: return relate_sequences(a, b, depth + 1);
  case VALUE_MAP:
  case VALUE_NODE:
  case VALUE_REL:
  case VALUE_PATH: return RELATION_INCOMPARABLE;
  case VALUE_DURATION:
  case VALUE_POINT: return order_one_type(a, b, depth) == 0 ? RELATION_EQUAL : RELATION_INCOMPARABLE;
  default: {
    int c = order_one_type(a, b, depth);
    return (enum relation) COMPARE(c, 0);
  }
  }
}

enum ternary value_compare(enum value_comparison op, struct value a, struct value b) {
  enum relation r = relate(a, b, 0);
  if (r == RELATION_INCOMPARABLE) return TERNARY_NULL;
  if (r == RELATION_NOT_A_NUMBER) return TERNARY_FALSE;
  switch (op) {
  case VALUE_LESS: return ternary_of(r == RELATION_LESS);
  case VALUE_LESS_OR_EQUAL: return ternary_of(r != RELATION_GREATER);
  case VALUE_GREATER: return ternary_of(r == RELATION_GREATER);
  case VALUE_GREATER_OR_EQUAL: return ternary_of(r != RELATION_LESS);
  }
  return TERNARY_NULL;
}
