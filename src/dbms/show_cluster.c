#include "dbms/show_cluster.h"

#include "base/feature_level.h"
#include "os/clock.h"
#include "value/temporal.h"

#define COLUMN(name, value) \
  { STR(name), (value) }

static struct value text(const char *z) {
  return v_str(str_of(z));
}

/// A text that may be missing.
static struct value text_or_null(struct str s) {
  return s.len > 0 ? v_str(s) : V_NULL;
}

static struct value uuid_or_null(struct arena *a, struct uuid u) {
  return uuid_is_none(u) ? V_NULL : text_or_null(arena_str(a, str_of(uuid_text(u).z)));
}

static struct value address_of(const struct roster_server *s, enum server_address which) {
  return s->said != NULL ? text_or_null(s->said->addresses[which]) : V_NULL;
}

// ---- databases ----

static struct value time_or_null(int64_t ms) {
  return ms != 0 ? v_datetime(ms / 1000, (uint32_t) (ms % 1000) * (uint32_t) NS_PER_MS, ZONE_UTC) : V_NULL;
}

static const char *role_name(const struct roster_server *s, const struct roster_place *p, bool of_5) {
  if (s->said == NULL) return "unknown";
  bool secondary = s->said->mode == SERVER_READ_REPLICA;
  if (of_5) return secondary ? "secondary" : "primary";
  if (secondary) return "read_replica";
  if (s->said->mode == SERVER_SINGLE) return "standalone";
  return p->role == ROLE_LEADER ? "leader" : "follower";
}

static const char *status_name(const struct roster_server *s, const struct roster_place *p) {
  if (s->said == NULL) return "unknown";
  switch (p->status) {
  case DATABASE_STARTING: return "starting";
  case DATABASE_ONLINE: return "online";
  case DATABASE_COPYING: return "store copying";
  case DATABASE_FAILED: return "dirty";
  case DATABASE_QUARANTINED: return "quarantined";
  case DATABASE_OFFLINE:
  case DATABASE_STATUS_MAX: break;
  }
  return "offline";
}

/// What is wrong, as far as this server can tell.
static const char *message_of(const struct roster_server *s, const struct roster_place *p) {
  if (s->said == NULL) return "This server is not heard of.";
  if (p->status == DATABASE_QUARANTINED)
    return "It differs from what the other servers have, and is being replaced by a copy of theirs: the log file of that server says more.";
  return p->status == DATABASE_FAILED ? "It could not be opened, or its log has failed: the log file of that server says why."
                                      : "";
}

/// How many transactions it is behind whoever leads, as a negative number. What others say is a moment old.
static struct value lag_of(const struct roster_place *p, const struct roster_server *leader, uint32_t database) {
  if (leader == NULL) return V_NULL;
  uint64_t first = leader->places[database].applied;
  return v_int(p->applied < first ? -(int64_t) (first - p->applied) : 0);
}

struct counts {
  int64_t primaries, secondaries, voters;
};

static struct counts count_servers(const struct roster *r, uint32_t database) {
  struct counts n = {0};
  for (uint32_t i = 0; i < r->count; i++) {
    const struct roster_server *s = &r->servers[i];
    bool secondary = s->said != NULL && s->said->mode == SERVER_READ_REPLICA;
    n.voters += !secondary;
    if (s->places[database].role != ROLE_NONE) (*(secondary ? &n.secondaries : &n.primaries))++;
  }
  return n;
}

