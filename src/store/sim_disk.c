// The simulated disk as a table of functions: faults, power, and who may touch it.
#include "store/sim_disk.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/sim_disk_int.h"

struct sim_file {
  struct disk_file file;
  struct sim_inode *inode;
  bool writable, direct, lock;
  char path[SIM_PATH_MAX];
};

struct sim_queue {
  struct disk_queue queue;
  struct disk_read *waiting[4096];
  size_t count;
};

static struct sim_disk *sim_of(struct disk *d) {
  return CONTAINER_OF(d, struct sim_disk, disk);
}

static struct sim_file *file_of(struct disk_file *f) {
  return CONTAINER_OF(f, struct sim_file, file);
}

// Everything below that ends with _locked, and what it calls, runs under the disk's mutex.
#define LOCKED(d, call)            \
  ({                               \
    mutex_lock(&(d)->mutex);       \
    typeof(call) result_ = (call); \
    mutex_unlock(&(d)->mutex);     \
    result_;                       \
  })

// ---- power, faults and room ----

static void cut_locked(struct sim_disk *d) {
  if (d->off) return;
  d->off = true;
  d->cut.countdown = -1;
  sim_names_lose_some(d);
  for (size_t i = 0; i < d->inode_count; i++) sim_inode_lose_some(d->inodes[i], &d->rng);
  if (d->on_cut != NULL) d->on_cut(d, d->on_cut_context);
}

static enum err power_is_off(struct error *e) {
  return error_set(e, ERR_IO, "The simulated power is off.");
}

static bool is_meant(const struct sim_aim *a, const char *path) {
  return a->name == NULL || strstr(path, a->name) != NULL;
}

static bool strikes(struct sim_disk *d, enum sim_op op, const char *path) {
  struct sim_aim *a = &d->faults[op].at;
  if (a->countdown < 0 || !is_meant(a, path) || a->countdown-- > 0) return false;
  d->failed = true;
  return true;
}

// Counts a change; true if the power goes within it.
static bool change_is_cut(struct sim_disk *d, enum sim_op op, const char *path) {
  struct sim_aim *a = &d->cut;
  d->mutations++;
  if (a->countdown < 0 || (a->op != SIM_OP_MAX && a->op != op) || !is_meant(a, path)) return false;
  return a->countdown-- == 0;
}

static enum err faulted(const struct sim_disk *d, enum sim_op op, struct error *e) {
  return error_set(e, d->faults[op].err, "A simulated fault.");
}

#define BEFORE(d, op, path, e)                                      \
  do {                                                              \
    if ((d)->off) return power_is_off(e);                           \
    if (strikes((d), (op), (path))) return faulted((d), (op), (e)); \
  } while (0)

#define CUT_HERE(d, op, path, e)            \
  do {                                      \
    if (change_is_cut((d), (op), (path))) { \
      cut_locked(d);                        \
      return power_is_off(e);               \
    }                                       \
  } while (0)

static void give_room(struct sim_disk *d, uint64_t bytes) {
  if (d->room_bytes != UINT64_MAX) d->room_bytes += bytes;
}

static enum err take_room(struct sim_disk *d, const struct sim_inode *n, uint64_t size, struct error *e) {
  if (size <= n->now.size) {
    give_room(d, n->now.size - size);
    return ERR_OK;
  }
  uint64_t more = size - n->now.size;
  if (more > d->room_bytes) return error_set(e, ERR_NOSPC, "The simulated disk is full.");
  if (d->room_bytes != UINT64_MAX) d->room_bytes -= more;
  return ERR_OK;
}

// ---- files ----

static enum err open_inode(struct sim_disk *d, struct sim_inode *n, const char *path, unsigned flags, struct disk_file **ret,
                           struct error *e) {
  struct sim_file *f = mem_zalloc(sizeof *f);
  if (f == NULL) return error_ensure(e, ERR_NOMEM);
  *f = (struct sim_file){.file.disk = &d->disk, .inode = n, .writable = flags & DISK_WRITE, .direct = flags & DISK_DIRECT};
  memcpy(f->path, path, strlen(path));
  n->opens++;
  *ret = &f->file;
  return ERR_OK;
}

