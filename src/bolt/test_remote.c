// Sessions on another server: every operation, every kind of value, many rows, failures.
#include "bolt/test_remote_world.h"
#include "value/temporal.h"

// ---- what a session does ----

TEST(a_transaction_is_carried_out_there) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_false(t.op.logged_in.credentials_expired);
  const struct str bookmarks[] = {STR("Q1:a:1"), STR("Q1:a:2")};
  const struct value_entry metadata = {STR("app"), v_str(STR("x"))};
  t.op = (struct dbms_op){.begin = {.database = STR("neo4j"),
                                    .bookmarks = bookmarks,
                                    .bookmark_count = 2,
                                    .timeout_ms = 5000,
                                    .read_only = true,
                                    .metadata = v_map(&metadata, 1),
                                    .origin = {3, 7}}};
  assert_ok(perform(&t, DBMS_BEGIN));
  assert_str(t.op.begun.database, "neo4j");
  assert_int_equal(t.op.begun.place.term, 5);
  assert_int_equal(t.op.begun.place.last, 107);
  assert_true(logged(&w, "BEGIN db=neo4j r bookmarks=2 timeout=5000\nORIGIN 3 7\n"));
  assert_ok(run(&t, "UNWIND range(1, 3) AS x RETURN x", V_NULL, false));
  assert_int_equal(t.op.ran.result, 0);
  assert_int_equal(t.op.ran.column_count, 1);
  assert_str(t.op.ran.columns[0], "x");
  assert_int_equal(t.op.ran.first_after_ms, 1);
  assert_ok(run(&t, "RETURN 7 AS n", V_NULL, false));
  assert_int_equal(t.op.ran.result, 1);
  assert_ok(pull(&t, 0, -1));
  assert_false(t.op.pulled.has_more);
  assert_int_equal(t.op.pulled.rows, 3);
  assert_int_equal(t.sum, 6);
  assert_ok(pull(&t, 1, -1));
  assert_int_equal(t.sum, 13);
  assert_ok(end(&t, DBMS_COMMIT));
  assert_str(t.op.committed.bookmark, "Q1:test:42");
  assert_ok(begin(&t));
  assert_true(logged(&w, "BEGIN db= w bookmarks=0 timeout=-1\n"));
  assert_ok(end(&t, DBMS_ROLLBACK));
  assert_ok(end(&t, DBMS_RESET));
  assert_int_equal(end(&t, DBMS_ROUTE), ERR_UNSUPPORTED);
  talk_close(&t);
  close_world(&w);
}

TEST(what_became_of_an_earlier_transaction_can_be_asked_there) {
  static const enum dbms_outcome outcomes[] = {DBMS_FATE_UNASKED, DBMS_FATE_COMMITTED, DBMS_FATE_NOT_COMMITTED, DBMS_FATE_UNKNOWN,
                                               DBMS_FATE_NOT_MADE};
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  for (unsigned behind = 0; behind < ARRAY_SIZE(outcomes); behind++) {
    t.op = (struct dbms_op){
        .begin = {.metadata = V_NULL, .origin = {3, 7}, .asks_fate = behind > 0, .behind = behind, .wants_verdict = behind == 4}};
    assert_ok(perform(&t, DBMS_BEGIN));
    assert_int_equal(t.op.begun.fate.outcome, outcomes[behind]);
    assert_str(t.op.begun.fate.bookmark, behind == 1 ? "Q1:test:2" : "");
    assert_ok(end(&t, DBMS_ROLLBACK));
  }
  talk_close(&t);
  close_world(&w);
}

TEST(what_is_to_be_linearizable_is_so_there) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_ok(begin(&t));
  assert_ok(end(&t, DBMS_ROLLBACK));
  assert_false(logged(&w, "LINEARIZABLE\n"));
  t.op = (struct dbms_op){.begin = {.metadata = V_NULL, .linearizable = true}};
  assert_ok(perform(&t, DBMS_BEGIN));
  assert_true(logged(&w, "LINEARIZABLE\n"));
  talk_close(&t);
  close_world(&w);
}

TEST(which_database_is_meant_is_said_there) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  t.op = (struct dbms_op){.begin = {.metadata = V_NULL, .database_id = {{0xab, 1}}}};
  assert_ok(perform(&t, DBMS_BEGIN));
  assert_true(logged(&w, "DATABASE ab010000-0000-0000-0000-000000000000\n"));
  talk_close(&t);
  close_world(&w);
}

