// Names that are called: functions, the forms that look like functions but have a syntax of their own, and CASE.
#include "base/compiler.h"
#include "cypher/parser_int.h"

// CASE.

static struct ast *parse_branch(struct parser *p, bool has_operand) {
  struct ast *n = parser_new(p, AST_CASE_BRANCH, here(p));
  if (n == NULL || !take(p, K_WHEN)) return NULL;
  do {
    struct ast *test = has_operand ? parse_when_test(p) : parse_expression(p);
    if (test == NULL) return NULL;
    ast_append(&n->case_branch.tests, test);
  } while (has_operand && take(p, T_COMMA));
  if (!take(p, K_THEN) || (n->case_branch.result = parse_expression(p)) == NULL) return NULL;
  return parser_done(p, n);
}

struct ast *parse_case(struct parser *p) {
  struct ast *n = parser_new(p, AST_CASE, here(p));
  if (n == NULL || !take(p, K_CASE)) return NULL;
  if (!next_is(p, K_WHEN) && (n->case_.operand = parse_expression(p)) == NULL) return NULL;
  do {
    struct ast *branch = parse_branch(p, n->case_.operand != NULL);
    if (branch == NULL) return NULL;
    ast_append(&n->case_.branches, branch);
  } while (next_is(p, K_WHEN));
  if (take(p, K_ELSE) && (n->case_.otherwise = parse_expression(p)) == NULL) return NULL;
  return take(p, K_END) ? parser_done(p, n) : NULL;
}

// all(x IN list WHERE p), reduce(a = 0, x IN list | e), filter and extract of Cypher 3.5.

static struct ast *parse_quantifier(struct parser *p, enum ast_quantifier op) {
  struct ast *n = parser_new(p, AST_QUANTIFIER, here(p));
  if (n == NULL) return NULL;
  p->at += 2;
  n->quantifier.op = op;
  if ((n->quantifier.variable = parse_variable(p)) == NULL || !take(p, K_IN)) return NULL;
  if ((n->quantifier.list = parse_expression(p)) == NULL) return NULL;
  if (take(p, K_WHERE) && (n->quantifier.where = parse_expression(p)) == NULL) return NULL;
  return take(p, T_RPAREN) ? parser_done(p, n) : NULL;
}

static struct ast *parse_reduce(struct parser *p) {
  struct ast *n = parser_new(p, AST_REDUCE, here(p));
  if (n == NULL) return NULL;
  p->at += 2;
  if ((n->reduce.accumulator = parse_variable(p)) == NULL || !take(p, T_EQ)) return NULL;
  if ((n->reduce.init = parse_expression(p)) == NULL || !take(p, T_COMMA)) return NULL;
  if ((n->reduce.variable = parse_variable(p)) == NULL || !take(p, K_IN)) return NULL;
  p->bars = 0;
  n->reduce.list = parse_expression(p);
  p->bars = ANY_BARS;
  if (n->reduce.list == NULL || !take(p, T_BAR) || (n->reduce.expression = parse_expression(p)) == NULL) return NULL;
  return take(p, T_RPAREN) ? parser_done(p, n) : NULL;
}

static struct ast *parse_filter_or_extract(struct parser *p) {
  struct ast *n = parser_new(p, AST_LIST_COMPREHENSION, here(p));
  if (n == NULL) return NULL;
  p->at += 2;
  if ((n->list_comprehension.variable = parse_variable(p)) == NULL || !take(p, K_IN)) return NULL;
  p->bars = 0;
  n->list_comprehension.list = parse_expression(p);
  p->bars = ANY_BARS;
  if (n->list_comprehension.list == NULL) return NULL;
  if (take(p, K_WHERE) && (n->list_comprehension.where = parse_expression(p)) == NULL) return NULL;
  if (take(p, T_BAR) && (n->list_comprehension.projection = parse_expression(p)) == NULL) return NULL;
  return take(p, T_RPAREN) ? parser_done(p, n) : NULL;
}

static struct ast *parse_count_star(struct parser *p) {
  struct ast *n = parser_new(p, AST_COUNT_STAR, here(p));
  p->at += 4;
  return parser_done(p, n);
}

static struct ast *parse_shortest(struct parser *p) {
  struct ast *n = parser_new(p, AST_PATTERN_EXPRESSION, here(p));
  if (n == NULL || (n->pattern_expression.path = parse_path(p, false)) == NULL) return NULL;
  return parser_done(p, n);
}

// trim(BOTH x FROM y) becomes btrim(y, x); normalize(s, NFC) takes its form as a string.

static struct ast *new_call(struct parser *p, uint32_t offset, struct str name) {
  struct ast *n = parser_new(p, AST_FUNCTION, offset);
  if (n != NULL) n->function.name = name;
  return n;
}

static struct str trim_name(struct parser *p) {
  if (take(p, K_BOTH)) return STR("btrim");
  if (take(p, K_LEADING)) return STR("ltrim");
  return take(p, K_TRAILING) ? STR("rtrim") : STR("trim");
}

