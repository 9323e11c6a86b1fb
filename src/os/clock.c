#include "os/clock.h"

#include <time.h>

#include "base/compiler.h"

static int64_t read_clock(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (int64_t) t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t system_monotonic_ns(struct clock *c UNUSED) {
  return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_wall_ns(struct clock *c UNUSED) {
  return read_clock(CLOCK_REALTIME);
}

struct clock *clock_system(void) {
  static struct clock system = {system_monotonic_ns, system_wall_ns};
  return &system;
}

static int64_t manual_monotonic_ns(struct clock *c) {
  return CONTAINER_OF(c, struct clock_manual, clock)->now_ns;
}

static int64_t manual_wall_ns(struct clock *c) {
  const struct clock_manual *m = CONTAINER_OF(c, struct clock_manual, clock);
  return m->now_ns + m->wall_offset_ns;
}

void clock_manual_init(struct clock_manual *m, int64_t wall_ns) {
  *m = (struct clock_manual){{manual_monotonic_ns, manual_wall_ns}, 0, wall_ns};
}

int32_t clock_zone_ahead_s(int64_t wall_ns) {
  time_t t = wall_ns / NS_PER_S;
  struct tm tm;
  return localtime_r(&t, &tm) != NULL ? (int32_t) tm.tm_gmtoff : 0;
}
