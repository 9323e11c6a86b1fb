// Hostile chunks: however the bytes are cut, the same messages; what is read writes back and reads the same.
#include <stdlib.h>
#include <string.h>

#include "bolt/chunk.h"

static void must(bool b) {
  if (!b) abort();
}

enum { MESSAGE_BYTES_MAX = 100000 };

/// All messages, each written again as one; the last result of the reader.
static enum err read_all(const uint8_t *data, size_t size, size_t step, struct buf *out) {
  struct bolt_chunk_reader r = {0};
  enum err err = ERR_SHORT;
  for (size_t at = 0; at < size && err == ERR_SHORT; at += step) {
    const uint8_t *bytes = data + at;
    size_t len = MIN(step, size - at);
    struct str message;
    while ((err = bolt_chunk_read(&r, &bytes, &len, MESSAGE_BYTES_MAX, &message)) == ERR_OK) {
      size_t start;
      must(message.len > 0 && message.len <= MESSAGE_BYTES_MAX);
      must(bolt_chunk_begin(out, &start) == ERR_OK && buf_append_str(out, message) == ERR_OK &&
           bolt_chunk_end(out, start) == ERR_OK);
    }
  }
  bolt_chunk_reader_done(&r);
  return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  CLEANUP(buf_done) struct buf whole = BUF_INIT, cut = BUF_INIT, again = BUF_INIT;
  enum err err = read_all(data + 1, size - 1, size, &whole);
  must(read_all(data + 1, size - 1, 1 + data[0], &cut) == err);
  must(cut.len == whole.len && (whole.len == 0 || memcmp(cut.data, whole.data, whole.len) == 0));
  read_all((const uint8_t *) whole.data, whole.len, 7, &again);
  must(again.len == whole.len && (whole.len == 0 || memcmp(again.data, whole.data, whole.len) == 0));
  return 0;
}
