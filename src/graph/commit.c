#include "graph/apply_int.h"

#include <assert.h>

#include "base/mem.h"
#include "base/mutant.h"
#include "graph/tx.h"

enum {
  PART_BYTES = LOG_ENTRY_BYTES_MAX - (64 << 10), // leaves room for metadata and heads
  KEPT_BYTES_MAX = 4096,                         // of a buffer that is used again
};

struct flight *flight_make(void) {
  return mem_zalloc(sizeof(struct flight));
}

static void drop_entries(struct flight *f) {
  if (f->entries != &f->only) mem_free(f->entries);
  f->entries = NULL;
  f->entry_count = 0;
}

static void clear_buf(struct buf *b) {
  if (b->capacity > KEPT_BYTES_MAX)
    buf_done(b);
  else
    buf_clear(b);
}

void flight_clear(struct flight *f) {
  drop_entries(f);
  clear_buf(&f->bytes);
  clear_buf(&f->metadata);
}

void flight_done(struct flight *f) {
  drop_entries(f);
  buf_done(&f->bytes);
  buf_done(&f->metadata);
}

void flight_free(struct flight *f) {
  if (f == NULL) return;
  flight_done(f);
  mem_free(f);
}

/// One entry for each part; the bytes are cut anywhere.
static enum err cut_entries(struct flight *f, enum log_kind kind) {
  size_t n = MAX((f->bytes.len + PART_BYTES - 1) / PART_BYTES, (size_t) 1);
  drop_entries(f);
  f->entries = n == 1 ? &f->only : mem_alloc(n * sizeof *f->entries);
  if (f->entries == NULL) return ERR_NOMEM;
  for (size_t i = 0; i < n; i++) {
    size_t from = i * PART_BYTES;
    struct graph_origin origin = MUTANT(origin_written) ? (struct graph_origin){0} : f->origin;
    f->entries[i] = (struct log_entry){.kind = kind,
                                       .parts = i + 1 < n ? LOG_PART : LOG_END,
                                       .origin_member = origin.member,
                                       .origin_sequence = origin.sequence,
                                       .metadata = i + 1 < n ? STR_NONE : buf_str(&f->metadata),
                                       .payload = {f->bytes.data + from, MIN(f->bytes.len - from, (size_t) PART_BYTES)}};
  }
  f->entry_count = n;
  return ERR_OK;
}

// ---- terms ----

static enum err another_leads(const struct graph *g, struct error *e) {
  if (g->options.read_only)
    return error_set(e, ERR_READ_ONLY,
                     "No write operations are allowed on this database. Writes must pass through the leader. The role of this "
                     "server is: READ_REPLICA");
  return error_set(e, ERR_NOT_LEADER,
                   "No write operations are allowed directly on this database. Writes must pass through the leader. The role of "
                   "this server is: FOLLOWER");
}

enum err commits_term(struct graph *g, uint64_t *ret, struct error *e) {
  *ret = atomic_load(&g->commits.term);
  return *ret != 0 ? ERR_OK : another_leads(g, e);
}

enum err commits_check_term(struct graph *g, uint64_t term, struct error *e) {
  if (LIKELY(atomic_load_explicit(&g->commits.term, memory_order_relaxed) == term)) return ERR_OK;
  if (MUTANT(replica_term) || MUTANT(product_term)) return ERR_OK;
  return error_set(e, ERR_NOT_LEADER,
                   "The transaction was not committed: this server has ceased to be the leader that it began to write on.");
}

// ---- submitting ----

void commits_note_schema(struct commits *c, struct graph_origin origin) {
  mutex_lock(&c->mutex);
  c->schema_origin = origin;
  mutex_unlock(&c->mutex);
}

/// Into the log, which gives the place at once.
static enum err append(struct graph *g, struct flight *f, struct error *e) {
  struct log *log = store_log(g->store);
  enum err err = log_append(log, f->entries, f->entry_count, e);
  if (err != ERR_OK && log_failure(log, NULL) != ERR_OK) { // its writer is about to tell the graph
    if (e != NULL) e->code = ERR_TX_LOG;
    return ERR_TX_LOG;
  }
  TRY(err);
  const struct log_entry *last = &f->entries[f->entry_count - 1];
  f->term = last->term;
  f->end_index = last->index;
  flight_push(&g->commits.queue, f);
  return ERR_OK;
}

static enum err submit_locked(struct graph *g, struct flight *f, struct error *e) {
  struct commits *c = &g->commits;
  TRY(commits_check_term(g, f->term, e));
  if (c->full) return error_set(e, ERR_NOSPC, "%s", c->full_cause.message);
  if (!g->options.replicated) return append(g, f, e);
  flight_push(&c->replica.waiting, f);
  return ERR_OK;
}

