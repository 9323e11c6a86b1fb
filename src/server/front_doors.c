#include "server/front_doors.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/mem.h"
#include "bolt/server.h"
#include "dbms/dbms.h"
#include "http/server.h"
#include "os/tls.h"
#include "server/listen.h"
#include "server/machine.h"

enum { BOLT_PORT = 7687, ROUTING_PORT = 7688, HTTP_PORT = 7474 };
enum { ROUTING_LOGIN_MS = 10000 };     // a server logs in at once
enum { ROUTING_KEEP_ALIVE_MS = 5000 }; // a server that is gone shall be noticed by those that wait for it

struct front_doors {
  struct arena arena;
  struct event_sink *events;
  struct tls_context *tls;
  struct bolt_server *bolt, *routing;
  struct http_server *http;
  uint32_t bolt_max, http_max, routing_max; // connections
  struct str bolt_listen, bolt_advertised, routing_listen, http_listen, http_advertised;
};

static bool is_set(const struct config *c, const char *name) {
  for (uint32_t i = 0; i < config_entry_count(c); i++) {
    struct config_entry entry = config_entry(c, i);
    if (str_eqz(entry.name, name)) return entry.source != CONFIG_DEFAULT;
  }
  return false;
}

static enum err settle_addresses(struct front_doors *doors, const struct config *c, struct error *e) {
  const struct config_values *v = config_values(c);
  struct arena *a = &doors->arena;
  bool common = is_set(c, "server.default_advertised_address");
  uint16_t bolt_port = v->bolt_listen_address.port != 0 ? v->bolt_listen_address.port : BOLT_PORT;
  uint16_t http_port = v->http_listen_address.port != 0 ? v->http_listen_address.port : HTTP_PORT;
  doors->bolt_listen = listen_address(a, v->bolt_listen_address, v->default_listen_address, BOLT_PORT);
  doors->routing_listen = listen_address(a, v->routing_listen_address, v->default_listen_address, ROUTING_PORT);
  doors->http_listen = listen_address(a, v->http_listen_address, v->default_listen_address, HTTP_PORT);
  doors->bolt_advertised = listen_advertised(a, v->bolt_advertised_address, is_set(c, "server.bolt.advertised_address"),
                                             v->default_advertised_address, common, bolt_port);
  doors->http_advertised = listen_advertised(a, v->http_advertised_address, is_set(c, "server.http.advertised_address"),
                                             v->default_advertised_address, common, http_port);
  bool whole = doors->bolt_listen.ptr != NULL && doors->routing_listen.ptr != NULL && doors->http_listen.ptr != NULL &&
               doors->bolt_advertised.ptr != NULL && doors->http_advertised.ptr != NULL;
  return whole ? ERR_OK : arena_err(a, e);
}

static enum bolt_tls_level tls_level(const struct config_values *v) {
  if (str_eqz(v->bolt_tls_level, "REQUIRED")) return BOLT_TLS_REQUIRED;
  if (str_eqz(v->bolt_tls_level, "OPTIONAL")) return BOLT_TLS_OPTIONAL;
  return BOLT_TLS_DISABLED;
}

static enum err load_certificate(struct front_doors *doors, const struct config_values *v, struct error *e) {
  if (tls_level(v) == BOLT_TLS_DISABLED) return ERR_OK;
  if (!v->tls_bolt_enabled) {
    return error_set(e, ERR_INVALID, "server.bolt.tls_level=%.*s needs a certificate: put %.*s and %.*s into %.*s and set "
                                     "dbms.ssl.policy.bolt.enabled=true.",
                     STR_ARG(v->bolt_tls_level), STR_ARG(v->tls_bolt_private_key), STR_ARG(v->tls_bolt_certificate), STR_ARG(v->tls_bolt_directory));
  }
  struct str key = arena_printf(&doors->arena, "%.*s/%.*s", STR_ARG(v->tls_bolt_directory), STR_ARG(v->tls_bolt_private_key));
  struct str certificate = arena_printf(&doors->arena, "%.*s/%.*s", STR_ARG(v->tls_bolt_directory), STR_ARG(v->tls_bolt_certificate));
  if (key.ptr == NULL || certificate.ptr == NULL) return arena_err(&doors->arena, e);
  struct tls_settings settings = {.certificate_path = certificate.ptr, .key_path = key.ptr};
  return tls_context_new(&settings, &doors->tls, e);
}

/// Connections must not take the files that stores, logs and the other members need.
static void share_files(struct front_doors *doors, const struct config_values *v, bool routing) {
  struct http_settings http = http_settings_default();
  uint32_t bolt = (uint32_t) v->bolt_connections_max, wanted[] = {bolt, http.max_connections, bolt};
  machine_share_files(machine_raise_open_files(), wanted, routing ? 3 : 2);
  doors->bolt_max = wanted[0];
  doors->http_max = wanted[1];
  doors->routing_max = wanted[2];
}

static struct bolt_settings bolt_settings_of(const struct config_values *v) {
  struct bolt_settings s = bolt_settings_default();
  s.listen_address_count = 1;
  s.threads = machine_processors("");
  s.keep_alive_ms = v->bolt_keep_alive_ms;
  s.unauthenticated_timeout_ms = v->bolt_login_timeout_ms;
  s.drain_timeout_ms = v->shutdown_tx_timeout_ms;
  s.max_unauthenticated = (uint32_t) v->bolt_unauthenticated_max;
  s.message_bytes = (uint32_t) v->bolt_message_max_bytes;
  s.depth = (uint32_t) v->bolt_message_max_depth;
  return s;
}

