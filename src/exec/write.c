#include "exec/write.h"

#include <stdlib.h>
#include <string.h>

#include "graph/tx.h"
#include "graph/write.h"

static bool note_graph_read(struct ast *n, void *context) {
  bool *reads = context;
  switch ((enum ast_kind) n->kind) {
  case AST_PROPERTY: *reads |= (n->property.subject->types & CYPHER_ENTITY) != 0 || n->property.subject->types == 0; break;
  case AST_SUBSCRIPT: *reads |= (n->subscript.subject->types & CYPHER_ENTITY) != 0 || n->subscript.subject->types == 0; break;
  case AST_HAS_LABELS:
  case AST_MAP_PROJECTION: *reads = true; break;
  case AST_VARIABLE: *reads |= (n->types & CYPHER_ENTITY) != 0 || n->types == 0; break; // SET n = m, or a slot made by this clause
  case AST_FUNCTION:
    *reads |= n->function.signature == NULL || n->function.signature->id == CYPHER_FN_USER ||
              (n->function.signature->flags & CYPHER_GRAPH) != 0;
    break;
  default: break;
  }
  return !*reads;
}

bool write_reads_graph(const struct ast *n) {
  bool reads = false;
  ast_visit((struct ast *) n, note_graph_read, &reads);
  return reads;
}

/// The value of an item's expression for a row: evaluated ahead, or now.
static enum err value_of(struct op *op, const struct ast *expression, const struct vec *ahead, const struct batch *b, uint32_t row,
                         struct arena *a, struct value *ret, struct error *e) {
  if (vec_is_set(ahead)) {
    *ret = vec_get(ahead, row);
    return ERR_OK;
  }
  struct eval c = op_eval_current(op, a, e);
  return eval_value(&c, expression, b, row, ret);
}

static enum err evaluate_ahead(struct op *op, const struct ast *expression, const struct batch *b, struct arena *a, struct vec *ret,
                               struct error *e) {
  *ret = (struct vec){0};
  if (expression == NULL || write_reads_graph(expression)) return ERR_OK;
  struct eval c = op_eval_current(op, a, e);
  struct frame root = frame_of(&c, b);
  return eval_expression(&c, expression, &root, ret);
}

static enum err name_token(struct op *op, enum graph_token_kind kind, struct str name, graph_token *ret, struct error *e) {
  if (graph_token_find(op->x->graph, kind, name, ret)) return ERR_OK;
  return graph_token_make(op->x->tx, kind, name, ret, e);
}

/// A map, or the properties of an entity, as properties by token.
static enum err properties_of(struct op *op, struct value v, struct arena *a, struct graph_property **ret, uint32_t *ret_n, struct error *e) {
  if (v.type == VALUE_NODE || v.type == VALUE_REL)
    return graph_all_properties(op->x->current, v.type == VALUE_NODE ? GRAPH_NODE : GRAPH_REL, v_id(v), a, ret, ret_n, e);
  *ret_n = 0;
  if (v_is_null(v)) return ERR_OK;
  if (v.type != VALUE_MAP) {
    struct str text = value_describe(a, v);
    return error_set(e, ERR_TYPE, "Expected %.*s to be a map, but it was :`%s`", STR_ARG(text), value_class_name(v));
  }
  struct graph_property *properties = ARENA_ARRAY(a, struct graph_property, v.len);
  if (properties == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < v.len; i++) {
    TRY(name_token(op, GRAPH_KEY, v.entries[i].key, &properties[i].key, e));
    properties[i].value = v.entries[i].value;
  }
  *ret = properties;
  *ret_n = v.len;
  return ERR_OK;
}

