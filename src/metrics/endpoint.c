// The endpoint: what is asked is collected on its thread, and limits are those of the HTTP server (http/server.h).
#include "http/connection.h"
#include "http/server.h"
#include "base/mem.h"
#include "metrics/prometheus.h"

enum { CONNECTIONS_MAX = 32, HEAD_BYTES = 8 * 1024 };

struct metrics_endpoint {
  struct http_handler handler;
  struct metrics_endpoint_options options;
  struct http_server *server;
};

static enum err write_all(const struct metrics_endpoint *m, struct arena *a, struct buf *to) {
  struct metric_list list;
  TRY(metrics_collect(&m->options.source, &m->options.naming, a, &list, NULL));
  return prometheus_write(&list, m->options.naming.namespaces, a, to);
}

static enum err on_request(struct http_handler *h, struct http_caller *caller UNUSED, const struct http_request *r,
                           struct str body UNUSED, struct buf *scratch, struct http_response *ret) {
  const struct metrics_endpoint *m = CONTAINER_OF(h, struct metrics_endpoint, handler);
  struct str target = r->target, path = str_cut(&target, '?');
  struct arena a;
  *ret = (struct http_response){.status = 404};
  if (!str_eqz(path, "/metrics")) return ERR_OK;
  *ret = (struct http_response){.status = 405, .headers = STR("Allow: GET, HEAD\r\n")};
  if (!str_eqz(r->method, "GET") && !str_eqz(r->method, "HEAD")) return ERR_OK;
  arena_init(&a, NULL);
  enum err err = write_all(m, &a, scratch);
  arena_done(&a);
  *ret = (struct http_response){
      .status = 200, .content_type = STR("text/plain; version=0.0.4; charset=utf-8"), .body = buf_str(scratch)};
  return err;
}

enum err metrics_endpoint_start(const struct metrics_endpoint_options *options, struct metrics_endpoint **ret, struct error *e) {
  struct metrics_endpoint *m = mem_zalloc(sizeof *m);
  if (m == NULL) return error_set(e, ERR_NOMEM, "no memory for metrics");
  *m = (struct metrics_endpoint){.handler.handle = on_request, .options = *options};
  struct http_settings s = http_settings_default();
  s.listen_addresses = &m->options.listen;
  s.listen_address_count = 1;
  s.handler = &m->handler;
  s.max_connections = CONNECTIONS_MAX;
  s.head_bytes = HEAD_BYTES;
  s.body_bytes = 0;
  enum err err = http_server_start(&s, options->events, &m->server, e);
  if (err != ERR_OK) {
    mem_free(m);
    return err;
  }
  *ret = m;
  return ERR_OK;
}

const char *metrics_endpoint_address(const struct metrics_endpoint *m) {
  return http_server_address(m->server, 0);
}

void metrics_endpoint_stop(struct metrics_endpoint *m) {
  if (m == NULL) return;
  http_server_stop(m->server);
  mem_free(m);
}
