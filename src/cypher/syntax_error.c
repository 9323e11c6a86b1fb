// Messages with a position, as Neo4j writes them.
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "cypher/errors.h"
#include "cypher/parser_int.h"

enum { QUOTED_LINE_BYTES = 160, QUOTED_BEFORE_BYTES = 70, EXPECTED_SHOWN = 40 };

struct position {
  uint32_t line, column, offset; // from 1, from 1, from 0; UTF-16 units
  size_t line_start, at;         // bytes of the original text
};

/// Where byte `offset` of the unescaped text was in the text as sent: an escape took six bytes and became one UTF-16 unit.
static size_t original_byte(struct str text, struct unicode_escapes escapes, size_t offset) {
  size_t bytes = offset;
  for (uint32_t i = 0; i < escapes.count && escapes.at[i] < offset; i++) {
    size_t behind = escapes.at[i];
    bool pair = i + 1 < escapes.count && escapes.at[i + 1] == escapes.at[i];
    if (behind < text.len) str_next_code_point(text, &behind);
    bytes += (pair ? 12 : 6) - (behind - escapes.at[i]);
    i += pair;
  }
  return bytes;
}

static struct position position_of(struct str text, size_t at) {
  struct position p = {1, 1, 0, 0, MIN(at, text.len)};
  for (size_t i = 0; i < p.at;) {
    uint32_t cp = str_next_code_point(text, &i);
    uint32_t units = cp >= 0x10000 ? 2 : 1;
    p.offset += units;
    p.column += units;
    if (cp != '\n') continue;
    p.line++;
    p.column = 1;
    p.line_start = i;
  }
  return p;
}

/// The line around the position, or a window of it, cut between characters.
static struct str quoted_line(struct str text, const struct position *p, size_t *ret_caret) {
  size_t from = p->line_start, to = p->at;
  while (to < text.len && text.ptr[to] != '\n' && text.ptr[to] != '\r') to++;
  if (to - from > QUOTED_LINE_BYTES) {
    if (p->at - from > QUOTED_BEFORE_BYTES) from = p->at - QUOTED_BEFORE_BYTES;
    while (from < p->at && ((uint8_t) text.ptr[from] & 0xC0) == 0x80) from++;
    to = MIN(to, from + QUOTED_LINE_BYTES);
    while (to > p->at && to < text.len && ((uint8_t) text.ptr[to] & 0xC0) == 0x80) to--;
  }
  size_t caret = 0;
  for (size_t i = from; i < p->at; caret++) str_next_code_point(text, &i);
  *ret_caret = caret + 1; // the quote
  return (struct str){text.ptr + from, to - from};
}

enum err cypher_error_at(struct error *e, enum err code, struct str text, struct unicode_escapes escapes, struct str original,
                         uint32_t offset, const char *message) {
  if (e == NULL) return code;
  struct position p = position_of(original, original_byte(text, escapes, offset));
  size_t caret;
  struct str line = quoted_line(original, &p, &caret);
  error_set(e, code, "%s (line %u, column %u (offset: %u))\n\"%.*s\"\n%*s^", message, p.line, p.column, p.offset, STR_ARG(line),
            (int) caret, "");
  e->offset = p.offset;
  e->line = p.line;
  e->column = p.column;
  return code;
}

enum err cypher_error_of(const struct ast_statement *s, struct error *e, enum err code, uint32_t offset, const char *fmt, ...) {
  if (e == NULL) return code;
  char message[700];
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  struct unicode_escapes escapes = {s->escapes, s->escape_count};
  return cypher_error_at(e, code, s->text, escapes, s->original, offset, message);
}

void *parser_fail(struct parser *p, uint32_t offset, const char *fmt, ...) {
  if (stopped(p)) return NULL;
  p->failed = ERR_SYNTAX;
  if (p->e == NULL) return NULL;
  char message[700];
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  cypher_error_at(p->e, ERR_SYNTAX, p->text, p->escapes, p->original, offset, message);
  return NULL;
}

void *parser_no_memory(struct parser *p) {
  if (!stopped(p)) p->failed = arena_err(p->arena, p->e);
  return NULL;
}

