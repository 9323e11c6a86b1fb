#include "cluster/frame.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/mutant.h"

#define FRAME_MAGIC 0x46435651u // QVCF
#define FRAME_VERSION 1u
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

void frame_end(struct buf *to, size_t start, uint64_t from, uint64_t to_server, uint64_t epoch) {
  uint8_t *h = (uint8_t *) to->data + start;
  size_t bytes = to->len - start;
  assert(get_u16_le(h + 6) > 0 && from != 0 && to_server != 0);
  put_u32_le(h, FRAME_MAGIC);
  put_u16_le(h + 4, FRAME_VERSION);
  put_u32_le(h + 8, (uint32_t) bytes);
  put_u32_le(h + 12, 0);
  put_u64_le(h + 16, from);
  put_u64_le(h + 24, to_server);
  put_u64_le(h + 32, epoch);
  put_u64_le(h + CHECKED_BYTES, checksum(h, bytes));
}

// ---- reading ----

static enum err bad(struct error *e, const char *what) {
  return error_set(e, ERR_CORRUPT, "A frame from another server is damaged: %s.", what);
}

enum err frame_peek(const uint8_t *from, size_t bytes, uint32_t *ret_bytes, struct error *e) {
  if (bytes < FRAME_HEADER_BYTES) return error_ensure(e, ERR_SHORT);
  if (get_u32_le(from) != FRAME_MAGIC) return bad(e, "it does not begin as one");
  if (get_u16_le(from + 4) != FRAME_VERSION)
    return error_set(e, ERR_UNSUPPORTED, "The other server sends frames of version %u; this one reads version %u.",
                     get_u16_le(from + 4), FRAME_VERSION);
  uint32_t whole = get_u32_le(from + 8);
  if (whole < FRAME_HEADER_BYTES + MESSAGE_HEADER_BYTES || whole > FRAME_BYTES_MAX || whole % 8 != 0)
    return bad(e, "its length is out of range");
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
  };
  if (h.from == 0 || h.to == 0 || h.messages == 0 || h.messages > FRAME_MESSAGES_MAX || get_u32_le(from + 12) != 0)
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
