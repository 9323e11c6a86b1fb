// Clients of a server that has no databases and is no member: what they are told is true, whatever is lost on the way.
#include "dbms/gateway.h"

#include "dbms/bookmark.h"
#include "dbms/test_relay_world.h"

enum { GATEWAY = SERVERS }; // its place

/// A cluster and a gateway with two clients. What they read in write mode is the leader's: whatever was committed is in it.
struct scene {
  struct trio trio;
  struct client here, there;
};

#define INCREMENT "MATCH (c:C) SET c.n = c.n + 1"
#define COUNTER "MATCH (c:C) RETURN c.n"

static void start_gateway(struct trio *t, const char *key, const char *value) {
  struct server *s = &t->servers[GATEWAY];
  prepare_server(t, GATEWAY, key, value);
  s->cluster.gateway = true;
  s->self = (struct announcement){.server = uuid_of_server(GATEWAY),
                                  .epoch = 1,
                                  .sequence = 1,
                                  .number = 4,
                                  .mode = SERVER_GATEWAY,
                                  .state = IDENTITY_BOUND,
                                  .founding = t->servers[0].self.founding};
  assert_ok(directory_new(&(struct directory_options){.expiry_ms = 3600000}, &s->self, 1, &s->cluster.directory, &t->e));
  for (int i = 0; i < SERVERS; i++) {
    tell_one(t, i, GATEWAY);
    tell_one(t, GATEWAY, i);
  }
  start(t, GATEWAY);
}

/// With one setting of the gateway.
static void scene_start_with(struct scene *s, const char *key, const char *value) {
  trio_start(&s->trio);
  start_gateway(&s->trio, key, value);
  connect_to(&s->trio, GATEWAY, &s->here);
  connect_to(&s->trio, GATEWAY, &s->there);
  must(&s->here, tell(&s->here, "CREATE (:C {n: 0})", true));
}

static void scene_start(struct scene *s) {
  scene_start_with(s, "dbms.security.auth_enabled", "false");
}

static void scene_stop(struct scene *s) {
  struct server *gateway = &s->trio.servers[GATEWAY];
  leave(&s->here);
  leave(&s->there);
  stop(&s->trio, GATEWAY);
  config_free(gateway->config);
  directory_free(gateway->cluster.directory);
  trio_stop(&s->trio);
}

TEST(what_is_written_is_read_behind_its_bookmark_wherever_that_is) {
  struct scene s;
  char bookmark[BOOKMARK_BYTES_MAX];
  scene_start(&s);
  for (int i = 1; i <= 30; i++) {
    must(&s.here, tell(&s.here, INCREMENT " RETURN c.n", true));
    assert_int_equal(s.here.sum, i);
    assert_int_equal(s.here.op.pulled.summary.counters.properties_set, 1);
    snprintf(bookmark, sizeof bookmark, "%.*s", STR_ARG(s.here.op.pulled.summary.bookmark));
    assert_int_equal(read_behind(&s.here, COUNTER, str_of(bookmark)), i);
  }
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  assert_true(str_eqz(s.here.op.begun.database, "neo4j"));
  must(&s.here, tell(&s.here, INCREMENT, false));
  assert_int_equal(read_number(&s.there, COUNTER), 30);
  must(&s.here, ask(&s.here, op_of(DBMS_COMMIT)));
  assert_true(s.here.op.committed.bookmark.len > 0);
  assert_int_equal(read_number(&s.there, COUNTER), 31);
  scene_stop(&s);
}

