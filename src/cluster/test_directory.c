// Servers that tell each other who they are, over links in memory.
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/test.h"
#include "cluster/directory_int.h"

enum { SERVERS = 4, SECOND = 1000 };

static int64_t now_ms;
static char events[4000];
static size_t events_len;
static int full_told;

static void note_event(struct event_sink *sink UNUSED, enum event_level level UNUSED, const char *name, struct str text) {
  full_told += strcmp(name, "cluster.directory.full") == 0;
  events_len += (size_t) snprintf(events + events_len, sizeof events - events_len, "%s %.*s\n", name, STR_ARG(text));
  events_len = MIN(events_len, sizeof events - 1);
}
static struct event_sink sink = {note_event};

// ---- servers and the wire between them ----

struct server {
  struct announcement self;
  struct directory *directory;
  struct directory_link *links[SERVERS]; // to each other one
  size_t sent_bytes;                     // in the last round
};

static struct server servers[SERVERS];

static struct uuid named(uint8_t n) {
  struct uuid u = {{n}};
  u.bytes[15] = n;
  return u;
}

static void start(unsigned n, uint64_t epoch) {
  static const char *const addresses[SERVERS] = {"core0:5000", "core1:5000", "core2:5000", "core3:5000"};
  struct server *s = &servers[n];
  struct error e = ERROR_INIT;
  s->self = (struct announcement){.server = named((uint8_t) (n + 1)),
                                  .epoch = epoch,
                                  .sequence = epoch,
                                  .number = n + 10,
                                  .mode = SERVER_CORE,
                                  .state = IDENTITY_UNBOUND,
                                  .version = STR("0.1.0"),
                                  .tag_count = 2,
                                  .tags = {STR("east"), STR("fast")}};
  s->self.addresses[ADDRESS_DISCOVERY] = str_of(addresses[n]);
  s->self.addresses[ADDRESS_ROUTING] = STR("core:7688");
  s->self.addresses[ADDRESS_BOLT] = STR("core:7687");
  if (directory_new(&(struct directory_options){.events = &sink}, &s->self, now_ms, &s->directory, &e) != ERR_OK)
    fail_msg("%s", e.message);
}

static void stop(unsigned n) {
  for (unsigned i = 0; i < SERVERS; i++) {
    directory_link_free(servers[n].links[i]);
    servers[n].links[i] = NULL;
    directory_link_free(servers[i].links[n]);
    servers[i].links[n] = NULL;
  }
  directory_free(servers[n].directory);
  servers[n].directory = NULL;
}

static void stop_all(void) {
  for (unsigned i = 0; i < SERVERS; i++)
    if (servers[i].directory != NULL) stop(i);
  events_len = 0;
  events[0] = '\0';
}

static void cut(unsigned a, unsigned b) {
  directory_link_free(servers[a].links[b]);
  directory_link_free(servers[b].links[a]);
  servers[a].links[b] = servers[b].links[a] = NULL;
}

static void hand_over(unsigned from, unsigned to, enum directory_part part) {
  struct buf frame = BUF_INIT;
  struct error e = ERROR_INIT;
  if (servers[from].links[to] == NULL) return;
  assert_ok(directory_write(servers[from].links[to], now_ms, part, &frame));
  servers[from].sent_bytes += frame.len;
  if (frame.len > 0 && directory_hear(servers[to].links[from], now_ms, (uint8_t *) frame.data, frame.len, &e) != ERR_OK)
    fail_msg("%s", e.message);
  buf_done(&frame);
}

static void say_all(enum directory_part part) {
  for (unsigned i = 0; i < SERVERS; i++) servers[i].sent_bytes = 0;
  for (unsigned i = 0; i < SERVERS; i++)
    for (unsigned j = 0; j < SERVERS; j++) hand_over(i, j, part);
}

static void join(unsigned a, unsigned b) {
  assert_ok(directory_link_new(servers[a].directory, &servers[a].links[b], NULL));
  assert_ok(directory_link_new(servers[b].directory, &servers[b].links[a], NULL));
  hand_over(a, b, DIRECTORY_SELF);
  hand_over(b, a, DIRECTORY_SELF);
}

static void pass(int seconds) {
  for (; seconds > 0; seconds--) {
    now_ms += SECOND;
    for (unsigned i = 0; i < SERVERS; i++)
      if (servers[i].directory != NULL) directory_tick(servers[i].directory, now_ms);
    say_all(DIRECTORY_ALL);
  }
}

