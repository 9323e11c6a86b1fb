// The simulator of clusters: `sim_raft [--voters 3|5] [--order fifo|wild] [--seed N] [--count M] [--ledger FILE] ...`.
//
// Each seed is a world of its own (raft_world.h): some seconds in which everything goes wrong, then all is healed and everything
// must work again. A seed that fails is played again with fewer kinds of faults and for a shorter time as long as it still fails,
// and the end of its story is printed with the command that plays it.
//
//   --voters N      first voters, 3 (default) or 5; 1: a voter that stays alone, with learners
//   --order O       fifo (default): a stream between each two members; wild: frames overtake, are lost, come twice
//   --seed N        the first seed; without it, where the ledger says that the last run ended, or 1
//   --count M       worlds to play, 500
//   --ledger FILE   totals of this combination are added there
//   --label TEXT    goes into the combination's name in the ledger
//   --off A,B       kinds of faults that do not happen; --faults-ms N: how long they do
//   --table         which fault hit members how often in which state
//   --trace         prints the story; --no-shrink: does not try to make a failure small
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "os/clock.h"
#include "raft_shrink.h"

struct arguments {
  struct raft_options world;
  uint64_t seed, count;
  const char *ledger, *label;
  bool shrink, table;
};

#define COUNTERS(X) \
  X(seeds)          \
  X(elections)      \
  X(truncations)    \
  X(installs)       \
  X(changes)        \
  X(transfers)      \
  X(crashes)        \
  X(kills)          \
  X(closed)         \
  X(entries)        \
  X(reads)          \
  X(checkpoints)    \
  X(messages)       \
  X(saves)          \
  X(saves_cut)      \
  X(simulated_ms)

static int64_t begin_ns;

// ---- the ledger: one line a combination, with totals ----

static void combination(const struct arguments *a, char *to, size_t bytes) {
  snprintf(to, bytes, "%u-%s%s%s", a->world.voters, a->world.wild ? "wild" : "fifo", a->label != NULL ? "-" : "",
           a->label != NULL ? a->label : "");
}

static uint64_t field(const char *line, const char *name) {
  char key[64];
  snprintf(key, sizeof key, " %s=", name);
  const char *at = strstr(line, key);
  return at != NULL ? strtoull(at + strlen(key), NULL, 10) : 0;
}

// The line of this combination; empty if there is none yet. Other lines go to `others`, if given.
static void read_ledger(const struct arguments *a, char *line, size_t bytes, FILE *others) {
  char name[100], read[1000];
  combination(a, name, sizeof name);
  line[0] = '\0';
  FILE *f = a->ledger != NULL ? fopen(a->ledger, "r") : NULL;
  if (f == NULL) return;
  while (fgets(read, sizeof read, f) != NULL) {
    bool mine = strncmp(read, name, strlen(name)) == 0 && read[strlen(name)] == ' ';
    if (mine) snprintf(line, bytes, "%s", read);
    if (!mine && others != NULL) fputs(read, others);
  }
  fclose(f);
}

static void write_ledger(const struct arguments *a, const struct raft_report *r) {
  char line[1000], name[100], path[1000];
  if (a->ledger == NULL) return;
  snprintf(path, sizeof path, "%s.new", a->ledger);
  FILE *f = fopen(path, "w");
  if (f == NULL) return;
  read_ledger(a, line, sizeof line, f);
  combination(a, name, sizeof name);
  fprintf(f, "%s next=%" PRIu64 " failures=%" PRIu64, name, r->seed + 1, field(line, "failures") + r->failed);
#define X(counter) fprintf(f, " %s=%" PRIu64, #counter, field(line, #counter) + r->counts.counter);
  COUNTERS(X)
#undef X
  fputc('\n', f);
  fclose(f);
  rename(path, a->ledger);
}

// ---- arguments ----

static uint64_t faults_named(const char *list) {
  uint64_t set = 0;
  for (int f = 0; f < RAFT_FAULT_MAX; f++) {
    size_t n = strlen(raft_fault_names[f]);
    for (const char *at = list; (at = strstr(at, raft_fault_names[f])) != NULL; at++)
      if ((at == list || at[-1] == ',') && (at[n] == ',' || at[n] == '\0')) set |= UINT64_C(1) << f;
  }
  return set;
}

