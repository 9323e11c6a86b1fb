// Time as a table, so that a simulator can be its own master of it. Nothing outside `os` asks the system for the time.
#pragma once

#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

struct clock {
  /// Nanoseconds since an arbitrary point; never goes back.
  int64_t (*monotonic_ns)(struct clock *c);
  /// Nanoseconds since 1970-01-01T00:00:00Z; may jump either way.
  int64_t (*wall_ns)(struct clock *c);
};

/// The machine's clock. Static, thread-safe.
struct clock *clock_system(void);

static inline int64_t clock_monotonic_ns(struct clock *c) {
  return c->monotonic_ns(c);
}

static inline int64_t clock_wall_ns(struct clock *c) {
  return c->wall_ns(c);
}

/// How far the time zone of the system was, or will be, ahead of UTC then.
int32_t clock_zone_ahead_s(int64_t wall_ns);

/// A clock that only moves when told, for tests and simulators. Embed it and pass `&m.clock`.
struct clock_manual {
  struct clock clock;
  int64_t now_ns;
  int64_t wall_offset_ns;
};

void clock_manual_init(struct clock_manual *m, int64_t wall_ns);
