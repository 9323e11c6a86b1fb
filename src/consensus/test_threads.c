// Groups are independent: each on a thread of its own, at the same time.
#include <pthread.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "base/test.h"
#include "consensus/test_play.h"

#define THREADS 4

static void *one(void *seed) {
  uint8_t script[1200];
  struct rng rng;
  rng_seed(&rng, (uint64_t) (uintptr_t) seed);
  for (int round = 0; round < 20; round++) {
    for (size_t i = 0; i < sizeof script; i++) script[i] = (uint8_t) rng_next(&rng);
    play(script, sizeof script);
  }
  return NULL;
}

TEST(groups_on_threads) {
  pthread_t threads[THREADS];
  for (uintptr_t i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, one, (void *) (i + 1)), 0);
  for (size_t i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
}

TESTS(T(groups_on_threads))
