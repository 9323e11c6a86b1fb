// The servers of the cluster and what each is to the databases here: the others as they said last (cluster/directory.h), this one
// as it is now, and those that belong to it and are not heard of. A standalone server is the only one on its roster. For
// SHOW SERVERS, SHOW DATABASES and the procedures of the cluster. Private to dbms.
#pragma once

#include "cluster/directory.h"
#include "dbms/dbms_int.h"

/// What a server is to one database.
struct roster_place {
  enum database_role role; // ROLE_NONE: it does not have the database, or is not heard of
  enum database_status status;
  uint64_t applied; // the last transaction that readers there see
};

struct roster_server {
  struct uuid server; // none: it came after the founding and was not heard of since this server started
  uint64_t number;
  const struct announcement *said;   // NULL: not heard of
  bool leaves;                       // it says so itself
  const struct roster_place *places; // one for each database, in the order of roster->databases
};

struct roster {
  uint32_t count;
  const struct roster_server *servers; // by uuid: in the same order on every server
  struct database_list databases;      // of roster_take
};

/// What this server knows of one of its databases, first hand.
struct roster_database {
  struct uuid uuid;
  struct cluster_status status;
  enum database_status here;
  bool left; // this server is none of its members any more
  uint64_t applied;
};

struct roster_source {
  struct directory_copy view; // its first server is this one
  struct uuid cluster;        // servers of another are left out
  uint32_t database_count;
  const struct roster_database *databases;
  const struct cluster_members *members; // of the group of `system`
};

/// The roster, in `a`. A database has at most one leader: of those who say that they lead, the one in the highest term.
/// ERR_NOMEM.
enum err roster_build(const struct roster_source *source, struct arena *a, struct roster *ret, struct error *e) NODISCARD;

/// Of this server. ERR_NOMEM.
enum err roster_take(struct dbms *d, struct arena *a, struct roster *ret, struct error *e) NODISCARD;

/// The number of the database on the roster; false: it came later, or was dropped.
bool roster_index(const struct roster *r, const struct database *db, uint32_t *ret);

/// Who leads database number `database`, or NULL.
const struct roster_server *roster_leader(const struct roster *r, uint32_t database);
