// Functions on entities and paths. What reads the graph reads it for the whole batch.
#include <string.h>

#include "exec/exec_int.h"
#include "exec/fn.h"

/// The entities among the rows of a column.
struct entities {
  uint64_t *ids;
  uint32_t *rows;
  uint32_t n;
};

static enum err entities_of(struct eval *c, const struct vec *v, enum value_type type, uint32_t rows, struct entities *ret) {
  *ret = (struct entities){ARENA_ARRAY(c->arena, uint64_t, rows), ARENA_ARRAY(c->arena, uint32_t, rows), 0};
  if (ret->ids == NULL || ret->rows == NULL) return arena_err(c->arena, c->error);
  for (uint32_t i = 0; i < rows; i++) {
    struct value item = vec_get(v, i);
    if (item.type != type) continue;
    ret->ids[ret->n] = v_id(item);
    ret->rows[ret->n++] = i;
  }
  return ERR_OK;
}

/// Null results everywhere; a value that is neither null nor of one of the types is an error.
static enum err start(struct eval *c, const char *name, const char *expected, const struct vec *v, uint32_t types, uint32_t rows,
                      struct value **ret) {
  TRY(eval_values(c, rows, ret));
  for (uint32_t i = 0; i < rows; i++) {
    struct value item = vec_get(v, i);
    if (!v_is_null(item) && (types >> item.type & 1) == 0) return fn_wrong_type(c, name, expected, item);
    (*ret)[i] = V_NULL;
  }
  return ERR_OK;
}

enum {
  NODE = 1 << VALUE_NODE,
  REL = 1 << VALUE_REL,
  MAP = 1 << VALUE_MAP,
};

static enum err labels_of(struct eval *c, uint64_t id, struct value *ret) {
  graph_token *labels;
  uint32_t count;
  struct value *items;
  TRY(graph_node_labels(c->view, id, c->arena, &labels, &count, c->error));
  TRY(eval_values(c, count, &items));
  for (uint32_t i = 0; i < count; i++) items[i] = v_str(graph_token_name(c->x->graph, GRAPH_LABEL, labels[i]));
  *ret = v_list(items, count);
  return ERR_OK;
}

FN_COLUMNS(labels) {
  struct value *out;
  struct entities nodes;
  TRY(start(c, "labels", "Node", &arguments[0], NODE, rows, &out));
  TRY(entities_of(c, &arguments[0], VALUE_NODE, rows, &nodes));
  TRY(eval_check_not_deleted(c, GRAPH_NODE, nodes.ids, nodes.n)); // an error, not empty
  for (uint32_t i = 0; i < nodes.n; i++) TRY(labels_of(c, nodes.ids[i], &out[nodes.rows[i]]));
  return eval_narrow(c, out, rows, ret);
}

static enum err properties_of(struct eval *c, enum graph_kind kind, uint64_t id, struct value *ret) {
  struct graph_property *properties;
  uint32_t count;
  TRY(graph_all_properties(c->view, kind, id, c->arena, &properties, &count, c->error));
  struct value_entry *entries = ARENA_ARRAY(c->arena, struct value_entry, count);
  if (entries == NULL) return arena_err(c->arena, c->error);
  for (uint32_t i = 0; i < count; i++)
    entries[i] = (struct value_entry){graph_token_name(c->x->graph, GRAPH_KEY, properties[i].key), properties[i].value};
  *ret = v_map(entries, value_map_sort(entries, count));
  return ERR_OK;
}

static enum err properties_of_kind(struct eval *c, enum value_type type, const struct vec *v, uint32_t rows, struct value *out) {
  struct entities of;
  enum graph_kind kind = type == VALUE_NODE ? GRAPH_NODE : GRAPH_REL;
  TRY(entities_of(c, v, type, rows, &of));
  TRY(eval_check_not_deleted(c, kind, of.ids, of.n));
  for (uint32_t i = 0; i < of.n; i++) {
    if (i % GRAPH_AHEAD == 0) graph_read_ahead(c->view, kind, of.ids + i, of.n - i);
    TRY(properties_of(c, kind, of.ids[i], &out[of.rows[i]]));
  }
  return ERR_OK;
}

/// Maps of all properties; a map is its own.
static enum err maps_of(struct eval *c, const char *name, const struct vec *v, uint32_t rows, struct value **ret) {
  TRY(start(c, name, "Map, Node or Relationship", v, NODE | REL | MAP, rows, ret));
  for (uint32_t i = 0; i < rows; i++) {
    struct value item = vec_get(v, i);
    if (item.type == VALUE_MAP) (*ret)[i] = item;
  }
  if (v->kind == VEC_NODE || v->kind == VEC_ANY) TRY(properties_of_kind(c, VALUE_NODE, v, rows, *ret));
  if (v->kind == VEC_REL || v->kind == VEC_ANY) TRY(properties_of_kind(c, VALUE_REL, v, rows, *ret));
  return ERR_OK;
}

