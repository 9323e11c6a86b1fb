// Sessions on another server, over loopback: a real Bolt server with the scripted database behind it, or a server that says what
// the test wants and hangs up when the test wants.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bolt/remote.h"
#include "bolt/server.h"
#include "bolt/test_player.h"
#include "os/tls.h"
#include "os/tls_test.h"
#include "value/compare.h"
#include "value/temporal.h"

// ---- a server and a client of it ----

struct world {
  struct dbms dbms;
  struct bolt_settings settings;
  struct bolt_server *server;
  struct bolt_remote_options options;
  struct dbms_remote *remote;
  char address[64];
};

static void serve(struct world *w, const char *address) {
  struct str addresses[] = {str_of(address)};
  struct error e = ERROR_INIT;
  w->settings.listen_addresses = addresses;
  w->settings.listen_address_count = 1;
  if (bolt_server_start(&w->settings, &w->dbms, NULL, &w->server, &e) != ERR_OK) fail_msg("%s", e.message);
  snprintf(w->address, sizeof w->address, "%s", bolt_server_address(w->server, 0));
}

static void prepare(struct world *w) {
  *w = (struct world){.settings = bolt_settings_default(), .options = {.threads = 1, .random = random_system()}};
  test_dbms_init(&w->dbms);
  w->settings.for_servers = true;
  w->settings.drain_timeout_ms = 200;
}

static void open_world(struct world *w) {
  prepare(w);
  serve(w, "127.0.0.1:0");
  assert_ok(bolt_remote_new(&w->options, &w->remote, NULL));
}

static void close_world(struct world *w) {
  bolt_remote_free(w->remote);
  bolt_server_stop(w->server);
  assert_int_equal(w->dbms.sessions, 0);
  test_dbms_done(&w->dbms);
}

static bool logged(struct world *w, const char *line) {
  mutex_lock(&w->dbms.lock);
  bool found = str_find(buf_str(&w->dbms.log), str_of(line)) >= 0;
  mutex_unlock(&w->dbms.lock);
  return found;
}

// ---- operations, waited for ----

struct talk {
  struct dbms_remote *remote;
  struct dbms_remote_session *session;
  struct dbms_op op;
  struct mutex mutex;
  struct condition changed;
  bool done;

  struct row_sink sink;
  bool full;
  uint32_t full_after; // rows; 0: never
  enum err refuses;    // what `push` returns
  uint32_t pushes, rows;
  uint64_t sum;            // of the Integers
  struct arena arena;      // of `values`
  struct value values[64]; // of the first column of the first rows
};

static void on_done(struct dbms_op *op) {
  struct talk *t = op->context;
  mutex_lock(&t->mutex);
  t->done = true;
  condition_signal(&t->changed);
  mutex_unlock(&t->mutex);
}

static enum err take_rows(struct row_sink *sink, const struct vec *columns, uint32_t width, const uint32_t *sel, uint32_t rows,
                          struct error *e) {
  struct talk *t = CONTAINER_OF(sink, struct talk, sink);
  assert_null(sel);
  if (t->refuses != ERR_OK) return error_set(e, t->refuses, "the sink takes nothing");
  t->pushes++;
  for (uint32_t i = 0; i < rows; i++, t->rows++) {
    struct value v = width > 0 ? vec_get(&columns[0], i) : V_NULL;
    if (v.type == VALUE_INT) {
      t->sum += (uint64_t) v.i;
      if (v.i != (int64_t) t->rows + 1 && width == 1 && t->full_after > 0) return error_set(e, ERR_INTERNAL, "rows out of order");
    }
    if (t->rows < ARRAY_SIZE(t->values)) TRY(value_copy(&t->arena, v, &t->values[t->rows], e));
  }
  if (t->full_after > 0 && t->rows % t->full_after < rows) t->full = true;
  return ERR_OK;
}

static void talk_open_as(struct talk *t, struct dbms_remote *remote, const char *address, const struct dbms_client *who) {
  *t = (struct talk){.remote = remote, .sink.push = take_rows};
  mutex_init(&t->mutex);
  condition_init(&t->changed);
  arena_init(&t->arena, NULL);
  assert_ok(remote->open(remote, str_of(address), who, &t->session, NULL));
}

