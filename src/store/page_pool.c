// Frames, and who may still be looking at them.
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "os/memory.h"
#include "store/pages_int.h"

#define ACCESSES_DEFAULT 512u
#define POOL_FRAMES_MIN 64u
#define POISON 0xDB
#define REST_SHARE 64u      // an access should rest when it has brought in this part of the pool,
#define REST_PAGES_MAX 256u // or so many pages

static enum err pool_allocate(struct page_pool *p, size_t limit_bytes, struct error *e) {
  p->frame_count = (uint32_t) MIN(MAX(limit_bytes / PAGE_BYTES, (size_t) POOL_FRAMES_MIN), (size_t) UINT32_MAX / 4);
  p->rest_after = MAX(MIN(p->frame_count / REST_SHARE, (uint32_t) REST_PAGES_MAX), 1u);
  size_t slots = (size_t) p->frame_count + 1;
  p->base = memory_reserve(slots * PAGE_BYTES);
  p->frames = mem_zalloc(slots * sizeof *p->frames);
  p->referenced = mem_zalloc(slots);
  p->free_list = mem_alloc(slots * sizeof *p->free_list);
  p->retired = mem_alloc(slots * sizeof *p->retired);
  p->accesses = mem_zalloc(p->accesses_max * sizeof *p->accesses);
  if (p->base == NULL || p->frames == NULL || p->referenced == NULL || p->free_list == NULL || p->retired == NULL || p->accesses == NULL)
    return error_set(e, ERR_NOMEM, "There is no memory for a page cache of %zu bytes.", limit_bytes);
  for (uint32_t i = p->frame_count; i > 0; i--) p->free_list[p->free_count++] = i;
  return ERR_OK;
}

enum err page_pool_open(const struct page_pool_options *options, struct page_pool **ret, struct error *e) {
  struct page_pool *p = mem_zalloc(sizeof *p);
  if (p == NULL) return error_ensure(e, ERR_NOMEM);
  p->poison = options->poison;
  p->wait_ms = options->wait_ms;
  p->events = options->events;
  p->accesses_max = options->accesses_max > 0 ? options->accesses_max : ACCESSES_DEFAULT;
  atomic_init(&p->epoch, 1);
  mutex_init(&p->free_mutex);
  mutex_init(&p->evict_mutex);
  enum err err = pool_allocate(p, options->limit_bytes, e);
  if (err != ERR_OK) {
    page_pool_close(p);
    return err;
  }
  *ret = p;
  return ERR_OK;
}

void page_pool_close(struct page_pool *p) {
  if (p == NULL) return;
  for (size_t i = 0; i < p->memory_count; i++) mem_free(p->memory[i].memory);
  mem_free(p->memory);
  memory_release(p->base, ((size_t) p->frame_count + 1) * PAGE_BYTES);
  mem_free(p->frames);
  mem_free((void *) p->referenced);
  mem_free(p->free_list);
  mem_free(p->retired);
  mem_free(p->accesses);
  mutex_done(&p->free_mutex);
  mutex_done(&p->evict_mutex);
  mem_free(p);
}

void page_pool_stats(struct page_pool *p, struct page_pool_stats *ret) {
  mutex_lock(&p->free_mutex);
  *ret = (struct page_pool_stats){.frames = p->frame_count, .frames_used = p->frame_count - p->free_count - p->retired_count};
  mutex_unlock(&p->free_mutex);
  ret->reads = atomic_load(&p->reads);
  ret->evictions = atomic_load(&p->evictions);
  ret->spills = atomic_load(&p->spills);
  ret->waits = atomic_load(&p->waits);
  ret->batches = atomic_load(&p->batches);
  ret->batched_reads = atomic_load(&p->batched_reads);
}

// ---- accesses ----

enum err page_access_open(struct page_pool *p, struct page_access **ret, struct error *e) {
  for (unsigned i = 0; i < p->accesses_max; i++) {
    struct page_access *a = &p->accesses[i];
    if (atomic_exchange(&a->taken, true)) continue;
    a->pool = p;
    unsigned high = atomic_load(&p->accesses_high);
    while (high < i + 1 && !atomic_compare_exchange_weak(&p->accesses_high, &high, i + 1)) continue;
    *ret = a;
    return ERR_OK;
  }
  return error_set(e, ERR_LIMIT, "All %u page accesses are taken.", p->accesses_max);
}

