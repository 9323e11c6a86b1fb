// A client's connection to a server, without the bytes of Bolt: a thread on the server's side does what a front door does with a
// session; each way takes the link's time, is cut where the link is cut, and ends with the server.
#include "server_line.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/mem.h"
#include "dbms/session.h"
#include "value/value.h"

enum { CONNECT_MS = 1500, POLL_MS = 20 };

/// In the world's memory: it outlives both sides.
struct session_line {
  struct session_line *next;
  struct product_server *server;
  const struct process *client;
  struct fiber *worker;
  struct fiber *caller;   // who waits for an answer; NULL: nobody
  struct request request; // while it is asked
  struct answer *answer;  // the caller's; NULL: it listens no more
  bool asked, answered;
  bool closed; // by the client
  bool lost;   // the server is gone, and that is known here
  bool silent; // the server is gone, and that is not known here before it is back
  uint32_t lives;
};

static struct session_line *lines;

void session_lines_new_world(void) {
  lines = NULL;
}

static void wake_caller(struct session_line *l) {
  if (l->caller != NULL) fiber_wake(l->caller);
}

// ---- the server's side ----

/// One operation at a time; what it points to lies here until it is done.
struct worker {
  struct session_line *line;
  struct dbms_session *session;
  struct dbms_op op;
  struct row_sink sink;
  bool done, ready;
  struct request request;
  struct answer answer;
  struct str bookmark;
  struct value_entry parameters[PARAMETERS_MAX];
};

static void on_done(struct dbms_op *op) {
  struct worker *w = op->context;
  w->done = true;
  fiber_wake(w->line->worker);
}

static void on_ready(struct dbms_op *op) {
  struct worker *w = op->context;
  w->ready = true;
  fiber_wake(w->line->worker);
}

static uint64_t hash_value(const struct value *v, uint64_t seed);

static uint64_t hash_entries(const struct value_entry *entries, uint32_t n, uint64_t seed) {
  for (uint32_t i = 0; i < n; i++) seed = hash_value(&entries[i].value, hash64(entries[i].key.ptr, entries[i].key.len, seed));
  return seed;
}

static uint64_t hash_value(const struct value *v, uint64_t seed) {
  seed = hash64(&(uint64_t){v->type}, sizeof(uint64_t), seed);
  switch (v->type) {
  case VALUE_STRING: return hash64(v->s, v->len, seed);
  case VALUE_LIST:
    for (uint32_t i = 0; i < v->len; i++) seed = hash_value(&v->items[i], seed);
    return seed;
  case VALUE_MAP: return hash_entries(v->entries, v->len, seed);
  case VALUE_NODE:
    for (uint32_t i = 0; i < v->node->label_count; i++) seed = hash64(v->node->labels[i].ptr, v->node->labels[i].len, seed);
    return hash_entries(v->node->properties, v->node->property_count, hash64(&v->node->id, 8, seed));
  case VALUE_REL:
    seed = hash64(&(uint64_t[3]){v->rel->id, v->rel->start, v->rel->end}, 24, seed);
    return hash_entries(v->rel->properties, v->rel->property_count, hash64(v->rel->type.ptr, v->rel->type.len, seed));
  case VALUE_NULL: return seed;
  default: return hash64(&v->i, sizeof v->i, seed);
  }
}

static void take_number(struct answer *c, const struct value *v) {
  if (v->type == VALUE_LIST) {
    for (uint32_t i = 0; i < v->len; i++) take_number(c, &v->items[i]);
  } else if (v->type == VALUE_INT && c->number_count < NUMBERS_MAX) {
    c->numbers[c->number_count++] = v->i;
  }
}

static enum err on_rows(struct row_sink *sink, const struct vec *columns, uint32_t width, const uint32_t *sel, uint32_t rows,
                        struct error *e UNUSED) {
  struct worker *w = CONTAINER_OF(sink, struct worker, sink);
  struct answer *c = &w->answer;
  for (uint32_t r = 0; r < rows; r++) {
    uint64_t hash = 1;
    for (uint32_t i = 0; i < width; i++) {
      struct value v = vec_get(&columns[i], sel != NULL ? sel[r] : r);
      take_number(c, &v);
      hash = hash_value(&v, hash);
    }
    c->hash += hash;
    c->row_count++;
  }
  return ERR_OK;
}

