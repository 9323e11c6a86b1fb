// Changes what a graph holds behind its back, as a lying disk would: no log entry says so. Tests only.
#pragma once

#include "base/test.h"

#include "graph/apply_int.h"

/// The graph is idle: nothing is under way, and nobody else steps its applier.
static inline void damage_property(struct graph *g, graph_id node, graph_token key, int64_t n) {
  struct error e = ERROR_INIT;
  struct stored p = {.key = key, .tag = STORED_INT};
  put_u64_le(p.fixed, (uint64_t) n);
  struct command c = {.kind = COMMAND_UPDATE_NODE, .id = node, .properties = &p, .property_count = 1};
  assert_ok(applier_begin(g->applier, &e));
  assert_ok(apply_update_node(g->applier, &c, &e));
  assert_ok(applier_publish(g->applier, &e));
}
