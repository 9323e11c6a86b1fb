// Shortest paths between two nodes by breadth-first search from both ends: the side with the smaller frontier is expanded a level at
// a time until the two meet. On a power-law graph this visits a hundredth of what a search from one side does.
#pragma once

#include "base/map.h"
#include "exec/walk.h"

/// A way to a node that was reached: from `parent` (number in the side's queue) along `rel`.
struct search_edge {
  uint64_t rel;
  uint32_t parent;
  uint32_t next; // edge + 1 of the next way to the same node on the same level; 0: none
};

struct search_side {
  struct walk walk;
  struct arena arena;
  uint64_t *nodes;   // in the order in which they were reached
  uint32_t *depths, *edges; // edges: first way + 1, 0 for the root
  uint32_t n, capacity;
  struct search_edge *ways;
  uint32_t way_count, way_capacity;
  struct map places; // node to number
  uint32_t level_begin, level_end, at; // nodes of the deepest full level; next to be expanded
  uint32_t depth;    // of that level
  uint32_t meet_begin; // first of the nodes of the level under way
};

struct search {
  struct search_side sides[2]; // from the start, from the end
  struct neighbours neighbours;
  struct arena meets_arena;
  struct search_meet {
    uint32_t places[2];
  } *meets;
  uint32_t meet_count, meet_capacity;
  int expanding; // side whose level is under way; -1: none
  bool started, found;
};

void search_init(struct search *s, const struct walk *walk);
void search_done(struct search *s);
/// Starts over.
void search_clear(struct search *s);

/// Finds all places where shortest paths of at most `max` relationships meet; s->found tells if there is one, and then s->meets has all of
/// them. May wait: call again with the same arguments.
enum err search_run(struct search *s, const struct batch *in, uint32_t row, uint64_t from, uint64_t to, uint32_t max, struct error *e) NODISCARD;

/// Length of the paths found.
static inline uint32_t search_length(const struct search *s) {
  return s->sides[0].depths[s->meets[0].places[0]] + s->sides[1].depths[s->meets[0].places[1]];
}

/// A walk over all shortest paths: zero it to start.
struct search_paths {
  uint32_t meet;
  uint32_t *edges; // of the current path, by step; NULL before the first
};
/// The next path's relationships from start to end into `rels` (search_length of them); false at the end. Memory of `p` is in `a`.
enum err search_next_path(struct search *s, struct search_paths *p, struct arena *a, uint64_t *rels, bool *ret, struct error *e) NODISCARD;