/// To its end; interrupted when the client is gone.
static enum err perform(struct worker *w, struct dbms_op op) {
  w->op = op;
  w->op.context = w;
  w->op.done = on_done;
  w->op.ready = rng_chance(world_rng(), 1, 2) ? on_ready : NULL;
  w->done = w->ready = false;
  bool finished = dbms_session_submit(w->session, &w->op), interrupted = false;
  while (!finished && !w->done) {
    if (w->line->closed && !interrupted) dbms_session_interrupt(w->session, ERR_TX_TERMINATED);
    interrupted = w->line->closed;
    if (w->ready) {
      w->ready = false;
      finished = dbms_session_resume(w->session);
    } else {
      fiber_park(POLL_MS * NS_PER_MS);
    }
  }
  return w->op.err;
}

static struct dbms_tx_options tx_options(struct worker *w, const struct request *c) {
  w->bookmark = str_of(c->bookmark);
  return (struct dbms_tx_options){.database = str_of(c->database),
                                  .bookmarks = &w->bookmark,
                                  .bookmark_count = c->bookmark[0] != '\0',
                                  .timeout_ms = -1,
                                  .read_only = c->read_only};
}

static struct dbms_op run_op(struct worker *w, const struct request *c) {
  for (uint32_t i = 0; i < c->parameter_count; i++)
    w->parameters[i] = (struct value_entry){str_of(c->parameters[i].name), v_int(c->parameters[i].number)};
  return (struct dbms_op){.kind = DBMS_RUN,
                          .run = {.query = str_of(c->query),
                                  .parameters = v_map(w->parameters, c->parameter_count),
                                  .tx = tx_options(w, c),
                                  .auto_commit = c->kind == CALL_AUTO}};
}

static void put_bookmark(char to[BOOKMARK_MAX], struct str bookmark) {
  snprintf(to, BOOKMARK_MAX, "%.*s", STR_ARG(bookmark));
}

static enum err run_and_pull(struct worker *w, const struct request *c) {
  TRY(perform(w, run_op(w, c)));
  TRY(perform(w, (struct dbms_op){.kind = DBMS_PULL, .pull = {.result = w->op.ran.result, .rows = -1, .sink = &w->sink}}));
  if (c->kind == CALL_AUTO) put_bookmark(w->answer.bookmark, w->op.pulled.summary.bookmark);
  return ERR_OK;
}

static uint32_t put_addresses(uint32_t to[ADDRESSES_MAX], const struct str *addresses, uint32_t n) {
  n = MIN(n, (uint32_t) ADDRESSES_MAX);
  for (uint32_t i = 0; i < n; i++) to[i] = (uint32_t) strtoul(addresses[i].ptr + strcspn(addresses[i].ptr, "0123456789"), NULL, 10);
  return n;
}

static enum err route(struct worker *w) {
  struct answer *c = &w->answer;
  TRY(perform(w, (struct dbms_op){.kind = DBMS_ROUTE, .route.database = str_of(w->request.database)}));
  const struct dbms_routing_table *t = &w->op.routed;
  c->writer_count = put_addresses(c->writers, t->writers, t->writer_count);
  c->reader_count = put_addresses(c->readers, t->readers, t->reader_count);
  c->router_count = put_addresses(c->routers, t->routers, t->router_count);
  return ERR_OK;
}

static enum err obey(struct worker *w) {
  const struct request *r = &w->request;
  switch (r->kind) {
  case CALL_BEGIN: return perform(w, (struct dbms_op){.kind = DBMS_BEGIN, .begin = tx_options(w, r)});
  case CALL_AUTO:
  case CALL_RUN: return run_and_pull(w, r);
  case CALL_COMMIT:
    TRY(perform(w, (struct dbms_op){.kind = DBMS_COMMIT}));
    put_bookmark(w->answer.bookmark, w->op.committed.bookmark);
    return ERR_OK;
  case CALL_ROLLBACK: return perform(w, (struct dbms_op){.kind = DBMS_ROLLBACK});
  case CALL_RESET: return perform(w, (struct dbms_op){.kind = DBMS_RESET});
  case CALL_ROUTE: return route(w);
  }
  return ERR_INTERNAL;
}

/// Most answers have a number or none.
static void copy_answer(struct answer *to, const struct answer *from) {
  memcpy(to, from, offsetof(struct answer, numbers) + from->number_count * sizeof from->numbers[0]);
}

