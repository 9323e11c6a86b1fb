// Instants from maps of components, alone or over a base whose components they replace.
#include "value/temporal_int.h"

static const char *const field_names[FIELD_MAX] = {
    [FIELD_YEAR] = "year",
    [FIELD_QUARTER] = "quarter",
    [FIELD_MONTH] = "month",
    [FIELD_WEEK] = "week",
    [FIELD_DAY_OF_WEEK] = "dayOfWeek",
    [FIELD_DAY_OF_QUARTER] = "dayOfQuarter",
    [FIELD_ORDINAL_DAY] = "ordinalDay",
    [FIELD_DAY] = "day",
    [FIELD_HOUR] = "hour",
    [FIELD_MINUTE] = "minute",
    [FIELD_SECOND] = "second",
    [FIELD_MILLISECOND] = "millisecond",
    [FIELD_MICROSECOND] = "microsecond",
    [FIELD_NANOSECOND] = "nanosecond",
    [FIELD_EPOCH_SECONDS] = "epochSeconds",
    [FIELD_EPOCH_MILLIS] = "epochMillis",
    [FIELD_TIMEZONE] = "timezone",
    [FIELD_DATE] = "date",
    [FIELD_TIME] = "time",
    [FIELD_DATETIME] = "datetime",
};

#define BIT(field) (UINT32_C(1) << FIELD_##field)
#define WEEK_FIELDS (BIT(WEEK) | BIT(DAY_OF_WEEK))
#define QUARTER_FIELDS (BIT(QUARTER) | BIT(DAY_OF_QUARTER))
#define CALENDAR_FIELDS (BIT(MONTH) | BIT(DAY))
#define DATE_FIELDS (BIT(YEAR) | WEEK_FIELDS | QUARTER_FIELDS | CALENDAR_FIELDS | BIT(ORDINAL_DAY))
#define SUBSECOND_FIELDS (BIT(MILLISECOND) | BIT(MICROSECOND) | BIT(NANOSECOND))
#define TIME_FIELDS (BIT(HOUR) | BIT(MINUTE) | BIT(SECOND) | SUBSECOND_FIELDS)
#define EPOCH_FIELDS (BIT(EPOCH_SECONDS) | BIT(EPOCH_MILLIS))

static uint32_t fields_of_type(enum value_type type) {
  switch (type) {
  case VALUE_DATE: return DATE_FIELDS | BIT(DATE) | BIT(DATETIME);
  case VALUE_LOCAL_TIME: return TIME_FIELDS | BIT(TIME) | BIT(DATETIME);
  case VALUE_TIME: return TIME_FIELDS | BIT(TIME) | BIT(DATETIME) | BIT(TIMEZONE);
  case VALUE_LOCAL_DATETIME: return DATE_FIELDS | TIME_FIELDS | BIT(DATE) | BIT(TIME) | BIT(DATETIME);
  default: return DATE_FIELDS | TIME_FIELDS | EPOCH_FIELDS | BIT(DATE) | BIT(TIME) | BIT(DATETIME) | BIT(TIMEZONE);
  }
}

/// The lowest of the fields' names, for messages.
static const char *first_name(uint32_t fields) {
  return field_names[__builtin_ctz(fields)];
}

static enum err read_field(struct value_entry entry, struct temporal_fields *f, struct error *e) {
  for (int field = 0; field < FIELD_MAX; field++) {
    if (!str_eq_nocase(entry.key, str_of(field_names[field]))) continue;
    const char *wanted = field < FIELD_NUMBERS ? "an integer" : field == FIELD_TIMEZONE ? "a string" : "a temporal value";
    bool fits = field < FIELD_NUMBERS     ? entry.value.type == VALUE_INT
                : field == FIELD_TIMEZONE ? entry.value.type == VALUE_STRING
                                          : temporal_is_instant(entry.value);
    if (!fits)
      return error_set(e, ERR_ARGUMENT, "%s must be %s, but is a %s.", field_names[field], wanted,
                       value_type_name((enum value_type) entry.value.type));
    f->given |= UINT32_C(1) << field;
    if (field < FIELD_NUMBERS)
      f->numbers[field] = entry.value.i;
    else
      f->base[field - FIELD_NUMBERS] = entry.value;
    return ERR_OK;
  }
  return error_set(e, ERR_ARGUMENT, "No such field: %.*s", STR_ARG(entry.key));
}

