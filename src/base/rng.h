// A small deterministic generator (xoshiro256**, Blackman and Vigna) for simulators, sampling and back-off. Never for
// secrets: those come from os/random.h. The caller passes the seed and owns the state.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rng {
  uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
/// Uniform in [0, bound); bound > 0.
uint64_t rng_below(struct rng *r, uint64_t bound);
/// True with probability `num / den`.
bool rng_chance(struct rng *r, uint64_t num, uint64_t den);
/// Uniform in [0, 1).
double rng_double(struct rng *r);