static void talk_open(struct talk *t, struct world *w) {
  static const struct dbms_client who = {.connector = {"bolt", 4}, .user_agent = {"test/1", 6}, .neo4j_major = 5};
  talk_open_as(t, w->remote, w->address, &who);
}

static void talk_close(struct talk *t) {
  t->remote->free(t->session);
  arena_done(&t->arena);
  condition_done(&t->changed);
  mutex_done(&t->mutex);
}

static void submit(struct talk *t, enum dbms_op_kind kind) {
  t->op.kind = kind;
  t->op.done = on_done;
  t->op.context = t;
  t->done = false;
  t->remote->submit(t->session, &t->op);
}

static enum err await(struct talk *t) {
  mutex_lock(&t->mutex);
  while (!t->done) condition_wait(&t->changed, &t->mutex);
  mutex_unlock(&t->mutex);
  if (t->op.err != ERR_OK) assert_int_equal(t->op.error.code, t->op.err);
  return t->op.err;
}

static enum err perform(struct talk *t, enum dbms_op_kind kind) {
  submit(t, kind);
  return await(t);
}

static enum err log_in_as(struct talk *t, const char *user, const char *password) {
  t->op = (struct dbms_op){.login = {STR("basic"), str_of(user), str_of(password), STR_NONE}};
  return perform(t, DBMS_LOGIN);
}

static enum err log_in(struct talk *t) {
  return log_in_as(t, "neo4j", "secret");
}

static enum err begin(struct talk *t) {
  t->op = (struct dbms_op){.begin = {.timeout_ms = -1}};
  return perform(t, DBMS_BEGIN);
}

static void fill_run(struct talk *t, const char *query, struct value parameters, bool auto_commit) {
  t->op = (struct dbms_op){
      .run = {.query = str_of(query), .parameters = parameters, .tx.timeout_ms = -1, .auto_commit = auto_commit}};
}

static enum err run(struct talk *t, const char *query, struct value parameters, bool auto_commit) {
  fill_run(t, query, parameters, auto_commit);
  return perform(t, DBMS_RUN);
}

static void fill_pull(struct talk *t, int64_t result, int64_t rows) {
  t->full = false;
  t->op = (struct dbms_op){.pull = {.result = result, .rows = rows, .sink = &t->sink, .sink_full = &t->full}};
}

static enum err pull(struct talk *t, int64_t result, int64_t rows) {
  fill_pull(t, result, rows);
  return perform(t, DBMS_PULL);
}

static enum err discard(struct talk *t, int64_t result, int64_t rows) {
  fill_pull(t, result, rows);
  t->op.pull.discard = true;
  return perform(t, DBMS_PULL);
}

static enum err end(struct talk *t, enum dbms_op_kind kind) {
  t->op = (struct dbms_op){0};
  return perform(t, kind);
}

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

