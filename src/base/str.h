// Slices of text: pointer and length, not owned, not NUL-terminated, UTF-8 unless said otherwise.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

struct str {
  const char *ptr;
  size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
/// For printf's "%.*s".
#define STR_ARG(s) (int) (s).len, (s).ptr

static inline struct str str_of(const char *z) {
  return (struct str){z, z != NULL ? strlen(z) : 0};
}

static inline bool str_eq(struct str a, struct str b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_eqz(struct str a, const char *z) {
  return str_eq(a, str_of(z));
}

/// ASCII letters compare without case; all other bytes as they are.
bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/// Byte-wise order, which for UTF-8 is the order of code points: -1, 0, 1.
int str_cmp(struct str a, struct str b);

/// Without ASCII blanks at both ends.
struct str str_trim(struct str s);

/// Offset of the first `needle`, or -1.
int64_t str_find(struct str s, struct str needle);

/// Cuts `*rest` at the first `separator`: returns what is before it and leaves what is behind it. Without a separator the
/// whole is returned and `*rest` is empty with a NULL pointer.
struct str str_cut(struct str *rest, char separator);

/// A whole decimal number with optional sign, nothing around it. False on anything else or overflow.
bool str_to_i64(struct str s, int64_t *ret);

/// True if `s` is well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
bool str_is_utf8(struct str s);

/// Decodes the code point at `s[*at]` of well-formed UTF-8 and moves `*at` behind it.
uint32_t str_next_code_point(struct str s, size_t *at);

/// Writes `cp` to `out` (room for 4 bytes) and returns how many bytes it took.
size_t str_put_code_point(char *out, uint32_t cp);
