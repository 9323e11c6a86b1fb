// Threads as fibers: a stack each, and one that runs.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "world_int.h"

#if defined(WORLD_SANITIZED)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

enum { STACK_BYTES = 512 * 1024, GUARD_BYTES = 4096, WAKE_NS_MAX = 20000 };

/// Where a stack goes on.
struct place {
  ucontext_t context; // its beginning
  void *jump[5];      // the compiler's
  bool entered;
};

struct fiber {
  struct fiber *next; // of its process, or of those that are free
  struct process *process;
  void *(*run)(void *argument);
  void *argument, *result;
  char name[16];
  char *stack;
  struct place place;
  struct world_event wake;
  struct fiber *joiner;
  bool parked, was_woken, ended, detached;
  uint64_t number; // in its process's life
  void *sanitizer_stack;
};

static struct fiber *running, *unused;
static struct place world_place = {.entered = true};

// ---- switching ----

/// Without a call of the system, which swapcontext makes to save signals, and without what the library's longjmp unwinds; the
/// sanitizer follows only the first.
#if defined(WORLD_SANITIZED) || (defined(__clang__) && !defined(__x86_64__)) // which knows no such jump elsewhere
static void jump(struct place *from, struct place *to) {
  swapcontext(&from->context, &to->context);
}
#else
static __attribute__((noinline)) void go_to(struct place *to) {
  if (to->entered) __builtin_longjmp(to->jump, 1);
  to->entered = true;
  setcontext(&to->context);
}

static __attribute__((noinline)) void jump(struct place *from, struct place *to) {
  if (__builtin_setjmp(from->jump) == 0) go_to(to);
}
#endif

#if defined(WORLD_SANITIZED)
static const void *world_stack;
static size_t world_stack_bytes;

static void before_switch(void **save, const void *bottom, size_t bytes) {
  __sanitizer_start_switch_fiber(save, bottom, bytes);
}
static void after_switch(void *saved, const void **from, size_t *bytes) {
  __sanitizer_finish_switch_fiber(saved, from, bytes);
}
#endif

static void switch_to(struct fiber *f) {
  struct process *before = world->memory_of;
  running = f;
  world->memory_of = f->process;
  if (world->options.turn != NULL && f->process != before) world->options.turn(f->process);
#if defined(WORLD_SANITIZED)
  void *own = NULL;
  before_switch(&own, f->stack, STACK_BYTES);
#endif
  jump(&world_place, &f->place);
#if defined(WORLD_SANITIZED)
  after_switch(own, NULL, NULL);
#endif
  running = NULL;
  world->memory_of = before;
}

void fiber_switch_out(void) {
  struct fiber *f = running;
  assert(f != NULL);
#if defined(WORLD_SANITIZED)
  before_switch(f->ended ? NULL : &f->sanitizer_stack, world_stack, world_stack_bytes);
#endif
  jump(&f->place, &world_place);
#if defined(WORLD_SANITIZED)
  after_switch(f->sanitizer_stack, &world_stack, &world_stack_bytes);
#endif
}

// ---- life ----

static void release(struct fiber *f) {
  for (struct fiber **at = &f->process->fibers; *at != NULL; at = &(*at)->next) {
    if (*at != f) continue;
    *at = f->next;
    break;
  }
  world_event_cancel(&f->wake);
  f->process = NULL; // who wakes it all the same is found out
  f->next = unused;
  unused = f;
}

static void fiber_main(void) {
  struct fiber *f = running;
#if defined(WORLD_SANITIZED)
  after_switch(NULL, &world_stack, &world_stack_bytes);
#endif
  f->result = f->run(f->argument);
  f->ended = true;
  if (f->joiner != NULL) fiber_wake(f->joiner);
  if (f->detached) world_event_set(&f->wake, 0); // is released there: not on its own stack
  fiber_switch_out();
  abort(); // nobody goes on here
}

static void on_wake(struct world_event *event) {
  struct fiber *f = CONTAINER_OF(event, struct fiber, wake);
  if (f->ended) {
    release(f);
    return;
  }
  f->parked = false;
  world_note(f->process->index * 1000003u + f->number);
  switch_to(f);
}

static struct fiber *take_unused(void) {
  struct fiber *f = unused;
  if (f != NULL) {
    unused = f->next;
    char *stack = f->stack;
#if defined(WORLD_SANITIZED)
    __asan_unpoison_memory_region(stack, STACK_BYTES);
#endif
    *f = (struct fiber){.stack = stack};
    return f;
  }
  f = calloc(1, sizeof *f);
  char *stack = mmap(NULL, STACK_BYTES + GUARD_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (f == NULL || stack == MAP_FAILED || mprotect(stack, GUARD_BYTES, PROT_NONE) != 0) abort();
  f->stack = stack + GUARD_BYTES;
  return f;
}

static int64_t some_microseconds(void) {
  return (int64_t) rng_below(&world->rng, WAKE_NS_MAX) + 1;
}

static __attribute__((noinline)) void prepare(ucontext_t *context, char *stack) {
  getcontext(context);
  context->uc_stack.ss_sp = stack;
  context->uc_stack.ss_size = STACK_BYTES;
  context->uc_link = NULL;
  makecontext(context, fiber_main, 0);
}

struct fiber *fiber_start(struct process *p, const char *name, void *(*run)(void *), void *argument) {
  struct fiber *f = take_unused();
  f->process = p;
  f->run = run;
  f->argument = argument;
  f->number = p->thread_count++;
  snprintf(f->name, sizeof f->name, "%s", name);
  f->wake = (struct world_event){.run = on_wake, .process = p};
  f->next = p->fibers;
  p->fibers = f;
  prepare(&f->place.context, f->stack);
  world_event_set(&f->wake, some_microseconds());
  return f;
}

struct fiber *fiber_current(void) {
  return running;
}

struct process *fiber_process(const struct fiber *f) {
  return f->process;
}

void fiber_detach(struct fiber *f) {
  f->detached = true;
  if (f->ended) world_event_set(&f->wake, 0);
}

void *fiber_join(struct fiber *f) {
  f->joiner = running;
  while (!f->ended) fiber_park(-1);
  void *result = f->result;
  release(f);
  return result;
}

void fiber_kill_all(struct process *p) {
  assert(running == NULL || running->process != p);
  while (p->fibers != NULL) release(p->fibers);
}

/// Stacks are used again by the next world.
void fibers_forget(void) {
  assert(running == NULL);
}

// ---- waiting ----

void fiber_sleep(int64_t ns) {
  world_event_set(&running->wake, MAX(ns, INT64_C(1)));
  fiber_switch_out();
}

bool fiber_park(int64_t timeout_ns) {
  struct fiber *f = running;
  f->parked = true;
  f->was_woken = false;
  if (timeout_ns >= 0) world_event_set(&f->wake, timeout_ns);
  fiber_switch_out();
  return f->was_woken;
}

void fiber_wake(struct fiber *f) {
  assert(f->process != NULL);
  if (!f->parked || f->was_woken) return;
  f->was_woken = true;
  world_event_set(&f->wake, some_microseconds());
}
