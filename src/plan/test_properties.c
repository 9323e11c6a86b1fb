// What must hold for every plan, whatever its shape: predicates are applied once, relationships of one MATCH differ pairwise, and
// nobody reads what is not there (that one is checked by plan_build itself, for all of the TCK's queries as well).
#include <stdio.h>

#include "plan/test_world.h"

/// Pairs of relationships that the plan tells apart.
static uint32_t differing_pairs(const struct plan *p) {
  uint32_t pairs = 0;
  for (uint32_t i = 0; i < p->op_count; i++) {
    const struct plan_op *op = p->ops[i];
    switch (op->kind) {
    case PLAN_EXPAND:
    case PLAN_EXPAND_INTO:
    case PLAN_OPTIONAL_EXPAND:
    case PLAN_OPTIONAL_EXPAND_INTO: pairs += op->expand.differ.count; break;
    case PLAN_VAR_EXPAND:
    case PLAN_VAR_EXPAND_INTO: pairs += op->var_expand.differ.count; break;
    case PLAN_REPEAT: pairs += op->repeat.differ.count; break;
    case PLAN_PROJECT_ENDPOINTS: pairs += op->project_ends.differ.count; break;
    case PLAN_INTERSECT:
      for (uint32_t k = 0; k < op->intersect.arm_count; k++) pairs += op->intersect.arms[k].differ.count;
      break;
    case PLAN_FILTER: pairs += op->filter.differ_count; break;
    default: break;
    }
  }
  return pairs;
}

TEST(relationships_of_one_match_differ_pairwise_however_they_are_found) {
  static const struct {
    const char *query;
    uint32_t pairs;
  } all[] = {
      {"MATCH (a)-[:KNOWS]->(b)-[:KNOWS]->(c) RETURN a", 1},
      {"MATCH (a)-[:KNOWS]->(b)-[:LIKES]->(c) RETURN a", 0}, // types apart: never the same
      {"MATCH (a)-[:KNOWS|LIKES]->(b)-[:LIKES]->(c) RETURN a", 1},
      {"MATCH (a)-->(b)-->(c)-->(d)-->(e) RETURN a", 6},
      {"MATCH (a)-[:KNOWS]->(b)-[:KNOWS]->(c)-[:KNOWS]->(a) RETURN a", 3}, // an intersection
      {"MATCH (a)-->(b), (c)-->(d), (e)-->(f) RETURN a", 3},               // products
      {"MATCH (a)-->(b) MATCH (c)-->(d) RETURN a", 0},                     // two clauses
      {"MATCH (a)-[:KNOWS*]->(b)-[:KNOWS]->(c)-[:KNOWS*2..3]->(d) RETURN a", 3},
      {"MATCH (a:Person {id: 1})-[:KNOWS]->(b)-[:KNOWS]->(c)-[:KNOWS]->(d:Person {id: 2}) RETURN b", 3}, // from both ends
      {"MATCH (a) ((x)-[:KNOWS]->(y)-[:LIKES]->(z)){2} (b)-[:KNOWS]->(c) RETURN a", 2},                 // both lists, as they hold any type
      {"MATCH (a)-->(b) WHERE EXISTS { (b)-->(c)-->(d) } RETURN a", 1},                                 // the subquery's own
      {"MATCH (a)-->(b) OPTIONAL MATCH (b)-->(c)-->(d) RETURN a", 1},
      {"UNWIND [1, 2] AS i MATCH ()-[r]->(), ()-[q]->() WHERE id(r) = i AND id(q) = i + 1 RETURN r", 1}, // each sought upon the other
      {"MATCH REPEATABLE ELEMENTS (a)-->(b)-->(c) RETURN a", 0},
  };
  for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
    struct plan_options options = {.catalog = &world};
    struct error e = ERROR_INIT;
    struct plan *p = NULL;
    enum err err = world_plan(str_of(all[i].query), &options, &p, &e);
    if (err == ERR_SYNTAX && i == ARRAY_SIZE(all) - 1) { // a word of a later language
      plan_unref(p);
      continue;
    }
    assert_ok(err);
    if (differing_pairs(p) != all[i].pairs) print_message("%s\n", all[i].query);
    assert_int_equal(differing_pairs(p), all[i].pairs);
    plan_unref(p);
  }
}

static uint32_t occurrences(const struct buf *text, const char *needle) {
  uint32_t n = 0;
  for (size_t i = 0; i + strlen(needle) <= text->len; i++) n += memcmp(text->data + i, needle, strlen(needle)) == 0;
  return n;
}

