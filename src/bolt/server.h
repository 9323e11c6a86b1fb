// The Bolt front door: listeners, event loops, connections. Settings are plain values; `server` fills them from the
// configuration.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/event.h"
#include "base/str.h"

struct dbms;
struct link_table;
struct tls_context;
struct bolt_server;

enum bolt_tls_level { BOLT_TLS_DISABLED, BOLT_TLS_OPTIONAL, BOLT_TLS_REQUIRED };

/// bolt_settings_default() has Neo4j's defaults (and, where Neo4j has no limit, ours). Texts must outlive the server.
struct bolt_settings {
  const struct str *listen_addresses; // "0.0.0.0:7687", "[::]:7687"
  uint32_t listen_address_count;
  struct str advertised_address; // "host:port" that clients can reach; empty: what the client dialled
  enum bolt_tls_level tls_level;
  struct tls_context *tls;           // needed unless the level is DISABLED; not owned
  const struct str *allowed_origins; // of WebSocket requests; none: all
  uint32_t allowed_origin_count;
  struct str product_version; // of the discovery document: "5.26.0"
  struct str edition;         // "community"
  uint32_t threads;           // event loops

  int64_t keep_alive_ms;              // a NOOP is sent when nothing was written for so long while a request runs; 0: never
  int64_t unauthenticated_timeout_ms; // from accept to login
  int64_t stall_timeout_ms;           // a client that reads nothing for so long is closed
  int64_t drain_timeout_ms;           // how long a stop waits for open transactions
  int64_t drain_grace_ms;             // and, once there is none, for what drivers say right behind an answer
  uint32_t max_connections;
  uint32_t max_unauthenticated; // connections that have not logged in
  uint32_t unauthenticated_message_bytes;
  uint32_t message_bytes; // after login
  uint32_t unauthenticated_depth, depth;
  uint32_t unauthenticated_elements;
  uint32_t websocket_frame_bytes; // before login; afterwards a frame of any length is streamed
  uint32_t queue_high,
      queue_low; // requests waiting: reading pauses, resumes; it also pauses when they hold `message_bytes` together
  uint32_t out_high_bytes, out_low_bytes;
  uint32_t max_open_results; // in one transaction
  bool telemetry_hint;       // asks drivers to send TELEMETRY
  struct link_table *links; // where connections are listed (os/link_table.h), of the routing port; may be NULL
  bool for_servers; // the routing port: sessions that other servers carry on here, with what they add to Bolt (bolt/relayed.h)
};

struct bolt_settings bolt_settings_default(void);

struct bolt_counters {
  uint64_t connections_opened, connections_closed, connections_running, connections_idle;
  uint64_t messages_received, messages_started, messages_done, messages_failed;
  uint64_t refused, unauthenticated_timeouts, stalled;
  uint64_t bytes_received, bytes_sent;
  uint64_t telemetry[4]; // units of work by kind: managed, explicit, auto-commit, execute_query
};

/// Starts the threads and listens. Copies `settings`. `events` may be NULL. On failure nothing runs and nothing listens.
enum err bolt_server_start(const struct bolt_settings *settings, struct dbms *dbms, struct event_sink *events,
                           struct bolt_server **ret, struct error *e) NODISCARD;

/// The address of listener `index` with the port that the system chose; lives as long as the server.
const char *bolt_server_address(const struct bolt_server *server, uint32_t index);

/// From any thread; the figures of different threads are not of one instant.
struct bolt_counters bolt_server_counters(const struct bolt_server *server);

/// Stops listening, closes connections a moment (`drain_grace_ms`) after they are first idle, and those with a transaction at the
/// latest when the drain time is over; waits for all that, frees. The moment is for what drivers say without looking: RESET behind
/// COMMIT, LOGON behind HELLO; JavaScript's tells its user of a RESET that is not answered, and tries nothing again. Not from one of
/// its own threads. NULL is fine.
void bolt_server_stop(struct bolt_server *server);
