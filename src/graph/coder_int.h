// Reading and writing packed bytes: unsigned LEB128 integers and runs of bytes. Reading is for hostile bytes: it never passes
// the end, and what is wrong is remembered, so that a caller checks once at the end of a group.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/str.h"

struct bytes_in {
  const uint8_t *at, *end;
  bool bad; // something was cut short or out of range
};

static inline struct bytes_in bytes_in_of(struct str s) {
  return (struct bytes_in){(const uint8_t *) s.ptr, (const uint8_t *) s.ptr + s.len, false};
}

static inline bool bytes_in_done(const struct bytes_in *in) {
  return in->bad || in->at == in->end;
}

/// `n` bytes in place, or NULL (and bad).
static inline const uint8_t *take_bytes(struct bytes_in *in, uint64_t n) {
  if (in->bad || n > (uint64_t) (in->end - in->at)) {
    in->bad = true;
    return NULL;
  }
  const uint8_t *p = in->at;
  in->at += n;
  return p;
}

static inline uint8_t take_byte(struct bytes_in *in) {
  const uint8_t *p = take_bytes(in, 1);
  return p != NULL ? *p : 0;
}

/// At most `max`, else bad and 0.
static inline uint64_t take_varint(struct bytes_in *in, uint64_t max) {
  uint64_t v = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    uint8_t byte = take_byte(in);
    v |= (uint64_t) (byte & 0x7F) << shift;
    if (byte < 0x80) {
      if (v <= max && (shift < 63 || byte <= 1)) return in->bad ? 0 : v;
      break;
    }
  }
  in->bad = true;
  return 0;
}

static inline struct str take_str(struct bytes_in *in, uint64_t max) {
  uint64_t n = take_varint(in, max);
  const uint8_t *p = take_bytes(in, n);
  return p != NULL ? (struct str){(const char *) p, n} : STR_NONE;
}

static inline enum err NODISCARD put_varint(struct buf *b, uint64_t v) {
  uint8_t bytes[10];
  unsigned n = 0;
  do {
    bytes[n++] = (uint8_t) ((v & 0x7F) | (v > 0x7F ? 0x80 : 0));
    v >>= 7;
  } while (v != 0);
  return buf_append(b, bytes, n);
}

static inline enum err NODISCARD put_str(struct buf *b, struct str s) {
  TRY(put_varint(b, s.len));
  return buf_append_str(b, s);
}
