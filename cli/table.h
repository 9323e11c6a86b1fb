// Result rows on paper: a frame of columns for people, or a line of comma-separated values for programs.
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/packed.h"

enum table_format { TABLE_VERBOSE, TABLE_PLAIN };

struct table {
  FILE *to;
  enum table_format format;
  uint32_t column_count;
  uint32_t sample_rows; // VERBOSE: widths are taken from so many rows; longer cells of later ones go on in further lines
  bool wrap;            // VERBOSE: otherwise they are cut
  uint32_t rows;        // added

  // VERBOSE, until the sample is full.
  size_t *widths; // in code points
  struct buf cells;    // texts, one behind the other
  size_t *ends;        // of cell i in `cells`
  size_t cell_count, cell_capacity;
};

/// `columns` is a LIST of names.
enum err table_begin(struct table *t, const struct packed *columns) NODISCARD;
enum err table_add(struct table *t, const struct packed *row) NODISCARD;
/// Writes what is left.
enum err table_end(struct table *t) NODISCARD;
void table_done(struct table *t);
