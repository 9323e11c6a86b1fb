// A client without a connection: what it says, in what order, and what it does when memory runs out anywhere.
#include <string.h>

#include "bolt/client.h"
#include "bolt/test_player.h"

struct heard {
  struct bolt_client client;
  struct dbms_op op;
  struct row_sink sink;
  uint32_t rows;
};

static enum err take_rows(struct row_sink *sink, const struct vec *columns UNUSED, uint32_t width UNUSED,
                          const uint32_t *sel UNUSED, uint32_t rows, struct error *e UNUSED) {
  CONTAINER_OF(sink, struct heard, sink)->rows += rows;
  return ERR_OK;
}

static void open_client(struct heard *h) {
  static const struct dbms_client who = {.user_agent = {"x", 1}, .neo4j_major = 5};
  *h = (struct heard){.sink.push = take_rows};
  bolt_client_init(&h->client, &who);
}

static bool is_finished(struct heard *h) {
  if (h->client.spent) bolt_client_lose(&h->client, "closed");
  return bolt_client_take(&h->client) != NULL;
}

/// Starts it and lets the server answer; the operation must be finished then, and not before.
static enum err perform(struct heard *h, enum dbms_op_kind kind, struct str answer) {
  struct error e = ERROR_INIT;
  h->op.kind = kind;
  bolt_client_start(&h->client, &h->op);
  if (is_finished(h)) return h->op.err;
  if (bolt_client_receive(&h->client, (const uint8_t *) answer.ptr, answer.len, &e) != ERR_OK)
    bolt_client_lose(&h->client, e.message);
  assert_true(is_finished(h));
  return h->op.err;
}

enum { LOGIN, BEGIN, RUN, PULL, COMMIT, ANSWERS };

static void make_answers(struct buf answers[ANSWERS]) {
  answers[LOGIN] = test_hex("00 00 00 06 (b1 70 a0) (b1 70 a0)");
  answers[BEGIN] = test_hex("(b1 70 a1 82 'db' 85 'neo4j')");
  answers[RUN] = test_hex("(b1 70 a2 83 'qid' 00 86 'fields' 91 81 'x')");
  answers[PULL] = test_hex(
      "(b1 71 91 01) (b1 71 91 92 01 81 'y') (b1 70 a2 84 'type' 81 'r' 88 'statuses' 91 a1 8a 'gql_status' 85 '00000')");
  answers[COMMIT] = test_hex("(b1 70 a1 88 'bookmark' 81 'b')");
}

static enum err converse(struct heard *h, struct buf answers[ANSWERS]) {
  h->op = (struct dbms_op){.login = {STR("basic"), STR("neo4j"), STR("secret"), STR_NONE}};
  TRY(perform(h, DBMS_LOGIN, buf_str(&answers[LOGIN])));
  h->op = (struct dbms_op){.begin.timeout_ms = -1};
  TRY(perform(h, DBMS_BEGIN, buf_str(&answers[BEGIN])));
  h->op = (struct dbms_op){.run.query = STR("RETURN 1")};
  TRY(perform(h, DBMS_RUN, buf_str(&answers[RUN])));
  h->op = (struct dbms_op){.pull = {.rows = -1, .sink = &h->sink}};
  TRY(perform(h, DBMS_PULL, buf_str(&answers[PULL])));
  h->op = (struct dbms_op){0};
  return perform(h, DBMS_COMMIT, buf_str(&answers[COMMIT]));
}

TEST(wherever_memory_runs_out_the_operation_is_finished_with_an_error) {
  struct buf answers[ANSWERS];
  make_answers(answers);
  int good = 0;
  EACH_ALLOC_FAILS(k) {
    struct heard h;
    open_client(&h);
    enum err err = converse(&h, answers);
    assert_true(err == ERR_OK || err == ERR_NOMEM || err == ERR_UNREACHABLE || err == ERR_CLOSED);
    if (err == ERR_OK) assert_int_equal(h.rows, 2);
    good += err == ERR_OK;
    bolt_client_done(&h.client);
  }
  assert_true(good > 0);
  for (size_t i = 0; i < ANSWERS; i++) buf_done(&answers[i]);
}

