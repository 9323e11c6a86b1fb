// The server over real sockets: limits of connections, TLS, slow readers, disconnects, drain.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bolt/server.h"
#include "bolt/test_player.h"
#include "os/net.h"
#include "os/tls.h"
#include "os/tls_test.h"

struct served {
  struct dbms dbms;
  struct bolt_settings settings;
  struct bolt_server *server;
};

static void serve(struct served *s) {
  static const struct str addresses[] = {{"127.0.0.1:0", 11}};
  struct error e = ERROR_INIT;
  s->settings.listen_addresses = addresses;
  s->settings.listen_address_count = 1;
  if (bolt_server_start(&s->settings, &s->dbms, NULL, &s->server, &e) != ERR_OK) fail_msg("%s", e.message);
}

static void prepare(struct served *s) {
  test_dbms_init(&s->dbms);
  s->settings = bolt_settings_default();
  s->settings.threads = 2;
  s->settings.drain_timeout_ms = 200;
}

static void stop(struct served *s) {
  bolt_server_stop(s->server);
  assert_int_equal(s->dbms.sessions, 0);
  test_dbms_done(&s->dbms);
}

static int dial(struct served *s) {
  struct str host;
  uint16_t port;
  assert_ok(net_address_split(str_of(bolt_server_address(s->server, 0)), 0, &host, &port, NULL));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  assert_int_equal(connect(fd, (struct sockaddr *) &to, sizeof to), 0);
  return fd;
}

static void put(int fd, const char *hex) {
  CLEANUP(buf_done) struct buf bytes = test_hex(hex);
  assert_int_equal(write(fd, bytes.data, bytes.len), (ssize_t) bytes.len);
}

static void put_message(int fd, const char *text) {
  CLEANUP(buf_done) struct buf bytes = test_message(text);
  assert_int_equal(write(fd, bytes.data, bytes.len), (ssize_t) bytes.len);
}

/// Reads until the bytes end with `wanted` (true) or the peer hangs up or nothing comes for two seconds (false).
static bool read_until(int fd, struct buf *got, struct str wanted) {
  while (wanted.len == 0 || !str_ends(buf_str(got), wanted)) {
    struct pollfd p = {fd, POLLIN, 0};
    char bytes[65536];
    if (poll(&p, 1, 2000) <= 0) return false;
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n <= 0) return wanted.len == 0;
    assert_ok(buf_append(got, bytes, (size_t) n));
  }
  return true;
}

static int dial_and_log_in(struct served *s) {
  int fd = dial(s);
  put(fd, "60 60 b0 17 00000404 00000000 00000000 00000000");
  put_message(fd, "HELLO {user_agent: 'x', scheme: 'none'}");
  char version[4];
  assert_int_equal(recv(fd, version, 4, MSG_WAITALL), 4);
  char head[2];
  assert_int_equal(recv(fd, head, 2, MSG_WAITALL), 2);
  char rest[1000];
  ssize_t size = (uint8_t) head[1] + 2;
  assert_int_equal(recv(fd, rest, (size_t) size, MSG_WAITALL), size);
  return fd;
}

static bool has_hung_up(int fd) {
  CLEANUP(buf_done) struct buf got = BUF_INIT;
  return read_until(fd, &got, STR_NONE) && got.len == 0;
}

TEST(trap_1_the_handshakes_answer_arrives_in_one_piece) {
  struct served s;
  prepare(&s);
  serve(&s);
  for (int i = 0; i < 50; i++) {
    int fd = dial(&s);
    put(fd, "60 60 b0 17 000001ff 00080805 00020404 00000003");
    char answer[64];
    assert_int_equal(read(fd, answer, sizeof answer), 26);
    close(fd);
  }
  stop(&s);
}

TEST(a_slow_reader_gets_a_long_result_whole) {
  struct served s;
  prepare(&s);
  s.settings.out_high_bytes = 64 * 1024;
  s.settings.out_low_bytes = 16 * 1024;
  for (int on_thread = 0; on_thread < 2; on_thread++) {
    s.dbms.on_thread = on_thread;
    serve(&s);
    int fd = dial_and_log_in(&s);
    put_message(fd, "RUN 'UNWIND range(1, 300000) AS x RETURN x' {} {}");
    put_message(fd, "PULL {n: -1}");
    poll(NULL, 0, 100);
    CLEANUP(buf_done) struct buf got = BUF_INIT;
    assert_true(read_until(fd, &got,
                           STR("\x84type\x81r\x86t_last\x02\x82"
                               "db\x85neo4j"
                               "\0\0")));
    assert_true(got.len > 300000 * 8);
    close(fd);
    bolt_server_stop(s.server);
  }
  test_dbms_done(&s.dbms);
}

