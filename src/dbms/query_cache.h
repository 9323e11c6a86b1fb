// Compiled plans of one database by their text. Thread-safe. Private to dbms.
//
// A plan that is found may be out of date: the caller compares the versions that it was built under (pipeline.c) and drops it.
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "plan/plan.h"

struct query_cache;

/// Room for `capacity` plans; 0 keeps none.
enum err query_cache_new(uint32_t capacity, struct query_cache **ret, struct error *e) NODISCARD;
void query_cache_free(struct query_cache *c);

/// A plan of exactly this text with a reference for the caller, or NULL. `dialect`: the same text means something else in
/// another.
struct plan *query_cache_get(struct query_cache *c, uint32_t dialect, struct str text);

/// Keeps a reference to `p`, in place of an older plan of its text or of those that were not used for longest. A cache that finds no
/// memory keeps nothing, and nobody keeps a plan of more than 4 MB.
void query_cache_put(struct query_cache *c, uint32_t dialect, struct plan *p);

void query_cache_clear(struct query_cache *c);
uint32_t query_cache_size(struct query_cache *c);