TEST(a_statement_alone_has_its_options_its_place_and_its_bookmark) {
  static const struct dbms_client who = {
      .user_agent = {"test/1", 6}, .gateway = {"one:7687", 8}, .neo4j_major = 3, .legacy_bookmarks = true};
  const struct str categories[] = {STR("HINT")};
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open_as(&t, w.remote, w.address, &who);
  assert_ok(log_in(&t));
  assert_true(logged(&w, "RELAYED neo4j=3 legacy by way of one:7687\n"));
  fill_run(&t, "CREATE (n:Test {name: 'x'})", V_NULL, true);
  t.op.run.tx.origin = (struct dbms_origin){UINT64_MAX, 8};
  t.op.run.min_severity = DBMS_SEVERITY_WARNING;
  t.op.run.disabled_categories = categories;
  t.op.run.disabled_category_count = 1;
  assert_ok(perform(&t, DBMS_RUN));
  assert_int_equal(t.op.ran.column_count, 0);
  assert_str(t.op.ran.database, "neo4j");
  assert_int_equal(t.op.ran.place.last, 108);
  assert_true(logged(&w, "severity=2 disabled=1\nORIGIN -1 8\n"));
  assert_ok(pull(&t, t.op.ran.result, -1));
  const struct dbms_summary *s = &t.op.pulled.summary;
  assert_string_equal(s->type, "w");
  assert_int_equal(s->counters.nodes_created, 1);
  assert_int_equal(s->counters.labels_added, 1);
  assert_int_equal(s->counters.properties_set, 1);
  assert_int_equal(s->counters.nodes_deleted, 0);
  assert_str(s->bookmark, "neo4j:bookmark:v1:tx42");
  assert_str(s->database, "neo4j");
  assert_int_equal(s->consumed_after_ms, 2);
  assert_false(s->has_columns);
  assert_false(s->had_rows);
  assert_true(v_is_null(s->plan));
  talk_close(&t);
  close_world(&w);
}

TEST(a_summary_has_its_plan_and_its_notifications) {
  struct world w;
  struct talk t;
  open_world(&w);
  w.dbms.notify = w.dbms.with_plan = true;
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_ok(run(&t, "RETURN 1 AS n", V_NULL, true));
  assert_ok(pull(&t, 0, -1));
  const struct dbms_summary *s = &t.op.pulled.summary;
  assert_true(s->has_columns && s->had_rows);
  assert_str(v_text(*value_map_get(s->plan, STR("operatorType"))), "ProduceResults");
  assert_int_equal(s->notification_count, 2);
  const struct dbms_notification *warning = &s->notifications[0], *note = &s->notifications[1]; // as ranked there
  assert_str(warning->gql_status, "01N50");
  assert_str(warning->severity, "WARNING");
  assert_str(warning->category, "UNRECOGNIZED");
  assert_false(warning->has_position);
  assert_str(note->neo4j_code, "Neo.ClientNotification.Statement.CartesianProduct");
  assert_str(note->title, "title");
  assert_str(note->description, "description");
  assert_str(note->gql_description, "info: cartesian product");
  assert_true(note->has_position);
  assert_int_equal(note->offset, 3);
  assert_int_equal(note->line, 1);
  assert_int_equal(note->column, 4);
  talk_close(&t);
  close_world(&w);
}

// ---- values ----

static int32_t zone_of(const char *name) {
  int32_t zone;
  assert_ok(zone_parse(str_of(name), &zone, NULL));
  return zone;
}

static struct value temporal(struct arena *a, struct value_duration d) {
  struct value v;
  assert_ok(v_duration(a, d, &v, NULL));
  return v;
}

