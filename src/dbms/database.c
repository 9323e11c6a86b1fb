// A database from the first opening of its graph to the last closing, with the cluster joined and left in between.
#include "dbms/database_int.h"

#include <stdio.h>
#include <string.h>

#include "dbms/dbms_int.h"
#include "dbms/transaction.h"
#include "graph/replica.h"
#include "store/copy.h"
#include "store/store.h"

// ---- what the graph tells ----

/// The group may propose now: whatever is to be written waits for that.
static void on_leads(void *context, uint64_t term UNUSED) {
  struct database *db = context;
  database_touch_group(db);
  if (!db->is_system) return;
  users_lead(db->dbms->users);
  reconcile_lead(db->dbms);
}

static bool on_checkpointed(void *context, uint64_t index) {
  struct database *db = context;
  struct cluster_group *g = db->group;
  return g != NULL && cluster_checkpointed(g, index);
}

/// In the words of Neo4j's logs. What is replayed in no time is told without its tenths.
static void on_progress(void *context, const struct store_progress *p) {
  enum { FEW = 100 };
  struct database *db = context;
  struct event_sink *events = db->dbms->options.events;
  unsigned long long all = p->last - p->first + 1, done = p->index + 1 - p->first;
  if (done == 0)
    event_raise(events, EVENT_INFO, "database.recovery", "[%.*s] Recovery required from transaction %llu, up to %llu.",
                STR_ARG(db->name), (unsigned long long) p->first, (unsigned long long) p->last);
  else if (all >= FEW)
    event_raise(events, EVENT_INFO, "database.recovery", "[%.*s]   %llu%% completed", STR_ARG(db->name), done * 10 / all * 10);
  if (done == all)
    event_raise(events, EVENT_INFO, "database.recovery",
                "[%.*s] Recovery completed. %llu transactions, first:%llu, last:%llu recovered", STR_ARG(db->name), all,
                (unsigned long long) p->first, (unsigned long long) p->last);
}

// ---- opening ----

void database_path(const struct dbms *d, struct str folder, char path[DISK_PATH_MAX]) {
  snprintf(path, DISK_PATH_MAX, "%.*s/databases/%.*s", STR_ARG(d->options.config->data_directory), STR_ARG(folder));
}

static enum err make_directory(struct database *db, char path[DISK_PATH_MAX], struct error *e) {
  struct dbms *d = db->dbms;
  struct str data = d->options.config->data_directory;
  int len = snprintf(path, DISK_PATH_MAX, "%.*s/databases/%.*s", STR_ARG(data), STR_ARG(db->folder));
  if (len >= DISK_PATH_MAX)
    return error_set(e, ERR_INVALID, "The path of database %.*s is longer than %d bytes.", STR_ARG(db->name), DISK_PATH_MAX);
  path[len - (int) db->folder.len - 1] =
      '\0'; // a start that was cut short may have left this one without its own entry being durable
  TRY(disk_make_directories(d->options.disk, path, e));
  path[len - (int) db->folder.len - 1] = '/';
  return disk_make_directories(d->options.disk, path, e);
}

/// db.checkpoint: after how many entries; 0: that is of no account.
static uint64_t checkpoint_entries(const struct config_values *config) {
  if (str_eqz(config->checkpoint_policy, "CONTINUOUS")) return 1;
  return str_eqz(config->checkpoint_policy, "PERIODIC") ? (uint64_t) config->checkpoint_interval_tx : 0;
}

static struct graph_options graph_options_of(struct database *db) {
  const struct config_values *config = db->dbms->options.config;
  return (struct graph_options){
      .disk = db->dbms->options.disk,
      .clock = db->dbms->options.clock,
      .random = db->dbms->options.random,
      .pool = db->dbms->pool,
      .events = db->dbms->options.events,
      .log = {.segment_bytes = (uint64_t) config->log_rotation_bytes,
              .feature_level = db->replicated ? &db->dbms->levels.of_cluster : NULL},
      .create = true,
      .replicated = db->replicated,
      .read_only = db->replicated && db->dbms->options.cluster->replica,
      .uuid = uuid_is_none(db->id) ? NULL : db->id.bytes,
      .direct = true, // a page is in memory once, and what is counted is what the settings allow
      .checkpoint_bytes = (uint64_t) config->checkpoint_interval_bytes,
      .checkpoint_entries = checkpoint_entries(config),
      .checkpoint_ns = str_eqz(config->checkpoint_policy, "PERIODIC") ? config->checkpoint_interval_ms * NS_PER_MS : 0,
      .work_ready = database_work_ready,
      .leads = on_leads,
      .checkpointed = on_checkpointed,
      .context = db,
      .progress = on_progress,
  };
}

