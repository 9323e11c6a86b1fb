#include "cluster/row_file.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mem.h"

#define ROW_FILE_VERSION 1u

enum { HEADER_BYTES = 32, ROW_BYTES = 8 * ROW_WORDS };

static size_t bytes_of(uint32_t rows) {
  return HEADER_BYTES + ROW_BYTES * (size_t) rows + 8;
}

// ---- bytes ----

static void put(uint8_t *to, const struct row_file *f, struct uuid cluster, uint64_t (*rows)[ROW_WORDS], uint32_t count) {
  size_t at = HEADER_BYTES;
  memset(to, 0, HEADER_BYTES);
  put_u32_le(to, f->magic);
  put_u16_le(to + 4, ROW_FILE_VERSION);
  uuid_put(to + 8, cluster);
  put_u32_le(to + 24, count);
  for (uint32_t i = 0; i < count; i++)
    for (int k = 0; k < ROW_WORDS; k++, at += 8) put_u64_le(to + at, rows[i][k]);
  put_u64_le(to + at, hash64(to, at, 0));
}

static void get_rows(const uint8_t *from, uint32_t count, uint64_t (*ret)[ROW_WORDS]) {
  for (uint32_t i = 0; i < count; i++)
    for (int k = 0; k < ROW_WORDS; k++, from += 8) ret[i][k] = get_u64_le(from);
}

static enum err get(const uint8_t *from, size_t bytes, const struct row_file *f, struct uuid cluster, uint64_t (*ret)[ROW_WORDS],
                    uint32_t *ret_count, struct error *e) {
  if (bytes < bytes_of(0) || get_u32_le(from) != f->magic || get_u64_le(from + bytes - 8) != hash64(from, bytes - 8, 0))
    return error_set(e, ERR_CORRUPT, "it fails its check");
  if (get_u16_le(from + 4) != ROW_FILE_VERSION)
    return error_set(e, ERR_UNSUPPORTED, "it is of format version %u, and this server reads version %u: start the newer server",
                     get_u16_le(from + 4), ROW_FILE_VERSION);
  uint32_t count = get_u32_le(from + 24);
  if (count > f->rows_max || bytes != bytes_of(count)) return error_set(e, ERR_CORRUPT, "what it says cannot be");
  if (!uuid_eq(uuid_get(from + 8), cluster)) return ERR_OK;
  get_rows(from + HEADER_BYTES, count, ret);
  *ret_count = count;
  return ERR_OK;
}

// ---- file ----

static enum err explain(struct error *e, const char *folder, const struct row_file *f, enum err err) {
  if (e == NULL) return err;
  if (err != ERR_CORRUPT) return error_prefix(e, "%s '%s/%s'", f->what, folder, f->name);
  struct error why = *e;
  return error_set(e, ERR_CORRUPT, "%s '%s/%s' cannot be used: %s. %s", f->what, folder, f->name, why.message, f->way_out);
}

enum err row_file_refuse(const char *folder, const struct row_file *f, struct error *e) {
  return explain(e, folder, f, error_set(e, ERR_CORRUPT, "what it says cannot be"));
}

enum err row_file_read(struct disk *d, const char *folder, const struct row_file *f, struct uuid cluster,
                       uint64_t (*ret)[ROW_WORDS], uint32_t *ret_count, struct error *e) {
  char path[DISK_PATH_MAX + 64];
  size_t bytes = 0, bytes_max = bytes_of(f->rows_max);
  uint8_t *all = mem_alloc(bytes_max);
  if (all == NULL) return error_ensure(e, ERR_NOMEM);
  snprintf(path, sizeof path, "%s/%s", folder, f->name);
  *ret_count = 0;
  enum err err = disk_read_file(d, path, all, bytes_max, &bytes, e);
  if (err == ERR_OK && bytes > bytes_max) err = error_set(e, ERR_CORRUPT, "it has %zu bytes", bytes);
  if (err == ERR_OK) err = get(all, bytes, f, cluster, ret, ret_count, e);
  mem_free(all);
  if (err == ERR_NOTFOUND) return ERR_OK;
  return err == ERR_OK ? ERR_OK : explain(e, folder, f, err);
}

enum err row_file_save(struct disk *d, const char *folder, const struct row_file *f, struct uuid cluster,
                       uint64_t (*rows)[ROW_WORDS], uint32_t count, struct error *e) {
  uint8_t *all = mem_alloc(bytes_of(count));
  if (all == NULL) return error_ensure(e, ERR_NOMEM);
  put(all, f, cluster, rows, count);
  enum err err = disk_replace_file(d, folder, f->name, all, bytes_of(count), e);
  mem_free(all);
  return err;
}
