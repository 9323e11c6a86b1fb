#include "http/discovery.h"

#include <string.h>

/// Letters, digits and what stands in names and IPv6 addresses: nothing that would need escaping in JSON or change a URI.
static bool is_host(struct str s) {
  for (size_t i = 0; i < s.len; i++) {
    char c = s.ptr[i];
    bool fine =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c != '\0' && strchr("-._:[]", c) != NULL);
    if (!fine) return false;
  }
  return s.len > 0 && s.len < 256;
}

/// "host:port" to "host" and ":port"; brackets stay. The port is empty where there is none.
static struct str split_port(struct str address, struct str *port) {
  const char *colon = address.len > 0 ? memrchr(address.ptr, ':', address.len) : NULL;
  bool inside_brackets = colon != NULL && memchr(colon, ']', address.len - (size_t) (colon - address.ptr)) != NULL;
  if (colon == NULL || inside_brackets) {
    *port = STR_NONE;
    return address;
  }
  size_t len = (size_t) (colon - address.ptr);
  *port = (struct str){colon, address.len - len};
  return (struct str){address.ptr, len};
}

/// Addresses to listen on are none to connect to.
static bool is_default_host(struct str host) {
  return host.len == 0 || str_eqz(host, "0.0.0.0") || str_eqz(host, "[::]");
}

static enum err address_write(struct buf *out, const struct http_discovery *d, struct str request_host) {
  struct str port, ignored;
  struct str host = split_port(d->bolt_address, &port);
  if (is_default_host(host)) host = split_port(request_host, &ignored);
  if (!is_host(host)) host = STR("localhost");
  TRY(buf_append_str(out, host));
  return port.len > 1 ? buf_append_str(out, port) : buf_printf(out, ":%u", d->bolt_port);
}

enum err http_discovery_write(struct buf *out, const struct http_discovery *d, struct str request_host) {
  TRY(buf_append_str(out, STR("{\"bolt_routing\":\"neo4j://")));
  TRY(address_write(out, d, request_host));
  TRY(buf_append_str(out, STR("\",\"bolt_direct\":\"bolt://")));
  TRY(address_write(out, d, request_host));
  TRY(buf_printf(out, "\",\"neo4j_version\":\"%.*s\",\"neo4j_edition\":\"%.*s\"", STR_ARG(d->version), STR_ARG(d->edition)));
  return buf_append_str(out, STR(",\"auth_config\":{\"oidc_providers\":[]}}"));
}
