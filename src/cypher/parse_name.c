// Names, parameters and literals of one token.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "cypher/parser_int.h"

struct str parser_token_text(const struct parser *p, uint32_t at) {
  const struct token *t = &p->tokens[at];
  return (struct str){p->text.ptr + t->offset, t->len};
}

/// A quoted name without its backticks, doubled ones made single.
static bool unquote_name(struct parser *p, struct str quoted, struct str *ret) {
  struct str inner = {quoted.ptr + 1, quoted.len - 2};
  if (memchr(inner.ptr, '`', inner.len) == NULL) return *ret = inner, true;
  char *out = arena_alloc(p->arena, inner.len);
  if (out == NULL) return parser_no_memory(p) != NULL;
  size_t n = 0;
  for (size_t i = 0; i < inner.len; i++) {
    out[n++] = inner.ptr[i];
    if (inner.ptr[i] == '`') i++;
  }
  *ret = (struct str){out, n};
  return true;
}

bool parse_name(struct parser *p, struct str *ret) {
  if (!token_is_name(peek(p))) return expect(p, T_NAME);
  struct str text = parser_token_text(p, p->at);
  bool quoted = peek(p) == T_QUOTED;
  p->at++;
  if (!quoted) return *ret = text, true;
  return unquote_name(p, text, ret);
}

/// `name.part`: longer by that much where they are neighbours in the text, else put together in the arena, in place where that
/// goes.
static bool join_names(struct parser *p, struct str *name, struct str part, bool *in_arena) {
  if (!*in_arena && part.ptr == name->ptr + name->len + 1) {
    name->len += 1 + part.len;
    return true;
  }
  size_t len = name->len + 1 + part.len;
  char *joined = *in_arena ? arena_grow(p->arena, (char *) (uintptr_t) name->ptr, name->len, len) : arena_alloc(p->arena, len);
  if (joined == NULL) return parser_no_memory(p) != NULL;
  if (!*in_arena) memcpy(joined, name->ptr, name->len);
  joined[name->len] = '.';
  memcpy(joined + name->len + 1, part.ptr, part.len);
  *name = (struct str){joined, len};
  return *in_arena = true;
}

bool parse_dotted_name(struct parser *p, struct str *ret) {
  struct str name;
  bool in_arena = false;
  if (!parse_name(p, &name)) return false;
  while (peek(p) == T_DOT && token_is_name(peek_at(p, 1))) {
    p->at++;
    struct str part;
    if (!parse_name(p, &part) || !join_names(p, &name, part, &in_arena)) return false;
  }
  *ret = name;
  return true;
}

bool cypher_is_plain_name(struct str name) {
  if (name.len == 0 || (name.ptr[0] >= '0' && name.ptr[0] <= '9')) return false;
  for (size_t i = 0; i < name.len; i++) {
    char c = name.ptr[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!plain) return false;
  }
  return true;
}

struct ast *parse_variable(struct parser *p) {
  uint32_t offset = here(p);
  struct str name;
  if (!parse_name(p, &name)) return NULL;
  struct ast *n = parser_new(p, AST_VARIABLE, offset);
  if (n != NULL) n->variable.name = name;
  return n;
}

struct ast *parse_parameter(struct parser *p) {
  uint32_t offset = here(p);
  if (!take(p, T_DOLLAR)) return expect(p, E_PARAMETER), NULL;
  struct str name;
  if (peek(p) == T_INTEGER)
    name = parser_token_text(p, p->at++);
  else if (!parse_name(p, &name))
    return NULL;
  struct ast *n = parser_new(p, AST_PARAMETER, offset);
  if (n != NULL) n->parameter.name = name;
  return n;
}

// Strings.

static size_t unescape(char *out, const char *from, size_t len) {
  size_t n = 0;
  for (size_t i = 0; i < len; i++) {
    if (from[i] != '\\' || i + 1 >= len) {
      out[n++] = from[i];
      continue;
    }
    switch (from[++i]) {
    case 'b': out[n++] = '\b'; break;
    case 'f': out[n++] = '\f'; break;
    case 'n': out[n++] = '\n'; break;
    case 'r': out[n++] = '\r'; break;
    case 't': out[n++] = '\t'; break;
    case '\\':
    case '\'':
    case '"':
    case '`': out[n++] = from[i]; break;
    default: out[n++] = '\\', out[n++] = from[i];
    }
  }
  return n;
}

struct ast *parse_string(struct parser *p) {
  if (!next_is(p, T_STRING)) return NULL;
  struct str text = parser_token_text(p, p->at++);
  struct ast *n = parser_new(p, AST_LITERAL, p->tokens[p->at - 1].offset);
  if (n == NULL) return NULL;
  n->literal.type = AST_STRING;
  n->literal.string = (struct str){text.ptr + 1, text.len - 2};
  if (memchr(text.ptr, '\\', text.len) == NULL) return n;
  char *out = arena_alloc(p->arena, text.len);
  if (out == NULL) return parser_no_memory(p);
  n->literal.string = (struct str){out, unescape(out, text.ptr + 1, text.len - 2)};
  return n;
}

// Numbers.

