// What the files of this module share: one database.
#pragma once

#include "graph/blocks_int.h"
#include "graph/commit_int.h"
#include "graph/digest_int.h"
#include "graph/graph.h"
#include "graph/lock_int.h"
#include "graph/property_int.h"
#include "graph/record_int.h"
#include "graph/schema_int.h"
#include "graph/statistics_int.h"
#include "graph/tokens_int.h"
#include "store/store.h"

struct reader; // reader_int.h

#ifdef __SANITIZE_ADDRESS__
enum { GRAPH_TX_IDLE_MAX = 0 }; // so that a transaction that is used after its end is seen
#else
enum { GRAPH_TX_IDLE_MAX = 256 };
#endif
enum { GRAPH_ACCESSES_IDLE_MAX = 64 };

struct graph {
  struct graph_options options;
  struct store *store;
  uint64_t checkpoint_log_bytes; // of the log when the last checkpoint began: the applier's
  uint64_t checkpoint_index;     // what it holds: the applier's
  _Atomic int64_t checkpoint_at_ns; // monotonic: when it began
  _Atomic bool checkpoint_wanted;
  struct page_space *space;
  char uuid_text[37];

  // What pages say, kept in memory. Readers need no lock; the applier adds.
  struct tokens tokens;
  struct shapes shapes;
  struct records nodes, rels;
  struct statistics statistics;
  page_id labels_root, types_root, schema_root;

  // The applier's own.
  struct blocks blocks;
  struct applier *applier;

  // Schema: the pointer is under the mutex, what it points to is counted.
  struct mutex schema_mutex;
  struct schema *schema;

  struct digests digests;
  struct locks locks;
  struct lock_owner population_owner; // keeps writers out while a constraint's index is filled, its creator gone or not
  struct commits commits;
  _Atomic graph_id next_node, next_rel; // the leader's: ids given out

  // Page accesses that no thread uses now.
  struct mutex access_mutex;
  struct page_access *accesses[GRAPH_ACCESSES_IDLE_MAX];
  unsigned access_count;

  // Transactions that are over, kept for use.
  struct mutex idle_mutex;
  struct graph_tx *idle;
  unsigned idle_count;

  // Transactions that wait for cold pages.
  struct mutex cold_mutex;
  struct graph_tx *cold;

  // Why nothing is written any more.
  struct mutex failure_mutex;
  struct error failure;

  struct page_access *applier_access;
  _Atomic int64_t round_ns; // of the log writer's last round
  _Atomic uint64_t transactions_open, committed, rolled_back, batches, commands;
};

static inline struct property_store graph_property_store(struct graph *g) {
  return (struct property_store){&g->blocks, &g->shapes};
}

/// The schema of now, held for the caller.
struct schema *graph_schema(struct graph *g);
/// Makes a changed one the schema of now; takes the caller's reference.
void graph_schema_publish(struct graph *g, struct schema *s);

/// A page access for the calling thread, and back.
enum err graph_access_take(struct graph *g, struct page_access **ret, struct error *e) NODISCARD;
void graph_access_give(struct graph *g, struct page_access *a);

/// Asks for the schema lock on behalf of a constraint whose index is being filled: next in line after whoever holds it. And back,
/// once none is being filled. The applier only.
enum err graph_population_lock(struct graph *g, struct error *e) NODISCARD;
void graph_population_unlock(struct graph *g);

/// Remembers the first cause why this graph must not write any more, and tells the log.
void graph_fail(struct graph *g, enum err err, const struct error *e);
/// The same without the log. False: there was a cause before.
bool graph_end(struct graph *g, enum err err, const struct error *e);

/// Tells whoever owns the threads that a machine has work.
static inline void graph_work(struct graph *g, enum graph_machine machine) {
  if (g->options.work_ready != NULL) g->options.work_ready(g->options.context, machine);
}

/// Loads everything in memory from the newest pages: at open, and after an aborted batch.
enum err graph_load(struct graph *g, struct error *e) NODISCARD;

/// High waters of ids in the superblock's area: a node id, a relationship id.
static inline graph_id graph_high_water(struct graph *g, enum graph_kind kind) {
  return get_u64_le(store_meta(g->store) + 8 * kind);
}
