// Copies of stores between members: what this server gives away, and how a database whose log cannot bring it up to date any more
// gets another member's store in the place of its own.
//
// Everything here runs on a loop of its own, away from heartbeats; it may wait for the disk there while a store is replaced.
#include <stdio.h>

#include "dbms/cluster_int.h"
#include "graph/replica.h"
#include "store/store.h"

enum { BETWEEN_TRIES_MS = 5000 };

struct fetch {
  struct cluster *cluster;
  struct database *database;
  struct catchup_client *client;
  struct serial work;
  struct loop_timer *again;
  uint64_t index; // at least so new
  bool of_leader; // of nobody else: its history is the one that counts, shorter or longer
  char directory[DISK_PATH_MAX];
};

static void tell(struct fetch *f, enum event_level level, const char *text) {
  event_raise(f->cluster->dbms->options.events, level, "cluster.copy", "[%.*s] %s", STR_ARG(f->database->name), text);
}

// ---- from whom ----

/// The database as the server says it has it; NULL: it is no server of this cluster to ask, or has nothing to give.
static const struct announced_database *offered(const struct fetch *f, const struct announcement *s) {
  const struct dbms_cluster_options *o = f->cluster->options;
  bool other = s->number != o->server && uuid_eq(announcement_cluster(s), uuid_get(o->cluster));
  if (!other || s->addresses[ADDRESS_TRANSACTION].len == 0 || !database_may_copy(f->database, s->number)) return NULL;
  for (uint32_t i = 0; i < s->database_count; i++)
    if (uuid_eq(s->databases[i].uuid, f->database->id) && s->databases[i].status == DATABASE_ONLINE) return &s->databases[i];
  return NULL;
}

static size_t add_upstreams(const struct fetch *f, const struct directory_copy *view, bool leaders,
                            struct catchup_upstream *upstreams, size_t n) {
  for (uint32_t i = 0; i < view->count && n < UPSTREAMS_MAX; i++) {
    const struct announcement *s = &view->servers[i].said;
    const struct announced_database *d = offered(f, s);
    if (d == NULL || (d->role == ROLE_LEADER) != leaders) continue;
    upstreams[n].server = s->number;
    snprintf(upstreams[n++].address, HELLO_ADDRESS_BYTES, "%.*s", STR_ARG(s->addresses[ADDRESS_TRANSACTION]));
  }
  return n;
}

/// Whoever has the database; the leader, which has enough to do, last. A replica asks whom it pulls from; in quarantine, as any
/// server, those alone that are sound.
static size_t find_upstreams(const struct fetch *f, struct catchup_upstream upstreams[UPSTREAMS_MAX]) {
  struct directory *directory = f->cluster->options->directory;
  struct directory_copy view;
  struct arena a;
  size_t n = 0;
  if (f->cluster->options->replica && !database_is_quarantined(f->database, NULL))
    return cluster_upstreams(f->cluster, f->database, (struct upstream_wish){.leader_only = f->of_leader}, upstreams);
  arena_init(&a, NULL);
  if (directory != NULL && directory_copy(directory, &a, &view, NULL) == ERR_OK) {
    n = add_upstreams(f, &view, false, upstreams, n);
    n = add_upstreams(f, &view, true, upstreams, n);
  }
  arena_done(&a);
  return n;
}

static void ask(struct fetch *f) {
  struct catchup_upstream upstreams[UPSTREAMS_MAX];
  struct error e = ERROR_INIT;
  size_t n = find_upstreams(f, upstreams);
  enum err err = n > 0 ? catchup_client_set_upstreams(f->client, upstreams, n, &e)
                       : error_set(&e, ERR_NOTFOUND, "nobody who has it is there");
  if (err == ERR_OK) err = catchup_client_copy(f->client, f->directory, f->index, &e);
  if (err == ERR_OK) return;
  tell(f, EVENT_WARN, e.message);
  loop_timer_set(f->again, BETWEEN_TRIES_MS, false);
}

static void on_again(void *context) {
  ask(context);
}

