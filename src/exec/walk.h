// One step of a walk: the relationships of one node that fit direction, types, uniqueness and the predicates on a step. Shared by the
// variable-length operators and shortest paths.
#pragma once

#include "exec/op.h"

/// What fits, copied out of the pages.
struct neighbours {
  uint64_t *nodes, *rels;
  uint32_t n;
  struct arena arena; // of the arrays
};

void neighbours_init(struct neighbours *n, struct mem_budget *budget);
void neighbours_done(struct neighbours *n);

/// What a step must fulfil. Plain data; `op` is the operator that walks.
struct walk {
  struct op *op;
  enum graph_direction direction;
  struct plan_list types, differ;
  uint32_t step_rel, step_node;
  struct plan_exprs rel_predicates, node_predicates;
};

/// The fitting relationships of `node` for row `row` of `in`; slots of the row can be read by the predicates. May wait: then `ret` is empty.
enum err walk_neighbours(struct walk *w, const struct batch *in, uint32_t row, uint64_t node, struct neighbours *ret, struct error *e) NODISCARD;

/// `node` by itself passes the node predicates.
enum err walk_node_passes(struct walk *w, const struct batch *in, uint32_t row, uint64_t node, struct arena *a, bool *ret, struct error *e)
    NODISCARD;
