// Names: of this machine, and of a little name server of the test's own on loopback.
#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "os/net_lookup.h"
#include "os/thread.h"

static struct loop *loop;
static struct net_resolver *resolver;

struct answer {
  _Atomic int done;
  char found[2000];
  uint32_t servers;
  char failure[400];
  enum err err;
};

static void found(void *context, const struct str *addresses, size_t count, uint32_t servers) {
  struct answer *a = context;
  size_t len = 0;
  for (size_t i = 0; i < count; i++)
    len += (size_t) snprintf(a->found + len, sizeof a->found - len, "%.*s ", STR_ARG(addresses[i]));
  a->servers = servers;
  a->done = 1;
}

static void failed(void *context, const struct error *why) {
  struct answer *a = context;
  a->err = why->code;
  snprintf(a->failure, sizeof a->failure, "%s", why->message);
  a->done = 1;
}

struct question {
  enum net_lookup_kind kind;
  const char *text;
  struct answer *answer;
  bool give_up;
};

static void ask_now(void *argument) {
  static const struct net_lookup_events events = {found, failed};
  struct question *q = argument;
  struct net_lookup *l;
  assert_ok(net_lookup(loop, resolver, q->kind, str_of(q->text), &events, q->answer, &l, NULL));
  if (q->give_up) net_lookup_free(l);
}

static void ask(enum net_lookup_kind kind, const char *text, struct answer *ret) {
  struct question q = {kind, text, ret, false};
  *ret = (struct answer){0};
  loop_call(loop, ask_now, &q);
  for (int i = 0; i < 10000 && !ret->done; i++) poll(NULL, 0, 1);
  assert_true(ret->done);
}

// ---- a name server ----

// The header of an answer to the question that came, then `count` records with their target in full.
struct record {
  const char *target; // "" is the root: not here
  uint16_t port;
};
static const struct record *records;
static size_t record_count;
static bool damaged;

static size_t put_name(uint8_t *to, const char *name) {
  size_t at = 0;
  for (struct str rest = str_of(name); rest.len > 0;) {
    struct str label = str_cut(&rest, '.');
    to[at++] = (uint8_t) label.len;
    memcpy(to + at, label.ptr, label.len);
    at += label.len;
  }
  to[at++] = 0;
  return at;
}

static size_t answer_to(uint8_t *m, size_t len) {
  m[2] = 0x85; // an answer, with authority
  m[3] = record_count > 0 ? 0x80 : 0x83;
  m[6] = (uint8_t) (record_count >> 8);
  m[7] = (uint8_t) record_count;
  memset(m + 8, 0, 4);
  for (size_t i = 0; i < record_count; i++) {
    static const uint8_t head[] = {0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 5}; // the question's name, SRV, IN, 5 s
    memcpy(m + len, head, sizeof head);
    uint8_t *data = m + len + sizeof head + 2;
    memset(data, 0, 4);
    data[4] = (uint8_t) (records[i].port >> 8);
    data[5] = (uint8_t) records[i].port;
    size_t bytes = 6 + put_name(data + 6, records[i].target);
    data[-2] = (uint8_t) (bytes >> 8);
    data[-1] = (uint8_t) bytes;
    len += sizeof head + 2 + bytes;
  }
  return damaged ? len - 3 : len;
}

static void *serve(void *argument) {
  int s = *(int *) argument;
  uint8_t m[4096];
  struct sockaddr_in from;
  for (;;) {
    socklen_t size = sizeof from;
    ssize_t len = recvfrom(s, m, 1500, 0, (struct sockaddr *) &from, &size);
    if (len < 12) return NULL; // a word of one byte ends it
    m[11] = 0;                 // what the question has behind its name is not repeated
    size_t end = 12;
    while (m[end] != 0) end += m[end] + 1u;
    size_t whole = answer_to(m, end + 5);
    (void) !sendto(s, m, whole, 0, (struct sockaddr *) &from, size);
  }
}

static void with_name_server(const struct record *r, size_t count, const char *name, struct answer *ret) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  struct thread t;
  int s = socket(AF_INET, SOCK_DGRAM, 0);
  records = r;
  record_count = count;
  assert_int_equal(bind(s, (struct sockaddr *) &at, sizeof at), 0);
  assert_int_equal(getsockname(s, (struct sockaddr *) &at, &size), 0);
  assert_ok(thread_start(&t, "dns", serve, &s, NULL));
  net_resolver_ask(resolver, INADDR_LOOPBACK, ntohs(at.sin_port));
  ask(NET_LOOKUP_SRV, name, ret);
  assert_int_equal(sendto(s, "", 1, 0, (struct sockaddr *) &at, sizeof at), 1);
  (void) thread_join(&t);
  close(s);
}

