// Counting without visiting: `MATCH (n:A) RETURN count(*)` and `MATCH ()-[r:T]->() RETURN count(r)` are in the store. An aggregation
// without keys whose aggregates are all count(*), or count(x) of what cannot be null there, over nothing but a scan.
#include "plan/count_store.h"

#include "cypher/signatures.h"

/// `count(*)`, or `count(v)` of one of two slots.
static bool counts_rows(const struct ast *call, uint32_t one, uint32_t other) {
  if (call->kind == AST_COUNT_STAR) return true;
  if (call->function.signature->id != CYPHER_FN_COUNT || call->function.distinct) return false;
  const struct ast *argument = call->function.arguments.first;
  return argument->kind == AST_VARIABLE && (argument->variable.slot == one || argument->variable.slot == other);
}

static bool all_count_rows(const struct plan_aggregation *g, uint32_t one, uint32_t other) {
  if (g->keys.count > 0 || g->aggregates.count != 1) return false;
  return counts_rows(g->aggregates.items[0].expression, one, other);
}

static bool starts(const struct plan_op *op) {
  return op->kind == PLAN_ARGUMENT && op->depth == 0;
}

/// Scans one after another, each from the beginning: a product.
static enum err count_nodes(struct planner *p, struct plan_op *op) {
  const struct plan_op *scan = op->children[0];
  bool is_scan = scan->kind == PLAN_ALL_NODES_SCAN || scan->kind == PLAN_LABEL_SCAN;
  if (!is_scan || !starts(scan->children[0]) || !all_count_rows(&op->aggregation, scan->node_scan.node, PLAN_NONE)) return ERR_OK;
  struct plan_list labels = scan->node_scan.labels;
  uint32_t out = op->aggregation.aggregates.items[0].slot;
  if (scan->kind == PLAN_ALL_NODES_SCAN) TRY(list_one(p, PLAN_NONE, &labels));
  op->kind = PLAN_NODE_COUNT;
  op->children[0] = scan->children[0];
  op->node_count = (struct plan_node_count){out, labels};
  return ERR_OK;
}

/// `()-[r:T]->()`, planned as an expansion of all nodes or as a scan of relationships; directed, no predicates.
static void count_rels(struct plan_op *op) {
  struct plan_op *below = op->children[0];
  struct plan_list types;
  uint32_t rel;
  struct plan_op *start;
  if (below->kind == PLAN_REL_SCAN && !below->rel_scan.undirected) {
    types = below->rel_scan.types;
    rel = below->rel_scan.rel;
    start = below->children[0];
  } else if (below->kind == PLAN_EXPAND && below->children[0]->kind == PLAN_ALL_NODES_SCAN && below->expand.direction != GRAPH_BOTH &&
             below->expand.differ.count == 0) {
    types = below->expand.types;
    rel = below->expand.rel;
    start = below->children[0]->children[0];
  } else {
    return;
  }
  if (!starts(start) || !all_count_rows(&op->aggregation, rel, PLAN_NONE)) return;
  uint32_t out = op->aggregation.aggregates.items[0].slot;
  op->kind = PLAN_REL_COUNT;
  op->children[0] = start;
  op->rel_count = (struct plan_rel_count){out, types};
}

enum err pass_count_store(struct planner *p, struct plan_op *root) {
  for (struct plan_op *op = root;; op = op->children[0]) {
    if (op->kind == PLAN_AGGREGATION) TRY(count_nodes(p, op));
    if (op->kind == PLAN_AGGREGATION) count_rels(op);
    for (uint32_t i = 1; i < op->child_count; i++) TRY(pass_count_store(p, op->children[i]));
    if (op->child_count == 0) return ERR_OK;
  }
}
