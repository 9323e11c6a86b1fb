#include "dbms/import_file.h"
#include "dbms/dbms_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/feature_level.h"
#include "dbms/relay_int.h"
#include "dbms/session_int.h"
#include "dbms/transaction.h"
#include "graph/digest.h"
#include "graph/replica.h"
#include "store/store.h"

enum {
  PAGE_WAIT_MS = 1000, // for a frame, when all are in use
  HAND_OVER_MS = 500,  // for leaders at a stop
};

struct database *dbms_database(struct dbms *d, struct str name) {
  DATABASES_EACH(db, d)
  if (db->gate != GATE_DROPPED && str_eq_nocase(db->name, name)) return db;
  return NULL;
}

struct database *dbms_home(struct dbms *d) {
  return dbms_database(d, d->options.config->default_database);
}

static int order_by_name(const void *a, const void *b) {
  struct database *const *x = a, *const *y = b;
  return str_cmp((*x)->name, (*y)->name);
}

enum err dbms_databases(struct dbms *d, struct arena *a, struct database_list *ret, struct error *e) {
  uint32_t room = 0, n = 0;
  DATABASES_EACH(db, d) room++;
  struct database **of = ARENA_ARRAY(a, struct database *, room);
  if (of == NULL) return arena_err(a, e);
  DATABASES_EACH(db, d)
  if (db->gate != GATE_DROPPED && n < room) of[n++] = db;
  qsort(of, n, sizeof of[0], order_by_name);
  *ret = (struct database_list){of, n};
  return ERR_OK;
}

static enum err open_system(struct dbms *d, struct error *e) {
  struct database_spec spec = {.name = STR("system"), .folder = STR("system"), .is_system = true};
  if (d->cluster != NULL) cluster_database_uuid(d->cluster, spec.name, spec.id.bytes);
  const struct dbms_cluster_options *o = d->options.cluster;
  if (d->cluster != NULL && (o->seed != 0 || o->replica)) spec.id = o->system;
  TRY(database_new(d, &spec, &d->system, e));
  enum err err = database_open(d->system, e);
  if (d->system->gate == GATE_QUARANTINED) d->system->gate = GATE_OPEN; // until open_all has read it; nobody is served yet
  database_add(d->system);
  return err;
}

static enum err open_all(struct dbms *d, struct error *e) {
  struct page_pool_options pool = {.limit_bytes = (uint64_t) d->options.page_cache_bytes, .wait_ms = PAGE_WAIT_MS};
  TRY(page_pool_open(&pool, &d->pool, e));
  const struct dbms_cluster_options *o = d->options.cluster;
  if (o != NULL) TRY(cluster_open(d, o, o->single ? &d->lending : &d->cluster, e));
  TRY(open_system(d, e));
  TRY(users_open(d, &d->users, e));
  TRY(reconcile_open(d, e));
  TRY(departures_follow(d, e));
  return feature_level_follow(d, e);
}

static void name_server(struct dbms *d) {
  struct str name = d->options.config->server_name;
  if (name.len > 0) {
    snprintf(d->server_name, sizeof d->server_name, "%.*s", STR_ARG(name));
  } else {
    snprintf(d->server_name, sizeof d->server_name, "Neo4j/5.26.0-quiver.%.*s", STR_ARG(d->options.version));
  }
}

/// Machines are at rest and groups are left: what is on the disk stays as it is.
static void leave_all(struct dbms *d) {
  reconcile_rest(d);
  users_rest(d->users);
  scale_down_rest(d);
  DATABASES_EACH(db, d) database_rest(db);
  DATABASES_EACH(db, d) cluster_leave(db);
}

static enum err join_all(struct dbms *d, struct error *e) {
  if (d->cluster != NULL) TRY(cluster_begin(d->cluster, e));
  DATABASES_EACH(db, d)
  if (database_runs(db)) TRY(cluster_join(dbms_others(d), db, e));
  return ERR_OK;
}

static enum err open_near(struct dbms *d, struct error *e) {
  if (d->cluster == NULL || d->options.remote == NULL) return ERR_OK;
  d->near = relay_near_new(d);
  return d->near != NULL ? ERR_OK : error_ensure(e, ERR_NOMEM);
}

enum err dbms_open(const struct dbms_options *options, struct dbms **ret, struct error *e) {
  struct dbms *d = mem_zalloc(sizeof *d);
  if (d == NULL) return error_set(e, ERR_NOMEM, "no memory to open the databases");
  d->options = *options;
  d->files = import_files(options->config);
  mutex_init(&d->mutex);
  departures_init(d);
  scale_down_init(d);
  atomic_store(&d->levels.of_cluster, FEATURE_LEVEL_FIRST);
  mem_budget_init(&d->budget, NULL, options->query_memory_bytes, ERR_MEMORY_POOL, "dbms.memory.transaction.total.max");
  name_server(d);
  bool gateway = options->cluster != NULL && options->cluster->gateway;
  enum err err = gateway ? gateway_new(d, &d->gateway, e) : open_all(d, e);
  if (err == ERR_OK) err = open_near(d, e);
  if (err != ERR_OK) {
    dbms_close(d);
    return err;
  }
  if (gateway) {
    *ret = d;
    return ERR_OK;
  }
  if (d->system->quarantine.on) database_quarantine(d->system, &d->system->quarantine);
  DATABASES_EACH(db, d)
  if (database_runs(db)) database_wake(db);
  if (dbms_others(d) != NULL) err = join_all(d, e);
  if (err != ERR_OK) {
    cluster_stop_copies(dbms_others(d));
    leave_all(d);
    dbms_close(d);
    return err;
  }
  reconcile_wake(d);
  *ret = d;
  return ERR_OK;
}

