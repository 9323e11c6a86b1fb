// A countdown that makes the n-th allocation (or another counted operation) fail, so that a test can walk through every
// failure of a piece of code: `for (n = 0; ; n++) { fault_arm(&fault_alloc, n, 1); ...; if (!fault_fired(&fault_alloc)) break; }`
// Process-wide on purpose: allocation is. Only tests arm it; unarmed it costs one relaxed load.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct fault {
  _Atomic int64_t countdown; // operations still to succeed; negative: not armed
  _Atomic int64_t repeat;    // how many fail after that; negative: all
  _Atomic bool fired;
};

extern struct fault fault_alloc;

void fault_arm(struct fault *f, int64_t after, int64_t repeat);
void fault_disarm(struct fault *f);
bool fault_fired(const struct fault *f);

/// Counts one operation; true if it must fail.
bool fault_hit(struct fault *f);
