#include "dbms/show.h"

#include "cypher/ast.h"
#include "dbms/command.h"
#include "dbms/procedures.h"
#include "dbms/record_list.h"
#include "dbms/show_cluster.h"
#include "dbms/system_tx.h"
#include "dbms/transaction.h"
#include "graph/stats.h"
#include "graph/tx.h"
#include "graph/view.h"
#include "value/temporal.h"

#define COLUMN(name, value) {STR(name), (value)}

static struct value text(const char *z) {
  return v_str(str_of(z));
}

static enum err is_named(const struct ast *command, struct str name, struct value parameters, bool *ret, struct error *e) {
  *ret = command->show.names.count == 0;
  AST_EACH(n, command->show.names) {
    struct str wanted;
    TRY(command_text(n, parameters, &wanted, e));
    *ret |= str_eq_nocase(wanted, name);
  }
  return ERR_OK;
}

static enum err show_databases(struct transaction *t, const struct ast *command, struct value parameters, struct record_list *l, struct error *e) {
  struct dbms *d = t->database->dbms;
  bool of_5 = t->session->client.neo4j_major != 3 && t->session->client.neo4j_major != 4;
  const struct database *home = dbms_database(d, session_home(t->session)), *standard = dbms_home(d);
  struct roster roster;
  TRY(roster_take(d, &l->arena, &roster, e));
  for (uint32_t i = 0; i < roster.databases.count; i++) {
    const struct database *db = roster.databases.of[i];
    bool wanted;
    TRY(is_named(command, db->name, parameters, &wanted, e));
    wanted &= command->show.what == AST_SHOW_DATABASES || db == (command->show.what == AST_SHOW_HOME_DATABASE ? home : standard);
    if (wanted) TRY(show_database(&roster, d, i, db == home, of_5, l, e));
  }
  return ERR_OK;
}

// ---- indexes and constraints ----

static struct value names_of(struct arena *a, const struct graph *g, const struct graph_index *index) {
  struct str names[GRAPH_INDEX_KEYS_MAX];
  for (uint32_t i = 0; i < index->key_count; i++) names[i] = graph_token_name(g, GRAPH_KEY, index->keys[i]);
  return record_texts(a, names, index->key_count);
}

static struct value label_of(struct arena *a, const struct graph *g, const struct graph_index *index) {
  struct str name = graph_token_name(g, index->entity == GRAPH_NODE ? GRAPH_LABEL : GRAPH_TYPE, index->label_or_type);
  return record_texts(a, &name, index->label_or_type != GRAPH_ANY);
}

static const char *state_name(enum graph_index_state state) {
  return state == GRAPH_INDEX_ONLINE ? "ONLINE" : state == GRAPH_INDEX_FAILED ? "FAILED" : "POPULATING";
}

/// "CREATE RANGE INDEX `n` FOR (n:`L`) ON (n.`a`, n.`b`)", or the constraint's.
static struct value create_statement(struct arena *a, const struct graph *g, const struct graph_index *index) {
  bool node = index->entity == GRAPH_NODE, constraint = index->constraint != GRAPH_CONSTRAINT_NONE;
  struct str label = graph_token_name(g, node ? GRAPH_LABEL : GRAPH_TYPE, index->label_or_type);
  struct str keys = STR("");
  for (uint32_t i = 0; i < index->key_count; i++) {
    struct str key = graph_token_name(g, GRAPH_KEY, index->keys[i]);
    keys = arena_printf(a, "%.*s%s%s.`%.*s`", STR_ARG(keys), i > 0 ? ", " : "", node ? "n" : "r", STR_ARG(key));
  }
  struct str name = constraint ? index->constraint_name : index->name;
  struct str all = arena_printf(a, "CREATE %s `%.*s` FOR %s`%.*s`%s %s (%.*s)%s", constraint ? "CONSTRAINT" : "RANGE INDEX", STR_ARG(name), node ? "(n:" : "()-[r:",
                                STR_ARG(label), node ? ")" : "]-()", constraint ? "REQUIRE" : "ON", STR_ARG(keys), constraint ? " IS UNIQUE" : "");
  return all.ptr != NULL ? v_str(all) : V_NULL;
}

