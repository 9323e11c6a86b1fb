// What functions and procedures there are and how they are called. Built-in functions are one table, cypher/functions.h, which
// the check reads and `exec` implements by id. Procedures and user-defined functions come through look-ups that a higher module
// fills; `version` changes whenever their answers may, and is part of a cached plan's key.
//
// Everything here is immutable while a statement that refers to it lives.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "cypher/functions.h"
#include "cypher/types.h"

struct arena;

enum cypher_function_id {
#define CYPHER_FUNCTION_ENUM(id, name, group, min, max, arguments, result, element, rule, flags, signature) CYPHER_FN_##id,
  CYPHER_FUNCTIONS(CYPHER_FUNCTION_ENUM)
#undef CYPHER_FUNCTION_ENUM
      CYPHER_FUNCTION_COUNT,
  CYPHER_FN_USER = CYPHER_FUNCTION_COUNT, // user-defined: `handle` says which
};

enum cypher_function_flag {
  CYPHER_AGGREGATING = 1,
  CYPHER_VOLATILE = 2, // another value at each call: rand(), randomUUID(), realtime clocks
  CYPHER_CLOCK = 4,    // depends on the statement's or transaction's clock where called without arguments
  CYPHER_DEPRECATED = 8,
  CYPHER_LEGACY = 16, // only under CYPHER 3.5 (or a form that 5 still takes: see the check)
  CYPHER_GRAPH = 32,  // reads the graph beyond its arguments
};

/// What the result's set of types is, where it is not just `result`.
enum cypher_result_rule {
  CYPHER_RESULT_FIXED,
  CYPHER_RESULT_ELEMENT,  // an element of the first argument: head(), last()
  CYPHER_RESULT_ARGUMENT, // the first argument's: max(), reverse(), tail(), abs()
  CYPHER_RESULT_ANY_OF,   // any of the arguments': coalesce()
  CYPHER_RESULT_LIST_OF,  // a list of the first argument's: collect()
};

enum { CYPHER_ARGUMENTS_TYPED = 5, CYPHER_ARGUMENTS_MANY = 255 };

struct cypher_function {
  uint16_t id;      // enum cypher_function_id
  uint8_t min, max; // number of arguments; CYPHER_ARGUMENTS_MANY: no limit
  uint8_t rule;     // enum cypher_result_rule
  uint8_t flags;    // enum cypher_function_flag
  const char *name;
  const char *group;                              // "Numeric functions" less its last word: category of SHOW FUNCTIONS
  const char *signature;                          // "abs(input :: INTEGER | FLOAT) :: INTEGER | FLOAT"
  cypher_types arguments[CYPHER_ARGUMENTS_TYPED]; // the last one stands for all that follow
  cypher_types result, element;
  void *handle; // of a user-defined function
};

enum cypher_procedure_mode { CYPHER_PROCEDURE_READ, CYPHER_PROCEDURE_WRITE, CYPHER_PROCEDURE_SCHEMA, CYPHER_PROCEDURE_DBMS };

/// An argument or a result column of a procedure.
struct cypher_field {
  const char *name;
  const char *type; // as SHOW PROCEDURES writes it: "LIST<STRING>"
  cypher_types types, elements;
  bool optional;            // an argument with a default
  const char *default_text; // the default, as Cypher text: "null"; NULL without one
  bool deprecated;
};

struct cypher_procedure {
  const char *name; // with its namespace
  const struct cypher_field *arguments;
  uint32_t argument_count, required_count;
  const struct cypher_field *results;
  uint32_t result_count; // 0: a procedure that returns nothing, so that rows pass through it
  uint8_t mode;          // enum cypher_procedure_mode
  bool deprecated, is_volatile, admin;
  void *handle; // for whoever implements it
};

/// Look-ups of one database at one time. A NULL function finds nothing.
struct cypher_signatures {
  uint32_t version;
  const struct cypher_procedure *(*find_procedure)(void *context, struct str name);
  const struct cypher_function *(*find_function)(void *context, struct str name); // asked after the built-in ones
  void *context;
};

/// The built-in function of that name (case plays no part), or NULL.
const struct cypher_function *cypher_function_find(struct str name);

/// The built-in function of an id; `id < CYPHER_FUNCTION_COUNT`. For SHOW FUNCTIONS and for tables of implementations.
const struct cypher_function *cypher_function_of(enum cypher_function_id id);
