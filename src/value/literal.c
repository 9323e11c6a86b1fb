#include "value/literal.h"

#include <inttypes.h>

#include "value/spatial.h"
#include "value/temporal.h"
#include "value/text.h"

struct writer {
  struct buf *out;
  struct literal_style style;
  int depth;
};

static enum err write_value(struct writer *w, struct value v);

static enum err put(struct writer *w, struct str s) {
  return buf_append_str(w->out, s);
}

static enum err write_quoted(struct writer *w, struct str s) {
  TRY(buf_append_byte(w->out, (uint8_t) w->style.quote));
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    if (c == w->style.quote || c == '\\') TRY(buf_append_byte(w->out, '\\'));
    if (c == '\n')
      TRY(put(w, STR("\\n")));
    else if (c == '\r')
      TRY(put(w, STR("\\r")));
    else if (c == '\t')
      TRY(put(w, STR("\\t")));
    else
      TRY(buf_append_byte(w->out, (uint8_t) c));
  }
  return buf_append_byte(w->out, (uint8_t) w->style.quote);
}

static bool is_plain_name(struct str s) {
  if (s.len == 0 || (s.ptr[0] >= '0' && s.ptr[0] <= '9')) return false;
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char) s.ptr[i];
    if (!(c >= 0x80 || c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))) return false;
  }
  return true;
}

/// In backticks where Cypher needs them.
static enum err write_name(struct writer *w, struct str s) {
  if (is_plain_name(s)) return put(w, s);
  TRY(buf_append_byte(w->out, '`'));
  for (size_t i = 0; i < s.len; i++) {
    if (s.ptr[i] == '`') TRY(buf_append_byte(w->out, '`'));
    TRY(buf_append_byte(w->out, (uint8_t) s.ptr[i]));
  }
  return buf_append_byte(w->out, '`');
}

static enum err write_items(struct writer *w, struct value list) {
  TRY(put(w, STR("[")));
  for (uint32_t i = 0; i < list.len; i++) {
    if (i > 0) TRY(put(w, STR(", ")));
    TRY(write_value(w, list.type == VALUE_BYTES ? v_int((int8_t) list.bytes[i]) : list.items[i]));
  }
  return put(w, STR("]"));
}

static enum err write_entries(struct writer *w, const struct value_entry *entries, uint32_t len) {
  TRY(put(w, STR("{")));
  for (uint32_t i = 0; i < len; i++) {
    if (i > 0) TRY(put(w, STR(", ")));
    TRY(write_name(w, entries[i].key));
    TRY(put(w, STR(": ")));
    TRY(write_value(w, entries[i].value));
  }
  return put(w, STR("}"));
}

static enum err write_properties(struct writer *w, const struct value_entry *entries, uint32_t len, bool blank) {
  if (len == 0) return ERR_OK;
  if (blank) TRY(put(w, STR(" ")));
  return write_entries(w, entries, len);
}

static enum err write_node(struct writer *w, struct value v) {
  if (!(v.aux & VALUE_HYDRATED)) return buf_printf(w->out, "(#%" PRIu64 ")", v.id);
  TRY(put(w, STR("(")));
  for (uint32_t i = 0; i < v.node->label_count; i++) {
    TRY(put(w, STR(":")));
    TRY(write_name(w, v.node->labels[i]));
  }
  TRY(write_properties(w, v.node->properties, v.node->property_count, v.node->label_count > 0));
  return put(w, STR(")"));
}

static enum err write_rel(struct writer *w, struct value v) {
  if (!(v.aux & VALUE_HYDRATED)) return buf_printf(w->out, "[#%" PRIu64 "]", v.id);
  TRY(put(w, STR("[:")));
  TRY(write_name(w, v.rel->type));
  TRY(write_properties(w, v.rel->properties, v.rel->property_count, true));
  return put(w, STR("]"));
}

static enum err write_path(struct writer *w, const struct value_path *p) {
  TRY(write_value(w, p->nodes[0]));
  for (uint32_t i = 0; i < p->len; i++) {
    TRY(put(w, p->reversed[i] ? STR("<-") : STR("-")));
    TRY(write_value(w, p->rels[i]));
    TRY(put(w, p->reversed[i] ? STR("-") : STR("->")));
    TRY(write_value(w, p->nodes[i + 1]));
  }
  return ERR_OK;
}

static enum err write_scalar(struct writer *w, struct value v) {
  char text[TEMPORAL_TEXT_MAX];
  switch ((enum value_type) v.type) {
  case VALUE_NULL: return put(w, str_of(w->style.null));
  case VALUE_BOOL: return put(w, v.b ? STR("true") : STR("false"));
  case VALUE_INT: return put(w, (struct str){text, text_put_int(v.i, text)});
  case VALUE_FLOAT: return put(w, (struct str){text, text_put_float(v.f, text)});
  case VALUE_STRING: return write_quoted(w, v_text(v));
  case VALUE_POINT: return spatial_write(w->out, v.point);
  default: return put(w, (struct str){text, temporal_put(v, text)});
  }
}

static enum err write_nested(struct writer *w, struct value v) {
  switch ((enum value_type) v.type) {
  case VALUE_LIST:
  case VALUE_BYTES: return write_items(w, v);
  case VALUE_MAP: return write_entries(w, v.entries, v.len);
  case VALUE_NODE: return write_node(w, v);
  case VALUE_REL: return write_rel(w, v);
  case VALUE_PATH: return write_path(w, v.path);
  default: return write_scalar(w, v);
  }
}

static enum err write_value(struct writer *w, struct value v) {
  if (w->depth >= VALUE_DEPTH_MAX) return ERR_LIMIT;
  w->depth++;
  enum err err = write_nested(w, v);
  w->depth--;
  return err;
}

enum err literal_write(struct buf *out, struct literal_style style, struct value v) {
  return write_value(&(struct writer){out, style, 0}, v);
}
