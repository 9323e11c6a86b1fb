// Grouping before the last hop. `MATCH (a:A)-->(b)-->(c) RETURN c.city, count(*)` comes to the same b by many ways, and goes on
// from it to the same c each time. Where nothing above the expand from b asks about the ways, rows are first grouped by b, how
// many there are of each is a column, and the aggregates above count with it:
//
//   Aggregation(keys; count(*)) <- ... <- Expand(b -> c) <- X
//   Aggregation(keys; sum(m))   <- ... <- Expand(b -> c) <- Aggregation(b; count(*) AS m) <- X
//
// count(x) and sum(x) are weighted likewise; min, max and what is DISTINCT need no weight, and if there is nothing else, a
// DISTINCT of b does.
//
// Relationships of one pattern differ: the expand may have to leave out one that X has found. If that was found towards b, the
// expand can meet it again only where it begins at b as well, which shows by its other end; only then is it grouped by, too.
// Where every row would have to (against the arrows, say), nothing is rewritten.
#include "plan/multiplicity.h"

#include "cypher/signatures.h"

enum { CONFLICTS_MAX = 4 };

/// A place to group at.
struct cut {
  struct plan_op *expand;
  struct items_builder keys; // of relationships that the expand may meet again
};

// ---- what may be weighted ----

enum weight { WEIGHT_NONE, WEIGHT_NEEDED, WEIGHT_IMPOSSIBLE };

static enum weight weight_of(const struct ast *call) {
  if (call->kind == AST_COUNT_STAR) return WEIGHT_NEEDED;
  uint16_t id = call->function.signature->id;
  if (call->function.distinct || id == CYPHER_FN_MIN || id == CYPHER_FN_MAX)
    return expression_is_volatile(call) ? WEIGHT_IMPOSSIBLE : WEIGHT_NONE;
  bool counts = id == CYPHER_FN_COUNT || id == CYPHER_FN_SUM;
  return counts && !expression_is_volatile(call) ? WEIGHT_NEEDED : WEIGHT_IMPOSSIBLE;
}

static enum weight weight_of_all(const struct plan_op *op) {
  enum weight worst = WEIGHT_NONE;
  if (op->kind == PLAN_DISTINCT) return worst;
  for (uint32_t i = 0; i < op->aggregation.aggregates.count; i++)
    worst = MAX(worst, weight_of(op->aggregation.aggregates.items[i].expression));
  for (uint32_t i = 0; i < op->aggregation.keys.count; i++)
    if (expression_is_volatile(op->aggregation.keys.items[i].expression)) return WEIGHT_IMPOSSIBLE;
  return worst;
}

/// Gives the same rows for the same row, whatever came before, and no two kinds of rows meet in it.
static bool is_plain(const struct plan_op *op) {
  const struct plan_exprs *exprs = &op->filter.predicates;
  switch (op->kind) {
  case PLAN_FILTER:
    for (uint32_t i = 0; i < exprs->count; i++)
      if (expression_is_volatile(exprs->items[i])) return false;
    return true;
  case PLAN_PROJECTION:
    for (uint32_t i = 0; i < op->projection.items.count; i++)
      if (expression_is_volatile(op->projection.items.items[i].expression)) return false;
    return true;
  case PLAN_OPTIONAL_EXPAND:
  case PLAN_OPTIONAL_EXPAND_INTO:
    for (uint32_t i = 0; i < op->expand.predicates.count; i++)
      if (expression_is_volatile(op->expand.predicates.items[i])) return false;
    return true;
  case PLAN_EXPAND:
  case PLAN_EXPAND_INTO:
  case PLAN_DEGREE: return true;
  default: return false;
  }
}

// ---- relationships that may be met again ----

/// The operator in the chain that has found the relationship, as one row each; NULL.
static const struct plan_op *finder_of(const struct plan_op *op, uint32_t rel) {
  for (;; op = op->children[0]) {
    bool expand = op->kind == PLAN_EXPAND || op->kind == PLAN_EXPAND_INTO;
    if (expand && op->expand.rel == rel) return op;
    if (op->child_count != 1 || op->kind == PLAN_AGGREGATION || op->kind == PLAN_DISTINCT) return NULL;
  }
}

static enum err equals_or(struct planner *p, uint32_t slot, uint32_t other, const struct ast **condition) {
  const struct ast *left, *right, *equal;
  TRY(expression_variable(p, slot, &left));
  TRY(expression_variable(p, other, &right));
  TRY(expression_binary(p, AST_EQ_OP, left, right, &equal));
  if (*condition == NULL) {
    *condition = equal;
    return ERR_OK;
  }
  struct ast *either = ast_new(p->arena, AST_LOGICAL, 0);
  PLAN_ALLOC(p, either);
  either->logical.op = AST_OR_OP;
  ast_append(&either->logical.operands, (struct ast *) (uintptr_t) *condition);
  ast_append(&either->logical.operands, (struct ast *) (uintptr_t) equal);
  either->height = 4;
  either->types = CYPHER_BOOLEAN;
  *condition = either;
  return ERR_OK;
}

