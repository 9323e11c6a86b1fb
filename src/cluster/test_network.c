// Real sockets on loopback: three servers, each on a loop of its own.
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/feature_level.h"
#include "base/test.h"
#include "cluster/known_starts.h"
#include "cluster/network.h"
#include "os/thread.h"
#include "os/tls_test.h"

static struct net_resolver *resolver;

struct server {
  uint64_t number;
  struct loop *loop;
  struct network *network;
  struct network_options options;
  struct event_sink sink;
  struct mutex lock; // of what follows
  char log[4000];    // events, one a line
  size_t log_len;
  uint64_t heard_from, heard_index, heard_bytes;
  bool in_order;
  _Atomic int heard, ups, downs;
  _Atomic bool welcoming; // strangers may come
  const char *_Atomic home_of_others; // where the other server is, and nobody else is it; NULL: anywhere
  _Atomic uint64_t remove_when_heard;
  struct known_starts *known;     // NULL: nothing is said of starts
  _Atomic int news, moved, older; // starts that were met first, or moved; it was told that it is an older copy
  _Atomic uint64_t older_number;  // of the start that it was told of
  char address[NET_ADDRESS_TEXT_MAX];
  char folder[40]; // of `known`
};

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

static void received(void *context, uint64_t from, const struct message *m) {
  struct server *s = context;
  mutex_lock(&s->lock);
  if (m->body.append.previous_index < s->heard_index) s->in_order = false;
  s->heard_from = from;
  s->heard_index = m->body.append.previous_index;
  for (uint32_t i = 0; i < m->body.append.count; i++) s->heard_bytes += m->entries[i].payload.len;
  mutex_unlock(&s->lock);
  s->heard++;
  if (s->remove_when_heard != 0) network_peer_remove(s->network, s->remove_when_heard);
}

static void changed(void *context, uint64_t server UNUSED, bool up) {
  struct server *s = context;
  if (up)
    s->ups++;
  else
    s->downs++;
}

static bool met(void *context, uint64_t server UNUSED, const char *address UNUSED) {
  return ((struct server *) context)->welcoming;
}

static bool is_elsewhere(void *context, uint64_t server UNUSED, const char *address) {
  const char *home = ((struct server *) context)->home_of_others;
  return home != NULL && strcmp(home, address) != 0;
}

static void start_met(void *context) {
  ((struct server *) context)->news++;
}

static void start_moved(void *context) {
  ((struct server *) context)->moved++;
}

static void older(void *context, uint64_t server UNUSED, struct start known) {
  struct server *s = context;
  s->older_number = known.number;
  s->older++;
}

static void open_now(void *argument) {
  static const struct network_events events = {.received = received,
                                               .changed = changed,
                                               .met = met,
                                               .is_elsewhere = is_elsewhere,
                                               .start_met = start_met,
                                               .start_moved = start_moved,
                                               .older = older};
  struct server *s = argument;
  struct error e = ERROR_INIT;
  s->options.server = s->number;
  s->options.events = &s->sink;
  s->options.resolver = resolver;
  s->options.known = s->known;
  s->options.listen = s->address[0] != '\0' ? str_of(s->address) : STR("127.0.0.1:0");
  if (network_open(s->loop, &s->options, &events, s, &s->network, &e) != ERR_OK) fail_msg("%s", e.message);
  snprintf(s->address, sizeof s->address, "%s", network_address(s->network));
}

static void start(struct server *s) {
  s->options.epoch++;
  loop_call(s->loop, open_now, s);
}

static void close_now(void *argument) {
  struct server *s = argument;
  network_close(s->network);
  s->network = NULL;
}

static void stop(struct server *s) {
  loop_call(s->loop, close_now, s);
}

static void server_init(struct server *s, uint64_t number) {
  *s = (struct server){.number = number, .sink.raise = note_event, .in_order = true};
  if (resolver == NULL) assert_ok(net_resolver_new(&resolver, NULL));
  mutex_init(&s->lock);
  memset(s->options.cluster, 7, sizeof s->options.cluster);
  s->options.retry_min_ms = 5;
  s->options.retry_max_ms = 50;
  assert_ok(loop_start("server", &s->loop, NULL));
}

