// What a value holds: properties of entities, maps, temporal values and points; items and slices of lists.
#include <string.h>

#include "exec/eval.h"
#include "exec/exec_int.h"
#include "value/spatial.h"
#include "graph/tx.h"

/// A property of an entity that this transaction has deleted is an error, not null. Nulls are rare enough to look.
static enum err check_nulls(struct eval *c, enum graph_kind kind, const uint64_t *ids, uint32_t n, const struct vec *column) {
  uint64_t *some = ARENA_ARRAY(c->arena, uint64_t, n);
  uint32_t nulls = 0;
  if (some == NULL) return arena_err(c->arena, c->error);
  for (uint32_t i = 0; i < n; i++)
    if (ids[i] != UINT64_MAX && vec_is_null(column, i)) some[nulls++] = ids[i];
  return eval_check_not_deleted(c, kind, some, nulls);
}

static enum err entity_property(struct eval *c, enum graph_kind kind, const uint64_t *ids, uint32_t n, struct str key, struct vec *ret) {
  graph_token token;
  if (!graph_token_find(c->x->graph, GRAPH_KEY, key, &token)) {
    TRY(eval_nulls(c, ret));
  } else {
    TRY(graph_get_properties(c->view, kind, ids, n, &token, 1, c->arena, ret, c->error));
  }
  return graph_tx_has_writes(c->x->tx) ? check_nulls(c, kind, ids, n, ret) : ERR_OK;
}

/// Ids with UINT64_MAX for nulls, as graph_get_properties takes them.
static enum err ids_or_none(struct eval *c, const struct vec *v, uint32_t n, const uint64_t **ret) {
  if (!v->has_nulls && !v->constant) {
    *ret = v->id;
    return ERR_OK;
  }
  uint64_t *ids = ARENA_ARRAY(c->arena, uint64_t, n);
  if (ids == NULL) return arena_err(c->arena, c->error);
  for (uint32_t i = 0; i < n; i++) ids[i] = vec_is_null(v, i) ? UINT64_MAX : v->id[v->constant ? 0 : i];
  *ret = ids;
  return ERR_OK;
}

static enum err value_property(struct eval *c, struct value v, struct str key, struct value *ret) {
  switch ((enum value_type) v.type) {
  case VALUE_MAP: {
    const struct value *found = value_map_get(v, key);
    *ret = found != NULL ? *found : V_NULL;
    return ERR_OK;
  }
  case VALUE_NULL: *ret = V_NULL; return ERR_OK;
  case VALUE_DATE:
  case VALUE_LOCAL_TIME:
  case VALUE_TIME:
  case VALUE_LOCAL_DATETIME:
  case VALUE_DATETIME:
  case VALUE_DURATION: return temporal_get(v, key, c->arena, ret, c->error);
  case VALUE_POINT: return spatial_get(v.point, key, ret, c->error);
  default: {
    struct str text = value_describe(c->arena, v);
    return error_set(c->error, ERR_TYPE, "Type mismatch: expected a map but was %.*s", STR_ARG(text));
  }
  }
}

/// The entities of one kind among boxed values, read in one batch.
static enum err properties_of_kind(struct eval *c, enum value_type type, const struct vec *subject, struct str key, uint32_t n,
                                   struct value *out) {
  uint64_t *ids = ARENA_ARRAY(c->arena, uint64_t, n);
  if (ids == NULL) return arena_err(c->arena, c->error);
  uint32_t found = 0;
  for (uint32_t i = 0; i < n; i++) {
    struct value v = vec_get(subject, i);
    ids[i] = v.type == type ? v_id(v) : UINT64_MAX;
    found += v.type == type;
  }
  if (found == 0) return ERR_OK;
  struct vec column;
  TRY(entity_property(c, type == VALUE_NODE ? GRAPH_NODE : GRAPH_REL, ids, n, key, &column));
  for (uint32_t i = 0; i < n; i++)
    if (ids[i] != UINT64_MAX) out[i] = vec_get(&column, i);
  return ERR_OK;
}

enum err eval_property(struct eval *c, const struct vec *subject, struct str key, uint32_t n, struct vec *ret) {
  if (subject->kind == VEC_NODE || subject->kind == VEC_REL) {
    const uint64_t *ids = NULL;
    TRY(ids_or_none(c, subject, n, &ids));
    return entity_property(c, subject->kind == VEC_NODE ? GRAPH_NODE : GRAPH_REL, ids, n, key, ret);
  }
  struct value *out;
  TRY(eval_values(c, n, &out));
  bool entities = false;
  for (uint32_t i = 0; i < n; i++) {
    struct value v = vec_get(subject, i);
    if (v.type == VALUE_NODE || v.type == VALUE_REL) {
      entities = true;
    } else {
      TRY(value_property(c, v, key, &out[i]));
    }
  }
  if (entities) {
    TRY(properties_of_kind(c, VALUE_NODE, subject, key, n, out));
    TRY(properties_of_kind(c, VALUE_REL, subject, key, n, out));
  }
  return eval_narrow(c, out, n, ret);
}

