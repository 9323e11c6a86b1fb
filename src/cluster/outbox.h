// What waits to be sent to one server, as frames: bounded in bytes, small messages first, and yet in order for each group.
//
// A message that carries entries is *bulk*; heartbeats, votes, answers are *urgent* and overtake the bulk of other groups, so
// that no leader seems dead because somebody else's data fills the line. Within one group nothing overtakes: behind bulk of its
// own a small message is bulk too (an append that arrives before the one it follows would be rejected, and the pipeline would
// start over).
//
// One owner or one lock. Full is an answer, not an error: Raft sends again.
#pragma once

#include <stdbool.h>

#include "cluster/frame.h"

#define OUTBOX_FRAME_BYTES (256u << 10) // no message joins a frame above this; a single larger one goes alone

struct outbox_frame;

struct outbox_queue {
  struct outbox_frame *first, *last;
  size_t bytes, bytes_max;
};

struct outbox {
  struct outbox_queue urgent, bulk;
  uint64_t dropped; // messages for which there was no room
};

void outbox_init(struct outbox *o, size_t urgent_bytes_max, size_t bulk_bytes_max);
/// Drops all; usable afterwards.
void outbox_clear(struct outbox *o);

/// Copies the message. False: no room (or no memory), it is dropped.
bool outbox_put(struct outbox *o, const struct message *m);

/// Moves the next frame, finished, into `ret` (which was empty): urgent ones first. False if nothing waits.
bool outbox_take(struct outbox *o, uint64_t from, uint64_t to, uint64_t epoch, struct buf *ret);

bool outbox_is_empty(const struct outbox *o);
