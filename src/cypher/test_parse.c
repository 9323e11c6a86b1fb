#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/test.h"
#include "cypher/ast.h"
#include "cypher/parse.h"

// Every statement here must parse, and parse again from its canonical text to an equal tree.

static const char *const queries[] = {
    "RETURN 1",
    "RETURN 1 AS one;",
    "MATCH (n) RETURN n",
    "MATCH (p:Person {name: $name})-[k:KNOWS {since: 2001}]->(f) WHERE f.age >= 18 RETURN f.name AS name ORDER BY name DESC SKIP "
    "2 LIMIT 10",
    "MATCH (a)-->(b)<--(c)--(d)<-->(e) RETURN *",
    "MATCH (a)-[:X|Y|:Z*1..3]->(b), (c)-[*]-(d), (e)-[r*..5 {w: 1}]-(f), (g)-[*2..]-(h), (i)-[*4]-(j) RETURN 1",
    "OPTIONAL MATCH p = (a)-[r]->(b) WITH DISTINCT a, count(r) AS c, p WHERE c > 1 RETURN nodes(p)",
    "MATCH p = shortestPath((a:A)-[:R*..9]->(b:B)) RETURN length(p)",
    "MATCH p = allShortestPaths((a)-[*]-(b)) WHERE all(n IN nodes(p) WHERE n.ok) RETURN p",
    "MATCH p = SHORTEST 2 (a)-[:R]->+(b) RETURN p",
    "MATCH ALL SHORTEST (a)-[:R]-{1,4}(b) RETURN a",
    "MATCH ANY 3 PATHS (a)-->(b) RETURN a",
    "MATCH ANY SHORTEST (a)-->*(b) RETURN a",
    "MATCH SHORTEST 3 GROUPS (a)(()-->()){2,}(b) RETURN a",
    "MATCH SHORTEST $k PATH GROUPS (a)-[:R]->+(b) RETURN a",
    "MATCH ALL PATHS (a)-->(b) RETURN a",
    "MATCH (s:Stop) ((a)-[r:NEXT WHERE r.km < 5]->(b) WHERE a.x < b.x){1,3} (t) RETURN s, a, r, t",
    "MATCH p = (a) (q = (x)-->(y)){,4} (b) RETURN p",
    "MATCH ((a)-->(b))+ RETURN a",
    "MATCH (n:A&!B|(C&D)|%) RETURN n",
    "MATCH (n IS Person WHERE n.age > 3)-[r IS KNOWS|LIKES WHERE r.x = 1]-() RETURN n",
    "MATCH (n:$($label))-[r:$any($types)]->(m:$all($labels)) RETURN n",
    "MATCH (is)-->(where), (IS Q), (WHERE true) RETURN is",
    "MATCH REPEATABLE ELEMENTS (a)-->(b) RETURN a",
    "MATCH DIFFERENT RELATIONSHIPS (a)-->(b) RETURN a",
    "MATCH (n:L) USING INDEX n:L(p, q) USING INDEX SEEK n:L(p) USING SCAN n:L USING JOIN ON n USING TEXT INDEX n:L(p) WHERE n.p "
    "= 1 RETURN n",
    "UNWIND [1, 2, 3] AS x UNWIND range(0, x) AS y RETURN x, y",
    "CREATE (a:A:B {x: 1, y: 'two', z: [3.0, null, true]})-[:R {k: $k}]->(b), p = (c)<-[:S]-(a) RETURN p",
    "INSERT (a:A&B {x: 1})-[:R]->(b)",
    "MERGE (a:A {id: 1}) ON CREATE SET a.made = timestamp(), a:New ON MATCH SET a += {seen: true} RETURN a",
    "MATCH (n) SET n.a = 1, n = {b: 2}, n += $map, n:L1:L2, n:$($x), n[$k] = 3, (CASE WHEN true THEN n END).d = 4 REMOVE n.a, "
    "n:L1, n[$k]",
    "MATCH (n) DETACH DELETE n",
    "MATCH (n)-[r]-() NODETACH DELETE r, n",
    "MATCH p = (a)-[*]->(b) FOREACH (n IN nodes(p) | SET n.m = true FOREACH (x IN [1, 2] | CREATE (:X {v: x})))",
    "LOAD CSV WITH HEADERS FROM 'file:///a.csv' AS row FIELDTERMINATOR ';' RETURN row.name, linenumber(), file()",
    "USING PERIODIC COMMIT 500 LOAD CSV FROM $url AS line CREATE (:N {v: line[0]})",
    "CALL db.labels()",
    "CALL db.labels",
    "CALL db.labels() YIELD label AS l, count WHERE l STARTS WITH 'a' RETURN l",
    "CALL dbms.components() YIELD *",
    "CALL db.x() YIELD - RETURN 1",
    "OPTIONAL CALL db.labels() YIELD label RETURN label",
    "MATCH (n) CALL { WITH n MATCH (n)-->(m) RETURN count(m) AS c } RETURN n, c",
    "MATCH (n) CALL (n) { MATCH (n)-->(m) RETURN m UNION RETURN n AS m } RETURN m",
    "CALL (*) { RETURN 1 AS x } RETURN x",
    "CALL () { CREATE (:A) }",
    "UNWIND range(1, 100) AS i CALL { WITH i CREATE (:A {i: i}) } IN 3 CONCURRENT TRANSACTIONS OF 10 ROWS ON ERROR CONTINUE "
    "REPORT STATUS AS s RETURN s",
    "MATCH (n) OPTIONAL CALL (n) { RETURN 1 AS one } RETURN one",
    "MATCH (n) CALL { WITH n DELETE n } IN TRANSACTIONS",
    "MATCH (n) CALL (n) { DELETE n } IN TRANSACTIONS OF $rows ROWS ON ERROR RETRY THEN BREAK",
    "MATCH (n) WHERE EXISTS { (n)-->(:A) } AND EXISTS { MATCH (n)<--(m) WHERE m.x = 1 RETURN m } RETURN COUNT { (n)--() } AS "
    "degree",
    "MATCH (n) RETURN COLLECT { MATCH (n)-->(m) RETURN m.name ORDER BY m.name LIMIT 3 } AS names",
    "RETURN 1 AS a UNION RETURN 2 AS a UNION DISTINCT RETURN 3 AS a",
    "RETURN 1 AS a UNION ALL RETURN 2 AS a",
    "USE neo4j MATCH (n) RETURN n",
    "USE graph.byName('x') MATCH (n) RETURN n",
    "USE composite.part RETURN 1",
    "MATCH (n) RETURN n ORDER BY n.a ASC, n.b DESCENDING OFFSET 3 LIMIT $l",
    "MATCH (n) ORDER BY n.a SKIP 1 LIMIT 2 RETURN n",
    "MATCH (n) LIMIT 5 DELETE n FINISH",
    "EXPLAIN MATCH (n) RETURN n",
    "PROFILE MATCH (n) RETURN n",
    "CYPHER 5 runtime=slotted planner=cost RETURN 1",
    "CYPHER planner = dp EXPLAIN RETURN 1",
    "CYPHER 3.5 RETURN {param} AS x, 017 AS fifteen",
    "EXPLAIN CYPHER 4.4 RETURN 1",
    // expressions
    "RETURN 1 + 2 * 3 ^ 4 - -5 % 6 / 7 AS x",
    "RETURN NOT a.x AND b.y OR c XOR d AS x",
    "RETURN a = b <> c < d <= e > f >= g AS x",
    "RETURN (a = b) = c AS x, a = (b = c) AS y",
    "RETURN a =~ 'x.*' AND b STARTS WITH 'p' AND c ENDS WITH 's' AND d CONTAINS 'i' AND e IN [1, 2] AS x",
    "RETURN a IS NULL, b IS NOT NULL, NOT c IS NULL",
    "RETURN x IS :: INTEGER, x IS NOT :: STRING NOT NULL, x IS TYPED LIST<FLOAT | INTEGER NOT NULL> NOT NULL, x :: BOOL",
    "RETURN x IS :: ZONED DATETIME | LOCAL TIME | TIMESTAMP WITHOUT TIMEZONE | ANY PROPERTY VALUE | STRING LIST | ANY<INT | "
    "NULL>",
    "RETURN x IS NORMALIZED, x IS NOT NFKD NORMALIZED, normalize(x, NFC), normalize(x)",
    "RETURN a || b || 'c' AS x",
    "RETURN [1, 2, 3][0], [1, 2, 3][1..], [1, 2, 3][..2], [1, 2, 3][0..-1], l[a..b][c]",
    "RETURN {a: 1, `b c`: {d: [e IN [1] | e]}}.a.b['c'] AS x",
    "RETURN [x IN range(1, 10) WHERE x % 2 = 0 | x ^ 2] AS l, [x IN l] AS same, [x IN l WHERE x:A] AS labelled, [x IN l | x] AS "
    "mapped",
    "RETURN [x IN l WHERE x:A|B | x.p] AS a, [x IN l WHERE x:A | x] AS b, [x IN l WHERE x:A | x:B|C] AS c",
    "RETURN [(a)-[r]->(b) WHERE b:X | b.name] AS names, [p = (a)-->() | length(p)] AS lengths",
    "RETURN reduce(total = 0, x IN [1, 2, 3] | total + x) AS sum",
    "RETURN all(x IN l WHERE x > 0), any(x IN l WHERE x), none(x IN l WHERE x), single(x IN l WHERE x)",
    "RETURN CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END AS x",
    "RETURN CASE n.x WHEN 1, 2 THEN 'a' WHEN > 5 THEN 'b' WHEN IS NULL THEN 'c' WHEN STARTS WITH 'q' THEN 'd' WHEN IS :: INTEGER "
    "THEN 'e' END AS x",
    "MATCH (n) RETURN n {.*, .name, other: n.x + 1, n} AS m",
    "RETURN count(*), count(DISTINCT n.x), collect(ALL n), percentileCont(n.x, 0.5)",
    "RETURN trim(BOTH 'x' FROM s), trim(LEADING FROM s), trim(TRAILING $c FROM s), trim('y' FROM s), trim(s)",
    "RETURN point({x: 1, y: 2}), duration.between(date('2020-01-01'), date()), datetime.truncate('day', d, {hour: 1})",
    "RETURN exists((n)-->()), exists(n.x), size([(n)-->() | 1])",
    "MATCH (n) WHERE (n)-[:R]->(:X {y: 1}) AND NOT (n)<-[:S*1..2]-() OR (n)--() RETURN n",
    "MATCH (a), (b) RETURN shortestPath((a)-[*..3]->(b)) AS p",
    "RETURN $p, $0, $`odd one`, $p.x[$i]",
    "RETURN 0x1F, 0XfF, 0o17, 1_000_000, 1e3, 1.5E-10, .5, 5.0, 9223372036854775807, -9223372036854775808",
    "RETURN NaN, INF, Infinity, -Infinity, null, TRUE, false",
    "RETURN 'it\\'s', \"dou\\\"ble\", 'tab\\tnew\\nline\\\\ back', '\\u00e9\\uD83D\\uDE00', 'emoji \xF0\x9F\x98\x80'",
    "RETURN `a``b` AS `c d`, `` AS empty",
    "RETURN a /* comment */ + // rest\n b AS x",
    "RETURN (((1))), ((a)).b, (a)-(b), (a)-[1][0], (n.x) - 1",
    "MATCH (match:Match)-[return:RETURN]->(where {limit: 1}) RETURN match.order AS order, return, where",
    "RETURN filter(x IN l WHERE x > 1), extract(x IN l | x + 1)",
    "RETURN case.x AS y",
    "MATCH (a)\xE2\x80\x94\xE2\x80\x94(b)\xE2\x80\x94[:R]\xE2\x80\x94\xE3\x80\x89(c) RETURN a",
    "RETURN\xC2\xA0"
    "1\xE3\x80\x80"
    "AS\xE2\x80\xA8x",
    "MATCH (n:`we``ird` {`k k`: 1}) RETURN n.`k k`, \xC3\xA9t\xC3\xA9 AS \xE5\x90\x8D",
};

