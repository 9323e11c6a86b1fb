// Reading many pages together: the disk serves them at its parallel rate instead of one after another (contract 23).
#include "base/mem.h"
#include "store/pages_int.h"

#define PREFETCH_AT_ONCE 64u

struct wanted {
  page_id id;
  struct page_found found;
  uint32_t frame;
  struct disk_read read;
};

// Notes the page if it is on disk only; whatever is wrong with it, whoever reads it will be told.
static bool want(struct page_space *s, page_id id, uint64_t epoch, struct wanted *w) {
  mutex_lock(&s->mutex);
  bool cold = page_find(s, id, epoch, &w->found, NULL) == ERR_OK && w->found.exists && w->found.frame == 0;
  mutex_unlock(&s->mutex);
  if (!cold || w->found.physical >= s->physical.pages) return false;
  if (pool_take_frame(s->pool, NULL, &w->frame, NULL) != ERR_OK) return false;
  w->id = id;
  w->read = (struct disk_read){s->file, w->found.physical * PAGE_BYTES, pool_bytes(s->pool, w->frame), PAGE_BYTES, ERR_IO, w};
  return true;
}

static void take_in(struct page_space *s, uint64_t epoch, struct wanted *w) {
  atomic_fetch_add_explicit(&s->pool->reads, 1, memory_order_relaxed);
  if (w->read.result == ERR_OK && page_checksum(w->read.to) == w->found.checksum)
    (void) (page_install(s, w->id, epoch, &w->found, w->frame, NULL) == ERR_OK);
  else
    pool_give_frame(s->pool, w->frame);
}

static enum err read_together(struct page_space *s, uint64_t epoch, struct wanted *wanted, size_t count, struct error *e) {
  struct disk_read *reads[PREFETCH_AT_ONCE], *done[PREFETCH_AT_ONCE];
  for (size_t i = 0; i < count; i++) reads[i] = &wanted[i].read;
  enum err err = disk_queue_submit(s->prefetch_queue, reads, count, e);
  if (err != ERR_OK) {
    for (size_t i = 0; i < count; i++) pool_give_frame(s->pool, wanted[i].frame);
    return err;
  }
  for (size_t got = 0; got < count;) {
    size_t n = disk_queue_reap(s->prefetch_queue, true, done, PREFETCH_AT_ONCE);
    for (size_t i = 0; i < n; i++) take_in(s, epoch, done[i]->user);
    got += n;
  }
  return ERR_OK;
}

// The access keeps the physical pages that are being read from being reused.
static enum err prefetch_some(struct page_space *s, const page_id *ids, size_t count, struct wanted *wanted, struct error *e) {
  page_access_enter(s->prefetch_access);
  uint64_t epoch = atomic_load(&s->published);
  size_t cold = 0;
  for (size_t i = 0; i < count; i++) cold += want(s, ids[i], epoch, &wanted[cold]);
  enum err err = cold > 0 ? read_together(s, epoch, wanted, cold, e) : ERR_OK;
  page_access_leave(s->prefetch_access);
  return err;
}

enum err pages_prefetch(struct page_space *s, const page_id *ids, size_t count, struct error *e) {
  struct wanted *wanted = mem_alloc(PREFETCH_AT_ONCE * sizeof *wanted);
  if (wanted == NULL) return error_ensure(e, ERR_NOMEM);
  enum err err = ERR_OK;
  mutex_lock(&s->prefetch_mutex);
  for (size_t at = 0; at < count && err == ERR_OK; at += PREFETCH_AT_ONCE)
    err = prefetch_some(s, ids + at, MIN(count - at, (size_t) PREFETCH_AT_ONCE), wanted, e);
  mutex_unlock(&s->prefetch_mutex);
  mem_free(wanted);
  return err;
}
