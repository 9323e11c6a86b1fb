// Counting or asking for the relationships of one node: `COUNT { (a)-[:R]->() }`, `EXISTS { (a)-->() }`, `size((a)--())`. The store knows
// the degree of a node, so nothing is visited.
#include "plan/lift.h"

#include "plan/query_graph.h"

/// The path that a subquery consists of, if it is one MATCH of one path without predicate.
static const struct ast *only_path(const struct ast *query) {
  if (query->kind == AST_QUERY && query->query.branches.count != 1) return NULL;
  const struct ast *single = query->kind == AST_QUERY ? query->query.branches.first : query;
  const struct ast *match = single->single_query.clauses.first;
  if (match == NULL || match->kind != AST_MATCH || match->match.optional || match->match.where != NULL || match->match.paths.count != 1) return NULL;
  const struct ast *end = match->next;
  if (end == NULL) return match->match.paths.first;
  bool plain = end->kind == AST_RETURN && !end->return_.distinct && end->return_.skip == NULL && end->return_.limit == NULL && end->next == NULL;
  if (!plain) return NULL;
  AST_EACH(item, end->return_.items)
    if (item->projection.expression->kind != AST_LITERAL && item->projection.expression->kind != AST_VARIABLE) return NULL;
  return match->match.paths.first;
}

static bool is_bare(const struct ast *node) {
  return node->kind == AST_NODE && node->node.labels == NULL && node->node.properties == NULL && node->node.where == NULL;
}

static bool is_bound(const struct chain *c, const struct ast *node) {
  return node->node.variable != NULL && bits_has(&c->bound, node->node.variable->variable.slot);
}

static bool is_simple_rel(const struct chain *c, const struct ast *rel) {
  if (rel->kind != AST_RELATIONSHIP || rel->relationship.length != AST_ONE) return false;
  if (rel->relationship.properties != NULL || rel->relationship.where != NULL) return false;
  return rel->relationship.variable == NULL || !bits_has(&c->bound, rel->relationship.variable->variable.slot);
}

static enum graph_direction direction_from(const struct ast *rel, bool from_left) {
  switch (rel->relationship.direction) {
  case AST_OUTGOING: return from_left ? GRAPH_OUT : GRAPH_IN;
  case AST_INCOMING: return from_left ? GRAPH_IN : GRAPH_OUT;
  default: return GRAPH_BOTH;
  }
}

enum err plan_degree(struct planner *p, struct chain *c, const struct ast *query, const struct ast *path, const struct ast *where, bool exists,
                     uint32_t out, bool *ret_done) {
  if (query != NULL) path = only_path(query);
  if (path == NULL || where != NULL || path->path.selector != AST_ALL_PATHS || path->path.elements.count != 3) return ERR_OK;
  const struct ast *left = path->path.elements.first, *rel = left->next, *right = rel->next;
  if (!is_bare(left) || !is_bare(right) || !is_simple_rel(c, rel) || is_bound(c, left) == is_bound(c, right)) return ERR_OK;
  bool from_left = is_bound(c, left);
  struct plan_list types;
  bool all;
  struct plan_op *op;
  TRY(qg_types(p, rel->relationship.types, &types, &all));
  if (!all) return ERR_OK;
  TRY(chain_push(p, c, PLAN_DEGREE, &op));
  op->degree = (struct plan_degree){(from_left ? left : right)->node.variable->variable.slot, out, direction_from(rel, from_left), types, exists};
  *ret_done = true;
  return ERR_OK;
}
