// WITH and RETURN: items, ORDER BY, SKIP, LIMIT.
#include "base/compiler.h"
#include "cypher/parser_int.h"

/// The name of a column without AS: a variable's own, else the text exactly as it stands.
static struct ast *parse_item(struct parser *p) {
  uint32_t offset = here(p);
  struct ast *n = parser_new(p, AST_PROJECTION, offset);
  if (n == NULL || (n->projection.expression = parse_expression(p)) == NULL) return NULL;
  const struct ast *e = n->projection.expression;
  n->projection.name = (struct str){p->text.ptr + offset, behind(p) - offset};
  if (e->kind == AST_VARIABLE && (e->flags & AST_PARENTHESES) == 0) n->projection.name = e->variable.name;
  if (take(p, K_AS)) {
    if (!parse_name(p, &n->projection.alias)) return NULL;
    n->projection.name = n->projection.alias;
  }
  return parser_done(p, n);
}

static bool parse_items(struct parser *p, bool *distinct, bool *star, struct ast_list *ret) {
  uint16_t next = peek_at(p, 1);
  if (peek(p) == K_DISTINCT && next != T_COMMA && next != T_DOT && next != T_END && next != K_AS) *distinct = take(p, K_DISTINCT);
  if (take(p, T_TIMES)) {
    *star = true;
    if (!take(p, T_COMMA)) return true;
  }
  do {
    struct ast *item = parse_item(p);
    if (item == NULL) return false;
    ast_append(ret, item);
  } while (take(p, T_COMMA));
  return true;
}

static struct ast *parse_sort(struct parser *p) {
  struct ast *n = parser_new(p, AST_SORT, here(p));
  if (n == NULL || (n->sort.expression = parse_expression(p)) == NULL) return NULL;
  if (take_either(p, K_DESC, K_DESCENDING))
    n->sort.descending = true;
  else
    (void) take_either(p, K_ASC, K_ASCENDING);
  return parser_done(p, n);
}

bool parse_order_skip_limit(struct parser *p, struct ast_list *order_by, struct ast **skip, struct ast **limit) {
  if (take(p, K_ORDER)) {
    if (!take(p, K_BY)) return false;
    do {
      struct ast *sort = parse_sort(p);
      if (sort == NULL) return false;
      ast_append(order_by, sort);
    } while (take(p, T_COMMA));
  }
  if (take_either(p, K_SKIP, K_OFFSET) && (*skip = parse_expression(p)) == NULL) return false;
  return !take(p, K_LIMIT) || (*limit = parse_expression(p)) != NULL;
}

struct ast *parse_with(struct parser *p) {
  struct ast *n = parser_new(p, AST_WITH, here(p));
  p->at++;
  if (n == NULL || !parse_items(p, &n->with.distinct, &n->with.star, &n->with.items)) return NULL;
  if (!parse_order_skip_limit(p, &n->with.order_by, &n->with.skip, &n->with.limit)) return NULL;
  if (take(p, K_WHERE) && (n->with.where = parse_where(p)) == NULL) return NULL;
  return parser_done(p, n);
}

struct ast *parse_return(struct parser *p) {
  struct ast *n = parser_new(p, AST_RETURN, here(p));
  p->at++;
  if (n == NULL || !parse_items(p, &n->return_.distinct, &n->return_.star, &n->return_.items)) return NULL;
  if (!parse_order_skip_limit(p, &n->return_.order_by, &n->return_.skip, &n->return_.limit)) return NULL;
  return parser_done(p, n);
}

/// ORDER BY, SKIP and LIMIT as a clause of their own are those of a `WITH *`.
struct ast *parse_page(struct parser *p) {
  struct ast *n = parser_new(p, AST_WITH, here(p));
  if (n == NULL) return NULL;
  n->with.star = n->with.implicit = true;
  if (!parse_order_skip_limit(p, &n->with.order_by, &n->with.skip, &n->with.limit)) return NULL;
  return parser_done(p, n);
}
