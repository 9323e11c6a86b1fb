// Threads, mutexes and conditions. Modules below `server` start no threads of their own: they are machines that somebody
// steps; what they use from here are mutexes around short sections.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

struct mutex {
  pthread_mutex_t m;
};

struct condition {
  pthread_cond_t c;
};

struct thread {
  pthread_t t;
};

static inline void mutex_init(struct mutex *m) {
  pthread_mutex_init(&m->m, NULL);
}

static inline void mutex_done(struct mutex *m) {
  pthread_mutex_destroy(&m->m);
}

static inline void mutex_lock(struct mutex *m) {
  pthread_mutex_lock(&m->m);
}

static inline bool mutex_try_lock(struct mutex *m) {
  return pthread_mutex_trylock(&m->m) == 0;
}

static inline void mutex_unlock(struct mutex *m) {
  pthread_mutex_unlock(&m->m);
}

/// Waits on the monotonic clock, so that a change of the wall clock wakes nobody.
void condition_init(struct condition *c);
void condition_done(struct condition *c);
/// `m` is held on entry and on return. Wake-ups without a cause happen: check your predicate again.
void condition_wait(struct condition *c, struct mutex *m);
/// False when `timeout_ns` went by without a wake-up.
bool condition_wait_for(struct condition *c, struct mutex *m, int64_t timeout_ns);
void condition_signal(struct condition *c);
void condition_broadcast(struct condition *c);

/// Starts `run(argument)` on a thread called `name` (at most 15 characters are kept). SIGTERM and SIGINT never come to it: they are for
/// the thread that waits for them, or for the one that the process began with. ERR_NOMEM or ERR_LIMIT.
enum err thread_start(struct thread *t, const char *name, void *(*run)(void *), void *argument, struct error *e) NODISCARD;
/// Waits for its end; gives what `run` returned.
void *thread_join(struct thread *t);
/// Does nothing for that long. For waits that have no condition to wait for.
void thread_sleep_ns(int64_t ns);

/// How many threads the machine runs at once; at least 1.
unsigned thread_parallelism(void);
