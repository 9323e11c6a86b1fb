#include "os/loop_int.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/thread.h"

struct loop {
  struct event_base *base;
  struct event *wake; // an eventfd: the only thing that other threads touch, beside the task list
  int wake_fd;
  struct thread thread;
  struct mutex lock; // guards first, last
  struct loop_task *first, *last;
  bool stopping; // the loop's thread only
  char scratch[LOOP_SCRATCH_BYTES];
};

struct loop_timer {
  struct event *event;
  struct loop *loop;
  void (*fire)(void *context);
  void *context;
  int64_t delay_ms;
  bool repeat;
};

struct event_base *loop_base(struct loop *loop) {
  return loop->base;
}

char *loop_scratch(struct loop *loop) {
  return loop->scratch;
}

static struct loop_task *take_tasks(struct loop *loop) {
  mutex_lock(&loop->lock);
  struct loop_task *first = loop->first;
  loop->first = loop->last = NULL;
  mutex_unlock(&loop->lock);
  return first;
}

/// One sweep over what is there now: a task that posts itself again waits for the next round, so sockets get their turn.
static void run_tasks(evutil_socket_t fd, short what UNUSED, void *argument) {
  struct loop *loop = argument;
  uint64_t count;
  ssize_t got = read(fd, &count, sizeof count);
  (void) got; // the counter only wakes; the list says what there is to do
  for (struct loop_task *task = take_tasks(loop), *next; task != NULL; task = next) {
    next = task->next;
    task->run(task);
  }
}

static void *loop_main(void *argument) {
  struct loop *loop = argument;
  event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
  return NULL;
}

static void loop_release(struct loop *loop) {
  if (loop->wake != NULL) event_free(loop->wake);
  if (loop->base != NULL) event_base_free(loop->base);
  if (loop->wake_fd >= 0) close(loop->wake_fd);
  mutex_done(&loop->lock);
  mem_free(loop);
}

/// Precise timers and no locks: a loop belongs to one thread.
static struct event_base *base_new(void) {
  struct event_config *config = event_config_new();
  if (config == NULL) return NULL;
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  struct event_base *base = event_base_new_with_config(config);
  event_config_free(config);
  return base;
}

static enum err loop_prepare(struct loop *loop, struct error *e) {
  loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (loop->wake_fd < 0) return error_set(e, ERR_IO, "cannot make an event descriptor: %s", strerror(errno));
  loop->base = base_new();
  if (loop->base == NULL) return error_set(e, ERR_NOMEM, "no memory for an event loop");
  loop->wake = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, run_tasks, loop);
  if (loop->wake == NULL || event_add(loop->wake, NULL) != 0) return error_set(e, ERR_NOMEM, "no memory for an event loop");
  return ERR_OK;
}

enum err loop_start(const char *name, struct loop **ret, struct error *e) {
  struct loop *loop = mem_zalloc(sizeof *loop);
  if (loop == NULL) return error_set(e, ERR_NOMEM, "no memory for an event loop");
  loop->wake_fd = -1;
  mutex_init(&loop->lock);
  enum err err = loop_prepare(loop, e);
  if (err == ERR_OK) err = thread_start(&loop->thread, name, loop_main, loop, e);
  if (err != ERR_OK) {
    loop_release(loop);
    return err;
  }
  *ret = loop;
  return ERR_OK;
}

void loop_post(struct loop *loop, struct loop_task *task) {
  task->next = NULL;
  mutex_lock(&loop->lock);
  bool was_empty = loop->first == NULL;
  if (was_empty)
    loop->first = task;
  else
    loop->last->next = task;
  loop->last = task;
  // Under the lock: once the task is visible outside of it, the loop may be stopped and freed by whoever waits for the task.
  if (was_empty) {
    uint64_t one = 1;
    ssize_t put = write(loop->wake_fd, &one, sizeof one);
    (void) put; // EAGAIN means that the counter is full, so the loop is awake anyway
  }
  mutex_unlock(&loop->lock);
}

struct stop_task {
  struct loop_task task;
  struct loop *loop;
};

static void stop_now(struct loop_task *task) {
  event_base_loopbreak(CONTAINER_OF(task, struct stop_task, task)->loop->base);
}

void loop_stop(struct loop *loop) {
  if (loop == NULL) return;
  struct stop_task stop = {.task.run = stop_now, .loop = loop};
  loop_post(loop, &stop.task);
  thread_join(&loop->thread);
  loop_release(loop);
}

struct call_task {
  struct loop_task task;
  void (*function)(void *);
  void *argument;
  struct mutex lock;
  struct condition changed;
  bool finished;
};

static void call_now(struct loop_task *task) {
  struct call_task *call = CONTAINER_OF(task, struct call_task, task);
  call->function(call->argument);
  mutex_lock(&call->lock);
  call->finished = true;
  condition_signal(&call->changed);
  mutex_unlock(&call->lock);
}

void loop_call(struct loop *loop, void (*function)(void *), void *argument) {
  if (loop_is_current(loop)) {
    function(argument);
    return;
  }
  struct call_task call = {.task.run = call_now, .function = function, .argument = argument};
  mutex_init(&call.lock);
  condition_init(&call.changed);
  loop_post(loop, &call.task);
  mutex_lock(&call.lock);
  while (!call.finished) condition_wait(&call.changed, &call.lock);
  mutex_unlock(&call.lock);
  condition_done(&call.changed);
  mutex_done(&call.lock);
}

bool loop_is_current(const struct loop *loop) {
  return pthread_equal(pthread_self(), loop->thread.t);
}

int64_t loop_now_ms(const struct loop *loop UNUSED) {
  return clock_monotonic_ns(clock_system()) / NS_PER_MS;
}

static void timer_arm(struct loop_timer *timer) {
  struct timeval delay = {.tv_sec = timer->delay_ms / 1000, .tv_usec = timer->delay_ms % 1000 * 1000};
  event_add(timer->event, &delay);
}

static void timer_fired(evutil_socket_t fd UNUSED, short what UNUSED, void *argument) {
  struct loop_timer *timer = argument;
  if (timer->repeat) timer_arm(timer); // before the call, which may free the timer
  timer->fire(timer->context);
}

enum err loop_timer_new(struct loop *loop, void (*fire)(void *), void *context, struct loop_timer **ret, struct error *e) {
  struct loop_timer *timer = mem_zalloc(sizeof *timer);
  if (timer == NULL) return error_set(e, ERR_NOMEM, "no memory for a timer");
  *timer = (struct loop_timer){.loop = loop, .fire = fire, .context = context};
  timer->event = event_new(loop->base, -1, 0, timer_fired, timer);
  if (timer->event == NULL) {
    mem_free(timer);
    return error_set(e, ERR_NOMEM, "no memory for a timer");
  }
  *ret = timer;
  return ERR_OK;
}

void loop_timer_set(struct loop_timer *timer, int64_t delay_ms, bool repeat) {
  timer->delay_ms = MAX(delay_ms, 0);
  timer->repeat = repeat;
  timer_arm(timer);
}

void loop_timer_cancel(struct loop_timer *timer) {
  event_del(timer->event);
}

void loop_timer_free(struct loop_timer *timer) {
  if (timer == NULL) return;
  event_free(timer->event);
  mem_free(timer);
}
