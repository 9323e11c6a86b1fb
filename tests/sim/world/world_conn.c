// The connections of os/net.h over the streams of world_net.c. What a callback may do and when it is called is as in
// os/net_conn.c.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "os/net.h"
#include "world_net_int.h"

enum { READ_BYTES_MAX = 64 * 1024 };

struct net_conn {
  struct endpoint *end;
  struct loop *loop;
  struct loop_ready ready;
  struct loop_timer *linger;
  struct net_conn_limits limits;
  struct net_conn_events events;
  void *context;
  struct buf out;
  uint64_t sent;
  enum err failed;
  uint16_t busy; // callbacks of this connection that are on the stack
  bool was_full, paused, finishing, shut, dead;
};

void conn_notice(struct net_conn *c) {
  if (!c->dead) loop_ready_add(c->loop, &c->ready);
}

// ---- life ----

static void conn_release(struct net_conn *c) {
  loop_timer_free(c->linger);
  loop_ready_drop(&c->ready);
  endpoint_close(c->end);
  buf_done(&c->out);
  mem_free(c);
}

void net_conn_free(struct net_conn *c) {
  if (c == NULL) return;
  c->dead = true;
  c->end->conn = NULL;
  if (c->busy == 0) conn_release(c);
}

static void conn_leave(struct net_conn *c) {
  if (--c->busy == 0 && c->dead) conn_release(c);
}

static void conn_fail(struct net_conn *c, enum err why) {
  if (c->failed != ERR_OK) return;
  c->failed = why;
  conn_notice(c);
}

const char *net_conn_why(const struct net_conn *c UNUSED) {
  return NULL;
}

// ---- sending ----

size_t net_conn_pending(const struct net_conn *c) {
  return c->out.len;
}

uint64_t net_conn_sent(const struct net_conn *c) {
  return c->sent;
}

static void conn_check_marks(struct net_conn *c) {
  if (c->out.len > c->limits.high_bytes)
    c->was_full = true;
  else if (c->was_full && c->out.len <= c->limits.low_bytes)
    conn_notice(c);
}

static void conn_send(struct net_conn *c) {
  size_t n = endpoint_send(c->end, c->out.data, c->out.len);
  c->sent += n;
  if (n > 0) memmove(c->out.data, c->out.data + n, c->out.len - n);
  c->out.len -= n;
}

void net_conn_flush(struct net_conn *c) {
  if (c->dead || c->failed != ERR_OK || c->shut) return;
  if (c->end->was_reset) {
    conn_fail(c, ERR_CLOSED);
    return;
  }
  conn_send(c);
  conn_check_marks(c);
  if (!c->finishing || c->out.len > 0) return;
  c->shut = true;
  endpoint_end(c->end);
}

static bool conn_takes_output(const struct net_conn *c) {
  return !c->dead && !c->finishing && c->failed == ERR_OK;
}

enum err net_conn_write(struct net_conn *c, const void *bytes, size_t len) {
  if (!conn_takes_output(c)) return ERR_CLOSED;
  return buf_append(&c->out, bytes, len);
}

enum err net_conn_write_buf_from(struct net_conn *c, struct buf *b, size_t from) {
  if (!conn_takes_output(c)) return ERR_CLOSED;
  if (b->len > from) TRY(buf_append(&c->out, b->data + from, b->len - from));
  buf_clear(b);
  return ERR_OK;
}

enum err net_conn_write_buf(struct net_conn *c, struct buf *b) {
  return net_conn_write_buf_from(c, b, 0);
}

// ---- receiving ----

/// Some of what has come, cut anywhere: a stream has no messages.
static size_t some_of(size_t len) {
  size_t most = MIN(len, (size_t) READ_BYTES_MAX);
  return rng_chance(&world->rng, 1, 8) ? (size_t) rng_below(&world->rng, most) + 1 : most;
}

