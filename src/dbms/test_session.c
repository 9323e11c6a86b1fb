// Sessions over a simulated disk, with a host that runs one piece of work when the test says so: every wait stands still and can
// be looked at, interrupted, timed out or freed.
#include <stdio.h>
#include <string.h>

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

static void host_submit(struct work_host *host, enum work_kind kind UNUSED, struct work *w) {
  struct hand_host *h = CONTAINER_OF(host, struct hand_host, host);
  w->next = NULL;
  *h->last = w;
  h->last = &w->next;
}

static bool step(struct world *w) {
  struct work *work = w->host.first;
  if (work == NULL) return false;
  w->host.first = work->next;
  if (w->host.first == NULL) w->host.last = &w->host.first;
  work->run(work);
  return true;
}

static void settle(struct world *w) {
  while (step(w)) continue;
}

static void on_event(struct event_sink *sink, enum event_level level UNUSED, const char *name, struct str text) {
  struct world *w = CONTAINER_OF(sink, struct world, events);
  if (str_find(text, STR("log writer")) < 0) return; // a checkpointer may be in trouble beside it
  w->troubles += strcmp(name, "database.machine.failed") == 0;
  w->recoveries += strcmp(name, "database.machine.recovered") == 0;
}

static void set(struct world *w, const char *key, const char *value) {
  assert_ok(config_set(w->config, str_of(key), str_of(value), CONFIG_COMMAND_LINE, STR("--set"), &w->e));
}