static enum err show_index(struct record_list *l, const struct graph *g, const struct graph_index *index, struct error *e) {
  struct arena *a = &l->arena;
  bool constraint = index->constraint != GRAPH_CONSTRAINT_NONE, lookup = index->index_kind == GRAPH_INDEX_LOOKUP;
  return RECORD(l, e, COLUMN("id", v_int(index->id)), COLUMN("name", v_str(index->name)), COLUMN("state", text(state_name(index->state))),
                COLUMN("populationPercent", v_float(index->population_percent)), COLUMN("uniqueness", text(constraint ? "UNIQUE" : "NONUNIQUE")),
                COLUMN("type", text(lookup ? "LOOKUP" : "RANGE")), COLUMN("entityType", text(index->entity == GRAPH_NODE ? "NODE" : "RELATIONSHIP")),
                COLUMN("labelsOrTypes", lookup ? V_NULL : label_of(a, g, index)), COLUMN("properties", lookup ? V_NULL : names_of(a, g, index)),
                COLUMN("indexProvider", text(lookup ? "token-lookup-1.0" : "range-1.0")), COLUMN("owningConstraint", constraint ? v_str(index->constraint_name) : V_NULL),
                COLUMN("options", v_map(NULL, 0)), COLUMN("failureMessage", v_str(index->failure)),
                COLUMN("createStatement", lookup ? V_NULL : create_statement(a, g, index)));
}

static enum err show_constraint(struct record_list *l, const struct graph *g, const struct graph_index *index, struct error *e) {
  struct arena *a = &l->arena;
  bool node = index->entity == GRAPH_NODE;
  return RECORD(l, e, COLUMN("id", v_int(index->id)), COLUMN("name", v_str(index->constraint_name)), COLUMN("type", text(node ? "UNIQUENESS" : "RELATIONSHIP_UNIQUENESS")),
                COLUMN("entityType", text(node ? "NODE" : "RELATIONSHIP")), COLUMN("labelsOrTypes", label_of(a, g, index)), COLUMN("properties", names_of(a, g, index)),
                COLUMN("ownedIndex", v_str(index->name)), COLUMN("ownedIndexId", v_int(index->id)), COLUMN("propertyType", V_NULL), COLUMN("options", v_map(NULL, 0)),
                COLUMN("createStatement", create_statement(a, g, index)));
}

static bool passes_filter(const struct ast *command, const struct graph_index *index) {
  switch ((enum ast_show_filter) command->show.filter) {
    case AST_FILTER_ALL: return true;
    case AST_FILTER_RANGE:
    case AST_FILTER_BTREE: return index->index_kind == GRAPH_INDEX_RANGE;
    case AST_FILTER_LOOKUP: return index->index_kind == GRAPH_INDEX_LOOKUP;
    case AST_FILTER_UNIQUE: return true;
    case AST_FILTER_NODE_UNIQUE: return index->entity == GRAPH_NODE;
    case AST_FILTER_RELATIONSHIP_UNIQUE: return index->entity == GRAPH_REL;
    default: return false;
  }
}

static enum err show_schema(struct transaction *t, const struct ast *command, struct record_list *l, struct error *e) {
  const struct graph *g = t->database->graph;
  struct graph_index *indexes;
  uint32_t n;
  if (!graph_stats_indexes(g, &l->arena, &indexes, &n)) return arena_err(&l->arena, e);
  for (uint32_t i = 0; i < n; i++) {
    if (!passes_filter(command, &indexes[i])) continue;
    if (command->show.what == AST_SHOW_INDEXES) TRY(show_index(l, g, &indexes[i], e));
    else if (indexes[i].constraint != GRAPH_CONSTRAINT_NONE) TRY(show_constraint(l, g, &indexes[i], e));
  }
  return ERR_OK;
}

// ---- users ----

struct all_users {
  struct arena *arena;
  struct user *users;
  uint32_t count;
};

static enum err list_users(struct graph_tx *tx, void *context, struct error *e) {
  struct all_users *all = context;
  return users_list(tx, all->arena, &all->users, &all->count, e);
}

