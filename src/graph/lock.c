#include "graph/lock_int.h"

#include "base/checksum.h"
#include "base/mem.h"

struct lock {
  lock_resource resource;
  struct lock_hold *holders;      // several shared ones, or one exclusive
  struct lock_hold *first, *last; // the queue; upgrades stand at its front
};

void locks_init(struct locks *l, struct clock *clock) {
  *l = (struct locks){.clock = clock};
  for (int i = 0; i < LOCK_STRIPES; i++) mutex_init(&l->stripes[i].mutex);
  mutex_init(&l->timed_mutex);
}

void locks_done(struct locks *l) {
  for (int i = 0; i < LOCK_STRIPES; i++) {
    map_done(&l->stripes[i].table);
    mutex_done(&l->stripes[i].mutex);
  }
  mutex_done(&l->timed_mutex);
}

void lock_owner_init(struct lock_owner *o, void (*wake)(struct lock_owner *)) {
  *o = (struct lock_owner){.wake = wake, .wait_until_ns = INT64_MAX};
}

static struct lock_stripe *stripe_of(struct locks *l, lock_resource resource) {
  return &l->stripes[hash_u64(resource) % LOCK_STRIPES];
}

static void lock_all_stripes(struct locks *l) {
  for (int i = 0; i < LOCK_STRIPES; i++) mutex_lock(&l->stripes[i].mutex);
}

static void unlock_all_stripes(struct locks *l) {
  for (int i = LOCK_STRIPES; i-- > 0;) mutex_unlock(&l->stripes[i].mutex);
}

// ---- the owner's side ----

enum { LISTED_HOLDS_MAX = 8 }; // more are in the map

static struct lock_hold *owner_hold(const struct lock_owner *o, lock_resource resource) {
  if (o->held.len > 0) {
    uint64_t *at = map_get(&o->held, resource);
    return at != NULL ? (struct lock_hold *) (uintptr_t) *at : NULL;
  }
  struct lock_hold *h = o->holds;
  while (h != NULL && h->lock->resource != resource) h = h->owner_next;
  return h;
}

/// Room for one more hold, made before the lock is asked for.
static enum err owner_reserve(struct lock_owner *o, lock_resource resource) {
  if (o->hold_count < LISTED_HOLDS_MAX) return ERR_OK;
  if (o->held.len == 0)
    for (struct lock_hold *h = o->holds; h != NULL; h = h->owner_next) {
      enum err err = map_put(&o->held, h->lock->resource, (uintptr_t) h);
      if (err == ERR_OK) continue;
      map_clear(&o->held);
      return err;
    }
  return map_put(&o->held, resource, 0);
}

static struct lock_hold *hold_make(struct lock_owner *o, enum graph_lock_mode mode) {
  struct lock_hold *h = o->inside_count < LOCK_HOLDS_INSIDE ? &o->inside[o->inside_count++] : mem_alloc(sizeof *h);
  if (h != NULL) *h = (struct lock_hold){.owner = o, .mode = mode};
  return h;
}

/// Those inside are given out once: another thread may give one back.
static void hold_free(struct lock_hold *h) {
  if (h == NULL || (h >= h->owner->inside && h < h->owner->inside + LOCK_HOLDS_INSIDE)) return;
  mem_free(h);
}

bool lock_is_held(const struct lock_owner *o, lock_resource resource, enum graph_lock_mode mode) {
  const struct lock_hold *h = owner_hold(o, resource);
  return h != NULL && h->mode >= mode;
}

/// The owner has room for it: see owner_reserve.
static void owner_add(struct locks *l, struct lock_owner *o, struct lock_hold *h) {
  if (o->held.len > 0) *map_get(&o->held, h->lock->resource) = (uintptr_t) h;
  o->hold_count++;
  h->owner_next = o->holds;
  o->holds = h;
  atomic_fetch_add_explicit(&l->held, 1, memory_order_relaxed);
}

// ---- queue and holders; all under the stripe's mutex ----

static void holder_add(struct lock *k, struct lock_hold *h) {
  h->previous = NULL;
  h->next = k->holders;
  if (k->holders != NULL) k->holders->previous = h;
  k->holders = h;
}

static void holder_remove(struct lock *k, struct lock_hold *h) {
  if (h->previous != NULL)
    h->previous->next = h->next;
  else
    k->holders = h->next;
  if (h->next != NULL) h->next->previous = h->previous;
}

static void queue_add(struct lock *k, struct lock_hold *h, bool front) {
  h->previous = front ? NULL : k->last;
  h->next = front ? k->first : NULL;
  *(h->previous != NULL ? &h->previous->next : &k->first) = h;
  *(h->next != NULL ? &h->next->previous : &k->last) = h;
}

