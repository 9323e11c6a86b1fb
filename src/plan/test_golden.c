// Plans of queries as people write them, against the invented database of test_world.h. When a plan changes on purpose, its text here
// changes with it; the story says why it looks as it does.
#include "plan/test_world.h"

struct golden {
  const char *story, *query, *plan;
};

static void assert_all(const struct golden *all, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct plan *p = world_plan_ok(all[i].query);
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    assert_ok(plan_print(p, &out));
    if (!str_eq((struct str){out.data, out.len}, str_of(all[i].plan))) {
      print_message("%s:\n  %s\nplanned:\n%.*sexpected:\n%s", all[i].story, all[i].query, (int) out.len, out.data, all[i].plan);
      plan_unref(p);
      fail();
    }
    plan_unref(p);
  }
}

// clang-format off
static const struct golden reading[] = {
    {"An expression needs no graph",
     "RETURN 1 + 2 AS x",
     "ProduceResults x\n"
     "Projection 1 + 2 AS x\n"},
    {"A list becomes rows; WITH and WHERE sieve them; grouping, then the top three without sorting all",
     "UNWIND [1, 2, 3] AS x WITH x WHERE x > 1 RETURN x, count(*) AS c ORDER BY c DESC LIMIT 3",
     "ProduceResults x, c\n"
     "Top c DESC LIMIT 3\n"
     "EagerAggregation x, count(*) AS c\n"
     "Filter x > 1\n"
     "Unwind [1, 2, 3] AS x\n"},
    {"SKIP is part of what TOP keeps",
     "MATCH (n:City) RETURN n.name AS name ORDER BY name SKIP 5 LIMIT 10",
     "ProduceResults name\n"
     "Skip 5\n"
     "Top name ASC LIMIT 10 + 5\n"
     "Projection n.name AS name\n"
     "NodeByLabelScan n:City\n"},
    {"ORDER BY may read what RETURN drops",
     "MATCH (n:City) RETURN n.name AS name ORDER BY n.size",
     "ProduceResults name\n"
     "Sort sort_2 ASC\n"
     "Projection n.size AS sort_2\n"
     "Projection n.name AS name\n"
     "NodeByLabelScan n:City\n"},
    {"What aggregates is computed once, what depends on it above",
     "MATCH (n:Person) RETURN n.city AS city, count(*) * 2 AS twice, collect(n.name) AS names ORDER BY twice",
     "ProduceResults city, twice, names\n"
     "Sort twice ASC\n"
     "Projection aggregate_4 * 2 AS twice\n"
     "EagerAggregation n.city AS city, count(*) AS aggregate_4, collect(n.name) AS names\n"
     "NodeByLabelScan n:Person\n"},
    {"The branches of a union give one set of columns",
     "MATCH (a:City) RETURN a.name AS n UNION MATCH (b:Post) RETURN b.name AS n",
     "ProduceResults n\n"
     "Distinct n\n"
     "Union\n"
     "  Projection n AS n\n"
     "  Projection b.name AS n\n"
     "  NodeByLabelScan b:Post\n"
     "Projection n AS n\n"
     "Projection a.name AS n\n"
     "NodeByLabelScan a:City\n"},
    {"A subquery that depends on each row gets the whole batch",
     "MATCH (a:City) CALL { WITH a MATCH (a)<-[:LIVES_IN]-(p) RETURN p ORDER BY p.age LIMIT 3 } RETURN a, p",
     "ProduceResults a, p\n"
     "Apply\n"
     "  Top sort_3 ASC LIMIT 3\n"
     "  Projection p.age AS sort_3\n"
     "  Expand(All) (a)<-[:LIVES_IN]-(p)\n"
     "  Argument a\n"
     "NodeByLabelScan a:City\n"},
    {"A union inside of a subquery",
     "CALL { RETURN 1 AS x UNION RETURN 2 AS x } RETURN x",
     "ProduceResults x\n"
     "Apply\n"
     "  Distinct x\n"
     "  Union\n"
     "    Projection x AS x\n"
     "    Projection 2 AS x\n"
     "    Argument\n"
     "  Projection x AS x\n"
     "  Projection 1 AS x\n"
     "  Argument\n"},
};

TEST(plans_for_reading) {
  assert_all(reading, ARRAY_SIZE(reading));
}

