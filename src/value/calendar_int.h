// The proleptic Gregorian calendar over days since 1970-01-01. Algorithms: "chrono-Compatible Low-Level Date Algorithms" (H.
// Hinnant), ISO 8601 for weeks. Years reach from -999999999 to 999999999, and everything here is exact far beyond.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { CALENDAR_DAY_SECONDS = 86400, CALENDAR_YEAR_MAX = 999999999 };

#define NANOS_PER_SECOND INT64_C(1000000000)
#define NANOS_PER_DAY (CALENDAR_DAY_SECONDS * NANOS_PER_SECOND)

struct calendar_date {
  int64_t year;
  int month, day; // from 1
};

struct calendar_week {
  int64_t year;
  int week; // 1 to 53
};

/// Rounds down.
static inline int64_t floor_div(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

/// `b` positive.
static inline int64_t floor_mod(int64_t a, int64_t b) {
  int64_t rest = a % b;
  return rest < 0 ? rest + b : rest;
}

static inline bool calendar_is_leap(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline int calendar_days_in_month(int64_t year, int month) {
  static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && calendar_is_leap(year) ? 29 : days[month - 1];
}

/// Days since 1970-01-01 of a valid date.
int64_t calendar_days(int64_t year, int month, int day);

struct calendar_date calendar_of_days(int64_t days);

/// ISO: 1 Monday to 7 Sunday.
int calendar_weekday(int64_t days);

/// The ISO week and the year that it belongs to.
struct calendar_week calendar_week_of_days(int64_t days);

/// The Monday of an ISO week.
int64_t calendar_days_of_week(int64_t week_year, int64_t week);

/// 52 or 53.
int calendar_weeks_in_year(int64_t week_year);
