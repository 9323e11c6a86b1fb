// Sessions over a simulated disk, with a host that runs one piece of work when the test says so: every wait stands still and can
// be looked at, interrupted, timed out or freed.
#pragma once

#include "base/test.h"
#include "config/config.h"
#include "dbms/dbms.h"
#include "dbms/session.h"
#include "store/sim_disk.h"

/// A host without threads.
struct hand_host {
  struct work_host host;
  struct work *first, **last;
};

struct world {
  struct hand_host host;
  struct sim_disk *disk;
  struct clock_manual clock;
  struct random_seeded random;
  struct config *config;
  struct dbms *dbms;
  struct event_sink events;
  unsigned troubles, recoveries; // of the log writer
  struct error e;
};

/// A connection, with its one operation and what came of it.
struct client {
  struct dbms_session *session;
  struct dbms_op op;
  struct row_sink sink;
  unsigned done;       // calls of `done`
  unsigned ready;      // calls of `ready`
  bool resumes, alone; // how it submits
  bool free_in_done;
  int64_t rows, sum; // of the first column
};

static inline void host_submit(struct work_host *host, enum work_kind kind UNUSED, struct work *w) {
  struct hand_host *h = CONTAINER_OF(host, struct hand_host, host);
  w->next = NULL;
  *h->last = w;
  h->last = &w->next;
}

static inline bool step(struct world *w) {
  struct work *work = w->host.first;
  if (work == NULL) return false;
  w->host.first = work->next;
  if (w->host.first == NULL) w->host.last = &w->host.first;
  work->run(work);
  return true;
}

static inline void settle(struct world *w) {
  while (step(w)) continue;
}

static inline void on_event(struct event_sink *sink, enum event_level level UNUSED, const char *name, struct str text) {
  struct world *w = CONTAINER_OF(sink, struct world, events);
  if (str_find(text, STR("log writer")) < 0) return; // a checkpointer may be in trouble beside it
  w->troubles += strcmp(name, "database.machine.failed") == 0;
  w->recoveries += strcmp(name, "database.machine.recovered") == 0;
}

static inline void set(struct world *w, const char *key, const char *value) {
  assert_ok(config_set(w->config, str_of(key), str_of(value), CONFIG_COMMAND_LINE, STR("--set"), &w->e));
}

static inline enum err try_to_open(struct world *w) {
  struct dbms_options options = {
      .config = config_values(w->config),
      .disk = sim_disk_table(w->disk),
      .clock = &w->clock.clock,
      .random = &w->random.source,
      .events = &w->events,
      .host = &w->host.host,
      .page_cache_bytes = 8 << 20,
      .query_memory_bytes = 256 << 20,
      .version = STR("0"),
  };
  return dbms_open(&options, &w->dbms, &w->e);
}

static inline void world_open(struct world *w) {
  enum err err = try_to_open(w);
  if (err != ERR_OK) print_message("%s\n", w->e.message);
  assert_ok(err);
  settle(w);
}

static inline void world_prepare(struct world *w, uint64_t seed) {
  *w = (struct world){.host.host.submit = host_submit, .events.raise = on_event, .e = ERROR_INIT};
  w->host.last = &w->host.first;
  w->disk = sim_disk_new(seed);
  clock_manual_init(&w->clock, INT64_C(1700000000) * NS_PER_S);
  random_seeded_init(&w->random, seed);
  w->config = config_new();
  set(w, "dbms.security.auth_enabled", "false");
  set(w, "db.lock.acquisition.timeout", "10s");
  set(w, "db.tx_log.rotation.size", "128k");
}

static inline void world_start_on(struct world *w, uint64_t seed) {
  world_prepare(w, seed);
  assert_ok(config_finish(w->config, STR("/home"), &w->e));
  world_open(w);
}

static inline void world_start(struct world *w) {
  world_start_on(w, 7);
}

static inline void world_stop(struct world *w) {
  settle(w);
  assert_int_equal(dbms_open_transactions(w->dbms), 0);
  assert_ok(dbms_stop(w->dbms, &w->e));
  dbms_close(w->dbms);
  config_free(w->config);
  sim_disk_free(w->disk);
}

