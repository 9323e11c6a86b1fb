// Columns: many values of one batch, typed where all are of one type.
//
// The producer of a column decides its kind for each batch at run time (a property reader emits VEC_I64 when all its values are
// integers, else VEC_ANY). Kernels switch on kinds once a batch; VEC_ANY falls back to a loop over boxed values.
// Memory belongs to the arena of the batch; a vec is a view of it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "value/value.h"

enum vec_kind {
  VEC_ANY, // struct value each; nulls are values of type null
  VEC_BOOL,
  VEC_I64,
  VEC_F64,
  VEC_STR,
  VEC_NODE, // entity ids
  VEC_REL,
};

struct vec {
  enum vec_kind kind;
  bool constant;  // one value, at index 0, for all rows
  bool has_nulls; // only then is `nulls` looked at; never set for VEC_ANY
  union {
    void *data;
    struct value *any;
    uint8_t *b; // 0 or 1
    int64_t *i;
    double *f;
    struct str *s;
    uint64_t *id;
  };
  uint8_t *nulls; // one byte a row, 1 for null
};

/// Bytes of one element of that kind.
size_t vec_width(enum vec_kind kind);

/// Room for `rows` elements, uninitialised, and for null bytes, zeroed. ERR_NOMEM or the arena's budget error.
enum err vec_alloc(struct arena *a, enum vec_kind kind, uint32_t rows, struct vec *ret, struct error *e) NODISCARD;

/// A constant column.
enum err vec_const(struct arena *a, struct value v, struct vec *ret, struct error *e) NODISCARD;

/// Element `row` as a boxed value; strings are shared, not copied.
struct value vec_get(const struct vec *v, uint32_t row);

/// True if element `row` is null.
static inline bool vec_is_null(const struct vec *v, uint32_t row) {
  if (v->constant) row = 0;
  return v->kind == VEC_ANY ? v->any[row].type == VALUE_NULL : v->has_nulls && v->nulls[row];
}

/// Finds the narrowest kind for `rows` boxed values and converts: the way in which a producer settles a column's type.
enum err vec_from_values(struct arena *a, const struct value *values, uint32_t rows, struct vec *ret, struct error *e) NODISCARD;
