// Scans by label and type, and exact counts: what is published, without what the transaction took away, with what it added.
#include "graph/tx_int.h"

#include <string.h>

#include "graph/members_int.h"

enum { SCAN_CHUNK = 256 };

/// One call of a scan.
struct scanning {
  struct graph_view *v;
  const struct overlay *overlay;
  enum graph_kind kind;
  graph_token token;
};

/// Whether a published entity that the index has is still in this view.
static enum err still_there(const struct scanning *s, graph_id id, bool *ret, struct error *e) {
  const struct overlay *o = s->overlay;
  const struct over_entity *x = o != NULL ? overlay_find(o, s->kind, id) : NULL;
  *ret = true;
  if (x != NULL) {
    *ret = over_flag_get(o, &x->deleted, s->v->mode) == 0;
    if (*ret && s->kind == GRAPH_NODE && s->token != GRAPH_ANY) *ret = over_label_get(o, x, s->token, s->v->mode) >= 0;
  }
  if (!*ret || o == NULL || s->kind != GRAPH_REL || o->detach_count == 0) return ERR_OK;
  return view_exists(s->v, s->kind, id, ret, e);
}

/// Published ids from `from` on, in order; `*ret_next` is where to go on, UINT64_MAX at the end. Without a token: all records.
static enum err published_ids(const struct scanning *s, graph_id from, graph_id *ids, uint32_t cap, uint32_t *ret_n,
                              graph_id *ret_next, struct error *e) {
  const struct graph *g = s->v->tx->g;
  if (s->token != GRAPH_ANY)
    return members_scan(&s->v->pages, s->kind == GRAPH_NODE ? g->labels_root : g->types_root, s->token, from, ids, cap, ret_n,
                        ret_next, e);
  const struct records *r = s->kind == GRAPH_NODE ? &g->nodes : &g->rels;
  uint32_t n = 0;
  graph_id id = from;
  while (n < cap) {
    id = id <= GRAPH_ID_MAX ? record_next_page(r, id) : UINT64_MAX;
    if (id > GRAPH_ID_MAX) break;
    const uint8_t *record;
    graph_view_rest(s->v); // a long stretch of ids may hold nothing
    TRY(record_read(r, &s->v->pages, id, &record, e));
    if (record == NULL) { // the run is younger than this view
      id = (id / RECORDS_PER_PAGE + 1) * RECORDS_PER_PAGE;
      continue;
    }
    graph_id end = (id / RECORDS_PER_PAGE + 1) * RECORDS_PER_PAGE;
    for (; id < end && n < cap; id++, record += RECORD_BYTES)
      if (record_in_use(record)) ids[n++] = id;
  }
  *ret_n = n;
  *ret_next = id > GRAPH_ID_MAX ? UINT64_MAX : id;
  return ERR_OK;
}

static bool created_has_token(const struct scanning *s, const struct over_entity *x) {
  const struct overlay *o = s->overlay;
  if (over_flag_get(o, &x->create, s->v->mode) == 0 || over_flag_get(o, &x->deleted, s->v->mode) > 0) return false;
  if (s->token == GRAPH_ANY) return true;
  return s->kind == GRAPH_REL ? x->type == s->token : over_label_get(o, x, s->token, s->v->mode) > 0;
}

/// The first entity from `from` on that the transaction created and that fits; UINT64_MAX if there is none.
static graph_id next_created(const struct scanning *s, graph_id from) {
  const struct over_list *l = &s->overlay->created[s->kind];
  uint32_t low = 0, high = l->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (l->items[middle]->id < from)
      low = middle + 1;
    else
      high = middle;
  }
  while (low < l->count && !created_has_token(s, l->items[low])) low++;
  return low < l->count ? l->items[low]->id : UINT64_MAX;
}

