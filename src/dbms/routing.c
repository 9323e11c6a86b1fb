#include "dbms/routing.h"

#include "dbms/dbms_int.h"

static struct str with_port(struct arena *a, struct str host, uint16_t port) {
  bool v6 = str_find(host, STR(":")) >= 0;
  return arena_printf(a, "%s%.*s%s:%u", v6 ? "[" : "", STR_ARG(host), v6 ? "]" : "", port);
}

/// What was configured, else what the client dialled, which works through tunnels and containers, else the default.
static struct str advertised(const struct config_values *config, struct str dialled, struct arena *a) {
  uint16_t port = config->bolt_advertised_address.port != 0 ? config->bolt_advertised_address.port : config->bolt_listen_address.port;
  if (config->bolt_advertised_address.host.len > 0) return with_port(a, config->bolt_advertised_address.host, port);
  bool is_default = str_eqz(config->default_advertised_address.host, "localhost");
  struct config_address address;
  if (is_default && dialled.len > 0 && config_parse_address(dialled, &address) && address.host.len > 0) {
    return with_port(a, address.host, address.port != 0 ? address.port : port);
  }
  if (config->bolt_listen_address.port != 0 && config->bolt_advertised_address.port == 7687) port = config->bolt_listen_address.port;
  return with_port(a, config->default_advertised_address.host, port);
}

enum err routing_table(struct database *db, struct str dialled, struct arena *a, struct dbms_routing_table *ret, struct error *e) {
  struct str *address = ARENA_NEW(a, struct str);
  if (address == NULL) return arena_err(a, e);
  *address = advertised(db->dbms->options.config, dialled, a);
  if (address->ptr == NULL) return arena_err(a, e);
  *ret = (struct dbms_routing_table){
      .ttl_s = db->dbms->options.config->routing_ttl_ms / 1000,
      .database = db->name,
      .routers = address,
      .readers = address,
      .writers = address,
      .router_count = 1,
      .reader_count = 1,
      .writer_count = 1,
  };
  return ERR_OK;
}
