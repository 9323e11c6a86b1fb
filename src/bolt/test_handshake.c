#include <string.h>

#include "bolt/test_player.h"

/// Sends `opening` cut at each byte in turn; the answer comes in one piece, or there is none.
static void assert_answer(const char *opening, const char *answer) {
  CLEANUP(buf_done) struct buf bytes = test_hex(opening), expected = test_hex(answer);
  for (size_t cut = 0; cut < bytes.len; cut++) {
    struct bolt_handshake h = {0};
    struct str got[2];
    size_t taken = bolt_handshake_receive(&h, (const uint8_t *) bytes.data, cut);
    got[0] = bolt_handshake_take_answer(&h);
    taken += bolt_handshake_receive(&h, (const uint8_t *) bytes.data + taken, bytes.len - taken);
    got[1] = bolt_handshake_take_answer(&h);
    assert_true(got[0].len == 0 || got[1].len == 0);
    struct str all = got[0].len > 0 ? got[0] : got[1];
    assert_int_equal(all.len, expected.len);
    assert_memory_equal(all.ptr == NULL ? "" : all.ptr, expected.data == NULL ? "" : expected.data, expected.len);
  }
}

#define MAGIC "60 60 B0 17 "
#define MANIFEST "00 00 01 FF 05 00 00 00 06 00 02 08 05 00 04 04 05 00 04 04 04 00 00 00 03 00"

TEST(each_driver_gets_the_version_that_it_likes_best) {
  assert_answer(MAGIC "00000003 00000002 00000001 00000000", "00 00 00 03"); // JS 1.7
  assert_answer(MAGIC "00000002 00000001 00000000 00000000", "00 00 00 02");
  assert_answer(MAGIC "00000004 00000003 00000002 00000001", "00 00 00 04"); // JS 4.0
  assert_answer(MAGIC "00000204 00000104 00000004 00000003", "00 00 02 04"); // JS 4.2
  assert_answer(MAGIC "00020404 00000104 00000004 00000003", "00 00 04 04"); // JS 4.3, 4.4
  assert_answer(MAGIC "00070705 00020404 00000104 00000003", "00 00 07 05"); // Python, Go, Java of late 2024
  assert_answer(MAGIC "00060605 00020404 00000104 00000003", "00 00 06 05"); // .NET
  assert_answer(MAGIC "000001ff 00080805 00020404 00000003", MANIFEST);      // JS 5.28, 6; Python 6
  assert_answer(MAGIC "00000004 00000003 00000000 00000000", "00 00 00 04"); // Go 4.0
}

TEST(trap_1_version_5_5_is_never_chosen) {
  assert_answer(MAGIC "00000505 00000000 00000000 00000000", "00 00 00 00");
  assert_answer(MAGIC "00010505 00000000 00000000 00000000", "00 00 04 05");
  assert_answer(MAGIC "00000505 00000004 00000000 00000000", "00 00 00 04");
  assert_null(bolt_version_find(5, 5));
}

TEST(trap_1_nothing_is_chosen_that_was_not_offered) {
  assert_answer(MAGIC "00000904 00000000 00000000 00000000", "00 00 00 00");
  assert_answer(MAGIC "00010904 00000000 00000000 00000000", "00 00 00 00");
  assert_answer(MAGIC "00090905 00000000 00000000 00000000", "00 00 08 05");
  assert_answer(MAGIC "00ff0104 00000000 00000000 00000000", "00 00 01 04"); // a range below zero
  assert_answer(MAGIC "00000007 00000000 00000000 00000000", "00 00 00 00");
  assert_answer(MAGIC "00000000 00000000 00000000 00000000", "00 00 00 00");
  assert_answer(MAGIC "2a000404 00000000 00000000 00000000", "00 00 04 04"); // the reserved byte says nothing
}

TEST(trap_1_an_unknown_manifest_is_passed_over) {
  assert_answer(MAGIC "000002ff 00000404 00000000 00000000", "00 00 04 04");
  assert_answer(MAGIC "010001ff 00000003 00000000 00000000", "00 00 00 03");
}

TEST(other_bytes_are_refused_without_a_word) {
  assert_answer("60 60 B0 18 00000004 00000003 00000000 00000000", "");
  assert_answer("16 03 01 00", "");
}

