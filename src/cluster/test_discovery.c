// Kubernetes' side is played: texts for the pure part, and a small real HTTPS server for the whole.
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "cluster/discovery.h"
#include "os/tls.h"
#include "os/tls_test.h"

#define SERVICE(name, port_name, port)                                                                                           \
  "{\"metadata\":{\"name\":\"" name "\",\"labels\":{\"app\":\"neo4j\"}},\"spec\":{\"ports\":[{\"name\":\"bolt\",\"port\":7687}," \
  "{\"name\":\"" port_name "\",\"protocol\":\"TCP\",\"port\":" port "}]}}"
#define LIST(items) "{\"kind\":\"ServiceList\",\"apiVersion\":\"v1\",\"items\":[" items "]}"
#define TWO LIST(SERVICE("core-0", "discovery", "5000") "," SERVICE("core-1", "discovery", "5000"))
#define OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static struct kubernetes_options options = {.address = {"localhost:443", 13},
                                            .token_path = {"/run/token", 10},
                                            .namespace_path = {"/run/namespace", 14},
                                            .label_selector = {"app=neo4j,role in (core)", 24},
                                            .service_port_name = {"discovery", 9},
                                            .cluster_domain = {"cluster.local", 13}};

// ---- the pure part ----

TEST(the_request_is_one_get_with_the_label_escaped) {
  struct buf b = BUF_INIT;
  assert_ok(kubernetes_request(&b, &options, STR("default"), STR("abc.def"), NULL));
  assert_str(buf_str(&b), "GET /api/v1/namespaces/default/services?labelSelector=app%3Dneo4j%2Crole%20in%20%28core%29 "
                          "HTTP/1.1\r\nHost: localhost:443\r\n"
                          "Authorization: Bearer abc.def\r\nAccept: application/json\r\nConnection: close\r\n\r\n");
  buf_done(&b);
}

TEST(nothing_gets_into_the_request_that_is_no_name_or_token) {
  static const struct {
    const char *namespace, *token;
  } cases[] = {{"", "t"}, {"../nodes", "t"}, {"default", ""}, {"default", "a\r\nHost: x"}, {"default", "a b"}, {"UPPER", "t"}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct buf b = BUF_INIT;
    struct error e = ERROR_INIT;
    assert_int_equal(kubernetes_request(&b, &options, str_of(cases[i].namespace), str_of(cases[i].token), &e), ERR_INVALID);
    assert_non_null(strstr(e.message, "dbms.kubernetes."));
    buf_done(&b);
  }
}

static char listed[2000];

static enum err hear(const char *response, struct error *e) {
  struct arena arena;
  const struct str *addresses;
  size_t count = 0, len = 0;
  arena_init(&arena, NULL);
  enum err err = kubernetes_response(str_of(response), &options, STR("default"), &arena, &addresses, &count, e);
  listed[0] = '\0';
  for (size_t i = 0; err == ERR_OK && i < count; i++)
    len += (size_t) snprintf(listed + len, sizeof listed - len, "%.*s ", STR_ARG(addresses[i]));
  arena_done(&arena);
  return err;
}

TEST(services_with_the_port_are_servers) {
  struct error e = ERROR_INIT;
  assert_ok(hear(OK "\r\n" TWO, &e));
  assert_string_equal(listed, "core-0.default.svc.cluster.local:5000 core-1.default.svc.cluster.local:5000 ");
  assert_ok(hear(OK "\r\n" LIST(SERVICE("web", "http", "80") "," SERVICE("core-9", "discovery", "5100")), &e));
  assert_string_equal(listed, "core-9.default.svc.cluster.local:5100 ");
}

TEST(a_body_has_a_length_or_chunks_or_goes_to_the_end) {
  struct error e = ERROR_INIT;
  char response[2000];
  snprintf(response, sizeof response, OK "content-length: %zu\r\n\r\n%s", strlen(TWO), TWO);
  assert_ok(hear(response, &e));
  snprintf(response, sizeof response, OK "Transfer-Encoding: chunked\r\n\r\n10\r\n%.16s\r\n%zx;x=y\r\n%s\r\n0\r\n\r\n", TWO,
           strlen(TWO) - 16, &TWO[16]);
  assert_ok(hear(response, &e));
  assert_string_equal(listed, "core-0.default.svc.cluster.local:5000 core-1.default.svc.cluster.local:5000 ");
}