static struct ast *parse_trim(struct parser *p) {
  uint32_t offset = here(p);
  p->at += 2;
  bool word = peek(p) == K_BOTH || peek(p) == K_LEADING || peek(p) == K_TRAILING;
  uint16_t next = peek_at(p, 1);
  bool specification = word && next != T_RPAREN && next != T_DOT && next != T_COMMA && next != T_LPAREN;
  struct ast *n = new_call(p, offset, specification ? trim_name(p) : STR("trim"));
  struct ast *first = NULL, *source = NULL;
  if (n == NULL || (!(specification && next_is(p, K_FROM)) && (first = parse_expression(p)) == NULL)) return NULL;
  if (!specification && !next_is(p, K_FROM)) {
    ast_append(&n->function.arguments, first);
    return take(p, T_RPAREN) ? parser_done(p, n) : NULL;
  }
  if (!specification) n->function.name = STR("btrim");
  if (!take(p, K_FROM) || (source = parse_expression(p)) == NULL || !take(p, T_RPAREN)) return NULL;
  ast_append(&n->function.arguments, source);
  if (first != NULL) ast_append(&n->function.arguments, first);
  return parser_done(p, n);
}

static struct ast *parse_normalize(struct parser *p) {
  struct ast *n = new_call(p, here(p), STR("normalize"));
  p->at += 2;
  struct ast *argument = n != NULL ? parse_expression(p) : NULL;
  if (argument == NULL) return NULL;
  ast_append(&n->function.arguments, argument);
  if (take(p, T_COMMA)) {
    uint16_t kind = peek(p);
    bool form = kind == K_NFC || kind == K_NFD || kind == K_NFKC || kind == K_NFKD;
    struct ast *second = form ? parser_new(p, AST_LITERAL, here(p)) : parse_string(p);
    if (second == NULL) return NULL;
    if (form) {
      second->literal.type = AST_STRING;
      second->literal.string = parser_token_text(p, p->at++);
      second->end = behind(p);
    }
    ast_append(&n->function.arguments, second);
  }
  return take(p, T_RPAREN) ? parser_done(p, n) : NULL;
}

static bool at_element_of(const struct parser *p) {
  return peek_at(p, 1) == T_LPAREN && token_is_name(peek_at(p, 2)) && peek_at(p, 3) == K_IN;
}

static struct ast *special_call(struct parser *p) {
  uint16_t next = peek_at(p, 1);
  bool element_of = at_element_of(p);
  switch (peek(p)) {
  case K_EXISTS: return next == T_LBRACE ? parse_subquery_expression(p, AST_EXISTS) : NULL;
  case K_COLLECT: return next == T_LBRACE ? parse_subquery_expression(p, AST_COLLECT) : NULL;
  case K_COUNT:
    if (next == T_LBRACE) return parse_subquery_expression(p, AST_COUNT);
    return next == T_LPAREN && peek_at(p, 2) == T_TIMES && peek_at(p, 3) == T_RPAREN ? parse_count_star(p) : NULL;
  case K_ALL: return element_of ? parse_quantifier(p, AST_ALL) : NULL;
  case K_ANY: return element_of ? parse_quantifier(p, AST_ANY) : NULL;
  case K_NONE: return element_of ? parse_quantifier(p, AST_NONE) : NULL;
  case K_SINGLE: return element_of ? parse_quantifier(p, AST_SINGLE) : NULL;
  case K_FILTER:
  case K_EXTRACT: return element_of ? parse_filter_or_extract(p) : NULL;
  case K_REDUCE: return next == T_LPAREN && token_is_name(peek_at(p, 2)) && peek_at(p, 3) == T_EQ ? parse_reduce(p) : NULL;
  case K_SHORTESTPATH:
  case K_ALLSHORTESTPATHS: return next == T_LPAREN ? parse_shortest(p) : NULL;
  case K_TRIM: return next == T_LPAREN ? parse_trim(p) : NULL;
  case K_NORMALIZE: return next == T_LPAREN ? parse_normalize(p) : NULL;
  default: return NULL;
  }
}

/// Inside the parentheses of a call a `|` is nobody else's.
struct ast *parse_special_call(struct parser *p, bool *ret_tried) {
  uint32_t at = p->at;
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  struct ast *n = special_call(p);
  p->bars = bars;
  *ret_tried = n != NULL || p->at != at || stopped(p);
  return n;
}

// Functions and variables.

static bool at_function(const struct parser *p) {
  uint32_t at = p->at;
  while (p->tokens[at + 1].kind == T_DOT && token_is_name(p->tokens[at + 2].kind)) at += 2;
  return p->tokens[at + 1].kind == T_LPAREN;
}

static struct ast *parse_function(struct parser *p) {
  struct ast *n = parser_new(p, AST_FUNCTION, here(p));
  if (n == NULL || !parse_dotted_name(p, &n->function.name) || !take(p, T_LPAREN)) return NULL;
  if (peek(p) == K_DISTINCT && peek_at(p, 1) != T_RPAREN && peek_at(p, 1) != T_COMMA && peek_at(p, 1) != T_DOT)
    n->function.distinct = take(p, K_DISTINCT);
  else if (peek(p) == K_ALL && peek_at(p, 1) != T_LPAREN && peek_at(p, 1) != T_RPAREN && peek_at(p, 1) != T_COMMA &&
           peek_at(p, 1) != T_DOT)
    p->at++;
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  bool ok = parse_expressions(p, T_RPAREN, &n->function.arguments);
  p->bars = bars;
  return ok ? parser_done(p, n) : NULL;
}

struct ast *parse_call_or_name(struct parser *p) {
  uint16_t next = peek_at(p, 1);
  if ((next == T_LPAREN || next == T_DOT) && at_function(p)) return parse_function(p);
  struct ast *n = parse_variable(p);
  return n != NULL && peek(p) == T_LBRACE ? parse_map_projection(p, n) : n;
}