TEST(every_kind_of_value_comes_back_as_it_is_there) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  static const struct value_point flat = {4326, 12.5, -45.25, 0}, deep = {9157, 1, 2, -3};
  const struct value_entry entries[] = {{STR("a"), v_int(1)}, {STR("b"), V_NULL}};
  const struct value inner[] = {v_int(1), v_str(STR("x")), V_NULL};
  const struct value values[] = {
      V_NULL,
      v_bool(true),
      v_bool(false),
      v_int(0),
      v_int(-17),
      v_int(INT64_MIN),
      v_int(INT64_MAX),
      v_float(-0.0),
      v_float(1e300),
      v_float(0.0 / 0.0),
      v_str(STR("")),
      v_str(STR("\xe2\x82\xac\xf0\x9f\x98\x80")),
      v_bytes("\0\xff", 2),
      v_list(inner, 3),
      v_map(entries, 2),
      v_date(-719162),
      v_local_time(86399999999999),
      v_time(1, -64800),
      v_local_datetime(-62135596800, 999999999),
      v_datetime(1700000000, 5, 3600),
      v_datetime(1700000000, 5, zone_of("Asia/Kolkata")),
      temporal(&t.arena, (struct value_duration){-14, 3, -1, 999999999}),
      {.type = VALUE_POINT, .point = &flat},
      {.type = VALUE_POINT, .point = &deep},
  };
  const struct value_entry parameter = {STR("list"), v_list(values, ARRAY_SIZE(values))};
  const struct packstream_profile *profile = &bolt_version_find(6, 0)->values;
  assert_ok(run(&t, "UNWIND $list AS x RETURN x", v_map(&parameter, 1), true));
  assert_ok(pull(&t, 0, -1));
  assert_int_equal(t.rows, ARRAY_SIZE(values));
  for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
    CLEANUP(buf_done) struct buf sent = BUF_INIT, got = BUF_INIT;
    assert_ok(packstream_write_value(&sent, profile, values[i], NULL));
    assert_ok(packstream_write_value(&got, profile, t.values[i], NULL));
    assert_int_equal(t.values[i].type, values[i].type);
    assert_int_equal(sent.len, got.len);
    assert_memory_equal(sent.data, got.data, sent.len);
  }
  talk_close(&t);
  close_world(&w);
}

TEST(nodes_relationships_and_paths_come_whole) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_ok(begin(&t));
  assert_ok(run(&t, "MATCH (n) RETURN n", V_NULL, false));
  assert_ok(pull(&t, 0, -1));
  assert_ok(run(&t, "MATCH ()-[r]->() RETURN r", V_NULL, false));
  assert_ok(pull(&t, 1, -1));
  assert_ok(run(&t, "MATCH p = ()-->() RETURN p", V_NULL, false));
  assert_ok(pull(&t, 2, -1));
  assert_int_equal(t.values[0].type, VALUE_NODE);
  assert_str(t.values[0].node->labels[0], "Test");
  assert_str(t.values[0].node->element_id, "4:test:1");
  assert_str(v_text(t.values[0].node->properties[0].value), "x");
  assert_int_equal(t.values[1].rel->id, 7);
  assert_int_equal(t.values[1].rel->end, 2);
  assert_str(t.values[1].rel->type, "KNOWS");
  const struct value_path *p = t.values[2].path;
  assert_int_equal(p->len, 1);
  assert_int_equal(p->nodes[1].node->id, 2);
  assert_str(p->rels[0].rel->start_element_id, "4:test:1");
  assert_int_equal(p->rels[0].rel->end, 2);
  assert_false(p->reversed[0]);
  talk_close(&t);
  close_world(&w);
}

// ---- many rows ----

TEST(a_long_result_stops_when_the_sink_is_full_and_goes_on_where_it_was) {
  enum { ROWS = 200000 };
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_ok(run(&t, "UNWIND range(1, 200000) AS x RETURN x", V_NULL, true));
  t.full_after = 700; // in the middle of a portion
  uint32_t pauses = 0;
  do {
    uint32_t before = t.rows;
    assert_ok(pull(&t, 0, -1));
    assert_int_equal(t.op.pulled.rows, t.rows - before);
    assert_true(t.rows - before <= 4 * 1024);
    if (t.op.pulled.has_more) assert_true(t.op.pulled.paused);
    pauses++;
  } while (t.op.pulled.has_more);
  assert_true(pauses > 50);
  assert_int_equal(t.rows, ROWS);
  assert_int_equal(t.sum, (uint64_t) ROWS * (ROWS + 1) / 2);
  assert_str(t.op.pulled.summary.bookmark, "Q1:test:42");
  talk_close(&t);
  close_world(&w);
}

