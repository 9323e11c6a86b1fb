// Fuzzes what reads the first bytes of a connection between members: the input is a hello and what follows it, a challenge or an
// answer, with starts (version 3), and how far they have moved (version 4), or without. Magic and checksums are put right. What
// is taken is written again as the same bytes, but for what stands behind the address, and is never taken for another kind; a
// line for the log about it is one line.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "cluster/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
  if (!holds) abort();
}

static void check_line(const char *text) {
  for (; *text != '\0'; text++) must(*text >= ' ' && *text <= '~');
}

static void check_hello(const uint8_t *from) {
  static const struct hello self = {.version_min = HELLO_VERSION, .version_max = HELLO_VERSION_ACKNOWLEDGED, .server = 7};
  struct hello h, again;
  uint8_t written[HELLO_BYTES];
  char who[200], why[400];
  if (hello_get(from, &h, NULL) != ERR_OK) return;
  hello_put(written, &h);
  must(hello_get(written, &again, NULL) == ERR_OK && again.server == h.server && again.epoch == h.epoch);
  must(strcmp(again.address, h.address) == 0 && hello_judge(&self, &h, 2) == hello_judge(&self, &again, 2));
  must(memcmp(written, from, 56) == 0);
  hello_print_refused(&self, &h, hello_judge(&self, &h, 2), who, sizeof who, why, sizeof why);
  check_line(who);
  check_line(why);
}

static void check_proof(const uint8_t *from) {
  uint8_t written[HELLO_PROOF_BYTES];
  uint64_t number;
  for (int kind = HELLO_CHALLENGE; kind <= HELLO_ANSWER; kind++) {
    if (hello_proof_get(from, (enum hello_proof) kind, &number, NULL) != ERR_OK) continue;
    hello_proof_put(written, (enum hello_proof) kind, number);
    must(memcmp(written, from, sizeof written) == 0);
  }
}

static void check_start(const uint8_t *from, enum hello_proof kind) {
  uint8_t written[HELLO_START_BYTES];
  struct hello_start s;
  if (hello_start_get(from, kind, &s, NULL) != ERR_OK) return;
  must(s.mark != 0 && s.known.number <= STARTS_NUMBER_MAX && (s.known.number != 0 || s.known.moves == 0));
  hello_start_put(written, kind, &s);
  must(memcmp(written, from, sizeof written) == 0);
}

static void put_start_right(uint8_t *to, enum hello_proof kind) {
  memcpy(to, kind == HELLO_CHALLENGE ? "QVSN" : "QVSP", 4);
  put_u64_le(to + 40, hash64(to, 40, 0));
}

/// Whole ones of either kind: nothing but what they say can be wrong with them.
static void check_starts(uint8_t *bytes) {
  for (int kind = HELLO_CHALLENGE; kind <= HELLO_ANSWER; kind++) {
    struct hello_start s;
    uint64_t number;
    check_start(bytes, (enum hello_proof) kind);
    put_start_right(bytes, (enum hello_proof) kind);
    bool makes_sense = get_u64_le(bytes + 16) != 0 && (get_u32_le(bytes + 24) != 0 || get_u32_le(bytes + 28) == 0);
    must((hello_start_get(bytes, (enum hello_proof) kind, &s, NULL) == ERR_OK) == makes_sense);
    must(hello_start_get(bytes, (enum hello_proof) !kind, &s, NULL) == ERR_CORRUPT);
    must(hello_proof_get(bytes, (enum hello_proof) kind, &number, NULL) == ERR_CORRUPT);
    check_start(bytes, (enum hello_proof) kind);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t bytes[HELLO_BYTES + HELLO_START_BYTES] = {0};
  struct hello as_it_is;
  struct error e = ERROR_INIT;
  memcpy(bytes, data, MIN(size, sizeof bytes));
  if (hello_get(bytes, &as_it_is, &e) != ERR_OK) must(e.message[0] != '\0');
  memcpy(bytes, "QVCH", 4);
  put_u64_le(bytes + HELLO_BYTES - 8, hash64(bytes, HELLO_BYTES - 8, 0));
  check_hello(bytes);
  uint8_t *proof = bytes + HELLO_BYTES, as_came[HELLO_START_BYTES];
  memcpy(as_came, proof, sizeof as_came);
  check_proof(proof);
  put_u64_le(proof + 16, hash64(proof, 16, 0));
  check_proof(proof);
  memcpy(proof, as_came, sizeof as_came);
  check_starts(proof);
  return 0;
}
