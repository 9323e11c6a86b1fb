#include "bolt/test_player.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/packstream.h"

// ---- bytes from text ----

struct buf test_hex(const char *text) {
  return test_hex_of(str_of(text));
}

struct buf test_hex_of(struct str hex) {
  struct buf out = BUF_INIT;
  const char *text = hex.ptr, *text_end = hex.ptr + hex.len;
  size_t chunk = 0;
  while (text < text_end) {
    if (isspace((unsigned char) *text)) {
      text++;
    } else if (*text == '(') {
      assert_ok(bolt_chunk_begin(&out, &chunk));
      text++;
    } else if (*text == ')') {
      assert_ok(bolt_chunk_end(&out, chunk));
      text++;
    } else if (*text == '\'' || *text == '"') {
      char quote = *text++;
      while (*text != quote) assert_ok(buf_append_byte(&out, (uint8_t) *text++));
      text++;
    } else {
      char pair[3] = {text[0], text[1], 0};
      char *end;
      assert_ok(buf_append_byte(&out, (uint8_t) strtoul(pair, &end, 16)));
      assert_ptr_equal(end, pair + 2);
      text += 2;
    }
  }
  return out;
}

static const struct {
  const char *name;
  uint8_t tag;
} tags[] = {
    {"HELLO", 0x01},  {"INIT", 0x01},    {"LOGON", 0x6a},    {"LOGOFF", 0x6b},      {"GOODBYE", 0x02},   {"ACK_FAILURE", 0x0e},
    {"RESET", 0x0f},  {"RUN", 0x10},     {"PULL_ALL", 0x3f}, {"DISCARD_ALL", 0x2f}, {"PULL", 0x3f},      {"DISCARD", 0x2f},
    {"BEGIN", 0x11},  {"COMMIT", 0x12},  {"ROLLBACK", 0x13}, {"ROUTE", 0x66},       {"TELEMETRY", 0x54}, {"SUCCESS", 0x70},
    {"RECORD", 0x71}, {"IGNORED", 0x7e}, {"FAILURE", 0x7f},
};

static void skip_blanks(const char **at) {
  while (**at == ' ' || **at == ',' || **at == ':') ++*at;
}

static struct str take_word(const char **at) {
  const char *start = *at;
  while (isalnum((unsigned char) **at) || **at == '_') ++*at;
  return (struct str){start, (size_t) (*at - start)};
}

static void write_value(struct buf *out, const char **at);

static void write_container(struct buf *out, const char **at, char close, bool keys) {
  struct buf inner = BUF_INIT;
  uint32_t count = 0;
  for (++*at, skip_blanks(at); **at != close; skip_blanks(at), count++) {
    if (keys) assert_ok(packstream_write_str(&inner, take_word(at)));
    skip_blanks(at);
    write_value(&inner, at);
  }
  ++*at;
  assert_ok(keys ? packstream_write_map(out, count) : packstream_write_list(out, count));
  assert_ok(buf_append_str(out, buf_str(&inner)));
  buf_done(&inner);
}

static void write_value(struct buf *out, const char **at) {
  if (**at == '{') {
    write_container(out, at, '}', true);
  } else if (**at == '[') {
    write_container(out, at, ']', false);
  } else if (**at == '\'') {
    const char *start = ++*at;
    while (**at != '\'') ++*at;
    assert_ok(packstream_write_str(out, (struct str){start, (size_t) (*at - start)}));
    ++*at;
  } else if (**at == '-' || isdigit((unsigned char) **at)) {
    char *end;
    assert_ok(packstream_write_int(out, strtoll(*at, &end, 10)));
    *at = end;
  } else {
    struct str word = take_word(at);
    assert_true(word.len > 0);
    if (str_eqz(word, "null"))
      assert_ok(packstream_write_null(out));
    else
      assert_ok(packstream_write_bool(out, str_eqz(word, "true")));
  }
}

