// Patterns that read: variables of MATCH, of tests for existence, of pattern comprehensions. All variables of a pattern are
// declared before any of its expressions is looked at, because a property may name what stands further on.
#include "base/compiler.h"
#include "cypher/check_int.h"

// Labels.

enum err check_labels(struct checker *c, struct ast *labels) {
  switch (labels->kind) {
  case AST_LABEL_DYNAMIC: return check_plain(c, labels->label_dynamic.expression);
  case AST_LABEL_NOT: return check_labels(c, labels->label_not.operand);
  case AST_LABEL_AND:
  case AST_LABEL_OR:
    AST_EACH(operand, labels->label_and.operands) TRY(check_labels(c, operand)); // LABEL_OR has the same shape
    return ERR_OK;
  default: return ERR_OK;
  }
}

// Expressions that wait.

static enum err defer(struct checker *c, struct ast *expression, bool predicate) {
  if (expression == NULL) return ERR_OK;
  struct deferred *d = ARENA_NEW(c->arena, struct deferred);
  if (d == NULL) return check_no_memory(c);
  *d = (struct deferred){NULL, expression, c->scope, predicate};
  if (c->deferred_last != NULL)
    c->deferred_last->next = d;
  else
    c->deferred = d;
  c->deferred_last = d;
  return ERR_OK;
}

static enum err check_deferred_one(struct checker *c, const struct deferred *d) {
  c->scope = d->scope;
  if (!ast_is_expression(d->expression->kind)) return check_labels(c, d->expression);
  if (d->predicate) return check_plain_predicate(c, d->expression);
  TRY(check_plain(c, d->expression));
  return expect_type(c, d->expression, CYPHER_MAP);
}

/// Takes the list away first: the expressions may hold patterns of their own.
static enum err check_deferred(struct checker *c) {
  struct scope *before = c->scope;
  struct deferred *first = c->deferred;
  c->deferred = c->deferred_last = NULL;
  for (; first != NULL; first = first->next) TRY(check_deferred_one(c, first));
  c->scope = before;
  return ERR_OK;
}

/// What is known of the pattern that is being checked.
struct pattern {
  const char *clause;  // for messages
  struct scope *named; // relationships named in this clause
  bool only_bound;
  const struct scope *outside; // of a quantified group: what its elements may not be called; else NULL
};

// Variables.

static enum err refuse_parameter(struct checker *c, const struct ast *properties, const char *clause) {
  if (properties == NULL || properties->kind != AST_PARAMETER) return ERR_OK;
  struct str name = properties->parameter.name;
  return check_fail(c, properties->offset,
                    "Parameter maps cannot be used in `%s` patterns (use a literal map instead, e.g. `{id: $%.*s.id}`)", clause,
                    STR_ARG(name));
}

static enum err type_conflict(struct checker *c, const struct ast *variable, cypher_types wanted) {
  struct str expected = cypher_types_text(c->arena, wanted, CYPHER_RELATIONSHIP);
  struct str actual = cypher_types_text(c->arena, variable->types, variable->elements);
  return check_fail(c, variable->offset, "Type mismatch: %.*s defined with conflicting type %.*s (expected %.*s)",
                    STR_ARG(variable->variable.name), STR_ARG(actual), STR_ARG(expected));
}

/// Uses what the name means, or declares it. `only_bound`: where a pattern may not bring variables.
static enum err use_variable(struct checker *c, struct ast *variable, enum ast_variable_kind kind, cypher_types types,
                             cypher_types elements, bool only_bound) {
  if (scope_find(c->scope, variable->variable.name) == AST_NO_SLOT) {
    if (!only_bound) return declare(c, variable, kind, types, elements);
    return check_fail(c, variable->offset, "PatternExpressions are not allowed to introduce new variables: '%.*s'.",
                      STR_ARG(variable->variable.name));
  }
  TRY(resolve(c, variable));
  bool group = c->slots[variable->variable.slot].kind == AST_NODE_GROUP_VARIABLE;
  if ((variable->types != 0 && (variable->types & types) == 0) || group) return type_conflict(c, variable, types);
  if (types == CYPHER_LIST && variable->types == CYPHER_LIST && variable->elements != 0 &&
      (variable->elements & CYPHER_RELATIONSHIP) == 0)
    return type_conflict(c, variable, types);
  return ERR_OK;
}

