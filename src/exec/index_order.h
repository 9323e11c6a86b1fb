// An index seek in Cypher's order. Keys of an index stand in that order but for a few kinds of values (enum graph_tie in
// graph/view.h); runs of those are held back until they are whole, then sorted by the values themselves.
#pragma once

#include "exec/op.h"

/// Entities that were found and not handed out yet; in op->held, as long as one input batch is worked on. Zero-initialise for
/// each seek.
struct index_order {
  graph_id *ids;
  uint8_t *ties;
  uint32_t at, n, room;
};

/// As graph_index_seek, in order. The seek has ended when `scan->done` and index_order_is_empty. After ERR_WAIT nothing is lost.
enum err index_order_take(struct op *op, const struct graph_seek *seek, struct graph_scan *scan, struct index_order *queue,
                          graph_id *ids, uint32_t cap, uint32_t *ret_n, struct error *e) NODISCARD;

static inline bool index_order_is_empty(const struct index_order *queue) {
  return queue->at == queue->n;
}
