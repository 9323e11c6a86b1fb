// Relationships of nodes: slices that point into pages, and one more for what the transaction added. Where the transaction
// deleted some, slices are copied without them.
#include "graph/tx_int.h"

#include <stdlib.h>

#include "graph/adjacency_int.h"

/// One call of graph_expand.
struct expanding {
  struct graph_view *v;
  const struct overlay *overlay; // NULL: nothing of the transaction's is to be seen
  enum graph_direction wanted;
  const graph_token *types;
  uint32_t type_count;
  struct arena *arena;
  struct graph_slice *slices;
  uint32_t count, capacity;
  // The node and direction under way.
  graph_id node;
  enum graph_direction direction;
  bool filter;         // some published relationships are deleted
  bool of_deleted;     // the node's own deletion does not count
  bool published_only; // nothing that the transaction added
};

static bool type_wanted(const struct expanding *x, graph_token type) {
  if (x->type_count == 0) return true;
  for (uint32_t i = 0; i < x->type_count; i++)
    if (x->types[i] == type) return true;
  return false;
}

static enum err push_slice(struct expanding *x, struct graph_slice s, struct error *e) {
  if (s.count == 0) return ERR_OK;
  if (UNLIKELY(x->count == x->capacity)) {
    uint32_t capacity = MAX(x->capacity * 2, 16u);
    struct graph_slice *more = arena_grow(x->arena, x->slices, x->capacity * sizeof *more, capacity * sizeof *more);
    if (more == NULL) return arena_err(x->arena, e);
    x->slices = more;
    x->capacity = capacity;
  }
  x->slices[x->count++] = s;
  return ERR_OK;
}

/// Entries [from, to) of a run, in place.
static struct graph_slice slice_of(const struct expanding *x, graph_token type, const struct adjacency_run *r, uint32_t from,
                                   uint32_t to) {
  return (struct graph_slice){.neighbours = r->neighbours + from,
                              .neighbours_high = r->neighbours_high != NULL ? r->neighbours_high + from : NULL,
                              .rels = r->rels + from,
                              .rels_high = r->rels_high != NULL ? r->rels_high + from : NULL,
                              .count = to - from,
                              .type = type,
                              .direction = x->direction};
}

/// Room for a slice of `n` entries of our own, with high bytes.
static enum err own_slice(struct expanding *x, graph_token type, uint32_t n, struct graph_slice *ret, struct error *e) {
  uint32_t *words = ARENA_ARRAY(x->arena, uint32_t, (size_t) n * 2);
  uint8_t *high = arena_alloc(x->arena, (size_t) n * 2);
  if (words == NULL || high == NULL) return arena_err(x->arena, e);
  *ret = (struct graph_slice){words, high, words + n, high + n, 0, type, x->direction};
  return ERR_OK;
}

static void own_slice_add(struct graph_slice *s, graph_id neighbour, graph_id rel) {
  uint32_t i = s->count++;
  ((uint32_t *) (uintptr_t) s->neighbours)[i] = (uint32_t) neighbour;
  ((uint32_t *) (uintptr_t) s->rels)[i] = (uint32_t) rel;
  ((uint8_t *) (uintptr_t) s->neighbours_high)[i] = (uint8_t) (neighbour >> 32);
  ((uint8_t *) (uintptr_t) s->rels_high)[i] = (uint8_t) (rel >> 32);
}

/// The kernels' fast path is without high bytes.
static void own_slice_trim(struct graph_slice *s) {
  uint8_t any_neighbour = 0, any_rel = 0;
  for (uint32_t i = 0; i < s->count; i++) any_neighbour |= s->neighbours_high[i], any_rel |= s->rels_high[i];
  if (any_neighbour == 0) s->neighbours_high = NULL;
  if (any_rel == 0) s->rels_high = NULL;
}

static bool rel_is_deleted(const struct expanding *x, graph_id neighbour, graph_id rel) {
  const struct overlay *o = x->overlay;
  const struct over_entity *r = overlay_find(o, GRAPH_REL, rel);
  if (r != NULL && over_flag_get(o, &r->deleted, x->v->mode) > 0) return true;
  return o->detach_count > 0 && view_is_detached(x->v, neighbour, neighbour);
}

