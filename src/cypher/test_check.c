#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/test.h"
#include "cypher/check.h"
#include "cypher/parse.h"

// A registry with three procedures: social.friends(name :: STRING) :: (friend :: NODE, since :: INTEGER), social.write(),
// db.ping(x = 1).

static const struct cypher_field friends_arguments[] = {{.name = "name", .type = "STRING", .types = CYPHER_STRING}};
static const struct cypher_field friends_results[] = {{.name = "friend", .type = "NODE", .types = CYPHER_NODE},
                                                      {.name = "since", .type = "INTEGER", .types = CYPHER_INTEGER}};
static const struct cypher_field ping_arguments[] = {
    {.name = "x", .type = "INTEGER", .types = CYPHER_INTEGER, .optional = true, .default_text = "1"}};
static const struct cypher_procedure procedures[] = {
    {.name = "social.friends",
     .arguments = friends_arguments,
     .argument_count = 1,
     .required_count = 1,
     .results = friends_results,
     .result_count = 2},
    {.name = "social.write", .mode = CYPHER_PROCEDURE_WRITE},
    {.name = "db.ping", .arguments = ping_arguments, .argument_count = 1},
};

static const struct cypher_procedure *find_procedure(void *context UNUSED, struct str name) {
  for (size_t i = 0; i < ARRAY_SIZE(procedures); i++)
    if (str_eqz(name, procedures[i].name)) return &procedures[i];
  return NULL;
}

static const struct cypher_signatures signatures = {.version = 7, .find_procedure = find_procedure};
static const struct cypher_check_options options = {&signatures};

static enum err parse_and_check(struct arena *a, const char *text, struct ast_statement **ret, struct error *e) {
  TRY(cypher_parse(a, str_of(text), NULL, ret, e));
  return cypher_check(*ret, &options, e);
}

static void accept(const char *text) {
  struct arena a;
  arena_init(&a, NULL);
  struct error e = ERROR_INIT;
  struct ast_statement *s;
  if (parse_and_check(&a, text, &s, &e) != ERR_OK) fail_msg("%s\n%s", text, e.message);
  arena_done(&a);
}

static void refuse_as(enum err code, const char *text, const char *message) {
  struct arena a;
  arena_init(&a, NULL);
  struct error e = ERROR_INIT;
  struct ast_statement *s;
  enum err err = parse_and_check(&a, text, &s, &e);
  if (err != code) fail_msg("%s\nwas %s", text, err == ERR_OK ? "accepted" : e.message);
  if (strstr(e.message, message) == NULL) fail_msg("%s\ngives %s\nnot %s", text, e.message, message);
  arena_done(&a);
}

static void refuse(const char *text, const char *message) {
  refuse_as(ERR_SYNTAX, text, message);
}

TEST(a_name_means_what_its_scope_says) {
  refuse("RETURN x", "Variable `x` not defined (line 1, column 8 (offset: 7))\n\"RETURN x\"\n        ^");
  refuse("MATCH (a) WITH a.x AS b RETURN a", "Variable `a` not defined");
  refuse("RETURN [x IN [1] | x] AS l, x", "Variable `x` not defined");
  refuse("MATCH (n) CALL { RETURN n AS m } RETURN m", "Variable `n` not defined");
  refuse("MATCH (n) CALL (n) { WITH n RETURN k } RETURN 1", "Variable `k` not defined");
  refuse("MATCH (a) WITH a AS b MATCH (b) RETURN a", "Variable `a` not defined");
  accept("MATCH (a) WITH a AS b, 1 AS a RETURN a, b");
  accept("MATCH (a {x: b.x}), (b) RETURN a");
  accept("MATCH (n) CALL { WITH n MATCH (n)-->(m) RETURN m } RETURN n, m");
  accept("MATCH (n) CALL { WITH * RETURN n AS k } RETURN k");
  accept("MATCH (n) CALL (n) { MATCH (n)-->(m) WITH m RETURN m.x + n.x AS s } RETURN s");
  accept("MATCH (n) WHERE EXISTS { MATCH (n)-->(m) WITH m AS k WHERE k.x = n.x RETURN k } RETURN n");
  accept("MATCH (n) RETURN [n IN [1] | n] AS l, n");
  accept("MATCH (n) WITH n ORDER BY n.x WHERE n.y RETURN n");
  accept("MATCH (a)-->(b) WITH a WHERE b.x = 1 RETURN a");
}

