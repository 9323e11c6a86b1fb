#include "dbms/standing.h"

#include "dbms/dbms_int.h"
#include "dbms/roster.h"
#include "graph/tx.h"

static struct str uuid_str(struct arena *a, struct uuid u) {
  return arena_str(a, str_of(uuid_text(u).z));
}

static const struct roster_server *find(const struct roster *r, uint64_t number) {
  for (uint32_t i = 0; i < r->count; i++)
    if (r->servers[i].number == number && !uuid_is_none(r->servers[i].server)) return &r->servers[i];
  return NULL;
}

static enum err name_voters(const struct roster *r, struct cluster_group *g, struct arena *a, struct dbms_standing *s,
                            struct error *e) {
  struct cluster_members members;
  cluster_members(g, &members);
  struct str *voters = ARENA_ARRAY(a, struct str, members.count + 1);
  if (voters == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < members.count; i++) {
    const struct roster_server *voter = members.of[i].votes ? find(r, members.of[i].server) : NULL;
    if (voter != NULL && (voters[s->voter_count++] = uuid_str(a, voter->server)).ptr == NULL) return arena_err(a, e);
  }
  s->voters = voters;
  return ERR_OK;
}

static enum dbms_part part_of(enum cluster_role role) {
  switch (role) {
  case CLUSTER_LEADER: return DBMS_LEADS;
  case CLUSTER_FOLLOWER:
  case CLUSTER_CANDIDATE:
  case CLUSTER_REPLICA: return DBMS_FOLLOWS;
  case CLUSTER_FAILED: break;
  }
  return DBMS_TAKES_NO_PART;
}

static int64_t silence_ms(const struct dbms *d, const struct cluster_status *s) {
  if (s->role == CLUSTER_LEADER) return 0;
  if (s->leader_heard_ms == 0) return -1;
  return MAX(clock_monotonic_ns(d->options.clock) / NS_PER_MS - s->leader_heard_ms, 0);
}

static enum err look_at(struct dbms *d, const struct database *db, struct arena *a, struct dbms_standing *ret, struct error *e) {
  struct cluster_group *g = db->group;
  struct roster roster;
  struct cluster_status status;
  if (g == NULL) return error_set(e, ERR_UNSUPPORTED, "This server is about to stop.");
  uint32_t index;
  TRY(roster_take(d, a, &roster, e));
  if (!roster_index(&roster, db, &index)) return database_refuse(db, db->gate, e);
  cluster_status(g, &status);
  struct dbms_standing s = {.database = db->name,
                            .database_uuid = str_of(db->uuid),
                            .part = part_of(status.role),
                            .is_replica = status.role == CLUSTER_REPLICA};
  s.applied = graph_tx_last_committed(db->graph);
  s.leader_silent_ms = silence_ms(d, &status);
  s.entries_per_second = status.entries_per_second;
  const struct roster_server *self = find(&roster, d->options.cluster->server), *leader = roster_leader(&roster, index);
  if (self != NULL && (s.server = uuid_str(a, self->server)).ptr == NULL) return arena_err(a, e);
  if (leader != NULL && (s.leader = uuid_str(a, leader->server)).ptr == NULL) return arena_err(a, e);
  TRY(name_voters(&roster, g, a, &s, e));
  *ret = s;
  return ERR_OK;
}

static enum err standing_of(struct dbms *d, struct database *db, struct arena *a, struct dbms_standing *ret, struct error *e) {
  if (d->cluster == NULL) return error_set(e, ERR_UNSUPPORTED, "This server is not a member of a cluster.");
  if (db == NULL) return error_set(e, ERR_NOTFOUND, "There is no such database.");
  TRY(database_enter(db, e));
  enum err err = look_at(d, db, a, ret, e);
  database_leave(db);
  return err;
}

/// Those that are open: a load balancer asks after no other.
static struct database *number(struct dbms *d, uint32_t index) {
  DATABASES_EACH(db, d)
  if (db->gate == GATE_OPEN && index-- == 0) return db;
  return NULL;
}

enum err dbms_standing_at(struct dbms *d, uint32_t index, struct arena *a, struct dbms_standing *ret, struct error *e) {
  return standing_of(d, number(d, index), a, ret, e);
}

enum err dbms_standing(struct dbms *d, struct str database, struct arena *a, struct dbms_standing *ret, struct error *e) {
  return standing_of(d, database.len > 0 ? dbms_database(d, database) : dbms_home(d), a, ret, e);
}

/// Its leader's word is heard here, and it is known where clients reach that one. What it says of its databases comes later: at a
/// founding everybody waits here.
static bool sees_leader(struct database *db, const struct roster *r) {
  struct cluster_status s = {0};
  if (db->gate == GATE_STOPPED) return true; // it has none
  if (database_enter(db, NULL) != ERR_OK) return false;
  if (db->group != NULL) cluster_status(db->group, &s);
  database_leave(db);
  const struct roster_server *leader = find(r, s.leader);
  return leader != NULL && leader->said != NULL;
}

/// Gets what upstreams have, and has not all of it. One that was stopped, that failed or that is not served gets nothing more.
static bool is_behind(const struct database *db) {
  switch (atomic_load(&db->gate)) {
  case GATE_OPEN:
  case GATE_STARTING:
  case GATE_REPLACING: return db->behind;
  case GATE_QUARANTINED:
  case GATE_STOPPED:
  case GATE_FAILED:
  case GATE_DROPPED:
  case GATE_LEFT: break;
  }
  return false;
}

static bool is_filled(struct database *db) {
  if (!is_behind(db)) return true;
  if (database_enter(db, NULL) != ERR_OK) return false;
  bool filled = graph_tx_last_committed(db->graph) > 0;
  database_leave(db);
  return filled;
}

enum err dbms_look_out(struct dbms *d, struct dbms_outlook *ret, struct error *e) {
  struct arena a;
  struct roster roster = {0};
  struct dbms_outlook seen = {true, true, true, true};
  arena_init(&a, NULL);
  enum err err = roster_take(d, &a, &roster, e);
  for (uint32_t i = 0; i < roster.databases.count && err == ERR_OK; i++) {
    struct database *db = roster.databases.of[i];
    seen.leaders &= sees_leader(db, &roster);
    seen.filled &= is_filled(db);
    seen.current &= !is_behind(db);
  }
  seen.filled &= d->cluster == NULL || !d->options.cluster->replica || reconcile_is_done(d);
  for (uint32_t i = 0; i < roster.count; i++) seen.everybody &= roster.servers[i].said != NULL;
  arena_done(&a);
  if (err == ERR_OK) *ret = seen;
  return err;
}
