#include "world_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "world_int.h"

struct world_file {
  struct disk_file file;
  struct world_disk *of;
  struct disk_file *under;
  struct world_file *before, *after;
};

struct world_queue {
  struct disk_queue queue;
  struct world_disk *of;
  struct disk_queue *under;
  struct world_queue *before, *after;
};

struct world_disk {
  struct disk disk;
  struct sim_disk *sim;
  struct world_disk_pace pace;
  struct world_file files; // a ring of those that are open
  struct world_queue queues;
  struct world_event lost_event;
  void (*lost)(void *context);
  void *context;
};

static struct world_disk *disk_of(struct disk *d) {
  return CONTAINER_OF(d, struct world_disk, disk);
}

static struct world_file *file_of(struct disk_file *f) {
  return CONTAINER_OF(f, struct world_file, file);
}

// ---- time goes by; a thread whose machine is off does not come back ----

static void pass(int64_t most_ns) {
  if (most_ns > 0 && fiber_current() != NULL) fiber_sleep((int64_t) rng_below(&world->rng, (uint64_t) most_ns) + 1);
}

static void stop_if_off(struct world_disk *d) {
  if (!sim_disk_is_off(d->sim) || fiber_current() == NULL) return;
  if (d->lost_event.place == 0) world_event_set(&d->lost_event, 0);
  for (;;) fiber_park(-1);
}

/// Half of an operation's time before it takes effect, half before that is told.
#define TIMED(d, most_ns, call)              \
  ({                                         \
    struct world_disk *d_ = (d);             \
    pass((most_ns) / 2);                     \
    stop_if_off(d_);                         \
    struct process *before_ = world_enter(); \
    typeof(call) result_ = (call);           \
    world_leave(before_);                    \
    stop_if_off(d_);                         \
    pass((most_ns) / 2);                     \
    result_;                                 \
  })

static void on_lost(struct world_event *event) {
  struct world_disk *d = CONTAINER_OF(event, struct world_disk, lost_event);
  d->lost(d->context);
}

// ---- files ----

static void add_file(struct world_disk *d, struct disk_file *under, struct disk_file **ret) {
  struct process *before = world_enter();
  struct world_file *f = mem_zalloc(sizeof *f);
  world_leave(before);
  if (f == NULL) abort();
  *f = (struct world_file){{&d->disk}, d, under, &d->files, d->files.after};
  f->after->before = d->files.after = f;
  *ret = &f->file;
}

/// It is in the ring before the thread may be stopped for good.
static enum err keep(struct world_disk *d, enum err opened, struct disk_file *under, struct disk_file **ret) {
  if (opened == ERR_OK) add_file(d, under, ret);
  return opened;
}

static enum err on_open(struct disk *disk, const char *path, unsigned flags, struct disk_file **ret, struct error *e) {
  struct world_disk *d = disk_of(disk);
  struct disk_file *under = NULL;
  return TIMED(d, d->pace.read_ns, ({
                 enum err opened = disk_open(sim_disk_table(d->sim), path, flags, &under, e);
                 keep(d, opened, under, ret);
               }));
}

static enum err on_lock(struct disk *disk, const char *path, struct disk_file **ret, struct error *e) {
  struct world_disk *d = disk_of(disk);
  struct disk_file *under = NULL;
  return TIMED(d, d->pace.read_ns, ({
                 enum err locked = disk_lock(sim_disk_table(d->sim), path, &under, e);
                 keep(d, locked, under, ret);
               }));
}

static void drop_file(struct world_file *f) {
  struct process *before = world_enter();
  f->before->after = f->after;
  f->after->before = f->before;
  disk_close(f->under);
  mem_free(f);
  world_leave(before);
}

static void on_close(struct disk_file *file) {
  drop_file(file_of(file));
}

static enum err on_read(struct disk_file *file, uint64_t offset, void *to, size_t bytes, size_t *ret_bytes, struct error *e) {
  struct world_file *f = file_of(file);
  return TIMED(f->of, f->of->pace.read_ns, disk_read_some(f->under, offset, to, bytes, ret_bytes, e));
}

static enum err on_write(struct disk_file *file, uint64_t offset, const void *from, size_t bytes, struct error *e) {
  struct world_file *f = file_of(file);
  return TIMED(f->of, f->of->pace.write_ns, disk_write(f->under, offset, from, bytes, e));
}

static enum err on_sync(struct disk_file *file, struct error *e) {
  struct world_file *f = file_of(file);
  return TIMED(f->of, f->of->pace.sync_ns, disk_sync(f->under, e));
}

static enum err on_size(struct disk_file *file, uint64_t *ret, struct error *e) {
  struct world_file *f = file_of(file);
  return TIMED(f->of, 0, disk_size(f->under, ret, e));
}

