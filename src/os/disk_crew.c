// Reads of a queue by a few threads, for machines and containers without io_uring. The threads are one crew for all queues of the
// process: the first queue calls it together, the last one to close sends it home. Each read is given back to its queue.
#include "base/mem.h"
#include "os/disk_int.h"
#include "os/thread.h"

enum { CREW_THREADS = 8 };

struct crew_queue {
  struct posix_queue base;
  struct mutex mutex; // what follows
  struct condition any_done;
  struct disk_read_list done;
  size_t under_way; // handed over and not in `done`
};

// A read, and the queue that waits for it.
struct job {
  struct disk_read *read;
  struct crew_queue *queue;
};

static struct crew {
  pthread_mutex_t joining; // held while the crew is called together or sent home; taken before `mutex`
  unsigned queues, threads;
  struct thread members[CREW_THREADS];

  pthread_mutex_t mutex; // what follows
  pthread_cond_t any_job;
  struct job *jobs; // a ring
  size_t first, count, capacity;
  bool leaving;
} crew = {.joining = PTHREAD_MUTEX_INITIALIZER, .mutex = PTHREAD_MUTEX_INITIALIZER, .any_job = PTHREAD_COND_INITIALIZER};

static struct crew_queue *crew_queue_of(struct disk_queue *queue) {
  return CONTAINER_OF(CONTAINER_OF(queue, struct posix_queue, queue), struct crew_queue, base);
}

// ---- the crew ----

static bool take_job(struct job *ret) {
  pthread_mutex_lock(&crew.mutex);
  while (crew.count == 0 && !crew.leaving) pthread_cond_wait(&crew.any_job, &crew.mutex);
  bool any = crew.count > 0;
  if (any) {
    *ret = crew.jobs[crew.first];
    crew.first = (crew.first + 1) % crew.capacity;
    crew.count--;
  }
  pthread_mutex_unlock(&crew.mutex);
  return any;
}

static void *work(void *argument UNUSED) {
  for (struct job j; take_job(&j);) {
    j.read->result = disk_read_all(j.read->file, j.read->offset, j.read->to, j.read->bytes, NULL);
    mutex_lock(&j.queue->mutex);
    disk_read_list_push(&j.queue->done, j.read);
    j.queue->under_way--;
    condition_signal(&j.queue->any_done);
    mutex_unlock(&j.queue->mutex);
  }
  return NULL;
}

static void send_home(void) {
  pthread_mutex_lock(&crew.mutex);
  crew.leaving = true;
  pthread_cond_broadcast(&crew.any_job);
  pthread_mutex_unlock(&crew.mutex);
  while (crew.threads > 0) thread_join(&crew.members[--crew.threads]);
  mem_free(crew.jobs);
  crew.jobs = NULL;
  crew.first = crew.count = crew.capacity = 0;
  crew.leaving = false;
}

// One is enough to go on with.
static enum err call_together(struct error *e) {
  enum err err = ERR_OK;
  while (crew.threads < CREW_THREADS && err == ERR_OK) {
    err = thread_start(&crew.members[crew.threads], "disk reader", work, NULL, e);
    crew.threads += err == ERR_OK;
  }
  return crew.threads > 0 ? ERR_OK : err;
}

static enum err join_crew(struct error *e) {
  pthread_mutex_lock(&crew.joining);
  enum err err = crew.queues == 0 ? call_together(e) : ERR_OK;
  crew.queues += err == ERR_OK;
  pthread_mutex_unlock(&crew.joining);
  return err;
}

static void quit_crew(void) {
  pthread_mutex_lock(&crew.joining);
  if (--crew.queues == 0) send_home();
  pthread_mutex_unlock(&crew.joining);
}

// With the crew's mutex.
static enum err reserve_jobs(size_t extra) {
  if (crew.count + extra <= crew.capacity) return ERR_OK;
  size_t larger = MAX(crew.count + extra, crew.capacity * 2);
  struct job *grown = mem_alloc(larger * sizeof *grown);
  if (grown == NULL) return ERR_NOMEM;
  for (size_t i = 0; i < crew.count; i++) grown[i] = crew.jobs[(crew.first + i) % crew.capacity];
  mem_free(crew.jobs);
  crew.jobs = grown;
  crew.first = 0;
  crew.capacity = larger;
  return ERR_OK;
}

static enum err hand_over(struct crew_queue *q, struct disk_read **reads, size_t count) {
  pthread_mutex_lock(&crew.mutex);
  enum err err = reserve_jobs(count);
  for (size_t i = 0; i < count && err == ERR_OK; i++)
    crew.jobs[(crew.first + crew.count++) % crew.capacity] = (struct job){reads[i], q};
  if (err == ERR_OK) pthread_cond_broadcast(&crew.any_job);
  pthread_mutex_unlock(&crew.mutex);
  return err;
}

// ---- the queue ----

static enum err crew_submit(struct disk_queue *queue, struct disk_read **reads, size_t count, struct error *e) {
  struct crew_queue *q = crew_queue_of(queue);
  mutex_lock(&q->mutex);
  enum err err = disk_read_list_reserve(&q->done, q->under_way + count);
  if (err == ERR_OK) q->under_way += count;
  mutex_unlock(&q->mutex);
  if (err != ERR_OK) return error_ensure(e, err);
  err = hand_over(q, reads, count);
  if (err == ERR_OK) return ERR_OK;
  mutex_lock(&q->mutex);
  q->under_way -= count;
  mutex_unlock(&q->mutex);
  return error_ensure(e, err);
}

static size_t crew_reap(struct disk_queue *queue, bool wait, struct disk_read **done, size_t max) {
  struct crew_queue *q = crew_queue_of(queue);
  size_t n = 0;
  mutex_lock(&q->mutex);
  while (wait && q->done.count == 0 && q->under_way > 0) condition_wait(&q->any_done, &q->mutex);
  for (; n < max && q->done.count > 0; n++) done[n] = disk_read_list_pop(&q->done);
  mutex_unlock(&q->mutex);
  return n;
}

static void free_queue(struct crew_queue *q) {
  disk_read_list_done(&q->done);
  mutex_done(&q->mutex);
  condition_done(&q->any_done);
  mem_free(q);
}

static void crew_close(struct disk_queue *queue) {
  free_queue(crew_queue_of(queue));
  quit_crew();
}

enum err disk_crew_open(struct disk *d, unsigned depth UNUSED, struct disk_queue **ret, struct error *e) {
  static const struct posix_queue_ops ops = {crew_close, crew_submit, crew_reap};
  struct crew_queue *q = mem_zalloc(sizeof *q);
  if (q == NULL) return error_ensure(e, ERR_NOMEM);
  q->base = (struct posix_queue){{d}, &ops};
  mutex_init(&q->mutex);
  condition_init(&q->any_done);
  enum err err = join_crew(e);
  if (err != ERR_OK) {
    free_queue(q);
    return err;
  }
  *ret = &q->base.queue;
  return ERR_OK;
}
