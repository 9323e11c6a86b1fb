// The HTTP server over real sockets.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/test.h"
#include "http/server.h"
#include "http/test_dbms.h"
#include "os/net.h"
#include "os/thread.h"

static struct http_server *serve(struct http_settings settings) {
  static const struct str addresses[] = {{"127.0.0.1:0", 11}};
  settings.listen_addresses = addresses;
  settings.listen_address_count = 1;
  struct http_server *server;
  assert_ok(http_server_start(&settings, NULL, &server, NULL));
  return server;
}

static int dial(struct http_server *server) {
  struct str host;
  uint16_t port;
  assert_ok(net_address_split(str_of(http_server_address(server, 0)), 0, &host, &port, NULL));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  assert_int_equal(connect(fd, (struct sockaddr *) &to, sizeof to), 0);
  return fd;
}

/// Everything until the peer hangs up.
static struct buf read_all(int fd) {
  struct buf got = BUF_INIT;
  char bytes[4096];
  ssize_t n;
  for (struct pollfd p = {fd, POLLIN, 0}; poll(&p, 1, 3000) > 0 && (n = read(fd, bytes, sizeof bytes)) > 0;)
    assert_ok(buf_append(&got, bytes, (size_t) n));
  return got;
}

static void put(int fd, const char *text) {
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
}

TEST(a_browser_finds_bolt_and_the_connection_closes_when_asked_to) {
  struct http_server *server = serve(http_settings_default());
  int fd = dial(server);
  put(fd, "GET / HTTP/1.1\r\nHost: db.example:7474\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CLEANUP(buf_done) struct buf got = read_all(fd);
  assert_true(str_find(buf_str(&got), STR("bolt://db.example:7687")) > 0);
  assert_true(str_find(buf_str(&got), STR("bolt://x:7687")) > 0);
  close(fd);
  http_server_stop(server);
}

TEST(idle_connections_are_closed_and_too_many_are_refused) {
  struct http_settings settings = http_settings_default();
  settings.max_connections = 1;
  settings.idle_timeout_ms = 1;
  struct http_server *server = serve(settings);
  int idle = dial(server);
  poll(NULL, 0, 20);
  int second = dial(server);
  CLEANUP(buf_done) struct buf none = read_all(second), nothing = read_all(idle);
  assert_int_equal(none.len + nothing.len, 0);
  close(idle), close(second);
  http_server_stop(server);
}

static void wait_for_login(struct dbms *d) {
  for (int i = 0; i < 3000 && d->waiting == NULL; i++) poll(NULL, 0, 1);
  assert_non_null(d->waiting);
}

TEST(a_login_that_takes_time_holds_up_only_its_own_connection) {
  struct dbms dbms = {.is_member = true, .part = DBMS_LEADS, .auth = true, .slow = true};
  struct http_settings settings = http_settings_default();
  settings.dbms = &dbms;
  settings.status_needs_login = true;
  struct http_server *server = serve(settings);
  int slow = dial(server), quick = dial(server);
  put(slow, "GET /db/neo4j/cluster/writable HTTP/1.1\r\nAuthorization: Basic YW5uOnNlY3JldA==\r\n\r\n"
            "GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  put(quick, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  CLEANUP(buf_done) struct buf at_once = read_all(quick);
  assert_true(str_starts(buf_str(&at_once), STR("HTTP/1.1 200")));
  wait_for_login(&dbms);
  test_dbms_finish(&dbms);
  CLEANUP(buf_done) struct buf later = read_all(slow);
  int64_t first = str_find(buf_str(&later), STR("\r\n\r\ntrue")), second = str_find(buf_str(&later), STR("bolt_direct"));
  assert_true(first > 0 && second > first);
  close(slow), close(quick);
  http_server_stop(server);
}

static void *finish_later(void *argument) {
  poll(NULL, 0, 50);
  test_dbms_finish(argument);
  return NULL;
}

TEST(a_stop_waits_for_a_login_whose_client_is_gone) {
  struct dbms dbms = {.is_member = true, .part = DBMS_LEADS, .auth = true, .slow = true};
  struct http_settings settings = http_settings_default();
  settings.dbms = &dbms;
  settings.status_needs_login = true;
  struct http_server *server = serve(settings);
  int fd = dial(server);
  put(fd, "GET /db/neo4j/cluster/writable HTTP/1.1\r\nAuthorization: Basic YW5uOnNlY3JldA==\r\n\r\n");
  wait_for_login(&dbms);
  close(fd);
  struct thread thread;
  assert_ok(thread_start(&thread, "finish", finish_later, &dbms, NULL));
  http_server_stop(server);
  assert_null(dbms.waiting);
  thread_join(&thread);
}

TEST(a_stop_closes_what_is_open) {
  struct http_server *server = serve(http_settings_default());
  int fd = dial(server);
  put(fd, "GET / HTTP/1.1\r\n");
  poll(NULL, 0, 10);
  http_server_stop(server);
  CLEANUP(buf_done) struct buf got = read_all(fd);
  assert_int_equal(got.len, 0);
  close(fd);
}

TESTS(T(a_browser_finds_bolt_and_the_connection_closes_when_asked_to), T(idle_connections_are_closed_and_too_many_are_refused),
      T(a_login_that_takes_time_holds_up_only_its_own_connection), T(a_stop_waits_for_a_login_whose_client_is_gone),
      T(a_stop_closes_what_is_open))