static void server_done(struct server *s) {
  if (s->network != NULL) stop(s);
  loop_stop(s->loop);
  known_starts_close(s->known);
  if (s->known != NULL) assert_ok(disk_remove_tree(disk_system(), s->folder, NULL));
  mutex_done(&s->lock);
}

struct set_call {
  struct server *self;
  uint64_t other;
  const char *address;
};

static void set_now(void *argument) {
  struct set_call *c = argument;
  struct error e = ERROR_INIT;
  if (network_peer_set(c->self->network, c->other, c->address, &e) != ERR_OK) fail_msg("%s", e.message);
}

static void know(struct server *self, const struct server *other) {
  struct set_call c = {self, other->number, other->address};
  loop_call(self->loop, set_now, &c);
}

static void know_at(struct server *self, uint64_t other, const char *address) {
  struct set_call c = {self, other, address};
  loop_call(self->loop, set_now, &c);
}

static bool becomes(_Atomic int *value, int expected) {
  for (int i = 0; i < 5000 && *value < expected; i++) poll(NULL, 0, 1);
  return *value == expected;
}

static bool will_log(struct server *s, const char *text) {
  for (int i = 0; i < 5000 && !has_logged(s, text); i++) poll(NULL, 0, 1);
  return has_logged(s, text);
}

static char payload[64 << 10];

static bool tell(struct server *s, const struct server *to, uint64_t index, size_t bytes) {
  struct log_entry entry = {
      .index = index + 1, .term = 1, .kind = LOG_TRANSACTION, .parts = LOG_END, .payload = {payload, bytes}};
  struct message m = {.from = s->number, .to = to->number, .entries = &entry};
  m.body = (struct consensus_message){.type = CONSENSUS_APPEND, .term = 1};
  m.body.append.previous_index = index;
  m.body.append.previous_term = 1;
  m.body.append.count = bytes > 0;
  return network_send(s->network, to->number, &m);
}

/// Of what it has acknowledged.
static bool remind(struct server *s, const struct server *to) {
  struct message m = {.from = s->number, .to = to->number, .body = {.type = CONSENSUS_ACKNOWLEDGED, .term = 1}};
  m.body.acknowledged.last_index = m.body.acknowledged.last_term = 1;
  return network_send(s->network, to->number, &m);
}

static void two_connected(struct server *a, struct server *b) {
  server_init(a, 1);
  server_init(b, 2);
  start(a);
  start(b);
  know(a, b);
  know(b, a);
  assert_true(becomes(&a->ups, 1));
  assert_true(becomes(&b->ups, 1));
}

TEST(two_servers_find_each_other_and_talk_both_ways) {
  struct server a, b;
  two_connected(&a, &b);
  assert_true(tell(&a, &b, 5, 0));
  assert_true(tell(&b, &a, 6, 100));
  assert_true(becomes(&b.heard, 1));
  assert_true(becomes(&a.heard, 1));
  assert_int_equal(b.heard_from, 1);
  assert_int_equal(a.heard_index, 6);
  assert_int_equal(a.heard_bytes, 100);
  assert_true(has_logged(&a, "Connected to: 127.0.0.1:"));
  server_done(&a);
  server_done(&b);
}

TEST(a_hundred_megabytes_arrive_in_order_though_the_queue_is_small) {
  struct server a, b;
  two_connected(&a, &b);
  enum { COUNT = 1600 };
  for (uint64_t i = 0; i < COUNT; i++)
    for (int tries = 0; !tell(&a, &b, i, sizeof payload); tries++) {
      assert_true(tries < 20000);
      poll(NULL, 0, 1); // full: what Raft does
    }
  assert_true(becomes(&b.heard, COUNT));
  assert_true(b.in_order);
  assert_int_equal(b.heard_bytes, COUNT * sizeof payload);
  server_done(&a);
  server_done(&b);
}

