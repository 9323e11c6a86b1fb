// What two statements that differ in blanks, comments and literals have in common: the key of a plan cache's second level.
// Pure; any thread. Needs no parse, only tokens.
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum cypher_literal_kind { CYPHER_INTEGER_LITERAL, CYPHER_FLOAT_LITERAL, CYPHER_STRING_LITERAL };

/// A literal of the statement, in order of appearance: its slice of the text, signs not included.
struct cypher_literal {
  uint8_t kind; // enum cypher_literal_kind
  uint32_t offset, len;
};

/// `text` is the statement with one blank between tokens and each literal replaced by a mark of its kind; compare it when hashes
/// are equal. Not every literal may be turned into a parameter: one that names a column (an item of RETURN or WITH without AS),
/// bounds a pattern, or is an argument that the planner looks at must keep its value in the key. The slices are for that.
struct cypher_fingerprint {
  uint64_t hash;
  struct str text;
  const struct cypher_literal *literals;
  uint32_t literal_count;
};

/// Everything in `ret` is in the arena. ERR_SYNTAX where the statement cannot be split into tokens (the parser says why).
enum err cypher_fingerprint(struct arena *a, struct str statement, struct cypher_fingerprint *ret) NODISCARD;
