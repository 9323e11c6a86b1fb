#include "dbms/seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/host.h"
#include "dbms/seed_int.h"
#include "dbms/system_tx.h"
#include "graph/replica.h"

enum {
  FIRST_LIFE = 1,
  // Each opening of a standalone server's store takes a term, and handing over opens some, again after a crash.
  TERMS_MEANWHILE = 1000,
};

struct seeding {
  struct offline *offline;
  const struct dbms_cluster_options *cluster;
  struct event_sink *events;
  struct log_group_state *state;
  struct arena arena; // of the catalogue
  struct catalogue catalogue;
};

static void tell(struct seeding *s, struct str name, const char *what, uint64_t index) {
  event_raise(s->events, EVENT_INFO, "cluster.seed", "[%.*s] %s, up to transaction %llu.", STR_ARG(name), what,
              (unsigned long long) index);
}

// ---- what is here ----

static enum err look_at_all(struct offline *o, struct announced_database *ret, bool *ret_any, struct error *e) {
  struct log_group_state *state = mem_alloc(sizeof *state);
  struct uuid uuid;
  enum err err = state != NULL ? ERR_OK : error_ensure(e, ERR_NOMEM);
  for (uint32_t i = 0; i < o->folder_count && err == ERR_OK; i++) {
    err = offline_owner(o, o->folders[i], &uuid, state, e);
    if (err == ERR_NOTFOUND)
      err = ERR_OK;
    else if (err == ERR_OK && i == 0)
      *ret = (struct announced_database){.uuid = uuid}, *ret_any = state->member_id == 0;
    else if (err == ERR_OK && *ret_any && state->member_id != 0)
      err = error_set(
          e, ERR_INVALID,
          "The database in folder '%.*s' belongs to a member of a cluster, and `system` does not: run `quiver admin server "
          "unbind` once more.",
          STR_ARG(o->folders[i]));
    if (err == ERR_OK) ret->term = MAX(ret->term, state->term + TERMS_MEANWHILE);
  }
  mem_free(state);
  return err;
}

enum err seed_look(const struct config_values *config, struct disk *disk, struct announced_database *ret, bool *ret_any,
                   struct error *e) {
  struct offline *o = NULL;
  *ret_any = false;
  enum err err = offline_open(config, disk, NULL, &o, e);
  if (err == ERR_NOTFOUND) return ERR_OK;
  if (err == ERR_OK && o->folder_count > 0 && str_eqz(o->folders[0], "system")) err = look_at_all(o, ret, ret_any, e);
  offline_close(o);
  return err;
}

// ---- the beginning of a group ----

static int order_members(const void *a, const void *b) {
  const struct log_member *x = a, *y = b;
  return x->id < y->id ? -1 : x->id > y->id;
}

/// All founders vote, from where the store ends on.
static void fill_state(const struct seeding *s, struct store_applied at, struct log_group_state *state) {
  const struct dbms_cluster_options *c = s->cluster;
  *state = (struct log_group_state){.generation = state->generation,
                                    .incarnation = state->incarnation,
                                    .member_id = member_of(c->server, FIRST_LIFE),
                                    .term = MAX(state->term, c->first_term),
                                    .snapshot_index = at.index,
                                    .snapshot_term = at.term,
                                    .membership_index = at.index,
                                    .member_count = c->founder_count};
  for (uint32_t i = 0; i < c->founder_count; i++) {
    state->members[i] = (struct log_member){.id = member_of(c->founders[i].server, FIRST_LIFE), .role = CONSENSUS_VOTER};
    snprintf(state->members[i].address, sizeof state->members[i].address, "%s", c->founders[i].address);
  }
  qsort(state->members, state->member_count, sizeof state->members[0], order_members);
}

// ---- the seed ----

/// A group begins behind an entry, so there must be one.
static enum err write_first(struct graph *g, struct error *e) {
  struct log_entry entry = {.kind = LOG_NOOP, .parts = LOG_END};
  struct log *l = store_log(graph_store(g));
  TRY(log_append(l, &entry, 1, e));
  return offline_write(l, e);
}

static enum err open_standalone(struct seeding *s, struct str folder, struct graph **ret, struct error *e) {
  struct graph *g = NULL;
  TRY(offline_open_graph(s->offline, folder, false, false, &g, e));
  if (graph_applied(g).index == 0) {
    enum err err = write_first(g, e);
    graph_close(g);
    TRY(err);
    TRY(offline_open_graph(s->offline, folder, false, false, &g, e));
  }
  *ret = g;
  return ERR_OK;
}