TEST(a_server_that_restarts_is_connected_with_again) {
  struct server a, b;
  two_connected(&a, &b);
  for (int round = 2; round <= 5; round++) {
    stop(round % 2 == 0 ? &b : &a);
    start(round % 2 == 0 ? &b : &a);
    know(&a, &b);
    know(&b, &a);
    assert_true(becomes(&a.ups, round));
    assert_true(becomes(&b.ups, round));
    while (!tell(&a, &b, (uint64_t) round, 0)) poll(NULL, 0, 1);
    assert_true(becomes(&b.heard, round - 1));
  }
  assert_true(has_logged(&a, "Lost connection to: 127.0.0.1:"));
  server_done(&a);
  server_done(&b);
}

TEST(an_unreachable_server_is_reported_once_with_address_and_reason) {
  struct server a;
  server_init(&a, 1);
  start(&a);
  know_at(&a, 2, "127.0.0.1:1");
  assert_true(will_log(&a, "Failed to connect to: 127.0.0.1:1 (server 2): cannot reach '127.0.0.1:1': Connection refused"));
  poll(NULL, 0, 100); // many attempts
  const char *first = strstr(a.log, "cluster.network.lost");
  assert_null(strstr(first + 1, "cluster.network.lost"));
  server_done(&a);
}

TEST(a_name_that_does_not_resolve_is_told_with_who_gave_it_and_what_to_do) {
  struct server a;
  server_init(&a, 1);
  start(&a);
  know_at(&a, 2, "nowhere.invalid:7000");
  assert_true(will_log(&a, "Failed to connect to: nowhere.invalid:7000 (server 2): cannot reach 'nowhere.invalid:7000'"));
  assert_true(will_log(&a, "It advertises that name: set server.cluster.raft.advertised_address, or server.default_advertised_address, "
                           "there to one that the others can resolve. Retrying."));
  server_done(&a);
}

TEST(a_server_of_another_cluster_is_refused_and_told_why) {
  struct server a, b;
  server_init(&a, 1);
  server_init(&b, 2);
  memset(b.options.cluster, 8, sizeof b.options.cluster);
  start(&a);
  start(&b);
  know(&a, &b);
  assert_true(will_log(&a, "belongs to another cluster"));
  assert_true(will_log(&b, "refused server 1"));
  assert_int_equal(a.ups + b.ups, 0);
  server_done(&a);
  server_done(&b);
}

static void judge_now(void *argument) {
  network_judge_levels(((struct server *) argument)->network);
}

TEST(a_server_that_does_not_know_the_clusters_feature_level_is_parted_from_and_refused) {
  static _Atomic uint32_t level;
  struct server a, b;
  level = FEATURE_LEVEL_FIRST;
  server_init(&a, 1);
  server_init(&b, 2);
  a.options.feature_level = &level;
  start(&a);
  start(&b);
  know(&a, &b);
  know(&b, &a);
  assert_true(becomes(&a.ups, 1));
  loop_call(a.loop, judge_now, &a);
  assert_int_equal(a.downs, 0); // it knows that level
  level = feature_level_highest + 1;
  loop_call(a.loop, judge_now, &a);
  assert_true(becomes(&a.downs, 1));
  assert_true(will_log(&a, "Lost connection to: "));
  assert_true(will_log(&a, "knows only lower feature levels than the cluster has"));
  assert_true(will_log(&b, "wants a higher feature level than this server knows"));
  assert_int_equal(a.ups, 1);
  server_done(&a);
  server_done(&b);
}

TEST(an_address_that_leads_to_the_wrong_server_is_reported) {
  struct server a, b;
  server_init(&a, 1);
  server_init(&b, 2);
  start(&a);
  start(&b);
  know_at(&a, 3, b.address);
  assert_true(will_log(&a, "the server there (number 2) is another server than the one that was asked for"));
  know_at(&a, 4, a.address);
  assert_true(will_log(&a, "is this server itself"));
  server_done(&a);
  server_done(&b);
}

TEST(strangers_are_refused_until_they_are_welcome) {
  struct server a, b;
  server_init(&a, 1);
  server_init(&b, 2);
  start(&a);
  start(&b);
  know(&a, &b);
  assert_true(will_log(&a, "does not know this server as a member"));
  assert_int_equal(b.ups, 0);
  b.welcoming = true;
  assert_true(becomes(&b.ups, 1));
  assert_true(becomes(&a.ups, 1));
  assert_true(tell(&b, &a, 1, 0));
  assert_true(becomes(&a.heard, 1));
  server_done(&a);
  server_done(&b);
}

