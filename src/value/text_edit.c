// Pieces of text: parts, reversal, trimming, replacing, splitting, normal forms.
#include <utf8proc.h>

#include "value/text_int.h"

uint32_t text_length(struct str s) {
  uint32_t continuations = 0;
  for (size_t i = 0; i < s.len; i++) continuations += ((unsigned char) s.ptr[i] & 0xC0) == 0x80;
  return (uint32_t) s.len - continuations;
}

static bool starts_code_point(char c) {
  return ((unsigned char) c & 0xC0) != 0x80;
}

/// The offset of code point `n`, or the end.
static size_t offset_of(struct str s, int64_t n) {
  size_t at = 0;
  while (at < s.len && (n > 0 || !starts_code_point(s.ptr[at]))) {
    at++;
    while (at < s.len && !starts_code_point(s.ptr[at])) at++;
    n--;
  }
  return at;
}

static enum err check_not_negative(int64_t n, const char *what, struct error *e) {
  return n >= 0 ? ERR_OK : error_set(e, ERR_ARGUMENT, "The %s must not be negative, but is %lld.", what, (long long) n);
}

enum err text_substring(struct str s, int64_t start, int64_t length, struct str *ret, struct error *e) {
  TRY(check_not_negative(start, "start of a substring", e));
  TRY(check_not_negative(length, "length of a substring", e));
  size_t from = offset_of(s, start);
  struct str rest = {s.ptr + from, s.len - from};
  *ret = (struct str){rest.ptr, offset_of(rest, length)};
  return ERR_OK;
}

enum err text_left(struct str s, int64_t length, struct str *ret, struct error *e) {
  return text_substring(s, 0, length, ret, e);
}

enum err text_right(struct str s, int64_t length, struct str *ret, struct error *e) {
  TRY(check_not_negative(length, "length of a substring", e));
  int64_t all = text_length(s);
  return text_substring(s, length < all ? all - length : 0, length, ret, e);
}

enum err text_reverse(struct arena *a, struct str s, struct str *ret, struct error *e) {
  char *out = arena_alloc(a, s.len);
  if (out == NULL) return arena_err(a, e);
  for (size_t at = 0; at < s.len;) {
    size_t from = at;
    str_next_code_point(s, &at);
    memcpy(out + s.len - at, s.ptr + from, at - from);
  }
  *ret = (struct str){out, s.len};
  return ERR_OK;
}

/// java.lang.Character.isWhitespace: separators that may break a line, and the control characters that are blanks.
static bool is_white_space(uint32_t cp) {
  if (cp < 0x80) return cp == ' ' || (cp >= '\t' && cp <= '\r') || (cp >= 0x1C && cp <= 0x1F);
  utf8proc_category_t c = utf8proc_category((utf8proc_int32_t) cp);
  bool separator = c == UTF8PROC_CATEGORY_ZS || c == UTF8PROC_CATEGORY_ZL || c == UTF8PROC_CATEGORY_ZP;
  return separator && cp != 0xA0 && cp != 0x2007 && cp != 0x202F;
}

static bool is_one_of(uint32_t cp, struct str chars) {
  for (size_t at = 0; at < chars.len;)
    if (str_next_code_point(chars, &at) == cp) return true;
  return false;
}

/// `chars` with a NULL pointer stands for white space.
static bool goes(uint32_t cp, struct str chars) {
  return chars.ptr != NULL ? is_one_of(cp, chars) : is_white_space(cp);
}

static struct str trim_left(struct str s, struct str chars) {
  size_t at = 0;
  while (at < s.len) {
    size_t next = at;
    if (!goes(str_next_code_point(s, &next), chars)) break;
    at = next;
  }
  return (struct str){s.ptr + at, s.len - at};
}

static struct str trim_right(struct str s, struct str chars) {
  while (s.len > 0) {
    size_t last = s.len - 1;
    while (last > 0 && !starts_code_point(s.ptr[last])) last--;
    size_t at = last;
    if (!goes(str_next_code_point(s, &at), chars)) break;
    s.len = last;
  }
  return s;
}

static struct str trim_sides(struct str s, struct str chars, enum text_side side) {
  if (side & TEXT_LEFT) s = trim_left(s, chars);
  return side & TEXT_RIGHT ? trim_right(s, chars) : s;
}

struct str text_trim(struct str s, enum text_side side) {
  return trim_sides(s, STR_NONE, side);
}

struct str text_trim_chars(struct str s, struct str chars, enum text_side side) {
  return trim_sides(s, (struct str){chars.ptr != NULL ? chars.ptr : "", chars.len}, side);
}

/// How often `search` is in `s`, without overlaps.
static size_t occurrences(struct str s, struct str search) {
  size_t n = 0;
  for (int64_t at; (at = str_find(s, search)) >= 0; n++)
    s = (struct str){s.ptr + at + search.len, s.len - (size_t) at - search.len};
  return n;
}

static char *append(char *at, struct str s) {
  if (s.len > 0) memcpy(at, s.ptr, s.len);
  return at + s.len;
}

/// "abc" with "-" between all characters: "-a-b-c-".
static enum err interleave(struct arena *a, struct str s, struct str between, struct str *ret, struct error *e) {
  size_t bytes;
  if (__builtin_mul_overflow((size_t) text_length(s) + 1, between.len, &bytes) || __builtin_add_overflow(bytes, s.len, &bytes) ||
      bytes > UINT32_MAX)
    return error_set(e, ERR_LIMIT, "The text would be longer than 4 GiB.");
  char *out = arena_alloc(a, bytes);
  if (out == NULL) return arena_err(a, e);
  char *to = append(out, between);
  for (size_t at = 0; at < s.len;) {
    size_t from = at;
    str_next_code_point(s, &at);
    to = append(append(to, (struct str){s.ptr + from, at - from}), between);
  }
  *ret = (struct str){out, (size_t) (to - out)};
  return ERR_OK;
}

