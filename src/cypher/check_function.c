// Calls of functions, and the types of binary operators.
#include "base/compiler.h"
#include "cypher/check_int.h"

// Operators.

/// Whether one of the pairs (left, right) of types is possible, and what comes out of those that are.
struct combination {
  cypher_types left, right, result; // result 0: as the left one
};

static cypher_types combine(const struct combination *all, size_t count, cypher_types left, cypher_types right) {
  cypher_types result = 0;
  for (size_t i = 0; i < count; i++)
    if ((left & all[i].left) != 0 && (right & all[i].right) != 0)
      result |= all[i].result != 0 ? all[i].result : left & all[i].left;
  return result;
}

#define NUMBERS                                                                                    \
  {CYPHER_INTEGER, CYPHER_INTEGER, CYPHER_INTEGER}, {CYPHER_FLOAT, CYPHER_NUMBER, CYPHER_FLOAT}, { \
    CYPHER_NUMBER, CYPHER_FLOAT, CYPHER_FLOAT                                                      \
  }
static const struct combination additions[] = {NUMBERS,
                                               {CYPHER_STRING, CYPHER_ANY, CYPHER_STRING},
                                               {CYPHER_ANY, CYPHER_STRING, CYPHER_STRING},
                                               {CYPHER_LIST, CYPHER_ANY, CYPHER_LIST},
                                               {CYPHER_ANY, CYPHER_LIST, CYPHER_LIST},
                                               {CYPHER_TEMPORAL, CYPHER_DURATION, 0},
                                               {CYPHER_DURATION, CYPHER_INSTANT, CYPHER_INSTANT}};
static const struct combination subtractions[] = {NUMBERS, {CYPHER_TEMPORAL, CYPHER_DURATION, 0}};
static const struct combination products[] = {
    NUMBERS, {CYPHER_DURATION, CYPHER_NUMBER, CYPHER_DURATION}, {CYPHER_NUMBER, CYPHER_DURATION, CYPHER_DURATION}};
static const struct combination quotients[] = {NUMBERS, {CYPHER_DURATION, CYPHER_NUMBER, CYPHER_DURATION}};
static const struct combination remainders[] = {NUMBERS};
static const struct combination powers[] = {{CYPHER_NUMBER, CYPHER_NUMBER, CYPHER_FLOAT}};
static const struct combination joins[] = {{CYPHER_STRING, CYPHER_STRING, CYPHER_STRING},
                                           {CYPHER_LIST, CYPHER_LIST, CYPHER_LIST}};
#undef NUMBERS

static const struct {
  const struct combination *all;
  size_t count;
} arithmetic[AST_OP_MAX] = {
    [AST_ADD_OP] = {additions, ARRAY_SIZE(additions)},      [AST_SUBTRACT_OP] = {subtractions, ARRAY_SIZE(subtractions)},
    [AST_MULTIPLY_OP] = {products, ARRAY_SIZE(products)},   [AST_DIVIDE_OP] = {quotients, ARRAY_SIZE(quotients)},
    [AST_MODULO_OP] = {remainders, ARRAY_SIZE(remainders)}, [AST_POWER_OP] = {powers, ARRAY_SIZE(powers)},
    [AST_CONCAT_OP] = {joins, ARRAY_SIZE(joins)},
};

static enum err mismatch(struct checker *c, const struct ast *n, size_t op) {
  const struct ast *left = n->binary.left, *right = n->binary.right;
  cypher_types firsts = 0, seconds = 0;
  for (size_t i = 0; i < arithmetic[op].count; i++) {
    firsts |= arithmetic[op].all[i].left;
    if ((left->types & arithmetic[op].all[i].left) != 0) seconds |= arithmetic[op].all[i].right;
  }
  TRY(expect_type(c, left, firsts));
  if (seconds != 0) TRY(expect_type(c, right, seconds));
  return check_fail(c, right->offset, "Type mismatch: the operator %s does not take these operands", ast_op_text(op));
}

/// Elements of `a + b` where a list comes out: of the list, and of what is put to it.
static cypher_types joined_elements(const struct ast *left, const struct ast *right) {
  cypher_types a = (left->types & CYPHER_LIST) != 0 ? left->elements : left->types;
  cypher_types b = (right->types & CYPHER_LIST) != 0 ? right->elements : right->types;
  bool surely_lists = left->types == CYPHER_LIST || right->types == CYPHER_LIST;
  return surely_lists ? a | b : CYPHER_ANY;
}

static enum err check_arithmetic(struct checker *c, struct ast *n) {
  uint32_t op = n->binary.op;
  const struct ast *left = n->binary.left, *right = n->binary.right;
  if (left->types == 0 || right->types == 0) { // null: the result is null
    n->types = left->types == 0 && right->types == 0 ? 0 : CYPHER_ANY;
    n->elements = CYPHER_ANY;
    return ERR_OK;
  }
  n->types = combine(arithmetic[op].all, arithmetic[op].count, left->types, right->types);
  n->elements = joined_elements(left, right);
  return n->types != 0 ? ERR_OK : mismatch(c, n, op);
}

