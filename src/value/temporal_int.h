// What the files about temporal values share: an instant taken apart, and the names of its components.
#pragma once

#include "value/calendar_int.h"
#include "value/temporal.h"

/// An instant in local terms. What it lacks (a LOCAL TIME has no date) is 0.
struct temporal_parts {
  bool has_date, has_time, has_zone;
  int64_t days;   // since 1970-01-01
  int64_t nanos;  // since local midnight
  int32_t zone;   // see zone.h
  int32_t offset; // of that zone at that moment; decides where a local time is there twice
};

/// Takes an instant apart.
struct temporal_parts temporal_split(struct value instant);

/// Puts one together. Missing parts are an ERR_ARGUMENT, a missing zone is that of the clock; so is the moment at which a named
/// zone without a date has its offset. ERR_ARGUMENT too for what is out of range.
enum err temporal_join(enum value_type type, struct temporal_parts parts, struct temporal_clock clock, struct value *ret,
                       struct error *e);

static inline int64_t parts_local_seconds(const struct temporal_parts *p) {
  return p->days * CALENDAR_DAY_SECONDS + p->nanos / NANOS_PER_SECOND;
}

/// Seconds since the epoch in UTC of parts with date and zone.
int64_t parts_utc_seconds(const struct temporal_parts *p);

/// The same moment on the clocks of another zone.
struct temporal_parts parts_in_zone(struct temporal_parts p, int32_t zone);

/// The same local time in another zone.
struct temporal_parts parts_with_zone(struct temporal_parts p, int32_t zone);

enum temporal_field {
  FIELD_YEAR,
  FIELD_QUARTER,
  FIELD_MONTH,
  FIELD_WEEK,
  FIELD_DAY_OF_WEEK,
  FIELD_DAY_OF_QUARTER,
  FIELD_ORDINAL_DAY,
  FIELD_DAY,
  FIELD_HOUR,
  FIELD_MINUTE,
  FIELD_SECOND,
  FIELD_MILLISECOND,
  FIELD_MICROSECOND,
  FIELD_NANOSECOND,
  FIELD_EPOCH_SECONDS,
  FIELD_EPOCH_MILLIS,
  FIELD_NUMBERS, // those above are integers
  FIELD_TIMEZONE = FIELD_NUMBERS,
  FIELD_DATE,
  FIELD_TIME,
  FIELD_DATETIME,
  FIELD_MAX,
};

/// The components that a map gave.
struct temporal_fields {
  uint32_t given; // bit 1 << field
  int64_t numbers[FIELD_NUMBERS];
  struct value base[FIELD_MAX - FIELD_NUMBERS]; // timezone text and the temporal values to start from
};

static inline bool field_given(const struct temporal_fields *f, enum temporal_field field) {
  return (f->given >> field & 1) != 0;
}

/// Reads a MAP; a null or an empty one gives no field. ERR_ARGUMENT for unknown names and values of wrong types.
enum err temporal_read_fields(struct value map, struct temporal_fields *ret, struct error *e);

/// Builds an instant from fields over a base. `zone_keeps_local`: a given zone replaces that of the base without moving the
/// hands.
enum err temporal_build(enum value_type type, const struct temporal_fields *fields, struct temporal_parts base,
                        bool zone_keeps_local, struct temporal_clock clock, struct value *ret, struct error *e);

/// The text forms (temporal_parse.c, duration_parse.c).
enum err temporal_parse(enum value_type type, struct str text, struct temporal_clock clock, struct value *ret, struct error *e);
enum err duration_parse(struct str text, struct value_duration *ret, struct error *e);

// Durations

/// Units that are summed with their fractions, before what is left of a month becomes days and of a day seconds.
struct duration_sum {
  struct duration_part {
    int64_t whole;
    long double fraction; // |fraction| < 1
  } months, days, seconds;
  __int128 nanos;
};

/// Adds `amount` units, each worth `factor` of the part. False on overflow.
bool duration_sum_int(struct duration_part *part, int64_t amount, int64_t factor);
bool duration_sum_float(struct duration_part *part, long double amount, long double factor);

/// Carries fractions down. ERR_ARITHMETIC on overflow.
enum err duration_settle(const struct duration_sum *sum, struct value_duration *ret, struct error *e);

/// From a MAP of units.
enum err duration_from_map(struct value map, struct value_duration *ret, struct error *e);

/// months * 30.436875 days: the mean month of the Gregorian calendar.
#define MONTH_SECONDS_MEAN 2629746
