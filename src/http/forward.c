#include "http/forward.h"

#include "base/mem.h"

enum { TRIES_MAX = 16, MEMBER_MS = 3000, ANSWER_BYTES_MAX = 1 << 20, HTTP_PORT = 7474 };

struct http_forward {
  struct http_caller *caller;
  struct net_resolver *resolver;
  struct arena texts;
  const struct str *members; // addresses
  uint32_t count, next;
  struct buf request, answer;
  struct net_connecting *connecting;
  struct net_conn *conn;
  struct loop_timer *patience;
  bool finished;
};

static void try_next(struct http_forward *f);

// ---- what a member says ----

/// "HTTP/1.1 200 OK"
static bool read_status(struct str line, int *ret) {
  int64_t status;
  if (line.len < 12 || !str_starts(line, STR("HTTP/1.")) || !str_to_i64((struct str){line.ptr + 9, 3}, &status)) return false;
  if (status < 200 || status > 599) return false;
  *ret = (int) status;
  return true;
}

static bool take_line(struct str *rest, struct str *ret) {
  int64_t end = str_find(*rest, STR("\r\n"));
  if (end < 0) return false;
  *ret = (struct str){rest->ptr, (size_t) end};
  *rest = (struct str){rest->ptr + end + 2, rest->len - (size_t) end - 2};
  return true;
}

/// Those that members send; whatever else it may be is not passed on.
static struct str known_type(struct str text) {
  static const struct str known[] = {{"application/json", 16}, {"text/plain", 10}};
  for (size_t i = 0; i < ARRAY_SIZE(known); i++)
    if (str_eq_nocase(text, known[i])) return known[i];
  return STR("");
}

enum err http_forward_read(struct str answer, struct buf *scratch, struct http_response *ret) {
  struct http_response r = {0};
  struct str line;
  int64_t length = -1;
  if (!take_line(&answer, &line) || !read_status(line, &r.status)) return ERR_IO;
  while (take_line(&answer, &line) && line.len > 0) {
    struct str value = line, name = str_cut(&value, ':');
    value = str_trim(value);
    if (str_eq_nocase(name, STR("content-type"))) r.content_type = known_type(value);
    if (str_eq_nocase(name, STR("content-length")) && (!str_to_i64(value, &length) || length < 0)) return ERR_IO;
  }
  if (length < 0 || (uint64_t) length != answer.len) return ERR_IO;
  if (r.status == 401) r.headers = STR("WWW-Authenticate: Basic realm=\"Quiver\"\r\n");
  buf_clear(scratch);
  TRY(buf_append_str(scratch, answer));
  r.body = buf_str(scratch);
  *ret = r;
  return ERR_OK;
}

/// Asking another member would not help, or need not.
static bool is_the_answer(const struct http_forward *f) {
  struct str line, rest = buf_str(&f->answer);
  int status;
  bool read = take_line(&rest, &line) && read_status(line, &status);
  return read && (status == 200 || status == 401 || status == 403 || status == 429);
}

// ---- asking ----

static void hang_up(struct http_forward *f) {
  net_connecting_free(f->connecting);
  net_conn_free(f->conn);
  f->connecting = NULL;
  f->conn = NULL;
}

static void forward_free(struct http_forward *f) {
  if (f == NULL) return;
  hang_up(f);
  loop_timer_free(f->patience);
  buf_done(&f->request);
  buf_done(&f->answer);
  arena_done(&f->texts);
  mem_free(f);
}

/// The caller takes it, and may be gone afterwards.
static void finish(struct http_forward *f) {
  hang_up(f);
  loop_timer_cancel(f->patience);
  f->finished = true;
  f->caller->ready(f->caller);
}

static void on_received(void *context, const void *bytes, size_t len) {
  struct http_forward *f = context;
  bool fits = f->answer.len + len <= ANSWER_BYTES_MAX && buf_append(&f->answer, bytes, len) == ERR_OK;
  if (fits) return;
  buf_clear(&f->answer);
  try_next(f);
}

static void on_drained(void *context UNUSED) {
}

