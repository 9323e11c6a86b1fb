// Streams between processes, and how they are set up: os/net.h but for its connections (world_conn.c).
#include "world_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/mem.h"
#include "os/net.h"
#include "os/net_int.h"
#include "os/thread.h"
#include "world_net_int.h"

enum { PROCESSES_MAX = 16, RETRY_MS = 100, RETRY_MS_MAX = 1600 };

static struct world_link links[PROCESSES_MAX][PROCESSES_MAX];
static struct endpoint **sockets;
static int socket_count, socket_room;
static struct net_listener *listeners;
static struct net_connecting *attempts;

// ---- links ----

void world_links_set(struct world_link to) {
  for (int i = 0; i < PROCESSES_MAX; i++)
    for (int j = 0; j < PROCESSES_MAX; j++) links[i][j] = to;
}

struct world_link *world_link(const struct process *from, const struct process *to) {
  return &links[from->index % PROCESSES_MAX][to->index % PROCESSES_MAX];
}

int64_t world_link_delay(const struct process *from, const struct process *to) {
  const struct world_link *l = world_link(from, to);
  return l->delay_min_ns + (int64_t) rng_below(&world->rng, (uint64_t) (l->delay_max_ns - l->delay_min_ns) + 1);
}

// ---- endpoints ----

struct endpoint *endpoint_of(int socket) {
  return sockets[socket];
}

static void on_arrival(struct world_event *event);
static void on_ack(struct world_event *event);
static void on_question(struct world_event *event);

/// The world's own memory.
static struct endpoint *endpoint_new(struct process *p, struct process *other) {
  struct endpoint *ep = mem_zalloc(sizeof *ep);
  if (socket_count == socket_room) {
    socket_room = MAX(2 * socket_room, 64);
    sockets = mem_realloc(sockets, (size_t) socket_room * sizeof(struct endpoint *));
  }
  *ep = (struct endpoint){.process = p,
                          .other = other,
                          .lives = p->lives,
                          .socket = socket_count,
                          .arrival.run = on_arrival,
                          .ack.run = on_ack,
                          .question.run = on_question};
  sockets[socket_count++] = ep;
  return ep;
}

static void tell_conn(struct endpoint *ep) {
  if (ep->conn != NULL && !ep->dead) conn_notice(ep->conn);
}

static void schedule(struct endpoint *ep) {
  if (ep->first == NULL || ep->arrival.place != 0) return;
  world_event_set(&ep->arrival, ep->first->at_ns - world->now_ns);
}

/// Something for the other end.
static void send_packet(struct endpoint *from, enum packet_kind kind, const void *bytes, size_t len) {
  struct endpoint *to = from->peer;
  struct process *before = world_enter();
  struct packet *p = mem_alloc(sizeof *p + len);
  *p = (struct packet){.kind = kind, .len = len};
  if (len > 0) memcpy(p->bytes, bytes, len);
  p->at_ns = MAX(to->last_at_ns, world->now_ns + world_link_delay(from->process, to->process));
  to->last_at_ns = p->at_ns;
  if (to->last != NULL)
    to->last->next = p;
  else
    to->first = p;
  to->last = p;
  schedule(to);
  world_leave(before);
}

size_t endpoint_send(struct endpoint *ep, const void *bytes, size_t len) {
  size_t n = MIN(len, STREAM_WINDOW - MIN(ep->unacked, (size_t) STREAM_WINDOW));
  if (n == 0) return 0;
  ep->unacked += n;
  send_packet(ep, PACKET_DATA, bytes, n);
  return n;
}

static void drop_packets(struct endpoint *ep) {
  while (ep->first != NULL) {
    struct packet *p = ep->first;
    ep->first = p->next;
    mem_free(p);
  }
  ep->last = NULL;
  world_event_cancel(&ep->arrival);
}

static bool is_gone(const struct endpoint *ep) {
  return ep->dead || ep->lives != ep->process->lives;
}

static bool is_off(const struct process *p) {
  return !p->alive && p->machine_is_off;
}

/// What goes one way only is acknowledged, or answered, by nobody.
static bool hear_each_other(const struct process *a, const struct process *b) {
  return !world_link(a, b)->cut && !world_link(b, a)->cut && !is_off(a) && !is_off(b);
}

static void heard(struct endpoint *ep) {
  if (hear_each_other(ep->process, ep->other)) ep->heard_ns = world->now_ns;
}

