#include "value/zone.h"

#include "value/calendar_int.h"
#include "value/zone_int.h"

/// The id that belongs to a name: FNV-1a folded to 22 bits, above bit 22. The packer makes sure that no two names meet.
static int32_t id_of_name(struct str name) {
  uint32_t h = 0x811C9DC5;
  for (size_t i = 0; i < name.len; i++) h = (h ^ (uint8_t) name.ptr[i]) * 0x01000193;
  return (int32_t) (UINT32_C(1) << 22 | ((h ^ h >> 22) & ((UINT32_C(1) << 22) - 1)));
}

static const struct zone_entry *entry_of_id(int32_t id) {
  uint32_t low = 0, high = zone_count;
  while (low < high) {
    uint32_t at = low + (high - low) / 2;
    const struct zone_entry *entry = &zone_entries[zone_entries_by_id[at]];
    if (entry->id == id) return entry;
    if (entry->id < id)
      low = at + 1;
    else
      high = at;
  }
  return NULL;
}

enum err zone_find(struct str name, int32_t *ret, struct error *e) {
  const struct zone_entry *entry = entry_of_id(id_of_name(name));
  if (entry == NULL || !str_eqz(name, entry->name))
    return error_set(e, ERR_ARGUMENT,
                     "Unknown time zone '%.*s'. Use the name of an IANA zone (Europe/Stockholm) or an offset (+01:00).",
                     STR_ARG(name));
  *ret = entry->id;
  return ERR_OK;
}

struct str zone_name(int32_t zone) {
  const struct zone_entry *entry = zone_is_id(zone) ? entry_of_id(zone) : NULL;
  return entry != NULL ? str_of(entry->name) : STR_NONE;
}

/// `digits` decimal digits at `*at`, or -1.
static int read_digits(struct str s, size_t *at, int digits) {
  int n = 0;
  for (int i = 0; i < digits; i++, (*at)++) {
    if (*at >= s.len || s.ptr[*at] < '0' || s.ptr[*at] > '9') return -1;
    n = n * 10 + (s.ptr[*at] - '0');
  }
  return n;
}

/// +hh, +hhmm, +hh:mm, +hhmmss, +hh:mm:ss, and +h.
static bool parse_offset(struct str s, int32_t *ret) {
  size_t at = 1;
  int parts[3] = {0, 0, 0};
  parts[0] = read_digits(s, &at, s.len == 2 ? 1 : 2);
  bool colons = at < s.len && s.ptr[at] == ':';
  for (int i = 1; i < 3 && at < s.len; i++) {
    if (colons && s.ptr[at++] != ':') return false;
    parts[i] = read_digits(s, &at, 2);
  }
  if (at != s.len || parts[0] < 0 || parts[1] < 0 || parts[1] > 59 || parts[2] < 0 || parts[2] > 59) return false;
  int32_t seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
  if (seconds > ZONE_OFFSET_MAX_SECONDS) return false;
  *ret = s.ptr[0] == '-' ? -seconds : seconds;
  return true;
}

enum err zone_parse(struct str text, int32_t *ret, struct error *e) {
  if (str_eqz(text, "Z") || str_eqz(text, "z")) {
    *ret = ZONE_UTC;
    return ERR_OK;
  }
  if (text.len > 1 && (text.ptr[0] == '+' || text.ptr[0] == '-')) {
    if (parse_offset(text, ret)) return ERR_OK;
    return error_set(e, ERR_ARGUMENT, "'%.*s' is not an offset from UTC: write +hh:mm, between -18:00 and +18:00.",
                     STR_ARG(text));
  }
  return zone_find(text, ret, e);
}

/// The instant of a rule's day in `year`, in local seconds.
static int64_t rule_local_seconds(int64_t year, struct zone_rule_day day) {
  int64_t first = calendar_days(year, day.month, 1);
  int64_t date = first + (day.weekday - calendar_weekday(first) % 7 + 7) % 7 + 7 * (day.week - 1);
  while (date >= first + calendar_days_in_month(year, day.month)) date -= 7;
  return date * CALENDAR_DAY_SECONDS + day.seconds;
}

static int32_t offset_by_rule(const struct zone_table *z, int64_t utc_seconds) {
  if (z->begin.month == 0) return z->standard;
  int64_t year = calendar_of_days(floor_div(utc_seconds + z->standard, CALENDAR_DAY_SECONDS)).year;
  int64_t begin = rule_local_seconds(year, z->begin) - z->standard;
  int64_t end = rule_local_seconds(year, z->end) - z->daylight;
  bool daylight = begin < end ? begin <= utc_seconds && utc_seconds < end : !(end <= utc_seconds && utc_seconds < begin);
  return daylight ? z->daylight : z->standard;
}

/// How many of the zone's transitions are not after the instant.
static uint32_t transitions_until(const struct zone_table *z, int64_t utc_seconds) {
  uint32_t low = 0, high = z->count;
  while (low < high) {
    uint32_t at = low + (high - low) / 2;
    if (zone_instants[z->first + at] <= utc_seconds)
      low = at + 1;
    else
      high = at;
  }
  return low;
}

int32_t zone_offset_at(int32_t zone, int64_t utc_seconds) {
  if (!zone_is_id(zone)) return zone;
  const struct zone_entry *entry = entry_of_id(zone);
  if (entry == NULL) return 0;
  const struct zone_table *z = &zone_tables[entry->table];
  uint32_t passed = transitions_until(z, utc_seconds);
  if (passed == z->count) return offset_by_rule(z, utc_seconds);
  return passed == 0 ? z->initial : zone_offsets[z->first + passed - 1];
}

int32_t zone_offset_at_local(int32_t zone, int64_t local_seconds) {
  if (!zone_is_id(zone)) return zone;
  // No zone changes twice within two days, and no offset reaches a day.
  int32_t before = zone_offset_at(zone, local_seconds - CALENDAR_DAY_SECONDS);
  int32_t after = zone_offset_at(zone, local_seconds + CALENDAR_DAY_SECONDS);
  if (before == after || zone_offset_at(zone, local_seconds - before) == before) return before;
  return zone_offset_at(zone, local_seconds - after) == after ? after : before;
}

static char *put_two_digits(char *out, int n) {
  out[0] = (char) ('0' + n / 10);
  out[1] = (char) ('0' + n % 10);
  return out + 2;
}

size_t zone_offset_format(int32_t offset_seconds, char *out) {
  if (offset_seconds == 0) return out[0] = 'Z', 1;
  int32_t seconds = offset_seconds < 0 ? -offset_seconds : offset_seconds;
  char *at = out;
  *at++ = offset_seconds < 0 ? '-' : '+';
  at = put_two_digits(at, seconds / 3600);
  *at++ = ':';
  at = put_two_digits(at, seconds / 60 % 60);
  if (seconds % 60 != 0) {
    *at++ = ':';
    at = put_two_digits(at, seconds % 60);
  }
  return (size_t) (at - out);
}

const char *zone_version(void) {
  return zone_data_version;
}
