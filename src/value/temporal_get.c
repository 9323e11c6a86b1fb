// Components of temporal values: d.year, t.offset, p.minutesOfHour. Names compare without case, as in Neo4j.
#include "value/temporal_int.h"

static int64_t date_component(int64_t days, struct str name, bool *found) {
  struct calendar_date d = calendar_of_days(days);
  struct calendar_week w = calendar_week_of_days(days);
  int quarter = (d.month - 1) / 3 + 1;
  const struct {
    const char *name;
    int64_t value;
  } rows[] = {
      {"year", d.year},
      {"month", d.month},
      {"day", d.day},
      {"quarter", quarter},
      {"week", w.week},
      {"weekYear", w.year},
      {"dayOfWeek", calendar_weekday(days)},
      {"weekDay", calendar_weekday(days)},
      {"ordinalDay", days - calendar_days(d.year, 1, 1) + 1},
      {"dayOfQuarter", days - calendar_days(d.year, quarter * 3 - 2, 1) + 1},
  };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
    if (str_eq_nocase(name, str_of(rows[i].name))) return *found = true, rows[i].value;
  return 0;
}

static int64_t time_component(int64_t nanos_of_day, struct str name, bool *found) {
  int64_t seconds = nanos_of_day / NANOS_PER_SECOND, nanos = nanos_of_day % NANOS_PER_SECOND;
  const struct {
    const char *name;
    int64_t value;
  } rows[] = {
      {"hour", seconds / 3600},         {"minute", seconds / 60 % 60}, {"second", seconds % 60},
      {"millisecond", nanos / 1000000}, {"microsecond", nanos / 1000}, {"nanosecond", nanos},
  };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
    if (str_eq_nocase(name, str_of(rows[i].name))) return *found = true, rows[i].value;
  return 0;
}

static int64_t zone_component(const struct temporal_parts *p, struct str name, bool *found) {
  *found = true;
  if (str_eq_nocase(name, STR("offsetMinutes"))) return p->offset / 60;
  if (str_eq_nocase(name, STR("offsetSeconds"))) return p->offset;
  if (p->has_date && str_eq_nocase(name, STR("epochSeconds"))) return parts_utc_seconds(p);
  *found = false;
  return 0;
}

/// Years beyond 292 millions have more milliseconds than an integer holds.
static enum err epoch_millis(const struct temporal_parts *p, struct value *ret, struct error *e) {
  int64_t millis;
  if (__builtin_mul_overflow(parts_utc_seconds(p), 1000, &millis) ||
      __builtin_add_overflow(millis, p->nanos % NANOS_PER_SECOND / 1000000, &millis))
    return error_set(e, ERR_ARITHMETIC, "The milliseconds since the epoch are too many for an integer.");
  *ret = v_int(millis);
  return ERR_OK;
}

/// "+01:00" or the zone's name.
static enum err zone_text(const struct temporal_parts *p, bool name_wanted, struct arena *a, struct value *ret, struct error *e) {
  struct str s = name_wanted ? zone_name(p->zone) : STR_NONE;
  char text[ZONE_OFFSET_TEXT];
  if (s.ptr == NULL) s = (struct str){text, zone_offset_format(p->offset, text)};
  struct str copy = arena_str(a, s);
  if (copy.ptr == NULL) return arena_err(a, e);
  *ret = v_str(copy);
  return ERR_OK;
}

static enum err get_of_instant(struct value v, struct str name, struct arena *a, struct value *ret, struct error *e) {
  struct temporal_parts p = temporal_split(v);
  bool found = false;
  int64_t n = 0;
  if (p.has_date) n = date_component(p.days, name, &found);
  if (!found && p.has_time) n = time_component(p.nanos, name, &found);
  if (!found && p.has_zone) n = zone_component(&p, name, &found);
  if (found) {
    *ret = v_int(n);
    return ERR_OK;
  }
  if (p.has_zone && str_eq_nocase(name, STR("timezone"))) return zone_text(&p, true, a, ret, e);
  if (p.has_zone && str_eq_nocase(name, STR("offset"))) return zone_text(&p, false, a, ret, e);
  if (p.has_zone && p.has_date && str_eq_nocase(name, STR("epochMillis"))) return epoch_millis(&p, ret, e);
  return error_set(e, ERR_ARGUMENT, "No such field: %.*s", STR_ARG(name));
}

/// Saturates: a duration of 2^63 seconds has more nanoseconds than an integer holds.
static int64_t scaled(int64_t seconds, int64_t nanos, int64_t per_second) {
  __int128 n = (__int128) seconds * per_second + nanos / (NANOS_PER_SECOND / per_second);
  return n > INT64_MAX ? INT64_MAX : n < INT64_MIN ? INT64_MIN : (int64_t) n;
}

static enum err get_of_duration(const struct value_duration *d, struct str name, struct value *ret, struct error *e) {
  const struct {
    const char *name;
    int64_t value;
  } rows[] = {
      {"years", d->months / 12},
      {"quarters", d->months / 3},
      {"quartersOfYear", d->months / 3 % 4},
      {"months", d->months},
      {"monthsOfYear", d->months % 12},
      {"monthsOfQuarter", d->months % 3},
      {"weeks", d->days / 7},
      {"days", d->days},
      {"daysOfWeek", d->days % 7},
      {"hours", d->seconds / 3600},
      {"minutes", d->seconds / 60},
      {"minutesOfHour", d->seconds / 60 % 60},
      {"seconds", d->seconds},
      {"secondsOfMinute", d->seconds % 60},
      {"milliseconds", scaled(d->seconds, d->nanos, 1000)},
      {"millisecondsOfSecond", d->nanos / 1000000},
      {"microseconds", scaled(d->seconds, d->nanos, 1000000)},
      {"microsecondsOfSecond", d->nanos / 1000},
      {"nanoseconds", scaled(d->seconds, d->nanos, NANOS_PER_SECOND)},
      {"nanosecondsOfSecond", d->nanos},
  };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    if (!str_eq_nocase(name, str_of(rows[i].name))) continue;
    *ret = v_int(rows[i].value);
    return ERR_OK;
  }
  return error_set(e, ERR_ARGUMENT, "No such field: %.*s", STR_ARG(name));
}

enum err temporal_get(struct value v, struct str field, struct arena *a, struct value *ret, struct error *e) {
  if (v.type == VALUE_DURATION) return get_of_duration(v.duration, field, ret, e);
  if (temporal_is_instant(v)) return get_of_instant(v, field, a, ret, e);
  return error_set(e, ERR_TYPE, "A %s has no temporal components.", value_type_name((enum value_type) v.type));
}
