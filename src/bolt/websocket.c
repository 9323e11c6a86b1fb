#include "bolt/websocket.h"

#include <openssl/evp.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/bytes.h"
#include "base/mem.h"

struct websocket {
  wslay_event_context_ptr context;
  // Of the call that runs:
  const uint8_t *from;
  size_t left;
  struct buf *in, *out;
  uint64_t frame_bytes_max;
  bool no_memory;
  bool is_control; // the frame that is being read
  bool refused;
  bool closed; // by say_protocol_error
};

// ---- upgrade ----

bool websocket_is_asked_for(const struct http_request *r) {
  return http_request_has_token(r, STR("Upgrade"), STR("websocket")) &&
         http_request_has_token(r, STR("Connection"), STR("upgrade"));
}

static enum err accept_key(struct str key, char ret[32], struct error *e) {
  static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455 1.3
  char text[64];
  if (key.len != 24) return error_set(e, ERR_REQUEST_FORMAT, "Sec-WebSocket-Key must be 16 bytes in base64");
  memcpy(text, key.ptr, key.len);
  memcpy(text + key.len, guid, sizeof guid - 1);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int digest_len;
  if (EVP_Digest(text, key.len + sizeof guid - 1, digest, &digest_len, EVP_sha1(), NULL) != 1)
    return error_set(e, ERR_INTERNAL, "SHA-1 is not available");
  EVP_EncodeBlock((unsigned char *) ret, digest, (int) digest_len);
  return ERR_OK;
}

enum err websocket_accept(const struct http_request *r, struct buf *out, struct error *e) {
  if (!str_eqz(http_request_header(r, STR("Sec-WebSocket-Version")), "13"))
    return error_set(e, ERR_REQUEST_FORMAT, "only version 13 of WebSocket is spoken here");
  char accept[32];
  TRY(accept_key(http_request_header(r, STR("Sec-WebSocket-Key")), accept, e));
  return buf_printf(
      out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
      accept);
}

// ---- wslay's callbacks ----

static ssize_t give_bytes(wslay_event_context_ptr context, uint8_t *to, size_t len, int flags UNUSED, void *user) {
  struct websocket *w = user;
  if (w->left == 0) {
    wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
    return -1;
  }
  size_t count = MIN(len, w->left);
  memcpy(to, w->from, count);
  w->from += count;
  w->left -= count;
  return (ssize_t) count;
}

static ssize_t take_answer(wslay_event_context_ptr context, const uint8_t *bytes, size_t len, int flags UNUSED, void *user) {
  struct websocket *w = user;
  if (buf_append(w->out, bytes, len) == ERR_OK) return (ssize_t) len;
  w->no_memory = true;
  wslay_event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE);
  return -1;
}

static void refuse(struct websocket *w, wslay_event_context_ptr context, uint16_t status) {
  w->refused = true;
  wslay_event_queue_close(context, status, NULL, 0);
  wslay_event_shutdown_read(context);
}

static void on_frame(wslay_event_context_ptr context, const struct wslay_event_on_frame_recv_start_arg *frame, void *user) {
  struct websocket *w = user;
  w->is_control = wslay_is_ctrl_frame(frame->opcode);
  if (frame->opcode == WSLAY_TEXT_FRAME)
    refuse(w, context, WSLAY_CODE_UNSUPPORTED_DATA);
  else if (w->frame_bytes_max > 0 && frame->payload_length > w->frame_bytes_max)
    refuse(w, context, WSLAY_CODE_MESSAGE_TOO_BIG);
}

static void on_payload(wslay_event_context_ptr context UNUSED, const struct wslay_event_on_frame_recv_chunk_arg *chunk,
                       void *user) {
  struct websocket *w = user;
  if (w->is_control || w->refused) return;
  if (buf_append(w->in, chunk->data, chunk->data_length) != ERR_OK) w->no_memory = true;
}

// ---- the pipe ----

enum err websocket_new(struct websocket **ret, struct error *e) {
  static const struct wslay_event_callbacks callbacks = {
      .recv_callback = give_bytes,
      .send_callback = take_answer,
      .on_frame_recv_start_callback = on_frame,
      .on_frame_recv_chunk_callback = on_payload,
  };
  struct websocket *w = mem_zalloc(sizeof *w);
  if (w == NULL || wslay_event_context_server_init(&w->context, &callbacks, w) != 0) {
    mem_free(w);
    return error_set(e, ERR_NOMEM, "no memory for a WebSocket");
  }
  wslay_event_config_set_no_buffering(w->context, 1);
  wslay_event_config_set_max_recv_msg_length(w->context, INT64_MAX);
  *ret = w;
  return ERR_OK;
}

void websocket_free(struct websocket *w) {
  if (w == NULL) return;
  wslay_event_context_free(w->context);
  mem_free(w);
}

/// wslay closes without a status where it cannot even parse a frame's head: 1002 says why.
static enum err say_protocol_error(struct websocket *w) {
  static const uint8_t close_frame[] = {0x88, 0x02, 0x03, 0xea};
  w->closed = true;
  TRY(buf_append(w->out, close_frame, sizeof close_frame));
  return ERR_CLOSED;
}

enum err websocket_receive(struct websocket *w, const uint8_t *bytes, size_t len, uint64_t frame_bytes_max, struct buf *in,
                           struct buf *out) {
  w->from = bytes;
  w->left = len;
  w->in = in;
  w->out = out;
  w->frame_bytes_max = frame_bytes_max;
  int received = wslay_event_recv(w->context);
  if (received == WSLAY_ERR_NOMEM || w->no_memory) return ERR_NOMEM;
  if (received != 0) return say_protocol_error(w);
  int sent = wslay_event_send(w->context);
  if (sent == WSLAY_ERR_NOMEM || w->no_memory) return ERR_NOMEM;
  return sent == 0 && wslay_event_want_read(w->context) ? ERR_OK : ERR_CLOSED;
}

size_t websocket_frame_head(uint8_t head[10], uint64_t payload_bytes) {
  head[0] = 0x82; // FIN, binary
  if (payload_bytes < 126) {
    head[1] = (uint8_t) payload_bytes;
    return 2;
  }
  if (payload_bytes <= UINT16_MAX) {
    head[1] = 126;
    put_u16_be(head + 2, (uint16_t) payload_bytes);
    return 4;
  }
  head[1] = 127;
  put_u64_be(head + 2, payload_bytes);
  return 10;
}

enum err websocket_close(struct websocket *w, struct buf *out) {
  w->out = out;
  if (w->closed || wslay_event_get_close_sent(w->context)) return ERR_OK;
  if (wslay_event_queue_close(w->context, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0) != 0) return ERR_NOMEM;
  return wslay_event_send(w->context) == 0 ? ERR_OK : ERR_NOMEM;
}