enum err temporal_read_fields(struct value map, struct temporal_fields *ret, struct error *e) {
  struct temporal_fields f = {0};
  for (uint32_t i = 0; map.type == VALUE_MAP && i < map.len; i++) TRY(read_field(map.entries[i], &f, e));
  *ret = f;
  return ERR_OK;
}

/// A field's value, or `otherwise`. ERR_ARGUMENT outside of its range.
static enum err number_within(const struct temporal_fields *f, enum temporal_field field, int64_t otherwise, int64_t min,
                              int64_t max, int64_t *ret, struct error *e) {
  int64_t n = field_given(f, field) ? f->numbers[field] : otherwise;
  if (n < min || n > max)
    return error_set(e, ERR_ARGUMENT, "Invalid value for %s: %lld is not between %lld and %lld.", field_names[field],
                     (long long) n, (long long) min, (long long) max);
  *ret = n;
  return ERR_OK;
}

static enum err year_of(const struct temporal_fields *f, int64_t otherwise, int64_t *ret, struct error *e) {
  return number_within(f, FIELD_YEAR, otherwise, -CALENDAR_YEAR_MAX, CALENDAR_YEAR_MAX, ret, e);
}

/// The week's year is that of the base's week, not of its date.
static enum err date_by_week(const struct temporal_fields *f, int64_t base, int64_t *ret, struct error *e) {
  struct calendar_week in = calendar_week_of_days(base);
  int64_t year, week, weekday;
  TRY(year_of(f, in.year, &year, e));
  TRY(number_within(f, FIELD_WEEK, in.week, 1, 53, &week, e));
  TRY(number_within(f, FIELD_DAY_OF_WEEK, calendar_weekday(base), 1, 7, &weekday, e));
  if (week > calendar_weeks_in_year(year))
    return error_set(e, ERR_ARGUMENT, "Year %lld does not contain 53 weeks.", (long long) year);
  *ret = calendar_days_of_week(year, week) + weekday - 1;
  return ERR_OK;
}

static enum err date_by_quarter(const struct temporal_fields *f, int64_t base, int64_t *ret, struct error *e) {
  struct calendar_date in = calendar_of_days(base);
  int in_quarter = (in.month - 1) / 3 + 1;
  int64_t year, quarter, day;
  TRY(year_of(f, in.year, &year, e));
  TRY(number_within(f, FIELD_QUARTER, in_quarter, 1, 4, &quarter, e));
  int64_t first = calendar_days(year, (int) quarter * 3 - 2, 1);
  int64_t length = calendar_days(quarter == 4 ? year + 1 : year, quarter == 4 ? 1 : (int) quarter * 3 + 1, 1) - first;
  TRY(number_within(f, FIELD_DAY_OF_QUARTER, base - calendar_days(in.year, in_quarter * 3 - 2, 1) + 1, 1, length, &day, e));
  *ret = first + day - 1;
  return ERR_OK;
}

static enum err date_by_ordinal(const struct temporal_fields *f, int64_t base, int64_t *ret, struct error *e) {
  int64_t year, day;
  TRY(year_of(f, calendar_of_days(base).year, &year, e));
  TRY(number_within(f, FIELD_ORDINAL_DAY, 1, 1, 365 + calendar_is_leap(year), &day, e));
  *ret = calendar_days(year, 1, 1) + day - 1;
  return ERR_OK;
}

static enum err date_by_month(const struct temporal_fields *f, int64_t base, int64_t *ret, struct error *e) {
  struct calendar_date in = calendar_of_days(base);
  int64_t year, month, day;
  TRY(year_of(f, in.year, &year, e));
  TRY(number_within(f, FIELD_MONTH, in.month, 1, 12, &month, e));
  TRY(number_within(f, FIELD_DAY, in.day, 1, calendar_days_in_month(year, (int) month), &day, e));
  *ret = calendar_days(year, (int) month, (int) day);
  return ERR_OK;
}

