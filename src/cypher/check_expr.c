// Expressions: names, static types, where aggregation may stand.
#include "base/compiler.h"
#include "cypher/check_int.h"

void take_flags(struct ast *n, const struct ast *child) {
  if (child != NULL) n->flags |= child->flags & (AST_AGGREGATES | AST_VOLATILE);
}

static void set_type(struct ast *n, cypher_types types, cypher_types elements) {
  n->types = types;
  n->elements = elements;
}

static enum err expect_type_or(struct checker *c, const struct ast *n, cypher_types wanted, enum err code) {
  cypher_types accepted = (wanted & CYPHER_FLOAT) != 0 ? wanted | CYPHER_INTEGER : wanted;
  if (n->types == 0 || (n->types & accepted) != 0) return ERR_OK;
  struct str expected = cypher_types_text(c->arena, wanted, CYPHER_ANY),
             actual = cypher_types_text(c->arena, n->types, n->elements);
  return cypher_error_of(c->statement, c->e, code, n->offset, "Type mismatch: expected %.*s but was %.*s", STR_ARG(expected),
                         STR_ARG(actual));
}

enum err expect_type(struct checker *c, const struct ast *n, cypher_types wanted) {
  return expect_type_or(c, n, wanted, ERR_SYNTAX);
}

enum err check_typed(struct checker *c, struct ast *n, cypher_types wanted) {
  TRY(check_expression(c, n));
  return expect_type(c, n, wanted);
}

enum err check_predicate(struct checker *c, struct ast *n) {
  if (n->kind == AST_PATTERN_EXPRESSION) return check_pattern_expression(c, n);
  return check_typed(c, n, CYPHER_BOOLEAN);
}

enum err check_plain(struct checker *c, struct ast *n) {
  enum aggregation before = c->aggregation;
  c->aggregation = AGGREGATION_FORBIDDEN;
  enum err err = check_expression(c, n);
  c->aggregation = before;
  return err;
}

enum err check_plain_predicate(struct checker *c, struct ast *n) {
  enum aggregation before = c->aggregation;
  c->aggregation = AGGREGATION_FORBIDDEN;
  enum err err = check_predicate(c, n);
  c->aggregation = before;
  return err;
}

enum err check_list_of(struct checker *c, struct ast_list *list) {
  AST_EACH(item, *list) TRY(check_expression(c, item));
  return ERR_OK;
}

static enum err check_child(struct checker *c, struct ast *n, struct ast *child) {
  if (child == NULL) return ERR_OK;
  TRY(check_expression(c, child));
  take_flags(n, child);
  return ERR_OK;
}

// Literals and containers.

static enum err check_literal(struct ast *n) {
  static const cypher_types types[] = {[AST_NULL] = 0,
                                       [AST_BOOLEAN] = CYPHER_BOOLEAN,
                                       [AST_INTEGER] = CYPHER_INTEGER,
                                       [AST_FLOAT] = CYPHER_FLOAT,
                                       [AST_STRING] = CYPHER_STRING};
  set_type(n, types[n->literal.type], 0);
  return ERR_OK;
}

static enum err check_list(struct checker *c, struct ast *n) {
  cypher_types elements = 0;
  AST_EACH(item, n->list.items) {
    TRY(check_child(c, n, item));
    elements |= item->types;
  }
  set_type(n, CYPHER_LIST, n->list.items.count > 0 ? elements : CYPHER_ANY);
  return ERR_OK;
}

static enum err check_map(struct checker *c, struct ast *n) {
  AST_EACH(entry, n->map.entries) {
    TRY(check_child(c, entry, entry->map_entry.value));
    take_flags(n, entry);
  }
  set_type(n, CYPHER_MAP, CYPHER_ANY);
  return ERR_OK;
}

static enum err check_projection_item(struct checker *c, struct ast *item) {
  if (item->kind == AST_MAP_ENTRY) return check_child(c, item, item->map_entry.value);
  return item->kind == AST_MAP_PROJECTION_VARIABLE ? check_child(c, item, item->map_projection_variable.variable) : ERR_OK;
}

