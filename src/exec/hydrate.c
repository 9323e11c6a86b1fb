// Full entities in place of ids: what a client gets. Under one view, so that what the transaction has written shows.
#include <string.h>

#include "exec/exec_int.h"
#include "plan/plan.h"

/// What hydration of one value needs.
struct hydration {
  struct exec *x;
  struct graph_view *view;
  struct arena *a;
  struct error *e;
};

static enum err entries_of(struct hydration *h, enum graph_kind kind, uint64_t id, const struct value_entry **ret, uint32_t *ret_n) {
  struct graph_property *properties;
  uint32_t n;
  TRY(graph_all_properties(h->view, kind, id, h->a, &properties, &n, h->e));
  struct value_entry *entries = ARENA_ARRAY(h->a, struct value_entry, n);
  if (entries == NULL) return arena_err(h->a, h->e);
  for (uint32_t i = 0; i < n; i++)
    entries[i] = (struct value_entry){graph_token_name(h->x->graph, GRAPH_KEY, properties[i].key), properties[i].value};
  *ret_n = value_map_sort(entries, n);
  *ret = entries;
  return ERR_OK;
}

static enum err labels_of(struct hydration *h, uint64_t id, const struct str **ret, uint32_t *ret_n) {
  graph_token *tokens;
  TRY(graph_node_labels(h->view, id, h->a, &tokens, ret_n, h->e));
  struct str *labels = ARENA_ARRAY(h->a, struct str, *ret_n);
  if (labels == NULL) return arena_err(h->a, h->e);
  for (uint32_t i = 0; i < *ret_n; i++) labels[i] = graph_token_name(h->x->graph, GRAPH_LABEL, tokens[i]);
  *ret = labels;
  return ERR_OK;
}

static enum err element_id(struct hydration *h, enum graph_kind kind, uint64_t id, struct str *ret) {
  *ret = graph_element_id(h->x->graph, kind, id, h->a);
  return ret->ptr != NULL ? ERR_OK : arena_err(h->a, h->e);
}

static enum err hydrate_node(struct hydration *h, uint64_t id, struct value *ret) {
  struct value_node *node = ARENA_NEW(h->a, struct value_node);
  uint8_t there = 0;
  if (node == NULL) return arena_err(h->a, h->e);
  node->id = id;
  TRY(element_id(h, GRAPH_NODE, id, &node->element_id));
  TRY(graph_exist(h->view, GRAPH_NODE, &id, 1, &there, h->e));
  node->deleted = !there;
  if (there) {
    TRY(labels_of(h, id, &node->labels, &node->label_count));
    TRY(entries_of(h, GRAPH_NODE, id, &node->properties, &node->property_count));
  }
  *ret = (struct value){.type = VALUE_NODE, .aux = VALUE_HYDRATED, .node = node};
  return ERR_OK;
}

static enum err hydrate_rel(struct hydration *h, uint64_t id, struct value *ret) {
  struct value_rel *rel = ARENA_NEW(h->a, struct value_rel);
  uint8_t there = 0;
  graph_token type;
  if (rel == NULL) return arena_err(h->a, h->e);
  rel->id = id;
  TRY(graph_rel_ends(h->view, &id, 1, &rel->start, &rel->end, &type, h->e));
  rel->type = graph_token_name(h->x->graph, GRAPH_TYPE, type);
  TRY(element_id(h, GRAPH_REL, id, &rel->element_id));
  TRY(element_id(h, GRAPH_NODE, rel->start, &rel->start_element_id));
  TRY(element_id(h, GRAPH_NODE, rel->end, &rel->end_element_id));
  TRY(graph_exist(h->view, GRAPH_REL, &id, 1, &there, h->e));
  rel->deleted = !there;
  if (there) TRY(entries_of(h, GRAPH_REL, id, &rel->properties, &rel->property_count));
  *ret = (struct value){.type = VALUE_REL, .aux = VALUE_HYDRATED, .rel = rel};
  return ERR_OK;
}

static enum err hydrate(struct hydration *h, struct value from, struct value *ret, int depth);

static enum err hydrate_items(struct hydration *h, const struct value *from, uint32_t n, const struct value **ret, int depth) {
  struct value *items = ARENA_ARRAY(h->a, struct value, n);
  if (items == NULL) return arena_err(h->a, h->e);
  for (uint32_t i = 0; i < n; i++) TRY(hydrate(h, from[i], &items[i], depth + 1));
  *ret = items;
  return ERR_OK;
}

