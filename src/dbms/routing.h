// Routing tables: who answers for a database. One server answers for itself in all three roles. Private to dbms.
#pragma once

#include "base/arena.h"
#include "dbms/database.h"
#include "dbms/session.h"

/// `dialled` is the address that the client used; it is told back unless one is configured (server.bolt.advertised_address). Texts in `a`.
enum err routing_table(struct database *db, struct str dialled, struct arena *a, struct dbms_routing_table *ret, struct error *e) NODISCARD;
