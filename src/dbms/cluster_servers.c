// The other servers: who is there, whether what one says is news here, and with whom the connection was lost.
#include "dbms/cluster_int.h"

enum err cluster_view(const struct cluster *c, struct arena *a, struct directory_copy *ret, struct error *e) {
  return directory_copy(c->options->directory, a, ret, e);
}

/// What the server says it has applied of the database; UINT64_MAX: it does not say.
static uint64_t said_applied(const struct directory_copy *view, uint64_t server, struct uuid database) {
  for (uint32_t i = 0; i < view->count; i++) {
    const struct announcement *s = &view->servers[i].said;
    for (uint32_t k = 0; s->number == server && k < s->database_count; k++)
      if (uuid_eq(s->databases[k].uuid, database)) return s->databases[k].applied_index;
  }
  return UINT64_MAX;
}

bool cluster_is_behind(struct cluster_group *g, uint64_t index) {
  struct cluster_status s;
  struct directory_copy view;
  struct arena a;
  cluster_status(g, &s);
  if (s.leader == 0 || g->cluster->options->directory == NULL) return s.leader == 0 || index < s.commit_index;
  if (s.role == CLUSTER_LEADER) return index < s.commit_index;
  arena_init(&a, NULL);
  enum err err = directory_copy(g->cluster->options->directory, &a, &view, NULL);
  bool behind = err != ERR_OK || index < said_applied(&view, s.leader, g->database->id);
  arena_done(&a);
  return behind;
}

/// Its place among the lost ones, or their count. Under the mutex.
static uint32_t find_lost(const struct cluster *c, uint64_t server) {
  uint32_t i = 0;
  while (i < c->lost_count && c->lost[i] != server) i++;
  return i;
}

bool cluster_server_elsewhere(void *context, uint64_t server, const char *address) {
  struct cluster *c = context;
  int64_t now_ms = clock_monotonic_ns(c->dbms->options.clock) / NS_PER_MS;
  return c->options->directory != NULL && directory_is_elsewhere(c->options->directory, now_ms, server, address);
}

void cluster_server_changed(void *context, uint64_t server, bool up) {
  struct cluster *c = context;
  mutex_lock(&c->mutex);
  uint32_t i = find_lost(c, server);
  if (up && i < c->lost_count) c->lost[i] = c->lost[--c->lost_count];
  if (!up && i == c->lost_count && i < CLUSTER_SERVERS_MAX) c->lost[c->lost_count++] = server;
  mutex_unlock(&c->mutex);
}

bool cluster_has_lost(struct cluster *c, uint64_t server) {
  mutex_lock(&c->mutex);
  bool lost = find_lost(c, server) < c->lost_count;
  mutex_unlock(&c->mutex);
  return lost;
}
