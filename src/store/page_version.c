// Versions of pages: chains of nodes, who can still see them, and when they go.
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "store/pages_int.h"

// ---- nodes; the mutex is held ----

static enum err add_chunk(struct page_space *s) {
  if (s->node_count >= NODES_MAX) return ERR_LIMIT;
  unsigned chunk = doubling_chunk(s->node_count, NODE_FIRST);
  if (atomic_load(&s->node_chunks[chunk]) == NULL) {
    struct page_node *nodes = mem_zalloc(doubling_size(chunk, NODE_FIRST) * sizeof *nodes);
    if (nodes == NULL) return ERR_NOMEM;
    atomic_store(&s->node_chunks[chunk], nodes);
  }
  return ERR_OK;
}

static void sweep_nodes(struct page_space *s) {
  for (; s->retired_count > 0; s->retired_count--) {
    struct retired_node *oldest = &s->retired[s->retired_first];
    if (!pool_is_safe(s->pool, oldest->after)) return;
    atomic_store(&space_node(s, oldest->node)->prev, s->node_free);
    s->node_free = oldest->node;
    s->retired_first = (s->retired_first + 1) % s->retired_capacity;
  }
}

// The ring of retired nodes has room for every node there is, so that retiring cannot fail.
static enum err ring_reserve(struct page_space *s) {
  if (s->node_count + 1 < s->retired_capacity) return ERR_OK;
  size_t larger = s->retired_capacity * 2 + 256;
  struct retired_node *ring = mem_alloc(larger * sizeof *ring);
  if (ring == NULL) return ERR_NOMEM;
  for (size_t i = 0; i < s->retired_count; i++) ring[i] = s->retired[(s->retired_first + i) % s->retired_capacity];
  mem_free(s->retired);
  s->retired = ring;
  s->retired_first = 0;
  s->retired_capacity = larger;
  return ERR_OK;
}

enum err node_new(struct page_space *s, page_id id, uint64_t epoch, uint32_t *ret, struct error *e) {
  if (s->node_free == 0) sweep_nodes(s);
  uint32_t node = s->node_free;
  if (node != 0) {
    s->node_free = atomic_load(&space_node(s, node)->prev);
  } else {
    if (s->node_count == 0) s->node_count = 1; // 0 is no node
    enum err err = add_chunk(s);
    if (err == ERR_OK) err = ring_reserve(s);
    if (err != ERR_OK) return error_set(e, err, "No room for another version of a page.");
    node = s->node_count++;
  }
  struct page_node *n = space_node(s, node);
  n->epoch = epoch;
  n->id = id;
  n->physical = n->owned_until = 0;
  n->checksum = 0;
  n->gone = n->owns = n->listed = false;
  atomic_store(&n->prev, 0);
  atomic_store(&n->frame, 0);
  s->nodes_alive++;
  *ret = node;
  return ERR_OK;
}

static void retire_node(struct page_space *s, uint32_t node) {
  s->retired[(s->retired_first + s->retired_count++) % s->retired_capacity] = (struct retired_node){node, pool_retire(s->pool)};
  s->nodes_alive--;
}

void node_drop(struct page_space *s, uint32_t node) {
  struct page_node *n = space_node(s, node);
  uint32_t frame = atomic_load(&n->frame);
  if (frame != 0) pool_retire_frame(s->pool, frame);
  if (n->owns) physical_release(s, n->physical, n->owned_until);
  retire_node(s, node);
}

uint32_t node_at(const struct page_space *s, uint32_t head, uint64_t epoch) {
  while (head != 0 && space_node(s, head)->epoch > epoch) head = atomic_load_explicit(&space_node(s, head)->prev, memory_order_acquire);
  return head;
}

// ---- snapshots ----

static _Atomic uint64_t *snapshot_slot(struct page_space *s, uint32_t slot) {
  return &atomic_load(&s->snapshot_chunks[slot / SNAPSHOT_CHUNK])[slot % SNAPSHOT_CHUNK];
}