static enum err open_locked(struct sim_disk *d, const char *path, unsigned flags, struct disk_file **ret, struct error *e) {
  BEFORE(d, SIM_OTHER, path, e);
  assert(strlen(path) < SIM_PATH_MAX);
  struct sim_name *found = sim_names_find(&d->now, path);
  if (found != NULL && (flags & DISK_EXCLUSIVE)) return error_set(e, ERR_EXISTS, "'%s' exists.", path);
  if (found == NULL && !(flags & DISK_CREATE)) return error_set(e, ERR_NOTFOUND, "There is no '%s'.", path);
  if (found != NULL) return open_inode(d, found->inode, path, flags, ret, e);
  CUT_HERE(d, SIM_OTHER, path, e);
  struct sim_inode *n = sim_new_inode(d);
  sim_change_name(d, path, n);
  return open_inode(d, n, path, flags, ret, e);
}

static bool close_locked(struct sim_file *f) {
  if (f->lock) f->inode->locked = false;
  f->inode->opens--;
  return true;
}

// A real disk would refuse it.
static void assert_aligned(const struct sim_file *f, uint64_t offset, const void *memory, size_t bytes) {
  assert(!f->direct || (offset | (uintptr_t) memory | bytes) % 4096 == 0);
}

static enum err read_locked(struct sim_disk *d, struct sim_file *f, uint64_t offset, void *to, size_t bytes, size_t *ret_bytes,
                            struct error *e) {
  assert_aligned(f, offset, to, bytes);
  BEFORE(d, SIM_READ, f->path, e);
  const struct sim_image *i = &f->inode->now;
  size_t n = offset < i->size ? MIN(bytes, i->size - offset) : 0;
  sim_image_read(i, offset, to, n);
  *ret_bytes = n;
  return ERR_OK;
}

static enum err write_locked(struct sim_disk *d, struct sim_file *f, uint64_t offset, const void *from, size_t bytes,
                             struct error *e) {
  assert(f->writable);
  assert_aligned(f, offset, from, bytes);
  if (d->off) return power_is_off(e);
  if (strikes(d, SIM_WRITE, f->path)) {
    sim_inode_write(f->inode, offset, from, rng_below(&d->rng, bytes + 1));
    return faulted(d, SIM_WRITE, e);
  }
  TRY(take_room(d, f->inode, MAX(offset + bytes, f->inode->now.size), e));
  sim_inode_write(f->inode, offset, from, bytes);
  CUT_HERE(d, SIM_WRITE, f->path, e);
  return ERR_OK;
}

static enum err sync_locked(struct sim_disk *d, struct sim_file *f, struct error *e) {
  if (d->off) return power_is_off(e);
  if (strikes(d, SIM_SYNC, f->path)) {
    sim_inode_lose_some(f->inode, &d->rng);
    return faulted(d, SIM_SYNC, e);
  }
  CUT_HERE(d, SIM_SYNC, f->path, e);
  sim_inode_settle(f->inode);
  return ERR_OK;
}

static enum err size_locked(struct sim_disk *d, struct sim_file *f, uint64_t *ret, struct error *e) {
  BEFORE(d, SIM_OTHER, f->path, e);
  *ret = f->inode->now.size;
  return ERR_OK;
}

static enum err set_size(struct sim_disk *d, struct sim_file *f, uint64_t size, struct error *e) {
  TRY(take_room(d, f->inode, size, e));
  sim_inode_resize(f->inode, size);
  CUT_HERE(d, SIM_OTHER, f->path, e);
  return ERR_OK;
}

static enum err truncate_locked(struct sim_disk *d, struct sim_file *f, uint64_t size, struct error *e) {
  BEFORE(d, SIM_OTHER, f->path, e);
  return set_size(d, f, size, e);
}

static enum err allocate_locked(struct sim_disk *d, struct sim_file *f, uint64_t end, struct error *e) {
  BEFORE(d, SIM_ALLOCATE, f->path, e);
  return end > f->inode->now.size ? set_size(d, f, end, e) : ERR_OK;
}

static enum err lock_locked(struct sim_disk *d, const char *path, struct disk_file **ret, struct error *e) {
  struct disk_file *f = NULL;
  TRY(open_locked(d, path, DISK_WRITE | DISK_CREATE, &f, e));
  if (file_of(f)->inode->locked) {
    close_locked(file_of(f));
    mem_free(f);
    return error_set(e, ERR_BUSY, "'%s' is locked by host simulated pid 1.", path);
  }
  file_of(f)->inode->locked = file_of(f)->lock = true;
  *ret = f;
  return ERR_OK;
}