TEST(long_rows_come_in_short_batches) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  struct buf text = BUF_INIT;
  for (int i = 0; i < 200000; i++) assert_ok(buf_append_byte(&text, 'x'));
  struct value items[20];
  for (size_t i = 0; i < ARRAY_SIZE(items); i++) items[i] = v_str(buf_str(&text));
  const struct value_entry parameter = {STR("list"), v_list(items, ARRAY_SIZE(items))};
  assert_ok(run(&t, "UNWIND $list AS x RETURN x", v_map(&parameter, 1), true));
  t.full_after = 3;
  uint32_t pulls = 0;
  do {
    assert_ok(pull(&t, 0, -1));
    pulls++;
  } while (t.op.pulled.has_more);
  assert_int_equal(t.rows, ARRAY_SIZE(items));
  assert_int_equal(t.pushes, ARRAY_SIZE(items)); // each is a batch
  assert_true(pulls > 5);
  assert_int_equal(t.values[19].len, 200000);
  buf_done(&text);
  talk_close(&t);
  close_world(&w);
}

TEST(so_many_rows_as_are_wanted_and_the_rest_discarded) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_ok(run(&t, "UNWIND range(1, 5000) AS x RETURN x", V_NULL, true));
  assert_ok(pull(&t, 0, 10));
  assert_int_equal(t.op.pulled.rows, 10);
  assert_true(t.op.pulled.has_more && !t.op.pulled.paused);
  assert_ok(pull(&t, 0, 2000));
  assert_int_equal(t.op.pulled.rows, 2000);
  assert_int_equal(t.sum, 2010 * 2011 / 2);
  assert_ok(discard(&t, 0, 100));
  assert_int_equal(t.op.pulled.rows, 100);
  assert_true(t.op.pulled.has_more);
  assert_ok(pull(&t, 0, 1));
  assert_int_equal(t.sum, 2010 * 2011 / 2 + 2111);
  assert_ok(discard(&t, 0, -1));
  assert_false(t.op.pulled.has_more);
  assert_string_equal(t.op.pulled.summary.type, "r");
  assert_int_equal(t.rows, 2011);
  talk_close(&t);
  close_world(&w);
}

TEST(a_transaction_may_end_or_be_reset_in_the_middle_of_a_portion) {
  static const enum dbms_op_kind ends[] = {DBMS_COMMIT, DBMS_ROLLBACK, DBMS_RESET};
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
    assert_ok(begin(&t));
    assert_ok(run(&t, "UNWIND range(1, 100000) AS x RETURN x", V_NULL, false));
    t.full_after = 1;
    t.rows = 0;
    fill_pull(&t, 0, 300); // a portion of 300, of which some are taken
    t.op.pull.rows = -1;
    assert_ok(perform(&t, DBMS_PULL));
    assert_true(t.op.pulled.paused);
    assert_ok(end(&t, ends[i]));
    assert_ok(run(&t, "RETURN 1 AS n", V_NULL, true));
    t.full_after = 0;
    assert_ok(pull(&t, 0, -1));
  }
  talk_close(&t);
  close_world(&w);
}

// ---- what goes wrong ----

TEST(a_failure_has_its_code_its_text_and_its_place) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_int_equal(run(&t, "NONSENSE", V_NULL, true), ERR_SYNTAX);
  assert_string_equal(t.op.error.message, "Invalid input 'NONSENSE'");
  assert_int_equal(t.op.error.offset, 0);
  assert_int_equal(t.op.error.line, 1);
  assert_ok(run(&t, "RETURN 1 AS n", V_NULL, true)); // outside a transaction nothing needs to be reset
  assert_ok(pull(&t, 0, -1));
  assert_ok(run(&t, "RETURN 1/0", V_NULL, true));
  assert_int_equal(pull(&t, 0, -1), ERR_DIVISION_BY_ZERO);
  assert_int_equal(t.op.error.offset, ERROR_NO_POSITION);
  assert_ok(begin(&t));
  assert_int_equal(run(&t, "NONSENSE", V_NULL, false), ERR_SYNTAX);
  assert_int_equal(run(&t, "RETURN 1 AS n", V_NULL, false), ERR_TX_TERMINATED); // only RESET may follow
  assert_int_equal(end(&t, DBMS_COMMIT), ERR_TX_TERMINATED);
  assert_ok(end(&t, DBMS_RESET));
  assert_ok(begin(&t));
  assert_ok(end(&t, DBMS_COMMIT));
  talk_close(&t);
  close_world(&w);
}

