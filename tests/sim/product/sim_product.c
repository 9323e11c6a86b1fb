// The simulator of the product: `sim_product [--seeds A..B] [--ledger FILE] [--trace] ...`.
//
// Each seed is a world of its own (product.h): whole servers and clients in one thread.
//
//   --seeds A..B    those worlds; without it, 100 from 1 on, or from where the ledger says that the last run ended
//   --count N       so many instead of 100
//   --to N          up to that one
//   --seconds N     no more are begun after so long
//   --ledger FILE   a line with totals is kept there, as it goes: a run that is ended goes on there. Runs of other `--seeds` have lines of
//                   their own, and may run at the same time
//   --servers N     3 or 5; without it the seed decides
//   --off A,B       kinds of faults that do not happen; --faults-ms N: how long they do
//   --trace         prints the story
//   --twice         plays each world twice, which must come to the same
//   --keep-going    counts worlds that fail and goes on
//
// A world that fails is played again with fewer kinds of faults, and for a shorter time; not with --no-shrink.
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ledger.h"

struct arguments {
  struct product_options world;
  uint64_t first, count, to, failed;
  uint64_t from; // of the ledger's line
  int64_t seconds;
  const char *ledger;
  bool twice, keep_going, no_shrink;
};

static volatile uint64_t playing;

/// An assertion or a bad address in the product says nothing of the world that it was in.
static void on_crash(int number) {
  char text[100];
  int n = snprintf(text, sizeof text, "\nsim_product: signal %d in the world of seed %" PRIu64 "\n", number, playing);
  if (write(2, text, (size_t) n) < 0) _exit(1);
  signal(number, SIG_DFL);
  raise(number);
}

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

// ---- arguments ----

static uint64_t faults_named(const char *list) {
  uint64_t set = 0;
  for (int f = 0; f < FAULT_MAX; f++) {
    size_t n = strlen(product_fault_names[f]);
    for (const char *at = list; (at = strstr(at, product_fault_names[f])) != NULL; at++)
      if ((at == list || at[-1] == ',') && (at[n] == ',' || at[n] == '\0')) set |= UINT64_C(1) << f;
  }
  return strcmp(list, "every") == 0 ? ~UINT64_C(0) : set;
}

static bool parse_value(struct arguments *a, const char *key, const char *value) {
  if (strcmp(key, "--seeds") == 0) {
    char *end;
    a->first = strtoull(value, &end, 10);
    a->count = strncmp(end, "..", 2) == 0 ? strtoull(end + 2, NULL, 10) - a->first + 1 : 1;
  } else if (strcmp(key, "--count") == 0)
    a->count = strtoull(value, NULL, 10);
  else if (strcmp(key, "--to") == 0)
    a->to = strtoull(value, NULL, 10);
  else if (strcmp(key, "--seconds") == 0)
    a->seconds = strtoll(value, NULL, 10);
  else if (strcmp(key, "--ledger") == 0)
    a->ledger = value;
  else if (strcmp(key, "--servers") == 0)
    a->world.servers = (uint32_t) strtoul(value, NULL, 10);
  else if (strcmp(key, "--off") == 0)
    a->world.off = faults_named(value);
  else if (strcmp(key, "--faults-ms") == 0)
    a->world.faults_ms = strtoll(value, NULL, 10);
  else
    return false;
  return true;
}

static bool parse(int argc, char **argv, struct arguments *a) {
  *a = (struct arguments){.count = 100, .seconds = INT64_MAX};
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--trace") == 0)
      a->world.trace = stdout;
    else if (strcmp(argv[i], "--twice") == 0)
      a->twice = true;
    else if (strcmp(argv[i], "--no-shrink") == 0)
      a->no_shrink = true;
    else if (strcmp(argv[i], "--keep-going") == 0)
      a->keep_going = true;
    else if (i + 1 == argc || !parse_value(a, argv[i], argv[i + 1]))
      return false;
    else
      i++;
  }
  return a->world.servers <= SERVERS_MAX;
}

// ---- the run ----

enum { KEPT_BYTES = 512 << 20 };

