// Between text and other values.
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "value/spatial.h"
#include "value/temporal.h"
#include "value/text_int.h"

size_t text_put_int(int64_t i, char out[TEXT_INT_MAX]) {
  char reversed[TEXT_INT_MAX];
  uint64_t rest = i < 0 ? -(uint64_t) i : (uint64_t) i;
  size_t digits = 0, sign = i < 0;
  do reversed[digits++] = (char) ('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (sign) out[0] = '-';
  for (size_t at = 0; at < digits; at++) out[sign + at] = reversed[digits - 1 - at];
  return sign + digits;
}

/// Decimal digits of a finite positive double, the fewest that read back as the same, and the exponent of the first.
struct decimal {
  char digits[20];
  int len, exponent;
};

static struct decimal shortest_decimal(double f) {
  char text[32];
  // Any decimal of 15 digits survives a normal double, so its zeros at the end are those of the shortest. Subnormal ones hold
  // fewer.
  for (int digits = f < DBL_MIN ? 2 : 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*e", digits - 1, f);
    if (strtod(text, NULL) == f) break;
  }
  // d.ddddde[+-]xx
  struct decimal d = {.len = 1, .exponent = (int) strtol(strchr(text, 'e') + 1, NULL, 10)};
  d.digits[0] = text[0];
  for (const char *p = text + 2; *p != 'e'; p++) d.digits[d.len++] = *p;
  while (d.len > 1 && d.digits[d.len - 1] == '0') d.len--;
  return d;
}

static char *put_digits(char *at, const struct decimal *d, int from, int to) {
  for (int i = from; i < to; i++) *at++ = i >= 0 && i < d->len ? d->digits[i] : '0';
  return at;
}

/// Java's layout: from 10^-3 to below 10^7 plain, else with an exponent; always a digit behind the point.
static char *put_decimal(char *at, const struct decimal *d) {
  int point = d->exponent >= -3 && d->exponent < 7 ? d->exponent + 1 : 1;
  at = point > 0 ? put_digits(at, d, 0, point) : put_digits(at, d, -1, 0);
  *at++ = '.';
  at = put_digits(at, d, point, d->len > point ? d->len : point + 1);
  if (d->exponent >= -3 && d->exponent < 7) return at;
  return at + snprintf(at, 8, "E%d", d->exponent);
}

static size_t put_literal(char *out, const char *text) {
  size_t len = strlen(text);
  memcpy(out, text, len);
  return len;
}

size_t text_put_float(double f, char out[TEXT_FLOAT_MAX]) {
  if (isnan(f)) return put_literal(out, "NaN");
  char *at = out;
  if (signbit(f)) *at++ = '-';
  if (isinf(f)) return (size_t) (at - out) + put_literal(at, "Infinity");
  if (f == 0) return (size_t) (at - out) + put_literal(at, "0.0");
  struct decimal d = shortest_decimal(fabs(f));
  return (size_t) (put_decimal(at, &d) - out);
}

static enum err no_conversion(const char *function, struct value v, struct error *e) {
  return error_set(e, ERR_TYPE, "%s cannot convert a value of type %s.", function, value_type_name((enum value_type) v.type));
}

static enum err copied(struct arena *a, struct str s, struct str *ret, struct error *e) {
  struct str copy = arena_str(a, s);
  if (copy.ptr == NULL) return arena_err(a, e);
  *ret = copy;
  return ERR_OK;
}

enum err text_of_value(struct arena *a, struct value v, struct str *ret, struct error *e) {
  char out[TEMPORAL_TEXT_MAX];
  switch ((enum value_type) v.type) {
  case VALUE_STRING: *ret = v_text(v); return ERR_OK;
  case VALUE_BOOL: *ret = v.b ? STR("true") : STR("false"); return ERR_OK;
  case VALUE_INT: return copied(a, (struct str){out, text_put_int(v.i, out)}, ret, e);
  case VALUE_FLOAT: return copied(a, (struct str){out, text_put_float(v.f, out)}, ret, e);
  case VALUE_DATE ... VALUE_DURATION: return temporal_format(v, a, ret, e);
  case VALUE_POINT: return spatial_format(v.point, a, ret, e);
  default: return no_conversion("toString()", v, e);
  }
}

/// Sign, digits with a point among them, exponent: Java's BigDecimal, and the finite decimal forms of Double.parseDouble.
static bool is_decimal(struct str s) {
  size_t at = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+'), digits = 0;
  for (; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++) digits++;
  if (at < s.len && s.ptr[at] == '.')
    for (at++; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++) digits++;
  if (digits == 0) return false;
  if (at == s.len) return true;
  if ((s.ptr[at++] | 0x20) != 'e') return false;
  if (at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+')) at++;
  size_t exponent = at;
  while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9') at++;
  return at == s.len && at > exponent;
}

/// strtod needs a NUL; digits beyond what decides a double may be cut only if they are many, so long texts are refused.
enum { NUMBER_BYTES_MAX = 1100 };

bool text_parse_float(struct str s, bool trimmed, double *ret) {
  if (trimmed) s = str_trim(s);
  if (s.len > NUMBER_BYTES_MAX || !is_decimal(s)) return false;
  char text[NUMBER_BYTES_MAX + 1];
  memcpy(text, s.ptr, s.len);
  text[s.len] = '\0';
  *ret = strtod(text, NULL);
  return true;
}

/// The integer part of a decimal text. False where no integer holds it.
static bool truncate_text(struct str s, int64_t *ret) {
  struct str whole = s;
  for (size_t i = 0; i < s.len && whole.len == s.len; i++)
    if (s.ptr[i] == '.') whole.len = i;
  bool has_exponent = memchr(s.ptr, 'e', s.len) != NULL || memchr(s.ptr, 'E', s.len) != NULL;
  if (!has_exponent && str_to_i64(whole, ret)) return true;
  double f;
  if (!text_parse_float(s, false, &f) || f >= 0x1p63 || f < -0x1p63) return false;
  *ret = (int64_t) f;
  return true;
}

static enum err string_to_integer(struct str s, struct value *ret, struct error *e) {
  int64_t i;
  if (!is_decimal(s) || s.len > NUMBER_BYTES_MAX) {
    *ret = V_NULL;
    return ERR_OK;
  }
  if (!truncate_text(s, &i)) return error_set(e, ERR_TYPE, "integer, %.*s, is too large", STR_ARG(s));
  *ret = v_int(i);
  return ERR_OK;
}

/// As Java casts: NaN is 0, what is out of range is the nearest.
static int64_t integer_of_float(double f) {
  if (isnan(f)) return 0;
  return f >= 0x1p63 ? INT64_MAX : f < -0x1p63 ? INT64_MIN : (int64_t) f;
}

enum err text_to_integer(struct value v, struct value *ret, struct error *e) {
  switch ((enum value_type) v.type) {
  case VALUE_INT: *ret = v; return ERR_OK;
  case VALUE_BOOL: *ret = v_int(v.b); return ERR_OK;
  case VALUE_FLOAT: *ret = v_int(integer_of_float(v.f)); return ERR_OK;
  case VALUE_STRING: return string_to_integer(v_text(v), ret, e);
  default: return no_conversion("toInteger()", v, e);
  }
}

static struct value string_to_float(struct str s) {
  static const struct {
    struct str text;
    double value;
  } names[] = {{{"NaN", 3}, NAN}, {{"Infinity", 8}, INFINITY}, {{"+Infinity", 9}, INFINITY}, {{"-Infinity", 9}, -INFINITY}};
  s = str_trim(s);
  for (size_t i = 0; i < ARRAY_SIZE(names); i++)
    if (str_eq(s, names[i].text)) return v_float(names[i].value);
  double f;
  return text_parse_float(s, false, &f) ? v_float(f) : V_NULL;
}

enum err text_to_float(struct value v, struct value *ret, struct error *e) {
  switch ((enum value_type) v.type) {
  case VALUE_FLOAT: *ret = v; return ERR_OK;
  case VALUE_INT: *ret = v_float((double) v.i); return ERR_OK;
  case VALUE_STRING: *ret = string_to_float(v_text(v)); return ERR_OK;
  default: return no_conversion("toFloat()", v, e);
  }
}

enum err text_to_boolean(struct value v, struct value *ret, struct error *e) {
  if (v.type == VALUE_BOOL) {
    *ret = v;
  } else if (v.type == VALUE_INT) {
    *ret = v_bool(v.i != 0);
  } else if (v.type == VALUE_STRING) {
    struct str s = str_trim(v_text(v));
    bool yes = str_eq_nocase(s, STR("true"));
    *ret = yes || str_eq_nocase(s, STR("false")) ? v_bool(yes) : V_NULL;
  } else {
    return no_conversion("toBoolean()", v, e);
  }
  return ERR_OK;
}
