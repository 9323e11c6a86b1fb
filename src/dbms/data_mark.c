#include "dbms/data_mark.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mutant.h"
#include "base/planted.h"
#include "base/uuid.h"

#define DATA_MARK_MAGIC 0x4D445651u // QVDM
#define DATA_MARK_VERSION 1u

enum { CHECKED_BYTES = 40, FILE_BYTES = CHECKED_BYTES + 8, NAME_BYTES = UUID_TEXT_BYTES + 8 };

static void name_of(const char *uuid, char ret[NAME_BYTES]) {
  snprintf(ret, NAME_BYTES, "%.*s.data", UUID_TEXT_BYTES, uuid);
}

// ---- bytes ----

static void put(uint8_t to[FILE_BYTES], uint32_t server, const struct data_mark *m) {
  put_u32_le(to, DATA_MARK_MAGIC);
  put_u16_le(to + 4, DATA_MARK_VERSION);
  put_u16_le(to + 6, 0);
  put_u32_le(to + 8, server);
  put_u32_le(to + 12, m->life);
  put_u64_le(to + 16, m->now);
  put_u64_le(to + 24, m->next);
  put_u64_le(to + 32, m->renewal);
  put_u64_le(to + CHECKED_BYTES, hash64(to, CHECKED_BYTES, 0));
}

static bool is_whole(const uint8_t from[FILE_BYTES]) {
  return get_u32_le(from) == DATA_MARK_MAGIC && get_u64_le(from + CHECKED_BYTES) == hash64(from, CHECKED_BYTES, 0);
}

/// Data without a mark have 0, and are never the latest.
static bool makes_sense(const uint8_t from[FILE_BYTES]) {
  return get_u64_le(from + 16) != 0 && get_u64_le(from + 24) != 0;
}

// ---- file ----

static enum err read_file(struct disk *d, const char *path, uint8_t to[FILE_BYTES], struct error *e) {
  size_t size = 0;
  TRY(disk_read_file(d, path, to, FILE_BYTES, &size, e));
  bool whole = size == FILE_BYTES && is_whole(to);
  if (whole && get_u16_le(to + 4) != DATA_MARK_VERSION)
    return error_set(e, ERR_UNSUPPORTED, "The file '%s' is of format version %u, and this server reads version %u: start the newer server.", path,
                     get_u16_le(to + 4), DATA_MARK_VERSION);
  if (whole && makes_sense(to)) return ERR_OK;
  return error_set(e, ERR_CORRUPT,
                   "The file '%s' is damaged, which says whether the data of a database are the latest: remove the folder of that "
                   "database and this file, and the others fill it again.",
                   path);
}

enum err data_mark_read(struct disk *d, const char *folder, const char *uuid, uint32_t server, struct data_mark *ret,
                        struct error *e) {
  char name[NAME_BYTES], path[DISK_PATH_MAX + NAME_BYTES];
  uint8_t bytes[FILE_BYTES];
  name_of(uuid, name);
  snprintf(path, sizeof path, "%s/%s", folder, name);
  *ret = (struct data_mark){0};
  enum err err = read_file(d, path, bytes, e);
  if (err == ERR_NOTFOUND) return ERR_OK;
  TRY(err);
  if (PLANTED(mark) && get_u64_le(bytes + 16) == get_u64_le(bytes + 24)) planted_memory_error();
  if (get_u32_le(bytes + 8) == server)
    *ret = (struct data_mark){.life = get_u32_le(bytes + 12),
                              .now = get_u64_le(bytes + 16),
                              .next = get_u64_le(bytes + 24),
                              .renewal = get_u64_le(bytes + 32)};
  return ERR_OK;
}

enum err data_mark_save(struct disk *d, const char *folder, const char *uuid, uint32_t server, const struct data_mark *m,
                        struct error *e) {
  char name[NAME_BYTES];
  uint8_t bytes[FILE_BYTES];
  name_of(uuid, name);
  put(bytes, server, m);
  TRY(disk_make_directories(d, folder, e));
  return disk_replace_file(d, folder, name, bytes, sizeof bytes, e);
}

void data_mark_forget(struct disk *d, const char *folder, const char *uuid) {
  char name[NAME_BYTES], path[DISK_PATH_MAX + NAME_BYTES];
  name_of(uuid, name);
  snprintf(path, sizeof path, "%s/%s", folder, name);
  enum err err = disk_unlink(d, path, NULL);
  (void) err; // there is none, or the next start finds it
}

/// A version that knows no marks may have begun a later life here.
bool data_mark_is_older(const struct data_mark *m, uint32_t life, uint64_t mark) {
  if (m->life == 0 || life > m->life || MUTANT(data_mark)) return false;
  return life < m->life || (mark != m->now && (mark != m->next || MUTANT(data_mark_next)));
}