static enum err on_truncate(struct disk_file *file, uint64_t size, struct error *e) {
  struct world_file *f = file_of(file);
  return TIMED(f->of, f->of->pace.write_ns, disk_truncate(f->under, size, e));
}

static enum err on_allocate(struct disk_file *file, uint64_t offset, uint64_t bytes, struct error *e) {
  struct world_file *f = file_of(file);
  return TIMED(f->of, f->of->pace.write_ns, disk_allocate(f->under, offset, bytes, e));
}

// ---- names ----

static enum err on_rename(struct disk *disk, const char *from, const char *to, struct error *e) {
  struct world_disk *d = disk_of(disk);
  return TIMED(d, d->pace.write_ns, disk_rename(sim_disk_table(d->sim), from, to, e));
}

static enum err on_unlink(struct disk *disk, const char *path, struct error *e) {
  struct world_disk *d = disk_of(disk);
  return TIMED(d, d->pace.write_ns, disk_unlink(sim_disk_table(d->sim), path, e));
}

static enum err on_make_directory(struct disk *disk, const char *path, struct error *e) {
  struct world_disk *d = disk_of(disk);
  return TIMED(d, d->pace.write_ns, disk_make_directory(sim_disk_table(d->sim), path, e));
}

static enum err on_remove_directory(struct disk *disk, const char *path, struct error *e) {
  struct world_disk *d = disk_of(disk);
  return TIMED(d, d->pace.write_ns, disk_remove_directory(sim_disk_table(d->sim), path, e));
}

static enum err on_list(struct disk *disk, const char *path, disk_list_fn fn, void *argument, struct error *e) {
  struct world_disk *d = disk_of(disk);
  return TIMED(d, d->pace.read_ns, disk_list(sim_disk_table(d->sim), path, fn, argument, e));
}

static enum err on_sync_directory(struct disk *disk, const char *path, struct error *e) {
  struct world_disk *d = disk_of(disk);
  return TIMED(d, d->pace.sync_ns, disk_sync_directory(sim_disk_table(d->sim), path, e));
}

static enum err on_free_space(struct disk *disk, const char *path, uint64_t *ret_bytes, struct error *e) {
  struct world_disk *d = disk_of(disk);
  return TIMED(d, 0, disk_free_space(sim_disk_table(d->sim), path, ret_bytes, e));
}

// ---- queues: what is read is read through the files above, and takes its time there ----

static enum err on_queue_open(struct disk *disk, unsigned depth, struct disk_queue **ret, struct error *e) {
  struct world_disk *d = disk_of(disk);
  struct process *before = world_enter();
  struct world_queue *q = mem_zalloc(sizeof *q);
  if (q == NULL) abort();
  *q = (struct world_queue){{disk}, d, NULL, &d->queues, d->queues.after};
  enum err err = disk_queue_open(sim_disk_table(d->sim), depth, &q->under, e);
  q->after->before = d->queues.after = q;
  world_leave(before);
  *ret = &q->queue;
  return err;
}

static void on_queue_close(struct disk_queue *queue) {
  struct world_queue *q = CONTAINER_OF(queue, struct world_queue, queue);
  struct process *before = world_enter();
  q->before->after = q->after;
  q->after->before = q->before;
  disk_queue_close(q->under);
  mem_free(q);
  world_leave(before);
}

static enum err on_queue_submit(struct disk_queue *queue, struct disk_read **reads, size_t count, struct error *e) {
  return disk_queue_submit(CONTAINER_OF(queue, struct world_queue, queue)->under, reads, count, e);
}

static size_t on_queue_reap(struct disk_queue *queue, bool wait, struct disk_read **done, size_t max) {
  return disk_queue_reap(CONTAINER_OF(queue, struct world_queue, queue)->under, wait, done, max);
}

// ---- life ----

static const struct disk_ops ops = {
    .open = on_open,
    .close = on_close,
    .read = on_read,
    .write = on_write,
    .sync = on_sync,
    .size = on_size,
    .truncate = on_truncate,
    .allocate = on_allocate,
    .lock = on_lock,
    .rename = on_rename,
    .unlink = on_unlink,
    .make_directory = on_make_directory,
    .remove_directory = on_remove_directory,
    .list = on_list,
    .sync_directory = on_sync_directory,
    .free_space = on_free_space,
    .queue_open = on_queue_open,
    .queue_close = on_queue_close,
    .queue_submit = on_queue_submit,
    .queue_reap = on_queue_reap,
};

struct world_disk *world_disk_new(uint64_t seed, void (*lost)(void *context), void *context) {
  struct world_disk *d = mem_zalloc(sizeof *d);
  if (d == NULL) abort();
  *d =
      (struct world_disk){.disk = {&ops}, .sim = sim_disk_new(seed), .lost = lost, .context = context, .lost_event.run = on_lost};
  d->files.before = d->files.after = &d->files;
  d->queues.before = d->queues.after = &d->queues;
  return d;
}

