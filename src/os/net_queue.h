// The bytes that a connection has still to send: a list of segments, so that a long buffer is taken over instead of copied.
#pragma once

#include <stddef.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"

struct net_segment;

struct net_queue {
  struct net_segment *first, *last;
  size_t bytes; // waiting
};

/// Copies the bytes behind the rest. ERR_NOMEM leaves the queue as it was.
enum err net_queue_put(struct net_queue *q, const void *bytes, size_t len) NODISCARD;

/// Puts the bytes of `b` from `from` on behind the rest: takes over its memory (or copies, where it is short) and leaves it
/// empty; on ERR_NOMEM all is as it was.
enum err net_queue_put_buf(struct net_queue *q, struct buf *b, size_t from) NODISCARD;

/// Fills at most `max` slices with what is to be sent next; returns how many.
int net_queue_peek(const struct net_queue *q, struct iovec *slices, int max);

/// Forgets the first `len` bytes, which were sent.
void net_queue_drop(struct net_queue *q, size_t len);

void net_queue_done(struct net_queue *q);
