// B+trees over logical pages: byte-string keys in memcmp order, small values.
//
// A tree is known by its root's page id, which never changes; so do the ids of all its pages for as long as they live, so
// an insert copies the leaf it touches and nothing above it. Nodes have no sibling links (a split would copy neighbours):
// a cursor keeps the path.
//
// Reading functions take a page_view: a snapshot's, or page_batch_view for the applier. Keys and values returned are in
// pages: valid until the access is left. A cursor itself holds no pointer; after leaving and entering again call
// `btree_cursor_restore`, which finds its position by key (a copy of which it keeps).
//
// Errors: those of pages_read; ERR_CORRUPT for a node whose bytes make no sense (checked on every read, so a hostile page
// cannot lead outside itself); ERR_INVALID for a key or value that is too long.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/pages.h"

#define BTREE_KEY_MAX 1000u
#define BTREE_VALUE_MAX 256u
#define BTREE_DEPTH_MAX 16u

struct bytes {
  const void *ptr;
  size_t len;
};

enum err btree_create(struct page_batch *b, page_id *ret_root, struct error *e) NODISCARD;

/// Frees all pages, the root's too. Bounded memory; long for a big tree, so see btree_destroy_step.
enum err btree_destroy(struct page_batch *b, page_id root, struct error *e) NODISCARD;

/// Frees at most about `budget` pages, the right-most first, and leaves a valid smaller tree; `*ret_done` when the root is gone.
enum err btree_destroy_step(struct page_batch *b, page_id root, size_t budget, bool *ret_done, struct error *e) NODISCARD;

/// Puts `value` under `key`, replacing. `ret_replaced` may be NULL.
enum err btree_put(struct page_batch *b, page_id root, struct bytes key, struct bytes value, bool *ret_replaced, struct error *e) NODISCARD;

/// Removes `key`; `*ret_removed` (may be NULL) says whether it was there. Nodes that become small merge with a neighbour.
enum err btree_delete(struct page_batch *b, page_id root, struct bytes key, bool *ret_removed, struct error *e) NODISCARD;

/// ERR_NOTFOUND without a message if the key is not in.
enum err btree_get(const struct page_view *v, page_id root, struct bytes key, struct bytes *ret, struct error *e) NODISCARD;

/// Number of keys in [from, to), reading leaves only; NULL bounds are open.
enum err btree_count(const struct page_view *v, page_id root, const struct bytes *from, const struct bytes *to, uint64_t *ret,
                     struct error *e) NODISCARD;

/// A guess of the number of keys in [from, to) from the path down to each bound: reads two paths whatever the size.
enum err btree_estimate(const struct page_view *v, page_id root, const struct bytes *from, const struct bytes *to, uint64_t *ret,
                        struct error *e) NODISCARD;

struct btree_level {
  page_id page;
  uint16_t position;
};

/// Owned by the caller, about 1.3 KB, nothing to free. After an error only seek it again.
struct btree_cursor {
  page_id root;
  uint16_t depth; // levels in path; 0: not positioned
  bool valid;     // on a key
  bool fresh;     // path is of the view's pages since the last seek or restore
  struct btree_level path[BTREE_DEPTH_MAX];
  uint16_t key_len;
  uint8_t key[BTREE_KEY_MAX]; // kept by btree_cursor_save
};

enum btree_seek { BTREE_SEEK_GE, BTREE_SEEK_GT, BTREE_SEEK_LE, BTREE_SEEK_LT };

void btree_cursor_init(struct btree_cursor *c, page_id root);
/// Positions on the key that is nearest to `key` in the sense of `how`; `c->valid` false if there is none.
enum err btree_cursor_seek(const struct page_view *v, struct btree_cursor *c, struct bytes key, enum btree_seek how, struct error *e) NODISCARD;
enum err btree_cursor_first(const struct page_view *v, struct btree_cursor *c, struct error *e) NODISCARD;
enum err btree_cursor_last(const struct page_view *v, struct btree_cursor *c, struct error *e) NODISCARD;
enum err btree_cursor_next(const struct page_view *v, struct btree_cursor *c, struct error *e) NODISCARD;
enum err btree_cursor_previous(const struct page_view *v, struct btree_cursor *c, struct error *e) NODISCARD;
/// Key and value under a valid cursor; either may be NULL.
enum err btree_cursor_get(const struct page_view *v, const struct btree_cursor *c, struct bytes *ret_key, struct bytes *ret_value,
                          struct error *e) NODISCARD;
/// Copies the key into the cursor: before the access is left, or before the tree is changed under the view.
enum err btree_cursor_save(const struct page_view *v, struct btree_cursor *c, struct error *e) NODISCARD;
/// Back on the saved key; if it has gone, on the next greater one, and then `*ret_moved` (may be NULL) is true.
enum err btree_cursor_restore(const struct page_view *v, struct btree_cursor *c, bool *ret_moved, struct error *e) NODISCARD;

/// Fills an empty tree from keys that come in strictly rising order (ERR_INVALID otherwise), leaves `fill_percent` full
/// (50 to 100). Owned by the caller; nothing to free. After an error the batch must be aborted.
struct btree_build {
  struct page_batch *batch;
  page_id root;
  unsigned fill_percent;
  unsigned depth;
  uint64_t count;
  page_id open[BTREE_DEPTH_MAX]; // the right-most node of each level, leaf first
  uint16_t last_len;
  uint8_t last[BTREE_KEY_MAX];
};
enum err btree_build_begin(struct btree_build *w, struct page_batch *b, page_id root, unsigned fill_percent, struct error *e) NODISCARD;
enum err btree_build_add(struct btree_build *w, struct bytes key, struct bytes value, struct error *e) NODISCARD;
enum err btree_build_end(struct btree_build *w, struct error *e) NODISCARD;

/// Order within and across nodes, levels, fill, no page twice. Gives the number of keys and pages (may be NULL).
enum err btree_check(const struct page_view *v, page_id root, uint64_t *ret_keys, uint64_t *ret_pages, struct error *e) NODISCARD;
