// The directory of servers over real connections: the discovery port (docs/formats/members.md).
//
//   beacon_open -> { beacon_seeds, beacon_say, beacon_tick } -> beacon_close
//
// It connects to the addresses that it is given, and to those that the servers it hears of advertise, and again when a connection
// is lost or a name does not resolve, for ever, with growing pauses. What is wrong with an address is told once for each new
// reason: which address, who gave it, and what to do. Between two servers one connection stays.
//
// With TLS both ends show a certificate that the trusted authorities have signed.
//
// Threads: everything on its loop; the directory may be looked at from any.
#pragma once

#include "cluster/directory.h"
#include "os/net.h"
#include "os/tls.h"

struct beacon;

struct beacon_options {
  struct str listen;       // "host:port"
  struct tls_context *tls; // NULL: plain
  bool tls_verify_names;   // a peer's certificate must be for the host it is reached by
  struct net_resolver *resolver;
  struct event_sink *events;          // may be NULL
  struct directory_options directory; // its events too
  int64_t connect_timeout_ms;         // 0: 3000
  int64_t patience_ms;                // 0: 5000 for the first frame
  int64_t retry_min_ms, retry_max_ms; // 0: 200 and 5000
};

struct beacon_events {
  /// Something was heard: the directory may have changed. Must not close the beacon.
  void (*heard)(void *context);
};

/// Listens. `self` is what this server says of itself; with no address for discovery it is the one that is listened on. Tables
/// and TLS stay the caller's. ERR_IO: the address cannot be had; errors of directory_new.
enum err beacon_open(struct loop *loop, const struct beacon_options *options, const struct announcement *self,
                     const struct beacon_events *events, void *context, struct beacon **ret, struct error *e) NODISCARD;
/// Closes all connections. Not from within a callback. NULL is fine.
void beacon_close(struct beacon *b);

/// "127.0.0.1:5000": with the port that the system chose.
const char *beacon_address(const struct beacon *b);

struct directory *beacon_directory(struct beacon *b);

/// Where to look, "host:port" each, instead of what was said before; `servers` is how many servers that is at the most. `source`:
/// who says so ("dbms.cluster.discovery.endpoints"), for messages. ERR_INVALID: not an address, or too many of them (those before
/// it are taken); ERR_NOMEM.
enum err beacon_seeds(struct beacon *b, const struct str *addresses, size_t count, uint32_t servers, const char *source,
                      struct error *e) NODISCARD;

/// How many servers the seeds stand for, this one included: addresses at which one server answers are one.
uint32_t beacon_listed(struct beacon *b);

/// What this server says of itself has changed (directory_say): it is told to all that are connected, now.
void beacon_say(struct beacon *b);

/// Once a second: beats, connections that are missing, those that are silent.
void beacon_tick(struct beacon *b);
