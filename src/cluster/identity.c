#include "cluster/identity.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mutant.h"
#include "base/planted.h"

#define IDENTITY_MAGIC 0x49535651u // QVSI
#define IDENTITY_VERSION 1u
#define SEQUENCE_MAX (UINT64_MAX / 2) // nobody saves so often; what follows must not wrap

enum { FILE_BYTES = 4096, CHECKED_BYTES = FILE_BYTES - 8, FOUNDING_AT = 40 };
_Static_assert(FOUNDING_AT + FOUNDING_BYTES_MAX <= CHECKED_BYTES, "a founding fits");

// ---- bytes ----

static void put(uint8_t to[FILE_BYTES], const struct identity *i) {
  memset(to, 0, FILE_BYTES);
  put_u32_le(to, IDENTITY_MAGIC);
  put_u16_le(to + 4, IDENTITY_VERSION);
  to[6] = (uint8_t) i->state;
  to[7] = i->begun;
  uuid_put(to + 8, i->server);
  put_u32_le(to + 24, i->number);
  put_u64_le(to + 32, i->sequence);
  if (i->founding.count > 0) founding_put(to + FOUNDING_AT, &i->founding);
  put_u64_le(to + CHECKED_BYTES, hash64(to, CHECKED_BYTES, 0));
}

/// What each state must have and must not have.
static bool is_consistent(const struct identity *i) {
  const struct founder *self = founding_find(&i->founding, i->server);
  if (self != NULL && self->number != i->number) return false;
  switch (i->state) {
  case IDENTITY_UNBOUND: return i->founding.count == 0;
  case IDENTITY_PREPARED: return self != NULL;
  case IDENTITY_BOUND:
  case IDENTITY_DROPPED: return i->founding.count > 0;
  }
  return false;
}

static enum err get(const uint8_t from[FILE_BYTES], struct identity *ret, struct error *e) {
  if (get_u32_le(from) != IDENTITY_MAGIC) return error_set(e, ERR_CORRUPT, "it is not the identity of a server");
  if (get_u64_le(from + CHECKED_BYTES) != hash64(from, CHECKED_BYTES, 0)) return error_set(e, ERR_CORRUPT, "it fails its check");
  if (get_u16_le(from + 4) != IDENTITY_VERSION)
    return error_set(e, ERR_UNSUPPORTED, "it is of format version %u, and this server reads version %u: start the newer server",
                     get_u16_le(from + 4), IDENTITY_VERSION);
  struct identity i = {.server = uuid_get(from + 8),
                       .number = get_u32_le(from + 24),
                       .sequence = get_u64_le(from + 32),
                       .state = (enum identity_state) from[6],
                       .begun = from[7] == 1};
  size_t bytes = 0;
  if (!bytes_are_zero(from + FOUNDING_AT, FOUNDING_HEADER_BYTES))
    TRY(founding_get(from + FOUNDING_AT, CHECKED_BYTES - FOUNDING_AT, &i.founding, &bytes, e));
  bool clean = from[7] <= (i.state >= IDENTITY_BOUND) && get_u32_le(from + 28) == 0 &&
               bytes_are_zero(from + FOUNDING_AT + bytes, CHECKED_BYTES - FOUNDING_AT - bytes);
  if (!clean || i.number == 0 || i.sequence == 0 || i.sequence > SEQUENCE_MAX || uuid_is_none(i.server) || !is_consistent(&i))
    return error_set(e, ERR_CORRUPT, "what it says cannot be");
  if (PLANTED(identity) && i.state == IDENTITY_UNBOUND && i.sequence > UINT32_MAX && i.number > UINT16_MAX) planted_memory_error();
  *ret = i;
  return ERR_OK;
}

// ---- file ----

// A file that a crash left under this name may be the identity itself, under a second name: it is not written into.
static enum err write_file(struct disk *d, const char *path, const uint8_t bytes[FILE_BYTES], struct error *e) {
  struct disk_file *f;
  enum err err = disk_unlink(d, path, e);
  if (err != ERR_OK && err != ERR_NOTFOUND) return err;
  TRY(disk_open(d, path, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &f, e));
  err = disk_write(f, 0, bytes, FILE_BYTES, e);
  if (err == ERR_OK && !MUTANT(identity_sync)) err = disk_sync(f, e);
  disk_close(f);
  return err;
}

enum err identity_save(struct disk *d, const char *folder, struct identity *i, struct error *e) {
  char path[DISK_PATH_MAX], fresh[DISK_PATH_MAX + 8];
  uint8_t bytes[FILE_BYTES];
  snprintf(path, sizeof path, "%s/%s", folder, IDENTITY_FILE);
  snprintf(fresh, sizeof fresh, "%s.new", path);
  struct identity next = *i;
  next.sequence++;
  put(bytes, &next);
  TRY(write_file(d, fresh, bytes, e));
  TRY(disk_rename(d, fresh, path, e));
  if (!MUTANT(identity_sync)) TRY(disk_sync_directory(d, folder, e));
  *i = next;
  return ERR_OK;
}

static enum err read_file(struct disk *d, const char *path, struct identity *ret, struct error *e) {
  uint8_t bytes[FILE_BYTES];
  size_t size = 0;
  TRY(disk_read_file(d, path, bytes, sizeof bytes, &size, e));
  if (size != FILE_BYTES) return error_set(e, ERR_CORRUPT, "it has %zu bytes instead of %d", size, FILE_BYTES);
  return get(bytes, ret, e);
}

static enum err explain(struct error *e, const char *path, enum err err) {
  if (e == NULL) return err;
  if (err != ERR_CORRUPT) return error_prefix(e, "the server's identity '%s'", path);
  struct error why = *e;
  return error_set(
      e, ERR_CORRUPT,
      "the server's identity '%s' cannot be used: %s. It says who this server is and what it has promised to its cluster, "
      "so the server does not start without it: bring the file back from a backup, or start with an empty data folder, as "
      "a new server that the cluster fills again",
      path, why.message);
}

// ---- life ----

enum err identity_random_uuid(struct random_source *random, struct uuid *ret) {
  struct uuid bytes;
  TRY(random_fill(random, bytes.bytes, sizeof bytes.bytes));
  *ret = uuid_of_random(bytes);
  return ERR_OK;
}

enum err identity_renumber(struct identity *i, struct random_source *random) {
  uint32_t number = 0;
  while (number == 0 || number == i->number) TRY(random_fill(random, &number, sizeof number));
  i->number = number;
  return ERR_OK;
}

static enum err make(struct random_source *random, struct identity *ret, struct error *e) {
  struct identity i = {.state = IDENTITY_UNBOUND};
  enum err err = identity_random_uuid(random, &i.server);
  if (err == ERR_OK) err = identity_renumber(&i, random);
  if (err != ERR_OK) return error_set(e, err, "the system has no randomness for the identity of this server");
  *ret = i;
  return ERR_OK;
}

enum err identity_open(struct disk *d, const char *folder, struct random_source *random, struct identity *ret, struct error *e) {
  char path[DISK_PATH_MAX];
  struct identity i;
  snprintf(path, sizeof path, "%s/%s", folder, IDENTITY_FILE);
  enum err err = read_file(d, path, &i, e);
  if (err == ERR_NOTFOUND) err = make(random, &i, e);
  if (err != ERR_OK) return explain(e, path, err);
  err = identity_save(d, folder, &i, e); // also makes durable what was read: it may have survived in a cache alone
  if (err != ERR_OK) return explain(e, path, err);
  i.epoch = i.sequence;
  *ret = i;
  return ERR_OK;
}
