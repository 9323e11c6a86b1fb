// Durations from ISO 8601 text: P1Y2M3W4DT5H6M7.8S with fractions and signs in any unit, and P2012-02-02T14:37:21.545.
#include "value/temporal_int.h"

struct cursor {
  const char *at, *end;
};

/// Letters count in either case.
static bool take(struct cursor *c, char wanted) {
  if (c->at == c->end || (*c->at != wanted && !(wanted >= 'A' && (*c->at ^ 0x20) == wanted))) return false;
  c->at++;
  return true;
}

static bool is_digit(const struct cursor *c) {
  return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

/// A decimal number: whole part with sign, fraction of the same sign.
struct amount {
  int64_t whole;
  long double fraction;
};

static bool take_amount(struct cursor *c, int sign, struct amount *ret) {
  if (c->at < c->end && (*c->at == '-' || *c->at == '+')) sign = *c->at++ == '-' ? -sign : sign;
  *ret = (struct amount){0, 0};
  if (!is_digit(c)) return false;
  for (; is_digit(c); c->at++)
    if (__builtin_mul_overflow(ret->whole, 10, &ret->whole) ||
        __builtin_add_overflow(ret->whole, sign * (*c->at - '0'), &ret->whole))
      return false;
  if (c->at == c->end || (*c->at != '.' && *c->at != ',')) return true;
  c->at++;
  long double scale = sign;
  if (!is_digit(c)) return false;
  for (; is_digit(c); c->at++) ret->fraction += (*c->at - '0') * (scale /= 10);
  return true;
}

static bool add(struct duration_part *part, struct amount n, int64_t factor) {
  return duration_sum_int(part, n.whole, factor) && duration_sum_float(part, n.fraction, factor);
}

static const struct unit {
  char letter;
  bool in_time;
  enum { MONTHS, DAYS, SECONDS } part;
  int64_t factor;
} units[] = {
    {'Y', false, MONTHS, 12}, {'Q', false, MONTHS, 3},    {'M', false, MONTHS, 1},  {'W', false, DAYS, 7},
    {'D', false, DAYS, 1},    {'H', true, SECONDS, 3600}, {'M', true, SECONDS, 60}, {'S', true, SECONDS, 1},
};

/// Units come in the order of the table, each at most once.
static bool parse_units(struct cursor *c, int sign, struct duration_sum *sum) {
  bool in_time = take(c, 'T');
  size_t next = 0;
  do {
    struct amount n;
    if (!take_amount(c, sign, &n)) return false;
    while (next < ARRAY_SIZE(units) && (units[next].in_time != in_time || !take(c, units[next].letter))) next++;
    if (next == ARRAY_SIZE(units)) return false;
    struct duration_part *part = units[next].part == MONTHS ? &sum->months
                                 : units[next].part == DAYS ? &sum->days
                                                            : &sum->seconds;
    if (!add(part, n, units[next++].factor)) return false;
    if (!in_time && take(c, 'T'))
      in_time = true;
    else if (c->at == c->end)
      return true;
  } while (true);
}

static bool take_digits(struct cursor *c, int digits, int64_t *ret) {
  *ret = 0;
  for (int i = 0; i < digits; i++, c->at++) {
    if (!is_digit(c)) return false;
    *ret = *ret * 10 + (*c->at - '0');
  }
  return true;
}

/// P2012-02-02T14:37:21.545: the components of a date and a time as lengths.
static bool parse_date_form(struct cursor *c, int sign, struct duration_sum *sum) {
  int64_t year, month, day, hour, minute;
  struct amount second;
  if (!take_digits(c, 4, &year) || !take(c, '-') || !take_digits(c, 2, &month) || !take(c, '-') || !take_digits(c, 2, &day))
    return false;
  sum->months.whole = sign * (year * 12 + month);
  sum->days.whole = sign * day;
  if (c->at == c->end) return true;
  if (!take(c, 'T') || !take_digits(c, 2, &hour) || !take(c, ':') || !take_digits(c, 2, &minute) || !take(c, ':')) return false;
  sum->seconds.whole = sign * (hour * 3600 + minute * 60);
  return is_digit(c) && take_amount(c, sign, &second) && add(&sum->seconds, second, 1) && c->at == c->end;
}

enum err duration_parse(struct str text, struct value_duration *ret, struct error *e) {
  struct str trimmed = str_trim(text);
  struct cursor c = {trimmed.ptr, trimmed.ptr + trimmed.len};
  int sign = take(&c, '-') ? -1 : 1;
  if (sign == 1 && c.at < c.end && *c.at == '+') c.at++;
  struct duration_sum sum = {0};
  if (take(&c, 'P')) {
    struct cursor behind = c;
    if (parse_units(&c, sign, &sum)) return duration_settle(&sum, ret, e);
    sum = (struct duration_sum){0};
    if (parse_date_form(&behind, sign, &sum)) return duration_settle(&sum, ret, e);
  }
  return error_set(e, ERR_ARGUMENT, "Text cannot be parsed to a Duration: '%.*s'", STR_ARG(text));
}