// ---- starts ----

static void has_had(struct server *s, struct starts starts) {
  snprintf(s->folder, sizeof s->folder, "/tmp/quiver_test_network_XXXXXX");
  assert_non_null(mkdtemp(s->folder));
  assert_ok(known_starts_open(disk_system(), s->folder, (struct uuid){{7}}, s->number, &starts, &s->known, NULL));
  s->options.epoch = starts_now(&starts).number - 1; // one more with the start
}

/// Which begins with its start `number`, of that mark.
static void counts_starts(struct server *s, uint64_t number, uint64_t mark) {
  has_had(s, (struct starts){.count = 1, .last = {{number, mark}}});
}

TEST(servers_know_each_others_starts_when_they_have_met) {
  struct server a, b;
  server_init(&a, 1);
  server_init(&b, 2);
  counts_starts(&a, 5, 50);
  counts_starts(&b, 6, 60);
  start(&a);
  start(&b);
  know(&a, &b);
  know(&b, &a);
  assert_true(becomes(&a.news, 1) && becomes(&a.ups, 1) && becomes(&b.ups, 1) && becomes(&b.news, 1));
  assert_int_equal(known_starts_find(a.known, 2).mark, 60);
  assert_int_equal(known_starts_find(b.known, 1).mark, 50);
  assert_true(tell(&a, &b, 5, 0) && becomes(&b.heard, 1));
  assert_true(remind(&a, &b) && becomes(&b.heard, 2));
  server_done(&a);
  server_done(&b);
}

static void flush_now(void *argument) {
  network_flush(((struct server *) argument)->network);
}

/// What it has promised is noted, and told.
static void move(struct server *s) {
  bool moved = false;
  known_starts_promised(s->known);
  assert_ok(known_starts_move(s->known, &moved, NULL));
  assert_true(moved);
  loop_call(s->loop, flush_now, s);
}

static bool becomes_known(struct server *s, uint64_t server, uint32_t moves) {
  for (int i = 0; i < 500 && known_starts_find(s->known, server).moves != moves; i++) poll(NULL, 0, 10);
  return known_starts_find(s->known, server).moves == moves;
}

TEST(a_start_that_moves_is_told_to_those_who_are_there_and_to_those_who_come) {
  struct server a, b;
  server_init(&a, 1);
  server_init(&b, 2);
  counts_starts(&a, 5, 50);
  counts_starts(&b, 6, 60);
  start(&a);
  start(&b);
  move(&a); // before anybody is there
  know(&a, &b);
  know(&b, &a);
  assert_true(becomes(&a.ups, 1) && becomes(&b.ups, 1));
  assert_true(becomes_known(&b, 1, 1));
  move(&a);
  move(&b);
  assert_true(becomes_known(&b, 1, 2) && becomes_known(&a, 2, 1));
  assert_true(a.moved >= 1 && b.moved >= 1);
  assert_true(tell(&a, &b, 5, 0) && becomes(&b.heard, 1));
  assert_int_equal(a.older + b.older + a.downs + b.downs, 0);
  server_done(&a);
  server_done(&b);
}

/// Server `witness` has met start `known` of the other one, which comes with `had`.
static void comes_with(uint64_t witness, struct starts had, struct start known) {
  struct server a, b;
  uint64_t number = starts_now(&had).number;
  server_init(&a, witness);
  server_init(&b, 3 - witness);
  counts_starts(&a, 5, 50);
  has_had(&b, had);
  known_starts_note(a.known, b.number, known);
  start(&a);
  start(&b);
  know(&a, &b);
  know(&b, &a);
  assert_true(becomes(&b.older, 1));
  assert_int_equal(b.older_number, 8);
  poll(NULL, 0, 100); // many attempts
  bool judges_alone = number > known.number ||
                      starts_now(&had).mark == known.mark; // the other one has nothing against it, and tells it what is known
  assert_int_equal(b.ups + a.older, 0);
  assert_true(a.ups == 0 || judges_alone);
  assert_int_equal(b.older, 1);
  assert_int_equal(known_starts_find(a.known, b.number).number, known.number); // whoever comes next is told as well
  assert_int_equal(known_starts_find(a.known, b.number).mark, known.mark);
  bool heard_it =
      !judges_alone && (witness == 1 || number < known.number); // else it is the other one that finds it out, and has gone
  assert_true(!heard_it || will_log(&a, "it has come with an older copy of its data folder"));
  server_done(&a);
  server_done(&b);
}