static enum err show_users(struct transaction *t, const struct ast *command, struct record_list *l, struct error *e) {
  bool current = command->show.what == AST_SHOW_CURRENT_USER;
  if (!t->database->is_system && !current) {
    return error_set(e, ERR_NOT_SYSTEM_DATABASE, "This is an administration command and it should be executed against the system database: SHOW USERS");
  }
  struct all_users all = {.arena = &l->arena};
  TRY(system_read(t->database->dbms, list_users, &all, e));
  const struct user *users = all.users;
  for (uint32_t i = 0; i < all.count; i++) {
    if (current && !str_eq(users[i].name, t->session->user)) continue;
    TRY(RECORD(l, e, COLUMN("user", v_str(users[i].name)), COLUMN("roles", V_NULL), COLUMN("passwordChangeRequired", v_bool(users[i].change_required)),
               COLUMN("suspended", v_bool(users[i].suspended)), COLUMN("home", users[i].home.len > 0 ? v_str(users[i].home) : V_NULL),
               COLUMN("provider", text("native"))));
  }
  return ERR_OK;
}

// ---- functions, procedures, settings ----

static enum err show_functions(struct record_list *l, struct error *e) {
  for (uint32_t i = 0; i < CYPHER_FUNCTION_COUNT; i++) {
    const struct cypher_function *f = cypher_function_of((enum cypher_function_id) i);
    if (f->flags & CYPHER_LEGACY) continue;
    TRY(RECORD(l, e, COLUMN("name", text(f->name)), COLUMN("category", text(f->group)), COLUMN("description", text("")), COLUMN("signature", text(f->signature)),
               COLUMN("isBuiltIn", v_bool(true)), COLUMN("aggregating", v_bool(f->flags & CYPHER_AGGREGATING)), COLUMN("isDeprecated", v_bool(f->flags & CYPHER_DEPRECATED))));
  }
  return ERR_OK;
}

static enum err show_settings(struct transaction *t, struct record_list *l, struct error *e) {
  const struct config *c = t->database->dbms->options.settings;
  for (uint32_t i = 0; c != NULL && i < config_entry_count(c); i++) {
    struct config_entry entry = config_entry(c, i);
    TRY(RECORD(l, e, COLUMN("name", v_str(entry.name)), COLUMN("value", v_str(entry.value)), COLUMN("isDynamic", v_bool(false)),
               COLUMN("defaultValue", v_str(entry.default_value)), COLUMN("description", v_str(entry.description)), COLUMN("startupValue", v_str(entry.value)),
               COLUMN("isExplicitlySet", v_bool(entry.source != CONFIG_DEFAULT)), COLUMN("validValues", V_NULL), COLUMN("isDeprecated", v_bool(false))));
  }
  return ERR_OK;
}

static enum err show_procedures(struct transaction *t, struct record_list *l, struct error *e) {
  struct procedures_scope scope = {.neo4j_major = t->session->client.neo4j_major,
                                   .is_member = dbms_others(t->database->dbms) != NULL};
  return procedures_show(&scope, l, e);
}

// ---- transactions ----

static struct str transaction_name(struct arena *a, const struct transaction *t) {
  return arena_printf(a, "%.*s-transaction-%llu", STR_ARG(t->database->name), (unsigned long long) t->id);
}

/// One row for an open transaction, under the dbms mutex: everything is copied.
static enum err show_transaction(struct record_list *l, const struct transaction *o, struct error *e) {
  struct arena *a = &l->arena;
  struct dbms *d = o->database->dbms;
  int64_t elapsed_ms = (clock_monotonic_ns(d->options.clock) - o->started_ns) / NS_PER_MS;
  struct value_duration *elapsed = ARENA_NEW(a, struct value_duration);
  if (elapsed == NULL) return arena_err(a, e);
  *elapsed = (struct value_duration){.seconds = elapsed_ms / 1000, .nanos = (int32_t) (elapsed_ms % 1000 * NS_PER_MS)};
  struct str id = transaction_name(a, o), user = arena_str(a, o->session->user), connection = arena_str(a, o->session->client.connection_id),
             address = arena_str(a, o->session->client.address), protocol = arena_str(a, o->session->client.connector), query = arena_str(a, o->query), started;
  TRY(temporal_format(v_datetime(o->clock.transaction.seconds, (uint32_t) o->clock.transaction.nanos, ZONE_UTC), a, &started, e));
  enum err killed = o->gone != ERR_OK ? o->gone : graph_tx_killed(o->graph_tx);
  struct str status = killed == ERR_OK ? STR("Running") : arena_printf(a, "Terminated with reason: %s", err_neo4j_code(killed));
  if (id.ptr == NULL || user.ptr == NULL || connection.ptr == NULL || address.ptr == NULL || status.ptr == NULL || query.ptr == NULL ||
      protocol.ptr == NULL)
    return arena_err(a, e);
  return RECORD(l, e, COLUMN("database", v_str(o->database->name)), COLUMN("transactionId", v_str(id)), COLUMN("connectionId", v_str(connection)),
                COLUMN("clientAddress", v_str(address)), COLUMN("username", v_str(user)), COLUMN("status", v_str(status)),
                COLUMN("currentQuery", v_str(query)), COLUMN("startTime", v_str(started)), COLUMN("protocol", v_str(protocol)),
                COLUMN("elapsedTime", ((struct value){.type = VALUE_DURATION, .duration = elapsed})),
                COLUMN("estimatedUsedHeapMemory", v_int(atomic_load(&o->budget.used_bytes))));
}

