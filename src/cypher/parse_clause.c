// Clauses that read: MATCH with its hints, UNWIND, LOAD CSV, USE, CALL of procedures and subqueries.
#include "base/compiler.h"
#include "cypher/parser_int.h"

// MATCH.

static uint32_t parse_mode(struct parser *p) {
  uint16_t next = peek_at(p, 1);
  bool repeatable = peek(p) == K_REPEATABLE && (next == K_ELEMENT || next == K_ELEMENTS);
  bool different = peek(p) == K_DIFFERENT && (next == K_RELATIONSHIP || next == K_RELATIONSHIPS);
  if (!repeatable && !different) return AST_DEFAULT_MODE;
  p->at += 2;
  take(p, K_BINDINGS);
  return repeatable ? AST_REPEATABLE_ELEMENTS : AST_DIFFERENT_RELATIONSHIPS;
}

static uint32_t parse_hint_type(struct parser *p) {
  if (take(p, K_BTREE)) return AST_HINT_BTREE;
  if (take(p, K_RANGE)) return AST_HINT_RANGE;
  if (take(p, K_TEXT)) return AST_HINT_TEXT;
  return take(p, K_POINT) ? AST_HINT_POINT : AST_HINT_INDEX;
}

static bool parse_names(struct parser *p, struct ast_list *ret) {
  do {
    struct ast *name = parse_name_node(p, false);
    if (name == NULL) return false;
    ast_append(ret, name);
  } while (take(p, T_COMMA));
  return true;
}

static bool parse_variables(struct parser *p, struct ast_list *ret) {
  do {
    struct ast *variable = parse_variable(p);
    if (variable == NULL) return false;
    ast_append(ret, variable);
  } while (take(p, T_COMMA));
  return true;
}

/// n:Label(p, q), n:Label, with `:` or IS.
static bool parse_hint_target(struct parser *p, struct ast *n, bool properties) {
  struct ast *variable = parse_variable(p);
  if (variable == NULL || !take_either(p, T_COLON, K_IS) || !parse_name(p, &n->hint.label)) return false;
  ast_append(&n->hint.variables, variable);
  return !properties || (take(p, T_LPAREN) && parse_names(p, &n->hint.properties) && take(p, T_RPAREN));
}

static struct ast *parse_hint(struct parser *p) {
  struct ast *n = parser_new(p, AST_HINT, here(p));
  p->at++;
  if (n == NULL) return NULL;
  bool ok;
  if (take(p, K_JOIN)) {
    n->hint.type = AST_HINT_JOIN;
    ok = take(p, K_ON) && parse_variables(p, &n->hint.variables);
  } else if (take(p, K_SCAN)) {
    n->hint.type = AST_HINT_SCAN;
    ok = parse_hint_target(p, n, false);
  } else {
    n->hint.type = parse_hint_type(p);
    ok = take(p, K_INDEX);
    if (ok && peek(p) == K_SEEK && peek_at(p, 1) != T_COLON) n->hint.seek = take(p, K_SEEK);
    ok = ok && parse_hint_target(p, n, true);
  }
  return ok ? parser_done(p, n) : NULL;
}

struct ast *parse_match(struct parser *p) {
  struct ast *n = parser_new(p, AST_MATCH, here(p));
  if (n == NULL) return NULL;
  n->match.optional = take(p, K_OPTIONAL);
  p->at++;
  n->match.mode = parse_mode(p);
  if (!parse_paths(p, &n->match.paths, false)) return NULL;
  while (next_is(p, K_USING)) {
    struct ast *hint = parse_hint(p);
    if (hint == NULL) return NULL;
    ast_append(&n->match.hints, hint);
  }
  if (take(p, K_WHERE) && (n->match.where = parse_where(p)) == NULL) return NULL;
  return parser_done(p, n);
}

// UNWIND, LOAD CSV, USE.

struct ast *parse_unwind(struct parser *p) {
  struct ast *n = parser_new(p, AST_UNWIND, here(p));
  p->at++;
  if (n == NULL || (n->unwind.list = parse_expression(p)) == NULL || !take(p, K_AS)) return NULL;
  return (n->unwind.variable = parse_variable(p)) != NULL ? parser_done(p, n) : NULL;
}

struct ast *parse_load_csv(struct parser *p, struct ast *periodic_commit) {
  struct ast *n = parser_new(p, AST_LOAD_CSV, here(p));
  p->at++;
  if (n == NULL || !take(p, K_CSV)) return NULL;
  n->load_csv.periodic_commit = periodic_commit;
  if (take(p, K_WITH)) {
    if (!take(p, K_HEADERS)) return NULL;
    n->load_csv.with_headers = true;
  }
  if (!take(p, K_FROM) || (n->load_csv.url = parse_expression(p)) == NULL) return NULL;
  if (!take(p, K_AS) || (n->load_csv.variable = parse_variable(p)) == NULL) return NULL;
  if (take(p, K_FIELDTERMINATOR) && (n->load_csv.terminator = parse_string(p)) == NULL) return NULL;
  return parser_done(p, n);
}

