#include "graph/hub_int.h"

#include <string.h>

enum { HUB_MAGIC = 0x31425548, HUB_DEPTH_MAX = 8, HUB_HEAD = 32 };

struct hub_page {
  uint32_t magic;
  uint8_t level; // 0 is a leaf
  uint8_t wide;  // leaves: with high bytes
  uint16_t count;
  uint32_t type;
  uint32_t reserved;
  uint64_t total; // relationships below this page
  uint64_t reserved2;
};

_Static_assert(sizeof(struct hub_page) == HUB_HEAD, "a hub page's head");

/// Inner pages: the least entry below a child (of the first child: anything), the child, how many are below it.
struct hub_child {
  uint64_t neighbour, rel, page, count;
};

enum {
  LEAF_NARROW = (PAGE_BYTES - HUB_HEAD) / 8,
  LEAF_WIDE = (PAGE_BYTES - HUB_HEAD) / 10,
  INNER_MAX = (PAGE_BYTES - HUB_HEAD) / sizeof(struct hub_child),
};

static unsigned leaf_capacity(const struct hub_page *p) {
  return p->wide ? LEAF_WIDE : LEAF_NARROW;
}

static struct hub_child *children(const struct hub_page *p) {
  return (struct hub_child *) ((uint8_t *) (uintptr_t) p + HUB_HEAD);
}

static struct adjacency_run leaf_run(const struct hub_page *p) {
  const uint8_t *at = (const uint8_t *) p + HUB_HEAD;
  unsigned cap = leaf_capacity(p);
  return (struct adjacency_run){.neighbours = (const uint32_t *) at,
                                .rels = (const uint32_t *) (at + 4 * cap),
                                .neighbours_high = p->wide ? at + 8 * cap : NULL,
                                .rels_high = p->wide ? at + 9 * cap : NULL,
                                .count = p->count};
}

static enum err check_page(const struct hub_page *p, page_id id, struct error *e) {
  if (p->magic == HUB_MAGIC && p->level < HUB_DEPTH_MAX && p->count <= (p->level > 0 ? (unsigned) INNER_MAX : leaf_capacity(p)))
    return ERR_OK;
  return error_set(e, ERR_CORRUPT, "page %llu is not part of a hub", (unsigned long long) id);
}

static enum err hub_read(const struct page_view *v, page_id id, const struct hub_page **ret, struct error *e) {
  const void *at;
  TRY(pages_read(v, id, &at, e));
  *ret = at;
  return check_page(*ret, id, e);
}

static enum err hub_write(struct page_batch *b, page_id id, struct hub_page **ret, struct error *e) {
  void *at;
  TRY(page_batch_write(b, id, &at, e));
  *ret = at;
  return check_page(*ret, id, e);
}

// ---- leaves ----

static void leaf_set(struct hub_page *p, uint32_t i, graph_id neighbour, graph_id rel) {
  uint8_t *at = (uint8_t *) p + HUB_HEAD;
  unsigned cap = leaf_capacity(p);
  put_u32_le(at + 4 * i, (uint32_t) neighbour);
  put_u32_le(at + 4 * cap + 4 * i, (uint32_t) rel);
  if (!p->wide) return;
  at[8 * cap + i] = (uint8_t) (neighbour >> 32);
  at[9 * cap + i] = (uint8_t) (rel >> 32);
}

static void leaf_move(struct hub_page *p, uint32_t from, int by) {
  uint8_t *at = (uint8_t *) p + HUB_HEAD;
  unsigned cap = leaf_capacity(p), n = p->count - from;
  uint8_t *arrays[4] = {at, at + 4 * cap, at + 8 * cap, at + 9 * cap};
  for (unsigned i = 0; i < (p->wide ? 4u : 2u); i++) {
    unsigned width = i < 2 ? 4 : 1;
    memmove(arrays[i] + (from + (unsigned) by) * width, arrays[i] + from * width, n * width);
  }
}

/// Writes entries [from, to) of a run into an empty leaf.
static void leaf_fill(struct hub_page *p, const struct adjacency_run *run, uint32_t from, uint32_t to) {
  for (uint32_t i = from; i < to; i++) leaf_set(p, i - from, run_neighbour(run, i), run_rel(run, i));
  p->count = (uint16_t) (to - from);
  p->total = p->count;
}

static enum err hub_page_make(struct page_batch *b, unsigned level, bool wide, graph_token type, page_id *ret_id,
                              struct hub_page **ret, struct error *e) {
  void *at;
  TRY(page_batch_allocate(b, ret_id, &at, e));
  *ret = at;
  **ret = (struct hub_page){.magic = HUB_MAGIC, .level = (uint8_t) level, .wide = wide, .type = type};
  return ERR_OK;
}

