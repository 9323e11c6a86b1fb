// Where settings come from: a properties file and the environment.
#include <string.h>

#include "base/arena.h"
#include "config/config.h"

/// The next logical line: physical ones joined where they end in a single `\`, leading blanks of each dropped. `*line_number` moves
/// to the first of them.
static enum err next_line(struct str *rest, uint32_t *line_number, uint32_t *seen, struct buf *line) {
  buf_clear(line);
  *line_number = *seen + 1;
  bool more = true;
  while (more && rest->ptr != NULL) {
    struct str part = str_trim(str_cut(rest, '\n'));
    (*seen)++;
    bool comment = line->len == 0 && part.len > 0 && (part.ptr[0] == '#' || part.ptr[0] == '!');
    size_t slashes = 0;
    while (slashes < part.len && part.ptr[part.len - 1 - slashes] == '\\') slashes++;
    more = !comment && slashes % 2 == 1;
    if (more) part.len--;
    if (!comment) TRY(buf_append_str(line, part));
  }
  return ERR_OK;
}

static enum err take_line(struct config *c, struct str line, struct str path, uint32_t number, struct error *e) {
  struct error place = ERROR_INIT; // a text buffer with a limit
  error_set(&place, ERR_INVALID, "%.*s:%u", STR_ARG(path), number);
  struct str value = line;
  struct str key = str_trim(str_cut(&value, '='));
  if (value.ptr == NULL || key.len == 0) {
    return error_set(e, ERR_INVALID, "%s: '%.*s' is not of the form key=value", place.message, STR_ARG(line));
  }
  return config_set(c, key, value, CONFIG_FILE, str_of(place.message), e);
}

enum err config_read_file(struct config *c, struct str text, struct str path, struct error *e) {
  if (!str_is_utf8(text)) return error_set(e, ERR_INVALID, "%.*s is not UTF-8", STR_ARG(path));
  CLEANUP(buf_done) struct buf line = BUF_INIT;
  uint32_t seen = 0, number;
  enum err first = ERR_OK;
  while (text.ptr != NULL) {
    TRY(next_line(&text, &number, &seen, &line));
    if (line.len == 0) continue;
    enum err err = take_line(c, buf_str(&line), path, number, first == ERR_OK ? e : NULL);
    if (first == ERR_OK) first = err;
  }
  return first;
}

/// Variables of the container image that are not settings.
static bool is_of_image(struct str name) {
  static const char *const own[] = {"HOME",    "CONF",  "AUTH",         "AUTH_PATH",        "ACCEPT_LICENSE_AGREEMENT", "PLUGINS", "EDITION",
                                    "DEBUG",   "SHA256", "TARBALL",     "DEPRECATION_WARNING", "URI",                   "USERNAME", "PASSWORD"};
  for (size_t i = 0; i < ARRAY_SIZE(own); i++)
    if (str_eqz(name, own[i])) return true;
  return str_ends(name, STR("_FILE"));
}

/// "server_memory_pagecache_size" -> "server.memory.pagecache.size", "a__b" -> "a_b".
static enum err setting_name(struct str name, struct buf *ret) {
  buf_clear(ret);
  for (size_t i = 0; i < name.len; i++) {
    bool twice = name.ptr[i] == '_' && i + 1 < name.len && name.ptr[i + 1] == '_';
    TRY(buf_append_byte(ret, (uint8_t) (name.ptr[i] != '_' || twice ? name.ptr[i] : '.')));
    i += twice;
  }
  return ERR_OK;
}

enum err config_read_environment(struct config *c, const char *const *environment, struct error *e) {
  CLEANUP(buf_done) struct buf key = BUF_INIT;
  for (; *environment != NULL; environment++) {
    struct str value = str_of(*environment);
    struct str variable = str_cut(&value, '=');
    if (!str_starts(variable, STR("NEO4J_")) || value.len == 0) continue;
    struct str name = {variable.ptr + 6, variable.len - 6};
    if (name.len == 0 || is_of_image(name) || (name.ptr[0] >= '0' && name.ptr[0] <= '9')) continue;
    TRY(setting_name(name, &key));
    TRY(config_set(c, buf_str(&key), value, CONFIG_ENVIRONMENT, variable, e));
  }
  return ERR_OK;
}
