// What the front doors (bolt, http) may ask of the database server: one session for each connection, one operation at a time.
//
// A session is an actor. The front door fills a `struct dbms_op`, submits it, and gets it back finished: at once, where the
// work was small (an index seek and a few rows run on the caller's thread), or later through `done`, from another thread.
// Until then the operation, what its inputs point to, and the sink belong to the session; no second one may be submitted.
// Nothing here ever blocks the caller. Rows are pushed into the sink by whichever thread runs the query.
//
// Errors: `op->err` with `op->error`. After an error inside an explicit transaction that transaction is rolled back already and
// the session refuses everything but RESET.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "base/uuid.h"
#include "value/row_sink.h"
#include "value/value.h"

struct dbms;
struct dbms_session;

enum dbms_op_kind {
  DBMS_LOGIN,
  DBMS_LOGOFF,
  DBMS_BEGIN,
  DBMS_RUN,
  DBMS_PULL,
  DBMS_COMMIT,
  DBMS_ROLLBACK,
  DBMS_RESET, // rolls back, drops results, forgets impersonation; never fails
  DBMS_ROUTE,
};

/// The server that holds the client's connection, and its number for the transaction: goes into the log with it, so that whoever
/// asked can find out what became of a commit after the server that carried it out is gone (contract 12). Member 0: none.
struct dbms_origin {
  uint64_t member, sequence;
};

/// Access mode, timeout and the rest of BEGIN and of an auto-commit RUN (bolt.md 5.4).
struct dbms_tx_options {
  struct str database;          // empty: the user's home database
  struct str impersonated_user; // empty: nobody
  const struct str *bookmarks;
  uint32_t bookmark_count;
  int64_t timeout_ms; // negative: the server's default; 0: none
  bool read_only;
  struct value metadata;     // map or null
  struct dbms_origin origin; // of a transaction that another server sends here
  struct uuid database_id;   // the same: which database bears that name where it comes from; none: not said
  bool linearizable;         // the same: it sees all that was acknowledged before. A client's metadata say it
  bool asks_fate;            // BEGIN with an origin: what has become of an earlier transaction with the same one,
  uint64_t behind;           // whose entry, if it has one, lies behind that one;
  bool wants_verdict;        // of a constraint, when it is said whether the data allow it
};

/// Where in the log the entry of a transaction with an origin will be, if it commits: behind `last`, in that term, before any
/// entry of a later term. Of a linearizable one that another server sends without an origin: all that it sees, which is all that
/// was acknowledged before it was sent, lies at or below `last`. Zeros: neither.
struct dbms_place {
  uint64_t term, last;
};

/// What has become of the earlier transaction that BEGIN asks for: of whoever leads, where nothing of it can come any more.
struct dbms_fate {
  enum dbms_outcome {
    DBMS_FATE_UNASKED,
    DBMS_FATE_COMMITTED,
    DBMS_FATE_NOT_COMMITTED,
    DBMS_FATE_UNKNOWN,  // the log there does not go back so far
    DBMS_FATE_NOT_MADE, // of a constraint that was asked for: the data break it, or it was dropped since
  } outcome;
  struct str bookmark; // of the commit
};

enum dbms_severity { DBMS_SEVERITY_DEFAULT, DBMS_SEVERITY_OFF, DBMS_SEVERITY_WARNING, DBMS_SEVERITY_INFORMATION };

struct dbms_notification {
  struct str neo4j_code, title, description; // "Neo.ClientNotification.Statement.CartesianProduct", ...
  struct str gql_status, gql_description;    // "01N50", "warn: ..."
  struct str severity;                       // "WARNING", "INFORMATION"
  struct str category; // "HINT", "UNRECOGNIZED", "UNSUPPORTED", "PERFORMANCE", "DEPRECATION", "GENERIC", ...
  bool has_position;
  uint32_t offset, line, column;
};

/// Update counters, named as drivers show them (bolt.md section 9).
struct dbms_counters {
  int64_t nodes_created, nodes_deleted, relationships_created, relationships_deleted, properties_set;
  int64_t labels_added, labels_removed, indexes_added, indexes_removed, constraints_added, constraints_removed, system_updates;
};

/// What the last PULL of a result tells; lives until the session's next operation.
struct dbms_summary {
  const char *type; // "r", "w", "rw" or "s"
  struct dbms_counters counters;
  struct value plan;    // map in the shape of Bolt's `plan`, or null
  struct value profile; // map in the shape of Bolt's `profile`, or null
  const struct dbms_notification *notifications;
  uint32_t notification_count;
  struct str database; // the resolved name
  struct str bookmark; // of an auto-commit transaction; empty otherwise
  int64_t consumed_after_ms;
  bool has_columns, had_rows; // for the GQL outcome entry
};

struct dbms_routing_table {
  int64_t ttl_s;
  struct str database; // canonical, resolved name
  const struct str *routers, *readers, *writers;
  uint32_t router_count, reader_count, writer_count;
};

