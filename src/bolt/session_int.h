// The inside of a session, shared by session*.c: one file for each group of messages.
#pragma once

#include "base/arena.h"
#include "base/mem.h"
#include "bolt/message.h"
#include "bolt/records.h"
#include "bolt/reply.h"
#include "bolt/request.h"
#include "bolt/session.h"
#include "dbms/session.h"

/// A result that is not consumed yet.
struct bolt_result {
  int64_t number;
  uint32_t columns;
};

/// Filter texts with their memory.
struct bolt_kept_filter {
  struct bolt_filter filter;
  struct arena arena;
};

struct bolt_session {
  struct bolt_session_setup setup;
  const struct bolt_version *version;
  struct packstream_profile values; // the version's, with the utc patch where that was agreed
  enum bolt_state state;
  bool logged_in;
  bool broken; // no memory for an answer: nothing more can be said

  struct bolt_queue queue;
  uint32_t interrupts;        // RESETs in the queue
  bool goodbye;               // has arrived
  bool hung_up;               // the peer has
  bool interrupted_operation; // a RESET came while an operation was under way: tell the database server when its turn comes

  // The request that is being worked on, its message and what that points to.
  struct bolt_request *request;
  struct bolt_message message;
  struct arena arena;
  struct mem_budget budget; // of `arena`

  struct dbms_session *dbms; // NULL before HELLO
  struct dbms_op op;
  bool op_under_way;
  bool op_resumes; // set before `wake`: the operation is to be carried on here, it is not finished
  void (*op_finish)(struct bolt_session *s);

  struct bolt_records records; // the operation's while it is under way
  struct bolt_pull pull;       // rows still wanted, of `message`
  bool pull_held_back;         // output is full; goes on when it has drained
  bool stalled;                // between full and drained

  // Results of the open transaction, oldest first; only those not consumed.
  struct bolt_result *results;
  uint32_t result_count, result_capacity;
  int64_t last_result; // of the last RUN; -1: none
  bool explicit_tx;

  // Bolt 1 and 2: the pseudo-result of BEGIN, COMMIT or ROLLBACK sent as a query.
  enum bolt_message_kind text; // BOLT_RUN: none
  char text_bookmark[512];

  struct bolt_kept_filter hello_filter, tx_filter;
  struct buf out;
  size_t unsent_bytes; // held by the transport, as of the last run
};

// ---- session.c ----

/// Empties `s->op` for an operation of that kind; the caller fills its inputs.
void session_prepare(struct bolt_session *s, enum dbms_op_kind kind);

/// Submits `s->op`; `finish` is called when it is finished, here and now or later on this thread.
void session_submit(struct bolt_session *s, void (*finish)(struct bolt_session *s));

/// The request is answered: makes the move that `outcome` leads to and frees the request.
void session_move(struct bolt_session *s, enum bolt_outcome outcome);

/// Ends the request with SUCCESS {} or with a SUCCESS that was written meanwhile (`err` of bolt_success_end).
void session_succeed(struct bolt_session *s, enum bolt_outcome outcome, enum err err);

/// Ends the request with FAILURE. What is open in the database server is rolled back; where the move leads to the end, the
/// connection closes behind the answer.
void session_fail(struct bolt_session *s, const struct error *error);

/// The same for an operation's error: the database server has rolled back already.
void session_fail_operation(struct bolt_session *s);

/// The answer cannot be written (ERR_NOMEM): ends the session. True if so.
bool session_lost(struct bolt_session *s, enum err err);

/// Memory for the answer of what may commit, made before it does, so that what is durable is answered with success. ERR_NOMEM.
enum err session_reserve_answer(struct bolt_session *s, struct error *e) NODISCARD;
/// The operation is finished: what it wrote follows what was answered before. Needs no memory where that was short; the answer
/// then has its reserve. ERR_NOMEM.
enum err session_take_output(struct bolt_session *s) NODISCARD;

/// What another server adds to BEGIN and RUN, on the routing port; nothing elsewhere. ERR_PROTOCOL.
enum err session_read_relayed(struct bolt_session *s, struct dbms_tx_options *ret, struct error *e) NODISCARD;

void session_forget_results(struct bolt_session *s);
enum err session_keep_filter(struct bolt_kept_filter *kept, const struct bolt_filter *filter) NODISCARD;

// ---- one function a message; `s->message` is decoded ----

void session_hello(struct bolt_session *s);
void session_logon(struct bolt_session *s);
void session_logoff(struct bolt_session *s);
void session_begin(struct bolt_session *s);
void session_commit(struct bolt_session *s);
void session_rollback(struct bolt_session *s);
void session_run_query(struct bolt_session *s);
void session_pull(struct bolt_session *s);    // and DISCARD
void session_pull_on(struct bolt_session *s); // a stream that was held back
void session_route(struct bolt_session *s);
void session_telemetry(struct bolt_session *s);
void session_reset(struct bolt_session *s); // and ACK_FAILURE
