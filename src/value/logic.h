// Three-valued logic: for single values, and for columns.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "value/vec.h"

enum ternary { TERNARY_FALSE, TERNARY_TRUE, TERNARY_NULL };

static inline enum ternary ternary_of(bool b) {
  return b ? TERNARY_TRUE : TERNARY_FALSE;
}

static inline enum ternary ternary_not(enum ternary a) {
  return a == TERNARY_NULL ? TERNARY_NULL : ternary_of(a == TERNARY_FALSE);
}

static inline enum ternary ternary_and(enum ternary a, enum ternary b) {
  if (a == TERNARY_FALSE || b == TERNARY_FALSE) return TERNARY_FALSE;
  return a == TERNARY_NULL || b == TERNARY_NULL ? TERNARY_NULL : TERNARY_TRUE;
}

static inline enum ternary ternary_or(enum ternary a, enum ternary b) {
  return ternary_not(ternary_and(ternary_not(a), ternary_not(b)));
}

static inline enum ternary ternary_xor(enum ternary a, enum ternary b) {
  return a == TERNARY_NULL || b == TERNARY_NULL ? TERNARY_NULL : ternary_of(a != b);
}

static inline struct value ternary_value(enum ternary t) {
  return t == TERNARY_NULL ? V_NULL : v_bool(t == TERNARY_TRUE);
}

/// Of a BOOL or null; the caller has checked the type.
static inline enum ternary ternary_of_value(struct value v) {
  return v.type == VALUE_NULL ? TERNARY_NULL : ternary_of(v.b);
}

/// Column kernels. `a` and `b` are VEC_BOOL, constant or not; `ret` is VEC_BOOL with room for `rows` rows (vec_alloc), may be
/// one of the inputs, and gets value 0 where it is null and has_nulls set exactly if a null came out.
void logic_and(const struct vec *a, const struct vec *b, uint32_t rows, struct vec *ret);
void logic_or(const struct vec *a, const struct vec *b, uint32_t rows, struct vec *ret);
void logic_xor(const struct vec *a, const struct vec *b, uint32_t rows, struct vec *ret);
void logic_not(const struct vec *a, uint32_t rows, struct vec *ret);

/// Writes the numbers of the rows that are true to `sel` (room for `rows`) and returns how many: a filter's last step.
uint32_t logic_select(const struct vec *a, uint32_t rows, uint32_t *sel);