static void close_all(struct world_disk *d) {
  while (d->files.after != &d->files) drop_file(d->files.after);
  while (d->queues.after != &d->queues) on_queue_close(&d->queues.after->queue);
}

void world_disk_free(struct world_disk *d) {
  close_all(d);
  sim_disk_free(d->sim);
  world_event_cancel(&d->lost_event);
  mem_free(d);
}

struct disk *world_disk_table(struct world_disk *d) {
  return &d->disk;
}

void world_disk_set_pace(struct world_disk *d, struct world_disk_pace pace) {
  d->pace = pace;
}

struct sim_disk *world_disk_sim(struct world_disk *d) {
  return d->sim;
}

void world_disk_cut_within(struct world_disk *d, uint64_t changes) {
  sim_disk_cut_after(d->sim, (int64_t) rng_below(&world->rng, changes));
}

void world_disk_calm(struct world_disk *d) {
  for (int op = 0; op < SIM_OP_MAX; op++) sim_disk_fail(d->sim, (enum sim_op) op, -1, ERR_IO);
  sim_disk_cut_after(d->sim, -1);
}

void world_disk_abandon(struct world_disk *d, enum world_end end) {
  world_event_cancel(&d->lost_event);
  world_disk_calm(d);
  if (end == WORLD_END_MACHINE) sim_disk_cut(d->sim);
  close_all(d);
  if (end == WORLD_END_MACHINE) sim_disk_power_on(d->sim);
}

void world_disk_remove(struct world_disk *d, const char *path) {
  struct error e = ERROR_INIT;
  enum err err = disk_remove_tree(sim_disk_table(d->sim), path, &e);
  if (err == ERR_OK || err == ERR_NOTFOUND) return;
  fprintf(stderr, "%s: %s\n", path, e.message);
  abort();
}

enum { NAMES_MAX = 256, NAME_MAX_BYTES = 80 };

/// What a directory holds: while the disk lists it nothing else can be done with it.
struct names {
  uint32_t count;
  struct {
    char name[NAME_MAX_BYTES];
    bool is_directory;
  } of[NAMES_MAX];
};

static enum err note_name(void *argument, const char *name, bool is_directory) {
  struct names *n = argument;
  if (n->count == NAMES_MAX || strlen(name) >= NAME_MAX_BYTES) return ERR_LIMIT;
  memcpy(n->of[n->count].name, name, strlen(name) + 1);
  n->of[n->count++].is_directory = is_directory;
  return ERR_OK;
}

static enum err copy_bytes(struct disk_file *from, struct disk_file *to, struct error *e) {
  static uint8_t bytes[64 << 10];
  uint64_t at = 0;
  for (size_t got = 1; got > 0; at += got) {
    TRY(disk_read_some(from, at, bytes, sizeof bytes, &got, e));
    if (got > 0) TRY(disk_write(to, at, bytes, got, e));
  }
  return disk_sync(to, e);
}

static enum err copy_file(struct disk *d, const char *from, const char *to, struct error *e) {
  struct disk_file *source, *target;
  TRY(disk_open(d, from, DISK_READ_ONLY, &source, e));
  enum err err = disk_open(d, to, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &target, e);
  if (err == ERR_OK) err = copy_bytes(source, target, e);
  if (err == ERR_OK) disk_close(target);
  disk_close(source);
  return err;
}

static enum err copy_tree(struct disk *d, const char *from, const char *to, struct error *e);

static enum err copy_names(struct disk *d, const struct names *n, const char *from, const char *to, struct error *e) {
  for (uint32_t i = 0; i < n->count; i++) {
    char source[DISK_PATH_MAX], target[DISK_PATH_MAX];
    snprintf(source, sizeof source, "%s/%s", from, n->of[i].name);
    snprintf(target, sizeof target, "%s/%s", to, n->of[i].name);
    TRY(n->of[i].is_directory ? copy_tree(d, source, target, e) : copy_file(d, source, target, e));
  }
  return disk_sync_directory(d, to, e);
}

static enum err copy_tree(struct disk *d, const char *from, const char *to, struct error *e) {
  struct names *n = mem_zalloc(sizeof *n);
  if (n == NULL) return error_ensure(e, ERR_NOMEM);
  enum err err = disk_make_directories(d, to, e);
  if (err == ERR_OK) err = disk_list(d, from, note_name, n, e);
  if (err == ERR_OK) err = copy_names(d, n, from, to, e);
  mem_free(n);
  return err;
}

void world_disk_copy(struct world_disk *d, const char *from, const char *to) {
  struct error e = ERROR_INIT;
  world_disk_remove(d, to);
  enum err err = copy_tree(sim_disk_table(d->sim), from, to, &e);
  if (err == ERR_OK || err == ERR_NOTFOUND) return;
  fprintf(stderr, "%s: %s\n", from, e.message);
  abort();
}