static const struct golden finding[] = {
    {"A unique key is sought, not scanned",
     "MATCH (p:Person {id: $id}) RETURN p.name AS name, p.age AS age",
     "ProduceResults name, age\n"
     "Projection p.name AS name, p.age AS age\n"
     "NodeUniqueIndexSeek UNIQUE p:Person(id) WHERE id = $id\n"},
    {"Keys from a list are sought batch by batch",
     "UNWIND $ids AS id MATCH (p:Person {id: id}) RETURN p",
     "ProduceResults p\n"
     "NodeUniqueIndexSeek UNIQUE p:Person(id) WHERE id = id\n"
     "Unwind $ids AS id\n"},
    {"IN seeks each element",
     "MATCH (p:Person) WHERE p.id IN [1, 2, 3] RETURN p",
     "ProduceResults p\n"
     "NodeUniqueIndexSeek UNIQUE p:Person(id) WHERE id IN [1, 2, 3]\n"},
    {"A chain of OR over one property becomes IN",
     "MATCH (p:Person) WHERE p.id = 1 OR p.id = 2 RETURN p",
     "ProduceResults p\n"
     "NodeUniqueIndexSeek UNIQUE p:Person(id) WHERE id IN [1, 2]\n"},
    {"Text that begins with something is a range of the index",
     "MATCH (p:Person) WHERE p.name STARTS WITH 'An' RETURN p",
     "ProduceResults p\n"
     "NodeIndexSeekByRange RANGE INDEX p:Person(name) WHERE name STARTS WITH 'An'\n"},
    {"Two bounds make one range",
     "MATCH (p:Person) WHERE p.name >= 'a' AND p.name < 'c' RETURN p",
     "ProduceResults p\n"
     "NodeIndexSeekByRange RANGE INDEX p:Person(name) WHERE name >= 'a' AND name < 'c'\n"},
    {"Of a composite index the first keys are equal, the next one may be a range",
     "MATCH (p:Person) WHERE p.city = 'Ulm' AND p.age > 30 RETURN p",
     "ProduceResults p\n"
     "NodeIndexSeek RANGE INDEX p:Person(city, age) WHERE city = 'Ulm' AND age > 30\n"},
    {"A composite index holds only who has all its keys, so one key alone does not use it",
     "MATCH (p:Person) WHERE p.city = 'Ulm' RETURN p",
     "ProduceResults p\n"
     "Filter p.city = 'Ulm'\n"
     "NodeByLabelScan p:Person\n"},
    {"An index that is still populating is not asked",
     "MATCH (c:City {id: 3}) RETURN c",
     "ProduceResults c\n"
     "Filter c.id = 3\n"
     "NodeByLabelScan c:City\n"},
    {"Ids need no index",
     "MATCH (n) WHERE id(n) IN $ids RETURN n",
     "ProduceResults n\n"
     "NodeByIdSeek n WHERE id(n) IN $ids\n"},
    {"An element id as well",
     "MATCH (n) WHERE elementId(n) = $id RETURN n",
     "ProduceResults n\n"
     "NodeByElementIdSeek n WHERE elementId(n) = $id\n"},
    {"A relationship by its id brings its ends",
     "MATCH (a)-[r:KNOWS]->(b) WHERE elementId(r) = $id RETURN a, b",
     "ProduceResults a, b\n"
     "Filter r:KNOWS\n"
     "DirectedRelationshipByElementIdSeek r WHERE elementId(r) = $id\n"},
    {"A label that nothing has is scanned at no cost",
     "MATCH (n:Person:Unheard) RETURN n",
     "ProduceResults n\n"
     "Filter n:Person\n"
     "NodeByLabelScan n:Unheard\n"},
    {"Of two labels the rarer one is scanned",
     "MATCH (n:Person&City) RETURN n",
     "ProduceResults n\n"
     "Filter n:Person\n"
     "NodeByLabelScan n:City\n"},
    {"One of two labels: both lists, merged",
     "MATCH (n:Post|City) RETURN n",
     "ProduceResults n\n"
     "UnionNodeByLabelsScan n:Post|City\n"},
    {"A relationship by a unique property brings its ends",
     "MATCH (a:Person)-[r:KNOWS {id: $id}]->(b) RETURN a, b",
     "ProduceResults a, b\n"
     "Filter a:Person\n"
     "DirectedRelationshipUniqueIndexSeek UNIQUE (a)-[r:KNOWS(id)]->(b) WHERE id = $id\n"},
    {"Against the arrow the slots change places; undirected, each comes from both ends",
     "MATCH (a)<-[r:LIKES]-(b), (c)-[s:LIKES]-(d) WHERE r.name STARTS WITH 'a' AND s.name IN ['x', 'y'] RETURN a, b, c, d",
     "ProduceResults a, b, c, d\n"
     "Filter NOT r = s\n"
     "CartesianProduct\n"
     "  UndirectedRelationshipIndexSeek RANGE INDEX (c)-[s:LIKES(name)]-(d) WHERE name IN ['x', 'y']\n"
     "DirectedRelationshipIndexSeekByRange RANGE INDEX (b)-[r:LIKES(name)]->(a) WHERE name STARTS WITH 'a'\n"},
    {"In the middle of a pattern, in order",
     "MATCH (b)<-[:LIVES_IN]-(c)-[r:LIKES]->(d) WHERE r.name > 'x' RETURN b, d ORDER BY r.name DESC LIMIT 2",
     "ProduceResults b, d\n"
     "Limit 2\n"
     "Expand(All) (c)-[:LIVES_IN]->(b)\n"
     "DirectedRelationshipIndexSeekByRange RANGE INDEX (c)-[r:LIKES(name)]->(d) WHERE name > 'x', descending\n"},
    {"From a known end its few relationships are nearer than the index",
     "MATCH (a:Person {id: 1})-[r:LIKES]->(d) WHERE r.name > 'x' RETURN d",
     "ProduceResults d\n"
     "Filter r.name > 'x'\n"
     "Expand(All) (a)-[r:LIKES]->(d)\n"
     "NodeUniqueIndexSeek UNIQUE a:Person(id) WHERE id = 1\n"},
    {"A rare relationship is a better start than its common ends",
     "MATCH (p:Person)-[o:OWNS]->(c) RETURN o",
     "ProduceResults o\n"
     "Filter p:Person\n"
     "DirectedRelationshipTypeScan (p)-[o:OWNS]->(c)\n"},
};

