// Transactions as sessions and administrators see them: a graph transaction with its owner, its limits and its open results.
// Private to dbms.
//
// A transaction belongs to its session's operation, which one thread runs at a time; `transaction_kill` may be called from any under the
// dbms mutex, which is why a transaction leaves the list before it is freed.
#pragma once

#include "dbms/dbms_int.h"
#include "dbms/result.h"
#include "dbms/session.h"

struct transaction {
  struct transaction *previous, *following; // in dbms->transactions
  uint64_t id;
  struct dbms_session *session;
  struct database *database;
  struct graph_tx *graph_tx;
  struct graph_tx *waiting;  // what ERR_WAIT waits on: graph_tx, or an inner one of CALL { } IN TRANSACTIONS
  bool polls;                // ERR_WAIT: nobody will tell; the session looks again with every tick, until
  int64_t polls_until_ns;    // monotonic: the procedure's time is over
  struct mem_budget budget; // parent: the database's
  struct exec_clock clock;
  int64_t started_ns, deadline_ns; // monotonic; deadline INT64_MAX: none
  enum err timeout_error;          // by whose setting
  bool read_only, auto_commit, wrote, committed;
  bool changes_password; // of whoever is logged in
  struct result *results; // newest first
  int64_t result_count;
  struct str query;      // that runs or ran last, for SHOW TRANSACTIONS; under the dbms mutex, in the plan of a result
  struct dbms_origin origin;
  enum err failed; // it is dead: rolled back, waiting for RESET
  enum err gone;   // why its graph was taken away while its client was idle: graph_tx and results are freed; under the session's mutex
  bool schema_sent; // when its graph was taken away: it had sent a change of the schema
};

/// Begins on `db`. ERR_TX_LIMIT, ERR_READ_ONLY are the database's answers.
enum err transaction_begin(struct dbms_session *s, struct database *db, const struct dbms_tx_options *options, bool auto_commit, struct transaction **ret,
                           struct error *e) NODISCARD;

/// Rolls back if it was not committed, closes results, frees. NULL is fine.
void transaction_end(struct transaction *t);

/// ERR_OK, or why it may not go on (timeout, killed), with the message that the client sees.
enum err transaction_check(struct transaction *t, struct error *e) NODISCARD;

/// Remembers what the newest result's statement is; one that may hold a password is not shown.
void transaction_note_query(struct transaction *t);

/// Result number `number`, negative: the newest; NULL where there is none.
struct result *transaction_result(struct transaction *t, int64_t number);

/// Makes what runs or waits in it fail with `reason` soon; if its client is idle, gives its locks and snapshot back at once, as the
/// client may never come again. Any thread, under the dbms mutex.
void transaction_kill(struct transaction *t, enum err reason);

/// Its graph is taken away: nothing of it is touched any more. By session_part.
void transaction_part(struct transaction *t, enum err reason);
/// Tells all of the database to end, and takes the graph from those whose clients are idle.
void transactions_part(struct dbms *d, struct database *db);

void transactions_expire(struct dbms *d);
/// Those that have begun to write to the database, which ceases to be led here; but for those of clients of this server that have sent a
/// change of the schema on its way.
void transactions_kill_writers(struct dbms *d, const struct database *db, enum err reason);
/// Whether anybody has.
bool transactions_are_writing(struct dbms *d, const struct database *db);
void transactions_kill_all(struct dbms *d, enum err reason);
