#include "cli/render.h"

#include <string.h>

#include "base/test.h"

/// Bytes of PackStream as text.
#define RENDERS(bytes, text)                                          \
  do {                                                                \
    struct arena a_;                                                  \
    arena_init(&a_, NULL);                                            \
    struct buf b_ = BUF_INIT;                                         \
    struct str rest_ = {(bytes), sizeof(bytes) - 1};                  \
    struct packed p_;                                                 \
    assert_ok(packed_read(&a_, &rest_, &p_, NULL));                   \
    assert_int_equal(rest_.len, 0);                                   \
    assert_ok(render_value(&b_, &p_));                                \
    assert_str(buf_str(&b_), text);                                   \
    buf_done(&b_);                                                    \
    arena_done(&a_);                                                  \
  } while (0)

TEST(scalars_are_written_as_cypher_reads_them) {
  RENDERS("\xC0", "NULL");
  RENDERS("\xC3", "TRUE");
  RENDERS("\xF0", "-16");
  RENDERS("\xC9\xFF\x00", "-256");
  RENDERS("\xCB\x80\x00\x00\x00\x00\x00\x00\x00", "-9223372036854775808");
  RENDERS("\xC1\x3F\xF0\x00\x00\x00\x00\x00\x00", "1.0");
  RENDERS("\xC1\x3F\xB9\x99\x99\x99\x99\x99\x9A", "0.1");
  RENDERS("\xC1\x7F\xF8\x00\x00\x00\x00\x00\x00", "NaN");
  RENDERS("\x84" "a\"b\n", "\"a\\\"b\\n\"");
  RENDERS("\xCC\x02\x00\xFF", "[0, 255]");
}

TEST(containers_and_names_that_need_quotes) {
  RENDERS("\x93\x01\x02\x91\xC0", "[1, 2, [NULL]]");
  RENDERS("\xA2\x81" "a\x01\x83" "b c\x02", "{a: 1, `b c`: 2}");
}

TEST(entities_and_paths) {
  RENDERS("\xB4N\x01\x91\x81" "A\xA1\x81k\x01\x81" "x", "(:A {k: 1})");
  RENDERS("\xB4N\x01\x90\xA0\x81" "x", "()");
  RENDERS("\xB8R\x01\x02\x03\x81T\xA0\x81x\x81y\x81z", "[:T]");
  RENDERS("\xB3P\x92\xB4N\x01\x91\x81" "A\xA0\x81x\xB4N\x02\x91\x81" "B\xA0\x81y\x91\xB4r\x05\x81T\xA0\x81z\x92\xFF\x01", "(:A)<-[:T]-(:B)");
}

TEST(temporal_and_spatial_values) {
  RENDERS("\xB1" "D\xC9\x46\x60", "2019-04-30");
  RENDERS("\xB3I\x00\x00\x00", "1970-01-01T00:00Z");
  RENDERS("\xB4" "E\x01\x02\x03\x00", "P1M2DT3S");
  RENDERS("\xB3X\xC9\x1C\x23\xC1\x3F\xF0\x00\x00\x00\x00\x00\x00\xC1\x40\x00\x00\x00\x00\x00\x00\x00", "point({srid:7203, x:1.0, y:2.0})");
}

TEST(what_a_hostile_server_sends_is_refused_or_shown_harmlessly) {
  static const struct str bad[] = {STR(""), STR("\x82" "a"), STR("\xD6\xFF\xFF\xFF\xFF"), STR("\xA1\x01\x02"), STR("\xDF"), STR("\xCB\x01")};
  struct arena a;
  arena_init(&a, NULL);
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    struct str rest = bad[i];
    struct packed p;
    assert_int_equal(packed_read(&a, &rest, &p, NULL), ERR_PROTOCOL);
  }
  char deep[4000];
  memset(deep, 0x91, sizeof deep);
  struct str rest = {deep, sizeof deep};
  struct packed p;
  assert_int_equal(packed_read(&a, &rest, &p, NULL), ERR_PROTOCOL);
  arena_done(&a);
  RENDERS("\xB4N\x01\x01\x01\x01", "()");
  RENDERS("\xB3P\x91\x01\x91\x01\x92\x01\x05", "1<path>");
  RENDERS("\xB3I\x80\x80\x80", "1970-01-01T00:00Z");
  RENDERS("\xB1t\xCB\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "<out of range>");
}

TESTS(T(scalars_are_written_as_cypher_reads_them), T(containers_and_names_that_need_quotes), T(entities_and_paths), T(temporal_and_spatial_values),
      T(what_a_hostile_server_sends_is_refused_or_shown_harmlessly))
