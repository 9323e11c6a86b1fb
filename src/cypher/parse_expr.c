// Expressions: operators by binding power (Pratt), prefixes and postfixes. What an operator works on is in parse_atom.c.
#include "base/compiler.h"
#include "cypher/parser_int.h"

enum power {
  OR_POWER = 1,
  XOR_POWER,
  AND_POWER,
  NOT_POWER,
  COMPARE_POWER,
  PREDICATE_POWER,
  ADD_POWER,
  MULTIPLY_POWER,
  POWER_POWER,
  SIGN_POWER
};

struct infix {
  uint8_t op, power, tokens; // enum ast_op; 0: no infix operator; tokens: how many it takes
};

/// The operator at the next token, by its kind. `IS` and `::` stand on the power of predicates and are parsed apart.
static struct infix infix_at(const struct parser *p) {
  switch (peek(p)) {
  case K_OR: return (struct infix){AST_OR_OP, OR_POWER, 1};
  case K_XOR: return (struct infix){AST_XOR_OP, XOR_POWER, 1};
  case K_AND: return (struct infix){AST_AND_OP, AND_POWER, 1};
  case T_EQ: return (struct infix){AST_EQ_OP, COMPARE_POWER, 1};
  case T_NE: return (struct infix){AST_NE_OP, COMPARE_POWER, 1};
  case T_LT: return (struct infix){AST_LT_OP, COMPARE_POWER, 1};
  case T_LE: return (struct infix){AST_LE_OP, COMPARE_POWER, 1};
  case T_GT: return (struct infix){AST_GT_OP, COMPARE_POWER, 1};
  case T_GE: return (struct infix){AST_GE_OP, COMPARE_POWER, 1};
  case T_MATCHES: return (struct infix){AST_MATCHES_OP, PREDICATE_POWER, 1};
  case K_IN: return (struct infix){AST_IN_OP, PREDICATE_POWER, 1};
  case K_CONTAINS: return (struct infix){AST_CONTAINS_OP, PREDICATE_POWER, 1};
  case K_STARTS: return (struct infix){AST_STARTS_WITH_OP, peek_at(p, 1) == K_WITH ? PREDICATE_POWER : 0, 2};
  case K_ENDS: return (struct infix){AST_ENDS_WITH_OP, peek_at(p, 1) == K_WITH ? PREDICATE_POWER : 0, 2};
  case T_PLUS: return (struct infix){AST_ADD_OP, ADD_POWER, 1};
  case T_MINUS: return (struct infix){AST_SUBTRACT_OP, ADD_POWER, 1};
  case T_BARBAR: return (struct infix){AST_CONCAT_OP, ADD_POWER, 1};
  case T_TIMES: return (struct infix){AST_MULTIPLY_OP, MULTIPLY_POWER, 1};
  case T_SLASH: return (struct infix){AST_DIVIDE_OP, MULTIPLY_POWER, 1};
  case T_PERCENT: return (struct infix){AST_MODULO_OP, MULTIPLY_POWER, 1};
  case T_CARET: return (struct infix){AST_POWER_OP, POWER_POWER, 1};
  default: return (struct infix){0};
  }
}

static void expect_infix(struct parser *p, int power) {
  static const struct {
    uint16_t token;
    uint8_t power;
  } all[] = {{K_OR, OR_POWER},
             {K_XOR, XOR_POWER},
             {K_AND, AND_POWER},
             {T_EQ, COMPARE_POWER},
             {T_NE, COMPARE_POWER},
             {T_LT, COMPARE_POWER},
             {T_LE, COMPARE_POWER},
             {T_GT, COMPARE_POWER},
             {T_GE, COMPARE_POWER},
             {T_MATCHES, PREDICATE_POWER},
             {K_IN, PREDICATE_POWER},
             {K_CONTAINS, PREDICATE_POWER},
             {K_STARTS, PREDICATE_POWER},
             {K_ENDS, PREDICATE_POWER},
             {K_IS, PREDICATE_POWER},
             {T_PLUS, ADD_POWER},
             {T_MINUS, ADD_POWER},
             {T_BARBAR, ADD_POWER},
             {T_TIMES, MULTIPLY_POWER},
             {T_SLASH, MULTIPLY_POWER},
             {T_PERCENT, MULTIPLY_POWER},
             {T_CARET, POWER_POWER}};
  for (size_t i = 0; i < ARRAY_SIZE(all); i++)
    if (all[i].power >= power) expect(p, all[i].token);
}