struct dbms_op {
  enum dbms_op_kind kind;
  void (*done)(struct dbms_op *op); // from any thread, exactly once, only after submit (or resume) returned false
  /// May be NULL: then a worker finishes the operation. From any thread, also under mutexes, after submit (or resume) returned
  /// false: a commit or a bookmark that the operation waited for is there, and `dbms_session_resume` is to be called on the
  /// thread that serves the connection.
  void (*ready)(struct dbms_op *op);
  void *context; // the front door's
  struct dbms_op *then; // of a session on another server alone: goes there right behind this one (dbms/remote.h)
  /// The calling thread serves nobody else: it may write and sync the log for a small commit itself instead of waking another.
  bool alone;

  // Inputs, by kind. They must stay valid until the operation is finished.
  union {
    struct {
      struct str scheme, principal, credentials, realm; // scheme empty: "none"
      bool afresh; // on another server: it is to check them, whatever connection of the same user is kept
    } login;
    struct dbms_tx_options begin;
    struct {
      struct str query;
      struct value parameters;   // map
      struct dbms_tx_options tx; // of an auto-commit; ignored inside an explicit transaction
      bool auto_commit;
      enum dbms_severity min_severity;
      const struct str *disabled_categories;
      uint32_t disabled_category_count;
    } run;
    struct {
      int64_t result; // number of the result within the transaction, as RUN gave it
      int64_t rows;   // at most so many; negative: all
      bool discard;   // run to the end of `rows`, push nothing
      struct row_sink *sink;
      const bool *sink_full; // looked at after each batch: true ends this operation early with has_more and `paused`
    } pull;
    struct {
      struct str address; // as the client dialled it; empty: unknown
      struct str database, impersonated_user;
      const struct str *bookmarks;
      uint32_t bookmark_count;
    } route;
  };

  // Outputs, valid until the session's next submit.
  bool commits; // when submit returns false: what is waited for is a commit, which the disk or the others' votes decide
  enum err err;
  struct error error;
  union {
    struct {
      bool credentials_expired;
    } logged_in;
    struct {
      struct str database; // resolved
      struct dbms_place place;
      struct dbms_fate fate;
    } begun;
    struct {
      int64_t result; // 0, 1, 2, ... within the transaction
      const struct str *columns;
      uint32_t column_count;
      struct str database; // resolved
      int64_t first_after_ms;
      struct dbms_place place; // of an auto-commit
    } ran;
    struct {
      bool has_more;               // rows are left
      bool paused;                 // ended early because the sink was full
      int64_t rows;                // pushed or discarded by this operation
      struct dbms_summary summary; // when has_more is false
    } pulled;
    struct {
      struct str bookmark;
    } committed;
    struct dbms_routing_table routed;
  };
};

/// What the front door tells about a connection once; copied.
struct dbms_client {
  struct str connector; // "bolt", "http"
  struct str address;   // of the client, "host:port"
  struct str local_address;
  struct str connection_id; // "bolt-17"
  struct str user_agent;
  bool legacy_bookmarks; // Bolt 1 to 3: "neo4j:bookmark:v1:tx<N>"
  struct str gateway;    // by way of which it came, "host:port": the only server that it is to be told of; empty: of none
  bool relayed;          // another server carries its client's session on here: never to be handed on again
  uint32_t neo4j_major;  // of the servers that the client was made for, 3 to 5: the columns that it knows; 0: of the newest
  bool routed;           // it came with a routing context (neo4j://): it looks for leaders itself
};

/// A session without identity. ERR_LIMIT when the server has no room for another.
enum err dbms_session_new(struct dbms *dbms, const struct dbms_client *client, struct dbms_session **ret,
                          struct error *e) NODISCARD;

/// Ends it: interrupts what runs, rolls back, frees. If an operation is under way its `done` is still called, and the memory goes
/// after that. NULL is fine.
void dbms_session_free(struct dbms_session *s);

/// Starts `op`. True: finished already, `done` is not called. False: `done` will be called.
bool dbms_session_submit(struct dbms_session *s, struct dbms_op *op);

/// Goes on after `ready`. True: finished, `done` is not called. False: `done` or `ready` will be called.
bool dbms_session_resume(struct dbms_session *s);

/// Asks the operation that runs to stop soon with `reason` (ERR_TX_TERMINATED for RESET and disconnect). Any thread, any time; a
/// commit past its point of no return finishes all the same (bolt.md 6.3.7).
void dbms_session_interrupt(struct dbms_session *s, enum err reason);

/// True if logins are checked at all (dbms.security.auth_enabled).
bool dbms_auth_enabled(const struct dbms *dbms);

/// True where any statement may be sent here, whoever leads: a standalone server.
bool dbms_takes_all(const struct dbms *dbms);

/// "Neo4j/5.26.0-quiver.0.1.0" or what the setting says. Static for the life of `dbms`.
struct str dbms_server_name(const struct dbms *dbms);

/// For a server that stops: ends all transactions that are open now with ERR_TX_TERMINATED. Those whose commit waits for the
/// others of a cluster, who may be gone, wait no longer: what becomes of them is not known here, and nothing more is written.
void dbms_terminate_all(struct dbms *d);