static enum err check_map_projection(struct checker *c, struct ast *n) {
  TRY(check_typed(c, n->map_projection.subject, CYPHER_NODE | CYPHER_RELATIONSHIP | CYPHER_MAP));
  AST_EACH(item, n->map_projection.items) {
    TRY(check_projection_item(c, item));
    take_flags(n, item);
  }
  set_type(n, CYPHER_MAP, CYPHER_ANY);
  return ERR_OK;
}

// Access.

static enum err check_property(struct checker *c, struct ast *n) {
  TRY(check_child(c, n, n->property.subject));
  TRY(expect_type(c, n->property.subject, CYPHER_WITH_PROPERTIES));
  set_type(n, CYPHER_ANY, CYPHER_ANY);
  return ERR_OK;
}

/// What cannot be indexed is a TypeError whether it is found here or by the run (openCypher: "at any time").
static enum err check_subscript(struct checker *c, struct ast *n) {
  struct ast *subject = n->subscript.subject, *index = n->subscript.index;
  TRY(check_child(c, n, subject));
  TRY(check_child(c, n, index));
  TRY(expect_type_or(c, subject, CYPHER_LIST | CYPHER_MAP | CYPHER_ENTITY, ERR_TYPE));
  if (subject->types == CYPHER_LIST) TRY(expect_type_or(c, index, CYPHER_INTEGER, ERR_TYPE));
  if (subject->types != 0 && (subject->types & CYPHER_LIST) == 0) TRY(expect_type_or(c, index, CYPHER_STRING, ERR_TYPE));
  bool list = subject->types == CYPHER_LIST;
  set_type(n, list ? subject->elements : CYPHER_ANY, CYPHER_ANY);
  return ERR_OK;
}

static enum err check_slice(struct checker *c, struct ast *n) {
  TRY(check_child(c, n, n->slice.subject));
  TRY(expect_type(c, n->slice.subject, CYPHER_LIST));
  TRY(check_child(c, n, n->slice.from));
  TRY(check_child(c, n, n->slice.to));
  if (n->slice.from != NULL) TRY(expect_type(c, n->slice.from, CYPHER_INTEGER));
  if (n->slice.to != NULL) TRY(expect_type(c, n->slice.to, CYPHER_INTEGER));
  set_type(n, CYPHER_LIST, n->slice.subject->elements);
  return ERR_OK;
}

// Operators.

static enum err check_unary(struct checker *c, struct ast *n) {
  struct ast *operand = n->unary.operand;
  TRY(n->unary.op == AST_NOT_OP ? check_predicate(c, operand) : check_typed(c, operand, CYPHER_NUMBER | CYPHER_DURATION));
  take_flags(n, operand);
  set_type(n, n->unary.op == AST_NOT_OP ? CYPHER_BOOLEAN : operand->types & (CYPHER_NUMBER | CYPHER_DURATION), 0);
  return ERR_OK;
}

static enum err check_logical(struct checker *c, struct ast *n) {
  AST_EACH(operand, n->logical.operands) {
    TRY(check_predicate(c, operand));
    take_flags(n, operand);
  }
  set_type(n, CYPHER_BOOLEAN, 0);
  return ERR_OK;
}

static enum err check_chain(struct checker *c, struct ast *n) {
  TRY(check_child(c, n, n->comparison_chain.first));
  AST_EACH(link, n->comparison_chain.links) TRY(check_child(c, n, link->comparison_link.operand));
  set_type(n, CYPHER_BOOLEAN, 0);
  return ERR_OK;
}

static enum err check_test(struct checker *c, struct ast *n, struct ast *operand) {
  TRY(check_child(c, n, operand));
  set_type(n, CYPHER_BOOLEAN, 0);
  return ERR_OK;
}

static enum err check_has_labels(struct checker *c, struct ast *n) {
  TRY(check_child(c, n, n->has_labels.subject));
  TRY(expect_type(c, n->has_labels.subject, CYPHER_ENTITY));
  TRY(check_labels(c, n->has_labels.labels));
  set_type(n, CYPHER_BOOLEAN, 0);
  return ERR_OK;
}

// CASE.