static const char *const commands[] = {
    "CREATE INDEX FOR (n:L) ON (n.p)",
    "CREATE RANGE INDEX name IF NOT EXISTS FOR ()-[r:T]-() ON (r.a, r.b) OPTIONS {indexProvider: 'range-1.0'}",
    "CREATE OR REPLACE BTREE INDEX $name FOR (n:L) ON (n.p)",
    "CREATE TEXT INDEX t FOR (n:L) ON (n.p)",
    "CREATE POINT INDEX p FOR (n:L) ON (n.p) OPTIONS {indexConfig: {`spatial.cartesian.min`: [-1.0, -1.0]}}",
    "CREATE LOOKUP INDEX FOR (n) ON EACH labels(n)",
    "CREATE LOOKUP INDEX l FOR ()-[r]-() ON type(r)",
    "CREATE FULLTEXT INDEX f FOR (n:A|B) ON EACH [n.p, n.q]",
    "CREATE VECTOR INDEX v IF NOT EXISTS FOR (n:L) ON (n.e) OPTIONS {indexConfig: {`vector.dimensions`: 3, "
    "`vector.similarity_function`: 'cosine'}}",
    "CREATE INDEX ON :L(a, b)",
    "DROP INDEX ON :L(a)",
    "DROP INDEX name IF EXISTS",
    "CREATE CONSTRAINT c IF NOT EXISTS FOR (n:L) REQUIRE n.p IS UNIQUE",
    "CREATE CONSTRAINT FOR (n:L) REQUIRE (n.a, n.b) IS NODE KEY",
    "CREATE CONSTRAINT FOR (n:L) REQUIRE (n.a, n.b) IS UNIQUE OPTIONS {}",
    "CREATE CONSTRAINT FOR (n:L) REQUIRE n.p IS NOT NULL",
    "CREATE CONSTRAINT FOR (n:L) REQUIRE n.p IS :: INTEGER | STRING",
    "CREATE CONSTRAINT FOR ()-[r:T]-() REQUIRE r.p IS RELATIONSHIP KEY",
    "CREATE CONSTRAINT FOR ()-[r:T]-() REQUIRE r.p IS TYPED LIST<DATE NOT NULL>",
    "CREATE CONSTRAINT ON (n:L) ASSERT n.p IS UNIQUE",
    "CREATE CONSTRAINT ON (n:L) ASSERT exists(n.p)",
    "CREATE CONSTRAINT ON ()-[r:T]-() ASSERT exists(r.p)",
    "CREATE CONSTRAINT ON (n:L) ASSERT (n.a, n.b) IS NODE KEY",
    "DROP CONSTRAINT ON (n:L) ASSERT n.p IS UNIQUE",
    "DROP CONSTRAINT c IF EXISTS",
    "USE other CREATE INDEX FOR (n:L) ON (n.p)",
    "SHOW INDEXES",
    "SHOW ALL INDEXES",
    "SHOW FULLTEXT INDEXES YIELD name, state AS s ORDER BY name SKIP 1 LIMIT 2 WHERE s = 'ONLINE' RETURN name, count(*)",
    "SHOW INDEXES WHERE type = 'RANGE'",
    "SHOW INDEX BRIEF OUTPUT",
    "SHOW CONSTRAINTS YIELD *",
    "SHOW NODE UNIQUENESS CONSTRAINTS",
    "SHOW RELATIONSHIP PROPERTY EXISTENCE CONSTRAINTS",
    "SHOW NODE KEY CONSTRAINTS VERBOSE OUTPUT",
    "SHOW PROPERTY TYPE CONSTRAINTS",
    "SHOW FUNCTIONS",
    "SHOW BUILT IN FUNCTIONS EXECUTABLE BY CURRENT USER YIELD name",
    "SHOW USER DEFINED FUNCTIONS EXECUTABLE BY jake",
    "SHOW PROCEDURES EXECUTABLE YIELD name, mode WHERE mode = 'READ' RETURN collect(name) AS names",
    "SHOW SETTINGS 'server.memory.heap.max_size', 'x' YIELD name, value",
    "SHOW TRANSACTIONS",
    "SHOW TRANSACTIONS 'neo4j-transaction-1', $id YIELD transactionId AS id TERMINATE TRANSACTIONS id YIELD message RETURN "
    "message",
    "TERMINATE TRANSACTION 'a', 'b'",
    "SHOW DATABASES YIELD name, currentStatus WHERE name <> 'system'",
    "SHOW DATABASE neo4j",
    "SHOW DEFAULT DATABASE",
    "SHOW HOME DATABASE",
    "SHOW ALIASES FOR DATABASES",
    "SHOW ALIAS a.b FOR DATABASE YIELD *",
    "DROP USER `point.in.name`",
    "DROP USER `RETU````RN case.g`",
    "CREATE INDEX `a.b` FOR (n:L) ON (n.p)",
    "SHOW USER `a.b`, `c` PRIVILEGES",
    "SHOW SERVERS YIELD *",
    "SHOW USERS",
    "SHOW USERS WITH AUTH",
    "SHOW CURRENT USER",
    "SHOW ROLES",
    "SHOW POPULATED ROLES WITH USERS",
    "SHOW PRIVILEGES AS COMMANDS",
    "SHOW ALL PRIVILEGES AS REVOKE COMMANDS",
    "SHOW ROLE reader, $r PRIVILEGES",
    "SHOW USER jake PRIVILEGES AS COMMANDS",
    "SHOW USER PRIVILEGES",
    "SHOW SUPPORTED PRIVILEGES",
    "CREATE DATABASE foo",
    "CREATE OR REPLACE DATABASE `foo-bar` TOPOLOGY 3 PRIMARIES 2 SECONDARIES OPTIONS {existingData: 'use'} WAIT 30 SECONDS",
    "CREATE DATABASE $db IF NOT EXISTS NOWAIT",
    "CREATE COMPOSITE DATABASE c IF NOT EXISTS",
    "DROP DATABASE foo IF EXISTS DUMP DATA WAIT",
    "DROP COMPOSITE DATABASE c CASCADE ALIASES DESTROY DATA",
    "START DATABASE foo WAIT 5",
    "STOP DATABASE foo",
    "ALTER DATABASE foo IF EXISTS SET ACCESS READ ONLY SET TOPOLOGY 1 PRIMARY",
    "ALTER DATABASE foo SET OPTION txLogEnrichment 'FULL' REMOVE OPTION x WAIT",
    "CREATE ALIAS a IF NOT EXISTS FOR DATABASE foo PROPERTIES {x: 1}",
    "CREATE OR REPLACE ALIAS comp.a FOR DATABASE foo AT 'neo4j://h:7687' USER u PASSWORD $pw DRIVER {ssl_enforced: true}",
    "ALTER ALIAS a IF EXISTS SET DATABASE TARGET bar AT 'x' USER u PASSWORD 'p'",
    "DROP ALIAS a IF EXISTS FOR DATABASE",
    "ENABLE SERVER 'id' OPTIONS {modeConstraint: 'PRIMARY', tags: ['a']}",
    "ALTER SERVER 'id' SET OPTIONS {allowedDatabases: ['a']}",
    "RENAME SERVER 'a' TO 'b'",
    "DROP SERVER 'a'",
    "DRYRUN DEALLOCATE DATABASES FROM SERVERS 'a', 'b'",
    "REALLOCATE DATABASES",
    "CREATE USER jake SET PASSWORD 'secret' CHANGE NOT REQUIRED SET STATUS ACTIVE SET HOME DATABASE foo",
    "CREATE OR REPLACE USER $u SET ENCRYPTED PASSWORD $p SET PASSWORD CHANGE REQUIRED",
    "CREATE USER jake IF NOT EXISTS SET PLAINTEXT PASSWORD 'abc' SET AUTH 'oidc' {SET ID 'x'} SET AUTH PROVIDER 'native' {SET "
    "PASSWORD 'y' CHANGE REQUIRED}",
    "ALTER USER jake IF EXISTS REMOVE HOME DATABASE REMOVE AUTH 'oidc' SET STATUS SUSPENDED",
    "ALTER USER jake REMOVE ALL AUTH SET AUTH 'native' {SET PASSWORD $p}",
    "ALTER CURRENT USER SET PASSWORD FROM 'a' TO $b",
    "RENAME USER a IF EXISTS TO b",
    "DROP USER jake IF EXISTS",
    "CREATE ROLE r IF NOT EXISTS AS COPY OF reader",
    "CREATE OR REPLACE IMMUTABLE ROLE r",
    "RENAME ROLE a TO b",
    "DROP ROLE r IF EXISTS",
    "GRANT ROLE a, b TO c, $d",
    "REVOKE ROLES a FROM c",
    "GRANT TRAVERSE ON GRAPH neo4j NODES A, B TO reader",
    "DENY IMMUTABLE READ {*} ON GRAPHS a, b RELATIONSHIPS * TO x",
    "REVOKE GRANT MATCH {name, age} ON HOME GRAPH ELEMENTS P (*) FROM x, y",
    "REVOKE DENY SET PROPERTY {p} ON DEFAULT GRAPH FROM x",
    "GRANT READ {p} ON GRAPH * FOR (n:A|B) WHERE n.classified = false TO x",
    "GRANT TRAVERSE ON GRAPH * FOR (n:A {x: 1}) TO x",
    "GRANT SET LABEL A, B ON GRAPH * TO x",
    "GRANT REMOVE LABEL * ON GRAPH * TO x",
    "GRANT CREATE ON GRAPH * RELATIONSHIPS R TO x",
    "GRANT WRITE ON GRAPH * TO x",
    "GRANT ALL GRAPH PRIVILEGES ON GRAPH * TO x",
    "GRANT ALL ON DATABASE * TO x",
    "GRANT ALL PRIVILEGES ON DBMS TO x",
    "GRANT ACCESS ON DATABASE a, b TO x",
    "GRANT START ON HOME DATABASE TO x",
    "GRANT CREATE INDEXES ON DATABASE a TO x",
    "GRANT INDEX MANAGEMENT ON DATABASES * TO x",
    "GRANT CREATE NEW NODE LABELS ON DATABASE * TO x",
    "GRANT CREATE NEW TYPE ON DATABASE * TO x",
    "GRANT NAME ON DATABASE * TO x",
    "GRANT SHOW TRANSACTIONS (a, b) ON DATABASE * TO x",
    "GRANT TERMINATE TRANSACTION (*) ON DATABASE * TO x",
    "GRANT ROLE MANAGEMENT ON DBMS TO x",
    "GRANT SET USER HOME DATABASE ON DBMS TO x",
    "GRANT IMPERSONATE (jake) ON DBMS TO x",
    "GRANT EXECUTE PROCEDURE apoc.*, db.inde?es ON DBMS TO x",
    "GRANT EXECUTE BOOSTED USER DEFINED FUNCTIONS * ON DBMS TO x",
    "GRANT EXECUTE ADMIN PROCEDURES ON DBMS TO x",
    "GRANT SHOW SETTINGS dbms.* ON DBMS TO x",
    "GRANT COMPOSITE DATABASE MANAGEMENT ON DBMS TO x",
    "GRANT LOAD ON ALL DATA TO x",
    "DENY LOAD ON CIDR '10.0.0.0/8' TO x",
};

