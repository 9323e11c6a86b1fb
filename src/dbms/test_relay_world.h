// Three servers of a cluster in one process, with threads, disks, Raft connections and clocks as in the product, and between
// their databases a wire that carries sessions (dbms/remote.h) and loses what the test wants it to.
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "config/config.h"
#include "dbms/dbms_int.h"
#include "dbms/remote.h"
#include "graph/replica.h"
#include "os/test_port.h"
#include "os/thread.h"

enum { SERVERS = 3, PLACES, HOST_THREADS = 3, PATIENCE_MS = 20000, STRIDE_MS = 2 };

// ---- threads ----

struct thread_host {
  struct work_host host;
  struct mutex mutex;
  struct condition more;
  struct work *first, **last;
  struct work *held; // machines, while they stand still
  bool holds, stops;
  struct thread threads[HOST_THREADS];
};

/// Under the mutex.
static inline void host_queue(struct thread_host *h, struct work *w) {
  w->next = NULL;
  *h->last = w;
  h->last = &w->next;
  condition_signal(&h->more);
}

static inline void host_submit(struct work_host *host, enum work_kind kind, struct work *w) {
  struct thread_host *h = CONTAINER_OF(host, struct thread_host, host);
  mutex_lock(&h->mutex);
  if (h->holds && kind == WORK_MACHINE) {
    w->next = h->held;
    h->held = w;
  } else {
    host_queue(h, w);
  }
  mutex_unlock(&h->mutex);
}

/// Nothing is written or applied there, until it goes on.
static inline void host_hold(struct thread_host *h, bool holds) {
  mutex_lock(&h->mutex);
  h->holds = holds;
  while (!holds && h->held != NULL) {
    struct work *w = h->held;
    h->held = w->next;
    host_queue(h, w);
  }
  mutex_unlock(&h->mutex);
}

static inline void *host_work(void *argument) {
  struct thread_host *h = argument;
  mutex_lock(&h->mutex);
  for (;;) {
    while (h->first == NULL && !h->stops) condition_wait(&h->more, &h->mutex);
    if (h->first == NULL) break;
    struct work *w = h->first;
    h->first = w->next;
    if (h->first == NULL) h->last = &h->first;
    mutex_unlock(&h->mutex);
    w->run(w);
    mutex_lock(&h->mutex);
  }
  mutex_unlock(&h->mutex);
  return NULL;
}

static inline void host_start(struct thread_host *h) {
  *h = (struct thread_host){.host.submit = host_submit};
  h->last = &h->first;
  mutex_init(&h->mutex);
  condition_init(&h->more);
  for (int i = 0; i < HOST_THREADS; i++) assert_ok(thread_start(&h->threads[i], "host", host_work, h, NULL));
}

static inline void host_stop(struct thread_host *h) {
  mutex_lock(&h->mutex);
  h->stops = true;
  condition_broadcast(&h->more);
  mutex_unlock(&h->mutex);
  for (int i = 0; i < HOST_THREADS; i++) thread_join(&h->threads[i]);
  h->host.submit = NULL; // nobody may ask any more
  condition_done(&h->more);
  mutex_done(&h->mutex);
}

// ---- the cluster ----

/// What the wire does to the next operation of a kind.
enum loss {
  LOSS_NONE,
  LOSS_REQUEST, // it never comes, and the connection is closed
  LOSS_ANSWER,  // it is done, and the connection is lost then
  LOSS_LATE,    // the connection is lost for whoever asks; the request comes later (wire_deliver_late)
  LOSS_SILENT,  // nothing comes, and the connection is not closed: until it is interrupted, which the next tick notices
};

struct wire {
  struct dbms_remote remote;
  struct trio *trio;
  struct mutex mutex; // what follows
  enum loss loss;
  enum dbms_op_kind of;
  uint32_t skip;            // so many of them first
  uint32_t percent, random; // lost at random
  uint64_t counts[DBMS_ROUTE + 1];
  uint64_t afresh;                  // log-ins that no connection of before may answer
  bool refuses_logins;              // as a server does that knows another password
  struct dbms_remote_session *late; // whose request is on its way
  struct dbms_remote_session *all;
};

