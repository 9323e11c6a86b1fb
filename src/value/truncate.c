// date.truncate() and its kin.
#include "value/temporal_int.h"

/// From large to small; a date cannot be cut below its day, a time not above.
enum unit {
  UNIT_MILLENNIUM,
  UNIT_CENTURY,
  UNIT_DECADE,
  UNIT_YEAR,
  UNIT_WEEK_YEAR,
  UNIT_QUARTER,
  UNIT_MONTH,
  UNIT_WEEK,
  UNIT_DAY,
  UNIT_HOUR,
  UNIT_MINUTE,
  UNIT_SECOND,
  UNIT_MILLISECOND,
  UNIT_MICROSECOND,
  UNIT_MAX,
};

static const char *const unit_names[UNIT_MAX] = {
    [UNIT_MILLENNIUM] = "millennium",
    [UNIT_CENTURY] = "century",
    [UNIT_DECADE] = "decade",
    [UNIT_YEAR] = "year",
    [UNIT_WEEK_YEAR] = "weekYear",
    [UNIT_QUARTER] = "quarter",
    [UNIT_MONTH] = "month",
    [UNIT_WEEK] = "week",
    [UNIT_DAY] = "day",
    [UNIT_HOUR] = "hour",
    [UNIT_MINUTE] = "minute",
    [UNIT_SECOND] = "second",
    [UNIT_MILLISECOND] = "millisecond",
    [UNIT_MICROSECOND] = "microsecond",
};

static enum err find_unit(struct str name, enum unit *ret, struct error *e) {
  for (int unit = 0; unit < UNIT_MAX; unit++)
    if (str_eq_nocase(name, str_of(unit_names[unit]))) return *ret = (enum unit) unit, ERR_OK;
  return error_set(e, ERR_ARGUMENT, "Invalid temporal unit: %.*s", STR_ARG(name));
}

static int64_t year_start(int64_t year, int64_t span) {
  return calendar_days(floor_div(year, span) * span, 1, 1);
}

static int64_t truncated_days(int64_t days, enum unit unit) {
  struct calendar_date d = calendar_of_days(days);
  switch (unit) {
  case UNIT_MILLENNIUM: return year_start(d.year, 1000);
  case UNIT_CENTURY: return year_start(d.year, 100);
  case UNIT_DECADE: return year_start(d.year, 10);
  case UNIT_YEAR: return year_start(d.year, 1);
  case UNIT_WEEK_YEAR: return calendar_days_of_week(calendar_week_of_days(days).year, 1);
  case UNIT_QUARTER: return calendar_days(d.year, (d.month - 1) / 3 * 3 + 1, 1);
  case UNIT_MONTH: return calendar_days(d.year, d.month, 1);
  case UNIT_WEEK: return days - calendar_weekday(days) + 1;
  default: return days;
  }
}

static int64_t truncated_nanos(int64_t nanos, enum unit unit) {
  static const int64_t widths[UNIT_MAX] = {
      [UNIT_HOUR] = 3600 * NANOS_PER_SECOND,
      [UNIT_MINUTE] = 60 * NANOS_PER_SECOND,
      [UNIT_SECOND] = NANOS_PER_SECOND,
      [UNIT_MILLISECOND] = 1000000,
      [UNIT_MICROSECOND] = 1000,
  };
  return unit <= UNIT_DAY ? 0 : nanos - nanos % widths[unit];
}

static void keep_number(struct temporal_fields *f, enum temporal_field field, int64_t n) {
  if (field_given(f, field)) return;
  f->given |= UINT32_C(1) << field;
  f->numbers[field] = n;
}

/// A field below the unit goes behind what the unit kept of the second, instead of replacing it.
static void keep_subseconds(struct temporal_fields *f, enum unit unit, int64_t nanos) {
  bool has_us = field_given(f, FIELD_MICROSECOND), has_ns = field_given(f, FIELD_NANOSECOND);
  if (unit == UNIT_MICROSECOND && has_ns) keep_number(f, FIELD_MICROSECOND, nanos / 1000 % 1000);
  if ((unit == UNIT_MILLISECOND && (has_us || has_ns)) || (unit == UNIT_MICROSECOND && has_ns))
    keep_number(f, FIELD_MILLISECOND, nanos / 1000000 % 1000);
}

static enum err check_unit(enum value_type type, const struct temporal_parts *p, enum unit unit, struct error *e) {
  bool dated = type != VALUE_TIME && type != VALUE_LOCAL_TIME;
  if (dated ? unit < UNIT_DAY && !p->has_date : unit < UNIT_DAY)
    return error_set(e, ERR_ARGUMENT, "Unit is too large to be used for truncation: %s", unit_names[unit]);
  if (unit > UNIT_DAY && (type == VALUE_DATE || !p->has_time))
    return error_set(e, ERR_ARGUMENT, "Unit is too small to be used for truncation: %s", unit_names[unit]);
  return ERR_OK;
}

enum err temporal_truncate(enum value_type type, struct str unit_name, struct value from, struct value fields,
                           struct temporal_clock clock, struct value *ret, struct error *e) {
  if (v_is_null(from)) {
    *ret = V_NULL;
    return ERR_OK;
  }
  if (!temporal_is_instant(from))
    return error_set(e, ERR_TYPE, "Expected a temporal instant, but got a %s.", value_type_name((enum value_type) from.type));
  enum unit unit;
  TRY(find_unit(unit_name, &unit, e));
  struct temporal_parts p = temporal_split(from);
  TRY(check_unit(type, &p, unit, e));
  p.days = truncated_days(p.days, unit);
  p.nanos = truncated_nanos(p.nanos, unit);
  p.has_time = type != VALUE_DATE;
  if (type == VALUE_TIME) p.zone = p.offset;
  struct temporal_fields f;
  TRY(temporal_read_fields(fields, &f, e));
  keep_subseconds(&f, unit, p.nanos % NANOS_PER_SECOND);
  return temporal_build(type, &f, p, true, clock, ret, e);
}