static void parse_print_parse(const char *text) {
  struct arena a;
  arena_init(&a, NULL);
  struct error e = ERROR_INIT;
  struct ast_statement *first, *second;
  if (cypher_parse(&a, str_of(text), NULL, &first, &e) != ERR_OK) fail_msg("%s\n%s", text, e.message);
  struct buf printed = BUF_INIT;
  assert_ok(ast_print_statement(&printed, first));
  if (cypher_parse(&a, buf_str(&printed), NULL, &second, &e) != ERR_OK)
    fail_msg("%s\n%.*s\n%s", text, STR_ARG(buf_str(&printed)), e.message);
  if (!ast_equal(first->root, second->root)) fail_msg("%s\nis not equal to\n%.*s", text, STR_ARG(buf_str(&printed)));
  assert_int_equal(ast_hash(first->root), ast_hash(second->root));
  struct ast *copy = ast_copy(&a, first->root);
  assert_non_null(copy);
  assert_true(ast_equal(first->root, copy));
  buf_done(&printed);
  arena_done(&a);
}

TEST(every_form_of_a_query_survives_printing) {
  for (size_t i = 0; i < ARRAY_SIZE(queries); i++) parse_print_parse(queries[i]);
}

TEST(every_command_survives_printing) {
  for (size_t i = 0; i < ARRAY_SIZE(commands); i++) parse_print_parse(commands[i]);
}

