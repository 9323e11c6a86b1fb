// Sessions that wait for a lock or a bookmark: woken, interrupted, timed out, freed.
#include <stdio.h>

#include "dbms/test_session_world.h"

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

/// The holder is not hindered by what became of the other.
static void commit_and_leave(struct world *w, struct client *holder, struct client *c, int64_t counter) {
  finish(w, holder, op_of(DBMS_COMMIT));
  assert_int_equal(ask(w, holder, "MATCH (c:C) RETURN c.n"), counter);
  dbms_session_free(c->session);
  dbms_session_free(holder->session);
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
  leave(&w, &c);
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
  leave(&w, &c);
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
    start_with(&w, &c);
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

TESTS(T(who_waits_for_a_lock_goes_on_when_it_is_given_back), T(who_waits_for_a_lock_can_be_interrupted),
      T(a_transactions_timeout_ends_its_wait), T(a_client_that_sleeps_over_its_timeout_gives_its_locks_back),
      T(a_query_in_transactions_of_its_own_waits_for_each_and_can_be_interrupted_in_them),
      T(a_lock_is_waited_for_as_long_as_the_setting_says), T(a_session_freed_while_it_waits_says_done_once_and_leaves_nothing),
      T(one_of_a_deadlock_is_rolled_back_and_the_other_goes_on), T(a_bookmark_is_waited_for_and_no_longer_than_the_setting_says),
      T(who_waits_for_a_bookmark_can_be_interrupted_and_freed), T(a_bookmark_that_is_reached_wakes_its_waiter_without_the_ticker),
      T(a_bookmark_is_not_waited_for_when_the_database_has_failed))
