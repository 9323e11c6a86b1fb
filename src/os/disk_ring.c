// Reads of a queue through io_uring: one system call starts as many as the queue is deep.
#include "os/disk_int.h"

#ifdef HAVE_LIBURING

#include <errno.h>
#include <liburing.h>

#include "base/mem.h"

struct ring_queue {
  struct posix_queue base;
  struct io_uring ring;
  unsigned depth, in_flight;
  struct disk_read_list waiting; // for room in the ring
};

static struct ring_queue *ring_of(struct disk_queue *queue) {
  return CONTAINER_OF(CONTAINER_OF(queue, struct posix_queue, queue), struct ring_queue, base);
}

// Moves what waits into the ring. What the kernel does not take now is taken with the next call.
static void start(struct ring_queue *q) {
  bool any = false;
  while (q->in_flight < q->depth && q->waiting.count > 0) {
    struct io_uring_sqe *sqe = io_uring_get_sqe(&q->ring);
    if (sqe == NULL) break;
    struct disk_read *r = disk_read_list_pop(&q->waiting);
    io_uring_prep_read(sqe, posix_fd(r->file), r->to, (unsigned) r->bytes, r->offset);
    io_uring_sqe_set_data(sqe, r);
    q->in_flight++;
    any = true;
  }
  if (any) (void) io_uring_submit(&q->ring);
}

static enum err ring_submit(struct disk_queue *queue, struct disk_read **reads, size_t count, struct error *e) {
  struct ring_queue *q = ring_of(queue);
  if (disk_read_list_reserve(&q->waiting, count) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  for (size_t i = 0; i < count; i++) disk_read_list_push(&q->waiting, reads[i]);
  start(q);
  return ERR_OK;
}

// A read that came back short, interrupted or failed is made again the plain way, which knows what to say of it.
static void finish(struct disk_read *r, int result) {
  r->result = result >= 0 && (size_t) result == r->bytes ? ERR_OK : disk_read_all(r->file, r->offset, r->to, r->bytes, NULL);
}

static size_t take_completed(struct ring_queue *q, struct disk_read **done, size_t max) {
  struct io_uring_cqe *cqe = NULL;
  size_t n = 0;
  while (n < max && io_uring_peek_cqe(&q->ring, &cqe) == 0) {
    done[n] = io_uring_cqe_get_data(cqe);
    finish(done[n++], cqe->res);
    io_uring_cqe_seen(&q->ring, cqe);
    q->in_flight--;
  }
  return n;
}

static size_t ring_reap(struct disk_queue *queue, bool wait, struct disk_read **done, size_t max) {
  struct ring_queue *q = ring_of(queue);
  size_t n = take_completed(q, done, max);
  while (n == 0 && wait && q->in_flight > 0) {
    int result = io_uring_submit_and_wait(&q->ring, 1);
    if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY) break; // cannot be, with a ring that was made
    n = take_completed(q, done, max);
  }
  start(q);
  return n;
}

static void ring_close(struct disk_queue *queue) {
  struct ring_queue *q = ring_of(queue);
  io_uring_queue_exit(&q->ring);
  disk_read_list_done(&q->waiting);
  mem_free(q);
}

enum err disk_ring_open(struct disk *d, unsigned depth, struct disk_queue **ret) {
  static const struct posix_queue_ops ops = {ring_close, ring_submit, ring_reap};
  struct ring_queue *q = mem_zalloc(sizeof *q);
  if (q == NULL) return ERR_NOMEM;
  q->base = (struct posix_queue){{d}, &ops};
  q->depth = depth;
  if (io_uring_queue_init(depth, &q->ring, 0) != 0) {
    mem_free(q);
    return ERR_UNSUPPORTED;
  }
  *ret = &q->base.queue;
  return ERR_OK;
}

#else

enum err disk_ring_open(struct disk *d UNUSED, unsigned depth UNUSED, struct disk_queue **ret UNUSED) {
  return ERR_UNSUPPORTED;
}

#endif