// What is refused, and how.

static void expect_message(const char *text, const char *message) {
  struct arena a;
  arena_init(&a, NULL);
  struct error e = ERROR_INIT;
  struct ast_statement *s;
  if (cypher_parse(&a, str_of(text), NULL, &s, &e) != ERR_SYNTAX) fail_msg("accepted: %s", text);
  if (strstr(e.message, message) == NULL) fail_msg("%s\ngives %s\nnot %s", text, e.message, message);
  arena_done(&a);
}

TEST(a_syntax_error_says_what_was_expected_and_shows_the_place) {
  expect_message("MATCH (n) RETRN n", "Invalid input 'RETRN': expected ");
  expect_message("MATCH (n) RETRN n", "(line 1, column 11 (offset: 10))\n\"MATCH (n) RETRN n\"\n           ^");
  expect_message("RETURN 1 +", "Invalid input '': expected an expression (line 1, column 11 (offset: 10))");
  expect_message("RETURN\n{, }",
                 "Invalid input ',': expected an identifier or \"}\" (line 2, column 2 (offset: 8))\n\"{, }\"\n  ^");
  expect_message("RETURN 1 AS", "expected an identifier");
  expect_message("RETURN '\xF0\x9F\x98\x80' x", "(line 1, column 13 (offset: 12))"); // the emoji counts as two
  expect_message("", "Invalid input ''");
  expect_message("RETURN 1; RETURN 2", "Expected exactly one statement per query");
  expect_message("RETURN 'abc", "even number of non-escaped quotes");
  expect_message("RETURN `abc", "even number of non-escaped backticks");
  expect_message("RETURN 1 /* no end", "must have a closing");
  expect_message("RETURN '\\uD83D'", "Invalid Unicode escape");
  expect_message("RETURN '\\u00g1'", "Invalid Unicode escape");
  expect_message("RETURN 1 # 2", "Invalid input '#'");
  expect_message("RETURN \"\xFF\"", "not well-formed UTF-8");
  expect_message("CYPHER 9 RETURN 1", "expected \"3.5\"");
}