struct buf test_message(const char *text) {
  struct buf fields = BUF_INIT, out = BUF_INIT;
  struct str name = take_word(&text);
  uint8_t tag = 0xff;
  for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
    if (str_eqz(name, tags[i].name)) tag = tags[i].tag;
  assert_int_not_equal(tag, 0xff);
  uint32_t count = 0;
  for (skip_blanks(&text); *text != '\0'; skip_blanks(&text), count++) write_value(&fields, &text);
  size_t start;
  assert_ok(bolt_chunk_begin(&out, &start));
  assert_ok(packstream_write_struct(&out, tag, count));
  assert_ok(buf_append_str(&out, buf_str(&fields)));
  assert_ok(bolt_chunk_end(&out, start));
  buf_done(&fields);
  return out;
}

// ---- text from bytes ----

/// Quotes inside are doubled.
static void print_text(struct buf *out, struct str text) {
  assert_ok(buf_append_byte(out, '\''));
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] == '\'') assert_ok(buf_append_byte(out, '\''));
    assert_ok(buf_append_byte(out, (uint8_t) text.ptr[i]));
  }
  assert_ok(buf_append_byte(out, '\''));
}

static void print_value(struct buf *out, struct value v) {
  switch (v.type) {
  case VALUE_NULL: assert_ok(buf_printf(out, "null")); break;
  case VALUE_BOOL: assert_ok(buf_printf(out, v.b ? "true" : "false")); break;
  case VALUE_INT: assert_ok(buf_printf(out, "%lld", (long long) v.i)); break;
  case VALUE_FLOAT: assert_ok(buf_printf(out, "%g", v.f)); break;
  case VALUE_STRING: print_text(out, v_text(v)); break;
  case VALUE_LIST:
    assert_ok(buf_printf(out, "["));
    for (uint32_t i = 0; i < v.len; i++) {
      if (i > 0) assert_ok(buf_printf(out, ", "));
      print_value(out, v.items[i]);
    }
    assert_ok(buf_printf(out, "]"));
    break;
  case VALUE_MAP:
    assert_ok(buf_printf(out, "{"));
    for (uint32_t i = 0; i < v.len; i++) {
      assert_ok(buf_printf(out, "%s%.*s: ", i > 0 ? ", " : "", STR_ARG(v.entries[i].key)));
      print_value(out, v.entries[i].value);
    }
    assert_ok(buf_printf(out, "}"));
    break;
  default: assert_ok(buf_printf(out, "<%s>", value_type_name((enum value_type) v.type)));
  }
}

static void show_message(struct buf *out, struct str message) {
  struct packstream_profile profile = {.has_temporal = true, .utc_datetimes = true};
  struct packstream_reader r;
  struct arena arena;
  arena_init(&arena, NULL);
  packstream_reader_init(&r, profile, (struct packstream_limits){0}, message.ptr, message.len, &arena);
  uint8_t tag;
  uint32_t fields;
  assert_ok(packstream_read_message(&r, &tag, &fields, NULL));
  for (size_t i = ARRAY_SIZE(tags) - 4; i < ARRAY_SIZE(tags); i++)
    if (tags[i].tag == tag) assert_ok(buf_printf(out, "%s", tags[i].name));
  for (uint32_t i = 0; i < fields; i++) {
    struct value v;
    enum err err = packstream_read_value(&r, &v, NULL);
    assert_ok(buf_printf(out, " "));
    if (err == ERR_OK)
      print_value(out, v);
    else
      assert_ok(buf_printf(out, "<entities>"));
    if (err != ERR_OK) break;
  }
  assert_ok(buf_printf(out, "\n"));
  arena_done(&arena);
}

static void show_messages(struct buf *out, struct str bytes) {
  struct bolt_chunk_reader r = {0};
  const uint8_t *at = (const uint8_t *) bytes.ptr;
  size_t len = bytes.len;
  uint64_t noops = 0;
  struct str message;
  while (bolt_chunk_read(&r, &at, &len, SIZE_MAX, &message) == ERR_OK) {
    for (; noops < r.noops; noops++) assert_ok(buf_printf(out, "NOOP\n"));
    show_message(out, message);
  }
  for (; noops < r.noops; noops++) assert_ok(buf_printf(out, "NOOP\n"));
  assert_false(r.open);
  assert_int_equal(r.head_len, 0);
  bolt_chunk_reader_done(&r);
}

// ---- the player ----

static void wake(struct bolt_session_owner *owner) {
  CONTAINER_OF(owner, struct player, owner)->wakes++;
}

