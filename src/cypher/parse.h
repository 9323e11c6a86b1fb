// Text to syntax tree: the whole of Cypher 5, what Cypher 3.5 and 4.4 had beside it, and the administration commands.
//
// Pure: no state but the arena's. Any thread, one statement at a time per arena. Hostile text is expected: time and memory are
// linear in its length (about 50 bytes of arena a byte of dense text), recursion is limited by `max_depth`.
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "cypher/ast.h"

struct cypher_options {
  uint32_t max_depth;      // nesting of expressions, patterns and subqueries; 0: CYPHER_DEFAULT_DEPTH
  uint32_t max_text_bytes; // longer statements are refused; 0: CYPHER_DEFAULT_TEXT_BYTES
  uint16_t language;       // where the statement has no CYPHER prefix: 35, 44, 50; 0: 50
};

enum { CYPHER_DEFAULT_DEPTH = 1000, CYPHER_DEFAULT_TEXT_BYTES = 64 << 20 };

/// Parses one statement (a trailing `;` is accepted, a second statement is not). `text` must outlive the arena's use, as the
/// tree points into it. `options` may be NULL. On failure ERR_SYNTAX with Neo4j's message ("Invalid input 'X': expected ...
/// (line L, column C (offset: O))", the quoted line, a caret) and position; ERR_LIMIT never leaves: a statement that is too
/// long or too deep is ERR_SYNTAX as well. ERR_NOMEM and the budget's errors come from the arena.
enum err cypher_parse(struct arena *arena, struct str text, const struct cypher_options *options, struct ast_statement **ret,
                      struct error *e) NODISCARD;

/// True if `name` can be printed as it is, without backticks.
bool cypher_is_plain_name(struct str name);
