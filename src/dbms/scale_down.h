// Members that a scale-down of their StatefulSet takes from the cluster. A pod that is scaled away says on the discovery port
// that it leaves (directory_leave); one that ended before it could, as in a power cut, is away, and its set has no room for it
// any more, as Kubernetes says. Whoever leads `system` writes either's departure there, if the others are enough; from there on
// it is as after DROP SERVER (departure.h). Private to dbms; a build without clusters has cluster_none.c.
//
// What cannot be known counts as a restart. Of the pods of other sets, of servers that are not named by their pod, and of those
// that are there, nothing is concluded from what Kubernetes says.
#pragma once

#include "cluster/stateful_set.h"
#include "dbms/cluster.h"
#include "dbms/lead_task.h"
#include "os/thread.h"

struct consensus_membership;
struct directory_copy;

/// A member that is a pod of this server's set, and not there.
struct absent_pod {
  uint64_t server; // its number
  uint32_t ordinal;
  int64_t since_ms; // monotonic
};

struct scale_down {
  struct lead_task task;
  int64_t next_ms;                    // the loop's: not before
  uint64_t written_told, unsafe_told; // the task's: servers
  struct mutex mutex;                 // what follows
  uint32_t absent_count;
  struct absent_pod absent[CLUSTER_SERVERS_MAX]; // as whoever leads `system` sees it; others see none
  struct stateful_set set;
  int64_t set_ms; // when Kubernetes said so; 0: never
};

void scale_down_init(struct dbms *d);
void scale_down_done(struct dbms *d);
/// No more of it begins.
void scale_down_rest(struct dbms *d);

/// Who leaves and who is away, as a member of the group of `system` sees it, now and then. The groups' loop's.
void scale_down_look(struct dbms *d, bool leads, const struct consensus_membership *now, const struct directory_copy *view);
