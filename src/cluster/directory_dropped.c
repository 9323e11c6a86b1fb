// Servers that were dropped from the cluster: nothing that is said by them or of them is taken any more, and they are told as
// soon as they are connected.
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "cluster/directory_int.h"

bool directory_is_dropped(const struct directory *d, struct uuid server, uint64_t number) {
  for (uint32_t i = 0; i < d->dropped_count; i++) {
    const struct directory_dropped *dropped = &d->dropped[i];
    if (uuid_is_none(dropped->server) ? number != 0 && dropped->number == number : uuid_eq(dropped->server, server)) return true;
  }
  return false;
}

static bool is_known(const struct directory *d, const struct directory_dropped *of, uint32_t count) {
  return count == d->dropped_count && (count == 0 || memcmp(of, d->dropped, count * sizeof *of) == 0);
}

enum err directory_drop(struct directory *d, const struct directory_dropped *of, uint32_t count, struct error *e) {
  if (is_known(d, of, count)) return ERR_OK;
  struct directory_dropped *copy = mem_alloc(MAX(count, 1) * sizeof *copy);
  if (copy == NULL) return error_set(e, ERR_NOMEM, "no memory for the servers that were dropped");
  if (count > 0) memcpy(copy, of, count * sizeof *copy);
  mem_free(d->dropped);
  d->dropped = copy;
  d->dropped_count = count;
  directory_forget_dropped(d);
  return ERR_OK;
}

bool directory_was_dropped(const struct directory *d) {
  return d->self_dropped;
}

/// The uuids of the server and of the cluster that it was dropped from.
enum err directory_put_dropped(const struct directory *d, struct uuid server, struct buf *to) {
  uint8_t record[RECORD_HEADER_BYTES + DROPPED_BYTES] = {0};
  put_u32_le(record, sizeof record);
  record[4] = RECORD_DROPPED;
  uuid_put(record + RECORD_HEADER_BYTES, server);
  uuid_put(record + RECORD_HEADER_BYTES + 16, d->cluster);
  return buf_append(to, record, sizeof record);
}

bool directory_hear_dropped(struct directory *d, const uint8_t *body, size_t len) {
  if (len != DROPPED_BYTES) return false;
  bool is_own = uuid_eq(uuid_get(body), d->places[0].server) && !uuid_is_none(d->cluster);
  if (is_own && uuid_eq(uuid_get(body + 16), d->cluster)) d->self_dropped = true;
  return true;
}
