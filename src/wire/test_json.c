#include <math.h>

#include "base/rng.h"
#include "base/test.h"
#include "value/compare.h"
#include "value/temporal.h"
#include "wire/json.h"

static struct arena arena;

static void written_as(enum json_style style, struct value v, const char *expected) {
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  struct json_writer w = json_writer_on(&out);
  assert_ok(json_value(&w, style, v, NULL));
  assert_str(buf_str(&out), expected);
}

static struct value read_text(const char *text) {
  struct value v = V_NULL;
  struct error e = ERROR_INIT;
  if (json_read(&arena, str_of(text), &v, &e) != ERR_OK) fail_msg("%s", e.message);
  return v;
}

#define LIST(...) v_list((struct value[]){__VA_ARGS__}, sizeof((struct value[]){__VA_ARGS__}) / sizeof(struct value))

TEST(commas_come_by_themselves) {
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  struct json_writer w = json_writer_on(&out);
  assert_ok(json_begin_map(&w));
  assert_ok(json_key(&w, STR("a")));
  assert_ok(json_begin_list(&w));
  assert_ok(json_int(&w, 1));
  assert_ok(json_begin_list(&w));
  assert_ok(json_end_list(&w));
  assert_ok(json_null(&w));
  assert_ok(json_end_list(&w));
  assert_ok(json_key(&w, STR("b")));
  assert_ok(json_bool(&w, true));
  assert_ok(json_end_map(&w));
  assert_str(buf_str(&out), "{\"a\":[1,[],null],\"b\":true}");
}

TEST(text_is_escaped) {
  written_as(JSON_PLAIN, v_str(STR("a\"b\\c\n\x01\xc3\xa9/")), "\"a\\\"b\\\\c\\n\\u0001\xc3\xa9/\"");
  written_as(JSON_PLAIN, v_str(STR("")), "\"\"");
}

TEST(scalars_in_three_styles) {
  written_as(JSON_PLAIN, LIST(v_int(-5), v_float(1), v_float(1e10), v_float(NAN), v_bool(false), V_NULL),
             "[-5,1.0,1.0E10,\"NaN\",false,null]");
  written_as(JSON_TYPED, v_int(5), "{\"$type\":\"Integer\",\"_value\":\"5\"}");
  written_as(JSON_TYPED, v_float(INFINITY), "{\"$type\":\"Float\",\"_value\":\"Infinity\"}");
  written_as(JSON_TYPED, V_NULL, "{\"$type\":\"Null\",\"_value\":null}");
  written_as(JSON_ROW, v_bytes("\x01\xff", 2), "[1,-1]");
  written_as(JSON_PLAIN, v_bytes("\x01\xff", 2), "\"Af8=\"");
  written_as(JSON_PLAIN, v_bytes("Man", 3), "\"TWFu\"");
  written_as(JSON_PLAIN, v_date(0), "\"1970-01-01\"");
  written_as(JSON_TYPED, v_datetime(0, 0, 3600), "{\"$type\":\"OffsetDateTime\",\"_value\":\"1970-01-01T01:00+01:00\"}");
}

TEST(entities_in_three_styles) {
  const struct str label = STR("A");
  const struct value_entry property = {STR("k"), v_int(1)};
  const struct value_node n = {
      .id = 1, .element_id = STR("4:x:1"), .labels = &label, .label_count = 1, .properties = &property, .property_count = 1};
  const struct value_rel r = {
      .id = 7, .type = STR("R"), .element_id = STR("5:x:7"), .start_element_id = STR("4:x:1"), .end_element_id = STR("4:x:1")};
  const struct value node = {.type = VALUE_NODE, .aux = VALUE_HYDRATED, .node = &n},
                     rel = {.type = VALUE_REL, .aux = VALUE_HYDRATED, .rel = &r};
  const struct value nodes[] = {node, node};
  const bool reversed = false;
  const struct value_path path = {.len = 1, .nodes = nodes, .rels = &rel, .reversed = &reversed};
  written_as(JSON_ROW, (struct value){.type = VALUE_PATH, .path = &path}, "[{\"k\":1},{},{\"k\":1}]");
  written_as(JSON_PLAIN, node, "{\"elementId\":\"4:x:1\",\"labels\":[\"A\"],\"properties\":{\"k\":1}}");
  written_as(JSON_PLAIN, rel,
             "{\"elementId\":\"5:x:7\",\"startNodeElementId\":\"4:x:1\",\"endNodeElementId\":\"4:x:1\",\"type\":\"R\","
             "\"properties\":{}}");
  written_as(JSON_TYPED, node,
             "{\"$type\":\"Node\",\"_value\":{\"_element_id\":\"4:x:1\",\"_labels\":[\"A\"],\"_properties\":{\"k\":{\"$type\":"
             "\"Integer\",\"_value\":\"1\"}}}}");
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  struct json_writer w = json_writer_on(&out);
  assert_int_equal(json_value(&w, JSON_ROW, v_node(1), NULL), ERR_INTERNAL);
}

