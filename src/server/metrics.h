// What is measured here, given out as the settings say (metrics/metrics.h).
#pragma once

#include "base/event.h"
#include "config/config.h"

struct bolt_server;
struct dbms;
struct metrics_output;

/// Begins to. `*bolt` is filled in when clients are let in: they come last. `*ret` NULL: no output is enabled. What is passed outlives it. ERR_IO: an address cannot be had.
enum err metrics_output_start(const struct config_values *v, struct dbms *dbms, struct bolt_server *_Atomic *bolt, struct event_sink *events,
                              struct metrics_output **ret, struct error *e) NODISCARD;
/// Nothing of what it was given is looked at afterwards. NULL is fine.
void metrics_output_stop(struct metrics_output *m);
