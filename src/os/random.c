#include "os/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static enum err system_fill(struct random_source *r UNUSED, void *to, size_t bytes) {
  for (char *at = to; bytes > 0;) {
    ssize_t n = getrandom(at, bytes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ERR_IO;
    at += n;
    bytes -= (size_t) n;
  }
  return ERR_OK;
}

struct random_source *random_system(void) {
  static struct random_source system = {system_fill};
  return &system;
}

static enum err seeded_fill(struct random_source *r, void *to, size_t bytes) {
  struct random_seeded *s = CONTAINER_OF(r, struct random_seeded, source);
  for (char *at = to; bytes > 0;) {
    uint64_t word = rng_next(&s->rng);
    size_t n = MIN(bytes, sizeof word);
    memcpy(at, &word, n);
    at += n;
    bytes -= n;
  }
  return ERR_OK;
}

void random_seeded_init(struct random_seeded *s, uint64_t seed) {
  s->source.fill = seeded_fill;
  rng_seed(&s->rng, seed);
}
