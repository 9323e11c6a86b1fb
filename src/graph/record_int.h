// Records of nodes and relationships, 32 bytes each, found by id: 128 to a page, pages in runs. The first page of each run is in
// a table in memory (and in the tree "directory"), so that finding a record costs one look at the table and one at the page.
//
// Runs double in size up to 1024 pages, so that a small database stays small: run r below RUN_DOUBLINGS begins at page index
// 2^(r-1), later ones are all full. Runs are made where ids are used; ids that leaked leave holes.
#pragma once

#include "graph/layout_int.h"
#include "graph/stable_int.h"
#include "store/btree.h"

enum { RECORD_BYTES = 32, RECORDS_PER_PAGE = PAGE_BYTES / RECORD_BYTES, RUN_PAGES_MAX = 1024, RUN_DOUBLINGS = 11 };

struct records {
  page_id root; // tree "directory": kind u8, run u32 -> first page u64
  enum graph_kind kind;
  struct stable runs; // run -> first page
  struct stable born; // run -> epoch in which it was made, 0: before the database was opened. An older snapshot may see something
                      // else under the same page ids
};

void records_init(struct records *r, enum graph_kind kind);
void records_done(struct records *r);
enum err records_load(struct records *r, const struct page_view *v, struct error *e) NODISCARD;

/// The page of a record, or PAGE_NONE where there never was one. Any thread.
page_id record_page(const struct records *r, graph_id id);
static inline unsigned record_offset(graph_id id) {
  return (unsigned) (id % RECORDS_PER_PAGE) * RECORD_BYTES;
}

/// The first id from `id` on that has a page, or UINT64_MAX: skips holes of a scan.
graph_id record_next_page(const struct records *r, graph_id id);

/// Whether a view is young enough to see the page of that record.
bool record_is_born(const struct records *r, const struct page_view *v, graph_id id);

/// The record, or `*ret` NULL where there never was one in this view.
enum err record_read(const struct records *r, const struct page_view *v, graph_id id, const uint8_t **ret,
                     struct error *e) NODISCARD;
/// The record to be changed; its page is made if need be. The applier only.
enum err record_write(struct records *r, struct page_batch *b, graph_id id, uint8_t **ret, struct error *e) NODISCARD;

// ---- what is in them ----

enum { RECORD_IN_USE = 1, RECORD_LABELS_OUTSIDE = 2, RECORD_PROPERTIES_INSIDE = 4, RECORD_DELETED = 8 };
enum { NODE_LABELS_INSIDE = 3 };

// A node: 0 flags, 1 label count, 2 labels (3 x u24, ascending) or pointer to them (u48), 12 properties, 18 outgoing,
// 24 incoming (pointers, u48), 30 reserved.
static inline bool record_in_use(const uint8_t *r) {
  return r != NULL && (r[0] & RECORD_IN_USE);
}
static inline block_ptr node_properties(const uint8_t *r) {
  return get_u48(r + 12);
}
static inline void node_set_properties(uint8_t *r, block_ptr p) {
  put_u48(r + 12, p);
}
static inline block_ptr node_adjacency(const uint8_t *r, enum graph_direction d) {
  return get_u48(r + (d == GRAPH_OUT ? 18 : 24));
}
static inline void node_set_adjacency(uint8_t *r, enum graph_direction d, block_ptr p) {
  put_u48(r + (d == GRAPH_OUT ? 18 : 24), p);
}

// A relationship: 0 flags, 1 type u24, 4 start u40, 9 end u40, 14 reserved, 16 property block of at most 16 bytes, or pointer
// (u48). Type and ends stay after deletion, because type(r) may be asked of a relationship that its transaction has deleted.
static inline graph_token rel_type(const uint8_t *r) {
  return get_u24(r + 1);
}
static inline graph_id rel_start(const uint8_t *r) {
  return get_u40(r + 4);
}
static inline graph_id rel_end(const uint8_t *r) {
  return get_u40(r + 9);
}

enum { NODE_LABELS_MAX = 1000 };

/// Labels of a node's record, ascending, into `ret` (room for NODE_LABELS_MAX).
enum err node_labels(const struct page_view *v, const uint8_t *record, graph_token *ret, uint32_t *ret_n,
                     struct error *e) NODISCARD;
/// Whether the label is there.
enum err node_has_label(const struct page_view *v, const uint8_t *record, graph_token label, bool *ret,
                        struct error *e) NODISCARD;
