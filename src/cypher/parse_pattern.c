// Patterns: paths of nodes and relationships, quantified groups, path selectors.
#include "base/compiler.h"
#include "cypher/parser_int.h"

static bool at_line(uint16_t kind) {
  return kind == T_MINUS || kind == T_LINE;
}

bool at_relationship(const struct parser *p) {
  uint16_t first = peek(p), second = peek_at(p, 1);
  if (first == T_LT || first == T_ARROW_LEFT) return at_line(second);
  return at_line(first) && (at_line(second) || second == T_LBRACKET);
}

// What nodes and relationships have in common: a variable, labels, properties, a predicate.

/// Whether a name at the next token is the element's variable and not the word WHERE or IS.
static bool at_variable(struct parser *p) {
  if (!token_is_name(peek(p))) return expect(p, T_NAME);
  uint16_t next = peek_at(p, 1);
  bool ends = next == T_RPAREN || next == T_RBRACKET || next == T_COLON || next == T_LBRACE || next == K_WHERE || next == K_IS ||
              next == T_TIMES;
  if (peek(p) == K_WHERE) return ends;
  if (peek(p) == K_IS) return ends && next != K_IS;
  return true;
}

static bool parse_element_labels(struct parser *p, struct ast **ret) {
  if (!take(p, T_COLON) && !take(p, K_IS)) return true;
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  *ret = parse_labels(p);
  p->bars = bars;
  return *ret != NULL;
}

static bool parse_element_properties(struct parser *p, struct ast **ret) {
  if (!next_is(p, T_LBRACE) && !next_is(p, T_DOLLAR)) return true;
  return (*ret = parse_map_or_parameter(p)) != NULL;
}

static bool parse_element_where(struct parser *p, struct ast **ret) {
  if (!take(p, K_WHERE)) return true;
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  *ret = parse_expression(p);
  p->bars = bars;
  return *ret != NULL;
}

struct ast *parse_node(struct parser *p) {
  struct ast *n = parser_new(p, AST_NODE, here(p));
  if (n == NULL || !take(p, T_LPAREN)) return NULL;
  if (at_variable(p) && (n->node.variable = parse_variable(p)) == NULL) return NULL;
  if (!parse_element_labels(p, &n->node.labels) || !parse_element_properties(p, &n->node.properties)) return NULL;
  if (!parse_element_where(p, &n->node.where) || !take(p, T_RPAREN)) return NULL;
  return parser_done(p, n);
}

// Relationships.

static bool parse_bound(struct parser *p, int64_t *ret) {
  struct ast *n = parse_number(p, false);
  if (n == NULL) return false;
  if (n->literal.type != AST_INTEGER) return parser_fail(p, n->offset, "invalid literal number") != NULL;
  return *ret = n->literal.integer, true;
}

/// Behind `*`: nothing, `2`, `1..`, `..3`, `1..3`.
static bool parse_range(struct parser *p, struct ast *n) {
  n->relationship.length = AST_VARIABLE_LENGTH;
  if (next_is(p, T_INTEGER) && !parse_bound(p, &n->relationship.min)) return false;
  if (!take(p, T_DOTDOT)) {
    n->relationship.max = n->relationship.min;
    return true;
  }
  return !next_is(p, T_INTEGER) || parse_bound(p, &n->relationship.max);
}

static bool parse_relationship_inside(struct parser *p, struct ast *n) {
  if (at_variable(p) && (n->relationship.variable = parse_variable(p)) == NULL) return false;
  if (!parse_element_labels(p, &n->relationship.types)) return false;
  if (take(p, T_TIMES) && !parse_range(p, n)) return false;
  if (!parse_element_properties(p, &n->relationship.properties)) return false;
  return parse_element_where(p, &n->relationship.where) && take(p, T_RBRACKET);
}

static bool take_line(struct parser *p) {
  return take(p, T_MINUS) || take(p, T_LINE);
}

/// {n}, {n,m}, {,m}, {n,}, + and *: bounds of what they stand behind. `*length` becomes AST_QUANTIFIED.
static bool parse_quantifier_bounds(struct parser *p, uint32_t *length, int64_t *min, int64_t *max) {
  bool plus = take(p, T_PLUS);
  *length = AST_QUANTIFIED;
  *min = plus ? 1 : 0;
  *max = -1;
  if (plus || take(p, T_TIMES)) return true;
  if (!take(p, T_LBRACE)) return false;
  bool lower = next_is(p, T_INTEGER);
  if (lower && !parse_bound(p, min)) return false;
  if (!take(p, T_COMMA))
    *max = *min;
  else if (next_is(p, T_INTEGER) && !parse_bound(p, max))
    return false;
  return (lower || *max >= 0) && take(p, T_RBRACE);
}

