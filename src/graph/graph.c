#include "graph/apply_int.h"

#include <stdio.h>

#include "base/mem.h"
#include "graph/tx_int.h"
#include "store/checkpoint.h"

enum { RECOVERY_ENTRIES_PER_BATCH = 512, CHECKPOINT_PAGES_PER_STEP = 128, PRUNE_SEGMENTS_PER_STEP = 4 };
#define CHECKPOINT_BYTES_DEFAULT (UINT64_C(256) << 20)

// ---- small services ----

struct schema *graph_schema(struct graph *g) {
  mutex_lock(&g->schema_mutex);
  struct schema *s = schema_hold(g->schema);
  mutex_unlock(&g->schema_mutex);
  return s;
}

void graph_schema_publish(struct graph *g, struct schema *s) {
  mutex_lock(&g->schema_mutex);
  struct schema *old = g->schema;
  g->schema = s;
  mutex_unlock(&g->schema_mutex);
  schema_release(old);
}

enum err graph_access_take(struct graph *g, struct page_access **ret, struct error *e) {
  struct page_access *a = NULL;
  mutex_lock(&g->access_mutex);
  if (g->access_count > 0) a = g->accesses[--g->access_count];
  mutex_unlock(&g->access_mutex);
  if (a == NULL) return page_access_open(g->options.pool, ret, e);
  *ret = a;
  return ERR_OK;
}

void graph_access_give(struct graph *g, struct page_access *a) {
  mutex_lock(&g->access_mutex);
  bool kept = g->access_count < GRAPH_ACCESSES_IDLE_MAX;
  if (kept) g->accesses[g->access_count++] = a;
  mutex_unlock(&g->access_mutex);
  if (!kept) page_access_close(a);
}

bool graph_end(struct graph *g, enum err err, const struct error *e) {
  mutex_lock(&g->failure_mutex);
  bool first = g->failure.code == ERR_OK;
  if (first && e != NULL) g->failure = *e;
  if (first) g->failure.code = err;
  mutex_unlock(&g->failure_mutex);
  graph_work(g, GRAPH_APPLIER); // which tells those who wait
  return first;
}

void graph_fail(struct graph *g, enum err err, const struct error *e) {
  if (graph_end(g, err, e))
    event_raise(g->options.events, EVENT_ERROR, "graph.failed", "%s", e != NULL ? e->message : err_text(err));
}

enum err graph_failure(struct graph *g, struct error *e) {
  mutex_lock(&g->failure_mutex);
  enum err err = g->failure.code;
  if (err != ERR_OK && e != NULL) *e = g->failure;
  mutex_unlock(&g->failure_mutex);
  return err;
}

const uint8_t *graph_uuid(const struct graph *g) {
  return store_uuid(g->store);
}

struct store *graph_store(struct graph *g) {
  return g->store;
}

// ---- what memory holds of the pages ----

static enum err load_all(struct graph *g, const struct page_view *v, bool first, struct error *e) {
  TRY(shapes_load(&g->shapes, v, e));
  TRY(records_load(&g->nodes, v, e));
  TRY(records_load(&g->rels, v, e));
  if (!first) return ERR_OK; // the rest changes only when a batch is published, or may stay
  TRY(tokens_load(&g->tokens, v, e));
  TRY(statistics_load(&g->statistics, v, e));
  return schema_load(v, g->schema_root, &g->schema, e);
}

enum err graph_load(struct graph *g, struct error *e) {
  struct page_snapshot snapshot;
  TRY(page_snapshot_open(g->space, &snapshot, e));
  page_access_enter(g->applier_access);
  struct page_view v = page_view_of(&snapshot, g->applier_access);
  enum err err = load_all(g, &v, g->schema == NULL, e);
  page_access_leave(g->applier_access);
  page_snapshot_close(&snapshot);
  return err;
}

