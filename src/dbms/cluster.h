// This server as a member of a cluster: the Raft groups of its databases, all on one event loop, their logs written by one piece
// of work. Private to dbms. A build without the consensus engine has cluster_none.c in its place.
//
//   cluster_open -> { cluster_join -> ... -> cluster_leave } -> cluster_close
//
// A database in a group: what transactions wait to have committed is proposed by the loop (graph/replica.h); what the group has
// committed goes from the loop to the database's applier; leading and following are told to the graph, and transactions that
// were writing when this server ceased to lead are ended.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "base/uuid.h"

struct arena;
struct cluster;
struct cluster_group;
struct database;
struct dbms;
struct dbms_cluster_options;
struct directory_copy;

/// Listens for the other members. `options` must outlive the cluster. ERR_UNSUPPORTED: this build is without clusters.
enum err cluster_open(struct dbms *d, const struct dbms_cluster_options *options, struct cluster **ret,
                      struct error *e) NODISCARD;
/// All groups have left. NULL is fine.
void cluster_close(struct cluster *c);

/// Leaders of this server's groups hand over to a member that is up to date, before it stops: returns when none leads any more,
/// or after `timeout_ms`.
void cluster_hand_over(struct cluster *c, int64_t timeout_ms);

/// The uuid of a database that every member has from the founding on: the same on all of them.
void cluster_database_uuid(const struct cluster *c, struct str name, uint8_t ret[16]);

/// Begins the groups of all databases whose logs are new, and remembers that. The graphs are open and replicated.
enum err cluster_begin(struct cluster *c, struct error *e) NODISCARD;
/// Who the first members of a group are that begins now, for the catalogue, in `a`: those who vote in the group of `system`, so
/// that it is as safe as the catalogue is. Any thread. ERR_NOMEM; ERR_DATABASE_UNAVAILABLE: they are not known yet.
enum err cluster_first_members(struct cluster *c, struct arena *a, struct str *ret, struct error *e) NODISCARD;
/// How often the group of a database has begun here is of no use any more: at a start, when the catalogue has it as dropped.
/// Before, it keeps a member that comes back to an older catalogue from voting as one that it was.
void cluster_forget_life(struct dbms *d, struct uuid database);
/// Whether this server has begun anew (cluster/starts.h), and the catalogue as it is here now names all databases of which it may have been
/// a member before. Any thread. NULL: no.
bool cluster_knows_again(struct cluster *c);
/// A catalogue that was read after that was followed: from now on a database that is not known here is a new one. The reconciler's.
enum err cluster_settle(struct cluster *c, struct error *e) NODISCARD;
/// Takes part in the database's group, which is begun where its log is new, or follows it, where this server is a replica, or
/// gives it to replicas, where it is standalone. Its machines may run.
enum err cluster_join(struct cluster *c, struct database *db, struct error *e) NODISCARD;
/// Afterwards nobody writes the log. NULL group is fine.
void cluster_leave(struct database *db);

/// A step of putting the copy of a store that has come into the place of the database's own. False: somebody is still in it, ask
/// again soon. The reconciler's.
bool cluster_exchange(struct database *db);
/// A step of forgetting the copy that is fetched, of a database that was stopped or dropped and has left its group. True: nothing
/// of it is at work in the folder any more. The reconciler's.
bool cluster_forget_copy(struct database *db);
/// No copy of a store is fetched or given away any more. NULL is fine.
void cluster_stop_copies(struct cluster *c);
/// What is learnt of starts from now on is written when the cluster closes, not by the host's threads, which may end before. NULL is
/// fine.
void cluster_rest_noter(struct cluster *c);

/// The cluster's feature level has risen: servers that do not know it are parted from, and the others told. Any thread that may
/// wait, but not the loop's. NULL is fine.
void cluster_judge_levels(struct cluster *c);

/// What the others should know at once has changed. Any thread; only takes note.
void cluster_tell_others(struct cluster *c);
/// More of the log of a standalone server may be pulled. Any thread.
void cluster_published(struct cluster_group *g);
/// Something waits to be proposed, or was applied. Any thread.
void cluster_touch(struct cluster_group *g);
/// The pages are durable up to `index`, and the log may forget: a step of that. True: there is more to do. The checkpointer's
/// thread, which may wait for the disk.
bool cluster_checkpointed(struct cluster_group *g, uint64_t index);