static bool at_quantifier(struct parser *p) {
  return next_is(p, T_PLUS) || next_is(p, T_TIMES) || next_is(p, T_LBRACE);
}

static struct ast *parse_single_relationship(struct parser *p) {
  struct ast *n = parser_new(p, AST_RELATIONSHIP, here(p));
  if (n == NULL) return NULL;
  n->relationship.min = n->relationship.max = -1;
  bool left = take(p, T_LT) || take(p, T_ARROW_LEFT);
  if (!take_line(p)) return NULL;
  if (take(p, T_LBRACKET) && !parse_relationship_inside(p, n)) return NULL;
  if (!take_line(p)) return NULL;
  bool right = take(p, T_GT) || take(p, T_ARROW_RIGHT);
  n->relationship.direction = left ? (right ? AST_BOTH_ARROWS : AST_INCOMING) : right ? AST_OUTGOING : AST_BOTH;
  return parser_done(p, n);
}

/// `-[r]->{2}` is short for `(()-[r]->()){2}`.
static struct ast *quantified(struct parser *p, struct ast *relationship) {
  struct ast *group = parser_new(p, AST_GROUP, relationship->offset), *path = parser_new(p, AST_PATH, relationship->offset);
  struct ast *from = parser_new(p, AST_NODE, relationship->offset), *to = parser_new(p, AST_NODE, relationship->end);
  if (group == NULL || path == NULL || from == NULL || to == NULL) return NULL;
  if (relationship->relationship.length != AST_ONE)
    return parser_fail(p, here(p), "Variable length relationships cannot be quantified");
  if (!parse_quantifier_bounds(p, &group->group.length, &group->group.min, &group->group.max)) return NULL;
  ast_append(&path->path.elements, from);
  ast_append(&path->path.elements, relationship);
  ast_append(&path->path.elements, to);
  group->group.path = parser_done(p, path);
  return group->group.path != NULL ? parser_done(p, group) : NULL;
}

static struct ast *parse_relationship(struct parser *p, bool groups) {
  struct ast *n = parse_single_relationship(p);
  return n != NULL && groups && at_quantifier(p) ? quantified(p, n) : n;
}

// Groups: ((a)-[r]->(b) WHERE p){1,3}

static struct ast *parse_group_inside(struct parser *p, struct ast *n) {
  struct ast *variable = NULL;
  if (token_is_name(peek(p)) && ((variable = parse_variable(p)) == NULL || !take(p, T_EQ))) return NULL;
  if ((n->group.path = parse_path_elements(p, true)) == NULL) return NULL;
  n->group.path->path.variable = variable;
  if (!parse_element_where(p, &n->group.where) || !take(p, T_RPAREN)) return NULL;
  if (at_quantifier(p) && !parse_quantifier_bounds(p, &n->group.length, &n->group.min, &n->group.max)) return NULL;
  return parser_done(p, n);
}

static struct ast *parse_group(struct parser *p) {
  struct ast *n = parser_new(p, AST_GROUP, here(p));
  if (n == NULL || !take(p, T_LPAREN) || !parser_enter(p)) return NULL;
  n->group.min = n->group.max = -1;
  n = parse_group_inside(p, n);
  parser_leave(p);
  return n;
}

static bool at_group(const struct parser *p) {
  if (peek(p) != T_LPAREN) return false;
  return peek_at(p, 1) == T_LPAREN || (token_is_name(peek_at(p, 1)) && peek_at(p, 2) == T_EQ);
}

// Paths.

static bool parse_relationships(struct parser *p, struct ast *path, bool groups) {
  while (at_relationship(p)) {
    struct ast *relationship = parse_relationship(p, groups);
    if (relationship == NULL || !next_is(p, T_LPAREN)) return false;
    ast_append(&path->path.elements, relationship);
    struct ast *node = parse_node(p);
    if (node == NULL) return false;
    ast_append(&path->path.elements, node);
  }
  if (UNLIKELY(p->recording)) expect(p, T_MINUS), expect(p, T_LT);
  return true;
}

