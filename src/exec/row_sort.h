// Sorting the rows of a rowbuf by some of their cells: what Sort, Top and their partial kin share.
#pragma once

#include "exec/op.h"
#include "exec/rowbuf.h"

struct row_sort {
  const struct plan_sort_key *keys;
  uint32_t *cells; // which cell each key is
  uint32_t key_count;
};

/// The keys of a plan over rows with these slots; memory from x->arena. ERR_INTERNAL if a key is none of them.
enum err row_sort_init(struct exec *x, const struct plan_sort *plan, struct plan_list slots, struct row_sort *ret,
                       struct error *e) NODISCARD;

/// Order of two rows by their outer row, then by the first `key_count` keys.
int row_sort_compare(const struct row_sort *s, const struct rowbuf *rows, uint32_t key_count, uint32_t a, uint32_t b);

/// The first `n` rows' numbers in order, in `a`: stable; looks for a cancelled query now and then.
enum err row_sort(struct exec *x, const struct row_sort *s, const struct rowbuf *rows, uint32_t n, struct arena *a,
                  uint32_t **ret, struct error *e) NODISCARD;