static struct ast *new_at(struct parser *p, enum ast_kind kind, const struct ast *left, uint32_t at) {
  struct ast *n = parser_new(p, kind, left->offset);
  if (n != NULL) n->at = at;
  return n;
}

/// One more operand for `n`, whose height and end grow with it.
static struct ast *grown(struct parser *p, struct ast *n, const struct ast *child) {
  n->end = behind(p);
  if (child->height >= 2 * p->max_depth) return parser_done(p, n);
  n->height = MAX(n->height, (uint16_t) (child->height + 1));
  return n;
}

static bool continues(const struct ast *n, enum ast_kind kind) {
  return n->kind == kind && (n->flags & AST_PARENTHESES) == 0;
}

/// `a OR b OR c` is one node with three operands.
static struct ast *join_logical(struct parser *p, enum ast_op op, struct ast *left, struct ast *right, uint32_t at) {
  if (!continues(left, AST_LOGICAL) || left->logical.op != op) {
    struct ast *n = new_at(p, AST_LOGICAL, left, at);
    if (n == NULL) return NULL;
    n->logical.op = op;
    ast_append(&n->logical.operands, left);
    ast_append(&n->logical.operands, right);
    return parser_done(p, n);
  }
  ast_append(&left->logical.operands, right);
  return grown(p, left, right);
}

static bool is_comparison(const struct ast *n) {
  return continues(n, AST_BINARY) && n->binary.op >= AST_EQ_OP && n->binary.op <= AST_GE_OP;
}

static struct ast *new_link(struct parser *p, enum ast_op op, struct ast *operand) {
  struct ast *n = parser_new(p, AST_COMPARISON_LINK, operand->offset);
  if (n == NULL) return NULL;
  n->comparison_link.op = op;
  n->comparison_link.operand = operand;
  return parser_done(p, n);
}

static struct ast *new_binary(struct parser *p, enum ast_op op, struct ast *left, struct ast *right, uint32_t at) {
  struct ast *n = new_at(p, AST_BINARY, left, at);
  if (n == NULL) return NULL;
  n->binary.op = op;
  n->binary.left = left;
  n->binary.right = right;
  n->end = behind(p);
  n->height = (uint16_t) (MAX(left->height, right->height) + 1);
  return n->height > 2 * p->max_depth ? parser_done(p, n) : n;
}

/// `a < b <= c`: the second operator turns the comparison into a chain.
static struct ast *join_comparison(struct parser *p, enum ast_op op, struct ast *left, struct ast *right, uint32_t at) {
  if (!is_comparison(left) && !continues(left, AST_COMPARISON_CHAIN)) return new_binary(p, op, left, right, at);
  struct ast *last = new_link(p, op, right);
  if (last == NULL) return NULL;
  if (left->kind == AST_BINARY) {
    struct ast *chain = new_at(p, AST_COMPARISON_CHAIN, left, left->at);
    struct ast *first = chain != NULL ? new_link(p, left->binary.op, left->binary.right) : NULL;
    if (first == NULL) return NULL;
    chain->comparison_chain.first = left->binary.left;
    ast_append(&chain->comparison_chain.links, first);
    ast_append(&chain->comparison_chain.links, last);
    return parser_done(p, chain);
  }
  ast_append(&left->comparison_chain.links, last);
  return grown(p, left, last);
}

static struct ast *join(struct parser *p, struct infix infix, struct ast *left, struct ast *right, uint32_t at) {
  if (infix.power <= AND_POWER) return join_logical(p, infix.op, left, right, at);
  if (infix.power == COMPARE_POWER) return join_comparison(p, infix.op, left, right, at);
  return new_binary(p, infix.op, left, right, at);
}

// IS NULL, IS :: TYPE, IS NORMALIZED, IS Label.

static bool at_normal_form(const struct parser *p) {
  return peek(p) == K_NFC || peek(p) == K_NFD || peek(p) == K_NFKC || peek(p) == K_NFKD;
}

