#include "dbms/command_outcome.h"

#include "dbms/command.h"
#include "dbms/roster.h"
#include "graph/tx.h"

// ---- of one server ----

static const struct announced_database *said_of(const struct announcement *said, struct uuid database) {
  for (uint32_t i = 0; i < said->database_count; i++)
    if (uuid_eq(said->databases[i].uuid, database)) return &said->databases[i];
  return NULL;
}

enum command_state command_state_elsewhere(const struct announcement *said, const struct command_aim *aim) {
  const struct announced_database *system = said_of(said, aim->system), *db = said_of(said, aim->database);
  if (system == NULL || system->applied_index < aim->at) return COMMAND_INCOMPLETE; // it speaks of what was before
  if (aim->wanted == CATALOGUE_DROPPED) return db == NULL ? COMMAND_CAUGHT_UP : COMMAND_INCOMPLETE;
  if (db == NULL) return COMMAND_INCOMPLETE;
  if (aim->wanted == CATALOGUE_ONLINE && db->status == DATABASE_FAILED) return COMMAND_FAILED;
  enum database_status wanted = aim->wanted == CATALOGUE_ONLINE ? DATABASE_ONLINE : DATABASE_OFFLINE;
  return db->status == wanted ? COMMAND_CAUGHT_UP : COMMAND_INCOMPLETE;
}

static struct database *find(struct dbms *d, struct uuid id) {
  DATABASES_EACH(db, d)
  if (uuid_eq(db->id, id)) return db;
  return NULL;
}

/// Whether its group has a leader, so that whoever made it may write to it.
static bool is_led(struct database *db) {
  struct cluster_status s = {.leader = 1};
  if (!db->replicated || database_enter(db, NULL) != ERR_OK) return true;
  if (db->group != NULL) cluster_status(db->group, &s);
  database_leave(db);
  return s.leader != 0;
}

static enum command_state state_here(struct dbms *d, const struct command_aim *aim) {
  if (atomic_load(&d->reconciler.done) < aim->at) return COMMAND_INCOMPLETE;
  struct database *db = aim->wanted == CATALOGUE_ONLINE ? find(d, aim->database) : NULL;
  if (db == NULL) return COMMAND_CAUGHT_UP;
  if (db->gate == GATE_FAILED) return COMMAND_FAILED;
  return is_led(db) ? COMMAND_CAUGHT_UP : COMMAND_INCOMPLETE;
}

// ---- of all ----

static bool is_here(struct dbms *d, const struct roster_server *s) {
  bool alone = dbms_others(d) == NULL || d->options.cluster->directory == NULL;
  return alone || s->number == d->options.cluster->server;
}

/// A server that is not heard of is told of, and not waited for.
static bool is_heard(struct dbms *d, const struct roster_server *s) {
  struct cluster *others = dbms_others(d);
  return s->said != NULL && (others == NULL || !cluster_has_lost(others, s->number));
}

static enum command_state state_of(struct dbms *d, const struct roster_server *s, const struct command_aim *aim) {
  return is_here(d, s) ? state_here(d, aim) : s->said != NULL ? command_state_elsewhere(s->said, aim) : COMMAND_INCOMPLETE;
}

static bool all_done(struct dbms *d, const struct roster *r, const struct command_aim *aim) {
  for (uint32_t i = 0; i < r->count; i++)
    if (is_heard(d, &r->servers[i]) && state_of(d, &r->servers[i], aim) == COMMAND_INCOMPLETE) return false;
  return true;
}

static const char *message_of(struct dbms *d, const struct roster_server *s, enum command_state state) {
  if (state == COMMAND_CAUGHT_UP) return "caught up";
  if (state == COMMAND_FAILED) return "The database could not be opened: the log file of the server says why.";
  return is_heard(d, s) ? "The server has not done it yet." : "The server is not heard of: it does it when it comes back.";
}

static enum err add_row(struct transaction *t, struct result *r, const struct roster_server *s, const struct command_aim *aim,
                        struct error *e) {
  static const char *const names[] = {"Incomplete", "Failed", "CaughtUp"};
  struct dbms *d = t->database->dbms;
  enum command_state state = state_of(d, s, aim);
  struct str address = s->said != NULL ? s->said->addresses[ADDRESS_BOLT] : STR_NONE;
  struct value row[] = {address.len > 0 ? v_str(address) : V_NULL, v_str(str_of(names[state])),
                        v_str(str_of(message_of(d, s, state))), v_bool(state == COMMAND_CAUGHT_UP)};
  return row_store_add(&r->rows, row, e);
}

/// Without rows to tell nobody but this server is looked at.
static enum err settle(struct transaction *t, struct result *r, bool waits, struct arena *a, struct error *e) {
  struct dbms *d = t->database->dbms;
  struct command_aim aim = {t->database->id, r->await.database, r->await.requested, r->await.committed};
  struct roster roster;
  if (!r->await.tells) return waits && state_here(d, &aim) == COMMAND_INCOMPLETE ? ERR_WAIT : ERR_OK;
  TRY(roster_take(d, a, &roster, e));
  if (waits && !all_done(d, &roster, &aim)) return ERR_WAIT;
  for (uint32_t i = 0; i < roster.count; i++) TRY(add_row(t, r, &roster.servers[i], &aim, e));
  return ERR_OK;
}

enum err command_settle(struct transaction *t, struct result *r, struct error *e) {
  struct arena a;
  bool waits = clock_monotonic_ns(t->database->dbms->options.clock) < r->await.until_ns && graph_tx_killed(t->graph_tx) == ERR_OK;
  arena_init(&a, NULL);
  enum err err = settle(t, r, waits, &a, e);
  arena_done(&a);
  return err;
}
