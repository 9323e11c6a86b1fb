// Real threads: clients that count together and read meanwhile, the machines stepped by a thread of their own. Meant for the
// thread sanitizer as well.
#include "graph/graph_int.h"
#include "graph/test_bench_int.h"
#include "os/thread.h"
#include "store/checkpoint.h"

enum { CLIENTS = 3, ROUNDS = 60 };

/// A mailbox: who waits sleeps on it.
struct mailbox {
  struct mutex mutex;
  struct condition condition;
  bool full;
};

struct party {
  struct bench b;
  graph_token n;
  graph_id counter;
  struct mailbox work; // for the machines
  _Atomic bool stop;
  _Atomic unsigned deadlocks;
};

struct client {
  struct party *p;
  struct thread thread;
  struct mailbox ready;
  struct error e;
};

static void mailbox_init(struct mailbox *m) {
  mutex_init(&m->mutex);
  condition_init(&m->condition);
  m->full = false;
}

static void mailbox_post(void *context) {
  struct mailbox *m = context;
  mutex_lock(&m->mutex);
  m->full = true;
  condition_signal(&m->condition);
  mutex_unlock(&m->mutex);
}

static void mailbox_take(struct mailbox *m) {
  mutex_lock(&m->mutex);
  while (!m->full) condition_wait(&m->condition, &m->mutex);
  m->full = false;
  mutex_unlock(&m->mutex);
}

static void work_ready(void *context, enum graph_machine machine UNUSED) {
  mailbox_post(&((struct party *) context)->work);
}

static void *run_machines(void *context) {
  struct party *p = context;
  struct error e = ERROR_INIT;
  while (!p->stop) {
    mailbox_take(&p->work);
    if (graph_settle(p->b.g, &e) != ERR_OK) return context;
    for (bool more = true; more;)
      if (graph_step(p->b.g, GRAPH_CHECKPOINTER, &more, &e) != ERR_OK) return context;
  }
  return NULL;
}

#define WAITED(c, tx, call)                             \
  ({                                                    \
    enum err waited_;                                   \
    while ((waited_ = (call)) == ERR_WAIT) {            \
      graph_tx_on_ready(tx, mailbox_post, &(c)->ready); \
      mailbox_take(&(c)->ready);                        \
    }                                                   \
    waited_;                                            \
  })

static int64_t read_counter(struct client *c, struct graph_tx *tx, enum graph_read mode) {
  struct graph_view *v = graph_tx_view(tx, mode);
  struct arena a;
  struct vec column;
  int64_t n = -1;
  arena_init(&a, NULL);
  graph_view_enter(v);
  if (graph_get_properties(v, GRAPH_NODE, &c->p->counter, 1, &c->p->n, 1, &a, &column, &c->e) == ERR_OK)
    n = vec_get(&column, 0).i;
  graph_view_leave(v);
  arena_done(&a);
  return n;
}

static enum err count_one(struct client *c, struct graph_tx *tx) {
  graph_id id = c->p->counter, fresh;
  bool changed;
  uint64_t ignored;
  TRY(graph_tx_statement(tx, &c->e));
  TRY(WAITED(c, tx, graph_lock(tx, GRAPH_NODE, &id, 1, GRAPH_LOCK_EXCLUSIVE, &c->e)));
  int64_t n = read_counter(c, tx, GRAPH_READ_CURRENT);
  TRY(WAITED(c, tx, graph_set_property(tx, GRAPH_NODE, id, c->p->n, v_int(n + 1), &changed, &c->e)));
  TRY(WAITED(c, tx, graph_create_node(tx, NULL, 0, NULL, 0, &fresh, &c->e)));
  return WAITED(c, tx, graph_tx_commit(tx, &ignored, &c->e));
}

static void *run_client(void *context) {
  struct client *c = context;
  int64_t last = 0;
  uint8_t uuid[16];
  memcpy(uuid, graph_uuid(c->p->b.g), sizeof uuid);
  for (int i = 0; i < ROUNDS; i++) {
    struct graph_tx *tx;
    if (memcmp(uuid, graph_uuid(c->p->b.g), sizeof uuid) != 0) return context; // whatever a checkpoint writes
    if (graph_tx_begin(c->p->b.g, &(struct graph_tx_options){0}, &tx, &c->e) != ERR_OK) return context;
    enum err err = graph_tx_statement(tx, &c->e);
    int64_t n = read_counter(c, tx, GRAPH_READ_SNAPSHOT);
    if (n < last) return context; // what was committed is seen from then on
    last = n;
    if (err == ERR_OK) err = count_one(c, tx);
    graph_tx_free(tx);
    if (err != ERR_OK) return context;
  }
  return NULL;
}

TEST(clients_on_threads_lose_no_increment) {
  struct party *p = mem_zalloc(sizeof *p);
  struct client clients[CLIENTS];
  struct thread machines;
  bench_start(&p->b);
  p->n = bench_token(&p->b, GRAPH_KEY, "n");
  struct graph_tx *tx = bench_begin(&p->b);
  struct graph_property zero = {p->n, v_int(0)};
  must(&p->b, graph_create_node(tx, NULL, 0, &zero, 1, &p->counter, &p->b.e));
  bench_commit(&p->b, tx);
  mailbox_init(&p->work);
  p->b.g->options.work_ready = work_ready;
  p->b.g->options.checkpoint_bytes = 16 << 10; // often
  p->b.g->options.context = p;
  assert_ok(thread_start(&machines, "machines", run_machines, p, &p->b.e));
  for (int i = 0; i < CLIENTS; i++) {
    clients[i] = (struct client){.p = p, .e = ERROR_INIT};
    mailbox_init(&clients[i].ready);
    assert_ok(thread_start(&clients[i].thread, "client", run_client, &clients[i], &p->b.e));
  }
  for (int i = 0; i < CLIENTS; i++) {
    void *failed = thread_join(&clients[i].thread);
    if (failed != NULL) print_message("client: %s\n", clients[i].e.message);
    assert_null(failed);
  }
  p->stop = true;
  mailbox_post(&p->work);
  assert_null(thread_join(&machines));
  struct checkpoint_status checkpoints;
  checkpoint_status(graph_store(p->b.g), &checkpoints);
  assert_true(checkpoints.sequence > 2);
  bench_reopen(&p->b);
  tx = bench_begin(&p->b);
  assert_int_equal(bench_property(&p->b, tx, GRAPH_READ_SNAPSHOT, GRAPH_NODE, p->counter, p->n).i, CLIENTS * ROUNDS);
  graph_tx_free(tx);
  bench_stop(&p->b);
  mem_free(p);
}

TESTS(T(clients_on_threads_lose_no_increment))