// ---- its life ----

static void fetch_free(struct fetch *f) {
  if (f == NULL) return;
  serial_rest(&f->work);
  catchup_client_free(f->client);
  loop_timer_free(f->again);
  f->database->fetch = NULL;
  mem_free(f);
}

/// Whoever opens and closes databases puts it in its place.
static void on_copied(void *context, struct store_copy *copy) {
  struct fetch *f = context;
  struct database *db = f->database;
  db->copy_counts = f->of_leader;
  fetch_free(f);
  atomic_store(&db->copy, copy);
  reconcile_soon(db->dbms);
}

static void on_failed(void *context, enum catchup_refusal refusal UNUSED, const struct error *why) {
  struct fetch *f = context;
  tell(f, EVENT_WARN, why->message);
  loop_timer_set(f->again, BETWEEN_TRIES_MS, false); // for as long as the leader does not have what is lacking
}

static void on_client_work(void *context) {
  struct fetch *f = context;
  serial_ready(&f->work);
}

static void client_work(struct work *w) {
  struct fetch *f = CONTAINER_OF(w, struct fetch, work.work);
  bool worked = false;
  serial_begin(&f->work);
  catchup_client_work(f->client, &worked);
  serial_give(&f->work, worked);
}

struct catchup_client_options cluster_client_options(const struct cluster *c, const struct database *db) {
  const struct dbms_cluster_options *o = c->options;
  struct catchup_client_options ret = {.server = o->server,
                                       .epoch = o->epoch,
                                       .tls = o->tls,
                                       .tls_verify_names = o->tls_verify_names,
                                       .resolver = o->resolver,
                                       .feature_level = &c->dbms->levels.of_cluster,
                                       .links = o->links,
                                       .disk = c->dbms->options.disk,
                                       .events = c->dbms->options.events};
  memcpy(ret.cluster, o->cluster, sizeof ret.cluster);
  uuid_put(ret.database, db->id);
  return ret;
}

static enum err make_client(struct fetch *f, struct error *e) {
  static const struct catchup_client_events events = {.copied = on_copied, .failed = on_failed};
  struct catchup_client_options c = cluster_client_options(f->cluster, f->database);
  c.work_ready = on_client_work;
  TRY(loop_timer_new(f->cluster->bulk, on_again, f, &f->again, e));
  return catchup_client_new(f->cluster->bulk, &c, &events, f, &f->client, e);
}

/// One that was stopped or dropped gets nothing any more (cluster_forget_copy).
static bool may_fetch(const struct database *db) {
  enum database_gate gate = db->gate;
  return gate != GATE_STOPPED && gate != GATE_DROPPED && db->fetch == NULL && db->copy == NULL;
}

void cluster_fetch_now(struct cluster *c, struct database *db, uint64_t index, bool of_leader) {
  struct error e = ERROR_INIT;
  if (c->copies_stopped || !may_fetch(db)) return;
  struct fetch *f = mem_zalloc(sizeof *f);
  if (f == NULL) return; // the leader asks again
  f->cluster = c;
  f->database = db;
  f->index = index;
  f->of_leader = of_leader;
  database_path(c->dbms, db->folder, f->directory);
  serial_init(&f->work, c->dbms->options.host, WORK_MACHINE, client_work);
  serial_wake(&f->work);
  db->fetch = f;
  if (make_client(f, &e) == ERR_OK) {
    ask(f);
    return;
  }
  tell(f, EVENT_ERROR, e.message);
  fetch_free(f);
}

/// From the groups' loop: which databases lack something.
static void on_fetch_task(struct loop_task *task) {
  struct cluster *c = CONTAINER_OF(task, struct cluster, fetch_task);
  c->fetch_posted = false;
  if (c->copies_stopped) return; // the databases may be gone by then
  DATABASES_EACH(db, c->dbms) {
    uint64_t index = atomic_exchange(&db->lacks_index, 0);
    if (index == 0 || !may_fetch(db)) continue;
    bool differs = database_is_quarantined(db, &index); // then newer or not, the copy is what counts
    if (!differs)
      event_raise(c->dbms->options.events, EVENT_WARN, "cluster.install",
                "[%.*s] This member is too far behind for the log: it needs a copy of the store up to transaction %llu.",
                STR_ARG(db->name), (unsigned long long) index);
    cluster_fetch_now(c, db, index, differs);
  }
}

