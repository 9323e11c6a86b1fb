// In which order to find the nodes and relationships of one connected part of a query graph.
//
// A *step* is a light node of a candidate plan: it says what is done to the steps below it. Up to JOIN_EXACT_MAX relationships the best
// steps are found by dynamic programming over the sets of relationships, above that greedily: the cheapest next expand.
// Both are deterministic.
#pragma once

#include "plan/leaf.h"
#include "plan/query_graph.h"

enum { JOIN_EXACT_MAX = 10, JOIN_RELS_MAX = 2000 };

enum step_kind {
  STEP_INPUT,     // the rows that come from before
  STEP_FRESH,     // a row without any of them, to start the right side of a join
  STEP_LEAF,      // finds node `leaf`
  STEP_REL_SCAN,  // all of `rel`, with both ends
  STEP_EXPAND,    // `rel` from node `from`
  STEP_INTO,      // `rel`, both ends known
  STEP_JOIN,      // left and right have nodes in common
  STEP_PRODUCT,   // they have none
  STEP_INTERSECT, // node `from` by the relationships in `rels` at once
};

struct step {
  enum step_kind kind;
  const struct step *left, *right;
  struct leaf leaf;
  uint32_t rel, from;
  uint64_t rels;  // INTERSECT: set of numbers in the component
  double rows, cost;
};

/// One connected part: numbers of nodes and relationships of the graph. Shortest paths do not connect.
struct component {
  uint32_t *nodes, *rels;
  uint32_t node_count, rel_count;
  bool bound; // has a node that comes from before
};

/// The components, each node and relationship (but shortest ones) in exactly one; in order of their first node.
enum err components_find(struct query_graph *g, struct component **ret, uint32_t *ret_count) NODISCARD;

/// The best steps for `k` on top of `c`.
enum err join_order(struct query_graph *g, const struct component *k, const struct chain *c, const struct step **ret) NODISCARD;