static void on_closed(void *context, enum err why UNUSED) {
  struct http_forward *f = context;
  if (is_the_answer(f))
    finish(f);
  else
    try_next(f);
}

static void on_patience_over(void *context) {
  struct http_forward *f = context;
  buf_clear(&f->answer);
  try_next(f);
}

static enum err send(struct http_forward *f, int socket) {
  static const struct net_conn_events events = {on_received, on_drained, on_closed};
  static const struct net_conn_limits limits = {1 << 20, 1 << 10};
  buf_clear(&f->answer);
  TRY(net_conn_new(f->caller->loop, socket, &limits, &events, f, &f->conn, NULL));
  TRY(net_conn_write(f->conn, f->request.data, f->request.len));
  net_conn_flush(f->conn);
  return ERR_OK;
}

static void on_connected(void *context, int socket, const char *peer UNUSED) {
  struct http_forward *f = context;
  f->connecting = NULL;
  if (send(f, socket) != ERR_OK) try_next(f);
}

static void on_failed(void *context, const struct error *why UNUSED) {
  struct http_forward *f = context;
  f->connecting = NULL;
  try_next(f);
}

/// An answer that is no good stays until another one comes: it is what is left to say.
static void try_next(struct http_forward *f) {
  static const struct net_connect_events events = {on_connected, on_failed};
  hang_up(f);
  while (f->next < f->count) {
    struct str address = f->members[f->next++];
    loop_timer_set(f->patience, MEMBER_MS, false);
    if (net_connect(f->caller->loop, f->resolver, address, HTTP_PORT, MEMBER_MS, &events, f, &f->connecting, NULL) == ERR_OK) return;
  }
  finish(f);
}

/// Method, path and credentials are all that is passed on. What is parsed here holds no line breaks.
static enum err put_request(struct buf *to, const struct http_request *r) {
  struct str credentials = http_request_header(r, STR("Authorization"));
  TRY(buf_printf(to, "GET %.*s HTTP/1.1\r\nHost: member\r\nConnection: close\r\n", STR_ARG(r->target)));
  if (credentials.ptr != NULL) TRY(buf_printf(to, "Authorization: %.*s\r\n", STR_ARG(credentials)));
  return buf_append_str(to, STR("\r\n"));
}

static enum err prepare(struct http_forward *f, struct dbms *dbms, const struct http_request *r) {
  TRY(gateway_http_doors(dbms, &f->texts, &f->members, &f->count, NULL));
  f->count = MIN(f->count, (uint32_t) TRIES_MAX);
  TRY(put_request(&f->request, r));
  return loop_timer_new(f->caller->loop, on_patience_over, f, &f->patience, NULL);
}

// ---- the caller's side ----

static enum err begin(struct http_caller *c, struct dbms *dbms, struct net_resolver *resolver, const struct http_request *r) {
  struct http_forward *f = mem_zalloc(sizeof *f);
  if (f == NULL) return ERR_NOMEM;
  *f = (struct http_forward){.caller = c, .resolver = resolver};
  arena_init(&f->texts, NULL);
  enum err err = prepare(f, dbms, r);
  if (err != ERR_OK) {
    forward_free(f);
    return err;
  }
  c->forward = f;
  return ERR_OK;
}

enum err http_forward_answer(struct http_caller *c, struct dbms *dbms, struct net_resolver *resolver, const struct http_request *r,
                             struct buf *scratch, struct http_response *ret) {
  if (c->forward == NULL) {
    TRY(begin(c, dbms, resolver, r));
    loop_timer_set(c->forward->patience, 0, false); // `ready` is never called from here: the first member is tried from the loop
    return ERR_WAIT;
  }
  if (!c->forward->finished) return ERR_WAIT;
  enum err err = http_forward_read(buf_str(&c->forward->answer), scratch, ret);
  http_forward_forget(c);
  if (err != ERR_IO) return err;
  *ret = (struct http_response){.status = 503};
  return ERR_OK;
}

void http_forward_forget(struct http_caller *c) {
  forward_free(c->forward);
  c->forward = NULL;
}
