#include "bolt/server.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/refusals.h"
#include "bolt/conn.h"
#include "os/clock.h"
#include "os/link_table.h"
#include "os/net.h"
#include "os/thread.h"

enum {
  LISTENERS_MAX = 16,
  LINGER_MS = 2000,
  DRAIN_LINGER_MS = 50,
  TICK_MS_MAX = 1000,
  DRAIN_TICK_MS = 10,
  DEFAULT_PORT = 7687,
  ID_TEXT_MAX = 32
};

struct server_loop;

/// A connection: the loop's own from client_start on.
struct client {
  struct client *next, *previous; // ring of the loop
  struct server_loop *at;
  int socket;           // until client_start
  struct net_conn *net; // NULL: the peer is gone, only an operation or a task is waited for
  struct bolt_conn bolt;
  struct bolt_session_owner owner;
  struct loop_task start, wake, again;
  bool again_posted, counted_unauthenticated, paused;
  int64_t idle_since_ms; // first, while the server stops; 0: not yet
  struct link_row row;   // once the version is agreed
  char peer[NET_ADDRESS_TEXT_MAX], local[NET_ADDRESS_TEXT_MAX], id[ID_TEXT_MAX];
};

struct server_loop {
  struct bolt_server *server;
  struct loop *loop;
  struct loop_timer *tick;
  struct client clients; // ring
  struct bolt_tally tally;
  bool draining, ending; // ending: the drain time is over
};

struct bolt_server {
  struct bolt_settings settings;
  struct dbms *dbms;
  struct event_sink *events;
  struct net_listener *listeners[LISTENERS_MAX]; // of the first loop
  struct server_loop *loops;
  uint32_t next_loop; // the first loop's
  uint64_t next_id;   // the first loop's
  _Atomic uint32_t unauthenticated;
  struct mutex lock; // guards client_count and refusals
  struct refusals refusals;
  struct condition emptied;
  uint32_t client_count;
  struct error *start_error; // of the caller that waits in bolt_server_start
  enum err start_err;
};

// ---- the end of a connection ----

static void client_forget(struct bolt_server *server) {
  mutex_lock(&server->lock);
  if (--server->client_count == 0) condition_broadcast(&server->emptied);
  mutex_unlock(&server->lock);
}

static void tell_refused(struct bolt_server *server, const char *peer, const char *why, int64_t now_ms) {
  const char *what = server->settings.for_servers ? "a connection to the routing port" : "a Bolt connection";
  mutex_lock(&server->lock);
  refusals_raise(&server->refusals, server->events, "bolt.connection.refused", now_ms, what, peer, why);
  mutex_unlock(&server->lock);
}

/// On the routing port there are servers only, which log in at once: whoever leaves without that was none.
static const char *why_to_tell(const struct client *c) {
  bool stranger = c->at->server->settings.for_servers && !bolt_conn_is_authenticated(&c->bolt);
  if (c->bolt.gave_up != NULL || !stranger) return c->bolt.gave_up;
  const char *why = net_conn_why(c->net);
  return why != NULL ? why : "it did not log in: this port is for the servers of the cluster, clients use the Bolt port";
}

static void tell_end(struct client *c) {
  const char *why = c->net != NULL && !c->at->ending ? why_to_tell(c) : NULL;
  if (why != NULL) tell_refused(c->at->server, c->peer, why, loop_now_ms(c->at->loop));
}

static void count_authentication(struct client *c) {
  bool unauthenticated = c->net != NULL && !bolt_conn_is_authenticated(&c->bolt);
  if (unauthenticated == c->counted_unauthenticated) return;
  c->counted_unauthenticated = unauthenticated;
  if (unauthenticated)
    c->at->server->unauthenticated++;
  else
    c->at->server->unauthenticated--;
}

static void client_free_if_possible(struct client *c) {
  if (c->again_posted || !bolt_conn_disconnect(&c->bolt))
    return; // comes back when the task has run, or the operation is finished
  struct bolt_server *server = c->at->server;
  c->next->previous = c->previous;
  c->previous->next = c->next;
  bolt_tally_add(&c->at->tally.connections_closed, 1);
  event_raise(server->events, EVENT_DEBUG, "bolt.connection.closed", "connection=%s peer=%s", c->id, c->peer);
  bolt_conn_done(&c->bolt);
  mem_free(c);
  client_forget(server);
}