// ---- stories ----

TEST(a_numeric_host_is_itself) {
  struct answer a;
  ask(NET_LOOKUP_HOSTS, "127.0.0.1:5000", &a);
  assert_string_equal(a.found, "127.0.0.1:5000 ");
  assert_int_equal(a.servers, 1);
  ask(NET_LOOKUP_HOSTS, "[::1]:5000", &a);
  assert_string_equal(a.found, "[::1]:5000 ");
}

TEST(a_name_that_is_not_known_says_which) {
  struct answer a;
  ask(NET_LOOKUP_HOSTS, "core9.invalid:5000", &a);
  assert_int_equal(a.err, ERR_NOTFOUND);
  assert_non_null(strstr(a.failure, "core9.invalid:5000: "));
}

TEST(srv_records_are_targets_with_ports) {
  static const struct record three[] = {{"neo4j-1.neo4j.default.svc.cluster.local", 5000},
                                        {"neo4j-0.neo4j.default.svc.cluster.local", 5000},
                                        {"other.example.org", 5100}};
  struct answer a;
  with_name_server(three, 3, "_discovery._tcp.neo4j.default.svc.cluster.local", &a);
  assert_string_equal(
      a.found,
      "neo4j-0.neo4j.default.svc.cluster.local:5000 neo4j-1.neo4j.default.svc.cluster.local:5000 other.example.org:5100 ");
  assert_int_equal(a.servers, 3);
}

TEST(a_service_that_is_not_there_or_has_no_records_is_told) {
  static const struct record root[] = {{"", 0}};
  struct answer a;
  with_name_server(NULL, 0, "_discovery._tcp.nowhere", &a);
  assert_int_equal(a.err, ERR_NOTFOUND);
  assert_non_null(strstr(a.failure, "_discovery._tcp.nowhere: Unknown host"));
  with_name_server(root, 1, "_discovery._tcp.empty", &a);
  assert_non_null(strstr(a.failure, "it has no SRV records"));
}

TEST(a_damaged_answer_is_told) {
  static const struct record one[] = {{"core1.example.org", 5000}};
  struct answer a;
  damaged = true;
  with_name_server(one, 1, "_discovery._tcp.broken", &a);
  damaged = false;
  assert_int_equal(a.err, ERR_NOTFOUND);
}

static bool count_target(void *context, const char *target UNUSED, uint16_t port UNUSED) {
  ++*(int *) context;
  return true;
}

TEST(answers_cut_anywhere_or_changed_anywhere_are_no_danger) {
  static const struct record three[] = {{"a.example.org", 1}, {"b.example.org", 2}, {"c.example.org", 3}};
  uint8_t m[1024] = {0, 7, 1, 0, 0, 1};
  records = three;
  record_count = 3;
  size_t len = 12 + put_name(m + 12, "_d._tcp.example.org");
  len += 4;
  m[len - 3] = 33;
  m[len - 1] = 1;
  len = answer_to(m, len);
  int targets = 0;
  assert_true(net_srv_parse(m, len, count_target, &targets));
  assert_int_equal(targets, 3);
  for (size_t cut = 0; cut < len; cut++) {
    targets = 0;
    assert_false(net_srv_parse(m, cut, count_target, &targets));
  }
  for (size_t at = 0; at < len; at++)
    for (unsigned bit = 0; bit < 8; bit++) {
      m[at] ^= (uint8_t) (1u << bit);
      (void) net_srv_parse(m, len, count_target, &targets);
      m[at] ^= (uint8_t) (1u << bit);
    }
}

TEST(a_question_that_was_given_up_is_not_answered) {
  struct answer a = {0}, b;
  struct question q = {NET_LOOKUP_HOSTS, "127.0.0.1:1", &a, true};
  loop_call(loop, ask_now, &q);
  ask(NET_LOOKUP_HOSTS, "127.0.0.1:2", &b); // the resolver answers in order
  assert_false(a.done);
}

static int begin(void **state UNUSED) {
  assert_ok(loop_start("lookup", &loop, NULL));
  assert_ok(net_resolver_new(&resolver, NULL));
  return 0;
}

static int end(void **state UNUSED) {
  net_resolver_free(resolver);
  loop_stop(loop);
  return 0;
}

int main(void) {
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {T(a_numeric_host_is_itself),
                                     T(a_name_that_is_not_known_says_which),
                                     T(srv_records_are_targets_with_ports),
                                     T(a_service_that_is_not_there_or_has_no_records_is_told),
                                     T(a_damaged_answer_is_told),
                                     T(answers_cut_anywhere_or_changed_anywhere_are_no_danger),
                                     T(a_question_that_was_given_up_is_not_answered)};
  return cmocka_run_group_tests(tests, begin, end);
}
