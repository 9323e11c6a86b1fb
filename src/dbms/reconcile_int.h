// What the files of reconcile.h share.
#pragma once

#include "dbms/reconcile.h"

struct arena;
struct catalogue;
struct catalogue_entry;
struct database;
struct graph_tx;

// ---- reconcile.c ----

/// Of those that this server knows; NULL: it does not.
struct database *reconcile_find(struct dbms *d, struct uuid id);
/// The same; what it does not know is a database from now on, without a graph yet.
enum err reconcile_know(struct dbms *d, const struct catalogue_entry *entry, struct database **ret, struct error *e) NODISCARD;

// ---- the default database (reconcile_default.c) ----

/// Without it a server is not what its clients expect: what keeps it from being opened keeps the server from starting.
enum err reconcile_open_default(struct dbms *d, const struct catalogue *c, struct arena *a, struct error *e) NODISCARD;
/// The change of reconciler.default_entry: `context` is the task.
enum err reconcile_make_default_entry(struct graph_tx *tx, void *context, struct error *e) NODISCARD;
