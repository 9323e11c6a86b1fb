// Hashes and checksums, all from xxHash: XXH3, stable across versions since 0.8.0, so it may be written to disk.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// 64-bit hash. With `seed` the hash of what came before, it chains.
uint64_t hash64(const void *data, size_t bytes, uint64_t seed);

/// Low 32 bits of it, for pages and log batches.
static inline uint32_t checksum32(const void *data, size_t bytes, uint64_t seed) {
  return (uint32_t) hash64(data, bytes, seed);
}

/// Mixes one integer (a finaliser with good avalanche): for tables keyed by ids.
static inline uint64_t hash_u64(uint64_t x) {
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93u;
  x ^= x >> 32;
  x *= 0xD6E8FEB86659FD93u;
  return x ^ x >> 32;
}
