// The servers of a cluster find each other, become one once, and know of each other afterwards: identity, discovery, directory
// and formation, put together on one event loop.
//
//   assembly_open -> { assembly_announce } -> assembly_close
//
// Its events are the lines that people know from the logs of Neo4j ("Discovering cluster with initial members", "Waiting for 3
// members", "Bound to cluster").
//
// Threads: everything on its loop; the directory may be looked at from any. A decision of the formation waits for the disk, a few
// times in the life of a server: until it is formed nothing else should be on that loop that must not wait.
#pragma once

#include "cluster/beacon.h"
#include "cluster/discovery.h"
#include "cluster/formation.h"

struct assembly;

struct assembly_options {
  struct formation_options formation; // its events too
  struct beacon_options beacon;       // its resolver and events too
  struct discovery_options discovery; // its resolver and events too; not for SERVER_SINGLE
  int64_t binding_timeout_ms;         // 0: waits for a cluster for ever
  // what this server says of itself: texts, kept by the caller
  struct str addresses[ADDRESS_MAX]; // as others reach it. No address for discovery: the one that is listened on
  struct str listens[ADDRESS_MAX];   // for the line that tells people; may be empty
  struct str version;
  const struct str *tags;
  uint32_t tag_count;
  struct net_resolver *resolver;
  struct event_sink *events; // may be NULL
};

struct assembly_events {
  /// This server belongs to a cluster. Once in its life as a process: from the loop, soon after the start if it did before. May
  /// not close the assembly.
  void (*formed)(void *context, const struct formation_result *result);
  /// There will be no `formed`: the disk failed, or there was no cluster in time (says what was waited for). The same.
  void (*failed)(void *context, const struct error *why);
  /// The directory changed (directory_changes), but for beats and applied indexes. May be NULL. The same.
  void (*changed)(void *context);
  /// This server was dropped from its cluster, which is remembered: at the next start it will not open. Once, some time after
  /// `formed`. May be NULL. The same.
  void (*dropped)(void *context);
};

/// Opens the identity, listens, and begins to look for others. ERR_INVALID: a core without a Raft address; errors of
/// formation_open, beacon_open, discovery_open. On the loop.
enum err assembly_open(struct loop *loop, const struct assembly_options *options, const struct assembly_events *events,
                       void *context, struct assembly **ret, struct error *e) NODISCARD;
/// Not from within a callback. NULL is fine.
void assembly_close(struct assembly *a);

/// As formation_begun.
enum err assembly_begun(struct assembly *a, struct error *e) NODISCARD;

/// As formation_renew and formation_settle.
enum err assembly_renew(struct assembly *a, struct start known, struct error *e) NODISCARD;
enum err assembly_settle(struct assembly *a, struct error *e) NODISCARD;

/// The cluster's feature level: said with the next announcement.
void assembly_set_level(struct assembly *a, uint32_t level);

/// Who this server is; number and epoch are what struct network_options needs. The number may change until `formed`.
const struct identity *assembly_identity(const struct assembly *a);
/// Lives as long as the assembly.
struct directory *assembly_directory(struct assembly *a);
/// "127.0.0.1:5000": where the discovery port is.
const char *assembly_address(const struct assembly *a);

/// As directory_drop.
enum err assembly_drop(struct assembly *a, const struct directory_dropped *of, uint32_t count, struct error *e) NODISCARD;

/// As directory_leave.
void assembly_leave(struct assembly *a);

/// What this server says of its databases from now on (copied): at once if a role, term or status changed, with the next beat if
/// only applied indexes did. ERR_LIMIT (too many), ERR_NOMEM: it goes on saying what it said.
enum err assembly_announce(struct assembly *a, const struct announced_database *databases, uint32_t count,
                           struct error *e) NODISCARD;
