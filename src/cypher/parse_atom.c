// What operators work on: literals, parameters, variables, parentheses, lists, maps, CASE, and patterns used as expressions.
#include <math.h>
#include <string.h>

#include "base/compiler.h"
#include "cypher/parser_int.h"

static struct ast *new_literal(struct parser *p, enum ast_literal type) {
  struct ast *n = parser_new(p, AST_LITERAL, here(p));
  if (n == NULL) return NULL;
  p->at++;
  n->literal.type = type;
  n->end = behind(p);
  return n;
}

static struct ast *new_boolean(struct parser *p, bool value) {
  struct ast *n = new_literal(p, AST_BOOLEAN);
  if (n != NULL) n->literal.boolean = value;
  return n;
}

static struct ast *new_float(struct parser *p, double value) {
  struct ast *n = new_literal(p, AST_FLOAT);
  if (n != NULL) n->literal.number = value;
  return n;
}

bool parse_expressions(struct parser *p, uint16_t close, struct ast_list *ret) {
  if (take(p, close)) return true;
  do {
    struct ast *item = parse_expression(p);
    if (item == NULL) return false;
    ast_append(ret, item);
  } while (take(p, T_COMMA));
  return take(p, close);
}

// Patterns as expressions.

/// A path with a relationship at `(`, or NULL and back at where it was. A look at two tokens sorts out most of what is none.
static struct ast *try_path(struct parser *p) {
  if (parser_failed_before(p, p->at)) return NULL;
  uint16_t next = peek_at(p, 1), second = peek_at(p, 2);
  if (next != T_RPAREN && next != T_COLON && next != T_LBRACE && next != T_DOLLAR && !token_is_name(next)) return NULL;
  if (token_is_name(next) && (second == T_COMMA || second == T_LPAREN || second == T_DOT || second == T_LBRACKET)) return NULL;
  struct parser_place place = parser_save(p);
  struct ast *path = parse_path_elements(p, false);
  if (path != NULL && path->path.elements.count > 1) return path;
  if (!parser_restore(p, place)) return NULL;
  parser_note_failed(p, p->at);
  return NULL;
}

static struct ast *new_pattern_expression(struct parser *p, struct ast *path) {
  struct ast *n = parser_new(p, AST_PATTERN_EXPRESSION, path->offset);
  if (n == NULL) return NULL;
  n->pattern_expression.path = path;
  return parser_done(p, n);
}

static struct ast *parse_parentheses(struct parser *p) {
  struct ast *path = try_path(p);
  if (path != NULL) return new_pattern_expression(p, path);
  if (stopped(p) || !take(p, T_LPAREN)) return NULL;
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  struct ast *n = parse_expression(p);
  p->bars = bars;
  if (n == NULL || !take(p, T_RPAREN)) return NULL;
  n->flags |= AST_PARENTHESES;
  return n;
}

// Lists and comprehensions.

/// WHERE and `|` of a comprehension. A `|` behind a label in the WHERE may be the label's or the comprehension's: Neo4j takes the
/// reading with the fewest for the labels that fits, so they are given 0, 1, 2... until the closing bracket follows.
static bool parse_where_and_bar(struct parser *p, struct ast **where, struct ast **projection, bool bar_needed) {
  enum { MOST_BARS = 8 };
  struct parser_place place = parser_save(p);
  uint8_t bars = p->bars;
  bool fits = false;
  for (uint8_t allowed = 0; allowed < MOST_BARS; allowed++) {
    *where = *projection = NULL;
    p->bars = allowed;
    fits = !take(p, K_WHERE) || (*where = parse_expression(p)) != NULL;
    bool used_up = p->bars == 0;
    p->bars = ANY_BARS;
    if (fits && take(p, T_BAR))
      fits = (*projection = parse_expression(p)) != NULL;
    else if (fits && bar_needed)
      fits = false;
    fits = fits && next_is(p, T_RBRACKET);
    if (fits || stopped(p) || !used_up || *where == NULL) break;
    if (!parser_restore(p, place)) break;
  }
  p->bars = bars;
  return fits && !stopped(p);
}