static struct ast *parse_is_normalized(struct parser *p, struct ast *operand, bool negated, uint32_t at) {
  struct str form = STR("NFC");
  if (at_normal_form(p)) form = parser_token_text(p, p->at++);
  if (!take(p, K_NORMALIZED)) return NULL;
  struct ast *n = new_at(p, AST_IS_NORMALIZED, operand, at);
  if (n == NULL) return NULL;
  n->is_normalized.operand = operand;
  n->is_normalized.negated = negated;
  n->is_normalized.form = form;
  return parser_done(p, n);
}

static struct ast *parse_is_typed(struct parser *p, struct ast *operand, bool negated, uint32_t at) {
  struct ast *n = new_at(p, AST_IS_TYPED, operand, at);
  if (n == NULL) return NULL;
  n->is_typed.operand = operand;
  n->is_typed.negated = negated;
  if ((n->is_typed.type = parse_type(p)) == NULL) return NULL;
  return parser_done(p, n);
}

static struct ast *parse_is_null(struct parser *p, struct ast *operand, bool negated, uint32_t at) {
  struct ast *n = new_at(p, AST_IS_NULL, operand, at);
  if (n == NULL) return NULL;
  n->is_null.operand = operand;
  n->is_null.negated = negated;
  return parser_done(p, n);
}

static struct ast *new_has_labels(struct parser *p, struct ast *subject, uint32_t at) {
  struct ast *n = new_at(p, AST_HAS_LABELS, subject, at);
  if (n == NULL) return NULL;
  n->has_labels.subject = subject;
  if ((n->has_labels.labels = parse_labels(p)) == NULL) return NULL;
  return parser_done(p, n);
}

static struct ast *parse_is(struct parser *p, struct ast *operand) {
  uint32_t at = here(p);
  if (take(p, T_COLONCOLON)) return parse_is_typed(p, operand, false, at);
  if (!take(p, K_IS)) return NULL;
  bool negated = take(p, K_NOT);
  if (take(p, K_NULL)) return parse_is_null(p, operand, negated, at);
  if (take(p, K_TYPED) || take(p, T_COLONCOLON)) return parse_is_typed(p, operand, negated, at);
  if (next_is(p, K_NORMALIZED) || at_normal_form(p)) return parse_is_normalized(p, operand, negated, at);
  return negated || operand->kind == AST_CASE_OPERAND ? NULL : new_has_labels(p, operand, at);
}

// Prefixes.

static struct ast *parse_unary(struct parser *p, enum ast_op op, int power) {
  struct ast *n = parser_new(p, AST_UNARY, here(p));
  p->at++;
  if (n == NULL || !parser_enter(p)) return NULL;
  n->unary.op = op;
  n->unary.operand = parse_operand(p, power);
  parser_leave(p);
  return n->unary.operand != NULL ? parser_done(p, n) : NULL;
}

/// A sign in front of a number belongs to it, so that the lowest integer can be written.
static struct ast *parse_negative(struct parser *p) {
  uint16_t next = peek_at(p, 1);
  if (next != T_INTEGER && next != T_FLOAT) return parse_unary(p, AST_NEGATE_OP, SIGN_POWER);
  uint32_t offset = here(p);
  p->at++;
  struct ast *n = parse_number(p, true);
  if (n == NULL) return NULL;
  n->offset = n->at = offset;
  return parse_postfix_of(p, n, true);
}

static struct ast *parse_first(struct parser *p, int power) {
  if (power <= NOT_POWER && take(p, K_NOT)) {
    p->at--;
    return parse_unary(p, AST_NOT_OP, NOT_POWER);
  }
  if (peek(p) == T_MINUS) return parse_negative(p);
  if (peek(p) == T_PLUS) return parse_unary(p, AST_PLUS_OP, SIGN_POWER);
  struct ast *atom = parse_atom(p);
  return atom != NULL ? parse_postfix_of(p, atom, true) : NULL;
}

