// What clients did and saw, and whether a causal cluster may have told them that. What is promised is written down in
// tests/cluster/list_append.py, and is judged here in the same words:
//
// - Read committed, a snapshot a statement: no G0, G1a, G1b, G1c; an append is made to the list as it is, never to an older one.
// - What was acknowledged is there, once; what was refused is not; what nobody knows is there whole or not at all.
// - A transaction sees what it appended itself.
// - What a transaction reads after its first write, and commits, is not older than what was acknowledged before it began;
// transactions commit
//   in the order in which they followed upon each other.
// - Bookmarks are causal on every member.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "driver.h"

enum { LISTS = 5, COUNTERS = 3, OPS_MAX = 4, BATCHES_MAX = 2 };

enum history_batch { BATCH_NOT_THERE, BATCH_THERE, BATCH_UNKNOWN };

struct history_op {
  bool append;
  uint32_t key;
  int64_t value; // appended
  bool read;     // what was seen is known
  int64_t *seen;
  uint32_t seen_count;
};

struct history_txn {
  int64_t begin_ns, end_ns;
  enum outcome outcome;
  uint64_t after;    // the place that the bookmark it began with names; 0: none
  uint64_t bookmark; // that of the answer; 0: none
  uint32_t client, server;
  uint32_t op_count;
  struct history_op ops[OPS_MAX];
};

struct history {
  struct history_txn *txns;
  uint32_t txn_count, txn_room;
  uint64_t counter_acknowledged[COUNTERS], counter_unknown[COUNTERS];
  uint8_t *merged; // by key: 1 somebody tried, 2 it was acknowledged
  uint32_t merged_room;
  enum history_batch batches[BATCHES_MAX]; // large transactions
  uint32_t batch_count;
  int64_t next_value;
};

/// How everything stands in the end.
struct history_end {
  int64_t *lists[LISTS];
  uint32_t lengths[LISTS];
  int64_t counters[COUNTERS];
};

struct history_txn *history_add(struct history *h);
/// A copy of what was seen.
void history_saw(struct history_op *op, const struct answer *a);
void history_merged(struct history *h, uint32_t key, bool acknowledged);
/// True: all is as promised; otherwise the first thing that is not.
bool history_check(const struct history *h, const struct history_end *end, char *why, size_t bytes);