static enum bolt_handshake_state choose(const char *choice, struct bolt_handshake *h, size_t *left) {
  CLEANUP(buf_done) struct buf opening = test_hex(MAGIC "000001ff 00080805 00020404 00000003"), bytes = test_hex(choice);
  enum bolt_handshake_state state = BOLT_HANDSHAKE_SLOTS;
  for (size_t cut = 0; cut <= bytes.len; cut++) {
    *h = (struct bolt_handshake){0};
    assert_int_equal(bolt_handshake_receive(h, (uint8_t *) opening.data, opening.len), opening.len);
    size_t taken = bolt_handshake_receive(h, (uint8_t *) bytes.data, cut);
    taken += bolt_handshake_receive(h, (uint8_t *) bytes.data + taken, bytes.len - taken);
    *left = bytes.len - taken;
    if (cut > 0) assert_int_equal(h->state, state);
    state = h->state;
  }
  return state;
}

TEST(a_client_may_choose_one_version_of_the_manifest) {
  struct bolt_handshake h;
  size_t left;
  assert_int_equal(choose("00 00 00 06 00", &h, &left), BOLT_HANDSHAKE_DONE);
  assert_int_equal(h.version->major, 6);
  assert_int_equal(choose("00 00 08 05 00", &h, &left), BOLT_HANDSHAKE_DONE);
  assert_int_equal(h.version->minor, 8);
  assert_int_equal(choose("00 00 04 05 80 00 00 10", &h, &left), BOLT_HANDSHAKE_DONE); // a longer zero; HELLO behind it
  assert_int_equal(left, 2);
  assert_int_equal(choose("00 00 00 03 00", &h, &left), BOLT_HANDSHAKE_DONE);
}

TEST(a_choice_that_was_not_offered_closes) {
  static const char *const bad[] = {
      "00 00 01 06 00",
      "00 00 05 05 00",
      "00 01 08 05 00",
      "01 00 08 05 00",
      "00 00 08 05 01",
      "00 00 00 02 00",
      "00 00 00 00 00",
      "00 00 08 05 80 80 80 80 80 80 80 80 80 02",
      "00 00 08 05 ff ff ff ff ff ff ff ff ff ff",
  };
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    struct bolt_handshake h;
    size_t left;
    assert_int_equal(choose(bad[i], &h, &left), BOLT_HANDSHAKE_REFUSED);
    assert_null(h.version);
  }
}

TEST(varints_have_at_most_ten_bytes_and_sixty_four_bits) {
  uint64_t v;
  assert_int_equal(bolt_varint_read((const uint8_t *) "\xff\x82\x71", 3, &v), 3);
  assert_int_equal(v, 1851775);
  assert_int_equal(bolt_varint_read((const uint8_t *) "\xff\x82", 2, &v), 0);
  assert_int_equal(bolt_varint_read((const uint8_t *) "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, &v), 10);
  assert_true(v == UINT64_MAX);
  assert_int_equal(bolt_varint_read((const uint8_t *) "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, &v), -1);
  assert_int_equal(bolt_varint_read((const uint8_t *) "\x80\x00", 2, &v), 2);
  assert_int_equal(v, 0);
}

TEST(the_manifest_offers_what_the_table_of_versions_has) {
  struct str m = bolt_version_manifest();
  const uint8_t *at = (const uint8_t *) m.ptr + 5;
  for (int i = 0; i < m.ptr[4]; i++, at += 4)
    for (int minor = at[2] - at[1]; minor <= at[2]; minor++) assert_non_null(bolt_version_find(at[3], (uint8_t) minor));
}

TESTS(T(each_driver_gets_the_version_that_it_likes_best), T(trap_1_version_5_5_is_never_chosen),
      T(trap_1_nothing_is_chosen_that_was_not_offered), T(trap_1_an_unknown_manifest_is_passed_over),
      T(other_bytes_are_refused_without_a_word), T(a_client_may_choose_one_version_of_the_manifest),
      T(a_choice_that_was_not_offered_closes), T(varints_have_at_most_ten_bytes_and_sixty_four_bits),
      T(the_manifest_offers_what_the_table_of_versions_has))
