// Whole servers as far as finding each other goes: real sockets on loopback, real files.
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "cluster/assembly.h"
#include "os/thread.h"

enum { SERVERS = 4 };

static struct net_resolver *resolver;

struct server {
  struct loop *loop;
  struct assembly *assembly;
  struct assembly_options options;
  struct event_sink sink;
  struct mutex lock; // of the log
  char log[12000];
  size_t log_len;
  char folder[64], address[NET_ADDRESS_TEXT_MAX], endpoints[400];
  struct formation_result result;
  struct error why;
  _Atomic int formed, failed, changed, dropped;
};

static struct server servers[SERVERS];

static void note_event(struct event_sink *sink, enum event_level level UNUSED, const char *name, struct str text) {
  struct server *s = CONTAINER_OF(sink, struct server, sink);
  mutex_lock(&s->lock);
  s->log_len += (size_t) snprintf(s->log + s->log_len, sizeof s->log - s->log_len, "%s %.*s\n", name, STR_ARG(text));
  s->log_len = MIN(s->log_len, sizeof s->log - 1);
  mutex_unlock(&s->lock);
}

static bool has_logged(struct server *s, const char *text) {
  mutex_lock(&s->lock);
  bool found = strstr(s->log, text) != NULL;
  mutex_unlock(&s->lock);
  return found;
}

static void on_formed(void *context, const struct formation_result *result) {
  struct server *s = context;
  s->result = *result;
  s->formed++;
}

static void on_failed(void *context, const struct error *why) {
  struct server *s = context;
  s->why = *why;
  s->failed++;
}

static void on_changed(void *context) {
  ((struct server *) context)->changed++;
}

static void on_dropped(void *context) {
  ((struct server *) context)->dropped++;
}

static void open_now(void *argument) {
  static const struct assembly_events events = {on_formed, on_failed, on_changed, on_dropped};
  static const struct str tags[] = {{"east", 4}};
  struct server *s = argument;
  struct error e = ERROR_INIT;
  s->options.formation.disk = disk_system();
  s->options.formation.folder = s->folder;
  s->options.formation.random = random_system();
  s->options.formation.settle_ms = 100;
  s->options.beacon.listen = s->address[0] != '\0' ? str_of(s->address) : STR("127.0.0.1:0");
  s->options.discovery.endpoints = s->endpoints[0] != '\0' ? str_of(s->endpoints) : STR("127.0.0.1:1");
  s->options.discovery.source = "dbms.cluster.discovery.endpoints";
  s->options.addresses[ADDRESS_RAFT] = STR("127.0.0.1:7000");
  s->options.addresses[ADDRESS_BOLT] = STR("127.0.0.1:7687");
  s->options.addresses[ADDRESS_HTTP] = STR("127.0.0.1:7474");
  s->options.version = STR("0.1.0");
  s->options.tags = tags;
  s->options.tag_count = 1;
  s->options.resolver = resolver;
  s->options.events = &s->sink;
  if (assembly_open(s->loop, &s->options, &events, s, &s->assembly, &e) != ERR_OK) fail_msg("%s", e.message);
  snprintf(s->address, sizeof s->address, "%s", assembly_address(s->assembly));
}

static void start(unsigned n) {
  servers[n].formed = 0;
  loop_call(servers[n].loop, open_now, &servers[n]);
}

static void close_now(void *argument) {
  struct server *s = argument;
  assembly_close(s->assembly);
  s->assembly = NULL;
}

static void stop(unsigned n) {
  loop_call(servers[n].loop, close_now, &servers[n]);
}

static void make(unsigned n, enum server_mode mode) {
  struct server *s = &servers[n];
  *s = (struct server){.sink.raise = note_event, .options.formation = {.mode = mode, .minimum = 3}};
  if (resolver == NULL) assert_ok(net_resolver_new(&resolver, NULL));
  mutex_init(&s->lock);
  snprintf(s->folder, sizeof s->folder, "/tmp/quiver-assembly-XXXXXX");
  assert_non_null(mkdtemp(s->folder));
  assert_ok(loop_start("server", &s->loop, NULL));
}

