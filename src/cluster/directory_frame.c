// Frames of the discovery port, and what each link knows.
#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mem.h"
#include "cluster/directory_int.h"

#define FRAME_MAGIC 0x46445651u // QVDF
#define FRAME_VERSION 3u

enum {
  HEADER_BYTES = 48,
  CHECKED_BYTES = 40, // of the header
  RECORDS_MAX = 1024,
  FULL_EVERY_BEATS = 32, // somebody who had no room for an announcement gets another chance
  TLS_HANDSHAKE_RECORD = 22,
};

// ---- links ----

enum err directory_link_new(struct directory *d, struct directory_link **ret, struct error *e) {
  struct directory_link *l = mem_zalloc(sizeof *l);
  if (l == NULL) return error_set(e, ERR_NOMEM, "no memory for a connection with another server");
  l->directory = d;
  l->next = d->links;
  d->links = l;
  *ret = l;
  return ERR_OK;
}

void directory_link_free(struct directory_link *l) {
  if (l == NULL) return;
  struct directory_link **at = &l->directory->links;
  while (*at != l) at = &(*at)->next;
  *at = l->next;
  mem_free(l);
}

struct uuid directory_link_peer(const struct directory_link *l) {
  return l->peer;
}

static int cmp_revision(const struct directory_version *a, const struct directory_version *b) {
  return announcement_cmp_version(a->epoch, a->revision, b->epoch, b->revision);
}

/// The other end knows at least this much of the server at `p`.
static void note_known(struct directory_link *l, const struct directory_place *p, struct directory_version version) {
  struct directory_version *known = &l->known[p - l->directory->places];
  int order = cmp_revision(&version, known);
  if (order > 0 || (order == 0 && version.beat > known->beat)) *known = version;
}

// ---- writing ----

static enum err put_record_header(struct buf *to, uint8_t type, size_t bytes, int64_t age_ms) {
  uint8_t h[RECORD_HEADER_BYTES] = {0};
  put_u32_le(h, (uint32_t) (RECORD_HEADER_BYTES + bytes));
  h[4] = type;
  put_u32_le(h + 8, (uint32_t) MIN(MAX(age_ms, 0), (int64_t) UINT32_MAX));
  return buf_append(to, h, sizeof h);
}

/// The announcement as it was taken, with the newest version in it.
static enum err put_full(struct buf *to, const struct directory_place *p, int64_t age_ms) {
  TRY(put_record_header(to, RECORD_ANNOUNCEMENT, p->len, age_ms));
  TRY(buf_append(to, p->bytes, p->len));
  uint8_t *at = (uint8_t *) to->data + to->len - p->len;
  put_u64_le(at + 16, p->version.epoch);
  put_u64_le(at + 24, p->version.revision);
  put_u64_le(at + 32, p->version.beat);
  return ERR_OK;
}

static enum err put_beat(struct buf *to, const struct directory_place *p, int64_t age_ms) {
  uint8_t body[BEAT_BYTES];
  uuid_put(body, p->server);
  put_u64_le(body + 16, p->version.epoch);
  put_u64_le(body + 24, p->version.revision);
  put_u64_le(body + 32, p->version.beat);
  TRY(put_record_header(to, RECORD_BEAT, sizeof body, age_ms));
  return buf_append(to, body, sizeof body);
}

/// What the other end lacks of `p`: 0 nothing, otherwise the type of the record that it gets.
static uint8_t is_due(const struct directory_link *l, const struct directory_place *p, enum directory_part part) {
  const struct directory_version *known = &l->known[p - l->directory->places];
  bool is_self = p == l->directory->places;
  if (p->state != PLACE_HERE || (!is_self && uuid_eq(p->server, l->peer))) return 0; // nobody is told what he said
  if (cmp_revision(&p->version, known) > 0) return RECORD_ANNOUNCEMENT;
  if (part == DIRECTORY_SELF || p->version.beat <= known->beat) return 0;
  return p->version.beat % FULL_EVERY_BEATS == 0 ? RECORD_ANNOUNCEMENT : RECORD_BEAT;
}

static enum err put_going(const struct directory_link *l, struct buf *to, uint16_t *ret_count) {
  const struct directory_place *self = &l->directory->places[0];
  bool leaves = self->leaving_epoch != 0;
  if (l->peer_dropped) TRY(directory_put_going(l->directory, RECORD_DROPPED, l->peer, to));
  if (leaves) TRY(directory_put_going(l->directory, RECORD_LEAVES, self->server, to));
  *ret_count += l->peer_dropped + leaves;
  return ERR_OK;
}

