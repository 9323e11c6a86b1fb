// A Bolt session after the handshake: messages in, replies out. States and moves are in state.h; this is what happens on a move.
//
// One thread at a time owns it (its connection's loop). Work that the database server does not finish at once goes on elsewhere;
// then `wake` is called on that thread, and the owner calls bolt_session_operation_done on its own. Meanwhile messages queue up;
// a RESET among them is seen when it arrives and interrupts.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "bolt/server.h"
#include "bolt/state.h"
#include "bolt/tally.h"

struct bolt_session;

struct bolt_session_owner {
  /// From any thread: see to it that bolt_session_operation_done is called on the owner's thread.
  void (*wake)(struct bolt_session_owner *owner);
  /// Whether the owner's thread serves nobody else now, so that it may wait for the disk itself. NULL: never.
  bool (*is_alone)(struct bolt_session_owner *owner);
};

/// What a session is told once; texts must outlive it.
struct bolt_session_setup {
  const struct bolt_settings *settings;
  struct dbms *dbms;
  const struct bolt_version *version;
  bool by_manifest;
  struct str peer, local, connection_id;
  struct bolt_session_owner *owner;
  struct bolt_tally *tally;
  struct event_sink *events; // may be NULL
};

enum err bolt_session_new(const struct bolt_session_setup *setup, struct bolt_session **ret, struct error *e) NODISCARD;

/// No operation may be under way: see bolt_session_disconnect. NULL is fine.
void bolt_session_free(struct bolt_session *s);

/// Queues a message. RESET and GOODBYE interrupt what runs. ERR_NOMEM: the connection is lost.
enum err bolt_session_receive(struct bolt_session *s, struct str message) NODISCARD;

/// Works on the queue until it is empty, an operation is under way, the output is full, or others should have their turn: then it
/// returns true and wants to be called again soon. `unsent_bytes`: what the transport still holds of earlier output.
bool bolt_session_run(struct bolt_session *s, size_t unsent_bytes);

/// After `wake`: takes the operation's result, or carries it on. Then call bolt_session_run.
void bolt_session_operation_done(struct bolt_session *s);

/// What waits for a commit only: the answers so far may be held back and sent with the commit's, in one piece.
bool bolt_session_commits(const struct bolt_session *s);

/// What is to be sent: whole messages. The caller takes bytes out as it likes.
struct buf *bolt_session_out(struct bolt_session *s);

/// The peer is gone: interrupts what runs, forgets the queue. True: free it now; false: an operation is under way, free it after
/// `wake` and bolt_session_operation_done.
bool bolt_session_disconnect(struct bolt_session *s);

enum bolt_state bolt_session_state(const struct bolt_session *s);
bool bolt_session_is_authenticated(const struct bolt_session *s);
/// A request is being worked on, or a stream is held back because the client does not read: keep-alives are due.
bool bolt_session_is_busy(const struct bolt_session *s);
/// An operation is under way in the database server.
bool bolt_session_waits(const struct bolt_session *s);
/// Nothing runs, nothing waits, no transaction is open: it can be closed without loss.
bool bolt_session_is_idle(const struct bolt_session *s);
/// Requests that wait, and their bytes.
uint32_t bolt_session_queued(const struct bolt_session *s);
uint64_t bolt_session_queued_bytes(const struct bolt_session *s);

/// Checks what must hold between state, queue, operation and results; for tests and debug builds.
bool bolt_session_invariant(const struct bolt_session *s);
