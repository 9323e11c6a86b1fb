// What the files about sockets share.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

struct loop;

struct net_resolver {
  struct loop *loop;
  struct sockaddr_in name_server; // of SRV records; port 0: those of the machine
};

/// "127.0.0.1:7687" or "[::1]:7687", cut to `size`.
void net_address_print(const struct sockaddr *address, socklen_t len, char *out, size_t size);