TEST(numbers_that_are_none_are_refused) {
  static const char *const overflow[] = {"RETURN 9223372036854775808", "RETURN -9223372036854775809",
                                         "RETURN 0x8000000000000000"};
  for (size_t i = 0; i < ARRAY_SIZE(overflow); i++) expect_message(overflow[i], "integer is too large");
  static const char *const bad[] = {"RETURN 12x4", "RETURN 0x", "RETURN 0xG", "RETURN 0o8",
                                    "RETURN 1__0", "RETURN 1_", "RETURN 1e"};
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) expect_message(bad[i], "invalid literal number");
  expect_message("RETURN 1e999", "floating point number is too large");
}

TEST(unions_of_two_kinds_are_refused) {
  expect_message("RETURN 1 AS a UNION RETURN 2 AS a UNION ALL RETURN 3 AS a", "Invalid combination of UNION and UNION ALL");
}

TEST(a_privilege_stands_where_it_belongs) {
  expect_message("GRANT ACCESS ON GRAPH * TO x", "cannot be granted on that");
  expect_message("GRANT TRAVERSE ON DBMS TO x", "cannot be granted on that");
  expect_message("SHOW FULLTEXT CONSTRAINTS", "cannot be shown with that filter");
}

TEST(a_long_line_is_quoted_in_part) {
  char text[5000];
  memset(text, ' ', sizeof text);
  memcpy(text, "RETURN ", 7);
  memcpy(text + 3000, "?", 1);
  text[sizeof text - 1] = '\0';
  struct arena a;
  arena_init(&a, NULL);
  struct error e = ERROR_INIT;
  struct ast_statement *s;
  assert_int_equal(cypher_parse(&a, str_of(text), NULL, &s, &e), ERR_SYNTAX);
  assert_true(strlen(e.message) < 1000);
  assert_int_equal(e.offset, 3000);
  assert_int_equal(e.column, 3001);
  arena_done(&a);
}

