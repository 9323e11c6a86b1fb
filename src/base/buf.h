// A growable byte buffer. One owner; not thread-safe. A failed append leaves the contents as they were.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/str.h"

struct buf {
  char *data;
  size_t len;
  size_t capacity;
};

#define BUF_INIT ((struct buf){0})

void buf_done(struct buf *b);
/// Empties it and keeps its memory.
void buf_clear(struct buf *b);
/// Room for `extra` more bytes, or ERR_NOMEM.
enum err buf_reserve(struct buf *b, size_t extra) NODISCARD;
enum err buf_append(struct buf *b, const void *from, size_t bytes) NODISCARD;
enum err buf_append_str(struct buf *b, struct str s) NODISCARD;
enum err buf_append_byte(struct buf *b, uint8_t byte) NODISCARD;
enum err buf_printf(struct buf *b, const char *fmt, ...) NODISCARD PRINTF(2, 3);
/// Drops the first `bytes` bytes; moves the rest to the front.
void buf_consume(struct buf *b, size_t bytes);

static inline struct str buf_str(const struct buf *b) {
  return (struct str){b->data, b->len};
}
