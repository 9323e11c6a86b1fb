// Short transactions of `system` by the server itself, for what it keeps there: users, databases. Private to dbms.
#pragma once

#include "base/error.h"

struct dbms;
struct graph;
struct graph_tx;

/// What is done within the transaction. ERR_WAIT with no effect: it is called again.
typedef enum err system_step(struct graph_tx *tx, void *context, struct error *e);

/// Reads; may block for the disk. ERR_DATABASE_UNAVAILABLE: `system` is not open just now. Any thread that may wait.
enum err system_read(struct dbms *d, system_step *read, void *context, struct error *e) NODISCARD;

/// Changes something and returns when it is durable, while nobody else steps the machines of `system`.
enum err system_change_alone(struct dbms *d, system_step *change, void *context, struct error *e) NODISCARD;
/// The same with the graph of `system` itself.
enum err system_change_graph(struct graph *g, system_step *change, void *context, struct error *e) NODISCARD;
