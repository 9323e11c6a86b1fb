// Counts that are kept exact on every write: for `count(*)` and for the planner. They live in the tree "statistics", which a
// snapshot sees as it sees the data, and as a map in memory for the planner.
#pragma once

#include "base/map.h"
#include "graph/types.h"
#include "os/thread.h"
#include "store/btree.h"

enum statistic {
  STATISTIC_NODES,         // by label or GRAPH_ANY
  STATISTIC_RELS,          // by type or GRAPH_ANY
  STATISTIC_RELS_OF_START, // by label of the start node, and type or GRAPH_ANY
  STATISTIC_RELS_OF_END,   // by label of the end node, and type or GRAPH_ANY
  STATISTIC_SOURCES_OUT,   // nodes that have the type outgoing
  STATISTIC_SOURCES_IN,
  STATISTIC_SQUARES_OUT, // sum over nodes of the square of how often
  STATISTIC_SQUARES_IN,
  STATISTIC_INDEX_ENTRIES, // by index
  STATISTIC_INDEX_DISTINCT,
};

typedef uint64_t statistic_key;
statistic_key statistic_key_of(enum statistic s, uint32_t a, uint32_t b);

struct statistics {
  page_id root; // key u64 big-endian -> u64
  struct mutex mutex;
  struct map published; // key -> count
  struct map deltas;    // of the open batch; the applier only
};

void statistics_init(struct statistics *s);
void statistics_done(struct statistics *s);
enum err statistics_load(struct statistics *s, const struct page_view *v, struct error *e) NODISCARD;

/// Adds to a count in the open batch.
enum err statistics_add(struct statistics *s, enum statistic which, uint32_t a, uint32_t b, int64_t by) NODISCARD;
/// Writes the batch's changes to the tree and makes room for them in memory, so that publishing cannot fail.
enum err statistics_flush(struct statistics *s, struct page_batch *b, struct error *e) NODISCARD;
/// After the batch was published, or aborted.
void statistics_publish(struct statistics *s);
void statistics_abort(struct statistics *s);

/// For the planner: as published.
uint64_t statistics_get(struct statistics *s, enum statistic which, uint32_t a, uint32_t b);
/// As a view sees it.
enum err statistics_read(const struct statistics *s, const struct page_view *v, enum statistic which, uint32_t a, uint32_t b,
                         uint64_t *ret, struct error *e) NODISCARD;
