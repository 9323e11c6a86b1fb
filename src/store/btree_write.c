// Changing B+trees: insertion with splits, deletion with merges. A write copies only the nodes that change; the root's page id
// stays, so when the root splits its cells move to two new pages.
#include <assert.h>
#include <string.h>

#include "store/btree_int.h"

#define SMALL_BYTES (NODE_ROOM / 4)

enum err btree_create(struct page_batch *b, page_id *ret_root, struct error *e) {
  void *page = NULL;
  TRY(page_batch_allocate(b, ret_root, &page, e));
  node_init(page, 0);
  return ERR_OK;
}

static enum err write_node(struct page_batch *b, page_id id, uint8_t **ret, struct error *e) {
  void *page = NULL;
  TRY(page_batch_write(b, id, &page, e));
  if (!node_is_sane(page)) return btree_damaged(id, e);
  *ret = page;
  return ERR_OK;
}

// ---- splitting ----

// What must still be put into the level above: a separator and the page to its right.
struct split {
  uint8_t child[8];
  uint16_t key_len;
  uint8_t key[BTREE_KEY_MAX];
};

// The cells of a full node with one more, as pointers into a copy of it.
struct crowd {
  uint8_t copy[PAGE_BYTES];
  struct cell cells[NODE_CELLS_MAX + 1];
  unsigned count, level;
};

static bool gather(const uint8_t *n, unsigned position, const struct cell *extra, struct crowd *c) {
  memcpy(c->copy, n, PAGE_BYTES);
  c->level = node_level(n);
  c->count = node_count(n);
  if (!node_cells(c->copy, c->cells)) return false;
  memmove(c->cells + position + 1, c->cells + position, (c->count - position) * sizeof *c->cells);
  c->cells[position] = *extra;
  c->count++;
  return true;
}

// Half by bytes; but keys that come in rising order leave full nodes behind them.
static unsigned split_point(const struct crowd *c, unsigned position) {
  size_t total = 0, left = 0;
  if (position + 1 == c->count && c->count > 2) return position;
  for (unsigned i = 0; i < c->count; i++) total += cell_bytes(c->level, &c->cells[i]);
  for (unsigned i = 0; i + 1 < c->count; i++) {
    left += cell_bytes(c->level, &c->cells[i]);
    if (left * 2 >= total) return i + 1;
  }
  return c->count - 1;
}

// The shortest key that is above the left half and not above the right one. In inner nodes it is the key itself.
static void set_separator(const struct crowd *c, unsigned at, page_id right, struct split *s) {
  struct bytes key = c->cells[at].key;
  size_t len = c->level > 0 ? key.len : bytes_shared(c->cells[at - 1].key, key) + 1;
  memcpy(s->key, key.ptr, len);
  s->key_len = (uint16_t) len;
  put_u64_le(s->child, right);
}

static void build_right(uint8_t *page, struct crowd *c, unsigned at) {
  if (c->level > 0) c->cells[at].key.len = 0;
  node_build(page, c->level, c->cells + at, c->count - at);
}

static enum err split_node(struct page_batch *b, page_id id, uint8_t *n, unsigned position, const struct cell *extra, struct split *s,
                           struct error *e) {
  struct crowd c;
  page_id right = PAGE_NONE;
  void *page = NULL;
  if (!gather(n, position, extra, &c)) return btree_damaged(id, e);
  unsigned at = split_point(&c, position);
  if (c.cells[at].key.len > BTREE_KEY_MAX) return btree_damaged(id, e);
  struct split next;
  TRY(page_batch_allocate(b, &right, &page, e));
  set_separator(&c, at, right, &next);
  node_build(n, c.level, c.cells, at);
  build_right(page, &c, at);
  *s = next; // `extra` may point into it
  return ERR_OK;
}

