#include "value/logic.h"

#include <string.h>

// Columns are worked on in blocks, so that a constant or a missing null column becomes a small array and the loops stay free of
// branches: compilers turn each into vector code.
enum { BLOCK_ROWS = 1024 };

struct block {
  const uint8_t *values, *nulls;
  uint8_t value_fill[BLOCK_ROWS], null_fill[BLOCK_ROWS];
};

static void block_open(struct block *b, const struct vec *v) {
  if (v->constant) memset(b->value_fill, v->b[0] & !vec_is_null(v, 0), BLOCK_ROWS);
  if (v->constant || !v->has_nulls) memset(b->null_fill, vec_is_null(v, 0) && v->constant, BLOCK_ROWS);
}

static void block_at(struct block *b, const struct vec *v, uint32_t row) {
  b->values = v->constant ? b->value_fill : v->b + row;
  b->nulls = v->constant || !v->has_nulls ? b->null_fill : v->nulls + row;
}

static uint8_t and_block(const struct block *a, const struct block *b, uint32_t rows, uint8_t *values, uint8_t *nulls) {
  uint8_t any = 0;
  for (uint32_t i = 0; i < rows; i++) {
    uint8_t is_true = (a->values[i] & ~a->nulls[i]) & (b->values[i] & ~b->nulls[i]) & 1;
    uint8_t is_false = ((~a->values[i] & ~a->nulls[i]) | (~b->values[i] & ~b->nulls[i])) & 1;
    values[i] = is_true;
    nulls[i] = (is_true | is_false) ^ 1;
    any |= nulls[i];
  }
  return any;
}

static uint8_t or_block(const struct block *a, const struct block *b, uint32_t rows, uint8_t *values, uint8_t *nulls) {
  uint8_t any = 0;
  for (uint32_t i = 0; i < rows; i++) {
    uint8_t is_true = ((a->values[i] & ~a->nulls[i]) | (b->values[i] & ~b->nulls[i])) & 1;
    uint8_t is_false = (~a->values[i] & ~a->nulls[i]) & (~b->values[i] & ~b->nulls[i]) & 1;
    values[i] = is_true;
    nulls[i] = (is_true | is_false) ^ 1;
    any |= nulls[i];
  }
  return any;
}

static uint8_t xor_block(const struct block *a, const struct block *b, uint32_t rows, uint8_t *values, uint8_t *nulls) {
  uint8_t any = 0;
  for (uint32_t i = 0; i < rows; i++) {
    uint8_t null = (a->nulls[i] | b->nulls[i]) & 1;
    values[i] = (a->values[i] ^ b->values[i]) & (null ^ 1);
    nulls[i] = null;
    any |= null;
  }
  return any;
}

typedef uint8_t (*block_function)(const struct block *a, const struct block *b, uint32_t rows, uint8_t *values, uint8_t *nulls);

static void each_block(const struct vec *a, const struct vec *b, uint32_t rows, struct vec *ret, block_function f) {
  struct block left, right;
  block_open(&left, a);
  block_open(&right, b);
  uint8_t any = 0;
  for (uint32_t row = 0; row < rows; row += BLOCK_ROWS) {
    block_at(&left, a, row);
    block_at(&right, b, row);
    any |= f(&left, &right, MIN(rows - row, BLOCK_ROWS), ret->b + row, ret->nulls + row);
  }
  ret->constant = false;
  ret->has_nulls = any;
}

void logic_and(const struct vec *a, const struct vec *b, uint32_t rows, struct vec *ret) {
  each_block(a, b, rows, ret, and_block);
}

void logic_or(const struct vec *a, const struct vec *b, uint32_t rows, struct vec *ret) {
  each_block(a, b, rows, ret, or_block);
}

void logic_xor(const struct vec *a, const struct vec *b, uint32_t rows, struct vec *ret) {
  each_block(a, b, rows, ret, xor_block);
}

void logic_not(const struct vec *a, uint32_t rows, struct vec *ret) {
  uint8_t one = 1, no_null = 0;
  struct vec always = {.kind = VEC_BOOL, .constant = true, .b = &one, .nulls = &no_null};
  each_block(a, &always, rows, ret, xor_block);
}

uint32_t logic_select(const struct vec *a, uint32_t rows, uint32_t *sel) {
  uint32_t selected = 0;
  struct block in;
  block_open(&in, a);
  for (uint32_t row = 0; row < rows; row += BLOCK_ROWS) {
    block_at(&in, a, row);
    uint32_t len = MIN(rows - row, BLOCK_ROWS);
    for (uint32_t i = 0; i < len; i++) {
      sel[selected] = row + i;
      selected += in.values[i] & ~in.nulls[i] & 1;
    }
  }
  return selected;
}