static struct ast *parse_list_comprehension(struct parser *p, uint32_t offset) {
  struct ast *n = parser_new(p, AST_LIST_COMPREHENSION, offset);
  if (n == NULL || (n->list_comprehension.variable = parse_variable(p)) == NULL || !take(p, K_IN)) return NULL;
  uint8_t bars = p->bars;
  p->bars = 0;
  n->list_comprehension.list = parse_expression(p);
  p->bars = bars;
  if (n->list_comprehension.list == NULL) return NULL;
  if (!parse_where_and_bar(p, &n->list_comprehension.where, &n->list_comprehension.projection, false)) return NULL;
  return take(p, T_RBRACKET) ? parser_done(p, n) : NULL;
}

static struct ast *parse_pattern_comprehension(struct parser *p, uint32_t offset) {
  struct ast *n = parser_new(p, AST_PATTERN_COMPREHENSION, offset);
  if (n == NULL) return NULL;
  struct ast *variable = NULL;
  if (token_is_name(peek(p)) && ((variable = parse_variable(p)) == NULL || !take(p, T_EQ))) return NULL;
  struct ast *path = parse_path_elements(p, false);
  if (path == NULL || path->path.elements.count < 2) return NULL;
  path->path.variable = variable;
  n->pattern_comprehension.path = path;
  if (!parse_where_and_bar(p, &n->pattern_comprehension.where, &n->pattern_comprehension.projection, true)) return NULL;
  return take(p, T_RBRACKET) ? parser_done(p, n) : NULL;
}

static struct ast *parse_list(struct parser *p, uint32_t offset) {
  struct ast *n = parser_new(p, AST_LIST, offset);
  if (n == NULL || !parse_expressions(p, T_RBRACKET, &n->list.items)) return NULL;
  return parser_done(p, n);
}

static struct ast *parse_in_brackets(struct parser *p, uint32_t offset) {
  bool named = token_is_name(peek(p));
  bool pattern = peek(p) == T_LPAREN || (named && peek_at(p, 1) == T_EQ && peek_at(p, 2) == T_LPAREN);
  bool comprehension = pattern || (named && peek_at(p, 1) == K_IN);
  uint32_t bracket = p->at - 1;
  if (!comprehension || parser_failed_before(p, bracket)) return parse_list(p, offset);
  struct parser_place place = parser_save(p);
  struct ast *n = pattern ? parse_pattern_comprehension(p, offset) : parse_list_comprehension(p, offset);
  if (n != NULL || !parser_restore(p, place)) return n;
  parser_note_failed(p, bracket);
  return parse_list(p, offset);
}

struct ast *parse_list_or_comprehension(struct parser *p) {
  uint32_t offset = here(p);
  if (!take(p, T_LBRACKET)) return NULL;
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  struct ast *n = parse_in_brackets(p, offset);
  p->bars = bars;
  return n;
}

// Maps.

static struct ast *parse_map_entry(struct parser *p) {
  struct ast *n = parser_new(p, AST_MAP_ENTRY, here(p));
  if (n == NULL || !parse_name(p, &n->map_entry.key) || !take(p, T_COLON)) return NULL;
  if ((n->map_entry.value = parse_expression(p)) == NULL) return NULL;
  return parser_done(p, n);
}

static struct ast *parse_old_parameter(struct parser *p) {
  struct ast *n = parser_new(p, AST_PARAMETER, here(p));
  if (n == NULL) return NULL;
  p->at++;
  n->parameter.name = parser_token_text(p, p->at);
  p->at += 2;
  n->end = behind(p);
  return n;
}

static bool parse_map_entries(struct parser *p, struct ast_list *ret) {
  if (take(p, T_RBRACE)) return true;
  do {
    struct ast *entry = parse_map_entry(p);
    if (entry == NULL) return false;
    ast_append(ret, entry);
  } while (take(p, T_COMMA));
  return take(p, T_RBRACE);
}