static enum err settle_id(struct database *db, const struct graph *g, struct error *e) {
  struct uuid found = uuid_get(graph_uuid(g));
  if (!uuid_is_none(db->id) && !uuid_eq(db->id, found))
    return error_set(e, ERR_CORRUPT, "The folder '%.*s' holds database %s, where %s is expected. Put the right one there.",
                     STR_ARG(db->folder), uuid_text(found).z, db->uuid);
  if (!uuid_is_none(db->id)) return ERR_OK;
  db->id = found;
  snprintf(db->uuid, sizeof db->uuid, "%s", uuid_text(found).z);
  return ERR_OK;
}

/// A member that differed from the others in the last life of this server does so in this one.
static enum err settle_soundness(struct database *db, const char *folder, struct graph *g, struct error *e) {
  struct quarantine q = {.on = false};
  db->generation = log_generation(store_log(graph_store(g)));
  if (db->replicated) TRY(quarantine_find(db->dbms->options.disk, folder, db->generation, &q, e));
  if (q.on && !database_is_quarantined(db, NULL)) database_quarantine(db, &q);
  return ERR_OK;
}

static void close_graph(struct database *db, struct graph *g) {
  graph_close(g);
  query_cache_free(TAKE_PTR(db->plans));
}

static enum err open_graph(struct database *db, struct error *e) {
  struct dbms *d = db->dbms;
  char path[DISK_PATH_MAX];
  TRY(make_directory(db, path, e));
  struct graph_options options = graph_options_of(db);
  TRY(query_cache_new((uint32_t) d->options.config->query_cache_size, &db->plans, e));
  struct graph *g = NULL;
  enum err err = graph_open(path, &options, &g, e);
  if (err == ERR_OK) err = settle_id(db, g, e);
  if (err == ERR_OK) err = settle_soundness(db, path, g, e);
  if (err != ERR_OK) {
    close_graph(db, g);
    return err;
  }
  db->catalog = plan_catalog_of_graph(g);
  mutex_lock(&d->mutex);
  db->graph = g;
  mutex_unlock(&d->mutex);
  return ERR_OK;
}

static struct str put_text(char **at, struct str text) {
  struct str copy = {*at, text.len};
  if (text.len > 0) memcpy(*at, text.ptr, text.len);
  *at += text.len;
  return copy;
}

enum err database_new(struct dbms *d, const struct database_spec *spec, struct database **ret, struct error *e) {
  struct database *db = mem_zalloc(sizeof *db + spec->name.len + spec->folder.len + spec->members.len);
  if (db == NULL) return error_set(e, ERR_NOMEM, "no memory for database %.*s", STR_ARG(spec->name));
  char *texts = (char *) (db + 1);
  *db = (struct database){
      .dbms = d, .is_system = spec->is_system, .replicated = d->cluster != NULL, .id = spec->id, .gate = GATE_STARTING};
  db->name = put_text(&texts, spec->name);
  db->folder = put_text(&texts, spec->folder);
  db->members = put_text(&texts, spec->members);
  if (!uuid_is_none(db->id)) snprintf(db->uuid, sizeof db->uuid, "%s", uuid_text(db->id).z);
  for (int i = 0; i < GRAPH_MACHINE_MAX; i++) {
    db->machines[i] = (struct database_machine){.database = db, .which = (enum graph_machine) i};
    serial_init(&db->machines[i].serial, d->options.host, WORK_MACHINE, database_run_machine);
  }
  mem_budget_init(&db->budget, &d->budget, d->options.config->memory_database_max_bytes, ERR_MEMORY_POOL,
                  "db.memory.transaction.total.max");
  *ret = db;
  return ERR_OK;
}

