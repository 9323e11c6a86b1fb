// Subqueries and patterns inside of expressions become operators: the expression then reads a slot that an operator below it has
// filled, for the whole batch at once. A list expression whose body holds one becomes rows itself: `[x IN l WHERE EXISTS { ... } | f(x)]`
// is the roll-up of an UNWIND of `l`, and `all(x IN l WHERE EXISTS { ... })` is `all(y IN [x IN l | EXISTS { ... }] WHERE y)`.
#include "plan/lift.h"

#include <stddef.h>

#include "plan/cost.h"

struct lift {
  struct planner *p;
  struct chain *c;
  enum err err;
};

static struct ast *lift_node(struct ast *n, void *context);

enum question_kind { QUESTION_EXISTS, QUESTION_COUNT, QUESTION_COLLECT };

/// What a subquery is asked for, and of what.
struct question {
  enum question_kind kind;
  const struct ast *query;      // a SUBQUERY's
  const struct ast *path;       // or a pattern's,
  const struct ast *where;      // with its predicate
  const struct ast *projection; // and for a list, its elements
};

static bool is_path_function(const struct ast *path) {
  return path->path.selector == AST_SHORTEST_PATH_FUNCTION || path->path.selector == AST_ALL_SHORTEST_PATHS_FUNCTION;
}

static struct question question_of(const struct ast *n) {
  static const enum question_kind kinds[] = {
      [AST_EXISTS] = QUESTION_EXISTS, [AST_COUNT] = QUESTION_COUNT, [AST_COLLECT] = QUESTION_COLLECT};
  switch (n->kind) {
  case AST_SUBQUERY: return (struct question){.kind = kinds[n->subquery.op], .query = n->subquery.query};
  case AST_PATTERN_COMPREHENSION:
    return (struct question){.kind = QUESTION_COLLECT,
                             .path = n->pattern_comprehension.path,
                             .where = n->pattern_comprehension.where,
                             .projection = n->pattern_comprehension.projection};
  default: {
    const struct ast *path = n->pattern_expression.path;
    bool value = is_path_function(path);
    return (struct question){.kind = value ? QUESTION_COLLECT : QUESTION_EXISTS, .path = path};
  }
  }
}

/// shortestPath() as a value: the pattern with a name for the path, whose slot is the element.
static enum err plan_path_value(struct planner *p, struct chain *right, const struct ast *path, uint32_t *ret_collect) {
  const struct ast *variable;
  struct ast *named = ast_copy(p->arena, path);
  PLAN_ALLOC(p, named);
  TRY(planner_slot(p, STR("path"), AST_PATH_VARIABLE, ret_collect));
  TRY(expression_variable(p, *ret_collect, &variable));
  named->path.variable = (struct ast *) (uintptr_t) variable;
  return plan_pattern(p, right, named, NULL);
}

/// The rows that answer `q` on `right`; for a list, `*ret_collect` has its elements.
static enum err plan_question(struct planner *p, struct chain *right, const struct question *q, uint32_t *ret_collect) {
  if (++p->nesting > PLAN_NESTING_MAX) return error_set(p->error, ERR_UNSUPPORTED, "More than %d subqueries inside each other", PLAN_NESTING_MAX);
  *ret_collect = PLAN_NONE;
  if (q->query != NULL) {
    struct plan_columns columns;
    TRY(plan_query(p, right, q->query, &columns));
    if (columns.count > 0) *ret_collect = columns.items[0].slot;
  } else if (q->kind == QUESTION_COLLECT && q->projection == NULL) {
    TRY(plan_path_value(p, right, q->path, ret_collect));
  } else {
    TRY(plan_pattern(p, right, q->path, q->where));
  }
  if (q->projection != NULL) {
    const struct ast *element;
    TRY(plan_expression(p, right, q->projection, &element));
    struct plan_op *op;
    TRY(planner_slot(p, STR("element"), AST_VALUE_VARIABLE, ret_collect));
    TRY(chain_push(p, right, PLAN_PROJECTION, &op));
    struct items_builder items = {0};
    TRY(items_add(p, &items, *ret_collect, element));
    op->projection.items = items_of(&items);
    TRY(chain_bind(p, right, *ret_collect));
  }
  p->nesting--;
  return ERR_OK;
}

