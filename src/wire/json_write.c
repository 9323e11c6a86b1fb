#include <math.h>

#include "value/text.h"
#include "wire/json.h"

static enum err begin_item(struct json_writer *w) {
  if (w->comma) TRY(buf_append_byte(w->out, ','));
  w->comma = true;
  return ERR_OK;
}

static enum err literal(struct json_writer *w, struct str s) {
  TRY(begin_item(w));
  return buf_append_str(w->out, s);
}

static enum err begin(struct json_writer *w, uint8_t bracket) {
  TRY(begin_item(w));
  w->comma = false;
  return buf_append_byte(w->out, bracket);
}

static enum err end(struct json_writer *w, uint8_t bracket) {
  w->comma = true;
  return buf_append_byte(w->out, bracket);
}

enum err json_begin_map(struct json_writer *w) {
  return begin(w, '{');
}

enum err json_end_map(struct json_writer *w) {
  return end(w, '}');
}

enum err json_begin_list(struct json_writer *w) {
  return begin(w, '[');
}

enum err json_end_list(struct json_writer *w) {
  return end(w, ']');
}

enum err json_null(struct json_writer *w) {
  return literal(w, STR("null"));
}

enum err json_bool(struct json_writer *w, bool b) {
  return literal(w, b ? STR("true") : STR("false"));
}

enum err json_int(struct json_writer *w, int64_t i) {
  char text[TEXT_INT_MAX];
  return literal(w, (struct str){text, text_put_int(i, text)});
}

enum err json_float(struct json_writer *w, double f) {
  char text[TEXT_FLOAT_MAX];
  struct str s = {text, text_put_float(f, text)};
  return isfinite(f) ? literal(w, s) : json_str(w, s);
}

/// What must not stand in a string as it is (RFC 8259 section 7).
static bool needs_escape(unsigned char c) {
  return c < 0x20 || c == '"' || c == '\\';
}

static enum err write_escape(struct buf *out, unsigned char c) {
  static const char *const shorts[0x20] = {['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};
  if (c == '"') return buf_append_str(out, STR("\\\""));
  if (c == '\\') return buf_append_str(out, STR("\\\\"));
  return shorts[c] != NULL ? buf_append_str(out, str_of(shorts[c])) : buf_printf(out, "\\u%04x", c);
}

static enum err write_quoted(struct buf *out, struct str s) {
  TRY(buf_reserve(out, s.len + 2));
  TRY(buf_append_byte(out, '"'));
  size_t from = 0;
  for (size_t i = 0; i < s.len; i++) {
    if (LIKELY(!needs_escape((unsigned char) s.ptr[i]))) continue;
    TRY(buf_append(out, s.ptr + from, i - from));
    TRY(write_escape(out, (unsigned char) s.ptr[i]));
    from = i + 1;
  }
  TRY(buf_append(out, s.ptr + from, s.len - from));
  return buf_append_byte(out, '"');
}

enum err json_str(struct json_writer *w, struct str s) {
  TRY(begin_item(w));
  return write_quoted(w->out, s);
}

enum err json_key(struct json_writer *w, struct str key) {
  TRY(json_str(w, key));
  w->comma = false;
  return buf_append_byte(w->out, ':');
}
