#include "bolt/records.h"

#include "base/bytes.h"
#include "bolt/chunk.h"

enum { ROWS_AT_ONCE = 256 };

#define RECORD_HEAD STR("\xb1\x71")

/// A row longer than a chunk may be, or one behind it: written and chunked on its own.
static enum err push_row(struct bolt_records *r, const struct vec *columns, uint32_t row, struct error *e) {
  struct packstream_row_frame frame = {.free_before = BOLT_CHUNK_HEAD_BYTES, .head = RECORD_HEAD};
  size_t start = r->out.len, end;
  enum err err = packstream_write_rows(&r->out, r->profile, &frame, columns, r->width, &row, 1, &end, e);
  if (err == ERR_OK && bolt_chunk_end(&r->out, start) != ERR_OK) err = error_set(e, ERR_NOMEM, "no memory for a record");
  if (err != ERR_OK) r->out.len = start;
  return err;
}

static bool fill_frames(struct bolt_records *r, size_t start, const size_t *ends, uint32_t rows) {
  for (uint32_t i = 0; i < rows; i++) {
    size_t size = ends[i] - start - BOLT_CHUNK_HEAD_BYTES - BOLT_CHUNK_END_BYTES;
    if (size > BOLT_CHUNK_BYTES_MAX) return false;
    put_u16_be(r->out.data + start, (uint16_t) size);
    put_u16_be(r->out.data + ends[i] - BOLT_CHUNK_END_BYTES, 0);
    start = ends[i];
  }
  return true;
}

static enum err push_some(struct bolt_records *r, const struct vec *columns, const uint32_t *rows, uint32_t count,
                          struct error *e) {
  static const struct packstream_row_frame frame = {BOLT_CHUNK_HEAD_BYTES, {"\xb1\x71", 2}, BOLT_CHUNK_END_BYTES};
  size_t ends[ROWS_AT_ONCE], start = r->out.len;
  enum err err = packstream_write_rows(&r->out, r->profile, &frame, columns, r->width, rows, count, ends, e);
  if (err != ERR_OK) {
    r->out.len = start;
    return err;
  }
  if (fill_frames(r, start, ends, count)) return ERR_OK;
  r->out.len = start;
  for (uint32_t i = 0; i < count; i++) TRY(push_row(r, columns, rows[i], e));
  return ERR_OK;
}

static enum err push(struct row_sink *sink, const struct vec *columns, uint32_t width, const uint32_t *sel, uint32_t rows,
                     struct error *e) {
  struct bolt_records *r = CONTAINER_OF(sink, struct bolt_records, sink);
  if (width != r->width) return error_set(e, ERR_INTERNAL, "a record of %u fields in a result of %u columns", width, r->width);
  for (uint32_t at = 0; at < rows; at += ROWS_AT_ONCE) {
    uint32_t picked[ROWS_AT_ONCE], count = MIN(rows - at, (uint32_t) ROWS_AT_ONCE);
    for (uint32_t i = 0; i < count; i++) picked[i] = sel != NULL ? sel[at + i] : at + i;
    TRY(push_some(r, columns, picked, count, e));
  }
  if (buf_reserve(&r->out, BOLT_HELD_BYTES + BOLT_ANSWER_BYTES) != ERR_OK)
    return error_set(e, ERR_NOMEM, "no memory for a record");
  r->full = r->out.len >= r->full_bytes;
  return ERR_OK;
}

void bolt_records_init(struct bolt_records *r, const struct packstream_profile *profile, size_t full_bytes) {
  *r = (struct bolt_records){.sink.push = push, .profile = profile, .full_bytes = full_bytes};
}

void bolt_records_done(struct bolt_records *r) {
  buf_done(&r->out);
}
