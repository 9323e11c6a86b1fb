// EXPLAIN and PROFILE as clients get them, constant folding as it shows there, and when a cached plan is too old.
#include "plan/test_world.h"

static struct plan_measured measure(void *context, uint32_t op_id) {
  return (struct plan_measured){.rows = 10 + op_id, .db_hits = 100 + op_id, .time_ns = 5};
}

static struct value entry(struct value map, const char *key) {
  const struct value *v = value_map_get(map, str_of(key));
  assert_non_null(v);
  return *v;
}

static struct value explain(struct plan *p, struct arena *a, const struct plan_measures *measures) {
  struct plan_explain_options options = {.measures = measures, .database = STR("neo4j"), .version = STR("5.26.0")};
  struct error e = ERROR_INIT;
  struct value ret;
  assert_ok(plan_explain(p, &options, a, &ret, &e));
  return ret;
}

TEST(a_plan_is_a_map_of_operators) {
  struct plan *p = world_plan_ok("EXPLAIN MATCH (p:Person {id: $id}) RETURN p.name AS name");
  struct arena a;
  arena_init(&a, NULL);
  struct value root = explain(p, &a, NULL), args = entry(root, "args");
  assert_str(v_text(entry(root, "operatorType")), "ProduceResults@neo4j");
  assert_str(v_text(entry(root, "identifiers").items[0]), "name");
  assert_str(v_text(entry(args, "planner")), "COST");
  assert_int_equal(entry(args, "EstimatedRows").type, VALUE_FLOAT);
  assert_null(value_map_get(root, STR("dbHits")));
  struct value projection = entry(root, "children").items[0], seek = entry(projection, "children").items[0];
  assert_str(v_text(entry(seek, "operatorType")), "NodeUniqueIndexSeek@neo4j");
  assert_str(v_text(entry(entry(seek, "args"), "Details")), "UNIQUE p:Person(id) WHERE id = $id");
  assert_int_equal(entry(seek, "children").len, 0);
  arena_done(&a);
  plan_unref(p);
}

TEST(a_profile_adds_what_was_measured) {
  struct plan *p = world_plan_ok("PROFILE MATCH (p:City) RETURN p");
  struct arena a;
  struct plan_measures measures = {measure, NULL};
  arena_init(&a, NULL);
  struct value root = explain(p, &a, &measures), scan = entry(root, "children").items[0];
  assert_int_equal(entry(scan, "rows").i, 11);
  assert_int_equal(entry(scan, "dbHits").i, 101);
  assert_int_equal(entry(entry(scan, "args"), "Time").i, 5);
  arena_done(&a);
  plan_unref(p);
}

TEST(people_read_a_table) {
  struct plan *p = world_plan_ok("MATCH (c:City) WHERE EXISTS { (c)<-[:OWNS]-(:Person) } RETURN c");
  struct plan_explain_options options = {.version = STR("5.26.0")};
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  assert_ok(plan_explain_table(p, &options, &out));
  assert_ok(buf_append_byte(&out, 0));
  assert_string_equal(out.data, "Planner COST\n"
                                "\n"
                                "Runtime BATCHED\n"
                                "\n"
                                "Runtime version 5.26.0\n"
                                "\n"
                                "+------------------+----+-----------------------+----------------+\n"
                                "| Operator         | Id | Details               | Estimated Rows |\n"
                                "+------------------+----+-----------------------+----------------+\n"
                                "| +ProduceResults  |  0 | c                     |             38 |\n"
                                "| |                +----+-----------------------+----------------+\n"
                                "| +SemiApply       |  1 |                       |             38 |\n"
                                "| |\\               +----+-----------------------+----------------+\n"
                                "| | +Filter        |  4 | anon_2:Person         |              0 |\n"
                                "| | |              +----+-----------------------+----------------+\n"
                                "| | +Expand(All)   |  5 | (c)<-[:OWNS]-(anon_2) |              0 |\n"
                                "| | |              +----+-----------------------+----------------+\n"
                                "| | +Argument      |  6 | c                     |              1 |\n"
                                "| |                +----+-----------------------+----------------+\n"
                                "| +NodeByLabelScan |  2 | c:City                |             50 |\n"
                                "+------------------+----+-----------------------+----------------+\n"
                                "\n"
                                "Total database accesses: ?\n");
  plan_unref(p);
}

/// Stands in for `exec`: knows sums of integers.
static enum err add_integers(void *context, const struct ast *n, struct arena *a, struct value *ret, struct error *e) {
  if (n->kind != AST_BINARY || n->binary.op != AST_ADD_OP) return ERR_TYPE;
  *ret = v_int(n->binary.left->literal.integer + n->binary.right->literal.integer);
  return ERR_OK;
}

TEST(constants_are_computed_once_and_what_fails_stays) {
  struct plan_folding folding = {add_integers, NULL};
  struct plan_options options = {.catalog = &world, .folding = &folding};
  const char *query = "UNWIND [1 + 2 + 3] AS x RETURN x + (1 + 1) AS a, 1 / 0 AS b, rand() AS c";
  struct error e = ERROR_INIT;
  struct plan *p = NULL;
  assert_ok(world_plan(str_of(query), &options, &p, &e));
  assert_plan_text(p, query, "ProduceResults a, b, c\nProjection x + 2 AS a, 1 / 0 AS b, rand() AS c\nUnwind [6] AS x\n");
  plan_unref(p);
}

static double grown_nodes(void *context, graph_token label) {
  return world_nodes(context, label) * (label == CITY ? 100 : 1);
}
static double doubled_nodes(void *context, graph_token label) {
  return world_nodes(context, label) * 2;
}
static uint64_t next_version(void *context) {
  return 2;
}
static bool finds_all(void *context, enum graph_token_kind kind, struct str name, graph_token *ret) {
  *ret = 0;
  return true;
}

TEST(a_plan_is_stale_when_what_it_was_chosen_by_has_changed) {
  struct plan *p = world_plan_ok("MATCH (c:City)<-[:LIVES_IN]-(x:Unheard) RETURN c");
  struct plan_catalog now = world;
  assert_false(plan_is_stale(p, &now));
  now.nodes = doubled_nodes;
  assert_false(plan_is_stale(p, &now));
  now.nodes = grown_nodes; // fifty cities have become five thousand
  assert_true(plan_is_stale(p, &now));
  now = world;
  now.schema_version = next_version;
  assert_true(plan_is_stale(p, &now));
  now = world;
  now.token_version = next_version; // a token was made, but not one that the plan has asked for
  assert_false(plan_is_stale(p, &now));
  now.find_token = finds_all;
  assert_true(plan_is_stale(p, &now));
  plan_unref(p);
}

TESTS(T(a_plan_is_a_map_of_operators), T(a_profile_adds_what_was_measured), T(people_read_a_table), T(constants_are_computed_once_and_what_fails_stays),
      T(a_plan_is_stale_when_what_it_was_chosen_by_has_changed))
