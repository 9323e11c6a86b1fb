#include "dbms/database.h"

#include <stdio.h>
#include <string.h>

#include "dbms/dbms_int.h"
#include "dbms/transaction.h"
#include "graph/replica.h"
#include "store/copy.h"
#include "store/store.h"

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

static void touch_followers(struct database *db) {
  struct cluster_group *g = db->group;
  if (g != NULL) cluster_published(g);
}

static void on_work_ready(void *context, enum graph_machine which) {
  struct database *db = context;
  if (which != GRAPH_LOG_WRITER || !db->replicated)
    serial_ready(&db->machines[which].serial);
  else
    touch_group(db); // which proposes what waits
}

static const char *machine_name(enum graph_machine which) {
  static const char *const names[GRAPH_MACHINE_MAX] = {"log writer", "applier", "checkpointer", "reader", "scrubber"};
  return names[which];
}

static bool may_be_tried_again(enum err err) {
  return err == ERR_NOMEM || err == ERR_MEMORY_POOL || err == ERR_NOSPC;
}

/// Tells once of each time of trouble, and settles when to try again.
static void machine_failed(struct database_machine *m, enum err err, const struct error *e) {
  struct dbms *d = m->database->dbms;
  if (m->delay_ns == 0 && m->database->gate == GATE_OPEN) { // one that is being closed ends its machines so
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
  if (err != ERR_OK) {
    machine_failed(m, err, &e);
    touch_group(m->database); // which ends, if this is for good
  } else if (!more)
    machine_went_well(m);
  if (m->which == GRAPH_APPLIER && m->database->is_system) reconcile_notice(m->database->dbms);
  if (m->which == GRAPH_APPLIER && !m->database->replicated) touch_followers(m->database);
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
      .work_ready = on_work_ready,
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
    serial_init(&db->machines[i].serial, d->options.host, WORK_MACHINE, machine_run);
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

// ---- who is in it ----

enum err database_refuse(const struct database *db, enum database_gate gate, struct error *e) {
  static const char *const whys[] = {
      [GATE_STARTING] = "it is being opened. Try again soon",
      [GATE_REPLACING] = "its store is being replaced by a newer copy. Try again soon",
      [GATE_QUARANTINED] = "it differs here from what the other servers have, and is being replaced by a copy of theirs. Ask another one",
      [GATE_STOPPED] = "it was stopped. START DATABASE starts it again",
      [GATE_FAILED] = "it could not be opened. The log file of the server says why",
      [GATE_LEFT] = "this server was taken out of the cluster. Ask another one",
  };
  if (gate == GATE_DROPPED)
    return error_set(e, ERR_DATABASE_NOT_FOUND, "Database does not exist. Database name: '%.*s'.", STR_ARG(db->name));
  return error_set(e, ERR_DATABASE_UNAVAILABLE, "The database '%.*s' is not available: %s.", STR_ARG(db->name),
                   gate == GATE_OPEN ? "it was closed for a moment. Try again" : whys[gate]);
}

enum err database_enter(struct database *db, struct error *e) {
  mutex_lock(&db->dbms->mutex);
  enum database_gate gate = db->gate;
  if (gate == GATE_OPEN) db->users++;
  mutex_unlock(&db->dbms->mutex);
  return gate == GATE_OPEN ? ERR_OK : database_refuse(db, gate, e);
}

enum database_status database_status(const struct database *db) {
  switch (atomic_load(&db->gate)) {
  case GATE_OPEN: return atomic_load(&db->behind) ? DATABASE_COPYING : DATABASE_ONLINE;
  case GATE_STARTING: return DATABASE_STARTING;
  case GATE_REPLACING: return DATABASE_COPYING;
  case GATE_QUARANTINED: return DATABASE_QUARANTINED;
  case GATE_FAILED: return DATABASE_FAILED;
  case GATE_STOPPED:
  case GATE_DROPPED:
  case GATE_LEFT: break;
  }
  return DATABASE_OFFLINE;
}

bool database_runs(const struct database *db) {
  enum database_gate gate = atomic_load(&db->gate);
  return gate == GATE_OPEN || gate == GATE_QUARANTINED;
}

bool database_look_in(struct database *db) {
  mutex_lock(&db->dbms->mutex);
  bool there = database_runs(db);
  if (there) db->users++;
  mutex_unlock(&db->dbms->mutex);
  return there;
}

void database_quarantine(struct database *db, const struct quarantine *q) {
  mutex_lock(&db->dbms->mutex);
  if (!db->quarantine.on) db->quarantines++;
  db->quarantine = *q;
  if (db->gate == GATE_OPEN) db->gate = GATE_QUARANTINED;
  mutex_unlock(&db->dbms->mutex);
}

void database_keep_quarantine(struct database *db) {
  char folder[DISK_PATH_MAX];
  struct error e = ERROR_INIT;
  mutex_lock(&db->dbms->mutex);
  struct quarantine q = db->quarantine;
  db->quarantine.kept = true;
  mutex_unlock(&db->dbms->mutex);
  if (!q.on || q.kept) return;
  database_path(db->dbms, db->folder, folder);
  if (quarantine_keep(db->dbms->options.disk, folder, db->generation, &q, &e) != ERR_OK)
    event_raise(db->dbms->options.events, EVENT_WARN, "cluster.digest", "[%.*s] That it differs cannot be noted for the next start: %s",
                STR_ARG(db->name), e.message);
}

bool database_is_quarantined(struct database *db, uint64_t *ret_index) {
  mutex_lock(&db->dbms->mutex);
  bool on = db->quarantine.on;
  if (on && ret_index != NULL) *ret_index = db->quarantine.index;
  mutex_unlock(&db->dbms->mutex);
  return on;
}

enum err database_is_sound(struct database *db, struct error *e) {
  char folder[DISK_PATH_MAX];
  database_path(db->dbms, db->folder, folder);
  TRY(quarantine_end(db->dbms->options.disk, folder, e));
  mutex_lock(&db->dbms->mutex);
  db->quarantine = (struct quarantine){.on = false};
  mutex_unlock(&db->dbms->mutex);
  return ERR_OK;
}

bool database_may_copy(struct database *db, uint64_t server) {
  mutex_lock(&db->dbms->mutex);
  const struct quarantine *q = &db->quarantine;
  bool may = !q->on;
  for (uint32_t i = 0; i < q->sound_count && !may; i++) may = q->sound[i] == server;
  mutex_unlock(&db->dbms->mutex);
  return may;
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