/// Tokens of labels written out and of dynamic ones, made where new.
static enum err labels_of(struct op *op, struct plan_list names, struct plan_exprs dynamic, const struct batch *b, uint32_t row, struct arena *a,
                          enum graph_token_kind kind, graph_token **ret, uint32_t *ret_n, struct error *e) {
  struct value *values = ARENA_ARRAY(a, struct value, dynamic.count);
  uint32_t room = names.count, n = 0;
  if (values == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < dynamic.count; i++) {
    struct vec none = {0};
    TRY(value_of(op, dynamic.items[i], &none, b, row, a, &values[i], e));
    room += values[i].type == VALUE_LIST ? values[i].len : 1;
  }
  graph_token *tokens = ARENA_ARRAY(a, graph_token, room);
  if (tokens == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < names.count; i++) TRY(op_token_make(op, names.items[i], &tokens[n++], e));
  for (uint32_t i = 0; i < dynamic.count; i++) {
    struct value v = values[i], one = v;
    if (v.type != VALUE_LIST) v = v_list(&one, 1);
    for (uint32_t k = 0; k < v.len; k++) {
      if (v.items[k].type != VALUE_STRING)
        return error_set(e, ERR_TYPE, "Expected a String or a List<String> for a dynamic %s, but got %s",
                         kind == GRAPH_LABEL ? "label" : "relationship type", value_class_name(v.items[k]));
      TRY(name_token(op, kind, v_text(v.items[k]), &tokens[n++], e));
    }
  }
  *ret = tokens;
  *ret_n = n;
  return ERR_OK;
}

static uint32_t distinct_tokens(graph_token *tokens, uint32_t n) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n; i++) {
    bool seen = false;
    for (uint32_t k = 0; k < kept; k++) seen |= tokens[k] == tokens[i];
    if (!seen) tokens[kept++] = tokens[i];
  }
  return kept;
}

static enum err check_merge_nulls(struct op *op, const struct plan_create_item *item, const struct graph_property *properties, uint32_t n,
                                  struct error *e) {
  for (uint32_t i = 0; i < n; i++) {
    if (!v_is_null(properties[i].value)) continue;
    struct str key = graph_token_name(op->x->graph, GRAPH_KEY, properties[i].key);
    return error_set(e, ERR_SEMANTIC, "Cannot merge the following %s because of null property value for '%.*s'",
                     item->kind == GRAPH_NODE ? "node" : "relationship", STR_ARG(key));
  }
  return ERR_OK;
}

static int64_t count_set(const struct graph_property *properties, uint32_t n) {
  int64_t set = 0;
  for (uint32_t i = 0; i < n; i++) set += !v_is_null(properties[i].value);
  return set;
}

static enum err end_of(struct op *op, const struct batch *b, uint32_t slot, uint32_t row, const char *which, uint64_t *ret, struct error *e) {
  struct value v = batch_get(b, slot, row);
  if (v.type == VALUE_NODE) {
    *ret = v_id(v);
    return ERR_OK;
  }
  struct str name = op->x->plan->slots[slot].name;
  return error_set(e, ERR_ENTITY_NOT_FOUND, "Failed to create relationship, the %s node `%.*s` is missing. If you prefer to simply ignore rows where a "
                   "relationship node is missing, set 'cypher.lenient_create_relationship = true' in neo4j.conf",
                   which, STR_ARG(name));
}

static enum err create_one(struct op *op, const struct plan_create_item *item, const struct batch *b, uint32_t row, const struct vec *ahead,
                           struct arena *a, bool merge, uint64_t *ret, struct error *e) {
  struct exec_counters *counters = &op->x->counters;
  struct graph_property *properties = NULL;
  graph_token *tokens;
  uint32_t property_count = 0, token_count;
  struct value map = V_NULL;
  if (item->properties != NULL) TRY(value_of(op, item->properties, ahead, b, row, a, &map, e));
  TRY(properties_of(op, map, a, &properties, &property_count, e));
  if (merge) TRY(check_merge_nulls(op, item, properties, property_count, e));
  TRY(labels_of(op, item->labels, item->dynamic_labels, b, row, a, item->kind == GRAPH_NODE ? GRAPH_LABEL : GRAPH_TYPE, &tokens, &token_count, e));
  token_count = distinct_tokens(tokens, token_count);
  if (item->kind == GRAPH_NODE) {
    TRY(graph_create_node(op->x->tx, tokens, token_count, properties, property_count, ret, e));
    counters->nodes_created++;
    counters->labels_added += token_count;
  } else {
    uint64_t start, end;
    TRY(end_of(op, b, item->start, row, "start", &start, e));
    TRY(end_of(op, b, item->end, row, "end", &end, e));
    if (token_count != 1) return error_set(e, ERR_SYNTAX, "Exactly one relationship type must be specified for each relationship to create.");
    TRY(graph_create_rel(op->x->tx, start, end, tokens[0], properties, property_count, ret, e));
    counters->relationships_created++;
  }
  counters->properties_set += count_set(properties, property_count);
  op->db_hits++;
  return ERR_OK;
}

