// A plain socket, as the peer of a connection that is tested.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "os/net.h"

/// Connected with the listener, which is one of loopback.
static inline int socket_connected(const struct net_listener *listener) {
  struct str host;
  uint16_t port;
  assert_ok(net_address_split(str_of(net_listener_address(listener)), 0, &host, &port, NULL));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  assert_int_equal(connect(fd, (struct sockaddr *) &to, sizeof to), 0);
  return fd;
}

/// Until so much is there, or the end. Returns how much was.
static inline size_t read_to_end(int fd, size_t want) {
  char bytes[65536];
  size_t total = 0;
  while (total < want) {
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got <= 0) break;
    total += (size_t) got;
  }
  return total;
}
