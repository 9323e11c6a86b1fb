// A hostile client behind a good beginning: the first byte picks the version, then handshake, login and an open result are given,
// so that what follows reaches deep code. The second byte cuts the bytes. The database is the script of test_dbms.h.
#include <stdlib.h>
#include <string.h>

#include "bolt/conn.h"
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

/// Handshake, HELLO or INIT, LOGON, and a RUN of three rows.
static void begin(struct bolt_conn *c, uint8_t major, uint8_t minor) {
  uint8_t opening[20] = {0x60, 0x60, 0xb0, 0x17, 0, 0, minor, major};
  feed(c, opening, sizeof opening, sizeof opening);
  if (major < 3)
    FEED(c, "\x00\x05\xb2\x01\x81x\xa0\x00\x00");
  else
    FEED(c, "\x00\x19\xb1\x01\xa1\x8a"
            "bolt_agent\xa1\x87product\x81x\x00\x00");
  if (major > 5 || (major == 5 && minor > 0)) FEED(c, "\x00\x03\xb1\x6a\xa0\x00\x00");
  must(bolt_conn_is_authenticated(c));
  if (major < 3)
    FEED(c, "\x00\x26\xb2\x10\xd0\x21UNWIND range(1, 3) AS x RETURN x \xa0\x00\x00");
  else
    FEED(c, "\x00\x27\xb3\x10\xd0\x21UNWIND range(1, 3) AS x RETURN x \xa0\xa0\x00\x00");
  must(bolt_session_state(c->session) == BOLT_STREAMING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3) return 0;
  const uint8_t *version = versions[data[0] % ARRAY_SIZE(versions)];
  struct dbms dbms;
  struct bolt_tally tally = {0};
  struct bolt_session_owner owner = {wake};
  struct bolt_settings settings = bolt_settings_default();
  struct bolt_conn_setup setup = {&settings, &dbms, STR("p"), STR("l"), STR("bolt-1"), &owner, &tally, NULL};
  struct bolt_conn c;
  test_dbms_init(&dbms);
  bolt_conn_init(&c, &setup, 0);
  begin(&c, version[0], version[1]);
  feed(&c, data + 2, size - 2, 1 + data[1]);
  bolt_conn_tick(&c, 1000000);
  must(bolt_conn_disconnect(&c));
  bolt_conn_done(&c);
  must(dbms.sessions == 0);
  test_dbms_done(&dbms);
  return 0;
}
