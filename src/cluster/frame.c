#include "cluster/frame.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mutant.h"

#define FRAME_MAGIC 0x46435651u // QVCF
#define FRAME_VERSION 1u
#define FRAME_VERSION_MOVES 2u // without messages
#define CHECKED_BYTES 40u // of the header

// ---- writing ----

// Until the end the header's place holds the count alone.
enum err frame_begin(struct buf *to, size_t *ret_start) {
  static const uint8_t zeros[FRAME_HEADER_BYTES];
  size_t start = to->len;
  TRY(buf_append(to, zeros, sizeof zeros));
  *ret_start = start;
  return ERR_OK;
}

enum err frame_add(struct buf *to, size_t start, const struct message *m, struct error *e) {
  uint16_t count = get_u16_le(to->data + start + 6);
  size_t before = to->len;
  if (count >= FRAME_MESSAGES_MAX) return error_set(e, ERR_LIMIT, "The frame has %u messages already.", count);
  if (message_put(to, m) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  if (to->len - start > FRAME_BYTES_MAX) {
    to->len = before;
    return error_set(e, ERR_LIMIT, "The frame has %zu bytes already.", before - start);
  }
  put_u16_le(to->data + start + 6, count + 1);
  return ERR_OK;
}

static uint64_t checksum(const uint8_t *frame, size_t bytes) {
  return hash64(frame + FRAME_HEADER_BYTES, bytes - FRAME_HEADER_BYTES, hash64(frame, CHECKED_BYTES, 0));
}

/// The count of messages is there.
static void put_header(uint8_t *h, uint16_t version, size_t bytes, uint32_t moves, uint64_t from, uint64_t to_server,
                       uint64_t epoch) {
  assert(from != 0 && to_server != 0);
  put_u32_le(h, FRAME_MAGIC);
  put_u16_le(h + 4, version);
  put_u32_le(h + 8, (uint32_t) bytes);
  put_u32_le(h + 12, moves);
  put_u64_le(h + 16, from);
  put_u64_le(h + 24, to_server);
  put_u64_le(h + 32, epoch);
  put_u64_le(h + CHECKED_BYTES, checksum(h, bytes));
}

void frame_end(struct buf *to, size_t start, uint64_t from, uint64_t to_server, uint64_t epoch) {
  uint8_t *h = (uint8_t *) to->data + start;
  assert(get_u16_le(h + 6) > 0);
  put_header(h, FRAME_VERSION, to->len - start, 0, from, to_server, epoch);
}

void frame_put_moves(uint8_t to[FRAME_MOVES_BYTES], uint64_t from, uint64_t to_server, uint64_t epoch, uint32_t moves) {
  put_u16_le(to + 6, 0);
  put_header(to, FRAME_VERSION_MOVES, FRAME_MOVES_BYTES, moves, from, to_server, epoch);
}

// ---- reading ----

static enum err bad(struct error *e, const char *what) {
  return error_set(e, ERR_CORRUPT, "A frame from another server is damaged: %s.", what);
}

static bool is_length(uint16_t version, uint32_t whole) {
  if (version == FRAME_VERSION_MOVES) return whole == FRAME_MOVES_BYTES;
  return whole >= FRAME_HEADER_BYTES + MESSAGE_HEADER_BYTES && whole <= FRAME_BYTES_MAX && whole % 8 == 0;
}

enum err frame_peek(const uint8_t *from, size_t bytes, uint32_t *ret_bytes, struct error *e) {
  if (bytes < FRAME_HEADER_BYTES) return error_ensure(e, ERR_SHORT);
  if (get_u32_le(from) != FRAME_MAGIC) return bad(e, "it does not begin as one");
  uint16_t version = get_u16_le(from + 4);
  if (version != FRAME_VERSION && version != FRAME_VERSION_MOVES)
    return error_set(e, ERR_UNSUPPORTED, "The other server sends frames of version %u; this one reads versions up to %u.",
                     version, FRAME_VERSION_MOVES);
  uint32_t whole = get_u32_le(from + 8);
  if (!is_length(version, whole)) return bad(e, "its length is out of range");
  *ret_bytes = whole;
  return ERR_OK;
}

enum err frame_open(const uint8_t *from, size_t bytes, struct frame_reader *ret, struct error *e) {
  uint32_t whole = 0;
  TRY(frame_peek(from, bytes, &whole, e));
  if (whole != bytes) return bad(e, "its length is another than that of its bytes");
  if (get_u64_le(from + CHECKED_BYTES) != checksum(from, bytes) && !MUTANT(frame_checksum)) return bad(e, "it fails its check");
  struct frame_header h = {
      .from = get_u64_le(from + 16),
      .to = get_u64_le(from + 24),
      .epoch = get_u64_le(from + 32),
      .bytes = whole,
      .messages = get_u16_le(from + 6),
      .moves = get_u32_le(from + 12),
  };
  bool tells_moves = get_u16_le(from + 4) == FRAME_VERSION_MOVES;
  if (h.from == 0 || h.to == 0 || (h.messages == 0) != tells_moves || h.messages > FRAME_MESSAGES_MAX ||
      (h.moves != 0 && !tells_moves))
    return bad(e, "its header makes no sense");
  *ret = (struct frame_reader){.header = h, .from = from, .at = FRAME_HEADER_BYTES, .left = h.messages};
  return ERR_OK;
}

enum err frame_next(struct frame_reader *r, struct arena *a, struct message *ret, bool *ret_any, struct error *e) {
  if (r->left == 0 && r->at != r->header.bytes) return bad(e, "something is behind its messages");
  if (r->left > 0) TRY(message_get(r->from, r->header.bytes, &r->at, a, ret, e));
  *ret_any = r->left > 0;
  if (r->left > 0) r->left--;
  return ERR_OK;
}
