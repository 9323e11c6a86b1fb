#include "exec/rowbuf.h"

#include <string.h>

#include "base/checksum.h"
#include "value/compare.h"

void rowbuf_init(struct rowbuf *r, struct mem_budget *budget, uint32_t width) {
  *r = (struct rowbuf){.width = width};
  arena_init(&r->arena, budget);
}

void rowbuf_done(struct rowbuf *r) {
  arena_done(&r->arena);
}

void rowbuf_clear(struct rowbuf *r) {
  arena_reset(&r->arena);
  r->n = r->block_count = r->block_capacity = r->arg_capacity = 0;
  r->blocks = NULL;
  r->arg = NULL;
}

/// Room for one more row: a block, its place in the table, its number.
static enum err reserve(struct rowbuf *r, struct error *e) {
  if (r->n >= ROWBUF_ROWS_MAX) return error_set(e, ERR_TX_MEMORY, "The query holds more than 2^32 rows at a time.");
  if (r->n == r->arg_capacity) {
    uint32_t capacity = MAX(64, r->arg_capacity * 2);
    uint32_t *arg = arena_grow(&r->arena, r->arg, r->arg_capacity * sizeof *arg, capacity * sizeof *arg);
    if (arg == NULL) return arena_err(&r->arena, e);
    r->arg = arg;
    r->arg_capacity = capacity;
  }
  if (r->n / ROWBUF_BLOCK_ROWS < r->block_count) return ERR_OK;
  if (r->block_count == r->block_capacity) {
    uint32_t capacity = MAX(16, r->block_capacity * 2);
    struct value **blocks = arena_grow(&r->arena, r->blocks, r->block_capacity * sizeof *blocks, capacity * sizeof *blocks);
    if (blocks == NULL) return arena_err(&r->arena, e);
    r->blocks = blocks;
    r->block_capacity = capacity;
  }
  struct value *block = arena_array(&r->arena, (size_t) ROWBUF_BLOCK_ROWS * r->width, sizeof *block);
  if (block == NULL) return arena_err(&r->arena, e);
  r->blocks[r->block_count++] = block;
  return ERR_OK;
}

static bool is_flat(struct value v) {
  return v.type <= VALUE_FLOAT || (v.type >= VALUE_DATE && v.type <= VALUE_DATETIME) ||
         ((v.type == VALUE_NODE || v.type == VALUE_REL) && !(v.aux & VALUE_HYDRATED));
}

static enum err copy_cell(struct rowbuf *r, struct value v, struct value *ret, struct error *e) {
  if (!is_flat(v)) return value_copy(&r->arena, v, ret, e);
  *ret = v;
  return ERR_OK;
}

enum err rowbuf_add(struct rowbuf *r, uint32_t arg, const struct value *cells, struct error *e) {
  TRY(reserve(r, e));
  struct value *row = rowbuf_row(r, r->n);
  for (uint32_t i = 0; i < r->width; i++) TRY(copy_cell(r, cells[i], &row[i], e));
  r->arg[r->n++] = arg;
  return ERR_OK;
}

enum err rowbuf_set(struct rowbuf *r, uint32_t row, const struct value *cells, struct error *e) {
  struct value *to = rowbuf_row(r, row);
  for (uint32_t i = 0; i < r->width; i++) TRY(copy_cell(r, cells[i], &to[i], e));
  return ERR_OK;
}

enum err rowbuf_add_batch(struct rowbuf *r, const struct batch *b, struct plan_list slots, struct error *e) {
  for (uint32_t i = 0; i < b->n; i++) {
    TRY(reserve(r, e));
    struct value *row = rowbuf_row(r, r->n);
    for (uint32_t k = 0; k < slots.count; k++) TRY(copy_cell(r, batch_get(b, slots.items[k], i), &row[k], e));
    r->arg[r->n++] = batch_arg(b, i);
  }
  return ERR_OK;
}

enum err rowbuf_column(const struct rowbuf *r, const uint32_t *rows, uint32_t first, uint32_t n, uint32_t cell, struct arena *a,
                       struct vec *ret, struct error *e) {
  struct value *values = ARENA_ARRAY(a, struct value, n);
  if (values == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < n; i++) values[i] = rowbuf_row(r, rows != NULL ? rows[i] : first + i)[cell];
  return vec_from_values(a, values, n, ret, e);
}

