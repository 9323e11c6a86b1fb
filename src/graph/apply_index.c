#include "graph/apply_int.h"

#include <string.h>

#include "graph/extent_int.h"
#include "graph/key_int.h"

static bool has_label(const struct entity_state *s, graph_token label) {
  for (uint32_t i = 0; i < s->label_count; i++)
    if (s->labels[i] == label) return true;
  return false;
}

static const struct stored *find_property(const struct entity_state *s, graph_token key) {
  for (uint32_t i = 0; i < s->property_count; i++)
    if (s->properties[i].key == key) return s->properties[i].tag != STORED_NONE ? &s->properties[i] : NULL;
  return NULL;
}

static enum err value_of(struct applier *ap, const struct stored *p, struct value *ret, struct error *e) {
  enum stored_tag tag = (enum stored_tag) p->tag;
  struct str run = p->run;
  if (stored_is_big(tag)) {
    TRY(extent_read(&ap->view, get_u64_le(p->fixed), get_u64_le(p->fixed + 8), &ap->scratch, &run, e));
    tag = (enum stored_tag)(tag - STORED_STRING_BIG + STORED_STRING);
  }
  return stored_value(tag, p->fixed, run, &ap->scratch, ret, e);
}

static enum err values_of(struct applier *ap, const struct graph_index *x, const struct entity_state *s, struct value *ret,
                          bool *ret_in, struct error *e) {
  *ret_in = false;
  if (!has_label(s, x->label_or_type)) return ERR_OK;
  for (uint32_t k = 0; k < x->key_count; k++) {
    const struct stored *p = find_property(s, x->keys[k]);
    if (p == NULL) return ERR_OK;
    TRY(value_of(ap, p, &ret[k], e));
  }
  *ret_in = true;
  return ERR_OK;
}

/// The entity's key in the index; an empty buffer if it does not belong there.
static enum err key_of(struct applier *ap, const struct graph_index *x, graph_id id, const struct entity_state *s,
                       struct buf *key, struct error *e) {
  struct value values[GRAPH_INDEX_KEYS_MAX];
  bool in;
  buf_clear(key);
  TRY(values_of(ap, x, s, values, &in, e));
  if (!in) return ERR_OK;
  enum err err = key_make(key, values, x->key_count, id, NULL);
  return err == ERR_OK ? err : error_ensure(e, err);
}

/// Whether the index holds an entry with the same values as `key`.
static enum err has_values(struct applier *ap, const struct schema_index *x, struct str key, bool *ret, struct error *e) {
  struct btree_cursor c;
  struct str values = key_values(key);
  btree_cursor_init(&c, x->tree);
  TRY(btree_cursor_seek(&ap->view, &c, (struct bytes){values.ptr, values.len}, BTREE_SEEK_GE, e));
  *ret = false;
  if (!c.valid) return ERR_OK;
  struct bytes found;
  TRY(btree_cursor_get(&ap->view, &c, &found, NULL, e));
  *ret = found.len == key.len && memcmp(found.ptr, values.ptr, values.len) == 0;
  return ERR_OK;
}

static enum err index_delete(struct applier *ap, const struct schema_index *x, struct str key, struct error *e) {
  bool removed, others;
  TRY(btree_delete(ap->batch, x->tree, (struct bytes){key.ptr, key.len}, &removed, e));
  if (!removed) return ERR_OK; // not populated yet
  TRY(has_values(ap, x, key, &others, e));
  TRY(apply_count(ap, STATISTIC_INDEX_ENTRIES, x->index.id, 0, -1));
  return apply_count(ap, STATISTIC_INDEX_DISTINCT, x->index.id, 0, others ? 0 : -1);
}

