#include "store/sim_disk.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/str.h"

#define SECTOR 512u

// One thing that a sync would make durable: a sector's bytes, or a new size.
struct pending {
  bool is_size;
  uint64_t at;   // sector number, or the size
  size_t bytes;  // from the sector's start
  uint8_t data[SECTOR];
};

struct image {
  uint8_t *data;
  uint64_t size, capacity;
};

struct inode {
  struct image now, stable;
  struct pending *pending;
  size_t pending_count, pending_capacity;
  unsigned opens;
  bool locked;
};

struct name {
  char path[256];
  struct inode *inode;
};

// A change of names, in order.
struct name_change {
  char path[256]; // that appears (inode set) or goes (inode NULL)
  struct inode *inode;
};

struct names {
  struct name *list;
  size_t count, capacity;
};

struct sim_disk {
  struct disk disk;
  struct rng rng;
  struct names now, stable;
  struct name_change *changes;
  size_t change_count, change_capacity;
  struct inode **inodes;
  size_t inode_count, inode_capacity;
  struct sim_fault faults[SIM_OP_MAX];
  int64_t cut_countdown;
  uint64_t mutations;
  bool off, failed;
};

struct sim_file {
  struct disk_file file;
  struct inode *inode;
  bool writable, lock;
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

// The simulator's own allocations do not fail: the failures that a test arms are for the code under test.
static void *sim_realloc(void *p, size_t bytes) {
  int64_t armed = atomic_exchange(&fault_alloc.countdown, -1);
  void *grown = mem_realloc(p, bytes);
  atomic_store(&fault_alloc.countdown, armed);
  assert(grown != NULL);
  return grown;
}

static void *sim_zalloc(size_t bytes) {
  return memset(sim_realloc(NULL, bytes), 0, bytes);
}

static void *grow(void *p, size_t *capacity, size_t needed, size_t size) {
  if (needed <= *capacity) return p;
  *capacity = MAX(needed, *capacity * 2 + 16);
  return sim_realloc(p, *capacity * size);
}

// ---- images and what is pending ----

static void image_resize(struct image *i, uint64_t size) {
  if (size > i->capacity) {
    uint64_t larger = MAX(size, i->capacity * 2);
    i->data = sim_realloc(i->data, larger);
    memset(i->data + i->capacity, 0, larger - i->capacity);
    i->capacity = larger;
  }
  if (size < i->size) memset(i->data + size, 0, i->size - size);
  i->size = size;
}

static void image_write(struct image *i, uint64_t offset, const void *from, size_t bytes) {
  if (offset + bytes > i->size) image_resize(i, offset + bytes);
  memcpy(i->data + offset, from, bytes);
}

static void image_copy(struct image *to, const struct image *from) {
  image_resize(to, 0);
  image_resize(to, from->size);
  if (from->size > 0) memcpy(to->data, from->data, from->size);
}

static void apply(struct image *i, const struct pending *p) {
  if (p->is_size)
    image_resize(i, p->at);
  else
    image_write(i, p->at * SECTOR, p->data, p->bytes);
}

static struct pending *remember(struct inode *n) {
  n->pending = grow(n->pending, &n->pending_capacity, n->pending_count + 1, sizeof *n->pending);
  return &n->pending[n->pending_count++];
}

// The sectors that [offset, offset + bytes) touches, as they are now.
static void remember_sectors(struct inode *n, uint64_t offset, size_t bytes) {
  if (bytes == 0) return;
  for (uint64_t sector = offset / SECTOR; sector * SECTOR < offset + bytes; sector++) {
    struct pending *p = remember(n);
    *p = (struct pending){.at = sector, .bytes = MIN(SECTOR, n->now.size - sector * SECTOR)};
    memcpy(p->data, n->now.data + sector * SECTOR, p->bytes);
  }
}

static void remember_size(struct inode *n, uint64_t size) {
  struct pending *p = remember(n);
  *p = (struct pending){.is_size = true, .at = size};
}

static void inode_settle(struct inode *n) {
  for (size_t i = 0; i < n->pending_count; i++) apply(&n->stable, &n->pending[i]);
  n->pending_count = 0;
}

// Each remembered change survives with the same chance, which is drawn anew for each file.
static void inode_lose_some(struct inode *n, struct rng *rng) {
  uint64_t chance = (uint64_t[]){0, 1, 5, 9, 10}[rng_below(rng, 5)];
  for (size_t i = 0; i < n->pending_count; i++)
    if (rng_chance(rng, chance, 10)) apply(&n->stable, &n->pending[i]);
  n->pending_count = 0;
}

// ---- names ----

static struct name *names_find(struct names *names, const char *path) {
  for (size_t i = 0; i < names->count; i++)
    if (strcmp(names->list[i].path, path) == 0) return &names->list[i];
  return NULL;
}

static void names_set(struct names *names, const char *path, struct inode *inode) {
  struct name *found = names_find(names, path);
  if (inode == NULL) {
    if (found != NULL) *found = names->list[--names->count];
    return;
  }
  if (found == NULL) {
    names->list = grow(names->list, &names->capacity, names->count + 1, sizeof *names->list);
    found = &names->list[names->count++];
    snprintf(found->path, sizeof found->path, "%s", path);
  }
  found->inode = inode;
}

static void change_name(struct sim_disk *d, const char *path, struct inode *inode) {
  names_set(&d->now, path, inode);
  d->changes = grow(d->changes, &d->change_capacity, d->change_count + 1, sizeof *d->changes);
  struct name_change *c = &d->changes[d->change_count++];
  snprintf(c->path, sizeof c->path, "%s", path);
  c->inode = inode;
}

static struct inode *new_inode(struct sim_disk *d) {
  d->inodes = grow(d->inodes, &d->inode_capacity, d->inode_count + 1, sizeof(struct inode *));
  return d->inodes[d->inode_count++] = sim_zalloc(sizeof(struct inode));
}

static void free_inode(struct inode *n) {
  mem_free(n->now.data);
  mem_free(n->stable.data);
  mem_free(n->pending);
  mem_free(n);
}

static bool is_named(const struct names *names, const struct inode *n) {
  for (size_t i = 0; i < names->count; i++)
    if (names->list[i].inode == n) return true;
  return false;
}

static void drop_unnamed(struct sim_disk *d) {
  size_t kept = 0;
  for (size_t i = 0; i < d->inode_count; i++) {
    struct inode *n = d->inodes[i];
    if (is_named(&d->stable, n) || is_named(&d->now, n) || n->opens > 0)
      d->inodes[kept++] = n;
    else
      free_inode(n);
  }
  d->inode_count = kept;
}

static void names_copy(struct names *to, const struct names *from) {
  to->list = grow(to->list, &to->capacity, from->count, sizeof *to->list);
  if (from->count > 0) memcpy(to->list, from->list, from->count * sizeof *to->list);
  to->count = from->count;
}

// ---- power and faults ----

void sim_disk_cut(struct sim_disk *d) {
  if (d->off) return;
  d->off = true;
  d->cut_countdown = -1;
  size_t survive = d->change_count > 0 ? rng_below(&d->rng, d->change_count + 1) : 0;
  for (size_t i = 0; i < survive; i++) names_set(&d->stable, d->changes[i].path, d->changes[i].inode);
  d->change_count = 0;
  for (size_t i = 0; i < d->inode_count; i++) inode_lose_some(d->inodes[i], &d->rng);
}

void sim_disk_power_on(struct sim_disk *d) {
  assert(d->off);
  d->off = false;
  names_copy(&d->now, &d->stable);
  drop_unnamed(d);
  for (size_t i = 0; i < d->inode_count; i++) {
    assert(d->inodes[i]->opens == 0);
    image_copy(&d->inodes[i]->now, &d->inodes[i]->stable);
    d->inodes[i]->locked = false;
  }
  for (int op = 0; op < SIM_OP_MAX; op++) d->faults[op].countdown = -1;
}

static enum err power_is_off(struct error *e) {
  return error_set(e, ERR_IO, "The simulated power is off.");
}

static bool strikes(struct sim_disk *d, enum sim_op op) {
  struct sim_fault *f = &d->faults[op];
  if (f->countdown < 0 || f->countdown-- > 0) return false;
  d->failed = true;
  return true;
}

// Counts a change; true if the power goes within it.
static bool change_is_cut(struct sim_disk *d) {
  d->mutations++;
  if (d->cut_countdown < 0) return false;
  return d->cut_countdown-- == 0;
}

static enum err faulted(const struct sim_disk *d, enum sim_op op, struct error *e) {
  return error_set(e, d->faults[op].err, "A simulated fault.");
}

#define BEFORE(d, op, e)                          \
  do {                                            \
    if ((d)->off) return power_is_off(e);         \
    if (strikes((d), (op))) return faulted((d), (op), (e)); \
  } while (0)

#define CUT_HERE(d, e)                            \
  do {                                            \
    if (change_is_cut(d)) {                       \
      sim_disk_cut(d);                            \
      return power_is_off(e);                     \
    }                                             \
  } while (0)

// ---- the table ----

static enum err open_inode(struct sim_disk *d, struct inode *n, unsigned flags, struct disk_file **ret, struct error *e) {
  struct sim_file *f = mem_zalloc(sizeof *f);
  if (f == NULL) return error_ensure(e, ERR_NOMEM);
  *f = (struct sim_file){.file.disk = &d->disk, .inode = n, .writable = flags & DISK_WRITE};
  n->opens++;
  *ret = &f->file;
  return ERR_OK;
}

static enum err sim_open(struct disk *disk, const char *path, unsigned flags, struct disk_file **ret, struct error *e) {
  struct sim_disk *d = sim_of(disk);
  BEFORE(d, SIM_OTHER, e);
  assert(strlen(path) < sizeof((struct name *) 0)->path);
  struct name *found = names_find(&d->now, path);
  if (found != NULL && (flags & DISK_EXCLUSIVE)) return error_set(e, ERR_EXISTS, "'%s' exists.", path);
  if (found == NULL && !(flags & DISK_CREATE)) return error_set(e, ERR_NOTFOUND, "There is no '%s'.", path);
  if (found != NULL) return open_inode(d, found->inode, flags, ret, e);
  CUT_HERE(d, e);
  struct inode *n = new_inode(d);
  change_name(d, path, n);
  return open_inode(d, n, flags, ret, e);
}

static void sim_close(struct disk_file *file) {
  struct sim_file *f = file_of(file);
  if (f->lock) f->inode->locked = false;
  f->inode->opens--;
  mem_free(f);
}

static enum err sim_read(struct disk_file *file, uint64_t offset, void *to, size_t bytes, size_t *ret_bytes, struct error *e) {
  BEFORE(sim_of(file->disk), SIM_READ, e);
  const struct image *i = &file_of(file)->inode->now;
  size_t n = offset < i->size ? MIN(bytes, i->size - offset) : 0;
  if (n > 0) memcpy(to, i->data + offset, n);
  *ret_bytes = n;
  return ERR_OK;
}

static void write_now(struct inode *n, uint64_t offset, const void *from, size_t bytes) {
  uint64_t size = n->now.size;
  image_write(&n->now, offset, from, bytes);
  if (n->now.size != size) remember_size(n, n->now.size);
  remember_sectors(n, offset, bytes);
}

static enum err sim_write(struct disk_file *file, uint64_t offset, const void *from, size_t bytes, struct error *e) {
  struct sim_disk *d = sim_of(file->disk);
  struct sim_file *f = file_of(file);
  assert(f->writable);
  if (d->off) return power_is_off(e);
  if (strikes(d, SIM_WRITE)) {
    write_now(f->inode, offset, from, rng_below(&d->rng, bytes + 1));
    return faulted(d, SIM_WRITE, e);
  }
  write_now(f->inode, offset, from, bytes);
  CUT_HERE(d, e);
  return ERR_OK;
}

static enum err sim_sync(struct disk_file *file, struct error *e) {
  struct sim_disk *d = sim_of(file->disk);
  if (d->off) return power_is_off(e);
  if (strikes(d, SIM_SYNC)) {
    inode_lose_some(file_of(file)->inode, &d->rng);
    return faulted(d, SIM_SYNC, e);
  }
  CUT_HERE(d, e);
  inode_settle(file_of(file)->inode);
  return ERR_OK;
}

static enum err sim_size(struct disk_file *file, uint64_t *ret, struct error *e) {
  BEFORE(sim_of(file->disk), SIM_OTHER, e);
  *ret = file_of(file)->inode->now.size;
  return ERR_OK;
}

static enum err set_size(struct sim_disk *d, struct inode *n, uint64_t size, struct error *e) {
  image_resize(&n->now, size);
  remember_size(n, size);
  CUT_HERE(d, e);
  return ERR_OK;
}

static enum err sim_truncate(struct disk_file *file, uint64_t size, struct error *e) {
  BEFORE(sim_of(file->disk), SIM_OTHER, e);
  return set_size(sim_of(file->disk), file_of(file)->inode, size, e);
}

static enum err sim_allocate(struct disk_file *file, uint64_t offset, uint64_t bytes, struct error *e) {
  struct sim_disk *d = sim_of(file->disk);
  BEFORE(d, SIM_ALLOCATE, e);
  struct inode *n = file_of(file)->inode;
  return offset + bytes > n->now.size ? set_size(d, n, offset + bytes, e) : ERR_OK;
}

static enum err sim_lock(struct disk *disk, const char *path, struct disk_file **ret, struct error *e) {
  struct disk_file *f = NULL;
  TRY(sim_open(disk, path, DISK_WRITE | DISK_CREATE, &f, e));
  if (file_of(f)->inode->locked) {
    sim_close(f);
    return error_set(e, ERR_BUSY, "'%s' is locked by host simulated pid 1.", path);
  }
  file_of(f)->inode->locked = file_of(f)->lock = true;
  *ret = f;
  return ERR_OK;
}

static enum err sim_rename(struct disk *disk, const char *from, const char *to, struct error *e) {
  struct sim_disk *d = sim_of(disk);
  BEFORE(d, SIM_OTHER, e);
  struct name *found = names_find(&d->now, from);
  if (found == NULL) return error_set(e, ERR_NOTFOUND, "There is no '%s'.", from);
  CUT_HERE(d, e);
  struct inode *n = found->inode;
  change_name(d, to, n);
  change_name(d, from, NULL);
  return ERR_OK;
}

static enum err sim_unlink(struct disk *disk, const char *path, struct error *e) {
  struct sim_disk *d = sim_of(disk);
  BEFORE(d, SIM_OTHER, e);
  if (names_find(&d->now, path) == NULL) return error_set(e, ERR_NOTFOUND, "There is no '%s'.", path);
  CUT_HERE(d, e);
  change_name(d, path, NULL);
  return ERR_OK;
}

// Directories are not modelled: a path is a name as a whole.
static enum err sim_directory(struct disk *disk, const char *path UNUSED, struct error *e) {
  BEFORE(sim_of(disk), SIM_OTHER, e);
  return ERR_OK;
}

static enum err sim_list(struct disk *disk, const char *path, disk_list_fn fn, void *argument, struct error *e) {
  struct sim_disk *d = sim_of(disk);
  BEFORE(d, SIM_OTHER, e);
  size_t length = strlen(path);
  for (size_t i = 0; i < d->now.count; i++) {
    const char *name = d->now.list[i].path;
    if (strncmp(name, path, length) == 0 && name[length] == '/') TRY(fn(argument, name + length + 1, false));
  }
  return ERR_OK;
}

static enum err sim_sync_directory(struct disk *disk, const char *path UNUSED, struct error *e) {
  struct sim_disk *d = sim_of(disk);
  BEFORE(d, SIM_SYNC, e);
  CUT_HERE(d, e);
  names_copy(&d->stable, &d->now);
  d->change_count = 0;
  return ERR_OK;
}

static enum err sim_free_space(struct disk *disk, const char *path UNUSED, uint64_t *ret_bytes, struct error *e) {
  BEFORE(sim_of(disk), SIM_OTHER, e);
  *ret_bytes = UINT64_C(1) << 40;
  return ERR_OK;
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

static enum err sim_queue_submit(struct disk_queue *queue, struct disk_read **reads, size_t count, struct error *e) {
  struct sim_queue *q = CONTAINER_OF(queue, struct sim_queue, queue);
  BEFORE(sim_of(queue->disk), SIM_OTHER, e);
  if (q->count + count > ARRAY_SIZE(q->waiting)) return error_ensure(e, ERR_LIMIT);
  memcpy(q->waiting + q->count, reads, count * sizeof *reads);
  q->count += count;
  return ERR_OK;
}

static size_t sim_queue_reap(struct disk_queue *queue, bool wait UNUSED, struct disk_read **done, size_t max) {
  struct sim_queue *q = CONTAINER_OF(queue, struct sim_queue, queue);
  size_t n = MIN(q->count, max);
  for (size_t i = 0; i < n; i++) {
    size_t pick = rng_below(&sim_of(queue->disk)->rng, q->count);
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
      .unlink = sim_unlink,
      .make_directory = sim_directory,
      .remove_directory = sim_directory,
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
  d->cut_countdown = -1;
  for (int op = 0; op < SIM_OP_MAX; op++) d->faults[op].countdown = -1;
  rng_seed(&d->rng, seed);
  return d;
}

void sim_disk_free(struct sim_disk *d) {
  if (d == NULL) return;
  for (size_t i = 0; i < d->inode_count; i++) free_inode(d->inodes[i]);
  mem_free(d->inodes);
  mem_free(d->now.list);
  mem_free(d->stable.list);
  mem_free(d->changes);
  mem_free(d);
}

struct disk *sim_disk_table(struct sim_disk *d) {
  return &d->disk;
}

void sim_disk_fail(struct sim_disk *d, enum sim_op op, int64_t countdown, enum err err) {
  d->faults[op] = (struct sim_fault){countdown, err};
  d->failed = false;
}

bool sim_disk_failed(const struct sim_disk *d) {
  return d->failed;
}

void sim_disk_cut_after(struct sim_disk *d, int64_t countdown) {
  d->cut_countdown = countdown;
}

bool sim_disk_is_off(const struct sim_disk *d) {
  return d->off;
}

bool sim_disk_flip(struct sim_disk *d, const char *path, uint64_t offset, uint8_t mask) {
  struct name *found = names_find(&d->now, path);
  if (found == NULL || offset >= found->inode->stable.size || offset >= found->inode->now.size) return false;
  found->inode->stable.data[offset] ^= mask;
  found->inode->now.data[offset] ^= mask;
  return true;
}

uint64_t sim_disk_file_size(struct sim_disk *d, const char *path) {
  struct name *found = names_find(&d->now, path);
  return found != NULL ? found->inode->now.size : 0;
}

uint64_t sim_disk_changes(const struct sim_disk *d) {
  return d->mutations;
}
