// Instants as a whole: their range, their parts, "now".
#include <math.h>

#include "value/temporal_int.h"

static bool local_seconds_in_range(int64_t seconds) {
  return seconds >= TEMPORAL_DATE_DAYS_MIN * CALENDAR_DAY_SECONDS &&
         seconds < (TEMPORAL_DATE_DAYS_MAX + 1) * CALENDAR_DAY_SECONDS;
}

static bool offset_in_range(int32_t seconds) {
  return seconds >= -ZONE_OFFSET_MAX_SECONDS && seconds <= ZONE_OFFSET_MAX_SECONDS;
}

static bool datetime_in_range(struct value v) {
  if (!zone_is_id(v.aux) && !offset_in_range(v.aux)) return false;
  // Checked before the offset is looked up and added, so that nothing overflows.
  if (!local_seconds_in_range(v.i)) return false;
  return v.len < NANOS_PER_SECOND && local_seconds_in_range(v.i + zone_offset_at(v.aux, v.i));
}

bool temporal_in_range(struct value v) {
  switch ((enum value_type) v.type) {
  case VALUE_DATE: return v.i >= TEMPORAL_DATE_DAYS_MIN && v.i <= TEMPORAL_DATE_DAYS_MAX;
  case VALUE_LOCAL_TIME: return v.i >= 0 && v.i <= TEMPORAL_TIME_NANOS_MAX;
  case VALUE_TIME: return v.i >= 0 && v.i <= TEMPORAL_TIME_NANOS_MAX && offset_in_range(v.aux);
  case VALUE_LOCAL_DATETIME: return v.len < NANOS_PER_SECOND && local_seconds_in_range(v.i);
  case VALUE_DATETIME: return datetime_in_range(v);
  case VALUE_DURATION: return v.duration->nanos >= 0 && v.duration->nanos < NANOS_PER_SECOND;
  default: return false;
  }
}

static struct temporal_parts split_local(int64_t local_seconds, uint32_t nanos) {
  return (struct temporal_parts){.has_date = true,
                                 .has_time = true,
                                 .days = floor_div(local_seconds, CALENDAR_DAY_SECONDS),
                                 .nanos = floor_mod(local_seconds, CALENDAR_DAY_SECONDS) * NANOS_PER_SECOND + nanos};
}

static struct temporal_parts split_zoned(int64_t utc_seconds, uint32_t nanos, int32_t zone) {
  int32_t offset = zone_offset_at(zone, utc_seconds);
  struct temporal_parts p = split_local(utc_seconds + offset, nanos);
  p.has_zone = true;
  p.zone = zone;
  p.offset = offset;
  return p;
}

struct temporal_parts temporal_split(struct value v) {
  switch ((enum value_type) v.type) {
  case VALUE_DATE: return (struct temporal_parts){.has_date = true, .days = v.i};
  case VALUE_LOCAL_TIME: return (struct temporal_parts){.has_time = true, .nanos = v.i};
  case VALUE_TIME:
    return (struct temporal_parts){.has_time = true, .nanos = v.i, .has_zone = true, .zone = v.aux, .offset = v.aux};
  case VALUE_LOCAL_DATETIME: return split_local(v.i, v.len);
  case VALUE_DATETIME: return split_zoned(v.i, v.len, v.aux);
  default: return (struct temporal_parts){0};
  }
}

int64_t parts_utc_seconds(const struct temporal_parts *p) {
  int64_t local = parts_local_seconds(p);
  if (zone_offset_at(p->zone, local - p->offset) == p->offset) return local - p->offset;
  return local - zone_offset_at_local(p->zone, local);
}

struct temporal_parts parts_in_zone(struct temporal_parts p, int32_t zone) {
  struct temporal_parts moved = split_zoned(parts_utc_seconds(&p), (uint32_t) (p.nanos % NANOS_PER_SECOND), zone);
  moved.has_date = p.has_date;
  if (!p.has_date) moved.days = 0;
  return moved;
}

struct temporal_parts parts_with_zone(struct temporal_parts p, int32_t zone) {
  p.has_zone = true;
  p.zone = zone;
  p.offset = zone_offset_at_local(zone, parts_local_seconds(&p));
  return p;
}

static enum err lacks(enum value_type type, const char *what, struct error *e) {
  return error_set(e, ERR_ARGUMENT, "A %s cannot be made from a value without a %s.", value_type_name(type), what);
}

