#include "dbms/database.h"

#include <stdio.h>

#include "dbms/dbms_int.h"
#include "dbms/transaction.h"
#include "graph/replica.h"

enum { STEPS_A_TURN = 64 }; // then others of the pool have their turn

// A disk that takes longer than this for a round of the log is left to the pool: what a hand-over costs is nothing beside it, and
// the thread that asked stays free.
static const int64_t COMMIT_HERE_NS_MAX = 5 * NS_PER_MS;

// How long a machine that failed rests before it tries again: twice as long each time.
static const int64_t RETRY_FIRST_NS = 10 * NS_PER_MS, RETRY_LAST_NS = NS_PER_S;

static void touch_group(struct database *db) {
  struct cluster_group *g = db->group;
  if (g != NULL) cluster_touch(g);
}

static void on_work_ready(void *context, enum graph_machine which) {
  struct database *db = context;
  if (which != GRAPH_LOG_WRITER || !db->replicated)
    serial_ready(&db->machines[which].serial);
  else
    touch_group(db); // which proposes what waits
}

static const char *machine_name(enum graph_machine which) {
  static const char *const names[GRAPH_MACHINE_MAX] = {"log writer", "applier", "checkpointer", "reader"};
  return names[which];
}

static bool may_be_tried_again(enum err err) {
  return err == ERR_NOMEM || err == ERR_MEMORY_POOL || err == ERR_NOSPC;
}

/// Tells once of each time of trouble, and settles when to try again.
static void machine_failed(struct database_machine *m, enum err err, const struct error *e) {
  struct dbms *d = m->database->dbms;
  if (m->delay_ns == 0) {
    event_raise(d->options.events, EVENT_ERROR, "database.machine.failed", "[%.*s] The %s failed: %s", STR_ARG(m->database->name),
                machine_name(m->which), e->message);
  }
  m->delay_ns = m->delay_ns == 0 ? RETRY_FIRST_NS : MIN(2 * m->delay_ns, RETRY_LAST_NS);
  if (may_be_tried_again(err)) atomic_store(&m->retry_at_ns, clock_monotonic_ns(d->options.clock) + m->delay_ns);
}

static void machine_went_well(struct database_machine *m) {
  if (m->delay_ns == 0) return;
  m->delay_ns = 0;
  atomic_store(&m->retry_at_ns, 0);
  event_raise(m->database->dbms->options.events, EVENT_INFO, "database.machine.recovered", "[%.*s] The %s works again.",
              STR_ARG(m->database->name), machine_name(m->which));
}

/// One step of a machine that the calling thread has; true if there is more to do.
static bool machine_step(struct database_machine *m) {
  struct error e = ERROR_INIT;
  bool more = false;
  serial_begin(&m->serial);
  enum err err = graph_step(m->database->graph, m->which, &more, &e);
  if (err != ERR_OK)
    machine_failed(m, err, &e);
  else if (!more)
    machine_went_well(m);
  return err == ERR_OK && (more || serial_again(&m->serial));
}

static void applier_turn(struct database_machine *m) {
  bool more = true;
  for (int i = 0; i < STEPS_A_TURN && more; i++) more = machine_step(m);
  serial_give(&m->serial, more);
}

/// A round of the log, then the applier on the same thread if it is idle: a lone commit wakes one thread, not two. While more
/// commits wait for the log the applier gets a thread of its own, so that the disk syncs one round while the one before is
/// applied.
static bool commit_step(struct database_machine *m) {
  struct database_machine *applier = &m->database->machines[GRAPH_APPLIER];
  bool claimed = serial_claim(&applier->serial);
  bool more = machine_step(m);
  if (claimed && !more && serial_again(&applier->serial))
    applier_turn(applier);
  else if (claimed)
    serial_give(&applier->serial, false);
  return more || serial_again(&m->serial);
}

static void machine_run(struct work *w) {
  struct database_machine *m = CONTAINER_OF(w, struct database_machine, serial.work);
  bool more = true;
  for (int i = 0; i < STEPS_A_TURN && more; i++) more = m->which == GRAPH_LOG_WRITER ? commit_step(m) : machine_step(m);
  serial_give(&m->serial, more);
}

// ---- a commit by the thread that asks for it ----

bool database_claim_commit(struct database *db) {
  struct database_machine *writer = &db->machines[GRAPH_LOG_WRITER], *applier = &db->machines[GRAPH_APPLIER];
  if (db->replicated || graph_round_ns(db->graph) > COMMIT_HERE_NS_MAX || !serial_claim(&writer->serial)) return false;
  if (serial_claim(&applier->serial)) return true;
  serial_give(&writer->serial, false);
  return false;
}

