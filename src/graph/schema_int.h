// Indexes and the constraints they back. A schema is immutable and counted: whoever works with indexes holds the one it began
// with; the applier makes a changed copy and publishes it.
#pragma once

#include "base/buf.h"
#include "graph/types.h"
#include "graph/write.h"
#include "store/btree.h"

struct schema_index {
  struct graph_index index; // its texts are in the schema's arena
  page_id tree;
  uint64_t born;      // the epoch in which the tree was made, 0: before the database was opened. Older snapshots do not have it
  graph_id populated; // entities below it are in the index
};

struct schema {
  struct arena arena;
  _Atomic uint32_t references;
  uint64_t version; // grows with every change
  uint32_t next_id;
  uint32_t count;
  struct schema_index *indexes; // by id, ascending
};

/// A copy to be changed, with room for one more index. NULL when there is no memory.
struct schema *schema_copy(const struct schema *from);
struct schema *schema_hold(struct schema *s);
void schema_release(struct schema *s);

struct schema_index *schema_find(const struct schema *s, uint32_t id);
/// The first index from `*at` on that is for that kind and label or type; NULL at the end.
const struct schema_index *schema_next(const struct schema *s, uint32_t *at, enum graph_kind kind, graph_token label_or_type);

/// One index as bytes, for the tree "schema" and for log entries. Taking puts texts into the arena.
enum err schema_put_index(struct buf *b, const struct schema_index *x) NODISCARD;
enum err schema_take_index(struct str bytes, struct arena *a, struct schema_index *ret, struct error *e) NODISCARD;

/// Reads the tree into a new schema.
enum err schema_load(const struct page_view *v, page_id root, struct schema **ret, struct error *e) NODISCARD;
/// Writes one index into the tree, or takes it out.
enum err schema_store(struct page_batch *b, page_id root, const struct schema_index *x, struct error *e) NODISCARD;
enum err schema_erase(struct page_batch *b, page_id root, uint32_t id, struct error *e) NODISCARD;
