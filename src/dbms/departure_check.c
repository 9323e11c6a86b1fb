#include "dbms/departure_check.h"

#include <stdio.h>

#include "dbms/dbms_int.h"

// ---- who ----

struct str departure_server_name(const struct departure_view *v, const struct roster_server *s) {
  if (uuid_is_none(s->server)) return arena_printf(v->arena, "number %llu", (unsigned long long) s->number);
  return arena_str(v->arena, str_of(uuid_text(s->server).z));
}

static const struct roster_server *find(const struct departure_view *v, uint64_t number) {
  for (uint32_t i = 0; i < v->roster.count; i++)
    if (v->roster.servers[i].number == number) return &v->roster.servers[i];
  return NULL;
}

static struct uuid uuid_of(const struct departure_view *v, uint64_t number) {
  const struct roster_server *s = find(v, number);
  return s != NULL ? s->server : (struct uuid){{0}};
}

static bool leaves(const struct departure_view *v, const struct database *db, uint64_t number) {
  const struct departure *d = departures_find(&v->list, uuid_of(v, number), number);
  return d != NULL && (d->kind == DEPARTS || !db->is_system);
}

// ---- how many stay ----

static enum err tell_unsafe(const struct departure_view *v, const struct database *db, const struct cluster_members *members,
                            const struct roster_server *s, struct error *e) {
  char names[600] = "";
  size_t len = 0;
  for (uint32_t i = 0; i < members->count; i++) {
    if (!members->of[i].votes || len + 40 > sizeof names) continue;
    const char *comma = len > 0 ? ", " : "";
    struct uuid id = uuid_of(v, members->of[i].server);
    len += (size_t) snprintf(names + len, sizeof names - len, "%s%s", comma, uuid_is_none(id) ? "unknown" : uuid_text(id).z);
  }
  struct str name = departure_server_name(v, s);
  long long minimum = v->dbms->options.config->runtime_minimum;
  return error_set(e, ERR_ARGUMENT,
                   "Not safe to remove member [%.*s] of database '%.*s' because it would reduce the number of "
                   "voting members below the expected cluster size of %lld. Voting members: [%s]. Add a server first, or lower "
                   "dbms.cluster.minimum_core_cluster_size_at_runtime.",
                   STR_ARG(name), STR_ARG(db->name), minimum, names);
}

/// A core that is there and will be taken in as soon as the group gets to it.
static bool comes(const struct departure_view *v, const struct database *db, const struct cluster_members *members,
                  const struct roster_server *s) {
  for (uint32_t i = 0; i < members->count; i++)
    if (members->of[i].server == s->number) return false;
  return s->said != NULL && s->said->mode == SERVER_CORE && !leaves(v, db, s->number);
}

static enum err check_minimum(const struct departure_view *v, const struct database *db, const struct cluster_members *members,
                              const struct roster_server *s, struct error *e) {
  uint32_t voters = 0, learners = 0;
  bool votes = false;
  for (uint32_t i = 0; i < members->count; i++) {
    const struct cluster_member *m = &members->of[i];
    votes |= m->server == s->number && m->votes;
    if (m->server == s->number || leaves(v, db, m->server)) continue;
    (*(m->votes ? &voters : &learners))++;
  }
  for (uint32_t i = 0; i < v->roster.count; i++) learners += comes(v, db, members, &v->roster.servers[i]);
  uint32_t minimum = (uint32_t) v->dbms->options.config->runtime_minimum;
  return !votes || departure_is_safe(voters, learners, false, minimum) ? ERR_OK : tell_unsafe(v, db, members, s, e);
}

/// Of a database that is closed here: false. It is looked after by those who have it open.
static bool members_of(struct database *db, struct cluster_members *ret) {
  if (!db->replicated || database_enter(db, NULL) != ERR_OK) return false;
  cluster_members(db->group, ret);
  database_leave(db);
  return true;
}

enum err departure_check_minimum(const struct departure_view *v, const struct roster_server *s, enum departure_kind kind,
                                 struct error *e) {
  struct cluster_members members;
  DATABASES_EACH(db, v->dbms)
  if ((kind == DEPARTS || !db->is_system) && members_of(db, &members)) TRY(check_minimum(v, db, &members, s, e));
  return ERR_OK;
}

// ---- how many of those are there ----

static enum err check_majority(const struct departure_view *v, const struct database *db, const struct cluster_members *members,
                               const struct roster_server *s, struct error *e) {
  uint32_t voters = 0, there = 0;
  for (uint32_t i = 0; i < members->count; i++) {
    const struct cluster_member *m = &members->of[i];
    if (!m->votes || m->server == s->number || leaves(v, db, m->server)) continue;
    const struct roster_server *other = find(v, m->server);
    voters++;
    there += other != NULL && other->said != NULL && !cluster_has_lost(v->dbms->cluster, m->server);
  }
  if (departure_keeps_majority(voters, there)) return ERR_OK;
  return error_set(
      e, ERR_ARGUMENT,
      "Not safe to remove member [%.*s] of database '%.*s' because of the %u others that vote only %u are there. Start them "
      "first.",
      STR_ARG(departure_server_name(v, s)), STR_ARG(db->name), voters, there);
}

enum err departure_check_majority(const struct departure_view *v, const struct roster_server *s, struct error *e) {
  struct cluster_members members;
  DATABASES_EACH(db, v->dbms)
  if (members_of(db, &members)) TRY(check_majority(v, db, &members, s, e));
  return ERR_OK;
}