TEST(each_status_that_a_client_sees_comes_back_as_one_that_says_the_same) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  for (enum err code = ERR_OK + 1; code < ERR_MAX; code++) {
    w.dbms.next_error = code;
    enum err got = run(&t, "RETURN 1 AS n", V_NULL, true);
    assert_string_equal(err_neo4j_code(got), err_neo4j_code(code));
    assert_string_equal(err_gql_status(got), err_gql_status(code));
    assert_true(got != ERR_CLOSED && got != ERR_UNREACHABLE && got != ERR_WAIT);
    assert_ok(end(&t, DBMS_RESET));
  }
  talk_close(&t);
  close_world(&w);
}

TEST(a_sink_that_refuses_ends_the_transaction_there) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_ok(begin(&t));
  assert_ok(run(&t, "UNWIND range(1, 100000) AS x RETURN x", V_NULL, false));
  t.refuses = ERR_TYPE;
  assert_int_equal(pull(&t, 0, -1), ERR_TYPE);
  assert_string_equal(t.op.error.message, "the sink takes nothing");
  assert_int_equal(end(&t, DBMS_COMMIT), ERR_TX_TERMINATED);
  assert_false(logged(&w, "COMMIT"));
  assert_ok(end(&t, DBMS_RESET));
  assert_ok(run(&t, "RETURN 1 AS n", V_NULL, true)); // this one is done before the sink has refused its row
  assert_int_equal(pull(&t, 0, -1), ERR_CLOSED);
  t.refuses = ERR_OK;
  assert_ok(run(&t, "RETURN 1 AS n", V_NULL, true));
  assert_ok(pull(&t, 0, -1));
  talk_close(&t);
  close_world(&w);
}

TEST(a_wrong_password_is_told_by_the_other_server) {
  struct world w;
  struct talk t;
  open_world(&w);
  w.dbms.auth_enabled = true;
  talk_open(&t, &w);
  assert_int_equal(log_in_as(&t, "neo4j", "wrong"), ERR_UNAUTHORIZED);
  assert_int_equal(run(&t, "RETURN 1 AS n", V_NULL, true), ERR_UNREACHABLE);
  assert_ok(log_in(&t)); // and another attempt
  talk_close(&t);
  close_world(&w);
}

TEST(an_interruption_stops_what_runs) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_ok(begin(&t));
  w.dbms.hold = true;
  fill_run(&t, "RETURN 1 AS n", V_NULL, false);
  submit(&t, DBMS_RUN);
  for (int i = 0; i < 2000 && !logged(&w, "RUN"); i++) poll(NULL, 0, 1);
  t.remote->interrupt(t.session, ERR_TX_TIMEOUT);
  for (int i = 0; i < 2000 && !test_dbms_was_interrupted(&w.dbms); i++) poll(NULL, 0, 1);
  w.dbms.hold = false;
  assert_true(test_dbms_finish(&w.dbms));
  assert_int_equal(await(&t), ERR_TX_TIMEOUT);
  t.remote->interrupt(t.session, ERR_TX_TIMEOUT); // nothing runs: nothing happens
  assert_ok(end(&t, DBMS_RESET));
  assert_ok(begin(&t));
  assert_ok(end(&t, DBMS_COMMIT));
  talk_close(&t);
  close_world(&w);
}

TESTS(T(a_transaction_is_carried_out_there), T(what_became_of_an_earlier_transaction_can_be_asked_there),
      T(what_is_to_be_linearizable_is_so_there), T(which_database_is_meant_is_said_there), T(a_statement_alone_has_its_options_its_place_and_its_bookmark),
      T(a_summary_has_its_plan_and_its_notifications), T(every_kind_of_value_comes_back_as_it_is_there),
      T(nodes_relationships_and_paths_come_whole), T(a_long_result_stops_when_the_sink_is_full_and_goes_on_where_it_was),
      T(long_rows_come_in_short_batches), T(so_many_rows_as_are_wanted_and_the_rest_discarded),
      T(a_transaction_may_end_or_be_reset_in_the_middle_of_a_portion), T(a_failure_has_its_code_its_text_and_its_place),
      T(each_status_that_a_client_sees_comes_back_as_one_that_says_the_same), T(a_sink_that_refuses_ends_the_transaction_there),
      T(a_wrong_password_is_told_by_the_other_server), T(an_interruption_stops_what_runs))