static void client_count_sent(struct client *c) {
  bolt_tally_add(&c->at->tally.bytes_sent, net_conn_sent(c->net) - c->bolt.sent_bytes);
}

static void client_close(struct client *c) {
  tell_end(c);
  if (c->net != NULL) client_count_sent(c);
  net_conn_free(c->net);
  link_table_remove(c->at->server->settings.links, &c->row);
  c->net = NULL;
  count_authentication(c);
  client_free_if_possible(c);
}

// ---- after each call into bolt_conn ----

static void client_go_on_later(struct client *c) {
  if (c->again_posted) return;
  c->again_posted = true;
  loop_post(c->at->loop, &c->again);
}

static void client_tell_sent(struct client *c) {
  client_count_sent(c);
  bolt_conn_set_sent(&c->bolt, net_conn_pending(c->net), net_conn_sent(c->net), loop_now_ms(c->at->loop));
}

/// False if the connection is gone.
static bool client_start_tls(struct client *c) {
  CLEANUP(buf_done) struct buf hello = c->bolt.tls_hello;
  c->bolt.tls_hello = BUF_INIT;
  c->bolt.start_tls = false;
  struct tls_context *tls = c->at->server->settings.tls;
  return net_conn_start_tls(c->net, tls, hello.data, hello.len, NULL) == ERR_OK;
}

static void client_set_reading(struct client *c) {
  if (c->bolt.pause_reading == c->paused) return;
  c->paused = c->bolt.pause_reading;
  if (c->paused)
    net_conn_pause(c->net);
  else
    net_conn_resume(c->net);
}

static void client_list_when_agreed(struct client *c) {
  const struct bolt_settings *s = &c->at->server->settings;
  if (s->links == NULL || c->row.place != NULL || c->bolt.session == NULL) return;
  link_table_add(s->links, &c->row, "bolt", c->bolt.handshake.version->major, c->peer, true, s->tls_level != BOLT_TLS_DISABLED);
}

/// The server stops, and nothing is open or was lately. Busy ones are not kept on by being busy again.
static bool client_may_go(struct client *c) {
  if (!c->at->draining || !bolt_conn_is_idle(&c->bolt)) return false;
  if (c->idle_since_ms == 0) c->idle_since_ms = loop_now_ms(c->at->loop);
  return loop_now_ms(c->at->loop) - c->idle_since_ms >= c->at->server->settings.drain_grace_ms;
}

/// Does what the connection's flags ask for. The client may be gone afterwards.
static void client_obey(struct client *c) {
  if (c->net == NULL) {
    client_free_if_possible(c);
    return;
  }
  bool lost = c->bolt.abort || (c->bolt.wire.len > 0 && net_conn_write_buf(c->net, &c->bolt.wire) != ERR_OK);
  if (!lost && c->bolt.start_tls) lost = !client_start_tls(c);
  if (lost) {
    client_close(c);
    return;
  }
  count_authentication(c);
  net_conn_flush(c->net);
  client_set_reading(c);
  client_list_when_agreed(c);
  bool drained = net_conn_pending(c->net) <= c->at->server->settings.out_low_bytes;
  if (c->bolt.finish)
    net_conn_finish(c->net, LINGER_MS);
  else if (c->bolt.run_again || (drained && bolt_conn_could_go_on(&c->bolt)))
    client_go_on_later(c);
  else if (client_may_go(c))
    net_conn_finish(c->net, DRAIN_LINGER_MS);
}

// ---- events of a connection ----

static void on_received(void *context, const void *bytes, size_t len) {
  struct client *c = context;
  client_tell_sent(c);
  bolt_conn_receive(&c->bolt, bytes, len, loop_now_ms(c->at->loop), clock_wall_ns(clock_system()) / NS_PER_S);
  client_obey(c);
}

static void client_run(struct client *c) {
  client_tell_sent(c);
  bolt_conn_run(&c->bolt, loop_now_ms(c->at->loop));
  client_obey(c);
}

static void on_drained(void *context) {
  client_run(context);
}

static void on_closed(void *context, enum err why UNUSED) {
  client_close(context);
}