TEST(points_in_three_styles) {
  struct value_point flat = {7203, 1.5, 2, 0}, high = {4979, 1, 2, 3};
  written_as(JSON_ROW, (struct value){.type = VALUE_POINT, .point = &flat},
             "{\"type\":\"Point\",\"coordinates\":[1.5,2.0],\"crs\":{\"srid\":7203,\"name\":\"cartesian\"}}");
  written_as(JSON_PLAIN, (struct value){.type = VALUE_POINT, .point = &high}, "\"SRID=4979;POINT Z (1.0 2.0 3.0)\"");
}

TEST(json_is_read) {
  struct value v = read_text(" {\"a\" : [1, -2.5, 1e3, true, false, null, \"x\"], \"b\": {}, \"a\": [0]} ");
  assert_int_equal(v.len, 2);
  assert_int_equal(value_map_get(v, STR("a"))->items[0].i, 0); // of equal keys the last wins
  v = read_text("[1,-2.5,1e3,12345678901234567890]");
  assert_int_equal(v.items[0].type, VALUE_INT);
  assert_true(v.items[1].f == -2.5 && v.items[2].f == 1000);
  assert_int_equal(v.items[3].type, VALUE_FLOAT);
  assert_str(v_text(read_text("\"\\u00e9\\ud83d\\ude00\\n\\/\"")), "\xc3\xa9\xf0\x9f\x98\x80\n/");
  assert_int_equal(read_text("[]").len, 0);
}

TEST(what_is_not_json_is_refused) {
  static const char *const rows[] = {"",           " ",         "[",           "[1",          "[1,",
                                     "[1,]",       "[1 2]",     "{",           "{\"a\"",      "{\"a\":",
                                     "{\"a\":1,}", "{a:1}",     "{1:2}",       "\"",          "\"\\",
                                     "\"\\x\"",    "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
                                     "\"\n\"",     "\"\xff\"",  "01",          "-",           "1.",
                                     ".5",         "1e",        "+1",          "nul",         "nullx",
                                     "tru",        "1 2",       "NaN",         "'a'",         "[1]]",
                                     "1e400"};
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    struct value v = v_int(7);
    assert_int_equal(json_read(&arena, str_of(rows[i]), &v, NULL), ERR_REQUEST_FORMAT);
    assert_int_equal(v.i, 7);
  }
  static char deep[JSON_DEPTH_MAX + 2];
  memset(deep, '[', sizeof deep - 1);
  struct value v;
  assert_int_equal(json_read(&arena, str_of(deep), &v, NULL), ERR_REQUEST_FORMAT);
}

