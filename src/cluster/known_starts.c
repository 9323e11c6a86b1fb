#include "cluster/known_starts.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "base/planted.h"
#include "os/thread.h"

#define KNOWN_MAGIC 0x534B5651u // QVKS
#define KNOWN_VERSION 1u

enum { HEADER_BYTES = 32, KNOWN_BYTES = 24, FILE_BYTES_MAX = HEADER_BYTES + KNOWN_BYTES * KNOWN_STARTS_MAX + 8 };

struct known {
  uint64_t server;
  struct start start;
};

struct known_starts {
  struct disk *disk;
  char folder[DISK_PATH_MAX];
  struct uuid cluster;
  struct mutex mutex; // what follows
  uint32_t count;
  struct known of[KNOWN_STARTS_MAX]; // the one that was met last at the end
  bool dirty;
};

/// Under the mutex, or before anybody else has it: its place, or their count.
static uint32_t find(const struct known_starts *k, uint64_t server) {
  uint32_t i = 0;
  while (i < k->count && k->of[i].server != server) i++;
  return i;
}

// ---- bytes ----

static size_t put(uint8_t *to, const struct known_starts *k) {
  size_t at = HEADER_BYTES;
  memset(to, 0, HEADER_BYTES);
  put_u32_le(to, KNOWN_MAGIC);
  put_u16_le(to + 4, KNOWN_VERSION);
  uuid_put(to + 8, k->cluster);
  put_u32_le(to + 24, k->count);
  for (uint32_t i = 0; i < k->count; i++, at += KNOWN_BYTES) {
    put_u64_le(to + at, k->of[i].server);
    put_u64_le(to + at + 8, k->of[i].start.number);
    put_u64_le(to + at + 16, k->of[i].start.mark);
  }
  put_u64_le(to + at, hash64(to, at, 0));
  return at + 8;
}

/// Each server once: of two starts nobody could say which one counts.
static bool get_known(const uint8_t *from, uint32_t count, struct known_starts *k) {
  for (k->count = 0; k->count < count; k->count++, from += KNOWN_BYTES) {
    struct known one = {get_u64_le(from), {get_u64_le(from + 8), get_u64_le(from + 16)}};
    if (one.server == 0 || one.start.mark == 0 || find(k, one.server) < k->count) return false;
    k->of[k->count] = one;
  }
  return true;
}

static enum err get(const uint8_t *from, size_t bytes, struct known_starts *k, struct error *e) {
  if (bytes < HEADER_BYTES + 8 || get_u32_le(from) != KNOWN_MAGIC || get_u64_le(from + bytes - 8) != hash64(from, bytes - 8, 0))
    return error_set(e, ERR_CORRUPT, "it fails its check");
  if (get_u16_le(from + 4) != KNOWN_VERSION)
    return error_set(e, ERR_UNSUPPORTED, "it is of format version %u, and this server reads version %u: start the newer server",
                     get_u16_le(from + 4), KNOWN_VERSION);
  uint32_t count = get_u32_le(from + 24);
  if (count > KNOWN_STARTS_MAX || bytes != HEADER_BYTES + KNOWN_BYTES * (size_t) count + 8)
    return error_set(e, ERR_CORRUPT, "what it says cannot be");
  if (!uuid_eq(uuid_get(from + 8), k->cluster)) return ERR_OK;
  if (!get_known(from + HEADER_BYTES, count, k)) return error_set(e, ERR_CORRUPT, "what it says cannot be");
  if (PLANTED(known) && count == 2 && k->of[0].start.number > k->of[1].start.number) planted_memory_error();
  return ERR_OK;
}

// ---- file ----

static enum err explain(struct error *e, const char *path, enum err err) {
  if (e == NULL) return err;
  if (err != ERR_CORRUPT) return error_prefix(e, "the known starts '%s'", path);
  struct error why = *e;
  return error_set(e, ERR_CORRUPT,
                   "the known starts '%s' cannot be used: %s. By them it is noticed when the data folder of another server was put back from "
                   "an older copy: if none was, remove the file",
                   path, why.message);
}

