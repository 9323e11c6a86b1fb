// The world by itself: time, threads, streams, ends.
#include <string.h>

#include "base/mem.h"
#include "base/test.h"
#include "os/net.h"
#include "os/thread.h"
#include "world_disk.h"
#include "world_net.h"

enum { PORT = 7000 };

// ---- a server that gathers what it hears, and a client that sends ----

struct end {
  struct net_listener *listener;
  struct net_connecting *connecting;
  struct net_resolver *resolver;
  struct loop *loop;
  struct net_conn *conn;
  char heard[4096];
  size_t heard_bytes;
  unsigned closed;
  enum err why;
  int64_t connected_ns, failed_ns, closed_ns;
};

static struct end server, client;

static void on_received(void *context, const void *bytes, size_t len) {
  struct end *e = context;
  memcpy(e->heard + e->heard_bytes, bytes, len);
  e->heard_bytes += len;
}

static void on_drained(void *context UNUSED) {
}

static void on_closed(void *context, enum err why) {
  struct end *e = context;
  e->closed++;
  e->why = why;
  e->closed_ns = world_now_ns();
  net_conn_free(e->conn);
  e->conn = NULL;
}

static void take(struct end *e, int socket) {
  static const struct net_conn_events events = {on_received, on_drained, on_closed};
  static const struct net_conn_limits limits = {65536, 1024};
  struct error error = ERROR_INIT;
  assert_ok(net_conn_new(e->loop, socket, &limits, &events, e, &e->conn, &error));
}

static void on_accepted(void *context, int socket, const char *peer UNUSED, const char *local UNUSED) {
  take(context, socket);
}

static void listen_on_loop(void *context) {
  static const struct net_listener_events events = {on_accepted};
  struct end *e = context;
  struct error error = ERROR_INIT;
  assert_ok(net_listen(e->loop, STR(":7000"), PORT, &events, e, &e->listener, &error));
}

static void *serve(void *argument) {
  struct end *e = argument;
  struct error error = ERROR_INIT;
  assert_ok(loop_start("server", &e->loop, &error));
  loop_call(e->loop, listen_on_loop, e);
  return NULL;
}

static void on_connected(void *context, int socket, const char *peer UNUSED) {
  struct end *e = context;
  e->connecting = NULL;
  e->connected_ns = world_now_ns();
  take(e, socket);
}

static void on_not_connected(void *context, const struct error *why UNUSED) {
  struct end *e = context;
  e->connecting = NULL;
  e->failed_ns = world_now_ns();
}

static void connect_on_loop(void *context) {
  static const struct net_connect_events events = {on_connected, on_not_connected};
  struct end *e = context;
  struct error error = ERROR_INIT;
  assert_ok(net_connect(e->loop, e->resolver, STR("server:7000"), PORT, 2000, &events, e, &e->connecting, &error));
}

static void *call(void *argument) {
  struct end *e = argument;
  struct error error = ERROR_INIT;
  assert_ok(loop_start("client", &e->loop, &error));
  assert_ok(net_resolver_new(&e->resolver, &error));
  loop_call(e->loop, connect_on_loop, e);
  return NULL;
}

struct saying {
  struct end *end;
  const char *text;
};

static void say_on_loop(void *argument) {
  struct saying *s = argument;
  if (s->end->conn == NULL || net_conn_write(s->end->conn, s->text, strlen(s->text)) != ERR_OK) return;
  net_conn_flush(s->end->conn);
}

static void *say_all(void *argument) {
  static const char *const words[] = {"one ", "two ", "three ", "four ", "five "};
  for (size_t i = 0; i < ARRAY_SIZE(words); i++)
    loop_call(((struct end *) argument)->loop, say_on_loop, &(struct saying){argument, words[i]});
  return NULL;
}

static struct process *at_server, *at_client;

static void begin(uint64_t seed) {
  world_new(&(struct world_options){.seed = seed, .switch_one_in = 20});
  at_server = world_process_new("server");
  at_client = world_process_new("client");
  server = client = (struct end){0};
}

static void begin_connected(uint64_t seed) {
  begin(seed);
  process_start(at_server, serve, &server);
  world_run_for(NS_PER_S, NULL, NULL);
  process_start(at_client, call, &client);
  world_run_for(NS_PER_S, NULL, NULL);
  assert_non_null(client.conn);
  assert_non_null(server.conn);
}

static void say(void) {
  fiber_detach(fiber_start(at_client, "say", say_all, &client));
}

#define ALL_WORDS "one two three four five "

TEST(bytes_come_in_order_after_a_while) {
  for (uint64_t seed = 1; seed < 20; seed++) {
    begin_connected(seed);
    say();
    world_run_for(NS_PER_MS / 10, NULL, NULL);
    assert_int_equal(server.heard_bytes, 0);
    world_run_for(NS_PER_S, NULL, NULL);
    assert_int_equal(server.heard_bytes, strlen(ALL_WORDS));
    assert_memory_equal(server.heard, ALL_WORDS, strlen(ALL_WORDS));
    world_free(world);
  }
}

