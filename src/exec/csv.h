// CSV as LOAD CSV reads it: fields between separators, in double quotes where they hold separators, quotes (doubled or behind a
// backslash) or line ends; line ends are LF, CR or CRLF. A machine: it is fed bytes and gives rows. Pure.
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "value/value.h"

enum { CSV_FIELD_BYTES_MAX = 4 << 20, CSV_FIELDS_MAX = 1 << 20 };

struct csv {
  char separator;
  enum { CSV_START, CSV_PLAIN, CSV_QUOTED, CSV_QUOTE_IN_QUOTED, CSV_ESCAPE, CSV_AFTER_CR } state;
  bool quoted;           // the field under way was in quotes: empty is text then, else null
  bool in_row;           // something of a row has been read
  struct buf field;
  struct value *fields;  // of the row under way, in the caller's arena
  uint32_t n, capacity;
  uint64_t line;         // of the input, from 1
};

void csv_init(struct csv *c, char separator);
void csv_done(struct csv *c);

/// Reads from `bytes` on; `*ret_used` says how far. `*ret_row`: a row is complete in c->fields (text in `a`, null for empty fields) and is
/// taken by csv_take before the next call.
enum err csv_feed(struct csv *c, const char *bytes, size_t n, struct arena *a, size_t *ret_used, bool *ret_row, struct error *e) NODISCARD;
/// At the end of the input: `*ret_row` if it ended within a row.
enum err csv_end(struct csv *c, struct arena *a, bool *ret_row, struct error *e) NODISCARD;
/// The complete row as a list; starts the next.
struct value csv_take(struct csv *c);
