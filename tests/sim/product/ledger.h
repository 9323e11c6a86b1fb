// The ledger of worlds that were played: one line of totals for the worlds from some seed on. Several processes may keep lines of
// their own in one file.
#pragma once

#include "product.h"

#define PRODUCT_COUNTERS(X) \
  X(seeds)                  \
  X(acknowledged)           \
  X(refused)                \
  X(unknown)                \
  X(faults)                 \
  X(kills)                  \
  X(power_cuts)             \
  X(wipes)                  \
  X(older)                  \
  X(raised)                 \
  X(simulated_ms)

/// The world that follows those of the line that begins with `from`; `from` itself if there is no such line, or no file.
uint64_t ledger_next(const char *path, uint64_t from);
/// Adds to that line what has come since; `next` is the world that follows.
void ledger_add(const char *path, uint64_t from, uint64_t next, uint64_t failed, const struct product_counts *n);
