#include "dbms/row_store.h"

enum { BLOCK_ROWS = 128 };

/// Column by column, so that a block is given as columns without copying.
struct row_block {
  struct row_block *next;
  uint32_t rows;
  struct vec *columns;
};

static enum err add_block(struct row_store *s, struct error *e) {
  struct row_block *block = ARENA_NEW(&s->arena, struct row_block);
  struct vec *columns = ARENA_ARRAY(&s->arena, struct vec, s->width);
  if (block == NULL || columns == NULL) return arena_err(&s->arena, e);
  for (uint32_t c = 0; c < s->width; c++) TRY(vec_alloc(&s->arena, VEC_ANY, BLOCK_ROWS, &columns[c], e));
  block->columns = columns;
  *(s->last != NULL ? &s->last->next : &s->first) = block;
  s->last = block;
  return ERR_OK;
}

/// The block with room for one more row.
static enum err open_block(struct row_store *s, struct row_block **ret, struct error *e) {
  if (s->last == NULL || s->last->rows == BLOCK_ROWS) TRY(add_block(s, e));
  *ret = s->last;
  return ERR_OK;
}

static enum err push(struct row_sink *sink, const struct vec *columns, uint32_t width, const uint32_t *sel, uint32_t rows, struct error *e) {
  struct row_store *s = CONTAINER_OF(sink, struct row_store, sink);
  for (uint32_t r = 0; r < rows; r++) {
    struct row_block *block;
    TRY(open_block(s, &block, e));
    for (uint32_t c = 0; c < width; c++) {
      struct value v = vec_get(&columns[c], sel != NULL ? sel[r] : r);
      TRY(value_copy(&s->arena, v, &block->columns[c].any[block->rows], e));
    }
    block->rows++;
    s->rows++;
  }
  return ERR_OK;
}

void row_store_init(struct row_store *s, uint32_t width, struct mem_budget *budget) {
  *s = (struct row_store){.sink.push = push, .width = width};
  arena_init(&s->arena, budget);
}

void row_store_done(struct row_store *s) {
  arena_done(&s->arena);
}

enum err row_store_add(struct row_store *s, const struct value *row, struct error *e) {
  struct row_block *block;
  TRY(open_block(s, &block, e));
  for (uint32_t c = 0; c < s->width; c++) TRY(value_copy(&s->arena, row[c], &block->columns[c].any[block->rows], e));
  block->rows++;
  s->rows++;
  return ERR_OK;
}

enum err row_store_give(struct row_store *s, uint64_t want, struct row_sink *sink, const bool *full, uint64_t *ret_rows, struct error *e) {
  uint64_t gone = 0;
  while (gone < want && s->rows > 0 && !(full != NULL && *full)) {
    struct row_block *block = s->first;
    uint32_t n = (uint32_t) MIN(want - gone, block->rows - s->given);
    if (sink != NULL && n > 0) {
      uint32_t sel[BLOCK_ROWS];
      for (uint32_t i = 0; i < n; i++) sel[i] = s->given + i;
      TRY(sink->push(sink, block->columns, s->width, sel, n, e));
    }
    s->given += n;
    s->rows -= n;
    gone += n;
    if (s->given == block->rows && s->rows > 0) s->first = block->next, s->given = 0;
  }
  *ret_rows = gone;
  return ERR_OK;
}
