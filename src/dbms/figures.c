#include "dbms/figures.h"

#include "dbms/dbms_int.h"
#include "graph/replica.h"
#include "graph/stats.h"
#include "graph/view.h"
#include "store/store.h"

// ---- of the server ----

static void count_databases(struct dbms *d, struct dbms_figures *ret) {
  DATABASES_EACH(db, d) {
    enum database_gate gate = db->gate;
    ret->databases_hosted += gate == GATE_OPEN;
    ret->databases_failed += gate == GATE_FAILED;
    ret->databases_wanted += gate != GATE_DROPPED && gate != GATE_LEFT && !db->wanted_offline;
  }
}

static void of_cluster(struct dbms *d, struct dbms_figures *ret) {
  struct cluster_server_figures s;
  ret->is_member = d->cluster != NULL;
  if (dbms_others(d) == NULL) return;
  cluster_server_figures(dbms_others(d), &s);
  ret->servers = s.servers;
  ret->servers_unreachable = s.unreachable;
  ret->pull_requests = s.pull_requests;
  ret->message_batches = s.message_batches;
  ret->message_total_s = (double) s.message_total_ns / (double) NS_PER_S;
  ret->message_last_ms = (double) s.message_last_ns / (double) NS_PER_MS;
}

void dbms_figures(struct dbms *d, struct dbms_figures *ret) {
  struct page_pool_stats pages = {0};
  if (d->pool != NULL) page_pool_stats(d->pool, &pages);
  *ret = (struct dbms_figures){.pages = pages.frames,
                               .pages_used = pages.frames_used,
                               .page_faults = pages.reads,
                               .page_evictions = pages.evictions,
                               .page_flushes = pages.spills,
                               .transactions_active = dbms_open_transactions(d),
                               .transaction_bytes = atomic_load(&d->budget.used_bytes),
                               .transaction_bytes_peak = atomic_load(&d->budget.peak_bytes)};
  count_databases(d, ret);
  of_cluster(d, ret);
}

// ---- of a database ----

static void of_transactions(struct database *db, struct dbms_database_figures *ret) {
  mutex_lock(&db->dbms->mutex);
  struct transaction_counts c = db->counts;
  mutex_unlock(&db->dbms->mutex);
  ret->tx_started = c.started;
  ret->tx_peak = c.peak;
  ret->tx_active_writing = c.active_writing;
  ret->tx_active_reading = c.active - c.active_writing;
  ret->tx_committed_reading = c.committed_reading;
  ret->tx_committed_writing = c.committed_writing;
  ret->tx_rolled_back_reading = c.rolled_back_reading;
  ret->tx_rolled_back_writing = c.rolled_back_writing;
  ret->tx_terminated_reading = c.terminated_reading;
  ret->tx_terminated_writing = c.terminated_writing;
}

static void of_graph(const struct graph *g, struct dbms_database_figures *ret) {
  ret->nodes = graph_stats_nodes(g, GRAPH_ANY);
  ret->relationships = graph_stats_rels(g, GRAPH_ANY, GRAPH_ANY, GRAPH_ANY);
  ret->labels = graph_token_count(g, GRAPH_LABEL);
  ret->types = graph_token_count(g, GRAPH_TYPE);
  ret->keys = graph_token_count(g, GRAPH_KEY);
}

static void of_log(struct database *db, struct dbms_database_figures *ret) {
  struct log *log = store_log(graph_store(db->graph));
  struct log_stats s;
  log_stats(log, &s);
  ret->log_appended_bytes = s.appended_bytes;
  ret->log_flushes = s.rounds;
  ret->log_bytes = s.bytes;
  ret->log_segments = s.segments;
  ret->last_applied = graph_applied(db->graph).index;
  ret->last_committed = MAX(log_commit_index(log), ret->last_applied);
}

static int64_t silence_ms(const struct dbms *d, const struct cluster_status *s) {
  if (s->role == CLUSTER_LEADER) return 0;
  if (s->leader_heard_ms == 0) return -1;
  return MAX(clock_monotonic_ns(d->options.clock) / NS_PER_MS - s->leader_heard_ms, 0);
}

static void of_group(struct database *db, struct dbms_database_figures *ret) {
  struct cluster_status s;
  struct cluster_figures f;
  cluster_status(db->group, &s);
  cluster_figures(db->group, &f);
  ret->in_group = true;
  ret->is_replica = s.role == CLUSTER_REPLICA;
  ret->leads = s.role == CLUSTER_LEADER;
  ret->term = s.term;
  ret->commit_index = s.commit_index;
  ret->leader_silent_ms = silence_ms(db->dbms, &s);
  ret->append_index = f.append_index;
  ret->applied_index = f.applied_index;
  ret->prune_index = f.prune_index;
  ret->memory_bytes = f.tail_bytes;
  ret->memory_bytes_max = f.tail_bytes_max;
  ret->memory_entries = f.tail_entries;
  ret->sent_from_memory = f.entries_from_memory;
  ret->sent_from_disk = f.entries_from_disk;
  ret->proposed = f.counts.proposed;
  ret->attempts = f.counts.attempts;
  ret->committed = f.counts.committed;
  ret->uncertain = f.counts.uncertain;
  ret->refused = f.counts.refused;
  ret->retries = f.counts.retries;
  ret->led = f.counts.led;
  ret->pulls = f.counts.pulls;
  ret->pull_requested = f.counts.pull_requested;
  ret->pull_received = f.counts.pulls > 0 ? f.append_index : 0;
}

/// False: it is closed.
static bool look_at(struct database *db, struct dbms_database_figures *ret) {
  *ret = (struct dbms_database_figures){.name = db->name, .is_home = db == dbms_home(db->dbms)};
  if (!database_look_in(db)) return false;
  of_transactions(db, ret);
  of_graph(db->graph, ret);
  of_log(db, ret);
  if (db->dbms->cluster != NULL && db->group != NULL) of_group(db, ret);
  database_leave(db);
  return true;
}

enum err dbms_database_figures(struct dbms *d, struct arena *a, struct dbms_database_figures **ret, uint32_t *ret_n, struct error *e) {
  struct database_list list = {0};
  uint32_t n = 0;
  if (d->gateway == NULL) TRY(dbms_databases(d, a, &list, e));
  struct dbms_database_figures *of = ARENA_ARRAY(a, struct dbms_database_figures, list.count + 1);
  if (of == NULL) return arena_err(a, e);
  for (uint32_t i = 0; i < list.count; i++) n += look_at(list.of[i], &of[n]);
  *ret = of;
  *ret_n = n;
  return ERR_OK;
}
