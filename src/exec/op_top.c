// Top outside of right sides: the best rows in a heap whose head is the worst of them. Most rows are compared with the head and
// go no further; none of them is copied. Stable: of equal rows the one that came first is better.
#include "exec/op.h"
#include "exec/rowbuf.h"
#include "value/compare.h"

enum { TOP_REPLACED_MAX = 8192 }; // rows written over before the memory of their texts is taken back

struct top {
  struct op op;
  struct rowbuf rows;
  struct plan_list slots;  // of the cells of a row
  uint32_t *key_cells;     // which cell each key is
  struct value *cells;     // of the row under way
  uint64_t limit;
  struct arena heap_arena;
  struct top_entry {
    uint64_t came; // number of the row in the input
    uint32_t row;  // in `rows`
  } *heap;
  uint32_t n, capacity, at;
  uint64_t came, replaced;
  bool limited, sorted;
};

static enum err top_open(struct op *op, struct error *e) {
  struct top *s = (struct top *) op;
  const struct plan_sort *plan = &op->plan->sort;
  s->slots = op->children[0]->plan->out;
  rowbuf_init(&s->rows, &op->x->budget, s->slots.count);
  arena_init(&s->heap_arena, &op->x->budget);
  s->key_cells = ARENA_ARRAY(&op->x->arena, uint32_t, plan->key_count);
  s->cells = ARENA_ARRAY(&op->x->arena, struct value, s->slots.count);
  if (s->key_cells == NULL || s->cells == NULL) return arena_err(&op->x->arena, e);
  for (uint32_t k = 0; k < plan->key_count; k++) {
    uint32_t cell = 0;
    while (cell < s->slots.count && s->slots.items[cell] != plan->keys[k].slot) cell++;
    if (cell == s->slots.count) return error_set(e, ERR_INTERNAL, "a sort key is not among the columns of its input");
    s->key_cells[k] = cell;
  }
  return ERR_OK;
}

static int compare_cells(const struct op *op, const struct value *x, const struct value *y) {
  const struct top *s = (const struct top *) op;
  for (uint32_t k = 0; k < op->plan->sort.key_count; k++) {
    int c = value_order(x[s->key_cells[k]], y[s->key_cells[k]]);
    if (c != 0) return op->plan->sort.keys[k].descending ? -c : c;
  }
  return 0;
}

static bool is_worse(const struct op *op, const struct top_entry *a, const struct top_entry *b) {
  const struct top *s = (const struct top *) op;
  int c = compare_cells(op, rowbuf_row(&s->rows, a->row), rowbuf_row(&s->rows, b->row));
  return c != 0 ? c > 0 : a->came > b->came;
}

static void swap(struct top_entry *a, struct top_entry *b) {
  struct top_entry t = *a;
  *a = *b;
  *b = t;
}

static void sift_up(struct op *op, uint32_t at) {
  struct top_entry *heap = ((struct top *) op)->heap;
  for (; at > 0 && is_worse(op, &heap[at], &heap[(at - 1) / 2]); at = (at - 1) / 2) swap(&heap[at], &heap[(at - 1) / 2]);
}

static void sift_down(struct op *op, uint32_t n) {
  struct top_entry *heap = ((struct top *) op)->heap;
  for (uint32_t at = 0;;) {
    uint32_t worst = at;
    for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++)
      if (is_worse(op, &heap[child], &heap[worst])) worst = child;
    if (worst == at) return;
    swap(&heap[at], &heap[worst]);
    at = worst;
  }
}

/// A row while there is room.
static enum err add(struct op *op, struct error *e) {
  struct top *s = (struct top *) op;
  if (s->n == s->capacity) {
    uint32_t capacity = MAX(16, s->capacity * 2);
    struct top_entry *heap = arena_grow(&s->heap_arena, s->heap, s->capacity * sizeof *heap, capacity * sizeof *heap);
    if (heap == NULL) return arena_err(&s->heap_arena, e);
    s->heap = heap;
    s->capacity = capacity;
  }
  TRY(rowbuf_add(&s->rows, 0, s->cells, e));
  s->heap[s->n] = (struct top_entry){s->came, s->rows.n - 1};
  sift_up(op, s->n++);
  return ERR_OK;
}