TEST(a_statement_alone_has_its_options_its_place_and_its_bookmark) {
  static const struct dbms_client who = {.user_agent = {"test/1", 6}, .neo4j_major = 3, .legacy_bookmarks = true};
  const struct str categories[] = {STR("HINT")};
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open_as(&t, w.remote, w.address, &who);
  assert_ok(log_in(&t));
  assert_true(logged(&w, "RELAYED neo4j=3 legacy\n"));
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

TEST(who_cannot_be_reached_has_done_nothing) {
  struct world w;
  struct talk t;
  open_world(&w);
  bolt_server_stop(w.server);
  w.server = NULL;
  talk_open(&t, &w);
  assert_int_equal(log_in(&t), ERR_UNREACHABLE);
  assert_non_null(strstr(t.op.error.message, "cannot reach '127.0.0.1:"));
  assert_int_equal(begin(&t), ERR_UNREACHABLE);
  assert_ok(end(&t, DBMS_RESET));
  talk_close(&t);
  close_world(&w);
}

// ---- a server that hangs up ----

struct hanging {
  int listening;
  char address[64];
  const char *const *says; // one piece for each that is heard; behind the last one it hangs up
  size_t count;
  struct thread thread;
};

static void *hang_up_after(void *argument) {
  struct hanging *h = argument;
  int fd = accept(h->listening, NULL, NULL);
  char heard[4096];
  for (size_t i = 0; i < h->count && read(fd, heard, sizeof heard) > 0; i++) {
    CLEANUP(buf_done) struct buf bytes = test_hex(h->says[i]);
    if (write(fd, bytes.data, bytes.len) != (ssize_t) bytes.len) break;
  }
  struct pollfd p = {fd, POLLIN, 0};
  poll(&p, 1, 2000); // what comes behind it is not read
  close(fd);
  return NULL;
}

static void hanging_open(struct hanging *h, const char *const *says, size_t count) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof at;
  *h = (struct hanging){.says = says, .count = count, .listening = socket(AF_INET, SOCK_STREAM, 0)};
  assert_int_equal(bind(h->listening, (struct sockaddr *) &at, sizeof at), 0);
  assert_int_equal(listen(h->listening, 1), 0);
  assert_int_equal(getsockname(h->listening, (struct sockaddr *) &at, &len), 0);
  snprintf(h->address, sizeof h->address, "127.0.0.1:%u", ntohs(at.sin_port));
  assert_ok(thread_start(&h->thread, "hanging", hang_up_after, h, NULL));
}

static void hanging_close(struct hanging *h) {
  thread_join(&h->thread);
  close(h->listening);
}

#define VERSION_6 "00 00 00 06"
#define SUCCESS "(b1 70 a0) "
#define LOGGED_IN SUCCESS SUCCESS
#define RAN "(b1 70 a1 86 'fields' 91 81 'x') "

/// What the whole conversation ends with, when the server hangs up behind `count` pieces.
static enum err talk_until_hung_up(const char *const *says, size_t count, char *ret_last, bool explicit_tx) {
  struct world w;
  struct hanging h;
  struct talk t;
  static const struct dbms_client who = {.user_agent = {"x", 1}};
  prepare(&w);
  assert_ok(bolt_remote_new(&w.options, &w.remote, NULL));
  hanging_open(&h, says, count);
  talk_open_as(&t, w.remote, h.address, &who);
  *ret_last = 'L';
  enum err err = log_in(&t);
  if (err == ERR_OK && explicit_tx) *ret_last = 'B', err = begin(&t);
  if (err == ERR_OK) *ret_last = 'R', err = run(&t, "CREATE (n) RETURN 1", V_NULL, !explicit_tx);
  if (err == ERR_OK) *ret_last = 'P', err = pull(&t, 0, -1);
  if (err == ERR_OK && explicit_tx) *ret_last = 'C', err = end(&t, DBMS_COMMIT);
  if (err != ERR_OK) assert_int_equal(run(&t, "RETURN 1", V_NULL, true), ERR_UNREACHABLE);
  talk_close(&t);
  hanging_close(&h);
  bolt_remote_free(w.remote);
  test_dbms_done(&w.dbms);
  return err;
}

TEST(a_connection_that_is_lost_while_logging_in_has_done_nothing_later_nobody_knows) {
  static const char *const says[] = {
      VERSION_6, LOGGED_IN, SUCCESS, "(b1 70 a2 83 'qid' 00 86 'fields' 91 81 'x') ", "(b1 71 91 01) (b1 70 a0) ", SUCCESS};
  static const struct {
    size_t pieces;
    char last;
    enum err expected;
  } cases[] = {{0, 'L', ERR_UNREACHABLE}, {1, 'L', ERR_UNREACHABLE}, {2, 'B', ERR_CLOSED}, {3, 'R', ERR_CLOSED},
               {4, 'P', ERR_CLOSED},      {5, 'C', ERR_CLOSED},      {6, 'C', ERR_OK}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    char last;
    assert_int_equal(talk_until_hung_up(says, cases[i].pieces, &last, true), cases[i].expected);
    assert_int_equal(last, cases[i].last);
  }
}

