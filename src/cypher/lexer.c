// One pass from text to tokens. Each byte has a class; the class of the first byte chooses the scanner.
#include "cypher/token.h"

#include <string.h>

#include "base/compiler.h"

enum byte_class { C_BAD, C_SPACE, C_LETTER, C_DIGIT, C_QUOTE, C_TICK, C_MARK, C_SLASH, C_DOT, C_HIGH };

static const uint8_t classes[256] = {
    ['\t' ... '\r'] = C_SPACE,
    [0x1C ... ' '] = C_SPACE,
    ['A' ... 'Z'] = C_LETTER,
    ['a' ... 'z'] = C_LETTER,
    ['_'] = C_LETTER,
    ['0' ... '9'] = C_DIGIT,
    ['"'] = C_QUOTE,
    ['\''] = C_QUOTE,
    ['`'] = C_TICK,
    ['/'] = C_SLASH,
    ['.'] = C_DOT,
    ['('] = C_MARK,
    [')'] = C_MARK,
    ['['] = C_MARK,
    [']'] = C_MARK,
    ['{'] = C_MARK,
    ['}'] = C_MARK,
    [','] = C_MARK,
    [':'] = C_MARK,
    [';'] = C_MARK,
    ['$'] = C_MARK,
    ['|'] = C_MARK,
    ['&'] = C_MARK,
    ['!'] = C_MARK,
    ['%'] = C_MARK,
    ['+'] = C_MARK,
    ['-'] = C_MARK,
    ['*'] = C_MARK,
    ['^'] = C_MARK,
    ['='] = C_MARK,
    ['<'] = C_MARK,
    ['>'] = C_MARK,
    [0x80 ... 0xFF] = C_HIGH,
};

/// What follows the first byte of a two-byte mark, and what the pair and the byte alone are.
static const struct {
  char second[2];
  uint16_t pair[2], alone;
} marks[128] = {
    ['('] = {{0}, {0}, T_LPAREN},
    [')'] = {{0}, {0}, T_RPAREN},
    ['['] = {{0}, {0}, T_LBRACKET},
    [']'] = {{0}, {0}, T_RBRACKET},
    ['{'] = {{0}, {0}, T_LBRACE},
    ['}'] = {{0}, {0}, T_RBRACE},
    [','] = {{0}, {0}, T_COMMA},
    [';'] = {{0}, {0}, T_SEMICOLON},
    ['$'] = {{0}, {0}, T_DOLLAR},
    ['&'] = {{0}, {0}, T_AMPERSAND},
    ['%'] = {{0}, {0}, T_PERCENT},
    ['*'] = {{0}, {0}, T_TIMES},
    ['^'] = {{0}, {0}, T_CARET},
    ['-'] = {{0}, {0}, T_MINUS},
    [':'] = {{':'}, {T_COLONCOLON}, T_COLON},
    ['|'] = {{'|'}, {T_BARBAR}, T_BAR},
    ['!'] = {{'='}, {T_BANGEQ}, T_BANG},
    ['+'] = {{'='}, {T_PLUSEQ}, T_PLUS},
    ['='] = {{'~'}, {T_MATCHES}, T_EQ},
    ['<'] = {{'>', '='}, {T_NE, T_LE}, T_LT},
    ['>'] = {{'='}, {T_GE}, T_GT},
};

static const struct {
  const char *text;
  uint8_t len;
} words[TOKEN_KIND_MAX - T_FIRST_WORD] = {
#define TOKEN_WORD_TEXT(name, slot) {#name, sizeof(#name) - 1},
    TOKEN_WORDS(TOKEN_WORD_TEXT)
#undef TOKEN_WORD_TEXT
};

static const uint16_t word_table[WORD_SLOTS] = {
#define TOKEN_WORD_SLOT(name, slot) [slot] = K_##name,
    TOKEN_WORDS(TOKEN_WORD_SLOT)
#undef TOKEN_WORD_SLOT
};

/// A multiplier found by trial, under which no two of our words meet.
uint32_t word_slot(const char *text, size_t len) {
  uint64_t letters = 0;
  if (len >= 8)
    memcpy(&letters, text, 8);
  else
    for (size_t i = 0; i < len; i++) letters |= (uint64_t) (uint8_t) text[i] << 8 * i;
  letters &= 0xDFDFDFDFDFDFDFDFu;
  return (uint32_t) ((letters ^ (uint64_t) len << 56) * 0x1252BB97ABE39483u >> 52);
}

