// Fuzzes one member with any sequence of events and messages: test_play.h.
#include "consensus/test_play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  play(data, size);
  return 0;
}