/// Worlds ask for the same memory again and again: it is kept, instead of being given back to the system and asked for page by page.
static void keep_memory(void) {
  mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
  mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

/// After a world that needed much more than others.
static void give_memory_back(void) {
  if (mallinfo2().fordblks > 2 * KEPT_BYTES) malloc_trim(KEPT_BYTES);
}

static void add(struct product_counts *to, const struct product_counts *n) {
#define X(counter) to->counter += n->counter;
  PRODUCT_COUNTERS(X)
#undef X
  to->recovery_ms_max = MAX(to->recovery_ms_max, n->recovery_ms_max);
}

static void print_counts(const struct arguments *a, const struct product_counts *n, double seconds) {
  printf("%s to seed %" PRIu64 ": %.2f seeds/s", a->failed > 0 ? "FAILED" : "ok", a->first + n->seeds - 1,
         (double) n->seeds / seconds);
#define X(counter) printf(", %s %" PRIu64, #counter, n->counter);
  PRODUCT_COUNTERS(X)
#undef X
  printf(", slowest recovery %" PRIu64 " ms\n", n->recovery_ms_max);
}

/// Fewer kinds of faults, and a shorter time, as long as it still fails.
static void shrink(struct arguments *a, uint64_t seed) {
  struct product_options best = a->world;
  struct product_report r;
  for (int f = 0; f < FAULT_MAX; f++) {
    struct product_options less = best;
    less.off |= UINT64_C(1) << f;
    product_play(seed, &less, &r);
    if (r.failed) best = less;
  }
  for (int64_t ms = 6000; ms >= 200; ms = ms * 2 / 3) {
    struct product_options less = best;
    less.faults_ms = ms;
    product_play(seed, &less, &r);
    if (!r.failed) break;
    best = less;
  }
  product_play(seed, &best, &r);
  printf("  smaller: sim_product --seeds %" PRIu64 " --trace", seed);
  if (best.faults_ms != 0) printf(" --faults-ms %lld", (long long) best.faults_ms);
  for (int f = 0, n = 0; f < FAULT_MAX; f++)
    if (best.off >> f & 1) printf("%s%s", n++ == 0 ? " --off " : ",", product_fault_names[f]);
  printf("\n  which says: %s\n", r.why);
}

static void play(struct arguments *a, uint64_t seed, struct product_report *r) {
  struct product_report again;
  playing = seed;
  product_play(seed, &a->world, r);
  if (a->twice && !r->failed) {
    product_play(seed, &a->world, &again);
    if (again.hash != r->hash) {
      r->failed = true;
      snprintf(r->why, WHY_MAX, "the same seed played twice is not the same story");
    }
  }
  if (!r->failed) return;
  a->failed++;
  printf("FAILED seed %" PRIu64 ": %s\n  sim_product --seeds %" PRIu64 " --trace\n", seed, r->why, seed);
  if (!a->keep_going && !a->no_shrink && !a->twice && a->world.trace == NULL) shrink(a, seed);
  fflush(stdout);
}

/// A ledger goes on where the run before has ended.
static void choose_worlds(struct arguments *a) {
  bool named = a->first != 0;
  a->from = MAX(a->first, UINT64_C(1));
  a->first = a->ledger != NULL ? ledger_next(a->ledger, a->from) : a->from;
  if (named) a->to = a->from + a->count - 1;
  if (a->to != 0) a->count = a->to >= a->first ? a->to - a->first + 1 : 0;
}

int main(int argc, char **argv) {
  struct arguments a;
  struct product_counts total = {0};
  if (!parse(argc, argv, &a)) {
    fprintf(stderr, "sim_product [--seeds A..B] [--count N] [--to N] [--seconds N] [--ledger FILE] [--servers N] [--off A,B] [--faults-ms "
                    "N] [--trace] "
                    "[--twice] [--keep-going]\n");
    return 2;
  }
  static const int crashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE};
  for (size_t i = 0; i < ARRAY_SIZE(crashes); i++) signal(crashes[i], on_crash);
  keep_memory();
  choose_worlds(&a);
  double begin = seconds_now();
  for (uint64_t i = 0; i < a.count && (a.failed == 0 || a.keep_going) && seconds_now() - begin < (double) a.seconds; i++) {
    struct product_report r;
    uint64_t failed = a.failed;
    play(&a, a.first + i, &r);
    add(&total, &r.counts);
    if (a.ledger != NULL) ledger_add(a.ledger, a.from, a.first + i + 1, a.failed - failed, &r.counts);
    give_memory_back();
  }
  print_counts(&a, &total, seconds_now() - begin);
  return a.failed == 0 ? 0 : 1;
}
