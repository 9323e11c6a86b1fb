// Servers that were dropped from the cluster: nothing that is said by them or of them is taken any more, and they are told as
// soon as they are connected. And servers that say of themselves that they leave it: they are as they were until they are
// dropped.
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/planted.h"
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

void directory_note_leaving(struct directory *d, struct directory_place *p) {
  if (p->leaving_epoch == p->version.epoch) return;
  mutex_lock(&d->lock);
  p->leaving_epoch = p->version.epoch;
  d->changes++;
  mutex_unlock(&d->lock);
}

void directory_leave(struct directory *d) {
  directory_note_leaving(d, &d->places[0]);
}

/// The uuids of the server and of the cluster.
enum err directory_put_going(const struct directory *d, uint8_t type, struct uuid server, struct buf *to) {
  uint8_t record[RECORD_HEADER_BYTES + GOING_BYTES] = {0};
  put_u32_le(record, sizeof record);
  record[4] = type;
  uuid_put(record + RECORD_HEADER_BYTES, server);
  uuid_put(record + RECORD_HEADER_BYTES + 16, d->cluster);
  return buf_append(to, record, sizeof record);
}

bool directory_hear_dropped(struct directory *d, const uint8_t *body, size_t len) {
  if (len != GOING_BYTES) return false;
  bool is_own = uuid_eq(uuid_get(body), d->places[0].server) && !uuid_is_none(d->cluster);
  if (is_own && uuid_eq(uuid_get(body + 16), d->cluster)) d->self_dropped = true;
  return true;
}

bool directory_hear_leaves(struct directory_link *l, const uint8_t *body, size_t len) {
  struct directory *d = l->directory;
  if (len != GOING_BYTES) return false;
  bool is_ours = !uuid_is_none(d->cluster) && uuid_eq(uuid_get(body + 16), d->cluster);
  struct directory_place *p = directory_find(d, l->peer);
  if (p == NULL || p == &d->places[0] || !is_ours || !uuid_eq(uuid_get(body), l->peer)) return true;
  if (PLANTED(directory) && p->version.beat > UINT32_MAX) planted_memory_error();
  directory_note_leaving(d, p);
  return true;
}
