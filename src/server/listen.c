#include "server/listen.h"

static struct str join(struct arena *a, struct str host, uint16_t port) {
  bool ipv6 = str_find(host, STR(":")) >= 0;
  return arena_printf(a, ipv6 ? "[%.*s]:%u" : "%.*s:%u", STR_ARG(host), port);
}

struct str listen_address(struct arena *a, struct config_address own, struct config_address common, uint16_t port) {
  struct str host = own.host.len > 0 ? own.host : common.host;
  if (host.len == 0 || str_eq_nocase(host, STR("localhost"))) host = STR("127.0.0.1");
  return join(a, host, own.port != 0 ? own.port : port);
}

struct str listen_advertised(struct arena *a, struct config_address own, bool own_is_set, struct config_address common, bool common_is_set,
                             uint16_t listening) {
  struct str host = own.host.len > 0 ? own.host : common_is_set ? common.host : STR("");
  if (host.len == 0) return STR("");
  return join(a, host, own_is_set && own.port != 0 ? own.port : listening);
}