static void say(unsigned n) {
  bool at_once;
  assert_ok(directory_say(servers[n].directory, &servers[n].self, &at_once, NULL));
  for (unsigned j = 0; at_once && j < SERVERS; j++) hand_over(n, j, DIRECTORY_SELF);
}

// ---- looking ----

static struct arena arena;
static struct directory_copy copy;

static const struct announcement *sees(unsigned n, unsigned other) {
  arena_done(&arena);
  arena_init(&arena, NULL);
  assert_ok(directory_copy(servers[n].directory, &arena, &copy, NULL));
  for (uint32_t i = 0; i < copy.count; i++)
    if (uuid_eq(copy.servers[i].said.server, named((uint8_t) (other + 1)))) return &copy.servers[i].said;
  return NULL;
}

// ---- stories ----

// ---- announcements ----

static enum err pass_on(const struct announcement *said) {
  struct buf bytes = BUF_INIT;
  struct arena a;
  struct announcement heard;
  arena_init(&a, NULL);
  assert_ok(announcement_put(&bytes, said, NULL));
  enum err err = announcement_get((const uint8_t *) bytes.data, bytes.len, &a, &heard, NULL);
  if (err == ERR_OK) assert_int_equal(heard.mode, said->mode);
  arena_done(&a);
  buf_done(&bytes);
  return err;
}

TEST(a_gateway_that_says_that_it_has_something_to_give_is_not_believed) {
  static const struct announced_database database = {.uuid = {{0xdb}}, .role = ROLE_LEADER, .status = DATABASE_ONLINE};
  const struct announcement gateway = {.server = named(1),
                                       .epoch = 1,
                                       .sequence = 1,
                                       .number = 7,
                                       .mode = SERVER_GATEWAY,
                                       .state = IDENTITY_UNBOUND,
                                       .addresses = {[ADDRESS_DISCOVERY] = STR("gateway:5000")}};
  assert_ok(pass_on(&gateway));
  for (int i = 0; i < ADDRESS_MAX; i++) {
    struct announcement lies = gateway;
    lies.addresses[i] = STR("gateway:1");
    if (i != ADDRESS_DISCOVERY) assert_int_equal(pass_on(&lies), ERR_CORRUPT);
  }
  struct announcement leads = gateway;
  leads.databases = &database;
  leads.database_count = 1;
  assert_int_equal(pass_on(&leads), ERR_CORRUPT);
}

TEST(it_is_enough_to_know_anybody) {
  for (unsigned i = 0; i < 4; i++) start(i, 5);
  join(0, 1);
  join(1, 2);
  join(2, 3);
  pass(3);
  for (unsigned i = 0; i < 4; i++)
    for (unsigned j = 0; j < 4; j++) assert_non_null(sees(i, j));
  const struct announcement *a = sees(0, 3);
  assert_int_equal(a->number, 13);
  assert_str(a->addresses[ADDRESS_DISCOVERY], "core3:5000");
  assert_str(a->addresses[ADDRESS_ROUTING], "core:7688");
  assert_str(a->addresses[ADDRESS_BOLT], "core:7687");
  assert_str(a->tags[1], "fast");
  assert_str(a->version, "0.1.0");
  assert_non_null(strstr(events, "cluster.directory.here server 04000000 (core) at core3:5000 is there"));
  stop_all();
}

TEST(what_changed_is_heard_at_once_and_an_applied_index_with_the_next_beat) {
  struct announced_database db = {
      .uuid = {{7}}, .term = 1, .applied_index = 10, .role = ROLE_FOLLOWER, .status = DATABASE_ONLINE};
  start(0, 5);
  start(1, 5);
  join(0, 1);
  servers[0].self.databases = &db;
  servers[0].self.database_count = 1;
  say(0);
  assert_int_equal(sees(1, 0)->databases[0].role, ROLE_FOLLOWER);
  uint64_t changes = directory_changes(servers[1].directory);
  db.applied_index = 99;
  say(0);
  assert_int_equal(sees(1, 0)->databases[0].applied_index, 10);
  pass(1);
  assert_int_equal(sees(1, 0)->databases[0].applied_index, 99);
  assert_int_equal(directory_changes(servers[1].directory), changes); // nobody's routing table changes by it
  db.role = ROLE_LEADER;
  db.term = 2;
  say(0);
  assert_int_equal(sees(1, 0)->databases[0].role, ROLE_LEADER);
  assert_true(directory_changes(servers[1].directory) > changes);
  stop_all();
}