static void answer(struct worker *w) {
  struct session_line *l = w->line;
  w->request = l->request;
  memset(&w->answer, 0, offsetof(struct answer, numbers));
  w->answer.err = obey(w);
  w->answer.error = w->op.error;
  if (l->answer == NULL) return;
  copy_answer(l->answer, &w->answer);
  l->answered = true;
  wake_caller(l);
}

static void serve(struct worker *w) {
  struct session_line *l = w->line;
  const struct dbms_client client = {.connector = STR("bolt"), .connection_id = STR("bolt-1"), .neo4j_major = 5};
  if (dbms_session_new(l->server->dbms, &client, &w->session, NULL) != ERR_OK) return;
  (void) perform(w, (struct dbms_op){.kind = DBMS_LOGIN});
  while (!l->closed && !l->server->stopping) {
    if (l->asked) {
      l->asked = false;
      answer(w);
    } else {
      fiber_park(10 * POLL_MS * NS_PER_MS);
    }
  }
  dbms_session_free(w->session);
}

static void *work(void *argument) {
  struct worker *w = mem_zalloc(sizeof *w);
  struct session_line *l = argument;
  if (w == NULL) abort();
  *w = (struct worker){.line = l, .sink.push = on_rows};
  serve(w);
  l->server->lines--;
  l->worker = NULL;
  l->lost = true; // a server that stops closes its connections
  wake_caller(l);
  mem_free(w);
  return NULL;
}

// ---- the client's side ----

static bool is_cut(const struct session_line *l) {
  const struct process *server = l->server->process;
  return world_link(l->client, server)->cut || world_link(server, l->client)->cut;
}

static bool is_lost(const struct session_line *l) {
  bool came_back = l->silent && process_is_alive(l->server->process); // and does not know it
  return l->lost || came_back;
}

struct session_line *session_line_open(struct product_server *s, const struct process *from) {
  struct session_line *l = mem_zalloc(sizeof *l);
  if (l == NULL) abort();
  *l = (struct session_line){.server = s, .client = from};
  fiber_sleep(2 * world_link_delay(from, s->process));
  if (is_cut(l)) {
    fiber_sleep(CONNECT_MS * NS_PER_MS);
    mem_free(l);
    return NULL;
  }
  if (!process_is_alive(s->process) || !s->open || s->stopping) {
    mem_free(l);
    return NULL;
  }
  l->next = lines;
  lines = l;
  s->lines++;
  l->lives = process_lives(s->process);
  l->worker = fiber_start(s->process, "bolt", work, l);
  fiber_detach(l->worker);
  return l;
}

/// One way of the link, as soon as it lets something through. False: not before `until_ns`.
static bool travel(struct session_line *l, int64_t delay_ns, int64_t until_ns) {
  fiber_sleep(delay_ns);
  while (is_cut(l) && world_now_ns() < until_ns) fiber_sleep(POLL_MS * NS_PER_MS);
  return !is_cut(l);
}

bool session_line_call(struct session_line *l, const struct request *request, struct answer *ret, int64_t timeout_ns) {
  int64_t until_ns = world_now_ns() + timeout_ns;
  if (!travel(l, world_link_delay(l->client, l->server->process), until_ns) || is_lost(l)) return false;
  l->request = *request;
  l->answer = ret;
  l->answered = false;
  l->caller = fiber_current();
  l->asked = true;
  if (l->worker != NULL) fiber_wake(l->worker);
  while (!l->answered && !is_lost(l) && world_now_ns() < until_ns) fiber_park(POLL_MS * NS_PER_MS);
  l->answer = NULL;
  l->caller = NULL;
  return l->answered && travel(l, world_link_delay(l->server->process, l->client), until_ns);
}

void session_line_close(struct session_line *l) {
  if (l == NULL) return;
  l->closed = true;
  if (l->worker != NULL) fiber_wake(l->worker);
}

void session_lines_lose(struct product_server *s, enum world_end end) {
  for (struct session_line *l = lines; l != NULL; l = l->next) {
    if (l->server != s || l->worker == NULL) continue;
    l->worker = NULL;
    l->lost |= end == WORLD_END_PROCESS;
    l->silent |= end == WORLD_END_MACHINE;
    if (l->lost) wake_caller(l);
  }
}
