// Routing tables: who answers for a database. A standalone server answers for itself in all three roles; in a cluster the leader
// takes writes and the followers reads, and every member tells the table. Private to dbms.
#pragma once

#include "base/arena.h"
#include "config/config.h"
#include "dbms/database.h"
#include "dbms/session.h"

/// Where clients reach this server. `dialled` is the address that the client used; it is told back unless one is configured
/// (server.bolt.advertised_address). In `a`; `ptr` is NULL without memory.
struct str routing_advertised(const struct config_values *config, struct str dialled, struct arena *a);

/// While no leader is known there is no writer, which is no error: clients ask again. Nobody is sent to read on a server with
/// whom the connection was lost. Texts in `a`.
enum err routing_table(struct database *db, struct str dialled, struct arena *a, struct dbms_routing_table *ret,
                       struct error *e) NODISCARD;

/// One server for everything, `at` that address (no text: of the memory of `a`). `db` is the database's name as it is to be told.
enum err routing_table_of_one(const struct config_values *config, struct str db, struct str at, struct arena *a,
                              struct dbms_routing_table *ret, struct error *e) NODISCARD;