/// The power goes and comes back; sessions are freed already.
static inline void world_lose_power(struct world *w) {
  sim_disk_cut(w->disk);
  settle(w);
  assert_int_not_equal(dbms_stop(w->dbms, &w->e), ERR_OK);
  dbms_close(w->dbms);
  sim_disk_power_on(w->disk);
  world_open(w);
}

/// Time goes by and the ticker notices.
static inline void pass_time(struct world *w, int64_t ms) {
  w->clock.now_ns += ms * NS_PER_MS;
  dbms_tick(w->dbms);
}

static inline void on_done(struct dbms_op *op) {
  struct client *c = op->context;
  c->done++;
  if (!c->free_in_done) return;
  dbms_session_free(c->session);
  c->session = NULL;
}

static inline enum err take_rows(struct row_sink *sink, const struct vec *columns, uint32_t width UNUSED, const uint32_t *sel,
                                 uint32_t rows, struct error *e UNUSED) {
  struct client *c = CONTAINER_OF(sink, struct client, sink);
  for (uint32_t r = 0; r < rows; r++) c->sum += vec_get(&columns[0], sel != NULL ? sel[r] : r).i;
  c->rows += rows;
  return ERR_OK;
}

static inline void on_ready(struct dbms_op *op) {
  struct client *c = op->context;
  c->ready++;
}

static inline bool submit(struct client *c, struct dbms_op op) {
  c->op = op;
  c->op.done = on_done;
  if (c->resumes) c->op.ready = on_ready;
  c->op.alone = c->alone;
  c->op.context = c;
  c->done = c->ready = 0;
  return dbms_session_submit(c->session, &c->op);
}

/// Does it to the end, without anything to wait for but machines.
static inline void finish(struct world *w, struct client *c, struct dbms_op op) {
  bool at_once = submit(c, op);
  settle(w);
  if (c->op.err != ERR_OK) print_message("%s\n", c->op.error.message);
  assert_int_equal(c->op.err, ERR_OK);
  assert_int_equal(c->done, at_once ? 0 : 1);
}

static inline void connect(struct world *w, struct client *c) {
  *c = (struct client){.sink.push = take_rows};
  struct dbms_client client = {.connector = STR("bolt"), .connection_id = STR("bolt-1")};
  assert_ok(dbms_session_new(w->dbms, &client, &c->session, &w->e));
  finish(w, c, (struct dbms_op){.kind = DBMS_LOGIN});
}

static inline struct dbms_op op_begin(int64_t timeout_ms) {
  return (struct dbms_op){.kind = DBMS_BEGIN, .begin.timeout_ms = timeout_ms};
}

static inline struct dbms_op op_run(const char *query, bool auto_commit) {
  return (struct dbms_op){.kind = DBMS_RUN, .run = {.query = str_of(query), .auto_commit = auto_commit, .tx.timeout_ms = -1}};
}

static inline struct dbms_op op_pull(struct client *c, int64_t result, int64_t rows) {
  c->rows = c->sum = 0;
  return (struct dbms_op){.kind = DBMS_PULL, .pull = {.result = result, .rows = rows, .sink = &c->sink}};
}

static inline struct dbms_op op_of(enum dbms_op_kind kind) {
  return (struct dbms_op){.kind = kind};
}

/// An auto-commit statement to its end; the sum of its first column.
static inline int64_t ask(struct world *w, struct client *c, const char *query) {
  finish(w, c, op_run(query, true));
  finish(w, c, op_pull(c, -1, -1));
  return c->sum;
}

/// A statement of the open transaction.
static inline void tell(struct world *w, struct client *c, const char *query) {
  finish(w, c, op_run(query, false));
  finish(w, c, op_pull(c, -1, -1));
}

static inline void assert_failed(struct client *c, enum err err) {
  assert_int_equal(c->done, 1);
  assert_int_equal(c->op.err, err);
}

/// A server with one client.
static inline void start_with(struct world *w, struct client *c) {
  world_start(w);
  connect(w, c);
}

static inline void leave(struct world *w, struct client *c) {
  dbms_session_free(c->session);
  world_stop(w);
}