static enum err show_transactions(struct transaction *t, const struct ast *command, struct value parameters, struct record_list *l, struct error *e) {
  struct dbms *d = t->database->dbms;
  enum err err = ERR_OK;
  mutex_lock(&d->mutex);
  for (struct transaction *o = d->transactions; o != NULL && err == ERR_OK; o = o->following) {
    bool wanted = false;
    err = is_named(command, transaction_name(&l->arena, o), parameters, &wanted, e);
    if (err == ERR_OK && wanted) err = show_transaction(l, o, e);
  }
  mutex_unlock(&d->mutex);
  return err;
}

static enum err terminate(struct transaction *t, const struct ast *command, struct value parameters, struct record_list *l, struct error *e) {
  struct dbms *d = t->database->dbms;
  AST_EACH(n, command->show.names) {
    struct str wanted, user = STR("");
    TRY(command_text(n, parameters, &wanted, e));
    bool found = false;
    mutex_lock(&d->mutex);
    for (struct transaction *o = d->transactions; o != NULL && !found; o = o->following) {
      found = str_eq(transaction_name(&l->arena, o), wanted);
      if (!found) continue;
      transaction_kill(o, ERR_TX_TERMINATED);
      user = arena_str(&l->arena, o->session->user);
    }
    mutex_unlock(&d->mutex);
    TRY(RECORD(l, e, COLUMN("transactionId", v_str(wanted)), COLUMN("username", v_str(user)),
               COLUMN("message", text(found ? "Transaction terminated." : "Transaction not found."))));
  }
  return ERR_OK;
}

// ---- the table ----

static enum err fill(struct transaction *t, const struct ast *command, struct value parameters, struct record_list *l, struct error *e) {
  switch ((enum ast_show) command->show.what) {
    case AST_SHOW_DATABASES:
    case AST_SHOW_DEFAULT_DATABASE:
    case AST_SHOW_HOME_DATABASE: return show_databases(t, command, parameters, l, e);
    case AST_SHOW_SERVERS: return show_servers(t->database->dbms, l, e);
    case AST_SHOW_INDEXES:
    case AST_SHOW_CONSTRAINTS: return show_schema(t, command, l, e);
    case AST_SHOW_USERS:
    case AST_SHOW_CURRENT_USER: return show_users(t, command, l, e);
    case AST_SHOW_FUNCTIONS: return show_functions(l, e);
    case AST_SHOW_PROCEDURES: return show_procedures(t, l, e);
    case AST_SHOW_SETTINGS: return show_settings(t, l, e);
    case AST_SHOW_TRANSACTIONS: return show_transactions(t, command, parameters, l, e);
    case AST_SHOW_TERMINATE_TRANSACTIONS: return terminate(t, command, parameters, l, e);
    default: return error_set(e, ERR_UNSUPPORTED_ADMIN, "Unsupported administration command: this SHOW command is not available in this server.");
  }
}

static enum err open(const struct exec_call *call, const struct ast *command, struct value parameters, void **ret_state, struct error *e) {
  struct transaction *t = call->context;
  struct record_list *l;
  TRY(record_list_new(&t->budget, &l, e));
  enum err err = fill(t, command, parameters, l, e);
  if (err != ERR_OK) {
    record_list_free(l);
    return err;
  }
  *ret_state = l;
  return ERR_OK;
}

static enum err next(const struct exec_call *call, void *state, const struct str *columns, uint32_t column_count, uint32_t cap, struct value *ret,
                     uint32_t *ret_rows, struct error *e) {
  *ret_rows = record_list_give(state, columns, column_count, cap, ret);
  return ERR_OK;
}

static void close(void *state) {
  record_list_free(state);
}

const struct exec_show *show_table(void) {
  static const struct exec_show table = {open, next, close};
  return &table;
}
