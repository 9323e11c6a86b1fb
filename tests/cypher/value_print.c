#include "value_print.h"

#include "value/spatial.h"
#include "value/temporal.h"
#include "value/text.h"

static enum err print_text(struct buf *out, struct str s) {
  TRY(buf_append_byte(out, '\''));
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    if (c == '\'' || c == '\\') TRY(buf_append_byte(out, '\\'));
    if (c == '\n') {
      TRY(buf_append_str(out, STR("\\n")));
    } else if (c == '\t') {
      TRY(buf_append_str(out, STR("\\t")));
    } else {
      TRY(buf_append_byte(out, (uint8_t) c));
    }
  }
  return buf_append_byte(out, '\'');
}

static enum err print_entries(struct buf *out, const struct value_entry *entries, uint32_t n) {
  TRY(buf_append_byte(out, '{'));
  for (uint32_t i = 0; i < n; i++) {
    TRY(buf_printf(out, "%s%.*s: ", i > 0 ? ", " : "", STR_ARG(entries[i].key)));
    TRY(value_print(out, entries[i].value));
  }
  return buf_append_byte(out, '}');
}

static enum err print_node(struct buf *out, struct value v) {
  if (!(v.aux & VALUE_HYDRATED)) return buf_printf(out, "(#%llu)", (unsigned long long) v.id);
  TRY(buf_append_byte(out, '('));
  for (uint32_t i = 0; i < v.node->label_count; i++) TRY(buf_printf(out, ":%.*s", STR_ARG(v.node->labels[i])));
  if (v.node->property_count > 0) {
    if (v.node->label_count > 0) TRY(buf_append_byte(out, ' '));
    TRY(print_entries(out, v.node->properties, v.node->property_count));
  }
  return buf_append_byte(out, ')');
}

static enum err print_rel(struct buf *out, struct value v) {
  if (!(v.aux & VALUE_HYDRATED)) return buf_printf(out, "[#%llu]", (unsigned long long) v.id);
  TRY(buf_printf(out, "[:%.*s", STR_ARG(v.rel->type)));
  if (v.rel->property_count > 0) {
    TRY(buf_append_byte(out, ' '));
    TRY(print_entries(out, v.rel->properties, v.rel->property_count));
  }
  return buf_append_byte(out, ']');
}

static enum err print_path(struct buf *out, const struct value_path *p) {
  TRY(buf_append_byte(out, '<'));
  for (uint32_t i = 0; i <= p->len; i++) {
    TRY(print_node(out, p->nodes[i]));
    if (i == p->len) break;
    TRY(buf_append_str(out, p->reversed[i] ? STR("<-") : STR("-")));
    TRY(print_rel(out, p->rels[i]));
    TRY(buf_append_str(out, p->reversed[i] ? STR("-") : STR("->")));
  }
  return buf_append_byte(out, '>');
}

static enum err print_list(struct buf *out, struct value v) {
  TRY(buf_append_byte(out, '['));
  for (uint32_t i = 0; i < v.len; i++) {
    if (i > 0) TRY(buf_append_str(out, STR(", ")));
    TRY(value_print(out, v.items[i]));
  }
  return buf_append_byte(out, ']');
}

static enum err print_float(struct buf *out, double f) {
  char text[TEXT_FLOAT_MAX];
  return buf_append(out, text, text_put_float(f, text));
}

static enum err print_other(struct buf *out, struct value v) {
  struct arena a;
  struct str text;
  arena_init(&a, NULL);
  enum err err = text_of_value(&a, v, &text, NULL);
  if (err == ERR_OK) err = print_text(out, text);
  arena_done(&a);
  return err;
}

enum err value_print(struct buf *out, struct value v) {
  switch ((enum value_type) v.type) {
  case VALUE_NULL: return buf_append_str(out, STR("null"));
  case VALUE_BOOL: return buf_append_str(out, v.b ? STR("true") : STR("false"));
  case VALUE_INT: return buf_printf(out, "%lld", (long long) v.i);
  case VALUE_FLOAT: return print_float(out, v.f);
  case VALUE_STRING: return print_text(out, v_text(v));
  case VALUE_LIST: return print_list(out, v);
  case VALUE_MAP: return print_entries(out, v.entries, v.len);
  case VALUE_NODE: return print_node(out, v);
  case VALUE_REL: return print_rel(out, v);
  case VALUE_PATH: return print_path(out, v.path);
  default: return print_other(out, v);
  }
}
