// One connection without I/O: what came from the wire goes in, what is to be sent comes out, and flags say what else the owner of
// the socket has to do. Puts transport, handshake, chunks and session together, and keeps the limits of time and size.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bolt/chunk.h"
#include "bolt/handshake.h"
#include "bolt/session.h"
#include "bolt/transport.h"

struct bolt_conn_setup {
  const struct bolt_settings *settings;
  struct dbms *dbms;
  struct str peer, local, connection_id; // outlive the connection
  struct bolt_session_owner *owner;
  struct bolt_tally *tally;
  struct event_sink *events; // may be NULL
};

struct bolt_conn {
  struct bolt_conn_setup setup;
  struct bolt_transport transport;
  struct bolt_handshake handshake;
  struct bolt_chunk_reader chunks;
  struct bolt_session *session; // NULL until the version is agreed
  struct buf wire;              // to be sent; the owner takes bytes out
  struct buf tls_hello;         // with start_tls: the first bytes for TLS
  struct buf early;             // came while a login was under way: which limits apply to it is not known yet
  int64_t unauthenticated_since_ms;
  int64_t written_ms;  // when something was last put into `wire`
  int64_t progress_ms; // when the peer last took something, or nothing waited
  uint64_t sent_bytes; // as the owner told last
  size_t unsent_bytes;
  size_t over_mark_bytes; // read while the queue was full
  size_t transport_bytes; // that the transport itself answered (pongs) since output was last drained
  bool queue_full;

  // What the owner of the socket has to look at after each call:
  bool start_tls;     // once: switch TLS on, beginning with `tls_hello`
  bool pause_reading; // else: read
  bool run_again;     // call bolt_conn_run soon, after the others
  bool finish;        // send `wire`, then close
  bool abort;         // close now
  const char *gave_up; // why this end closed it, where the other end is to blame; NULL otherwise. For the log
};

void bolt_conn_init(struct bolt_conn *c, const struct bolt_conn_setup *setup, int64_t now_ms);

/// No operation may be under way: see bolt_conn_disconnect.
void bolt_conn_done(struct bolt_conn *c);

/// Bytes from the wire (decrypted, where TLS is on). `wall_s`: for the Date header of HTTP answers.
void bolt_conn_receive(struct bolt_conn *c, const uint8_t *bytes, size_t len, int64_t now_ms, int64_t wall_s);

/// Goes on with what is queued: after `run_again`, and when output has drained.
void bolt_conn_run(struct bolt_conn *c, int64_t now_ms);

/// On the owner's thread, after the session's `wake`. Call even when the peer is gone.
void bolt_conn_operation_done(struct bolt_conn *c, int64_t now_ms);

/// Time passes: keep-alive, timeouts. At least once a second.
void bolt_conn_tick(struct bolt_conn *c, int64_t now_ms);

/// What the socket still holds, and how much it has sent since the beginning. Before bolt_conn_run and bolt_conn_tick.
void bolt_conn_set_sent(struct bolt_conn *c, size_t unsent_bytes, uint64_t sent_bytes, int64_t now_ms);

/// The peer is gone. True: bolt_conn_done may follow now; false: only after `wake` and bolt_conn_operation_done.
bool bolt_conn_disconnect(struct bolt_conn *c);

bool bolt_conn_is_authenticated(const struct bolt_conn *c);
/// Can be closed without loss: nothing runs and no transaction is open.
bool bolt_conn_is_idle(const struct bolt_conn *c);
/// Requests or rows wait only for output to drain, or for the others' turn to be over.
bool bolt_conn_could_go_on(const struct bolt_conn *c);
/// A request is being worked on.
bool bolt_conn_is_busy(const struct bolt_conn *c);
