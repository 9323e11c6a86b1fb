#include "cluster/catchup_link.h"

#include <stdio.h>
#include <string.h>

#include "base/feature_level.h"
#include "base/mem.h"

enum { LINGER_MS = 1000 };

struct catchup_link {
  const struct catchup_link_setup *setup;
  struct catchup_link_events events;
  void *context;
  struct net_conn *conn;
  struct loop_timer *patience; // for the hello
  uint8_t start[HELLO_BYTES];  // the hello, then the header of each message, as it comes
  uint8_t *message;            // as it comes, its body where a page may begin; NULL: none yet
  size_t room;                 // there for a body
  size_t have, whole;          // of what comes: bytes that are here, and that the message has
  uint64_t server;             // whom it wants to speak with, 0: whoever is there
  uint64_t received;           // bytes
  uint32_t sent, taken;        // messages
  bool dialled, up, tls_begun, ending, dead;
  unsigned busy; // callbacks that are on the stack: the memory goes with the last
};

// ---- life ----

static void release(struct catchup_link *l) {
  mem_free(l->message);
  mem_free(l);
}

void catchup_link_free(struct catchup_link *l) {
  if (l == NULL || l->dead) return;
  net_conn_free(l->conn);
  loop_timer_free(l->patience);
  l->conn = NULL;
  l->patience = NULL;
  l->dead = true;
  if (l->busy == 0) release(l);
}

static void enter(struct catchup_link *l) {
  l->busy++;
}

static void leave(struct catchup_link *l) {
  if (--l->busy == 0 && l->dead) release(l);
}

static void end(struct catchup_link *l, const char *why) {
  if (l->dead || l->ending) return;
  l->ending = true;
  l->events.ended(l->context, why);
}

// ---- hello ----

static enum err say_hello(struct catchup_link *l, uint64_t expected, enum hello_refusal refusal) {
  uint8_t bytes[HELLO_BYTES];
  struct hello h = l->setup->self;
  h.expected = expected;
  h.refusal = refusal;
  hello_put(bytes, &h);
  TRY(net_conn_write(l->conn, bytes, sizeof bytes));
  net_conn_flush(l->conn);
  return ERR_OK;
}

static void come_up(struct catchup_link *l) {
  l->up = true;
  loop_timer_cancel(l->patience);
}

static uint32_t level_of(const struct catchup_link_setup *s) {
  return s->feature_level != NULL ? atomic_load(s->feature_level) : FEATURE_LEVEL_FIRST;
}

static void greet(struct catchup_link *l, const struct hello *other) {
  enum hello_refusal refusal = hello_judge(&l->setup->self, other, level_of(l->setup));
  if (refusal == HELLO_ACCEPTED) refusal = l->events.greeted(l->context, other);
  if (l->dead || say_hello(l, other->server, refusal) != ERR_OK) return; // `closed` follows
  if (refusal == HELLO_ACCEPTED) {
    come_up(l);
    return;
  }
  if (l->events.turned_away != NULL) l->events.turned_away(l->context, other, refusal);
  net_conn_finish(l->conn, LINGER_MS); // it shall hear why
}

static void hear(struct catchup_link *l, const struct hello *other) {
  char why[200];
  const char *objection = hello_objection(&l->setup->self, other, l->server, level_of(l->setup));
  if (objection == NULL) {
    come_up(l);
    l->events.greeted(l->context, other);
    return;
  }
  snprintf(why, sizeof why, "the server there (number %llu) %s", (unsigned long long) other->server, objection);
  end(l, why);
}

// Adds to what there is of something of `whole` bytes; true when all of it is there.
static bool gather(struct catchup_link *l, uint8_t *to, size_t whole, const uint8_t **from, size_t *len) {
  size_t n = MIN(whole - l->have, *len);
  memcpy(to + l->have, *from, n);
  l->have += n;
  *from += n;
  *len -= n;
  return l->have == whole;
}

// Of what is no hello the first bytes say enough.
static enum err take_hello(struct catchup_link *l, const uint8_t **from, size_t *len, struct error *e) {
  struct hello other;
  bool whole = gather(l, l->start, HELLO_BYTES, from, len);
  if (!whole && (l->have < 4 || memcmp(l->start, "QVCH", 4) == 0)) return ERR_OK;
  TRY(hello_get(l->start, &other, e));
  l->have = 0;
  if (l->dialled)
    hear(l, &other);
  else
    greet(l, &other);
  return ERR_OK;
}

// ---- messages ----

static enum err check_direction(const struct catchup_link *l, const uint8_t *from, struct error *e) {
  if (catchup_is_request((enum catchup_type) from[6]) != l->dialled) return ERR_OK;
  return error_set(e, ERR_CORRUPT, "a message of type %u is not for this end", from[6]);
}

static enum err make_room(struct catchup_link *l, size_t body, struct error *e) {
  if (l->message != NULL && l->room >= body) return ERR_OK;
  mem_free(l->message);
  l->message = mem_alloc(2 * PAGE_BYTES + body);
  l->room = body;
  return l->message != NULL ? ERR_OK : error_set(e, ERR_NOMEM, "no memory for what it sends");
}

static uint8_t *message_at(const struct catchup_link *l) {
  return page_align(l->message + CATCHUP_HEADER_BYTES) - CATCHUP_HEADER_BYTES;
}

// The header is there: it says how much follows.
static enum err begin_message(struct catchup_link *l, struct error *e) {
  TRY(catchup_message_peek(l->start, CATCHUP_HEADER_BYTES, &l->whole, e));
  TRY(check_direction(l, l->start, e));
  TRY(make_room(l, l->whole - CATCHUP_HEADER_BYTES, e));
  memcpy(message_at(l), l->start, CATCHUP_HEADER_BYTES);
  return ERR_OK;
}