TEST(plans_for_finding) {
  assert_all(finding, ARRAY_SIZE(finding));
}

static const struct golden orders[] = {
    {"An index on the key is in its order: no sort, and the first ten are the first ten",
     "MATCH (p:Person) WHERE p.name IS NOT NULL RETURN p.name AS name ORDER BY name LIMIT 10",
     "ProduceResults name\n"
     "Limit 10\n"
     "Projection p.name AS name\n"
     "NodeIndexScan RANGE INDEX p:Person(name) WHERE name IS NOT NULL, ascending\n"},
    {"Backwards, from a bound on",
     "MATCH (p:Person) WHERE p.name > 'm' RETURN p ORDER BY p.name DESC SKIP 5 LIMIT 10",
     "ProduceResults p\n"
     "Limit 10\n"
     "Skip 5\n"
     "NodeIndexSeekByRange RANGE INDEX p:Person(name) WHERE name > 'm', descending\n"},
    {"Who has no name is in no index, but comes last in the order: this needs a sort",
     "MATCH (p:Person) RETURN p ORDER BY p.name LIMIT 10",
     "ProduceResults p\n"
     "Top sort_1 ASC LIMIT 10\n"
     "Projection p.name AS sort_1\n"
     "NodeByLabelScan p:Person\n"},
    {"With the first key of a composite index fixed the rows are in order of the second; both may be named",
     "MATCH (p:Person) WHERE p.city = 'Ulm' AND p.age > 30 RETURN p ORDER BY p.city DESC, p.age",
     "ProduceResults p\n"
     "NodeIndexSeek RANGE INDEX p:Person(city, age) WHERE city = 'Ulm' AND age > 30, ascending\n"},
    {"What the index does not know is sorted among equals",
     "MATCH (p:Person) WHERE p.name >= 'm' RETURN p ORDER BY p.name, p.age LIMIT 3",
     "ProduceResults p\n"
     "PartialTop sort_1 ASC, sort_2 ASC LIMIT 3\n"
     "Projection p.name AS sort_1, p.age AS sort_2\n"
     "NodeIndexSeekByRange RANGE INDEX p:Person(name) WHERE name >= 'm', ascending\n"},
    {"An order lasts through an expand, and is worth a start that would cost more by itself",
     "MATCH (p:Person)-[:LIVES_IN]->(c:City) WHERE p.name IS NOT NULL RETURN p, c ORDER BY p.name LIMIT 5",
     "ProduceResults p, c\n"
     "Limit 5\n"
     "Filter c:City\n"
     "Expand(All) (p)-[:LIVES_IN]->(c)\n"
     "NodeIndexScan RANGE INDEX p:Person(name) WHERE name IS NOT NULL, ascending\n"},
    {"All of them, though, are found faster from the other end, and sorted",
     "MATCH (p:Person)-[:OWNS]->(c:City) WHERE p.name IS NOT NULL RETURN p, c ORDER BY p.name",
     "ProduceResults p, c\n"
     "Sort sort_3 ASC\n"
     "Projection cache[p.name] AS sort_3\n"
     "Filter cache[p.name] IS NOT NULL\n"
     "CacheProperties cache[p.name]\n"
     "Filter p:Person AND c:City\n"
     "DirectedRelationshipTypeScan (p)-[anon_1:OWNS]->(c)\n"},
    {"The greatest is the last in the index; nulls are nothing to it",
     "MATCH (p:Person) RETURN max(p.name) AS last",
     "ProduceResults last\n"
     "EagerAggregation max(p.name) AS last\n"
     "Limit 1\n"
     "NodeIndexScan RANGE INDEX p:Person(name) WHERE name IS NOT NULL, descending\n"},
    {"IN gives the rows of each element in turn, in no order over all",
     "MATCH (p:Person) WHERE p.name IN ['b', 'a'] RETURN p ORDER BY p.name",
     "ProduceResults p\n"
     "Sort sort_1 ASC\n"
     "Projection p.name AS sort_1\n"
     "NodeIndexSeek RANGE INDEX p:Person(name) WHERE name IN ['b', 'a']\n"},
    {"One index cannot be read in two directions; what was taken first stays",
     "MATCH (p:Person) WHERE p.name > 'm' WITH p ORDER BY p.name LIMIT 5 RETURN p ORDER BY p.name DESC",
     "ProduceResults p\n"
     "Sort sort_2 DESC\n"
     "Projection p.name AS sort_2\n"
     "Limit 5\n"
     "NodeIndexSeekByRange RANGE INDEX p:Person(name) WHERE name > 'm', ascending\n"},
    {"Where the key has been written since, the index's order is not the order any more",
     "MATCH (p:Person) WHERE p.name > 'm' SET p.name = p.name + 'x' RETURN p.name AS name ORDER BY name",
     "ProduceResults name\n"
     "Sort name ASC\n"
     "Projection p.name AS name\n"
     "Eager read after write\n"
     "SetProperty p.name = p.name + 'x'\n"
     "NodeIndexSeekByRange RANGE INDEX p:Person(name) WHERE name > 'm'\n"},
};

