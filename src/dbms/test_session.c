// Sessions: statements, commits, results, and which thread does them.
#include <string.h>

#include "dbms/session_int.h"
#include "dbms/test_session_world.h"

TEST(a_small_question_is_answered_on_the_callers_thread) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  assert_true(submit(&c, op_run("RETURN 1 AS n", true)));
  assert_true(submit(&c, op_pull(&c, -1, -1)));
  assert_int_equal(c.sum, 1);
  assert_int_equal(c.done, 0);
  leave(&w, &c);
}

TEST(a_commit_gives_its_thread_back_until_it_is_durable) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  finish(&w, &c, op_run("CREATE (:C {n: 1})", true));
  assert_false(submit(&c, op_pull(&c, -1, -1)));
  assert_int_equal(c.done, 0);
  settle(&w);
  assert_int_equal(c.done, 1);
  assert_int_equal(c.op.err, ERR_OK);
  assert_true(c.op.pulled.summary.bookmark.len > 0);
  leave(&w, &c);
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
    leave(&w, &c);
  }
}

/// Label and key are known: the next transaction waits for no entry but its own.
static void make_names(struct world *w, struct client *c) {
  ask(w, c, "CREATE (:C {n: 0})");
}

TEST(the_front_door_is_told_when_a_commit_is_there_and_finishes_it_itself) {
  struct world w;
  struct client c;
  start_with(&w, &c);
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
  leave(&w, &c);
}

TEST(an_interrupted_commit_is_waited_for_all_the_same) {
  struct world w;
  struct client c;
  start_with(&w, &c);
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
  leave(&w, &c);
}

TEST(a_lone_clients_commit_is_durable_when_submit_returns_and_wakes_nobody) {
  struct world w;
  struct client c;
  start_with(&w, &c);
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
  start_with(&w, &c);
  make_names(&w, &c);
  c.alone = true;
  assert_true(submit(&c, op_run("CREATE (:C {n: 1})", true)));
  assert_true(submit(&c, op_pull(&c, -1, -1)));
  assert_int_equal(c.op.err, ERR_OK);
  assert_true(c.op.pulled.summary.bookmark.len > 0);
  assert_false(step(&w));
  assert_int_equal(ask(&w, &c, "MATCH (c:C) RETURN sum(c.n)"), 1);
  leave(&w, &c);
}

TEST(a_lone_clients_commit_joins_the_round_that_others_wait_for) {
  struct world w;
  struct client c, other;
  start_with(&w, &c);
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

TEST(a_session_may_be_freed_by_the_call_that_says_it_is_done) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  finish(&w, &c, op_run("CREATE (:C)", true));
  c.free_in_done = true;
  assert_false(submit(&c, op_pull(&c, -1, -1)));
  settle(&w);
  assert_int_equal(c.done, 1);
  assert_null(c.session);
  world_stop(&w);
}

TEST(an_older_result_keeps_its_rows_when_another_statement_runs) {
  struct world w;
  struct client c;
  start_with(&w, &c);
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
  leave(&w, &c);
}

TEST(an_idle_server_has_no_work) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  ask(&w, &c, "CREATE (:C {n: 1})");
  for (int i = 0; i < 1000; i++) {
    pass_time(&w, 10);
    assert_false(step(&w));
  }
  leave(&w, &c);
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
  start_with(&w, &c);
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
  leave(&w, &c);
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

static void begin_to_change_password(struct world *w, struct client *c) {
  struct dbms_op begin = op_begin(-1);
  begin.begin.database = STR("system");
  finish(w, c, begin);
  tell(w, c, "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO 'another1'");
}

TEST(a_password_that_must_be_changed_is_changed_when_that_is_committed) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  finish(&w, &c, op_of(DBMS_LOGOFF));
  finish(&w, &c, (struct dbms_op){.kind = DBMS_LOGIN, .login.principal = STR("neo4j")});
  c.session->must_change_password = true;
  begin_to_change_password(&w, &c);
  finish(&w, &c, op_of(DBMS_ROLLBACK));
  assert_true(c.session->must_change_password);
  begin_to_change_password(&w, &c);
  finish(&w, &c, op_of(DBMS_COMMIT));
  assert_false(c.session->must_change_password);
  leave(&w, &c);
}

TESTS(T(a_small_question_is_answered_on_the_callers_thread), T(a_commit_gives_its_thread_back_until_it_is_durable),
      T(whichever_allocation_fails_a_commit_is_answered_with_success_if_and_only_if_it_is_there),
      T(the_first_commit_of_a_new_server_survives_a_power_cut),
      T(the_front_door_is_told_when_a_commit_is_there_and_finishes_it_itself),
      T(an_interrupted_commit_is_waited_for_all_the_same),
      T(a_lone_clients_commit_is_durable_when_submit_returns_and_wakes_nobody),
      T(a_lone_clients_commit_joins_the_round_that_others_wait_for), T(a_session_may_be_freed_by_the_call_that_says_it_is_done),
      T(an_older_result_keeps_its_rows_when_another_statement_runs), T(an_idle_server_has_no_work),
      T(what_a_statement_should_know_is_told_as_far_as_the_client_wants_to_hear_it),
      T(a_password_that_must_be_changed_is_changed_when_that_is_committed),
      T(a_data_folder_whose_path_is_too_long_is_refused_before_anything_is_made))
