// Compiled plans of one database by their text. Thread-safe. Private to dbms.
//
// A plan that is found may be out of date: the caller compares the versions that it was built under (pipeline.c) and drops it.
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "plan/plan.h"

struct plan_cache;

/// Room for `capacity` plans; 0 keeps none.
enum err plan_cache_new(uint32_t capacity, struct plan_cache **ret, struct error *e) NODISCARD;
void plan_cache_free(struct plan_cache *c);

/// A plan of exactly this text with a reference for the caller, or NULL.
struct plan *plan_cache_get(struct plan_cache *c, struct str text);

/// Keeps a reference to `p`, in place of an older plan of its text or of the one that was not used for longest. A cache that finds no
/// memory keeps nothing.
void plan_cache_put(struct plan_cache *c, struct plan *p);

void plan_cache_clear(struct plan_cache *c);
uint32_t plan_cache_size(struct plan_cache *c);
