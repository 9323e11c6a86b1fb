// os/loop.h over the world: a loop is a fiber with a queue of what is ready for it.
#include "os/loop.h"

#include <assert.h>

#include "base/mem.h"
#include "os/thread.h"
#include "world_int.h"

enum { ROUNDS_AT_ONCE = 8 };

struct loop {
  struct loop *next; // of its process
  struct process *process;
  struct fiber *fiber;
  struct loop_ready queue; // a ring
  struct loop_ready sweep; // of the tasks
  struct loop_task *first, *last;
  struct loop_timer *timers;
  bool stopping, idle;
};

struct loop_timer {
  struct loop_timer *next;
  struct loop *loop;
  struct world_event due;
  struct loop_ready ready;
  void (*fire)(void *context);
  void *context;
  int64_t delay_ns;
  bool repeat;
};

struct process *loop_process(const struct loop *loop) {
  return loop->process;
}

// ---- what is ready ----

void loop_ready_add(struct loop *loop, struct loop_ready *ready) {
  if (ready->loop != NULL) return;
  ready->loop = loop;
  ready->after = &loop->queue;
  ready->before = loop->queue.before;
  ready->before->after = loop->queue.before = ready;
  if (loop->idle) fiber_wake(loop->fiber);
}

void loop_ready_drop(struct loop_ready *ready) {
  if (ready->loop == NULL) return;
  ready->before->after = ready->after;
  ready->after->before = ready->before;
  ready->loop = NULL;
}

/// A round takes a moment, so that a task that posts itself again and again waits for what others do.
static void *loop_main(void *argument) {
  struct loop *loop = argument;
  for (unsigned round = 1; !loop->stopping; round++) {
    if (round % ROUNDS_AT_ONCE == 0) fiber_sleep((int64_t) rng_below(world_rng(), 10 * NS_PER_US) + 1);
    struct loop_ready *ready = loop->queue.after;
    if (ready == &loop->queue) {
      loop->idle = true;
      fiber_park(-1);
      loop->idle = false;
      continue;
    }
    loop_ready_drop(ready);
    ready->run(ready);
  }
  return NULL;
}

// ---- tasks ----

/// One sweep over what is there now: a task that posts itself again waits for the next round.
static void run_tasks(struct loop_ready *ready) {
  struct loop *loop = CONTAINER_OF(ready, struct loop, sweep);
  struct loop_task *task = loop->first;
  loop->first = loop->last = NULL;
  for (struct loop_task *next; task != NULL; task = next) {
    next = task->next;
    task->run(task);
  }
}

/// Not inlined: the compiler would see a task of loop_call, which waits for it, outlive its call.
__attribute__((noinline)) void loop_post(struct loop *loop, struct loop_task *task) {
  task->next = NULL;
  if (loop->first == NULL)
    loop->first = task;
  else
    loop->last->next = task;
  loop->last = task;
  loop_ready_add(loop, &loop->sweep);
}

struct call_task {
  struct loop_task task;
  void (*function)(void *);
  void *argument;
  struct fiber *caller;
  bool finished;
};

static void call_now(struct loop_task *task) {
  struct call_task *call = CONTAINER_OF(task, struct call_task, task);
  call->function(call->argument);
  call->finished = true;
  fiber_wake(call->caller);
}

void loop_call(struct loop *loop, void (*function)(void *), void *argument) {
  if (loop_is_current(loop)) {
    function(argument);
    return;
  }
  struct call_task call = {.task.run = call_now, .function = function, .argument = argument, .caller = fiber_current()};
  loop_post(loop, &call.task);
  while (!call.finished) fiber_park(-1);
}

// ---- life ----

enum err loop_start(const char *name, struct loop **ret, struct error *e UNUSED) {
  struct loop *loop = mem_zalloc(sizeof *loop);
  if (loop == NULL) return ERR_NOMEM;
  loop->process = process_current();
  loop->queue.before = loop->queue.after = &loop->queue;
  loop->sweep.run = run_tasks;
  loop->next = loop->process->loops;
  loop->process->loops = loop;
  loop->fiber = fiber_start(loop->process, name, loop_main, loop);
  *ret = loop;
  return ERR_OK;
}

static void stop_now(struct loop_task *task) {
  struct call_task *call = CONTAINER_OF(task, struct call_task, task);
  ((struct loop *) call->argument)->stopping = true;
}

void loop_stop(struct loop *loop) {
  if (loop == NULL) return;
  assert(!loop_is_current(loop));
  struct call_task stop = {.task.run = stop_now, .argument = loop};
  loop_post(loop, &stop.task);
  fiber_join(loop->fiber);
  struct loop **at = &loop->process->loops;
  while (*at != loop) at = &(*at)->next;
  *at = loop->next;
  mem_free(loop);
}

bool loop_is_current(const struct loop *loop) {
  return fiber_current() == loop->fiber;
}

int64_t loop_now_ms(const struct loop *loop UNUSED) {
  return world_now_ns() / NS_PER_MS;
}

// ---- timers ----

static void on_due(struct world_event *due) {
  struct loop_timer *timer = CONTAINER_OF(due, struct loop_timer, due);
  loop_ready_add(timer->loop, &timer->ready);
}

static void on_fire(struct loop_ready *ready) {
  struct loop_timer *timer = CONTAINER_OF(ready, struct loop_timer, ready);
  if (timer->repeat) world_event_set(&timer->due, timer->delay_ns); // before the call, which may free the timer
  timer->fire(timer->context);
}

enum err loop_timer_new(struct loop *loop, void (*fire)(void *), void *context, struct loop_timer **ret, struct error *e) {
  struct loop_timer *timer = mem_zalloc(sizeof *timer);
  if (timer == NULL) return error_set(e, ERR_NOMEM, "no memory for a timer");
  *timer = (struct loop_timer){.loop = loop, .fire = fire, .context = context, .due = {.run = on_due}, .ready.run = on_fire};
  timer->next = loop->timers;
  loop->timers = timer;
  *ret = timer;
  return ERR_OK;
}

/// A timer of no time at all still takes a moment.
void loop_timer_set(struct loop_timer *timer, int64_t delay_ms, bool repeat) {
  loop_ready_drop(&timer->ready);
  timer->delay_ns = MAX(delay_ms * NS_PER_MS, NS_PER_US);
  timer->repeat = repeat;
  world_event_set(&timer->due, timer->delay_ns);
}

void loop_timer_cancel(struct loop_timer *timer) {
  world_event_cancel(&timer->due);
  loop_ready_drop(&timer->ready);
}

void loop_timer_free(struct loop_timer *timer) {
  if (timer == NULL) return;
  loop_timer_cancel(timer);
  struct loop_timer **at = &timer->loop->timers;
  while (*at != timer) at = &(*at)->next;
  *at = timer->next;
  mem_free(timer);
}

void loops_kill_all(struct process *p) {
  for (struct loop *loop = p->loops; loop != NULL; loop = loop->next)
    for (struct loop_timer *timer = loop->timers; timer != NULL; timer = timer->next) world_event_cancel(&timer->due);
  p->loops = NULL;
}