static enum err check_branch(struct checker *c, struct ast *n, bool has_operand) {
  AST_EACH(test, n->case_branch.tests) {
    TRY(has_operand ? check_expression(c, test) : check_predicate(c, test));
    take_flags(n, test);
  }
  return check_child(c, n, n->case_branch.result);
}

static enum err check_case(struct checker *c, struct ast *n) {
  cypher_types types = 0, elements = 0;
  TRY(check_child(c, n, n->case_.operand));
  AST_EACH(branch, n->case_.branches) {
    TRY(check_branch(c, branch, n->case_.operand != NULL));
    take_flags(n, branch);
    types |= branch->case_branch.result->types;
    elements |= branch->case_branch.result->elements;
  }
  TRY(check_child(c, n, n->case_.otherwise));
  if (n->case_.otherwise != NULL) types |= n->case_.otherwise->types, elements |= n->case_.otherwise->elements;
  set_type(n, types, elements);
  return ERR_OK;
}

// What brings its own variables: comprehensions, quantifiers, reduce. Inside them nothing can be aggregated.

static enum err enter_scope(struct checker *c, struct scope **before) {
  *before = c->scope;
  struct scope *inner = scope_new(c, c->scope);
  if (inner == NULL) return check_no_memory(c);
  c->scope = inner;
  return ERR_OK;
}

static cypher_types element_types(const struct ast *list) {
  return (list->types & CYPHER_LIST) != 0 && list->types != CYPHER_ANY ? list->elements : CYPHER_ANY;
}

static enum err declare_element(struct checker *c, struct ast *variable, const struct ast *list) {
  cypher_types types = element_types(list);
  return declare(c, variable, AST_VALUE_VARIABLE, types != 0 ? types : CYPHER_ANY, CYPHER_ANY);
}

static enum err check_list_comprehension(struct checker *c, struct ast *n) {
  struct ast *list = n->list_comprehension.list, *where = n->list_comprehension.where,
             *projection = n->list_comprehension.projection;
  TRY(check_child(c, n, list));
  TRY(expect_type(c, list, CYPHER_LIST));
  struct scope *before;
  TRY(enter_scope(c, &before));
  TRY(declare_element(c, n->list_comprehension.variable, list));
  if (where != NULL) TRY(check_plain_predicate(c, where));
  if (projection != NULL) TRY(check_plain(c, projection));
  take_flags(n, where), take_flags(n, projection);
  c->scope = before;
  set_type(n, CYPHER_LIST, projection != NULL ? projection->types : element_types(list));
  return ERR_OK;
}

static enum err check_quantifier(struct checker *c, struct ast *n) {
  TRY(check_child(c, n, n->quantifier.list));
  TRY(expect_type(c, n->quantifier.list, CYPHER_LIST));
  struct scope *before;
  TRY(enter_scope(c, &before));
  TRY(declare_element(c, n->quantifier.variable, n->quantifier.list));
  if (n->quantifier.where != NULL) TRY(check_plain_predicate(c, n->quantifier.where));
  take_flags(n, n->quantifier.where);
  c->scope = before;
  set_type(n, CYPHER_BOOLEAN, 0);
  return ERR_OK;
}

static enum err check_reduce(struct checker *c, struct ast *n) {
  TRY(check_child(c, n, n->reduce.init));
  TRY(check_child(c, n, n->reduce.list));
  TRY(expect_type(c, n->reduce.list, CYPHER_LIST));
  struct scope *before;
  TRY(enter_scope(c, &before));
  TRY(declare(c, n->reduce.accumulator, AST_VALUE_VARIABLE, CYPHER_ANY, CYPHER_ANY));
  TRY(declare_element(c, n->reduce.variable, n->reduce.list));
  TRY(check_plain(c, n->reduce.expression));
  take_flags(n, n->reduce.expression);
  c->scope = before;
  set_type(n, n->reduce.init->types | n->reduce.expression->types, CYPHER_ANY);
  return ERR_OK;
}

// Subqueries in expressions.

