// Figures for the engine: nanoseconds a row of an expression, and hops over a graph in memory.
// usage: bench_exec [nodes]
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/str.h"
#include "lab.h"
#include "os/clock.h"

static double run_ms(struct lab *l, const char *query, int times) {
  struct error e = ERROR_INIT;
  struct plan *plan;
  struct lab_result r;
  double best = 1e30;
  if (lab_plan(l, str_of(query), &plan, &e) != ERR_OK) {
    printf("%s: %s\n", query, e.message);
    return 0;
  }
  for (int i = 0; i < times; i++) {
    int64_t begin = clock_monotonic_ns(clock_system());
    lab_run_plan(l, plan, NULL, &r);
    double ms = (double) (clock_monotonic_ns(clock_system()) - begin) / 1e6;
    if (r.err != ERR_OK) printf("%s: %s\n", query, r.error.message);
    best = ms < best ? ms : best;
  }
  plan_unref(plan);
  return best;
}

static void show(struct lab *l, const char *query) {
  printf("%9.3f ms  %s\n", run_ms(l, query, 5), query);
}

int main(int argc, char **argv) {
  struct lab l;
  struct error e = ERROR_INIT;
  int64_t nodes = 20000;
  if (argc > 1 && !str_to_i64(str_of(argv[1]), &nodes)) return 2;
  if (lab_open(&l, &e) != ERR_OK) return 1;
  double base = run_ms(&l, "UNWIND range(1, 1000000) AS x RETURN count(x) AS n", 3);
  double sums = run_ms(&l, "UNWIND range(1, 1000000) AS x RETURN sum(x * 2 + 1) AS n", 3);
  double filter = run_ms(&l, "UNWIND range(1, 1000000) AS x WITH x WHERE x * 2 + 1 > 5 AND x < 0 OR x IS NULL RETURN count(x) AS n", 3);
  printf("%.2f ns/row to unwind and count; x * 2 + 1 and sum: %.2f ns/row more; x * 2 + 1 > 5 AND x < 0 OR x IS NULL: %.2f ns/row more\n", base, sums - base, filter - base);
  struct buf q = BUF_INIT;
  if (buf_printf(&q, "UNWIND range(1, %lld) AS i CREATE (:N {i: i})", (long long) nodes) != ERR_OK) return 1;
  struct lab_result r;
  lab_run(&l, buf_str(&q), NULL, &r);
  for (int k = 0; k < 10; k++) {
    buf_clear(&q);
    if (buf_printf(&q, "MATCH (a:N) WITH a, (a.i * 7919 + %d * 104729) %% %lld AS t MATCH (b) WHERE id(b) = t CREATE (a)-[:R]->(b)", k, (long long) nodes) != ERR_OK) return 1;
    lab_run(&l, buf_str(&q), NULL, &r);
    if (r.err != ERR_OK) printf("%s\n", r.error.message);
  }
  printf("%lld nodes, %lld relationships\n", (long long) nodes, (long long) nodes * 10);
  show(&l, "MATCH (a) WHERE id(a) = 17 RETURN a.i");
  show(&l, "MATCH (a)-[:R]->(b) RETURN count(*)");
  show(&l, "MATCH (a)-[:R]->()-[:R]->(c) WHERE id(a) < 300 RETURN count(DISTINCT c)");
  show(&l, "MATCH (a)-[:R]->()-[:R]->()-[:R]->(d) WHERE id(a) < 20 RETURN count(DISTINCT d)");
  show(&l, "MATCH (a)-[:R*1..3]->(d) WHERE id(a) < 20 RETURN count(DISTINCT d)");
  show(&l, "MATCH (a)-[:R]->(b)-[:R]->(c)-[:R]->(a) RETURN count(*)");
  show(&l, "MATCH (a:N) RETURN a.i % 10 AS k, count(*) AS n, avg(a.i) AS m");
  show(&l, "MATCH (a {i: 5}), (b {i: 9000}), p = shortestPath((a)-[:R*]->(b)) RETURN length(p)");
  buf_done(&q);
  lab_close(&l);
  return 0;
}
