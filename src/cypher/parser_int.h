// The parser's state and the small words that all its files speak.
//
// A parse function returns its node, or NULL: then either the input does not fit, which a caller may answer by another try
// (parser_save, parser_restore), or something is wrong for good (`failed`), which ends everything. What was expected where is
// not noted on the way; if the whole fails, the parser runs again with `recording` on and notes it at the furthest token.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "cypher/ast.h"
#include "cypher/parse.h"
#include "cypher/token.h"

enum { ANY_BARS = 255 };

/// What can be expected beside a token.
enum expected {
  E_EXPRESSION = TOKEN_KIND_MAX,
  E_PATTERN,
  E_PARAMETER,
  E_MAX,
};

struct parser {
  struct arena *arena;
  struct str text;
  const struct token *tokens;
  uint32_t count;
  uint32_t at; // the next token
  uint32_t depth, max_depth;
  uint16_t language;
  uint8_t bars; // how many `|` label expressions may still take here; ANY_BARS but in comprehensions, whose own it could be
  uint64_t retried, max_retried; // tokens given back by tries, and how many may be: keeps hostile text linear
  uint8_t *failures;             // a bit for each `(` and `[` at which a try failed, so that it is not made again
  struct error *e;
  enum err failed;
  struct ast_statement *statement;
  struct str original; // with its Unicode escapes, for positions and the quoted line
  struct unicode_escapes escapes;
  bool recording;
  uint32_t furthest;
  uint64_t expected[(E_MAX + 63) / 64];
};

// Tokens.

static inline uint16_t peek(const struct parser *p) {
  return p->tokens[p->at].kind;
}

static inline uint16_t peek_at(const struct parser *p, uint32_t ahead) {
  uint32_t at = p->at + ahead;
  return p->tokens[at < p->count ? at : p->count - 1].kind;
}

static inline uint32_t here(const struct parser *p) {
  return p->tokens[p->at].offset;
}

/// Offset behind the last token taken.
static inline uint32_t behind(const struct parser *p) {
  if (p->at == 0) return 0;
  const struct token *t = &p->tokens[p->at - 1];
  return t->offset + t->len;
}

void parser_note_expected(struct parser *p, uint32_t what);

static inline bool expect(struct parser *p, uint32_t what) {
  if (UNLIKELY(p->recording)) parser_note_expected(p, what);
  return false;
}

/// Whether the next token is of that kind; notes that it was looked for.
static inline bool next_is(struct parser *p, uint16_t kind) {
  return peek(p) == kind ? true : expect(p, kind);
}

static inline bool take(struct parser *p, uint16_t kind) {
  if (peek(p) != kind) return expect(p, kind);
  p->at++;
  return true;
}

/// Two words in a row, or neither.
static inline bool take2(struct parser *p, uint16_t first, uint16_t second) {
  if (peek(p) != first) return expect(p, first);
  if (peek_at(p, 1) != second) return false;
  p->at += 2;
  return true;
}

static inline bool take_either(struct parser *p, uint16_t one, uint16_t other) {
  return take(p, one) || take(p, other);
}

static inline bool stopped(const struct parser *p) {
  return p->failed != ERR_OK;
}

/// Ends the parse with a message of its own at `offset`; returns NULL.
void *parser_fail(struct parser *p, uint32_t offset, const char *fmt, ...) PRINTF(3, 4);
/// Ends the parse because the arena has nothing left; returns NULL.
void *parser_no_memory(struct parser *p);

/// One level deeper, or false and the parse ends. Every parser_enter that succeeds needs its parser_leave.
bool parser_enter(struct parser *p) NODISCARD;
static inline void parser_leave(struct parser *p) {
  p->depth--;
}

struct parser_place {
  uint32_t at;
  struct arena_mark mark;
};

struct parser_place parser_save(const struct parser *p);
/// Back to where it was, memory included; false if the parse is over (failed for good, or too much was tried).
bool parser_restore(struct parser *p, struct parser_place place) NODISCARD;

static inline bool parser_failed_before(const struct parser *p, uint32_t at) {
  return (p->failures[at / 8] >> at % 8 & 1) != 0;
}

static inline void parser_note_failed(struct parser *p, uint32_t at) {
  p->failures[at / 8] |= (uint8_t) (1u << at % 8);
}

// Nodes.

struct ast *parser_new(struct parser *p, enum ast_kind kind, uint32_t offset);
/// Sets the end and the height of a node whose children are all in place; NULL when it is too high. `n` may be NULL.
struct ast *parser_done(struct parser *p, struct ast *n);

// Names and literals (parse_name.c).