static void comes_back(uint64_t witness, uint64_t number, uint64_t mark) {
  comes_with(witness, (struct starts){.count = 1, .last = {{number, mark}}}, (struct start){8, 80});
}

TEST(a_server_that_has_not_moved_as_far_as_another_knows_is_told_so_and_connected_with_nobody) {
  const struct starts next = {.count = 2, .last = {{8, 80, 1}, {9, 90}}}, same = {.count = 1, .last = {{8, 80, 1}}};
  for (uint64_t witness = 1; witness <= 2; witness++) {
    comes_with(witness, next, (struct start){8, 80, 2});
    comes_with(witness, same, (struct start){8, 80, 2}); // a machine that was put back as it ran
  }
}

TEST(a_server_that_has_not_had_a_start_that_another_has_met_is_told_so_and_connected_with_nobody) {
  comes_back(1, 6, 60);
  comes_back(2, 6, 60);
}

TEST(another_start_of_the_same_number_is_no_later_one) {
  comes_back(1, 8, 81);
  comes_back(2, 8, 81);
}

TEST(a_server_that_counts_no_starts_is_taken_as_it_comes) {
  struct server a, b;
  server_init(&a, 1);
  server_init(&b, 2);
  counts_starts(&a, 5, 50);
  known_starts_note(a.known, 2, (struct start){8, 80});
  start(&a);
  start(&b);
  know(&a, &b);
  know(&b, &a);
  assert_true(becomes(&a.ups, 1) && becomes(&b.ups, 1));
  server_done(&a);
  server_done(&b);
}

TEST(a_server_of_a_version_that_knows_no_reminders_gets_none) { // network_reminder
  struct server a, b;
  server_init(&a, 1);
  server_init(&b, 2); // speaks version 2 of the hello
  counts_starts(&a, 5, 50);
  start(&a);
  start(&b);
  know(&a, &b);
  know(&b, &a);
  assert_true(becomes(&a.ups, 1) && becomes(&b.ups, 1));
  assert_false(remind(&a, &b));
  assert_false(remind(&b, &a));
  assert_true(tell(&a, &b, 5, 0) && becomes(&b.heard, 1));
  assert_int_equal(b.heard_index, 5);
  server_done(&a);
  server_done(&b);
}

TEST(an_earlier_life_of_a_server_is_not_listened_to) {
  struct server a, b, ghost;
  two_connected(&a, &b);
  stop(&a);
  start(&a); // epoch 2
  know(&a, &b);
  assert_true(becomes(&a.ups, 2));
  assert_true(becomes(&b.ups, 2));
  server_init(&ghost, 1); // epoch 1
  start(&ghost);
  know(&ghost, &b);
  assert_true(will_log(&b, "it is from an earlier life of that server"));
  assert_int_equal(ghost.ups, 0);
  assert_true(tell(&a, &b, 1, 0));
  assert_true(becomes(&b.heard, 1));
  server_done(&ghost);
  server_done(&a);
  server_done(&b);
}

TEST(a_peer_can_be_removed_from_within_its_own_message) {
  struct server a, b;
  two_connected(&a, &b);
  b.remove_when_heard = 1;
  for (uint64_t i = 0; i < 50; i++) (void) tell(&a, &b, i, 1000);
  assert_true(becomes(&a.downs, 1));
  assert_false(tell(&b, &a, 1, 0));
  server_done(&a);
  server_done(&b);
}

// ---- what comes from elsewhere ----

