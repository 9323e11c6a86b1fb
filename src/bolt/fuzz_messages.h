// For the session's fuzzer: composes valid messages, and changes a stream of them message by message. Most of what is put in is
// legal in the state that the messages before it lead to, so that conversations grow long instead of ending at the first wrong
// message.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/rng.h"
#include "bolt/state.h"
#include "bolt/version.h"

/// Changes one part of the `size` bytes of `stream`, which begins in `state` and has room for `size_max`. Returns the new size.
size_t fuzz_messages_mutate(struct rng *rng, const struct bolt_version *v, enum bolt_state state, uint8_t *stream, size_t size,
                            size_t size_max);

/// The beginning of `a` and the end of `b`, cut between messages, into `to`. Returns the size, at most `size_max`.
size_t fuzz_messages_cross(struct rng *rng, struct str a, struct str b, uint8_t *to, size_t size_max);
