// DEALLOCATE DATABASES FROM SERVER, DROP SERVER and ENABLE SERVER, in Neo4j's words. A command says in `system` that a server
// leaves (departure.h); what comes of it is the groups' and the servers' own.
#include <stdio.h>

#include "dbms/command.h"
#include "dbms/departure.h"
#include "dbms/roster.h"

enum { SHORT_NAME_BYTES = 8 };

struct command {
  struct transaction *tx;
  struct result *result;
  const struct ast *text;
  struct value parameters;
  struct arena arena;
  struct roster roster;
  struct departures departures; // as they are when the command is carried out
};

static struct dbms *dbms_of(const struct command *c) {
  return c->tx->database->dbms;
}

// ---- what is not there ----

static enum err refuse_unknown(const struct command *c, struct error *e) {
  const struct ast *n = c->text;
  const char *what = NULL;
  switch ((enum ast_verb) n->server.verb) {
  case AST_VERB_DROP:
  case AST_VERB_DEALLOCATE: break;
  case AST_VERB_ENABLE:
    what = n->server.options != NULL ? "this server knows no OPTIONS of servers. Leave them out" : NULL;
    break;
  case AST_VERB_REALLOCATE: what = "a database is on all servers of its cluster: there is nothing to reallocate"; break;
  default: what = "ALTER SERVER and RENAME SERVER are not available in this server"; break;
  }
  if (n->server.dry_run) what = "DRYRUN is not available in this server";
  if (what != NULL) return error_set(e, ERR_UNSUPPORTED_ADMIN, "Unsupported administration command: %s.", what);
  if (dbms_of(c)->cluster != NULL) return ERR_OK;
  return error_set(e, ERR_UNSUPPORTED_ADMIN,
                   "Unsupported administration command: this server is in no cluster (dbms.mode=SINGLE).");
}

// ---- which server ----

/// What SHOW SERVERS calls it.
static struct str name_of(const struct roster_server *s, struct arena *a) {
  if (uuid_is_none(s->server)) return arena_printf(a, "number %llu", (unsigned long long) s->number);
  return arena_str(a, str_of(uuid_text(s->server).z));
}

static bool is_called(const struct roster_server *s, struct str name, struct arena *a) {
  struct str own = name_of(s, a);
  return str_eq_nocase(own, name) || (name.len >= SHORT_NAME_BYTES && own.len > name.len && !uuid_is_none(s->server) &&
                                      str_eq_nocase((struct str){own.ptr, name.len}, name));
}

static const char *verb_name(const struct command *c) {
  switch ((enum ast_verb) c->text->server.verb) {
  case AST_VERB_DROP: return "drop";
  case AST_VERB_ENABLE: return "enable";
  default: return "deallocate";
  }
}

static enum err find(struct command *c, struct str name, const struct roster_server **ret, struct error *e) {
  const struct roster_server *found = NULL;
  for (uint32_t i = 0; i < c->roster.count; i++) {
    const struct roster_server *s = &c->roster.servers[i];
    if (!is_called(s, name, &c->arena)) continue;
    if (found != NULL)
      return error_set(e, ERR_ARGUMENT, "Could not %s server '%.*s': more than one is called so. Give the whole id.",
                       verb_name(c), STR_ARG(name));
    found = s;
  }
  if (found == NULL || (found->said != NULL && found->said->mode != SERVER_CORE))
    return error_set(e, ERR_ARGUMENT,
                     "Could not %s server '%.*s': no core of this cluster is called so. SHOW SERVERS tells of all servers.",
                     verb_name(c), (int) MIN(name.len, (size_t) 100), name.ptr);
  *ret = found;
  return ERR_OK;
}

// ---- whether it may go ----

static struct uuid uuid_of(const struct command *c, uint64_t number) {
  for (uint32_t i = 0; i < c->roster.count; i++)
    if (c->roster.servers[i].number == number) return c->roster.servers[i].server;
  return (struct uuid){{0}};
}

static bool leaves(const struct command *c, const struct database *db, uint64_t number) {
  const struct departure *d = departures_find(&c->departures, uuid_of(c, number), number);
  return d != NULL && (d->kind == DEPARTS || !db->is_system);
}

static enum err tell_unsafe(struct command *c, const struct database *db, const struct cluster_members *members,
                            const struct roster_server *s, struct error *e) {
  char names[600] = "";
  size_t len = 0;
  for (uint32_t i = 0; i < members->count; i++) {
    if (!members->of[i].votes || len + 40 > sizeof names) continue;
    const char *comma = len > 0 ? ", " : "";
    struct uuid id = uuid_of(c, members->of[i].server);
    len += (size_t) snprintf(names + len, sizeof names - len, "%s%s", comma, uuid_is_none(id) ? "unknown" : uuid_text(id).z);
  }
  struct str name = name_of(s, &c->arena);
  long long minimum = dbms_of(c)->options.config->runtime_minimum;
  return error_set(
      e, ERR_ARGUMENT,
      "Could not %s server '%.*s': Not safe to remove member [%.*s] of database '%.*s' because it would reduce the number of "
      "voting members below the expected cluster size of %lld. Voting members: [%s]. Add a server first, or lower "
      "dbms.cluster.minimum_core_cluster_size_at_runtime.",
      verb_name(c), STR_ARG(name), STR_ARG(name), STR_ARG(db->name), minimum, names);
}