static struct ast *anonymous(struct checker *c, const struct ast *element) {
  struct ast *variable = ast_new(c->arena, AST_VARIABLE, element->offset);
  if (variable != NULL) variable->flags |= AST_ANONYMOUS | AST_DECLARES;
  return variable;
}

/// A slot for an element without a name, so that the planner can speak of it; in no scope.
static enum err name_anonymous(struct checker *c, struct ast **variable, const struct ast *element, enum ast_variable_kind kind,
                               cypher_types types, cypher_types elements) {
  if ((*variable = anonymous(c, element)) == NULL) return check_no_memory(c);
  (*variable)->types = types;
  (*variable)->elements = elements;
  struct ast_slot slot = {.name = STR(""), .kind = kind, .offset = element->offset, .types = types, .elements = elements};
  return slot_new(c, slot, &(*variable)->variable.slot);
}

static enum err refuse_outside(struct checker *c, const struct ast *variable, const struct pattern *pattern) {
  struct str name = variable->variable.name;
  if (pattern->outside == NULL || scope_find(pattern->outside, name) == AST_NO_SLOT) return ERR_OK;
  return check_fail(c, variable->offset,
                    "The variable `%.*s` occurs both inside and outside a quantified path pattern and needs to be renamed.",
                    STR_ARG(name));
}

static enum err use_or_name(struct checker *c, struct ast **variable, const struct ast *element, enum ast_variable_kind kind,
                            cypher_types types, const struct pattern *pattern) {
  cypher_types elements = types == CYPHER_LIST ? CYPHER_RELATIONSHIP : CYPHER_ANY;
  if (*variable == NULL) return name_anonymous(c, variable, element, kind, types, elements);
  TRY(refuse_outside(c, *variable, pattern));
  return use_variable(c, *variable, kind, types, elements, pattern->only_bound);
}

// Elements.

static enum err check_node(struct checker *c, struct ast *n, struct pattern *pattern) {
  TRY(refuse_parameter(c, n->node.properties, pattern->clause));
  TRY(use_or_name(c, &n->node.variable, n, AST_NODE_VARIABLE, CYPHER_NODE, pattern));
  TRY(defer(c, n->node.labels, false));
  TRY(defer(c, n->node.properties, false));
  return defer(c, n->node.where, true);
}

static enum err refuse_second_use(struct checker *c, const struct ast *variable, struct pattern *pattern) {
  if (variable == NULL || pattern->named == NULL) return ERR_OK;
  struct str name = variable->variable.name;
  if (scope_find_here(pattern->named, name) != AST_NO_SLOT)
    return check_fail(c, variable->offset, "Cannot use the same relationship variable '%.*s' for multiple relationships",
                      STR_ARG(name));
  return scope_add(c, pattern->named, name, 0);
}

static enum err check_relationship(struct checker *c, struct ast *n, struct pattern *pattern) {
  TRY(refuse_parameter(c, n->relationship.properties, pattern->clause));
  bool many = n->relationship.length != AST_ONE;
  struct ast *named = n->relationship.variable;
  TRY(use_or_name(c, &n->relationship.variable, n, many ? AST_RELATIONSHIP_GROUP_VARIABLE : AST_RELATIONSHIP_VARIABLE,
                  many ? CYPHER_LIST : CYPHER_RELATIONSHIP, pattern));
  TRY(refuse_second_use(c, named, pattern));
  TRY(defer(c, n->relationship.types, false));
  TRY(defer(c, n->relationship.properties, false));
  return defer(c, n->relationship.where, true);
}

static enum err check_elements(struct checker *c, struct ast *path, struct pattern *pattern);