static bool same_letters(const char *word, const char *text, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (word[i] != (text[i] & ~0x20)) return false;
  return true;
}

static uint16_t word_kind(const char *text, size_t len) {
  uint16_t k = word_table[word_slot(text, len)];
  if (k == 0 || words[k - T_FIRST_WORD].len != len || !same_letters(words[k - T_FIRST_WORD].text, text, len)) return T_NAME;
  return k;
}

// Characters beyond ASCII.

struct code_range {
  uint32_t from, to;
};

static bool in_ranges(uint32_t cp, const struct code_range *ranges, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (cp >= ranges[i].from && cp <= ranges[i].to) return true;
  return false;
}

/// Unicode's White_Space, as Neo4j's lexer takes it.
static bool is_wide_space(uint32_t cp) {
  static const struct code_range spaces[] = {{0x85, 0x85},     {0xA0, 0xA0},     {0x1680, 0x1680},
                                             {0x180E, 0x180E}, {0x2000, 0x200A}, {0x2028, 0x2029},
                                             {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};
  return in_ranges(cp, spaces, ARRAY_SIZE(spaces));
}

/// Blocks of signs, punctuation, arrows and pictures; what is outside of them counts as a letter, a digit or a mark on one.
static bool is_name_part(uint32_t cp) {
  static const struct code_range others[] = {
      {0x80, 0xA1},     {0xA6, 0xA9},     {0xAB, 0xB4},       {0xB6, 0xB9},       {0xBB, 0xBF},     {0xD7, 0xD7},
      {0xF7, 0xF7},     {0x2000, 0x200B}, {0x200E, 0x203E},   {0x2041, 0x2053},   {0x2055, 0x2070}, {0x207A, 0x207E},
      {0x208A, 0x208F}, {0x2190, 0x2BFF}, {0x2E00, 0x2E7F},   {0x3000, 0x3004},   {0x3008, 0x3020}, {0x3030, 0x3030},
      {0xD800, 0xF8FF}, {0xFD3E, 0xFD3F}, {0xFE10, 0xFE1F},   {0xFE30, 0xFE32},   {0xFE35, 0xFE4C}, {0xFE50, 0xFE68},
      {0xFEFF, 0xFEFF}, {0xFF01, 0xFF03}, {0xFF05, 0xFF0F},   {0xFF1A, 0xFF20},   {0xFF3B, 0xFF3E}, {0xFF40, 0xFF40},
      {0xFF5B, 0xFF65}, {0xFFF0, 0xFFFF}, {0x1F000, 0x1FAFF}, {0xE0000, 0x10FFFF}};
  return !in_ranges(cp, others, ARRAY_SIZE(others));
}

/// Dashes and angle brackets that Neo4j takes for the arrows of a pattern.
static uint16_t wide_mark(uint32_t cp) {
  switch (cp) {
  case 0xAD:
  case 0x2010 ... 0x2015:
  case 0xFE58:
  case 0xFE63:
  case 0xFF0D: return T_LINE;
  case 0x27E8:
  case 0x3008:
  case 0xFE64:
  case 0xFF1C: return T_ARROW_LEFT;
  case 0x27E9:
  case 0x3009:
  case 0xFE65:
  case 0xFF1E: return T_ARROW_RIGHT;
  default: return T_BAD;
  }
}

// Scanners: `at` is the offset of the token's first byte; they return the offset behind it.

static size_t name_end(struct str text, size_t at) {
  while (at < text.len) {
    uint8_t c = classes[(uint8_t) text.ptr[at]];
    if (c == C_LETTER || c == C_DIGIT) {
      at++;
    } else if (c == C_HIGH) {
      size_t next = at;
      if (!is_name_part(str_next_code_point(text, &next))) break;
      at = next;
    } else {
      break;
    }
  }
  return at;
}

/// `fraction`: a point came before. Digits, letters and underscores; one point with digits behind it; a sign behind the `e` of an
/// exponent. Whatever is glued to a number belongs to it, so that the parser can say that the whole is not one.
static size_t number_end(struct str text, size_t at, uint16_t *kind) {
  bool hex = at + 1 < text.len && text.ptr[at] == '0' && (text.ptr[at + 1] | 0x20) == 'x';
  *kind = T_INTEGER;
  for (;;) {
    size_t from = at;
    at = name_end(text, at);
    bool exponent = !hex && at > from && (text.ptr[at - 1] | 0x20) == 'e' && at > from + (*kind == T_INTEGER);
    if (exponent && at + 1 < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+') &&
        classes[(uint8_t) text.ptr[at + 1]] == C_DIGIT) {
      at++;
      *kind = T_FLOAT;
      continue;
    }
    bool point =
        !hex && *kind == T_INTEGER && at + 1 < text.len && text.ptr[at] == '.' && classes[(uint8_t) text.ptr[at + 1]] == C_DIGIT;
    if (!point) break;
    *kind = T_FLOAT;
    at++;
  }
  return at;
}

/// Offset behind the closing quote, or 0. A backslash hides what follows, but not in backticks, where a double one stands for
/// one.
static size_t quoted_end(struct str text, size_t at, char quote) {
  for (at++; at < text.len; at++) {
    if (text.ptr[at] == '\\' && quote != '`') {
      at++;
    } else if (text.ptr[at] == quote) {
      if (quote != '`' || at + 1 >= text.len || text.ptr[at + 1] != '`') return at + 1;
      at++;
    }
  }
  return 0;
}

/// Offset behind a comment that begins at `at`; `at` itself if none does; SIZE_MAX for one without an end.
static size_t comment_end(struct str text, size_t at) {
  if (at + 1 >= text.len) return at;
  struct str rest = {text.ptr + at + 2, text.len - at - 2};
  if (text.ptr[at + 1] == '/') {
    size_t n = 0;
    while (n < rest.len && rest.ptr[n] != '\n' && rest.ptr[n] != '\r') n++;
    return at + 2 + n;
  }
  if (text.ptr[at + 1] != '*') return at;
  int64_t close = str_find(rest, STR("*/"));
  return close < 0 ? SIZE_MAX : at + 2 + (size_t) close + 2;
}

/// Offset behind blanks and comments; SIZE_MAX for a comment without an end, with its offset in `*start`.
static size_t blanks_end(struct str text, size_t at, size_t *start) {
  for (;;) {
    while (at < text.len && classes[(uint8_t) text.ptr[at]] == C_SPACE) at++;
    if (at >= text.len) return at;
    size_t next = at;
    uint8_t c = classes[(uint8_t) text.ptr[at]];
    if (c == C_SLASH) {
      *start = at;
      next = comment_end(text, at);
      if (next == SIZE_MAX) return SIZE_MAX;
    } else if (c == C_HIGH) {
      size_t behind = at;
      if (is_wide_space(str_next_code_point(text, &behind))) next = behind;
    }
    if (next == at) return at;
    at = next;
  }
}

static size_t mark_end(struct str text, size_t at, uint16_t *kind) {
  uint8_t c = (uint8_t) text.ptr[at];
  *kind = marks[c].alone;
  for (int i = 0; i < 2 && marks[c].second[i] != 0 && at + 1 < text.len; i++) {
    if (text.ptr[at + 1] != marks[c].second[i]) continue;
    *kind = marks[c].pair[i];
    return at + 2;
  }
  return at + 1;
}

static size_t dot_end(struct str text, size_t at, uint16_t *kind) {
  if (at + 1 < text.len && classes[(uint8_t) text.ptr[at + 1]] == C_DIGIT) {
    size_t end = number_end(text, at + 1, kind);
    *kind = T_FLOAT;
    return end;
  }
  bool two = at + 1 < text.len && text.ptr[at + 1] == '.';
  *kind = two ? T_DOTDOT : T_DOT;
  return at + 1 + two;
}

static size_t wide_end(struct str text, size_t at, uint16_t *kind) {
  size_t next = at;
  uint32_t cp = str_next_code_point(text, &next);
  *kind = wide_mark(cp);
  if (*kind != T_BAD || !is_name_part(cp)) return next;
  *kind = T_NAME;
  return name_end(text, next);
}

static size_t token_end(struct str text, size_t at, uint16_t *kind) {
  size_t end;
  switch ((enum byte_class) classes[(uint8_t) text.ptr[at]]) {
  case C_LETTER:
    end = name_end(text, at + 1);
    *kind = word_kind(text.ptr + at, end - at);
    return end;
  case C_DIGIT: return number_end(text, at, kind);
  case C_QUOTE:
  case C_TICK:
    end = quoted_end(text, at, text.ptr[at]);
    *kind = end == 0 ? T_BAD : text.ptr[at] == '`' ? T_QUOTED : T_STRING;
    return end == 0 ? text.len : end;
  case C_MARK: return mark_end(text, at, kind);
  case C_DOT: return dot_end(text, at, kind);
  case C_SLASH: *kind = T_SLASH; return at + 1;
  case C_HIGH: return wide_end(text, at, kind);
  default: *kind = T_BAD; return at + 1;
  }
}

enum err token_split(struct arena *a, struct str text, struct token_array *ret, uint32_t *at_offset) {
  size_t capacity = text.len / 4 + 16, count = 0;
  struct token *items = ARENA_ARRAY(a, struct token, capacity);
  if (items == NULL) return arena_err(a, NULL);
  size_t at = 0, comment = 0;
  uint16_t kind = T_END;
  for (;;) {
    at = blanks_end(text, at, &comment);
    if (at == SIZE_MAX) return *at_offset = (uint32_t) comment, ERR_SYNTAX;
    if (count + 1 >= capacity) {
      items = arena_grow(a, items, capacity * sizeof *items, capacity * 2 * sizeof *items);
      if (items == NULL) return arena_err(a, NULL);
      capacity *= 2;
    }
    if (at >= text.len) break;
    size_t end = token_end(text, at, &kind);
    items[count++] = (struct token){kind, (uint32_t) at, (uint32_t) (end - at)};
    at = end;
  }
  items[count++] = (struct token){T_END, (uint32_t) text.len, 0};
  *ret = (struct token_array){items, (uint32_t) count};
  return ERR_OK;
}

// Unicode escapes.

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// The code unit of the escape whose backslash stands at `at`, or -1.
static int32_t escape_unit(struct str text, size_t at) {
  if (text.len - at < 6) return -1;
  size_t digits = at + 2;
  if (text.ptr[at + 1] != 'u') return -1;
  int32_t unit = 0;
  for (size_t i = 0; i < 4; i++) {
    int digit = hex_digit(text.ptr[digits + i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

/// The code point of the one escape or the two of a surrogate pair at `*at`, which is moved behind; -1 if there is none.
static int32_t escape_code_point(struct str text, size_t *at) {
  int32_t high = escape_unit(text, *at);
  if (high < 0 || (high >= 0xDC00 && high < 0xE000)) return -1;
  *at += 6;
  if (high < 0xD800 || high >= 0xE000) return high;
  int32_t low = *at < text.len && text.ptr[*at] == '\\' ? escape_unit(text, *at) : -1;
  if (low < 0xDC00 || low >= 0xE000) return -1;
  *at += 6;
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

enum err token_unescape_unicode(struct arena *a, struct str text, struct str *ret, struct unicode_escapes *escapes,
                                uint32_t *at_offset) {
  *escapes = (struct unicode_escapes){0};
  *ret = text;
  if (text.len == 0 || memchr(text.ptr, '\\', text.len) == NULL || memmem(text.ptr, text.len, "\\u", 2) == NULL) return ERR_OK;
  char *out = arena_alloc(a, text.len);
  uint32_t *where = ARENA_ARRAY(a, uint32_t, text.len / 6 + 1);
  if (out == NULL || where == NULL) return arena_err(a, NULL);
  size_t n = 0, at = 0;
  uint32_t count = 0;
  while (at < text.len) {
    if (text.ptr[at] != '\\' || at + 1 >= text.len) {
      out[n++] = text.ptr[at++];
    } else if (text.ptr[at + 1] != 'u') {
      out[n++] = text.ptr[at++];
      out[n++] = text.ptr[at++];
    } else {
      size_t start = at;
      int32_t cp = escape_code_point(text, &at);
      if (cp < 0) return *at_offset = (uint32_t) start, ERR_SYNTAX;
      for (size_t i = start; i < at; i += 6) where[count++] = (uint32_t) n;
      n += str_put_code_point(out + n, (uint32_t) cp);
    }
  }
  *ret = (struct str){out, n};
  *escapes = (struct unicode_escapes){where, count};
  return ERR_OK;
}

const char *token_text(uint16_t kind, bool *ret_quotes) {
  static const char *const texts[T_FIRST_WORD] = {
#define TOKEN_MARK_TEXT(name, text) text,
      TOKEN_MARKS(TOKEN_MARK_TEXT)
#undef TOKEN_MARK_TEXT
  };
  *ret_quotes = kind > T_STRING;
  return kind >= T_FIRST_WORD ? words[kind - T_FIRST_WORD].text : texts[kind];
}
