// What a list or a map holds when all its levels are written out, though its parts are shared.
#include <string.h>

#include "base/test.h"
#include "value/weight.h"

TEST(a_flat_list_weighs_what_it_holds) {
  struct value items[] = {v_int(1), v_bool(true), V_NULL};
  struct value list = v_list(items, 3);
  assert_ok(value_weigh(&list, NULL));
  assert_int_equal(value_weight(list), 4);
}

TEST(a_text_weighs_by_its_length) {
  struct value item = v_str(STR("0123456789abcdef0123456789abcdef"));
  struct value list = v_list(&item, 1);
  assert_int_equal(value_weight(list), 1 + 1 + 2);
}

TEST(a_map_weighs_what_its_values_do) {
  struct value one = v_int(1);
  struct value_entry entries[] = {{STR("a"), v_list(&one, 1)}, {STR("b"), v_int(2)}};
  struct value map = v_map(entries, 2);
  assert_int_equal(value_weight(map), 1 + 2 + 1);
}

TEST(a_list_of_itself_again_and_again_is_refused_before_it_holds_too_much) {
  enum { LEVELS = 64 };
  struct value pairs[LEVELS][2], v = v_int(1);
  struct error e = ERROR_INIT;
  int level = 0;
  for (enum err err = ERR_OK; err == ERR_OK; level++) {
    assert_true(level < LEVELS);
    pairs[level][0] = pairs[level][1] = v;
    v = v_list(pairs[level], 2);
    err = value_weigh(&v, &e);
    assert_true(err == ERR_OK || err == ERR_LIMIT);
  }
  assert_in_range(level, 26, 27); // 2^27 values, and one for each list
  assert_true(strstr(e.message, "2 GiB") != NULL);
}

TEST(what_nobody_weighed_is_walked_through) {
  struct value one = v_int(1), inner = v_list(&one, 1), outer = v_list(&inner, 1);
  assert_ok(value_weigh(&outer, NULL));
  assert_int_equal(value_weight(outer), 3);
}

TESTS(T(a_flat_list_weighs_what_it_holds), T(a_text_weighs_by_its_length), T(a_map_weighs_what_its_values_do),
      T(a_list_of_itself_again_and_again_is_refused_before_it_holds_too_much), T(what_nobody_weighed_is_walked_through))
