#include "http/routes.h"

typedef enum err resource(struct http_routes *routes, const struct http_request *r, struct str body, struct buf *scratch,
                          struct http_response *ret);

static enum err serve_discovery(struct http_routes *routes, const struct http_request *r, struct str body UNUSED,
                                struct buf *scratch, struct http_response *ret) {
  TRY(http_discovery_write(scratch, &routes->discovery, http_request_header(r, STR("Host"))));
  *ret = (struct http_response){
      .status = 200,
      .content_type = STR("application/json"),
      .headers = STR("Access-Control-Allow-Origin: *\r\nVary: Accept\r\n"),
      .body = buf_str(scratch),
  };
  return ERR_OK;
}

struct route {
  const char *method, *path;
  resource *serve;
};

static const struct route table[] = {
    {"GET", "/", serve_discovery},
    {"HEAD", "/", serve_discovery},
};

static struct str target_path(struct str target) {
  return str_cut(&target, '?');
}

static enum err routes_handle(struct http_handler *h, const struct http_request *r, struct str body, struct buf *scratch,
                              struct http_response *ret) {
  struct http_routes *routes = CONTAINER_OF(h, struct http_routes, handler);
  struct str path = target_path(r->target);
  int status = 404;
  for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
    if (!str_eqz(path, table[i].path)) continue;
    if (str_eqz(r->method, table[i].method)) return table[i].serve(routes, r, body, scratch, ret);
    status = 405;
  }
  *ret = (struct http_response){.status = status};
  if (status == 405) ret->headers = STR("Allow: GET, HEAD\r\n");
  return ERR_OK;
}

void http_routes_init(struct http_routes *r, const struct http_discovery *discovery) {
  *r = (struct http_routes){.handler.handle = routes_handle, .discovery = *discovery};
}
