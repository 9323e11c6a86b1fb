#include "graph/adjacency_int.h"

#include <string.h>

#include "graph/hub_int.h"

// A block: 0 count u16, 2 capacity u16, 4 type u24, 7 flags; then neighbours u32[capacity], relationships u32[capacity], and when
// wide their high bytes u8[capacity] each.
enum { BLOCK_WIDE = 1 };

static enum err bad_adjacency(block_ptr p, struct error *e) {
  return error_set(e, ERR_CORRUPT, "adjacency at %llx makes no sense", (unsigned long long) p);
}

static unsigned entry_bytes(bool wide) {
  return wide ? 10 : 8;
}

static unsigned capacity_of(unsigned bytes, bool wide) {
  return (bytes - ADJACENCY_HEAD) / entry_bytes(wide);
}

static void run_of_block(const uint8_t *at, struct adjacency_run *ret) {
  unsigned cap = get_u16_le(at + 2);
  bool wide = at[7] & BLOCK_WIDE;
  *ret = (struct adjacency_run){.neighbours = (const uint32_t *) (at + ADJACENCY_HEAD),
                                .rels = (const uint32_t *) (at + ADJACENCY_HEAD + 4 * cap),
                                .neighbours_high = wide ? at + ADJACENCY_HEAD + 8 * cap : NULL,
                                .rels_high = wide ? at + ADJACENCY_HEAD + 9 * cap : NULL,
                                .count = get_u16_le(at)};
}

enum err adjacency_block_at(const uint8_t *at, unsigned room, block_ptr pointer, graph_token *ret_type, struct adjacency_run *ret,
                            struct error *e) {
  unsigned cap = get_u16_le(at + 2);
  if (get_u16_le(at) > cap || ADJACENCY_HEAD + cap * entry_bytes(at[7] & BLOCK_WIDE) > room) return bad_adjacency(pointer, e);
  *ret_type = get_u24(at + 4);
  run_of_block(at, ret);
  return ERR_OK;
}

enum err adjacency_block(const struct page_view *v, block_ptr pointer, graph_token *ret_type, struct adjacency_run *ret,
                         struct error *e) {
  const uint8_t *at;
  unsigned room;
  TRY(block_read(v, pointer, &at, &room, e));
  return adjacency_block_at(at, room, pointer, ret_type, ret, e);
}