/// Without a base, a component needs the next larger one. `fields` from large to small.
static enum err no_gaps(const struct temporal_fields *f, const enum temporal_field *fields, int len, struct error *e) {
  for (int i = 1; i < len; i++)
    if (field_given(f, fields[i]) && !field_given(f, fields[i - 1]))
      return error_set(e, ERR_ARGUMENT, "%s must be specified where %s is.", field_names[fields[i - 1]], field_names[fields[i]]);
  return ERR_OK;
}

static enum err date_is_whole(const struct temporal_fields *f, struct error *e) {
  static const enum temporal_field by_week[] = {FIELD_YEAR, FIELD_WEEK, FIELD_DAY_OF_WEEK};
  static const enum temporal_field by_quarter[] = {FIELD_YEAR, FIELD_QUARTER, FIELD_DAY_OF_QUARTER};
  static const enum temporal_field by_month[] = {FIELD_YEAR, FIELD_MONTH, FIELD_DAY};
  if (!field_given(f, FIELD_YEAR)) return error_set(e, ERR_ARGUMENT, "year must be specified.");
  TRY(no_gaps(f, by_week, 3, e));
  TRY(no_gaps(f, by_quarter, 3, e));
  return no_gaps(f, by_month, 3, e);
}

static enum err build_date(const struct temporal_fields *f, struct temporal_parts *p, struct error *e) {
  uint32_t given = f->given & DATE_FIELDS;
  if (given == 0) return p->has_date ? ERR_OK : error_set(e, ERR_ARGUMENT, "year must be specified.");
  int ways = ((given & WEEK_FIELDS) != 0) + ((given & QUARTER_FIELDS) != 0) + ((given & CALENDAR_FIELDS) != 0) +
             ((given & BIT(ORDINAL_DAY)) != 0);
  if (ways > 1) return error_set(e, ERR_ARGUMENT, "Weeks, quarters, ordinal days and months cannot be mixed in one date.");
  int64_t base = p->days;
  if (!p->has_date) {
    TRY(date_is_whole(f, e));
    int64_t year;
    TRY(year_of(f, 0, &year, e));
    // The first day in the way of counting that the fields have: what is not given counts from 1.
    base = given & WEEK_FIELDS ? calendar_days_of_week(year, 1) : calendar_days(year, 1, 1);
  }
  if (given & WEEK_FIELDS)
    TRY(date_by_week(f, base, &p->days, e));
  else if (given & QUARTER_FIELDS)
    TRY(date_by_quarter(f, base, &p->days, e));
  else if (given & BIT(ORDINAL_DAY))
    TRY(date_by_ordinal(f, base, &p->days, e));
  else
    TRY(date_by_month(f, base, &p->days, e));
  p->has_date = true;
  return ERR_OK;
}

/// Parts of a second add up; each counts what the larger given ones leave: with a millisecond, a microsecond is below 1000.
static enum err subsecond_nanos(const struct temporal_fields *f, int64_t *ret, struct error *e) {
  int64_t ms, us, ns;
  bool has_ms = field_given(f, FIELD_MILLISECOND), has_us = field_given(f, FIELD_MICROSECOND);
  TRY(number_within(f, FIELD_MILLISECOND, 0, 0, 999, &ms, e));
  TRY(number_within(f, FIELD_MICROSECOND, 0, 0, has_ms ? 999 : 999999, &us, e));
  TRY(number_within(f, FIELD_NANOSECOND, 0, 0, has_us ? 999 : has_ms ? 999999 : 999999999, &ns, e));
  *ret = ms * 1000000 + us * 1000 + ns;
  return ERR_OK;
}