void page_access_close(struct page_access *a) {
  if (a == NULL) return;
  assert(a->depth == 0);
  mem_free(a->copies);
  a->copies = NULL;
  a->copy_capacity = 0;
  atomic_store(&a->taken, false);
}

void page_access_enter(struct page_access *a) {
  if (a->depth++ > 0) return;
  a->loaded = 0;
  atomic_store(&a->entered, atomic_load(&a->pool->epoch));
}

static void poison_copies(struct page_access *a) {
  for (size_t i = 0; i < a->copy_count; i++) {
    memset(a->copies[i], POISON, PAGE_BYTES);
    mem_free(a->copies[i]);
  }
  a->copy_count = 0;
}

void page_access_leave(struct page_access *a) {
  assert(a->depth > 0);
  if (--a->depth > 0) return;
  poison_copies(a);
  atomic_store_explicit(&a->entered, 0, memory_order_release);
}

bool page_access_should_rest(const struct page_access *a) {
  return a->loaded >= a->pool->rest_after || atomic_load_explicit(&a->pool->waiting, memory_order_relaxed) > 0;
}

void page_access_rest(struct page_access *a) {
  assert(a->depth > 0);
  poison_copies(a);
  a->loaded = 0;
  atomic_store(&a->entered, atomic_load(&a->pool->epoch)); // what was retired until now is none of its business any more
}

uint64_t pool_retire(struct page_pool *p) {
  return atomic_fetch_add(&p->epoch, 1);
}

bool pool_is_safe(struct page_pool *p, uint64_t retired) {
  if (MUTANT(page_reuse_access)) return true;
  unsigned high = atomic_load(&p->accesses_high);
  for (unsigned i = 0; i < high; i++) {
    uint64_t entered = atomic_load(&p->accesses[i].entered);
    if (entered != 0 && entered <= retired) return false;
  }
  return true;
}

// ---- frames ----

static void sweep_retired(struct page_pool *p) {
  while (p->retired_count > 0) {
    struct retired_frame *oldest = &p->retired[p->retired_first];
    if (!pool_is_safe(p, oldest->after)) return;
    p->free_list[p->free_count++] = oldest->frame;
    p->retired_first = (p->retired_first + 1) % (p->frame_count + 1);
    p->retired_count--;
  }
}

void pool_retire_frame(struct page_pool *p, uint32_t frame) {
  struct frame *f = &p->frames[frame];
  atomic_store(&f->state, FRAME_FREE);
  atomic_store(&f->space, NULL);
  mutex_lock(&p->free_mutex);
  p->retired[(p->retired_first + p->retired_count++) % (p->frame_count + 1)] = (struct retired_frame){frame, pool_retire(p)};
  mutex_unlock(&p->free_mutex);
}

void pool_give_frame(struct page_pool *p, uint32_t frame) {
  atomic_store(&p->frames[frame].state, FRAME_FREE);
  atomic_store(&p->frames[frame].space, NULL);
  mutex_lock(&p->free_mutex);
  p->free_list[p->free_count++] = frame;
  mutex_unlock(&p->free_mutex);
}

#define SWEEP_EVERY 8u

// What was retired last is used first: it is still in the processor's cache.
static uint32_t pop_free(struct page_pool *p) {
  mutex_lock(&p->free_mutex);
  if (p->free_count == 0 || p->pops++ % SWEEP_EVERY == 0) sweep_retired(p);
  uint32_t frame = p->free_count > 0 ? p->free_list[--p->free_count] : 0;
  mutex_unlock(&p->free_mutex);
  return frame;
}

uint32_t pool_free_count(struct page_pool *p) {
  mutex_lock(&p->free_mutex);
  sweep_retired(p);
  uint32_t count = p->free_count;
  mutex_unlock(&p->free_mutex);
  return count;
}

#define EVICT_ROUNDS 8
#define EVICT_AT_ONCE 32u
#define WAIT_STEP_NS 1000000