TEST(a_link_that_is_cut_keeps_what_was_sent) {
  begin_connected(3);
  world_link(at_client, at_server)->cut = true;
  say();
  world_run_for(10 * NS_PER_S, NULL, NULL);
  assert_int_equal(server.heard_bytes, 0);
  world_link(at_client, at_server)->cut = false;
  world_run_for(5 * NS_PER_S, NULL, NULL);
  assert_memory_equal(server.heard, ALL_WORDS, strlen(ALL_WORDS));
  assert_int_equal(server.closed + client.closed, 0);
  world_free(world);
}

TEST(nobody_is_reached_over_a_link_that_is_cut) {
  begin(4);
  process_start(at_server, serve, &server);
  world_link(at_server, at_client)->cut = true;
  process_start(at_client, call, &client);
  world_run_for(NS_PER_S, NULL, NULL);
  assert_int_equal(client.failed_ns, 0);
  world_run_for(2 * NS_PER_S, NULL, NULL);
  assert_int_not_equal(client.failed_ns, 0);
  assert_null(client.conn);
  world_free(world);
}

TEST(a_process_that_ends_closes_its_connections) {
  begin_connected(5);
  process_kill(at_server, WORLD_END_PROCESS);
  world_run_for(NS_PER_S, NULL, NULL);
  assert_int_equal(client.closed, 1);
  assert_int_equal(client.why, ERR_CLOSED);
  world_free(world);
}

TEST(a_machine_that_loses_power_is_silent_until_it_is_back) {
  begin_connected(6);
  process_kill(at_server, WORLD_END_MACHINE);
  say();
  world_run_for(20 * NS_PER_S, NULL, NULL);
  assert_int_equal(client.closed, 0);
  server = (struct end){0};
  process_start(at_server, serve, &server);
  world_run_for(5 * NS_PER_S, NULL, NULL);
  assert_int_equal(client.closed, 1); // it is not known there any more
  world_free(world);
}

/// Seconds until the client's connection was closed.
static int64_t closed_after_s(int64_t most_s) {
  int64_t begin_ns = world_now_ns();
  world_run_for(most_s * NS_PER_S, NULL, NULL);
  assert_int_equal(client.closed, 1);
  assert_int_equal(client.why, ERR_CLOSED);
  return (client.closed_ns - begin_ns) / NS_PER_S;
}

TEST(a_machine_that_loses_power_is_found_out_within_half_a_minute_whether_it_owes_an_acknowledgement_or_not) {
  for (uint64_t seed = 1; seed < 20; seed++) {
    begin_connected(seed);
    say(); // heard, and acknowledged
    world_run_for((int64_t) seed * NS_PER_S, NULL, NULL);
    process_kill(at_server, WORLD_END_MACHINE);
    if (seed % 2 == 0) say();
    assert_in_range(closed_after_s(60), NET_ALIVE_INTERVAL_S * NET_ALIVE_TRIES, NET_ALIVE_SILENCE_S);
    world_free(world);
  }
}

TEST(a_machine_that_is_back_does_not_know_whom_nothing_was_sent_to) {
  begin_connected(11);
  process_kill(at_server, WORLD_END_MACHINE);
  server = (struct end){0};
  process_start(at_server, serve, &server);
  assert_in_range(closed_after_s(60), 1, NET_ALIVE_IDLE_S);
  world_free(world);
}

TEST(a_link_that_is_cut_one_way_for_long_ends_the_connection_at_both_ends) {
  begin_connected(12);
  world_link(at_server, at_client)->cut = true;
  say(); // arrives, and is acknowledged in vain
  assert_in_range(closed_after_s(60), NET_ALIVE_INTERVAL_S * NET_ALIVE_TRIES, NET_ALIVE_SILENCE_S);
  assert_memory_equal(server.heard, ALL_WORDS, strlen(ALL_WORDS));
  assert_int_equal(server.closed, 1);
  world_free(world);
}

static void pause_on_loop(void *argument) {
  net_conn_pause(((struct end *) argument)->conn);
}

static void *pause_reading(void *argument) {
  loop_call(((struct end *) argument)->loop, pause_on_loop, argument);
  return NULL;
}

TEST(a_slow_reader_and_a_process_that_stands_still_are_there) {
  begin_connected(13);
  fiber_detach(fiber_start(at_server, "pause", pause_reading, &server));
  world_run_for(NS_PER_S, NULL, NULL);
  say();
  world_run_for(200 * NS_PER_S, NULL, NULL);
  process_pause(at_server, 200 * NS_PER_S);
  world_run_for(200 * NS_PER_S, NULL, NULL);
  assert_int_equal(server.heard_bytes, 0);
  assert_int_equal(server.closed + client.closed, 0);
  world_free(world);
}

TEST(a_paused_process_hears_it_all_afterwards) {
  begin_connected(7);
  process_pause(at_server, 2 * NS_PER_S);
  say();
  world_run_for(NS_PER_S, NULL, NULL);
  assert_int_equal(server.heard_bytes, 0);
  world_run_for(2 * NS_PER_S, NULL, NULL);
  assert_memory_equal(server.heard, ALL_WORDS, strlen(ALL_WORDS));
  world_free(world);
}

