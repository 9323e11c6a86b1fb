// Frames: what one server sends another, a batch of messages under one checksum. Bytes: docs/formats/cluster.md.
//
//   writing:  frame_begin -> message_put (cluster/message.h), frame_count ... -> frame_end
//   reading:  frame_peek until the whole frame is there -> frame_open -> frame_next until NULL
//
// Pure: no state but the caller's, no input or output.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "cluster/message.h"

#define FRAME_HEADER_BYTES 48u
#define FRAME_MOVES_BYTES FRAME_HEADER_BYTES // of one that says how far its sender has moved, and nothing else
#define FRAME_BYTES_MAX (8u << 20)
#define FRAME_MESSAGES_MAX 1024u

struct frame_header {
  uint64_t from, to; // servers
  uint64_t epoch;    // of the sender: rises with each of its starts
  uint32_t bytes;    // of the whole frame
  uint16_t messages; // 0: it says how far the sender's start has moved
  uint32_t moves;
};

// ---- writing ----

/// Starts a frame at the end of `to`; `*ret_start` is where.
enum err frame_begin(struct buf *to, size_t *ret_start) NODISCARD;
/// Appends a message. ERR_LIMIT: the frame is full (end it and begin another); `to` is as it was.
enum err frame_add(struct buf *to, size_t start, const struct message *m, struct error *e) NODISCARD;
/// Fills in the header; from then on the bytes from `start` on may be sent. There must be a message in it.
void frame_end(struct buf *to, size_t start, uint64_t from, uint64_t to_server, uint64_t epoch);

/// A whole frame without messages: the start of the sender has moved so far (cluster/starts.h).
void frame_put_moves(uint8_t to[FRAME_MOVES_BYTES], uint64_t from, uint64_t to_server, uint64_t epoch, uint32_t moves);

// ---- reading ----

/// How many bytes the frame that begins at `from` has, as soon as FRAME_HEADER_BYTES are there: a limit is checked, the checksum
/// is not. ERR_SHORT: more bytes are needed. ERR_CORRUPT, ERR_UNSUPPORTED (another version): the connection is of no use.
enum err frame_peek(const uint8_t *from, size_t bytes, uint32_t *ret_bytes, struct error *e) NODISCARD;

struct frame_reader {
  struct frame_header header;
  const uint8_t *from; // the caller's bytes: they stay
  size_t at;
  uint16_t left;
};

/// Checks a whole frame of exactly `bytes` bytes: checksum and header. Says nothing about its messages yet.
enum err frame_open(const uint8_t *from, size_t bytes, struct frame_reader *ret, struct error *e) NODISCARD;
/// The next message, `*ret_any` false behind the last. Memory as in message_get. ERR_CORRUPT: the rest of the frame is of no use.
enum err frame_next(struct frame_reader *r, struct arena *a, struct message *ret, bool *ret_any, struct error *e) NODISCARD;
