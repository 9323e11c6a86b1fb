// The default database: every server has one from its first start on. A standalone server makes it with its entry in the
// catalogue; in a cluster every member knows it from the founding, and whoever leads `system` writes the entry.
#include "dbms/reconcile_int.h"

#include "dbms/catalogue.h"
#include "dbms/dbms_int.h"
#include "dbms/system_tx.h"

// ---- its entry ----

static enum err add_entry(struct graph_tx *tx, void *context, struct error *e) {
  return catalogue_add(tx, context, e);
}

static void specify_founding_default(struct dbms *d, struct database_spec *ret) {
  struct str name = d->options.config->default_database;
  *ret = (struct database_spec){.name = name, .folder = name};
  cluster_database_uuid(d->cluster, name, ret->id.bytes);
}

static bool was_named(const struct catalogue *c, struct str name) {
  for (uint32_t i = 0; i < c->count; i++)
    if (str_eq_nocase(c->entries[i].name, name)) return true;
  return false;
}

/// In a cluster: whoever leads `system` writes it, once. One that was dropped stays so.
static enum err add_founding_entry(struct graph_tx *tx, struct dbms *d, struct arena *a, struct error *e) {
  struct catalogue c;
  struct database_spec spec;
  specify_founding_default(d, &spec);
  TRY(catalogue_lock(tx, e));
  TRY(catalogue_read(tx, a, &c, e));
  if (was_named(&c, spec.name)) return ERR_EXISTS;
  int64_t now_ms = clock_wall_ns(d->options.clock) / NS_PER_MS;
  struct catalogue_entry entry = {
      .name = spec.name, .uuid = spec.id, .folder = spec.folder, .created_ms = now_ms, .started_ms = now_ms};
  return catalogue_add(tx, &entry, e);
}

/// A setting that was changed since names one that does not begin with the cluster.
static bool has_founding_default(struct dbms *d) {
  struct database_spec spec;
  specify_founding_default(d, &spec);
  return reconcile_find(d, spec.id) != NULL;
}

enum err reconcile_make_default_entry(struct graph_tx *tx, void *context, struct error *e) {
  struct lead_task *t = context;
  struct arena a;
  arena_init(&a, NULL);
  enum err err = has_founding_default(t->dbms) ? add_founding_entry(tx, t->dbms, &a, e) : ERR_EXISTS;
  arena_done(&a);
  return err;
}

// ---- opening it at the start ----

/// A folder that no entry ever had is the default database's own from before there was a catalogue, or from a start that was cut
/// short, or is made.
static enum err specify_default(struct dbms *d, const struct catalogue *c, struct arena *a, struct database_spec *ret,
                                struct error *e) {
  struct str name = d->options.config->default_database;
  *ret = (struct database_spec){.name = name, .folder = name};
  if (!catalogue_has_folder(c, name)) return ERR_OK;
  TRY(random_fill(d->options.random, ret->id.bytes, sizeof ret->id.bytes));
  ret->id = uuid_of_random(ret->id);
  ret->folder = arena_str(a, str_of(uuid_text(ret->id).z));
  return ret->folder.ptr != NULL ? ERR_OK : arena_err(a, e);
}

static enum err open_new(struct dbms *d, const struct database_spec *spec, struct database **ret, struct error *e) {
  TRY(database_new(d, spec, ret, e));
  enum err err = database_open(*ret, e);
  database_add(*ret);
  return err;
}

static enum err make_default(struct dbms *d, const struct catalogue *c, struct arena *a, struct error *e) {
  struct database_spec spec;
  struct database *db;
  TRY(specify_default(d, c, a, &spec, e));
  TRY(open_new(d, &spec, &db, e));
  int64_t now_ms = clock_wall_ns(d->options.clock) / NS_PER_MS;
  struct catalogue_entry entry = {
      .name = db->name, .uuid = db->id, .folder = db->folder, .created_ms = now_ms, .started_ms = now_ms};
  TRY(system_change_alone(d, add_entry, &entry, e));
  db->created_ms = db->started_ms = now_ms;
  return ERR_OK;
}

/// The databases that every member of a cluster has from its founding on are named by it. Those of a standalone server are not:
/// what follows one learns of them from its catalogue.
static bool names_all(const struct dbms *d) {
  struct uuid id;
  cluster_database_uuid(d->cluster, d->system->name, id.bytes);
  return uuid_eq(id, d->system->id);
}

/// In a cluster every member knows its uuid, and opens it before the catalogue has said anything: at the founding, or where a
/// member begins with nothing. Afterwards it is as the catalogue says: whoever leads `system` writes its entry.
static enum err open_founding_default(struct dbms *d, const struct catalogue *c, struct error *e) {
  struct database_spec spec;
  struct database *db;
  if (c->count > 0 || !names_all(d)) return ERR_OK;
  specify_founding_default(d, &spec);
  return open_new(d, &spec, &db, e);
}

enum err reconcile_open_default(struct dbms *d, const struct catalogue *c, struct arena *a, struct error *e) {
  const struct catalogue_entry *entry = catalogue_find(c, d->options.config->default_database);
  struct database *db;
  if (entry == NULL && d->cluster != NULL && d->options.cluster->seed != 0) return ERR_OK; // the catalogue comes, and has it
  if (entry == NULL) return d->cluster != NULL ? open_founding_default(d, c, e) : make_default(d, c, a, e);
  if (entry->requested != CATALOGUE_ONLINE) return ERR_OK;
  TRY(reconcile_know(d, entry, &db, e));
  return database_open(db, e);
}
