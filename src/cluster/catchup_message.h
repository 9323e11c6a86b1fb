// What is asked and answered when a server catches up, as bytes and back. Bytes and rules: docs/formats/catchup.md.
//
// Pure: no state, no input or output. Decoding trusts nothing; of pieces and entries it checks the lengths, their contents are
// checked by whoever uses them (store/copy.h, log_get_entry).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "store/checkpoint.h"
#include "store/store.h"

#define CATCHUP_HEADER_BYTES 24u
#define CATCHUP_REQUEST_BYTES_MAX 64u
#define CATCHUP_BODY_BYTES_MAX (8u << 20)
#define CATCHUP_ENTRIES_MAX 65536u // in one answer

enum catchup_type {
  CATCHUP_ASK_STATUS = 1,
  CATCHUP_ASK_COPY = 2,
  CATCHUP_DONE = 3,
  CATCHUP_ASK_PULL = 4,
  CATCHUP_STATUS = 65,
  CATCHUP_HEAD = 66,
  CATCHUP_PIECE = 67,
  CATCHUP_END = 68,
  CATCHUP_ENTRIES = 69,
  CATCHUP_REFUSED = 70
};

enum catchup_refusal {
  CATCHUP_ACCEPTED,
  CATCHUP_NO_DATABASE,
  CATCHUP_BUSY,
  CATCHUP_BEHIND,
  CATCHUP_PRUNED,
  CATCHUP_GENERATION,
  CATCHUP_DIVERGED,
  CATCHUP_DAMAGED,
  CATCHUP_AHEAD,
  CATCHUP_UNABLE,
  CATCHUP_REFUSAL_MAX
};

struct catchup_status {
  uint64_t generation;
  struct store_applied applied;
  uint64_t first_index, commit_index; // of the log
};

struct catchup_pull {
  uint64_t generation, index, term; // of the last entry that is there
  uint32_t bytes_max, wait_ms;
};

/// One message. Value type; what it points to belongs to whoever made it, or is in the bytes that it was read from.
struct catchup_message {
  enum catchup_type type;
  uint8_t database[16]; // of requests
  union {
    struct {
      uint64_t least_index, identity, position;
    } copy;
    uint64_t identity; // of done and end
    struct catchup_pull pull;
    struct catchup_status status;
    const uint8_t *head; // CHECKPOINT_HEAD_BYTES
    struct {
      const uint8_t *pages;
      size_t bytes; // of some pages, at most CHECKPOINT_PIECE_BYTES_MAX
    } piece;
    struct {
      uint64_t commit_index;
      uint32_t count;
      const uint8_t *bytes;
      size_t size;
    } entries;
    struct {
      enum catchup_refusal reason;
      uint64_t index;
    } refused;
  };
};

static inline bool catchup_is_request(enum catchup_type type) {
  return type < CATCHUP_STATUS;
}

/// Appends the message as number `number` of its sender. ERR_NOMEM leaves `to` as it was.
enum err catchup_message_put(struct buf *to, uint32_t number, const struct catchup_message *m) NODISCARD;
/// Makes a piece of pages in their place: writes the CATCHUP_HEADER_BYTES in front of them.
void catchup_message_put_before(uint8_t *pages, size_t bytes, uint32_t number);

/// How many bytes the message that begins at `from` has, as soon as CATCHUP_HEADER_BYTES are there; the checksum is not looked
/// at. ERR_SHORT: more bytes are needed. ERR_CORRUPT, ERR_UNSUPPORTED (another version): the connection is of no use.
enum err catchup_message_peek(const uint8_t *from, size_t bytes, size_t *ret_bytes, struct error *e) NODISCARD;

/// Reads a whole message of exactly `bytes` bytes, which must be number `number`. ERR_CORRUPT says what is wrong.
enum err catchup_message_get(const uint8_t *from, size_t bytes, uint32_t number, struct catchup_message *ret,
                             struct error *e) NODISCARD;

/// "the log there no longer has it": to be put behind "server 2 at core2:6000 refused: ".
const char *catchup_refusal_text(enum catchup_refusal reason);
