// Files as a table of functions: `disk_system()` is the machine, the crash simulator brings its own.
//
// Errors: ERR_IO, ERR_NOSPC, ERR_NOTFOUND, ERR_EXISTS, ERR_BUSY, ERR_NOMEM, with a message that names the path. Short
// transfers never leave this layer: a write is whole or an error (of which any part may be on the disk), a read is short
// only at the end of the file. Interrupted calls are repeated inside.
//
// Durability: `disk_sync` makes a file's bytes and size durable, `disk_sync_directory` its name. A sync that failed says
// nothing about what is on the disk and must not be tried again as if nothing had happened: the caller gives the file up.
//
// Thread-safe: all functions, on one file from several threads too. Closing is the owner's business.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define DISK_PATH_MAX 4096

enum disk_open_flag {
  DISK_READ_ONLY = 0,
  DISK_WRITE = 1 << 0,
  DISK_CREATE = 1 << 1,    // make it if it is missing
  DISK_EXCLUSIVE = 1 << 2, // with DISK_CREATE: ERR_EXISTS if it is there
  DISK_DIRECT = 1 << 3,    // past the page cache where the file system can; offsets, sizes and buffers are multiples of 4096
};

struct disk;

/// An open file. Implementations embed it first.
struct disk_file {
  struct disk *disk;
};

/// One read of a batch. The caller owns it and its buffer until it is reported done.
struct disk_read {
  struct disk_file *file;
  uint64_t offset;
  void *to;
  size_t bytes;
  enum err result; // filled in: ERR_OK, ERR_IO, ERR_SHORT (end of file)
  void *user;      // the caller's
};

/// Reads in flight together (io_uring where there is one). One owner at a time. Implementations embed it first.
struct disk_queue {
  struct disk *disk;
};

/// One sync of several that go together. The caller owns it.
struct disk_sync {
  struct disk_file *file;
  enum err result;    // filled in
  struct error error; // filled in when it failed
};

typedef enum err (*disk_list_fn)(void *argument, const char *name, bool is_directory);

struct disk_ops {
  enum err (*open)(struct disk *d, const char *path, unsigned flags, struct disk_file **ret, struct error *e);
  void (*close)(struct disk_file *f);
  enum err (*read)(struct disk_file *f, uint64_t offset, void *to, size_t bytes, size_t *ret_bytes, struct error *e);
  enum err (*write)(struct disk_file *f, uint64_t offset, const void *from, size_t bytes, struct error *e);
  enum err (*sync)(struct disk_file *f, struct error *e);
  void (*sync_all)(struct disk_sync *syncs, size_t count); // NULL: one after the other
  enum err (*size)(struct disk_file *f, uint64_t *ret, struct error *e);
  enum err (*truncate)(struct disk_file *f, uint64_t size, struct error *e);
  enum err (*allocate)(struct disk_file *f, uint64_t offset, uint64_t bytes, struct error *e);
  void (*forget)(struct disk_file *f, uint64_t offset, uint64_t bytes); // may be NULL
  enum err (*lock)(struct disk *d, const char *path, struct disk_file **ret, struct error *e);
  enum err (*rename)(struct disk *d, const char *from, const char *to, struct error *e);
  enum err (*unlink)(struct disk *d, const char *path, struct error *e);
  enum err (*make_directory)(struct disk *d, const char *path, struct error *e);
  enum err (*remove_directory)(struct disk *d, const char *path, struct error *e);
  enum err (*list)(struct disk *d, const char *path, disk_list_fn fn, void *argument, struct error *e);
  enum err (*sync_directory)(struct disk *d, const char *path, struct error *e);
  enum err (*free_space)(struct disk *d, const char *path, uint64_t *ret_bytes, struct error *e);
  enum err (*queue_open)(struct disk *d, unsigned depth, struct disk_queue **ret, struct error *e);
  void (*queue_close)(struct disk_queue *q);
  enum err (*queue_submit)(struct disk_queue *q, struct disk_read **reads, size_t count, struct error *e);
  size_t (*queue_reap)(struct disk_queue *q, bool wait, struct disk_read **done, size_t max);
};

struct disk {
  const struct disk_ops *ops;
};

/// The machine's file systems. Static.
struct disk *disk_system(void);

static inline enum err NODISCARD disk_open(struct disk *d, const char *path, unsigned flags, struct disk_file **ret, struct error *e) {
  return d->ops->open(d, path, flags, ret, e);
}

/// NULL is fine.
static inline void disk_close(struct disk_file *f) {
  if (f != NULL) f->disk->ops->close(f);
}

/// Reads up to `bytes`; fewer only at the end of the file.
static inline enum err NODISCARD disk_read_some(struct disk_file *f, uint64_t offset, void *to, size_t bytes, size_t *ret_bytes,
                                                struct error *e) {
  return f->disk->ops->read(f, offset, to, bytes, ret_bytes, e);
}

/// Reads exactly `bytes`; ERR_SHORT if the file ends before.
enum err disk_read_all(struct disk_file *f, uint64_t offset, void *to, size_t bytes, struct error *e) NODISCARD;

static inline enum err NODISCARD disk_write(struct disk_file *f, uint64_t offset, const void *from, size_t bytes, struct error *e) {
  return f->disk->ops->write(f, offset, from, bytes, e);
}

