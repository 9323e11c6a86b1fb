// Two hops over a graph on disk of which nothing is in memory: the frontier expanded node by node, and all of it in one call, which reads
// its pages together. Not a test: `ninja -C build src/graph/graph_cold && build/src/graph/graph_cold DIR [NODES [RELATIONSHIPS]]`
//
// Prints for each way: microseconds a seed, pages read, in how many submissions; and the ratio.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "graph/graph.h"
#include "graph/tx.h"
#include "graph/view.h"
#include "graph/write.h"

enum { SEEDS = 300, COMMIT = 5000, POOL_BYTES = 2 << 20 };

struct bench {
  struct page_pool *pool;
  struct graph *g;
  struct graph_options options;
  const char *directory;
  uint64_t nodes, rels;
};

static void must(enum err err, const struct error *e) {
  if (err == ERR_OK) return;
  fprintf(stderr, "graph_cold: %s: %s\n", err_name(err), e->message);
  exit(1);
}

static void no_work(void *context UNUSED, enum graph_machine machine UNUSED) {
}

static void open_cold(struct bench *b) {
  struct error e = ERROR_INIT;
  struct page_pool_options pool = {.limit_bytes = POOL_BYTES};
  must(page_pool_open(&pool, &b->pool, &e), &e);
  b->options = (struct graph_options){.disk = disk_system(),
                                      .clock = clock_system(),
                                      .random = random_system(),
                                      .pool = b->pool,
                                      .create = true,
                                      .direct = true,
                                      .work_ready = no_work};
  must(graph_open(b->directory, &b->options, &b->g, &e), &e);
}

static void close_all(struct bench *b) {
  graph_close(b->g);
  page_pool_close(b->pool);
}

static struct graph_tx *begin(struct bench *b) {
  struct error e = ERROR_INIT;
  struct graph_tx *tx;
  must(graph_tx_begin(b->g, &(struct graph_tx_options){0}, &tx, &e), &e);
  must(graph_tx_statement(tx, &e), &e);
  return tx;
}

static void commit(struct bench *b, struct graph_tx *tx) {
  struct error e = ERROR_INIT;
  uint64_t id;
  enum err err;
  while ((err = graph_tx_commit(tx, &id, &e)) == ERR_WAIT) must(graph_settle(b->g, &e), &e);
  must(err, &e);
  graph_tx_free(tx);
  bool more = true;
  while (more) must(graph_step(b->g, GRAPH_CHECKPOINTER, &more, &e), &e);
}

static void load(struct bench *b) {
  struct error e = ERROR_INIT;
  struct rng rng;
  graph_token type;
  graph_id id;
  rng_seed(&rng, 11);
  struct graph_tx *tx = begin(b);
  enum err err;
  while ((err = graph_token_make(tx, GRAPH_TYPE, STR("KNOWS"), &type, &e)) == ERR_WAIT) must(graph_settle(b->g, &e), &e);
  must(err, &e);
  commit(b, tx);
  for (uint64_t i = 0; i < b->nodes + b->rels;) {
    tx = begin(b);
    for (uint64_t end = MIN(i + COMMIT, b->nodes + b->rels); i < end; i++) {
      if (i < b->nodes)
        must(graph_create_node(tx, NULL, 0, NULL, 0, &id, &e), &e);
      else
        must(graph_create_rel(tx, rng_below(&rng, b->nodes), rng_below(&rng, b->nodes), type, NULL, 0, &id, &e), &e);
    }
    commit(b, tx);
  }
  must(graph_checkpoint(b->g, &e), &e);
}

/// Neighbours of `nodes`, `at_once` of them in a call; their number, or into `ret` if that is not NULL.
static uint64_t hop(struct graph_view *v, const graph_id *nodes, uint32_t n, uint32_t at_once, struct arena *a, graph_id *ret) {
  struct error e = ERROR_INIT;
  uint64_t count = 0;
  for (uint32_t at = 0; at < n;) {
    struct graph_expansion x;
    arena_reset(a);
    must(graph_expand(v, nodes + at, MIN(at_once, n - at), GRAPH_OUT, NULL, 0, a, &x, &e), &e);
    for (uint32_t s = 0; s < x.first[x.done]; s++)
      for (uint32_t i = 0; i < x.slices[s].count; i++, count++)
        if (ret != NULL) ret[count] = graph_slice_neighbour(&x.slices[s], i);
    at += x.done;
  }
  return count;
}

static double two_hops(struct bench *b, uint32_t at_once, uint64_t *ret_paths) {
  static graph_id frontier[1 << 16];
  struct rng rng;
  struct arena a;
  open_cold(b);
  rng_seed(&rng, 5);
  arena_init(&a, NULL);
  struct graph_tx *tx = begin(b);
  struct graph_view *v = graph_tx_view(tx, GRAPH_READ_SNAPSHOT);
  struct page_pool_stats before, after;
  page_pool_stats(b->pool, &before);
  int64_t start_ns = clock_monotonic_ns(clock_system());
  *ret_paths = 0;
  for (int i = 0; i < SEEDS; i++) {
    graph_id seed = rng_below(&rng, b->nodes);
    graph_view_enter(v);
    uint64_t n = hop(v, &seed, 1, 1, &a, frontier);
    *ret_paths += hop(v, frontier, (uint32_t) n, at_once, &a, NULL);
    graph_view_leave(v);
  }
  double us = (double) (clock_monotonic_ns(clock_system()) - start_ns) / 1000 / SEEDS;
  page_pool_stats(b->pool, &after);
  printf("%-28s %9.0f us a seed, %8.1f pages read, %7.1f submissions of %.1f\n", at_once == 1 ? "one by one" : "the frontier in one call", us,
         (double) (after.reads - before.reads) / SEEDS,
         (double) (after.reads - after.batched_reads - before.reads + before.batched_reads + after.batches - before.batches) / SEEDS,
         (double) (after.reads - before.reads) /
             (double) (after.reads - after.batched_reads - before.reads + before.batched_reads + after.batches - before.batches));
  graph_tx_free(tx);
  arena_done(&a);
  close_all(b);
  return us;
}

int main(int argc, char **argv) {
  struct bench b = {.directory = argc > 1 ? argv[1] : "", .nodes = 200000, .rels = 4000000};
  if (argc < 2) {
    fprintf(stderr, "usage: graph_cold DIR [NODES [RELATIONSHIPS]]\n");
    return 2;
  }
  if (argc > 2) b.nodes = strtoull(argv[2], NULL, 10);
  if (argc > 3) b.rels = strtoull(argv[3], NULL, 10);
  open_cold(&b);
  load(&b);
  close_all(&b);
  for (int round = 0; round < 3; round++) {
    uint64_t alone, together;
    double slow = two_hops(&b, 1, &alone), fast = two_hops(&b, UINT32_MAX, &together);
    if (alone != together) return 1;
    printf("%llu paths; ratio %.1f\n", (unsigned long long) together, slow / fast);
  }
  return 0;
}