/// Inside of ((a)-[r]->(b)){2}, `r` is one relationship; outside it is the list of them.
static enum err leave_group(struct checker *c, struct ast *n, const struct scope *inside) {
  struct ast_slot_pair *pairs = ARENA_ARRAY(c->arena, struct ast_slot_pair, inside->count);
  if (pairs == NULL) return check_no_memory(c);
  for (uint32_t i = 0; i < inside->count; i++) {
    struct ast_slot slot = c->slots[inside->entries[i].slot];
    if (scope_find(c->scope, slot.name) != AST_NO_SLOT)
      return check_fail(c, slot.offset, "Variable `%.*s` already declared", STR_ARG(slot.name));
    slot.kind = slot.kind == AST_NODE_VARIABLE           ? AST_NODE_GROUP_VARIABLE
                : slot.kind == AST_RELATIONSHIP_VARIABLE ? AST_RELATIONSHIP_GROUP_VARIABLE
                                                         : AST_VALUE_VARIABLE;
    slot.elements = slot.types;
    slot.types = CYPHER_LIST;
    pairs[i] = (struct ast_slot_pair){slot.name, inside->entries[i].slot, 0};
    TRY(slot_new(c, slot, &pairs[i].outer));
    TRY(scope_add(c, c->scope, slot.name, pairs[i].outer));
  }
  n->group.slots = (struct ast_slots){pairs, inside->count};
  return ERR_OK;
}

/// A group without a quantifier is only a place for a predicate.
static enum err check_plain_group(struct checker *c, struct ast *n, struct pattern *pattern) {
  TRY(check_elements(c, n->group.path, pattern));
  return defer(c, n->group.where, true);
}

static enum err check_bounds(struct checker *c, const struct ast *n) {
  int64_t min = n->group.min, max = n->group.max;
  if (max < 0) return ERR_OK;
  if (max == 0) return check_fail(c, n->offset, "A quantifier for a path pattern must not be limited by 0.");
  if (max < min)
    return check_fail(c, n->offset,
                      "A quantifier for a path pattern must not have a lower bound which exceeds its upper bound: {%lld, %lld}",
                      (long long) min, (long long) max);
  return ERR_OK;
}

static enum err check_group(struct checker *c, struct ast *n, struct pattern *pattern) {
  if (n->group.length != AST_QUANTIFIED) return check_plain_group(c, n, pattern);
  TRY(check_bounds(c, n));
  if (n->group.path->path.elements.count < 2)
    return check_fail(c, n->offset, "A quantified path pattern needs to have at least one relationship.");
  struct scope *outside = c->scope;
  struct scope *inside = scope_new(c, outside);
  if (inside == NULL) return check_no_memory(c);
  c->scope = inside;
  struct pattern inner = {pattern->clause, pattern->named, false, outside};
  TRY(check_elements(c, n->group.path, &inner));
  TRY(defer(c, n->group.where, true));
  c->scope = outside;
  return leave_group(c, n, inside);
}

static enum err check_element(struct checker *c, struct ast *n, struct pattern *pattern) {
  if (n->kind == AST_NODE) return check_node(c, n, pattern);
  return n->kind == AST_GROUP ? check_group(c, n, pattern) : check_relationship(c, n, pattern);
}

static enum err check_shortest_shape(struct checker *c, const struct ast *path) {
  if (path->path.selector != AST_SHORTEST_PATH_FUNCTION && path->path.selector != AST_ALL_SHORTEST_PATHS_FUNCTION) return ERR_OK;
  const char *name = path->path.selector == AST_SHORTEST_PATH_FUNCTION ? "shortestPath" : "allShortestPaths";
  const struct ast *relationship = path->path.elements.count == 3 ? path->path.elements.first->next : NULL;
  if (relationship == NULL)
    return check_fail(c, path->offset, "%s(...) requires a pattern containing a single relationship", name);
  int64_t min = relationship->relationship.min;
  if (relationship->relationship.length == AST_VARIABLE_LENGTH && min > 1)
    return check_fail(c, path->offset, "%s(...) does not support a minimal length different from 0 or 1", name);
  return ERR_OK;
}