static void arrive(struct endpoint *ep, const struct packet *p) {
  world_note(hash64(p->bytes, p->len, (uint64_t) ep->socket));
  if (is_gone(ep)) {
    if (p->kind == PACKET_DATA && !is_gone(ep->peer)) send_packet(ep, PACKET_RESET, NULL, 0);
    return;
  }
  heard(ep);
  if (p->kind == PACKET_DATA && buf_append(&ep->received, p->bytes, p->len) != ERR_OK) abort();
  ep->ended |= p->kind == PACKET_END;
  ep->was_reset |= p->kind == PACKET_RESET;
  tell_conn(ep);
}

/// What cannot come now is sent again and again, each time after a longer while.
static void on_arrival(struct world_event *event) {
  struct endpoint *ep = CONTAINER_OF(event, struct endpoint, arrival);
  bool silent = world_link(ep->other, ep->process)->cut || is_off(ep->process);
  if (silent) {
    ep->retry_ms = ep->retry_ms == 0 ? RETRY_MS : MIN(2 * ep->retry_ms, (int64_t) RETRY_MS_MAX);
    world_event_set(event, ep->retry_ms * NS_PER_MS + (int64_t) rng_below(&world->rng, NS_PER_MS));
    return;
  }
  ep->retry_ms = 0;
  struct packet *p = ep->first;
  ep->first = p->next;
  if (ep->first == NULL) ep->last = NULL;
  arrive(ep, p);
  mem_free(p);
  schedule(ep);
}

static void on_ack(struct world_event *event) {
  struct endpoint *ep = CONTAINER_OF(event, struct endpoint, ack);
  if (world_link(ep->process, ep->other)->cut) {
    world_event_set(event, RETRY_MS * NS_PER_MS);
    return;
  }
  ep->peer->unacked -= ep->owed;
  ep->owed = 0;
  heard(ep->peer);
  tell_conn(ep->peer);
}

void endpoint_took(struct endpoint *ep, size_t bytes) {
  ep->owed += bytes;
  if (ep->ack.place == 0) world_event_set(&ep->ack, world_link_delay(ep->process, ep->other));
}

/// The last owner is gone; what is under way to the other end still arrives, and then the end.
void endpoint_close(struct endpoint *ep) {
  if (ep->dead) return;
  bool unread = ep->received.len > 0;
  struct process *before = world_enter();
  ep->dead = true;
  ep->conn = NULL;
  buf_done(&ep->received);
  world_leave(before);
  if (!is_gone(ep->peer)) send_packet(ep, unread || ep->was_reset ? PACKET_RESET : PACKET_END, NULL, 0);
}

void endpoint_end(struct endpoint *ep) {
  send_packet(ep, PACKET_END, NULL, 0);
}

// ---- machines that are gone ----

static void lose(struct endpoint *ep) {
  drop_packets(ep->peer); // nobody repeats them any more
  ep->was_reset = true;
  tell_conn(ep);
}

/// Asks, or repeats, what nobody has answered for a while.
static void on_question(struct world_event *event) {
  struct endpoint *ep = CONTAINER_OF(event, struct endpoint, question);
  if (is_gone(ep) || ep->was_reset) return;
  int64_t silent_ns = world->now_ns - ep->heard_ns;
  if (silent_ns < NET_ALIVE_IDLE_S * NS_PER_S) {
    world_event_set(event, NET_ALIVE_IDLE_S * NS_PER_S - silent_ns);
  } else if (!hear_each_other(ep->process, ep->other)) {
    if (silent_ns < NET_ALIVE_SILENCE_S * NS_PER_S)
      world_event_set(event, NET_ALIVE_INTERVAL_S * NS_PER_S);
    else
      lose(ep);
  } else if (ep->peer->machine_died) {
    lose(ep); // it is back, and does not know the connection
  } else {
    ep->heard_ns = world->now_ns;
    world_event_set(event, NET_ALIVE_IDLE_S * NS_PER_S);
  }
}

void endpoint_take(struct endpoint *ep, struct net_conn *conn) {
  ep->conn = conn;
  ep->heard_ns = world->now_ns;
  world_event_set(&ep->question, NET_ALIVE_IDLE_S * NS_PER_S);
}

void net_socket_close(int socket) {
  endpoint_close(sockets[socket]);
}

void world_net_reset(const struct process *a, const struct process *b) {
  for (int i = 0; i < socket_count; i++) {
    struct endpoint *ep = sockets[i];
    bool between = (ep->process == a && ep->other == b) || (ep->process == b && ep->other == a);
    if (!between || is_gone(ep)) continue;
    ep->was_reset = true;
    tell_conn(ep);
  }
}

// ---- listening ----

