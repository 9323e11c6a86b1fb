// Databases: made, dropped, stopped and started, with the power cut at any moment.
#include <string.h>

#include "dbms/dbms_int.h"
#include "dbms/standing.h"
#include "dbms/test_session_world.h"
#include "dbms/transaction.h"

static struct dbms_op on(struct dbms_op op, const char *database) {
  op.run.tx.database = str_of(database);
  return op;
}

/// An auto-commit statement on that database, to its end or its failure; then time goes by, so that what must wait for a tick has
/// had one.
static enum err attempt(struct world *w, struct client *c, const char *database, const char *query) {
  bool at_once = submit(c, on(op_run(query, true), database));
  settle(w);
  if (c->op.err != ERR_OK) return c->op.err;
  at_once = submit(c, op_pull(c, -1, -1));
  for (int i = 0; i < 20 && !at_once && c->done == 0; i++) {
    settle(w);
    pass_time(w, 10);
  }
  settle(w);
  return c->op.err;
}

static void order(struct world *w, struct client *c, const char *command) {
  if (attempt(w, c, "system", command) != ERR_OK) fail_msg("%s: %s", command, c->op.error.message);
}

static void refused(struct world *w, struct client *c, const char *command, enum err err, const char *text) {
  assert_int_equal(attempt(w, c, "system", command), err);
  if (strstr(c->op.error.message, text) == NULL) fail_msg("%s: %s", command, c->op.error.message);
}

static int64_t count_in(struct world *w, struct client *c, const char *database) {
  assert_ok(attempt(w, c, database, "MATCH (n) RETURN count(n)"));
  return c->sum;
}

static enum err list_name(void *argument, const char *name, bool is_directory UNUSED) {
  (*(unsigned *) argument) += strcmp(name, ".") != 0;
  return ERR_OK;
}

static unsigned folders(struct world *w) {
  unsigned n = 0;
  assert_ok(disk_list(sim_disk_table(w->disk), "/home/data/databases", list_name, &n, &w->e));
  return n;
}

TEST(each_database_has_data_of_its_own) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  order(&w, &c, "CREATE DATABASE Movies");
  assert_ok(attempt(&w, &c, "movies", "CREATE (:M), (:M)"));
  assert_ok(attempt(&w, &c, "neo4j", "CREATE (:N)"));
  assert_int_equal(count_in(&w, &c, "MOVIES"), 2);
  assert_int_equal(count_in(&w, &c, "neo4j"), 1);
  order(&w, &c, "DROP DATABASE movies");
  assert_int_equal(attempt(&w, &c, "movies", "RETURN 1"), ERR_DATABASE_NOT_FOUND);
  assert_int_equal(folders(&w), 2);
  order(&w, &c, "CREATE DATABASE movies");
  assert_int_equal(count_in(&w, &c, "movies"), 0);
  leave(&w, &c);
}

TEST(databases_outlive_a_restart_with_what_was_asked_of_them) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  order(&w, &c, "CREATE DATABASE here");
  order(&w, &c, "CREATE DATABASE gone");
  order(&w, &c, "CREATE DATABASE idle");
  assert_ok(attempt(&w, &c, "here", "CREATE (:H)"));
  order(&w, &c, "STOP DATABASE idle");
  order(&w, &c, "DROP DATABASE gone");
  dbms_session_free(c.session);
  world_lose_power(&w);
  connect(&w, &c);
  assert_int_equal(count_in(&w, &c, "here"), 1);
  assert_int_equal(attempt(&w, &c, "idle", "RETURN 1"), ERR_DATABASE_UNAVAILABLE);
  assert_int_equal(attempt(&w, &c, "gone", "RETURN 1"), ERR_DATABASE_NOT_FOUND);
  order(&w, &c, "START DATABASE idle");
  assert_int_equal(count_in(&w, &c, "idle"), 0);
  leave(&w, &c);
}

