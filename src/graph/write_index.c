// What a write does to range indexes: which keys go and which come, and whether a unique constraint allows it. Planned before any
// effect, because it takes locks on keys.
#include "graph/tx_int.h"

#include <string.h>

#include "base/checksum.h"
#include "graph/describe_int.h"
#include "graph/key_int.h"

lock_resource tx_key_resource(enum graph_kind kind, graph_token label_or_type, const graph_token *keys, struct str values,
                              uint32_t n) {
  uint64_t hash = hash_u64((uint64_t) kind << 32 | label_or_type);
  hash = hash64(keys, n * sizeof *keys, hash);
  return lock_resource_of(LOCK_KEY, hash64(values.ptr, values.len, hash));
}

static const struct value *changed_value(const struct tx_change *c, graph_token key) {
  for (uint32_t i = 0; i < c->property_count; i++)
    if (c->properties[i].key == key) return &c->properties[i].value;
  return NULL;
}

/// The entity's values under the index's keys, before or after the change; `*ret_all` false if one is missing.
static enum err index_values(struct graph_tx *tx, const struct graph_index *x, const struct tx_change *c, bool after,
                             struct value *ret, bool *ret_all, struct error *e) {
  struct graph_view *v = &tx->views[GRAPH_READ_CURRENT];
  *ret_all = true;
  for (uint32_t k = 0; k < x->key_count && *ret_all; k++) {
    const struct value *changed = after ? changed_value(c, x->keys[k]) : NULL;
    ret[k] = V_NULL;
    if (changed != NULL)
      ret[k] = *changed;
    else if (!c->created)
      TRY(view_property(v, c->kind, c->id, x->keys[k], &tx->scratch, &ret[k], e));
    *ret_all = !v_is_null(ret[k]);
  }
  return ERR_OK;
}

/// Index number and key, as the overlay's ordered map has them.
static enum err overlay_key(struct graph_tx *tx, const struct graph_index *x, const struct value *values, graph_id id,
                            struct str *ret, struct error *e) {
  uint8_t index[4];
  put_u32_be(index, x->id);
  enum err err = key_make(&tx->kept.key, values, x->key_count, id, NULL);
  if (err != ERR_OK) return error_ensure(e, err);
  char *at = arena_alloc(&tx->scratch, sizeof index + tx->kept.key.len);
  if (at == NULL) return arena_err(&tx->scratch, e);
  memcpy(at, index, sizeof index);
  memcpy(at + sizeof index, tx->kept.key.data, tx->kept.key.len);
  *ret = (struct str){at, sizeof index + tx->kept.key.len};
  return ERR_OK;
}

static enum err violation(struct graph_tx *tx, const struct graph_index *x, const struct value *values, graph_id other,
                          struct error *e) {
  CLEANUP(buf_done) struct buf b = BUF_INIT;
  enum err err = describe_entity(&b, x->entity, other);
  if (err == ERR_OK) err = buf_printf(&b, " already exists with ");
  if (err == ERR_OK) err = describe_key(&b, &tx->g->tokens, x, values);
  if (err != ERR_OK) return error_ensure(e, err);
  return error_set(e, ERR_CONSTRAINT, "%.*s", STR_ARG(buf_str(&b)));
}

static enum err check_unique(struct graph_tx *tx, const struct schema_index *x, const struct value *values, graph_id id,
                             struct str key, struct error *e) {
  struct graph_view *v = &tx->views[GRAPH_READ_CURRENT];
  struct str bytes = {key.ptr + 4, key.len - 4 - KEY_ID_BYTES};
  lock_resource r = tx_key_resource(x->index.entity, x->index.label_or_type, x->index.keys, bytes, x->index.key_count);
  graph_id other;
  TRY(tx_lock(tx, LOCK_KEY, r, GRAPH_LOCK_EXCLUSIVE, e));
  TRY(view_begin(v, e)); // the key's last holder may have published meanwhile
  TRY(view_index_find(v, x, values, id, &other, e));
  return other != UINT64_MAX ? violation(tx, &x->index, values, other, e) : ERR_OK;
}

/// One index: the entity was in it (`had`) and will be (`has`) as far as its label goes.
static enum err plan_one(struct graph_tx *tx, const struct tx_change *c, const struct schema_index *x, bool had, bool has,
                         struct tx_index_plan *p, struct error *e) {
  struct value values[GRAPH_INDEX_KEYS_MAX];
  struct tx_index_step step = {.index = x->index.id};
  if (x->index.state == GRAPH_INDEX_FAILED) return ERR_OK;
  if (had) TRY(index_values(tx, &x->index, c, false, values, &had, e));
  if (had) TRY(overlay_key(tx, &x->index, values, c->id, &step.gone, e));
  if (has) TRY(index_values(tx, &x->index, c, true, values, &has, e));
  if (has) TRY(overlay_key(tx, &x->index, values, c->id, &step.come, e));
  if (str_eq(step.gone, step.come)) return ERR_OK;
  if (has && x->index.constraint == GRAPH_CONSTRAINT_UNIQUE) TRY(check_unique(tx, x, values, c->id, step.come, e));
  struct tx_index_step *more = arena_grow(&tx->scratch, p->steps, p->count * sizeof *more, (p->count + 1) * sizeof *more);
  if (more == NULL) return arena_err(&tx->scratch, e);
  more[p->count++] = step;
  p->steps = more;
  return ERR_OK;
}

