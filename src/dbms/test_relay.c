// Clients of a member that does not lead, who write all the same: what they are told is true, whatever is lost on the way.
#include "dbms/relay_int.h"
#include "dbms/session_int.h"
#include "dbms/test_relay_world.h"

/// A cluster with a client of a member that does not lead, and one of the leader.
struct scene {
  struct trio trio;
  int leads, follows;
  struct client here, there;
};

/// With one setting of all servers.
static void scene_start_with(struct scene *s, const char *key, const char *value) {
  trio_start_with(&s->trio, key, value);
  s->leads = await_leader(&s->trio);
  s->follows = (s->leads + 1) % SERVERS;
  connect_to(&s->trio, s->follows, &s->here);
  connect_to(&s->trio, s->leads, &s->there);
  must(&s->here, tell(&s->here, "CREATE (:C {n: 0})", true)); // connected, names known
}

static void scene_start(struct scene *s) {
  scene_start_with(s, "dbms.security.auth_enabled", "false");
}

static void scene_stop(struct scene *s) {
  leave(&s->here);
  leave(&s->there);
  trio_stop(&s->trio);
}

#define INCREMENT "MATCH (c:C) SET c.n = c.n + 1"
#define COUNTER "MATCH (c:C) RETURN c.n"

TEST(what_is_written_at_any_member_is_done_by_the_leader_and_read_there_at_once) {
  struct scene s;
  scene_start(&s);
  for (int i = 1; i <= 50; i++) {
    must(&s.here, tell(&s.here, INCREMENT " RETURN c.n", true));
    assert_int_equal(s.here.sum, i);
    assert_int_equal(s.here.op.pulled.summary.counters.properties_set, 1);
    assert_true(s.here.op.pulled.summary.bookmark.len > 0);
    assert_int_equal(read_number(&s.here, COUNTER), i);
  }
  assert_int_equal(read_number(&s.there, COUNTER), 50);
  scene_stop(&s);
}

TEST(the_bookmark_of_a_write_is_that_of_its_database_whatever_the_session_has_written_before) {
  struct scene s;
  scene_start(&s);
  memset(s.here.session->bookmark_text, '9', BOOKMARK_BYTES_MAX - 1); // as one with a longer number leaves it
  must(&s.here, tell(&s.here, INCREMENT, true));
  struct str seen = s.here.op.pulled.summary.bookmark;
  assert_int_equal(read_behind(&s.there, COUNTER, seen), 1);
  scene_stop(&s);
}

TEST(a_transaction_in_write_mode_is_with_the_leader_from_its_beginning) {
  struct scene s;
  scene_start(&s);
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  must(&s.here, tell(&s.here, INCREMENT, false));
  must(&s.here, tell(&s.here, COUNTER, false));
  assert_int_equal(s.here.sum, 1);
  assert_int_equal(read_number(&s.there, COUNTER), 0);
  must(&s.here, ask(&s.here, op_of(DBMS_COMMIT)));
  assert_true(s.here.op.committed.bookmark.len > 0);
  assert_int_equal(read_number(&s.here, COUNTER), 1);
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  must(&s.here, tell(&s.here, INCREMENT, false));
  must(&s.here, ask(&s.here, op_of(DBMS_ROLLBACK)));
  assert_int_equal(read_number(&s.there, COUNTER), 1);
  scene_stop(&s);
}

TEST(indexes_and_users_are_made_by_the_leader_too) {
  struct scene s;
  scene_start(&s);
  must(&s.here, tell(&s.here, "CREATE INDEX made FOR (c:C) ON (c.n)", true));
  assert_int_equal(s.here.op.pulled.summary.counters.indexes_added, 1);
  must(&s.here, tell(&s.here, "SHOW INDEXES YIELD name WHERE name = 'made' RETURN count(*)", true));
  assert_int_equal(s.here.sum, 1);
  struct dbms_op op = op_run("CREATE USER ada SET PASSWORD 'lovelace1' CHANGE NOT REQUIRED", true);
  op.run.tx.database = STR("system");
  must(&s.here, ask(&s.here, op));
  must(&s.here, ask(&s.here, op_pull(&s.here, -1)));
  op.run.query = STR("SHOW USERS YIELD user WHERE user = 'ada' RETURN count(*)");
  must(&s.here, ask(&s.here, op));
  must(&s.here, ask(&s.here, op_pull(&s.here, -1)));
  assert_int_equal(s.here.sum, 1);
  must(&s.here, tell(&s.here, "UNWIND range(1, 10) AS i CALL { WITH i CREATE (:D) } IN TRANSACTIONS OF 2 ROWS", true));
  assert_int_equal(read_number(&s.here, "MATCH (d:D) RETURN count(*)"), 10);
  scene_stop(&s);
}

TEST(reads_are_answered_here_unless_the_client_looks_for_the_leader_itself) {
  struct scene s;
  scene_start(&s);
  struct client routed;
  connect_as(&s.trio, s.follows, &routed, true);
  uint64_t before = wire_count(&s.trio.wire, DBMS_RUN);
  assert_int_equal(read_number(&s.here, COUNTER), 0);
  must(&routed, tell(&routed, "RETURN 1", true));
  must(&routed, tell(&routed, "CALL dbms.components() YIELD name RETURN count(*)", true));
  struct dbms_op read = op_run(COUNTER, true);
  read.run.tx.read_only = true;
  must(&routed, ask(&routed, read));
  must(&routed, ask(&routed, op_pull(&routed, -1)));
  assert_int_equal(wire_count(&s.trio.wire, DBMS_RUN), before);
  assert_int_equal(read_number(&routed, COUNTER), 0);
  assert_int_equal(wire_count(&s.trio.wire, DBMS_RUN), before + 1);
  assert_int_equal(tell(&s.here, "CREATE (", true), ERR_SYNTAX);
  assert_int_equal(wire_count(&s.trio.wire, DBMS_RUN), before + 1);
  leave(&routed);
  scene_stop(&s);
}

TEST(the_leaders_errors_are_the_clients_and_its_next_statement_is_carried_out) {
  struct scene s;
  scene_start(&s);
  must(&s.here, tell(&s.here, "CREATE CONSTRAINT FOR (c:C) REQUIRE c.n IS UNIQUE", true));
  assert_int_equal(tell(&s.here, "CREATE (:C {n: 0})", true), ERR_CONSTRAINT);
  assert_int_equal(tell(&s.here, "CREATE (:C {n: 1 / 0})", true), ERR_DIVISION_BY_ZERO);
  must(&s.here, tell(&s.here, "CREATE (:C {n: 5})", true));
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  assert_int_equal(tell(&s.here, "CREATE (:C {n: 5})", false), ERR_CONSTRAINT);
  must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  must(&s.here, tell(&s.here, "CREATE (:C {n: 7})", false));
  must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  must(&s.here, tell(&s.here, "CREATE (:C {n: 7})", true));
  assert_int_equal(read_number(&s.here, COUNTER), 12);
  scene_stop(&s);
}