static const struct {
  const char *name;
  size_t offset;
} trees[] = {
    {"blocks", offsetof(struct graph, blocks.root)}, {"directory", offsetof(struct graph, nodes.root)},
    {"tokens", offsetof(struct graph, tokens.root)}, {"shapes", offsetof(struct graph, shapes.root)},
    {"schema", offsetof(struct graph, schema_root)}, {"statistics", offsetof(struct graph, statistics.root)},
    {"labels", offsetof(struct graph, labels_root)}, {"types", offsetof(struct graph, types_root)},
};

static page_id *tree_root(struct graph *g, size_t i) {
  return (page_id *) ((char *) g + trees[i].offset);
}

static enum err create_trees(struct graph *g, struct error *e) {
  TRY(applier_begin(g->applier, e));
  for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
    TRY(btree_create(g->applier->batch, tree_root(g, i), e));
    TRY(store_root_set(g->store, trees[i].name, *tree_root(g, i), e));
  }
  return ERR_OK;
}

/// Finds the trees, or makes them in a database that is new.
static enum err find_trees(struct graph *g, struct error *e) {
  size_t found = 0;
  for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
    *tree_root(g, i) = store_root_get(g->store, trees[i].name, false);
    found += *tree_root(g, i) != PAGE_NONE;
  }
  if (found == 0) {
    g->schema = mem_zalloc(sizeof *g->schema); // for the first batch; loaded afterwards
    if (g->schema == NULL) return error_ensure(e, ERR_NOMEM);
    g->schema->references = 1;
    arena_init(&g->schema->arena, NULL);
    enum err err = create_trees(g, e);
    if (err == ERR_OK) err = applier_publish(g->applier, e);
    schema_release(TAKE_PTR(g->schema));
    TRY(err);
  } else if (found != ARRAY_SIZE(trees)) {
    return error_set(e, ERR_CORRUPT, "the store has only %zu of the %zu trees of a graph", found, ARRAY_SIZE(trees));
  }
  g->rels.root = g->nodes.root;
  return ERR_OK;
}

// ---- constraints whose indexes are being filled ----

/// Nobody steps on behalf of this owner: what it waits for is simply its own when it is granted.
static void population_wake(struct lock_owner *o UNUSED) {
}

enum err graph_population_lock(struct graph *g, struct error *e) {
  enum err err = lock_acquire(&g->locks, &g->population_owner, lock_resource_of(LOCK_SCHEMA, 0), GRAPH_LOCK_EXCLUSIVE, 0, e);
  return err == ERR_WAIT ? ERR_OK : err;
}

static bool fills_constraint(const struct schema *s) {
  for (uint32_t i = 0; i < s->count; i++)
    if (s->indexes[i].index.state == GRAPH_INDEX_POPULATING && s->indexes[i].index.constraint == GRAPH_CONSTRAINT_UNIQUE)
      return true;
  return false;
}

void graph_population_unlock(struct graph *g) {
  struct schema *s = graph_schema(g);
  if (!fills_constraint(s)) locks_release(&g->locks, &g->population_owner);
  schema_release(s);
}

/// An index that was being filled when the server stopped is filled on; a unique one keeps writers out until it is judged.
static enum err resume_population(struct graph *g, struct error *e) {
  for (uint32_t i = 0; i < g->schema->count; i++)
    if (g->schema->indexes[i].index.state == GRAPH_INDEX_POPULATING) graph_work(g, GRAPH_APPLIER);
  if (fills_constraint(g->schema)) TRY(graph_population_lock(g, e));
  graph_population_unlock(g);
  return ERR_OK;
}

// ---- opening ----

static void init_parts(struct graph *g) {
  mutex_init(&g->schema_mutex);
  mutex_init(&g->access_mutex);
  mutex_init(&g->idle_mutex);
  mutex_init(&g->cold_mutex);
  mutex_init(&g->failure_mutex);
  mutex_init(&g->commits.mutex);
  mutex_init(&g->commits.token_mutex);
  digests_init(&g->digests);
  locks_init(&g->locks, g->options.clock);
  lock_owner_init(&g->population_owner, population_wake);
  g->population_owner.first_in_line = true;
  statistics_init(&g->statistics);
  tokens_init(&g->tokens);
  shapes_init(&g->shapes);
  records_init(&g->nodes, GRAPH_NODE);
  records_init(&g->rels, GRAPH_REL);
  g->options.log.clustered = g->options.replicated;
  g->commits.term = g->options.replicated ? 0 : COMMITS_TERM_ALONE;
}

