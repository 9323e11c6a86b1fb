// Plays worlds in processes of their own, so that an assertion that fails is a finding like any other; makes a failing world
// small.
#pragma once

#include "raft_world.h"

// What the playing process tells, in memory that both have.
struct raft_report {
  uint64_t seed; // being played, or failed
  bool failed;
  char why[700];
  struct raft_counts counts;
};

/// Plays `count` worlds from `seed` on in a process of its own, until one fails. `progress` (may be NULL) is called about every 5
/// s, in that process. Valid until the next call.
const struct raft_report *raft_run(uint64_t seed, uint64_t count, const struct raft_options *o,
                                   void (*progress)(const struct raft_report *r));

/// Switches off faults and shortens the time of faults as long as the world of `seed` goes on failing.
void raft_shrink(uint64_t seed, struct raft_options *o);
/// Prints how to play it again, and the last lines of its story.
void raft_tell(uint64_t seed, const struct raft_options *o, unsigned lines);