TEST(a_result_of_any_size_comes_as_the_client_wants_it) {
  struct scene s;
  scene_start(&s);
  must(&s.here, tell(&s.here, "UNWIND range(1, 5000) AS i CREATE (:D {i: i}) RETURN i", true));
  assert_int_equal(s.here.rows, 5000);
  assert_int_equal(s.here.sum, 12502500);
  must(&s.here, ask(&s.here, op_run("UNWIND range(1, 25) AS i CREATE (:D {i: i}) RETURN i", true)));
  for (int i = 0; i < 2; i++) {
    must(&s.here, ask(&s.here, op_pull(&s.here, 10)));
    assert_int_equal(s.here.rows, 10);
    assert_true(s.here.op.pulled.has_more);
  }
  assert_int_equal(read_number(&s.there, "MATCH (d:D) RETURN count(*)"), 5000);
  must(&s.here, ask(&s.here, op_pull(&s.here, 10)));
  assert_int_equal(s.here.rows, 5);
  assert_false(s.here.op.pulled.has_more);
  assert_int_equal(read_number(&s.here, "MATCH (d:D) RETURN count(*)"), 5025);
  must(&s.here, ask(&s.here, op_run("UNWIND range(1, 25) AS i CREATE (:D {i: i}) RETURN i", true)));
  must(&s.here, ask(&s.here, op_pull(&s.here, 10)));
  must(&s.here, ask(&s.here, op_of(DBMS_RESET))); // the rest was never wanted
  assert_int_equal(read_number(&s.here, "MATCH (d:D) RETURN count(*)"), 5025);
  scene_stop(&s);
}

// ---- without a leader ----

TEST(writes_wait_for_a_leader) {
  struct scene s;
  scene_start(&s);
  leave(&s.there);
  stop(&s.trio, s.leads);
  for (int i = 1; i <= 10; i++) must(&s.here, tell(&s.here, INCREMENT, true));
  assert_int_equal(read_number(&s.here, COUNTER), 10);
  start(&s.trio, s.leads);
  connect_to(&s.trio, s.leads, &s.there);
  must(&s.there, tell(&s.there, INCREMENT, true));
  assert_int_equal(read_number(&s.there, COUNTER), 11);
  scene_stop(&s);
}

TEST(a_write_that_no_leader_takes_in_time_is_refused_so_that_drivers_try_again) {
  struct scene s;
  scene_start(&s);
  int other = 3 - s.leads - s.follows;
  leave(&s.there);
  stop(&s.trio, s.leads);
  stop(&s.trio, other);
  while (leader(&s.trio) >= 0) thread_sleep_ns(STRIDE_MS * NS_PER_MS); // one that was handed to it ends without the others
  struct dbms_op op = op_run(INCREMENT, true);
  op.run.tx.timeout_ms = 300;
  assert_int_equal(ask(&s.here, op), ERR_DATABASE_UNAVAILABLE);
  assert_non_null(strstr(s.here.op.error.message, "Nothing was done"));
  submit(&s.here, op_of(DBMS_BEGIN));
  dbms_session_interrupt(s.here.session, ERR_TX_TERMINATED);
  assert_int_equal(await(&s.here), ERR_TX_TERMINATED);
  must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  assert_int_equal(read_number(&s.here, COUNTER), 0);
  start(&s.trio, s.leads);
  start(&s.trio, other);
  must(&s.here, tell(&s.here, INCREMENT, true));
  connect_to(&s.trio, s.leads, &s.there);
  scene_stop(&s);
}

TEST(a_leader_that_does_not_answer_at_all_is_as_none_so_that_drivers_try_again) {
  static const enum dbms_op_kind silent[] = {DBMS_LOGIN, DBMS_BEGIN};
  struct scene s;
  scene_start(&s);
  for (size_t i = 0; i < ARRAY_SIZE(silent); i++) {
    leave(&s.here);
    connect_to(&s.trio, s.follows, &s.here);
    wire_lose(&s.trio.wire, LOSS_SILENT, silent[i]);
    struct dbms_op op = op_of(DBMS_BEGIN);
    op.begin.timeout_ms = 300;
    assert_int_equal(ask(&s.here, op), ERR_DATABASE_UNAVAILABLE);
    assert_non_null(strstr(s.here.op.error.message, "Nothing was done"));
    must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
    must(&s.here, tell(&s.here, INCREMENT, true));
    assert_int_equal(read_number(&s.here, COUNTER), i + 1);
  }
  scene_stop(&s);
}

TEST(a_statement_whose_server_ceases_to_lead_is_done_by_the_next_leader) {
  struct scene s;
  scene_start(&s);
  for (int i = 1; i <= 3; i++) {
    must(&s.there, ask(&s.there, op_run(INCREMENT, true)));
    move_leader(&s.trio);
    must(&s.there, ask(&s.there, op_pull(&s.there, -1)));
    assert_int_equal(read_number(&s.there, COUNTER), i);
    while (leader(&s.trio) != s.there.server) move_leader(&s.trio);
  }
  must(&s.there, ask(&s.there, op_of(DBMS_BEGIN)));
  must(&s.there, tell(&s.there, INCREMENT, false));
  move_leader(&s.trio);
  assert_int_equal(ask(&s.there, op_of(DBMS_COMMIT)), ERR_OUTDATED);
  assert_int_equal(read_number(&s.here, COUNTER), 3);
  scene_stop(&s);
}

// ---- what is lost on the way ----

static const enum loss losses[] = {LOSS_REQUEST, LOSS_ANSWER};

TEST(whatever_is_lost_of_a_statement_it_is_done_once) {
  static const enum dbms_op_kind kinds[] = {DBMS_BEGIN, DBMS_RUN, DBMS_PULL, DBMS_COMMIT};
  struct scene s;
  scene_start(&s);
  int64_t expected = 0;
  for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
    for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
      wire_lose(&s.trio.wire, losses[l], kinds[k]);
      must(&s.here, tell(&s.here, INCREMENT " RETURN c.n", true));
      assert_int_equal(s.here.rows, 1);
      assert_int_equal(s.here.sum, ++expected);
      assert_int_equal(s.here.op.pulled.summary.counters.properties_set, 1);
      assert_int_equal(read_number(&s.there, COUNTER), expected);
    }
  scene_stop(&s);
}

TEST(a_transaction_whose_commit_was_answered_by_nobody_is_told_what_became_of_it) {
  struct scene s;
  scene_start(&s);
  for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
    bool done = losses[l] == LOSS_ANSWER;
    must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
    must(&s.here, tell(&s.here, INCREMENT, false));
    wire_lose(&s.trio.wire, losses[l], DBMS_COMMIT);
    assert_int_equal(ask(&s.here, op_of(DBMS_COMMIT)), done ? ERR_OK : ERR_OUTDATED);
    assert_int_equal(read_number(&s.there, COUNTER), done);
  }
  scene_stop(&s);
}

/// Nothing of it was seen but that it was begun.
TEST(a_transaction_whose_first_statement_was_not_answered_is_begun_again) {
  static const enum dbms_op_kind kinds[] = {DBMS_RUN, DBMS_PULL};
  struct scene s;
  int expected = 0;
  scene_start(&s);
  for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
    for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
      must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
      wire_lose(&s.trio.wire, losses[l], kinds[k]);
      must(&s.here, tell(&s.here, INCREMENT " RETURN c.n", false));
      assert_int_equal(s.here.sum, ++expected);
      assert_int_equal(s.here.op.pulled.summary.counters.properties_set, 1);
      must(&s.here, tell(&s.here, COUNTER, false));
      must(&s.here, ask(&s.here, op_of(DBMS_COMMIT)));
      assert_int_equal(read_number(&s.there, COUNTER), expected);
    }
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  move_leader(&s.trio);
  must(&s.here, tell(&s.here, INCREMENT, false));
  move_leader(&s.trio);
  assert_int_equal(ask(&s.here, op_of(DBMS_COMMIT)), ERR_OUTDATED); // that has been seen
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  must(&s.here, ask(&s.here, op_of(DBMS_COMMIT)));
  assert_int_equal(read_number(&s.here, COUNTER), expected);
  scene_stop(&s);
}