FN_COLUMNS(properties) {
  struct value *out;
  TRY(maps_of(c, "properties", &arguments[0], rows, &out));
  return eval_narrow(c, out, rows, ret);
}

FN_COLUMNS(keys) {
  struct value *out;
  TRY(maps_of(c, "keys", &arguments[0], rows, &out));
  for (uint32_t i = 0; i < rows; i++) {
    struct value map = out[i], *items;
    if (v_is_null(map)) continue;
    TRY(eval_values(c, map.len, &items));
    for (uint32_t k = 0; k < map.len; k++) items[k] = v_str(map.entries[k].key);
    out[i] = v_list(items, map.len);
  }
  return eval_narrow(c, out, rows, ret);
}

/// One of the three facts of relationships.
enum rel_fact { REL_TYPE, REL_START, REL_END };

static enum err rel_facts(struct eval *c, const char *name, const struct vec *v, enum rel_fact fact, uint32_t rows, struct vec *ret) {
  struct value *out;
  struct entities of;
  TRY(start(c, name, "Relationship", v, REL, rows, &out));
  TRY(entities_of(c, v, VALUE_REL, rows, &of));
  uint64_t *ends = ARENA_ARRAY(c->arena, uint64_t, of.n);
  graph_token *types = ARENA_ARRAY(c->arena, graph_token, of.n);
  if (ends == NULL || types == NULL) return arena_err(c->arena, c->error);
  if (of.n > 0)
    TRY(graph_rel_ends(c->view, of.ids, of.n, fact == REL_START ? ends : NULL, fact == REL_END ? ends : NULL,
                       fact == REL_TYPE ? types : NULL, c->error));
  for (uint32_t i = 0; i < of.n; i++)
    out[of.rows[i]] = fact == REL_TYPE ? v_str(graph_token_name(c->x->graph, GRAPH_TYPE, types[i])) : v_node(ends[i]);
  return eval_narrow(c, out, rows, ret);
}

FN_COLUMNS(type) {
  return rel_facts(c, "type", &arguments[0], REL_TYPE, rows, ret);
}

FN_COLUMNS(start_node) {
  return rel_facts(c, "startNode", &arguments[0], REL_START, rows, ret);
}

FN_COLUMNS(end_node) {
  return rel_facts(c, "endNode", &arguments[0], REL_END, rows, ret);
}

FN_COLUMNS(id) {
  const struct vec *v = &arguments[0];
  if ((v->kind == VEC_NODE || v->kind == VEC_REL) && !v->constant) {
    *ret = *v; // ids are below 2^40, so the same bits are the integer
    ret->kind = VEC_I64;
    return ERR_OK;
  }
  struct value *out;
  TRY(start(c, "id", "Node or Relationship", v, NODE | REL, rows, &out));
  for (uint32_t i = 0; i < rows; i++) {
    struct value item = vec_get(v, i);
    if (!v_is_null(item)) out[i] = v_int((int64_t) v_id(item));
  }
  return eval_narrow(c, out, rows, ret);
}

FN_COLUMNS(element_id) {
  struct value *out;
  TRY(start(c, "elementId", "Node or Relationship", &arguments[0], NODE | REL, rows, &out));
  for (uint32_t i = 0; i < rows; i++) {
    struct value item = vec_get(&arguments[0], i);
    if (v_is_null(item)) continue;
    struct str id = graph_element_id(c->x->graph, item.type == VALUE_NODE ? GRAPH_NODE : GRAPH_REL, v_id(item), c->arena);
    if (id.ptr == NULL) return arena_err(c->arena, c->error);
    out[i] = v_str(id);
  }
  return eval_narrow(c, out, rows, ret);
}

FN(nodes) {
  if (arguments[0].type != VALUE_PATH) return fn_wrong_type(c, "nodes", "Path", arguments[0]);
  *ret = v_list(arguments[0].path->nodes, arguments[0].path->len + 1);
  return ERR_OK;
}

FN(relationships) {
  if (arguments[0].type != VALUE_PATH) return fn_wrong_type(c, "relationships", "Path", arguments[0]);
  *ret = v_list(arguments[0].path->rels, arguments[0].path->len);
  return ERR_OK;
}

FN(length) {
  if (arguments[0].type != VALUE_PATH) return fn_wrong_type(c, "length", "Path", arguments[0]);
  *ret = v_int(arguments[0].path->len);
  return ERR_OK;
}
