#include <math.h>

#include "base/rng.h"
#include "base/test.h"
#include "value/compare.h"

#define NO TERNARY_FALSE
#define YES TERNARY_TRUE
#define UNKNOWN TERNARY_NULL

#define LIST(...) v_list((struct value[]){__VA_ARGS__}, sizeof((struct value[]){__VA_ARGS__}) / sizeof(struct value))
#define EMPTY v_list(NULL, 0)
#define MAP1(k, v) v_map((struct value_entry[]){{STR(k), v}}, 1)
#define MAP2(k, v, l, w) v_map((struct value_entry[]){{STR(k), v}, {STR(l), w}}, 2)
#define TEXT(s) v_str(STR(s))
#define NAN_ v_float(NAN)
static const int64_t big = INT64_C(9007199254740993); // 2^53 + 1: no double holds it

static struct value duration(int64_t months, int64_t days, int64_t seconds) {
  static struct value_duration pool[64];
  static unsigned used;
  struct value_duration *d = &pool[used++ % 64];
  *d = (struct value_duration){months, days, seconds, 0};
  return (struct value){.type = VALUE_DURATION, .duration = d};
}

static struct value point(uint32_t srid, double x, double y) {
  static struct value_point pool[64];
  static unsigned used;
  struct value_point *p = &pool[used++ % 64];
  *p = (struct value_point){srid, x, y, 0};
  return (struct value){.type = VALUE_POINT, .point = p};
}

static void equal(struct value a, struct value b, enum ternary expected) {
  assert_int_equal(value_equals(a, b), expected);
  assert_int_equal(value_equals(b, a), expected);
}

TEST(equality_of_scalars) {
  equal(v_int(1), v_float(1.0), YES);
  equal(v_int(big), v_float(9007199254740992.0), NO);
  equal(v_int(INT64_MAX), v_float(0x1p63), NO);
  equal(v_int(INT64_MIN), v_float(-0x1p63), YES);
  equal(v_float(-0.0), v_int(0), YES);
  equal(NAN_, NAN_, NO);
  equal(NAN_, V_NULL, UNKNOWN);
  equal(V_NULL, V_NULL, UNKNOWN);
  equal(TEXT("1"), v_int(1), NO);
  equal(v_bool(true), v_int(1), NO);
  equal(v_node(1), v_rel(1), NO);
  equal(v_node(1), v_node(1), YES);
}

TEST(equality_looks_into_lists_and_maps) {
  equal(LIST(v_int(1), v_int(2)), LIST(v_int(1)), NO);
  equal(LIST(V_NULL), LIST(v_int(1)), UNKNOWN);
  equal(LIST(V_NULL, v_int(2)), LIST(v_int(1), v_int(3)), NO);
  equal(LIST(LIST(v_int(1)), LIST(v_int(2))), LIST(LIST(v_int(1)), LIST(V_NULL)), UNKNOWN);
  equal(LIST(LIST(v_int(2), v_int(3))), LIST(LIST(V_NULL)), NO);
  equal(LIST(NAN_), LIST(NAN_), NO);
  equal(EMPTY, EMPTY, YES);
  equal(v_bytes("\x01\xff", 2), LIST(v_int(1), v_int(-1)), YES);
  equal(MAP1("k", V_NULL), MAP1("k", V_NULL), UNKNOWN);
  equal(MAP1("k", V_NULL), MAP2("k", V_NULL, "l", V_NULL), NO);
  equal(MAP1("k", v_int(1)), MAP1("l", v_int(1)), NO);
  equal(MAP2("k", v_int(1), "l", V_NULL), MAP2("k", V_NULL, "l", v_int(1)), UNKNOWN);
  equal(MAP2("k", v_int(1), "l", V_NULL), MAP2("k", v_int(2), "l", V_NULL), NO);
}

TEST(membership_is_three_valued) {
  assert_int_equal(value_in_list(v_int(3), LIST(v_int(1), V_NULL, v_int(3))), YES);
  assert_int_equal(value_in_list(v_int(3), LIST(v_int(1), V_NULL)), UNKNOWN);
  assert_int_equal(value_in_list(V_NULL, EMPTY), NO);
  assert_int_equal(value_in_list(V_NULL, LIST(v_int(1))), UNKNOWN);
  assert_int_equal(value_in_list(LIST(V_NULL), LIST(V_NULL)), UNKNOWN);
  assert_int_equal(value_in_list(LIST(v_int(1)), LIST(LIST(v_int(1), V_NULL))), NO);
}

