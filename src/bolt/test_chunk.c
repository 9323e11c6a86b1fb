#include <stdlib.h>
#include <string.h>

#include "bolt/test_player.h"

/// Reads all messages of `bytes`, given `step` at a time, as "message|message|"; noops are counted.
static struct buf read_all(const struct buf *bytes, size_t step, uint64_t *noops, enum err *last) {
  struct bolt_chunk_reader r = {0};
  struct buf out = BUF_INIT;
  *last = ERR_SHORT;
  for (size_t at = 0; at < bytes->len && *last == ERR_SHORT; at += step) {
    const uint8_t *p = (const uint8_t *) bytes->data + at;
    size_t len = MIN(step, bytes->len - at);
    struct str message;
    while ((*last = bolt_chunk_read(&r, &p, &len, 200000, &message)) == ERR_OK) {
      assert_ok(buf_append_str(&out, message));
      assert_ok(buf_append_byte(&out, '|'));
    }
  }
  *noops = r.noops;
  bolt_chunk_reader_done(&r);
  return out;
}

static void assert_messages(const char *hex, const char *messages, uint64_t noops) {
  CLEANUP(buf_done) struct buf bytes = test_hex(hex);
  for (size_t step = 1; step <= bytes.len; step++) {
    uint64_t n;
    enum err last;
    CLEANUP(buf_done) struct buf got = read_all(&bytes, step, &n, &last);
    assert_str(buf_str(&got), messages);
    assert_int_equal(n, noops);
  }
}

TEST(a_message_may_be_cut_into_chunks_anywhere) {
  assert_messages("00 01 'a' 00 03 'bcd' 00 00", "abcd|", 0);
  assert_messages("00 04 'abcd' 00 00 00 02 'ef' 00 00", "abcd|ef|", 0);
  assert_messages("00 01 b1 00 03 71 91 01 00 00", "\xb1\x71\x91\x01|", 0); // the specification's example
}

TEST(trap_19_a_noop_between_messages_is_nothing) {
  assert_messages("00 00 00 00 00 01 'a' 00 00 00 00 00 01 'b' 00 00", "a|b|", 3);
}

TEST(a_message_longer_than_the_limit_is_refused_before_it_is_read) {
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  assert_ok(buf_reserve(&bytes, 300000));
  for (int i = 0; i < 4; i++) {
    assert_ok(buf_append(&bytes, "\xff\xff", 2));
    memset(bytes.data + bytes.len, 'x', 65535);
    bytes.len += 65535;
  }
  for (size_t step = 1000; step <= bytes.len; step *= 3) {
    uint64_t n;
    enum err last;
    CLEANUP(buf_done) struct buf got = read_all(&bytes, step, &n, &last);
    assert_int_equal(last, ERR_LIMIT);
    assert_int_equal(got.len, 0);
  }
}

TEST(a_long_message_is_written_in_chunks_of_at_most_65535_and_reads_back) {
  static const size_t sizes[] = {0, 1, 65534, 65535, 65536, 131069, 131070, 131071, 199999};
  for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
    CLEANUP(buf_done) struct buf out = BUF_INIT, text = BUF_INIT;
    assert_ok(buf_append(&out, "before", 6));
    size_t start;
    assert_ok(bolt_chunk_begin(&out, &start));
    for (size_t j = 0; j < sizes[i]; j++) assert_ok(buf_append_byte(&text, (uint8_t) (j * 31 + j / 251)));
    assert_ok(buf_append_str(&out, buf_str(&text)));
    assert_ok(bolt_chunk_end(&out, start));
    buf_consume(&out, 6);
    if (sizes[i] == 0) continue;
    uint64_t n;
    enum err last;
    CLEANUP(buf_done) struct buf got = read_all(&out, 1398, &n, &last);
    assert_int_equal(got.len, sizes[i] + 1);
    assert_memory_equal(got.data, text.data, sizes[i]);
  }
}

TEST(reassembly_is_linear_in_the_bytes) { // 227 KB of RUN came as 163 chunks
  CLEANUP(buf_done) struct buf bytes = BUF_INIT;
  char chunk[1398];
  memset(chunk, 'y', sizeof chunk);
  for (int i = 0; i < 140; i++) {
    assert_ok(buf_append(&bytes, "\x05\x76", 2));
    assert_ok(buf_append(&bytes, chunk, sizeof chunk));
  }
  assert_ok(buf_append(&bytes, "\0\0", 2));
  uint64_t n;
  enum err last;
  CLEANUP(buf_done) struct buf got = read_all(&bytes, 1, &n, &last);
  assert_int_equal(got.len, 140 * 1398 + 1);
}

TEST(each_failing_allocation_loses_no_more_than_the_message) {
  EACH_ALLOC_FAILS(n) {
    struct bolt_chunk_reader r = {0};
    const uint8_t *p = (const uint8_t *) "\x00\x01"
                                         "a\x00\x01"
                                         "b\x00\x00";
    size_t len = 8;
    struct str message;
    enum err err = bolt_chunk_read(&r, &p, &len, 100, &message);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    bolt_chunk_reader_done(&r);
    struct buf out = BUF_INIT;
    size_t start;
    if (bolt_chunk_begin(&out, &start) == ERR_OK && buf_append(&out, "x", 1) == ERR_OK && bolt_chunk_end(&out, start) != ERR_OK)
      assert_int_equal(out.len, 0);
    buf_done(&out);
  }
}

TESTS(T(a_message_may_be_cut_into_chunks_anywhere), T(trap_19_a_noop_between_messages_is_nothing),
      T(a_message_longer_than_the_limit_is_refused_before_it_is_read),
      T(a_long_message_is_written_in_chunks_of_at_most_65535_and_reads_back), T(reassembly_is_linear_in_the_bytes),
      T(each_failing_allocation_loses_no_more_than_the_message))
