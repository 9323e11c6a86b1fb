// The head of an HTTP/1 request, parsed from bytes that stay where they are. Pure; also used by Bolt's port for WebSocket.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/str.h"

enum { HTTP_HEADERS_MAX = 100 };

struct http_header {
  struct str name, value; // the value without blanks around it
};

struct http_request {
  struct str method, target; // "GET", "/path?query"; slices of the input
  int minor;                 // of HTTP/1.x
  uint32_t header_count;
  struct http_header headers[HTTP_HEADERS_MAX];
  size_t head_bytes; // up to and with the empty line
};

/// ERR_SHORT: the head is not complete yet. ERR_REQUEST_FORMAT: it is not HTTP/1, or a line is malformed; folded headers and
/// blanks before a colon are refused, as RFC 9112 5.1 and 5.2 ask of servers (they were used to smuggle requests).
enum err http_request_parse(struct str bytes, struct http_request *ret, struct error *e) NODISCARD;

/// The first header of that name (names have no case), or an empty text with a NULL pointer.
struct str http_request_header(const struct http_request *r, struct str name);

/// True if a header of that name lists `token`: "Connection: keep-alive, Upgrade". No case.
bool http_request_has_token(const struct http_request *r, struct str name, struct str token);

/// Bytes of the body by Content-Length; 0 where there is none. ERR_REQUEST_FORMAT for a length that is no number, for two that
/// differ, and for a transfer encoding, which this server does not take.
enum err http_request_body_length(const struct http_request *r, uint64_t *ret, struct error *e) NODISCARD;

/// True if the connection stays open after the answer (RFC 9112 9.3).
bool http_request_keeps_alive(const struct http_request *r);