TEST(plans_for_orders) {
  assert_all(orders, ARRAY_SIZE(orders));
}

static const struct golden caches[] = {
    {"What a filter has read the projection has already",
     "MATCH (p:Post) WHERE p.size > 3 RETURN p.size AS size",
     "ProduceResults size\n"
     "Projection cache[p.size] AS size\n"
     "Filter cache[p.size] > 3\n"
     "CacheProperties cache[p.size]\n"
     "NodeByLabelScan p:Post\n"},
    {"Read where it is first asked for, for the rows that are left there; several of one node together",
     "MATCH (p:Post) WHERE p.draft = false AND p.size > p.age RETURN p.size * 2 AS twice, p.age AS age, p.title AS title",
     "ProduceResults twice, age, title\n"
     "Projection cache[p.size] * 2 AS twice, cache[p.age] AS age, p.title AS title\n"
     "Filter cache[p.size] > cache[p.age]\n"
     "CacheProperties cache[p.size], cache[p.age]\n"
     "Filter p.draft = false\n"
     "NodeByLabelScan p:Post\n"},
    {"A projected property is a column as well as any",
     "MATCH (p:Post) WITH p, p.size AS size ORDER BY size LIMIT 3 MATCH (p)<-[:LIKES]-(q) WHERE q.age > p.size RETURN q",
     "ProduceResults q\n"
     "Filter q.age > size\n"
     "Expand(All) (p)<-[:LIKES]-(q)\n"
     "Top size ASC LIMIT 3\n"
     "Projection p.size AS size\n"
     "NodeByLabelScan p:Post\n"},
    {"A right side has what its row has; what has been written is read anew",
     "MATCH (p:Post) WHERE p.size > 3 CALL { WITH p MATCH (q:City) WHERE q.size < p.size RETURN q } SET p.size = q.size RETURN p.size AS size",
     "ProduceResults size\n"
     "Projection p.size AS size\n"
     "Eager read after write\n"
     "SetProperty p.size = q.size\n"
     "Apply\n"
     "  Filter q.size < cache[p.size]\n"
     "  NodeByLabelScan q:City\n"
     "  Argument cache[p.size]\n"
     "Filter cache[p.size] > 3\n"
     "CacheProperties cache[p.size]\n"
     "NodeByLabelScan p:Post\n"},
    {"Grouping forgets columns",
     "MATCH (p:Post) WHERE p.size > 3 WITH p, count(*) AS c RETURN p.size AS size, c",
     "ProduceResults size, c\n"
     "Projection p.size AS size\n"
     "EagerAggregation p, count(*) AS c\n"
     "Filter p.size > 3\n"
     "NodeByLabelScan p:Post\n"},
    {"To read what was deleted is an error at its place, so nothing is read before",
     "MATCH (p:Post) WHERE p.size > 3 AND p.size < 9 DELETE p",
     "EmptyResult\n"
     "Delete p\n"
     "Filter p.size > 3 AND p.size < 9\n"
     "NodeByLabelScan p:Post\n"},
};

TEST(plans_for_caches) {
  assert_all(caches, ARRAY_SIZE(caches));
}

