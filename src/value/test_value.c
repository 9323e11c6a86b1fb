#include <stdio.h>

#include "base/rng.h"
#include "base/test.h"
#include "value/compare.h"
#include "value/value.h"

#define ENTRY(k, v) ((struct value_entry){STR(k), v})

TEST(a_map_keeps_the_last_of_equal_keys_and_finds_every_key) {
  struct value_entry entries[] = {ENTRY("b", v_int(1)), ENTRY("a", v_int(2)), ENTRY("b", v_int(3)), ENTRY("", v_int(4))};
  uint32_t len = value_map_sort(entries, 4);
  assert_int_equal(len, 3);
  struct value map = v_map(entries, len);
  assert_int_equal(value_map_get(map, STR("b"))->i, 3);
  assert_int_equal(value_map_get(map, STR("a"))->i, 2);
  assert_int_equal(value_map_get(map, STR(""))->i, 4);
  assert_null(value_map_get(map, STR("c")));
  assert_null(value_map_get(v_map(NULL, 0), STR("c")));
}

TEST(sorting_a_large_map_is_stable) {
  enum { LEN = 2000, KEYS = 300 };
  struct rng r;
  rng_seed(&r, 3);
  static struct value_entry entries[LEN];
  static char keys[LEN][8];
  int64_t last[KEYS] = {0};
  for (int i = 0; i < LEN; i++) {
    uint64_t k = rng_below(&r, KEYS);
    snprintf(keys[i], sizeof keys[i], "k%03d", (int) k);
    entries[i] = (struct value_entry){str_of(keys[i]), v_int(i)};
    last[k] = i;
  }
  uint32_t len = value_map_sort(entries, LEN);
  assert_true(len <= KEYS);
  for (uint32_t i = 0; i < len; i++) {
    if (i > 0) assert_true(str_cmp(entries[i - 1].key, entries[i].key) < 0);
    int64_t k;
    assert_true(str_to_i64((struct str){entries[i].key.ptr + 1, 3}, &k));
    assert_int_equal(entries[i].value.i, last[k]);
  }
}

TEST(a_copy_is_equal_and_shares_nothing) {
  struct arena from, to;
  arena_init(&from, NULL);
  arena_init(&to, NULL);
  struct str label = arena_str(&from, STR("Person"));
  struct value_entry property = {arena_str(&from, STR("name")), v_str(arena_str(&from, STR("Ann")))};
  struct value_node n = {.id = 1, .labels = &label, .label_count = 1, .property_count = 1, .properties = &property};
  struct value_rel r = {.id = 2, .start = 1, .end = 1, .type = STR("KNOWS")};
  struct value nodes[] = {{.type = VALUE_NODE, .aux = VALUE_HYDRATED, .node = &n}, v_node(1)};
  struct value rels[] = {{.type = VALUE_REL, .aux = VALUE_HYDRATED, .rel = &r}};
  bool reversed[] = {false};
  struct value_path p = {.len = 1, .nodes = nodes, .rels = rels, .reversed = reversed};
  struct value_duration d = {.months = 1, .nanos = 4};
  struct value_point point = {.srid = 7203, .x = 1, .y = 2};
  struct value items[] = {nodes[0],
                          rels[0],
                          {.type = VALUE_PATH, .path = &p},
                          {.type = VALUE_DURATION, .duration = &d},
                          {.type = VALUE_POINT, .point = &point},
                          v_bytes("xyz", 3),
                          v_map(&property, 1),
                          v_str(STR("text"))};
  struct value copy;
  assert_ok(value_copy(&to, v_list(items, ARRAY_SIZE(items)), &copy, NULL));
  assert_int_equal(value_order(copy, v_list(items, ARRAY_SIZE(items))), 0);
  arena_done(&from);
  assert_str(copy.items[0].node->labels[0], "Person");
  assert_str(v_text(copy.items[0].node->properties[0].value), "Ann");
  assert_str(copy.items[1].rel->type, "KNOWS");
  assert_str(copy.items[2].path->rels[0].rel->type, "KNOWS");
  assert_ptr_not_equal(copy.items[3].duration, &d);
  arena_done(&to);
}

TEST(a_copy_of_a_value_nested_too_deep_is_refused) {
  static struct value chain[VALUE_DEPTH_MAX + 3];
  for (int i = 1; i < VALUE_DEPTH_MAX + 3; i++) chain[i] = v_list(&chain[i - 1], 1);
  struct arena a;
  arena_init(&a, NULL);
  struct value copy = v_int(7);
  assert_int_equal(value_copy(&a, chain[VALUE_DEPTH_MAX + 2], &copy, NULL), ERR_LIMIT);
  assert_int_equal(copy.i, 7);
  assert_ok(value_copy(&a, chain[VALUE_DEPTH_MAX], &copy, NULL));
  arena_done(&a);
}

TEST(a_copy_that_finds_no_memory_says_so) {
  struct value items[] = {v_str(STR("some text")), v_bytes("ab", 2)};
  EACH_ALLOC_FAILS(n) {
    struct arena a;
    arena_init(&a, NULL);
    struct value copy = v_int(7);
    enum err err = value_copy(&a, v_list(items, 2), &copy, NULL);
    assert_true(err == ERR_OK || (err == ERR_NOMEM && copy.i == 7));
    arena_done(&a);
  }
}

TEST(every_type_has_a_name) {
  for (enum value_type t = VALUE_NULL; t < VALUE_TYPE_MAX; t++) assert_string_not_equal(value_type_name(t), "UNKNOWN");
  assert_string_equal(value_type_name(VALUE_DATETIME), "ZONED DATETIME");
  assert_string_equal(value_type_name((enum value_type) 99), "UNKNOWN");
}

TESTS(T(a_map_keeps_the_last_of_equal_keys_and_finds_every_key), T(sorting_a_large_map_is_stable),
      T(a_copy_is_equal_and_shares_nothing), T(a_copy_of_a_value_nested_too_deep_is_refused),
      T(a_copy_that_finds_no_memory_says_so), T(every_type_has_a_name))
