// Filling an empty tree from sorted keys: one pass, every page written once.
#include <assert.h>
#include <string.h>

#include "store/btree_int.h"

enum err btree_build_begin(struct btree_build *w, struct page_batch *b, page_id root, unsigned fill_percent, struct error *e) {
  struct page_view v = page_batch_view(b);
  const uint8_t *n = NULL;
  void *leaf = NULL;
  TRY(btree_node(&v, root, &n, e));
  if (node_level(n) != 0 || node_count(n) != 0)
    return error_set(e, ERR_INVALID, "Only an empty tree can be filled at once; page %llu is not one.", (unsigned long long) root);
  w->batch = b;
  w->root = root;
  w->fill_percent = MIN(MAX(fill_percent, 50u), 100u);
  w->depth = 1;
  w->count = 0;
  w->last_len = 0;
  TRY(page_batch_allocate(b, &w->open[0], &leaf, e));
  node_init(leaf, 0);
  return ERR_OK;
}

static enum err open_node(struct btree_build *w, unsigned level, page_id id, uint8_t **ret, struct error *e) {
  void *page = NULL;
  TRY(page_batch_write(w->batch, id, &page, e));
  if (!node_is_sane(page) || node_level(page) != level) return btree_damaged(id, e);
  *ret = page;
  return ERR_OK;
}

// A level more, whose first child is what was the top.
static enum err add_level(struct btree_build *w, struct error *e) {
  void *page = NULL;
  uint8_t child[8];
  if (w->depth == BTREE_DEPTH_MAX) return error_set(e, ERR_LIMIT, "The tree of page %llu is full.", (unsigned long long) w->root);
  put_u64_le(child, w->open[w->depth - 1]);
  const struct cell first = {{NULL, 0}, {child, 8}};
  TRY(page_batch_allocate(w->batch, &w->open[w->depth], &page, e));
  node_build(page, w->depth, &first, 1);
  w->depth++;
  return ERR_OK;
}

static bool has_room(const struct btree_build *w, const uint8_t *n, const struct cell *c) {
  return node_count(n) < 2 || node_used(n) + cell_bytes(node_level(n), c) <= NODE_ROOM * w->fill_percent / 100;
}

// Opens the next page of `level` and names it in the level above, which may do the same: bounded by the depth.
static enum err add_at(struct btree_build *w, unsigned level, const struct cell *c, struct error *e) {
  uint8_t *n = NULL;
  TRY(open_node(w, level, w->open[level], &n, e));
  if (has_room(w, n, c) && node_insert(n, node_count(n), c)) return ERR_OK;
  void *page = NULL;
  page_id right = PAGE_NONE;
  TRY(page_batch_allocate(w->batch, &right, &page, e));
  struct cell first = *c;
  if (level > 0) first.key.len = 0;
  node_build(page, level, &first, 1);
  if (level + 1 == w->depth) TRY(add_level(w, e));
  w->open[level] = right;
  uint8_t child[8];
  put_u64_le(child, right);
  size_t len = level > 0 ? c->key.len : bytes_shared(c->key, (struct bytes){w->last, w->last_len}) + 1;
  const struct cell above = {{c->key.ptr, MIN(len, c->key.len)}, {child, 8}};
  return add_at(w, level + 1, &above, e);
}

enum err btree_build_add(struct btree_build *w, struct bytes key, struct bytes value, struct error *e) {
  TRY(btree_check_key(key, e));
  if (value.len > BTREE_VALUE_MAX) return error_set(e, ERR_INVALID, "A value of %zu bytes is over the limit of %u.", value.len, BTREE_VALUE_MAX);
  if (w->count > 0 && bytes_compare(key, (struct bytes){w->last, w->last_len}) <= 0)
    return error_set(e, ERR_INVALID, "Keys for filling a tree must rise.");
  const struct cell c = {key, value};
  TRY(add_at(w, 0, &c, e));
  if (key.len > 0) memcpy(w->last, key.ptr, key.len);
  w->last_len = (uint16_t) key.len;
  w->count++;
  return ERR_OK;
}

// The top goes into the root's own page.
enum err btree_build_end(struct btree_build *w, struct error *e) {
  uint8_t *top = NULL;
  void *root = NULL;
  page_id id = w->open[w->depth - 1];
  TRY(open_node(w, w->depth - 1, id, &top, e));
  TRY(page_batch_write(w->batch, w->root, &root, e));
  memcpy(root, top, PAGE_BYTES);
  return page_batch_free(w->batch, id, e);
}
