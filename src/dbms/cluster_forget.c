// What the log of a group forgets after a checkpoint.
//
// Consensus says on its loop what it needs no more; the checkpointer's thread waits for the disk. By that loop go the heartbeats
// of all groups: a leader that waits there for a slow disk is taken for one that is gone.
#include "base/mem.h"
#include "dbms/cluster_int.h"

#define LOG_BYTES_KEPT (UINT64_C(256) << 20)

enum { PRUNE_SEGMENTS_MAX = 4 }; // in one step of the checkpointer

static struct log *log_of(const struct cluster_group *g) {
  return store_log(graph_store(g->database->graph));
}

// ---- what waits for the checkpointer ----

/// Frees what was there.
static void put(struct cluster_group *g, struct group_forgetting *f) {
  mutex_lock(&g->mutex);
  struct group_forgetting *old = g->forgetting;
  g->forgetting = f;
  mutex_unlock(&g->mutex);
  mem_free(old);
}

static struct group_forgetting *take(struct cluster_group *g) {
  mutex_lock(&g->mutex);
  struct group_forgetting *f = TAKE_PTR(g->forgetting);
  mutex_unlock(&g->mutex);
  return f;
}

/// Unless a newer one has come meanwhile, which has all of it.
static void put_back(struct cluster_group *g, struct group_forgetting *f) {
  mutex_lock(&g->mutex);
  if (g->forgetting == NULL) g->forgetting = TAKE_PTR(f);
  mutex_unlock(&g->mutex);
  mem_free(f);
}

void cluster_forget_end(struct cluster_group *g) {
  put(g, NULL);
}

// ---- on the loop ----

/// How many entries stay for those that are behind.
static uint64_t trailing_entries(struct cluster_group *g) {
  const struct dbms_cluster_options *o = g->cluster->options;
  struct log *log = store_log(graph_store(g->database->graph));
  struct log_stats s;
  if (o->log_entries_kept > 0) return o->log_entries_kept;
  log_stats(log, &s);
  uint64_t limit = o->log_bytes_kept > 0 ? o->log_bytes_kept : LOG_BYTES_KEPT;
  uint64_t entries = log_last_index(log) + 1 - log_first_index(log);
  return s.bytes <= limit ? entries : (uint64_t) ((double) entries * ((double) limit / (double) s.bytes));
}

static enum err begin(struct cluster_group *g, uint64_t index, struct error *e) {
  struct group_forgetting *f = mem_alloc(sizeof *f);
  if (f == NULL) return error_ensure(e, ERR_NOMEM);
  enum err err = group_forget_begin(host_group(g->member), cluster_now_ms(g->cluster), index, trailing_entries(g), f, e);
  if (err != ERR_OK) {
    mem_free(f);
    return err;
  }
  put(g, f);
  serial_ready(&g->database->machines[GRAPH_CHECKPOINTER].serial);
  return ERR_OK;
}

void cluster_forget_begin(struct cluster_group *g) {
  if (database_is_quarantined(g->database, NULL)) return; // the copy is to be not older than what the log begins with
  uint64_t index = atomic_exchange(&g->checkpointed, 0);
  if (index == 0) return;
  struct error e = ERROR_INIT;
  enum err err = begin(g, index, &e);
  if (err != ERR_OK && err != ERR_BUSY) cluster_raise(g, EVENT_WARN, "cluster.prune", e.message);
}

// ---- by the checkpointer ----

/// A replica's log is nobody's promise: consensus has no part in it.
static enum err forget_pulled(struct cluster_group *g, uint64_t index, bool *ret_more, struct error *e) {
  uint64_t kept = trailing_entries(g);
  unsigned removed = 0;
  if (index <= kept) return ERR_OK;
  TRY(log_prune(log_of(g), index - kept + 1, PRUNE_SEGMENTS_MAX, &removed, e));
  *ret_more = removed == PRUNE_SEGMENTS_MAX;
  return ERR_OK;
}

static enum err forget(struct cluster_group *g, bool *ret_more, struct error *e) {
  struct group_forgetting *f = take(g);
  if (f == NULL) return ERR_OK;
  enum err err = group_forget(log_of(g), f, ret_more, e);
  if (err == ERR_OK && *ret_more)
    put_back(g, f);
  else
    mem_free(f); // what an error left comes again with the next
  return err;
}

static void tell_loop(struct cluster_group *g, uint64_t index) {
  if (index <= g->checkpoint_told) return;
  g->checkpoint_told = index;
  atomic_store(&g->checkpointed, index);
  cluster_touch(g);
}

bool cluster_checkpointed(struct cluster_group *g, uint64_t index) {
  struct error e = ERROR_INIT;
  bool more = false, replica = g->cluster->options->replica;
  if (!replica) tell_loop(g, index);
  enum err err = replica ? forget_pulled(g, index, &more, &e) : forget(g, &more, &e);
  if (err != ERR_OK) cluster_raise(g, EVENT_WARN, "cluster.prune", e.message);
  return err == ERR_OK && more;
}
