#include "value/vec.h"

#include <string.h>

size_t vec_width(enum vec_kind kind) {
  switch (kind) {
  case VEC_ANY: return sizeof(struct value);
  case VEC_BOOL: return 1;
  case VEC_I64: return sizeof(int64_t);
  case VEC_F64: return sizeof(double);
  case VEC_STR: return sizeof(struct str);
  case VEC_NODE:
  case VEC_REL: return sizeof(uint64_t);
  }
  return 0;
}

enum err vec_alloc(struct arena *a, enum vec_kind kind, uint32_t rows, struct vec *ret, struct error *e) {
  void *data = arena_array(a, rows, vec_width(kind));
  uint8_t *nulls = data != NULL ? arena_zalloc(a, rows) : NULL;
  if (nulls == NULL) return arena_err(a, e);
  *ret = (struct vec){.kind = kind, .data = data, .nulls = nulls};
  return ERR_OK;
}

/// The kind that holds just that value; VEC_ANY for what has no column of its own.
static enum vec_kind kind_of(struct value v) {
  switch ((enum value_type) v.type) {
  case VALUE_BOOL: return VEC_BOOL;
  case VALUE_INT: return VEC_I64;
  case VALUE_FLOAT: return VEC_F64;
  case VALUE_STRING: return VEC_STR;
  case VALUE_NODE: return v.aux & VALUE_HYDRATED ? VEC_ANY : VEC_NODE;
  case VALUE_REL: return v.aux & VALUE_HYDRATED ? VEC_ANY : VEC_REL;
  default: return VEC_ANY;
  }
}

/// A null in a typed column leaves a zero behind, so that kernels may read it.
static void put_value(struct vec *ret, uint32_t row, struct value v) {
  if (ret->kind != VEC_ANY && v.type == VALUE_NULL) {
    memset((char *) ret->data + row * vec_width(ret->kind), 0, vec_width(ret->kind));
    ret->nulls[row] = 1;
    ret->has_nulls = true;
    return;
  }
  switch (ret->kind) {
  case VEC_ANY: ret->any[row] = v; break;
  case VEC_BOOL: ret->b[row] = v.b; break;
  case VEC_I64: ret->i[row] = v.i; break;
  case VEC_F64: ret->f[row] = v.f; break;
  case VEC_STR: ret->s[row] = v_text(v); break;
  case VEC_NODE:
  case VEC_REL: ret->id[row] = v.id; break;
  }
}

enum err vec_const(struct arena *a, struct value v, struct vec *ret, struct error *e) {
  struct vec made;
  TRY(vec_alloc(a, kind_of(v), 1, &made, e));
  put_value(&made, 0, v);
  made.constant = true;
  *ret = made;
  return ERR_OK;
}

struct value vec_get(const struct vec *v, uint32_t row) {
  if (v->constant) row = 0;
  if (vec_is_null(v, row)) return V_NULL;
  switch (v->kind) {
  case VEC_ANY: return v->any[row];
  case VEC_BOOL: return v_bool(v->b[row]);
  case VEC_I64: return v_int(v->i[row]);
  case VEC_F64: return v_float(v->f[row]);
  case VEC_STR: return v_str(v->s[row]);
  case VEC_NODE: return v_node(v->id[row]);
  case VEC_REL: return v_rel(v->id[row]);
  }
  return V_NULL;
}

static enum vec_kind common_kind(const struct value *values, uint32_t rows) {
  uint32_t first = 0;
  while (first < rows && values[first].type == VALUE_NULL) first++;
  if (first == rows) return VEC_ANY;
  enum vec_kind kind = kind_of(values[first]);
  for (uint32_t i = first + 1; i < rows && kind != VEC_ANY; i++)
    if (values[i].type != VALUE_NULL && kind_of(values[i]) != kind) kind = VEC_ANY;
  return kind;
}

enum err vec_from_values(struct arena *a, const struct value *values, uint32_t rows, struct vec *ret, struct error *e) {
  struct vec made;
  TRY(vec_alloc(a, common_kind(values, rows), rows, &made, e));
  for (uint32_t i = 0; i < rows; i++) put_value(&made, i, values[i]);
  *ret = made;
  return ERR_OK;
}
