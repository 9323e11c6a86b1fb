// Schema commands beside statements and beside each other.
#include "dbms/test_session_world.h"

/// Its statement is sent, and waits for whoever writes.
static void wait_with(struct world *w, struct client *c, const char *command) {
  connect(w, c);
  assert_false(submit(c, op_run(command, true)));
  settle(w);
  assert_int_equal(c->done, 0);
}

static void begin_to_write(struct world *w, struct client *c) {
  connect(w, c);
  finish(w, c, op_begin(-1));
  tell(w, c, "CREATE (:Other)");
}

static void assert_went_well(struct world *w, struct client *c) {
  assert_int_equal(c->done, 1);
  assert_int_equal(c->op.err, ERR_OK);
  dbms_session_free(c->session);
  settle(w);
}

TEST(an_index_that_is_dropped_while_a_statement_waits_is_a_reason_to_try_again) {
  struct world w;
  struct client writer, dropper, late;
  world_start(&w);
  connect(&w, &late);
  ask(&w, &late, "CREATE (:L {k: 1})");
  ask(&w, &late, "CREATE CONSTRAINT l FOR (x:L) REQUIRE x.k IS UNIQUE");
  begin_to_write(&w, &writer);
  wait_with(&w, &dropper, "DROP CONSTRAINT l");
  finish(&w, &late, op_run("MATCH (x:L {k: 1}) SET x.n = 7", true));
  assert_false(submit(&late, op_pull(&late, -1, -1))); // planned with the index; waits for its end
  settle(&w);
  assert_int_equal(late.done, 0);
  finish(&w, &writer, op_of(DBMS_COMMIT));
  assert_int_equal(dropper.done, 1);
  finish(&w, &dropper, op_pull(&dropper, -1, -1));
  assert_failed(&late, ERR_OUTDATED); // which drivers try again
  finish(&w, &late, op_of(DBMS_RESET));
  ask(&w, &late, "MATCH (x:L {k: 1}) SET x.n = 7");
  assert_int_equal(ask(&w, &late, "MATCH (x:L) RETURN x.n"), 7);
  dbms_session_free(late.session);
  dbms_session_free(dropper.session);
  leave(&w, &writer);
}

TEST(of_two_who_create_what_is_not_there_both_are_content) {
  static const char *const commands[] = {"CREATE INDEX l IF NOT EXISTS FOR (x:L) ON (x.k)",
                                         "CREATE CONSTRAINT l IF NOT EXISTS FOR (x:L) REQUIRE x.k IS UNIQUE"};
  for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
    struct world w;
    struct client writer, one, two;
    world_start(&w);
    begin_to_write(&w, &writer);
    wait_with(&w, &one, commands[i]);
    wait_with(&w, &two, commands[i]);
    finish(&w, &writer, op_of(DBMS_COMMIT));
    assert_went_well(&w, &one);
    assert_went_well(&w, &two);
    leave(&w, &writer);
  }
}

TEST(of_two_who_drop_what_is_there_both_are_content) {
  static const char *const commands[][2] = {
      {"CREATE INDEX l FOR (x:L) ON (x.k)", "DROP INDEX l IF EXISTS"},
      {"CREATE CONSTRAINT l FOR (x:L) REQUIRE x.k IS UNIQUE", "DROP CONSTRAINT l IF EXISTS"}};
  for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
    struct world w;
    struct client writer, one, two;
    world_start(&w);
    connect(&w, &one);
    ask(&w, &one, commands[i][0]);
    dbms_session_free(one.session);
    begin_to_write(&w, &writer);
    wait_with(&w, &one, commands[i][1]);
    wait_with(&w, &two, commands[i][1]);
    finish(&w, &writer, op_of(DBMS_COMMIT));
    assert_went_well(&w, &one);
    assert_went_well(&w, &two);
    leave(&w, &writer);
  }
}

// ---- waiting for indexes ----

/// An index is being populated, in small steps of work.
static void begin_to_populate(struct world *w, struct client *maker) {
  world_start(w);
  connect(w, maker);
  ask(w, maker, "UNWIND range(1, 100000) AS i CREATE (:L {k: i})");
  assert_false(submit(maker, op_run("CREATE INDEX l FOR (x:L) ON (x.k)", true)));
  while (maker->done == 0 && step(w)) continue;
  assert_int_equal(maker->done, 1);
}

