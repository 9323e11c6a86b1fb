// The discovery document: where a browser or a tool that knows the HTTP address finds Bolt. JSON, as Neo4j answers it at `/`.
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/str.h"

struct http_discovery {
  struct str bolt_address; // "host:port" as configured; without a host (empty, ":7687"), that of the request is used
  uint16_t bolt_port;      // where the address names none
  struct str version;      // "5.26.0"
  struct str edition;      // "community"
};

/// Appends {"bolt_routing", "bolt_direct", "neo4j_version", "neo4j_edition", "auth_config"}. `request_host` is the Host header
/// ("host" or "host:port"); text in it that could not be a host is not repeated: then "localhost" stands there.
enum err http_discovery_write(struct buf *out, const struct http_discovery *d, struct str request_host) NODISCARD;
