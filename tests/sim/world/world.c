// Virtual time: what comes next, in an order that the seed decides.
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/mem.h"
#include "world_int.h"

struct world *world;

struct world *world_new(const struct world_options *options) {
  assert(world == NULL);
  struct world *w = calloc(1, sizeof *w); // before there is a world there is no heap of it
  if (w == NULL) abort();
  w->options = *options;
  w->now_ns = 1;
  rng_seed(&w->rng, options->seed);
  world = w;
  net_new_world();
  return w;
}

void world_free(struct world *w) {
  assert(w == world && process_current() == NULL);
  for (struct process *p = w->processes; p != NULL; p = p->next)
    if (p->alive) process_kill(p, WORLD_END_PROCESS);
  net_free_world();
  fibers_forget();
  heap_free_all(&w->heap);
  free(w->events);
  free(w);
  world = NULL;
}

int64_t world_now_ns(void) {
  return world->now_ns;
}

struct rng *world_rng(void) {
  return &world->rng;
}

uint64_t world_hash(void) {
  return world->hash;
}

void world_note(uint64_t what) {
  world->hash = (world->hash ^ what) * UINT64_C(0x9E3779B97F4A7C15);
  world->hash ^= world->hash >> 29;
}

void world_tell(const char *who, const char *fmt, ...) {
  char text[1200];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  world_note(hash64(text, strlen(text), (uint64_t) world->now_ns));
  if (world->options.trace == NULL) return;
  fprintf(world->options.trace, "[%4lld.%06lld] %s: %s\n", (long long) (world->now_ns / NS_PER_S),
          (long long) (world->now_ns % NS_PER_S / NS_PER_US), who, text);
}

struct process *world_enter(void) {
  struct process *before = world->memory_of;
  world->memory_of = NULL;
  world->quiet++;
  return before;
}

void world_leave(struct process *before) {
  world->memory_of = before;
  world->quiet--;
}

// ---- the heap of events: the next one is at place 1 ----

static bool goes_before(const struct world_due *a, const struct world_due *b) {
  return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

static void put(size_t place, struct world_due due) {
  world->events[place] = due;
  due.event->place = place;
}

static void rise(size_t place, struct world_due due) {
  for (; place > 1 && goes_before(&due, &world->events[place / 2]); place /= 2) put(place, world->events[place / 2]);
  put(place, due);
}

static void sink(size_t place, struct world_due due) {
  for (size_t child; (child = 2 * place) <= world->event_count; place = child) {
    if (child < world->event_count && goes_before(&world->events[child + 1], &world->events[child])) child++;
    if (!goes_before(&world->events[child], &due)) break;
    put(place, world->events[child]);
  }
  put(place, due);
}

void world_event_cancel(struct world_event *event) {
  if (event->place == 0) return;
  size_t place = event->place;
  struct world_due last = world->events[world->event_count--];
  event->place = 0;
  if (last.event == event) return;
  if (place > 1 && goes_before(&last, &world->events[place / 2]))
    rise(place, last);
  else
    sink(place, last);
}

void world_event_set(struct world_event *event, int64_t delay_ns) {
  world_event_cancel(event);
  if (world->event_count + 2 > world->event_room) {
    world->event_room = MAX(2 * world->event_room, (size_t) 256);
    world->events = realloc(world->events, world->event_room * sizeof(struct world_due));
    if (world->events == NULL) abort();
  }
  event->at_ns = world->now_ns + MAX(delay_ns, 0);
  rise(++world->event_count, (struct world_due){event->at_ns, world->order++, event});
}

/// A process that stands still lets it wait.
static bool has_to_wait(struct world_event *event) {
  const struct process *p = event->process;
  if (p == NULL || p->paused_until_ns <= world->now_ns) return false;
  world_event_set(event, p->paused_until_ns - world->now_ns);
  return true;
}

static void play(struct world_event *event) {
  world_event_cancel(event);
  world->now_ns = MAX(world->now_ns, event->at_ns);
  if (has_to_wait(event)) return;
  world_note((uint64_t) world->now_ns);
  event->run(event);
}

bool world_run_for(int64_t ns, bool (*done)(void *context), void *context) {
  assert(fiber_current() == NULL);
  int64_t until_ns = world->now_ns + ns;
  while (world->event_count > 0 && world->events[1].at_ns <= until_ns) {
    play(world->events[1].event);
    if (done != NULL && done(context)) return true;
  }
  world->now_ns = MAX(world->now_ns, until_ns);
  return false;
}

// ---- processes ----

struct process *world_process_new(const char *name) {
  struct process *before = world_enter();
  struct process *p = mem_zalloc(sizeof *p);
  if (p == NULL) abort();
  world_leave(before);
  snprintf(p->name, sizeof p->name, "%s", name);
  p->index = world->process_count++;
  struct process **at = &world->processes;
  while (*at != NULL) at = &(*at)->next;
  *at = p;
  return p;
}

const char *process_name(const struct process *p) {
  return p != NULL ? p->name : "world";
}

uint32_t process_index(const struct process *p) {
  return p->index;
}

struct process *process_current(void) {
  struct fiber *f = world != NULL ? fiber_current() : NULL;
  return f != NULL ? fiber_process(f) : NULL;
}

bool process_is_alive(const struct process *p) {
  return p->alive;
}

uint32_t process_lives(const struct process *p) {
  return p->lives;
}

void process_start(struct process *p, void *(*run)(void *), void *argument) {
  assert(!p->alive);
  p->alive = true;
  p->lives++;
  p->paused_until_ns = 0;
  p->thread_count = 0;
  fiber_detach(fiber_start(p, "main", run, argument));
}

void process_kill(struct process *p, enum world_end end) {
  assert(p->alive && process_current() != p);
  p->alive = false;
  net_kill_all(p, end);
  loops_kill_all(p);
  thread_forget_waiters(p);
  fiber_kill_all(p);
  heap_pages_free_all(p);
  heap_free_all(&p->heap);
}

void process_pause(struct process *p, int64_t ns) {
  p->paused_until_ns = MAX(p->paused_until_ns, world->now_ns + ns);
}

void process_shift_clock(struct process *p, int64_t ns) {
  p->wall_offset_ns += ns;
}