enum err commits_submit(struct graph *g, struct flight *f, enum log_kind kind, uint64_t term, struct error *e) {
  TRY(graph_failure(g, e));
  if (cut_entries(f, kind) != ERR_OK) return error_ensure(e, ERR_NOMEM);
  f->term = MUTANT(product_term) ? atomic_load(&g->commits.term) : term;
  mutex_lock(&g->commits.mutex);
  enum err err = submit_locked(g, f, e);
  mutex_unlock(&g->commits.mutex);
  if (err == ERR_OK) graph_work(g, GRAPH_LOG_WRITER);
  return err;
}

uint64_t commits_mark(struct graph *g) {
  return g->options.replicated ? atomic_load(&g->commits.replica.received) : log_durable_index(store_log(g->store));
}

static void verdict_free(struct verdict *v) {
  buf_done(&v->failure);
  mem_free(v);
}

void commits_done(struct graph *g) {
  for (struct verdict *v = g->commits.failures, *next; v != NULL; v = next) {
    next = v->next;
    verdict_free(v);
  }
  flight_free(g->commits.replica.arriving);
  mem_free(g->commits.waiters);
  strmap_done(&g->commits.tokens_asked);
}

// ---- a log without room ----

enum err commits_error(enum err err, struct error *e) {
  if (err != ERR_NOSPC) return err;
  if (e != NULL) e->code = ERR_TX_LOG;
  return ERR_TX_LOG;
}

enum err commits_fallen(enum err fate, const char *what_was_not_done, struct error *e) {
  if (fate == ERR_NOSPC) return error_set(e, ERR_TX_LOG, "%s: the disk has no room for the log.", what_was_not_done);
  if (fate == ERR_NOT_LEADER)
    return error_set(e, ERR_NOT_LEADER, "%s: another server became the leader before it was.", what_was_not_done);
  if (fate == ERR_CLOSED)
    return error_set(e, ERR_TX_LOG, "%s before this server stopped. Its group may yet do it: look before you try again.",
                     what_was_not_done);
  return error_ensure(e, fate);
}

void commits_fell(struct commits *c, struct flight_list *list, enum err fate) {
  for (struct flight *f; (f = flight_pop(list)) != NULL;) {
    f->fate = fate;
    flight_push(&c->fallen, f);
  }
}

/// Cuts the queue behind the last flight of which a part is in the log already: its rest waits for room.
static struct flight_list cut_refusable(struct commits *c, uint64_t durable, uint64_t *ret_last_kept) {
  struct flight_list kept = {0}, rest;
  *ret_last_kept = durable;
  while (c->queue.first != NULL && c->queue.first->entries[0].index <= durable) {
    *ret_last_kept = MAX(durable, c->queue.first->end_index);
    flight_push(&kept, flight_pop(&c->queue));
  }
  rest = c->queue;
  c->queue = kept;
  return rest;
}

void commits_refuse(struct graph *g, const struct error *cause) {
  struct commits *c = &g->commits;
  uint64_t last_kept;
  mutex_lock(&c->mutex);
  assert(c->fallen.first == NULL);
  struct flight_list rest = cut_refusable(c, log_durable_index(store_log(g->store)), &last_kept);
  log_writer_withdraw(store_log(g->store), last_kept);
  commits_fell(c, &rest, ERR_NOSPC);
  c->full = true;
  c->full_cause = *cause;
  mutex_unlock(&c->mutex);
  graph_work(g, GRAPH_APPLIER);
}

enum err commits_find_room(struct graph *g, struct error *e) {
  struct commits *c = &g->commits;
  mutex_lock(&c->mutex);
  bool full = c->full;
  enum err landing = c->fallen.first != NULL || c->landing ? error_set(e, ERR_NOSPC, "%s", c->full_cause.message) : ERR_OK;
  mutex_unlock(&c->mutex);
  if (!full) return ERR_OK;
  TRY(landing);
  TRY(log_writer_make_room(store_log(g->store), e));
  mutex_lock(&c->mutex);
  c->full = false;
  mutex_unlock(&c->mutex);
  return ERR_OK;
}

// ---- waiting for an index ----

/// Under the mutex. ERR_WAIT, or ERR_NOMEM.
static enum err add_waiter(struct commits *c, struct commit_waiter w, struct error *e) {
  if (c->waiter_count == c->waiter_capacity) {
    size_t capacity = MAX(c->waiter_capacity * 2, (size_t) 16);
    struct commit_waiter *more = mem_realloc(c->waiters, capacity * sizeof *more);
    if (more == NULL) return error_ensure(e, ERR_NOMEM);
    c->waiters = more;
    c->waiter_capacity = capacity;
  }
  c->waiters[c->waiter_count++] = w;
  return ERR_WAIT;
}

