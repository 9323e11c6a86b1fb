// Rows of SHOW DATABASES and SHOW SERVERS: every server with every database, as the roster has them. Private to dbms.
#pragma once

#include "dbms/dbms_int.h"
#include "dbms/record_list.h"
#include "dbms/roster.h"

/// One row for each server that has database number `database`, and for each that is not heard of, which may have it. `of_5`:
/// roles as Neo4j 5 names them (primary, secondary), otherwise as 4.4 does (leader, follower, read_replica, standalone).
/// `is_home`: it is the home database of whoever asks.
enum err show_database(const struct roster *r, struct dbms *d, uint32_t database, bool is_home, bool of_5, struct record_list *l,
                       struct error *e) NODISCARD;

enum err show_servers(struct dbms *d, struct record_list *l, struct error *e) NODISCARD;
