// Hostile openings: whole or byte by byte, the same decision; never a version that was not offered; never 5.5.
#include <stdlib.h>
#include <string.h>

#include "bolt/handshake.h"

static void must(bool b) {
  if (!b) abort();
}

static size_t feed(struct bolt_handshake *h, const uint8_t *data, size_t size, size_t step) {
  size_t taken = 0;
  while (taken < size) {
    size_t n = bolt_handshake_receive(h, data + taken, MIN(step, size - taken));
    if (n == 0) break;
    taken += n;
  }
  return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct bolt_handshake whole = {0}, bytes = {0};
  size_t taken = feed(&whole, data, size, size);
  must(feed(&bytes, data, size, 1) == taken);
  must(whole.state == bytes.state && whole.version == bytes.version);
  must((whole.state == BOLT_HANDSHAKE_DONE) == (whole.version != NULL));
  if (whole.version != NULL) must(whole.version->major != 5 || whole.version->minor != 5);
  must(taken <= size && (taken == size || whole.state >= BOLT_HANDSHAKE_DONE));
  return 0;
}
