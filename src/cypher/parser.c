// The parser's engine: its state, going back, nodes; and cypher_parse with the CYPHER prefix.
#include "cypher/parse.h"

#include <string.h>

#include "base/compiler.h"
#include "cypher/parser_int.h"

bool parser_enter(struct parser *p) {
  if (++p->depth <= p->max_depth) return true;
  p->depth--;
  parser_fail(p, here(p), "The statement is nested deeper than the limit of %u levels", p->max_depth);
  return false;
}

struct parser_place parser_save(const struct parser *p) {
  return (struct parser_place){p->at, arena_mark(p->arena)};
}

bool parser_restore(struct parser *p, struct parser_place place) {
  if (stopped(p)) return false;
  p->retried += p->at - place.at;
  p->at = place.at;
  arena_rewind(p->arena, place.mark);
  if (p->retried <= p->max_retried) return true;
  parser_fail(p, here(p), "The statement has too many readings to try");
  return false;
}

struct ast *parser_new(struct parser *p, enum ast_kind kind, uint32_t offset) {
  struct ast *n = ast_new(p->arena, kind, offset);
  if (n == NULL) return parser_no_memory(p);
  n->end = behind(p);
  return n;
}

static uint16_t children_height(const struct ast *n) {
  uint16_t height = 0;
  for (const struct ast_field *f = ast_fields(n->kind); f->type != AST_FIELD_end; f++) {
    if (f->type == AST_FIELD_node) {
      const struct ast *child = *(struct ast *const *) ((const char *) n + f->offset);
      if (child != NULL) height = MAX(height, child->height);
    } else if (f->type == AST_FIELD_list) {
      AST_EACH(item, *(const struct ast_list *) ((const char *) n + f->offset)) height = MAX(height, item->height);
    }
  }
  return height;
}

struct ast *parser_done(struct parser *p, struct ast *n) {
  if (n == NULL) return NULL;
  n->end = behind(p);
  uint16_t height = children_height(n);
  if (height >= 2 * p->max_depth)
    return parser_fail(p, n->offset, "The expression is nested deeper than the limit of %u levels", 2 * p->max_depth);
  n->height = (uint16_t) (height + 1);
  return n;
}

// The CYPHER prefix: CYPHER [version] [key=value]... and EXPLAIN or PROFILE, in any order.

static bool parse_version(struct parser *p) {
  struct str text = parser_token_text(p, p->at);
  static const struct {
    const char *text;
    uint16_t language;
  } versions[] = {{"2.3", 35}, {"3.0", 35}, {"3.1", 35}, {"3.2", 35}, {"3.3", 35}, {"3.4", 35}, {"3.5", 35}, {"4.0", 44},
                  {"4.1", 44}, {"4.2", 44}, {"4.3", 44}, {"4.4", 44}, {"5", 50},   {"5.0", 50}, {"25", 250}};
  for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
    if (!str_eqz(text, versions[i].text)) continue;
    p->statement->language = p->language = versions[i].language;
    p->at++;
    return true;
  }
  parser_fail(p, here(p), "Invalid input '%.*s': expected \"3.5\", \"4.4\", \"5\" or \"25\"", (int) MIN(text.len, 40), text.ptr);
  return false;
}

enum { MOST_OPTIONS = 64 };

static bool parse_option(struct parser *p, struct ast_option *ret) {
  if (!parse_name(p, &ret->key) || !take(p, T_EQ)) return false;
  if (!token_is_name(peek(p)) && peek(p) != T_INTEGER && peek(p) != T_FLOAT) return expect(p, T_NAME);
  ret->value = parser_token_text(p, p->at++);
  return true;
}