TEST(what_is_no_answer_is_told) {
  static const struct {
    const char *response, *text;
  } cases[] = {{"", "does not speak HTTP/1"},
               {"SSH-2.0-OpenSSH\r\n", "does not speak HTTP/1"},
               {"HTTP/1.1 abc\r\n\r\n", "gives no status"},
               {OK "Content-Length: 10\r\n", "its head is cut off"},
               {OK "Content-Length: -1\r\n\r\n", "its length is none"},
               {OK "Content-Length: 10000\r\n\r\n" TWO, "it is cut off"},
               {OK "Transfer-Encoding: chunked\r\n\r\n10\r\n{}", "a chunk of it is cut off"},
               {OK "Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\n{}", "a chunk of it is cut off"},
               {OK "\r\nhello", "it lists no services"},
               {OK "\r\n{\"items\":7}", "it lists no services"},
               {"HTTP/1.1 401 Unauthorized\r\n\r\n", "does not know the token in /run/token"},
               {"HTTP/1.1 403 Forbidden\r\n\r\n", "bind its service account to a Role"},
               {"HTTP/1.1 500 Oh\r\n\r\n", "answers with status 500"},
               {OK "\r\n" LIST(""), "of 0 services in namespace 'default' with label 'app=neo4j,role in (core)'"},
               {OK "\r\n" LIST(SERVICE("core-0", "other", "5000")), "none has a port called 'discovery'"},
               {OK "\r\n" LIST(SERVICE("../evil", "discovery", "5000")), "none has a port"},
               {OK "\r\n" LIST(SERVICE("core", "discovery", "70000")), "none has a port"}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct error e = ERROR_INIT;
    assert_int_equal(hear(cases[i].response, &e), ERR_IO);
    if (strstr(e.message, cases[i].text) == NULL) fail_msg("%s", e.message);
  }
}

TEST(an_answer_cut_or_changed_anywhere_is_no_danger) {
  char response[] = OK "Transfer-Encoding: chunked\r\n\r\n9\r\n{\"items\":\r\n2\r\n[]\r\n1\r\n}\r\n0\r\n\r\n";
  for (size_t at = 0; at < sizeof response - 1; at++)
    for (unsigned bit = 0; bit < 8; bit++) {
      response[at] ^= (char) (1u << bit);
      (void) !hear(response, NULL);
      response[at] ^= (char) (1u << bit);
    }
}

// ---- a small HTTPS server ----

struct api {
  struct loop *loop;
  struct net_listener *listener;
  struct net_conn *conn;
  struct tls_context *tls;
  bool tls_begun, silent;
  const char *response;
  char asked[1000], address[NET_ADDRESS_TEXT_MAX];
  size_t asked_len;
};

static struct api api;
static struct net_resolver *resolver;
static char folder[] = "/tmp/quiver-kubernetes-XXXXXX", cert[64], key[64], token[64], namespace[64], other_ca[64];

static void api_received(void *context UNUSED, const void *bytes, size_t len) {
  if (!api.tls_begun) {
    api.tls_begun = true;
    (void) !net_conn_start_tls(api.conn, api.tls, bytes, len, NULL);
    return;
  }
  size_t take = MIN(len, sizeof api.asked - 1 - api.asked_len);
  memcpy(api.asked + api.asked_len, bytes, take);
  api.asked_len += take;
  if (strstr(api.asked, "\r\n\r\n") == NULL || api.silent) return;
  assert_ok(net_conn_write(api.conn, api.response, strlen(api.response)));
  net_conn_finish(api.conn, 10000); // however slow the machine is
}

static void api_drained(void *context UNUSED) {
}

static void api_closed(void *context UNUSED, enum err why UNUSED) {
  net_conn_free(api.conn);
  api.conn = NULL;
}