static enum err lift_exists(struct planner *p, struct chain *c, const struct question *q, uint32_t slot) {
  struct chain right;
  uint32_t unused;
  TRY(chain_right(p, c, &right));
  TRY(plan_question(p, &right, q, &unused));
  struct plan_op *op;
  TRY(chain_push2(p, c, PLAN_LET_SEMI_APPLY, right.op, &op));
  op->let = (struct plan_let){slot, PLAN_NONE};
  return ERR_OK;
}

static enum err lift_count(struct planner *p, struct chain *c, const struct question *q, uint32_t slot) {
  struct chain right;
  uint32_t unused;
  TRY(chain_right(p, c, &right));
  TRY(plan_question(p, &right, q, &unused));
  struct plan_op *op;
  struct ast *count = ast_new(p->arena, AST_COUNT_STAR, 0);
  PLAN_ALLOC(p, count);
  struct items_builder items = {0};
  TRY(items_add(p, &items, slot, count));
  TRY(chain_push(p, &right, PLAN_AGGREGATION, &op));
  op->aggregation = (struct plan_aggregation){.aggregates = items_of(&items)};
  op->rows = c->op->rows;
  return chain_push2(p, c, PLAN_APPLY, right.op, &op);
}

static enum err lift_collect(struct planner *p, struct chain *c, const struct question *q, uint32_t slot) {
  struct chain right;
  uint32_t collect;
  TRY(chain_right(p, c, &right));
  TRY(plan_question(p, &right, q, &collect));
  struct plan_op *op;
  TRY(chain_push2(p, c, PLAN_ROLL_UP_APPLY, right.op, &op));
  op->let = (struct plan_let){slot, collect};
  return ERR_OK;
}

static enum err lift_question(struct planner *p, struct chain *c, const struct question *q, uint32_t *ret_slot) {
  TRY(planner_slot(p, STR("subquery"), AST_VALUE_VARIABLE, ret_slot));
  bool done = false;
  if (q->kind != QUESTION_COLLECT)
    TRY(plan_degree(p, c, q->query, q->path, q->where, q->kind == QUESTION_EXISTS, *ret_slot, &done));
  if (!done) switch (q->kind) {
    case QUESTION_EXISTS: TRY(lift_exists(p, c, q, *ret_slot)); break;
    case QUESTION_COUNT: TRY(lift_count(p, c, q, *ret_slot)); break;
    case QUESTION_COLLECT: TRY(lift_collect(p, c, q, *ret_slot)); break;
    }
  return chain_bind(p, c, *ret_slot);
}

static enum err call_head(struct planner *p, const struct ast *list, struct ast **ret) {
  struct ast *call = ast_new(p->arena, AST_FUNCTION, 0);
  PLAN_ALLOC(p, call);
  call->function.name = STR("head");
  call->function.signature = cypher_function_of(CYPHER_FN_HEAD);
  call->height = 2;
  call->types = CYPHER_ANY;
  ast_append(&call->function.arguments, (struct ast *) (uintptr_t) list);
  *ret = call;
  return ERR_OK;
}

static enum err replace(struct lift *l, const struct ast *n, const struct question *q, struct ast **ret) {
  bool first_only = n->kind == AST_PATTERN_EXPRESSION && n->pattern_expression.path->path.selector == AST_SHORTEST_PATH_FUNCTION;
  const struct ast *result;
  uint32_t slot;
  TRY(lift_question(l->p, l->c, q, &slot));
  TRY(expression_variable(l->p, slot, &result));
  *ret = (struct ast *) (uintptr_t) result;
  return first_only ? call_head(l->p, result, ret) : ERR_OK;
}