TEST(whoever_asks_the_way_is_shown_the_gateway_alone) {
  struct scene s;
  scene_start(&s);
  must(&s.here, ask(&s.here, (struct dbms_op){.kind = DBMS_ROUTE, .route.address = STR("one.example.com:7687")}));
  const struct dbms_routing_table *table = &s.here.op.routed;
  assert_true(str_eqz(table->database, "neo4j"));
  assert_int_equal(table->router_count + table->reader_count + table->writer_count, 3);
  const struct str *places[] = {table->routers, table->readers, table->writers};
  for (size_t i = 0; i < ARRAY_SIZE(places); i++) assert_true(str_eqz(places[i][0], "one.example.com:7687"));
  must(&s.here, tell(&s.here,
                     "CALL dbms.routing.getRoutingTable({}, 'neo4j') YIELD servers UNWIND servers AS s UNWIND s.addresses AS a "
                     "RETURN CASE WHEN a = 'localhost:7687' THEN 1 ELSE 100 END",
                     true)); // as drivers of Neo4j 4 do
  assert_int_equal(s.here.sum, 3);
  assert_int_equal(ask(&s.here, (struct dbms_op){.kind = DBMS_ROUTE, .route.database = STR("nowhere")}), ERR_DATABASE_NOT_FOUND);
  must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  assert_int_equal(read_number(&s.here, COUNTER), 0);
  scene_stop(&s);
}

TEST(an_operation_without_what_it_needs_is_refused) {
  static const enum dbms_op_kind kinds[] = {DBMS_PULL, DBMS_COMMIT, DBMS_ROLLBACK};
  struct scene s;
  scene_start(&s);
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) assert_int_equal(ask(&s.here, op_of(kinds[i])), ERR_PROTOCOL);
  assert_int_equal(ask(&s.here, op_run("RETURN 1", false)), ERR_PROTOCOL);
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  assert_int_equal(ask(&s.here, op_of(DBMS_BEGIN)), ERR_PROTOCOL);
  must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  must(&s.here, ask(&s.here, op_of(DBMS_LOGOFF)));
  assert_int_equal(ask(&s.here, op_run("RETURN 1", true)), ERR_UNAUTHORIZED);
  assert_int_equal(ask(&s.here, op_of(DBMS_BEGIN)), ERR_UNAUTHORIZED);
  must(&s.here, ask(&s.here, (struct dbms_op){.kind = DBMS_LOGIN}));
  assert_int_equal(tell(&s.here, "CREATE (", true), ERR_SYNTAX);
  assert_int_equal(read_number(&s.here, COUNTER), 0);
  scene_stop(&s);
}

// ---- what is lost ----

static const enum loss losses[] = {LOSS_REQUEST, LOSS_ANSWER};

TEST(whatever_is_lost_of_a_statement_it_is_done_once) {
  static const enum dbms_op_kind kinds[] = {DBMS_BEGIN, DBMS_RUN, DBMS_PULL, DBMS_COMMIT};
  struct scene s;
  char bookmark[BOOKMARK_BYTES_MAX];
  scene_start(&s);
  int64_t expected = 0;
  for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
    for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
      wire_lose(&s.trio.wire, losses[l], kinds[k]);
      must(&s.here, tell(&s.here, INCREMENT " RETURN c.n", true));
      assert_int_equal(s.here.rows, 1);
      assert_int_equal(s.here.sum, ++expected);
      snprintf(bookmark, sizeof bookmark, "%.*s", STR_ARG(s.here.op.pulled.summary.bookmark));
      assert_int_equal(read_number(&s.there, COUNTER), expected);
      wire_lose(&s.trio.wire, losses[l], kinds[k]);
      assert_int_equal(read_behind(&s.here, COUNTER, str_of(bookmark)), expected);
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
    if (done) assert_true(s.here.op.committed.bookmark.len > 0);
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
  for (int reads = 0; reads < 2; reads++)
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
      for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
        struct dbms_op begin = op_of(DBMS_BEGIN);
        begin.begin.read_only = reads;
        if (reads) begin.begin.metadata = said("linearizable"); // whoever is asked may be behind the others
        must(&s.here, ask(&s.here, begin));
        wire_lose(&s.trio.wire, losses[l], kinds[k]);
        must(&s.here, tell(&s.here, reads ? COUNTER : INCREMENT " RETURN c.n", false));
        assert_int_equal(s.here.rows, 1);
        if (!reads) assert_int_equal(s.here.sum, ++expected);
        must(&s.here, ask(&s.here, op_of(DBMS_COMMIT)));
        assert_int_equal(read_number(&s.there, COUNTER), expected);
      }
  for (int i = 0; i < 3; i++) {
    must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
    move_leader(&s.trio);
    must(&s.here, tell(&s.here, INCREMENT, false));
    must(&s.here, ask(&s.here, op_of(DBMS_COMMIT)));
  }
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  must(&s.here, tell(&s.here, INCREMENT, false));
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_RUN);
  assert_int_equal(ask(&s.here, op_run(INCREMENT, false)), ERR_OUTDATED);
  assert_int_equal(read_number(&s.there, COUNTER), expected + 3);
  scene_stop(&s);
}

