// A growing table of words that readers look at without a lock: entries keep their place and are published by one atomic
// store. One writer at a time; any number of readers. Missing entries read as 0.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { STABLE_CHUNK_ENTRIES = 1024, STABLE_CHUNKS = 16384 };

struct stable {
  _Atomic(uint64_t) *_Atomic *chunks; // STABLE_CHUNKS of them, allocated when first used
};

#define STABLE_ENTRIES_MAX ((uint64_t) STABLE_CHUNK_ENTRIES * STABLE_CHUNKS)

enum err stable_init(struct stable *s) NODISCARD;
void stable_done(struct stable *s);
/// ERR_NOMEM, or ERR_LIMIT beyond STABLE_ENTRIES_MAX.
enum err stable_set(struct stable *s, uint64_t at, uint64_t word) NODISCARD;
/// The first entry from `at` on that is not 0, or UINT64_MAX: skips what was never allocated.
uint64_t stable_next(const struct stable *s, uint64_t at);

static inline uint64_t stable_get(const struct stable *s, uint64_t at) {
  if (at >= STABLE_ENTRIES_MAX) return 0;
  _Atomic(uint64_t) *chunk = atomic_load_explicit(&s->chunks[at / STABLE_CHUNK_ENTRIES], memory_order_acquire);
  return chunk != NULL ? atomic_load_explicit(&chunk[at % STABLE_CHUNK_ENTRIES], memory_order_acquire) : 0;
}