/// A copy of the leaf's entries that survives rewriting the leaf.
static struct adjacency_run leaf_copy(const struct hub_page *p, uint8_t copy[PAGE_BYTES]) {
  memcpy(copy, p, PAGE_BYTES);
  return leaf_run((const struct hub_page *) copy);
}

/// What an insertion tells the level above: a new right sibling, if there is one.
struct hub_split {
  bool any;
  struct hub_child right;
};

/// Moves the upper half into a new leaf. At the right end nothing but the new entry moves, so that ascending ids fill leaves.
static enum err leaf_split(struct page_batch *b, struct hub_page *p, uint32_t keep, struct hub_split *ret, struct error *e) {
  uint8_t copy[PAGE_BYTES] __attribute__((aligned(8)));
  struct adjacency_run run = leaf_copy(p, copy);
  struct hub_page *right;
  page_id id;
  TRY(hub_page_make(b, 0, p->wide, p->type, &id, &right, e));
  leaf_fill(right, &run, keep, run.count);
  p->count = (uint16_t) keep;
  p->total = keep;
  *ret = (struct hub_split){true, {run_neighbour(&run, keep), run_rel(&run, keep), id, right->total}};
  return ERR_OK;
}

static void leaf_widen(struct hub_page *p) {
  uint8_t copy[PAGE_BYTES] __attribute__((aligned(8)));
  struct adjacency_run run = leaf_copy(p, copy);
  p->wide = 1;
  leaf_fill(p, &run, 0, run.count);
}

static enum err leaf_put(struct hub_page *p, graph_id neighbour, graph_id rel, struct error *e) {
  struct adjacency_run run = leaf_run(p);
  uint32_t i = run_lower_bound(&run, neighbour, rel);
  if (i < run.count && run_neighbour(&run, i) == neighbour && run_rel(&run, i) == rel)
    return error_set(e, ERR_CORRUPT, "relationship %llu is in its hub already", (unsigned long long) rel);
  leaf_move(p, i, 1);
  p->count++;
  p->total++;
  leaf_set(p, i, neighbour, rel);
  return ERR_OK;
}

static bool entry_before(graph_id n1, graph_id r1, graph_id n2, graph_id r2) {
  return n1 < n2 || (n1 == n2 && r1 < r2);
}

static enum err leaf_insert(struct page_batch *b, struct hub_page *p, graph_id neighbour, graph_id rel, struct hub_split *split,
                            struct error *e) {
  bool wide = (neighbour | rel) > UINT32_MAX && !p->wide;
  unsigned cap = wide ? (unsigned) LEAF_WIDE : leaf_capacity(p);
  struct hub_page *target = p;
  if (p->count >= cap) {
    struct adjacency_run run = leaf_run(p);
    bool at_end = run_lower_bound(&run, neighbour, rel) == run.count && !wide;
    TRY(leaf_split(b, p, at_end ? run.count - 1u : run.count / 2u, split, e));
    if (!entry_before(neighbour, rel, split->right.neighbour, split->right.rel)) {
      TRY(hub_write(b, split->right.page, &target, e));
      split->right.count++;
    }
  }
  if (wide) leaf_widen(target);
  return leaf_put(target, neighbour, rel, e);
}

// ---- inner pages ----

/// The child below which an entry is or would be.
static uint32_t child_of(const struct hub_page *p, graph_id neighbour, graph_id rel) {
  uint32_t low = 1, high = p->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    const struct hub_child *c = &children(p)[middle];
    if (entry_before(neighbour, rel, c->neighbour, c->rel))
      high = middle;
    else
      low = middle + 1;
  }
  return low - 1;
}

static void child_insert(struct hub_page *p, uint32_t at, struct hub_child c) {
  struct hub_child *list = children(p);
  memmove(list + at + 1, list + at, (p->count - at) * sizeof *list);
  list[at] = c;
  p->count++;
}

static enum err inner_split(struct page_batch *b, struct hub_page *p, struct hub_split *ret, struct error *e) {
  struct hub_page *right;
  page_id id;
  TRY(hub_page_make(b, p->level, false, p->type, &id, &right, e));
  uint32_t keep = p->count / 2u;
  right->count = (uint16_t) (p->count - keep);
  memcpy(children(right), children(p) + keep, right->count * sizeof(struct hub_child));
  for (uint32_t i = 0; i < right->count; i++) right->total += children(right)[i].count;
  p->count = (uint16_t) keep;
  p->total -= right->total;
  struct hub_child first = children(right)[0];
  *ret = (struct hub_split){true, {first.neighbour, first.rel, id, right->total}};
  return ERR_OK;
}

