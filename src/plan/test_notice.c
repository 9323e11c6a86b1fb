// What is noticed about statements that are right all the same.
#include "plan/test_world.h"

struct noticed {
  const char *query, *notices;
};

static const char *const names[] = {
#define NOTICE_NAME(name) #name,
    PLAN_NOTICES(NOTICE_NAME)
#undef NOTICE_NAME
};

/// "KIND line:column(offset) subject | other", one a line.
static void print_notices(const struct plan *p, struct buf *out) {
  for (uint32_t i = 0; i < p->notice_count; i++) {
    const struct plan_notice *n = &p->notices[i];
    assert_ok(buf_printf(out, "%s ", names[n->kind]));
    if (n->has_position) assert_ok(buf_printf(out, "%u:%u(%u) ", n->line, n->column, n->offset));
    assert_ok(buf_printf(out, "%.*s", STR_ARG(n->subject)));
    if (n->other.len > 0) assert_ok(buf_printf(out, " | %.*s", STR_ARG(n->other)));
    assert_ok(buf_append_byte(out, '\n'));
  }
}

static void assert_noticed(const struct noticed *all, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct plan *p = world_plan_ok(all[i].query);
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    print_notices(p, &out);
    bool same = str_eq(buf_str(&out), str_of(all[i].notices));
    if (!same) print_message("%s\nnoticed:\n%.*sexpected:\n%s", all[i].query, (int) out.len, out.data, all[i].notices);
    plan_unref(p);
    assert_true(same);
  }
}

TEST(names_that_the_database_does_not_know) {
  static const struct noticed all[] = {
      {"MATCH (p:Person)-[:KNOWS]->(q) RETURN p.name, q.id", ""},
      {"MATCH (p:Persn)\nWHERE p.nme = 1 RETURN p.nme", "UNKNOWN_LABEL 1:10(9) Persn\nUNKNOWN_KEY 2:9(24) nme\n"},
      {"MATCH (p {nme: 1})-[r:LIKES|LOVES {x: 2}]->(:City&!Town) RETURN r:HATES",
       "UNKNOWN_KEY 1:11(10) nme\nUNKNOWN_TYPE 1:29(28) LOVES\n"
       "UNKNOWN_KEY 1:36(35) x\nUNKNOWN_LABEL 1:52(51) Town\nUNKNOWN_TYPE 1:67(66) HATES\n"},
      // What is written need not be there; what maps and temporal values hold is no property.
      {"CREATE (p:New {fresh: 1})-[:MADE]->(q) SET q.other = 1, q:Newer", ""},
      {"MERGE (p:New {fresh: 1}) ON CREATE SET p.at = date().year", ""},
      {"WITH {a: 1} AS m RETURN m.a", ""},
      {"RETURN EXISTS { (:Nobody) }", "UNKNOWN_LABEL 1:19(18) Nobody\n"},
      {"/* \U0001F600 */ MATCH (n:Nobody) RETURN n", "UNKNOWN_LABEL 1:19(18) Nobody\n"}, // two UTF-16 units
  };
  assert_noticed(all, ARRAY_SIZE(all));
}

TEST(products_of_parts_without_a_connection) {
  static const struct noticed all[] = {
      {"MATCH (a:Person), (b:City) RETURN a, b", "CARTESIAN_PRODUCT 1:1(0) b | (a:Person), (b:City)\n"},
      {"MATCH (a)-->(b), (c)-[r]->(d) RETURN *", "CARTESIAN_PRODUCT 1:1(0) c, r, d | (a)-->(b), (c)-[r]->(d)\n"},
      {"MATCH (a)-->(b), (b)-->(c) RETURN *", ""},
      {"MATCH (a) MATCH (b) RETURN *", ""},
      // Rows of one pair are no product.
      {"MATCH (a:Person) WITH a, a.id AS id MATCH (a)-->(x), (y) RETURN *", "CARTESIAN_PRODUCT 1:37(36) y | (a)-->(x), (y)\n"},
      {"MATCH (a)-->(b) MATCH (a)-->(c), (b)-->(d) RETURN *", ""},
  };
  assert_noticed(all, ARRAY_SIZE(all));
}

