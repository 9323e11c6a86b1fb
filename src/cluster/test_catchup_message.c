// What is asked and answered when a server catches up, byte by byte.
#include <string.h>

#include "base/bytes.h"
#include "base/test.h"
#include "cluster/catchup_message.h"

static uint8_t pages[2 * PAGE_BYTES];

// One message of each type, with something in every field.
static size_t every_message(struct catchup_message to[16]) {
  struct catchup_message all[] = {
      {.type = CATCHUP_ASK_STATUS},
      {.type = CATCHUP_ASK_COPY, .copy = {7, 8, 9}},
      {.type = CATCHUP_DONE, .identity = 10},
      {.type = CATCHUP_ASK_PULL, .pull = {1, 2, 3, 4, 5}},
      {.type = CATCHUP_STATUS, .status = {1, {2, 3, 4}, 5, 6}},
      {.type = CATCHUP_HEAD, .head = pages},
      {.type = CATCHUP_PIECE, .piece = {pages, sizeof pages}},
      {.type = CATCHUP_END, .identity = 11},
      {.type = CATCHUP_ENTRIES, .entries = {12, 0, NULL, 0}},
      {.type = CATCHUP_ENTRIES, .entries = {12, 2, pages, 144}},
      {.type = CATCHUP_REFUSED, .refused = {CATCHUP_PRUNED, 13}},
  };
  for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
    to[i] = all[i];
    if (catchup_is_request(to[i].type)) memset(to[i].database, (int) i + 1, sizeof to[i].database);
  }
  return ARRAY_SIZE(all);
}

static struct buf bytes_of(const struct catchup_message *m, uint32_t number) {
  struct buf b = BUF_INIT;
  assert_ok(catchup_message_put(&b, number, m));
  return b;
}

TEST(each_message_comes_out_as_it_went_in) {
  struct catchup_message all[16];
  for (size_t i = every_message(all); i-- > 0;) {
    struct buf b = bytes_of(&all[i], 5), again = BUF_INIT;
    struct catchup_message m;
    size_t bytes = 0;
    assert_ok(catchup_message_peek((const uint8_t *) b.data, b.len, &bytes, NULL));
    assert_int_equal(bytes, b.len);
    assert_ok(catchup_message_get((const uint8_t *) b.data, b.len, 5, &m, NULL));
    assert_ok(catchup_message_put(&again, 5, &m));
    assert_int_equal(again.len, b.len);
    assert_memory_equal(again.data, b.data, b.len);
    assert_memory_equal(m.database, all[i].database, sizeof m.database);
    buf_done(&b);
    buf_done(&again);
  }
}

TEST(a_piece_that_is_sent_from_where_its_pages_are_is_the_same_message) {
  struct catchup_message m = {.type = CATCHUP_PIECE, .piece = {pages, sizeof pages}};
  static uint8_t in_place[CATCHUP_HEADER_BYTES + sizeof pages];
  struct buf whole = bytes_of(&m, 7);
  memcpy(in_place + CATCHUP_HEADER_BYTES, pages, sizeof pages);
  catchup_message_put_before(in_place + CATCHUP_HEADER_BYTES, sizeof pages, 7);
  assert_int_equal(whole.len, sizeof in_place);
  assert_memory_equal(in_place, whole.data, whole.len);
  buf_done(&whole);
}

TEST(a_request_is_these_bytes) {
  struct catchup_message m = {.type = CATCHUP_ASK_PULL, .pull = {1, 2, 3, 4, 5}};
  memset(m.database, 0xAB, sizeof m.database);
  struct buf b = bytes_of(&m, 9);
  static const uint8_t header[16] = {'Q', 'V', 'C', 'U', 1, 0, 4, 0, 48, 0, 0, 0, 9, 0, 0, 0};
  assert_int_equal(b.len, CATCHUP_HEADER_BYTES + 48);
  assert_memory_equal(b.data, header, sizeof header);
  assert_int_equal((uint8_t) b.data[24], 0xAB);
  assert_int_equal(get_u64_le(b.data + 40), 1);
  assert_int_equal(get_u32_le(b.data + 64), 4);
  assert_int_equal(get_u32_le(b.data + 68), 5);
  buf_done(&b);
}

