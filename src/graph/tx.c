#include "graph/tx_int.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/mutant.h"

// ---- waking ----

void tx_wake(struct graph_tx *tx) {
  mutex_lock(&tx->kept.wake_mutex);
  void (*ready)(void *) = tx->ready;
  void *context = tx->ready_context;
  tx->woken = ready == NULL; // else it is told now
  tx->ready = NULL;
  mutex_unlock(&tx->kept.wake_mutex);
  if (ready != NULL) ready(context);
}

void tx_arm(struct graph_tx *tx) {
  mutex_lock(&tx->kept.wake_mutex);
  tx->woken = false;
  tx->ready = NULL;
  mutex_unlock(&tx->kept.wake_mutex);
}

void graph_tx_on_ready(struct graph_tx *tx, void (*ready)(void *context), void *context) {
  mutex_lock(&tx->kept.wake_mutex);
  // A kill may have come before tx_arm forgot its call. A commit on its way is waited for all the same.
  bool now = tx->woken || (tx->state == TX_OPEN && graph_tx_killed(tx) != ERR_OK);
  tx->woken = false; // told once: a commit that is still on its way is not asked again and again
  tx->ready = now ? NULL : ready;
  tx->ready_context = context;
  mutex_unlock(&tx->kept.wake_mutex);
  if (now) ready(context);
}

static void wake_owner(struct lock_owner *owner) {
  tx_wake((struct graph_tx *) owner);
}

void graph_tx_kill(struct graph_tx *tx, enum err reason) {
  enum err none = ERR_OK;
  atomic_compare_exchange_strong(&tx->killed, &none, reason);
  tx_wake(tx);
}

enum err graph_tx_killed(const struct graph_tx *tx) {
  return atomic_load_explicit(&tx->killed, memory_order_relaxed);
}

// ---- cold pages ----

void graph_tx_set_blocking(struct graph_tx *tx, bool may_block) {
  tx->blocking = may_block;
}

enum err tx_wait_for_page(struct graph_tx *tx) {
  struct graph *g = tx->g;
  tx_arm(tx);
  tx_hold(tx);
  mutex_lock(&g->cold_mutex);
  bool queued = tx->cold_queued;
  if (!queued) {
    tx->cold_queued = true;
    tx->cold_next = g->cold;
    g->cold = tx;
  }
  mutex_unlock(&g->cold_mutex);
  if (queued) tx_drop(tx);
  graph_work(g, GRAPH_READER);
  return ERR_WAIT;
}

enum err cold_step(struct graph *g, bool *ret_more, struct error *e UNUSED) {
  mutex_lock(&g->cold_mutex);
  struct graph_tx *list = g->cold;
  g->cold = NULL;
  for (struct graph_tx *tx = list; tx != NULL; tx = tx->cold_next) tx->cold_queued = false;
  mutex_unlock(&g->cold_mutex);
  for (struct graph_tx *tx = list, *next; tx != NULL; tx = next) {
    next = tx->cold_next;
    tx->may_block_once = true;
    tx_wake(tx);
    tx_drop(tx);
  }
  *ret_more = false;
  return ERR_OK;
}

// ---- life ----

static struct graph_tx *take_idle(struct graph *g) {
  mutex_lock(&g->idle_mutex);
  struct graph_tx *tx = g->idle;
  if (tx != NULL) {
    g->idle = tx->kept.next;
    g->idle_count--;
  }
  mutex_unlock(&g->idle_mutex);
  return tx;
}

static bool keep_idle(struct graph *g, struct graph_tx *tx) {
  mutex_lock(&g->idle_mutex);
  bool kept = g->idle_count + 1 <= GRAPH_TX_IDLE_MAX;
  if (kept) {
    tx->kept.next = g->idle;
    g->idle = tx;
    g->idle_count++;
  }
  mutex_unlock(&g->idle_mutex);
  return kept;
}

static struct graph_tx *make(void) {
  struct graph_tx *tx = mem_zalloc(sizeof *tx);
  if (tx == NULL) return NULL;
  mutex_init(&tx->kept.wake_mutex);
  tx->kept.access_error = ERROR_INIT;
  return tx;
}

static void unmake(struct graph_tx *tx) {
  mutex_done(&tx->kept.wake_mutex);
  buf_done(&tx->kept.key);
  flight_done(&tx->kept.flight);
  for (int kind = 0; kind < 2; kind++) map_done(&tx->kept.entities[kind]);
  mem_free(tx);
}

void tx_free_idle(struct graph *g) {
  for (struct graph_tx *tx; (tx = take_idle(g)) != NULL;) unmake(tx);
}

void tx_hold(struct graph_tx *tx) {
  tx->references++;
}

void tx_drop(struct graph_tx *tx) {
  if (--tx->references > 0) return;
  flight_clear(&tx->kept.flight);
  if (!keep_idle(tx->g, tx)) unmake(tx);
}

