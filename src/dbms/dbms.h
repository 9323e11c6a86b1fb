// The database server without its front doors: databases, users, sessions. What `server` opens, ticks and closes; front doors use
// dbms/session.h.
//
// Life: dbms_open (recovers every database; may take long; reports events) -> sessions come and go, somebody calls dbms_tick about
// every ten milliseconds -> dbms_stop (no session may be left) -> dbms_close.
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/event.h"
#include "cluster/directory.h"
#include "cluster/stateful_set.h"
#include "cluster/starts.h"
#include "config/config.h"
#include "dbms/work.h"
#include "os/clock.h"
#include "os/disk.h"
#include "os/link_table.h"
#include "os/net.h"
#include "os/random.h"

struct dbms;

/// What a member of a cluster knows from its founding, and how it is reached.
struct dbms_cluster_options {
  uint8_t cluster[16];    // uuid
  uint64_t server;        // the number of this server in it
  uint64_t seed;          // the number of the founder with whose databases it begins; 0: it begins empty
  struct uuid system;     // with a seed, or of a replica: the uuid of the database `system`
  uint64_t first_term;    // of its groups
  uint64_t epoch;         // rises with each start of this server
  const struct starts *starts; // of this server, the last with `epoch` as its number; NULL: none are told of
  struct str listen;      // "host:port" of the Raft network
  const char *advertised; // what the others connect to; NULL: what is listened on
  struct str listen_transaction; // the same of the port that stores are copied from; empty: none are given away
  const char *advertised_transaction;
  struct tls_context *tls; // mutual authentication; NULL: plain
  bool tls_verify_names;
  struct net_resolver *resolver;
  struct link_table *links; // connections with other servers, for dbms.cluster.protocols; NULL: they are not listed
  bool single;        // a standalone server, from which replicas copy and pull
  bool replica;       // reads what the cores have committed, and votes for nothing
  bool gateway;       // has no databases: what its clients want is done by the others
  bool begun; // the groups that begin with the cluster have begun here in an earlier life
  /// They are durable: remembers that, before this server takes part in them. NULL: `begun` is always said right.
  enum err (*begin)(void *context, struct error *e);
  /// The data of this server are an older copy: of a start of it that another one knows (its number 0: of what it has acknowledged
  /// since). `proof` says how that is known, and lives during the call. Nobody is connected with any more. Once, on any thread; must
  /// only take note. With `starts`.
  void (*older)(void *context, struct start known, const char *proof);
  int64_t move_pause_ms; // between two moves of a start; 0: 10 s. With `starts`
  /// This server has begun anew, and knows again which databases there are (starts_settle). With `starts`.
  enum err (*settle)(void *context, struct error *e);
  int64_t election_timeout_ms, heartbeat_ms; // 0: defaults of consensus
  uint64_t log_bytes_kept, log_entries_kept; // for members that are behind; one of them is 0, both: 256 MB
  int64_t digest_interval_ms;                // between two ranges that are compared; 0: 5 s
  int64_t pull_interval_ms;                  // of a replica that is up to date; 0: 1 s
  struct str upstream_strategies, upstream_groups; // of a replica: cluster/upstream.h
  struct directory *directory;               // who is there, for routing tables; NULL: this server alone is told of
  struct pod pod;     // this server, of a StatefulSet whose replicas decide who stays; no set: they play no part
  int64_t absence_ms; // a pod of that set that is away counts as scaled away no sooner
  /// A role has changed, or a database was opened or closed. Any thread; must only take note. May be NULL.
  void (*changed)(void *context);
  void *context;
  uint32_t founder_count; // voters of every group that begins with the cluster
  struct dbms_founder {
    uint64_t server;
    char address[112];
  } founders[16];
};

struct dbms_remote;

struct dbms_options {
  const struct dbms_cluster_options *cluster; // NULL: standalone. Outlives the dbms
  const struct config_values *config;
  const struct config *settings; // for SHOW SETTINGS; may be NULL
  struct disk *disk;
  struct clock *clock;
  struct random_source *random;
  struct event_sink *events;  // may be NULL
  struct work_host *host;     // outlives the dbms
  struct dbms_remote *remote; // reaches other servers (dbms/remote.h); NULL: statements are carried out here or refused
  int64_t page_cache_bytes;   // settled from setting, machine and cgroup
  int64_t query_memory_bytes; // of all transactions together; 0: no limit
  struct str version;         // of Quiver, "0.1.0"
};

/// Opens `system` and the default database below config->data_directory/databases, making them where they are missing. Everything that
/// `options` points to must outlive the dbms. No work is submitted to the host before this returns. ERR_BUSY names the holder.
enum err dbms_open(const struct dbms_options *options, struct dbms **ret, struct error *e) NODISCARD;

/// What the other servers of the cluster are told of the databases here: how many, at most `cap`; `system` first. ANNOUNCEMENT_DATABASES_MAX is
/// room for all. Any thread.
uint32_t dbms_describe_databases(struct dbms *d, struct announced_database *ret, uint32_t cap);

/// The feature level of the cluster, as followed here. Any thread.
uint32_t dbms_feature_level(const struct dbms *d);

/// Servers that were dropped from the cluster and that no group here has as a member any more: the others are not to take them in
/// again, and are to tell them (directory_drop). How many, at most `cap`. Any thread.
uint32_t dbms_dropped_servers(struct dbms *d, struct directory_dropped *ret, uint32_t cap);
/// The others have dropped this server: it closes all its databases. Any thread; returns at once.
void dbms_dropped(struct dbms *d);

/// Whether this server may leave the cluster, as it looks from here: every database keeps enough voting members, and most of them
/// are there. ERR_ARGUMENT: says why not; ERR_NOMEM. Any thread.
enum err dbms_may_leave(struct dbms *d, struct error *e) NODISCARD;
/// Whether somebody has led `system` since this server started, as far as it has heard: nobody tells a server of that which is no
/// member any more. Any thread.
bool dbms_was_led(struct dbms *d);
/// This server leads `system`, and pods of its StatefulSet have been away for long: Kubernetes is to be asked for the set. Any
/// thread.
bool dbms_asks_for_set(struct dbms *d);
/// What it says. Any thread; only takes note.
void dbms_set_told(struct dbms *d, const struct stateful_set *set);

/// Looks after timeouts. One thread.
void dbms_tick(struct dbms *d);

uint32_t dbms_open_transactions(struct dbms *d);

/// Waits until the machines rest, then writes a checkpoint of every database. Work must still be run by the host meanwhile; afterwards
/// none is submitted any more. An error says what could not be written: it will be replayed from the log.
enum err dbms_stop(struct dbms *d, struct error *e) NODISCARD;
void dbms_close(struct dbms *d);

/// Sets the password of the user neo4j if nobody has changed it yet (ERR_EXISTS otherwise). Only between dbms_open and the
/// first session: for `quiver admin dbms set-initial-password`.
enum err dbms_set_initial_password(struct dbms *d, struct str password, bool change_required, struct error *e) NODISCARD;
/// The same for a member of a cluster, whose databases are not its own to open: what the first user begins with, if this member is the
/// first to lead `system`. Before its first start; set all members alike.
enum err dbms_prepare_initial_password(const struct config_values *config, struct disk *d, struct str password, bool change_required,
                                       struct error *e) NODISCARD;