static enum err page_insert(struct page_batch *b, page_id id, graph_id neighbour, graph_id rel, unsigned depth,
                            struct hub_split *split, struct error *e);

static enum err inner_insert(struct page_batch *b, struct hub_page *p, graph_id neighbour, graph_id rel, unsigned depth,
                             struct hub_split *split, struct error *e) {
  uint32_t at = child_of(p, neighbour, rel);
  struct hub_split below = {0};
  TRY(page_insert(b, children(p)[at].page, neighbour, rel, depth + 1, &below, e));
  children(p)[at].count++;
  p->total++;
  if (!below.any) return ERR_OK;
  children(p)[at].count -= below.right.count;
  child_insert(p, at + 1, below.right);
  return p->count >= INNER_MAX ? inner_split(b, p, split, e) : ERR_OK;
}

static enum err page_insert(struct page_batch *b, page_id id, graph_id neighbour, graph_id rel, unsigned depth,
                            struct hub_split *split, struct error *e) {
  struct hub_page *p;
  TRY(hub_write(b, id, &p, e));
  if (depth >= HUB_DEPTH_MAX) return error_set(e, ERR_CORRUPT, "a hub is too deep at page %llu", (unsigned long long) id);
  if (p->level == 0) return leaf_insert(b, p, neighbour, rel, split, e);
  if (p->count == 0) return error_set(e, ERR_CORRUPT, "page %llu of a hub is empty", (unsigned long long) id);
  return inner_insert(b, p, neighbour, rel, depth, split, e);
}

/// The root splits by moving what it has into a new page, so that its own id stays.
static enum err grow_root(struct page_batch *b, page_id root, const struct hub_split *split, struct error *e) {
  struct hub_page *p, *left;
  page_id left_id;
  TRY(hub_write(b, root, &p, e));
  if (p->level + 1 >= HUB_DEPTH_MAX) return error_set(e, ERR_LIMIT, "a hub has too many relationships");
  TRY(hub_page_make(b, p->level, p->wide, p->type, &left_id, &left, e));
  memcpy(left, p, PAGE_BYTES);
  p->level++;
  p->wide = 0;
  p->count = 2;
  p->total = left->total + split->right.count;
  children(p)[0] = (struct hub_child){0, 0, left_id, left->total};
  children(p)[1] = split->right;
  return ERR_OK;
}

enum err hub_insert(struct page_batch *b, page_id root, graph_id neighbour, graph_id rel, struct error *e) {
  struct hub_split split = {0};
  TRY(page_insert(b, root, neighbour, rel, 0, &split, e));
  return split.any ? grow_root(b, root, &split, e) : ERR_OK;
}

enum err hub_create(struct page_batch *b, graph_token type, const struct adjacency_run *run, block_ptr *ret, struct error *e) {
  struct hub_page *p;
  page_id id;
  TRY(hub_page_make(b, 0, run->neighbours_high != NULL, type, &id, &p, e));
  leaf_fill(p, run, 0, run->count);
  *ret = block_at(id, 0, BLOCK_HUB);
  return ERR_OK;
}

// ---- removing: a page that gets empty goes; others stay as they are ----

static enum err page_remove(struct page_batch *b, page_id id, graph_id neighbour, graph_id rel, unsigned depth,
                            uint64_t *ret_left, struct error *e);

static enum err leaf_remove(struct hub_page *p, graph_id neighbour, graph_id rel, struct error *e) {
  struct adjacency_run run = leaf_run(p);
  uint32_t i = run_lower_bound(&run, neighbour, rel);
  if (i >= run.count || run_neighbour(&run, i) != neighbour || run_rel(&run, i) != rel)
    return error_set(e, ERR_CORRUPT, "relationship %llu is not in its hub", (unsigned long long) rel);
  leaf_move(p, i + 1, -1);
  p->count--;
  p->total--;
  return ERR_OK;
}

static enum err inner_remove(struct page_batch *b, struct hub_page *p, graph_id neighbour, graph_id rel, unsigned depth,
                             struct error *e) {
  uint32_t at = child_of(p, neighbour, rel);
  struct hub_child *list = children(p);
  uint64_t left;
  TRY(page_remove(b, list[at].page, neighbour, rel, depth + 1, &left, e));
  list[at].count--;
  p->total--;
  if (left > 0) return ERR_OK;
  TRY(page_batch_free(b, list[at].page, e));
  memmove(list + at, list + at + 1, (p->count - at - 1u) * sizeof *list);
  p->count--;
  return ERR_OK;
}

