#include "os/net.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/loop_int.h"
#include "os/net_alive.h"
#include "os/net_queue.h"
#include "os/tls.h"

enum { SLICES_PER_SEND = 16 };

struct net_conn {
  struct loop *loop;
  struct event *event; // edge-triggered, set once: reading, writing, the peer's hang-up
  struct loop_timer *linger;
  struct loop_timer *look; // at what has become of the output; runs while there is some
  struct tls_session *tls;
  struct net_conn_limits limits;
  struct net_conn_events events;
  void *context;
  struct net_queue out;
  struct buf plain; // with TLS: queued, not encrypted yet
  uint64_t sent;
  char *why;       // of `failed`, where somebody knows; NULL otherwise
  enum err failed; // reported by `closed` from the event loop
  int socket;
  uint16_t busy;      // callbacks of this connection that are on the stack
  uint8_t unanswered; // looks in a row
  bool looking, was_full, paused, readable, finishing, shut, dead;
};

// ---- life ----

static void conn_release(struct net_conn *c) {
  loop_timer_free(c->linger);
  loop_timer_free(c->look);
  if (c->event != NULL) event_free(c->event);
  if (c->socket >= 0) close(c->socket);
  tls_session_free(c->tls);
  net_queue_done(&c->out);
  buf_done(&c->plain);
  mem_free(c->why);
  mem_free(c);
}

void net_conn_free(struct net_conn *c) {
  if (c == NULL) return;
  c->dead = true;
  if (c->busy == 0) conn_release(c);
}

/// Every event runs between these two, so that a callback may free the connection.
static void conn_enter(struct net_conn *c) {
  c->busy++;
}

static void conn_leave(struct net_conn *c) {
  if (--c->busy == 0 && c->dead) conn_release(c);
}

/// From anywhere: `closed` follows from the event loop.
static void conn_fail(struct net_conn *c, enum err why) {
  if (c->failed != ERR_OK) return;
  c->failed = why;
  event_active(c->event, EV_TIMEOUT, 0);
}

static void conn_explain(struct net_conn *c, const char *text) {
  if (c->why != NULL) return;
  size_t size = strlen(text) + 1;
  c->why = mem_alloc(size);
  if (c->why != NULL) memcpy(c->why, text, size);
}

const char *net_conn_why(const struct net_conn *c) {
  return c->why;
}

static void conn_report(struct net_conn *c, enum err why) {
  c->dead = true; // the callee frees it; nothing else must happen to it meanwhile
  c->events.closed(c->context, why);
}

// ---- a peer that is gone ----

/// A look every few seconds, and none while all is acknowledged: an idle connection costs nothing.
static void conn_look_later(struct net_conn *c) {
  if (!c->looking) loop_timer_set(c->look, NET_ALIVE_INTERVAL_S * 1000, false);
  c->looking = true;
}

/// As after a reset: what the system still has is dropped, and not sent to a machine that comes back.
static void conn_lose(struct net_conn *c) {
  struct linger drop = {.l_onoff = 1, .l_linger = 0};
  char why[64];
  snprintf(why, sizeof why, "it acknowledged nothing for %d s", NET_ALIVE_SILENCE_S);
  setsockopt(c->socket, SOL_SOCKET, SO_LINGER, &drop, sizeof drop);
  conn_explain(c, why);
  conn_fail(c, ERR_CLOSED);
}

static void on_look(void *argument) {
  struct net_conn *c = argument;
  enum net_output output = net_output_look(c->socket);
  c->looking = false;
  c->unanswered = output == NET_OUTPUT_UNANSWERED ? (uint8_t) (c->unanswered + 1) : 0;
  if (c->unanswered > NET_ALIVE_TRIES)
    conn_lose(c);
  else if (output != NET_OUTPUT_ACKNOWLEDGED)
    conn_look_later(c);
}

// ---- sending ----

static void conn_shut(struct net_conn *c) {
  c->shut = true;
  shutdown(c->socket, SHUT_WR);
}

static enum err conn_encrypt(struct net_conn *c) {
  if (c->plain.len == 0) return ERR_OK;
  CLEANUP(buf_done) struct buf encrypted = BUF_INIT;
  TRY(tls_session_send(c->tls, c->plain.data, c->plain.len, &encrypted, NULL));
  TRY(net_queue_put_buf(&c->out, &encrypted, 0));
  buf_done(&c->plain);
  return ERR_OK;
}