struct ast *parse_use(struct parser *p) {
  struct ast *n = parser_new(p, AST_USE, here(p));
  p->at++;
  if (n == NULL) return NULL;
  if (peek(p) == K_GRAPH && token_is_name(peek_at(p, 1))) p->at++;
  if (!parse_dotted_name(p, &n->use.name)) return NULL;
  n->use.is_call = take(p, T_LPAREN);
  if (n->use.is_call && !parse_expressions(p, T_RPAREN, &n->use.arguments)) return NULL;
  return parser_done(p, n);
}

// CALL of a procedure.

static struct ast *parse_yield(struct parser *p) {
  struct ast *n = parser_new(p, AST_YIELD, here(p));
  struct ast *field = n != NULL ? parse_variable(p) : NULL;
  if (field == NULL) return NULL;
  n->yield.field = field->variable.name;
  n->yield.variable = field;
  if (take(p, K_AS) && (n->yield.variable = parse_variable(p)) == NULL) return NULL;
  return parser_done(p, n);
}

static bool parse_yields(struct parser *p, struct ast *n) {
  n->call.has_yield = true;
  if (take(p, T_TIMES))
    n->call.star = true;
  else if (!take(p, T_MINUS)) {
    do {
      struct ast *yield = parse_yield(p);
      if (yield == NULL) return false;
      ast_append(&n->call.yields, yield);
    } while (take(p, T_COMMA));
  }
  return !take(p, K_WHERE) || (n->call.where = parse_where(p)) != NULL;
}

static struct ast *parse_call_procedure(struct parser *p, struct ast *n) {
  if (!parse_dotted_name(p, &n->call.name)) return NULL;
  n->call.has_arguments = take(p, T_LPAREN);
  if (n->call.has_arguments && !parse_expressions(p, T_RPAREN, &n->call.arguments)) return NULL;
  if (take(p, K_YIELD) && !parse_yields(p, n)) return NULL;
  return parser_done(p, n);
}

// CALL { } and what may follow it.

static bool parse_on_error(struct parser *p, struct ast *n) {
  bool retry = take(p, K_RETRY);
  if (retry && !take(p, K_THEN)) return n->in_transactions.on_error = AST_ON_ERROR_RETRY_FAIL, true;
  uint32_t first = retry ? AST_ON_ERROR_RETRY_FAIL : AST_ON_ERROR_FAIL;
  if (take(p, K_FAIL))
    n->in_transactions.on_error = first;
  else if (take(p, K_CONTINUE))
    n->in_transactions.on_error = first + 1;
  else if (take(p, K_BREAK))
    n->in_transactions.on_error = first + 2;
  else
    return false;
  return true;
}

static bool parse_transaction_option(struct parser *p, struct ast *n) {
  if (take(p, K_OF)) {
    if ((n->in_transactions.rows = parse_expression(p)) == NULL) return false;
    return take_either(p, K_ROWS, K_ROW);
  }
  if (take(p, K_ON)) return take(p, K_ERROR) && parse_on_error(p, n);
  p->at++;
  return take(p, K_STATUS) && take(p, K_AS) && (n->in_transactions.report = parse_variable(p)) != NULL;
}

static bool at_transaction_option(struct parser *p) {
  return next_is(p, K_OF) || (next_is(p, K_ON) && peek_at(p, 1) == K_ERROR) || next_is(p, K_REPORT);
}

static struct ast *parse_in_transactions(struct parser *p) {
  struct ast *n = parser_new(p, AST_IN_TRANSACTIONS, here(p));
  p->at++;
  if (n == NULL) return NULL;
  bool count = !next_is(p, K_CONCURRENT) && !next_is(p, K_TRANSACTIONS) && !next_is(p, K_TRANSACTION);
  if (count && (n->in_transactions.concurrency = parse_expression(p)) == NULL) return NULL;
  n->in_transactions.concurrent = take(p, K_CONCURRENT);
  if ((count && !n->in_transactions.concurrent) || !take_either(p, K_TRANSACTIONS, K_TRANSACTION)) return NULL;
  while (at_transaction_option(p))
    if (!parse_transaction_option(p, n)) return NULL;
  return parser_done(p, n);
}

static bool parse_scope(struct parser *p, struct ast *n) {
  n->call_query.has_scope = true;
  p->at++;
  n->call_query.scope_star = take(p, T_TIMES);
  if (!n->call_query.scope_star && !next_is(p, T_RPAREN) && !parse_variables(p, &n->call_query.scope)) return false;
  return take(p, T_RPAREN);
}

static struct ast *parse_call_query(struct parser *p, uint32_t offset, bool optional) {
  struct ast *n = parser_new(p, AST_CALL_QUERY, offset);
  if (n == NULL) return NULL;
  n->call_query.optional = optional;
  if (next_is(p, T_LPAREN) && !parse_scope(p, n)) return NULL;
  if ((n->call_query.query = parse_braced_query(p)) == NULL) return NULL;
  if (next_is(p, K_IN) && (n->call_query.transactions = parse_in_transactions(p)) == NULL) return NULL;
  return parser_done(p, n);
}

struct ast *parse_call_clause(struct parser *p) {
  uint32_t offset = here(p);
  bool optional = take(p, K_OPTIONAL);
  p->at++;
  if (next_is(p, T_LBRACE) || next_is(p, T_LPAREN)) return parse_call_query(p, offset, optional);
  struct ast *n = parser_new(p, AST_CALL, offset);
  if (n == NULL) return NULL;
  n->call.optional = optional;
  return parse_call_procedure(p, n);
}
