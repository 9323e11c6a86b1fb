// Messages of consensus as bytes and back, with the log entries that an append carries. Bytes: docs/formats/cluster.md.
//
// Pure: no state, no input or output. Decoding trusts nothing: every length, count, order and limit is checked, so that what
// comes out is well-formed (it may still make no sense: consensus decides that).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "consensus/consensus.h"
#include "store/log.h"

#define MESSAGE_HEADER_BYTES 56u
#define MESSAGE_ENTRIES_MAX 65536u
#define MESSAGE_GROUP_BYTES 16u

/// One message of one group. Value type; what it points to belongs to whoever made it.
struct message {
  uint8_t group[MESSAGE_GROUP_BYTES]; // uuid of the database
  uint64_t from, to;                  // members
  struct consensus_message body;      // `peer` is not on the wire: decoding sets it to `from`; `append.entries` is not looked at
  const struct log_entry *entries;    // of an append: body.append.count of them
};

/// Bytes that message_put appends.
size_t message_bytes(const struct message *m);
/// Appends the message. ERR_NOMEM leaves `to` as it was.
enum err message_put(struct buf *to, const struct message *m) NODISCARD;

/// Reads the message at `*at` of `bytes` and moves `*at` behind it. Entries, memberships and their arrays are in `a`; texts of
/// entries point into `from`. ERR_CORRUPT says what is wrong; `*at` and `*ret` are then untouched.
enum err message_get(const uint8_t *from, size_t bytes, size_t *at, struct arena *a, struct message *ret,
                     struct error *e) NODISCARD;
