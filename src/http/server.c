#include "http/server.h"

#include "base/mem.h"
#include "base/refusals.h"
#include "http/forward.h"
#include "http/routes.h"
#include "os/clock.h"
#include "os/net.h"
#include "os/thread.h"

enum { LISTENERS_MAX = 16, LINGER_MS = 2000, TICK_MS = 1000, OUT_HIGH_BYTES = 256 * 1024, OUT_LOW_BYTES = 64 * 1024 };

struct client {
  struct client *next, *previous;
  struct http_server *server;
  struct net_conn *conn;
  struct http_connection http;
  struct http_caller caller;
  int64_t active_ms; // when something last came
};

struct http_server {
  struct http_settings settings;
  struct http_routes routes;
  struct net_resolver *resolver; // of a gateway; otherwise NULL
  struct event_sink *events;
  struct loop *loop;
  struct loop_timer *tick;
  struct net_listener *listeners[LISTENERS_MAX];
  struct client clients; // ring; the loop's thread only
  uint32_t client_count;
  struct refusals refusals; // the loop's thread only
  enum err start_err;
  struct error *start_error; // of the caller that waits in http_server_start
};

struct http_settings http_settings_default(void) {
  return (struct http_settings){
      .bolt_port = 7687,
      .product_version = STR("5.26.0"),
      .edition = STR("community"),
      .idle_timeout_ms = 30 * 1000,
      .max_connections = 1000,
      .head_bytes = 16 * 1024,
      .body_bytes = 1024 * 1024,
  };
}

static void client_free(struct client *c) {
  c->next->previous = c->previous;
  c->previous->next = c->next;
  c->server->client_count--;
  net_conn_free(c->conn);
  http_login_forget(&c->caller);
  http_forward_forget(&c->caller);
  http_connection_done(&c->http);
  mem_free(c);
}

static int64_t wall_s(void) {
  return clock_wall_ns(clock_system()) / NS_PER_S;
}

/// Sends what came of `err` and decides whether more is read.
static void client_answer(struct client *c, enum err err, struct buf *out) {
  if (err == ERR_OK && out->len > 0) err = net_conn_write_buf(c->conn, out);
  if (err != ERR_OK)
    client_free(c);
  else if (c->http.closing)
    net_conn_finish(c->conn, LINGER_MS);
  else {
    net_conn_flush(c->conn); // what was waited for comes outside of the connection's own calls
    if (c->http.waiting || net_conn_pending(c->conn) > OUT_HIGH_BYTES) net_conn_pause(c->conn);
  }
}

static void on_received(void *context, const void *bytes, size_t len) {
  struct client *c = context;
  c->active_ms = loop_now_ms(c->server->loop);
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  enum err err = http_connection_receive(&c->http, bytes, len, wall_s(), &out);
  client_answer(c, err, &out);
}

static void on_ready(struct http_caller *caller) {
  struct client *c = CONTAINER_OF(caller, struct client, caller);
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  net_conn_resume(c->conn);
  enum err err = http_connection_resume(&c->http, wall_s(), &out);
  client_answer(c, err, &out);
}

static void on_drained(void *context) {
  struct client *c = context;
  if (!c->http.waiting) net_conn_resume(c->conn);
}

static void on_closed(void *context, enum err why UNUSED) {
  client_free(context);
}

static enum err client_new(struct http_server *s, int socket) {
  static const struct net_conn_events events = {on_received, on_drained, on_closed};
  struct client *c = mem_zalloc(sizeof *c);
  if (c == NULL) {
    net_socket_close(socket);
    return ERR_NOMEM;
  }
  *c = (struct client){.server = s, .active_ms = loop_now_ms(s->loop), .next = &s->clients, .previous = s->clients.previous};
  c->next->previous = c->previous->next = c;
  s->client_count++;
  c->caller = (struct http_caller){.loop = s->loop, .ready = on_ready};
  struct http_handler *handler = s->settings.handler != NULL ? s->settings.handler : &s->routes.handler;
  http_connection_init(&c->http, handler, &c->caller, s->settings.head_bytes, s->settings.body_bytes);
  enum err err =
      net_conn_new(s->loop, socket, &(struct net_conn_limits){OUT_HIGH_BYTES, OUT_LOW_BYTES}, &events, c, &c->conn, NULL);
  if (err == ERR_OK && s->settings.tls != NULL) err = net_conn_start_tls(c->conn, s->settings.tls, NULL, 0, NULL);
  if (err != ERR_OK) client_free(c);
  return err;
}

