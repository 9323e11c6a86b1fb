#include "bolt/transport.h"

#include <string.h>

#include "bolt/handshake.h"
#include "bolt/websocket.h"
#include "http/response.h"

enum { HTTP_HEAD_BYTES_MAX = 64 * 1024 };

void bolt_transport_done(struct bolt_transport *t) {
  websocket_free(t->websocket);
  buf_done(&t->head);
}

/// True if `bytes` and `pattern` agree as far as both go.
static bool may_be(struct str bytes, const void *pattern, size_t len) {
  return memcmp(bytes.ptr, pattern, MIN(bytes.len, len)) == 0;
}

static bool is(struct str bytes, const void *pattern, size_t len) {
  return bytes.len >= len && may_be(bytes, pattern, len);
}

enum first_bytes { FIRST_MORE, FIRST_TLS, FIRST_HTTP, FIRST_BOLT, FIRST_FOREIGN };

static enum first_bytes tell_apart(struct str bytes) {
  static const char tls[2] = {0x16, 0x03}; // a handshake record of TLS 1.x
  if (is(bytes, tls, 2)) return bytes.len >= 5 ? FIRST_TLS : FIRST_MORE;
  if (is(bytes, "GET ", 4)) return FIRST_HTTP;
  if (is(bytes, bolt_magic, 4)) return FIRST_BOLT;
  bool open = may_be(bytes, tls, 2) || may_be(bytes, "GET ", 4) || may_be(bytes, bolt_magic, 4);
  return open ? FIRST_MORE : FIRST_FOREIGN;
}

static bool tls_is_welcome(const struct bolt_transport *t, const struct bolt_transport_policy *p) {
  return p->tls_level != BOLT_TLS_DISABLED && !t->encrypted;
}

static bool plaintext_is_welcome(const struct bolt_transport *t, const struct bolt_transport_policy *p) {
  return p->tls_level != BOLT_TLS_REQUIRED || t->encrypted;
}

static enum bolt_transport_result pass_on(struct buf *head, struct buf *in) {
  if (buf_append(in, head->data, head->len) != ERR_OK) return BOLT_TRANSPORT_NO_MEMORY;
  buf_done(head);
  return BOLT_TRANSPORT_GO_ON;
}

static bool origin_is_allowed(const struct http_request *r, const struct bolt_transport_policy *p) {
  struct str origin = http_request_header(r, STR("Origin"));
  for (uint32_t i = 0; i < p->allowed_origin_count; i++)
    if (str_eq(origin, p->allowed_origins[i])) return true;
  return p->allowed_origin_count == 0;
}

static enum err answer_status(int status, const struct bolt_transport_policy *p, struct buf *out) {
  struct http_response r = {.status = status};
  return http_response_write(out, &r, p->wall_s, false, false);
}

static enum err answer_discovery(const struct http_request *r, const struct bolt_transport_policy *p, struct buf *out) {
  CLEANUP(buf_done) struct buf body = BUF_INIT;
  TRY(http_discovery_write(&body, &p->discovery, http_request_header(r, STR("Host"))));
  struct http_response response = {
      .status = 200,
      .content_type = STR("application/json"),
      .headers = STR("Access-Control-Allow-Origin: *\r\nVary: Accept\r\n"),
      .body = buf_str(&body),
  };
  return http_response_write(out, &response, p->wall_s, false, false);
}

static enum bolt_transport_result closing(enum err err) {
  return err == ERR_NOMEM ? BOLT_TRANSPORT_NO_MEMORY : BOLT_TRANSPORT_CLOSE;
}

static enum bolt_transport_result receive_frames(struct bolt_transport *t, const struct bolt_transport_policy *p,
                                                 const uint8_t *bytes, size_t len, struct buf *in, struct buf *out) {
  enum err err = websocket_receive(t->websocket, bytes, len, p->frame_bytes_max, in, out);
  return err == ERR_OK ? BOLT_TRANSPORT_GO_ON : closing(err);
}

static enum bolt_transport_result upgrade(struct bolt_transport *t, const struct bolt_transport_policy *p,
                                          const struct http_request *r, struct buf *in, struct buf *out) {
  if (!origin_is_allowed(r, p)) return closing(answer_status(403, p, out));
  enum err err = websocket_accept(r, out, NULL);
  if (err == ERR_REQUEST_FORMAT) return closing(answer_status(400, p, out));
  if (err == ERR_OK) err = websocket_new(&t->websocket, NULL);
  if (err != ERR_OK) return closing(err);
  t->kind = BOLT_TRANSPORT_WEBSOCKET;
  struct buf head = t->head;
  t->head = BUF_INIT;
  enum bolt_transport_result result =
      receive_frames(t, p, (const uint8_t *) head.data + r->head_bytes, head.len - r->head_bytes, in, out);
  buf_done(&head);
  return result;
}