void database_run_commit(struct database *db) {
  (void) machine_step(&db->machines[GRAPH_LOG_WRITER]);
  (void) machine_step(&db->machines[GRAPH_APPLIER]);
}

void database_give_commit(struct database *db) {
  for (int which = GRAPH_LOG_WRITER; which <= GRAPH_APPLIER; which++) serial_give(&db->machines[which].serial, false);
}

void database_wake(struct database *db) {
  for (int i = 0; i < GRAPH_MACHINE_MAX; i++) serial_wake(&db->machines[i].serial);
  for (int i = 0; i < GRAPH_MACHINE_MAX; i++) on_work_ready(db, (enum graph_machine) i);
}

void database_retry(struct database *db) {
  int64_t now = clock_monotonic_ns(db->dbms->options.clock);
  for (int i = 0; i < GRAPH_MACHINE_MAX; i++) {
    int64_t at = atomic_load(&db->machines[i].retry_at_ns);
    if (at == 0 || now < at || !atomic_compare_exchange_strong(&db->machines[i].retry_at_ns, &at, 0)) continue;
    // A checkpoint that failed was given up: the applier begins the next one.
    on_work_ready(db, i == GRAPH_CHECKPOINTER ? GRAPH_APPLIER : (enum graph_machine) i);
  }
}

void database_rest(struct database *db) {
  for (int i = 0; i < GRAPH_MACHINE_MAX; i++) serial_rest(&db->machines[i].serial);
}

/// The group may propose now: whatever is to be written waits for that.
static void on_leads(void *context, uint64_t term UNUSED) {
  struct database *db = context;
  touch_group(db);
  if (db->is_system) users_lead(db->dbms->users);
}

static void on_checkpointed(void *context, uint64_t index) {
  struct database *db = context;
  struct cluster_group *g = db->group;
  if (g != NULL) cluster_checkpointed(g, index);
}

static void on_progress(void *context, uint64_t index, uint64_t last) {
  struct database *db = context;
  event_raise(db->dbms->options.events, EVENT_INFO, "database.recovery", "[%.*s] Recovery: transaction %llu of %llu replayed.",
              STR_ARG(db->name), (unsigned long long) index, (unsigned long long) last);
}

void database_path(const struct dbms *d, struct str name, char path[DISK_PATH_MAX]) {
  snprintf(path, DISK_PATH_MAX, "%.*s/databases/%.*s", STR_ARG(d->options.config->data_directory), STR_ARG(name));
}

static enum err make_directory(struct dbms *d, struct str name, char path[DISK_PATH_MAX], struct error *e) {
  struct str data = d->options.config->data_directory;
  int len = snprintf(path, DISK_PATH_MAX, "%.*s/databases/%.*s", STR_ARG(data), STR_ARG(name));
  if (len >= DISK_PATH_MAX)
    return error_set(e, ERR_INVALID, "The path of database %.*s is longer than %d bytes.", STR_ARG(name), DISK_PATH_MAX);
  path[len - (int) name.len - 1] = '\0'; // a start that was cut short may have left this one without its own entry being durable
  TRY(disk_make_directories(d->options.disk, path, e));
  path[len - (int) name.len - 1] = '/';
  return disk_make_directories(d->options.disk, path, e);
}

static struct graph_options graph_options_of(struct database *db, const uint8_t uuid[16]) {
  const struct config_values *config = db->dbms->options.config;
  return (struct graph_options){
      .disk = db->dbms->options.disk,
      .clock = db->dbms->options.clock,
      .random = db->dbms->options.random,
      .pool = db->dbms->pool,
      .events = db->dbms->options.events,
      .log = {.segment_bytes = (uint64_t) config->log_rotation_bytes},
      .create = true,
      .replicated = db->replicated,
      .uuid = db->replicated ? uuid : NULL,
      .direct = true, // a page is in memory once, and what is counted is what the settings allow
      .checkpoint_bytes = (uint64_t) config->checkpoint_interval_bytes,
      .work_ready = on_work_ready,
      .leads = on_leads,
      .checkpointed = on_checkpointed,
      .context = db,
      .progress = on_progress,
  };
}

static void write_uuid(char text[37], const uint8_t *u) {
  snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2], u[3], u[4], u[5],
           u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

