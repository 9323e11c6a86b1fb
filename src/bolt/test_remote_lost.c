// Sessions on another server that cannot be reached, hangs up, says what it may not, or nothing; connections that are kept; TLS.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "bolt/test_remote_world.h"
#include "os/tls.h"
#include "os/tls_test.h"

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

TEST(a_login_that_is_to_be_checked_afresh_takes_no_connection_that_is_kept) {
  struct world w;
  struct talk t;
  open_world(&w);
  talk_open(&t, &w);
  assert_ok(log_in(&t));
  assert_ok(end(&t, DBMS_LOGOFF));
  assert_int_equal(kept(&w), 1);
  t.op = (struct dbms_op){.login = {STR("basic"), STR("neo4j"), STR("secret"), STR_NONE, .afresh = true}};
  assert_ok(perform(&t, DBMS_LOGIN));
  assert_int_equal(kept(&w), 1);
  assert_int_equal(sessions(&w), 2);
  talk_close(&t);
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
  struct talk *t = mem_zalloc(SESSIONS * sizeof *t);
  open_world(&w);
  for (int i = 0; i < SESSIONS; i++) {
    talk_open(&t[i], &w);
    assert_ok(log_in(&t[i]));
  }
  assert_int_equal(sessions(&w), SESSIONS);
  for (int i = 0; i < SESSIONS; i++) talk_close(&t[i]);
  assert_true(comes_to(sessions, &w, KEPT));
  assert_int_equal(kept(&w), KEPT);
  mem_free(t);
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

static void on_one_of_several(struct dbms_op *op) {
  (*(uint32_t *) op->context)++;
}

TEST(several_operations_without_a_connection_all_end) {
  struct world w;
  struct talk t;
  struct dbms_op run = {.kind = DBMS_RUN, .run = {.query = STR("RETURN 1")}, .done = on_one_of_several};
  uint32_t told = 0;
  open_world(&w);
  talk_open(&t, &w); // and nobody logs in
  struct dbms_op begin = {.kind = DBMS_BEGIN, .begin.timeout_ms = -1, .then = &run, .done = on_one_of_several, .context = &told};
  run.context = &told;
  run.then = &t.op;
  t.op = (struct dbms_op){.kind = DBMS_PULL, .pull = {.result = -1, .rows = 10, .sink = &t.sink}, .done = on_done, .context = &t};
  t.done = false;
  t.remote->submit(t.session, &begin);
  assert_int_equal(await(&t), ERR_UNREACHABLE);
  assert_int_equal(told, 2);
  assert_int_equal(begin.err, ERR_UNREACHABLE);
  assert_int_equal(run.err, ERR_UNREACHABLE);
  talk_close(&t);
  close_world(&w);
}

TESTS(T(who_cannot_be_reached_has_done_nothing),
      T(a_connection_that_is_lost_while_logging_in_has_done_nothing_later_nobody_knows),
      T(what_no_server_may_send_ends_the_connection), T(a_server_that_says_nothing_is_given_up),
      T(a_server_that_does_not_let_itself_be_interrupted_is_left), T(an_interruption_ends_a_login_that_nobody_answers),
      T(a_connection_is_kept_for_the_same_user_with_the_same_credentials),
      T(a_login_that_is_to_be_checked_afresh_takes_no_connection_that_is_kept),
      T(what_was_left_open_is_rolled_back_before_anybody_else_comes), T(a_connection_that_died_while_it_was_kept_is_replaced),
      T(a_connection_on_which_users_may_have_been_changed_is_not_kept), T(nothing_is_kept_for_long),
      T(not_more_are_kept_than_one_user_may_need), T(both_ends_show_their_certificates),
      T(several_operations_without_a_connection_all_end))
