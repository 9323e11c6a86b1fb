// Reaching a peer: the look-up on the resolver's thread, then one address after the other without blocking.
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/loop_int.h"
#include "os/net.h"
#include "os/net_int.h"

struct net_connecting {
  struct loop *loop;
  struct loop_task task; // to the resolver and back
  struct net_resolver *resolver;
  struct net_connect_events events;
  void *context;
  char text[NET_ADDRESS_TEXT_MAX], host[NET_ADDRESS_TEXT_MAX], service[8];
  int64_t deadline_ms;
  int lookup_error;
  struct addrinfo *found, *next; // next to be tried
  const struct addrinfo *trying;
  struct event *writable;
  int socket, socket_error; // the last one
  bool looking_up, cancelled;
};

// ---- life ----

enum err net_resolver_new(struct net_resolver **ret, struct error *e) {
  struct net_resolver *r = mem_zalloc(sizeof *r);
  if (r == NULL) return error_set(e, ERR_NOMEM, "no memory for looking up names");
  enum err err = loop_start("resolver", &r->loop, e);
  if (err != ERR_OK) {
    mem_free(r);
    return err;
  }
  *ret = r;
  return ERR_OK;
}

void net_resolver_free(struct net_resolver *r) {
  if (r == NULL) return;
  loop_stop(r->loop);
  mem_free(r);
}

static void socket_drop(struct net_connecting *c) {
  if (c->writable != NULL) event_free(c->writable);
  c->writable = NULL;
  if (c->socket >= 0) close(c->socket);
  c->socket = -1;
}

static void release(struct net_connecting *c) {
  socket_drop(c);
  if (c->found != NULL) freeaddrinfo(c->found);
  mem_free(c);
}

/// During the look-up the resolver's thread holds it: it is released when it comes back.
void net_connecting_free(struct net_connecting *c) {
  if (c == NULL) return;
  c->cancelled = true;
  if (!c->looking_up) release(c);
}

static void report_failure(struct net_connecting *c, enum err code, const char *why) {
  struct error e = ERROR_INIT;
  error_set(&e, code, "cannot reach '%s': %s", c->text, why);
  struct net_connect_events events = c->events;
  void *context = c->context;
  release(c);
  events.failed(context, &e);
}

static void report_success(struct net_connecting *c) {
  char peer[NET_ADDRESS_TEXT_MAX];
  net_address_print(c->trying->ai_addr, c->trying->ai_addrlen, peer, sizeof peer);
  struct net_connect_events events = c->events;
  void *context = c->context;
  int socket = c->socket;
  event_free(c->writable);
  c->writable = NULL;
  c->socket = -1;
  release(c);
  events.connected(context, socket, peer);
}

// ---- one address after the other ----

static int addresses_left(const struct net_connecting *c) {
  int left = 0;
  for (const struct addrinfo *at = c->next; at != NULL; at = at->ai_next) left++;
  return left;
}

static void on_writable(evutil_socket_t fd, short what, void *argument);

/// True if the system is at it; otherwise `socket_error` says why not.
static bool begin(struct net_connecting *c, const struct addrinfo *at, int64_t timeout_ms) {
  c->trying = at;
  c->socket = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->socket < 0 || (connect(c->socket, at->ai_addr, at->ai_addrlen) != 0 && errno != EINPROGRESS)) {
    c->socket_error = errno;
    return false;
  }
  struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
  c->writable = event_new(loop_base(c->loop), c->socket, EV_WRITE, on_writable, c);
  if (c->writable != NULL && event_add(c->writable, &timeout) == 0) return true;
  c->socket_error = ENOMEM;
  return false;
}

/// Each address gets its share of the time that is left.
static void try_next(struct net_connecting *c) {
  for (int left; (left = addresses_left(c)) > 0;) {
    int64_t time_left_ms = c->deadline_ms - loop_now_ms(c->loop);
    if (time_left_ms <= 0) {
      c->socket_error = ETIMEDOUT;
      break;
    }
    const struct addrinfo *at = c->next;
    c->next = at->ai_next;
    if (begin(c, at, MAX(time_left_ms / left, 1))) return;
    socket_drop(c);
  }
  report_failure(c, ERR_IO, strerror(c->socket_error));
}

static void on_writable(evutil_socket_t fd, short what, void *argument) {
  struct net_connecting *c = argument;
  int error = ETIMEDOUT;
  socklen_t len = sizeof error;
  if ((what & EV_WRITE) && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) error = errno;
  if (error == 0) {
    report_success(c);
    return;
  }
  c->socket_error = error;
  socket_drop(c);
  try_next(c);
}

// ---- the look-up ----

static void on_looked_up(struct loop_task *task) {
  struct net_connecting *c = CONTAINER_OF(task, struct net_connecting, task);
  c->looking_up = false;
  if (c->cancelled) {
    release(c);
  } else if (c->lookup_error != 0) {
    report_failure(c, ERR_NOTFOUND, gai_strerror(c->lookup_error));
  } else {
    c->next = c->found;
    try_next(c);
  }
}

// "localhost" is this machine without asking anyone (RFC 6761, 6.3), also where no /etc/hosts says so. It is still a name, which
// AI_NUMERICHOST refuses.
static void look_up(struct net_connecting *c, int flags) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
  bool here = c->host[0] == '\0' || ((flags & AI_NUMERICHOST) == 0 && strcasecmp(c->host, "localhost") == 0);
  c->lookup_error = getaddrinfo(here ? NULL : c->host, c->service, &hints, &c->found);
}

static void on_resolver(struct loop_task *task) {
  struct net_connecting *c = CONTAINER_OF(task, struct net_connecting, task);
  look_up(c, 0);
  c->task.run = on_looked_up;
  loop_post(c->loop, &c->task);
}

enum err net_connect(struct loop *loop, struct net_resolver *resolver, struct str address, uint16_t default_port,
                     int64_t timeout_ms, const struct net_connect_events *events, void *context, struct net_connecting **ret,
                     struct error *e) {
  struct str host;
  uint16_t port;
  TRY(net_address_split(address, default_port, &host, &port, e));
  struct net_connecting *c = mem_zalloc(sizeof *c);
  if (c == NULL) return error_set(e, ERR_NOMEM, "no memory for a connection");
  *c = (struct net_connecting){
      .loop = loop, .resolver = resolver, .events = *events, .context = context, .socket = -1, .looking_up = true};
  c->deadline_ms = loop_now_ms(loop) + timeout_ms;
  snprintf(c->text, sizeof c->text, "%.*s", STR_ARG(address));
  snprintf(c->host, sizeof c->host, "%.*s", STR_ARG(host));
  snprintf(c->service, sizeof c->service, "%u", port);
  look_up(c, AI_NUMERICHOST); // an address needs no resolver, which may be slow
  bool known = c->lookup_error == 0;
  c->task.run = known ? on_looked_up : on_resolver;
  loop_post(known ? loop : resolver->loop, &c->task);
  *ret = c;
  return ERR_OK;
}