static bool lift_field(struct lift *l, struct ast **field) {
  if (*field == NULL) return true;
  *field = lift_node(*field, l);
  return *field != NULL;
}

/// `list IS NULL`
static enum err is_null(struct planner *p, const struct ast *list, struct ast **ret) {
  struct ast *n = ast_new(p->arena, AST_IS_NULL, list->offset);
  PLAN_ALLOC(p, n);
  n->is_null.operand = (struct ast *) (uintptr_t) list;
  n->height = (uint16_t) (list->height + 1);
  n->types = CYPHER_BOOLEAN;
  *ret = n;
  return ERR_OK;
}

/// A list of nothing is nothing, but UNWIND makes it no rows: `CASE WHEN list IS NULL THEN null ELSE rolled_up END`.
static enum err null_for_null(struct planner *p, const struct ast *list, uint32_t slot, struct ast **ret) {
  const struct ast *rolled_up;
  struct ast *test = NULL;
  TRY(expression_variable(p, slot, &rolled_up));
  TRY(is_null(p, list, &test));
  struct ast *choice = ast_new(p->arena, AST_CASE, list->offset), *branch = ast_new(p->arena, AST_CASE_BRANCH, list->offset);
  struct ast *null = ast_new(p->arena, AST_LITERAL, list->offset);
  if (choice == NULL || branch == NULL || null == NULL) return planner_nomem(p);
  null->height = 1;
  ast_append(&branch->case_branch.tests, test);
  branch->case_branch.result = null;
  branch->height = (uint16_t) (test->height + 1);
  ast_append(&choice->case_.branches, branch);
  choice->case_.otherwise = (struct ast *) (uintptr_t) rolled_up;
  choice->height = (uint16_t) (branch->height + 1);
  choice->types = CYPHER_LIST;
  choice->elements = CYPHER_ANY;
  *ret = choice;
  return ERR_OK;
}

/// `[variable IN list WHERE where | element]` as the roll-up of rows. `list` is ready.
static enum err roll_up_list(struct lift *l, const struct ast *variable, const struct ast *list, const struct ast *where, const struct ast *element,
                             struct ast **ret) {
  struct planner *p = l->p;
  struct chain right;
  struct plan_op *op;
  struct items_builder items = {0};
  uint32_t out, collect;
  const struct ast *ready;
  TRY(chain_right(p, l->c, &right));
  TRY(chain_push(p, &right, PLAN_UNWIND, &op));
  op->unwind = (struct plan_unwind){variable->variable.slot, list};
  op->rows = LIST_ROWS;
  TRY(chain_bind(p, &right, op->unwind.out));
  if (where != NULL) TRY(plan_where(p, &right, where));
  TRY(plan_expression(p, &right, element != NULL ? element : variable, &ready));
  TRY(planner_slot(p, STR("element"), AST_VALUE_VARIABLE, &collect));
  TRY(items_add(p, &items, collect, ready));
  TRY(chain_push(p, &right, PLAN_PROJECTION, &op));
  op->projection.items = items_of(&items);
  TRY(planner_slot(p, STR("list"), AST_VALUE_VARIABLE, &out));
  TRY(chain_push2(p, l->c, PLAN_ROLL_UP_APPLY, right.op, &op));
  op->let = (struct plan_let){out, collect};
  TRY(chain_bind(p, l->c, out));
  return null_for_null(p, list, out, ret);
}

static enum err lift_comprehension(struct lift *l, struct ast *n, struct ast **ret) {
  if (!lift_field(l, &n->list_comprehension.list)) return l->err;
  *ret = n;
  if (!expression_has_subquery(n->list_comprehension.where) && !expression_has_subquery(n->list_comprehension.projection)) return ERR_OK;
  return roll_up_list(l, n->list_comprehension.variable, n->list_comprehension.list, n->list_comprehension.where, n->list_comprehension.projection,
                      ret);
}

