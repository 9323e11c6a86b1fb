// Index seeks: a range of keys of the published tree, merged with the keys that the transaction added and without those it took
// away.
#include "graph/tx_int.h"

#include <math.h>
#include <string.h>

#include "graph/key_int.h"
#include "value/compare.h"

/// Keys in [low, high) may answer; an empty `high` is no end. `recheck`: the value itself decides.
struct key_range {
  struct buf low, high;
  bool nothing, recheck;
};

static void range_done(struct key_range *r) {
  buf_done(&r->low);
  buf_done(&r->high);
}

/// The least byte string above everything that begins with these bytes; empty if there is none.
static void make_successor(struct buf *b) {
  while (b->len > 0 && (uint8_t) b->data[b->len - 1] == 0xFF) b->len--;
  if (b->len > 0) b->data[b->len - 1]++;
}

static bool is_nan(struct value v) {
  return v.type == VALUE_FLOAT && isnan(v.f);
}

static bool cut_to(struct buf *b, size_t bytes) {
  if (b->len <= bytes) return false;
  b->len = bytes;
  return true;
}

/// Cuts a bound to what keys that are cut still have of their values (one that would be whole itself is compared with those,
/// too). True if it did: then the bound is only a beginning.
static bool shorten(struct buf *b) {
  return cut_to(b, KEY_CUT_BYTES);
}

/// The bytes of `v` behind `prefix` that keys are in order of. `*ret_cut`: there are more.
static enum err bound_with(struct buf *b, struct str prefix, struct value v, bool *ret_cut) {
  buf_clear(b);
  TRY(buf_append_str(b, prefix));
  TRY(key_put_value(b, v));
  *ret_cut = shorten(b);
  if (v.type == VALUE_DATETIME)
    *ret_cut |= cut_to(b, prefix.len + key_ordered_bytes((struct str){b->data + prefix.len, b->len - prefix.len}));
  return ERR_OK;
}

static enum err low_bound(struct key_range *r, struct str prefix, const struct graph_seek *s, uint8_t class) {
  if (v_is_null(s->low)) {
    TRY(buf_append_str(&r->low, prefix));
    return buf_append_byte(&r->low, class);
  }
  bool cut;
  TRY(bound_with(&r->low, prefix, s->low, &cut));
  r->recheck |= cut;
  if (!s->low_inclusive && !cut) make_successor(&r->low);
  return ERR_OK;
}

static enum err high_bound(struct key_range *r, struct str prefix, const struct graph_seek *s, uint8_t class) {
  if (v_is_null(s->high)) {
    TRY(buf_append_str(&r->high, prefix));
    if (class == key_class(v_int(0))) return key_put_nan(&r->high);
    return buf_append_byte(&r->high, (uint8_t) (class + 1));
  }
  bool cut;
  TRY(bound_with(&r->high, prefix, s->high, &cut));
  r->recheck |= cut;
  if (s->high_inclusive || cut) make_successor(&r->high);
  return ERR_OK;
}

static enum err range_bounds(struct key_range *r, struct str prefix, const struct graph_seek *s) {
  uint8_t class = key_class(v_is_null(s->low) ? s->high : s->low);
  bool other = !v_is_null(s->low) && !v_is_null(s->high) && key_class(s->high) != class;
  if (class == 0 || other || is_nan(s->low) || is_nan(s->high)) {
    r->nothing = true;
    return ERR_OK;
  }
  enum value_type type = (enum value_type)(v_is_null(s->low) ? s->high.type : s->low.type);
  r->recheck = type == VALUE_LIST || type == VALUE_BYTES || type == VALUE_POINT || type == VALUE_DURATION;
  TRY(low_bound(r, prefix, s, class));
  return high_bound(r, prefix, s, class);
}

static enum err beginning(struct key_range *r, struct str prefix, const struct graph_seek *s) {
  TRY(buf_append_str(&r->low, prefix));
  if (s->last == GRAPH_SEEK_PREFIX) {
    if (s->low.type != VALUE_STRING) {
      r->nothing = true;
      return ERR_OK;
    }
    TRY(key_put_prefix(&r->low, v_text(s->low)));
    r->recheck = shorten(&r->low);
  }
  TRY(buf_append_str(&r->high, buf_str(&r->low)));
  make_successor(&r->high);
  return ERR_OK;
}