static void api_accepted(void *context UNUSED, int socket, const char *peer UNUSED, const char *local UNUSED) {
  static const struct net_conn_events events = {api_received, api_drained, api_closed};
  static const struct net_conn_limits limits = {8 << 20, 1 << 10};
  net_conn_free(api.conn);
  api.tls_begun = false;
  api.asked_len = 0;
  memset(api.asked, 0, sizeof api.asked);
  assert_ok(net_conn_new(api.loop, socket, &limits, &events, NULL, &api.conn, NULL));
}

static void listen_now(void *argument UNUSED) {
  static const struct net_listener_events events = {api_accepted};
  assert_ok(net_listen(api.loop, STR("127.0.0.1:0"), 0, &events, NULL, &api.listener, NULL));
  const char *port = strrchr(net_listener_address(api.listener), ':');
  snprintf(api.address, sizeof api.address, "localhost%s", port);
}

static void hang_up_now(void *argument UNUSED) {
  net_listener_free(api.listener);
  net_conn_free(api.conn);
  api.conn = NULL;
}

static void write_file(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static int begin(void **state UNUSED) {
  char second[80];
  assert_non_null(mkdtemp(folder));
  assert_true(tls_test_make_certificate(folder));
  snprintf(cert, sizeof cert, "%s/cert.pem", folder);
  snprintf(key, sizeof key, "%s/key.pem", folder);
  snprintf(token, sizeof token, "%s/token", folder);
  snprintf(namespace, sizeof namespace, "%s/namespace", folder);
  const struct tls_settings settings = {.certificate_path = cert, .key_path = key};
  assert_ok(tls_context_new(&settings, &api.tls, NULL));
  snprintf(other_ca, sizeof other_ca, "%s/other.pem", folder); // another authority: the certificate is made anew
  snprintf(second, sizeof second, "%s/own.pem", folder);
  assert_int_equal(rename(cert, second), 0);
  assert_true(tls_test_make_certificate(folder));
  assert_int_equal(rename(cert, other_ca), 0);
  assert_int_equal(rename(second, cert), 0);
  write_file(token, "tok.en\n");
  write_file(namespace, "default");
  assert_ok(loop_start("api", &api.loop, NULL));
  assert_ok(net_resolver_new(&resolver, NULL));
  loop_call(api.loop, listen_now, NULL);
  return 0;
}

static int end(void **state UNUSED) {
  loop_call(api.loop, hang_up_now, NULL);
  net_resolver_free(resolver);
  loop_stop(api.loop);
  tls_context_free(api.tls);
  const char *const files[] = {cert, key, token, namespace, other_ca};
  for (size_t i = 0; i < ARRAY_SIZE(files); i++) unlink(files[i]);
  rmdir(folder);
  return 0;
}

// ---- discovery by it ----

struct seeker {
  struct discovery *discovery;
  struct discovery_options options;
  struct event_sink sink;
  _Atomic int found, told;
  char addresses[500], event[600];
  uint32_t servers;
  enum err err;
  struct error error;
};

static void on_found(void *context, const struct str *addresses, size_t count, uint32_t servers) {
  struct seeker *s = context;
  size_t len = 0;
  for (size_t i = 0; i < count; i++)
    len += (size_t) snprintf(s->addresses + len, sizeof s->addresses - len, "%.*s ", STR_ARG(addresses[i]));
  s->servers = servers;
  s->found++;
}

static void note_event(struct event_sink *sink, enum event_level level UNUSED, const char *name UNUSED, struct str text) {
  struct seeker *s = CONTAINER_OF(sink, struct seeker, sink);
  if (s->told == 0) snprintf(s->event, sizeof s->event, "%.*s", STR_ARG(text));
  s->told++;
}

static void seek_now(void *argument) {
  static const struct discovery_events events = {on_found};
  struct seeker *s = argument;
  s->err = discovery_open(api.loop, &s->options, &events, s, &s->discovery, &s->error);
}

static void stop_now(void *argument) {
  discovery_close(((struct seeker *) argument)->discovery);
}

static void seek(struct seeker *s, enum discovery_type type, const char *endpoints) {
  *s = (struct seeker){.sink.raise = note_event};
  s->options = (struct discovery_options){.type = type,
                                          .endpoints = str_of(endpoints),
                                          .source = "dbms.cluster.discovery.endpoints",
                                          .kubernetes = options,
                                          .resolver = resolver,
                                          .events = &s->sink,
                                          .refresh_ms = 50};
  s->options.kubernetes.address = str_of(api.address);
  s->options.kubernetes.ca_path = str_of(cert);
  s->options.kubernetes.token_path = str_of(token);
  s->options.kubernetes.namespace_path = str_of(namespace);
}

static void go(struct seeker *s) {
  s->error = ERROR_INIT;
  loop_call(api.loop, seek_now, s);
}

static bool becomes(_Atomic int *value) {
  for (int i = 0; i < 10000 && *value == 0; i++) poll(NULL, 0, 1);
  return *value > 0;
}

TEST(the_api_is_asked_over_tls_with_the_pods_token) {
  struct seeker s;
  api.response = OK "\r\n" TWO;
  seek(&s, DISCOVERY_K8S, "");
  go(&s);
  assert_true(becomes(&s.found));
  loop_call(api.loop, stop_now, &s);
  assert_string_equal(s.addresses, "core-0.default.svc.cluster.local:5000 core-1.default.svc.cluster.local:5000 ");
  assert_int_equal(s.servers, 2);
  assert_non_null(strstr(api.asked, "GET /api/v1/namespaces/default/services?labelSelector=app%3Dneo4j"));
  assert_non_null(strstr(api.asked, "Authorization: Bearer tok.en\r\n"));
}

static void refused(struct seeker *s, const char *text) {
  go(s);
  assert_true(becomes(&s->told));
  poll(NULL, 0, 300); // it goes on trying, and says it once
  loop_call(api.loop, stop_now, s);
  assert_int_equal(s->told, 1);
  assert_int_equal(s->found, 0);
  if (strstr(s->event, text) == NULL) fail_msg("%s", s->event);
}

TEST(what_is_wrong_with_the_api_is_told_once) {
  struct seeker s;
  api.response = "HTTP/1.1 403 Forbidden\r\n\r\n";
  seek(&s, DISCOVERY_K8S, "");
  refused(&s, "bind its service account to a Role");
  seek(&s, DISCOVERY_K8S, "");
  s.options.kubernetes.ca_path = str_of(other_ca);
  refused(&s, "certificate");
  seek(&s, DISCOVERY_K8S, "");
  s.options.kubernetes.token_path = STR("/nowhere/token");
  refused(&s, "/nowhere/token");
  seek(&s, DISCOVERY_K8S, "");
  s.options.kubernetes.address = STR("kubernetes.invalid:443");
  refused(&s, "kubernetes.invalid:443");
}

TEST(an_api_that_does_not_answer_is_given_up_in_time) {
  struct seeker s;
  api.silent = true;
  seek(&s, DISCOVERY_K8S, "");
  s.options.kubernetes.timeout_ms = 100;
  refused(&s, "it does not answer in time");
  api.silent = false;
}

TEST(an_answer_without_end_is_given_up) {
  struct seeker s;
  char *long_response = malloc(5 << 20); // banned-ok: the test's own
  memset(long_response, ' ', 5 << 20);
  memcpy(long_response, OK "\r\n", sizeof OK "\r\n" - 1);
  long_response[(5 << 20) - 1] = '\0';
  api.response = long_response;
  seek(&s, DISCOVERY_K8S, "");
  refused(&s, "its answer is too long");
  free(long_response);
}

// ---- a StatefulSet ----

struct asker {
  struct kubernetes_question *question;
  struct stateful_set set;
  struct error error;
  _Atomic int told, failed;
};

static void on_set(void *context, const struct stateful_set *set) {
  struct asker *a = context;
  a->set = *set;
  a->told++;
}

static void on_set_failed(void *context, const struct error *why) {
  struct asker *a = context;
  a->error = *why;
  a->failed++;
}

static void ask_for_set(void *argument) {
  static const struct kubernetes_events events = {.set = on_set, .failed = on_set_failed};
  struct asker *a = argument;
  struct seeker s;
  seek(&s, DISCOVERY_K8S, "");
  assert_ok(kubernetes_ask_set(api.loop, resolver, &s.options.kubernetes, STR("core"), &events, a, &a->question, NULL));
}

TEST(the_api_is_asked_for_a_stateful_set) {
  struct asker a = {0};
  api.response = OK "\r\n{\"kind\":\"StatefulSet\",\"metadata\":{\"name\":\"core\"},\"spec\":{\"replicas\":3}}";
  loop_call(api.loop, ask_for_set, &a);
  assert_true(becomes(&a.told));
  assert_int_equal(a.set.replicas, 3);
  assert_non_null(strstr(api.asked, "GET /apis/apps/v1/namespaces/default/statefulsets/core HTTP/1.1\r\n"));
  assert_non_null(strstr(api.asked, "Authorization: Bearer tok.en\r\n"));
  api.response = "HTTP/1.1 403 Forbidden\r\n\r\n";
  loop_call(api.loop, ask_for_set, &a);
  assert_true(becomes(&a.failed));
  assert_non_null(strstr(a.error.message, "allows get on statefulsets"));
  assert_int_equal(a.told, 1);
}

// ---- lists and names ----

TEST(a_list_is_taken_as_it_is) {
  struct seeker s;
  seek(&s, DISCOVERY_LIST, " core1.example.com:5000 ,core2:5100,[::1]:5200");
  go(&s);
  assert_true(becomes(&s.found));
  loop_call(api.loop, stop_now, &s);
  assert_string_equal(s.addresses, "core1.example.com:5000 core2:5100 [::1]:5200 ");
  assert_int_equal(s.servers, 3);
}

TEST(a_list_with_something_else_in_it_is_refused) {
  static const struct {
    const char *endpoints, *text;
  } cases[] = {{"", "names no server"},
               {",", "names no server"},
               {"core1", "must have a host and a port"},
               {":5000", "must have a host"},
               {"a:b:c", "is not an address"}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct seeker s;
    seek(&s, DISCOVERY_LIST, cases[i].endpoints);
    go(&s);
    assert_int_equal(s.err, ERR_INVALID);
    if (strstr(s.error.message, cases[i].text) == NULL) fail_msg("%s", s.error.message);
    assert_non_null(strstr(s.error.message, "dbms.cluster.discovery.endpoints"));
  }
  struct seeker s;
  seek(&s, DISCOVERY_K8S, "");
  s.options.kubernetes.label_selector = STR("");
  go(&s);
  assert_non_null(strstr(s.error.message, "dbms.kubernetes.label_selector"));
}

TEST(names_stand_for_addresses_and_one_that_fails_keeps_no_other_back) {
  struct seeker s;
  seek(&s, DISCOVERY_DNS, "127.0.0.1:5000,core9.invalid:5000,127.0.0.2:5000");
  go(&s);
  assert_true(becomes(&s.found));
  loop_call(api.loop, stop_now, &s);
  assert_string_equal(s.addresses, "127.0.0.1:5000 127.0.0.2:5000 ");
  assert_int_equal(s.servers, 2);
  assert_int_equal(s.told, 1);
  assert_non_null(strstr(s.event, "cannot find servers by dbms.cluster.discovery.endpoints: core9.invalid:5000: "));
}

int main(void) {
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {T(the_request_is_one_get_with_the_label_escaped),
                                     T(nothing_gets_into_the_request_that_is_no_name_or_token),
                                     T(services_with_the_port_are_servers),
                                     T(a_body_has_a_length_or_chunks_or_goes_to_the_end),
                                     T(what_is_no_answer_is_told),
                                     T(an_answer_cut_or_changed_anywhere_is_no_danger),
                                     T(the_api_is_asked_over_tls_with_the_pods_token),
                                     T(what_is_wrong_with_the_api_is_told_once),
                                     T(an_api_that_does_not_answer_is_given_up_in_time),
                                     T(an_answer_without_end_is_given_up),
                                     T(the_api_is_asked_for_a_stateful_set),
                                     T(a_list_is_taken_as_it_is),
                                     T(a_list_with_something_else_in_it_is_refused),
                                     T(names_stand_for_addresses_and_one_that_fails_keeps_no_other_back)};
  return cmocka_run_group_tests(tests, begin, end);
}
