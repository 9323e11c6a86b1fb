// What the files of relay.h share.
#pragma once

#include "dbms/gateway.h"
#include "dbms/relay.h"
#include "dbms/row_store.h"
#include "graph/replica.h"
#include "graph/types.h"

enum {
  RELAY_ROWS_MAX = DBMS_AHEAD_ROWS_MAX, // of a result are held back: until its transaction has committed, or its client asks
  RELAY_ROWS_BYTES = 1 << 20,           // and so many bytes
  RELAY_PARKED_MAX = 10000,             // sessions that wait for a leader
  RELAY_LOSSES_MAX = 8, // of servers under one operation: one that takes them with it does not go on to the next for ever
  RELAY_INLINE_TEXT_BYTES = 2048, // a statement up to this length is parsed on the caller's thread
};

/// A statement with all that belongs to it, kept beyond its operation; of an explicit transaction, what it was begun with.
struct relay_kept {
  struct arena arena;
  bool whole;
  struct dbms_op op; // a RUN
};

/// Whom a transaction is carried out by.
struct relay_peer {
  struct dbms_remote *by;              // reaches it
  struct dbms_remote_session *session; // NULL: none
  uint64_t server;
  bool logged_in;
  bool failed;  // an operation there has: it wants a RESET
  bool expired; // the password
};

enum relay_kind {
  RELAY_NONE,
  RELAY_EXPLICIT,
  RELAY_AUTO, // an auto-commit, as a transaction there that is committed when all rows are here: so none is lost with that server
  RELAY_QUESTION, // no transaction of the client's: relay_index.c
  RELAY_KNOCK,    // of a gateway: a login, or a database that is asked for
  RELAY_PLAIN,    // an auto-commit, as one there: CALL { } IN TRANSACTIONS, and what waits after its commit
};

enum relay_state {
  RELAY_REST, // the operation is done
  RELAY_FIND, // a leader, and a session there; then `found`
  RELAY_LOGIN,
  RELAY_RESET,
  RELAY_BEGIN,
  RELAY_RUN,
  RELAY_PULL,
  RELAY_SPILL, // the rest of a portion that was held back in part, before anything else is said there
  RELAY_COMMIT,
  RELAY_APPLY, // here, what was committed there
  RELAY_DELIVER,
  RELAY_ROLLBACK,
  // What became of a commit (relay_fate.c):
  RELAY_FENCE, // another transaction under the same origin: nothing of the first comes after it
  RELAY_UNFENCE,
  RELAY_REACH, // here, what the leader had then
  RELAY_LOOK,  // for the first one
  RELAY_INDEX, // a linearizable transaction, for its place
  // Of a gateway (gateway.c):
  RELAY_GREETED,
  RELAY_NAME, // whether there is that database, and what it is called
  RELAY_NAMED,
  RELAY_STATE_MAX
};

enum relay_wait { RELAY_WAIT_ANSWER, RELAY_WAIT_TICK, RELAY_WAIT_APPLIED };

struct relay {
  struct dbms_session *session;
  bool hands_on;      // what only the leader can do
  struct arena texts; // who has logged in
  struct dbms_op login;
  struct relay_peer peer;
  struct dbms_op op;        // there
  struct dbms_op behind[2]; // sent together with it: RUN, PULL
  _Atomic bool begun;       // the first of several is answered
  bool asked;               // it was sent, and is answered when the session goes on
  bool under_way;    // and is not answered; under the session's mutex

