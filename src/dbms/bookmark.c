#include "dbms/bookmark.h"

#include <string.h>

static const struct str legacy_prefix = {"neo4j:bookmark:v1:tx", 20};

enum { UUID_BYTES = 36, ID_BYTES_MAX = 20 };

static size_t write_id(char to[ID_BYTES_MAX], uint64_t id) {
  char digits[ID_BYTES_MAX];
  size_t n = 0;
  do digits[n++] = (char) ('0' + id % 10);
  while ((id /= 10) > 0);
  for (size_t i = 0; i < n; i++) to[i] = digits[n - 1 - i];
  return n;
}

struct str bookmark_write(char to[BOOKMARK_BYTES_MAX], const char *uuid, uint64_t generation, uint64_t id, bool legacy) {
  size_t n = legacy ? legacy_prefix.len : 3;
  memcpy(to, legacy ? legacy_prefix.ptr : "Q1:", n);
  if (!legacy) {
    memcpy(to + n, uuid, UUID_BYTES);
    n += UUID_BYTES;
    to[n++] = ':';
    if (generation > 1) n += write_id(to + n, generation), to[n++] = ':';
  }
  n += write_id(to + n, id);
  to[n] = '\0';
  return (struct str){to, n};
}

static bool read_id(struct str text, uint64_t *ret) {
  int64_t id;
  if (!str_to_i64(text, &id) || id < 0) return false;
  *ret = (uint64_t) id;
  return true;
}

/// Behind "Q1:".
static bool read_own(struct str rest, struct bookmark *ret) {
  struct str uuid = str_cut(&rest, ':'), first = str_cut(&rest, ':');
  *ret = (struct bookmark){.kind = BOOKMARK_DATABASE, .uuid = uuid, .generation = 1};
  if (uuid.len != UUID_BYTES || first.ptr == NULL) return false;
  if (rest.ptr == NULL) return read_id(first, &ret->id);
  return read_id(first, &ret->generation) && ret->generation > 1 && read_id(rest, &ret->id);
}

enum err bookmark_read(struct str text, struct bookmark *ret, struct error *e) {
  struct bookmark b = {.kind = BOOKMARK_LEGACY};
  struct str rest = text;
  bool none = text.len == 0;
  bool legacy =
      str_starts(text, legacy_prefix) && read_id((struct str){text.ptr + legacy_prefix.len, text.len - legacy_prefix.len}, &b.id);
  bool own = !none && !legacy && str_eqz(str_cut(&rest, ':'), "Q1") && rest.ptr != NULL && read_own(rest, &b);
  if (none) b.kind = BOOKMARK_NONE;
  if (none || legacy || own) return *ret = b, ERR_OK;
  return error_set(e, ERR_BOOKMARK_INVALID, "Supplied bookmark `%.*s` does not conform to pattern `Q1:<database>:<transaction>`",
                   (int) MIN(text.len, 200), text.ptr);
}