// Hostile text.

static char *repeat(const char *before, const char *unit, size_t count, const char *after) {
  size_t len = strlen(unit);
  char *text = mem_alloc(strlen(before) + count * len + strlen(after) + 1), *at = text;
  assert_non_null(text);
  memcpy(at, before, strlen(before));
  at += strlen(before);
  for (size_t i = 0; i < count; i++, at += len) memcpy(at, unit, len);
  memcpy(at, after, strlen(after) + 1);
  return text;
}

static enum err parse_repeated(const char *before, const char *unit, size_t count, const char *after, size_t *ret_bytes) {
  char *text = repeat(before, unit, count, after);
  struct arena a;
  arena_init(&a, NULL);
  struct error e = ERROR_INIT;
  struct ast_statement *s;
  enum err err = cypher_parse(&a, str_of(text), NULL, &s, &e);
  if (ret_bytes != NULL) *ret_bytes = arena_bytes(&a);
  arena_done(&a);
  mem_free(text);
  return err;
}

TEST(deep_nesting_is_refused_and_not_crashed_on) {
  enum { DEEP = 300000 };
  static const char *const units[] = {"(",
                                      "[",
                                      "{a: ",
                                      "NOT ",
                                      "- ",
                                      "[x IN ",
                                      "f(",
                                      "CASE WHEN ",
                                      "EXISTS { MATCH (a) WHERE ",
                                      "[(a {x: ",
                                      "(a {x: ",
                                      "reduce(a = 0, x IN ",
                                      "n[",
                                      "+",
                                      "all(x IN ",
                                      "CASE (",
                                      "[x IN l WHERE x:A|B | "};
  for (size_t i = 0; i < ARRAY_SIZE(units); i++)
    assert_int_equal(parse_repeated("RETURN ", units[i], DEEP, "", NULL), ERR_SYNTAX);
  static const char *const tails[] = {".a", " + 1", "[0]", ":A", " IS NULL", " = 1", " IN x"};
  for (size_t i = 0; i < ARRAY_SIZE(tails); i++) (void) parse_repeated("RETURN a", tails[i], DEEP, "", NULL);
  assert_int_equal(parse_repeated("MATCH ", "(", DEEP, "", NULL), ERR_SYNTAX);
  assert_int_equal(parse_repeated("MATCH (n:", "!", DEEP, "A) RETURN n", NULL), ERR_SYNTAX);
  assert_int_equal(parse_repeated("MATCH (n:", "(", DEEP, "A) RETURN n", NULL), ERR_SYNTAX);
  assert_int_equal(parse_repeated("", "CALL { ", DEEP, "", NULL), ERR_SYNTAX);
  assert_int_equal(parse_repeated("", "FOREACH (x IN [] | ", DEEP, "", NULL), ERR_SYNTAX);
  assert_int_equal(parse_repeated("RETURN x IS :: ", "LIST<", DEEP, "", NULL), ERR_SYNTAX);
}

