#include "server/pool.h"

#include "base/mem.h"
#include "os/thread.h"

struct lane {
  struct mutex mutex; // the queue
  struct condition more;
  struct work *first, **last;
  bool stopping;
  struct thread *threads;
  unsigned thread_count; // started
};

struct pool {
  struct work_host host;
  struct lane lanes[WORK_KIND_MAX];
};

static void submit(struct work_host *host, enum work_kind kind, struct work *w) {
  struct lane *lane = &CONTAINER_OF(host, struct pool, host)->lanes[kind];
  w->next = NULL;
  mutex_lock(&lane->mutex);
  *lane->last = w;
  lane->last = &w->next;
  mutex_unlock(&lane->mutex);
  condition_signal(&lane->more); // whom it wakes finds the mutex free; pools outlive those who submit
}

/// The next piece of work, waiting for it; NULL when the lane is empty and stopping.
static struct work *take(struct lane *lane) {
  mutex_lock(&lane->mutex);
  while (lane->first == NULL && !lane->stopping) condition_wait(&lane->more, &lane->mutex);
  struct work *w = lane->first;
  if (w != NULL) {
    lane->first = w->next;
    if (lane->first == NULL) lane->last = &lane->first;
  }
  mutex_unlock(&lane->mutex);
  return w;
}

static void *run_lane(void *argument) {
  struct lane *lane = argument;
  for (struct work *w; (w = take(lane)) != NULL;) w->run(w);
  return NULL;
}

static void lane_init(struct lane *lane) {
  mutex_init(&lane->mutex);
  condition_init(&lane->more);
  lane->last = &lane->first;
}

static enum err lane_start(struct lane *lane, const char *name, unsigned count, struct error *e) {
  lane->threads = mem_zalloc(count * sizeof *lane->threads);
  if (lane->threads == NULL) return error_set(e, ERR_NOMEM, "no memory for %u threads", count);
  while (lane->thread_count < count) {
    TRY(thread_start(&lane->threads[lane->thread_count], name, run_lane, lane, e));
    lane->thread_count++;
  }
  return ERR_OK;
}

static void lane_stop(struct lane *lane) {
  mutex_lock(&lane->mutex);
  lane->stopping = true;
  condition_broadcast(&lane->more);
  mutex_unlock(&lane->mutex);
  for (unsigned i = 0; i < lane->thread_count; i++) thread_join(&lane->threads[i]);
  mem_free(lane->threads);
  condition_done(&lane->more);
  mutex_done(&lane->mutex);
}

enum err pool_start(const struct pool_options *options, struct pool **ret, struct error *e) {
  static const char *const names[WORK_KIND_MAX] = {"statement", "machine", "password"};
  struct pool *p = mem_zalloc(sizeof *p);
  if (p == NULL) return error_set(e, ERR_NOMEM, "no memory for the threads");
  p->host.submit = submit;
  for (int kind = 0; kind < WORK_KIND_MAX; kind++) lane_init(&p->lanes[kind]);
  for (int kind = 0; kind < WORK_KIND_MAX; kind++) {
    enum err err = lane_start(&p->lanes[kind], names[kind], options->threads[kind], e);
    if (err != ERR_OK) {
      pool_stop(p);
      return err;
    }
  }
  *ret = p;
  return ERR_OK;
}

struct work_host *pool_host(struct pool *p) {
  return &p->host;
}

void pool_stop(struct pool *p) {
  if (p == NULL) return;
  // Statements first: what they submit last is work for machines.
  for (int kind = 0; kind < WORK_KIND_MAX; kind++) lane_stop(&p->lanes[kind]);
  mem_free(p);
}
