// One question to the Kubernetes API: connect, TLS, request, all of the response.
#include "cluster/kubernetes.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "os/tls.h"

enum { TIMEOUT_MS = 10000, FILE_BYTES_MAX = 64 << 10, MEMORY_BYTES_MAX = 64 << 20 };

struct kubernetes_question {
  struct loop *loop;
  struct kubernetes_options options; // texts in `arena`
  struct kubernetes_events events;
  void *context;
  struct mem_budget budget;
  struct arena arena;
  struct tls_context *tls;
  struct net_connecting *connecting;
  struct net_conn *conn;
  struct loop_timer *patience;
  struct buf request, response;
  struct str namespace;
  struct str set; // the name of a StatefulSet; empty: services are asked for
  char host[NET_ADDRESS_TEXT_MAX];
};

// ---- files ----

static enum err read_open(struct disk_file *f, const char *path, struct arena *arena, struct str *ret, struct error *e) {
  char *to = arena_alloc(arena, FILE_BYTES_MAX);
  size_t bytes = 0;
  if (to == NULL) return arena_err(arena, e);
  TRY(disk_read_some(f, 0, to, FILE_BYTES_MAX, &bytes, e));
  if (bytes == FILE_BYTES_MAX) return error_set(e, ERR_INVALID, "'%s' is longer than %d bytes", path, FILE_BYTES_MAX);
  *ret = str_trim((struct str){to, bytes});
  return ERR_OK;
}

static enum err read_small(struct kubernetes_question *q, struct str path, struct str *ret, struct error *e) {
  struct disk *d = q->options.disk != NULL ? q->options.disk : disk_system();
  struct disk_file *f;
  TRY(disk_open(d, path.ptr, DISK_READ_ONLY, &f, e));
  enum err err = read_open(f, path.ptr, &q->arena, ret, e);
  disk_close(f);
  return err;
}

// ---- the end ----

void kubernetes_question_free(struct kubernetes_question *q) {
  if (q == NULL) return;
  net_connecting_free(q->connecting);
  net_conn_free(q->conn);
  loop_timer_free(q->patience);
  tls_context_free(q->tls);
  buf_done(&q->request);
  buf_done(&q->response);
  arena_done(&q->arena);
  mem_free(q);
}

static void fail(struct kubernetes_question *q, enum err code, const char *why) {
  struct error e = ERROR_INIT;
  struct kubernetes_events events = q->events;
  void *context = q->context;
  error_set(&e, code, "Kubernetes at %.*s: %s", STR_ARG(q->options.address), why);
  kubernetes_question_free(q);
  events.failed(context, &e);
}

static enum err tell_services(struct kubernetes_question *q, struct error *e) {
  const struct str *addresses;
  size_t count;
  TRY(kubernetes_response(buf_str(&q->response), &q->options, q->namespace, &q->arena, &addresses, &count, e));
  q->events.found(q->context, addresses, count);
  return ERR_OK;
}

static enum err tell_set(struct kubernetes_question *q, struct error *e) {
  struct stateful_set set;
  TRY(kubernetes_set_response(buf_str(&q->response), &q->options, q->namespace, q->set, &q->arena, &set, e));
  q->events.set(q->context, &set);
  return ERR_OK;
}

static void conclude(struct kubernetes_question *q) {
  struct error e = ERROR_INIT;
  enum err err = q->set.len > 0 ? tell_set(q, &e) : tell_services(q, &e);
  if (err != ERR_OK)
    fail(q, err, e.message);
  else
    kubernetes_question_free(q);
}

// ---- the connection ----

static void on_patience_over(void *context) {
  fail(context, ERR_IO, "it does not answer in time");
}

static void on_received(void *context, const void *bytes, size_t len) {
  struct kubernetes_question *q = context;
  if (q->response.len + len > KUBERNETES_RESPONSE_BYTES_MAX)
    fail(q, ERR_IO, "its answer is too long: let dbms.kubernetes.label_selector choose fewer services");
  else if (buf_append(&q->response, bytes, len) != ERR_OK)
    fail(q, ERR_NOMEM, "no memory for its answer");
}

static void on_drained(void *context UNUSED) {
}

static void on_closed(void *context, enum err why) {
  struct kubernetes_question *q = context;
  const char *known = net_conn_why(q->conn);
  if (q->response.len > 0)
    conclude(q);
  else
    fail(q, ERR_IO, known != NULL ? known : why == ERR_CLOSED ? "it closed the connection" : err_text(why));
}

