// A session from within dbms.
#pragma once

#include <stdatomic.h>

#include "dbms/bookmark.h"
#include "dbms/dbms_int.h"
#include "graph/replica.h"
#include "dbms/session.h"
#include "dbms/work.h"

struct relay;
struct result;
struct transaction;

/// What the session's operation does next, called again and again until it says DONE.
enum session_step { SESSION_DONE, SESSION_WAIT_TX, SESSION_SLEEP, SESSION_TO_WORKER };

/// How far a log was looked through for what a transaction has left there.
struct origin_search {
  uint64_t from;            // the next entry
  struct graph_found found; // index 0: not yet
};

struct dbms_session {
  struct dbms *dbms;
  struct work work;
  uint64_t id;
  struct arena texts; // what was told once: client, user
  struct dbms_client client;
  struct str user; // empty: nobody has logged in
  struct str home; // the user's home database; empty: the default one
  bool logged_in, must_change_password;
  struct transaction *tx;                 // open one
  struct relay *relay;                    // what only the leader can do; NULL: it is refused here
  struct arena outputs;                   // of the last operation
  char bookmark_text[BOOKMARK_BYTES_MAX]; // of the last commit

  struct dbms_op *op; // under way
  enum session_phase {
    PHASE_START,
    PHASE_CATALOGUE,  // wait until the databases are known here that the bookmarks speak of
    PHASE_READ_INDEX, // learn what a linearizable read must see
    PHASE_BOOKMARKS,  // wait until the bookmarks are reached
    PHASE_ORIGIN,     // wait until an earlier transaction with the same origin is over
    PHASE_FATE,       // look for it in the log
    PHASE_SET_ASIDE,  // older results must make way
    PHASE_COMPILE,
    PHASE_COMMAND,
    PHASE_COMMIT_FIRST, // before a command's effect is waited for
    PHASE_SETTLE,
    PHASE_PULL,
    PHASE_COMMIT,
  } phase;
  bool on_worker;
  bool resumes;            // what it waits for is told to the front door, not to a worker; settled before it waits
  struct dbms_place place; // of the transaction that was begun last
  struct origin_search fate; // of an earlier one with its origin
  bool linearizable;       // the transaction that begins
  struct cluster_read read;
  uint64_t bookmark; // transaction id that is waited for
  struct database *bookmark_database;
  int64_t bookmark_deadline_ns;
  // Waiting for a bookmark, PHASE_CATALOGUE or PHASE_SETTLE; under the dbms mutex.
  enum session_sleep { SLEEP_NONE, SLEEP_BEGINS, SLEEP_LASTS, SLEEP_ENDS } sleep;
  bool sleep_polls; // nobody will tell: looked at by every tick
  struct dbms_session *previous_sleeper, *next_sleeper;

  struct mutex mutex; // what follows, and `op` and `tx` where another thread looks at them
  enum err interrupted;
  struct graph_tx *parked_on; // while it waits on a transaction; maybe an inner one

  _Atomic unsigned hands; // that hold it: its owner's until dbms_session_free, and the operation's until `done` has returned
};

/// The session's transaction was killed: so is the inner one that it waits on. If no operation is under way it is rolled back,
/// and the next one finds that it was killed. Under the dbms mutex, which keeps a session with an open transaction alive.
void session_follow_kill(struct dbms_session *s, enum err reason);
/// The database goes away: a transaction whose client is idle gives its graph back now. Any thread, under the dbms mutex.
void session_part(struct dbms_session *s, enum err reason);

/// An operation is under way. Any thread.
bool session_is_at_work(struct dbms_session *s);

// ---- life (session.c) ----

/// The copy lives as long as the session; without memory for it: nothing.
struct str session_keep(struct dbms_session *s, struct str text);
/// The transaction is seen by other threads through `interrupt`: it is put in place and taken away under the mutex.
void session_set_transaction(struct dbms_session *s, struct transaction *t);
void session_end_transaction(struct dbms_session *s);

// ---- who speaks (session_login.c) ----

enum err session_op_login(struct dbms_session *s, struct dbms_op *op) NODISCARD;
enum err session_op_logoff(struct dbms_session *s) NODISCARD;
/// An expired password allows nothing but changing it, on `system`; the command itself is checked in command.c.
enum err session_check_identity(const struct dbms_session *s, const struct dbms_tx_options *options, const struct database *db,
                                struct error *e) NODISCARD;