TEST(a_name_is_declared_once) {
  refuse("MATCH (n) UNWIND [1] AS n RETURN n", "Variable `n` already declared");
  refuse("MATCH p = (p) RETURN p", "Variable `p` already declared");
  refuse("MATCH (a) CREATE (a)", "Variable `a` already declared");
  refuse("MATCH (a)-[r]->(b) CREATE (a)-[r:R]->(b)", "Variable `r` already declared");
  refuse("MATCH (n) CALL (n) { RETURN 1 AS n } RETURN n", "already declared in outer scope");
  refuse("MATCH (n) CALL social.friends('x') YIELD friend AS n RETURN n", "Variable `n` already declared");
  refuse("RETURN 1 AS a, 2 AS a", "Multiple result columns with the same name are not supported");
  refuse("MATCH (a)-[r]->(b)-[r]->(c) RETURN a", "Cannot use the same relationship variable 'r' for multiple relationships");
  accept("MATCH (a)-[r]->(b) MATCH (c)-[r]->(d) RETURN r");
}

TEST(kinds_of_variables_are_kept_apart) {
  refuse("MATCH (a)-[r]->() MATCH (r) RETURN r", "Type mismatch: r defined with conflicting type Relationship (expected Node)");
  refuse("WITH 1 AS n MATCH (n) RETURN n", "Type mismatch: n defined with conflicting type Integer (expected Node)");
  refuse("MATCH (n) RETURN type(n)", "Type mismatch: expected Relationship but was Node");
  refuse("MATCH p = (a)-->() RETURN p.x", "Type mismatch");
  accept("UNWIND $nodes AS n MATCH (n)-->(m) RETURN m");
  accept("MATCH (a)-[r*]->(b) WITH r MATCH (c)-[r*]->(d) RETURN r");
}

TEST(quantified_paths_make_lists_outside) {
  accept("MATCH (a) ((x)-[r:R]->(y) WHERE x.v < y.v AND r.w > 1){1,3} (b) RETURN size(x), [n IN y | n.v], [q IN r | type(q)]");
  refuse("MATCH ((x)-[r]->(y))+ RETURN x.v", "Type mismatch");
  refuse("MATCH ((x))+ RETURN x", "needs to have at least one relationship");
  refuse("MATCH (x) ((x)-->(y))+ (z), ((y)-->(w))+ RETURN x", "occurs both inside and outside a quantified path pattern");
  refuse("MATCH ((a)-->(b)){3,1} RETURN a", "lower bound which exceeds its upper bound");
  accept("MATCH (a)-[r:R WHERE r.x = 1]->+(b) RETURN size(r)");
}

