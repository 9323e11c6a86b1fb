// Only distinct end nodes wanted: `MATCH (a)-[:R*1..3]->(b) RETURN DISTINCT b` needs no trails. Where a VAR_EXPAND's list is not read and
// what is above it forgets how often a row came (DISTINCT, or aggregation that takes each value once), a search by levels finds each end
// node once for each row. The shortest walk to another node is a trail, and so is the shortest one that comes back along the arrows, so
// with `min` of 0 or 1 both find the same nodes. Against the arrows, too, a walk comes back by the relationship that it left by,
// which a trail may not: such patterns are left alone unless `min` is 0.
#include "plan/pruning.h"

#include "cypher/signatures.h"

/// An aggregate that gives the same when rows come more than once.
static bool forgets_repeats(const struct ast *call) {
  if (call->kind == AST_COUNT_STAR) return false;
  uint16_t id = call->function.signature->id;
  return call->function.distinct || id == CYPHER_FN_MIN || id == CYPHER_FN_MAX;
}

static bool aggregation_forgets(const struct plan_aggregation *g) {
  for (uint32_t i = 0; i < g->aggregates.count; i++)
    if (!forgets_repeats(g->aggregates.items[i].expression)) return false;
  return true;
}

/// Rows below this operator may be merged where they are equal if those above it may.
static bool passes_on(const struct plan_op *op) {
  switch (op->kind) {
  case PLAN_FILTER:
  case PLAN_PROJECT_PATH:
  case PLAN_PROJECT_ENDPOINTS:
  case PLAN_CACHE_PROPERTIES:
  case PLAN_DEGREE:
  case PLAN_EXPAND:
  case PLAN_EXPAND_INTO:
  case PLAN_OPTIONAL_EXPAND:
  case PLAN_OPTIONAL_EXPAND_INTO:
  case PLAN_VAR_EXPAND:
  case PLAN_VAR_EXPAND_INTO:
  case PLAN_PRUNING_VAR_EXPAND:
  case PLAN_INTERSECT:
  case PLAN_LABEL_SCAN:
  case PLAN_ALL_NODES_SCAN:
  case PLAN_NODE_INDEX_SEEK:
  case PLAN_SEMI_APPLY:
  case PLAN_ANTI_SEMI_APPLY:
  case PLAN_SORT:
  case PLAN_PARTIAL_SORT:
  case PLAN_UNWIND: return true;
  default: return false;
  }
}

static bool is_volatile_projection(const struct plan_op *op) {
  for (uint32_t i = 0; i < op->projection.items.count; i++)
    if (expression_is_volatile(op->projection.items.items[i].expression)) return true;
  return false;
}

static void prune(struct plan_op *op) {
  struct plan_var_expand *x = &op->var_expand;
  if (op->kind != PLAN_VAR_EXPAND || (x->direction == GRAPH_BOTH && x->min == 1) || x->rels != PLAN_NONE || x->min > 1 || x->differ.count > 0 || x->max == 1) return;
  op->kind = PLAN_PRUNING_VAR_EXPAND;
}

static void walk(struct plan_op *op, bool mergeable) {
  for (;; op = op->children[0]) {
    if (mergeable) prune(op);
    bool exists = op->kind == PLAN_SEMI_APPLY || op->kind == PLAN_ANTI_SEMI_APPLY || op->kind == PLAN_LET_SEMI_APPLY;
    for (uint32_t i = 1; i < op->child_count; i++) walk(op->children[i], exists || (mergeable && op->kind == PLAN_UNION));
    if (op->child_count == 0) return;
    if (op->kind == PLAN_DISTINCT) {
      mergeable = true;
    } else if (op->kind == PLAN_AGGREGATION) {
      mergeable = aggregation_forgets(&op->aggregation);
    } else if (op->kind == PLAN_PROJECTION) {
      mergeable = mergeable && !is_volatile_projection(op);
    } else {
      mergeable = mergeable && (passes_on(op) || op->kind == PLAN_UNION);
    }
  }
}

void pass_pruning(struct plan_op *root) {
  walk(root, false);
}
