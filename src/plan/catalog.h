// What the planner may know of a database: a table of functions, so that tests plan against invented statistics.
// All are cheap, may lag behind, and may be asked from any thread (graph/stats.h).
#pragma once

#include "graph/stats.h"
#include "graph/types.h"

struct plan_catalog {
  bool (*find_token)(void *context, enum graph_token_kind kind, struct str name, graph_token *ret);
  uint64_t (*token_version)(void *context);
  uint64_t (*schema_version)(void *context);
  double (*nodes)(void *context, graph_token label);
  double (*rels)(void *context, graph_token start, graph_token type, graph_token end);
  double (*distinct_sources)(void *context, graph_token type, enum graph_direction direction);
  double (*degree_squares)(void *context, graph_token type, enum graph_direction direction);
  bool (*indexes)(void *context, struct arena *a, struct graph_index **ret, uint32_t *ret_n);
  struct graph_index_stats (*index)(void *context, uint32_t index);
  void *context;
};

/// The catalog of a database; valid as long as it.
struct plan_catalog plan_catalog_of_graph(const struct graph *g);

/// The catalog of a database with nothing in it. Static.
const struct plan_catalog *plan_catalog_empty(void);
