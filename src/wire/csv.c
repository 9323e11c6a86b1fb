#include "wire/csv.h"

#include <string.h>

enum { READ_BYTES = 64 << 10 };

enum csv_state { STATE_ROW_START, STATE_FIELD_START, STATE_PLAIN, STATE_QUOTED, STATE_BACKSLASH, STATE_QUOTE_IN_QUOTED };

/// A field of the row under way, by offsets from the row's begin: the buffer may move.
struct span {
  size_t from, to;
  bool quoted, escaped;
};

void csv_reader_init(struct csv_reader *r, struct csv_source *source, struct csv_dialect dialect, size_t row_bytes_max) {
  *r = (struct csv_reader){.source = source, .dialect = dialect, .row_bytes_max = row_bytes_max, .next_line = 1};
}

void csv_reader_done(struct csv_reader *r) {
  buf_done(&r->bytes);
  buf_done(&r->spans);
  buf_done(&r->fields);
}

static enum err wrong(const struct csv_reader *r, const char *what, struct error *e) {
  return error_set(e, ERR_ARGUMENT, "The row that begins on line %llu %s.", (unsigned long long) r->line, what);
}

/// Drops what was given out and reads more behind what is left.
static enum err fill(struct csv_reader *r, struct error *e) {
  buf_consume(&r->bytes, r->row);
  r->scan -= r->row;
  r->field -= r->row;
  r->row = 0;
  if (r->bytes.len > r->row_bytes_max) return wrong(r, "is longer than is allowed", e);
  if (buf_reserve(&r->bytes, READ_BYTES) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  size_t got = 0;
  TRY(r->source->read(r->source, r->bytes.data + r->bytes.len, READ_BYTES, &got, e));
  r->bytes.len += got;
  r->ended = got == 0;
  return ERR_OK;
}

/// Skips the byte order mark, once its three bytes could be there.
static enum err begin(struct csv_reader *r, struct error *e) {
  static const struct str mark = {"\xef\xbb\xbf", 3};
  while (r->bytes.len < mark.len && !r->ended) TRY(fill(r, e));
  if (str_starts(buf_str(&r->bytes), mark)) r->row = r->scan = r->field = mark.len;
  r->begun = true;
  return ERR_OK;
}

/// Ends the field under way at `to`.
static enum err add_span(struct csv_reader *r, size_t to, bool quoted, struct error *e) {
  struct span s = {r->field - r->row, to - r->row, quoted, r->escaped};
  r->escaped = false;
  return buf_append(&r->spans, &s, sizeof s) == ERR_OK ? ERR_OK : error_ensure(e, ERR_NOMEM);
}

static bool is_line_end(char c) {
  return c == '\n' || c == '\r';
}

/// A CR is a line end; the LF behind it belongs to it.
static void count_line(struct csv_reader *r, char c) {
  if (is_line_end(c) && !(c == '\n' && r->after_cr)) r->next_line++;
  r->after_cr = c == '\r';
}

/// Skips line ends between rows.
static void step_row_start(struct csv_reader *r, char c) {
  if (is_line_end(c)) {
    count_line(r, c);
    r->scan++;
    r->row = r->field = r->scan;
    return;
  }
  r->after_cr = false;
  r->line = r->next_line;
  r->state = STATE_FIELD_START;
}

/// Behind a field, at a delimiter or line end: true if the row is whole.
static bool step_behind_field(struct csv_reader *r, char c) {
  count_line(r, c);
  r->scan++;
  r->field = r->scan;
  r->state = c == r->dialect.delimiter ? STATE_FIELD_START : STATE_ROW_START;
  return r->state == STATE_ROW_START;
}

static enum err step_plain(struct csv_reader *r, bool *ret_row, struct error *e) {
  const char *p = r->bytes.data;
  size_t at = r->scan, len = r->bytes.len;
  char delimiter = r->dialect.delimiter;
  while (at < len && p[at] != delimiter && !is_line_end(p[at])) at++;
  r->scan = at;
  if (at == len) return ERR_OK;
  TRY(add_span(r, at, false, e));
  *ret_row = step_behind_field(r, p[at]);
  return ERR_OK;
}

static enum err step_quoted(struct csv_reader *r, char c, struct error *e) {
  if (is_line_end(c) && !r->dialect.multiline) return wrong(r, "has a quoted field that does not end on its line", e);
  if (c == r->dialect.quote) r->state = STATE_QUOTE_IN_QUOTED;
  if (c == '\\' && r->dialect.backslash_escapes) r->state = STATE_BACKSLASH;
  count_line(r, c);
  r->scan++;
  return ERR_OK;
}

/// Behind a quote inside quotes: a second one is text, else the field has ended.
static enum err step_quote_in_quoted(struct csv_reader *r, char c, bool *ret_row, struct error *e) {
  if (c == r->dialect.quote) {
    r->escaped = true;
    r->state = STATE_QUOTED;
    r->scan++;
    return ERR_OK;
  }
  if (c != r->dialect.delimiter && !is_line_end(c)) return wrong(r, "has text behind the end of a quoted field", e);
  TRY(add_span(r, r->scan - 1, true, e));
  *ret_row = step_behind_field(r, c);
  return ERR_OK;
}

/// One move of the state machine on the byte at `scan`.
static enum err step(struct csv_reader *r, bool *ret_row, struct error *e) {
  char c = r->bytes.data[r->scan];
  switch ((enum csv_state) r->state) {
  case STATE_ROW_START: step_row_start(r, c); return ERR_OK;
  case STATE_FIELD_START:
    r->field = r->scan;
    r->state = STATE_PLAIN;
    if (c != r->dialect.quote || c == '\0') return step_plain(r, ret_row, e);
    r->state = STATE_QUOTED;
    r->field = ++r->scan;
    return ERR_OK;
  case STATE_PLAIN: return step_plain(r, ret_row, e);
  case STATE_QUOTED: return step_quoted(r, c, e);
  case STATE_BACKSLASH:
    if (c == r->dialect.quote || c == '\\') r->escaped = true;
    count_line(r, c);
    r->state = STATE_QUOTED;
    r->scan++;
    return ERR_OK;
  case STATE_QUOTE_IN_QUOTED: return step_quote_in_quoted(r, c, ret_row, e);
  }
  return ERR_OK;
}

/// The source has ended inside a row.
static enum err end_row(struct csv_reader *r, bool *ret_row, struct error *e) {
  *ret_row = r->state != STATE_ROW_START;
  switch ((enum csv_state) r->state) {
  case STATE_ROW_START: return ERR_OK;
  case STATE_FIELD_START: r->field = r->scan; return add_span(r, r->scan, false, e);
  case STATE_PLAIN: return add_span(r, r->scan, false, e);
  case STATE_QUOTE_IN_QUOTED: return add_span(r, r->scan - 1, true, e);
  default: return wrong(r, "has a quoted field that does not end", e);
  }
}

/// Takes escapes away, in place.
static size_t unescape(char *p, size_t len, const struct csv_dialect *d) {
  size_t to = 0;
  for (size_t i = 0; i < len; i++) {
    bool doubled = p[i] == d->quote && i + 1 < len && p[i + 1] == d->quote;
    bool escaped = d->backslash_escapes && p[i] == '\\' && i + 1 < len && (p[i + 1] == d->quote || p[i + 1] == '\\');
    i += doubled || escaped;
    p[to++] = p[i];
  }
  return to;
}

static enum err make_fields(struct csv_reader *r, struct error *e) {
  const struct span *spans = (const struct span *) r->spans.data;
  size_t len = r->spans.len / sizeof *spans;
  buf_clear(&r->fields);
  if (buf_reserve(&r->fields, len * sizeof(struct csv_field)) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  for (size_t i = 0; i < len; i++) {
    char *from = r->bytes.data + r->row + spans[i].from;
    size_t bytes = spans[i].to - spans[i].from;
    if (spans[i].escaped) bytes = unescape(from, bytes, &r->dialect);
    struct csv_field f = {{from, bytes}, spans[i].quoted};
    if (!str_is_utf8(f.text)) return wrong(r, "is not UTF-8", e);
    memcpy(r->fields.data + r->fields.len, &f, sizeof f);
    r->fields.len += sizeof f;
  }
  return ERR_OK;
}

enum err csv_next_row(struct csv_reader *r, const struct csv_field **ret_fields, uint32_t *ret_count, struct error *e) {
  if (!r->begun) TRY(begin(r, e));
  r->row = r->field = r->scan;
  buf_clear(&r->spans);
  bool row = false;
  while (!row) {
    if (r->scan < r->bytes.len) {
      TRY(step(r, &row, e));
    } else if (!r->ended) {
      TRY(fill(r, e));
    } else {
      TRY(end_row(r, &row, e));
      r->state = STATE_ROW_START;
      if (!row) break;
    }
  }
  if (row) TRY(make_fields(r, e));
  *ret_fields = row ? (const struct csv_field *) r->fields.data : NULL;
  *ret_count = row ? (uint32_t) (r->fields.len / sizeof(struct csv_field)) : 0;
  return ERR_OK;
}

static bool needs_quotes(const struct csv_dialect *d, struct str s) {
  if (s.len == 0 || s.ptr[0] == ' ' || s.ptr[s.len - 1] == ' ') return true;
  for (size_t i = 0; i < s.len; i++)
    if (s.ptr[i] == d->delimiter || s.ptr[i] == d->quote || is_line_end(s.ptr[i])) return true;
  return false;
}

enum err csv_write_field(struct buf *out, const struct csv_dialect *d, struct str s) {
  if (d->quote == '\0' || !needs_quotes(d, s)) return buf_append_str(out, s);
  TRY(buf_append_byte(out, (uint8_t) d->quote));
  for (size_t i = 0; i < s.len; i++) {
    bool escape = s.ptr[i] == d->quote || (s.ptr[i] == '\\' && d->backslash_escapes);
    if (escape) TRY(buf_append_byte(out, (uint8_t) s.ptr[i]));
    TRY(buf_append_byte(out, (uint8_t) s.ptr[i]));
  }
  return buf_append_byte(out, (uint8_t) d->quote);
}
