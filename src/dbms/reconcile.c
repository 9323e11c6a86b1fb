#include "dbms/reconcile.h"

#include <stdio.h>

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

static struct database *find(struct dbms *d, struct uuid id) {
  DATABASES_EACH(db, d)
  if (uuid_eq(db->id, id)) return db;
  return NULL;
}

// ---- one database ----

static enum err know(struct dbms *d, const struct catalogue_entry *entry, struct database **ret, struct error *e) {
  *ret = find(d, entry->uuid);
  if (*ret != NULL) return ERR_OK;
  struct database_spec spec = {.name = entry->name, .folder = entry->folder, .id = entry->uuid};
  TRY(database_new(d, &spec, ret, e));
  database_add(*ret);
  return ERR_OK;
}

/// One that could not be opened is tried again when somebody says START DATABASE.
static bool is_to_be_opened(const struct database *db, const struct catalogue_entry *entry) {
  switch (atomic_load(&db->gate)) {
  case GATE_STARTING:
  case GATE_STOPPED: return true;
  case GATE_FAILED: return entry->started_ms != db->started_ms;
  case GATE_OPEN:
  case GATE_REPLACING:
  case GATE_DROPPED: break;
  }
  return false;
}

static void open_it(struct database *db, bool at_start) {
  struct error e = ERROR_INIT;
  if ((at_start ? database_open(db, &e) : database_reopen(db, &e)) == ERR_OK) {
    tell(db->dbms, EVENT_INFO, db->name, "The database is open.", NULL);
    return;
  }
  (void) database_try_shut(db, GATE_FAILED); // nothing is open
  tell(db->dbms, EVENT_ERROR, db->name, "The database cannot be opened", &e);
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
  if (!database_try_shut(db, GATE_DROPPED)) return false;
  db->removed = remove_files(db->dbms, db->name, db->folder, &e) == ERR_OK;
  if (!db->removed) tell(db->dbms, EVENT_ERROR, db->name, "The files of the dropped database cannot be removed", &e);
  return true;
}

/// True: it is as the entry wants it, as far as that can be done now. False: somebody is still in it.
static bool follow(struct database *db, const struct catalogue_entry *entry, bool at_start) {
  if (entry->requested == CATALOGUE_DROPPED) return drop_it(db);
  bool opens = entry->requested == CATALOGUE_ONLINE && is_to_be_opened(db, entry);
  db->wanted_offline = entry->requested == CATALOGUE_OFFLINE;
  db->created_ms = entry->created_ms;
  db->started_ms = entry->started_ms;
  db->stopped_ms = entry->stopped_ms;
  if (opens) open_it(db, at_start);
  if (!db->wanted_offline) return true;
  return db->gate != GATE_REPLACING && database_try_shut(db, GATE_STOPPED);
}

/// What was dropped before this server knew of it has no files here that a start has not removed.
static enum err follow_entry(struct dbms *d, const struct catalogue_entry *entry, bool at_start, bool *all, struct error *e) {
  struct database *db = find(d, entry->uuid);
  if (db == NULL && entry->requested == CATALOGUE_DROPPED) return ERR_OK;
  if (db == NULL) TRY(know(d, entry, &db, e));
  *all &= follow(db, entry, at_start);
  return ERR_OK;
}

static enum err follow_all(struct dbms *d, const struct catalogue *c, bool at_start, bool *all, struct error *e) {
  for (uint32_t i = 0; i < c->count; i++) TRY(follow_entry(d, &c->entries[i], at_start, all, e));
  return ERR_OK;
}

// ---- while the server runs ----

/// `*ret_all`: everything is as the catalogue wanted it in transaction `*ret_at`.
static enum err look(struct reconciler *r, bool *ret_all, uint64_t *ret_at, struct error *e) {
  struct dbms *d = r->dbms;
  struct arena a;
  arena_init(&a, NULL);
  struct reading reading = {.arena = &a};
  enum err err = database_enter(d->system, e);
  if (err == ERR_OK) {
    *ret_at = graph_tx_last_committed(d->system->graph);
    atomic_store(&r->seen, *ret_at);
    database_leave(d->system);
    err = system_read(d, read_all, &reading, e);
  }
  *ret_all = err == ERR_OK;
  if (err == ERR_OK) err = follow_all(d, &reading.catalogue, false, ret_all, e);
  arena_done(&a);
  return err;
}

static void run(struct work *w) {
  struct reconciler *r = CONTAINER_OF(w, struct reconciler, serial.work);
  struct error e = ERROR_INIT;
  bool all = false;
  uint64_t at = 0;
  serial_begin(&r->serial);
  enum err err = look(r, &all, &at, &e);
  if (err == ERR_OK && all) atomic_store(&r->done, at);
  if (err == ERR_CORRUPT) tell(r->dbms, EVENT_ERROR, STR("system"), "The catalogue cannot be followed", &e);
  atomic_store(&r->again, err != ERR_CORRUPT && (err != ERR_OK || !all)); // memory comes back, and `system` is opened again
  serial_give(&r->serial, false);
}

