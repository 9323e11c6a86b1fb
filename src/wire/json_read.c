#include "wire/json.h"

#include <math.h>

#include "value/text.h"

struct reader {
  const char *start, *at, *end;
  int depth;
  struct arena *arena;
  struct error *e;
};

static enum err malformed(struct reader *r, const char *what) {
  return error_set(r->e, ERR_REQUEST_FORMAT, "Not JSON: %s at offset %zu.", what, (size_t) (r->at - r->start));
}

static void skip_blanks(struct reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) r->at++;
}

static bool take(struct reader *r, char c) {
  if (r->at == r->end || *r->at != c) return false;
  r->at++;
  return true;
}

static bool take_word(struct reader *r, struct str word) {
  if (!str_starts((struct str){r->at, (size_t) (r->end - r->at)}, word)) return false;
  r->at += word.len;
  return true;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Four hex digits, or -1.
static int32_t take_hex4(struct reader *r) {
  int32_t n = 0;
  for (int i = 0; i < 4; i++, r->at++) {
    int digit = r->at < r->end ? hex_digit(*r->at) : -1;
    if (digit < 0) return -1;
    n = n << 4 | digit;
  }
  return n;
}

/// Behind "\u": a code point, from two halves if it begins with a high surrogate. False for halves that stand alone.
static bool take_escaped_code_point(struct reader *r, uint32_t *ret) {
  int32_t high = take_hex4(r);
  if (high < 0 || (high >= 0xDC00 && high < 0xE000)) return false;
  if (high >= 0xD800 && high < 0xDC00) {
    if (!take(r, '\\') || !take(r, 'u')) return false;
    int32_t low = take_hex4(r);
    if (low < 0xDC00 || low > 0xDFFF) return false;
    high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  }
  *ret = (uint32_t) high;
  return true;
}

/// Behind the backslash; at most 4 bytes to `out`, never more than the escape had. 0 for no escape.
static size_t take_escape(struct reader *r, char *out) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  if (r->at == r->end) return 0;
  const char *known = memchr(from, *r->at, sizeof from - 1);
  if (known != NULL) {
    r->at++;
    return *out = to[known - from], 1;
  }
  uint32_t cp;
  if (!take(r, 'u') || !take_escaped_code_point(r, &cp)) return 0;
  return str_put_code_point(out, cp);
}

/// Moves behind the closing quote; counts escapes. `ret` is what is between the quotes.
static enum err scan_string(struct reader *r, struct str *ret, bool *ret_escapes) {
  const char *from = r->at;
  *ret_escapes = false;
  for (; r->at < r->end && *r->at != '"'; r->at++) {
    if ((unsigned char) *r->at < 0x20) return malformed(r, "a control character in a string");
    if (*r->at != '\\') continue;
    *ret_escapes = true;
    if (++r->at == r->end) break;
  }
  if (r->at >= r->end) return malformed(r, "a string without an end");
  *ret = (struct str){from, (size_t) (r->at - from)};
  r->at++;
  return ERR_OK;
}

static enum err unescape(struct reader *r, struct str raw, struct str *ret) {
  char *out = arena_alloc(r->arena, raw.len);
  if (out == NULL) return arena_err(r->arena, r->e);
  struct reader inner = *r;
  inner.at = raw.ptr;
  inner.end = raw.ptr + raw.len;
  size_t len = 0;
  while (inner.at < inner.end) {
    if (!take(&inner, '\\')) {
      out[len++] = *inner.at++;
      continue;
    }
    size_t bytes = take_escape(&inner, out + len);
    if (bytes == 0) return malformed(&inner, "an unknown escape");
    len += bytes;
  }
  *ret = (struct str){out, len};
  return ERR_OK;
}

static enum err read_string(struct reader *r, struct str *ret) {
  struct str raw = STR_NONE;
  bool escapes;
  if (!take(r, '"')) return malformed(r, "expected a string");
  TRY(scan_string(r, &raw, &escapes));
  if (!str_is_utf8(raw)) return malformed(r, "a string that is not UTF-8");
  if (escapes) return unescape(r, raw, ret);
  *ret = raw;
  return ERR_OK;
}

static size_t take_digits(struct reader *r) {
  const char *from = r->at;
  while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
  return (size_t) (r->at - from);
}

