#include "graph/describe_int.h"

#include <inttypes.h>

enum { TEXT_SHOWN_MAX = 200, ITEMS_SHOWN_MAX = 20 };

enum err describe_entity(struct buf *b, enum graph_kind kind, graph_id id) {
  return buf_printf(b, "%s(%" PRIu64 ")", kind == GRAPH_NODE ? "Node" : "Relationship", id);
}

static enum err describe_value(struct buf *b, struct value v, int depth) {
  switch ((enum value_type) v.type) {
  case VALUE_BOOL: return buf_printf(b, v.b ? "true" : "false");
  case VALUE_INT: return buf_printf(b, "%" PRId64, v.i);
  case VALUE_FLOAT: return buf_printf(b, "%.17g", v.f);
  case VALUE_STRING: return buf_printf(b, "'%.*s'", (int) MIN(v.len, (uint32_t) TEXT_SHOWN_MAX), v.s);
  case VALUE_LIST:
    TRY(buf_append_byte(b, '['));
    for (uint32_t i = 0; i < MIN(v.len, (uint32_t) ITEMS_SHOWN_MAX) && depth < 2; i++) {
      if (i > 0) TRY(buf_printf(b, ", "));
      TRY(describe_value(b, v.items[i], depth + 1));
    }
    return buf_append_byte(b, ']');
  default: return buf_printf(b, "a %s", value_type_name((enum value_type) v.type));
  }
}

enum err describe_key(struct buf *b, const struct tokens *t, const struct graph_index *x, const struct value *values) {
  bool node = x->entity == GRAPH_NODE;
  struct str name = tokens_name(t, node ? GRAPH_LABEL : GRAPH_TYPE, x->label_or_type);
  TRY(buf_printf(b, "%s `%.*s` and %s ", node ? "label" : "type", STR_ARG(name), x->key_count > 1 ? "properties" : "property"));
  for (uint32_t k = 0; k < x->key_count; k++) {
    struct str key = tokens_name(t, GRAPH_KEY, x->keys[k]);
    TRY(buf_printf(b, "%s`%.*s` = ", k > 0 ? ", " : "", STR_ARG(key)));
    TRY(describe_value(b, values[k], 0));
  }
  return ERR_OK;
}
