// The duration between two instants.
#include "value/temporal_int.h"

struct span {
  int64_t seconds;
  int64_t nanos; // 0 to 999 999 999
};

/// Exact time from `a` to `b`, in UTC where they have zones.
static struct span exact_span(const struct temporal_parts *a, const struct temporal_parts *b) {
  int64_t from = a->has_zone ? parts_utc_seconds(a) : parts_local_seconds(a);
  int64_t to = b->has_zone ? parts_utc_seconds(b) : parts_local_seconds(b);
  int64_t nanos = b->nanos % NANOS_PER_SECOND - a->nanos % NANOS_PER_SECOND;
  return (struct span){to - from + floor_div(nanos, NANOS_PER_SECOND), floor_mod(nanos, NANOS_PER_SECOND)};
}

/// The last day of `b` that is a whole number of days away from `a`, on local clocks.
static int64_t whole_day(const struct temporal_parts *a, const struct temporal_parts *b) {
  if (b->days > a->days && b->nanos < a->nanos) return b->days - 1;
  if (b->days < a->days && b->nanos > a->nanos) return b->days + 1;
  return b->days;
}

/// Whole months from `a` to `b`. A day of the month below 32 packs with the month into one number (as java.time counts).
static int64_t whole_months(const struct temporal_parts *a, const struct temporal_parts *b) {
  struct calendar_date from = calendar_of_days(a->days), to = calendar_of_days(whole_day(a, b));
  int64_t packed_from = (from.year * 12 + from.month - 1) * 32 + from.day,
          packed_to = (to.year * 12 + to.month - 1) * 32 + to.day;
  return (packed_to - packed_from) / 32;
}

static int64_t shifted_by_months(int64_t days, int64_t months) {
  struct calendar_date d = calendar_of_days(days);
  int64_t month = d.year * 12 + d.month - 1 + months;
  int64_t year = floor_div(month, 12);
  int month_of_year = (int) floor_mod(month, 12) + 1, last = calendar_days_in_month(year, month_of_year);
  return calendar_days(year, month_of_year, d.day < last ? d.day : last);
}

/// Gives each side what it lacks: the other's date and zone, midnight for a time.
static void complete(struct temporal_parts *a, const struct temporal_parts *b) {
  if (!a->has_date) a->days = b->days;
  if (!a->has_zone && b->has_zone) *a = parts_with_zone(*a, b->zone);
}

static void split_months_and_days(struct temporal_parts *from, const struct temporal_parts *to, bool months,
                                  struct value_duration *d) {
  // Both on the clocks of `from`, so that days are counted where it is.
  struct temporal_parts there = to->has_zone ? parts_in_zone(*to, from->zone) : *to;
  if (months) {
    d->months = whole_months(from, &there);
    from->days = shifted_by_months(from->days, d->months);
  }
  d->days = whole_day(from, &there) - from->days;
  from->days += d->days;
}

static struct value_duration measure(enum temporal_between kind, struct temporal_parts from, struct temporal_parts to) {
  struct value_duration d = {0};
  bool dated = from.has_date && to.has_date;
  complete(&from, &to);
  complete(&to, &from);
  from.has_date = to.has_date = true;
  if (dated && kind != TEMPORAL_IN_SECONDS) split_months_and_days(&from, &to, kind != TEMPORAL_IN_DAYS, &d);
  if (kind == TEMPORAL_IN_MONTHS) return (struct value_duration){.months = d.months};
  if (kind == TEMPORAL_IN_DAYS) return (struct value_duration){.days = d.days};
  struct span rest = exact_span(&from, &to);
  d.seconds = rest.seconds;
  d.nanos = (int32_t) rest.nanos;
  return d;
}

enum err temporal_between(enum temporal_between kind, struct value from, struct value to, struct arena *a, struct value *ret,
                          struct error *e) {
  if (v_is_null(from) || v_is_null(to)) {
    *ret = V_NULL;
    return ERR_OK;
  }
  if (!temporal_is_instant(from) || !temporal_is_instant(to))
    return error_set(e, ERR_TYPE, "Expected two temporal instants, but got a %s and a %s.",
                     value_type_name((enum value_type) from.type), value_type_name((enum value_type) to.type));
  return v_duration(a, measure(kind, temporal_split(from), temporal_split(to)), ret, e);
}
