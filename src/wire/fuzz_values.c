// Every function on values alone, fed with what a client may send: a list whose first item is an operand, then more. Nothing may
// crash or leave a value that is not sound.
#include <stdlib.h>

#include "value/check.h"
#include "value/compare.h"
#include "value/literal.h"
#include "value/spatial.h"
#include "value/temporal.h"
#include "value/text.h"
#include "wire/json.h"
#include "wire/packstream.h"

static const struct packstream_profile profile = {
    .has_temporal = true, .utc_datetimes = true, .has_vectors = true, .has_uuids = true};
static const struct temporal_clock clock_now = {1700000000, 5, 0};

static void must(bool b) {
  if (!b) abort();
}

/// What came out of a function is sound, or did not come.
static void sound(enum err err, struct value v) {
  must(err != ERR_OK || value_check(v, NULL) == ERR_OK);
}

static void try_temporal(struct arena *a, struct value x, struct value y, struct value z) {
  static const char *const fields[] = {"year",     "week",        "epochMillis",   "epochSeconds",
                                       "timezone", "nanoseconds", "minutesOfHour", "dayOfQuarter"};
  static const char *const units[] = {"millennium", "weekYear", "quarter", "week", "day", "hour", "microsecond"};
  struct value v = V_NULL;
  for (int t = VALUE_DATE; t <= VALUE_DURATION; t++) sound(temporal_construct((enum value_type) t, x, clock_now, a, &v, NULL), v);
  for (int t = VALUE_DATE; t < VALUE_DURATION; t++)
    for (size_t u = 0; u < ARRAY_SIZE(units); u++)
      sound(temporal_truncate((enum value_type) t, str_of(units[u]), x, y, clock_now, &v, NULL), v);
  for (size_t f = 0; f < ARRAY_SIZE(fields); f++) sound(temporal_get(x, str_of(fields[f]), a, &v, NULL), v);
  sound(temporal_add(x, y, a, &v, NULL), v);
  sound(temporal_subtract(x, y, a, &v, NULL), v);
  sound(temporal_multiply(x, y, a, &v, NULL), v);
  sound(temporal_divide(x, y, a, &v, NULL), v);
  sound(temporal_from_epoch(x, y, &v, NULL), v);
  sound(temporal_from_epoch_millis(x, &v, NULL), v);
  for (int k = TEMPORAL_BETWEEN; k <= TEMPORAL_IN_SECONDS; k++)
    sound(temporal_between((enum temporal_between) k, x, z, a, &v, NULL), v);
}

static void try_spatial(struct arena *a, struct value x, struct value y, struct value z) {
  struct value v = V_NULL;
  sound(spatial_point(x, a, &v, NULL), v);
  sound(spatial_distance(x, y, &v, NULL), v);
  sound(spatial_within_bbox(x, y, z, &v, NULL), v);
  if (x.type == VALUE_POINT) sound(spatial_get(x.point, STR("crs"), &v, NULL), v);
}

static void try_text(struct arena *a, struct value x, struct value y, struct value z) {
  struct value v = V_NULL;
  struct str s = STR("");
  if (text_of_value(a, x, &s, NULL) == ERR_OK) must(str_is_utf8(s));
  sound(text_to_integer(x, &v, NULL), v);
  sound(text_to_float(x, &v, NULL), v);
  sound(text_to_boolean(x, &v, NULL), v);
  if (x.type != VALUE_STRING) return;
  if (text_upper(a, v_text(x), &s, NULL) == ERR_OK) must(str_is_utf8(s));
  if (text_lower(a, v_text(x), &s, NULL) == ERR_OK) must(str_is_utf8(s));
  if (text_normalize(a, v_text(x), STR("NFKD"), &s, NULL) == ERR_OK) must(str_is_utf8(s));
  if (text_reverse(a, v_text(x), &s, NULL) == ERR_OK) must(text_length(s) == text_length(v_text(x)));
  sound(text_split(a, v_text(x), y, &v, NULL), v);
  if (y.type == VALUE_STRING) must(str_is_utf8(text_trim_chars(v_text(x), v_text(y), TEXT_BOTH)));
  if (y.type == VALUE_INT && text_substring(v_text(x), y.i, 3, &s, NULL) == ERR_OK) must(str_is_utf8(s));
  if (y.type == VALUE_STRING && z.type == VALUE_STRING && text_replace(a, v_text(x), v_text(y), v_text(z), &s, NULL) == ERR_OK)
    must(str_is_utf8(s));
}

static void try_relations(struct value x, struct value y, struct value z) {
  int xy = value_order(x, y), yz = value_order(y, z), xz = value_order(x, z);
  must((xy < 0) == (value_order(y, x) > 0));
  must(!(xy <= 0 && yz <= 0) || xz <= 0); // transitive
  must(value_equivalent(x, y) == (xy == 0));
  must(xy != 0 || value_hash(x) == value_hash(y));
  must(value_equals(x, y) != TERNARY_TRUE || xy == 0);
  must(value_compare(VALUE_LESS, x, y) != TERNARY_TRUE || xy < 0);
}

static void try_writing(struct value x) {
  struct buf out = BUF_INIT;
  struct json_writer w = json_writer_on(&out);
  for (int style = JSON_ROW; style <= JSON_TYPED; style++) must(json_value(&w, (enum json_style) style, x, NULL) == ERR_OK);
  must(literal_write(&out, LITERAL_CYPHER, x) == ERR_OK);
  must(str_is_utf8(buf_str(&out)));
  buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct arena a;
  arena_init(&a, NULL);
  struct packstream_reader r;
  struct value v;
  packstream_reader_init(&r, profile, (struct packstream_limits){0}, data, size, &a);
  if (packstream_read_value(&r, &v, NULL) == ERR_OK && v.type == VALUE_LIST && v.len >= 3) {
    try_temporal(&a, v.items[0], v.items[1], v.items[2]);
    try_spatial(&a, v.items[0], v.items[1], v.items[2]);
    try_text(&a, v.items[0], v.items[1], v.items[2]);
    try_relations(v.items[0], v.items[1], v.items[2]);
    try_writing(v.items[0]);
  }
  arena_done(&a);
  return 0;
}
