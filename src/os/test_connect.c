#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "os/net.h"
#include "os/tls.h"
#include "os/tls_test.h"

// Two ends on one loop: `server` echoes what it reads, `client` keeps it. With `tls`, both show their certificates.
struct pair {
  struct loop *loop;
  struct net_resolver *resolver;
  struct net_listener *listener;
  struct net_connecting *connecting;
  struct net_conn *server, *client;
  struct tls_context *tls, *server_tls;
  const char *address, *tls_name;
  int64_t timeout_ms;
  bool server_begins_tls;
  char listening[NET_ADDRESS_TEXT_MAX], heard[16], failure[400], why[200];
  size_t heard_len;
  _Atomic int connected, failed, heard_all, client_closed, server_closed;
};

static const struct net_conn_limits limits = {1 << 20, 1 << 10};

static void nothing(void *context UNUSED) {
}

static void server_received(void *context, const void *bytes, size_t len) {
  struct pair *p = context;
  if (p->server_tls != NULL && !p->server_begins_tls) {
    p->server_begins_tls = true;
    assert_ok(net_conn_start_tls(p->server, p->server_tls, bytes, len, NULL));
    return;
  }
  assert_ok(net_conn_write(p->server, bytes, len));
}

static void server_closed(void *context, enum err why UNUSED) {
  struct pair *p = context;
  net_conn_free(p->server);
  p->server = NULL;
  p->server_closed++;
}

static void accepted(void *context, int socket, const char *peer UNUSED, const char *local UNUSED) {
  struct pair *p = context;
  static const struct net_conn_events events = {server_received, nothing, server_closed};
  assert_ok(net_conn_new(p->loop, socket, &limits, &events, p, &p->server, NULL));
}

static void client_received(void *context, const void *bytes, size_t len) {
  struct pair *p = context;
  assert_true(p->heard_len + len < sizeof p->heard);
  memcpy(p->heard + p->heard_len, bytes, len);
  p->heard_len += len;
  if (p->heard_len == 5) p->heard_all++;
}

static void client_closed(void *context, enum err why UNUSED) {
  struct pair *p = context;
  if (net_conn_why(p->client) != NULL) snprintf(p->why, sizeof p->why, "%s", net_conn_why(p->client));
  net_conn_free(p->client);
  p->client = NULL;
  p->client_closed++;
}

static void connected(void *context, int socket, const char *peer) {
  struct pair *p = context;
  static const struct net_conn_events events = {client_received, nothing, client_closed};
  p->connecting = NULL;
  assert_true(strchr(peer, ':') != NULL);
  assert_ok(net_conn_new(p->loop, socket, &limits, &events, p, &p->client, NULL));
  if (p->tls != NULL) assert_ok(net_conn_connect_tls(p->client, p->tls, p->tls_name, NULL));
  assert_ok(net_conn_write(p->client, "hello", 5));
  net_conn_flush(p->client);
  p->connected++;
}

static void failed(void *context, const struct error *why) {
  struct pair *p = context;
  p->connecting = NULL;
  snprintf(p->failure, sizeof p->failure, "%s", why->message);
  p->failed++;
}

static const struct net_connect_events connect_events = {connected, failed};

static void listen_now(void *argument) {
  struct pair *p = argument;
  static const struct net_listener_events events = {accepted};
  assert_ok(net_listen(p->loop, STR("127.0.0.1:0"), 0, &events, p, &p->listener, NULL));
  snprintf(p->listening, sizeof p->listening, "%s", net_listener_address(p->listener));
}

static void connect_now(void *argument) {
  struct pair *p = argument;
  assert_ok(net_connect(p->loop, p->resolver, str_of(p->address), 0, p->timeout_ms, &connect_events, p, &p->connecting, NULL));
}

static void close_now(void *argument) {
  struct pair *p = argument;
  net_connecting_free(p->connecting);
  net_listener_free(p->listener);
  net_conn_free(p->client);
  net_conn_free(p->server);
}

static void pair_start(struct pair *p) {
  p->timeout_ms = 5000;
  assert_ok(loop_start("pair", &p->loop, NULL));
  assert_ok(net_resolver_new(&p->resolver, NULL));
  loop_call(p->loop, listen_now, p);
  p->address = p->listening;
}

static void pair_stop(struct pair *p) {
  loop_call(p->loop, close_now, p);
  net_resolver_free(p->resolver);
  loop_stop(p->loop);
}

static bool becomes(_Atomic int *value, int expected) {
  for (int i = 0; i < 4000 && *value != expected; i++) poll(NULL, 0, 1);
  return *value == expected;
}

TEST(a_peer_is_reached_by_address_and_by_name) {
  for (int by_name = 0; by_name < 2; by_name++) {
    struct pair p = {0};
    char name[64];
    pair_start(&p);
    snprintf(name, sizeof name, "localhost%s", strrchr(p.listening, ':'));
    if (by_name) p.address = name;
    loop_call(p.loop, connect_now, &p);
    assert_true(becomes(&p.heard_all, 1));
    assert_memory_equal(p.heard, "hello", 5);
    pair_stop(&p);
  }
}

TEST(a_refused_connection_is_reported_with_address_and_reason) {
  struct pair p = {0};
  pair_start(&p);
  p.address = "127.0.0.1:1";
  loop_call(p.loop, connect_now, &p);
  assert_true(becomes(&p.failed, 1));
  assert_non_null(strstr(p.failure, "'127.0.0.1:1'"));
  assert_non_null(strstr(p.failure, "refused"));
  pair_stop(&p);
}

TEST(a_name_that_nobody_knows_is_reported) {
  struct pair p = {0};
  pair_start(&p);
  p.address = "no such name:1";
  loop_call(p.loop, connect_now, &p);
  assert_true(becomes(&p.failed, 1));
  assert_non_null(strstr(p.failure, "'no such name:1'"));
  pair_stop(&p);
}

