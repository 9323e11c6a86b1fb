#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "os/net.h"
#include "os/net_int.h"

static enum err address_bad(struct str text, struct error *e) {
  return error_set(e, ERR_INVALID, "'%.*s' is not an address: write host:port, [ipv6]:port, :port or host", STR_ARG(text));
}

static bool port_read(struct str text, uint16_t *ret) {
  int64_t port;
  if (!str_to_i64(text, &port) || port < 0 || port > UINT16_MAX) return false;
  *ret = (uint16_t) port;
  return true;
}

static const char *last_colon(struct str text) {
  return text.ptr == NULL ? NULL : memrchr(text.ptr, ':', text.len);
}

/// Where the host ends: behind the bracket of "[::1]", before the last colon of "host:1", else at the end of the text.
static bool host_end(struct str text, size_t *ret) {
  if (str_starts(text, STR("["))) {
    int64_t close = str_find(text, STR("]"));
    *ret = (size_t) close + 1;
    return close > 1;
  }
  const char *colon = last_colon(text);
  *ret = colon == NULL ? text.len : (size_t) (colon - text.ptr);
  return colon == NULL || memchr(text.ptr, ':', *ret) == NULL; // two colons without brackets: which one is the port's?
}

enum err net_address_split(struct str text, uint16_t default_port, struct str *ret_host, uint16_t *ret_port, struct error *e) {
  size_t end;
  if (text.len == 0 || text.len >= NET_ADDRESS_TEXT_MAX || !host_end(text, &end)) return address_bad(text, e);
  uint16_t port = default_port;
  if (end < text.len) {
    struct str rest = {text.ptr + end, text.len - end};
    if (rest.ptr[0] != ':' || !port_read((struct str){rest.ptr + 1, rest.len - 1}, &port)) return address_bad(text, e);
  }
  bool bracketed = text.ptr[0] == '[';
  *ret_host = bracketed ? (struct str){text.ptr + 1, end - 2} : (struct str){text.ptr, end};
  *ret_port = port;
  return ERR_OK;
}

void net_address_print(const struct sockaddr *address, socklen_t len, char *out, size_t size) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (getnameinfo(address, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    snprintf(out, size, "unknown");
    return;
  }
  snprintf(out, size, address->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