void reconcile_notice(struct dbms *d) {
  if (graph_tx_last_committed(d->system->graph) != atomic_load(&d->reconciler.seen)) serial_ready(&d->reconciler.serial);
}

void reconcile_tick(struct dbms *d) {
  if (atomic_exchange(&d->reconciler.again, false)) serial_ready(&d->reconciler.serial);
}

void reconcile_wake(struct dbms *d) {
  serial_wake(&d->reconciler.serial);
  reconcile_notice(d);
}

void reconcile_rest(struct dbms *d) {
  serial_rest(&d->reconciler.serial);
}

// ---- at the start ----

struct sweep {
  const struct catalogue *catalogue;
  const struct catalogue_entry **found;
  uint32_t count;
};

static enum err note_dropped(void *argument, const char *name, bool is_directory) {
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
  snprintf(path, sizeof path, "%.*s/databases", STR_ARG(d->options.config->data_directory));
  TRY(disk_list(d->options.disk, path, note_dropped, &s, e));
  for (uint32_t i = 0; i < s.count; i++) {
    struct error why = ERROR_INIT;
    if (remove_files(d, s.found[i]->name, s.found[i]->folder, &why) != ERR_OK)
      tell(d, EVENT_ERROR, s.found[i]->name, "The files of the dropped database cannot be removed", &why);
  }
  return ERR_OK;
}

static enum err add_entry(struct graph_tx *tx, void *context, struct error *e) {
  return catalogue_add(tx, context, e);
}

/// A folder that no entry ever had is the default database's own from before there was a catalogue, or from a start that was cut
/// short, or is made; in a cluster every member knows its uuid.
static enum err specify_default(struct dbms *d, const struct catalogue *c, struct arena *a, struct database_spec *ret,
                                struct error *e) {
  struct str name = d->options.config->default_database;
  *ret = (struct database_spec){.name = name, .folder = name};
  if (d->cluster != NULL) cluster_database_uuid(d->cluster, name, ret->id.bytes);
  if (d->cluster != NULL || !catalogue_has_folder(c, name)) return ERR_OK;
  TRY(random_fill(d->options.random, ret->id.bytes, sizeof ret->id.bytes));
  ret->id = uuid_of_random(ret->id);
  ret->folder = arena_str(a, str_of(uuid_text(ret->id).z));
  return ret->folder.ptr != NULL ? ERR_OK : arena_err(a, e);
}

static enum err make_default(struct dbms *d, const struct catalogue *c, struct arena *a, struct error *e) {
  struct database_spec spec;
  struct database *db;
  TRY(specify_default(d, c, a, &spec, e));
  TRY(database_new(d, &spec, &db, e));
  enum err err = database_open(db, e);
  database_add(db);
  if (err != ERR_OK || db->replicated) return err;
  int64_t now_ms = clock_wall_ns(d->options.clock) / NS_PER_MS;
  struct catalogue_entry entry = {
      .name = db->name, .uuid = db->id, .folder = db->folder, .created_ms = now_ms, .started_ms = now_ms};
  TRY(system_change_alone(d, add_entry, &entry, e));
  db->created_ms = db->started_ms = now_ms;
  return ERR_OK;
}

/// Without it a server is not what its clients expect: what keeps it from being opened keeps the server from starting.
static enum err open_default(struct dbms *d, const struct catalogue *c, struct arena *a, struct error *e) {
  const struct catalogue_entry *entry = catalogue_find(c, d->options.config->default_database);
  struct database *db;
  if (entry == NULL) return make_default(d, c, a, e);
  if (entry->requested != CATALOGUE_ONLINE) return ERR_OK;
  TRY(know(d, entry, &db, e));
  return database_open(db, e);
}

static enum err open_all(struct dbms *d, struct arena *a, struct error *e) {
  struct reading reading = {.arena = a};
  bool all = true;
  TRY(system_read(d, read_all, &reading, e));
  TRY(sweep(d, &reading.catalogue, a, e));
  TRY(open_default(d, &reading.catalogue, a, e));
  TRY(follow_all(d, &reading.catalogue, true, &all, e));
  uint64_t at = graph_tx_last_committed(d->system->graph);
  atomic_store(&d->reconciler.seen, at);
  atomic_store(&d->reconciler.done, at);
  return ERR_OK;
}

enum err reconcile_open(struct dbms *d, struct error *e) {
  struct arena a;
  arena_init(&a, NULL);
  d->reconciler.dbms = d;
  serial_init(&d->reconciler.serial, d->options.host, WORK_MACHINE, run);
  enum err err = open_all(d, &a, e);
  arena_done(&a);
  return err;
}