static enum bolt_transport_result receive_request(struct bolt_transport *t, const struct bolt_transport_policy *p, struct buf *in,
                                                  struct buf *out) {
  struct http_request request;
  enum err err = http_request_parse(buf_str(&t->head), &request, NULL);
  if (err == ERR_SHORT && t->head.len <= HTTP_HEAD_BYTES_MAX) return BOLT_TRANSPORT_GO_ON;
  if (err == ERR_SHORT || (err == ERR_OK && request.head_bytes > HTTP_HEAD_BYTES_MAX)) return closing(answer_status(431, p, out));
  uint64_t body;
  if (err == ERR_OK) err = http_request_body_length(&request, &body, NULL);
  if (err != ERR_OK) return closing(answer_status(400, p, out));
  if (body > 0) return closing(answer_status(413, p, out));
  if (websocket_is_asked_for(&request)) return upgrade(t, p, &request, in, out);
  return closing(answer_discovery(&request, p, out));
}

static enum bolt_transport_result detect(struct bolt_transport *t, const struct bolt_transport_policy *p, struct buf *in,
                                         struct buf *out) {
  enum first_bytes first = tell_apart(buf_str(&t->head));
  if (first == FIRST_MORE) return BOLT_TRANSPORT_GO_ON;
  if (first == FIRST_TLS) {
    if (!tls_is_welcome(t, p)) return BOLT_TRANSPORT_CLOSE;
    t->encrypted = true;
    enum bolt_transport_result result = pass_on(&t->head, in);
    return result == BOLT_TRANSPORT_GO_ON ? BOLT_TRANSPORT_START_TLS : result;
  }
  if (first == FIRST_FOREIGN || !plaintext_is_welcome(t, p)) return BOLT_TRANSPORT_CLOSE;
  if (first == FIRST_BOLT) {
    t->kind = BOLT_TRANSPORT_PLAIN;
    return pass_on(&t->head, in);
  }
  t->kind = BOLT_TRANSPORT_HTTP;
  return receive_request(t, p, in, out);
}

enum bolt_transport_result bolt_transport_receive(struct bolt_transport *t, const struct bolt_transport_policy *p,
                                                  const uint8_t *bytes, size_t len, struct buf *in, struct buf *out) {
  if (t->kind == BOLT_TRANSPORT_PLAIN)
    return buf_append(in, bytes, len) == ERR_OK ? BOLT_TRANSPORT_GO_ON : BOLT_TRANSPORT_NO_MEMORY;
  if (t->kind == BOLT_TRANSPORT_WEBSOCKET) return receive_frames(t, p, bytes, len, in, out);
  if (buf_append(&t->head, bytes, len) != ERR_OK) return BOLT_TRANSPORT_NO_MEMORY;
  bool line_ended =
      len > 0 && memchr(bytes, '\n', len) != NULL; // else the head cannot be complete: it is not parsed for every byte
  if (t->kind == BOLT_TRANSPORT_HTTP && !line_ended && t->head.len <= HTTP_HEAD_BYTES_MAX) return BOLT_TRANSPORT_GO_ON;
  return t->kind == BOLT_TRANSPORT_HTTP ? receive_request(t, p, in, out) : detect(t, p, in, out);
}

enum err bolt_transport_send(struct bolt_transport *t, struct buf *bolt, struct buf *wire) {
  if (bolt->len == 0) return ERR_OK;
  if (t->kind == BOLT_TRANSPORT_WEBSOCKET) {
    uint8_t head[10];
    size_t head_len = websocket_frame_head(head, bolt->len);
    TRY(buf_reserve(wire, head_len + bolt->len));
    TRY(buf_append(wire, head, head_len));
  } else if (wire->len == 0) { // the usual case: no copy
    struct buf empty = *wire;
    *wire = *bolt;
    *bolt = empty;
    return ERR_OK;
  }
  TRY(buf_append(wire, bolt->data, bolt->len));
  buf_clear(bolt);
  return ERR_OK;
}

enum err bolt_transport_end(struct bolt_transport *t, struct buf *wire) {
  return t->kind == BOLT_TRANSPORT_WEBSOCKET ? websocket_close(t->websocket, wire) : ERR_OK;
}