TEST(aggregation_stands_in_projections_only) {
  refuse("MATCH (n) WHERE count(n) > 1 RETURN n", "Invalid use of aggregating function count(...) in this context");
  refuse("RETURN count(count(*))", "Can't use aggregate functions inside of aggregate functions.");
  refuse("RETURN sum(rand())", "Can't use non-deterministic (random) functions inside of aggregate functions.");
  refuse("MATCH (n) RETURN [x IN [1] | count(n)] AS l", "Invalid use of aggregating function");
  refuse("MATCH (n) RETURN n.x + count(*) AS c", "implicit grouping expressions");
  refuse("MATCH (n) RETURN n.a ORDER BY count(*)", "Invalid use of aggregating function");
  refuse("MATCH (n) RETURN count(*) AS c ORDER BY n.x", "not possible to access variables declared before the WITH/RETURN: n");
  refuse("MATCH (n) RETURN DISTINCT n.a ORDER BY n.b", "not possible to access variables declared before the WITH/RETURN: n");
  refuse("MATCH (n) WITH n.a AS a, count(*) AS c WHERE count(*) > 1 RETURN a", "Invalid use of aggregating function");
  accept("MATCH (n) RETURN n.x, n.x + count(*) AS c ORDER BY n.x, c");
  accept("MATCH (n) RETURN n.x AS x, collect(n {.*, y: n.y})[0..3] AS l, [m IN collect(n) | m.x] AS xs, $p + count(*)");
  accept("MATCH (n) RETURN DISTINCT n.a ORDER BY n.a");
  accept("MATCH (n) WITH n, count(*) AS c RETURN n.a, c ORDER BY n.b");
}

TEST(projections_name_their_columns) {
  refuse("MATCH (n) WITH n.x RETURN 1", "Expression in WITH must be aliased (use AS)");
  refuse("MATCH () RETURN *", "RETURN * is not allowed when there are no variables in scope");
  refuse("RETURN 1 AS a UNION RETURN 1 AS b", "All sub queries in an UNION must have the same return column names");
  refuse("MATCH (n) RETURN n LIMIT n.x", "It is not allowed to refer to variables in LIMIT");
  refuse("RETURN 1 SKIP -1", "Invalid input. '-1' is not a valid value. Must be a non-negative integer.");
  refuse("RETURN 1 LIMIT 1.5", "Invalid input. '1.5' is not a valid value.");
  accept("RETURN 1 AS a, 2 AS b UNION RETURN 3 AS b, 4 AS a");
  accept("RETURN 1 SKIP $s LIMIT 1 + toInteger(rand() * 3)");
}

TEST(what_cannot_be_indexed_is_a_type_error_as_in_a_run) {
  refuse_as(ERR_TYPE, "WITH 7 AS n RETURN n[0]", "Type mismatch");
  refuse_as(ERR_TYPE, "WITH [7] AS l RETURN l['first']", "Type mismatch: expected Integer but was String");
  refuse_as(ERR_TYPE, "RETURN {a: 7}[0]", "Type mismatch: expected String but was Integer");
  accept("WITH [7] AS l RETURN l[$i], $l[0], null[0], {a: 7}['a']");
}

TEST(patterns_that_write_are_complete) {
  refuse("CREATE (a)-->(b)", "A single relationship type must be specified for CREATE");
  refuse("CREATE (a)-[:X|Y]->(b)", "A single relationship type must be specified for CREATE");
  refuse("MERGE (a)-[:X*2]->(b)", "Variable length relationships cannot be used in MERGE");
  refuse("CREATE (a)-[:X]-(b)", "Only directed relationships are supported in CREATE");
  refuse("CREATE (a:A|B)", "Label expressions in patterns are not allowed in a CREATE clause");
  refuse("MATCH (n $p) RETURN n", "Parameter maps cannot be used in `MATCH` patterns");
  refuse("MERGE (n $p)", "Parameter maps cannot be used in `MERGE` patterns");
  refuse("CREATE shortestPath((a)-[:R]->(b))", "cannot be used to CREATE");
  accept("MERGE (a)-[:X]-(b)");
  accept("CREATE (n $p)");
}

TEST(patterns_are_tests_and_not_values) {
  refuse("MATCH (n) RETURN (n)-->() AS x", "A pattern expression should only be used in order to test the existence");
  refuse("MATCH (n) WHERE (n)-[r]->() RETURN n", "not allowed to introduce new variables: 'r'");
  refuse("MATCH (n) RETURN size((n)-->())", "A pattern expression should only be used");
  refuse("MATCH (n) WHERE (n) RETURN n", "Type mismatch: expected Boolean but was Node");
  accept("CYPHER 3.5 MATCH (n) RETURN size((n)-->())");
  accept("MATCH (n) WHERE NOT (n)-->() OR exists((n)<--()) RETURN CASE WHEN (n)--() THEN 1 END AS x");
}