static enum err push_filtered(struct expanding *x, graph_token type, const struct adjacency_run *r, bool without_loops,
                              struct error *e) {
  struct graph_slice s;
  TRY(own_slice(x, type, r->count, &s, e));
  for (uint32_t i = 0; i < r->count; i++) {
    graph_id neighbour = run_neighbour(r, i), rel = run_rel(r, i);
    if ((without_loops && neighbour == x->node) || rel_is_deleted(x, neighbour, rel)) continue;
    own_slice_add(&s, neighbour, rel);
  }
  own_slice_trim(&s);
  return push_slice(x, s, e);
}

/// With both directions wanted a loop comes as outgoing only: incoming runs are cut around it.
static enum err push_without_loops(struct expanding *x, graph_token type, const struct adjacency_run *r, struct error *e) {
  uint32_t from = run_lower_bound(r, x->node, 0), to = from;
  while (to < r->count && run_neighbour(r, to) == x->node) to++;
  TRY(push_slice(x, slice_of(x, type, r, 0, from), e));
  return push_slice(x, slice_of(x, type, r, to, r->count), e);
}

static enum err push_run(void *context, graph_token type, const struct adjacency_run *r, struct error *e) {
  struct expanding *x = context;
  if (!type_wanted(x, type)) return ERR_OK;
  bool without_loops = x->wanted == GRAPH_BOTH && x->direction == GRAPH_IN;
  if (UNLIKELY(x->filter)) return push_filtered(x, type, r, without_loops, e);
  if (without_loops) return push_without_loops(x, type, r, e);
  return push_slice(x, slice_of(x, type, r, 0, r->count), e);
}

static enum err push_directory(struct expanding *x, block_ptr root, struct error *e) {
  struct adjacency_type *types;
  uint32_t n;
  TRY(adjacency_types(&x->v->pages, root, x->arena, &types, &n, e));
  for (uint32_t i = 0; i < n; i++)
    if (type_wanted(x, types[i].type)) TRY(adjacency_runs(&x->v->pages, types[i].pointer, push_run, x, e));
  return ERR_OK;
}

static enum err push_block(struct expanding *x, const uint8_t *at, unsigned room, block_ptr root, struct error *e) {
  graph_token type;
  struct adjacency_run r;
  TRY(adjacency_block_at(at, room, root, &type, &r, e));
  return push_run(x, type, &r, e);
}

static enum err push_published(struct expanding *x, const uint8_t *record, struct error *e) {
  block_ptr root = node_adjacency(record, x->direction);
  switch (block_kind(root)) {
  case BLOCK_ADJACENCY: {
    const uint8_t *at;
    unsigned room;
    TRY(block_read(&x->v->pages, root, &at, &room, e));
    return push_block(x, at, room, root, e);
  }
  case BLOCK_DIRECTORY: return push_directory(x, root, e);
  case BLOCK_HUB: return adjacency_runs(&x->v->pages, root, push_run, x, e);
  default:
    return root == BLOCK_NONE ? ERR_OK : error_set(e, ERR_CORRUPT, "node %llu has a wild pointer", (unsigned long long) x->node);
  }
}

static bool added_is_visible(const struct expanding *x, const struct over_entity *r) {
  return over_flag_get(x->overlay, &r->create, x->v->mode) > 0 && over_flag_get(x->overlay, &r->deleted, x->v->mode) == 0;
}

/// The transaction's own relationships of one type as one slice; `*at` moves behind them.
static enum err push_added_type(struct expanding *x, const struct over_added *a, uint32_t *at, struct error *e) {
  graph_token type = a->rels[*at]->type;
  uint32_t from = *at, to = from;
  while (to < a->count && a->rels[to]->type == type) to++;
  *at = to;
  if (!type_wanted(x, type)) return ERR_OK;
  struct graph_slice s;
  TRY(own_slice(x, type, to - from, &s, e));
  for (uint32_t i = from; i < to; i++) {
    const struct over_entity *r = a->rels[i];
    graph_id neighbour = x->direction == GRAPH_OUT ? r->end : r->start;
    if (x->wanted == GRAPH_BOTH && x->direction == GRAPH_IN && neighbour == x->node) continue;
    if (added_is_visible(x, r)) own_slice_add(&s, neighbour, r->id);
  }
  own_slice_trim(&s);
  return push_slice(x, s, e);
}