enum err show_database(const struct roster *r, struct dbms *d, uint32_t database, bool is_home, bool of_5, struct record_list *l,
                       struct error *e) {
  const struct database *db = r->databases.of[database];
  const struct roster_server *leader = roster_leader(r, database);
  bool is_default = db == dbms_home(d), is_read_only = d->options.config->read_only_default && !db->is_system;
  struct counts n = count_servers(r, database);
  for (uint32_t i = 0; i < r->count; i++) {
    const struct roster_server *s = &r->servers[i];
    const struct roster_place *p = &s->places[database];
    if (s->said != NULL && p->role == ROLE_NONE) continue;
    TRY(RECORD(
        l, e, COLUMN("name", v_str(db->name)), COLUMN("type", text(db->is_system ? "system" : "standard")),
        COLUMN("aliases", v_list(NULL, 0)), COLUMN("access", text(is_read_only ? "read-only" : "read-write")),
        COLUMN("address", address_of(s, ADDRESS_BOLT)), COLUMN("role", text(role_name(s, p, of_5))),
        COLUMN("writer", v_bool(s == leader)), COLUMN("requestedStatus", text(db->wanted_offline ? "offline" : "online")),
        COLUMN("currentStatus", text(status_name(s, p))), COLUMN("statusMessage", text(message_of(s, p))),
        COLUMN("error", text(message_of(s, p))), COLUMN("default", v_bool(is_default)), COLUMN("home", v_bool(is_home)),
        COLUMN("constituents", v_list(NULL, 0)), COLUMN("databaseID", text(db->uuid)),
        COLUMN("serverID", uuid_or_null(&l->arena, s->server)), COLUMN("currentPrimariesCount", v_int(n.primaries)),
        COLUMN("currentSecondariesCount", v_int(n.secondaries)), COLUMN("requestedPrimariesCount", v_int(n.voters)),
        COLUMN("requestedSecondariesCount", v_int(n.secondaries)), COLUMN("creationTime", time_or_null(db->created_ms)),
        COLUMN("lastStartTime", time_or_null(db->started_ms)), COLUMN("lastStopTime", time_or_null(db->stopped_ms)),
        COLUMN("store", text("quiver-1")), COLUMN("lastCommittedTxn", s->said != NULL ? v_int((int64_t) p->applied) : V_NULL),
        COLUMN("replicationLag", s->said != NULL ? lag_of(p, leader, database) : V_NULL), COLUMN("options", v_map(NULL, 0))));
  }
  return ERR_OK;
}

// ---- servers ----

static struct value hosting(struct arena *a, const struct roster *r, const struct roster_server *s) {
  struct str *names = ARENA_ARRAY(a, struct str, r->databases.count);
  uint32_t n = 0;
  if (names == NULL) return V_NULL;
  for (uint32_t i = 0; i < r->databases.count; i++)
    if (s->places[i].role != ROLE_NONE) names[n++] = r->databases.of[i]->name;
  return record_texts(a, names, n);
}

static const char *state_name(struct dbms *d, const struct roster *r, const struct roster_server *s) {
  bool hosts = false;
  for (uint32_t i = 0; i < r->databases.count; i++) hosts |= !r->databases.of[i]->is_system && s->places[i].role != ROLE_NONE;
  switch (departure_of(d, s->server, s->number)) {
  case DEPARTS: return "Dropped";
  case DEPARTS_FROM_DATABASES: return hosts ? "Deallocating" : "Deallocated";
  case DEPARTS_NOT: break;
  }
  return "Enabled";
}

/// By which commands call it.
static struct value server_name(struct arena *a, const struct roster_server *s) {
  if (!uuid_is_none(s->server)) return uuid_or_null(a, s->server);
  return text_or_null(arena_printf(a, "number %llu", (unsigned long long) s->number));
}

enum err show_servers(struct dbms *d, struct record_list *l, struct error *e) {
  struct arena *a = &l->arena;
  struct roster roster;
  TRY(roster_take(d, a, &roster, e));
  for (uint32_t i = 0; i < roster.count; i++) {
    const struct roster_server *s = &roster.servers[i];
    struct value id = uuid_or_null(a, s->server), databases = hosting(a, &roster, s);
    struct value tags = s->said != NULL ? record_texts(a, s->said->tags, s->said->tag_count) : v_list(NULL, 0);
    TRY(RECORD(l, e, COLUMN("serverId", id), COLUMN("name", server_name(a, s)), COLUMN("address", address_of(s, ADDRESS_BOLT)),
               COLUMN("httpAddress", address_of(s, ADDRESS_HTTP)), COLUMN("httpsAddress", address_of(s, ADDRESS_HTTPS)),
               COLUMN("state", text(state_name(d, &roster, s))), COLUMN("health", text(s->said != NULL ? "Available" : "Unavailable")),
               COLUMN("hosting", databases), COLUMN("requestedHosting", databases), COLUMN("tags", tags),
               COLUMN("allowedDatabases", v_list(NULL, 0)), COLUMN("deniedDatabases", v_list(NULL, 0)),
               COLUMN("modeConstraint", text("NONE")),
               COLUMN("version", s->said != NULL ? text_or_null(s->said->version) : V_NULL),
               COLUMN("featureLevel", s->said != NULL ? v_int(feature_level_of(s->said->feature_level)) : V_NULL)));
  }
  return ERR_OK;
}