static int connect_to(const struct server *s) {
  struct str host;
  uint16_t port;
  assert_ok(net_address_split(str_of(s->address), 0, &host, &port, NULL));
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  assert_int_equal(connect(fd, (struct sockaddr *) &to, sizeof to), 0);
  return fd;
}

static void assert_turned_away(struct server *s, const void *bytes, size_t len, const char *reason) {
  int fd = connect_to(s);
  char answer[1024];
  assert_int_equal(write(fd, bytes, len), (ssize_t) len);
  while (read(fd, answer, sizeof answer) > 0) {
  }
  close(fd);
  assert_true(will_log(s, reason));
}

static void hello_as(uint8_t to[HELLO_BYTES], uint64_t server, uint64_t epoch) {
  struct hello h = {.version_min = 1, .version_max = 1, .server = server, .epoch = epoch};
  memset(h.cluster, 7, sizeof h.cluster);
  hello_put(to, &h);
}

TEST(whoever_speaks_something_else_is_told_off_and_the_server_goes_on) {
  struct server a, b;
  two_connected(&a, &b);
  uint8_t hello[HELLO_BYTES], broken[HELLO_BYTES + 64];
  assert_turned_away(&a, "GET / HTTP/1.1\r\n\r\n", 18, "the other end speaks HTTP");
  assert_turned_away(&a, "\x16\x03\x01\x02\x00\x01", 6, "the other end speaks TLS and this one does not");
  assert_turned_away(&a, "\x60\x60\xb0\x17", 4, "no member of a Quiver cluster");
  hello_as(hello, 2, 99);
  hello[30] ^= 1;
  assert_turned_away(&a, hello, sizeof hello, "a hello fails its check");
  hello_as(hello, 3, 1);
  assert_turned_away(&a, hello, sizeof hello, "refused server 3");
  hello_as(broken, 2, 99);
  memset(broken + HELLO_BYTES, 'x', 64);
  assert_turned_away(&a, broken, sizeof broken, "A frame from another server is damaged");
  server_done(&a);
  server_done(&b);
}

TEST(only_the_end_of_a_life_is_a_loss_when_a_connection_is_replaced) {
  struct server a, b;
  two_connected(&a, &b);
  uint8_t hello[HELLO_BYTES];
  int same = connect_to(&a), later = connect_to(&a);
  hello_as(hello, 2, b.options.epoch);
  assert_int_equal(write(same, hello, sizeof hello), sizeof hello);
  for (int i = 0; i < 5000 && a.ups < 3; i++) poll(NULL, 0, 1); // b lost its place, and comes back
  assert_true(a.ups >= 3);
  assert_int_equal(a.downs, 0);
  hello_as(hello, 2, b.options.epoch + 1);
  assert_int_equal(write(later, hello, sizeof hello), sizeof hello);
  assert_true(becomes(&a.downs, 1));
  close(same);
  close(later);
  server_done(&a);
  server_done(&b);
}

TEST(a_recorded_hello_is_of_no_use_on_another_connection) {
  struct server a, b;
  two_connected(&a, &b);
  uint8_t said[HELLO_BYTES + HELLO_PROOF_BYTES], heard[HELLO_BYTES + HELLO_PROOF_BYTES];
  struct hello h = {.version_min = 1, .version_max = HELLO_VERSION_PROOF, .server = 2, .epoch = b.options.epoch};
  memset(h.cluster, 7, sizeof h.cluster);
  hello_put(said, &h);
  hello_proof_put(said + HELLO_BYTES, HELLO_ANSWER, 12345); // what was right on another connection
  int ups = a.ups;
  int fd = connect_to(&a);
  assert_int_equal(write(fd, said, sizeof said), sizeof said);
  for (size_t got = 0; got < sizeof heard;) {
    ssize_t n = read(fd, heard + got, sizeof heard - got);
    assert_true(n > 0);
    got += (size_t) n;
  }
  uint64_t challenge = 0, other = 0;
  assert_ok(hello_proof_get(heard + HELLO_BYTES, HELLO_CHALLENGE, &challenge, NULL));
  assert_true(will_log(&a, "refused a connection to the Raft port from 127.0.0.1:"));
  assert_true(will_log(&a, "it repeats what a member has said on another connection"));
  close(fd);
  fd = connect_to(&a); // and each connection has a challenge of its own
  assert_int_equal(write(fd, said, HELLO_BYTES), HELLO_BYTES);
  for (size_t got = 0; got < sizeof heard;) {
    ssize_t n = read(fd, heard + got, sizeof heard - got);
    assert_true(n > 0);
    got += (size_t) n;
  }
  assert_ok(hello_proof_get(heard + HELLO_BYTES, HELLO_CHALLENGE, &other, NULL));
  assert_true(challenge != other);
  close(fd);
  assert_int_equal(a.ups, ups); // the connection that there was is the one that there is
  assert_int_equal(a.downs, 0);
  assert_true(tell(&a, &b, 1, 100));
  assert_true(becomes(&b.heard, 1));
  server_done(&a);
  server_done(&b);
}

