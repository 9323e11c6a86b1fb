#include "plan/plan.h"

#include <stdatomic.h>

enum err plan_new(struct mem_budget *budget, struct plan **ret, struct error *e) {
  struct plan *p = mem_zalloc(sizeof *p);
  if (p == NULL) return error_ensure(e, ERR_NOMEM);
  atomic_init(&p->references, 1);
  arena_init(&p->arena, budget);
  *ret = p;
  return ERR_OK;
}

struct arena *plan_arena(struct plan *p) {
  return &p->arena;
}

struct plan *plan_ref(struct plan *p) {
  atomic_fetch_add_explicit(&p->references, 1, memory_order_relaxed);
  return p;
}

void plan_unref(struct plan *p) {
  if (p == NULL || atomic_fetch_sub_explicit(&p->references, 1, memory_order_acq_rel) != 1) return;
  arena_done(&p->arena);
  mem_free(p);
}