TEST(a_change_of_the_schema_in_a_transaction_is_made_once) {
  static const enum dbms_op_kind kinds[] = {DBMS_RUN, DBMS_PULL, DBMS_COMMIT};
  struct scene s;
  char text[80];
  scene_start(&s);
  for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
    for (size_t l = 0; l < ARRAY_SIZE(losses); l++) {
      snprintf(text, sizeof text, "CREATE INDEX FOR (c:C) ON (c.p%zu%zu)", k, l);
      must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
      wire_lose(&s.trio.wire, losses[l], kinds[k]);
      must(&s.here, tell(&s.here, text, false));
      must(&s.here, ask(&s.here, op_of(DBMS_COMMIT)));
    }
  assert_int_equal(read_number(&s.there, "SHOW INDEXES YIELD type WHERE type = 'RANGE' RETURN count(*)"), 6);
  scene_stop(&s);
}

TEST(the_bookmark_of_a_transaction_whose_commit_was_looked_for_covers_all_that_it_has_changed_in_the_schema) {
  struct scene s;
  struct bookmark b;
  scene_start(&s);
  must(&s.here, tell(&s.here, "CREATE (:C {a: 1, b: 1})", true));
  must(&s.here, ask(&s.here, op_of(DBMS_BEGIN)));
  must(&s.here, tell(&s.here, "CREATE INDEX FOR (c:C) ON (c.a)", false));
  uint64_t before = graph_applied(dbms_home(s.trio.servers[await_leader(&s.trio)].dbms)->graph).index;
  must(&s.here, tell(&s.here, "CREATE INDEX FOR (c:C) ON (c.b)", false));
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_COMMIT);
  must(&s.here, ask(&s.here, op_of(DBMS_COMMIT)));
  assert_ok(bookmark_read(s.here.op.committed.bookmark, &b, NULL));
  assert_true(b.id > before);
  scene_stop(&s);
}

TEST(a_constraint_whose_answer_is_lost_is_told_as_made_only_if_the_data_allow_it) {
  struct scene s;
  scene_start(&s);
  must(&s.here, tell(&s.here, "UNWIND range(1, 500) AS i CREATE (:Good {n: i}), (:Bad {n: i % 499})", true));
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_RUN);
  assert_int_equal(tell(&s.here, "CREATE CONSTRAINT FOR (b:Bad) REQUIRE b.n IS UNIQUE", true), ERR_CONSTRAINT_CREATION);
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_RUN);
  must(&s.here, tell(&s.here, "CREATE CONSTRAINT FOR (g:Good) REQUIRE g.n IS UNIQUE", true));
  assert_int_equal(read_number(&s.there, "SHOW CONSTRAINTS YIELD name RETURN count(*)"), 1);
  scene_stop(&s);
}

/// What was made and dropped in one transaction is not missing.
TEST(a_constraint_that_its_transaction_has_dropped_again_is_not_told_as_not_made) {
  struct scene s;
  scene_start(&s);
  make_and_drop_constraint(&s.here);
  wire_lose(&s.trio.wire, LOSS_ANSWER, DBMS_COMMIT);
  assert_int_equal(ask(&s.here, op_of(DBMS_COMMIT)), ERR_COMMIT_UNKNOWN);
  assert_non_null(strstr(s.here.op.error.message, "SHOW CONSTRAINTS"));
  must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  assert_int_equal(read_number(&s.there, "SHOW CONSTRAINTS YIELD name RETURN count(*)"), 0);
  scene_stop(&s);
}