static enum err read_file(struct known_starts *k, struct error *e) {
  char path[DISK_PATH_MAX + sizeof KNOWN_STARTS_FILE];
  size_t bytes = 0;
  uint8_t *all = mem_alloc(FILE_BYTES_MAX);
  if (all == NULL) return error_ensure(e, ERR_NOMEM);
  snprintf(path, sizeof path, "%s/%s", k->folder, KNOWN_STARTS_FILE);
  enum err err = disk_read_file(k->disk, path, all, FILE_BYTES_MAX, &bytes, e);
  if (err == ERR_OK && bytes > FILE_BYTES_MAX) err = error_set(e, ERR_CORRUPT, "it has %zu bytes", bytes);
  if (err == ERR_OK) err = get(all, bytes, k, e);
  mem_free(all);
  if (err == ERR_NOTFOUND) return ERR_OK;
  return err == ERR_OK ? ERR_OK : explain(e, path, err);
}

static void set_dirty(struct known_starts *k, bool dirty) {
  mutex_lock(&k->mutex);
  k->dirty = dirty;
  mutex_unlock(&k->mutex);
}

enum err known_starts_save(struct known_starts *k, struct error *e) {
  uint8_t *all = mem_alloc(FILE_BYTES_MAX);
  if (all == NULL) return error_ensure(e, ERR_NOMEM);
  mutex_lock(&k->mutex);
  bool dirty = k->dirty;
  size_t bytes = put(all, k);
  k->dirty = false;
  mutex_unlock(&k->mutex);
  enum err err = dirty && !MUTANT(start_known) ? disk_replace_file(k->disk, k->folder, KNOWN_STARTS_FILE, all, bytes, e) : ERR_OK;
  mem_free(all);
  if (err != ERR_OK) set_dirty(k, true);
  return err;
}

// ---- what is known ----

struct start known_starts_find(struct known_starts *k, uint64_t server) {
  mutex_lock(&k->mutex);
  uint32_t i = find(k, server);
  struct start ret = i < k->count ? k->of[i].start : (struct start){0};
  mutex_unlock(&k->mutex);
  return ret;
}

bool known_starts_contradict(struct known_starts *k, uint64_t server, struct start theirs) {
  struct start known = known_starts_find(k, server);
  return theirs.number < known.number || (theirs.number == known.number && theirs.mark != known.mark);
}

/// Under the mutex.
static void remove_at(struct known_starts *k, uint32_t i) {
  memmove(&k->of[i], &k->of[i + 1], (k->count - i - 1) * sizeof k->of[0]);
  k->count--;
}

bool known_starts_note(struct known_starts *k, uint64_t server, struct start theirs) {
  mutex_lock(&k->mutex);
  uint32_t i = find(k, server);
  bool news = i == k->count || k->of[i].start.number < theirs.number;
  if (news && i < k->count) remove_at(k, i);
  if (news && k->count == KNOWN_STARTS_MAX) remove_at(k, 0);
  if (news) k->of[k->count++] = (struct known){server, theirs};
  k->dirty |= news;
  mutex_unlock(&k->mutex);
  return news;
}

// ---- life ----

enum err known_starts_open(struct disk *d, const char *folder, struct uuid cluster, struct known_starts **ret, struct error *e) {
  struct known_starts *k = mem_zalloc(sizeof *k);
  if (k == NULL) return error_ensure(e, ERR_NOMEM);
  k->disk = d;
  snprintf(k->folder, sizeof k->folder, "%s", folder);
  k->cluster = cluster;
  mutex_init(&k->mutex);
  enum err err = read_file(k, e);
  if (err != ERR_OK) {
    known_starts_close(k);
    return err;
  }
  *ret = k;
  return ERR_OK;
}

void known_starts_close(struct known_starts *k) {
  if (k == NULL) return;
  mutex_done(&k->mutex);
  mem_free(k);
}
