#include <string.h>

#include "base/test.h"
#include "http/routes.h"

static struct http_routes routes(const char *advertised) {
  struct http_routes r;
  http_routes_init(&r, &(struct http_routes_options){.discovery = {str_of(advertised), 7687, STR("5.26.0"), STR("community")}});
  return r;
}

/// Sends `request` in pieces of `step` bytes and returns all answers.
static struct buf talk(const char *advertised, const char *request, size_t step, bool *closing) {
  struct http_routes r = routes(advertised);
  struct http_connection c;
  http_connection_init(&c, &r.handler, NULL, 1000, 100);
  struct buf out = BUF_INIT;
  for (size_t at = 0, len = strlen(request); at < len; at += step)
    assert_ok(http_connection_receive(&c, request + at, MIN(step, len - at), 784111777, &out));
  *closing = c.closing;
  http_connection_done(&c);
  return out;
}

static void assert_answer(const char *request, const char *status, const char *part) {
  for (size_t step = 1; step < 200; step += 50) {
    bool closing;
    CLEANUP(buf_done) struct buf out = talk("", request, step, &closing);
    assert_true(str_starts(buf_str(&out), str_of(status)));
    assert_true(str_find(buf_str(&out), str_of(part)) >= 0);
  }
}

TEST(the_discovery_document_says_where_bolt_is) {
  bool closing;
  CLEANUP(buf_done) struct buf out = talk("", "GET / HTTP/1.1\r\nHost: db.example:7474\r\n\r\n", 1000, &closing);
  assert_str(buf_str(&out),
             "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: keep-alive\r\n"
             "Access-Control-Allow-Origin: *\r\nVary: Accept\r\nContent-Type: application/json\r\nContent-Length: 170\r\n\r\n"
             "{\"bolt_routing\":\"neo4j://db.example:7687\",\"bolt_direct\":\"bolt://db.example:7687\","
             "\"neo4j_version\":\"5.26.0\",\"neo4j_edition\":\"community\",\"auth_config\":{\"oidc_providers\":[]}}");
  assert_false(closing);
}

TEST(an_advertised_address_wins_over_the_host_header) {
  bool closing;
  CLEANUP(buf_done) struct buf out = talk("public.example:9999", "GET / HTTP/1.0\r\nHost: inside\r\n\r\n", 1000, &closing);
  assert_true(str_find(buf_str(&out), STR("bolt://public.example:9999\"")) > 0);
  assert_true(closing); // HTTP/1.0 without keep-alive
}

TEST(listening_on_all_interfaces_is_no_address_to_connect_to) {
  bool closing;
  CLEANUP(buf_done) struct buf out = talk("0.0.0.0:7688", "GET / HTTP/1.1\r\nHost: [::1]:7474\r\n\r\n", 1000, &closing);
  assert_true(str_find(buf_str(&out), STR("bolt://[::1]:7688\"")) > 0);
}

TEST(a_host_header_cannot_inject_into_the_document) {
  assert_answer("GET / HTTP/1.1\r\nHost: x\",\"a\":\"b\r\n\r\n", "HTTP/1.1 200 OK", "bolt://localhost:7687\"");
  assert_answer("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK", "bolt://localhost:7687\"");
}

TEST(requests_are_answered_in_order_and_bodies_are_skipped) {
  bool closing;
  CLEANUP(buf_done)
  struct buf out = talk(
      "",
      "POST /none HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloPOST / HTTP/1.1\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n\r\n",
      3, &closing);
  struct str answers = buf_str(&out);
  int64_t first = str_find(answers, STR("404 Not Found")), second = str_find(answers, STR("405 Method Not Allowed"));
  assert_true(first > 0 && second > first);
  assert_int_equal(str_find(answers, STR("200 OK")), -1); // nothing after "close"
  assert_true(closing);
}

TEST(another_protocol_is_refused_before_its_first_line_ends) {
  assert_answer("\x60\x60\xB0\x17", "HTTP/1.1 400", "close");
  assert_answer("\x16\x03\x01", "HTTP/1.1 400", "close");
  assert_answer("\n", "HTTP/1.1 400", "close");
}

TEST(what_is_not_http_or_too_long_is_refused) {
  assert_answer("\x16\x03\x01\n\n", "HTTP/1.1 400", "close");
  assert_answer("GET / HTTP/2.0\r\n\r\n", "HTTP/1.1 400", "close");
  assert_answer("GET  / HTTP/1.1\r\n\r\n", "HTTP/1.1 400", "close");
  assert_answer("GET / HTTP/1.1\r\nA : b\r\n\r\n", "HTTP/1.1 400", "close");
  assert_answer("GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", "HTTP/1.1 400", "close");
  assert_answer("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "HTTP/1.1 400", "close");
  assert_answer("POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 400", "close");
  assert_answer("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 400", "close");
  assert_answer("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", "HTTP/1.1 413", "close");
  char line[1200] = "GET /";
  memset(line + 5, 'a', sizeof line - 6);
  line[sizeof line - 1] = '\0';
  assert_answer(line, "HTTP/1.1 431", "close");
}

TEST(header_names_and_list_tokens_have_no_case) {
  struct http_request r;
  assert_ok(http_request_parse(STR("GET / HTTP/1.1\r\nCONNECTION: keep-alive, UpGrade\r\nconnection:x\r\n\r\n"), &r, NULL));
  assert_true(http_request_has_token(&r, STR("Connection"), STR("upgrade")));
  assert_true(http_request_has_token(&r, STR("Connection"), STR("X")));
  assert_false(http_request_has_token(&r, STR("Connection"), STR("keep")));
  assert_str(http_request_header(&r, STR("connection")), "keep-alive, UpGrade");
}

TEST(dates_are_right_around_leap_days) {
  static const struct {
    int64_t wall_s;
    const char *text;
  } cases[] = {
      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
      {1709251199, "Thu, 29 Feb 2024 23:59:59 GMT"},
      {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    assert_ok(http_date_write(&out, cases[i].wall_s));
    assert_str(buf_str(&out), cases[i].text);
  }
}

TEST(each_failing_allocation_gives_an_answer_or_an_error) {
  struct http_routes r = routes("");
  EACH_ALLOC_FAILS(n) {
    struct http_connection c;
    http_connection_init(&c, &r.handler, NULL, 1000, 100);
    struct buf out = BUF_INIT;
    enum err err = http_connection_receive(&c, "GET / HTTP/1.1\r\n\r\n", 18, 0, &out);
    assert_true(err == ERR_NOMEM || str_starts(buf_str(&out), STR("HTTP/1.1 200")) ||
                str_starts(buf_str(&out), STR("HTTP/1.1 500")));
    http_connection_done(&c);
    buf_done(&out);
  }
}

TESTS(T(the_discovery_document_says_where_bolt_is), T(an_advertised_address_wins_over_the_host_header),
      T(listening_on_all_interfaces_is_no_address_to_connect_to), T(a_host_header_cannot_inject_into_the_document),
      T(requests_are_answered_in_order_and_bodies_are_skipped), T(another_protocol_is_refused_before_its_first_line_ends),
      T(what_is_not_http_or_too_long_is_refused), T(header_names_and_list_tokens_have_no_case),
      T(dates_are_right_around_leap_days), T(each_failing_allocation_gives_an_answer_or_an_error))