struct server {
  char home[128], listen[32], address[32];
  struct config *config;
  struct thread_host host;
  struct disk *disk; // NULL: the system's
  struct dbms *dbms; // NULL: stopped; under the ticker's mutex
  struct dbms_cluster_options cluster;
  struct announcement self;
};

struct trio {
  char folder[64];
  struct net_resolver *resolver;
  struct server servers[PLACES]; // the last one is for whoever is no member
  struct wire wire;
  struct mutex ticker_mutex;
  bool ticker_stops;
  struct thread ticker;
  struct error e;
};

static inline void set(struct server *s, const char *key, const char *value) {
  struct error e = ERROR_INIT;
  assert_ok(config_set(s->config, str_of(key), str_of(value), CONFIG_COMMAND_LINE, STR("--set"), &e));
}

static inline void wire_tick(struct wire *w);

static inline void *tick(void *argument) {
  struct trio *t = argument;
  for (bool stops = false; !stops;) {
    mutex_lock(&t->ticker_mutex);
    for (int i = 0; i < PLACES; i++)
      if (t->servers[i].dbms != NULL) dbms_tick(t->servers[i].dbms);
    stops = t->ticker_stops;
    mutex_unlock(&t->ticker_mutex);
    wire_tick(&t->wire);
    thread_sleep_ns(5 * NS_PER_MS);
  }
  return NULL;
}

static inline enum err try_start(struct trio *t, int i) {
  struct server *s = &t->servers[i];
  s->cluster.epoch++;
  host_start(&s->host);
  struct dbms_options options = {
      .cluster = &s->cluster,
      .config = config_values(s->config),
      .disk = s->disk != NULL ? s->disk : disk_system(),
      .clock = clock_system(),
      .random = random_system(),
      .host = &s->host.host,
      .remote = &t->wire.remote,
      .page_cache_bytes = 8 << 20,
      .query_memory_bytes = 64 << 20,
      .version = STR("0"),
  };
  struct dbms *d = NULL;
  enum err err = dbms_open(&options, &d, &t->e);
  if (err != ERR_OK) {
    host_stop(&s->host);
    return err;
  }
  mutex_lock(&t->ticker_mutex);
  s->dbms = d;
  mutex_unlock(&t->ticker_mutex);
  return ERR_OK;
}

static inline void start(struct trio *t, int i) {
  enum err err = try_start(t, i);
  if (err != ERR_OK) print_message("%s\n", t->e.message);
  assert_ok(err);
}

static inline struct uuid uuid_of_server(int i) {
  return (struct uuid){{(uint8_t) (i + 1), 7}};
}

static inline void tell_one(struct trio *t, int from, int to) {
  struct directory_link *at, *there;
  CLEANUP(buf_done) struct buf frame = BUF_INIT;
  assert_ok(directory_link_new(t->servers[from].cluster.directory, &at, &t->e));
  assert_ok(directory_link_new(t->servers[to].cluster.directory, &there, &t->e));
  assert_ok(directory_write(at, 1, DIRECTORY_SELF, &frame));
  assert_ok(directory_hear(there, 1, (const uint8_t *) frame.data, frame.len, &t->e));
  directory_link_free(at);
  directory_link_free(there);
}

/// What each server says of itself, told to the others as it would be over a link.
static inline void tell_each_other(struct trio *t, struct founding *founding) {
  for (int i = 0; i < SERVERS; i++) {
    struct server *s = &t->servers[i];
    s->self = (struct announcement){.server = uuid_of_server(i),
                                    .epoch = 1,
                                    .sequence = 1,
                                    .number = (uint32_t) s->cluster.server,
                                    .mode = SERVER_CORE,
                                    .state = IDENTITY_BOUND,
                                    .version = STR("0"),
                                    .founding = founding};
    s->self.addresses[ADDRESS_ROUTING] = str_of(s->address);
    assert_ok(directory_new(&(struct directory_options){.expiry_ms = 3600000}, &s->self, 1, &s->cluster.directory, &t->e));
  }
  for (int i = 0; i < SERVERS; i++)
    for (int k = 0; k < SERVERS; k++)
      if (i != k) tell_one(t, i, k);
}