static struct announced_database describe(struct database *db) {
  struct announced_database a = {.uuid = db->id, .status = database_status(db)};
  struct cluster_status s;
  if (!database_look_in(db)) return a;
  struct digest_result digest;
  graph_digest_last(db->graph, &digest);
  a.digest_index = digest.index;
  a.digest = digest.digest;
  if (database_is_quarantined(db, &a.digest_index)) a.digest = 0;
  a.applied_index = graph_applied(db->graph).index;
  cluster_status(db->group, &s);
  a.term = s.term;
  a.member = s.member;
  a.role = s.role == CLUSTER_LEADER ? ROLE_LEADER : s.role == CLUSTER_REPLICA ? ROLE_LEARNER : ROLE_FOLLOWER;
  if (s.role == CLUSTER_FAILED) a.status = DATABASE_FAILED;
  database_leave(db);
  return a;
}

uint32_t dbms_describe_databases(struct dbms *d, struct announced_database *ret, uint32_t cap) {
  uint32_t n = 0;
  DATABASES_EACH(db, d)
  if (dbms_others(d) != NULL && db->gate != GATE_DROPPED && db->gate != GATE_LEFT && n < cap) ret[n++] = describe(db);
  return n;
}

void dbms_tick(struct dbms *d) {
  DATABASES_EACH(db, d) {
    if (!database_look_in(db)) continue;
    graph_expire_waits(db->graph);
    graph_look_at_clock(db->graph);
    database_retry(db);
    database_leave(db);
  }
  if (d->gateway == NULL) reconcile_tick(d);
  transactions_expire(d);
  session_wake_late_sleepers(d);
}

void dbms_terminate_all(struct dbms *d) {
  DATABASES_EACH(db, d) {
    if (!db->replicated || !database_hold(db)) continue;
    graph_group_left(db->graph);
    database_leave(db);
  }
  transactions_kill_all(d, ERR_TX_TERMINATED);
}

uint32_t dbms_open_transactions(struct dbms *d) {
  mutex_lock(&d->mutex);
  uint32_t n = d->transaction_count;
  mutex_unlock(&d->mutex);
  return n;
}

/// What the memory settings were good for: an operator sees whether the page cache was too small.
static void tell_memory(struct dbms *d) {
  struct page_pool_stats s;
  page_pool_stats(d->pool, &s);
  event_raise(d->options.events, EVENT_INFO, "dbms.memory",
              "Page cache: %llu of %llu pages used, %llu read (%llu of them in %llu batches), %llu evicted, %llu written early, "
              "%llu waits. Transactions: %lld KiB at most.",
              (unsigned long long) s.frames_used, (unsigned long long) s.frames, (unsigned long long) s.reads,
              (unsigned long long) s.batched_reads, (unsigned long long) s.batches, (unsigned long long) s.evictions,
              (unsigned long long) s.spills, (unsigned long long) s.waits, (long long) atomic_load(&d->budget.peak_bytes) / 1024);
}

static void tell_log(struct dbms *d, const struct database *db) {
  struct log_stats s;
  if (db->graph == NULL) return;
  log_stats(store_log(graph_store(db->graph)), &s);
  event_raise(d->options.events, EVENT_INFO, "dbms.log",
              "[%.*s] Log: %llu entries made durable by %llu syncs; %llu KiB are kept.", STR_ARG(db->name),
              (unsigned long long) s.entries, (unsigned long long) s.rounds, (unsigned long long) s.bytes / 1024);
}

enum err dbms_stop(struct dbms *d, struct error *e) {
  enum err first = ERR_OK;
  if (d->gateway != NULL) return ERR_OK;
  cluster_stop_copies(dbms_others(d));
  reconcile_rest(d); // nothing is left or joined any more
  if (d->cluster != NULL) cluster_hand_over(d->cluster, HAND_OVER_MS);
  leave_all(d);
  cluster_rest_noter(dbms_others(d));
  DATABASES_EACH(db, d) {
    if (db->graph == NULL || db->gate == GATE_DROPPED) continue; // or its store was being replaced
    enum err err = graph_checkpoint(db->graph, first == ERR_OK ? e : NULL);
    if (err != ERR_OK && first == ERR_OK) first = error_prefix(e, "database %.*s", STR_ARG(db->name));
  }
  DATABASES_EACH(db, d) tell_log(d, db);
  tell_memory(d);
  return first;
}

void dbms_close(struct dbms *d) {
  if (d == NULL) return;
  users_close(d->users);
  cluster_close(dbms_others(d)); // whose loop looks at all databases
  for (struct database *db = atomic_load(&d->databases), *following; db != NULL; db = following) {
    following = atomic_load(&db->following);
    database_free(db);
  }
  relay_near_free(d->near);
  gateway_free(d->gateway);
  page_pool_close(d->pool);
  reconcile_close(d);
  scale_down_done(d);
  departures_done(d);
  mutex_done(&d->mutex);
  mem_free(d);
}

bool dbms_auth_enabled(const struct dbms *d) {
  return d->options.config->auth_enabled;
}

bool dbms_takes_all(const struct dbms *d) {
  return d->cluster == NULL;
}

struct str dbms_server_name(const struct dbms *d) {
  return str_of(d->server_name);
}
