// What it costs to hand a statement on: RUN and PULL of one row by sessions on another server (bolt/remote.h), beside
// bolt_client, which asks the same server directly.
//
//   bolt_remote ADDRESS SESSIONS SECONDS [QUERY]
//
// ADDRESS is a routing port; nobody is logged in ("none"). Each session does one statement after another. Prints statements a
// second, and the median and the slowest hundredth of their times in microseconds.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bolt/remote.h"
#include "os/clock.h"
#include "os/thread.h"

enum { TIMES_MAX = 1 << 22 };

struct bench;

struct asker {
  struct bench *bench;
  struct dbms_remote_session *session;
  struct dbms_op op;
  struct row_sink sink;
  bool full;
  int64_t began_ns;
};

struct bench {
  struct dbms_remote *remote;
  struct str query;
  int64_t end_ns;
  struct mutex mutex; // what follows
  struct condition changed;
  uint32_t running, count;
  int64_t *times_ns;
};

static int64_t now_ns(void) {
  return clock_monotonic_ns(clock_system());
}

static void die(const struct error *e) {
  fprintf(stderr, "bolt_remote: %s\n", e->message);
  exit(1);
}

static enum err take_row(struct row_sink *sink UNUSED, const struct vec *columns UNUSED, uint32_t width UNUSED,
                         const uint32_t *sel UNUSED, uint32_t rows UNUSED, struct error *e UNUSED) {
  return ERR_OK;
}

static void ask(struct asker *a) {
  a->op = (struct dbms_op){.kind = DBMS_RUN, .done = a->op.done, .context = a};
  a->op.run.query = a->bench->query;
  a->op.run.auto_commit = true;
  a->op.run.tx.timeout_ms = -1;
  a->began_ns = now_ns();
  a->bench->remote->submit(a->session, &a->op);
}

static void pull(struct asker *a) {
  a->op = (struct dbms_op){.kind = DBMS_PULL, .done = a->op.done, .context = a};
  a->op.pull.rows = -1;
  a->op.pull.sink = &a->sink;
  a->op.pull.sink_full = &a->full;
  a->bench->remote->submit(a->session, &a->op);
}

/// False: the time is over.
static bool note_time(struct bench *b, int64_t ns) {
  mutex_lock(&b->mutex);
  bool goes_on = now_ns() < b->end_ns && b->count < TIMES_MAX;
  b->times_ns[b->count++] = ns;
  if (!goes_on && --b->running == 0) condition_signal(&b->changed);
  mutex_unlock(&b->mutex);
  return goes_on;
}

static void on_done(struct dbms_op *op) {
  struct asker *a = op->context;
  if (op->err != ERR_OK) die(&op->error);
  if (op->kind == DBMS_RUN)
    pull(a);
  else if (op->kind == DBMS_LOGIN || note_time(a->bench, now_ns() - a->began_ns))
    ask(a);
}

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
  return x < y ? -1 : x > y;
}

static void start(struct bench *b, struct asker *askers, uint32_t count, struct str address) {
  static const struct dbms_client who = {.user_agent = {"bench", 5}, .neo4j_major = 5};
  struct error e = ERROR_INIT;
  for (uint32_t i = 0; i < count; i++) {
    struct asker *a = &askers[i];
    *a = (struct asker){.bench = b, .sink.push = take_row, .op = {.kind = DBMS_LOGIN, .done = on_done, .context = a}};
    if (b->remote->open(b->remote, address, &who, &a->session, &e) != ERR_OK) die(&e);
    b->remote->submit(a->session, &a->op);
  }
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "bolt_remote ADDRESS SESSIONS SECONDS [QUERY]\n");
    return 2;
  }
  struct error e = ERROR_INIT;
  struct bolt_remote_options options = {.threads = 2, .random = random_system()};
  uint32_t count = (uint32_t) atoi(argv[2]);
  struct bench b = {.query = str_of(argc > 4 ? argv[4] : "RETURN 1 AS n"), .running = count};
  struct asker *askers = calloc(count, sizeof *askers);
  b.times_ns = malloc((TIMES_MAX + 1024) * sizeof *b.times_ns);
  b.end_ns = now_ns() + (int64_t) (atof(argv[3]) * 1e9);
  mutex_init(&b.mutex);
  condition_init(&b.changed);
  if (askers == NULL || b.times_ns == NULL || count == 0 || count > 1024) return 2;
  if (bolt_remote_new(&options, &b.remote, &e) != ERR_OK) die(&e);
  int64_t began_ns = now_ns();
  start(&b, askers, count, str_of(argv[1]));
  mutex_lock(&b.mutex);
  while (b.running > 0) condition_wait(&b.changed, &b.mutex);
  mutex_unlock(&b.mutex);
  double seconds = (double) (now_ns() - began_ns) * 1e-9;
  qsort(b.times_ns, b.count, sizeof *b.times_ns, by_size);
  printf("%.0f statements a second, median %.1f us, slowest hundredth %.1f us\n", (double) b.count / seconds,
         (double) b.times_ns[b.count / 2] * 1e-3, (double) b.times_ns[(uint64_t) b.count * 99 / 100] * 1e-3);
  for (uint32_t i = 0; i < count; i++) b.remote->free(askers[i].session);
  bolt_remote_free(b.remote);
  free(askers);
  free(b.times_ns);
  return 0;
}
