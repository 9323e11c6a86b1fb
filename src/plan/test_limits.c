// Queries that are long, deep or unlucky: planned in bounded time and memory, or refused with a reason.
#include "plan/test_world.h"

static struct buf repeated(const char *first, const char *again, uint32_t times, const char *last) {
  struct buf text = BUF_INIT;
  assert_ok(buf_printf(&text, "%s", first));
  for (uint32_t i = 0; i < times; i++) {
    for (const char *c = again; *c != 0; c++) {
      if (*c == '#') {
        assert_ok(buf_printf(&text, "%u", i));
      } else if (*c == '@') {
        assert_ok(buf_printf(&text, "%u", i + 1));
      } else {
        assert_ok(buf_append_byte(&text, (uint8_t) *c));
      }
    }
  }
  assert_ok(buf_printf(&text, "%s", last));
  return text;
}

static void assert_plans(const char *first, const char *again, uint32_t times, const char *last, size_t bytes_max) {
  CLEANUP(buf_done) struct buf text = repeated(first, again, times, last);
  struct plan_options options = {.catalog = &world};
  struct error e = ERROR_INIT;
  struct plan *p = NULL;
  enum err err = world_plan((struct str){text.data, text.len}, &options, &p, &e);
  if (err != ERR_OK) print_message("%s\n", e.message);
  assert_ok(err);
  assert_true(arena_bytes(plan_arena(p)) < bytes_max);
  plan_unref(p);
}

TEST(a_chain_of_a_hundred_relationships_is_planned_greedily) {
  assert_plans("MATCH (n0:Person)", "-[:KNOWS]->(n@)", 100, " RETURN n0", 4 << 20);
}

TEST(a_hundred_patterns_that_have_nothing_in_common_are_planned) {
  assert_plans("MATCH (x:City)", ", (n#:Person {id: #})", 100, " RETURN x", 8 << 20);
}

TEST(a_star_of_ten_relationships_is_searched_exactly) {
  assert_plans("MATCH (x:Person)", ", (x)-[:KNOWS]->(n#)", 10, " RETURN x", 4 << 20);
}

TEST(five_thousand_branches_of_a_union_are_one_operator) {
  assert_plans("RETURN 1 AS x", " UNION ALL RETURN # AS x", 5000, "", 32 << 20);
}

TEST(an_or_of_ten_thousand_terms_is_one_filter) {
  assert_plans("MATCH (n:Person) WHERE n.age = 0", " OR n.age = #", 10000, " RETURN n", 32 << 20);
}

TEST(an_and_of_ten_thousand_terms_is_one_filter) {
  assert_plans("UNWIND [1] AS n WITH n WHERE n <> 0", " AND n <> #", 10000, " RETURN n", 32 << 20);
}

TEST(a_script_of_two_thousand_creates_is_one_operator) {
  assert_plans("CREATE (:Person {id: 0})", "\nCREATE (n#:Person {id: #})", 2000, "", 16 << 20);
}

TEST(a_tower_of_clauses_that_is_too_high_is_refused) {
  CLEANUP(buf_done) struct buf text = repeated("WITH 0 AS x0", " WITH x# + 1 AS x@", 20000, " RETURN 1 AS y");
  struct error e = ERROR_INIT;
  struct plan *p = NULL;
  assert_int_equal(world_plan((struct str){text.data, text.len}, NULL, &p, &e), ERR_UNSUPPORTED);
  assert_non_null(strstr(e.message, "steps one after another"));
  plan_unref(p);
}

static const char *const varied[] = {
    ("MATCH (a:Person {id: 1})-[r:KNOWS*1..3]->(b)<-[:LIKES]-(c) WHERE EXISTS { (b)-->(:City) } OPTIONAL MATCH (c)-->(d) "
     "RETURN a, count(DISTINCT d) + 1 AS n ORDER BY n DESC LIMIT 3"),
    "UNWIND $rows AS row MERGE (p:Person {id: row.id}) ON CREATE SET p.name = row.name WITH p MATCH (p)-[:KNOWS]->(q) RETURN [x IN [q] | x.name]",
    "MATCH (a:Person)-[:KNOWS]->(b)-[:KNOWS]->(c)-[:KNOWS]->(a) RETURN count(*) UNION MATCH (n) RETURN n.x AS `count(*)`",
    "MATCH (a:Person {id: 1}) ((x)-[r:KNOWS]->(y) WHERE x.age > 3){1,3} (b) CALL { WITH b RETURN COUNT { (b)-->() } AS d } RETURN a, d",
};

TEST(every_allocation_may_fail) {
  for (size_t i = 0; i < ARRAY_SIZE(varied); i++) {
    struct plan_options options = {.catalog = &world};
    EACH_ALLOC_FAILS(n) {
      struct plan *p = NULL;
      enum err err = world_plan(str_of(varied[i]), &options, &p, NULL);
      assert_true(err == ERR_OK || err == ERR_NOMEM);
      plan_unref(p);
    }
  }
}

TEST(a_budget_that_is_too_small_is_an_error_that_names_it) {
  struct mem_budget budget;
  struct plan *p = NULL;
  struct ast_statement *s;
  struct error e = ERROR_INIT;
  mem_budget_init(&budget, NULL, 24 << 10, ERR_TX_MEMORY, "db.memory.transaction.max");
  assert_ok(plan_new(&budget, &p, &e));
  enum err err = cypher_parse(plan_arena(p), str_of(varied[0]), NULL, &s, &e);
  if (err == ERR_OK) err = cypher_check(s, NULL, &e);
  if (err == ERR_OK) err = plan_build(p, s, NULL, &e);
  assert_int_equal(err, ERR_TX_MEMORY);
  plan_unref(p);
}

TEST(a_plan_lives_as_long_as_its_last_reference) {
  struct plan *p = world_plan_ok("RETURN 1 AS x");
  struct plan *q = plan_ref(p);
  plan_unref(p);
  assert_plan_text(q, "RETURN 1 AS x", "ProduceResults x\nProjection 1 AS x\n");
  plan_unref(q);
}

TESTS(T(a_chain_of_a_hundred_relationships_is_planned_greedily), T(a_hundred_patterns_that_have_nothing_in_common_are_planned),
      T(a_star_of_ten_relationships_is_searched_exactly), T(five_thousand_branches_of_a_union_are_one_operator),
      T(an_or_of_ten_thousand_terms_is_one_filter), T(an_and_of_ten_thousand_terms_is_one_filter),
      T(a_script_of_two_thousand_creates_is_one_operator), T(a_tower_of_clauses_that_is_too_high_is_refused), T(every_allocation_may_fail),
      T(a_budget_that_is_too_small_is_an_error_that_names_it), T(a_plan_lives_as_long_as_its_last_reference))
