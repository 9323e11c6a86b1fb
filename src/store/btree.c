// Finding in B+trees: descent, cursors, counts.
#include "store/btree.h"

#include <assert.h>
#include <string.h>

#include "store/btree_int.h"

enum err btree_damaged(page_id id, struct error *e) {
  return error_set(e, ERR_CORRUPT, "Page %llu is no sound node of a tree.", (unsigned long long) id);
}

enum err btree_check_key(struct bytes key, struct error *e) {
  if (key.len <= BTREE_KEY_MAX) return ERR_OK;
  return error_set(e, ERR_INVALID, "A key of %zu bytes is over the limit of %u.", key.len, BTREE_KEY_MAX);
}

enum err btree_node(const struct page_view *v, page_id id, const uint8_t **ret, struct error *e) {
  const void *page = NULL;
  TRY(pages_read(v, id, &page, e));
  if (!node_is_sane(page)) return btree_damaged(id, e);
  *ret = page;
  return ERR_OK;
}

static enum err child_at(const uint8_t *n, page_id id, unsigned i, page_id *ret, struct error *e) {
  struct cell c;
  if (i >= node_count(n) || !node_cell(n, i, &c)) return btree_damaged(id, e);
  *ret = cell_child(&c);
  return ERR_OK;
}

// Goes down from path[depth] to a leaf; `choose` says at which place in each node.
enum edge { EDGE_FIRST, EDGE_LAST };

static enum err step_down(const struct page_view *v, struct btree_level *path, unsigned *depth, enum edge edge, struct error *e) {
  for (;;) {
    struct btree_level *at = &path[*depth - 1];
    const uint8_t *n = NULL;
    TRY(btree_node(v, at->page, &n, e));
    if (node_level(n) == 0) return ERR_OK;
    page_id child = PAGE_NONE;
    TRY(child_at(n, at->page, at->position, &child, e));
    if (*depth == BTREE_DEPTH_MAX) return btree_damaged(at->page, e);
    unsigned level = node_level(n);
    TRY(btree_node(v, child, &n, e));
    if (node_level(n) != level - 1) return btree_damaged(child, e);
    unsigned last = node_count(n) > 0 ? node_count(n) - 1 : 0;
    path[(*depth)++] = (struct btree_level){child, (uint16_t) (edge == EDGE_LAST ? last : 0)};
  }
}

enum err btree_descend(const struct page_view *v, page_id root, struct bytes key, struct btree_level *path, unsigned *ret_depth, struct error *e) {
  page_id at = root;
  unsigned above = BTREE_DEPTH_MAX;
  for (unsigned depth = 0; depth < BTREE_DEPTH_MAX; depth++) {
    const uint8_t *n = NULL;
    unsigned position = 0;
    bool exact = false;
    TRY(btree_node(v, at, &n, e));
    if (node_level(n) >= above || (depth > 0 && node_level(n) != above - 1)) return btree_damaged(at, e);
    above = node_level(n);
    bool sound = above == 0 ? node_find(n, key, &position, &exact) : node_find_child(n, key, &position);
    if (!sound) return btree_damaged(at, e);
    path[depth] = (struct btree_level){at, (uint16_t) position};
    if (above == 0) {
      *ret_depth = depth + 1;
      return ERR_OK;
    }
    TRY(child_at(n, at, position, &at, e));
  }
  return btree_damaged(root, e);
}

enum err btree_get(const struct page_view *v, page_id root, struct bytes key, struct bytes *ret, struct error *e) {
  struct btree_level path[BTREE_DEPTH_MAX];
  unsigned depth = 0, position = 0;
  const uint8_t *n = NULL;
  bool exact = false;
  struct cell c;
  TRY(btree_check_key(key, e));
  TRY(btree_descend(v, root, key, path, &depth, e));
  page_id leaf = path[depth - 1].page;
  TRY(btree_node(v, leaf, &n, e));
  position = path[depth - 1].position;
  if (position >= node_count(n)) return ERR_NOTFOUND;
  if (!node_cell(n, position, &c)) return btree_damaged(leaf, e);
  exact = bytes_compare(c.key, key) == 0;
  if (!exact) return ERR_NOTFOUND;
  *ret = c.value;
  return ERR_OK;
}

// ---- cursors ----

