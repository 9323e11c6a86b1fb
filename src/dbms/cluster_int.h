// What the files of cluster.h share. Everything is the loop's but what says otherwise.
#pragma once

#include "cluster/host.h"
#include "dbms/cluster.h"
#include "dbms/dbms_int.h"

struct cluster {
  struct dbms *dbms;
  const struct dbms_cluster_options *options;
  struct loop *loop;
  struct host *host;
  struct serial writer; // of the logs of all groups
  struct loop_timer *look_round;
};

struct cluster_group {
  struct group_application application;
  struct cluster *cluster;
  struct database *database;
  struct host_group *member;
  struct loop_timer *retry;
  uint64_t leading;              // the term that the graph was told of
  _Atomic uint64_t checkpointed; // to be told to the group; 0: nothing
  struct mutex mutex;            // of the status
  struct cluster_status status;
};

uint64_t cluster_now_ms(struct cluster *c);

/// Sees to it that the servers of the cluster are members of the group, if this one leads it: one step at a time, now and then
/// (cluster_members.c).
void cluster_look_round(struct cluster_group *g);
