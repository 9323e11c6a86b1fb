// Subqueries and patterns inside of expressions become operators: the expression then reads a slot that an operator below it has
// filled, for the whole batch at once. What depends on a local variable of a list expression stays where it is, with a plan of its own
// (plan.nested).
#include "plan/lift.h"

#include <stddef.h>

#include "plan/cost.h"

struct lift {
  struct planner *p;
  struct chain *c;
  struct bits locals; // variables of the list expressions around
  uint32_t lambdas;   // how many there are
  enum err err;
};

static struct ast *lift_node(struct ast *n, void *context);

/// What a subquery is asked for, and of what.
struct question {
  enum plan_nested_kind kind;
  const struct ast *query;      // a SUBQUERY's
  const struct ast *path;       // or a pattern's,
  const struct ast *where;      // with its predicate
  const struct ast *projection; // and for a list, its elements
};

static bool is_path_function(const struct ast *path) {
  return path->path.selector == AST_SHORTEST_PATH_FUNCTION || path->path.selector == AST_ALL_SHORTEST_PATHS_FUNCTION;
}

static struct question question_of(const struct ast *n) {
  static const enum plan_nested_kind kinds[] = {
      [AST_EXISTS] = PLAN_NESTED_EXISTS, [AST_COUNT] = PLAN_NESTED_COUNT, [AST_COLLECT] = PLAN_NESTED_COLLECT};
  switch (n->kind) {
  case AST_SUBQUERY: return (struct question){.kind = kinds[n->subquery.op], .query = n->subquery.query};
  case AST_PATTERN_COMPREHENSION:
    return (struct question){.kind = PLAN_NESTED_COLLECT,
                             .path = n->pattern_comprehension.path,
                             .where = n->pattern_comprehension.where,
                             .projection = n->pattern_comprehension.projection};
  default: {
    const struct ast *path = n->pattern_expression.path;
    bool value = is_path_function(path);
    return (struct question){.kind = value ? PLAN_NESTED_COLLECT : PLAN_NESTED_EXISTS,
                             .path = path,
                             .projection = value ? path->path.variable : NULL};
  }
  }
}