static void lose_while_it_fills(struct scene *s, const char *label) {
  begin_constraint(&s->here, &s->there, label);
  wire_cut(&s->trio.wire, await_leader(&s->trio));
}

TEST(the_verdict_on_a_constraint_is_waited_for) {
  struct scene s;
  scene_start(&s);
  must(&s.here, tell(&s.here, "UNWIND range(1, 30000) AS i CREATE (:Good {n: i}), (:Bad {n: i % 29999})", true));
  lose_while_it_fills(&s, "Bad");
  assert_int_equal(await(&s.here), ERR_CONSTRAINT_CREATION);
  lose_while_it_fills(&s, "Good");
  must(&s.here, await(&s.here));
  must(&s.here, ask(&s.here, op_pull(&s.here, -1)));
  assert_int_equal(read_number(&s.there, "SHOW CONSTRAINTS YIELD name RETURN count(*)"), 1);
  scene_stop(&s);
}

/// One that says nothing of verdicts does not know the word for what was not made.
TEST(an_older_server_that_asks_for_the_fate_of_a_constraint_that_is_not_made_hears_that_nobody_knows) {
  struct scene s;
  struct client older = {.trio = &s.trio, .sink.push = take_rows};
  struct dbms_client client = {.connector = STR("bolt"), .connection_id = STR("bolt-3"), .relayed = true};
  scene_start(&s);
  must(&s.here, tell(&s.here, "UNWIND range(1, 10) AS i CREATE (:Bad {n: i % 9})", true));
  mutex_init(&older.mutex);
  condition_init(&older.done);
  assert_ok(dbms_session_new(s.trio.servers[await_leader(&s.trio)].dbms, &client, &older.session, &s.trio.e));
  must(&older, ask(&older, op_of(DBMS_LOGIN)));
  struct dbms_op op = op_of(DBMS_BEGIN);
  op.begin.origin = (struct dbms_origin){UINT64_MAX, 7};
  must(&older, ask(&older, op));
  uint64_t behind = older.op.begun.place.last;
  assert_int_equal(tell(&older, "CREATE CONSTRAINT FOR (b:Bad) REQUIRE b.n IS UNIQUE", false), ERR_CONSTRAINT_CREATION);
  must(&older, ask(&older, op_of(DBMS_RESET)));
  op.begin.asks_fate = true;
  op.begin.behind = behind;
  for (int wants = 0; wants < 2; wants++) {
    op.begin.wants_verdict = wants;
    must(&older, ask(&older, op));
    assert_int_equal(older.op.begun.fate.outcome, wants ? DBMS_FATE_NOT_MADE : DBMS_FATE_UNKNOWN);
    assert_int_equal(older.op.begun.fate.bookmark.len, 0);
    must(&older, ask(&older, op_of(DBMS_RESET)));
  }
  leave(&older);
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

TEST(another_leader_knows_what_the_one_that_was_lost_has_committed) {
  struct scene s;
  scene_start(&s);
  for (int i = 1; i <= 6; i++) {
    must(&s.here, ask(&s.here, op_run(INCREMENT, true)));
    wire_lose(&s.trio.wire, losses[i % 2], DBMS_COMMIT);
    submit(&s.here, op_pull(&s.here, -1));
    move_leader(&s.trio);
    must(&s.here, await(&s.here));
    assert_int_equal(read_number(&s.here, COUNTER), i);
  }
  scene_stop(&s);
}

TEST(a_fate_that_the_log_does_not_tell_is_not_made_up) {
  struct scene s;
  struct client late = {.trio = &s.trio, .sink.push = take_rows};
  struct dbms_client client = {.connector = STR("bolt"), .connection_id = STR("bolt-3"), .relayed = true};
  scene_start(&s);
  mutex_init(&late.mutex);
  condition_init(&late.done);
  assert_ok(dbms_session_new(s.trio.servers[await_leader(&s.trio)].dbms, &client, &late.session, &s.trio.e));
  must(&late, ask(&late, op_of(DBMS_LOGIN)));
  struct dbms_op op = op_of(DBMS_BEGIN);
  op.begin.asks_fate = true;
  assert_int_equal(ask(&late, op), ERR_PROTOCOL); // whose?
  must(&late, ask(&late, op_of(DBMS_RESET)));
  op.begin.origin = (struct dbms_origin){UINT64_MAX, 1};
  op.begin.behind = UINT64_MAX;
  assert_int_equal(ask(&late, op), ERR_PROTOCOL); // there is no such entry
  must(&late, ask(&late, op_of(DBMS_RESET)));
  op.begin.behind = 1;
  must(&late, ask(&late, op));
  assert_int_equal(late.op.begun.fate.outcome, DBMS_FATE_NOT_COMMITTED);
  must(&late, ask(&late, op_of(DBMS_RESET)));
  leave(&late);
  scene_stop(&s);
}

/// Whoever has seen a database made is not told by a member that is behind that there is none.
TEST(the_way_to_a_database_that_was_just_made_is_told) {
  struct scene s;
  char bookmark[BOOKMARK_BYTES_MAX];
  struct str seen;
  scene_start(&s);
  for (int i = 0; i < 20; i++) {
    char command[60];
    snprintf(command, sizeof command, "CREATE DATABASE made%d NOWAIT", i);
    struct dbms_op op = op_run(command, true);
    op.run.tx.database = STR("system");
    must(&s.here, ask(&s.here, op));
    must(&s.here, ask(&s.here, op_pull(&s.here, -1)));
    snprintf(bookmark, sizeof bookmark, "%.*s", STR_ARG(s.here.op.pulled.summary.bookmark));
    seen = str_of(bookmark);
    struct str name = {command + 16, strlen(command) - strlen("CREATE DATABASE ") - strlen(" NOWAIT")};
    op = (struct dbms_op){.kind = DBMS_ROUTE, .route = {.database = name, .bookmarks = &seen, .bookmark_count = 1}};
    must(&s.there, ask(&s.there, op));
  }
  scene_stop(&s);
}

// ---- who carries it out ----

TEST(writes_wait_for_a_leader_and_reads_do_not) {
  struct scene s;
  scene_start(&s);
  int one = await_leader(&s.trio), other = (one + 1) % SERVERS;
  stop(&s.trio, one);
  stop(&s.trio, other);
  while (leader(&s.trio) >= 0) thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  submit(&s.here, op_run(INCREMENT, true));
  for (int i = 0; i < 5; i++) assert_int_equal(read_behind(&s.there, COUNTER, STR("")), 0);
  assert_false(s.here.over);
  start(&s.trio, one);
  must(&s.here, await(&s.here));
  must(&s.here, ask(&s.here, op_pull(&s.here, -1)));
  assert_int_equal(read_number(&s.here, COUNTER), 1);
  start(&s.trio, other);
  scene_stop(&s);
}

// ---- linearizable reads ----

static enum err read_as(struct client *c, const char *consistency) {
  struct dbms_op op = op_run(COUNTER, true);
  op.run.tx.read_only = true;
  if (consistency != NULL) op.run.tx.metadata = said(consistency);
  enum err err = ask(c, op);
  return err == ERR_OK ? ask(c, op_pull(c, -1)) : err;
}

/// Followers hear of a commit a moment later: some of these reads would miss it there. NULL: the metadata say nothing.
static void assert_sees_all(const char *key, const char *value, const char *consistency) {
  struct scene s;
  scene_start_with(&s, key, value);
  for (int i = 1; i <= 30; i++) {
    must(&s.there, tell(&s.there, INCREMENT, true));
    must(&s.here, read_as(&s.here, consistency));
    assert_int_equal(s.here.sum, i);
  }
  scene_stop(&s);
}

TEST(a_linearizable_read_sees_the_last_acknowledged_write) {
  assert_sees_all("quiver.read.consistency", "causal", "linearizable");
}

TEST(the_setting_of_the_gateway_counts_where_the_metadata_say_nothing) {
  assert_sees_all("quiver.read.consistency", "linearizable", NULL);
}

TEST(a_linearizable_read_in_a_cluster_without_a_leader_is_told_so) {
  struct scene s;
  scene_start_with(&s, "quiver.routing.wait_timeout", "3s");
  int leads = await_leader(&s.trio);
  stop(&s.trio, (leads + 1) % SERVERS);
  stop(&s.trio, (leads + 2) % SERVERS);
  while (leader(&s.trio) >= 0) thread_sleep_ns(STRIDE_MS * NS_PER_MS);
  assert_int_equal(read_as(&s.here, "linearizable"), ERR_DATABASE_UNAVAILABLE);
  assert_non_null(strstr(s.here.op.error.message, "is not read linearizably"));
  must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
  must(&s.here, read_as(&s.here, "causal"));
  assert_int_equal(read_as(&s.here, "strong"), ERR_ARGUMENT);
  scene_stop(&s);
}

TEST(clients_count_on_while_every_tenth_message_is_lost) {
  enum { COUNT = 200 };
  struct scene s;
  scene_start(&s);
  s.trio.wire.percent = 5;
  for (int i = 0; i < COUNT; i++) {
    enum err err = ERR_OUTDATED;
    if (i % 20 == 19) move_leader(&s.trio);
    for (int tries = 0; err == ERR_OUTDATED && tries < 50; tries++) {
      err = tell(&s.here, INCREMENT, true);
      if (err != ERR_OK) must(&s.here, ask(&s.here, op_of(DBMS_RESET)));
    }
    must(&s.here, err);
  }
  s.trio.wire.percent = 0;
  assert_int_equal(read_number(&s.here, COUNTER), COUNT);
  scene_stop(&s);
}

TESTS(T(what_is_written_is_read_behind_its_bookmark_wherever_that_is), T(whoever_asks_the_way_is_shown_the_gateway_alone),
      T(an_operation_without_what_it_needs_is_refused), T(whatever_is_lost_of_a_statement_it_is_done_once),
      T(a_transaction_whose_commit_was_answered_by_nobody_is_told_what_became_of_it),
      T(a_transaction_whose_first_statement_was_not_answered_is_begun_again),
      T(a_change_of_the_schema_in_a_transaction_is_made_once),
      T(the_bookmark_of_a_transaction_whose_commit_was_looked_for_covers_all_that_it_has_changed_in_the_schema),
      T(a_constraint_whose_answer_is_lost_is_told_as_made_only_if_the_data_allow_it),
      T(a_constraint_that_its_transaction_has_dropped_again_is_not_told_as_not_made),
      T(the_verdict_on_a_constraint_is_waited_for),
      T(an_older_server_that_asks_for_the_fate_of_a_constraint_that_is_not_made_hears_that_nobody_knows),
      T(a_commit_that_arrives_after_its_fate_was_asked_for_is_refused),
      T(another_leader_knows_what_the_one_that_was_lost_has_committed), T(the_way_to_a_database_that_was_just_made_is_told),
      T(a_fate_that_the_log_does_not_tell_is_not_made_up), T(writes_wait_for_a_leader_and_reads_do_not),
      T(a_linearizable_read_sees_the_last_acknowledged_write),
      T(the_setting_of_the_gateway_counts_where_the_metadata_say_nothing),
      T(a_linearizable_read_in_a_cluster_without_a_leader_is_told_so), T(clients_count_on_while_every_tenth_message_is_lost))
