// The HTTP front door: the discovery document at `/`, from which browsers and tools learn where Bolt is, and how this server
// stands in its cluster, by which load balancers choose.
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/event.h"
#include "base/str.h"

struct dbms;
struct http_handler;
struct http_server;
struct tls_context;

/// http_settings_default() has Neo4j's defaults. Texts must outlive the server.
struct http_settings {
  const struct str *listen_addresses; // "0.0.0.0:7474"
  uint32_t listen_address_count;
  struct tls_context *tls;            // HTTPS if not NULL; not owned
  struct str bolt_advertised_address; // "host:port"; an empty host is replaced by that of the request's Host header
  uint16_t bolt_port;                 // used where the advertised address has none
  struct str product_version;         // "5.26.0"
  struct str edition;                 // "community"
  struct http_handler *handler;       // serves all requests, in the place of what this server tells itself; NULL: it does
  struct dbms *dbms;                  // NULL: nothing is told of the cluster; outlives the server
  bool status_needs_login;            // what is told of it
  int64_t idle_timeout_ms;
  uint32_t max_connections;
  uint32_t head_bytes, body_bytes; // limits of one request
};

struct http_settings http_settings_default(void);

/// Starts one event loop and listens. Copies `settings`. `events` may be NULL.
enum err http_server_start(const struct http_settings *settings, struct event_sink *events, struct http_server **ret,
                           struct error *e) NODISCARD;
const char *http_server_address(const struct http_server *server, uint32_t index);
/// Stops listening, closes all connections, waits for logins under way, frees. NULL is fine.
void http_server_stop(struct http_server *server);