static int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/// Digits of `base` from `at` on, single underscores between them.
static bool only_digits(struct str text, size_t at, int base) {
  bool digit_before = false;
  for (size_t i = at; i < text.len; i++) {
    bool digit = digit_of(text.ptr[i]) < base;
    if (!digit && !(text.ptr[i] == '_' && digit_before && i + 1 < text.len)) return false;
    digit_before = digit;
  }
  return digit_before;
}

static struct ast *parse_integer(struct parser *p, struct ast *n, struct str text, size_t at, int base, bool negative) {
  if (!only_digits(text, at, base))
    return parser_fail(p, n->offset, "invalid literal number '%.*s'", (int) MIN(text.len, 60), text.ptr);
  int64_t value = 0;
  for (; at < text.len; at++) {
    if (text.ptr[at] == '_') continue;
    int digit = digit_of(text.ptr[at]);
    if (__builtin_mul_overflow(value, base, &value) || __builtin_sub_overflow(value, digit, &value))
      return parser_fail(p, n->offset, "integer is too large");
  }
  if (!negative && value == INT64_MIN) return parser_fail(p, n->offset, "integer is too large");
  n->literal.type = AST_INTEGER;
  n->literal.integer = negative ? value : -value; // gathered below zero, where there is one more
  return n;
}

/// digits [. digits] [e [sign] digits]; no digits needed before the point.
static bool is_float(struct str text) {
  size_t e = 0;
  while (e < text.len && (text.ptr[e] | 0x20) != 'e') e++;
  struct str mantissa = {text.ptr, e}, whole = mantissa;
  struct str fraction = {0};
  const char *point = memchr(mantissa.ptr, '.', mantissa.len);
  if (point != NULL) {
    whole.len = (size_t) (point - mantissa.ptr);
    fraction = (struct str){point + 1, mantissa.len - whole.len - 1};
    if (!only_digits(fraction, 0, 10)) return false;
  }
  if (!(whole.len == 0 && point != NULL) && !only_digits(whole, 0, 10)) return false;
  if (e == text.len) return point != NULL;
  struct str exponent = {text.ptr + e + 1, text.len - e - 1};
  return only_digits(exponent, exponent.len > 0 && (exponent.ptr[0] == '-' || exponent.ptr[0] == '+'), 10);
}

static struct ast *parse_float(struct parser *p, struct ast *n, struct str text, bool negative) {
  if (!is_float(text)) return parser_fail(p, n->offset, "invalid literal number '%.*s'", (int) MIN(text.len, 60), text.ptr);
  struct arena_mark mark = arena_mark(p->arena);
  char *plain = arena_alloc(p->arena, text.len + 1);
  if (plain == NULL) return parser_no_memory(p);
  size_t len = 0;
  for (size_t i = 0; i < text.len; i++)
    if (text.ptr[i] != '_') plain[len++] = text.ptr[i];
  plain[len] = '\0';
  double value = strtod(plain, NULL);
  arena_rewind(p->arena, mark);
  if (isinf(value)) return parser_fail(p, n->offset, "floating point number is too large");
  n->literal.type = AST_FLOAT;
  n->literal.number = negative ? -value : value;
  return n;
}

static bool has_exponent(struct str text) {
  for (size_t i = 0; i < text.len; i++)
    if ((text.ptr[i] | 0x20) == 'e') return true;
  return false;
}

struct ast *parse_number(struct parser *p, bool negative) {
  uint16_t kind = peek(p);
  if (kind != T_INTEGER && kind != T_FLOAT) return expect(p, T_INTEGER), NULL;
  struct str text = parser_token_text(p, p->at++);
  struct ast *n = parser_new(p, AST_LITERAL, p->tokens[p->at - 1].offset);
  if (n == NULL) return NULL;
  char second = text.len > 1 && text.ptr[0] == '0' ? text.ptr[1] : '\0';
  if (kind == T_INTEGER && (second | 0x20) == 'x') return parse_integer(p, n, text, 2, 16, negative);
  if (kind == T_INTEGER && (second | 0x20) == 'o') return parse_integer(p, n, text, 2, 8, negative);
  if (kind == T_FLOAT || has_exponent(text)) return parse_float(p, n, text, negative);
  bool old_octal = p->language < 50 && second != '\0' && only_digits(text, 1, 8);
  return parse_integer(p, n, text, old_octal ? 1 : 0, old_octal ? 8 : 10, negative);
}

struct ast *parse_string_or_parameter(struct parser *p) {
  return next_is(p, T_STRING) ? parse_string(p) : parse_parameter(p);
}

struct ast *parse_integer_or_parameter(struct parser *p) {
  return next_is(p, T_INTEGER) ? parse_number(p, false) : parse_parameter(p);
}

struct ast *parse_name_node(struct parser *p, bool dotted) {
  struct ast *n = parser_new(p, AST_NAME, here(p));
  if (n == NULL) return NULL;
  if (peek(p) == T_DOLLAR) {
    if ((n->name.parameter = parse_parameter(p)) == NULL) return NULL;
  } else if (dotted ? !parse_dotted_name(p, &n->name.text) : !parse_name(p, &n->name.text)) {
    return NULL;
  }
  return parser_done(p, n);
}

bool parse_name_nodes(struct parser *p, struct ast_list *ret, bool dotted) {
  do {
    struct ast *name = parse_name_node(p, dotted);
    if (name == NULL) return false;
    ast_append(ret, name);
  } while (take(p, T_COMMA));
  return true;
}
