#include "base/buf.h"
#include "base/test.h"
#include "metrics/prometheus.h"

static void expect(const struct metric *metrics, uint32_t n, bool totals, const char *wanted) {
  struct arena a;
  struct metric_list list = {(struct metric *) metrics, n};
  CLEANUP(buf_done) struct buf out = BUF_INIT;
  arena_init(&a, NULL);
  assert_ok(prometheus_write(&list, totals, &a, &out));
  assert_ok(buf_append_byte(&out, 0));
  assert_string_equal((const char *) out.data, wanted);
  arena_done(&a);
}

#define COUNTER(n, db, v) \
  { .name = STR(n), .database = STR(db), .help = "What.", .type = METRIC_COUNTER, .value = v }
#define GAUGE(n, db, v) \
  { .name = STR(n), .database = STR(db), .help = "How.", .type = METRIC_GAUGE, .value = v }

TEST(names_are_those_of_neo4j) {
  const struct metric m[] = {COUNTER("neo4j.database.neo4j.transaction.committed", "neo4j", 7), GAUGE("neo4j.dbms.page_cache.usage_ratio", "", 0.25)};
  expect(m, 2, true,
         "# HELP neo4j_database_neo4j_transaction_committed_total What.\n# TYPE neo4j_database_neo4j_transaction_committed_total counter\n"
         "neo4j_database_neo4j_transaction_committed_total 7\n"
         "# HELP neo4j_dbms_page_cache_usage_ratio How.\n# TYPE neo4j_dbms_page_cache_usage_ratio gauge\n"
         "neo4j_dbms_page_cache_usage_ratio 0.25\n");
  expect(m, 1, false,
         "# HELP neo4j_database_neo4j_transaction_committed What.\n# TYPE neo4j_database_neo4j_transaction_committed counter\n"
         "neo4j_database_neo4j_transaction_committed 7\n");
}

TEST(databases_whose_names_come_to_be_the_same_are_told_apart) {
  const struct metric m[] = {GAUGE("p.a-b.x", "a-b", 1), GAUGE("p.a.b.x", "a.b", 2), GAUGE("p.\"\\.x", "\"\\", -1)};
  expect(m, 3, true,
         "# HELP p____x How.\n# TYPE p____x gauge\np____x -1\n"
         "# HELP p_a_b_x How.\n# TYPE p_a_b_x gauge\np_a_b_x{database=\"a-b\"} 1\np_a_b_x{database=\"a.b\"} 2\n");
}

TEST(a_name_never_begins_with_a_digit_and_a_label_is_escaped) {
  const struct metric m[] = {GAUGE("9\n", "a\nb", 1), GAUGE("9 ", "\"", 2)};
  expect(m, 2, true, "# HELP __ How.\n# TYPE __ gauge\n__{database=\"\\\"\"} 2\n__{database=\"a\\nb\"} 1\n");
}

TEST(want_of_memory_is_told) {
  const struct metric m[] = {COUNTER("a", "", 1), GAUGE("b", "", 2)};
  EACH_ALLOC_FAILS(n) {
    struct arena a;
    struct metric_list list = {(struct metric *) m, 2};
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    arena_init(&a, NULL);
    enum err err = prometheus_write(&list, true, &a, &out);
    arena_done(&a);
    assert_true(err == ERR_OK || err == ERR_NOMEM);
  }
}

TEST(filters_are_globs) {
  assert_true(metrics_filter_takes(STR("*"), STR("neo4j.x")));
  assert_true(metrics_filter_takes(STR("*bolt.connections*, *.term"), STR("neo4j.cluster.raft.term")));
  assert_true(metrics_filter_takes(STR("neo4j.?"), STR("neo4j.x")));
  assert_false(metrics_filter_takes(STR("*.ter"), STR("neo4j.cluster.raft.term")));
  assert_false(metrics_filter_takes(STR(""), STR("neo4j.x")));
  assert_false(metrics_filter_takes(STR(",,"), STR("")));
  assert_false(metrics_filter_takes(STR("neo4j"), STR("neo4j.x")));
  assert_false(metrics_filter_takes(STR("*a*a*a*a*a*a*a*a*b"), STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
}

TESTS(T(names_are_those_of_neo4j), T(databases_whose_names_come_to_be_the_same_are_told_apart),
      T(a_name_never_begins_with_a_digit_and_a_label_is_escaped), T(want_of_memory_is_told), T(filters_are_globs))
