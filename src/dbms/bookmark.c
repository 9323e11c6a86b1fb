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

struct str bookmark_write(char to[BOOKMARK_BYTES_MAX], const char *uuid, uint64_t id, bool legacy) {
  size_t n = legacy ? legacy_prefix.len : 3;
  memcpy(to, legacy ? legacy_prefix.ptr : "Q1:", n);
  if (!legacy) {
    memcpy(to + n, uuid, UUID_BYTES);
    n += UUID_BYTES;
    to[n++] = ':';
  }
  return (struct str){to, n + write_id(to + n, id)};
}

static bool read_id(struct str text, uint64_t *ret) {
  int64_t id;
  if (!str_to_i64(text, &id) || id < 0) return false;
  *ret = (uint64_t) id;
  return true;
}

enum err bookmark_read(struct str text, enum bookmark_kind *ret_kind, struct str *ret_uuid, uint64_t *ret_id, struct error *e) {
  if (text.len == 0) {
    *ret_kind = BOOKMARK_NONE;
    return ERR_OK;
  }
  if (str_starts(text, legacy_prefix) &&
      read_id((struct str){text.ptr + legacy_prefix.len, text.len - legacy_prefix.len}, ret_id)) {
    *ret_kind = BOOKMARK_LEGACY;
    return ERR_OK;
  }
  struct str rest = text;
  if (str_eqz(str_cut(&rest, ':'), "Q1") && rest.ptr != NULL) {
    struct str uuid = str_cut(&rest, ':');
    if (uuid.len == 36 && rest.ptr != NULL && read_id(rest, ret_id)) {
      *ret_uuid = uuid;
      *ret_kind = BOOKMARK_DATABASE;
      return ERR_OK;
    }
  }
  return error_set(e, ERR_BOOKMARK_INVALID, "Supplied bookmark `%.*s` does not conform to pattern `Q1:<database>:<transaction>`",
                   (int) MIN(text.len, 200), text.ptr);
}