static bool parse(int argc, char **argv, struct arguments *a) {
  *a = (struct arguments){.world = {.voters = 3}, .count = 500, .shrink = true};
  for (int i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--trace") == 0) {
      a->world.trace = stdout;
      continue;
    }
    if (strcmp(argv[i], "--table") == 0) {
      a->table = true;
      continue;
    }
    if (strcmp(argv[i], "--no-shrink") == 0) {
      a->shrink = false;
      continue;
    }
    i++;
    if (strcmp(argv[i - 1], "--voters") == 0)
      a->world.voters = (unsigned) strtoul(value, NULL, 10);
    else if (strcmp(argv[i - 1], "--order") == 0)
      a->world.wild = strcmp(value, "wild") == 0;
    else if (strcmp(argv[i - 1], "--seed") == 0)
      a->seed = strtoull(value, NULL, 10);
    else if (strcmp(argv[i - 1], "--count") == 0)
      a->count = strtoull(value, NULL, 10);
    else if (strcmp(argv[i - 1], "--ledger") == 0)
      a->ledger = value;
    else if (strcmp(argv[i - 1], "--label") == 0)
      a->label = value;
    else if (strcmp(argv[i - 1], "--off") == 0)
      a->world.off = faults_named(value);
    else if (strcmp(argv[i - 1], "--faults-ms") == 0)
      a->world.faults_ms = (uint32_t) strtoul(value, NULL, 10);
    else
      return false;
  }
  return a->world.voters == 1 || a->world.voters == 3 || a->world.voters == 5;
}

// ---- the run ----

// Other processes slow a machine down, not this figure.
static double processor_seconds(void) {
  double seconds = 0.001;
  static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
  for (int i = 0; i < 2; i++) {
    struct rusage used;
    if (getrusage(whose[i], &used) == 0) seconds += (double) used.ru_utime.tv_sec + (double) used.ru_utime.tv_usec / 1e6;
  }
  return seconds;
}

static void print_counts(const char *word, const struct raft_report *r) {
  double seconds = (double) (clock_monotonic_ns(clock_system()) - begin_ns) / NS_PER_S;
  printf("%s %" PRIu64 ": %.0f seeds/s, %.0f a processor second", word, r->seed, (double) r->counts.seeds / seconds,
         (double) r->counts.seeds / processor_seconds());
#define X(counter) printf(", %s %" PRIu64, #counter, r->counts.counter);
  COUNTERS(X)
#undef X
  printf(", slowest recovery %" PRIu64 " ms\n", r->counts.settle_ms_max);
  fflush(stdout);
}

/// Which fault hit members how often in which state.
static void print_table(const struct raft_report *r) {
  printf("| fault | leader | follower | candidate | waits for a copy | waits for a save |\n|---|---|---|---|---|---|\n");
  for (int f = 0; f < RAFT_FAULT_MAX; f++) {
    const uint64_t *n = r->counts.struck[f];
    if (n[RAFT_LEADS] + n[RAFT_FOLLOWS] + n[RAFT_STANDS] + n[RAFT_AWAITS_COPY] + n[RAFT_SAVES] == 0) continue;
    printf("| `%s` | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 " |\n", raft_fault_names[f], n[RAFT_LEADS],
           n[RAFT_FOLLOWS], n[RAFT_STANDS], n[RAFT_AWAITS_COPY], n[RAFT_SAVES]);
  }
}

static void progress(const struct raft_report *r) {
  print_counts("at seed", r);
}

static void explain(const struct arguments *a, const struct raft_report *r) {
  uint64_t seed = r->seed;
  struct raft_options o = a->world;
  printf("FAILED seed %" PRIu64 " after %" PRIu64 " seeds: %s\n", seed, r->counts.seeds, r->why);
  if (a->world.trace != NULL) return;
  if (a->shrink) {
    raft_shrink(seed, &o);
    raft_tell(seed, &o, 120);
  }
}

int main(int argc, char **argv) {
  struct arguments a;
  char line[1000];
  if (!parse(argc, argv, &a)) {
    fprintf(
        stderr,
        "sim_raft [--voters 3|5] [--order fifo|wild] [--seed N] [--count M] [--ledger FILE] [--off A,B] [--table] [--trace]\n");
    return 2;
  }
  read_ledger(&a, line, sizeof line, NULL);
  if (a.seed == 0) a.seed = MAX(field(line, "next"), 1u);
  begin_ns = clock_monotonic_ns(clock_system());
  const struct raft_report *r = raft_run(a.seed, a.count, &a.world, progress);
  bool good = !r->failed;
  write_ledger(&a, r);
  print_counts(good ? "ok to seed" : "FAILED at seed", r);
  if (a.table) print_table(r);
  if (!good) explain(&a, r);
  return good ? 0 : 1;
}