static bool has_key(const struct graph_index *x, const struct tx_change *c) {
  for (uint32_t k = 0; k < x->key_count; k++)
    if (changed_value(c, x->keys[k]) != NULL) return true;
  return false;
}

static enum err plan_label(struct graph_tx *tx, const struct tx_change *c, graph_token label, struct tx_index_plan *p,
                           struct error *e) {
  const struct schema_index *x;
  bool label_change = c->label != GRAPH_ANY;
  bool had = !c->created && !(label_change && c->label_added), has = !c->deleted && !(label_change && !c->label_added);
  for (uint32_t at = 0; (x = schema_next(tx->schema, &at, c->kind, label)) != NULL;) {
    bool concerned = c->created || c->deleted || label_change || has_key(&x->index, c);
    if (concerned) TRY(plan_one(tx, c, x, had, has, p, e));
  }
  return ERR_OK;
}

/// The labels (or the type) whose indexes a change concerns.
static enum err concerned_labels(struct graph_tx *tx, const struct tx_change *c, graph_token *labels, uint32_t *ret_n,
                                 struct error *e) {
  struct graph_view *v = &tx->views[GRAPH_READ_CURRENT];
  *ret_n = 1;
  if (c->created) {
    memcpy(labels, c->labels, c->label_count * sizeof *labels);
    *ret_n = c->label_count;
  } else if (c->label != GRAPH_ANY) {
    labels[0] = c->label;
  } else if (c->kind == GRAPH_NODE) {
    return view_labels(v, c->id, labels, ret_n, e);
  } else {
    graph_id start, end;
    return view_rel(v, c->id, &start, &end, &labels[0], e);
  }
  return ERR_OK;
}

enum err tx_plan_indexes(struct graph_tx *tx, const struct tx_change *c, struct tx_index_plan *ret, struct error *e) {
  graph_token labels[NODE_LABELS_MAX];
  uint32_t n;
  *ret = (struct tx_index_plan){0};
  if (tx->schema->count == 0) return ERR_OK;
  TRY(concerned_labels(tx, c, labels, &n, e));
  for (uint32_t i = 0; i < n; i++) TRY(plan_label(tx, c, labels[i], ret, e));
  return ERR_OK;
}

enum err tx_run_index_plan(struct graph_tx *tx, const struct tx_index_plan *p, struct error *e) {
  for (uint32_t i = 0; i < p->count; i++) {
    if (p->steps[i].gone.len > 0) TRY(overlay_mark(&tx->overlay, &tx->overlay.keys, p->steps[i].gone, -1, e));
    if (p->steps[i].come.len > 0) TRY(overlay_mark(&tx->overlay, &tx->overlay.keys, p->steps[i].come, 1, e));
  }
  return ERR_OK;
}

// ---- the lock of MERGE ----

/// Where a key stands among those that were passed, or -1.
static int position_of(const graph_token *keys, uint32_t n, graph_token key) {
  for (uint32_t i = 0; i < n; i++)
    if (keys[i] == key) return (int) i;
  return -1;
}

/// Values in the order of `order`, as bytes; a value that can be no key counts as none: the lock is then wider, never narrower.
static enum err lock_values(struct graph_tx *tx, enum graph_kind kind, graph_token label, const graph_token *order,
                            uint32_t order_n, const graph_token *keys, const struct value *values, uint32_t n, struct error *e) {
  CLEANUP(buf_done) struct buf b = BUF_INIT;
  for (uint32_t i = 0; i < order_n; i++) {
    enum err err = key_put_value(&b, values[position_of(keys, n, order[i])]);
    if (err != ERR_OK && err != ERR_INVALID) return error_ensure(e, err);
  }
  (void) key_cut(&b);
  return tx_lock(tx, LOCK_KEY, tx_key_resource(kind, label, order, buf_str(&b), order_n), GRAPH_LOCK_EXCLUSIVE, e);
}

static bool all_given(const struct graph_index *x, const graph_token *keys, uint32_t n) {
  for (uint32_t k = 0; k < x->key_count; k++)
    if (position_of(keys, n, x->keys[k]) < 0) return false;
  return true;
}

static void sort_tokens(graph_token *list, uint32_t n) {
  for (uint32_t i = 1; i < n; i++)
    for (uint32_t k = i; k > 0 && list[k] < list[k - 1]; k--) {
      graph_token t = list[k];
      list[k] = list[k - 1];
      list[k - 1] = t;
    }
}

enum err graph_lock_key(struct graph_tx *tx, enum graph_kind kind, graph_token label_or_type, const graph_token *keys,
                        const struct value *values, uint32_t n, struct error *e) {
  const struct schema_index *x;
  TRY(tx_begin_write(tx, e));
  arena_reset(&tx->scratch);
  bool any = false;
  for (uint32_t at = 0; (x = schema_next(tx->schema, &at, kind, label_or_type)) != NULL;) {
    if (!all_given(&x->index, keys, n)) continue;
    TRY(lock_values(tx, kind, label_or_type, x->index.keys, x->index.key_count, keys, values, n, e));
    any = true;
  }
  if (any) return ERR_OK;
  graph_token *sorted = arena_copy(&tx->scratch, keys, n * sizeof *keys);
  if (sorted == NULL) return arena_err(&tx->scratch, e);
  sort_tokens(sorted, n);
  return lock_values(tx, kind, label_or_type, sorted, n, keys, values, n, e);
}
