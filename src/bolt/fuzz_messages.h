// For the session's fuzzer: composes valid messages, and changes a stream of them message by message, so that what the fuzzer
// learns is which messages to send in which order, not how a frame looks.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/rng.h"
#include "bolt/version.h"

/// Changes one part of the `size` bytes of `stream`, which has room for `size_max`. Returns the new size.
size_t fuzz_messages_mutate(struct rng *rng, const struct bolt_version *v, uint8_t *stream, size_t size, size_t size_max);

/// The beginning of `a` and the end of `b`, cut between messages, into `to`. Returns the size, at most `size_max`.
size_t fuzz_messages_cross(struct rng *rng, struct str a, struct str b, uint8_t *to, size_t size_max);