static void less(struct value a, struct value b) {
  assert_int_equal(value_compare(VALUE_LESS, a, b), YES);
  assert_int_equal(value_compare(VALUE_LESS_OR_EQUAL, a, b), YES);
  assert_int_equal(value_compare(VALUE_GREATER, a, b), NO);
  assert_int_equal(value_compare(VALUE_GREATER_OR_EQUAL, a, b), NO);
  assert_int_equal(value_compare(VALUE_GREATER, b, a), YES);
}

static void compares_as(enum ternary expected, struct value a, struct value b) {
  for (enum value_comparison op = VALUE_LESS; op <= VALUE_GREATER_OR_EQUAL; op++)
    assert_int_equal(value_compare(op, a, b), expected);
}

TEST(comparison_is_null_for_what_does_not_compare) {
  less(v_int(1), v_float(3.14));
  less(v_float(9007199254740992.0), v_int(big));
  less(TEXT("x"), TEXT("xx"));
  less(v_bool(false), v_bool(true));
  less(v_float(-INFINITY), v_int(INT64_MIN));
  compares_as(UNKNOWN, TEXT("1"), v_int(1));
  compares_as(UNKNOWN, NAN_, TEXT("a"));
  compares_as(UNKNOWN, V_NULL, v_int(1));
  compares_as(UNKNOWN, MAP1("k", v_int(1)), MAP1("k", v_int(2)));
  compares_as(UNKNOWN, v_node(1), v_node(2));
  compares_as(UNKNOWN, duration(0, 1, 0), duration(0, 2, 0));
  compares_as(UNKNOWN, point(7203, 0, 0), point(7203, 1, 1));
  compares_as(NO, NAN_, v_int(1));
  compares_as(NO, NAN_, NAN_);
}

TEST(lists_compare_by_their_first_difference) {
  less(LIST(v_int(1)), LIST(v_int(1), v_int(0)));
  less(LIST(v_int(1)), LIST(v_int(1), V_NULL));
  less(LIST(v_int(1), v_int(2)), LIST(v_int(3), V_NULL));
  compares_as(UNKNOWN, LIST(v_int(1), v_int(2)), LIST(v_int(1), V_NULL));
  compares_as(UNKNOWN, LIST(v_int(1)), LIST(TEXT("a")));
}

/// One of each type, ascending, with ascending pairs inside types.
static uint32_t ladder(struct value *out) {
  static bool reversed[1];
  static struct value nodes[2], rels[1];
  nodes[0] = v_node(1), nodes[1] = v_node(2), rels[0] = v_rel(1);
  static struct value_path shorter = {.len = 0, .nodes = nodes},
                           longer = {.len = 1, .nodes = nodes, .rels = rels, .reversed = reversed};
  static struct value_entry entries[2] = {{{"a", 1}, {.type = VALUE_INT, .i = 1}}, {{"b", 1}, {.type = VALUE_INT, .i = 0}}};
  static struct value items[2] = {{.type = VALUE_INT, .i = 1}, {.type = VALUE_NULL}};
  const struct value all[] = {v_map(NULL, 0),
                              v_map(entries, 1),
                              v_map(entries + 1, 1),
                              v_map(entries, 2),
                              v_node(1),
                              v_node(2),
                              v_rel(1),
                              v_list(NULL, 0),
                              v_list(items, 1),
                              v_list(items, 2),
                              v_bytes("\x02", 1),
                              v_list(items + 1, 1),
                              {.type = VALUE_PATH, .path = &shorter},
                              {.type = VALUE_PATH, .path = &longer},
                              point(4326, 1, 1),
                              point(7203, 0, 0),
                              point(7203, 0, 1),
                              point(7203, 1, 0),
                              {.type = VALUE_DATETIME, .i = 5, .aux = -60},
                              {.type = VALUE_DATETIME, .i = 5, .aux = 60},
                              {.type = VALUE_DATETIME, .i = 5, .len = 1},
                              {.type = VALUE_LOCAL_DATETIME, .i = 1},
                              {.type = VALUE_LOCAL_DATETIME, .i = 1, .len = 9},
                              {.type = VALUE_DATE, .i = -4},
                              {.type = VALUE_DATE, .i = 3},
                              {.type = VALUE_TIME, .i = INT64_C(7200000000000), .aux = 7200},
                              {.type = VALUE_TIME, .i = INT64_C(3600000000001), .aux = 3600},
                              {.type = VALUE_LOCAL_TIME, .i = 1},
                              duration(0, 0, 1),
                              duration(0, 30, 0),
                              duration(1, 0, 0),
                              duration(0, 31, 0),
                              TEXT(""),
                              TEXT("a"),
                              TEXT("aa"),
                              TEXT("b"),
                              v_bool(false),
                              v_bool(true),
                              v_float(-INFINITY),
                              v_int(-1),
                              v_int(0),
                              v_float(0.5),
                              v_float(9007199254740992.0),
                              v_int(big),
                              v_float(INFINITY),
                              NAN_,
                              V_NULL};
  for (size_t i = 0; i < ARRAY_SIZE(all); i++) out[i] = all[i];
  return ARRAY_SIZE(all);
}