enum err write_create_prepare(struct arena *a, const struct plan_create *plan, struct batch *b, uint64_t ***ret, struct error *e) {
  uint64_t **ids = ARENA_ARRAY(a, uint64_t *, plan->count);
  if (ids == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < plan->count; i++) {
    ids[i] = arena_zalloc(a, b->n * sizeof **ids);
    if (ids[i] == NULL) return arena_err(a, e);
    b->columns[plan->items[i].slot] = vec_of_ids(plan->items[i].kind == GRAPH_NODE ? VEC_NODE : VEC_REL, ids[i]);
  }
  *ret = ids;
  return ERR_OK;
}

/// Values of expressions that do not read the graph, for all rows.
static enum err create_ahead(struct op *op, const struct plan_create *plan, const struct batch *b, struct write_place *place, struct error *e) {
  struct vec *columns = arena_zalloc(place->arena, plan->count * sizeof *columns);
  if (columns == NULL) return arena_err(place->arena, e);
  for (uint32_t i = 0; i < plan->count; i++) TRY(evaluate_ahead(op, plan->items[i].properties, b, place->arena, &columns[i], e));
  place->columns = columns;
  return ERR_OK;
}

enum err write_create(struct op *op, const struct plan_create *plan, const struct batch *b, uint64_t **ids, struct write_place *place, bool merge,
                      struct error *e) {
  if (place->columns == NULL) TRY(create_ahead(op, plan, b, place, e));
  for (; place->row < b->n; place->row++, place->item = 0) {
    if (place->row % EXEC_CANCEL_STEPS == 0) TRY(exec_check(op->x, e));
    for (; place->item < plan->count; place->item++) {
      struct arena_mark mark = arena_mark(place->arena);
      enum err err = create_one(op, &plan->items[place->item], b, place->row, &place->columns[place->item], place->arena, merge,
                                &ids[place->item][place->row], e);
      arena_rewind(place->arena, mark);
      TRY(err);
    }
  }
  return ERR_OK;
}

/// What an assignment is done to.
struct target {
  enum graph_kind kind;
  uint64_t id;
  bool none; // null: nothing happens
};

static enum err target_of(struct op *op, const struct ast *expression, const struct batch *b, uint32_t row, struct arena *a, struct target *ret,
                          struct error *e) {
  struct vec not_ahead = {0};
  struct value v;
  TRY(value_of(op, expression, &not_ahead, b, row, a, &v, e));
  *ret = (struct target){v.type == VALUE_REL ? GRAPH_REL : GRAPH_NODE, 0, v_is_null(v)};
  if (ret->none) return ERR_OK;
  if (v.type != VALUE_NODE && v.type != VALUE_REL)
    return error_set(e, ERR_TYPE, "Expected %s to be a node or a relationship, but it was a `%s`", "the target of SET", value_class_name(v));
  ret->id = v_id(v);
  return ERR_OK;
}

static enum err set_one(struct op *op, struct target t, graph_token key, struct value v, struct error *e) {
  bool changed = false;
  TRY(graph_set_property(op->x->tx, t.kind, t.id, key, v, &changed, e));
  op->x->counters.properties_set += changed;
  op->db_hits++;
  return ERR_OK;
}

/// The properties that an assignment of a map makes: each step sets one, so that waiting in the middle is no matter.
struct map_change {
  struct graph_property *properties;
  uint32_t n;
};

