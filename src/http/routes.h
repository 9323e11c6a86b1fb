// Which resource answers which path. A new resource is one row in the table of routes.c and one function.
#pragma once

#include "http/connection.h"
#include "http/discovery.h"

struct http_routes {
  struct http_handler handler; // give &routes->handler to connections
  struct http_discovery discovery;
};

void http_routes_init(struct http_routes *r, const struct http_discovery *discovery);
