// Structures that only servers send: nodes, relationships, paths, with their element ids (5.0 on).
#include "wire/packstream_int.h"

static enum err bad_field(const char *what, struct value v, struct error *e) {
  return error_set(e, ERR_PROTOCOL, "%s cannot be a %s.", what, value_type_name((enum value_type) v.type));
}

static enum err read_id(struct packstream_reader *r, uint64_t *ret, struct error *e) {
  int64_t id;
  TRY(packstream_expect_int(r, &id, e));
  *ret = (uint64_t) id;
  return ERR_OK;
}

static enum err read_properties(struct packstream_reader *r, const struct value_entry **ret, uint32_t *ret_count,
                                struct error *e) {
  struct value map;
  TRY(packstream_read_value(r, &map, e));
  if (map.type != VALUE_MAP) return bad_field("The properties of an entity", map, e);
  *ret = map.entries;
  *ret_count = map.len;
  return ERR_OK;
}

static enum err read_list_field(struct packstream_reader *r, const char *what, struct value *ret, struct error *e) {
  TRY(packstream_read_value(r, ret, e));
  return ret->type == VALUE_LIST ? ERR_OK : bad_field(what, *ret, e);
}

static enum err read_labels(struct packstream_reader *r, struct value_node *n, struct error *e) {
  struct value list;
  TRY(read_list_field(r, "The labels of a node", &list, e));
  struct str *labels = ARENA_ARRAY(r->arena, struct str, list.len);
  if (labels == NULL) return arena_err(r->arena, e);
  for (uint32_t i = 0; i < list.len; i++) {
    if (list.items[i].type != VALUE_STRING) return bad_field("A label", list.items[i], e);
    labels[i] = v_text(list.items[i]);
  }
  n->labels = labels;
  n->label_count = list.len;
  return ERR_OK;
}

enum err packstream_read_node(struct packstream_reader *r, struct value *ret, struct error *e) {
  struct value_node *n = ARENA_NEW(r->arena, struct value_node);
  if (n == NULL) return arena_err(r->arena, e);
  TRY(read_id(r, &n->id, e));
  TRY(read_labels(r, n, e));
  TRY(read_properties(r, &n->properties, &n->property_count, e));
  TRY(packstream_expect_str(r, &n->element_id, e));
  *ret = (struct value){.type = VALUE_NODE, .aux = VALUE_HYDRATED, .node = n};
  return ERR_OK;
}

enum err packstream_read_rel(struct packstream_reader *r, struct value *ret, struct error *e) {
  struct value_rel *rel = ARENA_NEW(r->arena, struct value_rel);
  if (rel == NULL) return arena_err(r->arena, e);
  TRY(read_id(r, &rel->id, e));
  TRY(read_id(r, &rel->start, e));
  TRY(read_id(r, &rel->end, e));
  TRY(packstream_expect_str(r, &rel->type, e));
  TRY(read_properties(r, &rel->properties, &rel->property_count, e));
  TRY(packstream_expect_str(r, &rel->element_id, e));
  TRY(packstream_expect_str(r, &rel->start_element_id, e));
  TRY(packstream_expect_str(r, &rel->end_element_id, e));
  *ret = (struct value){.type = VALUE_REL, .aux = VALUE_HYDRATED, .rel = rel};
  return ERR_OK;
}

// ---- paths ----

/// A path's relationship: its ends are in the path's steps.
enum err packstream_read_unbound_rel(struct packstream_reader *r, struct value *ret, struct error *e) {
  if (!r->within_path) return error_set(e, ERR_PROTOCOL, "A relationship without ends stands outside of a path.");
  struct value_rel *rel = ARENA_NEW(r->arena, struct value_rel);
  if (rel == NULL) return arena_err(r->arena, e);
  TRY(read_id(r, &rel->id, e));
  TRY(packstream_expect_str(r, &rel->type, e));
  TRY(read_properties(r, &rel->properties, &rel->property_count, e));
  TRY(packstream_expect_str(r, &rel->element_id, e));
  *ret = (struct value){.type = VALUE_REL, .aux = VALUE_HYDRATED, .rel = rel};
  return ERR_OK;
}

