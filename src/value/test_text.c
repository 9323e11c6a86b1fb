#include <math.h>

#include "base/rng.h"
#include "base/test.h"
#include "value/compare.h"
#include "value/temporal.h"
#include "value/text.h"

static struct arena arena;

static void float_reads(double f, const char *expected) {
  char out[TEXT_FLOAT_MAX];
  assert_str(((struct str){out, text_put_float(f, out)}), expected);
}

TEST(floats_are_written_as_java_does) {
  float_reads(1, "1.0");
  float_reads(-0.0, "-0.0");
  float_reads(0.1, "0.1");
  float_reads(0.30000000000000004, "0.30000000000000004");
  float_reads(123456.789, "123456.789");
  float_reads(9999999, "9999999.0");
  float_reads(1e7, "1.0E7");
  float_reads(1.25e10, "1.25E10");
  float_reads(0.001, "0.001");
  float_reads(0.00099, "9.9E-4");
  float_reads(100, "100.0");
  float_reads(1.7976931348623157e308, "1.7976931348623157E308");
  float_reads(5e-324, "4.9E-324");
  float_reads(2.2250738585072014e-308, "2.2250738585072014E-308");
  float_reads(NAN, "NaN");
  float_reads(-INFINITY, "-Infinity");
}

TEST(a_float_reads_back_as_itself) {
  struct rng r;
  rng_seed(&r, 41);
  for (int i = 0; i < 20000; i++) {
    uint64_t bits = rng_next(&r);
    double f, back;
    memcpy(&f, &bits, sizeof f);
    if (!isfinite(f)) continue;
    char out[TEXT_FLOAT_MAX];
    assert_true(text_parse_float((struct str){out, text_put_float(f, out)}, false, &back));
    assert_true(f == back);
  }
}

static void to_text(struct value v, const char *expected) {
  struct str s;
  assert_ok(text_of_value(&arena, v, &s, NULL));
  assert_str(s, expected);
}

TEST(values_become_text) {
  to_text(v_int(INT64_MIN), "-9223372036854775808");
  to_text(v_bool(true), "true");
  to_text(v_float(2.3), "2.3");
  to_text(v_str(STR("apa")), "apa");
  to_text(v_date(0), "1970-01-01");
  struct value_point p = {4979, 12.5, 56, 100};
  to_text((struct value){.type = VALUE_POINT, .point = &p}, "point({x: 12.5, y: 56.0, z: 100.0, crs: 'wgs-84-3d'})");
  struct str s;
  assert_int_equal(text_of_value(&arena, v_list(NULL, 0), &s, NULL), ERR_TYPE);
  assert_int_equal(text_of_value(&arena, v_node(1), &s, NULL), ERR_TYPE);
}

static void becomes(enum err (*convert)(struct value, struct value *, struct error *), struct value from, struct value expected) {
  struct value v;
  assert_ok(convert(from, &v, NULL));
  assert_int_equal(v.type, expected.type);
  assert_int_equal(value_order(v, expected), 0);
}

TEST(text_becomes_numbers_and_booleans) {
  becomes(text_to_integer, v_str(STR("42")), v_int(42));
  becomes(text_to_integer, v_str(STR("-1.7")), v_int(-1));
  becomes(text_to_integer, v_str(STR("9223372036854775807")), v_int(INT64_MAX));
  becomes(text_to_integer, v_str(STR("9223372036854775807.9")), v_int(INT64_MAX));
  becomes(text_to_integer, v_str(STR("1e3")), v_int(1000));
  becomes(text_to_integer, v_str(STR("foo")), V_NULL);
  becomes(text_to_integer, v_str(STR("")), V_NULL);
  becomes(text_to_integer, v_str(STR("0x10")), V_NULL);
  becomes(text_to_integer, v_float(82.9), v_int(82));
  becomes(text_to_integer, v_float(1e300), v_int(INT64_MAX));
  becomes(text_to_integer, v_float(NAN), v_int(0));
  becomes(text_to_integer, v_bool(true), v_int(1));
  becomes(text_to_float, v_str(STR(" 1.5e2 ")), v_float(150));
  becomes(text_to_float, v_str(STR(".5")), v_float(0.5));
  becomes(text_to_float, v_str(STR("NaN")), v_float(NAN));
  becomes(text_to_float, v_str(STR("1,5")), V_NULL);
  becomes(text_to_float, v_str(STR("e5")), V_NULL);
  becomes(text_to_float, v_int(3), v_float(3));
  becomes(text_to_boolean, v_str(STR(" TRUE ")), v_bool(true));
  becomes(text_to_boolean, v_str(STR("false")), v_bool(false));
  becomes(text_to_boolean, v_str(STR(" tru ")), V_NULL);
  becomes(text_to_boolean, v_int(0), v_bool(false));
  struct value v;
  assert_int_equal(text_to_integer(v_str(STR("9223372036854775808")), &v, NULL), ERR_TYPE);
  assert_int_equal(text_to_integer(v_list(NULL, 0), &v, NULL), ERR_TYPE);
  assert_int_equal(text_to_float(v_bool(true), &v, NULL), ERR_TYPE);
  assert_int_equal(text_to_boolean(v_float(1), &v, NULL), ERR_TYPE);
}