struct ast *parse_map(struct parser *p) {
  bool one_name = (token_is_name(peek_at(p, 1)) || peek_at(p, 1) == T_INTEGER) && peek_at(p, 2) == T_RBRACE;
  if (p->language == 35 && peek(p) == T_LBRACE && one_name) return parse_old_parameter(p);
  struct ast *n = parser_new(p, AST_MAP, here(p));
  if (n == NULL || !take(p, T_LBRACE)) return NULL;
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  bool ok = parse_map_entries(p, &n->map.entries);
  p->bars = bars;
  return ok ? parser_done(p, n) : NULL;
}

struct ast *parse_map_or_parameter(struct parser *p) {
  return next_is(p, T_LBRACE) ? parse_map(p) : parse_parameter(p);
}

static struct ast *parse_projection_item(struct parser *p) {
  uint32_t offset = here(p);
  struct ast *n;
  if (take(p, T_DOT)) {
    bool all = take(p, T_TIMES);
    n = parser_new(p, all ? AST_MAP_PROJECTION_ALL : AST_MAP_PROJECTION_PROPERTY, offset);
    if (n != NULL && !all && !parse_name(p, &n->map_projection_property.key)) return NULL;
    return parser_done(p, n);
  }
  if (peek_at(p, 1) == T_COLON) return parse_map_entry(p);
  n = parser_new(p, AST_MAP_PROJECTION_VARIABLE, offset);
  if (n == NULL || (n->map_projection_variable.variable = parse_variable(p)) == NULL) return NULL;
  return parser_done(p, n);
}

static bool parse_projection_items(struct parser *p, struct ast_list *ret) {
  if (take(p, T_RBRACE)) return true;
  do {
    struct ast *item = parse_projection_item(p);
    if (item == NULL) return false;
    ast_append(ret, item);
  } while (take(p, T_COMMA));
  return take(p, T_RBRACE);
}

struct ast *parse_map_projection(struct parser *p, struct ast *subject) {
  struct ast *n = parser_new(p, AST_MAP_PROJECTION, subject->offset);
  if (n == NULL || !take(p, T_LBRACE)) return NULL;
  n->map_projection.subject = subject;
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  bool ok = parse_projection_items(p, &n->map_projection.items);
  p->bars = bars;
  return ok ? parser_done(p, n) : NULL;
}

// All of them.

/// CASE is a name where no expression can follow.
static bool at_case(const struct parser *p) {
  if (peek(p) != K_CASE) return false;
  switch (peek_at(p, 1)) {
  case T_DOT:
  case T_COMMA:
  case T_RPAREN:
  case T_RBRACKET:
  case T_RBRACE:
  case T_END:
  case T_EQ:
  case T_COLON:
  case K_AS: return false;
  default: return true;
  }
}

static struct ast *parse_word_atom(struct parser *p) {
  if (at_case(p)) return parse_case(p);
  bool tried = false;
  struct ast *n = parse_special_call(p, &tried);
  return tried ? n : parse_call_or_name(p);
}

struct ast *parse_atom(struct parser *p) {
  if (UNLIKELY(p->recording)) expect(p, E_EXPRESSION);
  switch (peek(p)) {
  case T_INTEGER:
  case T_FLOAT: return parse_number(p, false);
  case T_STRING: return parse_string(p);
  case T_DOLLAR: return parse_parameter(p);
  case T_LPAREN: return parse_parentheses(p);
  case T_LBRACKET: return parse_list_or_comprehension(p);
  case T_LBRACE: return parse_map(p);
  case K_NULL: return new_literal(p, AST_NULL);
  case K_TRUE: return new_boolean(p, true);
  case K_FALSE: return new_boolean(p, false);
  case K_NAN: return new_float(p, (double) NAN);
  case K_INF:
  case K_INFINITY: return new_float(p, (double) INFINITY);
  default: return token_is_name(peek(p)) ? parse_word_atom(p) : NULL;
  }
}
