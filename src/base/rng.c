#include "base/rng.h"

#include <assert.h>

static uint64_t rotl(uint64_t x, int k) {
  return (x << k) | (x >> (64 - k));
}

/// SplitMix64: spreads a small seed over the whole state.
void rng_seed(struct rng *r, uint64_t seed) {
  for (int i = 0; i < 4; i++) {
    uint64_t z = (seed += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    r->s[i] = z ^ (z >> 31);
  }
}

uint64_t rng_next(struct rng *r) {
  uint64_t *s = r->s;
  uint64_t result = rotl(s[1] * 5, 7) * 9;
  uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotl(s[3], 45);
  return result;
}

uint64_t rng_below(struct rng *r, uint64_t bound) {
  assert(bound > 0);
  return (uint64_t) (((unsigned __int128) rng_next(r) * bound) >> 64);
}

bool rng_chance(struct rng *r, uint64_t num, uint64_t den) {
  return rng_below(r, den) < num;
}

double rng_double(struct rng *r) {
  return (double) (rng_next(r) >> 11) * 0x1.0p-53;
}
