// Who should lead a database's group instead of this server: decided by whom its settings prefer, and so that each server leads
// about as many. Pure; what is done about it is cluster_balance.c's. Private to dbms.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct balance_server {
  uint64_t number;
  uint32_t leads; // databases, this one among them where it leads that
  bool preferred; // is in the group that the settings name for the database
  bool can_lead;  // it votes, has about all of the log, and is reached
};

struct balance_view {
  struct balance_server self; // leads the group now
  uint32_t count;             // of the others
  const struct balance_server *others;
  bool equal;      // leaders are spread over the servers
  bool has_wishes; // some server is preferred for the database, by its settings
};

/// The group of servers that is preferred for the database, by the setting: groups with commas between, each for one database
/// (`films=fast`) or, without a name, for all others; empty: none is.
struct str balance_wish(struct str setting, struct str database);

/// The number of the server that leadership goes to; 0: it stays. One who is preferred and can lead goes before balance. Between
/// equals it moves only if that makes the two more equal, and only away from whoever leads most: so two servers that look at the
/// same moment do not both give, and what was moved does not come back.
uint64_t balance_target(const struct balance_view *v);