static bool parse_options(struct parser *p) {
  if ((peek(p) == T_INTEGER || peek(p) == T_FLOAT) && !parse_version(p)) return false;
  struct ast_statement *s = p->statement;
  while (token_is_name(peek(p)) && peek_at(p, 1) == T_EQ) {
    if (s->option_count == MOST_OPTIONS)
      return parser_fail(p, here(p), "A statement can have %d options at most", MOST_OPTIONS) != NULL;
    struct ast_option *options = ARENA_ARRAY(p->arena, struct ast_option, s->option_count + 1);
    if (options == NULL) return parser_no_memory(p) != NULL;
    if (s->option_count > 0) memcpy(options, s->options, s->option_count * sizeof *options);
    if (!parse_option(p, &options[s->option_count])) return false;
    s->options = options;
    s->option_count++;
  }
  return true;
}

static bool parse_prefix(struct parser *p) {
  for (;;) {
    if (next_is(p, K_CYPHER) && peek_at(p, 1) != T_LPAREN) {
      p->at++;
      if (!parse_options(p)) return false;
    } else if (take(p, K_EXPLAIN)) {
      p->statement->explain = AST_EXPLAIN;
    } else if (take(p, K_PROFILE)) {
      p->statement->explain = AST_PROFILE;
    } else {
      return true;
    }
  }
}

static struct ast *parse_periodic_commit(struct parser *p) {
  if (!take2(p, K_USING, K_PERIODIC) || !take(p, K_COMMIT)) return NULL;
  struct ast *rows = peek(p) == T_INTEGER ? parse_number(p, false) : NULL;
  if (rows == NULL && !stopped(p)) {
    rows = parser_new(p, AST_LITERAL, here(p));
    if (rows != NULL) {
      rows->literal.type = AST_INTEGER;
      rows->literal.integer = 1000;
    }
  }
  if (rows != NULL && !next_is(p, K_LOAD)) return NULL;
  return rows;
}

/// `USING PERIODIC COMMIT n LOAD CSV ...`: the rows are kept with the LOAD CSV that must come first.
static struct ast *parse_periodic_query(struct parser *p) {
  struct ast *rows = parse_periodic_commit(p);
  struct ast *query = rows != NULL ? parse_query(p) : NULL;
  if (query == NULL) return NULL;
  struct ast *load = query->query.branches.first->single_query.clauses.first;
  load->load_csv.periodic_commit = rows;
  return query;
}

static void expect_commands(struct parser *p) {
  static const uint16_t words[] = {K_ALTER,  K_DENY, K_DROP,  K_ENABLE, K_GRANT,    K_RENAME,
                                   K_REVOKE, K_SHOW, K_START, K_STOP,   K_TERMINATE};
  for (size_t i = 0; i < ARRAY_SIZE(words); i++) expect(p, words[i]);
}

static struct ast *parse_command(struct parser *p, bool *ret_none) {
  if (UNLIKELY(p->recording)) expect_commands(p);
  p->statement->kind = AST_STATEMENT_SCHEMA;
  struct ast *n = parse_schema_command(p, ret_none);
  if (!*ret_none) return n;
  p->statement->kind = AST_STATEMENT_ADMIN;
  n = parse_admin_command(p, ret_none);
  return *ret_none ? parse_privilege_command(p, ret_none) : n;
}

/// A USE belongs to the command behind it, or is the first clause of a query.
static struct ast *parse_command_with_use(struct parser *p, bool *ret_none) {
  if (peek(p) != K_USE) return parse_command(p, ret_none);
  struct parser_place place = parser_save(p);
  struct ast *use = parse_use(p);
  *ret_none = true;
  struct ast *n = use != NULL ? parse_command(p, ret_none) : NULL;
  if (!*ret_none)
    p->statement->use = use;
  else
    (void) !parser_restore(p, place);
  return n;
}

static bool shows(const struct ast *query) {
  AST_EACH(clause, query->query.branches.first->single_query.clauses) {
    if (clause->kind == AST_SHOW) return true;
    if (clause->kind != AST_USE) return false;
  }
  return false;
}

static struct ast *parse_root(struct parser *p) {
  bool none;
  struct ast *n = parse_command_with_use(p, &none);
  if (!none) return n;
  p->statement->kind = AST_STATEMENT_QUERY;
  if (next_is(p, K_USING)) return parse_periodic_query(p);
  n = parse_query(p);
  if (n != NULL && shows(n)) p->statement->kind = AST_STATEMENT_SHOW;
  return n;
}

