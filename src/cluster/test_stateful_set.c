// Which pods a StatefulSet has room for, and what the Kubernetes API says of one.
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "cluster/kubernetes.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
#define SET(metadata, spec) \
  OK "{\"kind\":\"StatefulSet\",\"apiVersion\":\"apps/v1\",\"metadata\":{\"name\":\"core\"" metadata "},\"spec\":{" spec "}}"

static const struct kubernetes_options options = {
    .address = {"localhost:443", 13}, .token_path = {"/run/token", 10}, .namespace_path = {"/run/namespace", 14}};

// ---- pods ----

TEST(a_pod_of_a_set_has_the_name_of_the_set_and_an_ordinal) {
  struct pod p;
  assert_true(pod_parse(STR("neo4j-core-12"), &p));
  assert_str(p.set, "neo4j-core");
  assert_int_equal(p.ordinal, 12);
  assert_true(pod_parse(STR("core-0.core.default.svc.cluster.local"), &p));
  assert_str(p.set, "core");
  assert_int_equal(p.ordinal, 0);
  const char *const others[] = {"",
                                "-",
                                "core",
                                "core-",
                                "-3",
                                "core-x",
                                "core-03",
                                "core-+3",
                                "core-2147483648",
                                "core-99999999999",
                                "neo4j-7d9f8b-x2x4z",
                                "127.0.0.1"};
  for (size_t i = 0; i < ARRAY_SIZE(others); i++) assert_false(pod_parse(str_of(others[i]), &p));
}