TEST(credentials_are_said_when_the_version_is_agreed_and_not_before) {
  CLEANUP(buf_done) struct buf version = test_hex("00 00 00 06"), refusal = test_hex("00 00 00 00");
  for (int refused = 0; refused < 2; refused++) {
    struct heard h;
    struct error e = ERROR_INIT;
    open_client(&h);
    h.op = (struct dbms_op){.kind = DBMS_LOGIN, .login = {STR("basic"), STR("neo4j"), STR("secret"), STR_NONE}};
    bolt_client_start(&h.client, &h.op);
    assert_int_equal(h.client.out.len, 20);
    struct str answer = buf_str(refused ? &refusal : &version);
    enum err err = bolt_client_receive(&h.client, (const uint8_t *) answer.ptr, answer.len, &e);
    assert_int_equal(err, refused ? ERR_PROTOCOL : ERR_OK);
    assert_int_equal(str_find(buf_str(&h.client.out), STR("secret")) >= 0, !refused);
    bolt_client_lose(&h.client, "closed");
    assert_true(is_finished(&h));
    assert_int_equal(h.op.err, ERR_UNREACHABLE);
    bolt_client_done(&h.client);
  }
}

// ---- several operations at once ----

struct together {
  struct heard heard; // `op` is its BEGIN
  struct dbms_op run, pull;
  uint32_t told; // that the ones before the last have succeeded
};

static void on_told(struct dbms_op *op) {
  struct together *t = op->context;
  assert_ok(op->err);
  t->told++;
}

static void begin_run_and_pull(struct together *t) {
  struct heard *h = &t->heard;
  h->op = (struct dbms_op){.kind = DBMS_BEGIN, .begin.timeout_ms = -1, .then = &t->run, .done = on_told, .context = t};
  t->run = (struct dbms_op){.kind = DBMS_RUN, .run.query = STR("RETURN 1"), .then = &t->pull, .done = on_told, .context = t};
  t->pull = (struct dbms_op){.kind = DBMS_PULL, .pull = {.result = -1, .rows = 1000, .sink = &h->sink}};
  bolt_client_start(&h->client, &h->op);
}

static void hear(struct heard *h, struct str answer) {
  struct error e = ERROR_INIT;
  if (bolt_client_receive(&h->client, (const uint8_t *) answer.ptr, answer.len, &e) != ERR_OK)
    bolt_client_lose(&h->client, e.message);
}

static void log_in(struct together *t, struct buf answers[ANSWERS]) {
  *t = (struct together){0};
  open_client(&t->heard);
  t->heard.op = (struct dbms_op){.login = {STR("basic"), STR("neo4j"), STR("secret"), STR_NONE}};
  assert_ok(perform(&t->heard, DBMS_LOGIN, buf_str(&answers[LOGIN])));
}

TEST(what_is_given_together_is_said_at_once_and_answered_in_order) {
  struct buf answers[ANSWERS];
  struct together t;
  make_answers(answers);
  log_in(&t, answers);
  buf_clear(&t.heard.client.out);
  begin_run_and_pull(&t);
  struct str said = buf_str(&t.heard.client.out);
  assert_true(str_find(said, STR("RETURN 1")) > 0 && said.ptr[said.len - 2] == 0);
  for (uint32_t i = BEGIN; i <= PULL; i++) {
    assert_int_equal(t.told, i - BEGIN);
    assert_null(bolt_client_take(&t.heard.client));
    hear(&t.heard, buf_str(&answers[i]));
  }
  assert_ptr_equal(bolt_client_take(&t.heard.client), &t.pull);
  assert_ok(t.pull.err);
  assert_true(str_eqz(t.heard.op.begun.database, "neo4j")); // all outputs are still there
  assert_true(str_eqz(t.run.ran.columns[0], "x"));
  assert_int_equal(t.heard.rows, 2);
  assert_false(t.pull.pulled.has_more);
  bolt_client_done(&t.heard.client);
  for (size_t i = 0; i < ANSWERS; i++) buf_done(&answers[i]);
}