/// The rows that answer `q` on `right`; for a list, `*ret_collect` has its elements.
static enum err plan_question(struct planner *p, struct chain *right, const struct question *q, uint32_t *ret_collect) {
  if (++p->nesting > PLAN_NESTING_MAX) return error_set(p->error, ERR_UNSUPPORTED, "More than %d subqueries inside each other", PLAN_NESTING_MAX);
  *ret_collect = PLAN_NONE;
  if (q->query != NULL) {
    struct plan_columns columns;
    TRY(plan_query(p, right, q->query, &columns));
    if (columns.count > 0) *ret_collect = columns.items[0].slot;
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
  if (q->kind != PLAN_NESTED_COLLECT)
    TRY(plan_degree(p, c, q->query, q->path, q->where, q->kind == PLAN_NESTED_EXISTS, *ret_slot, &done));
  if (!done) switch (q->kind) {
    case PLAN_NESTED_EXISTS: TRY(lift_exists(p, c, q, *ret_slot)); break;
    case PLAN_NESTED_COUNT: TRY(lift_count(p, c, q, *ret_slot)); break;
    case PLAN_NESTED_COLLECT: TRY(lift_collect(p, c, q, *ret_slot)); break;
    }
  return chain_bind(p, c, *ret_slot);
}

/// Leaves `n` where it is and gives it a plan.
static enum err nest_question(struct lift *l, const struct ast *n, const struct question *q) {
  struct planner *p = l->p;
  struct chain right;
  struct plan_nested nested = {.expression = n, .kind = q->kind};
  TRY(chain_right(p, l->c, &right));
  if (!bits_add_all(&p->scratch, &right.bound, &l->locals)) return planner_nomem(p);
  TRY(plan_question(p, &right, q, &nested.collect));
  nested.root = right.op;
  TRY(array_room(p, &p->nested, p->nested_count, &p->nested_room, sizeof nested));
  p->nested[p->nested_count++] = nested;
  return ERR_OK;
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
  const struct ast *result = n;
  if (l->lambdas > 0) {
    TRY(nest_question(l, n, q));
  } else {
    uint32_t slot;
    TRY(lift_question(l->p, l->c, q, &slot));
    TRY(expression_variable(l->p, slot, &result));
  }
  *ret = (struct ast *) (uintptr_t) result;
  return first_only ? call_head(l->p, result, ret) : ERR_OK;
}

static struct ast *lift_failed(struct lift *l, enum err err) {
  l->err = err;
  return NULL;
}

static bool lift_field(struct lift *l, struct ast **field) {
  if (*field == NULL) return true;
  *field = lift_node(*field, l);
  return *field != NULL;
}

/// The part of a list expression that its variables are visible in.
static bool lift_inside(struct lift *l, const struct ast *variable, const struct ast *second, struct ast **body, struct ast **body2) {
  const struct ast *variables[] = {variable, second};
  for (int i = 0; i < 2; i++)
    if (variables[i] != NULL && !bits_add(&l->p->scratch, &l->locals, variables[i]->variable.slot)) return lift_failed(l, planner_nomem(l->p));
  l->lambdas++;
  bool ok = lift_field(l, body) && (body2 == NULL || lift_field(l, body2));
  l->lambdas--;
  for (int i = 0; i < 2; i++)
    if (variables[i] != NULL) bits_remove(&l->locals, variables[i]->variable.slot);
  return ok;
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
  ret->kind = PLAN_NESTED_COUNT;
  ret->projection = NULL;
  return true;
}

static struct ast *lift_node(struct ast *n, void *context) {
  struct lift *l = context;
  struct question q;
  struct ast *replaced;
  if (!expression_has_subquery(n)) return n;
  if (is_pattern_call(n, &q) && q.kind == PLAN_NESTED_EXISTS) return lift_node(n->function.arguments.first, l);
  if (l->lambdas == 0 && is_pattern_call(n, &q)) {
    enum err err = replace(l, n, &q, &replaced);
    return err == ERR_OK ? replaced : lift_failed(l, err);
  }
  switch (n->kind) {
  case AST_SUBQUERY:
  case AST_PATTERN_EXPRESSION:
  case AST_PATTERN_COMPREHENSION: {
    q = question_of(n);
    enum err err = replace(l, n, &q, &replaced);
    return err == ERR_OK ? replaced : lift_failed(l, err);
  }
  case AST_LIST_COMPREHENSION:
    if (!lift_field(l, &n->list_comprehension.list)) return NULL;
    return lift_inside(l, n->list_comprehension.variable, NULL, &n->list_comprehension.where, &n->list_comprehension.projection) ? n : NULL;
  case AST_QUANTIFIER:
    if (!lift_field(l, &n->quantifier.list)) return NULL;
    return lift_inside(l, n->quantifier.variable, NULL, &n->quantifier.where, NULL) ? n : NULL;
  case AST_REDUCE:
    if (!lift_field(l, &n->reduce.init) || !lift_field(l, &n->reduce.list)) return NULL;
    return lift_inside(l, n->reduce.variable, n->reduce.accumulator, &n->reduce.expression, NULL) ? n : NULL;
  default: return ast_map_children(n, lift_node, l) ? n : l->err != ERR_OK ? NULL : lift_failed(l, planner_nomem(l->p));
  }
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
  bool is_question = is_pattern_call(asked, &q) && q.kind == PLAN_NESTED_EXISTS;
  if (!is_question && (asked->kind == AST_SUBQUERY || asked->kind == AST_PATTERN_EXPRESSION)) {
    q = question_of(asked);
    is_question = q.kind == PLAN_NESTED_EXISTS;
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
