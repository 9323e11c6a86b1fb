// Three servers in one process, with their threads, disks and connections: what the tests of whole clusters begin with. Tests
// only.
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "config/config.h"
#include "dbms/dbms.h"
#include "dbms/session.h"
#include "os/clock.h"
#include "os/test_port.h"
#include "os/thread.h"
#include "server/engine.h"

enum { SERVERS = 3, PLACES = SERVERS + 1, PATIENCE_MS = 20000, STRIDE_MS = 5 };

struct one {
  char home[128], listen[32];
  struct config *config;
  struct engine *engine;     // NULL: stopped
  struct event_sink *events; // may be NULL
  struct dbms_cluster_options cluster;
};

struct trio {
  char folder[64];
  struct net_resolver *resolver;
  struct one servers[PLACES]; // the last is none of the three: empty, unless a test has somebody follow them
  struct error e;
};

/// A statement under way, and who waits for it.
struct call {
  struct dbms_op op;
  struct mutex mutex;
  struct condition done;
  bool over;
  struct row_sink sink;
  int64_t first;
};

static inline void set(struct one *s, const char *key, const char *value) {
  struct error e = ERROR_INIT;
  assert_ok(config_set(s->config, str_of(key), str_of(value), CONFIG_COMMAND_LINE, STR("--set"), &e));
}

static inline void start(struct trio *t, int i) {
  struct one *s = &t->servers[i];
  s->cluster.epoch++;
  assert_ok(engine_new(s->config, NULL, s->events, &s->engine, &t->e));
  enum err err = engine_open(s->engine, &s->cluster, &t->e);
  if (err != ERR_OK) print_message("%s\n", t->e.message);
  assert_ok(err);
}

static inline void stop(struct trio *t, int i) {
  engine_close(TAKE_PTR(t->servers[i].engine));
}

/// As random as those of real servers: in no order.
static inline uint64_t number_of(int i) {
  return 1 + (uint64_t) (i * 2) % SERVERS;
}

static inline void furnish(struct trio *t, int i) {
  struct one *s = &t->servers[i];
  char folder[sizeof t->folder];
  memcpy(folder, t->folder, sizeof folder); // the compiler takes both for the same object
  snprintf(s->home, sizeof s->home, "%s/%d", folder, i);
  snprintf(s->listen, sizeof s->listen, "127.0.0.1:%u", free_port());
  s->config = config_new();
  set(s, "dbms.security.auth_enabled", "false");
  set(s, "server.memory.pagecache.size", "8m");
  assert_ok(config_finish(s->config, str_of(s->home), &t->e));
}

/// As they are before their first start.
static inline void trio_make(struct trio *t) {
  *t = (struct trio){.folder = "/tmp/quiver-trio-XXXXXX", .e = ERROR_INIT};
  assert_non_null(mkdtemp(t->folder));
  assert_ok(net_resolver_new(&t->resolver, &t->e));
  for (int i = 0; i < SERVERS; i++) furnish(t, i);
  for (int i = 0; i < SERVERS; i++) {
    struct one *s = &t->servers[i];
    s->cluster = (struct dbms_cluster_options){.cluster = "three in a row.",
                                               .server = number_of(i),
                                               .listen = str_of(s->listen),
                                               .resolver = t->resolver,
                                               .election_timeout_ms = 300,
                                               .heartbeat_ms = 50,
                                               .founder_count = SERVERS};
    for (int k = 0; k < SERVERS; k++) {
      s->cluster.founders[k].server = number_of(k);
      snprintf(s->cluster.founders[k].address, sizeof s->cluster.founders[k].address, "%s", t->servers[k].listen);
    }
  }
}

static inline void trio_start(struct trio *t) {
  trio_make(t);
  for (int i = 0; i < SERVERS; i++) start(t, i);
}

static inline int remove_one(const char *path, const struct stat *stat UNUSED, int type UNUSED, struct FTW *at UNUSED) {
  return remove(path);
}

static inline void trio_stop(struct trio *t) {
  for (int i = 0; i < PLACES; i++) stop(t, i);
  for (int i = 0; i < PLACES; i++) config_free(t->servers[i].config);
  net_resolver_free(t->resolver);
  assert_int_equal(nftw(t->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

// ---- asking ----

static inline void on_done(struct dbms_op *op) {
  struct call *c = op->context;
  mutex_lock(&c->mutex);
  c->over = true;
  condition_signal(&c->done);
  mutex_unlock(&c->mutex);
}

static inline enum err take_rows(struct row_sink *sink, const struct vec *columns, uint32_t width UNUSED, const uint32_t *sel,
                                 uint32_t rows, struct error *e UNUSED) {
  struct call *c = CONTAINER_OF(sink, struct call, sink);
  if (rows > 0) c->first = vec_get(&columns[0], sel != NULL ? sel[0] : 0).i;
  return ERR_OK;
}

static inline enum err run(struct dbms_session *s, struct call *c, struct dbms_op op) {
  c->op = op;
  c->op.done = on_done;
  c->op.context = c;
  c->over = false;
  if (dbms_session_submit(s, &c->op)) return c->op.err;
  mutex_lock(&c->mutex);
  while (!c->over) condition_wait(&c->done, &c->mutex);
  mutex_unlock(&c->mutex);
  return c->op.err;
}

/// An auto-commit statement on one server; the first value of its first row. `bookmark` (may be NULL) is waited for and becomes
/// that of the statement.
static inline enum err ask(struct trio *t, int i, const char *query, char bookmark[80], int64_t *ret) {
  struct call c = {.sink.push = take_rows};
  struct dbms_session *s;
  struct dbms_client client = {.connector = STR("bolt"), .connection_id = STR("bolt-1")};
  struct str after = bookmark != NULL ? str_of(bookmark) : STR_NONE;
  mutex_init(&c.mutex);
  condition_init(&c.done);
  assert_ok(dbms_session_new(engine_dbms(t->servers[i].engine), &client, &s, &t->e));
  assert_ok(run(s, &c, (struct dbms_op){.kind = DBMS_LOGIN}));
  struct dbms_op op = {.kind = DBMS_RUN, .run = {.query = str_of(query), .auto_commit = true, .tx = {.timeout_ms = -1}}};
  op.run.tx.bookmarks = &after;
  op.run.tx.bookmark_count = after.len > 0;
  enum err err = run(s, &c, op);
  if (err == ERR_OK) err = run(s, &c, (struct dbms_op){.kind = DBMS_PULL, .pull = {.result = -1, .rows = -1, .sink = &c.sink}});
  if (err == ERR_OK && bookmark != NULL) snprintf(bookmark, 80, "%.*s", STR_ARG(c.op.pulled.summary.bookmark));
  if (err != ERR_OK) t->e = c.op.error;
  if (ret != NULL) *ret = c.first;
  dbms_session_free(s);
  condition_done(&c.done);
  mutex_done(&c.mutex);
  return err;
}

/// The server that takes writes; the statement is then done.
static inline int write_somewhere(struct trio *t, const char *query, char bookmark[80]) {
  for (int waited = 0; waited < PATIENCE_MS; waited += STRIDE_MS) {
    for (int i = 0; i < SERVERS; i++) {
      if (t->servers[i].engine == NULL) continue;
      enum err err = ask(t, i, query, bookmark, NULL);
      if (err == ERR_OK) return i;
      assert_int_equal(err, ERR_NOT_LEADER);
    }
    thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  }
  fail_msg("no leader within %d ms", PATIENCE_MS);
  return -1;
}
