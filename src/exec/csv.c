#include "exec/csv.h"

void csv_init(struct csv *c, char separator) {
  *c = (struct csv){.separator = separator, .line = 1};
}

void csv_done(struct csv *c) {
  buf_done(&c->field);
}

static enum err add_byte(struct csv *c, char byte, struct error *e) {
  if (c->field.len >= CSV_FIELD_BYTES_MAX)
    return error_set(e, ERR_LIMIT, "A field of line %llu is longer than %d bytes.", (unsigned long long) c->line, CSV_FIELD_BYTES_MAX);
  c->in_row = true;
  if (buf_append_byte(&c->field, (uint8_t) byte) != ERR_OK) return error_set(e, ERR_NOMEM, "no memory for a field");
  return ERR_OK;
}

static enum err end_field(struct csv *c, struct arena *a, struct error *e) {
  if (c->n == c->capacity) {
    uint32_t capacity = MAX(16, c->capacity * 2);
    if (capacity > CSV_FIELDS_MAX) return error_set(e, ERR_LIMIT, "Line %llu has too many fields.", (unsigned long long) c->line);
    struct value *fields = arena_grow(a, c->fields, c->capacity * sizeof *fields, capacity * sizeof *fields);
    if (fields == NULL) return arena_err(a, e);
    c->fields = fields;
    c->capacity = capacity;
  }
  struct value v = V_NULL;
  if (c->field.len > 0 || c->quoted) {
    struct str text = arena_str(a, buf_str(&c->field));
    if (text.ptr == NULL) return arena_err(a, e);
    if (!str_is_utf8(text)) return error_set(e, ERR_ARGUMENT, "Line %llu is not UTF-8.", (unsigned long long) c->line);
    v = v_str(text);
  }
  c->fields[c->n++] = v;
  buf_clear(&c->field);
  c->quoted = false;
  c->state = CSV_START;
  return ERR_OK;
}

/// A line end outside of quotes. Empty lines are no rows.
static enum err end_line(struct csv *c, struct arena *a, bool *ret_row, struct error *e) {
  c->line++;
  if (!c->in_row) return ERR_OK;
  TRY(end_field(c, a, e));
  *ret_row = true;
  return ERR_OK;
}

static enum err plain_byte(struct csv *c, char byte, struct arena *a, bool *ret_row, struct error *e) {
  if (byte == c->separator) {
    c->in_row = true;
    return end_field(c, a, e);
  }
  if (byte == '\n' || byte == '\r') {
    TRY(end_line(c, a, ret_row, e));
    c->state = byte == '\r' ? CSV_AFTER_CR : CSV_START;
    return ERR_OK;
  }
  if (byte == '"' && c->state == CSV_START) {
    c->state = CSV_QUOTED;
    c->quoted = c->in_row = true;
    return ERR_OK;
  }
  c->state = CSV_PLAIN;
  return add_byte(c, byte, e);
}

static enum err take_byte(struct csv *c, char byte, struct arena *a, bool *ret_row, struct error *e) {
  switch (c->state) {
  case CSV_AFTER_CR:
    c->state = CSV_START;
    if (byte == '\n') return ERR_OK;
    return plain_byte(c, byte, a, ret_row, e);
  case CSV_START:
  case CSV_PLAIN: return plain_byte(c, byte, a, ret_row, e);
  case CSV_QUOTED:
    if (byte == '"') {
      c->state = CSV_QUOTE_IN_QUOTED;
      return ERR_OK;
    }
    if (byte == '\\') {
      c->state = CSV_ESCAPE;
      return ERR_OK;
    }
    c->line += byte == '\n';
    return add_byte(c, byte, e);
  case CSV_ESCAPE:
    c->state = CSV_QUOTED;
    if (byte != '"' && byte != '\\') TRY(add_byte(c, '\\', e));
    return add_byte(c, byte, e);
  case CSV_QUOTE_IN_QUOTED:
    c->state = byte == '"' ? CSV_QUOTED : CSV_PLAIN;
    if (byte == '"') return add_byte(c, byte, e);
    return plain_byte(c, byte, a, ret_row, e);
  }
  return ERR_OK;
}

enum err csv_feed(struct csv *c, const char *bytes, size_t n, struct arena *a, size_t *ret_used, bool *ret_row, struct error *e) {
  *ret_row = false;
  size_t used = 0;
  while (used < n && !*ret_row) TRY(take_byte(c, bytes[used++], a, ret_row, e));
  *ret_used = used;
  return ERR_OK;
}

enum err csv_end(struct csv *c, struct arena *a, bool *ret_row, struct error *e) {
  *ret_row = false;
  if (c->state == CSV_QUOTED || c->state == CSV_ESCAPE)
    return error_set(e, ERR_ARGUMENT, "The file ends within a quoted field that begins before line %llu.", (unsigned long long) c->line);
  return end_line(c, a, ret_row, e);
}

struct value csv_take(struct csv *c) {
  struct value row = v_list(c->fields, c->n);
  c->fields = NULL;
  c->n = c->capacity = 0;
  c->in_row = false;
  return row;
}