TEST(trap_13_a_disconnect_while_a_query_runs_interrupts_it) {
  struct served s;
  prepare(&s);
  serve(&s);
  int fd = dial_and_log_in(&s);
  s.dbms.hold = true;
  put_message(fd, "RUN 'RETURN 1' {} {}");
  poll(NULL, 0, 50);
  close(fd);
  for (int i = 0; i < 2000 && !test_dbms_was_interrupted(&s.dbms); i++) poll(NULL, 0, 1);
  assert_true(test_dbms_was_interrupted(&s.dbms));
  s.dbms.hold = false;
  assert_true(test_dbms_finish(&s.dbms)); // from another thread than the loop's
  stop(&s);
}

TEST(trap_22_a_failure_arrives_before_the_connection_closes) {
  struct served s;
  prepare(&s);
  serve(&s);
  int fd = dial_and_log_in(&s);
  CLEANUP(buf_done) struct buf bytes = test_message("COMMIT"), got = BUF_INIT;
  for (int i = 0; i < 1000; i++) { // input that nobody will read any more
    CLEANUP(buf_done) struct buf more = test_message("RUN 'RETURN 1' {} {}");
    assert_ok(buf_append_str(&bytes, buf_str(&more)));
  }
  assert_int_equal(write(fd, bytes.data, bytes.len), (ssize_t) bytes.len);
  assert_true(read_until(fd, &got, STR_NONE));
  assert_true(str_find(buf_str(&got), STR("Neo.ClientError.Request.Invalid")) > 0);
  close(fd);
  stop(&s);
}

TEST(connections_that_do_not_log_in_are_limited_in_number_and_time) {
  struct served s;
  prepare(&s);
  s.settings.max_unauthenticated = 2;
  s.settings.unauthenticated_timeout_ms = 100;
  serve(&s);
  int logged_in = dial_and_log_in(&s);
  int one = dial(&s), two = dial(&s);
  poll(NULL, 0, 20);
  int three = dial(&s);
  assert_true(has_hung_up(three));
  assert_true(has_hung_up(one));
  assert_true(has_hung_up(two));
  put_message(logged_in, "RESET");
  char answer[7];
  assert_int_equal(recv(logged_in, answer, 7, MSG_WAITALL), 7);
  struct bolt_counters counters = bolt_server_counters(s.server);
  for (int i = 0; i < 2000 && counters.connections_closed < 2; i++, poll(NULL, 0, 1)) counters = bolt_server_counters(s.server);
  assert_int_equal(counters.unauthenticated_timeouts, 2);
  assert_int_equal(counters.refused, 1);
  assert_int_equal(counters.connections_opened, 3);
  assert_int_equal(counters.connections_idle, 1);
  assert_true(counters.bytes_sent > 0 && counters.bytes_received > 0);
  close(one), close(two), close(three), close(logged_in);
  stop(&s);
}

TEST(a_stop_closes_the_idle_and_waits_for_transactions) {
  struct served s;
  prepare(&s);
  s.settings.drain_timeout_ms = 150;
  serve(&s);
  int idle = dial_and_log_in(&s), busy = dial_and_log_in(&s);
  put_message(busy, "BEGIN {}");
  CLEANUP(buf_done) struct buf got = BUF_INIT;
  assert_true(read_until(busy, &got, STR("\xa0\0\0")));
  stop(&s); // returns after the drain time although `busy` is in a transaction
  assert_true(has_hung_up(idle));
  close(idle), close(busy);
}

static void *stop_in_background(void *argument) {
  stop(argument);
  return NULL;
}

TEST(what_a_driver_says_right_behind_its_commit_is_answered_by_a_server_that_stops) {
  struct served s;
  pthread_t stopping;
  CLEANUP(buf_done) struct buf got = BUF_INIT;
  prepare(&s);
  s.settings.drain_timeout_ms = 5000;
  s.settings.drain_grace_ms = 1000;
  serve(&s);
  int fd = dial_and_log_in(&s);
  put_message(fd, "BEGIN {}");
  assert_true(read_until(fd, &got, STR("\xa0\0\0")));
  buf_clear(&got);
  assert_int_equal(pthread_create(&stopping, NULL, stop_in_background, &s), 0);
  put_message(fd, "COMMIT");
  assert_true(read_until(fd, &got, STR("\0\0")));
  buf_clear(&got);
  put_message(fd, "RESET");
  assert_true(read_until(fd, &got, STR("\xa0\0\0")));
  buf_clear(&got);
  assert_true(has_hung_up(fd)); // though nothing more was said
  assert_int_equal(pthread_join(stopping, NULL), 0);
  close(fd);
}