static enum err push_added(struct expanding *x, struct over_entity *node, struct error *e) {
  struct over_added *a = &node->added[x->direction - 1];
  over_added_sort(a, x->direction);
  for (uint32_t at = 0; at < a->count;) TRY(push_added_type(x, a, &at, e));
  return ERR_OK;
}

static enum err expand_node(struct expanding *x, graph_id id, struct error *e) {
  struct over_entity *node = x->overlay != NULL ? overlay_find(x->overlay, GRAPH_NODE, id) : NULL;
  const uint8_t *record = NULL;
  if (UNLIKELY(node != NULL && !x->of_deleted)) {
    bool exists;
    TRY(view_exists(x->v, GRAPH_NODE, id, &exists, e));
    if (!exists) return ERR_OK;
  }
  if (node == NULL || !node->created) TRY(view_record(x->v, GRAPH_NODE, id, &record, e));
  x->node = id;
  for (int d = GRAPH_OUT; d <= GRAPH_IN; d++) {
    if (!(x->wanted & d)) continue;
    x->direction = (enum graph_direction) d;
    x->filter = x->overlay != NULL && (x->overlay->detach_count > 0 || (node != NULL && node->removed[d - 1] > 0));
    if (record != NULL) TRY(push_published(x, record, e));
    if (node != NULL && !x->published_only) TRY(push_added(x, node, e));
  }
  return ERR_OK;
}

// ---- many nodes without anything of the transaction's: their memory is asked for ahead, so that waits for it overlap ----

enum { AHEAD = 64 };

struct ahead {
  const uint8_t *records[AHEAD];
  const uint8_t *blocks[AHEAD]; // in the one direction that is wanted; NULL: not a plain block
  unsigned rooms[AHEAD];
};

static enum err ask_for_records(struct expanding *x, const graph_id *nodes, uint32_t n, struct ahead *a, struct error *e) {
  for (uint32_t i = 0; i < n; i++) {
    a->records[i] = NULL;
    if (LIKELY(nodes[i] <= GRAPH_ID_MAX)) TRY(record_read(&x->v->tx->g->nodes, &x->v->pages, nodes[i], &a->records[i], e));
    __builtin_prefetch(a->records[i]);
  }
  return ERR_OK;
}

static enum err ask_for_blocks(struct expanding *x, uint32_t n, struct ahead *a, struct error *e) {
  for (uint32_t i = 0; i < n; i++) {
    a->blocks[i] = NULL;
    if (!record_in_use(a->records[i])) {
      a->records[i] = NULL;
      continue;
    }
    block_ptr root = node_adjacency(a->records[i], x->wanted);
    if (block_kind(root) != BLOCK_ADJACENCY) continue;
    TRY(block_read(&x->v->pages, root, &a->blocks[i], &a->rooms[i], e));
    __builtin_prefetch(a->blocks[i]);
    __builtin_prefetch(a->blocks[i] + 64);
  }
  return ERR_OK;
}

static enum err expand_ahead(struct expanding *x, const graph_id *nodes, uint32_t n, uint32_t *first, struct error *e) {
  struct ahead a;
  x->direction = x->wanted;
  TRY(ask_for_records(x, nodes, n, &a, e));
  TRY(ask_for_blocks(x, n, &a, e));
  for (uint32_t i = 0; i < n; i++) {
    first[i] = x->count;
    x->node = nodes[i];
    if (LIKELY(a.blocks[i] != NULL))
      TRY(push_block(x, a.blocks[i], a.rooms[i], node_adjacency(a.records[i], x->wanted), e));
    else if (a.records[i] != NULL)
      TRY(push_published(x, a.records[i], e));
  }
  return ERR_OK;
}

