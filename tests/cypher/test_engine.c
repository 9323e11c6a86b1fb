// Whole statements under stress: each allocation failing, memory limits, cancelling, deep expressions, rows a few at a time.
#include "base/test.h"

#include <string.h>

#include "base/buf.h"
#include "graph/tx.h"
#include "lab.h"

static void open_lab(struct lab *l) {
  struct error e = ERROR_INIT;
  assert_ok(lab_open(l, &e));
}

static void run_ok(struct lab *l, const char *query) {
  struct lab_result r;
  lab_run(l, str_of(query), NULL, &r);
  if (r.err != ERR_OK) print_message("%s: %s\n", query, r.error.message);
  assert_ok(r.err);
}

static void fill(struct lab *l) {
  run_ok(l, "CREATE INDEX FOR (n:T) ON (n.at)"); // one instant in two zones, so that its order is not that of its keys
  run_ok(l, "UNWIND range(1, 20) AS i CREATE (:T {i: i, at: datetime('2020-01-01T10:00' + CASE i % 2 WHEN 0 THEN 'Z' ELSE '[Europe/Berlin]' END)})");
  run_ok(l, "UNWIND range(1, 20) AS i CREATE (:A {i: i, s: 'text ' + i})");
  run_ok(l, "MATCH (a:A), (b:A) WHERE b.i = a.i + 1 OR b.i = a.i * 2 CREATE (a)-[:R {w: a.i}]->(b)");
}

static const char *const queries[] = {
    "MATCH (n:T) WHERE n.at IS NOT NULL RETURN n.at, n.i ORDER BY n.at DESC, n.i LIMIT 7",
    "MATCH (n:T) WHERE n.i > 3 AND n.i < 30 RETURN n.i + n.i, max(n.at) ORDER BY n.i + n.i",
    "UNWIND range(1, 50) AS x WITH x % 5 AS k, collect(x) AS l, count(DISTINCT x) AS n, avg(x) AS a RETURN k, l, n, a ORDER BY k DESC",
    "MATCH (a:A)-[r:R]->(b) WHERE r.w > 3 AND b.s CONTAINS '1' RETURN a, r, b, [x IN range(1, b.i) | x + a.i] AS l",
    "MATCH p = (a:A {i: 1})-[:R*1..4]->(b) RETURN p, reduce(s = 0, x IN relationships(p) | s + x.w) AS w LIMIT 20",
    "MATCH (a:A {i: 1}), (b:A {i: 18}), p = shortestPath((a)-[:R*]->(b)) RETURN p",
    "MATCH (a:A) OPTIONAL MATCH (a)-[:R]->(b) WHERE b.i > 15 WITH a, collect(b.i) AS l RETURN a.i, l, EXISTS { (a)<-[:R]-() } AS e",
    "MATCH (a:A {i: 2}) ((x)-[:R]->(y)){1,2} (b) RETURN [n IN y | n.i] AS l, b.i",
    "UNWIND [3, 4] AS i MERGE (n:A {i: i}) ON MATCH SET n.hit = i MERGE (m:M {i: i}) RETURN n.s =~ 'text.*' AS m, toUpper(n.s) AS u",
    "FOREACH (i IN [1, 2] | CREATE (:F {i: i})) WITH 1 AS one MATCH (f:F) SET f += {a: 1} WITH f DETACH DELETE f RETURN count(*) AS n",
};

TEST(every_allocation_of_a_statement_may_fail) {
  struct lab l;
  open_lab(&l);
  fill(&l);
  for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
    struct error e = ERROR_INIT;
    struct plan *plan;
    assert_ok(lab_plan(&l, str_of(queries[i]), &plan, &e));
    for (int64_t n = 0, step = 1; n < 4000; n += step) {
      struct exec_random random = {0};
      struct exec_options o = {.budget = &l.budget, .random = random};
      struct graph_tx *tx;
      assert_ok(graph_tx_begin(l.graph, &(struct graph_tx_options){0}, &tx, &e));
      assert_ok(graph_tx_statement(tx, &e));
      o.tx = tx;
      struct exec *x = NULL;
      e = ERROR_INIT;
      fault_arm(&fault_alloc, n, 1);
      enum err err = exec_open(plan, &o, &x, &e);
      enum exec_result result = EXEC_ERROR;
      if (err == ERR_OK)
        while ((result = exec_next(x, UINT64_MAX, NULL, &e)) == EXEC_WAIT) {
          fault_disarm(&fault_alloc);
          assert_ok(graph_settle(l.graph, &e));
        }
      bool fired = fault_fired(&fault_alloc);
      fault_disarm(&fault_alloc);
      if (err == ERR_OK && result == EXEC_ERROR) err = e.code;
      if (err != ERR_OK && err != ERR_NOMEM) print_message("%s: allocation %lld: %s\n", queries[i], (long long) n, e.message);
      assert_true(err == ERR_OK || err == ERR_NOMEM);
      exec_close(x);
      graph_tx_rollback(tx);
      graph_tx_free(tx);
      if (!fired) break;
      step = n < 200 ? 1 : 7;
    }
    plan_unref(plan);
  }
  assert_int_equal(l.budget.used_bytes, 0);
  lab_close(&l);
}

