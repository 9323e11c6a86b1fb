#include "http/connection.h"

#include <string.h>

enum { METHOD_BYTES_MAX = 32 }; // of the first bytes it is seen whether they can be HTTP

void http_connection_init(struct http_connection *c, struct http_handler *handler, struct http_caller *caller,
                          uint32_t head_bytes_max, uint32_t body_bytes_max) {
  *c = (struct http_connection){
      .handler = handler, .caller = caller, .head_bytes_max = head_bytes_max, .body_bytes_max = body_bytes_max};
}

void http_connection_done(struct http_connection *c) {
  buf_done(&c->in);
}

/// For what cannot be understood: the place of the next request is not known any more, so the connection ends.
static enum err refuse(struct http_connection *c, int status, int64_t wall_s, struct buf *out) {
  c->closing = true;
  struct http_response r = {.status = status};
  return http_response_write(out, &r, wall_s, false, false);
}

static enum err answer(struct http_connection *c, const struct http_request *request, struct str body, int64_t wall_s,
                       struct buf *out) {
  CLEANUP(buf_done) struct buf scratch = BUF_INIT;
  struct http_response response = {.status = 200};
  enum err err = c->handler->handle(c->handler, c->caller, request, body, &scratch, &response);
  if (err == ERR_WAIT) return err;
  if (err != ERR_OK) response = (struct http_response){.status = 500};
  bool keep = http_request_keeps_alive(request);
  c->closing = !keep;
  return http_response_write(out, &response, wall_s, keep, str_eqz(request->method, "HEAD"));
}

/// Answers the first request if it is complete: ERR_SHORT where it is not, ERR_WAIT where the handler needs time.
static enum err step(struct http_connection *c, int64_t wall_s, struct buf *out) {
  struct http_request request;
  struct str in = buf_str(&c->in);
  enum err err = http_request_parse(in, &request, NULL);
  if (err == ERR_SHORT) return in.len > c->head_bytes_max ? refuse(c, 431, wall_s, out) : ERR_SHORT;
  if (err != ERR_OK) return refuse(c, 400, wall_s, out);
  if (request.head_bytes > c->head_bytes_max) return refuse(c, 431, wall_s, out);
  uint64_t length;
  if (http_request_body_length(&request, &length, NULL) != ERR_OK) return refuse(c, 400, wall_s, out);
  if (length > c->body_bytes_max) return refuse(c, 413, wall_s, out);
  c->wanted = request.head_bytes + (size_t) length;
  if (in.len < c->wanted) return ERR_SHORT;
  TRY(answer(c, &request, (struct str){in.ptr + request.head_bytes, (size_t) length}, wall_s, out));
  buf_consume(&c->in, c->wanted);
  c->wanted = 0;
  return ERR_OK;
}

static enum err answer_all(struct http_connection *c, int64_t wall_s, struct buf *out) {
  while (!c->closing && c->in.len > 0) {
    enum err err = step(c, wall_s, out);
    c->waiting = err == ERR_WAIT;
    if (err == ERR_SHORT || err == ERR_WAIT) return ERR_OK;
    TRY(err);
  }
  return ERR_OK;
}

enum err http_connection_receive(struct http_connection *c, const void *bytes, size_t len, int64_t wall_s, struct buf *out) {
  if (c->closing) return ERR_OK;
  TRY(buf_append(&c->in, bytes, len));
  bool line_ended = len > 0 && memchr(bytes, '\n', len) != NULL;
  bool may_be_told = line_ended || c->in.len <= METHOD_BYTES_MAX || c->in.len > c->head_bytes_max;
  if (c->wanted > 0 ? c->in.len < c->wanted : !may_be_told) return ERR_OK;
  return c->waiting ? ERR_OK : answer_all(c, wall_s, out);
}

enum err http_connection_resume(struct http_connection *c, int64_t wall_s, struct buf *out) {
  return answer_all(c, wall_s, out);
}