// What is evicted now can be used only after those who are inside have left, the caller among them: so eviction goes ahead of
// need, and what one access can bring in is bounded by what was free when it entered.
static void evict_ahead(struct page_pool *p) {
  uint32_t low = MAX(p->frame_count / 8, 1u), free_now, coming;
  mutex_lock(&p->free_mutex);
  free_now = p->free_count;
  coming = p->retired_count;
  mutex_unlock(&p->free_mutex);
  if (free_now < low && coming < low) (void) (pool_evict(p, NULL, low, NULL) == ERR_OK);
}

// True if others than `mine` are inside who may still look at what was retired first.
static bool others_are_inside(struct page_pool *p, const struct page_access *mine) {
  mutex_lock(&p->free_mutex);
  uint64_t after = p->retired_count > 0 ? p->retired[p->retired_first].after : 0;
  mutex_unlock(&p->free_mutex);
  unsigned high = atomic_load(&p->accesses_high);
  bool others = false;
  for (unsigned i = 0; i < high; i++) {
    uint64_t entered = atomic_load(&p->accesses[i].entered);
    if (entered == 0 || entered > after) continue;
    if (&p->accesses[i] == mine) return false; // waiting for oneself is of no use
    others = true;
  }
  return others;
}

static uint32_t evict_and_pop(struct page_pool *p, struct error *e, enum err *ret) {
  uint32_t frame = pop_free(p);
  *ret = ERR_OK;
  for (int round = 0; frame == 0 && round < EVICT_ROUNDS && *ret == ERR_OK; round++) {
    *ret = pool_evict(p, NULL, EVICT_AT_ONCE, e);
    frame = pop_free(p);
  }
  return frame;
}

// Those who are inside rest every few milliseconds; a query that never does is why this ends.
static uint32_t wait_for_frame(struct page_pool *p, const struct page_access *mine, struct error *e, enum err *ret) {
  uint32_t frame = 0;
  atomic_fetch_add(&p->waiting, 1);
  for (unsigned waited = 0; frame == 0 && *ret == ERR_OK && waited < p->wait_ms && others_are_inside(p, mine); waited++) {
    atomic_fetch_add_explicit(&p->waits, waited == 0, memory_order_relaxed);
    thread_sleep_ns(WAIT_STEP_NS);
    frame = evict_and_pop(p, e, ret);
  }
  atomic_fetch_sub(&p->waiting, 1);
  return frame;
}

static uint32_t hold(struct page_pool *p, uint32_t frame) {
  struct frame *f = &p->frames[frame];
  f->node = f->checksum = 0;
  f->physical = f->epoch = f->id = 0;
  atomic_store(&f->state, FRAME_HELD);
  atomic_store_explicit(&p->referenced[frame], 1, memory_order_relaxed);
  return frame;
}

enum err pool_take_frame(struct page_pool *p, const struct page_access *mine, uint32_t *ret, struct error *e) {
  enum err err = ERR_OK;
  evict_ahead(p);
  uint32_t frame = evict_and_pop(p, e, &err);
  if (frame == 0 && err == ERR_OK && mine != NULL) frame = wait_for_frame(p, mine, e, &err);
  if (frame != 0) {
    *ret = hold(p, frame);
    return ERR_OK;
  }
  if (err != ERR_OK) return err;
  return error_set(e, ERR_MEMORY_POOL,
                   "The page cache of %u pages is full of pages that are in use. Raise server.memory.pagecache.size, or end long "
                   "transactions.",
                   p->frame_count);
}

static void sweep_memory(struct page_pool *p) {
  size_t kept = 0;
  for (size_t i = 0; i < p->memory_count; i++) {
    if (pool_is_safe(p, p->memory[i].after))
      mem_free(p->memory[i].memory);
    else
      p->memory[kept++] = p->memory[i];
  }
  p->memory_count = kept;
}

// Rare: a few times in a database's life. What cannot be remembered for lack of memory stays allocated: that is safe.
void pool_retire_memory(struct page_pool *p, void *memory) {
  mutex_lock(&p->free_mutex);
  sweep_memory(p);
  if (p->memory_count == p->memory_capacity) {
    struct retired_memory *grown = mem_realloc(p->memory, (p->memory_capacity + 16) * sizeof *grown);
    if (grown != NULL) {
      p->memory = grown;
      p->memory_capacity += 16;
    }
  }
  if (p->memory_count < p->memory_capacity) p->memory[p->memory_count++] = (struct retired_memory){memory, pool_retire(p)};
  mutex_unlock(&p->free_mutex);
}