TEST(a_transaction_of_which_anything_was_seen_is_for_its_client_to_do_again) {
  struct scene s;
  scene_start(&s);
  for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
    must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
    must(&s.here, tell(&s.here, INCREMENT, false));
    wire_lose(&s.trio.wire, losses[l], DBMS_RUN);
    assert_int_equal(ask(&s.here, op_run(INCREMENT, false)), ERR_OUTDATED);
    must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
    must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
    must(&s.here, ask(&s.here, op_run("UNWIND range(1, 3000) AS i CREATE (:D) RETURN i", false)));
    wire_lose(&s.trio.wire, losses[l], DBMS_PULL); // of what is beyond the rows that came with RUN
    assert_int_equal(ask(&s.here, op_pull(&s.here, -1)), ERR_OUTDATED);
    must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  }
  assert_int_equal(read_number(&s.here, COUNTER), 0);
  assert_int_equal(read_number(&s.here, "MATCH (d:D) RETURN count(*)"), 0);
  scene_stop(&s);
}

static enum err pull_of(struct client *c, int64_t result, int64_t rows) {
  struct dbms_op op = op_pull(c, rows);
  op.pull.result = result;
  return ask(c, op);
}

TEST(results_of_a_transaction_are_pulled_in_any_order) {
  struct scene s;
  scene_start(&s);
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  must(&s.here, ask(&s.here, op_run("UNWIND range(1, 2500) AS i RETURN i", false)));
  must(&s.here, ask(&s.here, op_run("UNWIND range(1, 5) AS i RETURN i", false)));
  assert_int_equal(s.here.op.ran.result, 1);
  must(&s.here, pull_of(&s.here, 0, 700));
  assert_int_equal(s.here.sum, 700 * 701 / 2);
  must(&s.here, pull_of(&s.here, 1, 3));
  assert_int_equal(s.here.sum, 6);
  assert_true(s.here.op.pulled.has_more);
  must(&s.here, pull_of(&s.here, 0, -1));
  assert_int_equal(s.here.sum, 2500 * 2501 / 2 - 700 * 701 / 2);
  assert_false(s.here.op.pulled.has_more);
  must(&s.here, pull_of(&s.here, 1, -1));
  assert_int_equal(s.here.sum, 9);
  must(&s.here, ask(&s.here, op_run("UNWIND range(1, 40) AS i RETURN i, reduce(s = 'x', k IN range(1, 17) | s + s)", false)));
  must(&s.here, ask(&s.here, op_run("RETURN 1", false))); // more than is held back by its bytes
  must(&s.here, pull_of(&s.here, 2, -1));
  assert_int_equal(s.here.sum, 820);
  must(&s.here, pull_of(&s.here, 3, -1));
  struct dbms_op discard = op_pull(&s.here, -1);
  must(&s.here, ask(&s.here, op_run("UNWIND range(1, 2500) AS i CREATE (:D) RETURN i", false)));
  discard.pull.discard = true;
  must(&s.here, ask(&s.here, discard));
  assert_int_equal(s.here.op.pulled.summary.counters.nodes_created, 2500);
  must(&s.here, ask(&s.here, op_of(DBMS_COMMIT)));
  assert_int_equal(read_number(&s.here, "MATCH (d:D) RETURN count(*)"), 2500);
  scene_stop(&s);
}

TEST(a_statement_and_its_rows_are_asked_for_together) {
  struct scene s;
  scene_start(&s);
  uint64_t pulls = wire_count(&s.trio.wire, DBMS_PULL);
  must(&s.here, ask(&s.here, op_run(INCREMENT " RETURN c.n", true)));
  assert_int_equal(wire_count(&s.trio.wire, DBMS_PULL), pulls + 1);
  assert_int_equal(read_number(&s.there, COUNTER), 0); // it is committed when the rows are wanted
  must(&s.here, ask(&s.here, op_pull(&s.here, -1)));
  assert_int_equal(wire_count(&s.trio.wire, DBMS_PULL), pulls + 1);
  assert_int_equal(read_number(&s.there, COUNTER), 1);
  must(&s.here, ask(&s.here, op_run(INCREMENT, true)));
  must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  assert_int_equal(read_number(&s.there, COUNTER), 1);
  scene_stop(&s);
}

TEST(the_log_is_asked_when_it_has_what_the_leader_had) {
  struct scene s;
  scene_start(&s);
  struct thread_host *host = &s.trio.servers[s.follows].host;
  must(&s.here, ask(&s.here, op_run(INCREMENT, true)));
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_COMMIT);
  host_hold(host, true);
  submit(&s.here, op_pull(&s.here, -1));
  while (wire_count(&s.trio.wire, DBMS_ROLLBACK) == 0) thread_sleep_ns(STRIDE_MS * NS_PER_MS); // the leader was asked
  assert_int_equal(read_number(&s.there, COUNTER), 1);
  thread_sleep_ns(50 * NS_PER_MS);
  assert_false(s.here.over);
  host_hold(host, false);
  must(&s.here, await(&s.here));
  assert_int_equal(wire_count(&s.trio.wire, DBMS_ROLLBACK), 1); // and no more
  assert_int_equal(read_number(&s.here, COUNTER), 1);
  scene_stop(&s);
}

/// What is committed never comes to it any more, and its own log does not tell.
TEST(a_member_whose_log_has_failed_asks_the_leader_what_became_of_a_commit) {
  struct scene s;
  struct error cause = ERROR_INIT;
  error_set(&cause, ERR_IO, "the disk is broken");
  scene_start(&s);
  struct database *db = dbms_home(s.trio.servers[s.follows].dbms);
  for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
    bool done = losses[l] == LOSS_ANSWER;
    must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
    must(&s.here, tell(&s.here, INCREMENT, false));
    if (l == 0) graph_group_failed(db->graph, &cause);
    wire_lose(&s.trio.wire, losses[l], DBMS_COMMIT);
    assert_int_equal(ask(&s.here, op_of(DBMS_COMMIT)), done ? ERR_OK : ERR_OUTDATED);
    assert_int_equal(read_number(&s.there, COUNTER), done);
    if (!done) must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  }
  scene_stop(&s);
}

TEST(a_member_whose_log_fails_meanwhile_asks_the_leader_again) {
  struct scene s;
  struct error cause = ERROR_INIT;
  error_set(&cause, ERR_IO, "the disk is broken");
  scene_start(&s);
  struct thread_host *host = &s.trio.servers[s.follows].host;
  must(&s.here, ask(&s.here, op_run(INCREMENT, true)));
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_COMMIT);
  host_hold(host, true);
  submit(&s.here, op_pull(&s.here, -1));
  while (wire_count(&s.trio.wire, DBMS_ROLLBACK) == 0) thread_sleep_ns(STRIDE_MS * NS_PER_MS); // it waits for what the leader had
  graph_group_failed(dbms_home(s.trio.servers[s.follows].dbms)->graph, &cause);
  host_hold(host, false); // whatever its log had by then it finds there, and asks for the rest
  must(&s.here, await(&s.here));
  assert_in_range(wire_count(&s.trio.wire, DBMS_ROLLBACK), 1, 2);
  assert_int_equal(read_number(&s.there, COUNTER), 1);
  scene_stop(&s);
}