enum { KEPT_MAP_ENTRIES_MAX = 64, KEPT_KEY_BYTES_MAX = 4096 };

static void keep_map(struct map *to, struct map from) {
  if (from.capacity <= KEPT_MAP_ENTRIES_MAX)
    map_clear(&from);
  else
    map_done(&from);
  *to = from;
}

/// What the owner's budget pays for goes with the owner: a flight that still holds the transaction needs none of it.
static void release_memory(struct graph_tx *tx) {
  schema_release(tx->schema);
  tx->schema = NULL;
  for (int kind = 0; kind < 2; kind++) keep_map(&tx->kept.entities[kind], tx->overlay.entities[kind]);
  if (tx->kept.key.capacity > KEPT_KEY_BYTES_MAX) buf_done(&tx->kept.key);
  arena_done(&tx->arena);
  arena_done(&tx->scratch);
}

enum err graph_tx_begin(struct graph *g, const struct graph_tx_options *options, struct graph_tx **ret, struct error *e) {
  struct graph_tx *tx = take_idle(g);
  if (tx == NULL) tx = make();
  if (tx == NULL) return error_ensure(e, ERR_NOMEM);
  memset(tx, 0, offsetof(struct graph_tx, kept));
  tx->kept.access_error.code = ERR_OK;
  tx->kept.access_error.message[0] = '\0';
  tx->g = g;
  tx->options = *options;
  tx->options.metadata = STR_NONE; // kept by the flight
  tx->term = MUTANT(origin_term) ? 0 : options->term;
  tx->references = 1;
  tx->blocking = true;
  tx->spare[GRAPH_NODE] = tx->spare[GRAPH_REL] = UINT64_MAX;
  lock_owner_init(&tx->owner, wake_owner);
  arena_init_with(&tx->arena, options->budget, tx->kept.arena, sizeof tx->kept.arena);
  arena_init_with(&tx->scratch, options->budget, tx->kept.scratch, sizeof tx->kept.scratch);
  overlay_init(&tx->overlay, &tx->arena, tx->kept.entities);
  for (int mode = 0; mode < 2; mode++) tx->views[mode] = (struct graph_view){.tx = tx, .mode = (enum graph_read) mode};
  if (buf_append_str(&tx->kept.flight.metadata, options->metadata) != ERR_OK) {
    release_memory(tx);
    tx_drop(tx);
    return error_ensure(e, ERR_NOMEM);
  }
  g->transactions_open++;
  *ret = tx;
  return ERR_OK;
}

enum err tx_check(struct graph_tx *tx, struct error *e) {
  enum err killed = graph_tx_killed(tx);
  if (UNLIKELY(killed != ERR_OK)) return error_set(e, killed, "The transaction has been terminated: %s.", err_text(killed));
  if (UNLIKELY(tx->state != TX_OPEN)) return error_set(e, ERR_TX_NOT_FOUND, "The transaction is over.");
  return ERR_OK;
}

enum err graph_tx_statement(struct graph_tx *tx, struct error *e) {
  TRY(tx_check(tx, e));
  struct graph_view *v = &tx->views[GRAPH_READ_SNAPSHOT];
  if (!tx->options.repeatable || v->snapshot.space == NULL) {
    struct page_snapshot fresh;
    TRY(page_snapshot_open(tx->g->space, &fresh, e));
    page_snapshot_close(&v->snapshot);
    v->snapshot = fresh;
  }
  page_snapshot_close(&tx->views[GRAPH_READ_CURRENT].snapshot);
  schema_release(tx->schema);
  tx->schema = graph_schema(tx->g);
  overlay_seal(&tx->overlay);
  return ERR_OK;
}

/// Neo4j checks when the statement ends, so that nodes and their relationships may be deleted in any order.
static enum err check_deleted_nodes(struct graph_tx *tx, struct error *e) {
  struct graph_view *v = &tx->views[GRAPH_READ_CURRENT];
  struct over_list *l = &tx->overlay.deleted_nodes;
  for (uint32_t i = 0; i < l->count; i++) {
    struct over_entity *x = l->items[i];
    if (x->detach || x->checked) continue;
    uint64_t degree;
    arena_reset(&tx->scratch);
    TRY(view_degree_of_deleted(v, x->id, &degree, e));
    if (degree > 0)
      return error_set(e, ERR_CONSTRAINT,
                       "Cannot delete node<%" PRIu64 ">, because it still has relationships. To delete this node, you must first "
                       "delete its relationships.",
                       x->id);
    x->checked = true;
  }
  return ERR_OK;
}

