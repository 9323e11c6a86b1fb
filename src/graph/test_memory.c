// A graph that is larger than its page cache: everything goes through, one stay in page access included, and comes out right.
#include "graph/test_bench_int.h"
#include "store/checkpoint.h"
#include "store/store.h"

enum { NODES = 12000, PAGES = 200 };

struct world {
  struct bench b;
  graph_token label, type, keys[2];
};

static struct value text_of(struct arena *a, uint64_t i) {
  return v_str(arena_printf(a, "%0300llu", (unsigned long long) i * 7919));
}

/// A ring of nodes, each with a number and a text; a cache of PAGES pages for more than a thousand.
static void fill(struct world *w) {
  struct bench *b = &w->b;
  *b = (struct bench){.pool_bytes = PAGES * PAGE_BYTES, .pool_wait_ms = 1};
  bench_make(b);
  w->label = bench_token(b, GRAPH_LABEL, "Person");
  w->type = bench_token(b, GRAPH_TYPE, "NEXT");
  w->keys[0] = bench_token(b, GRAPH_KEY, "number");
  w->keys[1] = bench_token(b, GRAPH_KEY, "text");
  for (uint64_t i = 0; i < NODES;) {
    struct graph_tx *tx = bench_begin(b);
    graph_id id, rel;
    for (uint64_t end = i + 500; i < end; i++) {
      struct graph_property p[] = {{w->keys[0], v_int((int64_t) i)}, {w->keys[1], text_of(&b->arena, i)}};
      must(b, graph_create_node(tx, &w->label, 1, p, 2, &id, &b->e));
      assert_int_equal(id, i);
      if (i > 0) must(b, graph_create_rel(tx, i - 1, i, w->type, NULL, 0, &rel, &b->e));
    }
    bench_commit(b, tx);
    arena_reset(&b->arena);
  }
}

static struct page_pool_stats stats_of(struct world *w) {
  struct page_pool_stats s;
  page_pool_stats(w->b.pool, &s);
  return s;
}

TEST(a_scan_reads_more_than_the_memory_in_one_stay) {
  struct world w;
  fill(&w);
  struct bench *b = &w.b;
  struct graph_tx *tx = bench_begin(b);
  struct graph_view *v = graph_tx_view(tx, GRAPH_READ_SNAPSHOT);
  struct graph_scan scan = {0};
  graph_id ids[1000];
  uint32_t n;
  uint64_t seen = 0;
  graph_view_enter(v);
  while (!scan.done) {
    struct vec columns[2];
    must(b, graph_scan_nodes(v, GRAPH_ANY, &scan, ids, ARRAY_SIZE(ids), &n, &b->e));
    must(b, graph_get_properties(v, GRAPH_NODE, ids, n, w.keys, 2, &b->arena, columns, &b->e));
    for (uint32_t i = 0; i < n; i++, seen++) {
      assert_int_equal(columns[0].i[i], ids[i]);
      assert_true(str_eq(columns[1].s[i], v_text(text_of(&b->arena, ids[i]))));
    }
    arena_reset(&b->arena);
  }
  assert_int_equal(seen, NODES);
  assert_true(graph_view_rests(v) > 10);
  graph_view_leave(v);
  graph_tx_free(tx);
  struct page_pool_stats s = stats_of(&w);
  assert_true(s.evictions > PAGES && s.reads > PAGES && s.frames_used <= PAGES);
  bench_stop(b);
}

TEST(an_expansion_gives_as_many_nodes_as_fit_and_slices_are_good_until_a_rest) {
  struct world w;
  fill(&w);
  struct bench *b = &w.b;
  struct graph_tx *tx = bench_begin(b);
  struct graph_view *v = graph_tx_view(tx, GRAPH_READ_SNAPSHOT);
  static graph_id ids[NODES];
  for (uint32_t i = 0; i < NODES; i++) ids[i] = (i * 7919) % (NODES - 1); // all over the file
  graph_view_enter(v);
  uint32_t calls = 0;
  for (uint32_t at = 0; at < NODES; calls++) {
    struct graph_expansion x;
    must(b, graph_expand(v, ids + at, NODES - at, GRAPH_OUT, &w.type, 1, &b->arena, &x, &b->e));
    assert_true(x.done > 0);
    for (uint32_t i = 0; i < x.done; i++) {
      assert_int_equal(x.first[i + 1] - x.first[i], 1);
      assert_int_equal(graph_slice_neighbour(&x.slices[x.first[i]], 0), ids[at + i] + 1);
    }
    at += x.done;
    arena_reset(&b->arena);
  }
  assert_true(calls > 10);
  graph_view_leave(v);
  graph_tx_free(tx);
  bench_stop(b);
}

