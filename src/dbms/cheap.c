#include "dbms/cheap.h"

#include "cypher/signatures.h"

enum { CHEAP_COST = 2000 }; // in the unit of plan/cost.h

static bool is_unbounded(const struct ast *n) {
  switch (n->kind) {
    case AST_UNWIND: return n->unwind.list->kind != AST_LIST;
    case AST_RELATIONSHIP: return n->relationship.length != AST_ONE;
    case AST_FUNCTION: return n->function.signature == NULL || n->function.signature->id == CYPHER_FN_RANGE || n->function.signature->id == CYPHER_FN_USER;
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

static bool look(struct ast *n, void *context) {
  bool *found = context;
  *found = *found || is_unbounded(n);
  return !*found;
}

bool plan_is_cheap(const struct plan *p) {
  if (p->cost > CHEAP_COST) return false;
  bool unbounded = false;
  ast_visit(p->statement->root, look, &unbounded);
  return !unbounded;
}
