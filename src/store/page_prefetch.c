// Reading many pages together: the disk serves them at its parallel rate instead of one after another (contract 23). A space has
// a few lanes, each with a queue of its own, so that queries and the applier need not wait for each other's reads.
#include "base/mem.h"
#include "store/pages_int.h"

#define PREFETCH_AT_ONCE 128u

struct wanted {
  page_id id;
  struct page_found found;
  uint32_t frame;
  struct disk_read read;
};

// ---- lanes ----

void prefetch_init(struct page_space *s, struct disk *disk) {
  s->prefetch.disk = disk;
  for (unsigned i = 0; i < PREFETCH_LANES; i++) mutex_init(&s->prefetch.lanes[i].mutex);
}

void prefetch_done(struct page_space *s) {
  for (unsigned i = 0; i < PREFETCH_LANES; i++) {
    page_access_close(s->prefetch.lanes[i].access);
    disk_queue_close(s->prefetch.lanes[i].queue);
    mutex_done(&s->prefetch.lanes[i].mutex);
  }
}

// A free lane, or the next one in turn when all are busy; its mutex is held.
static struct prefetch_lane *take_lane(struct page_space *s) {
  for (unsigned i = 0; i < PREFETCH_LANES; i++)
    if (mutex_try_lock(&s->prefetch.lanes[i].mutex)) return &s->prefetch.lanes[i];
  struct prefetch_lane *lane = &s->prefetch.lanes[atomic_fetch_add(&s->prefetch.turn, 1) % PREFETCH_LANES];
  mutex_lock(&lane->mutex);
  return lane;
}

// Most databases never need a second lane.
static enum err open_lane(struct page_space *s, struct prefetch_lane *lane, struct error *e) {
  if (lane->access == NULL) TRY(page_access_open(s->pool, &lane->access, e));
  return lane->queue != NULL ? ERR_OK : disk_queue_open(s->prefetch.disk, PREFETCH_AT_ONCE, &lane->queue, e);
}

// ---- reading ----

// Notes the page if it is on disk only; whatever is wrong with it, whoever reads it will be told.
static bool find_cold(struct page_space *s, page_id id, uint64_t epoch, struct wanted *w) {
  w->id = id;
  return page_find(s, id, epoch, &w->found, NULL) == ERR_OK && w->found.exists && w->found.frame == 0 &&
         w->found.physical < s->physical.pages;
}

static size_t find_all(struct page_space *s, const page_id *ids, size_t count, uint64_t epoch, struct wanted *wanted) {
  size_t cold = 0;
  mutex_lock(&s->mutex);
  for (size_t i = 0; i < count; i++) cold += find_cold(s, ids[i], epoch, &wanted[cold]);
  mutex_unlock(&s->mutex);
  return cold;
}

// Frames for as many as there are frames.
static size_t prepare(struct page_space *s, struct wanted *wanted, size_t count) {
  size_t ready = 0;
  for (; ready < count; ready++) {
    struct wanted *w = &wanted[ready];
    if (pool_take_frame(s->pool, NULL, &w->frame, NULL) != ERR_OK) break;
    w->read = (struct disk_read){s->file, w->found.physical * PAGE_BYTES, pool_bytes(s->pool, w->frame), PAGE_BYTES, ERR_IO, w};
  }
  return ready;
}

static void take_in(struct page_space *s, uint64_t epoch, struct wanted *w) {
  if (w->read.result == ERR_OK && page_checksum(w->read.to) == w->found.checksum)
    (void) (page_install(s, w->id, epoch, &w->found, w->frame, NULL) == ERR_OK);
  else
    pool_give_frame(s->pool, w->frame);
}

static enum err read_together(struct page_space *s, struct disk_queue *queue, uint64_t epoch, struct wanted *wanted, size_t count,
                              struct error *e) {
  struct disk_read *reads[PREFETCH_AT_ONCE], *done[PREFETCH_AT_ONCE];
  for (size_t i = 0; i < count; i++) reads[i] = &wanted[i].read;
  enum err err = disk_queue_submit(queue, reads, count, e);
  for (size_t i = 0; err != ERR_OK && i < count; i++) pool_give_frame(s->pool, wanted[i].frame);
  if (err != ERR_OK) return err;
  atomic_fetch_add_explicit(&s->pool->reads, count, memory_order_relaxed);
  atomic_fetch_add_explicit(&s->pool->batched_reads, count, memory_order_relaxed);
  atomic_fetch_add_explicit(&s->pool->batches, 1, memory_order_relaxed);
  for (size_t got = 0; got < count;) {
    size_t n = disk_queue_reap(queue, true, done, PREFETCH_AT_ONCE);
    for (size_t i = 0; i < n; i++) take_in(s, epoch, done[i]->user);
    got += n;
  }
  return ERR_OK;
}

// The access keeps the physical pages that are being read from being reused.
static enum err prefetch_some(struct page_space *s, struct prefetch_lane *lane, const page_id *ids, size_t count,
                              struct wanted *wanted, struct error *e) {
  page_access_enter(lane->access);
  uint64_t epoch = atomic_load(&s->published);
  size_t cold = find_all(s, ids, count, epoch, wanted), ready = prepare(s, wanted, cold);
  enum err err = ready > 0 ? read_together(s, lane->queue, epoch, wanted, ready, e) : ERR_OK;
  page_access_leave(lane->access);
  return err;
}

enum err pages_prefetch(struct page_space *s, const page_id *ids, size_t count, struct error *e) {
  struct wanted *wanted = mem_alloc(PREFETCH_AT_ONCE * sizeof *wanted);
  if (wanted == NULL) return error_ensure(e, ERR_NOMEM);
  struct prefetch_lane *lane = take_lane(s);
  enum err err = open_lane(s, lane, e);
  for (size_t at = 0; at < count && err == ERR_OK; at += PREFETCH_AT_ONCE)
    err = prefetch_some(s, lane, ids + at, MIN(count - at, (size_t) PREFETCH_AT_ONCE), wanted, e);
  mutex_unlock(&lane->mutex);
  mem_free(wanted);
  return err;
}