TEST(what_cannot_be_done_says_why) {
  struct world w;
  struct client c;
  world_prepare(&w, 7);
  set(&w, "dbms.max_databases", "3");
  assert_ok(config_finish(w.config, STR("/home"), &w.e));
  world_open(&w);
  connect(&w, &c);
  refused(&w, &c, "CREATE DATABASE neo4j", ERR_DATABASE_EXISTS, "already exists");
  refused(&w, &c, "CREATE DATABASE ab", ERR_ARGUMENT, "between 3 and 63");
  refused(&w, &c, "CREATE DATABASE `1ab`", ERR_ARGUMENT, "ASCII alphabetic");
  refused(&w, &c, "CREATE DATABASE `a_b`", ERR_ARGUMENT, "illegal characters");
  refused(&w, &c, "CREATE DATABASE `abc-`", ERR_ARGUMENT, "must not end");
  refused(&w, &c, "CREATE DATABASE systems", ERR_ARGUMENT, "prefix 'system'");
  refused(&w, &c, "DROP DATABASE system", ERR_UNSUPPORTED_ADMIN, "system database");
  refused(&w, &c, "STOP DATABASE system", ERR_UNSUPPORTED_ADMIN, "system database");
  refused(&w, &c, "DROP DATABASE nowhere", ERR_DATABASE_NOT_FOUND, "does not exist");
  refused(&w, &c, "START DATABASE nowhere", ERR_DATABASE_NOT_FOUND, "does not exist");
  refused(&w, &c, "CREATE OR REPLACE DATABASE abc IF NOT EXISTS", ERR_SYNTAX, "cannot have both");
  refused(&w, &c, "CREATE DATABASE abc OPTIONS {storeFormat: 'x'}", ERR_UNSUPPORTED_ADMIN, "OPTIONS");
  refused(&w, &c, "DROP DATABASE neo4j DUMP DATA", ERR_UNSUPPORTED_ADMIN, "DUMP DATA");
  refused(&w, &c, "CREATE DATABASE abc WAIT 0 SECONDS", ERR_ARGUMENT, "WAIT");
  order(&w, &c, "DROP DATABASE nowhere IF EXISTS");
  order(&w, &c, "CREATE DATABASE third OPTIONS {}");
  order(&w, &c, "CREATE DATABASE third IF NOT EXISTS");
  refused(&w, &c, "CREATE DATABASE fourth", ERR_DATABASE_LIMIT, "dbms.max_databases");
  order(&w, &c, "CREATE OR REPLACE DATABASE third");
  order(&w, &c, "DROP DATABASE third");
  order(&w, &c, "CREATE DATABASE fourth");
  assert_int_equal(attempt(&w, &c, "neo4j", "CREATE DATABASE fifth"), ERR_NOT_SYSTEM_DATABASE);
  leave(&w, &c);
}

TEST(replacing_the_default_database_empties_it) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  assert_ok(attempt(&w, &c, "neo4j", "CREATE (:N)"));
  order(&w, &c, "CREATE OR REPLACE DATABASE neo4j WAIT");
  assert_int_equal(count_in(&w, &c, ""), 0);
  assert_ok(attempt(&w, &c, "", "CREATE (:N), (:N), (:N)"));
  dbms_session_free(c.session);
  world_lose_power(&w);
  connect(&w, &c);
  assert_int_equal(count_in(&w, &c, ""), 3);
  assert_int_equal(folders(&w), 2);
  leave(&w, &c);
}

TEST(a_default_database_that_was_dropped_comes_back_empty_with_the_next_start) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  assert_ok(attempt(&w, &c, "neo4j", "CREATE (:N)"));
  order(&w, &c, "DROP DATABASE neo4j");
  assert_int_equal(attempt(&w, &c, "", "RETURN 1"), ERR_DATABASE_NOT_FOUND);
  dbms_session_free(c.session);
  world_lose_power(&w);
  connect(&w, &c);
  assert_int_equal(count_in(&w, &c, ""), 0);
  leave(&w, &c);
}