static enum err open_graph(struct database *db, struct error *e) {
  struct dbms *d = db->dbms;
  char path[DISK_PATH_MAX];
  uint8_t uuid[16] = {0};
  TRY(make_directory(d, db->name, path, e));
  if (db->replicated) cluster_database_uuid(d->cluster, db->name, uuid);
  struct graph_options options = graph_options_of(db, uuid);
  TRY(query_cache_new((uint32_t) d->options.config->query_cache_size, &db->plans, e));
  struct graph *g = NULL;
  TRY(graph_open(path, &options, &g, e));
  db->catalog = plan_catalog_of_graph(g);
  mutex_lock(&d->mutex);
  db->graph = g;
  mutex_unlock(&d->mutex);
  return ERR_OK;
}

enum err database_open(struct dbms *d, struct str name, bool is_system, struct database **ret, struct error *e) {
  struct database *db = mem_zalloc(sizeof *db);
  if (db == NULL) return error_set(e, ERR_NOMEM, "no memory for database %.*s", STR_ARG(name));
  *db = (struct database){.dbms = d, .name = name, .is_system = is_system, .replicated = d->cluster != NULL};
  for (int i = 0; i < GRAPH_MACHINE_MAX; i++) {
    db->machines[i] = (struct database_machine){.database = db, .which = (enum graph_machine) i};
    serial_init(&db->machines[i].serial, d->options.host, WORK_MACHINE, machine_run);
  }
  mem_budget_init(&db->budget, &d->budget, d->options.config->memory_database_max_bytes, ERR_MEMORY_POOL,
                  "db.memory.transaction.total.max");
  enum err err = open_graph(db, e);
  if (err != ERR_OK) {
    database_close(db);
    return err;
  }
  db->id = uuid_get(graph_uuid(db->graph));
  write_uuid(db->uuid, graph_uuid(db->graph));
  *ret = db;
  return ERR_OK;
}

void database_close(struct database *db) {
  if (db == NULL) return;
  query_cache_free(db->plans);
  graph_close(db->graph);
  mem_free(db);
}

// ---- who is in it ----

enum err database_enter(struct database *db, struct error *e) {
  mutex_lock(&db->dbms->mutex);
  bool closed = db->closed;
  if (!closed) db->users++;
  mutex_unlock(&db->dbms->mutex);
  if (!closed) return ERR_OK;
  return error_set(e, ERR_DATABASE_UNAVAILABLE, "The database '%.*s' is not available: its store is being replaced by a newer copy. Try again soon.",
                   STR_ARG(db->name));
}

bool database_hold(struct database *db) {
  mutex_lock(&db->dbms->mutex);
  bool there = db->graph != NULL;
  if (there) db->users++;
  mutex_unlock(&db->dbms->mutex);
  return there;
}

void database_leave(struct database *db) {
  mutex_lock(&db->dbms->mutex);
  db->users--;
  mutex_unlock(&db->dbms->mutex);
}

static bool is_empty(struct database *db) {
  mutex_lock(&db->dbms->mutex);
  bool empty = db->users == 0;
  mutex_unlock(&db->dbms->mutex);
  return empty;
}

/// Nobody new comes in; who is in is told to go, again and again: whoever was busy may be idle now.
static void empty_it(struct database *db) {
  mutex_lock(&db->dbms->mutex);
  db->closed = true;
  mutex_unlock(&db->dbms->mutex);
  while (!is_empty(db)) {
    transactions_part(db->dbms, db);
    thread_sleep_ns(NS_PER_MS);
  }
  graph_end_waits(db->graph);
}

/// The graph, once nobody holds it any more.
static struct graph *take_graph(struct database *db) {
  struct graph *g = NULL;
  while (g == NULL) {
    mutex_lock(&db->dbms->mutex);
    if (db->users == 0) g = TAKE_PTR(db->graph);
    mutex_unlock(&db->dbms->mutex);
    if (g == NULL) thread_sleep_ns(NS_PER_MS / 10);
  }
  return g;
}

void database_shut(struct database *db) {
  struct error cause = ERROR_INIT;
  error_set(&cause, ERR_DATABASE_UNAVAILABLE, "The store of this member is being replaced: what it did not see committed is known to the others.");
  graph_group_failed(db->graph, &cause); // whoever waits for a commit is told
  empty_it(db);
  database_rest(db);
  cluster_leave(db);
  graph_close(take_graph(db));
  query_cache_free(TAKE_PTR(db->plans));
}

enum err database_reopen(struct database *db, struct error *e) {
  TRY(open_graph(db, e));
  database_wake(db);
  TRY(cluster_join(db->dbms->cluster, db, e));
  mutex_lock(&db->dbms->mutex);
  db->closed = false;
  mutex_unlock(&db->dbms->mutex);
  return ERR_OK;
}
