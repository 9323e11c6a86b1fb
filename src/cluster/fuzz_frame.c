// Fuzzes what reads frames: the input is a frame. Magic, version, length and checksum are put right, so that the fuzzer gets at
// the messages. What decodes is written again and must be the same bytes: nothing is read that is not looked at.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "cluster/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_right(uint8_t *frame, uint16_t version, size_t size) {
  put_u32_le(frame, 0x46435651u);
  put_u16_le(frame + 4, version);
  put_u32_le(frame + 8, (uint32_t) size);
  if (version == 1) put_u32_le(frame + 12, 0);
  put_u64_le(frame + 40, hash64(frame + FRAME_HEADER_BYTES, size - FRAME_HEADER_BYTES, hash64(frame, 40, 0)));
}

// Entry headers may be longer and paddings hold anything: of messages with entries only the entries are compared.
static void check_again(const struct message *m, const uint8_t *from, size_t bytes) {
  struct buf again = BUF_INIT;
  if (message_put(&again, m) != ERR_OK || again.len != message_bytes(m)) abort();
  bool has_entries = m->body.type == CONSENSUS_APPEND && m->body.append.count > 0;
  if (!has_entries && (again.len != bytes || memcmp(again.data, from, bytes) != 0)) abort();
  buf_done(&again);
}

/// The header of any frame as that of one without messages.
static void check_moves(uint8_t frame[FRAME_MOVES_BYTES]) {
  uint8_t again[FRAME_MOVES_BYTES];
  struct frame_reader r;
  put_right(frame, 2, FRAME_MOVES_BYTES);
  if (frame_open(frame, FRAME_MOVES_BYTES, &r, NULL) != ERR_OK) return;
  frame_put_moves(again, r.header.from, r.header.to, r.header.epoch, r.header.moves);
  if (r.header.messages != 0 || memcmp(again, frame, sizeof again) != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t frame[1 << 16];
  struct frame_reader r;
  struct message m;
  struct arena a;
  bool any = true;
  uint32_t whole = 0;
  if (frame_peek(data, size, &whole, NULL) == ERR_OK && whole == size) (void) !frame_open(data, size, &r, NULL); // as it is
  size = MIN(size, sizeof frame) / 8 * 8;
  memcpy(frame, data, size);
  if (size >= FRAME_MOVES_BYTES) check_moves(frame);
  if (size < FRAME_HEADER_BYTES + MESSAGE_HEADER_BYTES) return 0;
  memcpy(frame, data, size);
  put_right(frame, 1, size);
  if (frame_open(frame, size, &r, NULL) != ERR_OK) return 0;
  arena_init(&a, NULL);
  while (any) {
    size_t before = r.at;
    if (frame_next(&r, &a, &m, &any, NULL) != ERR_OK) break;
    if (any) check_again(&m, frame + before, r.at - before);
  }
  arena_done(&a);
  return 0;
}
