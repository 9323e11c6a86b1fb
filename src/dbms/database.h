// One database: its graph, the machines that serve it, what its queries have compiled. Private to dbms.
#pragma once

#include "base/mem.h"
#include "base/uuid.h"
#include "cluster/announcement.h"
#include "dbms/quarantine.h"
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

/// Who may come in.
enum database_gate {
  GATE_OPEN,
  GATE_STARTING,  // for the first time
  GATE_REPLACING, // its store is being exchanged
  GATE_QUARANTINED, // it differs from the others': it runs, and is not served
  GATE_STOPPED,
  GATE_FAILED, // it could not be opened
  GATE_DROPPED,
  GATE_LEFT, // this server is none of its group's members any more: departure.h
};

/// Of transactions, since the server started. Under the dbms mutex.
struct transaction_counts {
  uint64_t started, peak, active, active_writing; // writing: those that may write
  uint64_t committed_reading, committed_writing, rolled_back_reading, rolled_back_writing, terminated_reading, terminated_writing;
};

/// Sessions, ticks and loops hold pointers to databases and their names, so one that was dropped stays as a small husk without
/// graph and caches until the server ends. Another that is made under its name is another database.
struct database {
  struct dbms *dbms;
  struct database *_Atomic following; // in dbms->databases, which only grows
  struct str name, folder, members;   // its own memory; members: of its group, when it begins
  bool is_system;
  struct graph *graph;
  bool replicated;              // its log is a group's
  struct fetch *fetch;          // of a copy of a store, under way: cluster_copy.c
  _Atomic uint64_t lacks_index; // for which it is to begin
  _Atomic bool copied;          // this life's first look at what an upstream has as a whole is over: a replica's
  _Atomic bool behind;          // a replica's, which has not come up with its upstream yet
  bool copy_counts;             // the copy that has come is of the history that counts, newer or not
  struct store_copy *_Atomic copy; // has come, and is to be put in the place of the store
  // Under the dbms mutex, which readers of the gate do without where a moment old will do. While the gate is not open nobody new
  // comes in; the graph goes when the last one has left.
  _Atomic enum database_gate gate;
  uint32_t users;
  struct transaction_counts counts;
  struct quarantine quarantine;
  uint32_t quarantines; // since the server started
  struct cluster_group *_Atomic group; // from cluster_join to cluster_leave
  struct plan_catalog catalog;
  struct query_cache *plans;
  struct mem_budget budget; // of its transactions; parent: the server's
  struct database_machine machines[GRAPH_MACHINE_MAX];
  struct uuid id; // settled before it is in the list; stays, whatever store is put in the place of the one there
  char uuid[UUID_TEXT_BYTES];
  _Atomic uint64_t generation; // of the store that was opened last
  // What the catalogue says; Unix times, 0: never.
  _Atomic bool wanted_offline;
  _Atomic int64_t created_ms, started_ms, stopped_ms;
  int64_t retry_at_ns, retry_delay_ns; // of one that could not be opened; the reconciler's
  bool resting; // closed, and nothing is at work in its folder; the reconciler's
  bool removed; // dropped, and its files are gone; the same
};

/// All databases that there were since the server started, dropped ones among them. Any thread: nothing is ever taken off the
/// list.
#define DATABASES_EACH(db, d) \
  for (struct database *db = atomic_load(&(d)->databases); db != NULL; db = atomic_load(&db->following))

struct database_spec {
  struct str name, folder, members; // members: struct catalogue_entry
  struct uuid id; // none: that of the store, or, where that is new, a random one
  bool is_system;
};

/// One without a graph yet, in no list. Texts are copied.
enum err database_new(struct dbms *d, const struct database_spec *spec, struct database **ret, struct error *e) NODISCARD;
/// Everybody knows it from now on; it is freed by dbms_close.
void database_add(struct database *db);
/// Opens or makes the graph in its folder, and the gate. Nobody else knows it yet, or no machine of the server runs.
enum err database_open(struct database *db, struct error *e) NODISCARD;
/// NULL is fine.
void database_free(struct database *db);

/// Its graph is open, and its group, if it has one, goes on, whether anybody may come in or not. Any thread: a moment old.
bool database_runs(const struct database *db);

/// Whoever looks at the graph outside of a transaction enters first, and leaves. ERR_DATABASE_UNAVAILABLE while it is closed,
/// ERR_DATABASE_NOT_FOUND for good.
enum err database_enter(struct database *db, struct error *e) NODISCARD;
/// The same of a database that may be closed already. False: its graph is gone, and nothing of it is waited for.
bool database_hold(struct database *db);
void database_leave(struct database *db);

/// The same of one that is open or in quarantine: what is told of it, not what is in it. False: it is closed.
bool database_look_in(struct database *db);

/// Nobody is served any more until database_is_sound: the gate stays shut whenever the graph is opened, in this life of the server
/// and, once database_keep_quarantine has run, in the next. `q->on`. Of one that is in quarantine it says anew who is sound. Any
/// thread.
void database_quarantine(struct database *db, const struct quarantine *q);
/// Makes a new quarantine durable; what cannot be written is told in the log. Blocks for the disk; whoever opens and shuts it.
void database_keep_quarantine(struct database *db);
/// `*ret_index` (may be NULL): what a copy must have.
bool database_is_quarantined(struct database *db, uint64_t *ret_index);
/// Its store has been replaced by one of those that are sound: the gate is open as soon as the graph is. Blocks for the disk; after
/// an error the quarantine stays, and another copy is made.
enum err database_is_sound(struct database *db, struct error *e) NODISCARD;
/// Whether a copy may be made of what that server has.
bool database_may_copy(struct database *db, uint64_t server);

/// What SHOW DATABASES and the other servers of the cluster are told. Any thread.
enum database_status database_status(const struct database *db);

/// Where its files are.
void database_path(const struct dbms *d, struct str folder, char path[DISK_PATH_MAX]);

/// A step of taking the graph away: nobody new comes in, for the reason that `gate` gives, and whoever is in is told to go. True:
/// the graph is closed, the group is left. False: somebody is still in, ask again soon. Never waits for others. One thread at a
/// time.
bool database_try_shut(struct database *db, enum database_gate gate);
/// Opens it again, or for the first time while the server runs. After an error nothing is open, and the gate is GATE_FAILED.
enum err database_reopen(struct database *db, struct error *e) NODISCARD;
/// Why nobody may enter, for whoever was in it: sets `e` and returns its code.
enum err database_refuse(const struct database *db, enum database_gate gate, struct error *e);

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
