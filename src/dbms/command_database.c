// CREATE, DROP, START and STOP DATABASE, in Neo4j's words. A command changes the catalogue in its own transaction; that databases
// follow is the reconciler's (reconcile.h), which an auto-committed command waits for (command_outcome.c).
#include "dbms/catalogue.h"
#include "dbms/command.h"
#include "graph/tx.h"

// Without WAIT a client that goes on at once most often finds what it asked for: a courtesy, not a promise.
static const int64_t COURTESY_NS = 2 * NS_PER_S, WAIT_NS = 300 * NS_PER_S;

struct command {
  struct transaction *tx;
  struct result *result;
  const struct ast *text;
  struct value parameters;
  struct str name; // in small letters
  struct arena arena;
  struct catalogue catalogue;
  int64_t now_ms;
};

static enum err take_name(struct command *c, struct error *e) {
  struct str given;
  TRY(command_text(c->text->database.name, c->parameters, &given, e));
  char *small = arena_copy(&c->arena, given.ptr, given.len);
  if (small == NULL) return arena_err(&c->arena, e);
  for (size_t i = 0; i < given.len; i++)
    if (small[i] >= 'A' && small[i] <= 'Z') small[i] = (char) (small[i] - 'A' + 'a');
  c->name = (struct str){small, given.len};
  return ERR_OK;
}

// ---- what is not there ----

static enum err refuse_options(const struct command *c, struct error *e) {
  const struct ast *options = c->text->database.options;
  if (options == NULL) return ERR_OK;
  struct value given = V_NULL;
  if (options->kind == AST_PARAMETER && c->parameters.type == VALUE_MAP) {
    const struct value *v = value_map_get(c->parameters, options->parameter.name);
    if (v == NULL) return error_set(e, ERR_PARAMETER_MISSING, "Expected parameter(s): %.*s", STR_ARG(options->parameter.name));
    given = *v;
  }
  bool is_empty = options->kind == AST_MAP ? options->map.entries.first == NULL
                                           : given.type == VALUE_NULL || (given.type == VALUE_MAP && given.len == 0);
  return is_empty ? ERR_OK
                  : error_set(e, ERR_UNSUPPORTED_ADMIN,
                              "Unsupported administration command: this server knows no OPTIONS of databases. Leave them out.");
}

static enum err refuse_unknown(const struct command *c, struct error *e) {
  const struct ast *n = c->text;
  const char *what = NULL;
  if (n->database.verb == AST_VERB_ALTER)
    what = "ALTER DATABASE is not available in this server";
  else if (n->database.composite)
    what = "composite databases are not available in this server";
  else if (n->database.primaries != NULL || n->database.secondaries != NULL)
    what = "a database is on all servers of its cluster. Leave TOPOLOGY out";
  else if (n->database.language != NULL)
    what = "DEFAULT LANGUAGE is not available in this server";
  else if (n->database.dump_data)
    what = "DUMP DATA is not available in this server. Make a copy of the data first, then DROP DATABASE ... DESTROY DATA";
  else if (n->database.wait == AST_WAIT && !c->tx->auto_commit)
    what = "WAIT needs an implicit transaction, as it commits before it waits";
  if (what != NULL) return error_set(e, ERR_UNSUPPORTED_ADMIN, "Unsupported administration command: %s.", what);
  return refuse_options(c, e);
}

// ---- the four ----

/// What is waited for.
static void aim_at(struct command *c, struct uuid database, enum catalogue_request wanted) {
  c->result->await.database = database;
  c->result->await.requested = wanted;
}

static const char *verb_name(const struct command *c) {
  switch ((enum ast_verb) c->text->database.verb) {
  case AST_VERB_CREATE: return "create";
  case AST_VERB_DROP: return "delete";
  case AST_VERB_START: return "start";
  default: return "stop";
  }
}

static enum err not_system(const struct command *c, struct error *e) {
  if (!str_eqz(c->name, "system")) return ERR_OK;
  return error_set(e, ERR_UNSUPPORTED_ADMIN, "Not allowed to %s the system database.", verb_name(c));
}

static enum err find(const struct command *c, const struct catalogue_entry **ret, struct error *e) {
  *ret = catalogue_find(&c->catalogue, c->name);
  if (*ret != NULL) return ERR_OK;
  return error_set(e, ERR_DATABASE_NOT_FOUND, "Failed to %s the specified database '%.*s': Database does not exist.",
                   verb_name(c), STR_ARG(c->name));
}

/// Members of a cluster tell each other of all of them.
static enum err check_room(const struct command *c, struct error *e) {
  int64_t limit = c->tx->database->dbms->options.config->max_databases;
  if (c->tx->database->replicated) limit = MIN(limit, (int64_t) ANNOUNCEMENT_DATABASES_MAX);
  if (catalogue_count(&c->catalogue) + 1 < limit) return ERR_OK; // `system` is one of them
  return error_set(e, ERR_DATABASE_LIMIT,
                   "Failed to create the specified database '%.*s': The total limit of databases is already reached. To create "
                   "more you need to either "
                   "drop databases or change the limit via the config setting 'dbms.max_databases' (%lld).",
                   STR_ARG(c->name), (long long) limit);
}

