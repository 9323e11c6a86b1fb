// The text forms of values.
#include "config/config.h"

struct unit {
  const char *name;
  int64_t factor;
};

/// Cuts a decimal number off the front; false where there is none or it overflows.
static bool take_number(struct str *text, int64_t *ret) {
  size_t digits = 0;
  while (digits < text->len && text->ptr[digits] >= '0' && text->ptr[digits] <= '9') digits++;
  if (!str_to_i64((struct str){text->ptr, digits}, ret)) return false;
  *text = (struct str){text->ptr + digits, text->len - digits};
  return true;
}

static const struct unit *take_unit(struct str *text, const struct unit *units) {
  size_t letters = 0;
  while (letters < text->len && !(text->ptr[letters] >= '0' && text->ptr[letters] <= '9')) letters++;
  struct str word = str_trim((struct str){text->ptr, letters});
  for (const struct unit *u = units; u->name != NULL; u++) {
    if (!str_eq_nocase(word, str_of(u->name))) continue;
    *text = (struct str){text->ptr + letters, text->len - letters};
    return u;
  }
  return NULL;
}

/// One or more numbers with units, added up.
static bool parse_amount(struct str text, const struct unit *units, int64_t *ret) {
  int64_t sum = 0;
  text = str_trim(text);
  do {
    int64_t number, part;
    if (!take_number(&text, &number)) return false;
    const struct unit *unit = take_unit(&text, units);
    if (unit == NULL || __builtin_mul_overflow(number, unit->factor, &part) || __builtin_add_overflow(sum, part, &sum)) return false;
  } while (text.len > 0);
  *ret = sum;
  return true;
}

bool config_parse_duration(struct str text, int64_t *ret_ms) {
  static const struct unit units_us[] = {{"", 1000000}, {"ns", 0},         {"us", 1},           {"\xce\xbcs", 1},       {"ms", 1000},
                                         {"s", 1000000}, {"m", 60000000}, {"h", 3600000000}, {"d", 86400000000}, {NULL, 0}};
  int64_t us;
  if (!parse_amount(text, units_us, &us)) return false;
  *ret_ms = us / 1000;
  return true;
}

bool config_parse_bytes(struct str text, int64_t *ret) {
  enum { K = 1024, M = K * K, G = M * K };
  static const struct unit units[] = {{"", 1},    {"b", 1},   {"k", K},           {"kb", K},           {"kib", K},           {"m", M},  {"mb", M},
                                      {"mib", M}, {"g", G},   {"gb", G},          {"gib", G},          {"t", (int64_t) G * K}, {"tb", (int64_t) G * K},
                                      {"tib", (int64_t) G * K}, {NULL, 0}};
  return parse_amount(text, units, ret);
}

static bool parse_port(struct str text, uint16_t *ret) {
  int64_t port;
  if (!str_to_i64(text, &port) || port < 0 || port > UINT16_MAX) return false;
  *ret = (uint16_t) port;
  return true;
}

bool config_parse_address(struct str text, struct config_address *ret) {
  struct config_address address = {0};
  struct str port = STR_NONE;
  text = str_trim(text);
  if (text.len > 0 && text.ptr[0] == '[') {
    int64_t close = str_find(text, STR("]"));
    if (close < 0) return false;
    address.host = (struct str){text.ptr + 1, (size_t) close - 1};
    struct str rest = {text.ptr + close + 1, text.len - (size_t) close - 1};
    if (rest.len > 0 && rest.ptr[0] != ':') return false;
    if (rest.len > 0) port = (struct str){rest.ptr + 1, rest.len - 1};
  } else {
    port = text;
    address.host = str_cut(&port, ':');
    if (port.ptr != NULL && str_find(port, STR(":")) >= 0) address.host = text, port = STR_NONE; // IPv6 without brackets: no port
  }
  if (port.ptr != NULL && !parse_port(port, &address.port)) return false;
  if (text.len == 0) return false;
  *ret = address;
  return true;
}