TEST(nothing_new_costs_a_beat) {
  for (unsigned i = 0; i < 4; i++) start(i, 5);
  for (unsigned i = 0; i < 4; i++)
    for (unsigned j = 0; j < i; j++) join(j, i);
  pass(2);
  for (int s = 0; s < 20; s++) {
    pass(1);
    for (unsigned i = 0; i < 4; i++) assert_true(servers[i].sent_bytes <= 3 * (48 + 3 * 56));
    say(0); // what it said already
  }
  stop_all();
}

TEST(a_silent_server_is_gone_and_does_not_come_back_by_being_talked_of) {
  for (unsigned i = 0; i < 4; i++) start(i, 5);
  for (unsigned i = 0; i < 4; i++)
    for (unsigned j = 0; j < i; j++) join(j, i);
  pass(2);
  stop(3);
  pass(9);
  assert_non_null(sees(0, 3));
  uint64_t changes = directory_changes(servers[0].directory);
  pass(1);
  assert_null(sees(0, 3));
  assert_true(directory_changes(servers[0].directory) > changes);
  assert_non_null(strstr(events, "cluster.directory.gone server 04000000 (core) at core3:5000"));
  cut(0, 1);
  join(0, 1); // a fresh connection, over which everything is told again
  for (int s = 0; s < 100; s++) {
    pass(1);
    for (unsigned i = 0; i < 3; i++) assert_null(sees(i, 3));
  }
  stop_all();
}

TEST(somebody_new_does_not_hear_of_the_dead_for_longer_than_the_others) {
  for (unsigned i = 0; i < 3; i++) start(i, 5);
  join(0, 1);
  join(0, 2);
  pass(2);
  stop(2);
  pass(8);
  start(3, 5);
  join(0, 3);
  pass(1);
  assert_non_null(sees(3, 2));
  pass(1);
  assert_null(sees(0, 2));
  assert_null(sees(3, 2));
  stop_all();
}

TEST(a_server_that_was_only_cut_off_comes_back_to_everybody) {
  for (unsigned i = 0; i < 3; i++) start(i, 5);
  join(0, 1);
  join(1, 2);
  pass(2);
  for (int silence = 15; silence <= 90; silence += 75) {
    cut(0, 1);
    pass(silence);
    assert_null(sees(2, 0));
    assert_null(sees(0, 2));
    join(0, 1);
    pass(2);
    assert_non_null(sees(2, 0));
    assert_non_null(sees(0, 2));
  }
  stop_all();
}

TEST(a_restarted_server_is_believed_and_its_former_life_is_not) {
  for (unsigned i = 0; i < 3; i++) start(i, 5);
  join(0, 1);
  join(1, 2);
  pass(2);
  stop(0); // server 2 goes on telling what it heard of it
  start(0, 6);
  servers[0].self.addresses[ADDRESS_DISCOVERY] = STR("elsewhere:5000");
  say(0);
  now_ms += 3000; // it was away for so long
  join(0, 1);
  pass(3);
  for (unsigned i = 0; i < 3; i++) {
    assert_int_equal(sees(i, 0)->epoch, 6);
    assert_str(sees(i, 0)->addresses[ADDRESS_DISCOVERY], "elsewhere:5000");
  }
  assert_null(strstr(events, "cluster.directory.copy"));
  stop_all();
}

static void bind(unsigned n, uint8_t cluster) {
  static struct founding foundings[SERVERS];
  foundings[n] = (struct founding){.cluster = named(cluster), .system = named(1), .first_term = 1, .sequence = 1, .count = 1};
  foundings[n].founders[0] = (struct founder){servers[n].self.server, servers[n].self.number, "core:7000"};
  servers[n].self.state = IDENTITY_BOUND;
  servers[n].self.founding = &foundings[n];
}

TEST(a_server_of_another_cluster_is_told_and_forgotten) {
  for (unsigned i = 0; i < 3; i++) start(i, 5);
  bind(2, 200);
  say(2);
  join(0, 1);
  join(0, 2);
  pass(1);
  assert_non_null(sees(0, 2));
  bind(0, 100);
  say(0);
  pass(3);
  assert_null(sees(0, 2));
  assert_non_null(sees(0, 1));
  assert_non_null(
      strstr(events, "cluster.directory.foreign server 03000000 (core) at core2:5000 belongs to another cluster, c8000000-"));
  assert_non_null(strstr(events, "and this one to 64000000-"));
  stop_all();
}

