#include "dbms/roster.h"

#include <stdlib.h>

#include "dbms/dbms_int.h"
#include "dbms/routing.h"
#include "graph/tx.h"

// ---- from what is known ----

static const struct announced_database *said_of(const struct announcement *said, struct uuid database) {
  for (uint32_t i = 0; i < said->database_count; i++)
    if (uuid_eq(said->databases[i].uuid, database)) return &said->databases[i];
  return NULL;
}

static bool belongs(const struct roster_source *s, uint32_t i) {
  const struct announcement *said = &s->view.servers[i].said;
  return said->mode != SERVER_GATEWAY && uuid_eq(announcement_cluster(said), s->cluster);
}

/// The number of the server that leads, 0: nobody does.
static uint64_t leader_of(const struct roster_source *s, const struct roster_database *db) {
  uint64_t leader = db->status.leader, term = db->status.term;
  for (uint32_t i = 1; i < s->view.count; i++) {
    const struct announced_database *said = said_of(&s->view.servers[i].said, db->uuid);
    if (said == NULL || said->role != ROLE_LEADER || said->term <= term || !belongs(s, i)) continue;
    leader = s->view.servers[i].said.number;
    term = said->term;
  }
  return leader;
}

static struct roster_place place_here(const struct roster_database *db) {
  if (db->left) return (struct roster_place){.role = ROLE_NONE};
  enum database_status status = db->status.role == CLUSTER_FAILED ? DATABASE_FAILED : db->here;
  return (struct roster_place){db->status.role == CLUSTER_REPLICA ? ROLE_LEARNER : ROLE_FOLLOWER, status, db->applied};
}

static struct roster_place place_elsewhere(const struct announcement *said, struct uuid database) {
  const struct announced_database *db = said_of(said, database);
  if (db == NULL) return (struct roster_place){.role = ROLE_NONE};
  return (struct roster_place){db->role == ROLE_LEARNER ? ROLE_LEARNER : ROLE_FOLLOWER, db->status, db->applied_index};
}

static bool add_server(const struct roster_source *s, uint32_t i, struct arena *a, struct roster_server *ret) {
  const struct announcement *said = &s->view.servers[i].said;
  struct roster_place *places = ARENA_ARRAY(a, struct roster_place, s->database_count);
  if (places == NULL) return false;
  for (uint32_t d = 0; d < s->database_count; d++) {
    const struct roster_database *db = &s->databases[d];
    places[d] = i == 0 ? place_here(db) : place_elsewhere(said, db->uuid);
    if (places[d].role != ROLE_NONE && said->number != 0 && said->number == leader_of(s, db)) places[d].role = ROLE_LEADER;
  }
  *ret = (struct roster_server){said->server, said->number, said, s->view.servers[i].leaves, places};
  return true;
}

/// Founders are known by uuid, whether they are there or not.
static struct uuid uuid_of(const struct roster_source *s, uint64_t number) {
  const struct founding *f = s->view.servers[0].said.founding;
  for (uint32_t i = 0; f != NULL && i < f->count; i++)
    if (f->founders[i].number == number) return f->founders[i].server;
  return (struct uuid){{0}};
}

static bool is_on(const struct roster_server *servers, uint32_t n, uint64_t number) {
  for (uint32_t i = 0; i < n; i++)
    if (servers[i].number == number) return true;
  return false;
}

static int order(const void *a, const void *b) {
  const struct roster_server *x = a, *y = b;
  return uuid_cmp(x->server, y->server);
}

