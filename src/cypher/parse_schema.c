// Indexes and constraints: every form of Cypher 3.5 to 5.
#include "base/compiler.h"
#include "cypher/parser_int.h"

bool parse_if_not_exists(struct parser *p) {
  if (!next_is(p, K_IF) || peek_at(p, 1) != K_NOT || peek_at(p, 2) != K_EXISTS) return false;
  p->at += 3;
  return true;
}

bool parse_if_exists(struct parser *p) {
  return take2(p, K_IF, K_EXISTS);
}

/// An optional name in front of FOR, IF or ON.
static bool parse_schema_name(struct parser *p, struct ast **ret) {
  uint16_t kind = peek(p);
  if (kind == K_FOR || kind == K_ON || kind == K_IF) return expect(p, T_NAME), true;
  if (!token_is_name(kind) && kind != T_DOLLAR) return true;
  return (*ret = parse_name_node(p, false)) != NULL;
}

// FOR (n:A|B) and FOR ()-[r:T]-()

static bool parse_schema_labels(struct parser *p, struct ast_list *ret) {
  if (!take_either(p, T_COLON, K_IS)) return true;
  do {
    take(p, T_COLON);
    struct ast *label = parser_new(p, AST_LABEL, here(p));
    if (label == NULL || !parse_name(p, &label->label.name) || parser_done(p, label) == NULL) return false;
    ast_append(ret, label);
  } while (take(p, T_BAR));
  return true;
}

static bool parse_relationship_entity(struct parser *p, struct ast **variable, struct ast_list *labels) {
  p->at += 2;
  take(p, T_LT);
  if (!take(p, T_MINUS) || !take(p, T_LBRACKET) || (*variable = parse_variable(p)) == NULL) return false;
  if (!parse_schema_labels(p, labels) || !take(p, T_RBRACKET) || !take(p, T_MINUS)) return false;
  take(p, T_GT);
  return take(p, T_LPAREN) && take(p, T_RPAREN);
}

static bool parse_entity(struct parser *p, bool *relationship, struct ast **variable, struct ast_list *labels) {
  *relationship = peek(p) == T_LPAREN && peek_at(p, 1) == T_RPAREN;
  if (*relationship) return parse_relationship_entity(p, variable, labels);
  if (!take(p, T_LPAREN) || (*variable = parse_variable(p)) == NULL) return false;
  return parse_schema_labels(p, labels) && take(p, T_RPAREN);
}

static struct ast *parse_property(struct parser *p) {
  struct ast *variable = parse_variable(p);
  struct ast *n = variable != NULL ? parser_new(p, AST_PROPERTY, variable->offset) : NULL;
  if (n == NULL || !take(p, T_DOT) || !parse_name(p, &n->property.key)) return NULL;
  n->property.subject = variable;
  return parser_done(p, n);
}

static bool parse_properties(struct parser *p, struct ast_list *ret, uint16_t close) {
  do {
    struct ast *property = parse_property(p);
    if (property == NULL) return false;
    ast_append(ret, property);
  } while (close != T_END && take(p, T_COMMA));
  return close == T_END || take(p, close);
}

static bool parse_options_map(struct parser *p, struct ast **ret) {
  return !take(p, K_OPTIONS) || (*ret = parse_map_or_parameter(p)) != NULL;
}

// CREATE INDEX.

static uint32_t index_type_of(uint16_t kind) {
  switch (kind) {
  case K_RANGE: return AST_INDEX_RANGE;
  case K_BTREE: return AST_INDEX_BTREE;
  case K_TEXT: return AST_INDEX_TEXT;
  case K_POINT: return AST_INDEX_POINT;
  case K_LOOKUP: return AST_INDEX_LOOKUP;
  case K_FULLTEXT: return AST_INDEX_FULLTEXT;
  case K_VECTOR: return AST_INDEX_VECTOR;
  default: return AST_INDEX_DEFAULT;
  }
}

