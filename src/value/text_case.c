// Upper and lower case by Unicode's full mappings, as Java has them: one code point may become three, and a sigma at the end of a
// word has a form of its own.
#include <utf8proc.h>

#include "value/text_int.h"

/// Code points with an upper case of several (SpecialCasing of the Unicode standard, unconditional), by code point.
static const struct {
  uint16_t from, to[3];
} specials[] = {
    // clang-format off
    {0x00DF, {0x0053, 0x0053}}, {0x0149, {0x02BC, 0x004E}}, {0x01F0, {0x004A, 0x030C}}, {0x0390, {0x0399, 0x0308, 0x0301}},
    {0x03B0, {0x03A5, 0x0308, 0x0301}}, {0x0587, {0x0535, 0x0552}}, {0x1E96, {0x0048, 0x0331}}, {0x1E97, {0x0054, 0x0308}},
    {0x1E98, {0x0057, 0x030A}}, {0x1E99, {0x0059, 0x030A}}, {0x1E9A, {0x0041, 0x02BE}}, {0x1F50, {0x03A5, 0x0313}},
    {0x1F52, {0x03A5, 0x0313, 0x0300}}, {0x1F54, {0x03A5, 0x0313, 0x0301}}, {0x1F56, {0x03A5, 0x0313, 0x0342}}, {0x1F80, {0x1F08, 0x0399}},
    {0x1F81, {0x1F09, 0x0399}}, {0x1F82, {0x1F0A, 0x0399}}, {0x1F83, {0x1F0B, 0x0399}}, {0x1F84, {0x1F0C, 0x0399}},
    {0x1F85, {0x1F0D, 0x0399}}, {0x1F86, {0x1F0E, 0x0399}}, {0x1F87, {0x1F0F, 0x0399}}, {0x1F88, {0x1F08, 0x0399}},
    {0x1F89, {0x1F09, 0x0399}}, {0x1F8A, {0x1F0A, 0x0399}}, {0x1F8B, {0x1F0B, 0x0399}}, {0x1F8C, {0x1F0C, 0x0399}},
    {0x1F8D, {0x1F0D, 0x0399}}, {0x1F8E, {0x1F0E, 0x0399}}, {0x1F8F, {0x1F0F, 0x0399}}, {0x1F90, {0x1F28, 0x0399}},
    {0x1F91, {0x1F29, 0x0399}}, {0x1F92, {0x1F2A, 0x0399}}, {0x1F93, {0x1F2B, 0x0399}}, {0x1F94, {0x1F2C, 0x0399}},
    {0x1F95, {0x1F2D, 0x0399}}, {0x1F96, {0x1F2E, 0x0399}}, {0x1F97, {0x1F2F, 0x0399}}, {0x1F98, {0x1F28, 0x0399}},
    {0x1F99, {0x1F29, 0x0399}}, {0x1F9A, {0x1F2A, 0x0399}}, {0x1F9B, {0x1F2B, 0x0399}}, {0x1F9C, {0x1F2C, 0x0399}},
    {0x1F9D, {0x1F2D, 0x0399}}, {0x1F9E, {0x1F2E, 0x0399}}, {0x1F9F, {0x1F2F, 0x0399}}, {0x1FA0, {0x1F68, 0x0399}},
    {0x1FA1, {0x1F69, 0x0399}}, {0x1FA2, {0x1F6A, 0x0399}}, {0x1FA3, {0x1F6B, 0x0399}}, {0x1FA4, {0x1F6C, 0x0399}},
    {0x1FA5, {0x1F6D, 0x0399}}, {0x1FA6, {0x1F6E, 0x0399}}, {0x1FA7, {0x1F6F, 0x0399}}, {0x1FA8, {0x1F68, 0x0399}},
    {0x1FA9, {0x1F69, 0x0399}}, {0x1FAA, {0x1F6A, 0x0399}}, {0x1FAB, {0x1F6B, 0x0399}}, {0x1FAC, {0x1F6C, 0x0399}},
    {0x1FAD, {0x1F6D, 0x0399}}, {0x1FAE, {0x1F6E, 0x0399}}, {0x1FAF, {0x1F6F, 0x0399}}, {0x1FB2, {0x1FBA, 0x0399}},
    {0x1FB3, {0x0391, 0x0399}}, {0x1FB4, {0x0386, 0x0399}}, {0x1FB6, {0x0391, 0x0342}}, {0x1FB7, {0x0391, 0x0342, 0x0399}},
    {0x1FBC, {0x0391, 0x0399}}, {0x1FC2, {0x1FCA, 0x0399}}, {0x1FC3, {0x0397, 0x0399}}, {0x1FC4, {0x0389, 0x0399}},
    {0x1FC6, {0x0397, 0x0342}}, {0x1FC7, {0x0397, 0x0342, 0x0399}}, {0x1FCC, {0x0397, 0x0399}}, {0x1FD2, {0x0399, 0x0308, 0x0300}},
    {0x1FD3, {0x0399, 0x0308, 0x0301}}, {0x1FD6, {0x0399, 0x0342}}, {0x1FD7, {0x0399, 0x0308, 0x0342}}, {0x1FE2, {0x03A5, 0x0308, 0x0300}},
    {0x1FE3, {0x03A5, 0x0308, 0x0301}}, {0x1FE4, {0x03A1, 0x0313}}, {0x1FE6, {0x03A5, 0x0342}}, {0x1FE7, {0x03A5, 0x0308, 0x0342}},
    {0x1FF2, {0x1FFA, 0x0399}}, {0x1FF3, {0x03A9, 0x0399}}, {0x1FF4, {0x038F, 0x0399}}, {0x1FF6, {0x03A9, 0x0342}},
    {0x1FF7, {0x03A9, 0x0342, 0x0399}}, {0x1FFC, {0x03A9, 0x0399}}, {0xFB00, {0x0046, 0x0046}}, {0xFB01, {0x0046, 0x0049}},
    {0xFB02, {0x0046, 0x004C}}, {0xFB03, {0x0046, 0x0046, 0x0049}}, {0xFB04, {0x0046, 0x0046, 0x004C}}, {0xFB05, {0x0053, 0x0054}},
    {0xFB06, {0x0053, 0x0054}}, {0xFB13, {0x0544, 0x0546}}, {0xFB14, {0x0544, 0x0535}}, {0xFB15, {0x0544, 0x053B}},
    {0xFB16, {0x054E, 0x0546}}, {0xFB17, {0x0544, 0x053D}},
    // clang-format on
};

