// Following the catalogue: one look after the other while the server runs, and the first one at its start.
#include "dbms/reconcile_int.h"

#include <stdio.h>

#include "base/mem.h"
#include "dbms/catalogue.h"
#include "dbms/dbms_int.h"
#include "dbms/system_tx.h"
#include "graph/tx.h"

static void tell(struct dbms *d, enum event_level level, struct str name, const char *what, const struct error *e) {
  event_raise(d->options.events, level, "database.catalogue", "[%.*s] %s%s%s", STR_ARG(name), what, e != NULL ? ": " : "",
              e != NULL ? e->message : "");
}

// ---- reading ----

struct reading {
  struct arena *arena;
  struct catalogue catalogue;
};

static enum err read_all(struct graph_tx *tx, void *context, struct error *e) {
  struct reading *r = context;
  return catalogue_read(tx, r->arena, &r->catalogue, e);
}

struct database *reconcile_find(struct dbms *d, struct uuid id) {
  DATABASES_EACH(db, d)
  if (uuid_eq(db->id, id)) return db;
  return NULL;
}

// ---- one database ----

enum err reconcile_know(struct dbms *d, const struct catalogue_entry *entry, struct database **ret, struct error *e) {
  *ret = reconcile_find(d, entry->uuid);
  if (*ret != NULL) return ERR_OK;
  struct database_spec spec = {.name = entry->name, .folder = entry->folder, .members = entry->members, .id = entry->uuid};
  TRY(database_new(d, &spec, ret, e));
  database_add(*ret);
  return ERR_OK;
}

/// Of one that could not be opened: each time later, as long as nobody says START DATABASE.
static const int64_t RETRY_FIRST_NS = 2 * NS_PER_S, RETRY_LAST_NS = 3600 * NS_PER_S;

static void note_retry(struct database *db) {
  struct reconciler *r = &db->dbms->reconciler;
  int64_t at = atomic_load(&r->retry_at_ns);
  if (at == 0 || db->retry_at_ns < at) atomic_store(&r->retry_at_ns, db->retry_at_ns);
}

static void retry_later(struct database *db) {
  db->retry_delay_ns = db->retry_delay_ns == 0 ? RETRY_FIRST_NS : MIN(2 * db->retry_delay_ns, RETRY_LAST_NS);
  db->retry_at_ns = clock_monotonic_ns(db->dbms->options.clock) + db->retry_delay_ns;
  note_retry(db);
}

static bool is_to_be_retried(struct database *db) {
  if (clock_monotonic_ns(db->dbms->options.clock) >= db->retry_at_ns) return true;
  note_retry(db);
  return false;
}

static bool is_to_be_opened(struct database *db, const struct catalogue_entry *entry) {
  switch (atomic_load(&db->gate)) {
  case GATE_STARTING:
  case GATE_STOPPED: return true;
  case GATE_FAILED: return entry->started_ms != db->started_ms || is_to_be_retried(db);
  case GATE_OPEN:
  case GATE_REPLACING:
  case GATE_QUARANTINED:
  case GATE_LEFT:
  case GATE_DROPPED: break;
  }
  return false;
}

/// Whoever is in it from before is let out first: one that is to be stopped and started again at once.
static bool open_it(struct database *db, bool at_start) {
  struct error e = ERROR_INIT;
  if (!at_start && db->graph != NULL && !database_try_shut(db, db->gate)) return false;
  db->resting = false;
  if ((at_start ? database_open(db, &e) : database_reopen(db, &e)) == ERR_OK) {
    tell(db->dbms, EVENT_INFO, db->name, "The database is open.", NULL);
    db->retry_delay_ns = 0;
    return true;
  }
  tell(db->dbms, EVENT_ERROR, db->name, "The database cannot be opened", &e);
  retry_later(db);
  return true;
}

/// A step of closing it; true: nobody is in it, and nothing is at work in its folder.
static bool shut_it(struct database *db, enum database_gate gate) {
  if (db->resting && db->gate == gate) return true;
  db->resting = database_try_shut(db, gate) && cluster_forget_copy(db);
  return db->resting;
}

