// Writing: each call takes its locks and checks constraints before any effect, so that one that must wait can be called again.
#include "graph/tx_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum err tx_lock(struct graph_tx *tx, enum lock_kind kind, uint64_t id, enum graph_lock_mode mode, struct error *e) {
  lock_resource resource = lock_resource_of(kind, id);
  if (tx->owner.wait_state == LOCK_WAIT_NONE && lock_is_held(&tx->owner, resource, mode)) return ERR_OK;
  tx_arm(tx);
  return lock_acquire(&tx->g->locks, &tx->owner, resource, mode, tx->options.lock_timeout_ns, e);
}

enum err tx_begin_write(struct graph_tx *tx, struct error *e) {
  TRY(tx_check(tx, e));
  if (LIKELY(tx->writing)) return commits_check_term(tx->g, tx->term, e);
  if (tx->options.read_only) return error_set(e, ERR_ACCESS_MODE, "Writing in read access mode not allowed.");
  if (tx->schema_changed) // an entry with its origin says that it was committed: there must be no other
    return error_set(e, ERR_GENERAL_ARGUMENTS,
                     "Tried to execute Write query after executing Schema modification. "
                     "Schema changes and data changes need transactions of their own.");
  TRY(graph_failure(tx->g, e));
  uint64_t term = tx->term;
  TRY(term == 0 ? commits_term(tx->g, &term, e) : commits_check_term(tx->g, term, e));
  tx->term = term;
  TRY(tx_lock(tx, LOCK_SCHEMA, 0, GRAPH_LOCK_SHARED, e));
  schema_release(tx->schema); // from now on it cannot change
  tx->schema = graph_schema(tx->g);
  tx->writing = true;
  return ERR_OK;
}

/// Writing begins: locks of the schema, a current view in page access, fresh scratch memory. On success call write_end.
static enum err write_begin(struct graph_tx *tx, struct graph_view **ret, struct error *e) {
  TRY(tx_begin_write(tx, e));
  *ret = &tx->views[GRAPH_READ_CURRENT];
  graph_view_enter(*ret);
  arena_reset(&tx->scratch);
  enum err err = view_call(*ret, e);
  if (err != ERR_OK) graph_view_leave(*ret);
  return err;
}

static enum err write_end(struct graph_view *v, enum err err, struct error *e) {
  err = view_end(v, err, e);
  graph_view_leave(v);
  return err;
}

/// Out of memory in the midst of effects leaves them half done: the transaction can only be rolled back. Effects read no pages:
/// one that is not in memory is met before any of them, and the call is made again.
static enum err effects(struct graph_tx *tx, enum err err) {
  if (UNLIKELY(err != ERR_OK)) graph_tx_kill(tx, err);
  return err;
}

static enum err no_such_entity(const struct graph_tx *tx, enum graph_kind kind, graph_id id, struct error *e) {
  const struct over_entity *x = overlay_find(&tx->overlay, kind, id);
  if (x != NULL && x->deleted.now > 0)
    return error_set(e, ERR_ENTITY_NOT_FOUND, "%s with id %" PRIu64 " has been deleted in this transaction",
                     kind == GRAPH_NODE ? "Node" : "Relationship", id);
  return error_set(e, ERR_ENTITY_NOT_FOUND, "Unable to load %s %c:%s:%" PRIu64 ".", kind == GRAPH_NODE ? "NODE" : "RELATIONSHIP",
                   kind == GRAPH_NODE ? '4' : '5', tx->g->uuid_text, id);
}

/// After a lock was granted the view must see what its last holder published.
static enum err must_exist(struct graph_view *v, enum graph_kind kind, graph_id id, struct error *e) {
  bool exists;
  TRY(view_begin(v, e));
  TRY(view_exists(v, kind, id, &exists, e));
  return exists ? ERR_OK : no_such_entity(v->tx, kind, id, e);
}

static enum err lock_ends(struct graph_tx *tx, graph_id start, graph_id end, struct error *e) {
  TRY(tx_lock(tx, LOCK_NODE, MIN(start, end), GRAPH_LOCK_SHARED, e));
  return tx_lock(tx, LOCK_NODE, MAX(start, end), GRAPH_LOCK_SHARED, e);
}

