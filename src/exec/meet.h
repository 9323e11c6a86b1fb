// One shortest path between two nodes where nothing but direction and types restrict a step: breadth-first search from both ends over
// bitmaps, the side with the smaller frontier first, a bundle of nodes at a time so that the store can fetch ahead. It ends at the
// first node that both sides have: when levels a and b are complete without a common node, every node that the next level has in
// common with the other side gives a path of a + b + 1 relationships.
//
// Where steps have predicates, or all paths are wanted, see search.h. One owner; not thread-safe.
#pragma once

#include "exec/idset.h"
#include "exec/op.h"

struct meet_side {
  enum graph_direction direction;
  struct idset seen;
  struct arena arena;
  uint64_t *nodes;   // in the order in which they were reached
  uint32_t *parents; // number of the node from which each was
  uint32_t n, capacity;
  uint32_t level_end, at; // the frontier is [at, level_end); nodes behind it are of the next level
  uint32_t level_begin, depth;
};

struct meet {
  struct op *op;
  struct plan_list types;
  struct meet_side sides[2]; // from the start, from the end
  struct arena slices;
  int expanding; // side whose level is under way; -1: none
  bool started, found;
  uint32_t places[2]; // where the path's middle is: the last node of each side
};

void meet_init(struct meet *m, struct op *op, enum graph_direction direction, struct plan_list types);
void meet_done(struct meet *m);
/// Starts over.
void meet_clear(struct meet *m);

/// Looks for a path of at most `max` relationships between two different nodes; m->found tells. May wait: call again with the same arguments.
enum err meet_run(struct meet *m, uint64_t from, uint64_t to, uint32_t max, struct error *e) NODISCARD;

/// Relationships of the path that was found.
uint32_t meet_length(const struct meet *m);
/// These, from start to end, in `rels`. May wait; scratch memory is in `a`.
enum err meet_rels(struct meet *m, struct arena *a, uint64_t *rels, struct error *e) NODISCARD;