TEST(a_commit_that_arrives_after_its_fate_was_asked_for_is_refused) {
  struct scene s;
  scene_start(&s);
  wire_lose(&s.trio.wire, LOSS_LATE, DBMS_COMMIT);
  must(&s.here, tell(&s.here, "CREATE (:D)", true)); // done again
  assert_int_not_equal(wire_deliver_late(&s.trio.wire), ERR_OK);
  assert_int_equal(read_number(&s.there, "MATCH (d:D) RETURN count(*)"), 1);
  scene_stop(&s);
}

/// Another server's session with the leader, as it comes in on the routing port.
static void connect_server(struct scene *s, struct client *c) {
  struct dbms_client client = {.connector = STR("bolt"), .connection_id = STR("bolt-3"), .relayed = true};
  *c = (struct client){.trio = &s->trio, .sink.push = take_rows};
  mutex_init(&c->mutex);
  condition_init(&c->done);
  assert_ok(dbms_session_new(s->trio.servers[s->leads].dbms, &client, &c->session, &s->trio.e));
  must(c, ask(c, op_of(DBMS_LOGIN)));
}

/// The statement has been begun by a leader who has lost and won its place since, and was given up meanwhile.
TEST(a_statement_that_arrives_in_a_later_term_than_it_was_begun_for_is_refused) {
  struct scene s;
  scene_start(&s);
  struct client late;
  connect_server(&s, &late);
  struct dbms_op op = op_run(INCREMENT, true);
  op.run.tx.origin = (struct dbms_origin){77, 1};
  must(&late, ask(&late, op));
  assert_int_not_equal(late.op.ran.place.term, 0);
  do move_leader(&s.trio);
  while (leader(&s.trio) != s.leads);
  assert_int_equal(ask(&late, op_pull(&late, -1)), ERR_NOT_LEADER);
  assert_int_equal(read_number(&s.there, COUNTER), 0);
  leave(&late);
  scene_stop(&s);
}

TEST(a_change_of_the_schema_whose_answer_is_lost_is_not_made_twice) {
  static const enum dbms_op_kind kinds[] = {DBMS_RUN, DBMS_PULL, DBMS_COMMIT};
  struct scene s;
  char text[80];
  scene_start(&s);
  for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
    for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
      snprintf(text, sizeof text, "CREATE INDEX FOR (c:C) ON (c.p%zu%zu)", k, l);
      wire_lose(&s.trio.wire, losses[l], kinds[k]);
      must(&s.here, tell(&s.here, text, true));
    }
  assert_int_equal(read_number(&s.here, "SHOW INDEXES YIELD type WHERE type = 'RANGE' RETURN count(*)"), 6);
  scene_stop(&s);
}

TEST(a_constraint_whose_answer_is_lost_is_told_as_made_only_if_the_data_allow_it) {
  static const enum dbms_op_kind kinds[] = {DBMS_RUN, DBMS_PULL};
  struct scene s;
  char text[120];
  scene_start(&s);
  must(&s.here, tell(&s.here, "UNWIND range(1, 500) AS i CREATE (:Good {n: i}), (:Bad {n: i % 499})", true));
  for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
    for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
      wire_lose(&s.trio.wire, losses[l], kinds[k]);
      assert_int_equal(tell(&s.here, "CREATE CONSTRAINT FOR (b:Bad) REQUIRE b.n IS UNIQUE", true), ERR_CONSTRAINT_CREATION);
      snprintf(text, sizeof text, "CREATE CONSTRAINT made%zu%zu FOR (g:Good) REQUIRE g.n IS UNIQUE", k, l);
      wire_lose(&s.trio.wire, losses[l], kinds[k]);
      must(&s.here, tell(&s.here, text, true));
      snprintf(text, sizeof text, "DROP CONSTRAINT made%zu%zu", k, l);
      must(&s.here, tell(&s.here, text, true));
    }
  assert_int_equal(read_number(&s.here, "SHOW CONSTRAINTS YIELD name RETURN count(*)"), 0);
  scene_stop(&s);
}

static void lose_while_it_fills(struct scene *s, const char *label) {
  begin_constraint(&s->here, &s->there, label);
  wire_cut(&s->trio.wire, s->leads);
}

TEST(a_constraint_whose_server_is_lost_while_it_looks_at_the_data_is_waited_for) {
  struct scene s;
  scene_start(&s);
  must(&s.here, tell(&s.here, "UNWIND range(1, 30000) AS i CREATE (:Good {n: i}), (:Bad {n: i % 29999})", true));
  lose_while_it_fills(&s, "Bad");
  assert_int_equal(await(&s.here), ERR_CONSTRAINT_CREATION);
  lose_while_it_fills(&s, "Good");
  must(&s.here, await(&s.here));
  must(&s.here, ask(&s.here, op_pull(&s.here, -1)));
  assert_int_equal(read_number(&s.here, "SHOW CONSTRAINTS YIELD name RETURN count(*)"), 1);
  scene_stop(&s);
}

// ---- a disk that fails ----

static _Atomic bool disk_fails;

static enum err write_or_fail(struct disk_file *f, uint64_t offset, const void *from, size_t bytes, struct error *e) {
  if (disk_fails) return error_set(e, ERR_IO, "The disk has failed.");
  return disk_system()->ops->write(f, offset, from, bytes, e);
}

static struct disk *failing_disk(void) {
  static struct disk_ops ops;
  static struct disk disk = {&ops};
  ops = *disk_system()->ops;
  ops.write = write_or_fail;
  disk_fails = false;
  return &disk;
}

static enum cluster_role role_at(struct trio *t, int server) {
  struct database *db = dbms_home(t->servers[server].dbms);
  struct cluster_status status;
  cluster_status(db->group, &status);
  return status.role;
}

/// As it does of itself when its role has changed.
static void tell_that_it_leads(struct trio *t, int leads, int to) {
  struct server *s = &t->servers[leads];
  struct database *db = dbms_home(s->dbms);
  struct announced_database said = {
      .uuid = db->id, .term = graph_leading_term(db->graph), .role = ROLE_LEADER, .status = DATABASE_ONLINE};
  bool at_once;
  s->self.databases = &said;
  s->self.database_count = 1;
  s->self.addresses[ADDRESS_BOLT] = STR("leads:7687");
  assert_ok(directory_say(s->cluster.directory, &s->self, &at_once, &t->e));
  tell_one(t, leads, to);
}

/// It follows nobody any more, and goes by what the servers say.
TEST(a_member_whose_disk_has_failed_hands_writes_on_to_whoever_leads_then) {
  struct scene s;
  scene_start(&s);
  leave(&s.here);
  stop(&s.trio, s.follows);
  s.trio.servers[s.follows].disk = failing_disk();
  start(&s.trio, s.follows);
  connect_to(&s.trio, s.follows, &s.here);
  must(&s.here, tell(&s.here, INCREMENT, true));
  disk_fails = true;
  must(&s.there, tell(&s.there, INCREMENT, true));
  while (role_at(&s.trio, s.follows) != CLUSTER_FAILED) thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  move_leader(&s.trio);
  tell_that_it_leads(&s.trio, await_leader(&s.trio), s.follows);
  must(&s.here, tell(&s.here, INCREMENT, true));
  char bookmark[BOOKMARK_BYTES_MAX];
  snprintf(bookmark, sizeof bookmark, "%.*s", STR_ARG(s.here.op.pulled.summary.bookmark));
  struct str seen = str_of(bookmark);
  struct dbms_op op = op_run_behind(COUNTER, &seen);
  assert_int_equal(ask(&s.here, op), ERR_DATABASE_UNAVAILABLE); // which drivers try elsewhere
  must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  must(&s.here, ask(&s.here, (struct dbms_op){.kind = DBMS_ROUTE}));
  assert_int_equal(s.here.op.routed.writer_count, 1);
  assert_str(s.here.op.routed.writers[0], "leads:7687");
  must(&s.there, ask(&s.there, op));
  must(&s.there, ask(&s.there, op_pull(&s.there, -1)));
  assert_int_equal(s.there.sum, 3);
  leave(&s.here);
  leave(&s.there);
  assert_int_not_equal(try_stop(&s.trio, s.follows), ERR_OK);
  trio_stop(&s.trio);
}

