#include "plan/catalog.h"

// graph/view.h and graph/stats.h take a graph; a catalog carries it as its context.
#include "graph/view.h"

static bool graph_find_token(void *g, enum graph_token_kind kind, struct str name, graph_token *ret) {
  return graph_token_find(g, kind, name, ret);
}
static uint64_t graph_tokens(void *g) {
  return graph_token_version(g);
}
static uint64_t graph_schema(void *g) {
  return graph_stats_schema_version(g);
}
static double graph_nodes(void *g, graph_token label) {
  return graph_stats_nodes(g, label);
}
static double graph_rels(void *g, graph_token start, graph_token type, graph_token end) {
  return graph_stats_rels(g, start, type, end);
}
static double graph_sources(void *g, graph_token type, enum graph_direction direction) {
  return graph_stats_distinct_sources(g, type, direction);
}
static double graph_squares(void *g, graph_token type, enum graph_direction direction) {
  return graph_stats_degree_squares(g, type, direction);
}
static bool graph_indexes(void *g, struct arena *a, struct graph_index **ret, uint32_t *ret_n) {
  return graph_stats_indexes(g, a, ret, ret_n);
}
static struct graph_index_stats graph_index_numbers(void *g, uint32_t index) {
  return graph_stats_index(g, index);
}

struct plan_catalog plan_catalog_of_graph(const struct graph *g) {
  return (struct plan_catalog){graph_find_token, graph_tokens,  graph_schema,  graph_nodes,         graph_rels,
                               graph_sources,    graph_squares, graph_indexes, graph_index_numbers, (void *) (uintptr_t) g};
}
