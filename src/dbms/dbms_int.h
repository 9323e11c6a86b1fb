// What the files of dbms share: the server's database side as one struct.
#pragma once

#include <stdatomic.h>

#include "base/mem.h"
#include "dbms/cluster.h"
#include "dbms/database.h"
#include "dbms/dbms.h"
#include "dbms/departure.h"
#include "dbms/feature_level.h"
#include "dbms/reconcile.h"
#include "dbms/scale_down.h"
#include "dbms/users.h"
#include "exec/exec.h"
#include "os/thread.h"

struct gateway;
struct transaction;

struct dbms {
  struct dbms_options options;
  struct mem_budget budget; // of all transactions
  struct page_pool *pool;
  struct cluster *cluster;       // NULL: standalone
  struct cluster *lending;       // of a standalone server that replicas follow; otherwise NULL
  struct gateway *gateway;       // NULL: this server has databases of its own
  struct dbms_remote *near;      // this server as another one; NULL: none is reached (relay.h)
  _Atomic uint64_t next_origin;  // the count in origins
  _Atomic uint32_t parked_count; // sessions that wait for a leader
  _Atomic uint32_t tables_given; // routing tables
  struct database *system;
  struct database *_Atomic databases; // all that there were since this server started: database.h
  struct reconciler reconciler;
  struct departures_followed departures;
  struct scale_down scale_down;
  struct feature_levels levels;
  struct users *users;
  struct exec_files files; // of LOAD CSV
  char server_name[128];

  struct mutex mutex;               // what follows
  struct transaction *transactions; // open ones, doubly linked
  uint32_t transaction_count;
  uint64_t next_transaction, next_session;
  struct dbms_session *sleepers; // operations that wait for a bookmark, doubly linked: dbms_tick looks for those that are late
};

/// Where others are met, as a member or not; NULL: nowhere.
static inline struct cluster *dbms_others(const struct dbms *d) {
  return d->cluster != NULL ? d->cluster : d->lending;
}

/// The database of that name (case plays no part) that was not dropped, or NULL. Any thread.
struct database *dbms_database(struct dbms *d, struct str name);
/// The default database; NULL: it was dropped. Any thread.
struct database *dbms_home(struct dbms *d);

struct database_list {
  struct database **of;
  uint32_t count;
};

/// Those that were not dropped, by name, in `a`. ERR_NOMEM. Any thread.
enum err dbms_databases(struct dbms *d, struct arena *a, struct database_list *ret, struct error *e) NODISCARD;
