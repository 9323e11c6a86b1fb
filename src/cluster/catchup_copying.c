#include "cluster/catchup_copying.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { WAITING_BYTES_MAX = 4 << 20 };

struct item {
  struct item *next;
  enum catchup_step step;
  void *memory; // that the bytes are in
  const uint8_t *bytes;
  size_t size;
};

struct catchup_copying {
  struct loop *loop;
  struct disk *disk;
  uint8_t database[16];
  void (*changed)(void *context);
  void *context;
  struct loop_task task;
  char directory[DISK_PATH_MAX];
  struct store_copy *copy; // of whoever works

  struct mutex lock; // all below
  struct condition idle;
  struct item *first, *last;
  size_t waiting_bytes;
  bool working, posted, freed;
  uint64_t asked_identity, asked_position;
  struct catchup_progress progress;
  struct error error;
};

static void item_free(struct item *i) {
  mem_free(i->memory);
  mem_free(i);
}

// ---- steps: on the work thread, without the lock ----

static bool has_store(struct catchup_copying *c) {
  char path[DISK_PATH_MAX + 32];
  struct disk_file *f = NULL;
  snprintf(path, sizeof path, "%s/store.pages", c->directory);
  bool there = disk_open(c->disk, path, DISK_READ_ONLY, &f, NULL) == ERR_OK;
  disk_close(f);
  return there;
}

static enum err look(struct catchup_copying *c, struct catchup_progress *p, struct error *e) {
  p->has_store = has_store(c);
  enum err err = store_copy_look(c->disk, c->directory, c->database, &p->identity, &p->position, e);
  p->known = err == ERR_OK;
  return err == ERR_NOTFOUND ? ERR_OK : err;
}

// Whether the pieces that follow are the ones that are wanted here.
static bool follows(struct catchup_copying *c) {
  mutex_lock(&c->lock);
  bool asked = store_copy_identity(c->copy)->checksum == c->asked_identity;
  uint64_t position = c->asked_position;
  mutex_unlock(&c->lock);
  return asked ? store_copy_position(c->copy) == position : store_copy_pages(c->copy) == 0;
}

static enum err open_copy(struct catchup_copying *c, const uint8_t *head, struct error *e) {
  store_copy_close(c->copy);
  c->copy = NULL;
  return store_copy_open(c->disk, c->directory, head, &c->copy, e);
}

static enum err take_head(struct catchup_copying *c, struct catchup_progress *p, const uint8_t *head, struct error *e) {
  struct checkpoint_identity identity;
  TRY(checkpoint_head_read(head, &identity, e));
  if (memcmp(identity.uuid, c->database, sizeof identity.uuid) != 0)
    return error_set(e, ERR_CORRUPT, "it sends another database's store");
  p->restarts += p->known && p->identity != identity.checksum;
  if (c->copy == NULL || store_copy_identity(c->copy)->checksum != identity.checksum) TRY(open_copy(c, head, e));
  if (follows(c)) return ERR_OK;
  store_copy_close(c->copy); // all of it comes again
  c->copy = NULL;
  TRY(store_copy_discard(c->disk, c->directory, e));
  return open_copy(c, head, e);
}

static enum err end_copy(struct catchup_copying *c, struct catchup_progress *p, struct error *e) {
  if (c->copy == NULL || store_copy_position(c->copy) != CHECKPOINT_END)
    return error_set(e, ERR_CORRUPT, "it ended the copy too early");
  TRY(store_copy_finish(c->copy, e));
  p->finished = true;
  return ERR_OK;
}

static enum err make_step(struct catchup_copying *c, const struct item *i, struct catchup_progress *p, struct error *e) {
  switch (i->step) {
  case CATCHUP_STEP_LOOK: return look(c, p, e);
  case CATCHUP_STEP_HEAD: return take_head(c, p, i->bytes, e);
  case CATCHUP_STEP_PIECE:
    if (c->copy == NULL || store_copy_position(c->copy) == CHECKPOINT_END)
      return error_set(e, ERR_CORRUPT, "it sends more than there is");
    return store_copy_add(c->copy, i->bytes, i->size, e);
  case CATCHUP_STEP_END: return end_copy(c, p, e);
  }
  return ERR_INTERNAL;
}

// Errors of this server's own disk leave the copy in doubt: what is durable of it is found when it is opened again.
static enum err step(struct catchup_copying *c, const struct item *i, struct catchup_progress *p, struct error *e) {
  enum err err = make_step(c, i, p, e);
  if (err != ERR_OK && err != ERR_CORRUPT) {
    store_copy_close(c->copy);
    c->copy = NULL;
  }
  if (c->copy == NULL) return err;
  p->known = true;
  p->identity = store_copy_identity(c->copy)->checksum;
  p->position = store_copy_position(c->copy);
  p->pages = store_copy_pages(c->copy);
  p->pages_all = store_copy_identity(c->copy)->pages;
  return err;
}

static struct item *take_item(struct catchup_copying *c) {
  struct item *i = c->progress.err == ERR_OK ? c->first : NULL;
  if (i == NULL) return NULL;
  c->first = i->next;
  if (c->first == NULL) c->last = NULL;
  c->waiting_bytes -= i->size;
  c->working = true;
  return i;
}