// The root's cells go to two new pages, and the root names them.
static enum err split_root(struct page_batch *b, page_id id, uint8_t *n, unsigned position, const struct cell *extra, struct error *e) {
  struct crowd c;
  page_id left = PAGE_NONE, right = PAGE_NONE;
  void *left_page = NULL, *right_page = NULL;
  struct split s;
  if (!gather(n, position, extra, &c)) return btree_damaged(id, e);
  if (c.level + 1 == BTREE_DEPTH_MAX) return error_set(e, ERR_LIMIT, "The tree of page %llu is full.", (unsigned long long) id);
  unsigned at = split_point(&c, position);
  if (c.cells[at].key.len > BTREE_KEY_MAX) return btree_damaged(id, e);
  TRY(page_batch_allocate(b, &left, &left_page, e));
  TRY(page_batch_allocate(b, &right, &right_page, e));
  set_separator(&c, at, right, &s);
  node_build(left_page, c.level, c.cells, at);
  build_right(right_page, &c, at);
  uint8_t first[8];
  put_u64_le(first, left);
  const struct cell children[2] = {{{NULL, 0}, {first, 8}}, {{s.key, s.key_len}, {s.child, 8}}};
  node_build(n, c.level + 1, children, 2);
  return ERR_OK;
}

// Puts the cell into the node at path[depth], and what its split makes into those above.
static enum err insert_up(struct page_batch *b, const struct btree_level *path, unsigned depth, const struct cell *cell, struct error *e) {
  struct split s;
  struct cell extra = *cell;
  unsigned position = path[depth].position;
  for (;; depth--, position = path[depth].position + 1u) {
    uint8_t *n = NULL;
    TRY(write_node(b, path[depth].page, &n, e));
    if (position > node_count(n)) return btree_damaged(path[depth].page, e);
    if (node_insert(n, position, &extra)) return ERR_OK;
    if (depth == 0) return split_root(b, path[0].page, n, position, &extra, e);
    TRY(split_node(b, path[depth].page, n, position, &extra, &s, e));
    extra = (struct cell){{s.key, s.key_len}, {s.child, 8}};
  }
}

// The same key again: in place when the value is as long, otherwise out and in.
static enum err replace(struct page_batch *b, const struct btree_level *path, unsigned depth, const struct cell *cell, struct error *e) {
  uint8_t *n = NULL;
  struct cell old;
  const struct btree_level *leaf = &path[depth];
  TRY(write_node(b, leaf->page, &n, e));
  if (!node_cell(n, leaf->position, &old)) return btree_damaged(leaf->page, e);
  if (old.value.len == cell->value.len) {
    if (old.value.len > 0) memcpy((void *) old.value.ptr, cell->value.ptr, cell->value.len);
    return ERR_OK;
  }
  if (!node_remove(n, leaf->position)) return btree_damaged(leaf->page, e);
  return insert_up(b, path, depth, cell, e);
}

static enum err is_at(const struct page_view *v, const struct btree_level *leaf, struct bytes key, bool *ret, struct error *e) {
  const uint8_t *n = NULL;
  struct cell c;
  *ret = false;
  TRY(btree_node(v, leaf->page, &n, e));
  if (leaf->position >= node_count(n)) return ERR_OK;
  if (!node_cell(n, leaf->position, &c)) return btree_damaged(leaf->page, e);
  *ret = bytes_compare(c.key, key) == 0;
  return ERR_OK;
}

enum err btree_put(struct page_batch *b, page_id root, struct bytes key, struct bytes value, bool *ret_replaced, struct error *e) {
  struct btree_level path[BTREE_DEPTH_MAX];
  struct page_view v = page_batch_view(b);
  unsigned depth = 0;
  bool exact = false;
  TRY(btree_check_key(key, e));
  if (value.len > BTREE_VALUE_MAX) return error_set(e, ERR_INVALID, "A value of %zu bytes is over the limit of %u.", value.len, BTREE_VALUE_MAX);
  TRY(btree_descend(&v, root, key, path, &depth, e));
  TRY(is_at(&v, &path[depth - 1], key, &exact, e));
  const struct cell cell = {key, value};
  TRY(exact ? replace(b, path, depth - 1, &cell, e) : insert_up(b, path, depth - 1, &cell, e));
  if (ret_replaced != NULL) *ret_replaced = exact;
  return ERR_OK;
}

