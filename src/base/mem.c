#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

// Up to this size malloc answers from a cache of the thread's own, which calloc of the C library does not look into.
enum { CACHED_BYTES_MAX = 1024 };

struct fault fault_alloc = {.countdown = -1};

void fault_arm(struct fault *f, int64_t after, int64_t repeat) {
  atomic_store(&f->fired, false);
  atomic_store(&f->repeat, repeat);
  atomic_store(&f->countdown, after);
}

void fault_disarm(struct fault *f) {
  atomic_store(&f->countdown, -1);
}

bool fault_fired(const struct fault *f) {
  return atomic_load(&f->fired);
}

bool fault_hit(struct fault *f) {
  if (LIKELY(atomic_load_explicit(&f->countdown, memory_order_relaxed) < 0)) return false;
  if (atomic_load(&f->countdown) > 0) {
    atomic_fetch_sub(&f->countdown, 1);
    return false;
  }
  if (atomic_load(&f->repeat) == 0) return false;
  if (atomic_load(&f->repeat) > 0) atomic_fetch_sub(&f->repeat, 1);
  atomic_store(&f->fired, true);
  return true;
}

void mem_budget_init(struct mem_budget *b, struct mem_budget *parent, int64_t limit_bytes, enum err over, const char *setting) {
  *b = (struct mem_budget){.parent = parent, .limit_bytes = limit_bytes, .over = over, .setting = setting};
}

static enum err refuse(const struct mem_budget *b, size_t bytes, struct error *e) {
  return error_set(e, b->over, "The allocation of an extra %zu bytes would use more than the limit of %lld bytes. %s%s%s", bytes,
                   (long long) b->limit_bytes, b->setting ? "It is set by " : "", b->setting ? b->setting : "",
                   b->setting ? "." : "");
}

enum err mem_budget_charge(struct mem_budget *b, size_t bytes, struct error *e) {
  for (struct mem_budget *at = b; at != NULL; at = at->parent) {
    int64_t used = atomic_fetch_add(&at->used_bytes, (int64_t) bytes) + (int64_t) bytes;
    if (at->limit_bytes > 0 && used > at->limit_bytes) {
      for (struct mem_budget *undo = b;; undo = undo->parent) {
        atomic_fetch_sub(&undo->used_bytes, (int64_t) bytes);
        if (undo == at) return refuse(at, bytes, e);
      }
    }
    int64_t peak = atomic_load_explicit(&at->peak_bytes, memory_order_relaxed);
    while (used > peak && !atomic_compare_exchange_weak(&at->peak_bytes, &peak, used)) continue;
  }
  return ERR_OK;
}

void mem_budget_release(struct mem_budget *b, size_t bytes) {
  for (; b != NULL; b = b->parent) atomic_fetch_sub(&b->used_bytes, (int64_t) bytes);
}

void *mem_alloc(size_t bytes) {
  return UNLIKELY(fault_hit(&fault_alloc)) ? NULL : malloc(bytes);
}

void *mem_zalloc(size_t bytes) {
  if (UNLIKELY(fault_hit(&fault_alloc))) return NULL;
  if (bytes > CACHED_BYTES_MAX) return calloc(1, bytes);
  void *p = malloc(bytes);
  return p != NULL ? memset(p, 0, bytes) : NULL;
}

void *mem_realloc(void *p, size_t bytes) {
  return UNLIKELY(fault_hit(&fault_alloc)) ? NULL : realloc(p, bytes);
}

void mem_free(void *p) {
  free(p);
}
