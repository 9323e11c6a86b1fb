// The lock manager: shared and exclusive locks on numbered resources, first come first served, with upgrades and deadlock
// detection. No thread ever blocks in it: who must wait is told so (ERR_WAIT), is woken by a call, and asks again.
//
// The table is cut into stripes, each with a mutex of its own; taking a lock that is free touches one stripe. A request that must
// wait takes all stripes in order, joins the queue and looks for a cycle from itself; whoever closes a cycle is refused
// (ERR_DEADLOCK), so there is never one among the waiting.
#pragma once

#include "base/map.h"
#include "graph/types.h"
#include "graph/write.h"
#include "os/clock.h"
#include "os/thread.h"

enum { LOCK_STRIPES = 64 };

enum lock_kind { LOCK_NODE, LOCK_REL, LOCK_KEY, LOCK_SCHEMA };

/// Kind in the upper bits, an entity id or the hash of an index key below.
typedef uint64_t lock_resource;

static inline lock_resource lock_resource_of(enum lock_kind kind, uint64_t id) {
  return (uint64_t) kind << 62 | (id & (UINT64_MAX >> 2));
}

struct lock;
struct lock_owner;

enum lock_wait_state { LOCK_WAIT_NONE, LOCK_WAIT_QUEUED, LOCK_WAIT_GRANTED, LOCK_WAIT_REFUSED };

/// A lock that is held or waited for.
struct lock_hold {
  struct lock *lock;
  struct lock_owner *owner;
  enum graph_lock_mode mode;
  struct lock_hold *previous, *next; // among the lock's holders, or in its queue
  struct lock_hold *owner_next;      // among the owner's
};

enum { LOCK_HOLDS_INSIDE = 4 };

/// One transaction's locks. One owner thread at a time; `wake` comes from any. Few locks are looked for in the list and need no
/// memory of their own; many are in the map too.
struct lock_owner {
  /// Something that this owner waited for was granted or refused. Called under a mutex: it may only take note.
  void (*wake)(struct lock_owner *owner);
  struct map held; // resource -> struct lock_hold *; empty while there are few
  struct lock_hold *holds;
  uint32_t hold_count;
  uint32_t inside_count; // of `inside`, given out so far
  struct lock_hold inside[LOCK_HOLDS_INSIDE];
  // What it waits for: guarded by the stripe of `wait_resource`.
  _Atomic enum lock_wait_state wait_state;
  lock_resource wait_resource;
  enum graph_lock_mode wait_mode;
  struct lock_hold *wait_hold; // in the queue, or granted; NULL for an upgrade that is granted
  bool wait_upgrade;
  bool first_in_line;                             // its requests stand at the front of queues
  int64_t wait_until_ns;                          // INT64_MAX: for ever
  struct lock_owner *timed_previous, *timed_next; // among those with an end, guarded by locks.timed_mutex
  bool timed;
  struct lock_owner *seen_next; // a detection's work list; guarded by all stripes
  uint64_t seen;
};

#define LOCK_STRIPE_BYTES 128u // two lines of a processor's cache

struct lock_stripe {
  struct mutex mutex;
  struct map table; // resource -> struct lock *
  char apart[LOCK_STRIPE_BYTES - sizeof(struct mutex) - sizeof(struct map)]; // no two share a line, wherever the first begins
};

struct locks {
  struct lock_stripe stripes[LOCK_STRIPES];
  struct clock *clock;
  struct mutex timed_mutex;
  struct lock_owner *timed;
  uint64_t detections; // guarded by all stripes
  _Atomic uint64_t held, waits, deadlocks;
};

void locks_init(struct locks *l, struct clock *clock);
/// Nothing may be held.
void locks_done(struct locks *l);

void lock_owner_init(struct lock_owner *o, void (*wake)(struct lock_owner *));

/// ERR_OK: held, at least in that mode, until locks_release. ERR_WAIT: queued; ask again for the same after a wake. ERR_DEADLOCK,
/// ERR_LOCK_TIMEOUT, ERR_NOMEM: not held. Asking for something else while queued gives the place in the queue up.
enum err lock_acquire(struct locks *l, struct lock_owner *o, lock_resource resource, enum graph_lock_mode mode,
                      int64_t timeout_ns, struct error *e) NODISCARD;

/// True if the owner holds it already in that mode or a stronger one.
bool lock_is_held(const struct lock_owner *o, lock_resource resource, enum graph_lock_mode mode);

/// Gives back everything and what is waited for; wakes those who can go on.
void locks_release(struct locks *l, struct lock_owner *o);

/// Refuses waits whose time is over; returns when the next one ends, or INT64_MAX.
int64_t locks_expire(struct locks *l);