// ---- deleting ----

// Both nodes' cells in one, the right one's first key (empty in inner nodes) given back from the separator above.
static bool merged(const uint8_t *left, const uint8_t *right, const struct cell *separator, struct cell *cells, unsigned *count) {
  if (!node_cells(left, cells) || !node_cells(right, cells + node_count(left))) return false;
  *count = node_count(left) + node_count(right);
  if (node_level(left) > 0 && node_count(right) > 0) cells[node_count(left)].key = separator->key;
  return true;
}

struct merge {
  uint8_t left[PAGE_BYTES], right[PAGE_BYTES], above[PAGE_BYTES];
  struct cell cells[2 * NODE_CELLS_MAX];
  unsigned count;
};

// Reads what would be merged; `*ret_fits` if one page holds it all. The copies are needed: the write that follows moves pages.
static enum err plan_merge(const struct page_view *v, page_id above, unsigned left_at, struct merge *m, page_id ids[2], bool *ret_fits,
                           struct error *e) {
  const uint8_t *n = NULL;
  struct cell left, right;
  *ret_fits = false;
  TRY(btree_node(v, above, &n, e));
  memcpy(m->above, n, PAGE_BYTES);
  if (left_at + 1 >= node_count(m->above) || !node_cell(m->above, left_at, &left) || !node_cell(m->above, left_at + 1, &right))
    return btree_damaged(above, e);
  ids[0] = cell_child(&left);
  ids[1] = cell_child(&right);
  TRY(btree_node(v, ids[0], &n, e));
  memcpy(m->left, n, PAGE_BYTES);
  TRY(btree_node(v, ids[1], &n, e));
  memcpy(m->right, n, PAGE_BYTES);
  if (node_level(m->left) != node_level(m->right) || node_level(m->left) + 1 != node_level(m->above)) return btree_damaged(above, e);
  size_t bytes = node_used(m->left) + node_used(m->right) + (node_level(m->left) > 0 ? right.key.len : 0);
  *ret_fits = bytes <= NODE_ROOM;
  if (*ret_fits && !merged(m->left, m->right, &right, m->cells, &m->count)) return btree_damaged(above, e);
  return ERR_OK;
}

// A small node goes together with a neighbour under the same parent. True if the parent lost a child.
static enum err merge_small(struct page_batch *b, const struct btree_level *parent, bool *ret_merged, struct error *e) {
  struct page_view v = page_batch_view(b);
  struct merge m;
  page_id ids[2];
  uint8_t *n = NULL;
  *ret_merged = false;
  const uint8_t *above = NULL;
  TRY(btree_node(&v, parent->page, &above, e));
  if (node_count(above) < 2) return ERR_OK;
  unsigned left_at = parent->position + 1u < node_count(above) ? parent->position : parent->position - 1u;
  bool fits = false;
  TRY(plan_merge(&v, parent->page, left_at, &m, ids, &fits, e));
  if (!fits) return ERR_OK;
  TRY(write_node(b, ids[0], &n, e));
  node_build(n, node_level(m.left), m.cells, m.count);
  TRY(write_node(b, parent->page, &n, e));
  if (!node_remove(n, left_at + 1)) return btree_damaged(parent->page, e);
  TRY(page_batch_free(b, ids[1], e));
  *ret_merged = true;
  return ERR_OK;
}

// A root with one child takes over the child's cells.
static enum err lower_root(struct page_batch *b, page_id root, struct error *e) {
  struct page_view v = page_batch_view(b);
  for (;;) {
    const uint8_t *n = NULL;
    uint8_t *page = NULL;
    struct cell only;
    TRY(btree_node(&v, root, &n, e));
    if (node_level(n) == 0 || node_count(n) != 1) return ERR_OK;
    if (!node_cell(n, 0, &only)) return btree_damaged(root, e);
    page_id child = cell_child(&only);
    unsigned level = node_level(n);
    TRY(btree_node(&v, child, &n, e));
    if (node_level(n) + 1 != level) return btree_damaged(child, e);
    uint8_t copy[PAGE_BYTES];
    memcpy(copy, n, PAGE_BYTES);
    TRY(write_node(b, root, &page, e));
    memcpy(page, copy, PAGE_BYTES);
    TRY(page_batch_free(b, child, e));
  }
}