/// It knows of no commit any more, although it leads.
TEST(a_leader_that_has_failed_tells_nobody_what_became_of_a_commit) {
  struct scene s;
  struct error cause = ERROR_INIT;
  error_set(&cause, ERR_IO, "a page cannot be read");
  scene_start(&s);
  struct client server;
  connect_server(&s, &server);
  host_hold(&s.trio.servers[s.leads].host, true);
  graph_group_failed(dbms_home(s.trio.servers[s.leads].dbms)->graph, &cause);
  struct dbms_op op = op_of(DBMS_BEGIN);
  op.begin.origin = (struct dbms_origin){77, 1};
  op.begin.read_only = true;
  assert_int_equal(ask(&server, op), ERR_NOT_LEADER);
  host_hold(&s.trio.servers[s.leads].host, false);
  leave(&server);
  scene_stop(&s);
}

TEST(a_leader_that_has_failed_is_followed_by_another_one) {
  struct scene s;
  struct error cause = ERROR_INIT;
  error_set(&cause, ERR_IO, "a page cannot be read");
  scene_start(&s);
  must(&s.here, tell(&s.here, INCREMENT, true));
  graph_group_failed(dbms_home(s.trio.servers[s.leads].dbms)->graph, &cause);
  must(&s.here, tell(&s.here, INCREMENT, true));
  assert_int_equal(read_number(&s.here, COUNTER), 2);
  assert_int_equal(role_at(&s.trio, s.leads), CLUSTER_FAILED);
  scene_stop(&s);
}

/// The answer is waited for from when it was lost.
TEST(a_change_of_the_schema_that_takes_longer_than_a_leader_is_waited_for_is_looked_for_all_the_same) {
  struct scene s;
  scene_start_with(&s, "quiver.routing.wait_timeout", "1s");
  host_hold(&s.trio.servers[s.leads].host, true);
  submit(&s.here, op_run("CREATE INDEX FOR (c:C) ON (c.slow)", true));
  thread_sleep_ns(1500 * NS_PER_MS);
  assert_false(is_over(&s.here));
  wire_cut(&s.trio.wire, s.leads);
  host_hold(&s.trio.servers[s.leads].host, false);
  must(&s.here, await(&s.here));
  must(&s.here, ask(&s.here, op_pull(&s.here, -1)));
  assert_int_equal(read_number(&s.here, "SHOW INDEXES YIELD type WHERE type = 'RANGE' RETURN count(*)"), 1);
  scene_stop(&s);
}

/// Of what the server's next client asks another one to do.
static struct graph_origin origin_of_the_next(const struct server *s) {
  return (struct graph_origin){s->cluster.server, s->cluster.epoch << 40 | (1 + s->dbms->next_origin)};
}

/// The leader whose answer is lost has sent the change on its way, and its entry comes only after its fate was asked for.
TEST(a_change_of_the_schema_that_was_given_up_and_may_still_come_is_told_of_when_it_has) {
  struct scene s;
  scene_start(&s);
  struct server *leads = &s.trio.servers[s.leads];
  must(&s.here, tell(&s.here, "CREATE (:C {slow: 1})", true)); // the names are there
  struct graph_origin origin = origin_of_the_next(&s.trio.servers[s.follows]);
  host_hold(&leads->host, true);
  submit(&s.here, op_run("CREATE INDEX FOR (c:C) ON (c.slow)", true));
  while (!graph_schema_is_on_its_way(dbms_home(leads->dbms)->graph, origin)) thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  uint64_t begun = wire_count(&s.trio.wire, DBMS_BEGIN);
  wire_cut(&s.trio.wire, s.leads);
  while (wire_count(&s.trio.wire, DBMS_BEGIN) == begun) thread_sleep_ns(STRIDE_MS * NS_PER_MS); // what became of it is asked
  thread_sleep_ns(50 * NS_PER_MS);
  host_hold(&leads->host, false);
  must(&s.here, await(&s.here));
  must(&s.here, ask(&s.here, op_pull(&s.here, -1)));
  assert_int_equal(read_number(&s.here, "SHOW INDEXES YIELD type WHERE type = 'RANGE' RETURN count(*)"), 1);
  scene_stop(&s);
}

TEST(a_change_of_the_schema_in_a_transaction_is_made_once_and_told_truly) {
  static const enum dbms_op_kind kinds[] = {DBMS_RUN, DBMS_PULL, DBMS_COMMIT};
  struct scene s;
  char text[80];
  int64_t made = 0;
  scene_start(&s);
  for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
    for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
      snprintf(text, sizeof text, "CREATE INDEX FOR (c:C) ON (c.p%zu%zu)", k, l);
      must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
      wire_lose(&s.trio.wire, losses[l], kinds[k]);
      must(&s.here, tell(&s.here, text, false));
      must(&s.here, ask(&s.here, op_run("UNWIND range(1, 5) AS i RETURN i", false)));
      assert_int_equal(s.here.op.ran.result, 1);
      must(&s.here, pull_of(&s.here, 1, -1));
      assert_int_equal(s.here.sum, 15);
      must(&s.here, ask(&s.here, op_of(DBMS_COMMIT)));
      assert_int_equal(read_number(&s.here, "SHOW INDEXES YIELD type WHERE type = 'RANGE' RETURN count(*)"), ++made);
    }
  for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
    bool done = losses[l] == LOSS_ANSWER;
    snprintf(text, sizeof text, "CREATE INDEX FOR (c:C) ON (c.q%zu)", l);
    must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
    must(&s.here, tell(&s.here, text, false));
    snprintf(text, sizeof text, "CREATE INDEX FOR (c:C) ON (c.r%zu)", l);
    wire_lose(&s.trio.wire, losses[l], DBMS_RUN);
    assert_int_equal(ask(&s.here, op_run(text, false)), ERR_COMMIT_UNKNOWN);
    assert_non_null(strstr(s.here.op.error.message, "stands"));
    must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
    made += done ? 2 : 1;
    assert_int_equal(read_number(&s.here, "SHOW INDEXES YIELD type WHERE type = 'RANGE' RETURN count(*)"), made);
  }
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  must(&s.here, tell(&s.here, "CREATE INDEX FOR (c:C) ON (c.z)", false));
  assert_int_equal(tell(&s.here, INCREMENT, false), ERR_GENERAL_ARGUMENTS);
  scene_stop(&s);
}