TEST(whoever_says_hello_in_the_name_of_a_server_that_is_elsewhere_is_refused) {
  struct server a, b;
  two_connected(&a, &b);
  uint8_t hello[HELLO_BYTES];
  a.home_of_others = b.address;
  struct hello h = {.version_min = 1, .version_max = HELLO_VERSION_PROOF, .server = 2, .epoch = b.options.epoch + 1};
  memset(h.cluster, 7, sizeof h.cluster);
  snprintf(h.address, sizeof h.address, "copy:7000");
  hello_put(hello, &h);
  assert_turned_away(&a, hello, sizeof hello, "refused server 2 (listens at copy:7000) from 127.0.0.1:");
  assert_true(will_log(&a, "its data folder is a copy: stop it and start it with an empty data folder"));
  assert_int_equal(a.downs, 0);
  server_done(&a);
  server_done(&b);
}

TEST(a_name_that_cannot_be_printed_is_no_hello) {
  struct server a;
  server_init(&a, 1);
  start(&a);
  uint8_t hello[HELLO_BYTES];
  struct hello h = {.version_min = 1, .version_max = 1, .server = 2, .epoch = 1, .address = "x:1\n\tERROR all is lost"};
  memset(h.cluster, 7, sizeof h.cluster);
  hello_put(hello, &h);
  assert_turned_away(&a, hello, sizeof hello, "a hello makes no sense");
  server_done(&a);
}

TEST(somebody_who_opens_connections_keeps_no_member_out) {
  enum { IDLE = 400 }; // three times as many as are kept
  struct server a, b;
  static int idle[IDLE];
  server_init(&a, 1);
  server_init(&b, 2);
  start(&a);
  start(&b);
  know(&b, &a);
  for (int i = 0; i < IDLE; i++) idle[i] = connect_to(&a);
  know(&a, &b);
  assert_true(becomes(&a.ups, 1));
  assert_true(will_log(&a, "there are too many of those"));
  int open = 0;
  for (int i = 0; i < IDLE; i++) {
    struct pollfd p = {.fd = idle[i], .events = POLLIN};
    open += poll(&p, 1, 0) == 0;
  }
  assert_true(open <= 128);
  mutex_lock(&a.lock);
  a.log[a.log_len] = 0;
  int lines = 0;
  for (const char *at = a.log; (at = strstr(at, "cluster.network.refused")) != NULL; at++) lines++;
  mutex_unlock(&a.lock);
  assert_true(lines <= 2);
  for (int i = 0; i < IDLE; i++) close(idle[i]);
  server_done(&a);
  server_done(&b);
}

TEST(whoever_says_nothing_is_not_waited_for_for_ever) {
  struct server a;
  server_init(&a, 1);
  a.options.connect_timeout_ms = 50;
  start(&a);
  int fd = connect_to(&a);
  char answer;
  assert_int_equal(read(fd, &answer, 1), 0);
  assert_true(will_log(&a, "it did not say hello in time"));
  close(fd);
  server_done(&a);
}

// ---- TLS ----