static void queue_remove(struct lock *k, struct lock_hold *h) {
  *(h->previous != NULL ? &h->previous->next : &k->first) = h->next;
  *(h->next != NULL ? &h->next->previous : &k->last) = h->previous;
}

/// Whether the holders other than `o` leave room for that mode.
static bool holders_allow(const struct lock *k, const struct lock_owner *o, enum graph_lock_mode mode) {
  for (const struct lock_hold *h = k->holders; h != NULL; h = h->next) {
    if (h->owner == o) continue;
    if (mode == GRAPH_LOCK_EXCLUSIVE || h->mode == GRAPH_LOCK_EXCLUSIVE) return false;
    if (mode == GRAPH_LOCK_SHARED) return true; // one shared holder stands for all
  }
  return true;
}

static void timed_remove(struct locks *l, struct lock_owner *o) {
  mutex_lock(&l->timed_mutex);
  if (o->timed) {
    *(o->timed_previous != NULL ? &o->timed_previous->timed_next : &l->timed) = o->timed_next;
    if (o->timed_next != NULL) o->timed_next->timed_previous = o->timed_previous;
    o->timed = false;
  }
  mutex_unlock(&l->timed_mutex);
}

static void timed_add(struct locks *l, struct lock_owner *o) {
  if (o->wait_until_ns == INT64_MAX) return;
  mutex_lock(&l->timed_mutex);
  o->timed_previous = NULL;
  o->timed_next = l->timed;
  if (l->timed != NULL) l->timed->timed_previous = o;
  l->timed = o;
  o->timed = true;
  mutex_unlock(&l->timed_mutex);
}

/// An upgrade strengthens the hold that is there; another request's hold moves from the queue to the holders.
static void grant(struct locks *l, struct lock *k, struct lock_hold *h) {
  struct lock_owner *o = h->owner;
  queue_remove(k, h);
  timed_remove(l, o);
  if (o->wait_upgrade) {
    for (struct lock_hold *own = k->holders; own != NULL; own = own->next)
      if (own->owner == o) own->mode = GRAPH_LOCK_EXCLUSIVE;
    hold_free(h);
    o->wait_hold = NULL;
  } else {
    holder_add(k, h);
  }
  o->wait_state = LOCK_WAIT_GRANTED;
  o->wake(o);
}

static void grant_waiting(struct locks *l, struct lock *k) {
  while (k->first != NULL && holders_allow(k, k->first->owner, k->first->mode)) grant(l, k, k->first);
}

static void drop_if_unused(struct lock_stripe *s, struct lock *k) {
  if (k->holders != NULL || k->first != NULL) return;
  map_remove(&s->table, k->resource);
  mem_free(k);
}

static struct lock *find_lock(const struct lock_stripe *s, lock_resource resource) {
  uint64_t *at = map_get(&s->table, resource);
  return at != NULL ? (struct lock *) (uintptr_t) *at : NULL;
}

static struct lock *find_or_make_lock(struct lock_stripe *s, lock_resource resource) {
  struct lock *k = find_lock(s, resource);
  if (k != NULL) return k;
  k = mem_zalloc(sizeof *k);
  if (k == NULL) return NULL;
  k->resource = resource;
  if (map_put(&s->table, resource, (uintptr_t) k) == ERR_OK) return k;
  mem_free(k);
  return NULL;
}

// ---- deadlocks; under all stripes ----

static void see(struct locks *l, struct lock_owner *o, struct lock_owner ***tail) {
  if (o->seen == l->detections || o->wait_state != LOCK_WAIT_QUEUED) return;
  o->seen = l->detections;
  o->seen_next = NULL;
  **tail = o;
  *tail = &o->seen_next;
}

/// Whether `start`, which has just been queued, waits for itself through others: holders in the way and those before it in the
/// queue, and whom these wait for.
static bool closes_cycle(struct locks *l, struct lock_owner *start) {
  struct lock_owner *list = NULL, **tail = &list;
  l->detections++;
  see(l, start, &tail);
  for (struct lock_owner *o = list; o != NULL; o = o->seen_next) {
    const struct lock *k = o->wait_hold->lock;
    bool exclusive = o->wait_mode == GRAPH_LOCK_EXCLUSIVE;
    for (const struct lock_hold *h = k->holders; h != NULL; h = h->next) {
      if (h->owner == o || (!exclusive && h->mode == GRAPH_LOCK_SHARED)) continue;
      if (h->owner == start) return true;
      see(l, h->owner, &tail);
    }
    for (const struct lock_hold *h = o->wait_hold->previous; h != NULL; h = h->previous) {
      if (!exclusive && h->mode == GRAPH_LOCK_SHARED) continue;
      if (h->owner == start) return true;
      see(l, h->owner, &tail);
    }
  }
  return false;
}

