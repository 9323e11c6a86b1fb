#include <string.h>

#include "base/map.h"
#include "store/btree_int.h"

struct check {
  const struct page_view *view;
  struct map seen;
  uint64_t keys;
};

struct bound {
  uint16_t len;
  bool set;
  uint8_t key[BTREE_KEY_MAX];
};

static struct bytes bound_key(const struct bound *b) {
  return (struct bytes){b->key, b->len};
}

static void set_bound(struct bound *b, struct bytes key) {
  b->set = true;
  b->len = (uint16_t) key.len;
  if (key.len > 0) memcpy(b->key, key.ptr, key.len);
}

static enum err bad(page_id id, const char *what, struct error *e) {
  return error_set(e, ERR_CORRUPT, "The tree node in page %llu is wrong: %s.", (unsigned long long) id, what);
}

// Keys rise, share what they say, carry their heads, and are in [low, high).
static enum err check_keys(const uint8_t *n, page_id id, const struct bound *low, const struct bound *high, struct error *e) {
  struct cell cells[NODE_CELLS_MAX];
  unsigned first = node_level(n) > 0 ? 1 : 0;
  size_t used = 0;
  if (!node_cells(n, cells)) return bad(id, "a cell is outside", e);
  for (unsigned i = 0; i < node_count(n); i++) used += cell_bytes(node_level(n), &cells[i]);
  if (used != node_used(n)) return bad(id, "its bytes are miscounted", e);
  for (unsigned i = first; i < node_count(n); i++) {
    unsigned found = 0;
    bool exact = false;
    if (cells[i].key.len > BTREE_KEY_MAX) return bad(id, "a key is too long", e);
    if (i > first && bytes_compare(cells[i - 1].key, cells[i].key) >= 0) return bad(id, "keys do not rise", e);
    if (bytes_shared(cells[i].key, cells[first].key) < node_shared(n)) return bad(id, "keys share less than it says", e);
    if (low->set && bytes_compare(cells[i].key, bound_key(low)) < 0) return bad(id, "a key is below its parent's separator", e);
    if (high->set && bytes_compare(cells[i].key, bound_key(high)) >= 0) return bad(id, "a key is not below the next separator", e);
    bool sound = first == 0 ? node_find(n, cells[i].key, &found, &exact) : node_find_child(n, cells[i].key, &found);
    if (!sound || found != i) return bad(id, "a key is not found where it is", e);
  }
  return ERR_OK;
}

static enum err check_node(struct check *c, page_id id, int level, const struct bound *low, const struct bound *high, struct error *e);

static enum err check_children(struct check *c, const uint8_t *n, const struct bound *low, const struct bound *high, struct error *e) {
  for (unsigned i = 0; i < node_count(n); i++) {
    struct cell cell, next;
    struct bound from = *low, to = *high;
    if (!node_cell(n, i, &cell) || (i + 1 < node_count(n) && !node_cell(n, i + 1, &next))) return ERR_CORRUPT;
    if (i > 0) set_bound(&from, cell.key);
    if (i + 1 < node_count(n)) set_bound(&to, next.key);
    TRY(check_node(c, cell_child(&cell), (int) node_level(n) - 1, &from, &to, e));
  }
  return ERR_OK;
}

// Recursion is bounded by BTREE_DEPTH_MAX: levels fall by one.
static enum err check_node(struct check *c, page_id id, int level, const struct bound *low, const struct bound *high, struct error *e) {
  const uint8_t *page = NULL;
  uint8_t n[PAGE_BYTES];
  TRY(btree_node(c->view, id, &page, e));
  memcpy(n, page, PAGE_BYTES);
  if (level >= 0 && (int) node_level(n) != level) return bad(id, "its level does not fit its parent", e);
  if (node_level(n) > 0 && node_count(n) == 0) return bad(id, "it has no children", e);
  if (map_get(&c->seen, id) != NULL) return bad(id, "it is in the tree twice", e);
  if (map_put(&c->seen, id, 1) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  TRY(check_keys(n, id, low, high, e));
  if (node_level(n) > 0) return check_children(c, n, low, high, e);
  c->keys += node_count(n);
  return ERR_OK;
}

enum err btree_check(const struct page_view *v, page_id root, uint64_t *ret_keys, uint64_t *ret_pages, struct error *e) {
  struct check c = {.view = v};
  struct bound none = {0};
  enum err err = check_node(&c, root, -1, &none, &none, e);
  if (err == ERR_OK && ret_keys != NULL) *ret_keys = c.keys;
  if (err == ERR_OK && ret_pages != NULL) *ret_pages = c.seen.len;
  map_done(&c.seen);
  return err;
}