// ---- names ----

static enum err rename_locked(struct sim_disk *d, const char *from, const char *to, struct error *e) {
  BEFORE(d, SIM_OTHER, from, e);
  struct sim_name *found = sim_names_find(&d->now, from);
  if (found == NULL) return error_set(e, ERR_NOTFOUND, "There is no '%s'.", from);
  CUT_HERE(d, SIM_OTHER, from, e);
  struct sim_inode *n = found->inode;
  sim_change_name(d, to, n);
  sim_change_name(d, from, NULL);
  return ERR_OK;
}

static enum err remove_locked(struct sim_disk *d, const char *path, struct error *e) {
  BEFORE(d, SIM_OTHER, path, e);
  struct sim_name *found = sim_names_find(&d->now, path);
  if (found == NULL) return error_set(e, ERR_NOTFOUND, "There is no '%s'.", path);
  CUT_HERE(d, SIM_OTHER, path, e);
  give_room(d, found->inode->now.size);
  sim_change_name(d, path, NULL);
  return ERR_OK;
}

static enum err make_directory_locked(struct sim_disk *d, const char *path, struct error *e) {
  BEFORE(d, SIM_OTHER, path, e);
  assert(strlen(path) < SIM_PATH_MAX);
  if (sim_names_find(&d->now, path) != NULL) return error_set(e, ERR_EXISTS, "'%s' exists.", path);
  CUT_HERE(d, SIM_OTHER, path, e);
  struct sim_inode *n = sim_new_inode(d);
  n->is_directory = true;
  sim_change_name(d, path, n);
  return ERR_OK;
}

static enum err list_locked(struct sim_disk *d, const char *path, disk_list_fn fn, void *argument, struct error *e) {
  BEFORE(d, SIM_OTHER, path, e);
  for (size_t i = 0; i < d->now.count; i++) {
    const char *name;
    if (sim_is_in(d->now.list[i].path, path, &name)) TRY(fn(argument, name, d->now.list[i].inode->is_directory));
  }
  return ERR_OK;
}

static enum err sync_directory_locked(struct sim_disk *d, const char *path, struct error *e) {
  BEFORE(d, SIM_SYNC, path, e);
  CUT_HERE(d, SIM_SYNC, path, e);
  sim_names_settle(d, path);
  return ERR_OK;
}

static enum err free_space_locked(struct sim_disk *d, const char *path, uint64_t *ret_bytes, struct error *e) {
  BEFORE(d, SIM_OTHER, path, e);
  *ret_bytes = MIN(d->room_bytes, UINT64_C(1) << 40);
  return ERR_OK;
}

// ---- the table ----

static enum err sim_open(struct disk *disk, const char *path, unsigned flags, struct disk_file **ret, struct error *e) {
  struct sim_disk *d = sim_of(disk);
  return LOCKED(d, open_locked(d, path, flags, ret, e));
}

static void sim_close(struct disk_file *file) {
  struct sim_disk *d = sim_of(file->disk);
  (void) LOCKED(d, close_locked(file_of(file)));
  mem_free(file);
}

static enum err sim_read(struct disk_file *file, uint64_t offset, void *to, size_t bytes, size_t *ret_bytes, struct error *e) {
  struct sim_disk *d = sim_of(file->disk);
  return LOCKED(d, read_locked(d, file_of(file), offset, to, bytes, ret_bytes, e));
}

static enum err sim_write(struct disk_file *file, uint64_t offset, const void *from, size_t bytes, struct error *e) {
  struct sim_disk *d = sim_of(file->disk);
  return LOCKED(d, write_locked(d, file_of(file), offset, from, bytes, e));
}

static enum err sim_sync(struct disk_file *file, struct error *e) {
  struct sim_disk *d = sim_of(file->disk);
  return LOCKED(d, sync_locked(d, file_of(file), e));
}

static enum err sim_size(struct disk_file *file, uint64_t *ret, struct error *e) {
  struct sim_disk *d = sim_of(file->disk);
  return LOCKED(d, size_locked(d, file_of(file), ret, e));
}

static enum err sim_truncate(struct disk_file *file, uint64_t size, struct error *e) {
  struct sim_disk *d = sim_of(file->disk);
  return LOCKED(d, truncate_locked(d, file_of(file), size, e));
}

