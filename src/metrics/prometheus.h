// Metrics in the text format of Prometheus, version 0.0.4
// (https://github.com/prometheus/docs/blob/main/content/docs/instrumenting/exposition_formats.md), and the endpoint that gives them out.
#pragma once

#include "base/buf.h"
#include "base/event.h"
#include "metrics/metrics.h"

struct metrics_endpoint;

/// Names as Neo4j's: everything but letters, digits, `_` and `:` becomes `_`, and counters end in `_total` where `totals`. Databases whose names come
/// to be the same that way are told apart by a label `database`. Pure. ERR_NOMEM.
enum err prometheus_write(const struct metric_list *list, bool totals, struct arena *a, struct buf *to) NODISCARD;

struct metrics_endpoint_options {
  struct metrics_source source; // outlives the endpoint
  struct metrics_naming naming; // texts, too
  struct str listen;            // "localhost:2004"
  struct event_sink *events;    // may be NULL
};

/// Serves GET /metrics on a thread of its own, without a login. ERR_IO: the address cannot be had.
enum err metrics_endpoint_start(const struct metrics_endpoint_options *options, struct metrics_endpoint **ret, struct error *e) NODISCARD;
/// "127.0.0.1:2004", with the port that the system chose.
const char *metrics_endpoint_address(const struct metrics_endpoint *m);
/// Nobody asks any more when it returns. NULL is fine.
void metrics_endpoint_stop(struct metrics_endpoint *m);
