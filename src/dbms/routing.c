#include "dbms/routing.h"

#include "dbms/dbms_int.h"

static struct str with_port(struct arena *a, struct str host, uint16_t port) {
  bool v6 = str_find(host, STR(":")) >= 0;
  return arena_printf(a, "%s%.*s%s:%u", v6 ? "[" : "", STR_ARG(host), v6 ? "]" : "", port);
}

/// What was configured, else what the client dialled, which works through tunnels and containers, else the default.
struct str routing_advertised(const struct config_values *config, struct str dialled, struct arena *a) {
  uint16_t port =
      config->bolt_advertised_address.port != 0 ? config->bolt_advertised_address.port : config->bolt_listen_address.port;
  if (config->bolt_advertised_address.host.len > 0) return with_port(a, config->bolt_advertised_address.host, port);
  bool is_default = str_eqz(config->default_advertised_address.host, "localhost");
  struct config_address address;
  if (is_default && dialled.len > 0 && config_parse_address(dialled, &address) && address.host.len > 0) {
    return with_port(a, address.host, address.port != 0 ? address.port : port);
  }
  if (config->bolt_listen_address.port != 0 && config->bolt_advertised_address.port == 7687)
    port = config->bolt_listen_address.port;
  return with_port(a, config->default_advertised_address.host, port);
}

enum err routing_table_of_one(const struct config_values *config, struct str db, struct str at, struct arena *a,
                              struct dbms_routing_table *ret, struct error *e) {
  struct str *address = ARENA_NEW(a, struct str);
  if (at.ptr == NULL || address == NULL) return arena_err(a, e);
  *address = at;
  *ret = (struct dbms_routing_table){.ttl_s = config->routing_ttl_ms / 1000,
                                     .database = db,
                                     .routers = address,
                                     .readers = address,
                                     .writers = address,
                                     .router_count = 1,
                                     .reader_count = 1,
                                     .writer_count = 1};
  return ERR_OK;
}

/// Whether the server has the database, and answers for it.
static bool serves(const struct announcement *s, struct uuid database) {
  for (uint32_t i = 0; i < s->database_count; i++)
    if (uuid_eq(s->databases[i].uuid, database)) return s->databases[i].status == DATABASE_ONLINE;
  return false;
}

/// Who says that it leads, in the highest term.
static uint64_t announced_leader(const struct database *db, const struct directory_copy *view) {
  uint64_t leader = 0, term = 0;
  for (uint32_t i = 0; i < view->count; i++) {
    const struct announcement *s = &view->servers[i].said;
    for (uint32_t k = 0; k < s->database_count; k++) {
      const struct announced_database *said = &s->databases[k];
      if (!uuid_eq(said->uuid, db->id) || said->role != ROLE_LEADER || said->term <= term) continue;
      leader = s->number;
      term = said->term;
    }
  }
  return leader;
}

/// The number of the server that leads: whom this member's group knows as such, or where the database is not open here or its
/// group has failed, who says so; 0: there is none.
static uint64_t leader_of(struct database *db, const struct directory_copy *view) {
  struct cluster_status status;
  if (database_enter(db, NULL) != ERR_OK) return announced_leader(db, view);
  cluster_status(db->group, &status);
  database_leave(db);
  uint64_t announced = status.role == CLUSTER_FAILED ? announced_leader(db, view) : 0;
  return announced != 0 ? announced : status.leader;
}

/// Drivers that have nothing else to go by take the first: each table begins with another.
static void turn(const struct str *of, uint32_t n, uint32_t by, struct str *to) {
  for (uint32_t i = 0; i < n; i++) to[i] = of[(i + by) % n];
}

static enum err spread(struct dbms *d, struct arena *a, struct dbms_routing_table *t, struct error *e) {
  struct str *texts = ARENA_ARRAY(a, struct str, t->router_count + t->reader_count + 1);
  if (texts == NULL) return arena_err(a, e);
  uint32_t by = atomic_fetch_add(&d->tables_given, 1);
  turn(t->routers, t->router_count, by, texts);
  turn(t->readers, t->reader_count, by, texts + t->router_count);
  t->routers = texts;
  t->readers = texts + t->router_count;
  return ERR_OK;
}

static enum err members_table(struct database *db, struct arena *a, struct dbms_routing_table *ret, struct error *e) {
  const struct dbms_cluster_options *options = db->dbms->options.cluster;
  struct uuid cluster = uuid_get(options->cluster), database = db->id;
  struct directory_copy view;
  struct cluster *others = dbms_others(db->dbms);
  TRY(cluster_view(others, a, &view, e));
  uint64_t leader = leader_of(db, &view);
  struct str *routers = ARENA_ARRAY(a, struct str, view.count + 1), *readers = ARENA_ARRAY(a, struct str, view.count + 1);
  struct str *writer = ARENA_NEW(a, struct str);
  if (routers == NULL || readers == NULL || writer == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < view.count; i++) {
    const struct announcement *s = &view.servers[i].said;
    struct str bolt = s->addresses[ADDRESS_BOLT];
    if (bolt.len == 0 || !uuid_eq(announcement_cluster(s), cluster)) continue;
    enum departure_kind leaving = departure_of(db->dbms, s->server, s->number);
    if (s->mode != SERVER_READ_REPLICA && leaving != DEPARTS) routers[ret->router_count++] = bolt;
    if (!serves(s, database)) continue;
    bool goes = leaving == DEPARTS || (leaving == DEPARTS_FROM_DATABASES && !db->is_system);
    if (s->number != leader && !goes && !cluster_has_lost(others, s->number)) readers[ret->reader_count++] = bolt;
    if (s->number == leader && ret->writer_count == 0) writer[ret->writer_count++] = bolt;
  }
  bool reads_on_writer = ret->reader_count == 0 && ret->writer_count > 0;
  if (reads_on_writer) ret->reader_count = ret->writer_count;
  ret->routers = routers;
  ret->readers = reads_on_writer ? writer : readers;
  ret->writers = writer;
  return ERR_OK;
}

enum err routing_table(struct database *db, struct str dialled, struct arena *a, struct dbms_routing_table *ret,
                       struct error *e) {
  *ret = (struct dbms_routing_table){.ttl_s = db->dbms->options.config->routing_ttl_ms / 1000, .database = db->name};
  bool alone = dbms_others(db->dbms) == NULL || db->dbms->options.cluster->directory == NULL;
  if (!alone) TRY(members_table(db, a, ret, e));
  bool is_all =
      !db->replicated && ret->readers == ret->writers; // nobody follows it: then it is found wherever it was found before
  const struct config_values *config = db->dbms->options.config;
  return alone || is_all ? routing_table_of_one(config, db->name, routing_advertised(config, dialled, a), a, ret, e)
                         : spread(db->dbms, a, ret, e);
}