/// `:Label(a, b)` of Cypher 3.5.
static bool parse_old_index(struct parser *p, struct str *label, struct ast_list *properties) {
  if (!take(p, T_COLON) || !parse_name(p, label) || !take(p, T_LPAREN)) return false;
  do {
    struct ast *property = parser_new(p, AST_PROPERTY, here(p));
    if (property == NULL || !parse_name(p, &property->property.key) || parser_done(p, property) == NULL) return false;
    ast_append(properties, property);
  } while (take(p, T_COMMA));
  return take(p, T_RPAREN);
}

static struct ast *parse_create_old_index(struct parser *p, struct ast *n) {
  struct ast *label = parser_new(p, AST_LABEL, here(p));
  n->create_index.old = true;
  if (label == NULL || !parse_old_index(p, &label->label.name, &n->create_index.properties)) return NULL;
  ast_append(&n->create_index.labels, label);
  return parser_done(p, n);
}

/// ON (n.a, n.b), ON n.a, ON EACH [n.a], ON EACH labels(n), ON type(r).
static bool parse_index_on(struct parser *p, struct ast *n) {
  if (!take(p, K_ON)) return false;
  take(p, K_EACH);
  struct ast_list *properties = &n->create_index.properties;
  if (n->create_index.type == AST_INDEX_LOOKUP) {
    struct ast *function = parse_call_or_name(p);
    return function != NULL && function->kind == AST_FUNCTION;
  }
  if (take(p, T_LBRACKET)) return parse_properties(p, properties, T_RBRACKET);
  return take(p, T_LPAREN) ? parse_properties(p, properties, T_RPAREN) : parse_properties(p, properties, T_END);
}

static struct ast *parse_create_index(struct parser *p, struct ast *n) {
  n->create_index.type = index_type_of(peek(p));
  if (n->create_index.type != AST_INDEX_DEFAULT) p->at++;
  p->at++; // INDEX
  if (take2(p, K_ON, T_COLON)) {
    p->at--;
    return parse_create_old_index(p, n);
  }
  if (!parse_schema_name(p, &n->create_index.name)) return NULL;
  n->create_index.if_not_exists = parse_if_not_exists(p);
  if (!take(p, K_FOR)) return NULL;
  if (!parse_entity(p, &n->create_index.relationship, &n->create_index.variable, &n->create_index.labels)) return NULL;
  return parse_index_on(p, n) && parse_options_map(p, &n->create_index.options) ? parser_done(p, n) : NULL;
}

static struct ast *parse_drop_index(struct parser *p) {
  struct ast *n = parser_new(p, AST_DROP_INDEX, here(p));
  p->at += 2;
  if (n == NULL) return NULL;
  if (take2(p, K_ON, T_COLON)) {
    p->at--;
    return parse_old_index(p, &n->drop_index.label, &n->drop_index.properties) ? parser_done(p, n) : NULL;
  }
  if ((n->drop_index.name = parse_name_node(p, false)) == NULL) return NULL;
  n->drop_index.if_exists = parse_if_exists(p);
  return parser_done(p, n);
}

// CREATE CONSTRAINT.

/// Behind IS: UNIQUE, NODE KEY, NOT NULL, :: TYPE.
static bool parse_requirement(struct parser *p, struct ast *n) {
  if (take_either(p, T_COLONCOLON, K_TYPED)) {
    n->create_constraint.type = AST_CONSTRAINT_TYPE;
    return (n->create_constraint.property_type = parse_type(p)) != NULL;
  }
  if (take2(p, K_NOT, K_NULL)) return n->create_constraint.type = AST_CONSTRAINT_NOT_NULL, true;
  if (!take(p, K_NODE) && !take(p, K_RELATIONSHIP)) take(p, K_REL);
  if (take(p, K_KEY)) return n->create_constraint.type = AST_CONSTRAINT_KEY, true;
  n->create_constraint.type = AST_CONSTRAINT_UNIQUE;
  return take(p, K_UNIQUE);
}

