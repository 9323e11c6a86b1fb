#include "graph/record_int.h"

#include <string.h>

#include "graph/blocks_int.h"

void records_init(struct records *r, enum graph_kind kind) {
  *r = (struct records){.kind = kind};
}

void records_done(struct records *r) {
  stable_done(&r->runs);
  stable_done(&r->born);
}

static uint64_t run_of(uint64_t page_index) {
  if (page_index < RUN_PAGES_MAX) return page_index == 0 ? 0 : 64 - (uint64_t) __builtin_clzll(page_index);
  return RUN_DOUBLINGS + (page_index - RUN_PAGES_MAX) / RUN_PAGES_MAX;
}

static uint64_t run_first(uint64_t run) {
  if (run >= RUN_DOUBLINGS) return RUN_PAGES_MAX * (run - RUN_DOUBLINGS + 1);
  return run == 0 ? 0 : UINT64_C(1) << (run - 1);
}

static unsigned run_pages(uint64_t run) {
  if (run >= RUN_DOUBLINGS) return RUN_PAGES_MAX;
  return run == 0 ? 1 : 1u << (run - 1);
}

page_id record_page(const struct records *r, graph_id id) {
  uint64_t index = id / RECORDS_PER_PAGE, run = run_of(index);
  page_id first = stable_get(&r->runs, run);
  return first != 0 ? first + (index - run_first(run)) : PAGE_NONE;
}

bool record_is_born(const struct records *r, const struct page_view *v, graph_id id) {
  return stable_get(&r->born, run_of(id / RECORDS_PER_PAGE)) <= v->epoch;
}

graph_id record_next_page(const struct records *r, graph_id id) {
  uint64_t run = run_of(id / RECORDS_PER_PAGE), next = stable_next(&r->runs, run);
  if (next == run) return id;
  return next == UINT64_MAX ? UINT64_MAX : run_first(next) * RECORDS_PER_PAGE;
}

/// Takes runs that an aborted batch had made out of the table again.
static enum err forget_unknown_runs(struct records *r, const struct page_view *v, struct error *e) {
  for (uint64_t run = 0; (run = stable_next(&r->runs, run)) != UINT64_MAX; run++) {
    uint8_t key[5] = {(uint8_t) r->kind};
    struct bytes value;
    put_u32_be(key + 1, (uint32_t) run);
    enum err err = btree_get(v, r->root, (struct bytes){key, sizeof key}, &value, e);
    if (err == ERR_NOTFOUND) err = stable_set(&r->runs, run, 0);
    if (err != ERR_OK) return err;
  }
  return ERR_OK;
}

enum err records_load(struct records *r, const struct page_view *v, struct error *e) {
  struct btree_cursor c;
  TRY(forget_unknown_runs(r, v, e));
  btree_cursor_init(&c, r->root);
  uint8_t from = (uint8_t) r->kind;
  TRY(btree_cursor_seek(v, &c, (struct bytes){&from, 1}, BTREE_SEEK_GE, e));
  while (c.valid) {
    struct bytes key, value;
    TRY(btree_cursor_get(v, &c, &key, &value, e));
    const uint8_t *at = key.ptr;
    if (key.len != 5 || value.len != 8) return error_set(e, ERR_CORRUPT, "the directory of records makes no sense");
    if (at[0] != (uint8_t) r->kind) break;
    enum err err = stable_set(&r->runs, get_u32_be(at + 1), get_u64_le(value.ptr));
    if (err != ERR_OK) return error_ensure(e, err);
    TRY(btree_cursor_next(v, &c, e));
  }
  return ERR_OK;
}

enum err record_read(const struct records *r, const struct page_view *v, graph_id id, const uint8_t **ret, struct error *e) {
  page_id page = record_page(r, id);
  const void *at;
  enum err err = page != PAGE_NONE && record_is_born(r, v, id) ? pages_read(v, page, &at, NULL) : ERR_NOTFOUND;
  if (UNLIKELY(err == ERR_NOTFOUND)) {
    *ret = NULL;
    return ERR_OK;
  }
  if (UNLIKELY(err != ERR_OK)) TRY(pages_read(v, page, &at, e)); // once more, for its message
  *ret = (const uint8_t *) at + record_offset(id);
  return ERR_OK;
}

static enum err make_run(struct records *r, struct page_batch *b, uint64_t run, struct error *e) {
  page_id first;
  uint8_t key[5] = {(uint8_t) r->kind}, value[8];
  TRY(page_batch_allocate_run(b, run_pages(run), &first, e));
  put_u32_be(key + 1, (uint32_t) run);
  put_u64_le(value, first);
  TRY(btree_put(b, r->root, (struct bytes){key, sizeof key}, (struct bytes){value, sizeof value}, NULL, e));
  enum err err = stable_set(&r->born, run, page_batch_view(b).epoch);
  if (err == ERR_OK) err = stable_set(&r->runs, run, first);
  return err == ERR_OK ? err : error_ensure(e, err);
}

/// A new run is made for the first command that uses its ids, which holds no pointer into a page yet: making it may rest.
enum err record_write(struct records *r, struct page_batch *b, graph_id id, uint8_t **ret, struct error *e) {
  if (id > GRAPH_ID_MAX) return error_set(e, ERR_CORRUPT, "id %llu is above the greatest", (unsigned long long) id);
  if (record_page(r, id) == PAGE_NONE) TRY(make_run(r, b, run_of(id / RECORDS_PER_PAGE), e));
  void *page;
  TRY(page_batch_write(b, record_page(r, id), &page, e));
  *ret = (uint8_t *) page + record_offset(id);
  return ERR_OK;
}

static enum err outside_labels(const struct page_view *v, const uint8_t *record, const uint8_t **ret, uint32_t *ret_n,
                               struct error *e) {
  const uint8_t *at;
  unsigned room;
  TRY(block_read(v, get_u48(record + 2), &at, &room, e));
  uint32_t n = get_u32_le(at);
  if (n > NODE_LABELS_MAX || 4 + 4 * n > room) return error_set(e, ERR_CORRUPT, "a block of labels makes no sense");
  *ret = at + 4;
  *ret_n = n;
  return ERR_OK;
}

enum err node_labels(const struct page_view *v, const uint8_t *record, graph_token *ret, uint32_t *ret_n, struct error *e) {
  if (record[0] & RECORD_LABELS_OUTSIDE) {
    const uint8_t *from;
    TRY(outside_labels(v, record, &from, ret_n, e));
    for (uint32_t i = 0; i < *ret_n; i++) ret[i] = get_u32_le(from + 4 * i);
    return ERR_OK;
  }
  *ret_n = MIN(record[1], NODE_LABELS_INSIDE);
  for (uint32_t i = 0; i < *ret_n; i++) ret[i] = get_u24(record + 2 + 3 * i);
  return ERR_OK;
}

enum err node_has_label(const struct page_view *v, const uint8_t *record, graph_token label, bool *ret, struct error *e) {
  bool found = false;
  if (record[0] & RECORD_LABELS_OUTSIDE) {
    const uint8_t *from;
    uint32_t n;
    TRY(outside_labels(v, record, &from, &n, e));
    for (uint32_t i = 0; i < n && !found; i++) found = get_u32_le(from + 4 * i) == label;
  } else {
    for (unsigned i = 0; i < record[1] && i < NODE_LABELS_INSIDE && !found; i++) found = get_u24(record + 2 + 3 * i) == label;
  }
  *ret = found;
  return ERR_OK;
}