static enum err put_records(struct directory_link *l, int64_t now_ms, enum directory_part part, struct buf *to, size_t start,
                            uint16_t *ret_count) {
  struct directory *d = l->directory;
  size_t last = part == DIRECTORY_SELF ? 1 : DIRECTORY_SERVERS_MAX;
  for (size_t i = 0; i < last; i++) {
    const struct directory_place *p = &d->places[i];
    uint8_t type = is_due(l, p, part);
    int64_t age_ms = i == 0 ? 0 : now_ms - p->heard_ms;
    if (type == 0) continue;
    if (to->len - start + 3 * RECORD_HEADER_BYTES + 2 * GOING_BYTES + p->len > DIRECTORY_FRAME_BYTES_MAX)
      break; // the rest with the next frame
    TRY(type == RECORD_BEAT ? put_beat(to, p, age_ms) : put_full(to, p, age_ms));
    ++*ret_count;
  }
  return part == DIRECTORY_ALL ? put_going(l, to, ret_count) : ERR_OK;
}

static uint64_t checksum(const uint8_t *frame, size_t bytes) {
  return hash64(frame + HEADER_BYTES, bytes - HEADER_BYTES, hash64(frame, CHECKED_BYTES, 0));
}

static void seal(const struct directory *d, uint8_t *frame, size_t bytes, uint16_t count) {
  put_u32_le(frame, FRAME_MAGIC);
  put_u16_le(frame + 4, FRAME_VERSION);
  put_u16_le(frame + 6, count);
  put_u32_le(frame + 8, (uint32_t) bytes);
  uuid_put(frame + 16, d->places[0].server);
  put_u64_le(frame + CHECKED_BYTES, checksum(frame, bytes));
}

/// What has just been written is known now.
static void note_written(struct directory_link *l, const uint8_t *frame, size_t bytes) {
  for (size_t at = HEADER_BYTES; at < bytes; at += get_u32_le(frame + at)) {
    const uint8_t *body = frame + at + RECORD_HEADER_BYTES; // both kinds about places begin alike
    if (frame[at + 4] == RECORD_DROPPED || frame[at + 4] == RECORD_LEAVES) continue;
    const struct directory_place *p = directory_find(l->directory, uuid_get(body));
    assert(p != NULL);
    note_known(l, p, (struct directory_version){get_u64_le(body + 16), get_u64_le(body + 24), get_u64_le(body + 32)});
  }
}

enum err directory_write(struct directory_link *l, int64_t now_ms, enum directory_part part, struct buf *to) {
  static const uint8_t zeros[HEADER_BYTES];
  size_t start = to->len;
  uint16_t count = 0;
  enum err err = buf_append(to, zeros, sizeof zeros);
  if (err == ERR_OK) err = put_records(l, now_ms, part, to, start, &count);
  if (err != ERR_OK || count == 0) {
    to->len = start;
    return err;
  }
  uint8_t *frame = (uint8_t *) to->data + start;
  seal(l->directory, frame, to->len - start, count);
  note_written(l, frame, to->len - start);
  return ERR_OK;
}

// ---- reading ----

static enum err bad(struct error *e, const char *what) {
  return error_set(e, ERR_CORRUPT, "what the other end says of the servers it knows is damaged: %s", what);
}

static enum err no_frame(const uint8_t *from, struct error *e) {
  if (from[0] == TLS_HANDSHAKE_RECORD && from[1] == 3)
    return error_set(e, ERR_CORRUPT, "the other end speaks TLS and this one does not: switch it on for both");
  if (memcmp(from, "GET ", 4) == 0 || memcmp(from, "POST", 4) == 0)
    return error_set(e, ERR_CORRUPT, "the other end speaks HTTP: this port is for the servers of the cluster");
  if (memcmp(from, "QVCH", 4) == 0)
    return error_set(e, ERR_CORRUPT, "the other end takes this for its Raft port: it is the discovery port");
  return error_set(e, ERR_CORRUPT, "the other end is no server of a Quiver cluster, or speaks TLS");
}

enum err directory_frame_bytes(const uint8_t *from, size_t bytes, uint32_t *ret, struct error *e) {
  if (bytes >= 4 && get_u32_le(from) != FRAME_MAGIC) return no_frame(from, e);
  if (bytes < HEADER_BYTES) return error_ensure(e, ERR_SHORT);
  if (get_u16_le(from + 4) != FRAME_VERSION)
    return error_set(e, ERR_UNSUPPORTED,
                     "the other server speaks version %u of the discovery protocol; this one speaks version %u",
                     get_u16_le(from + 4), FRAME_VERSION);
  uint32_t whole = get_u32_le(from + 8);
  if (whole < HEADER_BYTES || whole > DIRECTORY_FRAME_BYTES_MAX || whole % 8 != 0) return bad(e, "a length");
  *ret = whole;
  return ERR_OK;
}

/// Of a server that says that it is this one: is it, by way of an address that leads back?
static enum err hear_of_self(struct directory_link *l, const struct announcement *a, struct error *e) {
  struct directory *d = l->directory;
  const struct directory_place *self = &d->places[0];
  struct announcement own;
  struct directory_version version = {a->epoch, a->revision, 0};
  TRY(announcement_get(self->bytes, self->len, &d->scratch, &own, e));
  bool is_direct = uuid_eq(l->peer, a->server);
  bool is_copy = cmp_revision(&version, &self->version) > 0 || (is_direct && a->epoch != self->version.epoch) ||
                 !str_eq(a->addresses[ADDRESS_DISCOVERY], own.addresses[ADDRESS_DISCOVERY]);
  bool is_earlier_life = !is_direct && a->epoch < self->version.epoch;
  if (is_copy && !is_earlier_life) directory_tell_copy(d, a);
  return ERR_OK;
}