static enum err remove_files(struct dbms *d, struct str name, struct str folder, struct error *e) {
  char path[DISK_PATH_MAX];
  database_path(d, folder, path);
  TRY(disk_remove_tree(d->options.disk, path, e));
  tell(d, EVENT_INFO, name, "The database was dropped, and its files are removed.", NULL);
  return ERR_OK;
}

/// Files that cannot be removed now are removed by a later look, or by the next start.
static bool drop_it(struct database *db) {
  struct error e = ERROR_INIT;
  if (db->removed) return true;
  if (!shut_it(db, GATE_DROPPED)) return false;
  db->removed = remove_files(db->dbms, db->name, db->folder, &e) == ERR_OK;
  if (!db->removed) tell(db->dbms, EVENT_ERROR, db->name, "The files of the dropped database cannot be removed", &e);
  return true;
}

/// A member of a cluster opens at its start what it begins with; the rest follows while it runs, where one that cannot be opened
/// or joined keeps nobody from anything.
static bool opens_now(struct database *db, const struct catalogue_entry *entry, bool at_start) {
  return entry->requested == CATALOGUE_ONLINE && is_to_be_opened(db, entry) && !(at_start && db->replicated);
}

/// True: it is as the entry wants it, as far as that can be done now. False: somebody is still in it.
static bool follow(struct database *db, const struct catalogue_entry *entry, bool at_start) {
  if (entry->requested == CATALOGUE_DROPPED) return drop_it(db);
  bool opens = opens_now(db, entry, at_start);
  db->wanted_offline = entry->requested == CATALOGUE_OFFLINE;
  db->created_ms = entry->created_ms;
  db->started_ms = entry->started_ms;
  db->stopped_ms = entry->stopped_ms;
  if (opens) return open_it(db, at_start);
  return !db->wanted_offline || shut_it(db, GATE_STOPPED);
}

/// Of one that came and went between two looks there may be files all the same: a member may have made them in an earlier life,
/// and have begun this one with a catalogue that is older than the entry. Whatever cannot be removed now the next start removes.
static void remove_unknown(struct dbms *d, const struct catalogue_entry *entry) {
  char path[DISK_PATH_MAX];
  struct error e = ERROR_INIT;
  database_path(d, entry->folder, path);
  if (disk_remove_tree(d->options.disk, path, &e) != ERR_OK)
    tell(d, EVENT_ERROR, entry->name, "The files of the dropped database cannot be removed", &e);
}

static enum err note_dropped(struct reconciler *r, struct uuid id, struct error *e) {
  mutex_lock(&r->mutex);
  struct uuid *more = mem_realloc(r->dropped, (r->dropped_count + 1) * sizeof *more);
  if (more != NULL) {
    r->dropped = more;
    r->dropped[r->dropped_count++] = id;
  }
  mutex_unlock(&r->mutex);
  return more != NULL ? ERR_OK : error_ensure(e, ERR_NOMEM);
}

bool reconcile_was_dropped(struct dbms *d, struct uuid id) {
  struct reconciler *r = &d->reconciler;
  bool found = false;
  mutex_lock(&r->mutex);
  for (size_t i = 0; i < r->dropped_count && !found; i++) found = uuid_eq(r->dropped[i], id);
  mutex_unlock(&r->mutex);
  return found;
}

static enum err follow_entry(struct dbms *d, const struct catalogue_entry *entry, bool at_start, bool *all, struct error *e) {
  struct database *db = reconcile_find(d, entry->uuid);
  if (db == NULL && entry->requested == CATALOGUE_DROPPED) {
    if (entry->node < d->reconciler.known_below) return ERR_OK;
    if (!at_start) remove_unknown(d, entry);
    return note_dropped(&d->reconciler, entry->uuid, e);
  }
  if (db == NULL) TRY(reconcile_know(d, entry, &db, e));
  *all &= follow(db, entry, at_start);
  return ERR_OK;
}

