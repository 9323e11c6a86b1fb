#include "register_state.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mem.h"

enum { HEADER_BYTES = 48, RECORD_BYTES = 8 };
#define MAGIC UINT64_C(0x3152545347455251)

struct register_state *register_state_new(void) {
  return mem_zalloc(sizeof(struct register_state));
}

static void clear(struct register_state *s) {
  for (size_t i = 0; i < REGISTER_KEYS; i++) buf_done(&s->values[i]);
}

void register_state_free(struct register_state *s) {
  if (s == NULL) return;
  clear(s);
  mem_free(s);
}

size_t register_put_command(uint8_t *to, uint32_t key, struct str value) {
  put_u32_le(to, key);
  memcpy(to + 4, value.ptr, value.len);
  return 4 + value.len;
}

static enum err set(struct register_state *s, uint32_t key, const void *value, size_t len) {
  struct buf *b = &s->values[key];
  b->len = 0;
  return buf_append(b, value, len);
}

enum err register_apply(struct register_state *s, const struct log_entry *entry, struct error *e) {
  if (entry->kind == LOG_TRANSACTION) {
    uint32_t key = entry->payload.len >= 4 ? get_u32_le(entry->payload.ptr) : REGISTER_KEYS;
    if (key >= REGISTER_KEYS) return error_set(e, ERR_CORRUPT, "entry %llu sets no key", (unsigned long long) entry->index);
    TRY(set(s, key, entry->payload.ptr + 4, entry->payload.len - 4));
  }
  s->applied = (struct group_applied){entry->index, entry->term, entry->commit_time_ns};
  return ERR_OK;
}

// ---- as bytes: header {magic, bytes, index, term, commit time, checksum}, then {key, length, value} ----

enum err register_encode(const struct register_state *s, struct buf *to) {
  uint8_t header[HEADER_BYTES] = {0};
  buf_clear(to);
  TRY(buf_append(to, header, sizeof header));
  for (uint32_t key = 0; key < REGISTER_KEYS; key++) {
    const struct buf *value = &s->values[key];
    uint8_t record[RECORD_BYTES];
    if (value->len == 0) continue;
    put_u32_le(record, key);
    put_u32_le(record + 4, (uint32_t) value->len);
    TRY(buf_append(to, record, sizeof record));
    TRY(buf_append(to, value->data, value->len));
  }
  uint8_t *h = (uint8_t *) to->data;
  put_u64_le(h, MAGIC);
  put_u64_le(h + 8, to->len);
  put_u64_le(h + 16, s->applied.index);
  put_u64_le(h + 24, s->applied.term);
  put_u64_le(h + 32, (uint64_t) s->applied.commit_time_ns);
  put_u64_le(h + 40, hash64(h + HEADER_BYTES, to->len - HEADER_BYTES, hash64(h, 40, 0)));
  return ERR_OK;
}

enum err register_decode(struct register_state *s, const void *bytes, size_t len, struct error *e) {
  const uint8_t *h = bytes;
  if (len < HEADER_BYTES || get_u64_le(h) != MAGIC || get_u64_le(h + 8) != len ||
      get_u64_le(h + 40) != hash64(h + HEADER_BYTES, len - HEADER_BYTES, hash64(h, 40, 0)))
    return error_set(e, ERR_CORRUPT, "the state fails its check");
  clear(s);
  for (size_t at = HEADER_BYTES; at < len;) {
    uint32_t key = get_u32_le(h + at), size = get_u32_le(h + at + 4);
    TRY(set(s, key, h + at + RECORD_BYTES, size));
    at += RECORD_BYTES + size;
  }
  s->applied = (struct group_applied){get_u64_le(h + 16), get_u64_le(h + 24), (int64_t) get_u64_le(h + 32)};
  return ERR_OK;
}

// ---- on disk ----

static enum err write_new(const char *path, const struct buf *bytes, struct error *e) {
  struct disk_file *f = NULL;
  TRY(disk_open(disk_system(), path, DISK_WRITE | DISK_CREATE, &f, e));
  enum err err = disk_truncate(f, 0, e);
  if (err == ERR_OK) err = disk_write(f, 0, bytes->data, bytes->len, e);
  if (err == ERR_OK) err = disk_sync(f, e);
  disk_close(f);
  return err;
}

enum err register_save(const char *directory, const struct buf *bytes, struct error *e) {
  char path[DISK_PATH_MAX], temporary[DISK_PATH_MAX];
  snprintf(path, sizeof path, "%s/state", directory);
  snprintf(temporary, sizeof temporary, "%s/state.new", directory);
  TRY(write_new(temporary, bytes, e));
  TRY(disk_rename(disk_system(), temporary, path, e));
  return disk_sync_directory(disk_system(), directory, e);
}

static enum err read_whole(struct disk_file *f, struct buf *to, struct error *e) {
  uint64_t size = 0;
  TRY(disk_size(f, &size, e));
  TRY(buf_reserve(to, size));
  TRY(disk_read_all(f, 0, to->data, size, e));
  to->len = size;
  return ERR_OK;
}

enum err register_load(struct register_state *s, const char *directory, struct error *e) {
  char path[DISK_PATH_MAX];
  struct disk_file *f = NULL;
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  snprintf(path, sizeof path, "%s/state", directory);
  enum err err = disk_open(disk_system(), path, DISK_READ_ONLY, &f, e);
  if (err == ERR_NOTFOUND) return ERR_OK;
  if (err == ERR_OK) err = read_whole(f, &bytes, e);
  disk_close(f);
  return err == ERR_OK ? register_decode(s, bytes.data, bytes.len, e) : err;
}
