// Durations from units and text, and their arithmetic.
#include <math.h>

#include "value/temporal_int.h"

enum err v_duration(struct arena *a, struct value_duration d, struct value *ret, struct error *e) {
  struct value_duration *copy = arena_copy(a, &d, sizeof d);
  if (copy == NULL) return arena_err(a, e);
  *ret = (struct value){.type = VALUE_DURATION, .duration = copy};
  return ERR_OK;
}

bool duration_sum_int(struct duration_part *part, int64_t amount, int64_t factor) {
  int64_t product;
  return !__builtin_mul_overflow(amount, factor, &product) && !__builtin_add_overflow(part->whole, product, &part->whole);
}

bool duration_sum_float(struct duration_part *part, long double amount, long double factor) {
  long double total = amount * factor + part->fraction;
  if (!(total > -0x1p63L && total < 0x1p63L)) return false;
  int64_t whole = (int64_t) total;
  part->fraction = total - (long double) whole;
  return !__builtin_add_overflow(part->whole, whole, &part->whole);
}

static enum err overflow(struct error *e) {
  return error_set(e, ERR_ARITHMETIC, "The duration is too large.");
}

enum err duration_settle(const struct duration_sum *sum, struct value_duration *ret, struct error *e) {
  struct duration_part days = sum->days, seconds = sum->seconds;
  if (!duration_sum_float(&days, sum->months.fraction, (long double) MONTH_SECONDS_MEAN / CALENDAR_DAY_SECONDS))
    return overflow(e);
  if (!duration_sum_float(&seconds, days.fraction, CALENDAR_DAY_SECONDS)) return overflow(e);
  __int128 nanos =
      (__int128) seconds.whole * NANOS_PER_SECOND + sum->nanos + (int64_t) rintl(seconds.fraction * NANOS_PER_SECOND);
  __int128 whole = nanos / NANOS_PER_SECOND - (nanos % NANOS_PER_SECOND < 0);
  if (whole > INT64_MAX || whole < INT64_MIN) return overflow(e);
  *ret = (struct value_duration){.months = sum->months.whole,
                                 .days = days.whole,
                                 .seconds = (int64_t) whole,
                                 .nanos = (int32_t) (nanos - whole * NANOS_PER_SECOND)};
  return ERR_OK;
}

static const struct duration_unit {
  const char *name;
  enum { PART_MONTHS, PART_DAYS, PART_SECONDS, PART_NANOS } part;
  int64_t factor;
} duration_units[] = {
    {"years", PART_MONTHS, 12},
    {"quarters", PART_MONTHS, 3},
    {"months", PART_MONTHS, 1},
    {"weeks", PART_DAYS, 7},
    {"days", PART_DAYS, 1},
    {"hours", PART_SECONDS, 3600},
    {"minutes", PART_SECONDS, 60},
    {"seconds", PART_SECONDS, 1},
    {"milliseconds", PART_NANOS, 1000000},
    {"microseconds", PART_NANOS, 1000},
    {"nanoseconds", PART_NANOS, 1},
};

static struct duration_part *part_of(struct duration_sum *sum, const struct duration_unit *unit) {
  return unit->part == PART_MONTHS ? &sum->months : unit->part == PART_DAYS ? &sum->days : &sum->seconds;
}

static enum err add_int(struct duration_sum *sum, const struct duration_unit *unit, int64_t amount, struct error *e) {
  if (unit->part == PART_NANOS) {
    sum->nanos += (__int128) amount * unit->factor;
    return ERR_OK;
  }
  return duration_sum_int(part_of(sum, unit), amount, unit->factor) ? ERR_OK : overflow(e);
}

static enum err add_float(struct duration_sum *sum, const struct duration_unit *unit, long double amount, struct error *e) {
  long double factor = unit->factor;
  if (unit->part == PART_NANOS) factor /= NANOS_PER_SECOND;
  return duration_sum_float(part_of(sum, unit), amount, factor) ? ERR_OK : overflow(e);
}

static enum err add_entry(struct duration_sum *sum, struct value_entry entry, struct error *e) {
  for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++) {
    if (!str_eq_nocase(entry.key, str_of(duration_units[i].name))) continue;
    if (entry.value.type == VALUE_INT) return add_int(sum, &duration_units[i], entry.value.i, e);
    if (entry.value.type == VALUE_FLOAT) return add_float(sum, &duration_units[i], entry.value.f, e);
    return error_set(e, ERR_ARGUMENT, "%s must be a number, but is a %s.", duration_units[i].name,
                     value_type_name((enum value_type) entry.value.type));
  }
  return error_set(e, ERR_ARGUMENT, "No such field: %.*s", STR_ARG(entry.key));
}