/// Of a door that cannot be opened where its setting wants it.
static enum err name_setting(const char *setting, enum err err, struct error *e) {
  return err == ERR_IO ? error_prefix(e, "%s", setting) : err;
}

static enum err open_bolt(struct front_doors *doors, const struct config_values *v, struct dbms *dbms, struct error *e) {
  if (!v->bolt_enabled) return ERR_OK;
  TRY(load_certificate(doors, v, e));
  struct bolt_settings s = bolt_settings_of(v);
  s.listen_addresses = &doors->bolt_listen;
  s.advertised_address = doors->bolt_advertised;
  s.max_connections = doors->bolt_max;
  s.tls_level = tls_level(v);
  s.tls = doors->tls;
  TRY(name_setting("server.bolt.listen_address", bolt_server_start(&s, dbms, doors->events, &doors->bolt, e), e));
  event_raise(doors->events, EVENT_INFO, "bolt.enabled", "Bolt enabled on %s.", bolt_server_address(doors->bolt, 0));
  return ERR_OK;
}

/// What a client may send here may be longer when it is handed on: vectors are lists of numbers then.
static enum err open_routing(struct front_doors *doors, const struct config_values *v, const struct dbms_cluster_options *cluster,
                             struct dbms *dbms, struct error *e) {
  struct bolt_settings s = bolt_settings_of(v);
  s.listen_addresses = &doors->routing_listen;
  s.tls_level = cluster->tls != NULL ? BOLT_TLS_REQUIRED : BOLT_TLS_DISABLED;
  s.tls = cluster->tls;
  s.keep_alive_ms = ROUTING_KEEP_ALIVE_MS;
  s.message_bytes = (uint32_t) MIN(v->bolt_message_max_bytes * 4, (int64_t) INT32_MAX);
  s.links = cluster->links;
  s.unauthenticated_timeout_ms = MIN(s.unauthenticated_timeout_ms, (int64_t) ROUTING_LOGIN_MS);
  s.drain_grace_ms = 0; // a session there that is cut off is had again elsewhere, unseen
  s.max_connections = doors->routing_max;
  s.for_servers = true;
  TRY(name_setting("server.routing.listen_address", bolt_server_start(&s, dbms, doors->events, &doors->routing, e), e));
  event_raise(doors->events, EVENT_INFO, "routing.enabled", "Routing enabled on %s.", bolt_server_address(doors->routing, 0));
  return ERR_OK;
}

static enum err open_http(struct front_doors *doors, const struct config_values *v, struct dbms *dbms, struct error *e) {
  if (!v->http_enabled) return ERR_OK;
  struct http_settings s = http_settings_default();
  s.listen_addresses = &doors->http_listen;
  s.listen_address_count = 1;
  s.bolt_advertised_address = doors->bolt_advertised;
  s.bolt_port = v->bolt_listen_address.port != 0 ? v->bolt_listen_address.port : BOLT_PORT;
  s.max_connections = doors->http_max;
  s.dbms = dbms;
  s.status_needs_login = v->status_auth_enabled;
  TRY(name_setting("server.http.listen_address", http_server_start(&s, doors->events, &doors->http, e), e));
  event_raise(doors->events, EVENT_INFO, "http.enabled", "HTTP enabled on %s.", http_server_address(doors->http, 0));
  return ERR_OK;
}

enum err front_doors_open(const struct config *config, const struct dbms_cluster_options *cluster, struct dbms *dbms,
                          struct event_sink *events, struct front_doors **ret, struct error *e) {
  struct front_doors *doors = mem_zalloc(sizeof *doors);
  if (doors == NULL) return error_set(e, ERR_NOMEM, "no memory to listen");
  arena_init(&doors->arena, NULL);
  doors->events = events;
  const struct config_values *v = config_values(config);
  share_files(doors, v, cluster != NULL);
  enum err err = settle_addresses(doors, config, e);
  if (err == ERR_OK && cluster != NULL) err = open_routing(doors, v, cluster, dbms, e);
  if (err == ERR_OK) err = open_http(doors, v, dbms, e);
  if (err == ERR_OK) err = open_bolt(doors, v, dbms, e); // last: whoever reaches it finds the others
  if (err != ERR_OK) {
    front_doors_close(doors);
    return err;
  }
  *ret = doors;
  return ERR_OK;
}

struct str front_doors_http_address(const struct front_doors *doors) {
  if (doors->http == NULL) return STR("");
  return doors->http_advertised.len > 0 ? doors->http_advertised : str_of(http_server_address(doors->http, 0));
}

struct bolt_server *front_doors_bolt(const struct front_doors *doors) {
  return doors->bolt;
}

void front_doors_close(struct front_doors *doors) {
  if (doors == NULL) return;
  http_server_stop(doors->http);
  bolt_server_stop(doors->bolt);
  bolt_server_stop(doors->routing);
  tls_context_free(doors->tls);
  arena_done(&doors->arena);
  mem_free(doors);
}
