// JSON (RFC 8259): a writer that streams into a buffer, values in the three forms that the HTTP interfaces speak, and a reader.
//
// The reader puts everything into an arena, so that a hostile body counts against a budget, and limits nesting. Any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "value/value.h"

// Writing: commas come by themselves; the caller keeps begin and end in pairs and keys before values. ERR_NOMEM.

struct json_writer {
  struct buf *out;
  bool comma; // the next item at this place needs a comma before it
};

static inline struct json_writer json_writer_on(struct buf *out) {
  return (struct json_writer){.out = out};
}

enum err json_begin_map(struct json_writer *w) NODISCARD;
enum err json_end_map(struct json_writer *w) NODISCARD;
enum err json_begin_list(struct json_writer *w) NODISCARD;
enum err json_end_list(struct json_writer *w) NODISCARD;
enum err json_key(struct json_writer *w, struct str key) NODISCARD;
enum err json_null(struct json_writer *w) NODISCARD;
enum err json_bool(struct json_writer *w, bool b) NODISCARD;
enum err json_int(struct json_writer *w, int64_t i) NODISCARD;
/// As Java writes it; NaN and infinities, which JSON lacks, as strings.
enum err json_float(struct json_writer *w, double f) NODISCARD;
enum err json_str(struct json_writer *w, struct str s) NODISCARD;

enum json_style {
  JSON_ROW,   // "row" of the transaction endpoint: entities are their properties, paths lists of those, times text
  JSON_PLAIN, // Query API, application/json: entities with element ids, labels and types, times text, points WKT
  JSON_TYPED, // Query API, application/vnd.neo4j.query: {"$type": "Integer", "_value": "1"}
};

/// Any value; entities hydrated (else ERR_INTERNAL). ERR_LIMIT for more than VALUE_DEPTH_MAX levels.
enum err json_value(struct json_writer *w, enum json_style style, struct value v, struct error *e) NODISCARD;

// Reading

enum { JSON_DEPTH_MAX = 512 };

/// The whole text as one value: numbers without point and exponent that fit become integers, others floats; of equal keys the
/// last wins. Strings without escapes share bytes with `text`. ERR_REQUEST_FORMAT with the offset for what is not JSON or too
/// deep.
enum err json_read(struct arena *a, struct str text, struct value *ret, struct error *e) NODISCARD;

/// A value as JSON_TYPED writes it (of those types that a client may send) to what it means. ERR_REQUEST_FORMAT, ERR_ARGUMENT.
enum err json_from_typed(struct arena *a, struct value typed, struct value *ret, struct error *e) NODISCARD;
