// Whom a read replica pulls from: the servers that have the database, in the order in which they are to be asked
// (dbms.cluster's upstream_selection_strategy; Neo4j's names). Pure.
//
// A strategy picks some servers, in an order by lot; those of the next strategy come behind them, and the cores behind all, so
// that a replica never stands still because its favourites are gone. Replicas may pull from replicas, but never in a circle: one
// asks only those whose uuid is below its own.
#pragma once

#include "cluster/catchup_client.h"
#include "cluster/directory.h"

#define UPSTREAMS_MAX 64u

struct upstream_wish {
  const struct directory_copy *view; // this server first
  struct uuid cluster, database;
  struct str strategies; // names with commas; one that is unknown picks nobody (upstream_unknown)
  struct str groups;     // with commas: of connect-randomly-to-server-group
  bool leader_only;      // nobody else will do
  bool cores_only;       // whoever else it was has stopped giving anything
  uint64_t lot;
};

/// How many, at most UPSTREAMS_MAX.
size_t upstream_choose(const struct upstream_wish *w, struct catchup_upstream ret[UPSTREAMS_MAX]);

/// The server that says it leads the database, in the highest term; NULL: nobody does.
const struct announcement *upstream_leader(const struct directory_copy *view, struct uuid cluster, struct uuid database,
                                           uint64_t *ret_term);

/// The last entry that the server says it has applied of the database.
uint64_t upstream_applied(const struct announcement *s, struct uuid database);

/// The first name that is no strategy's; empty: there is none.
struct str upstream_unknown(struct str strategies);