/// ERR_OK also where the system takes no more for now: the edge of EV_WRITE brings us back.
static enum err conn_send(struct net_conn *c) {
  while (c->out.bytes > 0) {
    struct iovec slices[SLICES_PER_SEND];
    struct msghdr message = {.msg_iov = slices};
    message.msg_iovlen = (size_t) net_queue_peek(&c->out, slices, SLICES_PER_SEND);
    ssize_t sent = sendmsg(c->socket, &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK ? ERR_OK : ERR_CLOSED;
    }
    net_queue_drop(&c->out, (size_t) sent);
    c->sent += (uint64_t) sent;
    conn_look_later(c);
  }
  return ERR_OK;
}

size_t net_conn_pending(const struct net_conn *c) {
  return c->out.bytes + c->plain.len;
}

uint64_t net_conn_sent(const struct net_conn *c) {
  return c->sent;
}

static void conn_check_marks(struct net_conn *c) {
  size_t pending = net_conn_pending(c);
  if (pending > c->limits.high_bytes)
    c->was_full = true;
  else if (c->was_full && pending <= c->limits.low_bytes)
    event_active(c->event, EV_TIMEOUT, 0);
}

void net_conn_flush(struct net_conn *c) {
  if (c->dead || c->failed != ERR_OK || c->shut) return;
  enum err err = c->tls != NULL ? conn_encrypt(c) : ERR_OK;
  if (err == ERR_OK) err = conn_send(c);
  if (err != ERR_OK) {
    conn_fail(c, err);
    return;
  }
  conn_check_marks(c);
  if (c->finishing && net_conn_pending(c) == 0) conn_shut(c);
}

static bool conn_takes_output(const struct net_conn *c) {
  return !c->dead && !c->finishing && c->failed == ERR_OK;
}

enum err net_conn_write(struct net_conn *c, const void *bytes, size_t len) {
  if (!conn_takes_output(c)) return ERR_CLOSED;
  return c->tls != NULL ? buf_append(&c->plain, bytes, len) : net_queue_put(&c->out, bytes, len);
}

enum err net_conn_write_buf_from(struct net_conn *c, struct buf *b, size_t from) {
  if (!conn_takes_output(c)) return ERR_CLOSED;
  if (c->tls == NULL) return net_queue_put_buf(&c->out, b, from);
  if (b->len > from) TRY(buf_append(&c->plain, b->data + from, b->len - from));
  buf_clear(b);
  return ERR_OK;
}

enum err net_conn_write_buf(struct net_conn *c, struct buf *b) {
  return net_conn_write_buf_from(c, b, 0);
}

// ---- receiving ----

static void conn_deliver(struct net_conn *c, const void *bytes, size_t len) {
  if (len > 0 && !c->finishing && !c->dead) c->events.received(c->context, bytes, len);
}

static void conn_decrypt(struct net_conn *c, const void *bytes, size_t len) {
  CLEANUP(buf_done) struct buf plain = BUF_INIT, encrypted = BUF_INIT;
  struct error e = ERROR_INIT;
  enum err err = tls_session_receive(c->tls, bytes, len, &plain, &encrypted, &e);
  if (err == ERR_IO) conn_explain(c, e.message);
  if (net_queue_put_buf(&c->out, &encrypted, 0) != ERR_OK) err = ERR_NOMEM;
  conn_deliver(c, plain.data, plain.len);
  if (err == ERR_OK || c->dead) return;
  net_conn_flush(c); // the alert
  conn_fail(c, err);
}

/// One read. True if there may be more.
static bool conn_read(struct net_conn *c) {
  char *scratch = loop_scratch(c->loop);
  ssize_t got = recv(c->socket, scratch, LOOP_SCRATCH_BYTES, 0);
  if (got < 0) {
    if (errno == EINTR) return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK) conn_fail(c, ERR_CLOSED);
    return false;
  }
  if (got == 0) {
    conn_fail(c, c->finishing ? ERR_LIMIT : ERR_CLOSED);
    return false;
  }
  if (c->tls != NULL && !c->finishing)
    conn_decrypt(c, scratch, (size_t) got);
  else
    conn_deliver(c, scratch, (size_t) got);
  return got == LOOP_SCRATCH_BYTES;
}

static bool conn_may_read(const struct net_conn *c) {
  return !c->dead && c->failed == ERR_OK && (!c->paused || c->finishing);
}