void btree_cursor_init(struct btree_cursor *c, page_id root) {
  c->root = root;
  c->depth = c->key_len = 0;
  c->valid = c->fresh = false;
}

// Out of its leaf at either end: climbs until there is a neighbour, and down again on its near side.
static enum err to_neighbour(const struct page_view *v, struct btree_cursor *c, bool forward, struct error *e) {
  unsigned depth = c->depth;
  c->valid = false;
  while (depth > 1) {
    struct btree_level *above = &c->path[depth - 2];
    const uint8_t *n = NULL;
    TRY(btree_node(v, above->page, &n, e));
    bool there = forward ? above->position + 1u < node_count(n) : above->position > 0;
    depth--;
    if (!there) continue;
    above->position = (uint16_t) (above->position + (forward ? 1 : -1));
    TRY(step_down(v, c->path, &depth, forward ? EDGE_FIRST : EDGE_LAST, e));
    c->depth = (uint16_t) depth;
    TRY(btree_node(v, c->path[depth - 1].page, &n, e));
    if (node_count(n) > 0) {
      c->valid = true;
      return ERR_OK;
    }
  }
  return ERR_OK;
}

static enum err leaf_of(const struct page_view *v, const struct btree_cursor *c, const uint8_t **ret, struct error *e) {
  return btree_node(v, c->path[c->depth - 1].page, ret, e);
}

enum err btree_cursor_seek(const struct page_view *v, struct btree_cursor *c, struct bytes key, enum btree_seek how, struct error *e) {
  unsigned depth = 0, position = 0;
  const uint8_t *n = NULL;
  bool exact = false, forward = how == BTREE_SEEK_GE || how == BTREE_SEEK_GT;
  c->valid = false;
  TRY(btree_check_key(key, e));
  TRY(btree_descend(v, c->root, key, c->path, &depth, e));
  c->depth = (uint16_t) depth;
  c->fresh = true;
  TRY(leaf_of(v, c, &n, e));
  if (!node_find(n, key, &position, &exact)) return btree_damaged(c->path[depth - 1].page, e);
  if (how == BTREE_SEEK_GT && exact) position++;
  if (!forward && !(how == BTREE_SEEK_LE && exact)) {
    if (position == 0) return to_neighbour(v, c, false, e);
    position--;
  }
  c->path[depth - 1].position = (uint16_t) position;
  if (position >= node_count(n)) return to_neighbour(v, c, true, e);
  c->valid = true;
  return ERR_OK;
}

static enum err to_edge(const struct page_view *v, struct btree_cursor *c, enum edge edge, struct error *e) {
  const uint8_t *n = NULL;
  unsigned depth = 1;
  c->valid = false;
  TRY(btree_node(v, c->root, &n, e));
  unsigned last = node_count(n) > 0 ? node_count(n) - 1 : 0;
  c->path[0] = (struct btree_level){c->root, (uint16_t) (edge == EDGE_LAST ? last : 0)};
  TRY(step_down(v, c->path, &depth, edge, e));
  c->depth = (uint16_t) depth;
  c->fresh = true;
  TRY(leaf_of(v, c, &n, e));
  if (node_count(n) == 0) return to_neighbour(v, c, edge == EDGE_FIRST, e);
  c->valid = true;
  return ERR_OK;
}

enum err btree_cursor_first(const struct page_view *v, struct btree_cursor *c, struct error *e) {
  return to_edge(v, c, EDGE_FIRST, e);
}

enum err btree_cursor_last(const struct page_view *v, struct btree_cursor *c, struct error *e) {
  return to_edge(v, c, EDGE_LAST, e);
}

enum err btree_cursor_next(const struct page_view *v, struct btree_cursor *c, struct error *e) {
  const uint8_t *n = NULL;
  assert(c->valid && c->fresh);
  TRY(leaf_of(v, c, &n, e));
  struct btree_level *at = &c->path[c->depth - 1];
  if (++at->position < node_count(n)) return ERR_OK;
  return to_neighbour(v, c, true, e);
}

enum err btree_cursor_previous(const struct page_view *v, struct btree_cursor *c, struct error *e) {
  assert(c->valid && c->fresh);
  struct btree_level *at = &c->path[c->depth - 1];
  if (at->position == 0) return to_neighbour(v, c, false, e);
  at->position--;
  return ERR_OK;
}

