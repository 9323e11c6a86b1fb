// A log for which the disk has no room: who is refused, who waits, and what is there afterwards.
#include "graph/graph_int.h"
#include "graph/test_bench_int.h"

/// A transaction with one node that holds `bytes` bytes, on its way to the log.
static struct graph_tx *submit(struct bench *b, graph_token key, size_t bytes) {
  struct graph_tx *tx = bench_begin(b);
  graph_id id;
  char *text = mem_alloc(bytes + 1);
  assert_non_null(text);
  memset(text, 'x', bytes);
  struct graph_property p = {.key = key, .value = v_str((struct str){text, bytes})};
  must(b, graph_create_node(tx, NULL, 0, &p, 1, &id, &b->e));
  mem_free(text);
  return tx;
}

static enum err step(struct bench *b, enum graph_machine machine) {
  bool more;
  return graph_step(b->g, machine, &more, &b->e);
}

static enum err commit(struct bench *b, struct graph_tx *tx) {
  uint64_t id;
  return graph_tx_commit(tx, &id, &b->e);
}

static uint64_t nodes(struct bench *b) {
  struct graph_counters c;
  graph_counters(b->g, &c);
  return c.nodes;
}

/// Commits until one finds no room; that one is given back, not told yet.
static struct graph_tx *fill(struct bench *b, graph_token key) {
  for (;;) {
    struct graph_tx *tx = submit(b, key, 1000);
    assert_int_equal(commit(b, tx), ERR_WAIT);
    enum err err = step(b, GRAPH_LOG_WRITER);
    if (err == ERR_NOSPC) return tx;
    assert_ok(err);
    assert_ok(graph_settle(b->g, &b->e));
    assert_ok(commit(b, tx));
    graph_tx_free(tx);
  }
}

TEST(who_is_refused_is_told_though_the_log_writer_tries_again_before_the_applier_could) {
  struct bench b;
  bench_start(&b);
  graph_token key = bench_token(&b, GRAPH_KEY, "text");
  sim_disk_set_room(b.sim, 0);
  struct graph_tx *tx = fill(&b, key);
  uint64_t there = nodes(&b);
  for (int i = 0; i < 3; i++) assert_int_equal(step(&b, GRAPH_LOG_WRITER), ERR_NOSPC);
  assert_int_equal(commit(&b, tx), ERR_WAIT);
  assert_ok(step(&b, GRAPH_APPLIER));
  assert_int_equal(commit(&b, tx), ERR_TX_LOG);
  graph_tx_free(tx);
  tx = submit(&b, key, 10);
  assert_int_equal(commit(&b, tx), ERR_TX_LOG);
  graph_tx_free(tx);
  assert_int_equal(step(&b, GRAPH_LOG_WRITER), ERR_NOSPC);
  sim_disk_set_room(b.sim, UINT64_MAX);
  assert_ok(step(&b, GRAPH_LOG_WRITER));
  bench_commit(&b, submit(&b, key, 10));
  assert_int_equal(nodes(&b), there + 1);
  bench_reopen(&b);
  assert_int_equal(nodes(&b), there + 1);
  bench_stop(&b);
}

TEST(a_transaction_that_is_partly_in_the_log_waits_for_room_and_those_behind_it_are_refused) {
  struct bench b;
  bench_start(&b);
  graph_token key = bench_token(&b, GRAPH_KEY, "text");
  sim_disk_set_room(b.sim, 10 << 20);
  struct graph_tx *large = submit(&b, key, 20 << 20), *small = submit(&b, key, 10);
  assert_int_equal(commit(&b, large), ERR_WAIT);
  assert_int_equal(commit(&b, small), ERR_WAIT);
  assert_ok(step(&b, GRAPH_LOG_WRITER)); // its first batch
  assert_int_equal(step(&b, GRAPH_LOG_WRITER), ERR_NOSPC);
  assert_ok(step(&b, GRAPH_APPLIER));
  assert_int_equal(commit(&b, small), ERR_TX_LOG);
  assert_int_equal(commit(&b, large), ERR_WAIT);
  graph_tx_free(small);
  sim_disk_set_room(b.sim, UINT64_MAX);
  assert_ok(graph_settle(b.g, &b.e));
  assert_ok(commit(&b, large));
  graph_tx_free(large);
  bench_commit(&b, submit(&b, key, 10));
  bench_reopen(&b);
  assert_int_equal(nodes(&b), 2);
  bench_stop(&b);
}

TEST(what_was_durable_before_the_log_failed_is_acknowledged) {
  struct bench b;
  bench_start(&b);
  graph_token key = bench_token(&b, GRAPH_KEY, "text");
  struct graph_tx *before = submit(&b, key, 10), *under_way = submit(&b, key, 10);
  assert_int_equal(commit(&b, before), ERR_WAIT);
  assert_ok(step(&b, GRAPH_LOG_WRITER));
  assert_int_equal(commit(&b, under_way), ERR_WAIT);
  sim_disk_fail(b.sim, SIM_SYNC, 0, ERR_IO);
  assert_int_equal(step(&b, GRAPH_LOG_WRITER), ERR_TX_LOG);
  assert_ok(step(&b, GRAPH_APPLIER));
  assert_ok(commit(&b, before));
  assert_int_equal(step(&b, GRAPH_APPLIER), ERR_TX_LOG);
  assert_int_equal(commit(&b, under_way), ERR_TX_LOG);
  assert_int_equal(nodes(&b), 1);
  graph_tx_free(before);
  graph_tx_free(under_way);
  bench_stop(&b);
}

TEST(a_commit_is_refused_alike_before_the_graph_knows_that_its_log_failed) {
  struct bench b;
  bench_start(&b);
  graph_token key = bench_token(&b, GRAPH_KEY, "text");
  struct graph_tx *under_way = submit(&b, key, 10);
  assert_int_equal(commit(&b, under_way), ERR_WAIT);
  sim_disk_fail(b.sim, SIM_SYNC, 0, ERR_IO);
  bool worked;
  assert_int_equal(log_writer_step(store_log(b.g->store), &worked, &b.e), ERR_IO); // and its thread is not scheduled for a while
  struct graph_tx *next = submit(&b, key, 10);
  assert_int_equal(commit(&b, next), ERR_TX_LOG);
  assert_int_equal(b.e.code, ERR_TX_LOG);
  assert_non_null(strstr(b.e.message, "Restart the database"));
  assert_int_equal(step(&b, GRAPH_LOG_WRITER), ERR_TX_LOG);
  assert_int_equal(step(&b, GRAPH_APPLIER), ERR_TX_LOG);
  assert_int_equal(commit(&b, under_way), ERR_TX_LOG);
  graph_tx_free(under_way);
  graph_tx_free(next);
  bench_stop(&b);
}

TESTS(T(who_is_refused_is_told_though_the_log_writer_tries_again_before_the_applier_could),
      T(a_transaction_that_is_partly_in_the_log_waits_for_room_and_those_behind_it_are_refused),
      T(what_was_durable_before_the_log_failed_is_acknowledged),
      T(a_commit_is_refused_alike_before_the_graph_knows_that_its_log_failed))
