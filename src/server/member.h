// This server as a member of a cluster, before and beside its databases: who it is, whom it sees, which cluster it belongs to,
// and what it tells the others of itself (cluster/assembly.h). A build without clusters has member_none.c.
//
//   member_open -> member_form (waits for the others) -> the databases are opened -> member_announce -> member_close
#pragma once

#include "config/config.h"
#include "dbms/dbms.h"

struct member;

/// Whether the settings make this server a member of a cluster.
bool member_is_wanted(const struct config *c);

/// Reads or makes the identity in the data folder, listens on the discovery port, looks for the others. What is pointed to
/// outlives it. Errors: those of assembly_open; ERR_INVALID (a setting); ERR_UNSUPPORTED: this build is without
/// clusters.
enum err member_open(const struct config *config, struct disk *disk, struct event_sink *events, struct member **ret,
                     struct error *e) NODISCARD;

/// Waits until this server belongs to a cluster: founded now or before, or joined. `*ret` lives as long as the member. An error after
/// dbms.cluster.raft.binding_timeout: says what to look at.
enum err member_form(struct member *m, const struct dbms_cluster_options **ret, struct error *e) NODISCARD;

/// Whether the data folder has turned out to be an older copy: this server, which reaches nobody any more, is to be stopped and started
/// again, as another member of each group. Any thread. NULL: no.
bool member_wants_restart(const struct member *m);

/// From now on the others are told of the databases.
void member_announce(struct member *m, struct dbms *d);
/// No more: the databases are about to be closed.
void member_hush(struct member *m);

/// Before a stop, while everything still runs: if its StatefulSet has no room for this pod, the server leaves its cluster.
/// Returns when it has, or after quiver.kubernetes.leave_timeout, or when it does not leave; says why. NULL is fine.
void member_leave(struct member *m, struct dbms *d);
/// member_leave returns soon. Any thread. NULL is fine.
void member_hurry(struct member *m);
/// This server was dropped before it came back, and its next start will be another server's: the process is to end. Any thread.
/// NULL: false.
bool member_is_to_end(const struct member *m);

/// NULL is fine.
void member_close(struct member *m);
