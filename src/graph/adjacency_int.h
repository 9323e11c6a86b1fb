// A node's relationships in one direction: nothing, one block of one type, or a directory with a block or a hub for each type.
// A block is sorted by (neighbour, relationship) in split arrays; beyond half a page it becomes a hub (hub_int.h).
#pragma once

#include "graph/blocks_int.h"

enum { ADJACENCY_HEAD = 8, ADJACENCY_BLOCK_BYTES_MAX = 2032, DIRECTORY_ENTRIES_MAX = 253 };

/// One run of relationships in place; dies with page access.
struct adjacency_run {
  const uint32_t *neighbours, *rels;
  const uint8_t *neighbours_high, *rels_high; // NULL: all 0
  uint32_t count;
};

struct adjacency_type {
  graph_token type;
  block_ptr pointer; // BLOCK_ADJACENCY or BLOCK_HUB
};

/// Called for runs in order; an error ends the walk and is returned.
typedef enum err (*adjacency_run_fn)(void *context, graph_token type, const struct adjacency_run *run, struct error *e);

/// The types under a node's pointer, ascending, in `a`.
enum err adjacency_types(const struct page_view *v, block_ptr root, struct arena *a, struct adjacency_type **ret, uint32_t *ret_n,
                         struct error *e) NODISCARD;
/// The one with that type; BLOCK_NONE where there is none.
enum err adjacency_find(const struct page_view *v, block_ptr root, graph_token type, block_ptr *ret, struct error *e) NODISCARD;

/// Runs of one pointer (a block or a hub).
enum err adjacency_runs(const struct page_view *v, block_ptr pointer, adjacency_run_fn fn, void *context,
                        struct error *e) NODISCARD;
/// How many relationships a pointer has.
enum err adjacency_count(const struct page_view *v, block_ptr pointer, uint64_t *ret, struct error *e) NODISCARD;
/// Runs that may hold `neighbour`, of one pointer.
enum err adjacency_runs_of(const struct page_view *v, block_ptr pointer, graph_id neighbour, adjacency_run_fn fn, void *context,
                           struct error *e) NODISCARD;
/// A plain block in place: the fast way for the commonest case; the second form where its bytes are known already.
enum err adjacency_block(const struct page_view *v, block_ptr pointer, graph_token *ret_type, struct adjacency_run *ret,
                         struct error *e) NODISCARD;
enum err adjacency_block_at(const uint8_t *at, unsigned room, block_ptr pointer, graph_token *ret_type, struct adjacency_run *ret,
                            struct error *e) NODISCARD;

static inline graph_id run_neighbour(const struct adjacency_run *r, uint32_t i) {
  return r->neighbours[i] | (r->neighbours_high != NULL ? (graph_id) r->neighbours_high[i] << 32 : 0);
}
static inline graph_id run_rel(const struct adjacency_run *r, uint32_t i) {
  return r->rels[i] | (r->rels_high != NULL ? (graph_id) r->rels_high[i] << 32 : 0);
}
/// The first place whose (neighbour, relationship) is not below the one asked for.
uint32_t run_lower_bound(const struct adjacency_run *r, graph_id neighbour, graph_id rel);

// ---- the applier's side ----

/// Adds one; `*root` may change. `*ret_before` is how many of that type there were. ERR_CORRUPT if it is there already.
enum err adjacency_insert(struct blocks *k, struct page_batch *b, block_ptr *root, graph_token type, graph_id neighbour,
                          graph_id rel, uint64_t *ret_before, struct error *e) NODISCARD;
/// Takes one out. ERR_CORRUPT if it is not there.
enum err adjacency_remove(struct blocks *k, struct page_batch *b, block_ptr *root, graph_token type, graph_id neighbour,
                          graph_id rel, uint64_t *ret_before, struct error *e) NODISCARD;
