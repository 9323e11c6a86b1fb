// Real sockets on loopback: servers that find each other, each on a loop of its own. A second takes 20 ms here.
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "cluster/beacon_int.h"
#include "os/thread.h"
#include "os/tls_test.h"

enum { TICK_MS = 20 };

static struct net_resolver *resolver;
static struct tls_context *tls;

struct server {
  uint8_t name;
  struct loop *loop;
  struct beacon *beacon;
  struct loop_timer *timer;
  struct beacon_options options;
  struct announcement self;
  struct event_sink sink;
  struct mutex lock; // of the log
  char log[8000];
  size_t log_len;
  char address[NET_ADDRESS_TEXT_MAX];
  const char *advertised; // NULL: where it listens
  struct str seeds[4];
  size_t seed_count;
};

static void note_event(struct event_sink *sink, enum event_level level UNUSED, const char *name, struct str text) {
  struct server *s = CONTAINER_OF(sink, struct server, sink);
  mutex_lock(&s->lock);
  s->log_len += (size_t) snprintf(s->log + s->log_len, sizeof s->log - s->log_len, "%s %.*s\n", name, STR_ARG(text));
  s->log_len = MIN(s->log_len, sizeof s->log - 1);
  mutex_unlock(&s->lock);
}

static int times_logged(struct server *s, const char *text) {
  int times = 0;
  mutex_lock(&s->lock);
  for (const char *at = s->log; (at = strstr(at, text)) != NULL; at++) times++;
  mutex_unlock(&s->lock);
  return times;
}

static bool will_log(struct server *s, const char *text) {
  for (int i = 0; i < 5000 && times_logged(s, text) == 0; i++) poll(NULL, 0, 1);
  return times_logged(s, text) > 0;
}

static void heard(void *context UNUSED) {
}

static void tick(void *context) {
  struct server *s = context;
  beacon_tick(s->beacon);
}

static void open_now(void *argument) {
  static const struct beacon_events events = {heard};
  struct server *s = argument;
  struct error e = ERROR_INIT;
  s->options.listen = s->address[0] != '\0' ? str_of(s->address) : STR("127.0.0.1:0");
  s->options.resolver = resolver;
  s->options.events = s->options.directory.events = &s->sink;
  s->self = (struct announcement){.server = {{s->name}},
                                  .epoch = s->self.epoch + 1,
                                  .sequence = 1,
                                  .number = s->name,
                                  .mode = SERVER_CORE,
                                  .state = IDENTITY_UNBOUND};
  s->self.addresses[ADDRESS_DISCOVERY] = str_of(s->advertised);
  if (beacon_open(s->loop, &s->options, &s->self, &events, s, &s->beacon, &e) != ERR_OK) fail_msg("%s", e.message);
  snprintf(s->address, sizeof s->address, "%s", beacon_address(s->beacon));
  assert_ok(loop_timer_new(s->loop, tick, s, &s->timer, NULL));
  loop_timer_set(s->timer, TICK_MS, true);
  if (s->seed_count > 0)
    assert_ok(beacon_seeds(s->beacon, s->seeds, s->seed_count, (uint32_t) s->seed_count, "dbms.cluster.discovery.endpoints", &e));
}

static void open_again(struct server *s) {
  loop_call(s->loop, open_now, s);
}

static void start(struct server *s, uint8_t name) {
  *s = (struct server){.name = name, .sink.raise = note_event};
  if (resolver == NULL) assert_ok(net_resolver_new(&resolver, NULL));
  mutex_init(&s->lock);
  s->options.retry_min_ms = 5;
  s->options.retry_max_ms = 50;
  s->options.directory.expiry_ms = 2000;
  assert_ok(loop_start("server", &s->loop, NULL));
}

static void close_now(void *argument) {
  struct server *s = argument;
  loop_timer_free(s->timer);
  beacon_close(s->beacon);
  s->beacon = NULL;
}

static void done(struct server *s) {
  if (s->beacon != NULL) loop_call(s->loop, close_now, s);
  loop_stop(s->loop);
  mutex_done(&s->lock);
}

static void seeds_now(void *argument) {
  struct server *s = argument;
  assert_ok(beacon_seeds(s->beacon, s->seeds, s->seed_count, (uint32_t) s->seed_count, "dbms.cluster.discovery.endpoints", NULL));
}

static void knows(struct server *s, const char *address) {
  s->seeds[s->seed_count++] = str_of(address);
  if (s->beacon != NULL) loop_call(s->loop, seeds_now, s);
}

static uint64_t epoch_of(struct server *s, uint8_t other) {
  struct arena arena;
  struct directory_copy copy;
  uint64_t epoch = 0;
  arena_init(&arena, NULL);
  assert_ok(directory_copy(beacon_directory(s->beacon), &arena, &copy, NULL));
  for (uint32_t i = 0; i < copy.count; i++)
    if (copy.servers[i].said.server.bytes[0] == other) epoch = copy.servers[i].said.epoch;
  arena_done(&arena);
  return epoch;
}

