// A table in chunks, each twice as large as the one before it: it grows without moving anything, and its few chunks stand in a plain
// array. `first` is the size of the first one, a power of two. Pure.
#pragma once

#include <stdint.h>

/// Which chunk the entry is in.
static inline unsigned doubling_chunk(uint64_t entry, uint64_t first) {
  return 63 - (unsigned) __builtin_clzll(entry / first + 1);
}

/// The chunk's first entry.
static inline uint64_t doubling_begin(unsigned chunk, uint64_t first) {
  return first * ((UINT64_C(1) << chunk) - 1);
}

/// Entries of the chunk.
static inline uint64_t doubling_size(unsigned chunk, uint64_t first) {
  return first << chunk;
}
