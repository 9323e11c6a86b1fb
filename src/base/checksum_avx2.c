// Compiled for processors with AVX2: nothing here runs anywhere else.
#include "base/checksum_int.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash64_avx2(const void *data, size_t bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(data, bytes, seed);
}