/// As many nodes as may be in memory together; one in any case. Where the cache is too small for a whole group, one by one.
static enum err expand_all(struct expanding *x, const graph_id *nodes, uint32_t n, uint32_t *first, uint32_t *ret_done,
                           struct error *e) {
  bool plain = x->overlay == NULL && x->wanted != GRAPH_BOTH;
  uint32_t i = 0;
  while (i < n && (i == 0 || !page_access_should_rest(x->v->tx->access))) {
    uint32_t some = plain ? MIN(n - i, (uint32_t) AHEAD) : 1, before = x->count;
    first[i] = x->count;
    enum err err = plain ? expand_ahead(x, nodes + i, some, first + i, e) : expand_node(x, nodes[i], e);
    if (err == ERR_OK) {
      i += some;
      continue;
    }
    if (err != ERR_MEMORY_POOL || (i == 0 && some == 1)) return err;
    x->count = before;
    if (i > 0) break; // the caller comes again, after a rest
    plain = false;
    graph_view_rest(x->v); // nothing has been handed out yet
  }
  first[i] = x->count;
  *ret_done = i;
  return ERR_OK;
}

enum err graph_expand(struct graph_view *v, const graph_id *nodes, uint32_t n, enum graph_direction direction,
                      const graph_token *types, uint32_t type_count, struct arena *a, struct graph_expansion *ret,
                      struct error *e) {
  TRY(view_call(v, e));
  struct expanding x = {
      .v = v, .overlay = view_overlay(v), .wanted = direction, .types = types, .type_count = type_count, .arena = a};
  uint32_t *first = ARENA_ARRAY(a, uint32_t, (size_t) n + 1);
  x.capacity = MAX(n, 16u);
  x.slices = ARENA_ARRAY(a, struct graph_slice, x.capacity);
  if (first == NULL || x.slices == NULL) return arena_err(a, e);
  uint32_t done = 0;
  TRY(view_end(v, expand_all(&x, nodes, n, first, &done, e), e));
  *ret = (struct graph_expansion){.done = done, .first = first, .slices = x.slices};
  return ERR_OK;
}

// ---- between two nodes ----

struct joining {
  struct expanding x;
  graph_id to;
  graph_id *ids;
  uint32_t count, capacity;
};

static enum err join_add(struct joining *j, graph_id rel, struct error *e) {
  if (j->count == j->capacity) {
    uint32_t capacity = MAX(j->capacity * 2, 8u);
    graph_id *more = arena_grow(j->x.arena, j->ids, j->capacity * sizeof *more, capacity * sizeof *more);
    if (more == NULL) return arena_err(j->x.arena, e);
    j->ids = more;
    j->capacity = capacity;
  }
  j->ids[j->count++] = rel;
  return ERR_OK;
}

static enum err join_run(void *context, graph_token type, const struct adjacency_run *r, struct error *e) {
  struct joining *j = context;
  if (!type_wanted(&j->x, type)) return ERR_OK;
  for (uint32_t i = run_lower_bound(r, j->to, 0); i < r->count && run_neighbour(r, i) == j->to; i++) {
    graph_id rel = run_rel(r, i);
    if (j->x.overlay == NULL || !rel_is_deleted(&j->x, j->to, rel)) TRY(join_add(j, rel, e));
  }
  return ERR_OK;
}

static enum err join_direction(struct joining *j, graph_id from, enum graph_direction d, struct error *e) {
  struct expanding *x = &j->x;
  struct over_entity *node = x->overlay != NULL ? overlay_find(x->overlay, GRAPH_NODE, from) : NULL;
  const uint8_t *record = NULL;
  if (node == NULL || !node->created) TRY(view_record(x->v, GRAPH_NODE, from, &record, e));
  x->direction = d;
  if (record != NULL) {
    struct adjacency_type *types;
    uint32_t n;
    TRY(adjacency_types(&x->v->pages, node_adjacency(record, d), x->arena, &types, &n, e));
    for (uint32_t i = 0; i < n; i++)
      if (type_wanted(x, types[i].type)) TRY(adjacency_runs_of(&x->v->pages, types[i].pointer, j->to, join_run, j, e));
  }
  const struct over_added *a = node != NULL ? &node->added[d - 1] : NULL;
  for (uint32_t i = 0; a != NULL && i < a->count; i++) {
    const struct over_entity *r = a->rels[i];
    if ((d == GRAPH_OUT ? r->end : r->start) == j->to && type_wanted(x, r->type) && added_is_visible(x, r))
      TRY(join_add(j, r->id, e));
  }
  return ERR_OK;
}

