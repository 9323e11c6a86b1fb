#include "base/rng.h"
#include "base/test.h"
#include "value/logic.h"

#define F TERNARY_FALSE
#define T1 TERNARY_TRUE
#define N TERNARY_NULL

TEST(truth_tables_of_single_values) {
  static const struct {
    enum ternary a, b, and, or, xor;
  } rows[] = {{F, F, F, F, F}, {F, T1, F, T1, T1}, {F, N, F, N, N}, {T1, T1, T1, T1, F}, {T1, N, N, T1, N}, {N, N, N, N, N}};
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    assert_int_equal(ternary_and(rows[i].a, rows[i].b), rows[i].and);
    assert_int_equal(ternary_and(rows[i].b, rows[i].a), rows[i].and);
    assert_int_equal(ternary_or(rows[i].a, rows[i].b), rows[i].or);
    assert_int_equal(ternary_or(rows[i].b, rows[i].a), rows[i].or);
    assert_int_equal(ternary_xor(rows[i].a, rows[i].b), rows[i].xor);
    assert_int_equal(ternary_xor(rows[i].b, rows[i].a), rows[i].xor);
  }
  assert_int_equal(ternary_not(F), T1);
  assert_int_equal(ternary_not(T1), F);
  assert_int_equal(ternary_not(N), N);
  assert_int_equal(ternary_of_value(ternary_value(N)), N);
  assert_int_equal(ternary_of_value(ternary_value(T1)), T1);
}

enum { ROWS = 2500 };

/// A column with or without nulls, or a constant. Null rows hold garbage on purpose.
static struct vec random_column(struct arena *a, struct rng *r) {
  struct vec v;
  if (rng_chance(r, 1, 4)) {
    assert_ok(vec_alloc(a, VEC_BOOL, 1, &v, NULL));
    v.constant = true;
  } else {
    assert_ok(vec_alloc(a, VEC_BOOL, ROWS, &v, NULL));
  }
  v.has_nulls = rng_chance(r, 1, 2);
  for (uint32_t i = 0; i < (v.constant ? 1 : ROWS); i++) {
    v.b[i] = rng_chance(r, 1, 2);
    v.nulls[i] = v.has_nulls && rng_chance(r, 1, 3);
  }
  return v;
}

static enum ternary at(const struct vec *v, uint32_t row) {
  return ternary_of_value(vec_get(v, row));
}

static void agrees(struct arena *a, const struct vec *x, const struct vec *y) {
  struct vec both, either, one, neither;
  assert_ok(vec_alloc(a, VEC_BOOL, ROWS, &both, NULL));
  assert_ok(vec_alloc(a, VEC_BOOL, ROWS, &either, NULL));
  assert_ok(vec_alloc(a, VEC_BOOL, ROWS, &one, NULL));
  assert_ok(vec_alloc(a, VEC_BOOL, ROWS, &neither, NULL));
  logic_and(x, y, ROWS, &both);
  logic_or(x, y, ROWS, &either);
  logic_xor(x, y, ROWS, &one);
  logic_not(x, ROWS, &neither);
  static uint32_t sel[ROWS];
  uint32_t selected = logic_select(x, ROWS, sel), expected = 0;
  for (uint32_t i = 0; i < ROWS; i++) {
    assert_int_equal(at(&both, i), ternary_and(at(x, i), at(y, i)));
    assert_int_equal(at(&either, i), ternary_or(at(x, i), at(y, i)));
    assert_int_equal(at(&one, i), ternary_xor(at(x, i), at(y, i)));
    assert_int_equal(at(&neither, i), ternary_not(at(x, i)));
    if (at(x, i) == TERNARY_TRUE) assert_int_equal(sel[expected++], i);
  }
  assert_int_equal(selected, expected);
}

TEST(columns_agree_with_single_values) {
  struct rng r;
  rng_seed(&r, 11);
  for (int round = 0; round < 40; round++) {
    struct arena a;
    arena_init(&a, NULL);
    struct vec x = random_column(&a, &r), y = random_column(&a, &r);
    agrees(&a, &x, &y);
    arena_done(&a);
  }
}

TEST(a_kernel_may_write_over_its_input) {
  struct arena a;
  arena_init(&a, NULL);
  struct vec x;
  assert_ok(vec_alloc(&a, VEC_BOOL, 2, &x, NULL));
  x.b[0] = 1, x.b[1] = 0;
  logic_not(&x, 2, &x);
  assert_int_equal(at(&x, 0), TERNARY_FALSE);
  assert_int_equal(at(&x, 1), TERNARY_TRUE);
  arena_done(&a);
}

TESTS(T(truth_tables_of_single_values), T(columns_agree_with_single_values), T(a_kernel_may_write_over_its_input))
