#include "cluster/starts.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mutant.h"
#include "base/planted.h"

#define STARTS_MAGIC 0x54535651u // QVST
#define STARTS_VERSION 1u

enum { STARTS_AT = 40, CHECKED_BYTES = STARTS_AT + 16 * STARTS_KEPT, FILE_BYTES = CHECKED_BYTES + 8 };

// ---- bytes ----

static void put(uint8_t to[FILE_BYTES], struct uuid server, const struct starts *s) {
  memset(to, 0, FILE_BYTES);
  put_u32_le(to, STARTS_MAGIC);
  put_u16_le(to + 4, STARTS_VERSION);
  to[6] = s->renewing;
  uuid_put(to + 8, server);
  put_u64_le(to + 24, s->renewal);
  put_u32_le(to + 32, s->count);
  for (uint32_t i = 0; i < s->count; i++) {
    put_u64_le(to + STARTS_AT + 16 * i, s->last[i].number);
    put_u64_le(to + STARTS_AT + 16 * i + 8, s->last[i].mark);
  }
  put_u64_le(to + CHECKED_BYTES, hash64(to, CHECKED_BYTES, 0));
}

static bool get_starts(const uint8_t *from, struct starts *s) {
  for (uint32_t i = 0; i < s->count; i++) {
    s->last[i] = (struct start){.number = get_u64_le(from + 16 * i), .mark = get_u64_le(from + 16 * i + 8)};
    if (s->last[i].mark == 0 || s->last[i].number <= (i > 0 ? s->last[i - 1].number : 0)) return false;
  }
  return true;
}

/// Of another server: none.
static enum err get(const uint8_t from[FILE_BYTES], struct uuid server, struct starts *ret, struct error *e) {
  if (get_u32_le(from) != STARTS_MAGIC || get_u64_le(from + CHECKED_BYTES) != hash64(from, CHECKED_BYTES, 0))
    return error_set(e, ERR_CORRUPT, "it fails its check");
  if (get_u16_le(from + 4) != STARTS_VERSION)
    return error_set(e, ERR_UNSUPPORTED, "it is of format version %u, and this server reads version %u: start the newer server",
                     get_u16_le(from + 4), STARTS_VERSION);
  struct starts s = {.count = get_u32_le(from + 32), .renewal = get_u64_le(from + 24), .renewing = from[6] == 1};
  if (from[6] > 1 || s.count > STARTS_KEPT || !get_starts(from + STARTS_AT, &s)) return error_set(e, ERR_CORRUPT, "what it says cannot be");
  if (PLANTED(starts) && s.renewing && s.count == 3 && s.renewal > s.last[0].number) planted_memory_error();
  if (uuid_eq(uuid_get(from + 8), server)) *ret = s;
  return ERR_OK;
}

// ---- file ----

static enum err explain(struct error *e, const char *path, enum err err) {
  if (e == NULL) return err;
  if (err != ERR_CORRUPT) return error_prefix(e, "the starts of this server '%s'", path);
  struct error why = *e;
  return error_set(e, ERR_CORRUPT,
                   "the starts of this server '%s' cannot be used: %s. They say whether the data folder is the latest: if nothing of it "
                   "was put back from a copy, remove the file; otherwise start with an empty data folder, as a new server that the "
                   "cluster fills again",
                   path, why.message);
}

static enum err read_file(struct disk *d, const char *folder, struct uuid server, struct starts *ret, struct error *e) {
  char path[DISK_PATH_MAX + sizeof STARTS_FILE];
  uint8_t bytes[FILE_BYTES];
  snprintf(path, sizeof path, "%s/%s", folder, STARTS_FILE);
  *ret = (struct starts){0};
  size_t size = 0;
  enum err err = disk_read_file(d, path, bytes, sizeof bytes, &size, e);
  if (err == ERR_NOTFOUND) return ERR_OK; // of a version that did not count them
  if (err == ERR_OK && size != FILE_BYTES) err = error_set(e, ERR_CORRUPT, "it has %zu bytes instead of %d", size, FILE_BYTES);
  if (err == ERR_OK) err = get(bytes, server, ret, e);
  return err == ERR_OK ? ERR_OK : explain(e, path, err);
}

static enum err save(struct disk *d, const char *folder, struct uuid server, const struct starts *s, struct error *e) {
  uint8_t bytes[FILE_BYTES];
  put(bytes, server, s);
  return disk_replace_file(d, folder, STARTS_FILE, bytes, sizeof bytes, e);
}

// ---- life ----

static void add(struct starts *s, struct start one) {
  if (s->count == STARTS_KEPT) memmove(s->last, s->last + 1, --s->count * sizeof s->last[0]);
  s->last[s->count++] = one;
}

static enum err draw_mark(struct random_source *random, uint64_t *ret, struct error *e) {
  enum err err = ERR_OK;
  for (*ret = 0; err == ERR_OK && *ret == 0;) err = random_fill(random, ret, sizeof *ret);
  return err == ERR_OK ? ERR_OK : error_set(e, err, "the system has no randomness for the mark of this start");
}

enum err starts_begin(struct disk *d, const char *folder, struct uuid server, uint64_t number, struct random_source *random,
                      struct starts *ret, struct start *ret_older, struct error *e) {
  struct starts s;
  struct start now = {.number = number};
  TRY(read_file(d, folder, server, &s, e));
  *ret_older = starts_now(&s).number >= number ? starts_now(&s) : (struct start){0};
  if (ret_older->number != 0) s.count = 0; // nobody is told of them before it has begun anew
  TRY(draw_mark(random, &now.mark, e));
  add(&s, now);
  if (ret_older->number == 0) TRY(save(d, folder, server, &s, e));
  *ret = s;
  return ERR_OK;
}

enum err starts_renew(struct disk *d, const char *folder, struct uuid server, uint64_t number, struct starts *s, struct error *e) {
  struct starts next = {.renewal = number, .renewing = true};
  TRY(save(d, folder, server, &next, e));
  *s = next;
  return ERR_OK;
}

enum err starts_settle(struct disk *d, const char *folder, struct uuid server, struct starts *s, struct error *e) {
  struct starts next = *s;
  next.renewing = false;
  TRY(save(d, folder, server, &next, e));
  *s = next;
  return ERR_OK;
}

static bool is_later(struct start known, struct start own) {
  return (known.mark != own.mark && !MUTANT(start_mark)) || (known.moves > own.moves && !MUTANT(start_moves));
}

/// What is older than all that is kept is not known any more: it was long ago, or before this server began anew.
bool starts_are_older(const struct starts *s, struct start known) {
  if (known.number == 0 || s->count == 0 || known.number < s->last[0].number || MUTANT(start_older)) return false;
  for (uint32_t i = 0; i < s->count; i++)
    if (s->last[i].number == known.number) return is_later(known, s->last[i]);
  return true;
}