/// The answers first, as a list; then the question over them.
static enum err lift_quantifier(struct lift *l, struct ast *n, struct ast **ret) {
  uint32_t slot;
  const struct ast *answer;
  if (!lift_field(l, &n->quantifier.list)) return l->err;
  *ret = n;
  if (!expression_has_subquery(n->quantifier.where)) return ERR_OK;
  TRY(roll_up_list(l, n->quantifier.variable, n->quantifier.list, NULL, n->quantifier.where, &n->quantifier.list));
  TRY(planner_slot(l->p, STR("answer"), AST_VALUE_VARIABLE, &slot));
  TRY(expression_variable(l->p, slot, &answer));
  n->quantifier.variable = (struct ast *) (uintptr_t) answer;
  TRY(expression_variable(l->p, slot, &answer));
  n->quantifier.where = (struct ast *) (uintptr_t) answer;
  return ERR_OK;
}

static enum err lift_reduce(struct lift *l, struct ast *n, struct ast **ret) {
  if (!lift_field(l, &n->reduce.init) || !lift_field(l, &n->reduce.list)) return l->err;
  *ret = n;
  return expression_has_subquery(n->reduce.expression) ? planner_unsupported(l->p, n, "A subquery inside of reduce()") : ERR_OK;
}

/// `size(pattern)` counts, `exists(pattern)` asks: the pattern is not a value there.
static bool is_pattern_call(const struct ast *n, struct question *ret) {
  if (n->kind != AST_FUNCTION || n->function.arguments.count != 1 || n->function.signature == NULL) return false;
  const struct ast *argument = n->function.arguments.first;
  bool pattern = argument->kind == AST_PATTERN_EXPRESSION && !is_path_function(argument->pattern_expression.path);
  if (n->function.signature->id == CYPHER_FN_EXISTS && pattern) {
    *ret = question_of(argument);
    return true;
  }
  if (n->function.signature->id != CYPHER_FN_SIZE || (!pattern && argument->kind != AST_PATTERN_COMPREHENSION)) return false;
  *ret = question_of(argument);
  ret->kind = QUESTION_COUNT;
  ret->projection = NULL;
  return true;
}

static enum err lift_any(struct lift *l, struct ast *n, struct ast **ret) {
  struct question q;
  if (is_pattern_call(n, &q)) return replace(l, n->function.arguments.first, &q, ret);
  switch (n->kind) {
  case AST_SUBQUERY:
  case AST_PATTERN_EXPRESSION:
  case AST_PATTERN_COMPREHENSION: q = question_of(n); return replace(l, n, &q, ret);
  case AST_LIST_COMPREHENSION: return lift_comprehension(l, n, ret);
  case AST_QUANTIFIER: return lift_quantifier(l, n, ret);
  case AST_REDUCE: return lift_reduce(l, n, ret);
  default:
    *ret = n;
    if (ast_map_children(n, lift_node, l)) return ERR_OK;
    return l->err != ERR_OK ? l->err : planner_nomem(l->p);
  }
}

static struct ast *lift_node(struct ast *n, void *context) {
  struct lift *l = context;
  struct ast *ret = n;
  if (expression_has_subquery(n)) l->err = lift_any(l, n, &ret);
  return l->err == ERR_OK ? ret : NULL;
}

enum err plan_expression(struct planner *p, struct chain *c, const struct ast *from, const struct ast **ret) {
  if (!expression_has_subquery(from)) {
    *ret = from;
    return ERR_OK;
  }
  struct ast *copy = ast_copy(p->arena, from);
  PLAN_ALLOC(p, copy);
  struct lift lift = {.p = p, .c = c};
  struct ast *lifted = lift_node(copy, &lift);
  if (lifted == NULL) return lift.err;
  *ret = lifted;
  return ERR_OK;
}

