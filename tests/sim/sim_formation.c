// Plays formations of clusters by seed.
//
//   sim_formation [--servers N] [--minimum N] [--lists full|some] [--seed N] [--count N] [--trace]
//
// A world that fails is named by its seed: `--seed THAT --count 1 --trace` tells its story.
#include <stdlib.h>
#include <string.h>

#include "formation_world.h"

static int usage(void) {
  fprintf(stderr, "usage: sim_formation [--servers 1..%u] [--minimum N] [--lists full|some] [--seed N] [--count N] [--trace]\n",
          WORLD_SERVERS_MAX);
  return 2;
}

static bool take_number(const char *text, uint64_t *ret) {
  char *end;
  if (text == NULL) return false;
  *ret = strtoull(text, &end, 10);
  return end != text && *end == '\0';
}

int main(int argc, char **argv) {
  struct world_options options = {0};
  struct world_counts counts = {0};
  uint64_t seed = 1, count = 100, servers = 3, minimum = 3;
  for (int i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    bool good = true;
    if (strcmp(argv[i], "--trace") == 0) {
      options.trace = stdout;
      continue;
    }
    if (strcmp(argv[i], "--lists") == 0)
      good = value != NULL && (options.full_lists = strcmp(value, "full") == 0, options.full_lists || strcmp(value, "some") == 0);
    else if (strcmp(argv[i], "--servers") == 0)
      good = take_number(value, &servers) && servers >= 1 && servers <= WORLD_SERVERS_MAX;
    else if (strcmp(argv[i], "--minimum") == 0)
      good = take_number(value, &minimum) && minimum >= 1;
    else if (strcmp(argv[i], "--seed") == 0)
      good = take_number(value, &seed);
    else if (strcmp(argv[i], "--count") == 0)
      good = take_number(value, &count);
    else
      good = false;
    if (!good) return usage();
    i++;
  }
  options.servers = (unsigned) servers;
  options.minimum = (unsigned) minimum;
  for (uint64_t i = 0; i < count; i++) {
    char why[400];
    if (world_play(seed + i, &options, &counts, why)) continue;
    printf("FAILED seed %llu after %llu seeds: %s\n", (unsigned long long) (seed + i), (unsigned long long) i, why);
    return 1;
  }
  printf("%llu worlds of %llu servers: %llu steps, %llu saves, %llu crashes, %llu foundings proposed, %llu times given up, %llu "
         "frames, "
         "%llu simulated seconds, at most %.1f s until all were bound\n",
         (unsigned long long) counts.worlds, (unsigned long long) servers, (unsigned long long) counts.steps,
         (unsigned long long) counts.saves, (unsigned long long) counts.crashes, (unsigned long long) counts.foundings,
         (unsigned long long) counts.voided, (unsigned long long) counts.frames,
         (unsigned long long) (counts.simulated_ms / 1000), (double) counts.settle_ms_max / 1000);
  return 0;
}