void catchup_copying_work(struct catchup_copying *c, bool *ret_worked) {
  struct error e = ERROR_INIT;
  mutex_lock(&c->lock);
  struct item *i = take_item(c);
  struct catchup_progress p = c->progress;
  mutex_unlock(&c->lock);
  *ret_worked = i != NULL;
  if (i == NULL) return;
  p.err = step(c, i, &p, &e);
  item_free(i);
  mutex_lock(&c->lock);
  c->progress = p;
  c->error = e;
  c->working = false;
  bool post = !c->posted;
  c->posted = true;
  condition_broadcast(&c->idle);
  mutex_unlock(&c->lock);
  if (post) loop_post(c->loop, &c->task);
}

// ---- on the loop ----

static void release(struct catchup_copying *c) {
  mutex_done(&c->lock);
  condition_done(&c->idle);
  mem_free(c);
}

static void on_posted(struct loop_task *task) {
  struct catchup_copying *c = CONTAINER_OF(task, struct catchup_copying, task);
  mutex_lock(&c->lock);
  c->posted = false;
  bool freed = c->freed;
  mutex_unlock(&c->lock);
  if (freed)
    release(c);
  else
    c->changed(c->context);
}

enum err catchup_copying_new(struct loop *loop, struct disk *disk, const uint8_t database[16], void (*changed)(void *context),
                             void *context, struct catchup_copying **ret, struct error *e) {
  struct catchup_copying *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_ensure(e, ERR_NOMEM);
  *c = (struct catchup_copying){.loop = loop, .disk = disk, .changed = changed, .context = context, .task.run = on_posted};
  memcpy(c->database, database, sizeof c->database);
  mutex_init(&c->lock);
  condition_init(&c->idle);
  *ret = c;
  return ERR_OK;
}

static void drop_items(struct catchup_copying *c, bool all) {
  struct item **at = &c->first;
  c->last = NULL;
  c->waiting_bytes = 0;
  for (struct item *i; (i = *at) != NULL;) {
    if (!all && i->step == CATCHUP_STEP_LOOK) {
      c->last = i;
      at = &i->next;
      continue;
    }
    *at = i->next;
    item_free(i);
  }
}

static void wait_idle(struct catchup_copying *c) {
  while (c->working) condition_wait(&c->idle, &c->lock);
}

void catchup_copying_free(struct catchup_copying *c) {
  if (c == NULL) return;
  mutex_lock(&c->lock);
  drop_items(c, true);
  wait_idle(c);
  store_copy_close(c->copy);
  c->copy = NULL;
  c->freed = true;
  bool posted = c->posted;
  mutex_unlock(&c->lock);
  if (!posted) release(c);
}

void catchup_copying_begin(struct catchup_copying *c, const char *directory) {
  mutex_lock(&c->lock);
  drop_items(c, true);
  wait_idle(c);
  store_copy_close(c->copy);
  c->copy = NULL;
  c->progress = (struct catchup_progress){0};
  snprintf(c->directory, sizeof c->directory, "%s", directory);
  mutex_unlock(&c->lock);
}

enum err catchup_copying_put(struct catchup_copying *c, enum catchup_step step, void *memory, const uint8_t *bytes, size_t size) {
  struct item *i = mem_alloc(sizeof *i);
  if (i == NULL) {
    mem_free(memory);
    return ERR_NOMEM;
  }
  *i = (struct item){.step = step, .memory = memory, .bytes = bytes, .size = size};
  mutex_lock(&c->lock);
  if (c->last != NULL)
    c->last->next = i;
  else
    c->first = i;
  c->last = i;
  c->waiting_bytes += size;
  mutex_unlock(&c->lock);
  return ERR_OK;
}

void catchup_copying_expect(struct catchup_copying *c, uint64_t identity, uint64_t position) {
  mutex_lock(&c->lock);
  c->asked_identity = identity;
  c->asked_position = position;
  mutex_unlock(&c->lock);
}

void catchup_copying_clear(struct catchup_copying *c) {
  mutex_lock(&c->lock);
  drop_items(c, false);
  c->progress.err = ERR_OK;
  mutex_unlock(&c->lock);
}

bool catchup_copying_is_busy(struct catchup_copying *c) {
  mutex_lock(&c->lock);
  bool busy = c->working || c->first != NULL;
  mutex_unlock(&c->lock);
  return busy;
}

bool catchup_copying_is_full(struct catchup_copying *c) {
  mutex_lock(&c->lock);
  bool full = c->waiting_bytes >= WAITING_BYTES_MAX;
  mutex_unlock(&c->lock);
  return full;
}

void catchup_copying_progress(struct catchup_copying *c, struct catchup_progress *ret, struct error *e) {
  mutex_lock(&c->lock);
  *ret = c->progress;
  if (ret->err != ERR_OK && e != NULL) *e = c->error;
  mutex_unlock(&c->lock);
}

struct store_copy *catchup_copying_take(struct catchup_copying *c) {
  mutex_lock(&c->lock);
  wait_idle(c);
  struct store_copy *copy = c->copy;
  c->copy = NULL;
  c->progress = (struct catchup_progress){0};
  mutex_unlock(&c->lock);
  return copy;
}
