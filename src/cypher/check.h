// Syntax tree to checked statement: scopes, slots, kinds of variables, aggregation, signatures, static types. cypher_rewrite
// (cypher/rewrite.h) comes after it, if wanted; then the statement is read-only.
//
// What ORDER BY and the WHERE of a WITH see: without DISTINCT and aggregation the slots of the columns and those of the rows that
// came in; with either only the columns' (an expression equal to an item's is replaced by a use of its column, aggregates
// included).
//
// Pure; any thread. Works in the statement's arena.
#pragma once

#include "base/error.h"
#include "cypher/ast.h"
#include "cypher/signatures.h"

struct cypher_check_options {
  const struct cypher_signatures *signatures; // NULL: built-in functions and no procedures
  uint32_t neo4j_major;                       // whose columns SHOW has: 3 and 4 those of 4.4, otherwise those of 5
};

/// Resolves and checks `s`, once. Fills what the header of ast_statement says, the slots of VARIABLE, PROJECTION and GROUP nodes,
/// signatures, types and flags. Expands `*` into items. ERR_SYNTAX for what Neo4j calls a SyntaxError, ERR_PROCEDURE_NOT_FOUND,
/// ..., with Neo4j's messages and positions. `options` may be NULL. A statement whose check failed must not be used further.
enum err cypher_check(struct ast_statement *s, const struct cypher_check_options *options, struct error *e) NODISCARD;