void cluster_fetch(struct cluster *c, struct database *db, uint64_t index) {
  atomic_store(&db->lacks_index, index);
  if (!atomic_exchange(&c->fetch_posted, true)) loop_post(c->bulk, &c->fetch_task);
}

// ---- in the place of the store ----

/// While the copy was on its way the log went on, perhaps with a new leader that has not forgotten what was lacking.
static bool is_needed(struct database *db, const struct store_copy *copy) {
  if (database_is_quarantined(db, NULL)) return db->copy_counts; // one that was on its way before may be of anybody's
  if (db->copy_counts || !database_hold(db)) return true;
  bool newer = graph_applied(db->graph).index < store_copy_identity(copy)->applied.index;
  database_leave(db);
  return newer;
}

static void discard(struct database *db, struct store_copy *copy) {
  char directory[DISK_PATH_MAX];
  struct error e = ERROR_INIT;
  store_copy_close(copy);
  database_path(db->dbms, db->folder, directory);
  if (store_copy_discard(db->dbms->options.disk, directory, &e) != ERR_OK)
    event_raise(db->dbms->options.events, EVENT_WARN, "cluster.copy", "[%.*s] %s", STR_ARG(db->name), e.message);
}

/// It comes back with the copy, or, if that could not be put in place, as it was, and the leader tells it again that it lacks
/// something.
static enum err install(struct database *db, struct store_copy *copy, struct error *e) {
  atomic_store(&db->lacks_index, 0); // said of the store that goes
  enum err installed = store_copy_install(copy, db->dbms->options.clock, e);
  if (installed == ERR_OK && db->copy_counts) installed = database_is_sound(db, e);
  store_copy_close(copy);
  struct error why = ERROR_INIT;
  enum err err = database_reopen(db, installed == ERR_OK ? e : &why);
  return installed != ERR_OK ? installed : err;
}

static void put_in_place(struct database *db, struct store_copy *copy) {
  struct event_sink *events = db->dbms->options.events;
  struct error e = ERROR_INIT;
  if (install(db, copy, &e) == ERR_OK)
    event_raise(events, EVENT_INFO, "cluster.copy", "[%.*s] The store is the copy now, up to transaction %llu.",
                STR_ARG(db->name), (unsigned long long) store_applied_index(graph_store(db->graph)));
  else
    event_raise(events, EVENT_ERROR, "cluster.copy", "[%.*s] The copy could not be put in the place of the store: %s",
                STR_ARG(db->name), e.message);
}

bool cluster_exchange(struct database *db) {
  struct store_copy *copy = db->copy;
  if (copy == NULL) return true;
  bool needed = db->gate == GATE_REPLACING || is_needed(db, copy);
  if (needed && !database_try_shut(db, GATE_REPLACING)) return false;
  if (needed)
    put_in_place(db, copy);
  else
    discard(db, copy);
  db->copied = true;
  atomic_store(&db->copy, NULL); // until then no other begins in the folder
  return true;
}

struct forgetting {
  struct database *database;
  bool done;
};

static void forget_on_loop(void *argument) {
  struct forgetting *f = argument;
  struct database *db = f->database;
  f->done = db->fetch == NULL || serial_try_rest(&((struct fetch *) db->fetch)->work);
  if (!f->done) return;
  fetch_free(db->fetch);
  store_copy_close(atomic_exchange(&db->copy, NULL));
}

bool cluster_forget_copy(struct database *db) {
  struct forgetting f = {.database = db};
  if (db->replicated) loop_call(db->dbms->cluster->bulk, forget_on_loop, &f);
  return !db->replicated || f.done;
}

// ---- giving away ----

