// A hub: the relationships of one node, type and direction when they are many. A B+tree of pages sorted by (neighbour,
// relationship); leaves have the same split arrays as adjacency blocks, inner entries count what is below them, so that a degree
// is read from the root. The root's page id never changes.
#pragma once

#include "graph/adjacency_int.h"

/// Makes a hub of a block's run.
enum err hub_create(struct page_batch *b, graph_token type, const struct adjacency_run *run, block_ptr *ret,
                    struct error *e) NODISCARD;
enum err hub_insert(struct page_batch *b, page_id root, graph_id neighbour, graph_id rel, struct error *e) NODISCARD;
enum err hub_remove(struct page_batch *b, page_id root, graph_id neighbour, graph_id rel, struct error *e) NODISCARD;
enum err hub_free(struct page_batch *b, page_id root, struct error *e) NODISCARD;

enum err hub_count(const struct page_view *v, page_id root, uint64_t *ret, struct error *e) NODISCARD;
enum err hub_type(const struct page_view *v, page_id root, graph_token *ret, struct error *e) NODISCARD;
/// Leaves in order.
enum err hub_runs(const struct page_view *v, page_id root, adjacency_run_fn fn, void *context, struct error *e) NODISCARD;
/// Leaves that may hold `neighbour`.
enum err hub_runs_of(const struct page_view *v, page_id root, graph_id neighbour, adjacency_run_fn fn, void *context,
                     struct error *e) NODISCARD;