static void on_again(struct loop_task *task) {
  struct client *c = CONTAINER_OF(task, struct client, again);
  c->again_posted = false;
  if (c->net == NULL)
    client_free_if_possible(c);
  else
    client_run(c);
}

static void on_wake(struct loop_task *task) {
  struct client *c = CONTAINER_OF(task, struct client, wake);
  if (c->net != NULL) client_tell_sent(c);
  bolt_conn_operation_done(&c->bolt, loop_now_ms(c->at->loop));
  client_obey(c);
}

/// From any thread.
static void wake_client(struct bolt_session_owner *owner) {
  struct client *c = CONTAINER_OF(owner, struct client, owner);
  loop_post(c->at->loop, &c->wake);
}

static bool client_is_alone(struct bolt_session_owner *owner) {
  struct client *c = CONTAINER_OF(owner, struct client, owner);
  return c->next == c->previous; // the ring's head and this one
}

// ---- the beginning of a connection ----

static void client_start(struct loop_task *task) {
  static const struct net_conn_events events = {on_received, on_drained, on_closed};
  struct client *c = CONTAINER_OF(task, struct client, start);
  struct bolt_server *server = c->at->server;
  c->next = &c->at->clients;
  c->previous = c->at->clients.previous;
  c->next->previous = c->previous->next = c;
  bolt_tally_add(&c->at->tally.connections_opened, 1);
  event_raise(server->events, EVENT_DEBUG, "bolt.connection.opened", "connection=%s peer=%s", c->id, c->peer);
  struct bolt_conn_setup setup = {
      .settings = &server->settings,
      .dbms = server->dbms,
      .peer = str_of(c->peer),
      .local = str_of(c->local),
      .connection_id = str_of(c->id),
      .owner = &c->owner,
      .tally = &c->at->tally,
      .events = server->events,
  };
  bolt_conn_init(&c->bolt, &setup, loop_now_ms(c->at->loop));
  // Full above the low mark: so the connection tells each time it has fallen to it, which is when a held back stream goes on.
  struct net_conn_limits limits = {server->settings.out_low_bytes, server->settings.out_low_bytes};
  enum err err = net_conn_new(c->at->loop, c->socket, &limits, &events, c, &c->net, NULL);
  if (err == ERR_OK)
    count_authentication(c);
  else
    client_close(c);
}

static const char *reason_to_refuse(struct bolt_server *server) {
  if (server->client_count >= server->settings.max_connections)
    return "there are as many as may be: quiver.bolt.connections.max, or what the limit of open files leaves (ulimit -n)";
  if (server->unauthenticated >= server->settings.max_unauthenticated)
    return "as many as may be have not logged in yet: quiver.bolt.connections.unauthenticated.max";
  return NULL;
}

static bool client_count_in(struct bolt_server *server, const char *peer, int64_t now_ms) {
  mutex_lock(&server->lock);
  const char *reason = reason_to_refuse(server);
  if (reason == NULL) server->client_count++;
  mutex_unlock(&server->lock);
  if (reason == NULL) return true;
  bolt_tally_add(&server->loops[0].tally.refused, 1);
  tell_refused(server, peer, reason, now_ms);
  return false;
}

/// On the first loop, which hands the connections out in turn.
static void on_accepted(void *context, int socket, const char *peer, const char *local) {
  struct bolt_server *server = context;
  struct client *c = client_count_in(server, peer, loop_now_ms(server->loops[0].loop)) ? mem_zalloc(sizeof *c) : NULL;
  if (c == NULL) {
    net_socket_close(socket);
    return;
  }
  c->at = &server->loops[server->next_loop++ % server->settings.threads];
  c->socket = socket;
  c->owner = (struct bolt_session_owner){wake_client, client_is_alone};
  c->start.run = client_start;
  c->wake.run = on_wake;
  c->again.run = on_again;
  snprintf(c->peer, sizeof c->peer, "%s", peer);
  snprintf(c->local, sizeof c->local, "%s", local);
  snprintf(c->id, sizeof c->id, "bolt-%llu", (unsigned long long) server->next_id++);
  loop_post(c->at->loop, &c->start);
}

// ---- time ----

static void client_tick(struct client *c) {
  client_tell_sent(c);
  bolt_conn_tick(&c->bolt, loop_now_ms(c->at->loop));
  if (c->at->ending) c->bolt.abort = true;
  client_obey(c);
}

