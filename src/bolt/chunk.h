// Chunks: [u16 size][data]... [00 00] is a message, 00 00 between messages a NOOP (Bolt documentation, "Message transfer
// encoding"). Pure. The reader takes bytes cut anywhere and gives whole messages; its work is linear in the bytes.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/str.h"

enum { BOLT_CHUNK_BYTES_MAX = 65535, BOLT_CHUNK_HEAD_BYTES = 2, BOLT_CHUNK_END_BYTES = 2 };

struct bolt_chunk_reader {
  struct buf message;  // what is there of a message that came in pieces
  uint32_t chunk_left; // bytes of the current chunk still to come
  uint8_t head[2], head_len;
  uint64_t noops;
  bool open; // within a message
};

void bolt_chunk_reader_done(struct bolt_chunk_reader *r);

/// Takes bytes up to the end of the next message. `*bytes` and `*len` move over what was taken. ERR_OK: `ret` is a whole message,
/// valid until the next call (a slice of `*bytes` where it lay there in one chunk). ERR_SHORT: all taken, no message yet.
/// ERR_LIMIT: longer than `bytes_max`; ERR_NOMEM. After these two the stream is lost.
enum err bolt_chunk_read(struct bolt_chunk_reader *r, const uint8_t **bytes, size_t *len, size_t bytes_max,
                         struct str *ret) NODISCARD;

/// Begins a message at the end of `out`: leaves room for the first chunk's head and gives the place to bolt_chunk_end.
enum err bolt_chunk_begin(struct buf *out, size_t *ret_start) NODISCARD;

/// Ends the message that began at `start`: writes the head, and further ones where it is longer than a chunk may be. On failure
/// the message is cut off again.
enum err bolt_chunk_end(struct buf *out, size_t start) NODISCARD;
