// A batch of rows at once: columns of one type need no boxing.
#include "wire/packstream_int.h"

enum { CELL_BYTES_MAX = 9, LIST_HEAD_BYTES_MAX = 5 };

/// buf_reserve without the call where there is room.
static inline enum err reserve(struct buf *out, size_t bytes) {
  return LIKELY(out->capacity - out->len >= bytes) ? ERR_OK : buf_reserve(out, bytes);
}

static uint8_t *put_byte(uint8_t *p, uint8_t byte) {
  *p = byte;
  return p + 1;
}

/// Writes a cell of at most CELL_BYTES_MAX bytes at `p`; returns what is behind it.
static uint8_t *put_number(uint8_t *p, const struct vec *column, uint32_t row) {
  if (column->has_nulls && column->nulls[row]) return put_byte(p, MARKER_NULL);
  switch (column->kind) {
  case VEC_BOOL: return put_byte(p, column->b[row] ? MARKER_TRUE : MARKER_FALSE);
  case VEC_I64: return packstream_put_int(p, column->i[row]);
  default: return packstream_put_float(p, column->f[row]);
  }
}

static enum err write_number(struct buf *out, const struct vec *column, uint32_t row) {
  TRY(reserve(out, CELL_BYTES_MAX));
  uint8_t *from = (uint8_t *) out->data + out->len;
  out->len += (size_t) (put_number(from, column, row) - from);
  return ERR_OK;
}

static enum err write_cell(struct buf *out, const struct packstream_profile *profile, const struct vec *column, uint32_t row,
                           struct error *e) {
  if (column->constant) row = 0;
  switch (column->kind) {
  case VEC_BOOL:
  case VEC_I64:
  case VEC_F64: return write_number(out, column, row);
  case VEC_ANY: return packstream_write_value(out, profile, column->any[row], e);
  case VEC_STR:
    if (column->has_nulls && column->nulls[row]) return packstream_write_null(out);
    if (column->s[row].len > PACKSTREAM_VALUE_BYTES_MAX) return packstream_too_long(e);
    return packstream_write_str(out, column->s[row]);
  case VEC_NODE:
  case VEC_REL:
    if (column->has_nulls && column->nulls[row]) return packstream_write_null(out);
    return error_set(e, ERR_INTERNAL, "An entity reached the encoder as a bare id.");
  }
  return ERR_OK;
}

static enum err begin_row(struct buf *out, const struct packstream_row_frame *frame, uint32_t width) {
  TRY(reserve(out,
              frame->free_before + frame->head.len + LIST_HEAD_BYTES_MAX + (size_t) width * CELL_BYTES_MAX + frame->free_after));
  uint8_t *p = (uint8_t *) out->data + out->len + frame->free_before;
  if (frame->head.len > 0) memcpy(p, frame->head.ptr, frame->head.len);
  p = packstream_put_size(p + frame->head.len, MARKER_TINY_LIST, MARKER_LIST8, width);
  out->len = (size_t) (p - (uint8_t *) out->data);
  return ERR_OK;
}

static enum err write_rows(struct buf *out, const struct packstream_profile *profile, const struct packstream_row_frame *frame,
                           const struct vec *columns, uint32_t width, const uint32_t *sel, uint32_t rows, size_t *ends,
                           struct error *e) {
  for (uint32_t r = 0; r < rows; r++) {
    uint32_t row = sel != NULL ? sel[r] : r;
    size_t start = out->len;
    TRY(begin_row(out, frame, width));
    for (uint32_t c = 0; c < width; c++) TRY(write_cell(out, profile, &columns[c], row, e));
    if (out->len - start > PACKSTREAM_VALUE_BYTES_MAX) return packstream_too_long(e);
    TRY(reserve(out, frame->free_after));
    out->len += frame->free_after;
    ends[r] = out->len;
  }
  return ERR_OK;
}

enum err packstream_write_rows(struct buf *out, const struct packstream_profile *profile,
                               const struct packstream_row_frame *frame, const struct vec *columns, uint32_t width,
                               const uint32_t *sel, uint32_t rows, size_t *ends, struct error *e) {
  enum err err = write_rows(out, profile, frame, columns, width, sel, rows, ends, e);
  return err == ERR_NOMEM ? error_ensure(e, ERR_NOMEM) : err;
}