static void on_tick(void *context) {
  struct server_loop *at = context;
  uint64_t running = 0;
  for (struct client *c = at->clients.next, *next; c != &at->clients; c = next) {
    next = c->next;
    running += bolt_conn_is_busy(&c->bolt);
    if (c->net != NULL) client_tick(c);
  }
  atomic_store_explicit(&at->tally.connections_running, running, memory_order_relaxed);
}

/// Often enough for the shortest of the limits.
static int64_t tick_ms(const struct bolt_settings *s) {
  int64_t shortest = TICK_MS_MAX * 4;
  const int64_t limits[] = {s->keep_alive_ms, s->unauthenticated_timeout_ms, s->stall_timeout_ms};
  for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
    if (limits[i] > 0) shortest = MIN(shortest, limits[i]);
  return MAX(shortest / 4, INT64_C(1));
}

// ---- start and stop ----

static enum err open_on_loop(struct server_loop *at, struct error *e) {
  TRY(loop_timer_new(at->loop, on_tick, at, &at->tick, e));
  loop_timer_set(at->tick, tick_ms(&at->server->settings), true);
  return ERR_OK;
}

static enum err listen_on_loop(struct bolt_server *server, struct error *e) {
  static const struct net_listener_events events = {on_accepted};
  for (uint32_t i = 0; i < server->settings.listen_address_count; i++)
    TRY(net_listen(server->loops[0].loop, server->settings.listen_addresses[i], DEFAULT_PORT, &events, server,
                   &server->listeners[i], e));
  return ERR_OK;
}

static void start_loop(void *argument) {
  struct server_loop *at = argument;
  at->server->start_err = open_on_loop(at, at->server->start_error);
}

static void start_listening(void *argument) {
  struct bolt_server *server = argument;
  server->start_err = listen_on_loop(server, server->start_error);
}

static void stop_listening(void *argument) {
  struct bolt_server *server = argument;
  for (uint32_t i = 0; i < LISTENERS_MAX; i++) {
    net_listener_free(server->listeners[i]);
    server->listeners[i] = NULL;
  }
}

static void start_draining(void *argument) {
  struct server_loop *at = argument;
  at->draining = true;
  if (at->tick != NULL) loop_timer_set(at->tick, DRAIN_TICK_MS, true);
  on_tick(at);
}

static void end_draining(void *argument) {
  struct server_loop *at = argument;
  at->ending = true;
  on_tick(at);
}

static void stop_loop(void *argument) {
  struct server_loop *at = argument;
  loop_timer_free(at->tick);
}

static void for_each_loop(struct bolt_server *server, void (*function)(void *)) {
  for (uint32_t i = 0; i < server->settings.threads; i++)
    if (server->loops[i].loop != NULL) loop_call(server->loops[i].loop, function, &server->loops[i]);
}

/// True when the last connection is gone, false when the time was over before. Negative: waits for ever.
static bool wait_until_empty(struct bolt_server *server, int64_t timeout_ms) {
  int64_t deadline_ns = clock_monotonic_ns(clock_system()) + timeout_ms * NS_PER_MS;
  mutex_lock(&server->lock);
  while (server->client_count > 0) {
    int64_t left_ns = deadline_ns - clock_monotonic_ns(clock_system());
    if (timeout_ms >= 0 && left_ns <= 0) break;
    if (timeout_ms < 0)
      condition_wait(&server->emptied, &server->lock);
    else
      condition_wait_for(&server->emptied, &server->lock, left_ns);
  }
  bool empty = server->client_count == 0;
  mutex_unlock(&server->lock);
  return empty;
}

void bolt_server_stop(struct bolt_server *server) {
  if (server == NULL) return;
  if (server->loops[0].loop != NULL) loop_call(server->loops[0].loop, stop_listening, server);
  for_each_loop(server, start_draining);
  if (!wait_until_empty(server, server->settings.drain_timeout_ms)) {
    for_each_loop(server, end_draining);
    dbms_terminate_all(server->dbms); // a commit may wait for servers that are gone
    wait_until_empty(server, -1);     // operations were interrupted and end soon
  }
  for_each_loop(server, stop_loop);
  for (uint32_t i = 0; i < server->settings.threads; i++) loop_stop(server->loops[i].loop);
  event_raise(server->events, EVENT_DEBUG, "bolt.server.stopped", "connections=%u", server->client_count);
  condition_done(&server->emptied);
  mutex_done(&server->lock);
  mem_free(server->loops);
  mem_free(server);
}

