// Fuzzes what the discovery port reads: the input is a frame, whose magic, version, length and checksum are put right, so that
// the fuzzer gets at the records; and bits in what nobody looks at say what more is. Whatever is taken is within its bounds, and
// a directory passes on only what another one takes. That a server leaves is believed of the sender alone.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "cluster/directory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER_BYTES = 48, RECORD_BYTES = 16, BEAT_BYTES = 40, GOING_BYTES = 32 };
enum { RECORD_BEAT = 2, RECORD_DROPPED = 3, RECORD_LEAVES = 4 };

// In byte 12 of the frame; and in byte 5 of a record PUT_RIGHT.
enum { BOUND = 1, INTRODUCED = 2, LEAVES_ITSELF = 4, AS_MANY_AS_IT_SAYS = 8, COMPOSED = 16, PUT_RIGHT = 1 };

static const struct uuid SELF = {{1}};
static const struct founding founding = {
    .cluster = {{0xC1}}, .system = {{0x51}}, .first_term = 1, .sequence = 1, .count = 1, .founders = {{{{1}}, 1, "one:7000"}}};

// ---- frame ----

/// A record about the sender: its length, its server, the version in which it is introduced, and its cluster.
static void put_record_right(uint8_t *frame, uint8_t *record, size_t room) {
  bool is_beat = record[4] == RECORD_BEAT, is_going = record[4] == RECORD_DROPPED || record[4] == RECORD_LEAVES;
  size_t bytes = RECORD_BYTES + (is_beat ? BEAT_BYTES : GOING_BYTES);
  if (!(record[5] & PUT_RIGHT) || !(is_beat || is_going) || bytes > room) return;
  put_u32_le(record, (uint32_t) bytes);
  memcpy(record + RECORD_BYTES, frame + 16, 16);
  if (is_beat) put_u64_le(record + RECORD_BYTES + 16, 1);
  if (is_beat) put_u64_le(record + RECORD_BYTES + 24, 1);
  if (is_going) uuid_put(record + RECORD_BYTES + 16, founding.cluster);
}

/// Records of the sender, from two bytes each: the type and the beat. Returns the frame's bytes.
static size_t compose(uint8_t *frame, size_t room, const uint8_t *plan, size_t bytes) {
  size_t at = HEADER_BYTES, record_max = RECORD_BYTES + BEAT_BYTES;
  for (; bytes >= 2 && room - at >= record_max; plan += 2, bytes -= 2) {
    uint8_t *record = frame + at;
    memset(record, 0, record_max);
    record[4] = (uint8_t) (RECORD_BEAT + plan[0] % 3);
    record[5] = PUT_RIGHT;
    put_record_right(frame, record, record_max);
    if (record[4] == RECORD_BEAT) put_u64_le(record + RECORD_BYTES + 32, (uint64_t) plan[1] << (plan[0] >> 2));
    at += get_u32_le(record);
  }
  return at;
}

static void put_records_right(uint8_t *frame, size_t size) {
  uint16_t count = 0;
  for (size_t at = HEADER_BYTES; size - at >= RECORD_BYTES; count++) {
    put_record_right(frame, frame + at, size - at);
    at += MIN(MAX(get_u32_le(frame + at), (uint32_t) RECORD_BYTES), size - at);
  }
  if (!(frame[12] & AS_MANY_AS_IT_SAYS)) put_u16_le(frame + 6, count);
}

static void put_right(uint8_t *frame, size_t size) {
  put_u32_le(frame, 0x46445651u);
  put_u16_le(frame + 4, 3);
  put_u32_le(frame + 8, (uint32_t) size);
  put_u64_le(frame + 40, hash64(frame + HEADER_BYTES, size - HEADER_BYTES, hash64(frame, 40, 0)));
}

// ---- directories ----

static struct directory *make(struct uuid server, bool is_bound) {
  struct announcement self = {.server = server,
                              .epoch = 1,
                              .sequence = 1,
                              .number = MAX(server.bytes[0], 1),
                              .mode = SERVER_CORE,
                              .state = is_bound ? IDENTITY_BOUND : IDENTITY_UNBOUND,
                              .founding = is_bound ? &founding : NULL};
  struct directory *d = NULL;
  if (directory_new(&(struct directory_options){.expiry_ms = 1000}, &self, 0, &d, NULL) != ERR_OK) abort();
  return d;
}