static enum err plan_map_change(struct op *op, const struct plan_set_item *item, struct target t, struct value v, struct arena *a,
                                struct map_change *ret, struct error *e) {
  struct graph_property *wanted = NULL, *had = NULL;
  uint32_t wanted_n = 0, had_n = 0, n = 0;
  if (v_is_null(v)) return error_set(e, ERR_TYPE, "Expected null to be a map, but it was :`NO_VALUE`");
  TRY(properties_of(op, v, a, &wanted, &wanted_n, e));
  if (item->kind == PLAN_SET_PROPERTIES) TRY(graph_all_properties(op->x->current, t.kind, t.id, a, &had, &had_n, e));
  struct graph_property *all = ARENA_ARRAY(a, struct graph_property, wanted_n + had_n);
  if (all == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < had_n; i++) {
    bool stays = false;
    for (uint32_t k = 0; k < wanted_n; k++) stays |= wanted[k].key == had[i].key;
    if (!stays) all[n++] = (struct graph_property){had[i].key, V_NULL};
  }
  if (wanted_n > 0) memcpy(all + n, wanted, wanted_n * sizeof *all);
  *ret = (struct map_change){all, n + wanted_n};
  return ERR_OK;
}

static enum err set_map(struct op *op, const struct plan_set_item *item, struct target t, struct value v, struct write_place *place,
                        struct error *e) {
  struct map_change *change = place->current;
  if (change == NULL) {
    struct map_change made;
    TRY(plan_map_change(op, item, t, v, place->arena, &made, e));
    change = arena_copy(place->arena, &made, sizeof made);
    if (change == NULL) return arena_err(place->arena, e);
    place->current = change;
  }
  for (; place->step < change->n; place->step++)
    TRY(set_one(op, t, change->properties[place->step].key, change->properties[place->step].value, e));
  place->current = NULL;
  return ERR_OK;
}

static enum err set_labels(struct op *op, const struct plan_set_item *item, struct target t, const struct batch *b, struct write_place *place,
                           struct error *e) {
  graph_token *tokens;
  uint32_t n;
  bool add = item->kind == PLAN_SET_LABELS;
  if (t.kind != GRAPH_NODE) return error_set(e, ERR_TYPE, "Only a node has labels that can be changed.");
  if (add) {
    TRY(labels_of(op, item->labels, item->dynamic_labels, b, place->row, place->arena, GRAPH_LABEL, &tokens, &n, e));
  } else if (item->dynamic_labels.count > 0) {
    TRY(labels_of(op, item->labels, item->dynamic_labels, b, place->row, place->arena, GRAPH_LABEL, &tokens, &n, e));
  } else {
    TRY(op_tokens(op, place->arena, item->labels, &tokens, &n, e));
  }
  for (; place->step < n; place->step++) {
    bool changed = false;
    if (add) {
      TRY(graph_add_label(op->x->tx, t.id, tokens[place->step], &changed, e));
      op->x->counters.labels_added += changed;
    } else {
      TRY(graph_remove_label(op->x->tx, t.id, tokens[place->step], &changed, e));
      op->x->counters.labels_removed += changed;
    }
    op->db_hits++;
  }
  return ERR_OK;
}

static enum err dynamic_key(struct op *op, const struct plan_set_item *item, const struct batch *b, uint32_t row, struct arena *a,
                            graph_token *ret, struct error *e) {
  struct vec not_ahead = {0};
  struct value key;
  TRY(value_of(op, item->key_expression, &not_ahead, b, row, a, &key, e));
  if (key.type != VALUE_STRING)
    return error_set(e, ERR_TYPE, "Expected a String as the key of a property, but got %s", value_class_name(key));
  return name_token(op, GRAPH_KEY, v_text(key), ret, e);
}

/// Removing a property that no entity has ever had makes no token.
static bool removes_unknown(struct op *op, const struct plan_set_item *item) {
  graph_token ignored;
  return item->kind == PLAN_SET_PROPERTY && item->value == NULL && !op_token(op, item->key, &ignored);
}

