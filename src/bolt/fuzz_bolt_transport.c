// Hostile first bytes, requests and frames: whole or cut, the same payload and the same end. A first byte of 1 begins behind an
// upgrade.
#include <stdlib.h>
#include <string.h>

#include "bolt/transport.h"

static void must(bool b) {
  if (!b) abort();
}

static const char upgrade[] = "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static enum bolt_transport_result play(const uint8_t *data, size_t size, size_t step, bool upgraded, struct buf *in) {
  struct bolt_transport t = {0};
  struct bolt_transport_policy policy = {
      .tls_level = BOLT_TLS_OPTIONAL, .frame_bytes_max = 65536, .discovery = {STR_NONE, 7687, STR("5"), STR("c")}};
  struct buf out = BUF_INIT;
  enum bolt_transport_result result = BOLT_TRANSPORT_GO_ON;
  if (upgraded) result = bolt_transport_receive(&t, &policy, (const uint8_t *) upgrade, sizeof upgrade - 1, in, &out);
  for (size_t at = 0; at < size && result == BOLT_TRANSPORT_GO_ON; at += step)
    result = bolt_transport_receive(&t, &policy, data + at, MIN(step, size - at), in, &out);
  must(bolt_transport_end(&t, &out) == ERR_OK);
  bolt_transport_done(&t);
  buf_done(&out);
  return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  bool upgraded = data[0] & 1;
  CLEANUP(buf_done) struct buf whole = BUF_INIT, cut = BUF_INIT;
  enum bolt_transport_result result = play(data + 1, size - 1, size, upgraded, &whole);
  enum bolt_transport_result cut_result = play(data + 1, size - 1, 1 + (data[0] >> 1), upgraded, &cut);
  // wslay checks the text of an incomplete close frame in the pieces in which it comes: then one may close a little earlier.
  bool about_closing = result != cut_result && result <= BOLT_TRANSPORT_CLOSE && cut_result <= BOLT_TRANSPORT_CLOSE;
  if (upgraded && about_closing) return 0;
  must(cut_result == result);
  // What TLS begins with is handed over as far as it has come: the cut decides how much that is.
  if (result == BOLT_TRANSPORT_START_TLS) return 0;
  must(whole.len <= size && cut.len == whole.len && (whole.len == 0 || memcmp(cut.data, whole.data, whole.len) == 0));
  return 0;
}
