// The applier's side: pages copied on their first change in a batch, new and freed pages, publication.
#include <assert.h>
#include <string.h>

#include "store/pages_int.h"

enum err page_batch_begin(struct page_space *s, struct page_access *a, struct page_batch **ret, struct error *e) {
  struct page_batch *b = &s->batch;
  assert(!b->open);
  b->space = s;
  b->access = a;
  b->epoch = atomic_load(&s->published) + 1;
  b->touched.count = 0;
  b->pages_delta = 0;
  b->open = true;
  page_access_enter(a);
  *ret = b;
  return ERR_OK;
}

struct page_view page_batch_view(struct page_batch *b) {
  return (struct page_view){b->space, b->access, b->epoch, false};
}

enum err page_batch_rest(struct page_batch *b, struct error *e) {
  assert(b->access->depth == 1);
  page_access_rest(b->access);
  struct page_pool *p = b->space->pool;
  uint32_t low = MAX(p->frame_count / 8, 1u);
  return pool_free_count(p) < low ? pool_evict(p, b->space, low, e) : ERR_OK;
}

// ---- with the mutex held ----

static bool is_batchs(const struct page_batch *b, const struct page_found *found) {
  return found->node != 0 && space_node(b->space, found->node)->epoch == b->epoch;
}

// True if the page went into the dirty list after the last checkpoint began.
static bool is_listed_dirty(const struct page_space *s, const struct page_found *found) {
  if (found->node != 0) return space_node(s, found->node)->epoch > s->pinned_epoch;
  return found->frame != 0 && s->pool->frames[found->frame].epoch > s->pinned_epoch;
}

static enum err reserve_lists(struct page_batch *b, struct error *e) {
  struct page_space *s = b->space;
  enum err err = id_list_reserve(&b->touched, 1);
  if (err == ERR_OK) err = id_list_reserve(&s->dirty, 1);
  if (err == ERR_OK) err = id_list_reserve(&s->chained, b->touched.count + 1);
  return err == ERR_OK ? ERR_OK : error_ensure(e, err);
}

// A plain entry becomes a node, so that a newer version can stand in front of it. Gives 0 if there was nothing.
static enum err entry_to_node(struct page_space *s, page_id id, const struct page_found *found, uint32_t *ret, struct error *e) {
  *ret = 0;
  uint64_t entry = atomic_load(&found->leaf->entries[found->slot]);
  if ((entry & ENTRY_TAG) == ENTRY_NODE) {
    *ret = entry_index(entry);
    return ERR_OK;
  }
  if (!found->exists) return ERR_OK;
  uint32_t node = 0;
  TRY(node_new(s, id, found->frame != 0 ? s->pool->frames[found->frame].epoch : 0, &node, e));
  struct page_node *n = space_node(s, node);
  n->physical = found->physical;
  n->checksum = found->checksum;
  atomic_store(&n->frame, found->frame);
  if (found->frame != 0) s->pool->frames[found->frame].node = node;
  *ret = node;
  return ERR_OK;
}

// A plain entry and a single node say the same, so undoing the first half on an error is not needed: the node is put in front.
static enum err push_version(struct page_batch *b, page_id id, const struct page_found *found, uint32_t *ret, struct error *e) {
  struct page_space *s = b->space;
  uint32_t newer = 0, older = 0;
  TRY(reserve_lists(b, e));
  TRY(node_new(s, id, b->epoch, &newer, e));
  enum err err = entry_to_node(s, id, found, &older, e);
  if (err != ERR_OK) {
    node_drop(s, newer);
    return err;
  }
  struct page_node *n = space_node(s, newer);
  atomic_store(&n->prev, older);
  if (older != 0) {
    n->listed = space_node(s, older)->listed;
    space_node(s, older)->listed = false;
  }
  id_list_push(&b->touched, id);
  if (!is_listed_dirty(s, found)) id_list_push(&s->dirty, id);
  *ret = newer;
  return ERR_OK;
}