static inline void prepare_server(struct trio *t, int i, const char *key, const char *value) {
  struct server *s = &t->servers[i];
  char folder[sizeof t->folder]; // what is printed into *t is not in *t
  memcpy(folder, t->folder, sizeof folder);
  snprintf(s->home, sizeof s->home, "%s/%d", folder, i);
  snprintf(s->listen, sizeof s->listen, "127.0.0.1:%u", free_port());
  snprintf(s->address, sizeof s->address, "server:%d", i);
  s->config = config_new();
  set(s, "dbms.security.auth_enabled", "false");
  set(s, key, value);
  assert_ok(config_finish(s->config, str_of(s->home), &t->e));
  s->cluster = (struct dbms_cluster_options){.cluster = "three in a row.",
                                             .server = (uint64_t) i + 1,
                                             .listen = str_of(s->listen),
                                             .resolver = t->resolver,
                                             .election_timeout_ms = 300,
                                             .heartbeat_ms = 50,
                                             .founder_count = SERVERS};
}

static inline enum err wire_open(struct dbms_remote *remote, struct str address, const struct dbms_client *client,
                                 struct dbms_remote_session **ret, struct error *e);
static inline void wire_submit(struct dbms_remote_session *s, struct dbms_op *op);
static inline void wire_interrupt(struct dbms_remote_session *s, enum err reason);
static inline void wire_free(struct dbms_remote_session *s);

/// With one setting of all servers.
static inline void trio_start_with(struct trio *t, const char *key, const char *value) {
  static struct founding founding;
  *t = (struct trio){.folder = "/tmp/quiver-relay-XXXXXX", .e = ERROR_INIT};
  t->wire.remote = (struct dbms_remote){wire_open, wire_submit, wire_interrupt, wire_free};
  t->wire.trio = t;
  mutex_init(&t->wire.mutex);
  mutex_init(&t->ticker_mutex);
  assert_non_null(mkdtemp(t->folder));
  assert_ok(net_resolver_new(&t->resolver, &t->e));
  for (int i = 0; i < SERVERS; i++) prepare_server(t, i, key, value);
  founding = (struct founding){.system = {{9}}, .first_term = 1, .sequence = 1, .count = SERVERS};
  memcpy(founding.cluster.bytes, t->servers[0].cluster.cluster, sizeof founding.cluster.bytes);
  for (int k = 0; k < SERVERS; k++) {
    founding.founders[k] = (struct founder){.server = uuid_of_server(k), .number = (uint32_t) t->servers[k].cluster.server};
    snprintf(founding.founders[k].raft, sizeof founding.founders[k].raft, "%s", t->servers[k].listen);
    for (int i = 0; i < SERVERS; i++) {
      struct dbms_founder *f = &t->servers[i].cluster.founders[k];
      f->server = t->servers[k].cluster.server;
      snprintf(f->address, sizeof f->address, "%s", t->servers[k].listen);
    }
  }
  tell_each_other(t, &founding);
  for (int i = 0; i < SERVERS; i++) start(t, i);
  assert_ok(thread_start(&t->ticker, "ticker", tick, t, &t->e));
}

static inline void trio_start(struct trio *t) {
  trio_start_with(t, "dbms.security.auth_enabled", "false");
}

static inline void wire_cut(struct wire *w, int server);

/// Connections with it are lost; then it hands over, if it leads, and stops.
static inline enum err try_stop(struct trio *t, int i) {
  struct server *s = &t->servers[i];
  struct error e = ERROR_INIT;
  if (s->dbms == NULL) return ERR_OK;
  mutex_lock(&t->ticker_mutex);
  struct dbms *d = TAKE_PTR(s->dbms);
  mutex_unlock(&t->ticker_mutex);
  wire_cut(&t->wire, i);
  enum err err = dbms_stop(d, &e);
  host_stop(&s->host);
  dbms_close(d);
  return err;
}

static inline void stop(struct trio *t, int i) {
  assert_ok(try_stop(t, i));
}

static inline int remove_one(const char *path, const struct stat *stat UNUSED, int type UNUSED, struct FTW *at UNUSED) {
  return remove(path);
}

