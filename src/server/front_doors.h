// Bolt, the routing port of a member of a cluster, and HTTP: started from settings, stopped in the right order.
#pragma once

#include "base/error.h"
#include "base/event.h"
#include "config/config.h"

struct dbms;
struct dbms_cluster_options;
struct bolt_server;
struct front_doors;

/// Listens. `cluster`: as a member of one, NULL: standalone. Everything passed must outlive it. On failure nothing listens.
enum err front_doors_open(const struct config *config, const struct dbms_cluster_options *cluster, struct dbms *dbms,
                          struct event_sink *events, struct front_doors **ret, struct error *e) NODISCARD;

/// "localhost:7474": where a browser finds this server; empty without HTTP.
struct str front_doors_http_address(const struct front_doors *doors);

/// Of Bolt's own port, for what it counts; NULL without Bolt.
struct bolt_server *front_doors_bolt(const struct front_doors *doors);

/// Stops listening; waits for open transactions as long as db.shutdown_transaction_end_timeout allows; closes all connections. NULL is fine.
void front_doors_close(struct front_doors *doors);
