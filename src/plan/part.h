// A query graph while operators are made of it: a chain and what of the graph it has solved.
#pragma once

#include "plan/join_order.h"
#include "plan/query_graph.h"

struct part {
  struct query_graph *g;
  struct chain c;
  uint8_t *predicates, *nodes, *rels, *paths; // 1: solved, by number
};

enum err part_new(struct query_graph *g, const struct chain *c, struct part *ret) NODISCARD;
/// Applies the predicates that can be decided now; `last`: the volatile ones, too.
enum err part_filter(struct part *w, bool last) NODISCARD;
/// Finds the node of a leaf.
enum err part_leaf(struct part *w, const struct leaf *leaf) NODISCARD;
/// Relationships with both of their ends: by `leaf` if that is an index seek, by id, or all of that kind (plan/traverse.c).
enum err part_rel_scan(struct part *w, uint32_t rel, const struct leaf *leaf) NODISCARD;
/// Follows a relationship from node `from` (plan/traverse.c).
enum err part_traverse(struct part *w, uint32_t rel, uint32_t from) NODISCARD;
/// All of `rels` (numbers) from known nodes to node `to` at once.
enum err part_intersect(struct part *w, uint32_t to, const uint32_t *rels, uint32_t count) NODISCARD;
/// Relationships that come from before: checks them and fills their ends.
enum err part_endpoints(struct part *w, uint32_t rel) NODISCARD;
enum err part_shortest(struct part *w, uint32_t rel) NODISCARD;
enum err part_path(struct part *w, uint32_t path) NODISCARD;
/// Slots of solved relationships that `rel` must differ from.
enum err part_differ(const struct part *w, uint32_t rel, struct list_builder *ret) NODISCARD;
bool part_rels_may_meet(const struct query_graph *g, uint32_t a, uint32_t b);
/// Slots with the relationships of `rel`.
enum err part_rel_slots(const struct part *w, uint32_t rel, struct list_builder *ret) NODISCARD;