static struct ast *parse_statement(struct parser *p) {
  if (!parse_prefix(p)) return NULL;
  struct ast *root = parse_root(p);
  if (root == NULL) return NULL;
  take(p, T_SEMICOLON);
  if (peek(p) == T_END) return root;
  expect(p, T_END);
  return NULL;
}

static void parser_begin(struct parser *p, bool recording) {
  p->at = p->depth = 0;
  p->retried = 0;
  memset(p->failures, 0, p->count / 8 + 1);
  p->bars = ANY_BARS;
  p->furthest = 0;
  p->recording = recording;
  memset(p->expected, 0, sizeof p->expected);
}

static enum err refuse_text(struct str text, uint32_t limit, struct error *e) {
  if (text.len > limit) return error_set(e, ERR_SYNTAX, "The statement has %zu bytes; the limit is %u bytes", text.len, limit);
  if (!str_is_utf8(text)) return error_set(e, ERR_SYNTAX, "The statement is not well-formed UTF-8");
  return ERR_OK;
}

static enum err split(struct parser *p) {
  uint32_t at = 0;
  enum err err = token_unescape_unicode(p->arena, p->original, &p->text, &p->escapes, &at);
  if (err == ERR_SYNTAX) {
    struct unicode_escapes none = {0};
    return cypher_error_at(p->e, err, p->original, none, p->original, at,
                           "Invalid Unicode escape: expected \\u and four hexadecimal digits");
  }
  struct token_array tokens;
  if (err == ERR_OK) err = token_split(p->arena, p->text, &tokens, &at);
  if (err == ERR_SYNTAX)
    return cypher_error_at(p->e, err, p->text, p->escapes, p->original, at,
                           "Failed to parse comment. A comment starting on `/*` must have a closing `*/`.");
  if (err != ERR_OK) return arena_err(p->arena, p->e);
  p->tokens = tokens.items;
  p->count = tokens.count;
  p->failures = arena_alloc(p->arena, p->count / 8 + 1);
  if (p->failures == NULL) return arena_err(p->arena, p->e);
  p->max_retried = 100ull * p->count + 10000;
  return ERR_OK;
}

static struct ast_statement *new_statement(struct parser *p) {
  struct ast_statement *s = ARENA_NEW(p->arena, struct ast_statement);
  if (s == NULL) return NULL;
  s->arena = p->arena;
  s->text = p->text;
  s->original = p->original;
  s->escapes = p->escapes.at;
  s->escape_count = p->escapes.count;
  return s;
}

/// The first run is fast and knows only that it failed; the second one notes what was expected.
static enum err parse_twice(struct parser *p, uint16_t language) {
  struct arena_mark mark = arena_mark(p->arena);
  for (int run = 0; run < 2; run++) {
    arena_rewind(p->arena, mark);
    p->statement = new_statement(p);
    if (p->statement == NULL) return arena_err(p->arena, p->e);
    p->statement->language = p->language = language;
    parser_begin(p, run == 1);
    p->statement->root = parse_statement(p);
    if (p->statement->root != NULL && !stopped(p)) return ERR_OK;
    if (stopped(p)) return p->failed;
  }
  return parser_report(p);
}

enum err cypher_parse(struct arena *arena, struct str text, const struct cypher_options *options, struct ast_statement **ret,
                      struct error *e) {
  static const struct cypher_options defaults = {0};
  const struct cypher_options *o = options != NULL ? options : &defaults;
  uint32_t limit = o->max_text_bytes != 0 ? o->max_text_bytes : CYPHER_DEFAULT_TEXT_BYTES;
  TRY(refuse_text(text, limit, e));
  struct parser p = {
      .arena = arena, .e = e, .original = text, .max_depth = o->max_depth != 0 ? o->max_depth : CYPHER_DEFAULT_DEPTH};
  p.max_depth = MIN(p.max_depth, 30000u);
  TRY(split(&p));
  TRY(parse_twice(&p, o->language != 0 ? o->language : 50));
  *ret = p.statement;
  return ERR_OK;
}