static enum err make_range(const struct graph_index *x, const struct graph_seek *s, struct key_range *r) {
  CLEANUP(buf_done) struct buf prefix = BUF_INIT;
  for (uint32_t i = 0; i < s->equal_count; i++) {
    if (key_class(s->equal[i]) == 0 || is_nan(s->equal[i])) r->nothing = true;
    if (r->nothing) return ERR_OK;
    TRY(key_put_value(&prefix, s->equal[i]));
  }
  if (s->equal_count == x->key_count)
    r->recheck = key_cut(&prefix);
  else if (shorten(&prefix)) {
    struct graph_seek begins = {.last = GRAPH_SEEK_EXISTS};
    r->recheck = true;
    return beginning(r, buf_str(&prefix), &begins);
  }
  if (s->last == GRAPH_SEEK_RANGE && s->equal_count < x->key_count) return range_bounds(r, buf_str(&prefix), s);
  return beginning(r, buf_str(&prefix), s);
}

// ---- looking again at the values ----

static bool in_range(const struct graph_seek *s, struct value v) {
  if (!v_is_null(s->low) && value_compare(s->low_inclusive ? VALUE_GREATER_OR_EQUAL : VALUE_GREATER, v, s->low) != TERNARY_TRUE)
    return false;
  return v_is_null(s->high) || value_compare(s->high_inclusive ? VALUE_LESS_OR_EQUAL : VALUE_LESS, v, s->high) == TERNARY_TRUE;
}

static bool fits_last(const struct graph_seek *s, struct value v) {
  switch (s->last) {
  case GRAPH_SEEK_RANGE: return in_range(s, v);
  case GRAPH_SEEK_PREFIX: return v.type == VALUE_STRING && str_starts(v_text(v), v_text(s->low));
  default: return !v_is_null(v);
  }
}

/// Whether the entity's own values answer the seek.
static enum err values_fit(struct graph_view *v, const struct graph_index *x, const struct graph_seek *s, graph_id id, bool *ret,
                           struct error *e) {
  struct arena_mark mark = arena_mark(&v->tx->scratch);
  *ret = true;
  enum err err = ERR_OK;
  for (uint32_t k = 0; k < x->key_count && *ret && err == ERR_OK; k++) {
    struct value value;
    err = view_property(v, x->entity, id, x->keys[k], &v->tx->scratch, &value, e);
    if (err != ERR_OK) break;
    if (k < s->equal_count)
      *ret = value_equals(value, s->equal[k]) == TERNARY_TRUE;
    else if (k == s->equal_count && s->last != GRAPH_SEEK_EQUAL)
      *ret = fits_last(s, value);
  }
  arena_rewind(&v->tx->scratch, mark);
  return err;
}

// ---- walking ----

/// Both sources of keys, each on its next one in the direction of the walk.
struct key_walk {
  struct graph_view *v;
  const struct schema_index *x;
  const struct key_range *range;
  const struct overlay *overlay;
  bool descending;
  struct btree_cursor cursor;
  struct str published; // empty: no more
  const struct ordered_node *own;
};

static bool in_walk(const struct key_walk *w, struct str key) {
  if (w->descending) return str_cmp(key, buf_str(&w->range->low)) >= 0;
  return w->range->high.len == 0 || str_cmp(key, buf_str(&w->range->high)) < 0;
}

static enum err look_published(struct key_walk *w, struct error *e) {
  struct bytes key = {"", 0};
  if (w->cursor.valid) TRY(btree_cursor_get(&w->v->pages, &w->cursor, &key, NULL, e));
  struct str s = {key.ptr, key.len};
  w->published = w->cursor.valid && in_walk(w, s) ? s : STR_NONE;
  return ERR_OK;
}

static enum err next_published(struct key_walk *w, struct error *e) {
  if (w->descending)
    TRY(btree_cursor_previous(&w->v->pages, &w->cursor, e));
  else
    TRY(btree_cursor_next(&w->v->pages, &w->cursor, e));
  return look_published(w, e);
}

/// A key of the overlay without the index in front; empty where the walk has left the index or the range.
static struct str own_key(const struct key_walk *w) {
  if (w->own == NULL || get_u32_be(w->own->key.ptr) != w->x->index.id) return STR_NONE;
  struct str key = {w->own->key.ptr + 4, w->own->key.len - 4};
  return in_walk(w, key) ? key : STR_NONE;
}

static void next_own(struct key_walk *w) {
  const struct ordered *keys = &w->overlay->keys;
  w->own = w->descending ? ordered_seek_back(keys, w->own->key, true) : ordered_seek(keys, w->own->key, true);
}

