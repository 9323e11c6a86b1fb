// What the files of the world share.
#pragma once

#include "heap.h"
#include "world.h"

struct sim_disk;
struct world_disk;
struct loop;
struct endpoint;

struct process {
  struct process *next; // of the world
  char name[32];
  uint32_t index, lives;
  bool alive, machine_is_off; // off: its machine lost its power with it
  int64_t paused_until_ns;
  int64_t wall_offset_ns;
  uint64_t thread_count; // started in this life
  struct heap heap;
  struct fiber *fibers;
  struct loop *loops;
};

/// Of the heap: what it is ordered by stands in it.
struct world_due {
  int64_t at_ns;
  uint64_t order; // among those of one moment
  struct world_event *event;
};

struct world {
  struct world_options options;
  struct rng rng;
  int64_t now_ns;
  uint64_t hash, order;
  struct world_due *events; // a heap from place 1
  size_t event_count, event_room;
  struct process *processes;
  uint32_t process_count;
  struct heap heap;          // the world's own
  struct process *memory_of; // whose memory is asked for; NULL: the world's
  uint32_t quiet;            // within the world's own code nothing gives way
};

/// Within the two the world's memory is asked for, whatever process runs, and nobody gives way.
struct process *world_enter(void);
void world_leave(struct process *before);

// ---- fiber.c ----
void fiber_kill_all(struct process *p);
void fibers_forget(void);
/// Gives the processor back to the world. The fiber has seen to it that it is woken.
void fiber_switch_out(void);

// ---- world_heap.c ----
/// The process dies: what it reserved by the page goes too.
void heap_pages_free_all(const struct process *p);

// ---- world_thread.c ----
/// The process dies: who waits for a condition there is gone.
void thread_forget_waiters(const struct process *p);

// ---- world_loop.c ----
/// A loop's thread is told of it in turn.
struct loop_ready {
  struct loop_ready *before, *after; // in the loop's queue
  struct loop *loop;                 // NULL: not queued
  void (*run)(struct loop_ready *ready);
};
void loop_ready_add(struct loop *loop, struct loop_ready *ready);
void loop_ready_drop(struct loop_ready *ready);
struct process *loop_process(const struct loop *loop);
/// The process dies: its timers are in its memory.
void loops_kill_all(struct process *p);

// ---- world_net.c ----
void net_new_world(void);
void net_kill_all(struct process *p, enum world_end end);
void net_free_world(void);