static enum err follow_all(struct dbms *d, const struct catalogue *c, bool at_start, bool *all, struct error *e) {
  graph_id below = d->reconciler.known_below;
  for (uint32_t i = 0; i < c->count; i++) {
    TRY(follow_entry(d, &c->entries[i], at_start, all, e));
    below = MAX(below, c->entries[i].node + 1);
  }
  d->reconciler.known_below = below;
  return ERR_OK;
}

// ---- while the server runs ----

/// Copies of stores that have come are put in place, of databases that are open.
static bool exchange_all(struct dbms *d) {
  bool all = true;
  DATABASES_EACH(db, d) {
    enum database_gate gate = db->gate;
    if (gate == GATE_QUARANTINED) database_keep_quarantine(db);
    if (database_runs(db) || gate == GATE_REPLACING) all &= cluster_exchange(db);
  }
  return all;
}

/// `*ret_all`: everything is as the catalogue wanted it in transaction `*ret_at`.
static enum err look(struct reconciler *r, bool *ret_all, uint64_t *ret_at, struct error *e) {
  struct dbms *d = r->dbms;
  struct arena a;
  arena_init(&a, NULL);
  struct reading reading = {.arena = &a};
  bool knows_again = cluster_knows_again(d->cluster); // before the catalogue is read
  enum err err = database_enter(d->system, e);
  if (err == ERR_OK) {
    *ret_at = graph_tx_last_committed(d->system->graph);
    atomic_store(&r->seen, *ret_at);
    database_leave(d->system);
    err = system_read(d, read_all, &reading, e);
  }
  *ret_all = err == ERR_OK;
  if (err == ERR_OK) err = follow_all(d, &reading.catalogue, false, ret_all, e);
  if (err == ERR_OK) atomic_store(&r->known, *ret_at);
  if (err == ERR_OK && knows_again) err = cluster_settle(d->cluster, e);
  if (err == ERR_OK) err = departures_follow(d, e);
  if (err == ERR_OK) err = feature_level_follow(d, e);
  arena_done(&a);
  return err;
}

static bool is_current(struct dbms *d) {
  if (d->cluster == NULL) return true;
  if (database_enter(d->system, NULL) != ERR_OK) return false;
  bool current = !cluster_is_behind(d->system->group, atomic_load(&d->reconciler.done));
  database_leave(d->system);
  return current;
}

/// With every look, since whoever asks may do so while the next entry is on its way, and be told that it has not come.
static void note_current(struct dbms *d) {
  if (!atomic_load(&d->reconciler.current) && is_current(d)) atomic_store(&d->reconciler.current, true);
}

static void run(struct work *w) {
  struct reconciler *r = CONTAINER_OF(w, struct reconciler, serial.work);
  struct error e = ERROR_INIT;
  bool all = false;
  uint64_t at = 0;
  serial_begin(&r->serial);
  bool dropped = atomic_load(&r->dbms->departures.dropped); // from the cluster: `system` is closed, too
  bool exchanged = dropped || exchange_all(r->dbms);
  enum err err = dropped ? ERR_OK : look(r, &all, &at, &e);
  all &= exchanged;
  departures_close(r->dbms);
  if (err == ERR_OK && all) atomic_store(&r->done, at);
  note_current(r->dbms);
  if (dbms_others(r->dbms) != NULL) cluster_tell_others(dbms_others(r->dbms));
  if (err == ERR_CORRUPT) tell(r->dbms, EVENT_ERROR, STR("system"), "The catalogue cannot be followed", &e);
  atomic_store(&r->again, !dropped && err != ERR_CORRUPT && (err != ERR_OK || !all)); // memory comes back, and `system` is opened again
  serial_give(&r->serial, false);
}

void reconcile_notice(struct dbms *d) {
  if (graph_tx_last_committed(d->system->graph) != atomic_load(&d->reconciler.seen)) serial_ready(&d->reconciler.serial);
}

void reconcile_soon(struct dbms *d) {
  serial_ready(&d->reconciler.serial);
}

bool reconcile_is_current(struct dbms *d) {
  note_current(d);
  return atomic_load(&d->reconciler.current);
}

