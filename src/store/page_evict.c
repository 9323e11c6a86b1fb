// Taking frames back. A clock hand goes round the frames of all databases: one that was read since it last came by gets
// another round; a clean one is let go; a dirty one is first written to a free physical page ("spilled"), which is safe at any
// time, because nothing durable names that page. Its version node then remembers where it is.
#include "store/pages_int.h"

static enum err spill(struct page_space *s, uint32_t frame, struct error *e) {
  struct page_pool *p = s->pool;
  struct frame *f = &p->frames[frame];
  uint64_t physical = 0;
  TRY(physical_allocate(s, &physical, e));
  enum err err = disk_write(s->file, physical * PAGE_BYTES, pool_bytes(p, frame), PAGE_BYTES, e);
  if (err != ERR_OK) {
    physical_free_now(s, physical);
    return err;
  }
  struct page_node *n = space_node(s, f->node);
  n->physical = f->physical = physical;
  n->checksum = f->checksum = page_checksum(pool_bytes(p, frame));
  n->owns = true;
  n->owned_until = 0;
  atomic_fetch_add_explicit(&p->spills, 1, memory_order_relaxed);
  return ERR_OK;
}

// A dirty page that is alone in its entry gets a node, to remember in where it was spilled.
static enum err node_for(struct page_space *s, struct page_leaf *leaf, uint32_t slot, uint32_t frame, struct error *e) {
  struct frame *f = &s->pool->frames[frame];
  uint32_t node = 0;
  if (id_list_reserve(&s->chained, 1) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  TRY(node_new(s, f->id, f->epoch, &node, e));
  struct page_node *n = space_node(s, node);
  atomic_store(&n->frame, frame);
  n->listed = true;
  id_list_push(&s->chained, f->id);
  f->node = node;
  atomic_store_explicit(&leaf->entries[slot], entry_of_node(node), memory_order_release);
  return ERR_OK;
}

static bool may_spill(struct page_space *s, const struct frame *f, const struct page_space *resting) {
  return f->epoch <= atomic_load(&s->published) || s == resting;
}

// Lets go of the frame if its page is on disk or can be put there. The mutex is held.
static enum err evict_frame(struct page_space *s, uint32_t frame, const struct page_space *resting, bool *ret_gone, struct error *e) {
  struct frame *f = &s->pool->frames[frame];
  struct page_leaf *leaf = space_leaf_loaded(s, f->id);
  uint32_t slot = (uint32_t) (f->id % MAP_FANOUT);
  if (!may_spill(s, f, resting)) return ERR_OK;
  if (f->physical == 0) {
    if (f->node == 0) TRY(node_for(s, leaf, slot, frame, e));
    TRY(spill(s, frame, e));
  }
  if (f->node != 0)
    atomic_store_explicit(&space_node(s, f->node)->frame, 0, memory_order_release);
  else
    atomic_store_explicit(&leaf->entries[slot], 0, memory_order_release);
  pool_retire_frame(s->pool, frame);
  atomic_fetch_add_explicit(&s->pool->evictions, 1, memory_order_relaxed);
  *ret_gone = true;
  return ERR_OK;
}

static enum err try_frame(struct page_pool *p, uint32_t frame, const struct page_space *resting, bool *ret_gone, struct error *e) {
  struct frame *f = &p->frames[frame];
  if (atomic_load(&f->state) != FRAME_IN_MAP) return ERR_OK;
  if (atomic_exchange_explicit(&p->referenced[frame], 0, memory_order_relaxed) != 0) return ERR_OK;
  struct page_space *s = atomic_load(&f->space); // cannot close meanwhile: closing takes the mutex that is held here
  if (s == NULL) return ERR_OK;
  mutex_lock(&s->mutex);
  enum err err = ERR_OK;
  if (atomic_load(&f->state) == FRAME_IN_MAP && atomic_load(&f->space) == s) err = evict_frame(s, frame, resting, ret_gone, e);
  mutex_unlock(&s->mutex);
  return err;
}

// Twice round finds everything that can go: once to take the marks away, once to evict. An error in writing one page is kept for
// the case that nothing else could be evicted.
enum err pool_evict(struct page_pool *p, struct page_space *resting, unsigned want, struct error *e) {
  enum err last = ERR_OK;
  unsigned gone = 0;
  mutex_lock(&p->evict_mutex);
  for (uint64_t looked = 0; looked < 2 * (uint64_t) p->frame_count && gone < want; looked++) {
    bool this_gone = false;
    p->hand = p->hand % p->frame_count + 1;
    enum err err = try_frame(p, p->hand, resting, &this_gone, e);
    if (err != ERR_OK) last = err;
    gone += this_gone;
  }
  mutex_unlock(&p->evict_mutex);
  return gone > 0 ? ERR_OK : last;
}