enum err text_replace(struct arena *a, struct str s, struct str search, struct str replacement, struct str *ret,
                      struct error *e) {
  if (search.len == 0) return interleave(a, s, replacement, ret, e);
  size_t found = occurrences(s, search), bytes;
  if (found == 0) {
    *ret = s;
    return ERR_OK;
  }
  if (__builtin_mul_overflow(found, replacement.len, &bytes) ||
      __builtin_add_overflow(bytes, s.len - found * search.len, &bytes) || bytes > UINT32_MAX)
    return error_set(e, ERR_LIMIT, "The text would be longer than 4 GiB.");
  char *out = arena_alloc(a, bytes);
  if (out == NULL) return arena_err(a, e);
  char *to = out;
  for (int64_t at; (at = str_find(s, search)) >= 0;) {
    to = append(append(to, (struct str){s.ptr, (size_t) at}), replacement);
    s = (struct str){s.ptr + at + search.len, s.len - (size_t) at - search.len};
  }
  to = append(to, s);
  *ret = (struct str){out, bytes};
  return ERR_OK;
}

/// Length of the delimiter that is at the front of `s`, or -1. An empty one fits everywhere but at the front.
static int64_t delimiter_at(struct str s, size_t at, size_t piece_start, const struct value *delimiters, uint32_t len) {
  struct str rest = {s.ptr + at, s.len - at};
  for (uint32_t i = 0; i < len; i++) {
    struct str d = v_text(delimiters[i]);
    if (d.len > 0 ? str_starts(rest, d) : at > piece_start) return (int64_t) d.len;
  }
  return -1;
}

/// Cuts `s`; writes the pieces to `out` if it is not NULL. Returns how many.
static uint32_t cut(struct str s, const struct value *delimiters, uint32_t len, struct value *out) {
  uint32_t pieces = 0;
  size_t start = 0, at = 0;
  while (at < s.len) {
    int64_t width = delimiter_at(s, at, start, delimiters, len);
    if (width < 0) {
      str_next_code_point(s, &at);
      continue;
    }
    if (out != NULL) out[pieces] = v_str((struct str){s.ptr + start, at - start});
    pieces++;
    at += (size_t) width;
    start = at;
  }
  if (out != NULL) out[pieces] = v_str((struct str){s.ptr + start, s.len - start});
  return pieces + 1;
}

enum err text_split(struct arena *a, struct str s, struct value delimiters, struct value *ret, struct error *e) {
  const struct value *list = delimiters.type == VALUE_LIST ? delimiters.items : &delimiters;
  uint32_t len = delimiters.type == VALUE_LIST ? delimiters.len : 1;
  for (uint32_t i = 0; i < len; i++)
    if (list[i].type != VALUE_STRING)
      return error_set(e, ERR_TYPE, "split() needs delimiters that are strings, but got a %s.",
                       value_type_name((enum value_type) list[i].type));
  uint32_t pieces = cut(s, list, len, NULL);
  struct value *items = ARENA_ARRAY(a, struct value, pieces);
  if (items == NULL) return arena_err(a, e);
  cut(s, list, len, items);
  *ret = v_list(items, pieces);
  return ERR_OK;
}

static const struct {
  struct str name;
  utf8proc_option_t options;
} forms[] = {{{"NFC", 3}, UTF8PROC_STABLE | UTF8PROC_COMPOSE},
             {{"NFD", 3}, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE},
             {{"NFKC", 4}, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT},
             {{"NFKD", 4}, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT}};

/// Decomposed code points into the arena, then composed in place and written as UTF-8: what utf8proc_map does with malloc.
static enum err map_form(struct arena *a, struct str s, utf8proc_option_t options, struct str *ret, struct error *e) {
  const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *) s.ptr;
  utf8proc_ssize_t len = utf8proc_decompose(bytes, (utf8proc_ssize_t) s.len, NULL, 0, options);
  if (len < 0) return error_set(e, ERR_ARGUMENT, "The text cannot be normalised: %s", utf8proc_errmsg(len));
  utf8proc_int32_t *points = ARENA_ARRAY(a, utf8proc_int32_t, (size_t) len + 1);
  if (points == NULL) return arena_err(a, e);
  utf8proc_decompose(bytes, (utf8proc_ssize_t) s.len, points, len, options);
  len = utf8proc_normalize_utf32(points, len, options);
  char *out = arena_array(a, (size_t) len, 4);
  if (out == NULL) return arena_err(a, e);
  size_t at = 0;
  for (utf8proc_ssize_t i = 0; i < len; i++) at += str_put_code_point(out + at, (uint32_t) points[i]);
  *ret = (struct str){out, at};
  return ERR_OK;
}

enum err text_normalize(struct arena *a, struct str s, struct str form, struct str *ret, struct error *e) {
  for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
    if (str_eq(form, forms[i].name)) return map_form(a, s, forms[i].options, ret, e);
  return error_set(e, ERR_ARGUMENT, "Unknown normal form '%.*s': use NFC, NFD, NFKC or NFKD.", STR_ARG(form));
}
