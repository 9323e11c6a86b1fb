// Columns of SHOW and TERMINATE commands: names as Neo4j 5 has them, for clients of an older one as 4.4 has them. The check
// resolves YIELD and `*` by this table; whoever runs the command gives values for the names that are asked for.
#pragma once

#include "base/str.h"
#include "cypher/ast_enums.h"

/// Names separated by single blanks, in order: those that come without YIELD, and those that come with YIELD alone.
struct cypher_show_columns {
  struct str defaults, others;
};

/// `output` are the bits of AST_SHOW_*: WITH USERS, WITH AUTH and AS COMMANDS change what there is. `neo4j_major` as in the
/// options of the check; only databases differ.
struct cypher_show_columns cypher_show_columns(enum ast_show what, uint32_t output, uint32_t neo4j_major);