  // The transaction.
  enum relay_kind kind;
  struct database *database;                             // NULL: this server is a gateway
  struct str name;                                       // of it; on a gateway as it was asked for, and then as it was told there
  bool reads;                                            // on a gateway: no more than that
  struct relay_kept kept;
  bool untouched; // explicit: no statement of it was answered yet
  bool schema_sent; // a statement of it that changes the schema
  bool stands;    // what its first statement has changed in the schema: it is begun again behind that,
  int64_t offset; // where the numbers of its results are lower by so much than its client's
  bool plain, in_transactions, schema, changes_password; // what its statement does
  struct dbms_origin origin;
  struct dbms_place place;
  bool at_risk;            // something that may commit was sent
  bool asks_fate;          // its commit, or what else was sent, is being looked for
  bool asks_leader;        // by whoever leads: there is no log here, or it does not tell
  bool committed;          // it is: `id`
  uint64_t id, generation; // generation: of the store there, as its bookmark says; 0: it was found in the log here
  bool delivered;          // rows: it cannot be done again unseen
  struct row_store rows;     // that came before the client has asked for them
  struct row_sink held_back; // into `rows`
  bool rows_full, rows_end_within; // they were too many bytes: the portion has more, on its way
  bool ahead;                      // explicit: they are of a result that the client has not heard the end of
  int64_t ahead_of, newest;        // the number of that, and of the last one
  struct arena answers;
  struct dbms_summary summary;
  bool has_summary; // of the statement, explicit: of the one whose rows are ahead

  // The operation.
  enum relay_state state, found;
  enum relay_wait wait;
  int64_t until_ns;      // of waiting for a leader; 0: it has not begun
  bool pauses;           // before the leader is looked for again
  uint32_t losses;       // of whoever carried it out
  int64_t wait_until_ns; // of waiting for the applier
  bool parked;           // is counted among those who wait for a leader
  enum err interrupted;
  struct dbms_place fence; // none: nobody could be asked
  enum dbms_outcome fate;  // as a gateway was told by whoever leads
  char fate_bookmark[BOOKMARK_BYTES_MAX];
  struct gateway_tried tried;
  bool named_behind; // the database was not there, and is asked for behind the client's bookmarks
  uint64_t look_from;
  struct graph_found found_here; // in the log; index 0: not yet
};

/// The next thing to do, or an error (ERR_WAIT among them), as a handler of a state returns it.
static inline enum err relay_go(struct relay *r, enum relay_state next) {
  r->state = next;
  return ERR_OK;
}

/// A gateway's transaction: its reads may be anybody's otherwise.
static inline bool relay_wants_leader(const struct relay *r) {
  return !r->reads || r->session->linearizable;
}

/// None: a gateway knows none.
static inline struct uuid relay_database_id(const struct relay *r) {
  return r->database != NULL ? r->database->id : (struct uuid){{0}};
}

// relay.c
/// The session there is of no more use.
void relay_hang_up(struct relay *r);
/// The transaction is over.
void relay_end(struct relay *r);

// relay_take.c
/// Of the session's database, or of none here, a transaction that begins with `first`.
void relay_start(struct relay *r, struct database *db, struct str name, enum relay_kind kind, enum relay_state first);

// relay_find.c
/// Waits for a leader; `found` is what to do then.
enum err relay_find(struct relay *r, enum relay_state found);
/// Takes it out of those that wait for a leader, unless it goes on doing so.
void relay_unpark(struct relay *r, enum err err);
enum err relay_open_session(struct relay *r, struct dbms_remote *by, uint64_t server, struct str address,
                            struct error *e) NODISCARD;