TEST(what_no_server_may_send_ends_the_connection) {
  static const struct {
    const char *says[4];
    size_t pieces;
    enum err expected;
  } cases[] = {
      {{"00 00 00 00"}, 1, ERR_UNREACHABLE},                                          // no version
      {{"48 54 54 50"}, 1, ERR_UNREACHABLE},                                          // HTTP
      {{"00 00 07 05"}, 1, ERR_UNREACHABLE},                                          // one that was not offered
      {{VERSION_6, "(b1 71 91 01)"}, 2, ERR_UNREACHABLE},                             // a record
      {{VERSION_6, "(b0 7e)"}, 2, ERR_UNREACHABLE},                                   // ignored
      {{VERSION_6, "(b1 70 01)"}, 2, ERR_UNREACHABLE},                                // no dictionary
      {{VERSION_6, LOGGED_IN "(b1 70 a0)"}, 2, ERR_OK},                               // see below: nobody waits for it
      {{VERSION_6, LOGGED_IN, "(b1 70 a0)"}, 3, ERR_CLOSED},                          // RUN without fields
      {{VERSION_6, LOGGED_IN, "(b0 7e)"}, 3, ERR_CLOSED},                             // ignored without a reason
      {{VERSION_6, LOGGED_IN, "(01 02 03)"}, 3, ERR_CLOSED},                          // nothing
      {{VERSION_6, LOGGED_IN, RAN "(b1 70 a0)"}, 3, ERR_OK},                          // an answer too many
      {{VERSION_6, LOGGED_IN, RAN, "(b1 71 91 01) (b1 71 92 01 02)"}, 4, ERR_CLOSED}, // rows of different widths
      {{VERSION_6, LOGGED_IN, RAN, "(b1 71 01)"}, 4, ERR_CLOSED},                     // a row that is no list
      {{VERSION_6, LOGGED_IN, RAN, "(b1 70 a1 88 'has_more' 01)"}, 4, ERR_CLOSED},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    char last;
    enum err err = talk_until_hung_up(cases[i].says, cases[i].pieces, &last, false);
    if (cases[i].expected != ERR_OK)
      assert_int_equal(err, cases[i].expected);
    else
      assert_true(err == ERR_CLOSED || err == ERR_UNREACHABLE); // as it is noticed before or behind the next operation
  }
}

TEST(a_server_that_says_nothing_is_given_up) {
  static const char *const says[] = {VERSION_6, "(b1 70 a1 85 'hints' a1 d0 1f 'connection.recv_timeout_seconds' 01) " SUCCESS};
  char last;
  assert_int_equal(talk_until_hung_up(says, 2, &last, false), ERR_CLOSED);
  assert_int_equal(last, 'R');
}

TEST(a_server_that_does_not_let_itself_be_interrupted_is_left) {
  static const char *const says[] = {VERSION_6, LOGGED_IN, "", ""};
  static const struct dbms_client who = {.user_agent = {"x", 1}};
  struct world w;
  struct hanging h;
  struct talk t;
  prepare(&w);
  w.options.interrupt_ms = 50;
  assert_ok(bolt_remote_new(&w.options, &w.remote, NULL));
  hanging_open(&h, says, ARRAY_SIZE(says));
  talk_open_as(&t, w.remote, h.address, &who);
  assert_ok(log_in(&t));
  fill_run(&t, "CREATE (n)", V_NULL, true);
  submit(&t, DBMS_RUN);
  poll(NULL, 0, 20);
  t.remote->interrupt(t.session, ERR_TX_TERMINATED);
  assert_int_equal(await(&t), ERR_CLOSED); // it may have been done
  talk_close(&t);
  hanging_close(&h);
  bolt_remote_free(w.remote);
  test_dbms_done(&w.dbms);
}

