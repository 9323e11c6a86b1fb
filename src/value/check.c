#include "value/check.h"

#include "value/spatial.h"
#include "value/temporal.h"

static enum err corrupt(const char *what, struct error *e) {
  return error_set(e, ERR_CORRUPT, "A value breaks its invariant: %s.", what);
}

static enum err check_value(struct value v, int depth, struct error *e);

static enum err check_text(struct str s, struct error *e) {
  return str_is_utf8(s) ? ERR_OK : corrupt("text that is not UTF-8", e);
}

static enum err check_items(const struct value *items, uint32_t len, int depth, struct error *e) {
  for (uint32_t i = 0; i < len; i++) TRY(check_value(items[i], depth, e));
  return ERR_OK;
}

static enum err check_entries(const struct value_entry *entries, uint32_t len, int depth, struct error *e) {
  for (uint32_t i = 0; i < len; i++) {
    TRY(check_text(entries[i].key, e));
    if (i > 0 && str_cmp(entries[i - 1].key, entries[i].key) >= 0) return corrupt("keys that are not sorted or not distinct", e);
    TRY(check_value(entries[i].value, depth, e));
  }
  return ERR_OK;
}

static enum err check_node(const struct value_node *n, int depth, struct error *e) {
  for (uint32_t i = 0; i < n->label_count; i++) TRY(check_text(n->labels[i], e));
  TRY(check_text(n->element_id, e));
  return check_entries(n->properties, n->property_count, depth, e);
}

static enum err check_rel(const struct value_rel *r, int depth, struct error *e) {
  TRY(check_text(r->type, e));
  TRY(check_text(r->element_id, e));
  return check_entries(r->properties, r->property_count, depth, e);
}

/// A hydrated relationship names its ends.
static bool step_fits(const struct value_path *p, uint32_t step) {
  if (!(p->rels[step].aux & VALUE_HYDRATED)) return true;
  const struct value_rel *r = p->rels[step].rel;
  uint64_t from = v_id(p->nodes[step]), to = v_id(p->nodes[step + 1]);
  return p->reversed[step] ? r->start == to && r->end == from : r->start == from && r->end == to;
}

static enum err check_path(const struct value_path *p, int depth, struct error *e) {
  for (uint32_t i = 0; i <= p->len; i++)
    if (p->nodes[i].type != VALUE_NODE) return corrupt("a path with something else for a node", e);
  for (uint32_t i = 0; i < p->len; i++) {
    if (p->rels[i].type != VALUE_REL) return corrupt("a path with something else for a relationship", e);
    if (!step_fits(p, i)) return corrupt("a path whose relationship does not lie between its nodes", e);
  }
  TRY(check_items(p->nodes, p->len + 1, depth, e));
  return check_items(p->rels, p->len, depth, e);
}

static enum err check_value(struct value v, int depth, struct error *e) {
  if (depth > VALUE_DEPTH_MAX) return corrupt("nesting that is too deep", e);
  bool hydrated = v.aux & VALUE_HYDRATED;
  switch ((enum value_type) v.type) {
  case VALUE_NULL:
  case VALUE_BOOL:
  case VALUE_INT:
  case VALUE_FLOAT:
  case VALUE_BYTES: return ERR_OK;
  case VALUE_STRING: return check_text(v_text(v), e);
  case VALUE_LIST: return check_items(v.items, v.len, depth + 1, e);
  case VALUE_MAP: return check_entries(v.entries, v.len, depth + 1, e);
  case VALUE_NODE: return hydrated ? check_node(v.node, depth + 1, e) : ERR_OK;
  case VALUE_REL: return hydrated ? check_rel(v.rel, depth + 1, e) : ERR_OK;
  case VALUE_PATH: return check_path(v.path, depth + 1, e);
  case VALUE_DATE ... VALUE_DURATION: return temporal_in_range(v) ? ERR_OK : corrupt("a temporal value out of range", e);
  case VALUE_POINT: return spatial_in_range(v.point) ? ERR_OK : corrupt("a point out of range", e);
  case VALUE_TYPE_MAX: break;
  }
  return corrupt("an unknown type", e);
}

enum err value_check(struct value v, struct error *e) {
  return check_value(v, 0, e);
}

enum err vec_check(const struct vec *v, uint32_t rows, struct error *e) {
  if (v->constant) rows = MIN(rows, 1);
  for (uint32_t i = 0; i < rows; i++) {
    if (v->kind != VEC_ANY && v->has_nulls && v->nulls[i] > 1) return corrupt("a null byte that is neither 0 nor 1", e);
    if (v->kind == VEC_BOOL && v->b[i] > 1) return corrupt("a boolean byte that is neither 0 nor 1", e);
    TRY(value_check(vec_get(v, i), e));
  }
  return ERR_OK;
}