uint32_t run_lower_bound(const struct adjacency_run *r, graph_id neighbour, graph_id rel) {
  uint32_t low = 0, high = r->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    graph_id n = run_neighbour(r, middle);
    if (n < neighbour || (n == neighbour && run_rel(r, middle) < rel))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

// ---- directories: 0 count u16, 8 next u64; then type u32, reserved u32, pointer u64 for each ----

enum { DIRECTORY_HEAD = 16, DIRECTORY_ENTRY = 16 };

static enum err directory_read(const struct page_view *v, block_ptr p, const uint8_t **ret, uint32_t *ret_n, struct error *e) {
  unsigned room;
  TRY(block_read(v, p, ret, &room, e));
  *ret_n = get_u16_le(*ret);
  if (*ret_n > DIRECTORY_ENTRIES_MAX || DIRECTORY_HEAD + *ret_n * DIRECTORY_ENTRY > room) return bad_adjacency(p, e);
  return ERR_OK;
}

static struct adjacency_type directory_entry(const uint8_t *at, uint32_t i) {
  const uint8_t *entry = at + DIRECTORY_HEAD + i * DIRECTORY_ENTRY;
  return (struct adjacency_type){get_u32_le(entry), get_u64_le(entry + 8)};
}

static enum err pointer_type(const struct page_view *v, block_ptr p, graph_token *ret, struct error *e) {
  if (block_kind(p) == BLOCK_HUB) return hub_type(v, block_page(p), ret, e);
  struct adjacency_run ignored;
  return adjacency_block(v, p, ret, &ignored, e);
}

static enum err directory_total(const struct page_view *v, block_ptr root, uint32_t *ret, struct error *e) {
  uint32_t total = 0;
  for (block_ptr p = root; p != BLOCK_NONE;) {
    const uint8_t *at;
    uint32_t n;
    TRY(directory_read(v, p, &at, &n, e));
    total += n;
    p = get_u64_le(at + 8);
  }
  *ret = total;
  return ERR_OK;
}

enum err adjacency_types(const struct page_view *v, block_ptr root, struct arena *a, struct adjacency_type **ret, uint32_t *ret_n,
                         struct error *e) {
  uint32_t total = root != BLOCK_NONE;
  if (block_kind(root) == BLOCK_DIRECTORY) TRY(directory_total(v, root, &total, e));
  struct adjacency_type *list = ARENA_ARRAY(a, struct adjacency_type, total);
  if (list == NULL) return arena_err(a, e);
  *ret = list;
  *ret_n = total;
  if (total == 0) return ERR_OK;
  if (block_kind(root) != BLOCK_DIRECTORY) {
    list->pointer = root;
    return pointer_type(v, root, &list->type, e);
  }
  for (block_ptr p = root; p != BLOCK_NONE;) {
    const uint8_t *at;
    uint32_t n;
    TRY(directory_read(v, p, &at, &n, e));
    for (uint32_t i = 0; i < n; i++) *list++ = directory_entry(at, i);
    p = get_u64_le(at + 8);
  }
  return ERR_OK;
}

/// The directory block and place of a type; `*ret_at` NULL where it is not.
static enum err directory_find(const struct page_view *v, block_ptr root, graph_token type, block_ptr *ret_block,
                               uint32_t *ret_index, block_ptr *ret, struct error *e) {
  *ret = BLOCK_NONE;
  for (block_ptr p = root; p != BLOCK_NONE;) {
    const uint8_t *at;
    uint32_t n;
    TRY(directory_read(v, p, &at, &n, e));
    for (uint32_t i = 0; i < n; i++) {
      struct adjacency_type t = directory_entry(at, i);
      if (t.type != type) continue;
      *ret_block = p;
      *ret_index = i;
      *ret = t.pointer;
      return ERR_OK;
    }
    p = get_u64_le(at + 8);
  }
  return ERR_OK;
}

enum err adjacency_find(const struct page_view *v, block_ptr root, graph_token type, block_ptr *ret, struct error *e) {
  block_ptr ignored_block;
  uint32_t ignored;
  if (block_kind(root) == BLOCK_DIRECTORY) return directory_find(v, root, type, &ignored_block, &ignored, ret, e);
  graph_token only = GRAPH_ANY;
  if (root != BLOCK_NONE) TRY(pointer_type(v, root, &only, e));
  *ret = only == type ? root : BLOCK_NONE;
  return ERR_OK;
}

enum err adjacency_runs(const struct page_view *v, block_ptr pointer, adjacency_run_fn fn, void *context, struct error *e) {
  if (block_kind(pointer) == BLOCK_HUB) return hub_runs(v, block_page(pointer), fn, context, e);
  graph_token type;
  struct adjacency_run run;
  TRY(adjacency_block(v, pointer, &type, &run, e));
  return fn(context, type, &run, e);
}

enum err adjacency_runs_of(const struct page_view *v, block_ptr pointer, graph_id neighbour, adjacency_run_fn fn, void *context,
                           struct error *e) {
  if (block_kind(pointer) == BLOCK_HUB) return hub_runs_of(v, block_page(pointer), neighbour, fn, context, e);
  return adjacency_runs(v, pointer, fn, context, e);
}

enum err adjacency_count(const struct page_view *v, block_ptr pointer, uint64_t *ret, struct error *e) {
  if (pointer == BLOCK_NONE) {
    *ret = 0;
    return ERR_OK;
  }
  if (block_kind(pointer) == BLOCK_HUB) return hub_count(v, block_page(pointer), ret, e);
  graph_token type;
  struct adjacency_run run;
  TRY(adjacency_block(v, pointer, &type, &run, e));
  *ret = run.count;
  return ERR_OK;
}

// ---- changing a block ----

static void entry_set(uint8_t *at, uint32_t i, graph_id neighbour, graph_id rel) {
  unsigned cap = get_u16_le(at + 2);
  put_u32_le(at + ADJACENCY_HEAD + 4 * i, (uint32_t) neighbour);
  put_u32_le(at + ADJACENCY_HEAD + 4 * cap + 4 * i, (uint32_t) rel);
  if (!(at[7] & BLOCK_WIDE)) return;
  at[ADJACENCY_HEAD + 8 * cap + i] = (uint8_t) (neighbour >> 32);
  at[ADJACENCY_HEAD + 9 * cap + i] = (uint8_t) (rel >> 32);
}

/// Moves the entries [from, count) by `by` places, which is 1 or -1.
static void entries_move(uint8_t *at, uint32_t from, int by) {
  unsigned cap = get_u16_le(at + 2), n = get_u16_le(at) - from;
  uint8_t *arrays[4] = {at + ADJACENCY_HEAD, at + ADJACENCY_HEAD + 4 * cap, at + ADJACENCY_HEAD + 8 * cap,
                        at + ADJACENCY_HEAD + 9 * cap};
  for (unsigned i = 0; i < (at[7] & BLOCK_WIDE ? 4u : 2u); i++) {
    unsigned width = i < 2 ? 4 : 1;
    memmove(arrays[i] + (from + (unsigned) by) * width, arrays[i] + from * width, n * width);
  }
}

/// A fresh block with room for one more than `run` has, filled from it.
static enum err block_make(struct blocks *k, struct page_batch *b, graph_token type, const struct adjacency_run *run,
                           uint32_t count, bool wide, block_ptr *ret, uint8_t **ret_at, struct error *e) {
  unsigned bytes = blocks_class_bytes(ADJACENCY_HEAD + MAX(count, 2u) * entry_bytes(wide));
  void *place;
  TRY(blocks_alloc(k, b, bytes, BLOCK_ADJACENCY, ret, &place, e));
  uint8_t *at = place;
  memset(at, 0, ADJACENCY_HEAD);
  put_u16_le(at + 2, (uint16_t) capacity_of(bytes, wide));
  put_u24(at + 4, type);
  at[7] = wide ? BLOCK_WIDE : 0;
  for (uint32_t i = 0; run != NULL && i < run->count; i++) entry_set(at, i, run_neighbour(run, i), run_rel(run, i));
  put_u16_le(at, run != NULL ? (uint16_t) run->count : 0);
  *ret_at = at;
  return ERR_OK;
}

static bool needs_wide(graph_id neighbour, graph_id rel) {
  return (neighbour | rel) > UINT32_MAX;
}

/// Room for one more entry: the block as it is, a bigger one, or a hub (`*pointer` says which).
static enum err block_make_room(struct blocks *k, struct page_batch *b, block_ptr *pointer, graph_token type, bool wide,
                                uint8_t **ret_at, struct error *e) {
  TRY(block_write(b, *pointer, ret_at, e));
  uint8_t *at = *ret_at;
  bool is_wide = at[7] & BLOCK_WIDE;
  unsigned count = get_u16_le(at);
  if (count < get_u16_le(at + 2) && (is_wide || !wide)) return ERR_OK;
  struct adjacency_run run;
  run_of_block(at, &run);
  block_ptr old = *pointer;
  if (count + 1 > capacity_of(ADJACENCY_BLOCK_BYTES_MAX, wide || is_wide)) {
    TRY(hub_create(b, type, &run, pointer, e));
  } else {
    TRY(block_make(k, b, type, &run, count + 1, wide || is_wide, pointer, ret_at, e));
  }
  return blocks_free(k, b, old, e);
}

static enum err pointer_insert(struct blocks *k, struct page_batch *b, block_ptr *pointer, graph_token type, graph_id neighbour,
                               graph_id rel, struct error *e) {
  uint8_t *at;
  if (*pointer == BLOCK_NONE)
    TRY(block_make(k, b, type, NULL, 1, needs_wide(neighbour, rel), pointer, &at, e));
  else if (block_kind(*pointer) == BLOCK_ADJACENCY)
    TRY(block_make_room(k, b, pointer, type, needs_wide(neighbour, rel), &at, e));
  if (block_kind(*pointer) == BLOCK_HUB) return hub_insert(b, block_page(*pointer), neighbour, rel, e);
  struct adjacency_run run;
  run_of_block(at, &run);
  uint32_t i = run_lower_bound(&run, neighbour, rel);
  if (i < run.count && run_neighbour(&run, i) == neighbour && run_rel(&run, i) == rel)
    return error_set(e, ERR_CORRUPT, "relationship %llu is in its node's list already", (unsigned long long) rel);
  entries_move(at, i, 1);
  put_u16_le(at, (uint16_t) (run.count + 1));
  entry_set(at, i, neighbour, rel);
  return ERR_OK;
}

static enum err pointer_remove(struct blocks *k, struct page_batch *b, block_ptr *pointer, graph_id neighbour, graph_id rel,
                               uint64_t before, struct error *e) {
  if (block_kind(*pointer) == BLOCK_HUB) {
    TRY(hub_remove(b, block_page(*pointer), neighbour, rel, e));
    if (before > 1) return ERR_OK;
    block_ptr old = *pointer;
    *pointer = BLOCK_NONE;
    return hub_free(b, block_page(old), e);
  }
  uint8_t *at;
  TRY(block_write(b, *pointer, &at, e));
  struct adjacency_run run;
  run_of_block(at, &run);
  uint32_t i = run_lower_bound(&run, neighbour, rel);
  if (i >= run.count || run_neighbour(&run, i) != neighbour || run_rel(&run, i) != rel)
    return error_set(e, ERR_CORRUPT, "relationship %llu is not in its node's list", (unsigned long long) rel);
  entries_move(at, i + 1, -1);
  put_u16_le(at, (uint16_t) (run.count - 1));
  if (run.count > 1) return ERR_OK;
  block_ptr old = *pointer;
  *pointer = BLOCK_NONE;
  return blocks_free(k, b, old, e);
}

// ---- changing a directory ----

static enum err directory_set(struct page_batch *b, block_ptr block, uint32_t index, struct adjacency_type t, struct error *e) {
  uint8_t *at;
  TRY(block_write(b, block, &at, e));
  uint8_t *entry = at + DIRECTORY_HEAD + index * DIRECTORY_ENTRY;
  put_u32_le(entry, t.type);
  put_u32_le(entry + 4, 0);
  put_u64_le(entry + 8, t.pointer);
  return ERR_OK;
}

/// A directory block in a slot of its entries' size, copied from `from` (may be NULL).
static enum err directory_make(struct blocks *k, struct page_batch *b, uint32_t entries, const uint8_t *from, block_ptr *ret,
                               struct error *e) {
  void *place;
  TRY(blocks_alloc(k, b, DIRECTORY_HEAD + entries * DIRECTORY_ENTRY, BLOCK_DIRECTORY, ret, &place, e));
  memset(place, 0, DIRECTORY_HEAD);
  if (from != NULL) memcpy(place, from, DIRECTORY_HEAD + (size_t) get_u16_le(from) * DIRECTORY_ENTRY);
  return ERR_OK;
}

/// Appends an entry to the first block of a directory, which moves to a bigger slot or, when full, gets a new block before it.
static enum err directory_add(struct blocks *k, struct page_batch *b, block_ptr *root, struct adjacency_type t, struct error *e) {
  uint8_t *at;
  TRY(block_write(b, *root, &at, e));
  uint32_t n = get_u16_le(at);
  if (n >= DIRECTORY_ENTRIES_MAX) {
    block_ptr next = *root;
    TRY(directory_make(k, b, 4, NULL, root, e));
    TRY(block_write(b, *root, &at, e));
    put_u64_le(at + 8, next);
    n = 0;
  } else if (blocks_class_bytes(DIRECTORY_HEAD + n * DIRECTORY_ENTRY) < DIRECTORY_HEAD + (n + 1) * DIRECTORY_ENTRY && n >= 4) {
    block_ptr old = *root;
    TRY(directory_make(k, b, n + 1, at, root, e));
    TRY(blocks_free(k, b, old, e));
    TRY(block_write(b, *root, &at, e));
  }
  put_u16_le(at, (uint16_t) (n + 1));
  return directory_set(b, *root, n, t, e);
}

/// Takes an entry out by moving the block's last one into its place. A block that gets empty goes, if it is the first.
static enum err directory_drop(struct blocks *k, struct page_batch *b, block_ptr *root, block_ptr block, uint32_t index,
                               struct error *e) {
  uint8_t *at;
  TRY(block_write(b, block, &at, e));
  uint32_t n = get_u16_le(at);
  TRY(directory_set(b, block, index, directory_entry(at, n - 1), e));
  put_u16_le(at, (uint16_t) (n - 1));
  if (n > 1 || block != *root) return ERR_OK;
  *root = get_u64_le(at + 8);
  return blocks_free(k, b, block, e);
}

/// Turns a lone pointer of another type into a directory.
static enum err directory_begin(struct blocks *k, struct page_batch *b, block_ptr *root, graph_token only, struct error *e) {
  block_ptr lone = *root;
  TRY(directory_make(k, b, 4, NULL, root, e));
  return directory_add(k, b, root, (struct adjacency_type){only, lone}, e);
}

static enum err insert_by_directory(struct blocks *k, struct page_batch *b, block_ptr *root, graph_token type, graph_id neighbour,
                                    graph_id rel, uint64_t *ret_before, struct error *e) {
  struct page_view v = page_batch_view(b);
  block_ptr block, pointer;
  uint32_t index;
  TRY(directory_find(&v, *root, type, &block, &index, &pointer, e));
  block_ptr old = pointer;
  TRY(adjacency_count(&v, pointer, ret_before, e));
  TRY(pointer_insert(k, b, &pointer, type, neighbour, rel, e));
  if (old == pointer) return ERR_OK;
  struct adjacency_type t = {type, pointer};
  return old != BLOCK_NONE ? directory_set(b, block, index, t, e) : directory_add(k, b, root, t, e);
}

enum err adjacency_insert(struct blocks *k, struct page_batch *b, block_ptr *root, graph_token type, graph_id neighbour,
                          graph_id rel, uint64_t *ret_before, struct error *e) {
  struct page_view v = page_batch_view(b);
  if (*root != BLOCK_NONE && block_kind(*root) != BLOCK_DIRECTORY) {
    graph_token only;
    TRY(pointer_type(&v, *root, &only, e));
    if (only != type) TRY(directory_begin(k, b, root, only, e));
  }
  if (block_kind(*root) == BLOCK_DIRECTORY) return insert_by_directory(k, b, root, type, neighbour, rel, ret_before, e);
  TRY(adjacency_count(&v, *root, ret_before, e));
  return pointer_insert(k, b, root, type, neighbour, rel, e);
}

enum err adjacency_remove(struct blocks *k, struct page_batch *b, block_ptr *root, graph_token type, graph_id neighbour,
                          graph_id rel, uint64_t *ret_before, struct error *e) {
  struct page_view v = page_batch_view(b);
  block_ptr block = BLOCK_NONE, pointer;
  uint32_t index = 0;
  bool by_directory = block_kind(*root) == BLOCK_DIRECTORY;
  if (by_directory)
    TRY(directory_find(&v, *root, type, &block, &index, &pointer, e));
  else
    TRY(adjacency_find(&v, *root, type, &pointer, e));
  if (pointer == BLOCK_NONE) return error_set(e, ERR_CORRUPT, "a node has no relationship of type %u to remove", type);
  TRY(adjacency_count(&v, pointer, ret_before, e));
  TRY(pointer_remove(k, b, &pointer, neighbour, rel, *ret_before, e));
  if (!by_directory)
    *root = pointer;
  else if (pointer == BLOCK_NONE)
    return directory_drop(k, b, root, block, index, e);
  return ERR_OK;
}