enum err temporal_join(enum value_type type, struct temporal_parts p, struct temporal_clock clock, struct value *ret,
                       struct error *e) {
  bool wants_date = type == VALUE_DATE || type == VALUE_LOCAL_DATETIME || type == VALUE_DATETIME;
  if (wants_date && !p.has_date) return lacks(type, "date", e);
  if ((type == VALUE_TIME || type == VALUE_LOCAL_TIME) && !p.has_time) return lacks(type, "time", e);
  struct value v = V_NULL;
  uint32_t nanos = (uint32_t) (p.nanos % NANOS_PER_SECOND);
  if (wants_date && !temporal_in_range(v_date(p.days)))
    return error_set(e, ERR_ARGUMENT, "The year is not between -999999999 and 999999999.");
  switch (type) {
  case VALUE_DATE: v = v_date(p.days); break;
  case VALUE_LOCAL_TIME: v = v_local_time(p.nanos); break;
  case VALUE_TIME: v = v_time(p.nanos, p.has_zone ? p.offset : zone_offset_at(clock.zone, clock.seconds)); break;
  case VALUE_LOCAL_DATETIME: v = v_local_datetime(parts_local_seconds(&p), nanos); break;
  default:
    if (!p.has_zone) p = parts_with_zone(p, clock.zone);
    v = v_datetime(parts_utc_seconds(&p), nanos, p.zone);
  }
  if (!temporal_in_range(v)) return error_set(e, ERR_ARGUMENT, "The %s is out of range.", value_type_name(type));
  *ret = v;
  return ERR_OK;
}

struct value temporal_now(enum value_type type, struct temporal_clock clock) {
  struct temporal_parts now = split_zoned(clock.seconds, (uint32_t) clock.nanos, clock.zone);
  struct value v = V_NULL;
  // The clock of a machine is in the range of every type.
  return temporal_join(type, now, clock, &v, NULL) == ERR_OK ? v : V_NULL;
}

enum err temporal_clock_in(struct temporal_clock clock, struct value zone, struct temporal_clock *ret, struct error *e) {
  if (zone.type == VALUE_MAP) {
    const struct value *named = value_map_get(zone, STR("timezone"));
    if (named != NULL) zone = *named;
  }
  if (zone.type != VALUE_STRING)
    return error_set(e, ERR_TYPE, "Expected the name of a time zone, but got a %s.",
                     value_type_name((enum value_type) zone.type));
  TRY(zone_parse(v_text(zone), &clock.zone, e));
  *ret = clock;
  return ERR_OK;
}

static enum err integer_of(struct value v, const char *what, int64_t *ret, struct error *e) {
  if (v.type == VALUE_INT) {
    *ret = v.i;
    return ERR_OK;
  }
  if (v.type == VALUE_FLOAT && v.f >= -0x1p63 && v.f < 0x1p63) {
    *ret = (int64_t) v.f;
    return ERR_OK;
  }
  return error_set(e, ERR_TYPE, "Expected a number of %s, but got a %s.", what, value_type_name((enum value_type) v.type));
}

enum err temporal_from_epoch(struct value seconds, struct value nanos, struct value *ret, struct error *e) {
  if (v_is_null(seconds) || v_is_null(nanos)) {
    *ret = V_NULL;
    return ERR_OK;
  }
  int64_t s, n;
  TRY(integer_of(seconds, "seconds", &s, e));
  TRY(integer_of(nanos, "nanoseconds", &n, e));
  if (__builtin_add_overflow(s, floor_div(n, NANOS_PER_SECOND), &s)) s = INT64_MAX;
  struct value v = v_datetime(s, (uint32_t) floor_mod(n, NANOS_PER_SECOND), ZONE_UTC);
  if (!temporal_in_range(v)) return error_set(e, ERR_ARGUMENT, "%lld seconds since the epoch are out of range.", (long long) s);
  *ret = v;
  return ERR_OK;
}

enum err temporal_from_epoch_millis(struct value millis, struct value *ret, struct error *e) {
  if (v_is_null(millis)) {
    *ret = V_NULL;
    return ERR_OK;
  }
  int64_t ms;
  TRY(integer_of(millis, "milliseconds", &ms, e));
  return temporal_from_epoch(v_int(floor_div(ms, 1000)), v_int(floor_mod(ms, 1000) * 1000000), ret, e);
}
