// Procedures about the cluster and about routing: dbms.cluster.*, dbms.routing.*.
#include "dbms/procedures_int.h"
#include "dbms/roster.h"
#include "dbms/routing.h"
#include "dbms/session_int.h"

static struct value text(const char *z) {
  return v_str(str_of(z));
}

static enum err database_argument(struct transaction *t, const struct value *arguments, uint32_t n, uint32_t i,
                                  struct database **ret, struct error *e) {
  bool given = n > i && arguments[i].type == VALUE_STRING;
  return session_find_database(t->session, given ? v_text(arguments[i]) : STR(""), ret, e);
}

// ---- overview ----

static const char *role_name(const struct roster_server *s, uint32_t database) {
  if (s->places[database].role == ROLE_LEADER) return "LEADER";
  return s->said->mode == SERVER_READ_REPLICA ? "READ_REPLICA" : "FOLLOWER";
}

/// ["bolt://host:7687", "http://host:7474"]
static struct value addresses_of(struct arena *a, const struct announcement *s) {
  static const struct {
    const char *scheme;
    enum server_address address;
  } shown[] = {{"bolt", ADDRESS_BOLT}, {"http", ADDRESS_HTTP}, {"https", ADDRESS_HTTPS}};
  struct str texts[ARRAY_SIZE(shown)];
  uint32_t n = 0;
  for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
    struct str address = s->addresses[shown[i].address];
    if (address.len > 0) texts[n++] = arena_printf(a, "%s://%.*s", shown[i].scheme, STR_ARG(address));
  }
  return record_texts(a, texts, n);
}

/// {neo4j: "LEADER", system: "FOLLOWER"}
static struct value roles_of(struct arena *a, const struct roster *r, const struct roster_server *s) {
  struct value_entry *entries = ARENA_ARRAY(a, struct value_entry, r->databases.count);
  uint32_t n = 0;
  if (entries == NULL) return V_NULL;
  for (uint32_t i = 0; i < r->databases.count; i++)
    if (s->places[i].role != ROLE_NONE) entries[n++] = (struct value_entry){r->databases.of[i]->name, text(role_name(s, i))};
  return v_map(entries, n);
}

/// Neo4j 3 has one database, which it calls "default".
static enum err overview_row(const struct roster *r, uint32_t home, const struct roster_server *s, struct record_list *l,
                             struct error *e) {
  struct arena *a = &l->arena;
  struct str id = arena_str(a, str_of(uuid_text(s->server).z));
  if (id.ptr == NULL) return arena_err(a, e);
  return RECORD(l, e, {STR("id"), v_str(id)}, {STR("addresses"), addresses_of(a, s->said)}, {STR("databases"), roles_of(a, r, s)},
                {STR("groups"), record_texts(a, s->said->tags, s->said->tag_count)}, {STR("role"), text(role_name(s, home))},
                {STR("database"), text("default")});
}

static enum err overview(struct transaction *t, const struct value *arguments UNUSED, uint32_t n UNUSED, struct record_list *l,
                         struct error *e) {
  struct dbms *d = t->database->dbms;
  struct roster roster;
  uint32_t home = 0;
  TRY(roster_take(d, &l->arena, &roster, e));
  if (!roster_index(&roster, dbms_home(d), &home)) (void) roster_index(&roster, d->system, &home);
  for (uint32_t i = 0; i < roster.count; i++)
    if (roster.servers[i].said != NULL) TRY(overview_row(&roster, home, &roster.servers[i], l, e));
  return ERR_OK;
}

static enum err role(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l, struct error *e) {
  struct database *db;
  struct dbms *d = t->database->dbms;
  bool replica = d->cluster != NULL && d->options.cluster->replica;
  struct cluster_status s = {.role = replica ? CLUSTER_REPLICA : CLUSTER_FOLLOWER};
  TRY(database_argument(t, arguments, n, 0, &db, e));
  if (database_enter(db, NULL) == ERR_OK) { // or its store is being replaced, which happens to followers alone
    cluster_status(db->group, &s);
    database_leave(db);
  }
  return RECORD(l, e,
                {STR("role"), text(s.role == CLUSTER_LEADER    ? "LEADER"
                                   : s.role == CLUSTER_REPLICA ? "READ_REPLICA"
                                                               : "FOLLOWER")});
}

/// Compression would be a modifier in Neo4j, which has no other; here the only one is TLS.
static enum err protocols(struct transaction *t, const struct value *arguments UNUSED, uint32_t n UNUSED, struct record_list *l,
                          struct error *e) {
  struct link_table *links = t->database->dbms->options.cluster->links;
  struct link_row *rows = NULL;
  uint32_t count = 0;
  if (links != NULL) TRY(link_table_copy(links, &l->arena, &rows, &count, e));
  for (uint32_t i = 0; i < count; i++)
    TRY(RECORD(l, e, {STR("orientation"), text(rows[i].inbound ? "inbound" : "outbound")}, {STR("remoteAddress"), text(rows[i].remote)},
               {STR("applicationProtocol"), text(rows[i].protocol)}, {STR("applicationProtocolVersion"), v_int(rows[i].version)},
               {STR("modifierProtocols"), text(rows[i].encrypted ? "[TLS]" : "[]")}));
  return ERR_OK;
}