/// Its server has not heard that the database was dropped and made anew.
TEST(what_is_handed_on_for_a_database_is_not_done_in_another_one_that_has_its_name_since) {
  struct scene s;
  scene_start(&s);
  struct database *known = dbms_home(s.trio.servers[s.follows].dbms);
  struct uuid now = known->id;
  known->id = (struct uuid){{1, 2, 3}};
  assert_int_equal(tell(&s.here, INCREMENT, true), ERR_OUTDATED);
  assert_int_equal(tell(&s.here, "UNWIND [1] AS i CALL { WITH i CREATE (:D) } IN TRANSACTIONS", true), ERR_OUTDATED);
  assert_int_equal(ask(&s.here, op_of(DBMS_BEGIN)), ERR_OUTDATED);
  struct dbms_op read = op_run(COUNTER, true);
  read.run.tx.metadata = said("linearizable");
  read.run.tx.read_only = true;
  assert_int_equal(ask(&s.here, read), ERR_OUTDATED);
  known->id = now;
  assert_int_equal(read_number(&s.there, COUNTER), 0);
  must(&s.here, tell(&s.here, INCREMENT, true));
  assert_int_equal(read_number(&s.there, COUNTER), 1);
  scene_stop(&s);
}

/// The leader that is asked, and that leads still as far as it knows, is not the one who has carried the transaction out, but one
/// from before.
TEST(what_became_of_a_commit_is_not_asked_of_an_earlier_leader) {
  struct scene s;
  scene_start_with(&s, "quiver.routing.wait_timeout", "1s");
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  must(&s.here, tell(&s.here, INCREMENT, false));
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_COMMIT);
  s.here.session->relay->place = (struct dbms_place){.term = 1000, .last = 1000};
  assert_int_equal(ask(&s.here, op_of(DBMS_COMMIT)), ERR_COMMIT_UNKNOWN);
  scene_stop(&s);
}

/// Another member leads, and the one of before knows it.
static void leader_moves(struct scene *s) {
  move_leader(&s->trio);
  while (graph_leading_term(dbms_home(s->trio.servers[s->leads].dbms)->graph) != 0) thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  await_leader(&s->trio);
}

#define INDEXES "SHOW INDEXES YIELD type WHERE type = 'RANGE' RETURN count(*)"

/// The client's own server has led, and its entry is committed by whoever leads then.
TEST(a_change_of_the_schema_whose_server_ceases_to_lead_meanwhile_is_made_once_and_told_truly) {
  static const char *const changes[] = {"CREATE INDEX FOR (c:C) ON (c.i)", "CREATE CONSTRAINT FOR (c:C) REQUIRE c.u IS UNIQUE"};
  struct scene s;
  scene_start(&s);
  must(&s.here, tell(&s.here, "CREATE (:C {i: 1, u: 1})", true)); // the names are there
  for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
    s.leads = await_leader(&s.trio);
    s.follows = (s.leads + 1) % SERVERS;
    struct database *led = dbms_home(s.trio.servers[s.leads].dbms);
    struct client here, there;
    connect_to(&s.trio, s.follows, &here);
    connect_to(&s.trio, s.leads, &there);
    database_rest(led); // what is committed is not applied there
    submit(&there, op_run(changes[i], true));
    while (read_number(&here, INDEXES) == (int64_t) i) thread_sleep_ns(STRIDE_MS * NS_PER_MS);
    leader_moves(&s);
    thread_sleep_ns(50 * NS_PER_MS);
    database_wake(led);
    must(&there, await(&there));
    must(&there, ask(&there, op_pull(&there, -1)));
    assert_int_equal(read_number(&there, INDEXES), i + 1);
    leave(&here);
    leave(&there);
  }
  scene_stop(&s);
}

/// Drivers would do all of it again, and be told that it is there already.
TEST(a_transaction_that_has_changed_the_schema_outlasts_its_servers_lead) {
  struct scene s;
  scene_start(&s);
  must(&s.there, ask(&s.there, op_of(DBMS_BEGIN)));
  must(&s.there, tell(&s.there, "CREATE INDEX FOR (c:C) ON (c.a)", false));
  leader_moves(&s);
  must(&s.there, ask(&s.there, op_of(DBMS_COMMIT)));
  assert_int_equal(read_number(&s.there, INDEXES), 1);

  s.leads = await_leader(&s.trio);
  struct client led;
  connect_to(&s.trio, s.leads, &led);
  must(&led, ask(&led, op_of(DBMS_BEGIN)));
  must(&led, tell(&led, "CREATE INDEX FOR (c:C) ON (c.b)", false));
  leader_moves(&s);
  assert_int_equal(ask(&led, op_run("CREATE INDEX FOR (c:C) ON (c.a, c.b)", false)), ERR_COMMIT_UNKNOWN);
  assert_non_null(strstr(led.op.error.message, "stands"));
  must(&led, ask(&led, op_of(DBMS_RESET)));
  assert_int_equal(read_number(&led, INDEXES), 2);
  leave(&led);
  scene_stop(&s);
}

TEST(the_bookmark_of_a_transaction_whose_commit_was_looked_for_covers_all_that_it_has_changed_in_the_schema) {
  struct scene s;
  scene_start(&s);
  struct client third;
  connect_to(&s.trio, (s.follows + 1) % SERVERS, &third);
  must(&s.here, tell(&s.here, "CREATE (:C {a: 1, b: 1})", true));
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  must(&s.here, tell(&s.here, "CREATE INDEX FOR (c:C) ON (c.a)", false));
  must(&s.here, tell(&s.here, "CREATE INDEX FOR (c:C) ON (c.b)", false));
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_COMMIT);
  must(&s.here, ask(&s.here, op_of(DBMS_COMMIT)));
  struct bookmark b;
  assert_ok(bookmark_read(s.here.op.committed.bookmark, &b, NULL));
  struct graph_found last = {0};
  uint64_t from = b.id + 1; // nothing of it lies behind
  struct graph *g = dbms_home(s.trio.servers[s.leads].dbms)->graph;
  struct graph_origin origin = {s.trio.servers[s.follows].cluster.server,
                                s.trio.servers[s.follows].cluster.epoch << 40 | s.trio.servers[s.follows].dbms->next_origin};
  assert_ok(graph_find_origin(g, origin, &from, graph_applied(g).index, &last, NULL));
  assert_int_equal(last.index, 0);
  assert_int_equal(read_behind(&third, INDEXES, s.here.op.committed.bookmark), 2);
  leave(&third);
  scene_stop(&s);
}

TEST(a_transaction_that_goes_on_behind_what_stands_is_not_for_its_client_to_do_again) {
  struct scene s;
  scene_start(&s);
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_RUN);
  must(&s.here, tell(&s.here, "CREATE INDEX FOR (c:C) ON (c.a)", false));
  must(&s.here, tell(&s.here, INCREMENT, false));
  wire_lose(&s.trio.wire, LOSS_REQUEST, DBMS_COMMIT);
  assert_int_equal(ask(&s.here, op_of(DBMS_COMMIT)), ERR_COMMIT_UNKNOWN);
  assert_non_null(strstr(s.here.op.error.message, "stands"));
  must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  assert_int_equal(read_number(&s.here, INDEXES), 1);
  assert_int_equal(read_number(&s.here, COUNTER), 0);
  scene_stop(&s);
}

static enum err refuse_rows(struct row_sink *sink UNUSED, const struct vec *columns UNUSED, uint32_t width UNUSED,
                            const uint32_t *sel UNUSED, uint32_t rows UNUSED, struct error *e) {
  return error_set(e, ERR_TYPE, "The client knows no such value.");
}