static void unmake(unsigned n) {
  char path[100];
  if (servers[n].assembly != NULL) stop(n);
  loop_stop(servers[n].loop);
  mutex_done(&servers[n].lock);
  snprintf(path, sizeof path, "%s/%s", servers[n].folder, IDENTITY_FILE);
  unlink(path);
  rmdir(servers[n].folder);
}

static void knows(unsigned n, const char *endpoints) {
  snprintf(servers[n].endpoints, sizeof servers[n].endpoints, "%s", endpoints);
}

static bool becomes(_Atomic int *value) {
  for (int i = 0; i < 20000 && *value == 0; i++) poll(NULL, 0, 1);
  return *value == 1;
}

static bool will_log(struct server *s, const char *text) {
  for (int i = 0; i < 5000 && !has_logged(s, text); i++) poll(NULL, 0, 1);
  return has_logged(s, text);
}

/// Three servers that form a cluster; the second and third know the first.
static void form(void) {
  for (unsigned n = 0; n < 3; n++) {
    make(n, SERVER_CORE);
    if (n > 0) knows(n, servers[0].address);
    start(n);
  }
  for (unsigned n = 0; n < 3; n++) assert_true(becomes(&servers[n].formed));
}

TEST(three_servers_form_and_a_fourth_joins_and_all_know_each_other) {
  form();
  assert_memory_equal(&servers[0].result.founding, &servers[1].result.founding, sizeof servers[0].result.founding);
  assert_memory_equal(&servers[0].result.founding, &servers[2].result.founding, sizeof servers[0].result.founding);
  assert_false(servers[2].result.joined_existing);
  make(3, SERVER_CORE);
  knows(3, servers[2].address);
  start(3);
  assert_true(becomes(&servers[3].formed));
  assert_true(servers[3].result.joined_existing);
  assert_true(uuid_eq(servers[3].result.founding.cluster, servers[0].result.founding.cluster));
  assert_true(has_logged(&servers[3], "Bound to cluster: "));
  for (unsigned n = 0; n < 4; n++) {
    struct directory_copy copy = {0};
    struct arena arena;
    arena_init(&arena, NULL);
    for (int i = 0; i < 5000 && copy.count < 4; i++) {
      arena_reset(&arena);
      assert_ok(directory_copy(assembly_directory(servers[n].assembly), &arena, &copy, NULL));
      if (copy.count < 4) poll(NULL, 0, 1);
    }
    assert_int_equal(copy.count, 4);
    assert_str(copy.servers[1].said.tags[0], "east");
    arena_done(&arena);
  }
  for (unsigned n = 0; n < 4; n++) unmake(n);
}

TEST(a_server_of_a_cluster_starts_again_alone) {
  form();
  struct formation_result before = servers[1].result;
  for (unsigned n = 0; n < 3; n++) stop(n);
  start(1);
  assert_true(becomes(&servers[1].formed));
  assert_int_equal(servers[1].result.starts.count, before.starts.count + 1);
  servers[1].result.starts = before.starts;
  assert_memory_equal(&servers[1].result, &before, sizeof before);
  assert_true(has_logged(&servers[1], "Attempting to connect to the other cluster members before continuing..."));
  for (unsigned n = 0; n < 3; n++) unmake(n);
}

static void drop_third(void *argument) {
  struct server *s = argument;
  struct directory_dropped third = {.number = servers[2].result.number};
  assert_ok(assembly_drop(s->assembly, &third, 1, NULL));
}

TEST(a_server_that_is_dropped_hears_of_it_and_does_not_start_again) {
  form();
  loop_call(servers[0].loop, drop_third, &servers[0]);
  assert_true(becomes(&servers[2].dropped));
  assert_int_equal(servers[1].dropped, 0);
  stop(2);
  struct formation *again;
  assert_int_equal(formation_open(&servers[2].options.formation, &again, NULL), ERR_INVALID);
  for (unsigned n = 0; n < 3; n++) unmake(n);
}