static void conn_read(struct net_conn *c) {
  struct endpoint *end = c->end;
  size_t n = some_of(end->received.len);
  void *bytes = mem_alloc(n);
  if (bytes == NULL) abort();
  memcpy(bytes, end->received.data, n);
  memmove(end->received.data, end->received.data + n, end->received.len - n);
  end->received.len -= n;
  endpoint_took(end, n);
  if (!c->finishing) c->events.received(c->context, bytes, n);
  mem_free(bytes);
}

static bool conn_may_read(const struct net_conn *c) {
  return !c->dead && c->failed == ERR_OK && (!c->paused || c->finishing);
}

static void conn_receive(struct net_conn *c) {
  if (!conn_may_read(c)) return;
  if (c->end->received.len > 0) conn_read(c);
  if (!conn_may_read(c)) return;
  if (c->end->received.len > 0)
    conn_notice(c);
  else if (c->end->ended)
    conn_fail(c, c->finishing ? ERR_LIMIT : ERR_CLOSED);
}

void net_conn_pause(struct net_conn *c) {
  c->paused = true;
}

void net_conn_resume(struct net_conn *c) {
  if (!c->paused) return;
  c->paused = false;
  conn_notice(c);
}

// ---- events ----

static void conn_tell_drained(struct net_conn *c) {
  if (c->dead || !c->was_full || c->out.len > c->limits.low_bytes) return;
  c->was_full = false;
  c->events.drained(c->context);
}

static void conn_tell_failed(struct net_conn *c) {
  if (c->dead || c->failed == ERR_OK) return;
  c->dead = true; // the callee frees it
  c->events.closed(c->context, c->finishing ? ERR_OK : c->failed);
}

static void on_ready(struct loop_ready *ready) {
  struct net_conn *c = CONTAINER_OF(ready, struct net_conn, ready);
  c->busy++;
  bool hung_up = c->end->was_reset || c->end->ended;
  if (c->end->was_reset || (c->paused && !c->finishing && hung_up)) conn_fail(c, ERR_CLOSED);
  conn_receive(c);
  net_conn_flush(c);
  conn_tell_drained(c);
  if (!c->dead) net_conn_flush(c);
  conn_tell_failed(c);
  conn_leave(c);
}

static void on_linger_over(void *context) {
  conn_fail(context, ERR_LIMIT);
}

void net_conn_finish(struct net_conn *c, int64_t linger_ms) {
  if (c->finishing || c->dead) return;
  c->finishing = true;
  if (loop_timer_new(c->loop, on_linger_over, c, &c->linger, NULL) != ERR_OK)
    conn_fail(c, ERR_NOMEM);
  else
    loop_timer_set(c->linger, linger_ms, false);
  conn_notice(c); // flush, and read what waits
}

enum err net_conn_new(struct loop *loop, int socket, const struct net_conn_limits *limits, const struct net_conn_events *events,
                      void *context, struct net_conn **ret, struct error *e) {
  struct net_conn *c = mem_zalloc(sizeof *c);
  if (c == NULL) {
    net_socket_close(socket);
    return error_set(e, ERR_NOMEM, "no memory for a connection");
  }
  *c = (struct net_conn){
      .end = endpoint_of(socket), .loop = loop, .ready.run = on_ready, .limits = *limits, .events = *events, .context = context};
  endpoint_take(c->end, c);
  conn_notice(c);
  *ret = c;
  return ERR_OK;
}

enum err net_conn_start_tls(struct net_conn *c UNUSED, struct tls_context *tls UNUSED, const void *first UNUSED,
                            size_t len UNUSED, struct error *e) {
  return error_set(e, ERR_UNSUPPORTED, "The simulated network is without TLS.");
}

enum err net_conn_connect_tls(struct net_conn *c UNUSED, struct tls_context *tls UNUSED, const char *name UNUSED,
                              struct error *e) {
  return error_set(e, ERR_UNSUPPORTED, "The simulated network is without TLS.");
}