static enum err set_item(struct op *op, const struct plan_set_item *item, const struct batch *b, struct write_place *place, struct error *e) {
  struct target t;
  struct value v = V_NULL;
  graph_token key;
  TRY(target_of(op, item->target, b, place->row, place->arena, &t, e));
  if (t.none || removes_unknown(op, item)) return ERR_OK;
  if (!place->locked) TRY(graph_lock(op->x->tx, t.kind, &t.id, 1, GRAPH_LOCK_EXCLUSIVE, e));
  if (item->value != NULL && place->current == NULL)
    TRY(value_of(op, item->value, &place->columns[place->item], b, place->row, place->arena, &v, e));
  switch (item->kind) {
  case PLAN_SET_PROPERTY:
    TRY(op_token_make(op, item->key, &key, e));
    return set_one(op, t, key, v, e);
  case PLAN_SET_PROPERTY_DYNAMIC:
    TRY(dynamic_key(op, item, b, place->row, place->arena, &key, e));
    return set_one(op, t, key, v, e);
  case PLAN_SET_PROPERTIES:
  case PLAN_ADD_PROPERTIES: return set_map(op, item, t, v, place, e);
  case PLAN_SET_LABELS:
  case PLAN_REMOVE_LABELS: return set_labels(op, item, t, b, place, e);
  }
  return ERR_OK;
}

static int order_ids(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
  return x < y ? -1 : x > y;
}

/// Locks of a whole batch where the targets are plain columns: taken in one call, before anything is read (contract 1).
static enum err lock_targets(struct op *op, const struct plan_set *plan, const struct batch *b, struct write_place *place, struct error *e) {
  bool all_plain = true;
  for (int kind = GRAPH_NODE; kind <= GRAPH_REL; kind++) {
    uint64_t *ids = arena_array(place->arena, (size_t) b->n * plan->count, sizeof *ids);
    if (ids == NULL) return arena_err(place->arena, e);
    uint32_t n = 0, kept = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
      const struct ast *target = plan->items[i].target;
      all_plain &= target->kind == AST_VARIABLE;
      for (uint32_t row = 0; target->kind == AST_VARIABLE && row < b->n; row++) {
        struct value v = batch_get(b, target->variable.slot, row);
        if (v.type == (kind == GRAPH_NODE ? VALUE_NODE : VALUE_REL)) ids[n++] = v_id(v);
      }
    }
    qsort(ids, n, sizeof *ids, order_ids);
    for (uint32_t i = 0; i < n; i++)
      if (kept == 0 || ids[i] != ids[kept - 1]) ids[kept++] = ids[i];
    if (kept > 0) TRY(graph_lock(op->x->tx, kind, ids, kept, GRAPH_LOCK_EXCLUSIVE, e));
  }
  place->locked = all_plain;
  return ERR_OK;
}

static enum err set_ahead(struct op *op, const struct plan_set *plan, const struct batch *b, struct write_place *place, struct error *e) {
  struct vec *columns = arena_zalloc(place->arena, plan->count * sizeof *columns);
  if (columns == NULL) return arena_err(place->arena, e);
  for (uint32_t i = 0; i < plan->count; i++) TRY(evaluate_ahead(op, plan->items[i].value, b, place->arena, &columns[i], e));
  place->columns = columns;
  return ERR_OK;
}

enum err write_set(struct op *op, const struct plan_set *plan, const struct batch *b, struct write_place *place, struct error *e) {
  if (place->columns == NULL) {
    TRY(lock_targets(op, plan, b, place, e));
    TRY(set_ahead(op, plan, b, place, e));
  }
  for (; place->row < b->n; place->row++, place->item = 0) {
    if (place->row % EXEC_CANCEL_STEPS == 0) TRY(exec_check(op->x, e));
    for (; place->item < plan->count; place->item++, place->step = 0) {
      struct arena_mark mark = arena_mark(place->arena);
      TRY(set_item(op, &plan->items[place->item], b, place, e));
      arena_rewind(place->arena, mark);
    }
  }
  return ERR_OK;
}