TEST(what_people_read_is_what_they_know) {
  make(0, SERVER_CORE);
  knows(0, "core9.invalid:5000,127.0.0.1:1");
  start(0);
  assert_true(will_log(&servers[0], "Waiting for 3 members. Currently discovered 1 members: 127.0.0.1:"));
  assert_true(has_logged(&servers[0], "My connection info: [\n\tDiscovery:   listen=127.0.0.1:"));
  assert_true(has_logged(&servers[0], "Client Connector Addresses: bolt://127.0.0.1:7687,http://127.0.0.1:7474\n]"));
  assert_true(has_logged(&servers[0], "Discovering cluster with initial members: [core9.invalid:5000, 127.0.0.1:1]"));
  assert_true(has_logged(&servers[0], "Waiting for other members to join cluster before continuing..."));
  assert_true(will_log(&servers[0], "no connection with core9.invalid:5000 (from dbms.cluster.discovery.endpoints)"));
  unmake(0);
}

TEST(a_server_that_finds_no_cluster_in_time_says_what_it_waited_for) {
  make(0, SERVER_CORE);
  servers[0].options.binding_timeout_ms = 200;
  start(0);
  assert_true(becomes(&servers[0].failed));
  assert_non_null(strstr(servers[0].why.message, "dbms.cluster.raft.binding_timeout"));
  unmake(0);
}

TEST(a_single_server_waits_for_nobody) {
  make(0, SERVER_SINGLE);
  servers[0].options.binding_timeout_ms = 100;
  start(0);
  poll(NULL, 0, 1500);
  assert_int_equal(servers[0].formed + servers[0].failed, 0);
  unmake(0);
}

struct announce {
  unsigned n;
  struct announced_database database;
};

static void announce_now(void *argument) {
  struct announce *x = argument;
  assert_ok(assembly_announce(servers[x->n].assembly, &x->database, 1, NULL));
}

static enum database_role role_at(unsigned n, unsigned other) {
  enum database_role role = ROLE_NONE;
  struct arena arena;
  struct directory_copy copy;
  arena_init(&arena, NULL);
  assert_ok(directory_copy(assembly_directory(servers[n].assembly), &arena, &copy, NULL));
  for (uint32_t i = 0; i < copy.count; i++)
    if (copy.servers[i].said.number == servers[other].result.number && copy.servers[i].said.database_count == 1)
      role = copy.servers[i].said.databases[0].role;
  arena_done(&arena);
  return role;
}

TEST(who_leads_is_known_to_everybody_at_once) {
  struct announce x = {.n = 1, .database = {.uuid = {{7}}, .term = 1, .role = ROLE_LEADER, .status = DATABASE_ONLINE}};
  form();
  servers[0].changed = 0;
  loop_call(servers[1].loop, announce_now, &x);
  for (int i = 0; i < 5000 && role_at(0, 1) != ROLE_LEADER; i++) poll(NULL, 0, 1);
  assert_int_equal(role_at(0, 1), ROLE_LEADER);
  for (int i = 0; i < 5000 && servers[0].changed == 0; i++) poll(NULL, 0, 1);
  assert_true(servers[0].changed > 0);
  for (unsigned n = 0; n < 3; n++) unmake(n);
}

TEST(zz_the_resolver_ends) {
  net_resolver_free(resolver);
  resolver = NULL;
}

TESTS(T(three_servers_form_and_a_fourth_joins_and_all_know_each_other), T(a_server_of_a_cluster_starts_again_alone),
      T(a_server_that_is_dropped_hears_of_it_and_does_not_start_again), T(what_people_read_is_what_they_know),
      T(a_server_that_finds_no_cluster_in_time_says_what_it_waited_for), T(a_single_server_waits_for_nobody),
      T(who_leads_is_known_to_everybody_at_once), T(zz_the_resolver_ends))
