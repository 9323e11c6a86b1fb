// The fuzzer's scripts, from a seed: what every test run sees of them. A seed that fails is printed.
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "base/test.h"
#include "consensus/test_play.h"

static uint64_t first_seed = 1, seeds = 1500;

TEST(any_order_of_events) {
  uint8_t script[1200];
  for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
    struct rng rng;
    rng_seed(&rng, seed);
    for (size_t i = 0; i < sizeof script; i++) script[i] = (uint8_t) rng_next(&rng);
    if (seeds == 1 || seed % 500 == 0) fprintf(stderr, "# seed %llu\n", (unsigned long long) seed);
    play(script, sizeof script);
  }
}

int main(int count, char **arguments) {
  if (count > 1) first_seed = strtoull(arguments[1], NULL, 10);
  if (count > 2) seeds = strtoull(arguments[2], NULL, 10);
  const struct CMUnitTest tests[] = {T(any_order_of_events)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
