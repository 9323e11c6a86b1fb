// HTTP answers as bytes. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/str.h"

struct http_response {
  int status;
  struct str content_type; // empty: no body is sent
  struct str headers;      // further lines, each ending in CR LF
  struct str body;
};

/// "OK", "Not Found", ...; "Unknown" for a status that this server does not send.
const char *http_status_text(int status);

/// Appends the whole answer. `wall_s`: seconds since 1970 for the Date header. `head_only`: leaves the body out (HEAD).
enum err http_response_write(struct buf *out, const struct http_response *r, int64_t wall_s, bool keep_alive,
                             bool head_only) NODISCARD;

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7).
enum err http_date_write(struct buf *out, int64_t wall_s) NODISCARD;
