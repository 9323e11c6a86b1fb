#include "bolt/client_rows.h"

void bolt_client_rows_init(struct bolt_client_rows *r, struct mem_budget *budget) {
  r->count = r->width = 0;
  r->bytes = 0;
  arena_init(&r->arena, budget);
}

void bolt_client_rows_done(struct bolt_client_rows *r) {
  arena_done(&r->arena);
}

void bolt_client_rows_clear(struct bolt_client_rows *r) {
  r->count = r->width = 0;
  r->bytes = 0;
  arena_reset(&r->arena);
}

static enum err read_row(struct bolt_client_rows *r, const struct packstream_profile *profile, struct str copy, struct value *ret,
                         struct error *e) {
  struct packstream_reader reader;
  uint8_t tag;
  uint32_t fields;
  packstream_reader_init(&reader, *profile, (struct packstream_limits){0}, copy.ptr, copy.len, &r->arena);
  TRY(packstream_read_message(&reader, &tag, &fields, e));
  if (fields != 1) return error_set(e, ERR_PROTOCOL, "A record has %u fields", fields);
  TRY(packstream_read_value(&reader, ret, e));
  TRY(packstream_read_end(&reader, e));
  if (ret->type == VALUE_LIST && (r->count == 0 || ret->len == r->width)) return ERR_OK;
  return error_set(e, ERR_PROTOCOL, "A record is no list, or not as wide as the one before it");
}

enum err bolt_client_rows_add(struct bolt_client_rows *r, const struct packstream_profile *profile, struct str message,
                              struct error *e) {
  struct str copy = arena_str(&r->arena, message);
  struct value row = V_NULL;
  if (copy.ptr == NULL) return arena_err(&r->arena, e);
  TRY(read_row(r, profile, copy, &row, e));
  r->width = row.len;
  r->rows[r->count++] = row.items;
  r->bytes += message.len;
  return ERR_OK;
}

static enum err turn(struct bolt_client_rows *r, struct vec **ret, struct error *e) {
  struct vec *columns = ARENA_ARRAY(&r->arena, struct vec, r->width);
  struct value *cells = ARENA_ARRAY(&r->arena, struct value, (size_t) r->width * r->count);
  if (columns == NULL || cells == NULL) return arena_err(&r->arena, e);
  for (uint32_t column = 0; column < r->width; column++) {
    struct value *to = cells + (size_t) column * r->count;
    for (uint32_t row = 0; row < r->count; row++) to[row] = r->rows[row][column];
    columns[column] = (struct vec){.kind = VEC_ANY, .any = to};
  }
  *ret = columns;
  return ERR_OK;
}

enum err bolt_client_rows_push(struct bolt_client_rows *r, struct row_sink *sink, struct error *e) {
  struct vec *columns = NULL;
  if (r->count == 0) return ERR_OK;
  enum err err = turn(r, &columns, e);
  if (err == ERR_OK) err = sink->push(sink, columns, r->width, NULL, r->count, e);
  bolt_client_rows_clear(r);
  return err;
}
