// The log for people: events become lines on the console and in logs/neo4j.log, which is rotated.
//
//   2016-11-25 16:39:50.333+0000 INFO  Starting...
//
// Raising an event copies its line into a bounded queue; a thread of the log's own writes, so that a full pipe or a slow disk holds nobody
// up. Lines that find no room are counted, and the count is written where they are missing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/event.h"
#include "os/clock.h"

struct user_log;

struct user_log_options {
  const char *path; // of the file; NULL: console only
  bool console;     // standard output
  bool debug;       // events of level DEBUG, too
  bool local_time;  // stamps in the zone of the system rather than UTC
  int64_t rotation_bytes; // 0: never
  int keep;               // rotated files: path.1 is the newest
  struct clock *clock;
};

enum err user_log_open(const struct user_log_options *options, struct user_log **ret, struct error *e) NODISCARD;

/// Where to raise events; lives as long as the log.
struct event_sink *user_log_sink(struct user_log *log);

/// Writes what is queued, ends the thread, frees. NULL is fine.
void user_log_close(struct user_log *log);

enum { USER_LOG_STAMP = 28 };

/// "2016-11-25 16:39:50.333+0000" into `out` (with a NUL), in a zone that is so far ahead of UTC. Pure.
void user_log_stamp(int64_t wall_ns, int32_t ahead_s, char out[USER_LOG_STAMP + 1]);
