// Temporal values as text, as java.time writes them: what toString() gives.
#include <inttypes.h>
#include <stdio.h>

#include "value/temporal_int.h"

static char *put_number(char *at, int64_t n, int digits) {
  for (int i = digits - 1; i >= 0; i--, n /= 10) at[i] = (char) ('0' + n % 10);
  return at + digits;
}

/// Years of four digits stand alone; longer ones have a sign.
static char *put_year(char *at, int64_t year) {
  int64_t size = year < 0 ? -year : year;
  if (year < 0)
    *at++ = '-';
  else if (year > 9999)
    *at++ = '+';
  int digits = 4;
  for (int64_t rest = size / 10000; rest > 0; rest /= 10) digits++;
  return put_number(at, size, digits);
}

static char *put_date(char *at, int64_t days) {
  struct calendar_date d = calendar_of_days(days);
  at = put_year(at, d.year);
  *at++ = '-';
  at = put_number(at, d.month, 2);
  *at++ = '-';
  return put_number(at, d.day, 2);
}

/// A point and as many digits as there are before the last zeros.
static char *put_fraction(char *at, int64_t nanos) {
  if (nanos == 0) return at;
  *at++ = '.';
  at = put_number(at, nanos, 9);
  while (at[-1] == '0') at--;
  return at;
}

/// Seconds are left out when there are none.
static char *put_time(char *at, int64_t nanos_of_day) {
  int64_t seconds = nanos_of_day / NANOS_PER_SECOND, nanos = nanos_of_day % NANOS_PER_SECOND;
  at = put_number(at, seconds / 3600, 2);
  *at++ = ':';
  at = put_number(at, seconds / 60 % 60, 2);
  if (seconds % 60 == 0 && nanos == 0) return at;
  *at++ = ':';
  at = put_number(at, seconds % 60, 2);
  return put_fraction(at, nanos);
}

static char *put_zone(char *at, const struct temporal_parts *p) {
  at += zone_offset_format(p->offset, at);
  struct str name = zone_name(p->zone);
  if (name.ptr == NULL || name.len > TEMPORAL_TEXT_MAX / 2) return at;
  *at++ = '[';
  memcpy(at, name.ptr, name.len);
  at += name.len;
  *at++ = ']';
  return at;
}

static char *put_instant(char *at, struct value v) {
  struct temporal_parts p = temporal_split(v);
  if (p.has_date) at = put_date(at, p.days);
  if (p.has_date && p.has_time) *at++ = 'T';
  if (p.has_time) at = put_time(at, p.nanos);
  return p.has_zone ? put_zone(at, &p) : at;
}

/// A sign, 19 digits, a letter and the NUL of snprintf; five of them fit TEMPORAL_TEXT_MAX with the seconds.
enum { UNIT_BYTES_MAX = 22 };

static char *put_unit(char *at, int64_t n, char unit) {
  return n == 0 ? at : at + snprintf(at, UNIT_BYTES_MAX, "%" PRId64 "%c", n, unit);
}

/// Hours, minutes and seconds all carry the sign of the whole.
static char *put_duration_time(char *at, const struct value_duration *d) {
  __int128 total = (__int128) d->seconds * NANOS_PER_SECOND + d->nanos;
  int64_t seconds = (int64_t) (total / NANOS_PER_SECOND), nanos = (int64_t) (total % NANOS_PER_SECOND);
  at = put_unit(at, seconds / 3600, 'H');
  at = put_unit(at, seconds / 60 % 60, 'M');
  int64_t rest = seconds % 60;
  if (rest == 0 && nanos == 0) return at;
  if (rest < 0 || nanos < 0) *at++ = '-';
  at = put_number(at, rest < 0 ? -rest : rest, rest > 9 || rest < -9 ? 2 : 1);
  at = put_fraction(at, nanos < 0 ? -nanos : nanos);
  *at++ = 'S';
  return at;
}

static char *put_duration(char *at, const struct value_duration *d) {
  char *from = at;
  *at++ = 'P';
  at = put_unit(at, d->months / 12, 'Y');
  at = put_unit(at, d->months % 12, 'M');
  at = put_unit(at, d->days, 'D');
  if (d->seconds != 0 || d->nanos != 0) {
    *at++ = 'T';
    at = put_duration_time(at, d);
  }
  if (at == from + 1) {
    memcpy(at, "T0S", 3);
    at += 3;
  }
  return at;
}

size_t temporal_put(struct value v, char out[TEMPORAL_TEXT_MAX]) {
  char *end = v.type == VALUE_DURATION ? put_duration(out, v.duration) : put_instant(out, v);
  return (size_t) (end - out);
}

enum err temporal_format(struct value v, struct arena *a, struct str *ret, struct error *e) {
  char text[TEMPORAL_TEXT_MAX];
  struct str s = arena_str(a, (struct str){text, temporal_put(v, text)});
  if (s.ptr == NULL) return arena_err(a, e);
  *ret = s;
  return ERR_OK;
}