TEST(sessions_of_a_database_that_is_dropped_or_stopped_are_told) {
  struct world w;
  struct client c, other;
  start_with(&w, &c);
  connect(&w, &other);
  order(&w, &c, "CREATE DATABASE abc");
  struct dbms_op begin = op_begin(-1);
  begin.begin.database = STR("abc");
  finish(&w, &other, begin);
  tell(&w, &other, "CREATE (:A)");
  order(&w, &c, "STOP DATABASE abc");
  submit(&other, op_run("RETURN 1", false));
  assert_int_equal(other.op.err, ERR_DATABASE_UNAVAILABLE);
  order(&w, &c, "START DATABASE abc");
  assert_int_equal(count_in(&w, &c, "abc"), 0);
  finish(&w, &other, begin);
  tell(&w, &other, "CREATE (:A)");
  order(&w, &c, "DROP DATABASE abc");
  submit(&other, op_of(DBMS_COMMIT));
  assert_int_equal(other.op.err, ERR_DATABASE_NOT_FOUND);
  assert_int_equal(attempt(&w, &other, "abc", "RETURN 1"), ERR_DATABASE_NOT_FOUND);
  dbms_session_free(other.session);
  leave(&w, &c);
}

/// Drivers would do all of it again when the database is back, and be told that it is there already.
TEST(whoever_has_changed_the_schema_of_a_database_that_is_stopped_is_told_to_look) {
  struct world w;
  struct client c, idle, waits;
  start_with(&w, &c);
  connect(&w, &idle);
  connect(&w, &waits);
  order(&w, &c, "CREATE DATABASE abc");
  assert_ok(attempt(&w, &c, "abc", "CREATE (:L {a: 1, b: 1})")); // the names are there
  assert_false(submit(&waits, on(op_run("CREATE INDEX FOR (x:L) ON (x.a)", true), "abc")));
  transactions_part(w.dbms, dbms_database(w.dbms, STR("abc"))); // as who stops it does; the change is on its way
  settle(&w);
  assert_failed(&waits, ERR_COMMIT_UNKNOWN);
  assert_non_null(strstr(waits.op.error.message, "SHOW INDEXES"));
  struct dbms_op begin = op_begin(-1);
  begin.begin.database = STR("abc");
  finish(&w, &idle, begin);
  tell(&w, &idle, "CREATE INDEX FOR (x:L) ON (x.b)");
  order(&w, &c, "STOP DATABASE abc");
  submit(&idle, op_of(DBMS_COMMIT));
  assert_int_equal(idle.op.err, ERR_COMMIT_UNKNOWN);
  order(&w, &c, "START DATABASE abc");
  assert_ok(attempt(&w, &c, "abc", "SHOW INDEXES YIELD type WHERE type = 'RANGE' RETURN count(*)"));
  assert_int_equal(c.sum, 2);
  dbms_session_free(idle.session);
  dbms_session_free(waits.session);
  leave(&w, &c);
}

TEST(a_command_that_is_rolled_back_has_done_nothing) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  struct dbms_op begin = op_begin(-1);
  begin.begin.database = STR("system");
  finish(&w, &c, begin);
  tell(&w, &c, "CREATE DATABASE abc");
  submit(&c, op_of(DBMS_ROLLBACK));
  assert_int_equal(attempt(&w, &c, "abc", "RETURN 1"), ERR_DATABASE_NOT_FOUND);
  finish(&w, &c, begin);
  tell(&w, &c, "CREATE DATABASE abc");
  finish(&w, &c, op_of(DBMS_COMMIT));
  settle(&w);
  assert_int_equal(count_in(&w, &c, "abc"), 0);
  leave(&w, &c);
}

/// One life of a server whose power goes after `countdown` changes of its disk: what its client was promised is in `*made`,
/// `*dropped`.
static bool live_until_the_cut(struct world *w, int64_t countdown, bool *made, bool *dropped) {
  struct client c;
  connect(w, &c);
  sim_disk_cut_after(w->disk, countdown);
  *made = attempt(w, &c, "system", "CREATE DATABASE abc WAIT") == ERR_OK && c.done > 0;
  bool filled = *made && attempt(w, &c, "abc", "CREATE (:A)") == ERR_OK && c.done > 0;
  *dropped = filled && attempt(w, &c, "system", "DROP DATABASE abc") == ERR_OK && c.done > 0;
  bool lived = !sim_disk_is_off(w->disk);
  dbms_session_free(c.session);
  world_lose_power(w);
  return lived;
}