// ---- asking ----

static enum err refuse_deadlock(struct locks *l, const struct lock_owner *o, lock_resource resource, struct error *e) {
  atomic_fetch_add_explicit(&l->deadlocks, 1, memory_order_relaxed);
  static const char *const kinds[] = {"NODE", "RELATIONSHIP", "INDEX_ENTRY", "SCHEMA"};
  return error_set(
      e, ERR_DEADLOCK,
      "The transaction can't acquire the %s lock on %s(%llu): it is held by a transaction that waits, directly or through "
      "others, for this one. Roll back and try again.",
      o->wait_mode == GRAPH_LOCK_EXCLUSIVE ? "exclusive" : "shared", kinds[resource >> 62],
      (unsigned long long) (resource & (UINT64_MAX >> 2)));
}

/// Leaves the queue, or keeps what was granted while nobody looked.
static enum err give_up_wait(struct locks *l, struct lock_owner *o) {
  if (o->wait_state == LOCK_WAIT_NONE) return ERR_OK;
  struct lock_stripe *s = stripe_of(l, o->wait_resource);
  mutex_lock(&s->mutex);
  if (o->wait_state == LOCK_WAIT_QUEUED) {
    struct lock *k = o->wait_hold->lock;
    queue_remove(k, o->wait_hold);
    timed_remove(l, o);
    grant_waiting(l, k);
    drop_if_unused(s, k);
  }
  enum lock_wait_state state = o->wait_state;
  o->wait_state = LOCK_WAIT_NONE;
  mutex_unlock(&s->mutex);
  if (state == LOCK_WAIT_GRANTED) {
    if (o->wait_hold != NULL) owner_add(l, o, o->wait_hold);
  } else {
    hold_free(o->wait_hold);
    if (!o->wait_upgrade) map_remove(&o->held, o->wait_resource);
  }
  o->wait_hold = NULL;
  return state == LOCK_WAIT_REFUSED ? ERR_LOCK_TIMEOUT : ERR_OK;
}

static bool still_queued(struct locks *l, struct lock_owner *o) {
  struct lock_stripe *s = stripe_of(l, o->wait_resource);
  mutex_lock(&s->mutex);
  bool queued = o->wait_state == LOCK_WAIT_QUEUED;
  mutex_unlock(&s->mutex);
  return queued;
}

/// Takes it at once if nobody is in the way; `*ret_done` says so. Under the stripe's mutex.
static enum err try_acquire(struct lock_stripe *s, struct lock_owner *o, lock_resource resource, enum graph_lock_mode mode,
                            struct lock_hold *fresh, bool *ret_done) {
  struct lock_hold *own = owner_hold(o, resource);
  struct lock *k = own != NULL ? own->lock : find_or_make_lock(s, resource);
  if (k == NULL) return ERR_NOMEM;
  *ret_done = holders_allow(k, o, mode) && (own != NULL || k->first == NULL);
  if (*ret_done && own != NULL) own->mode = mode;
  if (*ret_done && own == NULL) {
    fresh->lock = k;
    holder_add(k, fresh);
  }
  return ERR_OK;
}

/// The slow way, under all stripes: tries once more, queues, looks for a cycle.
static enum err acquire_or_queue(struct locks *l, struct lock_owner *o, lock_resource resource, enum graph_lock_mode mode,
                                 int64_t timeout_ns, struct lock_hold *fresh, bool *ret_done, struct error *e) {
  struct lock_stripe *s = stripe_of(l, resource);
  TRY(try_acquire(s, o, resource, mode, fresh, ret_done));
  if (*ret_done) return ERR_OK;
  struct lock *k = find_lock(s, resource);
  fresh->lock = k;
  o->wait_state = LOCK_WAIT_QUEUED;
  o->wait_resource = resource;
  o->wait_mode = mode;
  o->wait_hold = fresh;
  o->wait_upgrade = owner_hold(o, resource) != NULL;
  o->wait_until_ns = timeout_ns > 0 ? clock_monotonic_ns(l->clock) + timeout_ns : INT64_MAX;
  queue_add(k, fresh, o->wait_upgrade || o->first_in_line);
  if (closes_cycle(l, o)) {
    queue_remove(k, fresh);
    o->wait_state = LOCK_WAIT_NONE;
    o->wait_hold = NULL;
    drop_if_unused(s, k);
    return refuse_deadlock(l, o, resource, e);
  }
  timed_add(l, o);
  atomic_fetch_add_explicit(&l->waits, 1, memory_order_relaxed);
  return ERR_WAIT;
}