static void give_frame_to(struct page_space *s, uint32_t node, uint32_t frame) {
  struct page_node *n = space_node(s, node);
  struct frame *f = &s->pool->frames[frame];
  f->id = n->id;
  f->epoch = n->epoch;
  f->node = node;
  f->physical = 0;
  atomic_store(&f->space, s);
  atomic_store(&f->state, FRAME_IN_MAP);
  atomic_store_explicit(&n->frame, frame, memory_order_release);
}

static void show(struct page_space *s, const struct page_found *found, uint32_t node) {
  atomic_store_explicit(&found->leaf->entries[found->slot], entry_of_node(node), memory_order_release);
}

// What was spilled in this batch changes again: the copy on disk is worth nothing now.
static void forget_spilled(struct page_space *s, uint32_t node) {
  struct page_node *n = space_node(s, node);
  if (n->owns) physical_release(s, n->physical, n->owned_until);
  n->owns = false;
  n->physical = 0;
  uint32_t frame = atomic_load(&n->frame);
  if (frame != 0) s->pool->frames[frame].physical = 0;
}

enum outcome { DONE, TAKE_FRAME, LOAD };

static enum err try_write(struct page_batch *b, page_id id, uint32_t *frame, enum outcome *ret, void **ret_bytes, struct error *e) {
  struct page_space *s = b->space;
  struct page_found found;
  TRY(page_find(s, id, b->epoch, &found, e));
  if (!found.exists) return error_set(e, ERR_NOTFOUND, "There is no page %llu.", (unsigned long long) id);
  *ret = LOAD;
  if (found.frame == 0) return ERR_OK;
  *ret = DONE;
  *ret_bytes = pool_bytes(s->pool, found.frame);
  if (is_batchs(b, &found)) {
    forget_spilled(s, found.node);
    return ERR_OK;
  }
  *ret = TAKE_FRAME;
  if (*frame == 0) return ERR_OK;
  uint32_t node = 0;
  TRY(push_version(b, id, &found, &node, e));
  memcpy(pool_bytes(s->pool, *frame), *ret_bytes, PAGE_BYTES);
  *ret_bytes = pool_bytes(s->pool, *frame);
  give_frame_to(s, node, *frame);
  show(s, &found, node);
  b->access->loaded++;
  *frame = 0;
  *ret = DONE;
  return ERR_OK;
}

static enum err load_for_write(struct page_batch *b, page_id id, struct error *e) {
  struct page_view v = page_batch_view(b);
  const void *page = NULL;
  return pages_read(&v, id, &page, e);
}

enum err page_batch_write(struct page_batch *b, page_id id, void **ret, struct error *e) {
  struct page_space *s = b->space;
  uint32_t frame = 0;
  enum outcome outcome = DONE;
  void *bytes = NULL;
  enum err err = ERR_OK;
  do {
    mutex_lock(&s->mutex);
    err = try_write(b, id, &frame, &outcome, &bytes, e);
    mutex_unlock(&s->mutex);
    if (err == ERR_OK && outcome == LOAD) err = load_for_write(b, id, e);
    if (err == ERR_OK && outcome == TAKE_FRAME) err = pool_take_frame(s->pool, b->access, &frame, e);
  } while (err == ERR_OK && outcome != DONE);
  if (frame != 0) pool_give_frame(s->pool, frame);
  if (err == ERR_OK) *ret = bytes;
  return err;
}

// A page that does not exist in the batch's epoch comes to be, all zeros, in `frame`.
static enum err create_locked(struct page_batch *b, page_id id, uint32_t frame, struct error *e) {
  struct page_space *s = b->space;
  struct page_found found;
  if (id > PAGE_ID_MAX) return error_set(e, ERR_LIMIT, "The store has no page ids left.");
  s->id_high = MAX(s->id_high, id + 1);
  TRY(page_find(s, id, b->epoch, &found, e));
  if (found.exists) return error_set(e, ERR_CORRUPT, "Page %llu is in use, but its id page says that it is free.", (unsigned long long) id);
  uint32_t node = found.node;
  if (!is_batchs(b, &found)) TRY(push_version(b, id, &found, &node, e));
  space_node(s, node)->gone = false;
  memset(pool_bytes(s->pool, frame), 0, PAGE_BYTES);
  give_frame_to(s, node, frame);
  show(s, &found, node);
  b->access->loaded++;
  b->pages_delta++;
  return ERR_OK;
}