/// EXISTS in a place where only true rows stay: no column is needed.
static enum err filter_by_question(struct planner *p, struct chain *c, const struct question *q, bool negated) {
  struct chain right;
  uint32_t unused;
  struct plan_op *op;
  TRY(chain_right(p, c, &right));
  TRY(plan_question(p, &right, q, &unused));
  TRY(chain_push2(p, c, negated ? PLAN_ANTI_SEMI_APPLY : PLAN_SEMI_APPLY, right.op, &op));
  op->rows = c->op->children[0]->rows * (negated ? 1 - SELECTIVITY_OTHER : SELECTIVITY_OTHER);
  return ERR_OK;
}

/// Room for one more: the array doubles whenever its length is a power of two.
static enum err append_predicate(struct planner *p, struct plan_exprs *l, const struct ast *predicate) {
  const struct ast **items = (const struct ast **) (uintptr_t) l->items;
  if ((l->count & (l->count - 1)) == 0) {
    items = ARENA_ARRAY(p->arena, const struct ast *, MAX(1, l->count * 2));
    PLAN_ALLOC(p, items);
    for (uint32_t i = 0; i < l->count; i++) items[i] = l->items[i];
  }
  items[l->count] = predicate;
  *l = (struct plan_exprs){items, l->count + 1};
  return ERR_OK;
}

enum err chain_filter(struct planner *p, struct chain *c, const struct ast *predicate) {
  struct plan_op *op = c->op;
  if (op->kind != PLAN_FILTER) TRY(chain_push(p, c, PLAN_FILTER, &op));
  op->rows *= SELECTIVITY_OTHER;
  return append_predicate(p, &op->filter.predicates, predicate);
}

enum err plan_conjunct(struct planner *p, struct chain *c, const struct ast *predicate) {
  bool negated = predicate->kind == AST_UNARY && predicate->unary.op == AST_NOT_OP;
  const struct ast *asked = negated ? predicate->unary.operand : predicate;
  struct question q;
  bool is_question = is_pattern_call(asked, &q) && q.kind == QUESTION_EXISTS;
  if (!is_question && (asked->kind == AST_SUBQUERY || asked->kind == AST_PATTERN_EXPRESSION)) {
    q = question_of(asked);
    is_question = q.kind == QUESTION_EXISTS;
  }
  bool degree = false;
  if (is_question) {
    uint32_t slot;
    TRY(planner_slot(p, STR("exists"), AST_VALUE_VARIABLE, &slot));
    TRY(plan_degree(p, c, q.query, q.path, q.where, true, slot, &degree));
    if (!degree) return filter_by_question(p, c, &q, negated);
    TRY(chain_bind(p, c, slot));
    const struct ast *variable;
    TRY(expression_variable(p, slot, &variable));
    if (!negated) return chain_filter(p, c, variable);
    struct ast *not = ast_new(p->arena, AST_UNARY, predicate->offset);
    PLAN_ALLOC(p, not);
    not->unary.op = AST_NOT_OP;
    not->unary.operand = (struct ast *) (uintptr_t) variable;
    not->height = 2;
    not->types = CYPHER_BOOLEAN;
    return chain_filter(p, c, not);
  }
  const struct ast *ready;
  TRY(plan_expression(p, c, predicate, &ready));
  return chain_filter(p, c, ready);
}

enum err plan_where(struct planner *p, struct chain *c, const struct ast *predicate) {
  struct exprs_builder conjuncts = {0};
  TRY(expression_conjuncts(p, predicate, &conjuncts));
  for (int subqueries = 0; subqueries < 2; subqueries++) // the cheap ones first
    for (uint32_t i = 0; i < conjuncts.count; i++)
      if (expression_has_subquery(conjuncts.items[i]) == (subqueries == 1)) TRY(plan_conjunct(p, c, conjuncts.items[i]));
  return ERR_OK;
}
