// Queries: clauses one after the other, UNION, subqueries in braces.
#include "base/compiler.h"
#include "cypher/parser_int.h"

static struct ast *parse_optional(struct parser *p) {
  if (peek_at(p, 1) == K_MATCH) return parse_match(p);
  if (peek_at(p, 1) == K_CALL) return parse_call_clause(p);
  p->at++;
  expect(p, K_MATCH), expect(p, K_CALL);
  return NULL;
}

static struct ast *parse_finish(struct parser *p) {
  p->at++;
  return parser_new(p, AST_FINISH, p->tokens[p->at - 1].offset);
}

static void expect_clauses(struct parser *p) {
  static const uint16_t words[] = {K_MATCH,  K_OPTIONAL, K_UNWIND, K_WITH,   K_RETURN, K_CALL,    K_CREATE, K_INSERT,
                                   K_MERGE,  K_SET,      K_REMOVE, K_DELETE, K_DETACH, K_FOREACH, K_LOAD,   K_USE,
                                   K_FINISH, K_ORDER,    K_SKIP,   K_OFFSET, K_LIMIT,  K_NODETACH};
  for (size_t i = 0; i < ARRAY_SIZE(words); i++) expect(p, words[i]);
}

struct ast *parse_clause(struct parser *p, bool *ret_none) {
  *ret_none = false;
  switch (peek(p)) {
  case K_MATCH: return parse_match(p);
  case K_OPTIONAL: return parse_optional(p);
  case K_UNWIND: return parse_unwind(p);
  case K_WITH: return parse_with(p);
  case K_RETURN: return parse_return(p);
  case K_CALL: return parse_call_clause(p);
  case K_CREATE: return parse_create(p, false);
  case K_INSERT: return parse_create(p, true);
  case K_MERGE: return parse_merge(p);
  case K_SET: return parse_set(p);
  case K_REMOVE: return parse_remove(p);
  case K_DELETE:
  case K_DETACH:
  case K_NODETACH: return parse_delete(p);
  case K_FOREACH: return parse_foreach(p);
  case K_LOAD: return parse_load_csv(p, NULL);
  case K_USE: return parse_use(p);
  case K_FINISH: return parse_finish(p);
  case K_ORDER:
  case K_SKIP:
  case K_OFFSET:
  case K_LIMIT: return parse_page(p);
  case K_SHOW:
  case K_TERMINATE: return parse_show_clause(p);
  default:
    if (UNLIKELY(p->recording)) expect_clauses(p);
    *ret_none = true;
    return NULL;
  }
}

static struct ast *parse_single_query(struct parser *p) {
  struct ast *n = parser_new(p, AST_SINGLE_QUERY, here(p));
  if (n == NULL) return NULL;
  for (;;) {
    bool none;
    struct ast *clause = parse_clause(p, &none);
    if (clause != NULL)
      ast_append(&n->single_query.clauses, clause);
    else if (none && n->single_query.clauses.count > 0)
      return parser_done(p, n);
    else
      return NULL;
  }
}

static struct ast *parse_union(struct parser *p) {
  struct ast *n = parser_new(p, AST_QUERY, here(p));
  if (n == NULL) return NULL;
  do {
    struct ast *branch = parse_single_query(p);
    if (branch == NULL) return NULL;
    ast_append(&n->query.branches, branch);
    uint32_t at = here(p);
    if (!take(p, K_UNION)) return parser_done(p, n);
    bool all = take(p, K_ALL);
    if (!all) take(p, K_DISTINCT);
    if (n->query.branches.count > 1 && all != n->query.union_all)
      return parser_fail(p, at, "Invalid combination of UNION and UNION ALL");
    n->query.union_all = all;
  } while (true);
}

struct ast *parse_query(struct parser *p) {
  if (!parser_enter(p)) return NULL;
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  struct ast *n = parse_union(p);
  p->bars = bars;
  parser_leave(p);
  return n;
}

struct ast *parse_braced_query(struct parser *p) {
  if (!take(p, T_LBRACE)) return NULL;
  struct ast *n = parse_query(p);
  return n != NULL && take(p, T_RBRACE) ? n : NULL;
}

struct ast *parse_where(struct parser *p) {
  return parse_expression(p);
}

// EXISTS { ... }, COUNT { ... }, COLLECT { ... }

/// `{ (a)-->(b) WHERE p }` is short for `{ MATCH (a)-->(b) WHERE p }`.
static struct ast *parse_short_query(struct parser *p) {
  uint32_t offset = here(p);
  struct ast *match = parser_new(p, AST_MATCH, offset);
  if (match == NULL || !parse_paths(p, &match->match.paths, false)) return NULL;
  if (take(p, K_WHERE) && (match->match.where = parse_expression(p)) == NULL) return NULL;
  struct ast *single = parser_new(p, AST_SINGLE_QUERY, offset), *query = parser_new(p, AST_QUERY, offset);
  if (parser_done(p, match) == NULL || single == NULL || query == NULL) return NULL;
  ast_append(&single->single_query.clauses, match);
  if (parser_done(p, single) == NULL) return NULL;
  ast_append(&query->query.branches, single);
  return parser_done(p, query);
}

static bool at_short_query(const struct parser *p) {
  uint16_t kind = peek(p), next = peek_at(p, 1);
  if (kind == T_LPAREN || (token_is_name(kind) && next == T_EQ)) return true;
  if (kind == K_SHORTESTPATH || kind == K_ALLSHORTESTPATHS) return next == T_LPAREN;
  return kind == K_ANY || kind == K_ALL || kind == K_SHORTEST;
}

struct ast *parse_subquery_expression(struct parser *p, enum ast_subquery op) {
  struct ast *n = parser_new(p, AST_SUBQUERY, here(p));
  if (n == NULL) return NULL;
  p->at += 2; // the word and the brace
  n->subquery.op = op;
  if (!parser_enter(p)) return NULL;
  uint8_t bars = p->bars;
  p->bars = ANY_BARS;
  n->subquery.query = op != AST_COLLECT && at_short_query(p) ? parse_short_query(p) : parse_query(p);
  p->bars = bars;
  parser_leave(p);
  return n->subquery.query != NULL && take(p, T_RBRACE) ? parser_done(p, n) : NULL;
}