static unsigned count_told(const char *text) {
  unsigned n = 0;
  for (const char *at = events; (at = strstr(at, text)) != NULL; at++) n++;
  return n;
}

TEST(servers_of_another_cluster_that_go_on_talking_do_not_fill_the_log) {
  for (unsigned i = 0; i < 3; i++) {
    start(i, 5);
    bind(i, i == 0 ? 100 : 200);
    say(i);
  }
  join(0, 1);
  join(0, 2);
  for (int second = 0; second < 50; second++) {
    for (unsigned i = 1; i < 3; i++) {
      servers[i].self.sequence++; // something new to say
      say(i);
    }
    pass(1);
  }
  assert_int_equal(count_told("and this one to 64000000-"), 2);
  pass(20);
  for (unsigned i = 1; i < 3; i++) {
    servers[i].self.sequence++;
    say(i);
  }
  pass(1);
  assert_int_equal(count_told("and this one to 64000000-"), 4);
  assert_non_null(strstr(events, "times more since this was told"));
  stop_all();
}

TEST(a_server_that_was_dropped_is_gone_and_told_so_even_if_it_was_away) {
  for (unsigned i = 0; i < 3; i++) {
    start(i, 5);
    bind(i, 100);
    say(i);
  }
  join(0, 1);
  join(0, 2);
  pass(1);
  const struct directory_dropped third = {named(3), 0};
  assert_ok(directory_drop(servers[0].directory, &third, 1, NULL));
  pass(1);
  assert_null(sees(0, 2));
  assert_true(directory_was_dropped(servers[2].directory));
  assert_false(directory_was_dropped(servers[1].directory));
  stop(2);
  start(2, 6); // one that comes back and has not heard
  bind(2, 100);
  say(2);
  join(1, 2);
  pass(40);
  assert_null(sees(0, 2)); // it is not taken in again by being talked of
  assert_false(directory_was_dropped(servers[2].directory));
  assert_ok(directory_drop(servers[1].directory, &third, 1, NULL));
  pass(1);
  assert_null(sees(1, 2));
  assert_true(directory_was_dropped(servers[2].directory));
  stop_all();
}

TEST(whom_nobody_knows_by_uuid_is_dropped_by_number) {
  for (unsigned i = 0; i < 2; i++) {
    start(i, 5);
    bind(i, 100);
    say(i);
  }
  const struct directory_dropped second = {.number = servers[1].self.number};
  assert_ok(directory_drop(servers[0].directory, &second, 1, NULL));
  join(0, 1);
  pass(2);
  assert_null(sees(0, 1));
  assert_true(directory_was_dropped(servers[1].directory));
  stop_all();
}

TEST(the_word_of_another_cluster_drops_nobody) {
  for (unsigned i = 0; i < 2; i++) {
    start(i, 5);
    bind(i, (uint8_t) (100 + i));
    say(i);
  }
  assert_ok(directory_drop(servers[0].directory, &(struct directory_dropped){named(2), 0}, 1, NULL));
  join(0, 1);
  pass(2);
  assert_false(directory_was_dropped(servers[1].directory));
  stop_all();
}

static bool leaves(unsigned n, unsigned other) {
  sees(n, other);
  for (uint32_t i = 0; i < copy.count; i++)
    if (uuid_eq(copy.servers[i].said.server, named((uint8_t) (other + 1)))) return copy.servers[i].leaves;
  return false;
}

TEST(a_server_that_leaves_says_so_and_stays_until_it_is_dropped) {
  for (unsigned i = 0; i < 3; i++) {
    start(i, 5);
    bind(i, 100);
    say(i);
  }
  join(0, 2);
  join(1, 2);
  pass(1);
  uint64_t changes = directory_changes(servers[0].directory);
  directory_leave(servers[2].directory);
  pass(1);
  assert_true(leaves(0, 2) && leaves(1, 2) && leaves(2, 2));
  assert_true(directory_changes(servers[0].directory) > changes);
  assert_false(leaves(0, 1) || leaves(2, 0));
  assert_non_null(sees(0, 2));
  stop(2);
  start(2, 6); // its next life has said nothing of that
  bind(2, 100);
  say(2);
  join(0, 2);
  pass(1);
  assert_false(leaves(0, 2));
  stop_all();
}

