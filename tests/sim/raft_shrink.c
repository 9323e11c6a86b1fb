#include "raft_shrink.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/clock.h"

#define WORLD_SECONDS_MAX 60u

static struct raft_report *shared(void) {
  static struct raft_report *r;
  if (r == NULL) r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (r == MAP_FAILED) abort();
  return r;
}

static NORETURN void play_all(uint64_t seed, uint64_t count, const struct raft_options *o,
                              void (*progress)(const struct raft_report *r)) {
  struct raft_report *r = shared();
  int64_t said_ns = clock_monotonic_ns(clock_system());
  for (uint64_t end = seed + count; seed < end; seed++) {
    alarm(WORLD_SECONDS_MAX);
    r->seed = seed;
    r->failed = !raft_play(seed, o, &r->counts, r->why, sizeof r->why);
    if (r->failed) break;
    int64_t now_ns = clock_monotonic_ns(clock_system());
    if (progress == NULL || now_ns - said_ns < 5 * NS_PER_S) continue;
    said_ns = now_ns;
    progress(r);
  }
  if (o->trace != NULL) fflush(o->trace);
  fflush(stdout);
  exit(r->failed); // a sanitizer that looks for leaks does so now
}

const struct raft_report *raft_run(uint64_t seed, uint64_t count, const struct raft_options *o,
                                   void (*progress)(const struct raft_report *r)) {
  struct raft_report *r = shared();
  int status = 0;
  memset(r, 0, sizeof *r);
  r->seed = seed;
  fflush(stdout);
  pid_t child = fork();
  if (child < 0) abort();
  if (child == 0) play_all(seed, count, o, progress);
  while (waitpid(child, &status, 0) != child) {
  }
  if (WIFSIGNALED(status)) {
    r->failed = true;
    int signal = WTERMSIG(status);
    snprintf(r->why, sizeof r->why, signal == 14 ? "it does not end" : signal == 6 ? "an assertion failed" : "signal %d", signal);
  }
  return r;
}

static bool still_fails(uint64_t seed, const struct raft_options *o) {
  return raft_run(seed, 1, o, NULL)->failed;
}

static bool drop_faults(uint64_t seed, struct raft_options *o) {
  bool any = false;
  for (int f = 0; f < RAFT_FAULT_MAX; f++) {
    struct raft_options less = *o;
    less.off |= UINT64_C(1) << f;
    if (less.off == o->off || !still_fails(seed, &less)) continue;
    *o = less;
    any = true;
  }
  return any;
}

static void shorten(uint64_t seed, struct raft_options *o) {
  uint32_t ms = o->faults_ms != 0 ? o->faults_ms : 12000;
  for (uint32_t step = ms / 2; step >= 20; step /= 2) {
    struct raft_options less = *o;
    while (ms > step && (less.faults_ms = ms - step, still_fails(seed, &less))) {
      ms -= step;
      *o = less;
    }
  }
}

void raft_shrink(uint64_t seed, struct raft_options *o) {
  shorten(seed, o);
  while (drop_faults(seed, o)) {
  }
  shorten(seed, o);
}

static void print_tail(FILE *f, unsigned lines) {
  char line[600];
  unsigned all = 0;
  rewind(f);
  while (fgets(line, sizeof line, f) != NULL) all++;
  rewind(f);
  for (unsigned i = 0; fgets(line, sizeof line, f) != NULL; i++)
    if (i + lines >= all) fputs(line, stdout);
}

void raft_tell(uint64_t seed, const struct raft_options *o, unsigned lines) {
  struct raft_options told = *o;
  told.trace = tmpfile();
  if (told.trace == NULL) return;
  const struct raft_report *r = raft_run(seed, 1, &told, NULL);
  print_tail(told.trace, lines);
  fclose(told.trace);
  printf("again: sim_raft --voters %u --order %s --seed %" PRIu64 " --count 1", o->voters, o->wild ? "wild" : "fifo", seed);
  if (o->faults_ms != 0) printf(" --faults-ms %u", o->faults_ms);
  const char *separator = " --off ";
  for (int f = 0; f < RAFT_FAULT_MAX; f++) {
    if (!(o->off >> f & 1)) continue;
    printf("%s%s", separator, raft_fault_names[f]);
    separator = ",";
  }
  printf(" --trace\n%s\n", r->failed ? r->why : "(it does not fail this time)");
}