enum err graph_await(struct graph *g, uint64_t id, void (*ready)(void *context), void *context, struct error *e) {
  struct commits *c = &g->commits;
  enum err err = ERR_OK;
  if (store_applied_index(g->store) >= id) return ERR_OK;
  TRY(graph_failure(g, e));
  mutex_lock(&c->mutex);
  if (store_applied_index(g->store) < id) err = add_waiter(c, (struct commit_waiter){id, 0, ready, context}, e);
  mutex_unlock(&c->mutex);
  return err;
}

void graph_await_cancel(struct graph *g, const void *context) {
  struct commits *c = &g->commits;
  mutex_lock(&c->mutex);
  for (size_t i = 0; i < c->waiter_count;) {
    if (c->waiters[i].context == context)
      c->waiters[i] = c->waiters[--c->waiter_count];
    else
      i++;
  }
  mutex_unlock(&c->mutex);
}

#define FAILED UINT64_MAX // instead of an applied index

static void wake_waiters(struct graph *g, uint64_t applied) {
  struct commits *c = &g->commits;
  mutex_lock(&c->mutex);
  for (size_t i = 0; i < c->waiter_count;) {
    struct commit_waiter w = c->waiters[i];
    if (w.index > applied || (w.verdict != 0 && applied != FAILED)) {
      i++;
      continue;
    }
    c->waiters[i] = c->waiters[--c->waiter_count];
    w.ready(w.context); // only takes note: see graph_tx_on_ready
  }
  mutex_unlock(&c->mutex);
}

// ---- waiting for a verdict ----

static bool is_populating(struct graph *g, uint32_t index) {
  struct schema *s = graph_schema(g);
  const struct schema_index *x = schema_find(s, index);
  bool populating = x != NULL && x->index.state == GRAPH_INDEX_POPULATING;
  schema_release(s);
  return populating;
}

enum err commits_await_verdict(struct graph *g, uint32_t index, void (*ready)(void *context), void *context, struct error *e) {
  struct commits *c = &g->commits;
  enum err err = ERR_OK;
  TRY(graph_failure(g, e));
  mutex_lock(&c->mutex);
  if (is_populating(g, index)) err = add_waiter(c, (struct commit_waiter){0, index, ready, context}, e);
  mutex_unlock(&c->mutex);
  return err;
}

void commits_judged(struct graph *g, struct verdict *v) {
  struct commits *c = &g->commits;
  uint32_t index = v->index;
  bool keep = v->failure.len > 0;
  mutex_lock(&c->mutex);
  if (keep) {
    v->next = c->failures;
    c->failures = v;
  }
  for (size_t i = 0; i < c->waiter_count;) {
    struct commit_waiter w = c->waiters[i];
    if (w.verdict != index) {
      i++;
      continue;
    }
    c->waiters[i] = c->waiters[--c->waiter_count];
    w.ready(w.context);
  }
  mutex_unlock(&c->mutex);
  if (!keep) verdict_free(v);
}

void commits_wake_judged(struct graph *g) {
  struct commits *c = &g->commits;
  mutex_lock(&c->mutex);
  for (size_t i = 0; i < c->waiter_count;) {
    struct commit_waiter w = c->waiters[i];
    if (w.verdict == 0) {
      i++;
      continue;
    }
    c->waiters[i] = c->waiters[--c->waiter_count];
    w.ready(w.context);
  }
  mutex_unlock(&c->mutex);
}

enum err commits_verdict_error(struct graph *g, uint32_t index, struct error *e) {
  struct commits *c = &g->commits;
  enum err err = error_set(e, ERR_CONSTRAINT_CREATION, "Unable to create the constraint.");
  mutex_lock(&c->mutex);
  for (struct verdict **at = &c->failures; *at != NULL; at = &(*at)->next) {
    struct verdict *v = *at;
    if (v->index != index) continue;
    *at = v->next;
    err = error_set(e, ERR_CONSTRAINT_CREATION, "%.*s", STR_ARG(buf_str(&v->failure)));
    verdict_free(v);
    break;
  }
  mutex_unlock(&c->mutex);
  return err;
}

// ---- the applier's machine ----

enum { BATCH_FLIGHTS_MAX = 512, BATCH_BYTES_MAX = 4 << 20 };

static bool ends_batch(const struct flight *f) {
  return f != NULL && digest_is_request(f) && !MUTANT(digest_batch);
}