/// The first published node from `from` on that the transaction gave the label.
static graph_id next_labelled(const struct scanning *s, graph_id from) {
  const struct overlay *o = s->overlay;
  if (s->kind != GRAPH_NODE || s->token == GRAPH_ANY || from > GRAPH_ID_MAX) return UINT64_MAX;
  uint8_t key[MEMBER_KEY_BYTES];
  struct str at = member_key(key, s->token, from);
  for (const struct ordered_node *n = ordered_seek(&o->members, at, false); n != NULL;
       n = ordered_seek(&o->members, n->key, true)) {
    const uint8_t *k = (const uint8_t *) n->key.ptr;
    if (get_u32_be(k) != s->token) break;
    graph_id id = get_u40_be(k + 4);
    struct over_flag f = ordered_flag(n);
    const struct over_entity *x = overlay_find(o, GRAPH_NODE, id);
    if (over_flag_get(o, &f, s->v->mode) > 0 && over_flag_get(o, &x->deleted, s->v->mode) == 0) return id;
  }
  return UINT64_MAX;
}

/// Merges published ids with the transaction's own, both in order, from scan->at on.
static enum err scan_merged(const struct scanning *s, struct graph_scan *scan, graph_id *ids, uint32_t cap, uint32_t *ret_n,
                            struct error *e) {
  graph_id chunk[SCAN_CHUNK], next = scan->at;
  uint32_t n = 0, have = 0, at = 0;
  graph_id created = next_created(s, scan->at), labelled = next_labelled(s, scan->at);
  while (n < cap) {
    if (at == have && next != UINT64_MAX) {
      TRY(published_ids(s, next, chunk, MIN(cap, (uint32_t) SCAN_CHUNK), &have, &next, e));
      at = 0;
      continue;
    }
    graph_id published = at < have ? chunk[at] : UINT64_MAX, least = MIN(published, MIN(created, labelled));
    if (least == UINT64_MAX) break;
    bool there = true;
    if (least == published) TRY(still_there(s, least, &there, e));
    if (there) ids[n++] = least;
    if (least == published) at++;
    if (least == created) created = next_created(s, least + 1);
    if (least == labelled) labelled = next_labelled(s, least + 1);
    scan->at = least + 1;
  }
  scan->done = n < cap;
  *ret_n = n;
  return ERR_OK;
}

static enum err scan_published(const struct scanning *s, struct graph_scan *scan, graph_id *ids, uint32_t cap, uint32_t *ret_n,
                               struct error *e) {
  graph_id next;
  TRY(published_ids(s, scan->at, ids, cap, ret_n, &next, e));
  scan->done = next == UINT64_MAX;
  scan->at = next;
  return ERR_OK;
}

static enum err scan(struct graph_view *v, enum graph_kind kind, graph_token token, struct graph_scan *scan, graph_id *ids,
                     uint32_t cap, uint32_t *ret_n, struct error *e) {
  TRY(view_call(v, e));
  *ret_n = 0;
  if (scan->done || cap == 0) return ERR_OK;
  struct scanning s = {v, view_overlay(v), kind, token};
  struct graph_scan moved = *scan;
  enum err err = s.overlay != NULL ? scan_merged(&s, &moved, ids, cap, ret_n, e) : scan_published(&s, &moved, ids, cap, ret_n, e);
  TRY(view_end(v, err, e));
  *scan = moved;
  return ERR_OK;
}

enum err graph_scan_nodes(struct graph_view *v, graph_token label, struct graph_scan *at, graph_id *ids, uint32_t cap,
                          uint32_t *ret_n, struct error *e) {
  return scan(v, GRAPH_NODE, label, at, ids, cap, ret_n, e);
}

enum err graph_scan_rels(struct graph_view *v, graph_token type, struct graph_scan *at, graph_id *ids, uint32_t cap,
                         uint32_t *ret_n, struct error *e) {
  return scan(v, GRAPH_REL, type, at, ids, cap, ret_n, e);
}

// ---- counts ----

/// Whether the published entity has the token: for what the transaction deleted.
static enum err published_has_token(const struct scanning *s, graph_id id, bool *ret, struct error *e) {
  const uint8_t *record;
  TRY(view_record(s->v, s->kind, id, &record, e));
  *ret = record != NULL;
  if (record == NULL || s->token == GRAPH_ANY) return ERR_OK;
  if (s->kind == GRAPH_NODE) return node_has_label(&s->v->pages, record, s->token, ret, e);
  *ret = rel_type(record) == s->token;
  return ERR_OK;
}