static enum err start_loops(struct bolt_server *server, struct error *e) {
  for (uint32_t i = 0; i < server->settings.threads; i++) {
    struct server_loop *at = &server->loops[i];
    char name[16];
    snprintf(name, sizeof name, "bolt-%u", i);
    at->server = server;
    at->clients.next = at->clients.previous = &at->clients;
    TRY(loop_start(name, &at->loop, e));
    loop_call(at->loop, start_loop, at);
    TRY(server->start_err);
  }
  loop_call(server->loops[0].loop, start_listening, server);
  return server->start_err;
}

static enum err check_settings(const struct bolt_settings *s, struct error *e) {
  if (s->threads == 0) return error_set(e, ERR_INVALID, "Bolt needs at least one thread");
  if (s->listen_address_count > LISTENERS_MAX) return error_set(e, ERR_LIMIT, "at most %d Bolt addresses", LISTENERS_MAX);
  if (s->tls_level != BOLT_TLS_DISABLED && s->tls == NULL)
    return error_set(e, ERR_INVALID, "TLS is asked for, but there is no certificate");
  return ERR_OK;
}

enum err bolt_server_start(const struct bolt_settings *settings, struct dbms *dbms, struct event_sink *events,
                           struct bolt_server **ret, struct error *e) {
  TRY(check_settings(settings, e));
  struct bolt_server *server = mem_zalloc(sizeof *server);
  struct server_loop *loops = mem_zalloc(settings->threads * sizeof *loops);
  if (server == NULL || loops == NULL) {
    mem_free(server);
    mem_free(loops);
    return error_set(e, ERR_NOMEM, "no memory for the Bolt server");
  }
  *server = (struct bolt_server){.settings = *settings, .dbms = dbms, .events = events, .loops = loops, .start_error = e};
  mutex_init(&server->lock);
  condition_init(&server->emptied);
  enum err err = start_loops(server, e);
  if (err != ERR_OK) {
    bolt_server_stop(server);
    return err;
  }
  for (uint32_t i = 0; i < settings->listen_address_count; i++)
    event_raise(events, EVENT_DEBUG, "bolt.server.listening", "address=%s threads=%u", bolt_server_address(server, i),
                settings->threads);
  *ret = server;
  return ERR_OK;
}

const char *bolt_server_address(const struct bolt_server *server, uint32_t index) {
  return net_listener_address(server->listeners[index]);
}

// ---- counters ----

static uint64_t read_counter(const _Atomic uint64_t *counter) {
  return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_tally(struct bolt_counters *sum, const struct bolt_tally *t) {
  sum->connections_opened += read_counter(&t->connections_opened);
  sum->connections_closed += read_counter(&t->connections_closed);
  sum->connections_running += read_counter(&t->connections_running);
  sum->messages_received += read_counter(&t->messages_received);
  sum->messages_started += read_counter(&t->messages_started);
  sum->messages_done += read_counter(&t->messages_done);
  sum->messages_failed += read_counter(&t->messages_failed);
  sum->refused += read_counter(&t->refused);
  sum->unauthenticated_timeouts += read_counter(&t->unauthenticated_timeouts);
  sum->stalled += read_counter(&t->stalled);
  sum->bytes_received += read_counter(&t->bytes_received);
  sum->bytes_sent += read_counter(&t->bytes_sent);
  for (size_t i = 0; i < ARRAY_SIZE(sum->telemetry); i++) sum->telemetry[i] += read_counter(&t->telemetry[i]);
}

struct bolt_counters bolt_server_counters(const struct bolt_server *server) {
  struct bolt_counters sum = {0};
  for (uint32_t i = 0; i < server->settings.threads; i++) add_tally(&sum, &server->loops[i].tally);
  uint64_t open = sum.connections_opened - MIN(sum.connections_closed, sum.connections_opened);
  sum.connections_idle = open - MIN(sum.connections_running, open);
  return sum;
}