/// fdatasync: bytes and what is needed to find them, size included.
static inline enum err NODISCARD disk_sync(struct disk_file *f, struct error *e) {
  return f->disk->ops->sync(f, e);
}

/// Syncs files of one disk, at the same time where that is possible, so that the disk is asked to flush once rather than once each.
void disk_sync_all(struct disk_sync *syncs, size_t count);

static inline enum err NODISCARD disk_size(struct disk_file *f, uint64_t *ret, struct error *e) {
  return f->disk->ops->size(f, ret, e);
}

static inline enum err NODISCARD disk_truncate(struct disk_file *f, uint64_t size, struct error *e) {
  return f->disk->ops->truncate(f, size, e);
}

/// Reserves space and grows the file over it; new bytes read as zeros. ERR_NOSPC leaves the file usable.
static inline enum err NODISCARD disk_allocate(struct disk_file *f, uint64_t offset, uint64_t bytes, struct error *e) {
  return f->disk->ops->allocate(f, offset, bytes, e);
}

/// Says that these bytes, which are on the disk, will not be read soon: the system's page cache may let go of them. A hint. To the
/// system no bytes would mean all that follow.
static inline void disk_forget(struct disk_file *f, uint64_t offset, uint64_t bytes) {
  if (bytes > 0 && f->disk->ops->forget != NULL) f->disk->ops->forget(f, offset, bytes);
}

/// Takes an exclusive lock that ends with the process or with disk_close, on network file systems too, and writes host and
/// process id into the file. ERR_BUSY names the holder.
static inline enum err NODISCARD disk_lock(struct disk *d, const char *path, struct disk_file **ret, struct error *e) {
  return d->ops->lock(d, path, ret, e);
}

/// Replaces `to` if it is there.
static inline enum err NODISCARD disk_rename(struct disk *d, const char *from, const char *to, struct error *e) {
  return d->ops->rename(d, from, to, e);
}

static inline enum err NODISCARD disk_unlink(struct disk *d, const char *path, struct error *e) {
  return d->ops->unlink(d, path, e);
}

/// Makes one directory; ERR_EXISTS if something of that name is there. Parents must be there.
static inline enum err NODISCARD disk_make_directory(struct disk *d, const char *path, struct error *e) {
  return d->ops->make_directory(d, path, e);
}

/// Makes a directory and those above it that are missing, and all their names durable: what is put into it cannot be lost with it. Any
/// that is there already may have been made by a process that died before it could do that. Who may not make the name of such a one
/// durable has not made it.
enum err disk_make_directories(struct disk *d, const char *path, struct error *e) NODISCARD;

/// Reads a small file as a whole: `*ret_bytes` is its size, and where that is more than `max` nothing was read.
enum err disk_read_file(struct disk *d, const char *path, void *to, size_t max, size_t *ret_bytes, struct error *e) NODISCARD;

/// Makes a small file of these bytes, durable whole or not at all, in the place of what had its name. Its directory is there.
enum err disk_replace_file(struct disk *d, const char *directory, const char *name, const void *bytes, size_t count,
                           struct error *e) NODISCARD;

static inline enum err NODISCARD disk_remove_directory(struct disk *d, const char *path, struct error *e) {
  return d->ops->remove_directory(d, path, e);
}

/// Removes a directory with all that is in it, a few levels deep, durably. One that is not there is no error; one that was partly
/// removed before is removed the rest of the way.
enum err disk_remove_tree(struct disk *d, const char *path, struct error *e) NODISCARD;

/// Calls `fn` for each name but "." and "..", in no order; an error of `fn` ends the walk and is returned.
static inline enum err NODISCARD disk_list(struct disk *d, const char *path, disk_list_fn fn, void *argument, struct error *e) {
  return d->ops->list(d, path, fn, argument, e);
}

/// Makes creations, renames and removals in a directory durable. ERR_DENIED: this process may not read it, or nobody can do that there.
static inline enum err NODISCARD disk_sync_directory(struct disk *d, const char *path, struct error *e) {
  return d->ops->sync_directory(d, path, e);
}

static inline enum err NODISCARD disk_free_space(struct disk *d, const char *path, uint64_t *ret_bytes, struct error *e) {
  return d->ops->free_space(d, path, ret_bytes, e);
}

/// At most `depth` reads are in flight; further ones wait in the queue.
static inline enum err NODISCARD disk_queue_open(struct disk *d, unsigned depth, struct disk_queue **ret, struct error *e) {
  return d->ops->queue_open(d, depth, ret, e);
}

/// All submitted reads must have been reaped. NULL is fine.
static inline void disk_queue_close(struct disk_queue *q) {
  if (q != NULL) q->disk->ops->queue_close(q);
}

/// Hands over all of `reads` or none. They complete in any order.
static inline enum err NODISCARD disk_queue_submit(struct disk_queue *q, struct disk_read **reads, size_t count, struct error *e) {
  return q->disk->ops->queue_submit(q, reads, count, e);
}

/// Takes up to `max` completed reads; with `wait` at least one if any is under way. Returns how many.
static inline size_t disk_queue_reap(struct disk_queue *q, bool wait, struct disk_read **done, size_t max) {
  return q->disk->ops->queue_reap(q, wait, done, max);
}
