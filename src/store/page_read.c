// Reading a page: without a lock while it is in memory, from disk otherwise.
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "store/pages_int.h"

enum err page_read_physical(struct page_space *s, page_id id, uint64_t physical, uint32_t checksum, void *to, struct error *e) {
  enum err err = physical < s->physical.pages ? disk_read_all(s->file, physical * PAGE_BYTES, to, PAGE_BYTES, e) : ERR_SHORT;
  atomic_fetch_add_explicit(&s->pool->reads, 1, memory_order_relaxed);
  if (err != ERR_OK && err != ERR_SHORT) return err;
  if (err == ERR_OK && (MUTANT(page_checksum) || page_checksum(to) == checksum)) return ERR_OK;
  return error_set(e, ERR_CORRUPT, "Page %llu of the store is damaged on disk: physical page %llu fails its checksum.",
                   (unsigned long long) id, (unsigned long long) physical);
}

static enum err no_page(page_id id, struct error *e) {
  return error_set(e, ERR_NOTFOUND, "There is no page %llu.", (unsigned long long) id);
}

// Shows the frame to everybody if the version is still as it was found. The mutex is held.
static enum err install(struct page_space *s, page_id id, uint64_t epoch, const struct page_found *was, uint32_t frame, bool *ret_done,
                        struct error *e) {
  struct page_found now;
  *ret_done = false;
  TRY(page_find(s, id, epoch, &now, e));
  if (!now.exists || now.frame != 0 || now.physical != was->physical) return ERR_OK;
  struct frame *f = &s->pool->frames[frame];
  f->id = id;
  f->physical = now.physical;
  f->checksum = now.checksum;
  f->node = now.node;
  f->epoch = now.node != 0 ? space_node(s, now.node)->epoch : 0;
  atomic_store(&f->space, s);
  atomic_store(&f->state, FRAME_IN_MAP);
  if (now.node != 0)
    atomic_store_explicit(&space_node(s, now.node)->frame, frame, memory_order_release);
  else
    atomic_store_explicit(&now.leaf->entries[now.slot], entry_of_frame(frame), memory_order_release);
  *ret_done = true;
  return ERR_OK;
}

static enum err find_locked(struct page_space *s, page_id id, uint64_t epoch, struct page_found *ret, struct error *e) {
  mutex_lock(&s->mutex);
  enum err err = page_find(s, id, epoch, ret, e);
  mutex_unlock(&s->mutex);
  return err;
}

enum err page_install(struct page_space *s, page_id id, uint64_t epoch, const struct page_found *was, uint32_t frame, struct error *e) {
  bool done = false;
  mutex_lock(&s->mutex);
  enum err err = install(s, id, epoch, was, frame, &done, e);
  mutex_unlock(&s->mutex);
  if (!done) pool_give_frame(s->pool, frame);
  return err;
}

// Reads the version from disk into a frame and shows it; somebody else may have been faster, or it may have moved.
static enum err load(const struct page_view *v, page_id id, const struct page_found *found, struct error *e) {
  struct page_space *s = v->space;
  uint32_t frame = 0;
  TRY(pool_take_frame(s->pool, v->access, &frame, e));
  v->access->loaded++;
  enum err err = page_read_physical(s, id, found->physical, found->checksum, pool_bytes(s->pool, frame), e);
  if (err != ERR_OK) {
    pool_give_frame(s->pool, frame);
    return err;
  }
  return page_install(s, id, v->epoch, found, frame, e);
}

static enum err read_slowly(const struct page_view *v, page_id id, uint32_t *ret_frame, struct error *e) {
  for (;;) {
    struct page_found found;
    if (v->nonblocking && space_leaf_loaded(v->space, id) == NULL) return error_ensure(e, ERR_AGAIN);
    TRY(find_locked(v->space, id, v->epoch, &found, e));
    if (!found.exists) return no_page(id, e);
    if (found.frame != 0) {
      *ret_frame = found.frame;
      return ERR_OK;
    }
    if (v->nonblocking) return error_ensure(e, ERR_AGAIN);
    TRY(load(v, id, &found, e));
  }
}

// The frame of the version, 0 if it must be looked for with the mutex.
static inline uint32_t resident_frame(const struct page_view *v, page_id id) {
  const struct page_leaf *leaf = space_leaf_loaded(v->space, id);
  if (UNLIKELY(leaf == NULL)) return 0;
  uint64_t entry = atomic_load_explicit(&leaf->entries[id % MAP_FANOUT], memory_order_acquire);
  if (LIKELY((entry & ENTRY_TAG) == ENTRY_FRAME)) return entry_index(entry);
  if ((entry & ENTRY_TAG) != ENTRY_NODE) return 0;
  uint32_t node = node_at(v->space, entry_index(entry), v->epoch);
  if (node == 0 || space_node(v->space, node)->gone) return 0;
  return atomic_load_explicit(&space_node(v->space, node)->frame, memory_order_acquire);
}

// With poison every read gets a copy of its own, which is overwritten when the access is left.
static enum err hand_out_copy(struct page_access *a, const void *page, const void **ret, struct error *e) {
  if (a->copy_count == a->copy_capacity) {
    size_t larger = a->copy_capacity * 2 + 16;
    void **grown = mem_realloc(a->copies, larger * sizeof *grown);
    if (grown == NULL) return error_ensure(e, ERR_NOMEM);
    a->copies = grown;
    a->copy_capacity = larger;
  }
  void *copy = mem_alloc(PAGE_BYTES);
  if (copy == NULL) return error_ensure(e, ERR_NOMEM);
  a->copies[a->copy_count++] = memcpy(copy, page, PAGE_BYTES);
  *ret = copy;
  return ERR_OK;
}

enum err pages_read(const struct page_view *v, page_id id, const void **ret, struct error *e) {
  assert(v->access->depth > 0);
  struct page_pool *pool = v->space->pool;
  uint32_t frame = resident_frame(v, id);
  if (UNLIKELY(frame == 0)) TRY(read_slowly(v, id, &frame, e));
  if (atomic_load_explicit(&pool->referenced[frame], memory_order_relaxed) == 0)
    atomic_store_explicit(&pool->referenced[frame], 1, memory_order_relaxed);
  if (UNLIKELY(pool->poison)) return hand_out_copy(v->access, pool_bytes(pool, frame), ret, e);
  *ret = pool_bytes(pool, frame);
  return ERR_OK;
}

bool pages_cached(const struct page_view *v, page_id id) {
  return resident_frame(v, id) != 0;
}

bool pages_resident(struct page_space *s, page_id id) {
  struct page_found found;
  mutex_lock(&s->mutex);
  bool resident = space_leaf_loaded(s, id) != NULL && page_find(s, id, atomic_load(&s->published), &found, NULL) == ERR_OK &&
                  (found.frame != 0 || !found.exists);
  mutex_unlock(&s->mutex);
  return resident;
}

enum err pages_each(const struct page_view *v, enum err (*fn)(void *argument, page_id id), void *argument, struct error *e) {
  struct page_space *s = v->space;
  mutex_lock(&s->mutex);
  uint64_t high = s->id_high;
  mutex_unlock(&s->mutex);
  for (page_id id = 1; id < high; id++) {
    struct page_found found;
    if (id % ID_GROUP == 0) continue;
    TRY(find_locked(s, id, v->epoch, &found, e));
    if (found.exists) TRY(fn(argument, id));
  }
  return ERR_OK;
}
