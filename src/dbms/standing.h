// How this server stands in its cluster, for front doors that tell load balancers and whoever watches it.
#pragma once

#include "base/arena.h"
#include "base/error.h"

struct dbms;

enum dbms_part {
  DBMS_TAKES_NO_PART, // its group has failed: the log file says why
  DBMS_LEADS,
  DBMS_FOLLOWS, // a candidate, too
};

struct dbms_standing {
  struct str database, database_uuid;
  enum dbms_part part;
  bool is_replica;           // it follows without a vote
  struct str server, leader; // uuids; `leader` is empty while none is known
  const struct str *voters;  // uuids of those that this server has heard of or was founded with
  uint32_t voter_count;
  uint64_t applied;
  int64_t leader_silent_ms;   // since the leader's last message; 0 on the leader, -1 before the first
  int64_t entries_per_second; // committed, over the last seconds
};

/// Number `index` of the databases that are open, from 0 on: ERR_NOTFOUND behind the last. ERR_UNSUPPORTED: this server is standalone.
/// ERR_NOMEM. Texts in `a`. Any thread; nothing is waited for.
enum err dbms_standing_at(struct dbms *d, uint32_t index, struct arena *a, struct dbms_standing *ret, struct error *e) NODISCARD;

/// How far this server sees: what it tells clients who ask for the way is no better.
struct dbms_outlook {
  bool leaders;   // of every database one is known, and where it is reached
  bool everybody; // of the servers that belong to the cluster is heard of
  bool filled;    // no database of a replica waits for the first that an upstream gives
  bool current;   // what is here is as new as upstreams said at the start
};

/// Of a member. ERR_NOMEM. Any thread; nothing is waited for.
enum err dbms_look_out(struct dbms *d, struct dbms_outlook *ret, struct error *e) NODISCARD;

/// By name (case plays no part); empty: the default database. The same errors.
enum err dbms_standing(struct dbms *d, struct str database, struct arena *a, struct dbms_standing *ret,
                       struct error *e) NODISCARD;