static enum err add(struct command *c, struct error *e) {
  struct uuid random;
  TRY(random_fill(c->tx->database->dbms->options.random, random.bytes, sizeof random.bytes));
  struct uuid id = uuid_of_random(random);
  struct uuid_text folder = uuid_text(id);
  struct dbms *d = c->tx->database->dbms;
  struct catalogue_entry entry = {
      .name = c->name, .uuid = id, .folder = str_of(folder.z), .created_ms = c->now_ms, .started_ms = c->now_ms};
  if (d->cluster != NULL) TRY(cluster_first_members(d->cluster, &c->arena, &entry.members, e));
  TRY(catalogue_add(c->tx->graph_tx, &entry, e));
  aim_at(c, id, CATALOGUE_ONLINE);
  c->result->counters.system_updates++;
  return ERR_OK;
}

static enum err ask(struct command *c, const struct catalogue_entry *entry, enum catalogue_request wanted, struct error *e) {
  aim_at(c, entry->uuid, wanted);
  if (entry->requested == wanted && wanted != CATALOGUE_ONLINE) return ERR_OK;
  TRY(catalogue_ask(c->tx->graph_tx, entry, wanted, c->now_ms, e));
  c->result->counters.system_updates++;
  return ERR_OK;
}

static enum err create(struct command *c, struct error *e) {
  const struct ast *n = c->text;
  if (n->database.or_replace && n->database.if_not_exists)
    return error_set(e, ERR_SYNTAX,
                     "Failed to create the specified database '%.*s': cannot have both `OR REPLACE` and `IF NOT EXISTS`.",
                     STR_ARG(c->name));
  TRY(catalogue_check_name(c->name, e));
  const struct catalogue_entry *old = catalogue_find(&c->catalogue, c->name);
  if (old != NULL && n->database.if_not_exists) return aim_at(c, old->uuid, old->requested), ERR_OK;
  if (old != NULL && !n->database.or_replace)
    return error_set(e, ERR_DATABASE_EXISTS, "Failed to create the specified database '%.*s': Database already exists.",
                     STR_ARG(c->name));
  if (old != NULL) TRY(ask(c, old, CATALOGUE_DROPPED, e));
  if (old == NULL) TRY(check_room(c, e));
  return add(c, e);
}

static enum err drop(struct command *c, struct error *e) {
  const struct catalogue_entry *entry;
  TRY(not_system(c, e));
  if (c->text->database.if_exists && catalogue_find(&c->catalogue, c->name) == NULL) return ERR_OK;
  TRY(find(c, &entry, e));
  return ask(c, entry, CATALOGUE_DROPPED, e);
}

static enum err start_or_stop(struct command *c, struct error *e) {
  const struct catalogue_entry *entry;
  TRY(not_system(c, e));
  TRY(find(c, &entry, e));
  return ask(c, entry, c->text->database.verb == AST_VERB_START ? CATALOGUE_ONLINE : CATALOGUE_OFFLINE, e);
}

static enum err carry_out(struct command *c, struct error *e) {
  TRY(refuse_unknown(c, e));
  TRY(take_name(c, e));
  TRY(catalogue_lock(c->tx->graph_tx, e));
  TRY(catalogue_read(c->tx->graph_tx, &c->arena, &c->catalogue, e));
  switch ((enum ast_verb) c->text->database.verb) {
  case AST_VERB_CREATE: return create(c, e);
  case AST_VERB_DROP: return drop(c, e);
  default: return start_or_stop(c, e);
  }
}

// ---- what comes of it ----

static enum err prepare_wait(struct command *c, struct error *e) {
  const struct ast *n = c->text;
  struct result *r = c->result;
  bool waits = n->database.wait == AST_WAIT;
  int64_t wait_ns = waits ? WAIT_NS : COURTESY_NS;
  if (waits && n->database.wait_seconds != NULL) {
    int64_t seconds = n->database.wait_seconds->literal.integer;
    if (seconds <= 0 || seconds > INT32_MAX)
      return error_set(e, ERR_ARGUMENT, "WAIT takes a number of seconds from 1 to %d.", INT32_MAX);
    wait_ns = seconds * NS_PER_S;
  }
  r->await.wanted = n->database.wait != AST_NOWAIT;
  r->await.tells = waits;
  r->await.until_ns = clock_monotonic_ns(c->tx->database->dbms->options.clock) + wait_ns;
  return ERR_OK;
}

enum err command_database(struct transaction *t, struct result *r, const struct ast *n, struct value parameters,
                          struct error *e) {
  struct command c = {.tx = t, .result = r, .text = n, .parameters = parameters};
  c.now_ms = clock_wall_ns(t->database->dbms->options.clock) / NS_PER_MS;
  arena_init(&c.arena, &t->budget);
  enum err err = carry_out(&c, e);
  if (err == ERR_OK) err = prepare_wait(&c, e);
  arena_done(&c.arena);
  return err;
}
