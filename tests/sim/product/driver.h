// What the official drivers do with a cluster, small: routing tables, whom to ask, what to try again. One client's, on its
// thread.
//
// An attempt ends in one of three ways: OK; REFUSED, when certainly nothing was changed; UNKNOWN, when nobody can tell. Where the
// drivers would try again, an attempt is refused: that nothing has happened then is a promise, and the histories hold the servers
// to it.
#pragma once

#include "server.h"

enum outcome { OUTCOME_OK, OUTCOME_REFUSED, OUTCOME_UNKNOWN };

struct driver {
  const struct process *self;
  struct product_server *servers; // numbers from 1
  uint32_t server_count;
  const char *database; // static
  bool may_be_missing;  // the database is made and dropped by others
  struct session_line *lines[SERVERS_MAX + 1];
  uint32_t writers[ADDRESSES_MAX], readers[ADDRESSES_MAX];
  uint32_t writer_count, reader_count;
  int64_t expires_ns;
  struct request request; // of the attempt
  struct answer answer;
  const char *wrong; // something that no client may be told; NULL: nothing was
  char wrong_text[600];
  char last_error[300]; // that a server gave, or that none was reached
};

struct attempt {
  struct driver *driver;
  uint32_t server;
  bool commits; // from here on nobody knows what becomes of it when the connection is lost
  enum outcome outcome;
};

/// A server for it: `number`, or by the routing table if that is 0.
void attempt_begin(struct attempt *a, struct driver *d, bool writes, uint32_t number);
/// The next three: false, and `outcome` says how it ended. The answer is the driver's, until the next one.
bool attempt_open(struct attempt *a, bool writes, const char *bookmark);
bool attempt_run(struct attempt *a, const char *query, const struct call_parameter *parameters, uint32_t count);
bool attempt_commit(struct attempt *a);
bool attempt_auto(struct attempt *a, bool writes, const char *bookmark, const char *query,
                  const struct call_parameter *parameters, uint32_t count);
void attempt_roll_back(struct attempt *a);
/// The transaction's place in the log, as a bookmark says it; 0: none.
uint64_t bookmark_place(const char *bookmark);
/// Hangs up everywhere.
void driver_close(struct driver *d);
