// One HTTP connection without I/O: bytes in, answers out. Requests are answered in order; a body is awaited up to a limit.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "http/login.h"
#include "http/request.h"
#include "http/response.h"

/// What serves requests (http/routes.h).
struct http_handler {
  /// Fills `ret`; texts may point into `scratch`, which is emptied after the answer was written. ERR_WAIT: is called again with
  /// the same request, by http_connection_resume; other errors become a 500. `caller` is the connection's.
  enum err (*handle)(struct http_handler *h, struct http_caller *caller, const struct http_request *r, struct str body,
                     struct buf *scratch, struct http_response *ret);
};

struct http_connection {
  struct http_handler *handler;
  struct http_caller *caller;
  uint32_t head_bytes_max, body_bytes_max;
  struct buf in;
  size_t wanted; // bytes without which parsing again would be in vain
  bool closing;  // nothing more is read; close when `out` is sent
  bool waiting;  // the handler needs time for the first request; meanwhile nothing should be received
};

/// `caller` is passed on to the handler.
void http_connection_init(struct http_connection *c, struct http_handler *handler, struct http_caller *caller,
                          uint32_t head_bytes_max, uint32_t body_bytes_max);
void http_connection_done(struct http_connection *c);

/// Takes bytes; appends the answers to all requests that are complete. ERR_NOMEM: close the connection.
enum err http_connection_receive(struct http_connection *c, const void *bytes, size_t len, int64_t wall_s,
                                 struct buf *out) NODISCARD;

/// What the handler waited for is there. The same.
enum err http_connection_resume(struct http_connection *c, int64_t wall_s, struct buf *out) NODISCARD;
