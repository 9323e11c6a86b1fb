#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/test.h"
#include "cypher/check.h"
#include "cypher/parse.h"
#include "cypher/rewrite.h"

static void expect_rewrite(const char *text, const char *expected) {
  struct arena a;
  arena_init(&a, NULL);
  struct error e = ERROR_INIT;
  struct ast_statement *s;
  struct buf printed = BUF_INIT;
  if (cypher_parse(&a, str_of(text), NULL, &s, &e) != ERR_OK || cypher_check(s, NULL, &e) != ERR_OK)
    fail_msg("%s\n%s", text, e.message);
  assert_ok(cypher_rewrite(s, &e));
  assert_ok(ast_print_statement(&printed, s));
  if (!str_eqz(buf_str(&printed), expected)) fail_msg("%s\nbecomes %.*s\nnot     %s", text, STR_ARG(buf_str(&printed)), expected);
  buf_done(&printed);
  arena_done(&a);
}

TEST(chains_become_conjunctions) {
  expect_rewrite("MATCH (n) WHERE 1 < n.x <= 3 RETURN n", "MATCH (n) WHERE (1 < n.x) AND (n.x <= 3) RETURN n");
  expect_rewrite("MATCH (n) WHERE 1 < rand() < 3 RETURN n", "MATCH (n) WHERE 1 < rand() < 3 RETURN n");
}

TEST(negations_go_down) {
  expect_rewrite("MATCH (n) WHERE NOT (n.a = 1 OR NOT n.b < 2) RETURN n", "MATCH (n) WHERE (n.a <> 1) AND (n.b < 2) RETURN n");
  expect_rewrite("MATCH (n) WHERE NOT n.a IS NULL AND NOT n.b < 1 RETURN n",
                 "MATCH (n) WHERE (n.a IS NOT NULL) AND (NOT (n.b < 1)) RETURN n");
  expect_rewrite("MATCH (n) WHERE NOT NOT n.a RETURN n", "MATCH (n) WHERE NOT (NOT n.a) RETURN n");
}

TEST(conjunctions_become_flat) {
  expect_rewrite("MATCH (n) WHERE (n.a AND n.b) AND (n.c AND (n.d OR (n.e OR n.f))) RETURN n",
                 "MATCH (n) WHERE n.a AND n.b AND n.c AND (n.d OR n.e OR n.f) RETURN n");
}

TEST(equalities_become_a_list) {
  expect_rewrite("MATCH (n) WHERE n.a = 1 OR n.b OR n.a = $p OR n.a = 'x' RETURN n",
                 "MATCH (n) WHERE (n.a IN [1, $p, 'x']) OR n.b RETURN n");
  expect_rewrite("MATCH (n) WHERE n.a = 1 OR n.a = 2 RETURN n", "MATCH (n) WHERE n.a IN [1, 2] RETURN n");
  expect_rewrite("MATCH (n) WHERE n.a = 1 OR n.b = 1 RETURN n", "MATCH (n) WHERE (n.a = 1) OR (n.b = 1) RETURN n");
}

TEST(predicates_of_elements_move_to_the_where) {
  expect_rewrite("MATCH (n:A {x: 1} WHERE n.y)-[r:R|S {w: 2}]->(m:B&!C) WHERE m.z RETURN n",
                 "MATCH (n)-[r:R|S]->(m) WHERE (n:A) AND (n.x = 1) AND n.y AND (r.w = 2) AND (m:B&!C) AND m.z RETURN n");
  expect_rewrite("MATCH (n)-[r:!R]->(m) RETURN n", "MATCH (n)-[r]->(m) WHERE r:!R RETURN n");
  expect_rewrite("MATCH (n)-[:R* {w: 2}]->(m) RETURN n", "MATCH (n)-[:R* {w: 2}]->(m) RETURN n");
  expect_rewrite("MATCH (n)((a:A)-[r:R]->(b) WHERE b.x){1,2}(m) RETURN n",
                 "MATCH (n) ((a)-[r:R]->(b) WHERE (a:A) AND b.x){1,2} (m) RETURN n");
  expect_rewrite("MATCH SHORTEST 1 (n:A)-->(m) RETURN n", "MATCH SHORTEST 1 (n:A)-->(m) RETURN n");
  expect_rewrite("CREATE (n:A {x: 1})", "CREATE (n:A {x: 1})");
}

TEST(tests_for_existence_become_subqueries) {
  expect_rewrite("MATCH (n) WHERE (n)-->({x: 1}) OR n.y RETURN n",
                 "MATCH (n) WHERE EXISTS { MATCH (n)-->() WHERE ``.x = 1 } OR n.y RETURN n");
}

TEST(each_allocation_may_fail) {
  static const char *const text =
      "MATCH (n:A {x: 1})-[r:!R]->(m) WHERE NOT (1 < m.x < 3 AND (m)-->(:B)) OR n.y = 1 OR n.y = 2 RETURN n";
  EACH_ALLOC_FAILS(n) {
    struct arena a;
    arena_init(&a, NULL);
    struct error e = ERROR_INIT;
    struct ast_statement *s;
    enum err err = cypher_parse(&a, str_of(text), NULL, &s, &e);
    if (err == ERR_OK) err = cypher_check(s, NULL, &e);
    if (err == ERR_OK) err = cypher_rewrite(s, &e);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
    arena_done(&a);
  }
}

TESTS(T(chains_become_conjunctions), T(negations_go_down), T(conjunctions_become_flat), T(equalities_become_a_list),
      T(predicates_of_elements_move_to_the_where), T(tests_for_existence_become_subqueries), T(each_allocation_may_fail))