enum err graph_tx_seal(struct graph_tx *tx, bool end_of_statement, struct error *e) {
  TRY(tx_check(tx, e));
  if (end_of_statement && tx->overlay.deleted_nodes.count > 0) {
    struct graph_view *v = &tx->views[GRAPH_READ_CURRENT];
    graph_view_enter(v);
    enum err err = view_begin(v, e);
    if (err == ERR_OK) err = view_end(v, check_deleted_nodes(tx, e), e);
    graph_view_leave(v);
    TRY(err);
  }
  if (tx->overlay.changes != tx->overlay.sealed_changes) overlay_seal(&tx->overlay);
  return ERR_OK;
}

static void close_snapshots(struct graph_tx *tx) {
  for (int mode = 0; mode < 2; mode++) page_snapshot_close(&tx->views[mode].snapshot);
}

/// Nothing of it will be seen any more.
void tx_end(struct graph_tx *tx, bool committed) {
  struct graph *g = tx->g;
  close_snapshots(tx);
  locks_release(&g->locks, &tx->owner);
  if (committed)
    g->committed++;
  else
    g->rolled_back++;
  g->transactions_open--;
}

/// A change of the schema that is on its way may still come: nobody else makes one, or writes, before that is known.
static bool is_still_held(struct graph_tx *tx) {
  return tx->schema_holders != 0 && --tx->schema_holders > 0 && !MUTANT(schema_hold);
}

void graph_tx_rollback(struct graph_tx *tx) {
  if (tx->state != TX_OPEN) return;
  tx->state = TX_OVER;
  close_snapshots(tx);
  if (!is_still_held(tx)) tx_end(tx, false);
}

void graph_tx_free(struct graph_tx *tx) {
  if (tx == NULL) return;
  graph_tx_rollback(tx);
  tx_arm(tx); // nobody is called back any more
  release_memory(tx);
  tx_drop(tx);
}

bool graph_tx_has_writes(const struct graph_tx *tx) {
  return tx->overlay.changes > 0;
}

bool graph_tx_is_writing(const struct graph_tx *tx) {
  return atomic_load(&tx->term) != 0;
}

bool graph_tx_changes_schema(const struct graph_tx *tx) {
  return atomic_load(&tx->schema_sent);
}

uint64_t graph_tx_changes(const struct graph_tx *tx) {
  return tx->overlay.changes;
}

bool graph_tx_is_committing(const struct graph_tx *tx) {
  return tx->state == TX_COMMITTING;
}

uint64_t graph_tx_last_committed(const struct graph *g) {
  return store_applied_index(g->store);
}

// ---- commit ----

/// By the applier's thread, once the commit is published (or never will be).
static void tx_landed(struct flight *f, enum err err) {
  struct graph_tx *tx = f->context;
  tx->outcome = err;
  tx->commit_id = f->end_index;
  tx_end(tx, err == ERR_OK); // locks go only now
  tx->landed = true;
  tx_wake(tx);
  tx_drop(tx);
}

static enum err tx_submit(struct graph_tx *tx, struct error *e) {
  struct flight *f = &tx->kept.flight;
  f->landed = tx_landed;
  f->context = tx;
  f->origin = tx->options.origin;
  buf_clear(&f->bytes);
  TRY(overlay_encode(tx, &f->bytes, e));
  tx_arm(tx);
  tx_hold(tx);
  tx->state = TX_COMMITTING;
  close_snapshots(tx);
  enum err err = commits_error(commits_submit(tx->g, f, LOG_TRANSACTION, tx->term, e), e);
  if (err == ERR_OK) return ERR_OK;
  tx->state = TX_OPEN;
  tx_drop(tx);
  return err;
}

static enum err commit_open(struct graph_tx *tx, uint64_t *ret_id, struct error *e) {
  TRY(tx_check(tx, e));
  TRY(graph_tx_seal(tx, true, e));
  if (!graph_tx_has_writes(tx)) {
    *ret_id = graph_tx_last_committed(tx->g);
    tx->state = TX_OVER;
    tx_end(tx, true);
    return ERR_OK;
  }
  TRY(tx_submit(tx, e));
  return ERR_WAIT;
}

enum err graph_tx_commit(struct graph_tx *tx, uint64_t *ret_id, struct error *e) {
  if (tx->state == TX_OPEN) {
    enum err err = commit_open(tx, ret_id, e);
    if (err != ERR_OK && err != ERR_WAIT) graph_tx_rollback(tx);
    if (err != ERR_WAIT) return err;
  }
  if (tx->state != TX_COMMITTING) return error_set(e, ERR_TX_NOT_FOUND, "The transaction is over.");
  if (!tx->landed) return ERR_WAIT;
  tx->state = TX_OVER;
  if (tx->outcome == ERR_NOSPC || tx->outcome == ERR_NOT_LEADER || tx->outcome == ERR_CLOSED)
    return commits_fallen(tx->outcome, "The transaction was not committed", e);
  if (tx->outcome != ERR_OK) return graph_failure(tx->g, e) != ERR_OK ? tx->outcome : error_ensure(e, tx->outcome);
  *ret_id = tx->commit_id;
  return ERR_OK;
}