TEST(nobody_is_said_to_leave_by_somebody_else_or_for_another_cluster) {
  for (unsigned i = 0; i < 3; i++) {
    start(i, 5);
    bind(i, 100);
    say(i);
  }
  join(0, 1);
  join(1, 2);
  pass(2);
  uint8_t body[GOING_BYTES];
  uuid_put(body, named(3));
  uuid_put(body + 16, servers[0].directory->cluster);
  assert_true(directory_hear_leaves(servers[0].links[1], body, sizeof body)); // the second speaks of the third
  assert_false(leaves(0, 2));
  uuid_put(body, named(2));
  uuid_put(body + 16, named(77));
  assert_true(directory_hear_leaves(servers[0].links[1], body, sizeof body));
  assert_false(leaves(0, 1));
  assert_false(directory_hear_leaves(servers[0].links[1], body, sizeof body - 8));
  stop_all();
}

// ---- itself and its copies ----

static enum err loop_back(uint64_t epoch, const char *address) {
  struct buf frame = BUF_INIT;
  struct directory_link *there, *here;
  start(0, 5);
  start(1, epoch);
  servers[1].directory->places[0].server = servers[0].self.server; // the same folder, once more
  servers[1].self.server = servers[0].self.server;
  servers[1].self.addresses[ADDRESS_DISCOVERY] = str_of(address);
  bool at_once;
  assert_ok(directory_say(servers[1].directory, &servers[1].self, &at_once, NULL));
  assert_ok(directory_link_new(servers[1].directory, &there, NULL));
  assert_ok(directory_link_new(servers[0].directory, &here, NULL));
  assert_ok(directory_write(there, now_ms, DIRECTORY_SELF, &frame));
  enum err err = directory_hear(here, now_ms, (uint8_t *) frame.data, frame.len, NULL);
  buf_done(&frame);
  directory_link_free(there);
  directory_link_free(here);
  return err;
}

TEST(a_server_that_calls_itself_knows_it) {
  struct buf frame = BUF_INIT;
  struct directory_link *there, *here;
  start(0, 5);
  assert_ok(directory_link_new(servers[0].directory, &there, NULL));
  assert_ok(directory_link_new(servers[0].directory, &here, NULL));
  assert_ok(directory_write(there, now_ms, DIRECTORY_SELF, &frame));
  assert_int_equal(directory_hear(here, now_ms, (uint8_t *) frame.data, frame.len, NULL), ERR_EXISTS);
  assert_null(strstr(events, "copy"));
  buf_done(&frame);
  directory_link_free(there);
  directory_link_free(here);
  stop_all();
}

TEST(a_copied_data_folder_is_noticed) {
  assert_int_equal(loop_back(5, "clone:5000"), ERR_EXISTS);
  assert_non_null(strstr(events, "cluster.directory.copy the server at clone:5000 has the identity of this one"));
  assert_non_null(strstr(events, "start it with an empty data folder"));
  stop_all();
  assert_int_equal(loop_back(6, "core0:5000"), ERR_EXISTS);
  assert_non_null(strstr(events, "cluster.directory.copy"));
  stop_all();
}

/// What server 0 says as `epoch` and at `address` reaches server 1.
static enum err say_to_1(uint64_t epoch, const char *address) {
  struct announcement said = {.server = named(1), .epoch = epoch, .number = 1, .mode = SERVER_CORE, .state = IDENTITY_UNBOUND};
  struct directory_options options = {0};
  struct directory *d = NULL;
  struct directory_link *there, *here;
  struct buf frame = BUF_INIT;
  said.addresses[ADDRESS_DISCOVERY] = str_of(address);
  said.addresses[ADDRESS_RAFT] = str_of(address);
  assert_ok(directory_new(&options, &said, now_ms, &d, NULL));
  assert_ok(directory_link_new(d, &there, NULL));
  assert_ok(directory_link_new(servers[1].directory, &here, NULL));
  assert_ok(directory_write(there, now_ms, DIRECTORY_SELF, &frame));
  enum err err = directory_hear(here, now_ms, (uint8_t *) frame.data, frame.len, NULL);
  buf_done(&frame);
  directory_link_free(here);
  directory_link_free(there);
  directory_free(d);
  return err;
}

