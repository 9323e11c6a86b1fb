// Errors with a position in the statement, worded and laid out as Neo4j does: the message, `(line 1, column 8 (offset: 7))`, the
// quoted line (a window of it when it is long) and a caret. For the check here and for later phases that can name a place.
#pragma once

#include "base/compiler.h"
#include "base/error.h"
#include "cypher/ast.h"

/// `offset` is a node's `offset` or `at`. `e` may be NULL. Returns `code`.
enum err cypher_error_of(const struct ast_statement *s, struct error *e, enum err code, uint32_t offset, const char *fmt, ...)
    PRINTF(5, 6);
