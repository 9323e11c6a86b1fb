#include "graph/tx_int.h"

#include <inttypes.h>
#include <stdlib.h>

struct graph_view *graph_tx_view(struct graph_tx *tx, enum graph_read mode) {
  return &tx->views[mode];
}

struct graph *graph_view_graph(const struct graph_view *v) {
  return v->tx->g;
}

void graph_view_enter(struct graph_view *v) {
  struct graph_tx *tx = v->tx;
  if (tx->entered++ > 0) return;
  tx->access = NULL;
  enum err err = graph_access_take(tx->g, &tx->access, &tx->kept.access_error);
  if (err == ERR_OK)
    page_access_enter(tx->access);
  else
    error_ensure(&tx->kept.access_error, err);
}

void graph_view_leave(struct graph_view *v) {
  v->tx->may_block_once = false; // a whole attempt: one that makes several calls would else wait for the same page for ever
  struct graph_tx *tx = v->tx;
  if (--tx->entered > 0 || tx->access == NULL) return;
  page_access_leave(tx->access);
  graph_access_give(tx->g, TAKE_PTR(tx->access));
}

void graph_view_rest(struct graph_view *v) {
  struct graph_tx *tx = v->tx;
  if (tx->access == NULL || LIKELY(!page_access_should_rest(tx->access))) return;
  page_access_rest(tx->access);
  tx->rests++;
}

uint64_t graph_view_rests(const struct graph_view *v) {
  return v->tx->rests;
}

/// SNAPSHOT keeps the statement's; CURRENT moves on to what was published last.
static enum err view_refresh(struct graph_view *v, struct error *e) {
  bool open = v->snapshot.space != NULL;
  if (open && (v->mode == GRAPH_READ_SNAPSHOT || v->snapshot.epoch == pages_epoch(v->tx->g->space))) return ERR_OK;
  page_snapshot_close(&v->snapshot);
  return page_snapshot_open(v->tx->g->space, &v->snapshot, e);
}

enum err view_begin(struct graph_view *v, struct error *e) {
  struct graph_tx *tx = v->tx;
  TRY(tx_check(tx, e));
  if (tx->access == NULL) {
    if (e != NULL) *e = tx->kept.access_error;
    return tx->kept.access_error.code != ERR_OK ? tx->kept.access_error.code
                                                : error_set(e, ERR_INTERNAL, "a view is read outside of page access");
  }
  TRY(view_refresh(v, e));
  v->pages = page_view_of(&v->snapshot, tx->access);
  v->pages.nonblocking = !tx->blocking && !tx->may_block_once;
  return ERR_OK;
}

enum err view_call(struct graph_view *v, struct error *e) {
  graph_view_rest(v);
  return view_begin(v, e);
}

enum err view_end(struct graph_view *v, enum err err, struct error *e) {
  if (UNLIKELY(err == ERR_AGAIN)) return tx_wait_for_page(v->tx);
  return err == ERR_OK ? err : error_ensure(e, err);
}

// ---- one entity ----

static const struct records *records_of(const struct graph *g, enum graph_kind kind) {
  return kind == GRAPH_NODE ? &g->nodes : &g->rels;
}

enum err view_record(struct graph_view *v, enum graph_kind kind, graph_id id, const uint8_t **ret, struct error *e) {
  const uint8_t *record = NULL;
  if (LIKELY(id <= GRAPH_ID_MAX)) TRY(record_read(records_of(v->tx->g, kind), &v->pages, id, &record, e));
  *ret = record_in_use(record) ? record : NULL;
  return ERR_OK;
}

static bool node_is_detached(const struct graph_view *v, graph_id id) {
  const struct over_entity *x = overlay_find(&v->tx->overlay, GRAPH_NODE, id);
  return x != NULL && x->detach && over_flag_get(&v->tx->overlay, &x->deleted, v->mode) > 0;
}

bool view_is_detached(const struct graph_view *v, graph_id start, graph_id end) {
  return v->tx->overlay.detach_count > 0 && (node_is_detached(v, start) || node_is_detached(v, end));
}

