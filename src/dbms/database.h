// One database: its graph, the machines that serve it, what its queries have compiled. Private to dbms.
#pragma once

#include "base/mem.h"
#include "base/uuid.h"
#include "dbms/query_cache.h"
#include "dbms/serial.h"
#include "graph/graph.h"
#include "plan/catalog.h"

struct dbms;

/// A machine of the graph as a piece of work. At most one thread runs it; work that comes while it runs makes it run again.
struct database_machine {
  struct serial serial;
  struct database *database;
  enum graph_machine which;
  int64_t delay_ns;            // from the last failure to the next try; 0: the last run went well. Of whoever runs it
  _Atomic int64_t retry_at_ns; // monotonic; 0: nothing to try again
};

struct database {
  struct dbms *dbms;
  struct str name;
  bool is_system;
  struct graph *graph;
  bool replicated;             // its log is a group's
  struct fetch *fetch;          // of a copy of a store, under way: cluster_copy.c
  _Atomic uint64_t lacks_index; // for which it is to begin
  // Under the dbms mutex. A database that is closed takes no one in; its graph goes when the last one has left.
  bool closed;
  uint32_t users;
  struct cluster_group *_Atomic group; // from cluster_join to cluster_leave
  struct plan_catalog catalog;
  struct query_cache *plans;
  struct mem_budget budget; // of its transactions; parent: the server's
  struct database_machine machines[GRAPH_MACHINE_MAX];
  struct uuid id; // stays, whatever store is put in the place of the one there: anybody may look at it
  char uuid[37];  // as text
};

/// Opens or makes the database in data_directory/databases/<name>. `name` must outlive it.
enum err database_open(struct dbms *d, struct str name, bool is_system, struct database **ret, struct error *e) NODISCARD;

/// Whoever looks at the graph outside of a transaction enters first, and leaves. ERR_DATABASE_UNAVAILABLE while it is closed.
enum err database_enter(struct database *db, struct error *e) NODISCARD;
/// The same of a database that may be closed already. False: its graph is gone, and nothing of it is waited for.
bool database_hold(struct database *db);
void database_leave(struct database *db);

/// Where its files are.
void database_path(const struct dbms *d, struct str name, char path[DISK_PATH_MAX]);

/// Takes the graph away, to put another store in its place: ends its transactions, waits until nobody is in it, closes it. Machines are
/// at rest and the group is left afterwards. Not from a thread that transactions or machines run on.
void database_shut(struct database *db);
/// Opens it again.
enum err database_reopen(struct database *db, struct error *e) NODISCARD;

/// Begins to submit the machines' work to the host.
void database_wake(struct database *db);

/// Starts machines again that had failed for want of memory or room and whose time to try again has come.
void database_retry(struct database *db);

/// A thread that nobody else waits for may make a commit durable and publish it itself, without waking another. True: log writer
/// and applier are the caller's until database_give_commit. False: one of them is at work, or the disk is slow.
bool database_claim_commit(struct database *db);
/// One round of both.
void database_run_commit(struct database *db);
/// What has come meanwhile goes to the host.
void database_give_commit(struct database *db);

/// Waits until no machine runs; none starts any more.
void database_rest(struct database *db);
void database_close(struct database *db);
