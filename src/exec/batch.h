// A batch: up to EXEC_BATCH_ROWS rows, one column for each slot of the statement.
//
// A column that no operator has filled yet is unset (`data` NULL). Producers settle the kind of a column for each batch. Rows in
// use are listed in `sel`; without it all of [0, n) are. An operator's batch is valid until the next call of op_next on that
// operator: columns may be views of what it was made from, so a reader that keeps rows copies them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "graph/view.h"
#include "value/vec.h"

enum { EXEC_BATCH_FIRST = 64, EXEC_BATCH_ROWS = 1024 };

/// Light factorisation: for each row the relationships of the last expand, not spread out yet (tail.h). Dead once page access is
/// left. `slot_node` of UINT32_MAX: there is none, and only operators that ask for tails get them.
struct batch_tail {
  uint32_t slot_node, slot_rel;
  uint32_t elements;     // relationships of all rows: as many rows as the batch stands for
  const uint32_t *first; // row i has the slices [first[i], first[i + 1])
  const struct graph_slice *slices;
};

struct batch {
  uint32_t n;          // rows in use
  const uint32_t *sel; // row r is element sel[r] of the columns; NULL: element r
  const uint32_t *arg; // row r of the outer batch that it belongs to (batched Apply), by r, not by sel; NULL: all to row 0
  struct vec *columns; // by slot
  uint32_t column_count;
  struct batch_tail tail;
};

static inline bool vec_is_set(const struct vec *v) {
  return v->data != NULL;
}
static inline uint32_t batch_index(const struct batch *b, uint32_t r) {
  return b->sel != NULL ? b->sel[r] : r;
}
static inline uint32_t batch_arg(const struct batch *b, uint32_t r) {
  return b->arg != NULL ? b->arg[r] : 0;
}
/// How many rows it stands for.
static inline uint32_t batch_rows(const struct batch *b) {
  return b->tail.slot_node != UINT32_MAX ? b->tail.elements : b->n;
}
/// The value in row `r`, null where the column is unset.
static inline struct value batch_get(const struct batch *b, uint32_t slot, uint32_t r) {
  const struct vec *v = &b->columns[slot];
  return vec_is_set(v) ? vec_get(v, batch_index(b, r)) : V_NULL;
}

/// A batch of unset columns, without rows, in `a`.
enum err batch_new(struct arena *a, uint32_t column_count, struct batch **ret, struct error *e) NODISCARD;

/// `from` at `rows[0..n)`, dense. Constants stay constant.
enum err vec_gather(struct arena *a, const struct vec *from, const uint32_t *rows, uint32_t n, struct vec *ret,
                    struct error *e) NODISCARD;

/// A new dense batch of the rows `rows[0..n)` of `from` (row numbers, not elements), `arg` included.
enum err batch_gather(struct arena *a, const struct batch *from, const uint32_t *rows, uint32_t n, struct batch **ret,
                      struct error *e) NODISCARD;

/// The same rows without `sel`: `from` itself where it has none.
enum err batch_dense(struct arena *a, const struct batch *from, const struct batch **ret, struct error *e) NODISCARD;

/// Keeps of `from` only `rows[0..n)`, by a selection vector; columns are shared.
enum err batch_select(struct arena *a, const struct batch *from, const uint32_t *rows, uint32_t n, struct batch **ret,
                      struct error *e) NODISCARD;