void reconcile_tick(struct dbms *d) {
  struct reconciler *r = &d->reconciler;
  int64_t at = atomic_load(&r->retry_at_ns);
  bool retries = at != 0 && clock_monotonic_ns(d->options.clock) >= at && atomic_compare_exchange_strong(&r->retry_at_ns, &at, 0);
  if (atomic_exchange(&r->again, false) || retries || departures_due(d)) serial_ready(&r->serial);
}

bool reconcile_is_done(struct dbms *d) {
  if (database_enter(d->system, NULL) != ERR_OK) return false;
  bool done = atomic_load(&d->reconciler.done) >= graph_tx_last_committed(d->system->graph);
  database_leave(d->system);
  return done;
}

void reconcile_wake(struct dbms *d) {
  serial_wake(&d->reconciler.serial);
  if (d->cluster != NULL) atomic_store(&d->reconciler.again, true);
  reconcile_notice(d);
}

void reconcile_lead(struct dbms *d) {
  lead_task_ready(&d->reconciler.default_entry);
}

void reconcile_rest(struct dbms *d) {
  serial_rest(&d->reconciler.serial);
  lead_task_rest(&d->reconciler.default_entry);
}

// ---- at the start ----

struct sweep {
  const struct catalogue *catalogue;
  const struct catalogue_entry **found;
  uint32_t count;
};

static enum err note_folder(void *argument, const char *name, bool is_directory) {
  struct sweep *s = argument;
  const struct catalogue *c = s->catalogue;
  for (uint32_t i = 0; i < c->count && is_directory; i++)
    if (c->entries[i].requested == CATALOGUE_DROPPED && str_eqz(c->entries[i].folder, name) && s->count < c->count)
      s->found[s->count++] = &c->entries[i];
  return ERR_OK;
}

/// What a drop that was cut short has left. Files that cannot be removed keep nobody from starting.
static enum err sweep(struct dbms *d, const struct catalogue *c, struct arena *a, struct error *e) {
  struct sweep s = {.catalogue = c, .found = ARENA_ARRAY(a, const struct catalogue_entry *, c->count + 1)};
  char path[DISK_PATH_MAX];
  if (s.found == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < c->count && d->cluster != NULL; i++)
    if (c->entries[i].requested == CATALOGUE_DROPPED) cluster_forget_life(d, c->entries[i].uuid);
  snprintf(path, sizeof path, "%.*s/databases", STR_ARG(d->options.config->data_directory));
  TRY(disk_list(d->options.disk, path, note_folder, &s, e));
  for (uint32_t i = 0; i < s.count; i++) {
    struct error why = ERROR_INIT;
    if (remove_files(d, s.found[i]->name, s.found[i]->folder, &why) != ERR_OK)
      tell(d, EVENT_ERROR, s.found[i]->name, "The files of the dropped database cannot be removed", &why);
  }
  return ERR_OK;
}

static enum err open_all(struct dbms *d, struct arena *a, struct error *e) {
  struct reading reading = {.arena = a};
  bool all = true;
  TRY(system_read(d, read_all, &reading, e));
  TRY(sweep(d, &reading.catalogue, a, e));
  TRY(reconcile_open_default(d, &reading.catalogue, a, e));
  TRY(follow_all(d, &reading.catalogue, true, &all, e));
  uint64_t at = graph_tx_last_committed(d->system->graph);
  atomic_store(&d->reconciler.seen, at);
  atomic_store(&d->reconciler.known, at);
  atomic_store(&d->reconciler.done, at);
  return ERR_OK;
}

enum err reconcile_open(struct dbms *d, struct error *e) {
  struct arena a;
  arena_init(&a, NULL);
  d->reconciler.dbms = d;
  mutex_init(&d->reconciler.mutex);
  serial_init(&d->reconciler.serial, d->options.host, WORK_MACHINE, run);
  lead_task_init(&d->reconciler.default_entry, d, WORK_MACHINE, reconcile_make_default_entry, "database.default");
  enum err err = open_all(d, &a, e);
  arena_done(&a);
  return err;
}

void reconcile_close(struct dbms *d) {
  if (d->reconciler.dbms == NULL) return;
  mem_free(d->reconciler.dropped);
  mutex_done(&d->reconciler.mutex);
}
