// TCP on an event loop: addresses, listeners, buffered connections, each owned by the thread of its loop (os/loop.h).
//
// A connection delivers what it read through a callback and keeps nothing of it; what is written waits in its queue until the
// socket takes it. It is told when the queue falls to the low mark. Reading can be paused; a peer that hangs up is noticed even
// then, and so is a machine that is gone without a word (os/net_alive.h). TLS can be switched on at the start or after the first
// bytes were seen (os/tls.h).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/str.h"
#include "os/loop.h"

struct tls_context;
struct net_listener;
struct net_conn;

enum { NET_ADDRESS_TEXT_MAX = 300 };

/// "host:port", "[ipv6]:port", ":port" (all IPv4 addresses) or "host" with `default_port`. Splits only, resolves nothing.
/// `ret_host` is without brackets and part of `text`. ERR_INVALID with a message that shows the forms.
enum err net_address_split(struct str text, uint16_t default_port, struct str *ret_host, uint16_t *ret_port,
                           struct error *e) NODISCARD;

/// Called on the listener's loop with a fresh socket, which the callee owns (net_conn_new, or net_socket_close).
struct net_listener_events {
  void (*accepted)(void *context, int socket, const char *peer, const char *local);
};

/// Binds and listens on `address` (see net_address_split; port 0 lets the system choose). The name is looked up here, which may
/// block: call it when starting. Must run on the loop's thread (loop_call). ERR_IO says what the system said.
enum err net_listen(struct loop *loop, struct str address, uint16_t default_port, const struct net_listener_events *events,
                    void *context, struct net_listener **ret, struct error *e) NODISCARD;

/// "127.0.0.1:7687", with the port that the system chose; lives as long as the listener.
const char *net_listener_address(const struct net_listener *listener);

/// Stops listening and frees. On the loop's thread. NULL is fine.
void net_listener_free(struct net_listener *listener);

void net_socket_close(int socket);

struct net_conn_limits {
  size_t high_bytes; // net_conn_is_full above this
  size_t low_bytes;  // `drained` is called when the queue has fallen to this
};

struct net_conn_events {
  /// Some bytes, decrypted where TLS is on. Valid during the call.
  void (*received)(void *context, const void *bytes, size_t len);
  /// The queue was above the high mark and has fallen to the low mark.
  void (*drained)(void *context);
  /// The peer hung up, or is gone without a word (ERR_CLOSED), or the socket failed (ERR_IO), or a close that was asked for is
  /// complete (ERR_OK). Called at most once, never from within another function of this header; the callee frees the connection,
  /// nothing else comes after.
  void (*closed)(void *context, enum err why);
};

// A peer of which nothing is heard for so long is asked whether it is there, so often, before it is gone: after half a minute. So
// is one that has not acknowledged for as long what was sent to it. A slow reader is not: its system answers.
enum {
  NET_ALIVE_IDLE_S = 15,
  NET_ALIVE_INTERVAL_S = 5,
  NET_ALIVE_TRIES = 3,
  NET_ALIVE_SILENCE_S = NET_ALIVE_IDLE_S + NET_ALIVE_INTERVAL_S * NET_ALIVE_TRIES,
};

/// Takes over `socket` (closed on failure too): non-blocking, TCP_NODELAY, SO_KEEPALIVE. Reads from now on.
enum err net_conn_new(struct loop *loop, int socket, const struct net_conn_limits *limits, const struct net_conn_events *events,
                      void *context, struct net_conn **ret, struct error *e) NODISCARD;

/// Closes at once, drops what is queued, frees. May be called from callbacks. NULL is fine.
void net_conn_free(struct net_conn *c);

/// Queues a copy of the bytes. What is queued during one callback goes out together at its end (one segment, one TLS record
/// where it fits). ERR_NOMEM, ERR_CLOSED.
enum err net_conn_write(struct net_conn *c, const void *bytes, size_t len) NODISCARD;

/// Queues the bytes of `b`. Long ones are taken over, not copied; `b` is left empty either way. On error it is left as it was.
enum err net_conn_write_buf(struct net_conn *c, struct buf *b) NODISCARD;
/// The same of those from `from` on: what is in front of them may be anything.
enum err net_conn_write_buf_from(struct net_conn *c, struct buf *b, size_t from) NODISCARD;

/// Hands what is queued to the system now. Needed only outside of callbacks of this connection (a posted task, a timer).
void net_conn_flush(struct net_conn *c);

/// Bytes that the system has not taken yet.
size_t net_conn_pending(const struct net_conn *c);

/// Why `closed` came, for people: "TLS: certificate verify failed"; NULL where nobody knows more than the code. Valid until the
/// connection is freed.
const char *net_conn_why(const struct net_conn *c);

/// Total bytes that the system took: a reader that stalls does not move it.
uint64_t net_conn_sent(const struct net_conn *c);

void net_conn_pause(struct net_conn *c);
void net_conn_resume(struct net_conn *c);

/// From here on all is TLS; `first` are bytes of the client's hello that were delivered as plain text. A handshake that fails
/// ends in `closed`. To be called inside `received`, once; what follows in the same call must not be read as plain text.
enum err net_conn_start_tls(struct net_conn *c, struct tls_context *tls, const void *first, size_t len,
                            struct error *e) NODISCARD;

/// The same from the other side: this end says hello. `name`: what the peer's certificate must be for (a DNS name or an IP
/// address), or NULL if any name will do that a trusted authority has signed. What is written meanwhile waits for the handshake.
enum err net_conn_connect_tls(struct net_conn *c, struct tls_context *tls, const char *name, struct error *e) NODISCARD;

/// Sends what is queued, then ends the sending side and reads and drops what still comes, until the peer hangs up or
/// `linger_ms` is over; then calls `closed`. A plain close with unread input would send a reset, which can destroy the last
/// answer on its way. `received` is not called any more.
void net_conn_finish(struct net_conn *c, int64_t linger_ms);

// ---- connecting ----

/// Looks names up on a thread of its own, because the system's look-up blocks. Shared by any number of attempts.
struct net_resolver;
enum err net_resolver_new(struct net_resolver **ret, struct error *e) NODISCARD;
/// Waits for look-ups under way. To be called before the loops of the attempts are stopped. NULL is fine.
void net_resolver_free(struct net_resolver *r);

struct net_connecting;

/// Exactly one of these is called, from the loop and never from within net_connect; the attempt is over and freed then.
struct net_connect_events {
  /// The callee owns the socket (net_conn_new, or net_socket_close). `peer` is "address:port", valid during the call.
  void (*connected)(void *context, int socket, const char *peer);
  /// "cannot reach 'core2:7000': Connection refused". ERR_NOTFOUND: no address is known for the name; otherwise ERR_IO.
  void (*failed)(void *context, const struct error *why);
};

/// Tries the addresses behind `address` (as in net_address_split; "localhost" is this machine, whatever the resolver knows) one
/// after the other for `timeout_ms` altogether. ERR_INVALID, ERR_NOMEM. On the loop's thread.
enum err net_connect(struct loop *loop, struct net_resolver *resolver, struct str address, uint16_t default_port,
                     int64_t timeout_ms, const struct net_connect_events *events, void *context, struct net_connecting **ret,
                     struct error *e) NODISCARD;

/// Gives the attempt up; nothing is called any more. NULL is fine.
void net_connecting_free(struct net_connecting *c);