static int order_ids(const void *a, const void *b) {
  graph_id x = *(const graph_id *) a, y = *(const graph_id *) b;
  return (x > y) - (x < y);
}

static enum err expand_into(struct joining *j, graph_id from, enum graph_direction direction, struct error *e) {
  bool exists[2];
  TRY(view_exists(j->x.v, GRAPH_NODE, from, &exists[0], e));
  TRY(view_exists(j->x.v, GRAPH_NODE, j->to, &exists[1], e));
  if (!exists[0] || !exists[1]) return ERR_OK;
  if (direction & GRAPH_OUT) TRY(join_direction(j, from, GRAPH_OUT, e));
  bool loops_done = direction == GRAPH_BOTH && from == j->to;
  if ((direction & GRAPH_IN) && !loops_done) TRY(join_direction(j, from, GRAPH_IN, e));
  if (j->count > 1) qsort(j->ids, j->count, sizeof *j->ids, order_ids);
  return ERR_OK;
}

/// The rarer end: where `from` is a hub and `to` is not, the search goes the other way round.
static enum err should_swap(struct graph_view *v, graph_id from, graph_id to, bool *ret, struct error *e) {
  const uint8_t *a, *b;
  TRY(view_record(v, GRAPH_NODE, from, &a, e));
  TRY(view_record(v, GRAPH_NODE, to, &b, e));
  *ret = a != NULL && b != NULL && block_kind(node_adjacency(a, GRAPH_OUT)) == BLOCK_HUB &&
         block_kind(node_adjacency(b, GRAPH_IN)) == BLOCK_ADJACENCY;
  return ERR_OK;
}

enum err graph_expand_into(struct graph_view *v, graph_id from, graph_id to, enum graph_direction direction,
                           const graph_token *types, uint32_t type_count, struct arena *a, graph_id **ret, uint32_t *ret_n,
                           struct error *e) {
  TRY(view_call(v, e));
  bool swap = false;
  if (direction == GRAPH_OUT) TRY(view_end(v, should_swap(v, from, to, &swap, e), e));
  struct joining j = {.x = {.v = v, .overlay = view_overlay(v), .types = types, .type_count = type_count, .arena = a},
                      .to = swap ? from : to};
  TRY(view_end(v, expand_into(&j, swap ? to : from, swap ? GRAPH_IN : direction, e), e));
  *ret = j.ids;
  *ret_n = j.count;
  return ERR_OK;
}

// ---- degrees ----

static enum err published_degree(struct expanding *x, const uint8_t *record, enum graph_direction d, graph_token type,
                                 uint64_t *ret, struct error *e) {
  block_ptr root = node_adjacency(record, d);
  if (type != GRAPH_ANY) {
    block_ptr p;
    TRY(adjacency_find(&x->v->pages, root, type, &p, e));
    return adjacency_count(&x->v->pages, p, ret, e);
  }
  if (root != BLOCK_NONE && block_kind(root) != BLOCK_DIRECTORY) return adjacency_count(&x->v->pages, root, ret, e);
  struct adjacency_type *types;
  uint32_t n;
  TRY(adjacency_types(&x->v->pages, root, x->arena, &types, &n, e));
  *ret = 0;
  for (uint32_t i = 0; i < n; i++) {
    uint64_t count;
    TRY(adjacency_count(&x->v->pages, types[i].pointer, &count, e));
    *ret += count;
  }
  return ERR_OK;
}

/// The slow way, exact with everything the transaction did: loops of BOTH counted once, as graph_expand gives them.
static enum err counted_degree(struct expanding *x, graph_id node, uint64_t *ret, struct error *e) {
  x->count = 0;
  TRY(expand_node(x, node, e));
  *ret = 0;
  for (uint32_t i = 0; i < x->count; i++) *ret += x->slices[i].count;
  return ERR_OK;
}

