// The connections of this server with the other servers of its cluster: one for each pair, for all groups
// (docs/formats/cluster.md).
//
//   network_open -> { network_peer_set, network_send, ... } -> network_close
//
// A peer that is known by number and address is connected to, and connected to again whenever the connection is lost, with
// growing pauses; events tell who, where and why, once for each new reason. Messages for a peer that is not there are dropped:
// Raft sends again. What waits for a peer is bounded (cluster/outbox.h) and only a little of it is given to the system at a time,
// so that a heartbeat never stands behind megabytes.
//
// With TLS both ends show a certificate that the trusted authorities have signed.
//
// Threads: everything runs on one loop; call everything there but network_send, which any thread may call.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"
#include "cluster/hello.h"
#include "cluster/message.h"
#include "os/link_table.h"
#include "os/net.h"
#include "os/tls.h"

struct known_starts;
struct network;

struct network_events {
  /// A message from `server`. What it points to lives during the call.
  void (*received)(void *context, uint64_t server, const struct message *m);
  /// All messages that came in at once have been handed over: a good moment to answer them together (network_flush). May be NULL.
  void (*settled)(void *context);
  /// The connection with `server` is up, or was lost: closed, or taken over by a later life of that server. A new connection of
  /// the same life takes the place of an older one without a loss. May be NULL.
  void (*changed)(void *context, uint64_t server, bool up);
  /// A server that is no peer says hello from `address`: true makes it one. NULL: strangers are refused.
  bool (*met)(void *context, uint64_t server, const char *address);
  /// Whether `server` is known to be there at another address than this one, from which somebody says hello in its name: he is
  /// refused. May be NULL.
  bool (*is_elsewhere)(void *context, uint64_t server, const char *address);
  /// A start of another server was met for the first time: known_starts_save, by a thread that may wait. Must only take note. May be NULL.
  void (*start_met)(void *context);
  /// One has moved: known_starts_move, the same, but not before it is worth a write. May be NULL.
  void (*start_moved)(void *context);
  /// `server` knows a start of this one that its data have not had: they are an older copy. From now on nobody is connected with. Once; must
  /// only take note. May be NULL.
  void (*older)(void *context, uint64_t server, struct start known);
};

struct network_options {
  uint64_t server;     // this one; not 0
  uint64_t epoch;      // rises with each start of this server
  uint8_t cluster[16]; // uuid: others are refused
  struct known_starts
      *known; // the last one of this server has `epoch` as its number; NULL: nothing is said of starts. Outlives the network
  const _Atomic uint32_t *feature_level; // the cluster's: lower servers are refused. Outlives the network; NULL: the first
  struct str listen;       // "host:port"
  const char *advertised;  // what the others connect to; NULL: what is listened on
  struct tls_context *tls; // NULL: plain
  bool tls_verify_names;   // a peer's certificate must be for the host it is reached by
  struct net_resolver *resolver;
  struct event_sink *events;          // may be NULL
  struct link_table *links;           // where connections are listed; may be NULL
  size_t urgent_bytes_max;            // 0: 1 MB, for each peer
  size_t bulk_bytes_max;              // 0: 32 MB
  int64_t connect_timeout_ms;         // 0: 3000; also for the hello
  int64_t retry_min_ms, retry_max_ms; // 0: 50 and 2000
};

/// Listens and is ready for peers. ERR_IO: the address cannot be had. Strings are copied; tables and TLS stay the caller's.
enum err network_open(struct loop *loop, const struct network_options *options, const struct network_events *events,
                      void *context, struct network **ret, struct error *e) NODISCARD;
/// Closes all connections. Not from within a callback; nobody may send any more. NULL is fine.
void network_close(struct network *n);

/// "127.0.0.1:7000": with the port that the system chose.
const char *network_address(const struct network *n);

/// Makes `server` a peer at `address`, or moves it there. ERR_NOMEM, ERR_INVALID (no address, or this server itself).
enum err network_peer_set(struct network *n, uint64_t server, const char *address, struct error *e) NODISCARD;
void network_peer_remove(struct network *n, uint64_t server);
/// The cluster's feature level was raised: connections with servers that do not know it end.
void network_judge_levels(struct network *n);

/// Queues a message for `server`; bytes are copied. False: no such peer, not connected, of a version that does not know such messages,
/// or no room. Any thread.
bool network_send(struct network *n, uint64_t server, const struct message *m);

/// The same on the loop's own thread without waking anybody: goes out with the next network_flush. False only if there is no room
/// now; for a server that is not there, or does not know such messages, the message is gone, as on any line.
bool network_queue(struct network *n, uint64_t server, const struct message *m);
/// Also tells how far this server's start has moved whoever has not heard it (known_starts_move).
void network_flush(struct network *n);

/// This server has an older copy of its data folder, and is to say nothing as who it is: ends all connections, and makes no more. Not
/// from within a callback.
void network_hush(struct network *n);

struct network_peer_status {
  uint64_t server;
  bool up;
  size_t waiting_bytes;
  uint64_t dropped; // messages
  char address[HELLO_ADDRESS_BYTES];
  char trouble[300]; // why it is not up; empty when it is
};
/// False if there is no such peer.
bool network_peer_status(struct network *n, uint64_t server, struct network_peer_status *ret);