// ---- beginning (session_begin.c) ----

/// By name; empty: the session's own. ERR_DATABASE_NOT_FOUND, or ERR_DATABASE_UNAVAILABLE where this member has not heard of all yet.
enum err session_find_database(struct dbms_session *s, struct str name, struct database **ret, struct error *e) NODISCARD;

/// The name of the database of whoever names none.
struct str session_home(const struct dbms_session *s);

/// The database that a transaction is to be on, if whoever is logged in may have one there, and what it is to see of it.
enum err session_choose_database(struct dbms_session *s, const struct dbms_tx_options *options, struct database **ret,
                                 struct error *e) NODISCARD;
/// Begins, unless it must wait for a bookmark or an earlier transaction first: then ERR_WAIT; or ask another server: ERR_AGAIN.
enum err session_begin_transaction(struct dbms_session *s, struct database *db, const struct dbms_tx_options *options,
                                   bool auto_commit, struct error *e) NODISCARD;
/// ERR_WAIT: go on when told, or, with `*ret_to_worker`, on a worker. ERR_AGAIN: it is for the relay.
enum err session_op_begin(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) NODISCARD;

// ---- statements (session_run.c) ----

/// As session_op_begin.
enum err session_op_run(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) NODISCARD;
enum err session_op_pull(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) NODISCARD;
/// Results that are still open are run out, where it may be done: what is not cheap, or proves not to be, is done by a worker.
enum err session_run_out_open_results(struct dbms_session *s, bool keep_rows, bool *ret_to_worker, struct error *e) NODISCARD;

// ---- bookmarks (session_bookmarks.c) ----

/// Whoever has seen a database made, dropped or made anew sees that here, too: before a name is looked up, the catalogue here is
/// as new as the bookmarks say. ERR_WAIT: not yet, look again (PHASE_CATALOGUE). ERR_BOOKMARK_TIMEOUT; ERR_BOOKMARK_INVALID; that
/// of session_check_soundness.
enum err session_await_catalogue(struct dbms_session *s, const struct str *bookmarks, uint32_t count, struct error *e) NODISCARD;

/// The highest transaction of `db` that the bookmarks name; those of other databases that there are, or were, are taken as
/// reached.
enum err session_read_bookmarks(struct dbms_session *s, const struct database *db, const struct str *bookmarks, uint32_t count,
                                uint64_t *ret, struct error *e) NODISCARD;

/// A database that was entered and lacks what a bookmark names: what has failed here never comes up to it. Of a cluster's others
/// do, and drivers ask them: ERR_DATABASE_UNAVAILABLE. Otherwise the cause.
enum err session_check_soundness(const struct database *db, struct error *e) NODISCARD;

// ---- committing (session_commit.c) ----

/// As session_op_begin.
enum err session_op_commit(struct dbms_session *s, struct dbms_op *op, bool *ret_to_worker) NODISCARD;

/// Of the open transaction, which stays. Once it has succeeded nothing of the operation may fail.
enum err session_commit_open(struct dbms_session *s, struct str *ret_bookmark, struct error *e) NODISCARD;

/// PULL of a command whose effect outside of its auto-commit transaction is waited for: it is committed first, and its rows tell
/// what came of it. After the commit it does not fail any more.
enum err session_pull_command(struct dbms_session *s, struct result *r, struct dbms_op *op) NODISCARD;

// ---- sleeping (session_sleep.c) ----

/// Gives the thread back until what the operation waits for is there, or late. Nothing of the session may be touched afterwards.
void session_fall_asleep(struct dbms_session *s);
/// What was waited for is there, or will not come. Any thread.
void session_go_on(struct dbms_session *s);
/// What has run on the front door's thread so far may go on there; what was too much for it stays with the workers.
bool session_may_resume(const struct dbms_session *s);

/// What the session sleeps for is there. Any thread, also under mutexes; `context` is the session.
void session_woken(void *context);

/// Continues what has waited for a bookmark long enough or was interrupted.
void session_wake_late_sleepers(struct dbms *d);