static bool chunk_ready(struct page_space *s, uint32_t chunk) {
  if (atomic_load(&s->snapshot_chunks[chunk]) != NULL) return true;
  _Atomic uint64_t *slots = mem_zalloc(SNAPSHOT_CHUNK * sizeof *slots), *none = NULL;
  if (slots == NULL) return false;
  if (!atomic_compare_exchange_strong(&s->snapshot_chunks[chunk], &none, slots)) mem_free((void *) slots);
  return true;
}

// Slots hold epoch + 1; 0 is free.
static enum err take_slot(struct page_space *s, uint64_t epoch, uint32_t *ret, struct error *e) {
  for (uint32_t slot = 0; slot < SNAPSHOTS_MAX; slot++) {
    if (slot % SNAPSHOT_CHUNK == 0 && !chunk_ready(s, slot / SNAPSHOT_CHUNK)) return error_ensure(e, ERR_NOMEM);
    uint64_t none = 0;
    if (atomic_load_explicit(snapshot_slot(s, slot), memory_order_relaxed) != 0) continue;
    if (!atomic_compare_exchange_strong(snapshot_slot(s, slot), &none, epoch + 1)) continue;
    uint32_t high = atomic_load(&s->snapshots_high);
    while (high < slot + 1 && !atomic_compare_exchange_weak(&s->snapshots_high, &high, slot + 1)) continue;
    *ret = slot;
    return ERR_OK;
  }
  return error_set(e, ERR_LIMIT, "%u snapshots are open.", SNAPSHOTS_MAX);
}

// Announce, then check: whoever drops versions publishes first and looks at the slots then, so either it sees this slot or this
// sees the newer epoch and announces that.
enum err page_snapshot_open(struct page_space *s, struct page_snapshot *ret, struct error *e) {
  uint64_t epoch = atomic_load(&s->published);
  uint32_t slot = 0;
  TRY(take_slot(s, epoch, &slot, e));
  for (uint64_t now; (now = atomic_load(&s->published)) != epoch; epoch = now) atomic_store(snapshot_slot(s, slot), now + 1);
  *ret = (struct page_snapshot){s, epoch, slot};
  return ERR_OK;
}

enum err page_snapshot_copy(const struct page_snapshot *from, struct page_snapshot *ret, struct error *e) {
  uint32_t slot = 0;
  TRY(take_slot(from->space, from->epoch, &slot, e));
  *ret = (struct page_snapshot){from->space, from->epoch, slot};
  return ERR_OK;
}

void page_snapshot_close(struct page_snapshot *snap) {
  if (snap->space == NULL) return;
  atomic_store(snapshot_slot(snap->space, snap->slot), 0);
  atomic_store(&snap->space->snapshots_changed, true);
  *snap = (struct page_snapshot){0};
}

static int compare_epochs(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
  return x < y ? -1 : x > y;
}

// Without memory for the whole list, everything from the oldest snapshot on counts as seen: that keeps too much, never too little.
void snapshots_collect(struct page_space *s) {
  struct live_snapshots *l = &s->live;
  uint64_t published = atomic_load(&s->published);
  uint32_t high = atomic_load(&s->snapshots_high);
  if (high + 1 > l->capacity) {
    uint64_t *grown = mem_realloc(l->epochs, (high + 64) * sizeof *grown);
    if (grown != NULL) {
      l->epochs = grown;
      l->capacity = high + 64;
    }
  }
  l->count = 0;
  uint64_t lowest = published;
  for (uint32_t slot = 0; slot < high && !MUTANT(page_reuse_reader); slot++) {
    uint64_t value = atomic_load(snapshot_slot(s, slot));
    if (value == 0) continue;
    lowest = MIN(lowest, value - 1);
    if (l->count + 1 < l->capacity) l->epochs[l->count++] = value - 1;
  }
  s->live_complete = high + 1 <= l->capacity;
  s->live_lowest = lowest;
  if (l->capacity == 0) return;
  l->epochs[l->count++] = published;
  qsort(l->epochs, l->count, sizeof *l->epochs, compare_epochs);
  size_t kept = 1;
  for (size_t i = 1; i < l->count; i++)
    if (l->epochs[i] != l->epochs[kept - 1]) l->epochs[kept++] = l->epochs[i];
  l->count = kept;
}