/// How much longer a text may get, in bytes: U+0390 has two, its upper case three code points of two.
enum { SPECIAL_UPPER_MAX = 3, UPPER_GROWTH_MAX = 3, LOWER_GROWTH_MAX = 2 };

static const uint16_t *special_upper(uint32_t cp) {
  size_t low = 0, high = ARRAY_SIZE(specials);
  while (low < high) {
    size_t at = low + (high - low) / 2;
    if (specials[at].from == cp) return specials[at].to;
    if (specials[at].from < cp)
      low = at + 1;
    else
      high = at;
  }
  return NULL;
}

static size_t put_upper(char *out, uint32_t cp) {
  const uint16_t *to = cp < 0x80 ? NULL : special_upper(cp);
  if (to == NULL) return str_put_code_point(out, (uint32_t) utf8proc_toupper((utf8proc_int32_t) cp));
  size_t len = 0;
  for (int i = 0; i < SPECIAL_UPPER_MAX && to[i] != 0; i++) len += str_put_code_point(out + len, to[i]);
  return len;
}

static bool is_letter(uint32_t cp) {
  utf8proc_category_t c = utf8proc_category((utf8proc_int32_t) cp);
  return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO;
}

enum { CAPITAL_SIGMA = 0x3A3, SMALL_SIGMA = 0x3C3, FINAL_SIGMA = 0x3C2, CAPITAL_I_WITH_DOT = 0x130, DOT_ABOVE = 0x307 };

/// `before` is the code point in front (0: none), `at` the offset behind `cp`.
static size_t put_lower(char *out, uint32_t cp, uint32_t before, struct str s, size_t at) {
  if (cp == CAPITAL_I_WITH_DOT) {
    size_t len = str_put_code_point(out, 'i');
    return len + str_put_code_point(out + len, DOT_ABOVE);
  }
  if (cp == CAPITAL_SIGMA) {
    bool ends_word = is_letter(before) && (at == s.len || !is_letter(str_next_code_point(s, &at)));
    return str_put_code_point(out, ends_word ? FINAL_SIGMA : SMALL_SIGMA);
  }
  return str_put_code_point(out, (uint32_t) utf8proc_tolower((utf8proc_int32_t) cp));
}

/// ASCII needs no table.
static bool is_ascii(struct str s) {
  unsigned char all = 0;
  for (size_t i = 0; i < s.len; i++) all |= (unsigned char) s.ptr[i];
  return all < 0x80;
}

static enum err ascii_case(struct arena *a, struct str s, char first, struct str *ret, struct error *e) {
  struct str copy = arena_str(a, s);
  if (copy.ptr == NULL) return arena_err(a, e);
  char *p = (char *) copy.ptr;
  for (size_t i = 0; i < s.len; i++) p[i] ^= (unsigned char) (p[i] - first) < 26 ? 0x20 : 0;
  *ret = copy;
  return ERR_OK;
}

enum err text_upper(struct arena *a, struct str s, struct str *ret, struct error *e) {
  if (is_ascii(s)) return ascii_case(a, s, 'a', ret, e);
  char *out = arena_array(a, s.len, UPPER_GROWTH_MAX);
  if (out == NULL) return arena_err(a, e);
  size_t len = 0;
  for (size_t at = 0; at < s.len;) len += put_upper(out + len, str_next_code_point(s, &at));
  *ret = (struct str){out, len};
  return ERR_OK;
}

enum err text_lower(struct arena *a, struct str s, struct str *ret, struct error *e) {
  if (is_ascii(s)) return ascii_case(a, s, 'A', ret, e);
  char *out = arena_array(a, s.len, LOWER_GROWTH_MAX);
  if (out == NULL) return arena_err(a, e);
  size_t len = 0;
  uint32_t before = 0;
  for (size_t at = 0; at < s.len;) {
    uint32_t cp = str_next_code_point(s, &at);
    len += put_lower(out + len, cp, before, s, at);
    before = cp;
  }
  *ret = (struct str){out, len};
  return ERR_OK;
}