enum err duration_from_map(struct value map, struct value_duration *ret, struct error *e) {
  struct duration_sum sum = {0};
  for (uint32_t i = 0; i < map.len; i++) TRY(add_entry(&sum, map.entries[i], e));
  return duration_settle(&sum, ret, e);
}

/// a + sign * b.
static enum err combine(const struct value_duration *a, const struct value_duration *b, int sign, struct value_duration *ret,
                        struct error *e) {
  struct duration_sum sum = {.months.whole = a->months, .days.whole = a->days, .seconds.whole = a->seconds};
  sum.nanos = (__int128) a->nanos + sign * b->nanos;
  if (!duration_sum_int(&sum.months, b->months, sign) || !duration_sum_int(&sum.days, b->days, sign) ||
      !duration_sum_int(&sum.seconds, b->seconds, sign))
    return overflow(e);
  return duration_settle(&sum, ret, e);
}

/// Months by the calendar (the 31st becomes the last day of a shorter month), then days, then exact time.
static enum err shift_date(int64_t days, int64_t months, int64_t more_days, int64_t *ret, struct error *e) {
  struct calendar_date d = calendar_of_days(days);
  int64_t month;
  if (__builtin_add_overflow(d.year * 12 + d.month - 1, months, &month)) return overflow(e);
  int64_t year = floor_div(month, 12);
  if (year < -CALENDAR_YEAR_MAX || year > CALENDAR_YEAR_MAX) return overflow(e);
  int month_of_year = (int) floor_mod(month, 12) + 1;
  int64_t shifted = calendar_days(year, month_of_year, MIN(d.day, calendar_days_in_month(year, month_of_year)));
  if (__builtin_add_overflow(shifted, more_days, &shifted) || !temporal_in_range(v_date(shifted))) return overflow(e);
  *ret = shifted;
  return ERR_OK;
}

/// Moves parts by seconds and nanoseconds on the local clock; without a date it goes round.
static enum err shift_time(struct temporal_parts *p, int64_t seconds, int64_t nanos, struct error *e) {
  int64_t time = p->nanos % NANOS_PER_SECOND + nanos;
  int64_t second = p->nanos / NANOS_PER_SECOND + floor_div(time, NANOS_PER_SECOND);
  if (__builtin_add_overflow(second, seconds, &second)) return overflow(e);
  p->nanos = floor_mod(second, CALENDAR_DAY_SECONDS) * NANOS_PER_SECOND + floor_mod(time, NANOS_PER_SECOND);
  if (p->has_date) p->days += floor_div(second, CALENDAR_DAY_SECONDS);
  return ERR_OK;
}

/// Exact time passes in UTC: an hour is an hour when clocks change.
static enum err shift_zoned(struct temporal_parts *p, int64_t seconds, int64_t nanos, struct error *e) {
  int32_t zone = p->zone;
  struct temporal_parts utc = parts_in_zone(*p, ZONE_UTC);
  TRY(shift_time(&utc, seconds, nanos, e));
  if (!temporal_in_range(v_date(utc.days))) return overflow(e);
  *p = parts_in_zone(utc, zone);
  return ERR_OK;
}

static enum err negated(struct value_duration d, struct value_duration *ret, struct error *e) {
  return combine(&(struct value_duration){0}, &d, -1, ret, e);
}

static enum err shift_instant(struct value instant, struct value_duration d, struct value *ret, struct error *e) {
  struct temporal_parts p = temporal_split(instant);
  int64_t days = d.days;
  // A date takes whole days of the time, and the sign of a fraction is not one of them.
  if (!p.has_time && __builtin_add_overflow(days, (d.seconds + (d.seconds < 0 && d.nanos > 0)) / CALENDAR_DAY_SECONDS, &days))
    return overflow(e);
  if (p.has_date) TRY(shift_date(p.days, d.months, days, &p.days, e));
  if (p.has_time) TRY(p.has_date && p.has_zone ? shift_zoned(&p, d.seconds, d.nanos, e) : shift_time(&p, d.seconds, d.nanos, e));
  struct value moved;
  if (temporal_join((enum value_type) instant.type, p, (struct temporal_clock){0}, &moved, NULL) != ERR_OK) return overflow(e);
  *ret = moved;
  return ERR_OK;
}