static enum err check_subquery(struct checker *c, struct ast *n) {
  static const char *const names[] = {"An Exists Expression", "A Count Expression", "A Collect Expression"};
  struct ast *query = n->subquery.query;
  AST_EACH(branch, query->query.branches) {
    AST_EACH(clause, branch->single_query.clauses)
      if (clause_writes(clause)) return check_fail(c, clause->offset, "%s cannot contain any updates", names[n->subquery.op]);
  }
  enum aggregation aggregation = c->aggregation;
  bool inside = c->in_expression_query;
  c->in_expression_query = true;
  TRY(check_query(c, query, c->scope, n->subquery.op == AST_COLLECT));
  c->in_expression_query = inside;
  c->aggregation = aggregation;
  if (n->subquery.op == AST_COLLECT && query->query.columns.count != 1)
    return check_fail(c, n->offset, "A Collect Expression must end with a single return column.");
  cypher_types elements = CYPHER_ANY;
  if (n->subquery.op == AST_COLLECT) elements = c->slots[query->query.columns.items[0].outer].types;
  set_type(n,
           n->subquery.op == AST_EXISTS  ? CYPHER_BOOLEAN
           : n->subquery.op == AST_COUNT ? CYPHER_INTEGER
                                         : CYPHER_LIST,
           elements);
  return ERR_OK;
}

static enum err check_shortest(struct checker *c, struct ast *n) {
  if (n->pattern_expression.path->path.selector == AST_ALL_PATHS)
    return check_fail(
        c, n->offset,
        "A pattern expression should only be used in order to test the existence of a pattern. It should therefore only be used "
        "in "
        "contexts that evaluate to a boolean, e.g. inside the function exists() or in a WHERE-clause. No other uses are allowed, "
        "instead they should be replaced by a pattern comprehension.");
  return check_pattern_expression(c, n);
}

static enum err check_count_star(struct checker *c, struct ast *n) {
  if (c->aggregation == AGGREGATION_FORBIDDEN)
    return check_fail(c, n->offset, "Invalid use of aggregating function count(...) in this context");
  if (c->aggregation == AGGREGATION_INSIDE)
    return check_fail(c, n->offset, "Can't use aggregate functions inside of aggregate functions.");
  n->flags |= AST_AGGREGATES;
  set_type(n, CYPHER_INTEGER, 0);
  return ERR_OK;
}

enum err check_expression(struct checker *c, struct ast *n) {
  switch ((enum ast_kind) n->kind) {
  case AST_LITERAL: return check_literal(n);
  case AST_PARAMETER:
  case AST_CASE_OPERAND: set_type(n, CYPHER_ANY, CYPHER_ANY); return ERR_OK;
  case AST_VARIABLE: return resolve(c, n);
  case AST_PROPERTY: return check_property(c, n);
  case AST_SUBSCRIPT: return check_subscript(c, n);
  case AST_SLICE: return check_slice(c, n);
  case AST_LIST: return check_list(c, n);
  case AST_MAP: return check_map(c, n);
  case AST_UNARY: return check_unary(c, n);
  case AST_BINARY: return check_binary(c, n);
  case AST_LOGICAL: return check_logical(c, n);
  case AST_COMPARISON_CHAIN: return check_chain(c, n);
  case AST_IS_NULL: return check_test(c, n, n->is_null.operand);
  case AST_IS_TYPED: return check_test(c, n, n->is_typed.operand);
  case AST_IS_NORMALIZED: return check_test(c, n, n->is_normalized.operand);
  case AST_HAS_LABELS: return check_has_labels(c, n);
  case AST_FUNCTION: return check_function(c, n);
  case AST_COUNT_STAR: return check_count_star(c, n);
  case AST_CASE: return check_case(c, n);
  case AST_LIST_COMPREHENSION: return check_list_comprehension(c, n);
  case AST_PATTERN_COMPREHENSION: return check_pattern_comprehension(c, n);
  case AST_QUANTIFIER: return check_quantifier(c, n);
  case AST_REDUCE: return check_reduce(c, n);
  case AST_MAP_PROJECTION: return check_map_projection(c, n);
  case AST_PATTERN_EXPRESSION: return check_shortest(c, n);
  case AST_SUBQUERY: return check_subquery(c, n);
  default: return check_fail(c, n->offset, "Invalid input: an expression cannot stand here");
  }
}