/// What is applied now is what the newest checkpoint will hold.
static void note_checkpoint(struct graph *g) {
  g->checkpoint_index = store_applied_index(g->store);
  atomic_store(&g->checkpoint_at_ns, clock_monotonic_ns(g->options.clock));
}

static enum err open_store(struct graph *g, const char *directory, struct error *e) {
  const struct graph_options *o = &g->options;
  struct store_options so = {.disk = o->disk,
                             .clock = o->clock,
                             .random = o->random,
                             .uuid = o->uuid,
                             .pool = o->pool,
                             .events = o->events,
                             .log = o->log,
                             .create = o->create,
                             .direct = o->direct};
  TRY(store_open(directory, &so, &g->store, e));
  if (o->accept_tail) log_commit_mark(store_log(g->store), log_durable_index(store_log(g->store)));
  g->space = store_space(g->store);
  note_checkpoint(g); // what it has is in one
  const uint8_t *u = store_uuid(g->store);
  int n = 0;
  for (int i = 0; i < 16; i++)
    n += snprintf(g->uuid_text + n, sizeof g->uuid_text - (size_t) n, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
                  u[i]);
  return page_access_open(o->pool, &g->applier_access, e);
}

static enum err recover_entry(void *argument, const struct log_entry *entry, struct error *e) {
  struct graph *g = argument;
  TRY(applier_entry(g->applier, entry, e));
  bool enough = entry->index % RECOVERY_ENTRIES_PER_BATCH == 0;
  return enough && g->applier->staged.len == 0 ? applier_publish(g->applier, e) : ERR_OK;
}

static void recover_progress(void *argument, const struct store_progress *p) {
  struct graph *g = argument;
  if (g->options.progress != NULL) g->options.progress(g->options.context, p);
}

static enum err recover(struct graph *g, struct error *e) {
  TRY(store_recover(g->store, recover_entry, g, recover_progress, e));
  buf_clear(&g->applier->staged); // parts without an end at the end of the log are void
  if (g->applier->batch != NULL) TRY(applier_publish(g->applier, e));
  for (int kind = 0; kind < GRAPH_TOKEN_KIND_MAX; kind++) g->commits.token_next[kind] = g->tokens.kinds[kind].count;
  g->next_node = graph_high_water(g, GRAPH_NODE);
  g->next_rel = graph_high_water(g, GRAPH_REL);
  return ERR_OK;
}

static enum err open_graph(struct graph *g, const char *directory, struct error *e) {
  g->applier = applier_make(g);
  if (g->applier == NULL) return error_ensure(e, ERR_NOMEM);
  TRY(open_store(g, directory, e));
  TRY(find_trees(g, e));
  TRY(graph_load(g, e));
  return recover(g, e);
}

enum err graph_open(const char *directory, const struct graph_options *options, struct graph **ret, struct error *e) {
  struct graph *g = mem_zalloc(sizeof *g);
  if (g == NULL) return error_ensure(e, ERR_NOMEM);
  g->options = *options;
  if (g->options.checkpoint_bytes == 0) g->options.checkpoint_bytes = CHECKPOINT_BYTES_DEFAULT;
  init_parts(g);
  enum err err = open_graph(g, directory, e);
  if (err == ERR_OK) err = resume_population(g, e);
  if (err == ERR_OK) {
    *ret = g;
    return ERR_OK;
  }
  graph_close(g);
  return error_ensure(e, err);
}

static void close_accesses(struct graph *g) {
  while (g->access_count > 0) page_access_close(g->accesses[--g->access_count]);
  page_access_close(g->applier_access);
}

