// How a cluster begins with the databases of one of its founders, the seed (cluster/founding.h): before a founder opens its
// databases for the first time as a member, on the thread that starts the server.
//
// Every group begins with a store that ends at one entry (X, T), which the seed's log reached while it was standalone, and with
// all founders as voters. The seed's stores are there. The others fetch copies of them first, and begin afterwards: so nobody
// votes without the data, and the seed cannot commit anything before one more founder has it. Whoever gets a copy that is newer,
// because the others have elected a leader meanwhile, is too late for that: it begins with nothing, as a server that comes later
// does.
//
// T is below the founding's first term, and every entry behind X is of a term above it: so a copy tells by its last entry which
// of the two it is.
//
// One store after the other becomes a member's by one write of its group state. After a crash the rest is done at the next start.
#pragma once

#include "cluster/announcement.h"
#include "config/config.h"
#include "dbms/dbms.h"

/// What the databases of a standalone server here bring to a cluster that it founds: the uuid of `system`, and the first term.
/// False: nothing is here, or it is a member's. ERR_INVALID: `quiver admin server unbind` was cut short.
enum err seed_look(const struct config_values *config, struct disk *disk, struct announced_database *ret, bool *ret_any,
                   struct error *e) NODISCARD;

/// Makes what the cluster begins with the beginning of this founder's groups, if there is a seed and they have not begun; waits
/// for the seed, as long as it takes. ERR_INVALID: a database of the seed is stopped, or has gone on as a standalone server's
/// after the founding. Other errors: of the disk.
enum err seed_begin(const struct config_values *config, struct disk *disk, struct event_sink *events,
                    const struct dbms_cluster_options *cluster, struct error *e) NODISCARD;