static enum err end_message(struct catchup_link *l, struct error *e) {
  struct catchup_message m;
  TRY(catchup_message_get(message_at(l), l->whole, l->taken + 1, &m, e));
  l->taken++;
  l->have = 0;
  l->events.received(l->context, &m);
  return ERR_OK;
}

static enum err take_message(struct catchup_link *l, const uint8_t **from, size_t *len, struct error *e) {
  if (l->have < CATCHUP_HEADER_BYTES) {
    if (!gather(l, l->start, CATCHUP_HEADER_BYTES, from, len)) return ERR_OK;
    TRY(begin_message(l, e));
  }
  return gather(l, message_at(l), l->whole, from, len) ? end_message(l, e) : ERR_OK;
}

static void take_input(struct catchup_link *l, const uint8_t *from, size_t len) {
  struct error e = ERROR_INIT;
  enum err err = l->up ? ERR_OK : take_hello(l, &from, &len, &e);
  while (err == ERR_OK && len > 0 && l->up && !l->dead && !l->ending) err = take_message(l, &from, &len, &e);
  if (err != ERR_OK) end(l, e.message);
}

void *catchup_link_take_message(struct catchup_link *l) {
  return TAKE_PTR(l->message);
}

// ---- the connection's events ----

static void on_received(void *context, const void *bytes, size_t len) {
  struct catchup_link *l = context;
  struct error e = ERROR_INIT;
  enter(l);
  if (l->setup->tls != NULL && !l->tls_begun) {
    l->tls_begun = true; // what is decrypted comes back through here
    if (net_conn_start_tls(l->conn, l->setup->tls, bytes, len, &e) != ERR_OK) end(l, e.message);
  } else {
    l->received += len;
    take_input(l, bytes, len);
  }
  leave(l);
}

static void on_drained(void *context) {
  struct catchup_link *l = context;
  enter(l);
  l->events.drained(l->context);
  leave(l);
}

static void on_closed(void *context, enum err why) {
  struct catchup_link *l = context;
  char text[300];
  const char *known = net_conn_why(l->conn);
  snprintf(text, sizeof text, "%s", known != NULL ? known : why == ERR_CLOSED ? "it closed the connection" : err_text(why));
  enter(l);
  end(l, text);
  leave(l);
}

static void on_patience_over(void *context) {
  struct catchup_link *l = context;
  enter(l);
  end(l, "it did not say hello in time");
  leave(l);
}

// ---- opening ----

static enum err begin(struct catchup_link *l, const char *verify_name, struct error *e) {
  TRY(loop_timer_new(l->setup->loop, on_patience_over, l, &l->patience, e));
  loop_timer_set(l->patience, l->setup->hello_ms, false);
  if (!l->dialled) return ERR_OK;
  l->tls_begun = true;
  if (l->setup->tls != NULL) TRY(net_conn_connect_tls(l->conn, l->setup->tls, verify_name, e));
  return say_hello(l, l->server, HELLO_ACCEPTED);
}

static enum err open_link(const struct catchup_link_setup *setup, int socket, bool dialled, uint64_t server,
                          const char *verify_name, const struct catchup_link_events *events, void *context,
                          struct catchup_link **ret, struct error *e) {
  static const struct net_conn_events conn_events = {on_received, on_drained, on_closed};
  struct net_conn_limits limits = {setup->high_bytes, setup->high_bytes / 4};
  struct catchup_link *l = mem_zalloc(sizeof *l);
  if (l == NULL) {
    net_socket_close(socket);
    return error_set(e, ERR_NOMEM, "no memory for a connection");
  }
  *l = (struct catchup_link){.setup = setup, .events = *events, .context = context, .dialled = dialled, .server = server};
  enum err err = net_conn_new(setup->loop, socket, &limits, &conn_events, l, &l->conn, e);
  if (err == ERR_OK) err = begin(l, verify_name, e);
  if (err != ERR_OK) {
    catchup_link_free(l);
    return error_ensure(e, err);
  }
  *ret = l;
  return ERR_OK;
}

enum err catchup_link_accept(const struct catchup_link_setup *setup, int socket, const struct catchup_link_events *events,
                             void *context, struct catchup_link **ret, struct error *e) {
  return open_link(setup, socket, false, 0, NULL, events, context, ret, e);
}

enum err catchup_link_dial(const struct catchup_link_setup *setup, int socket, uint64_t server, const char *verify_name,
                           const struct catchup_link_events *events, void *context, struct catchup_link **ret, struct error *e) {
  return open_link(setup, socket, true, server, verify_name, events, context, ret, e);
}

// ---- sending ----

enum err catchup_link_send_made(struct catchup_link *l, struct buf *message, size_t from) {
  TRY(net_conn_write_buf_from(l->conn, message, from));
  l->sent++;
  net_conn_flush(l->conn);
  return ERR_OK;
}

enum err catchup_link_send(struct catchup_link *l, const struct catchup_message *m) {
  struct buf bytes = BUF_INIT;
  enum err err = catchup_message_put(&bytes, catchup_link_next(l), m);
  if (err == ERR_OK) err = catchup_link_send_made(l, &bytes, 0);
  buf_done(&bytes);
  return err;
}

uint32_t catchup_link_next(const struct catchup_link *l) {
  return l->sent + 1;
}

bool catchup_link_is_full(const struct catchup_link *l) {
  return net_conn_pending(l->conn) > l->setup->high_bytes;
}

uint64_t catchup_link_moved(const struct catchup_link *l) {
  return net_conn_sent(l->conn) + l->received;
}

void catchup_link_pause(struct catchup_link *l) {
  net_conn_pause(l->conn);
}

void catchup_link_resume(struct catchup_link *l) {
  net_conn_resume(l->conn);
}
