#include "os/thread.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "os/clock.h"

void condition_init(struct condition *c) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&c->c, &attributes);
  pthread_condattr_destroy(&attributes);
}

void condition_done(struct condition *c) {
  pthread_cond_destroy(&c->c);
}

void condition_wait(struct condition *c, struct mutex *m) {
  pthread_cond_wait(&c->c, &m->m);
}

bool condition_wait_for(struct condition *c, struct mutex *m, int64_t timeout_ns) {
  int64_t until_ns = clock_monotonic_ns(clock_system()) + timeout_ns;
  struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
  return pthread_cond_timedwait(&c->c, &m->m, &until) == 0;
}

void condition_signal(struct condition *c) {
  pthread_cond_signal(&c->c);
}

void condition_broadcast(struct condition *c) {
  pthread_cond_broadcast(&c->c);
}

enum err thread_start(struct thread *t, const char *name, void *(*run)(void *), void *argument, struct error *e) {
  sigset_t ending, before;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, &before);
  int code = pthread_create(&t->t, NULL, run, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (code != 0)
    return error_set(e, code == EAGAIN ? ERR_LIMIT : ERR_NOMEM, "The thread '%s' cannot be started: %s.", name, strerror(code));
  char cut[16];
  snprintf(cut, sizeof cut, "%s", name);
  pthread_setname_np(t->t, cut);
  return ERR_OK;
}

void *thread_join(struct thread *t) {
  void *result = NULL;
  pthread_join(t->t, &result);
  return result;
}

unsigned thread_parallelism(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  int n = CPU_COUNT(&set);
  return n > 0 ? (unsigned) n : 1;
}

void thread_sleep_ns(int64_t ns) {
  struct timespec left = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}
