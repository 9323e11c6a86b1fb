// Label expressions: A, A:B, A|B, A&!B, (A|B)&C, %, $(expression).
#include "base/compiler.h"
#include "cypher/parser_int.h"

static struct ast *parse_or(struct parser *p);

static struct ast *parse_dynamic(struct parser *p) {
  struct ast *n = parser_new(p, AST_LABEL_DYNAMIC, here(p));
  if (n == NULL || !take(p, T_DOLLAR)) return NULL;
  n->label_dynamic.any = take(p, K_ANY);
  if (!n->label_dynamic.any) take(p, K_ALL);
  if (!take(p, T_LPAREN)) return NULL;
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  n->label_dynamic.expression = parse_expression(p);
  p->bars = bars;
  if (n->label_dynamic.expression == NULL || !take(p, T_RPAREN)) return NULL;
  return parser_done(p, n);
}

static struct ast *parse_plain_label(struct parser *p) {
  struct ast *n = parser_new(p, AST_LABEL, here(p));
  if (n == NULL || !parse_name(p, &n->label.name)) return NULL;
  return parser_done(p, n);
}

static struct ast *parse_label_parentheses(struct parser *p) {
  p->at++;
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  struct ast *n = parse_or(p);
  p->bars = bars;
  return n != NULL && take(p, T_RPAREN) ? n : NULL;
}

static struct ast *parse_primary(struct parser *p) {
  if (peek(p) == T_LPAREN) return parse_label_parentheses(p);
  if (peek(p) == T_DOLLAR) return parse_dynamic(p);
  if (!take(p, T_PERCENT)) return parse_plain_label(p);
  return parser_new(p, AST_LABEL_ANY, p->tokens[p->at - 1].offset);
}

static struct ast *parse_not(struct parser *p) {
  if (!next_is(p, T_BANG)) return parse_primary(p);
  struct ast *n = parser_new(p, AST_LABEL_NOT, here(p));
  p->at++;
  if (n == NULL || !parser_enter(p)) return NULL;
  n->label_not.operand = parse_not(p);
  parser_leave(p);
  return n->label_not.operand != NULL ? parser_done(p, n) : NULL;
}

/// `first` with what follows it, as one node of `kind`.
static struct ast *gather(struct parser *p, enum ast_kind kind, struct ast *first) {
  struct ast *n = parser_new(p, kind, first->offset);
  if (n != NULL) ast_append(&n->label_and.operands, first); // LABEL_OR has the same shape
  return n;
}

static struct ast *parse_and(struct parser *p) {
  struct ast *first = parse_not(p), *n = NULL;
  while (first != NULL && (take(p, T_AMPERSAND) || take(p, T_COLON))) {
    if (n == NULL && (n = gather(p, AST_LABEL_AND, first)) == NULL) return NULL;
    struct ast *next = parse_not(p);
    if (next == NULL) return NULL;
    ast_append(&n->label_and.operands, next);
  }
  return n != NULL ? parser_done(p, n) : first;
}

static bool take_bar(struct parser *p) {
  if (p->bars == 0 || !take(p, T_BAR)) return false;
  if (p->bars != ANY_BARS) p->bars--;
  return true;
}

static struct ast *parse_alternatives(struct parser *p) {
  struct ast *first = parse_and(p), *n = NULL;
  while (first != NULL && take_bar(p)) {
    if (n == NULL && (n = gather(p, AST_LABEL_OR, first)) == NULL) return NULL;
    if (take(p, T_COLON)) n->flags |= AST_DOUBLE_COLON;
    struct ast *next = parse_and(p);
    if (next == NULL) return NULL;
    ast_append(&n->label_or.operands, next);
  }
  return n != NULL ? parser_done(p, n) : first;
}

static struct ast *parse_or(struct parser *p) {
  if (!parser_enter(p)) return NULL;
  struct ast *n = parse_alternatives(p);
  parser_leave(p);
  return n;
}

struct ast *parse_labels(struct parser *p) {
  return parse_or(p);
}

bool parse_label_list(struct parser *p, struct ast_list *ret) {
  do {
    struct ast *label = next_is(p, T_DOLLAR) ? parse_dynamic(p) : parse_plain_label(p);
    if (label == NULL) return false;
    ast_append(ret, label);
  } while (take(p, T_COLON) || take(p, T_AMPERSAND));
  return true;
}