enum err view_exists(struct graph_view *v, enum graph_kind kind, graph_id id, bool *ret, struct error *e) {
  const struct overlay *o = view_overlay(v);
  const struct over_entity *x = o != NULL ? overlay_find(o, kind, id) : NULL;
  *ret = false;
  if (x != NULL && over_flag_get(o, &x->deleted, v->mode) > 0) return ERR_OK;
  if (x != NULL && x->created) {
    *ret = over_flag_get(o, &x->create, v->mode) > 0;
    return ERR_OK;
  }
  const uint8_t *record;
  TRY(view_record(v, kind, id, &record, e));
  *ret = record != NULL && !(kind == GRAPH_REL && o != NULL && view_is_detached(v, rel_start(record), rel_end(record)));
  return ERR_OK;
}

enum err graph_exist(struct graph_view *v, enum graph_kind kind, const graph_id *ids, uint32_t n, uint8_t *ret, struct error *e) {
  TRY(view_call(v, e));
  enum err err = ERR_OK;
  for (uint32_t i = 0; i < n && err == ERR_OK; i++) {
    bool exists;
    graph_view_rest(v);
    err = view_exists(v, kind, ids[i], &exists, e);
    if (err == ERR_OK) ret[i] = exists;
  }
  return view_end(v, err, e);
}

// ---- labels ----

enum err view_has_label(struct graph_view *v, graph_id id, graph_token label, bool *ret, struct error *e) {
  const struct overlay *o = view_overlay(v);
  const struct over_entity *x = o != NULL ? overlay_find(o, GRAPH_NODE, id) : NULL;
  *ret = false;
  if (x != NULL) {
    bool exists;
    TRY(view_exists(v, GRAPH_NODE, id, &exists, e));
    int change = over_label_get(o, x, label, v->mode);
    *ret = exists && change > 0;
    if (!exists || change != 0 || x->created) return ERR_OK;
  }
  const uint8_t *record;
  TRY(view_record(v, GRAPH_NODE, id, &record, e));
  return record != NULL ? node_has_label(&v->pages, record, label, ret, e) : ERR_OK;
}

enum err graph_have_label(struct graph_view *v, const graph_id *ids, uint32_t n, graph_token label, uint8_t *ret,
                          struct error *e) {
  TRY(view_call(v, e));
  enum err err = ERR_OK;
  for (uint32_t i = 0; i < n && err == ERR_OK; i++) {
    bool has;
    graph_view_rest(v);
    err = view_has_label(v, ids[i], label, &has, e);
    if (err == ERR_OK) ret[i] = has;
  }
  return view_end(v, err, e);
}

static int order_tokens(const void *a, const void *b) {
  graph_token x = *(const graph_token *) a, y = *(const graph_token *) b;
  return (x > y) - (x < y);
}

/// Published labels without those taken away, and those added.
static uint32_t merge_labels(const struct graph_view *v, const struct over_entity *x, graph_token *labels, uint32_t n) {
  const struct overlay *o = &v->tx->overlay;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < n; i++)
    if (over_label_get(o, x, labels[i], v->mode) == 0) labels[kept++] = labels[i];
  for (uint32_t i = 0; i < x->label_count && kept < NODE_LABELS_MAX; i++)
    if (over_flag_get(o, &x->labels[i].change, v->mode) > 0) labels[kept++] = x->labels[i].label;
  qsort(labels, kept, sizeof *labels, order_tokens);
  return kept;
}

enum err view_labels(struct graph_view *v, graph_id id, graph_token *labels, uint32_t *ret_n, struct error *e) {
  const struct overlay *o = view_overlay(v);
  const struct over_entity *x = o != NULL ? overlay_find(o, GRAPH_NODE, id) : NULL;
  bool exists = true;
  const uint8_t *record = NULL;
  *ret_n = 0;
  if (x != NULL) TRY(view_exists(v, GRAPH_NODE, id, &exists, e));
  if (!exists) return ERR_OK;
  if (x == NULL || !x->created) TRY(view_record(v, GRAPH_NODE, id, &record, e));
  if (record != NULL) TRY(node_labels(&v->pages, record, labels, ret_n, e));
  if (x != NULL) *ret_n = merge_labels(v, x, labels, *ret_n);
  return ERR_OK;
}

