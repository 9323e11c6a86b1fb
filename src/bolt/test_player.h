// For tests: a Bolt client that writes messages as text and reads answers as text, against a connection without sockets.
//   player_say(p, "RUN 'RETURN 1' {} {}");  assert_str(player_hear(p), "SUCCESS {fields: ['x'], t_first: 1}\n...");
#pragma once

#include "base/test.h"
#include "bolt/conn.h"
#include "bolt/test_dbms.h"

/// "60 60 B0 17 'text' 00" to bytes: pairs of hex digits, text in quotes; what is in parentheses becomes one chunk
/// with its size in front and its end behind.
struct buf test_hex(const char *text);
struct buf test_hex_of(struct str text);

/// The bytes of a message in text form, chunked. Dictionaries and lists of any size.
struct buf test_message(const char *text);

struct player {
  struct bolt_session_owner owner;
  struct bolt_settings settings;
  struct dbms dbms;
  struct bolt_tally tally;
  struct bolt_conn conn;
  struct buf heard, text;
  size_t step; // bytes at a time; 0: all at once
  int64_t now_ms;
  int wakes;
};

/// Fresh connection; nothing is sent yet.
void player_open(struct player *p);
void player_close(struct player *p);

void player_send(struct player *p, const void *bytes, size_t len);
void player_send_hex(struct player *p, const char *hex);
/// Handshake for that version alone, and its answer checked.
void player_shake_hands(struct player *p, uint8_t major, uint8_t minor);
/// player_open, handshake, HELLO and LOGON or INIT; the answers are dropped.
void player_log_in(struct player *p, uint8_t major, uint8_t minor);
void player_say(struct player *p, const char *message);

/// All that was answered since the last call, one message a line.
struct str player_hear(struct player *p);
/// The same as raw bytes.
struct str player_hear_bytes(struct player *p);

/// Finishes the operation that is held (test_dbms.h: hold) and lets the connection go on.
void player_finish_operation(struct player *p);
void player_let_run(struct player *p);
void player_pass_time(struct player *p, int64_t ms);

#define assert_hears(player, expected) assert_string_equal(player_hear_z(player), (expected))
const char *player_hear_z(struct player *p);