static enum err sim_allocate(struct disk_file *file, uint64_t offset, uint64_t bytes, struct error *e) {
  struct sim_disk *d = sim_of(file->disk);
  return LOCKED(d, allocate_locked(d, file_of(file), offset + bytes, e));
}

static enum err sim_lock(struct disk *disk, const char *path, struct disk_file **ret, struct error *e) {
  struct sim_disk *d = sim_of(disk);
  return LOCKED(d, lock_locked(d, path, ret, e));
}

static enum err sim_rename(struct disk *disk, const char *from, const char *to, struct error *e) {
  struct sim_disk *d = sim_of(disk);
  return LOCKED(d, rename_locked(d, from, to, e));
}

static enum err sim_remove(struct disk *disk, const char *path, struct error *e) {
  struct sim_disk *d = sim_of(disk);
  return LOCKED(d, remove_locked(d, path, e));
}

static enum err sim_make_directory(struct disk *disk, const char *path, struct error *e) {
  struct sim_disk *d = sim_of(disk);
  return LOCKED(d, make_directory_locked(d, path, e));
}

static enum err sim_list(struct disk *disk, const char *path, disk_list_fn fn, void *argument, struct error *e) {
  struct sim_disk *d = sim_of(disk);
  return LOCKED(d, list_locked(d, path, fn, argument, e));
}

static enum err sim_sync_directory(struct disk *disk, const char *path, struct error *e) {
  struct sim_disk *d = sim_of(disk);
  return LOCKED(d, sync_directory_locked(d, path, e));
}

static enum err sim_free_space(struct disk *disk, const char *path, uint64_t *ret_bytes, struct error *e) {
  struct sim_disk *d = sim_of(disk);
  return LOCKED(d, free_space_locked(d, path, ret_bytes, e));
}

// ---- the queue: reads happen when they are reaped, in a random order, so that a page that is reused too early shows ----

static enum err sim_queue_open(struct disk *disk, unsigned depth UNUSED, struct disk_queue **ret, struct error *e) {
  struct sim_queue *q = mem_zalloc(sizeof *q);
  if (q == NULL) return error_ensure(e, ERR_NOMEM);
  q->queue.disk = disk;
  *ret = &q->queue;
  return ERR_OK;
}

static void sim_queue_close(struct disk_queue *queue) {
  mem_free(CONTAINER_OF(queue, struct sim_queue, queue));
}

static enum err submit_locked(struct sim_disk *d, struct sim_queue *q, struct disk_read **reads, size_t count, struct error *e) {
  BEFORE(d, SIM_OTHER, "", e);
  if (q->count + count > ARRAY_SIZE(q->waiting)) return error_ensure(e, ERR_LIMIT);
  memcpy(q->waiting + q->count, reads, count * sizeof *reads);
  q->count += count;
  return ERR_OK;
}

static enum err sim_queue_submit(struct disk_queue *queue, struct disk_read **reads, size_t count, struct error *e) {
  struct sim_disk *d = sim_of(queue->disk);
  return LOCKED(d, submit_locked(d, CONTAINER_OF(queue, struct sim_queue, queue), reads, count, e));
}

static size_t sim_queue_reap(struct disk_queue *queue, bool wait UNUSED, struct disk_read **done, size_t max) {
  struct sim_queue *q = CONTAINER_OF(queue, struct sim_queue, queue);
  struct sim_disk *d = sim_of(queue->disk);
  size_t n = MIN(q->count, max);
  for (size_t i = 0; i < n; i++) {
    size_t pick = LOCKED(d, rng_below(&d->rng, q->count));
    struct disk_read *r = q->waiting[pick];
    q->waiting[pick] = q->waiting[--q->count];
    r->result = disk_read_all(r->file, r->offset, r->to, r->bytes, NULL);
    done[i] = r;
  }
  return n;
}

// ---- for the test ----