static void on_giver_work(void *context) {
  struct cluster *c = context;
  serial_ready(&c->giver_work);
}

static void give(struct work *w) {
  struct cluster *c = CONTAINER_OF(w, struct cluster, giver_work.work);
  bool worked = false;
  serial_begin(&c->giver_work);
  catchup_server_work(c->giver, &worked);
  serial_give(&c->giver_work, worked);
}

void cluster_touch_pulls(struct cluster_group *group) {
  if (group->cluster->giver != NULL) catchup_server_touch(group->cluster->giver, group->database->id.bytes);
}

struct giving {
  struct cluster_group *group;
  enum err err;
  struct error *error;
};

static void give_on_loop(void *argument) {
  struct giving *g = argument;
  struct cluster_group *group = g->group;
  catchup_store_init(&group->source, graph_store(group->database->graph));
  g->err = catchup_server_add(group->cluster->giver, group->database->id.bytes, &group->source.source, g->error);
}

enum err cluster_give(struct cluster_group *group, struct error *e) {
  if (group->cluster->giver == NULL) return ERR_OK;
  struct giving g = {.group = group, .error = e};
  loop_call(group->cluster->bulk, give_on_loop, &g);
  return g.err;
}

static void keep_on_loop(void *argument) {
  struct cluster_group *group = argument;
  catchup_server_remove(group->cluster->giver, group->database->id.bytes);
}

void cluster_keep(struct cluster_group *group) {
  if (group->cluster->giver != NULL) loop_call(group->cluster->bulk, keep_on_loop, group);
}

// ---- life ----

struct opening_copies {
  struct cluster *cluster;
  enum err err;
  struct error *error;
};

static void open_on_loop(void *argument) {
  struct opening_copies *o = argument;
  struct cluster *c = o->cluster;
  struct catchup_server_options s = {.server = c->options->server,
                                     .epoch = c->options->epoch,
                                     .listen = c->options->listen_transaction,
                                     .advertised = c->options->advertised_transaction,
                                     .tls = c->options->tls,
                                     .feature_level = &c->dbms->levels.of_cluster,
                                     .clock = c->dbms->options.clock,
                                     .links = c->options->links,
                                     .events = c->dbms->options.events,
                                     .work_ready = on_giver_work,
                                     .context = c};
  memcpy(s.cluster, c->options->cluster, sizeof s.cluster);
  o->err = catchup_server_open(c->bulk, &s, &c->giver, o->error);
}

enum err cluster_copies_open(struct cluster *c, struct error *e) {
  c->fetch_task.run = on_fetch_task;
  serial_init(&c->giver_work, c->dbms->options.host, WORK_MACHINE, give);
  serial_wake(&c->giver_work);
  TRY(loop_start("copies", &c->bulk, e));
  if (c->options->listen_transaction.len == 0) return ERR_OK; // gives nothing away
  struct opening_copies o = {.cluster = c, .error = e};
  loop_call(c->bulk, open_on_loop, &o);
  return o.err;
}

/// The threads that work for the giver may end before it is closed; what others still ask for then is left unanswered.
static void stop_on_loop(void *argument) {
  struct cluster *c = argument;
  c->copies_stopped = true;
  serial_rest(&c->giver_work);
  DATABASES_EACH(db, c->dbms) fetch_free(db->fetch);
}

void cluster_stop_copies(struct cluster *c) {
  if (c != NULL && c->bulk != NULL) loop_call(c->bulk, stop_on_loop, c);
}

static void close_on_loop(void *argument) {
  struct cluster *c = argument;
  serial_rest(&c->giver_work);
  catchup_server_close(c->giver);
}

uint64_t cluster_pull_requests(struct cluster *c) {
  struct catchup_server_stats s = {0};
  if (c->giver != NULL) catchup_server_stats(c->giver, &s);
  return s.pulls;
}

void cluster_copies_close(struct cluster *c) {
  if (c->bulk == NULL) return;
  loop_call(c->bulk, close_on_loop, c);
  loop_stop(c->bulk);
}