static struct directory_link *link_of(struct directory *d) {
  struct directory_link *l = NULL;
  if (directory_link_new(d, &l, NULL) != ERR_OK) abort();
  return l;
}

static uint32_t count(struct directory *d) {
  struct arena arena;
  struct directory_copy copy;
  arena_init(&arena, NULL);
  if (directory_copy(d, &arena, &copy, NULL) != ERR_OK || copy.count == 0 || copy.count > DIRECTORY_SERVERS_MAX) abort();
  arena_done(&arena);
  return copy.count;
}

/// Whether that server leaves; nobody else does.
static bool leaves(struct directory *d, struct uuid server) {
  struct arena arena;
  struct directory_copy copy;
  bool ret = false;
  arena_init(&arena, NULL);
  if (directory_copy(d, &arena, &copy, NULL) != ERR_OK) abort();
  for (uint32_t i = 0; i < copy.count; i++) {
    if (copy.servers[i].leaves && !uuid_eq(copy.servers[i].said.server, server)) abort();
    ret |= copy.servers[i].leaves;
  }
  arena_done(&arena);
  return ret;
}

/// The sender is known before its frame comes.
static void introduce(struct directory_link *to, struct uuid sender, bool is_bound) {
  struct directory *d = make(sender, is_bound);
  struct directory_link *l = link_of(d);
  struct buf frame = BUF_INIT;
  if (directory_write(l, 0, DIRECTORY_SELF, &frame) != ERR_OK) abort();
  (void) !directory_hear(to, 0, (uint8_t *) frame.data, frame.len, NULL); // no uuid, or this server's own
  buf_done(&frame);
  directory_link_free(l);
  directory_free(d);
}

/// All that `d` knows reaches somebody who knows nothing.
static void pass_on(struct directory *d, int64_t now_ms, uint8_t plan) {
  struct directory *other = make((struct uuid){{2}}, plan & BOUND);
  struct directory_link *out = link_of(d), *in = link_of(other);
  struct buf frame = BUF_INIT;
  for (int rounds = 0; rounds < 2; rounds++) { // what the input can make known fits into one frame
    buf_clear(&frame);
    if (directory_write(out, now_ms, DIRECTORY_ALL, &frame) != ERR_OK || frame.len > DIRECTORY_FRAME_BYTES_MAX) abort();
    if (frame.len == 0) break;
    if (directory_hear(in, now_ms, (uint8_t *) frame.data, frame.len, NULL) != ERR_OK) abort();
  }
  if (count(other) + 1 < count(d)) abort(); // that it is itself it does not take from others
  if (leaves(other, SELF) != ((plan & BOUND) && (plan & LEAVES_ITSELF))) abort();
  buf_done(&frame);
  directory_link_free(out);
  directory_link_free(in);
  directory_free(other);
}

/// The frame over a link of its sender, and then over one of somebody else.
static void hear_all(struct directory *d, uint8_t *frame, size_t size) {
  uint8_t plan = frame[12];
  struct uuid sender = uuid_get(frame + 16);
  struct directory_link *first = link_of(d);
  if (plan & INTRODUCED) introduce(first, sender, plan & BOUND);
  (void) !directory_hear(first, 1, frame, size, NULL);
  if (leaves(d, sender) && !(plan & BOUND)) abort();
  frame[24] ^= 1;
  put_right(frame, size);
  struct directory_link *second = link_of(d);
  (void) !directory_hear(second, 500, frame, size, NULL);
  directory_link_free(first);
  directory_link_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t frame[1 << 16];
  uint32_t whole = 0;
  if (directory_frame_bytes(data, size, &whole, NULL) == ERR_OK && whole > DIRECTORY_FRAME_BYTES_MAX) abort();
  size = MIN(size, sizeof frame) / 8 * 8;
  if (size < HEADER_BYTES) return 0;
  memcpy(frame, data, size);
  if (frame[12] & COMPOSED) size = compose(frame, sizeof frame, data + HEADER_BYTES, size - HEADER_BYTES);
  put_records_right(frame, size);
  put_right(frame, size);
  uint8_t plan = frame[12];
  struct directory *d = make(SELF, plan & BOUND);
  hear_all(d, frame, size);
  if (plan & LEAVES_ITSELF) directory_leave(d);
  directory_tick(d, 600);
  pass_on(d, 600, plan);
  directory_tick(d, 1200);
  pass_on(d, 1200, plan);
  directory_tick(d, 100000);
  if (count(d) != 1) abort();
  directory_free(d);
  return 0;
}
