// The crash simulator of the store: `sim_store --seed N --crashes M [--ledger FILE]`.
//
// Each world is one disk with about a dozen crashes, decided by its seed; the seeds of the worlds count up from N. A failure prints
// the world's seed: `sim_store --seed THAT --crashes 1` plays it again. The ledger gets one line a run, so that a later run can
// start where this one ended (`--seed NEXT`).
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "store_world.h"

struct totals {
  uint64_t worlds, crashes, kills, transactions, checkpoints, recoveries_cut, shrinks, copies;
};

static void add(struct totals *t, const struct world *w) {
  t->worlds++;
  t->crashes += w->crashes;
  t->kills += w->kills;
  t->transactions += w->transactions_applied;
  t->checkpoints += w->checkpoints;
  t->recoveries_cut += w->recoveries_cut;
  t->shrinks += w->shrinks;
  t->copies += w->copies;
}

// A world from its beginning to its end. False: it failed, and said why.
static bool play(uint64_t seed, struct totals *t) {
  struct world *w = world_new(seed);
  if (w == NULL) return false;
  bool good = true;
  for (uint64_t lives = 6 + rng_below(&w->rng, 14); good && lives > 0; lives--) good = world_restart(w) && world_live(w);
  if (good) good = world_restart(w);
  if (good && rng_chance(&w->rng, 1, 3)) good = world_rot(w);
  add(t, w);
  if (!good) printf("FAILED seed %" PRIu64 " after %" PRIu64 " crashes of this world, %" PRIu64 " in all: %s\n", seed, w->crashes, t->crashes, w->why);
  world_free(w);
  return good;
}

static void report(const char *word, uint64_t seed, const struct totals *t, double seconds) {
  printf("%s seed %" PRIu64 ": %" PRIu64 " worlds, %" PRIu64 " crashes, %" PRIu64 " restarts, %" PRIu64
         " recoveries cut, %" PRIu64 " transactions, %" PRIu64 " checkpoints, %" PRIu64 " page files cut, %" PRIu64
         " copies, %.1f s\n",
         word, seed, t->worlds, t->crashes, t->kills, t->recoveries_cut, t->transactions, t->checkpoints, t->shrinks, t->copies,
         seconds);
  fflush(stdout);
}

static void write_ledger(const char *path, uint64_t first, uint64_t next, const struct totals *t, bool good) {
  FILE *f = path != NULL ? fopen(path, "a") : NULL;
  if (f == NULL) return;
  fprintf(f, "first=%" PRIu64 " next=%" PRIu64 " crashes=%" PRIu64 " transactions=%" PRIu64 " result=%s\n", first, next, t->crashes, t->transactions,
          good ? "ok" : "failed");
  fclose(f);
}

static uint64_t number(const char *text) {
  return text != NULL ? strtoull(text, NULL, 10) : 0;
}

int main(int argc, char **argv) {
  uint64_t first = 1, crashes = 300;
  const char *ledger = NULL;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--seed") == 0) first = number(argv[i + 1]);
    if (strcmp(argv[i], "--crashes") == 0) crashes = number(argv[i + 1]);
    if (strcmp(argv[i], "--ledger") == 0) ledger = argv[i + 1];
  }
  struct totals t = {0};
  int64_t begin_ns = clock_monotonic_ns(clock_system()), said_ns = begin_ns;
  uint64_t seed = first;
  bool good = true;
  for (; good && t.crashes < crashes; seed++) {
    good = play(seed, &t);
    int64_t now_ns = clock_monotonic_ns(clock_system());
    if (now_ns - said_ns < 5 * NS_PER_S) continue;
    said_ns = now_ns;
    report("at", seed, &t, (double) (now_ns - begin_ns) / NS_PER_S);
  }
  report(good ? "ok, next" : "FAILED before", seed, &t, (double) (clock_monotonic_ns(clock_system()) - begin_ns) / NS_PER_S);
  write_ledger(ledger, first, seed, &t, good);
  return good ? 0 : 1;
}
