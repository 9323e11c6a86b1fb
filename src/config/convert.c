// From the text of a setting to its typed value, or to a message that says what would fit.
#include "config/config_int.h"

static enum err refuse(struct str key, struct str text, struct str place, const char *fits, struct error *e) {
  return error_set(e, ERR_INVALID, "Bad value '%.*s' for setting '%.*s'%s%.*s: %s", STR_ARG(text), STR_ARG(key), place.len > 0 ? " at " : "",
                   STR_ARG(place), fits);
}

static bool parse_bool(struct str text, bool *ret) {
  if (str_eq_nocase(text, STR("true"))) return *ret = true, true;
  if (str_eq_nocase(text, STR("false"))) return *ret = false, true;
  return false;
}

/// `words` is the row's description "A|B|C".
static bool is_one_of(struct str text, struct str words, struct str *ret) {
  while (words.ptr != NULL) {
    struct str word = str_cut(&words, '|');
    if (str_eq_nocase(text, word)) return *ret = word, true;
  }
  return false;
}

static bool in_bounds(const struct config_row *row, int64_t n) {
  return (row->low == 0 || n >= row->low) && (row->high == 0 || n <= row->high);
}

static enum err store_number(void *field, const struct config_row *row, int64_t n, struct str key, struct str text, struct str place,
                             struct error *e) {
  if (!in_bounds(row, n)) {
    struct error bounds = ERROR_INIT;
    const char *unit = row->type == CONFIG_BYTES ? " bytes" : row->type == CONFIG_DURATION ? " ms" : "";
    if (row->high > 0) {
      error_set(&bounds, ERR_INVALID, "it must be between %lld and %lld%s", (long long) row->low, (long long) row->high, unit);
    } else {
      error_set(&bounds, ERR_INVALID, "it must be at least %lld%s", (long long) row->low, unit);
    }
    return refuse(key, text, place, bounds.message, e);
  }
  *(int64_t *) field = n;
  return ERR_OK;
}

static enum err store_path(struct str *field, struct str text, struct str home, struct arena *a, struct error *e) {
  if (a == NULL) return ERR_OK;
  bool absolute = text.len > 0 && text.ptr[0] == '/';
  *field = absolute ? arena_str(a, text) : arena_printf(a, "%.*s/%.*s", STR_ARG(home), STR_ARG(text));
  return field->ptr != NULL ? ERR_OK : arena_err(a, e);
}

enum err config_convert(struct config_values *values, const struct config_row *row, struct str text, struct str home, struct arena *a,
                        struct str key, struct str place, struct error *e) {
  void *field = (char *) values + row->offset;
  int64_t n;
  switch (row->type) {
    case CONFIG_BOOL:
      return parse_bool(text, field) ? ERR_OK : refuse(key, text, place, "it must be true or false", e);
    case CONFIG_INT:
      if (!str_to_i64(text, &n)) return refuse(key, text, place, "it must be a whole number", e);
      return store_number(field, row, n, key, text, place, e);
    case CONFIG_BYTES:
      if (!config_parse_bytes(text, &n)) return refuse(key, text, place, "it must be a size such as 512m, 2g or 1048576", e);
      return store_number(field, row, n, key, text, place, e);
    case CONFIG_DURATION:
      if (!config_parse_duration(text, &n)) return refuse(key, text, place, "it must be a duration such as 500ms, 30s, 5m or 1h", e);
      return store_number(field, row, n, key, text, place, e);
    case CONFIG_ENUM:
      return is_one_of(text, str_of(row->what), field) ? ERR_OK : refuse(key, text, place, row->what, e);
    case CONFIG_ADDRESS:
      return config_parse_address(text, field) ? ERR_OK : refuse(key, text, place, "it must be host:port, host or :port, IPv6 in brackets", e);
    case CONFIG_PATH:
      return text.len > 0 ? store_path(field, text, home, a, e) : refuse(key, text, place, "it must be a path", e);
    case CONFIG_STRING:
      *(struct str *) field = text;
      return ERR_OK;
  }
  return ERR_INTERNAL;
}
