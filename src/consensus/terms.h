// The terms of a log's entries, by runs: all that consensus needs to know of an entry it no longer holds.
//
// One owner; memory grows with the number of terms in the retained log. A place that is not known has term 0.
#pragma once

#include "consensus/consensus.h"

struct terms {
  struct consensus_term_run *runs; // ascending in both; runs[0].first_index == first_index unless the log is empty
  size_t count, capacity;
  uint64_t first_index, last_index;       // empty: last_index == first_index - 1
  uint64_t snapshot_index, snapshot_term; // known even when it is not in the log
};

/// An empty log behind a snapshot (0, 0: none).
void terms_init(struct terms *t, uint64_t first_index, uint64_t snapshot_index, uint64_t snapshot_term);
void terms_done(struct terms *t);

/// 0: neither in the log nor the snapshot's.
uint64_t terms_at(const struct terms *t, uint64_t index);
/// The first index of the run that holds `index`, which must be in the log.
uint64_t terms_run_start(const struct terms *t, uint64_t index);
uint64_t terms_last(const struct terms *t);

/// One entry more. ERR_NOMEM.
enum err terms_append(struct terms *t, uint64_t term) NODISCARD;
/// Drops `from` and all behind it. `from` in first_index..last_index + 1.
void terms_truncate(struct terms *t, uint64_t from);
/// Drops all up to `to`, at most all.
void terms_forget(struct terms *t, uint64_t to);
/// Forgets the log: it goes on behind this snapshot.
void terms_restart(struct terms *t, uint64_t snapshot_index, uint64_t snapshot_term);
