// One HTTP connection without I/O: bytes in, answers out. Requests are answered in order; a body is awaited up to a limit.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "http/request.h"
#include "http/response.h"

/// What serves requests: today the discovery document; other resources join by a row in its table of routes (http/routes.h).
struct http_handler {
  /// Fills `ret`; texts may point into `scratch`, which is emptied after the answer was written. Errors become a 500.
  enum err (*handle)(struct http_handler *h, const struct http_request *r, struct str body, struct buf *scratch,
                     struct http_response *ret);
};

struct http_connection {
  struct http_handler *handler;
  uint32_t head_bytes_max, body_bytes_max;
  struct buf in;
  size_t wanted; // bytes without which parsing again would be in vain
  bool closing;  // nothing more is read; close when `out` is sent
};

void http_connection_init(struct http_connection *c, struct http_handler *handler, uint32_t head_bytes_max,
                          uint32_t body_bytes_max);
void http_connection_done(struct http_connection *c);

/// Takes bytes; appends the answers to all requests that are complete. ERR_NOMEM: close the connection.
enum err http_connection_receive(struct http_connection *c, const void *bytes, size_t len, int64_t wall_s,
                                 struct buf *out) NODISCARD;
