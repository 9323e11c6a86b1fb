// The databases with the threads that work for them: what the server and the tools that need a running database have in common.
#pragma once

#include "base/error.h"
#include "base/event.h"
#include "config/config.h"
#include "os/disk.h"

struct dbms;
struct dbms_cluster_options;
struct dbms_remote;
struct engine;

/// Starts the threads, which inherit the caller's mask of signals. `config`, `disk` (NULL: the machine's) and `events` (may be NULL) must
/// outlive the engine.
enum err engine_new(const struct config *config, struct disk *disk, struct event_sink *events, struct engine **ret, struct error *e) NODISCARD;

/// Before engine_open: how the other servers of the cluster are reached (dbms/remote.h); outlives the engine. NULL: they are not.
void engine_reach(struct engine *engine, struct dbms_remote *remote);

/// Settles memory and opens all databases, which may take long (recovery). `cluster`: as a member of one, NULL: standalone; outlives the
/// engine.
enum err engine_open(struct engine *engine, const struct dbms_cluster_options *cluster, struct error *e) NODISCARD;

/// NULL before engine_open.
struct dbms *engine_dbms(struct engine *engine);

/// Writes checkpoints, ends the threads, closes, frees; no session may be left. What could not be written is an event: it is in the log
/// and will be replayed. NULL is fine.
void engine_close(struct engine *engine);