TEST(long_flat_statements_parse) {
  enum { LONG = 100000 };
  size_t bytes;
  assert_ok(parse_repeated("RETURN a", " OR a", LONG, "", &bytes));
  assert_ok(parse_repeated("RETURN 1 < 2", " <= a", LONG, "", &bytes));
  assert_ok(parse_repeated("RETURN [1", ", 1", LONG, "]", &bytes));
  assert_true(bytes < 100 * 3 * LONG);
  assert_ok(parse_repeated("CREATE (a)", ", (a)", LONG, "", &bytes));
  assert_ok(parse_repeated("MATCH (a)", "-->()", LONG, " RETURN 1", &bytes));
  assert_ok(parse_repeated("RETURN 1 AS x", " UNION RETURN 2 AS x", LONG / 10, "", &bytes));
}

TEST(levels_within_the_limit_parse) {
  char text[2000] = "RETURN ";
  size_t n = strlen(text);
  for (int i = 0; i < 800; i++) text[n++] = '(';
  text[n++] = '1';
  for (int i = 0; i < 800; i++) text[n++] = ')';
  text[n] = '\0';
  parse_print_parse(text);
}

TEST(a_statement_over_the_size_limit_is_refused) {
  struct arena a;
  arena_init(&a, NULL);
  struct error e = ERROR_INIT;
  struct ast_statement *s;
  struct cypher_options options = {.max_text_bytes = 8};
  assert_int_equal(cypher_parse(&a, STR("RETURN 12"), &options, &s, &e), ERR_SYNTAX);
  assert_non_null(strstr(e.message, "the limit is 8 bytes"));
  assert_ok(cypher_parse(&a, STR("RETURN 1"), &options, &s, &e));
  arena_done(&a);
}

