// Nodes of B+trees: the bytes (docs/formats/pages.md) and what is done with one page of them.
#pragma once

#include "base/bytes.h"
#include "store/btree.h"

#define NODE_MAGIC 0xB7u
#define NODE_HEADER 16u
#define NODE_SLOT 8u
#define NODE_ROOM (PAGE_BYTES - NODE_HEADER)
#define NODE_CELLS_MAX (NODE_ROOM / (NODE_SLOT + 2) + 2)

// A key with its value; in an inner node the value is the child's id in 8 bytes.
struct cell {
  struct bytes key, value;
};

static inline unsigned node_level(const uint8_t *n) {
  return n[1];
}
static inline unsigned node_count(const uint8_t *n) {
  return get_u16_le(n + 2);
}
static inline unsigned node_low(const uint8_t *n) {
  return get_u16_le(n + 4);
}
static inline unsigned node_dead(const uint8_t *n) {
  return get_u16_le(n + 6);
}
static inline unsigned node_shared(const uint8_t *n) {
  return get_u16_le(n + 8);
}

void node_init(uint8_t *n, unsigned level);
/// The header makes sense: everything else is checked where it is used.
bool node_is_sane(const uint8_t *n);
/// False if the cell is not inside the page.
bool node_cell(const uint8_t *n, unsigned i, struct cell *ret);
/// Leaf: place of the first key not below `key`, `*ret_exact` if it is that key. False if a cell is not inside the page.
bool node_find(const uint8_t *n, struct bytes key, unsigned *ret, bool *ret_exact);
/// Inner node: place of the child under which `key` is.
bool node_find_child(const uint8_t *n, struct bytes key, unsigned *ret);
page_id cell_child(const struct cell *c);
/// Bytes that a cell takes, its slot included.
size_t cell_bytes(unsigned level, const struct cell *c);
/// Bytes in use by cells and slots.
size_t node_used(const uint8_t *n);
/// Puts the cell in at `i`; false if there is no room.
bool node_insert(uint8_t *n, unsigned i, const struct cell *c);
bool node_remove(uint8_t *n, unsigned i);
/// All cells, pointing into `n`; `ret` has room for NODE_CELLS_MAX.
bool node_cells(const uint8_t *n, struct cell *ret);
/// Makes `n` hold these cells, which must not be inside it and must fit.
void node_build(uint8_t *n, unsigned level, const struct cell *cells, unsigned count);
int bytes_compare(struct bytes a, struct bytes b);
size_t bytes_shared(struct bytes a, struct bytes b);

enum err btree_damaged(page_id id, struct error *e);
/// A node of the view, its header checked.
enum err btree_node(const struct page_view *v, page_id id, const uint8_t **ret, struct error *e);
/// The path from the root to the leaf where `key` is or would be.
enum err btree_descend(const struct page_view *v, page_id root, struct bytes key, struct btree_level *path, unsigned *ret_depth, struct error *e);
enum err btree_check_key(struct bytes key, struct error *e);
