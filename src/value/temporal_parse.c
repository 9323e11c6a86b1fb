// Instants from text: the ISO 8601 forms that Cypher reads, extended (2015-07-21T21:40) and basic (20150721T2140).
#include "value/temporal_int.h"

/// What is still to be read.
struct cursor {
  const char *at, *end;
};

static bool at_end(const struct cursor *c) {
  return c->at == c->end;
}

static bool take(struct cursor *c, char wanted) {
  if (at_end(c) || *c->at != wanted) return false;
  c->at++;
  return true;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static int digits_ahead(const struct cursor *c) {
  int n = 0;
  while (c->at + n < c->end && is_digit(c->at[n])) n++;
  return n;
}

/// Exactly `digits` digits.
static bool take_number(struct cursor *c, int digits, int64_t *ret) {
  if (digits <= 0 || digits_ahead(c) < digits) return false;
  int64_t n = 0;
  for (int i = 0; i < digits; i++) n = n * 10 + (*c->at++ - '0');
  *ret = n;
  return true;
}

/// One or two digits, all that are there.
static bool take_short(struct cursor *c, int64_t *ret) {
  int digits = digits_ahead(c);
  return digits <= 2 && take_number(c, digits, ret);
}

/// Notes a component as if a map had given it; the builder checks its range.
static void give(struct temporal_fields *f, enum temporal_field field, int64_t n) {
  f->given |= UINT32_C(1) << field;
  f->numbers[field] = n;
}

static bool give_number(struct cursor *c, int digits, struct temporal_fields *f, enum temporal_field field) {
  int64_t n;
  if (!take_number(c, digits, &n)) return false;
  give(f, field, n);
  return true;
}

static bool give_short(struct cursor *c, struct temporal_fields *f, enum temporal_field field) {
  int64_t n;
  if (!take_short(c, &n)) return false;
  give(f, field, n);
  return true;
}

/// Four digits, or a sign and up to nine.
static bool parse_year(struct cursor *c, struct temporal_fields *f, bool *ret_signed) {
  bool negative = take(c, '-');
  *ret_signed = negative || take(c, '+');
  int digits = *ret_signed ? digits_ahead(c) : 4;
  if (digits > 9 || !give_number(c, digits, f, FIELD_YEAR)) return false;
  if (negative) f->numbers[FIELD_YEAR] = -f->numbers[FIELD_YEAR];
  return true;
}

/// Behind "W": week and perhaps weekday. Behind "Q": quarter and perhaps its day.
static bool parse_week(struct cursor *c, struct temporal_fields *f) {
  if (!give_number(c, 2, f, FIELD_WEEK)) return false;
  return (take(c, '-') || digits_ahead(c) > 0) ? give_number(c, 1, f, FIELD_DAY_OF_WEEK) : true;
}

static bool parse_quarter(struct cursor *c, struct temporal_fields *f) {
  if (!give_number(c, 1, f, FIELD_QUARTER)) return false;
  return (take(c, '-') || digits_ahead(c) > 0) ? give_short(c, f, FIELD_DAY_OF_QUARTER) : true;
}

/// Behind "year-": -07, -7-21, -202, -W30-2, -Q3-45.
static bool parse_extended_date(struct cursor *c, struct temporal_fields *f) {
  if (take(c, 'W')) return parse_week(c, f);
  if (take(c, 'Q')) return parse_quarter(c, f);
  if (digits_ahead(c) == 3) return give_number(c, 3, f, FIELD_ORDINAL_DAY);
  if (!give_short(c, f, FIELD_MONTH)) return false;
  return take(c, '-') ? give_short(c, f, FIELD_DAY) : true;
}

/// Behind a year of four digits: 07, 0721, 202, W302, Q345, or nothing.
static bool parse_basic_date(struct cursor *c, struct temporal_fields *f) {
  if (take(c, 'W')) return parse_week(c, f);
  if (take(c, 'Q')) return parse_quarter(c, f);
  switch (digits_ahead(c)) {
  case 0: return true;
  case 2: return give_number(c, 2, f, FIELD_MONTH);
  case 3: return give_number(c, 3, f, FIELD_ORDINAL_DAY);
  case 4: return give_number(c, 2, f, FIELD_MONTH) && give_number(c, 2, f, FIELD_DAY);
  default: return false;
  }
}

static bool parse_date(struct cursor *c, struct temporal_fields *f) {
  bool has_sign;
  if (!parse_year(c, f, &has_sign)) return false;
  if (take(c, '-')) return parse_extended_date(c, f);
  return has_sign && digits_ahead(c) > 0 ? false : parse_basic_date(c, f);
}

static bool parse_fraction(struct cursor *c, struct temporal_fields *f) {
  int digits = digits_ahead(c);
  int64_t n;
  if (digits > 9 || !take_number(c, digits, &n)) return false;
  for (; digits < 9; digits++) n *= 10;
  give(f, FIELD_NANOSECOND, n);
  return true;
}

static bool parse_time(struct cursor *c, struct temporal_fields *f) {
  if (!give_number(c, 2, f, FIELD_HOUR)) return false;
  bool colons = !at_end(c) && *c->at == ':';
  static const enum temporal_field rest[] = {FIELD_MINUTE, FIELD_SECOND};
  for (int i = 0; i < 2; i++) {
    if (colons ? !take(c, ':') : digits_ahead(c) == 0) return true;
    if (!give_number(c, 2, f, rest[i])) return false;
  }
  return take(c, '.') || take(c, ',') ? parse_fraction(c, f) : true;
}

/// What is left of a zoned text: "Z", "+01:00", "[Europe/Paris]", "+02:00[Europe/Paris]".
struct zone_text {
  struct str offset, name; // NULL where it is not there
};

static bool parse_zone(struct cursor *c, struct zone_text *ret) {
  const char *from = c->at;
  while (!at_end(c) && *c->at != '[') c->at++;
  if (c->at > from) ret->offset = (struct str){from, (size_t) (c->at - from)};
  if (!take(c, '[')) return true;
  from = c->at;
  while (!at_end(c) && *c->at != ']') c->at++;
  ret->name = (struct str){from, (size_t) (c->at - from)};
  return take(c, ']') && ret->name.len > 0;
}

/// The date and time that `f` says, in the zone of the text. An offset beside a name must be one that the zone has there.
static enum err in_zone(enum value_type type, struct temporal_parts p, const struct zone_text *zone, struct temporal_clock clock,
                        struct value *ret, struct error *e) {
  int32_t offset = 0, named = 0;
  if (zone->offset.ptr != NULL) TRY(zone_parse(zone->offset, &offset, e));
  if (zone->name.ptr != NULL) TRY(zone_parse(zone->name, &named, e));
  if (zone_is_id(offset))
    return error_set(e, ERR_ARGUMENT, "A named time zone must be in brackets: [%.*s].", STR_ARG(zone->offset));
  if (zone->name.ptr == NULL) {
    if (zone->offset.ptr != NULL) p = parts_with_zone(p, offset);
    return temporal_join(type, p, clock, ret, e);
  }
  p = parts_with_zone(p, named);
  if (zone->offset.ptr != NULL) {
    if (zone_offset_at(named, parts_local_seconds(&p) - offset) != offset)
      return error_set(e, ERR_ARGUMENT, "Timezone and offset do not match: %.*s is not an offset of %.*s then.",
                       STR_ARG(zone->offset), STR_ARG(zone->name));
    p.offset = offset;
  }
  return temporal_join(type, p, clock, ret, e);
}

static enum err cannot_parse(enum value_type type, struct str text, struct error *e) {
  return error_set(e, ERR_ARGUMENT, "Text cannot be parsed to a %s: '%.*s'", value_type_name(type), STR_ARG(text));
}

/// The components of the text by the builder for the local type, then the zone.
static enum err build_local(enum value_type local_type, const struct temporal_fields *f, struct temporal_clock clock,
                            struct temporal_parts *ret, struct error *e) {
  struct value local;
  TRY(temporal_build(local_type, f, (struct temporal_parts){0}, false, clock, &local, e));
  *ret = temporal_split(local);
  return ERR_OK;
}

enum err temporal_parse(enum value_type type, struct str text, struct temporal_clock clock, struct value *ret, struct error *e) {
  struct str trimmed = str_trim(text);
  struct cursor c = {trimmed.ptr, trimmed.ptr + trimmed.len};
  struct temporal_fields f = {0};
  struct zone_text zone = {STR_NONE, STR_NONE};
  bool dated = type != VALUE_TIME && type != VALUE_LOCAL_TIME, timed = type != VALUE_DATE;
  if (dated && !parse_date(&c, &f)) return cannot_parse(type, text, e);
  if (dated && timed && !at_end(&c) && !take(&c, 'T') && !take(&c, 't')) return cannot_parse(type, text, e);
  if (timed && !(dated && at_end(&c)) && !parse_time(&c, &f)) return cannot_parse(type, text, e);
  if ((type == VALUE_TIME || type == VALUE_DATETIME) && !parse_zone(&c, &zone)) return cannot_parse(type, text, e);
  if (!at_end(&c)) return cannot_parse(type, text, e);
  struct temporal_parts p;
  TRY(build_local(dated && timed ? VALUE_LOCAL_DATETIME : dated ? VALUE_DATE : VALUE_LOCAL_TIME, &f, clock, &p, e));
  return in_zone(type, p, &zone, clock, ret, e);
}
