// What the planner may know of a graph: the fourth of the four headers that a query may use (contract 9). Estimates, cheap, without a
// transaction; they may lag behind. Thread-safe.
#pragma once

#include "graph/types.h"
#include "graph/write.h"

/// Nodes with `label`, or all with GRAPH_ANY.
double graph_stats_nodes(const struct graph *g, graph_token label);

/// Relationships (:start)-[:type]->(:end), each of which may be GRAPH_ANY.
double graph_stats_rels(const struct graph *g, graph_token start, graph_token type, graph_token end);

/// Nodes that have at least one relationship of `type` in that direction.
double graph_stats_distinct_sources(const struct graph *g, graph_token type, enum graph_direction direction);

/// Sum of the squares of degrees: what two hops over one node cost where degrees follow a power law.
double graph_stats_degree_squares(const struct graph *g, graph_token type, enum graph_direction direction);

/// Entries and distinct keys of an index.
struct graph_index_stats {
  double entries, distinct;
};
struct graph_index_stats graph_stats_index(const struct graph *g, uint32_t index);

/// All indexes and constraints as of now, in `a`. False on failure to allocate.
bool graph_stats_indexes(const struct graph *g, struct arena *a, struct graph_index **ret, uint32_t *ret_n);

/// Changes with every schema change; part of a cached plan's key.
uint64_t graph_stats_schema_version(const struct graph *g);
