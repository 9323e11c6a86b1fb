#include "cluster/founding.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

enum { ADDRESS_PLACE = 112 };

// ---- writing ----

void founding_put(uint8_t *to, const struct founding *f) {
  memset(to, 0, founding_bytes(f));
  uuid_put(to, f->cluster);
  uuid_put(to + 16, f->system);
  put_u64_le(to + 32, f->first_term);
  put_u64_le(to + 40, f->sequence);
  put_u32_le(to + 48, f->count);
  put_u32_le(to + 52, f->seed);
  for (uint32_t i = 0; i < f->count; i++) {
    uint8_t *at = to + FOUNDING_HEADER_BYTES + i * FOUNDER_BYTES;
    uuid_put(at, f->founders[i].server);
    put_u32_le(at + 16, f->founders[i].number);
    memcpy(at + 24, f->founders[i].raft, strnlen(f->founders[i].raft, FOUNDER_ADDRESS_BYTES - 1));
  }
}

// ---- reading ----

static enum err bad(struct error *e, const char *what) {
  return error_set(e, ERR_CORRUPT, "a founding makes no sense: %s", what);
}

static bool is_new_number(const struct founding *f, uint32_t i) {
  for (uint32_t j = 0; j < i; j++)
    if (f->founders[j].number == f->founders[i].number) return false;
  return f->founders[i].number != 0;
}

/// An address with zeros behind it, and nothing else.
static bool get_address(const uint8_t *from, char to[FOUNDER_ADDRESS_BYTES]) {
  size_t len = strnlen((const char *) from, ADDRESS_PLACE);
  if (len == 0 || len >= FOUNDER_ADDRESS_BYTES || !bytes_are_zero(from + len, ADDRESS_PLACE - len)) return false;
  memcpy(to, from, FOUNDER_ADDRESS_BYTES);
  return true;
}

static bool has_number(const struct founding *f, uint32_t number) {
  for (uint32_t i = 0; i < f->count; i++)
    if (f->founders[i].number == number) return true;
  return false;
}

static enum err get_founder(const uint8_t *from, struct founding *f, uint32_t i, struct error *e) {
  memset(&f->founders[i], 0, sizeof f->founders[i]); // also between its fields: foundings are compared as they stand
  f->founders[i].server = uuid_get(from);
  f->founders[i].number = get_u32_le(from + 16);
  if (uuid_is_none(f->founders[i].server) || (i > 0 && uuid_cmp(f->founders[i - 1].server, f->founders[i].server) >= 0))
    return bad(e, "its servers are not in order");
  if (!is_new_number(f, i)) return bad(e, "two of its servers have one number, or one has none");
  if (get_u32_le(from + 20) != 0 || !get_address(from + 24, f->founders[i].raft)) return bad(e, "an address of it is none");
  return ERR_OK;
}

static void get_header(const uint8_t *from, struct founding *f) {
  f->cluster = uuid_get(from);
  f->system = uuid_get(from + 16);
  f->first_term = get_u64_le(from + 32);
  f->sequence = get_u64_le(from + 40);
  f->count = get_u32_le(from + 48);
  f->seed = get_u32_le(from + 52);
}

enum err founding_get(const uint8_t *from, size_t bytes, struct founding *ret, size_t *ret_bytes, struct error *e) {
  if (bytes < FOUNDING_HEADER_BYTES) return bad(e, "it is cut off");
  struct founding f; // with three founders of fifteen, mostly, and read all the time: the others' places are not written here
  get_header(from, &f);
  if (f.count == 0 || f.count > FOUNDERS_MAX) return bad(e, "so many servers found no cluster");
  if (bytes < founding_bytes(&f)) return bad(e, "it is cut off");
  if (uuid_is_none(f.cluster) || uuid_is_none(f.system) || f.first_term == 0 || f.sequence == 0) return bad(e, "it has no name");
  for (uint32_t i = 0; i < f.count; i++) TRY(get_founder(from + FOUNDING_HEADER_BYTES + i * FOUNDER_BYTES, &f, i, e));
  if (f.seed != 0 && !has_number(&f, f.seed)) return bad(e, "the data that it begins with is nobody's");
  size_t used = offsetof(struct founding, founders) + f.count * sizeof f.founders[0];
  memcpy(ret, &f, used);
  memset((uint8_t *) ret + used, 0, sizeof *ret - used);
  *ret_bytes = founding_bytes(&f);
  return ERR_OK;
}

const struct founder *founding_find(const struct founding *f, struct uuid server) {
  for (uint32_t i = 0; i < f->count; i++)
    if (uuid_eq(f->founders[i].server, server)) return &f->founders[i];
  return NULL;
}
