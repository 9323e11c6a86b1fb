// What the files of database.h share: the machines, as whoever opens the graph sees them (database_machines.c).
#pragma once

#include "dbms/database.h"

struct work;

/// graph_options.work_ready: `context` is the database. Any thread; only takes note.
void database_work_ready(void *context, enum graph_machine which);
/// What a database_machine's serial runs.
void database_run_machine(struct work *w);
/// The database's group, if it has one, looks at what waits to be proposed.
void database_touch_group(struct database *db);
