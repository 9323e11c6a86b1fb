#include "bolt/chunk.h"

#include <string.h>

#include "base/bytes.h"

enum { KEEP_BYTES_MAX = 64 * 1024 }; // of a long message's buffer, for the next one

void bolt_chunk_reader_done(struct bolt_chunk_reader *r) {
  buf_done(&r->message);
}

static void take(const uint8_t **bytes, size_t *len, size_t count) {
  *bytes += count;
  *len -= count;
}

/// True when both bytes of a chunk's head are there.
static bool read_head(struct bolt_chunk_reader *r, const uint8_t **bytes, size_t *len) {
  while (r->head_len < 2 && *len > 0) {
    r->head[r->head_len++] = **bytes;
    take(bytes, len, 1);
  }
  return r->head_len == 2;
}

/// The common case, at the start of a message: one chunk and its end lie in the input. No copy.
static bool read_whole(struct bolt_chunk_reader *r, const uint8_t **bytes, size_t *len, size_t bytes_max, struct str *ret) {
  if (r->open || r->head_len != 0 || *len < 2) return false;
  size_t size = get_u16_be(*bytes);
  if (size == 0 || size > bytes_max || *len < 2 + size + 2 || get_u16_be(*bytes + 2 + size) != 0) return false;
  *ret = (struct str){(const char *) *bytes + 2, size};
  take(bytes, len, 2 + size + 2);
  return true;
}

static void start_message(struct bolt_chunk_reader *r) {
  r->open = true;
  if (r->message.capacity > KEEP_BYTES_MAX)
    buf_done(&r->message);
  else
    buf_clear(&r->message);
}

/// A complete head: the end of a message (true), a NOOP, or the next chunk.
static bool handle_head(struct bolt_chunk_reader *r) {
  uint32_t size = get_u16_be(r->head);
  r->head_len = 0;
  if (size == 0) {
    bool ended = r->open;
    r->open = false;
    if (!ended) r->noops++;
    return ended;
  }
  if (!r->open) start_message(r);
  r->chunk_left = size;
  return false;
}

static enum err read_data(struct bolt_chunk_reader *r, const uint8_t **bytes, size_t *len, size_t bytes_max) {
  size_t count = MIN((size_t) r->chunk_left, *len);
  if (r->message.len + r->chunk_left > bytes_max) return ERR_LIMIT;
  TRY(buf_append(&r->message, *bytes, count));
  r->chunk_left -= (uint32_t) count;
  take(bytes, len, count);
  return ERR_OK;
}

enum err bolt_chunk_read(struct bolt_chunk_reader *r, const uint8_t **bytes, size_t *len, size_t bytes_max, struct str *ret) {
  while (*len > 0) {
    if (r->chunk_left > 0) {
      TRY(read_data(r, bytes, len, bytes_max));
      continue;
    }
    if (read_whole(r, bytes, len, bytes_max, ret)) return ERR_OK;
    if (read_head(r, bytes, len) && handle_head(r)) {
      *ret = buf_str(&r->message);
      return ERR_OK;
    }
  }
  return ERR_SHORT;
}

enum err bolt_chunk_begin(struct buf *out, size_t *ret_start) {
  TRY(buf_reserve(out, BOLT_CHUNK_HEAD_BYTES));
  *ret_start = out->len;
  out->len += BOLT_CHUNK_HEAD_BYTES;
  return ERR_OK;
}

/// Opens gaps for the heads of the second and later chunks, from the last one on, so that each byte moves once.
static enum err split(struct buf *out, size_t start, size_t size) {
  size_t gaps = (size - 1) / BOLT_CHUNK_BYTES_MAX;
  TRY(buf_reserve(out, gaps * BOLT_CHUNK_HEAD_BYTES));
  char *data = out->data + start + BOLT_CHUNK_HEAD_BYTES;
  for (size_t i = gaps; i > 0; i--) {
    size_t from = i * BOLT_CHUNK_BYTES_MAX, count = MIN(size - from, (size_t) BOLT_CHUNK_BYTES_MAX);
    char *to = data + from + i * BOLT_CHUNK_HEAD_BYTES;
    memmove(to, data + from, count);
    put_u16_be(to - BOLT_CHUNK_HEAD_BYTES, (uint16_t) count);
  }
  put_u16_be(out->data + start, BOLT_CHUNK_BYTES_MAX);
  out->len += gaps * BOLT_CHUNK_HEAD_BYTES;
  return ERR_OK;
}

static enum err finish(struct buf *out, size_t start) {
  TRY(buf_reserve(out, BOLT_CHUNK_END_BYTES));
  size_t size = out->len - start - BOLT_CHUNK_HEAD_BYTES;
  if (size <= BOLT_CHUNK_BYTES_MAX)
    put_u16_be(out->data + start, (uint16_t) size);
  else
    TRY(split(out, start, size));
  return buf_append(out, "\0\0", BOLT_CHUNK_END_BYTES);
}

enum err bolt_chunk_end(struct buf *out, size_t start) {
  enum err err = finish(out, start);
  if (err != ERR_OK) out->len = start;
  return err;
}