/// A relationship to be written: shared locks on its ends, an exclusive one on itself (contract 17).
static enum err lock_rel(struct graph_view *v, graph_id id, struct error *e) {
  graph_id start, end;
  graph_token type;
  TRY(view_rel(v, id, &start, &end, &type, e));
  TRY(lock_ends(v->tx, start, end, e));
  return tx_lock(v->tx, LOCK_REL, id, GRAPH_LOCK_EXCLUSIVE, e);
}

static enum err lock_entity(struct graph_view *v, enum graph_kind kind, graph_id id, struct error *e) {
  if (kind == GRAPH_REL) return lock_rel(v, id, e);
  return tx_lock(v->tx, LOCK_NODE, id, GRAPH_LOCK_EXCLUSIVE, e);
}

// ---- locks ahead ----

static int order_ids(const void *a, const void *b) {
  graph_id x = *(const graph_id *) a, y = *(const graph_id *) b;
  return (x > y) - (x < y);
}

enum err graph_lock(struct graph_tx *tx, enum graph_kind kind, const graph_id *ids, uint32_t n, enum graph_lock_mode mode,
                    struct error *e) {
  TRY(tx_begin_write(tx, e));
  arena_reset(&tx->scratch);
  graph_id *sorted = arena_copy(&tx->scratch, ids, n * sizeof *ids);
  if (sorted == NULL) return arena_err(&tx->scratch, e);
  qsort(sorted, n, sizeof *sorted, order_ids);
  for (uint32_t i = 0; i < n; i++)
    if (sorted[i] != UINT64_MAX) TRY(tx_lock(tx, kind == GRAPH_NODE ? LOCK_NODE : LOCK_REL, sorted[i], mode, e));
  return ERR_OK;
}

// ---- creating ----

/// An id that no transaction had before; kept over a wait. Ids of transactions that abort leak (contract 16).
static enum err take_id(struct graph_tx *tx, enum graph_kind kind, graph_id *ret, struct error *e) {
  if (tx->spare[kind] == UINT64_MAX) {
    graph_id id = atomic_fetch_add(kind == GRAPH_NODE ? &tx->g->next_node : &tx->g->next_rel, 1);
    if (id > GRAPH_ID_MAX) return error_set(e, ERR_GENERAL_ARGUMENTS, "The database has given out all of its 2^40 ids.");
    tx->spare[kind] = id;
  }
  *ret = tx->spare[kind];
  return ERR_OK;
}

static enum err check_properties(const struct graph_property *list, uint32_t n, struct error *e) {
  for (uint32_t i = 0; i < n; i++) TRY(stored_check(list[i].value, e));
  return ERR_OK;
}

static enum err put_properties(struct graph_tx *tx, struct over_entity *x, const struct graph_property *list, uint32_t n,
                               struct error *e) {
  for (uint32_t i = 0; i < n; i++)
    if (!v_is_null(list[i].value)) TRY(over_property_set(&tx->overlay, x, list[i].key, list[i].value, e));
  return ERR_OK;
}

static enum err create_node(struct graph_tx *tx, const struct tx_change *c, const struct tx_index_plan *plan, struct error *e) {
  struct over_entity *x;
  TRY(overlay_create(&tx->overlay, GRAPH_NODE, c->id, &x, e));
  for (uint32_t i = 0; i < c->label_count; i++) TRY(over_label_set(&tx->overlay, x, c->labels[i], 1, e));
  TRY(put_properties(tx, x, c->properties, c->property_count, e));
  return tx_run_index_plan(tx, plan, e);
}

enum err graph_create_node(struct graph_tx *tx, const graph_token *labels, uint32_t label_count,
                           const struct graph_property *properties, uint32_t property_count, graph_id *ret, struct error *e) {
  struct graph_view *v;
  struct tx_index_plan plan;
  struct tx_change c = {.kind = GRAPH_NODE,
                        .created = true,
                        .labels = labels,
                        .label_count = label_count,
                        .properties = properties,
                        .property_count = property_count,
                        .label = GRAPH_ANY};
  if (label_count > NODE_LABELS_MAX)
    return error_set(e, ERR_GENERAL_ARGUMENTS, "A node may have at most %d labels.", NODE_LABELS_MAX);
  TRY(check_properties(properties, property_count, e));
  TRY(write_begin(tx, &v, e));
  enum err err = take_id(tx, GRAPH_NODE, &c.id, e);
  if (err == ERR_OK) err = tx_plan_indexes(tx, &c, &plan, e);
  if (err == ERR_OK) err = effects(tx, create_node(tx, &c, &plan, e));
  TRY(write_end(v, err, e));
  tx->spare[GRAPH_NODE] = UINT64_MAX;
  *ret = c.id;
  return ERR_OK;
}