static enum err hydrate_map(struct hydration *h, struct value from, struct value *ret, int depth) {
  struct value_entry *entries = ARENA_ARRAY(h->a, struct value_entry, from.len);
  if (entries == NULL) return arena_err(h->a, h->e);
  for (uint32_t i = 0; i < from.len; i++) {
    entries[i].key = from.entries[i].key;
    TRY(hydrate(h, from.entries[i].value, &entries[i].value, depth + 1));
  }
  *ret = v_map(entries, from.len);
  return ERR_OK;
}

static enum err hydrate_path(struct hydration *h, struct value from, struct value *ret, int depth) {
  struct value_path *path = ARENA_NEW(h->a, struct value_path);
  if (path == NULL) return arena_err(h->a, h->e);
  *path = *from.path;
  TRY(hydrate_items(h, from.path->nodes, path->len + 1, &path->nodes, depth));
  TRY(hydrate_items(h, from.path->rels, path->len, &path->rels, depth));
  *ret = (struct value){.type = VALUE_PATH, .path = path};
  return ERR_OK;
}

static bool holds_entities(struct value v, int depth) {
  if (v.type == VALUE_NODE || v.type == VALUE_REL) return !(v.aux & VALUE_HYDRATED);
  if (v.type == VALUE_PATH || depth > VALUE_DEPTH_MAX) return true;
  for (uint32_t i = 0; v.type == VALUE_LIST && i < v.len; i++)
    if (holds_entities(v.items[i], depth + 1)) return true;
  for (uint32_t i = 0; v.type == VALUE_MAP && i < v.len; i++)
    if (holds_entities(v.entries[i].value, depth + 1)) return true;
  return false;
}

static enum err hydrate(struct hydration *h, struct value from, struct value *ret, int depth) {
  if (depth > VALUE_DEPTH_MAX) return error_set(h->e, ERR_EXECUTION, "A result is nested more than %d levels deep.", VALUE_DEPTH_MAX);
  *ret = from;
  if ((from.type == VALUE_NODE || from.type == VALUE_REL) && (from.aux & VALUE_HYDRATED)) return ERR_OK;
  switch ((enum value_type) from.type) {
  case VALUE_NODE: return hydrate_node(h, from.id, ret);
  case VALUE_REL: return hydrate_rel(h, from.id, ret);
  case VALUE_PATH: return hydrate_path(h, from, ret, depth);
  case VALUE_MAP: return hydrate_map(h, from, ret, depth);
  case VALUE_LIST:
    TRY(hydrate_items(h, from.items, from.len, &ret->items, depth));
    return ERR_OK;
  default: return ERR_OK;
  }
}

enum err exec_hydrate(struct exec *x, struct graph_view *v, struct arena *a, struct value from, struct value *ret, struct error *e) {
  struct hydration h = {x, v, a, e};
  if (!holds_entities(from, 0)) {
    *ret = from;
    return ERR_OK;
  }
  return hydrate(&h, from, ret, 0);
}

/// Of a column of nodes or relationships, the next ones that are on disk come together.
static void read_ahead(struct graph_view *view, const struct vec *from, const uint32_t *sel, uint32_t n) {
  graph_id ids[GRAPH_AHEAD];
  uint32_t count = MIN(n, (uint32_t) GRAPH_AHEAD);
  if (from->kind == VEC_ANY || from->constant) return;
  for (uint32_t i = 0; i < count; i++) ids[i] = vec_is_null(from, sel[i]) ? UINT64_MAX : from->id[sel[i]];
  graph_read_ahead(view, from->kind == VEC_NODE ? GRAPH_NODE : GRAPH_REL, ids, count);
}

enum err exec_hydrate_column(struct exec *x, struct arena *a, const struct vec *from, const uint32_t *sel, uint32_t n, struct vec *ret,
                             struct error *e) {
  if (from->kind != VEC_ANY && from->kind != VEC_NODE && from->kind != VEC_REL) return vec_gather(a, from, sel, n, ret, e);
  struct graph_view *view = x->plan->root->writes ? x->current : x->snapshot;
  struct vec out;
  TRY(vec_alloc(a, VEC_ANY, n, &out, e));
  for (uint32_t i = 0; i < n; i++) {
    if (i % GRAPH_AHEAD == 0) read_ahead(view, from, sel + i, n - i);
    TRY(exec_hydrate(x, view, a, vec_get(from, sel[i]), &out.any[i], e));
  }
  *ret = out;
  return ERR_OK;
}