/// How a member stands in a group. A value; a moment old.
struct cluster_status {
  enum cluster_role { CLUSTER_FOLLOWER, CLUSTER_CANDIDATE, CLUSTER_LEADER, CLUSTER_FAILED, CLUSTER_REPLICA } role;
  uint64_t term, commit_index;
  uint64_t leader;            // its server number; 0: none is known
  uint64_t member;            // this server's id in the group
  int64_t leader_heard_ms;    // monotonic: when the leader's last message came; 0: none has come
  int64_t entries_per_second; // committed, over the last seconds
};
/// Any thread, between cluster_join and cluster_leave.
void cluster_status(struct cluster_group *g, struct cluster_status *ret);

/// Of a member's part in a group, since it joined.
struct cluster_counts {
  uint64_t proposed;  // entries that were given to the group
  uint64_t attempts;  // with those that were refused
  uint64_t committed; // of those that were given to it
  uint64_t uncertain; // leadership was lost before they were
  uint64_t refused;   // this server did not lead
  uint64_t retries;   // refused for want of room, and tried again
  uint64_t led;       // terms that this member has led
  uint64_t pulls, pull_requested; // a replica's: answers of upstreams; the entry behind which it has asked last
};

struct cluster_figures {
  struct cluster_counts counts;
  uint64_t append_index, prune_index, applied_index;
  uint64_t tail_bytes, tail_bytes_max, tail_entries;
  uint64_t entries_from_memory, entries_from_disk; // that were sent to others
};
/// Any thread, between cluster_join and cluster_leave.
void cluster_figures(struct cluster_group *g, struct cluster_figures *ret);

/// Of this server as a member.
struct cluster_server_figures {
  uint32_t servers, unreachable; // that are heard of, this one among them; of them, those with whom the connection was lost
  uint64_t pull_requests;        // of others
  uint64_t message_batches, message_total_ns, message_last_ns; // dealing with what came in from others at once
};
void cluster_server_figures(struct cluster *c, struct cluster_server_figures *ret);

/// A read that may be answered from a state that has applied `index`, once its state is ANSWERED. The asker's memory.
struct cluster_read {
  struct cluster_read *next, **at; // the group's
  void (*ready)(void *context);    // answered or failed; from any thread, under a mutex: must only take note
  void *context;
  enum cluster_read_state { CLUSTER_READ_NONE, CLUSTER_READ_WAITS, CLUSTER_READ_ANSWERED, CLUSTER_READ_FAILED } state;
  uint64_t index;
};
/// Has a majority confirm that this member leads. It fails where it does not, or where they do not answer within an election
/// timeout. False: nobody will tell, as this server is not, or no more, a member. Any thread, between cluster_join and
/// cluster_leave.
bool cluster_read(struct cluster_group *g, struct cluster_read *r);
/// When it returns `ready` has been called or never will be. Any thread; `r` may never have been asked for.
void cluster_read_cancel(struct cluster *c, struct cluster_read *r);

/// Whether the leader is not known, or has said that it has applied more than `index`: then this member has something to learn.
/// Any thread, between cluster_join and cluster_leave.
bool cluster_is_behind(struct cluster_group *g, uint64_t index);

/// Who is there, as the directory of dbms_cluster_options has it (directory_copy). Any thread. ERR_NOMEM.
enum err cluster_view(const struct cluster *c, struct arena *a, struct directory_copy *ret, struct error *e) NODISCARD;

/// Whether the connection with that server was lost and is not up again: whoever is sent there may find nobody. Any thread.
bool cluster_has_lost(struct cluster *c, uint64_t server);

enum { CLUSTER_SERVERS_MAX = 64 };

/// The servers that belong to a group, as of the last change that was applied here. A value.
struct cluster_members {
  uint32_t count;
  struct cluster_member {
    uint64_t server; // its number
    bool votes;
  } of[CLUSTER_SERVERS_MAX];
};
/// The same.
void cluster_members(struct cluster_group *g, struct cluster_members *ret);
