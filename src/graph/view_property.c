// Reading properties: batches into typed columns, and all of one entity.
#include "graph/tx_int.h"

#include <stdlib.h>
#include <string.h>

static struct property_place place_of(enum graph_kind kind, const uint8_t *record) {
  if (kind == GRAPH_NODE) return (struct property_place){NULL, node_properties(record)};
  if (record[0] & RECORD_PROPERTIES_INSIDE) return (struct property_place){record + 16, BLOCK_NONE};
  return (struct property_place){NULL, get_u48(record + 16)};
}

/// What one entity has for one call: its delta, and its published block if that counts.
struct source {
  const struct over_entity *delta; // NULL: none
  struct property_block block;     // shape NULL: nothing published
};

static enum err open_source(struct graph_view *v, enum graph_kind kind, graph_id id, struct arena *a, struct source *ret,
                            struct error *e) {
  const struct overlay *o = view_overlay(v);
  const uint8_t *record;
  *ret = (struct source){.delta = o != NULL ? overlay_find(o, kind, id) : NULL};
  if (UNLIKELY(ret->delta != NULL)) {
    if (over_flag_get(o, &ret->delta->deleted, v->mode) > 0 ||
        (ret->delta->created && over_flag_get(o, &ret->delta->create, v->mode) == 0))
      ret->delta = NULL, id = UINT64_MAX;
    else if (ret->delta->created)
      return ERR_OK;
  }
  TRY(view_record(v, kind, id, &record, e));
  if (record == NULL) {
    ret->delta = NULL;
    return ERR_OK;
  }
  if (UNLIKELY(o != NULL && kind == GRAPH_REL && view_is_detached(v, rel_start(record), rel_end(record)))) {
    ret->delta = NULL;
    return ERR_OK;
  }
  return property_open(&v->tx->g->shapes, &v->pages, place_of(kind, record), a, &ret->block, e);
}

static enum err source_value(struct graph_view *v, const struct source *s, graph_token key, struct arena *a, struct value *ret,
                             struct error *e) {
  if (s->delta != NULL && over_property_get(&v->tx->overlay, s->delta, key, v->mode, ret)) return ERR_OK;
  const struct shape_property *p = s->block.shape != NULL ? shape_find(s->block.shape, key) : NULL;
  *ret = V_NULL;
  return p != NULL ? property_value(&v->pages, &s->block, p, a, ret, e) : ERR_OK;
}

enum err view_property(struct graph_view *v, enum graph_kind kind, graph_id id, graph_token key, struct arena *a,
                       struct value *ret, struct error *e) {
  struct source s;
  TRY(open_source(v, kind, id, a, &s, e));
  return source_value(v, &s, key, a, ret, e);
}

// ---- columns ----

enum { COLUMNS_MAX = 64 };

/// One column on its way: typed as long as all values so far have one type.
struct column {
  struct vec vec;
  bool started; // a value that is not null has settled the kind
  bool boxed;   // it is VEC_ANY
  // Where the key is in the shape of the last block.
  const struct shape *shape;
  const struct shape_property *property;
};

static enum vec_kind kind_of(struct value v) {
  switch ((enum value_type) v.type) {
  case VALUE_BOOL: return VEC_BOOL;
  case VALUE_INT: return VEC_I64;
  case VALUE_FLOAT: return VEC_F64;
  case VALUE_STRING: return VEC_STR;
  default: return VEC_ANY;
  }
}

static void put_typed(struct vec *c, uint32_t row, struct value v) {
  switch (c->kind) {
  case VEC_BOOL: c->b[row] = v.b; break;
  case VEC_I64: c->i[row] = v.i; break;
  case VEC_F64: c->f[row] = v.f; break;
  case VEC_STR: c->s[row] = v_text(v); break;
  default: c->any[row] = v; break;
  }
}

static void put_null(struct vec *c, uint32_t row) {
  if (c->kind == VEC_ANY) {
    c->any[row] = V_NULL;
    return;
  }
  memset((char *) c->data + row * vec_width(c->kind), 0, vec_width(c->kind));
  c->nulls[row] = 1;
  c->has_nulls = true;
}

/// Makes the column of that kind and fills what is before `row`: nulls, or what the typed column had.
static enum err settle(struct column *c, enum vec_kind kind, uint32_t row, uint32_t rows, struct arena *a, struct error *e) {
  struct vec old = c->vec;
  TRY(vec_alloc(a, kind, rows, &c->vec, e));
  for (uint32_t i = 0; i < row; i++) {
    if (!c->started || vec_is_null(&old, i))
      put_null(&c->vec, i);
    else
      put_typed(&c->vec, i, vec_get(&old, i));
  }
  c->started = true;
  c->boxed = kind == VEC_ANY;
  return ERR_OK;
}

