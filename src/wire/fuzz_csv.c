// Hostile CSV in pieces: the pieces make no difference. The first byte gives their size and the dialect.
#include <stdlib.h>
#include <string.h>

#include "wire/csv.h"

struct text_source {
  struct csv_source source;
  struct str rest;
  size_t piece;
};

static enum err read_text(struct csv_source *source, void *to, size_t bytes, size_t *ret, struct error *e UNUSED) {
  struct text_source *t = CONTAINER_OF(source, struct text_source, source);
  size_t n = MIN(MIN(bytes, t->piece), t->rest.len);
  if (n > 0) memcpy(to, t->rest.ptr, n);
  t->rest = (struct str){t->rest.ptr + n, t->rest.len - n};
  *ret = n;
  return ERR_OK;
}

/// All rows written one behind the other, and how it ended.
static enum err flatten(struct str text, struct csv_dialect dialect, size_t piece, struct buf *out) {
  struct text_source t = {{read_text}, text, piece};
  struct csv_reader r;
  csv_reader_init(&r, &t.source, dialect, 1 << 20);
  const struct csv_field *fields = NULL;
  uint32_t count = 0;
  enum err err;
  while ((err = csv_next_row(&r, &fields, &count, NULL)) == ERR_OK && fields != NULL) {
    for (uint32_t i = 0; i < count; i++) {
      if (!str_is_utf8(fields[i].text) || buf_append_str(out, fields[i].text) != ERR_OK || buf_append_byte(out, 0) != ERR_OK)
        abort();
    }
    if (buf_append_byte(out, '\n') != ERR_OK) abort();
  }
  csv_reader_done(&r);
  return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  struct csv_dialect dialect = {
      .delimiter = ',', .quote = data[0] & 1 ? '"' : '\0', .backslash_escapes = data[0] & 2, .multiline = data[0] & 4};
  struct str text = {(const char *) data + 1, size - 1};
  struct buf whole = BUF_INIT, pieces = BUF_INIT;
  enum err a = flatten(text, dialect, size, &whole), b = flatten(text, dialect, 1 + (data[0] >> 3), &pieces);
  if (a != b || !str_eq(buf_str(&whole), buf_str(&pieces))) abort();
  buf_done(&whole);
  buf_done(&pieces);
  return 0;
}