enum err relay_state_find(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
enum err relay_state_login(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
enum err relay_state_reset(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;

// relay_ask.c
/// Sends `r->op`, whose inputs are filled in, as that; the handler is called again with the answer.
enum err relay_ask(struct relay *r, enum dbms_op_kind kind) NODISCARD;
/// The same, with a statement and the first of its rows right behind a BEGIN, or the rows alone behind a RUN.
enum err relay_ask_together(struct relay *r, const struct dbms_op *op, enum dbms_op_kind kind) NODISCARD;
/// The one that was sent behind `r->op` takes its place, for the handler of that state. False: none was.
bool relay_next_answer(struct relay *r);

// relay_run.c
/// The inputs of a RUN there: the client's, or those of the statement that is kept.
void relay_fill_run(struct relay *r, const struct dbms_op *op, struct dbms_op *to);
enum err relay_state_begin(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
enum err relay_state_run(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;

// relay_commit.c
/// Committed there, with that bookmark: RELAY_APPLY.
enum err relay_note_commit(struct relay *r, struct str bookmark);
enum err relay_note_commit_at(struct relay *r, uint64_t id);
enum err relay_state_commit(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
enum err relay_state_apply(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
enum err relay_state_rollback(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;

// relay_failed.c
/// Nothing of it was committed, and nothing delivered: all over again. Otherwise an error that drivers take for a reason to do
/// so themselves.
enum err relay_again(struct relay *r, struct error *e) NODISCARD;
/// What the other server could not do, or may not have done. Its own errors are the client's.
enum err relay_failed(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
/// Its answer says that this was not done, nor will be, and that another server may do it.
bool relay_is_refused(enum err err);
/// What was sent may have been done.
bool relay_is_lost(enum err err);
/// The connection is: the session there is of no more use.
bool relay_is_gone(enum err err);
/// The time in which a leader is to be found is over, so an answer that says that it was interrupted may come of that (relay_hurry):
/// the client has not asked for it.
bool relay_is_late(const struct relay *r);

// relay_fate.c
/// The other server was lost, or says that it cannot tell: RELAY_FENCE and so on.
enum err relay_ask_fate(struct relay *r, struct error *e) NODISCARD;
/// An explicit transaction whose first statement stands without it: what the client is told of that, once it is begun again.
enum err relay_tell_what_stands(struct relay *r, struct dbms_op *op) NODISCARD;
/// The client is not told to try again what may have been done, whatever was in the way of finding out.
enum err relay_fate_unknown(struct relay *r, enum err err, struct error *e) NODISCARD;
enum err relay_state_fence(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
enum err relay_state_unfence(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
enum err relay_state_reach(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
enum err relay_state_look(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;

// relay_statement.c
struct relay_statement {
  bool in_transactions, schema, admin;
};
/// Parses it; all false where it is wrong.
void relay_look_at(const struct dbms_session *s, struct str text, struct relay_statement *ret);
/// Without parsing it: false is certain.
bool relay_may_change_schema(struct str text);

// relay_rows.c
enum err relay_state_pull(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
enum err relay_state_spill(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
enum err relay_state_deliver(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
/// No rows are held back.
void relay_empty_rows(struct relay *r, uint32_t width);
/// A PULL right behind RUN, into the rows that are held back.
void relay_fill_ahead(struct relay *r, struct dbms_op *to);

// relay_index.c
enum err relay_state_index(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;

// gateway.c
enum err relay_state_greeted(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
enum err relay_state_name(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
enum err relay_state_named(struct relay *r, struct dbms_op *op, struct error *e) NODISCARD;
/// What the database is called there, and that whoever has begun a transaction that may write leads it, for later.
enum err gateway_note_begun(struct relay *r, struct str name, struct error *e) NODISCARD;

// gateway_find.c
/// A session with one of those that may do it, and were not tried yet. ERR_AGAIN: all were, or nobody is there.
enum err gateway_meet(struct relay *r, struct error *e) NODISCARD;

// relay_kept.c
/// ERR_NOMEM, or what the budget of `arena` says: nothing is kept.
enum err relay_kept_put(struct relay_kept *k, const struct dbms_op *run, struct error *e) NODISCARD;
/// The same for what a transaction is begun with. What is in `arena` already stays there.
enum err relay_kept_begin(struct relay_kept *k, const struct dbms_tx_options *begin, struct error *e) NODISCARD;
void relay_kept_drop(struct relay_kept *k);
/// The summary of another session's result, whole, in `a`.
enum err relay_copy_summary(struct arena *a, const struct dbms_summary *from, struct dbms_summary *ret,
                            struct error *e) NODISCARD;

// relay_near.c
/// Reaches this server itself: whoever waited for a leader may find that it is the one.
struct dbms_remote *relay_near_new(struct dbms *d);
void relay_near_free(struct dbms_remote *near);
