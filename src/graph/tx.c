#include "graph/tx_int.h"

#include <inttypes.h>

#include "base/mem.h"

// ---- waking ----

void tx_wake(struct graph_tx *tx) {
  mutex_lock(&tx->wake_mutex);
  void (*ready)(void *) = tx->ready;
  void *context = tx->ready_context;
  tx->woken = ready == NULL; // else it is told now
  tx->ready = NULL;
  mutex_unlock(&tx->wake_mutex);
  if (ready != NULL) ready(context);
}

void tx_arm(struct graph_tx *tx) {
  mutex_lock(&tx->wake_mutex);
  tx->woken = false;
  tx->ready = NULL;
  mutex_unlock(&tx->wake_mutex);
}

void graph_tx_on_ready(struct graph_tx *tx, void (*ready)(void *context), void *context) {
  mutex_lock(&tx->wake_mutex);
  // A kill may have come before tx_arm forgot its call. A commit on its way is waited for all the same.
  bool now = tx->woken || (tx->state == TX_OPEN && graph_tx_killed(tx) != ERR_OK);
  tx->woken = false; // told once: a commit that is still on its way is not asked again and again
  tx->ready = now ? NULL : ready;
  tx->ready_context = context;
  mutex_unlock(&tx->wake_mutex);
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

void tx_hold(struct graph_tx *tx) {
  tx->references++;
}

void tx_drop(struct graph_tx *tx) {
  if (--tx->references > 0) return;
  mutex_done(&tx->wake_mutex);
  mem_free(tx);
}

/// What the owner's budget pays for goes with the owner: a flight that still holds the transaction needs none of it.
static void release_memory(struct graph_tx *tx) {
  schema_release(tx->schema);
  overlay_done(&tx->overlay);
  buf_done(&tx->key);
  arena_done(&tx->arena);
  arena_done(&tx->scratch);
}

enum err graph_tx_begin(struct graph *g, const struct graph_tx_options *options, struct graph_tx **ret, struct error *e) {
  struct graph_tx *tx = mem_zalloc(sizeof *tx);
  if (tx == NULL) return error_ensure(e, ERR_NOMEM);
  tx->g = g;
  tx->options = *options;
  tx->references = 1;
  tx->blocking = true;
  tx->spare[GRAPH_NODE] = tx->spare[GRAPH_REL] = UINT64_MAX;
  mutex_init(&tx->wake_mutex);
  lock_owner_init(&tx->owner, wake_owner);
  arena_init(&tx->arena, options->budget);
  arena_init(&tx->scratch, options->budget);
  overlay_init(&tx->overlay, &tx->arena);
  for (int mode = 0; mode < 2; mode++) tx->views[mode] = (struct graph_view){.tx = tx, .mode = (enum graph_read) mode};
  if (options->metadata.len > 0) tx->options.metadata = arena_str(&tx->arena, options->metadata);
  if (options->metadata.len > 0 && tx->options.metadata.ptr == NULL) {
    enum err err = arena_err(&tx->arena, e);
    release_memory(tx);
    tx_drop(tx);
    return err;
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
static void tx_end(struct graph_tx *tx, bool committed) {
  struct graph *g = tx->g;
  close_snapshots(tx);
  locks_release(&g->locks, &tx->owner);
  if (committed)
    g->committed++;
  else
    g->rolled_back++;
  g->transactions_open--;
}

void graph_tx_rollback(struct graph_tx *tx) {
  if (tx->state != TX_OPEN) return;
  tx->state = TX_OVER;
  tx_end(tx, false);
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
  flight_free(f);
  tx->landed = true;
  tx_wake(tx);
  tx_drop(tx);
}

static enum err tx_submit(struct graph_tx *tx, struct error *e) {
  struct flight *f = flight_make();
  if (f == NULL) return error_ensure(e, ERR_NOMEM);
  f->landed = tx_landed;
  f->context = tx;
  enum err err = overlay_encode(tx, &f->bytes, e);
  if (err == ERR_OK) {
    tx_arm(tx);
    tx_hold(tx);
    tx->state = TX_COMMITTING;
    close_snapshots(tx);
    err = commits_error(commits_submit(tx->g, f, LOG_TRANSACTION, tx->options.metadata, NULL, e), e);
    if (err == ERR_OK) return ERR_OK;
    tx->state = TX_OPEN;
    tx_drop(tx);
  }
  flight_free(f);
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
  if (tx->outcome == ERR_NOSPC) return error_set(e, ERR_TX_LOG, "The transaction was not committed: the disk has no room for the log.");
  if (tx->outcome != ERR_OK) return graph_failure(tx->g, e) != ERR_OK ? tx->outcome : error_ensure(e, tx->outcome);
  *ret_id = tx->commit_id;
  return ERR_OK;
}