TEST(typed_values_come_back) {
  struct value_point p = {4326, 1.5, -2, 0};
  struct value_duration d = {1, 2, 3, 4};
  struct value_entry entries[] = {{STR("a"), v_int(INT64_MIN)}, {STR("b"), v_bytes("\x01\xff\x00\x7f", 4)}};
  struct value items[] = {V_NULL,
                          v_bool(true),
                          v_float(NAN),
                          v_float(0.1),
                          v_str(STR("x\"")),
                          v_date(5),
                          v_local_time(1),
                          v_time(0, 3600),
                          v_local_datetime(5, 6),
                          v_datetime(7, 8, -60),
                          {.type = VALUE_DURATION, .duration = &d},
                          {.type = VALUE_POINT, .point = &p},
                          v_map(entries, 2),
                          v_bytes("", 0),
                          v_bytes("ab", 2),
                          v_list(NULL, 0)};
  struct value v = v_list(items, ARRAY_SIZE(items)), back;
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  struct json_writer w = json_writer_on(&out);
  assert_ok(json_value(&w, JSON_TYPED, v, NULL));
  assert_ok(json_read(&arena, buf_str(&out), &back, NULL));
  assert_ok(json_from_typed(&arena, back, &back, NULL));
  assert_int_equal(value_order(back, v), 0);
}

TEST(typed_values_that_lie_are_refused) {
  static const char *const rows[] = {"1",
                                     "{}",
                                     "{\"$type\":\"Integer\"}",
                                     "{\"$type\":\"Integer\",\"_value\":1}",
                                     "{\"$type\":\"Integer\",\"_value\":\"x\"}",
                                     "{\"$type\":\"Float\",\"_value\":\"x\"}",
                                     "{\"$type\":\"Boolean\",\"_value\":\"true\"}",
                                     "{\"$type\":\"Node\",\"_value\":{}}",
                                     "{\"$type\":\"Base64\",\"_value\":\"a\"}",
                                     "{\"$type\":\"Base64\",\"_value\":\"a=bc\"}",
                                     "{\"$type\":\"Point\",\"_value\":\"SRID=1;POINT (1 2)\"}",
                                     "{\"$type\":\"Point\",\"_value\":\"SRID=7203;POINT (1)\"}",
                                     "{\"$type\":\"List\",\"_value\":[1]}",
                                     "{\"$type\":\"Map\",\"_value\":[]}"};
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    struct value v;
    assert_int_equal(json_from_typed(&arena, read_text(rows[i]), &v, NULL), ERR_REQUEST_FORMAT);
  }
  struct value v;
  assert_int_equal(json_from_typed(&arena, read_text("{\"$type\":\"Date\",\"_value\":\"soon\"}"), &v, NULL), ERR_ARGUMENT);
}

TEST(damaged_json_never_crashes) {
  static const char text[] = "{\"a\":[1,2.5e3,\"\\u00e9x\",{\"b\":null,\"c\":[true,false]}],\"d\":\"\xc3\xa9\"}";
  struct rng r;
  rng_seed(&r, 51);
  for (int round = 0; round < 4000; round++) {
    char damaged[sizeof text];
    memcpy(damaged, text, sizeof text);
    for (uint64_t i = rng_below(&r, 4); i < 4; i++)
      damaged[rng_below(&r, sizeof text - 1)] =
          (char) (rng_chance(&r, 1, 2) ? rng_next(&r) : (uint64_t) text[rng_below(&r, sizeof text)]);
    struct value v;
    enum err err = json_read(&arena, (struct str){damaged, rng_below(&r, sizeof text)}, &v, NULL);
    assert_true(err == ERR_OK || err == ERR_REQUEST_FORMAT);
    arena_reset(&arena);
  }
}

TEST(json_without_memory_is_an_error) {
  EACH_ALLOC_FAILS(n) {
    struct arena a;
    arena_init(&a, NULL);
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    struct json_writer w = json_writer_on(&out);
    struct value v = v_int(7);
    enum err err = json_read(&a, STR("[1,{\"a\":\"\\n\"}]"), &v, NULL);
    assert_true(err == ERR_OK || (err == ERR_NOMEM && v.i == 7));
    if (err == ERR_OK) err = json_value(&w, JSON_TYPED, v, NULL);
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

TESTS(TT(commas_come_by_themselves), TT(text_is_escaped), TT(scalars_in_three_styles), TT(entities_in_three_styles),
      TT(points_in_three_styles), TT(json_is_read), TT(what_is_not_json_is_refused), TT(typed_values_come_back),
      TT(typed_values_that_lie_are_refused), TT(damaged_json_never_crashes), TT(json_without_memory_is_an_error))