bool parse_name(struct parser *p, struct str *ret) NODISCARD;        // an identifier
bool parse_dotted_name(struct parser *p, struct str *ret) NODISCARD; // a.b.c, each part without its backticks
struct ast *parse_variable(struct parser *p);
struct ast *parse_parameter(struct parser *p);
struct ast *parse_string(struct parser *p);
struct ast *parse_number(struct parser *p, bool negative);
struct ast *parse_string_or_parameter(struct parser *p);
struct ast *parse_integer_or_parameter(struct parser *p);
/// A name or a parameter as a NAME node. `dotted`: a.b as one name.
struct ast *parse_name_node(struct parser *p, bool dotted);
struct str parser_token_text(const struct parser *p, uint32_t at);

// Expressions (parse_expr.c, parse_atom.c, parse_call.c, parse_type.c).

struct ast *parse_expression(struct parser *p);
struct ast *parse_property_expression(struct parser *p); // a.b.c: what SET and constraints name
struct ast *parse_postfix_of(struct parser *p, struct ast *subject, bool labels);
struct ast *parse_atom(struct parser *p);
struct ast *parse_when_test(struct parser *p);          // of a CASE with an operand
struct ast *parse_operand(struct parser *p, int power); // an expression whose operators bind at least so tight
struct ast *parse_map(struct parser *p);
struct ast *parse_map_or_parameter(struct parser *p);
struct ast *parse_type(struct parser *p);
struct ast *parse_call_or_name(struct parser *p);
bool parse_expressions(struct parser *p, uint16_t close, struct ast_list *ret) NODISCARD; // a, b, c and the closing token
struct ast *parse_list_or_comprehension(struct parser *p);
struct ast *parse_special_call(struct parser *p, bool *ret_tried); // forms that look like functions
struct ast *parse_case(struct parser *p);
struct ast *parse_map_projection(struct parser *p, struct ast *subject);

// Patterns (parse_pattern.c, parse_label.c).

bool parse_paths(struct parser *p, struct ast_list *ret, bool plain) NODISCARD; // separated by commas
struct ast *parse_path(struct parser *p, bool plain); // [name =] [selector] elements; plain: for CREATE and MERGE
struct ast *parse_path_elements(struct parser *p, bool groups);
struct ast *parse_node(struct parser *p);
struct ast *parse_labels(struct parser *p); // behind the colon or IS
bool at_relationship(const struct parser *p);
bool parse_label_list(struct parser *p, struct ast_list *ret) NODISCARD; // :A:B&C as in SET

// Queries (parse_query.c, parse_clause.c, parse_write.c, parse_call_clause.c, parse_projection.c).

struct ast *parse_query(struct parser *p);
struct ast *parse_clause(struct parser *p, bool *ret_none);
struct ast *parse_match(struct parser *p);
struct ast *parse_unwind(struct parser *p);
struct ast *parse_load_csv(struct parser *p, struct ast *periodic_commit);
struct ast *parse_call_clause(struct parser *p);
struct ast *parse_use(struct parser *p);
struct ast *parse_with(struct parser *p);
struct ast *parse_return(struct parser *p);
struct ast *parse_page(struct parser *p); // ORDER BY, SKIP, LIMIT as a clause
bool parse_order_skip_limit(struct parser *p, struct ast_list *order_by, struct ast **skip, struct ast **limit) NODISCARD;
struct ast *parse_create(struct parser *p, bool insert);
struct ast *parse_merge(struct parser *p);
struct ast *parse_set(struct parser *p);
struct ast *parse_remove(struct parser *p);
struct ast *parse_delete(struct parser *p);
struct ast *parse_foreach(struct parser *p);
struct ast *parse_where(struct parser *p); // behind WHERE
struct ast *parse_braced_query(struct parser *p);
struct ast *parse_subquery_expression(struct parser *p, enum ast_subquery op);

// Commands (parse_schema.c, parse_show.c, parse_admin.c, parse_privilege.c). They return NULL with `*ret_none` set where no
// command of theirs begins.

struct ast *parse_schema_command(struct parser *p, bool *ret_none);
struct ast *parse_admin_command(struct parser *p, bool *ret_none);
struct ast *parse_privilege_command(struct parser *p, bool *ret_none);
struct ast *parse_show_clause(struct parser *p);
bool parse_name_nodes(struct parser *p, struct ast_list *ret, bool dotted) NODISCARD; // a, b, c
bool parse_if_not_exists(struct parser *p);
bool parse_if_exists(struct parser *p);

// Errors (syntax_error.c).

/// Fills `e` with `text (line L, column C (offset: O))`, the quoted line and a caret, and the position. `offset` counts the bytes
/// of the statement's text.
enum err cypher_error_at(struct error *e, enum err code, struct str text, struct unicode_escapes escapes, struct str original,
                         uint32_t offset, const char *message);
/// "Invalid input 'X': expected ..." for where a recording parser stopped.
enum err parser_report(struct parser *p);