static struct str upper(struct str s) {
  struct str r = STR_NONE;
  assert_ok(text_upper(&arena, s, &r, NULL));
  return r;
}

static struct str lower(struct str s) {
  struct str r = STR_NONE;
  assert_ok(text_lower(&arena, s, &r, NULL));
  return r;
}

TEST(case_follows_unicode) {
  assert_str(upper(STR("hello, World")), "HELLO, WORLD");
  assert_str(lower(STR("HELLO, World")), "hello, world");
  assert_str(upper(STR("stra\xc3\x9f"
                       "e")),
             "STRASSE");
  assert_str(upper(STR("\xef\xac\x83")), "FFI");                  // a ligature
  assert_str(upper(STR("\xce\x90")), "\xce\x99\xcc\x88\xcc\x81"); // iota with two accents
  assert_str(upper(STR("\xc3\xa5\xc3\xa4\xc3\xb6")), "\xc3\x85\xc3\x84\xc3\x96");
  assert_str(lower(STR("\xce\xa3\xce\x9f\xce\xa3")), "\xcf\x83\xce\xbf\xcf\x82"); // the last sigma has its own form
  assert_str(lower(STR("\xc4\xb0")), "i\xcc\x87");
}

TEST(no_code_point_outgrows_its_room) {
  for (uint32_t cp = 1; cp < 0x110000; cp++) {
    if (cp >= 0xD800 && cp < 0xE000) continue;
    char text[4];
    struct str s = {text, str_put_code_point(text, cp)}, u, l;
    if (arena_bytes(&arena) > 1 << 20) arena_reset(&arena);
    u = upper(s), l = lower(s);
    assert_true(str_is_utf8(u) && str_is_utf8(l));
    assert_true(u.len <= s.len * 3 && l.len <= s.len * 2);
  }
}

static struct str normal(struct str s, const char *form) {
  struct str r = STR_NONE;
  assert_ok(text_normalize(&arena, s, str_of(form), &r, NULL));
  return r;
}

TEST(text_is_normalised) {
  assert_str(normal(STR("e\xcc\x81"), "NFC"), "\xc3\xa9");
  assert_str(normal(STR("\xc3\xa9"), "NFD"), "e\xcc\x81");
  assert_str(normal(STR("\xef\xac\x81"), "NFKC"), "fi");
  assert_str(normal(STR("\xef\xac\x81"), "NFC"), "\xef\xac\x81");
  assert_str(normal(STR(""), "NFKD"), "");
  struct str s;
  assert_int_equal(text_normalize(&arena, STR("x"), STR("NFX"), &s, NULL), ERR_ARGUMENT);
}

static void part_is(int64_t start, int64_t length, const char *expected) {
  struct str s;
  assert_ok(text_substring(STR("a\xc3\xa9\xf0\x9f\x98\x80z"), start, length, &s, NULL)); // four code points
  assert_str(s, expected);
}

