#include "server/metrics.h"

#include "base/mem.h"
#include "metrics/prometheus.h"
#include "server/listen.h"

enum { PROMETHEUS_PORT = 2004 };

struct metrics_output {
  struct arena arena;
  struct metrics_endpoint *prometheus;
};

/// Whoever reaches it may read it: without a host in the setting it is this machine's alone, whatever other ports listen on.
static enum err start_prometheus(struct metrics_output *m, const struct config_values *v, const struct metrics_source *source,
                                 struct event_sink *events, struct error *e) {
  static const struct config_address none;
  struct metrics_endpoint_options o;
  o.source = *source;
  o.naming = (struct metrics_naming){v->metrics_prefix, v->metrics_namespaces, v->metrics_filter};
  o.listen = listen_address(&m->arena, v->prometheus_endpoint, none, PROMETHEUS_PORT);
  o.events = events;
  if (o.listen.ptr == NULL) return arena_err(&m->arena, e);
  TRY(metrics_endpoint_start(&o, &m->prometheus, e));
  event_raise(events, EVENT_INFO, "metrics.prometheus", "Started publishing Prometheus metrics at http://%s/metrics",
              metrics_endpoint_address(m->prometheus));
  return ERR_OK;
}

enum err metrics_output_start(const struct config_values *v, struct dbms *dbms, struct bolt_server *_Atomic *bolt, struct event_sink *events,
                              struct metrics_output **ret, struct error *e) {
  struct metrics_source source = {dbms, bolt};
  if (!v->metrics_enabled || !v->prometheus_enabled) return ERR_OK;
  struct metrics_output *m = mem_zalloc(sizeof *m);
  if (m == NULL) return error_set(e, ERR_NOMEM, "no memory for metrics");
  arena_init(&m->arena, NULL);
  enum err err = start_prometheus(m, v, &source, events, e);
  if (err != ERR_OK) {
    metrics_output_stop(m);
    return error_prefix(e, "server.metrics.prometheus.endpoint");
  }
  *ret = m;
  return ERR_OK;
}

void metrics_output_stop(struct metrics_output *m) {
  if (m == NULL) return;
  metrics_endpoint_stop(m->prometheus);
  arena_done(&m->arena);
  mem_free(m);
}