static enum err start_own(struct key_walk *w, struct str from, bool beyond, struct error *e) {
  struct buf *b = &w->v->tx->kept.key;
  uint8_t index[4];
  put_u32_be(index, w->x->index.id);
  buf_clear(b);
  if (buf_append(b, index, sizeof index) != ERR_OK || buf_append_str(b, from) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  if (w->descending && from.len == 0) { // no end: from the next index downwards
    make_successor(b);
    beyond = true;
  }
  const struct ordered *keys = &w->overlay->keys;
  w->own = w->descending ? ordered_seek_back(keys, buf_str(b), beyond) : ordered_seek(keys, buf_str(b), beyond);
  return ERR_OK;
}

/// From the range's first key in the walk's direction, or behind `last`.
static enum err walk_start(struct key_walk *w, struct str last, struct error *e) {
  bool resumed = last.len > 0;
  struct str from = resumed ? last : buf_str(w->descending ? &w->range->high : &w->range->low);
  const struct page_view *pages = &w->v->pages;
  btree_cursor_init(&w->cursor, w->x->tree);
  if (w->descending && from.len == 0)
    TRY(btree_cursor_last(pages, &w->cursor, e));
  else
    TRY(btree_cursor_seek(pages, &w->cursor, (struct bytes){from.ptr, from.len},
                          w->descending ? BTREE_SEEK_LT : (resumed ? BTREE_SEEK_GT : BTREE_SEEK_GE), e));
  TRY(look_published(w, e));
  return w->overlay != NULL ? start_own(w, from, w->descending || resumed, e) : ERR_OK;
}

/// The next key that this view has; `*ret` empty at the end. It is valid until the walk goes on.
static enum err walk_next(struct key_walk *w, struct buf *ret, struct error *e) {
  for (;;) {
    struct str own = w->overlay != NULL ? own_key(w) : STR_NONE;
    buf_clear(ret);
    if (own.len == 0 && w->published.len == 0) return ERR_OK;
    int order = own.len == 0 ? -1 : w->published.len == 0 ? 1 : str_cmp(w->published, own) * (w->descending ? -1 : 1);
    struct str key = order <= 0 ? w->published : own;
    bool has = true;
    if (order >= 0) {
      struct over_flag f = ordered_flag(w->own);
      int change = over_flag_get(w->overlay, &f, w->v->mode);
      has = change > 0 || (change == 0 && order == 0);
    }
    if (has && buf_append_str(ret, key) != ERR_OK) return error_ensure(e, ERR_NOMEM);
    if (order <= 0) TRY(next_published(w, e));
    if (order >= 0) next_own(w);
    if (has) return ERR_OK;
  }
}

/// What is said of `next`, which comes behind `last` (empty: it is the first).
static enum graph_tie tie_of(struct str last, struct str next) {
  struct str a = key_values(last), b = key_values(next);
  size_t known = key_ordered_bytes(b);
  if (known == b.len && !key_is_cut(next) && known < KEY_CUT_BYTES) return GRAPH_TIE_NONE;
  known = MIN(known, KEY_CUT_BYTES);
  if (last.len == 0 || MIN(key_ordered_bytes(a), KEY_CUT_BYTES) != known) return GRAPH_TIE_BEGINS;
  return memcmp(a.ptr, b.ptr, known) == 0 ? GRAPH_TIE_JOINS : GRAPH_TIE_BEGINS;
}

/// Where a seek puts what it finds.
struct found_ids {
  graph_id *ids;
  uint8_t *ties; // NULL: nobody asks
  uint32_t cap;
};

static enum err seek_range(struct graph_view *v, const struct schema_index *x, const struct graph_seek *s,
                           const struct key_range *r, struct graph_scan *scan, struct buf *key, const struct found_ids *to,
                           uint32_t *ret_n, struct error *e) {
  struct key_walk w = {.v = v, .x = x, .range = r, .overlay = view_overlay(v), .descending = s->descending};
  uint32_t n = 0;
  TRY(walk_start(&w, scan->key, e));
  CLEANUP(buf_done) struct buf next = BUF_INIT;
  if (buf_append_str(key, scan->key) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  while (n < to->cap) {
    TRY(walk_next(&w, &next, e));
    if (next.len == 0) break;
    graph_id id = key_id(buf_str(&next));
    bool fits = true;
    if (x->index.entity == GRAPH_REL && w.overlay != NULL && w.overlay->detach_count > 0)
      TRY(view_exists(v, GRAPH_REL, id, &fits, e));
    if (fits && (r->recheck || key_is_cut(buf_str(&next)))) TRY(values_fit(v, &x->index, s, id, &fits, e));
    if (fits && to->ties != NULL) to->ties[n] = (uint8_t) tie_of(buf_str(key), buf_str(&next));
    if (fits) to->ids[n++] = id;
    buf_clear(key);
    if (buf_append_str(key, buf_str(&next)) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  }
  scan->done = n < to->cap;
  *ret_n = n;
  return ERR_OK;
}

static enum err dropped(uint32_t id, struct error *e) {
  return error_set(e, ERR_OUTDATED, "The index with the number %u was dropped after the statement was planned.", id);
}

/// The index as the transaction's statement knows it, or as it is now. Who reads what was published last, and keeps nobody from
/// changing the schema, knows it as it is now.
static enum err find_index(const struct graph_view *v, uint32_t id, const struct schema_index **ret, struct error *e) {
  struct graph_tx *tx = v->tx;
  bool moves = v->mode == GRAPH_READ_CURRENT && !tx->writing;
  *ret = tx->schema != NULL && !moves ? schema_find(tx->schema, id) : NULL;
  if (*ret != NULL) return ERR_OK;
  struct schema *now = graph_schema(tx->g);
  schema_release(tx->schema);
  tx->schema = now;
  *ret = schema_find(now, id);
  if (*ret != NULL) return ERR_OK;
  return dropped(id, e);
}

/// Pages are published before the schema that goes with them: a statement that begins in between may know an index whose pages
/// are gone.
static enum err explain_missing(const struct graph_view *v, uint32_t id, struct error *e) {
  struct schema *there = NULL;
  if (schema_load(&v->pages, v->tx->g->schema_root, &there, NULL) != ERR_OK) return ERR_NOTFOUND;
  bool has = schema_find(there, id) != NULL;
  schema_release(there);
  return has ? ERR_NOTFOUND : dropped(id, e);
}

static enum err seek(struct graph_view *v, uint32_t index, const struct graph_seek *s, struct graph_scan *scan, struct buf *key,
                     const struct found_ids *to, uint32_t *ret_n, struct error *e) {
  const struct schema_index *x;
  CLEANUP(range_done) struct key_range r = {0};
  TRY(find_index(v, index, &x, e));
  if (make_range(&x->index, s, &r) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  if (r.nothing) {
    scan->done = true;
    return ERR_OK;
  }
  if (x->born > v->pages.epoch)
    return error_set(e, ERR_OUTDATED, "Index %.*s was created after this transaction began to read.", STR_ARG(x->index.name));
  enum err err = seek_range(v, x, s, &r, scan, key, to, ret_n, e);
  return UNLIKELY(err == ERR_NOTFOUND) ? explain_missing(v, index, e) : err;
}

enum err graph_index_seek_ordered(struct graph_view *v, uint32_t index, const struct graph_seek *s, struct graph_scan *scan,
                                  struct arena *a, graph_id *ids, uint8_t *ties, uint32_t cap, uint32_t *ret_n, struct error *e) {
  CLEANUP(buf_done) struct buf key = BUF_INIT;
  struct graph_scan moved = *scan;
  uint32_t n = 0;
  TRY(view_call(v, e));
  *ret_n = 0;
  if (scan->done || cap == 0) return ERR_OK;
  TRY(view_end(v, seek(v, index, s, &moved, &key, &(struct found_ids){ids, ties, cap}, &n, e), e));
  if (!moved.done && key.len > 0) {
    moved.key = arena_str(a, buf_str(&key));
    if (moved.key.ptr == NULL) return arena_err(a, e);
  }
  *scan = moved;
  *ret_n = n;
  return ERR_OK;
}

enum err graph_index_seek(struct graph_view *v, uint32_t index, const struct graph_seek *s, struct graph_scan *scan,
                          struct arena *a, graph_id *ids, uint32_t cap, uint32_t *ret_n, struct error *e) {
  return graph_index_seek_ordered(v, index, s, scan, a, ids, NULL, cap, ret_n, e);
}

enum err view_index_find(struct graph_view *v, const struct schema_index *x, const struct value *values, graph_id except,
                         graph_id *ret, struct error *e) {
  CLEANUP(buf_done) struct buf key = BUF_INIT;
  struct graph_seek s = {.equal = values, .equal_count = x->index.key_count, .last = GRAPH_SEEK_EQUAL};
  struct graph_scan scan = {0};
  graph_id ids[2];
  uint32_t n = 0;
  TRY(seek(v, x->index.id, &s, &scan, &key, &(struct found_ids){ids, NULL, 2}, &n, e));
  *ret = UINT64_MAX;
  for (uint32_t i = n; i-- > 0;)
    if (ids[i] != except) *ret = ids[i];
  return ERR_OK;
}