void parser_note_expected(struct parser *p, uint32_t what) {
  if (p->at < p->furthest) return;
  if (p->at > p->furthest) {
    p->furthest = p->at;
    memset(p->expected, 0, sizeof p->expected);
  }
  p->expected[what / 64] |= 1ull << what % 64;
}

static bool is_expected(const struct parser *p, uint32_t what) {
  return (p->expected[what / 64] >> what % 64 & 1) != 0;
}

/// Room for one more alternative: words and marks in quotes, classes without.
static size_t put_expected(char *out, size_t room, uint32_t what) {
  static const char *const classes[] = {"an expression", "a graph pattern", "a parameter"};
  if (what >= TOKEN_KIND_MAX) return (size_t) snprintf(out, room, "%s", classes[what - TOKEN_KIND_MAX]);
  if (what == T_END) return (size_t) snprintf(out, room, "<EOF>");
  bool quotes;
  const char *text = token_text((uint16_t) what, &quotes);
  return (size_t) snprintf(out, room, quotes ? "\"%s\"" : "%s", text);
}

/// Kinds that say the same as another one, or nothing.
static bool is_shown(const struct parser *p, uint32_t what) {
  if (!is_expected(p, what)) return false;
  bool operand = is_expected(p, E_EXPRESSION);
  if (operand &&
      (what == T_NAME || what == T_INTEGER || what == T_FLOAT || what == T_STRING || what == E_PARAMETER || what == T_DOLLAR))
    return false;
  return what != T_QUOTED && what != T_BAD && what != T_LINE && what != T_ARROW_LEFT && what != T_ARROW_RIGHT && what != T_BANGEQ;
}

static void put_expectations(const struct parser *p, char *out, size_t room) {
  uint32_t shown[E_MAX], count = 0;
  for (uint32_t what = 0; what < E_MAX; what++)
    if (is_shown(p, what)) shown[count++] = what;
  bool many = count > EXPECTED_SHOWN;
  if (many) count = EXPECTED_SHOWN;
  size_t n = 0;
  for (uint32_t i = 0; i < count && n + 48 < room; i++) {
    const char *between = i == 0 ? "" : i + 1 == count && !many ? " or " : ", ";
    n += (size_t) snprintf(out + n, room - n, "%s", between);
    n += put_expected(out + n, room - n, shown[i]);
  }
  if (many && n + 5 < room) snprintf(out + n, room - n, ", ...");
}

static enum err report_bad_token(struct parser *p, const struct token *t) {
  char c = p->text.ptr[t->offset];
  if (c == '\'' || c == '"')
    parser_fail(p, t->offset, "Failed to parse string literal. The query must contain an even number of non-escaped quotes.");
  else if (c == '`')
    parser_fail(p, t->offset,
                "Failed to parse quoted identifier. The query must contain an even number of non-escaped backticks.");
  else
    parser_fail(p, t->offset, "Invalid input '%.*s'", (int) t->len, p->text.ptr + t->offset);
  return p->failed;
}

enum err parser_report(struct parser *p) {
  if (stopped(p)) return p->failed;
  const struct token *t = &p->tokens[p->furthest];
  if (t->kind == T_BAD) return report_bad_token(p, t);
  char expectations[500] = "";
  put_expectations(p, expectations, sizeof expectations);
  struct str input = {p->text.ptr + t->offset, MIN(t->len, 60)};
  while (input.len > 0 && input.len < t->len && ((uint8_t) input.ptr[input.len] & 0xC0) == 0x80) input.len--;
  bool behind_semicolon = p->furthest > 0 && p->tokens[p->furthest - 1].kind == T_SEMICOLON;
  if (behind_semicolon && is_expected(p, T_END)) {
    parser_fail(p, t->offset, "Expected exactly one statement per query but got: more than one");
  } else if (expectations[0] == '\0') {
    parser_fail(p, t->offset, "Invalid input '%.*s'", STR_ARG(input));
  } else {
    parser_fail(p, t->offset, "Invalid input '%.*s': expected %s", STR_ARG(input), expectations);
  }
  return p->failed;
}
