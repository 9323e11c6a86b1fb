// WebSocket (RFC 6455), the server's side, as a byte pipe: Bolt from a browser page. Frame boundaries mean nothing. Pure; frames
// are parsed by wslay, which is not seen outside websocket.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/str.h"
#include "http/request.h"

struct websocket;

/// True if the request asks for a WebSocket: `Upgrade: websocket` in any case and list.
bool websocket_is_asked_for(const struct http_request *r);

/// Appends the 101 answer; extensions and subprotocols are not taken up. ERR_REQUEST_FORMAT where key or version are not right.
enum err websocket_accept(const struct http_request *r, struct buf *out, struct error *e) NODISCARD;

enum err websocket_new(struct websocket **ret, struct error *e) NODISCARD;
void websocket_free(struct websocket *w);

/// Takes bytes of the client: payload goes to `in`, answers (pong, close) to `out`. A frame that declares more than
/// `frame_bytes_max` bytes closes with 1009 (0: no limit; nothing is allocated from the declared length either way). ERR_CLOSED:
/// the connection is to be closed when `out` is sent. ERR_NOMEM.
enum err websocket_receive(struct websocket *w, const uint8_t *bytes, size_t len, uint64_t frame_bytes_max, struct buf *in,
                           struct buf *out) NODISCARD;

/// The head of one binary frame with `payload_bytes` behind it: writes at most 10 bytes to `head` and returns how many.
size_t websocket_frame_head(uint8_t head[10], uint64_t payload_bytes);

/// Appends a close frame with status 1000 unless one was sent.
enum err websocket_close(struct websocket *w, struct buf *out) NODISCARD;