TEST(those_behind_a_failure_fail_with_it_and_the_next_operation_is_answered) {
  CLEANUP(buf_done) struct buf failure = test_hex("(b1 7f a1 8a 'neo4j_code' d0 28 'Neo.ClientError.Statement.EntityNotFound')");
  CLEANUP(buf_done) struct buf ignored = test_hex("(b0 7e)"), done = test_hex("(b1 70 a0)");
  struct buf answers[ANSWERS];
  make_answers(answers);
  for (uint32_t fails = BEGIN; fails <= PULL; fails++) {
    struct together t;
    log_in(&t, answers);
    begin_run_and_pull(&t);
    struct dbms_op *all[] = {&t.heard.op, &t.run, &t.pull};
    for (uint32_t i = BEGIN; i < fails; i++) hear(&t.heard, buf_str(&answers[i]));
    hear(&t.heard, buf_str(&failure));
    assert_ptr_equal(bolt_client_take(&t.heard.client), all[fails - BEGIN]);
    for (uint32_t i = BEGIN; i <= PULL; i++)
      assert_int_equal(all[i - BEGIN]->err, i < fails ? ERR_OK : ERR_ENTITY_NOT_FOUND);
    t.heard.op = (struct dbms_op){.kind = DBMS_RESET}; // the others' answers are on their way
    bolt_client_start(&t.heard.client, &t.heard.op);
    for (uint32_t i = fails + 1; i <= PULL; i++) hear(&t.heard, buf_str(&ignored));
    assert_null(bolt_client_take(&t.heard.client));
    hear(&t.heard, buf_str(&done));
    assert_ptr_equal(bolt_client_take(&t.heard.client), &t.heard.op);
    assert_ok(t.heard.op.err);
    assert_false(t.heard.client.spent);
    bolt_client_done(&t.heard.client);
  }
  for (size_t i = 0; i < ANSWERS; i++) buf_done(&answers[i]);
}

TEST(rows_that_come_before_their_statement_is_begun_lose_the_connection) {
  CLEANUP(buf_done) struct buf row = test_hex("(b1 71 91 01)");
  struct buf answers[ANSWERS];
  struct together t;
  make_answers(answers);
  log_in(&t, answers);
  begin_run_and_pull(&t);
  hear(&t.heard, buf_str(&row));
  assert_ptr_equal(bolt_client_take(&t.heard.client), &t.heard.op);
  assert_int_equal(t.heard.op.err, ERR_CLOSED);
  assert_int_equal(t.pull.err, ERR_CLOSED);
  bolt_client_done(&t.heard.client);
  for (size_t i = 0; i < ANSWERS; i++) buf_done(&answers[i]);
}

TEST(bytes_may_come_one_at_a_time) {
  struct buf answers[ANSWERS];
  make_answers(answers);
  struct heard h;
  struct error e = ERROR_INIT;
  open_client(&h);
  h.op = (struct dbms_op){.kind = DBMS_LOGIN};
  bolt_client_start(&h.client, &h.op);
  for (size_t i = 0; i < answers[LOGIN].len; i++) {
    assert_false(h.client.finished);
    assert_ok(bolt_client_receive(&h.client, (const uint8_t *) answers[LOGIN].data + i, 1, &e));
  }
  assert_true(is_finished(&h));
  assert_ok(h.op.err);
  bolt_client_done(&h.client);
  for (size_t i = 0; i < ANSWERS; i++) buf_done(&answers[i]);
}

TESTS(T(wherever_memory_runs_out_the_operation_is_finished_with_an_error),
      T(credentials_are_said_when_the_version_is_agreed_and_not_before), T(bytes_may_come_one_at_a_time),
      T(what_is_given_together_is_said_at_once_and_answered_in_order),
      T(those_behind_a_failure_fail_with_it_and_the_next_operation_is_answered),
      T(rows_that_come_before_their_statement_is_begun_lose_the_connection))