TEST(a_server_is_of_the_same_set_if_nothing_but_the_ordinal_differs) {
  const struct pod self = {STR("core"), 1};
  const char *own = "core-1.core.default.svc.cluster.local";
  uint32_t ordinal = 0;
  assert_true(pod_is_of_same_set(&self, str_of(own), STR("core-4.core.default.svc.cluster.local"), &ordinal));
  assert_int_equal(ordinal, 4);
  assert_true(pod_is_of_same_set(&self, STR("core-1"), STR("core-0"), &ordinal));
  static const struct {
    const char *own, *other;
  } cases[] = {
      {"core-1.core.default.svc.cluster.local", "core-4.core.other.svc.cluster.local"},    // another namespace
      {"core-1.core.default.svc.cluster.local", "cores-4.core.default.svc.cluster.local"}, // another set
      {"core-1.core.default.svc.cluster.local", "core-4"},
      {"core-1.core.default.svc.cluster.local", "10.0.0.4"},
      {"10.0.0.1", "core-4"}, // this one is not called by its pod's name
      {"core-2.x", "core-4.x"},
      {"10-1.0.0.1", "10-4.0.0.1"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
    assert_false(pod_is_of_same_set(&self, str_of(cases[i].own), str_of(cases[i].other), &ordinal));
}

TEST(a_pod_leaves_if_the_set_has_no_room_for_it_and_is_there_for_others) {
  static const struct {
    struct stateful_set set;
    uint32_t ordinal;
    enum pod_fate fate;
  } cases[] = {
      {{0, 5, false}, 4, POD_STAYS}, // a restart
      {{0, 3, false}, 2, POD_STAYS},
      {{0, 3, false}, 3, POD_LEAVES},
      {{0, 3, false}, 4, POD_LEAVES},
      {{0, 0, false}, 0, POD_RESTS}, // the cluster is paused
      {{0, 3, true}, 4, POD_RESTS},  // it goes as a whole
      {{10, 3, false}, 12, POD_STAYS},
      {{10, 3, false}, 13, POD_LEAVES},
      {{10, 3, false}, 9, POD_LEAVES}, // the set was moved up
      {{INT32_MAX, INT32_MAX, false}, INT32_MAX, POD_STAYS},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
    assert_int_equal(stateful_set_fate(&cases[i].set, cases[i].ordinal), cases[i].fate);
}

// ---- what the API says ----

TEST(a_set_is_asked_for_by_name_in_the_pods_namespace) {
  struct buf b = BUF_INIT;
  assert_ok(kubernetes_set_request(&b, &options, STR("default"), STR("neo4j-core"), STR("abc.def"), NULL));
  assert_str(buf_str(&b), "GET /apis/apps/v1/namespaces/default/statefulsets/neo4j-core HTTP/1.1\r\nHost: localhost:443\r\n"
                          "Authorization: Bearer abc.def\r\nAccept: application/json\r\nConnection: close\r\n\r\n");
  buf_done(&b);
}

TEST(nothing_gets_into_the_request_that_is_no_name) {
  static const struct {
    const char *namespace, *name, *token;
  } cases[] = {{"default", "", "t"},
               {"default", "core/scale", "t"},
               {"default", "core HTTP/1.1\r\n", "t"},
               {"..", "core", "t"},
               {"default", "core", "t\r\n"}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct buf b = BUF_INIT;
    struct error e = ERROR_INIT;
    assert_int_equal(
        kubernetes_set_request(&b, &options, str_of(cases[i].namespace), str_of(cases[i].name), str_of(cases[i].token), &e),
        ERR_INVALID);
    assert_true(e.message[0] != '\0');
    buf_done(&b);
  }
}

static enum err hear(const char *response, struct stateful_set *ret, struct error *e) {
  struct arena arena;
  arena_init(&arena, NULL);
  enum err err = kubernetes_set_response(str_of(response), &options, STR("default"), STR("core"), &arena, ret, e);
  arena_done(&arena);
  return err;
}

TEST(replicas_the_first_ordinal_and_a_deletion_are_read) {
  static const struct {
    const char *response;
    struct stateful_set set;
  } cases[] = {
      {SET("", "\"replicas\":3"), {0, 3, false}},
      {SET("", "\"replicas\":0"), {0, 0, false}},
      {SET(",\"deletionTimestamp\":null", "\"replicas\":5,\"ordinals\":{\"start\":10}"), {10, 5, false}},
      {SET(",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"", "\"replicas\":3"), {0, 3, true}},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct stateful_set s = {.first = -1};
    struct error e = ERROR_INIT;
    if (hear(cases[i].response, &s, &e) != ERR_OK) fail_msg("%s", e.message);
    assert_int_equal(s.first, cases[i].set.first);
    assert_int_equal(s.replicas, cases[i].set.replicas);
    assert_int_equal(s.deleted, cases[i].set.deleted);
  }
}

TEST(what_does_not_say_it_plainly_says_nothing) {
  static const struct {
    const char *response, *text;
  } cases[] = {
      {"HTTP/1.1 403 Forbidden\r\n\r\n", "bind its service account to a Role that allows get on statefulsets (apiGroups: apps)"},
      {"HTTP/1.1 404 Not Found\r\n\r\n", "answers with status 404"},
      {OK "{\"kind\":\"Status\"}", "does not tell of the StatefulSet"},
      {OK "{\"kind\":\"StatefulSet\",\"metadata\":{\"name\":\"other\"},\"spec\":{\"replicas\":3}}",
       "does not tell of the StatefulSet"},
      {OK "[1]", "does not tell of the StatefulSet"},
      {OK "{", "does not tell of the StatefulSet"},
      {SET("", ""), "does not say how many replicas"},
      {SET("", "\"replicas\":-1"), "does not say how many replicas"},
      {SET("", "\"replicas\":3.5"), "does not say how many replicas"},
      {SET("", "\"replicas\":\"3\""), "does not say how many replicas"},
      {SET("", "\"replicas\":99999999999"), "does not say how many replicas"},
      {SET("", "\"replicas\":3,\"ordinals\":{\"start\":-1}"), "does not say how many replicas"},
      {SET("", "\"replicas\":3,\"ordinals\":{}"), "does not say how many replicas"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct stateful_set s = {.replicas = 77};
    struct error e = ERROR_INIT;
    assert_int_equal(hear(cases[i].response, &s, &e), ERR_IO);
    if (strstr(e.message, cases[i].text) == NULL) fail_msg("%s", e.message);
    assert_int_equal(s.replicas, 77);
  }
}

int main(void) {
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {T(a_pod_of_a_set_has_the_name_of_the_set_and_an_ordinal),
                                     T(a_server_is_of_the_same_set_if_nothing_but_the_ordinal_differs),
                                     T(a_pod_leaves_if_the_set_has_no_room_for_it_and_is_there_for_others),
                                     T(a_set_is_asked_for_by_name_in_the_pods_namespace),
                                     T(nothing_gets_into_the_request_that_is_no_name),
                                     T(replicas_the_first_ordinal_and_a_deletion_are_read),
                                     T(what_does_not_say_it_plainly_says_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