TEST(clauses_come_in_an_order) {
  refuse("MATCH (n)", "Query cannot conclude with MATCH");
  refuse("RETURN 1 AS a MATCH (n) RETURN n", "RETURN can only be used at the end of the query");
  refuse("CREATE (n) MATCH (m) RETURN m", "WITH is required between CREATE and MATCH");
  refuse("MATCH (n) WHERE EXISTS { MATCH (n) SET n.x = 1 } RETURN n", "An Exists Expression cannot contain any updates");
  refuse("FOREACH (x IN [1] | MATCH (n))", "Invalid use of MATCH inside FOREACH");
  refuse("MATCH (n) USE x RETURN n", "USE clause must be the first clause");
  refuse("UNWIND [1] AS x CALL { CALL { CREATE () } IN TRANSACTIONS } RETURN x",
         "Nested CALL { ... } IN TRANSACTIONS is not supported");
  refuse("MATCH (n) RETURN COLLECT { MATCH (n)-->(m) } AS x", "must end with a RETURN clause");
  accept("CALL { CREATE (n) } MATCH (m) RETURN m");
  accept("CREATE (n) WITH n MATCH (m) RETURN m");
  accept("MATCH (n) SET n.x = 1 FINISH");
}

TEST(deletes_take_entities) {
  refuse("MATCH (n) DELETE 1 + 1", "Type mismatch: expected Node, Path or Relationship but was Integer");
  refuse("MATCH (n) DELETE n:A", "DELETE doesn't support removing labels from a node. Try REMOVE.");
  accept("MATCH p = (n)-->() DELETE p, head(nodes(p)), $x");
}

TEST(functions_are_known_and_called_right) {
  refuse("RETURN foo(1)", "Unknown function 'foo'");
  refuse("RETURN abs()", "Insufficient parameters for function 'abs'");
  refuse("RETURN abs(1, 2)", "Too many parameters for function 'abs'");
  refuse("RETURN abs(DISTINCT 1)", "Invalid use of DISTINCT with function 'abs'");
  refuse("RETURN length('x')", "Type mismatch: expected Path but was String");
  refuse("RETURN 1 AND true", "Type mismatch: expected Boolean but was Integer");
  refuse("RETURN 1 IN 2", "Type mismatch: expected List<Any> but was Integer");
  refuse("RETURN 'a' % 2", "Type mismatch: expected Float or Integer but was String");
  refuse("RETURN true + 1", "Type mismatch");
  accept("RETURN ABS(-1), toString(1) + 'a', [1] + 2, null + 1, $p AND true, coalesce(1, 'a')");
}

TEST(procedures_are_known_and_called_right) {
  refuse_as(ERR_PROCEDURE_NOT_FOUND, "CALL no.such()", "There is no procedure with the name `no.such` registered");
  refuse("CALL social.friends()", "does not provide the required number of arguments: got 0 expected 1");
  refuse("CALL social.friends(1)", "Type mismatch: expected String but was Integer");
  refuse("CALL social.friends('x') YIELD nobody RETURN nobody", "Unknown procedure output: `nobody`");
  refuse("MATCH (n) CALL social.friends YIELD friend RETURN n", "does not support passing arguments implicitly");
  refuse("MATCH (n) CALL social.friends('x') YIELD * RETURN n", "Cannot use `YIELD *` outside standalone call");
  refuse("MATCH (n) CALL social.friends('x') RETURN n", "does not support naming results implicitly");
  accept("CALL social.friends");
  accept("CALL db.ping()");
  accept("MATCH (n) CALL social.friends(n.name) YIELD friend, since AS s WHERE s > 3 MATCH (friend)-->(m) RETURN m");
}

// What a checked statement tells.