TEST(a_server_with_the_identity_of_one_that_is_there_is_refused_until_that_one_is_silent) {
  start(1, 5);
  assert_ok(say_to_1(5, "home:5000"));
  assert_false(directory_is_elsewhere(servers[1].directory, now_ms, 1, "home:5000"));
  assert_true(directory_is_elsewhere(servers[1].directory, now_ms, 1, "copy:5000"));
  assert_false(directory_is_elsewhere(servers[1].directory, now_ms, 2, "copy:5000"));
  now_ms += 1000;
  assert_int_equal(say_to_1(6, "copy:5000"), ERR_BUSY);
  assert_int_equal(say_to_1(5, "copy:5000"), ERR_BUSY); // started as often as the original
  assert_int_equal(say_to_1(4, "copy:5000"), ERR_OK); // an earlier life: nobody cares
  assert_non_null(strstr(events, "cluster.directory.twin refused the server at copy:5000: it has the identity ("));
  assert_non_null(strstr(events, "of the server at home:5000, which is there"));
  assert_str(sees(1, 0)->addresses[ADDRESS_DISCOVERY], "home:5000");
  assert_ok(say_to_1(6, "home:5000")); // it starts again where it was
  assert_int_equal(sees(1, 0)->epoch, 6);
  now_ms += 3000; // it has moved
  assert_false(directory_is_elsewhere(servers[1].directory, now_ms, 1, "copy:5000"));
  assert_ok(say_to_1(7, "copy:5000"));
  assert_str(sees(1, 0)->addresses[ADDRESS_DISCOVERY], "copy:5000");
  stop_all();
}

// ---- hostile ----

static void put_right(uint8_t *frame, size_t bytes) {
  put_u64_le(frame + 40, hash64(frame + 48, bytes - 48, hash64(frame, 40, 0)));
}

static struct buf frame_of(unsigned n) {
  struct buf frame = BUF_INIT;
  struct directory_link *l;
  assert_ok(directory_link_new(servers[n].directory, &l, NULL));
  assert_ok(directory_write(l, now_ms, DIRECTORY_ALL, &frame));
  directory_link_free(l);
  return frame;
}

static enum err hear_fresh(unsigned n, const uint8_t *frame, size_t bytes, struct error *e) {
  struct directory_link *l;
  assert_ok(directory_link_new(servers[n].directory, &l, NULL));
  enum err err = directory_hear(l, now_ms, frame, bytes, e);
  directory_link_free(l);
  return err;
}

TEST(a_damaged_frame_is_refused_and_what_fits_its_checksum_does_no_harm) {
  start(0, 5);
  start(1, 5);
  struct buf frame = frame_of(1);
  uint8_t *bytes = (uint8_t *) frame.data;
  for (size_t at = 0; at < frame.len; at++) {
    bytes[at] ^= 0x41;
    assert_int_not_equal(hear_fresh(0, bytes, frame.len, NULL), ERR_OK);
    if (at < 40 || at >= 48) {
      put_right(bytes, frame.len);
      enum err err = hear_fresh(0, bytes, frame.len, NULL);
      assert_true(err == ERR_OK || err == ERR_CORRUPT || err == ERR_UNSUPPORTED);
    }
    bytes[at] ^= 0x41;
    put_right(bytes, frame.len);
  }
  buf_done(&frame);
  stop_all();
}

TEST(other_protocols_are_told_by_name) {
  const struct {
    const char *bytes, *text;
  } cases[] = {{"GET / HTTP/1.1\r\n", "speaks HTTP"},
               {"\x16\x03\x01\x02", "speaks TLS"},
               {"QVCH", "takes this for its Raft port"},
               {"SSH-2.0", "no server of a Quiver"}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct error e = ERROR_INIT;
    uint32_t bytes;
    assert_int_equal(directory_frame_bytes((const uint8_t *) cases[i].bytes, strlen(cases[i].bytes), &bytes, &e), ERR_CORRUPT);
    if (strstr(e.message, cases[i].text) == NULL) fail_msg("%s", e.message);
  }
}