void database_add(struct database *db) {
  struct dbms *d = db->dbms;
  mutex_lock(&d->mutex);
  struct database *_Atomic *at = &d->databases;
  while (atomic_load(at) != NULL) at = &atomic_load(at)->following;
  atomic_store(at, db);
  mutex_unlock(&d->mutex);
}

static void set_gate(struct database *db, enum database_gate gate) {
  mutex_lock(&db->dbms->mutex);
  db->gate = gate == GATE_OPEN && db->quarantine.on ? GATE_QUARANTINED : gate;
  mutex_unlock(&db->dbms->mutex);
}

enum err database_open(struct database *db, struct error *e) {
  enum err err = open_graph(db, e);
  set_gate(db, err == ERR_OK ? GATE_OPEN : GATE_FAILED);
  return err;
}

void database_free(struct database *db) {
  if (db == NULL) return;
  close_graph(db, db->graph);
  store_copy_close(db->copy);
  mem_free(db);
}

// ---- closing, and opening while the server runs ----

static bool is_empty(struct database *db) {
  mutex_lock(&db->dbms->mutex);
  bool empty = db->users == 0;
  mutex_unlock(&db->dbms->mutex);
  return empty;
}

/// The graph, where nobody holds it any more.
static struct graph *take_graph(struct database *db) {
  struct graph *g = NULL;
  mutex_lock(&db->dbms->mutex);
  if (db->users == 0) g = TAKE_PTR(db->graph);
  mutex_unlock(&db->dbms->mutex);
  return g;
}

static bool try_rest(struct database *db) {
  bool all = true;
  for (int i = 0; i < GRAPH_MACHINE_MAX; i++) all &= serial_try_rest(&db->machines[i].serial);
  return all;
}

/// What is left of the group's decisions is in the others' logs, and is told by them. On a replica nobody waits for any.
static void fail_waiting_commits(struct database *db) {
  struct error cause = ERROR_INIT;
  error_set(&cause, ERR_DATABASE_UNAVAILABLE,
            "The database is being closed on this member: what it did not see committed is known to the others.");
  if (db->replicated && !db->dbms->options.cluster->replica) graph_group_failed(db->graph, &cause);
}

/// The next start has nothing to replay. What cannot be written now is in the log.
static void checkpoint(struct database *db, struct graph *g) {
  struct error e = ERROR_INIT;
  if (graph_failure(g, NULL) != ERR_OK || graph_checkpoint(g, &e) == ERR_OK) return;
  event_raise(db->dbms->options.events, EVENT_WARN, "database.checkpoint", "[%.*s] %s", STR_ARG(db->name), e.message);
}

/// Whoever is busy may be idle the next time.
bool database_try_shut(struct database *db, enum database_gate gate) {
  set_gate(db, gate);
  if (db->graph == NULL) return true;
  fail_waiting_commits(db);
  transactions_part(db->dbms, db);
  if (!is_empty(db)) return false;
  graph_end_waits(db->graph);
  if (!try_rest(db)) return false;
  cluster_leave(db);
  struct graph *g = take_graph(db);
  if (g == NULL) return false;
  if (gate == GATE_STOPPED) checkpoint(db, g);
  close_graph(db, g);
  return true;
}

/// Where a database that is open becomes part of the cluster.
static enum err join(struct database *db, struct error *e) {
  struct cluster *others = dbms_others(db->dbms);
  return others != NULL ? cluster_join(others, db, e) : ERR_OK;
}

static enum err open_and_join(struct database *db, struct error *e) {
  TRY(open_graph(db, e));
  database_wake(db);
  enum err err = join(db, e);
  if (err == ERR_OK) return ERR_OK;
  database_rest(db);
  cluster_leave(db);
  struct graph *g;
  while ((g = take_graph(db)) == NULL) thread_sleep_ns(NS_PER_MS); // who holds it is gone at once
  close_graph(db, g);
  return err;
}

enum err database_reopen(struct database *db, struct error *e) {
  if (db->gate != GATE_REPLACING) set_gate(db, GATE_STARTING);
  enum err err = open_and_join(db, e);
  set_gate(db, err == ERR_OK ? GATE_OPEN : GATE_FAILED);
  return err;
}