static enum err create_rel(struct graph_tx *tx, const struct tx_change *c, graph_id start, graph_id end,
                           const struct tx_index_plan *plan, struct error *e) {
  struct over_entity *x, *from, *to;
  TRY(overlay_create(&tx->overlay, GRAPH_REL, c->id, &x, e));
  x->start = start;
  x->end = end;
  x->type = c->labels[0];
  TRY(overlay_entity(&tx->overlay, GRAPH_NODE, start, &from, e));
  TRY(overlay_entity(&tx->overlay, GRAPH_NODE, end, &to, e));
  TRY(over_added_put(&tx->overlay, from, x, GRAPH_OUT, e));
  TRY(over_added_put(&tx->overlay, to, x, GRAPH_IN, e));
  TRY(put_properties(tx, x, c->properties, c->property_count, e));
  return tx_run_index_plan(tx, plan, e);
}

static enum err prepare_rel(struct graph_view *v, struct tx_change *c, graph_id start, graph_id end, struct tx_index_plan *plan,
                            struct error *e) {
  TRY(lock_ends(v->tx, start, end, e));
  TRY(must_exist(v, GRAPH_NODE, start, e));
  TRY(must_exist(v, GRAPH_NODE, end, e));
  TRY(take_id(v->tx, GRAPH_REL, &c->id, e));
  return tx_plan_indexes(v->tx, c, plan, e);
}

enum err graph_create_rel(struct graph_tx *tx, graph_id start, graph_id end, graph_token type,
                          const struct graph_property *properties, uint32_t property_count, graph_id *ret, struct error *e) {
  struct graph_view *v;
  struct tx_index_plan plan;
  struct tx_change c = {.kind = GRAPH_REL,
                        .created = true,
                        .labels = &type,
                        .label_count = 1,
                        .properties = properties,
                        .property_count = property_count,
                        .label = GRAPH_ANY};
  TRY(check_properties(properties, property_count, e));
  TRY(write_begin(tx, &v, e));
  enum err err = prepare_rel(v, &c, start, end, &plan, e);
  if (err == ERR_OK) err = effects(tx, create_rel(tx, &c, start, end, &plan, e));
  TRY(write_end(v, err, e));
  tx->spare[GRAPH_REL] = UINT64_MAX;
  *ret = c.id;
  return ERR_OK;
}

// ---- properties and labels ----

static enum err apply_delta(struct graph_tx *tx, const struct tx_change *c, const struct tx_index_plan *plan, struct error *e) {
  struct over_entity *x;
  TRY(overlay_entity(&tx->overlay, c->kind, c->id, &x, e));
  for (uint32_t i = 0; i < c->property_count; i++)
    TRY(over_property_set(&tx->overlay, x, c->properties[i].key, c->properties[i].value, e));
  if (c->label != GRAPH_ANY) {
    TRY(over_label_set(&tx->overlay, x, c->label, c->label_added ? 1 : -1, e));
    uint8_t key[MEMBER_KEY_BYTES];
    if (!x->created)
      TRY(overlay_mark(&tx->overlay, &tx->overlay.members, member_key(key, c->label, c->id), c->label_added ? 1 : -1, e));
  }
  return tx_run_index_plan(tx, plan, e);
}

static enum err change_entity(struct graph_view *v, const struct tx_change *c, struct error *e) {
  struct tx_index_plan plan;
  TRY(tx_plan_indexes(v->tx, c, &plan, e));
  return effects(v->tx, apply_delta(v->tx, c, &plan, e));
}

static enum err set_property(struct graph_view *v, const struct tx_change *c, bool *ret_changed, struct error *e) {
  TRY(lock_entity(v, c->kind, c->id, e));
  TRY(must_exist(v, c->kind, c->id, e));
  *ret_changed = true;
  if (v_is_null(c->properties[0].value)) {
    struct value old;
    TRY(view_property(v, c->kind, c->id, c->properties[0].key, &v->tx->scratch, &old, e));
    *ret_changed = !v_is_null(old);
    if (!*ret_changed) return ERR_OK;
  }
  return change_entity(v, c, e);
}

