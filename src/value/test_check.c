#include "base/test.h"
#include "value/check.h"
#include "value/temporal.h"

static void sound(struct value v) {
  struct error e = ERROR_INIT;
  if (value_check(v, &e) != ERR_OK) fail_msg("%s", e.message);
}

static void broken(struct value v) {
  assert_int_equal(value_check(v, NULL), ERR_CORRUPT);
}

TEST(sound_values_pass) {
  struct value_entry entries[] = {{STR("a"), v_int(1)}, {STR("b"), V_NULL}};
  struct value items[] = {v_map(entries, 2), v_str(STR("\xc3\xa9")), v_date(0), v_node(1), v_bytes("\xff", 1)};
  sound(v_list(items, 5));
}

TEST(broken_values_are_found) {
  struct value_entry unsorted[] = {{STR("b"), V_NULL}, {STR("a"), V_NULL}}, twice[] = {{STR("a"), V_NULL}, {STR("a"), V_NULL}};
  struct value_point point = {1, 0, 0, 0};
  struct value_duration duration = {0, 0, 0, -1};
  broken(v_map(unsorted, 2));
  broken(v_map(twice, 2));
  broken(v_str(STR("\xff")));
  broken(v_date(INT64_MAX));
  broken(v_time(0, 100000));
  broken(v_datetime(0, 1000000000, 0));
  broken((struct value){.type = VALUE_POINT, .point = &point});
  broken((struct value){.type = VALUE_DURATION, .duration = &duration});
  broken((struct value){.type = VALUE_TYPE_MAX});
}

TEST(a_path_must_hang_together) {
  const struct value_rel r = {.id = 1, .start = 10, .end = 11, .type = STR("R")};
  const struct value nodes[] = {v_node(10), v_node(11)}, rel = {.type = VALUE_REL, .aux = VALUE_HYDRATED, .rel = &r};
  bool reversed = false;
  const struct value_path p = {.len = 1, .nodes = nodes, .rels = &rel, .reversed = &reversed};
  sound((struct value){.type = VALUE_PATH, .path = &p});
  reversed = true;
  broken((struct value){.type = VALUE_PATH, .path = &p});
}

TEST(columns_are_checked_too) {
  uint8_t bytes[] = {0, 1, 2}, nulls[] = {0, 1, 0};
  struct vec v = {.kind = VEC_BOOL, .b = bytes, .nulls = nulls, .has_nulls = true};
  assert_int_equal(vec_check(&v, 2, NULL), ERR_OK);
  assert_int_equal(vec_check(&v, 3, NULL), ERR_CORRUPT);
}

TESTS(T(sound_values_pass), T(broken_values_are_found), T(a_path_must_hang_together), T(columns_are_checked_too))
