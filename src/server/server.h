// The running server: log, pid file, databases, front doors, timer and signals, started and stopped in order.
//
// Start: log -> pid file -> threads -> databases (recovery) -> timer -> Bolt, HTTP -> "Started.". Stop: the other way round; open
// transactions have db.shutdown_transaction_end_timeout to end, then a checkpoint of every database is written.
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "os/disk.h"

struct server;

struct server_options {
  const struct config *config;
  bool console; // log on standard output too, if dbms.logs.user.stdout_enabled
  bool debug;   // events of level DEBUG too
  struct disk *disk; // of the databases; NULL: the machine's
};

/// Starts everything. SIGTERM and SIGINT are blocked in the calling thread from here on; while databases are recovered they end the process at
/// once, which is safe. What goes wrong is in the log, and in `e`.
enum err server_start(const struct server_options *options, struct server **ret, struct error *e) NODISCARD;

/// "localhost:7474", or empty.
struct str server_http_address(const struct server *s);

/// Waits for SIGTERM or SIGINT, or until the server has a reason to be started again (which its log tells).
void server_wait(struct server *s);

/// Stops and frees. A further signal meanwhile ends open transactions at once. True: it is to be started again.
bool server_stop(struct server *s);
