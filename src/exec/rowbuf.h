// A packed row store: what Sort, Eager, joins, aggregation and DISTINCT keep of their input. The one place where spilling to disk
// would be added: rows are reached by number, their cells hold no pointer into anything but the store.
//
// Memory is charged to the run's budget; passing it is an error of the query. One owner; not thread-safe.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "exec/batch.h"
#include "plan/ops.h"

struct rowbuf {
  struct arena arena;
  uint32_t width;         // cells of a row
  uint32_t *arg;          // number of the outer row of each row
  struct value **blocks;  // of ROWBUF_BLOCK_ROWS rows each
  uint32_t n, block_count, block_capacity;
  uint32_t arg_capacity;
};

enum { ROWBUF_BLOCK_ROWS = 256, ROWBUF_ROWS_MAX = UINT32_MAX - 1 };

void rowbuf_init(struct rowbuf *r, struct mem_budget *budget, uint32_t width);
void rowbuf_done(struct rowbuf *r);
/// Forgets all rows.
void rowbuf_clear(struct rowbuf *r);

static inline struct value *rowbuf_row(const struct rowbuf *r, uint32_t row) {
  return r->blocks[row / ROWBUF_BLOCK_ROWS] + (size_t) (row % ROWBUF_BLOCK_ROWS) * r->width;
}

/// Adds a row of `width` values, deep copies; its number is r->n - 1 afterwards. After a failure the row is not there.
enum err rowbuf_add(struct rowbuf *r, uint32_t arg, const struct value *cells, struct error *e) NODISCARD;
/// Writes over a row; the memory of its old texts stays the store's. After a failure the row has some of the new cells.
enum err rowbuf_set(struct rowbuf *r, uint32_t row, const struct value *cells, struct error *e) NODISCARD;
/// The columns `slots` (as many as the row is wide) of all rows of `b`.
enum err rowbuf_add_batch(struct rowbuf *r, const struct batch *b, struct plan_list slots, struct error *e) NODISCARD;

/// Rows `rows[0..n)` (NULL: from `first` on) as columns of a batch in `a`: cell i becomes slots[i]. Values point into the store.
enum err rowbuf_batch(const struct rowbuf *r, const uint32_t *rows, uint32_t first, uint32_t n, struct plan_list slots, uint32_t column_count,
                      bool has_arg, struct arena *a, struct batch **ret, struct error *e) NODISCARD;
/// Cell `cell` of these rows as a column.
enum err rowbuf_column(const struct rowbuf *r, const uint32_t *rows, uint32_t first, uint32_t n, uint32_t cell, struct arena *a,
                       struct vec *ret, struct error *e) NODISCARD;

/// Hash table from keys (the first `key_width` cells of a row, and its arg) to rows of a rowbuf, by equivalence. Rows of one key are
/// chained where `chained`.
struct rowset {
  struct rowbuf *rows;
  uint32_t key_width;
  struct arena arena;
  uint64_t *slots;  // row + 1 in the low half, high half of the hash above; 0: free
  uint32_t capacity, used;
  uint32_t *next;   // chain: row + 1 of the next row with that key; NULL unless chained
  uint32_t next_capacity;
  bool chained;
};

void rowset_init(struct rowset *s, struct rowbuf *rows, uint32_t key_width, bool chained, struct mem_budget *budget);
void rowset_done(struct rowset *s);
void rowset_clear(struct rowset *s);
uint64_t rowset_hash(uint32_t arg, const struct value *key, uint32_t width);
/// Row with that key (chained: the latest), or UINT32_MAX.
uint32_t rowset_find(const struct rowset *s, uint64_t hash, uint32_t arg, const struct value *key);
/// Enters row `row`, which is in the rowbuf. Chained: before earlier rows of its key; unchained: in place of the earlier one.
enum err rowset_put(struct rowset *s, uint64_t hash, uint32_t row, struct error *e) NODISCARD;
/// The next row of the same key, or UINT32_MAX.
static inline uint32_t rowset_next(const struct rowset *s, uint32_t row) {
  return s->next[row] != 0 ? s->next[row] - 1 : UINT32_MAX;
}