struct ast *parse_path_elements(struct parser *p, bool groups) {
  struct ast *path = parser_new(p, AST_PATH, here(p));
  if (path == NULL) return NULL;
  if (!next_is(p, T_LPAREN)) return expect(p, E_PATTERN), NULL;
  do {
    bool group = groups && at_group(p);
    bool behind_node = path->path.elements.last != NULL && path->path.elements.last->kind == AST_NODE;
    if (behind_node && !group) return NULL;
    struct ast *element = group ? parse_group(p) : parse_node(p);
    if (element == NULL) return NULL;
    ast_append(&path->path.elements, element);
    if (!group && !parse_relationships(p, path, groups)) return NULL;
  } while (groups && peek(p) == T_LPAREN);
  return parser_done(p, path);
}

static struct ast *parse_path_function(struct parser *p) {
  uint32_t offset = here(p);
  enum ast_selector selector = take(p, K_SHORTESTPATH) ? AST_SHORTEST_PATH_FUNCTION : AST_ALL_SHORTEST_PATHS_FUNCTION;
  if (selector == AST_ALL_SHORTEST_PATHS_FUNCTION) p->at++;
  if (!take(p, T_LPAREN)) return NULL;
  struct ast *path = parse_path_elements(p, false);
  if (path == NULL || !take(p, T_RPAREN)) return NULL;
  path->path.selector = selector;
  path->offset = path->at = offset;
  path->end = behind(p);
  return path;
}

static bool parse_path_count(struct parser *p, struct ast **ret) {
  if (!next_is(p, T_INTEGER) && !next_is(p, T_DOLLAR)) return true;
  return (*ret = parse_integer_or_parameter(p)) != NULL;
}

static bool take_paths_word(struct parser *p) {
  return take_either(p, K_PATH, K_PATHS);
}

/// ANY [k], ANY SHORTEST, ALL, ALL SHORTEST, SHORTEST [k] [PATHS] [GROUPS]; none where a pattern begins at once.
static bool parse_selector(struct parser *p, uint32_t *selector, struct ast **count) {
  if (take(p, K_ANY)) {
    *selector = take(p, K_SHORTEST) ? AST_ANY_SHORTEST : AST_ANY_PATH;
    if (*selector == AST_ANY_PATH && !parse_path_count(p, count)) return false;
  } else if (take(p, K_ALL)) {
    *selector = take(p, K_SHORTEST) ? AST_ALL_SHORTEST : AST_ALL_PATHS_WORD;
  } else if (take(p, K_SHORTEST)) {
    *selector = AST_ANY_SHORTEST;
    if (!parse_path_count(p, count)) return false;
    take_paths_word(p);
    if (take_either(p, K_GROUP, K_GROUPS)) *selector = AST_SHORTEST_GROUPS;
    return true;
  }
  if (*selector != AST_ALL_PATHS) take_paths_word(p);
  return true;
}

static struct ast *parse_anonymous_path(struct parser *p, bool plain) {
  bool function = (next_is(p, K_SHORTESTPATH) || next_is(p, K_ALLSHORTESTPATHS)) && peek_at(p, 1) == T_LPAREN;
  if (function) return parse_path_function(p);
  uint32_t offset = here(p), selector = AST_ALL_PATHS;
  struct ast *count = NULL;
  if (!plain && !parse_selector(p, &selector, &count)) return NULL;
  struct ast *path = parse_path_elements(p, !plain);
  if (path == NULL) return NULL;
  path->path.selector = selector;
  path->path.count = count;
  path->offset = path->at = offset;
  return path;
}

struct ast *parse_path(struct parser *p, bool plain) {
  uint32_t offset = here(p);
  struct ast *variable = NULL;
  if (token_is_name(peek(p)) && peek_at(p, 1) == T_EQ) {
    variable = parse_variable(p);
    if (variable == NULL || !take(p, T_EQ)) return NULL;
  } else {
    expect(p, T_NAME);
  }
  struct ast *path = parse_anonymous_path(p, plain);
  if (path == NULL) return NULL;
  path->path.variable = variable;
  path->offset = offset;
  return path;
}

bool parse_paths(struct parser *p, struct ast_list *ret, bool plain) {
  do {
    struct ast *path = parse_path(p, plain);
    if (path == NULL) return false;
    ast_append(ret, path);
  } while (take(p, T_COMMA));
  return true;
}
