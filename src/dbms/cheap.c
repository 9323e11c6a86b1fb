#include "dbms/cheap.h"

#include "cypher/signatures.h"

enum {
  CHEAP_COST = 20000, // in the unit of plan/cost.h
  // Each can multiply the size of a text, a list or a map by what it is applied to, and what one projection makes the next takes.
  ADDITIONS_MAX = 8,
  PROJECTIONS_MAX = 4,
};

struct look {
  bool unbounded;
  unsigned additions, projections;
};

static bool makes_much(enum cypher_function_id id) {
  return id == CYPHER_FN_RANGE || id == CYPHER_FN_REPLACE || id == CYPHER_FN_USER;
}

static bool is_unbounded(const struct ast *n) {
  switch (n->kind) {
    case AST_UNWIND: return n->unwind.list->kind != AST_LIST;
    case AST_FUNCTION: return n->function.signature == NULL || makes_much(n->function.signature->id);
    case AST_BINARY: return n->binary.op == AST_MATCHES_OP; // a pattern may take a tenth of a second for one text
    case AST_LIST_COMPREHENSION:
    case AST_PATTERN_COMPREHENSION:
    case AST_QUANTIFIER:
    case AST_REDUCE:
    case AST_SUBQUERY:
    case AST_GROUP:
    case AST_CALL:
    case AST_CALL_QUERY:
    case AST_LOAD_CSV:
    case AST_FOREACH:
    case AST_SHOW: return true;
    default: return false;
  }
}

static bool look_at(struct ast *n, void *context) {
  struct look *l = context;
  l->additions += n->kind == AST_BINARY && (n->binary.op == AST_ADD_OP || n->binary.op == AST_CONCAT_OP);
  l->projections += n->kind == AST_WITH || n->kind == AST_RETURN;
  l->unbounded = l->unbounded || is_unbounded(n) || l->additions > ADDITIONS_MAX || l->projections > PROJECTIONS_MAX;
  return !l->unbounded;
}

/// Walks may go through the whole graph for one row. A search for one shortest path looks up often enough to be moved.
static bool walks_far(const struct plan_op *op) {
  switch (op->kind) {
    case PLAN_VAR_EXPAND:
    case PLAN_VAR_EXPAND_INTO:
    case PLAN_PRUNING_VAR_EXPAND:
    case PLAN_REPEAT: return true;
    case PLAN_PROJECT_ENDPOINTS: return op->project_ends.list;
    case PLAN_SHORTEST_PATH: return !plan_shortest_is_plain(&op->shortest_path);
    default: return false;
  }
}

bool plan_is_cheap(const struct plan *p) {
  if (p->cost > CHEAP_COST) return false;
  for (uint32_t i = 0; i < p->op_count; i++)
    if (walks_far(p->ops[i])) return false;
  struct look l = {0};
  ast_visit(p->statement->root, look_at, &l);
  return !l.unbounded;
}
