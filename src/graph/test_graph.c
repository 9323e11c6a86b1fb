#include "graph/test_bench_int.h"

TEST(a_created_node_and_relationship_are_there_after_the_commit_and_after_reopening) {
  struct bench b;
  bench_start(&b);
  graph_token person = bench_token(&b, GRAPH_LABEL, "Person"), name = bench_token(&b, GRAPH_KEY, "name"),
              knows = bench_token(&b, GRAPH_TYPE, "KNOWS");
  struct graph_tx *tx = bench_begin(&b);
  graph_id ann, bob, rel;
  struct graph_property p = {name, v_str(STR("Ann"))}, q = {name, v_str(STR("Bob"))};
  must(&b, graph_create_node(tx, &person, 1, &p, 1, &ann, &b.e));
  must(&b, graph_create_node(tx, &person, 1, &q, 1, &bob, &b.e));
  must(&b, graph_create_rel(tx, ann, bob, knows, NULL, 0, &rel, &b.e));
  bench_commit(&b, tx);
  for (int round = 0; round < 2; round++) {
    tx = bench_begin(&b);
    assert_str(v_text(bench_property(&b, tx, GRAPH_READ_SNAPSHOT, GRAPH_NODE, ann, name)), "Ann");
    assert_int_equal(bench_degree(&b, tx, GRAPH_READ_SNAPSHOT, ann, GRAPH_OUT), 1);
    assert_int_equal(bench_degree(&b, tx, GRAPH_READ_SNAPSHOT, bob, GRAPH_BOTH), 1);
    graph_tx_free(tx);
    bench_reopen(&b);
  }
  bench_stop(&b);
}

TESTS(T(a_created_node_and_relationship_are_there_after_the_commit_and_after_reopening))