static void on_accepted(void *context, int socket, const char *peer, const char *local UNUSED) {
  struct http_server *s = context;
  if (s->client_count >= s->settings.max_connections) {
    net_socket_close(socket);
    refusals_raise(&s->refusals, s->events, "http.connection.refused", loop_now_ms(s->loop), "an HTTP connection", peer,
                   "there are as many as may be");
    return;
  }
  enum err err = client_new(s, socket);
  if (err != ERR_OK)
    refusals_raise(&s->refusals, s->events, "http.connection.refused", loop_now_ms(s->loop), "an HTTP connection", peer, err_text(err));
}

static void on_tick(void *context) {
  struct http_server *s = context;
  int64_t now_ms = loop_now_ms(s->loop);
  for (struct client *c = s->clients.next, *next; c != &s->clients; c = next) {
    next = c->next;
    if (now_ms - c->active_ms >= s->settings.idle_timeout_ms) client_free(c);
  }
}

static enum err open_listeners(struct http_server *s, struct error *e) {
  static const struct net_listener_events events = {on_accepted};
  uint16_t port = s->settings.tls != NULL ? 7473 : 7474;
  for (uint32_t i = 0; i < s->settings.listen_address_count; i++)
    TRY(net_listen(s->loop, s->settings.listen_addresses[i], port, &events, s, &s->listeners[i], e));
  TRY(loop_timer_new(s->loop, on_tick, s, &s->tick, e));
  loop_timer_set(s->tick, TICK_MS, true);
  return ERR_OK;
}

static void start_on_loop(void *argument) {
  struct http_server *s = argument;
  s->start_err = open_listeners(s, s->start_error);
}

static void stop_on_loop(void *argument) {
  struct http_server *s = argument;
  for (uint32_t i = 0; i < LISTENERS_MAX; i++) net_listener_free(s->listeners[i]);
  while (s->clients.next != &s->clients) client_free(s->clients.next);
  loop_timer_free(s->tick);
}

enum err http_server_start(const struct http_settings *settings, struct event_sink *events, struct http_server **ret,
                           struct error *e) {
  if (settings->listen_address_count > LISTENERS_MAX) return error_set(e, ERR_LIMIT, "at most %d HTTP addresses", LISTENERS_MAX);
  struct http_server *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_set(e, ERR_NOMEM, "no memory for the HTTP server");
  s->settings = *settings;
  s->events = events;
  s->start_error = e;
  s->clients.next = s->clients.previous = &s->clients;
  struct http_routes_options routes = {
      .discovery = {settings->bolt_advertised_address, settings->bolt_port, settings->product_version, settings->edition},
      .dbms = settings->dbms,
      .status_needs_login = settings->status_needs_login};
  bool gateway = settings->dbms != NULL && dbms_is_gateway(settings->dbms);
  if (gateway) s->start_err = net_resolver_new(&s->resolver, e);
  routes.resolver = s->resolver;
  http_routes_init(&s->routes, &routes);
  if (s->start_err == ERR_OK) s->start_err = loop_start("http", &s->loop, e);
  if (s->start_err == ERR_OK) loop_call(s->loop, start_on_loop, s);
  enum err err = s->start_err;
  if (err != ERR_OK) {
    http_server_stop(s);
    return err;
  }
  *ret = s;
  return ERR_OK;
}

const char *http_server_address(const struct http_server *s, uint32_t index) {
  return net_listener_address(s->listeners[index]);
}

void http_server_stop(struct http_server *s) {
  if (s == NULL) return;
  if (s->loop != NULL) loop_call(s->loop, stop_on_loop, s);
  while (http_logins_under_way() > 0) thread_sleep_ns(NS_PER_MS);
  net_resolver_free(s->resolver); // before the loop that look-ups come back to
  loop_stop(s->loop);
  mem_free(s);
}