static enum err column_put(struct column *c, uint32_t row, uint32_t rows, struct value v, struct arena *a, struct error *e) {
  if (v.type == VALUE_NULL) {
    if (c->started) put_null(&c->vec, row);
    return ERR_OK;
  }
  if (UNLIKELY(!c->started))
    TRY(settle(c, kind_of(v), row, rows, a, e));
  else if (UNLIKELY(!c->boxed && c->vec.kind != kind_of(v)))
    TRY(settle(c, VEC_ANY, row, rows, a, e));
  put_typed(&c->vec, row, v);
  return ERR_OK;
}

/// Texts and bytes that lie in a page are taken along; the rest is made in the arena already.
static enum err copy_text(struct value *v, struct arena *a, struct error *e) {
  if (v->type != VALUE_STRING && v->type != VALUE_BYTES && v->type != VALUE_LIST) return ERR_OK;
  return value_copy(a, *v, v, e);
}

/// The fast way for integers and floats in a shape that the last row had too: no value is made of them.
static bool put_fixed(struct column *c, uint32_t row, const struct property_block *b) {
  const struct shape_property *p = c->property;
  if (!c->started || p == NULL) return false;
  if ((p->tag == STORED_INT && c->vec.kind == VEC_I64) || (p->tag == STORED_FLOAT && c->vec.kind == VEC_F64)) {
    memcpy(&c->vec.i[row], b->at + p->offset, 8);
    return true;
  }
  return false;
}

static enum err put_row(struct graph_view *v, const struct source *s, struct column *c, graph_token key, uint32_t row,
                        uint32_t rows, struct arena *a, struct error *e) {
  struct value value = V_NULL;
  if (UNLIKELY(s->delta != NULL)) {
    TRY(source_value(v, s, key, a, &value, e));
  } else if (s->block.shape != NULL) {
    if (s->block.shape != c->shape || s->block.shape->id == 0) {
      c->shape = s->block.shape;
      c->property = shape_find(s->block.shape, key);
    }
    if (put_fixed(c, row, &s->block)) return ERR_OK;
    if (c->property != NULL) TRY(property_value(&v->pages, &s->block, c->property, a, &value, e));
  }
  TRY(copy_text(&value, a, e));
  return column_put(c, row, rows, value, a, e);
}

static enum err fill_row(struct graph_view *v, const struct source *s, const graph_token *keys, uint32_t key_count, uint32_t row,
                         uint32_t rows, struct arena *a, struct column *columns, struct error *e) {
  for (uint32_t k = 0; k < key_count; k++) TRY(put_row(v, s, &columns[k], keys[k], row, rows, a, e));
  return ERR_OK;
}

// Rows are read in groups whose memory is asked for ahead, so that waits for it overlap: records first, then blocks.

enum { AHEAD = 64 };

static enum err ask_for_records(struct graph_view *v, enum graph_kind kind, const graph_id *ids, uint32_t n,
                                const uint8_t **records, struct error *e) {
  const struct graph *g = v->tx->g;
  for (uint32_t i = 0; i < n; i++) {
    records[i] = NULL;
    if (LIKELY(ids[i] <= GRAPH_ID_MAX))
      TRY(record_read(kind == GRAPH_NODE ? &g->nodes : &g->rels, &v->pages, ids[i], &records[i], e));
    __builtin_prefetch(records[i]);
  }
  return ERR_OK;
}

static enum err ask_for_blocks(struct graph_view *v, enum graph_kind kind, const uint8_t **records, uint32_t n, struct error *e) {
  for (uint32_t i = 0; i < n; i++) {
    if (!record_in_use(records[i])) {
      records[i] = NULL;
      continue;
    }
    block_ptr p = place_of(kind, records[i]).pointer;
    const uint8_t *at;
    unsigned room;
    if (block_kind(p) != BLOCK_PROPERTIES) continue;
    TRY(block_read(&v->pages, p, &at, &room, e));
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
  }
  return ERR_OK;
}

static enum err fill_ahead(struct graph_view *v, enum graph_kind kind, const graph_id *ids, uint32_t n, const graph_token *keys,
                           uint32_t key_count, uint32_t row, uint32_t rows, struct arena *a, struct column *columns,
                           struct error *e) {
  const uint8_t *records[AHEAD];
  TRY(ask_for_records(v, kind, ids, n, records, e));
  TRY(ask_for_blocks(v, kind, records, n, e));
  for (uint32_t i = 0; i < n; i++) {
    struct source s = {0};
    if (records[i] != NULL) TRY(property_open(&v->tx->g->shapes, &v->pages, place_of(kind, records[i]), a, &s.block, e));
    TRY(fill_row(v, &s, keys, key_count, row + i, rows, a, columns, e));
  }
  return ERR_OK;
}

