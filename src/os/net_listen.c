#include "os/net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/loop_int.h"
#include "os/net_int.h"

enum {
  BACKLOG = 1024,
  ACCEPTS_PER_ROUND = 64,   // then the loop's connections get their turn
  PAUSE_WHEN_FULL_MS = 100, // no descriptor or memory left: accepting again at once would spin
};

struct net_listener {
  struct loop *loop;
  struct event *readable;
  struct loop_timer *pause;
  struct net_listener_events events;
  void *context;
  int socket;
  char address[NET_ADDRESS_TEXT_MAX];
};

void net_socket_close(int socket) {
  close(socket);
}

static void local_print(int socket, char *out, size_t size) {
  struct sockaddr_storage address;
  socklen_t len = sizeof address;
  if (getsockname(socket, (struct sockaddr *) &address, &len) == 0)
    net_address_print((struct sockaddr *) &address, len, out, size);
  else
    snprintf(out, size, "unknown");
}

static bool out_of_room(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/// False when there is nothing more to accept now.
static bool accept_one(struct net_listener *l) {
  struct sockaddr_storage peer;
  socklen_t len = sizeof peer;
  int socket = accept4(l->socket, (struct sockaddr *) &peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) {
    if (out_of_room(errno)) {
      event_del(l->readable);
      loop_timer_set(l->pause, PAUSE_WHEN_FULL_MS, false);
      return false;
    }
    return errno == ECONNABORTED || errno == EINTR;
  }
  char peer_text[NET_ADDRESS_TEXT_MAX], local_text[NET_ADDRESS_TEXT_MAX];
  net_address_print((struct sockaddr *) &peer, len, peer_text, sizeof peer_text);
  local_print(socket, local_text, sizeof local_text);
  l->events.accepted(l->context, socket, peer_text, local_text);
  return true;
}

static void on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *argument) {
  struct net_listener *l = argument;
  for (int i = 0; i < ACCEPTS_PER_ROUND && accept_one(l); i++) {
  }
}

static void on_pause_over(void *argument) {
  struct net_listener *l = argument;
  event_add(l->readable, NULL);
}

/// An IPv6 socket takes IPv6 only, so that "0.0.0.0" and "[::]" can be listened on side by side.
static int socket_bound(const struct addrinfo *at) {
  int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (at->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static enum err socket_listen(struct str address, uint16_t default_port, int *ret, struct error *e) {
  struct str host;
  uint16_t port;
  TRY(net_address_split(address, default_port, &host, &port, e));
  char name[NET_ADDRESS_TEXT_MAX], service[8];
  snprintf(name, sizeof name, "%.*s", STR_ARG(host));
  snprintf(service, sizeof service, "%u", port);
  struct addrinfo hints = {.ai_family = host.len == 0 ? AF_INET : AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
  struct addrinfo *found;
  int failed = getaddrinfo(host.len == 0 ? NULL : name, service, &hints, &found);
  if (failed != 0) return error_set(e, ERR_IO, "cannot look up '%.*s': %s", STR_ARG(address), gai_strerror(failed));
  int fd = socket_bound(found);
  int error = errno;
  freeaddrinfo(found);
  if (fd < 0) return error_set(e, ERR_IO, "cannot listen on '%.*s': %s", STR_ARG(address), strerror(error));
  *ret = fd;
  return ERR_OK;
}

enum err net_listen(struct loop *loop, struct str address, uint16_t default_port, const struct net_listener_events *events,
                    void *context, struct net_listener **ret, struct error *e) {
  struct net_listener *l = mem_zalloc(sizeof *l);
  if (l == NULL) return error_set(e, ERR_NOMEM, "no memory for a listener");
  *l = (struct net_listener){.loop = loop, .events = *events, .context = context, .socket = -1};
  enum err err = socket_listen(address, default_port, &l->socket, e);
  if (err == ERR_OK) err = loop_timer_new(loop, on_pause_over, l, &l->pause, e);
  if (err == ERR_OK) {
    l->readable = event_new(loop_base(loop), l->socket, EV_READ | EV_PERSIST, on_readable, l);
    if (l->readable == NULL || event_add(l->readable, NULL) != 0) err = error_set(e, ERR_NOMEM, "no memory for a listener");
  }
  if (err != ERR_OK) {
    net_listener_free(l);
    return err;
  }
  local_print(l->socket, l->address, sizeof l->address);
  *ret = l;
  return ERR_OK;
}

const char *net_listener_address(const struct net_listener *l) {
  return l->address;
}

void net_listener_free(struct net_listener *l) {
  if (l == NULL) return;
  if (l->readable != NULL) event_free(l->readable);
  loop_timer_free(l->pause);
  if (l->socket >= 0) close(l->socket);
  mem_free(l);
}
