// Light factorisation: the last expand below a counting operator need not be spread out into rows. It hands on its input rows
// with a *tail*, the slices of relationships of each, and the operator above counts or marks their ends where they lie.
//
// A batch with a tail stands for `tail.elements` rows: each row as often as it has relationships in its slices, which may be never.
// Slices point into pages: whoever takes a tail is done with it before it calls anything that reads the graph, which may wait, or rest
// (graph_view_rest). There is no selection in a batch with a tail.
#pragma once

#include "exec/op.h"

enum { TAIL_ELEMENTS = 8192 }; // of one batch, at most

static inline bool batch_has_tail(const struct batch *b) {
  return b->tail.slot_node != UINT32_MAX;
}

/// Asks the expand below `op`, or below filters on its ends alone, for tails. Whether they come is settled batch by batch.
void tail_ask(struct op *op);

/// The node and the relationship that such tails have: those of the expand below `op`, through filters; false if there is none.
bool tail_slots(const struct plan_op *op, uint32_t *ret_node, uint32_t *ret_rel);

/// A tail under construction, in `arena`.
struct tail_builder {
  struct arena *arena;
  uint32_t *rows, *first; // row of the input, and its first slice
  uint32_t n, rows_capacity;
  struct graph_slice *slices;
  uint32_t slice_count, slice_capacity;
  uint32_t elements;
};

/// Room for `rows` rows and about as many slices.
enum err tail_begin(struct tail_builder *t, struct arena *a, uint32_t rows, struct error *e) NODISCARD;
/// The slices added next are row `row`'s.
void tail_row(struct tail_builder *t, uint32_t row);
/// Relationships [from, to) of a slice.
enum err tail_add(struct tail_builder *t, const struct graph_slice *slice, uint32_t from, uint32_t to, struct error *e) NODISCARD;
/// Makes it the tail of `b`, whose rows are those of the builder.
void tail_put(struct tail_builder *t, uint32_t slot_node, uint32_t slot_rel, struct batch *b);