TEST(a_flood_of_servers_is_bounded_and_told_once) {
  start(0, 5);
  start(1, 5);
  for (uint32_t i = 0; i < 600; i++) {
    struct buf frame = frame_of(1);
    uint8_t *record = (uint8_t *) frame.data + 48;
    put_u32_le(record + 16 + 4, i + 1); // within its uuid
    put_right((uint8_t *) frame.data, frame.len);
    assert_ok(hear_fresh(0, (uint8_t *) frame.data, frame.len, NULL));
    buf_done(&frame);
  }
  assert_non_null(sees(0, 0));
  assert_int_equal(copy.count, DIRECTORY_SERVERS_MAX);
  assert_int_equal(full_told, 1);
  now_ms += 61 * SECOND;
  directory_tick(servers[0].directory, now_ms);
  assert_non_null(sees(0, 0));
  assert_int_equal(copy.count, 1);
  stop_all();
}

TEST(more_than_the_format_allows_is_not_said) {
  start(0, 5);
  struct announcement a = servers[0].self;
  struct error e = ERROR_INIT;
  bool at_once;
  char address[200];
  memset(address, 'a', sizeof address);
  a.addresses[ADDRESS_BOLT] = (struct str){address, sizeof address};
  assert_int_equal(directory_say(servers[0].directory, &a, &at_once, &e), ERR_LIMIT);
  assert_non_null(strstr(e.message, "longer than 111 bytes"));
  a = servers[0].self;
  a.database_count = ANNOUNCEMENT_DATABASES_MAX + 1;
  assert_int_equal(directory_say(servers[0].directory, &a, &at_once, &e), ERR_LIMIT);
  assert_str(sees(0, 0)->addresses[ADDRESS_BOLT], "core:7687");
  stop_all();
}

TEST(every_failed_allocation_leaves_the_directory_whole) {
  start(1, 5);
  struct buf frame = frame_of(1);
  EACH_ALLOC_FAILS(n) {
    struct server *s = &servers[0];
    struct announcement self = servers[1].self;
    struct directory_link *l = NULL;
    struct buf out = BUF_INIT;
    struct arena a;
    struct directory_copy c;
    bool at_once;
    arena_init(&a, NULL);
    self.server = named(99);
    enum err err = directory_new(&(struct directory_options){.events = &sink}, &self, now_ms, &s->directory, NULL);
    if (err == ERR_OK) err = directory_link_new(s->directory, &l, NULL);
    if (err == ERR_OK) err = directory_hear(l, now_ms, (uint8_t *) frame.data, frame.len, NULL);
    self.number = 77;
    if (err == ERR_OK) err = directory_say(s->directory, &self, &at_once, NULL);
    if (err == ERR_OK) err = directory_write(l, now_ms, DIRECTORY_ALL, &out);
    if (err == ERR_OK) err = directory_copy(s->directory, &a, &c, NULL);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    if (err == ERR_OK) assert_int_equal(c.count, 2);
    directory_link_free(l);
    directory_free(s->directory);
    s->directory = NULL;
    buf_done(&out);
    arena_done(&a);
  }
  buf_done(&frame);
  stop_all();
  arena_done(&arena);
}

TESTS(T(a_gateway_that_says_that_it_has_something_to_give_is_not_believed), T(it_is_enough_to_know_anybody),
      T(what_changed_is_heard_at_once_and_an_applied_index_with_the_next_beat), T(nothing_new_costs_a_beat),
      T(a_silent_server_is_gone_and_does_not_come_back_by_being_talked_of),
      T(somebody_new_does_not_hear_of_the_dead_for_longer_than_the_others),
      T(a_server_that_was_only_cut_off_comes_back_to_everybody), T(a_restarted_server_is_believed_and_its_former_life_is_not),
      T(a_server_of_another_cluster_is_told_and_forgotten), T(servers_of_another_cluster_that_go_on_talking_do_not_fill_the_log),
      T(a_server_that_was_dropped_is_gone_and_told_so_even_if_it_was_away), T(whom_nobody_knows_by_uuid_is_dropped_by_number),
      T(the_word_of_another_cluster_drops_nobody), T(a_server_that_leaves_says_so_and_stays_until_it_is_dropped),
      T(nobody_is_said_to_leave_by_somebody_else_or_for_another_cluster), T(a_server_that_calls_itself_knows_it),
      T(a_copied_data_folder_is_noticed), T(a_server_with_the_identity_of_one_that_is_there_is_refused_until_that_one_is_silent),
      T(a_damaged_frame_is_refused_and_what_fits_its_checksum_does_no_harm), T(other_protocols_are_told_by_name),
      T(a_flood_of_servers_is_bounded_and_told_once), T(more_than_the_format_allows_is_not_said),
      T(every_failed_allocation_leaves_the_directory_whole))