/// Every literal in the nine hundreds stands in one predicate of the query and must come up once in the plan.
static void assert_predicates_once(const char *query) {
  struct plan *p = world_plan_ok(query);
  CLEANUP(buf_done) struct buf text = BUF_INIT;
  assert_ok(plan_print(p, &text));
  for (int marker = 901; marker < 920; marker++) {
    char needle[8];
    snprintf(needle, sizeof needle, "%d", marker);
    if (strstr(query, needle) == NULL) continue;
    if (occurrences(&text, needle) != 1) print_message("%s: %s\n%.*s", query, needle, (int) text.len, text.data);
    assert_int_equal(occurrences(&text, needle), 1);
  }
  plan_unref(p);
}

TEST(each_predicate_is_applied_once) {
  static const char *const all[] = {
      "MATCH (a:Person {id: 901})-[r:KNOWS {w: 902}]->(b {age: 903}) WHERE a.x = 904 AND r.y > 905 AND b.z < a.z + 906 RETURN a",
      "MATCH (a:Person {name: 901})-[:KNOWS]->(b)-[:KNOWS]->(c)-[:KNOWS]->(d:Person {id: 902}) WHERE b.x = 903 AND c.x = 904 AND b.y + c.y = 905 RETURN a",
      "MATCH (a:Person), (b:City {name: 901}), (c:Post) WHERE a.x = b.y + 902 AND c.z = 903 AND a.q <> c.q + 904 RETURN a",
      "MATCH (a:Person) WHERE a.id IN [901, 902] AND a.age >= 903 AND a.age < 904 AND NOT EXISTS { (a)-->(x {y: 905}) } RETURN a",
      "MATCH (a:Person) OPTIONAL MATCH (a)-[:KNOWS]->(b {x: 901}) WHERE b.y = 902 AND a.y = 903 RETURN a, b",
      "MATCH p = (a:Person {id: 901})-[rs:KNOWS*1..3 {w: 902}]->(b) WHERE length(p) > 903 AND size(rs) < 904 AND b.x = 905 RETURN p",
      "MATCH (a)-[:KNOWS]->(b)-[:KNOWS]->(c)-[:KNOWS]->(a) WHERE a.x = 901 AND b.x = 902 AND c.x = 903 AND a.y + b.y + c.y = 904 RETURN a",
      "MATCH (a:Person {id: 901}), (b:Person {id: 902}) MATCH p = shortestPath((a)-[rs:KNOWS*]-(b)) WHERE length(p) > 903 AND all(r IN rs WHERE r.x = 904) RETURN p",
      "MATCH (a:Person {id: 901}) ((x)-[r:KNOWS]->(y) WHERE x.age > 902 AND y.age > 903){1,3} (b {name: 904}) RETURN a",
      "UNWIND [1] AS i MATCH (a:Person), (b:City) WHERE a.x = i + 901 AND b.x = i + 902 AND rand() < 903 RETURN a",
      "MATCH (a)-[r]->(b) WITH a, r WHERE a.x = 901 MATCH (c)-[r]->(d) WHERE d.x = 902 RETURN c",
  };
  for (size_t i = 0; i < ARRAY_SIZE(all); i++) assert_predicates_once(all[i]);
}