/// RFC 8259 section 6: no leading zeros, digits on both sides of the point.
static enum err read_number(struct reader *r, struct value *ret) {
  const char *from = r->at;
  take(r, '-');
  bool zero = r->at < r->end && *r->at == '0', integer = true;
  size_t digits = take_digits(r);
  if (digits == 0 || (zero && digits > 1)) return malformed(r, "an unexpected character");
  if (take(r, '.')) {
    integer = false;
    if (take_digits(r) == 0) return malformed(r, "a point without digits");
  }
  if (take(r, 'e') || take(r, 'E')) {
    integer = false;
    if (!take(r, '+')) take(r, '-');
    if (take_digits(r) == 0) return malformed(r, "an exponent without digits");
  }
  struct str s = {from, (size_t) (r->at - from)};
  int64_t i;
  double f;
  if (integer && str_to_i64(s, &i))
    *ret = v_int(i);
  else if (text_parse_float(s, false, &f) && isfinite(f))
    *ret = v_float(f);
  else
    return malformed(r, "a number that no double holds");
  return ERR_OK;
}

static enum err read_value(struct reader *r, struct value *ret);

enum { FIRST_CAPACITY = 8 };

/// Room for one more element of a growing array in the arena.
static enum err grow(struct reader *r, void **array, uint32_t len, uint32_t *capacity, size_t size) {
  if (len < *capacity) return ERR_OK;
  uint32_t wanted = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
  if (wanted < *capacity) return malformed(r, "too many items");
  void *grown = arena_grow(r->arena, *array, *capacity * size, wanted * size);
  if (grown == NULL) return arena_err(r->arena, r->e);
  *array = grown;
  *capacity = wanted;
  return ERR_OK;
}

/// Behind an item: true if another follows, false at the closing bracket.
static enum err next_item(struct reader *r, char close, bool *ret_more) {
  skip_blanks(r);
  *ret_more = take(r, ',');
  if (!*ret_more && !take(r, close)) return malformed(r, "expected a comma or the end of a list or object");
  return ERR_OK;
}

static enum err read_list(struct reader *r, struct value *ret) {
  void *items = NULL;
  uint32_t len = 0, capacity = 0;
  skip_blanks(r);
  bool more = !take(r, ']');
  while (more) {
    struct value item;
    TRY(read_value(r, &item));
    TRY(grow(r, &items, len, &capacity, sizeof item));
    ((struct value *) items)[len++] = item;
    TRY(next_item(r, ']', &more));
  }
  *ret = v_list(items, len);
  return ERR_OK;
}

static enum err read_entry(struct reader *r, struct value_entry *ret) {
  skip_blanks(r);
  TRY(read_string(r, &ret->key));
  skip_blanks(r);
  if (!take(r, ':')) return malformed(r, "expected a colon");
  return read_value(r, &ret->value);
}

static enum err read_map(struct reader *r, struct value *ret) {
  void *entries = NULL;
  uint32_t len = 0, capacity = 0;
  skip_blanks(r);
  bool more = !take(r, '}');
  while (more) {
    struct value_entry entry;
    TRY(read_entry(r, &entry));
    TRY(grow(r, &entries, len, &capacity, sizeof entry));
    ((struct value_entry *) entries)[len++] = entry;
    TRY(next_item(r, '}', &more));
  }
  *ret = v_map(entries, value_map_sort(entries, len));
  return ERR_OK;
}

static enum err read_nested(struct reader *r, bool is_map, struct value *ret) {
  if (r->depth >= JSON_DEPTH_MAX) return malformed(r, "nesting that is too deep");
  r->depth++;
  TRY(is_map ? read_map(r, ret) : read_list(r, ret));
  r->depth--;
  return ERR_OK;
}

static enum err read_value(struct reader *r, struct value *ret) {
  skip_blanks(r);
  if (r->at == r->end) return malformed(r, "an unexpected end");
  if (*r->at == '"') {
    struct str s = STR_NONE;
    TRY(read_string(r, &s));
    *ret = v_str(s);
    return ERR_OK;
  }
  if (take(r, '[')) return read_nested(r, false, ret);
  if (take(r, '{')) return read_nested(r, true, ret);
  if (take_word(r, STR("null"))) return *ret = V_NULL, ERR_OK;
  if (take_word(r, STR("true"))) return *ret = v_bool(true), ERR_OK;
  if (take_word(r, STR("false"))) return *ret = v_bool(false), ERR_OK;
  return read_number(r, ret);
}

enum err json_read(struct arena *a, struct str text, struct value *ret, struct error *e) {
  struct reader r = {.start = text.ptr, .at = text.ptr, .end = text.ptr + text.len, .arena = a, .e = e};
  if (text.len > UINT32_MAX) return error_set(e, ERR_REQUEST_FORMAT, "A JSON text of %zu bytes is too long.", text.len);
  struct value v = V_NULL;
  TRY(read_value(&r, &v));
  skip_blanks(&r);
  if (r.at != r.end) return malformed(&r, "something behind the value");
  *ret = v;
  return ERR_OK;
}