enum err roster_build(const struct roster_source *s, struct arena *a, struct roster *ret, struct error *e) {
  struct roster_server *servers = ARENA_ARRAY(a, struct roster_server, s->view.count + s->members->count);
  struct roster_place *nothing = ARENA_ARRAY(a, struct roster_place, s->database_count);
  uint32_t n = 0;
  if (servers == NULL || nothing == NULL) return arena_err(a, e);
  for (uint32_t d = 0; d < s->database_count; d++) nothing[d] = (struct roster_place){.role = ROLE_NONE};
  for (uint32_t i = 0; i < s->view.count; i++)
    if ((i == 0 || belongs(s, i)) && !add_server(s, i, a, &servers[n++])) return arena_err(a, e);
  for (uint32_t i = 0; i < s->members->count; i++) {
    uint64_t number = s->members->of[i].server;
    if (!is_on(servers, n, number))
      servers[n++] = (struct roster_server){.server = uuid_of(s, number), .number = number, .places = nothing};
  }
  qsort(servers, n, sizeof servers[0], order);
  *ret = (struct roster){.count = n, .servers = servers};
  return ERR_OK;
}

const struct roster_server *roster_leader(const struct roster *r, uint32_t database) {
  for (uint32_t i = 0; i < r->count; i++)
    if (r->servers[i].places[database].role == ROLE_LEADER) return &r->servers[i];
  return NULL;
}

bool roster_index(const struct roster *r, const struct database *db, uint32_t *ret) {
  for (uint32_t i = 0; i < r->databases.count; i++) {
    if (r->databases.of[i] != db) continue;
    *ret = i;
    return true;
  }
  return false;
}

// ---- of this server ----

static void look_at_databases(const struct database_list *list, struct roster_database *ret) {
  for (uint32_t i = 0; i < list->count; i++) {
    struct database *db = list->of[i];
    ret[i] = (struct roster_database){.uuid = db->id, .here = database_status(db), .left = db->gate == GATE_LEFT};
    if (!database_look_in(db)) continue;
    ret[i].applied = graph_tx_last_committed(db->graph);
    if (db->group != NULL) cluster_status(db->group, &ret[i].status);
    database_leave(db);
  }
}

/// A server without a directory has only itself to tell of.
static enum err look_at_self(struct dbms *d, struct arena *a, struct directory_copy *ret, struct error *e) {
  struct directory_server *self = ARENA_NEW(a, struct directory_server);
  struct str bolt = routing_advertised(d->options.config, STR_NONE, a);
  if (self == NULL || bolt.ptr == NULL) return arena_err(a, e);
  self->said = (struct announcement){.server = d->system->id,
                                     .number = d->cluster != NULL ? (uint32_t) d->options.cluster->server : 1,
                                     .mode = d->cluster != NULL ? SERVER_CORE : SERVER_SINGLE,
                                     .addresses = {[ADDRESS_BOLT] = bolt},
                                     .version = d->options.version};
  *ret = (struct directory_copy){.count = 1, .servers = self};
  return ERR_OK;
}

enum err roster_take(struct dbms *d, struct arena *a, struct roster *ret, struct error *e) {
  struct database_list list;
  TRY(dbms_databases(d, a, &list, e));
  struct roster_database *databases = ARENA_ARRAY(a, struct roster_database, list.count);
  struct cluster_members *members = ARENA_NEW(a, struct cluster_members);
  struct roster_source s = {.databases = databases, .database_count = list.count, .members = members};
  if (databases == NULL || members == NULL) return arena_err(a, e);
  look_at_databases(&list, databases);
  if (database_enter(d->system, NULL) == ERR_OK) {
    if (d->system->group != NULL) cluster_members(d->system->group, members);
    database_leave(d->system);
  }
  struct cluster *others = dbms_others(d);
  if (others != NULL) s.cluster = uuid_get(d->options.cluster->cluster);
  bool has_directory = others != NULL && d->options.cluster->directory != NULL;
  TRY(has_directory ? cluster_view(others, a, &s.view, e) : look_at_self(d, a, &s.view, e));
  if (others == NULL)
    for (uint32_t i = 0; i < s.database_count; i++) databases[i].status.leader = 1;
  TRY(roster_build(&s, a, ret, e));
  ret->databases = list;
  return ERR_OK;
}
