// A graph on the machine's own disk, stepped by the one thread that measures: what graph_commits.c and graph_layers.c begin with.
// A mistake ends the program.
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "graph/graph.h"
#include "graph/tx.h"
#include "graph/view.h"
#include "graph/write.h"

#define CHECK(call)                                                        \
  do {                                                                     \
    enum err check_ = (call);                                              \
    if (check_ != ERR_OK) {                                                \
      fprintf(stderr, "%s: %s: %s\n", #call, err_name(check_), e.message); \
      exit(1);                                                             \
    }                                                                      \
  } while (0)

static struct error e;
static struct graph *g;

static double now_s(void) {
  return (double) clock_monotonic_ns(clock_system()) / 1e9;
}

/// A new graph in an empty folder.
static struct page_pool *make_graph(const char *directory, size_t pool_bytes) {
  struct page_pool *pool;
  e = ERROR_INIT;
  CHECK(page_pool_open(&(struct page_pool_options){.limit_bytes = pool_bytes}, &pool, &e));
  struct graph_options o = {
      .disk = disk_system(), .clock = clock_system(), .random = random_system(), .pool = pool, .create = true};
  CHECK(graph_open(directory, &o, &g, &e));
  return pool;
}

static struct graph_tx *begin(void) {
  struct graph_tx *tx;
  CHECK(graph_tx_begin(g, &(struct graph_tx_options){0}, &tx, &e));
  CHECK(graph_tx_statement(tx, &e));
  return tx;
}

/// Commits and waits until it is published.
static void settle(struct graph_tx *tx) {
  uint64_t id;
  enum err err;
  while ((err = graph_tx_commit(tx, &id, &e)) == ERR_WAIT) CHECK(graph_settle(g, &e));
  CHECK(err);
  graph_tx_free(tx);
}

static graph_token token(enum graph_token_kind kind, const char *name) {
  struct graph_tx *tx = begin();
  graph_token t;
  enum err err;
  while ((err = graph_token_make(tx, kind, str_of(name), &t, &e)) == ERR_WAIT) CHECK(graph_settle(g, &e));
  CHECK(err);
  graph_tx_free(tx);
  return t;
}