static enum err no_operation(const char *what, struct value a, struct value b, struct error *e) {
  return error_set(e, ERR_TYPE, "Cannot %s a %s and a %s.", what, value_type_name((enum value_type) a.type),
                   value_type_name((enum value_type) b.type));
}

static enum err null_result(struct value *ret) {
  *ret = V_NULL;
  return ERR_OK;
}

enum err temporal_add(struct value a, struct value b, struct arena *arena, struct value *ret, struct error *e) {
  if (v_is_null(a) || v_is_null(b)) return null_result(ret);
  if (a.type == VALUE_DURATION && temporal_is_instant(b)) return shift_instant(b, *a.duration, ret, e);
  if (temporal_is_instant(a) && b.type == VALUE_DURATION) return shift_instant(a, *b.duration, ret, e);
  if (a.type != VALUE_DURATION || b.type != VALUE_DURATION) return no_operation("add", a, b, e);
  struct value_duration sum;
  TRY(combine(a.duration, b.duration, 1, &sum, e));
  return v_duration(arena, sum, ret, e);
}

enum err temporal_subtract(struct value a, struct value b, struct arena *arena, struct value *ret, struct error *e) {
  if (v_is_null(a) || v_is_null(b)) return null_result(ret);
  if (b.type != VALUE_DURATION) return no_operation("subtract", a, b, e);
  struct value_duration d;
  if (temporal_is_instant(a)) {
    TRY(negated(*b.duration, &d, e));
    return shift_instant(a, d, ret, e);
  }
  if (a.type != VALUE_DURATION) return no_operation("subtract", a, b, e);
  TRY(combine(a.duration, b.duration, -1, &d, e));
  return v_duration(arena, d, ret, e);
}

static enum err scale_by_int(const struct value_duration *d, int64_t factor, struct value_duration *ret, struct error *e) {
  struct duration_sum sum = {.nanos = (__int128) d->nanos * factor};
  if (!duration_sum_int(&sum.months, d->months, factor) || !duration_sum_int(&sum.days, d->days, factor) ||
      !duration_sum_int(&sum.seconds, d->seconds, factor))
    return overflow(e);
  return duration_settle(&sum, ret, e);
}

/// d * multiplier / divisor.
static enum err scale_by_float(const struct value_duration *d, long double multiplier, long double divisor,
                               struct value_duration *ret, struct error *e) {
  struct duration_sum sum = {0};
  long double seconds = d->seconds + (long double) d->nanos / NANOS_PER_SECOND;
  if (!duration_sum_float(&sum.months, d->months * multiplier / divisor, 1) ||
      !duration_sum_float(&sum.days, d->days * multiplier / divisor, 1) ||
      !duration_sum_float(&sum.seconds, seconds * multiplier / divisor, 1))
    return overflow(e);
  return duration_settle(&sum, ret, e);
}

static bool is_number(struct value v) {
  return v.type == VALUE_INT || v.type == VALUE_FLOAT;
}

static long double number_of(struct value v) {
  return v.type == VALUE_INT ? (long double) v.i : (long double) v.f;
}

enum err temporal_multiply(struct value a, struct value b, struct arena *arena, struct value *ret, struct error *e) {
  if (v_is_null(a) || v_is_null(b)) return null_result(ret);
  struct value duration = a.type == VALUE_DURATION ? a : b, number = a.type == VALUE_DURATION ? b : a;
  if (duration.type != VALUE_DURATION || !is_number(number)) return no_operation("multiply", a, b, e);
  struct value_duration d;
  if (number.type == VALUE_INT)
    TRY(scale_by_int(duration.duration, number.i, &d, e));
  else
    TRY(scale_by_float(duration.duration, number_of(number), 1, &d, e));
  return v_duration(arena, d, ret, e);
}

enum err temporal_divide(struct value a, struct value b, struct arena *arena, struct value *ret, struct error *e) {
  if (v_is_null(a) || v_is_null(b)) return null_result(ret);
  if (a.type != VALUE_DURATION || !is_number(b)) return no_operation("divide", a, b, e);
  if (number_of(b) == 0) return error_set(e, ERR_DIVISION_BY_ZERO, "/ by zero");
  struct value_duration d;
  TRY(scale_by_float(a.duration, 1, number_of(b), &d, e));
  return v_duration(arena, d, ret, e);
}