static enum err begin(struct kubernetes_question *q, int socket, struct error *e) {
  static const struct net_conn_events events = {on_received, on_drained, on_closed};
  static const struct net_conn_limits limits = {1 << 20, 1 << 10};
  TRY(net_conn_new(q->loop, socket, &limits, &events, q, &q->conn, e));
  TRY(net_conn_connect_tls(q->conn, q->tls, q->host, e));
  enum err err = net_conn_write_buf(q->conn, &q->request);
  if (err != ERR_OK) return error_ensure(e, err);
  net_conn_flush(q->conn);
  return ERR_OK;
}

static void on_connected(void *context, int socket, const char *peer UNUSED) {
  struct kubernetes_question *q = context;
  struct error e = ERROR_INIT;
  q->connecting = NULL;
  enum err err = begin(q, socket, &e);
  if (err != ERR_OK) fail(q, err, e.message);
}

static void on_failed(void *context, const struct error *why) {
  struct kubernetes_question *q = context;
  q->connecting = NULL;
  fail(q, why->code, why->message);
}

// ---- the beginning ----

static enum err copy_texts(struct kubernetes_question *q, struct error *e) {
  struct kubernetes_options *o = &q->options;
  struct str *const texts[] = {&o->address,        &o->ca_path,           &o->token_path,     &o->namespace_path,
                               &o->label_selector, &o->service_port_name, &o->cluster_domain, &q->set};
  for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
    *texts[i] = arena_str(&q->arena, *texts[i]); // with a NUL, which paths need
    if (texts[i]->ptr == NULL) return arena_err(&q->arena, e);
  }
  return ERR_OK;
}

static enum err put_request(struct kubernetes_question *q, struct str token, struct error *e) {
  if (q->set.len > 0) return kubernetes_set_request(&q->request, &q->options, q->namespace, q->set, token, e);
  return kubernetes_request(&q->request, &q->options, q->namespace, token, e);
}

static enum err prepare(struct kubernetes_question *q, struct error *e) {
  struct str host, token;
  uint16_t port;
  TRY(copy_texts(q, e));
  TRY(net_address_split(q->options.address, 443, &host, &port, e));
  snprintf(q->host, sizeof q->host, "%.*s", STR_ARG(host));
  TRY(read_small(q, q->options.namespace_path, &q->namespace, e));
  TRY(read_small(q, q->options.token_path, &token, e));
  TRY(put_request(q, token, e));
  TRY(tls_context_new_trusting(q->options.ca_path.ptr, &q->tls, e));
  return loop_timer_new(q->loop, on_patience_over, q, &q->patience, e);
}

static enum err ask(struct loop *loop, struct net_resolver *resolver, const struct kubernetes_options *options, struct str set,
                    const struct kubernetes_events *events, void *context, struct kubernetes_question **ret, struct error *e) {
  static const struct net_connect_events connect = {on_connected, on_failed};
  struct kubernetes_question *q = mem_zalloc(sizeof *q);
  int64_t timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS;
  if (q == NULL) return error_set(e, ERR_NOMEM, "no memory for a question to Kubernetes");
  *q = (struct kubernetes_question){.loop = loop, .options = *options, .events = *events, .context = context, .set = set};
  mem_budget_init(&q->budget, NULL, MEMORY_BYTES_MAX, ERR_LIMIT, NULL);
  arena_init(&q->arena, &q->budget);
  enum err err = prepare(q, e);
  if (err == ERR_OK) err = net_connect(loop, resolver, q->options.address, 443, timeout_ms, &connect, q, &q->connecting, e);
  if (err != ERR_OK) {
    kubernetes_question_free(q);
    return err;
  }
  loop_timer_set(q->patience, timeout_ms, false);
  *ret = q;
  return ERR_OK;
}

enum err kubernetes_ask(struct loop *loop, struct net_resolver *resolver, const struct kubernetes_options *options,
                        const struct kubernetes_events *events, void *context, struct kubernetes_question **ret,
                        struct error *e) {
  return ask(loop, resolver, options, STR_NONE, events, context, ret, e);
}

enum err kubernetes_ask_set(struct loop *loop, struct net_resolver *resolver, const struct kubernetes_options *options,
                            struct str name, const struct kubernetes_events *events, void *context,
                            struct kubernetes_question **ret, struct error *e) {
  if (name.len == 0) return error_set(e, ERR_INVALID, "a StatefulSet has a name");
  return ask(loop, resolver, options, name, events, context, ret, e);
}