static void listen_to(struct player *p) {
  assert_ok(buf_append(&p->heard, p->conn.wire.data, p->conn.wire.len));
  buf_clear(&p->conn.wire);
  if (p->conn.session != NULL) assert_true(bolt_session_invariant(p->conn.session));
}

void player_open(struct player *p) {
  *p = (struct player){.owner.wake = wake, .settings = bolt_settings_default()};
  test_dbms_init(&p->dbms);
  struct bolt_conn_setup setup = {.settings = &p->settings,
                                  .dbms = &p->dbms,
                                  .peer = STR("10.0.0.1:5000"),
                                  .local = STR("10.0.0.2:7687"),
                                  .connection_id = STR("bolt-1"),
                                  .owner = &p->owner,
                                  .tally = &p->tally};
  bolt_conn_init(&p->conn, &setup, 0);
}

void player_close(struct player *p) {
  if (!bolt_conn_disconnect(&p->conn)) player_finish_operation(p);
  bolt_conn_done(&p->conn);
  buf_done(&p->heard);
  buf_done(&p->text);
  assert_int_equal(p->dbms.sessions, 0);
  test_dbms_done(&p->dbms);
}

void player_let_run(struct player *p) {
  for (int i = 0; i < 10000 && p->conn.run_again; i++) {
    bolt_conn_run(&p->conn, p->now_ms);
    listen_to(p);
  }
}

void player_send(struct player *p, const void *bytes, size_t len) {
  size_t step = p->step > 0 ? p->step : MAX(len, (size_t) 1);
  for (size_t at = 0; at < len; at += step) {
    bolt_conn_receive(&p->conn, (const uint8_t *) bytes + at, MIN(step, len - at), p->now_ms, 784111777);
    listen_to(p);
    player_let_run(p);
  }
}

void player_send_hex(struct player *p, const char *hex) {
  struct buf bytes = test_hex(hex);
  player_send(p, bytes.data, bytes.len);
  buf_done(&bytes);
}

void player_shake_hands(struct player *p, uint8_t major, uint8_t minor) {
  uint8_t offer[20] = {0x60, 0x60, 0xb0, 0x17, 0, 0, minor, major};
  uint8_t answer[4] = {0, 0, minor, major};
  player_send(p, offer, sizeof offer);
  struct str got = player_hear_bytes(p);
  assert_int_equal(got.len, 4);
  assert_memory_equal(got.ptr, answer, 4);
}

void player_say(struct player *p, const char *message) {
  struct buf bytes = test_message(message);
  player_send(p, bytes.data, bytes.len);
  buf_done(&bytes);
}

void player_log_in(struct player *p, uint8_t major, uint8_t minor) {
  player_open(p);
  player_shake_hands(p, major, minor);
  const struct bolt_version *v = bolt_version_find(major, minor);
  if (v->init)
    player_say(p, "INIT 'test/1.0' {scheme: 'none'}");
  else
    player_say(p, "HELLO {user_agent: 'test/1.0', bolt_agent: {product: 'test/1.0'}, scheme: 'none'}");
  if (v->logon) player_say(p, "LOGON {scheme: 'none'}");
  player_hear(p);
  assert_int_equal(bolt_session_state(p->conn.session), BOLT_READY);
}

struct str player_hear_bytes(struct player *p) {
  buf_done(&p->text);
  p->text = p->heard;
  p->heard = BUF_INIT;
  return buf_str(&p->text);
}

struct str player_hear(struct player *p) {
  buf_clear(&p->text);
  show_messages(&p->text, buf_str(&p->heard));
  buf_clear(&p->heard);
  return buf_str(&p->text);
}

const char *player_hear_z(struct player *p) {
  player_hear(p);
  assert_ok(buf_append_byte(&p->text, 0));
  return p->text.data;
}

void player_finish_operation(struct player *p) {
  int before = p->wakes;
  assert_true(test_dbms_finish(&p->dbms));
  assert_int_equal(p->wakes, before + 1);
  bolt_conn_operation_done(&p->conn, p->now_ms);
  listen_to(p);
  player_let_run(p);
}

void player_pass_time(struct player *p, int64_t ms) {
  p->now_ms += ms;
  bolt_conn_tick(&p->conn, p->now_ms);
  listen_to(p);
}