enum err graph_set_property(struct graph_tx *tx, enum graph_kind kind, graph_id id, graph_token key, struct value value,
                            bool *ret_changed, struct error *e) {
  struct graph_view *v;
  struct graph_property property = {key, value};
  struct tx_change c = {.kind = kind, .id = id, .properties = &property, .property_count = 1, .label = GRAPH_ANY};
  bool changed = false;
  TRY(stored_check(value, e));
  TRY(write_begin(tx, &v, e));
  TRY(write_end(v, set_property(v, &c, &changed, e), e));
  *ret_changed = changed;
  return ERR_OK;
}

static enum err set_label(struct graph_view *v, const struct tx_change *c, bool *ret_changed, struct error *e) {
  graph_token labels[NODE_LABELS_MAX];
  uint32_t n;
  bool has;
  TRY(lock_entity(v, GRAPH_NODE, c->id, e));
  TRY(must_exist(v, GRAPH_NODE, c->id, e));
  TRY(view_has_label(v, c->id, c->label, &has, e));
  *ret_changed = has != c->label_added;
  if (!*ret_changed) return ERR_OK;
  TRY(view_labels(v, c->id, labels, &n, e));
  if (c->label_added && n >= NODE_LABELS_MAX)
    return error_set(e, ERR_GENERAL_ARGUMENTS, "A node may have at most %d labels.", NODE_LABELS_MAX);
  return change_entity(v, c, e);
}

static enum err label_call(struct graph_tx *tx, graph_id node, graph_token label, bool add, bool *ret_changed, struct error *e) {
  struct graph_view *v;
  struct tx_change c = {.kind = GRAPH_NODE, .id = node, .label = label, .label_added = add};
  bool changed = false;
  TRY(write_begin(tx, &v, e));
  TRY(write_end(v, set_label(v, &c, &changed, e), e));
  *ret_changed = changed;
  return ERR_OK;
}

enum err graph_add_label(struct graph_tx *tx, graph_id node, graph_token label, bool *ret_changed, struct error *e) {
  return label_call(tx, node, label, true, ret_changed, e);
}

enum err graph_remove_label(struct graph_tx *tx, graph_id node, graph_token label, bool *ret_changed, struct error *e) {
  return label_call(tx, node, label, false, ret_changed, e);
}

// ---- deleting ----

static enum err mark_deleted(struct graph_tx *tx, const struct tx_change *c, const struct tx_index_plan *plan,
                             struct over_entity **ret, struct error *e) {
  TRY(overlay_entity(&tx->overlay, c->kind, c->id, ret, e));
  over_flag_set(&tx->overlay, &(*ret)->deleted, 1);
  return tx_run_index_plan(tx, plan, e);
}

/// The effects of one relationship's deletion. Published ones make their ends' slices be filtered.
static enum err drop_rel(struct graph_tx *tx, const struct tx_change *c, graph_id start, graph_id end, graph_token type,
                         const struct tx_index_plan *plan, struct error *e) {
  struct over_entity *x, *node;
  TRY(mark_deleted(tx, c, plan, &x, e));
  if (x->created) return ERR_OK;
  x->start = start, x->end = end, x->type = type;
  TRY(overlay_entity(&tx->overlay, GRAPH_NODE, start, &node, e));
  node->removed[0]++;
  TRY(overlay_entity(&tx->overlay, GRAPH_NODE, end, &node, e));
  node->removed[1]++;
  return ERR_OK;
}

static enum err delete_rel(struct graph_view *v, graph_id id, bool *ret_changed, struct error *e) {
  struct tx_change c = {.kind = GRAPH_REL, .id = id, .deleted = true, .label = GRAPH_ANY};
  struct tx_index_plan plan;
  graph_id start, end;
  graph_token type;
  TRY(lock_rel(v, id, e));
  TRY(view_begin(v, e));
  TRY(view_exists(v, GRAPH_REL, id, ret_changed, e));
  if (!*ret_changed) return ERR_OK;
  TRY(view_rel(v, id, &start, &end, &type, e));
  TRY(tx_plan_indexes(v->tx, &c, &plan, e));
  return effects(v->tx, drop_rel(v->tx, &c, start, end, type, &plan, e));
}