enum err btree_cursor_get(const struct page_view *v, const struct btree_cursor *c, struct bytes *ret_key, struct bytes *ret_value,
                          struct error *e) {
  const uint8_t *n = NULL;
  struct cell cell;
  assert(c->valid && c->fresh);
  const struct btree_level *at = &c->path[c->depth - 1];
  TRY(leaf_of(v, c, &n, e));
  if (at->position >= node_count(n) || !node_cell(n, at->position, &cell)) return btree_damaged(at->page, e);
  if (ret_key != NULL) *ret_key = cell.key;
  if (ret_value != NULL) *ret_value = cell.value;
  return ERR_OK;
}

enum err btree_cursor_save(const struct page_view *v, struct btree_cursor *c, struct error *e) {
  struct bytes key;
  TRY(btree_cursor_get(v, c, &key, NULL, e));
  if (key.len > BTREE_KEY_MAX) return btree_damaged(c->path[c->depth - 1].page, e);
  if (key.len > 0) memcpy(c->key, key.ptr, key.len);
  c->key_len = (uint16_t) key.len;
  c->fresh = false;
  return ERR_OK;
}

enum err btree_cursor_restore(const struct page_view *v, struct btree_cursor *c, bool *ret_moved, struct error *e) {
  struct bytes saved = {c->key, c->key_len}, key = {NULL, 0};
  TRY(btree_cursor_seek(v, c, saved, BTREE_SEEK_GE, e));
  if (c->valid) TRY(btree_cursor_get(v, c, &key, NULL, e));
  if (ret_moved != NULL) *ret_moved = !c->valid || bytes_compare(key, saved) != 0;
  return ERR_OK;
}

// ---- counting ----

static enum err start_at(const struct page_view *v, struct btree_cursor *c, const struct bytes *from, struct error *e) {
  return from != NULL ? btree_cursor_seek(v, c, *from, BTREE_SEEK_GE, e) : btree_cursor_first(v, c, e);
}

enum err btree_count(const struct page_view *v, page_id root, const struct bytes *from, const struct bytes *to, uint64_t *ret, struct error *e) {
  struct btree_cursor c;
  uint64_t total = 0;
  btree_cursor_init(&c, root);
  TRY(start_at(v, &c, from, e));
  while (c.valid) {
    const uint8_t *n = NULL;
    bool exact = false;
    struct btree_level *at = &c.path[c.depth - 1];
    TRY(leaf_of(v, &c, &n, e));
    unsigned end = node_count(n);
    if (to != NULL && !node_find(n, *to, &end, &exact)) return btree_damaged(at->page, e);
    if (end > at->position) total += end - at->position;
    if (end < node_count(n)) break;
    TRY(to_neighbour(v, &c, true, e));
  }
  *ret = total;
  return ERR_OK;
}

// How far along the tree a bound is, from 0 to 1, and a guess of the number of keys from the same path.
static enum err fraction_at(const struct page_view *v, page_id root, const struct bytes *key, double *ret, double *ret_total, struct error *e) {
  struct btree_level path[BTREE_DEPTH_MAX];
  unsigned depth = 0;
  double width = 1;
  *ret = 0;
  *ret_total = 1;
  TRY(btree_descend(v, root, *key, path, &depth, e));
  for (unsigned i = 0; i < depth; i++) {
    const uint8_t *n = NULL;
    TRY(btree_node(v, path[i].page, &n, e));
    double count = node_count(n) > 0 ? node_count(n) : 1;
    *ret += width * path[i].position / count;
    *ret_total *= node_count(n);
    width /= count;
  }
  return ERR_OK;
}

enum err btree_estimate(const struct page_view *v, page_id root, const struct bytes *from, const struct bytes *to, uint64_t *ret, struct error *e) {
  const struct bytes empty = {NULL, 0};
  double low = 0, high = 1, total = 0, other = 0;
  TRY(fraction_at(v, root, from != NULL ? from : &empty, &low, &total, e));
  if (to != NULL) TRY(fraction_at(v, root, to, &high, &other, e));
  double guess = (high - low) * MAX(total, other);
  *ret = guess > 0 ? (uint64_t) (guess + 0.5) : 0;
  return ERR_OK;
}