/// The rows anew, without what was written over.
static enum err compact(struct top *s, struct error *e) {
  struct rowbuf kept;
  rowbuf_init(&kept, s->rows.arena.budget, s->rows.width);
  for (uint32_t i = 0; i < s->n; i++) {
    enum err err = rowbuf_add(&kept, 0, rowbuf_row(&s->rows, s->heap[i].row), e);
    if (err == ERR_OK) continue;
    rowbuf_done(&kept);
    return err;
  }
  for (uint32_t i = 0; i < s->n; i++) s->heap[i].row = i;
  rowbuf_done(&s->rows);
  s->rows = kept;
  s->replaced = 0;
  return ERR_OK;
}

/// In place of the worst.
static enum err replace(struct op *op, struct error *e) {
  struct top *s = (struct top *) op;
  TRY(rowbuf_set(&s->rows, s->heap[0].row, s->cells, e));
  s->heap[0].came = s->came;
  sift_down(op, s->n);
  return ++s->replaced < TOP_REPLACED_MAX + s->n ? ERR_OK : compact(s, e);
}

/// By the first key alone, where it is an integer in a typed column: the row is worse than the head.
static bool is_hopeless(const struct op *op, const struct vec *first, uint32_t at, struct value head) {
  if (first->kind != VEC_I64 || first->has_nulls || first->constant || head.type != VALUE_INT) return false;
  return op->plan->sort.keys[0].descending ? first->i[at] < head.i : first->i[at] > head.i;
}

static enum err take_batch(struct op *op, const struct batch *in, struct error *e) {
  struct top *s = (struct top *) op;
  const struct vec *first = &in->columns[op->plan->sort.keys[0].slot];
  for (uint32_t i = 0; i < in->n; i++, s->came++) {
    bool full = s->n == s->limit;
    if (full && is_hopeless(op, first, batch_index(in, i), rowbuf_row(&s->rows, s->heap[0].row)[s->key_cells[0]])) continue;
    for (uint32_t k = 0; k < s->slots.count; k++) s->cells[k] = batch_get(in, s->slots.items[k], i);
    if (!full) {
      TRY(add(op, e));
    } else if (compare_cells(op, s->cells, rowbuf_row(&s->rows, s->heap[0].row)) < 0) {
      TRY(replace(op, e));
    }
  }
  return ERR_OK;
}

/// The heap becomes a list, best first.
static void sort_heap(struct op *op) {
  struct top *s = (struct top *) op;
  for (uint32_t n = s->n; n > 1; n--) {
    swap(&s->heap[0], &s->heap[n - 1]);
    sift_down(op, n - 1);
  }
}

static enum err read_all(struct op *op, struct error *e) {
  struct top *s = (struct top *) op;
  if (!s->limited) TRY(op_top_limit(op, &s->limit, e));
  s->limited = true;
  for (;;) {
    const struct batch *in;
    TRY(op_next(op->children[0], EXEC_BATCH_ROWS, &in, e));
    if (in == NULL) break;
    if (s->limit > 0) TRY(take_batch(op, in, e));
  }
  sort_heap(op);
  s->sorted = true;
  return ERR_OK;
}

static enum err top_next(struct op *op, uint32_t want, const struct batch **ret, struct error *e) {
  struct top *s = (struct top *) op;
  arena_reset(&op->out);
  if (!s->sorted) TRY(read_all(op, e));
  uint32_t n = MIN(s->n - s->at, MIN(want, EXEC_BATCH_ROWS));
  if (n == 0) return ERR_OK;
  uint32_t *rows = ARENA_ARRAY(&op->out, uint32_t, n);
  if (rows == NULL) return arena_err(&op->out, e);
  for (uint32_t i = 0; i < n; i++) rows[i] = s->heap[s->at + i].row;
  struct batch *out = NULL;
  TRY(rowbuf_batch(&s->rows, rows, 0, n, s->slots, op->x->plan->slot_count, false, &op->out, &out, e));
  s->at += n;
  *ret = out;
  return ERR_OK;
}

static void top_close(struct op *op) {
  struct top *s = (struct top *) op;
  rowbuf_done(&s->rows);
  arena_done(&s->heap_arena);
}

const struct op_class op_top_class = {.bytes = sizeof(struct top), .open = top_open, .next = top_next, .close = top_close};