enum err graph_delete_rel(struct graph_tx *tx, graph_id rel, bool *ret_changed, struct error *e) {
  struct graph_view *v;
  bool changed = false;
  TRY(write_begin(tx, &v, e));
  TRY(write_end(v, delete_rel(v, rel, &changed, e), e));
  *ret_changed = changed;
  return ERR_OK;
}

/// The transaction's own relationships of the node go one by one: nothing of them is published.
static enum err drop_added(struct graph_tx *tx, struct over_entity *node, uint64_t *ret_rels, struct error *e) {
  for (int d = 0; d < 2; d++)
    for (uint32_t i = 0; i < node->added[d].count; i++) {
      struct over_entity *x = node->added[d].rels[i];
      if (x->deleted.now > 0) continue;
      struct tx_change c = {.kind = GRAPH_REL, .id = x->id, .deleted = true, .label = GRAPH_ANY};
      struct tx_index_plan plan;
      TRY(tx_plan_indexes(tx, &c, &plan, e)); // all of it in the overlay: no page is read
      TRY(mark_deleted(tx, &c, &plan, &x, e));
      (*ret_rels)++;
    }
  return ERR_OK;
}

/// With its relationships: the published ones are not visited but for counting them by type.
static enum err detach_node(struct graph_tx *tx, const struct tx_change *c, struct over_detached *published, uint32_t count,
                            const struct tx_index_plan *plan, uint64_t *ret_rels, struct error *e) {
  struct over_entity *x;
  TRY(overlay_entity(&tx->overlay, GRAPH_NODE, c->id, &x, e));
  x->detached = published;
  x->detached_count = count;
  for (uint32_t i = 0; i < count; i++) *ret_rels += published[i].count;
  TRY(drop_added(tx, x, ret_rels, e));
  TRY(over_list_add(&tx->overlay, &tx->overlay.deleted_nodes, x, e));
  x->detach = true;
  tx->overlay.detach_count++;
  return mark_deleted(tx, c, plan, &x, e);
}

static enum err drop_node(struct graph_tx *tx, const struct tx_change *c, const struct tx_index_plan *plan, struct error *e) {
  struct over_entity *x;
  TRY(mark_deleted(tx, c, plan, &x, e));
  return over_list_add(&tx->overlay, &tx->overlay.deleted_nodes, x, e);
}

static enum err delete_node(struct graph_view *v, graph_id id, bool detach, bool *ret_changed, uint64_t *ret_rels,
                            struct error *e) {
  struct tx_change c = {.kind = GRAPH_NODE, .id = id, .deleted = true, .label = GRAPH_ANY};
  struct tx_index_plan plan;
  struct over_detached *published = NULL;
  uint32_t published_count = 0;
  *ret_rels = 0;
  TRY(tx_lock(v->tx, LOCK_NODE, id, GRAPH_LOCK_EXCLUSIVE, e));
  TRY(view_begin(v, e));
  TRY(view_exists(v, GRAPH_NODE, id, ret_changed, e));
  if (!*ret_changed) return ERR_OK;
  TRY(tx_plan_indexes(v->tx, &c, &plan, e));
  if (!detach) return effects(v->tx, drop_node(v->tx, &c, &plan, e));
  TRY(view_published_by_type(v, id, &v->tx->arena, &published, &published_count, e));
  return effects(v->tx, detach_node(v->tx, &c, published, published_count, &plan, ret_rels, e));
}

static enum err delete_node_call(struct graph_tx *tx, graph_id node, bool detach, bool *ret_changed, uint64_t *ret_rels,
                                 struct error *e) {
  struct graph_view *v;
  bool changed = false;
  uint64_t rels = 0;
  TRY(write_begin(tx, &v, e));
  TRY(write_end(v, delete_node(v, node, detach, &changed, &rels, e), e));
  *ret_changed = changed;
  if (ret_rels != NULL) *ret_rels = rels;
  return ERR_OK;
}

enum err graph_delete_node(struct graph_tx *tx, graph_id node, bool *ret_changed, struct error *e) {
  return delete_node_call(tx, node, false, ret_changed, NULL, e);
}

enum err graph_detach_delete_node(struct graph_tx *tx, graph_id node, bool *ret_changed, uint64_t *ret_rels, struct error *e) {
  return delete_node_call(tx, node, true, ret_changed, ret_rels, e);
}
