#include "base/str.h"

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char) (c + 32) : c;
}

bool str_eq_nocase(struct str a, struct str b) {
  if (a.len != b.len) return false;
  for (size_t i = 0; i < a.len; i++)
    if (lower(a.ptr[i]) != lower(b.ptr[i])) return false;
  return true;
}

bool str_starts(struct str s, struct str prefix) {
  return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool str_ends(struct str s, struct str suffix) {
  return s.len >= suffix.len && (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

int str_cmp(struct str a, struct str b) {
  size_t shorter = MIN(a.len, b.len);
  int c = shorter > 0 ? memcmp(a.ptr, b.ptr, shorter) : 0;
  if (c != 0) return c < 0 ? -1 : 1;
  return a.len < b.len ? -1 : a.len > b.len;
}

static bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s) {
  while (s.len > 0 && is_blank(s.ptr[0])) s = (struct str){s.ptr + 1, s.len - 1};
  while (s.len > 0 && is_blank(s.ptr[s.len - 1])) s.len--;
  return s;
}

int64_t str_find(struct str s, struct str needle) {
  if (needle.len == 0) return 0;
  const char *at = s.len >= needle.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;
  return at != NULL ? at - s.ptr : -1;
}

struct str str_cut(struct str *rest, char separator) {
  struct str whole = *rest;
  const char *at = whole.len > 0 ? memchr(whole.ptr, separator, whole.len) : NULL;
  if (at == NULL) {
    *rest = STR_NONE;
    return whole;
  }
  size_t len = (size_t) (at - whole.ptr);
  *rest = (struct str){at + 1, whole.len - len - 1};
  return (struct str){whole.ptr, len};
}

bool str_to_i64(struct str s, int64_t *ret) {
  bool negative = s.len > 0 && s.ptr[0] == '-';
  size_t at = negative || (s.len > 0 && s.ptr[0] == '+');
  if (at == s.len) return false;
  int64_t n = 0;
  for (; at < s.len; at++) {
    if (s.ptr[at] < '0' || s.ptr[at] > '9') return false;
    int digit = s.ptr[at] - '0';
    if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, negative ? -digit : digit, &n)) return false;
  }
  *ret = n;
  return true;
}

/// Length of the well-formed sequence at `p` (RFC 3629 section 4), or 0.
static size_t sequence_len(const unsigned char *p, size_t left) {
  if (p[0] < 0x80) return 1;
  if (p[0] < 0xC2 || p[0] > 0xF4) return 0;
  size_t len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
  if (left < len) return 0;
  unsigned char low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
  unsigned char high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;
  if (p[1] < low || p[1] > high) return 0;
  for (size_t i = 2; i < len; i++)
    if ((p[i] & 0xC0) != 0x80) return 0;
  return len;
}

bool str_is_utf8(struct str s) {
  const unsigned char *p = (const unsigned char *) s.ptr;
  size_t at = 0;
  while (at < s.len) {
    uint64_t word;
    if (s.len - at >= 8 && (memcpy(&word, p + at, 8), (word & 0x8080808080808080u) == 0)) {
      at += 8;
      continue;
    }
    if (p[at] < 0x80) {
      at++;
      continue;
    }
    size_t len = sequence_len(p + at, s.len - at);
    if (len == 0) return false;
    at += len;
  }
  return true;
}

uint32_t str_next_code_point(struct str s, size_t *at) {
  const unsigned char *p = (const unsigned char *) s.ptr + *at;
  if (p[0] < 0x80) return *at += 1, p[0];
  if (p[0] < 0xE0) return *at += 2, (uint32_t) ((p[0] & 0x1F) << 6 | (p[1] & 0x3F));
  if (p[0] < 0xF0) return *at += 3, (uint32_t) ((p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F));
  return *at += 4, (uint32_t) ((p[0] & 0x07) << 18 | (p[1] & 0x3F) << 12 | (p[2] & 0x3F) << 6 | (p[3] & 0x3F));
}

size_t str_put_code_point(char *out, uint32_t cp) {
  if (cp < 0x80) return out[0] = (char) cp, 1;
  if (cp < 0x800) return out[0] = (char) (0xC0 | cp >> 6), out[1] = (char) (0x80 | (cp & 0x3F)), 2;
  if (cp < 0x10000) {
    out[0] = (char) (0xE0 | cp >> 12), out[1] = (char) (0x80 | (cp >> 6 & 0x3F)), out[2] = (char) (0x80 | (cp & 0x3F));
    return 3;
  }
  out[0] = (char) (0xF0 | cp >> 18), out[1] = (char) (0x80 | (cp >> 12 & 0x3F));
  out[2] = (char) (0x80 | (cp >> 6 & 0x3F)), out[3] = (char) (0x80 | (cp & 0x3F));
  return 4;
}