static bool parse_asserted(struct parser *p, struct ast *n) {
  struct ast_list *properties = &n->create_constraint.properties;
  if (take2(p, K_EXISTS, T_LPAREN)) {
    n->create_constraint.type = AST_CONSTRAINT_NOT_NULL;
    return parse_properties(p, properties, T_RPAREN);
  }
  bool many = take(p, T_LPAREN);
  if (!parse_properties(p, properties, many ? T_RPAREN : T_END)) return false;
  if (take(p, T_COLONCOLON)) return p->at--, parse_requirement(p, n);
  return take(p, K_IS) && parse_requirement(p, n);
}

static bool parse_constraint_body(struct parser *p, struct ast *n) {
  struct ast_list labels = {0};
  if (!parse_entity(p, &n->create_constraint.relationship, &n->create_constraint.variable, &labels)) return false;
  if (labels.count != 1) return expect(p, T_COLON);
  n->create_constraint.label = labels.first->label.name;
  n->create_constraint.old = take(p, K_ASSERT);
  if (!n->create_constraint.old && !take(p, K_REQUIRE)) return false;
  return parse_asserted(p, n);
}

static struct ast *parse_create_constraint(struct parser *p, struct ast *n) {
  p->at++;
  if (!parse_schema_name(p, &n->create_constraint.name)) return NULL;
  n->create_constraint.if_not_exists = parse_if_not_exists(p);
  if (!take_either(p, K_FOR, K_ON) || !parse_constraint_body(p, n)) return NULL;
  return parse_options_map(p, &n->create_constraint.options) ? parser_done(p, n) : NULL;
}

static struct ast *parse_drop_constraint(struct parser *p) {
  struct ast *n = parser_new(p, AST_DROP_CONSTRAINT, here(p));
  p->at += 2;
  if (n == NULL) return NULL;
  if (take2(p, K_ON, T_LPAREN)) {
    p->at--;
    n->drop_constraint.old = parser_new(p, AST_CREATE_CONSTRAINT, here(p));
    if (n->drop_constraint.old == NULL || !parse_constraint_body(p, n->drop_constraint.old)) return NULL;
    return parser_done(p, n->drop_constraint.old) != NULL ? parser_done(p, n) : NULL;
  }
  if ((n->drop_constraint.name = parse_name_node(p, false)) == NULL) return NULL;
  n->drop_constraint.if_exists = parse_if_exists(p);
  return parser_done(p, n);
}

static struct ast *parse_schema_create(struct parser *p, bool *ret_none) {
  bool replace = peek_at(p, 1) == K_OR && peek_at(p, 2) == K_REPLACE;
  uint32_t ahead = replace ? 3 : 1;
  uint16_t kind = peek_at(p, ahead), next = peek_at(p, ahead + 1);
  bool index = kind == K_INDEX || (index_type_of(kind) != AST_INDEX_DEFAULT && next == K_INDEX);
  *ret_none = !index && kind != K_CONSTRAINT;
  if (*ret_none) return NULL;
  struct ast *n = parser_new(p, index ? AST_CREATE_INDEX : AST_CREATE_CONSTRAINT, here(p));
  p->at += ahead;
  if (n == NULL) return NULL;
  if (index)
    n->create_index.or_replace = replace;
  else
    n->create_constraint.or_replace = replace;
  return index ? parse_create_index(p, n) : parse_create_constraint(p, n);
}

struct ast *parse_schema_command(struct parser *p, bool *ret_none) {
  *ret_none = true;
  if (peek(p) == K_CREATE) return parse_schema_create(p, ret_none);
  if (peek(p) != K_DROP) return NULL;
  uint16_t kind = peek_at(p, 1);
  *ret_none = kind != K_INDEX && kind != K_CONSTRAINT;
  if (*ret_none) return NULL;
  return kind == K_INDEX ? parse_drop_index(p) : parse_drop_constraint(p);
}
