// os/thread.h, os/clock.h and os/random.h over the world: a thread is a fiber, a wait gives way, time is virtual, chance is the
// seed's.
//
// Who finds a mutex taken waits in the world (pthread_mutex_lock and its like by the linker's --wrap).
#include "os/thread.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "os/random.h"
#include "world_int.h"

int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *m);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);
struct clock *__wrap_clock_system(void);
struct random_source *__wrap_random_system(void);

static const int64_t MUTEX_WAIT_NS = 2000, CLOCK_READ_NS = 40;

// ---- mutexes: one word, since one thread runs; the library's own calls are not wrapped, and use other ones ----

static bool *taken(pthread_mutex_t *m) {
  return (bool *) m;
}

static bool gives_way(void) {
  uint64_t one_in = world->options.switch_one_in;
  return one_in > 0 && world->quiet == 0 && rng_below(&world->rng, one_in) == 0;
}

static bool is_in_world(void) {
  return world != NULL && fiber_current() != NULL;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *m) {
  if (is_in_world() && gives_way()) fiber_sleep((int64_t) rng_below(&world->rng, 30000));
  while (*taken(m)) fiber_sleep((int64_t) rng_below(&world->rng, (uint64_t) MUTEX_WAIT_NS) + 1);
  *taken(m) = true;
  return 0;
}

int __wrap_pthread_mutex_trylock(pthread_mutex_t *m) {
  if (*taken(m)) return EBUSY;
  *taken(m) = true;
  return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *m) {
  assert(*taken(m));
  *taken(m) = false;
  return 0;
}

// ---- conditions: who waits is in a list of the world's, by the condition's address ----

struct waiter {
  struct waiter *next;
  const struct condition *at;
  struct fiber *fiber;
};

static struct waiter **waiters(void) {
  static struct waiter *first;
  return &first;
}

void condition_init(struct condition *c UNUSED) {
}

void condition_done(struct condition *c UNUSED) {
}

/// The waiter lies on the stack of whoever waits: one that dies meanwhile is forgotten with its process (thread_forget_waiters).
static bool wait_at(struct condition *c, struct mutex *m, int64_t timeout_ns) {
  struct waiter w = {NULL, c, fiber_current()}, **at = waiters();
  while (*at != NULL) at = &(*at)->next;
  *at = &w;
  mutex_unlock(m);
  bool woken = fiber_park(timeout_ns);
  for (at = waiters(); *at != NULL && *at != &w;) at = &(*at)->next;
  if (*at == &w) *at = w.next;
  mutex_lock(m);
  return woken;
}

void condition_wait(struct condition *c, struct mutex *m) {
  (void) wait_at(c, m, -1);
}

bool condition_wait_for(struct condition *c, struct mutex *m, int64_t timeout_ns) {
  return wait_at(c, m, MAX(timeout_ns, INT64_C(0)));
}

static bool wake_one(struct condition *c) {
  for (struct waiter **at = waiters(); *at != NULL; at = &(*at)->next) {
    if ((*at)->at != c) continue;
    struct waiter *w = *at;
    *at = w->next;
    fiber_wake(w->fiber);
    return true;
  }
  return false;
}

void condition_signal(struct condition *c) {
  (void) wake_one(c);
}

void condition_broadcast(struct condition *c) {
  while (wake_one(c)) continue;
}

void thread_forget_waiters(const struct process *p) {
  for (struct waiter **at = waiters(); *at != NULL;)
    if (fiber_process((*at)->fiber) == p)
      *at = (*at)->next;
    else
      at = &(*at)->next;
}

// ---- threads ----

static struct fiber *fiber_of(const struct thread *t) {
  return (struct fiber *) t->t; // pthread_t is as wide as a pointer
}

static_assert(sizeof(pthread_t) == sizeof(struct fiber *), "a thread's handle has room for a fiber");

enum err thread_start(struct thread *t, const char *name, void *(*run)(void *), void *argument, struct error *e UNUSED) {
  t->t = (pthread_t) fiber_start(process_current(), name, run, argument);
  return ERR_OK;
}

void *thread_join(struct thread *t) {
  return fiber_join(fiber_of(t));
}

void thread_sleep_ns(int64_t ns) {
  fiber_sleep(ns);
}

unsigned thread_parallelism(void) {
  return 2;
}

// ---- time and chance ----

/// Reading the clock takes a moment, so that who waits for time to go by and does nothing else comes to an end.
static int64_t read_monotonic(struct clock *c UNUSED) {
  world->now_ns += CLOCK_READ_NS;
  return world->now_ns;
}

static int64_t read_wall(struct clock *c UNUSED) {
  const struct process *p = process_current();
  return INT64_C(1700000000) * NS_PER_S + world->now_ns + (p != NULL ? p->wall_offset_ns : 0);
}

struct clock *__wrap_clock_system(void) {
  static struct clock virtual = {read_monotonic, read_wall};
  return &virtual;
}

static enum err fill(struct random_source *r UNUSED, void *to, size_t bytes) {
  uint8_t *at = to;
  for (size_t i = 0; i < bytes; i++) at[i] = (uint8_t) rng_next(&world->rng);
  return ERR_OK;
}

struct random_source *__wrap_random_system(void) {
  static struct random_source dice = {fill};
  return &dice;
}
