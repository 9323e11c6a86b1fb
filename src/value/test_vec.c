#include "base/test.h"
#include "value/compare.h"
#include "value/vec.h"

static void settles_as(enum vec_kind kind, const struct value *values, uint32_t rows) {
  struct arena a;
  arena_init(&a, NULL);
  struct vec v;
  assert_ok(vec_from_values(&a, values, rows, &v, NULL));
  assert_int_equal(v.kind, kind);
  for (uint32_t i = 0; i < rows; i++) {
    assert_true(value_equivalent(vec_get(&v, i), values[i]));
    assert_int_equal(vec_is_null(&v, i), values[i].type == VALUE_NULL);
  }
  arena_done(&a);
}

TEST(a_column_settles_on_the_narrowest_kind) {
  settles_as(VEC_I64, (struct value[]){v_int(1), v_int(2)}, 2);
  settles_as(VEC_I64, (struct value[]){V_NULL, v_int(2), V_NULL}, 3);
  settles_as(VEC_F64, (struct value[]){v_float(1), V_NULL}, 2);
  settles_as(VEC_BOOL, (struct value[]){v_bool(true), v_bool(false)}, 2);
  settles_as(VEC_STR, (struct value[]){v_str(STR("")), v_str(STR("x")), V_NULL}, 3);
  settles_as(VEC_NODE, (struct value[]){v_node(9)}, 1);
  settles_as(VEC_REL, (struct value[]){v_rel(9)}, 1);
  settles_as(VEC_ANY, (struct value[]){v_int(1), v_float(1.5)}, 2);
  settles_as(VEC_ANY, (struct value[]){v_node(1), v_rel(1)}, 2);
  settles_as(VEC_ANY, (struct value[]){V_NULL, V_NULL}, 2);
  settles_as(VEC_ANY, NULL, 0);
}

TEST(a_hydrated_entity_stays_whole) {
  struct value_node n = {.id = 5};
  settles_as(VEC_ANY, &(struct value){.type = VALUE_NODE, .aux = VALUE_HYDRATED, .node = &n}, 1);
}

TEST(a_constant_answers_for_every_row) {
  struct arena a;
  arena_init(&a, NULL);
  struct vec v;
  assert_ok(vec_const(&a, v_int(4), &v, NULL));
  assert_int_equal(vec_get(&v, 1000).i, 4);
  assert_ok(vec_const(&a, V_NULL, &v, NULL));
  assert_true(vec_is_null(&v, 1000));
  assert_ok(vec_const(&a, v_list(NULL, 0), &v, NULL));
  assert_int_equal(vec_get(&v, 3).type, VALUE_LIST);
  arena_done(&a);
}

TEST(a_column_without_memory_is_an_error) {
  struct value values[] = {v_int(1), v_int(2)};
  EACH_ALLOC_FAILS(n) {
    struct arena a;
    arena_init(&a, NULL);
    struct vec v = {.kind = VEC_REL};
    enum err err = vec_from_values(&a, values, 2, &v, NULL);
    assert_true(err == ERR_OK || (err == ERR_NOMEM && v.kind == VEC_REL));
    arena_done(&a);
  }
}

TESTS(T(a_column_settles_on_the_narrowest_kind), T(a_hydrated_entity_stays_whole), T(a_constant_answers_for_every_row),
      T(a_column_without_memory_is_an_error))