enum err check_binary(struct checker *c, struct ast *n) {
  TRY(check_expression(c, n->binary.left));
  TRY(check_expression(c, n->binary.right));
  take_flags(n, n->binary.left);
  take_flags(n, n->binary.right);
  if (arithmetic[n->binary.op].count > 0) return check_arithmetic(c, n);
  if (n->binary.op == AST_IN_OP) TRY(expect_type(c, n->binary.right, CYPHER_LIST));
  n->types = CYPHER_BOOLEAN;
  return ERR_OK;
}

// Functions.

static const struct cypher_function *find_function(const struct checker *c, struct str name) {
  const struct cypher_function *f = cypher_function_find(name);
  if (f == NULL && c->signatures != NULL && c->signatures->find_function != NULL)
    f = c->signatures->find_function(c->signatures->context, name);
  return f;
}

static enum err enter_aggregate(struct checker *c, const struct ast *n) {
  if (c->aggregation == AGGREGATION_INSIDE)
    return check_fail(c, n->offset, "Can't use aggregate functions inside of aggregate functions.");
  if (c->aggregation == AGGREGATION_FORBIDDEN)
    return check_fail(c, n->offset, "Invalid use of aggregating function %.*s(...) in this context", STR_ARG(n->function.name));
  c->aggregation = AGGREGATION_INSIDE;
  return ERR_OK;
}

static enum err check_argument_count(struct checker *c, const struct ast *n, const struct cypher_function *f) {
  uint32_t count = n->function.arguments.count;
  if (count < f->min) return check_fail(c, n->offset, "Insufficient parameters for function '%s'", f->name);
  if (count > f->max && f->max != CYPHER_ARGUMENTS_MANY)
    return check_fail(c, n->offset, "Too many parameters for function '%s'", f->name);
  return ERR_OK;
}

/// exists(pattern) is a test for existence, size(pattern) of Cypher 3.5 a count; elsewhere a pattern is no argument.
static bool takes_pattern(const struct checker *c, const struct cypher_function *f) {
  if (f->id == CYPHER_FN_EXISTS) return true;
  return f->id == CYPHER_FN_SIZE && c->statement->language != 0 && c->statement->language < 50;
}

static enum err check_arguments(struct checker *c, struct ast *n, const struct cypher_function *f) {
  uint32_t i = 0;
  AST_EACH(argument, n->function.arguments) {
    bool pattern = argument->kind == AST_PATTERN_EXPRESSION && takes_pattern(c, f);
    TRY(pattern ? check_pattern_expression(c, argument) : check_expression(c, argument));
    if (!pattern) TRY(expect_type(c, argument, f->arguments[i]));
    if (i + 1 < CYPHER_ARGUMENTS_TYPED && f->arguments[i + 1] != 0) i++;
    take_flags(n, argument);
  }
  return ERR_OK;
}

static void set_result(struct ast *n, const struct cypher_function *f) {
  const struct ast *first = n->function.arguments.first;
  n->types = f->result;
  n->elements = f->element;
  cypher_types any = 0;
  switch (f->rule) {
  case CYPHER_RESULT_ELEMENT: n->types = first->types == CYPHER_LIST ? first->elements : CYPHER_ANY; break;
  case CYPHER_RESULT_ARGUMENT: n->types = first->types & f->result, n->elements = first->elements; break;
  case CYPHER_RESULT_LIST_OF: n->elements = first->types; break;
  case CYPHER_RESULT_ANY_OF:
    AST_EACH(argument, n->function.arguments) any |= argument->types;
    n->types = any;
    break;
  default: break;
  }
}

static enum err check_aggregate(struct checker *c, struct ast *n, const struct cypher_function *f) {
  enum aggregation before = c->aggregation;
  TRY(enter_aggregate(c, n));
  TRY(check_arguments(c, n, f));
  c->aggregation = before;
  if ((n->flags & AST_VOLATILE) != 0)
    return check_fail(c, n->offset, "Can't use non-deterministic (random) functions inside of aggregate functions.");
  n->flags |= AST_AGGREGATES;
  return ERR_OK;
}

enum err check_function(struct checker *c, struct ast *n) {
  const struct cypher_function *f = find_function(c, n->function.name);
  if (f == NULL) return check_fail(c, n->offset, "Unknown function '%.*s'", STR_ARG(n->function.name));
  n->function.signature = f;
  TRY(check_argument_count(c, n, f));
  bool aggregates = (f->flags & CYPHER_AGGREGATING) != 0;
  if (n->function.distinct && !aggregates) return check_fail(c, n->offset, "Invalid use of DISTINCT with function '%s'", f->name);
  TRY(aggregates ? check_aggregate(c, n, f) : check_arguments(c, n, f));
  if ((f->flags & CYPHER_VOLATILE) != 0) n->flags |= AST_VOLATILE;
  if ((f->flags & CYPHER_CLOCK) != 0) c->statement->uses_clock = true;
  set_result(n, f);
  return ERR_OK;
}