static enum err create(struct page_batch *b, page_id id, void **ret, struct error *e) {
  uint32_t frame = 0;
  TRY(pool_take_frame(b->space->pool, b->access, &frame, e));
  mutex_lock(&b->space->mutex);
  enum err err = create_locked(b, id, frame, e);
  mutex_unlock(&b->space->mutex);
  if (err != ERR_OK) {
    pool_give_frame(b->space->pool, frame);
    return err;
  }
  *ret = pool_bytes(b->space->pool, frame);
  return ERR_OK;
}

// ---- ids: docs/formats/pages.md, "Logical pages" ----

static enum err id_page(struct page_batch *b, uint64_t group, uint64_t **ret, struct error *e) {
  void *page = NULL;
  struct error why = ERROR_INIT;
  enum err err = page_batch_write(b, group * ID_GROUP, &page, &why);
  if (err != ERR_OK && err != ERR_NOTFOUND) return error_set(e, err, "%s", why.message);
  if (err == ERR_NOTFOUND) {
    TRY(create(b, group * ID_GROUP, &page, e));
    bit_set(page, 0, true);
  }
  *ret = page;
  return ERR_OK;
}

// First of `count` free ids in a row within the group; 0 if there are none.
static uint64_t find_run(const uint64_t *bits, unsigned count) {
  uint64_t run = 0;
  for (uint64_t i = 0; i < ID_GROUP; i++) {
    if (i % 64 == 0 && bits[i / 64] == UINT64_MAX) {
      run = 0;
      i += 63;
      continue;
    }
    run = bit_get(bits, i) ? 0 : run + 1;
    if (run == count) return i + 1 - count;
  }
  return 0;
}

static enum err take_in_group(struct page_batch *b, uint64_t group, unsigned count, page_id *ret, struct error *e) {
  uint64_t *bits = NULL;
  TRY(id_page(b, group, &bits, e));
  uint64_t first = find_run(bits, count);
  *ret = PAGE_NONE;
  if (first == 0) return ERR_OK;
  for (unsigned i = 0; i < count; i++) bit_set(bits, first + i, true);
  *ret = group * ID_GROUP + first;
  return ERR_OK;
}

// Freed ids first, group by group from the lowest that has some; then the end.
static enum err take_ids(struct page_batch *b, unsigned count, page_id *ret, struct error *e) {
  struct page_space *s = b->space;
  *ret = PAGE_NONE;
  while (count == 1 && s->freed_group < s->alloc_group) {
    TRY(take_in_group(b, s->freed_group, 1, ret, e));
    if (*ret != PAGE_NONE) return ERR_OK;
    s->freed_group++;
  }
  for (;; s->alloc_group++) {
    TRY(take_in_group(b, s->alloc_group, count, ret, e));
    if (*ret != PAGE_NONE) return ERR_OK;
    if (count > 1) s->freed_group = MIN(s->freed_group, s->alloc_group);
  }
}

enum err page_batch_allocate(struct page_batch *b, page_id *ret_id, void **ret, struct error *e) {
  page_id id = PAGE_NONE;
  TRY(take_ids(b, 1, &id, e));
  TRY(create(b, id, ret, e));
  *ret_id = id;
  return ERR_OK;
}

enum err page_batch_allocate_run(struct page_batch *b, unsigned count, page_id *ret_first, struct error *e) {
  assert(count >= 1 && count <= 1024);
  page_id first = PAGE_NONE;
  void *page = NULL;
  TRY(take_ids(b, count, &first, e));
  for (unsigned i = 0; i < count; i++) {
    if (page_access_should_rest(b->access)) TRY(page_batch_rest(b, e));
    TRY(create(b, first + i, &page, e));
  }
  *ret_first = first;
  return ERR_OK;
}