struct net_listener {
  struct net_listener *next;
  struct loop *loop;
  struct process *process;
  struct net_listener_events events;
  void *context;
  uint16_t port;
  struct loop_ready ready;
  int waiting[64]; // sockets to be accepted
  int waiting_count;
  char address[NET_ADDRESS_TEXT_MAX];
};

static void on_waiting(struct loop_ready *ready) {
  struct net_listener *l = CONTAINER_OF(ready, struct net_listener, ready);
  if (l->waiting_count == 0) return;
  struct endpoint *ep = sockets[l->waiting[0]];
  char peer[NET_ADDRESS_TEXT_MAX];
  snprintf(peer, sizeof peer, "%s:%d", ep->other->name, 30000 + ep->peer->socket);
  memmove(l->waiting, l->waiting + 1, (size_t) --l->waiting_count * sizeof(int));
  if (l->waiting_count > 0) loop_ready_add(l->loop, ready);
  l->events.accepted(l->context, ep->socket, peer, l->address);
}

static struct net_listener *find_listener(const struct process *p, uint16_t port) {
  struct net_listener *l = listeners;
  while (l != NULL && (l->process != p || l->port != port)) l = l->next;
  return l;
}

enum err net_listen(struct loop *loop, struct str address, uint16_t default_port, const struct net_listener_events *events,
                    void *context, struct net_listener **ret, struct error *e) {
  struct str host;
  uint16_t port;
  TRY(net_address_split(address, default_port, &host, &port, e));
  struct process *p = process_current();
  while (port == 0) port = (uint16_t) (20000 + rng_below(&world->rng, 10000));
  if (find_listener(p, port) != NULL)
    return error_set(e, ERR_IO, "cannot listen on '%.*s': Address already in use", STR_ARG(address));
  struct net_listener *l = mem_zalloc(sizeof *l);
  if (l == NULL) return error_set(e, ERR_NOMEM, "no memory for a listener");
  *l = (struct net_listener){listeners, loop, p, *events, context, port, .ready.run = on_waiting};
  snprintf(l->address, sizeof l->address, "%s:%u", p->name, port);
  listeners = l;
  *ret = l;
  return ERR_OK;
}

const char *net_listener_address(const struct net_listener *l) {
  return l->address;
}

static void forget_listener(struct net_listener *l) {
  for (int i = 0; i < l->waiting_count; i++) endpoint_close(sockets[l->waiting[i]]);
  struct net_listener **at = &listeners;
  while (*at != l) at = &(*at)->next;
  *at = l->next;
}

void net_listener_free(struct net_listener *l) {
  if (l == NULL) return;
  forget_listener(l);
  loop_ready_drop(&l->ready);
  mem_free(l);
}

// ---- connecting ----

enum err net_resolver_new(struct net_resolver **ret, struct error *e) {
  struct net_resolver *r = mem_zalloc(sizeof *r);
  if (r == NULL) return error_set(e, ERR_NOMEM, "no memory for looking up names");
  TRY(loop_start("resolver", &r->loop, e));
  *ret = r;
  return ERR_OK;
}

void net_resolver_free(struct net_resolver *r) {
  if (r == NULL) return;
  loop_stop(r->loop);
  mem_free(r);
}

struct net_connecting {
  struct net_connecting *next;
  struct loop *loop;
  struct process *from;
  struct net_connect_events events;
  void *context;
  char text[NET_ADDRESS_TEXT_MAX], host[NET_ADDRESS_TEXT_MAX];
  uint16_t port;
  int64_t deadline_ns;
  struct world_event step; // the first word reaches the other host; it is sent again; the answer comes
  struct loop_ready ready;
  int socket;
  const char *failure;
  enum err code;
};

static struct process *find_host(const char *name) {
  struct process *p = world->processes;
  while (p != NULL && strcmp(p->name, name) != 0) p = p->next;
  return p;
}

static void finish(struct net_connecting *c, enum err code, const char *failure) {
  c->code = code;
  c->failure = failure;
  loop_ready_add(c->loop, &c->ready);
}

static void on_answer(struct world_event *event) {
  loop_ready_add(CONTAINER_OF(event, struct net_connecting, step)->loop,
                 &CONTAINER_OF(event, struct net_connecting, step)->ready);
}

static void set_up(struct net_connecting *c, struct process *to, struct net_listener *l) {
  struct endpoint *mine = endpoint_new(c->from, to), *theirs = endpoint_new(to, c->from);
  mine->peer = theirs;
  theirs->peer = mine;
  c->socket = mine->socket;
  l->waiting[l->waiting_count++] = theirs->socket;
  loop_ready_add(l->loop, &l->ready);
  c->step.run = on_answer;
  world_event_set(&c->step, world_link_delay(to, c->from));
}