static enum err acquire_fresh(struct locks *l, struct lock_owner *o, lock_resource resource, enum graph_lock_mode mode,
                              int64_t timeout_ns, struct lock_hold *fresh, struct error *e) {
  struct lock_stripe *s = stripe_of(l, resource);
  bool done = false;
  mutex_lock(&s->mutex);
  enum err err = try_acquire(s, o, resource, mode, fresh, &done);
  mutex_unlock(&s->mutex);
  if (err == ERR_OK && !done) {
    lock_all_stripes(l);
    err = acquire_or_queue(l, o, resource, mode, timeout_ns, fresh, &done, e);
    unlock_all_stripes(l);
  }
  return err;
}

enum err lock_acquire(struct locks *l, struct lock_owner *o, lock_resource resource, enum graph_lock_mode mode,
                      int64_t timeout_ns, struct error *e) {
  if (o->wait_state != LOCK_WAIT_NONE) {
    bool same = o->wait_resource == resource && o->wait_mode >= mode;
    if (same && still_queued(l, o)) return ERR_WAIT;
    enum err err = give_up_wait(l, o);
    if (err != ERR_OK && same)
      return error_set(e, err, "The transaction waited longer than db.lock.acquisition.timeout for a lock that others hold.");
  }
  if (lock_is_held(o, resource, mode)) return ERR_OK;
  bool upgrade = owner_hold(o, resource) != NULL;
  struct lock_hold *fresh = hold_make(o, mode);
  if (fresh == NULL || (!upgrade && owner_reserve(o, resource) != ERR_OK)) {
    hold_free(fresh);
    return error_ensure(e, ERR_NOMEM);
  }
  enum err err = acquire_fresh(l, o, resource, mode, timeout_ns, fresh, e);
  if (err == ERR_WAIT) return err;
  if (err == ERR_OK && !upgrade) {
    owner_add(l, o, fresh);
  } else {
    hold_free(fresh);
    if (!upgrade) map_remove(&o->held, resource);
  }
  return err == ERR_OK ? err : error_ensure(e, err);
}

// ---- giving back ----

void locks_release(struct locks *l, struct lock_owner *o) {
  (void) give_up_wait(l, o);
  for (struct lock_hold *h = o->holds, *next; h != NULL; h = next) {
    next = h->owner_next;
    struct lock *k = h->lock;
    struct lock_stripe *s = stripe_of(l, k->resource);
    mutex_lock(&s->mutex);
    holder_remove(k, h);
    grant_waiting(l, k);
    drop_if_unused(s, k);
    mutex_unlock(&s->mutex);
    hold_free(h);
    atomic_fetch_sub_explicit(&l->held, 1, memory_order_relaxed);
  }
  o->holds = NULL;
  o->hold_count = o->inside_count = 0;
  map_done(&o->held);
}

static void refuse_late(struct locks *l, struct lock_owner *o) {
  struct lock *k = o->wait_hold->lock;
  queue_remove(k, o->wait_hold);
  timed_remove(l, o);
  o->wait_state = LOCK_WAIT_REFUSED;
  o->wake(o);
  grant_waiting(l, k);
  drop_if_unused(stripe_of(l, k->resource), k);
}

/// Of the waits with an end; INT64_MAX: there is none.
static int64_t soonest_end(struct locks *l) {
  int64_t soonest = INT64_MAX;
  mutex_lock(&l->timed_mutex);
  for (const struct lock_owner *o = l->timed; o != NULL; o = o->timed_next) soonest = MIN(soonest, o->wait_until_ns);
  mutex_unlock(&l->timed_mutex);
  return soonest;
}

int64_t locks_expire(struct locks *l) {
  int64_t soonest = soonest_end(l);
  if (soonest == INT64_MAX) return soonest;
  int64_t now = clock_monotonic_ns(l->clock);
  if (soonest > now) return soonest;
  soonest = INT64_MAX;
  lock_all_stripes(l); // so that nobody leaves the list
  for (struct lock_owner *o = l->timed, *next; o != NULL; o = next) {
    next = o->timed_next;
    if (o->wait_until_ns <= now)
      refuse_late(l, o);
    else
      soonest = MIN(soonest, o->wait_until_ns);
  }
  unlock_all_stripes(l);
  return soonest;
}