/// By how much one entity's delta changes the count.
static enum err count_delta(const struct scanning *s, const struct over_entity *x, int64_t *sum, struct error *e) {
  const struct overlay *o = s->overlay;
  bool deleted = over_flag_get(o, &x->deleted, s->v->mode) > 0;
  if (x->created) {
    *sum += created_has_token(s, x);
    return ERR_OK;
  }
  int label = s->kind == GRAPH_NODE && s->token != GRAPH_ANY ? over_label_get(o, x, s->token, s->v->mode) : 0;
  if (!deleted && label == 0) return ERR_OK;
  bool had;
  TRY(published_has_token(s, x->id, &had, e));
  bool has = !deleted && (label > 0 || (label == 0 && had));
  *sum += (int64_t) has - (int64_t) had;
  return ERR_OK;
}

/// Relationships that went with their nodes have no delta of their own.
static int64_t count_detached(const struct scanning *s) {
  const struct overlay *o = s->overlay;
  int64_t sum = 0;
  for (uint32_t i = 0; s->kind == GRAPH_REL && i < o->deleted_nodes.count; i++) {
    const struct over_entity *x = o->deleted_nodes.items[i];
    if (!x->detach || over_flag_get(o, &x->deleted, s->v->mode) == 0) continue;
    for (uint32_t t = 0; t < x->detached_count; t++)
      if (s->token == GRAPH_ANY || x->detached[t].type == s->token) sum += (int64_t) x->detached[t].count;
  }
  return sum;
}

static enum err count(const struct scanning *s, uint64_t *ret, struct error *e) {
  uint64_t published;
  int64_t sum = 0;
  enum statistic which = s->kind == GRAPH_NODE ? STATISTIC_NODES : STATISTIC_RELS;
  TRY(statistics_read(&s->v->tx->g->statistics, &s->v->pages, which, s->token, 0, &published, e));
  if (s->overlay != NULL) {
    size_t at = 0;
    for (const struct map_entry *m; (m = map_next(&s->overlay->entities[s->kind], &at)) != NULL;)
      TRY(count_delta(s, (const struct over_entity *) (uintptr_t) m->value, &sum, e));
    sum -= count_detached(s);
  }
  *ret = published + (uint64_t) sum;
  return ERR_OK;
}

static enum err count_call(struct graph_view *v, enum graph_kind kind, graph_token token, uint64_t *ret, struct error *e) {
  TRY(view_call(v, e));
  struct scanning s = {v, view_overlay(v), kind, token};
  return view_end(v, count(&s, ret, e), e);
}

enum err graph_count_nodes(struct graph_view *v, graph_token label, uint64_t *ret, struct error *e) {
  return count_call(v, GRAPH_NODE, label, ret, e);
}

enum err graph_count_rels(struct graph_view *v, graph_token type, uint64_t *ret, struct error *e) {
  return count_call(v, GRAPH_REL, type, ret, e);
}

/// Relationships of the type whose node at the end to which `direction` leads has the label are as many as there are at all.
static enum err all_labelled(struct graph_view *v, graph_token type, enum graph_direction direction, graph_token label, bool *ret,
                             struct error *e) {
  const struct statistics *s = &v->tx->g->statistics;
  uint64_t all, labelled;
  TRY(statistics_read(s, &v->pages, STATISTIC_RELS, type, 0, &all, e));
  *ret = true;
  for (int d = GRAPH_OUT; d <= GRAPH_IN && *ret; d++) {
    if (!(direction & d)) continue;
    enum statistic which = d == GRAPH_OUT ? STATISTIC_RELS_OF_END : STATISTIC_RELS_OF_START;
    TRY(statistics_read(s, &v->pages, which, label, type, &labelled, e));
    *ret = labelled == all;
  }
  return ERR_OK;
}

enum err graph_ends_have_label(struct graph_view *v, graph_token type, enum graph_direction direction, graph_token label,
                               bool *ret, struct error *e) {
  TRY(view_call(v, e));
  bool all = false;
  if (view_overlay(v) == NULL) TRY(view_end(v, all_labelled(v, type, direction, label, &all, e), e));
  *ret = all;
  return ERR_OK;
}
