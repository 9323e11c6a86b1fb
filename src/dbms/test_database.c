// A database whose store is about to be replaced: who was in it, what they are told, and what they keep.
#include "dbms/dbms_int.h"
#include "dbms/test_session_world.h"

static void run_at_once(struct work_host *host UNUSED, enum work_kind kind UNUSED, struct work *w) {
  w->run(w);
}

/// Machines run as soon as they have something to do: nobody else is there to run them meanwhile.
static void shut(struct world *w) {
  settle(w);
  w->host.host.submit = run_at_once;
  while (!database_try_shut(dbms_home(w->dbms), GATE_REPLACING)) thread_sleep_ns(NS_PER_MS);
  w->host.host.submit = host_submit;
}

TEST(what_a_client_was_told_of_its_result_stays_when_the_database_is_shut) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  finish(&w, &c, op_begin(-1));
  finish(&w, &c, op_run("UNWIND range(1, 10) AS number RETURN number, 'x' AS text", false));
  struct dbms_op told = c.op; // the front door has not read it yet
  shut(&w);
  assert_int_equal(told.ran.column_count, 2);
  assert_str(told.ran.columns[0], "number");
  assert_str(told.ran.columns[1], "text");
  assert_str(told.ran.database, "neo4j");
  assert_true(submit(&c, op_pull(&c, -1, -1)));
  assert_int_equal(c.op.err, ERR_DATABASE_UNAVAILABLE);
  leave(&w, &c);
}

TEST(nobody_comes_into_a_database_that_is_shut) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  ask(&w, &c, "CREATE (:N)");
  shut(&w);
  assert_true(submit(&c, op_run("RETURN 1", true)));
  assert_int_equal(c.op.err, ERR_DATABASE_UNAVAILABLE);
  finish(&w, &c, op_of(DBMS_RESET));
  leave(&w, &c);
}

TESTS(T(what_a_client_was_told_of_its_result_stays_when_the_database_is_shut), T(nobody_comes_into_a_database_that_is_shut))
