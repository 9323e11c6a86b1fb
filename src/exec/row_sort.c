#include "exec/row_sort.h"

#include "value/compare.h"

enum err row_sort_init(struct exec *x, const struct plan_sort *plan, struct plan_list slots, struct row_sort *ret,
                       struct error *e) {
  *ret = (struct row_sort){plan->keys, ARENA_ARRAY(&x->arena, uint32_t, plan->key_count), plan->key_count};
  if (ret->cells == NULL) return arena_err(&x->arena, e);
  for (uint32_t k = 0; k < plan->key_count; k++) {
    uint32_t cell = 0;
    while (cell < slots.count && slots.items[cell] != plan->keys[k].slot) cell++;
    if (cell == slots.count) return error_set(e, ERR_INTERNAL, "a sort key is not among the columns of its input");
    ret->cells[k] = cell;
  }
  return ERR_OK;
}

int row_sort_compare(const struct row_sort *s, const struct rowbuf *rows, uint32_t key_count, uint32_t a, uint32_t b) {
  if (rows->arg[a] != rows->arg[b]) return rows->arg[a] < rows->arg[b] ? -1 : 1;
  const struct value *x = rowbuf_row(rows, a), *y = rowbuf_row(rows, b);
  for (uint32_t k = 0; k < key_count; k++) {
    int c = value_order(x[s->cells[k]], y[s->cells[k]]);
    if (c != 0) return s->keys[k].descending ? -c : c;
  }
  return 0;
}

struct merging {
  const struct row_sort *sort;
  const struct rowbuf *rows;
};

/// One merge of a[begin, middle) and a[middle, end) into `to`.
static void merge(struct merging m, const uint32_t *from, uint32_t *to, uint32_t begin, uint32_t middle, uint32_t end) {
  uint32_t left = begin, right = middle;
  for (uint32_t i = begin; i < end; i++) {
    bool take_left =
        left < middle && (right >= end || row_sort_compare(m.sort, m.rows, m.sort->key_count, from[left], from[right]) <= 0);
    to[i] = take_left ? from[left++] : from[right++];
  }
}

/// Merge sort from the bottom: a cancelled query stops within a merge of a few rows or a check between merges.
enum err row_sort(struct exec *x, const struct row_sort *s, const struct rowbuf *rows, uint32_t n, struct arena *a,
                  uint32_t **ret, struct error *e) {
  struct merging m = {s, rows};
  uint32_t *order = ARENA_ARRAY(a, uint32_t, n), *other = ARENA_ARRAY(a, uint32_t, n);
  if (order == NULL || other == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < n; i++) order[i] = i;
  for (uint64_t width = 1; width < n; width *= 2) {
    for (uint64_t begin = 0; begin < n; begin += 2 * width) {
      if ((begin / (2 * width)) % EXEC_CANCEL_STEPS == 0) TRY(exec_check(x, e));
      merge(m, order, other, (uint32_t) begin, (uint32_t) MIN(begin + width, n), (uint32_t) MIN(begin + 2 * width, n));
    }
    uint32_t *swap = order;
    order = other;
    other = swap;
  }
  *ret = order;
  return ERR_OK;
}