static const struct golden multiplicities[] = {
    {"Many ways to the same node: they are counted there, and gone on from once",
     "MATCH (a:City)<-[:LIVES_IN]-(b)-[:KNOWS]->(c)-[:LIKES]->(d) RETURN d.age AS age, count(*) AS n",
     "ProduceResults age, n\n"
     "EagerAggregation d.age AS age, sum(ways_9) AS n\n"
     "Expand(All) (c)-[:LIKES]->(d)\n"
     "EagerAggregation c, sum(ways_10) AS ways_9\n"
     "Expand(All) (b)-[:KNOWS]->(c)\n"
     "EagerAggregation b, count(*) AS ways_10\n"
     "Expand(All) (a)<-[:LIVES_IN]-(b)\n"
     "NodeByLabelScan a:City\n"},
    {"Relationships of one type differ: only where the first hop was a loop can the second meet it again",
     "MATCH (a:Person) WITH a MATCH (a)-[:KNOWS]->(b)-[:KNOWS]->(c) RETURN c.age AS age, count(c.size) AS n, sum(c.age) AS s, max(c.name) AS m",
     "ProduceResults age, n, s, m\n"
     "EagerAggregation cache[c.age] AS age, sum(CASE WHEN c.size IS NULL THEN 0 ELSE ways_10 END) AS n, sum(cache[c.age] * ways_10) AS s, max(c.name) AS m\n"
     "CacheProperties cache[c.age]\n"
     "Expand(All) (b)-[:KNOWS]->(c)\n"
     "EagerAggregation b, met_9, count(*) AS ways_10\n"
     "Projection CASE WHEN a = b THEN anon_1 END AS met_9\n"
     "Expand(All) (a)-[anon_1:KNOWS]->(b)\n"
     "NodeByLabelScan a:Person\n"},
    {"Without counts it is enough to know where one can go on from",
     "MATCH (x:City)<-[:LIVES_IN]-(a)-[:KNOWS]->(b)-[:LIKES]->(c) RETURN DISTINCT c",
     "ProduceResults c\n"
     "Distinct c\n"
     "Expand(All) (b)-[:LIKES]->(c)\n"
     "Distinct b\n"
     "Expand(All) (a)-[:KNOWS]->(b)\n"
     "Distinct a\n"
     "Expand(All) (x)<-[:LIVES_IN]-(a)\n"
     "NodeByLabelScan x:City\n"},
    {"Against the arrows every way can come back as it went: nothing is gained",
     "MATCH (a:Person) WITH a MATCH (a)-[:KNOWS]-(b)-[:KNOWS]-(c) RETURN c.age AS age, count(*) AS n",
     "ProduceResults age, n\n"
     "EagerAggregation c.age AS age, count(*) AS n\n"
     "Expand(All) (b)-[:KNOWS]-(c)\n"
     "Expand(All) (a)-[anon_1:KNOWS]-(b)\n"
     "NodeByLabelScan a:Person\n"},
    {"Who asks where the way began cannot have the ways together",
     "MATCH (a:Person) WITH a MATCH (a)-[:KNOWS]->(b)-[:LIKES]->(c) RETURN a, c, count(*) AS n",
     "ProduceResults a, c, n\n"
     "EagerAggregation a, c, count(*) AS n\n"
     "Expand(All) (b)-[:LIKES]->(c)\n"
     "Expand(All) (a)-[:KNOWS]->(b)\n"
     "NodeByLabelScan a:Person\n"},
    {"Of what is averaged each must be there",
     "MATCH (a:Person) WITH a MATCH (a)-[:KNOWS]->(b)-[:LIKES]->(c) RETURN avg(c.size) AS n",
     "ProduceResults n\n"
     "EagerAggregation avg(c.size) AS n\n"
     "Expand(All) (b)-[:LIKES]->(c)\n"
     "Expand(All) (a)-[:KNOWS]->(b)\n"
     "NodeByLabelScan a:Person\n"},
};

TEST(plans_for_multiplicities) {
  assert_all(multiplicities, ARRAY_SIZE(multiplicities));
}

