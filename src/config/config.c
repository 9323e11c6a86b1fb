#include "config/config.h"

#include <string.h>

#include "base/arena.h"
#include "config/accepted.h"
#include "config/config_int.h"

static const struct config_row rows[] = {
#define CONFIG_ROW(field, type, v5, v4, v3, text, low, high, what) \
  {{v5, v4, v3}, text, what, CONFIG_##type, offsetof(struct config_values, field), low, high},
    CONFIG_SETTINGS(CONFIG_ROW)
#undef CONFIG_ROW
};

static const char *const accepted[] = {
#define CONFIG_NAME(name) name,
    CONFIG_ACCEPTED(CONFIG_NAME)
#undef CONFIG_NAME
};

struct config_given {
  struct str text, place;
  enum config_source source;
};

struct config {
  struct arena arena;
  struct config_values values;
  struct config_given given[ARRAY_SIZE(rows)];
  struct config_warning {
    struct str text;
    struct config_warning *next;
  } *warnings, **last_warning;
  uint32_t warning_count;
  struct str first_unknown; // for strict validation
};

struct config *config_new(void) {
  struct config *c = mem_zalloc(sizeof *c);
  if (c == NULL) return NULL;
  arena_init(&c->arena, NULL);
  c->last_warning = &c->warnings;
  return c;
}

void config_free(struct config *c) {
  if (c == NULL) return;
  arena_done(&c->arena);
  mem_free(c);
}

/// A warning that finds no memory is dropped: it must not end the start.
static void warn(struct config *c, struct str text) {
  struct config_warning *w = ARENA_NEW(&c->arena, struct config_warning);
  if (w == NULL || text.ptr == NULL) return;
  w->text = text;
  *c->last_warning = w;
  c->last_warning = &w->next;
  c->warning_count++;
}

uint32_t config_warning_count(const struct config *c) {
  return c->warning_count;
}

struct str config_warning(const struct config *c, uint32_t i) {
  const struct config_warning *w = c->warnings;
  while (i-- > 0) w = w->next;
  return w->text;
}

/// The row that has `key` in one of its eras; `*ret_era` 0 for the canonical name.
static const struct config_row *find_row(struct str key, uint32_t *ret_era) {
  for (const struct config_row *row = rows; row < rows + ARRAY_SIZE(rows); row++)
    for (uint32_t era = 0; era < 3; era++)
      if (row->names[era][0] != '\0' && str_eqz(key, row->names[era])) return *ret_era = era, row;
  return NULL;
}

static bool is_accepted(struct str key) {
  for (size_t i = 0; i < ARRAY_SIZE(accepted); i++)
    if (str_eqz(key, accepted[i])) return true;
  return false;
}

/// Levenshtein's distance, cut off at `limit`; names are short.
static uint32_t distance(struct str a, struct str b, uint32_t limit) {
  enum { LONGEST = 100 };
  uint32_t row[LONGEST + 1];
  if (a.len > LONGEST || b.len > LONGEST || (a.len > b.len ? a.len - b.len : b.len - a.len) > limit) return limit + 1;
  for (uint32_t j = 0; j <= b.len; j++) row[j] = j;
  for (uint32_t i = 1; i <= a.len; i++) {
    uint32_t diagonal = row[0];
    row[0] = i;
    for (uint32_t j = 1; j <= b.len; j++) {
      uint32_t replace = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
      diagonal = row[j];
      row[j] = MIN(MIN(row[j], row[j - 1]) + 1, replace);
    }
  }
  return row[b.len];
}

/// The known name nearest to `key`, or NULL where none is near.
static const char *nearest(struct str key) {
  uint32_t best = MAX(2, (uint32_t) key.len / 6) + 1;
  const char *name = NULL;
  for (const struct config_row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
    for (uint32_t era = 0; era < 3; era++) {
      uint32_t d = row->names[era][0] != '\0' ? distance(key, str_of(row->names[era]), best) : best;
      if (d < best) best = d, name = row->names[era];
    }
  }
  return name;
}

static void warn_unknown(struct config *c, struct str key, struct str place) {
  const char *near = nearest(key);
  struct str text = arena_printf(&c->arena, "Unrecognized setting. No declared setting with name: %.*s (%.*s)%s%s%s", STR_ARG(key), STR_ARG(place),
                                 near != NULL ? ". Did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
  if (c->first_unknown.ptr == NULL) c->first_unknown = text;
  warn(c, text);
}

/// Of a setting that is for all databases or, as `<setting>.<database>`, for one: its text is `common,database=own,...`.
static const struct config_row *find_database_row(struct str key, struct str *ret_database) {
  for (const struct config_row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
    if (row->offset != offsetof(struct config_values, leadership_priority)) continue;
    for (uint32_t era = 0; era < 3; era++) {
      struct str name = str_of(row->names[era]);
      if (name.len == 0 || key.len < name.len || !str_eq((struct str){key.ptr, name.len}, name)) continue;
      if (key.len != name.len && (key.len == name.len + 1 || key.ptr[name.len] != '.')) continue;
      size_t own = MIN(name.len + 1, key.len);
      *ret_database = (struct str){key.ptr + own, key.len - own};
      return row;
    }
  }
  return NULL;
}

/// It is added to what was given before; the last one counts.
static enum err add_for_database(struct config *c, const struct config_row *row, struct str database, struct str value,
                                 enum config_source source, struct str place, struct error *e) {
  struct config_given *given = &c->given[row - rows];
  struct str before = given->source == CONFIG_DEFAULT ? STR_NONE : given->text;
  struct str text = arena_printf(&c->arena, "%.*s%s%.*s%s%.*s", STR_ARG(before), before.len > 0 ? "," : "", STR_ARG(database),
                                 database.len > 0 ? "=" : "", STR_ARG(str_trim(value)));
  struct config_given copy = {text, arena_str(&c->arena, place), MAX(given->source, source)};
  if (copy.text.ptr == NULL || copy.place.ptr == NULL) return arena_err(&c->arena, e);
  *given = copy;
  return ERR_OK;
}

enum err config_set(struct config *c, struct str key, struct str value, enum config_source source, struct str place, struct error *e) {
  uint32_t era;
  const struct config_row *row = find_row(key, &era);
  struct str database;
  const struct config_row *of_database = find_database_row(key, &database);
  if (of_database != NULL) return add_for_database(c, of_database, database, value, source, place, e);
  if (row == NULL) {
    if (is_accepted(key)) {
      warn(c, arena_printf(&c->arena, "The setting '%.*s' (%.*s) is known and has no effect in this server.", STR_ARG(key), STR_ARG(place)));
    } else {
      warn_unknown(c, key, place);
    }
    return ERR_OK;
  }
  struct config_given *given = &c->given[row - rows];
  struct config_values scratch;
  value = str_trim(value);
  TRY(config_convert(&scratch, row, value, STR("/"), NULL, key, place, e));
  if (era > 0) {
    warn(c, arena_printf(&c->arena, "Use of deprecated setting '%.*s' (%.*s). It is replaced by '%s'.", STR_ARG(key), STR_ARG(place), row->names[0]));
  }
  if (given->source > source) return ERR_OK;
  if (given->source == source && source == CONFIG_FILE) {
    warn(c, arena_printf(&c->arena, "The setting '%s' is given twice: %.*s wins over %.*s.", row->names[0], STR_ARG(place), STR_ARG(given->place)));
  }
  struct config_given copy = {arena_str(&c->arena, value), arena_str(&c->arena, place), source};
  if (copy.text.ptr == NULL || copy.place.ptr == NULL) return arena_err(&c->arena, e);
  *given = copy;
  return ERR_OK;
}

enum err config_finish(struct config *c, struct str home, struct error *e) {
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    const struct config_given *given = &c->given[i];
    struct str text = given->source == CONFIG_DEFAULT ? str_of(rows[i].default_text) : given->text;
    TRY(config_convert(&c->values, &rows[i], text, home, &c->arena, str_of(rows[i].names[0]), given->place, e));
  }
  if (c->values.strict_validation && c->first_unknown.ptr != NULL) {
    return error_set(e, ERR_INVALID, "%.*s. Correct it, or set server.config.strict_validation.enabled=false.", STR_ARG(c->first_unknown));
  }
  return ERR_OK;
}

const struct config_values *config_values(const struct config *c) {
  return &c->values;
}

uint32_t config_entry_count(const struct config *c) {
  return ARRAY_SIZE(rows);
}

struct config_entry config_entry(const struct config *c, uint32_t i) {
  const struct config_row *row = &rows[i];
  const struct config_given *given = &c->given[i];
  struct str text = given->source == CONFIG_DEFAULT ? str_of(row->default_text) : given->text;
  const char *name_4x = row->names[1][0] != '\0' ? row->names[1] : row->names[0];
  return (struct config_entry){
      .name = str_of(row->names[0]),
      .name_4x = str_of(name_4x),
      .name_3x = str_of(row->names[2][0] != '\0' ? row->names[2] : name_4x),
      .value = text,
      .default_value = str_of(row->default_text),
      .description = str_of(row->what),
      .type = row->type,
      .source = given->source,
      .place = given->place,
  };
}
