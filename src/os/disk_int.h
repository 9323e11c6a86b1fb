// What the files of the machine's disk share.
#pragma once

#include "os/disk.h"

/// Its file descriptor is for this module's own use.
struct posix_file {
  struct disk_file file;
  int fd;
  char path[];
};

static inline int posix_fd(struct disk_file *file) {
  return CONTAINER_OF(file, struct posix_file, file)->fd;
}

static inline const char *posix_path(struct disk_file *file) {
  return CONTAINER_OF(file, struct posix_file, file)->path;
}

/// disk_sync_all for files that threads may sync at the same time; `count` > 0.
void disk_sync_parallel(struct disk_sync *syncs, size_t count);

// ---- queues of reads: one table for each kind ----

struct posix_queue_ops {
  void (*close)(struct disk_queue *q);
  enum err (*submit)(struct disk_queue *q, struct disk_read **reads, size_t count, struct error *e);
  size_t (*reap)(struct disk_queue *q, bool wait, struct disk_read **done, size_t max);
};

/// Kinds of queue embed it first.
struct posix_queue {
  struct disk_queue queue;
  const struct posix_queue_ops *ops;
};

/// io_uring. ERR_UNSUPPORTED where the build, the kernel or a container has none, ERR_NOMEM.
enum err disk_ring_open(struct disk *d, unsigned depth, struct disk_queue **ret);
/// A few threads that read one by one; shared by all queues of the process.
enum err disk_crew_open(struct disk *d, unsigned depth, struct disk_queue **ret, struct error *e);

/// Reads in the order in which they came. Grows; belongs to one queue.
struct disk_read_list {
  struct disk_read **reads;
  size_t first, count, capacity; // a ring
};

enum err disk_read_list_reserve(struct disk_read_list *l, size_t extra) NODISCARD;
static inline void disk_read_list_push(struct disk_read_list *l, struct disk_read *r) { // room was reserved
  l->reads[(l->first + l->count++) % l->capacity] = r;
}
static inline struct disk_read *disk_read_list_pop(struct disk_read_list *l) {
  struct disk_read *r = l->reads[l->first];
  l->first = (l->first + 1) % l->capacity;
  l->count--;
  return r;
}
void disk_read_list_done(struct disk_read_list *l);
