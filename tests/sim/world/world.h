// A world of several processes in one thread: virtual time, processes that can die at once, threads that are fibers. What is
// linked beside it (world_thread.c, world_loop.c, world_net.c, world_heap.c, world_disk.c) takes the place of the files of `os`
// that would ask the system: the product runs on it as it is, and one seed decides all that happens.
//
//   world_new -> { world_process_new -> world_start ... -> world_run_for ... -> world_kill } -> world_free
//
// A thread of the product is a fiber: it runs until it waits (for a condition, a mutex that somebody has, a disk, another loop),
// and then the world goes on with what comes next in virtual time. Code takes no time by itself; each wake-up takes a random few
// microseconds, which puts the threads into another order in each world.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "os/clock.h"

struct fiber;
struct process;
struct world;

/// One world at a time; the product's calls have nowhere else to get it from.
extern struct world *world;

struct world_options {
  uint64_t seed;
  FILE *trace;            // NULL: silent
  void (*turn)(const struct process *p); // one of its threads goes on; NULL: nobody wants to know
  uint64_t switch_one_in;                // a thread that takes a mutex gives way before, once in so many times; 0: never
};

struct world *world_new(const struct world_options *options);
/// Kills all processes and gives all memory back.
void world_free(struct world *w);

/// Nanoseconds since the world began.
int64_t world_now_ns(void);
/// The world's dice.
struct rng *world_rng(void);
/// What has happened so far, as a number: the same for the same seed.
uint64_t world_hash(void);
/// Takes part in the hash.
void world_note(uint64_t what);
/// A line of the story: "[  12.345678] who: text".
void world_tell(const char *who, const char *fmt, ...) PRINTF(2, 3);

/// Plays what comes until so much virtual time has gone by, or `done` (may be NULL) says so after some event: true. Not from a
/// fiber.
bool world_run_for(int64_t ns, bool (*done)(void *context), void *context);

// ---- events ----

/// Something that will happen; embedded in its owner's struct. All zeros: not set.
struct world_event {
  int64_t at_ns;
  size_t place;            // in the heap, from 1; 0: not set
  struct process *process; // one that stands still lets it wait; NULL: the world's own
  void (*run)(struct world_event *event);
};

/// Replaces what was set before.
void world_event_set(struct world_event *event, int64_t delay_ns);
void world_event_cancel(struct world_event *event);

// ---- processes ----

/// How a process ends.
enum world_end {
  WORLD_END_PROCESS, // the system goes on: what was written stays, connections are closed
  WORLD_END_MACHINE, // the power goes: what was not synced is lost in part, connections fall silent
};

struct process *world_process_new(const char *name);
const char *process_name(const struct process *p);
uint32_t process_index(const struct process *p);
/// The one that runs; NULL: the world itself.
struct process *process_current(void);
/// Starts a life: `run(argument)` on a thread of the process.
void process_start(struct process *p, void *(*run)(void *argument), void *argument);
bool process_is_alive(const struct process *p);
/// All threads, loops, connections and memory are gone at once. Not from its own thread.
void process_kill(struct process *p, enum world_end end);
/// Stands still for so long: nothing of it runs.
void process_pause(struct process *p, int64_t ns);
/// Its wall clock goes that much ahead of (or behind) the world's from now on, beside what it was before.
void process_shift_clock(struct process *p, int64_t ns);
/// How often it was started.
uint32_t process_lives(const struct process *p);

// ---- fibers ----

/// A thread of the process. `stack` of the usual size. The fiber frees itself when `run` has returned and somebody has joined it,
/// or it was detached.
struct fiber *fiber_start(struct process *p, const char *name, void *(*run)(void *argument), void *argument);
/// NULL: the world itself runs.
struct fiber *fiber_current(void);
struct process *fiber_process(const struct fiber *f);
/// Lets others go on for so long.
void fiber_sleep(int64_t ns);
/// Until somebody wakes it; false when `timeout_ns` has gone by (negative: never).
bool fiber_park(int64_t timeout_ns);
/// It was parked and goes on in a moment; one that is not parked is not touched.
void fiber_wake(struct fiber *f);
void fiber_detach(struct fiber *f);
void *fiber_join(struct fiber *f);
