// Allocation that is counted and can be made to fail.
//
// A budget is a node in a tree (query -> database -> server); charging one charges its parents, and the first limit that
// would be passed refuses the whole charge. Budgets are thread-safe. Whoever frees memory gives back what it charged.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

struct mem_budget {
  struct mem_budget *parent; // NULL at the root; outlives this one
  int64_t limit_bytes;       // 0: no limit of its own
  enum err over;             // what a refused charge returns: ERR_TX_MEMORY, ERR_MEMORY_POOL, ...
  const char *setting;       // the setting that raises the limit, for the message; may be NULL
  _Atomic int64_t used_bytes;
  _Atomic int64_t peak_bytes;
};

void mem_budget_init(struct mem_budget *b, struct mem_budget *parent, int64_t limit_bytes, enum err over, const char *setting);

/// ERR_OK, or the `over` of the budget whose limit is in the way, with a message that names the limit and its setting.
enum err mem_budget_charge(struct mem_budget *b, size_t bytes, struct error *e) NODISCARD;
void mem_budget_release(struct mem_budget *b, size_t bytes);

/// malloc, calloc, realloc, free with the fault countdown of base/fault.h in front. NULL when out of memory.
void *mem_alloc(size_t bytes) NODISCARD;
void *mem_zalloc(size_t bytes) NODISCARD;
void *mem_realloc(void *p, size_t bytes) NODISCARD;
void mem_free(void *p);
