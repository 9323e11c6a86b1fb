#include "http/request.h"

#include <string.h>

static bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(struct str s) {
  for (size_t i = 0; i < s.len; i++)
    if (!is_token_char(s.ptr[i])) return false;
  return s.len > 0;
}

static bool is_field_value(struct str s) {
  for (size_t i = 0; i < s.len; i++)
    if (((unsigned char) s.ptr[i] < 0x20 && s.ptr[i] != '\t') || s.ptr[i] == 0x7f) return false;
  return true;
}

static bool is_target(struct str s) {
  for (size_t i = 0; i < s.len; i++)
    if ((unsigned char) s.ptr[i] <= 0x20 || s.ptr[i] == 0x7f) return false;
  return s.len > 0;
}

static enum err malformed(struct error *e, const char *what) {
  return error_set(e, ERR_REQUEST_FORMAT, "malformed HTTP request: %s", what);
}

/// Cuts the next line off, without its end. False where no line end is there yet.
static bool next_line(struct str *rest, struct str *ret) {
  const char *end = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
  if (end == NULL) return false;
  size_t len = (size_t) (end - rest->ptr);
  *ret = (struct str){rest->ptr, len > 0 && end[-1] == '\r' ? len - 1 : len};
  *rest = (struct str){end + 1, rest->len - len - 1};
  return true;
}

static enum err parse_request_line(struct str line, struct http_request *r, struct error *e) {
  r->method = str_cut(&line, ' ');
  r->target = str_cut(&line, ' ');
  if (!is_token(r->method) || !is_target(r->target)) return malformed(e, "the request line");
  if (line.len != 8 || !str_starts(line, STR("HTTP/1.")) || line.ptr[7] < '0' || line.ptr[7] > '9')
    return malformed(e, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  r->minor = line.ptr[7] - '0';
  return ERR_OK;
}

/// Whoever speaks another protocol, as a driver that was given the wrong port, waits for an answer and sends no line.
static bool may_become_request(struct str begun) {
  struct str method = str_cut(&begun, ' ');
  return method.len == 0 || is_token(method);
}

static enum err parse_header(struct str line, struct http_request *r, struct error *e) {
  if (r->header_count == HTTP_HEADERS_MAX) return malformed(e, "too many headers");
  struct str value = line;
  struct str name = str_cut(&value, ':');
  if (value.ptr == NULL || !is_token(name) || !is_field_value(value)) return malformed(e, "a header line");
  r->headers[r->header_count++] = (struct http_header){name, str_trim(value)};
  return ERR_OK;
}

enum err http_request_parse(struct str bytes, struct http_request *ret, struct error *e) {
  struct http_request r = {.header_count = 0};
  struct str rest = bytes, line;
  if (!next_line(&rest, &line)) return may_become_request(bytes) ? ERR_SHORT : malformed(e, "the request line");
  TRY(parse_request_line(line, &r, e));
  for (;;) {
    if (!next_line(&rest, &line)) return ERR_SHORT;
    if (line.len == 0) break;
    TRY(parse_header(line, &r, e));
  }
  r.head_bytes = bytes.len - rest.len;
  *ret = r;
  return ERR_OK;
}

struct str http_request_header(const struct http_request *r, struct str name) {
  for (uint32_t i = 0; i < r->header_count; i++)
    if (str_eq_nocase(r->headers[i].name, name)) return r->headers[i].value;
  return STR_NONE;
}

static bool list_has(struct str list, struct str token) {
  while (list.ptr != NULL)
    if (str_eq_nocase(str_trim(str_cut(&list, ',')), token)) return true;
  return false;
}

bool http_request_has_token(const struct http_request *r, struct str name, struct str token) {
  for (uint32_t i = 0; i < r->header_count; i++)
    if (str_eq_nocase(r->headers[i].name, name) && list_has(r->headers[i].value, token)) return true;
  return false;
}

static bool is_digits(struct str s) {
  for (size_t i = 0; i < s.len; i++)
    if (s.ptr[i] < '0' || s.ptr[i] > '9') return false;
  return s.len > 0;
}

enum err http_request_body_length(const struct http_request *r, uint64_t *ret, struct error *e) {
  if (http_request_header(r, STR("Transfer-Encoding")).ptr != NULL) return malformed(e, "send the body with a Content-Length");
  int64_t length = -1;
  for (uint32_t i = 0; i < r->header_count; i++) {
    if (!str_eq_nocase(r->headers[i].name, STR("Content-Length"))) continue;
    int64_t this_one;
    if (!is_digits(r->headers[i].value) || !str_to_i64(r->headers[i].value, &this_one) || (length >= 0 && length != this_one))
      return malformed(e, "Content-Length");
    length = this_one;
  }
  *ret = (uint64_t) MAX(length, 0);
  return ERR_OK;
}

bool http_request_keeps_alive(const struct http_request *r) {
  if (http_request_has_token(r, STR("Connection"), STR("close"))) return false;
  return r->minor >= 1 || http_request_has_token(r, STR("Connection"), STR("keep-alive"));
}
