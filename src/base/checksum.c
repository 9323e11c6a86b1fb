#include "base/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/checksum_int.h"

// Up to this size XXH3 has no use for wide registers.
#define SHORT_BYTES_MAX 240u

uint64_t hash64(const void *data, size_t bytes, uint64_t seed) {
#ifdef HAVE_CHECKSUM_AVX2
  if (bytes > SHORT_BYTES_MAX && __builtin_cpu_supports("avx2")) return hash64_avx2(data, bytes, seed);
#endif
  return XXH3_64bits_withSeed(data, bytes, seed);
}
