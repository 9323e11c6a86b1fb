// Linearizable reads at the leader: what its group has confirmed is asked for many at a time. Those that come while the group is
// being asked wait for the next question, as an answer counts for nobody who came after it was asked.
#include "dbms/cluster_int.h"

static void link_read(struct cluster_read **list, struct cluster_read *r) {
  r->next = *list;
  r->at = list;
  if (r->next != NULL) r->next->at = &r->next;
  *list = r;
}

static void unlink_read(struct cluster_read *r) {
  *r->at = r->next;
  if (r->next != NULL) r->next->at = r->at;
}

/// Under the mutex.
static void answer_all(struct cluster_read **list, uint64_t index, bool failed) {
  while (*list != NULL) {
    struct cluster_read *r = *list;
    unlink_read(r);
    r->index = index;
    r->state = failed ? CLUSTER_READ_FAILED : CLUSTER_READ_ANSWERED;
    r->ready(r->context);
  }
}

bool cluster_read(struct cluster_group *g, struct cluster_read *r) {
  struct cluster *c = g->cluster;
  mutex_lock(&c->reads_mutex);
  bool told = g->member != NULL && !g->reads.closed;
  if (told) {
    r->state = CLUSTER_READ_WAITS;
    link_read(&g->reads.waiting, r);
  }
  mutex_unlock(&c->reads_mutex);
  if (told) host_touch(g->member);
  return told;
}

void cluster_read_cancel(struct cluster *c, struct cluster_read *r) {
  mutex_lock(&c->reads_mutex);
  if (r->state == CLUSTER_READ_WAITS) {
    unlink_read(r);
    r->state = CLUSTER_READ_NONE;
  }
  mutex_unlock(&c->reads_mutex);
}

void cluster_reads_told(struct cluster_group *g, uint64_t read_id, uint64_t index, bool failed) {
  struct cluster *c = g->cluster;
  mutex_lock(&c->reads_mutex);
  if (read_id == g->reads.id) answer_all(&g->reads.asked, index, failed); // an earlier one's were all cancelled
  bool more = g->reads.waiting != NULL;
  mutex_unlock(&c->reads_mutex);
  if (more) host_touch(g->member);
}

void cluster_reads_ask(struct cluster_group *g) {
  struct cluster *c = g->cluster;
  mutex_lock(&c->reads_mutex);
  bool asks = g->reads.asked == NULL && g->reads.waiting != NULL;
  if (asks) {
    g->reads.asked = TAKE_PTR(g->reads.waiting);
    g->reads.asked->at = &g->reads.asked;
    g->reads.id++;
  }
  mutex_unlock(&c->reads_mutex);
  if (!asks) return;
  enum err err = group_read(host_group(g->member), cluster_now_ms(c), g->reads.id, NULL);
  if (err != ERR_OK)
    cluster_reads_told(g, g->reads.id, 0, true); // whoever leads now is asked
  else
    host_touch(g->member);
}

void cluster_reads_close(struct cluster_group *g) {
  struct cluster *c = g->cluster;
  mutex_lock(&c->reads_mutex);
  g->reads.closed = true;
  answer_all(&g->reads.asked, 0, true);
  answer_all(&g->reads.waiting, 0, true);
  mutex_unlock(&c->reads_mutex);
}
