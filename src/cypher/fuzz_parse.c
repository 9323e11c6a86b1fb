// libFuzzer target: whatever the text, parsing, checking and printing neither crash nor take more than a bounded share of memory;
// what parses survives printing.
#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cypher/check.h"
#include "cypher/fingerprint.h"
#include "cypher/parse.h"
#include "cypher/rewrite.h"

enum { MOST_BYTES = 1 << 16, BYTES_A_BYTE = 2000, BYTES_BEFORE = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/// Parses what was printed. It may be too deep now, as printing adds parentheses; but it may not mean something else.
static void parse_again(struct arena *a, const struct ast_statement *first) {
  CLEANUP(buf_done) struct buf printed = BUF_INIT;
  struct ast_statement *second;
  struct error e = ERROR_INIT;
  if (ast_print_statement(&printed, first) != ERR_OK) return;
  struct cypher_options options = {.max_depth = CYPHER_DEFAULT_DEPTH * 4};
  enum err err = cypher_parse(a, buf_str(&printed), &options, &second, &e);
  assert(err == ERR_OK);
  assert(ast_equal(first->root, second->root));
  assert(ast_hash(first->root) == ast_hash(second->root));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > MOST_BYTES) return 0;
  struct arena a;
  arena_init(&a, NULL);
  struct error e = ERROR_INIT;
  struct ast_statement *s;
  struct cypher_fingerprint f;
  struct str text = {(const char *) data, size};
  (void) !cypher_fingerprint(&a, text, &f);
  enum err err = cypher_parse(&a, text, NULL, &s, &e);
  assert(arena_bytes(&a) <= BYTES_BEFORE + BYTES_A_BYTE * size);
  if (err == ERR_OK) {
    parse_again(&a, s);
    if (cypher_check(s, NULL, &e) == ERR_OK) (void) !cypher_rewrite(s, &e);
  }
  arena_done(&a);
  return 0;
}