TEST(updates_of_everything_in_one_transaction_spill_and_survive) {
  struct world w;
  fill(&w);
  struct bench *b = &w.b;
  struct graph_tx *tx = bench_begin(b);
  bool changed;
  for (uint64_t i = 0; i < NODES; i++)
    must(b, graph_set_property(tx, GRAPH_NODE, i, w.keys[0], v_int(-(int64_t) i), &changed, &b->e));
  bench_commit(b, tx);
  assert_true(stats_of(&w).spills > 0);
  must(b, graph_checkpoint(b->g, &b->e));
  bench_reopen(b);
  tx = bench_begin(b);
  for (uint64_t i = 0; i < NODES; i += 97) {
    assert_int_equal(bench_property(b, tx, GRAPH_READ_SNAPSHOT, GRAPH_NODE, i, w.keys[0]).i, -(int64_t) i);
    arena_reset(&b->arena);
  }
  graph_tx_free(tx);
  bench_stop(b);
}

/// Steps the checkpointer beside the others.
static void settle_with_checkpoints(struct bench *b) {
  must(b, graph_settle(b->g, &b->e));
  for (bool more = true; more;) must(b, graph_step(b->g, GRAPH_CHECKPOINTER, &more, &b->e));
}

TEST(the_log_of_one_hot_node_is_kept_short) {
  struct bench b = {.checkpoint_bytes = 1 << 20, .segment_bytes = 128 << 10};
  bench_make(&b);
  graph_token key = bench_token(&b, GRAPH_KEY, "counter");
  struct graph_tx *tx = bench_begin(&b);
  graph_id id;
  must(&b, graph_create_node(tx, NULL, 0, NULL, 0, &id, &b.e));
  bench_commit(&b, tx);
  struct log_stats log;
  uint64_t longest = 0;
  bool changed;
  for (int64_t i = 0; i < 12000; i++) { // each is a batch of its own, of at least 512 bytes: six megabytes
    tx = bench_begin(&b);
    must(&b, graph_set_property(tx, GRAPH_NODE, id, key, v_int(i), &changed, &b.e));
    bench_commit(&b, tx);
    settle_with_checkpoints(&b);
    log_stats(store_log(graph_store(b.g)), &log);
    longest = MAX(longest, log.bytes);
  }
  assert_in_range(log.appended_bytes, 6000000, UINT64_MAX);
  assert_in_range(longest, 0, 2000000);
  bench_stop(&b);
}

static void make_a_node(struct bench *b) {
  struct graph_tx *tx = bench_begin(b);
  graph_id id;
  must(b, graph_create_node(tx, NULL, 0, NULL, 0, &id, &b->e));
  bench_commit(b, tx);
  settle_with_checkpoints(b);
}

static uint64_t checkpoints(const struct bench *b) {
  struct checkpoint_status s;
  checkpoint_status(graph_store(b->g), &s);
  return s.sequence;
}

TEST(a_checkpoint_comes_after_so_many_transactions) {
  struct bench b = {.checkpoint_entries = 10};
  bench_make(&b);
  uint64_t first = checkpoints(&b);
  for (int i = 0; i < 9; i++) make_a_node(&b);
  assert_int_equal(checkpoints(&b), first);
  for (int i = 0; i < 21; i++) make_a_node(&b);
  assert_int_equal(checkpoints(&b), first + 3);
  bench_stop(&b);
}

TEST(a_checkpoint_comes_after_so_long_if_there_is_something_to_write) {
  struct bench b = {.checkpoint_ns = 60 * NS_PER_S};
  bench_make(&b);
  uint64_t first = checkpoints(&b);
  b.clock.now_ns += 61 * NS_PER_S;
  graph_look_at_clock(b.g);
  settle_with_checkpoints(&b);
  assert_int_equal(checkpoints(&b), first); // nothing was changed
  make_a_node(&b);
  assert_int_equal(checkpoints(&b), first);
  b.clock.now_ns += 61 * NS_PER_S;
  graph_look_at_clock(b.g); // nobody commits anything
  settle_with_checkpoints(&b);
  assert_int_equal(checkpoints(&b), first + 1);
  bench_stop(&b);
}

TESTS(T(a_scan_reads_more_than_the_memory_in_one_stay),
      T(an_expansion_gives_as_many_nodes_as_fit_and_slices_are_good_until_a_rest),
      T(updates_of_everything_in_one_transaction_spill_and_survive), T(the_log_of_one_hot_node_is_kept_short),
      T(a_checkpoint_comes_after_so_many_transactions), T(a_checkpoint_comes_after_so_long_if_there_is_something_to_write))
