// For the log's fuzzer: composes valid batches, and changes the body of a segment batch by batch. Checksums, chain, uuid and
// places are the fuzzer's to put right.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

/// Changes one part of the `size` bytes of `body` (what stands behind a segment's header), which has room for `size_max`. Returns
/// the new size.
size_t fuzz_batches_mutate(struct rng *rng, uint8_t *body, size_t size, size_t size_max);
