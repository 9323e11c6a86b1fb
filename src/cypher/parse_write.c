// Clauses that write: CREATE, MERGE, SET, REMOVE, DELETE, FOREACH.
#include "base/compiler.h"
#include "cypher/parser_int.h"

struct ast *parse_create(struct parser *p, bool insert) {
  struct ast *n = parser_new(p, AST_CREATE, here(p));
  p->at++;
  if (n == NULL) return NULL;
  n->create.insert = insert;
  return parse_paths(p, &n->create.paths, true) ? parser_done(p, n) : NULL;
}

// SET and REMOVE.

static struct ast *parse_set_labels(struct parser *p, struct ast *target) {
  struct ast *n = parser_new(p, AST_SET_LABELS, target->offset);
  if (n == NULL || !take_either(p, T_COLON, K_IS)) return NULL;
  n->set_labels.target = target;
  return parse_label_list(p, &n->set_labels.labels) ? parser_done(p, n) : NULL;
}

static struct ast *parse_set_entity(struct parser *p, struct ast *target, bool add) {
  struct ast *n = parser_new(p, AST_SET_ENTITY, target->offset);
  if (n == NULL || (n->set_entity.value = parse_expression(p)) == NULL) return NULL;
  n->set_entity.target = target;
  n->set_entity.add = add;
  return parser_done(p, n);
}

static struct ast *parse_set_property(struct parser *p, struct ast *target) {
  struct ast *n = parser_new(p, AST_SET_PROPERTY, target->offset);
  if (n == NULL || !take(p, T_EQ) || (n->set_property.value = parse_expression(p)) == NULL) return NULL;
  n->set_property.target = target;
  return parser_done(p, n);
}

static struct ast *parse_set_item(struct parser *p) {
  struct ast *target = parse_property_expression(p);
  if (target == NULL) return NULL;
  if (target->kind == AST_PROPERTY || target->kind == AST_SUBSCRIPT) return parse_set_property(p, target);
  if (target->kind != AST_VARIABLE) return NULL;
  if (next_is(p, T_COLON) || next_is(p, K_IS)) return parse_set_labels(p, target);
  if (take(p, T_EQ)) return parse_set_entity(p, target, false);
  return take(p, T_PLUSEQ) ? parse_set_entity(p, target, true) : NULL;
}

static bool parse_set_items(struct parser *p, struct ast_list *ret) {
  do {
    struct ast *item = parse_set_item(p);
    if (item == NULL) return false;
    ast_append(ret, item);
  } while (take(p, T_COMMA));
  return true;
}

struct ast *parse_set(struct parser *p) {
  struct ast *n = parser_new(p, AST_SET, here(p));
  p->at++;
  return n != NULL && parse_set_items(p, &n->set.items) ? parser_done(p, n) : NULL;
}

static struct ast *parse_remove_item(struct parser *p) {
  struct ast *target = parse_property_expression(p);
  if (target == NULL) return NULL;
  if (target->kind == AST_VARIABLE && (next_is(p, T_COLON) || next_is(p, K_IS))) return parse_set_labels(p, target);
  if (target->kind != AST_PROPERTY && target->kind != AST_SUBSCRIPT) return NULL;
  struct ast *n = parser_new(p, AST_REMOVE_PROPERTY, target->offset);
  if (n == NULL) return NULL;
  n->remove_property.target = target;
  return parser_done(p, n);
}

struct ast *parse_remove(struct parser *p) {
  struct ast *n = parser_new(p, AST_REMOVE, here(p));
  p->at++;
  if (n == NULL) return NULL;
  do {
    struct ast *item = parse_remove_item(p);
    if (item == NULL) return NULL;
    ast_append(&n->remove.items, item);
  } while (take(p, T_COMMA));
  return parser_done(p, n);
}

// MERGE, DELETE, FOREACH.

static struct ast *parse_merge_action(struct parser *p) {
  struct ast *n = parser_new(p, AST_MERGE_ACTION, here(p));
  p->at++;
  if (n == NULL) return NULL;
  n->merge_action.on_create = take(p, K_CREATE);
  if ((!n->merge_action.on_create && !take(p, K_MATCH)) || !take(p, K_SET)) return NULL;
  return parse_set_items(p, &n->merge_action.items) ? parser_done(p, n) : NULL;
}

struct ast *parse_merge(struct parser *p) {
  struct ast *n = parser_new(p, AST_MERGE, here(p));
  p->at++;
  if (n == NULL || (n->merge.path = parse_path(p, true)) == NULL) return NULL;
  while (next_is(p, K_ON)) {
    struct ast *action = parse_merge_action(p);
    if (action == NULL) return NULL;
    ast_append(&n->merge.actions, action);
  }
  return parser_done(p, n);
}

struct ast *parse_delete(struct parser *p) {
  struct ast *n = parser_new(p, AST_DELETE, here(p));
  if (n == NULL) return NULL;
  n->delete_.detach = take(p, K_DETACH);
  n->delete_.nodetach = !n->delete_.detach && take(p, K_NODETACH);
  if (!take(p, K_DELETE)) return NULL;
  do {
    struct ast *expression = parse_expression(p);
    if (expression == NULL) return NULL;
    ast_append(&n->delete_.expressions, expression);
  } while (take(p, T_COMMA));
  return parser_done(p, n);
}

static struct ast *parse_foreach_inside(struct parser *p, struct ast *n) {
  if (!take(p, T_LPAREN) || (n->foreach.variable = parse_variable(p)) == NULL || !take(p, K_IN)) return NULL;
  uint8_t bars = p->bars;
  p->bars = 0;
  n->foreach.list = parse_expression(p);
  p->bars = bars;
  if (n->foreach.list == NULL || !take(p, T_BAR)) return NULL;
  do {
    bool none;
    struct ast *clause = parse_clause(p, &none);
    if (clause == NULL) return NULL;
    ast_append(&n->foreach.clauses, clause);
  } while (!next_is(p, T_RPAREN));
  p->at++;
  return parser_done(p, n);
}

struct ast *parse_foreach(struct parser *p) {
  struct ast *n = parser_new(p, AST_FOREACH, here(p));
  p->at++;
  if (n == NULL || !parser_enter(p)) return NULL;
  n = parse_foreach_inside(p, n);
  parser_leave(p);
  return n;
}