TEST(searches_that_may_take_long) {
  static const struct noticed all[] = {
      {"MATCH (a:Person {id: 1}), (a2:Person {id: 2}) WITH a, a2 MATCH p = shortestPath((a)-[*]->(a2)) RETURN p",
       "CARTESIAN_PRODUCT 1:1(0) a2 | (a:Person {id: 1}), (a2:Person {id: 2})\nUNBOUNDED_SHORTEST 1:84(83) p = "
       "shortestPath((a)-[*]->(a2))\n"},
      {"MATCH (a:Person {id: 1}) MATCH (b:City {id: 1}) MATCH p = shortestPath((a)-[*..9]->(b)) WHERE length(p) > 2 RETURN p",
       "EXHAUSTIVE_SHORTEST 1:55(54) length(p) > 2\n"},
      {"MATCH (a:Person {id: 1}) MATCH (b:City {id: 1}) MATCH p = shortestPath((a)-[:KNOWS]->(b)) RETURN p",
       "DEPRECATED_FIXED_SHORTEST 1:75(74) p = shortestPath((a)-[:KNOWS]->(b))\n"},
  };
  assert_noticed(all, ARRAY_SIZE(all));
}

TEST(hints_that_cannot_be_followed) {
  static const struct noticed all[] = {
      {"MATCH (p:Person) USING INDEX p:Person(name) WHERE p.name = 'x' RETURN p", ""},
      {"MATCH (p:Person) USING INDEX p:Person(age) WHERE p.age = 1 RETURN p",
       "HINTED_INDEX_NOT_FOUND 1:18(17) INDEX :Person(age) | INDEX FOR (`p`:`Person`) ON (`p`.`age`)\n"},
      {"MATCH ()-[r:OWNS]->() USING RANGE INDEX r:OWNS(id, name) WHERE r.id = 1 AND r.name = 'x' RETURN r",
       "HINTED_INDEX_NOT_FOUND 1:23(22) RANGE INDEX :OWNS(id, name) | RANGE INDEX FOR ()-[`r`:`OWNS`]-() ON (`r`.`id`, "
       "`r`.`name`)\n"},
      {"MATCH (p:Person {id: 1})-[:KNOWS]->(q) USING JOIN ON q RETURN q", "JOIN_HINT_UNFULFILLED 1:40(39) q\n"},
  };
  assert_noticed(all, ARRAY_SIZE(all));
}

TEST(what_will_go_away) {
  static const struct noticed all[] = {
      {"MATCH (p:Person) RETURN id(p) AS i",
       "DEPRECATED_FUNCTION 1:25(24) id | elementId or consider using an application-generated id\n"},
      {"MATCH ()-[r:KNOWS|:LIKES]->() RETURN r", "DEPRECATED_SEPARATOR 1:13(12) :KNOWS|:LIKES | :KNOWS|LIKES\n"},
      {"MATCH (a:Person)-[r:KNOWS]->(b) SET a = b SET b += r",
       "DEPRECATED_SET_ENTITY 1:37(36) SET a = b | SET a = properties(b)\n"
       "DEPRECATED_SET_ENTITY 1:47(46) SET b += r | SET b += properties(r)\n"},
      {"MATCH (a:Person) CALL { WITH a RETURN a.id AS i } RETURN i", "DEPRECATED_IMPORTING_WITH 1:18(17) a\n"},
      {"MATCH (a:Person) CALL (a) { RETURN a.id AS i } RETURN i", ""},
  };
  assert_noticed(all, ARRAY_SIZE(all));
}

TEST(loads_that_could_be_faster) {
  static const struct noticed all[] = {
      {"LOAD CSV FROM 'file:///a.csv' AS l MATCH (p:Post {name: l[0]}) RETURN p", "NO_APPLICABLE_INDEX Post\n"},
      {"LOAD CSV FROM 'file:///a.csv' AS l MATCH (p:Person {id: l[0]}) RETURN p", ""},
      {"LOAD CSV FROM 'file:///a.csv' AS l CREATE (p:City) WITH l MATCH (q:City {name: l[0]}) RETURN q", "EAGER_LOAD_CSV \n"},
  };
  assert_noticed(all, ARRAY_SIZE(all));
}

TESTS(T(names_that_the_database_does_not_know), T(products_of_parts_without_a_connection), T(searches_that_may_take_long),
      T(hints_that_cannot_be_followed), T(what_will_go_away), T(loads_that_could_be_faster))