static const struct golden patterns[] = {
    {"From the end that is known",
     "MATCH (a:Person)-[:KNOWS]->(b:Person {id: 1}) RETURN a",
     "ProduceResults a\n"
     "Filter a:Person\n"
     "Expand(All) (b)<-[:KNOWS]-(a)\n"
     "NodeUniqueIndexSeek UNIQUE b:Person(id) WHERE id = 1\n"},
    {"From the end with fewer nodes",
     "MATCH (p:Person)-[:LIVES_IN]->(c:City) RETURN p, c",
     "ProduceResults p, c\n"
     "Filter p:Person\n"
     "Expand(All) (c)<-[:LIVES_IN]-(p)\n"
     "NodeByLabelScan c:City\n"},
    {"Both ends sought, then the relationships between them",
     "MATCH (a:Person {id: 1})-[r:KNOWS]->(b:Person {id: 2}) RETURN r",
     "ProduceResults r\n"
     "Expand(Into) (a)-[r:KNOWS]->(b)\n"
     "NodeUniqueIndexSeek UNIQUE b:Person(id) WHERE id = 2\n"
     "NodeUniqueIndexSeek UNIQUE a:Person(id) WHERE id = 1\n"},
    {"A filter sits as low as its variables allow",
     "MATCH (a:Person {id: 1})-[:KNOWS]->(b)-[:LIKES]->(c) WHERE b.age > 3 AND c.size < a.age RETURN c",
     "ProduceResults c\n"
     "Filter c.size < a.age\n"
     "Expand(All) (b)-[:LIKES]->(c)\n"
     "Filter b.age > 3\n"
     "Expand(All) (a)-[:KNOWS]->(b)\n"
     "NodeUniqueIndexSeek UNIQUE a:Person(id) WHERE id = 1\n"},
    {"A triangle closes by intersecting adjacencies, not by expanding and testing",
     "MATCH (a:Person)-[:KNOWS]->(b)-[:KNOWS]->(c)-[:KNOWS]->(a) RETURN count(*) AS n",
     "ProduceResults n\n"
     "EagerAggregation count(*) AS n\n"
     "Intersect (a)-[anon_1:KNOWS]->(b), (c)<-[anon_3:KNOWS]-(b)\n"
     "Expand(All) (a)<-[anon_5:KNOWS]-(c)\n"
     "NodeByLabelScan a:Person\n"},
    {"Parts without connection are multiplied, the smaller one first",
     "MATCH (a:City), (b:Post) RETURN a, b",
     "ProduceResults a, b\n"
     "CartesianProduct\n"
     "  NodeByLabelScan b:Post\n"
     "NodeByLabelScan a:City\n"},
    {"An equality between parts is a hash join",
     "MATCH (a:Post), (b:City) WHERE a.place = b.place RETURN a, b",
     "ProduceResults a, b\n"
     "ValueHashJoin b.place = a.place\n"
     "  NodeByLabelScan a:Post\n"
     "NodeByLabelScan b:City\n"},
    {"A correlated key is sought for each row instead",
     "MATCH (a:City {name: 'Ulm'}), (p:Person) WHERE p.id = a.mayor RETURN p",
     "ProduceResults p\n"
     "NodeUniqueIndexSeek UNIQUE p:Person(id) WHERE id = a.mayor\n"
     "NodeIndexSeek RANGE INDEX a:City(name) WHERE name = 'Ulm'\n"},
    {"OPTIONAL MATCH of one hop is one operator, its predicates inside",
     "MATCH (p:Person {id: 1}) OPTIONAL MATCH (p)-[:LIVES_IN]->(c:City) WHERE c.size > 5 RETURN p, c",
     "ProduceResults p, c\n"
     "OptionalExpand(All) (p)-[anon_1:LIVES_IN]->(c) WHERE c:City AND c.size > 5\n"
     "NodeUniqueIndexSeek UNIQUE p:Person(id) WHERE id = 1\n"},
    {"A longer one is a right side that gives nulls",
     "MATCH (p:Person {id: 1}) OPTIONAL MATCH (p)-[:LIVES_IN]->(c)<-[:LIVES_IN]-(q) RETURN p, q",
     "ProduceResults p, q\n"
     "Apply\n"
     "  Optional anon_1, c, anon_3, q\n"
     "  Expand(All) (c)<-[:LIVES_IN]-(q)\n"
     "  Expand(All) (p)-[anon_1:LIVES_IN]->(c)\n"
     "  Argument p\n"
     "NodeUniqueIndexSeek UNIQUE p:Person(id) WHERE id = 1\n"},
    {"A path is put together only where it is read",
     "MATCH p = (a:Person {id: 1})-[:KNOWS]->(b) RETURN p",
     "ProduceResults p\n"
     "Projection (a)-[anon_1]- AS p\n"
     "Expand(All) (a)-[anon_1:KNOWS]->(b)\n"
     "NodeUniqueIndexSeek UNIQUE a:Person(id) WHERE id = 1\n"},
    {"Nobody reads this one",
     "MATCH p = (a:Person {id: 1})-[:KNOWS]->(b) RETURN b",
     "ProduceResults b\n"
     "Expand(All) (a)-[:KNOWS]->(b)\n"
     "NodeUniqueIndexSeek UNIQUE a:Person(id) WHERE id = 1\n"},
    {"A relationship from before gives its ends",
     "MATCH (a:City)<-[r:LIVES_IN]-() WITH r MATCH (x)-[r]->(y) RETURN x, y",
     "ProduceResults x, y\n"
     "ProjectEndpoints (x)-[r]->(y)\n"
     "Expand(All) (a)<-[r:LIVES_IN]-(anon_2)\n"
     "NodeByLabelScan a:City\n"},
    {"Variable length keeps the list if asked for",
     "MATCH (a:Person {id: 1})-[rs:KNOWS*1..3 {w: 1}]->(b) RETURN rs",
     "ProduceResults rs\n"
     "VarLengthExpand(All) (a)-[rs:KNOWS*1..3]->(b) WHERE step_3.w = 1\n"
     "NodeUniqueIndexSeek UNIQUE a:Person(id) WHERE id = 1\n"},
    {"Only distinct ends: no trails",
     "MATCH (a:Person {id: 1})-[:KNOWS*1..3]->(b) RETURN count(DISTINCT b) AS n",
     "ProduceResults n\n"
     "EagerAggregation count(DISTINCT b) AS n\n"
     "VarLengthExpand(Pruning,BFS) (a)-[:KNOWS*1..3]->(b)\n"
     "NodeUniqueIndexSeek UNIQUE a:Person(id) WHERE id = 1\n"},
    {"Against the arrows a trail may not come back by the way it went, so trails it is",
     "MATCH (a:Person {id: 1})-[:KNOWS*1..3]-(b) RETURN count(DISTINCT b) AS n",
     "ProduceResults n\n"
     "EagerAggregation count(DISTINCT b) AS n\n"
     "VarLengthExpand(All) (a)-[:KNOWS*1..3]-(b)\n"
     "NodeUniqueIndexSeek UNIQUE a:Person(id) WHERE id = 1\n"},
    {"The shortest path, with what it must fulfil",
     "MATCH (a:Person {id: 1}), (b:Person {id: 2}), p = shortestPath((a)-[:KNOWS*..9]-(b)) WHERE length(p) > 1 RETURN p",
     "ProduceResults p\n"
     "ShortestPath (a)-[anon_2:KNOWS*1..9]-(b) WHERE length(p) > 1\n"
     "NodeUniqueIndexSeek UNIQUE b:Person(id) WHERE id = 2\n"
     "NodeUniqueIndexSeek UNIQUE a:Person(id) WHERE id = 1\n"},
    {"A quantified relationship is variable length",
     "MATCH (a:Person {id: 1})-[:KNOWS]->{2,4}(b) RETURN b",
     "ProduceResults b\n"
     "VarLengthExpand(All) (a)-[:KNOWS*2..4]->(b)\n"
     "NodeUniqueIndexSeek UNIQUE a:Person(id) WHERE id = 1\n"},
    {"A quantified path repeats its inside",
     "MATCH (a:Person {id: 1}) ((x)-[:KNOWS]->(y) WHERE x.age < y.age){1,3} (b) RETURN [n IN x | n.name] AS names",
     "ProduceResults names\n"
     "Projection [n IN x | n.name] AS names\n"
     "Repeat(Trail) (a) (...){1, 3} (b)\n"
     "  Filter x.age < y.age\n"
     "  Expand(All) (x)-[anon_2:KNOWS]->(y)\n"
     "  Argument x\n"
     "NodeUniqueIndexSeek UNIQUE a:Person(id) WHERE id = 1\n"},
};