// ---- threads ----

struct table {
  struct mutex mutex;
  struct condition changed;
  int64_t value, seen;
};

static void *add(void *argument) {
  struct table *t = argument;
  for (int i = 0; i < 100; i++) {
    mutex_lock(&t->mutex);
    int64_t before = t->value;
    thread_sleep_ns(1000);
    t->value = before + 1;
    condition_signal(&t->changed);
    mutex_unlock(&t->mutex);
  }
  return t;
}

static void *watch(void *argument) {
  struct table *t = argument;
  struct thread threads[4];
  mutex_init(&t->mutex);
  condition_init(&t->changed);
  for (size_t i = 0; i < ARRAY_SIZE(threads); i++) assert_ok(thread_start(&threads[i], "adder", add, t, NULL));
  mutex_lock(&t->mutex);
  while (t->value < 400) condition_wait(&t->changed, &t->mutex);
  t->seen = t->value;
  mutex_unlock(&t->mutex);
  for (size_t i = 0; i < ARRAY_SIZE(threads); i++) assert_ptr_equal(thread_join(&threads[i]), t);
  return NULL;
}

TEST(threads_take_turns_at_a_mutex) {
  begin(8);
  struct table table = {0};
  process_start(at_client, watch, &table);
  world_run_for(10 * NS_PER_S, NULL, NULL);
  assert_int_equal(table.seen, 400);
  world_free(world);
}

static void *leak(void *argument UNUSED) {
  for (int i = 0; i < 100; i++) {
    if (mem_alloc(1000) == NULL) break;
    thread_sleep_ns(NS_PER_MS);
  }
  return NULL;
}

TEST(a_process_dies_with_its_memory) {
  begin(9);
  process_start(at_client, leak, NULL);
  world_run_for(50 * NS_PER_MS, NULL, NULL);
  process_kill(at_client, WORLD_END_PROCESS); // a leak would be the sanitizer's to find
  process_start(at_client, leak, NULL);
  world_run_for(NS_PER_S, NULL, NULL);
  assert_int_equal(process_lives(at_client), 2);
  world_free(world);
}

// ---- the disk ----

static struct world_disk *disk;

static void on_lost(void *context UNUSED) {
  process_kill(at_server, WORLD_END_MACHINE);
  world_disk_abandon(disk, WORLD_END_MACHINE);
}

static void *write_all_day(void *argument) {
  struct error e = ERROR_INIT;
  struct disk_file *f;
  unsigned *acknowledged = argument;
  assert_ok(disk_open(world_disk_table(disk), "/file", DISK_WRITE | DISK_CREATE, &f, &e));
  assert_ok(disk_sync_directory(world_disk_table(disk), "/", &e));
  for (unsigned i = 0; i < 1000; i++) {
    assert_ok(disk_write(f, i * sizeof i, &i, sizeof i, &e)); // an error would come back into a life that is over
    assert_ok(disk_sync(f, &e));
    *acknowledged = i + 1;
  }
  disk_close(f);
  return NULL;
}

TEST(what_was_synced_is_there_after_the_power_was_cut_within_a_write) {
  for (uint64_t seed = 1; seed < 20; seed++) {
    begin(seed);
    unsigned acknowledged = 0;
    disk = world_disk_new(seed, on_lost, NULL);
    world_disk_set_pace(disk, (struct world_disk_pace){1000, 1000, NS_PER_MS});
    world_disk_cut_within(disk, 500);
    process_start(at_server, write_all_day, &acknowledged);
    world_run_for(10 * NS_PER_S, NULL, NULL);
    assert_false(process_is_alive(at_server));
    assert_true(sim_disk_file_size(world_disk_sim(disk), "/file") >= acknowledged * sizeof acknowledged);
    world_disk_free(disk);
    world_free(world);
  }
}

// ---- the seed ----

static uint64_t hash_of(uint64_t seed) {
  begin_connected(seed);
  say();
  world_run_for(NS_PER_S, NULL, NULL);
  uint64_t hash = world_hash();
  world_free(world);
  return hash;
}

TEST(one_seed_is_one_story) {
  assert_true(hash_of(10) == hash_of(10));
  assert_true(hash_of(10) != hash_of(11));
}

TESTS(T(bytes_come_in_order_after_a_while), T(a_link_that_is_cut_keeps_what_was_sent),
      T(nobody_is_reached_over_a_link_that_is_cut), T(a_process_that_ends_closes_its_connections),
      T(a_machine_that_loses_power_is_silent_until_it_is_back),
      T(a_machine_that_loses_power_is_found_out_within_half_a_minute_whether_it_owes_an_acknowledgement_or_not),
      T(a_machine_that_is_back_does_not_know_whom_nothing_was_sent_to),
      T(a_link_that_is_cut_one_way_for_long_ends_the_connection_at_both_ends),
      T(a_slow_reader_and_a_process_that_stands_still_are_there), T(a_paused_process_hears_it_all_afterwards),
      T(threads_take_turns_at_a_mutex), T(a_process_dies_with_its_memory),
      T(what_was_synced_is_there_after_the_power_was_cut_within_a_write), T(one_seed_is_one_story))