static enum err fill_columns(struct graph_view *v, enum graph_kind kind, const graph_id *ids, uint32_t n, const graph_token *keys,
                             uint32_t key_count, struct arena *a, struct column *columns, struct error *e) {
  bool plain = view_overlay(v) == NULL;
  for (uint32_t i = 0, some = AHEAD; plain && i < n;) {
    uint32_t group = MIN(n - i, some);
    graph_view_rest(v); // what was read is copied
    enum err err = fill_ahead(v, kind, ids + i, group, keys, key_count, i, n, a, columns, e);
    if (err == ERR_MEMORY_POOL && group > 1) { // the page cache is too small for so many at once
      some = 1;
      continue;
    }
    TRY(err);
    i += group;
  }
  for (uint32_t row = 0; !plain && row < n; row++) {
    struct source s = {0};
    if (row % AHEAD == 0) graph_view_rest(v);
    if (LIKELY(ids[row] != UINT64_MAX)) TRY(open_source(v, kind, ids[row], a, &s, e));
    TRY(fill_row(v, &s, keys, key_count, row, n, a, columns, e));
  }
  return ERR_OK;
}

/// A column without a single value is a constant null.
static enum err finish_column(struct column *c, uint32_t n, struct arena *a, struct vec *ret, struct error *e) {
  if (!c->started) return n > 0 ? vec_const(a, V_NULL, ret, e) : vec_alloc(a, VEC_ANY, 0, ret, e);
  *ret = c->vec;
  return ERR_OK;
}

enum err graph_get_properties(struct graph_view *v, enum graph_kind kind, const graph_id *ids, uint32_t n,
                              const graph_token *keys, uint32_t key_count, struct arena *a, struct vec *ret, struct error *e) {
  TRY(view_call(v, e));
  for (uint32_t from = 0; from < key_count; from += COLUMNS_MAX) {
    struct column columns[COLUMNS_MAX] = {0};
    uint32_t some = MIN(key_count - from, (uint32_t) COLUMNS_MAX);
    TRY(view_end(v, fill_columns(v, kind, ids, n, keys + from, some, a, columns, e), e));
    for (uint32_t k = 0; k < some; k++) TRY(finish_column(&columns[k], n, a, &ret[from + k], e));
  }
  return ERR_OK;
}

// ---- all of one entity ----

static int order_properties(const void *a, const void *b) {
  graph_token x = ((const struct graph_property *) a)->key, y = ((const struct graph_property *) b)->key;
  return (x > y) - (x < y);
}

/// Published properties that no delta hides, then the deltas that are not removals.
static enum err collect(struct graph_view *v, const struct source *s, struct arena *a, struct graph_property *list,
                        uint32_t *ret_n, struct error *e) {
  const struct overlay *o = &v->tx->overlay;
  struct value hidden;
  uint32_t n = 0;
  for (uint32_t i = 0; s->block.shape != NULL && i < s->block.shape->count; i++) {
    const struct shape_property *p = &s->block.shape->properties[i];
    if (s->delta != NULL && over_property_get(o, s->delta, p->key, v->mode, &hidden)) continue;
    list[n].key = p->key;
    TRY(property_value(&v->pages, &s->block, p, a, &list[n].value, e));
    TRY(copy_text(&list[n++].value, a, e));
  }
  for (uint32_t i = 0; s->delta != NULL && i < s->delta->property_count; i++) {
    list[n].key = s->delta->properties[i].key;
    if (!over_property_get(o, s->delta, list[n].key, v->mode, &list[n].value) || v_is_null(list[n].value)) continue;
    TRY(value_copy(a, list[n].value, &list[n].value, e));
    n++;
  }
  qsort(list, n, sizeof *list, order_properties);
  *ret_n = n;
  return ERR_OK;
}

static enum err all_properties(struct graph_view *v, enum graph_kind kind, graph_id id, struct arena *a,
                               struct graph_property **ret, uint32_t *ret_n, struct error *e) {
  struct source s;
  TRY(open_source(v, kind, id, a, &s, e));
  size_t room = (s.block.shape != NULL ? s.block.shape->count : 0) + (s.delta != NULL ? s.delta->property_count : 0);
  struct graph_property *list = ARENA_ARRAY(a, struct graph_property, room);
  if (list == NULL) return arena_err(a, e);
  *ret = list;
  return collect(v, &s, a, list, ret_n, e);
}

enum err graph_all_properties(struct graph_view *v, enum graph_kind kind, graph_id id, struct arena *a,
                              struct graph_property **ret, uint32_t *ret_n, struct error *e) {
  TRY(view_call(v, e));
  struct graph_property *list = NULL;
  uint32_t n = 0;
  TRY(view_end(v, all_properties(v, kind, id, a, &list, &n, e), e));
  *ret = list;
  *ret_n = n;
  return ERR_OK;
}
