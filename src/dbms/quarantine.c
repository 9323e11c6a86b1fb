#include "dbms/quarantine.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"

#define QUARANTINE_FILE "quarantine"
#define QUARANTINE_MAGIC 0x54515651u // QVQT
#define QUARANTINE_VERSION 1u

enum { SOUND_AT = 32, CHECKED_BYTES = SOUND_AT + 8 * QUARANTINE_SOUND_MAX, FILE_BYTES = CHECKED_BYTES + 8 };

// ---- bytes ----

static void put(uint8_t to[FILE_BYTES], uint64_t generation, const struct quarantine *q) {
  memset(to, 0, FILE_BYTES);
  put_u32_le(to, QUARANTINE_MAGIC);
  put_u16_le(to + 4, QUARANTINE_VERSION);
  put_u64_le(to + 8, generation);
  put_u64_le(to + 16, q->index);
  put_u32_le(to + 24, q->sound_count);
  for (uint32_t i = 0; i < q->sound_count; i++) put_u64_le(to + SOUND_AT + 8 * i, q->sound[i]);
  put_u64_le(to + CHECKED_BYTES, hash64(to, CHECKED_BYTES, 0));
}

static bool is_whole(const uint8_t from[FILE_BYTES]) {
  return get_u32_le(from) == QUARANTINE_MAGIC && get_u16_le(from + 4) == QUARANTINE_VERSION &&
         get_u32_le(from + 24) <= QUARANTINE_SOUND_MAX && get_u64_le(from + CHECKED_BYTES) == hash64(from, CHECKED_BYTES, 0);
}

static void get(const uint8_t from[FILE_BYTES], struct quarantine *ret) {
  *ret = (struct quarantine){.on = true, .kept = true, .index = get_u64_le(from + 16), .sound_count = get_u32_le(from + 24)};
  for (uint32_t i = 0; i < ret->sound_count; i++) ret->sound[i] = get_u64_le(from + SOUND_AT + 8 * i);
}

// ---- file ----

enum err quarantine_keep(struct disk *disk, const char *folder, uint64_t generation, const struct quarantine *q, struct error *e) {
  uint8_t bytes[FILE_BYTES];
  put(bytes, generation, q);
  return disk_replace_file(disk, folder, QUARANTINE_FILE, bytes, sizeof bytes, e);
}

static enum err read_path(struct disk *disk, const char *path, uint8_t to[FILE_BYTES], struct error *e) {
  size_t size = 0;
  TRY(disk_read_file(disk, path, to, FILE_BYTES, &size, e));
  return size == FILE_BYTES && is_whole(to) ? ERR_OK : error_set(e, ERR_CORRUPT, "it fails its check");
}

enum err quarantine_find(struct disk *disk, const char *folder, uint64_t generation, struct quarantine *ret, struct error *e) {
  char path[DISK_PATH_MAX];
  uint8_t bytes[FILE_BYTES];
  struct error why = ERROR_INIT;
  *ret = (struct quarantine){.on = false};
  snprintf(path, sizeof path, "%s/%s", folder, QUARANTINE_FILE);
  enum err err = read_path(disk, path, bytes, &why);
  if (err == ERR_NOTFOUND) return ERR_OK;
  if (err != ERR_OK)
    return error_set(e, err,
                     "'%s' says that this database differs from what the other servers have, and cannot be read: %s. Remove the "
                     "folder, and the database is copied from them.",
                     path, why.message);
  if (get_u64_le(bytes + 8) == generation) get(bytes, ret);
  return ERR_OK;
}

enum err quarantine_end(struct disk *disk, const char *folder, struct error *e) {
  char path[DISK_PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", folder, QUARANTINE_FILE);
  enum err err = disk_unlink(disk, path, e);
  if (err == ERR_NOTFOUND) return ERR_OK;
  return err == ERR_OK ? disk_sync_directory(disk, folder, e) : err;
}