static enum err check_count(struct checker *c, struct ast *count) {
  if (count == NULL) return ERR_OK;
  if (count->kind == AST_LITERAL && count->literal.integer <= 0)
    return check_fail(c, count->offset, "The path count needs to be greater than 0.");
  return check_plain(c, count);
}

/// The path's own variable comes after its elements, as it cannot be one of them.
static enum err check_elements(struct checker *c, struct ast *path, struct pattern *pattern) {
  TRY(check_shortest_shape(c, path));
  TRY(check_count(c, path->path.count));
  AST_EACH(element, path->path.elements) TRY(check_element(c, element, pattern));
  if (path->path.variable == NULL) return ERR_OK;
  TRY(expect_undeclared(c, path->path.variable));
  return declare(c, path->path.variable, AST_PATH_VARIABLE, CYPHER_PATH, CYPHER_ANY);
}

// Where patterns stand.

static enum err check_hint(struct checker *c, struct ast *hint) {
  AST_EACH(variable, hint->hint.variables) TRY(resolve(c, variable));
  return ERR_OK;
}

static void make_nullable(struct checker *c, uint32_t from) {
  for (uint32_t i = from; i < c->slot_count; i++) c->slots[i].nullable = true;
}

enum err check_match_pattern(struct checker *c, struct ast *match) {
  struct pattern pattern = {"MATCH", scope_new(c, NULL), false, NULL};
  if (pattern.named == NULL) return check_no_memory(c);
  if (match->match.mode == AST_REPEATABLE_ELEMENTS) pattern.named = NULL;
  uint32_t first_slot = c->slot_count;
  AST_EACH(path, match->match.paths) TRY(check_elements(c, path, &pattern));
  TRY(check_deferred(c));
  AST_EACH(hint, match->match.hints) TRY(check_hint(c, hint));
  if (match->match.where != NULL) TRY(check_plain_predicate(c, match->match.where));
  if (match->match.optional) make_nullable(c, first_slot);
  return ERR_OK;
}

/// Keeps what waits around it apart: a pattern may stand in an expression of a pattern.
static enum err check_inner_path(struct checker *c, struct ast *path, struct pattern *pattern) {
  struct deferred *first = c->deferred, *last = c->deferred_last;
  c->deferred = c->deferred_last = NULL;
  TRY(check_elements(c, path, pattern));
  TRY(check_deferred(c));
  c->deferred = first;
  c->deferred_last = last;
  return ERR_OK;
}

enum err check_pattern_expression(struct checker *c, struct ast *n) {
  struct ast *path = n->pattern_expression.path;
  bool shortest = path->path.selector != AST_ALL_PATHS;
  struct pattern pattern = {"MATCH", NULL, !shortest, NULL};
  struct scope *before = c->scope;
  if ((c->scope = scope_new(c, before)) == NULL) return c->scope = before, check_no_memory(c);
  TRY(check_inner_path(c, path, &pattern));
  c->scope = before;
  bool one = path->path.selector == AST_SHORTEST_PATH_FUNCTION;
  n->types = !shortest ? CYPHER_BOOLEAN : one ? CYPHER_PATH : CYPHER_LIST;
  n->elements = CYPHER_PATH;
  return ERR_OK;
}

enum err check_pattern_comprehension(struct checker *c, struct ast *n) {
  struct scope *before = c->scope;
  if ((c->scope = scope_new(c, before)) == NULL) return c->scope = before, check_no_memory(c);
  struct pattern pattern = {"MATCH", NULL, false, NULL};
  TRY(check_inner_path(c, n->pattern_comprehension.path, &pattern));
  if (n->pattern_comprehension.where != NULL) TRY(check_plain_predicate(c, n->pattern_comprehension.where));
  TRY(check_plain(c, n->pattern_comprehension.projection));
  c->scope = before;
  n->types = CYPHER_LIST;
  n->elements = n->pattern_comprehension.projection->types;
  return ERR_OK;
}
