// A hostile client behind a good beginning: the first byte picks the version, the second cuts the bytes, the third picks how much
// of handshake, login and an open result is given, so that what follows reaches deep code. Behind these come messages, which are
// changed as such (fuzz_messages.h). The database is the script of test_dbms.h.
#include <stdlib.h>
#include <string.h>

#include "bolt/conn.h"
#include "bolt/fuzz_messages.h"
#include "bolt/test_dbms.h"

static void must(bool b) {
  if (!b) abort();
}

static const uint8_t versions[][2] = {{1, 0}, {2, 0}, {3, 0}, {4, 0}, {4, 1}, {4, 3}, {4, 4},
                                      {5, 0}, {5, 1}, {5, 3}, {5, 4}, {5, 6}, {5, 8}, {6, 0}};

static void wake(struct bolt_session_owner *owner) {
  (void) owner;
}

static void feed(struct bolt_conn *c, const void *bytes, size_t len, size_t step) {
  for (size_t at = 0; at < len; at += step) {
    bolt_conn_receive(c, (const uint8_t *) bytes + at, MIN(step, len - at), 1, 1);
    buf_clear(&c->wire); // all is sent at once
    for (int i = 0; i < 100 && c->run_again; i++) {
      bolt_conn_run(c, 1);
      buf_clear(&c->wire);
    }
    if (c->session != NULL) must(bolt_session_invariant(c->session));
  }
}

#define FEED(c, text) feed(c, text, sizeof(text) - 1, sizeof(text))

enum beginning { OPEN_RESULT, LOGGED_IN, HANDSHAKE_DONE, BEGINNINGS };

static void log_in(struct bolt_conn *c, uint8_t major, uint8_t minor) {
  if (major < 3)
    FEED(c, "\x00\x05\xb2\x01\x81x\xa0\x00\x00");
  else
    FEED(c, "\x00\x19\xb1\x01\xa1\x8a"
            "bolt_agent\xa1\x87product\x81x\x00\x00");
  if (major > 5 || (major == 5 && minor > 0)) FEED(c, "\x00\x03\xb1\x6a\xa0\x00\x00");
  must(bolt_conn_is_authenticated(c));
}

/// A RUN of three rows.
static void open_result(struct bolt_conn *c, uint8_t major) {
  if (major < 3)
    FEED(c, "\x00\x26\xb2\x10\xd0\x21UNWIND range(1, 3) AS x RETURN x \xa0\x00\x00");
  else
    FEED(c, "\x00\x27\xb3\x10\xd0\x21UNWIND range(1, 3) AS x RETURN x \xa0\xa0\x00\x00");
  must(bolt_session_state(c->session) == BOLT_STREAMING);
}

static void begin(struct bolt_conn *c, const uint8_t version[2], enum beginning beginning) {
  uint8_t opening[20] = {0x60, 0x60, 0xb0, 0x17, 0, 0, version[1], version[0]};
  feed(c, opening, sizeof opening, sizeof opening);
  if (beginning != HANDSHAKE_DONE) log_in(c, version[0], version[1]);
  if (beginning == OPEN_RESULT) open_result(c, version[0]);
}

enum { HEAD_BYTES = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *to, size_t size_max,
                                 unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed) {
  struct rng rng;
  rng_seed(&rng, seed);
  if (size_max <= HEAD_BYTES) return size;
  if (size < HEAD_BYTES) {
    memset(data, 0, HEAD_BYTES);
    size = HEAD_BYTES;
  }
  if (rng_chance(&rng, 1, 8)) data[rng_below(&rng, HEAD_BYTES)] = (uint8_t) rng_next(&rng);
  const uint8_t *version = versions[data[0] % ARRAY_SIZE(versions)];
  const struct bolt_version *v = bolt_version_find(version[0], version[1]);
  static const enum bolt_state states[BEGINNINGS] = {BOLT_STREAMING, BOLT_READY, BOLT_NEGOTIATION};
  return HEAD_BYTES +
         fuzz_messages_mutate(&rng, v, states[data[2] % BEGINNINGS], data + HEAD_BYTES, size - HEAD_BYTES, size_max - HEAD_BYTES);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *to, size_t size_max,
                                 unsigned seed) {
  struct rng rng;
  rng_seed(&rng, seed);
  if (a_size < HEAD_BYTES || b_size < HEAD_BYTES || size_max < HEAD_BYTES) return 0;
  struct str first = {(const char *) a + HEAD_BYTES, a_size - HEAD_BYTES},
             second = {(const char *) b + HEAD_BYTES, b_size - HEAD_BYTES};
  memcpy(to, a, HEAD_BYTES);
  return HEAD_BYTES + fuzz_messages_cross(&rng, first, second, to + HEAD_BYTES, size_max - HEAD_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < HEAD_BYTES) return 0;
  const uint8_t *version = versions[data[0] % ARRAY_SIZE(versions)];
  struct dbms dbms;
  struct bolt_tally tally = {0};
  struct bolt_session_owner owner = {wake};
  struct bolt_settings settings = bolt_settings_default();
  struct bolt_conn_setup setup = {&settings, &dbms, STR("p"), STR("l"), STR("bolt-1"), &owner, &tally, NULL};
  struct bolt_conn c;
  test_dbms_init(&dbms);
  bolt_conn_init(&c, &setup, 0);
  begin(&c, version, data[2] % BEGINNINGS);
  feed(&c, data + HEAD_BYTES, size - HEAD_BYTES, 1 + data[1]);
  bolt_conn_tick(&c, 1000000);
  must(bolt_conn_disconnect(&c));
  bolt_conn_done(&c);
  must(dbms.sessions == 0);
  test_dbms_done(&dbms);
  return 0;
}