static struct tls_context *context_in(const char *directory) {
  char certificate[128], key[128];
  snprintf(certificate, sizeof certificate, "%s/cert.pem", directory);
  snprintf(key, sizeof key, "%s/key.pem", directory);
  struct tls_settings settings = {
      .certificate_path = certificate, .key_path = key, .trusted_path = certificate, .client_auth = TLS_CLIENT_REQUIRED};
  struct tls_context *tls = NULL;
  assert_ok(tls_context_new(&settings, &tls, NULL));
  return tls;
}

static void remove_certificate(const char *directory) {
  char path[128];
  snprintf(path, sizeof path, "%s/cert.pem", directory);
  unlink(path);
  snprintf(path, sizeof path, "%s/key.pem", directory);
  unlink(path);
  rmdir(directory);
}

TEST(with_tls_members_talk_and_others_do_not) {
  char ours[] = "/tmp/quiver-tls-XXXXXX", theirs[] = "/tmp/quiver-tls-XXXXXX";
  assert_non_null(mkdtemp(ours));
  assert_non_null(mkdtemp(theirs));
  assert_true(tls_test_make_certificate(ours) && tls_test_make_certificate(theirs));
  struct tls_context *tls = context_in(ours), *foreign = context_in(theirs);
  struct server a, b, c;
  server_init(&a, 1);
  server_init(&b, 2);
  server_init(&c, 3);
  a.options.tls = b.options.tls = tls;
  a.options.tls_verify_names = b.options.tls_verify_names = true;
  c.options.tls = foreign;
  start(&a);
  start(&b);
  start(&c);
  know(&a, &b);
  know(&b, &a);
  assert_true(becomes(&a.ups, 1));
  assert_true(becomes(&b.ups, 1));
  for (uint64_t i = 0; i < 20; i++) assert_true(tell(&a, &b, i, sizeof payload));
  assert_true(becomes(&b.heard, 20));
  know(&a, &c);
  assert_true(will_log(&a, "(server 3): "));
  assert_int_equal(c.ups, 0);
  server_done(&a);
  server_done(&b);
  server_done(&c);
  tls_context_free(tls);
  tls_context_free(foreign);
  remove_certificate(ours);
  remove_certificate(theirs);
}

TEST(zz_the_resolver_ends) {
  net_resolver_free(resolver);
  resolver = NULL;
}

TESTS(T(two_servers_find_each_other_and_talk_both_ways), T(a_hundred_megabytes_arrive_in_order_though_the_queue_is_small),
      T(a_server_that_restarts_is_connected_with_again), T(an_unreachable_server_is_reported_once_with_address_and_reason),
      T(a_name_that_does_not_resolve_is_told_with_who_gave_it_and_what_to_do),
      T(a_server_of_another_cluster_is_refused_and_told_why),
      T(a_server_that_does_not_know_the_clusters_feature_level_is_parted_from_and_refused),
      T(an_address_that_leads_to_the_wrong_server_is_reported), T(strangers_are_refused_until_they_are_welcome),
      T(servers_know_each_others_starts_when_they_have_met),
      T(a_start_that_moves_is_told_to_those_who_are_there_and_to_those_who_come),
      T(a_server_that_has_not_moved_as_far_as_another_knows_is_told_so_and_connected_with_nobody),
      T(a_server_that_has_not_had_a_start_that_another_has_met_is_told_so_and_connected_with_nobody),
      T(another_start_of_the_same_number_is_no_later_one), T(a_server_that_counts_no_starts_is_taken_as_it_comes),
      T(a_server_of_a_version_that_knows_no_reminders_gets_none), T(an_earlier_life_of_a_server_is_not_listened_to), T(a_peer_can_be_removed_from_within_its_own_message),
      T(whoever_speaks_something_else_is_told_off_and_the_server_goes_on),
      T(only_the_end_of_a_life_is_a_loss_when_a_connection_is_replaced), T(whoever_says_nothing_is_not_waited_for_for_ever),
      T(a_recorded_hello_is_of_no_use_on_another_connection), T(a_name_that_cannot_be_printed_is_no_hello),
      T(whoever_says_hello_in_the_name_of_a_server_that_is_elsewhere_is_refused),
      T(somebody_who_opens_connections_keeps_no_member_out), T(with_tls_members_talk_and_others_do_not), T(zz_the_resolver_ends))