/// Moves what is committed from the queue to the applier, as much as one batch should hold.
static void take_flights(struct graph *g) {
  struct commits *c = &g->commits;
  if (c->taken != NULL) return; // a batch that failed for want of memory is tried again first
  struct flight_list taken = {0};
  size_t bytes = 0, n = 0;
  uint64_t committed = commits_mark(g);
  mutex_lock(&c->mutex);
  while (c->queue.first != NULL && c->queue.first->end_index <= committed && n < BATCH_FLIGHTS_MAX && bytes < BATCH_BYTES_MAX &&
         !ends_batch(taken.last)) {
    bytes += c->queue.first->bytes.len;
    n++;
    flight_push(&taken, flight_pop(&c->queue));
  }
  replica_taken(&c->replica, bytes, n);
  mutex_unlock(&c->mutex);
  c->taken = taken.first;
}

static bool has_committed_flights(struct graph *g) {
  struct commits *c = &g->commits;
  uint64_t committed = commits_mark(g);
  mutex_lock(&c->mutex);
  bool any = c->queue.first != NULL && c->queue.first->end_index <= committed;
  mutex_unlock(&c->mutex);
  return any;
}

static bool may_be_tried_again(enum err err) {
  return err == ERR_NOMEM || err == ERR_MEMORY_POOL || err == ERR_NOSPC;
}

static enum err apply_flights(struct applier *ap, struct flight *list, struct error *e) {
  TRY(applier_begin(ap, e));
  for (struct flight *f = list; f != NULL; f = f->next) {
    if (f->end_index <= store_applied_index(ap->g->store)) continue; // published before this attempt failed
    ap->following = f->next;
    const struct log_entry *last = &f->entries[f->entry_count - 1];
    bool commands = f->bytes.len > 0 && applier_has_commands(last->kind);
    TRY(commands ? applier_run(ap, buf_str(&f->bytes), last, e) : applier_pass(ap, last, e));
  }
  return applier_publish(ap, e);
}

static void land_all(struct flight *list, enum err err) {
  for (struct flight *f = list, *next; f != NULL; f = next) {
    next = f->next;
    f->landed(f, err);
  }
}

/// Until what the disk had no room for has landed nothing is submitted: the indexes that it had are given again then.
static void land_the_fallen(struct graph *g) {
  struct commits *c = &g->commits;
  mutex_lock(&c->mutex);
  struct flight_list list = c->fallen;
  c->fallen = (struct flight_list){0};
  c->landing = list.first != NULL;
  mutex_unlock(&c->mutex);
  if (list.first == NULL) return;
  for (struct flight *f; (f = flight_pop(&list)) != NULL;) f->landed(f, f->fate);
  mutex_lock(&c->mutex);
  c->landing = false;
  mutex_unlock(&c->mutex);
  graph_work(g, GRAPH_LOG_WRITER);
}

/// The graph has failed: nothing that is queued will ever be published.
static void land_the_lost(struct graph *g, enum err err) {
  struct commits *c = &g->commits;
  land_the_fallen(g);
  mutex_lock(&c->mutex);
  struct flight_list lists[] = {c->queue, c->replica.proposed, c->replica.waiting};
  c->queue = c->replica.proposed = c->replica.waiting = (struct flight_list){0};
  mutex_unlock(&c->mutex);
  land_all(TAKE_PTR(c->taken), err);
  for (size_t i = 0; i < ARRAY_SIZE(lists); i++) land_all(lists[i].first, err);
  wake_waiters(g, FAILED); // who will find that the graph has failed
}

static enum err apply_taken(struct graph *g, struct error *e) {
  enum err err = apply_flights(g->applier, g->commits.taken, e);
  if (err != ERR_OK) {
    applier_abort(g->applier);
    if (may_be_tried_again(err)) return err;
    graph_fail(g, err, e);
    land_the_lost(g, err);
    return err;
  }
  struct flight *done = TAKE_PTR(g->commits.taken);
  digest_note(g, done);
  land_all(done, ERR_OK);
  wake_waiters(g, store_applied_index(g->store));
  return ERR_OK;
}

void graph_end_waits(struct graph *g) {
  wake_waiters(g, FAILED);
}

void commits_close(struct graph *g) {
  land_the_lost(g, ERR_CLOSED);
}

enum err applier_step(struct graph *g, bool *ret_more, struct error *e) {
  enum err failed = graph_failure(g, NULL);
  *ret_more = false;
  land_the_fallen(g);
  replica_open_term(g);
  if (failed == ERR_OK || failed == ERR_TX_LOG) take_flights(g); // what was durable before the log failed is committed
  if (g->commits.taken != NULL) {
    TRY(apply_taken(g, e));
    *ret_more = failed != ERR_OK || has_committed_flights(g) || replica_opens_term(g) || populate_has_work(g->applier);
    return ERR_OK;
  }
  if (failed == ERR_OK) return populate_step(g->applier, ret_more, e);
  land_the_lost(g, failed);
  return graph_failure(g, e);
}
