// Many records, or many blocks, at a time: what is not in memory is read together, what is, is asked for ahead, so that waits for
// it overlap. Trying without the disk first costs nothing where all is in memory.
#include "graph/tx_int.h"

static const struct records *records_of(const struct graph *g, enum graph_kind kind) {
  return kind == GRAPH_NODE ? &g->nodes : &g->rels;
}

/// Reads into `ret` what is there without the disk; gives the others as bits. Those that cannot be read are among them: the next
/// attempt says why.
static uint64_t try_records(const struct records *r, const struct page_view *v, const graph_id *ids, uint32_t n,
                            const uint8_t **ret) {
  struct page_view trial = *v;
  uint64_t cold = 0;
  trial.nonblocking = true;
  for (uint32_t i = 0; i < n; i++) {
    ret[i] = NULL;
    if (UNLIKELY(ids[i] > GRAPH_ID_MAX)) continue;
    if (UNLIKELY(record_read(r, &trial, ids[i], &ret[i], NULL) != ERR_OK)) cold |= UINT64_C(1) << i;
    __builtin_prefetch(ret[i]);
  }
  return cold;
}

enum err view_records(struct graph_view *v, enum graph_kind kind, const graph_id *ids, uint32_t n, const uint8_t **ret,
                      struct error *e) {
  const struct records *r = records_of(v->tx->g, kind);
  uint64_t cold = try_records(r, &v->pages, ids, n, ret);
  if (LIKELY(cold == 0)) return ERR_OK;
  page_id pages[VIEW_AHEAD];
  uint32_t count = 0;
  for (uint64_t left = cold; left != 0; left &= left - 1) pages[count++] = record_page(r, ids[__builtin_ctzll(left)]);
  pages_read_ahead(&v->pages, pages, count);
  for (uint64_t left = cold; left != 0; left &= left - 1) {
    uint32_t i = (uint32_t) __builtin_ctzll(left);
    TRY(record_read(r, &v->pages, ids[i], &ret[i], e));
  }
  return ERR_OK;
}

void view_read_blocks_ahead(struct graph_view *v, const block_ptr *pointers, uint32_t n) {
  page_id pages[VIEW_AHEAD];
  uint32_t count = 0;
  for (uint32_t i = 0; i < n; i++)
    if (pointers[i] != BLOCK_NONE && !pages_cached(&v->pages, block_page(pointers[i]))) pages[count++] = block_page(pointers[i]);
  if (UNLIKELY(count > 0)) pages_read_ahead(&v->pages, pages, count);
}

void graph_read_ahead(struct graph_view *v, enum graph_kind kind, const graph_id *ids, uint32_t n) {
  const uint8_t *records[VIEW_AHEAD];
  block_ptr pointers[VIEW_AHEAD];
  n = MIN(n, (uint32_t) VIEW_AHEAD);
  if (n < 2 || view_call(v, NULL) != ERR_OK || v->pages.nonblocking) return;
  if (view_records(v, kind, ids, n, records, NULL) != ERR_OK) return;
  for (uint32_t i = 0; i < n; i++)
    pointers[i] = record_in_use(records[i]) ? view_properties_of(kind, records[i]).pointer : BLOCK_NONE;
  view_read_blocks_ahead(v, pointers, n);
}
