// MATCH, OPTIONAL MATCH, and patterns by themselves.
#include "plan/query_graph.h"

struct later_use {
  const struct query_graph *g;
  bool found;
};

/// A relationship or path of the graph so far that a further MATCH uses again has to be bound first.
static bool uses_earlier(struct ast *n, void *context) {
  struct later_use *use = context;
  const struct ast *variable = n->kind == AST_RELATIONSHIP ? n->relationship.variable : n->kind == AST_PATH ? n->path.variable : NULL;
  if (variable != NULL && bits_has(&use->g->slots, variable->variable.slot)) use->found = true;
  return !use->found;
}

static bool joins_graph(const struct query_graph *g, const struct ast *clause) {
  if (clause == NULL || clause->kind != AST_MATCH || clause->match.optional) return false;
  struct later_use use = {g, false};
  AST_EACH(path, clause->match.paths) ast_visit(path, uses_earlier, &use);
  return !use.found;
}

static enum err add_clause(struct query_graph *g, const struct ast *clause, const struct bits *bound) {
  uint32_t number = clause->match.mode == AST_REPEATABLE_ELEMENTS ? PLAN_NONE : g->clause_count++;
  AST_EACH(path, clause->match.paths) TRY(qg_add_path(g, path, bound, number));
  return qg_add_predicate(g, clause->match.where);
}

enum err plan_match(struct planner *p, struct chain *c, const struct ast *clause, const struct ast **ret_next) {
  struct query_graph g = {.p = p};
  do {
    TRY(add_clause(&g, clause, &c->bound));
    clause = clause->next;
  } while (joins_graph(&g, clause));
  *ret_next = clause;
  TRY(order_wished(p, clause, &g.wish));
  return qg_plan(&g, c);
}

/// EXPAND and a FILTER over the argument: one operator does it without a right side.
static enum err optional_expand(struct planner *p, struct chain *c, struct plan_op *right, bool *ret_done) {
  struct plan_op *filter = right->kind == PLAN_FILTER && right->filter.differ_count == 0 ? right : NULL;
  struct plan_op *expand = filter != NULL ? filter->children[0] : right;
  *ret_done = (expand->kind == PLAN_EXPAND || expand->kind == PLAN_EXPAND_INTO) && expand->children[0]->kind == PLAN_ARGUMENT;
  if (!*ret_done) return ERR_OK;
  struct plan_op *op;
  double rows = MAX(c->op->rows, c->op->rows * right->rows);
  TRY(chain_push(p, c, expand->kind == PLAN_EXPAND ? PLAN_OPTIONAL_EXPAND : PLAN_OPTIONAL_EXPAND_INTO, &op));
  op->expand = expand->expand;
  if (filter != NULL) op->expand.predicates = filter->filter.predicates;
  op->rows = rows;
  return ERR_OK;
}

static enum err push_optional(struct planner *p, struct chain *c, struct chain *right, const struct bits *before) {
  struct plan_op *op;
  struct list_builder nulls = {0};
  for (uint32_t i = 0; bits_next(&right->bound, &i); i++)
    if (!bits_has(before, i)) TRY(list_add(p, &nulls, i));
  double rows = MAX(c->op->rows, c->op->rows * right->op->rows);
  TRY(chain_push(p, right, PLAN_OPTIONAL, &op));
  op->optional.slots = list_of(&nulls);
  op->rows = MAX(1.0, op->rows);
  TRY(chain_push2(p, c, PLAN_APPLY, right->op, &op));
  op->rows = rows;
  return ERR_OK;
}

enum err plan_optional_match(struct planner *p, struct chain *c, const struct ast *clause) {
  struct query_graph g = {.p = p};
  struct chain right;
  bool done;
  TRY(chain_right(p, c, &right));
  TRY(add_clause(&g, clause, &c->bound));
  TRY(qg_plan(&g, &right));
  TRY(optional_expand(p, c, right.op, &done));
  if (!done) TRY(push_optional(p, c, &right, &c->bound));
  return bits_add_all(&p->scratch, &c->bound, &right.bound) ? ERR_OK : planner_nomem(p);
}

enum err plan_pattern(struct planner *p, struct chain *c, const struct ast *path, const struct ast *where) {
  struct query_graph g = {.p = p};
  TRY(qg_add_path(&g, path, &c->bound, 0));
  TRY(qg_add_predicate(&g, where));
  return qg_plan(&g, c);
}
