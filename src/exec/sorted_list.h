// A node's relationships as one sorted list, where they lie: the slices of a hub follow one another in order. Places are values that stay
// good when the same list is read again.
#pragma once

#include "base/arena.h"
#include "graph/view.h"

struct sorted_list {
  const struct graph_slice *slices; // none is empty
  uint32_t slice_count;
  uint64_t count; // of relationships
};

struct list_place {
  uint32_t slice, item; // the end is {slice_count, 0}
};

/// All of `slices[0..n)`. `ordered`: those of one type and direction are known to follow one another; else, and where there are several of
/// these, what is not in order is sorted into `a`.
enum err sorted_list_of(const struct graph_slice *slices, uint32_t n, bool ordered, struct arena *a, struct sorted_list *ret, struct error *e)
    NODISCARD;

static inline bool list_at_end(const struct sorted_list *l, struct list_place at) {
  return at.slice == l->slice_count;
}
static inline uint64_t list_node(const struct sorted_list *l, struct list_place at) {
  return graph_slice_neighbour(&l->slices[at.slice], at.item);
}
static inline uint64_t list_rel(const struct sorted_list *l, struct list_place at) {
  return graph_slice_rel(&l->slices[at.slice], at.item);
}
static inline struct list_place list_next(const struct sorted_list *l, struct list_place at) {
  if (++at.item < l->slices[at.slice].count) return at;
  return (struct list_place){at.slice + 1, 0};
}
static inline bool list_places_are_equal(struct list_place a, struct list_place b) {
  return a.slice == b.slice && a.item == b.item;
}

/// First place at or behind `at` whose node is not below `node`: fast where it is near.
struct list_place list_seek(const struct sorted_list *l, struct list_place at, uint64_t node);

/// First place behind those that have the node of `at`.
struct list_place list_run_end(const struct sorted_list *l, struct list_place at);
