// For tests of sessions on other servers: a real Bolt server over loopback with the scripted database behind it (test_dbms.h),
// and a session on it whose operations are waited for.
#pragma once

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bolt/remote.h"
#include "bolt/server.h"
#include "bolt/test_player.h"

// ---- a server and a client of it ----

struct world {
  struct dbms dbms;
  struct bolt_settings settings;
  struct bolt_server *server;
  struct bolt_remote_options options;
  struct dbms_remote *remote;
  char address[64];
};

static inline void serve(struct world *w, const char *address) {
  struct str addresses[] = {str_of(address)};
  struct error e = ERROR_INIT;
  w->settings.listen_addresses = addresses;
  w->settings.listen_address_count = 1;
  if (bolt_server_start(&w->settings, &w->dbms, NULL, &w->server, &e) != ERR_OK) fail_msg("%s", e.message);
  snprintf(w->address, sizeof w->address, "%s", bolt_server_address(w->server, 0));
}

static inline void prepare(struct world *w) {
  *w = (struct world){.settings = bolt_settings_default(), .options = {.threads = 1, .random = random_system()}};
  test_dbms_init(&w->dbms);
  w->settings.for_servers = true;
  w->settings.drain_timeout_ms = 200;
}

static inline void open_world(struct world *w) {
  prepare(w);
  serve(w, "127.0.0.1:0");
  assert_ok(bolt_remote_new(&w->options, &w->remote, NULL));
}

static inline void close_world(struct world *w) {
  bolt_remote_free(w->remote);
  bolt_server_stop(w->server);
  assert_int_equal(w->dbms.sessions, 0);
  test_dbms_done(&w->dbms);
}

static inline bool logged(struct world *w, const char *line) {
  mutex_lock(&w->dbms.lock);
  bool found = str_find(buf_str(&w->dbms.log), str_of(line)) >= 0;
  mutex_unlock(&w->dbms.lock);
  return found;
}

// ---- operations, waited for ----

struct talk {
  struct dbms_remote *remote;
  struct dbms_remote_session *session;
  struct dbms_op op;
  struct mutex mutex;
  struct condition changed;
  bool done;

  struct row_sink sink;
  bool full;
  uint32_t full_after; // rows; 0: never
  enum err refuses;    // what `push` returns
  uint32_t pushes, rows;
  uint64_t sum;            // of the Integers
  struct arena arena;      // of `values`
  struct value values[64]; // of the first column of the first rows
};

static inline void on_done(struct dbms_op *op) {
  struct talk *t = op->context;
  mutex_lock(&t->mutex);
  t->done = true;
  condition_signal(&t->changed);
  mutex_unlock(&t->mutex);
}

static inline enum err take_rows(struct row_sink *sink, const struct vec *columns, uint32_t width, const uint32_t *sel,
                                 uint32_t rows, struct error *e) {
  struct talk *t = CONTAINER_OF(sink, struct talk, sink);
  assert_null(sel);
  if (t->refuses != ERR_OK) return error_set(e, t->refuses, "the sink takes nothing");
  t->pushes++;
  for (uint32_t i = 0; i < rows; i++, t->rows++) {
    struct value v = width > 0 ? vec_get(&columns[0], i) : V_NULL;
    if (v.type == VALUE_INT) {
      t->sum += (uint64_t) v.i;
      if (v.i != (int64_t) t->rows + 1 && width == 1 && t->full_after > 0) return error_set(e, ERR_INTERNAL, "rows out of order");
    }
    if (t->rows < ARRAY_SIZE(t->values)) TRY(value_copy(&t->arena, v, &t->values[t->rows], e));
  }
  if (t->full_after > 0 && t->rows % t->full_after < rows) t->full = true;
  return ERR_OK;
}

static inline void talk_open_as(struct talk *t, struct dbms_remote *remote, const char *address, const struct dbms_client *who) {
  *t = (struct talk){.remote = remote, .sink.push = take_rows};
  mutex_init(&t->mutex);
  condition_init(&t->changed);
  arena_init(&t->arena, NULL);
  assert_ok(remote->open(remote, str_of(address), who, &t->session, NULL));
}

static inline void talk_open(struct talk *t, struct world *w) {
  static const struct dbms_client who = {.connector = {"bolt", 4}, .user_agent = {"test/1", 6}, .neo4j_major = 5};
  talk_open_as(t, w->remote, w->address, &who);
}

static inline void talk_close(struct talk *t) {
  t->remote->free(t->session);
  arena_done(&t->arena);
  condition_done(&t->changed);
  mutex_done(&t->mutex);
}

static inline void submit(struct talk *t, enum dbms_op_kind kind) {
  t->op.kind = kind;
  t->op.done = on_done;
  t->op.context = t;
  t->done = false;
  t->remote->submit(t->session, &t->op);
}

static inline enum err await(struct talk *t) {
  mutex_lock(&t->mutex);
  while (!t->done) condition_wait(&t->changed, &t->mutex);
  mutex_unlock(&t->mutex);
  if (t->op.err != ERR_OK) assert_int_equal(t->op.error.code, t->op.err);
  return t->op.err;
}

static inline enum err perform(struct talk *t, enum dbms_op_kind kind) {
  submit(t, kind);
  return await(t);
}

static inline enum err log_in_as(struct talk *t, const char *user, const char *password) {
  t->op = (struct dbms_op){.login = {STR("basic"), str_of(user), str_of(password), STR_NONE}};
  return perform(t, DBMS_LOGIN);
}

static inline enum err log_in(struct talk *t) {
  return log_in_as(t, "neo4j", "secret");
}

static inline enum err begin(struct talk *t) {
  t->op = (struct dbms_op){.begin = {.timeout_ms = -1}};
  return perform(t, DBMS_BEGIN);
}

static inline void fill_run(struct talk *t, const char *query, struct value parameters, bool auto_commit) {
  t->op = (struct dbms_op){
      .run = {.query = str_of(query), .parameters = parameters, .tx.timeout_ms = -1, .auto_commit = auto_commit}};
}

static inline enum err run(struct talk *t, const char *query, struct value parameters, bool auto_commit) {
  fill_run(t, query, parameters, auto_commit);
  return perform(t, DBMS_RUN);
}

static inline void fill_pull(struct talk *t, int64_t result, int64_t rows) {
  t->full = false;
  t->op = (struct dbms_op){.pull = {.result = result, .rows = rows, .sink = &t->sink, .sink_full = &t->full}};
}

static inline enum err pull(struct talk *t, int64_t result, int64_t rows) {
  fill_pull(t, result, rows);
  return perform(t, DBMS_PULL);
}

static inline enum err discard(struct talk *t, int64_t result, int64_t rows) {
  fill_pull(t, result, rows);
  t->op.pull.discard = true;
  return perform(t, DBMS_PULL);
}

static inline enum err end(struct talk *t, enum dbms_op_kind kind) {
  t->op = (struct dbms_op){0};
  return perform(t, kind);
}