static enum err free_locked(struct page_batch *b, page_id id, struct error *e) {
  struct page_space *s = b->space;
  struct page_found found;
  TRY(page_find(s, id, b->epoch, &found, e));
  if (!found.exists) return error_set(e, ERR_NOTFOUND, "There is no page %llu to free.", (unsigned long long) id);
  uint32_t node = found.node;
  if (is_batchs(b, &found)) {
    forget_spilled(s, node);
    uint32_t frame = atomic_exchange(&space_node(s, node)->frame, 0);
    if (frame != 0) pool_retire_frame(s->pool, frame);
  } else {
    TRY(push_version(b, id, &found, &node, e));
  }
  space_node(s, node)->gone = true;
  show(s, &found, node);
  b->pages_delta--;
  return ERR_OK;
}

enum err page_batch_free(struct page_batch *b, page_id id, struct error *e) {
  assert(id % ID_GROUP != 0);
  uint64_t *bits = NULL;
  TRY(id_page(b, id / ID_GROUP, &bits, e));
  mutex_lock(&b->space->mutex);
  enum err err = free_locked(b, id, e);
  mutex_unlock(&b->space->mutex);
  if (err != ERR_OK) return err;
  bit_set(bits, id % ID_GROUP, false);
  b->space->freed_group = MIN(b->space->freed_group, id / ID_GROUP);
  return ERR_OK;
}

// ---- the end ----

#define PUBLISH_AT_ONCE 64u

static void settle_touched(struct page_batch *b, size_t from, size_t to) {
  struct page_space *s = b->space;
  mutex_lock(&s->mutex);
  for (size_t i = from; i < to; i++) {
    page_id id = b->touched.ids[i];
    if (!versions_prune(s, id, false)) continue;
    struct page_leaf *leaf = space_leaf_loaded(s, id);
    struct page_node *head = space_node(s, entry_index(atomic_load(&leaf->entries[id % MAP_FANOUT])));
    if (!head->listed) id_list_push(&s->chained, id);
    head->listed = true;
  }
  mutex_unlock(&s->mutex);
}

uint64_t page_batch_publish(struct page_batch *b) {
  struct page_space *s = b->space;
  assert(b->open);
  uint64_t epoch = b->epoch;
  mutex_lock(&s->mutex);
  atomic_store(&s->published, epoch);
  s->pages_logical += (uint64_t) b->pages_delta;
  snapshots_collect(s);
  mutex_unlock(&s->mutex);
  for (size_t i = 0; i < b->touched.count; i += PUBLISH_AT_ONCE) settle_touched(b, i, MIN(i + PUBLISH_AT_ONCE, b->touched.count));
  mutex_lock(&s->mutex);
  versions_prune_some(s, b->touched.count * 2 + 8);
  mutex_unlock(&s->mutex);
  b->open = false;
  page_access_leave(b->access);
  return epoch;
}

static void undo(struct page_batch *b, page_id id) {
  struct page_space *s = b->space;
  struct page_leaf *leaf = space_leaf_loaded(s, id);
  _Atomic uint64_t *slot = &leaf->entries[id % MAP_FANOUT];
  uint64_t entry = atomic_load(slot);
  if ((entry & ENTRY_TAG) != ENTRY_NODE) return;
  uint32_t head = entry_index(entry), older = atomic_load(&space_node(s, head)->prev);
  if (space_node(s, head)->epoch != b->epoch) return;
  if (older != 0) space_node(s, older)->listed = space_node(s, head)->listed;
  atomic_store_explicit(slot, older != 0 ? entry_of_node(older) : 0, memory_order_release);
  node_drop(s, head);
  if (older == 0) return;
  struct page_node *n = space_node(s, older);
  if (versions_prune(s, id, false) && !n->listed) {
    id_list_push(&s->chained, id);
    n->listed = true;
  }
}

void page_batch_abort(struct page_batch *b) {
  struct page_space *s = b->space;
  assert(b->open);
  mutex_lock(&s->mutex);
  snapshots_collect(s);
  for (size_t i = 0; i < b->touched.count; i++) undo(b, b->touched.ids[i]);
  mutex_unlock(&s->mutex);
  b->open = false;
  page_access_leave(b->access);
}