// A listener whose queue is full does not answer: further connections hang.
TEST(a_peer_that_does_not_answer_is_given_up_in_time) {
  struct pair p = {0};
  pair_start(&p);
  int silent = socket(AF_INET, SOCK_STREAM, 0), fill[4];
  struct sockaddr_storage at;
  socklen_t len = sizeof at;
  assert_int_equal(listen(silent, 0), 0);
  assert_int_equal(getsockname(silent, (struct sockaddr *) &at, &len), 0);
  for (size_t i = 0; i < ARRAY_SIZE(fill); i++) {
    fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void) !connect(fill[i], (struct sockaddr *) &at, len);
  }
  char address[64];
  struct sockaddr *generic = (struct sockaddr *) &at;
  snprintf(address, sizeof address, "127.0.0.1:%u",
           (unsigned) ((unsigned char) generic->sa_data[0] << 8 | (unsigned char) generic->sa_data[1]));
  p.address = address;
  p.timeout_ms = 50;
  loop_call(p.loop, connect_now, &p);
  assert_true(becomes(&p.failed, 1));
  assert_non_null(strstr(p.failure, "timed out"));
  for (size_t i = 0; i < ARRAY_SIZE(fill); i++) close(fill[i]);
  close(silent);
  pair_stop(&p);
}

static void connect_and_give_up(void *argument) {
  struct pair *p = argument;
  connect_now(p);
  net_connecting_free(p->connecting);
  p->connecting = NULL;
}

TEST(an_attempt_that_was_given_up_is_never_heard_of_again) {
  struct pair p = {0};
  char name[64];
  pair_start(&p);
  snprintf(name, sizeof name, "localhost%s", strrchr(p.listening, ':'));
  p.address = name;
  for (int i = 0; i < 20; i++) loop_call(p.loop, connect_and_give_up, &p);
  poll(NULL, 0, 20);
  assert_int_equal(p.connected + p.failed, 0);
  pair_stop(&p);
}

// ---- TLS ----

static struct tls_context *context_with(const char *directory, const char *trusted, enum tls_client_auth auth) {
  char certificate[128], key[128], authority[128];
  snprintf(certificate, sizeof certificate, "%s/cert.pem", directory);
  snprintf(key, sizeof key, "%s/key.pem", directory);
  snprintf(authority, sizeof authority, "%s/cert.pem", trusted);
  struct tls_settings settings = {
      .certificate_path = certificate, .key_path = key, .trusted_path = authority, .client_auth = auth};
  struct tls_context *tls = NULL;
  struct error e = ERROR_INIT;
  assert_ok(tls_context_new(&settings, &tls, &e));
  return tls;
}

static char ours[] = "/tmp/quiver-tls-a-XXXXXX", theirs[] = "/tmp/quiver-tls-b-XXXXXX";

static void make_certificates(void) {
  static bool made;
  if (made) return;
  made = true;
  assert_non_null(mkdtemp(ours));
  assert_non_null(mkdtemp(theirs));
  assert_true(tls_test_make_certificate(ours));
  assert_true(tls_test_make_certificate(theirs));
}

static void talk(struct pair *p, const char *client_directory, const char *name) {
  make_certificates();
  p->tls = context_with(client_directory, ours, TLS_CLIENT_REQUIRED);
  p->server_tls = context_with(ours, ours, TLS_CLIENT_REQUIRED);
  p->tls_name = name;
  pair_start(p);
  loop_call(p->loop, connect_now, p);
}

static void hang_up(struct pair *p) {
  pair_stop(p);
  tls_context_free(p->tls);
  tls_context_free(p->server_tls);
}

TEST(two_members_with_certificates_of_one_authority_talk) {
  static const char *const names[] = {NULL, "localhost", "127.0.0.1"};
  for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
    struct pair p = {0};
    talk(&p, ours, names[i]);
    assert_true(becomes(&p.heard_all, 1));
    assert_memory_equal(p.heard, "hello", 5);
    hang_up(&p);
  }
}

TEST(a_certificate_for_another_name_is_refused_with_the_reason) {
  struct pair p = {0};
  talk(&p, ours, "core2.example");
  assert_true(becomes(&p.client_closed, 1));
  assert_non_null(strstr(p.why, "ostname mismatch"));
  assert_int_equal(p.heard_all, 0);
  hang_up(&p);
}

TEST(a_stranger_with_a_certificate_of_its_own_is_refused) {
  struct pair p = {0};
  talk(&p, theirs, NULL);
  assert_true(becomes(&p.client_closed, 1));
  assert_true(becomes(&p.server_closed, 1));
  assert_int_equal(p.heard_all, 0);
  hang_up(&p);
}

TEST(zz_the_files_are_removed) {
  make_certificates();
  char path[128];
  for (int i = 0; i < 4; i++) {
    snprintf(path, sizeof path, "%s/%s.pem", i < 2 ? ours : theirs, i % 2 == 0 ? "cert" : "key");
    assert_int_equal(unlink(path), 0);
  }
  assert_int_equal(rmdir(ours) + rmdir(theirs), 0);
}

TESTS(T(a_peer_is_reached_by_address_and_by_name), T(a_refused_connection_is_reported_with_address_and_reason),
      T(a_name_that_nobody_knows_is_reported), T(a_peer_that_does_not_answer_is_given_up_in_time),
      T(an_attempt_that_was_given_up_is_never_heard_of_again), T(two_members_with_certificates_of_one_authority_talk),
      T(a_certificate_for_another_name_is_refused_with_the_reason), T(a_stranger_with_a_certificate_of_its_own_is_refused),
      T(zz_the_files_are_removed))