TEST(plans_for_patterns) {
  assert_all(patterns, ARRAY_SIZE(patterns));
}

static const struct golden subqueries[] = {
    {"A count of relationships is a degree",
     "MATCH (p:Person) RETURN p, COUNT { (p)-[:KNOWS]->() } AS friends",
     "ProduceResults p, friends\n"
     "Projection subquery_4 AS friends\n"
     "Projection getDegree((p)-[:KNOWS]->()) AS subquery_4\n"
     "NodeByLabelScan p:Person\n"},
    {"So is the question whether there are any",
     "MATCH (p:Person) WHERE (p)-[:OWNS]->() RETURN p",
     "ProduceResults p\n"
     "Filter exists_3\n"
     "Projection getDegree((p)-[:OWNS]->()) > 0 AS exists_3\n"
     "NodeByLabelScan p:Person\n"},
    {"A test for existence stops at the first",
     "MATCH (p:Person) WHERE EXISTS { (p)-[:KNOWS]->(:City) } RETURN p",
     "ProduceResults p\n"
     "SemiApply\n"
     "  Filter anon_2:City\n"
     "  Expand(All) (p)-[:KNOWS]->(anon_2)\n"
     "  Argument p\n"
     "NodeByLabelScan p:Person\n"},
    {"NOT turns it around",
     "MATCH (p:Person) WHERE NOT EXISTS { (p)-[:KNOWS]->(:City) } RETURN p",
     "ProduceResults p\n"
     "AntiSemiApply\n"
     "  Filter anon_2:City\n"
     "  Expand(All) (p)-[:KNOWS]->(anon_2)\n"
     "  Argument p\n"
     "NodeByLabelScan p:Person\n"},
    {"As a value it is a column",
     "MATCH (p:City) RETURN EXISTS { (p)<-[:OWNS]-(:Person) } AS owned",
     "ProduceResults owned\n"
     "Projection subquery_4 AS owned\n"
     "LetSemiApply subquery_4\n"
     "  Filter anon_2:Person\n"
     "  Expand(All) (p)<-[:OWNS]-(anon_2)\n"
     "  Argument p\n"
     "NodeByLabelScan p:City\n"},
    {"A pattern comprehension rolls up",
     "MATCH (c:City) RETURN [(c)<-[:LIVES_IN]-(p) WHERE p.age > 3 | p.name] AS names",
     "ProduceResults names\n"
     "Projection subquery_4 AS names\n"
     "RollUpApply subquery_4, element_5\n"
     "  Projection p.name AS element_5\n"
     "  Filter p.age > 3\n"
     "  Expand(All) (c)<-[:LIVES_IN]-(p)\n"
     "  Argument c\n"
     "NodeByLabelScan c:City\n"},
    {"A list expression with a subquery in its body becomes rows",
     "MATCH (c:City) RETURN [x IN [1, 2] WHERE EXISTS { (c {size: x}) } | x] AS l",
     "ProduceResults l\n"
     "Projection CASE WHEN [1, 2] IS NULL THEN null ELSE list_5 END AS l\n"
     "RollUpApply list_5, element_4\n"
     "  Projection x AS element_4\n"
     "  SemiApply\n"
     "    Filter c.size = x\n"
     "    Argument c, x\n"
     "  Unwind [1, 2] AS x\n"
     "  Argument c\n"
     "NodeByLabelScan c:City\n"},
};

TEST(plans_for_subqueries) {
  assert_all(subqueries, ARRAY_SIZE(subqueries));
}

static const struct golden counting[] = {
    {"Nodes",
     "MATCH (n) RETURN count(*) AS n",
     "ProduceResults n\n"
     "NodeCountFromCountStore count( () ) AS n\n"},
    {"Nodes with a label",
     "MATCH (n:Person) RETURN count(n) AS n",
     "ProduceResults n\n"
     "NodeCountFromCountStore count( (:Person) ) AS n\n"},
    {"Relationships",
     "MATCH ()-[r:KNOWS]->() RETURN count(r) AS n",
     "ProduceResults n\n"
     "RelationshipCountFromCountStore count( ()-[:KNOWS]->() ) AS n\n"},
    {"Distinct values have to be looked at",
     "MATCH (n:City) RETURN count(DISTINCT n.name) AS n",
     "ProduceResults n\n"
     "EagerAggregation count(DISTINCT n.name) AS n\n"
     "NodeByLabelScan n:City\n"},
};