static bool has_begun(struct dbms *d, const char *what) {
  mutex_lock(&d->lock);
  bool begun = str_find(buf_str(&d->log), str_of(what)) >= 0;
  mutex_unlock(&d->lock);
  return begun;
}

TEST(a_stop_waits_for_a_commit_no_longer_than_for_transactions) {
  struct served s;
  prepare(&s);
  s.settings.drain_timeout_ms = 150;
  serve(&s);
  int fd = dial_and_log_in(&s);
  s.dbms.hold = true; // as by a cluster whose other servers are gone
  put_message(fd, "RUN 'CREATE ()' {} {}");
  for (int i = 0; i < 2000 && !has_begun(&s.dbms, "CREATE"); i++) poll(NULL, 0, 1);
  assert_true(has_begun(&s.dbms, "CREATE"));
  stop(&s);
  assert_true(has_hung_up(fd));
  close(fd);
}

TEST(bolt_runs_over_tls_and_plaintext_on_one_port) {
  char directory[] = "/tmp/quiver-bolt-XXXXXX", certificate[64], key[64];
  assert_non_null(mkdtemp(directory));
  assert_true(tls_test_make_certificate(directory));
  snprintf(certificate, sizeof certificate, "%s/cert.pem", directory);
  snprintf(key, sizeof key, "%s/key.pem", directory);
  struct served s;
  prepare(&s);
  s.settings.tls_level = BOLT_TLS_OPTIONAL;
  assert_ok(tls_context_new(&(struct tls_settings){.certificate_path = certificate, .key_path = key}, &s.settings.tls, NULL));
  serve(&s);
  int plain = dial_and_log_in(&s), fd = dial(&s);
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL *ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  assert_int_equal(SSL_connect(ssl), 1);
  CLEANUP(buf_done) struct buf opening = test_hex("60 60 b0 17 00000404 00000000 00000000 00000000");
  CLEANUP(buf_done) struct buf hello = test_message("HELLO {user_agent: 'x', scheme: 'none'}");
  SSL_write(ssl, opening.data, (int) opening.len);
  char answer[200];
  assert_int_equal(SSL_read(ssl, answer, sizeof answer), 4); // one record
  SSL_write(ssl, hello.data, (int) hello.len);
  assert_true(SSL_read(ssl, answer, sizeof answer) > 50);
  CLEANUP(buf_done)
  struct buf run = test_message("RUN 'UNWIND range(1, 100000) AS x RETURN x' {} {}"), pull = test_message("PULL {n: -1}");
  SSL_write(ssl, run.data, (int) run.len);
  SSL_write(ssl, pull.data, (int) pull.len);
  size_t total = 0;
  for (int n; total < 100000 * 8 && (n = SSL_read(ssl, answer, sizeof answer)) > 0;) total += (size_t) n;
  assert_true(total >= 100000 * 8);
  SSL_free(ssl);
  SSL_CTX_free(context);
  close(fd), close(plain);
  stop(&s);
  tls_context_free(s.settings.tls);
  remove(certificate), remove(key), remove(directory);
}

TEST(wrong_settings_are_explained) {
  struct served s;
  prepare(&s);
  struct error e = ERROR_INIT;
  s.settings.tls_level = BOLT_TLS_REQUIRED;
  assert_int_equal(bolt_server_start(&s.settings, &s.dbms, NULL, &s.server, &e), ERR_INVALID);
  s.settings.tls_level = BOLT_TLS_DISABLED;
  static const struct str bad[] = {{"127.0.0.1:x", 11}};
  s.settings.listen_addresses = bad;
  s.settings.listen_address_count = 1;
  assert_int_equal(bolt_server_start(&s.settings, &s.dbms, NULL, &s.server, &e), ERR_INVALID);
  assert_non_null(strstr(e.message, "127.0.0.1:x"));
  test_dbms_done(&s.dbms);
}

TESTS(T(trap_1_the_handshakes_answer_arrives_in_one_piece), T(a_slow_reader_gets_a_long_result_whole),
      T(trap_13_a_disconnect_while_a_query_runs_interrupts_it), T(trap_22_a_failure_arrives_before_the_connection_closes),
      T(connections_that_do_not_log_in_are_limited_in_number_and_time), T(a_stop_closes_the_idle_and_waits_for_transactions),
      T(what_a_driver_says_right_behind_its_commit_is_answered_by_a_server_that_stops),
      T(a_stop_waits_for_a_commit_no_longer_than_for_transactions),
      T(bolt_runs_over_tls_and_plaintext_on_one_port), T(wrong_settings_are_explained))