/// Where the first barrier of a write comes with barriers everywhere, there is none that is missing above a read of its clause.
TEST(a_read_of_what_was_written_has_a_barrier_below_it) {
  static const struct {
    const char *query;
    bool barrier;
  } all[] = {
      {"CREATE (n:Person) WITH n MATCH (m:Person) RETURN count(m) AS c", true},
      {"CREATE (n:Person) WITH n MATCH (m:City) RETURN count(m) AS c", false},
      {"CREATE (n:Person) WITH n MATCH (m) RETURN count(m) AS c", true},
      {"CREATE (n:Person {x: 1}) RETURN n.x AS x", true},
      {"CREATE (n:Person {x: 1}) WITH n AS m RETURN m.x AS x", true},
      {"CREATE (n:Person {x: 1}) WITH [n] AS l RETURN l[0].x AS x", true},
      {"MATCH (n:Person) SET n.x = 1 RETURN n.x AS x", true},
      {"MATCH (n:Person) SET n.x = 1 RETURN n.y AS y", false},
      {"MATCH (n:Person) SET n:City WITH n MATCH (m:City) RETURN count(m) AS c", true},
      {"MATCH (n:Person) REMOVE n:Person WITH n WHERE n:Person RETURN count(n) AS c", true},
      {"MATCH (n:Person) DELETE n RETURN count(n) AS c", false},
      {"MATCH (n:Person) DELETE n WITH 1 AS x MATCH (m:City) RETURN count(m) AS c", true},
      {"MATCH (n:Person) CREATE (m:Person)", false},
      {"MATCH (a:Person), (b:Person) CREATE (a)-[:KNOWS]->(b)", false},
      {"CREATE (a)-[:KNOWS]->(b) WITH a MATCH (a)-[:LIKES]->(c) RETURN count(c) AS c", false},
      {"CREATE (a)-[:KNOWS]->(b) WITH a MATCH (a)-->(c) RETURN count(c) AS c", true},
      {"UNWIND [1, 2] AS i MERGE (a:Person {id: i}) MERGE (b:Person {id: i + 1})", true},
      {"UNWIND [1, 2] AS i MERGE (a:Person {id: i}) MERGE (b:City {id: i})", false},
      {"UNWIND [1, 2] AS i MERGE (a:Person {id: i}) SET a.id = i + 1", true},
      {"UNWIND [1, 2] AS i MERGE (a:Person {id: i}) SET a.age = 3", false},
      {"MATCH (a:Person)-->(b) SET a.x = 1 SET b.x = 2", true},
      {"MATCH (a:Person)-->(b) SET a.x = 1 SET b.y = 2", false},
      {"MATCH (a:Person)-->(b) SET a.x = b.y SET b.y = 2", true},
      {"UNWIND [1] AS i CREATE (a:Person) WITH a WHERE EXISTS { (:Person) } RETURN 1 AS x", true},
      {"CREATE (a:Person) RETURN 1 AS x UNION ALL MATCH (b:Person) RETURN 2 AS x", true},
  };
  for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
    struct plan *p = world_plan_ok(all[i].query);
    bool found = false;
    for (uint32_t k = 0; k < p->op_count; k++) found = found || p->ops[k]->kind == PLAN_EAGER;
    if (found != all[i].barrier) print_message("%s\n", all[i].query);
    assert_int_equal(found, all[i].barrier);
    plan_unref(p);
  }
}

TEST(the_same_query_gives_the_same_plan) {
  const char *query = "MATCH (a:Person)-[:KNOWS]->(b)-[:LIKES]->(c), (a)-[:LIKES]->(c), (b)-[:LIVES_IN]->(d) WHERE a.x = d.x RETURN a";
  struct plan *first = world_plan_ok(query);
  CLEANUP(buf_done) struct buf text = BUF_INIT;
  assert_ok(plan_print(first, &text));
  assert_ok(buf_append_byte(&text, 0));
  for (int i = 0; i < 5; i++) assert_plan(query, text.data);
  plan_unref(first);
}

TEST(what_cannot_be_planned_says_so_and_where) {
  static const struct {
    const char *query, *message;
    uint32_t column;
  } all[] = {
      {"MATCH p = SHORTEST 3 (a:Person)-[:KNOWS]->+(b:Person) RETURN p", "This form of shortest path is not supported", 7},
  };
  for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
    struct error e = ERROR_INIT;
    struct plan *p = NULL;
    assert_int_equal(world_plan(str_of(all[i].query), NULL, &p, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.message, all[i].message));
    assert_int_equal(e.line, 1);
    assert_int_equal(e.column, all[i].column);
    plan_unref(p);
  }
}

TEST(names_that_are_not_there_yet_are_marked) {
  struct plan *p = world_plan_ok("MATCH (n:Unheard)-[:KNOWS]->() WHERE n.name = 'x' RETURN n");
  assert_true(p->has_unknown_names);
  assert_int_equal(p->token_version, 1);
  plan_unref(p);
  p = world_plan_ok("MATCH (n:Person)-[:KNOWS]->() WHERE n.name = 'x' RETURN n");
  assert_false(p->has_unknown_names);
  plan_unref(p);
}

TEST(a_schema_command_is_handed_on) {
  struct plan *p = world_plan_ok("CREATE INDEX i IF NOT EXISTS FOR (n:Person) ON (n.x)");
  assert_int_equal(p->kind, PLAN_COMMAND);
  assert_null(p->root);
  assert_int_equal(p->statement->root->kind, AST_CREATE_INDEX);
  plan_unref(p);
}

TESTS(T(relationships_of_one_match_differ_pairwise_however_they_are_found), T(each_predicate_is_applied_once),
      T(a_read_of_what_was_written_has_a_barrier_below_it), T(the_same_query_gives_the_same_plan), T(what_cannot_be_planned_says_so_and_where),
      T(names_that_are_not_there_yet_are_marked), T(a_schema_command_is_handed_on))