TEST(a_query_over_its_memory_limit_fails_with_its_name) {
  struct lab l;
  open_lab(&l);
  l.budget.limit_bytes = 4 << 20;
  static const char *const hungry[] = {
      "UNWIND range(1, 1000000) AS x RETURN collect(x) AS l",
      "UNWIND range(1, 1000000) AS x RETURN x ORDER BY x DESC",
      "UNWIND range(1, 1000000) AS x RETURN DISTINCT x",
      "UNWIND range(1, 1000000) AS x RETURN x, count(*) AS n",
      "RETURN reduce(s = '', x IN range(1, 10000000) | s + 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') AS s",
  };
  for (size_t i = 0; i < ARRAY_SIZE(hungry); i++) {
    struct lab_result r;
    lab_run(&l, str_of(hungry[i]), NULL, &r);
    assert_int_equal(r.err, ERR_TX_MEMORY);
  }
  assert_int_equal(l.budget.used_bytes, 0);
  lab_close(&l);
}

TEST(memory_of_small_results_does_not_grow_with_their_input) {
  struct lab l;
  open_lab(&l);
  struct lab_result r;
  lab_run(&l, STR("UNWIND range(1, 200000) AS x WITH x ORDER BY x DESC LIMIT 3 RETURN x"), NULL, &r);
  assert_ok(r.err);
  assert_true(r.peak_bytes < (uint64_t) 12 << 20); // the list of UNWIND is 3 MB of it
  lab_run(&l, STR("RETURN reduce(s = 0, x IN range(1, 200000) | s + x) AS s"), NULL, &r);
  assert_ok(r.err);
  assert_true(r.peak_bytes < (uint64_t) 12 << 20);
  lab_close(&l);
}

static struct exec *open_exec(struct lab *l, struct plan *plan, struct graph_tx **tx) {
  struct error e = ERROR_INIT;
  struct exec *x;
  assert_ok(graph_tx_begin(l->graph, &(struct graph_tx_options){0}, tx, &e));
  assert_ok(graph_tx_statement(*tx, &e));
  struct exec_options o = {.tx = *tx, .budget = &l->budget};
  assert_ok(exec_open(plan, &o, &x, &e));
  return x;
}

TEST(rows_come_as_many_as_are_asked_for) {
  struct lab l;
  open_lab(&l);
  struct error e = ERROR_INIT;
  struct plan *plan;
  struct graph_tx *tx;
  assert_ok(lab_plan(&l, STR("UNWIND range(1, 10) AS x RETURN x"), &plan, &e));
  struct exec *x = open_exec(&l, plan, &tx);
  assert_int_equal(exec_next(x, 3, NULL, &e), EXEC_ROWS);
  assert_int_equal(exec_rows(x), 3);
  assert_int_equal(exec_next(x, 7, NULL, &e), EXEC_DONE); // exactly the rest: nothing follows
  assert_int_equal(exec_rows(x), 10);
  assert_int_equal(exec_next(x, 5, NULL, &e), EXEC_DONE);
  exec_close(x);
  graph_tx_free(tx);
  plan_unref(plan);
  lab_close(&l);
}

TEST(a_cancelled_run_ends_with_the_reason) {
  struct lab l;
  open_lab(&l);
  struct error e = ERROR_INIT;
  struct plan *plan;
  struct graph_tx *tx;
  assert_ok(lab_plan(&l, STR("UNWIND range(1, 1000) AS x UNWIND range(1, 1000) AS y RETURN x, y"), &plan, &e));
  struct exec *x = open_exec(&l, plan, &tx);
  assert_int_equal(exec_next(x, 5000, NULL, &e), EXEC_ROWS);
  exec_cancel(x, ERR_TX_TIMEOUT);
  exec_cancel(x, ERR_TX_TERMINATED); // the first reason stays
  assert_int_equal(exec_next(x, UINT64_MAX, NULL, &e), EXEC_ERROR);
  assert_int_equal(e.code, ERR_TX_TIMEOUT);
  exec_close(x);
  graph_tx_free(tx);
  plan_unref(plan);
  lab_close(&l);
}

TEST(deep_expressions_run_or_are_refused) {
  struct lab l;
  open_lab(&l);
  for (int depth = 100; depth <= 100000; depth *= 10) {
    struct buf text = BUF_INIT;
    struct lab_result r;
    assert_ok(buf_append_str(&text, STR("RETURN ")));
    for (int i = 0; i < depth; i++) assert_ok(buf_append_str(&text, STR("[")));
    for (int i = 0; i < depth; i++) assert_ok(buf_append_str(&text, STR("]")));
    assert_ok(buf_append_str(&text, STR(" AS x")));
    lab_run(&l, buf_str(&text), NULL, &r);
    assert_true(depth > 900 ? r.err != ERR_INTERNAL : r.err == ERR_OK);
    buf_done(&text);
  }
  lab_close(&l);
}

TESTS(T(every_allocation_of_a_statement_may_fail), T(a_query_over_its_memory_limit_fails_with_its_name),
      T(memory_of_small_results_does_not_grow_with_their_input), T(rows_come_as_many_as_are_asked_for), T(a_cancelled_run_ends_with_the_reason),
      T(deep_expressions_run_or_are_refused))
