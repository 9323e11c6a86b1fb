// CSV (RFC 4180 and what Neo4j makes of it): a reader over a source of bytes, one row at a time, and a writer of fields.
//
// A quote is one only at the beginning of a field; inside quotes it is doubled, or escaped by a backslash where the dialect says
// so. Lines end in LF, CR or CR LF; empty lines are no rows; a byte order mark is skipped. One owner; not thread-safe.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

struct csv_dialect {
  char delimiter, quote;  // ASCII; a quote of '\0' quotes nothing
  bool backslash_escapes; // \" inside quotes is a quote and \\ a backslash (LOAD CSV's legacy_quote_escaping)
  bool multiline;         // quoted fields may hold line ends
};

/// As LOAD CSV reads by default.
#define CSV_DIALECT_DEFAULT ((struct csv_dialect){.delimiter = ',', .quote = '"', .backslash_escapes = true, .multiline = true})

/// Where bytes come from. `read` gives at most `bytes`, at least one; 0 at the end.
struct csv_source {
  enum err (*read)(struct csv_source *source, void *to, size_t bytes, size_t *ret_bytes, struct error *e);
};

/// An unquoted field without text is Cypher's null; a quoted one is empty text.
struct csv_field {
  struct str text;
  bool quoted;
};

struct csv_reader {
  struct csv_source *source;
  struct csv_dialect dialect;
  size_t row_bytes_max;
  struct buf bytes;  // what was read and not yet given out
  struct buf spans;  // fields of the row under way
  struct buf fields; // fields of the last row
  size_t row, scan;  // where the row under way begins, and how far it is scanned
  size_t field;      // where the field under way begins
  uint64_t line;     // see csv_line
  uint64_t next_line;
  uint8_t state;
  bool escaped;  // the field under way holds escapes
  bool after_cr; // the last byte was a CR
  bool begun, ended;
};

/// `source` outlives the reader. No allocation yet.
void csv_reader_init(struct csv_reader *r, struct csv_source *source, struct csv_dialect dialect, size_t row_bytes_max);
void csv_reader_done(struct csv_reader *r);

/// The next row: `*ret_fields` is NULL at the end. Fields are valid until the next call. ERR_ARGUMENT with the line for quotes
/// that do not close or are followed by something, for text that is not UTF-8, for a row over the limit; what the source returns;
/// ERR_NOMEM.
enum err csv_next_row(struct csv_reader *r, const struct csv_field **ret_fields, uint32_t *ret_count, struct error *e) NODISCARD;

/// Number, from 1, of the line on which the last row began.
static inline uint64_t csv_line(const struct csv_reader *r) {
  return r->line;
}

/// Appends a field, quoted if it must be: with delimiters, quotes, line ends or blanks at its ends, or if it is empty text. No
/// delimiter.
enum err csv_write_field(struct buf *out, const struct csv_dialect *dialect, struct str text) NODISCARD;