static enum err index_put(struct applier *ap, const struct schema_index *x, struct str key, struct error *e) {
  bool replaced, others;
  TRY(has_values(ap, x, key, &others, e));
  TRY(btree_put(ap->batch, x->tree, (struct bytes){key.ptr, key.len}, (struct bytes){"", 1}, &replaced, e));
  if (replaced) return ERR_OK; // populated already
  TRY(apply_count(ap, STATISTIC_INDEX_ENTRIES, x->index.id, 0, 1));
  return apply_count(ap, STATISTIC_INDEX_DISTINCT, x->index.id, 0, others ? 0 : 1);
}

static enum err change_one(struct applier *ap, const struct schema_index *x, graph_id id, const struct entity_state *before,
                           const struct entity_state *after, struct error *e) {
  if (x->index.state == GRAPH_INDEX_FAILED) return ERR_OK;
  TRY(key_of(ap, &x->index, id, before, &ap->other_key, e));
  TRY(key_of(ap, &x->index, id, after, &ap->key, e));
  struct str old = buf_str(&ap->other_key), now = buf_str(&ap->key);
  if (str_eq(old, now)) return ERR_OK;
  if (old.len > 0) TRY(index_delete(ap, x, old, e));
  return now.len > 0 ? index_put(ap, x, now, e) : ERR_OK;
}

enum err apply_index_change(struct applier *ap, enum graph_kind kind, graph_id id, const struct entity_state *before,
                            const struct entity_state *after, struct error *e) {
  if (ap->schema->count == 0) return ERR_OK;
  const struct schema_index *x;
  for (uint32_t i = 0; i < before->label_count; i++)
    for (uint32_t at = 0; (x = schema_next(ap->schema, &at, kind, before->labels[i])) != NULL;)
      TRY(change_one(ap, x, id, before, after, e));
  for (uint32_t i = 0; i < after->label_count; i++) {
    if (has_label(before, after->labels[i])) continue;
    for (uint32_t at = 0; (x = schema_next(ap->schema, &at, kind, after->labels[i])) != NULL;)
      TRY(change_one(ap, x, id, before, after, e));
  }
  return ERR_OK;
}

// ---- schema commands ----

enum err apply_change_schema(struct applier *ap, struct schema **ret, struct error *e) {
  struct schema *copy = schema_copy(ap->schema);
  if (copy == NULL) return error_ensure(e, ERR_NOMEM);
  schema_release(ap->schema);
  ap->schema = copy;
  ap->schema_changed = true;
  *ret = copy;
  return ERR_OK;
}