void graph_close(struct graph *g) {
  if (g == NULL) return;
  commits_close(g);
  applier_free(g->applier);
  commits_done(g);
  tx_free_idle(g);
  if (g->store != NULL) locks_release(&g->locks, &g->population_owner);
  digests_done(&g->digests);
  close_accesses(g);
  store_close(g->store);
  schema_release(g->schema);
  tokens_done(&g->tokens);
  shapes_done(&g->shapes);
  records_done(&g->nodes);
  records_done(&g->rels);
  statistics_done(&g->statistics);
  locks_done(&g->locks);
  mutex_done(&g->schema_mutex);
  mutex_done(&g->access_mutex);
  mutex_done(&g->idle_mutex);
  mutex_done(&g->cold_mutex);
  mutex_done(&g->failure_mutex);
  mutex_done(&g->commits.mutex);
  mutex_done(&g->commits.token_mutex);
  mem_free(g);
}

// ---- machines ----

/// What is submitted while the round runs is told by graph_work; only what did not fit into the round is `more`.
static enum err step_log_writer(struct graph *g, bool *ret_more, struct error *e) {
  if (g->options.replicated) return ERR_OK; // graph_propose does what there is to do
  struct log *log = store_log(g->store);
  struct log_stats stats;
  bool worked = false;
  int64_t start_ns = clock_monotonic_ns(g->options.clock);
  enum err room = commits_find_room(g, e);
  enum err err = room == ERR_OK ? log_writer_step(log, &worked, e) : room;
  if (worked) {
    g->round_ns = clock_monotonic_ns(g->options.clock) - start_ns;
    log_stats(log, &stats);
    *ret_more = stats.queued_entries > 0;
    graph_work(g, GRAPH_APPLIER);
  }
  if (err == ERR_OK) return ERR_OK;
  if (log_failure(log, NULL) != ERR_OK) {
    graph_fail(g, ERR_TX_LOG, e);
    return ERR_TX_LOG;
  }
  if (err == ERR_NOSPC && room == ERR_OK) commits_refuse(g, e);
  return err; // may be tried again
}

int64_t graph_round_ns(const struct graph *g) {
  return g->round_ns;
}

static bool checkpoint_time_has_come(struct graph *g) {
  int64_t every_ns = g->options.checkpoint_ns;
  return every_ns > 0 && clock_monotonic_ns(g->options.clock) - atomic_load(&g->checkpoint_at_ns) >= every_ns;
}

void graph_look_at_clock(struct graph *g) {
  if (checkpoint_time_has_come(g)) graph_work(g, GRAPH_APPLIER);
}

void graph_checkpoint_soon(struct graph *g) {
  atomic_store(&g->checkpoint_wanted, true);
  graph_work(g, GRAPH_APPLIER);
}

/// So many entries, or so much time with any at all.
static bool checkpoint_is_due_by_entries(struct graph *g) {
  uint64_t entries = store_applied_index(g->store) - g->checkpoint_index, limit = g->options.checkpoint_entries;
  return entries > 0 && ((limit > 0 && entries >= limit) || checkpoint_time_has_come(g));
}

/// So much log, so many changed pages, or half of the page cache changed: what is beyond that is written early, page by page.
static bool checkpoint_is_due_by_bytes(struct graph *g, uint64_t log_bytes) {
  struct checkpoint_status s;
  struct page_pool_stats pool;
  checkpoint_status(g->store, &s);
  page_pool_stats(g->options.pool, &pool);
  uint64_t limit = g->options.checkpoint_bytes;
  return log_bytes - g->checkpoint_log_bytes >= limit || s.dirty_bytes >= MIN(limit, pool.frames * PAGE_BYTES / 2);
}

/// Between batches: a checkpoint may only begin where no batch is open.
static enum err begin_checkpoint_if_due(struct graph *g, struct error *e) {
  if (checkpoint_active(g->store)) return ERR_OK;
  struct log_stats log;
  log_stats(store_log(g->store), &log);
  bool wanted = atomic_exchange(&g->checkpoint_wanted, false);
  if (!wanted && !checkpoint_is_due_by_bytes(g, log.appended_bytes) && !checkpoint_is_due_by_entries(g)) {
    if (checkpoint_time_has_come(g)) note_checkpoint(g); // nothing has changed
    return ERR_OK;
  }
  enum err err = checkpoint_begin(g->store, e);
  if (err != ERR_OK) return err == ERR_BUSY ? ERR_OK : err;
  g->checkpoint_log_bytes = log.appended_bytes;
  note_checkpoint(g);
  graph_work(g, GRAPH_CHECKPOINTER);
  return ERR_OK;
}