static void on_first_word(struct world_event *event) {
  struct net_connecting *c = CONTAINER_OF(event, struct net_connecting, step);
  struct process *to = find_host(c->host);
  if (to == NULL) {
    finish(c, ERR_NOTFOUND, "Name or service not known");
    return;
  }
  bool silent = !hear_each_other(c->from, to);
  if (!silent) {
    struct net_listener *l = to->alive ? find_listener(to, c->port) : NULL;
    if (l != NULL && l->waiting_count < (int) ARRAY_SIZE(l->waiting))
      set_up(c, to, l);
    else
      finish(c, ERR_IO, "Connection refused");
    return;
  }
  if (world->now_ns >= c->deadline_ns)
    finish(c, ERR_IO, "Connection timed out");
  else
    world_event_set(event, MIN(c->deadline_ns - world->now_ns, NS_PER_S));
}

static void forget_attempt(struct net_connecting *c) {
  struct net_connecting **at = &attempts;
  while (*at != c) at = &(*at)->next;
  *at = c->next;
  world_event_cancel(&c->step);
}

static void on_over(struct loop_ready *ready) {
  struct net_connecting *c = CONTAINER_OF(ready, struct net_connecting, ready);
  struct net_connect_events events = c->events;
  void *context = c->context;
  struct error e = ERROR_INIT;
  char peer[NET_ADDRESS_TEXT_MAX];
  int socket = c->socket;
  if (c->failure != NULL) error_set(&e, c->code, "cannot reach '%s': %s", c->text, c->failure);
  snprintf(peer, sizeof peer, "%s:%u", c->host, c->port);
  forget_attempt(c);
  mem_free(c);
  if (e.code != ERR_OK)
    events.failed(context, &e);
  else
    events.connected(context, socket, peer);
}

enum err net_connect(struct loop *loop, struct net_resolver *resolver UNUSED, struct str address, uint16_t default_port,
                     int64_t timeout_ms, const struct net_connect_events *events, void *context, struct net_connecting **ret,
                     struct error *e) {
  struct str host;
  uint16_t port;
  TRY(net_address_split(address, default_port, &host, &port, e));
  struct net_connecting *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_set(e, ERR_NOMEM, "no memory for a connection");
  *c = (struct net_connecting){attempts, loop, process_current(), *events, context, .port = port, .socket = -1};
  c->deadline_ns = world->now_ns + timeout_ms * NS_PER_MS;
  snprintf(c->text, sizeof c->text, "%.*s", STR_ARG(address));
  snprintf(c->host, sizeof c->host, "%.*s", STR_ARG(host));
  c->step.run = on_first_word;
  c->ready.run = on_over;
  attempts = c;
  world_event_set(&c->step, (int64_t) rng_below(&world->rng, NS_PER_MS) + NS_PER_MS / 10);
  *ret = c;
  return ERR_OK;
}

void net_connecting_free(struct net_connecting *c) {
  if (c == NULL) return;
  forget_attempt(c);
  loop_ready_drop(&c->ready);
  if (c->socket >= 0) endpoint_close(sockets[c->socket]);
  mem_free(c);
}

// ---- ends ----

static void kill_endpoint(struct endpoint *ep, enum world_end end) {
  ep->machine_died = end == WORLD_END_MACHINE;
  if (end == WORLD_END_PROCESS) {
    endpoint_close(ep);
    return;
  }
  ep->dead = true;
  ep->conn = NULL;
  drop_packets(ep->peer); // what it had sent is lost with it, or some of it
  buf_done(&ep->received);
}

void net_kill_all(struct process *p, enum world_end end) {
  p->machine_is_off = end == WORLD_END_MACHINE;
  for (int i = 0; i < socket_count; i++)
    if (sockets[i]->process == p && !sockets[i]->dead) kill_endpoint(sockets[i], end);
  for (struct net_listener *l = listeners, *next; l != NULL; l = next) {
    next = l->next;
    if (l->process == p) forget_listener(l);
  }
  for (struct net_connecting *c = attempts, *next; c != NULL; c = next) {
    next = c->next;
    if (c->from == p) forget_attempt(c);
  }
}

void net_new_world(void) {
  sockets = NULL;
  socket_count = socket_room = 0;
  listeners = NULL;
  attempts = NULL;
  world_links_set((struct world_link){.delay_min_ns = 200 * NS_PER_US, .delay_max_ns = NS_PER_MS});
}

/// What is left lies in the world's memory.
void net_free_world(void) {
  net_new_world();
}