static enum err shrink_up(struct page_batch *b, const struct btree_level *path, unsigned depth, struct error *e) {
  struct page_view v = page_batch_view(b);
  for (; depth > 0; depth--) {
    const uint8_t *n = NULL;
    bool less = false;
    TRY(btree_node(&v, path[depth].page, &n, e));
    if (node_used(n) >= SMALL_BYTES) return ERR_OK;
    TRY(merge_small(b, &path[depth - 1], &less, e));
    if (!less) return ERR_OK;
  }
  return lower_root(b, path[0].page, e);
}

enum err btree_delete(struct page_batch *b, page_id root, struct bytes key, bool *ret_removed, struct error *e) {
  struct btree_level path[BTREE_DEPTH_MAX];
  struct page_view v = page_batch_view(b);
  unsigned depth = 0;
  bool exact = false;
  TRY(btree_check_key(key, e));
  TRY(btree_descend(&v, root, key, path, &depth, e));
  TRY(is_at(&v, &path[depth - 1], key, &exact, e));
  if (exact) {
    uint8_t *n = NULL;
    const struct btree_level *leaf = &path[depth - 1];
    TRY(write_node(b, leaf->page, &n, e));
    if (!node_remove(n, leaf->position)) return btree_damaged(leaf->page, e);
    TRY(shrink_up(b, path, depth - 1, e));
  }
  if (ret_removed != NULL) *ret_removed = exact;
  return ERR_OK;
}

// ---- destroying ----

// The path to the right-most leaf.
static enum err right_edge(const struct page_view *v, page_id root, struct btree_level *path, unsigned *ret_depth, struct error *e) {
  page_id at = root;
  for (unsigned depth = 0; depth < BTREE_DEPTH_MAX; depth++) {
    const uint8_t *n = NULL;
    struct cell last;
    TRY(btree_node(v, at, &n, e));
    unsigned count = node_count(n);
    path[depth] = (struct btree_level){at, (uint16_t) (count > 0 ? count - 1 : 0)};
    *ret_depth = depth + 1;
    if (node_level(n) == 0) return ERR_OK;
    if (count == 0 || !node_cell(n, count - 1, &last)) return btree_damaged(at, e);
    at = cell_child(&last);
  }
  return btree_damaged(root, e);
}

// Frees the node and every one above that has no other child; the one that has loses its last cell.
static enum err free_edge(struct page_batch *b, page_id root, size_t *freed, bool *ret_done, struct error *e) {
  struct btree_level path[BTREE_DEPTH_MAX];
  struct page_view v = page_batch_view(b);
  unsigned depth = 0;
  TRY(right_edge(&v, root, path, &depth, e));
  for (; depth > 0; depth--) {
    TRY(page_batch_free(b, path[depth - 1].page, e));
    ++*freed;
    if (depth == 1) break;
    if (path[depth - 2].position == 0) continue;
    uint8_t *n = NULL;
    TRY(write_node(b, path[depth - 2].page, &n, e));
    return node_remove(n, path[depth - 2].position) ? ERR_OK : btree_damaged(path[depth - 2].page, e);
  }
  *ret_done = true;
  return ERR_OK;
}

enum err btree_destroy_step(struct page_batch *b, page_id root, size_t budget, bool *ret_done, struct error *e) {
  bool done = false;
  for (size_t freed = 0; freed < MAX(budget, (size_t) 1) && !done;) TRY(free_edge(b, root, &freed, &done, e));
  *ret_done = done;
  return ERR_OK;
}

enum err btree_destroy(struct page_batch *b, page_id root, struct error *e) {
  for (bool done = false; !done;) TRY(btree_destroy_step(b, root, 1024, &done, e));
  return ERR_OK;
}
