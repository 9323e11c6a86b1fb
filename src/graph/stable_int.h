// A growing table of words that readers look at without a lock: entries keep their place and are published by one atomic
// store. One writer at a time; any number of readers. Missing entries read as 0.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/doubling.h"
#include "base/error.h"

#define STABLE_FIRST UINT64_C(64) // entries of the first chunk (base/doubling.h)
#define STABLE_ENTRIES_MAX (UINT64_C(1) << 24)
enum { STABLE_CHUNKS = 19 };

/// All zeros: empty.
struct stable {
  _Atomic(_Atomic(uint64_t) *) chunks[STABLE_CHUNKS]; // allocated when first used
};

void stable_done(struct stable *s);
/// ERR_NOMEM, or ERR_LIMIT beyond STABLE_ENTRIES_MAX.
enum err stable_set(struct stable *s, uint64_t at, uint64_t word) NODISCARD;
/// The first entry from `at` on that is not 0, or UINT64_MAX: skips what was never allocated.
uint64_t stable_next(const struct stable *s, uint64_t at);

static inline uint64_t stable_get(const struct stable *s, uint64_t at) {
  if (at >= STABLE_ENTRIES_MAX) return 0;
  unsigned chunk = doubling_chunk(at, STABLE_FIRST);
  _Atomic(uint64_t) *words = atomic_load_explicit(&s->chunks[chunk], memory_order_acquire);
  return words != NULL ? atomic_load_explicit(&words[at - doubling_begin(chunk, STABLE_FIRST)], memory_order_acquire) : 0;
}
