// A graph on a simulated disk, stepped by the test itself: what this module's tests begin with.
#pragma once

#include "base/test.h"

#include <string.h>

#include "base/mem.h"
#include "graph/graph.h"
#include "graph/stats.h"
#include "graph/tx.h"
#include "graph/view.h"
#include "graph/write.h"
#include "store/sim_disk.h"

struct bench {
  struct sim_disk *sim;
  struct clock_manual clock;
  struct random_seeded random;
  struct page_pool *pool;
  struct graph *g;
  struct error e;
  struct arena arena;
  // May be set before bench_make; 0: a page cache that holds everything, whose readers get copies that are overwritten when they
  // leave.
  size_t pool_bytes;
  unsigned pool_wait_ms;
  uint64_t checkpoint_bytes, checkpoint_entries, segment_bytes;
  int64_t checkpoint_ns;
  uint32_t digest_range_ids;
  bool replicated, read_only;
};

static inline void bench_open(struct bench *b) {
  struct graph_options o = {.disk = sim_disk_table(b->sim),
                            .clock = &b->clock.clock,
                            .random = &b->random.source,
                            .create = true,
                            .replicated = b->replicated,
                            .read_only = b->read_only};
  struct page_pool_options po = {.limit_bytes = b->pool_bytes > 0 ? b->pool_bytes : (size_t) 256 << 20,
                                 .poison = b->pool_bytes == 0,
                                 .wait_ms = b->pool_wait_ms};
  assert_ok(page_pool_open(&po, &b->pool, &b->e));
  o.pool = b->pool;
  o.log.segment_bytes = b->segment_bytes > 0 ? b->segment_bytes : 1 << 20;
  o.checkpoint_bytes = b->checkpoint_bytes;
  o.checkpoint_entries = b->checkpoint_entries;
  o.checkpoint_ns = b->checkpoint_ns;
  o.digest_range_ids = b->digest_range_ids;
  enum err err = graph_open("db", &o, &b->g, &b->e);
  if (err != ERR_OK) print_message("%s\n", b->e.message);
  assert_ok(err);
}

static inline void bench_close(struct bench *b) {
  graph_close(b->g);
  page_pool_close(b->pool);
}

/// A new, empty database; `b` is zero but for what may be set.
static inline void bench_make(struct bench *b) {
  b->e = ERROR_INIT;
  b->sim = sim_disk_new(7);
  assert_non_null(b->sim);
  clock_manual_init(&b->clock, INT64_C(1700000000) * NS_PER_S);
  random_seeded_init(&b->random, 7);
  arena_init(&b->arena, NULL);
  assert_ok(disk_make_directory(sim_disk_table(b->sim), "db", &b->e));
  bench_open(b);
}

static inline void bench_start(struct bench *b) {
  *b = (struct bench){0};
  bench_make(b);
}

static inline void bench_stop(struct bench *b) {
  bench_close(b);
  arena_done(&b->arena);
  sim_disk_free(b->sim);
}

static inline void bench_reopen(struct bench *b) {
  bench_close(b);
  bench_open(b);
}

/// Calls until it has not to wait any more, stepping the machines in between.
#define SETTLED(b, call)                                                                                                     \
  ({                                                                                                                         \
    enum err settled_;                                                                                                       \
    for (int tries_ = 0; (settled_ = (call)) == ERR_WAIT && tries_ < 50; tries_++) assert_ok(graph_settle((b)->g, &(b)->e)); \
    if (settled_ != ERR_OK) print_message("# %s: %s\n", #call, (b)->e.message);                                              \
    settled_;                                                                                                                \
  })
#define must(b, call) assert_ok(SETTLED(b, call))

static inline struct graph_tx *bench_begin(struct bench *b) {
  struct graph_tx *tx;
  assert_ok(graph_tx_begin(b->g, &(struct graph_tx_options){0}, &tx, &b->e));
  assert_ok(graph_tx_statement(tx, &b->e));
  return tx;
}

static inline uint64_t bench_commit(struct bench *b, struct graph_tx *tx) {
  uint64_t id = 0;
  must(b, graph_tx_commit(tx, &id, &b->e));
  graph_tx_free(tx);
  return id;
}

static inline graph_token bench_token(struct bench *b, enum graph_token_kind kind, const char *name) {
  struct graph_tx *tx = bench_begin(b);
  graph_token t;
  must(b, graph_token_make(tx, kind, str_of(name), &t, &b->e));
  graph_tx_rollback(tx);
  graph_tx_free(tx);
  return t;
}

static inline struct value bench_property(struct bench *b, struct graph_tx *tx, enum graph_read mode, enum graph_kind kind,
                                          graph_id id, graph_token key) {
  struct graph_view *v = graph_tx_view(tx, mode);
  struct vec column;
  graph_view_enter(v);
  must(b, graph_get_properties(v, kind, &id, 1, &key, 1, &b->arena, &column, &b->e));
  struct value value;
  assert_ok(value_copy(&b->arena, vec_get(&column, 0), &value, &b->e));
  graph_view_leave(v);
  return value;
}

static inline uint64_t bench_degree(struct bench *b, struct graph_tx *tx, enum graph_read mode, graph_id node,
                                    enum graph_direction d) {
  struct graph_view *v = graph_tx_view(tx, mode);
  uint64_t n;
  graph_view_enter(v);
  must(b, graph_degrees(v, &node, 1, d, GRAPH_ANY, &n, &b->e));
  graph_view_leave(v);
  return n;
}