TEST(plans_for_counting) {
  assert_all(counting, ARRAY_SIZE(counting));
}

static const struct golden writing[] = {
    {"Reading before writing needs no barrier",
     "MATCH (a:City) CREATE (b:City {name: a.name})",
     "EmptyResult\n"
     "Create (b:City)\n"
     "NodeByLabelScan a:City\n"},
    {"Reading after writing does",
     "CREATE (a:City {name: 'x'}) WITH a MATCH (c:City) RETURN count(*) AS n",
     "ProduceResults n\n"
     "EagerAggregation count(*) AS n\n"
     "NodeByLabelScan c:City\n"
     "Eager read after write\n"
     "Create (a:City)\n"},
    {"but not of what was not touched",
     "CREATE (a:City {name: 'x'}) WITH a MATCH (p:Post) RETURN p.name AS n",
     "ProduceResults n\n"
     "Projection p.name AS n\n"
     "NodeByLabelScan p:Post\n"
     "Create (a:City)\n"},
    {"A load streams from end to end",
     "UNWIND $rows AS r MATCH (a:Person {id: r.from}) MATCH (b:Person {id: r.to}) MERGE (a)-[k:KNOWS]->(b) ON CREATE SET k.since = r.since",
     "EmptyResult\n"
     "Merge (a)-[k:KNOWS]->(b) ON CREATE SET k.since = r.since\n"
     "  Expand(Into) (a)-[k:KNOWS]->(b)\n"
     "  Argument a, b\n"
     "NodeUniqueIndexSeek UNIQUE b:Person(id) WHERE id = r.to\n"
     "NodeUniqueIndexSeek UNIQUE a:Person(id) WHERE id = r.from\n"
     "Unwind $rows AS r\n"},
    {"Two MERGE of one label may make what the other looks for",
     "UNWIND $rows AS r MERGE (a:Person {id: r.a}) MERGE (b:Person {id: r.b})",
     "EmptyResult\n"
     "Merge (b:Person)\n"
     "  NodeUniqueIndexSeek UNIQUE b:Person(id) WHERE id = r.b\n"
     "  Argument r\n"
     "Eager read after write\n"
     "Merge (a:Person)\n"
     "  NodeUniqueIndexSeek UNIQUE a:Person(id) WHERE id = r.a\n"
     "  Argument r\n"
     "Unwind $rows AS r\n"},
    {"SET reads the current state; what is returned is read behind a barrier",
     "MATCH (c:City {name: 'x'}) SET c.n = c.n + 1 RETURN c.n AS n",
     "ProduceResults n\n"
     "Projection c.n AS n\n"
     "Eager read after write\n"
     "SetProperty c.n = c.n + 1\n"
     "NodeIndexSeek RANGE INDEX c:City(name) WHERE name = 'x'\n"},
    {"Clauses of CREATE are one operator",
     "CREATE (a:City) CREATE (b:Person)-[:LIVES_IN]->(a)",
     "EmptyResult\n"
     "Create (a:City), (b:Person), (b)-[anon_2:LIVES_IN]->(a)\n"},
    {"LIMIT does not stop a write",
     "MATCH (c:City) SET c.n = 1 RETURN c LIMIT 1",
     "ProduceResults c\n"
     "Eager read after write\n"
     "ExhaustiveLimit 1\n"
     "SetProperty c.n = 1\n"
     "NodeByLabelScan c:City\n"},
    {"Each element runs through the body",
     "MATCH (c:City {name: 'x'}) FOREACH (i IN [1, 2] | CREATE (c)<-[:LIVES_IN]-(:Person {id: i}))",
     "EmptyResult\n"
     "Foreach i IN [1, 2]\n"
     "  Create (anon_3:Person), (anon_3)-[anon_2:LIVES_IN]->(c)\n"
     "  Argument c, i\n"
     "NodeIndexSeek RANGE INDEX c:City(name) WHERE name = 'x'\n"},
    {"A subquery without RETURN lets its rows through",
     "MATCH (c:City) CALL { WITH c CREATE (:Post {name: c.name}) } RETURN count(*) AS n",
     "ProduceResults n\n"
     "EagerAggregation count(*) AS n\n"
     "SubqueryForeach\n"
     "  Create (anon_1:Post)\n"
     "  Argument c\n"
     "NodeByLabelScan c:City\n"},
    {"In transactions of its own",
     "MATCH (p:Post) CALL { WITH p DETACH DELETE p } IN TRANSACTIONS OF 100 ROWS",
     "EmptyResult\n"
     "TransactionForeach\n"
     "  DetachDelete p\n"
     "  Argument p\n"
     "NodeByLabelScan p:Post\n"},
    {"Deleting everything",
     "MATCH (n) DETACH DELETE n",
     "EmptyResult\n"
     "DetachDelete n\n"
     "AllNodesScan n\n"},
};

TEST(plans_for_writing) {
  assert_all(writing, ARRAY_SIZE(writing));
}

TESTS(T(plans_for_reading), T(plans_for_finding), T(plans_for_orders), T(plans_for_caches), T(plans_for_multiplicities), T(plans_for_patterns), T(plans_for_subqueries), T(plans_for_counting), T(plans_for_writing))