TEST(wherever_the_power_goes_the_next_start_finds_what_was_promised_and_nothing_left_over) {
  bool lived = false;
  int64_t cuts = 0;
  for (int64_t countdown = 0; !lived; countdown += 1, cuts++) {
    struct world w;
    struct client c;
    bool made, dropped;
    world_start_on(&w, (uint64_t) countdown);
    lived = live_until_the_cut(&w, countdown, &made, &dropped);
    connect(&w, &c);
    enum err err = attempt(&w, &c, "abc", "MATCH (n) RETURN count(n)");
    if (dropped) assert_int_equal(err, ERR_DATABASE_NOT_FOUND);
    if (err == ERR_DATABASE_NOT_FOUND)
      assert_int_equal(folders(&w), 2);
    else
      assert_ok(err);
    order(&w, &c, "CREATE OR REPLACE DATABASE abc");
    assert_int_equal(count_in(&w, &c, "abc"), 0);
    assert_int_equal(folders(&w), 3);
    leave(&w, &c);
  }
  assert_in_range(cuts, 10, 1000);
}

TEST(a_database_that_cannot_be_opened_leaves_the_others_alone) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  order(&w, &c, "CREATE DATABASE abc");
  order(&w, &c, "CREATE DATABASE xyz");
  order(&w, &c, "STOP DATABASE abc");
  sim_disk_fail(w.disk, SIM_OTHER, 0, ERR_IO);
  order(&w, &c, "START DATABASE abc");
  assert_int_equal(attempt(&w, &c, "abc", "RETURN 1"), ERR_DATABASE_UNAVAILABLE);
  assert_int_equal(count_in(&w, &c, "xyz"), 0);
  order(&w, &c, "START DATABASE abc");
  assert_int_equal(count_in(&w, &c, "abc"), 0);
  leave(&w, &c);
}

TEST(a_database_that_could_not_be_opened_is_tried_again_later_by_itself) {
  struct world w;
  struct client c;
  start_with(&w, &c);
  order(&w, &c, "CREATE DATABASE abc");
  order(&w, &c, "STOP DATABASE abc");
  sim_disk_fail(w.disk, SIM_OTHER, 0, ERR_IO);
  order(&w, &c, "START DATABASE abc");
  pass_time(&w, 1000);
  settle(&w);
  assert_int_equal(attempt(&w, &c, "abc", "RETURN 1"), ERR_DATABASE_UNAVAILABLE);
  pass_time(&w, 2000);
  settle(&w);
  assert_int_equal(count_in(&w, &c, "abc"), 0);
  leave(&w, &c);
}

/// A read replica's clients were never let in when a database was stopped there before its first copy had come.
TEST(a_server_that_starts_waits_for_no_data_of_a_database_that_is_stopped) {
  struct world w;
  struct client c;
  struct dbms_outlook seen;
  start_with(&w, &c);
  order(&w, &c, "CREATE DATABASE idle");
  struct database *idle = dbms_database(w.dbms, STR("idle"));
  idle->behind = true; // as one that follows others is
  assert_ok(dbms_look_out(w.dbms, &seen, &w.e));
  assert_false(seen.filled);
  assert_false(seen.current);
  order(&w, &c, "STOP DATABASE idle");
  assert_ok(dbms_look_out(w.dbms, &seen, &w.e));
  assert_true(seen.filled);
  assert_true(seen.current);
  leave(&w, &c);
}

TESTS(T(a_server_that_starts_waits_for_no_data_of_a_database_that_is_stopped), T(each_database_has_data_of_its_own), T(databases_outlive_a_restart_with_what_was_asked_of_them),
      T(what_cannot_be_done_says_why), T(replacing_the_default_database_empties_it),
      T(a_default_database_that_was_dropped_comes_back_empty_with_the_next_start),
      T(sessions_of_a_database_that_is_dropped_or_stopped_are_told),
      T(whoever_has_changed_the_schema_of_a_database_that_is_stopped_is_told_to_look), T(a_command_that_is_rolled_back_has_done_nothing),
      T(wherever_the_power_goes_the_next_start_finds_what_was_promised_and_nothing_left_over),
      T(a_database_that_cannot_be_opened_leaves_the_others_alone),
      T(a_database_that_could_not_be_opened_is_tried_again_later_by_itself))