TEST(an_interruption_ends_a_login_that_nobody_answers) {
  static const char *const silence[] = {""};
  static const struct dbms_client who = {.user_agent = {"x", 1}};
  struct world w;
  struct hanging h;
  struct talk t;
  prepare(&w);
  assert_ok(bolt_remote_new(&w.options, &w.remote, NULL));
  hanging_open(&h, silence, 1);
  talk_open_as(&t, w.remote, h.address, &who);
  t.op = (struct dbms_op){0};
  submit(&t, DBMS_LOGIN);
  poll(NULL, 0, 20);
  t.remote->interrupt(t.session, ERR_TX_TERMINATED);
  assert_int_equal(await(&t), ERR_TX_TERMINATED);
  talk_close(&t);
  hanging_close(&h);
  bolt_remote_free(w.remote);
  test_dbms_done(&w.dbms);
}

// ---- connections that are kept ----

static bool comes_to(uint32_t (*count)(struct world *), struct world *w, uint32_t expected) {
  for (int i = 0; i < 2000 && count(w) != expected; i++) poll(NULL, 0, 1);
  return count(w) == expected;
}

static uint32_t sessions(struct world *w) {
  return w->dbms.sessions;
}

static uint32_t kept(struct world *w) {
  return bolt_remote_idle(w->remote);
}

TEST(a_connection_is_kept_for_the_same_user_with_the_same_credentials) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  talk_close(&t);
  assert_true(comes_to(kept, &w, 1));
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_int_equal(kept(&w), 0);
  assert_int_equal(sessions(&w), 1);
  assert_ok(run(&t, "RETURN 1 AS n", V_NULL, true));
  assert_ok(pull(&t, 0, -1));
  assert_ok(end(&t, DBMS_LOGOFF));
  assert_int_equal(kept(&w), 1);
  assert_ok(log_in_as(&t, "neo4j", "Secret")); // not checked by this server, but not the same
  assert_int_equal(kept(&w), 1);
  assert_int_equal(sessions(&w), 2);
  talk_close(&t);
  assert_true(comes_to(kept, &w, 2));
  close_world(&w);
}

TEST(what_was_left_open_is_rolled_back_before_anybody_else_comes) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_ok(begin(&t));
  assert_ok(run(&t, "UNWIND range(1, 100000) AS x RETURN x", V_NULL, false));
  t.full_after = 1;
  assert_ok(pull(&t, 0, -1));
  assert_true(t.op.pulled.paused);
  talk_close(&t);
  assert_true(comes_to(kept, &w, 1));
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_true(logged(&w, "RESET\n"));
  assert_int_equal(sessions(&w), 1);
  assert_ok(begin(&t));
  assert_ok(end(&t, DBMS_COMMIT));
  talk_close(&t);
  close_world(&w);
}

TEST(a_connection_that_died_while_it_was_kept_is_replaced) {
  struct world w;
  struct talk t;
  char address[64];
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  talk_close(&t);
  assert_true(comes_to(kept, &w, 1));
  snprintf(address, sizeof address, "%s", w.address);
  bolt_server_stop(w.server);
  serve(&w, address);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_ok(run(&t, "RETURN 1 AS n", V_NULL, true));
  talk_close(&t);
  close_world(&w);
}

TEST(a_connection_on_which_users_may_have_been_changed_is_not_kept) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  t.op = (struct dbms_op){.begin = {.database = STR("system"), .timeout_ms = -1}};
  assert_ok(perform(&t, DBMS_BEGIN));
  assert_ok(end(&t, DBMS_ROLLBACK));
  talk_close(&t);
  assert_true(comes_to(sessions, &w, 0));
  assert_int_equal(kept(&w), 0);
  close_world(&w);
}

TEST(nothing_is_kept_for_long) {
  struct world w;
  struct talk t;
  prepare(&w);
  w.options.idle_ms = 1;
  serve(&w, "127.0.0.1:0");
  assert_ok(bolt_remote_new(&w.options, &w.remote, NULL));
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  talk_close(&t);
  assert_true(comes_to(sessions, &w, 0));
  assert_int_equal(kept(&w), 0);
  close_world(&w);
}