static bool will_see(struct server *s, uint8_t other, uint64_t epoch) {
  for (int i = 0; i < 5000 && epoch_of(s, other) != epoch; i++) poll(NULL, 0, 1);
  return epoch_of(s, other) == epoch;
}

struct look {
  struct server *s;
  size_t wires;
  uint32_t listed;
};

static void look_now(void *argument) {
  struct look *l = argument;
  l->wires = l->s->beacon->wire_count;
  l->listed = beacon_listed(l->s->beacon);
}

static struct look look_at(struct server *s) {
  struct look l = {.s = s};
  loop_call(s->loop, look_now, &l);
  return l;
}

// ---- stories ----

TEST(a_chain_of_addresses_leads_to_everybody) {
  struct server s[4];
  for (uint8_t i = 0; i < 4; i++) {
    start(&s[i], (uint8_t) (i + 1));
    open_again(&s[i]);
    if (i > 0) knows(&s[i], s[i - 1].address);
  }
  for (uint8_t i = 0; i < 4; i++)
    for (uint8_t j = 1; j <= 4; j++) assert_true(will_see(&s[i], j, 1));
  for (int i = 0; i < 5000 && look_at(&s[0]).wires != 3; i++) poll(NULL, 0, 1);
  assert_int_equal(look_at(&s[0]).wires, 3); // with each of them, and once
  for (uint8_t i = 0; i < 4; i++) done(&s[i]);
}

TEST(two_that_call_each_other_and_themselves_keep_one_connection) {
  struct server a, b;
  start(&a, 1);
  start(&b, 2);
  open_again(&a);
  open_again(&b);
  knows(&a, a.address);
  knows(&a, b.address);
  knows(&b, a.address);
  knows(&b, b.address);
  assert_true(will_see(&a, 2, 1));
  assert_true(will_see(&b, 1, 1));
  for (int i = 0; i < 5000 && (look_at(&a).wires != 1 || look_at(&b).wires != 1); i++) poll(NULL, 0, 1);
  poll(NULL, 0, 10 * TICK_MS);
  assert_int_equal(look_at(&a).wires, 1);
  assert_int_equal(look_at(&b).wires, 1);
  assert_int_equal(look_at(&a).listed, 2);
  assert_int_equal(times_logged(&a, "cluster.beacon.lost"), 0);
  assert_int_equal(times_logged(&a, "cluster.directory.copy"), 0);
  done(&a);
  done(&b);
}

TEST(one_server_under_two_names_is_one) {
  struct server a, b;
  char by_name[64];
  start(&a, 2); // also the one with the higher uuid may be the only one that knows the other
  start(&b, 1);
  open_again(&a);
  open_again(&b);
  snprintf(by_name, sizeof by_name, "localhost%s", strrchr(b.address, ':'));
  knows(&a, b.address);
  knows(&a, by_name);
  assert_true(will_see(&a, 1, 1));
  assert_true(will_see(&b, 2, 1));
  for (int i = 0; i < 5000 && look_at(&a).listed != 2; i++) poll(NULL, 0, 1);
  assert_int_equal(look_at(&a).listed, 2); // it and itself
  poll(NULL, 0, 10 * TICK_MS);
  assert_int_equal(look_at(&a).wires, 1);
  assert_int_equal(look_at(&b).wires, 1);
  assert_int_equal(times_logged(&a, "cluster.beacon.lost"), 0);
  done(&a);
  done(&b);
}

TEST(a_server_that_its_own_settings_do_not_name_counts_itself) {
  struct server a;
  start(&a, 1);
  open_again(&a);
  assert_int_equal(look_at(&a).listed, 1);
  knows(&a, "127.0.0.1:1");
  knows(&a, "127.0.0.1:2");
  assert_int_equal(look_at(&a).listed, 3);
  knows(&a, a.address); // whether or not it can reach itself
  assert_int_equal(look_at(&a).listed, 3);
  done(&a);
}

TEST(a_name_that_does_not_resolve_is_told_once_with_who_gave_it) {
  struct server a;
  start(&a, 1);
  open_again(&a);
  knows(&a, "core9.invalid:5000");
  assert_true(will_log(
      &a, "no connection with core9.invalid:5000 (from dbms.cluster.discovery.endpoints): cannot reach 'core9.invalid:5000'"));
  assert_true(will_log(&a, "known to the DNS of this machine?"));
  poll(NULL, 0, 20 * TICK_MS);
  assert_int_equal(times_logged(&a, "core9.invalid:5000 (from"), 1);
  done(&a);
}

TEST(an_advertised_name_that_does_not_resolve_is_told_with_its_server) {
  struct server a, b;
  start(&a, 1);
  start(&b, 2);
  b.advertised = "pod-2.invalid:5000";
  open_again(&a);
  open_again(&b);
  knows(&b, a.address);
  assert_true(will_see(&a, 2, 1));
  loop_call(b.loop, close_now, &b); // now it must be found by what it advertised
  assert_true(will_log(&a, "no connection with pod-2.invalid:5000 (from server 02000000, which advertises it)"));
  assert_true(will_log(&a, "set server.discovery.advertised_address, or server.default_advertised_address, there"));
  done(&a);
  done(&b);
}

