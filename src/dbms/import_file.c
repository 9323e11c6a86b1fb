#include "dbms/import_file.h"

#include <string.h>

#include "os/rooted_file.h"

static enum err cannot_load(struct str url, const char *why, struct error *e) {
  return error_set(e, ERR_EXTERNAL_RESOURCE, "Cannot load from URL '%.*s': %s", STR_ARG(url), why);
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Takes %41 and its like apart. False where a % is not followed by two digits.
static bool decode(struct str from, char *to, size_t *ret_len) {
  size_t n = 0;
  for (size_t i = 0; i < from.len; i++) {
    to[n] = from.ptr[i];
    if (from.ptr[i] == '%') {
      int high = i + 2 < from.len ? hex_digit(from.ptr[i + 1]) : -1, low = i + 2 < from.len ? hex_digit(from.ptr[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      to[n] = (char) (high << 4 | low);
      i += 2;
    }
    n++;
  }
  *ret_len = n;
  return true;
}

static struct str behind(struct str s, size_t n) {
  return (struct str){s.ptr + n, s.len - n};
}

/// The path of a file URL, in `a`: "file:///a%20b.csv", "file:/x", "file://localhost/x" give "/a b.csv", "/x".
static enum err import_path(struct str url, struct arena *a, struct str *ret, struct error *e) {
  static const char file[] = "file:";
  const char *colon = memchr(url.ptr, ':', url.len);
  if (colon == NULL) return cannot_load(url, "no protocol; a file is named as file:///name", e);
  if (!str_eq_nocase((struct str){url.ptr, (size_t) (colon - url.ptr) + 1}, str_of(file)))
    return cannot_load(url, "this server loads files only, as file:///name", e);
  struct str rest = behind(url, sizeof file - 1);
  if (str_starts(rest, STR("//"))) {
    rest = behind(rest, 2);
    size_t host = 0;
    while (host < rest.len && rest.ptr[host] != '/') host++;
    if (host > 0 && !str_eq_nocase((struct str){rest.ptr, host}, STR("localhost")))
      return cannot_load(url, "file URL may not contain an authority section (i.e. it should be 'file:///')", e);
    rest = behind(rest, host);
  }
  if (memchr(rest.ptr, '?', rest.len) != NULL) return cannot_load(url, "file URL may not contain a query component", e);
  char *path = arena_alloc(a, rest.len + 1);
  if (path == NULL) return arena_err(a, e);
  ret->ptr = path;
  return decode(rest, path, &ret->len) ? ERR_OK : cannot_load(url, "a % is not followed by two hexadecimal digits", e);
}

static enum err open_import(void *context, struct str url, void **ret_file, struct error *e) {
  const struct config_values *config = context;
  CLEANUP(arena_done) struct arena scratch;
  arena_init(&scratch, NULL);
  struct str path;
  struct rooted_file *file;
  struct error why = ERROR_INIT;
  TRY(import_path(url, &scratch, &path, e));
  if (!config->import_from_files)
    return cannot_load(url, "configuration property 'dbms.security.allow_csv_import_from_file_urls' is false", e);
  enum err err = rooted_file_open(config->import_directory, path, &file, &why);
  if (err == ERR_NOMEM) return error_set(e, err, "%s", why.message);
  if (err != ERR_OK)
    return error_set(e, ERR_EXTERNAL_RESOURCE, "Couldn't load the external resource at: %.*s (%s)", STR_ARG(url), why.message);
  *ret_file = file;
  return ERR_OK;
}

static enum err read_import(void *file, void *ret, size_t cap, size_t *ret_bytes, struct error *e) {
  struct error why = ERROR_INIT;
  enum err err = rooted_file_read(file, ret, cap, ret_bytes, &why);
  return err == ERR_OK
             ? ERR_OK
             : error_set(e, ERR_EXTERNAL_RESOURCE, "The external resource could not be read to its end: %s", why.message);
}

static void close_import(void *file) {
  rooted_file_close(file);
}

struct exec_files import_files(const struct config_values *config) {
  return (struct exec_files){.open = open_import,
                             .read = read_import,
                             .close = close_import,
                             .backslash_escapes = config->import_backslash_escapes,
                             .context = (void *) (uintptr_t) config};
}
