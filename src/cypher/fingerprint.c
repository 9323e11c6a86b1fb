#include "cypher/fingerprint.h"

#include <string.h>

#include "base/checksum.h"
#include "cypher/token.h"

/// A byte that no statement holds (UTF-8 has no 0xF8 and above), by kind.
enum { FIRST_MARK = 0xF8 };

static int literal_kind(uint16_t token) {
  switch (token) {
  case T_INTEGER: return CYPHER_INTEGER_LITERAL;
  case T_FLOAT: return CYPHER_FLOAT_LITERAL;
  case T_STRING: return CYPHER_STRING_LITERAL;
  default: return -1;
  }
}

static size_t normalise(struct str text, struct token_array tokens, char *out, struct cypher_literal *literals, uint32_t *count) {
  size_t n = 0;
  *count = 0;
  for (uint32_t i = 0; i + 1 < tokens.count; i++) {
    const struct token *t = &tokens.items[i];
    int kind = literal_kind(t->kind);
    if (kind >= 0) {
      literals[(*count)++] = (struct cypher_literal){(uint8_t) kind, t->offset, t->len};
      out[n++] = (char) (FIRST_MARK + kind);
    } else {
      memcpy(out + n, text.ptr + t->offset, t->len);
      n += t->len;
    }
    out[n++] = ' ';
  }
  return n;
}

enum err cypher_fingerprint(struct arena *a, struct str statement, struct cypher_fingerprint *ret) {
  if (statement.len > UINT32_MAX / 2 || !str_is_utf8(statement)) return ERR_SYNTAX;
  struct str text;
  struct unicode_escapes escapes;
  struct token_array tokens;
  uint32_t at;
  TRY(token_unescape_unicode(a, statement, &text, &escapes, &at));
  TRY(token_split(a, text, &tokens, &at));
  char *out = arena_alloc(a, text.len + tokens.count);
  struct cypher_literal *literals = ARENA_ARRAY(a, struct cypher_literal, tokens.count);
  if (out == NULL || literals == NULL) return arena_err(a, NULL);
  uint32_t count;
  size_t len = normalise(text, tokens, out, literals, &count);
  *ret = (struct cypher_fingerprint){hash64(out, len, 0), {out, len}, literals, count};
  return ERR_OK;
}