/// A core that is there and will be taken in as soon as the group gets to it.
static bool comes(const struct command *c, const struct database *db, const struct cluster_members *members,
                  const struct roster_server *s) {
  for (uint32_t i = 0; i < members->count; i++)
    if (members->of[i].server == s->number) return false;
  return s->said != NULL && s->said->mode == SERVER_CORE && !leaves(c, db, s->number);
}

static enum err check_members(struct command *c, const struct database *db, const struct cluster_members *members,
                              const struct roster_server *s, struct error *e) {
  uint32_t voters = 0, learners = 0;
  bool votes = false;
  for (uint32_t i = 0; i < members->count; i++) {
    const struct cluster_member *m = &members->of[i];
    votes |= m->server == s->number && m->votes;
    if (m->server == s->number || leaves(c, db, m->server)) continue;
    (*(m->votes ? &voters : &learners))++;
  }
  for (uint32_t i = 0; i < c->roster.count; i++) learners += comes(c, db, members, &c->roster.servers[i]);
  uint32_t minimum = (uint32_t) dbms_of(c)->options.config->runtime_minimum;
  return !votes || departure_is_safe(voters, learners, false, minimum) ? ERR_OK : tell_unsafe(c, db, members, s, e);
}

/// A database that is closed here is looked after by those who have it open.
static enum err check_database(struct command *c, struct database *db, const struct roster_server *s, struct error *e) {
  struct cluster_members members;
  if (!db->replicated || database_enter(db, NULL) != ERR_OK) return ERR_OK;
  cluster_members(db->group, &members);
  database_leave(db);
  return check_members(c, db, &members, s, e);
}

static enum err check_safe(struct command *c, const struct roster_server *s, enum departure_kind kind, struct error *e) {
  DATABASES_EACH(db, dbms_of(c))
  if (kind == DEPARTS || !db->is_system) TRY(check_database(c, db, s, e));
  return ERR_OK;
}

// ---- the three ----

/// The list is read again, so that the next server of the same command meets this one there.
static enum err reread(struct command *c, struct error *e) {
  c->result->counters.system_updates++;
  return departures_read(c->tx->graph_tx, &c->departures, e);
}

static enum err leave(struct command *c, struct str name, enum departure_kind kind, struct error *e) {
  const struct roster_server *s = NULL;
  TRY(find(c, name, &s, e));
  const struct departure *known = departures_find(&c->departures, s->server, s->number);
  if (known != NULL && known->kind >= kind) return ERR_OK;
  TRY(check_safe(c, s, kind, e));
  struct departure departure = {.server = s->server, .number = s->number, .kind = kind};
  TRY(known != NULL ? departures_drop(c->tx->graph_tx, known, e) : departures_add(c->tx->graph_tx, &departure, e));
  return reread(c, e);
}

static enum err deallocate(struct command *c, struct error *e) {
  AST_EACH(n, c->text->server.names) {
    struct str name;
    TRY(command_text(n, c->parameters, &name, e));
    TRY(leave(c, name, DEPARTS_FROM_DATABASES, e));
  }
  return ERR_OK;
}

static enum err enable(struct command *c, struct str name, struct error *e) {
  const struct roster_server *s = NULL;
  TRY(find(c, name, &s, e));
  const struct departure *known = departures_find(&c->departures, s->server, s->number);
  if (known == NULL) return ERR_OK; // every server that joins is
  if (known->kind == DEPARTS)
    return error_set(e, ERR_ARGUMENT, "Could not enable server '%.*s': it is dropped, and may have been told already.",
                     STR_ARG(name));
  TRY(departures_cancel(c->tx->graph_tx, known, e));
  return reread(c, e);
}

static enum err carry_out(struct command *c, struct error *e) {
  struct str name;
  TRY(refuse_unknown(c, e));
  TRY(roster_take(dbms_of(c), &c->arena, &c->roster, e));
  TRY(departures_lock(c->tx->graph_tx, e));
  TRY(departures_read(c->tx->graph_tx, &c->departures, e));
  if (c->text->server.verb == AST_VERB_DEALLOCATE) return deallocate(c, e);
  TRY(command_text(c->text->server.name, c->parameters, &name, e));
  return c->text->server.verb == AST_VERB_DROP ? leave(c, name, DEPARTS, e) : enable(c, name, e);
}

enum err command_server(struct transaction *t, struct result *r, const struct ast *n, struct value parameters, struct error *e) {
  struct command *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_ensure(e, ERR_NOMEM);
  *c = (struct command){.tx = t, .result = r, .text = n, .parameters = parameters};
  arena_init(&c->arena, &t->budget);
  enum err err = carry_out(c, e);
  arena_done(&c->arena);
  mem_free(c);
  return err;
}