/// They are held back until it is committed, and then the client cannot take them.
TEST(a_statement_whose_rows_cannot_be_delivered_is_told_as_committed) {
  static const char *const statements[] = {"CREATE (:D) RETURN 1",
                                           "UNWIND [1] AS i CALL { WITH i CREATE (:D) } IN TRANSACTIONS RETURN i"};
  struct scene s;
  scene_start(&s);
  for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
    s.here.sink.push = refuse_rows;
    assert_int_equal(tell(&s.here, statements[i], true), ERR_COMMIT_UNKNOWN);
    assert_non_null(strstr(s.here.op.error.message, "was committed"));
    assert_non_null(strstr(s.here.op.error.message, "The client knows no such value."));
    s.here.sink.push = take_rows;
    must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
    assert_int_equal(read_number(&s.there, "MATCH (d:D) RETURN count(*)"), i + 1);
  }
  scene_stop(&s);
}

/// Nobody else tells, and here is only a part of it.
TEST(a_commit_of_changes_of_the_schema_that_are_not_all_here_is_not_known) {
  struct scene s;
  scene_start_with(&s, "quiver.routing.wait_timeout", "1s");
  must(&s.here, tell(&s.here, "CREATE (:C {a: 1, b: 1})", true));
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  must(&s.here, tell(&s.here, "CREATE INDEX FOR (c:C) ON (c.a)", false));
  while (read_number(&s.there, INDEXES) == 0) thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  struct client reads;
  connect_to(&s.trio, s.follows, &reads);
  while (read_number(&reads, INDEXES) == 0) thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  database_rest(dbms_home(s.trio.servers[s.follows].dbms));
  must(&s.here, tell(&s.here, "CREATE INDEX FOR (c:C) ON (c.b)", false));
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_COMMIT);
  wire_refuse_logins(&s.trio.wire, true);
  assert_int_equal(ask(&s.here, op_of(DBMS_COMMIT)), ERR_COMMIT_UNKNOWN);
  wire_refuse_logins(&s.trio.wire, false);
  database_wake(dbms_home(s.trio.servers[s.follows].dbms));
  leave(&reads);
  scene_stop(&s);
}

/// What was made and dropped in one transaction is not missing.
TEST(a_constraint_that_its_transaction_has_dropped_again_is_not_told_as_not_made) {
  struct scene s;
  scene_start(&s);
  make_and_drop_constraint(&s.here);
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_COMMIT);
  must(&s.here, ask(&s.here, op_of(DBMS_COMMIT)));
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  must(&s.here, tell(&s.here, "CREATE CONSTRAINT only FOR (c:C) REQUIRE c.n IS UNIQUE", false));
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_RUN);
  assert_int_equal(ask(&s.here, op_run("DROP CONSTRAINT only", false)), ERR_COMMIT_UNKNOWN);
  must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  assert_int_equal(read_number(&s.here, INDEXES), 0);
  scene_stop(&s);
}

TEST(what_the_client_has_seen_rows_of_is_not_done_again) {
  struct scene s;
  scene_start(&s);
  must(&s.here, ask(&s.here, op_run("UNWIND range(1, 3000) AS i CREATE (:D {i: i}) RETURN i", true)));
  must(&s.here, ask(&s.here, op_pull(&s.here, 10)));
  wire_lose(&s.trio.wire, LOSS_REQUEST, DBMS_PULL);
  assert_int_equal(ask(&s.here, op_pull(&s.here, -1)), ERR_OUTDATED);
  assert_int_equal(read_number(&s.there, "MATCH (d:D) RETURN count(*)"), 0);
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_COMMIT); // but a commit of it that was carried out is one
  must(&s.here, tell(&s.here, "UNWIND range(1, 3000) AS i CREATE (:D {i: i}) RETURN i", true));
  assert_int_equal(s.here.rows, 3000);
  assert_int_equal(read_number(&s.there, "MATCH (d:D) RETURN count(*)"), 3000);
  scene_stop(&s);
}

TEST(of_a_statement_with_transactions_of_its_own_nobody_claims_to_know) {
  struct scene s;
  scene_start(&s);
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_PULL);
  enum err err = tell(&s.here, "UNWIND range(1, 10) AS i CALL { WITH i CREATE (:D) } IN TRANSACTIONS OF 2 ROWS", true);
  assert_int_equal(err, ERR_COMMIT_UNKNOWN);
  assert_int_equal(read_number(&s.there, "MATCH (d:D) RETURN count(*)"), 10);
  scene_stop(&s);
}

// ---- who is logged in ----

TEST(of_a_statement_with_transactions_of_its_own_whose_server_ceases_to_lead_nobody_is_told_to_do_all_again) {
  struct scene s;
  scene_start(&s);
  must(&s.there, ask(&s.there, op_run("UNWIND range(1, 100000) AS i CALL { WITH i CREATE (:D) } IN TRANSACTIONS OF 1 ROW", true)));
  submit(&s.there, op_pull(&s.there, -1));
  while (read_number(&s.here, "MATCH (d:D) RETURN count(*)") == 0) thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  leader_moves(&s);
  assert_int_equal(await(&s.there), ERR_COMMIT_UNKNOWN);
  must(&s.there, ask(&s.there, op_of(DBMS_RESET)));
  scene_stop(&s);
}

/// `system` has a leader of its own: two of the three are not it.
TEST(whoever_must_change_the_password_is_looked_at_by_the_leader_itself) {
  struct scene s;
  scene_start(&s);
  assert_int_equal(s.trio.wire.afresh, 0);
  for (int i = 0; i < SERVERS; i++) {
    struct client expired;
    connect_to(&s.trio, i, &expired);
    expired.session->must_change_password = true;
    struct dbms_op op = op_run("ALTER CURRENT USER SET PASSWORD FROM 'old' TO 'another1'", true);
    op.run.tx.database = STR("system");
    (void) ask(&expired, op);
    leave(&expired);
  }
  assert_in_range(s.trio.wire.afresh, 1, SERVERS);
  scene_stop(&s);
}

TEST(a_fate_is_not_asked_for_with_a_password_that_was_refused) {
  struct scene s;
  scene_start(&s);
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  must(&s.here, tell(&s.here, INCREMENT, false));
  wire_refuse_logins(&s.trio.wire, true);
  uint64_t before = wire_count(&s.trio.wire, DBMS_LOGIN);
  wire_lose(&s.trio.wire, LOSS_REQUEST, DBMS_COMMIT);
  assert_int_equal(ask(&s.here, op_of(DBMS_COMMIT)), ERR_COMMIT_UNKNOWN);
  assert_int_equal(wire_count(&s.trio.wire, DBMS_LOGIN), before + 1);
  wire_refuse_logins(&s.trio.wire, false);
  scene_stop(&s);
}

/// As another server carries a session of that user on.
static void carry_on_as(struct scene *s, const char *user, struct client *c) {
  struct dbms_client client = {.connector = STR("bolt"), .connection_id = STR("bolt-3"), .relayed = true};
  *c = (struct client){.trio = &s->trio, .server = s->leads, .sink.push = take_rows};
  mutex_init(&c->mutex);
  condition_init(&c->done);
  assert_ok(dbms_session_new(s->trio.servers[s->leads].dbms, &client, &c->session, &s->trio.e));
  must(c, ask(c, (struct dbms_op){.kind = DBMS_LOGIN, .login.principal = str_of(user)}));
}