static struct ast_statement *checked(struct arena *a, const char *text) {
  struct error e = ERROR_INIT;
  struct ast_statement *s;
  if (parse_and_check(a, text, &s, &e) != ERR_OK) fail_msg("%s\n%s", text, e.message);
  return s;
}

static void expect_type(const char *text, enum ast_query_type type) {
  struct arena a;
  arena_init(&a, NULL);
  assert_int_equal(checked(&a, text)->query_type, type);
  arena_done(&a);
}

TEST(the_type_of_a_query_is_known) {
  expect_type("RETURN 1", AST_READ);
  expect_type("CREATE (n)", AST_WRITE);
  expect_type("CREATE (n) RETURN n", AST_READ_WRITE);
  expect_type("CALL { CREATE (n) } RETURN 1", AST_READ_WRITE);
  expect_type("CALL social.write()", AST_WRITE);
  expect_type("CREATE INDEX FOR (n:L) ON (n.p)", AST_SCHEMA);
  expect_type("CREATE USER u SET PASSWORD 'x'", AST_SCHEMA);
  expect_type("SHOW INDEXES", AST_READ);
}

TEST(columns_carry_their_source_text) {
  struct arena a;
  arena_init(&a, NULL);
  struct ast_statement *s = checked(&a, "MATCH (n) RETURN n.name , ( 1 +  2 ), `n` , count( * ) AS c");
  static const char *const names[] = {"n.name", "( 1 +  2 )", "n", "c"};
  assert_int_equal(s->column_count, 4);
  for (size_t i = 0; i < 4; i++) assert_str(s->columns[i].name, names[i]);
  s = checked(&a, "MATCH (b)-[r]->(a), p = (x) RETURN *");
  static const char *const star[] = {"a", "b", "p", "r", "x"};
  assert_int_equal(s->column_count, 5);
  for (size_t i = 0; i < 5; i++) assert_str(s->columns[i].name, star[i]);
  s = checked(&a, "CALL social.friends('x')");
  assert_int_equal(s->column_count, 2);
  assert_str(s->columns[1].name, "since");
  arena_done(&a);
}

TEST(slots_follow_a_variable_through_with) {
  struct arena a;
  arena_init(&a, NULL);
  struct ast_statement *s = checked(&a, "MATCH (n)-[r*]->() WITH n, r AS path, 1 AS one RETURN n, path, one");
  const struct ast *match = s->root->query.branches.first->single_query.clauses.first;
  const struct ast *n = match->match.paths.first->path.elements.first->node.variable;
  assert_int_equal(s->columns[0].slot, n->variable.slot);
  assert_int_equal(s->slots[s->columns[0].slot].kind, AST_NODE_VARIABLE);
  assert_int_equal(s->slots[s->columns[1].slot].kind, AST_RELATIONSHIP_GROUP_VARIABLE);
  assert_int_equal(s->slots[s->columns[2].slot].types, CYPHER_INTEGER);
  const struct ast *anonymous = match->match.paths.first->path.elements.last->node.variable;
  assert_true((anonymous->flags & AST_ANONYMOUS) != 0);
  assert_true(anonymous->variable.slot != AST_NO_SLOT);
  arena_done(&a);
}

TEST(parameters_are_listed_once) {
  struct arena a;
  arena_init(&a, NULL);
  struct ast_statement *s =
      checked(&a, "MATCH (n {x: $a}) WHERE n.y = $b OR n.z = $a CALL { RETURN $`c d` AS e } RETURN n, e LIMIT $0");
  assert_int_equal(s->parameter_count, 4);
  assert_str(s->parameters[0], "a");
  assert_str(s->parameters[2], "c d");
  assert_int_equal(s->signatures_version, 7);
  arena_done(&a);
}