static enum err page_remove(struct page_batch *b, page_id id, graph_id neighbour, graph_id rel, unsigned depth,
                            uint64_t *ret_left, struct error *e) {
  struct hub_page *p;
  TRY(hub_write(b, id, &p, e));
  if (depth >= HUB_DEPTH_MAX || (p->level > 0 && p->count == 0))
    return error_set(e, ERR_CORRUPT, "page %llu of a hub makes no sense", (unsigned long long) id);
  if (p->level == 0)
    TRY(leaf_remove(p, neighbour, rel, e));
  else
    TRY(inner_remove(b, p, neighbour, rel, depth, e));
  *ret_left = p->total;
  return ERR_OK;
}

enum err hub_remove(struct page_batch *b, page_id root, graph_id neighbour, graph_id rel, struct error *e) {
  uint64_t left;
  return page_remove(b, root, neighbour, rel, 0, &left, e);
}

static enum err page_free(struct page_batch *b, page_id id, unsigned depth, struct error *e) {
  struct page_view v = page_batch_view(b);
  const struct hub_page *p;
  TRY(hub_read(&v, id, &p, e));
  if (depth >= HUB_DEPTH_MAX) return error_set(e, ERR_CORRUPT, "a hub is too deep at page %llu", (unsigned long long) id);
  for (uint32_t i = 0; p->level > 0 && i < p->count; i++) TRY(page_free(b, children(p)[i].page, depth + 1, e));
  return page_batch_free(b, id, e);
}

enum err hub_free(struct page_batch *b, page_id root, struct error *e) {
  return page_free(b, root, 0, e);
}

// ---- reading ----

enum err hub_count(const struct page_view *v, page_id root, uint64_t *ret, struct error *e) {
  const struct hub_page *p;
  TRY(hub_read(v, root, &p, e));
  *ret = p->total;
  return ERR_OK;
}

enum err hub_type(const struct page_view *v, page_id root, graph_token *ret, struct error *e) {
  const struct hub_page *p;
  TRY(hub_read(v, root, &p, e));
  *ret = p->type;
  return ERR_OK;
}

enum { CHILDREN_AHEAD = 32 };

static void read_children_ahead(const struct page_view *v, const struct hub_page *p, uint32_t from) {
  page_id pages[CHILDREN_AHEAD];
  uint32_t n = 0;
  for (uint32_t i = from; i < p->count && n < CHILDREN_AHEAD; i++) pages[n++] = children(p)[i].page;
  pages_read_ahead(v, pages, n);
}

static enum err page_runs(const struct page_view *v, page_id id, unsigned depth, adjacency_run_fn fn, void *context,
                          struct error *e) {
  const struct hub_page *p;
  TRY(hub_read(v, id, &p, e));
  if (depth >= HUB_DEPTH_MAX) return error_set(e, ERR_CORRUPT, "a hub is too deep at page %llu", (unsigned long long) id);
  if (p->level == 0) {
    struct adjacency_run run = leaf_run(p);
    return fn(context, p->type, &run, e);
  }
  for (uint32_t i = 0; i < p->count; i++) {
    if (i % CHILDREN_AHEAD == 0) read_children_ahead(v, p, i);
    TRY(page_runs(v, children(p)[i].page, depth + 1, fn, context, e));
  }
  return ERR_OK;
}

enum err hub_runs(const struct page_view *v, page_id root, adjacency_run_fn fn, void *context, struct error *e) {
  return page_runs(v, root, 0, fn, context, e);
}

static enum err page_runs_of(const struct page_view *v, page_id id, graph_id neighbour, unsigned depth, adjacency_run_fn fn,
                             void *context, struct error *e) {
  const struct hub_page *p;
  TRY(hub_read(v, id, &p, e));
  if (p->level == 0 || depth >= HUB_DEPTH_MAX) return page_runs(v, id, depth, fn, context, e);
  uint32_t last = child_of(p, neighbour, UINT64_MAX);
  for (uint32_t i = child_of(p, neighbour, 0); i <= last && i < p->count; i++)
    TRY(page_runs_of(v, children(p)[i].page, neighbour, depth + 1, fn, context, e));
  return ERR_OK;
}

enum err hub_runs_of(const struct page_view *v, page_id root, graph_id neighbour, adjacency_run_fn fn, void *context,
                     struct error *e) {
  return page_runs_of(v, root, neighbour, 0, fn, context, e);
}
