// Small commits at the graph layer: a third creates a node, a third a relationship, a third sets a property; many for each sync.
//
//   graph_commits SCRATCH_DIR [GROUP [COMMITS [NODES]]]       SCRATCH_DIR exists and is empty
//
// One thread begins and submits GROUP transactions, then steps log writer and applier, then takes the outcomes; prints what each
// of these took. Then the same as a server does it: the log writer on a thread of its own, so that one group is begun and applied
// while another is synced. For a profile of the first: valgrind --tool=callgrind --toggle-collect=measure.
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/rng.h"
#include "graph_bench_int.h"
#include "os/thread.h"

enum { GROUP_MAX = 4096 };

static graph_token knows, age;
static struct rng rng;

/// Processor time of the process: what counts where the disk decides the rest.
static double cpu_s(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return (double) (r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double) (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void load(uint32_t nodes) {
  struct graph_tx *tx = begin();
  for (uint32_t i = 0; i < nodes; i++) {
    struct graph_property p = {age, v_int(i % 70)};
    graph_id id;
    CHECK(graph_create_node(tx, NULL, 0, &p, 1, &id, &e));
    if (i % 5000 == 4999) settle(tx), tx = begin();
  }
  settle(tx);
}

/// False if a lock is held by another of the group: that one is left out.
static bool write_something(struct graph_tx *tx, uint32_t which, uint32_t nodes) {
  graph_id id, a = rng_below(&rng, nodes), b = rng_below(&rng, nodes);
  bool changed;
  enum err err = which % 3 == 0   ? graph_create_node(tx, NULL, 0, NULL, 0, &id, &e)
                 : which % 3 == 1 ? graph_create_rel(tx, a, b, knows, NULL, 0, &id, &e)
                                  : graph_set_property(tx, GRAPH_NODE, a, age, v_int(which), &changed, &e);
  if (err == ERR_WAIT) return false;
  CHECK(err);
  return true;
}

struct times {
  double submit, log, apply, outcome;
};

static void step(enum graph_machine machine) {
  bool more = true;
  while (more) CHECK(graph_step(g, machine, &more, &e));
}

struct batch {
  struct graph_tx *txs[GROUP_MAX];
  uint32_t n;
};

static void submit(struct batch *b, uint32_t group, uint32_t nodes) {
  uint64_t id;
  b->n = 0;
  for (uint32_t i = 0; i < group; i++) {
    struct graph_tx *tx = begin();
    if (write_something(tx, i, nodes) && graph_tx_commit(tx, &id, &e) == ERR_WAIT)
      b->txs[b->n++] = tx;
    else
      graph_tx_free(tx);
  }
}

static void take_outcomes(struct batch *b) {
  uint64_t id;
  for (uint32_t i = 0; i < b->n; i++) {
    CHECK(graph_tx_commit(b->txs[i], &id, &e));
    graph_tx_free(b->txs[i]);
  }
}

static uint32_t commit_group(uint32_t group, uint32_t nodes, struct times *t) {
  static struct batch b;
  double start = now_s();
  submit(&b, group, nodes);
  double submitted = now_s();
  step(GRAPH_LOG_WRITER);
  double logged = now_s();
  step(GRAPH_APPLIER);
  double applied = now_s();
  take_outcomes(&b);
  t->submit += submitted - start;
  t->log += logged - submitted;
  t->apply += applied - logged;
  t->outcome += now_s() - applied;
  return b.n;
}

static __attribute__((noinline)) void measure(uint32_t group, uint32_t count, uint32_t nodes) {
  rng_seed(&rng, 3);
  struct times t = {0};
  double start = now_s(), cpu = cpu_s();
  uint32_t done = 0;
  while (done < count) done += commit_group(group, nodes, &t);
  double wall = now_s() - start, us = 1e6 / done;
  printf("commits, %4u a sync  %8.0f /s   processor %.2f us each   wall: submit %.2f, log %.2f, apply %.2f, outcome %.2f us\n",
         group, done / wall, (cpu_s() - cpu) * us, t.submit * us, t.log * us, t.apply * us, t.outcome * us);
}

// ---- with the log writer on a thread of its own ----

/// The baton between the two threads: rounds asked for and rounds done.
static struct writer {
  struct thread thread;
  struct mutex mutex;
  struct condition changed;
  uint64_t asked, done;
  bool stops;
} writer;

static void *write_log(void *argument) {
  struct writer *w = argument;
  struct error error = ERROR_INIT;
  bool more;
  mutex_lock(&w->mutex);
  while (!w->stops || w->done < w->asked) {
    if (w->done == w->asked) {
      condition_wait(&w->changed, &w->mutex);
      continue;
    }
    mutex_unlock(&w->mutex);
    if (graph_step(g, GRAPH_LOG_WRITER, &more, &error) != ERR_OK) {
      fprintf(stderr, "log writer: %s\n", error.message);
      exit(1);
    }
    mutex_lock(&w->mutex);
    w->done++;
    condition_signal(&w->changed);
  }
  mutex_unlock(&w->mutex);
  return NULL;
}

/// Asks for one more round; waits until the one before it is done.
static void next_round(struct writer *w) {
  mutex_lock(&w->mutex);
  w->asked++;
  condition_signal(&w->changed);
  while (w->done + 1 < w->asked) condition_wait(&w->changed, &w->mutex);
  mutex_unlock(&w->mutex);
}

static void measure_pipelined(uint32_t group, uint32_t count, uint32_t nodes) {
  static struct batch batches[2];
  mutex_init(&writer.mutex);
  condition_init(&writer.changed);
  CHECK(thread_start(&writer.thread, "log", write_log, &writer, &e));
  double start = now_s(), cpu = cpu_s();
  uint32_t done = 0;
  for (uint64_t round = 0; done < count; round++) {
    struct batch *fresh = &batches[round % 2], *synced = &batches[(round + 1) % 2];
    submit(fresh, group, nodes);
    next_round(&writer); // of `fresh`; that of `synced` is done
    step(GRAPH_APPLIER);
    take_outcomes(synced);
    done += synced->n;
    synced->n = 0;
  }
  double wall = now_s() - start;
  printf("  log on a thread     %8.0f /s   processor %.2f us each\n", done / wall, (cpu_s() - cpu) * 1e6 / done);
  mutex_lock(&writer.mutex);
  writer.stops = true;
  condition_signal(&writer.changed);
  mutex_unlock(&writer.mutex);
  thread_join(&writer.thread);
  CHECK(graph_settle(g, &e));
  for (int i = 0; i < 2; i++) take_outcomes(&batches[i]);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: graph_commits SCRATCH_DIR [GROUP [COMMITS [NODES]]]\n");
    return 2;
  }
  uint32_t group = argc > 2 ? (uint32_t) strtoul(argv[2], NULL, 10) : 32,
           count = argc > 3 ? (uint32_t) strtoul(argv[3], NULL, 10) : 64000;
  uint32_t nodes = argc > 4 ? (uint32_t) strtoul(argv[4], NULL, 10) : 100000;
  group = MIN(MAX(group, 1u), (uint32_t) GROUP_MAX);
  struct page_pool *pool = make_graph(argv[1], (size_t) 1 << 30);
  knows = token(GRAPH_TYPE, "KNOWS");
  age = token(GRAPH_KEY, "age");
  load(nodes);
  measure(group, count, nodes);
  measure_pipelined(group, count, nodes);
  graph_close(g);
  page_pool_close(pool);
  return 0;
}