// ---- routing ----

static struct value role_entry(struct arena *a, const char *role, const struct str *addresses, uint32_t n) {
  struct value_entry *entries = ARENA_ARRAY(a, struct value_entry, 2);
  if (entries == NULL) return V_NULL;
  entries[0] = (struct value_entry){STR("addresses"), record_texts(a, addresses, n)};
  entries[1] = (struct value_entry){STR("role"), text(role)};
  return v_map(entries, 2);
}

/// A role that nobody has is left out.
static enum err routing_row(struct transaction *t, const struct value *arguments, uint32_t n, struct record_list *l,
                            struct error *e) {
  struct arena *a = &l->arena;
  struct database *db;
  TRY(database_argument(t, arguments, n, 1, &db, e));
  const struct value *dialled = n > 0 && arguments[0].type == VALUE_MAP ? value_map_get(arguments[0], STR("address")) : NULL;
  struct dbms_routing_table table;
  struct str gateway = t->session->client.gateway;
  if (gateway.len > 0)
    TRY(routing_table_of_one(t->database->dbms->options.config, db->name, gateway, a, &table, e));
  else
    TRY(routing_table(db, dialled != NULL && dialled->type == VALUE_STRING ? v_text(*dialled) : STR_NONE, a, &table, e));
  struct value *servers = ARENA_ARRAY(a, struct value, 3);
  uint32_t count = 0;
  if (servers == NULL) return arena_err(a, e);
  if (table.writer_count > 0) servers[count++] = role_entry(a, "WRITE", table.writers, table.writer_count);
  if (table.reader_count > 0) servers[count++] = role_entry(a, "READ", table.readers, table.reader_count);
  if (table.router_count > 0) servers[count++] = role_entry(a, "ROUTE", table.routers, table.router_count);
  return RECORD(l, e, {STR("ttl"), v_int(table.ttl_s)}, {STR("servers"), v_list(servers, count)});
}

// ---- the table ----

#define TABLE_ARGUMENTS FIELDS(FIELD(context, MAP), OPTIONAL(database, STRING, "null"))
#define TABLE_RESULTS FIELDS(FIELD(ttl, INTEGER), MAPS(servers))

// clang-format off
static const struct procedure table[] = {
  PROCEDURE("dbms.cluster.overview", READ, NONE, 0,
            FIELDS(FIELD(id, STRING), TEXTS(addresses), FIELD(role, STRING), TEXTS(groups), FIELD(database, STRING)), true, overview,
            "The servers of the cluster and their roles.", .members_only = true, .era = PROCEDURE_OF_3),
  PROCEDURE("dbms.cluster.overview", READ, NONE, 0, FIELDS(FIELD(id, STRING), TEXTS(addresses), FIELD(databases, MAP), TEXTS(groups)), true, overview,
            "The servers of the cluster and their roles in each database.", .members_only = true, .era = PROCEDURE_SINCE_4),
  PROCEDURE("dbms.cluster.protocols", DBMS, NONE, 0,
            FIELDS(FIELD(orientation, STRING), FIELD(remoteAddress, STRING), FIELD(applicationProtocol, STRING), FIELD(applicationProtocolVersion, INTEGER),
                   FIELD(modifierProtocols, STRING)), true, protocols,
            "The connections of this server with others of the cluster, and what is spoken on them.", .members_only = true),
  PROCEDURE("dbms.cluster.role", READ, FIELDS(OPTIONAL(database, STRING, "null")), 0, FIELDS(FIELD(role, STRING)), true, role,
            "The role of this server in a database.", .members_only = true),
  PROCEDURE("dbms.cluster.routing.getRoutingTable", DBMS, TABLE_ARGUMENTS, 1, TABLE_RESULTS, true, routing_row, "Who answers for a database."),
  PROCEDURE("dbms.cluster.routing.getServers", DBMS, FIELDS(OPTIONAL(context, MAP, "null")), 0, TABLE_RESULTS, true, routing_row,
            "Who answers for the default database."),
  PROCEDURE("dbms.upgrade", WRITE, NONE, 0, FIELDS(FIELD(status, STRING), FIELD(upgradeResult, STRING)), true, procedure_upgrade,
            "Raises the cluster to the highest feature level that all of its servers know.", .members_only = true),
  PROCEDURE("dbms.upgradeStatus", READ, NONE, 0, FIELDS(FIELD(status, STRING), FIELD(description, STRING), FIELD(resolution, STRING)), true,
            procedure_upgrade_status, "The feature level of the cluster, and to which it can be raised.", .members_only = true),
  PROCEDURE("dbms.routing.getRoutingTable", DBMS, TABLE_ARGUMENTS, 1, TABLE_RESULTS, true, routing_row, "Who answers for a database."),
};
// clang-format on

const struct procedure *procedures_cluster(uint32_t *ret_n) {
  *ret_n = ARRAY_SIZE(table);
  return table;
}
