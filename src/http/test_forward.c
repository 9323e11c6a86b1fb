#include "base/test.h"
#include "http/forward.h"

static enum err read(const char *answer, struct http_response *ret) {
  static struct buf scratch = BUF_INIT;
  return http_forward_read(str_of(answer), &scratch, ret);
}

TEST(what_a_member_says_is_passed_on) {
  struct http_response r;
  assert_ok(read("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ntrue", &r));
  assert_int_equal(r.status, 200);
  assert_str(r.content_type, "text/plain");
  assert_str(r.body, "true");
  assert_int_equal(r.headers.len, 0);
  assert_ok(read("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nSet-Cookie: a=b\r\n\r\n", &r));
  assert_int_equal(r.status, 401);
  assert_str(r.headers, "WWW-Authenticate: Basic realm=\"Quiver\"\r\n");
  assert_ok(read("HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<b>", &r));
  assert_int_equal(r.content_type.len, 0);
}

TEST(what_is_no_whole_answer_is_not) {
  static const char *const answers[] = {
      "",
      "HTTP/1.1 200",
      "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n",
      "HTTP/1.1 200 OK\r\n\r\ntrue",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntrue",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntrue",
      "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\ntrue",
      "HTTP/1.1 200 OK\r\nContent-Length: four\r\n\r\ntrue",
  };
  struct http_response r;
  for (size_t i = 0; i < ARRAY_SIZE(answers); i++) assert_int_equal(read(answers[i], &r), ERR_IO);
}

TESTS(T(what_a_member_says_is_passed_on), T(what_is_no_whole_answer_is_not))
