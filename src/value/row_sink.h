// Where result rows go: `exec` pushes columns of hydrated values, `dbms` hands them on, `bolt` and `http` encode them.
#pragma once

#include "value/vec.h"

struct row_sink {
  /// Takes rows [0, rows) of `width` columns; where `sel` is not NULL, row r is element sel[r]. Every entity is hydrated.
  /// The columns are valid during the call. An error ends the query with that error.
  enum err (*push)(struct row_sink *sink, const struct vec *columns, uint32_t width, const uint32_t *sel, uint32_t rows,
                   struct error *e);
};