static enum err build_time(const struct temporal_fields *f, bool required, struct temporal_parts *p, struct error *e) {
  static const enum temporal_field order[] = {FIELD_HOUR, FIELD_MINUTE, FIELD_SECOND};
  uint32_t given = f->given & TIME_FIELDS;
  if (given == 0 && (p->has_time || !required)) return ERR_OK;
  if (!p->has_time) {
    if (!field_given(f, FIELD_HOUR)) return error_set(e, ERR_ARGUMENT, "hour must be specified.");
    TRY(no_gaps(f, order, 3, e));
    if ((given & SUBSECOND_FIELDS) && !field_given(f, FIELD_SECOND))
      return error_set(e, ERR_ARGUMENT, "second must be specified where %s is.", first_name(given & SUBSECOND_FIELDS));
  }
  int64_t hour, minute, second, nanos = p->nanos % NANOS_PER_SECOND, seconds = p->nanos / NANOS_PER_SECOND;
  TRY(number_within(f, FIELD_HOUR, seconds / 3600, 0, 23, &hour, e));
  TRY(number_within(f, FIELD_MINUTE, seconds / 60 % 60, 0, 59, &minute, e));
  TRY(number_within(f, FIELD_SECOND, seconds % 60, 0, 59, &second, e));
  if (given & SUBSECOND_FIELDS) TRY(subsecond_nanos(f, &nanos, e));
  p->nanos = (hour * 3600 + minute * 60 + second) * NANOS_PER_SECOND + nanos;
  p->has_time = true;
  return ERR_OK;
}

/// A given zone: a base that has one moves to it, a base or fields without take it as theirs.
static enum err build_zone(const struct temporal_fields *f, bool keeps_local, struct temporal_parts *p,
                           struct temporal_clock clock, struct error *e) {
  if (!field_given(f, FIELD_TIMEZONE)) return ERR_OK;
  int32_t zone;
  TRY(zone_parse(v_text(f->base[0]), &zone, e));
  if (!p->has_date && zone_is_id(zone)) zone = zone_offset_at(zone, clock.seconds);
  *p = p->has_zone && !keeps_local ? parts_in_zone(*p, zone) : parts_with_zone(*p, zone);
  return ERR_OK;
}

/// Overlays the base values of the map: `date` gives the date, `time` time and zone, `datetime` all.
static enum err take_bases(enum value_type type, const struct temporal_fields *f, struct temporal_parts *p, struct error *e) {
  if (field_given(f, FIELD_DATETIME) && (f->given & (BIT(DATE) | BIT(TIME))))
    return error_set(e, ERR_ARGUMENT, "datetime cannot be combined with date or time.");
  if (field_given(f, FIELD_DATETIME)) *p = temporal_split(f->base[FIELD_DATETIME - FIELD_NUMBERS]);
  if (field_given(f, FIELD_DATE)) {
    struct temporal_parts from = temporal_split(f->base[FIELD_DATE - FIELD_NUMBERS]);
    if (!from.has_date) return error_set(e, ERR_ARGUMENT, "Cannot get the date of a time.");
    p->has_date = true;
    p->days = from.days;
  }
  if (field_given(f, FIELD_TIME)) {
    struct temporal_parts from = temporal_split(f->base[FIELD_TIME - FIELD_NUMBERS]);
    if (!from.has_time) return error_set(e, ERR_ARGUMENT, "Cannot get the time of a date.");
    p->has_time = true;
    p->nanos = from.nanos;
    p->has_zone = from.has_zone;
    p->zone = from.zone;
    p->offset = from.offset;
  }
  if (type == VALUE_TIME) p->zone = p->offset; // a time has no date that could tell a named zone's offset
  return ERR_OK;
}