static inline void trio_stop(struct trio *t) {
  for (int i = 0; i < SERVERS; i++) stop(t, i);
  mutex_lock(&t->ticker_mutex);
  t->ticker_stops = true;
  mutex_unlock(&t->ticker_mutex);
  thread_join(&t->ticker);
  for (int i = 0; i < SERVERS; i++) {
    config_free(t->servers[i].config);
    directory_free(t->servers[i].cluster.directory);
  }
  net_resolver_free(t->resolver);
  mutex_done(&t->ticker_mutex);
  mutex_done(&t->wire.mutex);
  assert_int_equal(nftw(t->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

// ---- the wire ----

struct dbms_remote_session {
  struct dbms_remote_session *next; // of the wire's
  struct wire *wire;
  int server;
  struct dbms_client client;
  char gateway[64];
  struct dbms_session *session; // there; NULL: not connected, or lost
  struct dbms_op op;            // there
  struct dbms_op *asked;
  enum loss loss;
  bool under_way, unwanted;
  enum err ends; // what nobody answers was interrupted for this
  bool cut;      // its connection is gone, also when the server there is back
};

static inline enum err wire_open(struct dbms_remote *remote, struct str address, const struct dbms_client *client,
                                 struct dbms_remote_session **ret, struct error *e) {
  struct wire *w = CONTAINER_OF(remote, struct wire, remote);
  struct dbms_remote_session *s = mem_zalloc(sizeof *s);
  if (s == NULL) return error_ensure(e, ERR_NOMEM);
  s->wire = w;
  s->server = address.ptr[address.len - 1] - '0';
  s->client = (struct dbms_client){.connector = STR("bolt"), .connection_id = STR("bolt-2"), .relayed = true};
  s->client.neo4j_major = client->neo4j_major;
  snprintf(s->gateway, sizeof s->gateway, "%.*s", STR_ARG(client->gateway));
  s->client.gateway = str_of(s->gateway);
  mutex_lock(&w->mutex);
  s->next = w->all;
  w->all = s;
  mutex_unlock(&w->mutex);
  *ret = s;
  return ERR_OK;
}

/// Takes it off the wire's list. Under the mutex.
static inline void wire_unlink(struct dbms_remote_session *s) {
  struct dbms_remote_session **at = &s->wire->all;
  while (*at != s) at = &(*at)->next;
  *at = s->next;
}

/// The operation has failed, and those behind it with it.
static inline void wire_fail(struct dbms_op *op) {
  for (struct dbms_op *then; op != NULL; op = then) {
    then = op->then;
    if (then != NULL) {
      then->err = op->err;
      then->error = op->error;
    }
    op->done(op);
  }
}

static inline void wire_answer(struct dbms_remote_session *s, enum err err) {
  struct dbms_op *op = TAKE_PTR(s->asked);
  op->err = err;
  error_set(&op->error, err, "The connection was lost.");
  wire_fail(op);
}

static inline void wire_submit(struct dbms_remote_session *s, struct dbms_op *op);

/// What the other session answered, or that nothing came.
static inline void wire_on_done(struct dbms_op *there) {
  struct dbms_remote_session *s = there->context;
  struct wire *w = s->wire;
  mutex_lock(&w->mutex);
  s->under_way = false;
  bool lost = s->loss == LOSS_ANSWER || s->session == NULL;
  struct dbms_session *gone = lost ? TAKE_PTR(s->session) : NULL;
  bool unwanted = s->unwanted;
  mutex_unlock(&w->mutex);
  dbms_session_free(gone);
  if (unwanted) {
    mem_free(s);
    return;
  }
  if (s->asked == NULL) return; // nobody waits for it any more
  if (lost) {
    wire_answer(s, ERR_CLOSED);
    return;
  }
  struct dbms_op *op = TAKE_PTR(s->asked), answer = *there;
  answer.done = op->done;
  answer.ready = op->ready;
  answer.context = op->context;
  *op = answer;
  if (op->err != ERR_OK) {
    wire_fail(op);
    return;
  }
  struct dbms_op *then = op->then;
  op->done(op);
  if (then != NULL) wire_submit(s, then);
}

static inline enum loss wire_draw(struct wire *w, enum dbms_op_kind kind) {
  w->counts[kind]++;
  if (w->percent > 0) {
    w->random = w->random * 1664525 + 1013904223;
    uint32_t drawn = (w->random >> 8) % 200;
    if (drawn < w->percent) return LOSS_REQUEST;
    if (drawn < 2 * w->percent) return LOSS_ANSWER;
  }
  if (w->loss == LOSS_NONE || kind != w->of || w->skip-- > 0) return LOSS_NONE;
  enum loss loss = w->loss;
  w->loss = LOSS_NONE;
  return loss;
}

/// Hands it to the session there, connecting first. False: that server is not there.
static inline bool wire_connect(struct dbms_remote_session *s) {
  struct trio *t = s->wire->trio;
  if (s->session != NULL) return true;
  mutex_lock(&t->ticker_mutex);
  mutex_lock(&s->wire->mutex);
  struct dbms *d = t->servers[s->server].dbms;
  bool there = d != NULL && dbms_session_new(d, &s->client, &s->session, NULL) == ERR_OK;
  mutex_unlock(&s->wire->mutex);
  mutex_unlock(&t->ticker_mutex);
  return there;
}

static inline void wire_pass(struct dbms_remote_session *s) {
  if (dbms_session_submit(s->session, &s->op)) wire_on_done(&s->op);
}

static inline void wire_refuse(struct dbms_remote_session *s) {
  mutex_lock(&s->wire->mutex);
  s->under_way = false;
  mutex_unlock(&s->wire->mutex);
  wire_answer(s, ERR_UNAUTHORIZED);
}

static inline void wire_submit(struct dbms_remote_session *s, struct dbms_op *op) {
  struct wire *w = s->wire;
  s->asked = op;
  mutex_lock(&w->mutex);
  bool cut = s->cut;
  mutex_unlock(&w->mutex);
  if (cut || !wire_connect(s)) {
    wire_answer(s, ERR_UNREACHABLE);
    return;
  }
  s->op = *op;
  s->op.done = wire_on_done;
  s->op.context = s;
  mutex_lock(&w->mutex);
  enum loss loss = s->loss = wire_draw(w, op->kind);
  if (op->kind == DBMS_LOGIN && op->login.afresh) w->afresh++;
  bool refuses = op->kind == DBMS_LOGIN && w->refuses_logins;
  bool gone = s->session == NULL;
  bool passes = !gone && (loss == LOSS_NONE || loss == LOSS_ANSWER);
  s->under_way = passes;
  if (loss == LOSS_LATE) w->late = s;
  struct dbms_session *lost = loss == LOSS_REQUEST ? TAKE_PTR(s->session) : NULL;
  mutex_unlock(&w->mutex);
  dbms_session_free(lost);
  if (loss == LOSS_SILENT) return;
  if (passes && refuses)
    wire_refuse(s);
  else if (passes)
    wire_pass(s);
  else
    wire_answer(s, ERR_CLOSED);
}

static inline void wire_interrupt(struct dbms_remote_session *s, enum err reason) {
  mutex_lock(&s->wire->mutex);
  if (s->loss == LOSS_SILENT)
    s->ends = reason;
  else if (s->session != NULL)
    dbms_session_interrupt(s->session, reason);
  mutex_unlock(&s->wire->mutex);
}

static inline void wire_tick(struct wire *w) {
  struct dbms_op *op = NULL;
  enum err err = ERR_OK;
  mutex_lock(&w->mutex);
  for (struct dbms_remote_session *s = w->all; s != NULL && op == NULL; s = s->next) {
    if (s->ends == ERR_OK || s->asked == NULL) continue;
    err = s->ends;
    s->ends = ERR_OK;
    op = TAKE_PTR(s->asked);
  }
  mutex_unlock(&w->mutex);
  if (op == NULL) return;
  op->err = err;
  error_set(&op->error, err, "the operation was interrupted");
  op->done(op);
}

static inline void wire_free(struct dbms_remote_session *s) {
  if (s == NULL) return;
  mutex_lock(&s->wire->mutex);
  bool late = s->wire->late == s; // it is lost for whoever asked, and goes on there
  struct dbms_session *session = late ? NULL : TAKE_PTR(s->session);
  if (!late) wire_unlink(s);
  mutex_unlock(&s->wire->mutex);
  dbms_session_free(session);
  if (!late) mem_free(s);
}

/// What was on its way arrives; its connection is closed behind it. What the server there made of it.
static inline enum err wire_deliver_late(struct wire *w) {
  struct dbms_remote_session *s = w->late;
  assert_non_null(s);
  s->loss = LOSS_NONE;
  mutex_lock(&w->mutex);
  w->late = NULL;
  s->under_way = true;
  mutex_unlock(&w->mutex);
  wire_pass(s);
  for (bool waits = true; waits; thread_sleep_ns(NS_PER_MS)) {
    mutex_lock(&w->mutex);
    waits = s->under_way;
    mutex_unlock(&w->mutex);
  }
  enum err err = s->op.err;
  wire_free(s);
  return err;
}

static inline void wire_cut(struct wire *w, int server) {
  for (bool any = true; any; thread_sleep_ns(NS_PER_MS)) {
    any = false;
    mutex_lock(&w->mutex);
    for (struct dbms_remote_session *s = w->all; s != NULL; s = s->next) {
      if (s->server != server || (s->session == NULL && !s->under_way)) continue;
      any = any || s->under_way;
      s->loss = LOSS_ANSWER; // of what is under way
      if (s->under_way)
        dbms_session_interrupt(s->session, ERR_TX_TERMINATED);
      else
        dbms_session_free(TAKE_PTR(s->session));
      s->cut = true;
    }
    mutex_unlock(&w->mutex);
  }
}

static inline void wire_lose(struct wire *w, enum loss loss, enum dbms_op_kind of) {
  mutex_lock(&w->mutex);
  w->loss = loss;
  w->of = of;
  w->skip = 0;
  mutex_unlock(&w->mutex);
}

static inline void wire_refuse_logins(struct wire *w, bool refuses) {
  mutex_lock(&w->mutex);
  w->refuses_logins = refuses;
  mutex_unlock(&w->mutex);
}

static inline uint64_t wire_count(struct wire *w, enum dbms_op_kind kind) {
  mutex_lock(&w->mutex);
  uint64_t n = w->counts[kind];
  mutex_unlock(&w->mutex);
  return n;
}

// ---- clients ----

struct client {
  struct trio *trio;
  int server;
  struct dbms_session *session;
  struct dbms_op op;
  struct mutex mutex;
  struct condition done;
  bool over;
  struct row_sink sink;
  int64_t rows, sum; // of the last PULL's first column
};

static inline void on_done(struct dbms_op *op) {
  struct client *c = op->context;
  mutex_lock(&c->mutex);
  c->over = true;
  condition_signal(&c->done);
  mutex_unlock(&c->mutex);
}

static inline enum err take_rows(struct row_sink *sink, const struct vec *columns, uint32_t width UNUSED, const uint32_t *sel,
                                 uint32_t rows, struct error *e UNUSED) {
  struct client *c = CONTAINER_OF(sink, struct client, sink);
  for (uint32_t r = 0; r < rows; r++) c->sum += vec_get(&columns[0], sel != NULL ? sel[r] : r).i;
  c->rows += rows;
  return ERR_OK;
}

/// Starts it; `await` gives what came of it.
static inline void submit(struct client *c, struct dbms_op op) {
  c->op = op;
  c->op.done = on_done;
  c->op.context = c;
  c->over = false;
  if (dbms_session_submit(c->session, &c->op)) c->over = true;
}

static inline enum err await(struct client *c) {
  mutex_lock(&c->mutex);
  while (!c->over) condition_wait(&c->done, &c->mutex);
  mutex_unlock(&c->mutex);
  return c->op.err;
}

static inline bool is_over(struct client *c) {
  mutex_lock(&c->mutex);
  bool over = c->over;
  mutex_unlock(&c->mutex);
  return over;
}

static inline void assert_waits(struct client *c) {
  thread_sleep_ns(50 * NS_PER_MS);
  assert_false(is_over(c));
}

static inline enum err ask(struct client *c, struct dbms_op op) {
  submit(c, op);
  return await(c);
}

static inline void connect_as(struct trio *t, int server, struct client *c, bool routed) {
  struct dbms_client client = {.connector = STR("bolt"), .connection_id = STR("bolt-1"), .routed = routed};
  *c = (struct client){.trio = t, .server = server, .sink.push = take_rows};
  mutex_init(&c->mutex);
  condition_init(&c->done);
  assert_ok(dbms_session_new(t->servers[server].dbms, &client, &c->session, &t->e));
  assert_ok(ask(c, (struct dbms_op){.kind = DBMS_LOGIN}));
}

static inline void connect_to(struct trio *t, int server, struct client *c) {
  connect_as(t, server, c, false);
}

static inline void leave(struct client *c) {
  dbms_session_free(c->session);
  condition_done(&c->done);
  mutex_done(&c->mutex);
}

static inline struct dbms_op op_of(enum dbms_op_kind kind) {
  struct dbms_op op = {.kind = kind};
  if (kind == DBMS_BEGIN) op.begin.timeout_ms = -1;
  return op;
}

static inline struct dbms_op op_run(const char *query, bool auto_commit) {
  return (struct dbms_op){.kind = DBMS_RUN, .run = {.query = str_of(query), .auto_commit = auto_commit, .tx.timeout_ms = -1}};
}

/// Metadata of a transaction that is to read so.
static inline struct value said(const char *consistency) {
  static _Thread_local struct value_entry entry;
  entry = (struct value_entry){.key = STR("quiver.consistency"), .value = v_str(str_of(consistency))};
  return v_map(&entry, 1);
}

static inline struct dbms_op op_pull(struct client *c, int64_t rows) {
  c->rows = c->sum = 0;
  return (struct dbms_op){.kind = DBMS_PULL, .pull = {.result = -1, .rows = rows, .sink = &c->sink}};
}

/// A statement of the open transaction, or an auto-commit.
static inline enum err tell(struct client *c, const char *query, bool auto_commit) {
  enum err err = ask(c, op_run(query, auto_commit));
  return err == ERR_OK ? ask(c, op_pull(c, -1)) : err;
}

static inline void must(struct client *c, enum err err) {
  if (err != ERR_OK) print_message("%s\n", c->op.error.message);
  assert_ok(err);
}

/// The sum of its first column.
static inline int64_t read_number(struct client *c, const char *query) {
  must(c, tell(c, query, true));
  return c->sum;
}

/// A read of what is there behind the bookmark, which stays where it is until the operation is over.
static inline struct dbms_op op_run_behind(const char *query, const struct str *bookmark) {
  struct dbms_op op = op_run(query, true);
  op.run.tx.read_only = true;
  op.run.tx.bookmarks = bookmark;
  op.run.tx.bookmark_count = 1;
  return op;
}

/// As read_number, behind what a client has been told so far.
static inline int64_t read_behind(struct client *c, const char *query, struct str bookmark) {
  must(c, ask(c, op_run_behind(query, &bookmark)));
  must(c, ask(c, op_pull(c, -1)));
  return c->sum;
}

/// A transaction that has made a constraint and dropped it is open.
static inline void make_and_drop_constraint(struct client *c) {
  must(c, ask(c, op_of(DBMS_BEGIN)));
  must(c, tell(c, "CREATE CONSTRAINT only FOR (c:C) REQUIRE c.n IS UNIQUE", false));
  must(c, tell(c, "DROP CONSTRAINT only", false));
}

/// `here` asks for a constraint on `n`, and `there` sees its index fill. Where it looks too late to see it, it is over already, and
/// nothing is shown but that all is well.
static inline void begin_constraint(struct client *here, struct client *there, const char *label) {
  char text[80], filling[120];
  snprintf(text, sizeof text, "CREATE CONSTRAINT FOR (x:%s) REQUIRE x.n IS UNIQUE", label);
  snprintf(filling, sizeof filling,
           "SHOW INDEXES YIELD state, labelsOrTypes WHERE state = 'POPULATING' AND labelsOrTypes = ['%s'] RETURN count(*)", label);
  submit(here, op_run(text, true));
  while (read_number(there, filling) == 0 && !is_over(here)) continue;
}

/// The server that takes writes of the default database, or -1.
static inline int leader(struct trio *t) {
  for (int i = 0; i < SERVERS; i++) {
    struct dbms *d = t->servers[i].dbms;
    if (d != NULL && graph_leading_term(dbms_home(d)->graph) != 0) return i;
  }
  return -1;
}

static inline int await_leader(struct trio *t) {
  for (int waited = 0; waited < PATIENCE_MS; waited += STRIDE_MS) {
    int i = leader(t);
    if (i >= 0) return i;
    thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  }
  fail_msg("no leader within %d ms", PATIENCE_MS);
  return -1;
}

/// Another member leads when it returns.
static inline void move_leader(struct trio *t) {
  int before = await_leader(t);
  while (leader(t) == before) {
    cluster_hand_over(t->servers[before].dbms->cluster, 200);
    thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  }
}