struct sim_disk *sim_disk_new(uint64_t seed) {
  static const struct disk_ops ops = {
      .open = sim_open,
      .close = sim_close,
      .read = sim_read,
      .write = sim_write,
      .sync = sim_sync,
      .size = sim_size,
      .truncate = sim_truncate,
      .allocate = sim_allocate,
      .lock = sim_lock,
      .rename = sim_rename,
      .unlink = sim_remove,
      .make_directory = sim_make_directory,
      .remove_directory = sim_remove,
      .list = sim_list,
      .sync_directory = sim_sync_directory,
      .free_space = sim_free_space,
      .queue_open = sim_queue_open,
      .queue_close = sim_queue_close,
      .queue_submit = sim_queue_submit,
      .queue_reap = sim_queue_reap,
  };
  struct sim_disk *d = sim_zalloc(sizeof *d);
  d->disk.ops = &ops;
  d->cut.countdown = -1;
  d->room_bytes = UINT64_MAX;
  for (int op = 0; op < SIM_OP_MAX; op++) d->faults[op].at.countdown = -1;
  mutex_init(&d->mutex);
  rng_seed(&d->rng, seed);
  return d;
}

void sim_disk_free(struct sim_disk *d) {
  if (d == NULL) return;
  for (size_t i = 0; i < d->inode_count; i++) sim_inode_free(d->inodes[i]);
  mem_free(d->inodes);
  mem_free(d->now.list);
  mem_free(d->stable.list);
  mem_free(d->changes.list);
  mutex_done(&d->mutex);
  mem_free(d);
}

struct disk *sim_disk_table(struct sim_disk *d) {
  return &d->disk;
}

void sim_disk_fail(struct sim_disk *d, enum sim_op op, int64_t countdown, enum err err) {
  sim_disk_fail_at(d, (struct sim_aim){.op = op, .countdown = countdown}, err);
}

void sim_disk_fail_at(struct sim_disk *d, struct sim_aim at, enum err err) {
  mutex_lock(&d->mutex);
  d->faults[at.op] = (struct sim_fault){err, at};
  d->failed = false;
  mutex_unlock(&d->mutex);
}

bool sim_disk_failed(const struct sim_disk *d) {
  return d->failed;
}

void sim_disk_set_room(struct sim_disk *d, uint64_t bytes) {
  mutex_lock(&d->mutex);
  d->room_bytes = bytes;
  mutex_unlock(&d->mutex);
}

void sim_disk_cut_after(struct sim_disk *d, int64_t countdown) {
  sim_disk_cut_at(d, (struct sim_aim){.op = SIM_OP_MAX, .countdown = countdown});
}

void sim_disk_cut_at(struct sim_disk *d, struct sim_aim at) {
  mutex_lock(&d->mutex);
  d->cut = at;
  mutex_unlock(&d->mutex);
}

void sim_disk_cut(struct sim_disk *d) {
  mutex_lock(&d->mutex);
  cut_locked(d);
  mutex_unlock(&d->mutex);
}

void sim_disk_on_cut(struct sim_disk *d, void (*on_cut)(struct sim_disk *d, void *context), void *context) {
  d->on_cut = on_cut;
  d->on_cut_context = context;
}

bool sim_disk_is_off(const struct sim_disk *d) {
  return d->off;
}

void sim_disk_power_on(struct sim_disk *d) {
  assert(d->off);
  d->off = false;
  sim_names_reread(d);
  sim_drop_unnamed(d);
  for (size_t i = 0; i < d->inode_count; i++) {
    assert(d->inodes[i]->opens == 0);
    sim_inode_reread(d->inodes[i]);
  }
  for (int op = 0; op < SIM_OP_MAX; op++) d->faults[op].at.countdown = -1;
}

static void flip(struct sim_image *i, uint64_t offset, uint8_t mask) {
  uint8_t byte;
  sim_image_read(i, offset, &byte, 1);
  byte ^= mask;
  sim_image_write(i, offset, &byte, 1);
}

bool sim_disk_flip(struct sim_disk *d, const char *path, uint64_t offset, uint8_t mask) {
  struct sim_name *found = sim_names_find(&d->now, path);
  if (found == NULL || offset >= found->inode->stable.size || offset >= found->inode->now.size) return false;
  flip(&found->inode->stable, offset, mask);
  flip(&found->inode->now, offset, mask);
  return true;
}

uint64_t sim_disk_file_size(struct sim_disk *d, const char *path) {
  struct sim_name *found = sim_names_find(&d->now, path);
  return found != NULL ? found->inode->now.size : 0;
}

uint64_t sim_disk_changes(const struct sim_disk *d) {
  return d->mutations;
}
