#include "dbms/feature_level.h"

#include "base/feature_level.h"
#include "dbms/dbms_int.h"
#include "dbms/roster.h"
#include "dbms/system_tx.h"
#include "graph/tx.h"
#include "graph/view.h"
#include "graph/write.h"

static const struct str label_name = {"FeatureLevel", 12}, key_name = {"level", 5};

// ---- in `system` ----

static enum err take(const struct vec *levels, uint32_t n, uint32_t *ret, struct error *e) {
  for (uint32_t i = 0; i < n; i++) {
    struct value v = vec_get(levels, i);
    if (v.type != VALUE_INT || v.i < (int64_t) FEATURE_LEVEL_FIRST || v.i > (int64_t) FEATURE_LEVEL_MAX)
      return error_set(e, ERR_CORRUPT, "What `system` says of the cluster's feature level cannot be read.");
    *ret = MAX(*ret, (uint32_t) v.i);
  }
  return ERR_OK;
}

static enum err read_all(struct graph_view *v, graph_token label, graph_token key, struct arena *a, uint32_t *ret, struct error *e) {
  enum { BATCH = 64 };
  struct graph_scan scan = {0};
  while (!scan.done) {
    graph_id batch[BATCH];
    struct vec levels;
    uint32_t got;
    TRY(graph_scan_nodes(v, label, &scan, batch, BATCH, &got, e));
    if (got == 0) continue;
    arena_reset(a);
    TRY(graph_get_properties(v, GRAPH_NODE, batch, got, &key, 1, a, &levels, e));
    TRY(take(&levels, got, ret, e));
  }
  return ERR_OK;
}

enum err feature_level_read(struct graph_tx *tx, uint32_t *ret, struct error *e) {
  struct graph_view *v = graph_tx_view(tx, GRAPH_READ_CURRENT);
  const struct graph *g = graph_view_graph(v);
  graph_token label, key;
  struct arena a;
  *ret = FEATURE_LEVEL_FIRST;
  if (!graph_token_find(g, GRAPH_LABEL, label_name, &label)) return ERR_OK;
  if (!graph_token_find(g, GRAPH_KEY, key_name, &key)) key = GRAPH_ANY;
  arena_init(&a, NULL);
  graph_view_enter(v);
  enum err err = read_all(v, label, key, &a, ret, e);
  graph_view_leave(v);
  arena_done(&a);
  return err;
}

enum err feature_level_write(struct graph_tx *tx, uint32_t level, struct error *e) {
  graph_token label, key;
  graph_id id;
  TRY(graph_token_make(tx, GRAPH_LABEL, label_name, &label, e));
  TRY(graph_token_make(tx, GRAPH_KEY, key_name, &key, e));
  struct graph_property property = {key, v_int(level)};
  return graph_create_node(tx, &label, 1, &property, 1, &id, e);
}

// ---- followed ----

static enum err read_level(struct graph_tx *tx, void *context, struct error *e) {
  return feature_level_read(tx, context, e);
}

static enum err too_old(uint32_t level, struct error *e) {
  return error_set(e, ERR_UNSUPPORTED,
                   "The cluster was raised to feature level %u, and this version knows levels up to %u: it cannot read what the others "
                   "write. Start this server with the version that the others have. There is no way back behind a level but a backup "
                   "from before.",
                   level, feature_level_highest);
}

static void tell(struct dbms *d, uint32_t from, uint32_t to) {
  event_raise(d->options.events, EVENT_INFO, "cluster.feature_level",
              "The cluster has feature level %u now (before: %u). Servers of versions that do not know it are not let in any more.", to, from);
}

static void tell_too_old(struct dbms *d, uint32_t level) {
  struct error e = ERROR_INIT;
  if (atomic_exchange(&d->levels.told, true)) return;
  (void) !too_old(level, &e);
  event_raise(d->options.events, EVENT_ERROR, "cluster.feature_level", "%s", e.message);
}

enum err feature_level_follow(struct dbms *d, struct error *e) {
  uint32_t now = FEATURE_LEVEL_FIRST;
  if (d->cluster == NULL) return ERR_OK;
  TRY(system_read(d, read_level, &now, e));
  if (now > feature_level_highest) {
    tell_too_old(d, now);
    return too_old(now, e);
  }
  uint32_t before = atomic_exchange(&d->levels.of_cluster, now);
  if (now == before) return ERR_OK;
  tell(d, before, now);
  cluster_judge_levels(d->cluster);
  return ERR_OK;
}

void feature_level_look(struct dbms *d, const struct directory_copy *view) {
  struct uuid cluster = view->count > 0 ? announcement_cluster(&view->servers[0].said) : (struct uuid){{0}};
  for (uint32_t i = 1; i < view->count; i++) {
    const struct announcement *s = &view->servers[i].said;
    bool ours = !uuid_is_none(cluster) && uuid_eq(announcement_cluster(s), cluster);
    if (ours && s->cluster_level > feature_level_highest) tell_too_old(d, s->cluster_level);
  }
}

bool feature_level_is_known_to(const struct dbms *d, const struct announcement *said) {
  return feature_level_of(said->feature_level) >= atomic_load(&d->levels.of_cluster);
}

uint32_t dbms_feature_level(const struct dbms *d) {
  return atomic_load(&d->levels.of_cluster);
}

// ---- of all ----

enum err feature_level_of_all(const struct roster *r, uint32_t *ret, struct error *e) {
  uint32_t level = feature_level_highest;
  for (uint32_t i = 0; i < r->count; i++) {
    const struct roster_server *s = &r->servers[i];
    if (s->said == NULL)
      return error_set(e, ERR_ARGUMENT,
                       "Server %s (number %llu) belongs to the cluster and is not heard of: nobody knows which version it will come back "
                       "with. Start it, or drop it (DROP SERVER).",
                       uuid_is_none(s->server) ? "of an unknown id" : uuid_text(s->server).z, (unsigned long long) s->number);
    level = MIN(level, feature_level_of(s->said->feature_level));
  }
  *ret = level;
  return ERR_OK;
}
