// Fuzzes what the discovery port reads: the input is a frame, whose magic, version, length and checksum are put right, so that
// the fuzzer gets at the records. Whatever is taken is within its bounds, and a directory passes on only what another one takes.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "cluster/directory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER_BYTES = 48 };

static void put_right(uint8_t *frame, size_t size) {
  put_u32_le(frame, 0x46445651u);
  put_u16_le(frame + 4, 3);
  put_u32_le(frame + 8, (uint32_t) size);
  put_u64_le(frame + 40, hash64(frame + HEADER_BYTES, size - HEADER_BYTES, hash64(frame, 40, 0)));
}

static struct directory *make(uint8_t name) {
  struct announcement self = {
      .server = {{name}}, .epoch = 1, .sequence = 1, .number = name, .mode = SERVER_CORE, .state = IDENTITY_UNBOUND};
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

/// All that `d` knows reaches somebody who knows nothing.
static void pass_on(struct directory *d, int64_t now_ms) {
  struct directory *other = make(2);
  struct directory_link *out = link_of(d), *in = link_of(other);
  struct buf frame = BUF_INIT;
  for (int rounds = 0; rounds < 16; rounds++) {
    buf_clear(&frame);
    if (directory_write(out, now_ms, DIRECTORY_ALL, &frame) != ERR_OK || frame.len > DIRECTORY_FRAME_BYTES_MAX) abort();
    if (frame.len == 0) break;
    if (directory_hear(in, now_ms, (uint8_t *) frame.data, frame.len, NULL) != ERR_OK) abort();
  }
  if (count(other) + 1 < count(d)) abort(); // that it is itself it does not take from others
  buf_done(&frame);
  directory_link_free(out);
  directory_link_free(in);
  directory_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t frame[1 << 16];
  uint32_t whole = 0;
  if (directory_frame_bytes(data, size, &whole, NULL) == ERR_OK && whole > DIRECTORY_FRAME_BYTES_MAX) abort();
  size = MIN(size, sizeof frame) / 8 * 8;
  if (size < HEADER_BYTES) return 0;
  struct directory *d = make(1);
  struct directory_link *l = link_of(d);
  memcpy(frame, data, size);
  put_right(frame, size);
  (void) !directory_hear(l, 1, frame, size, NULL);
  frame[24] ^= 1; // the sender is somebody else
  put_right(frame, size);
  struct directory_link *again = link_of(d);
  (void) !directory_hear(again, 500, frame, size, NULL);
  directory_tick(d, 600);
  pass_on(d, 600);
  directory_tick(d, 1200);
  pass_on(d, 1200);
  directory_tick(d, 100000);
  if (count(d) != 1) abort();
  directory_link_free(l);
  directory_link_free(again);
  directory_free(d);
  return 0;
}
