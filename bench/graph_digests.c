// Digests (graph/digest.h) at the graph layer: how long everything takes to be gone through, and what commits lose by it.
//
//   graph_digests SCRATCH_DIR [NODES [SECONDS [INTERVAL_MS]]]       SCRATCH_DIR exists and is empty
//
// As many relationships as nodes. One thread commits in groups of 256; the scrubber has a thread of its own, as in a server, and
// a range is asked for every INTERVAL_MS (5000: what a cluster does). Turns with and without, SECONDS each.
#include <sys/resource.h>

#include "base/rng.h"
#include "graph/digest.h"
#include "graph_bench_int.h"
#include "os/thread.h"

enum { GROUP = 256, TURNS = 3 };

static graph_token knows, name, age;
static struct rng rng;
static _Atomic bool over;

static double cpu_s(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (double) (r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double) (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void load(uint32_t nodes) {
  struct graph_tx *tx = begin();
  for (uint32_t i = 0; i < nodes; i++) {
    char text[32];
    struct graph_property p[] = {{name, v_str((struct str){text, (size_t) snprintf(text, sizeof text, "person %u", i)})},
                                 {age, v_int(i % 70)}};
    graph_id id;
    CHECK(graph_create_node(tx, NULL, 0, p, 2, &id, &e));
    CHECK(graph_create_rel(tx, id, id > 0 ? rng_below(&rng, id) : 0, knows, &p[1], 1, &id, &e));
    if (i % 5000 == 4999) settle(tx), tx = begin();
  }
  settle(tx);
}

static void go_through(void) {
  struct digest_result r;
  uint64_t ranges = 0, entities = 0;
  double cpu = cpu_s(), longest = 0;
  do {
    double start = now_s();
    CHECK(graph_digest_ask(g, 1, &e));
    CHECK(graph_settle(g, &e));
    graph_digest_last(g, &r);
    longest = now_s() - start > longest ? now_s() - start : longest;
    ranges++;
    entities += r.entities;
  } while (r.range.of != DIGEST_NAMES);
  cpu = cpu_s() - cpu;
  printf("everything: %llu entities in %llu ranges, %.2f s of processor time, %.2f us each; the longest range %.0f ms; every 5 "
         "s: %.0f s\n",
         (unsigned long long) entities, (unsigned long long) ranges, cpu, cpu * 1e6 / (double) entities, longest * 1e3,
         5.0 * (double) ranges);
}

static void *scrub(void *argument UNUSED) {
  struct error error = ERROR_INIT;
  while (!atomic_load(&over)) {
    bool more = true;
    while (more)
      if (graph_step(g, GRAPH_SCRUBBER, &more, &error) != ERR_OK) exit(1);
    thread_sleep_ns(NS_PER_MS);
  }
  return NULL;
}

static uint32_t commit_group(uint32_t nodes) {
  struct graph_tx *txs[GROUP];
  uint32_t n = 0;
  for (uint32_t i = 0; i < GROUP; i++) {
    uint64_t id;
    bool changed;
    struct graph_tx *tx = begin();
    bool taken = graph_set_property(tx, GRAPH_NODE, rng_below(&rng, nodes), age, v_int(i), &changed, &e) == ERR_OK &&
                 graph_tx_commit(tx, &id, &e) == ERR_WAIT;
    if (taken)
      txs[n++] = tx;
    else
      graph_tx_free(tx);
  }
  bool more = true;
  while (more) CHECK(graph_step(g, GRAPH_LOG_WRITER, &more, &e));
  for (more = true; more;) CHECK(graph_step(g, GRAPH_APPLIER, &more, &e));
  for (uint32_t i = 0; i < n; i++) {
    uint64_t id;
    CHECK(graph_tx_commit(txs[i], &id, &e));
    graph_tx_free(txs[i]);
  }
  return n;
}

/// Commits in a second.
static double turn(uint32_t nodes, double seconds, double interval_s, bool digests) {
  double start = now_s(), cpu = cpu_s(), asked = 0;
  uint64_t done = 0;
  while (now_s() - start < seconds) {
    if (digests && now_s() - asked >= interval_s) {
      asked = now_s();
      CHECK(graph_digest_ask(g, 1, &e));
    }
    done += commit_group(nodes);
  }
  double rate = (double) done / (now_s() - start);
  printf("digests %s  %8.0f commits/s  processor %.2f us each\n", digests ? "on " : "off", rate,
         (cpu_s() - cpu) * 1e6 / (double) done);
  return rate;
}

int main(int argc, char **argv) {
  uint32_t nodes = argc > 2 ? (uint32_t) atoi(argv[2]) : 1000000;
  double seconds = argc > 3 ? atof(argv[3]) : 15, interval_s = argc > 4 ? atof(argv[4]) / 1000 : 5, sums[2] = {0};
  struct thread scrubber;
  if (argc < 2) return 2;
  struct page_pool *pool = make_graph(argv[1], (size_t) 1 << 30);
  rng_seed(&rng, 3);
  knows = token(GRAPH_TYPE, "KNOWS"), name = token(GRAPH_KEY, "name"), age = token(GRAPH_KEY, "age");
  load(nodes);
  go_through();
  CHECK(thread_start(&scrubber, "scrubber", scrub, NULL, &e));
  for (int i = 0; i < 2 * TURNS; i++) sums[i % 2] += turn(nodes, seconds, interval_s, i % 2 == 1);
  printf("with digests / without: %.3f\n", sums[1] / sums[0]);
  atomic_store(&over, true);
  thread_join(&scrubber);
  graph_close(g);
  page_pool_close(pool);
  return 0;
}