/// `CASE WHEN condition THEN result ELSE otherwise END`; `otherwise` may be NULL.
static enum err case_of(struct planner *p, const struct ast *condition, const struct ast *result, const struct ast *otherwise,
                        const struct ast **ret) {
  struct ast *n = ast_new(p->arena, AST_CASE, 0), *branch = ast_new(p->arena, AST_CASE_BRANCH, 0);
  if (n == NULL || branch == NULL) return planner_nomem(p);
  ast_append(&branch->case_branch.tests, (struct ast *) (uintptr_t) condition);
  branch->case_branch.result = (struct ast *) (uintptr_t) result;
  branch->height = (uint16_t) (MAX(condition->height, result->height) + 1);
  ast_append(&n->case_.branches, branch);
  n->case_.otherwise = (struct ast *) (uintptr_t) otherwise;
  n->height = (uint16_t) (branch->height + 1);
  n->types = n->elements = CYPHER_ANY;
  *ret = n;
  return ERR_OK;
}

/// A column that has `rel` in those rows in which the expand from `node` in `direction` could meet it. `*ret_some`: not in all.
static enum err conflict_key(struct planner *p, const struct plan_op *finder, uint32_t node, enum graph_direction direction,
                             struct cut *cut, bool *ret_some) {
  const struct plan_expand *x = &finder->expand;
  bool from_starts = x->direction & GRAPH_OUT,
       from_ends = x->direction & GRAPH_IN; // what the end where the finder came from may be
  bool meets_from = ((direction & GRAPH_OUT) && from_starts) || ((direction & GRAPH_IN) && from_ends);
  bool meets_to = ((direction & GRAPH_OUT) && from_ends) || ((direction & GRAPH_IN) && from_starts);
  const struct ast *condition = NULL, *variable, *key;
  uint32_t slot;
  *ret_some = !(meets_from && x->from == node) && !(meets_to && x->to == node) && cut->keys.count < CONFLICTS_MAX;
  if (!*ret_some) return ERR_OK;
  if (meets_from) TRY(equals_or(p, x->from, node, &condition));
  if (meets_to) TRY(equals_or(p, x->to, node, &condition));
  if (condition == NULL) return ERR_OK; // they never meet
  TRY(expression_variable(p, x->rel, &variable));
  TRY(case_of(p, condition, variable, NULL, &key));
  TRY(planner_slot(p, STR("met"), AST_VALUE_VARIABLE, &slot));
  return items_add(p, &cut->keys, slot, key);
}

static enum err conflict_keys(struct planner *p, struct cut *cut, bool *ret_possible) {
  const struct plan_expand *x = &cut->expand->expand;
  *ret_possible = true;
  for (uint32_t i = 0; i < x->differ.count && *ret_possible; i++) {
    const struct plan_op *finder = finder_of(cut->expand->children[0], x->differ.items[i]);
    *ret_possible = finder != NULL;
    if (finder != NULL) TRY(conflict_key(p, finder, x->from, x->direction, cut, ret_possible));
  }
  return ERR_OK;
}

// ---- where it pays ----

/// Each node comes once for each outer row.
static bool comes_once(const struct plan_op *op, uint32_t node) {
  for (;; op = op->children[0]) {
    switch (op->kind) {
    case PLAN_FILTER:
    case PLAN_PROJECTION:
    case PLAN_DEGREE: continue;
    case PLAN_ALL_NODES_SCAN:
    case PLAN_LABEL_SCAN:
    case PLAN_UNION_LABEL_SCAN: return op->node_scan.node == node && op->children[0]->kind == PLAN_ARGUMENT;
    case PLAN_NODE_INDEX_SEEK: return op->index_seek.entity == node && op->children[0]->kind == PLAN_ARGUMENT;
    case PLAN_NODE_BY_ID:
    case PLAN_NODE_BY_ELEMENT_ID: return op->by_id.entity == node && op->children[0]->kind == PLAN_ARGUMENT;
    case PLAN_ARGUMENT:
    case PLAN_AGGREGATION:
    case PLAN_DISTINCT: return true; // as far as one knows
    default: return false;
    }
  }
}