static enum err try_to_open(struct world *w) {
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

static void world_open(struct world *w) {
  enum err err = try_to_open(w);
  if (err != ERR_OK) print_message("%s\n", w->e.message);
  assert_ok(err);
  settle(w);
}

static void world_prepare(struct world *w, uint64_t seed) {
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

static void world_start_on(struct world *w, uint64_t seed) {
  world_prepare(w, seed);
  assert_ok(config_finish(w->config, STR("/home"), &w->e));
  world_open(w);
}

static void world_start(struct world *w) {
  world_start_on(w, 7);
}

static void world_stop(struct world *w) {
  settle(w);
  assert_int_equal(dbms_open_transactions(w->dbms), 0);
  assert_ok(dbms_stop(w->dbms, &w->e));
  dbms_close(w->dbms);
  config_free(w->config);
  sim_disk_free(w->disk);
}

/// The power goes and comes back; sessions are freed already.
static void world_lose_power(struct world *w) {
  sim_disk_cut(w->disk);
  settle(w);
  assert_int_not_equal(dbms_stop(w->dbms, &w->e), ERR_OK);
  dbms_close(w->dbms);
  sim_disk_power_on(w->disk);
  world_open(w);
}

/// Time goes by and the ticker notices.
static void pass_time(struct world *w, int64_t ms) {
  w->clock.now_ns += ms * NS_PER_MS;
  dbms_tick(w->dbms);
}

static void on_done(struct dbms_op *op) {
  struct client *c = op->context;
  c->done++;
  if (!c->free_in_done) return;
  dbms_session_free(c->session);
  c->session = NULL;
}

static enum err take_rows(struct row_sink *sink, const struct vec *columns, uint32_t width UNUSED, const uint32_t *sel,
                          uint32_t rows, struct error *e UNUSED) {
  struct client *c = CONTAINER_OF(sink, struct client, sink);
  for (uint32_t r = 0; r < rows; r++) c->sum += vec_get(&columns[0], sel != NULL ? sel[r] : r).i;
  c->rows += rows;
  return ERR_OK;
}

static void on_ready(struct dbms_op *op) {
  struct client *c = op->context;
  c->ready++;
}

static bool submit(struct client *c, struct dbms_op op) {
  c->op = op;
  c->op.done = on_done;
  if (c->resumes) c->op.ready = on_ready;
  c->op.alone = c->alone;
  c->op.context = c;
  c->done = c->ready = 0;
  return dbms_session_submit(c->session, &c->op);
}

/// Does it to the end, without anything to wait for but machines.
static void finish(struct world *w, struct client *c, struct dbms_op op) {
  bool at_once = submit(c, op);
  settle(w);
  if (c->op.err != ERR_OK) print_message("%s\n", c->op.error.message);
  assert_int_equal(c->op.err, ERR_OK);
  assert_int_equal(c->done, at_once ? 0 : 1);
}

static void connect(struct world *w, struct client *c) {
  *c = (struct client){.sink.push = take_rows};
  struct dbms_client client = {.connector = STR("bolt"), .connection_id = STR("bolt-1")};
  assert_ok(dbms_session_new(w->dbms, &client, &c->session, &w->e));
  finish(w, c, (struct dbms_op){.kind = DBMS_LOGIN});
}

static struct dbms_op op_begin(int64_t timeout_ms) {
  return (struct dbms_op){.kind = DBMS_BEGIN, .begin.timeout_ms = timeout_ms};
}

static struct dbms_op op_run(const char *query, bool auto_commit) {
  return (struct dbms_op){.kind = DBMS_RUN, .run = {.query = str_of(query), .auto_commit = auto_commit, .tx.timeout_ms = -1}};
}

static struct dbms_op op_pull(struct client *c, int64_t result, int64_t rows) {
  c->rows = c->sum = 0;
  return (struct dbms_op){.kind = DBMS_PULL, .pull = {.result = result, .rows = rows, .sink = &c->sink}};
}

static struct dbms_op op_of(enum dbms_op_kind kind) {
  return (struct dbms_op){.kind = kind};
}

/// An auto-commit statement to its end; the sum of its first column.
static int64_t ask(struct world *w, struct client *c, const char *query) {
  finish(w, c, op_run(query, true));
  finish(w, c, op_pull(c, -1, -1));
  return c->sum;
}

/// A statement of the open transaction.
static void tell(struct world *w, struct client *c, const char *query) {
  finish(w, c, op_run(query, false));
  finish(w, c, op_pull(c, -1, -1));
}

/// `holder` has changed the one counter and not committed; `c` has a transaction of its own and waits for the counter.
static void wait_for_counter(struct world *w, struct client *holder, struct client *c, int64_t timeout_ms) {
  connect(w, holder);
  connect(w, c);
  ask(w, holder, "CREATE (:C {n: 0})");
  finish(w, holder, op_begin(-1));
  tell(w, holder, "MATCH (c:C) SET c.n = c.n + 1");
  finish(w, c, op_begin(timeout_ms));
  finish(w, c, op_run("MATCH (c:C) SET c.n = c.n + 1", false));
  assert_false(submit(c, op_pull(c, -1, -1)));
  settle(w);
  assert_int_equal(c->done, 0);
}

static void assert_failed(struct client *c, enum err err) {
  assert_int_equal(c->done, 1);
  assert_int_equal(c->op.err, err);
}

/// The holder is not hindered by what became of the other.
static void commit_and_leave(struct world *w, struct client *holder, struct client *c, int64_t counter) {
  finish(w, holder, op_of(DBMS_COMMIT));
  assert_int_equal(ask(w, holder, "MATCH (c:C) RETURN c.n"), counter);
  dbms_session_free(c->session);
  dbms_session_free(holder->session);
}

TEST(a_small_question_is_answered_on_the_callers_thread) {
  struct world w;
  struct client c;
  world_start(&w);
  connect(&w, &c);
  assert_true(submit(&c, op_run("RETURN 1 AS n", true)));
  assert_true(submit(&c, op_pull(&c, -1, -1)));
  assert_int_equal(c.sum, 1);
  assert_int_equal(c.done, 0);
  dbms_session_free(c.session);
  world_stop(&w);
}

TEST(a_commit_gives_its_thread_back_until_it_is_durable) {
  struct world w;
  struct client c;
  world_start(&w);
  connect(&w, &c);
  finish(&w, &c, op_run("CREATE (:C {n: 1})", true));
  assert_false(submit(&c, op_pull(&c, -1, -1)));
  assert_int_equal(c.done, 0);
  settle(&w);
  assert_int_equal(c.done, 1);
  assert_int_equal(c.op.err, ERR_OK);
  assert_true(c.op.pulled.summary.bookmark.len > 0);
  dbms_session_free(c.session);
  world_stop(&w);
}

/// One commit with allocation `n` failing in it, `*sum` being what is there before and after; true if that many were made.
/// Whatever fails, the answer says what happened.
static bool commit_with_failure(struct world *w, struct client *other, int64_t n, bool explicit, bool alone, int64_t *sum) {
  struct client c;
  connect(w, &c); // which has no memory of earlier answers
  if (explicit) finish(w, &c, op_begin(-1));
  if (explicit) tell(w, &c, "CREATE (:C {n: 1})");
  if (!explicit) finish(w, &c, op_run("CREATE (:C {n: 1})", true));
  c.alone = alone;
  fault_arm(&fault_alloc, n, 1);
  bool at_once = submit(&c, explicit ? op_of(DBMS_COMMIT) : op_pull(&c, -1, -1));
  settle(w);
  bool fired = fault_fired(&fault_alloc);
  fault_disarm(&fault_alloc);
  for (int i = 0; i < 10 && !at_once && c.done == 0; i++) { // a machine without memory tries again
    pass_time(w, 10);
    settle(w);
  }
  assert_true(at_once || c.done == 1);
  struct str bookmark = explicit ? c.op.committed.bookmark : c.op.pulled.summary.bookmark;
  assert_true(c.op.err == ERR_OK ? bookmark.len > 0 : c.op.err == ERR_NOMEM);
  *sum += c.op.err == ERR_OK;
  assert_int_equal(ask(w, other, "MATCH (c:C) RETURN sum(c.n)"), *sum);
  dbms_session_free(c.session);
  return fired;
}

TEST(whichever_allocation_fails_a_commit_is_answered_with_success_if_and_only_if_it_is_there) {
  struct world w;
  struct client other;
  int64_t sum = 1;
  world_start(&w);
  connect(&w, &other);
  ask(&w, &other, "CREATE (:C {n: 1})"); // names and pages are there
  int64_t failures = 0;
  for (int way = 0; way < 4; way++) {
    int64_t n = 0; // may stay 0: a small commit that asks for no memory
    while (commit_with_failure(&w, &other, n, way & 1, way & 2, &sum)) n++;
    failures += n;
  }
  assert_in_range(failures, 3, 1000); // it walked through something
  dbms_session_free(other.session);
  world_stop(&w);
}

TEST(the_first_commit_of_a_new_server_survives_a_power_cut) {
  for (uint64_t seed = 0; seed < 4; seed++) {
    struct world w;
    struct client c;
    world_start_on(&w, seed);
    connect(&w, &c);
    ask(&w, &c, "CREATE (:C {n: 1})");
    dbms_session_free(c.session);
    world_lose_power(&w);
    connect(&w, &c);
    assert_int_equal(ask(&w, &c, "MATCH (c:C) RETURN sum(c.n)"), 1);
    dbms_session_free(c.session);
    world_stop(&w);
  }
}

/// Label and key are known: the next transaction waits for no entry but its own.
static void make_names(struct world *w, struct client *c) {
  ask(w, c, "CREATE (:C {n: 0})");
}

TEST(the_front_door_is_told_when_a_commit_is_there_and_finishes_it_itself) {
  struct world w;
  struct client c;
  world_start(&w);
  connect(&w, &c);
  make_names(&w, &c);
  c.resumes = true;
  assert_true(submit(&c, op_run("CREATE (:C {n: 1})", true)));
  assert_false(submit(&c, op_pull(&c, -1, -1)));
  assert_true(c.op.commits);
  settle(&w);
  assert_int_equal(c.ready, 1);
  assert_int_equal(c.done, 0);
  assert_true(dbms_session_resume(c.session));
  assert_int_equal(c.op.err, ERR_OK);
  assert_true(c.op.pulled.summary.bookmark.len > 0);
  assert_int_equal(c.done, 0);
  assert_int_equal(ask(&w, &c, "MATCH (c:C) RETURN sum(c.n)"), 1);
  dbms_session_free(c.session);
  world_stop(&w);
}

TEST(an_interrupted_commit_is_waited_for_all_the_same) {
  struct world w;
  struct client c;
  world_start(&w);
  connect(&w, &c);
  make_names(&w, &c);
  c.resumes = true;
  assert_true(submit(&c, op_run("CREATE (:C {n: 1})", true)));
  assert_false(submit(&c, op_pull(&c, -1, -1)));
  dbms_session_interrupt(c.session, ERR_TX_TERMINATED);
  assert_int_equal(c.ready, 1);
  assert_false(dbms_session_resume(c.session)); // nothing was written yet
  settle(&w);
  assert_int_equal(c.ready, 2);
  assert_true(dbms_session_resume(c.session));
  assert_int_equal(c.op.err, ERR_OK);
  dbms_session_free(c.session);
  world_stop(&w);
}

TEST(a_lone_clients_commit_is_durable_when_submit_returns_and_wakes_nobody) {
  struct world w;
  struct client c;
  world_start(&w);
  connect(&w, &c);
  make_names(&w, &c);
  c.alone = true;
  assert_true(submit(&c, op_run("CREATE (:C {n: 1})", true)));
  sim_disk_fail(w.disk, SIM_SYNC, 0, ERR_IO); // ... and would be seen
  assert_true(submit(&c, op_pull(&c, -1, -1)));
  assert_true(sim_disk_failed(w.disk));
  assert_int_equal(c.op.err, ERR_TX_LOG);
  dbms_session_free(c.session);
  settle(&w);
  assert_int_not_equal(dbms_stop(w.dbms, &w.e), ERR_OK);
  dbms_close(w.dbms);
  config_free(w.config);
  sim_disk_free(w.disk);
  world_start(&w);
  connect(&w, &c);
  make_names(&w, &c);
  c.alone = true;
  assert_true(submit(&c, op_run("CREATE (:C {n: 1})", true)));
  assert_true(submit(&c, op_pull(&c, -1, -1)));
  assert_int_equal(c.op.err, ERR_OK);
  assert_true(c.op.pulled.summary.bookmark.len > 0);
  assert_false(step(&w));
  assert_int_equal(ask(&w, &c, "MATCH (c:C) RETURN sum(c.n)"), 1);
  dbms_session_free(c.session);
  world_stop(&w);
}

TEST(a_lone_clients_commit_joins_the_round_that_others_wait_for) {
  struct world w;
  struct client c, other;
  world_start(&w);
  connect(&w, &c);
  connect(&w, &other);
  make_names(&w, &other);
  assert_true(submit(&other, op_run("CREATE (:C {n: 1})", true)));
  assert_false(submit(&other, op_pull(&other, -1, -1))); // the log writer is queued for it
  c.alone = true;
  assert_true(submit(&c, op_run("CREATE (:C {n: 2})", true)));
  assert_false(submit(&c, op_pull(&c, -1, -1))); // so this one waits like the other
  settle(&w);
  assert_int_equal(c.done, 1);
  assert_int_equal(other.done, 1);
  assert_int_equal(ask(&w, &c, "MATCH (c:C) RETURN sum(c.n)"), 3);
  dbms_session_free(c.session);
  dbms_session_free(other.session);
  world_stop(&w);
}

TEST(who_waits_for_a_lock_goes_on_when_it_is_given_back) {
  struct world w;
  struct client holder, c;
  world_start(&w);
  wait_for_counter(&w, &holder, &c, -1);
  finish(&w, &holder, op_of(DBMS_COMMIT));
  assert_int_equal(c.done, 1);
  assert_int_equal(c.op.err, ERR_OK);
  finish(&w, &c, op_of(DBMS_COMMIT));
  assert_int_equal(ask(&w, &c, "MATCH (c:C) RETURN c.n"), 2);
  dbms_session_free(c.session);
  dbms_session_free(holder.session);
  world_stop(&w);
}

TEST(who_waits_for_a_lock_can_be_interrupted) {
  struct world w;
  struct client holder, c;
  world_start(&w);
  wait_for_counter(&w, &holder, &c, -1);
  dbms_session_interrupt(c.session, ERR_TX_TERMINATED);
  settle(&w);
  assert_failed(&c, ERR_TX_TERMINATED);
  finish(&w, &c, op_of(DBMS_RESET));
  assert_int_equal(ask(&w, &c, "MATCH (c:C) RETURN c.n"), 0);
  commit_and_leave(&w, &holder, &c, 1);
  world_stop(&w);
}

TEST(a_transactions_timeout_ends_its_wait) {
  struct world w;
  struct client holder, c;
  world_start(&w);
  wait_for_counter(&w, &holder, &c, 500);
  pass_time(&w, 499);
  settle(&w);
  assert_int_equal(c.done, 0);
  pass_time(&w, 1);
  settle(&w);
  assert_failed(&c, ERR_TX_TIMEOUT_CLIENT);
  commit_and_leave(&w, &holder, &c, 1);
  world_stop(&w);
}

TEST(a_client_that_sleeps_over_its_timeout_gives_its_locks_back) {
  struct world w;
  struct client sleeper, c;
  world_start(&w);
  connect(&w, &sleeper);
  connect(&w, &c);
  ask(&w, &c, "CREATE (:C {n: 0})");
  finish(&w, &sleeper, op_begin(500));
  finish(&w, &sleeper, op_run("MATCH (c:C) SET c.n = c.n + 1 RETURN c.n", false)); // not all pulled
  finish(&w, &sleeper, op_pull(&sleeper, -1, 1));
  finish(&w, &c, op_run("MATCH (c:C) SET c.n = c.n + 10", true));
  assert_false(submit(&c, op_pull(&c, -1, -1)));
  settle(&w);
  assert_int_equal(c.done, 0);
  pass_time(&w, 500);
  settle(&w);
  assert_int_equal(c.done, 1);
  assert_int_equal(c.op.err, ERR_OK);
  assert_true(submit(&sleeper, op_of(DBMS_COMMIT)));
  assert_int_equal(sleeper.op.err, ERR_TX_TIMEOUT_CLIENT);
  assert_int_equal(ask(&w, &c, "MATCH (c:C) RETURN c.n"), 10);
  dbms_session_free(sleeper.session);
  dbms_session_free(c.session);
  world_stop(&w);
}

TEST(a_query_in_transactions_of_its_own_waits_for_each_and_can_be_interrupted_in_them) {
  struct world w;
  struct client holder, c;
  world_start(&w);
  connect(&w, &holder);
  connect(&w, &c);
  ask(&w, &c, "CREATE (:C {n: 0})");
  ask(&w, &c, "UNWIND range(1, 100) AS i CALL { WITH i MATCH (c:C) SET c.n = c.n + i } IN TRANSACTIONS OF 10 ROWS");
  assert_int_equal(ask(&w, &c, "MATCH (c:C) RETURN c.n"), 5050);
  finish(&w, &holder, op_begin(-1));
  tell(&w, &holder, "MATCH (c:C) SET c.n = 0");
  finish(&w, &c,
         op_run("UNWIND range(1, 100) AS i CALL { WITH i MATCH (c:C) SET c.n = c.n + i } IN TRANSACTIONS OF 10 ROWS", true));
  assert_false(submit(&c, op_pull(&c, -1, -1)));
  settle(&w);
  assert_int_equal(c.done, 0);
  dbms_session_interrupt(c.session, ERR_TX_TERMINATED);
  settle(&w);
  assert_failed(&c, ERR_TX_TERMINATED);
  commit_and_leave(&w, &holder, &c, 0);
  world_stop(&w);
}

TEST(a_lock_is_waited_for_as_long_as_the_setting_says) {
  struct world w;
  struct client holder, c;
  world_start(&w);
  wait_for_counter(&w, &holder, &c, -1);
  pass_time(&w, 10000);
  settle(&w);
  assert_failed(&c, ERR_LOCK_TIMEOUT);
  commit_and_leave(&w, &holder, &c, 1);
  world_stop(&w);
}

TEST(a_session_freed_while_it_waits_says_done_once_and_leaves_nothing) {
  struct world w;
  struct client holder, c;
  world_start(&w);
  wait_for_counter(&w, &holder, &c, -1);
  dbms_session_free(c.session);
  c.session = NULL;
  settle(&w);
  assert_failed(&c, ERR_TX_TERMINATED);
  assert_int_equal(dbms_open_transactions(w.dbms), 1);
  commit_and_leave(&w, &holder, &c, 1);
  world_stop(&w);
}

TEST(a_session_may_be_freed_by_the_call_that_says_it_is_done) {
  struct world w;
  struct client c;
  world_start(&w);
  connect(&w, &c);
  finish(&w, &c, op_run("CREATE (:C)", true));
  c.free_in_done = true;
  assert_false(submit(&c, op_pull(&c, -1, -1)));
  settle(&w);
  assert_int_equal(c.done, 1);
  assert_null(c.session);
  world_stop(&w);
}

TEST(one_of_a_deadlock_is_rolled_back_and_the_other_goes_on) {
  struct world w;
  struct client a, b;
  world_start(&w);
  connect(&w, &a);
  connect(&w, &b);
  ask(&w, &a, "CREATE (:C {i: 0, n: 0}), (:C {i: 1, n: 0})");
  finish(&w, &a, op_begin(-1));
  finish(&w, &b, op_begin(-1));
  tell(&w, &a, "MATCH (c:C {i: 0}) SET c.n = c.n + 1");
  tell(&w, &b, "MATCH (c:C {i: 1}) SET c.n = c.n + 1");
  finish(&w, &a, op_run("MATCH (c:C {i: 1}) SET c.n = c.n + 1", false));
  finish(&w, &b, op_run("MATCH (c:C {i: 0}) SET c.n = c.n + 1", false));
  assert_false(submit(&a, op_pull(&a, -1, -1)));
  settle(&w);
  assert_int_equal(a.done, 0);
  bool at_once = submit(&b, op_pull(&b, -1, -1));
  settle(&w);
  assert_true(at_once || b.done == 1);
  assert_int_equal(b.op.err, ERR_DEADLOCK);
  assert_int_equal(a.done, 1);
  assert_int_equal(a.op.err, ERR_OK);
  finish(&w, &a, op_of(DBMS_COMMIT));
  assert_int_equal(ask(&w, &a, "MATCH (c:C) RETURN c.n"), 2);
  dbms_session_free(a.session);
  dbms_session_free(b.session);
  world_stop(&w);
}

TEST(an_older_result_keeps_its_rows_when_another_statement_runs) {
  struct world w;
  struct client c;
  world_start(&w);
  connect(&w, &c);
  finish(&w, &c, op_begin(-1));
  finish(&w, &c, op_run("UNWIND range(1, 5000) AS i CREATE (:N) RETURN i", false));
  int64_t first = c.op.ran.result;
  finish(&w, &c, op_pull(&c, first, 10));
  assert_true(c.op.pulled.has_more);
  assert_int_equal(c.sum, 55);
  finish(&w, &c, op_run("MATCH (n:N) RETURN count(n)", false));
  int64_t second = c.op.ran.result;
  assert_int_not_equal(first, second);
  finish(&w, &c, op_pull(&c, second, -1));
  assert_int_equal(c.sum, 5000);
  finish(&w, &c, op_pull(&c, first, -1));
  assert_int_equal(c.rows, 4990);
  assert_int_equal(c.sum, INT64_C(5000) * 5001 / 2 - 55);
  finish(&w, &c, op_of(DBMS_ROLLBACK));
  dbms_session_free(c.session);
  world_stop(&w);
}

/// A bookmark of a transaction that this database has not seen yet: that of the last one with digits behind it.
static struct str later_bookmark(struct world *w, struct client *c, char text[100]) {
  ask(w, c, "CREATE (:C {n: 1})");
  int len = snprintf(text, 100, "%.*s000000", STR_ARG(c->op.pulled.summary.bookmark));
  return (struct str){text, (size_t) len};
}

static void wait_for_bookmark(struct world *w, struct client *c, struct str *bookmark, char text[100]) {
  connect(w, c);
  *bookmark = later_bookmark(w, c, text);
  struct dbms_op op = op_begin(-1);
  op.begin.bookmarks = bookmark;
  op.begin.bookmark_count = 1;
  assert_false(submit(c, op));
  for (int i = 0; i < 3; i++) {
    pass_time(w, 10);
    settle(w);
  }
  assert_int_equal(c->done, 0);
}

TEST(a_bookmark_is_waited_for_and_no_longer_than_the_setting_says) {
  struct world w;
  struct client c;
  char text[100];
  struct str bookmark;
  world_start(&w);
  wait_for_bookmark(&w, &c, &bookmark, text);
  pass_time(&w, config_values(w.config)->bookmark_timeout_ms);
  settle(&w);
  assert_failed(&c, ERR_BOOKMARK_TIMEOUT);
  dbms_session_free(c.session);
  world_stop(&w);
}

TEST(who_waits_for_a_bookmark_can_be_interrupted_and_freed) {
  for (int freed = 0; freed < 2; freed++) {
    struct world w;
    struct client c;
    char text[100];
    struct str bookmark;
    world_start(&w);
    wait_for_bookmark(&w, &c, &bookmark, text);
    if (freed)
      dbms_session_free(c.session);
    else
      dbms_session_interrupt(c.session, ERR_TX_TERMINATED);
    pass_time(&w, 10);
    settle(&w);
    assert_failed(&c, ERR_TX_TERMINATED);
    if (!freed) dbms_session_free(c.session);
    world_stop(&w);
  }
}

TEST(a_bookmark_that_is_reached_wakes_its_waiter_without_the_ticker) {
  for (int resumes = 0; resumes < 2; resumes++) {
    struct world w;
    struct client c, writer;
    char text[100];
    world_start(&w);
    connect(&w, &c);
    connect(&w, &writer);
    ask(&w, &writer, "CREATE (:C {n: 1})");
    struct str last = writer.op.pulled.summary.bookmark;
    // "Q1:<uuid>:<id>" of the transaction after this one
    size_t colon = last.len;
    while (last.ptr[colon - 1] != ':') colon--;
    int64_t id;
    assert_true(str_to_i64((struct str){last.ptr + colon, last.len - colon}, &id));
    int len = snprintf(text, sizeof text, "%.*s%lld", (int) colon, last.ptr, (long long) id + 1);
    struct str bookmark = {text, (size_t) len};
    struct dbms_op op = op_begin(-1);
    op.begin.bookmarks = &bookmark;
    op.begin.bookmark_count = 1;
    c.resumes = resumes;
    assert_false(submit(&c, op));
    assert_false(c.op.commits);
    assert_false(step(&w));
    ask(&w, &writer, "MATCH (c:C) SET c.n = 2");
    settle(&w);
    assert_int_equal(c.ready, resumes);
    if (resumes) assert_true(dbms_session_resume(c.session));
    assert_int_equal(c.done, !resumes);
    assert_int_equal(c.op.err, ERR_OK);
    finish(&w, &c, op_of(DBMS_ROLLBACK));
    pass_time(&w, config_values(w.config)->bookmark_timeout_ms);
    assert_false(step(&w)); // it is forgotten
    dbms_session_free(c.session);
    dbms_session_free(writer.session);
    world_stop(&w);
  }
}

TEST(a_bookmark_is_not_waited_for_when_the_database_has_failed) {
  struct world w;
  struct client c, waiter;
  char text[100];
  struct str bookmark;
  world_start(&w);
  wait_for_bookmark(&w, &waiter, &bookmark, text);
  connect(&w, &c);
  assert_true(submit(&c, op_run("CREATE (:C {n: 1})", true)));
  sim_disk_fail(w.disk, SIM_WRITE, 0, ERR_IO);
  assert_false(submit(&c, op_pull(&c, -1, -1)));
  settle(&w);
  assert_failed(&c, ERR_TX_LOG);
  assert_failed(&waiter, ERR_TX_LOG);
  dbms_session_free(c.session);
  dbms_session_free(waiter.session);
  settle(&w);
  assert_int_not_equal(dbms_stop(w.dbms, &w.e), ERR_OK);
  dbms_close(w.dbms);
  config_free(w.config);
  sim_disk_free(w.disk);
}

TEST(an_idle_server_has_no_work) {
  struct world w;
  struct client c;
  world_start(&w);
  connect(&w, &c);
  ask(&w, &c, "CREATE (:C {n: 1})");
  for (int i = 0; i < 1000; i++) {
    pass_time(&w, 10);
    assert_false(step(&w));
  }
  dbms_session_free(c.session);
  world_stop(&w);
}

/// Commits until the log has no room; returns how many nodes were acknowledged.
static int64_t fill_log(struct world *w, struct client *c) {
  int64_t acknowledged = 0;
  sim_disk_set_room(w->disk, 2 << 20);
  for (int i = 0; i < 200; i++) {
    finish(w, c,
           op_run("UNWIND range(1, 500) AS i CREATE (:N {text: 'some text that takes room, and some more of it: ' + i})", true));
    bool at_once = submit(c, op_pull(c, -1, -1));
    settle(w);
    assert_true(at_once || c->done == 1);
    if (c->op.err != ERR_OK) break;
    acknowledged += 500;
  }
  assert_int_equal(c->op.err, ERR_TX_LOG);
  return acknowledged;
}

/// A statement that changes something and cannot while there is no room.
static void assert_refused(struct world *w, struct client *c, const char *query) {
  bool at_once = submit(c, op_run(query, true));
  settle(w);
  if (c->op.err == ERR_OK) at_once = submit(c, op_pull(c, -1, -1));
  settle(w);
  assert_true(at_once || c->done == 1);
  assert_int_equal(c->op.err, ERR_TX_LOG);
}

TEST(without_room_on_the_disk_commits_are_refused_and_reads_and_later_commits_go_on) {
  struct world w;
  struct client c, other;
  world_start(&w);
  connect(&w, &c);
  connect(&w, &other);
  int64_t acknowledged = fill_log(&w, &c);
  assert_int_equal(w.troubles, 1);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(ask(&w, &c, "MATCH (n:N) RETURN count(n)"), acknowledged);
    assert_refused(&w, &c, "CREATE (:N)");
    assert_refused(&w, &c, "CREATE (:NewLabel {newKey: 1})-[:NEW_TYPE]->()");
    assert_refused(&w, &c, "CREATE INDEX FOR (n:N) ON (n.text)");
    assert_refused(&w, &c, "CREATE CONSTRAINT FOR (n:N) REQUIRE n.text IS UNIQUE");
    pass_time(&w, 1000);
    settle(&w);
  }
  assert_int_equal(w.recoveries, 0);
  assert_int_equal(w.troubles, 1);
  sim_disk_set_room(w.disk, UINT64_MAX);
  pass_time(&w, 1000);
  settle(&w);
  assert_int_equal(w.recoveries, 1);
  ask(&w, &c, "CREATE (:NewLabel {newKey: 1})-[:NEW_TYPE]->()");
  ask(&w, &c, "CREATE INDEX FOR (n:N) ON (n.text)");
  ask(&w, &c, "CREATE CONSTRAINT FOR (n:NewLabel) REQUIRE n.newKey IS UNIQUE");
  ask(&w, &other, "CREATE (:N)");
  dbms_session_free(c.session);
  dbms_session_free(other.session);
  world_lose_power(&w);
  connect(&w, &c);
  assert_int_equal(ask(&w, &c, "MATCH (n:N) RETURN count(n)"), acknowledged + 1);
  assert_int_equal(ask(&w, &c, "MATCH (n:NewLabel) RETURN sum(n.newKey)"), 1);
  dbms_session_free(c.session);
  world_stop(&w);
}

enum { WISHES = 4 };

/// Statements with names that are new in each round.
static void wish(int round, char wishes[WISHES][100]) {
  snprintf(wishes[0], 100, "CREATE (:N {one: 1})");
  snprintf(wishes[1], 100, "CREATE (:Other%d)-[:T%d]->(:N)", round, round);
  snprintf(wishes[2], 100, "CREATE (:N {one: 2, two%d: 2})", round);
  snprintf(wishes[3], 100, "CREATE INDEX i%d FOR (n:M) ON (n.key%d)", round, round);
}

/// All of them at once, step by step; true if the log refused one.
static bool wish_together(struct world *w, struct client c[WISHES], char wishes[WISHES][100]) {
  bool at_once[WISHES], refused = false;
  for (int i = 0; i < WISHES; i++) at_once[i] = submit(&c[i], op_run(wishes[i], true));
  settle(w);
  for (int i = 0; i < WISHES; i++) assert_true(at_once[i] || c[i].done == 1);
  for (int i = 0; i < WISHES; i++)
    if (c[i].op.err == ERR_OK) at_once[i] = submit(&c[i], op_pull(&c[i], -1, -1));
  settle(w);
  for (int i = 0; i < WISHES; i++) {
    assert_true(at_once[i] || c[i].done == 1);
    assert_true(c[i].op.err == ERR_OK || c[i].op.err == ERR_TX_LOG);
    refused |= c[i].op.err == ERR_TX_LOG;
  }
  return refused;
}

TEST(all_that_wait_for_a_log_without_room_are_told_and_what_they_wanted_can_be_done_later) {
  struct world w;
  struct client c[WISHES];
  char wishes[WISHES][100];
  int round = 0;
  world_start(&w);
  for (int i = 0; i < WISHES; i++) connect(&w, &c[i]);
  ask(&w, &c[0], "CREATE (:M)");
  for (int times = 0; times < 2; times++) {
    sim_disk_set_room(w.disk, 0);
    do wish(++round, wishes);
    while (!wish_together(&w, c, wishes));
    sim_disk_set_room(w.disk, UINT64_MAX);
    pass_time(&w, 1000);
    settle(&w);
    wish(++round, wishes);
    assert_false(wish_together(&w, c, wishes));
  }
  for (int i = 0; i < WISHES; i++) dbms_session_free(c[i].session);
  world_lose_power(&w);
  connect(&w, &c[0]);
  wish(round, wishes);
  char question[100];
  snprintf(question, sizeof question, "MATCH (:Other%d)-[:T%d]->(), (n:N) WHERE n.two%d = 2 RETURN count(n)", round, round,
           round);
  assert_int_equal(ask(&w, &c[0], question), 1);
  dbms_session_free(c[0].session);
  world_stop(&w);
}

TEST(a_commit_whose_write_to_the_log_failed_is_told_so) {
  struct world w;
  struct client c;
  world_start(&w);
  connect(&w, &c);
  finish(&w, &c, op_run("CREATE (:C {n: 1})", true));
  sim_disk_fail(w.disk, SIM_WRITE, 0, ERR_NOSPC);
  assert_false(submit(&c, op_pull(&c, -1, -1)));
  settle(&w);
  assert_failed(&c, ERR_TX_LOG);
  dbms_session_free(c.session);
  settle(&w);
  assert_int_not_equal(dbms_stop(w.dbms, &w.e), ERR_OK); // it will be replayed from the log
  dbms_close(w.dbms);
  config_free(w.config);
  sim_disk_free(w.disk);
}

static const struct dbms_notification *noticed(struct client *c, const char *code) {
  const struct dbms_summary *s = &c->op.pulled.summary;
  for (uint32_t i = 0; i < s->notification_count; i++)
    if (strstr(s->notifications[i].neo4j_code.ptr, code) != NULL) return &s->notifications[i];
  return NULL;
}

/// The statement run to its end with that filter; how many notifications came.
static uint32_t notices(struct world *w, struct client *c, const char *query, enum dbms_severity severity, const char *without) {
  struct str disabled = without != NULL ? str_of(without) : STR("");
  struct dbms_op op = op_run(query, true);
  op.run.min_severity = severity;
  op.run.disabled_categories = &disabled;
  op.run.disabled_category_count = without != NULL;
  finish(w, c, op);
  disabled = STR("changed since"); // the result keeps a copy
  finish(w, c, op_pull(c, -1, -1));
  return c->op.pulled.summary.notification_count;
}

TEST(what_a_statement_should_know_is_told_as_far_as_the_client_wants_to_hear_it) {
  struct world w;
  struct client c;
  world_start(&w);
  connect(&w, &c);
  static const char query[] = "MATCH (a:Nobody), (b:Nothing) RETURN id(a), b";
  assert_int_equal(notices(&w, &c, query, DBMS_SEVERITY_DEFAULT, NULL), 4);
  const struct dbms_notification *label = noticed(&c, "UnknownLabelWarning"), *product = noticed(&c, "CartesianProduct");
  assert_true(str_eqz(label->gql_status, "01N50") && str_eqz(label->severity, "WARNING") &&
              str_eqz(label->category, "UNRECOGNIZED"));
  assert_true(str_eqz(
      label->gql_description,
      "warn: unknown label. The label `Nobody` does not exist in database `neo4j`. Verify that the spelling is correct."));
  assert_true(label->has_position && label->line == 1 && label->column == 10 && label->offset == 9);
  assert_true(str_eqz(product->gql_status, "03N90") && str_eqz(product->severity, "INFORMATION") &&
              str_eqz(product->category, "PERFORMANCE"));
  assert_int_equal(notices(&w, &c, query, DBMS_SEVERITY_WARNING, NULL), 3);
  assert_int_equal(notices(&w, &c, query, DBMS_SEVERITY_WARNING, "UNRECOGNIZED"), 1);
  assert_int_equal(notices(&w, &c, query, DBMS_SEVERITY_INFORMATION, "deprecation"), 3);
  assert_int_equal(notices(&w, &c, query, DBMS_SEVERITY_OFF, NULL), 0);
  // The plan of a text is kept; when the names are there, nothing is unknown any more.
  ask(&w, &c, "CREATE (:Nobody), (:Nothing)");
  assert_int_equal(notices(&w, &c, query, DBMS_SEVERITY_DEFAULT, NULL), 2);
  // EXPLAIN needs no parameters and says which it lacks.
  assert_int_equal(notices(&w, &c, "EXPLAIN MATCH (a:Nobody) WHERE elementId(a) = $id RETURN $x", DBMS_SEVERITY_DEFAULT, NULL),
                   1);
  assert_non_null(strstr(noticed(&c, "ParameterNotProvided")->description.ptr, "(Missing parameters: id, x)"));
  dbms_session_free(c.session);
  world_stop(&w);
}

TEST(a_data_folder_whose_path_is_too_long_is_refused_before_anything_is_made) {
  struct world w;
  char path[DISK_PATH_MAX - 8] = "/";
  world_prepare(&w, 7);
  memset(path + 1, 'x', sizeof path - 2);
  set(&w, "server.directories.data", path);
  assert_ok(config_finish(w.config, STR("/home"), &w.e));
  assert_int_equal(try_to_open(&w), ERR_INVALID);
  assert_int_equal(sim_disk_changes(w.disk), 0);
  config_free(w.config);
  sim_disk_free(w.disk);
}

TESTS(T(a_data_folder_whose_path_is_too_long_is_refused_before_anything_is_made),
      T(a_small_question_is_answered_on_the_callers_thread), T(a_commit_gives_its_thread_back_until_it_is_durable),
      T(whichever_allocation_fails_a_commit_is_answered_with_success_if_and_only_if_it_is_there),
      T(the_first_commit_of_a_new_server_survives_a_power_cut),
      T(the_front_door_is_told_when_a_commit_is_there_and_finishes_it_itself),
      T(an_interrupted_commit_is_waited_for_all_the_same),
      T(a_lone_clients_commit_is_durable_when_submit_returns_and_wakes_nobody),
      T(a_lone_clients_commit_joins_the_round_that_others_wait_for), T(who_waits_for_a_lock_goes_on_when_it_is_given_back),
      T(who_waits_for_a_lock_can_be_interrupted), T(a_transactions_timeout_ends_its_wait),
      T(a_client_that_sleeps_over_its_timeout_gives_its_locks_back),
      T(a_query_in_transactions_of_its_own_waits_for_each_and_can_be_interrupted_in_them),
      T(a_lock_is_waited_for_as_long_as_the_setting_says), T(a_session_freed_while_it_waits_says_done_once_and_leaves_nothing),
      T(a_session_may_be_freed_by_the_call_that_says_it_is_done), T(one_of_a_deadlock_is_rolled_back_and_the_other_goes_on),
      T(an_older_result_keeps_its_rows_when_another_statement_runs),
      T(a_bookmark_is_waited_for_and_no_longer_than_the_setting_says), T(who_waits_for_a_bookmark_can_be_interrupted_and_freed),
      T(a_bookmark_that_is_reached_wakes_its_waiter_without_the_ticker),
      T(a_bookmark_is_not_waited_for_when_the_database_has_failed), T(an_idle_server_has_no_work),
      T(without_room_on_the_disk_commits_are_refused_and_reads_and_later_commits_go_on),
      T(all_that_wait_for_a_log_without_room_are_told_and_what_they_wanted_can_be_done_later),
      T(a_commit_whose_write_to_the_log_failed_is_told_so),
      T(what_a_statement_should_know_is_told_as_far_as_the_client_wants_to_hear_it))
