// DATE, LOCAL TIME, ZONED TIME, LOCAL DATETIME, ZONED DATETIME and DURATION: making, reading, arithmetic, text.
//
// Instants live inside the value (value.h says in which fields). Functions that take `struct arena *` put durations and text
// there. A null argument gives null. All are pure: "now" comes in as a struct temporal_clock. Errors: ERR_ARGUMENT for what
// cannot be read or is not in its range, ERR_ARITHMETIC for overflow, ERR_TYPE for a value of a wrong type. Sources: Cypher
// manual "Temporal (instant) functions", ISO 8601, java.time where these are silent.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "value/value.h"
#include "value/zone.h"

/// What "now" is, and the zone in which it is read when none is named.
struct temporal_clock {
  int64_t seconds; // since the epoch, UTC
  int32_t nanos;
  int32_t zone; // see zone.h
};

#define TEMPORAL_DATE_DAYS_MIN INT64_C(-365243219162) // -999999999-01-01
#define TEMPORAL_DATE_DAYS_MAX INT64_C(365241780471)  // 999999999-12-31
#define TEMPORAL_TIME_NANOS_MAX INT64_C(86399999999999)

static inline struct value v_date(int64_t days) {
  return (struct value){.type = VALUE_DATE, .i = days};
}
static inline struct value v_local_time(int64_t nanos_of_day) {
  return (struct value){.type = VALUE_LOCAL_TIME, .i = nanos_of_day};
}
static inline struct value v_time(int64_t nanos_of_day, int32_t offset_seconds) {
  return (struct value){.type = VALUE_TIME, .aux = offset_seconds, .i = nanos_of_day};
}
/// Seconds since the epoch as if the local time were UTC.
static inline struct value v_local_datetime(int64_t seconds, uint32_t nanos) {
  return (struct value){.type = VALUE_LOCAL_DATETIME, .len = nanos, .i = seconds};
}
static inline struct value v_datetime(int64_t utc_seconds, uint32_t nanos, int32_t zone) {
  return (struct value){.type = VALUE_DATETIME, .aux = zone, .len = nanos, .i = utc_seconds};
}
/// Copies `d` into the arena. Its nanos must be in range.
enum err v_duration(struct arena *a, struct value_duration d, struct value *ret, struct error *e) NODISCARD;

static inline bool temporal_is_instant(struct value v) {
  return v.type >= VALUE_DATE && v.type <= VALUE_DATETIME;
}

/// True if the fields of a temporal value are in their ranges (years, nanoseconds, offsets): for bytes from outside.
bool temporal_in_range(struct value v);

// Making

/// `date()`, `datetime()` and so on without an argument, or `.transaction()`, `.statement()`, `.realtime()` with the clock of
/// that name.
struct value temporal_now(enum value_type type, struct temporal_clock clock);

/// The clock with its zone replaced by a STRING that names one, as in `date.realtime('Europe/Stockholm')`.
enum err temporal_clock_in(struct temporal_clock clock, struct value zone, struct temporal_clock *ret, struct error *e) NODISCARD;

/// `date(x)` and its kin, also `duration(x)`: from a STRING, a MAP of components (and base values to override), or another
/// temporal value.
enum err temporal_construct(enum value_type type, struct value from, struct temporal_clock clock, struct arena *a,
                            struct value *ret, struct error *e) NODISCARD;

/// `date.truncate(unit, from, fields)`: `from` is an instant, `fields` a MAP of components to set afterwards, or null.
enum err temporal_truncate(enum value_type type, struct str unit, struct value from, struct value fields,
                           struct temporal_clock clock, struct value *ret, struct error *e) NODISCARD;

/// `datetime.fromepoch(seconds, nanoseconds)` and `datetime.fromepochmillis(milliseconds)`: numbers.
enum err temporal_from_epoch(struct value seconds, struct value nanos, struct value *ret, struct error *e) NODISCARD;
enum err temporal_from_epoch_millis(struct value millis, struct value *ret, struct error *e) NODISCARD;

// Reading

/// A component: `d.year`, `dt.epochMillis`, `t.timezone`, `p.minutesOfHour`. ERR_ARGUMENT where the type has no such component.
enum err temporal_get(struct value v, struct str field, struct arena *a, struct value *ret, struct error *e) NODISCARD;

/// toString(): ISO 8601 as java.time writes it, with the zone's name in brackets.
enum err temporal_format(struct value v, struct arena *a, struct str *ret, struct error *e) NODISCARD;

/// The same into `out`, without a NUL; returns the length. For encoders and small buffers.
enum { TEMPORAL_TEXT_MAX = 160 };
size_t temporal_put(struct value v, char out[TEMPORAL_TEXT_MAX]);

// Arithmetic

/// instant + duration, duration + instant, duration + duration.
enum err temporal_add(struct value a, struct value b, struct arena *arena, struct value *ret, struct error *e) NODISCARD;
/// instant - duration, duration - duration.
enum err temporal_subtract(struct value a, struct value b, struct arena *arena, struct value *ret, struct error *e) NODISCARD;
/// duration * number, number * duration. What is left of a month becomes days, of a day seconds, at the calendar's mean.
enum err temporal_multiply(struct value a, struct value b, struct arena *arena, struct value *ret, struct error *e) NODISCARD;
/// duration / number. ERR_DIVISION_BY_ZERO.
enum err temporal_divide(struct value a, struct value b, struct arena *arena, struct value *ret, struct error *e) NODISCARD;

enum temporal_between { TEMPORAL_BETWEEN, TEMPORAL_IN_MONTHS, TEMPORAL_IN_DAYS, TEMPORAL_IN_SECONDS };

/// `duration.between(from, to)` and `duration.inMonths|inDays|inSeconds`. What one side lacks (date, zone) it takes from the
/// other.
enum err temporal_between(enum temporal_between kind, struct value from, struct value to, struct arena *a, struct value *ret,
                          struct error *e) NODISCARD;