/// datetime({epochSeconds: ...}) and epochMillis, each with what is smaller.
static enum err build_epoch(const struct temporal_fields *f, struct temporal_clock clock, struct value *ret, struct error *e) {
  bool millis = field_given(f, FIELD_EPOCH_MILLIS);
  uint32_t rest = f->given & ~(BIT(TIMEZONE) | BIT(NANOSECOND) |
                               (millis ? BIT(EPOCH_MILLIS) : BIT(EPOCH_SECONDS) | BIT(MILLISECOND) | BIT(MICROSECOND)));
  if (rest != 0) return error_set(e, ERR_ARGUMENT, "%s cannot be combined with an epoch.", first_name(rest));
  int64_t seconds = f->numbers[FIELD_EPOCH_SECONDS], nanos;
  if (millis) {
    seconds = floor_div(f->numbers[FIELD_EPOCH_MILLIS], 1000);
    TRY(number_within(f, FIELD_NANOSECOND, 0, 0, 999999, &nanos, e));
    nanos += floor_mod(f->numbers[FIELD_EPOCH_MILLIS], 1000) * 1000000;
  } else {
    TRY(subsecond_nanos(f, &nanos, e));
  }
  int32_t zone = clock.zone;
  if (field_given(f, FIELD_TIMEZONE)) TRY(zone_parse(v_text(f->base[0]), &zone, e));
  struct value v = v_datetime(seconds, (uint32_t) nanos, zone);
  if (!temporal_in_range(v))
    return error_set(e, ERR_ARGUMENT, "%lld seconds since the epoch are out of range.", (long long) seconds);
  *ret = v;
  return ERR_OK;
}

enum err temporal_build(enum value_type type, const struct temporal_fields *f, struct temporal_parts base, bool zone_keeps_local,
                        struct temporal_clock clock, struct value *ret, struct error *e) {
  uint32_t foreign = f->given & ~fields_of_type(type);
  if (foreign != 0) return error_set(e, ERR_ARGUMENT, "A %s has no %s.", value_type_name(type), first_name(foreign));
  if (f->given & EPOCH_FIELDS) return build_epoch(f, clock, ret, e);
  struct temporal_parts p = base;
  TRY(take_bases(type, f, &p, e));
  if (type != VALUE_TIME && type != VALUE_LOCAL_TIME) TRY(build_date(f, &p, e));
  if (type != VALUE_DATE) TRY(build_time(f, type == VALUE_TIME || type == VALUE_LOCAL_TIME, &p, e));
  if (type == VALUE_TIME || type == VALUE_DATETIME) TRY(build_zone(f, zone_keeps_local, &p, clock, e));
  return temporal_join(type, p, clock, ret, e);
}

static enum err from_map(enum value_type type, struct value map, struct temporal_clock clock, struct arena *a, struct value *ret,
                         struct error *e) {
  if (map.len == 0) return error_set(e, ERR_ARGUMENT, "At least one temporal unit must be specified.");
  if (type == VALUE_DURATION) {
    struct value_duration d;
    TRY(duration_from_map(map, &d, e));
    return v_duration(a, d, ret, e);
  }
  struct temporal_fields f;
  TRY(temporal_read_fields(map, &f, e));
  return temporal_build(type, &f, (struct temporal_parts){0}, false, clock, ret, e);
}

static enum err from_text(enum value_type type, struct str text, struct temporal_clock clock, struct arena *a, struct value *ret,
                          struct error *e) {
  if (type != VALUE_DURATION) return temporal_parse(type, text, clock, ret, e);
  struct value_duration d;
  TRY(duration_parse(text, &d, e));
  return v_duration(a, d, ret, e);
}

enum err temporal_construct(enum value_type type, struct value from, struct temporal_clock clock, struct arena *a,
                            struct value *ret, struct error *e) {
  if (v_is_null(from)) {
    *ret = V_NULL;
    return ERR_OK;
  }
  if (from.type == VALUE_STRING) return from_text(type, v_text(from), clock, a, ret, e);
  if (from.type == VALUE_MAP) return from_map(type, from, clock, a, ret, e);
  if (from.type == VALUE_DURATION && type == VALUE_DURATION) {
    *ret = from;
    return ERR_OK;
  }
  if (temporal_is_instant(from) && type != VALUE_DURATION) return temporal_join(type, temporal_split(from), clock, ret, e);
  return error_set(e, ERR_TYPE, "A %s cannot be made from a %s.", value_type_name(type),
                   value_type_name((enum value_type) from.type));
}