TEST(not_more_are_kept_than_one_user_may_need) {
  enum { SESSIONS = 70, KEPT = 64 };
  struct world w;
  struct talk *t = calloc(SESSIONS, sizeof *t);
  open_world(&w);
  for (int i = 0; i < SESSIONS; i++) {
    talk_open(&t[i], &w);
    assert_ok(log_in(&t[i]));
  }
  assert_int_equal(sessions(&w), SESSIONS);
  for (int i = 0; i < SESSIONS; i++) talk_close(&t[i]);
  assert_true(comes_to(sessions, &w, KEPT));
  assert_int_equal(kept(&w), KEPT);
  free(t);
  close_world(&w);
}

// ---- encrypted ----

TEST(both_ends_show_their_certificates) {
  char directory[] = "/tmp/quiver-test-XXXXXX", certificate[64], key[64];
  assert_non_null(mkdtemp(directory));
  assert_true(tls_test_make_certificate(directory));
  snprintf(certificate, sizeof certificate, "%s/cert.pem", directory);
  snprintf(key, sizeof key, "%s/key.pem", directory);
  struct tls_settings settings = {
      .certificate_path = certificate, .key_path = key, .trusted_path = certificate, .client_auth = TLS_CLIENT_REQUIRED};
  struct tls_context *tls, *nobody;
  assert_ok(tls_context_new(&settings, &tls, NULL));
  assert_ok(tls_context_new_trusting(certificate, &nobody, NULL));
  for (int shows = 0; shows < 2; shows++) {
    struct world w;
    struct talk t;
    prepare(&w);
    w.settings.tls_level = BOLT_TLS_REQUIRED;
    w.settings.tls = tls;
    w.options.tls = shows ? tls : nobody;
    w.options.tls_verify_names = true;
    serve(&w, "127.0.0.1:0");
    assert_ok(bolt_remote_new(&w.options, &w.remote, NULL));
    talk_open(&t, &w);
    assert_int_equal(log_in(&t), shows ? ERR_OK : ERR_UNREACHABLE);
    if (shows) {
      assert_ok(run(&t, "UNWIND range(1, 20000) AS x RETURN x", V_NULL, true));
      t.full_after = 500;
      do assert_ok(pull(&t, 0, -1));
      while (t.op.pulled.has_more);
      assert_int_equal(t.rows, 20000);
    }
    talk_close(&t);
    close_world(&w);
  }
  tls_context_free(tls);
  tls_context_free(nobody);
  unlink(certificate);
  unlink(key);
  rmdir(directory);
}

TESTS(T(a_transaction_is_carried_out_there), T(a_statement_alone_has_its_options_its_place_and_its_bookmark),
      T(a_summary_has_its_plan_and_its_notifications), T(every_kind_of_value_comes_back_as_it_is_there),
      T(nodes_relationships_and_paths_come_whole), T(a_long_result_stops_when_the_sink_is_full_and_goes_on_where_it_was),
      T(long_rows_come_in_short_batches), T(so_many_rows_as_are_wanted_and_the_rest_discarded),
      T(a_transaction_may_end_or_be_reset_in_the_middle_of_a_portion), T(a_failure_has_its_code_its_text_and_its_place),
      T(each_status_that_a_client_sees_comes_back_as_one_that_says_the_same), T(a_sink_that_refuses_ends_the_transaction_there),
      T(a_wrong_password_is_told_by_the_other_server), T(an_interruption_stops_what_runs),
      T(who_cannot_be_reached_has_done_nothing),
      T(a_connection_that_is_lost_while_logging_in_has_done_nothing_later_nobody_knows),
      T(what_no_server_may_send_ends_the_connection), T(a_server_that_says_nothing_is_given_up),
      T(a_server_that_does_not_let_itself_be_interrupted_is_left), T(nothing_is_kept_for_long),
      T(an_interruption_ends_a_login_that_nobody_answers), T(not_more_are_kept_than_one_user_may_need),
      T(a_connection_is_kept_for_the_same_user_with_the_same_credentials),
      T(what_was_left_open_is_rolled_back_before_anybody_else_comes), T(a_connection_that_died_while_it_was_kept_is_replaced),
      T(a_connection_on_which_users_may_have_been_changed_is_not_kept), T(both_ends_show_their_certificates))