TEST(parts_count_code_points) {
  assert_int_equal(text_length(STR("a\xc3\xa9\xf0\x9f\x98\x80z")), 4);
  part_is(0, 4, "a\xc3\xa9\xf0\x9f\x98\x80z");
  part_is(1, 2, "\xc3\xa9\xf0\x9f\x98\x80");
  part_is(3, 10, "z");
  part_is(9, 1, "");
  part_is(1, 0, "");
  struct str s;
  assert_int_equal(text_substring(STR("abc"), -1, 1, &s, NULL), ERR_ARGUMENT);
  assert_int_equal(text_left(STR("abc"), -1, &s, NULL), ERR_ARGUMENT);
  assert_ok(text_left(STR("abc"), 2, &s, NULL));
  assert_str(s, "ab");
  assert_ok(text_right(STR("abc"), 2, &s, NULL));
  assert_str(s, "bc");
  assert_ok(text_right(STR("abc"), 5, &s, NULL));
  assert_str(s, "abc");
  assert_ok(text_reverse(&arena, STR("a\xc3\xa9z"), &s, NULL));
  assert_str(s, "z\xc3\xa9"
                "a");
}

TEST(text_is_trimmed) {
  assert_str(text_trim(STR(" \t\xe2\x80\x83x y\n "), TEXT_BOTH), "x y");
  assert_str(text_trim(STR(" x "), TEXT_LEFT), "x ");
  assert_str(text_trim(STR(" x "), TEXT_RIGHT), " x");
  assert_str(text_trim(STR("\xc2\xa0x"), TEXT_BOTH), "\xc2\xa0x"); // a no-break space stays, as in Java
  assert_str(text_trim(STR("   "), TEXT_BOTH), "");
  assert_str(text_trim_chars(STR("xy\xc3\xa9"
                                 "a\xc3\xa9x"),
                             STR("x\xc3\xa9y"), TEXT_BOTH),
             "a");
  assert_str(text_trim_chars(STR(" a "), STR(""), TEXT_BOTH), " a ");
}

static struct str replaced(const char *s, const char *search, const char *with) {
  struct str r = STR_NONE;
  assert_ok(text_replace(&arena, str_of(s), str_of(search), str_of(with), &r, NULL));
  return r;
}

TEST(text_is_replaced) {
  assert_str(replaced("hello", "l", "w"), "hewwo");
  assert_str(replaced("aaa", "aa", "b"), "ba");
  assert_str(replaced("abc", "x", "y"), "abc");
  assert_str(replaced("abc", "b", ""), "ac");
  assert_str(replaced("abc", "", "-"), "-a-b-c-");
  assert_str(replaced("", "", "-"), "-");
}

static void splits_into(const char *s, struct value delimiters, const char *joined) {
  struct value v;
  assert_ok(text_split(&arena, str_of(s), delimiters, &v, NULL));
  struct str all = STR("");
  for (uint32_t i = 0; i < v.len; i++)
    all = arena_printf(&arena, "%.*s%s%.*s", STR_ARG(all), i > 0 ? "|" : "", STR_ARG(v_text(v.items[i])));
  assert_str(all, joined);
}

TEST(text_is_split) {
  splits_into("one1two", v_str(STR("1")), "one|two");
  splits_into(",a,,b,", v_str(STR(",")), "|a||b|");
  splits_into("", v_str(STR(",")), "");
  splits_into("abc", v_str(STR("")), "a|b|c");
  splits_into("a,b;c", v_list((struct value[]){v_str(STR(",")), v_str(STR(";"))}, 2), "a|b|c");
  struct value v;
  assert_int_equal(text_split(&arena, STR("x"), v_int(1), &v, NULL), ERR_TYPE);
}

TEST(text_without_memory_is_an_error) {
  EACH_ALLOC_FAILS(n) {
    struct arena a;
    arena_init(&a, NULL);
    struct str s = STR("untouched");
    enum err err = text_upper(&a, STR("\xc3\xa9"), &s, NULL);
    assert_true(err == ERR_OK || (err == ERR_NOMEM && s.len == 9));
    struct value v;
    err = text_split(&a, STR("a,b"), v_str(STR(",")), &v, NULL);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    arena_done(&a);
  }
}

static int setup(void **state UNUSED) {
  arena_init(&arena, NULL);
  return 0;
}

static int teardown(void **state UNUSED) {
  arena_done(&arena);
  return 0;
}

#define TT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TESTS(TT(floats_are_written_as_java_does), TT(a_float_reads_back_as_itself), TT(values_become_text),
      TT(text_becomes_numbers_and_booleans), TT(case_follows_unicode), TT(no_code_point_outgrows_its_room),
      TT(text_is_normalised), TT(parts_count_code_points), TT(text_is_trimmed), TT(text_is_replaced), TT(text_is_split),
      TT(text_without_memory_is_an_error))
