#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void buf_done(struct buf *b) {
  mem_free(b->data);
  *b = BUF_INIT;
}

void buf_clear(struct buf *b) {
  b->len = 0;
}

enum err buf_reserve(struct buf *b, size_t extra) {
  if (extra <= b->capacity - b->len) return ERR_OK;
  size_t need;
  if (__builtin_add_overflow(b->len, extra, &need) || need > SIZE_MAX / 2) return ERR_NOMEM;
  size_t capacity = MAX(MAX(need, b->capacity * 2), 64);
  char *data = mem_realloc(b->data, capacity);
  if (data == NULL) return ERR_NOMEM;
  b->data = data;
  b->capacity = capacity;
  return ERR_OK;
}

enum err buf_append(struct buf *b, const void *from, size_t bytes) {
  TRY(buf_reserve(b, bytes));
  if (bytes > 0) memcpy(b->data + b->len, from, bytes);
  b->len += bytes;
  return ERR_OK;
}

enum err buf_append_str(struct buf *b, struct str s) {
  return buf_append(b, s.ptr, s.len);
}

enum err buf_append_byte(struct buf *b, uint8_t byte) {
  return buf_append(b, &byte, 1);
}

enum err buf_printf(struct buf *b, const char *fmt, ...) {
  va_list args, again;
  va_start(args, fmt);
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, fmt, args);
  va_end(args);
  enum err err = n < 0 ? ERR_INVALID : buf_reserve(b, (size_t) n + 1);
  if (err == ERR_OK) {
    vsnprintf(b->data + b->len, (size_t) n + 1, fmt, again);
    b->len += (size_t) n;
  }
  va_end(again);
  return err;
}

void buf_consume(struct buf *b, size_t bytes) {
  if (bytes > b->len) bytes = b->len;
  if (bytes > 0 && bytes < b->len) memmove(b->data, b->data + bytes, b->len - bytes);
  b->len -= bytes;
}
