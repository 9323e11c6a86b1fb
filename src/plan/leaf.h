// How to find the nodes or relationships that a pattern starts with.
#pragma once

#include "plan/query_graph.h"

enum { LEAF_PREDICATES_MAX = GRAPH_INDEX_KEYS_MAX + 3 };

struct leaf {
  enum plan_op_kind kind; // ALL_NODES_SCAN, LABEL_SCAN, NODE_INDEX_SEEK, NODE_BY_ID, NODE_BY_ELEMENT_ID; REL_INDEX_SEEK
  uint32_t node;          // or, REL_INDEX_SEEK, relationship
  double rows, cost;      // for each input row
  uint32_t solved[LEAF_PREDICATES_MAX]; // predicates that need no filter any more
  uint32_t solved_count;
  const struct graph_index *index;
  uint32_t equal[GRAPH_INDEX_KEYS_MAX]; // predicates, by key of the index
  uint32_t equal_count;
  uint32_t low, high, prefix, exists;   // predicates on the next key, or PLAN_NONE
};

/// The cheapest way to find node `node` where the slots in `available` are filled.
void leaf_choose(const struct query_graph *g, uint32_t node, const struct bits *available, struct leaf *ret);

/// The best way to find it by an index whose order what follows wishes for; false if there is none.
bool leaf_choose_ordered(const struct query_graph *g, uint32_t node, const struct bits *available, struct leaf *ret);

/// The cheapest index to find relationship `rel` by, or the best in the order that what follows wishes for; false if there is none.
bool leaf_choose_rel(const struct query_graph *g, uint32_t rel, const struct bits *available, bool ordered, struct leaf *ret);

/// Puts it on `c`. For a relationship `start` and `end` are the slots of its ends; others have none.
enum err leaf_push(struct query_graph *g, struct chain *c, const struct leaf *leaf, uint32_t start, uint32_t end) NODISCARD;
