#include "exec/batch.h"

#include <string.h>

enum err batch_new(struct arena *a, uint32_t column_count, struct batch **ret, struct error *e) {
  struct batch *b = ARENA_NEW(a, struct batch);
  struct vec *columns = b != NULL ? arena_zalloc(a, (column_count + 1) * sizeof *columns) : NULL;
  if (columns == NULL) return arena_err(a, e);
  *b =
      (struct batch){.columns = columns, .column_count = column_count, .tail = {.slot_node = UINT32_MAX, .slot_rel = UINT32_MAX}};
  *ret = b;
  return ERR_OK;
}

#define GATHER(member)                                         \
  for (uint32_t i = 0; i < n; i++) out.member[i] = from->member[rows[i]]

enum err vec_gather(struct arena *a, const struct vec *from, const uint32_t *rows, uint32_t n, struct vec *ret, struct error *e) {
  if (from->constant || !vec_is_set(from)) {
    *ret = *from;
    return ERR_OK;
  }
  struct vec out = {.kind = from->kind};
  out.data = arena_array(a, n, vec_width(from->kind));
  if (out.data == NULL) return arena_err(a, e);
  switch (from->kind) {
  case VEC_ANY: GATHER(any); break;
  case VEC_BOOL: GATHER(b); break;
  case VEC_I64: GATHER(i); break;
  case VEC_F64: GATHER(f); break;
  case VEC_STR: GATHER(s); break;
  case VEC_NODE:
  case VEC_REL: GATHER(id); break;
  }
  if (from->kind != VEC_ANY) {
    out.nulls = arena_alloc(a, n);
    if (out.nulls == NULL) return arena_err(a, e);
    uint8_t any = 0;
    if (from->has_nulls) {
      for (uint32_t i = 0; i < n; i++) any |= out.nulls[i] = from->nulls[rows[i]];
    } else {
      memset(out.nulls, 0, n);
    }
    out.has_nulls = any != 0;
  }
  *ret = out;
  return ERR_OK;
}

static enum err gather_arg(struct arena *a, const struct batch *from, const uint32_t *rows, uint32_t n, const uint32_t **ret, struct error *e) {
  *ret = NULL;
  if (from->arg == NULL) return ERR_OK;
  uint32_t *arg = ARENA_ARRAY(a, uint32_t, n);
  if (arg == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < n; i++) arg[i] = from->arg[rows[i]];
  *ret = arg;
  return ERR_OK;
}

/// Row numbers to element numbers.
static enum err elements_of(struct arena *a, const struct batch *from, const uint32_t *rows, uint32_t n, const uint32_t **ret, struct error *e) {
  *ret = rows;
  if (from->sel == NULL) return ERR_OK;
  uint32_t *elements = ARENA_ARRAY(a, uint32_t, n);
  if (elements == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < n; i++) elements[i] = from->sel[rows[i]];
  *ret = elements;
  return ERR_OK;
}

enum err batch_gather(struct arena *a, const struct batch *from, const uint32_t *rows, uint32_t n, struct batch **ret, struct error *e) {
  struct batch *b;
  const uint32_t *elements;
  TRY(batch_new(a, from->column_count, &b, e));
  TRY(elements_of(a, from, rows, n, &elements, e));
  for (uint32_t slot = 0; slot < from->column_count; slot++)
    TRY(vec_gather(a, &from->columns[slot], elements, n, &b->columns[slot], e));
  TRY(gather_arg(a, from, rows, n, &b->arg, e));
  b->n = n;
  *ret = b;
  return ERR_OK;
}

enum err batch_dense(struct arena *a, const struct batch *from, const struct batch **ret, struct error *e) {
  *ret = from;
  if (from->sel == NULL) return ERR_OK;
  struct batch *b;
  TRY(batch_new(a, from->column_count, &b, e));
  for (uint32_t slot = 0; slot < from->column_count; slot++)
    TRY(vec_gather(a, &from->columns[slot], from->sel, from->n, &b->columns[slot], e));
  b->arg = from->arg;
  b->n = from->n;
  *ret = b;
  return ERR_OK;
}

enum err batch_select(struct arena *a, const struct batch *from, const uint32_t *rows, uint32_t n, struct batch **ret, struct error *e) {
  struct batch *b = ARENA_NEW(a, struct batch);
  if (b == NULL) return arena_err(a, e);
  *b = *from;
  TRY(elements_of(a, from, rows, n, &b->sel, e));
  TRY(gather_arg(a, from, rows, n, &b->arg, e));
  b->n = n;
  *ret = b;
  return ERR_OK;
}
