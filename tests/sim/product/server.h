// A server of the product in a world: the databases with the threads that work for them (server/engine.h), the member that finds
// the others (server/member.h), a ticker, and sessions for clients, over a disk of its own. All that is the product's runs as it
// is; what main, signals and front doors would do is here.
#pragma once

#include "base/error.h"
#include "base/uuid.h"
#include "../world/world_disk.h"
#include "../world/world_net.h"

enum { SERVERS_MAX = 9, TEXT_MAX = 400, PARAMETERS_MAX = 6, ADDRESSES_MAX = 16, NUMBERS_MAX = 2000, BOOKMARK_MAX = 96 };

struct config;
struct dbms;
struct session_line;

struct product_settings {
  uint32_t servers;    // that found the cluster
  char log_kept[32];   // db.cluster.raft.log.prune_strategy
  char checkpoint[16]; // db.checkpoint.interval.volume
  int64_t move_pause_ms; // between two moves of a start
  char window[16];     // dbms.cluster.raft.leader_failure_detection_window
};

enum product_role { PRODUCT_CORE, PRODUCT_REPLICA, PRODUCT_GATEWAY };

struct product_server {
  enum product_role role;
  struct process *process;
  struct world_disk *disk;
  const struct product_settings *settings;
  uint32_t number; // from 1
  bool should_run; // one that has ended by itself, or was killed, is started again
  bool wiped;         // its disk was lost, or put back, since the founding
  bool put_back;      // an older copy of its disk, some time
  bool begins_anew;   // it has said, some time, that its data folder is an older copy
  bool copied;        // there is a copy of its disk
  bool soon;          // somebody waits for its next life
  struct uuid cluster; // and its number there, since it has served first
  uint64_t identity;
  uint32_t installed; // highest feature level of the version that its next life runs

  // Of this life.
  uint32_t level;
  bool too_old; // it says that it could not start, because of its level
  struct dbms *dbms;
  bool open;      // takes sessions
  bool stopping;  // was asked to
  struct fiber *waits; // until it is asked to stop; NULL: it does something else
  bool ended;     // by itself: stopped in order, or could not start
  uint32_t lines; // sessions
};

/// "core1", "replica5": numbers go on from role to role.
void product_server_init(struct product_server *s, enum product_role role, uint32_t number, const struct product_settings *settings,
                         uint64_t seed);
void product_server_start(struct product_server *s);
/// Power or process gone at once; the sessions' clients are told, sooner or later.
void product_server_kill(struct product_server *s, enum world_end end);
/// Asks it to stop in order; `ended` says when it has.
void product_server_stop(struct product_server *s);

// ---- sessions, from the clients' side ----

enum call_kind { CALL_BEGIN, CALL_RUN, CALL_AUTO, CALL_COMMIT, CALL_ROLLBACK, CALL_RESET, CALL_ROUTE };

struct call_parameter {
  const char *name; // static
  int64_t number;
};

struct request {
  enum call_kind kind;
  bool read_only;
  char query[TEXT_MAX];
  const char *database;                             // static
  struct call_parameter parameters[PARAMETERS_MAX]; // sorted by name
  uint32_t parameter_count;
  char bookmark[BOOKMARK_MAX]; // after it; empty: none
};

struct answer {
  enum err err;
  struct error error;
  char bookmark[BOOKMARK_MAX]; // of a commit
  uint32_t number_count, row_count;
  uint64_t hash;                                                                   // of all rows, in any order
  uint32_t writers[ADDRESSES_MAX], readers[ADDRESSES_MAX], routers[ADDRESSES_MAX]; // numbers of servers
  uint32_t writer_count, reader_count, router_count;
  int64_t numbers[NUMBERS_MAX]; // of all rows, one after the other; lists as their items. Those behind number_count are nobody's
};

/// From a client's thread. NULL: it is not reached.
struct session_line *session_line_open(struct product_server *s, const struct process *from);
/// False: the connection was lost, or nothing came for `timeout_ns`; then the line is of no use any more.
bool session_line_call(struct session_line *l, const struct request *request, struct answer *ret, int64_t timeout_ns);
void session_line_close(struct session_line *l);