static enum err read_entities(struct packstream_reader *r, enum value_type type, struct value *ret, struct error *e) {
  bool outside = r->within_path;
  r->within_path = type == VALUE_REL;
  enum err err = read_list_field(r, "The nodes and relationships of a path", ret, e);
  r->within_path = outside;
  TRY(err);
  for (uint32_t i = 0; i < ret->len; i++)
    if (ret->items[i].type != type) return bad_field("A part of a path", ret->items[i], e);
  return ERR_OK;
}

/// The relationship of a step, with the ends that the step gives it.
static enum err bind(struct arena *a, struct value unbound, struct value from, struct value to, struct value *ret,
                     struct error *e) {
  struct value_rel *rel = arena_copy(a, unbound.rel, sizeof *rel);
  if (rel == NULL) return arena_err(a, e);
  rel->start = from.node->id;
  rel->end = to.node->id;
  rel->start_element_id = from.node->element_id;
  rel->end_element_id = to.node->element_id;
  *ret = (struct value){.type = VALUE_REL, .aux = VALUE_HYDRATED, .rel = rel};
  return ERR_OK;
}

/// "indices = pairs (rel, node); rel is 1-based, negative = traversed against its direction; node is 0-based" (Bolt, Path).
static enum err walk(struct arena *a, struct value all_nodes, struct value all_rels, struct value steps, struct value_path *p,
                     struct error *e) {
  struct value *nodes = ARENA_ARRAY(a, struct value, (size_t) p->len + 1), *rels = ARENA_ARRAY(a, struct value, p->len);
  bool *reversed = ARENA_ARRAY(a, bool, p->len);
  if (nodes == NULL || rels == NULL || reversed == NULL) return arena_err(a, e);
  nodes[0] = all_nodes.items[0];
  for (uint32_t i = 0; i < p->len; i++) {
    struct value rel = steps.items[2 * i], node = steps.items[2 * i + 1];
    bool sound = rel.type == VALUE_INT && rel.i != 0 && rel.i >= -(int64_t) all_rels.len && rel.i <= (int64_t) all_rels.len &&
                 node.type == VALUE_INT && node.i >= 0 && node.i < (int64_t) all_nodes.len;
    if (!sound) return error_set(e, ERR_PROTOCOL, "Step %u of a path leads nowhere.", i);
    nodes[i + 1] = all_nodes.items[node.i];
    reversed[i] = rel.i < 0;
    struct value from = nodes[reversed[i] ? i + 1 : i], to = nodes[reversed[i] ? i : i + 1];
    TRY(bind(a, all_rels.items[(reversed[i] ? -rel.i : rel.i) - 1], from, to, &rels[i], e));
  }
  p->nodes = nodes;
  p->rels = rels;
  p->reversed = reversed;
  return ERR_OK;
}

enum err packstream_read_path(struct packstream_reader *r, struct value *ret, struct error *e) {
  struct value nodes, rels, steps;
  TRY(read_entities(r, VALUE_NODE, &nodes, e));
  TRY(read_entities(r, VALUE_REL, &rels, e));
  TRY(read_list_field(r, "The steps of a path", &steps, e));
  if (nodes.len == 0 || steps.len % 2 != 0) return error_set(e, ERR_PROTOCOL, "A path has no beginning, or half a step.");
  struct value_path *p = ARENA_NEW(r->arena, struct value_path);
  if (p == NULL) return arena_err(r->arena, e);
  p->len = steps.len / 2;
  TRY(walk(r->arena, nodes, rels, steps, p, e));
  *ret = (struct value){.type = VALUE_PATH, .path = p};
  return ERR_OK;
}