TEST(a_server_that_restarts_is_found_again) {
  struct server a, b;
  start(&a, 1);
  start(&b, 2);
  open_again(&a);
  open_again(&b);
  knows(&a, b.address);
  for (uint64_t round = 2; round < 5; round++) {
    assert_true(will_see(&a, 2, round - 1));
    loop_call(b.loop, close_now, &b);
    open_again(&b);
  }
  assert_true(will_see(&a, 2, 4));
  assert_true(will_see(&b, 1, 1));
  done(&a);
  done(&b);
}

TEST(with_tls_servers_talk_and_a_plain_one_is_told) {
  char folder[] = "/tmp/quiver-beacon-XXXXXX", cert[64], key[64];
  assert_non_null(mkdtemp(folder));
  assert_true(tls_test_make_certificate(folder));
  snprintf(cert, sizeof cert, "%s/cert.pem", folder);
  snprintf(key, sizeof key, "%s/key.pem", folder);
  const struct tls_settings settings = {
      .certificate_path = cert, .key_path = key, .trusted_path = cert, .client_auth = TLS_CLIENT_REQUIRED};
  assert_ok(tls_context_new(&settings, &tls, NULL));
  struct server a, b, plain;
  start(&a, 1);
  start(&b, 2);
  start(&plain, 3);
  a.options.tls = b.options.tls = tls;
  a.options.tls_verify_names = true;
  open_again(&a);
  open_again(&b);
  open_again(&plain);
  knows(&a, b.address);
  assert_true(will_see(&a, 2, 1));
  assert_true(will_see(&b, 1, 1));
  knows(&plain, b.address);
  assert_true(will_log(&plain, "no connection with 127.0.0.1:"));
  assert_true(will_log(&b, "refused a connection to the discovery port from"));
  assert_int_equal(epoch_of(&b, 3), 0);
  done(&a);
  done(&b);
  done(&plain);
  tls_context_free(tls);
  unlink(cert);
  unlink(key);
  rmdir(folder);
}

// ---- strangers ----

enum { STRANGERS = 150 }; // more than are let in at a time

struct stranger {
  struct server *s;
  int sockets[STRANGERS];
  size_t count;
  int wanted;
};

static void on_stranger_connected(void *context, int socket, const char *peer UNUSED) {
  struct stranger *x = context;
  x->sockets[x->count++] = socket;
}

static void on_stranger_failed(void *context UNUSED, const struct error *why UNUSED) {
}

static void call_now(void *argument) {
  static const struct net_connect_events events = {on_stranger_connected, on_stranger_failed};
  struct stranger *x = argument;
  struct net_connecting *c;
  for (int i = 0; i < x->wanted; i++) assert_ok(net_connect(x->s->loop, resolver, str_of(x->s->address), 0, 1000, &events, x, &c, NULL));
}

TEST(strangers_are_few_and_not_for_long) {
  struct server a;
  struct stranger x = {.s = &a, .wanted = STRANGERS};
  start(&a, 1);
  a.options.patience_ms = 300;
  open_again(&a);
  loop_call(a.loop, call_now, &x);
  assert_true(will_log(&a, "too many connections of that kind"));
  assert_int_equal(times_logged(&a, "too many connections"), 1);
  assert_true(look_at(&a).wires <= 128);
  assert_true(will_log(&a, "it did not say who it is in time"));
  for (int i = 0; i < 5000 && look_at(&a).wires > 0; i++) poll(NULL, 0, 1);
  assert_int_equal(look_at(&a).wires, 0);
  for (size_t i = 0; i < x.count; i++) close(x.sockets[i]);
  done(&a);
}

TEST(somebody_who_speaks_http_is_told_apart) {
  struct server a;
  struct stranger x = {.s = &a, .wanted = 1};
  start(&a, 1);
  open_again(&a);
  loop_call(a.loop, call_now, &x);
  for (int i = 0; i < 5000 && look_at(&a).wires == 0; i++) poll(NULL, 0, 1);
  assert_true(write(x.sockets[0], "GET / HTTP/1.1\r\n\r\n", 18) == 18);
  assert_true(will_log(&a, "speaks HTTP: this port is for the servers of the cluster"));
  for (size_t i = 0; i < x.count; i++) close(x.sockets[i]);
  done(&a);
}

TEST(zz_the_resolver_ends) {
  net_resolver_free(resolver);
  resolver = NULL;
}

TESTS(T(a_chain_of_addresses_leads_to_everybody), T(two_that_call_each_other_and_themselves_keep_one_connection),
      T(one_server_under_two_names_is_one), T(a_server_that_its_own_settings_do_not_name_counts_itself),
      T(a_name_that_does_not_resolve_is_told_once_with_who_gave_it),
      T(an_advertised_name_that_does_not_resolve_is_told_with_its_server), T(a_server_that_restarts_is_found_again),
      T(with_tls_servers_talk_and_a_plain_one_is_told), T(strangers_are_few_and_not_for_long),
      T(somebody_who_speaks_http_is_told_apart), T(zz_the_resolver_ends))