/// The log of the standalone server, of whatever groups it may have been before, goes; the pages have all of it.
static enum err hand_over(struct seeding *s, struct graph *g, struct error *e) {
  struct log *l = store_log(graph_store(g));
  struct store_applied at = graph_applied(g);
  if (at.term >= s->cluster->first_term)
    return error_set(
        e, ERR_INVALID,
        "This server has founded a cluster with its databases and has been started as a standalone one too often since. Found it "
        "anew: remove data/" IDENTITY_FILE " here, and start the other founders with empty data folders.");
  TRY(graph_checkpoint(g, e));
  TRY(log_reset(l, at.index, at.term, e));
  log_group_state(l, s->state);
  s->state->generation++;
  fill_state(s, at, s->state);
  return log_group_save(l, s->state, e);
}

static enum err seed_one(struct seeding *s, struct str folder, struct error *e) {
  struct graph *g = NULL;
  struct uuid uuid;
  enum err err = offline_owner(s->offline, folder, &uuid, s->state, e);
  if (err == ERR_NOTFOUND || (err == ERR_OK && s->state->member_id != 0)) return ERR_OK;
  if (err == ERR_OK) err = open_standalone(s, folder, &g, e);
  if (err == ERR_OK) err = hand_over(s, g, e);
  if (err == ERR_OK)
    tell(s, catalogue_name_of(&s->catalogue, folder), "The database is what the cluster begins with", graph_applied(g).index);
  graph_close(g);
  return err;
}

/// One that is stopped could not be given to the others.
static enum err check_all_run(const struct seeding *s, struct error *e) {
  for (uint32_t i = 0; i < s->catalogue.count; i++) {
    const struct catalogue_entry *entry = &s->catalogue.entries[i];
    if (entry->requested == CATALOGUE_OFFLINE)
      return error_set(e, ERR_INVALID,
                       "A cluster cannot begin with the database '%.*s', which is stopped: start this server with "
                       "dbms.mode=SINGLE, and START or "
                       "DROP it.",
                       STR_ARG(entry->name));
  }
  return ERR_OK;
}

static enum err add_entry(struct graph_tx *tx, void *context, struct error *e) {
  return catalogue_add(tx, context, e);
}

/// The default database of a server that was a member before may have no entry; the others learn of databases by entries alone.
static enum err add_default(struct seeding *s, struct graph *g, struct error *e) {
  struct str name = s->offline->config->default_database;
  struct catalogue_entry entry = {.name = name, .folder = name, .created_ms = clock_wall_ns(clock_system()) / NS_PER_MS};
  entry.started_ms = entry.created_ms;
  if (catalogue_has_folder(&s->catalogue, name)) return ERR_OK;
  enum err err = offline_owner(s->offline, name, &entry.uuid, s->state, e);
  if (err != ERR_OK) return err == ERR_NOTFOUND ? ERR_OK : err;
  TRY(system_change_graph(g, add_entry, &entry, e));
  return offline_catalogue(g, &s->arena, &s->catalogue, e);
}

static enum err read_own_catalogue(struct seeding *s, bool member, struct error *e) {
  struct graph *g = NULL;
  TRY(offline_open_graph(s->offline, STR("system"), member, false, &g, e));
  enum err err = offline_catalogue(g, &s->arena, &s->catalogue, e);
  if (err == ERR_OK && !member) err = add_default(s, g, e);
  graph_close(g);
  return err;
}

/// What was dropped is not handed over: its folder is removed with the next start.
static bool is_dropped(const struct seeding *s, struct str folder) {
  for (uint32_t i = 0; i < s->catalogue.count; i++)
    if (s->catalogue.entries[i].requested == CATALOGUE_DROPPED && str_eq(s->catalogue.entries[i].folder, folder)) return true;
  return false;
}

/// `system` last: until then the server can go back, by unbinding what is done.
static enum err begin_as_seed(struct seeding *s, struct error *e) {
  struct offline *o = s->offline;
  struct uuid uuid;
  TRY(offline_owner(o, STR("system"), &uuid, s->state, e));
  TRY(read_own_catalogue(s, s->state->member_id != 0, e));
  TRY(check_all_run(s, e));
  for (uint32_t i = o->folder_count; i-- > 0;)
    if (!is_dropped(s, o->folders[i])) TRY(seed_one(s, o->folders[i], e));
  return ERR_OK;
}

