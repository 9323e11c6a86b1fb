// The other end of a Bolt connection, without I/O: operations of dbms/session.h go in as they would to a session here, bytes for
// the server come out; the server's bytes go in, and the operation is finished. One operation at a time, or those that were given
// together (`then`, dbms/remote.h); everything belongs to one thread. What the server sends is not trusted: whatever is not the answer that is due loses the connection.
//
// Rows come in portions that are asked for one by one, and go to the sink in batches. When the sink is full in the middle of a
// portion, the rest of it stays where it is: the bytes at hand in here, the others with the system.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "bolt/chunk.h"
#include "bolt/client_rows.h"
#include "bolt/version.h"
#include "dbms/session.h"

/// What the next answer is about.
enum bolt_client_due { BOLT_DUE_HELLO, BOLT_DUE_LOGON, BOLT_DUE_RESET, BOLT_DUE_OPERATION, BOLT_DUE_NOBODY };

enum { BOLT_CLIENT_DUE_MAX = 16 };

/// A PULL or DISCARD that is carried out by one or more messages.
struct bolt_client_pull {
  int64_t result;
  int64_t left;  // rows still wanted; negative: all
  int64_t taken; // pushed or discarded
  bool discard;
  bool ahead;          // said together with its RUN: one portion
  bool asked;          // a message was sent for it: it does not go on with a portion of the one before it only
  struct error failed; // the rows could not be taken: what remains of them is dropped, then this is the answer
};

struct bolt_client {
  // The owner looks at these after each call.
  struct buf out; // to be sent; the owner takes bytes out
  bool finished;  // `op`, and what is behind it, is done with; the owner takes them (bolt_client_take)
  bool full;      // no more bytes may be given to bolt_client_receive before the next bolt_client_start
  bool spent;     // good for nothing any more: close
  bool tainted;   // users may have been changed on it: not to be kept for others

  const struct dbms_client *who;      // outlives the client's HELLO
  const struct bolt_version *version; // NULL: hands were not shaken yet
  struct packstream_profile values;
  uint8_t answer[4], answer_len; // of the handshake
  struct bolt_chunk_reader chunks;
  struct buf rest;            // bytes that came behind those which filled the sink
  int64_t receive_timeout_ms; // as the server says: so long it is never silent while it works. 0: it did not say

  enum bolt_client_due due[BOLT_CLIENT_DUE_MAX]; // oldest first
  uint32_t due_count;
  struct dbms_op *op;   // NULL: none; of several that were given together, the one whose answer is due
  enum err interrupted; // ERR_OK: not
  bool logged_in, credentials_expired;
  bool in_tx, dead_tx;  // explicit; dead: only RESET may follow
  bool server_failed;   // it ignores everything but RESET
  struct error failure; // why, for what it ignores

  struct bolt_client_pull pull;
  uint32_t portion_left; // rows of the message under way that may still come
  struct bolt_client_rows rows;
  struct mem_budget budget; // of both arenas
  struct arena outputs;     // of the operation
};

void bolt_client_init(struct bolt_client *c, const struct dbms_client *who);
void bolt_client_done(struct bolt_client *c);

/// The first operation must be DBMS_LOGIN; on a client that is logged in it makes sure that the server is there and free.
/// DBMS_LOGOFF and DBMS_ROUTE are none for it. `done` of those that have another behind them is called when they have succeeded.
void bolt_client_start(struct bolt_client *c, struct dbms_op *op);

/// Of those that are finished, the first whose `done` was not called: it, and that of all behind it, is for the owner to call.
/// NULL: nothing is finished.
struct dbms_op *bolt_client_take(struct bolt_client *c);

/// ERR_PROTOCOL, ERR_LIMIT, ERR_NOMEM: the connection is lost (bolt_client_lose).
enum err bolt_client_receive(struct bolt_client *c, const uint8_t *bytes, size_t len, struct error *e) NODISCARD;

/// Asks the operation under way to stop. False: it can only be stopped by losing the connection.
bool bolt_client_interrupt(struct bolt_client *c, enum err reason);

/// The connection is gone, for that reason. An operation under way is finished: with ERR_UNREACHABLE where it could have done
/// nothing yet, otherwise with ERR_CLOSED.
void bolt_client_lose(struct bolt_client *c, const char *why);

/// No operation is under way: what is open is given up.
void bolt_client_give_up(struct bolt_client *c);

/// A word from the server is due.
static inline bool bolt_client_waits(const struct bolt_client *c) {
  return (c->version == NULL || c->due_count > 0) && !c->full;
}

/// Nothing was sent yet that could have an effect.
bool bolt_client_is_logging_in(const struct bolt_client *c);