// True if some live snapshot is at or above `from` and below `below`.
static bool anyone_sees(const struct page_space *s, uint64_t from, uint64_t below) {
  const struct live_snapshots *l = &s->live;
  if (!s->live_complete) return below > s->live_lowest;
  size_t low = 0, high = l->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (l->epochs[middle] < from)
      low = middle + 1;
    else
      high = middle;
  }
  return low < l->count && l->epochs[low] < below;
}

// ---- pruning ----

static void drop_unseen(struct page_space *s, uint32_t head) {
  uint32_t newer = head;
  for (uint32_t at = atomic_load(&space_node(s, head)->prev); at != 0;) {
    struct page_node *n = space_node(s, at);
    uint32_t older = atomic_load(&n->prev);
    if (anyone_sees(s, n->epoch, space_node(s, newer)->epoch)) {
      newer = at;
    } else {
      atomic_store_explicit(&space_node(s, newer)->prev, older, memory_order_release);
      node_drop(s, at);
    }
    at = older;
  }
}

// A chain of one version that everybody sees needs no node, if the map or a frame can say all that the node says.
static bool collapse(struct page_space *s, struct page_leaf *leaf, uint32_t slot, uint32_t head) {
  struct page_node *n = space_node(s, head);
  uint32_t frame = atomic_load(&n->frame);
  if (atomic_load(&n->prev) != 0 || n->epoch > s->live_lowest || n->owns) return false;
  if (n->gone && leaf->node.physical[slot] != 0) return false; // the map still names it, until a checkpoint
  if (!n->gone && n->physical != 0 && n->physical != leaf->node.physical[slot]) return false;
  if (frame != 0 && !n->gone) {
    struct frame *f = &s->pool->frames[frame];
    f->node = 0;
    atomic_store_explicit(&leaf->entries[slot], entry_of_frame(frame), memory_order_release);
  } else {
    atomic_store_explicit(&leaf->entries[slot], 0, memory_order_release);
  }
  retire_node(s, head);
  return true;
}

bool versions_prune(struct page_space *s, page_id id, bool unlist) {
  struct page_leaf *leaf = space_leaf_loaded(s, id);
  uint32_t slot = (uint32_t) (id % MAP_FANOUT);
  uint64_t entry = atomic_load(&leaf->entries[slot]);
  if ((entry & ENTRY_TAG) != ENTRY_NODE) return false;
  uint32_t head = entry_index(entry);
  drop_unseen(s, head);
  if (space_node(s, head)->listed && !unlist) return true;
  return !collapse(s, leaf, slot, head);
}

void versions_prune_some(struct page_space *s, size_t budget) {
  if (atomic_exchange(&s->snapshots_changed, false)) s->chained_left = s->chained.count;
  for (; budget > 0 && s->chained_left > 0; budget--, s->chained_left--) {
    if (s->chained_at >= s->chained.count) s->chained_at = 0;
    if (versions_prune(s, s->chained.ids[s->chained_at], true))
      s->chained_at++;
    else
      s->chained.ids[s->chained_at] = s->chained.ids[--s->chained.count];
  }
}

bool pages_prune_step(struct page_space *s, size_t budget) {
  mutex_lock(&s->mutex);
  snapshots_collect(s);
  versions_prune_some(s, budget);
  bool more = s->chained_left > 0;
  mutex_unlock(&s->mutex);
  return more;
}
