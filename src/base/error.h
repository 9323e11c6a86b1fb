// Status codes and the detail that goes with them.
//
// Functions return `enum err`; ERR_OK is 0. The detail (message, position) goes into the caller's `struct error`, which
// owns its text in place, so that reporting an error never allocates. Nobody logs an error but the one who drops it.
// A NULL `struct error *` is allowed everywhere: then only the code travels.
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error_codes.h"

enum err {
#define ERR_ENUM(name, neo4j, gql, text) ERR_##name,
  ERR_TABLE(ERR_ENUM)
#undef ERR_ENUM
      ERR_MAX,
};

#define ERROR_NO_POSITION UINT32_MAX

/// Where and why something failed. Zero-initialise, or start from ERROR_INIT.
struct error {
  enum err code;
  uint32_t offset; // in the statement, in UTF-16 units from 0 as Neo4j counts; ERROR_NO_POSITION where there is none
  uint32_t line;   // from 1
  uint32_t column; // from 1, in UTF-16 units
  char message[1200];
};

#define ERROR_INIT ((struct error){.offset = ERROR_NO_POSITION})

/// Fills `e` and returns `code`, so that `return error_set(e, ERR_TYPE, "...", x)` is one line. A text that does not fit is
/// cut at a character boundary and ends in "...".
enum err error_set(struct error *e, enum err code, const char *fmt, ...) PRINTF(3, 4);
/// The macro lets the compiler see that the code is what comes back, so that it can tell set outputs from unset ones.
#define error_set(e, code, ...)                  \
  ({                                             \
    const enum err error_set_code_ = (code);     \
    error_set((e), error_set_code_, __VA_ARGS__); \
    error_set_code_;                             \
  })
enum err error_setv(struct error *e, enum err code, const char *fmt, va_list args);

/// Puts "prefix: " before the message of `e`; its code stays. Returns that code.
enum err error_prefix(struct error *e, const char *fmt, ...) PRINTF(2, 3);

/// Fills `e` with the table's own text for `code` unless it holds a message for that code already.
enum err error_ensure(struct error *e, enum err code);

/// The X-macro's columns. Static strings.
const char *err_name(enum err code);           // "SYNTAX"
const char *err_neo4j_code(enum err code);     // "Neo.ClientError.Statement.SyntaxError"; never empty: internal rows give UnknownError
const char *err_gql_status(enum err code);     // "42001"
const char *err_text(enum err code);           // "invalid syntax"
const char *err_classification(enum err code); // "CLIENT_ERROR", "TRANSIENT_ERROR" or "DATABASE_ERROR"