enum err rowbuf_batch(const struct rowbuf *r, const uint32_t *rows, uint32_t first, uint32_t n, struct plan_list slots, uint32_t column_count,
                      bool has_arg, struct arena *a, struct batch **ret, struct error *e) {
  struct batch *b;
  TRY(batch_new(a, column_count, &b, e));
  for (uint32_t i = 0; i < slots.count; i++) TRY(rowbuf_column(r, rows, first, n, i, a, &b->columns[slots.items[i]], e));
  if (has_arg) {
    uint32_t *arg = ARENA_ARRAY(a, uint32_t, n);
    if (arg == NULL) return arena_err(a, e);
    for (uint32_t i = 0; i < n; i++) arg[i] = r->arg[rows != NULL ? rows[i] : first + i];
    b->arg = arg;
  }
  b->n = n;
  *ret = b;
  return ERR_OK;
}

void rowset_init(struct rowset *s, struct rowbuf *rows, uint32_t key_width, bool chained, struct mem_budget *budget) {
  *s = (struct rowset){.rows = rows, .key_width = key_width, .chained = chained};
  arena_init(&s->arena, budget);
}

void rowset_done(struct rowset *s) {
  arena_done(&s->arena);
}

void rowset_clear(struct rowset *s) {
  arena_reset(&s->arena);
  s->slots = NULL;
  s->next = NULL;
  s->capacity = s->used = s->next_capacity = 0;
}

uint64_t rowset_hash(uint32_t arg, const struct value *key, uint32_t width) {
  uint64_t h = hash_u64(arg + UINT64_C(0x9E3779B97F4A7C15));
  for (uint32_t i = 0; i < width; i++) h = hash_u64(h * 31 + value_hash(key[i]));
  return h;
}

static bool is_key(const struct rowset *s, uint32_t row, uint32_t arg, const struct value *key) {
  if (s->rows->arg[row] != arg) return false;
  const struct value *cells = rowbuf_row(s->rows, row);
  for (uint32_t i = 0; i < s->key_width; i++)
    if (!value_equivalent(cells[i], key[i])) return false;
  return true;
}

/// The slot of that key, or the free one where it would be.
static uint64_t *locate(const struct rowset *s, uint64_t hash, uint32_t arg, const struct value *key) {
  for (uint64_t at = hash;; at++) {
    uint64_t *slot = &s->slots[at & (s->capacity - 1)];
    if (*slot == 0) return slot;
    if (*slot >> 32 == hash >> 32 && is_key(s, (uint32_t) *slot - 1, arg, key)) return slot;
  }
}

uint32_t rowset_find(const struct rowset *s, uint64_t hash, uint32_t arg, const struct value *key) {
  if (s->capacity == 0) return UINT32_MAX;
  uint64_t slot = *locate(s, hash, arg, key);
  return slot != 0 ? (uint32_t) slot - 1 : UINT32_MAX;
}

static enum err grow(struct rowset *s, struct error *e) {
  uint32_t capacity = MAX(64, s->capacity * 2);
  if (capacity == 0 || capacity > 1u << 30) return error_set(e, ERR_TX_MEMORY, "A hash table of the query has more than 2^29 keys.");
  uint64_t *slots = arena_zalloc(&s->arena, capacity * sizeof *slots);
  if (slots == NULL) return arena_err(&s->arena, e);
  for (uint32_t i = 0; i < s->capacity; i++) {
    if (s->slots[i] == 0) continue;
    uint32_t row = (uint32_t) s->slots[i] - 1;
    uint64_t at = rowset_hash(s->rows->arg[row], rowbuf_row(s->rows, row), s->key_width);
    while (slots[at & (capacity - 1)] != 0) at++;
    slots[at & (capacity - 1)] = s->slots[i];
  }
  s->slots = slots;
  s->capacity = capacity;
  return ERR_OK;
}

static enum err reserve_chain(struct rowset *s, uint32_t row, struct error *e) {
  if (!s->chained || row < s->next_capacity) return ERR_OK;
  uint32_t capacity = MAX(64, s->next_capacity);
  while (capacity <= row) capacity *= 2;
  uint32_t *next = arena_grow(&s->arena, s->next, s->next_capacity * sizeof *next, capacity * sizeof *next);
  if (next == NULL) return arena_err(&s->arena, e);
  s->next = next;
  s->next_capacity = capacity;
  return ERR_OK;
}

/// A new row becomes the head of its key's chain.
enum err rowset_put(struct rowset *s, uint64_t hash, uint32_t row, struct error *e) {
  if (s->used * 2 >= s->capacity) TRY(grow(s, e));
  TRY(reserve_chain(s, row, e));
  uint64_t *slot = locate(s, hash, s->rows->arg[row], rowbuf_row(s->rows, row));
  if (s->chained) s->next[row] = *slot != 0 ? (uint32_t) *slot : 0;
  if (*slot == 0) s->used++;
  *slot = (hash & ~UINT64_C(0xFFFFFFFF)) | (row + 1);
  return ERR_OK;
}