/// The statement has run once.
static void await_indexes(struct world *w, struct client *c, const char *call) {
  *c = (struct client){.sink.push = take_rows};
  struct dbms_client client = {.connector = STR("bolt"), .connection_id = STR("bolt-2")};
  assert_ok(dbms_session_new(w->dbms, &client, &c->session, &w->e));
  submit(c, (struct dbms_op){.kind = DBMS_LOGIN});
  while (c->op.err != ERR_OK && step(w)) continue;
  if (!submit(c, op_run(call, true)))
    for (unsigned i = 0; i < 2; i++) step(w);
  if (!submit(c, op_pull(c, -1, -1)))
    for (unsigned i = 0; i < 2; i++) step(w);
}

static void end_all(struct world *w, struct client *maker, struct client *c) {
  settle(w);
  finish(w, maker, op_pull(maker, -1, -1));
  dbms_session_free(c->session);
  leave(w, maker);
}

TEST(whoever_awaits_indexes_is_answered_when_they_are_online) {
  static const char *const calls[] = {"CALL db.awaitIndexes()", "CALL db.awaitIndex('l', 10)"};
  for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
    struct world w;
    struct client maker, c;
    begin_to_populate(&w, &maker);
    await_indexes(&w, &c, calls[i]);
    assert_int_equal(c.done, 0);
    settle(&w);
    assert_int_equal(c.done, 0);
    pass_time(&w, 10);
    settle(&w);
    assert_int_equal(c.done, 1);
    assert_int_equal(c.op.err, ERR_OK);
    end_all(&w, &maker, &c);
  }
}

TEST(waiting_for_indexes_ends_with_its_time) {
  struct world w;
  struct client maker, c;
  begin_to_populate(&w, &maker);
  await_indexes(&w, &c, "CALL db.awaitIndexes(5)");
  pass_time(&w, 6000);
  for (unsigned i = 0; i < 2; i++) step(&w);
  assert_int_equal(c.done, 1);
  assert_int_equal(c.op.err, ERR_PROCEDURE_TIMED_OUT);
  finish(&w, &c, op_of(DBMS_RESET));
  end_all(&w, &maker, &c);
}

TEST(waiting_for_indexes_is_interrupted) {
  struct world w;
  struct client maker, c;
  begin_to_populate(&w, &maker);
  await_indexes(&w, &c, "CALL db.awaitIndexes()");
  assert_int_equal(c.done, 0);
  dbms_session_interrupt(c.session, ERR_TX_TERMINATED);
  pass_time(&w, 10);
  for (unsigned i = 0; i < 2; i++) step(&w);
  assert_int_equal(c.done, 1);
  assert_int_equal(c.op.err, ERR_TX_TERMINATED);
  finish(&w, &c, op_of(DBMS_RESET));
  end_all(&w, &maker, &c);
}

TEST(an_index_that_is_not_there_is_not_awaited) {
  struct world w;
  struct client c;
  world_start(&w);
  connect(&w, &c);
  finish(&w, &c, op_run("CALL db.awaitIndex('none')", true));
  assert_false(submit(&c, op_pull(&c, -1, -1)));
  settle(&w);
  assert_int_equal(c.op.err, ERR_INDEX_NOT_FOUND);
  finish(&w, &c, op_of(DBMS_RESET));
  leave(&w, &c);
}

/// The entry is on its way when the client's time is over, and nothing calls it back.
TEST(whoever_is_ended_while_a_change_of_the_schema_is_on_its_way_is_told_to_look) {
  struct world w;
  struct client c;
  struct dbms_op op = op_run("CREATE INDEX FOR (x:L) ON (x.k)", true);
  start_with(&w, &c);
  ask(&w, &c, "CREATE (:L {k: 1})"); // the names are there
  op.run.tx.timeout_ms = 1000;
  assert_false(submit(&c, op));
  pass_time(&w, 1001);
  settle(&w);
  assert_failed(&c, ERR_TX_TIMEOUT_CLIENT);
  assert_non_null(strstr(c.op.error.message, "SHOW INDEXES"));
  finish(&w, &c, op_of(DBMS_RESET));
  assert_int_equal(ask(&w, &c, "SHOW INDEXES YIELD type WHERE type = 'RANGE' RETURN count(*)"), 1);
  leave(&w, &c);
}

TESTS(T(whoever_is_ended_while_a_change_of_the_schema_is_on_its_way_is_told_to_look), T(whoever_awaits_indexes_is_answered_when_they_are_online), T(waiting_for_indexes_ends_with_its_time),
      T(waiting_for_indexes_is_interrupted), T(an_index_that_is_not_there_is_not_awaited), T(an_index_that_is_dropped_while_a_statement_waits_is_a_reason_to_try_again),
      T(of_two_who_create_what_is_not_there_both_are_content), T(of_two_who_drop_what_is_there_both_are_content))
