#include "dbms/query_cache.h"

#include "base/checksum.h"
#include "base/map.h"
#include "base/mem.h"
#include "os/thread.h"

/// One plan, in the list of use: newest first.
struct entry {
  struct entry *newer, *older;
  struct plan *plan;
  uint32_t dialect;
  size_t bytes;
  uint64_t hash;
};

// A statement of megabytes makes a plan of hundreds of them. Such are not kept, and all that are kept together have an end.
#define PLAN_BYTES_MAX ((size_t) 4 << 20)
#define PLANS_BYTES_MAX ((size_t) 256 << 20)

struct query_cache {
  struct mutex mutex; // everything below
  uint32_t capacity, len;
  size_t bytes;       // of all plans
  struct map by_hash; // hash of dialect and text -> struct entry *
  struct entry *newest, *oldest;
};

enum err query_cache_new(uint32_t capacity, struct query_cache **ret, struct error *e) {
  struct query_cache *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_set(e, ERR_NOMEM, "no memory for the plan cache");
  mutex_init(&c->mutex);
  c->capacity = capacity;
  *ret = c;
  return ERR_OK;
}

static void unlink_entry(struct query_cache *c, struct entry *entry) {
  *(entry->newer != NULL ? &entry->newer->older : &c->newest) = entry->older;
  *(entry->older != NULL ? &entry->older->newer : &c->oldest) = entry->newer;
}

static void link_newest(struct query_cache *c, struct entry *entry) {
  entry->newer = NULL;
  entry->older = c->newest;
  *(c->newest != NULL ? &c->newest->newer : &c->oldest) = entry;
  c->newest = entry;
}

static void drop(struct query_cache *c, struct entry *entry) {
  unlink_entry(c, entry);
  map_remove(&c->by_hash, entry->hash);
  c->bytes -= entry->bytes;
  plan_unref(entry->plan);
  mem_free(entry);
  c->len--;
}

void query_cache_clear(struct query_cache *c) {
  mutex_lock(&c->mutex);
  while (c->newest != NULL) drop(c, c->newest);
  mutex_unlock(&c->mutex);
}

void query_cache_free(struct query_cache *c) {
  if (c == NULL) return;
  query_cache_clear(c);
  map_done(&c->by_hash);
  mutex_done(&c->mutex);
  mem_free(c);
}

static struct entry *find(struct query_cache *c, uint64_t hash) {
  uint64_t *place = map_get(&c->by_hash, hash);
  return place != NULL ? (struct entry *) (uintptr_t) *place : NULL;
}

static uint64_t hash_of(uint32_t dialect, struct str text) {
  return hash64(text.ptr, text.len, dialect);
}

struct plan *query_cache_get(struct query_cache *c, uint32_t dialect, struct str text) {
  struct plan *found = NULL;
  mutex_lock(&c->mutex);
  struct entry *entry = find(c, hash_of(dialect, text));
  if (entry != NULL && entry->dialect == dialect && str_eq(entry->plan->statement->text, text)) {
    unlink_entry(c, entry);
    link_newest(c, entry);
    found = plan_ref(entry->plan);
  }
  mutex_unlock(&c->mutex);
  return found;
}

void query_cache_put(struct query_cache *c, uint32_t dialect, struct plan *p) {
  size_t bytes = arena_bytes(&p->arena);
  if (c->capacity == 0 || bytes > PLAN_BYTES_MAX) return;
  struct str text = p->statement->text;
  mutex_lock(&c->mutex);
  struct entry *old = find(c, hash_of(dialect, text));
  if (old != NULL) drop(c, old);
  if (c->len == c->capacity) drop(c, c->oldest);
  while (c->len > 0 && c->bytes + bytes > PLANS_BYTES_MAX) drop(c, c->oldest);
  struct entry *entry = mem_zalloc(sizeof *entry);
  if (entry != NULL) {
    *entry = (struct entry){.plan = p, .dialect = dialect, .bytes = bytes, .hash = hash_of(dialect, text)};
    if (map_put(&c->by_hash, entry->hash, (uint64_t) (uintptr_t) entry) == ERR_OK) {
      plan_ref(p);
      link_newest(c, entry);
      c->bytes += bytes;
      c->len++;
    } else {
      mem_free(entry);
    }
  }
  mutex_unlock(&c->mutex);
}

uint32_t query_cache_size(struct query_cache *c) {
  mutex_lock(&c->mutex);
  uint32_t len = c->len;
  mutex_unlock(&c->mutex);
  return len;
}