/// The item at a place; negative places count from the end, places outside are null.
static struct value list_item(struct value list, int64_t at) {
  if (at < 0) at += list.len;
  if (at < 0 || at >= list.len) return V_NULL;
  return list.type == VALUE_BYTES ? v_int((int8_t) list.bytes[at]) : list.items[at];
}

static enum err property_by_name(struct eval *c, struct value subject, struct str key, struct value *ret) {
  if (subject.type != VALUE_NODE && subject.type != VALUE_REL) return value_property(c, subject, key, ret);
  uint64_t id = v_id(subject);
  struct vec column;
  TRY(entity_property(c, subject.type == VALUE_NODE ? GRAPH_NODE : GRAPH_REL, &id, 1, key, &column));
  *ret = vec_get(&column, 0);
  return ERR_OK;
}

static enum err bad_subscript(struct eval *c, const char *what, struct value shown) {
  struct str text = value_describe(c->arena, shown);
  return error_set(c->error, ERR_TYPE, "%s, got %.*s", what, STR_ARG(text));
}

static bool has_components(struct value v) {
  return temporal_is_instant(v) || v.type == VALUE_DURATION || v.type == VALUE_POINT;
}

enum err value_subscript(struct eval *c, struct value subject, struct value index, struct value *ret) {
  *ret = V_NULL;
  if (v_is_null(subject) || v_is_null(index)) return ERR_OK;
  if (subject.type == VALUE_LIST || subject.type == VALUE_BYTES) {
    if (index.type != VALUE_INT) return bad_subscript(c, "Cannot access a list using a non-number index", index);
    *ret = list_item(subject, index.i);
    return ERR_OK;
  }
  if (subject.type == VALUE_MAP || subject.type == VALUE_NODE || subject.type == VALUE_REL) {
    if (index.type != VALUE_STRING) return bad_subscript(c, "Cannot access a map using a non-string key", index);
    return property_by_name(c, subject, v_text(index), ret);
  }
  if (index.type == VALUE_STRING && has_components(subject)) return value_property(c, subject, v_text(index), ret);
  return bad_subscript(c, "Only a list can be accessed by an index, and only a map, a node or a relationship by a key", subject);
}

enum err eval_subscript(struct eval *c, const struct vec *subject, const struct vec *index, uint32_t n, struct vec *ret) {
  struct value *out;
  TRY(eval_values(c, n, &out));
  for (uint32_t i = 0; i < n; i++) TRY(value_subscript(c, vec_get(subject, i), vec_get(index, i), &out[i]));
  return eval_narrow(c, out, n, ret);
}

/// A bound of a slice as a place in [0, len]; negative ones count from the end.
static enum err slice_bound(struct eval *c, struct value v, uint32_t len, int64_t *ret) {
  if (v.type != VALUE_INT) {
    struct str text = value_describe(c->arena, v);
    return error_set(c->error, ERR_TYPE, "Type mismatch: expected Integer but was %.*s", STR_ARG(text));
  }
  int64_t at = v.i < 0 ? v.i + len : v.i;
  *ret = MAX(0, MIN(at, (int64_t) len));
  return ERR_OK;
}

static enum err slice_one(struct eval *c, struct value list, struct value from, struct value to, struct value *ret) {
  *ret = V_NULL;
  if (v_is_null(list) || v_is_null(from) || v_is_null(to)) return ERR_OK;
  if (list.type != VALUE_LIST && list.type != VALUE_BYTES) {
    struct str text = value_describe(c->arena, list);
    return error_set(c->error, ERR_TYPE, "Type mismatch: expected List<Any> but was %.*s", STR_ARG(text));
  }
  int64_t begin, end;
  TRY(slice_bound(c, from, list.len, &begin));
  TRY(slice_bound(c, to, list.len, &end));
  uint32_t len = end > begin ? (uint32_t) (end - begin) : 0;
  *ret = list;
  ret->len = len;
  if (list.type == VALUE_LIST) ret->items += begin;
  if (list.type == VALUE_BYTES) ret->bytes += begin;
  return ERR_OK;
}

enum err eval_slice(struct eval *c, const struct ast *n, struct frame *f, struct vec *ret) {
  struct vec list, from, to;
  TRY(eval_expression(c, n->slice.subject, f, &list));
  TRY(eval_constant(c, v_int(0), &from));
  TRY(eval_constant(c, v_int(INT64_MAX), &to));
  if (n->slice.from != NULL) TRY(eval_expression(c, n->slice.from, f, &from));
  if (n->slice.to != NULL) TRY(eval_expression(c, n->slice.to, f, &to));
  struct value *out;
  TRY(eval_values(c, f->n, &out));
  for (uint32_t i = 0; i < f->n; i++) TRY(slice_one(c, vec_get(&list, i), vec_get(&from, i), vec_get(&to, i), &out[i]));
  return eval_narrow(c, out, f->n, ret);
}