// ---- the others ----

static enum err remove_store(struct seeding *s, struct str folder, struct error *e) {
  char path[DISK_PATH_MAX];
  offline_path(s->offline, folder, path);
  return disk_remove_tree(s->offline->disk, path, e);
}

/// `*ret`: it is as old as the beginning, and a member's now.
static enum err begin_with_copy(struct seeding *s, struct str folder, bool *ret, struct error *e) {
  struct graph *g = NULL;
  TRY(offline_open_graph(s->offline, folder, true, false, &g, e));
  struct store_applied at = graph_applied(g);
  struct log *l = store_log(graph_store(g));
  *ret = at.term <= s->cluster->first_term;
  log_group_state(l, s->state);
  fill_state(s, at, s->state);
  enum err err = *ret ? log_group_save(l, s->state, e) : ERR_OK;
  graph_close(g);
  return err;
}

/// A copy that a crash has left in its place is as good as one that comes now.
static enum err copy_if_missing(struct seeding *s, struct uuid database, struct str folder, bool *ret_done, struct error *e) {
  struct uuid uuid;
  enum err err = offline_owner(s->offline, folder, &uuid, s->state, e);
  if (err == ERR_OK && !uuid_eq(uuid, database))
    return error_set(e, ERR_INVALID,
                     "The folder data/databases/%.*s holds another database than the one that the cluster begins with there: move it "
                     "away, and start this server again.",
                     STR_ARG(folder));
  *ret_done = err == ERR_OK && s->state->member_id != 0;
  return err == ERR_NOTFOUND ? seed_fetch(s->offline, s->cluster, database, folder, e) : err;
}

static enum err fill_one(struct seeding *s, struct uuid database, struct str name, struct str folder, struct error *e) {
  bool done = false, begins = false;
  TRY(copy_if_missing(s, database, folder, &done, e));
  if (done) return ERR_OK;
  TRY(begin_with_copy(s, folder, &begins, e));
  if (begins) {
    tell(s, name, "The database was copied from the founder that has it", s->state->snapshot_index);
    return ERR_OK;
  }
  event_raise(s->events, EVENT_INFO, "cluster.seed", "[%.*s] The others have begun already: this server is taken in by them.",
              STR_ARG(name));
  return remove_store(s, folder, e);
}

/// Where the others have begun with `system` already, they tell of the rest.
static enum err begin_as_another(struct seeding *s, struct error *e) {
  struct uuid uuid;
  TRY(fill_one(s, s->cluster->system, STR("system"), STR("system"), e));
  enum err err = offline_owner(s->offline, STR("system"), &uuid, s->state, e);
  if (err == ERR_NOTFOUND) return ERR_OK;
  TRY(err);
  TRY(read_own_catalogue(s, true, e));
  for (uint32_t i = 0; i < s->catalogue.count; i++) {
    const struct catalogue_entry *entry = &s->catalogue.entries[i];
    if (entry->requested == CATALOGUE_ONLINE) TRY(fill_one(s, entry->uuid, entry->name, entry->folder, e));
  }
  return ERR_OK;
}

// ---- both ----

static enum err make_folder(const struct config_values *config, struct disk *disk, struct error *e) {
  char path[DISK_PATH_MAX];
  snprintf(path, sizeof path, "%.*s/databases", STR_ARG(config->data_directory));
  return disk_make_directories(disk, path, e);
}

static bool is_founder(const struct dbms_cluster_options *c) {
  for (uint32_t i = 0; i < c->founder_count; i++)
    if (c->founders[i].server == c->server) return true;
  return false;
}

enum err seed_begin(const struct config_values *config, struct disk *disk, struct event_sink *events,
                    const struct dbms_cluster_options *cluster, struct error *e) {
  if (cluster->seed == 0 || cluster->begun || !is_founder(cluster)) return ERR_OK;
  struct seeding s = {.cluster = cluster, .events = events, .state = mem_alloc(sizeof *s.state)};
  if (s.state == NULL) return error_ensure(e, ERR_NOMEM);
  arena_init(&s.arena, NULL);
  enum err err = make_folder(config, disk, e);
  if (err == ERR_OK) err = offline_open(config, disk, events, &s.offline, e);
  if (err == ERR_OK) err = cluster->seed == cluster->server ? begin_as_seed(&s, e) : begin_as_another(&s, e);
  offline_close(s.offline);
  arena_done(&s.arena);
  mem_free(s.state);
  return err;
}
