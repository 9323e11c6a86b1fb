// What is on the other side of the socket: TLS, HTTP (WebSocket or discovery), Bolt, or something that is not ours. Pure: wire
// bytes in, Bolt's bytes out, and the other way round. The first bytes may come one at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"
#include "bolt/server.h"
#include "http/discovery.h"

struct websocket;

enum bolt_transport_kind {
  BOLT_TRANSPORT_UNKNOWN, // not enough bytes yet
  BOLT_TRANSPORT_PLAIN,
  BOLT_TRANSPORT_WEBSOCKET,
  BOLT_TRANSPORT_HTTP, // the head of a request is being read
};

enum bolt_transport_result {
  BOLT_TRANSPORT_GO_ON,
  BOLT_TRANSPORT_START_TLS, // `in` holds the client's hello: switch TLS on with these bytes, then go on with what it decrypts
  BOLT_TRANSPORT_CLOSE,     // send `out`, close
  BOLT_TRANSPORT_NO_MEMORY,
};

struct bolt_transport {
  enum bolt_transport_kind kind;
  bool encrypted; // TLS is on: no second one inside
  struct websocket *websocket;
  struct buf head; // the first bytes, until they can be told apart; the request's head
};

struct bolt_transport_policy {
  enum bolt_tls_level tls_level;
  const struct str *allowed_origins; // none: all
  uint32_t allowed_origin_count;
  struct http_discovery discovery;
  uint64_t frame_bytes_max; // of WebSocket, as of now; 0: no limit
  int64_t wall_s;           // for the Date header
};

void bolt_transport_done(struct bolt_transport *t);

/// Takes bytes from the wire; appends Bolt's bytes to `in` and answers of the transport itself to `out`. Bolt's bytes that came
/// in front of the reason for CLOSE are still good.
enum bolt_transport_result bolt_transport_receive(struct bolt_transport *t, const struct bolt_transport_policy *policy,
                                                  const uint8_t *bytes, size_t len, struct buf *in, struct buf *out);

/// Moves what Bolt sends from `bolt` to the end of `wire`: as it is, or as one WebSocket frame. `bolt` is left empty. ERR_NOMEM.
enum err bolt_transport_send(struct bolt_transport *t, struct buf *bolt, struct buf *wire) NODISCARD;

/// What the transport itself says at the end (WebSocket's close frame).
enum err bolt_transport_end(struct bolt_transport *t, struct buf *wire) NODISCARD;
