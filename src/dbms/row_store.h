// Rows kept in memory, in order: those of a result that another statement had to overtake, and of commands. Private to dbms.
#pragma once

#include "base/arena.h"
#include "value/row_sink.h"

struct row_block;

struct row_store {
  struct row_sink sink; // pushing into it copies the rows
  struct arena arena;   // everything lives here
  uint32_t width;
  struct row_block *first, *last;
  uint32_t given; // rows of the first block that are gone
  uint64_t rows;  // left
};

void row_store_init(struct row_store *s, uint32_t width, struct mem_budget *budget);
void row_store_done(struct row_store *s);

/// Adds one row of `width` values, which are copied.
enum err row_store_add(struct row_store *s, const struct value *row, struct error *e) NODISCARD;

/// Pushes up to `want` rows into `sink` (NULL: drops them), stopping early where `*full` (may be NULL) has become true.
enum err row_store_give(struct row_store *s, uint64_t want, struct row_sink *sink, const bool *full, uint64_t *ret_rows, struct error *e) NODISCARD;
