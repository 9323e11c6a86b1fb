// How this server stands in a group, and among the others: values for whoever asks, a moment old.
#include "dbms/cluster_int.h"

#include "graph/replica.h"
#include "store/store.h"

void cluster_status(struct cluster_group *g, struct cluster_status *ret) {
  mutex_lock(&g->mutex);
  *ret = g->status;
  mutex_unlock(&g->mutex);
}

void cluster_figures(struct cluster_group *g, struct cluster_figures *ret) {
  struct log *log = store_log(graph_store(g->database->graph));
  mutex_lock(&g->mutex);
  struct group_stats s = g->stats;
  *ret = (struct cluster_figures){.counts = g->seen};
  mutex_unlock(&g->mutex);
  uint64_t first = log_first_index(log);
  ret->append_index = log_last_index(log);
  ret->prune_index = first > 0 ? first - 1 : 0;
  ret->applied_index = graph_applied(g->database->graph).index;
  ret->tail_bytes = s.tail_bytes;
  ret->tail_bytes_max = s.tail_bytes_max;
  ret->tail_entries = s.tail_entries;
  ret->entries_from_disk = s.entries_read;
  ret->entries_from_memory = s.entries_sent - MIN(s.entries_sent, s.entries_read);
}

/// 1: nobody tells.
static uint32_t count_servers(struct cluster *c) {
  struct directory_copy view;
  struct arena a;
  uint32_t n = 1;
  if (c->options->directory == NULL) return n;
  arena_init(&a, NULL);
  if (directory_copy(c->options->directory, &a, &view, NULL) == ERR_OK) n = view.count;
  arena_done(&a);
  return n;
}

void cluster_server_figures(struct cluster *c, struct cluster_server_figures *ret) {
  struct host_processing p = {0};
  *ret = (struct cluster_server_figures){.servers = count_servers(c)};
  if (c->host != NULL) host_processing(c->host, &p);
  ret->message_batches = p.batches;
  ret->message_total_ns = p.total_ns;
  ret->message_last_ns = p.last_ns;
  ret->pull_requests = cluster_pull_requests(c);
  mutex_lock(&c->mutex);
  ret->unreachable = c->lost_count;
  mutex_unlock(&c->mutex);
}

void cluster_members(struct cluster_group *g, struct cluster_members *ret) {
  mutex_lock(&g->mutex);
  *ret = g->members;
  mutex_unlock(&g->mutex);
}