TEST(schema_commands_name_their_own_variable) {
  refuse("CREATE INDEX FOR (n:L) ON (m.p)", "Variable `m` not defined");
  refuse("CREATE TEXT INDEX FOR (n:L) ON (n.p, n.q)", "Only single property text indexes are supported");
  refuse("CREATE INDEX FOR (n:A|B) ON (n.p)", "only a fulltext index");
  refuse("CREATE CONSTRAINT FOR (n:L) REQUIRE (n.a, n.b) IS NOT NULL", "does not allow multiple properties");
  accept("SHOW INDEXES YIELD name, state WHERE state = 'ONLINE' RETURN name, count(*) AS c");
  accept("SHOW TRANSACTIONS YIELD * WHERE username = 'x' RETURN transactionId, elapsedTime");
  accept("SHOW INDEXES WHERE name = 'x'");
  accept("SHOW DATABASES YIELD name AS n ORDER BY n SKIP 1 LIMIT 2 WHERE n <> 'x'");
  accept("SHOW SETTINGS YIELD * ORDER BY name RETURN count(*) AS c");
}

TEST(each_allocation_may_fail) {
  static const char *const text = "MATCH (n:A {x: $p})-[r]->+(m) WHERE EXISTS { (n)-->(:B) } WITH n, collect(r[0].x) AS xs ORDER "
                                  "BY n.y CALL { WITH n RETURN 1 AS one } "
                                  "RETURN *, [q IN xs | q] AS l UNION MATCH (n), (l), (one), (xs) RETURN l, n, one, xs";
  EACH_ALLOC_FAILS(n) {
    struct arena a;
    arena_init(&a, NULL);
    struct error e = ERROR_INIT;
    struct ast_statement *s;
    enum err err = parse_and_check(&a, text, &s, &e);
    if (err != ERR_OK && err != ERR_NOMEM) fail_msg("%s", e.message);
    arena_done(&a);
  }
}

/// An expression of `depth` levels goes through everything that walks over trees.
TEST(the_deepest_tree_is_walked_safely) {
  struct buf text = BUF_INIT;
  assert_ok(buf_printf(&text, "RETURN "));
  for (int i = 0; i < 900; i++) assert_ok(buf_printf(&text, "[-(NOT x.y OR "));
  assert_ok(buf_printf(&text, "1"));
  for (int i = 0; i < 900; i++) assert_ok(buf_printf(&text, ")]"));
  struct arena a;
  arena_init(&a, NULL);
  struct error e = ERROR_INIT;
  struct ast_statement *s;
  enum err err = cypher_parse(&a, buf_str(&text), NULL, &s, &e);
  assert_true(err == ERR_OK || err == ERR_SYNTAX);
  buf_clear(&text);
  assert_ok(buf_printf(&text, "WITH 1 AS x RETURN 1"));
  for (int i = 0; i < 1900; i++) assert_ok(buf_printf(&text, " + x"));
  assert_ok(cypher_parse(&a, buf_str(&text), NULL, &s, &e));
  assert_non_null(ast_copy(&a, s->root));
  assert_true(ast_hash(s->root) != 0);
  assert_ok(cypher_check(s, &options, &e));
  struct buf printed = BUF_INIT;
  assert_ok(ast_print_statement(&printed, s));
  buf_done(&printed);
  buf_done(&text);
  arena_done(&a);
}

TESTS(T(a_name_means_what_its_scope_says), T(a_name_is_declared_once), T(kinds_of_variables_are_kept_apart),
      T(quantified_paths_make_lists_outside), T(aggregation_stands_in_projections_only), T(projections_name_their_columns),
      T(what_cannot_be_indexed_is_a_type_error_as_in_a_run), T(patterns_that_write_are_complete),
      T(patterns_are_tests_and_not_values), T(clauses_come_in_an_order), T(deletes_take_entities),
      T(functions_are_known_and_called_right), T(procedures_are_known_and_called_right), T(the_type_of_a_query_is_known),
      T(columns_carry_their_source_text), T(slots_follow_a_variable_through_with), T(parameters_are_listed_once),
      T(schema_commands_name_their_own_variable), T(each_allocation_may_fail), T(the_deepest_tree_is_walked_safely))
