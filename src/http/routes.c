#include "http/routes.h"

#include "http/cluster.h"
#include "http/forward.h"

/// What a request asks of a resource. `words` are the parts of the path where its pattern has `*`.
struct asked {
  const struct http_request *request;
  struct str words[2];
  struct buf *scratch;
};

typedef enum err resource(struct http_routes *routes, const struct asked *asked, struct http_response *ret);

static enum err serve_discovery(struct http_routes *routes, const struct asked *asked, struct http_response *ret) {
  TRY(http_discovery_write(asked->scratch, &routes->options.discovery, http_request_header(asked->request, STR("Host"))));
  *ret = (struct http_response){
      .status = 200,
      .content_type = STR("application/json"),
      .headers = STR("Access-Control-Allow-Origin: *\r\nVary: Accept\r\n"),
      .body = buf_str(asked->scratch),
  };
  return ERR_OK;
}

static enum err serve_cluster(struct http_routes *routes, const struct asked *asked, struct http_response *ret) {
  return http_cluster_answer(routes->options.dbms, HTTP_CLUSTER_SINCE_4, asked->words[0], asked->words[1], asked->scratch, ret);
}

static enum err serve_cluster_3(struct http_routes *routes, const struct asked *asked, struct http_response *ret) {
  return http_cluster_answer(routes->options.dbms, HTTP_CLUSTER_3, STR(""), asked->words[0], asked->scratch, ret);
}

static enum err serve_ha(struct http_routes *routes, const struct asked *asked, struct http_response *ret) {
  return http_cluster_answer(routes->options.dbms, HTTP_CLUSTER_3_HA, STR(""), asked->words[0], asked->scratch, ret);
}

static enum err serve_cluster_all(struct http_routes *routes, const struct asked *asked, struct http_response *ret) {
  return http_cluster_answer_all(routes->options.dbms, asked->scratch, ret);
}

struct route {
  const char *path; // `*` stands for one part
  resource *serve;
  bool of_cluster; // only where there is a database server; may need a login
};

/// All of them for GET and HEAD.
static const struct route table[] = {
    {"/", serve_discovery, false},
    {"/db/*/cluster/*", serve_cluster, true},
    {"/dbms/cluster/status", serve_cluster_all, true},
    {"/db/manage/server/core/*", serve_cluster_3, true},
    {"/db/manage/server/causalclustering/*", serve_cluster_3, true},
    {"/db/manage/server/read-replica/*", serve_cluster_3, true},
    {"/db/manage/server/ha/*", serve_ha, true},
};

static bool matches(const char *pattern, struct str path, struct str words[2]) {
  struct str rest = str_of(pattern);
  uint32_t n = 0;
  while (rest.ptr != NULL && path.ptr != NULL) {
    struct str wanted = str_cut(&rest, '/'), part = str_cut(&path, '/');
    if (str_eqz(wanted, "*"))
      words[n++] = part;
    else if (!str_eq(wanted, part))
      return false;
  }
  return rest.ptr == NULL && path.ptr == NULL;
}

/// HAProxy and people log in as they do for Bolt, unless the operator says that they need not.
static enum err admit(const struct http_routes *routes, struct http_caller *caller, const struct http_request *r) {
  if (!routes->options.status_needs_login || !dbms_auth_enabled(routes->options.dbms)) return ERR_OK;
  return http_login_check(caller, routes->options.dbms, http_request_header(r, STR("Authorization")));
}

static struct http_response refuse(enum err err) {
  struct http_response r = {.status = err == ERR_UNAUTHORIZED ? 401 : err == ERR_AUTH_RATE_LIMIT ? 429 : 403};
  if (err == ERR_UNAUTHORIZED) r.headers = STR("WWW-Authenticate: Basic realm=\"Quiver\"\r\n");
  return r;
}

static enum err serve(struct http_routes *routes, const struct route *route, struct http_caller *caller,
                      const struct asked *asked, struct http_response *ret) {
  if (!str_eqz(asked->request->method, "GET") && !str_eqz(asked->request->method, "HEAD")) {
    *ret = (struct http_response){.status = 405, .headers = STR("Allow: GET, HEAD\r\n")};
    return ERR_OK;
  }
  if (route->of_cluster && dbms_is_gateway(routes->options.dbms)) // whoever is asked looks at the credentials
    return http_forward_answer(caller, routes->options.dbms, routes->options.resolver, asked->request, asked->scratch, ret);
  enum err err = route->of_cluster ? admit(routes, caller, asked->request) : ERR_OK;
  if (err == ERR_OK) return route->serve(routes, asked, ret);
  if (err == ERR_WAIT || err == ERR_NOMEM) return err;
  *ret = refuse(err);
  return ERR_OK;
}

static enum err routes_handle(struct http_handler *h, struct http_caller *caller, const struct http_request *r,
                              struct str body UNUSED, struct buf *scratch, struct http_response *ret) {
  struct http_routes *routes = CONTAINER_OF(h, struct http_routes, handler);
  struct str target = r->target, path = str_cut(&target, '?');
  struct asked asked = {.request = r, .scratch = scratch};
  for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
    if (table[i].of_cluster && routes->options.dbms == NULL) continue;
    if (matches(table[i].path, path, asked.words)) return serve(routes, &table[i], caller, &asked, ret);
  }
  *ret = (struct http_response){.status = 404};
  return ERR_OK;
}

void http_routes_init(struct http_routes *r, const struct http_routes_options *options) {
  *r = (struct http_routes){.handler.handle = routes_handle, .options = *options};
}