TEST(nobody_ends_the_transaction_of_another_user_by_its_origin) {
  struct scene s;
  struct client ada, again, eve;
  struct dbms_op begin = op_of(DBMS_BEGIN);
  begin.begin.origin = (struct dbms_origin){.member = 2, .sequence = 77};
  scene_start(&s);
  carry_on_as(&s, "ada", &ada);
  carry_on_as(&s, "ada", &again);
  carry_on_as(&s, "eve", &eve);
  must(&ada, ask(&ada, begin));
  must(&ada, tell(&ada, INCREMENT, false));
  must(&eve, ask(&eve, begin));
  must(&ada, ask(&ada, op_of(DBMS_COMMIT)));
  must(&ada, ask(&ada, begin));
  must(&again, ask(&again, begin));
  assert_int_equal(ask(&ada, op_of(DBMS_COMMIT)), ERR_TX_TERMINATED);
  leave(&ada);
  leave(&again);
  leave(&eve);
  scene_stop(&s);
}

// ---- all of it at once ----

enum { WRITERS = 6, WRITES = 60 };

struct writer {
  struct trio *trio;
  int server;
  bool in_transactions;
  struct thread thread;
  unsigned again;
  enum err failed;
  char message[200];
};

static enum err increment(struct client *c, bool in_transaction) {
  if (!in_transaction) return tell(c, INCREMENT, true);
  TRY(ask(c, op_of(DBMS_BEGIN)));
  TRY(tell(c, INCREMENT, false));
  return ask(c, op_of(DBMS_COMMIT));
}

/// As drivers do: a statement once, a transaction again if its error is of those that ask for it.
static void *write_on(void *argument) {
  struct writer *w = argument;
  struct client c;
  connect_to(w->trio, w->server, &c);
  for (int i = 0; i < WRITES && w->failed == ERR_OK; i++) {
    for (;;) {
      enum err err = increment(&c, w->in_transactions);
      if (err == ERR_OK) break;
      ask(&c, op_of(DBMS_RESET));
      w->again++;
      bool retried = w->in_transactions && (err == ERR_OUTDATED || err == ERR_DATABASE_UNAVAILABLE || err == ERR_DEADLOCK);
      if (retried) continue;
      w->failed = err;
      snprintf(w->message, sizeof w->message, "%s", c.op.error.message);
      break;
    }
  }
  leave(&c);
  return NULL;
}

TEST(clients_of_every_member_count_right_while_leaders_change_and_connections_are_lost) {
  struct scene s;
  struct writer writers[WRITERS] = {0};
  scene_start(&s);
  s.trio.wire.random = 7;
  s.trio.wire.percent = 2;
  for (int i = 0; i < WRITERS; i++) {
    writers[i] = (struct writer){.trio = &s.trio, .server = i % SERVERS, .in_transactions = i >= WRITERS / 2};
    assert_ok(thread_start(&writers[i].thread, "writer", write_on, &writers[i], NULL));
  }
  for (int i = 0; i < 6; i++) {
    thread_sleep_ns(150 * NS_PER_MS);
    move_leader(&s.trio);
  }
  for (int i = 0; i < WRITERS; i++) thread_join(&writers[i].thread);
  for (int i = 0; i < WRITERS; i++)
    if (writers[i].failed != ERR_OK) fail_msg("writer %d: %d %s", i, writers[i].failed, writers[i].message);
  s.trio.wire.percent = 0;
  must(&s.here, tell(&s.here, INCREMENT, true));
  assert_int_equal(read_number(&s.here, COUNTER), WRITERS * WRITES + 1);
  scene_stop(&s);
}

TESTS(T(what_is_written_at_any_member_is_done_by_the_leader_and_read_there_at_once),
      T(the_bookmark_of_a_write_is_that_of_its_database_whatever_the_session_has_written_before),
      T(a_transaction_in_write_mode_is_with_the_leader_from_its_beginning), T(indexes_and_users_are_made_by_the_leader_too),
      T(reads_are_answered_here_unless_the_client_looks_for_the_leader_itself),
      T(the_leaders_errors_are_the_clients_and_its_next_statement_is_carried_out),
      T(a_result_of_any_size_comes_as_the_client_wants_it), T(writes_wait_for_a_leader),
      T(a_write_that_no_leader_takes_in_time_is_refused_so_that_drivers_try_again),
      T(a_leader_that_does_not_answer_at_all_is_as_none_so_that_drivers_try_again),
      T(a_statement_whose_server_ceases_to_lead_is_done_by_the_next_leader), T(whatever_is_lost_of_a_statement_it_is_done_once),
      T(a_transaction_whose_commit_was_answered_by_nobody_is_told_what_became_of_it),
      T(a_transaction_whose_first_statement_was_not_answered_is_begun_again),
      T(a_transaction_of_which_anything_was_seen_is_for_its_client_to_do_again),
      T(results_of_a_transaction_are_pulled_in_any_order), T(a_statement_and_its_rows_are_asked_for_together),
      T(the_log_is_asked_when_it_has_what_the_leader_had),
      T(a_member_whose_log_has_failed_asks_the_leader_what_became_of_a_commit),
      T(a_member_whose_log_fails_meanwhile_asks_the_leader_again),
      T(a_commit_that_arrives_after_its_fate_was_asked_for_is_refused),
      T(a_statement_that_arrives_in_a_later_term_than_it_was_begun_for_is_refused),
      T(a_change_of_the_schema_whose_answer_is_lost_is_not_made_twice),
      T(a_constraint_whose_answer_is_lost_is_told_as_made_only_if_the_data_allow_it),
      T(a_constraint_whose_server_is_lost_while_it_looks_at_the_data_is_waited_for),
      T(a_member_whose_disk_has_failed_hands_writes_on_to_whoever_leads_then),
      T(a_leader_that_has_failed_tells_nobody_what_became_of_a_commit), T(a_leader_that_has_failed_is_followed_by_another_one),
      T(a_change_of_the_schema_that_takes_longer_than_a_leader_is_waited_for_is_looked_for_all_the_same),
      T(a_change_of_the_schema_that_was_given_up_and_may_still_come_is_told_of_when_it_has),
      T(a_change_of_the_schema_in_a_transaction_is_made_once_and_told_truly),
      T(what_is_handed_on_for_a_database_is_not_done_in_another_one_that_has_its_name_since),
      T(what_became_of_a_commit_is_not_asked_of_an_earlier_leader),
      T(a_change_of_the_schema_whose_server_ceases_to_lead_meanwhile_is_made_once_and_told_truly),
      T(a_transaction_that_has_changed_the_schema_outlasts_its_servers_lead),
      T(the_bookmark_of_a_transaction_whose_commit_was_looked_for_covers_all_that_it_has_changed_in_the_schema),
      T(a_transaction_that_goes_on_behind_what_stands_is_not_for_its_client_to_do_again),
      T(a_statement_whose_rows_cannot_be_delivered_is_told_as_committed),
      T(a_commit_of_changes_of_the_schema_that_are_not_all_here_is_not_known),
      T(a_constraint_that_its_transaction_has_dropped_again_is_not_told_as_not_made),
      T(what_the_client_has_seen_rows_of_is_not_done_again), T(of_a_statement_with_transactions_of_its_own_nobody_claims_to_know),
      T(of_a_statement_with_transactions_of_its_own_whose_server_ceases_to_lead_nobody_is_told_to_do_all_again),
      T(whoever_must_change_the_password_is_looked_at_by_the_leader_itself),
      T(a_fate_is_not_asked_for_with_a_password_that_was_refused), T(nobody_ends_the_transaction_of_another_user_by_its_origin),
      T(clients_of_every_member_count_right_while_leaders_change_and_connections_are_lost))