static enum err count_self(void *context, graph_token type, const struct adjacency_run *r, struct error *e UNUSED) {
  struct expanding *x = context;
  if (!type_wanted(x, type)) return ERR_OK;
  for (uint32_t i = run_lower_bound(r, x->node, 0); i < r->count && run_neighbour(r, i) == x->node; i++) x->count++;
  return ERR_OK;
}

/// Loops of a node: found by search in its outgoing lists.
static enum err published_loops(struct expanding *x, const uint8_t *record, graph_id node, uint64_t *ret, struct error *e) {
  struct adjacency_type *types;
  uint32_t n;
  x->node = node;
  x->count = 0;
  TRY(adjacency_types(&x->v->pages, node_adjacency(record, GRAPH_OUT), x->arena, &types, &n, e));
  for (uint32_t i = 0; i < n; i++)
    if (type_wanted(x, types[i].type)) TRY(adjacency_runs_of(&x->v->pages, types[i].pointer, node, count_self, x, e));
  *ret = x->count;
  return ERR_OK;
}

static enum err degree_of(struct expanding *x, graph_id node, enum graph_direction direction, graph_token type, uint64_t *ret,
                          struct error *e) {
  if (x->overlay != NULL) return counted_degree(x, node, ret, e);
  const uint8_t *record;
  uint64_t out = 0, in = 0, loops = 0;
  TRY(view_record(x->v, GRAPH_NODE, node, &record, e));
  if (record != NULL && (direction & GRAPH_OUT)) TRY(published_degree(x, record, GRAPH_OUT, type, &out, e));
  if (record != NULL && (direction & GRAPH_IN)) TRY(published_degree(x, record, GRAPH_IN, type, &in, e));
  if (out > 0 && in > 0) TRY(published_loops(x, record, node, &loops, e));
  *ret = out + in - loops;
  return ERR_OK;
}

enum err graph_degrees(struct graph_view *v, const graph_id *nodes, uint32_t n, enum graph_direction direction, graph_token type,
                       uint64_t *ret, struct error *e) {
  TRY(view_call(v, e));
  struct arena a;
  arena_init(&a, v->tx->options.budget);
  enum err err = ERR_OK;
  for (uint32_t i = 0; i < n && err == ERR_OK; i++) {
    arena_reset(&a);
    graph_view_rest(v);
    struct expanding x = {
        .v = v, .overlay = view_overlay(v), .wanted = direction, .types = &type, .type_count = type != GRAPH_ANY, .arena = &a};
    err = degree_of(&x, nodes[i], direction, type, &ret[i], e);
  }
  arena_done(&a);
  return view_end(v, err, e);
}

enum err view_degree_of_deleted(struct graph_view *v, graph_id id, uint64_t *ret, struct error *e) {
  struct expanding x = {.v = v, .overlay = view_overlay(v), .wanted = GRAPH_BOTH, .arena = &v->tx->scratch, .of_deleted = true};
  return counted_degree(&x, id, ret, e);
}

static enum err add_type_count(struct expanding *x, struct over_detached **list, uint32_t *n, const struct graph_slice *s,
                               struct error *e) {
  for (uint32_t i = 0; i < *n; i++) {
    if ((*list)[i].type != s->type) continue;
    (*list)[i].count += s->count;
    return ERR_OK;
  }
  struct over_detached *more = arena_grow(x->arena, *list, *n * sizeof *more, (*n + 1) * sizeof *more);
  if (more == NULL) return arena_err(x->arena, e);
  more[(*n)++] = (struct over_detached){s->type, s->count};
  *list = more;
  return ERR_OK;
}

enum err view_published_by_type(struct graph_view *v, graph_id id, struct arena *a, struct over_detached **ret, uint32_t *ret_n,
                                struct error *e) {
  struct expanding x = {
      .v = v, .overlay = view_overlay(v), .wanted = GRAPH_BOTH, .arena = &v->tx->scratch, .published_only = true};
  struct over_detached *list = NULL;
  uint32_t n = 0;
  TRY(expand_node(&x, id, e));
  x.arena = a;
  for (uint32_t i = 0; i < x.count; i++) TRY(add_type_count(&x, &list, &n, &x.slices[i], e));
  *ret = list;
  *ret_n = n;
  return ERR_OK;
}
