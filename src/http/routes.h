// Which resource answers which path. A new resource is one row in the table of routes.c and one function.
#pragma once

#include "dbms/session.h"
#include "http/connection.h"
#include "http/discovery.h"
#include "os/net.h"

struct http_routes_options {
  struct http_discovery discovery;
  struct dbms *dbms;       // NULL: the discovery document is all there is
  bool status_needs_login; // what tells of the cluster
  struct net_resolver *resolver; // of a gateway, for names of members; may be NULL otherwise
};

struct http_routes {
  struct http_handler handler; // give &routes->handler to connections
  struct http_routes_options options;
};

void http_routes_init(struct http_routes *r, const struct http_routes_options *options);