TEST(each_allocation_may_fail) {
  static const char *const texts[] = {"MATCH (p:P {a: 'x\\n'})-[:R*1..2]->(q) WHERE p.x IN [1, 2] AND (p)-->(q) RETURN [x IN [1] "
                                      "WHERE x:A|B | x] AS l, `a``b`, '\\u0041'",
                                      "CREATE INDEX i FOR (n:L) ON (n.p)", "RETURN 1 +"};
  for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
    EACH_ALLOC_FAILS(n) {
      struct arena a;
      arena_init(&a, NULL);
      struct error e = ERROR_INIT;
      struct ast_statement *s;
      enum err err = cypher_parse(&a, str_of(texts[i]), NULL, &s, &e);
      assert_true(err == ERR_OK || err == ERR_NOMEM || err == ERR_SYNTAX);
      arena_done(&a);
    }
  }
}

TESTS(T(every_form_of_a_query_survives_printing), T(every_command_survives_printing),
      T(a_syntax_error_says_what_was_expected_and_shows_the_place), T(numbers_that_are_none_are_refused),
      T(unions_of_two_kinds_are_refused), T(a_privilege_stands_where_it_belongs), T(a_long_line_is_quoted_in_part),
      T(deep_nesting_is_refused_and_not_crashed_on), T(long_flat_statements_parse), T(levels_within_the_limit_parse),
      T(a_statement_over_the_size_limit_is_refused), T(each_allocation_may_fail))