struct ast *parse_operand(struct parser *p, int power) {
  struct ast *left = parse_first(p, power);
  while (left != NULL) {
    struct infix infix = infix_at(p);
    if (infix.power == 0 && power <= PREDICATE_POWER && (peek(p) == K_IS || peek(p) == T_COLONCOLON)) {
      left = parse_is(p, left);
      continue;
    }
    if (infix.power == 0 || infix.power < power) {
      if (UNLIKELY(p->recording)) expect_infix(p, power);
      return left;
    }
    uint32_t at = here(p);
    p->at += infix.tokens;
    struct ast *right = parse_operand(p, infix.power + 1);
    if (right == NULL) return NULL;
    left = join(p, infix, left, right, at);
  }
  return NULL;
}

/// `WHEN > 5`, `WHEN IS NULL`, `WHEN 5`: a predicate on the operand of the CASE; a plain expression is compared with it.
struct ast *parse_when_test(struct parser *p) {
  struct ast *operand = parser_new(p, AST_CASE_OPERAND, here(p));
  if (operand == NULL) return NULL;
  if (peek(p) == K_IS || peek(p) == T_COLONCOLON) return parse_is(p, operand);
  struct infix infix = infix_at(p);
  bool compares = infix.power == COMPARE_POWER || infix.power == PREDICATE_POWER;
  uint32_t at = here(p);
  if (compares) p->at += infix.tokens;
  struct ast *value = compares ? parse_operand(p, infix.power + 1) : parse_expression(p);
  return value != NULL ? new_binary(p, compares ? infix.op : AST_EQ_OP, operand, value, at) : NULL;
}

struct ast *parse_expression(struct parser *p) {
  if (!parser_enter(p)) return NULL;
  struct ast *n = parse_operand(p, OR_POWER);
  parser_leave(p);
  return n;
}

// Postfixes: .key, [index], [from..to], :Labels.

static struct ast *parse_key(struct parser *p, struct ast *subject) {
  uint32_t at = here(p);
  p->at++;
  struct ast *n = new_at(p, AST_PROPERTY, subject, at);
  if (n == NULL || !parse_name(p, &n->property.key)) return NULL;
  n->property.subject = subject;
  n->end = behind(p);
  n->height = (uint16_t) (subject->height + 1);
  return n->height > 2 * p->max_depth ? parser_done(p, n) : n;
}

static struct ast *parse_slice(struct parser *p, struct ast *subject, struct ast *from, uint32_t at) {
  struct ast *n = new_at(p, AST_SLICE, subject, at);
  if (n == NULL || !take(p, T_DOTDOT)) return NULL;
  n->slice.subject = subject;
  n->slice.from = from;
  if (!next_is(p, T_RBRACKET) && (n->slice.to = parse_expression(p)) == NULL) return NULL;
  return take(p, T_RBRACKET) ? parser_done(p, n) : NULL;
}

static struct ast *parse_brackets(struct parser *p, struct ast *subject) {
  uint32_t at = here(p);
  p->at++;
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  struct ast *n = NULL, *index = NULL;
  if (next_is(p, T_DOTDOT) || (index = parse_expression(p)) != NULL) {
    if (next_is(p, T_DOTDOT)) {
      n = parse_slice(p, subject, index, at);
    } else if (take(p, T_RBRACKET) && (n = new_at(p, AST_SUBSCRIPT, subject, at)) != NULL) {
      n->subscript.subject = subject;
      n->subscript.index = index;
      n = parser_done(p, n);
    }
  }
  p->bars = bars;
  return n;
}

struct ast *parse_postfix_of(struct parser *p, struct ast *subject, bool labels) {
  while (subject != NULL) {
    if (peek(p) == T_DOT) {
      subject = parse_key(p, subject);
    } else if (peek(p) == T_LBRACKET) {
      subject = parse_brackets(p, subject);
    } else if (labels && peek(p) == T_COLON) {
      uint32_t at = here(p);
      p->at++;
      subject = new_has_labels(p, subject, at);
    } else {
      if (UNLIKELY(p->recording)) expect(p, T_DOT), expect(p, T_LBRACKET), labels &&expect(p, T_COLON);
      return subject;
    }
  }
  return NULL;
}

struct ast *parse_property_expression(struct parser *p) {
  struct ast *atom = parse_atom(p);
  return atom != NULL ? parse_postfix_of(p, atom, false) : NULL;
}
