// One copy after the other, on a loop of its own; this thread does the work that waits for the disk.
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/catchup_client.h"
#include "cluster/directory.h"
#include "dbms/seed_int.h"
#include "os/thread.h"

enum { BETWEEN_LOOKS_MS = 200, RETRY_TIME_MS = 10000 };

struct fetching {
  struct offline *offline;
  const struct dbms_cluster_options *cluster;
  struct uuid database;
  char directory[DISK_PATH_MAX];
  struct catchup_upstream seed;
  struct loop *loop;
  struct catchup_client *client;
  enum err err; // of calls on the loop
  struct error *error;

  struct mutex mutex; // what follows
  struct condition something;
  bool has_work, over;
  struct store_copy *copy; // NULL: it failed
};

// ---- on the loop ----

static void on_work(void *context) {
  struct fetching *f = context;
  mutex_lock(&f->mutex);
  f->has_work = true;
  condition_signal(&f->something);
  mutex_unlock(&f->mutex);
}

static void end(struct fetching *f, struct store_copy *copy) {
  mutex_lock(&f->mutex);
  f->copy = copy;
  f->over = true;
  condition_signal(&f->something);
  mutex_unlock(&f->mutex);
}

static void on_copied(void *context, struct store_copy *copy) {
  end(context, copy);
}

static void on_failed(void *context, enum catchup_refusal refusal UNUSED, const struct error *why) {
  struct fetching *f = context;
  event_raise(f->offline->events, EVENT_WARN, "cluster.seed", "The database cannot be copied from %s, and is asked for again: %s",
              f->seed.address, why->message);
  end(f, NULL);
}

static void begin_on_loop(void *argument) {
  static const struct catchup_client_events events = {.copied = on_copied, .failed = on_failed};
  struct fetching *f = argument;
  const struct dbms_cluster_options *c = f->cluster;
  struct catchup_client_options o = {.server = c->server,
                                     .epoch = c->epoch,
                                     .tls = c->tls,
                                     .tls_verify_names = c->tls_verify_names,
                                     .resolver = c->resolver,
                                     .disk = f->offline->disk,
                                     .events = f->offline->events,
                                     .retry_time_ms = RETRY_TIME_MS,
                                     .work_ready = on_work};
  memcpy(o.cluster, c->cluster, sizeof o.cluster);
  uuid_put(o.database, f->database);
  f->err = catchup_client_new(f->loop, &o, &events, f, &f->client, f->error);
  if (f->err == ERR_OK) f->err = catchup_client_set_upstreams(f->client, &f->seed, 1, f->error);
  if (f->err == ERR_OK) f->err = catchup_client_copy(f->client, f->directory, 0, f->error);
}

static void end_on_loop(void *argument) {
  struct fetching *f = argument;
  catchup_client_free(f->client);
}

// ---- on the caller's thread ----

/// Where the seed says that copies of stores are to be had.
static bool find_seed(struct fetching *f) {
  struct arena a;
  struct directory_copy view = {0};
  bool found = false;
  arena_init(&a, NULL);
  bool seen = directory_copy(f->cluster->directory, &a, &view, NULL) == ERR_OK;
  for (uint32_t i = 0; seen && i < view.count; i++) {
    const struct announcement *s = &view.servers[i].said;
    if (s->number != f->cluster->seed || s->addresses[ADDRESS_TRANSACTION].len == 0) continue;
    f->seed.server = s->number;
    snprintf(f->seed.address, sizeof f->seed.address, "%.*s", STR_ARG(s->addresses[ADDRESS_TRANSACTION]));
    found = true;
  }
  arena_done(&a);
  return found;
}

static void work_until_over(struct fetching *f) {
  mutex_lock(&f->mutex);
  while (!f->over) {
    while (!f->over && !f->has_work) condition_wait(&f->something, &f->mutex);
    bool works = f->has_work;
    f->has_work = false;
    mutex_unlock(&f->mutex);
    while (works) catchup_client_work(f->client, &works);
    mutex_lock(&f->mutex);
  }
  mutex_unlock(&f->mutex);
}

static enum err try_once(struct fetching *f, struct error *e) {
  f->over = f->has_work = false;
  f->copy = NULL;
  f->client = NULL;
  f->error = e;
  loop_call(f->loop, begin_on_loop, f);
  if (f->err == ERR_OK) work_until_over(f);
  loop_call(f->loop, end_on_loop, f);
  return f->err;
}

static enum err fetch(struct fetching *f, struct error *e) {
  bool told = false;
  while (f->copy == NULL) {
    if (!find_seed(f)) {
      if (!told)
        event_raise(f->offline->events, EVENT_INFO, "cluster.seed",
                    "Waits for the founder whose databases the cluster begins with (server %llu): start it.",
                    (unsigned long long) f->cluster->seed);
      told = true;
      thread_sleep_ns(BETWEEN_LOOKS_MS * NS_PER_MS);
      continue;
    }
    TRY(try_once(f, e));
    if (f->copy == NULL) thread_sleep_ns(BETWEEN_LOOKS_MS * NS_PER_MS);
  }
  enum err err = store_copy_install(f->copy, clock_system(), e);
  store_copy_close(f->copy);
  return err;
}

enum err seed_fetch(struct offline *o, const struct dbms_cluster_options *cluster, struct uuid database, struct str folder,
                    struct error *e) {
  struct fetching f = {.offline = o, .cluster = cluster, .database = database};
  offline_path(o, folder, f.directory);
  TRY(disk_make_directories(o->disk, f.directory, e));
  TRY(loop_start("seed", &f.loop, e));
  mutex_init(&f.mutex);
  condition_init(&f.something);
  enum err err = fetch(&f, e);
  loop_stop(f.loop);
  condition_done(&f.something);
  mutex_done(&f.mutex);
  return err == ERR_OK ? ERR_OK : error_ensure(e, err);
}
