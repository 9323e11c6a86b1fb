#include "base/test.h"
#include "value/literal.h"
#include "value/temporal.h"

static void reads(struct literal_style style, struct value v, const char *expected) {
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  assert_ok(literal_write(&out, style, v));
  assert_str(buf_str(&out), expected);
}

TEST(scalars) {
  reads(LITERAL_CYPHER, V_NULL, "null");
  reads(LITERAL_SHELL, V_NULL, "NULL");
  reads(LITERAL_CYPHER, v_str(STR("it's\n\\")), "'it\\'s\\n\\\\'");
  reads(LITERAL_SHELL, v_str(STR("say \"x\"")), "\"say \\\"x\\\"\"");
  reads(LITERAL_CYPHER, v_int(INT64_MIN), "-9223372036854775808");
  reads(LITERAL_CYPHER, v_float(1), "1.0");
  reads(LITERAL_CYPHER, v_date(0), "1970-01-01");
  struct value_point p = {7203, 1, 2, 0};
  reads(LITERAL_CYPHER, (struct value){.type = VALUE_POINT, .point = &p}, "point({x: 1.0, y: 2.0, crs: 'cartesian'})");
}

TEST(containers) {
  struct value_entry entries[] = {{STR("a b"), v_list(NULL, 0)}, {STR("k"), v_bytes("\x01\xff", 2)}};
  reads(LITERAL_CYPHER, v_map(entries, 2), "{`a b`: [], k: [1, -1]}");
}

TEST(entities) {
  const struct str labels[] = {STR("A"), STR("B`")};
  const struct value_entry property = {STR("k"), v_bool(true)};
  const struct value_node full = {.labels = labels, .label_count = 2, .properties = &property, .property_count = 1}, bare = {0};
  const struct value_rel r = {.type = STR("R")};
  const struct value nodes[] = {{.type = VALUE_NODE, .aux = VALUE_HYDRATED, .node = &full},
                                {.type = VALUE_NODE, .aux = VALUE_HYDRATED, .node = &bare},
                                v_node(5)};
  const struct value rels[] = {{.type = VALUE_REL, .aux = VALUE_HYDRATED, .rel = &r}, v_rel(6)};
  const bool reversed[] = {false, true};
  const struct value_path p = {.len = 2, .nodes = nodes, .rels = rels, .reversed = reversed};
  reads(LITERAL_CYPHER, (struct value){.type = VALUE_PATH, .path = &p}, "(:A:`B``` {k: true})-[:R]->()<-[#6]-(#5)");
}

TEST(limits_and_failures) {
  static struct value chain[VALUE_DEPTH_MAX + 2];
  for (int i = 1; i < VALUE_DEPTH_MAX + 2; i++) chain[i] = v_list(&chain[i - 1], 1);
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  assert_int_equal(literal_write(&out, LITERAL_CYPHER, chain[VALUE_DEPTH_MAX + 1]), ERR_LIMIT);
  EACH_ALLOC_FAILS(n) {
    CLEANUP(buf_done) struct buf b = BUF_INIT;
    enum err err = literal_write(&b, LITERAL_CYPHER, v_str(STR("x")));
    assert_true(err == ERR_OK || err == ERR_NOMEM);
  }
}

TESTS(T(scalars), T(containers), T(entities), T(limits_and_failures))