/// How many different nodes there can be to expand from.
static double sources(const struct planner *p, const struct plan_expand *x) {
  double count = 0, all = p->catalog->nodes(p->catalog->context, GRAPH_ANY);
  for (uint32_t i = 0; i < MAX(1, x->types.count); i++) {
    graph_token type = x->types.count > 0 ? planner_token(p, x->types.items[i]) : GRAPH_ANY;
    if (x->types.count > 0 && type == GRAPH_ANY) continue;
    if (x->direction & GRAPH_OUT) count += p->catalog->distinct_sources(p->catalog->context, type, GRAPH_OUT);
    if (x->direction & GRAPH_IN) count += p->catalog->distinct_sources(p->catalog->context, type, GRAPH_IN);
  }
  return MAX(1.0, MIN(count, all));
}

/// Grouping costs about as much for a row as going on from it to a few others. A single column of nodes is told apart by a
/// bitmap.
static bool pays(const struct planner *p, const struct cut *cut, bool weighted) {
  if (comes_once(cut->expand->children[0], cut->expand->expand.from)) return false;
  if (p->options->rewrites == PLAN_REWRITES_ALL) return true;
  double rows = cut->expand->children[0]->rows, different = sources(p, &cut->expand->expand), reached = cut->expand->rows;
  return weighted || cut->keys.count > 0 ? rows >= different && reached >= 2 * rows : 2 * rows >= different && reached >= rows;
}

static bool is_expand(const struct plan_op *op) {
  return op->kind == PLAN_EXPAND || op->kind == PLAN_OPTIONAL_EXPAND;
}

/// Nothing but the node that it starts from is asked of the rows below.
static enum err asks_only_node(struct planner *p, const struct plan_op *op, const struct bits *above, bool *ret) {
  struct bits asked = {0}, fills = {0}, reads = {0};
  struct plan_op without = *op;
  without.expand.differ.count = without.expand.witnesses.count = 0;
  if (!bits_copy(&p->scratch, above, &asked)) return planner_nomem(p);
  TRY(op_fills(p, op, &fills));
  TRY(op_reads(p, &without, &reads));
  bits_remove_all(&asked, &fills);
  if (!bits_add_all(&p->scratch, &asked, &reads)) return planner_nomem(p);
  bits_remove(&asked, op->expand.from);
  *ret = bits_empty(&asked);
  return ERR_OK;
}

static enum err find_cut(struct planner *p, struct plan_op *grouping, bool weighted, struct cut *ret, bool *ret_found) {
  struct bits asked = {0};
  *ret_found = false;
  TRY(op_reads(p, grouping, &asked));
  for (struct plan_op *op = grouping->children[0]; is_plain(op); op = op->children[0]) {
    struct bits fills = {0};
    bool alone = false;
    if (is_expand(op)) TRY(asks_only_node(p, op, &asked, &alone));
    if (alone) {
      struct cut cut = {.expand = op};
      bool possible;
      TRY(conflict_keys(p, &cut, &possible));
      if (possible && pays(p, &cut, weighted)) {
        *ret = cut;
        *ret_found = true;
        return ERR_OK;
      }
    }
    TRY(op_fills(p, op, &fills));
    bits_remove_all(&asked, &fills);
    TRY(op_reads(p, op, &asked));
  }
  return ERR_OK;
}

// ---- grouping ----

static enum err push_below(struct planner *p, struct plan_op *above, enum plan_op_kind kind, struct plan_op **ret) {
  struct plan_op *op, *below = above->children[0];
  TRY(planner_op(p, kind, below->depth, 1, &op));
  op->children[0] = below;
  op->rows = below->rows;
  op->current = below->current;
  op->height = below->height + 1;
  *ret = above->children[0] = op;
  return ERR_OK;
}

static enum err group(struct planner *p, const struct cut *cut, bool weighted, uint32_t multiplicity) {
  struct plan_op *expand = cut->expand, *op;
  struct items_builder keys = {0}, aggregates = {0};
  struct list_builder slots = {0}, differ = {0};
  const struct ast *variable;
  TRY(list_add(p, &slots, expand->expand.from));
  for (uint32_t i = 0; i < cut->keys.count; i++) {
    TRY(list_add(p, &slots, cut->keys.items[i].slot));
    TRY(list_add(p, &differ, cut->keys.items[i].slot));
  }
  if (cut->keys.count > 0) {
    TRY(push_below(p, expand, PLAN_PROJECTION, &op));
    op->projection.items = items_of(&cut->keys);
  }
  TRY(push_below(p, expand, weighted ? PLAN_AGGREGATION : PLAN_DISTINCT, &op));
  op->rows = MIN(op->rows, sources(p, &expand->expand));
  expand->expand.differ = list_of(&differ);
  expand->expand.witnesses = (struct plan_list){NULL, 0}; // a row that the expand cannot meet any in has none to differ from
  op->distinct.slots = list_of(&slots);
  if (!weighted) return ERR_OK;
  for (uint32_t i = 0; i < slots.count; i++) {
    TRY(expression_variable(p, slots.items[i], &variable));
    TRY(items_add(p, &keys, slots.items[i], variable));
  }
  struct ast *count = ast_new(p->arena, AST_COUNT_STAR, 0);
  PLAN_ALLOC(p, count);
  count->height = 1;
  count->types = CYPHER_INTEGER;
  TRY(items_add(p, &aggregates, multiplicity, count));
  op->aggregation = (struct plan_aggregation){items_of(&keys), items_of(&aggregates)};
  return ERR_OK;
}