TEST(no_byte_can_change_unnoticed) {
  struct catchup_message all[16];
  for (size_t i = every_message(all); i-- > 0;) {
    struct buf b = bytes_of(&all[i], 1);
    for (size_t at = 0; at < b.len; at += at < 200 ? 1 : 97) {
      struct catchup_message m;
      struct error e = ERROR_INIT;
      b.data[at] ^= 0x20;
      enum err err = catchup_message_get((const uint8_t *) b.data, b.len, 1, &m, &e);
      assert_true(err == ERR_CORRUPT || err == ERR_UNSUPPORTED);
      assert_true(e.message[0] != '\0');
      b.data[at] ^= 0x20;
    }
    buf_done(&b);
  }
}

TEST(a_message_out_of_turn_or_cut_short_is_refused) {
  struct catchup_message m = {.type = CATCHUP_END, .identity = 1};
  struct error e = ERROR_INIT;
  struct buf b = bytes_of(&m, 3);
  size_t bytes = 0;
  assert_int_equal(catchup_message_get((const uint8_t *) b.data, b.len, 4, &m, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "message 3 came where number 4 was due"));
  for (size_t len = 0; len < b.len; len++) {
    assert_int_equal(catchup_message_get((const uint8_t *) b.data, len, 3, &m, NULL), ERR_CORRUPT);
    assert_int_equal(catchup_message_peek((const uint8_t *) b.data, len, &bytes, NULL),
                     len < CATCHUP_HEADER_BYTES ? ERR_SHORT : ERR_OK);
  }
  buf_done(&b);
}

TEST(lengths_that_no_message_has_are_refused_before_anything_is_read) {
  static const struct {
    uint8_t type;
    uint32_t bytes;
  } cases[] = {{CATCHUP_ASK_STATUS, 15},
               {CATCHUP_ASK_STATUS, 17},
               {CATCHUP_ASK_PULL, 1 << 20},
               {CATCHUP_HEAD, PAGE_BYTES + 1},
               {CATCHUP_PIECE, 0},
               {CATCHUP_PIECE, CHECKPOINT_PIECE_BYTES_MAX + 1},
               {CATCHUP_ENTRIES, CATCHUP_BODY_BYTES_MAX + 1},
               {CATCHUP_ENTRIES, UINT32_MAX},
               {0, 16},
               {5, 16},
               {71, 16}};
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    uint8_t header[CATCHUP_HEADER_BYTES] = {'Q', 'V', 'C', 'U', 1, 0, cases[i].type};
    size_t bytes = 0;
    put_u32_le(header + 8, cases[i].bytes);
    assert_int_equal(catchup_message_peek(header, sizeof header, &bytes, NULL), ERR_CORRUPT);
  }
}

TEST(raft_on_this_port_is_told_which_port_is_its_own) {
  uint8_t header[CATCHUP_HEADER_BYTES] = {'Q', 'V', 'C', 'F', 1};
  struct error e = ERROR_INIT;
  size_t bytes = 0;
  assert_int_equal(catchup_message_peek(header, sizeof header, &bytes, &e), ERR_CORRUPT);
  assert_non_null(strstr(e.message, "7000"));
}

TEST(no_memory_for_a_message_leaves_what_is_there) {
  struct catchup_message all[16];
  for (size_t i = every_message(all); i-- > 0;) EACH_ALLOC_FAILS(n) {
      struct buf b = BUF_INIT;
      enum err err = catchup_message_put(&b, 1, &all[i]);
      assert_true(err == ERR_OK || (err == ERR_NOMEM && b.len == 0));
      buf_done(&b);
    }
}

TEST(every_refusal_says_why) {
  for (int i = 0; i < CATCHUP_REFUSAL_MAX; i++) assert_non_null(catchup_refusal_text((enum catchup_refusal) i));
}

TESTS(T(each_message_comes_out_as_it_went_in), T(a_piece_that_is_sent_from_where_its_pages_are_is_the_same_message),
      T(a_request_is_these_bytes), T(no_byte_can_change_unnoticed), T(a_message_out_of_turn_or_cut_short_is_refused),
      T(lengths_that_no_message_has_are_refused_before_anything_is_read), T(raft_on_this_port_is_told_which_port_is_its_own),
      T(no_memory_for_a_message_leaves_what_is_there), T(every_refusal_says_why))
