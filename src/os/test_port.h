// A port for a test that has to know it before anybody listens.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"

/// Below those that the system gives to whoever connects (from 32,768 on): nobody comes by one of them by chance.
enum { TEST_PORT_FIRST = 10240, TEST_PORT_COUNT = 22000 };

static inline bool test_port_is_free(uint16_t port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  assert_true(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0);
  bool is_free = bind(fd, (struct sockaddr *) &a, sizeof a) == 0;
  close(fd);
  return is_free;
}

/// Of loopback; free a moment ago, and another one with each call. Processes of about the same time begin far from each other.
static inline uint16_t free_port(void) {
  static unsigned next;
  if (next == 0) next = (unsigned) getpid() * 97u;
  for (int tries = 0; tries < TEST_PORT_COUNT; tries++) {
    uint16_t port = (uint16_t) (TEST_PORT_FIRST + next++ % TEST_PORT_COUNT);
    if (test_port_is_free(port)) return port;
  }
  fail_msg("no port is free");
  return 0;
}