TEST(the_order_is_total_and_as_documented) {
  struct value v[128];
  uint32_t len = ladder(v);
  for (uint32_t i = 0; i < len; i++)
    for (uint32_t j = 0; j < len; j++) {
      int c = value_order(v[i], v[j]);
      assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
      assert_int_equal(value_equivalent(v[i], v[j]), i == j);
      if (i == j) assert_int_equal(value_hash(v[i]), value_hash(v[j]));
    }
}

TEST(what_is_equal_has_one_hash) {
  assert_int_equal(value_hash(v_int(7)), value_hash(v_float(7.0)));
  assert_int_equal(value_hash(v_float(0.0)), value_hash(v_float(-0.0)));
  assert_int_equal(value_hash(v_int(INT64_MIN)), value_hash(v_float(-0x1p63)));
  assert_int_equal(value_hash(NAN_), value_hash(v_float(-NAN)));
  assert_int_equal(value_hash(v_bytes("\x01\xff", 2)), value_hash(LIST(v_int(1), v_float(-1))));
  struct value_node n = {.id = 5};
  assert_int_equal(value_hash(v_node(5)), value_hash((struct value){.type = VALUE_NODE, .aux = VALUE_HYDRATED, .node = &n}));
  assert_true(value_hash(v_node(5)) != value_hash(v_rel(5)));
  assert_true(value_hash(LIST(v_int(1), v_int(2))) != value_hash(LIST(v_int(2), v_int(1))));
}

TEST(hashes_of_neighbours_spread_over_all_bits) {
  uint64_t low = 0, high = 0;
  for (int64_t i = 0; i < 64; i++) {
    low |= UINT64_C(1) << (value_hash(v_int(i)) & 63);
    high |= UINT64_C(1) << (value_hash(v_int(i)) >> 58);
  }
  assert_true(__builtin_popcountll(low) > 28);
  assert_true(__builtin_popcountll(high) > 28);
}

TEST(integers_and_floats_order_exactly_at_the_edges) {
  static const double floats[] = {-INFINITY, -0x1p63, -9007199254740993.0, -1.5, -0.5, 0.5, 1.5, 0x1p53, 0x1p62,
                                  0x1p63,    INFINITY};
  static const int64_t ints[] = {INT64_MIN, INT64_MIN + 1, -big, -2, -1, 0, 1, 2, big, INT64_MAX - 1, INT64_MAX};
  for (size_t i = 0; i < ARRAY_SIZE(ints); i++)
    for (size_t j = 0; j < ARRAY_SIZE(floats); j++) {
      long double exact = ints[i]; // 64 bits of mantissa on x86: exact
      int expected = (exact > floats[j]) - (exact < floats[j]);
      assert_int_equal(value_order_int_float(ints[i], floats[j]), expected);
    }
}

TEST(nesting_without_end_does_not_crash) {
  static struct value chain[100000];
  for (size_t i = 1; i < ARRAY_SIZE(chain); i++) chain[i] = v_list(&chain[i - 1], 1);
  struct value deep = chain[ARRAY_SIZE(chain) - 1];
  assert_int_equal(value_order(deep, deep), 0);
  assert_int_equal(value_equals(deep, deep), UNKNOWN);
  assert_int_equal(value_hash(deep), value_hash(deep));
}

TESTS(T(equality_of_scalars), T(equality_looks_into_lists_and_maps), T(membership_is_three_valued),
      T(comparison_is_null_for_what_does_not_compare), T(lists_compare_by_their_first_difference),
      T(the_order_is_total_and_as_documented), T(what_is_equal_has_one_hash), T(hashes_of_neighbours_spread_over_all_bits),
      T(integers_and_floats_order_exactly_at_the_edges), T(nesting_without_end_does_not_crash))