static enum err hear_announcement(struct directory_link *l, int64_t now_ms, int64_t age_ms, const uint8_t *body, size_t len,
                                  struct error *e) {
  struct directory *d = l->directory;
  struct announcement a;
  struct directory_place *p;
  TRY(announcement_get(body, len, &d->scratch, &a, e));
  if (uuid_eq(a.server, d->places[0].server)) return hear_of_self(l, &a, e);
  if (uuid_eq(a.server, l->peer)) l->peer_dropped = directory_is_dropped(d, a.server, a.number);
  enum err err = directory_take(d, now_ms, age_ms, &a, body, len, &p, e);
  if (err == ERR_BUSY && !uuid_eq(a.server, l->peer)) return ERR_OK; // who passes it on is not to blame
  TRY(err);
  if (p != NULL) note_known(l, p, (struct directory_version){a.epoch, a.revision, a.beat});
  return ERR_OK;
}

static enum err hear_beat(struct directory_link *l, int64_t now_ms, int64_t age_ms, const uint8_t *body, size_t len,
                          struct error *e) {
  if (len != BEAT_BYTES) return bad(e, "a beat");
  struct directory *d = l->directory;
  struct directory_place *p = directory_find(d, uuid_get(body));
  struct directory_version said = {get_u64_le(body + 16), get_u64_le(body + 24), get_u64_le(body + 32)};
  if (p == NULL || p == &d->places[0]) return ERR_OK;
  note_known(l, p, said);
  if (cmp_revision(&said, &p->version) == 0) directory_take_beat(d, now_ms, age_ms, p, said.beat);
  return ERR_OK;
}

static enum err hear_record(struct directory_link *l, int64_t now_ms, const uint8_t *record, size_t len, struct error *e) {
  int64_t age_ms = get_u32_le(record + 8);
  const uint8_t *body = record + RECORD_HEADER_BYTES;
  arena_reset(&l->directory->scratch);
  if (record[4] == RECORD_ANNOUNCEMENT) return hear_announcement(l, now_ms, age_ms, body, len - RECORD_HEADER_BYTES, e);
  if (record[4] == RECORD_BEAT) return hear_beat(l, now_ms, age_ms, body, len - RECORD_HEADER_BYTES, e);
  if (record[4] == RECORD_DROPPED)
    return directory_hear_dropped(l->directory, body, len - RECORD_HEADER_BYTES) ? ERR_OK : bad(e, "who was dropped");
  if (record[4] == RECORD_LEAVES)
    return directory_hear_leaves(l, body, len - RECORD_HEADER_BYTES) ? ERR_OK : bad(e, "who leaves");
  return ERR_OK; // of a later version
}

static enum err hear_records(struct directory_link *l, int64_t now_ms, const uint8_t *frame, size_t bytes, struct error *e) {
  size_t at = HEADER_BYTES;
  for (uint16_t left = get_u16_le(frame + 6); left > 0; left--) {
    if (bytes - at < RECORD_HEADER_BYTES) return bad(e, "a record is missing");
    size_t len = get_u32_le(frame + at);
    if (len < RECORD_HEADER_BYTES || len > bytes - at || len % 8 != 0) return bad(e, "a record's length");
    TRY(hear_record(l, now_ms, frame + at, len, e));
    at += len;
  }
  return at == bytes ? ERR_OK : bad(e, "something is behind its records");
}

static enum err check_frame(const struct directory_link *l, const uint8_t *frame, size_t bytes, struct error *e) {
  uint32_t whole = 0;
  struct uuid sender;
  TRY(directory_frame_bytes(frame, bytes, &whole, e));
  if (whole != bytes) return bad(e, "its length is another than that of its bytes");
  if (get_u64_le(frame + CHECKED_BYTES) != checksum(frame, bytes)) return bad(e, "it fails its check");
  sender = uuid_get(frame + 16);
  if (uuid_is_none(sender) || (!uuid_is_none(l->peer) && !uuid_eq(sender, l->peer))) return bad(e, "it does not say whose it is");
  return get_u16_le(frame + 6) <= RECORDS_MAX ? ERR_OK : bad(e, "it has too many records");
}

enum err directory_hear(struct directory_link *l, int64_t now_ms, const uint8_t *frame, size_t bytes, struct error *e) {
  TRY(check_frame(l, frame, bytes, e));
  l->peer = uuid_get(frame + 16);
  TRY(hear_records(l, now_ms, frame, bytes, e));
  bool is_self = uuid_eq(l->peer, l->directory->places[0].server);
  return is_self ? error_set(e, ERR_EXISTS, "it is this server itself") : ERR_OK;
}