/// Reads once, or to the end where the peer has hung up (there is no further edge then). More comes in the next round, so that
/// a busy peer does not keep the others waiting.
static void conn_receive(struct net_conn *c, bool to_the_end) {
  while (c->readable && conn_may_read(c)) {
    c->readable = conn_read(c) || (to_the_end && conn_may_read(c));
    if (!to_the_end) break;
  }
  if (c->readable && conn_may_read(c)) event_active(c->event, EV_TIMEOUT, 0);
}

void net_conn_pause(struct net_conn *c) {
  c->paused = true;
}

void net_conn_resume(struct net_conn *c) {
  if (!c->paused) return;
  c->paused = false;
  if (c->readable && !c->dead) event_active(c->event, EV_TIMEOUT, 0);
}

// ---- events ----

static void conn_tell_drained(struct net_conn *c) {
  if (c->dead || !c->was_full || net_conn_pending(c) > c->limits.low_bytes) return;
  c->was_full = false;
  c->events.drained(c->context);
}

static void conn_tell_failed(struct net_conn *c) {
  if (!c->dead && c->failed != ERR_OK) conn_report(c, c->finishing ? ERR_OK : c->failed);
}

/// A reset comes as "readable", which nobody looks at while reading is paused.
static bool conn_was_reset(const struct net_conn *c) {
  int error = 0;
  socklen_t len = sizeof error;
  return getsockopt(c->socket, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0;
}

static void on_event(evutil_socket_t fd UNUSED, short what, void *argument) {
  struct net_conn *c = argument;
  conn_enter(c);
  bool hung_up = what & EV_CLOSED;
  if (what & (EV_READ | EV_CLOSED)) c->readable = true;
  if (c->paused && !c->finishing && (hung_up || conn_was_reset(c))) conn_fail(c, ERR_CLOSED);
  conn_receive(c, hung_up);
  net_conn_flush(c);
  conn_tell_drained(c);
  if (!c->dead) net_conn_flush(c);
  conn_tell_failed(c);
  conn_leave(c);
}

static void on_linger_over(void *argument) {
  struct net_conn *c = argument;
  conn_fail(c, ERR_LIMIT);
}

void net_conn_finish(struct net_conn *c, int64_t linger_ms) {
  if (c->finishing || c->dead) return;
  if (c->tls != NULL && conn_encrypt(c) == ERR_OK) {
    CLEANUP(buf_done) struct buf encrypted = BUF_INIT;
    tls_session_end(c->tls, &encrypted);
    if (net_queue_put_buf(&c->out, &encrypted, 0) != ERR_OK) conn_fail(c, ERR_NOMEM);
  }
  c->finishing = true;
  if (loop_timer_new(c->loop, on_linger_over, c, &c->linger, NULL) != ERR_OK)
    conn_fail(c, ERR_NOMEM);
  else
    loop_timer_set(c->linger, linger_ms, false);
  event_active(c->event, EV_TIMEOUT, 0); // flush, and read what waits
}

static enum err conn_prepare(struct net_conn *c, struct error *e) {
  int one = 1;
  evutil_make_socket_nonblocking(c->socket);
  setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  net_alive_ask(c->socket);
  c->event = event_new(loop_base(c->loop), c->socket, EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_event, c);
  if (c->event == NULL || event_add(c->event, NULL) != 0) return error_set(e, ERR_NOMEM, "no memory for a connection");
  return loop_timer_new(c->loop, on_look, c, &c->look, e);
}

enum err net_conn_new(struct loop *loop, int socket, const struct net_conn_limits *limits, const struct net_conn_events *events,
                      void *context, struct net_conn **ret, struct error *e) {
  struct net_conn *c = mem_zalloc(sizeof *c);
  if (c == NULL) {
    close(socket);
    return error_set(e, ERR_NOMEM, "no memory for a connection");
  }
  *c = (struct net_conn){.loop = loop, .socket = socket, .limits = *limits, .events = *events, .context = context};
  enum err err = conn_prepare(c, e);
  if (err != ERR_OK) {
    conn_release(c);
    return err;
  }
  *ret = c;
  return ERR_OK;
}

enum err net_conn_start_tls(struct net_conn *c, struct tls_context *tls, const void *first, size_t len, struct error *e) {
  TRY(tls_session_new(tls, &c->tls, e));
  conn_decrypt(c, first, len);
  return ERR_OK;
}

enum err net_conn_connect_tls(struct net_conn *c, struct tls_context *tls, const char *name, struct error *e) {
  TRY(tls_session_connect(tls, name, &c->tls, e));
  conn_decrypt(c, NULL, 0);
  net_conn_flush(c);
  return ERR_OK;
}