static enum err sum_of(struct planner *p, const struct ast *argument, const struct ast **ret) {
  struct ast *n = ast_new(p->arena, AST_FUNCTION, 0);
  PLAN_ALLOC(p, n);
  n->function.name = STR("sum");
  n->function.signature = cypher_function_of(CYPHER_FN_SUM);
  ast_append(&n->function.arguments, (struct ast *) (uintptr_t) argument);
  n->height = (uint16_t) (argument->height + 1);
  n->types = n->elements = CYPHER_ANY;
  *ret = n;
  return ERR_OK;
}

/// How many rows one row stands for: 0 where `counted` is null.
static enum err weight_unless_null(struct planner *p, const struct ast *counted, const struct ast *weight,
                                   const struct ast **ret) {
  const struct ast *zero;
  struct ast *is_null = ast_new(p->arena, AST_IS_NULL, 0);
  PLAN_ALLOC(p, is_null);
  is_null->is_null.operand = ast_copy(p->arena, counted);
  PLAN_ALLOC(p, is_null->is_null.operand);
  is_null->height = (uint16_t) (counted->height + 1);
  is_null->types = CYPHER_BOOLEAN;
  TRY(expression_integer(p, 0, &zero));
  return case_of(p, is_null, zero, weight, ret);
}

static enum err weigh(struct planner *p, const struct cut *cut, const struct ast **call, uint32_t multiplicity) {
  const struct ast *weight, *argument = (*call)->kind == AST_COUNT_STAR ? NULL : (*call)->function.arguments.first;
  if (weight_of(*call) == WEIGHT_NONE) return ERR_OK;
  TRY(expression_variable(p, multiplicity, &weight));
  bool found = argument != NULL && argument->kind == AST_VARIABLE && cut->expand->kind == PLAN_EXPAND &&
               (argument->variable.slot == cut->expand->expand.to || argument->variable.slot == cut->expand->expand.rel);
  if (argument == NULL || ((*call)->function.signature->id == CYPHER_FN_COUNT && found)) return sum_of(p, weight, call);
  if ((*call)->function.signature->id == CYPHER_FN_COUNT) {
    TRY(weight_unless_null(p, argument, weight, &weight));
    return sum_of(p, weight, call);
  }
  struct ast *copy = ast_copy(p->arena, argument);
  PLAN_ALLOC(p, copy);
  TRY(expression_binary(p, AST_MULTIPLY_OP, copy, weight, &weight));
  return sum_of(p, weight, call);
}

static enum err rewrite(struct planner *p, struct plan_op *grouping) {
  enum weight weight = weight_of_all(grouping);
  struct cut cut;
  bool found;
  uint32_t multiplicity = PLAN_NONE;
  if (weight == WEIGHT_IMPOSSIBLE || grouping->writes) return ERR_OK;
  TRY(find_cut(p, grouping, weight == WEIGHT_NEEDED, &cut, &found));
  if (!found) return ERR_OK;
  if (weight == WEIGHT_NEEDED) TRY(planner_slot(p, STR("ways"), AST_VALUE_VARIABLE, &multiplicity));
  TRY(group(p, &cut, weight == WEIGHT_NEEDED, multiplicity));
  if (weight != WEIGHT_NEEDED) return ERR_OK;
  struct plan_item *items = (struct plan_item *) (uintptr_t) grouping->aggregation.aggregates.items;
  for (uint32_t i = 0; i < grouping->aggregation.aggregates.count; i++) TRY(weigh(p, &cut, &items[i].expression, multiplicity));
  return ERR_OK;
}

enum err pass_multiplicity(struct planner *p, struct plan_op *root) {
  for (struct plan_op *op = root;; op = op->children[0]) {
    if (op->kind == PLAN_AGGREGATION || op->kind == PLAN_DISTINCT) TRY(rewrite(p, op));
    for (uint32_t i = 1; i < op->child_count; i++) TRY(pass_multiplicity(p, op->children[i]));
    if (op->child_count == 0) return ERR_OK;
  }
}