enum err graph_node_labels(struct graph_view *v, graph_id id, struct arena *a, graph_token **ret, uint32_t *ret_n,
                           struct error *e) {
  graph_token labels[NODE_LABELS_MAX];
  uint32_t n;
  TRY(view_call(v, e));
  TRY(view_end(v, view_labels(v, id, labels, &n, e), e));
  graph_token *copy = arena_copy(a, labels, n * sizeof *labels);
  if (copy == NULL) return arena_err(a, e);
  *ret = copy;
  *ret_n = n;
  return ERR_OK;
}

// ---- relationships ----

enum err view_rel(struct graph_view *v, graph_id id, graph_id *ret_start, graph_id *ret_end, graph_token *ret_type,
                  struct error *e) {
  const struct over_entity *x = overlay_find(&v->tx->overlay, GRAPH_REL, id);
  if (x != NULL && x->created) {
    *ret_start = x->start, *ret_end = x->end, *ret_type = x->type;
    return ERR_OK;
  }
  const uint8_t *record = NULL;
  if (id <= GRAPH_ID_MAX) TRY(record_read(&v->tx->g->rels, &v->pages, id, &record, e));
  if (record == NULL || (record[0] & (RECORD_IN_USE | RECORD_DELETED)) == 0)
    return error_set(e, ERR_ENTITY_NOT_FOUND, "Unable to load RELATIONSHIP 5:%s:%" PRIu64 ".", v->tx->g->uuid_text, id);
  *ret_start = rel_start(record), *ret_end = rel_end(record), *ret_type = rel_type(record);
  return ERR_OK;
}

enum err graph_rel_ends(struct graph_view *v, const graph_id *ids, uint32_t n, graph_id *ret_start, graph_id *ret_end,
                        graph_token *ret_type, struct error *e) {
  TRY(view_call(v, e));
  for (uint32_t i = 0; i < n; i++) {
    graph_id start, end;
    graph_token type;
    graph_view_rest(v);
    TRY(view_end(v, view_rel(v, ids[i], &start, &end, &type, e), e));
    if (ret_start != NULL) ret_start[i] = start;
    if (ret_end != NULL) ret_end[i] = end;
    if (ret_type != NULL) ret_type[i] = type;
  }
  return ERR_OK;
}

// ---- names ----

bool graph_token_find(const struct graph *g, enum graph_token_kind kind, struct str name, graph_token *ret) {
  return tokens_find((struct tokens *) &g->tokens, kind, name, ret);
}

struct str graph_token_name(const struct graph *g, enum graph_token_kind kind, graph_token token) {
  return tokens_name(&g->tokens, kind, token);
}

uint32_t graph_token_count(const struct graph *g, enum graph_token_kind kind) {
  return g->tokens.kinds[kind].count;
}

uint64_t graph_token_version(const struct graph *g) {
  return g->tokens.version;
}

struct str graph_element_id(const struct graph *g, enum graph_kind kind, graph_id id, struct arena *a) {
  return arena_printf(a, "%c:%s:%" PRIu64, kind == GRAPH_NODE ? '4' : '5', g->uuid_text, id);
}

bool graph_element_id_parse(const struct graph *g, enum graph_kind kind, struct str text, graph_id *ret) {
  struct str first = str_cut(&text, ':'), uuid = str_cut(&text, ':');
  int64_t id;
  if (!str_eqz(first, kind == GRAPH_NODE ? "4" : "5") || !str_eqz(uuid, g->uuid_text)) return false;
  if (text.len == 0 || text.ptr[0] < '0' || text.ptr[0] > '9' || !str_to_i64(text, &id)) return false;
  *ret = (graph_id) id;
  return true;
}
