// Event loops: one loop is one thread, which owns everything that was made on it (timers, listeners, connections).
//
// Nothing here may be called from another thread except loop_post, loop_stop and loop_is_current; other threads hand work over
// by posting a task. Callbacks run on the loop's thread and must not block. Underneath is libevent (epoll on Linux).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

struct loop;
struct loop_timer;

/// A piece of work for a loop, embedded in its owner's struct, so that posting neither allocates nor fails.
/// It may not be posted again before it has run; it may free itself or post itself again while it runs.
struct loop_task {
  struct loop_task *next; // the loop's, while posted
  void (*run)(struct loop_task *task);
};

/// Starts a thread with an event loop; `name` (at most 15 bytes are shown by the system) is for people.
enum err loop_start(const char *name, struct loop **ret, struct error *e) NODISCARD;

/// Runs the tasks that were posted so far, ends the thread and frees the loop. Whatever was made on the loop must be gone by
/// then. Not to be called on the loop's own thread. NULL is fine.
void loop_stop(struct loop *loop);

/// From any thread. Tasks run in the order in which they were posted.
void loop_post(struct loop *loop, struct loop_task *task);

/// Runs `function(argument)` on the loop's thread and returns when it has returned; at once where the caller is that thread.
void loop_call(struct loop *loop, void (*function)(void *argument), void *argument);

bool loop_is_current(const struct loop *loop);

/// Milliseconds on a clock that never goes back.
int64_t loop_now_ms(const struct loop *loop);

/// A timer that is not running. ERR_NOMEM.
enum err loop_timer_new(struct loop *loop, void (*fire)(void *context), void *context, struct loop_timer **ret,
                        struct error *e) NODISCARD;

/// Fires once after `delay_ms`, or again every `delay_ms` if `repeat`. Replaces what was set before.
void loop_timer_set(struct loop_timer *timer, int64_t delay_ms, bool repeat);
void loop_timer_cancel(struct loop_timer *timer);
/// May be called from its own callback. NULL is fine.
void loop_timer_free(struct loop_timer *timer);
