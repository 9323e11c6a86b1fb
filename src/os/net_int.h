// What the files about sockets share.
#pragma once

#include <sys/socket.h>

/// "127.0.0.1:7687" or "[::1]:7687", cut to `size`.
void net_address_print(const struct sockaddr *address, socklen_t len, char *out, size_t size);
