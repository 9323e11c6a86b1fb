// Randomness as a table: the system's generator for secrets and identifiers, a seeded one for tests. For sampling and
// simulators use base/rng.h.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/rng.h"

struct random_source {
  enum err (*fill)(struct random_source *r, void *to, size_t bytes);
};

/// The system's cryptographic generator. Static, thread-safe; ERR_IO when the system has none.
struct random_source *random_system(void);

static inline enum err NODISCARD random_fill(struct random_source *r, void *to, size_t bytes) {
  return r->fill(r, to, bytes);
}

/// Repeatable bytes for tests. Embed it and pass `&s.source`.
struct random_seeded {
  struct random_source source;
  struct rng rng;
};

void random_seeded_init(struct random_seeded *s, uint64_t seed);