static enum err step_applier(struct graph *g, bool *ret_more, struct error *e) {
  TRY(applier_step(g, ret_more, e));
  return begin_checkpoint_if_due(g, e);
}

/// `*ret_more`: there may be more segments that nobody needs. A group prunes by itself.
static enum err prune_log(struct graph *g, bool *ret_more, struct error *e) {
  struct checkpoint_status s;
  unsigned removed = 0;
  checkpoint_status(g->store, &s);
  *ret_more = false;
  if (g->options.replicated) {
    *ret_more = g->options.checkpointed != NULL && g->options.checkpointed(g->options.context, s.durable_index);
    return ERR_OK;
  }
  TRY(log_prune(store_log(g->store), s.durable_index + 1, PRUNE_SEGMENTS_PER_STEP, &removed, e));
  *ret_more = removed == PRUNE_SEGMENTS_PER_STEP;
  return ERR_OK;
}

static enum err step_checkpointer(struct graph *g, bool *ret_more, struct error *e) {
  bool done = false;
  if (!checkpoint_active(g->store)) return prune_log(g, ret_more, e);
  TRY(checkpoint_step(g->store, CHECKPOINT_PAGES_PER_STEP, &done, e));
  *ret_more = true;
  return ERR_OK;
}

enum err graph_step(struct graph *g, enum graph_machine machine, bool *ret_more, struct error *e) {
  *ret_more = false;
  switch (machine) {
  case GRAPH_LOG_WRITER: return step_log_writer(g, ret_more, e);
  case GRAPH_APPLIER: return step_applier(g, ret_more, e);
  case GRAPH_CHECKPOINTER: return step_checkpointer(g, ret_more, e);
  case GRAPH_READER: return cold_step(g, ret_more, e);
  case GRAPH_SCRUBBER: return digest_step(g, ret_more, e);
  case GRAPH_MACHINE_MAX: break;
  }
  return error_set(e, ERR_INVALID, "there is no machine %d", (int) machine);
}

enum err graph_settle(struct graph *g, struct error *e) {
  static const enum graph_machine order[] = {GRAPH_LOG_WRITER, GRAPH_APPLIER, GRAPH_READER, GRAPH_SCRUBBER};
  for (bool any = true; any;) {
    any = false;
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
      bool more;
      TRY(graph_step(g, order[i], &more, e));
      any = any || more;
    }
  }
  return ERR_OK;
}

enum err graph_checkpoint(struct graph *g, struct error *e) {
  bool done = false;
  if (!checkpoint_active(g->store)) TRY(checkpoint_begin(g->store, e));
  while (!done) TRY(checkpoint_step(g->store, CHECKPOINT_PAGES_PER_STEP, &done, e));
  for (bool more = true; more;) TRY(prune_log(g, &more, e));
  return ERR_OK;
}

int64_t graph_expire_waits(struct graph *g) {
  return locks_expire(&g->locks);
}

void graph_counters(struct graph *g, struct graph_counters *ret) {
  *ret = (struct graph_counters){
      .transactions_open = g->transactions_open,
      .transactions_committed = g->committed,
      .transactions_rolled_back = g->rolled_back,
      .locks_held = g->locks.held,
      .lock_waits = g->locks.waits,
      .deadlocks = g->locks.deadlocks,
      .batches_published = g->batches,
      .commands_applied = g->commands,
      .digests = g->digests.finished,
      .nodes = statistics_get(&g->statistics, STATISTIC_NODES, GRAPH_ANY, 0),
      .relationships = statistics_get(&g->statistics, STATISTIC_RELS, GRAPH_ANY, 0),
      .node_ids = g->next_node,
      .relationship_ids = g->next_rel,
  };
}