enum err apply_index_create(struct applier *ap, const struct command *c, struct error *e) {
  struct schema *s = NULL;
  if (schema_find(ap->schema, c->index.index.id) != NULL)
    return error_set(e, ERR_CORRUPT, "index %u exists already", c->index.index.id);
  TRY(apply_change_schema(ap, &s, e));
  struct schema_index *x = &s->indexes[s->count];
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  if (schema_put_index(&bytes, &c->index) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  TRY(schema_take_index(buf_str(&bytes), &s->arena, x, e)); // its texts move into the schema
  TRY(btree_create(ap->batch, &x->tree, e));
  x->born = ap->view.epoch;
  x->index.state = GRAPH_INDEX_POPULATING;
  x->populated = 0;
  s->count++;
  s->next_id = MAX(s->next_id, x->index.id + 1);
  if (x->index.constraint == GRAPH_CONSTRAINT_UNIQUE) TRY(graph_population_lock(ap->g, e));
  return schema_store(ap->batch, ap->g->schema_root, x, e);
}

static enum err forget_counts(struct applier *ap, uint32_t id) {
  for (int s = STATISTIC_INDEX_ENTRIES; s <= STATISTIC_INDEX_DISTINCT; s++) {
    statistic_key key = statistic_key_of((enum statistic) s, id, 0);
    const uint64_t *pending = map_get(&ap->g->statistics.deltas, key);
    uint64_t now = statistics_get(&ap->g->statistics, (enum statistic) s, id, 0) + (pending != NULL ? *pending : 0);
    TRY(apply_count(ap, (enum statistic) s, id, 0, -(int64_t) now));
  }
  return ERR_OK;
}

enum err apply_index_drop(struct applier *ap, uint32_t id, struct error *e) {
  struct schema *s = NULL;
  TRY(apply_change_schema(ap, &s, e));
  struct schema_index *x = schema_find(s, id);
  if (x == NULL) return error_set(e, ERR_CORRUPT, "there is no index %u to drop", id);
  TRY(btree_destroy(ap->batch, x->tree, e));
  enum err err = forget_counts(ap, id);
  if (err != ERR_OK) return error_ensure(e, err);
  memmove(x, x + 1, (size_t) (s->indexes + s->count - x - 1) * sizeof *x);
  s->count--;
  return schema_erase(ap->batch, ap->g->schema_root, id, e);
}

/// A constraint that cannot be is taken away whole; an index that failed stays and says why.
enum err apply_index_verdict(struct applier *ap, const struct command *c, struct error *e) {
  struct schema_index *found = schema_find(ap->schema, c->index_id);
  if (found == NULL) return ERR_OK; // dropped meanwhile
  if (c->failure.len > 0 && found->index.constraint != GRAPH_CONSTRAINT_NONE) return apply_index_drop(ap, c->index_id, e);
  if (c->failure.len == 0) TRY(populate_to_the_end(ap, c->index_id, e));
  struct schema *s = NULL;
  TRY(apply_change_schema(ap, &s, e));
  struct schema_index *x = schema_find(s, c->index_id);
  x->index.state = c->failure.len > 0 ? GRAPH_INDEX_FAILED : GRAPH_INDEX_ONLINE;
  x->index.population_percent = c->failure.len > 0 ? x->index.population_percent : 100;
  x->index.failure = arena_str(&s->arena, c->failure);
  if (x->index.failure.ptr == NULL) return arena_err(&s->arena, e);
  return schema_store(ap->batch, ap->g->schema_root, x, e);
}

// ---- population ----

static enum err node_state(struct applier *ap, graph_id id, graph_token *labels, struct entity_state *ret, struct error *e) {
  const uint8_t *record;
  struct stored *list;
  TRY(record_read(&ap->g->nodes, &ap->view, id, &record, e));
  if (!record_in_use(record)) return ERR_OK;
  TRY(node_labels(&ap->view, record, labels, &ret->label_count, e));
  TRY(apply_properties(ap, (struct property_place){NULL, node_properties(record)}, &list, &ret->property_count, e));
  ret->labels = labels;
  ret->properties = list;
  return ERR_OK;
}

static enum err rel_state(struct applier *ap, graph_id id, graph_token *type, struct entity_state *ret, struct error *e) {
  const uint8_t *record;
  struct stored *list;
  TRY(record_read(&ap->g->rels, &ap->view, id, &record, e));
  if (!record_in_use(record)) return ERR_OK;
  TRY(apply_properties(ap, rel_property_place(record), &list, &ret->property_count, e));
  *type = rel_type(record);
  ret->labels = type;
  ret->label_count = 1;
  ret->properties = list;
  return ERR_OK;
}

static enum err current_state(struct applier *ap, enum graph_kind kind, graph_id id, graph_token *labels,
                              struct entity_state *ret, struct error *e) {
  return kind == GRAPH_NODE ? node_state(ap, id, labels, ret, e) : rel_state(ap, id, labels, ret, e);
}

enum err apply_index_values(struct applier *ap, const struct graph_index *x, graph_id id, struct value *ret, bool *ret_in,
                            struct error *e) {
  graph_token labels[NODE_LABELS_MAX];
  struct entity_state now = {0};
  TRY(current_state(ap, x->entity, id, labels, &now, e));
  return values_of(ap, x, &now, ret, ret_in, e);
}

enum err apply_populate_entity(struct applier *ap, const struct schema_index *x, graph_id id, struct error *e) {
  graph_token labels[NODE_LABELS_MAX];
  struct entity_state none = {0}, now = {0};
  TRY(current_state(ap, x->index.entity, id, labels, &now, e));
  return change_one(ap, x, id, &none, &now, e);
}
